//! The texts of messages: built in by slug, channel and locale, and what the operator has written instead.
//! `store.rs` reads and writes what differs; the snapshot of settings carries it, so a send reads nothing for it.

mod slug;
pub mod store;
pub mod texts;

pub use slug::Slug;
pub use store::{Stored, Templates};
