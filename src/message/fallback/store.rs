//! SQL of the fallback: which messages nothing has reported delivered where a receipt normally comes, and the statements
//! that decide that such a message goes out once more, or that the number is called.

use std::time::Duration;

use serde_json::{Value, json};

use super::ready::Ready;
use crate::{
    context::Context,
    event::{self, Event, EventType, When},
    have_room,
    ids::MessageId,
    limit,
    message::{
        Channel,
        drivers::Outcome,
        send::Tried,
        store::{end_try, queue, status_of},
    },
    not_refused,
    ports::{Row, Statement},
    statement,
    time::Timestamp,
};

/// After so long nobody waits for a receipt any more.
const HOUR: Duration = Duration::from_hours(1);

/// Whether the code of the challenge `c`, which the SMS `m` has brought, may go out once more: nothing has said that it
/// arrived, the carrier took it, nobody was called with it, the code lives long enough to arrive, and the person had proven who they are or a server asked: of what
/// goes to somebody unproven nobody may learn more than of what goes to nobody (law 8). `?2` is now.
macro_rules! is_open {
    () => {
        "m.channel = 'sms' AND (m.status = 'sent' OR (m.status = 'failed' AND EXISTS (
             SELECT 1 FROM message_tries t WHERE t.message_id = m.id AND t.reported = 'failed')))
           AND NOT EXISTS (SELECT 1 FROM messages v
             WHERE v.challenge_id = m.challenge_id AND v.generation = m.generation AND v.channel = 'voice')
           AND c.generation = m.generation AND c.code_mac IS NOT NULL AND c.verified_at IS NULL AND c.ended_at IS NULL
           AND c.code_expires_at > ?2 + 20000 AND c.wrong_answers < c.wrong_answers_max
           AND NOT c.is_test AND c.subject NOT LIKE 'destination:veiled:%'"
    };
}

/// Which messages are due, without what is normal: `?1` the smallest id whose code may live, `?2` now, `?4` the smallest id
/// that a receipt may still come for; those that went out once more before `?5` may be called for.
macro_rules! is_due {
    () => {
        concat!(
            "m.status IN ('sent', 'failed') AND m.id >= ?1 AND m.id < ?4
             AND (m.fallback_at IS NULL OR m.fallback_at < ?5) AND ",
            is_open!()
        )
    };
}

/// Which drivers and countries are due, and whether their messages are normally reported delivered: four of five of the last
/// fifty that have come to an end, of at least twenty. A message has when it was reported delivered or failed, or when an
/// hour brought nothing: before that, silence is what the fallback is for, and must not switch it off. `?3` the smallest id
/// of an hour ago. A subquery in FROM sees the `r` around it, not the one that it makes.
const NORMAL: &str = concat!(
    "SELECT r.driver, r.country, (
       SELECT count(*) >= 20 AND sum(r.status = 'delivered') * 100 >= 80 * count(*) FROM (
         SELECT r.status FROM (
           SELECT x.id, x.status, x.provider_id FROM messages x
           WHERE x.channel = 'sms' AND x.driver = r.driver AND x.country = r.country ORDER BY x.id DESC LIMIT 500) r
         WHERE r.status = 'delivered' OR (r.status = 'failed' AND r.provider_id IS NOT NULL)
           OR (r.status IN ('sent', 'unknown') AND r.id < ?3)
         ORDER BY r.id DESC LIMIT 50) r) AS is_normal
     FROM (SELECT DISTINCT m.driver, m.country FROM messages m JOIN challenges c ON c.id = m.challenge_id WHERE ",
    is_due!(),
    ") r"
);

/// What a message needs to go out once more.
macro_rules! columns {
    () => {
        "SELECT m.id, m.template, m.destination, m.fallback_at, m.origin, m.asn, m.challenge_id, c.generation, c.seed, c.pepper_id, c.digits, c.user_id,
           c.app_id, c.purpose, c.factor_id, c.code_expires_at, c.locale,
           (SELECT u.locale FROM users u WHERE u.id = c.user_id) AS user_locale,
           (SELECT u.name FROM users u WHERE u.id = c.user_id) AS user_name,
           (SELECT json_group_array(t.driver) FROM message_tries t WHERE t.message_id = m.id) AS tried,
           (SELECT json_group_array(json_array(f.driver, f.error_code)) FROM message_receipts f
            WHERE f.message_id = m.id AND f.status = 'failed') AS errors"
    };
}

/// The messages that are due, first those that were not looked at for longest: what may not go out now stands in nobody's
/// way. `?3` where receipts are normal, as a JSON list of drivers and countries, `?6` how many codes a challenge may send.
const DUE: &str = concat!(
    columns!(),
    " FROM messages m JOIN challenges c ON c.id = m.challenge_id WHERE ",
    is_due!(),
    " AND (m.status = 'failed' OR m.driver || ' ' || m.country IN (SELECT value FROM json_each(?3)))
       AND c.sends < ?6
     ORDER BY m.updated_at, m.id LIMIT 50"
);

