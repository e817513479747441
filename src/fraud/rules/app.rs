//! Unverified messages through one app: whoever has found one form that sends pumps through it.

use super::{Facts, Rule, budget::budget};
use crate::fraud::{
    FraudSettings,
    numbers::{APP_FLOOR, APP_SHARE},
};

/// `fraud.app`.
pub(super) fn app(facts: &Facts<'_>, settings: &FraudSettings) -> Option<Rule> {
    let key = ["app", facts.app?, facts.origin.as_str()].join(":");
    budget("app", key, settings.number(APP_FLOOR), settings.number(APP_SHARE))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::tests::{FACTS, settings},
        *,
    };

    #[test]
    fn what_comes_through_no_app_has_none_of_its_budget() {
        let rule = app(&FACTS, &settings(json!({}))).unwrap();
        assert_eq!((rule.key.as_str(), rule.most, rule.share), ("app:app_1:away", 50, 50));
        assert_eq!(app(&Facts { app: None, ..FACTS }, &settings(json!({}))), None);
        assert_eq!(app(&FACTS, &settings(json!({"app": {"floor": 0}}))), None);
    }
}
