//! Makes, changes, deletes and lists apps.

use serde_json::{Value, json};

use super::{App, AppType, Details, Members, Misfit, RedirectUri, origin::Origin, secret, store};
use crate::{
    api_key::Scope,
    context::Context,
    crypto::token_hash,
    event::{self, Event, EventType, When},
    idempotency::{Claim, Reservation},
    ids::{AppId, AppSecretId},
    ports::{DatabaseError, Row, Rows, Statement},
    secret::Secret,
    statement,
};

/// What making an app, or a secret of one, came to.
pub enum Made {
    /// The app, and its secret the first time, where its type has one.
    Done(Box<App>, Option<Secret>),
    /// An earlier call with the same key made it.
    Replayed(Box<App>),
    /// There is no such app; an earlier call may have made it, and it was deleted since.
    NotFound,
    /// An app of this type has no secret.
    NoSecret,
    /// The app may do what the calling key may not, or the key is a test key and the app a machine.
    GrantsMore,
    /// The call's key is another call's.
    Claimed(Claim),
}

/// What changing an app came to.
pub enum Updated {
    /// The app as it is now.
    Done(Box<App>),
    /// There is no such app.
    NotFound,
    /// An app of its type cannot have this.
    Misfit(Misfit),
}

/// Makes an app of a type that can have what is said of it; the caller has checked that it grants no scope it lacks.
pub async fn create(
    context: &Context,
    kind: AppType,
    details: Details,
    key: Option<Reservation>,
) -> Result<Made, DatabaseError> {
    let (now, stamp) = (context.now(), context.stamp());
    let random = &*context.ports().random;
    let id = AppId::new(now, random);
    let key = key.as_ref();
    let stored = |object: &Option<Members>| match object {
        Some(Members::These(members)) => {
            let set = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(set.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        Some(Members::Cleared) | None => json!({}),
    };
    let (mfa, tokens) = (stored(&details.mfa), stored(&details.tokens));
    let lists = Lists::of(&details);
    let event = Event::new(EventType::AppCreated, id.as_str())
        .app(Some(id.as_str()))
        .data(details.said(lists.said(json!({"type": kind.as_str(), "mfa": mfa, "tokens": tokens}))));
    let mut batch: Vec<Statement> = key.map(|key| key.reserve(id.as_str(), &stamp, now)).into_iter().collect();
    batch.push(statement!(
        store::CREATE,
        &id,
        now.millis(),
        details.name,
        stamp.as_str(),
        key.map(Reservation::key),
        mfa.to_string(),
        kind.as_str(),
        lists.redirect_uris.unwrap_or_else(none).to_string(),
        lists.origins.unwrap_or_else(none).to_string(),
        lists.scopes.unwrap_or_else(none).to_string(),
        tokens.to_string(),
        details.locale.as_ref().and_then(Option::as_deref),
        details.metadata.as_ref().unwrap_or(&json!({})).to_string()
    ));
    let speaks = details.locale.as_ref().is_some_and(Option::is_some);
    batch.extend(speaks.then(|| statement!(store::NEW_VERSION, &id, now.millis(), stamp.as_str())));
    let secret = kind.has_secret().then(|| secret::new(random));
    batch.extend(secret.as_ref().map(|secret| {
        statement!(
            store::FIRST_SECRET,
            &AppSecretId::new(now, random),
            &id,
            stamp.as_str(),
            token_hash(secret.expose()),
            secret::hint(secret),
            now.millis()
        )
    }));
    batch.push(event::store::write(context, event, When::App(id.as_str(), &stamp)));
    match finish(context, batch, &id, &stamp, key).await? {
        Ok(row) => Ok(Made::Done(Box::new(App::read(&row)?), secret)),
        Err(made) => Ok(made),
    }
}

/// Makes a further secret of an app; the one before it lives so many seconds more, and older ones are dead.
pub async fn rotate_secret(
    context: &Context,
    id: &AppId,
    keep_old_seconds: i64,
    key: Option<Reservation>,
) -> Result<Made, DatabaseError> {
    let (now, stamp) = (context.now(), context.stamp());
    let random = &*context.ports().random;
    let (secret, secret_id) = (secret::new(random), AppSecretId::new(now, random));
    let key = key.as_ref();
    let credential = context.credential();
    let scopes: Vec<&str> = credential.scopes.iter().map(|scope| scope.as_str()).collect();
    let event = Event::new(EventType::AppSecretRotated, secret_id.as_str())
        .app(Some(id.as_str()))
        .data(json!({"keep_old_seconds": keep_old_seconds}));
    let mut batch: Vec<Statement> = key.map(|key| key.reserve(id.as_str(), &stamp, now)).into_iter().collect();
    batch.extend([
        statement!(
            store::ROTATE,
            &secret_id,
            now.millis(),
            id,
            stamp.as_str(),
            key.map(Reservation::key),
            token_hash(secret.expose()),
            secret::hint(&secret),
            Value::from(scopes).to_string(),
            credential.is_test
        ),
        statement!(store::ROTATED, id, stamp.as_str(), now.millis(), &secret_id),
        statement!(store::END_OLD, &secret_id, id, stamp.as_str(), now.millis() + keep_old_seconds * 1000),
        statement!(store::DELETE_OLD, &secret_id, id, stamp.as_str(), now.millis()),
        event::store::write(context, event, When::App(id.as_str(), &stamp)),
    ]);
    let row = match finish(context, batch, id, &stamp, key).await? {
        Ok(row) => row,
        Err(made) => return Ok(made),
    };
    let app = App::read(&row)?;
    Ok(match app.kind.has_secret() {
        true if row.opt_text("stamp") == Some(stamp.as_str()) => Made::Done(Box::new(app), Some(secret)),
        true => Made::GrantsMore,
        false => Made::NoSecret,
    })
}

/// Runs a batch that makes something of an app, and gives the app's row; else what the call came to.
async fn finish(
    context: &Context,
    mut batch: Vec<Statement>,
    id: &AppId,
    stamp: &str,
    key: Option<&Reservation>,
) -> Result<Result<Row, Made>, DatabaseError> {
    if let Some(key) = key {
        batch.extend([key.release_unless_made(stamp), key.finish(stamp), key.look_up()]);
    }
    batch.push(statement!(store::GET, id));
    let mut answer = context.decide(batch).await?;
    if let Some(key) = key {
        let rows = answer.iter().rev().nth(1).map(Vec::as_slice).unwrap_or_default();
        match key.claim(rows, stamp, context.now())? {
            Claim::Mine => {}
            Claim::Replay(earlier) => {
                let answer = context.decide(vec![statement!(store::GET, earlier)]).await?;
                return Ok(Err(first(&answer)?.map_or(Made::NotFound, |app| Made::Replayed(Box::new(app)))));
            }
            claim => return Ok(Err(Made::Claimed(claim))),
        }
    }
    Ok(answer.pop().and_then(|mut rows| rows.pop()).ok_or(Made::NotFound))
}

/// Changes an app; what is not named stays. The caller has checked that it grants no scope it lacks.
pub async fn update(context: &Context, id: &AppId, details: Details) -> Result<Updated, DatabaseError> {
    let stamp = context.stamp();
    let change = |object: &Option<Members>| match object {
        None => (json!({}), false),
        Some(Members::These(members)) => (Value::Object(members.clone()), false),
        Some(Members::Cleared) => (json!({}), true),
    };
    let ((mfa, mfa_cleared), (tokens, tokens_cleared)) = (change(&details.mfa), change(&details.tokens));
    let lists = Lists::of(&details);
    let said = |value: &Value, cleared: bool| if cleared { Value::Null } else { value.clone() };
    let event = Event::new(EventType::AppUpdated, id.as_str()).app(Some(id.as_str())).data(
        details.said(lists.said(json!({"mfa": said(&mfa, mfa_cleared), "tokens": said(&tokens, tokens_cleared)}))),
    );
    let text = |list: Option<Value>| list.map(|list| list.to_string());
    let mut batch = vec![
        statement!(
            store::UPDATE,
            id,
            context.now().millis(),
            stamp.as_str(),
            details.name.as_deref(),
            mfa.to_string(),
            mfa_cleared,
            text(lists.redirect_uris),
            text(lists.origins),
            text(lists.scopes),
            tokens.to_string(),
            tokens_cleared,
            details.fitting(),
            details.locale.is_some(),
            details.locale.as_ref().and_then(Option::as_deref),
            details.metadata.as_ref().map(Value::to_string)
        ),
        event::store::write(context, event, When::App(id.as_str(), &stamp)),
    ];
    let now = context.now().millis();
    batch.extend(details.locale.is_some().then(|| statement!(store::NEW_VERSION, id, now, stamp.as_str())));
    batch.push(statement!(store::GET, id));
    let answer = context.decide(batch).await?;
    let Some(row) = answer.last().and_then(|rows| rows.first()) else { return Ok(Updated::NotFound) };
    let app = App::read(row)?;
    if row.opt_text("stamp") == Some(stamp.as_str()) {
        return Ok(Updated::Done(Box::new(app)));
    }
    let misfit = details.fit(app.kind).err();
    misfit.map(Updated::Misfit).ok_or_else(|| DatabaseError::Other("an app was not changed".to_owned()))
}

/// Deletes an app. Its challenges go on without it. `false`: there is no such app.
pub async fn delete(context: &Context, id: &AppId) -> Result<bool, DatabaseError> {
    let stamp = context.stamp();
    let event = Event::new(EventType::AppDeleted, id.as_str()).app(Some(id.as_str()));
    let batch = vec![
        statement!(store::STAMP, id, stamp.as_str()),
        event::store::write(context, event, When::App(id.as_str(), &stamp)),
        statement!(store::GET, id),
        statement!(store::LEAVE_CHALLENGES, id),
        statement!(store::DELETE, id),
    ];
    let answer = context.decide(batch).await?;
    Ok(answer.get(2).is_some_and(|rows| !rows.is_empty()))
}

/// Reads an app.
pub async fn get(context: &Context, id: &AppId) -> Result<Option<App>, DatabaseError> {
    first(&context.decide(vec![statement!(store::GET, id)]).await?)
}

/// Lists apps, newest first, with ids below `before`.
pub async fn list(context: &Context, before: &str, limit: i64) -> Result<Vec<App>, DatabaseError> {
    let answer = context.decide(vec![statement!(store::LIST, before, limit)]).await?;
    answer.first().map(Vec::as_slice).unwrap_or_default().iter().map(App::read).collect()
}

fn first(answer: &[Rows]) -> Result<Option<App>, DatabaseError> {
    answer.first().and_then(|rows| rows.first()).map(App::read).transpose()
}

/// The lists that are said of an app, as they are stored.
#[derive(Clone)]
struct Lists {
    redirect_uris: Option<Value>,
    origins: Option<Value>,
    scopes: Option<Value>,
}

impl Lists {
    fn of(details: &Details) -> Self {
        Self {
            redirect_uris: details.redirect_uris.as_ref().map(|list| list.iter().map(RedirectUri::as_str).collect()),
            origins: details.origins.as_ref().map(|list| list.iter().map(Origin::as_str).collect()),
            scopes: details.scopes.as_ref().map(|list| list.iter().map(|scope| Scope::as_str(*scope)).collect()),
        }
    }

    /// What an event says, with the lists that were given.
    fn said(&self, mut data: Value) -> Value {
        let lists = [("redirect_uris", &self.redirect_uris), ("origins", &self.origins), ("scopes", &self.scopes)];
        if let Some(data) = data.as_object_mut() {
            data.extend(lists.into_iter().filter_map(|(name, list)| Some((name.to_owned(), list.clone()?))));
        }
        data
    }
}

fn none() -> Value {
    Value::Array(Vec::new())
}
