//! The numbers tell what happened: each try once, in its hour, by who carried it, whatever order things come in and however
//! many come at once; and what goes to nobody counts nowhere.

use std::time::Duration;

use postern::{housekeeping, message::fallback};
use serde_json::{Value, json};

use super::failover::{twilio as answer_of_twilio, vonage as answer_of_vonage};
use crate::support::{
    Behaviour, World, at_once, count,
    exposition::parse,
    receipts::{both, read, store, taken, twilio, vonage},
    steps, vars,
};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

const NAMES: [&str; 6] = ["sent", "codes", "delivered", "failed", "refused", "verified"];

/// What was sent, of it codes, delivered, failed, of it refused, verified.
fn counts(row: &Value) -> [i64; 6] {
    NAMES.map(|name| row[name].as_i64().unwrap_or_else(|| panic!("{name}: {row}")))
}

async fn metrics(world: &World, query: &str) -> Value {
    world.get(&format!("/v1/metrics/messages?{query}")).await.expect(200)
}

/// The counts of everything; they are the same however they are asked for, and make sense together.
async fn total(world: &World) -> [i64; 6] {
    let all = metrics(world, "by=hour,country,driver,channel,template,app_id").await;
    let total = counts(&all["total"]);
    let rows: Vec<[i64; 6]> = all["data"].as_array().unwrap().iter().map(counts).collect();
    assert_eq!(std::array::from_fn(|at| rows.iter().map(|row| row[at]).sum::<i64>()), total, "{all:#}");
    for [sent, codes, delivered, failed, refused, verified] in rows {
        assert!(codes <= sent && delivered + failed - refused <= sent && verified <= codes, "{all:#}");
        assert!(refused >= 0 && failed >= refused, "{all:#}");
    }
    let ever = NAMES.map(|name| {
        let sql = format!("SELECT coalesce(sum({name}), 0) FROM message_hours WHERE hour = 0");
        world.here().database.number(&sql)
    });
    assert_eq!(ever, total, "what was ever counted");
    let scraped = parse(&world.get("/v1/metrics").await.text);
    for (name, wanted) in NAMES.iter().zip(total) {
        let family = scraped.get(&format!("postern_messages_{name}_total"));
        let sum: f64 = family.iter().flat_map(|family| &family.samples).map(|(_, _, value)| value).sum();
        #[allow(clippy::cast_precision_loss)]
        let wanted = wanted as f64;
        assert!((sum - wanted).abs() < 0.5, "{name}: {sum} of {wanted}");
    }
    for (until, at) in [("delivered", 2), ("verified", 5)] {
        let sql = format!("SELECT coalesce(sum(count), 0) FROM message_times WHERE hour > 0 AND until = '{until}'");
        assert_eq!(world.here().database.number(&sql), total[at], "each has its time");
    }
    total
}

/// The counts by driver.
async fn by_driver(world: &World) -> Vec<(String, [i64; 6])> {
    total(world).await;
    let all = metrics(world, "by=driver").await;
    all["data"].as_array().unwrap().iter().map(|row| (text(&row["driver"]), counts(row))).collect()
}

/// An SMS that went out: its challenge, its id, and the carrier's.
async fn sent(world: &World, number: &str) -> (Value, String, String) {
    let challenge = world.challenge(number).await;
    let id = text(&challenge["message_id"]);
    let provider_id = text(&read(world, &id).await["message"]["provider_id"]);
    (challenge, id, provider_id)
}

