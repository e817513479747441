//! Twilio Verify, v2: Twilio's own text with our code in it, by SMS or call. One form POST with HTTP Basic; what became
//! of the code is told by another one.

use std::time::Duration;

use serde_json::Value;

use super::{
    Answer, Class, Outcome, Why, by_http_status, form_post, no_answer,
    twilio::{Account, Settings},
};
use crate::ports::OutgoingRequest;

/// Twilio Verify, with all it needs.
#[derive(Clone)]
pub struct TwilioVerify {
    account: Account,
    service_sid: String,
    verify_base: String,
}

/// How a code goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// As an SMS.
    Sms,
    /// By a call; the gate is Twilio's.
    Call,
}

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was given back rightly.
    Approved,
    /// It is not waited for any more.
    Canceled,
}

impl TwilioVerify {
    /// From the account's settings, or the setting that is missing.
    pub fn new(settings: Settings) -> Result<Self, &'static str> {
        let account = settings.account()?;
        let service_sid = settings.verify_service_sid.ok_or("verify_service_sid")?;
        Ok(Self { account, service_sid, verify_base: settings.verify_base.ok_or("verify_base")? })
    }

    /// The request that sends a code. `locale` is left out where Twilio has no text in it: it goes by the number then.
    pub fn request(&self, to: &str, by: By, code: &str, locale: &str, timeout: Duration) -> OutgoingRequest {
        let channel = match by {
            By::Sms => "sms",
            By::Call => "call",
        };
        let mut fields = vec![("To", to), ("Channel", channel), ("CustomCode", code)];
        fields.extend(spoken(locale).map(|locale| ("Locale", locale)));
        self.post("", &fields, timeout)
    }

    /// The request that tells what became of a code.
    pub fn report(&self, sid: &str, fate: Fate, timeout: Duration) -> OutgoingRequest {
        let status = match fate {
            Fate::Approved => "approved",
            Fate::Canceled => "canceled",
        };
        self.post(&format!("/{sid}"), &[("Status", status)], timeout)
    }

    fn post(&self, path: &str, fields: &[(&str, &str)], timeout: Duration) -> OutgoingRequest {
        let url = format!("{}/v2/Services/{}/Verifications{path}", self.verify_base, self.service_sid);
        form_post(url, vec![self.account.authorization()], fields, timeout)
    }
}

/// The languages that Twilio's texts are in.
const LOCALES: &str = "af ar ca cs da de el en en-GB es fi fr he hi hr hu id it ja ko ms nb nl pl pt pt-BR ro ru sv th tl tr vi zh zh-CN zh-HK";

/// The language of Twilio's that is closest.
fn spoken(locale: &str) -> Option<&'static str> {
    let known = |tag: &str| LOCALES.split(' ').find(|known| known.eq_ignore_ascii_case(tag));
    known(locale).or_else(|| known(locale.split('-').next()?))
}

/// What a message without a code means here: there is nothing that Twilio would send.
pub fn no_code() -> Outcome {
    let detail = "Twilio Verify sends codes only: name a second driver in sms.routes for notices";
    Outcome::Misconfigured(Why::new("no_code", detail))
}

/// Refusals of a number that are Verify's alone: five codes in ten minutes, and a number or language that it does not
/// take. Another driver may reach the person all the same.
const ITS_OWN: [&str; 2] = ["60203", "60200"];

/// Whether a carrier's code for a refusal of the person is Verify's alone.
pub fn is_its_own(code: &str) -> bool {
    ITS_OWN.contains(&code)
}

/// What Twilio's answer means.
pub fn outcome(answer: Answer) -> Outcome {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return no_answer("Twilio Verify", error),
    };
    let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    match (response.status, body.get("sid").and_then(Value::as_str), body.get("code").and_then(Value::as_u64)) {
        (200..=299, Some(sid), _) => Outcome::Accepted { provider_id: sid.chars().take(64).collect(), segments: None },
        (400..=499, _, Some(code)) => by_code(code),
        (status, ..) => by_http_status("Twilio Verify", status),
    }
}

