//! Twilio's Messages API, version 2010-04-01: one form POST with HTTP Basic.

use std::time::Duration;

use serde_json::Value;

use super::{Answer, Class, Outcome, Sms, Why, basic, by_http_status, form_post, no_answer};
use crate::{config::is_sender, ports::OutgoingRequest, secret::Secret};

/// Twilio's settings as they come, from bindings or storage: one account for SMS, calls and Verify.
#[derive(Clone, Default)]
pub struct Settings {
    /// `AC…`.
    pub account_sid: Option<String>,
    /// The account's auth token.
    pub auth_token: Option<Secret>,
    /// `SK…`.
    pub api_key_sid: Option<String>,
    /// The API key's secret.
    pub api_key_secret: Option<Secret>,
    /// Who sends, and calls.
    pub from_number: Option<String>,
    /// `MG…`; with one, the sender of SMS is ignored.
    pub messaging_service_sid: Option<String>,
    /// `VA…`: a Verify service.
    pub verify_service_sid: Option<String>,
    /// The API's base URL.
    pub api_base: Option<String>,
    /// Verify's base URL.
    pub verify_base: Option<String>,
}

/// An account, with what every request to it needs.
#[derive(Clone)]
pub struct Account {
    /// `AC…`.
    pub(super) sid: String,
    user: String,
    password: Secret,
    auth_token: Option<Secret>,
}

/// Twilio, with all it needs.
#[derive(Clone)]
pub struct Twilio {
    account: Account,
    sender: Sender,
    api_base: String,
}

/// `From` or `MessagingServiceSid`, never both.
#[derive(Clone)]
enum Sender {
    Number(String),
    MessagingService(String),
}

impl Settings {
    /// The account, or the setting that is missing.
    pub fn account(&self) -> Result<Account, &'static str> {
        let sid = self.account_sid.clone().ok_or("account_sid")?;
        let (user, password) = match (&self.api_key_sid, &self.api_key_secret, &self.auth_token) {
            (Some(key), Some(secret), _) => (key.clone(), secret.clone()),
            (Some(_), None, _) => return Err("api_key_secret"),
            (None, _, Some(token)) => (sid.clone(), token.clone()),
            (None, _, None) => return Err("auth_token"),
        };
        Ok(Account { sid, user, password, auth_token: self.auth_token.clone() })
    }

    /// Checks that the settings are complete: Twilio, or the setting that is missing.
    pub fn validate(self) -> Result<Twilio, &'static str> {
        let account = self.account()?;
        let sender = match (self.messaging_service_sid, self.from_number.filter(|number| is_sender(number))) {
            (Some(service), _) => Sender::MessagingService(service),
            (None, Some(number)) => Sender::Number(number),
            (None, None) => return Err("from_number"),
        };
        Ok(Twilio { account, sender, api_base: self.api_base.ok_or("api_base")? })
    }
}

impl Account {
    /// `Authorization`: with the API key where there is one, else with the auth token.
    pub(super) fn authorization(&self) -> (&'static str, String) {
        basic(&self.user, &self.password)
    }

    /// The key of the callbacks' signatures: always the auth token, never an API key's secret. Without it none are
    /// asked for.
    pub fn auth_token(&self) -> Option<&Secret> {
        self.auth_token.as_ref()
    }
}

impl Twilio {
    /// The number people see, where it is one.
    pub fn from_number(&self) -> Option<&str> {
        match &self.sender {
            Sender::Number(number) => Some(number),
            Sender::MessagingService(_) => None,
        }
    }

    /// The account that sends.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The request that sends an SMS.
    pub fn request(&self, sms: &Sms<'_>) -> OutgoingRequest {
        let validity = sms.lifetime.as_secs().clamp(1, 36_000).to_string();
        let callback = sms
            .callback_base
            .filter(|_| self.account.auth_token.is_some())
            .map(|base| format!("{base}/v1/callbacks/twilio/{}", sms.message_id));
        let mut fields = vec![("To", sms.to), ("Body", sms.body), ("ValidityPeriod", &validity)];
        fields.push(match &self.sender {
            Sender::Number(number) => ("From", sms.from.unwrap_or(number)),
            Sender::MessagingService(service) => ("MessagingServiceSid", service),
        });
        fields.extend(callback.as_deref().map(|url| ("StatusCallback", url)));
        // Whether it was of use is told of codes only.
        fields.extend(sms.code.map(|_| ("ProvideFeedback", "true")));
        self.post("Messages.json", &fields, sms.timeout)
    }

    /// A form POST to the account's part of the API.
    pub(super) fn post(&self, path: &str, fields: &[(&str, &str)], timeout: Duration) -> OutgoingRequest {
        let url = format!("{}/2010-04-01/Accounts/{}/{path}", self.api_base, self.account.sid);
        form_post(url, vec![self.account.authorization()], fields, timeout)
    }
}

