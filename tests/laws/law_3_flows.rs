//! Law 3 in flows: how many round trips each call of a sign-in takes (`Server-Timing` has the same number).

use serde_json::json;

use crate::support::{World, page::Page};

const PASSWORD: &str = "seven owls in a barn at dusk";

async fn person(world: &World) -> (String, String) {
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let user = user["id"].as_str().unwrap().to_owned();
    let password = json!({"type": "password", "password": PASSWORD});
    world.post(&format!("/v1/users/{user}/factors"), &password).await.expect(201);
    (user, address)
}

#[tokio::test]
async fn a_sign_in_with_a_password_takes_three_round_trips_to_its_code() {
    let world = World::null();
    let (_, address) = person(&world).await;
    let page = Page::new(&world).await;
    let begun = page.call("POST", "/v1/client/sign-ins", None, Some(&page.beginning())).await;
    assert_eq!((begun.status, begun.round_trips()), (201, 2));
    let flow = page.begin("sign-ins", json!({})).await;
    let named = flow.post("identifier", json!({"identifier": address})).await;
    assert_eq!((named.status, named.round_trips()), (200, 1));
    assert_eq!(flow.get().await.round_trips(), 1);
    let done = flow.post("password", json!({"password": PASSWORD})).await;
    assert_eq!((&done.json["step"], done.round_trips()), (&json!("complete"), 3));
    // Name and password at once take no more.
    let flow = page.begin("sign-ins", json!({})).await;
    let done = flow.post("password", json!({"identifier": address, "password": PASSWORD})).await;
    assert_eq!((&done.json["step"], done.round_trips()), (&json!("complete"), 3));
    let code = done.json["code"].as_str().unwrap().to_owned();
    // The first exchange of an instance makes its key; the next is one.
    let tokens = page.exchange(&code).await.expect(200);
    assert_eq!(page.refresh(tokens["refresh_token"].as_str().unwrap()).await.round_trips(), 1);
}

#[tokio::test]
async fn a_second_factor_takes_what_it_takes_elsewhere_and_the_flow_one_at_each_end() {
    let world = World::null();
    let (user, address) = person(&world).await;
    let number = world.number();
    let verified = world.post(&format!("/v1/users/{user}/verify-password"), &json!({"password": PASSWORD})).await;
    let proof = verified.expect(200)["id"].clone();
    world.enrol(&user, &json!({"type": "phone", "phone": number, "proof": proof}), &number).await;
    let page = Page::new(&world).await;
    let flow = page.begin("sign-ins", json!({"identifier": address})).await;
    let half = flow.post("password", json!({"password": PASSWORD})).await;
    assert_eq!((&half.json["step"], half.round_trips()), (&json!("needs_second_factor"), 2));
    let challenge = flow.post("challenges", json!({})).await;
    assert_eq!((challenge.status, challenge.round_trips()), (201, 2));
    let answer = format!("challenges/{}/answer", challenge.json["id"].as_str().unwrap());
    let done = flow.post(&answer, json!({"code": world.code(&number).await})).await;
    assert_eq!((&done.json["step"], done.round_trips()), (&json!("complete"), 3));
}
