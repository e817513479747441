//! What an endpoint can hear: a type of event, a group of them (`sms.*`), or all (`*`).

use crate::event::EventType;

/// Groups whose events come with a later version, and can be asked for now.
const GROUPS_TO_COME: [&str; 1] = ["fraud"];

/// Whether a text names events.
pub fn is_filter(text: &str) -> bool {
    if text == "*" || EventType::NAMES.contains(&text) {
        return true;
    }
    let Some(group) = text.strip_suffix(".*") else { return false };
    let is_of_it = |name: &&str| name.split_once('.').is_some_and(|(known, _)| known == group);
    GROUPS_TO_COME.contains(&group) || EventType::NAMES.iter().any(is_of_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_groups_and_all_are_filters_and_nothing_else() {
        for good in ["*", "sms.*", "challenge.verified", "user.created", "fraud.*", "webhook.endpoint_disabled"] {
            assert!(is_filter(good), "{good}");
        }
        for bad in [
            "",
            ".*",
            "**",
            "sms",
            "sms.",
            "sms.*.*",
            "sms.q*",
            "SMS.*",
            "sms.queued ",
            "fax.*",
            "fraud.found",
            "sms.lost",
        ] {
            assert!(!is_filter(bad), "{bad}");
        }
    }
}
