//! Limits: one table, and the counters that hold them. Every row is a setting, a row of
//! `docs/configuration.md`, and a case of `tests/law_2_limits.rs`.

pub mod lockout;
mod senders;
pub mod store;
mod table;

pub use senders::senders;
pub use store::{Check, Refusal};
pub use table::{
    EMAILS_DESTINATION_HALF_HOUR, LIMITS, Limit, NOTICES_USER_HOUR, PASSWORD_FAILURES, PASSWORD_FAILURES_EVERYWHERE,
    Per, REQUESTS_USER_FIVE_MINUTES, SECOND_FACTOR_FAILURES, SECOND_FACTOR_FAILURES_IN_A_ROW, SENDS,
    SIGN_IN_FAILURES_ADDRESS, SIGN_UP_NOTICES_USER_DAY, SIGN_UPS_ADDRESS, TRIES_DESTINATION_HALF_HOUR, WRONG_ANSWERS,
    Window,
};
