//! Law 1: D1 holds what must be right, KV what may be stale. No decision touches KV; a change of settings and
//! a revoked key hold at once in every isolate; a batch prepared under old settings changes nothing.

use postern::http::contract::Auth;
use serde_json::{Value, json};

use crate::support::{Native, Request, World, at_once, count, steps, vars};

const SETTINGS: &str = "/v1/instance";

/// A second isolate that remembers the settings as they are now.
async fn warm_isolate(world: &World) -> World {
    let other = World::on(&world.here().isolate());
    other.get(SETTINGS).await.expect(200);
    other
}

async fn change(world: &World, settings: Value) {
    world.patch(SETTINGS, &settings).await.expect(200);
}

fn send(world: &World, number: &str) -> Request {
    world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}))
}

#[tokio::test]
async fn no_decision_touches_kv() {
    let world = World::null();
    let here = world.here();
    let (user, factor, number) = world.user_with_phone().await;
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let code = world.code(&number).await;
    world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
    world.answer(&challenge, &code).await.expect(200);
    change(&world, json!({"sms": {"enabled": false}})).await;
    send(&world, &number).send().await.expect_problem(503, "sms_disabled");
    let path = format!("/v1/users/{user}/factors/{factor}?override_reason=gone");
    world.delete(&path).await.expect(204);
    let key = world.post("/v1/api-keys", &json!({"name": "k", "scopes": ["users:read"]})).await.expect(201);
    let secret = key["secret"].as_str().unwrap();
    world.request("GET", "/v1/users").key(secret).send().await.expect(200);
    world.delete(&format!("/v1/api-keys/{}", key["api_key"]["id"].as_str().unwrap())).await.expect(204);
    world.request("GET", "/v1/users").key(secret).send().await.expect_problem(401, "api_key_invalid");
    assert_eq!(here.cache.touched(), Vec::<String>::new());

    // The two that read KV, and what is there.
    world.get("/v1/environment").await.expect(200);
    world.get("/health").await.expect(200);
    assert_eq!(here.cache.touched(), ["environment/4", "environment/4", "health"]);
    assert_eq!(here.cache.keys(), ["environment/4"]);
}

#[tokio::test]
async fn a_kv_that_lies_opens_no_hole() {
    let world = World::null();
    let honest = world.get("/v1/environment").await.expect(200);
    assert_eq!(honest["test_mode"], "enabled");
    let cache = &world.here().cache;
    cache.freeze();
    let settings = json!({"test_mode": "rejected", "sms": {"enabled": false}});
    change(&world, settings.clone()).await;
    // The stale text is served, and decides nothing.
    assert_eq!(world.get("/v1/environment").await.expect(200), honest);
    for key in ["environment/4", "health", "settings", "instance", "snapshot"] {
        cache.set(key, &honest.to_string());
    }
    for isolate in [&world, &World::on(&world.here().isolate())] {
        send(isolate, "+15555550142").send().await.expect_problem(503, "sms_disabled");
        assert_eq!(isolate.get(SETTINGS).await.expect(200)["stored"], settings);
    }
    change(&world, json!({"sms": {"enabled": true}})).await;
    send(&world, "+15555550142").send().await.expect_problem(422, "test_identifier_forbidden");
}

#[tokio::test]
async fn a_setting_that_changes_holds_at_once_in_every_isolate() {
    let cases = [
        (json!({"sms": {"enabled": false}}), 503, "sms_disabled"),
        (json!({"countries": {"sms": {"allowed": ["GB"]}}}), 422, "country_not_allowed"),
        (json!({"test_mode": "rejected"}), 422, "test_identifier_forbidden"),
        (json!({"numbers": {"validation": "valid"}}), 422, "form_param_invalid"),
        (json!({"limits": {"messages_per_destination_hour": 1}}), 429, "rate_limit_exceeded"),
    ];
    for (settings, status, code) in cases {
        let world = World::null();
        let other = warm_isolate(&world).await;
        let number = match code {
            "test_identifier_forbidden" => "+15555550142".to_owned(),
            // Possible, and in no range that is assigned.
            "form_param_invalid" => "+12112345678".to_owned(),
            _ => world.number(),
        };
        send(&other, &number).send().await.expect(201);
        change(&world, settings).await;
        send(&other, &number).send().await.expect_problem(status, code);
        // And back: a refusal that rests on what is remembered is looked at again.
        let back = json!({"sms": "inherit", "countries": "inherit", "test_mode": "inherit", "numbers": "inherit",
            "limits": "inherit"});
        change(&world, back).await;
        send(&other, &number).send().await.expect(201);
    }
}

