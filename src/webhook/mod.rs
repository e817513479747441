//! Webhooks: who hears events, and that they hear them. The triggers of `migrations/0004_delivery.sql` write a delivery
//! for each event and endpoint in the transaction of the event; nobody can forget one.

pub mod store;

pub use store::Heard;
