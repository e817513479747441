//! `sms`, `voice` and `email` of `/v1/instance`: what is asked of a carrier's block, which driver and sender come of it,
//! and how one tries it.

use postern::settings::Delivery;
use serde_json::{Value, json};

use crate::support::{Behaviour, World, vars};

const PATH: &str = "/v1/instance";
const BASE: &str = "http://127.0.0.1:9";
const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
const OTHER: &str = "+15005550007";

fn account() -> Value {
    json!({"account_sid": vars::ACCOUNT, "auth_token": vars::TOKEN})
}

fn bare() -> World {
    World::native(&vars::prod_bare(BASE))
}

#[tokio::test]
async fn what_is_incomplete_is_refused_by_its_field() {
    let vonage = |name: &str, value: &str| json!({"sms": {"vonage": {name: value}}});
    let cases = [
        (json!({"sms": {"driver": "twilio"}}), "sms.twilio.account_sid"),
        (json!({"sms": {"driver": "twilio", "twilio": account()}}), "sms.from_number"),
        (json!({"sms": {"twilio": {"account_sid": vars::ACCOUNT}}}), "sms.twilio.auth_token"),
        (json!({"sms": {"twilio": {"auth_token": "t"}}}), "sms.twilio.account_sid"),
        (
            json!({"sms": {"twilio": {"account_sid": vars::ACCOUNT, "auth_token": "t", "api_key_sid": "SK0123456789abcdef0123456789abcdef"}}}),
            "sms.twilio.api_key_secret",
        ),
        (json!({"sms": {"driver": "twilio_verify", "twilio": account()}}), "sms.twilio.verify_service_sid"),
        (json!({"sms": {"driver": "vonage", "from_number": "Acme"}}), "sms.vonage.api_key"),
        (vonage("api_key", "abcd"), "sms.vonage.api_secret"),
        (vonage("application_id", "abcd"), "sms.vonage.private_key"),
        (json!({"sms": {"driver": "webhook"}}), "sms.webhook.url"),
        (json!({"sms": {"webhook": {"url": "https://a.example"}}}), "sms.webhook.secret"),
        (json!({"sms": {"routes": [{"drivers": ["vonage"]}]}}), "sms.vonage.api_key"),
        (json!({"voice": {"driver": "vonage"}}), "sms.vonage.application_id"),
        (json!({"voice": {"driver": "twilio"}}), "sms.twilio.account_sid"),
        (json!({"email": {"driver": "resend"}}), "email.resend.api_key"),
        (json!({"email": {"driver": "resend", "resend": {"api_key": "k"}}}), "email.from"),
        (json!({"email": {"driver": "cloudflare"}}), "email.from"),
        (json!({"email": {"routes": [{"drivers": ["postmark"]}]}}), "email.postmark.server_token"),
        // Values that no carrier would take.
        (json!({"sms": {"twilio": {"account_sid": "SK0123456789abcdef0123456789abcdef"}}}), "sms.twilio.account_sid"),
        (json!({"sms": {"from_number": "Acme Inc"}}), "sms.from_number"),
        (json!({"sms": {"twilio": {"from_number": "+12"}}}), "sms.twilio.from_number"),
        (json!({"sms": {"vonage": {"private_key": "no key"}}}), "sms.vonage.private_key"),
        (json!({"sms": {"webhook": {"url": "http://app.example.com/x"}}}), "sms.webhook.url"),
        (json!({"sms": {"webhook": {"url": "https://me:you@app.example.com/x"}}}), "sms.webhook.url"),
        // What only this network reaches, in several spellings.
        (json!({"sms": {"webhook": {"url": "https://169.254.169.254/latest"}}}), "sms.webhook.url"),
        (json!({"sms": {"webhook": {"url": "https://0x7f000001/x"}}}), "sms.webhook.url"),
        (json!({"sms": {"webhook": {"url": "http://127.0.0.1:9/x"}}}), "sms.webhook.url"),
        (json!({"email": {"webhook": {"url": "https://localhost/x"}}}), "email.webhook.url"),
        (json!({"email": {"webhook": {"url": "https://printer.local/x"}}}), "email.webhook.url"),
        (json!({"email": {"webhook": {"url": "https://hooks.example.com/#x"}}}), "email.webhook.url"),
        (json!({"sms": {"webhook": {"secret": "whsec_short"}}}), "sms.webhook.secret"),
        (json!({"email": {"from": "nobody"}}), "email.from"),
        (json!({"sms": {"routes": [{"countries": ["XX"], "drivers": ["twilio"]}]}}), "sms.routes.0.countries"),
        (json!({"sms": {"routes": [{"countries": ["US"], "drivers": []}]}}), "sms.routes.0.drivers"),
        (json!({"sms": {"routes": [{"drivers": ["twilio", "vonage", "twilio"]}]}}), "sms.routes.0.drivers"),
        (json!({"email": {"routes": [{"drivers": ["resend", "resend"]}]}}), "email.routes.0.drivers"),
        (json!({"sms": {"fallback": {"after_seconds": 10}}}), "sms.fallback.after_seconds"),
        (json!({"sms": {"driver": "pigeon"}}), "sms.driver"),
    ];
    let world = bare();
    for (body, field) in cases {
        let answer = world.patch(PATH, &body).await;
        assert!(answer.fields().iter().any(|(name, _)| *name == field), "{body}: {}", answer.text);
        answer.expect_problem(422, "form_param_invalid");
    }
    assert_eq!(world.get(PATH).await.expect(200)["version"], 1);
}

