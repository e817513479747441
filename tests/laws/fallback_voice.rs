//! Where no driver of SMS is left, the code is told by a call: once, however many see it, where all that holds for calls
//! allows it, and only if the settings want it (`docs/decisions/0049`).

use std::time::Duration;

use postern::message::fallback;
use serde_json::{Value, json};

use super::{
    failover::twilio as answer_of_twilio,
    fallback::{carriers_to, history, history_of_twilio, normal, run, sent},
};
use crate::support::{
    Behaviour, World, at_once, count,
    receipts::{both, read, store, taken, twilio, twilio_with, vonage},
    vars,
};

const MINUTE: Duration = Duration::from_secs(61);

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// These drivers of SMS, Twilio for calls, and the fallback to calls switched on.
fn world(drivers: &[&str]) -> World {
    let world = both(drivers);
    store(&world, "sms.fallback", &json!({"enabled": true, "after_seconds": 60, "voice": true}));
    normal(&world);
    world
}

fn calls(world: &World, number: &str) -> usize {
    world.carriers.calls_to(number).len()
}

fn counted(world: &World, limit: &str) -> i64 {
    let sql = format!("SELECT coalesce(sum(count), 0) FROM counters WHERE key LIKE '{limit}:%'");
    world.here().database.number(&sql)
}

async fn challenge(world: &World, challenge: &Value) -> Value {
    world.get(&format!("/v1/challenges/{}", text(&challenge["id"]))).await.expect(200)
}

/// Twilio reports an SMS lost.
async fn lost(world: &World, id: &str, error: &str) {
    let sid = text(&read(world, id).await["message"]["provider_id"]);
    let fields = [("MessageSid", sid.as_str()), ("MessageStatus", "undelivered"), ("ErrorCode", error)];
    taken(twilio_with(world, vars::TOKEN, id, &fields)).await;
}

#[tokio::test]
async fn silence_is_followed_by_one_call_with_the_same_code() {
    let world = world(&["vonage"]);
    let (number, made, id) = sent(&world).await;
    let code = world.code(&number).await;
    run(&world).await;
    assert_eq!(calls(&world, &number), 0, "a receipt may still come");
    for _ in 0..3 {
        world.here().clock.advance(MINUTE);
        run(&world).await;
        assert_eq!((calls(&world, &number), carriers_to(&world, &number).len()), (1, 1));
    }
    let call = world.called(&number);
    assert_eq!((call.carrier, call.heard.code()), ("twilio", None), "it waits for a key");
    // A message of its own, which is the challenge's newest one from here on.
    let now = challenge(&world, &made).await;
    assert_eq!(json!([now["channel"], now["sends"], now["status"]]), json!(["voice", 2, "pending"]));
    let called = read(&world, &text(&now["message_id"])).await;
    let row = &called["message"];
    assert_eq!(
        json!([row["channel"], row["status"], row["driver"], row["challenge_id"], row["template"], row["locale"]]),
        json!(["voice", "sent", "twilio", made["id"], "verification_code", "en-US"])
    );
    assert_eq!(called["tries"].as_array().unwrap().len(), 1);
    let first = read(&world, &id).await["message"].clone();
    assert_eq!(json!([first["status"], first["fallback_at"]]), json!(["sent", null]), "the SMS stays what it was");
    let actors = "SELECT actor, type FROM audit_events WHERE type LIKE 'voice.%' ORDER BY id";
    let told: Vec<Value> =
        world.here().database.query(actors).iter().map(|row| json!([row["type"], row["actor"]])).collect();
    assert_eq!(told, [json!(["voice.queued", "fallback"]), json!(["voice.sent", "fallback"])]);
    for (limit, wanted) in [
        ("messages_per_destination_half_hour", 2),
        ("calls_per_new_destination", 1),
        ("tries_per_destination_half_hour", 2),
    ] {
        assert_eq!(counted(&world, limit), wanted, "{limit}");
    }
    assert_eq!(call.hear(&world).await.code().as_ref(), Some(&code));
    assert_eq!(read(&world, &text(&now["message_id"])).await["message"]["status"], "delivered");
    world.answer(&made, &code).await.expect(200);
    assert_eq!(call.hear(&world).await.code(), None, "answered is over");
}

