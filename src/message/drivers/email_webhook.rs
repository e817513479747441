//! E-mail by webhook: the customer's own endpoint gets the mail as JSON, signed as Standard Webhooks, and sends it.
//! 2xx is taken; 422 says that this person cannot be reached, 429 to ask later, any other 4xx that it is wrong for all.

use serde_json::json;

use super::{
    Answer, Mail, Outcome,
    webhook::{self, Names, signed_post},
};
use crate::{crypto::WebhookSecret, email::Mailbox, ports::OutgoingRequest};

/// As the bindings have them.
const VARIABLES: Names = Names { url: "EMAIL_WEBHOOK_URL", secret: "EMAIL_WEBHOOK_SECRET" };

/// As the settings have them.
const SETTINGS: Names = Names { url: "email.webhook.url", secret: "email.webhook.secret" };

/// The webhook's settings as they come, from bindings or storage.
#[derive(Clone, Default)]
pub struct Settings {
    /// The endpoint.
    pub url: Option<String>,
    /// `whsec_…`: signs.
    pub secret: Option<WebhookSecret>,
    /// Who sends.
    pub from: Option<Mailbox>,
    /// Whether they are stored as settings: then errors name those, and not the variables.
    pub stored: bool,
}

/// The endpoint, with all it needs.
#[derive(Clone)]
pub struct EmailWebhook {
    url: String,
    secret: WebhookSecret,
    from: Mailbox,
    names: Names,
}

impl Settings {
    /// Checks that the settings are complete: the endpoint, or the setting that is missing.
    pub fn validate(self) -> Result<EmailWebhook, &'static str> {
        let url = self.url.ok_or("url")?;
        let secret = self.secret.ok_or("secret")?;
        let names = if self.stored { SETTINGS } else { VARIABLES };
        Ok(EmailWebhook { url, secret, from: self.from.ok_or("from")?, names })
    }
}

impl EmailWebhook {
    /// Who sends.
    pub fn from(&self) -> &Mailbox {
        &self.from
    }

    /// The request that hands an e-mail over. `webhook-id` is the message's: the same one twice is a repetition.
    pub fn request(&self, mail: &Mail<'_>) -> OutgoingRequest {
        let body = json!({
            "type": "email.send",
            "timestamp": mail.now.to_string(),
            "data": {
                "id": mail.message_id,
                "template": mail.template,
                "from": {"address": mail.from.address().given(), "name": mail.from.name()},
                "to": mail.to,
                "subject": mail.subject,
                "text": mail.text,
                "html": mail.html,
                "code": mail.code,
            },
        });
        signed_post(&self.url, &self.secret, mail.message_id, mail.now, &body, mail.timeout)
    }

    /// What the endpoint's answer means. Its body may have an `id`, which is kept.
    pub fn outcome(&self, answer: Answer) -> Outcome {
        webhook::outcome(self.names, answer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{super::mail::tests, *};
    use crate::ports::{FetchError, OutgoingResponse};

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn settings() -> Settings {
        Settings {
            url: Some("https://app.example.com/hooks/email?k=1".to_owned()),
            secret: WebhookSecret::parse(SECRET),
            from: Some(tests::sender()),
            stored: false,
        }
    }

    fn webhook() -> EmailWebhook {
        settings().validate().unwrap_or_else(|missing| panic!("{missing} is missing"))
    }

    fn answer(status: u16, body: &str) -> Outcome {
        webhook().outcome(Ok(OutgoingResponse { status, body: body.to_owned() }))
    }

    #[test]
    fn wire_format_unchanged() {
        let webhook = webhook();
        let request = webhook.request(&tests::mail(webhook.from()));
        assert_eq!((request.method, request.url.as_str()), ("POST", "https://app.example.com/hooks/email?k=1"));
        let header = |name: &str| request.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        assert_eq!((header("webhook-id"), header("webhook-timestamp")), (Some("msg_1"), Some("1795310876")));
        assert_eq!(header("content-type"), Some("application/json"));
        let theirs = standardwebhooks::Webhook::new(SECRET).expect("a secret");
        let wanted = theirs.sign("msg_1", 1_795_310_876, request.body.as_bytes()).ok();
        assert_eq!(header("webhook-signature"), wanted.as_deref());
        assert_eq!(
            serde_json::from_str::<Value>(&request.body).ok(),
            Some(json!({
                "type": "email.send",
                "timestamp": "2026-11-22T01:27:56.042Z",
                "data": {
                    "id": "msg_1",
                    "template": "verification_code",
                    "from": {"address": "no-reply@example.com", "name": "Example, Inc."},
                    "to": "ana@example.com",
                    "subject": "042137 is your Example code",
                    "text": "042137 is your code.",
                    "html": "<p>042137</p>",
                    "code": "042137",
                },
            }))
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |settings: Settings| settings.validate().err();
        assert_eq!(missing(Settings { url: None, ..settings() }), Some("url"));
        assert_eq!(missing(Settings { secret: None, ..settings() }), Some("secret"));
        assert_eq!(missing(Settings { from: None, ..settings() }), Some("from"));
        assert_eq!(missing(settings()), None);
    }

    #[test]
    fn answers_are_classified() {
        let taken = |id: &str| Outcome::Accepted { provider_id: id.to_owned(), segments: None };
        assert_eq!(answer(200, r#"{"id":"abc"}"#), taken("abc"));
        assert_eq!(answer(204, ""), taken(""));
        for (status, wanted) in [
            (400, "misconfigured"),
            (401, "misconfigured"),
            (302, "misconfigured"),
            (410, "misconfigured"),
            (422, "recipient_refused"),
            (429, "retryable"),
            (500, "unknown"),
            (503, "unknown"),
        ] {
            assert_eq!(answer(status, "").as_str(), wanted, "{status}");
        }
        assert_eq!(webhook().outcome(Err(FetchError::Timeout)).as_str(), "unknown");
        assert_eq!(webhook().outcome(Err(FetchError::Network)).as_str(), "unknown");
    }
}
