//! Password resets through the embedded API: what proves it is you, what ends with the old password, and what nobody learns.

use serde_json::{Value, json};

use super::sign_in::{PASSWORD, person, person_with_phone};
use crate::support::{
    World,
    page::{Flow, Page},
};

const NEW: &str = "nine herons on a frozen lake";

/// Answers the flow's challenge with the code that went to the address.
async fn prove_mailbox(flow: &Flow<'_>, address: &str) -> Value {
    let named = flow.post("identifier", json!({"identifier": address})).await.expect(200);
    assert_eq!((&named["step"], &named["challenge"]["to"]), (&json!("needs_first_factor"), &Value::Null));
    let answer = format!("challenges/{}/answer", named["challenge"]["id"].as_str().unwrap());
    let code = flow.page.world.code(address).await;
    flow.post(&answer, json!({"code": flow.page.world.wrong(&code)})).await.expect_problem(422, "form_code_incorrect");
    flow.post(&answer, json!({"code": code})).await.expect(200)
}

pub async fn a_forgotten_password_is_replaced_and_all_else_ends(world: World) {
    let (user, address) = person(&world).await;
    let page = Page::new(&world).await;
    // Somebody is signed in already.
    let before = page.begin("sign-ins", json!({})).await;
    let done = before.post("password", json!({"identifier": address, "password": PASSWORD})).await.expect(200);
    let old = page.exchange(done["code"].as_str().unwrap()).await.expect(200);

    let flow = page.begin("password-resets", json!({})).await;
    assert_eq!(prove_mailbox(&flow, &address).await["step"], "needs_new_password");
    flow.post("new-password", json!({"password": "short"})).await.expect_problem(422, "form_param_invalid");
    let done = flow.post("new-password", json!({"password": NEW})).await.expect(200);
    assert_eq!((&done["step"], &done["acr"]), (&json!("complete"), &json!("urn:postern:acr:aal1")));
    let new = page.exchange(done["code"].as_str().unwrap()).await.expect(200);
    assert!(new["access_token"].is_string());

    // Whoever was in is out, and only the new password is one.
    page.refresh(old["refresh_token"].as_str().unwrap()).await.expect(400);
    page.refresh(new["refresh_token"].as_str().unwrap()).await.expect(200);
    let verify = format!("/v1/users/{user}/verify-password");
    world.post(&verify, &json!({"password": PASSWORD})).await.expect_problem(422, "form_password_incorrect");
    world.post(&verify, &json!({"password": NEW})).await.expect(200);
    flow.post("new-password", json!({"password": PASSWORD})).await.expect_problem(409, "flow_step_mismatch");
}

pub async fn a_reset_never_skips_the_second_factor(world: World) {
    let (user, address, number) = person_with_phone(&world).await;
    let page = Page::with(&world, json!({"remember_device": true})).await;
    // A remembered device stands in at a sign-in.
    let before = page.begin("sign-ins", json!({})).await;
    before.post("password", json!({"identifier": address, "password": PASSWORD})).await.expect(200);
    let challenge = before.post("challenges", json!({})).await.expect(201);
    let answer = format!("challenges/{}/answer", challenge["id"].as_str().unwrap());
    let body = json!({"code": world.code(&number).await, "remember_device": true});
    let device = before.post(&answer, body).await.expect(200)["device"].clone();

    let flow = page.begin("password-resets", json!({"device": device})).await;
    let half = prove_mailbox(&flow, &address).await;
    assert_eq!((&half["step"], &half["options"][0]["type"]), (&json!("needs_second_factor"), &json!("phone")));
    assert_eq!(half["options"].as_array().unwrap().len(), 1, "{half}");
    flow.post("new-password", json!({"password": NEW})).await.expect_problem(409, "flow_step_mismatch");
    let challenge = flow.post("challenges", json!({"type": "phone"})).await.expect(201);
    let answer = format!("challenges/{}/answer", challenge["id"].as_str().unwrap());
    let half = flow.post(&answer, json!({"code": world.code(&number).await})).await.expect(200);
    assert_eq!(half["step"], "needs_new_password");
    flow.post("new-password", json!({"password": NEW})).await.expect(200);

    // The device is forgotten, the phone is still asked.
    assert!(world.get(&format!("/v1/users/{user}/devices")).await.expect(200)["data"].as_array().unwrap().is_empty());
    let after = page.begin("sign-ins", json!({"device": device})).await;
    let half = after.post("password", json!({"identifier": address, "password": NEW})).await.expect(200);
    assert_eq!(half["step"], "needs_second_factor");
}