/// What was looked at and may not go out now goes behind the others. `?1` ids, `?2` now.
const BEHIND: &str = "UPDATE messages SET updated_at = ?2 WHERE id IN (SELECT value FROM json_each(?1))";

/// A message that was reported failed. `?1` its id, `?2` now, `?3` whether a second time counts too.
const FAILED: &str = concat!(
    columns!(),
    " FROM messages m JOIN challenges c ON c.id = m.challenge_id
     WHERE m.id = ?1 AND m.status = 'failed' AND (m.fallback_at IS NULL OR ?3) AND ",
    is_open!()
);

/// Decides: once, unless the guard refuses, and with room in every limit. `?1` checks, `?2` now, `?3` message, `?4` stamp, `?5` driver, `?6` the code's
/// MAC, `?7` how many codes a challenge may send.
const CLAIM: &str = concat!(
    "UPDATE messages AS m SET fallback_at = ?2, stamp = ?4, updated_at = ?2,
       status = CASE WHEN m.status = 'failed' THEN 'queued' ELSE m.status END
     FROM challenges c
     WHERE m.id = ?3 AND c.id = m.challenge_id AND c.code_mac = ?6 AND c.sends < ?7 AND m.fallback_at IS NULL AND ",
    is_open!(),
    " AND NOT EXISTS (SELECT 1 FROM message_tries t WHERE t.message_id = ?3 AND t.driver = ?5) AND ",
    not_refused!(),
    " AND ",
    have_room!()
);

/// The try at the next driver, on the stamp. `?1` id, `?2` driver, `?3` credential, `?4` now, `?5` message, `?6` stamp.
const TRY: &str = "INSERT INTO message_tries (id, message_id, driver, credential, created_at)
  SELECT ?1, m.id, ?2, ?3, ?4 FROM messages m WHERE m.id = ?5 AND m.stamp = ?6";

/// It is one of the codes that the challenge may send. `?1` message, `?2` stamp.
const COUNT: &str = "UPDATE challenges SET sends = sends + 1
  WHERE id = (SELECT m.challenge_id FROM messages m WHERE m.id = ?1 AND m.stamp = ?2)";

/// Decides a call: it is the challenge's newest message from here on, and one of the codes that it may send. `?1` checks,
/// `?2` now, `?3` the SMS, `?4` stamp, `?5` the call, `?6` the code's MAC, `?7` how many codes a challenge may send.
const CALL: &str = concat!(
    "UPDATE challenges AS c SET sends = c.sends + 1, message_id = ?5, channel = 'voice', stamp = ?4
     FROM messages m
     WHERE m.id = ?3 AND c.id = m.challenge_id AND c.code_mac = ?6 AND c.sends < ?7 AND ",
    is_open!(),
    " AND ",
    not_refused!(),
    " AND ",
    have_room!()
);

const CALLED: &str = "SELECT 1 AS called FROM challenges WHERE id = ?1 AND stamp = ?2";

const CLAIMED: &str = "SELECT 1 AS claimed FROM messages WHERE id = ?1 AND stamp = ?2";

/// What became of it. The driver that took it carries the message from here on; what was reported meanwhile stays.
/// `?1` id, `?2` state, `?3` driver, `?4` the carrier's id, `?5` error, `?6` its class, `?7` how long it took, `?8` now.
const ENDED: &str = "UPDATE messages SET
    status = CASE WHEN status = 'queued' OR (status = 'unknown' AND ?2 = 'sent') THEN ?2 ELSE status END,
    driver = CASE WHEN ?2 = 'sent' AND status <> 'delivered' THEN ?3 ELSE driver END,
    provider_id = CASE WHEN ?2 = 'sent' AND status <> 'delivered' THEN ?4 ELSE provider_id END,
    error_code = CASE WHEN ?2 = 'sent' OR status = 'queued' THEN ?5 ELSE error_code END,
    error_class = CASE WHEN ?2 = 'sent' OR status = 'queued' THEN ?6 ELSE error_class END,
    latency_ms = CASE WHEN ?2 = 'sent' OR status = 'queued' THEN ?7 ELSE latency_ms END,
    updated_at = ?8
  WHERE id = ?1";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[NORMAL, DUE, BEHIND, FAILED, CLAIM, TRY, COUNT, CLAIMED, CALL, CALLED, ENDED];

