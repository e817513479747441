//! When something is wrong: each condition a function of what was counted, and of its setting. No database, no clock.

/// What was counted of something: all of it, and what went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Codes, messages, tries.
    pub all: i64,
    /// Those that came back, were reported delivered, were taken.
    pub good: i64,
}

/// A condition's setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// By how much, or how many, in per cent; 0: never.
    pub percent: i64,
    /// Less than so many prove nothing.
    pub minimum: i64,
}

/// A condition that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// What was seen: per cent, a count, or an amount in millionths.
    pub observed: i64,
    /// From where on it is told.
    pub threshold: i64,
    /// Nobody gets a code while it holds: no quiet time holds it back.
    pub urgent: bool,
}

/// The share in per cent, downwards.
fn percent(window: Window) -> i64 {
    window.good.saturating_mul(100) / window.all.max(1)
}

/// Whether the share of the good has fallen by so many per cent of what it was, and by more than chance explains: three
/// standard deviations of so many draws at the share before.
// Counts are far below 2^53, and products of them never overflow.
#[allow(clippy::cast_precision_loss)]
fn has_dropped(now: Window, before: Window, bounds: Bounds) -> bool {
    let [all, good, all_before, good_before, left] =
        [now.all, now.good, before.all, before.good, 100 - bounds.percent].map(|count| count as f64);
    let missing = all * good_before - good * all_before;
    let is_enough = now.all >= bounds.minimum.max(1) && before.all >= bounds.minimum.max(1);
    // As products: good / all * 100 < good_before / all_before * left.
    bounds.percent > 0
        && is_enough
        && good * 100.0 * all_before < good_before * left * all
        && missing * missing > 9.0 * all * good_before * (all_before - good_before)
}

fn dropped(now: Window, before: Window, bounds: Bounds) -> Firing {
    Firing { observed: percent(now), threshold: percent(before) * (100 - bounds.percent) / 100, urgent: false }
}

/// Far fewer codes come back than in the week before.
pub fn conversion_drop(now: Window, before: Window, bounds: Bounds) -> Option<Firing> {
    has_dropped(now, before, bounds).then(|| dropped(now, before, bounds))
}

/// Far fewer messages are reported delivered than in the week before, where most are.
pub fn delivery_drop(now: Window, before: Window, bounds: Bounds) -> Option<Firing> {
    conversion_drop(now, before, bounds).filter(|_| percent(before) >= 50)
}

/// A driver does not take what it is given. `others`: what the channel's other drivers have taken meanwhile; where that is
/// nothing, nobody is sent anything. While it is told already, one try is enough to go on: a driver that fails is asked less.
pub fn driver_down(tries: Window, others: i64, is_told: bool, bounds: Bounds) -> Option<Firing> {
    let minimum = if is_told { 1 } else { bounds.minimum.max(1) };
    let failed = 100 - percent(tries);
    let holds = bounds.percent > 0 && tries.all >= minimum && failed >= bounds.percent;
    holds.then_some(Firing { observed: failed, threshold: bounds.percent, urgent: others == 0 })
}

/// A count has reached its bound; 0: none.
pub fn reached(count: i64, bound: i64) -> Option<Firing> {
    (bound > 0 && count >= bound).then_some(Firing { observed: count, threshold: bound, urgent: false })
}

