//! The requests byte by byte, the TwiML read by an XML parser, and every error's class.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    crypto::Code,
    message::speech::Voice,
    ports::{FetchError, OutgoingResponse},
};

/// The limit of `Twiml`.
const LIMIT: usize = 4000;

fn settings() -> Settings {
    Settings {
        account_sid: Some("AC0".to_owned()),
        auth_token: Some(Secret::new("token".to_owned())),
        from_number: Some("+15005550006".to_owned()),
        api_base: Some("https://api.twilio.com".to_owned()),
        ..Settings::default()
    }
}

fn request(settings: Settings, call: &Call<'_>) -> OutgoingRequest {
    TwilioVoice::new(settings).unwrap_or_else(|missing| panic!("{missing} is missing")).request(call)
}

fn fields(request: &OutgoingRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(request.body.as_bytes()).into_owned().collect()
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
        to: "+16471231234",
        from: None,
        opening: Opening::Gate {
            greeting: &Script::gate(voice, "Hello. This is A&B <c>, calling with your verification code."),
            nobody: &Script::nobody(voice),
            next: "https://login.example.com/v1/callbacks/twilio/msg_1/voice",
        },
        events: Some("https://login.example.com/v1/callbacks/twilio/msg_1"),
        timeout: Duration::from_secs(4),
    };
    let sent = request(settings(), &call);
    assert_eq!(sent.url, "https://api.twilio.com/2010-04-01/Accounts/AC0/Calls.json");
    // AC0:token
    assert!(sent.headers.contains(&("authorization", "Basic QUMwOnRva2Vu".to_owned())));
    let gather = concat!(
        r#"<Gather input="dtmf" numDigits="1" finishOnKey="" timeout="8" method="POST" "#,
        r#"action="https://login.example.com/v1/callbacks/twilio/msg_1/voice">"#,
        r#"<Say voice="Polly.Joanna" language="en-US">Hello. This is A&amp;B &lt;c&gt;, calling with your verification code.</Say>"#,
        r#"<Say voice="Polly.Joanna" language="en-US">Press any key to hear it. If you did not ask for a code, please hang up.</Say>"#,
        "</Gather>"
    );
    let twiml = format!(
        r#"<Response>{gather}{gather}<Say voice="Polly.Joanna" language="en-US">No key was pressed. Goodbye.</Say></Response>"#
    );
    let wanted = [
        ("To", "+16471231234"),
        ("From", "+15005550006"),
        ("Twiml", twiml.as_str()),
        ("Timeout", "20"),
        ("TimeLimit", "120"),
        ("StatusCallback", "https://login.example.com/v1/callbacks/twilio/msg_1"),
        ("StatusCallbackEvent", "completed"),
    ];
    let fields = fields(&sent);
    assert_eq!(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(), wanted);
}

#[test]
fn without_an_auth_token_no_report_is_asked_for_that_could_not_be_verified() {
    let by_key = Settings {
        auth_token: None,
        api_key_sid: Some("SK0".to_owned()),
        api_key_secret: Some(Secret::new("secret".to_owned())),
        ..settings()
    };
    let script = Script::nobody(Voice::of("en"));
    let call = Call {
        to: "+16471231234",
        from: None,
        opening: Opening::Code(&script),
        events: Some("https://login.example.com/v1/callbacks/twilio/msg_1"),
        timeout: Duration::from_secs(4),
    };
    let sent = request(by_key, &call);
    assert!(!sent.body.contains("StatusCallback"));
    // SK0:secret
    assert!(sent.headers.contains(&("authorization", "Basic U0swOnNlY3JldA==".to_owned())));
    assert_eq!(
        fields(&sent)[2].1,
        r#"<Response><Say voice="Polly.Joanna" language="en-US">No key was pressed. Goodbye.</Say></Response>"#
    );
}

#[test]
fn what_is_missing_is_named() {
    let missing = |settings: Settings| TwilioVoice::new(settings).err();
    assert_eq!(missing(Settings { account_sid: None, ..settings() }), Some("account_sid"));
    assert_eq!(missing(Settings { auth_token: None, ..settings() }), Some("auth_token"));
    assert_eq!(missing(Settings { api_key_sid: Some("SK0".to_owned()), ..settings() }), Some("api_key_secret"));
    assert_eq!(missing(Settings { api_base: None, ..settings() }), Some("api_base"));
    // No Messaging Service, short code or name can call.
    for sender in [None, Some("12345".to_owned()), Some("Example".to_owned())] {
        assert_eq!(missing(Settings { from_number: sender, ..settings() }), Some("from_number"));
    }
}

