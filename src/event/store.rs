//! SQL of audit events.

use serde_json::{Value, json};

use super::{EventType, Outcome};
use crate::{
    context::Context,
    ids::EventId,
    ports::{Param, Statement},
};

/// One event.
pub struct Event {
    /// What happened.
    pub kind: EventType,
    /// The thing it happened to.
    pub subject: Option<String>,
    /// The user it concerns.
    pub user: Option<String>,
    /// The app it came through.
    pub app: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it ended so, as a stable word.
    pub reason: Option<String>,
    /// What else is worth keeping. No code, token or phone number.
    pub data: Value,
}

impl Event {
    /// A success without further facts.
    pub fn new(kind: EventType, subject: impl Into<String>) -> Self {
        Self {
            kind,
            subject: Some(subject.into()),
            user: None,
            app: None,
            outcome: Outcome::Success,
            reason: None,
            data: json!({}),
        }
    }

    /// The user it concerns.
    pub fn user(self, user: Option<impl Into<String>>) -> Self {
        Self { user: user.map(Into::into), ..self }
    }

    /// The app it came through.
    pub fn app(self, app: Option<impl Into<String>>) -> Self {
        Self { app: app.map(Into::into), ..self }
    }

    /// What else is worth keeping.
    pub fn data(self, data: Value) -> Self {
        Self { data, ..self }
    }

    /// How it ended and why.
    pub fn ended(self, outcome: Outcome, reason: Option<impl Into<String>>) -> Self {
        Self { outcome, reason: reason.map(Into::into), ..self }
    }
}

/// On what an event is written.
#[derive(Clone, Copy)]
pub enum When<'a> {
    /// In any case.
    Always,
    /// The challenge has this stamp; user and app are taken from it where the event names none.
    Challenge(&'a str, &'a str),
    /// The challenge has this stamp and is verified.
    Verified(&'a str, &'a str),
    /// The challenge has this stamp and is not verified.
    AnsweredWrongly(&'a str, &'a str),
    /// The factor of the challenge with this stamp was activated at this moment.
    Activated(&'a str, &'a str),
    /// The address of the challenge's user was proven by the challenge with this stamp.
    EmailVerified(&'a str, &'a str),
    /// The user of the challenge with this stamp has it too: they have moved to its address.
    EmailMoved(&'a str, &'a str),
    /// The same for its number.
    PhoneMoved(&'a str, &'a str),
    /// The factor has this stamp.
    Factor(&'a str, &'a str),
    /// The message is in this state; user, app and reason are taken from it where the event names none.
    Message(&'a str, &'a str),
    /// The active factor has another stamp than the challenge, which has this one: it did not accept the answer.
    NotAccepted(&'a str, &'a str, &'a str),
    /// The user has this stamp.
    User(&'a str, &'a str),
    /// The user has this stamp, and a proven address.
    AddressProven(&'a str, &'a str),
    /// A factor of this type was made for the user with this stamp; it is the subject.
    NewFactor(&'a str, &'a str, &'a str),
    /// The app has this stamp.
    App(&'a str, &'a str),
    /// The device has this stamp.
    Device(&'a str, &'a str),
    /// The session has this stamp.
    Session(&'a str, &'a str),
    /// The session of the code with this hash has this stamp, and begins.
    SessionBegun(&'a str, &'a str),
    /// The session, or the one of the code or refresh token with this hash, has this stamp and is over.
    SessionOver(&'a str, &'a str),
    /// A session of this user has this stamp and is over.
    SessionsOver(&'a str, &'a str),
    /// The invitation has this stamp.
    Invitation(&'a str, &'a str),
    /// The key has this stamp.
    ApiKey(&'a str, &'a str),
    /// The retired key with this hash has this stamp.
    Retired(&'a str, &'a str),
    /// The signing key has this stamp.
    SigningKey(&'a str, &'a str),
    /// The webhook endpoint has this stamp.
    WebhookEndpoint(&'a str, &'a str),
}

macro_rules! insert {
    ($user:literal, $app:literal, $subject:literal, $rest:literal) => {
        insert!($user, $app, $subject, "?8", $rest)
    };
    ($user:literal, $app:literal, $subject:literal, $reason:literal, $rest:literal) => {
        concat!(
            "INSERT INTO audit_events (id, type, actor, user_id, app_id, subject_id, outcome, reason,
               client_ip, user_agent, request_id, data, created_at)
             SELECT ?1, ?2, ?3, ",
            $user,
            ", ",
            $app,
            ", ",
            $subject,
            ", ?7, ",
            $reason,
            ", ?9, ?10, ?11, ?12, ?13 ",
            $rest
        )
    };
    ($rest:literal) => {
        insert!("?4", "?5", "?6", $rest)
    };
}

