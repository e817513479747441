//! `/v1/users/{id}/factors`: a factor is added, proven, listed and removed, by a proof or by the server's word.

use std::time::Duration;

use serde_json::{Value, json};

use super::{NOBODY, new_key, new_user, text};
use crate::support::World;

fn phone(number: &str) -> Value {
    json!({"type": "phone", "phone": number})
}

#[tokio::test]
async fn a_factor_is_pending_until_its_own_challenge_is_answered() {
    let world = World::null();
    let user = new_user(&world, &json!({})).await;
    let (factors, number) = (format!("/v1/users/{user}/factors"), world.number());
    let body = json!({"type": "phone", "phone": number, "name": "Mine", "locale": "en-GB"});
    let enrolled = world.post(&factors, &body).await.expect(201);
    let (factor, challenge) = (&enrolled["factor"], &enrolled["challenge"]);
    assert_eq!(
        (&factor["status"], &factor["type"], &factor["name"]),
        (&json!("pending"), &json!("phone"), &json!("Mine"))
    );
    assert_eq!((&factor["country"], &factor["activated_at"]), (&json!("US"), &Value::Null));
    assert_eq!((&challenge["purpose"], &challenge["factor_id"]), (&json!("enrolment"), &factor["id"]));
    assert_eq!(
        (&challenge["user_id"], &world.get(&factors).await.expect(200)["data"]),
        (&json!(user), &json!([factor]))
    );

    // The code of another challenge, even for the same number, does not prove it.
    world.here().clock.advance(Duration::from_secs(1));
    let other = world.challenge(&number).await;
    let activate = format!("{factors}/{}/activate", text(&factor["id"]));
    let body = json!({"challenge_id": other["id"], "code": world.code(&number).await});
    world.post(&activate, &body).await.expect_problem(422, "form_code_incorrect");
    assert_eq!(world.get(&factors).await.expect(200)["data"][0]["status"], "pending");
}

#[tokio::test]
async fn a_pending_factor_gets_another_code_and_an_active_one_is_challenged() {
    let world = World::null();
    let user = new_user(&world, &json!({})).await;
    let (factors, number) = (format!("/v1/users/{user}/factors"), world.number());
    let factor = text(&world.post(&factors, &phone(&number)).await.expect(201)["factor"]["id"]);
    world.here().clock.advance(Duration::from_secs(1));
    let again = world.request("POST", &format!("{factors}/{factor}/challenges")).send().await.expect(201);
    assert_eq!((&again["purpose"], &again["factor_id"]), (&json!("enrolment"), &json!(factor)));
    let body = json!({"challenge_id": again["id"], "code": world.code(&number).await});
    let active = world.post(&format!("{factors}/{factor}/activate"), &body).await.expect(200);
    assert_eq!(active["status"], "active");
    let challenge = world.post(&format!("{factors}/{factor}/challenges"), &json!({"channel": "sms"})).await.expect(201);
    assert_eq!((&challenge["purpose"], &challenge["user_id"]), (&json!("sign_in"), &json!(user)));
}

