//! Vonage's SMS API: one form POST, HTTP Basic or signed. It answers 200 even when it refuses,
//! so every part's status counts.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::{
    Answer, Class, Outcome, Sms, Why, basic, by_http_status, form_post, no_answer, vonage_receipt::base_string,
};
use crate::{config::is_sender, crypto::RsaPrivateKey, ports::OutgoingRequest, secret::Secret};

/// Vonage's settings as they come, from bindings or storage: one account for SMS and calls.
#[derive(Clone, Default)]
pub struct Settings {
    /// The account's key.
    pub api_key: Option<String>,
    /// The account's secret.
    pub api_secret: Option<Secret>,
    /// Signs requests when there is no secret, and what Vonage tells our callbacks.
    pub signature_secret: Option<Secret>,
    /// The id of the application that makes calls.
    pub application_id: Option<String>,
    /// The application's private key.
    pub private_key: Option<RsaPrivateKey>,
    /// Who sends, and calls.
    pub from_number: Option<String>,
    /// The SMS API's base URL.
    pub sms_base: Option<String>,
    /// The Voice API's base URL.
    pub api_base: Option<String>,
}

/// Vonage, with all it needs.
#[derive(Clone)]
pub struct Vonage {
    api_key: String,
    credentials: Credentials,
    sender: String,
    sms_base: String,
}

#[derive(Clone)]
enum Credentials {
    Basic(Secret),
    /// HMAC-SHA-256 over the fields.
    Signed(Secret),
}

impl Settings {
    /// Checks that the settings are complete: Vonage, or the setting that is missing.
    pub fn validate(self) -> Result<Vonage, &'static str> {
        let api_key = self.api_key.ok_or("api_key")?;
        let credentials = match (self.api_secret, self.signature_secret) {
            (Some(secret), _) => Credentials::Basic(secret),
            (None, Some(secret)) => Credentials::Signed(secret),
            (None, None) => return Err("api_secret"),
        };
        let sender = self.from_number.filter(|number| is_sender(number)).ok_or("from_number")?;
        let sms_base = self.sms_base.ok_or("sms_base")?;
        Ok(Vonage { api_key, credentials, sender, sms_base })
    }
}

impl Vonage {
    /// The number or name people see.
    pub fn from_number(&self) -> &str {
        &self.sender
    }

    /// The request that sends an SMS. Numbers go without the plus.
    pub fn request(&self, sms: &Sms<'_>) -> OutgoingRequest {
        let url = format!("{}/sms/json", self.sms_base);
        let ttl = (sms.lifetime.as_millis()).clamp(20_000, 604_800_000).to_string();
        let timestamp = sms.unix_seconds.to_string();
        let mut fields = vec![
            ("from", sms.from.unwrap_or(&self.sender).trim_start_matches('+')),
            ("to", sms.to.trim_start_matches('+')),
            ("text", sms.body),
            ("type", if sms.unicode { "unicode" } else { "text" }),
            ("ttl", &ttl),
            ("client-ref", sms.message_id),
        ];
        fields.extend(sms.report_to.map(|url| ("callback", url)));
        match &self.credentials {
            Credentials::Basic(secret) => form_post(url, vec![basic(&self.api_key, secret)], &fields, sms.timeout),
            Credentials::Signed(secret) => {
                fields.extend([("api_key", self.api_key.as_str()), ("timestamp", &timestamp)]);
                let signature = sign(&fields, secret);
                fields.push(("sig", &signature));
                form_post(url, Vec::new(), &fields, sms.timeout)
            }
        }
    }
}

/// Vonage's signature of a request: HMAC-SHA-256 in hexadecimal.
fn sign(fields: &[(&str, &str)], secret: &Secret) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return String::new() };
    mac.update(base_string(fields.to_vec()).as_bytes());
    mac.finalize().into_bytes().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What Vonage's answer means.
