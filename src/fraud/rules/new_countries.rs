//! Countries from which fewer than four codes came back in 14 days, all together: whoever spreads over many countries stays
//! below each one's floor, and not below this. One code that came back makes no customers: whoever pumps sends some.

use super::{Facts, Rule, budget::budget};
use crate::fraud::{FraudSettings, numbers::NEW_COUNTRIES};

/// `fraud.new_countries`. What comes back is counted under its key too, so that people take none of the budget away.
pub(super) fn new_countries(facts: &Facts<'_>, settings: &FraudSettings) -> Option<Rule> {
    let channel = facts.channel.as_str();
    let rule = budget("new_countries", ["new_countries", channel].join(":"), settings.number(NEW_COUNTRIES), 0)?;
    Some(Rule { own: ["country", channel, facts.country, ""].join(":"), ..rule })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::tests::{FACTS, settings},
        *,
    };

    #[test]
    fn all_new_countries_of_a_channel_have_one_budget() {
        let rule = new_countries(&FACTS, &settings(json!({}))).unwrap();
        assert_eq!((rule.key.as_str(), rule.most, rule.share), ("new_countries:sms", 30, 0));
        assert_eq!(rule.own, "country:sms:GB:");
        assert_eq!(new_countries(&FACTS, &settings(json!({"new_countries": {"messages": 0}}))), None);
    }
}
