//! The cache port, Workers KV: for what may be stale by a minute and more, and for nothing else.
//! Never a code, counter, session, secret, revocation, policy or switch (law 1).

use super::PortFuture;

/// The cache did not answer; the caller goes on without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cache is unavailable: {0}")]
pub struct CacheError(pub String);

/// The cache.
pub trait Cache: Send + Sync {
    /// The text under a key; `None` when there is none.
    fn get<'a>(&'a self, key: &'a str) -> PortFuture<'a, Result<Option<String>, CacheError>>;

    /// Stores a text for `seconds` (at least 60).
    fn put<'a>(&'a self, key: &'a str, value: String, seconds: u64) -> PortFuture<'a, Result<(), CacheError>>;
}
