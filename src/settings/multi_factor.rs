//! Settings of the factors: `multi_factor.<factor>`. `enabled: false` stops new enrolments and leaves enrolled ones
//! working.

use serde_json::{Value, json};

use super::{at, passkey::PASSKEY};
use crate::{
    config::Config,
    schema::{Field, Shape, field},
    totp::{Algorithm, Digits, Parameters, Window},
};

/// Authenticator apps.
#[derive(Clone, Copy, Debug)]
pub struct TotpSettings {
    /// Whether new ones can be enrolled.
    pub enabled: bool,
    /// What new ones are made with; a factor keeps its own.
    pub parameters: Parameters,
    /// Which steps a code may be of.
    pub window: Window,
}

/// Recovery codes.
#[derive(Clone, Copy, Debug)]
pub struct RecoveryCodesSettings {
    /// Whether new ones can be made.
    pub enabled: bool,
    /// Whether the variable says so, and not a setting.
    pub by_variable: bool,
    /// How many a set has.
    pub count: usize,
}

/// How many codes a set has without a setting.
const CODES: usize = 10;

impl TotpSettings {
    pub(super) fn effective(stored: &Value) -> Self {
        let default = Parameters::default();
        let at = |name: &str| at(stored, &format!("multi_factor.totp.{name}"));
        Self {
            // What is stored and not a flag stops.
            enabled: at("enabled").is_none_or(|stored| stored.as_bool() == Some(true)),
            parameters: Parameters {
                algorithm: at("algorithm")
                    .and_then(Value::as_str)
                    .and_then(Algorithm::parse)
                    .unwrap_or(default.algorithm),
                digits: at("digits").and_then(Value::as_i64).and_then(Digits::new).unwrap_or(default.digits),
            },
            window: at("window").and_then(Value::as_i64).and_then(Window::new).unwrap_or_default(),
        }
    }

    pub(super) fn to_json(self) -> Value {
        json!({
            "enabled": self.enabled,
            "algorithm": self.parameters.algorithm.as_str(),
            "digits": self.parameters.digits.get(),
            "window": self.window.steps(),
        })
    }
}

impl RecoveryCodesSettings {
    pub(super) fn effective(stored: &Value, config: &Config) -> Self {
        let enabled = at(stored, "multi_factor.recovery_codes.enabled");
        let count = at(stored, "multi_factor.recovery_codes.count").and_then(Value::as_u64);
        Self {
            enabled: enabled.map_or(config.enable_recovery_code, |stored| stored.as_bool() == Some(true)),
            by_variable: enabled.is_none(),
            count: count
                .and_then(|count| usize::try_from(count).ok())
                .filter(|count| (4..=24).contains(count))
                .unwrap_or(CODES),
        }
    }

    pub(super) fn to_json(self) -> Value {
        json!({"enabled": self.enabled, "count": self.count})
    }
}

/// The settings of `multi_factor`.
pub(super) const MULTI_FACTOR: &[Field] = &[
    field("passkey", Shape::Object(PASSKEY), "Passkeys"),
    field("totp", Shape::Object(TOTP), "Authenticator apps"),
    field("recovery_codes", Shape::Object(RECOVERY_CODES), "Recovery codes"),
];

const TOTP: &[Field] = &[
    field("enabled", Shape::Boolean, "Whether new ones can be enrolled; enrolled ones work on").example("true"),
    field("algorithm", Shape::OneOf(&Algorithm::NAMES), "The hash of new ones; some apps know `sha1` only")
        .example(r#""sha1""#),
    field("digits", Shape::Integer(6, 8), "Digits of new ones' codes: 6 or 8").example("6"),
    field("window", Shape::Integer(0, 1), "How many steps of 30 seconds a code may be late; 0 is strict").example("1"),
];

const RECOVERY_CODES: &[Field] = &[
    field("enabled", Shape::Boolean, "Whether new ones can be made; default: `ENABLE_RECOVERY_CODE`").example("true"),
    field("count", Shape::Integer(4, 24), "How many codes a set has").example("10"),
];
