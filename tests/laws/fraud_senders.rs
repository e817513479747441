//! Who sends beside challenges of a server, and how they are counted and guarded.

use serde_json::json;

use crate::support::{
    World,
    embedded::{Form, SIGN_UP},
};

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
