//! What carriers sign their callbacks with: the credential in use, the variable's where a stored one took its place, and
//! those replaced a short while ago, which still prove receipts of what was sent with them.

use serde_json::Value;

use super::{
    super::at,
    carrier::{Block, into_secret, open},
};
use crate::{config::Config, crypto::Pepper, secret::Secret, time::Timestamp};

/// Twilio's auth token, by its path.
pub(super) const TWILIO_TOKEN: &str = "sms.twilio.auth_token";
/// Vonage's signature secret, by its path.
pub(super) const VONAGE_SECRET: &str = "sms.vonage.signature_secret";

/// Where replaced credentials stand, as `[{setting, sealed, until}]`: beside the settings, out of sight.
pub(super) const REPLACED: &str = "replaced";

/// The credentials of one carrier that prove its callbacks.
#[derive(Clone)]
pub(super) struct Keys {
    /// Each with its end, if it was replaced; the one in use first.
    known: Vec<(Secret, Option<Timestamp>)>,
    /// The fingerprint of the one in use.
    current: Option<String>,
    configured: bool,
}

impl Keys {
    /// The credentials of one setting.
    pub fn of(setting: &str, block: &Block<'_>, stored: &Value, config: &Config) -> Self {
        let name = setting.rsplit('.').next().unwrap_or_default();
        let current = block.secret(name);
        let fingerprint = |secret: &Secret| {
            let pepper = Pepper(&config.secrets().ok()?.code_pepper);
            pepper.fingerprints(secret.expose()).into_iter().next()
        };
        let (print, configured) = (current.as_ref().and_then(fingerprint), block.has(name));
        let mut keys: Vec<(Secret, Option<Timestamp>)> = Vec::new();
        let mut add = |secret: Secret, until| {
            if !keys.iter().any(|(known, _)| known.matches(secret.expose())) {
                keys.push((secret, until));
            }
        };
        if let Some(secret) = current {
            add(secret, None);
        }
        if let Some(secret) = into_secret(block.variable(name)) {
            add(secret, None);
        }
        for old in at(stored, REPLACED).and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| old.get(name).and_then(Value::as_str);
            if let (Some(of), Some(sealed), Some(until)) =
                (text("setting"), text("sealed"), text("until").and_then(Timestamp::parse))
                && of == setting
                && let Some(secret) = open(setting, sealed, config)
            {
                add(secret, Some(until));
            }
        }
        Self { known: keys, current: print, configured }
    }

    /// Those that count now, the one in use first.
    pub fn at(&self, now: Timestamp) -> Vec<&Secret> {
        self.known.iter().filter(|(_, until)| until.is_none_or(|until| until > now)).map(|(secret, _)| secret).collect()
    }

    /// What a try that is sent with the one in use keeps.
    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// Whether one is configured, readable or not.
    pub fn is_configured(&self) -> bool {
        self.configured
    }
}
