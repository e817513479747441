//! Postmark: one JSON POST to `/email` with a server token, on the transactional stream, without tracking.

use serde_json::{Value, json};

use super::{Answer, Class, Mail, Outcome, Why, by_http_status, mail, no_answer};
use crate::{email::Mailbox, ports::OutgoingRequest, secret::Secret};

/// Postmark's settings as they come, from bindings or storage.
#[derive(Clone, Default)]
pub struct Settings {
    /// The server's token.
    pub server_token: Option<Secret>,
    /// Who sends.
    pub from: Option<Mailbox>,
    /// The API's base URL.
    pub api_base: Option<String>,
}

/// Postmark, with all it needs.
#[derive(Clone)]
pub struct Postmark {
    server_token: Secret,
    from: Mailbox,
    api_base: String,
}

impl Settings {
    /// Checks that the settings are complete: Postmark, or the setting that is missing.
    pub fn validate(self) -> Result<Postmark, &'static str> {
        let server_token = self.server_token.ok_or("server_token")?;
        let from = self.from.ok_or("from")?;
        Ok(Postmark { server_token, from, api_base: self.api_base.ok_or("api_base")? })
    }
}

impl Postmark {
    /// Who sends.
    pub fn from(&self) -> &Mailbox {
        &self.from
    }

    /// The request that sends an e-mail. A code's mail has no link to track and no image to count.
    pub fn request(&self, mail: &Mail<'_>) -> OutgoingRequest {
        let (name, value) = mail::AUTO_SUBMITTED;
        let body = json!({
            "From": mail.from.unicode(),
            "To": mail.to,
            "Subject": mail.subject,
            "TextBody": mail.text,
            "HtmlBody": mail.html,
            "Headers": [{"Name": name, "Value": value}],
            "Metadata": {"message_id": mail.message_id},
            "Tag": mail.template,
            "MessageStream": "outbound",
            "TrackOpens": false,
            "TrackLinks": "None",
        });
        let headers = vec![("x-postmark-server-token", self.server_token.expose().to_owned())];
        mail::json_post(format!("{}/email", self.api_base), headers, &body, mail.timeout)
    }
}

/// What Postmark's answer means.
pub fn outcome(answer: Answer) -> Outcome {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return no_answer("Postmark", error),
    };
    let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    let id = body.get("MessageID").and_then(Value::as_str);
    let message = body.get("Message").and_then(Value::as_str).unwrap_or_default();
    match (response.status, body.get("ErrorCode").and_then(Value::as_u64), id) {
        (200..=299, Some(0), Some(id)) => {
            Outcome::Accepted { provider_id: id.chars().take(64).collect(), segments: None }
        }
        (200..=499, Some(code), _) if code != 0 => by_code(code, message),
        (status, ..) => by_http_status("Postmark", status),
    }
}

/// What Postmark's error codes mean, and what to do about those that operators meet first.
fn by_code(code: u64, message: &str) -> Outcome {
    let (class, detail) = match code {
        100 | 429 => (Class::Retryable, "Postmark is under maintenance, or takes fewer requests a second than came"),
        10 => (
            Class::Misconfigured,
            "Postmark refused the token: compare POSTMARK_SERVER_TOKEN with the server's API tokens in Postmark",
        ),
        // Its sentence names the field that it means.
        300 if message.contains("'To'") => {
            (Class::RecipientRefused, "Postmark says that this is not an e-mail address")
        }
        400 | 401 => (
            Class::Misconfigured,
            "the sender is no confirmed sender signature or domain of this Postmark account: confirm it, or check EMAIL_FROM",
        ),
        300 if message.contains("'From'") => (Class::Misconfigured, "Postmark refused the sender: check EMAIL_FROM"),
        405 => (Class::Misconfigured, "the Postmark account's credits are used up: see billing in Postmark"),
        406 => (
            Class::RecipientRefused,
            "the address bounced before, or its owner has complained or unsubscribed: reactivate it in Postmark first",
        ),
        412 => (
            Class::Misconfigured,
            "a Postmark account that is not approved yet sends to its own domain only: ask for approval in Postmark",
        ),
        413 => (Class::Misconfigured, "the Postmark account may not send: see the Postmark account"),
        1235 => (Class::Misconfigured, "the Postmark server has no stream `outbound`: make one in Postmark"),
        _ => (Class::Misconfigured, "Postmark refused the message: look the code up in Postmark's API documents"),
    };
    class.outcome(Why::new(code.to_string(), detail))
}

