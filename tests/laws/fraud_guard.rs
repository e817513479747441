//! The fraud guard: each rule refuses exactly what it says, also of two hundred at once; a refusal consumes nothing, tells
//! nobody which rule it was, and its event has the numbers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Request, Response, World, at_once, count};

const HOUR: Duration = Duration::from_hours(1);

/// A world that enforces, where only the rules under test are on.
async fn world(rules: Value) -> World {
    let world = World::twilio();
    let mut fraud = json!({"mode": "enforce", "prefix": {"unverified": 0}, "country": {"floor": 0},
        "new_countries": {"messages": 0}, "app": {"floor": 0}, "asn": {"floor": 0},
        "phones": {"per_user": 0, "per_address": 0, "users_per_phone": 0}});
    for (rule, numbers) in rules.as_object().unwrap() {
        fraud[rule] = numbers.clone();
    }
    let countries = json!({"sms": {"allowed": ["*"]}, "voice": {"allowed": ["*"]}});
    world.patch("/v1/instance", &json!({"fraud": fraud, "countries": countries})).await.expect(200);
    world.get("/v1/instance").await.expect(200);
    world
}

/// British numbers of one prefix.
fn british(prefix: u32, at: u32) -> String {
    format!("+44794{prefix:03}{at:04}")
}

fn send(world: &World, number: &str) -> Request {
    world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}))
}

/// The data of the events of a type, oldest first.
fn events(world: &World, kind: &str) -> Vec<Value> {
    let sql = format!("SELECT data FROM audit_events WHERE type = '{kind}' ORDER BY rowid");
    let rows = world.here().database.query(&sql);
    rows.iter().map(|row| serde_json::from_str(row["data"].as_str().unwrap()).unwrap()).collect()
}

/// What a refusal says: nothing of the rule.
#[track_caller]
fn refused(response: Response) -> u64 {
    let wait = response.header("retry-after").expect("a refusal says how long to wait").parse().unwrap();
    let problem = response.expect_problem(422, "message_refused");
    assert_eq!(problem["retry_after"], wait);
    assert_eq!(problem["detail"], "no message goes there now");
    wait
}

async fn verify(world: &World, number: &str) {
    let challenge = send(world, number).send().await.expect(201);
    world.answer(&challenge, &world.code(number).await).await.expect(200);
}

#[tokio::test]
async fn of_two_hundred_at_once_a_country_gets_its_floor() {
    let world = world(json!({"country": {"floor": 10, "share_percent": 30}})).await;
    let all = at_once((0..200).map(|at| send(&world, &british(600 + at, at))).collect()).await;
    assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (10, 190));
    assert_eq!(world.carriers.sent().len(), 10);
    let told = events(&world, "fraud.budget_exhausted");
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["key"], "country:sms:GB:unknown");
    assert_eq!((&told[0]["observed"], &told[0]["allowed"], &told[0]["times"]), (&json!(10), &json!(10), &json!(1)));
    let row = &world.here().database.query("SELECT rule, times, observed, allowed, enforced FROM fraud_refusals")[0];
    assert_eq!((row["times"].as_f64(), row["enforced"].as_f64()), (Some(190.0), Some(1.0)));
    // Another country has its own.
    send(&world, "+33612345678").send().await.expect(201);
}

#[tokio::test]
async fn of_two_hundred_at_once_a_prefix_trips_once() {
    let world = world(json!({"prefix": {"unverified": 15, "conversion_percent": 20, "block_hours": 12}})).await;
    let all = at_once((0..200).map(|at| send(&world, &british(900, at))).collect()).await;
    assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (15, 185), "{}", all[0].text);
    let told = events(&world, "fraud.prefix_blocked");
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["prefix"], "+44794900");
    assert_eq!((&told[0]["sent"], &told[0]["verified"], &told[0]["level"]), (&json!(15), &json!(0), &json!(1)));
    assert_eq!(refused(send(&world, &british(900, 999)).send().await), 12 * 3600);
    send(&world, &british(901, 0)).send().await.expect(201);
    world.here().clock.advance(HOUR * 12);
    send(&world, &british(900, 998)).send().await.expect(201);
    let _ = verify;
}
