//! What carries messages is settings: credentials go in and never come out, a change holds at once everywhere, taking a
//! credential away always works, and what a binding lacks stops nothing where something stored took its place.

use std::time::Duration;

use postern::settings::{Delivery, Snapshot};
use serde_json::{Value, json};

use crate::support::{
    World,
    client::seen,
    together::{at_once, count},
    vars::{self, Vars},
};

const PATH: &str = "/v1/instance";
const BASE: &str = "http://127.0.0.1:9";

/// Every credential that there is, each one of its own.
const SECRETS: [(&str, &str); 8] = [
    ("sms.twilio.auth_token", "marker-auth-token-2f8c1d"),
    ("sms.twilio.api_key_secret", "marker-api-key-secret-77aa"),
    ("sms.vonage.api_secret", "marker-api-secret-0b1c9e"),
    ("sms.vonage.signature_secret", "marker-signature-secret-5d"),
    ("sms.webhook.secret", "whsec_bWFya2VyLXNtcy13ZWJob29rLXNlY3JldC0x"),
    ("email.resend.api_key", "marker-resend-key-9a8b7c"),
    ("email.postmark.server_token", "marker-postmark-token-1f"),
    ("email.webhook.secret", "whsec_bWFya2VyLW1haWwtd2ViaG9vay1zZWNyZXQt"),
];

fn bare() -> Vars {
    vars::prod_bare(BASE)
}

fn twilio() -> Value {
    json!({"sms": {"driver": "twilio", "from_number": vars::SENDER,
        "twilio": {"account_sid": vars::ACCOUNT, "auth_token": vars::TOKEN}}})
}

fn delivery(world: &World) -> Delivery {
    let text = world.here().database.query("SELECT settings FROM instance")[0]["settings"].as_str().unwrap().to_owned();
    Delivery::effective(&serde_json::from_str(&text).unwrap(), &world.here().app.config)
}

#[tokio::test]
async fn credentials_go_in_and_never_come_out() {
    let world = World::native(&bare());
    seen();
    let at = |path: &str| SECRETS.iter().find(|(known, _)| *known == path).map(|(_, secret)| *secret).unwrap();
    let body = json!({
        "sms": {
            "driver": "twilio", "from_number": vars::SENDER,
            "twilio": {"account_sid": vars::ACCOUNT, "auth_token": at("sms.twilio.auth_token"),
                "api_key_sid": "SK0123456789abcdef0123456789abcdef", "api_key_secret": at("sms.twilio.api_key_secret")},
            "vonage": {"api_key": "abcd1234", "api_secret": at("sms.vonage.api_secret"),
                "signature_secret": at("sms.vonage.signature_secret"),
                "application_id": vars::VONAGE_APPLICATION, "private_key": vars::PRIVATE_KEY},
            "webhook": {"url": "https://app.example.com/hooks/sms", "secret": at("sms.webhook.secret")},
        },
        "email": {
            "driver": "resend", "from": "Example <login@example.com>",
            "resend": {"api_key": at("email.resend.api_key")},
            "postmark": {"server_token": at("email.postmark.server_token")},
            "webhook": {"url": "https://app.example.com/hooks/email", "secret": at("email.webhook.secret")},
        },
    });
    let changed = world.patch(PATH, &body).await.expect(200);
    for shown in [&changed["settings"], &changed["stored"]] {
        for (path, _) in SECRETS.iter().chain(&[("sms.vonage.private_key", "")]) {
            let (block, name) = path.rsplit_once('.').unwrap();
            let block = block.split('.').fold(shown, |value, name| &value[name]);
            assert_eq!(block[format!("{name}_set")], true, "{path}: {block}");
            assert!(block.get(name).is_none(), "{path}");
        }
        assert_eq!(shown["sms"]["twilio"]["account_sid"], vars::ACCOUNT);
    }
    // What is wrong with a change says nothing of what was in it.
    for wrong in [
        json!({"sms": {"vonage": {"api_secret": "marker-wrong-1\u{0}"}}}),
        json!({"sms": {"webhook": {"secret": "marker-wrong-2"}}}),
        json!({"sms": {"vonage": {"private_key": "-----BEGIN marker-wrong-3"}}}),
        json!({"sms": {"twilio": {"auth_token": ["marker-wrong-4"]}}}),
    ] {
        world.patch(PATH, &wrong).await.expect_problem(422, "form_param_invalid");
    }
    // Replaced ones are kept for a while, sealed as well.
    let token = json!({"sms": {"twilio": {"auth_token": "marker-another-token-33"}}});
    world.patch(PATH, &token).await.expect(200);
    for path in [PATH, "/v1/environment", "/v1/audit-events?limit=100", "/health"] {
        world.get(path).await;
    }
    let answers: Vec<String> = seen().into_iter().map(|answer| answer.text).collect();
    assert!(answers.len() >= 9);
    let stored = world.here().database.everything();
    let everything: Vec<String> =
        answers.into_iter().chain(stored.into_iter().map(|(_, value)| value)).chain(world.here().log.lines()).collect();
    let key_line = vars::PRIVATE_KEY.lines().nth(1).unwrap();
    for secret in SECRETS.map(|(_, secret)| secret).into_iter().chain(["marker-", key_line]) {
        let found = everything.iter().find(|text| text.contains(secret));
        assert!(found.is_none(), "{secret} is in {found:?}");
    }
    // The search finds what is there, and sealed values stand in the one row only.
    assert_eq!(everything.iter().filter(|text| text.contains("v1.k1.")).count(), 1);
}

