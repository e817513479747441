//! `/v1/me`: what people do with their own account through their app's page, with fresh proofs where it matters.

use serde_json::{Value, json};

use crate::support::{
    World,
    account::{AAL1, AAL2, Account, PASSWORD, wants_step_up},
    at_once,
    oauth::claims,
    page::Page,
};

const NEW: &str = "nine herons on a frozen lake";

pub async fn people_read_and_change_who_they_are(world: World) {
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let me = ana.get("/v1/me").await.expect(200);
    assert_eq!((&me["id"], &me["email"], &me["name"]), (&json!(ana.user), &json!(ana.address), &Value::Null));
    assert!(me["metadata"].is_null() && me["external_id"].is_null(), "what the server keeps is the server's: {me}");
    let changed = ana.patch("/v1/me", json!({"name": "Ana", "locale": "es"})).await.expect(200);
    assert_eq!((&changed["name"], &changed["locale"]), (&json!("Ana"), &json!("es")));
    let cleared = ana.patch("/v1/me", json!({"name": null})).await.expect(200);
    assert_eq!((&cleared["name"], &cleared["locale"]), (&Value::Null, &json!("es")));
    assert_eq!(ana.get("/v1/me").await.expect(200), cleared);
    // What identifies them is not changed by the way.
    ana.patch("/v1/me", json!({"email": world.address()})).await.expect_problem(422, "form_param_invalid");
    ana.patch("/v1/me", json!({"external_id": "1"})).await.expect_problem(422, "form_param_invalid");
}

pub async fn factors_are_added_named_and_removed_each_with_a_fresh_proof(world: World) {
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let factors = "/v1/me/factors";
    let phone = json!({"type": "phone", "phone": world.number()});
    wants_step_up(&ana.post(factors, phone).await, AAL1);
    let (factor, number) = ana.add_phone().await;
    let path = format!("{factors}/{factor}");
    let named = ana.patch(&path, json!({"name": "Old phone"})).await.expect(200);
    assert_eq!((&named["id"], &named["name"]), (&json!(factor), &json!("Old phone")));
    let listed = ana.get(factors).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 2, "{listed}");

    // What proved the phone allows one more change.
    ana.post("/v1/me/recovery-codes", json!({})).await.expect(201);
    // There is something strong now: the password is no proof any more, and is not asked for.
    wants_step_up(&ana.post("/v1/me/recovery-codes", json!({})).await, AAL2);
    ana.post("/v1/me/step-up", json!({"password": PASSWORD})).await.expect_problem(422, "form_param_invalid");
    let ways = ana.get("/v1/me/step-up").await.expect(200);
    assert_eq!(ways["options"][0]["factor_id"], json!(factor), "{ways}");
    let types: Vec<_> = ways["options"].as_array().unwrap().iter().map(|way| way["type"].clone()).collect();
    assert_eq!(types, ["phone", "recovery_codes"]);
    ana.prove_code(&number).await;
    let codes = ana.post("/v1/me/recovery-codes", json!({})).await.expect(201);
    assert!(codes["recovery_codes"][0].is_string());
    wants_step_up(&ana.delete(&path).await, AAL2);
    // A recovery code is a way, too.
    let challenge = ana.post("/v1/me/step-up", json!({"type": "recovery_codes"})).await.expect(201);
    ana.answer(&challenge, codes["recovery_codes"][0].as_str().unwrap()).await.expect(200);
    assert_eq!(ana.delete(&path).await.status, 204);
    ana.delete(&path).await.expect_problem(404, "resource_not_found");
}