#[tokio::test]
async fn every_driver_of_sms_is_asked_before() {
    let world = world(&["vonage", "twilio"]);
    history_of_twilio(&world);
    normal(&world);
    let (number, _, _) = sent(&world).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        world.here().clock.advance(MINUTE);
        run(&world).await;
        seen.push((carriers_to(&world, &number).len(), calls(&world, &number)));
        run(&world).await;
        assert_eq!(
            seen.last(),
            Some(&(carriers_to(&world, &number).len(), calls(&world, &number))),
            "each has its time"
        );
    }
    assert_eq!(seen, [(2, 0), (2, 1), (2, 1), (2, 1)]);
}

#[tokio::test]
async fn what_both_report_lost_is_called_for_after_the_response() {
    let world = world(&["vonage", "twilio"]);
    let (number, made, id) = sent(&world).await;
    let code = world.code(&number).await;
    taken(vonage(&world, &world.carriers.sent_to(&number)[0].clone(), "M0", "failed")).await;
    assert_eq!((carriers_to(&world, &number).len(), calls(&world, &number)), (2, 0));
    lost(&world, &id, "30008").await;
    assert_eq!((carriers_to(&world, &number).len(), calls(&world, &number)), (2, 1));
    assert_eq!(read(&world, &id).await["message"]["status"], "failed");
    // The same report again is no other reason.
    lost(&world, &id, "30008").await;
    world.here().clock.advance(MINUTE);
    run(&world).await;
    assert_eq!(calls(&world, &number), 1);
    assert_eq!(world.called(&number).hear(&world).await.code().as_ref(), Some(&code));
    world.answer(&made, &code).await.expect(200);
}

#[tokio::test]
async fn a_fixed_line_that_the_carrier_reports_is_called_and_nobody_who_gets_nothing() {
    // What Twilio reports; whether Vonage is asked, and whether the number is called.
    for (error, asked, called) in [
        ("30006", false, true),
        ("21614", false, true),
        ("30005", false, false),
        ("21610", false, false),
        ("30008", true, false),
    ] {
        let world = world(&["twilio", "vonage"]);
        let (number, _, id) = sent(&world).await;
        lost(&world, &id, error).await;
        run(&world).await;
        let reached = (carriers_to(&world, &number).len() == 2, calls(&world, &number) == 1);
        assert_eq!(reached, (asked, called), "{error}");
    }
}

#[tokio::test]
async fn nobody_is_called_where_calls_may_not_go() {
    type Case<'a> = (&'a str, &'a dyn Fn(&World), usize);
    let cases: [Case<'_>; 13] = [
        ("as it is", &|_| {}, 1),
        ("not asked for", &|world| store(world, "sms.fallback.voice", &json!(false)), 0),
        ("not understood", &|world| store(world, "sms.fallback.voice", &json!("yes")), 0),
        ("fallback off", &|world| store(world, "sms.fallback.enabled", &json!(false)), 0),
        ("calls off", &|world| store(world, "voice.enabled", &json!(false)), 0),
        ("calls stopped there", &|world| store(world, "countries.voice.stopped", &json!(["US"])), 0),
        ("calls stopped elsewhere", &|world| store(world, "countries.voice.stopped", &json!(["GB"])), 1),
        ("calls not allowed there", &|world| store(world, "countries.voice.allowed", &json!(["GB"])), 0),
        ("nothing calls", &|world| store(world, "voice.driver", &json!("null")), 0),
        ("another calls", &|world| store(world, "voice.driver", &json!("vonage")), 1),
        // Whoever stops SMS in an attack wants no calls in their place.
        ("SMS off", &|world| store(world, "sms.enabled", &json!(false)), 0),
        ("SMS stopped there", &|world| store(world, "countries.sms.stopped", &json!(["US"])), 0),
        ("no such numbers", &|world| store(world, "numbers.refused", &json!(["fixed_line_or_mobile"])), 0),
    ];
    for (case, change, wanted) in cases {
        let world = world(&["vonage"]);
        let (number, _, _) = sent(&world).await;
        world.here().clock.advance(MINUTE);
        change(&world);
        run(&world).await;
        assert_eq!(calls(&world, &number), wanted, "{case}");
    }
    // The gate cannot be kept.
    let mut bindings = vars::prod_both("http://127.0.0.1:9");
    bindings.insert("PUBLIC_URL".to_owned(), json!("http://login.example.com"));
    let world = World::native(&bindings);
    store(&world, "sms.fallback", &json!({"enabled": true, "voice": true}));
    store(&world, "sms.routes", &json!([{"drivers": ["vonage"]}]));
    normal(&world);
    let (number, _, _) = sent(&world).await;
    world.here().clock.advance(MINUTE);
    run(&world).await;
    assert_eq!(calls(&world, &number), 0);
}

