//! `/v1/api-keys`: no key grants what it lacks, a secret is shown once, revoking holds at once everywhere, and
//! nobody locks themselves out.

use std::time::Duration;

use serde_json::{Value, json};

use super::{NOBODY, new_key, pages, text};
use crate::support::{KEY, Native, Response, World, vars};

async fn with(world: &World, key: &str, path: &str) -> Response {
    world.request("GET", path).key(key).send().await
}

#[tokio::test]
async fn a_secret_is_shown_once_and_stored_nowhere() {
    let world = World::null();
    let body = json!({"name": "Shop", "scopes": ["challenges", "users:read", "challenges"]});
    let made = world.post("/v1/api-keys", &body).await.expect(201);
    let secret = text(&made["secret"]);
    assert!(secret.starts_with("sk_live_") && postern::api_key::is_server_key(&secret));
    assert_eq!(made["api_key"]["hint"], secret[secret.len() - 4..]);
    assert_eq!(made["api_key"]["scopes"], json!(["challenges", "users:read"]));
    for field in ["last_used_at", "revoked_at"] {
        assert!(made["api_key"][field].is_null());
    }
    let listed = world.get("/v1/api-keys").await;
    assert!(!listed.text.contains(&secret[8..]));
    assert_eq!(listed.json["data"], json!([made["api_key"]]));
    with(&world, &secret, "/v1/users").await.expect(200);
    for (place, value) in world.here().database.everything() {
        assert!(!value.contains(&secret[8..30]), "{place} has it");
    }
    assert!(world.here().log.lines().iter().all(|line| !line.contains(&secret[8..30])));
}

#[tokio::test]
async fn no_key_grants_what_it_lacks() {
    let world = World::null();
    let (_, maker) = new_key(&world, &["keys:write", "users:read"]).await;
    let make = |scopes: Value| {
        world.request("POST", "/v1/api-keys").key(&maker).json(&json!({"name": "x", "scopes": scopes})).send()
    };
    make(json!(["users:read"])).await.expect(201);
    make(json!(["keys:write", "users:read"])).await.expect(201);
    let problem = make(json!(["users:read", "users:write"])).await.expect_problem(403, "scope_missing");
    assert!(problem["detail"].as_str().unwrap().contains("users:write"));
    for scopes in [json!([]), json!(["everything"]), json!(["users:*"])] {
        make(scopes).await.expect_problem(422, "form_param_invalid");
    }
}

