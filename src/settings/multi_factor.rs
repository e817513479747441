//! Settings of the factors: `multi_factor.<factor>`. `enabled: false` stops new enrolments and leaves enrolled ones
//! working.

use serde_json::{Value, json};

use super::{at, passkey::PASSKEY};
use crate::{
    config::Config,
    policy::{EmailBackup, SECOND_NAMES},
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

/// Factors that a policy can require, with their names.
pub const SECOND_FACTORS: Shape = Shape::List(&Shape::OneOf(&SECOND_NAMES), 4);

/// How long enrolling may be put off.
pub const GRACE: &[Field] = &[
    field("sign_ins", Shape::Integer(0, 100), "How many sign-ins; 0 is no such bound").example("3"),
    field("days", Shape::Integer(0, 365), "How many days from the first of them; 0 is no such bound").example("14"),
];

const ENABLED: Shape =
    Shape::Object(&[field("enabled", Shape::Boolean, "Whether it can be enrolled; what is enrolled works")]);

/// The settings of `multi_factor`.
pub(super) const MULTI_FACTOR: &[Field] = &[
    field("required", SECOND_FACTORS, "Each has to be proven at sign-in; they add up").example(r#"["totp"]"#),
    field("enforce_enrolment", SECOND_FACTORS, "With none required: who has no second factor enrols one of these")
        .example(r#"["totp", "email"]"#),
    field("allow_email_backup", Shape::OneOf(&EmailBackup::NAMES), "When an e-mail code stands in for another factor")
        .example(r#""unavailable""#),
    field(
        "remember_device",
        Shape::Object(&[
            field("enabled", Shape::Boolean, "Whether a remembered device stands in for the second factor"),
            field("days", Shape::Integer(1, 365), "For how many days from its making").example("30"),
        ]),
        "Remembered devices",
    ),
    field("grace", Shape::Object(GRACE), "How long enrolling one of `enforce_enrolment` may be put off, once per user"),
    field("passkey", Shape::Object(PASSKEY), "Passkeys"),
    field("totp", Shape::Object(TOTP), "Authenticator apps"),
    field("recovery_codes", Shape::Object(RECOVERY_CODES), "Recovery codes"),
    field("phone", ENABLED, "Phones"),
    field("email", ENABLED, "E-mail addresses"),
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
