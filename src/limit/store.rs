//! The counters behind the limits. A check and its count ride in the batch of what they guard:
//! the deciding statement passes only while [`HAVE_ROOM`] holds, and [`spend`] counts only on its stamp (law 2).

use std::time::Duration;

use serde_json::{Value, json};

use super::{Limit, Per, Window, lockout};
use crate::{
    context::Context,
    ids::MessageId,
    in_a_row_of,
    ports::{DatabaseError, Row, Statement},
    settings::Settings,
    statement,
    time::Timestamp,
};

/// A day without a failure ends a destination's streak: nobody could unlock it.
const DESTINATION_STREAK: i64 = 86_400_000;

/// One limit for one counted thing.
#[derive(Clone, Debug)]
pub struct Check {
    limit: Limit,
    key: String,
    max: i64,
    spends: bool,
}

impl Check {
    /// Passes while there is room, and counts one when the batch is decided.
    pub fn spend(limit: Limit, whom: &str, settings: &Settings) -> Self {
        Self { limit, key: format!("{}:{whom}", limit.name), max: settings.limit(limit), spends: true }
    }

    /// Passes while there is room, and counts nothing: others count.
    pub fn only(limit: Limit, whom: &str, settings: &Settings) -> Self {
        Self { spends: false, ..Self::spend(limit, whom, settings) }
    }

    /// Whether this is the check of a row that [`full`] gave.
    pub fn is_of(&self, row: &Row) -> bool {
        row.opt_text("key") == Some(&*self.key)
    }

    fn to_json(&self) -> Value {
        let (window, rolling) = self.limit.window_millis(&self.key);
        let refill = matches!(self.limit.window, Window::Refill(_));
        json!({"name": self.limit.name, "key": self.key, "max": self.max, "window": window, "rolling": rolling,
            "refill": refill, "spends": self.spends, "refunds": self.limit.refunded})
    }
}

impl Limit {
    /// How long a counter lives in milliseconds, and whether each count starts that time anew.
    fn window_millis(self, key: &str) -> (Option<i64>, bool) {
        match self.window {
            Window::Seconds(seconds) | Window::Refill(seconds) => (Some(seconds * 1000), false),
            Window::UntilCleared if key.contains(":destination:") => (Some(DESTINATION_STREAK), true),
            Window::UntilCleared | Window::Life | Window::Lockout | Window::Growing => (None, false),
        }
    }
}

/// The checks as one JSON parameter for `json_each`.
pub fn parameter(checks: &[Check]) -> String {
    Value::from(checks.iter().map(Check::to_json).collect::<Vec<_>>()).to_string()
}

/// Whether a counter `c` has no room for the check `l`. A bucket is kept as the time when it will be whole again: each
/// call moves that on by one refill, and it is empty while it lies further ahead than all but one refill.
#[macro_export]
macro_rules! is_full {
    () => {
        "CASE WHEN l.value ->> 'refill' THEN c.expires_at - ?2 > (l.value ->> 'max' - 1) * (l.value ->> 'window')
           ELSE c.count >= l.value ->> 'max' AND (c.expires_at IS NULL OR c.expires_at > ?2) END"
    };
}

/// Part of a deciding statement's WHERE: every check has room. `?1` are the checks, `?2` is now.
#[macro_export]
macro_rules! have_room {
    () => {
        concat!(
            "NOT EXISTS (
           SELECT 1 FROM json_each(?1) l CROSS JOIN counters c ON c.key = l.value ->> 'key' WHERE ",
            $crate::is_full!(),
            ")"
        )
    };
}

/// Counts one on every check that spends, when challenge `?3` carries the stamp `?4`.
const SPEND: &str = "INSERT INTO counters (key, count, expires_at)
  SELECT l.value ->> 'key', 1, ?2 + (l.value ->> 'window')
  FROM json_each(?1) l
  WHERE l.value ->> 'spends' AND EXISTS (SELECT 1 FROM challenges WHERE id = ?3 AND stamp = ?4)
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN expires_at <= ?2 THEN 1 ELSE count + 1 END,
    expires_at = CASE WHEN expires_at <= ?2 THEN excluded.expires_at
      WHEN key LIKE 'calls_per_new_destination:%' THEN expires_at + excluded.expires_at - ?2
      ELSE expires_at END";

/// Counts what was decided.
pub fn spend(checks: &[Check], now: Timestamp, challenge: &str, stamp: &str) -> Statement {
    statement!(SPEND, parameter(checks), now.millis(), challenge, stamp)
}

