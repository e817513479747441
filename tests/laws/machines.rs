//! Machine apps: a secret for a token, the token in place of a server key. What the token says holds no longer than the app
//! is there and still has what it grants, without a round trip to ask (law 3).

use std::time::Duration;

use postern::{http::contract::Auth, http::operations};
use serde_json::{Value, json};

use crate::support::{
    World,
    oauth::{ISSUER, app_and_secret, basic, browser_and_user, claims, read, refused, sign_in, token},
};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

async fn machine(world: &World, scopes: &[&str]) -> (String, String) {
    app_and_secret(world, json!({"type": "machine", "scopes": scopes})).await
}

/// A machine's token, for all that it may do.
async fn issued(world: &World, id: &str, secret: &str) -> String {
    let call = token(world, &[("grant_type", "client_credentials")]).header("authorization", &basic(id, secret));
    text(&call.send().await.expect(200)["access_token"]).to_owned()
}

#[tokio::test]
async fn a_secret_becomes_a_token_for_the_server_api() {
    let world = World::null();
    let (id, secret) = machine(&world, &["users:read", "challenges"]).await;
    let call = |scope: Option<&str>| {
        let mut fields = vec![("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
        fields.extend(scope.map(|scope| ("scope", scope)));
        token(&world, &fields).send()
    };
    let set = call(None).await.expect(200);
    assert_eq!((&set["scope"], &set["expires_in"]), (&json!("users:read challenges"), &json!(3600)), "{set}");
    assert!(set.get("refresh_token").is_none() && set.get("id_token").is_none());
    let (header, said) = read(&world, text(&set["access_token"])).await;
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!((&said["sub"], &said["client_id"], &said["aud"]), (&json!(id), &json!(id), &json!(ISSUER)));
    assert!(said.get("sid").is_none());
    let answer = call(Some("users:read")).await;
    assert_eq!(answer.round_trips(), 1);
    let less = answer.expect(200);
    assert_eq!(less["scope"], "users:read");
    for more in ["users:write", "users:read users:write", "openid", " "] {
        refused(&call(Some(more)).await, 400, "invalid_scope");
    }
    let bearer = text(&less["access_token"]);
    let read = world.request("GET", "/v1/users").key(bearer).send().await;
    assert_eq!((read.status, read.round_trips()), (200, 1));
    let post = world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": world.number()}}));
    post.key(bearer).send().await.expect_problem(403, "scope_missing");
    let made = world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": world.number()}}));
    made.key(text(&set["access_token"])).send().await.expect(201);
    let events = world.get("/v1/audit-events?type=challenge.created").await.expect(200);
    assert_eq!(events["data"][0]["actor"], json!(id));
}

#[tokio::test]
async fn only_a_machine_with_its_own_live_secret_gets_one() {
    let world = World::null();
    let (id, secret) = machine(&world, &["users:read"]).await;
    let (other, foreign) = machine(&world, &["users:read"]).await;
    let call = |id: &str, secret: &str| {
        token(&world, &[("grant_type", "client_credentials")]).header("authorization", &basic(id, secret)).send()
    };
    for (id, secret) in [
        (id.as_str(), foreign.as_str()),
        (&other, &secret),
        (&id, ""),
        (&id, "cs_x"),
        ("app_01M83WM7ZA000G40R40M30E209", &secret),
        ("x", &secret),
    ] {
        refused(&call(id, secret).await, 401, "invalid_client");
    }
    refused(&token(&world, &[("grant_type", "client_credentials")]).send().await, 401, "invalid_client");
    let (web, web_secret) = app_and_secret(&world, json!({"type": "web"})).await;
    refused(&call(&web, &web_secret).await, 400, "unauthorized_client");
    let (browser, _) = browser_and_user(&world).await;
    refused(&call(&browser, "").await, 400, "unauthorized_client");
    // The other way round: a machine has nobody to sign in.
    let refresh = token(&world, &[("grant_type", "refresh_token"), ("refresh_token", "rt_x")]);
    refused(&refresh.header("authorization", &basic(&id, &secret)).send().await, 400, "unauthorized_client");

    // While one secret takes the other's place, both are good; then the new one alone.
    let path = format!("/v1/apps/{id}/rotate-secret");
    let rotated = world.post(&path, &json!({"keep_old_seconds": 60})).await.expect(200);
    let new = text(&rotated["client_secret"]);
    for secret in [&secret, new] {
        call(&id, secret).await.expect(200);
    }
    world.here().clock.advance(Duration::from_secs(60));
    refused(&call(&id, &secret).await, 401, "invalid_client");
    call(&id, new).await.expect(200);
}

#[tokio::test]
async fn a_token_holds_no_longer_than_what_it_stands_for() {
    let world = World::null();
    let other = World::on(&world.here().isolate());
    let (id, secret) = machine(&world, &["users:read", "users:write"]).await;
    // The other isolate remembers a time when there was no key yet.
    other.get("/v1/instance").await.expect(200);
    let bearer = issued(&world, &id, &secret).await;
    let call = |world: &World, bearer: &str| {
        let request = world.request("GET", "/v1/users").key(bearer);
        async move { request.send().await }
    };
    for world in [&world, &other] {
        call(world, &bearer).await.expect(200);
    }
    // Less may be done than it says: not even what is left.
    let path = format!("/v1/apps/{id}");
    world.patch(&path, &json!({"scopes": ["users:read"]})).await.expect(200);
    for world in [&world, &other] {
        call(world, &bearer).await.expect_problem(401, "access_token_invalid");
    }
    let less = issued(&world, &id, &secret).await;
    call(&other, &less).await.expect(200);
    world.here().clock.advance(Duration::from_secs(3599));
    call(&other, &less).await.expect(200);
    world.here().clock.advance(Duration::from_secs(1));
    let over = call(&other, &less).await;
    assert_eq!(over.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    over.expect_problem(401, "access_token_invalid");
    let last = issued(&world, &id, &secret).await;
    world.delete(&path).await.expect(204);
    for world in [&world, &other] {
        call(world, &last).await.expect_problem(401, "access_token_invalid");
    }
}

#[tokio::test]
async fn a_machine_that_is_gone_changes_nothing_by_any_operation() {
    let world = World::null();
    let (id, secret) = machine(&world, &postern::api_key::Scope::NAMES).await;
    let bearer = issued(&world, &id, &secret).await;
    world.delete(&format!("/v1/apps/{id}")).await.expect(204);
    let before = world.here().database.everything();
    for operation in operations().into_iter().filter(|operation| matches!(operation.auth, Auth::Key(_))) {
        let path = operation.path.replace("{id}", "usr_01M83WM7ZA000G40R40M30E209");
        let request = world.request(operation.method, &path).key(&bearer);
        let body = serde_json::from_str(operation.example).unwrap_or_else(|_| json!({}));
        let request = if operation.body.is_some() { request.json(&body) } else { request };
        let answer = request.send().await;
        // A malformed id is nobody's without asking.
        assert!([401, 404, 422].contains(&answer.status), "{}: {}", operation.id, answer.text);
    }
    assert_eq!(world.here().database.everything(), before);
}

#[tokio::test]
async fn no_other_token_is_a_servers() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let (id, secret) = machine(&world, &["users:read"]).await;
    // A person's token, though its scope says what a server's would.
    let set = sign_in(&world, &shop, &user, "openid users:read").await;
    for token in [text(&set["access_token"]), text(&set["id_token"])] {
        world.request("GET", "/v1/users").key(token).send().await.expect_problem(401, "access_token_invalid");
    }
    let bearer = issued(&world, &id, &secret).await;
    let (head, tail) = bearer.rsplit_once('.').unwrap();
    let mut said = claims(&json!(bearer));
    said["scope"] = json!("users:read users:write");
    let forged = {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        format!("{}.{}.{tail}", head.split_once('.').unwrap().0, URL_SAFE_NO_PAD.encode(said.to_string()))
    };
    for wrong in
        [forged, format!("{head}."), head.to_owned(), format!("{bearer}A"), "eyJ".to_owned(), "eyJ".repeat(5000)]
    {
        world.request("GET", "/v1/users").key(&wrong).send().await.expect_problem(401, "access_token_invalid");
    }
    world.request("GET", "/v1/users").key(&bearer).send().await.expect(200);
}

#[tokio::test]
async fn a_token_of_a_key_that_nobody_has_makes_no_isolate_forget() {
    let world = World::null();
    let (id, secret) = machine(&world, &["users:read"]).await;
    let bearer = issued(&world, &id, &secret).await;
    let key = world.post("/v1/api-keys", &json!({"name": "k", "scopes": ["users:read"]})).await.expect(201);
    let read = |key: &str| world.request("GET", "/v1/users").key(key).send();
    read(text(&key["secret"])).await.expect(200);
    let (_, rest) = bearer.split_once('.').unwrap();
    let header = {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD
            .encode(json!({"alg": "RS256", "kid": "sig_01M83WM7ZA000G40R40M30E209", "typ": "at+jwt"}).to_string())
    };
    let refused = read(&format!("{header}.{rest}")).await;
    assert_eq!((refused.status, refused.round_trips()), (401, 1), "it looks once whether the key is new");
    let known = read(text(&key["secret"])).await;
    assert_eq!((known.status, known.round_trips()), (200, 1), "the stored key is remembered");
}
