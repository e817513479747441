//! What waits in a sign-up: passwords that are strong enough, passkeys that nobody else has, shown to nobody.

use serde_json::{Value, json};

use super::{PASSWORD, answer, half, made, text};
use crate::support::{
    World, at_once, client, count,
    page::Page,
    passkey::{self, Authenticator},
    vars,
};

#[tokio::test]
async fn somebody_elses_credential_signs_nobody_up() {
    let world = World::null();
    passkey::allow(&world).await;
    let page = Page::new(&world).await;
    let mut authenticator = Authenticator::new(passkey::ORIGIN);
    authenticator.fixed_id = Some(vec![7; 32]);
    let register = async |authenticator: &mut Authenticator, address: &str| {
        let flow = page.begin("sign-ups", json!({"identifier": address})).await;
        let asked = flow.post("passkey/options", json!({})).await.expect(201);
        let credential = authenticator.create(&asked["public_key"]);
        let kept = flow.post("passkey", json!({"credential": credential})).await;
        (flow, kept)
    };
    let addresses = [world.address(), world.address(), world.address()];
    let (first, kept) = register(&mut authenticator, &addresses[0]).await;
    kept.expect(200);
    let (second, kept) = register(&mut authenticator, &addresses[1]).await;
    // It reserves nothing, so that two wait.
    kept.expect(200);
    let path = answer(&first.begun);
    first.post(&path, json!({"code": world.code(&addresses[0]).await})).await.expect(200);
    let path = answer(&second.begun);
    let code = json!({"code": world.code(&addresses[1]).await});
    second.post(&path, code).await.expect_problem(409, "form_identifier_exists");
    let (_, kept) = register(&mut authenticator, &addresses[2]).await;
    kept.expect_problem(422, "form_code_incorrect");
    assert_eq!(made(&world), [1, 1, 1]);
}

#[tokio::test]
async fn a_registration_is_taken_once_and_by_its_own_flow() {
    let world = World::null();
    passkey::allow(&world).await;
    let page = Page::new(&world).await;
    let flow = page.begin("sign-ups", json!({})).await;
    // A passkey may come before the address; it is called by what is known.
    let asked = flow.post("passkey/options", json!({})).await.expect(201);
    let handle = String::from_utf8(passkey::decode(&asked["public_key"]["user"]["id"])).unwrap();
    assert!(handle.starts_with("usr_"), "{handle}");
    let mut authenticator = Authenticator::new(passkey::ORIGIN);
    let body = json!({"credential": authenticator.create(&asked["public_key"])});
    let other = page.begin("sign-ups", json!({})).await;
    other.post("passkey", body.clone()).await.expect_problem(404, "resource_not_found");
    other.post("passkey/options", json!({})).await.expect(201);
    other.post("passkey", body.clone()).await.expect_problem(422, "form_code_incorrect");
    let answers = at_once((0..20).map(|_| flow.request("passkey", &body)).collect()).await;
    assert_eq!((count(&answers, 200, ""), count(&answers, 409, "verification_already_verified")), (1, 19));
    assert_eq!(flow.get().await.expect(200)["step"], "needs_identifier");
    let address = world.address();
    let named = flow.post("identifier", json!({"identifier": address})).await.expect(200);
    assert_eq!(named["step"], "needs_verification");
    // A password beside it: both are attached.
    flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    let done = flow.post(&answer(&named), json!({"code": world.code(&address).await})).await.expect(200);
    assert_eq!(done["step"], "complete");
    let user = world.here().database.query("SELECT id FROM users");
    assert_eq!(text(&user[0]["id"]), handle);
    assert_eq!(made(&world), [1, 2, 1]);
    let events = world.get(&format!("/v1/audit-events?user_id={handle}")).await.expect(200);
    let mut types: Vec<_> = events["data"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    types.sort_unstable();
    let wanted = ["factor.activated", "factor.activated", "user.created", "user.email_verified"];
    assert!(wanted.iter().all(|kind| types.contains(kind)), "{types:?}");
    assert_eq!(types.iter().filter(|kind| **kind == "factor.activated").count(), 2);
}

#[tokio::test]
async fn a_weak_password_is_told_why_and_the_policy_says_how_long() {
    let world = World::null();
    let page = Page::new(&world).await;
    let address = "kaethe.lichter@example.com";
    let flow = page.begin("sign-ups", json!({"identifier": address})).await;
    let told = async |password: &str| {
        let response = flow.post("password", json!({"password": password})).await;
        response.fields().iter().map(|(field, code)| format!("{field} {code}")).collect::<Vec<_>>()
    };
    assert_eq!(told("vK3#qq-Lw92xzt").await, ["password password_too_short"]);
    assert_eq!(told("Kaethe.Lichter.1").await, ["password password_context"]);
    assert_eq!(told("password12345678").await, ["password password_common"]);
    let typed = json!({"password": "Berta.Muster.2024", "identifier": "berta.muster@example.com"});
    let response = flow.post("password", typed).await;
    assert_eq!(response.fields(), [("password", "password_context")]);
    assert_eq!(world.here().database.number("SELECT count(*) FROM flows WHERE pending <> '{}'"), 0);
    world.patch("/v1/instance", &json!({"multi_factor": {"required": ["totp"]}})).await.expect(200);
    assert_eq!(told("vK3#qq-").await, ["password password_too_short"]);
    assert_eq!(told("vK3#qq-L").await, [] as [&str; 0]);
}

#[tokio::test]
async fn what_waits_is_shown_to_nobody_and_no_secret_is_kept() {
    let world = World::native(&vars::prod_mail("http://127.0.0.1:9"));
    passkey::allow(&world).await;
    client::seen();
    let page = Page::new(&world).await;
    let address = world.address();
    let (flow, path) = half(&page, &address).await;
    let asked = flow.post("passkey/options", json!({})).await.expect(201);
    let mut authenticator = Authenticator::new(passkey::ORIGIN);
    let credential = authenticator.create(&asked["public_key"]);
    flow.post("passkey", json!({"credential": credential})).await.expect(200);
    flow.get().await.expect(200);
    let code = world.code(&address).await;
    let pending = world.here().database.query("SELECT pending FROM flows");
    let pending: Value = serde_json::from_str(text(&pending[0]["pending"])).unwrap();
    let hash = text(&pending["credential"]["password"]["secret"]).to_owned();
    let key = text(&pending["credential"]["passkey"]["data"]["public_key"]).to_owned();
    flow.post(&path, json!({"code": code})).await.expect(200);
    for response in client::seen() {
        for secret in [PASSWORD, &hash, &key] {
            assert!(!response.text.contains(secret), "{}", response.text);
        }
    }
    let log = world.here().log.lines().join("\n");
    let stored = world.here().database.everything();
    for secret in [PASSWORD, &flow.token] {
        assert!(!log.contains(secret), "{log}");
        let places: Vec<_> = stored.iter().filter(|(_, value)| value.contains(secret)).collect();
        assert!(places.is_empty(), "{places:?}");
    }
    assert!(!log.contains(&hash) && !log.contains(&code) && !log.contains(&address), "{log}");
    // The hash is the factor's now, and nobody else's.
    let places: Vec<_> = stored.iter().filter(|(_, value)| value.contains(&hash)).map(|(at, _)| at).collect();
    assert_eq!(places, ["factors.secret"]);
}
