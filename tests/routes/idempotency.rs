//! `Idempotency-Key`: the same call twice happens once, for every operation that takes one; a refused call burns
//! nothing; and what is kept tells nobody anything.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{Fixture, keyed, new_key, new_user, text};
use crate::support::{Behaviour, KEY, Request, Response, World, vars};

/// Every operation that takes a key: its path in the world, and a body that makes something.
async fn calls(world: &World) -> Vec<(&'static str, String, Value)> {
    let user = new_user(world, &json!({})).await;
    let (active, factor, number) = world.user_with_phone().await;
    let codes = new_user(world, &json!({})).await;
    let challenge = world.challenge(&world.number()).await;
    let desk = json!({"name": "Desk", "mfa": {"remember_device": true}, "origins": ["https://app.example.com"]});
    let app = world.post("/v1/apps", &desk).await.expect(201);
    let invite = json!({"email": "ben@example.com", "url": "https://app.example.com/join"});
    let proof = world.proof(&active, &number).await;
    let remember = json!({"app_id": app["id"], "proofs": [proof], "external_first_factor": {"type": "password"}});
    let listener = world.listen(&["invitation.*"]).await;
    world.here().clock.advance(Duration::from_secs(31));
    vec![
        ("createChallenge", "/v1/challenges".to_owned(), json!({"to": {"phone": world.number()}})),
        ("resendChallenge", format!("/v1/challenges/{}/resend", text(&challenge["id"])), json!({})),
        ("createUser", "/v1/users".to_owned(), json!({"email": "ana@example.com"})),
        ("createFactor", format!("/v1/users/{user}/factors"), json!({"type": "phone", "phone": world.number()})),
        ("createRecoveryCodes", format!("/v1/users/{codes}/recovery-codes"), json!({"override": {"reason": "x"}})),
        ("challengeFactor", format!("/v1/users/{active}/factors/{factor}/challenges"), json!({})),
        ("createApp", "/v1/apps".to_owned(), json!({"name": "Shop"})),
        ("rotateAppSecret", format!("/v1/apps/{}/rotate-secret", text(&app["id"])), json!({})),
        ("createInvitation", "/v1/invitations".to_owned(), invite),
        ("createDevice", format!("/v1/users/{active}/devices"), remember),
        (
            "createWebhookEndpoint",
            "/v1/webhook-endpoints".to_owned(),
            json!({"url": "https://hooks.example.com/events/once", "events": ["invitation.*"]}),
        ),
        ("rotateWebhookSecret", format!("/v1/webhook-endpoints/{}/rotate-secret", listener.id), json!({})),
        ("testMessage", "/v1/messages/test".to_owned(), json!({"to": {"phone": world.number()}})),
        (
            "createFraudEntry",
            "/v1/fraud-entries".to_owned(),
            json!({"list": "block", "phone": world.number(), "hours": 1}),
        ),
        ("createApiKey", "/v1/api-keys".to_owned(), json!({"name": "x", "scopes": ["challenges"]})),
    ]
}

fn call(world: &World, path: &str, key: &str, body: &Value) -> Request {
    world.request("POST", path).idempotency_key(key).json(body)
}

fn replayed(response: &Response) -> bool {
    response.header("idempotency-replayed") == Some("true")
}

/// What was made: each operation has it somewhere else.
fn id(operation: &str, body: &Value) -> Value {
    match operation {
        "createFactor" => json!([body["factor"]["id"], body["challenge"]["id"]]),
        "createApiKey" => body["api_key"]["id"].clone(),
        "testMessage" => body["message"]["id"].clone(),
        "createRecoveryCodes" => body["factor"]["id"].clone(),
        "createDevice" => body["device"]["id"].clone(),
        "rotateAppSecret" => body["secrets"][0]["id"].clone(),
        "rotateWebhookSecret" => json!([body["id"], body["previous_secret_expires_at"]]),
        "resendChallenge" => json!([body["id"], body["message_id"], body["sends"]]),
        _ => body["id"].clone(),
    }
}

fn rows(world: &World) -> Vec<i64> {
    let tables = ["users", "challenges", "messages", "factors", "api_keys", "apps", "devices", "invitations"];
    [tables.as_slice(), &["app_secrets", "webhook_endpoints", "fraud_entries", "audit_events"]]
        .concat()
        .into_iter()
        .map(|table| world.here().database.number(&format!("SELECT count(*) FROM {table}")))
        .collect()
}

