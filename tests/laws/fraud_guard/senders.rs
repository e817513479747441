//! Whoever sends a code is judged: each way once. What is refused leaves nothing half done.

use std::time::Duration;

use serde_json::{Value, json};

use super::{HOUR, british, enter, mac, on, refused, send, world};
use crate::support::{
    Response, World,
    account::{Account, PASSWORD},
    page::Page,
};

/// Blocks a number, whoever has it.
async fn block(world: &World, number: &str) {
    enter(world, "block", &format!("number:{}", mac(world, number).await), HOUR);
}

/// How many rows there are of what a send makes.
fn made(world: &World) -> [i64; 4] {
    ["challenges", "messages", "factors", "counters"]
        .map(|table| world.here().database.number(&format!("SELECT count(*) FROM {table}")))
}

/// A refusal that has made nothing.
async fn nothing_is_made(world: &World, call: impl Future<Output = Response>) {
    let before = made(world);
    refused(call.await);
    assert_eq!(made(world), before);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

#[tokio::test]
async fn a_code_to_a_number_by_sms_and_by_call() {
    let world = world(json!({})).await;
    let number = british(900, 0);
    block(&world, &number).await;
    nothing_is_made(&world, send(&world, &number).send()).await;
    let call = json!({"to": {"phone": number}, "channel": "voice"});
    nothing_is_made(&world, world.post("/v1/challenges", &call)).await;
    assert_eq!(super::events(&world, "fraud.blocked").len(), 1, "one key, told once");
}

#[tokio::test]
async fn a_code_to_a_users_factor() {
    let world = on(World::null(), json!({})).await;
    let (user, factor, number) = world.user_with_phone().await;
    block(&world, &number).await;
    nothing_is_made(&world, world.post("/v1/challenges", &json!({"user_id": user}))).await;
    let path = format!("/v1/users/{user}/factors/{factor}/challenges");
    nothing_is_made(&world, world.request("POST", &path).send()).await;
    let of_user = world.get(&format!("/v1/audit-events?user_id={user}&type=fraud.blocked")).await.expect(200);
    assert_eq!(of_user["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn another_code_of_a_challenge_that_exists() {
    let world = world(json!({})).await;
    let number = british(900, 0);
    let challenge = send(&world, &number).send().await.expect(201);
    let code = world.code(&number).await;
    world.here().clock.advance(Duration::from_secs(31));
    let resend = || {
        let path = format!("/v1/challenges/{}/resend", text(&challenge["id"]));
        world.request("POST", &path).idempotency_key("again").send()
    };
    enter(&world, "block", "prefix:+44794900", Duration::from_mins(2));
    nothing_is_made(&world, resend()).await;
    // The code that is out lives, and once the block has ended another is sent.
    world.here().clock.advance(Duration::from_mins(2));
    resend().await.expect(200);
    world.answer(&challenge, &code).await.expect_problem(422, "form_code_incorrect");
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
}

#[tokio::test]
async fn a_new_factor_which_is_not_begun_then_and_uses_no_proof_up() {
    let world = on(World::null(), json!({})).await;
    let (user, _, own) = world.user_with_phone().await;
    let path = format!("/v1/users/{user}/factors");
    let proof = world.proof(&user, &own).await;
    let number = british(900, 0);
    block(&world, &number).await;
    let body = |number: &str| json!({"type": "phone", "phone": number, "proof": proof});
    nothing_is_made(&world, world.post(&path, &body(&number))).await;
    // One that is not proven yet has no second code either.
    let other = british(900, 1);
    let begun = world.post(&path, &body(&other)).await.expect(201);
    block(&world, &other).await;
    let again = format!("{path}/{}/challenges", text(&begun["factor"]["id"]));
    nothing_is_made(&world, world.request("POST", &again).send()).await;
}

#[tokio::test]
async fn a_second_factor_of_a_sign_in() {
    let world = on(World::null(), json!({})).await;
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let (_, number) = ana.given_phone().await;
    let flow = page.begin("sign-ins", json!({})).await;
    flow.post("password", json!({"identifier": ana.address, "password": PASSWORD})).await.expect(200);
    let challenge = flow.post("challenges", json!({})).await.expect(201);
    block(&world, &number).await;
    nothing_is_made(&world, flow.post("challenges", json!({}))).await;
    world.here().clock.advance(Duration::from_secs(31));
    let resend = format!("challenges/{}/resend", text(&challenge["id"]));
    nothing_is_made(&world, flow.post(&resend, json!({}))).await;
    // The flow goes on: the code that was sent is good.
    let answer = format!("challenges/{}/answer", text(&challenge["id"]));
    let done = flow.post(&answer, json!({"code": world.code(&number).await})).await.expect(200);
    assert_eq!(done["step"], "complete");
}

#[tokio::test]
async fn a_step_up_a_new_factor_and_a_new_number_of_somebody_signed_in() {
    let world = on(World::null(), json!({})).await;
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let number = british(900, 0);
    block(&world, &number).await;
    ana.prove_password().await;
    for (path, body) in
        [("/v1/me/factors", json!({"type": "phone", "phone": number})), ("/v1/me/phone", json!({"phone": number}))]
    {
        nothing_is_made(&world, ana.post(path, body)).await;
    }
    // The proof is good still.
    let changed = ana.post("/v1/me/phone", json!({"phone": british(900, 1)})).await;
    let changed = changed.expect(201);
    block(&world, &british(900, 1)).await;
    world.here().clock.advance(Duration::from_secs(31));
    let again = format!("/v1/me/phone/{}/resend", text(&changed["id"]));
    nothing_is_made(&world, ana.post(&again, json!({}))).await;
    let (_, own) = ana.given_phone().await;
    block(&world, &own).await;
    nothing_is_made(&world, ana.post("/v1/me/step-up", json!({}))).await;
}

#[tokio::test]
async fn an_enrolment_that_the_policy_asks_for() {
    let world = on(World::null(), json!({})).await;
    let page = Page::with(&world, json!({"use_instance_policy": false, "required": ["phone"]})).await;
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let password = json!({"type": "password", "password": PASSWORD});
    world.post(&format!("/v1/users/{}/factors", text(&user["id"])), &password).await.expect(201);
    let flow = page.begin("sign-ins", json!({})).await;
    let half = flow.post("password", json!({"identifier": address, "password": PASSWORD})).await.expect(200);
    assert_eq!(half["step"], "needs_enrolment", "{half}");
    let number = british(900, 0);
    block(&world, &number).await;
    let enrol = |number: &str| flow.post("enrolments", json!({"type": "phone", "phone": number}));
    nothing_is_made(&world, enrol(&number)).await;
    enrol(&british(900, 1)).await.expect(201);
}
