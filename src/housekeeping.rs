//! What the cron does: delete what has expired, in bounded batches, and settle what was left open.
//! Ids sort by time, so most of it goes along the primary key. Last it seals anew what stands under an old key,
//! and makes the next key that signs tokens.

use std::time::Duration;

use crate::{
    context::App,
    idempotency,
    ids::{ChallengeId, EventId, MessageId, TryId, WebhookDeliveryId},
    ports::{DatabaseError, Level, Param, Statement},
    reseal,
    settings::{Snapshot, load},
    statement,
    time::Timestamp,
    token,
};

/// How many rows one batch deletes of each kind.
const ROWS: i64 = 2000;

/// How many sessions one batch deletes: each takes its refresh tokens along, up to a thousand and more in a month.
const SESSIONS_AT_ONCE: i64 = 200;

/// How many kinds a run goes on with where there was more than a batch takes. One run may make 50 statements on the free
/// plan: 5 that read the settings, one per kind of rows, these, 7 of `reseal` and 4 of the signing keys. What is left
/// goes with the next run, five minutes later.
const AGAIN: usize = 8;

const CHALLENGES: &str = "DELETE FROM challenges WHERE id IN (SELECT id FROM challenges WHERE id < ?1 ORDER BY id LIMIT ?2) RETURNING 1 AS gone";
const MESSAGES: &str =
    "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE id < ?1 ORDER BY id LIMIT ?2) RETURNING 1 AS gone";
const EVENTS: &str = "DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE id < ?1 ORDER BY id LIMIT ?2) RETURNING 1 AS gone";
const INBOX: &str = "DELETE FROM dev_inbox WHERE message_id IN (SELECT message_id FROM dev_inbox WHERE message_id < ?1 ORDER BY message_id LIMIT ?2) RETURNING 1 AS gone";
const COUNTERS: &str = "DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS gone";
const KEYS: &str = "DELETE FROM idempotency_keys WHERE key IN (SELECT key FROM idempotency_keys WHERE created_at < ?1 ORDER BY created_at LIMIT ?2) RETURNING 1 AS gone";
const FACTORS: &str = "DELETE FROM factors WHERE id IN (SELECT id FROM factors WHERE activated_at IS NULL AND created_at < ?1 ORDER BY created_at LIMIT ?2) RETURNING 1 AS gone";
const DEVICES: &str = "DELETE FROM devices WHERE id IN (SELECT id FROM devices WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS gone";
/// Sessions long over, however they ended: ending one moves `expires_at` there. Their refresh tokens go with them.
const SESSIONS: &str = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS gone";
const CODES: &str = "DELETE FROM authorization_codes WHERE code_hash IN (SELECT code_hash FROM authorization_codes WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS gone";
const FLOWS: &str = "DELETE FROM flows WHERE id IN (SELECT id FROM flows WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS gone";
const INVITATIONS: &str = "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS gone";
const DELIVERIES: &str = "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE id < ?1 ORDER BY id LIMIT ?2) RETURNING 1 AS gone";
/// Secrets that sign no more. There are few endpoints.
const WEBHOOK_SECRETS: &str = "UPDATE webhook_endpoints SET previous_secret = NULL, previous_expires_at = NULL
  WHERE id > 'whe_' AND previous_expires_at <= ?1 RETURNING 1 AS gone";
/// What the guard counted, by its period of six hours: fifteen days of it, since the guard looks back fourteen.
const FRAUD_COUNTS: &str = "DELETE FROM fraud_counts WHERE (key, period) IN (SELECT key, period FROM fraud_counts WHERE period < ?1 ORDER BY period LIMIT ?2) RETURNING 1 AS gone";
const FRAUD_MEMBERS: &str = "DELETE FROM fraud_members WHERE (key, member) IN (SELECT key, member FROM fraud_members WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS gone";
/// Thirty days after their last time.
const FRAUD_REFUSALS: &str = "DELETE FROM fraud_refusals WHERE (rule, key) IN (SELECT rule, key FROM fraud_refusals WHERE last_at < ?1 ORDER BY last_at LIMIT ?2) RETURNING 1 AS gone";
/// Thirty days after their end: so long the guard remembers how often it has blocked a prefix in a row.
const FRAUD_ENTRIES: &str = "DELETE FROM fraud_entries WHERE id IN (SELECT id FROM fraud_entries WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS gone";
/// Whole hours, the oldest first, until it is so many rows; hour 0 has what was ever counted.
const MESSAGE_HOURS: &str = "DELETE FROM message_hours WHERE hour > 0 AND hour <= (SELECT max(hour) FROM (SELECT hour FROM message_hours WHERE hour > 0 AND hour < ?1 ORDER BY hour LIMIT ?2)) RETURNING 1 AS gone";
const MESSAGE_TIMES: &str = "DELETE FROM message_times WHERE hour > 0 AND hour <= (SELECT max(hour) FROM (SELECT hour FROM message_times WHERE hour > 0 AND hour < ?1 ORDER BY hour LIMIT ?2)) RETURNING 1 AS gone";
/// A message whose request ended before the carrier's answer was written down: nobody knows.
const SETTLE: &str =
    "UPDATE messages SET status = 'unknown', error_class = 'unknown', error_code = 'not_recorded', updated_at = ?3
  WHERE id IN (SELECT id FROM messages WHERE status = 'queued' AND id < ?1 ORDER BY id LIMIT ?2) RETURNING 1 AS gone";

