//! What the e-mail drivers have in common: one e-mail as a driver gets it, and the JSON POST.

use std::time::Duration;

use serde_json::Value;

use crate::{email::Mailbox, ports::OutgoingRequest, time::Timestamp};

/// One e-mail as a driver gets it. It holds a code, so it has no `Debug`.
pub struct Mail<'a> {
    /// Who sends.
    pub from: &'a Mailbox,
    /// To whom: an address.
    pub to: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The part for programs that show text.
    pub text: &'a str,
    /// The part for all others.
    pub html: &'a str,
    /// The template's slug.
    pub template: &'a str,
    /// The code in it, for who writes the mail anew.
    pub code: Option<&'a str>,
    /// Our id of it. A driver is asked once for a message, so it also tells a repetition.
    pub message_id: &'a str,
    /// How long the carrier may take to answer.
    pub timeout: Duration,
    /// Now.
    pub now: Timestamp,
}

/// No holiday notice has to come back (RFC 3834 §5).
pub(super) const AUTO_SUBMITTED: (&str, &str) = ("Auto-Submitted", "auto-generated");

/// A JSON POST.
pub(super) fn json_post(
    url: String,
    mut headers: Vec<(&'static str, String)>,
    body: &Value,
    timeout: Duration,
) -> OutgoingRequest {
    headers.push(("content-type", "application/json".to_owned()));
    headers.push(("accept", "application/json".to_owned()));
    OutgoingRequest { method: "POST", url, headers, body: body.to_string(), timeout }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The sender of the drivers' tests.
    pub(in crate::message::drivers) fn sender() -> Mailbox {
        Mailbox::parse("Example, Inc. <no-reply@example.com>").expect("a sender")
    }

    /// The mail of the drivers' tests.
    pub(in crate::message::drivers) fn mail(from: &Mailbox) -> Mail<'_> {
        Mail {
            from,
            to: "ana@example.com",
            subject: "042137 is your Example code",
            text: "042137 is your code.",
            html: "<p>042137</p>",
            template: "verification_code",
            code: Some("042137"),
            message_id: "msg_1",
            timeout: Duration::from_secs(4),
            now: Timestamp::from_millis(1_795_310_876_042),
        }
    }
}
