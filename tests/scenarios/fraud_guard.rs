//! The fraud guard over HTTP alone: somebody pumps messages to one prefix, the operator sees it, lets it go, keeps it open.

use serde_json::{Value, json};

use crate::support::{Request, World, at_once, count};

const ENTRIES: &str = "/v1/fraud-entries";

/// A code to a number of a prefix.
fn pump(world: &World, prefix: &str, at: u32) -> Request {
    world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": format!("{prefix}{at:04}")}}))
}

/// The newest event of a type that is about this prefix.
async fn told(world: &World, kind: &str, prefix: &str) -> Value {
    let page = world.get(&format!("/v1/audit-events?type={kind}&limit=100")).await.expect(200);
    let events = page["data"].as_array().unwrap();
    let found = events.iter().find(|event| event["data"]["prefix"] == prefix);
    found.unwrap_or_else(|| panic!("no {kind} of {prefix} in {page}")).clone()
}

pub async fn a_prefix_is_blocked_told_let_go_and_kept_open(world: World) {
    let prefix = "+1415867";
    let rules = json!({"mode": "enforce", "prefix": {"unverified": 4, "block_hours": 6}, "country": {"floor": 1000},
        "new_countries": {"messages": 1000}});
    world.patch("/v1/instance", &json!({ "fraud": rules })).await.expect(200);
    let all = at_once((0..60).map(|at| pump(&world, prefix, at)).collect()).await;
    assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (4, 56));
    let refused = all.iter().find(|answer| answer.status == 422).unwrap();
    assert_eq!(refused.header("retry-after"), Some("21600"));
    // Who is refused is found by the request's id, and why.
    let trip = told(&world, "fraud.prefix_blocked", prefix).await;
    assert_eq!((&trip["data"]["sent"], &trip["data"]["level"]), (&json!(4), &json!(1)));
    let tripped = all.iter().find(|answer| answer.header("x-request-id") == trip["request_id"].as_str()).unwrap();
    assert_eq!(tripped.status, 422);
    assert_eq!(told(&world, "fraud.blocked", prefix).await["data"]["rule"], "block_list");
    // The block stands on the list; it is let go.
    let listed = world.get(&format!("{ENTRIES}?list=block")).await.expect(200);
    let entry = &listed["data"][0];
    assert_eq!((&entry["subject"], &entry["id"]), (&json!(prefix), &trip["subject_id"]));
    world.delete(&format!("{ENTRIES}/{}", entry["id"].as_str().unwrap())).await.expect(204);
    pump(&world, prefix, 100).send().await.expect(201);
    // It is kept open, and does not trip again.
    let safe = json!({"list": "safe", "prefix": prefix, "hours": 1});
    world.post(ENTRIES, &safe).await.expect(201);
    for at in 101..107 {
        pump(&world, prefix, at).send().await.expect(201);
    }
}

pub async fn what_would_be_refused_is_recorded(world: World) {
    let prefix = "+1415868";
    for at in 0..9 {
        pump(&world, prefix, at).send().await.expect(201);
    }
    let trip = told(&world, "fraud.prefix_blocked", prefix).await;
    assert_eq!((&trip["data"]["enforced"], &trip["outcome"]), (&json!(false), &json!("success")));
    assert_eq!(trip["data"]["sent"], 6);
}