#[tokio::test]
async fn a_message_is_sent_delivered_and_verified_once() {
    let world = World::twilio();
    let number = world.number();
    let (challenge, id, sid) = sent(&world, &number).await;
    assert_eq!(total(&world).await, [1, 1, 0, 0, 0, 0]);
    world.here().clock.advance(Duration::from_millis(2500));
    for state in ["sent", "delivered", "delivered", "sent", "failed"] {
        taken(twilio(&world, &id, &sid, state)).await;
        let delivered = i64::from(state != "sent" || total(&world).await[2] == 1);
        assert_eq!(total(&world).await, [1, 1, delivered, 0, 0, 0], "{state}");
    }
    world.here().clock.advance(Duration::from_millis(9500));
    let code = world.code(&number).await;
    world.answer(&challenge, &world.wrong(&code)).await;
    world.answer(&challenge, &code).await.expect(200);
    world.answer(&challenge, &code).await.expect(409);
    assert_eq!(total(&world).await, [1, 1, 1, 0, 0, 1]);
    let all = metrics(&world, "by=day,hour,country,driver,channel,template,app_id").await;
    let row = &all["data"][0];
    assert_eq!(
        (&row["day"], &row["hour"], &row["country"], &row["driver"]),
        (&json!("2026-11-22"), &json!("2026-11-22T10:00:00.000Z"), &json!("US"), &json!("twilio"))
    );
    assert_eq!(
        (&row["channel"], &row["template"], &row["app_id"]),
        (&json!("sms"), &json!("verification_code"), &Value::Null)
    );
    assert_eq!((row["conversion"].as_f64(), row["delivery_rate"].as_f64()), (Some(1.0), Some(1.0)));
    // Between two and three seconds, and between eight and twelve.
    assert_eq!(row["time_to_deliver"], json!({"p50_ms": 2500, "p95_ms": 2950}));
    assert_eq!(row["time_to_verify"], json!({"p50_ms": 10_000, "p95_ms": 11_800}));
}

#[tokio::test]
async fn a_carrier_that_refuses_has_failed_and_the_next_one_has_sent() {
    let world = both(&["vonage", "twilio"]);
    world.carriers.behave_as("vonage", None, answer_of_vonage("1"));
    let number = world.number();
    let (challenge, ..) = sent(&world, &number).await;
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    assert_eq!(
        by_driver(&world).await,
        [("twilio".to_owned(), [1, 1, 0, 0, 0, 1]), ("vonage".to_owned(), [0, 0, 0, 1, 1, 0])]
    );
    let rows = metrics(&world, "by=driver").await["data"].clone();
    assert_eq!((&rows[1]["conversion"], &rows[1]["delivery_rate"]), (&Value::Null, &Value::Null), "nothing was sent");
    // What no one takes has failed at each.
    world.carriers.behave_as("twilio", None, answer_of_twilio(400, 21610));
    world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await.expect(422);
    assert_eq!(
        by_driver(&world).await,
        [("twilio".to_owned(), [1, 1, 0, 1, 1, 1]), ("vonage".to_owned(), [0, 0, 0, 2, 2, 0])]
    );
}

#[tokio::test]
async fn silence_counts_as_sent_and_who_is_reported_delivered_has_verified() {
    for (reported, verified) in [(None, "twilio"), (Some("vonage"), "vonage"), (Some("twilio"), "twilio")] {
        let world = both(&["vonage", "twilio"]);
        world.carriers.behave_as("vonage", None, Behaviour::Hang);
        let number = world.number();
        let (challenge, id, sid) = sent(&world, &number).await;
        let copy = world.carriers.sent_to(&number)[0].clone();
        match reported {
            Some("vonage") => drop(taken(vonage(&world, &copy, "M0", "delivered")).await),
            Some(_) => drop(taken(twilio(&world, &id, &sid, "delivered")).await),
            None => {}
        }
        world.answer(&challenge, &copy.code()).await.expect(200);
        let of = |name: &str| [1, 1, i64::from(reported == Some(name)), 0, 0, i64::from(verified == name)];
        let wanted = ["twilio", "vonage"].map(|name| (name.to_owned(), of(name)));
        assert_eq!(by_driver(&world).await, wanted, "{reported:?}");
    }
}

