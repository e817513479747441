//! E-mail addresses and what is written with them: one kept rule for people's addresses (`docs/decisions/0016`),
//! a sender with a name, and a whole message as MIME.

mod address;
mod error;
mod mailbox;
mod mime;

pub use address::{EmailAddress, MAX_LENGTH, MAX_LOCAL_LENGTH};
pub use error::EmailError;
pub use mailbox::Mailbox;
pub use mime::Mime;
