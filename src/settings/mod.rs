//! Settings of the instance: a stored value wins, else the binding, else the default.
//! They live in D1 with a version; every deciding batch is guarded by that version (law 1).

mod alerts;
mod delivery;
mod multi_factor;
mod passkey;
mod sign_in;
mod snapshot;
mod table;

use std::time::Duration;

use serde_json::{Map, Value};

pub use alerts::AlertSettings;
pub use delivery::{
    Delivery, Fallback, check_complete, check_values, email_by_name, keep_replaced, name_null_drivers, prune, redact,
    reseal, seal_credentials, settings_of_variables, sms_by_name, told,
};
pub use multi_factor::{GRACE, RecoveryCodesSettings, SECOND_FACTORS, TotpSettings};
pub use passkey::PasskeySettings;
pub use sign_in::{SignInSettings, SignUps};
pub use snapshot::{
    IsolateCache, KeyRecord, STATEMENTS, Snapshot, current, guard, load, schema_is_current, store, store_once,
};
pub use table::SETTINGS;

use crate::{
    config::Config,
    crypto::CodeLength,
    fraud::{self, FraudSettings},
    limit::{LIMITS, Limit},
    password,
    phone::{CallingCode, Validation, countries_of, is_e164_form, is_known_country},
    policy::MultiFactor,
    schema::{FieldCode, FieldError},
    template::locale::canonical,
    time::Timestamp,
    totp::Digits,
};

/// What happens with the test numbers +15555550100 to +15555550199. None of them ever reaches a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestMode {
    /// Their code is 424242.
    Enabled,
    /// Their code is like any other, and nobody gets it.
    Disabled,
    /// They are refused.
    Rejected,
}

impl TestMode {
    /// The word that settings and responses have.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Rejected => "rejected",
        }
    }
}

/// Which countries: those that messages may go to, or that get none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Countries {
    /// `*`.
    All,
    /// These, ISO 3166-1 alpha-2.
    Only(Vec<String>),
}

impl Countries {
    /// Whether the country is among them.
    pub fn have(&self, country: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(list) => list.iter().any(|allowed| allowed == country),
        }
    }

    /// The list as settings have it.
    pub fn to_list(&self) -> Vec<String> {
        match self {
            Self::All => vec!["*".to_owned()],
            Self::Only(list) => list.clone(),
        }
    }
}

/// What is asked of passwords.
#[derive(Clone, Debug)]
pub struct PasswordSettings {
    /// The fewest characters where a password is the only factor.
    pub minimum_length: usize,
    /// The fewest where another factor is asked for too.
    pub minimum_length_with_mfa: usize,
    /// Whether a new password is held against those of breaches.
    pub breach_check: bool,
    /// How imported hashes were made, while some are in use.
    pub imported: Option<password::Imports>,
    /// How long somebody is locked out at an address.
    pub lockout: Duration,
}

/// Calls.
#[derive(Clone, Debug)]
pub struct VoiceSettings {
    /// The kill switch.
    pub enabled: bool,
    /// Where calls may go.
    pub countries: Countries,
    /// Where none go for now, whatever else is allowed.
    pub stopped: Countries,
    /// Whether a call waits for a key before it tells the code.
    pub gate: bool,
    /// The number that calls, E.164; `None`: there is none.
    pub from_number: Option<String>,
}

/// The settings in effect.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The kill switch: `false` stops all sending at once.
    pub sms_enabled: bool,
    /// The same for e-mail.
    pub email_enabled: bool,
    /// Whether people are told that a factor was added or removed.
    pub notices_enabled: bool,
    /// Where SMS may go.
    pub sms_countries: Countries,
    /// Where none go for now, whatever else is allowed.
    pub sms_stopped: Countries,
    /// Kinds of numbers that get no messages.
    pub refused_kinds: Vec<String>,
    /// Calls.
    pub voice: VoiceSettings,
    /// What carries messages.
    pub delivery: Delivery,
    /// How strictly numbers are held against their country's plan.
    pub validation: Validation,
    /// How long codes are.
    pub code_length: CodeLength,
    /// How long a code lives.
    pub code_lifetime: Duration,
    /// Authenticator apps.
    pub totp: TotpSettings,
    /// Recovery codes.
    pub recovery_codes: RecoveryCodesSettings,
    /// Passkeys.
    pub passkey: PasskeySettings,
    /// The language of messages where neither the request nor the user nor the app says it, BCP 47.
    pub message_locale: Option<String>,
    /// How long messages are kept.
    pub message_retention: Duration,
    /// How long audit events are kept.
    pub audit_retention: Duration,
    /// How long a key signs tokens until the next one does; `None`: for ever.
    pub rotate_keys: Option<Duration>,
    /// Sign-ins and sign-ups.
    pub sign_in: SignInSettings,
    /// Passwords.
    pub password: PasswordSettings,
    /// The policy, and which factors can be enrolled.
    pub multi_factor: MultiFactor,
    /// The fraud guard.
    pub fraud: FraudSettings,
    /// When operators are told that something is wrong.
    pub alerts: AlertSettings,
    test_mode: Option<TestMode>,
    test_mode_until: Option<Timestamp>,
    limits: Vec<(&'static str, i64)>,
}