#[tokio::test]
async fn every_isolate_sends_by_the_new_carrier_at_once() {
    let world = World::native(&bare());
    let other = World::on(&world.here().isolate());
    let send = async |world: &World, to: &str| world.post("/v1/challenges", &json!({"to": {"phone": to}})).await;
    let number = world.number();
    assert!(
        send(&other, &number).await.expect_problem(503, "configuration_invalid")["detail"]
            .to_string()
            .contains("SMS_DRIVER")
    );
    world.get("/health").await.expect(503);
    world.patch(PATH, &twilio()).await.expect(200);
    send(&other, &number).await.expect(201);
    assert_eq!(world.carriers.sent_to(&number)[0].from, vars::SENDER);
    world.get("/health").await.expect(200);

    let vonage = json!({"sms": {"driver": "vonage", "from_number": vars::VONAGE_SENDER,
        "vonage": {"api_key": vars::VONAGE_KEY, "api_secret": vars::VONAGE_SECRET}}});
    world.patch(PATH, &vonage).await.expect(200);
    let number = world.number();
    send(&other, &number).await.expect(201);
    assert_eq!(world.carriers.sent_to(&number)[0].carrier, "vonage");
    // A route asks by country, its own first.
    let routes = json!({"sms": {"routes": [{"countries": ["*"], "drivers": ["vonage"]}, {"countries": ["us"], "drivers": ["twilio", "vonage"]}]}});
    world.patch(PATH, &routes).await.expect(200);
    let number = world.number();
    send(&other, &number).await.expect(201);
    assert_eq!(world.carriers.sent_to(&number)[0].carrier, "twilio");
    // Who names the null driver wants nothing sent, whatever the routes say.
    world.patch(PATH, &json!({"sms": {"driver": null}})).await.expect(200);
    let number = world.number();
    let sent = send(&other, &number).await.expect(201);
    assert_eq!((world.carriers.sent_to(&number).len(), &sent["status"]), (0, &json!("pending")));
    assert_eq!(world.here().carriers.violations(), [] as [String; 0]);
}

