//! SQL of messages and their tries, a file per step of their life: `queue.rs` before the carrier is asked, `ended.rs`
//! after it, `list.rs` for whoever looks. What carriers report later is in `receipt/`.

pub mod ended;
pub mod list;
pub mod queue;

pub use ended::{end_try, ended, next_try, status_of};
pub use list::{Filter, Message, Try, get, inbox, list, mail};
pub use queue::{queue, queue_invitation, queue_notice};
