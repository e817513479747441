//! Law 7 for e-mail, and what else holds of it: every driver's every failure; nothing secret where it should not be;
//! an address that belongs to somebody is like one that does not; codes in parallel.

use std::time::Duration;

use postern::ports::MailerError;
use serde_json::{Value, json};

use crate::support::{Behaviour, Response, World, at_once, count, vars};

const BASE: &str = "http://127.0.0.1:9";
const DRIVERS: [&str; 4] = ["resend", "postmark", "webhook", "cloudflare"];

fn world(driver: &str) -> World {
    World::native(&vars::with_mail(vars::prod_twilio(BASE), driver, BASE))
}

fn to(address: &str) -> Value {
    json!({"to": {"email": address}})
}

/// Makes the provider fail in one way.
fn fail(world: &World, driver: &str, how: &str) {
    let refused = |code: &str| MailerError::Refused { code: Some(code.to_owned()), message: String::new() };
    let error = |status: u16, name: &str, code: u32| {
        let body = json!({"name": name, "message": "the `to` field", "ErrorCode": code, "Message": "'To'"});
        Behaviour::Answer(status, body.to_string())
    };
    if driver == "cloudflare" {
        return world.carriers.mail.refuse(Some(match how {
            "recipient_refused" => refused("E_RECIPIENT_SUPPRESSED"),
            "misconfigured" => refused("E_SENDER_NOT_VERIFIED"),
            "retryable" => refused("E_RATE_LIMIT_EXCEEDED"),
            "hang" => MailerError::Timeout,
            _ => refused("E_INTERNAL_SERVER_ERROR"),
        }));
    }
    world.carriers.mail.behave(match how {
        "recipient_refused" => error(422, "validation_error", 406),
        "misconfigured" => error(403, "invalid_api_key", 10),
        "retryable" => error(429, "rate_limit_exceeded", 429),
        "hang" => Behaviour::Hang,
        "drop" => Behaviour::Drop,
        "babble" => Behaviour::NotHttp,
        _ => Behaviour::Answer(503, "<html>".to_owned()),
    });
}

#[tokio::test]
async fn what_certainly_did_not_go_out_is_told_and_leaves_nothing() {
    for driver in DRIVERS {
        for (how, status, code) in [
            ("recipient_refused", 422, "message_recipient_refused"),
            ("misconfigured", 502, "message_driver_misconfigured"),
            ("retryable", 502, "message_failed"),
        ] {
            let world = world(driver);
            let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
            let before = world.here().database.query("SELECT key, count FROM counters");
            fail(&world, driver, how);
            let address = world.address();
            let factors = format!("/v1/users/{user}/factors");
            let body = json!({"type": "email", "email": address});
            let problem = world.post(&factors, &body).await.expect_problem(status, code);
            assert!(!problem.to_string().contains(&address), "{driver} {how}: {problem}");
            assert_eq!(world.get(&factors).await.expect(200)["data"], json!([]), "{driver} {how}");
            assert_eq!(world.here().database.number("SELECT count(*) FROM challenges"), 0, "{driver} {how}");
            let message = world.here().database.query("SELECT status, error_class, driver FROM messages");
            assert_eq!(message[0]["status"], json!("failed"));
            assert_eq!((&message[0]["error_class"], &message[0]["driver"]), (&json!(how), &json!(driver)));
            let tries = world.here().database.query("SELECT outcome FROM message_tries");
            assert_eq!((tries.len(), &tries[0]["outcome"]), (1, &json!(how)));
            assert_eq!(
                world.here().database.number("SELECT count(*) FROM audit_events WHERE type = 'email.failed'"),
                1
            );
            // It cost the person nothing but a try, unless it was the person's own.
            let spent = world
                .here()
                .database
                .query("SELECT key, count FROM counters WHERE count > 0 AND key NOT LIKE 'tries%' ORDER BY key");
            assert_eq!(spent == before, how != "recipient_refused", "{driver} {how}: {spent:?}");
        }
    }
}

#[tokio::test]
async fn what_may_have_gone_out_is_unknown_not_repeated_and_its_code_lives() {
    for driver in DRIVERS {
        for how in ["hang", "drop", "babble", "error"] {
            let world = world(driver);
            fail(&world, driver, how);
            let address = world.address();
            let challenge = world.post("/v1/challenges", &to(&address)).await.expect(201);
            let sent = world.carriers.mail.sent_to(&address);
            assert_eq!(sent.len(), 1, "{driver} {how}");
            let message = world.here().database.query("SELECT status, latency_ms FROM messages");
            assert_eq!(message[0]["status"], json!("unknown"), "{driver} {how}");
            assert_eq!(message[0]["latency_ms"].as_f64() >= Some(4000.0), how == "hang", "{driver} {how}");
            assert_eq!(
                world.here().database.number("SELECT count(*) FROM audit_events WHERE type = 'email.unknown'"),
                1
            );
            world.answer(&challenge, &sent[0].code()).await.expect(200);
        }
    }
}

