//! SQL that writes down what became of a try and of its message, and begins the next try.

use serde_json::json;

use crate::{
    context::Context,
    event::{self, Event, EventType, When},
    ids::TryId,
    message::{Driver, Outgoing, Status, drivers::Outcome, failover::Delivered, send::Tried},
    ports::Statement,
    statement,
    time::Timestamp,
};

/// The state of a message whose driver was asked.
pub fn status_of(outcome: &Outcome) -> Status {
    match outcome {
        Outcome::Accepted { .. } => Status::Sent,
        Outcome::Unknown(_) => Status::Unknown,
        _ => Status::Failed,
    }
}

/// A report of the carrier may have come first: its state stays, and who has delivered it is who carried it. `?1` id,
/// `?2` state, `?3` the carrier's id, `?4` segments, `?5` error, `?6` its class, `?7` how long it took, `?8` now,
/// `?9` driver.
const END: &str = "UPDATE messages SET status = CASE WHEN status = 'queued' THEN ?2 ELSE status END,
    driver = coalesce(
      (SELECT t.driver FROM message_tries t WHERE t.message_id = ?1 AND t.reported = 'delivered' LIMIT 1), ?9),
    provider_id = CASE WHEN status = 'delivered' THEN coalesce(provider_id, ?3) ELSE coalesce(?3, provider_id) END,
    segments = coalesce(?4, segments),
    error_code = CASE WHEN status IN ('sent', 'delivered') THEN error_code ELSE coalesce(error_code, ?5) END,
    error_class = CASE WHEN status IN ('sent', 'delivered') THEN error_class ELSE ?6 END,
    latency_ms = ?7, updated_at = ?8
  WHERE id = ?1";
const END_TRY: &str = "UPDATE message_tries SET outcome = ?2, provider_id = coalesce(?3, provider_id), segments = ?4,
    error_code = ?5, latency_ms = ?6
  WHERE id = ?1";

/// Whether the message `m` may go now, by the settings of the instance `i`: its channel is switched on, and its country is
/// not stopped. For statements that come after the decision, under no guard.
macro_rules! is_switched_on {
    () => {
        "coalesce(i.settings ->> ('$.' || m.channel || '.enabled'), 1) = 1
         AND NOT EXISTS (SELECT 1 FROM json_each(i.settings, '$.countries.' || m.channel || '.stopped') s
           WHERE upper(s.value) IN (m.country, '*'))"
    };
}
pub(in crate::message) use is_switched_on;

/// Begins a further try: while the channel is switched on, for that country too, no report has come or each SMS so far was reported failed, the
/// code lives, and this driver was not asked before. `?1` the try, `?2` the message, `?3` driver, `?4` credential, `?5` now.
const NEXT_TRY: &str = concat!(
    "INSERT INTO message_tries (id, message_id, driver, credential, created_at)
  SELECT ?1, m.id, ?3, ?4, ?5 FROM messages m JOIN instance i ON i.id = 1
  WHERE m.id = ?2
    AND (m.status = 'queued' OR (m.status = 'failed' AND m.channel = 'sms' AND m.fallback_at IS NULL AND NOT EXISTS (
      SELECT 1 FROM message_tries t WHERE t.message_id = ?2 AND t.reported IS NOT 'failed')))
    AND ",
    is_switched_on!(),
    " AND NOT EXISTS (SELECT 1 FROM message_tries t WHERE t.message_id = ?2 AND t.driver = ?3)
    AND (m.challenge_id IS NULL OR EXISTS (
      SELECT 1 FROM challenges c
      WHERE c.id = m.challenge_id AND c.generation = m.generation AND c.code_mac IS NOT NULL AND c.code_expires_at > ?5
        AND c.verified_at IS NULL AND c.ended_at IS NULL AND c.wrong_answers < c.wrong_answers_max))
  RETURNING 1 AS begun"
);

/// A report of a failure that came before the carrier's answer is not the end where a further try has begun. `?1` the
/// message, `?2` the try, `?3` now.
const REOPEN: &str = "UPDATE messages SET status = 'queued', error_code = NULL, provider_id = NULL, updated_at = ?3
  WHERE id = ?1 AND status = 'failed' AND EXISTS (SELECT 1 FROM message_tries WHERE id = ?2)";

/// Begins a try of a message by another driver; the first gives a row where it may be asked.
pub fn next_try(context: &Context, outgoing: &Outgoing, driver: &Driver, id: &TryId, now: Timestamp) -> [Statement; 2] {
    [
        statement!(NEXT_TRY, id, &outgoing.id, driver.name(), driver.credential(context), now.millis()),
        statement!(REOPEN, &outgoing.id, id, now.millis()),
    ]
}

/// The carrier's id of a message and how many SMS it made of it, where it took it.
fn taken(outcome: &Outcome) -> (Option<&str>, Option<u32>) {
    match outcome {
        Outcome::Accepted { provider_id, segments } => (Some(provider_id), *segments),
        _ => (None, None),
    }
}

/// Writes down what became of a try.
pub fn end_try(tried: &Tried) -> Statement {
    let (provider_id, segments) = taken(&tried.outcome);
    let error_code = tried.outcome.why().map(|why| why.code.as_str());
    statement!(END_TRY, &tried.try_id, tried.outcome.as_str(), provider_id, segments, error_code, tried.latency_ms)
}

/// Writes down what became of a message once nobody more is asked: the message, its last try, the event.
pub fn ended(context: &Context, outgoing: &Outgoing, delivered: &Delivered) -> Vec<Statement> {
    let (now, tried) = (context.ports().clock.now().millis(), delivered.verdict());
    let (provider_id, segments) = taken(&tried.outcome);
    let error_code = tried.outcome.why().map(|why| why.code.as_str());
    let status = status_of(&tried.outcome);
    let ended = if status == Status::Sent { event::Outcome::Success } else { event::Outcome::Failed };
    let kind = EventType::of_message(outgoing.channel, status);
    let class = tried.outcome.why().map(|_| tried.outcome.as_str());
    let data = json!({"driver": tried.driver, "country": outgoing.country, "error_code": error_code,
        "latency_ms": tried.latency_ms, "message_sid": provider_id});
    let event = Event::new(kind, outgoing.id.as_str()).data(data).ended(ended, class);
    vec![
        statement!(
            END,
            &outgoing.id,
            status.as_str(),
            provider_id,
            segments,
            error_code,
            class,
            tried.latency_ms,
            now,
            tried.driver
        ),
        end_try(delivered.last()),
        event::store::write(context, event, When::Always),
    ]
}

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[END, END_TRY, NEXT_TRY, REOPEN];