#[tokio::test]
async fn a_pending_factor_is_removed_for_nothing_and_takes_its_challenge_along() {
    let world = World::null();
    let user = new_user(&world, &json!({})).await;
    let factors = format!("/v1/users/{user}/factors");
    let enrolled = world.post(&factors, &phone(&world.number())).await.expect(201);
    world.delete(&format!("{factors}/{}", text(&enrolled["factor"]["id"]))).await.expect(204);
    let challenge = format!("/v1/challenges/{}", text(&enrolled["challenge"]["id"]));
    world.get(&challenge).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn the_servers_word_needs_its_own_scope_and_is_written_down() {
    let world = World::null();
    let (user, factor, _) = world.user_with_phone().await;
    let factors = format!("/v1/users/{user}/factors");
    let (_, key) = new_key(&world, &["users:read", "users:write"]).await;
    let body = json!({"type": "phone", "phone": world.number(), "override": {"reason": "lost phone"}});
    let refused = [
        world.request("POST", &factors).json(&body),
        world.request("DELETE", &format!("{factors}/{factor}?override_reason=lost")),
        world.request("DELETE", &format!("{factors}?override_reason=lost")),
    ];
    for request in refused {
        let problem = request.key(&key).send().await.expect_problem(403, "scope_missing");
        assert!(problem["detail"].as_str().unwrap().contains("users:override"));
    }
    world.post(&factors, &body).await.expect(201);
    world.delete(&format!("{factors}?override_reason=lost%20phone")).await.expect(204);
    assert_eq!(world.get(&factors).await.expect(200)["data"], json!([]));
    let events = world.get(&format!("/v1/audit-events?user_id={user}&type=factor.removed")).await.expect(200);
    assert_eq!(events["data"][0]["reason"], "lost phone");
    assert_eq!(events["data"][0]["data"], json!({"all": true, "authority": "override"}));
}

#[tokio::test]
async fn resetting_takes_a_proof_once() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let factors = format!("/v1/users/{user}/factors");
    world.delete(&factors).await.expect_problem(403, "proof_required");
    world.here().clock.advance(Duration::from_secs(1));
    let challenge = world.post("/v1/challenges", &json!({"user_id": user, "purpose": "step_up"})).await.expect(201);
    let proof = format!("{factors}?proof={}", text(&challenge["id"]));
    world.delete(&proof).await.expect_problem(403, "proof_invalid");
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    world.delete(&format!("{proof}&override_reason=both")).await.expect_problem(422, "form_param_invalid");
    world.delete(&proof).await.expect(204);
    assert_eq!(world.get(&factors).await.expect(200)["data"], json!([]));
    // Nothing is left to be guarded.
    world.delete(&factors).await.expect(204);
    world
        .delete(&format!("/v1/users/{}/factors?override_reason=x", NOBODY[0].1))
        .await
        .expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn a_proof_is_worth_ten_minutes() {
    let world = World::null();
    let (user, factor, number) = world.user_with_phone().await;
    let prove = async || {
        world.here().clock.advance(Duration::from_secs(1));
        let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
        world.answer(&challenge, &world.code(&number).await).await.expect(200);
        format!("/v1/users/{user}/factors/{factor}?proof={}", text(&challenge["id"]))
    };
    let old = prove().await;
    world.here().clock.advance(Duration::from_secs(601));
    world.delete(&old).await.expect_problem(403, "proof_invalid");
    let fresh = prove().await;
    world.here().clock.advance(Duration::from_secs(599));
    world.delete(&fresh).await.expect(204);
}

#[tokio::test]
async fn a_factor_is_its_users_only() {
    let world = World::null();
    let (_, factor, _) = world.user_with_phone().await;
    let stranger = new_user(&world, &json!({})).await;
    let path = format!("/v1/users/{stranger}/factors/{factor}");
    let body = json!({"challenge_id": NOBODY[2].1, "code": "123456"});
    world.post(&format!("{path}/activate"), &body).await.expect_problem(404, "resource_not_found");
    world.post(&format!("{path}/challenges"), &json!({})).await.expect_problem(404, "resource_not_found");
    world.delete(&path).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn a_factor_is_added_through_an_app_that_is_there_or_not_at_all() {
    let world = World::null();
    let (user, app) = (new_user(&world, &json!({})).await, NOBODY[5].1);
    let factors = format!("/v1/users/{user}/factors");
    let body = json!({"type": "phone", "phone": world.number(), "app_id": app});
    let problem = world.post(&factors, &body).await.expect_problem(404, "resource_not_found");
    assert!(problem["detail"].as_str().unwrap().contains("app"), "{problem}");
    assert_eq!(world.get(&factors).await.expect(200)["data"], json!([]), "a refusal leaves nothing");
    assert_eq!(world.here().database.number("SELECT count(*) FROM counters"), 0, "a refusal counts nothing");
    let events = format!("/v1/audit-events?user_id={user}&type=factor.enrolment_started");
    assert_eq!(world.get(&events).await.expect(200)["data"], json!([]));
    world.here().database.execute(&format!("INSERT INTO apps (id, name, created_at) VALUES ('{app}', 'Shop', 0)"));
    assert_eq!(world.post(&factors, &body).await.expect(201)["challenge"]["app_id"], app);
}

#[tokio::test]
async fn a_refused_factor_consumes_no_proof() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    world.here().clock.advance(Duration::from_secs(1));
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    let factors = format!("/v1/users/{user}/factors");
    let mut body = json!({"type": "phone", "phone": world.number(), "proof": challenge["id"], "app_id": NOBODY[5].1});
    world.post(&factors, &body).await.expect_problem(404, "resource_not_found");
    body.as_object_mut().unwrap().remove("app_id");
    world.post(&factors, &body).await.expect(201);
}

#[tokio::test]
async fn what_is_not_there_yet_or_not_possible_is_told() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let factors = format!("/v1/users/{user}/factors");
    for kind in ["passkey"] {
        world.post(&factors, &json!({"type": kind})).await.expect_problem(422, "strategy_not_supported");
    }
    let answer = world.post(&factors, &json!({"type": "phone"})).await;
    assert_eq!(answer.fields(), [("phone", "form_param_value_invalid")]);
    let answer = world.post(&factors, &json!({"type": "email"})).await;
    assert_eq!(answer.fields(), [("email", "form_param_value_invalid")]);
    let answer = world.post(&factors, &json!({"type": "email", "email": "hello"})).await;
    assert_eq!(answer.fields(), [("email", "email_address_invalid")]);
    let answer = world.post(&factors, &json!({"type": "email", "email": "a@b.cd", "channel": "sms"})).await;
    assert_eq!(answer.fields(), [("channel", "form_param_value_invalid")]);
    let answer = world.post(&factors, &phone("hello")).await;
    assert_eq!(answer.fields(), [("phone", "phone_number_invalid")]);
    let mut same = phone(&number);
    same["override"] = json!({"reason": "again"});
    world.post(&factors, &same).await.expect_problem(409, "form_identifier_exists");
    world
        .post(&format!("/v1/users/{}/factors", NOBODY[0].1), &phone(&number))
        .await
        .expect_problem(404, "resource_not_found");
    let british = json!({"type": "phone", "phone": world.british_number(), "override": {"reason": "x"}});
    world.post(&factors, &british).await.expect_problem(422, "country_not_allowed");
}

#[tokio::test]
async fn a_number_may_be_two_peoples() {
    let world = World::null();
    let (_, _, number) = world.user_with_phone().await;
    let other = new_user(&world, &json!({})).await;
    let factors = format!("/v1/users/{other}/factors");
    world.here().clock.advance(Duration::from_secs(1));
    let enrolled = world.post(&factors, &phone(&number)).await.expect(201);
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&number).await});
    world.post(&format!("{factors}/{}/activate", text(&enrolled["factor"]["id"])), &body).await.expect(200);
    let found = world.get(&format!("/v1/users?phone=%2B{}", &number[1..])).await.expect(200);
    assert_eq!(found["data"].as_array().unwrap().len(), 2);
}
