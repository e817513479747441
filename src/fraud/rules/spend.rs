//! Caps on what messages cost. Nobody is exempt: they are what an operator can rely on when every other rule is wrong.

use super::{Facts, Kind, Rule};
use crate::fraud::FraudSettings;

/// `fraud.spend.hourly`.
pub(super) fn spend_hour(_: &Facts<'_>, settings: &FraudSettings) -> Option<Rule> {
    cap("spend_hour", settings.hourly?)
}

/// `fraud.spend.daily`.
pub(super) fn spend_day(_: &Facts<'_>, settings: &FraudSettings) -> Option<Rule> {
    cap("spend_day", settings.daily?)
}

#[expect(clippy::unnecessary_wraps, reason = "all rules have one form")]
fn cap(name: &'static str, most: i64) -> Option<Rule> {
    Some(Rule { name, kind: Kind::Spend, key: name.to_owned(), most, share: 0, own: String::new() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::tests::{FACTS, settings},
        *,
    };

    #[test]
    fn without_a_cap_nothing_is_capped() {
        assert_eq!(spend_hour(&FACTS, &settings(json!({}))), None);
        assert_eq!(spend_day(&FACTS, &settings(json!({}))), None);
        let capped = settings(json!({"spend": {"hourly": "0.5", "daily": "20"}}));
        assert_eq!(spend_hour(&FACTS, &capped).unwrap().most, 500_000);
        assert_eq!(spend_day(&FACTS, &capped).unwrap().most, 20_000_000);
    }
}
