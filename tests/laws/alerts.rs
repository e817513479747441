//! Alerts: told once, told again while they last, told when they are over; held back by quiet times and not lost in them; one
//! telling however many look at once; and nobody's number, address or name in them.

use std::time::Duration;

use postern::{
    alert, cron,
    ports::Clock,
    time::Timestamp,
    webhook::deliver::{self, Begun},
};
use serde_json::{Value, json};

use super::failover::twilio as answer_of_twilio;
use crate::support::{Behaviour, World, receipts::store, vars};

const BASE: &str = "http://127.0.0.1:9";
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: i64 = 3_600_000;
const OPS: &str = "ops@example.com";

/// Production with Twilio and Resend, where one address is told; what carriers get is not the guard's affair here.
fn world() -> World {
    let world = World::native(&vars::prod_mail(BASE));
    store(&world, "alerts.emails", &json!([OPS]));
    store(&world, "fraud.mode", &json!("off"));
    world
}

async fn run(world: &World) {
    alert::run(&world.here().app).await.unwrap();
}

async fn after(world: &World, minutes: u32) {
    world.here().clock.advance(MINUTE * minutes);
    run(world).await;
}

/// What an hour has counted of SMS to the United States by Twilio; `hours` before this one.
fn counted(world: &World, hours: i64, codes: i64, verified: i64, delivered: i64) {
    let hour = world.here().clock.now().millis() / HOUR - hours;
    for hour in [0, hour] {
        world.here().database.execute(&format!(
            "INSERT INTO message_hours (hour, channel, country, driver, template, app_id, sent, codes, delivered, verified)
             VALUES ({hour}, 'sms', 'US', 'twilio', 'verification_code', '', {codes}, {codes}, {delivered}, {verified})
             ON CONFLICT DO UPDATE SET sent = sent + excluded.sent, codes = codes + excluded.codes,
               delivered = delivered + excluded.delivered, verified = verified + excluded.verified"
        ));
    }
}

/// A good week, and codes that do not come back any more.
fn drop_of_conversion(world: &World) {
    counted(world, 24, 1000, 850, 0);
    counted(world, 0, 40, 8, 0);
}

/// The alerts' events, oldest first: type and data.
fn events(world: &World) -> Vec<(String, Value)> {
    let rows = world.here().database.query(
        "SELECT type, data FROM audit_events WHERE type IN ('alert.firing', 'alert.resolved') ORDER BY created_at, id",
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(&row["type"]), serde_json::from_str(&text(&row["data"])).unwrap())).collect()
}

fn kinds(world: &World) -> Vec<String> {
    events(world).into_iter().map(|(kind, data)| format!("{kind} {} {}", data["condition"], data["subject"])).collect()
}

fn subjects(world: &World) -> Vec<String> {
    world.carriers.mail.sent_to(OPS).into_iter().map(|mail| mail.subject).collect()
}