const ALWAYS: &str = insert!("");
const CHALLENGE: &str = insert!(
    "coalesce(?4, c.user_id)",
    "coalesce(?5, c.app_id)",
    "?6",
    "FROM challenges c WHERE c.id = ?14 AND c.stamp = ?15"
);
const VERIFIED: &str = insert!(
    "coalesce(?4, c.user_id)",
    "coalesce(?5, c.app_id)",
    "?6",
    "FROM challenges c WHERE c.id = ?14 AND c.stamp = ?15 AND c.verified_at IS NOT NULL"
);
const ANSWERED_WRONGLY: &str = insert!(
    "coalesce(?4, c.user_id)",
    "coalesce(?5, c.app_id)",
    "?6",
    "FROM challenges c WHERE c.id = ?14 AND c.stamp = ?15 AND c.verified_at IS NULL"
);
const ACTIVATED: &str = insert!(
    "c.user_id",
    "c.app_id",
    "c.factor_id",
    "FROM challenges c JOIN factors f ON f.id = c.factor_id
     WHERE c.id = ?14 AND c.stamp = ?15 AND c.purpose = 'enrolment' AND f.activated_at = c.verified_at"
);
const EMAIL_VERIFIED: &str = insert!(
    "c.user_id",
    "c.app_id",
    "c.user_id",
    "FROM challenges c JOIN users u ON u.id = c.user_id
     WHERE c.id = ?14 AND c.stamp = ?15 AND u.email_normalised = c.destination AND u.email_verified_at = c.verified_at"
);
const EMAIL_MOVED: &str = insert!(
    "c.user_id",
    "c.app_id",
    "c.user_id",
    "FROM challenges c JOIN users u ON u.id = c.user_id
     WHERE c.id = ?14 AND c.stamp = ?15 AND u.stamp = ?15 AND c.type = 'email'"
);
const PHONE_MOVED: &str = insert!(
    "c.user_id",
    "c.app_id",
    "c.user_id",
    "FROM challenges c JOIN users u ON u.id = c.user_id
     WHERE c.id = ?14 AND c.stamp = ?15 AND u.stamp = ?15 AND c.type = 'phone'"
);
const FACTOR: &str = insert!("WHERE EXISTS (SELECT 1 FROM factors WHERE id = ?14 AND stamp = ?15)");
const MESSAGE: &str = insert!(
    "coalesce(?4, m.user_id)",
    "coalesce(?5, m.app_id)",
    "?6",
    "coalesce(?8, m.reason)",
    "FROM messages m WHERE m.id = ?14 AND m.status = ?15"
);
const NOT_ACCEPTED: &str = insert!(
    "WHERE EXISTS (SELECT 1 FROM challenges WHERE id = ?14 AND stamp = ?15)
       AND EXISTS (SELECT 1 FROM factors WHERE id = ?16 AND stamp <> ?15 AND activated_at IS NOT NULL)"
);
const USER: &str = insert!("WHERE EXISTS (SELECT 1 FROM users WHERE id = ?14 AND stamp = ?15)");
const ADDRESS_PROVEN: &str =
    insert!("WHERE EXISTS (SELECT 1 FROM users WHERE id = ?14 AND stamp = ?15 AND email_verified_at IS NOT NULL)");
const NEW_FACTOR: &str =
    insert!("?4", "?5", "f.id", "FROM factors f WHERE f.user_id = ?14 AND f.stamp = ?15 AND f.type = ?16");
const APP: &str = insert!("WHERE EXISTS (SELECT 1 FROM apps WHERE id = ?14 AND stamp = ?15)");
const DEVICE: &str = insert!("WHERE EXISTS (SELECT 1 FROM devices WHERE id = ?14 AND stamp = ?15)");
const SESSION: &str = insert!("s.user_id", "s.app_id", "s.id", "FROM sessions s WHERE s.id = ?14 AND s.stamp = ?15");
const SESSION_BEGUN: &str = insert!(
    "s.user_id",
    "s.app_id",
    "s.id",
    "FROM sessions s WHERE s.id = (SELECT session_id FROM authorization_codes WHERE code_hash = ?14)
       AND s.stamp = ?15 AND s.ended_at IS NULL"
);
const SESSION_OVER: &str = insert!(
    "s.user_id",
    "s.app_id",
    "s.id",
    "FROM sessions s WHERE s.id = coalesce((SELECT session_id FROM refresh_tokens WHERE hash = ?14),
         (SELECT session_id FROM authorization_codes WHERE code_hash = ?14), ?14)
       AND s.stamp = ?15 AND s.ended_at IS NOT NULL"
);
const SESSIONS_OVER: &str =
    insert!("WHERE EXISTS (SELECT 1 FROM sessions WHERE user_id = ?14 AND stamp = ?15 AND ended_at IS NOT NULL)");
