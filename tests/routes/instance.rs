//! `/v1/instance`: a stored value wins, `inherit` and `null` go back, a change holds at once everywhere, and test
//! codes in production end by themselves.

use std::time::Duration;

use serde_json::{Value, json};

use super::text;
use crate::support::{World, vars};

const PATH: &str = "/v1/instance";

#[tokio::test]
async fn the_defaults_are_shown_and_nothing_is_stored() {
    let world = World::null();
    let instance = world.get(PATH).await.expect(200);
    assert_eq!((&instance["version"], &instance["stored"]), (&json!(1), &json!({})));
    let settings = &instance["settings"];
    assert_eq!(settings["notices"], json!({"enabled": true}));
    let fallback = json!({"enabled": false, "after_seconds": 60, "voice": false});
    let sms = json!({"enabled": true, "driver": "null", "from_number": null, "twilio": null, "vonage": null,
        "webhook": null, "routes": [], "fallback": fallback});
    assert_eq!(settings["sms"], sms);
    let email = json!({"enabled": true, "driver": "null", "from": null, "resend": null, "postmark": null,
        "webhook": null, "routes": []});
    assert_eq!(settings["email"], email);
    let voice = json!({"enabled": true, "gate": "on", "driver": "null", "from_number": null, "routes": []});
    assert_eq!(settings["voice"], voice);
    for channel in ["sms", "voice"] {
        assert_eq!(settings["countries"][channel], json!({"allowed": ["US", "CA"], "stopped": []}));
    }
    assert_eq!(settings["numbers"], json!({"validation": "possible", "refused": []}));
    assert_eq!(settings["codes"], json!({"length": 6, "lifetime_seconds": 300}));
    assert_eq!(settings["test_mode"], "enabled");
    let limits = json!({"wrong_answers": 5, "sends_per_challenge": 4, "second_factor_failures": 10,
        "second_factor_failures_in_a_row": 100, "messages_per_user_half_hour": 5, "messages_per_user_hour": 10,
        "messages_per_destination_half_hour": 5, "messages_per_destination_hour": 10,
        "messages_per_address_hour": 300, "messages_per_app_hour": 0, "messages_per_key_hour": 0,
        "messages_per_country_hour": 0, "messages_per_instance_hour": 0, "calls_per_new_destination": 5,
        "tries_per_destination_half_hour": 20, "requests_per_user_five_minutes": 5,
        "emails_per_user_half_hour": 10, "emails_per_destination_half_hour": 10, "notices_per_user_hour": 10,
        "password_failures": 5, "password_failures_everywhere": 5, "sign_in_failures_per_address": 100,
        "sign_ups_per_address": 50, "sign_up_notices_per_user_day": 3});
    assert_eq!(settings["limits"], limits);
    let password = json!({"minimum_length": 15, "minimum_length_with_mfa": 8, "breach_check": false,
        "imported": null, "lockout_seconds": 86_400});
    assert_eq!(settings["password"], password);
    assert_eq!(settings["sign_in"], json!({"identifiers": ["email"], "sign_up": "open"}));
    assert_eq!(World::twilio().get(PATH).await.expect(200)["settings"]["test_mode"], "rejected");
    assert_eq!(World::vonage().get(PATH).await.expect(200)["settings"]["countries"]["sms"]["allowed"][0], "GB");
}

