//! Law 6 in `/v1/me`: who is signed in changes nothing that matters without a fresh proof of this very session, as strong
//! as what they have, used up by one change (standards 24, 37, 46).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Behaviour, Request, Response, World,
    account::{AAL1, AAL2, Account, PASSWORD, wants_step_up},
    at_once, count,
    oauth::claims,
    page::Page,
    passkey, vars,
};

const RESISTANT: &str = "urn:postern:acr:aal2-phishing-resistant";
const NEW: &str = "nine herons on a frozen lake";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

/// Everything that wants a proof.
fn changes(ana: &Account<'_>, factor: &str) -> Vec<Request> {
    let post = |path: &str, body: Value| ana.request("POST", path, Some(&body));
    let world = ana.page.world;
    vec![
        post("/v1/me/factors", json!({"type": "totp"})),
        post("/v1/me/factors", json!({"type": "passkey"})),
        post("/v1/me/factors", json!({"type": "phone", "phone": world.number()})),
        post("/v1/me/factors", json!({"type": "email", "email": world.address()})),
        post("/v1/me/recovery-codes", json!({})),
        post("/v1/me/password", json!({"password": NEW})),
        post("/v1/me/email", json!({"email": world.address()})),
        post("/v1/me/phone", json!({"phone": world.number()})),
        ana.request("DELETE", &format!("/v1/me/factors/{factor}"), None),
    ]
}

/// None of it is done, and nothing of it shows.
async fn none_is_done(ana: &Account<'_>, factor: &str, acr: &str) {
    let database = &ana.page.world.here().database;
    let rows = || {
        ["factors", "recovery_codes", "messages", "challenges"]
            .map(|table| database.number(&format!("SELECT count(*) FROM {table}")))
    };
    let before = rows();
    for change in changes(ana, factor) {
        let answer = change.send().await;
        wants_step_up(&answer, acr);
        for shown in ["secret", "recovery_codes", "public_key", "otpauth"] {
            assert!(!answer.text.contains(shown), "{}", answer.text);
        }
    }
    assert_eq!(rows(), before);
}

/// Attack 8: a session that has only a password reads the secret of an authenticator app, and has it count as proven for
/// somebody who has another factor.
#[tokio::test]
async fn attack_08_a_session_with_only_a_password_reads_and_proves_no_secret() {
    let world = World::null();
    passkey::allow(&world).await;
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    ana.prove_password().await;
    // She has something stronger from here on; the session has not proven it.
    let (factor, _) = ana.given_phone().await;
    none_is_done(&ana, &factor, AAL2).await;
    ana.post("/v1/me/step-up", json!({"password": PASSWORD})).await.expect_problem(422, "form_param_invalid");
    none_is_done(&ana, &factor, AAL2).await;
    // What the server has begun is not hers to finish in this session either.
    let pending = json!({"type": "totp", "override": {"reason": "x"}});
    let pending = world.post(&format!("/v1/users/{}/factors", ana.user), &pending).await.expect(201);
    let path = format!("/v1/me/factors/{}", text(&pending["factor"]["id"]));
    let shown = ana.get("/v1/me/factors").await;
    assert!(!shown.text.contains(text(&pending["totp"]["secret"])));
    ana.post(&format!("{path}/challenges"), json!({})).await.expect_problem(404, "resource_not_found");
    let body = json!({"code": "123456", "challenge_id": pending["challenge"]["id"]});
    ana.post(&format!("{path}/activate"), body).await.expect_problem(404, "resource_not_found");
}

/// Attack 9: a browser session alone resets the factors and changes the password, to `a`.
#[tokio::test]
async fn attack_09_a_session_alone_changes_no_factor_and_no_password() {
    let world = World::null();
    passkey::allow(&world).await;
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let factors = ana.get("/v1/me/factors").await.expect(200);
    let password = text(&factors["data"][0]["id"]).to_owned();
    none_is_done(&ana, &password, AAL1).await;
    ana.prove_password().await;
    let weak = ana.post("/v1/me/password", json!({"password": "a"})).await;
    assert_eq!(weak.fields()[0], ("password", "password_too_short"));
    world.post(&format!("/v1/users/{}/verify-password", ana.user), &json!({"password": PASSWORD})).await.expect(200);
    world.post(&format!("/v1/users/{}/verify-password", ana.user), &json!({"password": "a"})).await.expect(422);
}