#[tokio::test]
async fn a_credential_can_always_be_taken_away_and_sending_says_which_is_missing() {
    let world = World::twilio();
    world.patch(PATH, &twilio()).await.expect(200);
    world.challenge(&world.number()).await;
    for (cleared, missing) in [
        (json!({"sms": {"twilio": {"auth_token": null}}}), "sms.twilio.auth_token"),
        (json!({"sms": {"from_number": null}}), "sms.twilio.auth_token"),
    ] {
        let shown = world.patch(PATH, &cleared).await.expect(200);
        let sms = &shown["settings"]["sms"];
        assert_eq!((&sms["driver"], &sms["twilio"]["auth_token_set"]), (&json!("twilio"), &json!(false)));
        let body = json!({"to": {"phone": world.number()}});
        let problem = world.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
        assert!(problem["detail"].as_str().unwrap().contains(missing), "{problem}");
        let health = world.get("/health").await.expect(503);
        assert!(health["checks"]["configuration"]["detail"].as_str().unwrap().contains(missing), "{health}");
        // All else goes on.
        world.get("/v1/users").await.expect(200);
    }
    // The block is whole from one place: the variables take no part in it. Without it they count again.
    let back = world.patch(PATH, &json!({"sms": {"twilio": null, "driver": "inherit"}})).await.expect(200);
    assert_eq!(back["stored"], json!({"sms": {}}));
    world.challenge(&world.number()).await;
    world.get("/health").await.expect(200);
}

#[tokio::test]
async fn a_bad_variable_stops_nothing_where_something_stored_took_its_place() {
    for (name, bad) in [
        ("TWILIO_ACCOUNT_ID", json!("hunter2")),
        ("TWILIO_AUTH_TOKEN", json!("a\rb")),
        ("SMS_DRIVER", json!("pigeon")),
        ("VONAGE_API_KEY", json!(["x"])),
    ] {
        let mut bindings = vars::prod_twilio(BASE);
        bindings.insert(name.to_owned(), bad);
        let world = World::native(&bindings);
        let body = json!({"to": {"phone": world.number()}});
        let problem = world.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
        assert!(problem["detail"].as_str().unwrap().contains(name), "{problem}");
        world.patch(PATH, &twilio()).await.expect(200);
        world.post("/v1/challenges", &body).await.expect(201);
        // A carrier that nothing uses may have its malformed variable, and health says so.
        let is_replaced = name != "VONAGE_API_KEY";
        assert_eq!(world.get("/health").await.status, if is_replaced { 200 } else { 503 }, "{name}");
    }
    // What no setting replaces stops as before.
    let mut bindings = vars::prod_twilio(BASE);
    bindings.insert("TWILIO_API_BASE".to_owned(), json!("http://api.example.com"));
    let world = World::native(&bindings);
    world.patch(PATH, &json!({"sms": {"enabled": true}})).await.expect(200);
    let refused = world.patch(PATH, &twilio()).await;
    assert!(refused.text.contains("TWILIO_API_BASE"), "{}", refused.text);
    refused.expect_problem(422, "form_param_invalid");
}

#[tokio::test]
async fn a_replaced_token_proves_receipts_for_a_day_and_a_cleared_one_no_more() {
    let world = World::native(&bare());
    world.patch(PATH, &twilio()).await.expect(200);
    let tokens = |world: &World| {
        let delivery = delivery(world);
        let now = world.here().app.ports.clock.now();
        delivery.twilio_tokens(now).into_iter().map(|key| key.expose().to_owned()).collect::<Vec<_>>()
    };
    let first = delivery(&world).credential("twilio").unwrap().to_owned();
    assert_eq!(first.len(), 16);
    let set = |token: &str| json!({"sms": {"twilio": {"auth_token": token}}});
    world.patch(PATH, &set("second-token")).await.expect(200);
    assert_eq!(tokens(&world), ["second-token", vars::TOKEN]);
    assert_ne!(delivery(&world).credential("twilio"), Some(first.as_str()));
    assert_eq!(delivery(&world).credential("vonage"), None);
    world.here().clock.advance(Duration::from_hours(24));
    assert_eq!(tokens(&world), ["second-token"]);
    world.patch(PATH, &set("third-token")).await.expect(200);
    assert_eq!(tokens(&world), ["third-token", "second-token"]);
    // What is over is not kept, and whoever clears a token trusts none before it either.
    assert_eq!(world.here().database.number("SELECT json_array_length(settings ->> '$.replaced') FROM instance"), 1);
    world.patch(PATH, &json!({"sms": {"twilio": {"auth_token": null}}})).await.expect(200);
    assert_eq!(tokens(&world), [] as [String; 0]);
    assert!(!world.get(PATH).await.text.contains("replaced"));
}

