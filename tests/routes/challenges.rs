//! `/v1/challenges`: what a caller of job 1 and job 2 may ask for, and what each refusal tells.

use std::time::Duration;

use serde_json::{Value, json};

use super::{NOBODY, new_key, new_user, text};
use crate::support::{World, vars};

fn path(challenge: &Value, what: &str) -> String {
    format!("/v1/challenges/{}{what}", text(&challenge["id"]))
}

#[tokio::test]
async fn a_challenge_tells_its_times_and_counts() {
    let world = World::null();
    let challenge = world.challenge(&world.number()).await;
    let wanted = json!({
        "status": "pending", "purpose": "verification", "channel": "sms", "user_id": null, "factor_id": null, "app_id": null,
        "attempts_left": 5, "sends": 1, "created_at": "2026-11-22T10:00:00.000Z", "resend_at": "2026-11-22T10:00:30.000Z",
        "code_expires_at": "2026-11-22T10:05:00.000Z", "expires_at": "2026-11-22T10:10:00.000Z", "verified_at": null, "consumed_at": null,
    });
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&challenge[field], value, "{field}");
    }
}

#[tokio::test]
async fn a_user_is_challenged_by_the_phone_used_last_or_the_one_named() {
    let world = World::null();
    let (user, first, number) = world.user_with_phone().await;
    world.here().clock.advance(Duration::from_secs(1));
    let second = world.number();
    let body = json!({"type": "phone", "phone": second, "override": {"reason": "second phone"}});
    let enrolled = world.post(&format!("/v1/users/{user}/factors"), &body).await.expect(201);
    let activate = format!("/v1/users/{user}/factors/{}/activate", text(&enrolled["factor"]["id"]));
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&second).await});
    world.post(&activate, &body).await.expect(200);

    let last = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    assert_eq!((&last["factor_id"], &last["purpose"]), (&enrolled["factor"]["id"], &json!("sign_in")));
    let named = json!({"user_id": user, "factor_id": first, "purpose": "step_up"});
    let named = world.post("/v1/challenges", &named).await.expect(201);
    assert_eq!((&named["factor_id"], &named["purpose"]), (&json!(first), &json!("step_up")));
    assert_eq!(named["to"], format!("+1••••••{}", &number[8..]));
}

#[tokio::test]
async fn a_challenge_is_for_a_number_or_a_user_and_for_what_fits() {
    let world = World::null();
    let (user, factor, _) = world.user_with_phone().await;
    let to = json!({"phone": world.number()});
    let cases = [
        (json!({}), "to"),
        (json!({"to": {}}), "to"),
        (json!({"to": to, "user_id": user}), "to"),
        (json!({"to": to, "factor_id": factor}), "factor_id"),
        (json!({"to": to, "purpose": "sign_in"}), "purpose"),
        (json!({"user_id": user, "purpose": "verification", "factor_id": factor}), "purpose"),
        (json!({"user_id": user, "purpose": "verification", "type": "phone"}), "purpose"),
        (json!({"user_id": user, "purpose": "verification"}), "user_id"),
        (json!({"to": {"email": "a@b.cd", "phone": world.number()}}), "to"),
        (json!({"to": {"email": "a@b"}}), "to.email"),
        (json!({"to": {"email": "a@b.cd"}, "channel": "sms"}), "channel"),
        (json!({"to": to, "locale": "no language at all"}), "locale"),
        (json!({"to": to, "client": {"ip": "hunter2"}}), "client.ip"),
        (json!({"to": to, "client": {"country": "G"}}), "client.country"),
        (json!({"to": to, "client": {"country": "U2"}}), "client.country"),
        (json!({"to": to, "client": {"country": "ß"}}), "client.country"),
        (json!({"to": to, "client": {"country": "GBR"}}), "client.country"),
        (json!({"to": to, "client": {"asn": 0}}), "client.asn"),
        (json!({"to": {"phone": "not a number"}}), "to.phone"),
        (json!({"to": to, "channel": "email"}), "channel"),
        (json!({"to": to, "type": "phone"}), "type"),
        (json!({"user_id": user, "channel": "email", "factor_id": factor}), "channel"),
    ];
    for (body, field) in cases {
        let answer = world.post("/v1/challenges", &body).await;
        assert_eq!(answer.fields().first().map(|(field, _)| *field), Some(field), "{body}: {}", answer.text);
        answer.expect_problem(422, "form_param_invalid");
    }
    assert_eq!(world.here().database.number("SELECT count(*) FROM challenges WHERE user_id IS NULL"), 0);
}

