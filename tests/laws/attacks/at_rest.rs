//! Attacks that read what lies about: in rows, in answers, in the plan of a query.

use postern::{
    crypto::{Code, KeyRing, RecoveryCode},
    http::operations,
    password::Password,
    secret::Secret,
    user,
};
use serde_json::{Value, json};

use super::{GOOD, new_user, text, with_password};
use crate::support::{World, client::seen, sqlite::plans, vars};

#[tokio::test]
async fn attack_10_no_refusal_repeats_what_was_typed() {
    let world = World::null();
    let user = with_password(&world).await;
    let mut refused = 0;
    for operation in operations() {
        let Some(fields) = operation.body else { continue };
        let path = operation.path.replacen("{id}", &user, 1).replace(['{', '}'], "x");
        for field in fields {
            for value in [
                json!("hunter2-marker"),
                json!(["hunter2-marker"]),
                json!({"hunter2": "hunter2-marker"}),
                json!("hunter2-marker".repeat(100)),
            ] {
                let mut body = json!({});
                body[field.name] = value;
                let response = world.request(operation.method, &path).json(&body).send().await;
                if response.status < 400 {
                    continue;
                }
                refused += 1;
                assert!(response.status < 500, "{} {body}: {}", operation.id, response.text);
                assert!(!response.text.contains("hunter2-marker"), "{} {body}: {}", operation.id, response.text);
            }
        }
    }
    assert!(refused > 200, "{refused}");
    let stored = world.here().database.everything();
    let typed = |(_, value): &&(String, String)| value.contains("hunter2-marker");
    // What a name or a note may be is kept, a password is not.
    assert!(!stored.iter().filter(typed).any(|(place, _)| place.ends_with("secret") || place.starts_with("events")));
    assert!(world.here().log.lines().iter().all(|line| !line.contains("hunter2-marker")));
}

/// Does not compile once the type has the trait: then two implementations fit.
macro_rules! has_not {
    ($type:ty: $trait:path) => {{
        trait Either<Which> {
            fn has() {}
        }
        impl<T: ?Sized> Either<()> for T {}
        struct Yes;
        impl<T: ?Sized + $trait> Either<Yes> for T {}
        let _ = <$type as Either<_>>::has;
    }};
}

#[tokio::test]
async fn attack_16_nothing_that_opens_a_door_lies_in_plain_text() {
    let world = World::null();
    // Ten digits, so that no code is found by chance.
    world.patch("/v1/instance", &json!({"codes": {"length": 10}})).await.expect(200);
    let user = with_password(&world).await;
    let factors = format!("/v1/users/{user}/factors");
    let forced = async |mut body: Value| {
        body["override"] = json!({"reason": "set-up"});
        world.post(&factors, &body).await.expect(201)
    };
    let mut made = vec![GOOD.to_owned()];
    let app = forced(json!({"type": "totp"})).await;
    made.push(text(&app["totp"]["secret"]));
    let codes = forced(json!({"type": "recovery_codes"})).await;
    made.extend(codes["recovery_codes"].as_array().expect("a set").iter().map(text));
    let number = world.number();
    forced(json!({"type": "phone", "phone": number})).await;
    made.push(world.code(&number).await);
    let key = world.post("/v1/api-keys", &json!({"name": "k", "scopes": ["users:read"]})).await.expect(201);
    made.push(text(&key["secret"]));
    let (person, _, number) = world.user_with_phone().await;
    let app = world.post("/v1/apps", &json!({"name": "Shop", "mfa": {"remember_device": true}})).await.expect(201);
    let remember = json!({"app_id": app["id"], "proofs": [world.proof(&person, &number).await],
        "external_first_factor": {"type": "password"}});
    let device = world.post(&format!("/v1/users/{person}/devices"), &remember).await.expect(201);
    made.push(text(&device["token"]).rsplit_once('.').expect("an id and a secret").1.to_owned());

    // Development's inbox is for codes; nothing else is.
    let stored = world.here().database.everything();
    for secret in &made {
        let plain: String = secret.chars().filter(char::is_ascii_alphanumeric).collect();
        for (place, value) in stored.iter().filter(|(place, _)| !place.starts_with("dev_inbox.")) {
            assert!(!value.contains(secret.as_str()) && !value.contains(&plain), "{place} has it");
        }
    }
    assert!(seen().len() > 10 && made.len() == 15, "{}", made.len());
    // What is compared in Rust is compared in constant time: these have no `==` to compare with.
    has_not!(Code: PartialEq);
    has_not!(RecoveryCode: PartialEq);
    has_not!(Password: PartialEq);
    has_not!(Secret: PartialEq);
    has_not!(KeyRing: PartialEq);
    assert!(stored.iter().any(|(_, value)| value.starts_with("hmac-sha256:p1$")), "a password's hash has its pepper");
    assert!(!stored.iter().any(|(_, value)| value.contains(vars::KEY)));
}

#[tokio::test]
async fn attack_18_an_address_is_found_by_its_index() {
    for (sql, scans, indexes) in plans(&[user::store::LIST_BY_EMAIL, user::store::TAKEN, user::store::CREATE]) {
        assert!(scans.is_empty(), "{scans:?} of {sql}");
        assert!(indexes.iter().any(|index| index == "users_by_email"), "{indexes:?} of {sql}");
    }
    // And this is what runs when somebody is looked for.
    let world = World::null();
    let user = new_user(&world, json!({"email": "ana@example.com"})).await;
    let found = world.get("/v1/users?email=Ana@Example.com").await.expect(200);
    assert_eq!(found["data"][0]["id"], json!(user));
    assert!(world.here().database.executed().contains(user::store::LIST_BY_EMAIL));
}
