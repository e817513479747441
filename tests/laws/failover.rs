//! Law 7 where there are several carriers: what one did not take goes to the next with the same code, each try a row
//! before its carrier is asked, within ten seconds, by each driver once; a refusal of the person or of fraud is final.

use std::time::Duration;

use postern::ports::{Clock, DatabaseError};
use serde_json::{Value, json};

use crate::support::{Behaviour, World, hook::Then, receipts, steps, vars};

/// A server with every carrier, which asks these in this order.
pub(super) async fn world(channel: &str, drivers: &[&str]) -> World {
    let world = World::native(&vars::prod_both("http://127.0.0.1:9")).unguarded();
    let route =
        if channel == "email" { json!({"drivers": drivers}) } else { json!({"countries": ["*"], "drivers": drivers}) };
    world.patch("/v1/instance", &json!({channel: {"routes": [route]}})).await.expect(200);
    world
}

/// An answer of Vonage's with this status.
pub(super) fn vonage(status: &str) -> Behaviour {
    Behaviour::Answer(
        200,
        json!({"message-count": "1", "messages": [{"status": status, "error-text": "no"}]}).to_string(),
    )
}

/// An answer of Twilio's with this error.
pub(super) fn twilio(status: u16, code: u32) -> Behaviour {
    Behaviour::Answer(status, json!({"code": code, "message": "no", "status": status}).to_string())
}

fn down() -> Behaviour {
    Behaviour::Answer(503, String::new())
}

/// A message and its tries' drivers and outcomes.
async fn read(world: &World, id: &Value) -> (Value, Vec<Value>) {
    let read = world.get(&format!("/v1/messages/{}", id.as_str().unwrap())).await.expect(200);
    let tries = read["tries"].as_array().unwrap().iter().map(|one| json!([one["driver"], one["outcome"]])).collect();
    (read["message"].clone(), tries)
}

fn carriers_to(world: &World, number: &str) -> Vec<&'static str> {
    world.carriers.sent_to(number).iter().map(|sent| sent.carrier).collect()
}

fn counted(world: &World) -> i64 {
    let sql = "SELECT coalesce(sum(count), 0) FROM counters WHERE key LIKE 'messages_per_destination_half_hour:%'";
    world.here().database.number(sql)
}

fn events(world: &World, kind: &str) -> i64 {
    world.here().database.number(&format!("SELECT count(*) FROM audit_events WHERE type = '{kind}'"))
}

#[tokio::test]
async fn the_next_driver_takes_what_the_first_did_not_in_one_more_round_trip() {
    let cases = [
        (vonage("1"), "retryable", 0),
        (vonage("4"), "misconfigured", 0),
        (down(), "unknown", 0),
        (Behaviour::Drop, "unknown", 0),
        (Behaviour::NotHttp, "unknown", 0),
        (Behaviour::Hang, "unknown", 4000),
    ];
    for (behaviour, outcome, waited) in cases {
        let world = world("sms", &["vonage", "twilio"]).await;
        let (number, here) = (world.number(), world.here());
        world.get("/v1/instance").await.expect(200);
        world.carriers.behave_as("vonage", None, behaviour);
        let (batches, began) = (here.database.batches(), here.clock.now());
        let challenge = world.challenge(&number).await;
        assert_eq!(here.database.batches() - batches, 3, "{outcome}: before, between and after the carriers");
        assert_eq!(began.until(here.clock.now()), Duration::from_millis(waited));
        let sent = world.carriers.sent_to(&number);
        assert_eq!(carriers_to(&world, &number), ["vonage", "twilio"]);
        assert_eq!(sent[0].code(), sent[1].code(), "the same code");
        let (message, tries) = read(&world, &challenge["message_id"]).await;
        assert_eq!(
            json!([message["status"], message["driver"], message["error_code"], message["error_class"]]),
            json!(["sent", "twilio", null, null])
        );
        assert!(message["provider_id"].as_str().unwrap().starts_with("SM"));
        assert_eq!(tries, [json!(["vonage", outcome]), json!(["twilio", "accepted"])]);
        assert_eq!(
            ["queued", "sent", "failed", "unknown"].map(|kind| events(&world, &format!("sms.{kind}"))),
            [1, 1, 0, 0]
        );
        assert_eq!(counted(&world), 1);
        // What a report has to be signed with stands in each try: nothing signs Vonage's here.
        let credentials = here.database.query("SELECT length(credential) AS length FROM message_tries ORDER BY rowid");
        assert_eq!([&credentials[0]["length"], &credentials[1]["length"]], [&Value::Null, &json!(16.0)]);
        world.answer(&challenge, &sent[0].code()).await.expect(200);
    }
}