/// The carrier's report is there before its answer is written down, be that answer what it may.
#[tokio::test]
async fn a_report_that_comes_early_counts_the_same() {
    let cases = [
        (Behaviour::Accept, "delivered", [1, 1, 1, 0, 0, 0]),
        (Behaviour::Accept, "failed", [1, 1, 0, 1, 0, 0]),
        (Behaviour::Drop, "delivered", [1, 1, 1, 0, 0, 0]),
        // It says that it did not take it, and reports of it: it has.
        (answer_of_vonage("1"), "delivered", [1, 1, 1, 0, 0, 0]),
        (answer_of_vonage("1"), "failed", [1, 1, 0, 1, 0, 0]),
    ];
    for (behaviour, state, wanted) in cases {
        let world = World::vonage();
        world.get("/v1/instance").await.expect(200);
        let number = world.british_number();
        world.carriers.behave_for(&number, behaviour);
        let body = json!({"to": {"phone": number}});
        let mut create = Box::pin(world.request("POST", "/v1/challenges").json(&body).send());
        steps(&mut create, 3).await;
        let copy = world.carriers.sent_to(&number).remove(0);
        taken(vonage(&world, &copy, "M0", state)).await;
        create.await;
        assert_eq!(total(&world).await, wanted, "{state}");
    }
}

