//! The fraud guard: whether a message to a phone is one that people wait for, or one that somebody is paid for. What it
//! has seen stands in tables that triggers fill (`migrations/0005_fraud.sql`); the rules are data made by pure functions,
//! and one statement in the batch that decides a send holds them against the counts. `docs/fraud.md` has the rules.

pub mod entry;
mod guard;
mod origin;
mod price;
pub mod rules;
mod settings;
mod signs;
pub mod store;

pub use guard::{Blocked, Guard};
pub use origin::Origin;
pub use price::{Prices, money, parse_money};
pub use settings::{FRAUD, FraudSettings, Mode, Number, check, numbers};
pub use signs::Signs;
