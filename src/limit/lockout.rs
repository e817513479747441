//! Lockouts after wrong passwords, for people who are known and for those who are not. They count by themselves: a right
//! password clears them and never a second factor's failures, and the other way round.
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
//! A remembered device has a counter of its own in their place. An address has one for all whom it tries, which only time
//! clears.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LIMITS, Limit, PASSWORD_FAILURES, PASSWORD_FAILURES_EVERYWHERE, Refusal, SIGN_IN_FAILURES_ADDRESS};
use crate::{
    context::Context,
    ids::DeviceId,
    ports::{DatabaseError, Row, Statement},
    settings::Settings,
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

/// Whom a lockout counts for. Nobody learns from it who has an account: whoever is unknown counts like everybody, by the
/// same statements (law 8).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whom<'a> {
    /// A user, by their id.
    User(&'a str),
    /// An address or number that no user has, by its MAC.
    Unknown(&'a str),
}

impl<'a> Whom<'a> {
    /// The user, where there is one.
    pub fn user(self) -> Option<&'a str> {
        match self {
            Self::User(id) => Some(id),
            Self::Unknown(_) => None,
        }
    }

    /// Its part of a counter's key. `CLOSED_OF_FLOW` and its like say the same in SQL.
    pub fn key(self) -> String {
        match self {
            Self::User(id) => format!("user:{id}"),
            Self::Unknown(mac) => format!("identifier:{mac}"),
        }
    }
}

/// One counter with its waits.
struct Rule {
    limit: Limit,
    /// The key before and after the one whom it counts for; `None`: it counts for everybody.
    head: String,
    tail: Option<String>,
    window: Duration,
    waits: Vec<Duration>,
}

impl Rule {
    fn to_json(&self, settings: &Settings) -> Value {
        let waits: Vec<i64> = self.waits.iter().map(|wait| millis(*wait)).collect();
        json!({"name": self.limit.name, "head": self.head, "tail": self.tail, "max": settings.limit(self.limit),
            "window": millis(self.window), "waits": waits})
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The lockouts that hold for this request, whoever it is about, as one JSON parameter for `json_each`. A remembered
/// device of the very person, which the caller knows to be one, has a counter of its own and no other: who knows an
/// address locks nobody out of their device, from the same network neither.
pub fn parameter(context: &Context, device: Option<&DeviceId>) -> String {
    let settings = context.settings();
    let (max, window) = (settings.limit(PASSWORD_FAILURES), settings.password.lockout);
    let locks_out = max > 0 && !window.is_zero();
    // A test key's failures count apart, and lock nobody out.
    let head = |limit: Limit| format!("{}:{}", limit.name, if context.credential().is_test { "test:" } else { "" });
    let growing = |tail: String| Rule {
        limit: PASSWORD_FAILURES_EVERYWHERE,
        head: head(PASSWORD_FAILURES_EVERYWHERE),
        tail: Some(tail),
        window: DAY,
        waits: GROWING.to_vec(),
    };
    let fixed = |limit: Limit, tail: Option<String>, window: Duration| Rule {
        limit,
        head: head(limit),
        tail,
        window,
        waits: vec![window],
    };
    let mut rules = Vec::with_capacity(3);
    match (device, network(context)) {
        (Some(device), _) if locks_out => {
            rules.push(fixed(PASSWORD_FAILURES, Some(format!(":device:{device}")), window));
        }
        // Where nobody is locked out, whoever took a device still has to wait.
        (Some(device), _) => rules.push(growing(format!(":device:{device}"))),
        // Without an address nobody can be told from somebody else, whom this would lock out for a day.
        (None, None) => rules.push(growing(String::new())),
        (None, Some(network)) => {
            rules.push(growing(String::new()));
            if locks_out {
                rules.push(fixed(PASSWORD_FAILURES, Some(format!(":{network}")), window));
            }
            let address = fixed(SIGN_IN_FAILURES_ADDRESS, None, DAY);
            rules.push(Rule { head: address.head.clone() + &network, ..address });
        }
    }
    Value::from(rules.iter().map(|rule| rule.to_json(settings)).collect::<Vec<_>>()).to_string()
}

/// The MAC of the client's network: its address, or the IPv6 network of 64 bits, which one customer has. `None`: the
/// address is not known.
pub fn network(context: &Context) -> Option<String> {
    context.client().ip.as_deref().map(|ip| context.pepper().destination_mac(&network_of(ip)))
}

/// The network of an address, as its MAC is made: IPv4 addresses stand for themselves.
pub fn network_of(ip: &str) -> String {
    match ip.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.to_string(),
            None => std::net::Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).to_string(),
        },
        _ => ip.to_owned(),
    }
}

/// The key of the rule `l`, where this is whom it counts for.
#[macro_export]
#[doc(hidden)]
macro_rules! lockout_key {
    ($whom:literal) => {
        concat!("coalesce((l.value ->> 'head') || ", $whom, " || (l.value ->> 'tail'), l.value ->> 'head')")
    };
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
    ($whom:literal) => {
        concat!(
            "json_each(?1) l CROSS JOIN counters c ON c.key = ",
            $crate::lockout_key!($whom),
            " WHERE c.count >= l.value ->> 'max' AND ",
            $crate::lockout_until!(),
            " > ?2"
        )
    };
}

