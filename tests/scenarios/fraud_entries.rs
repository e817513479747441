//! The block list and the safe list over HTTP alone.

use serde_json::{Value, json};

use crate::support::World;

const PATH: &str = "/v1/fraud-entries";

/// The entry of a list's first page with this id.
async fn listed(world: &World, list: &str, id: &Value) -> Option<Value> {
    let page = world.get(&format!("{PATH}?list={list}&limit=100")).await.expect(200);
    page["data"].as_array().unwrap().iter().find(|entry| entry["id"] == *id).cloned()
}

pub async fn a_blocked_number_gets_no_message_until_it_is_let_go(world: World) {
    let number = world.number();
    let body = json!({"list": "block", "phone": number, "hours": 1, "reason": "asked us to"});
    let entry = world.post(PATH, &body).await.expect(201);
    let masked = format!("+1••••••{}", &number[8..]);
    assert_eq!((&entry["type"], &entry["subject"], &entry["level"]), (&json!("phone"), &json!(masked), &json!(0)));
    assert_eq!(listed(&world, "block", &entry["id"]).await.as_ref(), Some(&entry));
    assert_eq!(listed(&world, "safe", &entry["id"]).await, None);
    world.patch("/v1/instance", &json!({"fraud": {"mode": "enforce"}})).await.expect(200);
    let send = || world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}})).send();
    send().await.expect_problem(422, "message_refused");
    let longer = world.post(PATH, &json!({"list": "block", "phone": number, "hours": 2})).await.expect(201);
    assert_eq!(listed(&world, "block", &entry["id"]).await, None);
    let path = format!("{PATH}/{}", longer["id"].as_str().unwrap());
    send().await.expect_problem(422, "message_refused");
    world.delete(&path).await.expect(204);
    send().await.expect(201);
    world.delete(&path).await.expect_problem(404, "resource_not_found");
    assert_eq!(listed(&world, "block", &longer["id"]).await, None);
}
