//! What passkeys add to the routes: settings that no browser would take are refused, answers are a code or a credential,
//! and a challenge without a user asks for nothing else.

use serde_json::{Value, json};

use super::text;
use crate::support::{
    World,
    passkey::{Authenticator, allow, answer, user_with_passkey},
    vars,
};

#[tokio::test]
async fn settings_that_no_browser_takes_are_refused_by_name() {
    let mut bindings = vars::null();
    bindings.remove("PUBLIC_URL");
    let bare = World::native(&bindings);
    bindings.insert("PUBLIC_URL".to_owned(), json!("https://login.example.com"));
    let world = World::native(&bindings);
    let cases = [
        (&world, json!({"rp_id": "https://example.com"}), "rp_id"),
        (&world, json!({"rp_id": "Example.com"}), "rp_id"),
        (&world, json!({"rp_id": "127.0.0.1"}), "rp_id"),
        (&world, json!({"rp_id": "other.com"}), "origins"),
        (&world, json!({"rp_id": "example.com", "origins": []}), "origins"),
        (&world, json!({"rp_id": "example.com", "origins": ["https://example.org"]}), "origins"),
        (&world, json!({"rp_id": "example.com", "origins": ["http://example.com"]}), "origins"),
        (&world, json!({"rp_id": "example.com", "origins": ["https://example.com/"]}), "origins"),
        (&world, json!({"origins": ["https://example.com"]}), "origins"),
        (&bare, json!({"origins": ["https://example.com"]}), "rp_id"),
        (&bare, json!({"rp_id": "example.com"}), "origins"),
    ];
    for (world, passkey, field) in cases {
        let answer = world.patch("/v1/instance", &json!({"multi_factor": {"passkey": passkey}})).await;
        let path = format!("multi_factor.passkey.{field}");
        assert_eq!(answer.fields().first().map(|(field, _)| *field), Some(path.as_str()), "{passkey}: {}", answer.text);
        answer.expect_problem(422, "form_param_invalid");
    }
    for passkey in [
        json!({"rp_id": "example.com"}),
        json!({"rp_id": "example.com", "origins": ["https://example.com", "https://a.example.com:8443"]}),
        json!({"rp_id": "inherit", "origins": "inherit"}),
        json!({"enabled": true, "user_verification": "required"}),
    ] {
        world.patch("/v1/instance", &json!({"multi_factor": {"passkey": passkey}})).await.expect(200);
    }
}

#[tokio::test]
async fn an_answer_is_a_code_or_a_credential() {
    let world = World::null();
    allow(&world).await;
    let (user, _, mut authenticator) = user_with_passkey(&world).await;
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let path = format!("/v1/challenges/{}/answer", text(&challenge["id"]));
    let credential = authenticator.get(&challenge["public_key"]);
    let without = |pointer: &str| {
        let mut json = credential.clone();
        *json.pointer_mut(pointer).unwrap() = Value::Null;
        json!({"credential": json})
    };
    let cases = [
        (json!({}), "code"),
        (json!({"code": "123456", "credential": credential}), "credential"),
        (json!({"credential": {}}), "credential"),
        (without("/id"), "credential"),
        (without("/type"), "credential"),
        (without("/response"), "credential"),
        (without("/response/signature"), "credential"),
        (without("/response/clientDataJSON"), "credential"),
        (json!({"credential": {"response": {"attestationObject": "oA"}}}), "credential"),
    ];
    for (body, field) in cases {
        let answer = world.post(&path, &body).await;
        assert_eq!(answer.fields().first().map(|(field, _)| *field), Some(field), "{body}: {}", answer.text);
        answer.expect_problem(422, "form_param_invalid");
    }
    // None of that was an answer.
    let read = world.get(&path.replace("/answer", "")).await.expect(200);
    assert_eq!((&read["attempts_left"], &read["evidence"]), (&json!(5), &Value::Null));
    answer(&world, &challenge, &credential).send().await.expect(200);
}

#[tokio::test]
async fn a_challenge_without_a_user_is_a_passkeys_and_nothing_elses() {
    let world = World::null();
    allow(&world).await;
    for (body, field) in [
        (json!({"type": "totp"}), "to"),
        (json!({"type": "passkey", "purpose": "step_up"}), "purpose"),
        (json!({"type": "passkey", "purpose": "verification"}), "purpose"),
        (json!({"type": "passkey", "channel": "sms"}), "channel"),
        (json!({"type": "passkey", "factor_id": "fac_01M83WM7ZA000G40R40M30E209"}), "to"),
        (json!({"type": "passkey", "to": {"phone": world.number()}}), "type"),
    ] {
        let answer = world.post("/v1/challenges", &body).await;
        assert_eq!(answer.fields().first().map(|(field, _)| *field), Some(field), "{body}: {}", answer.text);
        answer.expect_problem(422, "form_param_invalid");
    }
    let challenge = world.post("/v1/challenges", &json!({"type": "passkey"})).await.expect(201);
    let path = format!("/v1/challenges/{}", text(&challenge["id"]));
    let resend = world.request("POST", &format!("{path}/resend")).send().await;
    resend.expect_problem(422, "strategy_not_supported");
    world.request("POST", &format!("{path}/cancel")).send().await.expect(200);
    // What is shown once is not shown again.
    assert_eq!(world.get(&path).await.expect(200).get("public_key"), None);
}

#[tokio::test]
async fn a_repeated_enrolment_is_the_same_one_without_its_options() {
    let world = World::null();
    allow(&world).await;
    let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/users/{user}/factors");
    let call = || world.request("POST", &path).json(&json!({"type": "passkey"})).idempotency_key("once").send();
    let (first, again) = (call().await.expect(201), call().await);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let again = again.expect(201);
    assert_eq!((&again["factor"]["id"], again.get("public_key")), (&first["factor"]["id"], None));
    let mut authenticator = Authenticator::new(crate::support::passkey::ORIGIN);
    let credential = authenticator.create(&first["public_key"]);
    let body = json!({"challenge_id": again["challenge"]["id"], "credential": credential});
    let activate = format!("{path}/{}/activate", text(&again["factor"]["id"]));
    world.post(&activate, &body).await.expect(200);
}
