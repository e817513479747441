//! SQL that writes down what a carrier reported of a message.

use crate::{
    event::{self, EventType},
    ids::{EventId, MessageId, RequestId},
    message::{Channel, Status},
    ports::Statement,
    statement,
    time::Timestamp,
};

/// Whether a report of the carrier changes a message: what is delivered or failed stays so. `?1` the message, `?2` the
/// carrier's id of it, `?3` the state, `?4` the driver, `?5` the channel.
macro_rules! report_changes_it {
    () => {
        "id = ?1 AND driver = ?4 AND channel = ?5 AND (provider_id = ?2 OR provider_id IS NULL)
           AND (status IN ('queued', 'unknown') OR (status = 'sent' AND ?3 IN ('delivered', 'failed')))"
    };
}

/// `?6` the carrier's error, `?7` now.
const REPORT: &str = concat!(
    "UPDATE messages SET status = ?3, error_code = coalesce(?6, error_code), provider_id = coalesce(provider_id, ?2),
       updated_at = ?7
     WHERE ",
    report_changes_it!()
);

/// The event of a report that ends a message. It stands before [`REPORT`] in the batch, on the same condition: a
/// replayed report tells nothing twice. `?6` the error, `?7` now, `?8` the event's id, `?9` type, `?10` outcome,
/// `?11` request.
const REPORTED: &str = concat!(
    "INSERT INTO audit_events (id, type, actor, user_id, app_id, subject_id, outcome, reason, request_id, data, created_at)
     SELECT ?8, ?9, 'carrier', user_id, app_id, id, ?10, ?6, ?11, json_object('driver', driver, 'message_sid', ?2), ?7
     FROM messages WHERE ",
    report_changes_it!()
);

/// What a carrier reported of a message.
pub struct Report<'a> {
    /// The message.
    pub id: &'a MessageId,
    /// Who carries it.
    pub driver: &'a str,
    /// How it goes.
    pub channel: Channel,
    /// The carrier's id of it.
    pub provider_id: &'a str,
    /// Its state now.
    pub status: Status,
    /// The carrier's error.
    pub error_code: Option<&'a str>,
}

/// Writes down what a carrier reported, with its event where the report ends the message.
pub fn report(report: &Report<'_>, event: &EventId, request: &RequestId, now: Timestamp) -> Vec<Statement> {
    let Report { id, driver, channel, provider_id, status, error_code } = *report;
    let ending = match status {
        Status::Delivered => Some(event::Outcome::Success),
        Status::Failed => Some(event::Outcome::Failed),
        _ => None,
    };
    let reported = ending.map(|outcome| {
        statement!(
            REPORTED,
            id,
            provider_id,
            status.as_str(),
            driver,
            channel.as_str(),
            error_code,
            now.millis(),
            event,
            EventType::of_message(channel, status).as_str(),
            outcome.as_str(),
            request
        )
    });
    let report =
        statement!(REPORT, id, provider_id, status.as_str(), driver, channel.as_str(), error_code, now.millis());
    reported.into_iter().chain([report]).collect()
}

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[REPORT, REPORTED];
