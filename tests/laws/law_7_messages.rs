//! Law 7: a message is a row before the carrier is asked, each try a row of its own; both end in a known state, and
//! no report of the carrier makes a state regress.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use postern::ports::DatabaseError;
use serde_json::{Value, json};
use sha1::Sha1;

use crate::support::{Behaviour, Response, World, steps, vars};

const PUBLIC: &str = "https://login.example.com";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A message and its tries.
async fn read(world: &World, id: &str) -> (Value, Value) {
    let mut read = world.get(&format!("/v1/messages/{id}")).await.expect(200);
    (read["message"].take(), read["tries"].take())
}

/// A message that went out: its id and the carrier's.
async fn sent(world: &World) -> (String, String) {
    let challenge = world.challenge(&world.number()).await;
    let id = text(&challenge["message_id"]);
    let provider_id = text(&read(world, &id).await.0["provider_id"]);
    (id, provider_id)
}

/// Twilio's signature of a report that it sends to a URL.
fn signature(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let pairs: String = sorted.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(format!("{url}{pairs}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

async fn post_report(world: &World, path: &str, fields: &[(&str, &str)], signature: Option<&str>) -> Response {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = world
        .request("POST", path)
        .without("authorization")
        .raw("application/x-www-form-urlencoded", body.into_bytes());
    if let Some(signature) = signature {
        request = request.header("x-twilio-signature", signature);
    }
    request.send().await
}

/// Twilio reports a state of a message.
async fn report(world: &World, id: &str, sid: &str, status: &str) {
    let path = format!("/v1/callbacks/twilio/{id}");
    let mut fields =
        vec![("MessageSid", sid), ("MessageStatus", status), ("To", "+14155552671"), ("AccountSid", vars::ACCOUNT)];
    if ["undelivered", "failed"].contains(&status) {
        fields.push(("ErrorCode", "30003"));
    }
    let signature = signature(vars::TOKEN, &format!("{PUBLIC}{path}"), &fields);
    assert_eq!(post_report(world, &path, &fields, Some(&signature)).await.status, 204);
}

#[tokio::test]
async fn the_row_and_its_try_are_there_before_the_carrier_is_asked() {
    let world = World::twilio();
    world.get("/v1/instance").await.expect(200);
    let body = json!({"to": {"phone": world.number()}});
    let mut create = Box::pin(world.request("POST", "/v1/challenges").json(&body).send());
    steps(&mut create, 2).await;
    assert!(world.carriers.sent().is_empty());
    let id = text(&world.get("/v1/messages").await.expect(200)["data"][0]["id"]);
    let (message, tries) = read(&world, &id).await;
    assert_eq!(
        json!([message["status"], message["driver"], message["cost_class"], message["segments"], message["encoding"]]),
        json!(["queued", "twilio", "domestic", 1, "gsm7"])
    );
    assert_eq!((tries.as_array().unwrap().len(), &tries[0]["outcome"]), (1, &Value::Null));

    // The Worker ends here. Ten minutes later nobody knows, and the row says so.
    drop(create);
    let here = world.here();
    here.clock.advance(Duration::from_mins(10));
    postern::housekeeping::run(&here.app).await.unwrap();
    assert_eq!(read(&world, &id).await.0["status"], "queued", "the carrier may still be asked");
    here.clock.advance(Duration::from_millis(1));
    postern::housekeeping::run(&here.app).await.unwrap();
    let (message, tries) = read(&world, &id).await;
    assert_eq!((&message["status"], &message["error_code"]), (&json!("unknown"), &json!("not_recorded")));
    assert_eq!((&tries[0]["outcome"], &tries[0]["error_code"]), (&json!("unknown"), &json!("not_recorded")));
    assert!(world.carriers.sent().is_empty(), "nothing is sent again");
    // What the carrier says later settles it.
    report(&world, &id, "SM1", "delivered").await;
    assert_eq!(read(&world, &id).await.0["status"], "delivered");
}

#[tokio::test]
async fn what_the_carrier_said_stands_when_it_cannot_be_written_down() {
    let world = World::twilio();
    world.get("/v1/instance").await.expect(200);
    let number = world.number();
    let database = &world.here().database;
    database.fail_after(1, DatabaseError::Unavailable("overloaded".to_owned()));
    let challenge = world.challenge(&number).await;
    assert!(database.has_failed());
    assert!(world.here().log.lines().iter().any(|line| line.contains("could not be recorded")));
    let (message, _) = read(&world, &text(&challenge["message_id"])).await;
    assert_eq!(message["status"], "queued");
    world.answer(&challenge, &world.code(&number).await).await.expect(200);

    world.carriers.behave(Behaviour::Answer(400, json!({"code": 21211}).to_string()));
    database.fail_after(1, DatabaseError::Unavailable("overloaded".to_owned()));
    let refused = world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
    refused.expect_problem(422, "message_recipient_refused");
}

#[tokio::test]
async fn each_outcome_is_a_state_a_class_and_a_try() {
    let answer = |status: u16, code: u32| Behaviour::Answer(status, json!({"code": code}).to_string());
    let cases = [
        (Behaviour::Accept, "sent", "accepted", Value::Null, Value::Null),
        (answer(429, 20429), "failed", "retryable", json!("retryable"), json!("20429")),
        (answer(400, 21610), "failed", "recipient_refused", json!("recipient_refused"), json!("21610")),
        (answer(400, 21408), "failed", "misconfigured", json!("misconfigured"), json!("21408")),
        (answer(400, 30450), "failed", "fraud_blocked", json!("fraud_blocked"), json!("30450")),
        (Behaviour::Hang, "unknown", "unknown", json!("unknown"), json!("timeout")),
        (Behaviour::Drop, "unknown", "unknown", json!("unknown"), json!("connection_lost")),
        (Behaviour::Answer(503, String::new()), "unknown", "unknown", json!("unknown"), json!("http_503")),
    ];
    for (behaviour, status, outcome, class, code) in cases {
        let world = World::twilio();
        world.carriers.behave(behaviour.clone());
        world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
        let id = text(&world.get("/v1/messages").await.expect(200)["data"][0]["id"]);
        let (message, tries) = read(&world, &id).await;
        assert_eq!(
            (&message["status"], &message["error_class"], &message["error_code"]),
            (&json!(status), &class, &code)
        );
        assert_eq!((&tries[0]["outcome"], &tries[0]["error_code"]), (&json!(outcome), &code));
        let waited = if behaviour == Behaviour::Hang { 4000 } else { 0 };
        assert_eq!((&message["latency_ms"], &tries[0]["latency_ms"]), (&json!(waited), &json!(waited)));
        assert_eq!((tries.as_array().unwrap().len(), world.carriers.sent().len()), (1, 1), "it is not repeated");
        let events = world.get(&format!("/v1/audit-events?subject_id={id}")).await.expect(200);
        let kind = format!("sms.{status}");
        assert!(events["data"].as_array().unwrap().iter().any(|event| event["type"] == *kind), "{kind}");
    }
}

#[tokio::test]
async fn a_state_never_regresses_in_whatever_order_reports_come() {
    let cases: [(&[&str], &str); 9] = [
        (&["queued", "sending", "sent", "delivered"], "delivered"),
        (&["delivered", "sent", "sending", "queued", "accepted"], "delivered"),
        (&["delivered", "undelivered", "failed"], "delivered"),
        (&["undelivered", "delivered", "sent"], "failed"),
        (&["failed", "sent"], "failed"),
        (&["canceled", "delivered"], "failed"),
        (&["sent", "sent", "delivered", "delivered", "read"], "delivered"),
        (&["read"], "delivered"),
        (&["scheduled", "something_new"], "sent"),
    ];
    for (reports, expected) in cases {
        let world = World::twilio();
        let (id, sid) = sent(&world).await;
        for status in reports {
            report(&world, &id, &sid, status).await;
        }
        let (message, _) = read(&world, &id).await;
        assert_eq!(message["status"], expected, "{reports:?}");
        let error = if expected == "failed" && reports[0] != "canceled" { json!("30003") } else { Value::Null };
        assert_eq!(message["error_code"], error, "{reports:?}");
        // One event per state that was reached, however often it was reported.
        let reported = "SELECT count(*) FROM audit_events WHERE actor = 'carrier'";
        let events = i64::from(["delivered", "failed"].contains(&expected));
        assert_eq!(world.here().database.number(reported), events, "{reports:?}");
    }
}

#[tokio::test]
async fn a_report_that_comes_before_the_answer_is_not_overwritten_by_it() {
    let world = World::twilio();
    world.get("/v1/instance").await.expect(200);
    let body = json!({"to": {"phone": world.number()}});
    let mut create = Box::pin(world.request("POST", "/v1/challenges").json(&body).send());
    steps(&mut create, 3).await;
    assert_eq!(world.carriers.sent().len(), 1);
    let id = text(&world.get("/v1/messages").await.expect(200)["data"][0]["id"]);
    report(&world, &id, "SM00000000000000000000000000000000", "delivered").await;
    create.await.expect(201);
    let (message, tries) = read(&world, &id).await;
    assert_eq!((&message["status"], &tries[0]["outcome"]), (&json!("delivered"), &json!("accepted")));
    assert_eq!(message["provider_id"], "SM00000000000000000000000000000000");
}

#[tokio::test]
async fn only_a_verified_signature_for_the_configured_url_changes_anything() {
    let world = World::twilio();
    let (id, sid) = sent(&world).await;
    let path = format!("/v1/callbacks/twilio/{id}");
    let fields = [("MessageSid", sid.as_str()), ("MessageStatus", "delivered")];
    let url = format!("{PUBLIC}{path}");
    let good = signature(vars::TOKEN, &url, &fields);
    let more = [fields.as_slice(), &[("ErrorCode", "1")]].concat();
    let other_path = path.replace(&id, "msg_01M83WM7ZA000G40R40M30E209");
    let cases = [
        (path.clone(), fields.to_vec(), None),
        (path.clone(), fields.to_vec(), Some(String::new())),
        (path.clone(), fields.to_vec(), Some("not base64!".to_owned())),
        (path.clone(), fields.to_vec(), Some(signature("another token", &url, &fields))),
        (path.clone(), fields.to_vec(), Some(signature(vars::TOKEN, &format!("http://localhost{path}"), &fields))),
        (path.clone(), fields.to_vec(), Some(signature(vars::TOKEN, &format!("https://evil.example{path}"), &fields))),
        (path.clone(), more, Some(good.clone())),
        (path.clone(), vec![("MessageSid", sid.as_str()), ("MessageStatus", "failed")], Some(good.clone())),
        (format!("{path}?x=1"), fields.to_vec(), Some(good.clone())),
        (other_path, fields.to_vec(), Some(good.clone())),
    ];
    let messages = || world.here().database.query("SELECT * FROM messages");
    let before = messages();
    for (path, fields, signature) in cases {
        let response = post_report(&world, &path, &fields, signature.as_deref()).await;
        response.expect_problem(403, "signature_invalid");
    }
    assert_eq!(messages(), before);
    // An event tells it, once a minute: whoever sends garbage fills no table.
    let refused = "SELECT count(*) FROM audit_events WHERE type = 'callback.refused'";
    assert_eq!(world.here().database.number(refused), 1);
    // A signature that is right, for another message of the carrier.
    report(&world, &id, "SMffffffffffffffffffffffffffffffff", "delivered").await;
    assert_eq!(read(&world, &id).await.0["status"], "sent");
    // With the port that some proxies put there, and replayed.
    let with_port = signature(vars::TOKEN, &format!("{PUBLIC}:443{path}"), &fields);
    for signature in [&with_port, &good] {
        assert_eq!(post_report(&world, &path, &fields, Some(signature)).await.status, 204);
    }
    assert_eq!(read(&world, &id).await.0["status"], "delivered");

    // Without a PUBLIC_URL, or without Twilio, nothing can be verified.
    for missing in ["PUBLIC_URL", "TWILIO_AUTH_TOKEN"] {
        let mut all = vars::prod_twilio("http://127.0.0.1:9");
        all.remove(missing);
        let world = World::on(&world.here().redeploy(&all));
        let response = post_report(&world, &path, &fields, Some(&good)).await;
        response.expect_problem(403, "signature_invalid");
    }
}

#[tokio::test]
async fn what_is_kept_back_says_why_and_costs_nothing() {
    let dropped = async |world: &World, id: &Value| {
        let (message, tries) = read(world, id.as_str().unwrap()).await;
        assert_eq!(
            (&message["status"], &message["cost_class"], &tries),
            (&json!("dropped"), &json!("none"), &json!([]))
        );
        text(&message["reason"])
    };
    let world = World::null();
    let challenge = world.challenge(&world.number()).await;
    assert_eq!(dropped(&world, &challenge["message_id"]).await, "null_driver");

    let world = World::native(&vars::dev_twilio("http://127.0.0.1:9"));
    let challenge = world.challenge("+15555550142").await;
    assert_eq!(dropped(&world, &challenge["message_id"]).await, "test_number");
    let key = json!({"name": "k", "scopes": ["challenges"], "test": true});
    let key = text(&world.post("/v1/api-keys", &key).await.expect(201)["secret"]);
    assert!(key.starts_with("sk_test_"));
    let body = json!({"to": {"phone": world.number()}});
    let challenge = world.request("POST", "/v1/challenges").json(&body).key(&key).send().await.expect(201);
    assert_eq!(dropped(&world, &challenge["message_id"]).await, "test_key");
    let mut all = vars::dev_twilio("http://127.0.0.1:9");
    all.insert("DEV_SMS_RECEIVER".to_owned(), json!("+15555550101"));
    let redirected = World::on(&world.here().redeploy(&all));
    let challenge = redirected.challenge(&world.number()).await;
    assert_eq!(dropped(&world, &challenge["message_id"]).await, "test_number");
    assert!(world.carriers.sent().is_empty());
}

#[tokio::test]
async fn cost_and_segments_are_told_of_the_text_and_of_whom_it_goes_to() {
    let mut all = vars::prod_twilio("http://127.0.0.1:9");
    all.insert("APP_NAME".to_owned(), json!("Пример"));
    let world = World::native(&all);
    let everywhere = json!({"countries": {"sms": {"allowed": ["*"]}}});
    world.patch("/v1/instance", &everywhere).await.expect(200);
    for (number, class) in [(world.number(), "domestic"), (world.british_number(), "international")] {
        let challenge = world.challenge(&number).await;
        let (message, _) = read(&world, &text(&challenge["message_id"])).await;
        assert_eq!(message["cost_class"], class);
        assert_eq!((&message["encoding"], &message["status"]), (&json!("ucs2"), &json!("sent")));
        let body = world.carriers.sent_to(&number).pop().unwrap().body;
        // Told by the carrier here, which says 1; the row said it before, from the text.
        assert_eq!(postern::message::segments(&body).1, 2);
        let events = world.get("/v1/audit-events?type=sms.queued&limit=1").await.expect(200);
        assert_eq!(events["data"][0]["data"]["segments"], 2);
    }
    // Outside prod the receiver pays, whoever was meant.
    let world = World::native(&vars::dev_twilio("http://127.0.0.1:9"));
    world.patch("/v1/instance", &everywhere).await.expect(200);
    let challenge = world.challenge(&world.british_number()).await;
    let (message, _) = read(&world, &text(&challenge["message_id"])).await;
    assert_eq!(
        json!([message["cost_class"], message["country"], message["redirected"]]),
        json!(["domestic", "GB", true])
    );
}

#[tokio::test]
async fn messages_are_found_by_number_user_challenge_and_state_page_by_page() {
    let world = World::twilio();
    let (user, _, number) = world.user_with_phone().await;
    let mut challenges = Vec::new();
    for _ in 0..3 {
        world.here().clock.advance(Duration::from_secs(1));
        challenges.push(world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201));
    }
    world.here().clock.advance(Duration::from_secs(1));
    world.carriers.behave(Behaviour::Answer(400, json!({"code": 21211}).to_string()));
    world
        .post("/v1/challenges", &json!({"to": {"phone": number}}))
        .await
        .expect_problem(422, "message_recipient_refused");
    let ids = async |query: &str| {
        let page = world.get(&format!("/v1/messages?{query}")).await.expect(200);
        let ids: Vec<String> = page["data"].as_array().unwrap().iter().map(|message| text(&message["id"])).collect();
        (ids, page["next_cursor"].clone())
    };
    let typed = format!("({})%20{}-{}", &number[2..5], &number[5..8], &number[8..]);
    let (all, end) = ids(&format!("to={typed}")).await;
    assert_eq!((all.len(), end), (5, Value::Null));
    let mut newest_first = all.clone();
    newest_first.sort_by(|a, b| b.cmp(a));
    assert_eq!(all, newest_first);
    let (first, cursor) = ids(&format!("to=%2B{}&limit=3", &number[1..])).await;
    let (rest, end) = ids(&format!("to=%2B{}&limit=3&cursor={}", &number[1..], text(&cursor))).await;
    assert_eq!(([first, rest].concat(), end), (all.clone(), Value::Null));
    assert_eq!(ids(&format!("user_id={user}")).await.0, all[1..]);
    assert_eq!(ids(&format!("challenge_id={}", text(&challenges[2]["id"]))).await.0, all[1..2]);
    assert_eq!(ids("status=failed").await.0, all[..1]);
    assert_eq!(ids("to=%2B14155550000").await.0, Vec::<String>::new());
    let both = world.get(&format!("/v1/messages?status=failed&user_id={user}")).await;
    both.expect_problem(422, "form_param_invalid");
}
