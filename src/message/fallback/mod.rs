//! Sends an SMS once more, with the same code, by the next driver of its route: when it was reported failed, or when no
//! receipt came where receipts normally come. Once, while its challenge is open, and only with room in every limit.
//! `docs/decisions/0037` says what is counted as normal.

pub mod store;

use std::{sync::Arc, time::Duration};

use super::{
    Channel, Content, Destination, Driver, Route,
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
    limit,
    ports::{DatabaseError, Level, Row},
    settings::{Snapshot, load},
    template::{Reader, Slug},
    time::Timestamp,
};

/// How many messages a minute's run sends once more: each takes up to ten statements of the 50 that a run may make.
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
                Some(row) => once_more(&context, row).await.map(drop),
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

/// A minute's run: sends what is due, oldest first. What a limit refuses waits for the next minute.
pub async fn run(app: &App) -> Result<(), DatabaseError> {
    let Some(context) = context(app, None).await? else { return Ok(()) };
    let Some(fallback) = context.settings().delivery.fallback() else { return Ok(()) };
    let now = context.now();
    let when = store::Times { now, older: now.before(fallback.after), oldest: now.before(LONGEST_CODE) };
    let answer = context.decide(vec![store::is_normal(when)]).await?;
    let Some(normal) = answer.first().and_then(|rows| store::normal(rows)) else { return Ok(()) };
    let answer = context.decide(vec![store::due(when, &normal)]).await?;
    let mut left = AT_ONCE;
    for row in answer.into_iter().next().unwrap_or_default() {
        if left == 0 {
            break;
        }
        // What nobody may send once more costs no statement.
        if once_more(&context, &row).await? {
            left -= 1;
        }
    }
    Ok(())
}

/// Nobody's request, under the settings that are remembered, or as they are now. `None`: a secret is missing, and nothing is
/// sent.
async fn context(app: &App, snapshot: Option<Arc<Snapshot>>) -> Result<Option<Context>, DatabaseError> {
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

/// Sends a message once more, if it may. Tells whether the database was asked.
async fn once_more(context: &Context, row: &Row) -> Result<bool, DatabaseError> {
    let malformed = || DatabaseError::Other("a stored message is malformed".to_owned());
    let id = MessageId::parse(row.text("id")?).ok_or_else(malformed)?;
    let challenge = ChallengeId::parse(row.text("challenge_id")?).ok_or_else(malformed)?;
    let (Some(destination), Some(template)) =
        (row.opt_text("destination").and_then(Destination::from_stored), Slug::parse(row.text("template")?))
    else {
        return Ok(false);
    };
    if is_final(row.text("errors")?) || prepare::admit(context, &destination, Channel::Sms).is_err() {
        return Ok(false);
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
        return Ok(false);
    };
    let Some(driver) = next(&outgoing.route, row.text("tried")?) else { return Ok(false) };
    let now = context.now();
    outgoing.id = id.clone();
    outgoing.try_id = TryId::new(now, &*context.ports().random);
    outgoing.driver = driver.name();
    let user = row.opt_text("user_id").and_then(UserId::parse);
    let is_proven = row.opt_text("factor_id").is_some() && row.text("purpose")? != "enrolment";
    let checks = checks(context, user.as_ref(), &destination, Channel::Sms, is_proven);
    let begun = context.decide(store::begin(context, &id, &driver, &outgoing.try_id, &mac, &checks)).await?;
    if begun.last().is_none_or(Vec::is_empty) {
        return Ok(true);
    }
    let tried = one_more(context, &outgoing, &driver, &outgoing.try_id, TRY_TIMEOUT).await;
    let mut statements = store::ended(context, &id, &tried);
    // It did not go out once more, for reasons that are not the person's.
    if matches!(tried.outcome, Outcome::Retryable(_) | Outcome::Misconfigured(_)) {
        statements.push(limit::store::refund(&checks, context.ports().clock.now(), now));
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