/// Counts one on every check that spends, when the message `?3` was written down, had room and was not refused.
const SPEND_ON_MESSAGE: &str = "INSERT INTO counters (key, count, expires_at)
  SELECT l.value ->> 'key', 1, ?2 + (l.value ->> 'window')
  FROM json_each(?1) l
  WHERE l.value ->> 'spends' AND EXISTS (
    SELECT 1 FROM messages WHERE id = ?3 AND coalesce(reason, '') NOT IN ('limited', 'fraud_guard'))
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN expires_at <= ?2 THEN 1 ELSE count + 1 END,
    expires_at = CASE WHEN expires_at <= ?2 THEN excluded.expires_at ELSE expires_at END";

/// Counts a message that belongs to no challenge.
pub fn spend_on_message(checks: &[Check], now: Timestamp, message: &str) -> Statement {
    statement!(SPEND_ON_MESSAGE, parameter(checks), now.millis(), message)
}

/// Counts one on every check that spends, when the message `?3` carries the stamp `?4`.
const SPEND_ON_STAMP: &str = "INSERT INTO counters (key, count, expires_at)
  SELECT l.value ->> 'key', 1, ?2 + (l.value ->> 'window')
  FROM json_each(?1) l
  WHERE l.value ->> 'spends' AND EXISTS (SELECT 1 FROM messages WHERE id = ?3 AND stamp = ?4)
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN expires_at <= ?2 THEN 1 ELSE count + 1 END,
    expires_at = CASE WHEN expires_at <= ?2 THEN excluded.expires_at ELSE expires_at END";

/// Counts a message that goes out once more.
pub fn spend_on_stamp(checks: &[Check], now: Timestamp, message: &MessageId, stamp: &str) -> Statement {
    statement!(SPEND_ON_STAMP, parameter(checks), now.millis(), message, stamp)
}

/// Counts one on every check that spends, when the flow `?3` carries the stamp `?4`.
const SPEND_ON_FLOW: &str = "INSERT INTO counters (key, count, expires_at)
  SELECT l.value ->> 'key', 1, ?2 + (l.value ->> 'window')
  FROM json_each(?1) l
  WHERE l.value ->> 'spends' AND EXISTS (SELECT 1 FROM flows WHERE id = ?3 AND stamp = ?4)
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN expires_at <= ?2 THEN 1 ELSE count + 1 END,
    expires_at = CASE WHEN expires_at <= ?2 THEN excluded.expires_at ELSE expires_at END";

/// Counts a flow that was just made with the stamp.
pub fn spend_on_flow(checks: &[Check], now: Timestamp, flow: &str, stamp: &str) -> Statement {
    statement!(SPEND_ON_FLOW, parameter(checks), now.millis(), flow, stamp)
}

