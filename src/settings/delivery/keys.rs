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

/// A credential that a carrier signs with.
#[derive(Clone)]
pub struct CarrierKey {
    secret: Secret,
    fingerprints: Vec<String>,
    until: Option<Timestamp>,
}

/// The credentials of one carrier that prove its callbacks.
#[derive(Clone)]
pub(super) struct Keys {
    keys: Vec<CarrierKey>,
    in_use: bool,
    configured: bool,
}

impl CarrierKey {
    fn new(secret: Secret, until: Option<Timestamp>, config: &Config) -> Self {
        let fingerprints = config.secrets().map(|secrets| Pepper(&secrets.code_pepper).fingerprints(secret.expose()));
        Self { secret, fingerprints: fingerprints.unwrap_or_default(), until }
    }

    /// The credential.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// What a try that is sent with it keeps: 16 characters.
    pub fn fingerprint(&self) -> &str {
        self.fingerprints.first().map_or("", String::as_str)
    }

    /// What a try that was sent with it may have kept: one under each key of the pepper's ring.
    pub fn fingerprints(&self) -> &[String] {
        &self.fingerprints
    }
}

impl Keys {
    /// The credentials of one setting.
    pub fn of(setting: &str, block: &Block<'_>, stored: &Value, config: &Config) -> Self {
        let name = setting.rsplit('.').next().unwrap_or_default();
        let current = block.secret(name);
        let (in_use, configured) = (current.is_some(), block.has(name));
        let mut keys: Vec<CarrierKey> = Vec::new();
        let mut add = |secret: Secret, until| {
            if !keys.iter().any(|key| key.secret.matches(secret.expose())) {
                keys.push(CarrierKey::new(secret, until, config));
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
        Self { keys, in_use, configured }
    }

    /// Those that count now, the one in use first.
    pub fn at(&self, now: Timestamp) -> Vec<&CarrierKey> {
        self.keys.iter().filter(|key| key.until.is_none_or(|until| until > now)).collect()
    }

    /// The one in use.
    pub fn current(&self) -> Option<&CarrierKey> {
        self.keys.first().filter(|_| self.in_use)
    }

    /// Whether one is configured, readable or not.
    pub fn is_configured(&self) -> bool {
        self.configured
    }
}