#[tokio::test]
async fn a_refusal_of_the_person_or_for_fraud_is_final() {
    for (status, code) in [("6", "message_recipient_refused"), ("17", "message_blocked")] {
        let world = world("sms", &["vonage", "twilio"]).await;
        let number = world.number();
        world.carriers.behave_as("vonage", None, vonage(status));
        let refused = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
        let problem = refused.expect_problem(422, code);
        assert_eq!(carriers_to(&world, &number), ["vonage"]);
        assert_eq!(read(&world, &problem["message_id"]).await.0["status"], "failed");
        assert_eq!(counted(&world), 1, "that is the person's own");
    }
}

#[tokio::test]
async fn what_may_have_gone_out_stays_unknown_whatever_the_others_say() {
    for refusal in [twilio(400, 21211), twilio(400, 30450), twilio(429, 20429), twilio(400, 21408), Behaviour::Hang] {
        let world = world("sms", &["vonage", "twilio"]).await;
        let number = world.number();
        world.carriers.behave_as("vonage", None, down());
        world.carriers.behave_as("twilio", None, refusal);
        let challenge = world.challenge(&number).await;
        let (message, tries) = read(&world, &challenge["message_id"]).await;
        assert_eq!(
            json!([message["status"], message["driver"], message["error_code"], message["error_class"]]),
            json!(["unknown", "vonage", "http_503", "unknown"])
        );
        assert_eq!(tries.len(), 2);
        assert_eq!((events(&world, "sms.unknown"), events(&world, "sms.failed"), counted(&world)), (1, 0, 1));
        world.answer(&challenge, &world.carriers.sent_to(&number)[0].code()).await.expect(200);
    }
}

#[tokio::test]
async fn when_all_have_failed_the_last_failure_is_told_and_nothing_is_counted() {
    let world = world("sms", &["vonage", "twilio"]).await;
    let number = world.number();
    world.carriers.behave_as("vonage", None, vonage("1"));
    world.carriers.behave_as("twilio", None, twilio(400, 21408));
    for round in 1..=7 {
        let failed = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
        let problem = failed.expect_problem(502, "message_driver_misconfigured");
        assert!(problem["detail"].as_str().unwrap().contains("21408"), "{problem}");
        let (message, tries) = read(&world, &problem["message_id"]).await;
        assert_eq!(json!([message["status"], message["driver"]]), json!(["failed", "twilio"]));
        assert_eq!((tries.len(), events(&world, "sms.failed"), counted(&world)), (2, round, 0));
        let challenge = format!("/v1/challenges/{}", message["challenge_id"].as_str().unwrap());
        assert_eq!(world.get(&challenge).await.expect(200)["status"], "failed");
        // By then both circuits are open: the first is asked all the same.
        assert_eq!(carriers_to(&world, &number).len(), usize::try_from(round).unwrap() * 2);
    }
}

#[tokio::test]
async fn ten_seconds_are_all_that_anybody_waits() {
    let world = world("sms", &["vonage", "twilio", "webhook", "twilio_verify"]).await;
    let (number, here) = (world.number(), world.here());
    world.carriers.behave(Behaviour::Hang);
    world.carriers.hook.script(&number, [Then::Do(Behaviour::Hang)]);
    let began = here.clock.now();
    let challenge = world.challenge(&number).await;
    assert_eq!(began.until(here.clock.now()), Duration::from_secs(10));
    let (message, tries) = read(&world, &challenge["message_id"]).await;
    assert_eq!(message["status"], "unknown");
    let unknown = |driver| json!([driver, "unknown"]);
    assert_eq!(tries, [unknown("vonage"), unknown("twilio"), unknown("webhook")], "nobody has time for the fourth");
    let waited = here.database.query("SELECT latency_ms FROM message_tries ORDER BY rowid");
    assert_eq!(waited.iter().map(|row| row["latency_ms"].as_f64().unwrap()).collect::<Vec<_>>(), [4000., 4000., 2000.]);
}

