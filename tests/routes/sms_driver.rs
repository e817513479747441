//! Which driver carries SMS, from the bindings; what is missing is named, and never guessed. And where carriers may
//! be called and may report to.

use postern::{
    config::{Config, Kind, VARIABLES, Variable},
    settings::Delivery,
};
use serde_json::json;

use super::configuration::{told, with};
use crate::support::{Vars, vars};

const LOOPBACK: &str = "http://127.0.0.1:9";

/// What somebody set up.
type Changes = &'static [(&'static str, &'static str)];

/// A set of bindings, what is changed in it, and the driver or the variable that is named.
const CASES: &[(&str, Changes, Result<&str, &str>)] = &[
    ("twilio", &[], Ok("twilio")),
    ("vonage", &[], Ok("vonage")),
    ("both", &[], Ok("twilio")),
    ("both", &[("SMS_DRIVER", "vonage")], Ok("vonage")),
    ("both", &[("SMS_DRIVER", "null")], Ok("null")),
    ("both", &[("TWILIO_AUTH_TOKEN", "")], Ok("vonage")),
    ("both", &[("SMS_DRIVER", "twilio"), ("TWILIO_AUTH_TOKEN", "")], Err("TWILIO_AUTH_TOKEN")),
    ("twilio", &[("SMS_DRIVER", "vonage")], Err("VONAGE_API_KEY")),
    ("vonage", &[("SMS_DRIVER", "twilio")], Err("TWILIO_ACCOUNT_ID")),
    ("twilio", &[("SMS_DRIVER", "pigeon")], Err("SMS_DRIVER")),
    // In prod nothing is dropped unless it is asked for by name.
    ("bare", &[], Err("SMS_DRIVER")),
    ("bare", &[("SMS_DRIVER", "null")], Ok("null")),
    ("bare", &[("TWILIO_API_BASE", "https://proxy.example.com")], Err("SMS_DRIVER")),
    // Somebody began with one carrier: what is missing of it is named.
    ("twilio", &[("TWILIO_ACCOUNT_ID", "")], Err("TWILIO_ACCOUNT_ID")),
    ("twilio", &[("TWILIO_AUTH_TOKEN", "")], Err("TWILIO_AUTH_TOKEN")),
    ("twilio", &[("TWILIO_SENDER_NUMBER", "")], Err("TWILIO_SENDER_NUMBER")),
    ("twilio", &[("TWILIO_API_KEY_SID", "SK0123456789abcdef0123456789abcdef")], Err("TWILIO_API_KEY_SECRET")),
    ("vonage", &[("VONAGE_API_KEY", "")], Err("VONAGE_API_KEY")),
    ("vonage", &[("VONAGE_API_SECRET", "")], Err("VONAGE_API_SECRET")),
    ("vonage", &[("VONAGE_SENDER_NUMBER", "")], Err("VONAGE_SENDER_NUMBER")),
    // What stands in for something else.
    (
        "twilio",
        &[("TWILIO_SENDER_NUMBER", ""), ("TWILIO_MESSAGING_SERVICE_SID", "MG0123456789abcdef0123456789abcdef")],
        Ok("twilio"),
    ),
    ("twilio", &[("TWILIO_SENDER_NUMBER", ""), ("TWILIO_PHONE_NUMBER", "+15005550006")], Ok("twilio")),
    ("twilio", &[("TWILIO_ACCOUNT_ID", ""), ("TWILIO_ACCOUNT_SID", vars::ACCOUNT)], Ok("twilio")),
    ("vonage", &[("VONAGE_API_SECRET", ""), ("VONAGE_SIGNATURE_SECRET", "abc")], Ok("vonage")),
    // Outside prod what is incomplete is as good as none.
    ("twilio", &[("ENVIRONMENT", "dev"), ("TWILIO_AUTH_TOKEN", "")], Ok("null")),
    ("dev", &[], Ok("null")),
    // A malformed variable is never a reason to take another carrier.
    ("both", &[("TWILIO_ACCOUNT_ID", "hunter2")], Err("TWILIO_ACCOUNT_ID")),
    ("twilio", &[("ENVIRONMENT", "dev"), ("TWILIO_ACCOUNT_ID", "hunter2")], Err("TWILIO_ACCOUNT_ID")),
];