#[tokio::test]
async fn a_stored_value_wins_over_the_binding_and_inherit_or_null_goes_back() {
    let mut bindings = vars::null();
    bindings.insert("SMS_MFA_MESSAGE_THRESHOLD".to_owned(), json!(7));
    let world = World::native(&bindings);
    let limit = |instance: &Value| instance["settings"]["limits"]["messages_per_user_half_hour"].clone();
    assert_eq!(limit(&world.get(PATH).await.expect(200)), 7);
    for back in [json!("inherit"), Value::Null] {
        let stored = json!({"limits": {"messages_per_user_half_hour": 9}});
        let changed = world.patch(PATH, &stored).await.expect(200);
        assert_eq!((limit(&changed), &changed["stored"]), (json!(9), &stored));
        assert_eq!(world.get(PATH).await.expect(200), changed);
        let changed = world.patch(PATH, &json!({"limits": {"messages_per_user_half_hour": back}})).await.expect(200);
        assert_eq!(limit(&changed), 7, "{back}");
        world.patch(PATH, &stored).await.expect(200);
        assert_eq!(limit(&world.patch(PATH, &json!({"limits": back})).await.expect(200)), 7, "{back}");
    }
}

#[tokio::test]
async fn what_is_left_out_stays() {
    let world = World::null();
    world.patch(PATH, &json!({"codes": {"length": 8}, "sms": {"enabled": false}})).await.expect(200);
    let changed = world.patch(PATH, &json!({"codes": {"lifetime_seconds": 120}})).await.expect(200);
    assert_eq!(changed["stored"], json!({"codes": {"length": 8, "lifetime_seconds": 120}, "sms": {"enabled": false}}));
}

#[tokio::test]
async fn every_change_has_a_version_and_an_event_that_names_its_settings() {
    let world = World::null();
    for version in 2..5 {
        let changed = world.patch(PATH, &json!({"codes": {"length": version + 2}, "test_mode": "disabled"})).await;
        assert_eq!(changed.expect(200)["version"], version);
    }
    let events = world.get("/v1/audit-events?type=instance.updated").await.expect(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 3);
    assert_eq!(
        events["data"][0]["data"],
        json!({"settings": ["codes.length", "test_mode"],
        "change": {"codes": {"length": 6}, "test_mode": "disabled"}})
    );
    world.patch(PATH, &json!({"codes": {"length": 99}})).await.expect_problem(422, "form_param_invalid");
    assert_eq!(world.get(PATH).await.expect(200)["version"], 4);
}

#[tokio::test]
async fn a_change_holds_at_once_in_every_isolate() {
    let world = World::null();
    let other = World::on(&world.here().isolate());
    let body = json!({"to": {"phone": world.number()}});
    other.post("/v1/challenges", &body).await.expect(201);
    world.patch(PATH, &json!({"sms": {"enabled": false}})).await.expect(200);
    other.post("/v1/challenges", &body).await.expect_problem(503, "sms_disabled");
    assert_eq!(other.get(PATH).await.expect(200)["version"], 2);
    world.patch(PATH, &json!({"sms": {"enabled": true}})).await.expect(200);
    other.post("/v1/challenges", &body).await.expect(201);
}

#[tokio::test]
async fn settings_shape_the_codes() {
    let world = World::null();
    world.patch(PATH, &json!({"codes": {"length": 8, "lifetime_seconds": 60}})).await.expect(200);
    let number = world.number();
    let challenge = world.challenge(&number).await;
    assert_eq!(challenge["code_expires_at"], "2026-11-22T10:01:00.000Z");
    let code = world.code(&number).await;
    assert_eq!(code.len(), 8);
    world.answer(&challenge, &code).await.expect(200);
}

#[tokio::test]
async fn countries_are_countries_or_all_of_them() {
    let world = World::null();
    let set = async |list: Value| world.patch(PATH, &json!({"countries": {"sms": {"allowed": list}}})).await;
    for bad in [
        json!(["XX"]),
        json!(["US", "*"]),
        json!(["USA"]),
        json!(["U"]),
        json!([1]),
        json!(["US", ""]),
        json!(["inherit"]),
    ] {
        let answer = set(bad.clone()).await;
        assert!(answer.fields()[0].0.starts_with("countries.sms.allowed"), "{bad}: {}", answer.text);
        answer.expect_problem(422, "form_param_invalid");
    }
    for (good, shown) in
        [(json!(["gb", "DE"]), json!(["GB", "DE"])), (json!(["*"]), json!(["*"])), (json!([]), json!([]))]
    {
        let changed = set(good).await.expect(200);
        assert_eq!(changed["settings"]["countries"]["sms"]["allowed"], shown);
    }
    // Nobody's country is allowed now.
    let body = json!({"to": {"phone": world.number()}});
    world.post("/v1/challenges", &body).await.expect_problem(422, "country_not_allowed");
}

