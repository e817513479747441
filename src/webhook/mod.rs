//! Webhooks: who hears events, and that they hear them. The triggers of `migrations/0004_delivery.sql` write a delivery
//! for each event and endpoint in the transaction of the event; nobody can forget one. `deliver.rs` tells the endpoints.

mod change;
pub mod deliver;
pub mod delivery;
mod endpoint;
mod filter;
mod handed_over;
mod payload;
mod secret;
pub mod store;
mod together;
mod url;

pub use change::{Change, Changed, Made, create, delete, get, list, rotate_secret, update};
pub use delivery::{Delivery, Replayed, Status};
pub use endpoint::{DisabledReason, Endpoint};
pub use filter::is_filter;
pub(crate) use secret::place;
pub use store::Heard;
pub use url::fault;

/// How many endpoints there may be: each event may be told to all of them.
pub const MOST_ENDPOINTS: i64 = 20;
