//! The bad day: a carrier that refuses without end, a caller that is slow on purpose, a secret in the wrong variable.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use postern::{
    http::serve,
    limit::{Check, LIMITS, store::refund},
    settings::Settings,
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::support::{Behaviour, KEY, World, vars};

#[tokio::test]
async fn a_carrier_that_refuses_is_not_asked_without_end() {
    let world = World::twilio();
    let number = world.number();
    world.carriers.behave_for(&number, Behaviour::Answer(429, "{}".to_owned()));
    let body = json!({"to": {"phone": number}});
    for _ in 0..20 {
        world.post("/v1/challenges", &body).await.expect_problem(502, "message_failed");
    }
    let refused = world.post("/v1/challenges", &body).await.expect_problem(429, "rate_limit_exceeded");
    assert!(refused["detail"].as_str().unwrap().contains("tries_per_destination_half_hour"));
    assert_eq!(world.carriers.sent_to(&number).len(), 20);
}

#[tokio::test]
async fn a_refund_lowers_only_the_window_it_was_counted_in() {
    let world = World::null();
    let app = &world.here().app;
    let settings = Settings::effective(&json!({}), &app.config);
    let limit = *LIMITS.iter().find(|limit| limit.name == "messages_per_destination_half_hour").unwrap();
    let check = vec![Check::spend(limit, "somebody", &settings)];
    // Counted at minute 29; the window ends while the carrier is asked, and another message opens the next one.
    let (first, spent, refunded) = (minute(0), minute(29), minute(31));
    let count = |from: Timestamp, count: i64| {
        world.here().database.execute(&format!(
            "DELETE FROM counters; INSERT INTO counters VALUES ('{}:somebody', {count}, {})",
            limit.name,
            (from + Duration::from_mins(30)).millis()
        ));
    };
    for (window, left) in [(first, 1), (refunded, 2)] {
        count(window, 2);
        // Refunded in the first window, or when the second has begun.
        let now = if window == first { spent } else { refunded };
        app.ports.database.batch(vec![refund(&check, now, spent)]).await.unwrap();
        assert_eq!(world.here().database.number("SELECT count FROM counters"), left);
    }
}

fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_millis(minutes * 60_000)
}

#[tokio::test]
async fn an_answer_is_judged_by_the_time_it_has_arrived() {
    let world = World::null();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let body = json!({"code": world.code(&number).await}).to_string();
    let clock = world.here().clock.clone();
    // The headers come in time, the body when the code is dead.
    let body = Body::new(http_body_util::StreamBody::new(futures_util::stream::once(async move {
        clock.advance(Duration::from_mins(6));
        Ok::<_, std::convert::Infallible>(http_body::Frame::data(Bytes::from(body)))
    })));
    let path = format!("http://localhost/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    let request = http::Request::builder().method("POST").uri(path);
    let request = request.header("authorization", format!("Bearer {KEY}")).header("content-type", "application/json");
    let response = serve(world.here().app.clone(), request.body(body).unwrap()).await;
    assert_eq!(response.status(), 422);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["code"], "verification_expired");
}

#[tokio::test]
async fn a_secret_in_the_wrong_variable_is_told_to_nobody() {
    let secret = "0123456789abcdefghij";
    for name in ["TWILIO_ACCOUNT_ID", "VONAGE_SMS_BASE", "DEV_SMS_RECEIVER", "DEV_TOOLS", "PUBLIC_URL", "SMS_DRIVER"] {
        let mut bindings = vars::prod_twilio("http://127.0.0.1:9");
        bindings.insert(name.to_owned(), json!(secret));
        let world = World::native(&bindings);
        let health = world.request("GET", "/health").without("authorization").send().await;
        assert_eq!(health.status, 503, "{name}");
        assert!(health.text.contains(name) && !health.text.contains(secret), "{}", health.text);
        let listed = world.request("GET", "/v1/users").without("authorization").send().await;
        assert!(!listed.text.contains(secret), "{}", listed.text);
        assert!(world.here().log.lines().iter().all(|line| !line.contains(secret)));
    }
}

#[tokio::test]
async fn a_near_miss_of_prod_is_refused_by_name() {
    for environment in ["production", "PROD", "Prod", "Production"] {
        let mut bindings = vars::prod_twilio("http://127.0.0.1:9");
        bindings.insert("ENVIRONMENT".to_owned(), json!(environment));
        let world = World::native(&bindings);
        let problem = world.get("/v1/users").await.expect_problem(503, "configuration_invalid");
        assert!(problem["detail"].as_str().unwrap().contains("ENVIRONMENT"));
    }
}
