//! Messages: from a code to a carrier, as a row first (law 7).
//! `prepare/` decides what would go where, `store/` writes it down, `failover.rs` has its drivers asked in turn, `send.rs`
//! asks one.

mod channel;
pub mod circuit;
pub mod drivers;
pub mod failover;
pub mod fallback;
pub mod feedback;
pub mod gate;
pub mod hook_context;
pub mod mail;
pub mod notice;
pub mod point;
pub mod prepare;
pub mod receipt;
mod segments;
pub mod send;
pub mod speech;
pub mod store;
pub mod test;

pub use channel::{Channel, Destination};
pub use prepare::{Content, Driver, DropReason, Outgoing, Refused, Route, Speaks};
pub use segments::{Encoding, segments, units};
pub use store::{Message, Try};

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Written down, the carrier not asked yet.
    Queued,
    /// The carrier took it.
    Sent,
    /// The carrier says it arrived.
    Delivered,
    /// It did not go out, or did not arrive.
    Failed,
    /// Nobody knows whether it went out.
    Unknown,
    /// It was kept back on purpose.
    Dropped,
    /// Somebody else delivers it.
    HandedOver,
}

impl Status {
    /// Every status's name, for the contract.
    pub const NAMES: [&'static str; 7] = ["queued", "sent", "delivered", "failed", "unknown", "dropped", "handed_over"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Dropped => "dropped",
            Self::HandedOver => "handed_over",
        }
    }
}
