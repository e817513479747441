//! SQL of receipts. The first statement decides whether the report is of this try; the later ones act on the row that it
//! left, and move forward only. So a replayed report, or one that comes late or early, changes nothing twice.

use super::Report;
use crate::{
    event::{self, EventType},
    ids::{EventId, MessageId, RequestId},
    message::Status,
    point_of_report,
    ports::Statement,
    statement,
    time::Timestamp,
};

/// Keeps a report of a try that went out with the credential that has signed it; the same one again is counted. The
/// carrier's id has to be the try's, unless each part has its own. A carrier that babbles fills no table.
/// `?1` message, `?2` driver, `?3` channel, `?4` fingerprints that signed it, `?5` whether by part, `?6` the carrier's id,
/// `?7` its word, `?8` its error, `?9` status, `?10` now.
const KEEP: &str =
    "INSERT INTO message_receipts (message_id, driver, provider_id, carrier_status, error_code, status, received_at)
  SELECT t.message_id, t.driver, ?6, ?7, ?8, ?9, ?10
  FROM message_tries t JOIN messages m ON m.id = t.message_id
  WHERE t.message_id = ?1 AND t.driver = ?2 AND m.channel = ?3
    AND (t.credential IS NULL OR t.credential IN (SELECT value FROM json_each(?4)))
    AND (?5 OR t.provider_id IS NULL OR t.provider_id = ?6)
    AND (SELECT count(*) FROM message_receipts r WHERE r.message_id = ?1) < 100
  ON CONFLICT (message_id, driver, provider_id, carrier_status, error_code) DO UPDATE SET times = times + 1";

/// Whether the carrier may still have the message of a try `t`: it was not refused.
macro_rules! may_be_out {
    () => {
        "(t.outcome IS NULL OR t.outcome IN ('accepted', 'unknown'))"
    };
}

/// Moves the try forward, once all parts are there. `?1` message, `?2` driver, `?3` the carrier's id, `?4` its word,
/// `?5` its error, `?6` status, `?7` whether by part, `?8` now.
const MOVE_TRY: &str = concat!(
    "UPDATE message_tries AS t SET reported = ?6, reported_at = ?8, provider_id = coalesce(t.provider_id, ?3)
     WHERE t.message_id = ?1 AND t.driver = ?2 AND ",
    may_be_out!(),
    " AND (t.reported IS NULL OR (t.reported = 'sent' AND ?6 <> 'sent'))
       AND EXISTS (SELECT 1 FROM message_receipts r WHERE r.message_id = ?1 AND r.driver = ?2 AND r.provider_id = ?3
         AND r.carrier_status = ?4 AND r.error_code = ?5)
       AND (NOT ?7 OR ?6 <> 'delivered' OR (
         SELECT count(DISTINCT r.provider_id) FROM message_receipts r
         WHERE r.message_id = ?1 AND r.driver = ?2 AND r.status = 'delivered')
         >= coalesce(t.segments, (SELECT m.segments FROM messages m WHERE m.id = ?1), 1))"
);

/// Moves the message forward to what the try has come to: delivered when any try is, failed when none is left that may
/// arrive. `?1` message, `?2` driver, `?3` the carrier's id, `?4` status, `?5` error, `?6` now, `?7` stamp.
const MOVE_MESSAGE: &str = concat!(
    "UPDATE messages AS m SET status = ?4, stamp = ?7, error_code = coalesce(?5, m.error_code),
       provider_id = coalesce(m.provider_id, ?3), updated_at = ?6
     WHERE m.id = ?1
       AND EXISTS (SELECT 1 FROM message_tries t WHERE t.message_id = ?1 AND t.driver = ?2 AND t.reported = ?4)
       AND CASE ?4
         WHEN 'sent' THEN m.status IN ('queued', 'unknown')
         WHEN 'delivered' THEN m.status IN ('queued', 'sent', 'unknown', 'failed')
         ELSE m.status IN ('queued', 'sent', 'unknown') AND NOT EXISTS (
           SELECT 1 FROM message_tries t WHERE t.message_id = ?1 AND t.driver <> ?2 AND ",
    may_be_out!(),
    " AND coalesce(t.reported, 'sent') = 'sent')
       END ",
    point_of_report!()
);

/// The event of a report that has ended a message. `?1` message, `?2` driver, `?3` the carrier's id, `?4` stamp and the
/// event's id, `?5` type, `?6` outcome, `?7` error, `?8` request, `?9` now.
const EVENT: &str = "INSERT INTO audit_events (id, type, actor, user_id, app_id, subject_id, outcome, reason, request_id, data, created_at)
  SELECT ?4, ?5, 'carrier', m.user_id, m.app_id, m.id, ?6, ?7, ?8,
    json_object('driver', ?2, 'message_sid', ?3, 'error_code', ?7), ?9
  FROM messages m WHERE m.id = ?1 AND m.stamp = ?4";

const OF_MESSAGE: &str =
    "SELECT driver, provider_id, carrier_status, status, nullif(error_code, '') AS error_code, received_at, times
  FROM message_receipts WHERE message_id = ?1 ORDER BY received_at LIMIT 100";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[KEEP, MOVE_TRY, MOVE_MESSAGE, EVENT, OF_MESSAGE];

/// Writes down what a carrier reported, and what follows from it. The event's id is the stamp.
pub fn report(report: &Report<'_>, event: &EventId, request: &RequestId, now: Timestamp) -> Vec<Statement> {
    let Report { message, driver, channel, provider_id, carrier_status, error_code, status, by_part, signed_with } =
        *report;
    let (error, now) = (error_code.unwrap_or_default(), now.millis());
    let mut batch = vec![statement!(
        KEEP,
        message,
        driver,
        channel.as_str(),
        signed_with,
        by_part,
        provider_id,
        carrier_status,
        error,
        status.as_str(),
        now
    )];
    if matches!(status, Status::Sent | Status::Delivered | Status::Failed) {
        let state = status.as_str();
        batch.push(statement!(MOVE_TRY, message, driver, provider_id, carrier_status, error, state, by_part, now));
        batch.push(statement!(MOVE_MESSAGE, message, driver, provider_id, state, error_code, now, event));
    }
    let ending = match status {
        Status::Delivered => event::Outcome::Success,
        Status::Failed => event::Outcome::Failed,
        _ => return batch,
    };
    let kind = EventType::of_message(channel, status).as_str();
    batch.push(statement!(EVENT, message, driver, provider_id, event, kind, ending.as_str(), error_code, request, now));
    batch
}

/// The receipts of a message, in the order in which they came.
pub fn of_message(id: &MessageId) -> Statement {
    statement!(OF_MESSAGE, id)
}