/// The checks without room, when the flow was not made.
const REFUSALS_OF_FLOW: &str = concat!(
    "SELECT l.value ->> 'name' AS name, c.expires_at
  FROM json_each(?1) l CROSS JOIN counters c ON c.key = l.value ->> 'key'
  WHERE (",
    is_full!(),
    ") AND NOT EXISTS (SELECT 1 FROM flows WHERE id = ?3 AND stamp = ?4)"
);

/// Asks which checks refused a flow; no row when it was made.
pub fn refusals_of_flow(checks: &[Check], now: Timestamp, flow: &str, stamp: &str) -> Statement {
    statement!(REFUSALS_OF_FLOW, parameter(checks), now.millis(), flow, stamp)
}

/// The check of the statement that makes a flow of a sign-up. Without an address nobody can be told from others.
pub fn sign_ups(context: &Context) -> Option<Check> {
    let network = super::lockout::network(context)?;
    Some(Check::spend(super::SIGN_UPS_ADDRESS, &network, context.settings()))
}

/// Gives back what was counted for a message that certainly did not go out.
/// Only in the window in which it was counted, at `?3`; a bucket has no window.
const REFUND: &str = "UPDATE counters SET count = count - 1,
    expires_at = CASE WHEN key LIKE 'calls_per_new_destination:%'
      THEN expires_at - (SELECT l.value ->> 'window' FROM json_each(?1) l WHERE l.value ->> 'key' = counters.key)
      ELSE expires_at END
  WHERE key IN (SELECT l.value ->> 'key' FROM json_each(?1) l WHERE l.value ->> 'spends' AND l.value ->> 'refunds')
    AND count > 0 AND expires_at > ?2
    AND (key LIKE 'calls_per_new_destination:%'
      OR expires_at - (SELECT l.value ->> 'window' FROM json_each(?1) l WHERE l.value ->> 'key' = counters.key) <= ?3)";

/// Gives back what [`spend`] counted at `spent`, but for limits that count tries whatever becomes of them.
pub fn refund(checks: &[Check], now: Timestamp, spent: Timestamp) -> Statement {
    statement!(REFUND, parameter(checks), now.millis(), spent.millis())
}

/// The checks without room, when the deciding statement refused.
const REFUSALS: &str = concat!(
    "SELECT l.value ->> 'name' AS name, c.key,
    CASE WHEN l.value ->> 'refill' THEN c.expires_at - (l.value ->> 'max' - 1) * (l.value ->> 'window')
      ELSE c.expires_at END AS expires_at
  FROM json_each(?1) l CROSS JOIN counters c ON c.key = l.value ->> 'key'
  WHERE (",
    is_full!(),
    ") AND NOT EXISTS (SELECT 1 FROM challenges WHERE id = ?3 AND stamp = ?4)"
);

/// Asks which checks refused; no row when the batch was decided.
pub fn refusals(checks: &[Check], now: Timestamp, challenge: &str, stamp: &str) -> Statement {
    statement!(REFUSALS, parameter(checks), now.millis(), challenge, stamp)
}

/// Which of these checks have no room now: their keys, for [`Check::is_of`].
pub fn full(checks: &[Check], now: Timestamp) -> Statement {
    // No challenge has this id.
    refusals(checks, now, "", "")
}

/// Why something was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The limit's name.
    pub limit: &'static str,
    /// When there is room again; `None`: only when something clears it.
    pub wait: Option<Duration>,
}

/// Reads the answer of [`refusals`]: the one to wait for longest.
pub fn read_refusals(rows: &[Row], now: Timestamp) -> Result<Option<Refusal>, DatabaseError> {
    let mut worst: Option<Refusal> = None;
    for row in rows {
        let name = row.text("name")?;
        let limit = super::LIMITS.iter().find(|limit| limit.name == name).map_or("", |limit| limit.name);
        let wait = row.opt_int("expires_at").map(|millis| now.until(Timestamp::from_millis(millis)));
        let longer = match (&worst, wait) {
            (None, _) | (Some(Refusal { wait: Some(_), .. }), None) => true,
            (Some(Refusal { wait: None, .. }), _) => false,
            (Some(Refusal { wait: Some(known), .. }), Some(wait)) => wait > *known,
        };
        if longer {
            worst = Some(Refusal { limit, wait });
        }
    }
    Ok(worst)
}

/// Counts a wrong answer on the subject of the challenge `?3`, when that challenge was just answered wrongly (`?4`).
const COUNT_FAILURE: &str = concat!(
    "INSERT INTO counters (key, count, expires_at)
  SELECT (l.value ->> 'name') || ':' || CASE WHEN l.value ->> 'name' = 'second_factor_failures_in_a_row' THEN ",
    in_a_row_of!("c.subject"),
    " ELSE c.subject END, 1,
    ?2 + CASE WHEN c.subject LIKE 'user:%' THEN l.value ->> 'user' ELSE l.value ->> 'destination' END
  FROM challenges c CROSS JOIN json_each(?1) l
  WHERE c.id = ?3 AND c.stamp = ?4 AND c.verified_at IS NULL
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN expires_at <= ?2 THEN 1 ELSE count + 1 END,
    expires_at = CASE
      WHEN expires_at <= ?2 OR key LIKE 'second_factor_failures_in_a_row:%' THEN excluded.expires_at
      ELSE expires_at END"
);

/// Counts a wrong answer, when the challenge was just answered wrongly.
pub fn count_failure(now: Timestamp, challenge: &str, stamp: &str) -> Statement {
    let limits: Vec<Value> = [super::table::SECOND_FACTOR_FAILURES, super::table::SECOND_FACTOR_FAILURES_IN_A_ROW]
        .iter()
        .map(|limit| {
            let window = |whom: &str| limit.window_millis(&format!("{}:{whom}:", limit.name)).0;
            json!({"name": limit.name, "user": window("user"), "destination": window("destination")})
        })
        .collect();
    statement!(COUNT_FAILURE, Value::from(limits).to_string(), now.millis(), challenge, stamp)
}

/// Clears the failures of a challenge's subject, when it was just answered rightly. Proving a new factor
/// clears nothing: whoever enrols a phone of their own has proven no second factor of the person. Nor does an e-mail code
/// of somebody who has something stronger: a mailbox would make room for guesses at it.
const CLEAR_FAILURES: &str = concat!(
    "DELETE FROM counters WHERE key IN (
    SELECT l.value || ':' || CASE WHEN l.value = 'second_factor_failures_in_a_row' THEN ",
    in_a_row_of!("c.subject"),
    " ELSE c.subject END FROM challenges c CROSS JOIN json_each(?1) l
    WHERE c.id = ?2 AND c.stamp = ?3 AND c.verified_at IS NOT NULL AND c.purpose <> 'enrolment'
      AND (c.purpose <> 'verification' OR c.user_id IS NULL)
      AND (c.type <> 'email' OR NOT EXISTS (
        SELECT 1 FROM factors f WHERE f.user_id = c.user_id AND f.activated_at IS NOT NULL
          AND f.type IN ('phone', 'totp', 'passkey'))))"
);

