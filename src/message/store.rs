//! SQL of messages, their tries, and the dev inbox.

use serde_json::json;

use super::{Channel, Outgoing, Route, Status, drivers::Outcome, notice::Change, send::Tried};
use crate::{
    context::Context,
    crypto::Code,
    event::{self, Event, EventType, When},
    have_room,
    ids::{EventId, MessageId, RequestId},
    limit::{self, Check},
    ports::{Param, Row, Statement},
    statement,
    time::Timestamp,
};

const INSERT: &str = "INSERT INTO messages (id, challenge_id, generation, user_id, app_id, channel, template, locale,
    destination, redirected_to, country, cost_class, encoding, segments, status, reason, driver, created_at, updated_at)
  SELECT ?1, c.id, c.generation, c.user_id, c.app_id, c.channel, ?2, ?3, c.destination, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
    ?12, ?12
  FROM challenges c WHERE c.id = ?13 AND c.stamp = ?14";
const INSERT_TRY: &str = "INSERT INTO message_tries (id, message_id, driver, created_at)
  SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM challenges WHERE id = ?5 AND stamp = ?6)";
const INSERT_INBOX: &str = "INSERT INTO dev_inbox (message_id, subject, body, html, code, created_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM challenges WHERE id = ?7 AND stamp = ?8)";

/// Writes a message down on the stamp of its challenge: the row, its first try, the event, and outside production
/// the dev inbox's copy. A dropped message is done with that.
pub fn queue(context: &Context, outgoing: &Outgoing, challenge: &str, stamp: &str) -> Vec<Statement> {
    let now = context.now().millis();
    let (status, reason) = outgoing.route.begins();
    let kind = EventType::of_message(outgoing.channel, status);
    let mut statements = vec![statement!(
        INSERT,
        &outgoing.id,
        outgoing.template,
        outgoing.locale.as_str(),
        outgoing.redirected_to.as_ref(),
        outgoing.country.as_deref(),
        outgoing.cost_class,
        outgoing.sms.map(|(encoding, _)| encoding.as_str()),
        outgoing.sms.map(|(_, segments)| segments),
        status.as_str(),
        reason,
        outgoing.driver,
        now,
        challenge,
        stamp
    )];
    if matches!(outgoing.route, Route::Send(_)) {
        statements.push(statement!(INSERT_TRY, &outgoing.try_id, &outgoing.id, outgoing.driver, now, challenge, stamp));
    }
    if context.dev_tools() {
        statements.push(statement!(
            INSERT_INBOX,
            &outgoing.id,
            outgoing.subject.as_deref(),
            outgoing.body.as_str(),
            outgoing.html.as_deref(),
            outgoing.code.as_ref().map(Code::expose),
            now,
            challenge,
            stamp
        ));
    }
    let data = json!({"challenge_id": challenge, "driver": outgoing.driver, "template": outgoing.template,
        "country": outgoing.country, "segments": outgoing.sms.map(|(_, segments)| segments)});
    let event = Event::new(kind, outgoing.id.as_str()).data(data).ended(event::Outcome::Success, reason);
    statements.push(event::store::write(context, event, When::Challenge(challenge, stamp)));
    statements
}

/// Writes a notice down: it belongs to no challenge. Without room in the limits it is dropped and says so.
/// `?1` checks, `?2` now, `?3` id, `?4` user, `?5` channel, `?6` template, `?7` locale, `?8` destination, `?9` where it goes
/// instead, `?10` country, `?11` cost class, `?12` encoding, `?13` segments, `?14` status, `?15` reason, `?16` driver.
const INSERT_NOTICE: &str = concat!(
    "INSERT INTO messages (id, user_id, channel, template, locale, destination, redirected_to, country, cost_class, encoding,
       segments, status, reason, driver, created_at, updated_at)
     SELECT ?3, n.id, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
       CASE WHEN n.room THEN ?14 ELSE 'dropped' END, CASE WHEN n.room THEN ?15 ELSE 'limited' END, ?16, ?2, ?2
     FROM (SELECT u.id, ",
    have_room!(),
    " AS room FROM users u WHERE u.id = ?4) n"
);
const INSERT_NOTICE_TRY: &str = "INSERT INTO message_tries (id, message_id, driver, created_at)
  SELECT ?1, m.id, m.driver, ?3 FROM messages m WHERE m.id = ?2 AND m.status = 'queued'";
