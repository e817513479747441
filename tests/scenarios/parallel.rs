//! Many at once: of N parallel requests exactly as many pass as the limit says (law 2).

use serde_json::json;

use crate::support::{World, at_once, count};

pub async fn two_hundred_wrong_answers_evaluate_five(world: World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    let path = format!("/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    let body = json!({"code": world.wrong(&code)});
    let responses = at_once((0..200).map(|_| world.request("POST", &path).json(&body)).collect()).await;
    assert_eq!(count(&responses, 422, "form_code_incorrect"), 5);
    assert_eq!(count(&responses, 422, "verification_failed"), 195);
    world.answer(&challenge, &code).await.expect_problem(422, "verification_failed");
}

pub async fn fifty_right_answers_verify_once(world: World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let path = format!("/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    let body = json!({"code": world.code(&number).await});
    let responses = at_once((0..50).map(|_| world.request("POST", &path).json(&body)).collect()).await;
    assert_eq!(count(&responses, 200, ""), 1);
    assert_eq!(count(&responses, 409, "verification_already_verified"), 49);
}

pub async fn a_hundred_sends_stay_within_each_limit(world: World) {
    let number = world.number();
    let body = json!({"to": {"phone": number}});
    let responses = at_once((0..100).map(|_| world.request("POST", "/v1/challenges").json(&body)).collect()).await;
    assert_eq!(count(&responses, 201, ""), 5);
    assert_eq!(count(&responses, 429, "rate_limit_exceeded"), 95);
    let messages = world.get(&format!("/v1/messages?limit=100&to=%2B{}", &number[1..])).await.expect(200);
    assert_eq!(messages["data"].as_array().unwrap().len(), 5);
}

pub async fn ten_users_with_one_address_are_one(world: World) {
    let email = format!("ana{}@example.com", &world.number()[1..]);
    let requests = (0..10).map(|at| {
        let email = if at % 2 == 0 { email.clone() } else { email.to_uppercase() };
        world.request("POST", "/v1/users").json(&json!({"email": email}))
    });
    let responses = at_once(requests.collect()).await;
    assert_eq!(count(&responses, 201, ""), 1);
    assert_eq!(count(&responses, 409, "form_identifier_exists"), 9);
}
