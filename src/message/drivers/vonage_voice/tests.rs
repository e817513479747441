//! The requests byte by byte, the SSML read by an XML parser, and every error's class.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    crypto::Code,
    message::speech::Voice,
    ports::{FetchError, OutgoingResponse},
    secret::Secret,
};

/// Made with openssl for the tests.
const KEY: &str = include_str!("../../../../tests/data/rsa_test_key_pkcs8.pem");

/// The limit of one `talk`.
const LIMIT: usize = 1500;

fn settings() -> Settings {
    Settings {
        application_id: Some("15c58522-95d0-4394-a535-54c70515c045".to_owned()),
        private_key: RsaPrivateKey::from_pem(&Secret::new(KEY.to_owned())).ok(),
        from_number: Some("+447700900100".to_owned()),
        api_base: Some("https://api.nexmo.com".to_owned()),
        ..Settings::default()
    }
}

fn vonage() -> VonageVoice {
    VonageVoice::new(settings()).unwrap_or_else(|missing| panic!("{missing} is missing"))
}

fn code(digits: &str) -> Code {
    Code::parse(digits).expect("a code")
}

fn answer(status: u16, body: &str) -> Outcome {
    outcome(Ok(OutgoingResponse { status, body: body.to_owned() }))
}

#[test]
fn wire_format_unchanged() {
    let voice = Voice::of("en");
    let call = Call {
        to: "+447700900123",
        from: None,
        opening: Opening::Gate {
            greeting: &Script::gate(voice, "Hello. This is A&B <c>, calling with your verification code."),
            nobody: &Script::nobody(voice),
            next: "https://login.example.com/next",
        },
        events: Some("https://login.example.com/events"),
        timeout: Duration::from_secs(4),
    };
    let sent = vonage().request(&call, "header.claims", &[1, 2, 3]);
    assert_eq!(sent.url, "https://api.nexmo.com/v1/calls");
    assert!(sent.headers.contains(&("authorization", "Bearer header.claims.AQID".to_owned())));
    assert!(sent.headers.contains(&("content-type", "application/json".to_owned())));
    let wanted = json!({
        "to": [{"type": "phone", "number": "447700900123"}],
        "from": {"type": "phone", "number": "447700900100"},
        "ncco": [
            {"action": "talk", "language": "en-US", "style": 0, "bargeIn": true, "loop": 2, "text":
                "<speak>Hello. This is A&amp;B &lt;c&gt;, calling with your verification code. \
                 Press any key to hear it. If you did not ask for a code, please hang up. </speak>"},
            {"action": "input", "type": ["dtmf"], "dtmf": {"maxDigits": 1, "timeOut": 8},
                "eventUrl": ["https://login.example.com/next"], "eventMethod": "POST"},
            {"action": "talk", "language": "en-US", "style": 0, "text": "<speak>No key was pressed. Goodbye. </speak>"},
        ],
        "ringing_timer": 20,
        "length_timer": 120,
        "event_url": ["https://login.example.com/events"],
        "event_method": "POST",
    });
    assert_eq!(serde_json::from_str::<Value>(&sent.body).expect("JSON"), wanted);
}

#[test]
fn without_a_callback_no_event_is_asked_for() {
    let script = Script::nobody(Voice::of("zh"));
    let call = Call {
        to: "+447700900123",
        from: None,
        opening: Opening::Code(&script),
        events: None,
        timeout: Duration::from_secs(4),
    };
    let body: Value = serde_json::from_str(&vonage().request(&call, "h.c", &[]).body).expect("JSON");
    assert_eq!(body.get("event_url"), None);
    assert_eq!(body["ncco"].as_array().map(Vec::len), Some(1));
    assert_eq!(body["ncco"][0]["language"], "cmn-CN");
}

#[test]
fn the_token_names_the_application_and_ends_in_a_minute() {
    let input = vonage().signing_input(1_795_341_600, "abc");
    let parts: Vec<Value> = input
        .split('.')
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON"))
        .collect();
    assert_eq!(parts[0], json!({"alg": "RS256", "typ": "JWT"}));
    let claims = json!({"application_id": "15c58522-95d0-4394-a535-54c70515c045", "iat": 1_795_341_600,
        "exp": 1_795_341_660, "jti": "abc"});
    assert_eq!(parts[1..], [claims]);
}

#[test]
fn what_is_missing_is_named() {
    let missing = |settings: Settings| VonageVoice::new(settings).err();
    assert_eq!(missing(Settings { application_id: None, ..settings() }), Some("application_id"));
    assert_eq!(missing(Settings { private_key: None, ..settings() }), Some("private_key"));
    assert_eq!(missing(Settings { api_base: None, ..settings() }), Some("api_base"));
    for sender in [None, Some("Example".to_owned()), Some("12345".to_owned())] {
        assert_eq!(missing(Settings { from_number: sender, ..settings() }), Some("from_number"));
    }
}

