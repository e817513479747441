//! The outside world behind small traits: database, cache, fetch, clock, random, signatures, log.
//! `src/cloudflare/` implements them on Workers, `tests/support/` on SQLite and in memory.

mod after;
mod analytics;
mod cache;
mod clock;
mod database;
mod fetch;
mod log;
mod mailer;
mod random;
mod signatures;

use std::{future::Future, pin::Pin, sync::Arc};

pub use after::After;
pub use analytics::{Analytics, Point};
pub use cache::{Cache, CacheError};
pub use clock::Clock;
pub use database::{Database, DatabaseError, Param, Row, Rows, Statement};
pub use fetch::{Fetch, FetchError, OutgoingRequest, OutgoingResponse, RESPONSE_LIMIT};
pub use log::{Level, Log};
pub use mailer::{Mailer, MailerError, OutgoingMail};
pub use random::Random;
pub use signatures::{Algorithm, NewKeyPair, PublicKey, SignatureError, Signatures};

/// What a port's method returns: one boxed future, so that ports can be trait objects
/// and no domain function carries a type parameter per port (`docs/decisions/0002`).
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Every port of one request.
#[derive(Clone)]
pub struct Ports {
    /// What must be right.
    pub database: Arc<dyn Database>,
    /// What may be stale.
    pub cache: Arc<dyn Cache>,
    /// Calls to carriers.
    pub fetch: Arc<dyn Fetch>,
    /// E-mails that the platform itself sends.
    pub mailer: Arc<dyn Mailer>,
    /// The only source of time.
    pub clock: Arc<dyn Clock>,
    /// The only source of randomness.
    pub random: Arc<dyn Random>,
    /// Asymmetric signatures.
    pub signatures: Arc<dyn Signatures>,
    /// Lines for the operator.
    pub log: Arc<dyn Log>,
    /// A point per message that ended.
    pub analytics: Arc<dyn Analytics>,
    /// What is done once the answer is out.
    pub after: Arc<After>,
}
