//! Law 6 against somebody who was there first: with a stolen password or mailbox they plant a factor or recovery codes,
//! and wait until the person has protected themselves. Nothing that was planted survives that.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::World;

const PASSWORD: &str = "lilac-otter-walks-at-dawn";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A user with a password alone.
async fn user(world: &World) -> String {
    let user = text(&world.post("/v1/users", &json!({})).await.expect(201)["id"]);
    let body = json!({"type": "password", "password": PASSWORD});
    world.post(&format!("/v1/users/{user}/factors"), &body).await.expect(201);
    user
}

async fn password(world: &World, user: &str) -> String {
    let path = format!("/v1/users/{user}/verify-password");
    text(&world.post(&path, &json!({"password": PASSWORD})).await.expect(200)["id"])
}

fn tick(world: &World) {
    world.here().clock.advance(Duration::from_secs(1));
}

#[tokio::test]
async fn a_phone_that_a_password_allowed_stays_pending_once_the_person_has_a_phone() {
    let world = World::null();
    let user = user(&world).await;
    let path = format!("/v1/users/{user}/factors");
    let (theirs, mine) = (world.number(), world.number());
    let stolen = json!({"type": "phone", "phone": theirs, "proof": password(&world, &user).await});
    let stolen = world.post(&path, &stolen).await.expect(201);
    tick(&world);
    let body = json!({"type": "phone", "phone": mine, "proof": password(&world, &user).await});
    let phone = world.enrol(&user, &body, &mine).await;
    tick(&world);
    let body = json!({"challenge_id": stolen["challenge"]["id"], "code": world.code(&theirs).await});
    let activate = format!("{path}/{}/activate", text(&stolen["factor"]["id"]));
    world.post(&activate, &body).await.expect_problem(403, "proof_required");
    let proof = text(&stolen["challenge"]["id"]);
    world.delete(&format!("{path}/{phone}?proof={proof}")).await.expect_problem(403, "proof_invalid");
}

#[tokio::test]
async fn a_phone_that_a_phone_allowed_becomes_active_whatever_came_between() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let proof = |challenge: Value| text(&challenge["id"]);
    let mut proofs = Vec::new();
    for _ in 0..2 {
        tick(&world);
        let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
        world.answer(&challenge, &world.code(&number).await).await.expect(200);
        proofs.push(proof(challenge));
    }
    let (first, second) = (world.number(), world.number());
    let path = format!("/v1/users/{user}/factors");
    let pending = world.post(&path, &json!({"type": "phone", "phone": first, "proof": proofs[0]})).await.expect(201);
    tick(&world);
    world.enrol(&user, &json!({"type": "phone", "phone": second, "proof": proofs[1]}), &second).await;
    let body = json!({"challenge_id": pending["challenge"]["id"], "code": world.code(&first).await});
    world.post(&format!("{path}/{}/activate", text(&pending["factor"]["id"])), &body).await.expect(200);
}

#[tokio::test]
async fn recovery_codes_that_a_password_allowed_are_void_once_the_person_has_a_phone() {
    let world = World::null();
    let user = user(&world).await;
    let path = format!("/v1/users/{user}");
    let body = json!({"proof": password(&world, &user).await});
    world.post(&format!("{path}/recovery-codes"), &body).await.expect(201);
    let mine = world.number();
    let body = json!({"type": "phone", "phone": mine, "proof": password(&world, &user).await});
    world.enrol(&user, &body, &mine).await;
    let body = json!({"user_id": user, "type": "recovery_codes"});
    world.post("/v1/challenges", &body).await.expect_problem(404, "resource_not_found");
    // Codes made beside the phone outlive a second one.
    tick(&world);
    let make = json!({"override": {"reason": "x"}});
    world.post(&format!("{path}/recovery-codes"), &make).await.expect(201);
    let second = world.number();
    let body = json!({"type": "phone", "phone": second, "override": {"reason": "x"}});
    world.enrol(&user, &body, &second).await;
    world.post("/v1/challenges", &json!({"user_id": user, "type": "recovery_codes"})).await.expect(201);
}

