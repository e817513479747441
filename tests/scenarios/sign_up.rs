//! Sign-ups through the embedded API: an app's own form makes a user, once the address is proven.

use serde_json::{Value, json};

use crate::support::{
    World, at_once,
    page::{Flow, Page},
    passkey::{self, Authenticator},
};

const PASSWORD: &str = "nine herons over the quiet lake";

/// What answers the code that is out in a flow.
fn answer(said: &Value) -> String {
    format!(
        "challenges/{}/answer",
        said["challenge"]["id"].as_str().unwrap_or_else(|| panic!("no challenge in {said}"))
    )
}

/// A sign-up that has named the address and chosen the password: the flow, and what answers the code.
async fn half<'a>(page: &'a Page<'a>, address: &str) -> (Flow<'a>, String) {
    let flow = page.begin("sign-ups", json!({"identifier": address})).await;
    let path = answer(&flow.begun);
    let chosen = flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    assert_eq!(chosen["step"], "needs_verification");
    (flow, path)
}

/// The user with this address.
async fn found(world: &World, address: &str) -> Vec<Value> {
    let path = format!("/v1/users?email={address}");
    world.get(&path).await.expect(200)["data"].as_array().unwrap().clone()
}

pub async fn an_address_and_a_password_sign_up_and_in(world: World) {
    let address = world.address();
    let page = Page::new(&world).await;
    let flow = page.begin("sign-ups", json!({"locale": "de"})).await;
    assert_eq!((&flow.begun["type"], &flow.begun["step"]), (&json!("sign_up"), &json!("needs_identifier")));
    flow.post("password", json!({"password": PASSWORD})).await.expect_problem(409, "flow_step_mismatch");
    let named = flow.post("identifier", json!({"identifier": address})).await.expect(200);
    assert_eq!((&named["step"], &named["challenge"]["to"]), (&json!("needs_first_factor"), &Value::Null));
    // A page that is loaded again finds the code that is out.
    assert_eq!(flow.get().await.expect(200)["challenge"]["id"], named["challenge"]["id"]);

    for weak in ["short", "password1234567", &format!("{}!", address.split('@').next().unwrap())] {
        flow.post("password", json!({"password": weak})).await.expect_problem(422, "form_param_invalid");
    }
    let chosen = flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    assert_eq!(chosen["step"], "needs_verification");
    assert_eq!(found(&world, &address).await, [] as [Value; 0]);

    let code = world.code(&address).await;
    let path = answer(&named);
    flow.post(&path, json!({"code": world.wrong(&code)})).await.expect_problem(422, "form_code_incorrect");
    let done = flow.post(&path, json!({"code": code})).await.expect(200);
    assert_eq!(done["step"], "complete");
    assert!(done["code"].as_str().unwrap().starts_with("ac_"), "{done}");
    assert_eq!((&done["acr"], &done["amr"]), (&json!("urn:postern:acr:aal1"), &json!(["pwd"])));
    let user = &found(&world, &address).await[0];
    assert!(user["email_verified_at"].is_string(), "{user}");
    assert_eq!((&user["email"], &user["locale"]), (&json!(address), &json!("de")));

    let flow = page.begin("sign-ins", json!({"identifier": address})).await;
    assert_eq!(flow.post("password", json!({"password": PASSWORD})).await.expect(200)["step"], "complete");
}

pub async fn the_address_is_proven_first_and_the_policy_goes_on(world: World) {
    let address = world.address();
    let page = Page::with(&world, json!({"enforce_enrolment": ["phone"]})).await;
    let flow = page.begin("sign-ups", json!({"identifier": address})).await;
    let proven = flow.post(&answer(&flow.begun), json!({"code": world.code(&address).await})).await.expect(200);
    assert_eq!(proven["step"], "needs_first_factor");
    assert_eq!(found(&world, &address).await, [] as [Value; 0]);
    flow.post("challenges", json!({})).await.expect_problem(422, "form_param_invalid");
    let half = flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    assert_eq!((&half["step"], &half["options"]), (&json!("needs_enrolment"), &json!([{"type": "phone"}])));
    let number = world.number();
    let added = flow.post("enrolments", json!({"type": "phone", "phone": number})).await.expect(201);
    let activate = format!("enrolments/{}/activate", added["factor"]["id"].as_str().unwrap());
    let done = flow.post(&activate, json!({"code": world.code(&number).await})).await.expect(200);
    assert_eq!((&done["step"], &done["amr"]), (&json!("complete"), &json!(["pwd", "sms", "mfa"])));
}

