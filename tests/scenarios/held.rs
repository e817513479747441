//! Job 2, for what a person holds: an authenticator app, and recovery codes for the day when it is lost.

use serde_json::{Value, json};

use crate::support::{Authenticator, World, at_once, count};

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn new_user(world: &World) -> String {
    let email = format!("ana{}@example.com", &world.number()[1..]);
    text(&world.post("/v1/users", &json!({"email": email})).await.expect(201)["id"]).to_owned()
}

pub async fn an_authenticator_app_is_enrolled_challenged_listed_and_removed(world: World) {
    let user = new_user(&world).await;
    let factors = format!("/v1/users/{user}/factors");
    world.early_in_a_step().await;
    let enrolled = world.post(&factors, &json!({"type": "totp", "name": "My app"})).await.expect(201);
    let (factor, challenge) = (&enrolled["factor"], &enrolled["challenge"]);
    assert_eq!((&factor["type"], &factor["status"]), (&json!("totp"), &json!("pending")));
    assert_eq!((&challenge["type"], &challenge["purpose"]), (&json!("totp"), &json!("enrolment")));
    assert_eq!(
        (&challenge["channel"], &challenge["to"], &challenge["message_id"]),
        (&json!(null), &json!(null), &json!(null))
    );
    assert!(text(&enrolled["totp"]["qr_svg"]).starts_with("<svg "));
    assert!(text(&enrolled["totp"]["uri"]).contains(&format!("secret={}", text(&enrolled["totp"]["secret"]))));

    // It is active once the app shows that it has the secret.
    let app = Authenticator::scan(&enrolled);
    let activate = format!("{factors}/{}/activate", text(&factor["id"]));
    let (before, now) = (app.code(world.now() - 30_000), app.code(world.now()));
    let body = |code: &str| json!({"challenge_id": challenge["id"], "code": code});
    world.post(&activate, &body(&world.wrong(&now))).await.expect_problem(422, "form_code_incorrect");
    let active = world.post(&activate, &body(&before)).await.expect(200);
    assert_eq!((&active["status"], &active["name"]), (&json!("active"), &json!("My app")));
    assert_eq!(active["totp"], json!({"algorithm": "sha1", "digits": 6, "period": 30}));

    // Sign-in. A code works once, also on another challenge.
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    assert_eq!((&challenge["type"], &challenge["factor_id"]), (&json!("totp"), &factor["id"]));
    let resend = format!("/v1/challenges/{}/resend", text(&challenge["id"]));
    world.request("POST", &resend).send().await.expect_problem(422, "strategy_not_supported");
    let path = format!("/v1/challenges/{}/answer", text(&challenge["id"]));
    let expect = json!({"user_id": user, "purpose": "sign_in"});
    world.post(&path, &json!({"code": now, "expect": expect})).await.expect(200);
    let other = world.post("/v1/challenges", &json!({"user_id": user, "type": "totp"})).await.expect(201);
    world.answer(&other, &now).await.expect_problem(422, "form_code_incorrect");

    // The secret is not shown again, and what is listed has none.
    let listed = world.get(&factors).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains(text(&enrolled["totp"]["secret"])));
    assert!(listed["data"][0]["last_used_at"].is_string());

    // A second app needs a proof of the first, and so does removal.
    world.post(&factors, &json!({"type": "totp"})).await.expect_problem(403, "proof_required");
    let path = format!("{factors}/{}", text(&factor["id"]));
    world.delete(&path).await.expect_problem(403, "proof_required");
    world.delete(&format!("{path}?proof={}", text(&challenge["id"]))).await.expect(204);
    assert_eq!(world.get(&factors).await.expect(200)["data"], json!([]));
}

pub async fn a_hundred_answers_with_one_code_of_an_app_verify_once(world: World) {
    let (user, _, app) = world.user_with_totp().await;
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let path = format!("/v1/challenges/{}/answer", text(&challenge["id"]));
    let body = json!({"code": app.code(world.now())});
    let responses = at_once((0..100).map(|_| world.request("POST", &path).json(&body)).collect()).await;
    assert_eq!(count(&responses, 200, ""), 1);
    assert_eq!(count(&responses, 409, "verification_already_verified"), 99);
}

pub async fn recovery_codes_replace_a_lost_app_and_are_made_anew(world: World) {
    let (user, factor, _) = world.user_with_totp().await;
    let (factors, path) = (format!("/v1/users/{user}/factors"), format!("/v1/users/{user}/recovery-codes"));
    world.post(&path, &json!({})).await.expect_problem(403, "proof_required");
    let made = world.post(&path, &json!({"override": {"reason": "set up at the desk"}})).await.expect(201);
    let codes: Vec<&str> = made["recovery_codes"].as_array().unwrap().iter().map(text).collect();
    assert_eq!((codes.len(), &made["factor"]["codes_left"]), (10, &json!(10)));
    assert!(codes.iter().all(|code| code.len() == 19 && code.split('-').all(|group| group.len() == 4)));

    // The app is asked unless the codes are.
    let usual = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    assert_eq!(usual["type"], "totp");
    let asked = json!({"user_id": user, "type": "recovery_codes"});
    let challenge = world.post("/v1/challenges", &asked).await.expect(201);
    world.answer(&challenge, "0000-0000-0000-0000").await.expect_problem(422, "form_code_incorrect");
    let verified = world.answer(&challenge, &codes[3].to_lowercase().replace('-', " ")).await.expect(200);
    assert_eq!((&verified["status"], &verified["codes_left"]), (&json!("verified"), &json!(9)));
    let again = world.post("/v1/challenges", &asked).await.expect(201);
    world.answer(&again, codes[3]).await.expect_problem(422, "form_code_incorrect");

    // What was proven with it allows one change: the lost app goes.
    let gone = format!("{factors}/{factor}?proof={}", text(&challenge["id"]));
    world.delete(&gone).await.expect(204);
    // A new set with the next code, and the old one is dead.
    world.answer(&again, codes[4]).await.expect(200);
    let renewed = world.post(&path, &json!({"proof": again["id"]})).await.expect(201);
    let challenge = world.post("/v1/challenges", &asked).await.expect(201);
    world.answer(&challenge, codes[5]).await.expect_problem(422, "form_code_incorrect");
    world.answer(&challenge, text(&renewed["recovery_codes"][0])).await.expect(200);
    let listed = world.get(&factors).await.expect(200);
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["data"][0]["codes_left"]), (1, &json!(9)));
}

pub async fn fifty_answers_with_one_recovery_code_use_it_once(world: World) {
    let user = new_user(&world).await;
    let made = world.request("POST", &format!("/v1/users/{user}/recovery-codes")).send().await.expect(201);
    let asked = json!({"user_id": user, "type": "recovery_codes"});
    let challenge = world.post("/v1/challenges", &asked).await.expect(201);
    let path = format!("/v1/challenges/{}/answer", text(&challenge["id"]));
    let body = json!({"code": made["recovery_codes"][0]});
    let responses = at_once((0..50).map(|_| world.request("POST", &path).json(&body)).collect()).await;
    assert_eq!(count(&responses, 200, ""), 1);
    assert_eq!(count(&responses, 409, "verification_already_verified"), 49);
}
