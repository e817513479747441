//! Law 6: who has a factor needs a fresh proof of it for another one, used once, or the server's audited word.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Request, World, at_once, count};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn enrol(world: &World, user: &str, number: &str, authority: &Value) -> Request {
    let mut body = json!({"type": "phone", "phone": number});
    body.as_object_mut().unwrap().extend(authority.as_object().unwrap().clone());
    world.request("POST", &format!("/v1/users/{user}/factors")).json(&body)
}

fn proof(id: &str) -> Value {
    json!({"proof": id})
}

/// A verified challenge of a user's phone.
async fn proven(world: &World, user: &str, number: &str) -> String {
    let challenge = world.post("/v1/challenges", &json!({"user_id": user, "purpose": "step_up"})).await.expect(201);
    world.answer(&challenge, &world.code(number).await).await.expect(200);
    text(&challenge["id"])
}

#[tokio::test]
async fn a_proof_is_fresh_for_ten_minutes() {
    for (late, status) in [(false, 201), (true, 403)] {
        let world = World::null();
        let (user, _, number) = world.user_with_phone().await;
        let id = proven(&world, &user, &number).await;
        world.here().clock.advance(Duration::from_mins(10) + Duration::from_millis(u64::from(late)));
        let response = enrol(&world, &user, &world.number(), &proof(&id)).send().await;
        assert_eq!(response.status, status, "{}", response.text);
        assert!(!late || response.json["code"] == "proof_invalid");
        let path = format!("/v1/challenges/{id}");
        assert_eq!(world.get(&path).await.expect(200)["consumed_at"].is_string(), !late);
    }
}

#[tokio::test]
async fn what_is_no_proof_of_this_users_active_factor_is_refused() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let (other, _, other_number) = world.user_with_phone().await;
    world.here().clock.advance(Duration::from_mins(11));
    let unverified = text(&world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201)["id"]);
    let canceled = text(&world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201)["id"]);
    world.request("POST", &format!("/v1/challenges/{canceled}/cancel")).send().await.expect(200);
    let theirs = proven(&world, &other, &other_number).await;
    // The same number, proven without the user.
    let verification = world.challenge(&number).await;
    world.answer(&verification, &world.code(&number).await).await.expect(200);
    let verification = text(&verification["id"]);
    let unknown = "chl_01M83WM7ZA000G40R40M30E209".to_owned();
    let new = world.number();
    for id in [unverified, canceled, theirs.clone(), verification, unknown] {
        enrol(&world, &user, &new, &proof(&id)).send().await.expect_problem(403, "proof_invalid");
        let factors = format!("/v1/users/{user}/factors");
        world.delete(&format!("{factors}?proof={id}")).await.expect_problem(403, "proof_invalid");
    }
    enrol(&world, &user, &new, &json!({})).send().await.expect_problem(403, "proof_required");
    // None of it was used up, and none of it left a factor.
    let database = &world.here().database;
    assert_eq!(database.number("SELECT count(*) FROM challenges WHERE consumed_at IS NOT NULL"), 0);
    assert_eq!(database.number("SELECT count(*) FROM factors"), 2);
    enrol(&world, &other, &world.number(), &proof(&theirs)).send().await.expect(201);
}

#[tokio::test]
async fn a_proof_works_once_for_whatever_it_is_used() {
    let world = World::null();
    let (user, factor, number) = world.user_with_phone().await;
    let id = proven(&world, &user, &number).await;
    enrol(&world, &user, &world.number(), &proof(&id)).send().await.expect(201);
    enrol(&world, &user, &world.number(), &proof(&id)).send().await.expect_problem(403, "proof_invalid");
    let factors = format!("/v1/users/{user}/factors");
    world.delete(&format!("{factors}/{factor}?proof={id}")).await.expect_problem(403, "proof_invalid");
    world.delete(&format!("{factors}?proof={id}")).await.expect_problem(403, "proof_invalid");
}

#[tokio::test]
async fn twenty_parallel_uses_of_one_proof_add_one_factor() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    world.patch("/v1/instance", &json!({"limits": {"messages_per_user_half_hour": 100}})).await.expect(200);
    world.patch("/v1/instance", &json!({"limits": {"messages_per_user_hour": 100}})).await.expect(200);
    let id = proven(&world, &user, &number).await;
    let requests = (0..20).map(|_| enrol(&world, &user, &world.number(), &proof(&id))).collect();
    let responses = at_once(requests).await;
    assert_eq!((count(&responses, 201, ""), count(&responses, 403, "proof_invalid")), (1, 19));
    assert_eq!(world.here().database.number("SELECT count(*) FROM factors WHERE activated_at IS NULL"), 1);
    assert_eq!(world.here().database.number("SELECT count(*) FROM messages WHERE template = 'enrolment_code'"), 2);
}

