//! Sign-ups: nobody is anybody before the address is proven, one address makes one user, and a known address is not told
//! from an unknown one (laws 2, 3, 5, 6 and 8).

mod credentials;
mod invited;
mod known;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    World, at_once, count,
    page::{Flow, Page},
    passkey::{self, Authenticator},
};

const PASSWORD: &str = "nine herons over the quiet lake";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

/// What answers the code that is out in a flow.
fn answer(said: &Value) -> String {
    format!("challenges/{}/answer", text(&said["challenge"]["id"]))
}

async fn limits(world: &World, limits: Value) {
    world.patch("/v1/instance", &json!({"limits": limits})).await.expect(200);
}

/// A sign-up that has named the address and chosen a password: the flow, and what answers the code.
async fn half<'a>(page: &'a Page<'a>, address: &str) -> (Flow<'a>, String) {
    let flow = page.begin("sign-ups", json!({"identifier": address})).await;
    let path = answer(&flow.begun);
    flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    (flow, path)
}

/// How many rows the tables have that a user is made of.
fn made(world: &World) -> [i64; 3] {
    ["users", "factors", "authorization_codes"]
        .map(|table| world.here().database.number(&format!("SELECT count(*) FROM {table}")))
}

#[tokio::test]
async fn an_unverified_sign_up_reserves_nothing() {
    let world = World::null();
    passkey::allow(&world).await;
    let page = Page::new(&world).await;
    let address = world.address();
    let (flow, path) = half(&page, &address).await;
    let asked = flow.post("passkey/options", json!({})).await.expect(201);
    let credential = Authenticator::new(passkey::ORIGIN).create(&asked["public_key"]);
    flow.post("passkey", json!({"credential": credential})).await.expect(200);
    flow.post(&path, json!({"code": "000000"})).await.expect_problem(422, "form_code_incorrect");
    assert_eq!(made(&world), [0, 0, 0]);
    let stored = world.here().database.everything();
    let hashes: Vec<_> = stored.iter().filter(|(_, value)| value.contains("$argon2id$")).map(|(at, _)| at).collect();
    assert_eq!(hashes, ["flows.pending"]);

    // Somebody else gets the address meanwhile, and keeps it.
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let code = json!({"code": world.code(&address).await});
    flow.post(&path, code.clone()).await.expect_problem(409, "form_identifier_exists");
    assert_eq!(flow.get().await.expect(200)["step"], "abandoned");
    flow.post(&path, code).await.expect_problem(409, "flow_step_mismatch");
    flow.post("password", json!({"password": PASSWORD})).await.expect_problem(409, "flow_step_mismatch");
    assert_eq!(made(&world), [1, 0, 0]);
    let user = world.get(&format!("/v1/users/{}", text(&user["id"]))).await.expect(200);
    assert_eq!(user["email_verified_at"], Value::Null);
    // Nothing waits any more.
    let waiting = "SELECT count(*) FROM flows WHERE pending <> '{}'";
    assert_eq!(world.here().database.number(waiting), 0);
    let (given_up, _) = half(&page, &world.address()).await;
    assert_eq!(world.here().database.number(waiting), 1);
    page.call("DELETE", &given_up.path, Some(&given_up.token), None).await.expect(204);
    assert_eq!(world.here().database.number(waiting), 0);
}

#[tokio::test]
async fn attack_11_parallel_sign_ups_with_one_address_make_one_user() {
    let world = World::null();
    limits(&world, json!({"emails_per_destination_half_hour": 100, "tries_per_destination_half_hour": 100})).await;
    let page = Page::new(&world).await;
    let address = world.address();
    let mut requests = Vec::new();
    for turn in 0..40 {
        // Half of them prove the address first and choose the password last.
        let flow = page.begin("sign-ups", json!({"identifier": address})).await;
        let (path, code) = (answer(&flow.begun), json!({"code": world.code(&address).await}));
        let password = json!({"password": PASSWORD});
        let last = if turn % 2 == 0 {
            flow.post("password", password).await.expect(200);
            flow.request(&path, &code)
        } else {
            flow.post(&path, code).await.expect(200);
            flow.request("password", &password)
        };
        requests.push(last);
    }
    let answers = at_once(requests).await;
    assert_eq!(count(&answers, 200, ""), 1);
    assert_eq!(count(&answers, 409, "form_identifier_exists"), 39);
    assert_eq!(made(&world), [1, 1, 1]);
    let ended = "SELECT count(*) FROM flows WHERE end_reason = 'abandoned' AND user_id IS NULL AND pending = '{}'";
    assert_eq!(world.here().database.number(ended), 39);
}