#[tokio::test]
async fn the_suite_has_every_operation_that_takes_a_key() {
    let world = World::null();
    let mut here: Vec<&str> = calls(&world).await.into_iter().map(|(operation, ..)| operation).collect();
    let mut all: Vec<&str> =
        keyed().iter().filter(|(operation, _)| operation.idempotent).map(|(operation, _)| operation.id).collect();
    here.sort_unstable();
    all.sort_unstable();
    assert_eq!(here, all);
}

#[tokio::test]
async fn the_same_call_happens_once_and_says_so() {
    let world = World::null();
    for (operation, path, body) in calls(&world).await {
        let first = call(&world, &path, "once", &body).send().await;
        assert!(first.status < 300 && !replayed(&first), "{operation}: {}", first.text);
        let after = rows(&world);
        for _ in 0..2 {
            let again = call(&world, &path, "once", &body).send().await;
            assert!(replayed(&again), "{operation}");
            assert_eq!(
                (again.status, id(operation, &again.json)),
                (first.status, id(operation, &first.json)),
                "{operation}"
            );
        }
        assert_eq!(rows(&world), after, "{operation}");
    }
}

#[tokio::test]
async fn a_secret_is_not_shown_again() {
    let world = World::null();
    let body = json!({"name": "x", "scopes": ["challenges"]});
    let first = call(&world, "/v1/api-keys", "k", &body).send().await.expect(201);
    assert!(first["secret"].is_string());
    let again = call(&world, "/v1/api-keys", "k", &body).send().await.expect(201);
    assert_eq!((&again["secret"], &again["api_key"]), (&Value::Null, &first["api_key"]));

    let app = call(&world, "/v1/apps", "app", &json!({"name": "Shop"})).send().await.expect(201);
    let path = format!("/v1/apps/{}/rotate-secret", text(&app["id"]));
    for (path, status) in [("/v1/apps", 201), (path.as_str(), 200)] {
        let body = if status == 201 { json!({"name": "Shop"}) } else { json!({}) };
        call(&world, path, "app", &body).send().await.expect(status);
        let again = call(&world, path, "app", &body).send().await;
        assert!(replayed(&again));
        assert_eq!((again.json.get("client_secret"), &again.json["id"]), (Some(&Value::Null), &app["id"]), "{path}");
    }

    let user = new_user(&world, &json!({})).await;
    let factors = format!("/v1/users/{user}/factors");
    let first = call(&world, &factors, "totp", &json!({"type": "totp"})).send().await.expect(201);
    assert!(first["totp"]["secret"].is_string());
    let again = call(&world, &factors, "totp", &json!({"type": "totp"})).send().await;
    assert!(replayed(&again));
    let again = again.expect(201);
    assert_eq!((again.get("totp"), &again["factor"]), (Some(&Value::Null), &first["factor"]));
    assert_eq!(again["challenge"], first["challenge"]);

    let codes = format!("/v1/users/{user}/recovery-codes");
    for (path, body) in [(codes.as_str(), json!({})), (&factors, json!({"type": "recovery_codes"}))] {
        let first = call(&world, path, "codes", &body).send().await.expect(201);
        assert_eq!(first["recovery_codes"].as_array().unwrap().len(), 10);
        let again = call(&world, path, "codes", &body).send().await;
        assert!(replayed(&again));
        let again = again.expect(201);
        assert_eq!((again.get("recovery_codes"), &again["factor"]), (Some(&Value::Null), &first["factor"]));
        world.delete(&format!("{factors}?override_reason=x")).await.expect(204);
        // What is gone is not found, and not made again.
        call(&world, path, "codes", &body).send().await.expect_problem(404, "resource_not_found");
    }
}

#[tokio::test]
async fn a_replay_tells_the_state_of_now() {
    let world = World::null();
    let number = world.number();
    let body = json!({"to": {"phone": number}});
    let challenge = call(&world, "/v1/challenges", "k", &body).send().await.expect(201);
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    assert_eq!(call(&world, "/v1/challenges", "k", &body).send().await.expect(201)["status"], "verified");
}

