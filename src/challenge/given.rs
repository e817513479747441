//! What a person gives as an answer: by its form it is digits, a recovery code, or what a passkey signed.

use serde_json::Value;

use crate::crypto::{Code, RecoveryCode};

/// An answer. It has no `Debug`: it may be a code.
pub enum Given {
    /// Digits: a code that was sent, or an authenticator app's.
    Digits(Code),
    /// A recovery code.
    Recovery(RecoveryCode),
    /// What a passkey signed, as the browser gives it.
    Credential(Value),
}
