//! Makes, changes, deletes, unlocks and finds users.

use serde_json::{Value, json};

use super::{User, store};
use crate::{
    context::Context,
    email::EmailAddress,
    event::{self, Event, EventType, When},
    idempotency::{Claim, Reservation},
    ids::UserId,
    limit,
    phone::PhoneNumber,
    policy::Exception,
    ports::{DatabaseError, Param, Row, Statement},
    session::end::{self, On, Reason},
    statement,
};

/// Facts about a user; outer `None` leaves one as it is, inner `None` clears it.
#[derive(Clone, Default)]
pub struct Profile {
    /// The customer's own id.
    pub external_id: Option<Option<String>>,
    /// The address.
    pub email: Option<Option<EmailAddress>>,
    /// The number to sign in with.
    pub phone: Option<Option<PhoneNumber>>,
    /// The name.
    pub name: Option<Option<String>>,
    /// The language.
    pub locale: Option<Option<String>>,
    /// What the customer keeps.
    pub metadata: Option<Value>,
    /// What the customer says of their factors: more required, or exempt. Only a change takes it.
    pub mfa: Option<Exception>,
    /// Whether they are shut out. Only a change takes it.
    pub disabled: Option<bool>,
}

/// What became of a change.
#[derive(Debug)]
pub enum Changed {
    /// It was done; `true` when an earlier call with the same key had done it.
    Done(Box<User>, bool),
    /// There is no such user.
    NotFound,
    /// Another user has this identifier: the field's name.
    Taken(&'static str),
    /// The call's key is another call's.
    Claimed(Claim),
}

/// Makes a user.
pub async fn create(context: &Context, profile: Profile, key: Option<Reservation>) -> Result<Changed, DatabaseError> {
    let now = context.now();
    let stamp = context.stamp();
    let id = UserId::new(now, &*context.ports().random);
    let key = key.as_ref();
    let email = profile.email.flatten();
    let normalised = email.as_ref().map(EmailAddress::as_str);
    let external_id = profile.external_id.flatten();
    let phone = profile.phone.flatten();
    let phone = phone.as_ref().map(PhoneNumber::e164);
    let mut batch: Vec<Statement> = key.map(|key| key.reserve(id.as_str(), &stamp, now)).into_iter().collect();
    batch.extend([
        statement!(
            store::CREATE,
            &id,
            now.millis(),
            external_id.as_deref(),
            stamp.as_str(),
            key.map(Reservation::key),
            email.as_ref().map(EmailAddress::given),
            normalised,
            profile.name.flatten(),
            profile.locale.flatten(),
            profile.metadata.unwrap_or_else(|| json!({})).to_string(),
            phone
        ),
        event::store::write(
            context,
            Event::new(EventType::UserCreated, id.as_str()).user(Some(id.as_str())),
            When::User(id.as_str(), &stamp),
        ),
    ]);
    if let Some(key) = key {
        batch.extend([key.release_unless_made(&stamp), key.finish(&stamp)]);
    }
    batch.extend([read(context, &id), statement!(store::TAKEN, external_id, normalised, &id, phone)]);
    batch.extend(key.map(Reservation::look_up));
    let answer = context.decide(batch).await?;

    let reported = 2 + usize::from(key.is_some());
    let report = answer.get(answer.len().saturating_sub(reported)..).unwrap_or_default();
    let [made, taken, claim @ ..] = report else {
        return Err(DatabaseError::Other("a batch answered too little".to_owned()));
    };
    if let (Some(key), Some(rows)) = (key, claim.first()) {
        match key.claim(rows, &stamp, now)? {
            Claim::Mine => {}
            Claim::Replay(earlier) => {
                let earlier = UserId::parse(&earlier);
                let user = match &earlier {
                    Some(id) => get(context, id).await?,
                    None => None,
                };
                return Ok(user.map_or(Changed::NotFound, |user| Changed::Done(Box::new(user), true)));
            }
            claim => return Ok(Changed::Claimed(claim)),
        }
    }
    match made.first() {
        Some(row) => Ok(Changed::Done(Box::new(User::read(row)?), false)),
        None => Ok(Changed::Taken(taken_field(taken.first()))),
    }
}

/// Changes a user.
pub async fn update(context: &Context, id: &UserId, profile: Profile) -> Result<Changed, DatabaseError> {
    let stamp = context.stamp();
    let email = profile.email.as_ref().and_then(Option::as_ref);
    let normalised = email.map(EmailAddress::as_str);
    let external_id = profile.external_id.as_ref().and_then(Option::as_deref);
    let phone = profile.phone.as_ref().and_then(Option::as_ref).map(PhoneNumber::e164);
    let mut batch = vec![
        statement!(
            store::UPDATE,
            id,
            context.now().millis(),
            stamp.as_str(),
            profile.external_id.is_some(),
            external_id,
            profile.email.is_some(),
            email.map(EmailAddress::given),
            normalised,
            profile.name.is_some(),
            profile.name.flatten(),
            profile.locale.is_some(),
            profile.locale.flatten(),
            profile.metadata.is_some(),
            profile.metadata.map(|metadata| metadata.to_string()),
            profile.mfa.map(|mfa| mfa.to_json().to_string()),
            profile.phone.is_some(),
            phone,
            profile.disabled
        ),
        event::store::write(
            context,
            Event::new(EventType::UserUpdated, id.as_str()).user(Some(id.as_str())),
            When::User(id.as_str(), &stamp),
        ),
    ];
    if let Some(mfa) = profile.mfa {
        let event = Event::new(EventType::UserMfaChanged, id.as_str()).user(Some(id.as_str())).data(mfa.to_json());
        batch.push(event::store::write(context, event, When::User(id.as_str(), &stamp)));
    }
    if let Some(disabled) = profile.disabled {
        let kind = if disabled { EventType::UserDisabled } else { EventType::UserEnabled };
        let event = Event::new(kind, id.as_str()).user(Some(id.as_str()));
        batch.push(event::store::write(context, event, When::User(id.as_str(), &stamp)));
        if disabled {
            batch.extend(end::with(context, id, On::User, &stamp, None, Reason::Disabled));
        }
    }
    batch.extend([statement!(store::TAKEN, external_id, normalised, id, phone), read(context, id)]);
    let answer = context.decide(batch).await?;
    let [.., taken, user] = answer.as_slice() else {
        return Err(DatabaseError::Other("a batch answered too little".to_owned()));
    };
    match user.first() {
        None => Ok(Changed::NotFound),
        Some(row) if row.opt_text("stamp") == Some(stamp.as_str()) => {
            Ok(Changed::Done(Box::new(User::read(row)?), false))
        }
        Some(_) => Ok(Changed::Taken(taken_field(taken.first()))),
    }
}

fn taken_field(row: Option<&Row>) -> &'static str {
    let is_taken = |column| row.is_some_and(|row| row.flag(column));
    match (is_taken("external_id_taken"), is_taken("phone_taken")) {
        (true, _) => "external_id",
        (false, true) => "phone",
        (false, false) => "email",
    }
}

