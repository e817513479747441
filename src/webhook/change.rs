//! Makes, changes, deletes and lists endpoints. Each change raises the settings' version: every isolate knows at once what
//! is heard.

use serde_json::{Value, json};

use super::{Endpoint, MOST_ENDPOINTS, secret, store};
use crate::{
    context::Context,
    event::{self, Event, EventType, When},
    idempotency::{Claim, Reservation},
    ids::WebhookEndpointId,
    ports::{DatabaseError, Row, Statement},
    secret::Secret,
    statement,
};

/// What making an endpoint, or another secret of one, came to.
pub enum Made {
    /// The endpoint, and its secret the first time.
    Done(Box<Endpoint>, Option<Secret>),
    /// An earlier call with the same key made it.
    Replayed(Box<Endpoint>),
    /// There is no such endpoint; an earlier call may have made it, and it was deleted since.
    NotFound,
    /// There are as many as there may be.
    Full,
    /// The call's key is another call's.
    Claimed(Claim),
}

/// What changing an endpoint came to.
pub enum Changed {
    /// The endpoint as it is now.
    Done(Box<Endpoint>),
    /// There is no such endpoint.
    NotFound,
}

/// What is said of an endpoint. The caller has checked it.
#[derive(Clone, Default)]
pub struct Change {
    /// Where events go.
    pub url: Option<String>,
    /// What it hears.
    pub events: Option<Vec<String>>,
    /// What it is called; `Some(None)` clears it.
    pub description: Option<Option<String>>,
    /// Whether it hears anything.
    pub enabled: Option<bool>,
}

impl Change {
    /// What it hears, as it is stored.
    fn stored_events(&self) -> Option<String> {
        self.events.as_ref().map(|events| Value::from(events.clone()).to_string())
    }

    /// What an event says of it: not the URL, which may have a token in it.
    fn said(&self) -> Value {
        json!({"events": self.events, "enabled": self.enabled, "url_changed": self.url.is_some()})
    }
}

/// Makes an endpoint.
pub async fn create(context: &Context, change: Change, key: Option<Reservation>) -> Result<Made, DatabaseError> {
    let (now, stamp) = (context.now(), context.stamp());
    let id = WebhookEndpointId::new(now, &*context.ports().random);
    let (secret, sealed) = new_secret(context, id.as_str())?;
    let enabled = change.enabled.unwrap_or(true);
    let event = Event::new(EventType::WebhookEndpointCreated, id.as_str()).data(json!({"events": change.events}));
    let decide = statement!(
        store::CREATE,
        &id,
        now.millis(),
        change.url.as_deref(),
        stamp.as_str(),
        key.as_ref().map(Reservation::key),
        change.stored_events(),
        sealed,
        change.description.clone().flatten(),
        enabled,
        (!enabled).then_some("operator"),
        MOST_ENDPOINTS
    );
    made(context, decide, event, &id, &stamp, key.as_ref(), secret).await
}

/// Gives an endpoint another secret. The one before it signs too for so many seconds.
pub async fn rotate_secret(
    context: &Context,
    id: &WebhookEndpointId,
    keep_old_seconds: i64,
    key: Option<Reservation>,
) -> Result<Made, DatabaseError> {
    let (now, stamp) = (context.now(), context.stamp());
    let (secret, sealed) = new_secret(context, id.as_str())?;
    let until = now.millis() + keep_old_seconds * 1000;
    let event = Event::new(EventType::WebhookEndpointSecretRotated, id.as_str())
        .data(json!({"keep_old_seconds": keep_old_seconds}));
    let claim = key.as_ref().map(Reservation::key);
    let decide = statement!(store::ROTATE, id, now.millis(), sealed, stamp.as_str(), until, claim);
    made(context, decide, event, id, &stamp, key.as_ref(), secret).await
}

fn new_secret(context: &Context, id: &str) -> Result<(Secret, String), DatabaseError> {
    let random = &*context.ports().random;
    let secret = secret::new(random);
    let sealed = secret::seal(context.seal(), id, &secret, random);
    let sealed = sealed.ok_or_else(|| DatabaseError::Other("ENCRYPTION_KEYS lacks its current key".to_owned()))?;
    Ok((secret, sealed))
}

