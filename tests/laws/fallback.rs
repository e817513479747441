//! What nothing reported delivered goes out once more: where receipts are normal, while its code lives, with room in every
//! limit, by a driver that was not asked, and once, however many see it at once.

use std::time::Duration;

use postern::{ids::MessageId, message::fallback, ports::Clock, time::Timestamp};
use serde_json::{Value, json};

use super::failover::{twilio as answer_of_twilio, vonage as answer_of_vonage};
use crate::support::{
    Behaviour, World, at_once, count,
    receipts::{both, read, receipt, store, taken, twilio, vonage, vonage_at},
};

const MINUTE: Duration = Duration::from_secs(60);

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Vonage first, then Twilio, and the fallback switched on.
fn world() -> World {
    let world = both(&["vonage", "twilio"]);
    store(&world, "sms.fallback", &json!({"enabled": true, "after_seconds": 60}));
    store(&world, "limits.messages_per_destination_half_hour", &json!(5));
    // Who sends fifty unanswered messages is not what is looked at here.
    store(&world, "fraud.mode", &json!("off"));
    world
}

/// Messages of Vonage's that came to an end, so long ago.
pub(super) fn history(world: &World, country: &str, status: &str, many: usize, ago: Duration) {
    let here = world.here();
    let then = here.clock.now().before(ago);
    for _ in 0..many {
        let id = MessageId::new(then, &here.random);
        here.database.execute(&format!(
            "INSERT INTO messages (id, channel, template, locale, country, cost_class, encoding, segments, status, driver,
               provider_id, created_at, updated_at)
             VALUES ('{id}', 'sms', 'verification_code', 'en', '{country}', 'domestic', 'gsm7', 1, '{status}', 'vonage', 'P',
               {at}, {at})",
            at = then.millis()
        ));
    }
}

/// Receipts are normal in the United States.
pub(super) fn normal(world: &World) {
    history(world, "US", "delivered", 20, Duration::from_secs(7200));
}

pub(super) async fn sent(world: &World) -> (String, Value, String) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    (number, challenge.clone(), text(&challenge["message_id"]))
}

pub(super) fn carriers_to(world: &World, number: &str) -> Vec<&'static str> {
    world.carriers.sent_to(number).iter().map(|sent| sent.carrier).collect()
}

pub(super) async fn run(world: &World) {
    fallback::run(&world.here().app).await.unwrap();
}

fn counted(world: &World) -> i64 {
    world
        .here()
        .database
        .number("SELECT coalesce(sum(count), 0) FROM counters WHERE key LIKE 'messages_per_destination_half_hour:%'")
}

#[tokio::test]
async fn silence_sends_the_same_code_once_by_the_next_driver() {
    let world = world();
    normal(&world);
    let (number, challenge, id) = sent(&world).await;
    run(&world).await;
    world.here().clock.advance(Duration::from_secs(59));
    run(&world).await;
    assert_eq!(carriers_to(&world, &number), ["vonage"], "a receipt may still come");
    world.here().clock.advance(Duration::from_secs(2));
    // By the cron's minute, which is not housekeeping's.
    postern::cron::run(&world.here().app, Timestamp::from_millis(60_000)).await;
    for _ in 0..3 {
        run(&world).await;
        world.here().clock.advance(MINUTE);
    }
    assert_eq!(carriers_to(&world, &number), ["vonage", "twilio"]);
    let copies = world.carriers.sent_to(&number);
    assert_eq!(copies[0].code(), copies[1].code());
    let read = read(&world, &id).await;
    let tries: Vec<Value> =
        read["tries"].as_array().unwrap().iter().map(|one| json!([one["driver"], one["outcome"]])).collect();
    assert_eq!(tries, [json!(["vonage", "accepted"]), json!(["twilio", "accepted"])]);
    assert_eq!((&read["message"]["status"], &read["message"]["driver"]), (&json!("sent"), &json!("twilio")));
    assert!(read["message"]["fallback_at"].is_string(), "{read}");
    assert_eq!(counted(&world), 2, "it is counted");
    let sends = "SELECT sends FROM challenges ORDER BY created_at DESC LIMIT 1";
    assert_eq!(world.here().database.number(sends), 2);
    // Either may still say that it has arrived, and the code is answered once.
    taken(vonage(&world, &copies[0], "M0", "delivered")).await;
    taken(twilio(&world, &id, &text(&read["message"]["provider_id"]), "delivered")).await;
    let delivered = "SELECT count(*) FROM audit_events WHERE type = 'sms.delivered'";
    assert_eq!(world.here().database.number(delivered), 1);
    world.answer(&challenge, &copies[1].code()).await.expect(200);
}

