//! The clock port: the only source of time (ambient clocks are banned in clippy.toml).

use crate::time::Timestamp;

/// The clock.
pub trait Clock: Send + Sync {
    /// Now, in milliseconds since 1970. On Workers it stands still between awaits.
    fn now(&self) -> Timestamp;
}
