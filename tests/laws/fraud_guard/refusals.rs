//! What a refusal leaves behind: one row per rule and key, an event every ten minutes, and nothing else.

use std::time::Duration;

use serde_json::{Value, json};

use super::{HOUR, british, enter, event, events, on, refusals, refused, send, send_for, world};
use crate::support::{Behaviour, World, at_once, count, vars};

/// Everything that is stored, but for what a refusal writes.
fn rest(world: &World) -> Vec<(String, String)> {
    let mut all = world.here().database.everything();
    all.retain(|(at, _)| !["fraud_refusals.", "audit_events."].iter().any(|table| at.starts_with(table)));
    all
}

#[tokio::test]
async fn a_refusal_consumes_nothing() {
    let world = world(json!({"country": {"floor": 1}, "phones": {"per_address": 1}})).await;
    let client = json!({"ip": "203.0.113.7"});
    send_for(&world, &british(900, 0), client.clone()).send().await.expect(201);
    let before = rest(&world);
    for at in 1..20 {
        refused(send_for(&world, &british(900, at), client.clone()).idempotency_key(&at.to_string()).send().await);
    }
    assert_eq!(rest(&world), before);
    assert_eq!(world.carriers.sent().len(), 1);
}

#[tokio::test]
async fn who_is_refused_fills_no_table() {
    let world = world(json!({"country": {"floor": 1}})).await;
    send(&world, &british(900, 0)).send().await.expect(201);
    for at in 1..30 {
        refused(send(&world, &british(900, at)).send().await);
        world.here().clock.advance(Duration::from_secs(59));
    }
    // At 0, 10 and 20 minutes; the numbers are those of the moment.
    let told = events(&world, "fraud.budget_exhausted");
    let times: Vec<&Value> = told.iter().map(|told| &told["times"]).collect();
    assert_eq!(times, [&json!(1), &json!(12), &json!(23)]);
    assert_eq!(refusals(&world), [("country".to_owned(), "country:sms:GB:unknown".to_owned(), 29)]);
}

#[tokio::test]
async fn of_a_hundred_at_once_one_is_told() {
    let world = world(json!({})).await;
    enter(&world, "block", "prefix:+44794", HOUR);
    let all = at_once((0..100).map(|at| send(&world, &british(900, at))).collect()).await;
    assert_eq!(count(&all, 422, "message_refused"), 100);
    assert_eq!(event(&world, "fraud.blocked")["times"], 1);
    assert_eq!(refusals(&world)[0].2, 100);
}

#[tokio::test]
async fn an_event_says_all_that_there_is_and_its_request_finds_it() {
    let world = world(json!({"country": {"floor": 1}, "new_countries": {"messages": 1}})).await;
    let client = json!({"ip": "203.0.113.7", "user_agent": "Firefox", "country": "FR", "asn": 64_500});
    let number = british(900, 0);
    send_for(&world, &number, client.clone()).send().await.expect(201);
    let listener = world.listen(&["fraud.*"]).await;
    let answer = send_for(&world, &number, client).send().await;
    let request = answer.header("x-request-id").unwrap().to_owned();
    refused(answer);
    // Both rules refuse, and both are told.
    let listed = world.get("/v1/audit-events?type=fraud.budget_exhausted").await.expect(200);
    let listed = listed["data"].as_array().unwrap();
    let mut rules: Vec<&str> = listed.iter().map(|event| event["data"]["rule"].as_str().unwrap()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["country", "new_countries"]);
    for event in listed {
        assert_eq!(event["request_id"], request);
        assert_eq!((&event["client_ip"], &event["user_agent"]), (&json!("203.0.113.7"), &json!("Firefox")));
        assert_eq!((&event["outcome"], &event["reason"]), (&json!("refused"), &event["data"]["rule"]));
        let data = event["data"].as_object().unwrap();
        let until = data["until"].as_str().unwrap();
        let period = 21_600_000;
        let end = (world.now() / period + 1) * period;
        assert_eq!(until, postern::time::Timestamp::from_millis(end).to_string());
        let about = ["channel", "country", "prefix", "origin"].map(|name| data[name].as_str().unwrap());
        assert_eq!(about, ["sms", "GB", "+44794900", "away"]);
        assert_eq!((&data["observed"], &data["allowed"], &data["times"]), (&json!(1), &json!(1), &json!(1)));
        assert_eq!(data["enforced"], true);
        assert_eq!(data.len(), 11, "{data:#?}");
        assert!(!event.to_string().contains(&number));
    }
    let heard: Vec<String> = listener.kinds();
    assert_eq!(heard, ["fraud.budget_exhausted", "fraud.budget_exhausted"]);
}

