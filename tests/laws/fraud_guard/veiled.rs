//! Before a first factor is proven nobody learns that the guard has refused: it looks the same, for known and unknown
//! numbers, and no message goes out (law 8).

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{HOUR, enter, event, on, refusals};
use crate::support::{
    World, at_once,
    page::{Flow, Page},
    vars,
};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

/// A body without what differs from call to call.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = |(name, value): (&String, &Value)| {
                let tells = ["status", "step", "code", "channel", "detail", "sends"].contains(&name.as_str());
                (name.clone(), if tells { value.clone() } else { shape(value) })
            };
            Value::Object(members.iter().map(kept).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Null => Value::Null,
        _ => json!("something"),
    }
}

/// A world where people sign up by their number.
async fn by_phone(vars: &vars::Vars, rules: Value) -> World {
    let world = on(World::native(vars), rules).await;
    world.patch("/v1/instance", &json!({"sign_in": {"identifiers": ["phone"]}})).await.expect(200);
    world.get("/v1/instance").await.expect(200);
    world
}

/// A code is asked for, and another one: what is told, and how many batches and statements it took.
async fn play(world: &World, number: &str) -> Vec<(u16, Value, u32, u32)> {
    let database = &world.here().database;
    let page = Page::new(world).await;
    let flow = page.begin("sign-ups", json!({})).await;
    let mut told = Vec::new();
    let mut ask = async |flow: &Flow<'_>, call: &str, body: Value| {
        let (batches, statements) = (database.batches(), database.statements());
        // Only until the answer is there: what comes after it nobody waits for.
        let mut work = (0, 0);
        let request = flow.request(call, &body).header("cf-connecting-ip", "203.0.113.7");
        let answer =
            request.observed(|| work = (database.batches() - batches, database.statements() - statements)).await;
        told.push((answer.status, shape(&answer.json), work.0, work.1));
        answer.json
    };
    let named = ask(&flow, "identifier", json!({"identifier": number})).await;
    let challenge = named["challenge"]["id"].as_str().unwrap_or_else(|| panic!("{named}")).to_owned();
    world.here().clock.advance(Duration::from_secs(31));
    ask(&flow, &format!("challenges/{challenge}/resend"), json!({})).await;
    ask(&flow, &format!("challenges/{challenge}/answer"), json!({"code": "00000000"})).await;
    told
}

/// Somebody who signs in with this number.
async fn owner(world: &World, number: &str) {
    let user = world.post("/v1/users", &json!({"phone": number})).await.expect(201);
    let password = json!({"type": "password", "password": "seven owls in a barn at dusk"});
    world.post(&format!("/v1/users/{}/factors", text(&user["id"])), &password).await.expect(201);
}

#[tokio::test]
async fn a_refused_code_looks_like_one_that_was_sent_for_known_and_unknown_numbers() {
    let world = by_phone(&vars::prod_twilio("http://127.0.0.1:9"), json!({})).await;
    let (known, unknown) = (world.number(), world.number());
    owner(&world, &known).await;
    let sent = |number: &str| world.carriers.sent_to(number).len();
    let open = [play(&world, &known).await, play(&world, &unknown).await];
    // The owner hears that somebody tried; who signs up gets the two codes.
    assert_eq!((sent(&known), sent(&unknown)), (1, 2));
    enter(&world, "block", "prefix:+1415", HOUR);
    world.here().clock.advance(Duration::from_mins(31));
    let blocked = [play(&world, &known).await, play(&world, &unknown).await];
    assert_eq!(sent(&unknown), 2);
    for other in [&open[1], &blocked[0], &blocked[1]] {
        assert_eq!(&open[0], other);
    }
    let statuses: Vec<u16> = open[0].iter().map(|told| told.0).collect();
    assert_eq!(statuses, [200, 200, 422]);
}

