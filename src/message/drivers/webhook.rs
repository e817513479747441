//! SMS and calls by webhook: the customer's own endpoint gets what a Send Phone Message hook gets, signed as Standard
//! Webhooks, and sends it. 2xx is taken, 422 says that this person cannot be reached, any other 4xx that it is wrong for
//! all; 429, 502, 503, 504 and a connection that was refused are tried once more at once.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Class, Outcome, Why, by_http_status, mail, no_answer};
use crate::{
    crypto::WebhookSecret,
    ports::{FetchError, OutgoingRequest},
    time::Timestamp,
};

/// What the endpoint and its secret are called, where somebody can change them: settings or variables.
#[derive(Clone, Copy)]
pub struct Names {
    /// Of the endpoint's URL.
    pub url: &'static str,
    /// Of what signs.
    pub secret: &'static str,
}

/// As the bindings have them.
const VARIABLES: Names = Names { url: "SMS_WEBHOOK_URL", secret: "SMS_WEBHOOK_SECRET" };

/// As the settings have them.
const SETTINGS: Names = Names { url: "sms.webhook.url", secret: "sms.webhook.secret" };

/// The webhook's settings as they come, from bindings or storage.
#[derive(Clone, Default)]
pub struct Settings {
    /// The endpoint.
    pub url: Option<String>,
    /// `whsec_…`: signs.
    pub secret: Option<WebhookSecret>,
    /// Whether they are stored as settings: then errors name those, and not the variables.
    pub stored: bool,
}

/// The endpoint, with all it needs.
#[derive(Clone)]
pub struct Webhook {
    url: String,
    secret: WebhookSecret,
    names: Names,
}

impl Settings {
    /// Checks that the settings are complete: the endpoint, or the setting that is missing.
    pub fn validate(self) -> Result<Webhook, &'static str> {
        let names = if self.stored { SETTINGS } else { VARIABLES };
        Ok(Webhook { url: self.url.ok_or("url")?, secret: self.secret.ok_or("secret")?, names })
    }
}

/// What the endpoint is to send.
pub struct HandedOver<'a> {
    /// Whether it is to be spoken: `voice.send`, and not `sms.send`.
    pub spoken: bool,
    /// To whom, E.164.
    pub recipient: &'a str,
    /// What it says.
    pub text: &'a str,
    /// Of what the endpoint may make another text.
    pub context: &'a Value,
    /// Our id of it. A driver is asked once for a message, so the same id again is a repetition.
    pub message_id: &'a str,
    /// Now.
    pub now: Timestamp,
    /// How long the endpoint may take to answer.
    pub timeout: Duration,
}

impl Webhook {
    /// The request that hands a message over.
    pub fn request(&self, message: &HandedOver<'_>) -> OutgoingRequest {
        let body = json!({
            "type": if message.spoken { "voice.send" } else { "sms.send" },
            "timestamp": message.now.to_string(),
            "data": {"recipient": message.recipient, "text": message.text, "context": message.context},
        });
        signed_post(&self.url, &self.secret, message.message_id, message.now, &body, message.timeout)
    }

    /// What the endpoint's answer means.
    pub fn outcome(&self, answer: Answer) -> Outcome {
        outcome(self.names, answer)
    }
}

/// A JSON POST, signed as Standard Webhooks.
pub(super) fn signed_post(
    url: &str,
    secret: &WebhookSecret,
    id: &str,
    now: Timestamp,
    body: &Value,
    timeout: Duration,
) -> OutgoingRequest {
    let seconds = now.millis() / 1000;
    let mut request = mail::json_post(url.to_owned(), Vec::new(), body, timeout);
    let signature = secret.sign(id, seconds, &request.body);
    request.headers.extend([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature),
    ]);
    request
}

/// Whether it is worth trying once more at once. The repetition has the same id, so an endpoint that took it and lost the
/// connection can tell. After a time limit there is no time for it.
pub fn once_more(answer: &Answer) -> bool {
    match answer {
        Ok(response) => matches!(response.status, 429 | 502..=504) || is_refused(response.status),
        Err(FetchError::Network) => true,
        Err(FetchError::Timeout) => false,
    }
}

/// Cloudflare's own statuses for an origin that nobody could talk to: refused, unreachable, no TLS, no such name. The
/// request certainly did not get there.
fn is_refused(status: u16) -> bool {
    matches!(status, 521 | 523 | 525 | 526 | 530)
}