pub fn outcome(answer: Answer) -> Outcome {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return no_answer("Vonage", error),
    };
    let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    let parts = body.get("messages").and_then(Value::as_array).filter(|parts| !parts.is_empty());
    let (200..=299, Some(parts)) = (response.status, parts) else {
        return by_http_status("Vonage", response.status);
    };
    let status =
        |part: &Value| part.get("status").and_then(Value::as_str).and_then(|status| status.parse::<u32>().ok());
    let refused = parts.iter().find_map(|part| status(part).filter(|status| *status != 0));
    let taken = parts.iter().find(|part| status(part) == Some(0));
    let id = taken.and_then(|part| part.get("message-id")).and_then(Value::as_str);
    match (refused, taken, id) {
        (None, Some(_), Some(id)) if parts.iter().all(|part| status(part) == Some(0)) => {
            Outcome::Accepted { provider_id: id.chars().take(64).collect(), segments: u32::try_from(parts.len()).ok() }
        }
        (Some(code), None, _) => by_status(code),
        _ => Outcome::Unknown(Why::new(
            "unreadable",
            "Vonage took only a part, or its answer cannot be read; the message may have gone out",
        )),
    }
}

/// What Vonage's statuses mean, and what to do about those that operators meet first.
fn by_status(status: u32) -> Outcome {
    let (class, detail) = match status {
        1 => (Class::Retryable, "Vonage takes fewer requests a second than came"),
        5 | 10 => (Class::Retryable, "Vonage has a passing fault, or too many connections"),
        4 => (
            Class::Misconfigured,
            "Vonage refused the credentials: compare key and secret with the Vonage dashboard (the setting sms.vonage; or VONAGE_API_KEY, VONAGE_API_SECRET)",
        ),
        14 => (
            Class::Misconfigured,
            "Vonage refused the signature: check sms.vonage.signature_secret or VONAGE_SIGNATURE_SECRET, and that the account signs with SHA-256",
        ),
        8 | 11 | 32 => {
            (Class::Misconfigured, "the Vonage account is blocked or not enabled for this: see the Vonage dashboard")
        }
        9 => (Class::Misconfigured, "the Vonage account's balance is used up: top it up in the Vonage dashboard"),
        15 => (
            Class::Misconfigured,
            "Vonage refused the sender for this country: use a number that you rent there (US and Canada take numbers only) in sms.from_number or VONAGE_SENDER_NUMBER",
        ),
        22 | 23 => (Class::Misconfigured, "Vonage refused a parameter of the request"),
        29 => (
            Class::Misconfigured,
            "a Vonage trial account sends to its test numbers only: add this one in the Vonage dashboard, or top the account up",
        ),
        2 | 3 | 12 => (Class::Misconfigured, "Vonage refused the request as incomplete, malformed or too long"),
        6 | 7 | 33 => {
            (Class::RecipientRefused, "Vonage says that this number cannot be reached, or does not want messages")
        }
        17 => (Class::FraudBlocked, "Vonage or the network blocks messages to this number"),
        _ => (Class::Misconfigured, "Vonage refused the message: look the status up in Vonage's SMS API documents"),
    };
    class.outcome(Why::new(status.to_string(), detail))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ports::{FetchError, OutgoingResponse};

    fn settings() -> Settings {
        Settings {
            api_key: Some("abcd1234".to_owned()),
            api_secret: Some(Secret::new("efgh5678".to_owned())),
            from_number: Some("+447700900100".to_owned()),
            sms_base: Some("https://rest.nexmo.com".to_owned()),
            ..Settings::default()
        }
    }

    fn request(settings: Settings, unicode: bool) -> OutgoingRequest {
        settings.validate().unwrap_or_else(|missing| panic!("{missing} is missing")).request(&Sms {
            to: "+447700900123",
            from: None,
            body: "042137 is your code",
            unicode,
            code: None,
            lifetime: Duration::from_mins(5),
            message_id: "msg_1",
            callback_base: None,
            report_to: None,
            timeout: Duration::from_secs(4),
            unix_seconds: 1_540_924_779,
        })
    }

    fn answer(status: u16, body: &str) -> Outcome {
        outcome(Ok(OutgoingResponse { status, body: body.to_owned() }))
    }

    #[test]
    fn wire_format_unchanged() {
        let sent = request(settings(), false);
        assert_eq!(sent.url, "https://rest.nexmo.com/sms/json");
        assert_eq!(
            sent.body,
            "from=447700900100&to=447700900123&text=042137+is+your+code&type=text&ttl=300000&client-ref=msg_1"
        );
        assert!(sent.headers.contains(&("authorization", "Basic YWJjZDEyMzQ6ZWZnaDU2Nzg=".to_owned())));
        assert!(request(settings(), true).body.contains("type=unicode"));
    }

    #[test]
    fn the_signature_is_vonages() {
        // The published vector.
        let fields = [
            ("api_key", "fake_api_key"),
            ("to", "14155550100"),
            ("from", "AcmeInc"),
            ("text", "Test From Nexmo"),
            ("type", "text"),
            ("timestamp", "1540924779"),
        ];
        let secret = Secret::new("71efab63122f1d179f51c46bac838fb5".to_owned());
        assert_eq!(sign(&fields, &secret), "9fec5ef6d0f2b3d2bb7558b6e4042569823cab9ea0dd30503472b7b304601975");
    }

    #[test]
    fn a_signed_request_has_no_authorization_header() {
        let sent = request(
            Settings { api_secret: None, signature_secret: Some(Secret::new("s".to_owned())), ..settings() },
            false,
        );
        assert!(sent.headers.iter().all(|(name, _)| *name != "authorization"));
        assert!(sent.body.contains("&api_key=abcd1234&timestamp=1540924779&sig="));
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |settings: Settings| settings.validate().err();
        assert_eq!(missing(Settings { api_key: None, ..settings() }), Some("api_key"));
        assert_eq!(missing(Settings { api_secret: None, ..settings() }), Some("api_secret"));
        assert_eq!(missing(Settings { from_number: None, ..settings() }), Some("from_number"));
    }

    #[test]
    fn answers_are_classified_by_every_part() {
        let one =
            |status: u32| format!(r#"{{"message-count":"1","messages":[{{"status":"{status}","message-id":"M1"}}]}}"#);
        for (status, wanted) in [
            (0, "accepted"),
            (1, "retryable"),
            (5, "retryable"),
            (10, "retryable"),
            (4, "misconfigured"),
            (9, "misconfigured"),
            (15, "misconfigured"),
            (29, "misconfigured"),
            (6, "recipient_refused"),
            (33, "recipient_refused"),
            (17, "fraud_blocked"),
            (77, "misconfigured"),
        ] {
            assert_eq!(answer(200, &one(status)).as_str(), wanted, "{status}");
        }
        let two = |first: &str, second: &str| {
            format!(
                r#"{{"messages":[{{"status":"{first}","message-id":"M1"}},{{"status":"{second}","message-id":"M2"}}]}}"#
            )
        };
        assert_eq!(answer(200, &two("0", "0")), Outcome::Accepted { provider_id: "M1".to_owned(), segments: Some(2) });
        assert_eq!(answer(200, &two("0", "1")).as_str(), "unknown");
        assert_eq!(answer(200, &two("9", "9")).as_str(), "misconfigured");
        for garbage in
            ["", "{}", r#"{"messages":[]}"#, r#"{"messages":[{"status":"x"}]}"#, r#"{"messages":[{"status":"0"}]}"#]
        {
            assert_eq!(answer(200, garbage).as_str(), "unknown", "{garbage}");
        }
        assert_eq!(answer(401, "").as_str(), "misconfigured");
        assert_eq!(answer(429, "").as_str(), "retryable");
        assert_eq!(answer(503, "").as_str(), "unknown");
        assert_eq!(outcome(Err(FetchError::Timeout)).as_str(), "unknown");
    }
}