#[tokio::test]
async fn what_was_refused_stands_with_its_message_and_event_and_counts_nowhere() {
    for (vars, driver) in [(vars::prod_twilio("http://127.0.0.1:9"), "twilio"), (vars::null(), "null")] {
        let world = by_phone(&vars, json!({"country": {"floor": 5}, "phones": {"per_address": 5}})).await;
        enter(&world, "block", "prefix:+1415", HOUR);
        let number = world.number();
        play(&world, &number).await;
        assert!(world.carriers.sent().is_empty());
        let database = &world.here().database;
        let rows = database.query("SELECT status, reason, driver, app_id FROM messages");
        assert_eq!(rows.len(), 2);
        for row in &rows {
            assert_eq!((text(&row["status"]), text(&row["reason"])), ("dropped", "fraud_guard"));
            assert_eq!(text(&row["driver"]), driver);
        }
        for table in ["message_tries", "dev_inbox", "fraud_counts", "fraud_members", "message_hours"] {
            assert_eq!(database.number(&format!("SELECT count(*) FROM {table}")), 0, "{driver} {table}");
        }
        let of_app = format!("/v1/audit-events?app_id={}", text(&rows[0]["app_id"]));
        let listed = world.get(&of_app).await.expect(200);
        let told: Vec<(&str, &Value)> = listed["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| (text(&event["type"]), &event["reason"]))
            .filter(|(kind, _)| kind.starts_with("sms."))
            .collect();
        assert_eq!(told, [("sms.dropped", &json!("fraud_guard")); 2]);
        assert_eq!(event(&world, "fraud.blocked")["rule"], "block_list");
        assert_eq!(refusals(&world)[0].2, 2);
    }
}

#[tokio::test]
async fn where_nobody_is_sent_anything_nothing_is_judged() {
    let world = by_phone(&vars::prod_twilio("http://127.0.0.1:9"), json!({})).await;
    let known = world.number();
    owner(&world, &known).await;
    enter(&world, "block", "prefix:+1415", HOUR);
    // Whoever signs up with it gets no code: what is refused is what its owner would hear.
    play(&world, &known).await;
    assert_eq!(refusals(&world)[0].2, 1);
    play(&world, &world.number()).await;
    assert_eq!(refusals(&world)[0].2, 3);
}

#[tokio::test]
async fn codes_of_sign_ups_count_among_themselves_so_that_nobody_learns_from_others_who_is_known() {
    let world = by_phone(&vars::null(), json!({"country": {"floor": 2}, "app": {"floor": 9}})).await;
    let page = Page::new(&world).await;
    let sent = || world.here().database.number("SELECT count(*) FROM messages WHERE reason = 'null_driver'");
    for wanted in [1, 2, 2, 2] {
        let flow = page.begin("sign-ups", json!({})).await;
        flow.post("identifier", json!({"identifier": world.number()})).await.expect(200);
        assert_eq!(sent(), wanted);
    }
    let told = event(&world, "fraud.budget_exhausted");
    assert_eq!((&told["key"], &told["observed"]), (&json!("country:sms:US:unknown:veiled"), &json!(2)));
    let database = &world.here().database;
    assert_eq!(database.number("SELECT sent FROM fraud_counts WHERE key LIKE 'app:%:veiled'"), 2);
    // A server's call finds its own budget whole.
    for _ in 0..2 {
        super::send(&world, &world.number()).send().await.expect(201);
    }
    super::refused(super::send(&world, &world.number()).send().await);
}

#[tokio::test]
async fn recording_only_codes_of_sign_ups_go_out() {
    let world = by_phone(&vars::prod_twilio("http://127.0.0.1:9"), json!({"mode": "record_only"})).await;
    enter(&world, "block", "prefix:+1415", HOUR);
    let number = world.number();
    play(&world, &number).await;
    assert_eq!(world.carriers.sent_to(&number).len(), 2);
    assert_eq!((event(&world, "fraud.blocked")["enforced"].clone(), refusals(&world)[0].2), (json!(false), 2));
}

/// The one of many that comes too late is told the same, whether a code was refused or there was nobody to send one to.
#[tokio::test]
async fn of_many_who_ask_once_more_at_once_nobody_learns_that_the_guard_has_refused() {
    let world = by_phone(&vars::prod_twilio("http://127.0.0.1:9"), json!({})).await;
    let (known, unknown) = (world.number(), world.number());
    owner(&world, &known).await;
    enter(&world, "block", "prefix:+1415", HOUR);
    let page = Page::new(&world).await;
    let mut told = Vec::new();
    for number in [&known, &unknown] {
        let flow = page.begin("sign-ups", json!({})).await;
        let named = flow.post("identifier", json!({"identifier": number})).await.expect(200);
        world.here().clock.advance(Duration::from_secs(31));
        let path = format!("challenges/{}/resend", text(&named["challenge"]["id"]));
        let answers = at_once((0..20).map(|_| flow.request(&path, &json!({}))).collect()).await;
        let mut codes: Vec<(u16, String)> =
            answers.iter().map(|answer| (answer.status, answer.json["code"].to_string())).collect();
        codes.sort();
        assert_eq!(codes.iter().filter(|(status, _)| *status == 200).count(), 1, "{codes:?}");
        told.push(codes);
    }
    assert_eq!(told[0], told[1]);
    assert!(refusals(&world)[0].2 > 1, "more than one was judged");
}