/// What an endpoint's answer means. Its body may have an `id`, which is kept.
pub(super) fn outcome(names: Names, answer: Answer) -> Outcome {
    let Names { url, secret } = names;
    let response = match answer {
        Ok(response) => response,
        Err(error) => return no_answer(url, error),
    };
    let status = response.status;
    let why = |what: &str| Why::new(format!("http_{status}"), format!("{url} {what}"));
    match status {
        200..=299 => {
            let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
            let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
            Outcome::Accepted { provider_id: id.chars().take(64).collect(), segments: None }
        }
        422 => Class::RecipientRefused.outcome(why("says that this person cannot be reached")),
        401 | 403 => Class::Misconfigured.outcome(why(&format!("refused the signature: compare {secret}"))),
        status if is_refused(status) => Class::Retryable.outcome(why("could not be connected to")),
        status => by_http_status(url, status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::OutgoingResponse;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn settings() -> Settings {
        Settings {
            url: Some("https://app.example.com/hooks/sms?k=1".to_owned()),
            secret: WebhookSecret::parse(SECRET),
            stored: false,
        }
    }

    fn webhook(settings: Settings) -> Webhook {
        settings.validate().unwrap_or_else(|missing| panic!("{missing} is missing"))
    }

    #[allow(clippy::unnecessary_wraps, reason = "it is what the port gives")]
    fn answered(status: u16, body: &str) -> Answer {
        Ok(OutgoingResponse { status, body: body.to_owned() })
    }

    #[test]
    fn wire_format_unchanged() {
        let context = json!({"code": "042137"});
        let message = HandedOver {
            spoken: false,
            recipient: "+14155552671",
            text: "042137 is your code.",
            context: &context,
            message_id: "msg_1",
            now: Timestamp::from_millis(1_795_310_876_042),
            timeout: Duration::from_secs(4),
        };
        let request = webhook(settings()).request(&message);
        assert_eq!((request.method, request.url.as_str()), ("POST", "https://app.example.com/hooks/sms?k=1"));
        let header = |name: &str| request.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        assert_eq!((header("webhook-id"), header("webhook-timestamp")), (Some("msg_1"), Some("1795310876")));
        assert_eq!(header("content-type"), Some("application/json"));
        let theirs = standardwebhooks::Webhook::new(SECRET).expect("a secret");
        let wanted = theirs.sign("msg_1", 1_795_310_876, request.body.as_bytes()).ok();
        assert_eq!(header("webhook-signature"), wanted.as_deref());
        let sent = |request: &OutgoingRequest| serde_json::from_str::<Value>(&request.body).ok();
        let data = json!({"recipient": "+14155552671", "text": "042137 is your code.", "context": context});
        let timestamp = "2026-11-22T01:27:56.042Z";
        assert_eq!(sent(&request), Some(json!({"type": "sms.send", "timestamp": timestamp, "data": data})));
        let spoken = webhook(settings()).request(&HandedOver { spoken: true, ..message });
        assert_eq!(sent(&spoken), Some(json!({"type": "voice.send", "timestamp": timestamp, "data": data})));
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |settings: Settings| settings.validate().err();
        assert_eq!(missing(Settings { url: None, ..settings() }), Some("url"));
        assert_eq!(missing(Settings { secret: None, ..settings() }), Some("secret"));
        assert_eq!(missing(settings()), None);
    }

    #[test]
    fn answers_are_classified_and_some_are_worth_another_try() {
        let taken = |id: &str| Outcome::Accepted { provider_id: id.to_owned(), segments: None };
        let webhook = webhook(settings());
        assert_eq!(webhook.outcome(answered(200, r#"{"id":"abc"}"#)), taken("abc"));
        assert_eq!(webhook.outcome(answered(204, "")), taken(""));
        for (status, wanted, again) in [
            (200, "accepted", false),
            (302, "misconfigured", false),
            (400, "misconfigured", false),
            (401, "misconfigured", false),
            (408, "unknown", false),
            (410, "misconfigured", false),
            (422, "recipient_refused", false),
            (429, "retryable", true),
            (500, "unknown", false),
            (502, "unknown", true),
            (503, "unknown", true),
            (504, "unknown", true),
            (521, "retryable", true),
            (522, "unknown", false),
            (523, "retryable", true),
            (526, "retryable", true),
            (530, "retryable", true),
        ] {
            let answer = answered(status, "");
            assert_eq!((once_more(&answer), webhook.outcome(answer).as_str()), (again, wanted), "{status}");
        }
        for (error, again) in [(FetchError::Timeout, false), (FetchError::Network, true)] {
            assert_eq!((once_more(&Err(error)), webhook.outcome(Err(error)).as_str()), (again, "unknown"));
        }
    }

    #[test]
    fn errors_name_what_can_be_changed() {
        for (stored, wanted) in [
            (false, "SMS_WEBHOOK_URL refused the signature: compare SMS_WEBHOOK_SECRET"),
            (true, "sms.webhook.url refused the signature: compare sms.webhook.secret"),
        ] {
            let webhook = webhook(Settings { stored, ..settings() });
            let outcome = webhook.outcome(answered(401, ""));
            assert_eq!(outcome.why().map(|why| why.detail.as_str()), Some(wanted));
        }
    }
}
