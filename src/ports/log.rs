//! The log port: lines for the operator. Nothing secret and no phone number may come here.

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something happened.
    Info,
    /// Somebody should look.
    Warn,
    /// Something failed that should not.
    Error,
}

/// The log.
pub trait Log: Send + Sync {
    /// Writes one line.
    fn line(&self, level: Level, text: &str);
}