#[tokio::test]
async fn not_once_its_challenge_is_over_or_its_code_another() {
    for what in [
        "answered",
        "canceled",
        "resent",
        "wrong",
        "too late to call",
        "all codes sent",
        "veiled",
        "a country that is not normal",
    ] {
        let world = world(&["vonage"]);
        let (number, made, _) = sent(&world).await;
        let code = world.code(&number).await;
        let path = format!("/v1/challenges/{}", text(&made["id"]));
        let here = world.here();
        here.clock.advance(MINUTE);
        match what {
            "answered" => drop(world.answer(&made, &code).await.expect(200)),
            "canceled" => drop(world.post(&format!("{path}/cancel"), &json!({})).await.expect(200)),
            "resent" => drop(world.request("POST", &format!("{path}/resend")).send().await.expect(200)),
            "wrong" => {
                for _ in 0..5 {
                    world.answer(&made, &world.wrong(&code)).await;
                }
            }
            // An SMS would still go.
            "too late to call" => here.clock.advance(Duration::from_secs(180)),
            "all codes sent" => store(&world, "limits.sends_per_challenge", &json!(1)),
            "veiled" => {
                here.database.execute("DROP TRIGGER challenges_are_bound");
                here.database.execute("UPDATE challenges SET subject = 'destination:veiled:x:y'");
            }
            _ => history(&world, "US", "failed", 50, Duration::from_secs(7200)),
        }
        run(&world).await;
        assert_eq!(calls(&world, &number), 0, "{what}");
    }
}

#[tokio::test]
async fn limits_have_to_have_room_and_a_later_minute_finds_it() {
    for limit in ["messages_per_destination_half_hour", "calls_per_new_destination", "messages_per_country_hour"] {
        let world = world(&["vonage"]);
        let (number, _, _) = sent(&world).await;
        world.here().clock.advance(MINUTE);
        let key = world
            .here()
            .database
            .query("SELECT key FROM counters WHERE key LIKE 'messages_per_destination_half_hour:%'");
        let mac = text(&key[0]["key"]).split_once(':').unwrap().1.to_owned();
        let whom = if limit == "messages_per_country_hour" { "US".to_owned() } else { mac };
        store(&world, &format!("limits.{limit}"), &json!(1));
        world.here().database.execute(&format!(
            "INSERT INTO counters (key, count, expires_at) VALUES ('{limit}:{whom}', 1, 2000000000000)
             ON CONFLICT (key) DO UPDATE SET count = 1, expires_at = 2000000000000"
        ));
        run(&world).await;
        assert_eq!(calls(&world, &number), 0, "{limit}");
        world.here().database.execute("DELETE FROM counters");
        run(&world).await;
        assert_eq!(calls(&world, &number), 1, "{limit}");
    }
}

#[tokio::test]
async fn a_call_that_nobody_takes_on_costs_nothing_and_is_the_only_one() {
    let world = world(&["vonage"]);
    let (number, made, _) = sent(&world).await;
    let code = world.code(&number).await;
    let before = counted(&world, "messages_per_destination_half_hour");
    world.carriers.behave_as("twilio", None, answer_of_twilio(429, 20429));
    for _ in 0..3 {
        world.here().clock.advance(MINUTE);
        run(&world).await;
    }
    let now = challenge(&world, &made).await;
    let called = read(&world, &text(&now["message_id"])).await;
    assert_eq!(json!([called["message"]["channel"], called["message"]["status"]]), json!(["voice", "failed"]));
    let events = "SELECT count(*) FROM audit_events WHERE type IN ('voice.queued', 'voice.failed')";
    assert_eq!(world.here().database.number(events), 2, "one try");
    assert_eq!(counted(&world, "messages_per_destination_half_hour"), before);
    assert_eq!(counted(&world, "calls_per_new_destination"), 0);
    // What came by SMS is answered all the same.
    assert_eq!(now["status"], "pending");
    world.answer(&made, &code).await.expect(200);
}