const INVITATION: &str = insert!("WHERE EXISTS (SELECT 1 FROM invitations WHERE id = ?14 AND stamp = ?15)");
const API_KEY: &str = insert!("WHERE EXISTS (SELECT 1 FROM api_keys WHERE id = ?14 AND stamp = ?15)");
const RETIRED: &str = insert!("WHERE EXISTS (SELECT 1 FROM retired_keys WHERE hash = ?14 AND stamp = ?15)");
const SIGNING_KEY: &str = insert!("WHERE EXISTS (SELECT 1 FROM signing_keys WHERE id = ?14 AND stamp = ?15)");
const WEBHOOK_ENDPOINT: &str = insert!("WHERE EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ?14 AND stamp = ?15)");

/// The statement that writes an event.
pub fn write(context: &Context, event: Event, when: When<'_>) -> Statement {
    let (sql, condition) = match when {
        When::Always => (ALWAYS, None),
        When::Challenge(id, stamp) => (CHALLENGE, Some((id, stamp))),
        When::Verified(id, stamp) => (VERIFIED, Some((id, stamp))),
        When::AnsweredWrongly(id, stamp) => (ANSWERED_WRONGLY, Some((id, stamp))),
        When::Activated(id, stamp) => (ACTIVATED, Some((id, stamp))),
        When::EmailVerified(id, stamp) => (EMAIL_VERIFIED, Some((id, stamp))),
        When::EmailMoved(id, stamp) => (EMAIL_MOVED, Some((id, stamp))),
        When::PhoneMoved(id, stamp) => (PHONE_MOVED, Some((id, stamp))),
        When::Factor(id, stamp) => (FACTOR, Some((id, stamp))),
        When::Message(id, status) => (MESSAGE, Some((id, status))),
        When::NotAccepted(_, id, stamp) => (NOT_ACCEPTED, Some((id, stamp))),
        When::User(id, stamp) => (USER, Some((id, stamp))),
        When::AddressProven(id, stamp) => (ADDRESS_PROVEN, Some((id, stamp))),
        When::NewFactor(_, id, stamp) => (NEW_FACTOR, Some((id, stamp))),
        When::App(id, stamp) => (APP, Some((id, stamp))),
        When::Device(id, stamp) => (DEVICE, Some((id, stamp))),
        When::Session(id, stamp) => (SESSION, Some((id, stamp))),
        When::SessionBegun(hash, stamp) => (SESSION_BEGUN, Some((hash, stamp))),
        When::SessionOver(id, stamp) => (SESSION_OVER, Some((id, stamp))),
        When::SessionsOver(user, stamp) => (SESSIONS_OVER, Some((user, stamp))),
        When::Invitation(id, stamp) => (INVITATION, Some((id, stamp))),
        When::ApiKey(id, stamp) => (API_KEY, Some((id, stamp))),
        When::Retired(hash, stamp) => (RETIRED, Some((hash, stamp))),
        When::SigningKey(id, stamp) => (SIGNING_KEY, Some((id, stamp))),
        When::WebhookEndpoint(id, stamp) => (WEBHOOK_ENDPOINT, Some((id, stamp))),
    };
    let now = context.ports().clock.now();
    let mut params: Vec<Param> = vec![
        (&EventId::new(now, &*context.ports().random)).into(),
        event.kind.as_str().into(),
        context.actor().into(),
        event.user.into(),
        event.app.into(),
        event.subject.into(),
        event.outcome.as_str().into(),
        event.reason.into(),
        context.client().ip.clone().into(),
        context.client().user_agent.clone().into(),
        context.request_id().into(),
        event.data.to_string().into(),
        now.millis().into(),
    ];
    if let Some((id, stamp)) = condition {
        params.extend([id.into(), stamp.into()]);
    }
    if let When::NotAccepted(further, ..) | When::NewFactor(further, ..) = when {
        params.push(further.into());
    }
    Statement::new(sql, params)
}

