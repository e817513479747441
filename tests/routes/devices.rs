//! `/v1/users/{id}/devices`: who may have one remembered, and what is kept of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::text;
use crate::support::World;

/// An app that remembers devices, and a user with a proven phone: the app, the user, the number.
async fn ready(world: &World) -> (String, String, String) {
    let app = json!({"name": "Shop", "mfa": {"remember_device": true}});
    let app = text(&world.post("/v1/apps", &app).await.expect(201)["id"]);
    let (user, _, number) = world.user_with_phone().await;
    (app, user, number)
}

fn body(app: &str, proofs: &[String]) -> Value {
    json!({"app_id": app, "proofs": proofs, "external_first_factor": {"type": "password"}})
}

#[tokio::test]
async fn a_token_is_shown_once_and_kept_as_a_hash() {
    let world = World::null();
    let (app, user, number) = ready(&world).await;
    let body = body(&app, &[world.proof(&user, &number).await]);
    let path = format!("/v1/users/{user}/devices");
    let made = world.post(&path, &body).await.expect(201);
    let token = text(&made["token"]);
    let secret = token.split_once('.').unwrap().1;
    assert!(secret.len() >= 43, "256 bits");
    let kept = world.here().database.everything();
    assert!(kept.iter().all(|(place, text)| !text.contains(secret) && !text.contains(&token) || place.is_empty()));
    assert!(world.here().log.lines().iter().all(|line| !line.contains(secret)));
    assert!(!world.get(&path).await.text.contains(secret));
    assert!(!world.get("/v1/audit-events?limit=100").await.text.contains(secret));
}

#[tokio::test]
async fn it_needs_a_second_factor_that_nothing_stood_in_for() {
    let world = World::null();
    let (app, user, number) = ready(&world).await;
    let path = format!("/v1/users/{user}/devices");
    let refused =
        async |body: Value| text(&world.post(&path, &body).await.expect_problem(403, "device_not_allowed")["detail"]);
    let proof = world.proof(&user, &number).await;
    // No first factor.
    let detail = refused(json!({"app_id": app, "proofs": [proof]})).await;
    assert!(detail.contains("policy is not met"), "{detail}");
    // The instance's policy remembers none, and is not asked for its app's sake.
    let mut plain = body(&app, std::slice::from_ref(&proof));
    plain.as_object_mut().unwrap().remove("app_id");
    assert!(refused(plain).await.contains("multi_factor.remember_device.enabled"));
    // An exemption stands in for nothing that was proven; what is proven beside it counts.
    let exempt = json!({"mfa": {"exempt_until": "2030-01-01T00:00:00Z"}});
    world.patch(&format!("/v1/users/{user}"), &exempt).await.expect(200);
    world.post(&path, &body(&app, std::slice::from_ref(&proof))).await.expect(201);
    // Each proof makes one.
    world.post(&path, &body(&app, &[proof])).await.expect_problem(403, "proof_invalid");
    world.post(&path, &body(&app, &[])).await.expect_problem(422, "form_param_invalid");
}

#[tokio::test]
async fn a_proof_that_another_change_has_used_makes_none() {
    let world = World::null();
    let (app, user, number) = ready(&world).await;
    let proof = world.proof(&user, &number).await;
    let second = json!({"type": "phone", "phone": world.number(), "proof": proof});
    world.post(&format!("/v1/users/{user}/factors"), &second).await.expect(201);
    let path = format!("/v1/users/{user}/devices");
    world.post(&path, &body(&app, &[proof])).await.expect_problem(403, "proof_invalid");
}

#[tokio::test]
async fn a_proof_of_a_device_allows_no_other_change() {
    let world = World::null();
    let (app, user, number) = ready(&world).await;
    let proof = world.proof(&user, &number).await;
    world.post(&format!("/v1/users/{user}/devices"), &body(&app, std::slice::from_ref(&proof))).await.expect(201);
    let path = format!("/v1/users/{user}/factors?proof={proof}");
    world.delete(&path).await.expect_problem(403, "proof_invalid");
    world.evaluate(&user, &json!({"proofs": [proof]})).await.expect_problem(403, "proof_invalid");
}

