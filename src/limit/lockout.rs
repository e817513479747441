//! Lockouts after wrong passwords. They count by themselves: a right password clears them and never a second factor's
//! failures, and the other way round.
//!
//! ```text
//!           wrong: count + 1              count reaches the limit
//!  open ───────────────────────▶ open ─────────────────────────▶ closed for the 1st wait
//!   ▲                                                               │ the wait is over
//!   │ right password, reset, unlock,                                ▼
//!   └── or the window without a failure ──────────────── open, once; wrong: closed for the next wait
//! ```
//!
//! Per user and client address the one wait is as long as the window (a day). Per user over all addresses it grows to
//! fifteen minutes: who tries from many addresses is slowed down, and nobody is locked out for long by somebody else.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LIMITS, PASSWORD_FAILURES, PASSWORD_FAILURES_EVERYWHERE, Refusal};
use crate::{
    context::Context,
    ports::{DatabaseError, Row, Statement},
    statement,
    time::Timestamp,
};

/// The waits after too many wrong passwords from anywhere: each further one takes the next.
pub const GROWING: [Duration; 6] = [
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(4),
    Duration::from_mins(8),
    Duration::from_mins(15),
];

/// How long failures from anywhere are remembered after the last one.
const DAY: Duration = Duration::from_hours(24);

/// One counter with its waits.
struct Rule {
    name: &'static str,
    key: String,
    max: i64,
    window: Duration,
    waits: Vec<Duration>,
}

impl Rule {
    fn to_json(&self) -> Value {
        let waits: Vec<i64> = self.waits.iter().map(|wait| millis(*wait)).collect();
        json!({"name": self.name, "key": self.key, "max": self.max, "window": millis(self.window), "waits": waits})
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The lockouts of one user for this request's client, as one JSON parameter for `json_each`.
pub fn parameter(context: &Context, user: &str) -> String {
    let settings = context.settings();
    // A test key's failures count apart, and lock nobody out.
    let whom = if context.credential().is_test { format!("test:{user}") } else { format!("user:{user}") };
    let mut rules = vec![Rule {
        name: PASSWORD_FAILURES_EVERYWHERE.name,
        key: format!("{}:{whom}", PASSWORD_FAILURES_EVERYWHERE.name),
        max: settings.limit(PASSWORD_FAILURES_EVERYWHERE),
        window: DAY,
        waits: GROWING.to_vec(),
    }];
    // Without an address nobody can be told from somebody else, whom this would lock out for a day.
    let (max, window) = (settings.limit(PASSWORD_FAILURES), settings.password.lockout);
    if let Some(network) = context.client().ip.as_deref().map(network).filter(|_| max > 0 && !window.is_zero()) {
        let mac = context.pepper().destination_mac(&network);
        let key = format!("{}:{whom}:{mac}", PASSWORD_FAILURES.name);
        rules.push(Rule { name: PASSWORD_FAILURES.name, key, max, window, waits: vec![window] });
    }
    Value::from(rules.iter().map(Rule::to_json).collect::<Vec<_>>()).to_string()
}

/// The network that an address stands for: itself, or an IPv6 network of 64 bits, which one customer has.
pub(super) fn network(ip: &str) -> String {
    match ip.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.to_string(),
            None => std::net::Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).to_string(),
        },
        _ => ip.to_owned(),
    }
}

/// When the wait of the counter `c` under the rule `l` is over.
#[macro_export]
#[doc(hidden)]
macro_rules! lockout_until {
    () => {
        "(c.expires_at - (l.value ->> 'window') + (l.value -> 'waits' ->>
           min(c.count - (l.value ->> 'max'), json_array_length(l.value, '$.waits') - 1)))"
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! lockouts_closed {
    () => {
        concat!(
            "json_each(?1) l CROSS JOIN counters c ON c.key = l.value ->> 'key'
             WHERE c.count >= l.value ->> 'max' AND ",
            $crate::lockout_until!(),
            " > ?2"
        )
    };
}