/// How long a flow may take.
pub const FLOW_LIFETIME: Duration = Duration::from_mins(10);

/// How long a challenge lives, however many codes it sends: the ten minutes that SP 800-63B-4 §3.1.3.2 allows.
pub const CHALLENGE_LIFETIME: Duration = Duration::from_mins(10);

const DAY: Duration = Duration::from_hours(24);

impl Settings {
    /// The settings in effect, from what is stored and the configuration. A stored value that an older version
    /// accepted and this one does not falls back to the binding or default.
    pub fn effective(stored: &Value, config: &Config) -> Self {
        let integer = |path| at(stored, path).and_then(Value::as_i64);
        let text = |path| at(stored, path).and_then(Value::as_str);
        // What is stored and not a flag stops: a kill switch fails closed.
        let is_on = |path| at(stored, path).is_none_or(|stored| stored.as_bool() == Some(true));
        let delivery = Delivery::effective(stored, config);
        let fraud = FraudSettings::effective(stored, config);
        let caller = delivery.voice_driver().and_then(crate::config::VoiceDriver::from_number);
        Self {
            sms_enabled: is_on("sms.enabled"),
            email_enabled: is_on("email.enabled"),
            notices_enabled: is_on("notices.enabled"),
            sms_countries: at(stored, "countries.sms.allowed")
                .and_then(countries)
                .unwrap_or_else(|| Countries::Only(default_countries(config))),
            sms_stopped: stopped(stored, "countries.sms.stopped"),
            refused_kinds: list(at(stored, "numbers.refused")),
            voice: VoiceSettings {
                enabled: at(stored, "voice.enabled").is_none_or(|stored| stored.as_bool() == Some(true)),
                countries: at(stored, "countries.voice.allowed")
                    .and_then(countries)
                    .unwrap_or_else(|| Countries::Only(default_countries(config))),
                stopped: stopped(stored, "countries.voice.stopped"),
                // Only the word opens it.
                gate: text("voice.gate") != Some("off"),
                from_number: text("voice.from_number")
                    .filter(|number| is_e164_form(number))
                    .or(caller)
                    .map(str::to_owned),
            },
            delivery,
            validation: match text("numbers.validation") {
                Some("valid") => Validation::Valid,
                _ => Validation::Possible,
            },
            code_length: integer("codes.length").and_then(CodeLength::new).unwrap_or(CodeLength::DEFAULT),
            code_lifetime: Duration::from_secs(
                integer("codes.lifetime_seconds").and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(300),
            ),
            totp: TotpSettings::effective(stored),
            recovery_codes: RecoveryCodesSettings::effective(stored, config),
            passkey: PasskeySettings::effective(stored, config),
            message_locale: text("messages.locale").and_then(canonical),
            message_retention: DAY * days(integer("messages.retention_days"), 30),
            audit_retention: DAY * days(integer("audit.retention_days"), 365),
            rotate_keys: match integer("tokens.rotate_keys_days") {
                Some(0) => None,
                stored => Some(DAY * days(stored, 90)),
            },
            sign_in: SignInSettings::effective(stored),
            password: PasswordSettings {
                minimum_length: length(integer("password.minimum_length"), password::ALONE),
                minimum_length_with_mfa: length(integer("password.minimum_length_with_mfa"), password::WITH_MFA),
                breach_check: at(stored, "password.breach_check").and_then(Value::as_bool).unwrap_or(false),
                imported: text("password.imported").and_then(password::Imports::parse),
                lockout: Duration::from_secs(
                    u64::try_from(integer("password.lockout_seconds").unwrap_or(config.account_lockout_expires_in))
                        .unwrap_or(0),
                ),
            },
            multi_factor: MultiFactor::effective(stored.get("multi_factor").unwrap_or(&Value::Null), &config.mfa),
            alerts: AlertSettings::effective(stored, &fraud),
            fraud,
            test_mode: match text("test_mode") {
                Some("enabled") => Some(TestMode::Enabled),
                Some("disabled") => Some(TestMode::Disabled),
                Some(_) => Some(TestMode::Rejected),
                None => None,
            },
            test_mode_until: text("test_mode_expires_at").and_then(Timestamp::parse),
            limits: LIMITS
                .iter()
                .map(|limit| {
                    let bound = match limit.binding {
                        Some("MFA_CODE_VERIFY_THRESHOLD") => config.mfa_code_verify_threshold,
                        Some("SMS_MFA_MESSAGE_THRESHOLD") => config.sms_mfa_message_threshold,
                        Some("EMAIL_MFA_EMAIL_THRESHOLD") => config.email_mfa_email_threshold,
                        Some("ACCOUNT_LOCKOUT_THRESHOLD") => config.account_lockout_threshold,
                        _ => limit.default,
                    };
                    let stored = stored.get("limits").and_then(|limits| limits.get(limit.name)).and_then(Value::as_i64);
                    (limit.name, stored.unwrap_or(bound).clamp(limit.least(), limit.most))
                })
                .collect(),
        }
    }