/// Holds a request between the first carrier's answer and the second carrier, does something there, and lets it go on.
async fn meanwhile(world: &World, number: &str, change: impl AsyncFnOnce(Value)) -> Value {
    world.carriers.behave_as("vonage", None, down());
    world.get("/v1/instance").await.expect(200);
    let mut create = Box::pin(world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}})).send());
    steps(&mut create, 3).await;
    assert_eq!(carriers_to(world, number), ["vonage"], "the first has answered, and nothing of it is written down");
    let challenge = world.here().database.query("SELECT id, message_id FROM challenges ORDER BY rowid DESC LIMIT 1");
    change(json!({"id": challenge[0]["id"], "message_id": challenge[0]["message_id"]})).await;
    create.await.expect(201)
}

#[tokio::test]
async fn the_switch_stops_the_second_try() {
    let world = world("sms", &["vonage", "twilio"]).await;
    let number = world.number();
    let off = async |_| {
        world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
    };
    let challenge = meanwhile(&world, &number, off).await;
    assert_eq!(carriers_to(&world, &number), ["vonage"]);
    let (message, tries) = read(&world, &challenge["message_id"]).await;
    assert_eq!((&message["status"], tries), (&json!("unknown"), vec![json!(["vonage", "unknown"])]));
    // The switch of calls is another.
    world.patch("/v1/instance", &json!({"sms": {"enabled": true}, "voice": {"enabled": false}})).await.expect(200);
    let number = world.number();
    meanwhile(&world, &number, async |_| {}).await;
    assert_eq!(carriers_to(&world, &number), ["vonage", "twilio"]);
}

#[tokio::test]
async fn a_code_that_is_dead_or_was_told_is_not_sent_again() {
    for case in ["canceled", "answered", "too late", "delivered", "nothing"] {
        let world = world("sms", &["vonage", "twilio"]).await;
        let number = world.number();
        let change = async |challenge: Value| {
            let path = format!("/v1/challenges/{}", challenge["id"].as_str().unwrap());
            match case {
                "canceled" => drop(world.request("POST", &format!("{path}/cancel")).send().await.expect(200)),
                "answered" => {
                    let code = world.carriers.sent_to(&number)[0].code();
                    world.answer(&challenge, &code).await.expect(200);
                }
                "too late" => world.here().database.execute("UPDATE challenges SET code_expires_at = created_at"),
                "delivered" => world.here().database.execute("UPDATE messages SET status = 'delivered'"),
                _ => {}
            }
        };
        let challenge = meanwhile(&world, &number, change).await;
        let (message, tries) = read(&world, &challenge["message_id"]).await;
        let (asked, status): (&[&str], _) = match case {
            "nothing" => (&["vonage", "twilio"], "sent"),
            "delivered" => (&["vonage"], "delivered"),
            _ => (&["vonage"], "unknown"),
        };
        assert_eq!(carriers_to(&world, &number), asked, "{case}");
        assert_eq!((message["status"].as_str().unwrap(), tries.len()), (status, asked.len()), "{case}");
        assert_eq!(message["error_code"], if status == "unknown" { json!("http_503") } else { Value::Null }, "{case}");
    }
}