pub async fn a_pending_factor_gets_another_code_and_is_given_up_without_a_proof(world: World) {
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    ana.prove_password().await;
    let number = world.number();
    let added = ana.post("/v1/me/factors", json!({"type": "phone", "phone": number})).await.expect(201);
    let path = format!("/v1/me/factors/{}", added["factor"]["id"].as_str().unwrap());
    let first = world.code(&number).await;
    let another = ana.post(&format!("{path}/challenges"), json!({})).await.expect(201);
    assert!(another["to"].as_str().unwrap().contains('•'), "{another}");
    // The challenge that is named counts; without a name the newest.
    let body = json!({"code": first, "challenge_id": added["challenge"]["id"]});
    ana.post(&format!("{path}/activate"), json!({"code": world.wrong(&world.code(&number).await)}))
        .await
        .expect_problem(422, "form_code_incorrect");
    ana.post(&format!("{path}/activate"), body).await.expect(200);
    // What is active is challenged by a step-up alone.
    ana.post(&format!("{path}/challenges"), json!({})).await.expect_problem(404, "resource_not_found");

    ana.prove_code(&number).await;
    let added = ana.post("/v1/me/factors", json!({"type": "totp"})).await.expect(201);
    assert!(added["totp"]["secret"].is_string());
    let path = format!("/v1/me/factors/{}", added["factor"]["id"].as_str().unwrap());
    assert_eq!(ana.delete(&path).await.status, 204);
}

pub async fn another_password_ends_the_other_sessions_and_not_this_one(world: World) {
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let other = ana.again().await;
    wants_step_up(&ana.post("/v1/me/password", json!({"password": NEW})).await, AAL1);
    ana.post("/v1/me/step-up", json!({"password": NEW})).await.expect_problem(422, "form_password_incorrect");
    ana.prove_password().await;
    let weak = ana.post("/v1/me/password", json!({"password": "a"})).await;
    assert_eq!(weak.fields()[0], ("password", "password_too_short"));
    weak.expect_problem(422, "form_param_invalid");
    // Who was refused has used nothing up.
    assert_eq!(ana.post("/v1/me/password", json!({"password": NEW})).await.status, 204);
    wants_step_up(&ana.post("/v1/me/password", json!({"password": PASSWORD})).await, AAL1);

    other.get("/v1/me").await.expect_problem(401, "access_token_invalid");
    assert_eq!(page.refresh(&other.refresh).await.status, 400);
    ana.get("/v1/me").await.expect(200);
    page.refresh(&ana.refresh).await.expect(200);
    let verify = format!("/v1/users/{}/verify-password", ana.user);
    world.post(&verify, &json!({"password": NEW})).await.expect(200);
}

pub async fn the_address_moves_once_the_new_one_is_proven(world: World) {
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let new = world.address();
    let email = json!({"email": new});
    wants_step_up(&ana.post("/v1/me/email", email.clone()).await, AAL1);
    ana.prove_password().await;
    let challenge = ana.post("/v1/me/email", email.clone()).await.expect(201);
    wants_step_up(&ana.post("/v1/me/email", email).await, AAL1);
    assert_eq!(ana.get("/v1/me").await.expect(200)["email"], json!(ana.address), "not before it is proven");
    let answer = format!("/v1/me/email/{}/answer", challenge["id"].as_str().unwrap());
    let code = world.code(&new).await;
    ana.post(&answer, json!({"code": world.wrong(&code)})).await.expect_problem(422, "form_code_incorrect");
    let moved = ana.post(&answer, json!({"code": code})).await.expect(200);
    assert_eq!(moved["email"], json!(new));
    assert!(moved["email_verified_at"].is_string());
    ana.post(&answer, json!({"code": code})).await.expect_problem(409, "verification_already_verified");
    // It signs in from now on, and the old one nobody.
    let flow = page.begin("sign-ins", json!({})).await;
    let body = json!({"identifier": ana.address, "password": PASSWORD});
    flow.post("password", body).await.expect_problem(422, "form_password_incorrect");
    let body = json!({"identifier": new, "password": PASSWORD});
    assert_eq!(flow.post("password", body).await.expect(200)["step"], "complete");
}

pub async fn an_address_that_somebody_has_looks_free_until_it_is_proven(world: World) {
    let page = Page::new(&world).await;
    let (ana, bea) = (Account::new(&page).await, Account::new(&page).await);
    ana.prove_password().await;
    let challenge = ana.post("/v1/me/email", json!({"email": bea.address})).await.expect(201);
    let answer = format!("/v1/me/email/{}/answer", challenge["id"].as_str().unwrap());
    let code = json!({"code": world.code(&bea.address).await});
    ana.post(&answer, code).await.expect_problem(409, "form_identifier_exists");
    for account in [&ana, &bea] {
        assert_eq!(account.get("/v1/me").await.expect(200)["email"], json!(account.address));
    }
}

