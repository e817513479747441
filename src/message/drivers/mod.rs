//! Message drivers: each knows one carrier's wire format and nothing else. A file has the settings with
//! `validate()`, the request, and what the carrier's answers mean.

pub mod call;
pub mod cloudflare_email;
pub mod email_webhook;
mod mail;
pub mod postmark;
pub mod resend;
pub mod twilio;
pub mod twilio_feedback;
pub mod twilio_signature;
pub mod twilio_verify;
pub mod twilio_voice;
pub mod vonage;
pub mod vonage_receipt;
pub mod vonage_voice;
pub mod vonage_webhook;
pub mod webhook;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};

pub use mail::Mail;

use crate::{
    config::EmailDriver,
    ports::{FetchError, OutgoingRequest, OutgoingResponse, Ports},
    secret::Secret,
};

/// One SMS as a driver gets it.
pub struct Sms<'a> {
    /// To whom, E.164.
    pub to: &'a str,
    /// Who sends it, instead of the driver's sender; a Messaging Service takes no heed of it.
    pub from: Option<&'a str>,
    /// The text.
    pub body: &'a str,
    /// Whether the text needs UCS-2.
    pub unicode: bool,
    /// The code in it.
    pub code: Option<&'a str>,
    /// How long it is worth delivering.
    pub lifetime: Duration,
    /// Our id of it.
    pub message_id: &'a str,
    /// Where delivery reports go; only with https.
    pub callback_base: Option<&'a str>,
    /// Where this message's reports go, for a carrier that signs none: the address proves itself.
    pub report_to: Option<&'a str>,
    /// How long the carrier may take to answer.
    pub timeout: Duration,
    /// Now, in seconds since 1970, for signatures.
    pub unix_seconds: i64,
}

/// Why something did not work: the carrier's code and a sentence with the remedy. It goes to the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The carrier's code, or `http_503`, `timeout`, `connection_lost`.
    pub code: String,
    /// What it means and what to do.
    pub detail: String,
}

impl Why {
    /// A code and its sentence.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}

/// What became of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The carrier took it.
    Accepted {
        /// The carrier's id of it.
        provider_id: String,
        /// How many SMS it made of it, where it says so.
        segments: Option<u32>,
    },
    /// It did not go out; another try or driver may work.
    Retryable(Why),
    /// It did not go out, and will not for this person.
    RecipientRefused(Why),
    /// It did not go out: the account or the settings are wrong, for everybody.
    Misconfigured(Why),
    /// The carrier thinks it is fraud. Final: no other driver is asked.
    FraudBlocked(Why),
    /// It may have gone out. Not repeated on this driver.
    Unknown(Why),
}

impl Outcome {
    /// The stable name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Retryable(_) => "retryable",
            Self::RecipientRefused(_) => "recipient_refused",
            Self::Misconfigured(_) => "misconfigured",
            Self::FraudBlocked(_) => "fraud_blocked",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Why it did not work, if it did not.
    pub fn why(&self) -> Option<&Why> {
        match self {
            Self::Accepted { .. } => None,
            Self::Retryable(why)
            | Self::RecipientRefused(why)
            | Self::Misconfigured(why)
            | Self::FraudBlocked(why)
            | Self::Unknown(why) => Some(why),
        }
    }
}

/// A class of a carrier's code.
#[derive(Clone, Copy)]
enum Class {
    Retryable,
    RecipientRefused,
    Misconfigured,
    FraudBlocked,
}

impl Class {
    fn outcome(self, why: Why) -> Outcome {
        match self {
            Self::Retryable => Outcome::Retryable(why),
            Self::RecipientRefused => Outcome::RecipientRefused(why),
            Self::Misconfigured => Outcome::Misconfigured(why),
            Self::FraudBlocked => Outcome::FraudBlocked(why),
        }
    }
}

/// What no answer means: it may have gone out (law 7).
fn no_answer(carrier: &str, error: FetchError) -> Outcome {
    Outcome::Unknown(match error {
        FetchError::Timeout => {
            Why::new("timeout", format!("{carrier} did not answer in time; the message may have gone out"))
        }
        FetchError::Network => {
            Why::new("connection_lost", format!("the connection to {carrier} was lost; the message may have gone out"))
        }
    })
}

/// What a status without a readable error means, the same for every carrier.
fn by_http_status(carrier: &str, status: u16) -> Outcome {
    let code = format!("http_{status}");
    match status {
        429 => Outcome::Retryable(Why::new(code, format!("{carrier} takes fewer requests a second than came"))),
        401 | 403 => Outcome::Misconfigured(Why::new(code, format!("{carrier} refused the credentials: check them"))),
        300..=399 | 404 => Outcome::Misconfigured(Why::new(
            code,
            format!("there is no such API of {carrier} at this base URL: check it"),
        )),
        408 => Outcome::Unknown(Why::new(code, format!("{carrier} timed out; the message may have gone out"))),
        400..=499 => {
            Outcome::Misconfigured(Why::new(code, format!("{carrier} refused the request without saying why")))
        }
        // A 5xx, or a 2xx that cannot be read: it may have gone out.
        _ => Outcome::Unknown(Why::new(code, format!("{carrier} answered {status}; the message may have gone out"))),
    }
}

/// `Authorization: Basic`.
fn basic(user: &str, password: &Secret) -> (&'static str, String) {
    ("authorization", format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose()))))
}

/// A form-encoded POST.
fn form_post(
    url: String,
    mut headers: Vec<(&'static str, String)>,
    fields: &[(&str, &str)],
    timeout: Duration,
) -> OutgoingRequest {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
    headers.push(("accept", "application/json".to_owned()));
    OutgoingRequest { method: "POST", url, headers, body: body.finish(), timeout }
}

/// Asks the driver to carry an e-mail, once.
pub async fn send_mail(ports: &Ports, driver: &EmailDriver, mail: &Mail<'_>) -> Outcome {
    match driver {
        // A dropped message never comes here; were it to, nothing goes out.
        EmailDriver::Null => Outcome::Accepted { provider_id: mail.message_id.to_owned(), segments: None },
        EmailDriver::Resend(resend) => resend::outcome(ports.fetch.fetch(resend.request(mail)).await),
        EmailDriver::Postmark(postmark) => postmark::outcome(ports.fetch.fetch(postmark.request(mail)).await),
        EmailDriver::Webhook(webhook) => webhook.outcome(ports.fetch.fetch(webhook.request(mail)).await),
        EmailDriver::Cloudflare(binding) => cloudflare_email::outcome(ports.mailer.send(binding.message(mail)).await),
    }
}

/// What a driver answers with.
type Answer = Result<OutgoingResponse, FetchError>;
