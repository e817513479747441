//! Who sends beside the challenges of a server: pages, which are counted for known and unknown people alike; notices and test
//! messages, which the guard holds against the block list and the caps alone; what goes out once more, and calls after it,
//! which it judges as what went out first.

use std::time::Duration;

use serde_json::{Value, json};

use super::fallback::{carriers_to, normal, run};
use crate::support::{
    Request, Response, World, at_once, count,
    embedded::{Form, SIGN_UP},
    receipts::{both, store},
};

const MINUTE: Duration = Duration::from_secs(61);

/// Law 8: what counts by who sends counts for somebody known, to whom nothing goes, as for somebody unknown.
#[tokio::test]
async fn senders_are_counted_alike_for_known_and_unknown_people() {
    for limit in ["messages_per_address_hour", "messages_per_app_hour", "messages_per_instance_hour"] {
        for is_known in [true, false] {
            let world = World::null();
            let settings = json!({"sign_in": {"identifiers": ["phone"]}, "limits": {limit: 3}});
            world.patch("/v1/instance", &settings).await.expect(200);
            let form = Form::new(&world, json!({})).await.from("198.51.100.66");
            let mut answers = Vec::new();
            for at in 0..5 {
                let number = world.number();
                // The last is one of the others.
                if is_known == (at < 4) {
                    world.post("/v1/users", &json!({"phone": number})).await.expect(201);
                }
                let flow = form.begin(&world, SIGN_UP, json!({})).await;
                let path = format!("{}/identifier", flow.path);
                let body = json!({"identifier": number});
                answers.push(form.call(&world, "POST", &path, &flow.token).json(&body).send().await.status);
            }
            assert_eq!(answers, [200, 200, 200, 429, 429], "{limit} {is_known}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What is set of the guard: every rule is off but those named, and each message has its price.
fn guard(rules: &Value) -> Value {
    let mut fraud = json!({"mode": "enforce", "prefix": {"unverified": 0}, "country": {"floor": 0},
        "new_countries": {"messages": 0}, "app": {"floor": 0}, "asn": {"floor": 0},
        "phones": {"per_user": 0, "per_address": 0, "users_per_phone": 0},
        "spend": {"prices": {"sms": {"*": "0.25"}, "voice": {"*": "0.5"}}}});
    for (rule, numbers) in rules.as_object().unwrap() {
        for (name, number) in numbers.as_object().into_iter().flatten() {
            fraud[rule][name] = number.clone();
        }
        if !numbers.is_object() {
            fraud[rule] = numbers.clone();
        }
    }
    fraud
}

async fn set(world: &World, rules: Value) {
    world.patch("/v1/instance", &json!({"fraud": guard(&rules)})).await.expect(200);
}

async fn block(world: &World, body: Value) -> String {
    let mut body = body;
    body["list"] = json!("block");
    body["hours"] = json!(1);
    text(&world.post("/v1/fraud-entries", &body).await.expect(201)["id"])
}

fn prefix(number: &str) -> String {
    number[..number.len() - 4].to_owned()
}

/// The guard's events of a message, with whether they refused.
fn told(world: &World) -> Vec<(String, String, bool)> {
    let sql = "SELECT type, reason, data FROM audit_events WHERE type IN ('fraud.blocked', 'fraud.budget_exhausted') ORDER BY rowid";
    let rows = world.here().database.query(sql);
    let read = |row: &Value| {
        let data: Value = serde_json::from_str(row["data"].as_str().unwrap()).unwrap();
        (text(&row["type"]), text(&row["reason"]), data["enforced"] == true)
    };
    rows.iter().map(|row| read(&json!({"type": row["type"], "reason": row["reason"], "data": row["data"]}))).collect()
}

fn event(kind: &str, rule: &str, enforced: bool) -> Vec<(String, String, bool)> {
    vec![(format!("fraud.{kind}"), rule.to_owned(), enforced)]
}

fn counted(world: &World, limit: &str) -> i64 {
    let sql = format!("SELECT coalesce(sum(count), 0) FROM counters WHERE key LIKE '{limit}:%'");
    world.here().database.number(&sql)
}

#[tokio::test]
async fn a_notice_is_held_against_the_block_list_and_the_caps_and_nothing_else() {
    for case in ["as it is", "number", "prefix", "cap", "recorded", "off", "budget"] {
        let world = both(&["twilio"]);
        set(&world, json!({})).await;
        let user = text(&world.post("/v1/users", &json!({})).await.expect(201)["id"]);
        let number = world.number();
        let factor = world.enrol(&user, &json!({"type": "phone", "phone": number}), &number).await;
        let mut wanted = Vec::new();
        match case {
            "number" | "recorded" | "off" => drop(block(&world, json!({"phone": number})).await),
            "prefix" => drop(block(&world, json!({"prefix": prefix(&number)})).await),
            // The enrolment's SMS has cost as much.
            "cap" => set(&world, json!({"spend": {"hourly": "0.3"}})).await,
            "budget" => {
                set(&world, json!({"country": {"floor": 1}})).await;
                world.challenge(&world.number()).await;
                let body = json!({"to": {"phone": world.number()}});
                world.post("/v1/challenges", &body).await.expect_problem(422, "message_refused");
                wanted = event("budget_exhausted", "country", true);
            }
            _ => {}
        }
        match case {
            "number" | "prefix" => wanted = event("blocked", "block_list", true),
            "cap" => wanted = event("budget_exhausted", "spend_hour", true),
            "recorded" => {
                set(&world, json!({"mode": "record_only"})).await;
                wanted = event("blocked", "block_list", false);
            }
            "off" => set(&world, json!({"mode": "off"})).await,
            _ => {}
        }
        let is_refused = ["number", "prefix", "cap"].contains(&case);
        let (before, spent) = (world.carriers.sent().len(), counted(&world, "spend_day"));
        world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=x")).await.expect(204);
        let notices = "SELECT status, reason FROM messages WHERE template = 'security_notice'";
        let rows = world.here().database.query(notices);
        let row = (rows[0]["status"].as_str().unwrap(), rows[0]["reason"].as_str());
        assert_eq!(row, if is_refused { ("dropped", Some("fraud_guard")) } else { ("sent", None) }, "{case}");
        assert_eq!(world.carriers.sent().len(), before + usize::from(!is_refused), "{case}");
        assert_eq!(told(&world), wanted, "{case}");
        let dropped = "SELECT reason FROM audit_events WHERE type = 'sms.dropped'";
        let reasons: Vec<_> = world.here().database.query(dropped).iter().map(|row| text(&row["reason"])).collect();
        assert_eq!(reasons, if is_refused { vec!["fraud_guard"] } else { vec![] }, "{case}");
        assert_eq!(counted(&world, "notices_per_user_hour"), i64::from(!is_refused), "{case}: a refusal costs nothing");
        assert_eq!(counted(&world, "spend_day"), spent, "{case}");
    }
}

fn test_message(world: &World, number: &str) -> Request {
    world.request("POST", "/v1/messages/test").json(&json!({"to": {"phone": number}}))
}

/// A refusal that says how long to wait, and not why.
#[track_caller]
fn refused(response: Response) {
    let wait: u64 = response.header("retry-after").unwrap().parse().unwrap();
    let problem = response.expect_problem(422, "message_refused");
    assert_eq!((&problem["retry_after"], &problem["detail"]), (&json!(wait), &json!("no message goes there now")));
}

#[tokio::test]
async fn a_test_message_is_held_against_the_block_list_and_the_caps_and_nothing_else() {
    for by_prefix in [true, false] {
        let world = both(&["twilio"]);
        set(&world, json!({"country": {"floor": 1}, "new_countries": {"messages": 1}})).await;
        let number = world.number();
        // It counts as none whose code did not come back, and no budget refuses it.
        for _ in 0..2 {
            test_message(&world, &world.number()).send().await.expect(200);
        }
        assert_eq!(world.here().database.number("SELECT count(*) FROM fraud_counts"), 0);
        let body = if by_prefix { json!({"prefix": prefix(&number)}) } else { json!({"phone": number}) };
        let entry = block(&world, body).await;
        let before = (world.carriers.sent().len(), counted(&world, "%"));
        refused(test_message(&world, &number).idempotency_key("once").send().await);
        assert_eq!((world.carriers.sent().len(), counted(&world, "%")), before);
        assert_eq!(world.here().database.number("SELECT count(*) FROM messages"), 2);
        assert_eq!(told(&world), event("blocked", "block_list", true));
        // The call has its key back.
        world.delete(&format!("/v1/fraud-entries/{entry}")).await.expect(204);
        let made = test_message(&world, &number).idempotency_key("once").send().await.expect(200);
        let again = test_message(&world, &number).idempotency_key("once").send().await.expect(200);
        assert_eq!(made["message"]["id"], again["message"]["id"]);
    }
}

#[tokio::test]
async fn of_forty_test_messages_at_once_as_many_go_out_as_may_be_paid_for() {
    let world = both(&["twilio"]);
    set(&world, json!({"spend": {"hourly": "1"}})).await;
    let all = at_once((0..40).map(|_| test_message(&world, &world.number())).collect()).await;
    assert_eq!((count(&all, 200, ""), count(&all, 422, "message_refused")), (4, 36));
    assert_eq!(world.carriers.sent().len(), 4);
}

/// A message whose receipt does not come, asked for from home, and how the fallback goes on.
async fn silent(world: &World) -> (String, Value) {
    let number = world.number();
    let client = json!({"ip": "198.51.100.7", "country": "US", "asn": 64_500});
    let body = json!({"to": {"phone": number}, "client": client});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    world.here().clock.advance(MINUTE);
    (number, challenge)
}

fn with_fallback(drivers: &[&str]) -> World {
    let world = both(drivers);
    store(&world, "sms.fallback", &json!({"enabled": true, "after_seconds": 60, "voice": true}));
    normal(&world);
    world
}

fn reached(world: &World, number: &str) -> usize {
    carriers_to(world, number).len() + world.carriers.calls_to(number).len() - 1
}

#[tokio::test]
async fn what_goes_out_once_more_and_calls_are_judged_as_what_went_out_first() {
    // By SMS, and by call.
    for drivers in [&["vonage", "twilio"][..], &["vonage"]] {
        for (case, rule, kind) in [
            ("number", "block_list", "blocked"),
            ("prefix", "block_list", "blocked"),
            ("operator", "block_list", "blocked"),
            ("cap", "spend_hour", "budget_exhausted"),
            ("members", "phones_per_user", ""),
        ] {
            let world = with_fallback(drivers);
            set(&world, json!({"phones": {"per_user": 1, "per_address": 1}})).await;
            let (number, challenge) = silent(&world).await;
            match case {
                "number" => drop(block(&world, json!({"phone": number})).await),
                "prefix" => drop(block(&world, json!({"prefix": prefix(&number)})).await),
                "operator" => drop(block(&world, json!({"asn": 64_500})).await),
                "cap" => set(&world, json!({"spend": {"hourly": "0.3"}})).await,
                _ => {}
            }
            let sends = async || {
                world.get(&format!("/v1/challenges/{}", text(&challenge["id"]))).await.expect(200)["sends"].clone()
            };
            let is_refused = !kind.is_empty();
            for _ in 0..2 {
                run(&world).await;
            }
            assert_eq!(reached(&world, &number), usize::from(!is_refused), "{drivers:?} {case}");
            assert_eq!(sends().await, if is_refused { 1 } else { 2 }, "{drivers:?} {case}");
            if is_refused {
                assert_eq!(told(&world), event(kind, rule, true), "{drivers:?} {case}: however often it is asked for");
                // It waits for room, while its code lives.
                world.here().database.execute("DELETE FROM fraud_entries; DELETE FROM counters");
                set(&world, json!({"spend": {"hourly": "5"}})).await;
                run(&world).await;
                assert_eq!((reached(&world, &number), sends().await), (1, json!(2)), "{drivers:?} {case}");
            }
        }
    }
}

#[tokio::test]
async fn a_guard_that_only_records_lets_it_go_and_tells() {
    for drivers in [&["vonage", "twilio"][..], &["vonage"]] {
        let world = with_fallback(drivers);
        set(&world, json!({"mode": "record_only"})).await;
        let (number, _) = silent(&world).await;
        block(&world, json!({"phone": number})).await;
        run(&world).await;
        assert_eq!((reached(&world, &number), told(&world)), (1, event("blocked", "block_list", false)));
    }
}

#[tokio::test]
async fn what_goes_out_once_more_counts_for_where_it_was_asked_for_from() {
    // The budget of those who ask from home is used up by the first SMS.
    let world = with_fallback(&["vonage", "twilio"]);
    set(&world, json!({"country": {"floor": 1}})).await;
    let (number, _) = silent(&world).await;
    run(&world).await;
    assert_eq!((reached(&world, &number), told(&world)), (0, event("budget_exhausted", "country", true)));
    let keys = world.here().database.query("SELECT key FROM fraud_refusals");
    assert_eq!(keys[0]["key"], "country:sms:US:home");
    // Calls have one of their own, and are counted there.
    let world = with_fallback(&["vonage"]);
    set(&world, json!({"country": {"floor": 1}})).await;
    let (number, made) = silent(&world).await;
    run(&world).await;
    assert_eq!(reached(&world, &number), 1);
    let row = world
        .here()
        .database
        .query("SELECT origin, asn, guarded, cost FROM messages WHERE channel = 'voice'")
        .remove(0);
    let numbers = ["asn", "guarded", "cost"].map(|name| row[name].as_f64().unwrap());
    assert_eq!((row["origin"].as_str(), numbers), (Some("home"), [64_500.0, 1.0, 500_000.0]));
    let counts = "SELECT sum(sent) FROM fraud_counts WHERE key = 'country:voice:US:home'";
    assert_eq!(world.here().database.number(counts), 1);
    assert_eq!(counted(&world, "spend_hour%"), 0, "the key is no prefix");
    assert_eq!(world.here().database.number("SELECT count FROM counters WHERE key = 'spend_hour'"), 750_000);
    // One code came back, of the newer message; the other one is counted no more.
    world.answer(&made, &world.code(&number).await).await.expect(200);
    let verified =
        "SELECT sum(verified) FROM fraud_counts WHERE key IN ('country:voice:US:home', 'country:sms:US:home')";
    assert_eq!(world.here().database.number(verified), 1);
    assert_eq!(world.here().database.number(&verified.replace("verified", "sent")), 1);
}
