//! The texts of messages: built in by slug, channel and locale, and what the operator has written instead.
//! `store.rs` reads and writes what differs; the snapshot of settings carries it, so a send reads nothing for it.
//! `locale.rs` finds the text, `render.rs` fills it in, `write.rs` makes a message of it.

pub mod change;
pub mod locale;
pub mod preview;
pub mod render;
mod slug;
pub mod store;
pub mod texts;
pub mod write;

pub use locale::Reader;
pub use slug::Slug;
pub use store::{Stored, Templates};
pub use write::{Brief, Written};
