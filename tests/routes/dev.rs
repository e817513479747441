//! The development tools: there in development, with `DEV_TOOLS=on`, on a loopback host; anywhere else the
//! paths do not exist.

use std::time::Duration;

use serde_json::{Value, json};

use super::{encoded, text};
use crate::support::{Request, World, vars};

const PATHS: [&str; 3] = ["/", "/dev/inbox", "/dev/inbox.json"];

/// The same request to a path that certainly is not there.
fn nowhere(world: &World) -> Request {
    world.request("GET", "/dev/nothing")
}

#[tokio::test]
async fn elsewhere_the_paths_do_not_exist() {
    let off = |name: &str, value: Value| {
        let mut bindings = vars::null();
        bindings.insert(name.to_owned(), value);
        World::native(&bindings)
    };
    let mut prod = vars::prod_twilio("http://127.0.0.1:9");
    prod.insert("DEV_TOOLS".to_owned(), json!("on"));
    let mut unset = vars::null();
    unset.remove("DEV_TOOLS");
    let worlds = [
        (World::native(&prod), "localhost"),
        (World::native(&unset), "localhost"),
        (off("DEV_TOOLS", json!("off")), "localhost"),
        (off("DEV_TOOLS", json!(false)), "localhost"),
        (World::null(), "example.com"),
        (World::null(), "localhost.example.com"),
        (World::null(), "192.168.1.5:8787"),
        (World::null(), "0.0.0.0:8787"),
    ];
    for (world, host) in worlds {
        let wanted = nowhere(&world).host(host).send().await.expect_problem(404, "route_not_found");
        for path in PATHS {
            for method in ["GET", "POST", "OPTIONS", "DELETE"] {
                let answer = world.request(method, path).host(host).send().await;
                assert_eq!(answer.header("allow"), None, "{method} {path} at {host} gives itself away");
                let mut problem = answer.expect_problem(404, "route_not_found");
                problem["trace_id"] = wanted["trace_id"].clone();
                assert_eq!(problem, wanted, "{method} {path} at {host}");
            }
        }
    }
}

#[tokio::test]
async fn on_a_loopback_host_they_need_no_key() {
    let world = World::null();
    for host in ["localhost", "localhost:8787", "127.0.0.1:8787", "[::1]:8787"] {
        for path in PATHS {
            let answer = world.request("GET", path).host(host).without("authorization").send().await;
            assert_eq!(answer.status, 200, "{path} at {host}: {}", answer.text);
        }
    }
    world.request("POST", "/dev/inbox").send().await.expect_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn the_inbox_shows_what_would_have_been_sent_newest_first() {
    let world = World::null();
    let (first, second) = (world.number(), world.number());
    let mut messages = Vec::new();
    for number in [&first, &second, &first] {
        messages.push(text(&world.challenge(number).await["message_id"]));
        world.here().clock.advance(Duration::from_secs(1));
    }
    let inbox = world.get("/dev/inbox.json").await.expect(200);
    let ids =
        |inbox: &Value| -> Vec<String> { inbox.as_array().unwrap().iter().map(|entry| text(&entry["id"])).collect() };
    assert_eq!(ids(&inbox), [messages[2].clone(), messages[1].clone(), messages[0].clone()]);
    let entry = &inbox[1];
    let code = text(&entry["code"]);
    let wanted = json!({"channel": "sms", "to": second, "intended_to": second, "template": "verification_code",
        "driver": "null", "status": "dropped", "created_at": "2026-11-22T10:00:01.000Z"});
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&entry[field], value, "{field}");
    }
    assert!(text(&entry["body"]).starts_with(&code));
    let page = world.get("/dev/inbox").await.text;
    assert!(page.contains(&code) && page.contains(&second));

    let only = world.get(&format!("/dev/inbox.json?to={}", encoded(&first))).await.expect(200);
    assert_eq!(ids(&only), [messages[2].clone(), messages[0].clone()]);
    let only = world.get(&format!("/dev/inbox?to={}", encoded(&first))).await.text;
    assert!(!only.contains(&second) && only.contains(&first));
    assert_eq!(world.get("/dev/inbox.json?to=12").await.fields(), [("to", "phone_number_invalid")]);
}

#[tokio::test]
async fn the_inbox_shows_a_day() {
    let world = World::null();
    world.challenge(&world.number()).await;
    world.here().clock.advance(Duration::from_hours(24));
    assert_eq!(world.get("/dev/inbox.json").await.expect(200).as_array().unwrap().len(), 1);
    world.here().clock.advance(Duration::from_millis(1));
    assert_eq!(world.get("/dev/inbox.json").await.expect(200), json!([]));
}

#[tokio::test]
async fn without_the_tools_no_text_and_no_code_is_kept() {
    for world in [World::twilio(), World::vonage()] {
        let is_british = world.here().app.config.calling_code.is_some_and(|code| code.get() == 44);
        let number = if is_british { world.british_number() } else { world.number() };
        world.challenge(&number).await;
        assert_eq!(world.here().database.number("SELECT count(*) FROM dev_inbox"), 0);
    }
    // Nor when the caller comes from elsewhere.
    let world = World::null();
    let body = json!({"to": {"phone": world.number()}});
    world.request("POST", "/v1/challenges").host("example.com").json(&body).send().await.expect(201);
    assert_eq!(world.here().database.number("SELECT count(*) FROM dev_inbox"), 0);
}

#[tokio::test]
async fn the_status_page_says_what_is_set_and_no_secret() {
    let mut bindings = vars::dev_twilio("http://127.0.0.1:9");
    bindings.insert("SMS_COUNTRY_CODE".to_owned(), json!("+999"));
    let page = World::native(&bindings).get("/").await.text;
    assert!(page.contains("twilio") && page.contains("DEV_SMS_RECEIVER"));
    assert!(page.contains("SMS_COUNTRY_CODE is"), "a bad variable is told");
    for secret in [vars::TOKEN, &vars::KEY[8..], "AAECAwQF", "ICECAwQF"] {
        assert!(!page.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn what_was_sent_is_written_into_pages_as_text() {
    let mut bindings = vars::null();
    bindings.insert("APP_NAME".to_owned(), json!("<script>alert(1)</script>"));
    let world = World::native(&bindings);
    world.challenge(&world.number()).await;
    let page = world.get("/dev/inbox").await.text;
    assert!(page.contains("&#60;script&#62;") && !page.contains("<script>"), "{page}");
}
