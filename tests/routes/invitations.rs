//! `/v1/invitations`: made, sent, listed, taken back; where a link may lead, and what becomes of the e-mail.

use std::time::Duration;

use serde_json::{Value, json};

use super::{NOBODY, pages, text};
use crate::support::{Behaviour, Request, World, vars};

const BASE: &str = "http://127.0.0.1:9";

async fn app(world: &World, body: Value) -> String {
    text(&world.post("/v1/apps", &body).await.expect(201)["id"])
}

/// A world with one app whose pages are at app.example.com.
async fn world(vars: &vars::Vars) -> (World, String) {
    let world = World::native(vars);
    let shop = json!({"name": "Shop", "origins": ["https://app.example.com"], "redirect_uris": ["https://other.example.com/cb?x=1"]});
    let shop = app(&world, shop).await;
    (world, shop)
}

fn invite(world: &World, email: &str, url: &str, app: Option<&str>) -> Request {
    let mut body = json!({"email": email, "url": url});
    if let Some(app) = app {
        body["app_id"] = json!(app);
    }
    world.request("POST", "/v1/invitations").json(&body)
}

#[tokio::test]
async fn an_invitation_is_mailed_listed_and_taken_back() {
    let (world, shop) = world(&vars::prod_mail(BASE)).await;
    let made = invite(&world, " Ana@Example.com", "https://app.example.com/join?plan=1&x=2", Some(&shop)).send().await;
    let mut made = made.expect(201);
    let sent = world.carriers.mail.sent_to("ana@example.com");
    assert_eq!(sent.len(), 1);
    let message = made.as_object_mut().unwrap().remove("message").unwrap();
    assert_eq!(message, json!({"id": sent[0].message_id, "status": "sent"}));
    let wanted = json!({
        "id": made["id"], "email": "Ana@Example.com", "app_id": shop, "status": "pending", "used_at": null,
        "created_at": "2026-11-22T10:00:00.000Z", "expires_at": "2026-11-29T10:00:00.000Z",
    });
    assert_eq!(made, wanted);
    let link = sent[0].text.lines().find(|line| line.starts_with("https://")).unwrap();
    let token = link.strip_prefix("https://app.example.com/join?plan=1&x=2#invitation=iv_").unwrap();
    assert!(token.len() == 43 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_eq!(sent[0].subject, "You are invited to Example");
    let read = world.get(&format!("/v1/messages/{}", sent[0].message_id)).await.expect(200);
    assert_eq!((&read["message"]["template"], &read["message"]["app_id"]), (&json!("invitation"), &json!(shop)));
    assert_eq!((&read["message"]["status"], read["tries"].as_array().unwrap().len()), (&json!("sent"), 1));

    assert_eq!(world.get("/v1/invitations").await.expect(200)["data"], json!([made]));
    world.here().clock.advance(Duration::from_hours(24 * 7));
    let expired = &world.get("/v1/invitations").await.expect(200)["data"][0];
    assert_eq!(expired["status"], "expired");
    let path = format!("/v1/invitations/{}", text(&made["id"]));
    world.delete(&path).await.expect(204);
    world.delete(&path).await.expect_problem(404, "resource_not_found");
    assert_eq!(world.get("/v1/invitations").await.expect(200)["data"], json!([]));
    let events = world.get(&format!("/v1/audit-events?subject_id={}", text(&made["id"]))).await.expect(200);
    let types: Vec<&Value> = events["data"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["invitation.deleted", "invitation.created"]);
}

#[tokio::test]
async fn a_link_leads_to_the_apps_own_pages_and_nowhere_else() {
    let (world, shop) = world(&vars::null()).await;
    let native =
        app(&world, json!({"name": "App", "type": "native", "redirect_uris": ["com.example.app:/join"]})).await;
    let machine = app(&world, json!({"name": "Job", "type": "machine"})).await;
    let browser = app(&world, json!({"name": "Page", "type": "browser"})).await;
    let cases = [
        (Some(&shop), "https://app.example.com", true),
        (Some(&shop), "https://app.example.com:443/join", true),
        (Some(&shop), "https://other.example.com/cb?x=1", true),
        (Some(&shop), "https://other.example.com/cb", false),
        (Some(&shop), "https://app.example.com.evil.example/", false),
        (Some(&shop), "https://app.example.com:8443/", false),
        (Some(&shop), "http://localhost/", false),
        (Some(&shop), "com.example.app:/join", false),
        (Some(&native), "com.example.app:/join", true),
        (Some(&native), "https://app.example.com/", false),
        (Some(&machine), "https://app.example.com/", false),
        (Some(&browser), "https://app.example.com/", false),
        (None, "https://app.example.com/welcome", true),
        (None, "https://other.example.com/cb?x=1", false),
        (None, "https://evil.example/", false),
        (None, "com.example.app:/join", false),
    ];
    for (at, (app, url, good)) in cases.into_iter().enumerate() {
        let answer = invite(&world, &format!("a{at}@example.com"), url, app.map(String::as_str)).send().await;
        if good {
            answer.expect(201);
        } else {
            assert_eq!(answer.fields(), [("url", "form_param_value_invalid")], "{app:?} {url}");
        }
    }
    for url in
        ["https://app.example.com/#x", "https://u@app.example.com/", "/join", "javascript:x", "https://*.example.com/"]
    {
        let answer = invite(&world, "b@example.com", url, None).send().await;
        assert_eq!(answer.fields(), [("url", "form_param_value_invalid")], "{url}");
    }
    let nobody = NOBODY.iter().find(|(kind, _)| *kind == "app").unwrap().1;
    invite(&world, "b@example.com", "https://app.example.com/", Some(nobody))
        .send()
        .await
        .expect_problem(404, "resource_not_found");
    // What is taken away is taken away at once.
    world.patch(&format!("/v1/apps/{shop}"), &json!({"origins": []})).await.expect(200);
    for app in [Some(shop.as_str()), None] {
        let answer = invite(&world, "c@example.com", "https://app.example.com/", app).send().await;
        assert_eq!(answer.fields(), [("url", "form_param_value_invalid")]);
    }
}

#[tokio::test]
async fn the_variables_origins_are_every_browser_apps_and_the_public_url_is_nobodys() {
    let mut vars = vars::null();
    vars.insert("EMBEDDED_AUTH_ORIGINS".to_owned(), json!(["https://pages.example.com"]));
    vars.insert("PUBLIC_URL".to_owned(), json!("https://login.example.com"));
    let (world, shop) = world(&vars).await;
    let browser = app(&world, json!({"name": "Page", "type": "browser"})).await;
    for (app, url, status) in [
        (Some(&browser), "https://pages.example.com/join", 201),
        (Some(&shop), "https://pages.example.com/join", 422),
        (None, "https://pages.example.com/join", 201),
        (None, "https://login.example.com/sign-up", 201),
        (Some(&browser), "https://login.example.com/sign-up", 422),
    ] {
        let address = world.address();
        invite(&world, &address, url, app.map(String::as_str)).send().await.expect(status);
    }
}

#[tokio::test]
async fn who_is_here_already_is_not_invited() {
    let (world, _) = world(&vars::null()).await;
    let ana = super::new_user(&world, &json!({"email": "Ana@example.com"})).await;
    let call = || invite(&world, "ana@Example.com", "https://app.example.com/", None).send();
    call().await.expect_problem(409, "form_identifier_exists");
    assert_eq!(world.here().database.number("SELECT count(*) FROM messages"), 0);
    world.delete(&format!("/v1/users/{ana}")).await.expect(204);
    call().await.expect(201);
}

#[tokio::test]
async fn what_became_of_the_e_mail_is_told_and_without_one_there_is_no_invitation() {
    let (world, _) = world(&vars::prod_mail(BASE)).await;
    let rows = |table: &str| world.here().database.number(&format!("SELECT count(*) FROM {table}"));
    let address = world.address();
    let call = || invite(&world, &address, "https://app.example.com/", None).idempotency_key("once").send();
    let error = |status: u16, name: &str, message: &str| {
        Behaviour::Answer(status, json!({"statusCode": status, "name": name, "message": message}).to_string())
    };
    for (behaviour, status, code) in [
        (error(422, "validation_error", "Invalid `to` field"), 422, "message_recipient_refused"),
        (error(429, "rate_limit_exceeded", "no"), 502, "message_failed"),
        (error(401, "missing_api_key", "no"), 502, "message_driver_misconfigured"),
    ] {
        world.carriers.mail.behave_for(&address, behaviour);
        let problem = call().await.expect_problem(status, code);
        assert!(problem["message_id"].is_string(), "{problem}");
        assert_eq!(rows("invitations"), 0, "{code}");
    }
    assert_eq!(world.here().database.number("SELECT count(*) FROM audit_events WHERE type = 'invitation.deleted'"), 3);
    world.carriers.mail.behave_for(&address, Behaviour::Hang);
    let unknown = call().await.expect(201);
    assert_eq!((&unknown["message"]["status"], rows("invitations")), (&json!("unknown"), 1));
    // It may have gone out: the same call sends nothing more.
    let again = call().await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((&again.json["id"], again.json.get("message")), (&unknown["id"], Some(&Value::Null)));
    assert_eq!(world.carriers.mail.sent_to(&address).len(), 1 + 3);

    world.patch("/v1/instance", &json!({"email": {"enabled": false}})).await.expect(200);
    let off = invite(&world, &world.address(), "https://app.example.com/", None).send().await;
    off.expect_problem(503, "email_disabled");
    let (bare, _) = self::world(&vars::prod_twilio(BASE)).await;
    let problem = invite(&bare, "ana@example.com", "https://app.example.com/", None).send().await;
    assert!(text(&problem.expect_problem(503, "configuration_invalid")["detail"]).contains("EMAIL_DRIVER"));
}

#[tokio::test]
async fn a_hundred_invitations_at_once_stay_within_the_limit() {
    let (world, _) = world(&vars::prod_mail(BASE)).await;
    let address = world.address();
    let requests = (0..100).map(|_| invite(&world, &address, "https://app.example.com/", None)).collect();
    let answers = crate::support::at_once(requests).await;
    let limited = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((crate::support::count(&answers, 201, ""), limited), (10, 90));
    assert_eq!(world.carriers.mail.sent_to(&address).len(), 10);
    assert_eq!(world.here().database.number("SELECT count(*) FROM invitations"), 10);
    for answer in answers.into_iter().filter(|answer| answer.status == 429) {
        assert!(answer.header("retry-after").is_some());
        answer.expect_problem(429, "rate_limit_exceeded");
    }
    world.here().clock.advance(Duration::from_mins(30));
    invite(&world, &address, "https://app.example.com/", None).send().await.expect(201);
}

#[tokio::test]
async fn a_test_keys_invitation_goes_nowhere() {
    let (world, _) = world(&vars::prod_mail(BASE)).await;
    let key = json!({"name": "k", "scopes": ["users:write"], "test": true});
    let key = text(&world.post("/v1/api-keys", &key).await.expect(201)["secret"]);
    let made = invite(&world, "ana@example.com", "https://app.example.com/", None).key(&key).send().await.expect(201);
    assert_eq!(made["message"]["status"], "dropped");
    assert_eq!(world.carriers.mail.sent().len(), 0);
}

#[tokio::test]
async fn invitations_are_listed_page_by_page_newest_first_and_go_a_day_after_their_end() {
    let (world, _) = world(&vars::null()).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        let address = world.address();
        let one = invite(&world, &address, "https://app.example.com/", None).send().await.expect(201);
        made.push(text(&one["id"]));
        world.here().clock.advance(Duration::from_millis(2));
    }
    made.reverse();
    let (all, count) = pages(&world, "/v1/invitations", 2).await;
    assert_eq!((all.iter().map(|one| text(&one["id"])).collect::<Vec<_>>(), count), (made, 3));
    world.here().clock.advance(Duration::from_hours(24 * 8) - Duration::from_millis(11));
    for left in [5, 4, 4, 3] {
        postern::housekeeping::run(&world.here().app).await.unwrap();
        assert_eq!(world.here().database.number("SELECT count(*) FROM invitations"), left);
        world.here().clock.advance(Duration::from_millis(1));
    }
}
