//! What is stored as JSON of an app's own rule and of a user's exception, read and shown.

use serde_json::{Map, Value, json};

use super::{
    facts::{EmailBackup, Exception, Grace, Rule},
    kind::Kinds,
    settings::{kinds, names},
};
use crate::time::Timestamp;

/// An app's own rule; `None`: it uses the instance's. Who stores any part of a rule has one, unless they say that the
/// instance's holds. What it leaves out is off.
pub fn app_rule(stored: &Map<String, Value>) -> Option<Rule> {
    let uses_instance = stored.get("use_instance_policy").and_then(Value::as_bool).unwrap_or(stored.is_empty());
    (!uses_instance).then(|| own_rule(stored))
}

fn own_rule(stored: &Map<String, Value>) -> Rule {
    let list = |name: &str| stored.get(name).and_then(kinds).unwrap_or_default();
    let bound = |name: &str| {
        let number = stored.get("grace").and_then(|grace| grace.get(name)).and_then(Value::as_u64);
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
    };
    Rule {
        required: list("required"),
        named: list("named_factors"),
        enforce_enrolment: list("enforce_enrolment"),
        email_backup: stored
            .get("allow_email_backup")
            .and_then(Value::as_str)
            .and_then(EmailBackup::parse)
            .unwrap_or_default(),
        remember_device: stored.get("remember_device").and_then(Value::as_bool).unwrap_or(false),
        grace: Grace { sign_ins: bound("sign_ins"), days: bound("days") },
    }
}

/// An app's rule as it is shown, whole.
pub fn app_rule_json(stored: &Map<String, Value>) -> Value {
    let rule = own_rule(stored);
    json!({
        "use_instance_policy": app_rule(stored).is_none(),
        "required": names(rule.required),
        "named_factors": names(rule.named),
        "enforce_enrolment": names(rule.enforce_enrolment),
        "allow_email_backup": rule.email_backup.as_str(),
        "remember_device": rule.remember_device,
        "grace": {"sign_ins": rule.grace.sign_ins, "days": rule.grace.days},
    })
}

impl Exception {
    /// Reads what is stored; `None` when it is malformed.
    pub fn read(stored: &Value) -> Option<Self> {
        match (stored.get("required"), stored.get("exempt_until")) {
            (None, None) => Some(Self::None),
            (Some(required), None) => kinds(required).map(Self::Required),
            (None, Some(until)) => until.as_str().and_then(Timestamp::parse).map(Self::ExemptUntil),
            (Some(_), Some(_)) => None,
        }
    }

    /// What is stored of it.
    pub fn to_json(self) -> Value {
        match self {
            Self::None => json!({}),
            Self::Required(kinds) => json!({"required": names(kinds)}),
            Self::ExemptUntil(until) => json!({"exempt_until": until.to_string()}),
        }
    }

    /// The factors that it requires.
    pub fn required(self) -> Kinds {
        match self {
            Self::Required(kinds) => kinds,
            Self::None | Self::ExemptUntil(_) => Kinds::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Kind;

    #[test]
    fn an_app_has_its_own_rule_once_it_has_any_of_it() {
        let rule = |json: Value| app_rule(json.as_object().unwrap());
        assert_eq!(rule(json!({})), None);
        assert_eq!(rule(json!({"use_instance_policy": true, "required": ["totp"]})), None);
        assert_eq!(rule(json!({"use_instance_policy": false})), Some(Rule::default()));
        let own = rule(json!({"required": ["totp"], "grace": {"days": 3}})).unwrap();
        assert_eq!((own.required, own.grace.days), (Kinds::of(&[Kind::Totp]), 3));
        let shown = app_rule_json(json!({"required": ["totp"], "remember_device": true}).as_object().unwrap());
        assert_eq!(rule(shown.clone()).map(|rule| rule.remember_device), Some(true), "{shown}");
    }

    #[test]
    fn an_exception_reads_back() {
        for exception in [
            Exception::None,
            Exception::Required(Kinds::of(&[Kind::Phone])),
            Exception::ExemptUntil(Timestamp::from_millis(1_795_310_876_000)),
        ] {
            assert_eq!(Exception::read(&exception.to_json()), Some(exception));
        }
        assert_eq!(Exception::read(&json!({"required": ["password"]})), None);
    }
}