/// What Verify's error codes mean, and what to do about those that operators meet first.
fn by_code(code: u64) -> Outcome {
    let (class, detail) = match code {
        20429 | 60207 | 60212 => (Class::Retryable, "Twilio takes fewer requests a second than came"),
        // What concerns one number says nothing of Verify, and anybody could bring it about.
        60203 => (
            Class::RecipientRefused,
            "Twilio sends five codes in ten minutes to one number, unless one of them is given back",
        ),
        21211 | 21217 | 60033 => (Class::RecipientRefused, "Twilio says that this is not a phone number"),
        21614 | 60205 => (Class::RecipientRefused, "Twilio says that this number cannot get SMS: call it instead"),
        21610 => (Class::RecipientRefused, "the person has answered STOP, and has to send START to the sender first"),
        60204 => (
            Class::Misconfigured,
            "the Verify service takes no codes of others: have Twilio's support enable custom codes for it",
        ),
        60200 => (Class::RecipientRefused, "Twilio says that a parameter is invalid: the number, or the language"),
        60220 => (Class::Misconfigured, "codes to this country need Twilio's leave: ask its support"),
        60223 => (
            Class::Misconfigured,
            "this way of sending is disabled for the Verify service: see Verify > Services in the Twilio console",
        ),
        21608 | 21219 => (
            Class::Misconfigured,
            "a Twilio trial account sends to verified numbers only: verify this one in the Twilio console, or upgrade the account",
        ),
        20003 => (Class::Misconfigured, "Twilio refused the credentials: compare them with the Twilio console"),
        20404 => (Class::Misconfigured, "Twilio knows no such Verify service: check its SID, VA…"),
        30002 | 20005 => (Class::Misconfigured, "the Twilio account is suspended: see the Twilio console"),
        30450 | 60410 => (Class::FraudBlocked, "Twilio blocks this number range as fraud"),
        60605 => (
            Class::FraudBlocked,
            "Twilio blocks this country: allow it under Verify > Settings > Geo permissions, if you want it",
        ),
        _ => (Class::Misconfigured, "Twilio refused the code: look the number up at twilio.com/docs/api/errors"),
    };
    class.outcome(Why::new(code.to_string(), detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ports::{FetchError, OutgoingResponse},
        secret::Secret,
    };

    const TIMEOUT: Duration = Duration::from_secs(4);

    fn settings() -> Settings {
        Settings {
            account_sid: Some("AC0123456789abcdef0123456789abcdef".to_owned()),
            auth_token: Some(Secret::new("token".to_owned())),
            verify_service_sid: Some("VA0123456789abcdef0123456789abcdef".to_owned()),
            verify_base: Some("https://verify.twilio.com".to_owned()),
            ..Settings::default()
        }
    }

    fn verify(settings: Settings) -> TwilioVerify {
        TwilioVerify::new(settings).unwrap_or_else(|missing| panic!("{missing} is missing"))
    }

    #[test]
    fn wire_format_unchanged() {
        let request = verify(settings()).request("+14155552671", By::Sms, "042137", "pt-BR", TIMEOUT);
        let url = "https://verify.twilio.com/v2/Services/VA0123456789abcdef0123456789abcdef/Verifications";
        assert_eq!((request.method, request.url.as_str()), ("POST", url));
        assert_eq!(request.body, "To=%2B14155552671&Channel=sms&CustomCode=042137&Locale=pt-BR");
        let authorization =
            ("authorization", "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0b2tlbg==".to_owned());
        assert!(request.headers.contains(&authorization));
        let call = verify(settings()).request("+14155552671", By::Call, "042137", "eo", TIMEOUT);
        assert_eq!(call.body, "To=%2B14155552671&Channel=call&CustomCode=042137");
        for (fate, wanted) in [(Fate::Approved, "Status=approved"), (Fate::Canceled, "Status=canceled")] {
            let report = verify(settings()).report("VE1", fate, TIMEOUT);
            assert_eq!((report.url, report.body.as_str()), (format!("{url}/VE1"), wanted));
        }
    }

    #[test]
    fn an_api_key_replaces_the_token() {
        let key = Settings {
            api_key_sid: Some("SK1".to_owned()),
            api_key_secret: Some(Secret::new("s".to_owned())),
            auth_token: None,
            ..settings()
        };
        let request = verify(key).request("+14155552671", By::Sms, "042137", "en", TIMEOUT);
        assert!(request.headers.contains(&("authorization", "Basic U0sxOnM=".to_owned())));
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |settings: Settings| TwilioVerify::new(settings).err();
        assert_eq!(missing(Settings { account_sid: None, ..settings() }), Some("account_sid"));
        assert_eq!(missing(Settings { auth_token: None, ..settings() }), Some("auth_token"));
        assert_eq!(missing(Settings { verify_service_sid: None, ..settings() }), Some("verify_service_sid"));
        assert_eq!(missing(Settings { api_key_sid: Some("SK1".to_owned()), ..settings() }), Some("api_key_secret"));
    }

    #[test]
    fn the_closest_language_is_asked_for() {
        for (locale, wanted) in [
            ("en", Some("en")),
            ("en-gb", Some("en-GB")),
            ("en-US", Some("en")),
            ("zh-Hant-HK", Some("zh")),
            ("eo", None),
            ("", None),
            ("b", None),
        ] {
            assert_eq!(spoken(locale), wanted, "{locale}");
        }
    }

    #[test]
    fn answers_are_classified() {
        let answer = |status, body: &str| outcome(Ok(OutgoingResponse { status, body: body.to_owned() }));
        for (status, body, wanted) in [
            (201, r#"{"sid":"VE1","status":"pending"}"#, "accepted"),
            (429, r#"{"code":60203}"#, "recipient_refused"),
            (429, r#"{"code":20429}"#, "retryable"),
            (429, "", "retryable"),
            (403, r#"{"code":60205}"#, "recipient_refused"),
            (400, r#"{"code":21211}"#, "recipient_refused"),
            (400, r#"{"code":60200}"#, "recipient_refused"),
            (403, r#"{"code":60204}"#, "misconfigured"),
            (404, r#"{"code":20404}"#, "misconfigured"),
            (401, r#"{"code":20003}"#, "misconfigured"),
            (400, r#"{"code":99999}"#, "misconfigured"),
            (403, r#"{"code":60410}"#, "fraud_blocked"),
            (403, r#"{"code":60605}"#, "fraud_blocked"),
            (500, r#"{"code":20500}"#, "unknown"),
            (503, "<html>", "unknown"),
            (201, "garbage", "unknown"),
        ] {
            assert_eq!(answer(status, body).as_str(), wanted, "{status} {body}");
        }
        assert_eq!(outcome(Err(FetchError::Timeout)).as_str(), "unknown");
        assert_eq!(no_code().as_str(), "misconfigured");
    }
}