#[tokio::test]
async fn recording_only_refuses_nothing_and_says_what_it_would_have() {
    let rules = json!({"country": {"floor": 2}, "phones": {"per_address": 2}});
    let client = json!({"ip": "203.0.113.7"});
    let mut told = Vec::new();
    for (mode, wanted) in [("enforce", 422), ("record_only", 201)] {
        let mut rules = rules.clone();
        rules["mode"] = json!(mode);
        let world = world(rules).await;
        let mut statuses = Vec::new();
        for at in 0..5 {
            statuses.push(send_for(&world, &british(900, at), client.clone()).send().await.status);
        }
        assert_eq!(statuses, [201, 201, wanted, wanted, wanted], "{mode}");
        let enforced = ["fraud.budget_exhausted", "fraud.blocked"].map(|kind| event(&world, kind)["enforced"].clone());
        assert_eq!(enforced, [json!(mode == "enforce"), json!(mode == "enforce")]);
        // A key never has more members than its rule allows: what is read stays small.
        assert_eq!(world.here().database.number("SELECT count(*) FROM fraud_members"), 2);
        told.push(refusals(&world));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn outside_production_it_records_and_off_production_it_refuses_by_itself() {
    let world = World::null();
    let mode = world.get("/v1/instance").await.expect(200)["settings"]["fraud"]["mode"].clone();
    assert_eq!(mode, "record_only");
    for at in 0..12 {
        assert_eq!(send(&world, &world.number()).send().await.status, 201, "{at}");
    }
    assert_eq!(refusals(&world).len(), 1);
    let world = World::native(&vars::prod_twilio("http://127.0.0.1:9"));
    let countries = json!({"countries": {"sms": {"allowed": ["*"]}}});
    world.patch("/v1/instance", &countries).await.expect(200);
    for at in 0..20 {
        send(&world, &british(600 + at, at)).send().await.expect(201);
    }
    refused(send(&world, &british(640, 0)).send().await);
}

#[tokio::test]
async fn a_refused_call_gives_its_key_back_and_a_repeated_one_is_not_judged() {
    let world = world(json!({"country": {"floor": 1}})).await;
    let keyed = |number: &str, key: &str| send(&world, number).idempotency_key(key).send();
    let first = keyed(&british(900, 0), "first").await.expect(201);
    refused(keyed(&british(900, 1), "second").await);
    // The same call, answered once more: it sends nothing, and nothing refuses it.
    let again = keyed(&british(900, 0), "first").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201)["id"], first["id"]);
    assert_eq!(refusals(&world)[0].2, 1);
    world.answer(&first, &world.code(&british(900, 0)).await).await.expect(200);
    keyed(&british(900, 1), "second").await.expect(201);
}

#[tokio::test]
async fn what_a_limit_refuses_is_judged_by_nobody() {
    let world = world(json!({"country": {"floor": 5}})).await;
    let number = british(900, 0);
    for _ in 0..5 {
        send(&world, &number).send().await.expect(201);
    }
    let before = world.here().database.everything();
    send(&world, &number).send().await.expect_problem(429, "rate_limit_exceeded");
    assert_eq!(world.here().database.everything(), before);
    refused(send(&world, &british(900, 1)).send().await);
}

#[tokio::test]
async fn a_carrier_that_is_down_uses_up_no_budget() {
    let world =
        world(json!({"country": {"floor": 3}, "new_countries": {"messages": 3}, "prefix": {"unverified": 3}})).await;
    let counted = || world.here().database.number("SELECT sum(sent) FROM fraud_counts");
    world.carriers.behave(Behaviour::Answer(429, String::new()));
    for at in 0..10 {
        send(&world, &british(900, at)).send().await.expect_problem(502, "message_failed");
    }
    assert_eq!((refusals(&world), counted()), (Vec::new(), 0));
    // Whether it went out is not known: it counts.
    world.carriers.behave(Behaviour::Answer(500, String::new()));
    send(&world, &british(900, 11)).send().await;
    world.carriers.behave(Behaviour::Accept);
    for at in 12..15 {
        if send(&world, &british(900, at)).send().await.status != 201 {
            assert_eq!(at, 14);
        }
    }
    refused(send(&world, &british(900, 15)).send().await);
}

#[tokio::test]
async fn what_no_carrier_took_costs_nothing_and_what_goes_out_once_more_costs_twice() {
    let spend = json!({"hourly": "0.1", "prices": {"sms": {"*": "0.05"}, "voice": {"*": "0.2"}}});
    let world = world(json!({ "spend": spend })).await;
    let spent = || {
        ["spend_hour", "spend_day"]
            .map(|key| world.here().database.number(&format!("SELECT count FROM counters WHERE key = '{key}'")))
    };
    world.carriers.behave(Behaviour::Answer(429, String::new()));
    for at in 0..10 {
        send(&world, &british(900, at)).send().await.expect_problem(502, "message_failed");
        assert_eq!(spent(), [0, 0]);
    }
    world.carriers.behave(Behaviour::Accept);
    send(&world, &british(900, 10)).send().await.expect(201);
    assert_eq!(spent(), [50_000, 50_000]);
    // The carrier has reported it failed: that is paid for. The next one is asked, and does not take it.
    let change = |set: &str| {
        let now = world.now();
        world.here().database.execute(&format!(
            "UPDATE messages SET updated_at = {now}, {set} WHERE status <> 'failed'
            OR (fallback_at IS NULL AND destination = '{}')",
            british(900, 10)
        ));
    };
    change("status = 'failed'");
    assert_eq!(spent(), [50_000, 50_000]);
    change(&format!("status = 'queued', fallback_at = {}", world.now()));
    assert_eq!(spent(), [100_000, 100_000]);
    refused(send(&world, &british(900, 11)).send().await);
    // The first carrier took it: nothing is given back, nor where a report of a failure comes before its answer.
    change("status = 'failed'");
    assert_eq!(spent(), [100_000, 100_000]);
}

#[tokio::test]
async fn settings_that_change_hold_at_the_next_message() {
    let world = world(json!({"country": {"floor": 1}})).await;
    send(&world, &british(900, 0)).send().await.expect(201);
    refused(send(&world, &british(900, 1)).send().await);
    let world = on(world, json!({"country": {"floor": 2}})).await;
    send(&world, &british(900, 1)).send().await.expect(201);
    refused(send(&world, &british(900, 2)).send().await);
}
