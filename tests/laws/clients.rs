//! Who calls as an app: secrets, origins and invitations as the deciding statements see them.

use std::time::Duration;

use postern::{
    app::{secret::hash_of, store},
    crypto::token_hash,
    invitation, invitation_is_live,
    ports::{Clock, Param, Statement},
    statement,
};
use serde_json::{Value, json};

use crate::support::{World, vars};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}")).to_owned()
}

/// What a statement that asks one thing answers.
async fn asks(world: &World, statement: Statement, column: &str) -> bool {
    world.here().app.ports.database.batch(vec![statement]).await.unwrap()[0][0].flag(column)
}

async fn is_authentic(world: &World, app: &Value, secret: Option<&str>) -> bool {
    let now = world.here().clock.now().millis();
    asks(world, statement!(store::AUTHENTIC, text(&app["id"]), hash_of(secret), now), "authentic").await
}

#[tokio::test]
async fn an_app_is_who_it_says_by_its_secret_or_has_none() {
    let world = World::null();
    let mut apps = Vec::new();
    for kind in ["browser", "native", "web", "machine"] {
        apps.push(world.post("/v1/apps", &json!({"name": "App", "type": kind})).await.expect(201));
    }
    let [browser, native, web, machine] = apps.as_slice() else { panic!("four apps") };
    let (of_web, of_machine) = (text(&web["client_secret"]), text(&machine["client_secret"]));
    for public in [browser, native] {
        assert!(is_authentic(&world, public, None).await);
        for secret in ["", "cs_x", &of_web] {
            assert!(!is_authentic(&world, public, Some(secret)).await, "{secret}");
        }
    }
    assert!(is_authentic(&world, web, Some(&of_web)).await && is_authentic(&world, machine, Some(&of_machine)).await);
    for confidential in [web, machine] {
        let own = text(&confidential["client_secret"]);
        assert!(!is_authentic(&world, confidential, None).await);
        for secret in ["", "cs_", &own[..45], &format!("{own}A"), &own.to_lowercase(), &token_hash(&own)] {
            assert!(!is_authentic(&world, confidential, Some(secret)).await, "{secret}");
        }
    }
    assert!(!is_authentic(&world, web, Some(&of_machine)).await, "another app's secret");
    let nobody = json!({"id": "app_01M83WM7ZA000G40R40M30E209"});
    assert!(!is_authentic(&world, &nobody, None).await && !is_authentic(&world, &nobody, Some(&of_web)).await);
}

#[tokio::test]
async fn a_rotated_secret_works_on_to_the_millisecond_and_a_deleted_apps_no_more() {
    let world = World::null();
    let app = world.post("/v1/apps", &json!({"name": "App"})).await.expect(201);
    let (path, first) = (format!("/v1/apps/{}", text(&app["id"])), text(&app["client_secret"]));
    world.here().clock.advance(Duration::from_secs(1));
    let rotate = async |keep: i64| {
        let body = json!({"keep_old_seconds": keep});
        text(&world.post(&format!("{path}/rotate-secret"), &body).await.expect(200)["client_secret"])
    };
    let second = rotate(10).await;
    world.here().clock.advance(Duration::from_millis(9_999));
    assert!(is_authentic(&world, &app, Some(&first)).await && is_authentic(&world, &app, Some(&second)).await);
    world.here().clock.advance(Duration::from_millis(1));
    assert!(!is_authentic(&world, &app, Some(&first)).await && is_authentic(&world, &app, Some(&second)).await);
    let third = rotate(0).await;
    assert!(!is_authentic(&world, &app, Some(&second)).await && is_authentic(&world, &app, Some(&third)).await);
    world.delete(&path).await.expect(204);
    assert!(!is_authentic(&world, &app, Some(&third)).await);
    assert_eq!(world.here().database.number("SELECT count(*) FROM app_secrets"), 0);
}

#[tokio::test]
async fn an_origin_holds_at_once_and_goes_at_once() {
    let world = World::null();
    let mut apps = Vec::new();
    for kind in ["browser", "web", "native"] {
        apps.push(world.post("/v1/apps", &json!({"name": "App", "type": kind})).await.expect(201));
    }
    let origin = "https://app.example.com";
    let is_known = async || asks(&world, statement!(store::ORIGIN_KNOWN, origin), "known").await;
    let is_allowed = async |app: usize, embedded: bool| {
        let id = text(&apps[app]["id"]);
        asks(&world, statement!(store::ORIGIN_ALLOWED, id, origin, embedded), "allowed").await
    };
    assert!(!is_known().await && !is_allowed(0, false).await);
    let path = |app: usize| format!("/v1/apps/{}", text(&apps[app]["id"]));
    for app in [0, 1] {
        world.patch(&path(app), &json!({"origins": [origin, "http://localhost:3000"]})).await.expect(200);
        assert!(is_known().await && is_allowed(app, false).await);
    }
    // Another change leaves them.
    world.patch(&path(0), &json!({"name": "Other"})).await.expect(200);
    assert!(is_allowed(0, false).await);
    world.patch(&path(0), &json!({"origins": ["http://localhost:3000"]})).await.expect(200);
    assert!(is_known().await && !is_allowed(0, false).await && is_allowed(1, false).await);
    world.delete(&path(1)).await.expect(204);
    assert!(!is_known().await && !is_allowed(1, false).await);
    // Those of the variable are every browser app's, and no other's.
    assert!(is_allowed(0, true).await && !is_allowed(1, true).await && !is_allowed(2, true).await);
}

