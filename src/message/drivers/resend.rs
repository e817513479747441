//! Resend: one JSON POST to `/emails` with a bearer key. `Idempotency-Key` makes a repetition harmless.

use serde_json::{Value, json};

use super::{Answer, Class, Mail, Outcome, Why, by_http_status, mail, no_answer};
use crate::{email::Mailbox, ports::OutgoingRequest, secret::Secret};

/// Resend's settings as they come, from bindings or storage.
#[derive(Clone, Default)]
pub struct Settings {
    /// `re_…`.
    pub api_key: Option<Secret>,
    /// Who sends.
    pub from: Option<Mailbox>,
    /// The API's base URL.
    pub api_base: Option<String>,
}

/// Resend, with all it needs.
#[derive(Clone)]
pub struct Resend {
    api_key: Secret,
    from: Mailbox,
    api_base: String,
}

impl Settings {
    /// Checks that the settings are complete: Resend, or the setting that is missing.
    pub fn validate(self) -> Result<Resend, &'static str> {
        let api_key = self.api_key.ok_or("api_key")?;
        let from = self.from.ok_or("from")?;
        Ok(Resend { api_key, from, api_base: self.api_base.ok_or("api_base")? })
    }
}

impl Resend {
    /// Who sends.
    pub fn from(&self) -> &Mailbox {
        &self.from
    }

    /// The request that sends an e-mail.
    pub fn request(&self, mail: &Mail<'_>) -> OutgoingRequest {
        let (name, value) = mail::AUTO_SUBMITTED;
        let body = json!({
            "from": mail.from.unicode(),
            "to": [mail.to],
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "headers": {name: value},
            "tags": [{"name": "message_id", "value": mail.message_id}, {"name": "template", "value": mail.template}],
        });
        let headers = vec![
            ("authorization", format!("Bearer {}", self.api_key.expose())),
            ("idempotency-key", mail.message_id.to_owned()),
        ];
        mail::json_post(format!("{}/emails", self.api_base), headers, &body, mail.timeout)
    }
}

/// What Resend's answer means.
pub fn outcome(answer: Answer) -> Outcome {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return no_answer("Resend", error),
    };
    let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    match (response.status, text("id"), text("name")) {
        (200..=299, Some(id), _) => Outcome::Accepted { provider_id: id.chars().take(64).collect(), segments: None },
        (400..=499, _, Some(name)) => by_name(response.status, name, text("message").unwrap_or_default()),
        (status, ..) => by_http_status("Resend", status),
    }
}

/// What Resend's errors mean, and what to do about those that operators meet first.
fn by_name(status: u16, name: &str, message: &str) -> Outcome {
    let (class, detail) = match name {
        "rate_limit_exceeded" => (Class::Retryable, "Resend takes fewer requests a second than came"),
        "daily_quota_exceeded" | "monthly_quota_exceeded" => {
            (Class::Misconfigured, "the Resend account's quota is used up: raise the plan in the Resend dashboard")
        }
        "missing_api_key" | "invalid_api_key" | "invalid_api_Key" | "restricted_api_key" | "suspended_api_key" => {
            (Class::Misconfigured, "Resend refused the key: compare RESEND_API_KEY with the Resend dashboard")
        }
        "validation_error" if status == 403 => (
            Class::Misconfigured,
            "Resend sends from verified domains only: verify the domain of EMAIL_FROM in the Resend dashboard",
        ),
        "invalid_from_address" => (Class::Misconfigured, "Resend refused the sender: check EMAIL_FROM"),
        // Its sentence begins with the field that it means.
        "validation_error" | "invalid_parameter" if message.contains("`to`") => {
            (Class::RecipientRefused, "Resend says that this is not an e-mail address")
        }
        "not_found" | "method_not_allowed" => {
            (Class::Misconfigured, "there is no such API of Resend at this base URL: check RESEND_API_BASE")
        }
        // The same message was sent before, or is being sent now.
        "concurrent_idempotent_requests" | "invalid_idempotent_request" => {
            return Outcome::Unknown(Why::new(
                named(name),
                "Resend had a request for this message before; it may have gone out",
            ));
        }
        _ => (Class::Misconfigured, "Resend refused the message: look the error up in Resend's API documents"),
    };
    class.outcome(Why::new(named(name), detail))
}

