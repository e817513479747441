//! Sends an SMS once more, with the same code, by the next driver of its route: when it was reported failed, or when no
//! receipt came where receipts normally come. Once, while its challenge is open, and only with room in every limit. Where no
//! driver is left a call tells the code, once too, if the settings want it (`docs/decisions/0049`).
//! `docs/decisions/0037` says what is counted as normal.

mod ready;
pub mod store;

use std::{sync::Arc, time::Duration};

use self::ready::{Ready, ready};
use super::{
    drivers::Outcome,
    failover::carry,
    point,
    send::{TRY_TIMEOUT, one_more},
};
use crate::{
    api_key::Credential,
    context::{App, Context, Parts, RoundTrips},
    ids::{MessageId, RequestId},
    limit,
    ports::{DatabaseError, Level, Statement},
    settings::{Snapshot, load},
};

/// How many statements of the 50 of a minute's run go into sending.
const STATEMENTS: usize = 32;
/// What a message takes beside what begins it: the guard of the settings, and writing down what became of it.
const BESIDE: usize = 5;
/// No code lives longer.
const LONGEST_CODE: Duration = Duration::from_mins(15);

/// After the response of a receipt that says `failed`.
pub fn after_receipt(app: &App, message: &MessageId) {
    let (later, message) = (app.clone(), message.clone());
    app.ports.after.later(Box::pin(async move {
        if let Err(error) = failed(&later, &message).await {
            later.ports.log.line(Level::Error, &format!("{message} could not go out once more: {error}"));
        }
    }));
}

async fn failed(app: &App, message: &MessageId) -> Result<(), DatabaseError> {
    for attempt in 0..2 {
        let snapshot = app.cache.get().filter(|_| attempt == 0);
        let Some(context) = context(app, snapshot).await? else { return Ok(()) };
        let Some(fallback) = context.settings().delivery.fallback() else { return Ok(()) };
        let done = async {
            let answer = context.decide(vec![store::failed(message, context.now(), fallback.voice)]).await?;
            match answer.first().and_then(|rows| rows.first()) {
                Some(row) => match ready(&context, row)? {
                    Some(ready) => once_more(&context, &ready, store::begin(&context, &ready)).await.map(drop),
                    None => Ok(()),
                },
                None => Ok(()),
            }
        };
        match done.await {
            Err(DatabaseError::Stale) if attempt == 0 => app.cache.forget(),
            done => return done,
        }
    }
    Ok(())
}

/// A minute's run: sends what is due. What may not go out now, or is wrong itself, costs nobody else's turn: it goes behind
/// the others, and is asked for again while its code lives.
pub async fn run(app: &App) -> Result<(), DatabaseError> {
    let Some(context) = context(app, None).await? else { return Ok(()) };
    let Some(fallback) = context.settings().delivery.fallback() else { return Ok(()) };
    let now = context.now();
    let when = store::Times {
        now,
        older: now.before(fallback.after),
        oldest: now.before(LONGEST_CODE),
        calls: fallback.voice,
    };
    let answer = context.decide(vec![store::is_normal(when)]).await?;
    let Some(normal) = answer.first().and_then(|rows| store::normal(rows)) else { return Ok(()) };
    let answer = context.decide(vec![store::due(when, &normal, context.settings().limit(limit::SENDS))]).await?;
    let wrong = |id: &str, error| {
        app.ports.log.line(Level::Error, &format!("{id} could not go out once more: {error}"));
    };
    let (mut all, mut behind) = (Vec::new(), Vec::new());
    for row in answer.first().into_iter().flatten() {
        let id = row.text("id")?.to_owned();
        match ready(&context, row) {
            Ok(Some(ready)) => all.push(ready),
            Ok(None) => behind.push(id),
            Err(error) => {
                wrong(&id, error);
                behind.push(id);
            }
        }
    }
    // One statement tells who has no room: nobody of them is tried.
    let full = if all.is_empty() {
        Vec::new()
    } else {
        let checks: Vec<_> = all.iter().flat_map(|ready| &ready.checks).cloned().collect();
        context.decide(vec![limit::store::full(&checks, now)]).await?.into_iter().next().unwrap_or_default()
    };
    let mut left = STATEMENTS;
    for ready in all {
        let id = ready.of.to_string();
        if ready.checks.iter().any(|check| full.iter().any(|row| check.is_of(row))) {
            behind.push(id);
            continue;
        }
        if left == 0 {
            continue;
        }
        let begin = store::begin(&context, &ready);
        let Some(rest) = left.checked_sub(begin.len() + BESIDE) else {
            // The others keep their turn, for the next minute.
            left = 0;
            continue;
        };
        left = rest;
        match once_more(&context, &ready, begin).await {
            Ok(true) => {}
            // Another was quicker, or took the last room.
            Ok(false) => behind.push(id),
            Err(error) => {
                wrong(&id, error);
                behind.push(id);
            }
        }
    }
    if !behind.is_empty() {
        context.record(vec![store::behind(behind, now)]).await?;
    }
    Ok(())
}

/// Nobody's request, under the settings that are remembered, or as they are now. `None`: a secret is missing, and nothing is
/// sent.
pub(crate) async fn context(app: &App, snapshot: Option<Arc<Snapshot>>) -> Result<Option<Context>, DatabaseError> {
    let Ok(secrets) = app.config.secrets() else { return Ok(None) };
    let round_trips = RoundTrips::default();
    let snapshot = if let Some(snapshot) = snapshot {
        snapshot
    } else {
        let answer = round_trips.batch(&app.ports, load(&app.config.binding_key_hash(), None)).await?;
        app.cache.put(Snapshot::read(&answer, None, &app.config)?)
    };
    let now = app.ports.clock.now();
    Ok(Some(Context::new(Parts {
        app: app.clone(),
        secrets: secrets.clone(),
        request_id: RequestId::new(now, &*app.ports.random),
        now,
        credential: Credential::without_scopes("fallback"),
        snapshot,
        round_trips,
        dev_tools: false,
    })))
}

/// Sends a message once more, or calls, if the database says so. Tells whether it did.
async fn once_more(context: &Context, ready: &Ready, begin: Vec<Statement>) -> Result<bool, DatabaseError> {
    let Ready { of, outgoing, again, checks, .. } = ready;
    let begun = context.decide(begin).await?;
    if begun.last().is_none_or(Vec::is_empty) {
        return Ok(false);
    }
    let Some(driver) = again else { return carry(context, outgoing, checks).await.map(|()| true) };
    let tried = one_more(context, outgoing, driver, &outgoing.try_id, TRY_TIMEOUT).await;
    point::asked(context, outgoing, &tried);
    let mut statements = store::ended(context, of, &tried);
    // It did not go out once more, for reasons that are not the person's.
    if matches!(tried.outcome, Outcome::Retryable(_) | Outcome::Misconfigured(_)) {
        statements.push(limit::store::refund(checks, context.ports().clock.now(), context.now()));
    }
    context.record(statements).await?;
    Ok(true)
}