/// What was stored when this was not `prod`, or before the rules were these, is not called, and is named.
#[tokio::test]
async fn a_stored_url_that_may_not_be_called_is_not() {
    let with = |environment: &str| {
        let mut vars = vars::prod_bare(BASE);
        vars.insert("ENVIRONMENT".to_owned(), json!(environment));
        World::native(&vars)
    };
    let secret = vars::WEBHOOK_SECRET;
    let dev = with("dev");
    for url in ["http://127.0.0.1:9/hooks", "https://10.0.0.1/hooks"] {
        let hook = json!({"driver": "webhook", "webhook": {"url": url, "secret": secret}});
        let email = json!({"driver": "webhook", "from": vars::MAIL_SENDER, "webhook": {"url": url, "secret": secret}});
        dev.patch(PATH, &json!({"sms": hook, "email": email})).await.expect(200);
        let stored = dev.here().database.query("SELECT settings FROM instance")[0]["settings"].clone();
        let stored = serde_json::from_str(stored.as_str().unwrap()).unwrap();
        let delivery = |world: &World| Delivery::effective(&stored, &world.here().app.config);
        assert_eq!((delivery(&dev).sms("US").is_ok(), delivery(&dev).email().is_ok()), (true, true));
        let prod = delivery(&with("prod"));
        let detail = |issue: Option<postern::config::Issue>| issue.map(|issue| issue.detail);
        assert_eq!(
            (detail(prod.sms("US").err()).as_deref(), detail(prod.email().err()).as_deref()),
            (
                Some("sms.webhook.url may not be used: set it again"),
                Some("email.webhook.url may not be used: set it again")
            ),
        );
    }
}

/// Changes one after the other, and the driver, the sender and what is stored after each.
#[tokio::test]
async fn a_stored_block_stands_whole_and_senders_have_their_order() {
    let mut all = vars::prod_vonage(BASE);
    all.extend(vars::prod_twilio(BASE));
    all.insert("SMS_COUNTRY_CODE".to_owned(), json!("+1"));
    let world = World::native(&all);
    let driver = |instance: &Value| {
        let sms = &instance["settings"]["sms"];
        (sms["driver"].as_str().unwrap_or("none").to_owned(), sms["from_number"].as_str().unwrap_or("none").to_owned())
    };
    let steps: Vec<(Value, &str, &str)> = vec![
        (json!({}), "twilio", vars::SENDER),
        (json!({"sms": {"from_number": OTHER}}), "twilio", OTHER),
        (json!({"sms": {"driver": "vonage"}}), "vonage", OTHER),
        (json!({"sms": {"from_number": "inherit"}}), "vonage", vars::VONAGE_SENDER),
        (json!({"sms": {"driver": null}}), "null", "none"),
        (json!({"sms": {"driver": "inherit"}}), "twilio", vars::SENDER),
        // With the block of its own, the variable's sender is the last one.
        (json!({"sms": {"twilio": account()}}), "twilio", vars::SENDER),
        (json!({"sms": {"twilio": {"from_number": "+15005550009"}, "from_number": OTHER}}), "twilio", "+15005550009"),
        (json!({"sms": {"twilio": {"messaging_service_sid": SERVICE}}}), "twilio", "none"),
        (json!({"sms": {"twilio": {"messaging_service_sid": null, "from_number": null}}}), "twilio", OTHER),
        (json!({"sms": {"twilio": "inherit", "from_number": null}}), "twilio", vars::SENDER),
    ];
    for (change, name, from) in steps {
        let instance = world.patch(PATH, &change).await.expect(200);
        assert_eq!(driver(&instance), (name.to_owned(), from.to_owned()), "{change}");
        assert_eq!(driver(&world.get(PATH).await.expect(200)), (name.to_owned(), from.to_owned()), "{change}");
    }
    assert_eq!(world.get(PATH).await.expect(200)["stored"], json!({"sms": {}}));
    // Another driver than the one that is named sends under the variable before it takes the settings' sender.
    let routes =
        json!({"sms": {"driver": "twilio", "from_number": OTHER, "routes": [{"drivers": ["vonage", "twilio"]}]}});
    let shown = world.patch(PATH, &routes).await.expect(200);
    assert_eq!(shown["settings"]["sms"]["routes"], routes["sms"]["routes"]);
    let number = world.number();
    world.challenge(&number).await;
    assert_eq!(world.carriers.sent_to(&number)[0].from, vars::VONAGE_SENDER.trim_start_matches('+'));
}

