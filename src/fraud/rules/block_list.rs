//! The block list: what a person, or the guard itself, has closed for a time.

use super::{Facts, Kind, Rule};
use crate::fraud::FraudSettings;

/// Whatever the entries say. Which subjects a message has is told beside the rules.
#[expect(clippy::unnecessary_wraps, reason = "all rules have one form")]
pub(super) fn block_list(_: &Facts<'_>, _: &FraudSettings) -> Option<Rule> {
    Some(Rule { name: "block_list", kind: Kind::List, key: String::new(), most: 0, share: 0, own: String::new() })
}