/// Clears the failures, when the challenge was just answered rightly.
pub fn clear_failures(challenge: &str, stamp: &str) -> Statement {
    statement!(CLEAR_FAILURES, failure_names(), challenge, stamp)
}

/// Clears a user's failures, when the user exists.
const UNLOCK: &str = "DELETE FROM counters WHERE key IN (
    SELECT l.value || ':user:' || u.id FROM users u CROSS JOIN json_each(?1) l WHERE u.id = ?2)";

/// Clears a user's failures.
pub fn unlock(user: &str) -> Statement {
    statement!(UNLOCK, failure_names(), user)
}

fn failure_names() -> String {
    let names = [super::table::SECOND_FACTOR_FAILURES.name, super::table::SECOND_FACTOR_FAILURES_IN_A_ROW.name];
    Value::from(names.to_vec()).to_string()
}

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    SPEND,
    SPEND_ON_MESSAGE,
    SPEND_ON_STAMP,
    SPEND_ON_FLOW,
    REFUND,
    REFUSALS,
    REFUSALS_OF_FLOW,
    COUNT_FAILURE,
    CLEAR_FAILURES,
    UNLOCK,
];

/// Who is counted when a challenge is answered wrongly: the user, else the destination. Answers to a test key's
/// challenges count apart, and lock nobody out.
pub fn subject(test: bool, user: Option<&str>, destination_mac: &str) -> String {
    match (test, user) {
        (false, Some(user)) => format!("user:{user}"),
        (false, None) => format!("destination:{destination_mac}"),
        (true, user) => format!("test:destination:{}", user.unwrap_or(destination_mac)),
    }
}

/// What such a subject begins with; the destination's MAC of 43 characters follows, then the network's.
const VEILED: &str = "destination:veiled:";

/// Whom failures in a row count for, of the subject in the column: before a first factor is proven the destination over all
/// networks, so that changing one's address buys no guesses (SP 800-63B-4 §3.2.2).
#[macro_export]
#[doc(hidden)]
macro_rules! in_a_row_of {
    ($subject:literal) => {
        concat!(
            "CASE WHEN ",
            $subject,
            " LIKE 'destination:veiled:%' THEN substr(",
            $subject,
            ", 1, 62) ELSE ",
            $subject,
            " END"
        )
    };
}

/// Whom a limit of a veiled subject counts for.
pub(crate) fn counts_for<'a>(limit: &Limit, subject: &'a str) -> &'a str {
    let in_a_row = limit.name == super::table::SECOND_FACTOR_FAILURES_IN_A_ROW.name;
    if in_a_row { subject.get(..VEILED.len() + 43).unwrap_or(subject) } else { subject }
}

/// Who is counted before a first factor is proven: the destination as it is asked from one network. Whoever knows an
/// address closes neither its owner's second factors nor the owner's own network.
pub fn veiled_subject(context: &Context, destination: &str) -> String {
    let network = lockout::network(context).unwrap_or_default();
    format!("{VEILED}{}:{network}", context.pepper().destination_mac(destination))
}

impl Per {
    /// The words for the documents.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Challenge => "challenge",
            Self::Subject => "user, else destination",
            Self::User => "user",
            Self::Destination => "destination",
            Self::UserAndAddress => "user and client address",
            Self::Address => "client address",
            Self::App => "app",
            Self::Key => "server key",
            Self::Country => "country",
            Self::Instance => "instance",
            Self::NewDestination => "new destination",
        }
    }
}