#[tokio::test]
async fn a_user_without_a_proven_phone_cannot_be_challenged() {
    let world = World::null();
    let user = new_user(&world, &json!({})).await;
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect_problem(404, "resource_not_found");
    world.post("/v1/challenges", &json!({"user_id": NOBODY[0].1})).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn a_country_that_is_not_allowed_names_the_setting() {
    let world = World::null();
    let number = world.british_number();
    let body = json!({"to": {"phone": number}});
    let problem = world.post("/v1/challenges", &body).await.expect_problem(422, "country_not_allowed");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("countries.sms.allowed") && detail.contains("GB"), "{detail}");
    assert!(!problem.to_string().contains(&number[1..]));
    world.patch("/v1/instance", &json!({"countries": {"sms": {"allowed": ["GB"]}}})).await.expect(200);
    world.post("/v1/challenges", &body).await.expect(201);
    let american = json!({"to": {"phone": world.number()}});
    world.post("/v1/challenges", &american).await.expect_problem(422, "country_not_allowed");
}

#[tokio::test]
async fn switched_off_nothing_is_sent_and_codes_that_are_out_still_work() {
    let world = World::twilio();
    let (number, late) = (world.number(), world.number());
    let challenge = world.challenge(&number).await;
    world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
    let problem = world.post("/v1/challenges", &json!({"to": {"phone": late}})).await;
    let problem = problem.expect_problem(503, "sms_disabled");
    assert!(problem["detail"].as_str().unwrap().contains("sms.enabled"));
    world.here().clock.advance(Duration::from_secs(31));
    world.post(&path(&challenge, "/resend"), &json!({})).await.expect_problem(503, "sms_disabled");
    assert_eq!(world.carriers.sent().len(), 1);
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
}

#[tokio::test]
async fn an_app_has_to_be_there() {
    let world = World::null();
    let app = NOBODY[5].1;
    let body = json!({"to": {"phone": world.number()}, "app_id": app});
    let problem = world.post("/v1/challenges", &body).await.expect_problem(404, "resource_not_found");
    assert!(problem["detail"].as_str().unwrap().contains("app"));
    assert_eq!(world.here().database.number("SELECT count(*) FROM counters"), 0, "a refusal counts nothing");
    world.here().database.execute(&format!("INSERT INTO apps (id, name, created_at) VALUES ('{app}', 'Shop', 0)"));
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    assert_eq!(challenge["app_id"], app);
    let message = world.get(&format!("/v1/messages/{}", text(&challenge["message_id"]))).await.expect(200);
    assert_eq!(message["message"]["app_id"], app);
}

#[tokio::test]
async fn another_code_is_sent_after_its_wait_and_kills_the_one_before() {
    let world = World::null();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let first = world.code(&number).await;
    let early = world.post(&path(&challenge, "/resend"), &json!({})).await;
    assert_eq!(early.header("retry-after"), Some("30"));
    early.expect_problem(429, "rate_limit_exceeded");

    world.here().clock.advance(Duration::from_secs(30));
    let again = world.request("POST", &path(&challenge, "/resend")).send().await.expect(200);
    assert_eq!((&again["sends"], &again["resend_at"]), (&json!(2), &json!("2026-11-22T10:01:30.000Z")));
    assert_ne!(again["message_id"], challenge["message_id"]);
    let second = world.code(&number).await;
    assert_ne!(first, second);
    world.answer(&challenge, &first).await.expect_problem(422, "form_code_incorrect");
    world.answer(&challenge, &second).await.expect(200);
    world.post(&path(&challenge, "/resend"), &json!({})).await.expect_problem(409, "verification_already_verified");
}

#[tokio::test]
async fn four_codes_are_all_that_a_challenge_sends() {
    let world = World::null();
    let challenge = world.challenge(&world.number()).await;
    for wait in [30, 60, 120] {
        world.here().clock.advance(Duration::from_secs(wait));
        world.post(&path(&challenge, "/resend"), &json!({})).await.expect(200);
    }
    let read = world.get(&path(&challenge, "")).await.expect(200);
    assert_eq!((&read["sends"], &read["resend_at"]), (&json!(4), &Value::Null));
    world.here().clock.advance(Duration::from_secs(120));
    world.post(&path(&challenge, "/resend"), &json!({})).await.expect_problem(422, "resend_exhausted");
}

#[tokio::test]
async fn a_code_and_a_challenge_die_with_their_time() {
    let world = World::null();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    world.here().clock.advance(Duration::from_secs(300));
    world.answer(&challenge, &code).await.expect_problem(422, "verification_expired");
    world.post(&path(&challenge, "/resend"), &json!({})).await.expect(200);
    world.here().clock.advance(Duration::from_secs(300));
    assert_eq!(world.get(&path(&challenge, "")).await.expect(200)["status"], "expired");
    world.answer(&challenge, &world.code(&number).await).await.expect_problem(422, "verification_expired");
    world.post(&path(&challenge, "/resend"), &json!({})).await.expect_problem(422, "verification_expired");
}