#[tokio::test]
async fn a_refused_enrolment_consumes_no_proof_and_leaves_no_factor() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let id = proven(&world, &user, &number).await;
    let everything = || world.here().database.everything();
    let before = everything();
    // An app that does not exist.
    let authority = json!({"proof": id, "app_id": "app_01M83WM7ZA000G40R40M30E209"});
    enrol(&world, &user, &world.number(), &authority).send().await.expect_problem(404, "resource_not_found");
    assert_eq!(everything(), before);
    // The same number once more.
    enrol(&world, &user, &number, &proof(&id)).send().await.expect_problem(409, "form_identifier_exists");
    assert_eq!(everything(), before);
    // No room.
    world.patch("/v1/instance", &json!({"limits": {"messages_per_user_hour": 2}})).await.expect(200);
    let before = everything();
    enrol(&world, &user, &world.number(), &proof(&id)).send().await.expect_problem(429, "rate_limit_exceeded");
    assert_eq!(everything(), before);
}

#[tokio::test]
async fn a_factor_begun_before_there_was_one_does_not_pass_by_the_one_that_came_first() {
    let world = World::null();
    let user = text(&world.post("/v1/users", &json!({})).await.expect(201)["id"]);
    // Somebody begins with their own phone, and waits.
    let theirs = world.number();
    let begun = enrol(&world, &user, &theirs, &json!({})).send().await.expect(201);
    let their_code = world.code(&theirs).await;
    // The person adds theirs, and proves it.
    let number = world.number();
    let enrolled = enrol(&world, &user, &number, &json!({})).send().await.expect(201);
    world.answer(&enrolled["challenge"], &world.code(&number).await).await.expect(200);
    // No proof of that one was given: the right code of the one that was begun activates nothing.
    world.answer(&begun["challenge"], &their_code).await.expect_problem(403, "proof_required");
    let active = || world.here().database.number("SELECT count(*) FROM factors WHERE activated_at IS NOT NULL");
    assert_eq!(active(), 1);
    // Nor does a further one, and what it verified is no proof.
    let begun_id = text(&begun["factor"]["id"]);
    let further = format!("/v1/users/{user}/factors/{begun_id}/challenges");
    let further = world.request("POST", &further).send().await.expect(201);
    world.answer(&further, &world.code(&theirs).await).await.expect_problem(403, "proof_required");
    let id = text(&further["id"]);
    enrol(&world, &user, &world.number(), &proof(&id)).send().await.expect_problem(403, "proof_invalid");
    assert_eq!(active(), 1);

    world.here().clock.advance(Duration::from_mins(30));
    // What was begun with a proof or the server's word passes, whatever is proven meanwhile.
    let second = world.number();
    let id = proven(&world, &user, &number).await;
    let with_proof = enrol(&world, &user, &second, &proof(&id)).send().await.expect(201);
    let third = world.number();
    let word = enrol(&world, &user, &third, &json!({"override": {"reason": "support"}})).send().await.expect(201);
    world.answer(&word["challenge"], &world.code(&third).await).await.expect(200);
    world.answer(&with_proof["challenge"], &world.code(&second).await).await.expect(200);
    assert_eq!(active(), 3);
}

