//! Webhooks over HTTP alone: who hears events hears them, and knows who says them. In workerd they are told after the
//! response, so that a test has to wait for them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Behaviour, Listener, World};

/// Waits until the endpoint has heard so many.
async fn until(listener: &Listener, count: usize) {
    for _ in 0..200 {
        if listener.heard().len() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} of {count} were heard: {:?}", listener.heard().len(), listener.kinds());
}

/// Waits until the newest delivery of the endpoint stands so.
async fn until_it_is(world: &World, listener: &Listener, status: &str) -> Value {
    let path = format!("/v1/webhook-deliveries?endpoint_id={}", listener.id);
    for _ in 0..200 {
        let newest = world.get(&path).await.expect(200)["data"][0].clone();
        if newest["status"] == status && newest["attempts"].as_f64().is_some_and(|attempts| attempts > 0.0) {
            return newest;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is not {status}");
}

pub async fn an_endpoint_hears_what_happens_and_can_prove_who_says_it(world: World) {
    let listener = world.listen(&["challenge.*", "sms.*"]).await;
    let number = world.number();
    let challenge = world.challenge(&number).await;
    until(&listener, 2).await;
    let code = world.code(&number).await;
    world.answer(&challenge, &code).await.expect(200);
    until(&listener, 3).await;
    let mut kinds = listener.kinds();
    kinds.sort();
    assert_eq!(kinds, ["challenge.created", "challenge.verified", "sms.dropped"]);
    let heard = listener.heard();
    for one in &heard {
        assert!(!one.body.contains(&number[1..]) && !one.body.contains(&code), "{}", one.body);
        assert!((one.timestamp - world.now() / 1000).abs() < 60 && one.taken);
    }
    let verified = heard.iter().find(|one| one.kind() == "challenge.verified").unwrap();
    assert_eq!(verified.data()["subject_id"], challenge["id"]);

    // Another secret: for a day both sign.
    let path = format!("/v1/webhook-endpoints/{}", listener.id);
    let rotated = world.request("POST", &format!("{path}/rotate-secret")).send().await.expect(200);
    let second = rotated["secret"].as_str().unwrap();
    listener.learn(second);
    world.challenge(&world.number()).await;
    until(&listener, 5).await;
    let last = listener.heard().pop().unwrap();
    assert!(last.is_signed_with(&listener.secret) && last.is_signed_with(second) && last.signatures().count() == 2);
    // What is heard can be changed, and ends at once.
    world.patch(&path, &json!({"events": ["app.*"]})).await.expect(200);
    world.challenge(&world.number()).await;
    world.post("/v1/apps", &json!({"name": "Shop"})).await.expect(201);
    until(&listener, 6).await;
    assert_eq!(listener.kinds().pop().unwrap(), "app.created");
    world.delete(&path).await.expect(204);
    world.get(&path).await.expect_problem(404, "resource_not_found");
}

pub async fn what_an_endpoint_missed_is_told_again(world: World) {
    let listener = world.listen(&["user.created"]).await;
    listener.behave(Behaviour::Answer(500, "hunter2".to_owned()));
    let user = world.post("/v1/users", &json!({})).await.expect(201);
    until(&listener, 1).await;
    let missed = until_it_is(&world, &listener, "pending").await;
    assert_eq!((missed["response_status"].as_f64(), missed["attempts"].as_f64()), (Some(500.0), Some(1.0)));
    assert!(missed["next_attempt_at"].is_string());
    let failing = world.get(&format!("/v1/webhook-endpoints/{}", listener.id)).await.expect(200);
    assert!(failing["failing_since"].is_string() && failing["enabled"] == true, "{failing}");
    // Switched off, nothing waits; enabled again, it can be told once more.
    let path = format!("/v1/webhook-endpoints/{}", listener.id);
    world.patch(&path, &json!({"enabled": false})).await.expect(200);
    let replay = format!("/v1/webhook-deliveries/{}/replay", missed["id"].as_str().unwrap());
    world.request("POST", &replay).send().await.expect_problem(409, "webhook_endpoint_disabled");
    listener.behave(Behaviour::Accept);
    world.patch(&path, &json!({"enabled": true})).await.expect(200);
    world.request("POST", &replay).send().await.expect(200);
    until(&listener, 2).await;
    until_it_is(&world, &listener, "delivered").await;
    let heard = listener.heard();
    assert!(heard[0].id == heard[1].id && heard[1].data()["user_id"] == user["id"]);
}