#[tokio::test]
async fn a_test_key_makes_test_keys_only() {
    let world = World::null();
    let body = |test| json!({"name": "x", "scopes": ["keys:write"], "test": test});
    let secret = text(&world.post("/v1/api-keys", &body(true)).await.expect(201)["secret"]);
    let make = |body: Value| world.request("POST", "/v1/api-keys").key(&secret).json(&body).send();
    make(body(false)).await.expect_problem(403, "scope_missing");
    make(json!({"name": "x", "scopes": ["keys:write"]})).await.expect_problem(403, "scope_missing");
    let made = make(body(true)).await.expect(201);
    assert_eq!(made["api_key"]["test"], true);
    assert!(text(&made["secret"]).starts_with("sk_test_"));
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_in_every_isolate() {
    let world = World::null();
    let other = World::on(&world.here().isolate());
    let (id, secret) = new_key(&world, &["users:read"]).await;
    for world in [&world, &other] {
        with(world, &secret, "/v1/users").await.expect(200);
    }
    world.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
    for world in [&world, &other] {
        with(world, &secret, "/v1/users").await.expect_problem(401, "api_key_invalid");
    }
    let listed = world.get("/v1/api-keys").await.expect(200);
    assert_eq!(listed["data"][0]["revoked_at"], "2026-11-22T10:00:00.000Z");
    // Twice is once.
    world.here().clock.advance(Duration::from_secs(5));
    world.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
    assert_eq!(world.get("/v1/api-keys").await.expect(200), listed);
    world.delete(&format!("/v1/api-keys/{}", NOBODY[4].1)).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn the_last_key_that_may_make_keys_stays() {
    let world = World::null();
    let revoke = |key: &str, id: &str| world.request("DELETE", &format!("/v1/api-keys/{id}")).key(key).send();
    // Neither a key without the scope nor a test key is another one.
    new_key(&world, &["challenges"]).await;
    let body = json!({"name": "x", "scopes": ["keys:write"], "test": true});
    world.post("/v1/api-keys", &body).await.expect(201);
    revoke(KEY, "key_binding").await.expect_problem(409, "api_key_last");
    with(&world, KEY, "/v1/users").await.expect(200);

    let (first, first_secret) = new_key(&world, &["keys:write"]).await;
    revoke(KEY, "key_binding").await.expect(204);
    revoke(&first_secret, &first).await.expect_problem(409, "api_key_last");
    let made =
        world.request("POST", "/v1/api-keys").key(&first_secret).json(&json!({"name": "y", "scopes": ["keys:write"]}));
    let made = made.send().await.expect(201);
    revoke(&first_secret, &first).await.expect(204);
    revoke(&text(&made["secret"]), &text(&made["api_key"]["id"])).await.expect_problem(409, "api_key_last");
}

#[tokio::test]
async fn the_bindings_key_is_retired_and_another_one_in_its_place_works() {
    let world = World::null();
    let other = World::on(&world.here().isolate());
    with(&other, KEY, "/v1/users").await.expect(200);
    let (_, secret) = new_key(&world, &["keys:write", "audit:read"]).await;
    world.delete("/v1/api-keys/key_binding").await.expect(204);
    for world in [&world, &other] {
        with(world, KEY, "/v1/users").await.expect_problem(401, "api_key_invalid");
    }
    let events = with(&world, &secret, "/v1/audit-events?type=api_key.revoked").await.expect(200);
    assert_eq!(
        (&events["data"][0]["subject_id"], &events["data"][0]["actor"]),
        (&json!("key_binding"), &json!("key_binding"))
    );

    let fresh = "sk_live_9gK1n0wR3yA8MsU9cZlXo2tFp6IeVdHbQjWY7N5uSrB";
    let mut bindings = vars::null();
    bindings.insert("SERVER_API_KEY".to_owned(), json!(fresh));
    let redeployed: Native = world.here().redeploy(&bindings);
    let world = World::on(&redeployed);
    with(&world, fresh, "/v1/users").await.expect(200);
    with(&world, KEY, "/v1/users").await.expect_problem(401, "api_key_invalid");
    with(&world, &secret, "/v1/api-keys").await.expect(200);
}

#[tokio::test]
async fn the_last_use_is_known_to_about_a_minute() {
    let world = World::null();
    let (_, secret) = new_key(&world, &["users:read"]).await;
    let used = async || text(&world.get("/v1/api-keys").await.expect(200)["data"][0]["last_used_at"]);
    with(&world, &secret, "/v1/users").await.expect(200);
    assert_eq!(used().await, "2026-11-22T10:00:00.000Z");
    world.here().clock.advance(Duration::from_secs(59));
    with(&world, &secret, "/v1/users").await.expect(200);
    assert_eq!(used().await, "2026-11-22T10:00:00.000Z");
    world.here().clock.advance(Duration::from_secs(1));
    with(&world, &secret, "/v1/users").await.expect(200);
    assert_eq!(used().await, "2026-11-22T10:01:00.000Z");
}

#[tokio::test]
async fn keys_are_listed_page_by_page_newest_first() {
    let world = World::null();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(new_key(&world, &["challenges"]).await.0);
        world.here().clock.advance(Duration::from_millis(2));
    }
    made.reverse();
    let (all, count) = pages(&world, "/v1/api-keys", 2).await;
    let all: Vec<String> = all.iter().map(|key| text(&key["id"])).collect();
    assert_eq!((all, count), (made, 3));
}