#[tokio::test]
async fn a_proof_counts_in_its_own_session_only_for_ten_minutes_and_once() {
    let world = World::null();
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let other = ana.again().await;
    let totp = json!({"type": "totp"});
    // Another session's, a server's, another person's.
    other.prove_password().await;
    let verify = json!({"password": PASSWORD, "purpose": "step_up"});
    world.post(&format!("/v1/users/{}/verify-password", ana.user), &verify).await.expect(200);
    Account::new(&page).await.prove_password().await;
    wants_step_up(&ana.post("/v1/me/factors", totp.clone()).await, AAL1);
    // Its own.
    for (wait, status) in [(Duration::from_mins(10), 201), (Duration::from_millis(600_001), 401)] {
        ana.prove_password().await;
        world.here().clock.advance(wait);
        let answer = ana.post("/v1/me/factors", totp.clone()).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        wants_step_up(&ana.post("/v1/me/factors", totp.clone()).await, AAL1);
    }
    // The sign-in itself is none: it was before the session.
    let fresh = ana.again().await;
    wants_step_up(&fresh.post("/v1/me/factors", totp).await, AAL1);
    // What a refusal has used up: nothing.
    fresh.prove_password().await;
    fresh.post("/v1/me/password", json!({"password": "a"})).await.expect_problem(422, "form_param_invalid");
    fresh
        .post("/v1/me/factors", json!({"type": "phone", "phone": "+447700900555"}))
        .await
        .expect_problem(422, "message_refused");
    fresh.post("/v1/me/factors", json!({"type": "totp"})).await.expect(201);
}

#[tokio::test]
async fn a_hundred_changes_of_every_kind_with_one_proof_are_one() {
    let world = World::null();
    passkey::allow(&world).await;
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    ana.prove_password().await;
    // Whoever removed the only factor would need no proof for the next one: that one is left out.
    let of_each = |_| changes(&ana, "fac_01M83WM7ZA000G40R40M30E209").into_iter().take(8);
    let requests: Vec<Request> = (0..13).flat_map(of_each).collect();
    let answers = at_once(requests).await;
    let done = answers.iter().filter(|answer| answer.status < 300).count();
    let refused = count(&answers, 401, "insufficient_user_authentication");
    let database = &world.here().database;
    let used =
        database.number("SELECT count(*) FROM challenges WHERE bound_to LIKE 'ses_%' AND consumed_at IS NOT NULL");
    assert_eq!(used, 1);
    assert_eq!((done, refused), (1, answers.len() - 1));
}

#[tokio::test]
async fn an_address_is_moved_to_by_one_of_many_who_prove_it_at_once() {
    let world = World::null();
    let page = Page::new(&world).await;
    let wanted = world.address();
    let mut answers = Vec::new();
    let mut people = Vec::new();
    for _ in 0..4 {
        let person = Account::new(&page).await;
        person.prove_password().await;
        let challenge = person.post("/v1/me/email", json!({"email": wanted})).await.expect(201);
        let code = json!({"code": world.code(&wanted).await});
        let path = format!("/v1/me/email/{}/answer", text(&challenge["id"]));
        answers.extend((0..25).map(|_| person.request("POST", &path, Some(&code))));
        people.push(person);
    }
    let answers = at_once(answers).await;
    let moved: Vec<&Response> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!((moved.len(), count(&answers, 409, "form_identifier_exists")), (1, 3));
    assert_eq!(count(&answers, 409, "verification_already_verified"), 96);
    let database = &world.here().database;
    assert_eq!(database.number(&format!("SELECT count(*) FROM users WHERE email_normalised = '{wanted}'")), 1);
    assert_eq!(database.number("SELECT count(*) FROM audit_events WHERE type = 'user.email_changed'"), 1);
}