#[tokio::test]
async fn a_hundred_right_answers_at_once_make_one_user_and_one_code() {
    let world = World::null();
    let page = Page::new(&world).await;
    let address = world.address();
    let (flow, path) = half(&page, &address).await;
    let code = json!({"code": world.code(&address).await});
    let answers = at_once((0..100).map(|_| flow.request(&path, &code)).collect()).await;
    let codes =
        answers.iter().filter(|answer| answer.json["code"].as_str().is_some_and(|code| code.starts_with("ac_")));
    assert_eq!(codes.count(), 1);
    assert_eq!(made(&world), [1, 1, 1]);
    assert!(answers.iter().all(|answer| answer.status < 500));
}

#[tokio::test]
async fn the_last_two_calls_at_once_make_the_user_whichever_comes_last() {
    let world = World::null();
    let page = Page::new(&world).await;
    for turn in 1..=10 {
        let address = world.address();
        let flow = page.begin("sign-ups", json!({"identifier": address})).await;
        let path = answer(&flow.begun);
        let code = json!({"code": world.code(&address).await});
        let both = vec![flow.request(&path, &code), flow.request("password", &json!({"password": PASSWORD}))];
        let answers = at_once(both).await;
        assert_eq!(count(&answers, 200, ""), 2, "{answers:?}");
        let steps: Vec<_> = answers.iter().filter(|answer| answer.json["step"] == "complete").collect();
        assert!(!steps.is_empty(), "{answers:?}");
        assert_eq!(made(&world), [turn, turn, turn]);
    }
}

#[tokio::test]
async fn a_code_of_another_flow_or_for_another_address_proves_nothing() {
    let world = World::null();
    let page = Page::new(&world).await;
    let (mine, theirs) = (world.address(), world.address());
    let (flow, own) = half(&page, &mine).await;
    let (other, path) = half(&page, &theirs).await;
    let code = json!({"code": world.code(&theirs).await});
    // Another flow's challenge is no challenge here; and its code is none for ours.
    flow.post(&path, code.clone()).await.expect_problem(404, "resource_not_found");
    if world.code(&mine).await != world.code(&theirs).await {
        flow.post(&own, code.clone()).await.expect_problem(422, "form_code_incorrect");
    }
    // The server API sees neither.
    let there = format!("/v1/{path}");
    world.post(&there, &code).await.expect_problem(404, "resource_not_found");

    // Whoever names another address is asked for that one.
    let renamed = world.address();
    let before = json!({"code": world.code(&mine).await});
    let named = flow.post("identifier", json!({"identifier": renamed})).await.expect(200);
    assert_eq!(named["step"], "needs_verification");
    flow.post(&own, before).await.expect_problem(422, "verification_expired");
    assert_eq!(made(&world), [0, 0, 0]);
    let done = flow.post(&answer(&named), json!({"code": world.code(&renamed).await})).await.expect(200);
    assert_eq!(done["step"], "complete");
    // What was proven is not named anew.
    other.post(&path, code).await.expect(200);
    other.post("identifier", json!({"identifier": mine})).await.expect_problem(409, "flow_step_mismatch");
    let addresses = world.here().database.query("SELECT email FROM users ORDER BY email");
    let mut wanted = [renamed, theirs];
    wanted.sort();
    assert_eq!(addresses.iter().map(|row| text(&row["email"])).collect::<Vec<_>>(), wanted);
}

