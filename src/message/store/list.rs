//! SQL that reads messages, their tries, and the dev inbox.

use crate::{
    ids::MessageId,
    ports::{Param, Row, Statement},
    statement,
};

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
               fallback_at, created_at, updated_at
             FROM messages WHERE ",
            $rest
        )
    };
}

const GET: &str = select!("id = ?1");
/// In the order in which they were made: ids of one millisecond are in no order.
const TRIES: &str = "SELECT id, driver, outcome, provider_id, segments, error_code, latency_ms, feedback, created_at
  FROM message_tries WHERE message_id = ?1 ORDER BY rowid";
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

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    GET,
    TRIES,
    LIST,
    LIST_BY_DESTINATION,
    LIST_BY_USER,
    LIST_BY_CHALLENGE,
    LIST_BY_STATUS,
    INBOX,
    INBOX_BY_DESTINATION,
    MAIL,
];