/// What Twilio's answer means.
pub fn outcome(answer: Answer) -> Outcome {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return no_answer("Twilio", error),
    };
    let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    match (response.status, body.get("sid").and_then(Value::as_str), body.get("code").and_then(Value::as_u64)) {
        (200..=299, Some(sid), _) => Outcome::Accepted {
            provider_id: sid.chars().take(64).collect(),
            // A text of digits.
            segments: body
                .get("num_segments")
                .and_then(Value::as_str)
                .and_then(|count| count.parse().ok())
                .filter(|count| *count > 0),
        },
        (400..=499, _, Some(code)) => by_code(code),
        (status, ..) => by_http_status("Twilio", status),
    }
}

/// Whether a code says that this person gets nothing, or that it is fraud: no other driver is asked then.
pub fn is_final(code: &str) -> bool {
    let outcome = code.parse().ok().map(by_code);
    matches!(outcome, Some(Outcome::RecipientRefused(_) | Outcome::FraudBlocked(_)))
}

/// What Twilio's error codes mean, and what to do about those that operators meet first.
fn by_code(code: u64) -> Outcome {
    let (class, detail) = match code {
        20429 => (Class::Retryable, "Twilio takes fewer requests a second than came"),
        30001 | 21611 => {
            (Class::Retryable, "the sender's queue at Twilio is full: use a Messaging Service with more numbers")
        }
        30003 => (Class::Retryable, "the phone cannot be reached now"),
        30008 => (Class::Retryable, "Twilio does not know why the carrier refused"),
        21211 | 21217 => (Class::RecipientRefused, "Twilio says that this is not a phone number"),
        21214 | 21614 => (Class::RecipientRefused, "Twilio says that this number cannot get SMS"),
        21610 => {
            (Class::RecipientRefused, "the person has answered STOP to this sender, and has to send START to it first")
        }
        30004 => (Class::RecipientRefused, "the phone blocks messages from this sender"),
        30005 => (Class::RecipientRefused, "the number is not in service"),
        30006 => (Class::RecipientRefused, "the number is a landline or out of the carrier's reach: call it instead"),
        21608 => (
            Class::Misconfigured,
            "a Twilio trial account sends to verified numbers only: verify this one in the Twilio console, or upgrade the account",
        ),
        30034 => (
            Class::Misconfigured,
            "the US sender is not registered for A2P 10DLC: register a brand and a campaign in the Twilio console and add the number to it",
        ),
        21408 => (
            Class::Misconfigured,
            "the Twilio account may not send to this country: allow it under Messaging > Settings > Geo permissions",
        ),
        20003 => (
            Class::Misconfigured,
            "Twilio refused the credentials: compare account and auth token, or API key and its secret, with the Twilio console (the setting sms.twilio; or TWILIO_ACCOUNT_ID, TWILIO_AUTH_TOKEN, TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET)",
        ),
        20404 => (
            Class::Misconfigured,
            "Twilio knows no such account or sender: check sms.twilio.account_sid or TWILIO_ACCOUNT_ID, and the Messaging Service",
        ),
        21606 | 21659 | 21660 => (
            Class::Misconfigured,
            "the sender is not a number of this Twilio account that can send SMS to there: check sms.from_number or TWILIO_SENDER_NUMBER",
        ),
        21612 => (
            Class::Misconfigured,
            "Twilio has no route from this sender to this country: use a local sender or a Messaging Service",
        ),
        21701 | 21703 => (
            Class::Misconfigured,
            "the Messaging Service does not exist or has no sender: check sms.twilio.messaging_service_sid or TWILIO_MESSAGING_SERVICE_SID",
        ),
        30002 => (Class::Misconfigured, "the Twilio account is suspended: see the Twilio console"),
        30007 => (
            Class::Misconfigured,
            "the carrier filtered the message as unwanted: register the sender, or change the text",
        ),
        30450 | 60410 => (Class::FraudBlocked, "Twilio blocks this number range as fraud"),
        60605 => (Class::FraudBlocked, "Twilio blocks this country"),
        _ => (Class::Misconfigured, "Twilio refused the message: look the code up at twilio.com/docs/api/errors"),
    };
    class.outcome(Why::new(code.to_string(), detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{FetchError, OutgoingResponse};

    fn settings() -> Settings {
        Settings {
            account_sid: Some("AC0123456789abcdef0123456789abcdef".to_owned()),
            auth_token: Some(Secret::new("token".to_owned())),
            from_number: Some("+15005550006".to_owned()),
            api_base: Some("https://api.twilio.com".to_owned()),
            ..Settings::default()
        }
    }

    fn sms(callback_base: Option<&str>) -> Sms<'_> {
        Sms {
            to: "+14155552671",
            from: None,
            body: "042137 is your code & more\n\n@login.example.com #042137",
            unicode: false,
            code: Some("042137"),
            lifetime: Duration::from_mins(5),
            message_id: "msg_1",
            callback_base,
            report_to: None,
            timeout: Duration::from_secs(4),
            unix_seconds: 0,
        }
    }

    fn twilio(settings: Settings) -> Twilio {
        settings.validate().unwrap_or_else(|missing| panic!("{missing} is missing"))
    }

    fn answer(status: u16, body: &str) -> Outcome {
        outcome(Ok(OutgoingResponse { status, body: body.to_owned() }))
    }

    #[test]
    fn wire_format_unchanged() {
        let request = twilio(settings()).request(&sms(Some("https://login.example.com")));
        assert_eq!(
            request.url,
            "https://api.twilio.com/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json"
        );
        assert_eq!(
            request.body,
            "To=%2B14155552671&Body=042137+is+your+code+%26+more%0A%0A%40login.example.com+%23042137&ValidityPeriod=300\
             &From=%2B15005550006&StatusCallback=https%3A%2F%2Flogin.example.com%2Fv1%2Fcallbacks%2Ftwilio%2Fmsg_1\
             &ProvideFeedback=true"
        );
        assert!(
            request.headers.contains(&(
                "authorization",
                "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0b2tlbg==".to_owned()
            ))
        );
    }

    #[test]
    fn a_messaging_service_replaces_the_number_and_an_api_key_the_token() {
        let service = "MG0123456789abcdef0123456789abcdef";
        let twilio = twilio(Settings {
            messaging_service_sid: Some(service.to_owned()),
            api_key_sid: Some("SK1".to_owned()),
            api_key_secret: Some(Secret::new("s".to_owned())),
            auth_token: None,
            ..settings()
        });
        // A template's own sender is ignored too.
        let sms = Sms { from: Some("+15005550009"), ..sms(Some("https://login.example.com")) };
        let request = twilio.request(&sms);
        assert!(request.body.contains(&format!("MessagingServiceSid={service}")) && !request.body.contains("From="));
        assert!(!request.body.contains("StatusCallback"), "nobody could check the report's signature");
        assert!(request.headers.contains(&("authorization", "Basic U0sxOnM=".to_owned())));
    }

    #[test]
    fn a_templates_sender_goes_before_the_accounts() {
        let request = twilio(settings()).request(&Sms { from: Some("+15005550009"), ..sms(None) });
        assert!(request.body.contains("From=%2B15005550009"), "{}", request.body);
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |settings: Settings| settings.validate().err();
        assert_eq!(missing(Settings { account_sid: None, ..settings() }), Some("account_sid"));
        assert_eq!(missing(Settings { auth_token: None, ..settings() }), Some("auth_token"));
        assert_eq!(missing(Settings { from_number: None, ..settings() }), Some("from_number"));
        assert_eq!(missing(Settings { api_key_sid: Some("SK1".to_owned()), ..settings() }), Some("api_key_secret"));
    }

    #[test]
    fn answers_are_classified() {
        let cases = [
            (201, r#"{"sid":"SM1","num_segments":"2","status":"queued"}"#, "accepted"),
            (201, r#"{"sid":"SM1","num_segments":"0","status":"accepted"}"#, "accepted"),
            (429, r#"{"code":20429}"#, "retryable"),
            (429, "", "retryable"),
            (400, r#"{"code":21211}"#, "recipient_refused"),
            (400, r#"{"code":21610}"#, "recipient_refused"),
            (400, r#"{"code":21608}"#, "misconfigured"),
            (401, r#"{"code":20003}"#, "misconfigured"),
            (403, "", "misconfigured"),
            (400, r#"{"code":30450}"#, "fraud_blocked"),
            (400, r#"{"code":99999}"#, "misconfigured"),
            (301, "", "misconfigured"),
            (500, r#"{"code":20500}"#, "unknown"),
            (503, "<html>", "unknown"),
            (201, "garbage", "unknown"),
            (200, "{}", "unknown"),
        ];
        for (status, body, wanted) in cases {
            assert_eq!(answer(status, body).as_str(), wanted, "{status} {body}");
        }
        assert_eq!(outcome(Err(FetchError::Timeout)).as_str(), "unknown");
        assert_eq!(outcome(Err(FetchError::Network)).as_str(), "unknown");
        assert_eq!(
            answer(201, r#"{"sid":"SM1","num_segments":"2"}"#),
            Outcome::Accepted { provider_id: "SM1".to_owned(), segments: Some(2) }
        );
    }
}