#[tokio::test]
async fn one_right_answer_of_fifty_raises_a_session() {
    let world = World::null();
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let (_, app) = ana.given_totp().await;
    let challenge = ana.post("/v1/me/step-up", json!({})).await.expect(201);
    let answer = format!("/v1/me/step-up/{}/answer", text(&challenge["id"]));
    let code = json!({"code": app.code(world.now())});
    let answers = at_once((0..50).map(|_| ana.request("POST", &answer, Some(&code))).collect()).await;
    assert_eq!(count(&answers, 200, ""), 1);
    let database = &world.here().database;
    assert_eq!(database.number("SELECT count(*) FROM audit_events WHERE type = 'session.stepped_up'"), 1);
}

#[tokio::test]
async fn an_answer_counts_for_what_it_was_asked_for() {
    let world = World::null();
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    ana.prove_password().await;
    let (new, number) = (world.address(), world.number());
    let moving = ana.post("/v1/me/email", json!({"email": new})).await.expect(201);
    ana.prove_password().await;
    let adding = ana.post("/v1/me/factors", json!({"type": "phone", "phone": number})).await.expect(201);
    // The code for a new address, or for a new phone, proves nobody.
    let code = world.code(&new).await;
    ana.answer(&moving, &code).await.expect_problem(422, "form_code_incorrect");
    let code = world.code(&number).await;
    ana.answer(&adding["challenge"], &code).await.expect_problem(422, "form_code_incorrect");
    // Nor does the one of a step-up move or add anything.
    let factor = text(&adding["factor"]["id"]);
    ana.post(&format!("/v1/me/factors/{factor}/activate"), json!({"code": code})).await.expect(200);
    world.here().clock.advance(Duration::from_secs(31));
    let up = ana.post("/v1/me/step-up", json!({})).await.expect(201);
    let code = json!({"code": world.code(&number).await});
    let path = format!("/v1/me/phone/{}/answer", text(&up["id"]));
    ana.post(&path, code).await.expect_problem(422, "form_code_incorrect");
    let me = ana.get("/v1/me").await.expect(200);
    assert_eq!((&me["email"], &me["phone"]), (&json!(ana.address), &Value::Null));
    // One change by what proved the new phone, and no other.
    ana.post("/v1/me/factors", json!({"type": "totp"})).await.expect(201);
    wants_step_up(&ana.post("/v1/me/factors", json!({"type": "totp"})).await, AAL2);
}

/// A session keeps two factors when one is proven again; that no phisher could have passed it on is said of what was
/// proven now alone.
#[tokio::test]
async fn a_step_up_claims_no_more_than_was_proven() {
    let world = World::null();
    let page = Page::new(&world).await;
    for (acr, amr, wanted, both) in [
        (AAL1, json!(["pwd"]), AAL2, json!(["pwd", "sms", "mfa"])),
        (AAL1, json!(["otp", "email"]), AAL1, json!(["otp", "sms", "email"])),
        (AAL2, json!(["pwd", "otp", "mfa"]), AAL2, json!(["pwd", "otp", "sms", "mfa"])),
        (RESISTANT, json!(["hwk", "user", "mfa"]), AAL2, json!(["sms", "hwk", "user", "mfa"])),
    ] {
        let ana = Account::new(&page).await;
        let (_, number) = ana.given_phone().await;
        let set = format!("UPDATE sessions SET acr = '{acr}', amr = '{amr}' WHERE user_id = '{}'", ana.user);
        world.here().database.execute(&set);
        world.here().clock.advance(Duration::from_mins(5));
        let before = claims(&json!(ana.token))["auth_time"].as_i64().unwrap();
        let up = ana.prove_code(&number).await;
        assert_eq!((&up["acr"], &up["amr"]), (&json!(wanted), &both));
        let after = claims(&up["access_token"]);
        assert_eq!((&after["acr"], after["auth_time"].as_i64().unwrap() - before), (&json!(wanted), 300));
    }
}