/// Deletes a user with factors and challenges, and erases their numbers from messages. `false`: no such user.
pub async fn delete(context: &Context, id: &UserId) -> Result<bool, DatabaseError> {
    let stamp = context.stamp();
    let event = Event::new(EventType::UserDeleted, id.as_str()).user(Some(id.as_str()));
    let [open, open_everywhere] = limit::lockout::open(id.as_str(), None);
    let batch = vec![
        statement!(store::STAMP, id, stamp.as_str()),
        event::store::write(context, event, When::User(id.as_str(), &stamp)),
        limit::store::unlock(id.as_str()),
        read(context, id),
        open,
        open_everywhere,
        statement!(store::ERASE_CHALLENGES, id),
        statement!(store::ERASE_NUMBERS, id),
        statement!(store::ERASE_MESSAGES, id),
        statement!(store::ERASE_EVENTS, id),
        statement!(store::DELETE, id),
    ];
    let answer = context.decide(batch).await?;
    Ok(answer.get(3).is_some_and(|rows| !rows.is_empty()))
}

/// Clears a user's failures, of second factors and of passwords.
pub async fn unlock(context: &Context, id: &UserId) -> Result<Option<User>, DatabaseError> {
    let stamp = context.stamp();
    let event = Event::new(EventType::UserUnlocked, id.as_str()).user(Some(id.as_str()));
    let [open, open_everywhere] = limit::lockout::open(id.as_str(), None);
    let batch = vec![
        statement!(store::STAMP, id, stamp.as_str()),
        limit::store::unlock(id.as_str()),
        open,
        open_everywhere,
        event::store::write(context, event, When::User(id.as_str(), &stamp)),
        read(context, id),
    ];
    let answer = context.decide(batch).await?;
    answer.last().and_then(|rows| rows.first()).map(User::read).transpose()
}

/// Reads a user.
pub async fn get(context: &Context, id: &UserId) -> Result<Option<User>, DatabaseError> {
    let answer = context.decide(vec![read(context, id)]).await?;
    answer.first().and_then(|rows| rows.first()).map(User::read).transpose()
}

/// The statement that reads a user.
pub(crate) fn read(context: &Context, id: &UserId) -> Statement {
    statement!(store::GET, context.settings().limit(limit::SECOND_FACTOR_FAILURES), context.now().millis(), id)
}

/// How to find users.
pub enum Find {
    /// All.
    All,
    /// By address.
    Email(EmailAddress),
    /// By the customer's own id.
    ExternalId(String),
    /// By phone: the one to sign in with, or a proven factor.
    Phone(String),
}

/// Finds users, newest first, with ids below `before`.
pub async fn find(context: &Context, find: Find, before: &str, limit: i64) -> Result<Vec<User>, DatabaseError> {
    let (sql, value) = match find {
        Find::All => (store::LIST, None),
        Find::Email(email) => (store::LIST_BY_EMAIL, Some(email.as_str().to_owned())),
        Find::ExternalId(id) => (store::LIST_BY_EXTERNAL_ID, Some(id)),
        Find::Phone(number) => (store::LIST_BY_PHONE, Some(number)),
    };
    let failures = context.settings().limit(limit::SECOND_FACTOR_FAILURES);
    let mut params: Vec<Param> = vec![failures.into(), context.now().millis().into(), before.into(), limit.into()];
    params.extend(value.map(Param::from));
    let answer = context.decide(vec![Statement::new(sql, params)]).await?;
    answer.first().map(Vec::as_slice).unwrap_or_default().iter().map(User::read).collect()
}