#[tokio::test]
async fn a_verified_challenge_cannot_be_canceled_and_a_canceled_one_not_resent() {
    let world = World::null();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    world.post(&path(&challenge, "/cancel"), &json!({})).await.expect_problem(409, "verification_already_verified");
    let other = world.challenge(&world.number()).await;
    world.post(&path(&other, "/cancel"), &json!({})).await.expect(200);
    world.here().clock.advance(Duration::from_secs(31));
    world.post(&path(&other, "/resend"), &json!({})).await.expect_problem(422, "verification_canceled");
}

#[tokio::test]
async fn an_expectation_that_expects_nothing_is_refused() {
    // Left out by mistake (`undefined`, `null`), it would check nothing while its caller believes it does.
    let world = World::null();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    for expect in [
        json!({}),
        json!({"to": {}}),
        json!({"to": null}),
        json!({"user_id": null}),
        json!({"to": {"phone": null}}),
        Value::Null,
        json!({"purpose": null, "to": {"phone": number}}),
    ] {
        let body = json!({"code": code, "expect": expect});
        world.post(&path(&challenge, "/answer"), &body).await.expect_problem(422, "form_param_invalid");
    }
    let read = world.get(&path(&challenge, "")).await.expect(200);
    assert_eq!((&read["status"], &read["attempts_left"]), (&json!("pending"), &json!(5)));
    let body = json!({"code": code, "expect": {"to": {"phone": number}, "purpose": "verification"}});
    world.post(&path(&challenge, "/answer"), &body).await.expect(200);
}

#[tokio::test]
async fn an_answer_that_is_no_code_counts_nothing() {
    let world = World::null();
    let challenge = world.challenge(&world.number()).await;
    for typed in ["abc", "123", "12345678901", "------"] {
        let answer = world.answer(&challenge, typed).await;
        assert_eq!(answer.fields(), [("code", "form_param_value_invalid")], "{typed}");
    }
    assert_eq!(world.get(&path(&challenge, "")).await.expect(200)["attempts_left"], 5);
}

#[tokio::test]
async fn test_numbers_are_refused_in_prod_and_never_reach_a_carrier() {
    let world = World::twilio();
    for number in ["+15555550100", "+15555550199"] {
        let body = json!({"to": {"phone": number}});
        world.post("/v1/challenges", &body).await.expect_problem(422, "test_identifier_forbidden");
    }
    world.patch("/v1/instance", &json!({"test_mode": "disabled"})).await.expect(200);
    let challenge = world.challenge("+15555550100").await;
    world.answer(&challenge, "424242").await.expect_problem(422, "form_code_incorrect");
    assert!(world.carriers.sent().is_empty());
}

#[tokio::test]
async fn a_test_key_never_reaches_a_carrier() {
    let world = World::twilio();
    let body = json!({"name": "Try", "scopes": ["challenges", "messages:read"], "test": true});
    let made = world.post("/v1/api-keys", &body).await.expect(201);
    let secret = text(&made["secret"]);
    assert!(secret.starts_with("sk_test_"));
    let body = json!({"to": {"phone": world.number()}});
    let challenge = world.request("POST", "/v1/challenges").key(&secret).json(&body).send().await.expect(201);
    world.here().clock.advance(Duration::from_secs(31));
    world.request("POST", &path(&challenge, "/resend")).key(&secret).send().await.expect(200);
    assert!(world.carriers.sent().is_empty());
    let message = world.get(&format!("/v1/messages/{}", text(&challenge["message_id"]))).await.expect(200);
    assert_eq!((&message["message"]["status"], &message["message"]["reason"]), (&json!("dropped"), &json!("test_key")));
    // The same call with a live key does.
    let (_, live) = new_key(&world, &["challenges"]).await;
    world.request("POST", "/v1/challenges").key(&live).json(&body).send().await.expect(201);
    assert_eq!(world.carriers.sent().len(), 1);
}

#[tokio::test]
async fn outside_prod_a_carrier_without_a_receiver_sends_nothing_and_names_it() {
    let mut vars = vars::dev_twilio("http://127.0.0.1:9");
    vars.remove("DEV_SMS_RECEIVER");
    let world = World::native(&vars);
    let body = json!({"to": {"phone": world.number()}});
    let problem = world.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
    assert!(problem["detail"].as_str().unwrap().contains("DEV_SMS_RECEIVER"));
    assert!(world.carriers.sent().is_empty());
    // Test numbers need none.
    let challenge = world.challenge("+15555550123").await;
    world.answer(&challenge, "424242").await.expect(200);
}