#[tokio::test]
async fn what_holds_is_told_once_again_while_it_lasts_and_when_it_is_over() {
    let world = world();
    store(&world, "alerts.repeat_minutes", &json!(60));
    run(&world).await;
    assert_eq!((events(&world).len(), subjects(&world).len()), (0, 0), "nothing is wrong");
    drop_of_conversion(&world);
    run(&world).await;
    let firing = json!({"condition": "conversion_drop", "subject": "sms:US", "observed": 20, "threshold": 51,
        "since": "2026-11-22T10:00:00.000Z"});
    assert_eq!(events(&world), [("alert.firing".to_owned(), firing)]);
    assert_eq!(subjects(&world), ["Example: Fewer codes come back: sms:US"]);
    let mail = world.carriers.mail.sent_to(OPS).remove(0);
    assert!(mail.text.contains("Observed 20 %, threshold 51 %, since 2026-11-22T10:00:00.000Z."), "{}", mail.text);
    assert!(mail.text.contains("GET /v1/metrics/messages?by="), "{}", mail.text);
    let row = &world.get("/v1/messages").await.expect(200)["data"][0];
    assert_eq!((&row["template"], &row["status"], &row["driver"]), (&json!("alert"), &json!("sent"), &json!("resend")));
    // It holds on: once an hour is enough. In the second hour it is in the window's first.
    for _ in 0..11 {
        after(&world, 5).await;
    }
    assert_eq!((events(&world).len(), subjects(&world).len()), (1, 1));
    after(&world, 5).await;
    assert_eq!((events(&world).len(), subjects(&world).len()), (2, 2));
    assert_eq!(events(&world)[0].1, events(&world)[1].1, "since when it holds stays");
    for _ in 0..11 {
        after(&world, 5).await;
    }
    assert_eq!(events(&world).len(), 2);
    // Two hours later nothing is in the window: not seen for three runs is over.
    for _ in 0..2 {
        after(&world, 5).await;
        assert_eq!((events(&world).len(), subjects(&world).len()), (2, 2), "it may come again");
    }
    after(&world, 5).await;
    assert_eq!(kinds(&world)[2..], [r#"alert.resolved "conversion_drop" "sms:US""#]);
    assert_eq!(subjects(&world)[2], "Example: It is over: Fewer codes come back: sms:US");
    after(&world, 60).await;
    assert_eq!((events(&world).len(), subjects(&world).len()), (3, 3));
    assert_eq!(world.here().database.number("SELECT count(*) FROM alerts"), 0);
}

#[tokio::test]
async fn codes_that_may_still_come_back_are_not_lost() {
    let world = world();
    counted(&world, 24, 1000, 850, 0);
    let mut challenges = Vec::new();
    for _ in 0..30 {
        let number = world.number();
        challenges.push((world.challenge(&number).await, number));
    }
    run(&world).await;
    after(&world, 4).await;
    assert_eq!(kinds(&world), Vec::<String>::new(), "people are typing");
    // Twelve of thirty come back.
    for (challenge, number) in &challenges[..12] {
        world.answer(challenge, &world.code(number).await).await.expect(200);
    }
    run(&world).await;
    assert_eq!(kinds(&world), Vec::<String>::new(), "the young are not counted, neither those that came back");
    after(&world, 5).await;
    assert_eq!(kinds(&world), Vec::<String>::new(), "nor a minute before they are ten minutes old");
    after(&world, 2).await;
    assert_eq!(kinds(&world), [r#"alert.firing "conversion_drop" "sms:US""#]);
    assert_eq!(events(&world)[0].1["observed"], 40);
}

#[tokio::test]
async fn those_who_were_quick_hide_nothing() {
    let world = world();
    counted(&world, 24, 1000, 850, 0);
    counted(&world, 1, 40, 18, 0);
    for _ in 0..12 {
        let number = world.number();
        let challenge = world.challenge(&number).await;
        world.answer(&challenge, &world.code(&number).await).await.expect(200);
    }
    run(&world).await;
    assert_eq!(kinds(&world), [r#"alert.firing "conversion_drop" "sms:US""#]);
    assert_eq!(events(&world)[0].1["observed"], 45, "of the forty");
}

#[tokio::test]
async fn delivery_is_told_by_driver_where_reports_are_normal() {
    // (delivered of 1000 in the week, of 100 now, whether it is told).
    for (before, now, wanted) in [(950, 20, true), (950, 90, false), (400, 0, false), (0, 0, false)] {
        let world = world();
        store(&world, "alerts.conversion_drop.percent", &json!(0));
        counted(&world, 24, 1000, 0, before);
        counted(&world, 1, 100, 0, now);
        run(&world).await;
        let told = if wanted { vec![r#"alert.firing "delivery_drop" "sms:US:twilio""#.to_owned()] } else { Vec::new() };
        assert_eq!(kinds(&world), told, "{before} {now}");
    }
}

#[tokio::test]
async fn only_the_week_before_is_compared_with() {
    for (hours, wanted) in [(2, 1), (169, 1), (170, 0)] {
        let world = world();
        counted(&world, hours, 1000, 850, 0);
        counted(&world, 0, 40, 8, 0);
        run(&world).await;
        assert_eq!(events(&world).len(), wanted, "{hours} hours ago");
    }
}

#[tokio::test]
async fn a_quiet_time_holds_e_mails_back_and_webhooks_not() {
    let world = world();
    store(&world, "alerts.quiet", &json!({"from": "09:00", "to": "10:30"}));
    let listener = world.listen(&["alert.*"]).await;
    drop_of_conversion(&world);
    run(&world).await;
    deliver::run(&world.here().app, Begun::Cron).await.unwrap();
    assert_eq!(listener.kinds(), ["alert.firing"]);
    let data = listener.heard()[0].data().clone();
    assert_eq!(
        (&data["reason"], &data["subject"], &data["observed"]),
        (&json!("conversion_drop"), &json!("sms:US"), &json!(20))
    );
    for _ in 0..5 {
        after(&world, 5).await;
    }
    assert_eq!(subjects(&world), Vec::<String>::new(), "it is 10:25");
    after(&world, 5).await;
    assert_eq!(subjects(&world), ["Example: Fewer codes come back: sms:US"], "it still holds");
    after(&world, 5).await;
    assert_eq!((subjects(&world).len(), events(&world).len()), (1, 1));
}

#[tokio::test]
async fn what_is_over_before_the_quiet_time_is_wakes_nobody() {
    let world = world();
    store(&world, "alerts.quiet", &json!({"from": "09:00", "to": "14:00"}));
    drop_of_conversion(&world);
    for _ in 0..60 {
        after(&world, 5).await;
    }
    assert_eq!(kinds(&world).len(), 2, "it began and ended");
    assert_eq!(subjects(&world), Vec::<String>::new(), "it is three, and nobody was told that it began");
}

#[tokio::test]
async fn a_driver_that_fails_is_told_and_the_last_one_in_quiet_times_too() {
    for (alone, mails) in [(false, 0), (true, 1)] {
        let mut vars = vars::with_mail(vars::prod_both(BASE), "resend", BASE);
        vars.remove("SMS_DRIVER");
        let world = World::native(&vars);
        store(&world, "fraud.mode", &json!("off"));
        store(&world, "alerts", &json!({"emails": [OPS], "quiet": {"from": "09:00", "to": "18:00"}}));
        let drivers = if alone { json!(["twilio"]) } else { json!(["twilio", "vonage"]) };
        store(&world, "sms.routes", &json!([{"countries": ["*"], "drivers": drivers}]));
        world.carriers.behave_as("twilio", None, answer_of_twilio(503, 20503));
        for sent in 0..5 {
            run(&world).await;
            assert_eq!(kinds(&world).len(), 0, "after {sent}");
            world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
        }
        run(&world).await;
        assert_eq!(kinds(&world), [r#"alert.firing "driver_down" "sms:twilio""#], "alone: {alone}");
        assert_eq!(
            (events(&world)[0].1["observed"].clone(), subjects(&world).len()),
            (json!(100), mails),
            "alone: {alone}"
        );
        // It is asked less now: one try that fails is enough to say that it goes on.
        after(&world, 11).await;
        world.here().database.execute("DELETE FROM message_tries WHERE driver = 'vonage'");
        world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
        after(&world, 4).await;
        assert_eq!(kinds(&world).len(), 1);
        // What the person is refused for is no fault of the driver's.
        world.carriers.behave_as("twilio", None, answer_of_twilio(400, 21610));
        after(&world, 7).await;
        world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
        after(&world, 8).await;
        assert_eq!(kinds(&world)[1..], [r#"alert.resolved "driver_down" "sms:twilio""#], "alone: {alone}");
    }
}

#[tokio::test]
async fn cost_is_told_before_the_cap_and_the_cap_in_quiet_times_too() {
    let world = world();
    let prices = json!({"sms": {"*": "0.05"}, "voice": {"*": "0.2"}});
    store(&world, "fraud.spend", &json!({"hourly": "20", "prices": prices}));
    store(&world, "alerts.quiet", &json!({"from": "09:00", "to": "18:00"}));
    let now = world.here().clock.now().millis();
    let database = &world.here().database;
    database.execute(&format!(
        "INSERT INTO counters VALUES ('spend_hour', 15999999, {}), ('spend_day', 99000000, {})",
        now + HOUR,
        now + HOUR
    ));
    run(&world).await;
    assert_eq!(kinds(&world), Vec::<String>::new());
    database.execute("UPDATE counters SET count = 16500000 WHERE key = 'spend_hour'");
    run(&world).await;
    assert_eq!(kinds(&world), [r#"alert.firing "spend" "hour""#]);
    assert_eq!((&events(&world)[0].1["observed"], &events(&world)[0].1["threshold"]), (&json!("16.5"), &json!("16")));
    assert_eq!(subjects(&world).len(), 0);
    let refusal = |enforced: i64| {
        format!(
            "INSERT INTO fraud_refusals VALUES ('spend_hour', '', 1, {enforced}, 1, 1, {}, {now}, {now}, {now}, 's')
             ON CONFLICT DO UPDATE SET enforced = excluded.enforced",
            now + HOUR
        )
    };
    database.execute(&refusal(0));
    run(&world).await;
    assert_eq!(kinds(&world).len(), 1, "nothing is refused");
    database.execute(&refusal(1));
    after(&world, 1).await;
    assert_eq!(kinds(&world)[1..], [r#"alert.firing "spend" "hour:cap""#]);
    assert_eq!(events(&world)[1].1["threshold"], "20");
    assert_eq!(subjects(&world), ["Example: Messages cost much: hour:cap"]);
    assert!(world.carriers.mail.sent_to(OPS)[0].text.contains("Observed 16.5, threshold 20, since"));
    after(&world, 61).await;
    let mut over = kinds(&world).split_off(2);
    over.sort();
    assert_eq!(over, [r#"alert.resolved "spend" "hour""#, r#"alert.resolved "spend" "hour:cap""#]);
}

#[tokio::test]
async fn wrong_answers_of_an_hour_are_counted() {
    let world = world();
    store(&world, "alerts.sign_in_failures.per_hour", &json!(3));
    let challenge = world.challenge(&world.number()).await;
    for wrong in ["000000", "000001", "000002"] {
        run(&world).await;
        assert_eq!(kinds(&world), Vec::<String>::new());
        world.answer(&challenge, wrong).await;
    }
    run(&world).await;
    assert_eq!(kinds(&world), [r#"alert.firing "sign_in_failures" """#]);
    assert_eq!(events(&world)[0].1["observed"], 3);
    after(&world, 60).await;
    assert_eq!(kinds(&world).len(), 1);
    after(&world, 15).await;
    assert_eq!(kinds(&world)[1..], [r#"alert.resolved "sign_in_failures" """#]);
}

#[tokio::test]
async fn of_many_runs_at_once_one_tells_it() {
    let world = world();
    drop_of_conversion(&world);
    let at_once = async || {
        let runs: Vec<_> = (0..100)
            .map(|_| {
                let app = world.here().isolate().app;
                tokio::spawn(async move { alert::run(&app).await.unwrap() })
            })
            .collect();
        for run in runs {
            run.await.unwrap();
        }
    };
    at_once().await;
    assert_eq!((kinds(&world).len(), subjects(&world).len()), (1, 1));
    let messages = "SELECT count(*) FROM messages WHERE template = 'alert'";
    assert_eq!(world.here().database.number(messages), 1);
    world.here().clock.advance(MINUTE * 240);
    at_once().await;
    assert_eq!((kinds(&world).len(), subjects(&world).len()), (2, 2));
}

#[tokio::test]
async fn what_no_provider_takes_is_told_by_the_next_run() {
    let world = world();
    store(&world, "email.routes", &json!([{"drivers": ["resend", "postmark"]}]));
    drop_of_conversion(&world);
    let mail = &world.carriers.mail;
    mail.behave(Behaviour::Answer(429, "{}".to_owned()));
    run(&world).await;
    // Silence may be an e-mail that comes: better two than none.
    mail.behave(Behaviour::Hang);
    after(&world, 5).await;
    let statuses = || world.here().database.query("SELECT status, driver FROM messages ORDER BY created_at, id");
    assert_eq!(statuses().iter().map(|row| row["status"].clone()).collect::<Vec<_>>(), ["failed", "unknown"]);
    assert_eq!(world.here().database.number("SELECT count(*) FROM message_tries"), 4, "each by both");
    assert_eq!(kinds(&world).iter().filter(|kind| kind.contains("conversion")).count(), 1, "webhooks hear it once");
    // One of them works again.
    mail.behave_as("postmark", None, Behaviour::Accept);
    after(&world, 5).await;
    assert_eq!((&statuses()[2]["status"], &statuses()[2]["driver"]), (&json!("sent"), &json!("postmark")));
    after(&world, 5).await;
    assert_eq!(statuses().len(), 3);
}

#[tokio::test]
async fn one_address_that_fails_keeps_nothing_from_the_others() {
    let world = world();
    store(&world, "alerts.emails", &json!(["gone@example.com", OPS]));
    world
        .carriers
        .mail
        .behave_for("gone@example.com", Behaviour::Answer(422, r#"{"name":"validation_error"}"#.to_owned()));
    drop_of_conversion(&world);
    run(&world).await;
    after(&world, 5).await;
    assert_eq!(subjects(&world).len(), 1, "and it is not told again for its sake");
}

#[tokio::test]
async fn where_no_e_mail_goes_out_the_log_says_why_and_it_is_told_once_it_does() {
    let world = world();
    drop_of_conversion(&world);
    store(&world, "email.enabled", &json!(false));
    run(&world).await;
    let last = || world.here().log.lines().last().unwrap().clone();
    assert!(last().contains("nobody is told of alerts by e-mail: the setting email.enabled is false"), "{}", last());
    store(&world, "email", &json!({"enabled": true, "driver": "postmark", "postmark": null}));
    assert_eq!(kinds(&world).len(), 1);
    after(&world, 5).await;
    assert_eq!(subjects(&world).len(), 1);
    // Without anybody to tell, nothing is taken for told.
    let world = self::world();
    drop_of_conversion(&world);
    store(&world, "alerts.emails", &json!([]));
    run(&world).await;
    store(&world, "alerts.emails", &json!([OPS]));
    after(&world, 5).await;
    assert_eq!((kinds(&world).len(), subjects(&world).len()), (1, 1));
    // And what nobody was told of is over without an e-mail.
    let world = self::world();
    drop_of_conversion(&world);
    store(&world, "alerts.emails", &json!([]));
    run(&world).await;
    store(&world, "alerts.emails", &json!([OPS]));
    after(&world, 121).await;
    assert_eq!((kinds(&world).len(), world.here().database.number("SELECT count(*) FROM messages")), (2, 0));
}

#[tokio::test]
async fn outside_prod_it_goes_to_the_receiver() {
    let world = World::native(&vars::dev_mail(BASE));
    store(&world, "alerts.emails", &json!([OPS]));
    drop_of_conversion(&world);
    run(&world).await;
    assert_eq!(subjects(&world), Vec::<String>::new());
    let sent = world.carriers.mail.sent_to(vars::MAIL_RECEIVER);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].subject.contains("Fewer codes come back"), "{}", sent[0].subject);
    // And the null driver sends nothing, and says so once.
    let world = World::null();
    store(&world, "alerts.emails", &json!([OPS]));
    drop_of_conversion(&world);
    run(&world).await;
    after(&world, 5).await;
    let rows = world.here().database.query("SELECT status, reason FROM messages");
    assert_eq!((rows.len(), &rows[0]["status"], &rows[0]["reason"]), (1, &json!("dropped"), &json!("null_driver")));
}

#[tokio::test]
async fn switched_off_looks_at_nothing_and_ends_what_was_told() {
    let world = world();
    drop_of_conversion(&world);
    run(&world).await;
    store(&world, "alerts.enabled", &json!(false));
    for _ in 0..3 {
        after(&world, 5).await;
    }
    assert_eq!(kinds(&world).len(), 2);
    assert!(kinds(&world)[1].starts_with("alert.resolved"));
    after(&world, 60).await;
    assert_eq!(kinds(&world).len(), 2);
}

/// The free plan lets one run make 50 statements, and this is the worst one: five addresses, and every provider is down.
#[tokio::test]
async fn the_worst_run_is_bounded_and_has_a_minute_of_its_own() {
    let world = world();
    let emails: Vec<String> = (0..5).map(|number| format!("ops{number}@example.com")).collect();
    store(&world, "alerts.emails", &json!(emails));
    store(&world, "email.routes", &json!([{"drivers": ["resend", "postmark", "webhook"]}]));
    drop_of_conversion(&world);
    world.carriers.mail.behave(Behaviour::Answer(429, "{}".to_owned()));
    let database = &world.here().database;
    for minute in [0, 1, 2, 4] {
        cron::run(&world.here().app, Timestamp::from_millis(minute * 60_000)).await;
    }
    assert_eq!(kinds(&world).len(), 0);
    let (batches, statements) = (database.batches(), database.statements());
    cron::run(&world.here().app, Timestamp::from_millis(8 * 60_000)).await;
    assert!(kinds(&world).len() == 1 && database.number("SELECT count(*) FROM message_tries") == 10);
    let (batches, statements) = (database.batches() - batches, database.statements() - statements);
    assert_eq!(batches, 14);
    assert!(statements <= 50, "{statements} statements");
    // With nothing to tell there are three: the settings, the counts, and what they come to.
    let world = self::world();
    let before = world.here().database.batches();
    run(&world).await;
    assert_eq!(world.here().database.batches() - before, 3);
}

/// Every condition's e-mail names a call that answers.
#[tokio::test]
async fn where_to_look_is_where_something_is() {
    let world = world();
    drop_of_conversion(&world);
    for (at, condition) in ["delivery_drop", "driver_down", "sign_in_failures", "spend"].into_iter().enumerate() {
        let at = world.here().clock.now().millis() - i64::try_from(at).unwrap();
        world.here().database.execute(&format!(
            "INSERT INTO alerts VALUES ('{condition}', 'hour', 1, 1, {at}, {now}, NULL, 's')",
            now = world.here().clock.now().millis()
        ));
    }
    run(&world).await;
    let text = world.carriers.mail.sent_to(OPS).remove(0).text;
    let calls: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("Look at GET ")).collect();
    assert_eq!(calls.len(), 5, "{text}");
    for call in calls {
        world.get(call).await.expect(200);
    }
}

#[tokio::test]
async fn nobodys_number_address_or_name_is_in_an_alert() {
    let world = world();
    store(&world, "alerts.sign_in_failures.per_hour", &json!(1));
    store(&world, "alerts.driver_down.minimum", &json!(1));
    let (user, _, number) = world.user_with_phone().await;
    world.here().clock.advance(MINUTE);
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    world.answer(&challenge, "000000").await;
    world.carriers.behave(answer_of_twilio(503, 20503));
    world.here().clock.advance(MINUTE * 11);
    world.post("/v1/challenges", &json!({"user_id": user})).await;
    run(&world).await;
    let said = format!("{:?} {:?}", events(&world), world.carriers.mail.sent_to(OPS));
    assert_eq!(events(&world).len(), 2, "{said}");
    for private in [number.as_str(), &number[1..], &user] {
        assert!(!said.contains(private), "{private} is in {said}");
    }
    assert!(!format!("{:?}", events(&world)).contains(OPS));
}