#[tokio::test]
async fn another_code_by_mail_kills_the_first_and_is_a_message_of_its_own() {
    for driver in DRIVERS {
        let world = world(driver);
        let address = world.address();
        let challenge = world.post("/v1/challenges", &to(&address)).await.expect(201);
        let resend = format!("/v1/challenges/{}/resend", challenge["id"].as_str().unwrap());
        world.request("POST", &resend).send().await.expect_problem(429, "rate_limit_exceeded");
        world.here().clock.advance(Duration::from_secs(30));
        let again = world.request("POST", &resend).send().await.expect(200);
        assert_ne!(again["message_id"], challenge["message_id"]);
        let sent = world.carriers.mail.sent_to(&address);
        let (first, second) = (sent[0].code(), sent[1].code());
        assert_ne!(sent[0].message_id, sent[1].message_id, "{driver}: an idempotency key is one mail's");
        if first != second {
            world.answer(&challenge, &first).await.expect_problem(422, "form_code_incorrect");
        }
        world.answer(&challenge, &second).await.expect(200);
        // A code by SMS does not go to a mailbox.
        let by_sms = world.request("POST", &resend).json(&json!({"channel": "sms"})).send().await;
        by_sms.expect_problem(409, "verification_already_verified");
    }
}

/// A mail that is written down and whose provider was never asked is settled.
#[tokio::test]
async fn cloudflare_without_its_binding_says_what_is_missing() {
    let world = world("cloudflare");
    world.carriers.mail.refuse(Some(MailerError::NoBinding));
    let problem = world.post("/v1/challenges", &to(&world.address())).await;
    let problem = problem.expect_problem(502, "message_driver_misconfigured");
    assert!(problem["detail"].as_str().unwrap().contains("[[send_email]]"), "{problem}");
}

/// A wrong variable of e-mail stops e-mail by name, and SMS goes on; and the other way round.
#[tokio::test]
async fn a_wrong_variable_stops_its_own_channel() {
    for (name, value, email, sms) in [
        ("EMAIL_FROM", "nobody", false, true),
        ("RESEND_API_KEY", "", false, true),
        ("EMAIL_MFA_EMAIL_THRESHOLD", "many", false, true),
        ("TWILIO_AUTH_TOKEN", "", true, false),
        ("APP_NAME", "a\u{0}b", false, false),
    ] {
        let mut vars = vars::prod_mail(BASE);
        vars.insert(name.to_owned(), json!(value));
        let world = World::native(&vars);
        for (body, works) in [(to(&world.address()), email), (json!({"to": {"phone": world.number()}}), sms)] {
            let answer = world.post("/v1/challenges", &body).await;
            if works {
                answer.expect(201);
            } else {
                let problem = answer.expect_problem(503, "configuration_invalid");
                assert!(problem["detail"].as_str().unwrap().contains(name), "{problem}");
            }
        }
    }
    // Outside prod a provider is not asked without a receiver, and the variable is named.
    let mut vars = vars::dev_mail(BASE);
    vars.remove("DEV_EMAIL_RECEIVER");
    let world = World::native(&vars);
    let problem = world.post("/v1/challenges", &to(&world.address())).await;
    let problem = problem.expect_problem(503, "configuration_invalid");
    assert!(problem["detail"].as_str().unwrap().contains("DEV_EMAIL_RECEIVER"));
    assert_eq!(world.here().database.number("SELECT count(*) FROM messages"), 0);
}

