//! Budgets of unverified messages, learned from history: a floor that every key has, and beyond it a share of what came
//! back on the best of the last fourteen days. The last one is among them. SQL does the same (`store.rs`); a property test
//! holds the two against each other.

use super::{Kind, Rule};

/// How long one period is, in milliseconds: six hours.
pub const PERIOD: i64 = 21_600_000;

/// How many periods a day has.
pub const DAY: i64 = 4;

/// How many days are looked at.
pub const DAYS: i64 = 14;

/// A rule with a budget. A floor of 0 switches it off.
pub(super) fn budget(name: &'static str, key: String, floor: i64, share: i64) -> Option<Rule> {
    (floor > 0).then(|| Rule { name, kind: Kind::Budget, key, most: floor, share, own: String::new() })
}

/// What one period has counted: how many periods ago, how many were sent, how many of them were verified.
pub type Count = (i64, i64, i64);

/// How many messages of the last 24 hours did not come back.
pub fn unverified(counts: &[Count]) -> i64 {
    let last = counts.iter().filter(|(ago, ..)| (0..DAY).contains(ago));
    last.map(|(_, sent, verified)| sent - verified).sum::<i64>().max(0)
}

/// How many may.
pub fn allowed(floor: i64, share: i64, counts: &[Count]) -> i64 {
    let day = |day: i64| -> i64 {
        counts.iter().filter(|(ago, ..)| ago.div_euclid(DAY) == day).map(|(_, _, verified)| verified).sum()
    };
    let best = (0..DAYS).map(day).max().unwrap_or(0);
    floor.max(share * best / 100)
}

/// Whether one more is refused. Where nothing was counted nothing is.
pub fn refuses(floor: i64, share: i64, counts: &[Count]) -> bool {
    floor > 0 && unverified(counts) >= allowed(floor, share, counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_the_floor_or_a_share_of_the_best_day() {
        for (counts, wanted) in [
            (vec![], 10),
            (vec![(0, 100, 20)], 10),
            // 30 % of 90, then of 95 over two periods of one day.
            (vec![(0, 100, 90)], 27),
            (vec![(0, 100, 90), (3, 6, 5)], 28),
            // Windows are counted back from now: the fourth period ago is yesterday's.
            (vec![(0, 100, 90), (4, 100, 95)], 28),
            (vec![(55, 1000, 900)], 270),
            (vec![(56, 1000, 900)], 10),
        ] {
            assert_eq!(allowed(10, 30, &counts), wanted, "{counts:?}");
        }
        assert_eq!(allowed(0, 100, &[(0, 7, 7)]), 7);
    }

    #[test]
    fn what_came_back_of_older_periods_makes_no_debt() {
        assert_eq!(unverified(&[(0, 3, 9)]), 0);
        assert_eq!(unverified(&[(0, 3, 1), (3, 4, 0), (4, 50, 0)]), 6);
    }

    #[test]
    fn the_eleventh_unverified_message_is_refused() {
        assert!(!refuses(10, 30, &[(0, 9, 0)]));
        assert!(refuses(10, 30, &[(0, 10, 0)]));
        assert!(!refuses(10, 30, &[(0, 10, 1)]));
        assert!(!refuses(10, 30, &[]));
        assert!(!refuses(0, 30, &[(0, 1000, 0)]));
    }
}