#[tokio::test]
async fn an_override_needs_its_scope_and_is_audited_with_its_reason() {
    let world = World::null();
    let (user, factor, _) = world.user_with_phone().await;
    let key = async |scopes: &[&str]| {
        let made = world.post("/v1/api-keys", &json!({"name": "k", "scopes": scopes})).await.expect(201);
        (text(&made["secret"]), text(&made["api_key"]["id"]))
    };
    let (weak, _) = key(&["users:write", "users:read", "challenges"]).await;
    let (strong, strong_id) = key(&["users:write", "users:override"]).await;
    let word = json!({"override": {"reason": "passport seen"}});
    let factors = format!("/v1/users/{user}/factors");
    let removals = [format!("{factors}/{factor}?override_reason=passport"), format!("{factors}?override_reason=x")];
    let number = world.number();
    enrol(&world, &user, &number, &word).key(&weak).send().await.expect_problem(403, "scope_missing");
    for path in &removals {
        world.request("DELETE", path).key(&weak).send().await.expect_problem(403, "scope_missing");
    }
    let empty = json!({"override": {"reason": ""}});
    assert_eq!(enrol(&world, &user, &number, &empty).key(&strong).send().await.status, 422, "a reason is wanted");
    let enrolled = enrol(&world, &user, &number, &word).key(&strong).send().await.expect(201);
    world.request("DELETE", &removals[0]).key(&strong).send().await.expect(204);
    world.request("DELETE", &removals[1]).key(&strong).send().await.expect(204);
    let events = world.get(&format!("/v1/audit-events?user_id={user}")).await.expect(200);
    let mut told: Vec<Value> = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["data"]["authority"] == "override")
        .map(|event| json!([event["type"], event["actor"], event["subject_id"], event["reason"]]))
        .collect();
    told.sort_by_key(Value::to_string);
    let mut expected = vec![
        json!(["factor.enrolment_started", strong_id, enrolled["factor"]["id"], "passport seen"]),
        json!(["factor.removed", strong_id, factor, "passport"]),
        json!(["factor.removed", strong_id, user, "x"]),
    ];
    expected.sort_by_key(Value::to_string);
    assert_eq!(told, expected);
    let both = json!({"override": {"reason": "x"}, "proof": "chl_01M83WM7ZA000G40R40M30E209"});
    enrol(&world, &user, &world.number(), &both).send().await.expect_problem(422, "form_param_invalid");
}

#[tokio::test]
async fn removing_and_resetting_need_a_proof_while_a_factor_is_active() {
    let world = World::null();
    let (user, factor, number) = world.user_with_phone().await;
    let factors = format!("/v1/users/{user}/factors");
    world.delete(&factors).await.expect_problem(403, "proof_required");
    world.delete(&format!("{factors}/{factor}")).await.expect_problem(403, "proof_required");
    // A pending one is given up for nothing.
    let word = json!({"override": {"reason": "x"}});
    let pending = enrol(&world, &user, &world.number(), &word).send().await.expect(201);
    world.delete(&format!("{factors}/{}", text(&pending["factor"]["id"]))).await.expect(204);
    enrol(&world, &user, &world.number(), &word).send().await.expect(201);
    let id = proven(&world, &user, &number).await;
    world.delete(&format!("{factors}?proof={id}")).await.expect(204);
    assert_eq!(world.get(&factors).await.expect(200)["data"], json!([]));
    // Nothing is active: a reset and a first factor need nothing.
    world.delete(&factors).await.expect(204);
    enrol(&world, &user, &number, &json!({})).send().await.expect(201);
    let nobody = "/v1/users/usr_01M83WM7ZA000G40R40M30E209/factors";
    world.delete(nobody).await.expect_problem(404, "resource_not_found");
    world.delete(&format!("{nobody}?override_reason=x")).await.expect_problem(404, "resource_not_found");
    enrol(&world, "usr_01M83WM7ZA000G40R40M30E209", &number, &json!({}))
        .send()
        .await
        .expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn what_a_test_key_has_verified_proves_nothing_to_a_live_one() {
    let world = World::null();
    let (user, _, app) = world.user_with_totp().await;
    let body = serde_json::json!({"name": "test", "scopes": ["challenges", "users:write"], "test": true});
    let key = world.post("/v1/api-keys", &body).await.expect(201);
    let key = key["secret"].as_str().unwrap();
    let body = serde_json::json!({"user_id": user, "type": "totp"});
    let challenge = world.request("POST", "/v1/challenges").json(&body).key(key).send().await.expect(201);
    let id = challenge["id"].as_str().unwrap();
    let answer = serde_json::json!({"code": app.code(world.now())});
    let path = format!("/v1/challenges/{id}/answer");
    world.request("POST", &path).json(&answer).key(key).send().await.expect(200);
    let factors = format!("/v1/users/{user}/factors");
    let phone = serde_json::json!({"type": "phone", "phone": world.number(), "proof": id});
    world.post(&factors, &phone).await.expect_problem(403, "proof_invalid");
    world.delete(&format!("{factors}?proof={id}")).await.expect_problem(403, "proof_invalid");
    let one = world.get(&factors).await.expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
    world.delete(&format!("{factors}/{one}?proof={id}")).await.expect_problem(403, "proof_invalid");
    // To a key of its own kind it is one.
    world.request("POST", &factors).json(&phone).key(key).send().await.expect(201);
}
