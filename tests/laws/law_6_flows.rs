//! Law 6 in flows: what was proven there allows one enrolment, which may be begun anew until it is proven. And what is
//! over or refused is that, and nothing else.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Authenticator, World, at_once,
    embedded::{Flow, Form, SIGN_IN},
};

const GOOD: &str = "lilac-otter-walks-at-dawn";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}")).to_owned()
}

/// A form whose app asks everybody for an authenticator app, and a flow in which Ana's password was proven.
async fn at_the_enrolment(world: &World) -> (Form, Flow) {
    let form = Form::new(world, json!({"mfa": {"use_instance_policy": false, "required": ["totp"]}})).await;
    let user = text(&world.post("/v1/users", &json!({"email": "ana@example.com"})).await.expect(201)["id"]);
    let body = json!({"type": "password", "password": GOOD});
    world.post(&format!("/v1/users/{user}/factors"), &body).await.expect(201);
    let (flow, told) = form.with_password(world, "ana@example.com", GOOD).await;
    assert_eq!(told.expect(200)["step"], "needs_enrolment");
    (form, flow)
}

#[tokio::test]
async fn an_enrolment_in_a_flow_is_begun_anew_and_the_newest_alone_becomes_active() {
    let world = World::null();
    let (form, flow) = at_the_enrolment(&world).await;
    let enrol = || form.post(&world, &flow, "enrolments", &json!({"type": "totp"}));
    let activate = |enrolled: &Value| {
        let rest = format!("enrolments/{}/activate", text(&enrolled["factor"]["id"]));
        form.post(&world, &flow, &rest, &json!({"code": Authenticator::scan(enrolled).code(world.now())}))
    };
    // The page was loaded again, and its QR code is gone.
    let first = enrol().send().await.expect(201);
    let second = enrol().send().await.expect(201);
    activate(&first).send().await.expect_problem(403, "proof_required");
    assert_eq!(form.read(&world, &flow).await.expect(200)["step"], "needs_enrolment");
    assert_eq!(world.here().database.number("SELECT count(*) FROM factors WHERE activated_at IS NOT NULL"), 1);
    // Nor does what was proven of it stand in the way of another one.
    let third = enrol().send().await.expect(201);
    activate(&second).send().await.expect_problem(403, "proof_required");
    let told = activate(&third).send().await.expect(200);
    assert_eq!((&told["step"], told["code"].is_string()), (&json!("complete"), true));
    assert_eq!(
        world.here().database.number("SELECT count(*) FROM factors WHERE type = 'totp' AND activated_at > 0"),
        1
    );
}

#[tokio::test]
async fn of_twenty_enrolments_begun_at_once_one_becomes_active() {
    let world = World::null();
    let (form, flow) = at_the_enrolment(&world).await;
    let enrol = || form.post(&world, &flow, "enrolments", &json!({"type": "totp"}));
    let begun: Vec<Value> = at_once((0..20).map(|_| enrol()).collect())
        .await
        .into_iter()
        .filter(|response| response.status == 201)
        .map(|response| response.json)
        .collect();
    assert!(!begun.is_empty());
    let activate = |enrolled: &Value| {
        let rest = format!("enrolments/{}/activate", text(&enrolled["factor"]["id"]));
        form.post(&world, &flow, &rest, &json!({"code": Authenticator::scan(enrolled).code(world.now())}))
    };
    let told = at_once(begun.iter().map(activate).collect()).await;
    assert_eq!(told.iter().filter(|told| told.json["code"].is_string() && told.status == 200).count(), 1);
    assert_eq!(
        world.here().database.number("SELECT count(*) FROM factors WHERE type = 'totp' AND activated_at > 0"),
        1
    );
}

#[tokio::test]
async fn a_flow_whose_time_is_over_is_abandoned_however_old_its_proofs_are() {
    let world = World::null();
    let (form, flow) = at_the_enrolment(&world).await;
    world.here().clock.advance(Duration::from_hours(1));
    assert_eq!(form.read(&world, &flow).await.expect(200)["step"], "abandoned");
    for (rest, body) in [
        ("identifier", json!({"identifier": "ana@example.com"})),
        ("password", json!({"password": GOOD})),
        ("enrolments", json!({"type": "totp"})),
        ("skip", json!({})),
    ] {
        let told = form.post(&world, &flow, rest, &body).send().await.expect_problem(409, "flow_step_mismatch");
        assert_eq!(told["step"], "abandoned", "{rest}");
    }
}

#[tokio::test]
async fn an_answer_to_nothing_remembers_no_device() {
    let world = World::null();
    let form = Form::new(&world, json!({})).await;
    let flow = form.begin(&world, SIGN_IN, json!({"identifier": "ana@example.com"})).await;
    let body = json!({"code": "000000", "remember_device": true});
    for rest in
        ["challenges/chl_01M83WM7ZA000G40R40M30E209/answer", "enrolments/fac_01M83WM7ZA000G40R40M30E209/activate"]
    {
        assert!(form.post(&world, &flow, rest, &body).send().await.status >= 400);
    }
    assert_eq!(world.here().database.number("SELECT sum(remember_device) FROM flows"), 0);
}