const SETTLE_TRIES: &str = "UPDATE message_tries SET outcome = 'unknown', error_code = 'not_recorded'
  WHERE id IN (SELECT id FROM message_tries WHERE outcome IS NULL AND id < ?1 ORDER BY id LIMIT ?2) RETURNING 1 AS gone";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    CHALLENGES,
    MESSAGES,
    EVENTS,
    INBOX,
    COUNTERS,
    KEYS,
    FACTORS,
    DEVICES,
    SESSIONS,
    CODES,
    FLOWS,
    INVITATIONS,
    DELIVERIES,
    WEBHOOK_SECRETS,
    FRAUD_COUNTS,
    FRAUD_MEMBERS,
    FRAUD_REFUSALS,
    FRAUD_ENTRIES,
    MESSAGE_HOURS,
    MESSAGE_TIMES,
    SETTLE,
    SETTLE_TRIES,
];

const DAY: Duration = Duration::from_hours(24);
const HOUR_MILLIS: i64 = 3_600_000;
const MINUTE: Duration = Duration::from_mins(1);

/// Runs once. Ends early when nothing is left; goes on tomorrow with what is.
pub async fn run(app: &App) -> Result<(), DatabaseError> {
    let now = app.ports.clock.now();
    let answer = app.ports.database.batch(load("", None)).await?;
    let snapshot = Snapshot::read(&answer, None, &app.config)?;
    let settings = &snapshot.settings;
    let messages_before = now.before(settings.message_retention);
    let message_id = |moment: Timestamp| MessageId::floor(moment).to_string();
    let month_before = now.before(DAY * 30);
    let year_before = now.before(DAY * 400).millis() / HOUR_MILLIS;
    let mut batch: Vec<Statement> = vec![
        statement!(SETTLE, message_id(now.before(MINUTE * 10)), ROWS, now.millis()),
        statement!(SETTLE_TRIES, &TryId::floor(now.before(MINUTE * 10)), ROWS),
        statement!(CHALLENGES, &ChallengeId::floor(messages_before), ROWS),
        statement!(MESSAGES, message_id(messages_before), ROWS),
        statement!(EVENTS, &EventId::floor(now.before(settings.audit_retention)), ROWS),
        statement!(INBOX, message_id(now.before(DAY)), ROWS),
        statement!(COUNTERS, now.millis(), ROWS),
        statement!(KEYS, now.before(idempotency::LIFETIME).millis(), ROWS),
        statement!(FACTORS, now.before(DAY).millis(), ROWS),
        statement!(DEVICES, now.millis(), ROWS),
        statement!(SESSIONS, month_before.millis(), SESSIONS_AT_ONCE),
        // A code that comes again a day later still ends its session.
        statement!(CODES, now.before(DAY).millis(), ROWS),
        statement!(FLOWS, now.before(DAY).millis(), ROWS),
        // Ended ones are shown for a day.
        statement!(INVITATIONS, now.before(DAY).millis(), ROWS),
        statement!(DELIVERIES, &WebhookDeliveryId::floor(month_before), ROWS),
        statement!(WEBHOOK_SECRETS, now.millis()),
        statement!(FRAUD_COUNTS, now.before(DAY * 15).millis() / (HOUR_MILLIS * 6), ROWS),
        statement!(FRAUD_MEMBERS, now.millis(), ROWS),
        statement!(FRAUD_REFUSALS, month_before.millis(), ROWS),
        statement!(FRAUD_ENTRIES, month_before.millis(), ROWS),
        statement!(MESSAGE_HOURS, year_before, ROWS),
        statement!(MESSAGE_TIMES, year_before, ROWS),
    ];
    let answer = app.ports.database.batch(batch.clone()).await?;
    let mut gone: usize = answer.iter().map(Vec::len).sum();
    // Once more what has filled its share.
    let mut answers = answer.iter();
    batch.retain(|statement| answers.next().is_some_and(|rows| is_full(statement, rows.len())));
    batch.truncate(AGAIN);
    if !batch.is_empty() {
        gone += app.ports.database.batch(batch).await?.iter().map(Vec::len).sum::<usize>();
    }
    let resealed = reseal::run(app).await?;
    token::keys::rotate(app, &snapshot, now).await?;
    app.ports.log.line(Level::Info, &format!("housekeeping: {gone} rows, {resealed} secrets sealed anew"));
    Ok(())
}

/// Whether a statement has done as many rows as it may: the second parameter of those that are bounded.
fn is_full(statement: &Statement, rows: usize) -> bool {
    matches!(statement.params.get(1), Some(Param::Integer(most)) if i64::try_from(rows).unwrap_or(0) >= *most)
}
