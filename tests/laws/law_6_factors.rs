//! Law 6: a factor is active only after its proof, and a failed send leaves no factor changed and no code alive.
//! `law_6_proofs.rs` has what a further factor needs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Behaviour, Request, World, steps};

const LIVE_CODES: &str = "SELECT count(*) FROM challenges WHERE code_mac IS NOT NULL AND verified_at IS NULL";

/// One answer of Twilio for each class of error that means that nothing went out.
fn refusals() -> Vec<(Behaviour, u16, &'static str)> {
    let answer = |status: u16, code: u32| Behaviour::Answer(status, json!({"code": code}).to_string());
    vec![
        (answer(429, 20429), 502, "message_failed"),
        (answer(400, 21211), 422, "message_recipient_refused"),
        (answer(401, 20003), 502, "message_driver_misconfigured"),
        (answer(400, 30450), 422, "message_blocked"),
        (Behaviour::Answer(404, String::new()), 502, "message_driver_misconfigured"),
    ]
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn new_user(world: &World) -> String {
    text(&world.post("/v1/users", &json!({})).await.expect(201)["id"])
}

fn enrol(world: &World, user: &str, number: &str) -> Request {
    world.request("POST", &format!("/v1/users/{user}/factors")).json(&json!({"type": "phone", "phone": number}))
}

async fn factors(world: &World, user: &str) -> Value {
    world.get(&format!("/v1/users/{user}/factors")).await.expect(200)["data"].clone()
}

#[tokio::test]
async fn a_factor_is_active_only_after_its_proof() {
    let world = World::null();
    let user = new_user(&world).await;
    let number = world.number();
    let enrolled = enrol(&world, &user, &number).send().await.expect(201);
    let code = world.code(&number).await;
    let factor = text(&enrolled["factor"]["id"]);
    let activate = format!("/v1/users/{user}/factors/{factor}/activate");
    let pending = async || assert_eq!(factors(&world, &user).await[0]["status"], "pending");
    pending().await;
    // A wrong code, the code of another challenge, another user's path, another factor's path.
    let body = |code: &str| json!({"challenge_id": enrolled["challenge"]["id"], "code": code});
    world.post(&activate, &body(&world.wrong(&code))).await.expect_problem(422, "form_code_incorrect");
    pending().await;
    let verification = world.challenge(&world.number()).await;
    let other = json!({"challenge_id": verification["id"], "code": code});
    world.post(&activate, &other).await.expect_problem(422, "form_code_incorrect");
    let stranger = new_user(&world).await;
    let path = activate.replace(&user, &stranger);
    world.post(&path, &body(&code)).await.expect_problem(422, "form_code_incorrect");
    let (_, theirs, _) = world.user_with_phone().await;
    world.post(&activate.replace(&factor, &theirs), &body(&code)).await.expect_problem(422, "form_code_incorrect");
    pending().await;
    // It is no factor yet: nobody is found by it, and it is not asked at sign-in.
    let found = world.get(&format!("/v1/users?phone=%2B{}", &number[1..])).await.expect(200);
    assert_eq!(found["data"], json!([]));
    let named = json!({"user_id": user, "factor_id": factor});
    world.post("/v1/challenges", &named).await.expect_problem(404, "resource_not_found");

    let active = world.post(&activate, &body(&code)).await.expect(200);
    assert_eq!((&active["status"], &active["activated_at"]), (&json!("active"), &json!("2026-11-22T10:00:00.000Z")));
    let events = world.get(&format!("/v1/audit-events?subject_id={factor}")).await.expect(200);
    let types: Vec<&str> =
        events["data"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types.iter().filter(|kind| **kind == "factor.activated").count(), 1);
}

#[tokio::test]
async fn an_expired_or_canceled_enrolment_activates_nothing() {
    let world = World::null();
    let user = new_user(&world).await;
    let number = world.number();
    let enrolled = enrol(&world, &user, &number).send().await.expect(201);
    let code = world.code(&number).await;
    world.here().clock.advance(Duration::from_mins(5));
    world.answer(&enrolled["challenge"], &code).await.expect_problem(422, "verification_expired");
    let path = format!("/v1/users/{user}/factors/{}/challenges", text(&enrolled["factor"]["id"]));
    let further = world.request("POST", &path).send().await.expect(201);
    assert_eq!(further["purpose"], "enrolment");
    let cancel = format!("/v1/challenges/{}/cancel", text(&further["id"]));
    world.request("POST", &cancel).send().await.expect(200);
    world.answer(&further, &world.code(&number).await).await.expect_problem(422, "verification_canceled");
    assert_eq!(factors(&world, &user).await[0]["status"], "pending");
}

#[tokio::test]
async fn a_failed_enrolment_leaves_no_factor_whatever_the_carrier_said() {
    for (behaviour, status, code) in refusals() {
        let world = World::twilio();
        let user = new_user(&world).await;
        let number = world.number();
        world.carriers.behave(behaviour);
        enrol(&world, &user, &number).send().await.expect_problem(status, code);
        let database = &world.here().database;
        assert_eq!(database.number("SELECT count(*) FROM factors"), 0, "{code}");
        assert_eq!(database.number(LIVE_CODES), 0, "{code}");
        assert_eq!(database.number("SELECT count(*) FROM messages WHERE status = 'failed'"), 1, "{code}");
        world.carriers.behave(Behaviour::Accept);
        let enrolled = enrol(&world, &user, &number).send().await.expect(201);
        world.answer(&enrolled["challenge"], &world.code(&number).await).await.expect(200);
    }
}

#[tokio::test]
async fn a_failed_send_changes_no_factor_and_leaves_no_code_alive() {
    for (behaviour, status, code) in refusals() {
        let world = World::twilio();
        let (user, factor, number) = world.user_with_phone().await;
        let pending = new_user(&world).await;
        let pending_number = world.number();
        let enrolled = enrol(&world, &pending, &pending_number).send().await.expect(201);
        world.answer(&enrolled["challenge"], "0000").await.expect_problem(422, "form_code_incorrect");
        let cancel = format!("/v1/challenges/{}/cancel", text(&enrolled["challenge"]["id"]));
        world.request("POST", &cancel).send().await.expect(200);
        let database = &world.here().database;
        let all = || database.query("SELECT * FROM factors ORDER BY id");
        let before = all();
        world.carriers.behave(behaviour);
        let post = |path: String, body: Value| world.request("POST", &path).json(&body);
        let further = format!("/v1/users/{pending}/factors/{}/challenges", text(&enrolled["factor"]["id"]));
        for request in [
            post("/v1/challenges".to_owned(), json!({"to": {"phone": number}})),
            post("/v1/challenges".to_owned(), json!({"user_id": user})),
            post(format!("/v1/users/{user}/factors/{factor}/challenges"), json!({})),
            post(further, json!({})),
        ] {
            request.send().await.expect_problem(status, code);
            assert_eq!(all(), before, "{code}");
            assert_eq!(database.number(LIVE_CODES), 0, "{code}");
        }
        let sent = world.carriers.sent();
        for challenge in database.query("SELECT id FROM challenges WHERE end_reason = 'send_failed'") {
            for sent in &sent {
                let answered = world.answer(&json!({"id": challenge["id"]}), &sent.code()).await;
                answered.expect_problem(422, "verification_failed");
            }
        }
    }
}

#[tokio::test]
async fn a_failed_resend_leaves_neither_the_old_code_alive_nor_the_new_one() {
    for (behaviour, status, code) in refusals() {
        let world = World::twilio();
        let number = world.number();
        let challenge = world.challenge(&number).await;
        world.here().clock.advance(Duration::from_secs(30));
        world.carriers.behave(behaviour);
        let resend = || world.request("POST", &format!("/v1/challenges/{}/resend", text(&challenge["id"])));
        resend().send().await.expect_problem(status, code);
        assert_eq!(world.here().database.number(LIVE_CODES), 0, "{code}");
        for sent in world.carriers.sent_to(&number) {
            world.answer(&challenge, &sent.code()).await.expect_problem(422, "verification_expired");
        }
        // It may be asked for again at once, and costs no send.
        world.carriers.behave(Behaviour::Accept);
        assert_eq!(resend().send().await.expect(200)["sends"], 2);
        world.answer(&challenge, &world.code(&number).await).await.expect(200);
    }
}

#[tokio::test]
async fn an_answer_while_the_carrier_is_asked_keeps_no_code_alive() {
    let refusal = || refusals().remove(1).0;
    // Resent: read, decide, then the carrier; the wrong answer comes before it says no.
    let world = World::twilio();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    world.here().clock.advance(Duration::from_secs(30));
    world.carriers.behave(refusal());
    let path = format!("/v1/challenges/{}/resend", text(&challenge["id"]));
    let mut resend = Box::pin(world.request("POST", &path).send());
    steps(&mut resend, 3).await;
    world.answer(&challenge, "0000").await.expect_problem(422, "form_code_incorrect");
    resend.await.expect_problem(422, "message_recipient_refused");
    assert_eq!(world.here().database.number(LIVE_CODES), 0);

    // The first code: the answer knows the id from the list of messages.
    let world = World::twilio();
    world.get("/v1/instance").await.expect(200);
    world.carriers.behave(refusal());
    let body = json!({"to": {"phone": world.number()}});
    let mut create = Box::pin(world.request("POST", "/v1/challenges").json(&body).send());
    steps(&mut create, 2).await;
    let message = world.get("/v1/messages").await.expect(200)["data"][0].clone();
    world.answer(&json!({"id": message["challenge_id"]}), "0000").await.expect_problem(422, "form_code_incorrect");
    create.await.expect_problem(422, "message_recipient_refused");
    assert_eq!(world.here().database.number(LIVE_CODES), 0);
}

#[tokio::test]
async fn a_newer_code_survives_the_failure_of_an_older_one() {
    let world = World::twilio();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let path = format!("/v1/challenges/{}/resend", text(&challenge["id"]));
    world.here().clock.advance(Duration::from_secs(30));
    world.carriers.behave_for(&number, refusals().remove(0).0);
    let mut slow = Box::pin(world.request("POST", &path).send());
    steps(&mut slow, 3).await;
    // A carrier this slow is asked again for a newer code, which goes out; only then the older one fails.
    world.here().clock.advance(Duration::from_secs(60));
    world.carriers.behave_for(&number, Behaviour::Accept);
    world.request("POST", &path).send().await.expect(200);
    let code = world.code(&number).await;
    world.carriers.behave_for(&number, refusals().remove(0).0);
    slow.await.expect_problem(502, "message_failed");
    world.answer(&challenge, &code).await.expect(200);
}
