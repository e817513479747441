//! Unverified messages asked for from one network operator: addresses change easily, hosters less so.

use super::{Facts, Rule, budget::budget};
use crate::fraud::{
    FraudSettings,
    numbers::{ASN_FLOOR, ASN_SHARE},
};

/// `fraud.asn`.
pub(super) fn asn(facts: &Facts<'_>, settings: &FraudSettings) -> Option<Rule> {
    let key = ["asn", &facts.asn?.to_string(), facts.origin.as_str()].join(":");
    budget("asn", key, settings.number(ASN_FLOOR), settings.number(ASN_SHARE))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::tests::{FACTS, settings},
        *,
    };

    #[test]
    fn an_operator_that_is_not_known_has_no_budget() {
        let rule = asn(&FACTS, &settings(json!({}))).unwrap();
        assert_eq!((rule.key.as_str(), rule.most, rule.share), ("asn:64500:away", 30, 30));
        assert_eq!(asn(&Facts { asn: None, ..FACTS }, &settings(json!({}))), None);
        assert_eq!(asn(&FACTS, &settings(json!({"asn": {"floor": 0}}))), None);
    }
}
