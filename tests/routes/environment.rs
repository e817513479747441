//! `GET /v1/environment`: what anybody may know, and nothing more. Stale by a minute at most.

use std::time::Duration;

use postern::ports::DatabaseError;
use serde_json::json;

use crate::support::{World, vars};

const PATH: &str = "/v1/environment";

#[tokio::test]
async fn it_tells_driver_and_sender_and_no_credential() {
    for (world, driver, from, environment) in [
        (World::null(), json!("null"), json!(null), "development"),
        (World::twilio(), json!("twilio"), json!(vars::SENDER), "prod"),
        (World::vonage(), json!("vonage"), json!(vars::VONAGE_SENDER), "prod"),
    ] {
        let answer = world.request("GET", PATH).without("authorization").send().await;
        for secret in [
            vars::TOKEN,
            vars::ACCOUNT,
            vars::VONAGE_KEY,
            vars::VONAGE_SECRET,
            &vars::KEY[8..],
            "sk_live",
            vars::RECEIVER,
        ] {
            assert!(!answer.text.contains(secret), "{secret}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let body = answer.expect(200);
        assert_eq!(body["sms"], json!({"driver": driver, "from_number": from}));
        assert_eq!(body["environment"], environment);
        let mut names: Vec<&String> = body.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(
            names,
            ["app_name", "environment", "factors", "locales", "sms", "test_mode", "turnstile_site_key", "voice"]
        );
    }
}

#[tokio::test]
async fn a_messaging_service_has_no_one_number_and_no_driver_is_null() {
    let mut bindings = vars::prod_twilio("http://127.0.0.1:9");
    bindings.insert("TWILIO_MESSAGING_SERVICE_SID".to_owned(), json!("MG0123456789abcdef0123456789abcdef"));
    let body = World::native(&bindings).get(PATH).await.expect(200);
    assert_eq!(body["sms"], json!({"driver": "twilio", "from_number": null}));
    bindings.remove("TWILIO_AUTH_TOKEN");
    let body = World::native(&bindings).get(PATH).await.expect(200);
    assert_eq!(body["sms"], json!({"driver": null, "from_number": null}));
}

#[tokio::test]
async fn it_is_kept_for_a_minute_and_needs_kv_for_nothing() {
    let world = World::null();
    let first = world.get(PATH).await;
    assert_eq!(first.round_trips(), 1);
    assert_eq!(world.get(PATH).await.round_trips(), 0);
    assert_eq!(world.here().cache.keys(), ["environment/4"]);
    world.here().cache.break_it();
    let broken = world.get(PATH).await;
    assert_eq!(broken.round_trips(), 1);
    assert_eq!(broken.expect(200), first.json);
}

#[tokio::test]
async fn it_tells_the_test_mode_of_now() {
    let world = World::twilio();
    let body = json!({"test_mode": "enabled", "test_mode_expires_at": "2026-11-22T11:00:00Z"});
    world.patch("/v1/instance", &body).await.expect(200);
    world.here().cache.freeze();
    assert_eq!(world.get(PATH).await.expect(200)["test_mode"], "enabled");
    world.here().clock.advance(Duration::from_hours(1));
    assert_eq!(world.get(PATH).await.expect(200)["test_mode"], "rejected");
}

#[tokio::test]
async fn it_tells_which_factors_can_be_enrolled() {
    let factors = async |world: &World| world.get(PATH).await.expect(200)["factors"].clone();
    let mut without = vars::null();
    without.remove("ENABLE_RECOVERY_CODE");
    let world = World::native(&without);
    let has = |factors: &serde_json::Value, kind: &str| factors.as_array().unwrap().contains(&json!(kind));
    let told = factors(&world).await;
    assert!(has(&told, "totp") && has(&told, "phone") && !has(&told, "recovery_codes"), "{told}");
    let settings = json!({"multi_factor": {"totp": {"enabled": false}, "recovery_codes": {"enabled": true}}});
    world.patch("/v1/instance", &settings).await.expect(200);
    world.here().cache.break_it();
    let told = factors(&world).await;
    assert!(!has(&told, "totp") && has(&told, "recovery_codes"), "{told}");
}

#[tokio::test]
async fn without_a_database_it_says_what_to_do() {
    let world = World::null();
    world.here().database.fail_next(DatabaseError::Unavailable("hunter2".to_owned()));
    let answer = world.get(PATH).await;
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(!answer.text.contains("hunter2"));
    answer.expect_problem(503, "database_unavailable");
}