pub async fn a_number_moves_as_an_address_does(world: World) {
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let new = world.number();
    ana.prove_password().await;
    let challenge = ana.post("/v1/me/phone", json!({"phone": new})).await.expect(201);
    assert_eq!(challenge["channel"], "sms");
    let answer = format!("/v1/me/phone/{}/answer", challenge["id"].as_str().unwrap());
    let moved = ana.post(&answer, json!({"code": world.code(&new).await})).await.expect(200);
    assert_eq!((&moved["phone"], moved["phone_verified_at"].is_string()), (&json!(new), true));
    assert_eq!(moved["email"], json!(ana.address));
    ana.prove_password().await;
    ana.post("/v1/me/phone", json!({"phone": new})).await.expect_problem(409, "form_identifier_exists");
}

pub async fn sessions_are_listed_and_ended(world: World) {
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let (second, third) = (ana.again().await, ana.again().await);
    let sessions = ana.sessions().await;
    assert_eq!(sessions.len(), 3);
    let current: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!((current.len(), &current[0]["id"]), (1, &claims(&json!(ana.token))["sid"]));
    let path = format!("/v1/me/sessions/{}", claims(&json!(second.token))["sid"].as_str().unwrap());
    assert_eq!(ana.delete(&path).await.status, 204);
    ana.delete(&path).await.expect_problem(404, "resource_not_found");
    second.get("/v1/me").await.expect_problem(401, "access_token_invalid");
    assert_eq!(ana.delete("/v1/me/sessions").await.status, 204);
    third.get("/v1/me").await.expect_problem(401, "access_token_invalid");
    assert_eq!(ana.sessions().await.len(), 1);
    // The last one, too: that is signing out.
    let path = format!("/v1/me/sessions/{}", claims(&json!(ana.token))["sid"].as_str().unwrap());
    assert_eq!(ana.delete(&path).await.status, 204);
    ana.get("/v1/me").await.expect_problem(401, "access_token_invalid");
    assert_eq!(page.refresh(&ana.refresh).await.status, 400);
}

pub async fn a_step_up_gives_tokens_that_say_so(world: World) {
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let before = claims(&json!(ana.token));
    assert_eq!((&before["acr"], &before["amr"]), (&json!(AAL1), &json!(["pwd"])));
    let (_, number) = ana.add_phone().await;
    let challenge = ana.post("/v1/me/step-up", json!({"type": "phone"})).await.expect(201);
    assert!(challenge["to"].as_str().unwrap().contains('•'), "{challenge}");
    let code = world.code(&number).await;
    ana.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
    let up = ana.answer(&challenge, &code).await.expect(200);
    assert_eq!((&up["acr"], &up["amr"]), (&json!(AAL2), &json!(["pwd", "sms", "mfa"])));
    let after = claims(&up["access_token"]);
    assert_eq!((&after["sid"], &after["acr"], &after["amr"]), (&before["sid"], &up["acr"], &up["amr"]));
    assert!(after["auth_time"].as_i64() >= before["auth_time"].as_i64() && after["jti"] != before["jti"]);
    assert_eq!(claims(&up["id_token"])["acr"], json!(AAL2));
    assert!(up["refresh_token"].is_null(), "the old one goes on");
    let refreshed = page.refresh(&ana.refresh).await.expect(200);
    assert_eq!(claims(&refreshed["access_token"])["acr"], json!(AAL2));
    let sessions = ana.sessions().await;
    assert_eq!((sessions.len(), &sessions[0]["acr"]), (1, &json!(AAL2)));
    let events = ana.get("/v1/me/events").await.expect(200);
    assert!(events["data"].as_array().unwrap().iter().any(|event| event["type"] == "session.stepped_up"), "{events}");
}

pub async fn a_hundred_changes_with_one_proof_are_one(world: World) {
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    ana.prove_password().await;
    let add = |_| ana.request("POST", "/v1/me/factors", Some(&json!({"type": "totp"})));
    let answers = at_once((0..100).map(add).collect()).await;
    let (added, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    for answer in &refused {
        wants_step_up(answer, AAL1);
    }
    assert_eq!((added.len(), refused.len()), (1, 99));
}