/// The driver, or the first thing that stops sending.
fn driver(bindings: &Vars) -> Result<String, String> {
    let delivery = Delivery::effective(&json!({}), &Config::read(bindings));
    let drivers = delivery.sms("US").map_err(|issue| issue.variable.to_owned())?;
    assert_eq!(drivers.len(), 1);
    assert_eq!(delivery.sms_driver().map(postern::config::SmsDriver::name), Some(drivers[0].name()));
    Ok(drivers[0].name().to_owned())
}

fn changed(base: &Vars, changes: &[(&str, &str)]) -> Vars {
    let mut all = base.clone();
    for (name, value) in changes {
        all.insert((*name).to_owned(), json!(value));
    }
    all
}

#[test]
fn the_driver_is_the_one_named_or_the_first_complete_one() {
    for (base, changes, wanted) in CASES {
        let mut bindings = match *base {
            "twilio" => vars::prod_twilio(LOOPBACK),
            "vonage" => vars::prod_vonage(LOOPBACK),
            "both" => vars::prod_twilio(LOOPBACK).into_iter().chain(vars::prod_vonage(LOOPBACK)).collect(),
            "bare" => changed(&vars::null(), &[("ENVIRONMENT", "prod")]),
            _ => vars::null(),
        };
        bindings = changed(&bindings, changes);
        assert_eq!(driver(&bindings).as_deref().map_err(String::as_str), *wanted, "{base} {changes:?}");
    }
}

#[test]
fn base_urls_are_https_in_prod_or_loopback() {
    let variables: Vec<&Variable> =
        VARIABLES.iter().filter(|variable| matches!(variable.kind, Kind::BaseUrl | Kind::Url)).collect();
    assert_eq!(variables.len(), 10);
    let prod = changed(&vars::null(), &[("ENVIRONMENT", "prod"), ("SMS_DRIVER", "null")]);
    // Unknown is held as strictly as prod.
    let mut unknown = prod.clone();
    unknown.remove("ENVIRONMENT");
    for variable in variables {
        for good in [
            "https://a.example",
            "https://a.example/proxy",
            "http://127.0.0.1:9",
            "http://localhost:9",
            "http://[::1]:9",
        ] {
            assert_eq!(told(&with(&prod, variable.name, json!(good)), variable.name), None, "{good}");
        }
        for unsafe_ in
            ["http://a.example", "http://localhost.a.example", "http://127.0.0.1.a.example", "http://10.0.0.1"]
        {
            for base in [&prod, &unknown] {
                let detail = told(&with(base, variable.name, json!(unsafe_)), variable.name).expect(unsafe_);
                assert!(detail.contains("https in prod"), "{detail}");
            }
            assert_eq!(told(&with(&vars::null(), variable.name, json!(unsafe_)), variable.name), None);
        }
    }
}

#[test]
fn the_public_url_is_an_origin_and_takes_reports_over_https_only() {
    let read = |url: &str| Config::read(&with(&vars::null(), "PUBLIC_URL", json!(url)));
    for (typed, kept) in [
        ("https://Login.Example.com/", "https://login.example.com"),
        ("https://a.example:8443", "https://a.example:8443"),
        ("http://localhost:8787", "http://localhost:8787"),
    ] {
        let config = read(typed);
        assert_eq!(config.public_url.as_deref(), Some(kept));
        assert_eq!(config.sms.callback_base.as_deref(), kept.starts_with("https").then_some(kept));
    }
    assert_eq!(read("").public_url, None);
}