#[tokio::test]
async fn recovery_codes_of_a_user_without_factors_shut_nobody_out() {
    let world = World::null();
    let user = text(&world.post("/v1/users", &json!({})).await.expect(201)["id"]);
    world.post(&format!("/v1/users/{user}/recovery-codes"), &json!({})).await.expect(201);
    let mine = world.number();
    world.enrol(&user, &json!({"type": "phone", "phone": mine}), &mine).await;
    let codes = "SELECT count(*) FROM factors WHERE type = 'recovery_codes'";
    assert_eq!(world.here().database.number(codes), 0);
}

#[tokio::test]
async fn a_mailbox_makes_no_room_for_guesses_at_an_app() {
    let world = World::null();
    let (user, _, app) = world.user_with_totp().await;
    let address = world.address();
    let body = json!({"type": "email", "email": address, "override": {"reason": "x"}});
    world.enrol(&user, &body, &address).await;
    world.here().clock.advance(Duration::from_secs(301));
    let challenge = world.post("/v1/challenges", &json!({"user_id": user, "type": "totp"})).await.expect(201);
    let wrong = app.code(world.now() + 3_600_000);
    for _ in 0..3 {
        world.answer(&challenge, &wrong).await.expect_problem(422, "form_code_incorrect");
    }
    let mail = world.post("/v1/challenges", &json!({"user_id": user, "type": "email"})).await.expect(201);
    world.answer(&mail, &world.code(&address).await).await.expect(200);
    let failures = world.get(&format!("/v1/users/{user}")).await.expect(200);
    assert_eq!(failures["second_factor"]["failures_in_a_row"], 3);
}

#[tokio::test]
async fn a_proof_is_given_back_only_while_nothing_came_of_it() {
    let world = World::twilio();
    let (user, _, number) = world.user_with_phone().await;
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    let proof = text(&challenge["id"]);
    let second = world.number();
    let factor = world.enrol(&user, &json!({"type": "phone", "phone": second, "proof": proof}), &second).await;
    // What is written down when the carrier's refusal of the first code comes after a second one was answered.
    let (factor, proof_id) =
        (postern::ids::FactorId::parse(&factor).unwrap(), postern::ids::ChallengeId::parse(&proof).unwrap());
    let late = postern::factor::store::abandon(&factor, Some(&proof_id));
    world.here().app.ports.database.batch(late).await.unwrap();
    let third = json!({"type": "phone", "phone": world.number(), "proof": proof});
    world.post(&format!("/v1/users/{user}/factors"), &third).await.expect_problem(403, "proof_invalid");
}

#[tokio::test]
async fn a_device_is_forgotten_with_a_factor_that_is_removed() {
    let world = World::null();
    let on = json!({"multi_factor": {"remember_device": {"enabled": true}}});
    world.patch("/v1/instance", &on).await.expect(200);
    let (user, factor, number) = world.user_with_phone().await;
    tick(&world);
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    let flow = json!({"external_first_factor": {"type": "password"}, "proofs": [challenge["id"]]});
    world.post(&format!("/v1/users/{user}/devices"), &flow).await.expect(201);
    let devices = || world.here().database.number("SELECT count(*) FROM devices");
    // One that was never proven takes nothing with it.
    let pending = json!({"type": "phone", "phone": world.number(), "override": {"reason": "x"}});
    let pending = world.post(&format!("/v1/users/{user}/factors"), &pending).await.expect(201);
    world.delete(&format!("/v1/users/{user}/factors/{}", text(&pending["factor"]["id"]))).await.expect(204);
    assert_eq!(devices(), 1);
    world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=lost")).await.expect(204);
    assert_eq!(devices(), 0);
}

#[tokio::test]
async fn an_imported_scrypt_hash_is_bound_in_every_parameter() {
    let world = World::null();
    let user = text(&world.post("/v1/users", &json!({})).await.expect(201)["id"]);
    let path = format!("/v1/users/{user}/factors");
    // N = 2 and r = 1 are nothing; p of a million is 128 MiB beside the table.
    let hash = format!("scrypt:2:1:1048576$salt${}", "00".repeat(32));
    let body = json!({"type": "password", "hash": hash});
    world.post(&path, &body).await.expect_problem(422, "form_param_invalid");
    let hash = format!("scrypt:32768:8:1$salt${}", "00".repeat(64));
    world.post(&path, &json!({"type": "password", "hash": hash})).await.expect(201);
}