#[tokio::test]
async fn test_codes_in_prod_need_an_end_within_thirty_days() {
    let world = World::twilio();
    let until = |at: &str| json!({"test_mode": "enabled", "test_mode_expires_at": at});
    let bad = [
        json!({"test_mode": "enabled"}),
        json!({"test_mode": "enabled", "test_mode_expires_at": null}),
        until("2026-11-22T10:00:00Z"),
        until("2026-11-21T10:00:00Z"),
        until("2026-12-22T10:00:00.001Z"),
        until("2036-11-22T10:00:00Z"),
    ];
    for body in bad {
        let answer = world.patch(PATH, &body).await;
        assert_eq!(answer.fields(), [("test_mode_expires_at", "form_param_value_invalid")], "{body}");
    }
    assert_eq!(world.get(PATH).await.expect(200)["settings"]["test_mode"], "rejected");
    world.patch(PATH, &until("2026-12-22T10:00:00Z")).await.expect(200);
    // Its end is not moved or taken away either.
    for body in [json!({"test_mode_expires_at": "2027-11-22T10:00:00Z"}), json!({"test_mode_expires_at": "inherit"})] {
        world.patch(PATH, &body).await.expect_problem(422, "form_param_invalid");
    }
}

#[tokio::test]
async fn test_codes_in_prod_end_by_themselves_and_stop_no_other_change() {
    let world = World::twilio();
    let body = json!({"test_mode": "enabled", "test_mode_expires_at": "2026-11-23T10:00:00Z"});
    assert_eq!(world.patch(PATH, &body).await.expect(200)["settings"]["test_mode"], "enabled");
    let challenge = world.challenge("+15555550111").await;
    world.answer(&challenge, "424242").await.expect(200);
    world.here().clock.advance(Duration::from_hours(24));
    let body = json!({"to": {"phone": "+15555550111"}});
    world.post("/v1/challenges", &body).await.expect_problem(422, "test_identifier_forbidden");
    assert_eq!(world.get(PATH).await.expect(200)["settings"]["test_mode"], "rejected");
    // Above all not the kill switch.
    world.patch(PATH, &json!({"sms": {"enabled": false}})).await.expect(200);
    assert!(world.carriers.sent().is_empty());
}

#[tokio::test]
async fn settings_are_read_and_written_with_scopes_of_their_own() {
    let world = World::null();
    let (_, reader) = super::new_key(&world, &["instance:read"]).await;
    world.request("GET", PATH).key(&reader).send().await.expect(200);
    world.request("PATCH", PATH).key(&reader).json(&json!({})).send().await.expect_problem(403, "scope_missing");
}

#[tokio::test]
async fn no_credential_is_in_the_settings() {
    let answer = World::twilio().get(PATH).await;
    for secret in [vars::TOKEN, vars::ACCOUNT, &vars::KEY[8..]] {
        assert!(!answer.text.contains(secret));
    }
    assert!(text(&answer.json["settings"]["numbers"]["validation"]) == "possible");
}