/// The guard refuses messages since they cost too much: nobody gets one until the hour or the day is over.
pub fn cap_reached(spent: i64, cap: i64, is_refusing: bool) -> Option<Firing> {
    is_refusing.then_some(Firing { observed: spent, threshold: cap, urgent: true })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn of(good: i64, all: i64) -> Window {
        Window { all, good }
    }

    const BOUNDS: Bounds = Bounds { percent: 40, minimum: 30 };

    #[test]
    fn a_drop_is_told_where_it_is_deep_wide_and_no_chance() {
        for (now, before, wanted) in [
            // 85 % before: below 51 %.
            (of(0, 100), of(850, 1000), Some((0, 51))),
            (of(50, 100), of(850, 1000), Some((50, 51))),
            (of(51, 100), of(850, 1000), None),
            (of(85, 100), of(850, 1000), None),
            (of(100, 100), of(850, 1000), None),
            // Too few, now or before.
            (of(0, 29), of(850, 1000), None),
            (of(0, 30), of(850, 1000), Some((0, 51))),
            (of(0, 100), of(29, 29), None),
            (of(0, 100), of(30, 30), Some((0, 60))),
            (of(0, 0), of(850, 1000), None),
            // What never came back cannot come back less.
            (of(0, 100), of(0, 1000), None),
            // 10 % before: of 40 none may be chance, of 100 it is not.
            (of(0, 40), of(100, 1000), None),
            (of(0, 100), of(100, 1000), Some((0, 6))),
        ] {
            let firing = conversion_drop(now, before, BOUNDS);
            assert_eq!(firing.map(|firing| (firing.observed, firing.threshold)), wanted, "{now:?} {before:?}");
            assert_eq!(conversion_drop(now, before, Bounds { percent: 0, ..BOUNDS }), None, "switched off");
        }
    }

    #[test]
    fn delivery_is_looked_at_only_where_most_is_reported() {
        assert!(delivery_drop(of(0, 100), of(500, 1000), BOUNDS).is_some());
        assert!(delivery_drop(of(0, 100), of(499, 1000), BOUNDS).is_none());
        assert!(conversion_drop(of(0, 100), of(499, 1000), BOUNDS).is_some());
    }

    #[test]
    fn a_driver_is_down_when_enough_of_enough_fails() {
        let bounds = Bounds { percent: 50, minimum: 5 };
        for (tries, others, is_told, wanted) in [
            (of(0, 5), 3, false, Some((100, false))),
            (of(0, 4), 3, false, None),
            (of(0, 1), 3, true, Some((100, false))),
            (of(1, 1), 3, true, None),
            (of(0, 0), 0, true, None),
            (of(5, 10), 3, false, Some((50, false))),
            (of(6, 10), 3, false, None),
            // The last one.
            (of(0, 5), 0, false, Some((100, true))),
            (of(2, 5), 0, false, Some((60, true))),
        ] {
            let firing = driver_down(tries, others, is_told, bounds);
            assert_eq!(firing.map(|firing| (firing.observed, firing.urgent)), wanted, "{tries:?} {others} {is_told}");
            assert_eq!(driver_down(tries, others, is_told, Bounds { percent: 0, ..bounds }), None, "switched off");
        }
    }

    #[test]
    fn counts_reach_their_bounds() {
        assert_eq!(reached(499, 500), None);
        assert_eq!(reached(500, 500), Some(Firing { observed: 500, threshold: 500, urgent: false }));
        assert_eq!(reached(i64::MAX, 0), None, "switched off");
        assert_eq!(cap_reached(19, 20, false), None);
        assert_eq!(cap_reached(19, 20, true), Some(Firing { observed: 19, threshold: 20, urgent: true }));
    }

    fn window(most: i64) -> impl Strategy<Value = Window> {
        (0..=most).prop_flat_map(|all| (0..=all).prop_map(move |good| of(good, all)))
    }

    proptest! {
        /// What is told is as deep as the setting says, as floating point has it too.
        #[test]
        #[allow(clippy::cast_precision_loss)]
        fn a_drop_is_what_the_setting_says(
            now in window(5000), before in window(1_000_000), percent in 1..=100_i64, minimum in 1..100_i64,
        ) {
            let bounds = Bounds { percent, minimum };
            let firing = conversion_drop(now, before, bounds);
            if firing.is_some() {
                let share = |window: Window| window.good as f64 / window.all as f64;
                let (now_share, before_share) = (share(now), share(before));
                prop_assert!(now_share <= before_share * (100 - percent) as f64 / 100.0 + 1e-9);
                let deviation = (before_share * (1.0 - before_share) / now.all as f64).sqrt();
                prop_assert!(before_share - now_share >= 3.0 * deviation - 1e-9);
                prop_assert!(now.all >= minimum && before.all >= minimum);
            }
        }

        /// One more that comes back never makes an alert, and one that does not never ends one.
        #[test]
        fn better_is_never_worse(now in window(500), before in window(100_000), percent in 1..100_i64) {
            let bounds = Bounds { percent, minimum: 30 };
            let better = Window { good: (now.good + 1).min(now.all), ..now };
            if conversion_drop(better, before, bounds).is_some() {
                prop_assert!(conversion_drop(now, before, bounds).is_some());
            }
            let worse = Window { all: now.all + 1, ..now };
            if conversion_drop(now, before, bounds).is_some() {
                prop_assert!(conversion_drop(worse, before, bounds).is_some());
            }
            if driver_down(better, 0, false, bounds).is_some() {
                prop_assert!(driver_down(now, 0, false, bounds).is_some());
            }
        }

        /// No numbers that a database may hold make it panic.
        #[test]
        fn nothing_overflows(numbers in prop::array::uniform6(0..=i64::MAX / 128)) {
            let [all, good, all_before, good_before, percent, minimum] = numbers;
            let bounds = Bounds { percent: percent % 101, minimum };
            let (now, before) = (of(good.min(all), all), of(good_before.min(all_before), all_before));
            let _ = (conversion_drop(now, before, bounds), driver_down(now, good_before, true, bounds));
        }
    }
}