#[tokio::test]
async fn a_proven_address_waits_for_its_credential_and_takes_no_other_address() {
    let world = World::null();
    let page = Page::new(&world).await;
    let address = world.address();
    let flow = page.begin("sign-ups", json!({"identifier": address})).await;
    let path = answer(&flow.begun);
    let code = json!({"code": world.code(&address).await});
    assert_eq!(flow.post(&path, code.clone()).await.expect(200)["step"], "needs_first_factor");
    flow.post(&path, code).await.expect_problem(409, "verification_already_verified");
    let other = json!({"identifier": world.address()});
    flow.post("identifier", other).await.expect_problem(409, "flow_step_mismatch");
    let other = json!({"identifier": world.address(), "password": PASSWORD});
    flow.post("password", other).await.expect_problem(409, "flow_step_mismatch");
    assert_eq!(made(&world), [0, 0, 0]);
    // After ten minutes it has proven nothing.
    world.here().clock.advance(Duration::from_mins(10));
    flow.post("password", json!({"password": PASSWORD})).await.expect_problem(409, "flow_step_mismatch");
    assert_eq!(made(&world), [0, 0, 0]);
}

#[tokio::test]
async fn fifty_sign_ups_a_minute_begin_from_one_network() {
    let world = World::null();
    let page = Page::new(&world).await;
    let begin = |ip: &str| {
        let request = page.request("POST", "/v1/client/sign-ups", None, Some(&page.beginning()));
        request.header("cf-connecting-ip", ip)
    };
    let answers = at_once((0..100).map(|_| begin("198.51.100.7")).collect()).await;
    assert_eq!((count(&answers, 201, ""), count(&answers, 429, "rate_limit_exceeded")), (50, 50));
    assert_eq!(world.here().database.number("SELECT count(*) FROM flows"), 50);
    begin("198.51.100.8").send().await.expect(201);
    // Sign-ins are not counted here.
    let sign_in = page.request("POST", "/v1/client/sign-ins", None, Some(&page.beginning()));
    sign_in.header("cf-connecting-ip", "198.51.100.7").send().await.expect(201);
    world.here().clock.advance(Duration::from_mins(1));
    begin("198.51.100.7").send().await.expect(201);
}

#[tokio::test]
async fn round_trips_of_a_sign_up() {
    let world = World::null();
    let page = Page::new(&world).await;
    let address = world.address();
    let mut body = page.beginning();
    body["identifier"] = json!(address);
    let begun = page.call("POST", "/v1/client/sign-ups", None, Some(&body)).await;
    assert_eq!(begun.round_trips(), 4, "app; flow; address; challenge");
    let begun = begun.expect(201);
    let path = format!("/v1/client/sign-ups/{}", text(&begun["id"]));
    let flow = Flow::of(&page, path, begun);
    let chosen = flow.post("password", json!({"password": PASSWORD})).await;
    assert_eq!((chosen.status, chosen.round_trips()), (200, 2));
    let code = json!({"code": world.code(&address).await});
    let wrong = flow.post(&answer(&flow.begun), json!({"code": "0000"})).await;
    assert_eq!((wrong.status, wrong.round_trips()), (422, 2));
    let done = flow.post(&answer(&flow.begun), code).await;
    assert_eq!((done.status, done.round_trips()), (200, 3), "flow; answer and user; end");
}

#[tokio::test]
async fn what_fails_in_the_middle_makes_nobody_and_may_be_done_again() {
    use postern::ports::DatabaseError;
    let world = World::null();
    let page = Page::new(&world).await;
    let address = world.address();
    let (flow, path) = half(&page, &address).await;
    let code = json!({"code": world.code(&address).await});
    // Before the code is looked at, and before the flow ends.
    world.here().database.fail_after(1, DatabaseError::Unavailable("gone".to_owned()));
    flow.post(&path, code.clone()).await.expect_problem(503, "database_unavailable");
    assert_eq!(made(&world), [0, 0, 0]);
    world.here().database.fail_after(2, DatabaseError::Unavailable("gone".to_owned()));
    flow.post(&path, code).await.expect_problem(503, "database_unavailable");
    assert_eq!(made(&world), [1, 1, 0]);
    assert_eq!(flow.get().await.expect(200)["step"], "complete");
    assert_eq!(made(&world), [1, 1, 1]);
}