/// A carrier made the call, said that it did not, and somebody pressed a key in it.
#[tokio::test]
async fn what_was_refused_and_arrives_all_the_same_was_sent() {
    let world = World::twilio();
    let number = world.number();
    world.call(&number).await;
    world.here().database.execute("UPDATE message_tries SET outcome = NULL; DELETE FROM message_hours");
    world.here().database.execute("UPDATE message_tries SET outcome = 'retryable'");
    assert_eq!(total(&world).await, [0, 0, 0, 1, 1, 0]);
    world.called(&number).hear(&world).await;
    assert_eq!(total(&world).await, [1, 1, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_resend_is_one_more_and_the_newest_code_comes_back() {
    let world = World::twilio();
    let number = world.number();
    let (challenge, ..) = sent(&world, &number).await;
    // In the next hour.
    world.here().clock.advance(Duration::from_secs(3599));
    let (challenge_2, ..) = sent(&world, &world.number()).await;
    assert_ne!(challenge["id"], challenge_2["id"]);
    world.here().clock.advance(Duration::from_secs(61));
    let number = world.number();
    let (challenge, ..) = sent(&world, &number).await;
    world.here().clock.advance(Duration::from_secs(31));
    let resend = format!("/v1/challenges/{}/resend", text(&challenge["id"]));
    world.request("POST", &resend).send().await.expect(200);
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    assert_eq!(total(&world).await, [4, 4, 0, 0, 0, 1]);
    let rows = metrics(&world, "by=hour").await["data"].clone();
    assert_eq!(counts(&rows[0]), [2, 2, 0, 0, 0, 0]);
    assert_eq!((counts(&rows[1]), rows[1]["conversion"].as_f64()), ([2, 2, 0, 0, 0, 1], Some(0.5)));
}

#[tokio::test]
async fn a_fallback_counts_for_the_driver_and_in_the_hour_that_it_went_out_in() {
    let world = both(&["vonage", "twilio"]);
    store(&world, "sms.fallback", &json!({"enabled": true, "after_seconds": 60}));
    store(&world, "limits.messages_per_destination_half_hour", &json!(5));
    world.here().clock.advance(Duration::from_secs(3590));
    let number = world.number();
    let (challenge, ..) = sent(&world, &number).await;
    world.here().clock.advance(Duration::from_secs(20));
    taken(vonage(&world, &world.carriers.sent_to(&number)[0].clone(), "M0", "failed")).await;
    fallback::run(&world.here().app).await.unwrap();
    assert_eq!(world.carriers.sent_to(&number).len(), 2);
    world.here().clock.advance(Duration::from_secs(4));
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    assert_eq!(
        by_driver(&world).await,
        [("twilio".to_owned(), [1, 1, 0, 0, 0, 1]), ("vonage".to_owned(), [1, 1, 0, 1, 0, 0])]
    );
    let rows = metrics(&world, "by=hour,driver").await["data"].clone();
    assert_eq!((&rows[0]["hour"], &rows[0]["driver"]), (&json!("2026-11-22T10:00:00.000Z"), &json!("vonage")));
    assert_eq!((&rows[1]["hour"], &rows[1]["driver"]), (&json!("2026-11-22T11:00:00.000Z"), &json!("twilio")));
    assert_eq!(
        rows[1]["time_to_verify"]["p95_ms"],
        json!(4900),
        "since the second try, in the class of 3 to 5 seconds"
    );
    assert_eq!((rows[0]["delivery_rate"].as_f64(), &rows[1]["delivery_rate"]), (Some(0.0), &Value::Null));
}

#[tokio::test]
async fn what_others_deliver_is_sent_by_nobody_of_ours() {
    let world = World::twilio();
    world.listen(&["sms.queued"]).await;
    world.here().database.execute(
        "INSERT INTO templates (channel, slug, locale, delivered_by_us, updated_at)
         VALUES ('sms', 'verification_code', '', 0, 0);
         UPDATE instance SET version = version + 1",
    );
    let number = world.number();
    let challenge = world.challenge(&number).await;
    assert_eq!(by_driver(&world).await, [("handed_over".to_owned(), [1, 1, 0, 0, 0, 0])]);
    world.here().database.execute(&format!(
        "UPDATE challenges SET verified_at = created_at + 1000 WHERE id = '{}'",
        text(&challenge["id"])
    ));
    assert_eq!(by_driver(&world).await, [("handed_over".to_owned(), [1, 1, 0, 0, 0, 1])]);
    assert_eq!(metrics(&world, "driver=handed_over").await["total"]["delivery_rate"], Value::Null);
}

#[tokio::test]
async fn test_numbers_and_test_keys_count_nowhere() {
    let world = World::twilio();
    let mode = json!({"test_mode": "enabled", "test_mode_expires_at": "2026-11-22T11:00:00Z"});
    world.patch("/v1/instance", &mode).await.expect(200);
    let tested = world.challenge("+15555550100").await;
    world.answer(&tested, "424242").await.expect(200);
    let scopes = json!({"name": "t", "scopes": ["challenges"], "test": true});
    let key = world.post("/v1/api-keys", &scopes).await.expect(201);
    let key = text(&key["secret"]);
    assert!(key.starts_with("sk_test_"));
    let body = json!({"to": {"phone": world.number()}});
    world.request("POST", "/v1/challenges").key(&key).json(&body).send().await.expect(201);
    assert_eq!(world.here().database.number("SELECT count(*) FROM messages"), 2);
    world.here().database.execute("UPDATE challenges SET verified_at = 1 WHERE verified_at IS NULL");
    assert_eq!(total(&world).await, [0; 6]);
    assert_eq!(world.here().database.number("SELECT count(*) FROM message_hours"), 0);
    assert_eq!(world.here().analytics.points(), Vec::<Value>::new());
}

#[tokio::test]
async fn the_null_driver_counts_and_so_do_mails_and_notices() {
    let world = World::null();
    let (user, _, address) = world.user_with_email().await;
    let number = world.number();
    let phone = json!({"type": "phone", "phone": number, "override": {"reason": "x"}});
    // The mailbox hears of it.
    world.enrol(&user, &phone, &number).await;
    let challenge = world.post("/v1/challenges", &json!({"to": {"email": address}})).await.expect(201);
    world.answer(&challenge, &world.code(&address).await).await.expect(200);
    let [sent, codes, delivered, failed, refused, verified] = total(&world).await;
    assert_eq!((codes, delivered, failed, refused, verified), (3, 0, 0, 0, 3));
    let notices = metrics(&world, "template=security_notice").await;
    assert_eq!((sent, counts(&notices["total"])), (4, [1, 0, 0, 0, 0, 0]));
    assert_eq!(notices["total"]["conversion"], Value::Null, "a notice has no code");
    let mails = metrics(&world, "by=country,channel&channel=email").await["data"].clone();
    assert_eq!((&mails[0]["country"], &mails[0]["delivery_rate"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn what_housekeeping_settles_may_have_been_sent() {
    let world = World::twilio();
    let number = world.number();
    world.get("/v1/instance").await.expect(200);
    let body = json!({"to": {"phone": number}});
    let mut create = Box::pin(world.request("POST", "/v1/challenges").json(&body).send());
    steps(&mut create, 3).await;
    drop(create);
    assert_eq!(total(&world).await, [0; 6], "nobody knows yet");
    world.here().clock.advance(Duration::from_mins(11));
    for _ in 0..2 {
        housekeeping::run(&world.here().app).await.unwrap();
        assert_eq!(total(&world).await, [1, 1, 0, 0, 0, 0]);
    }
}

#[tokio::test]
async fn a_hundred_at_once_are_a_hundred() {
    let world = World::twilio();
    store(&world, "fraud.mode", &json!("off"));
    let numbers: Vec<String> = (0..100).map(|_| world.number()).collect();
    let create = |number: &String| world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}));
    let made = at_once(numbers.iter().map(create).collect()).await;
    assert_eq!(count(&made, 201, ""), 100);
    let mut answers = Vec::new();
    for (made, number) in made.iter().zip(&numbers) {
        let path = format!("/v1/challenges/{}/answer", text(&made.json["id"]));
        let code = world.code(number).await;
        // Twice each.
        answers.extend((0..2).map(|_| world.request("POST", &path).json(&json!({"code": code}))));
    }
    assert_eq!(count(&at_once(answers).await, 200, ""), 100);
    let sids: Vec<(String, String)> = {
        let rows = world.here().database.query("SELECT id, provider_id FROM messages");
        rows.iter().map(|row| (text(&row["id"]), text(&row["provider_id"]))).collect()
    };
    let reports = sids.iter().flat_map(|(id, sid)| (0..2).map(|_| twilio(&world, id, sid, "delivered"))).collect();
    assert_eq!(count(&at_once(reports).await, 204, ""), 200);
    assert_eq!(total(&world).await, [100, 100, 100, 0, 0, 100]);
}

/// A point per message whose carriers were asked, and one when a carrier reports how it ended; never a number or a user.
#[tokio::test]
async fn analytics_gets_a_point_per_ending_and_nobodys_number() {
    let world = both(&["vonage", "twilio"]);
    let prices = json!({"sms": {"US": "0.0079", "*": "0.05"}, "voice": {"*": "0.2"}});
    world.patch("/v1/instance", &json!({"fraud": {"spend": {"prices": prices}}})).await.expect(200);
    world.carriers.behave_as("vonage", None, answer_of_vonage("1"));
    let app = world.post("/v1/apps", &json!({"name": "Shop"})).await.expect(201)["id"].clone();
    let number = world.number();
    let body = json!({"to": {"phone": number}, "app_id": app});
    let made = world.post("/v1/challenges", &body).await.expect(201);
    let id = text(&made["message_id"]);
    let sid = text(&read(&world, &id).await["message"]["provider_id"]);
    world.here().clock.advance(Duration::from_millis(2500));
    for state in ["sent", "delivered", "delivered"] {
        taken(twilio(&world, &id, &sid, state)).await;
    }
    let of = |status: &str, doubles: Value| json!({"indexes": ["US"], "blobs": ["sms", "US", "twilio", "verification_code", app, status], "doubles": doubles});
    let points = world.here().analytics.points();
    assert_eq!(points, [of("sent", json!([7900, 0, 1])), of("delivered", json!([0, 2500, 0]))]);
    assert!(points.iter().all(|point| !point.to_string().contains(&number[1..])));
    // Nobody took it: it cost nothing.
    world.carriers.behave_as("twilio", None, answer_of_twilio(400, 21610));
    world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await.expect(422);
    let last = world.here().analytics.points().pop().unwrap();
    assert_eq!((&last["blobs"][5], &last["doubles"]), (&json!("failed"), &json!([0, 0, 0])));
}

#[tokio::test]
async fn a_call_has_its_points_by_the_key() {
    let world = World::native(&vars::prod_twilio("http://127.0.0.1:9"));
    let number = world.number();
    world.call(&number).await;
    let call = world.called(&number);
    call.hear(&world).await;
    call.hear(&world).await;
    call.report(&world, "completed").await;
    let points = world.here().analytics.points();
    let statuses: Vec<&Value> = points.iter().map(|point| &point["blobs"][5]).collect();
    assert_eq!(statuses, ["sent", "delivered"], "{points:?}");
    assert_eq!(total(&world).await, [1, 1, 1, 0, 0, 0]);
}
