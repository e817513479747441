//! What the cron does: delete what has expired, in bounded batches, and settle what was left open.
//! Ids sort by time, so most of it goes along the primary key. Last it seals anew what stands under an old key,
//! and makes the next key that signs tokens.

use std::time::Duration;

use crate::{
    context::App,
    idempotency,
    ids::{ChallengeId, EventId, MessageId, TryId, WebhookDeliveryId},
    ports::{DatabaseError, Level, Statement},
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

/// How many batches one run makes: with the statements that read the settings it stays under the 50 statements that
/// one run may make on the free plan, and leaves some to `reseal` and to the signing keys. What is left goes with
/// the next run, five minutes later.
const BATCHES: usize = 2;

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
    SETTLE,
    SETTLE_TRIES,
];

const DAY: Duration = Duration::from_hours(24);
const MINUTE: Duration = Duration::from_mins(1);

/// Runs once. Ends early when nothing is left; goes on tomorrow with what is.
pub async fn run(app: &App) -> Result<(), DatabaseError> {
    let now = app.ports.clock.now();
    let answer = app.ports.database.batch(load("", None)).await?;
    let snapshot = Snapshot::read(&answer, None, &app.config)?;
    let settings = &snapshot.settings;
    let messages_before = now.before(settings.message_retention);
    let message_id = |moment: Timestamp| MessageId::floor(moment).to_string();
    let batch: Vec<Statement> = vec![
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
        statement!(SESSIONS, now.before(DAY * 30).millis(), SESSIONS_AT_ONCE),
        // A code that comes again a day later still ends its session.
        statement!(CODES, now.before(DAY).millis(), ROWS),
        statement!(FLOWS, now.before(DAY).millis(), ROWS),
        // Ended ones are shown for a day.
        statement!(INVITATIONS, now.before(DAY).millis(), ROWS),
        statement!(DELIVERIES, &WebhookDeliveryId::floor(now.before(DAY * 30)), ROWS),
        statement!(WEBHOOK_SECRETS, now.millis()),
    ];
    let mut gone = 0;
    for _ in 0..BATCHES {
        let answer = app.ports.database.batch(batch.clone()).await?;
        gone += answer.iter().map(Vec::len).sum::<usize>();
        // Done once no statement filled its share.
        if answer.iter().all(|rows| i64::try_from(rows.len()).unwrap_or(0) < ROWS) {
            break;
        }
    }
    let resealed = reseal::run(app).await?;
    token::keys::rotate(app, &snapshot, now).await?;
    app.ports.log.line(Level::Info, &format!("housekeeping: {gone} rows, {resealed} secrets sealed anew"));
    Ok(())
}
