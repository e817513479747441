//! Keys: a test key tries things and touches nothing live, no key revokes what grants more, and a retired key
//! stays retired.

use serde_json::{Value, json};

use crate::support::{KEY, World, vars};

async fn new_key(world: &World, scopes: &[&str], test: bool) -> (String, String) {
    let body = json!({"name": "a key", "scopes": scopes, "test": test});
    let made = world.post("/v1/api-keys", &body).await.expect(201);
    (made["api_key"]["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_test_key_and_a_live_one_do_not_see_each_others_challenges() {
    let world = World::twilio();
    let (_, test) = new_key(&world, &["challenges"], true).await;
    let number = world.number();
    let live = world.challenge(&number).await;
    let code = world.code(&number).await;
    let path = |challenge: &Value| format!("/v1/challenges/{}", challenge["id"].as_str().unwrap());
    let as_test = |method: &str, path: String| world.request(method, &path).key(&test);
    as_test("GET", path(&live)).send().await.expect_problem(404, "resource_not_found");
    for action in ["resend", "cancel"] {
        as_test("POST", format!("{}/{action}", path(&live))).send().await.expect_problem(404, "resource_not_found");
    }
    let wrong = json!({"code": world.wrong(&code)});
    for _ in 0..10 {
        let answer = as_test("POST", format!("{}/answer", path(&live))).json(&wrong);
        answer.send().await.expect_problem(404, "resource_not_found");
    }
    world.answer(&live, &code).await.expect(200);

    let body = json!({"to": {"phone": number}});
    let tried = as_test("POST", "/v1/challenges".to_owned()).json(&body).send().await.expect(201);
    world.get(&path(&tried)).await.expect_problem(404, "resource_not_found");
    assert_eq!(world.carriers.sent_to(&number).len(), 1, "a test key's message never reaches a carrier");
}

#[tokio::test]
async fn a_test_key_uses_up_nobodys_limits() {
    let world = World::twilio();
    let (_, test) = new_key(&world, &["challenges"], true).await;
    let number = world.number();
    let body = json!({"to": {"phone": number}});
    let mut tried = Value::Null;
    for _ in 0..5 {
        tried = world.request("POST", "/v1/challenges").key(&test).json(&body).send().await.expect(201);
    }
    world
        .request("POST", "/v1/challenges")
        .key(&test)
        .json(&body)
        .send()
        .await
        .expect_problem(429, "rate_limit_exceeded");
    let path = format!("/v1/challenges/{}/answer", tried["id"].as_str().unwrap());
    for _ in 0..4 {
        let wrong = world.request("POST", &path).key(&test).json(&json!({"code": "0000"}));
        wrong.send().await.expect_problem(422, "form_code_incorrect");
    }
    for _ in 0..5 {
        world.challenge(&number).await;
    }
    let failures = "SELECT count(*) FROM counters WHERE key LIKE 'second_factor_failures:destination:%'";
    assert_eq!(world.here().database.number(failures), 0);
}

#[tokio::test]
async fn a_test_key_changes_neither_settings_nor_keys_in_prod() {
    let world = World::twilio();
    let (_, test) = new_key(&world, &["instance:write", "keys:write"], true).await;
    let (id, _) = new_key(&world, &["challenges"], true).await;
    let off = json!({"sms": {"enabled": false}});
    world.request("PATCH", "/v1/instance").key(&test).json(&off).send().await.expect_problem(403, "scope_missing");
    let path = format!("/v1/api-keys/{id}");
    world.request("DELETE", &path).key(&test).send().await.expect_problem(403, "scope_missing");
}

#[tokio::test]
async fn a_key_revokes_only_what_grants_no_more_than_it_has() {
    let world = World::null();
    let (strong, _) = new_key(&world, &["challenges", "users:override", "keys:write"], false).await;
    let (weak, _) = new_key(&world, &["challenges"], false).await;
    let (_, secret) = new_key(&world, &["challenges", "keys:write"], false).await;
    let (_, test) = new_key(&world, &["challenges", "users:override", "keys:write"], true).await;
    let revoke = |id: &str, key: &str| world.request("DELETE", &format!("/v1/api-keys/{id}")).key(key).send();
    revoke(&strong, &secret).await.expect_problem(403, "scope_missing");
    revoke("key_binding", &secret).await.expect_problem(403, "scope_missing");
    revoke(&weak, &test).await.expect_problem(403, "scope_missing");
    revoke(&weak, &secret).await.expect(204);
    revoke(&strong, KEY).await.expect(204);
}

#[tokio::test]
async fn a_retired_key_stays_retired_whatever_stood_in_the_binding_since() {
    let world = World::null();
    let (_, spare) = new_key(&world, &["keys:write", "audit:read", "challenges"], false).await;
    world.delete("/v1/api-keys/key_binding").await.expect(204);
    world.get("/v1/instance").await.expect_problem(401, "api_key_invalid");

    let next = "sk_live_8bYkWn1sEo5HdUcGaPiVX6M4tRqA3fJ0m9vQ2xZ7LrT";
    let mut bindings = vars::null();
    bindings.insert("SERVER_API_KEY".to_owned(), json!(next));
    let deployed = World::on(&world.here().redeploy(&bindings));
    deployed.request("GET", "/v1/instance").key(next).send().await.expect(200);
    deployed.request("DELETE", "/v1/api-keys/key_binding").key(next).send().await.expect(204);
    let back = World::on(&world.here().redeploy(&vars::null()));
    back.get("/v1/instance").await.expect_problem(401, "api_key_invalid");
    let events = back.request("GET", "/v1/audit-events?type=api_key.revoked").key(&spare).send().await.expect(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 2);
}