    /// The largest count that a limit lets pass.
    pub fn limit(&self, limit: Limit) -> i64 {
        self.limits.iter().find(|(name, _)| *name == limit.name).map_or(limit.default, |(_, max)| *max)
    }

    /// What happens with test numbers now. Unset: refused in production, enabled with the development tools,
    /// else without a code. An expiry ends `enabled`, and production takes none without one.
    pub fn test_mode(&self, now: Timestamp, production: bool, dev_tools: bool) -> TestMode {
        match (self.test_mode, self.test_mode_until) {
            (Some(TestMode::Enabled), Some(until)) if until <= now => TestMode::Rejected,
            (Some(TestMode::Enabled), None) | (None, _) if production => TestMode::Rejected,
            (Some(mode), _) => mode,
            (None, _) if dev_tools => TestMode::Enabled,
            (None, _) => TestMode::Disabled,
        }
    }

    /// The policy, and what else each type of factor has.
    fn multi_factor_json(&self) -> Value {
        let mut json = self.multi_factor.to_json();
        let own = [
            ("passkey", self.passkey.to_json()),
            ("totp", self.totp.to_json()),
            ("recovery_codes", self.recovery_codes.to_json()),
        ];
        if let Some(json) = json.as_object_mut() {
            json.extend(own.map(|(name, value)| (name.to_owned(), value)));
        }
        json
    }

    /// The settings as `GET /v1/instance` shows them.
    pub fn to_json(&self, now: Timestamp, production: bool, dev_tools: bool) -> Value {
        let limits: Map<String, Value> =
            self.limits.iter().map(|(name, max)| ((*name).to_owned(), Value::from(*max))).collect();
        let mut json = serde_json::json!({
            "sms": {"enabled": self.sms_enabled},
            "email": {"enabled": self.email_enabled},
            "notices": {"enabled": self.notices_enabled},
            "voice": {"enabled": self.voice.enabled, "gate": if self.voice.gate { "on" } else { "off" },
                "from_number": self.voice.from_number},
            "countries": {"sms": {"allowed": self.sms_countries.to_list(), "stopped": self.sms_stopped.to_list()},
                "voice": {"allowed": self.voice.countries.to_list(), "stopped": self.voice.stopped.to_list()}},
            "numbers": {"validation": match self.validation { Validation::Possible => "possible", Validation::Valid => "valid" },
                "refused": self.refused_kinds},
            "codes": {"length": self.code_length.digits(), "lifetime_seconds": self.code_lifetime.as_secs()},
            "multi_factor": self.multi_factor_json(),
            "test_mode": self.test_mode(now, production, dev_tools).as_str(),
            "test_mode_expires_at": self.test_mode_until.map(|until| until.to_string()),
            "messages": {"retention_days": self.message_retention.as_secs() / 86_400, "locale": self.message_locale},
            "audit": {"retention_days": self.audit_retention.as_secs() / 86_400},
            "tokens": {"rotate_keys_days": self.rotate_keys.map_or(0, |days| days.as_secs() / 86_400)},
            "sign_in": self.sign_in.to_json(),
            "password": {
                "minimum_length": self.password.minimum_length,
                "minimum_length_with_mfa": self.password.minimum_length_with_mfa,
                "breach_check": self.password.breach_check,
                "imported": self.password.imported.as_ref().map(password::Imports::to_text),
                "lockout_seconds": self.password.lockout.as_secs(),
            },
            "fraud": self.fraud.to_json(),
            "alerts": self.alerts.to_json(),
            "limits": limits,
        });
        for (channel, fields) in self.delivery.shown() {
            if let Some(block) = json.get_mut(channel).and_then(Value::as_object_mut) {
                block.extend(fields.clone());
            }
        }
        json
    }
}

/// Merges a change into what is stored: `"inherit"` and `null` remove, all else sets.
pub fn merge(stored: &mut Value, change: &Value) {
    let Value::Object(change) = change else { return };
    if !stored.is_object() {
        *stored = Value::Object(Map::new());
    }
    let Some(target) = stored.as_object_mut() else { return };
    for (name, value) in change {
        match value {
            Value::Null => drop(target.remove(name)),
            Value::String(text) if text == "inherit" => drop(target.remove(name)),
            Value::Object(_) => merge(target.entry(name.clone()).or_insert(Value::Null), value),
            value => drop(target.insert(name.clone(), value.clone())),
        }
    }
}