pub async fn nobody_learns_who_is_known(world: World) {
    let (_, known) = person(&world).await;
    let page = Page::new(&world).await;
    let mut shapes = Vec::new();
    for address in [known.as_str(), "nobody.at.all@example.com"] {
        let flow = page.begin("password-resets", json!({})).await;
        let named = flow.post("identifier", json!({"identifier": address})).await.expect(200);
        let mut shape: Vec<String> = vec![format!("{:?}", keys(&named)), named["step"].to_string()];
        let answer = format!("challenges/{}/answer", named["challenge"]["id"].as_str().unwrap());
        for left in ["4", "3"] {
            let refused = flow.post(&answer, json!({"code": "000000"})).await;
            shape.push(format!("{} {} {}", refused.status, refused.json["detail"], refused.json["attempts_left"]));
            assert_eq!(refused.json["attempts_left"].to_string(), left);
        }
        let refused = flow.post("recovery-code", json!({"code": "7V2C-K9QX-4M0T-ZR8H"})).await;
        shape.push(format!("{} {} {}", refused.status, refused.json["detail"], refused.json["attempts_left"]));
        let read = flow.get().await.expect(200);
        shape.push(format!("{:?} {}", keys(&read), read["options"]));
        shapes.push(shape);
    }
    assert_eq!(shapes[0], shapes[1]);
}

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}

pub async fn recovery_codes_open_a_reset_and_stand_in_once(world: World) {
    world.patch("/v1/instance", &json!({"multi_factor": {"recovery_codes": {"enabled": true}}})).await.expect(200);
    let (user, address, number) = person_with_phone(&world).await;
    let proof = world.proof(&user, &number).await;
    let made = world.post(&format!("/v1/users/{user}/recovery-codes"), &json!({"proof": proof})).await.expect(201);
    let code = |at: usize| made["recovery_codes"][at].clone();
    let page = Page::new(&world).await;

    // The mailbox, and a code in the place of the lost phone.
    let flow = page.begin("password-resets", json!({})).await;
    assert_eq!(prove_mailbox(&flow, &address).await["step"], "needs_second_factor");
    let half = flow.post("recovery-code", json!({"code": code(0)})).await.expect(200);
    assert_eq!(half["step"], "needs_new_password");
    flow.post("new-password", json!({"password": NEW})).await.expect(200);

    // A code in the place of the lost mailbox: the phone is asked, and no second code is enough.
    let flow = page.begin("password-resets", json!({"identifier": address})).await;
    flow.post("recovery-code", json!({"code": code(0)})).await.expect_problem(422, "form_code_incorrect");
    let half = flow.post("recovery-code", json!({"code": code(1)})).await.expect(200);
    assert_eq!((&half["step"], &half["options"][0]["type"]), (&json!("needs_second_factor"), &json!("phone")));
    assert_eq!(half["options"].as_array().unwrap().len(), 1, "{half}");
    assert_eq!(flow.post("recovery-code", json!({"code": code(2)})).await.status, 422);
    let challenge = flow.post("challenges", json!({})).await.expect(201);
    let answer = format!("challenges/{}/answer", challenge["id"].as_str().unwrap());
    let half = flow.post(&answer, json!({"code": world.code(&number).await})).await.expect(200);
    assert_eq!(half["step"], "needs_new_password");
    flow.post("new-password", json!({"password": PASSWORD})).await.expect(200);
}
