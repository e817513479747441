//! Sign-ins through the embedded API: an app's own form, from the first factor to the authorization code.

use serde_json::{Value, json};

use crate::support::{World, at_once, page::Page};

pub const PASSWORD: &str = "seven owls in a barn at dusk";

/// A user with an address and a password: the user's id and the address.
pub async fn person(world: &World) -> (String, String) {
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let user = user["id"].as_str().unwrap().to_owned();
    let password = json!({"type": "password", "password": PASSWORD});
    world.post(&format!("/v1/users/{user}/factors"), &password).await.expect(201);
    (user, address)
}

/// The same with a proven phone: also its number.
pub async fn person_with_phone(world: &World) -> (String, String, String) {
    let (user, address) = person(world).await;
    let number = world.number();
    let verified = world.post(&format!("/v1/users/{user}/verify-password"), &json!({"password": PASSWORD})).await;
    let proof = verified.expect(200)["id"].clone();
    world.enrol(&user, &json!({"type": "phone", "phone": number, "proof": proof}), &number).await;
    (user, address, number)
}

pub async fn a_password_and_a_phone_sign_in(world: World) {
    let (_, address, number) = person_with_phone(&world).await;
    let page = Page::new(&world).await;
    let flow = page.begin("sign-ins", json!({})).await;
    assert_eq!(flow.begun["step"], "needs_identifier");
    let named = flow.post("identifier", json!({"identifier": address})).await.expect(200);
    assert_eq!((&named["step"], &named["options"][0]), (&json!("needs_first_factor"), &json!({"type": "password"})));
    flow.post("password", json!({"password": "eight owls"})).await.expect_problem(422, "form_password_incorrect");
    flow.post("skip", json!({})).await.expect_problem(409, "flow_step_mismatch");

    let half = flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    assert_eq!(half["step"], "needs_second_factor");
    assert_eq!(half["options"][0]["type"], "phone");
    assert!(half["options"][0]["to"].as_str().unwrap().contains('•'), "{half}");
    let challenge = flow.post("challenges", json!({"type": "phone"})).await.expect(201);
    // A page that is loaded again goes on where it was.
    assert_eq!(flow.get().await.expect(200)["step"], "needs_second_factor");
    let answer = format!("challenges/{}/answer", challenge["id"].as_str().unwrap());
    let code = world.code(&number).await;
    flow.post(&answer, json!({"code": world.wrong(&code)})).await.expect_problem(422, "form_code_incorrect");
    let done = flow.post(&answer, json!({"code": code})).await.expect(200);
    assert_eq!(done["step"], "complete");
    assert!(done["code"].as_str().unwrap().starts_with("ac_"), "{done}");
    assert_eq!((&done["acr"], &done["amr"]), (&json!("urn:postern:acr:aal2"), &json!(["pwd", "sms", "mfa"])));

    // The code came once, and the flow is over.
    let over = flow.get().await.expect(200);
    assert_eq!((&over["step"], &over["code"]), (&json!("complete"), &Value::Null));
    flow.post(&answer, json!({"code": "424242"})).await.expect_problem(409, "flow_step_mismatch");
}

pub async fn the_policy_has_an_app_enrolled_and_an_enrolment_is_put_off(world: World) {
    let (_, address) = person(&world).await;
    let page = Page::with(&world, json!({"enforce_enrolment": ["phone"]})).await;
    let flow = page.begin("sign-ins", json!({"identifier": address})).await;
    let half = flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    assert_eq!((&half["step"], &half["options"]), (&json!("needs_enrolment"), &json!([{"type": "phone"}])));
    flow.post("skip", json!({})).await.expect_problem(409, "flow_step_mismatch");
    flow.post("enrolments", json!({"type": "totp"})).await.expect_problem(422, "form_param_invalid");
    let number = world.number();
    let added = flow.post("enrolments", json!({"type": "phone", "phone": number})).await.expect(201);
    let activate = format!("enrolments/{}/activate", added["factor"]["id"].as_str().unwrap());
    let done = flow.post(&activate, json!({"code": world.code(&number).await})).await.expect(200);
    assert_eq!((&done["step"], &done["amr"]), (&json!("complete"), &json!(["pwd", "sms", "mfa"])));

    let (_, address) = person(&world).await;
    let page = Page::with(&world, json!({"enforce_enrolment": ["phone"], "grace": {"sign_ins": 1}})).await;
    for left in [true, false] {
        let flow = page.begin("sign-ins", json!({})).await;
        let body = json!({"identifier": address, "password": PASSWORD});
        let half = flow.post("password", body).await.expect(200);
        assert_eq!((&half["step"], half["skip"].is_object()), (&json!("needs_enrolment"), left));
        if left {
            assert_eq!(flow.post("skip", json!({})).await.expect(200)["step"], "complete");
        }
    }
}

pub async fn a_remembered_device_signs_in_with_the_password_alone(world: World) {
    let (_, address, number) = person_with_phone(&world).await;
    let page = Page::with(&world, json!({"remember_device": true})).await;
    let both = json!({"identifier": address, "password": PASSWORD});
    let flow = page.begin("sign-ins", json!({})).await;
    flow.post("password", both.clone()).await.expect(200);
    let challenge = flow.post("challenges", json!({})).await.expect(201);
    let answer = format!("challenges/{}/answer", challenge["id"].as_str().unwrap());
    let body = json!({"code": world.code(&number).await, "remember_device": true});
    let done = flow.post(&answer, body).await.expect(200);
    let device = done["device"].as_str().unwrap();

    let flow = page.begin("sign-ins", json!({"device": device})).await;
    let done = flow.post("password", both.clone()).await.expect(200);
    assert_eq!((&done["step"], &done["acr"]), (&json!("complete"), &json!("urn:postern:acr:aal1")));
    // It stands in for nobody else, and no part of it does.
    let (_, other, _) = person_with_phone(&world).await;
    let flow = page.begin("sign-ins", json!({"device": device})).await;
    let half = flow.post("password", json!({"identifier": other, "password": PASSWORD})).await.expect(200);
    assert_eq!(half["step"], "needs_second_factor");
    let flow = page.begin("sign-ins", json!({"device": format!("{}x", &device[..device.len() - 1])})).await;
    assert_eq!(flow.post("password", both).await.expect(200)["step"], "needs_second_factor");
}

pub async fn fifty_right_answers_end_a_flow_once(world: World) {
    let (_, address, number) = person_with_phone(&world).await;
    let page = Page::new(&world).await;
    let flow = page.begin("sign-ins", json!({})).await;
    flow.post("password", json!({"identifier": address, "password": PASSWORD})).await.expect(200);
    let challenge = flow.post("challenges", json!({})).await.expect(201);
    let answer = format!("challenges/{}/answer", challenge["id"].as_str().unwrap());
    let code = json!({"code": world.code(&number).await});
    let answers = at_once((0..50).map(|_| flow.request(&answer, &code)).collect()).await;
    let codes =
        answers.iter().filter(|answer| answer.json["code"].as_str().is_some_and(|code| code.starts_with("ac_")));
    assert_eq!(codes.count(), 1);
}