/// An invitation, and the hash of the token that was mailed.
async fn invited(world: &World, app: Option<&Value>) -> (Value, String, String) {
    let address = world.address();
    let mut body = json!({"email": address, "url": "https://app.example.com/join"});
    if let Some(app) = app {
        body["app_id"] = app["id"].clone();
    }
    let made = world.post("/v1/invitations", &body).await.expect(201);
    let mail = world.carriers.mail.sent_to(&address).pop().unwrap();
    let token = mail.text.split_once("#invitation=").unwrap().1.split_whitespace().next().unwrap().to_owned();
    assert!(token.starts_with(invitation::PREFIX));
    (made, address, token_hash(&token))
}

/// What a sign-up does with an invitation: a user is made while it lives, and it is used up for them.
async fn sign_up(world: &World, hash: &str, app: &str, email: &str) -> bool {
    const MAKE: &str = concat!(
        "INSERT INTO users (id, email, email_normalised, metadata, created_at, updated_at, stamp)
         SELECT ?1, ?2, ?2, '{}', ?3, ?3, ?4 WHERE ",
        invitation_is_live!("?5", "?6", "?3", "?2"),
        " AND NOT EXISTS (SELECT 1 FROM users WHERE email_normalised = ?2)"
    );
    let native = world.here();
    let now = native.clock.now();
    let id = postern::ids::UserId::new(now, &native.random);
    let stamp = format!("stamp-{id}");
    let batch = vec![
        statement!(MAKE, &id, email, now.millis(), stamp.as_str(), hash, app),
        statement!(invitation::store::CONSUME, hash, now.millis(), stamp.as_str(), &id),
        Statement::new("SELECT id FROM users WHERE id = ?1", [Param::from(&id)]),
    ];
    !native.app.ports.database.batch(batch).await.unwrap()[2].is_empty()
}

#[tokio::test]
async fn an_invitation_makes_one_user_of_its_app_in_its_time() {
    let world = World::native(&vars::prod_mail("http://127.0.0.1:9"));
    let shop = json!({"name": "Shop", "origins": ["https://app.example.com"]});
    let shop = world.post("/v1/apps", &shop).await.expect(201);
    let app = text(&shop["id"]);
    let (made, address, hash) = invited(&world, Some(&shop)).await;
    let follows = async |hash: &str, app: &str| {
        let now = world.here().clock.now().millis();
        let follow = statement!(invitation::store::FOLLOW, hash, app, now);
        !world.here().app.ports.database.batch(vec![follow]).await.unwrap()[0].is_empty()
    };
    assert!(follows(&hash, &app).await && !follows(&hash, "app_other").await && !follows("x", &app).await);
    assert!(!sign_up(&world, &hash, "app_other", &address).await, "another app");
    assert!(!sign_up(&world, "x", &app, &address).await, "another token");
    assert!(!sign_up(&world, &hash, &app, "eve@example.com").await, "an address that it was not sent to");
    assert!(follows(&hash, &app).await, "a refusal consumes nothing");
    assert!(sign_up(&world, &hash, &app, &address).await);
    assert!(!sign_up(&world, &hash, &app, "mallory@example.com").await, "it is used up");
    assert!(!follows(&hash, &app).await);
    let listed = &world.get("/v1/invitations").await.expect(200)["data"][0];
    assert_eq!((&listed["id"], &listed["status"]), (&made["id"], &json!("used")));
    assert!(listed["used_at"].is_string());

    let (_, address, hash) = invited(&world, None).await;
    assert!(follows(&hash, "app_any").await);
    world.here().clock.advance(Duration::from_hours(24 * 7) - Duration::from_millis(1));
    assert!(follows(&hash, "app_any").await);
    world.here().clock.advance(Duration::from_millis(1));
    assert!(!follows(&hash, "app_any").await && !sign_up(&world, &hash, "app_any", &address).await);

    let (made, _, hash) = invited(&world, Some(&shop)).await;
    world.delete(&format!("/v1/invitations/{}", text(&made["id"]))).await.expect(204);
    assert!(!follows(&hash, &app).await, "taken back");
    let (_, _, hash) = invited(&world, Some(&shop)).await;
    world.delete(&format!("/v1/apps/{app}")).await.expect(204);
    assert!(!follows(&hash, &app).await, "its app is gone");
}