/// What the shapes of the table cannot say of what will be stored: countries exist, and test codes in production
/// end within 30 days. That counts when a change touches them: once they have ended they stop no other change.
pub fn check(stored: &Value, change: &Value, config: &Config, now: Timestamp) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for path in ["countries.sms.allowed", "countries.voice.allowed", "countries.sms.stopped", "countries.voice.stopped"]
    {
        if at(stored, path).is_some_and(|list| countries(list).is_none()) {
            let detail = "ISO 3166-1 alpha-2 codes like US, or * for all, are wanted";
            errors.push(FieldError::new(path, FieldCode::Value, detail));
        }
    }
    let caller = at(stored, "voice.from_number").and_then(Value::as_str);
    if caller.is_some_and(|number| !is_e164_form(number)) {
        let detail = "a number in E.164 form is wanted, like +15005550006";
        errors.push(FieldError::new("voice.from_number", FieldCode::Phone, detail));
    }
    if at(stored, "messages.locale").and_then(Value::as_str).is_some_and(|tag| canonical(tag).is_none()) {
        errors.push(FieldError::new("messages.locale", FieldCode::Value, "a language tag like pt-BR is wanted"));
    }
    if at(stored, "multi_factor.totp.digits").is_some_and(|digits| digits.as_i64().and_then(Digits::new).is_none()) {
        errors.push(FieldError::new("multi_factor.totp.digits", FieldCode::Value, "6 or 8 is wanted"));
    }
    let imported = at(stored, "password.imported").and_then(Value::as_str);
    if imported.is_some_and(|text| password::Imports::parse(text).is_none()) {
        let detail = "an algorithm and its costs are wanted, like bcrypt:12, within what imports may cost";
        errors.push(FieldError::new("password.imported", FieldCode::Value, detail));
    }
    errors.extend(passkey::check(stored, change, config));
    errors.extend(fraud::check(stored));
    errors.extend(alerts::check(stored));
    let enabled = at(stored, "test_mode").and_then(Value::as_str) == Some("enabled");
    let until = at(stored, "test_mode_expires_at").and_then(Value::as_str).and_then(Timestamp::parse);
    let soon = until.is_some_and(|until| until > now && until <= now + DAY * 30);
    let touched = ["test_mode", "test_mode_expires_at"].iter().any(|name| change.get(name).is_some());
    if config.is_production() && touched && enabled && !soon {
        let detail = "in prod, test_mode enabled needs an expiry within 30 days";
        errors.push(FieldError::new("test_mode_expires_at", FieldCode::Value, detail));
    }
    errors
}

/// The countries that a calling code names; for +1, which 25 countries share, the United States and Canada.
fn default_countries(config: &Config) -> Vec<String> {
    let code = config.calling_code.map_or(0, CallingCode::get);
    let named: Vec<String> = countries_of(code).map(|country| country.to_string()).collect();
    let north_american = |country: &String| ["US", "CA"].contains(&country.as_str());
    if named.iter().any(north_american) { named.into_iter().filter(north_american).collect() } else { named }
}

fn countries(list: &Value) -> Option<Countries> {
    let list: Vec<&str> = list.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
    if list.contains(&"*") {
        return (list.len() == 1).then_some(Countries::All);
    }
    list.iter()
        .all(|country| is_known_country(country))
        .then(|| Countries::Only(list.iter().map(|country| country.to_ascii_uppercase()).collect()))
}

/// The countries that a channel goes to no more. What is stored and not understood stops: a kill switch fails closed.
fn stopped(stored: &Value, path: &str) -> Countries {
    at(stored, path).map_or(Countries::Only(Vec::new()), |list| countries(list).unwrap_or(Countries::All))
}

/// The texts of a list.
fn list(stored: Option<&Value>) -> Vec<String> {
    stored.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A length of passwords.
fn length(stored: Option<i64>, default: usize) -> usize {
    stored.and_then(|length| usize::try_from(length).ok()).unwrap_or(default)
}

fn days(stored: Option<i64>, default: u32) -> u32 {
    stored.and_then(|days| u32::try_from(days).ok()).filter(|days| *days > 0).unwrap_or(default)
}

fn at<'a>(stored: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(stored, |value, name| value.get(name))
}

/// The dotted paths of what a change touches.
pub fn paths(change: &Value, prefix: &str) -> Vec<String> {
    let Value::Object(entries) = change else { return Vec::new() };
    entries
        .iter()
        .flat_map(|(name, value)| {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            if value.is_object() { paths(value, &path) } else { vec![path] }
        })
        .collect()
}
