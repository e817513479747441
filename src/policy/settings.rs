//! The settings `multi_factor`, and what the variables say where nothing is stored.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    facts::{EmailBackup, Grace, InstancePolicy, Rule},
    kind::{Kind, Kinds, of_variable},
};

/// What the variables say. Their default is the one of the table of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a variable of its own")]
pub struct Bindings {
    /// `OTP_MFA_IS_REQUIRED`.
    pub otp_is_required: bool,
    /// `EMAIL_MFA_IS_REQUIRED`.
    pub email_is_required: bool,
    /// `SMS_MFA_IS_REQUIRED`.
    pub sms_is_required: bool,
    /// `ENFORCE_ONE_MFA_ENROLLMENT`; `otp` is `totp`, `sms` is `phone`.
    pub enforce_enrolment: Vec<String>,
    /// `ALLOW_EMAIL_MFA_AS_BACKUP`: `true` is `unavailable`, as there.
    pub email_as_backup: bool,
    /// `ALLOW_PASSKEY_ENROLLMENT`.
    pub passkey_enrolment: bool,
    /// `ENABLE_RECOVERY_CODE`.
    pub recovery_code: bool,
    /// `ENABLE_MFA_REMEMBER_DEVICE`.
    pub remember_device: bool,
}

impl Default for Bindings {
    fn default() -> Self {
        Self {
            otp_is_required: false,
            email_is_required: false,
            sms_is_required: false,
            enforce_enrolment: vec!["otp".to_owned(), "email".to_owned()],
            email_as_backup: true,
            passkey_enrolment: false,
            recovery_code: false,
            remember_device: false,
        }
    }
}

/// The settings in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiFactor {
    /// What the instance asks.
    pub rule: Rule,
    /// The kinds that can be enrolled; an enrolled one works whatever is here.
    pub enabled: Kinds,
    /// For how many days a device is remembered, from its making.
    pub device_days: u32,
}

/// A remembered device lasts 30 days, as in Melody Auth.
const DEVICE_DAYS: u32 = 30;

impl MultiFactor {
    /// The settings in effect, from what is stored under `multi_factor` and the variables. What is stored in a form
    /// that this version does not know falls back to the variable.
    pub fn effective(stored: &Value, bound: &Bindings) -> Self {
        let at = |path: &str| path.split('.').try_fold(stored, |value, name| value.get(name));
        let flag = |path: &str, bound: bool| at(path).and_then(Value::as_bool).unwrap_or(bound);
        let number = |path: &str, default: u32| {
            at(path).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok()).unwrap_or(default)
        };
        let required = [
            (Kind::Totp, bound.otp_is_required),
            (Kind::Email, bound.email_is_required),
            (Kind::Phone, bound.sms_is_required),
        ];
        let required: Kinds = required.into_iter().filter_map(|(kind, is)| is.then_some(kind)).collect();
        let listed = bound.enforce_enrolment.iter().filter_map(|name| of_variable(name)).collect();
        let enabled = |kind: Kind| {
            let bound = match kind {
                Kind::Passkey => bound.passkey_enrolment,
                Kind::RecoveryCodes => bound.recovery_code,
                Kind::Totp | Kind::Phone | Kind::Email | Kind::Password => true,
            };
            // What is stored and not a flag stops.
            at(&format!("{}.enabled", kind.as_str())).map_or(bound, |stored| stored.as_bool() == Some(true))
        };
        let backup = if bound.email_as_backup { EmailBackup::Unavailable } else { EmailBackup::Never };
        Self {
            rule: Rule {
                required: at("required").and_then(kinds).unwrap_or(required),
                named: Kinds::NONE,
                enforce_enrolment: at("enforce_enrolment").and_then(kinds).unwrap_or(listed),
                email_backup: at("allow_email_backup")
                    .and_then(Value::as_str)
                    .and_then(EmailBackup::parse)
                    .unwrap_or(backup),
                remember_device: flag("remember_device.enabled", bound.remember_device),
                grace: Grace { sign_ins: number("grace.sign_ins", 0), days: number("grace.days", 0) },
            },
            enabled: Kind::ALL.into_iter().filter(|kind| enabled(*kind)).collect(),
            device_days: number("remember_device.days", DEVICE_DAYS),
        }
    }

    /// The policy, where these kinds have no channel to enrol them by.
    pub fn policy(&self, without_channel: Kinds) -> InstancePolicy {
        InstancePolicy {
            rule: self.rule.clone(),
            enrollable: self.enabled.less(without_channel),
            device_lifetime: Duration::from_hours(24) * self.device_days,
        }
    }

    /// The settings as `GET /v1/instance` shows them.
    pub fn to_json(&self) -> Value {
        let Rule { required, enforce_enrolment, email_backup, remember_device, grace, .. } = &self.rule;
        let mut json = json!({
            "required": names(*required),
            "enforce_enrolment": names(*enforce_enrolment),
            "allow_email_backup": email_backup.as_str(),
            "remember_device": {"enabled": remember_device, "days": self.device_days},
            "grace": {"sign_ins": grace.sign_ins, "days": grace.days},
        });
        if let Some(json) = json.as_object_mut() {
            for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Password) {
                json.insert(kind.as_str().to_owned(), json!({"enabled": self.enabled.has(kind)}));
            }
        }
        json
    }
}

