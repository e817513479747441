//! The mailer port: a whole e-mail handed to the platform, where it sends mail itself (Cloudflare's `send_email`).

use std::time::Duration;

use super::PortFuture;

/// A message for the platform. It holds a code, so it has no `Debug`.
#[derive(Clone)]
pub struct OutgoingMail {
    /// The envelope's sender: an address.
    pub from: String,
    /// The envelope's recipient: an address.
    pub to: String,
    /// The message as MIME.
    pub mime: String,
    /// The whole call's limit.
    pub timeout: Duration,
}

/// Why the platform did not say that it took a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailerError {
    /// There is no such binding in `wrangler.toml`.
    NoBinding,
    /// It refused, or failed; with its code and sentence, which may have an address in it.
    Refused {
        /// `E_…`, where it has one.
        code: Option<String>,
        /// For telling causes without a code apart; never shown.
        message: String,
    },
    /// The time limit passed: it may have gone out.
    Timeout,
}

/// The platform's own mail.
pub trait Mailer: Send + Sync {
    /// Hands a message over; gives the platform's id of it.
    fn send(&self, mail: OutgoingMail) -> PortFuture<'_, Result<String, MailerError>>;
}