#[test]
fn errors_are_classified() {
    let problem = |name: &str| format!(r#"{{"type":"https://developer.vonage.com/api-errors#{name}","title":"t"}}"#);
    for (status, body, wanted, code) in [
        (401, r#"{"type":"UNAUTHORIZED","error_title":"Unauthorized"}"#.to_owned(), "misconfigured", "unauthorized"),
        (401, problem("jwt-expired"), "misconfigured", "jwt-expired"),
        (402, problem("low-balance"), "misconfigured", "low-balance"),
        (403, problem("forbidden"), "misconfigured", "forbidden"),
        (403, problem("account-suspended"), "misconfigured", "account-suspended"),
        (404, problem("not-found"), "misconfigured", "not-found"),
        (429, problem("throttled"), "retryable", "throttled"),
        (400, problem("throttled"), "retryable", "throttled"),
        (
            400,
            r#"{"type":"BAD_REQUEST","invalid_parameters":{"to":"Must be a valid number"}}"#.to_owned(),
            "recipient_refused",
            "bad-request",
        ),
        (
            422,
            r#"{"type":"x#invalid-params","invalid_parameters":[{"name":"to[0].number","reason":"r"}]}"#.to_owned(),
            "recipient_refused",
            "invalid-params",
        ),
        (400, r#"{"type":"BAD_REQUEST","invalid_parameters":{"from":"r"}}"#.to_owned(), "misconfigured", "bad-request"),
        (
            400,
            r#"{"type":"BAD_REQUEST","invalid_parameters":{"topic":"r"}}"#.to_owned(),
            "misconfigured",
            "bad-request",
        ),
        (400, problem("who-knows"), "misconfigured", "who-knows"),
        // An error's name is a word, or it is not taken over.
        (400, problem("<script>"), "misconfigured", "http_400"),
        (408, problem("timeout"), "unknown", "http_408"),
        (429, String::new(), "retryable", "http_429"),
        (401, String::new(), "misconfigured", "http_401"),
        (500, problem("internal-error"), "unknown", "http_500"),
        (201, "{}".to_owned(), "unknown", "http_201"),
        (201, "no JSON".to_owned(), "unknown", "http_201"),
    ] {
        let outcome = answer(status, &body);
        let code_of = outcome.why().map(|why| why.code.as_str());
        assert_eq!((outcome.as_str(), code_of), (wanted, Some(code)), "{status} {body}");
    }
    assert_eq!(
        answer(201, r#"{"uuid":"63f61863","status":"started","direction":"outbound"}"#),
        Outcome::Accepted { provider_id: "63f61863".to_owned(), segments: None }
    );
    for error in [FetchError::Timeout, FetchError::Network] {
        assert_eq!(outcome(Err(error)).as_str(), "unknown");
    }
}

#[test]
fn every_callback_is_known() {
    let not_answered = |word| Told::Progress(Progress::NotAnswered(word));
    for (body, wanted) in [
        (json!({"uuid": "u", "dtmf": {"digits": "5", "timed_out": false}}), Some(Told::Key)),
        (json!({"uuid": "u", "dtmf": {"digits": "#", "timed_out": false}}), Some(Told::Key)),
        (json!({"uuid": "u", "dtmf": {"digits": "", "timed_out": true}}), Some(Told::NoKey)),
        (json!({"uuid": "u", "dtmf": {"digits": null, "timed_out": true}}), Some(Told::NoKey)),
        (json!({"uuid": "u", "dtmf": "5", "timed_out": false}), Some(Told::Key)),
        (json!({"uuid": "u", "status": "started"}), Some(Told::Progress(Progress::UnderWay))),
        (json!({"uuid": "u", "status": "answered"}), Some(Told::Progress(Progress::UnderWay))),
        (json!({"uuid": "u", "status": "completed"}), Some(Told::Progress(Progress::Completed))),
        (json!({"uuid": "u", "status": "busy"}), Some(not_answered("busy"))),
        (json!({"uuid": "u", "status": "timeout"}), Some(not_answered("no_answer"))),
        (json!({"uuid": "u", "status": "unanswered"}), Some(not_answered("no_answer"))),
        (json!({"uuid": "u", "status": "rejected"}), Some(not_answered("rejected"))),
        (json!({"uuid": "u", "status": "failed"}), Some(not_answered("call_failed"))),
        (json!({"uuid": "u", "status": "cancelled"}), Some(not_answered("canceled"))),
        (json!({"uuid": "u", "status": "machine"}), None),
        (json!({"uuid": "u"}), None),
        (json!({"status": "completed"}), None),
        (json!({"uuid": "", "status": "completed"}), None),
        (json!([]), None),
    ] {
        assert_eq!(told(&body).map(|(told, _)| told), wanted, "{body}");
    }
}

/// What the engine speaks: the SSML's text, read by an XML parser.
fn spoken(talk: &Value) -> (String, usize) {
    let text = talk["text"].as_str().expect("a text");
    assert!(text.chars().count() <= LIMIT, "{} characters", text.chars().count());
    let document = roxmltree::Document::parse(text).expect("XML");
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "speak");
    let words = root.children().filter_map(|node| node.text()).collect();
    (words, root.children().filter(|node| node.has_tag_name("break")).count())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the app is called, and however long the code is. The limit counts without tags; here it holds with them.
    #[test]
    fn every_talk_is_ssml_within_the_limit(name in "\\PC{0,80}|[&<>\"']{60}", digits in "[0-9]{4,10}") {
        for voice in Voice::all() {
            for greeting in [name.clone(), name.repeat(40)] {
                let all = Script::greeting_and_code(voice, &greeting, &code(&digits));
                let greeting = Script::gate(voice, &greeting);
                let gate = gate(&greeting, &Script::nobody(voice), "https://login.example.com/next");
                let cut: String = name.chars().take(60).filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect();
                prop_assert!(spoken(&gate[0]).0.contains(&cut));
                spoken(&gate[2]);
                let all = ncco(&all);
                // After the greeting, after each opening, after each digit.
                prop_assert_eq!(spoken(&all[0]).1, 3 + 2 * digits.len());
            }
        }
    }
}