#[tokio::test]
async fn calls_go_by_the_carrier_of_sms_or_by_their_own() {
    let mut all = vars::prod_vonage(BASE);
    all.extend(vars::prod_twilio(BASE));
    all.insert("SMS_COUNTRY_CODE".to_owned(), json!("+1"));
    let world = World::native(&all);
    let voice = async || {
        let instance = world.get(PATH).await.expect(200)["settings"]["voice"].clone();
        (instance["driver"].clone(), instance["from_number"].clone())
    };
    assert_eq!(voice().await, (json!("twilio"), json!(vars::SENDER)));
    world.patch(PATH, &json!({"sms": {"driver": "vonage"}})).await.expect(200);
    assert_eq!(voice().await, (json!("vonage"), json!(vars::VONAGE_SENDER)));
    let own = json!({"voice": {"driver": "twilio", "from_number": OTHER}});
    world.patch(PATH, &own).await.expect(200);
    assert_eq!(voice().await, (json!("twilio"), json!(OTHER)));
    let number = world.number();
    world.call(&number).await;
    let called = world.called(&number);
    assert_eq!((called.carrier, called.from.as_str()), ("twilio", OTHER));
    assert_eq!(world.get("/v1/environment").await.expect(200)["voice"], json!({"driver": "twilio"}));
}

#[tokio::test]
async fn the_event_of_a_change_has_its_paths_and_no_credential() {
    let world = bare();
    let body = json!({"sms": {"driver": "twilio", "from_number": OTHER, "twilio": account()}});
    world.patch(PATH, &body).await.expect(200);
    world.patch(PATH, &json!({"sms": {"driver": null, "twilio": {"auth_token": null}}})).await.expect(200);
    let events = world.get("/v1/audit-events?type=instance.updated").await.expect(200);
    let block = json!({"account_sid": vars::ACCOUNT, "auth_token_set": true});
    let first = &events["data"][1]["data"];
    assert_eq!(first["change"], json!({"sms": {"driver": "twilio", "from_number": OTHER, "twilio": block}}));
    assert_eq!(
        first["settings"],
        json!(["sms.driver", "sms.from_number", "sms.twilio.account_sid", "sms.twilio.auth_token"])
    );
    let second = &events["data"][0]["data"];
    assert_eq!(second["change"], json!({"sms": {"driver": "null", "twilio": {"auth_token_set": false}}}));
}

#[tokio::test]
async fn the_event_of_a_change_tells_no_url() {
    let world = bare();
    let hook = |name: &str| json!({"url": format!("https://app.example.com/{name}?token=marker"), "secret": vars::WEBHOOK_SECRET});
    let body = json!({"sms": {"webhook": hook("sms")}, "email": {"from": vars::MAIL_SENDER, "webhook": hook("email")}});
    world.patch(PATH, &body).await.expect(200);
    world.patch(PATH, &json!({"sms": {"webhook": {"url": null, "secret": null}}})).await.expect(200);
    let events = world.get("/v1/audit-events?type=instance.updated").await.expect(200);
    let told = json!({"url_changed": true, "secret_set": true});
    assert_eq!(
        events["data"][1]["data"],
        json!({"settings": ["email.from", "email.webhook.secret", "email.webhook.url", "sms.webhook.secret", "sms.webhook.url"],
            "change": {"sms": {"webhook": told}, "email": {"from": vars::MAIL_SENDER, "webhook": told}}})
    );
    let cleared = json!({"sms": {"webhook": {"url_changed": true, "secret_set": false}}});
    assert_eq!(events["data"][0]["data"]["change"], cleared);
    assert!(!world.here().log.lines().iter().any(|line| line.contains("marker")));
    let rows = world.here().database.query("SELECT data FROM audit_events");
    assert!(!rows.iter().any(|row| row["data"].to_string().contains("marker")));
}