#[tokio::test]
async fn only_where_receipts_are_normal() {
    type History<'a> = &'a [(&'a str, &'a str, usize, Duration)];
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    let cases: [(History<'_>, bool); 9] = [
        (&[], false),
        (&[("US", "delivered", 19, hours(2))], false),
        (&[("US", "delivered", 20, hours(2))], true),
        (&[("CA", "delivered", 40, hours(2))], false),
        (&[("US", "delivered", 16, hours(3)), ("US", "failed", 4, hours(2))], true),
        (&[("US", "delivered", 15, hours(3)), ("US", "failed", 5, hours(2))], false),
        (&[("US", "delivered", 20, hours(3)), ("US", "sent", 6, hours(2))], false),
        // Of the last fifty; and the silence of the last hour is what it is for.
        (&[("US", "sent", 50, hours(4)), ("US", "delivered", 50, hours(3))], true),
        (&[("US", "delivered", 50, hours(4)), ("US", "sent", 40, Duration::from_secs(1200))], true),
    ];
    for (index, (before, wanted)) in cases.into_iter().enumerate() {
        let world = world();
        for (country, status, many, ago) in before {
            history(&world, country, status, *many, *ago);
        }
        let (number, _, _) = sent(&world).await;
        world.here().clock.advance(MINUTE + Duration::from_secs(1));
        run(&world).await;
        assert_eq!(carriers_to(&world, &number).len(), 1 + usize::from(wanted), "case {index}");
    }
}

#[tokio::test]
async fn a_failure_that_is_reported_sends_it_after_the_response() {
    // (carrier's state, its error, whether another may do better).
    let cases = [
        ("failed", "6", true),
        ("expired", "1", true),
        ("rejected", "3", false),
        ("failed", "14", false),
        ("delivered", "0", false),
    ];
    for (state, error, wanted) in cases {
        let world = world();
        let (number, challenge, id) = sent(&world).await;
        let url = text(&json!(world.carriers.sent_to(&number)[0].field("callback")));
        let mut fields = receipt("M0", state);
        fields[7].1 = error.to_owned();
        let at_response = std::sync::atomic::AtomicUsize::new(0);
        let carriers = std::sync::Arc::clone(&world.carriers);
        let request = vonage_at(&world, &url, &fields, crate::support::receipts::Form::Json);
        let answer =
            request.observed(|| at_response.store(carriers.sent().len(), std::sync::atomic::Ordering::SeqCst)).await;
        assert_eq!((answer.status, at_response.into_inner()), (204, 1), "nobody waits for it");
        assert_eq!(carriers_to(&world, &number).len(), 1 + usize::from(wanted), "{state} {error}");
        let message = read(&world, &id).await["message"].clone();
        let status = match (wanted, state) {
            (true, _) => "sent",
            (_, "delivered") => "delivered",
            _ => "failed",
        };
        assert_eq!(message["status"], status, "{state} {error}");
        run(&world).await;
        world.here().clock.advance(MINUTE);
        run(&world).await;
        assert_eq!(carriers_to(&world, &number).len(), 1 + usize::from(wanted), "once");
        if wanted {
            let sid = text(&message["provider_id"]);
            taken(twilio(&world, &id, &sid, "delivered")).await;
            assert_eq!(read(&world, &id).await["message"]["status"], "delivered");
            world.answer(&challenge, &world.code(&number).await).await.expect(200);
        }
    }
}

#[tokio::test]
async fn both_failed_is_failed() {
    let world = world();
    let (number, _, id) = sent(&world).await;
    taken(vonage(&world, &world.carriers.sent_to(&number)[0].clone(), "M0", "failed")).await;
    let sid = text(&read(&world, &id).await["message"]["provider_id"]);
    taken(twilio(&world, &id, &sid, "undelivered")).await;
    assert_eq!(read(&world, &id).await["message"]["status"], "failed");
    assert_eq!(carriers_to(&world, &number), ["vonage", "twilio"]);
}

#[tokio::test]
async fn what_the_second_carrier_says_settles_the_try_and_refunds_what_never_went_out() {
    let cases = [
        (answer_of_twilio(429, 20429), "retryable", 1),
        (answer_of_twilio(400, 21610), "recipient_refused", 2),
        (Behaviour::Hang, "unknown", 2),
    ];
    for (behaviour, outcome, limits) in cases {
        for silent in [true, false] {
            let world = world();
            normal(&world);
            let (number, challenge, id) = sent(&world).await;
            world.carriers.behave_as("twilio", None, behaviour.clone());
            if silent {
                world.here().clock.advance(MINUTE + Duration::from_secs(1));
                run(&world).await;
            } else {
                taken(vonage(&world, &world.carriers.sent_to(&number)[0].clone(), "M0", "failed")).await;
            }
            let read = read(&world, &id).await;
            assert_eq!(read["tries"][1]["outcome"], outcome);
            let status = match (silent, outcome) {
                // It may have arrived by the first, as before.
                (true, _) => "sent",
                (false, "unknown") => "unknown",
                (false, _) => "failed",
            };
            assert_eq!(read["message"]["status"], status, "{outcome} {silent}");
            assert_eq!(counted(&world), limits, "{outcome}");
            world.answer(&challenge, &world.carriers.sent_to(&number)[0].code()).await.expect(200);
        }
    }
}

#[tokio::test]
async fn not_once_its_challenge_is_over_or_its_code_another() {
    for what in [
        "answered",
        "canceled",
        "resent",
        "wrong",
        "expired",
        "switched off",
        "stopped",
        "fallback off",
        "veiled",
        "erased",
    ] {
        let world = world();
        normal(&world);
        let (number, challenge, id) = sent(&world).await;
        let code = world.code(&number).await;
        let path = format!("/v1/challenges/{}", text(&challenge["id"]));
        let here = world.here();
        here.clock.advance(MINUTE + Duration::from_secs(1));
        match what {
            "answered" => drop(world.answer(&challenge, &code).await.expect(200)),
            "canceled" => drop(world.post(&format!("{path}/cancel"), &json!({})).await.expect(200)),
            "resent" => drop(world.request("POST", &format!("{path}/resend")).send().await.expect(200)),
            "wrong" => {
                for _ in 0..5 {
                    world.answer(&challenge, &world.wrong(&code)).await;
                }
            }
            "expired" => here.clock.advance(Duration::from_secs(225)),
            "switched off" => store(&world, "sms.enabled", &json!(false)),
            "stopped" => store(&world, "countries.sms.stopped", &json!(["US"])),
            "fallback off" => store(&world, "sms.fallback.enabled", &json!(false)),
            "erased" => here.database.execute(&format!("UPDATE messages SET destination = NULL WHERE id = '{id}'")),
            _ => {
                here.database.execute("DROP TRIGGER challenges_are_bound");
                here.database.execute("UPDATE challenges SET subject = 'destination:veiled:x:y'");
            }
        }
        let before = world.carriers.sent_to(&number).len();
        run(&world).await;
        taken(vonage(&world, &world.carriers.sent_to(&number)[0].clone(), "M0", "failed")).await;
        run(&world).await;
        assert_eq!(world.carriers.sent_to(&number).len(), before, "{what}");
    }
}

#[tokio::test]
async fn a_limit_that_has_no_room_leaves_it_for_the_next_minute() {
    let world = world();
    normal(&world);
    store(&world, "limits.messages_per_destination_half_hour", &json!(1));
    let (number, _, id) = sent(&world).await;
    world.here().clock.advance(MINUTE + Duration::from_secs(1));
    run(&world).await;
    assert_eq!((carriers_to(&world, &number).len(), counted(&world)), (1, 1));
    let read = read(&world, &id).await;
    assert_eq!((&read["message"]["status"], read["tries"].as_array().unwrap().len()), (&json!("sent"), 1));
    store(&world, "limits.messages_per_destination_half_hour", &json!(2));
    run(&world).await;
    assert_eq!((carriers_to(&world, &number).len(), counted(&world)), (2, 2));
}

#[tokio::test]
async fn a_challenge_that_has_sent_all_its_codes_sends_no_more() {
    let world = world();
    normal(&world);
    store(&world, "limits.sends_per_challenge", &json!(1));
    let (number, _, _) = sent(&world).await;
    world.here().clock.advance(MINUTE + Duration::from_secs(1));
    run(&world).await;
    assert_eq!(carriers_to(&world, &number).len(), 1);
}

#[tokio::test]
async fn nobody_is_asked_twice() {
    // The only driver, and a message that has gone on to the second already.
    let alone = both(&["vonage"]);
    store(&alone, "sms.fallback", &json!({"enabled": true}));
    let gone_on = world();
    gone_on.carriers.behave_as("vonage", None, answer_of_vonage("1"));
    for world in [alone, gone_on] {
        normal(&world);
        history_of_twilio(&world);
        let (number, _, _) = sent(&world).await;
        let before = carriers_to(&world, &number);
        world.carriers.behave_as("vonage", None, Behaviour::Accept);
        world.here().clock.advance(MINUTE + Duration::from_secs(1));
        run(&world).await;
        assert_eq!(carriers_to(&world, &number), before);
    }
}

pub(super) fn history_of_twilio(world: &World) {
    history(world, "US", "delivered", 20, Duration::from_secs(7200));
    world.here().database.execute(
        "UPDATE messages SET driver = 'twilio' WHERE id IN (SELECT id FROM messages ORDER BY id DESC LIMIT 20)",
    );
}

#[tokio::test]
async fn a_hundred_who_see_it_at_once_send_it_once() {
    let world = world();
    normal(&world);
    let (number, _, _) = sent(&world).await;
    let copy = world.carriers.sent_to(&number).remove(0);
    world.here().clock.advance(MINUTE + Duration::from_secs(1));
    let crons: Vec<_> = (0..50)
        .map(|_| {
            let app = world.here().isolate().app;
            tokio::spawn(async move { fallback::run(&app).await.is_ok() })
        })
        .collect();
    let answers =
        at_once((0..100).map(|part| vonage(&world, &copy, &format!("M{}", part % 3), "failed")).collect()).await;
    assert_eq!(count(&answers, 204, ""), 100);
    for cron in crons {
        assert!(cron.await.unwrap());
    }
    assert_eq!(carriers_to(&world, &number), ["vonage", "twilio"]);
    assert_eq!(counted(&world), 2);
    assert!(world.carriers.violations().is_empty());
}

#[tokio::test]
async fn a_minute_makes_fewer_statements_than_the_free_plan_has() {
    // What the guard judges takes more statements: fewer go out in a minute.
    for (mode, a_minute) in [("off", 3), ("enforce", 2)] {
        let world = world();
        normal(&world);
        store(&world, "fraud.mode", &json!(mode));
        let mut numbers = Vec::new();
        for _ in 0..6 {
            numbers.push(sent(&world).await.0);
        }
        world.here().clock.advance(MINUTE + Duration::from_secs(1));
        let twice = |numbers: &[String]| numbers.iter().filter(|number| carriers_to(&world, number).len() == 2).count();
        for minute in 1..=6 / a_minute {
            let before = world.here().database.statements();
            run(&world).await;
            let made = world.here().database.statements() - before;
            assert!(made <= 42, "{made}");
            assert_eq!(twice(&numbers), minute * a_minute, "the rest goes with the next minute");
        }
    }
}

#[tokio::test]
async fn what_may_not_go_out_takes_nobodys_turn() {
    let sends = "UPDATE challenges SET sends = 5 WHERE id = (SELECT challenge_id FROM messages WHERE id = '{id}')";
    let wrong =
        "UPDATE challenges SET pepper_id = 'gone' WHERE id = (SELECT challenge_id FROM messages WHERE id = '{id}')";
    let full = "UPDATE counters SET count = 5 WHERE key LIKE 'messages_per_destination_half_hour:%'";
    // A row that no carrier is left for.
    let asked = "INSERT INTO message_tries (id, message_id, driver, created_at)
      SELECT 'try_{id}', '{id}', 'twilio', created_at FROM messages WHERE id = '{id}'";
    for (what, many) in [(sends, 55), (full, 12), (wrong, 4), (asked, 4)] {
        let world = world();
        normal(&world);
        world.here().database.execute("DROP TRIGGER challenges_are_bound");
        let (mut bad, mut good) = (Vec::new(), Vec::new());
        for _ in 0..many {
            let (number, _, id) = sent(&world).await;
            bad.push(number);
            world.here().database.execute(&what.replace("{id}", &id));
        }
        for _ in 0..3 {
            good.push(sent(&world).await.0);
        }
        world.here().clock.advance(MINUTE + Duration::from_secs(1));
        let before = world.here().database.statements();
        run(&world).await;
        assert!(good.iter().all(|number| carriers_to(&world, number).len() == 2), "{many}: {what}");
        assert!(bad.iter().all(|number| carriers_to(&world, number).len() == 1), "{many}: {what}");
        let made = world.here().database.statements() - before;
        assert!(made <= 42, "{made}");
    }
}

#[tokio::test]
async fn more_than_a_run_reads_wait_behind_those_that_may_go_out() {
    let world = world();
    normal(&world);
    for _ in 0..50 {
        let (_, _, id) = sent(&world).await;
        world.here().database.execute(&format!(
            "INSERT INTO message_tries (id, message_id, driver, created_at)
             SELECT 'try_{id}', '{id}', 'twilio', created_at FROM messages WHERE id = '{id}'"
        ));
    }
    world.here().clock.advance(Duration::from_millis(1));
    let (number, ..) = sent(&world).await;
    world.here().clock.advance(MINUTE + Duration::from_secs(1));
    for times in [1, 2] {
        run(&world).await;
        assert_eq!(carriers_to(&world, &number).len(), times, "the next minute reads on");
        world.here().clock.advance(MINUTE);
    }
}