#[test]
fn errors_are_classified() {
    for (status, code, wanted) in [
        (400, 21211, "recipient_refused"),
        (400, 21214, "recipient_refused"),
        (400, 21217, "recipient_refused"),
        (400, 13224, "recipient_refused"),
        (400, 21202, "recipient_refused"),
        (400, 21216, "fraud_blocked"),
        (400, 21215, "misconfigured"),
        (400, 21210, "misconfigured"),
        (400, 21219, "misconfigured"),
        (401, 20003, "misconfigured"),
        (403, 10005, "misconfigured"),
        (429, 20429, "retryable"),
        (429, 10004, "retryable"),
        (400, 99999, "misconfigured"),
    ] {
        let outcome = answer(status, &format!(r#"{{"code":{code},"message":"m","status":{status}}}"#));
        assert_eq!(outcome.as_str(), wanted, "{code}");
        assert_eq!(outcome.why().expect("a reason").code, code.to_string());
    }
    assert_eq!(
        answer(201, r#"{"sid":"CA1","status":"queued"}"#),
        Outcome::Accepted { provider_id: "CA1".to_owned(), segments: None }
    );
    for (status, body, wanted) in [
        (201, "", "unknown"),
        (200, "{}", "unknown"),
        (500, r#"{"code":20500}"#, "unknown"),
        (503, "", "unknown"),
        (408, "", "unknown"),
        (429, "", "retryable"),
        (401, "", "misconfigured"),
        (404, "<html>", "misconfigured"),
    ] {
        assert_eq!(answer(status, body).as_str(), wanted, "{status} {body}");
    }
    for error in [FetchError::Timeout, FetchError::Network] {
        assert_eq!(outcome(Err(error)).as_str(), "unknown");
    }
}

#[test]
fn every_call_status_is_known() {
    let not_answered = Progress::NotAnswered;
    for (status, wanted) in [
        ("queued", Some(Progress::UnderWay)),
        ("initiated", Some(Progress::UnderWay)),
        ("ringing", Some(Progress::UnderWay)),
        ("in-progress", Some(Progress::UnderWay)),
        ("completed", Some(Progress::Completed)),
        ("busy", Some(not_answered("busy"))),
        ("no-answer", Some(not_answered("no_answer"))),
        ("failed", Some(not_answered("call_failed"))),
        ("canceled", Some(not_answered("canceled"))),
        ("delivered", None),
        ("", None),
    ] {
        assert_eq!(progress(status), wanted, "{status}");
    }
}

/// The text of every `Say`, as Twilio's engine gets it.
fn spoken(xml: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(xml).expect("XML");
    let says = document.descendants().filter(|node| node.has_tag_name("Say"));
    says.map(|say| say.text().unwrap_or_default().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the app is called, and however long the code is.
    #[test]
    fn twiml_is_xml_within_the_limit(name in "\\PC{0,80}|[&<>\"']{60}", digits in "[0-9]{4,10}", host in "[a-z]{1,60}") {
        // The longest origin that there is, and the longest id.
        let next = format!("https://{host}.{host}.{host}.{host}.com:65535/v1/callbacks/twilio/msg_01M83WM7ZA000G40R40M30E209/voice");
        for voice in Voice::all() {
            for greeting in [name.clone(), name.repeat(40)] {
                let all = Script::greeting_and_code(voice, &greeting, &code(&digits));
                let greeting = Script::gate(voice, &greeting);
                let gate = gate(&greeting, &Script::nobody(voice), &next);
                prop_assert!(gate.chars().count() <= LIMIT, "{}", gate.len());
                let cut: String = name.chars().take(60).filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect();
                prop_assert!(spoken(&gate)[0].contains(&cut));
                let document = roxmltree::Document::parse(&gate).expect("XML");
                let gathers: Vec<_> = document.root_element().children().filter(|node| node.has_tag_name("Gather")).collect();
                prop_assert_eq!(gathers.len(), 2);
                prop_assert_eq!(gathers[0].attribute("action"), Some(next.as_str()));

                let all = twiml(&all);
                prop_assert!(all.chars().count() <= LIMIT, "{}", all.len());
                // A greeting, two openings, a goodbye, and the digits twice.
                prop_assert_eq!(spoken(&all).len(), 4 + 2 * digits.len());
            }
        }
    }
}