const INSERT_NOTICE_INBOX: &str = "INSERT INTO dev_inbox (message_id, subject, body, html, created_at)
  SELECT m.id, ?2, ?3, ?4, ?5 FROM messages m WHERE m.id = ?1";
const NOTICE: &str = "SELECT status FROM messages WHERE id = ?1";

/// Writes a notice of what has changed for a user down, on its limits: the row, its first try, the event, and outside
/// production the dev inbox's copy. The last statement gives its state.
pub fn queue_notice(
    context: &Context,
    outgoing: &Outgoing,
    user: &str,
    change: &Change,
    checks: &[Check],
) -> Vec<Statement> {
    let (id, now) = (outgoing.id.as_str(), context.now());
    let (status, reason) = outgoing.route.begins();
    let mut statements = vec![
        statement!(
            INSERT_NOTICE,
            limit::store::parameter(checks),
            now.millis(),
            id,
            user,
            outgoing.channel.as_str(),
            outgoing.template,
            outgoing.locale.as_str(),
            outgoing.destination.as_str(),
            outgoing.redirected_to.as_deref(),
            outgoing.country.as_deref(),
            outgoing.cost_class,
            outgoing.sms.map(|(encoding, _)| encoding.as_str()),
            outgoing.sms.map(|(_, segments)| segments),
            status.as_str(),
            reason,
            outgoing.driver
        ),
        limit::store::spend_on_message(checks, now, id),
        statement!(INSERT_NOTICE_TRY, &outgoing.try_id, id, now.millis()),
    ];
    if context.dev_tools() {
        let (subject, html) = (outgoing.subject.as_deref(), outgoing.html.as_deref());
        statements.push(statement!(INSERT_NOTICE_INBOX, id, subject, outgoing.body.as_str(), html, now.millis()));
    }
    // Without room it is dropped, whatever was meant.
    let begins = if status == Status::Dropped { Status::Queued } else { status };
    for status in [begins, Status::Dropped] {
        let data = json!({"driver": outgoing.driver, "template": outgoing.template, "change": change.kind(),
            "country": outgoing.country, "segments": outgoing.sms.map(|(_, segments)| segments)});
        let event = Event::new(EventType::of_message(outgoing.channel, status), id).user(Some(user)).data(data);
        statements.push(event::store::write(context, event, When::Message(id, status.as_str())));
    }
    statements.push(statement!(NOTICE, id));
    statements
}

/// Writes the e-mail of an invitation down, on the invitation's stamp. `?1` id, `?2` template, `?3` locale, `?4` where it
/// goes instead, `?5` status, `?6` reason, `?7` driver, `?8` now, `?9` invitation, `?10` stamp.
const INSERT_INVITATION: &str =
    "INSERT INTO messages (id, app_id, channel, template, locale, destination, redirected_to,
    cost_class, status, reason, driver, created_at, updated_at)
  SELECT ?1, i.app_id, 'email', ?2, ?3, i.email_normalised, ?4, 'none', ?5, ?6, ?7, ?8, ?8
  FROM invitations i WHERE i.id = ?9 AND i.stamp = ?10";

