//! The rules: each is one small function that says, for one message, what is held against which numbers of the settings.
//! They are data; `store.rs` holds them against what was counted, in one statement. `docs/decisions/0048` says why each.

mod app;
mod asn;
mod block_list;
pub mod budget;
mod country;
mod new_countries;
mod phones;
pub mod prefix;
mod spend;

use serde_json::{Value, json};

use super::{FraudSettings, Origin};
use crate::message::Channel;

/// What the rules look at.
pub struct Facts<'a> {
    /// How it goes.
    pub channel: Channel,
    /// The number's country.
    pub country: &'a str,
    /// Whether who asks is there.
    pub origin: Origin,
    /// Whose network they ask from.
    pub asn: Option<i64>,
    /// Through which app.
    pub app: Option<&'a str>,
    /// Who the user is.
    pub user: Option<&'a str>,
    /// The number's MAC.
    pub number: &'a str,
    /// The MAC of the client's address (/64 for IPv6).
    pub network: Option<&'a str>,
    /// Whether it is asked for before a first factor is proven.
    pub veiled: bool,
}

impl Facts<'_> {
    /// What ends the keys that it is counted under: what is counted behind a veil is seen by nobody before it (law 8).
    pub(super) fn tail(&self) -> &'static str {
        if self.veiled { ":veiled" } else { "" }
    }
}

/// How a rule is held against what was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Against live entries of the block list.
    List,
    /// Unverified messages against a floor and a share of what was verified ([`budget`]).
    Budget,
    /// Distinct members under a key.
    Members,
    /// What messages cost, with this one.
    Spend,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Budget => "budget",
            Self::Members => "members",
            Self::Spend => "spend",
        }
    }
}

/// One rule for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, in events.
    pub name: &'static str,
    /// How it is held.
    pub kind: Kind,
    /// What is counted.
    pub key: String,
    /// The number of the settings: a floor, a count, a cap.
    pub most: i64,
    /// Per cent of what was verified that may go unverified beyond the floor.
    pub share: i64,
    /// Of members, the one that this message would be; of new countries, the head of the keys under which fewer
    /// than four may have been verified.
    pub own: String,
}

impl Rule {
    /// As `json_each` hands it to SQL.
    fn to_json(&self) -> Value {
        json!({"rule": self.name, "kind": self.kind.as_str(), "key": self.key, "most": self.most, "share": self.share,
            "own": self.own})
    }
}

/// One rule: for these facts, under these settings. `None`: it is off, or has nothing to look at.
type OneRule = fn(&Facts<'_>, &FraudSettings) -> Option<Rule>;

/// The rules that hold for everything.
const ALWAYS: [OneRule; 3] = [block_list::block_list, spend::spend_hour, spend::spend_day];

/// The rules that hold for codes beside those: at most ten in all, since an event's id ends with a rule's place.
const OF_CODES: [OneRule; 7] = [
    country::country,
    new_countries::new_countries,
    app::app,
    asn::asn,
    phones::phones_per_user,
    phones::phones_per_address,
    phones::users_per_phone,
];

/// The rules that hold for a message, as one JSON parameter.
pub(super) fn parameter(facts: &Facts<'_>, settings: &FraudSettings, is_code: bool) -> String {
    let of_codes = OF_CODES.iter().filter(|_| is_code);
    let rules = ALWAYS.iter().chain(of_codes).filter_map(|rule| rule(facts, settings));
    let counted = rules.map(|mut rule| {
        if matches!(rule.kind, Kind::Budget | Kind::Members) {
            rule.key.push_str(facts.tail());
        }
        rule.to_json()
    });
    Value::Array(counted.collect()).to_string()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::config::Config;

    /// Facts with everything in them.
    pub(in crate::fraud) const FACTS: Facts<'static> = Facts {
        channel: Channel::Sms,
        country: "GB",
        origin: Origin::Away,
        asn: Some(64_500),
        app: Some("app_1"),
        user: Some("usr_1"),
        number: "NUMBER",
        network: Some("NETWORK"),
        veiled: false,
    };

    /// Settings of which this is stored.
    #[expect(clippy::needless_pass_by_value, reason = "what is stored is written at the call")]
    pub(in crate::fraud) fn settings(stored: Value) -> FraudSettings {
        FraudSettings::effective(&json!({ "fraud": stored }), &Config::read(&BTreeMap::new()))
    }

    #[test]
    fn each_rule_has_a_place_of_one_digit_and_a_name_of_its_own() {
        assert!(ALWAYS.len() + OF_CODES.len() <= 10);
        let prices = json!({"sms": {"*": "0.05"}, "voice": {"*": "0.2"}});
        let all = settings(json!({"spend": {"hourly": "1", "daily": "2", "prices": prices}}));
        let names = |is_code| -> Vec<String> {
            let rules: Vec<Value> = serde_json::from_str(&parameter(&FACTS, &all, is_code)).unwrap();
            rules.iter().map(|rule| rule["rule"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(false), ["block_list", "spend_hour", "spend_day"]);
        let of_codes =
            ["country", "new_countries", "app", "asn", "phones_per_user", "phones_per_address", "users_per_phone"];
        assert_eq!(names(true)[3..], of_codes);
    }
}
