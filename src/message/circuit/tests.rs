//! The rules of a circuit as cases, and against a slow and simple reading of them.

use proptest::prelude::*;

use super::*;
use crate::message::drivers::Why;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_795_341_600_000) + Duration::from_secs(seconds)
}

/// A circuit that took these outcomes, one a second.
fn after(outcomes: &[bool]) -> Circuit {
    let mut circuit = Circuit::default();
    for (second, is_good) in (0..).zip(outcomes) {
        circuit.note(at(second), *is_good);
    }
    circuit
}

#[test]
fn it_opens_on_the_fifth_outcome_where_half_are_bad() {
    const G: bool = true;
    const B: bool = false;
    let cases: [(&[bool], bool); 8] = [
        (&[B, B, B, B], false),
        (&[B, B, B, B, B], true),
        (&[G, G, B, B, B], true),
        (&[G, G, G, B, B], false),
        (&[G, G, G, B, B, B], true),
        // A good outcome opens nothing, however bad those before it were.
        (&[B, B, B, B, G], false),
        (&[B, B, B, B, G, B], true),
        (&[G, G, G, G, G, G, B, B, B, B, B], false),
    ];
    for (outcomes, is_open) in cases {
        assert_eq!(after(outcomes).is_open(at(20)), is_open, "{outcomes:?}");
    }
}

#[test]
fn what_is_a_minute_old_counts_no_more() {
    let mut circuit = after(&[false; 4]);
    circuit.note(at(60), false);
    assert!(!circuit.is_open(at(60)), "the first of five is a minute old");
    circuit.note(at(60), false);
    assert!(circuit.is_open(at(60)), "two, three, four seconds, and two now");
}

#[test]
fn after_the_pause_one_is_asked_and_its_outcome_decides() {
    let open = after(&[false; 5]);
    assert!(open.is_open(at(33)));
    assert!(!open.is_open(at(34)), "30 seconds after the fifth");
    let mut probed = open.clone();
    probed.ask(at(34));
    assert!(probed.is_open(at(34)), "the others wait for the probe");
    assert!(!probed.is_open(at(44)), "a probe that was never made keeps nobody waiting");

    let mut good = probed.clone();
    good.note(at(36), true);
    assert_eq!(good, Circuit::default(), "nothing is left of before");
    good.note(at(37), false);
    assert!(!good.is_open(at(37)), "it takes five again");

    let mut pauses = Vec::new();
    let (mut circuit, mut now) = (probed, at(36));
    for _ in 0..6 {
        circuit.note(now, false);
        let mut until = now;
        while circuit.is_open(until) {
            until = until + Duration::from_secs(1);
        }
        pauses.push(now.until(until).as_secs());
        circuit.ask(until);
        now = until;
    }
    assert_eq!(pauses, [60, 120, 240, 300, 300, 300]);
}

#[test]
fn who_was_asked_before_it_opened_changes_nothing() {
    let open = after(&[false; 5]);
    for is_good in [true, false] {
        let mut late = open.clone();
        for second in 5..30 {
            late.ask(at(second));
            late.note(at(second), is_good);
        }
        assert_eq!(late, open);
    }
}

#[test]
fn the_drivers_that_fail_go_last_and_one_set_up_anew_is_asked_at_once() {
    let circuits = Circuits::default();
    let why = || Why::new("503", "down");
    let outcomes = [
        (Outcome::Retryable(why()), true),
        (Outcome::Misconfigured(why()), true),
        (Outcome::Unknown(why()), true),
        (Outcome::RecipientRefused(why()), false),
        (Outcome::FraudBlocked(why()), false),
        (Outcome::Accepted { provider_id: String::new(), segments: None }, false),
    ];
    for (outcome, is_bad) in outcomes {
        let circuits = Circuits::default();
        let opened: Vec<bool> =
            (0..6).map(|second| circuits.note(Channel::Sms, "vonage", 1, at(second), &outcome)).collect();
        assert_eq!(opened, [false, false, false, false, is_bad, false], "{}", outcome.as_str());
    }
    for _ in 0..5 {
        circuits.note(Channel::Sms, "vonage", 1, at(0), &Outcome::Unknown(why()));
    }
    let is_open = |channel, driver, version| {
        circuits.with(version, |known| known.of(channel, driver, |circuit| circuit.is_open(at(1))))
    };
    assert!(is_open(Channel::Sms, "vonage", 1));
    assert!(!is_open(Channel::Voice, "vonage", 1), "calls are apart");
    assert!(!is_open(Channel::Sms, "twilio", 1));
    // A request that began before the change does not bring the old circuits back.
    assert!(!is_open(Channel::Sms, "vonage", 2));
    assert!(!is_open(Channel::Sms, "vonage", 1));
}

proptest! {
    /// Whatever comes when: it opens exactly by the rule, and while it is open at most one in ten seconds is asked.
    #[test]
    fn it_is_open_exactly_by_the_rule(steps in prop::collection::vec((0u64..20, any::<bool>()), 0..60)) {
        let mut circuit = Circuit::default();
        let (mut now, mut seen) = (at(0), Vec::<(Timestamp, bool)>::new());
        // Until when, for how long, and until when a probe is awaited.
        let mut open: Option<(Timestamp, u64, Timestamp)> = None;
        for (wait, is_good) in steps {
            now = now + Duration::from_secs(wait);
            let expected = open.is_some_and(|(until, _, probing)| now < until || now < probing);
            prop_assert_eq!(circuit.is_open(now), expected);
            if expected {
                continue;
            }
            circuit.ask(now);
            if let Some((until, pause, _)) = open {
                prop_assert!(circuit.is_open(now), "one is the probe, and the next has to wait");
                open = Some((until, pause, now + Duration::from_secs(10)));
            }
            circuit.note(now, is_good);
            open = match open {
                Some(_) if is_good => {
                    seen.clear();
                    None
                }
                Some((_, pause, _)) => {
                    let pause = (pause * 2).min(300);
                    Some((now + Duration::from_secs(pause), pause, now))
                }
                None => {
                    seen.push((now, is_good));
                    let recent: Vec<bool> = seen
                        .iter()
                        .filter(|(when, _)| when.until(now) < Duration::from_secs(60))
                        .map(|(_, is_good)| *is_good)
                        .collect();
                    let bad = recent.iter().filter(|is_good| !**is_good).count();
                    let opens = !is_good && recent.len() >= 5 && 2 * bad >= recent.len();
                    opens.then(|| (now + Duration::from_secs(30), 30, now))
                }
            };
            prop_assert_eq!(circuit.is_open(now), open.is_some());
        }
    }
}