/// When messages are due: now, after how long a receipt no longer comes, and before that no code lives.
#[derive(Clone, Copy)]
pub struct Times {
    /// Now.
    pub now: Timestamp,
    /// What is older has had its time.
    pub older: Timestamp,
    /// What is older is over.
    pub oldest: Timestamp,
    /// Whether there are calls: what went out once more comes once more then.
    pub calls: bool,
}

impl Times {
    /// Those that went out once more before, and nothing has come of it.
    fn again(&self) -> i64 {
        if self.calls { self.older.millis() } else { 0 }
    }
}

/// Reads which drivers and countries are due; [`normal`] reads the answer.
pub fn is_normal(times: Times) -> Statement {
    let hour_ago = MessageId::floor(times.now.before(HOUR));
    let Times { now, older, oldest, .. } = times;
    statement!(NORMAL, &MessageId::floor(oldest), now.millis(), &hour_ago, &MessageId::floor(older), times.again())
}

/// Where receipts are normal, for [`due`]. `None`: nothing is due.
pub fn normal(rows: &[Row]) -> Option<String> {
    let text = |row: &Row, column| row.opt_text(column).unwrap_or_default().to_owned();
    let normal = rows.iter().filter(|row| row.flag("is_normal"));
    let names: Vec<String> = normal.map(|row| format!("{} {}", text(row, "driver"), text(row, "country"))).collect();
    (!rows.is_empty()).then(|| Value::from(names).to_string())
}

/// Reads what is due.
pub fn due(times: Times, normal: &str, most: i64) -> Statement {
    let Times { now, older, oldest, .. } = times;
    let (older, again) = (&MessageId::floor(older), times.again());
    statement!(DUE, &MessageId::floor(oldest), now.millis(), normal, older, again, most)
}

/// Puts messages behind the others that are due.
pub fn behind(ids: Vec<String>, now: Timestamp) -> Statement {
    statement!(BEHIND, Value::from(ids).to_string(), now.millis())
}

/// Reads a message that was reported failed, if it may go out once more, or `calls` may follow it.
pub fn failed(id: &MessageId, now: Timestamp, calls: bool) -> Statement {
    statement!(FAILED, id, now.millis(), calls)
}

/// The batch that decides and begins the try, or the call; a row in its last answer: it may be asked.
pub fn begin(context: &Context, ready: &Ready) -> Vec<Statement> {
    let Ready { of, challenge, outgoing, again, mac, checks, guard } = ready;
    let stamp = &*context.stamp();
    let (now, most) = (context.now(), context.settings().limit(limit::SENDS));
    let parameter = limit::store::parameter(checks);
    let mut batch = guard.as_ref().map(|guard| guard.judge(context, checks, None, stamp)).unwrap_or_default();
    let Some(driver) = again else {
        batch.extend([
            statement!(CALL, parameter, now.millis(), of, stamp, &outgoing.id, mac.as_str(), most),
            limit::store::spend(checks, now, challenge.as_str(), stamp),
        ]);
        // Who was seen with whom is remembered of the SMS.
        batch.extend(queue(context, outgoing, challenge.as_str(), stamp, None));
        batch.extend(guard.as_ref().map(|guard| guard.count(context, &outgoing.id, stamp)));
        batch.push(statement!(CALLED, challenge, stamp));
        return batch;
    };
    let name = driver.name();
    batch.extend([
        statement!(CLAIM, parameter, now.millis(), of, stamp, name, mac.as_str(), most),
        statement!(TRY, &outgoing.try_id, name, driver.credential(context), now.millis(), of, stamp),
        limit::store::spend_on_stamp(checks, now, of, stamp),
        statement!(COUNT, of, stamp),
        statement!(CLAIMED, of, stamp),
    ]);
    batch
}

/// Writes down what became of the try, and what it made of the message.
pub fn ended(context: &Context, message: &MessageId, tried: &Tried) -> Vec<Statement> {
    let status = status_of(&tried.outcome);
    let provider_id = match &tried.outcome {
        Outcome::Accepted { provider_id, .. } => Some(provider_id.as_str()),
        _ => None,
    };
    let why = tried.outcome.why();
    let (code, class) = (why.map(|why| why.code.as_str()), why.map(|_| tried.outcome.as_str()));
    let data = json!({"driver": tried.driver, "error_code": code, "latency_ms": tried.latency_ms,
        "message_sid": provider_id, "fallback": true});
    let outcome = if why.is_none() { event::Outcome::Success } else { event::Outcome::Failed };
    let kind = EventType::of_message(Channel::Sms, status);
    let event = Event::new(kind, message.as_str()).data(data).ended(outcome, class);
    let now = context.ports().clock.now().millis();
    vec![
        statement!(ENDED, message, status.as_str(), tried.driver, provider_id, code, class, tried.latency_ms, now),
        end_try(tried),
        event::store::write(context, event, When::Message(message.as_str(), status.as_str())),
    ]
}
