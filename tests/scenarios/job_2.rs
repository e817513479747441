//! Job 2, for phones: add MFA to the login there is.

use serde_json::json;

use crate::support::World;

pub async fn a_phone_is_enrolled_challenged_listed_and_removed(world: World) {
    let user = world.post("/v1/users", &json!({"name": "Ana"})).await.expect(201);
    let user = user["id"].as_str().unwrap();
    let factors = format!("/v1/users/{user}/factors");
    let number = world.number();

    // Pending until it is proven: it cannot be challenged at sign-in.
    let body = json!({"type": "phone", "phone": number, "name": "My phone"});
    let enrolled = world.post(&factors, &body).await.expect(201);
    assert_eq!(enrolled["factor"]["status"], "pending");
    let factor = enrolled["factor"]["id"].as_str().unwrap();
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect_problem(404, "resource_not_found");

    let code = world.code(&number).await;
    let activate = format!("{factors}/{factor}/activate");
    let challenge = &enrolled["challenge"]["id"];
    let body = json!({"challenge_id": challenge, "code": world.wrong(&code)});
    world.post(&activate, &body).await.expect_problem(422, "form_code_incorrect");
    let active = world.post(&activate, &json!({"challenge_id": challenge, "code": code})).await.expect(200);
    assert_eq!((&active["status"], &active["name"]), (&json!("active"), &json!("My phone")));

    // Sign-in.
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    assert_eq!((&challenge["purpose"], &challenge["factor_id"]), (&json!("sign_in"), &json!(factor)));
    let code = world.code(&number).await;
    let path = format!("/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    let expect = json!({"user_id": user, "purpose": "sign_in"});
    world.post(&path, &json!({"code": code, "expect": expect})).await.expect(200);

    let listed = world.get(&factors).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(listed["data"][0]["phone"], format!("+1••••••{}", &number[8..]));
    assert!(listed["data"][0]["last_used_at"].is_string());

    // An active factor is not removed for nothing.
    let path = format!("{factors}/{factor}");
    world.delete(&path).await.expect_problem(403, "proof_required");
    let proof = challenge["id"].as_str().unwrap();
    world.delete(&format!("{path}?proof={proof}")).await.expect(204);
    assert_eq!(world.get(&factors).await.expect(200)["data"], json!([]));
    world.delete(&path).await.expect_problem(404, "resource_not_found");
}

pub async fn a_second_phone_needs_a_proof_of_the_first(world: World) {
    let (user, _, number) = world.user_with_phone().await;
    let factors = format!("/v1/users/{user}/factors");
    let second = world.number();
    let body = |proof: Option<&str>| json!({"type": "phone", "phone": second, "proof": proof});
    world.post(&factors, &body(None)).await.expect_problem(403, "proof_required");

    let challenge = world.post("/v1/challenges", &json!({"user_id": user, "purpose": "step_up"})).await.expect(201);
    let id = challenge["id"].as_str().unwrap();
    world.post(&factors, &body(Some(id))).await.expect_problem(403, "proof_invalid");
    let code = world.code(&number).await;
    world.answer(&challenge, &code).await.expect(200);
    world.post(&factors, &body(Some(id))).await.expect(201);

    // A proof works once.
    let third = json!({"type": "phone", "phone": world.number(), "proof": id});
    world.post(&factors, &third).await.expect_problem(403, "proof_invalid");
    let read = world.get(&format!("/v1/challenges/{id}")).await.expect(200);
    assert!(read["consumed_at"].is_string());
    // The same number is not added twice.
    let same = json!({"type": "phone", "phone": number, "override": {"reason": "support"}});
    world.post(&factors, &same).await.expect_problem(409, "form_identifier_exists");
}

pub async fn a_challenge_of_another_user_proves_nothing(world: World) {
    let (user, factor, _) = world.user_with_phone().await;
    let (other, _, number) = world.user_with_phone().await;
    let challenge = world.post("/v1/challenges", &json!({"user_id": other})).await.expect(201);
    let code = world.code(&number).await;
    let id = challenge["id"].as_str().unwrap();

    // As an answer for somebody else it fails and counts.
    let body = json!({"code": code, "expect": {"user_id": user}});
    world.post(&format!("/v1/challenges/{id}/answer"), &body).await.expect_problem(422, "form_code_incorrect");
    world.answer(&challenge, &code).await.expect(200);
    // As a proof for somebody else it is none.
    let path = format!("/v1/users/{user}/factors/{factor}");
    world.delete(&format!("{path}?proof={id}")).await.expect_problem(403, "proof_invalid");
    // Another user's factor is not there.
    let path = format!("/v1/users/{other}/factors/{factor}");
    world.delete(&format!("{path}?override_reason=mine")).await.expect_problem(404, "resource_not_found");
    let body = json!({"user_id": other, "factor_id": factor});
    world.post("/v1/challenges", &body).await.expect_problem(404, "resource_not_found");
}

pub async fn deleting_a_user_erases_their_numbers(world: World) {
    let (user, _, number) = world.user_with_phone().await;
    let find = format!("/v1/messages?to=%2B{}", &number[1..]);
    assert_eq!(world.get(&find).await.expect(200)["data"].as_array().unwrap().len(), 1);
    world.delete(&format!("/v1/users/{user}")).await.expect(204);
    world.get(&format!("/v1/users/{user}")).await.expect_problem(404, "resource_not_found");
    assert_eq!(world.get(&find).await.expect(200)["data"], json!([]));
    let kept = world.get(&format!("/v1/messages?user_id={user}")).await.expect(200);
    assert!(kept["data"][0]["to"].is_null());
}