#[tokio::test]
async fn twenty_at_once_make_one() {
    for setup in [vars::null(), vars::prod_mail("http://127.0.0.1:9")] {
        let world = World::native(&setup);
        for (operation, path, body) in calls(&world).await {
            let before = rows(&world);
            let requests = (0..20).map(|_| call(&world, &path, "at once", &body).idempotency_key("at-once").send());
            let answers = requests.collect::<JoinSet<_>>().join_all().await;
            let made: Vec<&Response> =
                answers.iter().filter(|answer| answer.status < 300 && !replayed(answer)).collect();
            assert_eq!(made.len(), 1, "{operation}");
            for answer in &answers {
                if answer.status < 300 {
                    assert_eq!(id(operation, &answer.json), id(operation, &made[0].json), "{operation}");
                } else {
                    assert_eq!(
                        (answer.status, &answer.json["code"]),
                        (409, &json!("idempotency_key_in_use")),
                        "{}",
                        answer.text
                    );
                }
            }
            let grown = rows(&world).iter().zip(&before).map(|(now, then)| now - then).collect::<Vec<_>>();
            assert!(grown[..9].iter().all(|more| *more <= 1), "{operation}: {grown:?}");
        }
    }
}

#[tokio::test]
async fn another_body_is_another_request_and_refused() {
    let world = World::null();
    for (operation, path, body) in calls(&world).await {
        call(&world, &path, "k", &body).send().await;
        let mut other = body.clone();
        match operation {
            "createUser" => other["name"] = json!("Ana"),
            "createApiKey" => other["test"] = json!(true),
            "createApp" => other["name"] = json!("Other"),
            "testMessage" => other["locale"] = json!("de"),
            "createWebhookEndpoint" => other["description"] = json!("Other"),
            "rotateAppSecret" | "rotateWebhookSecret" => other["keep_old_seconds"] = json!(5),
            "createInvitation" => other["expires_in_seconds"] = json!(300),
            "createFraudEntry" => other["hours"] = json!(2),
            _ => other["client"] = json!({"ip": "203.0.113.7"}),
        }
        let before = rows(&world);
        call(&world, &path, "k", &other).send().await.expect_problem(422, "idempotency_key_reused");
        assert_eq!(rows(&world), before, "{operation}");
        // The first one's is still known.
        assert!(replayed(&call(&world, &path, "k", &body).send().await), "{operation}");
    }
}