/// Where the policy wants two, the session is raised with the second; each is a proof all the same.
#[tokio::test]
async fn a_session_is_raised_once_the_policy_is_met() {
    let world = World::null();
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let (_, number) = ana.given_phone().await;
    let (_, app) = ana.given_totp().await;
    let rule = json!({"mfa": {"use_instance_policy": false, "required": ["phone", "totp"]}});
    world.patch(&format!("/v1/apps/{}", page.client_id), &rule).await.expect(200);
    let half = {
        let challenge = ana.post("/v1/me/step-up", json!({"type": "phone"})).await.expect(201);
        ana.answer(&challenge, &world.code(&number).await).await.expect(200)
    };
    assert_eq!((&half["access_token"], &half["acr"]), (&Value::Null, &json!(AAL1)));
    assert_eq!(half["options"].as_array().unwrap().len(), 2);
    let challenge = ana.post("/v1/me/step-up", json!({"type": "totp"})).await.expect(201);
    let up = ana.answer(&challenge, &app.code(world.now())).await.expect(200);
    assert_eq!((&up["acr"], up["access_token"].is_string()), (&json!(AAL2), true));
    // Two proofs, two changes.
    ana.post("/v1/me/recovery-codes", json!({})).await.expect(201);
    ana.post("/v1/me/recovery-codes", json!({})).await.expect(201);
    wants_step_up(&ana.post("/v1/me/recovery-codes", json!({})).await, AAL2);
}

#[tokio::test]
async fn where_nothing_was_sent_the_proof_is_given_back() {
    let world = World::native(&vars::prod_mail("http://127.0.0.1:9"));
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    ana.prove_password().await;
    let bad = world.address();
    world
        .carriers
        .mail
        .behave_for(&bad, Behaviour::Answer(401, json!({"name": "invalid_api_key", "message": "no"}).to_string()));
    let refused = ana.post("/v1/me/email", json!({"email": bad})).await;
    assert!(refused.status >= 500, "{}", refused.text);
    let good = world.address();
    ana.post("/v1/me/email", json!({"email": good})).await.expect(201);
    wants_step_up(&ana.post("/v1/me/email", json!({"email": good})).await, AAL1);
}

#[tokio::test]
async fn whoever_had_the_old_address_is_told_there() {
    let world = World::native(&vars::prod_mail("http://127.0.0.1:9"));
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let subjects = |address: &str| -> Vec<String> {
        world.carriers.mail.sent_to(address).into_iter().map(|mail| mail.subject).collect()
    };
    ana.prove_password().await;
    let new = world.address();
    let challenge = ana.post("/v1/me/email", json!({"email": new})).await.expect(201);
    let answer = format!("/v1/me/email/{}/answer", text(&challenge["id"]));
    ana.post(&answer, json!({"code": world.code(&new).await})).await.expect(200);
    let said = "The e-mail address was changed for your Example account";
    assert_eq!(subjects(&ana.address).last().map(String::as_str), Some(said));
    assert!(!subjects(&new).iter().any(|subject| subject == said));

    ana.prove_password().await;
    let number = world.number();
    let challenge = ana.post("/v1/me/phone", json!({"phone": number})).await.expect(201);
    let answer = format!("/v1/me/phone/{}/answer", text(&challenge["id"]));
    ana.post(&answer, json!({"code": world.code(&number).await})).await.expect(200);
    assert_eq!(
        subjects(&new).last().map(String::as_str),
        Some("The phone number was changed for your Example account")
    );
    // Every change is told.
    ana.prove_password().await;
    ana.post("/v1/me/password", json!({"password": NEW})).await;
    assert_eq!(subjects(&new).last().map(String::as_str), Some("The password was changed for your Example account"));
}

#[tokio::test]
async fn a_change_ends_the_other_sessions_where_that_is_asked_for() {
    let world = World::null();
    let page = Page::new(&world).await;
    for asked in [false, true] {
        let ana = Account::new(&page).await;
        let other = ana.again().await;
        ana.prove_password().await;
        let number = world.number();
        let added = ana.post("/v1/me/factors", json!({"type": "phone", "phone": number})).await.expect(201);
        let activate = format!("/v1/me/factors/{}/activate", text(&added["factor"]["id"]));
        let body = json!({"code": world.code(&number).await, "end_other_sessions": asked});
        ana.post(&activate, body).await.expect(200);
        assert_eq!(other.get("/v1/me").await.status, if asked { 401 } else { 200 });
        ana.get("/v1/me").await.expect(200);
    }
}
