//! The prefix rule: a number less its last four digits is what an operator leases to whoever pumps. Many messages to one in
//! a day with few that come back trip a block, which lasts twice as long each time and ends by itself.

use crate::fraud::{
    FraudSettings,
    numbers::{PREFIX_BLOCK_HOURS, PREFIX_CONVERSION, PREFIX_UNVERIFIED},
};

/// The longest block, in hours: a week.
pub const LONGEST: i64 = 168;

/// The numbers of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// So many unverified ones,
    pub unverified: i64,
    /// with less than so many of a hundred verified,
    pub conversion: i64,
    /// block for so many hours.
    pub hours: i64,
}

impl Trip {
    /// `fraud.prefix`; `None`: it is off.
    pub fn of(settings: &FraudSettings) -> Option<Self> {
        let (unverified, conversion) = (settings.number(PREFIX_UNVERIFIED), settings.number(PREFIX_CONVERSION));
        let hours = settings.number(PREFIX_BLOCK_HOURS).clamp(1, LONGEST);
        (unverified > 0 && conversion > 0).then_some(Self { unverified, conversion, hours })
    }

    /// Whether so many in the last 24 hours trip it.
    pub fn trips(self, sent: i64, verified: i64) -> bool {
        sent - verified >= self.unverified && verified * 100 < self.conversion * sent
    }

    /// How long a block lasts, in hours: the first one has level 1.
    pub fn block(self, level: u32) -> i64 {
        let doubled = self.hours.saturating_mul(1 << level.saturating_sub(1).min(8));
        doubled.min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::tests::settings, *};

    #[test]
    fn many_that_do_not_come_back_trip_and_few_that_do_prevent_it() {
        let trip = Trip::of(&settings(json!({}))).unwrap();
        assert_eq!(trip, Trip { unverified: 6, conversion: 20, hours: 12 });
        for (sent, verified, wanted) in
            [(5, 0, false), (6, 0, true), (7, 1, true), (8, 2, false), (100, 19, true), (100, 20, false)]
        {
            assert_eq!(trip.trips(sent, verified), wanted, "{sent} {verified}");
        }
        for off in [json!({"unverified": 0}), json!({"conversion_percent": 0})] {
            assert_eq!(Trip::of(&settings(json!({ "prefix": off }))), None);
        }
    }

    #[test]
    fn blocks_double_up_to_a_week() {
        let trip = Trip::of(&settings(json!({}))).unwrap();
        let blocks: Vec<i64> = (1..=6).map(|level| trip.block(level)).collect();
        assert_eq!(blocks, [12, 24, 48, 96, 168, 168]);
        let week = Trip { hours: 168, ..trip };
        assert_eq!((week.block(1), week.block(4_000_000_000)), (168, 168));
    }
}