/// Codes and addresses are where they belong: the log has neither, answers and events no address, no row a code.
#[tokio::test]
async fn codes_and_addresses_are_nowhere_else() {
    for driver in DRIVERS {
        let world = world(driver);
        world.patch("/v1/instance", &json!({"codes": {"length": 10}})).await.expect(200);
        let mut texts: Vec<String> = Vec::new();
        let mut keep = |response: Response| {
            texts.push(response.text.clone());
            response
        };
        let address = world.address();
        let challenge = keep(world.post("/v1/challenges", &to(&address)).await).expect(201);
        let first = world.code(&address).await;
        keep(world.answer(&challenge, &world.wrong(&first)).await).expect(422);
        keep(world.answer(&challenge, &first).await).expect(200);
        let (user, factor, mailbox) = world.user_with_email().await;
        let second = world.code(&mailbox).await;
        keep(world.get(&format!("/v1/users/{user}/factors")).await).expect(200);
        keep(world.get(&format!("/v1/messages?to={}", mailbox.replace('@', "%40"))).await).expect(200);
        keep(world.get("/v1/audit-events").await).expect(200);
        fail(&world, driver, "recipient_refused");
        let refused = world.address();
        keep(world.post("/v1/challenges", &to(&refused)).await).expect(422);
        keep(world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=x")).await).expect(204);
        let log = world.here().log.lines().join("\n");
        for code in [&first, &second] {
            assert!(!log.contains(code.as_str()), "{driver}: the log has a code");
            assert!(!texts.iter().any(|text| text.contains(code.as_str())), "{driver}: an answer has a code");
            let rows = world.here().database.everything();
            let found: Vec<_> = rows.iter().filter(|(_, value)| value.contains(code.as_str())).collect();
            assert!(found.is_empty(), "{driver}: {found:?}");
        }
        for secret in [vars::RESEND_KEY, vars::POSTMARK_TOKEN, vars::WEBHOOK_SECRET] {
            assert!(!log.contains(secret) && !texts.iter().any(|text| text.contains(secret)));
        }
        for address in [&address, &mailbox, &refused] {
            assert!(!log.contains(address.as_str()), "{driver}: the log has an address");
            assert!(!texts.iter().any(|text| text.contains(address.as_str())), "{driver}: an answer has an address");
            for (place, value) in world.here().database.everything() {
                let belongs =
                    ["users", "factors", "challenges", "messages"].iter().any(|table| place.starts_with(table));
                assert!(belongs || !value.contains(address.as_str()), "{driver}: {place} has an address");
            }
        }
    }
}

/// Job 1 tells nobody whether an address belongs to a user: the same answer, the same work.
#[tokio::test]
async fn an_address_of_a_user_is_like_any_other() {
    let world = World::null();
    let known = world.address();
    world.post("/v1/users", &json!({"email": known})).await.expect(201);
    let (_, _, factor) = world.user_with_email().await;
    let mut seen = Vec::new();
    for address in [known, factor, world.address()] {
        let database = &world.here().database;
        let (batches, statements) = (database.batches(), database.statements());
        let created = world.post("/v1/challenges", &to(&address)).await;
        let (status, trips) = (created.status, created.round_trips());
        let challenge = created.expect(201);
        let answered = world.answer(&challenge, &world.code(&address).await).await;
        let mut names: Vec<String> = challenge.as_object().unwrap().keys().cloned().collect();
        names.extend(answered.json.as_object().unwrap().keys().cloned());
        let nulls = answered.json.as_object().unwrap().values().filter(|value| value.is_null()).count();
        let work = (database.batches() - batches, database.statements() - statements);
        seen.push((status, trips, answered.status, answered.round_trips(), names, nulls, work));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
}

#[tokio::test]
async fn a_hundred_right_answers_and_two_hundred_wrong_ones_by_mail() {
    let world = World::null();
    let (user, _, address) = world.user_with_email().await;
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let code = world.code(&address).await;
    let path = format!("/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    let answer = |code: &str| world.request("POST", &path).json(&json!({"code": code}));
    let right = at_once((0..100).map(|_| answer(&code)).collect()).await;
    assert_eq!((count(&right, 200, ""), count(&right, 409, "verification_already_verified")), (1, 99));
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let code = world.code(&address).await;
    let path = format!("/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    let wrong = world.wrong(&code);
    let answer = || world.request("POST", &path).json(&json!({"code": wrong}));
    let wrong = at_once((0..200).map(|_| answer()).collect()).await;
    assert_eq!(count(&wrong, 422, "form_code_incorrect"), 5);
    assert_eq!(count(&wrong, 422, "verification_failed"), 195);
}

/// Fifty enrolments of one mailbox at once make one factor.
#[tokio::test]
async fn one_mailbox_is_proven_once() {
    let world = World::null();
    let limits = json!({"requests_per_user_five_minutes": 100, "emails_per_user_half_hour": 100,
        "emails_per_destination_half_hour": 100, "tries_per_destination_half_hour": 100});
    world.patch("/v1/instance", &json!({"limits": limits})).await.expect(200);
    let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let (address, factors) = (world.address(), format!("/v1/users/{user}/factors"));
    let mut answers = Vec::new();
    for _ in 0..20 {
        let enrolled = world.post(&factors, &json!({"type": "email", "email": address})).await.expect(201);
        let path = format!("{factors}/{}/activate", enrolled["factor"]["id"].as_str().unwrap());
        let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&address).await});
        answers.push(world.request("POST", &path).json(&body));
    }
    let answers = at_once(answers).await;
    assert_eq!((count(&answers, 200, ""), count(&answers, 409, "form_identifier_exists")), (1, 19));
    let active = "SELECT count(*) FROM factors WHERE activated_at IS NOT NULL";
    assert_eq!(world.here().database.number(active), 1);
}
