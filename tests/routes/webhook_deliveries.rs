//! `/v1/webhook-deliveries`: found by endpoint, event and state; told once more.

use serde_json::{Value, json};

use super::{NOBODY, new_user, pages, text};
use crate::support::{Behaviour, World};

#[tokio::test]
async fn they_are_found_by_endpoint_event_and_state() {
    let world = World::null();
    let (good, bad) = (world.listen(&["user.*"]).await, world.listen(&["user.*"]).await);
    bad.behave(Behaviour::Answer(500, String::new()));
    for _ in 0..3 {
        new_user(&world, &json!({})).await;
    }
    let find = async |query: String| pages(&world, &format!("/v1/webhook-deliveries?{query}"), 2).await.0;
    assert_eq!(find(String::new()).await.len(), 6);
    let of_good = find(format!("endpoint_id={}", good.id)).await;
    assert!(of_good.len() == 3 && of_good.iter().all(|one| one["status"] == "delivered"));
    let pending = find("status=pending".to_owned()).await;
    assert!(pending.len() == 3 && pending.iter().all(|one| one["endpoint_id"] == json!(bad.id)));
    assert_eq!(find(format!("endpoint_id={}&status=pending", good.id)).await, Vec::<Value>::new());
    let event = text(&of_good[0]["event_id"]);
    let of_event = find(format!("event_id={event}")).await;
    assert!(of_event.len() == 2 && of_event.iter().all(|one| one["event_id"] == json!(event)));
    assert_eq!(find(format!("event_id={event}&endpoint_id={}", good.id)).await, [of_good[0].clone()]);
    assert_eq!(find(format!("event_id={event}&status=pending")).await.len(), 1);
    let nobody = |kind| NOBODY.iter().find(|(known, _)| *known == kind).unwrap().1;
    assert_eq!(find(format!("endpoint_id={}", nobody("whe"))).await, Vec::<Value>::new());
    assert_eq!(find(format!("event_id={}", nobody("evt"))).await, Vec::<Value>::new());
    // One of them as it is.
    let path = format!("/v1/webhook-deliveries/{}", text(&of_good[0]["id"]));
    let one = world.get(&path).await.expect(200);
    assert_eq!(one, of_good[0]);
    let wanted = json!({
        "id": one["id"], "endpoint_id": good.id, "event_id": event, "event_type": "user.created", "status": "delivered",
        "attempts": 1, "next_attempt_at": null, "response_status": 204, "error": null, "latency_ms": 0,
        "created_at": "2026-11-22T10:00:00.000Z", "delivered_at": "2026-11-22T10:00:00.000Z",
    });
    assert_eq!(one, wanted);
    world.get(&format!("/v1/webhook-deliveries/{}", nobody("whd"))).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn one_is_told_once_more_at_once_and_what_waits_is_brought_forward() {
    let world = World::null();
    let listener = world.listen(&["user.*"]).await;
    new_user(&world, &json!({})).await;
    let id = text(&world.get("/v1/webhook-deliveries").await.expect(200)["data"][0]["id"]);
    let replay = || world.request("POST", &format!("/v1/webhook-deliveries/{id}/replay")).send();
    let path = format!("/v1/webhook-deliveries/{id}");
    let read = || world.get(&path);
    let replayed = replay().await.expect(200);
    assert_eq!((&replayed["status"], &replayed["delivered_at"]), (&json!("pending"), &Value::Null));
    let heard = listener.heard();
    assert!(heard.len() == 2 && heard[0].id == heard[1].id && heard[0].body == heard[1].body);
    assert_eq!(read().await.expect(200)["status"], "delivered");
    // Five seconds until the next try: that is soon enough, and may be under way.
    listener.behave(Behaviour::Answer(500, String::new()));
    replay().await.expect(200);
    assert_eq!(replay().await.expect(200)["attempts"], 1);
    assert_eq!(listener.heard().len(), 3);
    world.here().clock.advance(std::time::Duration::from_secs(5));
    postern::webhook::deliver::run(&world.here().app, postern::webhook::deliver::Begun::Cron).await.unwrap();
    assert_eq!(listener.heard().len(), 4);
    // Five minutes are not.
    listener.behave(Behaviour::Accept);
    assert_eq!(replay().await.expect(200)["attempts"], 0);
    assert_eq!((listener.heard().len(), read().await.expect(200)["status"].clone()), (5, json!("delivered")));
    let nobody = NOBODY.iter().find(|(known, _)| *known == "whd").unwrap().1;
    let path = format!("/v1/webhook-deliveries/{nobody}/replay");
    world.request("POST", &path).send().await.expect_problem(404, "resource_not_found");
}
