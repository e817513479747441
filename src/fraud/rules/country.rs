//! Unverified messages to one country, by channel and by whether who asks is there: people mostly are.

use super::{Facts, Rule, budget::budget};
use crate::fraud::{
    FraudSettings,
    numbers::{COUNTRY_FLOOR, COUNTRY_SHARE},
};

/// `fraud.country`.
pub(super) fn country(facts: &Facts<'_>, settings: &FraudSettings) -> Option<Rule> {
    let key = ["country", facts.channel.as_str(), facts.country, facts.origin.as_str()].join(":");
    budget("country", key, settings.number(COUNTRY_FLOOR), settings.number(COUNTRY_SHARE))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::tests::{FACTS, settings},
        *,
    };
    use crate::{fraud::Origin, message::Channel};

    #[test]
    fn channels_countries_and_origins_are_counted_apart() {
        let rule = country(&FACTS, &settings(json!({}))).unwrap();
        assert_eq!((rule.key.as_str(), rule.most, rule.share), ("country:sms:GB:away", 20, 50));
        let call = Facts { channel: Channel::Voice, country: "FR", origin: Origin::Home, ..FACTS };
        let rule = country(&call, &settings(json!({"country": {"floor": 3, "share_percent": 5}}))).unwrap();
        assert_eq!((rule.key.as_str(), rule.most, rule.share), ("country:voice:FR:home", 3, 5));
        assert_eq!(country(&FACTS, &settings(json!({"country": {"floor": 0}}))), None);
    }
}