#[tokio::test]
async fn a_hundred_who_see_it_at_once_call_once() {
    for reported in [false, true] {
        let world = world(&["vonage"]);
        let (number, _, _) = sent(&world).await;
        let copy = world.carriers.sent_to(&number).remove(0);
        world.here().clock.advance(MINUTE);
        let crons: Vec<_> = (0..50)
            .map(|_| {
                let app = world.here().isolate().app;
                tokio::spawn(async move { fallback::run(&app).await.is_ok() })
            })
            .collect();
        if reported {
            let receipts = (0..100).map(|part| vonage(&world, &copy, &format!("M{}", part % 3), "failed")).collect();
            assert_eq!(count(&at_once(receipts).await, 204, ""), 100);
        }
        for cron in crons {
            assert!(cron.await.unwrap());
        }
        assert_eq!((calls(&world, &number), carriers_to(&world, &number).len()), (1, 1));
        assert_eq!(world.here().database.number("SELECT count(*) FROM messages WHERE channel = 'voice'"), 1);
        assert_eq!(world.here().database.number("SELECT max(sends) FROM challenges"), 2);
        assert_eq!(counted(&world, "calls_per_new_destination"), 1);
    }
}

#[tokio::test]
async fn a_minute_of_calls_makes_fewer_statements_than_the_free_plan_has() {
    let world = world(&["vonage"]);
    let mut numbers = Vec::new();
    for _ in 0..5 {
        numbers.push(sent(&world).await.0);
    }
    world.here().clock.advance(MINUTE);
    let mut called = 0;
    for _ in 0..3 {
        let before = world.here().database.statements();
        run(&world).await;
        let made = world.here().database.statements() - before;
        assert!(made <= 42, "{made}");
        let now = numbers.iter().filter(|number| calls(&world, number) == 1).count();
        assert!(now > called || called == 5, "each minute calls some: {now}");
        called = now;
    }
    assert_eq!(called, 5);
}

#[tokio::test]
async fn the_code_stands_nowhere_after_a_call() {
    let world = world(&["vonage"]);
    let (number, made, _) = sent(&world).await;
    let code = world.code(&number).await;
    world.here().clock.advance(MINUTE);
    run(&world).await;
    world.called(&number).hear(&world).await;
    world.answer(&made, &code).await.expect(200);
    let rows = format!("{:?}", world.here().database.everything());
    assert!(rows.contains("'voice'") || rows.contains("voice"), "it is looked for where it would be");
    assert!(!rows.contains(&code), "in a row");
    assert!(world.here().log.lines().iter().all(|line| !line.contains(&code) && !line.contains(&number[1..])));
}

/// Twilio hears of an SMS before the call only that it arrived.
#[tokio::test]
async fn the_sms_before_a_call_was_of_use_where_it_arrived() {
    for arrived in [true, false] {
        let world = world(&["twilio"]);
        history_of_twilio(&world);
        let (number, made, id) = sent(&world).await;
        world.here().clock.advance(MINUTE);
        run(&world).await;
        assert_eq!(calls(&world, &number), 1);
        let sid = text(&read(&world, &id).await["message"]["provider_id"]);
        if arrived {
            taken(twilio(&world, &id, &sid, "delivered")).await;
        }
        world.answer(&made, &world.code(&number).await).await.expect(200);
        let told: &[(String, String)] = if arrived { &[(sid, "confirmed".to_owned())] } else { &[] };
        assert_eq!(world.carriers.verify.feedback(), told);
    }
}

#[tokio::test]
async fn a_call_that_hangs_leaves_the_code_alive() {
    let world = world(&["vonage"]);
    let (number, made, _) = sent(&world).await;
    let code = world.code(&number).await;
    world.carriers.behave_as("twilio", None, Behaviour::Hang);
    world.here().clock.advance(MINUTE);
    run(&world).await;
    let now = challenge(&world, &made).await;
    assert_eq!(read(&world, &text(&now["message_id"])).await["message"]["status"], "unknown");
    world.answer(&made, &code).await.expect(200);
}
