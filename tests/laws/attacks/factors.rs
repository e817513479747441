//! Attacks on how factors come to be and what they count for.

use std::time::Duration;

use serde_json::{Value, json};

use super::{new_user, text};
use crate::support::{
    Behaviour, World, at_once, count,
    passkey::{self, Authenticator, UV},
};

fn refusal() -> Behaviour {
    Behaviour::Answer(400, json!({"code": 21211}).to_string())
}

#[tokio::test]
async fn attack_06_a_phone_is_not_proven_by_the_code_of_another_after_a_failed_send() {
    let world = World::twilio();
    let user = new_user(&world, json!({})).await;
    let factors = format!("/v1/users/{user}/factors");
    let (mine, theirs) = (world.number(), world.number());
    let first = world.post(&factors, &json!({"type": "phone", "phone": mine})).await.expect(201);
    let code = world.code(&mine).await;
    // Now somebody else's number, to which nothing can be sent.
    world.carriers.behave_for(&theirs, refusal());
    let body = json!({"type": "phone", "phone": theirs});
    world.post(&factors, &body).await.expect_problem(422, "message_recipient_refused");
    // The code that is alive proves the number it went to, and no other.
    let activate = format!("{factors}/{}/activate", text(&first["factor"]["id"]));
    let body = json!({"challenge_id": first["challenge"]["id"], "code": code});
    let active = world.post(&activate, &body).await.expect(200);
    assert_eq!(active["status"], "active");
    let rows = world.here().database.query("SELECT phone, activated_at FROM factors");
    assert_eq!((rows.len(), &rows[0]["phone"]), (1, &json!(mine)));
    // Nor is what is active changed by a send that fails, or by a code that went out before it.
    world.here().clock.advance(Duration::from_secs(31));
    world.carriers.behave_for(&mine, refusal());
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect_problem(422, "message_recipient_refused");
    let after = world.here().database.query("SELECT phone, activated_at FROM factors");
    assert_eq!(after, rows);
    assert_eq!(world.here().database.number("SELECT count(*) FROM users WHERE phone IS NOT NULL"), 0);
}

#[tokio::test]
async fn attack_07_what_is_no_number_is_refused_and_messages_are_bounded() {
    let world = World::null();
    let user = new_user(&world, json!({})).await;
    let factors = format!("/v1/users/{user}/factors");
    for typed in ["hello", "", "+", "123", "+1415", "+999123456789", "+14155550123x4", "415-555-CALL-ME"] {
        let enrolled = world.post(&factors, &json!({"type": "phone", "phone": typed})).await;
        assert_eq!((enrolled.status, enrolled.fields()[0].0), (422, "phone"), "{typed}: {}", enrolled.text);
        let sent = world.post("/v1/challenges", &json!({"to": {"phone": typed}})).await;
        assert_eq!((sent.status, sent.fields()[0].0), (422, "to.phone"), "{typed}: {}", sent.text);
    }
    assert_eq!(world.here().database.number("SELECT count(*) FROM messages"), 0);
    // Per number, however many ask at once.
    let to = |number: &str| world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}));
    let number = world.number();
    let told = at_once((0..100).map(|_| to(&number)).collect()).await;
    assert_eq!((count(&told, 201, ""), count(&told, 429, "rate_limit_exceeded")), (5, 95));
    // Per country: only those that are allowed, in whatever form the number is written.
    for elsewhere in ["+447700900555", "011 44 7700 900555", "+8801712345678"] {
        to(elsewhere).send().await.expect_problem(422, "country_not_allowed");
    }
    // The whole instance, at once.
    world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
    to(&world.number()).send().await.expect_problem(503, "sms_disabled");
    assert_eq!(world.here().database.number("SELECT count(*) FROM messages"), 5);
}

#[tokio::test]
async fn attack_14_a_passkey_without_user_verification_is_one_factor() {
    let world = World::null();
    passkey::allow(&world).await;
    let (user, _, mut authenticator): (String, String, Authenticator) = passkey::user_with_passkey(&world).await;
    let sign_in = async |authenticator: &mut Authenticator| {
        let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
        let credential = authenticator.get(&challenge["public_key"]);
        let told = passkey::answer(&world, &challenge, &credential).send().await;
        (challenge, told)
    };
    let policy = async |proof: &Value| {
        let body = json!({"proofs": [proof["id"]]});
        world.post(&format!("/v1/users/{user}/mfa-evaluation"), &body).await.expect(200)
    };
    // It counts as something that the person has, and no more.
    let verified = authenticator.flags;
    authenticator.flags = verified & !UV;
    for setting in ["inherit", "discouraged"] {
        let asked = json!({"multi_factor": {"passkey": {"user_verification": setting}}});
        world.patch("/v1/instance", &asked).await.expect(200);
        let (challenge, told) = sign_in(&mut authenticator).await;
        told.expect(200);
        let step = policy(&challenge).await;
        assert_eq!(step["step"], "needs_second_factor", "{step}");
    }
    // Where user verification is required, nothing else passes.
    let asked = json!({"multi_factor": {"passkey": {"user_verification": "required"}}});
    world.patch("/v1/instance", &asked).await.expect(200);
    let (_, told) = sign_in(&mut authenticator).await;
    assert_eq!(told.expect_problem(422, "form_code_incorrect")["failed_step"], "user_verified");
    authenticator.flags = verified;
    let (challenge, told) = sign_in(&mut authenticator).await;
    told.expect(200);
    assert_eq!(policy(&challenge).await["step"], "satisfied");
}

#[tokio::test]
async fn attack_17_a_providers_failure_is_told_and_a_resend_during_set_up_works() {
    let world = World::twilio();
    let user = new_user(&world, json!({})).await;
    let factors = format!("/v1/users/{user}/factors");
    let number = world.number();
    let enrol = || world.request("POST", &factors).json(&json!({"type": "phone", "phone": number}));
    for (behaviour, status, code) in [
        (refusal(), 422, "message_recipient_refused"),
        (Behaviour::Answer(401, json!({"code": 20003}).to_string()), 502, "message_driver_misconfigured"),
        (Behaviour::Answer(429, json!({"code": 20429}).to_string()), 502, "message_failed"),
    ] {
        world.carriers.behave(behaviour);
        enrol().send().await.expect_problem(status, code);
    }
    world.carriers.behave(Behaviour::Accept);
    let enrolled = enrol().send().await.expect(201);
    let first = world.code(&number).await;
    world.here().clock.advance(Duration::from_secs(31));
    let resend = format!("/v1/challenges/{}/resend", text(&enrolled["challenge"]["id"]));
    world.request("POST", &resend).send().await.expect(200);
    let second = world.code(&number).await;
    let activate = format!("{factors}/{}/activate", text(&enrolled["factor"]["id"]));
    let body = |code: &str| json!({"challenge_id": enrolled["challenge"]["id"], "code": code});
    world.post(&activate, &body(&first)).await.expect_problem(422, "form_code_incorrect");
    assert_eq!(world.post(&activate, &body(&second)).await.expect(200)["status"], "active");
}