/// The carrier's code, no longer than a code is.
fn named(name: &str) -> String {
    name.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '_').take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::mail::tests, *};
    use crate::ports::{FetchError, OutgoingResponse};

    fn settings() -> Settings {
        Settings {
            api_key: Some(Secret::new("re_123".to_owned())),
            from: Some(tests::sender()),
            api_base: Some("https://api.resend.com".to_owned()),
        }
    }

    fn answer(status: u16, body: &str) -> Outcome {
        outcome(Ok(OutgoingResponse { status, body: body.to_owned() }))
    }

    #[test]
    fn wire_format_unchanged() {
        let resend = settings().validate().unwrap_or_else(|missing| panic!("{missing} is missing"));
        let request = resend.request(&tests::mail(resend.from()));
        assert_eq!((request.method, request.url.as_str()), ("POST", "https://api.resend.com/emails"));
        assert_eq!(
            request.headers,
            [
                ("authorization", "Bearer re_123".to_owned()),
                ("idempotency-key", "msg_1".to_owned()),
                ("content-type", "application/json".to_owned()),
                ("accept", "application/json".to_owned()),
            ]
        );
        assert_eq!(
            serde_json::from_str::<Value>(&request.body).ok(),
            Some(json!({
                "from": "\"Example, Inc.\" <no-reply@example.com>",
                "to": ["ana@example.com"],
                "subject": "042137 is your Example code",
                "text": "042137 is your code.",
                "html": "<p>042137</p>",
                "headers": {"Auto-Submitted": "auto-generated"},
                "tags": [{"name": "message_id", "value": "msg_1"}, {"name": "template", "value": "verification_code"}],
            }))
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |settings: Settings| settings.validate().err();
        assert_eq!(missing(Settings { api_key: None, ..settings() }), Some("api_key"));
        assert_eq!(missing(Settings { from: None, ..settings() }), Some("from"));
        assert_eq!(missing(settings()), None);
    }

    #[test]
    fn answers_are_classified() {
        let error = |status: u16, name: &str| {
            answer(status, &json!({"statusCode": status, "name": name, "message": "x"}).to_string())
        };
        for (status, name, wanted) in [
            (429, "rate_limit_exceeded", "retryable"),
            (429, "daily_quota_exceeded", "misconfigured"),
            (429, "monthly_quota_exceeded", "misconfigured"),
            (401, "missing_api_key", "misconfigured"),
            (401, "restricted_api_key", "misconfigured"),
            (403, "invalid_api_key", "misconfigured"),
            (403, "validation_error", "misconfigured"),
            (403, "invalid_from_address", "misconfigured"),
            (404, "not_found", "misconfigured"),
            (405, "method_not_allowed", "misconfigured"),
            (409, "concurrent_idempotent_requests", "unknown"),
            (409, "invalid_idempotent_request", "unknown"),
            (422, "validation_error", "misconfigured"),
            (422, "missing_required_field", "misconfigured"),
            (451, "security_error", "misconfigured"),
            (499, "something_new", "misconfigured"),
            (500, "application_error", "unknown"),
            (500, "internal_server_error", "unknown"),
            (503, "service_unavailable", "unknown"),
        ] {
            assert_eq!(error(status, name).as_str(), wanted, "{status} {name}");
        }
        let refused = r#"{"statusCode":422,"name":"validation_error","message":"Invalid `to` field."}"#;
        assert_eq!(answer(422, refused).as_str(), "recipient_refused");
        assert_eq!(
            answer(200, r#"{"id":"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}"#),
            Outcome::Accepted { provider_id: "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794".to_owned(), segments: None }
        );
        for (status, body, wanted) in [
            (200, "{}", "unknown"),
            (200, "garbage", "unknown"),
            (301, "", "misconfigured"),
            (403, "<html>", "misconfigured"),
            (408, "", "unknown"),
            (429, "", "retryable"),
            (502, "<html>", "unknown"),
        ] {
            assert_eq!(answer(status, body).as_str(), wanted, "{status} {body}");
        }
        assert_eq!(outcome(Err(FetchError::Timeout)).as_str(), "unknown");
        assert_eq!(outcome(Err(FetchError::Network)).as_str(), "unknown");
    }

    #[test]
    fn a_code_from_outside_is_kept_short_and_plain() {
        let body = json!({"name": "a b\n<".to_owned() + &"x".repeat(100), "message": ""}).to_string();
        assert_eq!(answer(400, &body).why().map(|why| why.code.clone()), Some(format!("ab{}", "x".repeat(38))));
    }
}
