//! Which drivers have failed of late: the isolate's memory of outcomes, so that people do not wait for a carrier that is
//! down. It only orders who is asked (`docs/decisions/0035`); nothing is refused by it.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{Channel, Driver, drivers::Outcome};
use crate::time::Timestamp;

/// How far back outcomes count.
const WINDOW: Duration = Duration::from_mins(1);
/// The fewest outcomes that tell anything.
const FEWEST: usize = 5;
/// The most that are remembered.
const MOST: usize = 64;
/// How long a circuit is open at first, and at most.
const PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How long the others wait for the probe's outcome: as long as a request's sending may take.
const PROBE: Duration = Duration::from_secs(10);

/// What one driver's outcomes come to.
///
/// ```text
///            five outcomes of the last minute, half of them bad
///   closed ──────────────────────────────────────────────────────▶ open
///     ▲                                                             │ 30 s, twice as long each time, at most 5 minutes
///     └──────── its outcome is good ──── one is asked: the probe ◀──┘
///                                          └─ it is bad: open again
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circuit {
    /// When, and whether it was good. Oldest first.
    outcomes: VecDeque<(Timestamp, bool)>,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    /// Until when, and from then on a probe may be made.
    until: Timestamp,
    /// How long that was.
    pause: Duration,
    /// Until when the probe's outcome is waited for.
    probing: Timestamp,
}

impl Circuit {
    /// Whether others are asked first.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.open.is_some_and(|open| now < open.until || now < open.probing)
    }

    /// It will be asked: after a pause that is the probe, and until its outcome is known the others are asked first.
    pub fn ask(&mut self, now: Timestamp) {
        if let Some(open) = &mut self.open
            && now >= open.until
        {
            open.probing = now + PROBE;
        }
    }

    /// Takes an outcome.
    pub fn note(&mut self, now: Timestamp, is_good: bool) {
        match self.open {
            // Asked before it opened, or since all of a route are open: the pause goes on.
            Some(open) if now < open.until => {}
            Some(_) if is_good => *self = Self::default(),
            Some(open) => self.open(now, LONGEST_PAUSE.min(open.pause * 2)),
            None => {
                let since = now.before(WINDOW);
                self.outcomes.retain(|(when, _)| *when > since);
                if self.outcomes.len() == MOST {
                    self.outcomes.pop_front();
                }
                self.outcomes.push_back((now, is_good));
                let bad = self.outcomes.iter().filter(|(_, is_good)| !is_good).count();
                if !is_good && self.outcomes.len() >= FEWEST && bad * 2 >= self.outcomes.len() {
                    self.open(now, PAUSE);
                }
            }
        }
    }

    fn open(&mut self, now: Timestamp, pause: Duration) {
        *self = Self { outcomes: VecDeque::new(), open: Some(Open { until: now + pause, pause, probing: now }) };
    }
}

/// The circuits of an isolate, by channel and driver.
#[derive(Default)]
pub struct Circuits(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The settings' version that they are of: a driver that was set up anew is asked at once.
    version: i64,
    circuits: Vec<(Channel, &'static str, Circuit)>,
}

impl Circuits {
    /// Puts the drivers whose circuit is open behind the others, and takes the first one's probe.
    pub fn order(&self, channel: Channel, drivers: Vec<Driver>, version: i64, now: Timestamp) -> Vec<Driver> {
        self.with(version, |known| {
            let (mut order, open): (Vec<_>, Vec<_>) = drivers
                .into_iter()
                .partition(|driver| !known.of(channel, driver.name(), |circuit| circuit.is_open(now)));
            order.extend(open);
            if let Some(first) = order.first() {
                known.of(channel, first.name(), |circuit| circuit.ask(now));
            }
            order
        })
    }

    /// Takes an outcome of a driver. `true`: it has opened the circuit, or opened it again.
    pub fn note(
        &self,
        channel: Channel,
        driver: &'static str,
        version: i64,
        now: Timestamp,
        outcome: &Outcome,
    ) -> bool {
        // Whom nobody can reach, and who is kept from fraud, says nothing of the carrier.
        let is_bad = matches!(outcome, Outcome::Retryable(_) | Outcome::Misconfigured(_) | Outcome::Unknown(_));
        self.with(version, |known| {
            known.of(channel, driver, |circuit| {
                let before = circuit.open.map(|open| open.until);
                circuit.note(now, !is_bad);
                circuit.open.is_some_and(|open| Some(open.until) != before)
            })
        })
    }

    fn with<T>(&self, version: i64, work: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.version < version {
            *known = Known { version, circuits: Vec::new() };
        }
        work(&mut known)
    }
}

impl Known {
    fn of<T>(&mut self, channel: Channel, driver: &'static str, work: impl FnOnce(&mut Circuit) -> T) -> T {
        if let Some((.., circuit)) = self.circuits.iter_mut().find(|(of, name, _)| *of == channel && *name == driver) {
            return work(circuit);
        }
        let mut circuit = Circuit::default();
        let result = work(&mut circuit);
        self.circuits.push((channel, driver, circuit));
        result
    }
}

#[cfg(test)]
mod tests;