pub async fn a_passkey_signs_up_and_in(world: World) {
    passkey::allow(&world).await;
    let address = world.address();
    let page = Page::new(&world).await;
    let flow = page.begin("sign-ups", json!({"identifier": address})).await;
    let asked = flow.post("passkey/options", json!({})).await.expect(201);
    assert_eq!(asked["public_key"]["user"]["name"], json!(address));
    let mut authenticator = Authenticator::new(passkey::ORIGIN);
    let credential = authenticator.create(&asked["public_key"]);
    let mut other = Authenticator::new("https://evil.example");
    let forged = json!({"credential": other.create(&asked["public_key"])});
    flow.post("passkey", forged).await.expect_problem(422, "form_code_incorrect");
    let body = json!({"credential": credential, "name": "My laptop"});
    assert_eq!(flow.post("passkey", body.clone()).await.expect(200)["step"], "needs_verification");
    flow.post("passkey", body).await.expect_problem(409, "verification_already_verified");
    let code = json!({"code": world.code(&address).await});
    let done = flow.post(&answer(&flow.begun), code).await.expect(200);
    assert_eq!((&done["step"], &done["acr"]), (&json!("complete"), &json!("urn:postern:acr:aal2-phishing-resistant")));

    let user = found(&world, &address).await[0]["id"].as_str().unwrap().to_owned();
    let factors = world.get(&format!("/v1/users/{user}/factors")).await.expect(200);
    assert_eq!((&factors["data"][0]["type"], &factors["data"][0]["name"]), (&json!("passkey"), &json!("My laptop")));
    // It says by itself whose it is.
    let flow = page.begin("sign-ins", json!({})).await;
    let asked = flow.post("passkey/options", json!({})).await.expect(201);
    let body = json!({"credential": authenticator.get(&asked["public_key"])});
    assert_eq!(flow.post("passkey", body).await.expect(200)["step"], "complete");
}

pub async fn a_number_signs_up_where_the_setting_has_it(world: World) {
    let (page, number) = (Page::new(&world).await, world.number());
    let flow = page.begin("sign-ups", json!({})).await;
    flow.post("identifier", json!({"identifier": number})).await.expect_problem(422, "form_param_invalid");
    let both = json!({"sign_in": {"identifiers": ["email", "phone"]}});
    world.patch("/v1/instance", &both).await.expect(200);
    let body = json!({"identifier": number, "password": PASSWORD});
    let named = flow.post("password", body).await.expect(200);
    assert_eq!((&named["step"], &named["challenge"]["channel"]), (&json!("needs_verification"), &json!("sms")));
    let done = flow.post(&answer(&named), json!({"code": world.code(&number).await})).await.expect(200);
    // The number is a factor, and was proven just now.
    assert_eq!((&done["step"], &done["amr"]), (&json!("complete"), &json!(["pwd", "sms", "mfa"])));
    let flow = page.begin("sign-ins", json!({"identifier": number})).await;
    let half = flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    assert_eq!((&half["step"], &half["options"][0]["type"]), (&json!("needs_second_factor"), &json!("phone")));
}

pub async fn a_known_address_looks_the_same_and_nothing_happens_to_its_owner(world: World) {
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let page = Page::new(&world).await;
    let (flow, path) = half(&page, &address).await;
    for _ in 0..2 {
        flow.post(&path, json!({"code": "000000"})).await.expect_problem(422, "form_code_incorrect");
    }
    assert_eq!(flow.get().await.expect(200)["step"], "needs_verification");
    let user = user["id"].as_str().unwrap();
    let factors = world.get(&format!("/v1/users/{user}/factors")).await.expect(200);
    assert_eq!(factors["data"], json!([]));
}

pub async fn parallel_sign_ups_with_one_address_make_one_user(world: World) {
    let address = world.address();
    let page = Page::new(&world).await;
    let mut answers = Vec::new();
    for _ in 0..8 {
        let (flow, path) = half(&page, &address).await;
        answers.push(flow.request(&path, &json!({"code": world.code(&address).await})));
    }
    let answers = at_once(answers).await;
    let is = |step: &str| answers.iter().filter(|answer| answer.json["step"] == step).count();
    assert_eq!(is("complete"), 1, "{:?}", answers.iter().map(|answer| &answer.json).collect::<Vec<_>>());
    let lost = answers.iter().filter(|answer| answer.json["code"] == "form_identifier_exists").count();
    assert_eq!(lost, 7);
    assert_eq!(found(&world, &address).await.len(), 1);
}