#[tokio::test]
async fn alerts_have_defaults_and_name_what_is_wrong_with_a_change() {
    let world = World::twilio();
    let shown = async || world.get(PATH).await.expect(200)["settings"]["alerts"].clone();
    let defaults = json!({
        "enabled": true, "emails": [], "quiet": null, "repeat_minutes": 240,
        "conversion_drop": {"percent": 40, "minimum": 30}, "delivery_drop": {"percent": 40, "minimum": 30},
        "spend": {"hourly": null, "daily": null}, "driver_down": {"failed_percent": 50, "minimum": 5},
        "sign_in_failures": {"per_hour": 500},
    });
    assert_eq!(shown().await, defaults);
    let (email, value, kind) = ("email_address_invalid", "form_param_value_invalid", "form_param_type_invalid");
    for (change, field, code) in [
        (json!({"emails": ["ops@example.com", "nobody"]}), "alerts.emails.1", email),
        (json!({"emails": ["a@x.de", "b@x.de", "c@x.de", "d@x.de", "e@x.de", "f@x.de"]}), "alerts.emails", value),
        (json!({"emails": "ops@example.com"}), "alerts.emails", kind),
        (json!({"emails": [1]}), "alerts.emails.0", kind),
        (json!({"quiet": {"from": "22:00"}}), "alerts.quiet", value),
        (json!({"quiet": {"from": "22:00", "to": "24:00"}}), "alerts.quiet", value),
        (json!({"quiet": {"from": "2:00", "to": "07:00"}}), "alerts.quiet", value),
        (json!({"quiet": {"from": "07:00", "to": "07:00"}}), "alerts.quiet", value),
        (json!({"quiet": {"from": "07:00:00", "to": "07:00"}}), "alerts.quiet.from", value),
        (json!({"quiet": {"from": "inherit", "to": "07:00"}}), "alerts.quiet", value),
        (json!({"repeat_minutes": 14}), "alerts.repeat_minutes", value),
        (json!({"conversion_drop": {"percent": 101}}), "alerts.conversion_drop.percent", value),
        (json!({"delivery_drop": {"minimum": 0}}), "alerts.delivery_drop.minimum", value),
        (json!({"spend": {"hourly": "1,5"}}), "alerts.spend.hourly", value),
        (json!({"spend": {"daily": 5}}), "alerts.spend.daily", kind),
        (json!({"driver_down": {"failed_percent": 50.5}}), "alerts.driver_down.failed_percent", kind),
        (json!({"sign_in_failures": {"per_hour": -1}}), "alerts.sign_in_failures.per_hour", value),
        (json!({"email": []}), "alerts.email", "form_param_unknown"),
    ] {
        let answer = world.patch(PATH, &json!({"alerts": change})).await;
        assert_eq!(answer.fields(), [(field, code)], "{change}: {}", answer.text);
    }
    assert_eq!(shown().await, defaults);
    let change = json!({"emails": ["Ops@Example.com"], "quiet": {"from": "22:00", "to": "07:00"}, "spend": {"daily": "7.50"},
        "conversion_drop": {"percent": 0}});
    let changed = world.patch(PATH, &json!({"alerts": change})).await.expect(200)["settings"]["alerts"].clone();
    assert_eq!(changed["quiet"], json!({"from": "22:00", "to": "07:00"}));
    assert_eq!((&changed["emails"], &changed["spend"]["daily"]), (&json!(["ops@example.com"]), &json!("7.5")));
    assert_eq!(changed["conversion_drop"], json!({"percent": 0, "minimum": 30}));
    // Who is told is nobody else's affair: webhooks and auditors hear that it was changed.
    let event = world.get("/v1/audit-events?type=instance.updated").await.expect(200);
    assert_eq!(event["data"][0]["data"]["change"]["alerts"]["emails_changed"], true);
    assert!(!event.to_string().to_lowercase().contains("ops@example.com"), "{event}");
    // What costs is told of before the guard's cap.
    let caps = json!({"fraud": {"spend": {"hourly": "20", "daily": "100", "prices": {"sms": {"*": "0.1"}, "voice": {"*": "0.2"}}}}});
    let changed = world.patch(PATH, &caps).await.expect(200)["settings"]["alerts"]["spend"].clone();
    assert_eq!(changed, json!({"hourly": "16", "daily": "7.5"}));
    world.patch(PATH, &json!({"alerts": null, "fraud": null})).await.expect(200);
    assert_eq!(shown().await, defaults);
}