/// A stored list of second factors; `None` when anything else is in it.
pub(super) fn kinds(list: &Value) -> Option<Kinds> {
    let second = |name: &Value| Kind::parse(name.as_str()?).filter(|kind| Kinds::SECOND.has(*kind));
    list.as_array()?.iter().map(second).collect()
}

/// The names of a set, for JSON.
pub(super) fn names(kinds: Kinds) -> Vec<&'static str> {
    kinds.iter().map(Kind::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_mean_what_they_mean_in_melody_auth() {
        let plain = MultiFactor::effective(&Value::Null, &Bindings::default());
        assert_eq!(plain.rule.required, Kinds::NONE);
        assert_eq!(plain.rule.enforce_enrolment, Kinds::of(&[Kind::Totp, Kind::Email]));
        assert_eq!(plain.rule.email_backup, EmailBackup::Unavailable);
        assert!(!plain.rule.remember_device && plain.device_days == 30);
        assert!(!plain.enabled.has(Kind::Passkey) && !plain.enabled.has(Kind::RecoveryCodes));
        assert_eq!(plain.rule.grace, Grace::default());
        let all = Bindings {
            otp_is_required: true,
            email_is_required: true,
            sms_is_required: true,
            enforce_enrolment: vec!["sms".to_owned()],
            email_as_backup: false,
            passkey_enrolment: true,
            recovery_code: true,
            remember_device: true,
        };
        let all = MultiFactor::effective(&Value::Null, &all);
        assert_eq!(all.rule.required, Kinds::of(&[Kind::Totp, Kind::Email, Kind::Phone]));
        assert_eq!(all.rule.enforce_enrolment, Kinds::of(&[Kind::Phone]));
        assert_eq!(all.rule.email_backup, EmailBackup::Never);
        assert!(all.rule.remember_device && all.enabled.has(Kind::Passkey) && all.enabled.has(Kind::RecoveryCodes));
    }

    #[test]
    fn a_stored_value_wins_and_shows_and_a_malformed_one_falls_back() {
        let stored = json!({
            "required": ["phone"], "enforce_enrolment": [], "allow_email_backup": "on_request",
            "remember_device": {"enabled": true, "days": 7}, "grace": {"sign_ins": 3, "days": 14},
            "totp": {"enabled": false}, "passkey": {"enabled": true},
        });
        let settings = MultiFactor::effective(&stored, &Bindings { otp_is_required: true, ..Bindings::default() });
        assert_eq!(settings.rule.required, Kinds::of(&[Kind::Phone]), "what is stored replaces the variables");
        assert!(settings.rule.enforce_enrolment.is_empty());
        let shown = settings.to_json();
        assert_eq!(MultiFactor::effective(&shown, &Bindings::default()), settings, "what is shown can be stored");
        let odd = json!({"required": ["password"], "enforce_enrolment": "totp", "allow_email_backup": true});
        assert_eq!(
            MultiFactor::effective(&odd, &Bindings::default()),
            MultiFactor::effective(&Value::Null, &Bindings::default())
        );
    }
}