/// Writes the event of a refused call, unless one was written in the last minute: outsiders fill no table.
/// `?1` id, `?2` request, `?3` now, `?4` the smallest id of a minute ago.
pub const CALLBACK_REFUSED: &str =
    "INSERT INTO audit_events (id, type, actor, outcome, reason, request_id, data, created_at)
  SELECT ?1, 'callback.refused', 'unknown', 'refused', 'signature_invalid', ?2, '{}', ?3
  WHERE NOT EXISTS (SELECT 1 FROM audit_events WHERE type = 'callback.refused' AND id > ?4)";

macro_rules! list {
    ($where:literal) => {
        concat!(
            "SELECT id, type, actor, user_id, app_id, subject_id, outcome, reason, client_ip, user_agent, request_id, data,
               created_at
             FROM audit_events WHERE ",
            $where,
            " ORDER BY id DESC LIMIT ?3"
        )
    };
}

/// `?1` is the id to begin below, `?2` the id to end at, `?3` how many, `?4` the filter's value.
const LIST: &str = list!("id < ?1 AND id >= ?2");
const LIST_BY_USER: &str = list!("user_id = ?4 AND id < ?1 AND id >= ?2");
const LIST_BY_APP: &str = list!("app_id = ?4 AND id < ?1 AND id >= ?2");
const LIST_BY_SUBJECT: &str = list!("subject_id = ?4 AND id < ?1 AND id >= ?2");
const LIST_BY_TYPE: &str = list!("type = ?4 AND id < ?1 AND id >= ?2");
const LIST_BY_USER_AND_TYPE: &str = list!("user_id = ?4 AND type = ?5 AND id < ?1 AND id >= ?2");
const LIST_BY_APP_AND_TYPE: &str = list!("app_id = ?4 AND type = ?5 AND id < ?1 AND id >= ?2");
/// What is told to the person themselves: those of `?5`, a JSON list of types.
const LIST_OWN: &str = list!("user_id = ?4 AND id < ?1 AND id >= ?2 AND type IN (SELECT value FROM json_each(?5))");

/// The statement that lists a user's events of these types, newest first, with ids below `before`.
pub fn list_own(user: &str, kinds: &[EventType], before: &str, limit: i64) -> Statement {
    let kinds = Value::from(kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>()).to_string();
    Statement::new(LIST_OWN, vec![before.into(), "".into(), limit.into(), user.into(), kinds.into()])
}

/// What to list.
#[derive(Clone, Copy)]
pub enum Filter<'a> {
    /// All.
    None,
    /// One user's.
    User(&'a str),
    /// One app's.
    App(&'a str),
    /// One thing's.
    Subject(&'a str),
}

/// The statement that lists events, newest first, with ids below `before` and not below `from`.
pub fn list(filter: Filter<'_>, kind: Option<&str>, before: &str, from: &str, limit: i64) -> Statement {
    let (sql, value) = match (filter, kind) {
        (Filter::None, None) => (LIST, None),
        (Filter::None, Some(kind)) => (LIST_BY_TYPE, Some(kind)),
        (Filter::User(user), None) => (LIST_BY_USER, Some(user)),
        (Filter::User(user), Some(_)) => (LIST_BY_USER_AND_TYPE, Some(user)),
        (Filter::App(app), None) => (LIST_BY_APP, Some(app)),
        (Filter::App(app), Some(_)) => (LIST_BY_APP_AND_TYPE, Some(app)),
        (Filter::Subject(subject), _) => (LIST_BY_SUBJECT, Some(subject)),
    };
    let mut params: Vec<Param> = vec![before.into(), from.into(), limit.into()];
    params.extend(value.map(Param::from));
    if matches!(filter, Filter::User(_) | Filter::App(_)) {
        params.extend(kind.map(Param::from));
    }
    Statement::new(sql, params)
}

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    ALWAYS,
    CHALLENGE,
    VERIFIED,
    ANSWERED_WRONGLY,
    ACTIVATED,
    EMAIL_VERIFIED,
    EMAIL_MOVED,
    PHONE_MOVED,
    FACTOR,
    MESSAGE,
    NOT_ACCEPTED,
    USER,
    ADDRESS_PROVEN,
    NEW_FACTOR,
    APP,
    DEVICE,
    SESSION,
    SESSION_BEGUN,
    SESSION_OVER,
    SESSIONS_OVER,
    INVITATION,
    API_KEY,
    RETIRED,
    SIGNING_KEY,
    WEBHOOK_ENDPOINT,
    CALLBACK_REFUSED,
    LIST,
    LIST_BY_USER,
    LIST_BY_APP,
    LIST_BY_SUBJECT,
    LIST_BY_TYPE,
    LIST_BY_USER_AND_TYPE,
    LIST_BY_APP_AND_TYPE,
    LIST_OWN,
];
