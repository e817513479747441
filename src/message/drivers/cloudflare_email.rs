//! Cloudflare's `send_email` binding, `EMAIL` in `wrangler.toml`: a whole message as MIME, sent by the platform.

use super::{Class, Mail, Outcome, Why};
use crate::{
    email::{Mailbox, Mime},
    ports::{MailerError, OutgoingMail},
};

/// The binding's name.
pub const BINDING: &str = "EMAIL";

/// The binding, with all it needs.
#[derive(Clone)]
pub struct CloudflareEmail {
    from: Mailbox,
}

impl CloudflareEmail {
    /// Through the binding, from this sender.
    pub fn new(from: Mailbox) -> Self {
        Self { from }
    }

    /// Who sends.
    pub fn from(&self) -> &Mailbox {
        &self.from
    }

    /// The message that is handed over.
    pub fn message(&self, mail: &Mail<'_>) -> OutgoingMail {
        let mime = Mime {
            from: mail.from,
            to: mail.to,
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            id: mail.message_id,
            date: mail.now,
        };
        OutgoingMail {
            from: mail.from.address().given().to_owned(),
            to: mail.to.to_owned(),
            mime: mime.write(),
            timeout: mail.timeout,
        }
    }
}

/// What the platform's answer means.
pub fn outcome(answer: Result<String, MailerError>) -> Outcome {
    let (code, message) = match answer {
        Ok(id) => return Outcome::Accepted { provider_id: id.chars().take(64).collect(), segments: None },
        Err(MailerError::Timeout) => {
            let detail = "Cloudflare did not answer in time; the message may have gone out";
            return Outcome::Unknown(Why::new("timeout", detail));
        }
        Err(MailerError::NoBinding) => {
            let detail = "wrangler.toml has no binding EMAIL: add [[send_email]] with name = \"EMAIL\"";
            return Class::Misconfigured.outcome(Why::new("no_binding", detail));
        }
        Err(MailerError::Refused { code, message }) => (code, message),
    };
    // Email Routing alone refuses with a sentence and no code.
    let unverified = message.contains("not a verified address");
    let code = match code.as_deref() {
        None if unverified => "E_RECIPIENT_NOT_ALLOWED",
        None => "unknown",
        Some(code) => code,
    };
    let (class, detail) = match code {
        "E_RECIPIENT_SUPPRESSED" => (
            Class::RecipientRefused,
            "the address bounced before, or its owner has complained: see the suppression list of Email Service",
        ),
        "E_RECIPIENT_NOT_ALLOWED" | "RCPT_NOT_ALLOWED" => (
            Class::Misconfigured,
            "Cloudflare sends to verified addresses only while Email Sending is not set up for the domain, or the binding EMAIL allows others only",
        ),
        "E_SENDER_NOT_VERIFIED" | "E_SENDER_DOMAIN_NOT_AVAILABLE" => (
            Class::Misconfigured,
            "Cloudflare does not send from this domain: set Email Sending up for the domain of EMAIL_FROM",
        ),
        "E_RATE_LIMIT_EXCEEDED" => (Class::Retryable, "Cloudflare takes fewer messages a second than came"),
        "E_DAILY_LIMIT_EXCEEDED" => {
            (Class::Misconfigured, "the Cloudflare account's daily limit of messages is reached")
        }
        // The platform's own faults: it may have gone out.
        "E_DELIVERY_FAILED" | "E_INTERNAL_SERVER_ERROR" | "unknown" => {
            let detail = "Cloudflare failed while it sent; the message may have gone out";
            return Outcome::Unknown(Why::new(short(code), detail));
        }
        _ => (Class::Misconfigured, "Cloudflare refused the message: look the code up in Email Service's documents"),
    };
    class.outcome(Why::new(short(code), detail))
}

fn short(code: &str) -> String {
    code.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '_').take(40).collect()
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::{super::mail::tests, *};

    #[test]
    fn the_message_is_the_mail() {
        let driver = CloudflareEmail::new(tests::sender());
        let message = driver.message(&tests::mail(driver.from()));
        assert_eq!((message.from.as_str(), message.to.as_str()), ("no-reply@example.com", "ana@example.com"));
        let parsed = MessageParser::default().parse(&message.mime).expect("a message");
        assert_eq!(parsed.subject(), Some("042137 is your Example code"));
        assert_eq!(parsed.message_id(), Some("msg_1@example.com"));
        assert_eq!(parsed.body_text(0).as_deref(), Some("042137 is your code."));
        assert_eq!(parsed.body_html(0).as_deref(), Some("<p>042137</p>"));
    }

    #[test]
    fn answers_are_classified() {
        let refused = |code: Option<&str>, message: &str| {
            outcome(Err(MailerError::Refused { code: code.map(str::to_owned), message: message.to_owned() }))
        };
        for (code, wanted) in [
            ("E_RECIPIENT_SUPPRESSED", "recipient_refused"),
            ("E_RECIPIENT_NOT_ALLOWED", "misconfigured"),
            ("RCPT_NOT_ALLOWED", "misconfigured"),
            ("E_SENDER_NOT_VERIFIED", "misconfigured"),
            ("E_SENDER_DOMAIN_NOT_AVAILABLE", "misconfigured"),
            ("E_RATE_LIMIT_EXCEEDED", "retryable"),
            ("E_DAILY_LIMIT_EXCEEDED", "misconfigured"),
            ("E_DELIVERY_FAILED", "unknown"),
            ("E_INTERNAL_SERVER_ERROR", "unknown"),
            ("E_VALIDATION_ERROR", "misconfigured"),
            ("E_SOMETHING_NEW", "misconfigured"),
        ] {
            assert_eq!(refused(Some(code), "").as_str(), wanted, "{code}");
        }
        assert_eq!(refused(None, "destination address is not a verified address").as_str(), "misconfigured");
        assert_eq!(refused(None, "internal error").as_str(), "unknown");
        assert_eq!(outcome(Err(MailerError::Timeout)).as_str(), "unknown");
        assert!(outcome(Err(MailerError::NoBinding)).why().is_some_and(|why| why.detail.contains("EMAIL")));
        assert_eq!(outcome(Ok("id".to_owned())), Outcome::Accepted { provider_id: "id".to_owned(), segments: None });
    }
}
