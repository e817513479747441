//! Makes, changes, deletes and lists apps.

use serde_json::{Map, Value, json};

use super::{App, store};
use crate::{
    context::Context,
    event::{self, Event, EventType, When},
    idempotency::{Claim, Reservation},
    ids::AppId,
    ports::{DatabaseError, Rows, Statement},
    statement,
};

/// What making an app came to.
pub enum Made {
    /// The app; `true` when an earlier call with the same key made it.
    Done(App, bool),
    /// An earlier call made it, and it was deleted since.
    NotFound,
    /// The call's key is another call's.
    Claimed(Claim),
}

/// What is changed of an app's own rule.
pub enum RuleChange {
    /// These members; one that is null is cleared.
    Members(Map<String, Value>),
    /// It uses the instance's rule again.
    Clear,
}

/// Makes an app.
pub async fn create(
    context: &Context,
    name: &str,
    mfa: Map<String, Value>,
    key: Option<Reservation>,
) -> Result<Made, DatabaseError> {
    let (now, stamp) = (context.now(), context.stamp());
    let id = AppId::new(now, &*context.ports().random);
    let key = key.as_ref();
    let mfa: Map<String, Value> = mfa.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let event = Event::new(EventType::AppCreated, id.as_str()).app(Some(id.as_str())).data(json!({"mfa": mfa}));
    let mut batch: Vec<Statement> = key.map(|key| key.reserve(id.as_str(), &stamp, now)).into_iter().collect();
    batch.push(statement!(
        store::CREATE,
        &id,
        now.millis(),
        name,
        stamp.as_str(),
        key.map(Reservation::key),
        Value::Object(mfa).to_string()
    ));
    batch.push(event::store::write(context, event, When::App(id.as_str(), &stamp)));
    if let Some(key) = key {
        batch.extend([key.release_unless_made(&stamp), key.finish(&stamp), key.look_up()]);
    }
    batch.push(statement!(store::GET, &id));
    let answer = context.decide(batch).await?;
    if let Some(key) = key {
        let rows = answer.iter().rev().nth(1).map(Vec::as_slice).unwrap_or_default();
        match key.claim(rows, &stamp, now)? {
            Claim::Mine => {}
            Claim::Replay(earlier) => {
                let answer = context.decide(vec![statement!(store::GET, earlier)]).await?;
                return Ok(first(&answer)?.map_or(Made::NotFound, |app| Made::Done(app, true)));
            }
            claim => return Ok(Made::Claimed(claim)),
        }
    }
    let made = first(answer.get(answer.len().saturating_sub(1)..).unwrap_or_default())?;
    made.map(|app| Made::Done(app, false))
        .ok_or_else(|| DatabaseError::Other("an app that was made is missing".to_owned()))
}

/// Changes an app; what is not named stays. `None`: there is no such app.
pub async fn update(
    context: &Context,
    id: &AppId,
    name: Option<&str>,
    mfa: Option<RuleChange>,
) -> Result<Option<App>, DatabaseError> {
    let stamp = context.stamp();
    let mut batch = Vec::new();
    let (changed, members) = match mfa {
        None => (Value::Object(Map::new()), Map::new()),
        Some(RuleChange::Members(members)) => (Value::Object(members.clone()), members),
        Some(RuleChange::Clear) => {
            batch.push(statement!(store::CLEAR_RULE, id));
            (Value::Null, Map::new())
        }
    };
    let event = Event::new(EventType::AppUpdated, id.as_str()).app(Some(id.as_str())).data(json!({"mfa": changed}));
    batch.extend([
        statement!(store::UPDATE, id, context.now().millis(), stamp.as_str(), name, Value::Object(members).to_string()),
        event::store::write(context, event, When::App(id.as_str(), &stamp)),
        statement!(store::GET, id),
    ]);
    let answer = context.decide(batch).await?;
    first(answer.get(answer.len().saturating_sub(1)..).unwrap_or_default())
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
