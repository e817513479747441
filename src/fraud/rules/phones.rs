//! How many belong together: numbers of one user, numbers from one address, users of one number. A person has few numbers,
//! and a household few people.

use super::{Facts, Kind, Rule};
use crate::fraud::{
    FraudSettings, Number,
    numbers::{PHONES_PER_ADDRESS, PHONES_PER_USER, USERS_PER_PHONE},
};

/// `fraud.phones.per_user`.
pub(super) fn phones_per_user(facts: &Facts<'_>, settings: &FraudSettings) -> Option<Rule> {
    members("phones_per_user", facts.user?, facts.number, PHONES_PER_USER, settings)
}

/// `fraud.phones.per_address`.
pub(super) fn phones_per_address(facts: &Facts<'_>, settings: &FraudSettings) -> Option<Rule> {
    members("phones_per_address", facts.network?, facts.number, PHONES_PER_ADDRESS, settings)
}

/// `fraud.phones.users_per_phone`.
pub(super) fn users_per_phone(facts: &Facts<'_>, settings: &FraudSettings) -> Option<Rule> {
    members("users_per_phone", facts.number, facts.user?, USERS_PER_PHONE, settings)
}

fn members(name: &'static str, of: &str, own: &str, most: Number, settings: &FraudSettings) -> Option<Rule> {
    let most = settings.number(most);
    (most > 0).then(|| Rule {
        name,
        kind: Kind::Members,
        key: [name, of].join(":"),
        most,
        share: 0,
        own: own.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::tests::{FACTS, settings},
        *,
    };

    #[test]
    fn who_is_not_known_has_no_members() {
        let default = settings(json!({}));
        let told = |rule: Option<Rule>| rule.map(|rule| (rule.key, rule.own, rule.most));
        let text = |key: &str, own: &str, most| Some((key.to_owned(), own.to_owned(), most));
        assert_eq!(told(phones_per_user(&FACTS, &default)), text("phones_per_user:usr_1", "NUMBER", 5));
        assert_eq!(told(phones_per_address(&FACTS, &default)), text("phones_per_address:NETWORK", "NUMBER", 20));
        assert_eq!(told(users_per_phone(&FACTS, &default)), text("users_per_phone:NUMBER", "usr_1", 5));
        let nobody = Facts { user: None, network: None, ..FACTS };
        let off = settings(json!({"phones": {"per_user": 0, "per_address": 0, "users_per_phone": 0}}));
        for rule in [phones_per_user, phones_per_address, users_per_phone] {
            assert_eq!(rule(&nobody, &default), None);
            assert_eq!(rule(&FACTS, &off), None);
        }
    }
}