#[cfg(test)]
mod tests {
    use super::{super::mail::tests, *};
    use crate::ports::{FetchError, OutgoingResponse};

    fn settings() -> Settings {
        Settings {
            server_token: Some(Secret::new("token".to_owned())),
            from: Some(tests::sender()),
            api_base: Some("https://api.postmarkapp.com".to_owned()),
        }
    }

    fn answer(status: u16, body: &str) -> Outcome {
        outcome(Ok(OutgoingResponse { status, body: body.to_owned() }))
    }

    #[test]
    fn wire_format_unchanged() {
        let postmark = settings().validate().unwrap_or_else(|missing| panic!("{missing} is missing"));
        let request = postmark.request(&tests::mail(postmark.from()));
        assert_eq!((request.method, request.url.as_str()), ("POST", "https://api.postmarkapp.com/email"));
        assert_eq!(
            request.headers,
            [
                ("x-postmark-server-token", "token".to_owned()),
                ("content-type", "application/json".to_owned()),
                ("accept", "application/json".to_owned()),
            ]
        );
        assert_eq!(
            serde_json::from_str::<Value>(&request.body).ok(),
            Some(json!({
                "From": "\"Example, Inc.\" <no-reply@example.com>",
                "To": "ana@example.com",
                "Subject": "042137 is your Example code",
                "TextBody": "042137 is your code.",
                "HtmlBody": "<p>042137</p>",
                "Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}],
                "Metadata": {"message_id": "msg_1"},
                "Tag": "verification_code",
                "MessageStream": "outbound",
                "TrackOpens": false,
                "TrackLinks": "None",
            }))
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |settings: Settings| settings.validate().err();
        assert_eq!(missing(Settings { server_token: None, ..settings() }), Some("server_token"));
        assert_eq!(missing(Settings { from: None, ..settings() }), Some("from"));
        assert_eq!(missing(settings()), None);
    }

    #[test]
    fn answers_are_classified() {
        let error = |status: u16, code: u64, message: &str| {
            answer(status, &json!({"ErrorCode": code, "Message": message}).to_string())
        };
        for (status, code, wanted) in [
            (401, 10, "misconfigured"),
            (422, 100, "retryable"),
            (422, 300, "misconfigured"),
            (422, 400, "misconfigured"),
            (422, 401, "misconfigured"),
            (422, 402, "misconfigured"),
            (422, 405, "misconfigured"),
            (422, 406, "recipient_refused"),
            (422, 412, "misconfigured"),
            (422, 413, "misconfigured"),
            (429, 429, "retryable"),
            (422, 1235, "misconfigured"),
            (422, 99_999, "misconfigured"),
            (200, 406, "recipient_refused"),
            (500, 500, "unknown"),
        ] {
            assert_eq!(error(status, code, "").as_str(), wanted, "{status} {code}");
        }
        assert_eq!(error(422, 300, "Error parsing 'To': Illegal email address").as_str(), "recipient_refused");
        let sender = error(422, 300, "Invalid 'From' address");
        assert!(sender.why().is_some_and(|why| why.detail.contains("EMAIL_FROM")), "{sender:?}");
        assert_eq!(
            answer(
                200,
                r#"{"To":"a@b.c","MessageID":"0a129aee-e1cd-480d-b08d-4f48548ff48d","ErrorCode":0,"Message":"OK"}"#
            ),
            Outcome::Accepted { provider_id: "0a129aee-e1cd-480d-b08d-4f48548ff48d".to_owned(), segments: None }
        );
        for (status, body, wanted) in [
            (200, "{}", "unknown"),
            (200, r#"{"ErrorCode":0}"#, "unknown"),
            (200, "garbage", "unknown"),
            (404, "", "misconfigured"),
            (429, "", "retryable"),
            (503, "", "unknown"),
        ] {
            assert_eq!(answer(status, body).as_str(), wanted, "{status} {body}");
        }
        assert_eq!(outcome(Err(FetchError::Timeout)).as_str(), "unknown");
        assert_eq!(outcome(Err(FetchError::Network)).as_str(), "unknown");
    }
}