/// Writes the e-mail of an invitation down: the row, its first try, what it counts, the event, and outside production the
/// dev inbox's copy.
pub fn queue_invitation(
    context: &Context,
    outgoing: &Outgoing,
    invitation: &str,
    stamp: &str,
    checks: &[Check],
) -> Vec<Statement> {
    let (id, now) = (outgoing.id.as_str(), context.now());
    let (status, reason) = outgoing.route.begins();
    let mut statements = vec![
        statement!(
            INSERT_INVITATION,
            id,
            outgoing.template,
            outgoing.locale.as_str(),
            outgoing.redirected_to.as_deref(),
            status.as_str(),
            reason,
            outgoing.driver,
            now.millis(),
            invitation,
            stamp
        ),
        limit::store::spend_on_message(checks, now, id),
        statement!(INSERT_NOTICE_TRY, &outgoing.try_id, id, now.millis()),
    ];
    if context.dev_tools() {
        let (subject, html) = (outgoing.subject.as_deref(), outgoing.html.as_deref());
        statements.push(statement!(INSERT_NOTICE_INBOX, id, subject, outgoing.body.as_str(), html, now.millis()));
    }
    let data = json!({"driver": outgoing.driver, "template": outgoing.template, "invitation_id": invitation});
    let event = Event::new(EventType::of_message(outgoing.channel, status), id)
        .data(data)
        .ended(event::Outcome::Success, reason);
    statements.push(event::store::write(context, event, When::Message(id, status.as_str())));
    statements
}

/// The state of a message whose driver was asked.
pub fn status_of(outcome: &Outcome) -> Status {
    match outcome {
        Outcome::Accepted { .. } => Status::Sent,
        Outcome::Unknown(_) => Status::Unknown,
        _ => Status::Failed,
    }
}

/// A report of the carrier may have come first: its state stays.
const END: &str = "UPDATE messages SET status = CASE WHEN status = 'queued' THEN ?2 ELSE status END,
    provider_id = coalesce(?3, provider_id), segments = coalesce(?4, segments), error_code = coalesce(error_code, ?5),
    error_class = ?6, latency_ms = ?7, updated_at = ?8
  WHERE id = ?1";
const END_TRY: &str = "UPDATE message_tries SET outcome = ?2, provider_id = ?3, segments = ?4, error_code = ?5, latency_ms = ?6 WHERE id = ?1";

/// Writes down what became of the only try: the message, the try, the event.
pub fn ended(context: &Context, outgoing: &Outgoing, tried: &Tried) -> Vec<Statement> {
    let now = context.ports().clock.now().millis();
    let (provider_id, segments) = match &tried.outcome {
        Outcome::Accepted { provider_id, segments } => (Some(provider_id.as_str()), *segments),
        _ => (None, None),
    };
    let error_code = tried.outcome.why().map(|why| why.code.as_str());
    let status = status_of(&tried.outcome);
    let ended = if status == Status::Sent { event::Outcome::Success } else { event::Outcome::Failed };
    let kind = EventType::of_message(outgoing.channel, status);
    let class = tried.outcome.why().map(|_| tried.outcome.as_str());
    let data = json!({"driver": tried.driver, "country": outgoing.country, "error_code": error_code,
        "latency_ms": tried.latency_ms, "message_sid": provider_id});
    let event = Event::new(kind, outgoing.id.as_str()).data(data).ended(ended, class);
    vec![
        statement!(END, &outgoing.id, status.as_str(), provider_id, segments, error_code, class, tried.latency_ms, now),
        statement!(END_TRY, &tried.try_id, tried.outcome.as_str(), provider_id, segments, error_code, tried.latency_ms),
        event::store::write(context, event, When::Always),
    ]
}

/// A message as it is read.
#[derive(Clone, Debug)]
pub struct Message(Row);

/// One try of a message as it is read.
#[derive(Clone, Debug)]
pub struct Try(Row);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, challenge_id, user_id, app_id, channel, template, locale, destination, redirected_to, country,
               cost_class, encoding, segments, status, reason, driver, provider_id, error_code, error_class, latency_ms,
               created_at, updated_at
             FROM messages WHERE ",
            $rest
        )
    };
}

const GET: &str = select!("id = ?1");
const TRIES: &str = "SELECT id, driver, outcome, provider_id, segments, error_code, latency_ms, created_at
  FROM message_tries WHERE message_id = ?1 ORDER BY id";
