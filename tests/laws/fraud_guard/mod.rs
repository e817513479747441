//! The fraud guard: each rule refuses exactly what it says, also of two hundred at once; a refusal consumes nothing, tells
//! nobody which rule it was, and its event has the numbers (laws 2, 3, 5 and 8).

mod entries;
mod exempt;
mod model;
mod prefixes;
mod refusals;
mod rules;
mod senders;
mod veiled;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Request, Response, World, context::context, ports::START, vars};

const HOUR: Duration = Duration::from_hours(1);

/// A world in production where only the rules that are given are on.
async fn world(rules: Value) -> World {
    on(World::twilio(), rules).await
}

/// The same of any world.
async fn on(world: World, rules: Value) -> World {
    let mut fraud = json!({"mode": "enforce", "prefix": {"unverified": 0}, "country": {"floor": 0},
        "new_countries": {"messages": 0}, "app": {"floor": 0}, "asn": {"floor": 0},
        "phones": {"per_user": 0, "per_address": 0, "users_per_phone": 0}});
    for (rule, numbers) in rules.as_object().unwrap() {
        for (name, number) in numbers.as_object().into_iter().flatten() {
            fraud[rule][name] = number.clone();
        }
        if numbers.is_string() {
            fraud[rule] = numbers.clone();
        }
    }
    let countries = json!({"sms": {"allowed": ["*"]}, "voice": {"allowed": ["*"]}});
    world.patch("/v1/instance", &json!({"fraud": fraud, "countries": countries})).await.expect(200);
    world.get("/v1/instance").await.expect(200);
    world
}

/// A British number of a prefix.
fn british(prefix: u32, at: u32) -> String {
    format!("+44794{prefix:03}{at:04}")
}

/// Asks for a code to a number.
fn send(world: &World, number: &str) -> Request {
    world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}))
}

/// The same on behalf of somebody.
fn send_for(world: &World, number: &str, client: Value) -> Request {
    let mut body = json!({"to": {"phone": number}});
    body["client"] = client;
    world.request("POST", "/v1/challenges").json(&body)
}

/// Sends a code and has it come back.
async fn verify(world: &World, number: &str) {
    let challenge = send(world, number).send().await.expect(201);
    world.answer(&challenge, &world.code(number).await).await.expect(200);
}

/// The data of the events of a type, oldest first.
fn events(world: &World, kind: &str) -> Vec<Value> {
    let sql = format!("SELECT data FROM audit_events WHERE type = '{kind}' ORDER BY rowid");
    let rows = world.here().database.query(&sql);
    rows.iter().map(|row| serde_json::from_str(row["data"].as_str().unwrap()).unwrap()).collect()
}

/// The one event of a type.
#[track_caller]
fn event(world: &World, kind: &str) -> Value {
    let mut all = events(world, kind);
    assert_eq!(all.len(), 1, "{kind}: {all:#?}");
    all.remove(0)
}

/// The rules and keys that were refused, with how often.
fn refusals(world: &World) -> Vec<(String, String, i64)> {
    let rows = world.here().database.query("SELECT rule, key, times FROM fraud_refusals ORDER BY rule, key");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    #[allow(clippy::cast_possible_truncation)]
    rows.iter().map(|row| (text(&row["rule"]), text(&row["key"]), row["times"].as_f64().unwrap() as i64)).collect()
}

/// What a refusal says: how long to wait, and nothing of the rule.
#[track_caller]
fn refused(response: Response) -> u64 {
    let wait = response.header("retry-after").expect("a refusal says how long to wait").parse().unwrap();
    let problem = response.expect_problem(422, "message_refused");
    assert_eq!(problem["retry_after"], wait);
    assert_eq!(problem["detail"], "no message goes there now");
    wait
}

/// Seconds until the present period of six hours is over.
fn rest(world: &World) -> u64 {
    let left = 21_600_000 - world.now() % 21_600_000;
    u64::try_from((left + 999) / 1000).unwrap()
}

/// The MAC of a number or network.
async fn mac(world: &World, of: &str) -> String {
    context(world).await.pepper().destination_mac(of)
}

/// Puts an entry on a list, as a person does.
fn enter(world: &World, list: &str, subject: &str, until: Duration) {
    let until = world.now() + i64::try_from(until.as_millis()).unwrap();
    world.here().database.execute(&format!(
        "INSERT INTO fraud_entries (id, list, subject, shown, level, enforced, created_by, created_at, updated_at,
           expires_at, stamp)
         VALUES ('fre_{list}_{subject}', '{list}', '{subject}', '', 0, 1, 'key', {START}, {START}, {until}, '')"
    ));
}

#[tokio::test]
async fn what_is_not_looked_at_is_neither_refused_nor_counted() {
    let none = |world: &World| {
        ["fraud_counts", "fraud_members", "fraud_refusals", "fraud_entries"]
            .map(|table| world.here().database.number(&format!("SELECT count(*) FROM {table}")))
    };
    let tight = json!({"country": {"floor": 1}, "prefix": {"unverified": 1}, "phones": {"per_address": 1}});
    let client = json!({"ip": "203.0.113.7"});
    // E-mail, test numbers, test keys.
    let world = on(World::native(&vars::prod_mail("http://127.0.0.1:9")), tight.clone()).await;
    let test_mode = json!({"test_mode": "enabled", "test_mode_expires_at": "2026-11-30T00:00:00Z"});
    world.patch("/v1/instance", &test_mode).await.expect(200);
    let key = json!({"name": "t", "scopes": ["challenges"], "test": true});
    let key = world.post("/v1/api-keys", &key).await.expect(201)["secret"].as_str().unwrap().to_owned();
    for at in 0..4 {
        let mail = json!({"to": {"email": world.address()}, "client": client});
        world.post("/v1/challenges", &mail).await.expect(201);
        send_for(&world, &british(600, at), client.clone()).key(&key).send().await.expect(201);
        send_for(&world, &format!("+155555501{at:02}"), client.clone()).send().await.expect(201);
    }
    assert_eq!(none(&world), [0; 4]);
    // Off is off.
    let mut off = tight;
    off["mode"] = json!("off");
    let world = self::world(off).await;
    for at in 0..4 {
        send_for(&world, &british(600, at), client.clone()).send().await.expect(201);
    }
    assert_eq!(none(&world), [0; 4]);
}

#[tokio::test]
async fn judging_costs_no_round_trip() {
    let world = on(World::null(), json!({"country": {"floor": 1}, "prefix": {"unverified": 9}})).await;
    let sent = send(&world, &british(600, 1)).send().await;
    assert_eq!((sent.status, sent.round_trips()), (201, 1));
    let stopped = send(&world, &british(600, 2)).send().await;
    assert_eq!((stopped.status, stopped.round_trips()), (422, 1));
    world.here().clock.advance(Duration::from_secs(31));
    let resend = format!("/v1/challenges/{}/resend", sent.json["id"].as_str().unwrap());
    let resent = world.request("POST", &resend).send().await;
    assert_eq!((resent.status, resent.round_trips()), (422, 2));
}
