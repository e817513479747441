//! What carriers say of themselves, held against what is here: that each call of ours is one that they describe, that a
//! malformed one is noticed, that they speak the languages that calls are made in, and that what their SDKs sign is
//! believed, and nothing else. Every other test's requests are held against the same descriptions as they are sent
//! (`tests/support/descriptions.rs`); `scripts/carriers.mjs` makes the data.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]

mod support;

use postern::{
    message::{
        drivers::{
            twilio_signature::{Signed, is_twilios},
            vonage_receipt::is_signed_with,
        },
        speech::Voice,
    },
    secret::Secret,
};
use serde_json::Value;
use support::descriptions;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const ACCOUNT: &str = "/twilio/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef";
const SERVICE: &str = "/verify/v2/Services/VA0123456789abcdef0123456789abcdef";

/// Whether a POST is as its carrier describes it.
fn verdict(path: &str, media: &str, body: &str) -> Result<(), String> {
    let headers = [("content-type", media), ("authorization", "Basic YTpi")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    descriptions::request("POST", path, &headers, body)
}

/// Each call that is made: its path, a body in order, and what may not take its place.
fn calls() -> Vec<(String, &'static str, &'static str, Vec<&'static str>)> {
    let phone = r#""to":[{"type":"phone","number":"447700900000"}],"from":{"type":"phone","number":"447700900001"}"#;
    let call = format!(r#"{{{phone},"ncco":[{{"action":"talk","text":"a"}}],"ringing_timer":20}}"#).leak();
    let late = format!(r#"{{{phone},"ncco":[],"ringing_timer":121}}"#).leak();
    let silent = format!("{{{phone}}}").leak();
    let more = format!(r#"{{{phone},"ncco":[],"ring":1}}"#).leak();
    vec![
        (
            format!("{ACCOUNT}/Messages.json"),
            FORM,
            "To=%2B14155552671&From=%2B15005550006&Body=a&ValidityPeriod=300&StatusCallback=https%3A%2F%2Fa.example%2F",
            vec![
                "From=%2B15005550006&Body=a",
                "To=%2B14155552671&ValidityPeriod=soon",
                "To=%2B14155552671&Text=a",
                "To=%2B14155552671&To=%2B14155552672",
                "To=%2B14155552671&MessagingServiceSid=MG1",
                "To=%2B14155552671&StatusCallback=nowhere",
                "To=%2B14155552671&ProvideFeedback=1",
            ],
        ),
        (
            format!("{ACCOUNT}/Messages/SM00000000000000000000000000000000/Feedback.json"),
            FORM,
            "Outcome=confirmed",
            vec!["Outcome=approved", "Result=confirmed"],
        ),
        (
            format!("{ACCOUNT}/Calls.json"),
            FORM,
            "To=%2B14155552671&From=%2B15005550006&Twiml=a&Timeout=20&StatusCallbackEvent=completed",
            vec!["To=%2B14155552671&Twiml=a", "To=%2B14155552671&From=%2B15005550006&Timeout=short"],
        ),
        (
            format!("{SERVICE}/Verifications"),
            FORM,
            "To=%2B14155552671&Channel=sms&CustomCode=123456",
            vec!["To=%2B14155552671&CustomCode=123456", "To=%2B14155552671&Channel=sms&Code=123456"],
        ),
        (
            format!("{SERVICE}/Verifications/VE00000000000000000000000000000000"),
            FORM,
            "Status=approved",
            vec!["Status=confirmed", "Outcome=approved"],
        ),
        (
            "/vonage/sms/json".to_owned(),
            FORM,
            "to=447700900000&from=Example&text=a&type=unicode&ttl=300000&client-ref=a",
            vec![
                "to=447700900000&text=a",
                "to=447700900000&from=Example&ttl=1",
                "to=447700900000&from=Example&type=utf8",
                "to=440&from=Example",
                "to=447700900000&from=Example&client_ref=a",
            ],
        ),
        ("/vonage/v1/calls".to_owned(), JSON, call, vec![silent, late, more, "{}", ""]),
    ]
}

#[test]
fn each_call_is_one_that_its_carrier_describes() {
    let calls = calls();
    for (path, media, good, bad) in &calls {
        assert!(descriptions::is_described(path), "{path}");
        assert_eq!(verdict(path, media, good), Ok(()));
        for body in bad {
            assert!(verdict(path, media, body).is_err(), "{path} takes {body}");
        }
        let other = if *media == FORM { JSON } else { FORM };
        assert!(verdict(path, other, good).is_err(), "{path} as {other}");
        assert!(descriptions::request("GET", path, &[], "").is_err(), "{path}");
    }
    assert_eq!(calls.len(), descriptions::count(), "what is described is called");
    let (sms, _, good, _) = &calls[0];
    assert!(verdict(&sms.replace("AC0", "XX0"), FORM, good).is_err(), "an account's id");
}

#[test]
fn the_carriers_speak_the_languages_of_our_calls() {
    let data: Value = serde_json::from_str(include_str!("data/carrier_descriptions.json")).unwrap();
    let has = |list: &Value, name: &str| list.as_array().unwrap().iter().any(|known| known == name);
    for voice in Voice::all() {
        let (twilio, vonage) = (voice.twilio_language(), voice.vonage_language());
        assert!(has(&data["languages"]["vonage"], vonage), "Vonage speaks no {vonage}");
        assert!(has(&data["languages"]["twilio"], twilio), "Twilio speaks no {twilio}");
        assert!(has(&data["voices"]["twilio"], voice.twilio()), "Twilio has no {}", voice.twilio());
    }
}

/// Signatures that the carriers' SDKs made.
fn signatures(kind: &str) -> Vec<Value> {
    let data: Value = serde_json::from_str(include_str!("data/carrier_signatures.json")).unwrap();
    let cases = data[kind].as_array().unwrap().clone();
    assert!(cases.len() >= 10, "{kind}");
    cases
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn secret(value: &Value) -> Secret {
    Secret::new(text(value))
}

const BASE: &str = "https://login.example.com";

/// The path and query of an address that Twilio signed; its own port is that of https.
fn path(url: &Value) -> String {
    let rest = url.as_str().unwrap().strip_prefix(BASE).unwrap();
    rest.strip_prefix(":443").unwrap_or(rest).to_owned()
}

#[test]
fn forms_that_twilios_sdk_signed_are_believed_and_no_others() {
    for case in signatures("forms") {
        let pairs = case["fields"].as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1])));
        let fields: Vec<(String, String)> = pairs.collect();
        let (token, path, signature) = (secret(&case["token"]), path(&case["url"]), text(&case["signature"]));
        let verdict = |token: &Secret, base: &str, path: &str, fields: &[(String, String)], signature: &str| {
            is_twilios(token, base, path, &Signed::Form(fields), signature)
        };
        assert!(verdict(&token, BASE, &path, &fields, &signature), "{case}");
        let reversed: Vec<_> = fields.iter().rev().cloned().collect();
        assert!(verdict(&token, BASE, &path, &reversed, &signature), "another order: {case}");

        let more = [fields.clone(), vec![("more".to_owned(), "1".to_owned())]].concat();
        assert!(!verdict(&token, BASE, &path, &more, &signature), "one more field: {case}");
        let other = fields.iter().map(|(name, value)| (name.clone(), format!("{value}x"))).collect::<Vec<_>>();
        assert!(!verdict(&token, BASE, &path, &other, &signature), "other values: {case}");
        assert!(!verdict(&token, BASE, &format!("{path}x"), &fields, &signature), "another path: {case}");
        assert!(!verdict(&token, "https://example.com", &path, &fields, &signature), "another host: {case}");
        assert!(!verdict(&Secret::new("x".to_owned()), BASE, &path, &fields, &signature), "another token: {case}");
        assert!(!verdict(&token, BASE, &path, &fields, ""), "no signature: {case}");
    }
}

#[test]
fn json_that_twilios_sdk_signed_is_believed_and_no_other() {
    for case in signatures("bodies") {
        let (token, path, body) = (secret(&case["token"]), path(&case["url"]), text(&case["body"]));
        let (query, signature) = (path.split_once('?').unwrap().1.to_owned(), text(&case["signature"]));
        let verdict = |query: &str, body: &str| {
            is_twilios(&token, BASE, &path, &Signed::Json(query, body.as_bytes()), &signature)
        };
        assert!(verdict(&query, &body), "{case}");
        assert!(!verdict(&query, &format!("{body} ")), "another body: {case}");
        assert!(!verdict("", &body), "no digest: {case}");
    }
}

/// Accounts choose the method; each is there.
#[test]
fn receipts_that_vonages_sdk_signed_are_believed_and_no_others() {
    for case in signatures("receipts") {
        let params = case["params"].as_object().unwrap();
        let fields: Vec<(String, String)> = params.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let at: i64 = text(&case["params"]["timestamp"]).parse().unwrap();
        let key = secret(&case["secret"]);
        assert!(is_signed_with(&fields, &key, at), "{case}");
        assert!(!is_signed_with(&fields, &key, at + 301), "too old: {case}");
        assert!(!is_signed_with(&fields, &Secret::new("x".to_owned()), at), "another secret: {case}");
        for changed in ["status", "messageId", "err-code", "nonce"] {
            let swap = |(name, value): &(String, String)| {
                (name.clone(), if name == changed { format!("{value}x") } else { value.clone() })
            };
            let other: Vec<_> = fields.iter().map(swap).collect();
            assert!(!is_signed_with(&other, &key, at), "another {changed}: {case}");
        }
    }
}