const LIST: &str = select!("id < ?1 ORDER BY id DESC LIMIT ?2");
const LIST_BY_DESTINATION: &str = select!("destination = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2");
const LIST_BY_USER: &str = select!("user_id = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2");
const LIST_BY_CHALLENGE: &str = select!("challenge_id = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2");
const LIST_BY_STATUS: &str = select!("status = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2");

/// What to list.
#[derive(Clone, Copy)]
pub enum Filter<'a> {
    /// All.
    None,
    /// To one number.
    Destination(&'a str),
    /// To one user.
    User(&'a str),
    /// Of one challenge.
    Challenge(&'a str),
    /// In one state.
    Status(&'a str),
}

/// Reads a message and its tries.
pub fn get(id: &str) -> Vec<Statement> {
    vec![statement!(GET, id), statement!(TRIES, id)]
}

/// Lists messages, newest first, with ids below `before`.
pub fn list(filter: Filter<'_>, before: &str, limit: i64) -> Statement {
    let (sql, value) = match filter {
        Filter::None => (LIST, None),
        Filter::Destination(number) => (LIST_BY_DESTINATION, Some(number)),
        Filter::User(user) => (LIST_BY_USER, Some(user)),
        Filter::Challenge(challenge) => (LIST_BY_CHALLENGE, Some(challenge)),
        Filter::Status(status) => (LIST_BY_STATUS, Some(status)),
    };
    let mut params: Vec<Param> = vec![before.into(), limit.into()];
    params.extend(value.map(Param::from));
    Statement::new(sql, params)
}

impl Message {
    /// From a row.
    pub fn read(row: Row) -> Self {
        Self(row)
    }

    /// The columns.
    pub fn row(&self) -> &Row {
        &self.0
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.0.opt_text("id").unwrap_or_default()
    }
}

impl Try {
    /// From a row.
    pub fn read(row: Row) -> Self {
        Self(row)
    }

    /// The columns.
    pub fn row(&self) -> &Row {
        &self.0
    }
}

const INBOX: &str = "SELECT m.id, m.channel, m.destination, m.redirected_to, m.template, m.driver, m.status, m.reason,
    m.created_at, i.subject, i.body, i.html IS NOT NULL AS has_html, i.code
  FROM dev_inbox i JOIN messages m ON m.id = i.message_id
  WHERE i.message_id >= ?1 ORDER BY i.message_id DESC LIMIT 200";
const INBOX_BY_DESTINATION: &str =
    "SELECT m.id, m.channel, m.destination, m.redirected_to, m.template, m.driver, m.status, m.reason,
    m.created_at, i.subject, i.body, i.html IS NOT NULL AS has_html, i.code
  FROM messages m JOIN dev_inbox i ON i.message_id = m.id
  WHERE m.destination = ?2 AND m.id >= ?1 ORDER BY m.id DESC LIMIT 200";

const MAIL: &str = "SELECT html FROM dev_inbox WHERE message_id = ?1";

/// The HTML of an e-mail in the dev inbox.
pub fn mail(id: &MessageId) -> Statement {
    statement!(MAIL, id)
}

/// The dev inbox, newest first: messages with ids from `from` on, to one number or to all.
pub fn inbox(from: &str, destination: Option<&str>) -> Statement {
    match destination {
        Some(number) => statement!(INBOX_BY_DESTINATION, from, number),
        None => statement!(INBOX, from),
    }
}

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
pub const STATEMENTS: &[&str] = &[
    INSERT,
    INSERT_TRY,
    INSERT_INBOX,
    INSERT_NOTICE,
    INSERT_NOTICE_TRY,
    INSERT_NOTICE_INBOX,
    INSERT_INVITATION,
    NOTICE,
    MAIL,
    END,
    END_TRY,
    GET,
    TRIES,
    LIST,
    LIST_BY_DESTINATION,
    LIST_BY_USER,
    LIST_BY_CHALLENGE,
    LIST_BY_STATUS,
    INBOX,
    INBOX_BY_DESTINATION,
    REPORT,
    REPORTED,
];