/// Runs the batch of a statement that makes an endpoint, or a secret of one.
async fn made(
    context: &Context,
    decide: Statement,
    event: Event,
    id: &WebhookEndpointId,
    stamp: &str,
    key: Option<&Reservation>,
    secret: Secret,
) -> Result<Made, DatabaseError> {
    let now = context.now();
    let mut batch: Vec<Statement> = key.map(|key| key.reserve(id.as_str(), stamp, now)).into_iter().collect();
    batch.extend([
        decide,
        event::store::write(context, event, When::WebhookEndpoint(id.as_str(), stamp)),
        store::new_version(id.as_str(), stamp, now),
    ]);
    if let Some(key) = key {
        batch.extend([key.release_unless_made(stamp), key.finish(stamp), key.look_up()]);
    }
    batch.push(statement!(store::GET, id));
    let is_new = batch.iter().any(|statement| statement.sql == store::CREATE);
    let mut answer = context.decide(batch).await?;
    if let Some(key) = key {
        let rows = answer.iter().rev().nth(1).map(Vec::as_slice).unwrap_or_default();
        match key.claim(rows, stamp, now)? {
            Claim::Mine => {}
            Claim::Replay(earlier) => {
                let answer = context.decide(vec![statement!(store::GET, earlier)]).await?;
                let row = answer.first().and_then(|rows| rows.first());
                return Ok(match row.map(Endpoint::read).transpose()? {
                    Some(endpoint) => Made::Replayed(Box::new(endpoint)),
                    None => Made::NotFound,
                });
            }
            claim => return Ok(Made::Claimed(claim)),
        }
    }
    let row = answer.pop().and_then(|mut rows| rows.pop());
    match row {
        Some(row) => Ok(Made::Done(Box::new(Endpoint::read(&row)?), Some(secret))),
        None if is_new => Ok(Made::Full),
        None => Ok(Made::NotFound),
    }
}

/// Changes an endpoint; what is not named stays. What one that is switched off was still to hear, it does not.
pub async fn update(context: &Context, id: &WebhookEndpointId, change: Change) -> Result<Changed, DatabaseError> {
    let (now, stamp) = (context.now(), context.stamp());
    let event = Event::new(EventType::WebhookEndpointUpdated, id.as_str()).data(change.said());
    let mut batch = vec![
        statement!(
            store::UPDATE,
            id,
            now.millis(),
            stamp.as_str(),
            change.url.as_deref(),
            change.stored_events(),
            change.description.clone().flatten(),
            change.description.is_some(),
            change.enabled
        ),
        event::store::write(context, event, When::WebhookEndpoint(id.as_str(), &stamp)),
        store::new_version(id.as_str(), &stamp, now),
    ];
    if change.enabled == Some(false) {
        batch.push(statement!(store::END_PENDING, id, stamp.as_str()));
    }
    batch.push(statement!(store::GET, id));
    let answer = context.decide(batch).await?;
    let row = answer.last().and_then(|rows| rows.first());
    Ok(match row.map(Endpoint::read).transpose()? {
        Some(endpoint) => Changed::Done(Box::new(endpoint)),
        None => Changed::NotFound,
    })
}

/// Deletes an endpoint with its deliveries. `false`: there is no such endpoint.
pub async fn delete(context: &Context, id: &WebhookEndpointId) -> Result<bool, DatabaseError> {
    let stamp = context.stamp();
    let event = Event::new(EventType::WebhookEndpointDeleted, id.as_str());
    let batch = vec![
        statement!(store::STAMP, id, stamp.as_str()),
        event::store::write(context, event, When::WebhookEndpoint(id.as_str(), &stamp)),
        store::new_version(id.as_str(), &stamp, context.now()),
        statement!(store::GET, id),
        statement!(store::DELETE, id, stamp.as_str()),
    ];
    let answer = context.decide(batch).await?;
    Ok(answer.get(3).is_some_and(|rows| !rows.is_empty()))
}

/// Reads an endpoint.
pub async fn get(context: &Context, id: &WebhookEndpointId) -> Result<Option<Endpoint>, DatabaseError> {
    let answer = context.decide(vec![statement!(store::GET, id)]).await?;
    answer.first().and_then(|rows| rows.first()).map(Endpoint::read).transpose()
}

/// Lists endpoints, newest first, with ids below `before`.
pub async fn list(context: &Context, before: &str, limit: i64) -> Result<Vec<Endpoint>, DatabaseError> {
    let answer = context.decide(vec![statement!(store::LIST, before, limit)]).await?;
    let rows: &[Row] = answer.first().map(Vec::as_slice).unwrap_or_default();
    rows.iter().map(Endpoint::read).collect()
}