/// Part of a deciding statement's WHERE: nothing is closed. `?1` are the lockouts, `?2` is now; given is the parameter
/// that says for whom.
#[macro_export]
macro_rules! is_open {
    ($whom:literal) => {
        concat!("NOT EXISTS (SELECT 1 FROM ", $crate::lockouts_closed!($whom), ")")
    };
}

macro_rules! closed {
    ($whom:literal) => {
        concat!("SELECT l.value ->> 'name' AS name, ", lockout_until!(), " AS until FROM ", lockouts_closed!($whom))
    };
}

/// The lockouts that are closed. `?1` lockouts, `?2` now, `?3` for whom.
const CLOSED: &str = closed!("?3");
/// The same for whom a flow is about. `?3` flow.
const CLOSED_OF_FLOW: &str =
    closed!("(SELECT coalesce('user:' || o.user_id, 'identifier:' || o.identifier) FROM flows o WHERE o.id = ?3)");
/// The same for whoever has an address. `?3` normalised, `?4` its MAC.
const CLOSED_OF_EMAIL: &str =
    closed!("coalesce((SELECT 'user:' || u.id FROM users u WHERE u.email_normalised = ?3), 'identifier:' || ?4)");
/// The same for whoever has a number. `?3` number, `?4` its MAC.
const CLOSED_OF_PHONE: &str =
    closed!("coalesce((SELECT 'user:' || u.id FROM users u WHERE u.phone = ?3), 'identifier:' || ?4)");

/// Counts a wrong password, when the challenge `?3` with the stamp `?4` is not verified. `?5` for whom. An address's day
/// begins with its first one, as every limit's window does.
const COUNT: &str = concat!(
    "INSERT INTO counters (key, count, expires_at)
  SELECT ",
    lockout_key!("?5"),
    ", 1, CAST(?2 + (l.value ->> 'window') AS INTEGER)
  FROM json_each(?1) l
  WHERE EXISTS (SELECT 1 FROM challenges WHERE id = ?3 AND stamp = ?4 AND verified_at IS NULL)
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN expires_at <= ?2 THEN 1 ELSE count + 1 END,
    expires_at = CASE WHEN expires_at > ?2 AND key LIKE 'sign_in_failures_per_address:%' THEN expires_at
      ELSE excluded.expires_at END"
);

/// Clears the failures that count for whom `?4`, from this address and the delay for all, or of this device, when the
/// challenge `?2` with the stamp `?3` is verified. Other addresses stay closed: their guesses do not become more because
/// the person signs in. What counts for everybody stays: a guesser has an account too.
const CLEAR: &str = concat!(
    "DELETE FROM counters WHERE key IN (SELECT ",
    lockout_key!("?4"),
    " FROM json_each(?1) l WHERE l.value ->> 'tail' IS NOT NULL)
  AND EXISTS (SELECT 1 FROM challenges WHERE id = ?2 AND stamp = ?3 AND verified_at IS NOT NULL)"
);

/// Opens a user for all addresses and devices. `?1` and `?2` the first and the last key, `?3` and `?4` the factor and the
/// stamp that it takes; without a factor nothing else is needed.
const OPEN: &str = "DELETE FROM counters WHERE key >= ?1 AND key < ?2
  AND (?3 IS NULL OR EXISTS (SELECT 1 FROM factors WHERE id = ?3 AND stamp = ?4))";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[CLOSED, CLOSED_OF_FLOW, CLOSED_OF_EMAIL, CLOSED_OF_PHONE, COUNT, CLEAR, OPEN];

/// Asks which lockouts are closed for them.
pub fn closed(lockouts: &str, now: Timestamp, whom: &str) -> Statement {
    statement!(CLOSED, lockouts, now.millis(), whom)
}

/// The same before it is known who they are: for whom a flow is about.
pub fn closed_of_flow(lockouts: &str, now: Timestamp, flow: &str) -> Statement {
    statement!(CLOSED_OF_FLOW, lockouts, now.millis(), flow)
}

/// The same for whoever has this address, and for its MAC where nobody has.
pub fn closed_of_email(lockouts: &str, now: Timestamp, address: &str, mac: &str) -> Statement {
    statement!(CLOSED_OF_EMAIL, lockouts, now.millis(), address, mac)
}

/// The same for whoever has this number, and for its MAC where nobody has.
pub fn closed_of_phone(lockouts: &str, now: Timestamp, number: &str, mac: &str) -> Statement {
    statement!(CLOSED_OF_PHONE, lockouts, now.millis(), number, mac)
}

/// Counts a wrong password.
pub fn count(lockouts: &str, now: Timestamp, whom: &str, challenge: &str, stamp: &str) -> Statement {
    statement!(COUNT, lockouts, now.millis(), challenge, stamp, whom)
}

/// Clears on the right password.
pub fn clear(lockouts: &str, whom: &str, challenge: &str, stamp: &str) -> Statement {
    statement!(CLEAR, lockouts, challenge, stamp, whom)
}

/// Opens a user everywhere; with a factor only if it carries the stamp.
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
        assert_eq!(network_of("2001:db8:1:2:3:4:5:6"), network_of("2001:db8:1:2::1"));
        assert_ne!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"));
        assert_eq!(network_of("203.0.113.7"), "203.0.113.7");
        assert_eq!(network_of("::ffff:203.0.113.7"), "203.0.113.7");
    }
}
