//! Invitations in sign-ups: their address counts as proven, once; and who may sign up at all.

use std::time::Duration;

use serde_json::{Value, json};

use super::{PASSWORD, made, text};
use crate::support::{Request, Response, World, at_once, count, page::Page, vars};

const JOIN: &str = "https://app.example.com/join";

/// An invitation to an address: the answer, and the token in the e-mail.
async fn invited(world: &World, address: &str, app: Option<&str>) -> (Value, String) {
    let body = match app {
        Some(app) => json!({"email": address, "url": JOIN, "app_id": app}),
        None => json!({"email": address, "url": JOIN}),
    };
    let made = world.post("/v1/invitations", &body).await.expect(201);
    let mail = world.carriers.mail.sent_to(&address.to_lowercase()).pop().unwrap();
    let token = mail.text.split("#invitation=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    (made, token)
}

/// What begins a sign-up with an invitation.
fn following(page: &Page<'_>, token: &str) -> Request {
    let mut body = page.beginning();
    body["invitation"] = json!(token);
    page.request("POST", "/v1/client/sign-ups", None, Some(&body))
}

fn mailing() -> World {
    World::native(&vars::prod_mail("http://127.0.0.1:9"))
}

#[tokio::test]
async fn an_invitation_has_named_and_proven_its_address() {
    let world = mailing();
    let page = Page::new(&world).await;
    let (made, token) = invited(&world, "Ana.Beispiel@Example.com", Some(&page.client_id)).await;
    let flow = page.begin("sign-ups", json!({"invitation": token, "identifier": world.address()})).await;
    assert_eq!((&flow.begun["step"], &flow.begun["challenge"]), (&json!("needs_first_factor"), &Value::Null));
    let other = json!({"identifier": world.address()});
    flow.post("identifier", other).await.expect_problem(409, "flow_step_mismatch");
    flow.post("challenges", json!({})).await.expect_problem(422, "form_param_invalid");
    let words = flow.post("password", json!({"password": "Ana.Beispiel.2024"})).await;
    assert_eq!(words.fields(), [("password", "password_context")]);
    let done = flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    assert_eq!(done["step"], "complete");
    let user = &world.get("/v1/users?email=ana.beispiel@example.com").await.expect(200)["data"][0];
    assert_eq!(user["email"], "Ana.Beispiel@Example.com");
    assert!(user["email_verified_at"].is_string(), "{user}");
    let path = "/v1/invitations";
    let listed = &world.get(path).await.expect(200)["data"][0];
    assert_eq!((&listed["id"], &listed["status"]), (&made["id"], &json!("used")));
    let again = following(&page, &token).send().await;
    assert_eq!((again.status, again.fields()), (422, vec![("invitation", "form_param_value_invalid")]));
}

#[tokio::test]
async fn an_invitation_is_used_once_in_fifty() {
    let world = mailing();
    let page = Page::new(&world).await;
    let (_, token) = invited(&world, &world.address(), None).await;
    let begun = at_once((0..50).map(|_| following(&page, &token)).collect()).await;
    assert_eq!(count(&begun, 201, ""), 50);
    let password = json!({"password": PASSWORD});
    let choose = |begun: &Response| {
        let path = format!("/v1/client/sign-ups/{}/password", text(&begun.json["id"]));
        page.request("POST", &path, Some(text(&begun.json["token"])), Some(&password))
    };
    let answers = at_once(begun.iter().map(choose).collect()).await;
    assert_eq!((count(&answers, 200, ""), count(&answers, 409, "form_identifier_exists")), (1, 49));
    assert_eq!(made(&world), [1, 1, 1]);
}

#[tokio::test]
async fn an_invitation_that_is_over_or_another_apps_makes_nobody() {
    let world = mailing();
    let (page, other) = (Page::new(&world).await, Page::new(&world).await);
    let (made_one, token) = invited(&world, &world.address(), Some(&page.client_id)).await;
    for (page, token) in [(&other, token.as_str()), (&page, "iv_no_such_token"), (&page, &token[..token.len() - 1])] {
        let refused = following(page, token).send().await;
        assert_eq!((refused.status, refused.fields()), (422, vec![("invitation", "form_param_value_invalid")]));
    }
    let flow = page.begin("sign-ups", json!({"invitation": token})).await;
    world.delete(&format!("/v1/invitations/{}", text(&made_one["id"]))).await.expect(204);
    let password = json!({"password": PASSWORD});
    flow.post("password", password.clone()).await.expect_problem(409, "form_identifier_exists");
    let (_, token) = invited(&world, &world.address(), None).await;
    world.here().clock.advance(Duration::from_hours(24 * 7) - Duration::from_mins(5));
    let flow = page.begin("sign-ups", json!({"invitation": token})).await;
    world.here().clock.advance(Duration::from_mins(5));
    flow.post("password", password).await.expect_problem(409, "form_identifier_exists");
    assert_eq!(made(&world), [0, 0, 0]);
}

#[tokio::test]
async fn the_setting_says_who_signs_up() {
    let world = mailing();
    let page = Page::new(&world).await;
    let (_, token) = invited(&world, &world.address(), None).await;
    let begin = async |token: Option<&str>| match token {
        Some(token) => following(&page, token).send().await,
        None => page.call("POST", "/v1/client/sign-ups", None, Some(&page.beginning())).await,
    };
    let set = async |value: &str| {
        world.patch("/v1/instance", &json!({"sign_in": {"sign_up": value}})).await.expect(200);
    };
    set("invitation").await;
    begin(None).await.expect_problem(403, "sign_up_closed");
    begin(Some(&token)).await.expect(201);
    set("closed").await;
    begin(None).await.expect_problem(403, "sign_up_closed");
    begin(Some(&token)).await.expect_problem(403, "sign_up_closed");
    let signs_in = page.call("POST", "/v1/client/sign-ins", None, Some(&page.beginning())).await;
    signs_in.expect(201);
    set("inherit").await;
    begin(None).await.expect(201);
}