#[tokio::test]
async fn what_a_new_challenge_is_made_of_changes_at_once_in_every_isolate() {
    let world = World::null();
    let other = warm_isolate(&world).await;
    let settings = json!({"codes": {"length": 8, "lifetime_seconds": 60}, "limits": {"wrong_answers": 2}});
    change(&world, settings).await;
    let number = world.number();
    let challenge = other.challenge(&number).await;
    assert_eq!(world.code(&number).await.len(), 8);
    assert_eq!(challenge["attempts_left"], 2);
    assert_eq!(challenge["code_expires_at"], "2026-11-22T10:01:00.000Z");
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_by_every_operation_of_every_isolate() {
    let world = World::null();
    let body = json!({"name": "k", "scopes": postern::api_key::Scope::NAMES});
    let operations = postern::http::operations();
    let keyed = operations.iter().filter(|operation| matches!(operation.auth, Auth::Key(_)));
    let mut tried = 0;
    for operation in keyed {
        let key = world.post("/v1/api-keys", &body).await.expect(201);
        let secret = key["secret"].as_str().unwrap();
        let other = World::on(&world.here().isolate());
        other.request("GET", SETTINGS).key(secret).send().await.expect(200);
        let id = key["api_key"]["id"].as_str().unwrap();
        world.delete(&format!("/v1/api-keys/{id}")).await.expect(204);

        let before = world.here().database.everything();
        let ulid = "01M83WM7ZA000G40R40M30E209";
        let resource = operation.path.split('/').nth(2).unwrap();
        let prefix = match resource {
            "challenges" => "chl_",
            "messages" => "msg_",
            "api-keys" => "key_",
            _ => "usr_",
        };
        let path = operation.path.replace("{id}", &format!("{prefix}{ulid}")).replace("{fid}", &format!("fac_{ulid}"));
        let mut request = other.request(operation.method, &path).key(secret);
        if !operation.example.is_empty() {
            request = request.json(&serde_json::from_str(operation.example).unwrap());
        }
        let response = request.send().await;
        assert_eq!(response.json["code"], "api_key_invalid", "{}: {}", operation.id, response.text);
        assert_eq!(world.here().database.everything(), before, "{}", operation.id);
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
}

#[tokio::test]
async fn the_bindings_key_can_be_retired_and_another_one_put_there() {
    let world = World::null();
    let other = warm_isolate(&world).await;
    world.delete("/v1/api-keys/key_binding").await.expect_problem(409, "api_key_last");
    let every = json!({"name": "k", "scopes": postern::api_key::Scope::NAMES});
    let key = world.post("/v1/api-keys", &every).await.expect(201);
    let retire = world.request("DELETE", "/v1/api-keys/key_binding").key(key["secret"].as_str().unwrap());
    assert_eq!(retire.send().await.status, 204);
    for isolate in [&other, &world, &World::on(&world.here().isolate())] {
        isolate.get(SETTINGS).await.expect_problem(401, "api_key_invalid");
        isolate.patch(SETTINGS, &json!({"sms": {"enabled": false}})).await.expect_problem(401, "api_key_invalid");
    }
    assert_eq!(world.here().database.number("SELECT version FROM instance"), 2);

    let fresh = "sk_live_Zz9m9vQ2xZ7LrT8bYkWn1sEo5HdUcGaPiVX6M4tRqA0";
    let mut redeployed = vars::null();
    redeployed.insert("SERVER_API_KEY".to_owned(), json!(fresh));
    let redeployed = World::on(&world.here().redeploy(&redeployed));
    redeployed.request("GET", SETTINGS).key(fresh).send().await.expect(200);
}

#[tokio::test]
async fn a_stale_batch_changes_nothing_and_is_tried_once_more() {
    let world = World::null();
    let other = warm_isolate(&world).await;
    change(&world, json!({"codes": {"length": 7}})).await;
    let number = world.number();
    let response = send(&other, &number).send().await;
    assert_eq!(response.round_trips(), 3, "stale, read again, decided");
    response.expect(201);
    let database = &world.here().database;
    for table in ["challenges", "messages", "dev_inbox"] {
        assert_eq!(database.number(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }
    let counted = "SELECT sum(count) FROM counters WHERE key LIKE 'messages_per_destination_hour:%'";
    assert_eq!(database.number(counted), 1);
    assert_eq!(database.number("SELECT count(*) FROM settings_guard"), 0);
    assert_eq!(world.code(&number).await.len(), 7, "the work was done anew under the new settings");
}

#[tokio::test]
async fn settings_that_never_stand_still_refuse_and_change_nothing() {
    let world = World::null();
    let database = &world.here().database;
    world.get(SETTINGS).await.expect(200);
    let mut request = Box::pin(send(&world, &world.number()).send());
    // Before the first batch; before the settings are read again, and before the second batch.
    for taken in [1, 2] {
        steps(&mut request, taken).await;
        database.execute("UPDATE instance SET version = version + 1");
    }
    let response = request.await;
    assert!(response.header("retry-after").is_some());
    response.expect_problem(503, "database_unavailable");
    for table in ["challenges", "messages", "counters", "audit_events", "settings_guard"] {
        assert_eq!(database.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

#[tokio::test]
async fn two_concurrent_patches_lose_nothing() {
    let world = World::null();
    let other = warm_isolate(&world).await;
    world.get(SETTINGS).await.expect(200);
    let patch = |world: &World, body: Value| world.request("PATCH", SETTINGS).json(&body);
    let both = vec![patch(&world, json!({"sms": {"enabled": false}})), patch(&other, json!({"codes": {"length": 9}}))];
    assert_eq!(count(&at_once(both).await, 200, ""), 2);
    let instance = world.get(SETTINGS).await.expect(200);
    assert_eq!(instance["stored"], json!({"sms": {"enabled": false}, "codes": {"length": 9}}));
    assert_eq!(instance["version"], 3);
}

#[tokio::test]
async fn of_many_concurrent_patches_those_that_say_so_are_stored() {
    let world = World::null();
    let names: Vec<&str> = postern::limit::LIMITS.iter().map(|limit| limit.name).collect();
    let isolates: Vec<Native> = names.iter().map(|_| world.here().isolate()).collect();
    let patches = names
        .iter()
        .zip(&isolates)
        .map(|(name, isolate)| Request::new(isolate.target(), "PATCH", SETTINGS).json(&json!({"limits": {*name: 2}})));
    let answers = at_once(patches.collect()).await;
    let stored = world.get(SETTINGS).await.expect(200)["stored"]["limits"].clone();
    let done = count(&answers, 200, "");
    assert!(done >= 1);
    assert_eq!(done + count(&answers, 503, "database_unavailable"), answers.len());
    assert_eq!(stored.as_object().unwrap().len(), done);
}