#[tokio::test]
async fn a_test_message_goes_the_way_of_every_message() {
    let world = bare();
    let test = async |body: &Value| world.post("/v1/messages/test", body).await;
    let number = world.number();
    let to = json!({"to": {"phone": number}});
    assert!(test(&to).await.expect_problem(503, "configuration_invalid")["detail"].to_string().contains("SMS_DRIVER"));
    let body = json!({"sms": {"driver": "twilio", "from_number": OTHER, "twilio": account(),
        "vonage": {"api_key": vars::VONAGE_KEY, "api_secret": vars::VONAGE_SECRET, "from_number": "Acme"}}});
    world.patch(PATH, &body).await.expect(200);

    let sent = test(&to).await.expect(200);
    assert_eq!((&sent["message"]["status"], &sent["message"]["template"]), (&json!("sent"), &json!("test")));
    assert_eq!(sent["tries"][0]["driver"], "twilio");
    let id = sent["message"]["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/v1/messages/{id}")).await.expect(200), sent);
    let arrived = &world.carriers.sent_to(&number)[0];
    assert!(arrived.body.starts_with("Example: ") && !arrived.body.contains(|c: char| c.is_ascii_digit()));
    assert_eq!(arrived.from, OTHER);

    // One driver alone, whether the settings use it or not; in another language.
    let number = world.number();
    let alone = test(&json!({"to": {"phone": number}, "driver": "vonage", "locale": "de-AT"})).await.expect(200);
    assert_eq!((&alone["tries"][0]["driver"], alone["tries"].as_array().unwrap().len()), (&json!("vonage"), 1));
    let arrived = &world.carriers.sent_to(&number)[0];
    assert_eq!((arrived.carrier, arrived.from.as_str()), ("vonage", "Acme"));
    assert!(arrived.body.contains("Testnachricht"), "{}", arrived.body);
    let missing = test(&json!({"to": {"phone": number}, "driver": "webhook"})).await;
    assert!(missing.expect_problem(503, "configuration_invalid")["detail"].to_string().contains("SMS_WEBHOOK_URL"));

    // What the carrier said is the answer, not a failure of the call.
    world.carriers.behave(Behaviour::Answer(401, r#"{"code":20003,"message":"Authenticate","status":401}"#.to_owned()));
    let failed = test(&json!({"to": {"phone": world.number()}})).await.expect(200);
    assert_eq!(
        (&failed["message"]["status"], &failed["tries"][0]["outcome"]),
        (&json!("failed"), &json!("misconfigured"))
    );

    // The rules of every message hold.
    world.patch(PATH, &json!({"countries": {"sms": {"allowed": ["GB"]}}})).await.expect(200);
    test(&to).await.expect_problem(422, "country_not_allowed");
    world.patch(PATH, &json!({"sms": {"enabled": false}})).await.expect(200);
    test(&to).await.expect_problem(503, "sms_disabled");
    world.post("/v1/messages/test", &json!({"to": {}})).await.expect_problem(422, "form_param_invalid");
}

#[tokio::test]
async fn a_test_message_counts_and_is_redirected_and_goes_by_mail_too() {
    let world = World::native(&vars::dev_mail(BASE));
    let test = async |body: &Value| world.post("/v1/messages/test", body).await;
    let number = world.number();
    let to = json!({"to": {"phone": number}});
    let sent = test(&to).await;
    // The isolate's first request reads the settings; one batch decides, one records.
    assert_eq!(sent.round_trips(), 3);
    let sent = sent.expect(200);
    assert_eq!(sent["message"]["redirected"], json!(true), "{sent}");
    assert_eq!((world.carriers.sent_to(vars::RECEIVER).len(), world.carriers.sent_to(&number).len()), (1, 0));
    for _ in 0..4 {
        test(&to).await.expect(200);
    }
    let refused = test(&to).await;
    assert!(refused.header("retry-after").is_some());
    refused.expect_problem(429, "rate_limit_exceeded");
    assert_eq!(world.carriers.sent_to(vars::RECEIVER).len(), 5);

    let mail = test(&json!({"to": {"email": "ana@example.com"}, "locale": "ar"})).await.expect(200);
    assert_eq!((&mail["message"]["status"], &mail["message"]["channel"]), (&json!("sent"), &json!("email")));
    let arrived = world.carriers.mail.sent().pop().unwrap();
    assert!(arrived.html.contains("rtl") && arrived.text.contains("Example"));
    let inbox = world.get("/dev/inbox.json").await.expect(200);
    assert_eq!((&inbox[0]["template"], &inbox[0]["code"]), (&json!("test"), &Value::Null));
    assert_eq!(world.here().carriers.violations(), [] as [String; 0]);
}
