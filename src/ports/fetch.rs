//! The fetch port: one HTTP call to a carrier, with a time limit and a bounded answer.

use std::time::Duration;

use super::PortFuture;

/// A request to a carrier. It holds credentials and a code, so it has no `Debug`.
#[derive(Clone)]
pub struct OutgoingRequest {
    /// `POST` for all that sends, `GET` (without a body) for what asks.
    pub method: &'static str,
    /// The absolute URL.
    pub url: String,
    /// Header names in lower case, and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body, already encoded.
    pub body: String,
    /// The whole call's limit, reading the answer included.
    pub timeout: Duration,
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub struct OutgoingResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body's first 128 KiB, as text; what is not UTF-8 is replaced.
    pub body: String,
}

/// Why there is no answer. Each may have reached the carrier: treat it as possibly sent (law 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The time limit passed.
    #[error("no answer in time")]
    Timeout,
    /// Refused, reset, dropped, or not HTTP.
    #[error("the connection was lost")]
    Network,
}

/// The largest answer that is read, in bytes.
/// A carrier's is a few hundred; a range of breached passwords, padded, some fifty thousand.
pub const RESPONSE_LIMIT: usize = 128 * 1024;

/// Outgoing HTTP.
pub trait Fetch: Send + Sync {
    /// Sends the request. Redirects are not followed: a carrier's API has none.
    fn fetch(&self, request: OutgoingRequest) -> PortFuture<'_, Result<OutgoingResponse, FetchError>>;
}