#[tokio::test]
async fn sealed_settings_are_sealed_anew_and_no_isolate_brings_the_old_ones_back() {
    let world = World::native(&bare());
    world.patch(PATH, &twilio()).await.expect(200);
    world.patch(PATH, &json!({"sms": {"twilio": {"auth_token": "second-token"}}})).await.expect(200);
    let mut bindings = bare();
    let ring = r#"{"current":"k2","keys":{"k1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","k2":"QCECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}"#;
    bindings.insert("ENCRYPTION_KEYS".to_owned(), json!(ring));
    let rotated = World::on(&world.here().redeploy(&bindings));
    let before = rotated.get(PATH).await.expect(200);
    let done = postern::reseal::run(&rotated.here().app).await.unwrap();
    // The token, the one before it, and the signing key.
    assert!(done >= 2, "{done}");
    let stored =
        world.here().database.query("SELECT settings FROM instance")[0]["settings"].as_str().unwrap().to_owned();
    assert!(stored.contains("v1.k2.") && !stored.contains("v1.k1."), "{stored}");
    let after = rotated.get(PATH).await.expect(200);
    assert_eq!(after["version"], before["version"].as_i64().unwrap() + 1);
    assert_eq!((&after["stored"], &after["settings"]), (&before["stored"], &before["settings"]));
    assert_eq!(postern::reseal::run(&rotated.here().app).await.unwrap(), 0);
    let delivery = delivery(&rotated);
    let now = rotated.here().app.ports.clock.now();
    let tokens: Vec<&str> = delivery.twilio_tokens(now).into_iter().map(postern::secret::Secret::expose).collect();
    assert_eq!(tokens, ["second-token", vars::TOKEN]);
}

fn authn(more: &[(&str, &str)]) -> Vars {
    let mut all = bare();
    let once = [
        ("AUTHN_SMS_DRIVER", "twilio"),
        ("AUTHN_SMS_FROM_NUMBER", vars::SENDER),
        ("AUTHN_SMS_TWILIO_ACCOUNT_SID", vars::ACCOUNT),
        ("AUTHN_SMS_TWILIO_AUTH_TOKEN", vars::TOKEN),
    ];
    all.extend(once.iter().chain(more).map(|(name, value)| ((*name).to_owned(), json!(value))));
    all
}