#[tokio::test]
async fn a_failure_that_is_reported_before_the_answer_stops_nothing() {
    for (case, goes_on) in [
        ("all failed", true),
        ("one may arrive", false),
        ("sent anew", false),
        ("switched off", false),
        ("stopped there", false),
        ("stopped elsewhere", true),
    ] {
        let world = world("sms", &["vonage", "twilio"]).await;
        let number = world.number();
        // What the receipt has left, and what else may have happened.
        let change = async |_| {
            let database = &world.here().database;
            database.execute("UPDATE message_tries SET reported = 'failed', reported_at = created_at");
            database.execute("UPDATE messages SET status = 'failed', error_code = '30005', provider_id = 'x'");
            match case {
                "one may arrive" => database.execute("UPDATE message_tries SET reported = 'sent'"),
                "sent anew" => database.execute("UPDATE messages SET fallback_at = created_at"),
                "switched off" => {
                    world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
                }
                "stopped there" | "stopped elsewhere" => {
                    let (here, there) = if goes_on { ("GB", "US") } else { ("us", "GB") };
                    let stopped = json!({"sms": {"stopped": [here]}, "voice": {"stopped": [there]}});
                    world.patch("/v1/instance", &json!({"countries": stopped})).await.expect(200);
                }
                _ => {}
            }
        };
        let challenge = meanwhile(&world, &number, change).await;
        let (message, tries) = read(&world, &challenge["message_id"]).await;
        let asked: &[&str] = if goes_on { &["vonage", "twilio"] } else { &["vonage"] };
        assert_eq!(carriers_to(&world, &number), asked, "{case}");
        assert_eq!(tries.len(), asked.len(), "{case}");
        let (status, error) = if goes_on { ("sent", Value::Null) } else { ("failed", json!("30005")) };
        assert_eq!((&message["status"], &message["error_code"]), (&json!(status), &error), "{case}");
    }
}

#[tokio::test]
async fn a_driver_that_is_stored_twice_is_asked_once_and_the_next_one_after_it() {
    let world = receipts::both(&["vonage", "vonage", "twilio"]);
    let number = world.number();
    world.carriers.behave_as("vonage", None, vonage("1"));
    world.challenge(&number).await;
    assert_eq!(carriers_to(&world, &number), ["vonage", "twilio"]);
}

#[tokio::test]
async fn nobody_is_asked_whose_try_could_not_be_written_down() {
    let world = world("sms", &["vonage", "twilio"]).await;
    let number = world.number();
    let broken = async |_| world.here().database.fail_after(0, DatabaseError::Unavailable("overloaded".to_owned()));
    let challenge = meanwhile(&world, &number, broken).await;
    assert!(world.here().database.has_failed());
    assert_eq!(carriers_to(&world, &number), ["vonage"]);
    let (message, tries) = read(&world, &challenge["message_id"]).await;
    assert_eq!((&message["status"], tries), (&json!("unknown"), vec![json!(["vonage", "unknown"])]));
    assert!(world.here().log.lines().iter().any(|line| line.contains("could not go on to twilio")));
}

#[tokio::test]
async fn a_worker_that_ends_between_two_tries_leaves_a_known_state() {
    for steps_taken in [3, 4, 5] {
        let world = world("sms", &["vonage", "twilio"]).await;
        world.carriers.behave_as("vonage", None, down());
        world.get("/v1/instance").await.expect(200);
        let body = json!({"to": {"phone": world.number()}});
        let mut create = Box::pin(world.request("POST", "/v1/challenges").json(&body).send());
        steps(&mut create, steps_taken).await;
        drop(create);
        let here = world.here();
        let tries = |outcome: &str| {
            here.database.number(&format!("SELECT count(*) FROM message_tries WHERE outcome {outcome}"))
        };
        assert_eq!(tries("IS NULL"), 1, "{steps_taken}: the one that may be under way");
        assert_eq!(tries("= 'unknown'"), i64::from(steps_taken > 3));
        here.clock.advance(Duration::from_mins(11));
        postern::housekeeping::run(&here.app).await.unwrap();
        assert_eq!(tries("IS NULL"), 0);
        let settled = here.database.number("SELECT count(*) FROM messages WHERE status = 'unknown'");
        assert_eq!(settled, 1);
    }
}

