//! Apps as OAuth clients, and invitations to them, as a server sets them up.

use serde_json::{Value, json};

use crate::support::World;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}")).to_owned()
}

pub async fn an_app_is_made_changed_given_another_secret_and_deleted(world: World) {
    let body = json!({
        "name": "Shop", "origins": ["https://Shop.example.com/"], "redirect_uris": ["https://shop.example.com/callback"],
        "tokens": {"access_token_seconds": 600},
    });
    let app = world.post("/v1/apps", &body).await.expect(201);
    assert_eq!((&app["type"], &app["origins"]), (&json!("web"), &json!(["https://shop.example.com"])));
    assert_eq!((&app["tokens"]["access_token_seconds"], &app["tokens"]["algorithm"]), (&json!(600), &json!("RS256")));
    let first = text(&app["client_secret"]);
    assert!(first.starts_with("cs_") && app["secrets"][0]["hint"] == first[42..]);

    let path = format!("/v1/apps/{}", text(&app["id"]));
    let own_scheme = world.patch(&path, &json!({"redirect_uris": ["com.example.shop:/callback"]})).await;
    assert_eq!(own_scheme.fields(), [("redirect_uris", "form_param_value_invalid")]);
    let changed = json!({"origins": ["https://www.example.com"], "tokens": {"algorithm": "ES256"}});
    let changed = world.patch(&path, &changed).await.expect(200);
    assert_eq!(
        (&changed["origins"], &changed["tokens"]["algorithm"]),
        (&json!(["https://www.example.com"]), &json!("ES256"))
    );
    assert_eq!((&changed["redirect_uris"], changed.get("client_secret")), (&app["redirect_uris"], None));

    for _ in 0..2 {
        let rotated = world.post(&format!("{path}/rotate-secret"), &json!({"keep_old_seconds": 600})).await.expect(200);
        assert_ne!(text(&rotated["client_secret"]), first);
        let ends: Vec<bool> =
            rotated["secrets"].as_array().unwrap().iter().map(|secret| secret["expires_at"].is_string()).collect();
        assert_eq!(ends, [false, true]);
    }
    world.delete(&path).await.expect(204);
    world.get(&path).await.expect_problem(404, "resource_not_found");
}

pub async fn somebody_is_invited_and_the_invitation_taken_back(world: World) {
    let shop = json!({"name": "Shop", "type": "browser", "origins": ["https://shop.example.com"]});
    let shop = world.post("/v1/apps", &shop).await.expect(201);
    let address = world.address();
    let body = json!({"email": address, "app_id": shop["id"], "url": "https://shop.example.com/join"});
    let made = world.post("/v1/invitations", &body).await.expect(201);
    assert_eq!((&made["status"], &made["message"]["status"]), (&json!("pending"), &json!("sent")));
    let sent = world.carriers.mail.sent_to(&address);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].text.contains("https://shop.example.com/join#invitation=iv_"), "{}", sent[0].text);
    let elsewhere = json!({"email": address, "app_id": shop["id"], "url": "https://evil.example/join"});
    let refused = world.post("/v1/invitations", &elsewhere).await;
    assert_eq!(refused.fields(), [("url", "form_param_value_invalid")]);
    let path = format!("/v1/invitations/{}", text(&made["id"]));
    world.delete(&path).await.expect(204);
    world.delete(&path).await.expect_problem(404, "resource_not_found");
}

pub async fn a_user_signs_in_by_phone_and_is_shut_out(world: World) {
    let number = world.number();
    let user = world.post("/v1/users", &json!({"phone": number})).await.expect(201);
    world.post("/v1/users", &json!({"phone": number})).await.expect_problem(409, "form_identifier_exists");
    let found = world.get(&format!("/v1/users?phone=%2B{}", &number[1..])).await.expect(200);
    assert_eq!(found["data"][0]["id"], user["id"]);
    let id = text(&user["id"]);
    let path = format!("/v1/users/{id}");
    assert_eq!(world.patch(&path, &json!({"disabled": true})).await.expect(200)["disabled"], true);
    let asked = world.evaluate(&id, &json!({})).await.expect(200);
    assert_eq!((&asked["step"], &asked["reason"]["code"]), (&json!("blocked"), &json!("user_disabled")));
    assert_eq!(world.patch(&path, &json!({"disabled": false})).await.expect(200)["disabled"], false);
    assert_ne!(world.evaluate(&id, &json!({})).await.expect(200)["step"], "blocked");
}