/// Part of a deciding statement's WHERE: nothing is closed. `?1` are the lockouts, `?2` is now.
#[macro_export]
macro_rules! is_open {
    () => {
        concat!("NOT EXISTS (SELECT 1 FROM ", $crate::lockouts_closed!(), ")")
    };
}

/// The lockouts that are closed. `?1` lockouts, `?2` now.
const CLOSED: &str = concat!(
    "SELECT l.value ->> 'name' AS name, ",
    crate::lockout_until!(),
    " AS until FROM ",
    crate::lockouts_closed!()
);

/// Counts a wrong password, when the challenge `?3` with the stamp `?4` is not verified.
const COUNT: &str = "INSERT INTO counters (key, count, expires_at)
  SELECT l.value ->> 'key', 1, CAST(?2 + (l.value ->> 'window') AS INTEGER)
  FROM json_each(?1) l
  WHERE EXISTS (SELECT 1 FROM challenges WHERE id = ?3 AND stamp = ?4 AND verified_at IS NULL)
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN expires_at <= ?2 THEN 1 ELSE count + 1 END, expires_at = excluded.expires_at";

/// Clears this user's failures from this address, and the delay for all, when the challenge `?2` with the stamp `?3` is
/// verified. Other addresses stay closed: their guesses do not become more because the person signs in.
const CLEAR: &str = "DELETE FROM counters WHERE key IN (SELECT l.value ->> 'key' FROM json_each(?1) l)
  AND EXISTS (SELECT 1 FROM challenges WHERE id = ?2 AND stamp = ?3 AND verified_at IS NOT NULL)";

/// Opens a user for all addresses. `?1` and `?2` the first and the last key, `?3` and `?4` the factor and the stamp
/// that it takes; without a factor nothing else is needed.
const OPEN: &str = "DELETE FROM counters WHERE key >= ?1 AND key < ?2
  AND (?3 IS NULL OR EXISTS (SELECT 1 FROM factors WHERE id = ?3 AND stamp = ?4))";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[CLOSED, COUNT, CLEAR, OPEN];

/// Asks which lockouts are closed.
pub fn closed(lockouts: &str, now: Timestamp) -> Statement {
    statement!(CLOSED, lockouts, now.millis())
}

/// Counts a wrong password.
pub fn count(lockouts: &str, now: Timestamp, challenge: &str, stamp: &str) -> Statement {
    statement!(COUNT, lockouts, now.millis(), challenge, stamp)
}

/// Clears on the right password.
pub fn clear(lockouts: &str, challenge: &str, stamp: &str) -> Statement {
    statement!(CLEAR, lockouts, challenge, stamp)
}

/// Opens a user for everybody; with a factor only if it carries the stamp.
pub fn open(user: &str, on: Option<(&str, &str)>) -> [Statement; 2] {
    let (factor, stamp) = on.unzip();
    [PASSWORD_FAILURES.name, PASSWORD_FAILURES_EVERYWHERE.name].map(|name| {
        // After the user's id comes nothing, or a colon.
        statement!(OPEN, format!("{name}:user:{user}"), format!("{name}:user:{user};"), factor, stamp)
    })
}

/// Reads the answer of [`closed`]: the one to wait for longest.
pub fn read(rows: &[Row], now: Timestamp) -> Result<Option<Refusal>, DatabaseError> {
    let mut worst: Option<(&'static str, i64)> = None;
    for row in rows {
        let (name, until) = (row.text("name")?, row.int("until")?);
        let limit = LIMITS.iter().find(|limit| limit.name == name).map_or("", |limit| limit.name);
        worst = worst.filter(|(_, known)| *known >= until).or(Some((limit, until)));
    }
    Ok(worst.map(|(limit, until)| Refusal { limit, wait: Some(now.until(Timestamp::from_millis(until))) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_fifteen_minutes() {
        assert!(GROWING.is_sorted());
        assert_eq!(GROWING.last(), Some(&Duration::from_mins(15)));
    }

    #[test]
    fn an_ipv6_customer_has_one_network() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
    }
}