#[tokio::test]
async fn a_key_is_one_credentials_and_one_paths() {
    let world = World::null();
    let (_, other) = new_key(&world, &["challenges", "users:write", "keys:write", "users:override"]).await;
    for (operation, path, body) in calls(&world).await {
        let mine = call(&world, &path, "k", &body).send().await;
        assert!(
            mine.status < 300 && !replayed(&mine),
            "{operation}: a key of another route is another key: {}",
            mine.text
        );
        let theirs = call(&world, &path, "k", &body).key(&other).send().await;
        assert!(!replayed(&theirs), "{operation}");
        if theirs.status < 300 {
            assert_ne!(id(operation, &theirs.json), id(operation, &mine.json), "{operation}");
        }
    }
    // The same operation on another thing.
    for _ in 0..2 {
        let user = new_user(&world, &json!({})).await;
        let body = json!({"type": "phone", "phone": world.number()});
        let answer = call(&world, &format!("/v1/users/{user}/factors"), "things", &body).send().await;
        assert!(!replayed(&answer) && answer.status == 201, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_refused_call_does_not_burn_its_key() {
    let world = World::null();
    world.patch("/v1/instance", &json!({"limits": {"messages_per_destination_half_hour": 1}})).await.expect(200);
    let body = json!({"to": {"phone": world.number()}});
    world.post("/v1/challenges", &body).await.expect(201);
    call(&world, "/v1/challenges", "limited", &body).send().await.expect_problem(429, "rate_limit_exceeded");
    world.here().clock.advance(Duration::from_mins(30));
    assert!(!replayed(&call(&world, "/v1/challenges", "limited", &body).send().await));

    world.patch("/v1/instance", &json!({"limits": null})).await.expect(200);

    let number = json!({"to": {"phone": world.number()}});
    let tests = "/v1/messages/test";
    world.patch("/v1/instance", &json!({"limits": {"messages_per_destination_half_hour": 1}})).await.expect(200);
    world.post(tests, &number).await.expect(200);
    call(&world, tests, "test", &number).send().await.expect_problem(429, "rate_limit_exceeded");
    world.here().clock.advance(Duration::from_mins(30));
    assert!(!replayed(&call(&world, tests, "test", &number).send().await));
    world.patch("/v1/instance", &json!({"limits": null})).await.expect(200);

    // 422, and the same key serves the corrected body.
    let bad = json!({"to": {"phone": "12"}});
    call(&world, "/v1/challenges", "form", &bad).send().await.expect_problem(422, "form_param_invalid");
    call(&world, "/v1/challenges", "form", &json!({"to": {"phone": world.number()}})).send().await.expect(201);

    let ana = json!({"email": "ana@example.com"});
    let user = new_user(&world, &ana).await;
    call(&world, "/v1/users", "taken", &ana).send().await.expect_problem(409, "form_identifier_exists");
    world.delete(&format!("/v1/users/{user}")).await.expect(204);
    call(&world, "/v1/users", "taken", &ana).send().await.expect(201);

    let (user, _, _) = world.user_with_phone().await;
    let factors = format!("/v1/users/{user}/factors");
    let body = json!({"type": "phone", "phone": world.number()});
    call(&world, &factors, "proof", &body).send().await.expect_problem(403, "proof_required");
    world.delete(&format!("{factors}?override_reason=x")).await.expect(204);
    call(&world, &factors, "proof", &body).send().await.expect(201);

    let challenge = world.challenge(&world.number()).await;
    let resend = format!("/v1/challenges/{}/resend", text(&challenge["id"]));
    call(&world, &resend, "early", &json!({})).send().await.expect_problem(429, "rate_limit_exceeded");
    world.here().clock.advance(Duration::from_secs(30));
    call(&world, &resend, "early", &json!({})).send().await.expect(200);
}

#[tokio::test]
async fn a_failed_send_gives_its_key_back() {
    let world = World::twilio();
    let number = world.number();
    let body = json!({"to": {"phone": number}});
    world.carriers.behave_for(&number, Behaviour::Answer(400, json!({"code": 21211}).to_string()));
    let first =
        call(&world, "/v1/challenges", "k", &body).send().await.expect_problem(422, "message_recipient_refused");
    world.carriers.behave_for(&number, Behaviour::Accept);
    let second = call(&world, "/v1/challenges", "k", &body).send().await;
    assert!(!replayed(&second));
    assert_ne!(second.expect(201)["message_id"], first["message_id"]);

    let user = new_user(&world, &json!({})).await;
    let (factors, number) = (format!("/v1/users/{user}/factors"), world.number());
    let body = json!({"type": "phone", "phone": number});
    world.carriers.behave_for(&number, Behaviour::Answer(400, json!({"code": 21211}).to_string()));
    call(&world, &factors, "k", &body).send().await.expect_problem(422, "message_recipient_refused");
    world.carriers.behave_for(&number, Behaviour::Accept);
    call(&world, &factors, "k", &body).send().await.expect(201);
}

#[tokio::test]
async fn what_may_have_gone_out_keeps_its_key() {
    let world = World::twilio();
    let number = world.number();
    let body = json!({"to": {"phone": number}});
    world.carriers.behave_for(&number, Behaviour::Hang);
    let first = call(&world, "/v1/challenges", "k", &body).send().await.expect(201);
    let again = call(&world, "/v1/challenges", "k", &body).send().await;
    assert!(replayed(&again));
    assert_eq!(again.json["id"], first["id"]);
    assert_eq!(world.carriers.sent_to(&number).len(), 1);
}

#[tokio::test]
async fn a_call_that_never_ended_is_running_for_a_minute_and_then_done() {
    let world = World::twilio();
    let number = world.number();
    let body = json!({"to": {"phone": number}});
    let first = call(&world, "/v1/challenges", "k", &body).send().await.expect(201);
    // As it is when the isolate dies while the carrier is asked.
    world.here().database.execute("UPDATE idempotency_keys SET state = 'running'");
    for wait in [0, 59_999] {
        world.here().clock.advance(Duration::from_millis(wait));
        call(&world, "/v1/challenges", "k", &body).send().await.expect_problem(409, "idempotency_key_in_use");
    }
    world.here().clock.advance(Duration::from_millis(1));
    let again = call(&world, "/v1/challenges", "k", &body).send().await;
    assert!(replayed(&again));
    assert_eq!(again.json["id"], first["id"]);
    assert_eq!(world.carriers.sent_to(&number).len(), 1);
}

#[tokio::test]
async fn a_key_is_known_for_a_day_to_the_millisecond() {
    for (last, known) in [(Duration::from_millis(1), true), (Duration::ZERO, false)] {
        let world = World::null();
        let day = Duration::from_hours(24);
        for (operation, path, body) in calls(&world).await {
            // Their things are over or taken by tomorrow.
            if ["resendChallenge", "createFactor", "createDevice"].contains(&operation) {
                continue;
            }
            let first = call(&world, &path, "k", &body).send().await;
            if operation == "createUser" && !known {
                world.delete(&format!("/v1/users/{}", text(&first.json["id"]))).await.expect(204);
            }
            world.here().clock.advance(day.checked_sub(last).unwrap());
            let again = call(&world, &path, "k", &body).send().await;
            assert!(again.status < 300, "{operation} {last:?}: {}", again.text);
            assert_eq!(replayed(&again), known, "{operation} {last:?}");
            assert_eq!(id(operation, &again.json) == id(operation, &first.json), known, "{operation} {last:?}");
        }
    }
}

#[tokio::test]
async fn a_replay_of_what_is_gone_is_not_found() {
    let world = World::null();
    let body = json!({"email": "ana@example.com"});
    let user = text(&call(&world, "/v1/users", "k", &body).send().await.expect(201)["id"]);
    let (factors, phone) = (format!("/v1/users/{user}/factors"), json!({"type": "phone", "phone": world.number()}));
    let factor = call(&world, &factors, "k", &phone).send().await.expect(201);
    world.delete(&format!("{factors}/{}", text(&factor["factor"]["id"]))).await.expect(204);
    call(&world, &factors, "k", &phone).send().await.expect_problem(404, "resource_not_found");
    world.delete(&format!("/v1/users/{user}")).await.expect(204);
    call(&world, "/v1/users", "k", &body).send().await.expect_problem(404, "resource_not_found");
    call(&world, &factors, "k", &phone).send().await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn a_key_is_one_header_of_visible_ascii() {
    let fixture = Fixture::new().await;
    for (operation, _) in keyed() {
        let long = "k".repeat(256);
        for bad in ["", " ", "two words", "schlüssel", "tab\there", &long] {
            let answer = fixture.call(&operation).idempotency_key(bad).send().await;
            let refused = answer.json["code"] == "idempotency_key_invalid";
            assert_eq!(refused, operation.idempotent, "{} {bad}: {}", operation.id, answer.text);
        }
        if operation.idempotent {
            let twice = fixture.call(&operation).idempotency_key("a").also("idempotency-key", "b").send().await;
            twice.expect_problem(400, "idempotency_key_invalid");
            let longest = fixture.call(&operation).idempotency_key(&"k".repeat(255)).send().await;
            assert_ne!(longest.status, 400, "{}", operation.id);
        }
    }
}

#[tokio::test]
async fn an_answer_takes_no_key() {
    let world = World::null();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let path = format!("/v1/challenges/{}/answer", text(&challenge["id"]));
    let body = json!({"code": world.wrong(&world.code(&number).await)});
    for left in [4, 3] {
        let problem = call(&world, &path, "k", &body).send().await.expect_problem(422, "form_code_incorrect");
        assert_eq!(problem["attempts_left"], left, "each answer counts");
    }
}

#[tokio::test]
async fn what_is_kept_of_a_call_tells_nobody_anything() {
    let world = World::null();
    let mut secrets = vec![KEY[8..].to_owned(), vars::RING[30..60].to_owned(), "hunter2".to_owned()];
    for (operation, path, mut body) in calls(&world).await {
        if operation == "createUser" {
            body["name"] = json!("hunter2");
        }
        let made = call(&world, &path, "hunter2-call", &body).send().await;
        secrets.extend(made.json["secret"].as_str().map(|secret| secret[8..].to_owned()));
        secrets.extend(made.json["client_secret"].as_str().map(|secret| secret[3..].to_owned()));
        for number in [&body["to"]["phone"], &body["phone"]] {
            secrets.extend(number.as_str().map(|number| number[2..].to_owned()));
        }
    }
    secrets.extend(["ana@example.com".to_owned(), "ben@example.com".to_owned()]);
    let kept: Vec<(String, String)> = world
        .here()
        .database
        .everything()
        .into_iter()
        .filter(|(place, _)| place.starts_with("idempotency_keys."))
        .collect();
    assert!(kept.len() >= 6 * 6, "{}", kept.len());
    for (place, value) in kept {
        for secret in &secrets {
            assert!(!value.contains(secret.as_str()), "{place} has {secret}: {value}");
        }
    }
}
