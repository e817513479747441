//! Passwords, without HTTP and without SQL: what was typed, how it is kept, how strong it is,
//! and whether it was seen in a breach. `docs/decisions/0014-passwords.md` has the reasons.

pub mod breach;
mod common;
mod context_words;
mod hash;
mod import;
mod recipe;
mod strength;
mod typed;
#[cfg(not(target_arch = "wasm32"))]
pub mod work;

pub use common::{REST_BITS, candidates, fingerprint, fold};
pub use hash::{HashError, Imports, PasswordHash, Verdict, verify_alike};
pub use import::ImportError;
pub use strength::{ALONE, Rules, WITH_MFA, Weakness, weaknesses};
pub use typed::{MOST, Password, TooLong};
