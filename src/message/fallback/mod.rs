//! Sends an SMS once more, with the same code, by the next driver of its route: when it was reported failed, or when no
//! receipt came where receipts normally come. Once, while its challenge is open, and only with room in every limit.
//! `docs/decisions/0037` says what is counted as normal.

pub mod store;

use std::{sync::Arc, time::Duration};

use super::{
    Channel, Content, Destination, Driver, Outgoing, Route,
    drivers::{Outcome, twilio, vonage_receipt},
    prepare,
    send::{TRY_TIMEOUT, one_more},
};
use crate::{
    api_key::Credential,
    challenge::sending::{CodeSource, checks},
    context::{App, Context, Parts, RoundTrips},
    crypto::CodeLength,
    ids::{ChallengeId, MessageId, RequestId, TryId, UserId},
    limit::{self, Check},
    ports::{DatabaseError, Level, Row},
    settings::{Snapshot, load},
    template::{Reader, Slug},
    time::Timestamp,
};

/// How many messages a minute's run tries to send once more: each takes up to ten statements of the 50 that a run may make.
const AT_ONCE: usize = 3;
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
        if context.settings().delivery.fallback().is_none() {
            return Ok(());
        }
        let done = async {
            let answer = context.decide(vec![store::failed(message, context.now())]).await?;
            match answer.first().and_then(|rows| rows.first()) {
                Some(row) => match ready(&context, row)? {
                    Some(ready) => once_more(&context, ready).await.map(drop),
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
    let when = store::Times { now, older: now.before(fallback.after), oldest: now.before(LONGEST_CODE) };
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
    let mut left = AT_ONCE;
    for ready in all {
        let id = ready.outgoing.id.to_string();
        if ready.checks.iter().any(|check| full.iter().any(|row| check.is_of(row))) {
            behind.push(id);
        } else if left > 0 {
            left -= 1;
            match once_more(&context, ready).await {
                Ok(true) => {}
                // Another was quicker, or took the last room.
                Ok(false) => behind.push(id),
                Err(error) => {
                    wrong(&id, error);
                    behind.push(id);
                }
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

/// A message that may go out once more, for all that can be told without the database.
struct Ready {
    outgoing: Outgoing,
    driver: Driver,
    mac: String,
    checks: Vec<Check>,
}

/// Makes a row ready. `None`: nobody may send it once more.
fn ready(context: &Context, row: &Row) -> Result<Option<Ready>, DatabaseError> {
    let malformed = || DatabaseError::Other("a stored message is malformed".to_owned());
    let id = MessageId::parse(row.text("id")?).ok_or_else(malformed)?;
    let challenge = ChallengeId::parse(row.text("challenge_id")?).ok_or_else(malformed)?;
    let (Some(destination), Some(template)) =
        (row.opt_text("destination").and_then(Destination::from_stored), Slug::parse(row.text("template")?))
    else {
        return Ok(None);
    };
    if is_final(row.text("errors")?) || prepare::admit(context, &destination, Channel::Sms).is_err() {
        return Ok(None);
    }
    let source = CodeSource {
        pepper_id: row.text("pepper_id")?,
        seed: row.text("seed")?,
        generation: row.int("generation")?,
        length: CodeLength::new(row.int("digits")?).ok_or_else(malformed)?,
    };
    let (code, mac) = source.code(context, &challenge, &destination)?;
    let lifetime = context.now().until(Timestamp::from_millis(row.int("code_expires_at")?));
    let text = |column| row.opt_text(column).map(str::to_owned);
    let reader = Reader { locale: text("user_locale"), name: text("user_name") };
    let content = Content { template, code, lifetime, locale: text("locale"), reader, app: text("app_id") };
    let Ok(mut outgoing) = prepare::prepare(context, destination.clone(), Channel::Sms, content) else {
        return Ok(None);
    };
    let Some(driver) = next(&outgoing.route, row.text("tried")?) else { return Ok(None) };
    outgoing.id = id;
    outgoing.try_id = TryId::new(context.now(), &*context.ports().random);
    outgoing.driver = driver.name();
    let user = row.opt_text("user_id").and_then(UserId::parse);
    let is_proven = row.opt_text("factor_id").is_some() && row.text("purpose")? != "enrolment";
    let mut checks = checks(context, user.as_ref(), &destination, Channel::Sms, is_proven);
    checks.extend(limit::senders(context, &destination, Channel::Sms, row.opt_text("app_id")));
    Ok(Some(Ready { outgoing, driver, mac, checks }))
}

/// Sends a message once more, if the database says so. Tells whether it did.
async fn once_more(context: &Context, ready: Ready) -> Result<bool, DatabaseError> {
    let Ready { outgoing, driver, mac, checks } = ready;
    let id = &outgoing.id;
    let begun = context.decide(store::begin(context, id, &driver, &outgoing.try_id, &mac, &checks)).await?;
    if begun.last().is_none_or(Vec::is_empty) {
        return Ok(false);
    }
    let tried = one_more(context, &outgoing, &driver, &outgoing.try_id, TRY_TIMEOUT).await;
    let mut statements = store::ended(context, id, &tried);
    // It did not go out once more, for reasons that are not the person's.
    if matches!(tried.outcome, Outcome::Retryable(_) | Outcome::Misconfigured(_)) {
        statements.push(limit::store::refund(&checks, context.ports().clock.now(), context.now()));
    }
    context.record(statements).await?;
    Ok(true)
}

/// The next driver of a route that was not asked yet.
fn next(route: &Route, tried: &str) -> Option<Driver> {
    let Route::Send(drivers) = route else { return None };
    let tried: Vec<String> = serde_json::from_str(tried).ok()?;
    drivers.iter().find(|driver| !tried.iter().any(|name| name == driver.name())).cloned()
}

/// Whether a carrier has said that this person gets nothing, or that it is fraud: then nobody else is asked.
fn is_final(errors: &str) -> bool {
    let errors: Vec<(String, String)> = serde_json::from_str(errors).unwrap_or_default();
    errors.iter().any(|(driver, code)| match driver.as_str() {
        "vonage" => vonage_receipt::is_final(code),
        _ => twilio::is_final(code),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_carrier_refuses_for_good_goes_to_nobody_else() {
        for (errors, wanted) in [
            ("[]", false),
            (r#"[["twilio",""]]"#, false),
            (r#"[["twilio","30003"]]"#, false),
            (r#"[["twilio","30008"]]"#, false),
            (r#"[["twilio","30007"]]"#, false),
            (r#"[["twilio","30005"]]"#, true),
            (r#"[["twilio","21610"]]"#, true),
            (r#"[["twilio","30450"]]"#, true),
            (r#"[["vonage","1"]]"#, false),
            (r#"[["vonage","6"]]"#, false),
            (r#"[["vonage","50"]]"#, false),
            (r#"[["vonage","3"]]"#, true),
            (r#"[["vonage","9"]]"#, true),
            (r#"[["vonage","2"],["twilio","30004"]]"#, true),
        ] {
            assert_eq!(is_final(errors), wanted, "{errors}");
        }
    }
}