#[tokio::test]
async fn settings_of_variables_are_stored_once_by_a_hundred_first_requests() {
    let world = World::native(&authn(&[])).unguarded();
    let worlds: Vec<World> = (0..100).map(|_| World::on(&world.here().isolate())).collect();
    let requests = worlds
        .iter()
        .map(|world| world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": world.number()}})))
        .collect();
    let answers = at_once(requests).await;
    assert_eq!(count(&answers, 201, ""), 100);
    assert_eq!(world.here().database.number("SELECT version FROM instance"), 2);
    let instance = world.get(PATH).await.expect(200);
    assert_eq!(instance["stored"]["sms"]["twilio"], json!({"account_sid": vars::ACCOUNT, "auth_token_set": true}));
    assert!(!world.here().database.everything().iter().any(|(_, value)| value.contains(vars::TOKEN)));

    // It stands in the trail, once.
    let events = world.get("/v1/audit-events?type=instance.updated").await.expect(200)["data"].clone();
    let first = &events.as_array().unwrap()[0];
    assert_eq!((events.as_array().unwrap().len(), &first["actor"]), (1, &json!("system")));
    let names = ["driver", "from_number", "twilio.account_sid", "twilio.auth_token"];
    let told = json!({"driver": "twilio", "from_number": vars::SENDER,
        "twilio": {"account_sid": vars::ACCOUNT, "auth_token_set": true}});
    assert_eq!(first["data"], json!({"settings": names.map(|name| format!("sms.{name}")), "change": {"sms": told}}));

    // From now on only the API changes them, whatever the variables say, and malformed ones are nobody's trouble.
    world.patch(PATH, &json!({"sms": {"from_number": "+15005550007"}})).await.expect(200);
    for more in [&[("AUTHN_SMS_FROM_NUMBER", "+15005550008")][..], &[("AUTHN_SMS_TWILIO_ACCOUNT_SID", "hunter2")]] {
        let later = World::on(&world.here().redeploy(&authn(more)));
        later.get("/health").await.expect(200);
        assert_eq!(later.get(PATH).await.expect(200)["settings"]["sms"]["from_number"], "+15005550007");
        assert_eq!(later.get(PATH).await.expect(200)["version"], 3);
    }
}

#[tokio::test]
async fn settings_of_variables_come_too_late_after_a_change_and_malformed_ones_are_named() {
    // A change of SMS was first: they are not read any more.
    let plain = World::native(&bare());
    plain.patch(PATH, &json!({"sms": {"enabled": true}})).await.expect(200);
    let late = World::on(&plain.here().redeploy(&authn(&[])));
    assert_eq!(late.get(PATH).await.expect(200)["stored"], json!({"sms": {"enabled": true}}));
    // A change of something else was not, and is kept.
    let plain = World::native(&bare());
    plain.patch(PATH, &json!({"codes": {"length": 8}})).await.expect(200);
    let first = World::on(&plain.here().redeploy(&authn(&[])));
    let stored = first.get(PATH).await.expect(200)["stored"].clone();
    assert_eq!((&stored["codes"]["length"], &stored["sms"]["driver"]), (&json!(8), &json!("twilio")));

    let malformed = World::native(&authn(&[("AUTHN_SMS_TWILIO_ACCOUNT_SID", "hunter2")]));
    let health = malformed.get("/health").await.expect(503);
    assert!(health["checks"]["configuration"]["detail"].as_str().unwrap().contains("AUTHN_SMS_TWILIO_ACCOUNT_SID"));
    assert_eq!(malformed.get(PATH).await.expect(200)["stored"], json!({}));
    let body = json!({"to": {"phone": malformed.number()}});
    malformed.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
}

#[tokio::test]
async fn a_secret_of_vonage_that_cannot_be_read_is_no_absent_one() {
    let signs = |bindings: &Vars, stored: &Value| {
        Delivery::effective(stored, &postern::config::Config::read(bindings)).vonage_signs()
    };
    let mut bindings = vars::prod_vonage(BASE);
    assert!(!signs(&bindings, &json!({})));
    let sealed = json!({"sms": {"vonage": {"api_key": "a", "signature_secret": "v1.gone.AAAA.AAAA"}}});
    assert!(signs(&bindings, &sealed));
    bindings.insert("VONAGE_SIGNATURE_SECRET".to_owned(), json!(["x"]));
    assert!(signs(&bindings, &json!({})));
    // A stored block replaces the variable, also by having none.
    assert!(!signs(&bindings, &json!({"sms": {"vonage": {"api_key": "a"}}})));
}

/// What is remembered is complete: a snapshot without a setting in it still has the drivers of the bindings.
#[tokio::test]
async fn a_snapshot_is_what_carries_messages() {
    let world = World::twilio();
    world.get(PATH).await.expect(200);
    let snapshot: std::sync::Arc<Snapshot> = world.here().app.cache.get().unwrap();
    assert_eq!(snapshot.settings.delivery.sms("US").unwrap().len(), 1);
    assert!(!snapshot.sms_stored);
    assert_eq!(format!("{:?}", snapshot.settings.delivery), "Delivery { .. }");
}