#[tokio::test]
async fn it_ends_with_its_days_or_a_shorter_setting_and_goes_with_the_cron() {
    let world = World::null();
    let (app, user, number) = ready(&world).await;
    let path = format!("/v1/users/{user}/devices");
    let made = world.post(&path, &body(&app, &[world.proof(&user, &number).await])).await.expect(201);
    let flow = json!({"app_id": app, "device": made["token"]});
    let step = async || text(&world.evaluate(&user, &flow).await.expect(200)["step"]);
    let day = Duration::from_hours(24);
    world.here().clock.advance(day * 6);
    assert_eq!(step().await, "satisfied");
    let days = |days: u32| json!({"multi_factor": {"remember_device": {"days": days}}});
    world.patch("/v1/instance", &days(5)).await.expect(200);
    assert_eq!(step().await, "needs_second_factor");
    world.patch("/v1/instance", &days(300)).await.expect(200);
    assert_eq!(step().await, "satisfied");
    world.here().clock.advance(Duration::from_hours(24 * 24).checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!(step().await, "satisfied", "30 days from its making, whatever the setting is now");
    world.here().clock.advance(Duration::from_millis(1));
    assert_eq!(step().await, "needs_second_factor");
    assert_eq!(world.get(&path).await.expect(200)["data"], json!([]));
    assert_eq!(world.here().database.number("SELECT count(*) FROM devices"), 1);
    postern::housekeeping::run(&world.here().app).await.unwrap();
    assert_eq!(world.here().database.number("SELECT count(*) FROM devices"), 0);
}

#[tokio::test]
async fn a_device_is_its_users_only() {
    let world = World::null();
    let (app, user, number) = ready(&world).await;
    let (other, ..) = world.user_with_phone().await;
    let path = format!("/v1/users/{user}/devices");
    let proof = world.proof(&user, &number).await;
    // Another user's proof.
    let theirs = format!("/v1/users/{other}/devices");
    world.post(&theirs, &body(&app, std::slice::from_ref(&proof))).await.expect_problem(403, "proof_invalid");
    let made = world.post(&path, &body(&app, &[proof])).await.expect(201);
    let id = text(&made["device"]["id"]);
    world.delete(&format!("{theirs}/{id}")).await.expect_problem(404, "resource_not_found");
    world.delete(&theirs).await.expect(204);
    assert_eq!(world.get(&path).await.expect(200)["data"].as_array().unwrap().len(), 1);
    world.delete(&path).await.expect(204);
    assert_eq!(world.get(&path).await.expect(200)["data"], json!([]));
    let nobody = "/v1/users/usr_01M83WM7ZA000G40R40M30E209/devices";
    world.get(nobody).await.expect_problem(404, "resource_not_found");
    world.delete(nobody).await.expect_problem(404, "resource_not_found");
    let of_country = {
        let mut body = body(&app, &["chl_01M83WM7ZA000G40R40M30E209".to_owned()]);
        body["country"] = json!("XX");
        body
    };
    assert_eq!(world.post(&path, &of_country).await.fields(), [("country", "form_param_value_invalid")]);
}

#[tokio::test]
async fn a_new_password_forgets_the_devices_and_a_refused_one_does_not() {
    let world = World::null();
    let (app, user, number) = ready(&world).await;
    let path = format!("/v1/users/{user}/devices");
    world.post(&path, &body(&app, &[world.proof(&user, &number).await])).await.expect(201);
    let factors = format!("/v1/users/{user}/factors");
    let password = json!({"type": "password", "password": "lilac-otter-walks-at-dawn"});
    world.post(&factors, &password).await.expect_problem(403, "proof_required");
    assert_eq!(world.get(&path).await.expect(200)["data"].as_array().unwrap().len(), 1);
    let mut allowed = password.clone();
    allowed["override"] = json!({"reason": "reset"});
    world.post(&factors, &allowed).await.expect(201);
    assert_eq!(world.get(&path).await.expect(200)["data"], json!([]));
}