#[tokio::test]
async fn calls_go_the_same_way() {
    let world = world("voice", &["vonage", "twilio"]).await;
    let number = world.number();
    world.carriers.behave_as("vonage", None, down());
    let challenge = world.call(&number).await;
    let calls = world.carriers.calls_to(&number);
    assert_eq!(calls.iter().map(|call| call.carrier).collect::<Vec<_>>(), ["vonage", "twilio"]);
    let (message, tries) = read(&world, &challenge["message_id"]).await;
    assert_eq!(json!([message["status"], message["driver"]]), json!(["sent", "twilio"]));
    assert_eq!(tries, [json!(["vonage", "unknown"]), json!(["twilio", "accepted"])]);
    let told = calls[1].hear(&world).await;
    world.answer(&challenge, &told.code().unwrap()).await.expect(200);
    // The first call may have been made too: its key is as good.
    let other = world.number();
    let challenge = world.call(&other).await;
    let first = world.carriers.calls_to(&other)[0].clone();
    assert_eq!(first.carrier, "vonage");
    let told = first.hear(&world).await;
    world.answer(&challenge, &told.code().expect("a call whose answer was lost tells the code")).await.expect(200);
    assert_eq!(read(&world, &challenge["message_id"]).await.0["status"], "delivered");
}

#[tokio::test]
async fn a_call_that_nobody_took_leaves_the_phone_available_and_one_that_nobody_made_does_not() {
    for status in ["no-answer", "busy", "canceled", "completed", "nobody made it"] {
        let world = world("voice", &["vonage", "twilio"]).await;
        let (user, _, number) = world.user_with_phone().await;
        // Calls alone are left.
        world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
        world.here().clock.advance(Duration::from_secs(31));
        world.carriers.behave_as("vonage", None, Behaviour::Answer(429, String::new()));
        let ask = json!({"user_id": user, "channel": "voice"});
        let reason = async || world.evaluate(&user, &json!({})).await.expect(200)["reason"]["code"].clone();
        if status == "nobody made it" {
            world.carriers.behave_as("twilio", None, twilio(429, 10004));
            world.post("/v1/challenges", &ask).await.expect_problem(502, "message_failed");
            assert_eq!(reason().await, "factor_unavailable");
            continue;
        }
        let challenge = world.post("/v1/challenges", &ask).await.expect(201);
        let calls = world.carriers.calls_to(&number);
        assert_eq!(calls.iter().map(|call| call.carrier).collect::<Vec<_>>(), ["vonage", "twilio"]);
        calls[1].report(&world, status).await;
        let (message, tries) = read(&world, &challenge["message_id"]).await;
        assert_eq!((&message["status"], tries.len()), (&json!("failed"), 2), "{status}");
        assert_eq!(reason().await, "enrolled_factor", "{status}");
    }
}

#[tokio::test]
async fn mail_goes_the_same_way_codes_and_notices_and_invitations() {
    let world = world("email", &["resend", "postmark"]).await;
    let to = |address: &str| -> Vec<&'static str> {
        world.carriers.mail.sent_to(address).iter().map(|mail| mail.provider).collect()
    };
    world.carriers.mail.behave_as("resend", None, Behaviour::Hang);
    let address = world.address();
    let challenge = world.post("/v1/challenges", &json!({"to": {"email": address}})).await.expect(201);
    assert_eq!(to(&address), ["resend", "postmark"]);
    let (message, tries) = read(&world, &challenge["message_id"]).await;
    assert_eq!(json!([message["status"], message["driver"]]), json!(["sent", "postmark"]));
    assert_eq!(tries, [json!(["resend", "unknown"]), json!(["postmark", "accepted"])]);
    world.answer(&challenge, &world.code(&address).await).await.expect(200);

    let app = json!({"name": "Shop", "origins": ["https://app.example.com"]});
    world.post("/v1/apps", &app).await.expect(201);
    let invite = json!({"email": "eve@example.com", "url": "https://app.example.com/join"});
    world.post("/v1/invitations", &invite).await.expect(201);
    assert_eq!(to("eve@example.com"), ["resend", "postmark"]);

    // Who is told of a new password hears it by whoever carries mail.
    let owner = world.address();
    let user = world.post("/v1/users", &json!({"email": owner})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let body = json!({"type": "password", "password": "lilac-otter-walks-at-dawn", "override": {"reason": "x"}});
    world.post(&format!("/v1/users/{user}/factors"), &body).await.expect(201);
    assert_eq!(to(&owner), ["resend", "postmark"]);
    let states = world.here().database.query("SELECT DISTINCT status, driver FROM messages");
    assert_eq!(states.len(), 1, "{states:?}");
    assert_eq!((&states[0]["status"], &states[0]["driver"]), (&json!("sent"), &json!("postmark")));
}
