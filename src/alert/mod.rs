//! Alerts: what is wrong on this deployment, told once, told again while it lasts, and told when it is over. A run reads what
//! was counted (`store.rs`), asks each condition (`conditions.rs`), and one batch decides what is told: events for webhooks at
//! once, e-mails (`words.rs`) outside quiet times. `docs/alerts.md`.

mod conditions;
pub mod store;
mod words;

use std::time::Duration;

use serde_json::{Value, json};

pub use conditions::{Bounds, Firing, Window, cap_reached, conversion_drop, delivery_drop, driver_down, reached};

use crate::{
    context::{App, Context},
    ids::{EventId, MessageId, TryId},
    message::{
        Destination, Outgoing, Refused, Route, drivers::Outcome, failover, fallback, mail, prepare, store::ended,
    },
    ports::{DatabaseError, Level, Row, Rows},
    statement,
};

/// The template of an alert's e-mail, in its row.
const TEMPLATE: &str = "alert";
/// A code may still come back, and a report may still come.
const YOUNG: Duration = Duration::from_mins(10);
/// What three runs have not seen is over.
const OVER: Duration = Duration::from_mins(14);
const HOUR: i64 = 3_600_000;
/// How many drivers one e-mail is tried with: of 50 statements that a run may make, five e-mails take 30 then.
const DRIVERS: usize = 2;

/// Looks at everything once, and tells what there is to tell.
pub async fn run(app: &App) -> Result<(), DatabaseError> {
    let Some(context) = fallback::context(app, None).await? else { return Ok(()) };
    let context = context.acting_as("alerts");
    let firing = if context.settings().alerts.enabled { look(&context).await? } else { Vec::new() };
    let mails = mails(&context, !firing.is_empty());
    let (stamp, told) = tell(&context, firing, &mails).await?;
    let Some((title, body)) = told else { return Ok(()) };
    let mut is_told = false;
    for outgoing in mails {
        let (text, html) = mail::lay_out("en", &title, &body, None, None);
        let outgoing = Outgoing { subject: Some(title.clone()), body: text, html: Some(html), ..outgoing };
        let Some(delivered) = failover::deliver(&context, &outgoing).await else {
            // The null driver: nobody is asked.
            is_told = true;
            continue;
        };
        is_told |= matches!(delivered.verdict().outcome, Outcome::Accepted { .. });
        context.record(ended(&context, &outgoing, &delivered)).await?;
    }
    // One that may have come is sent again: better two than none.
    if !is_told {
        context.record(vec![statement!(store::TOLD_IN_VAIN, context.now().millis(), stamp)]).await?;
    }
    Ok(())
}

/// Reads what was counted, and gives what holds, as the statements want it.
async fn look(context: &Context) -> Result<Vec<Value>, DatabaseError> {
    let (settings, now) = (context.settings(), context.now());
    let alerts = &settings.alerts;
    let wanted = |condition: &str, bounds: Bounds| {
        (bounds.percent > 0)
            .then(|| json!({"condition": condition, "minimum": bounds.minimum, "left": 100 - bounds.percent}))
    };
    let drops = [("conversion_drop", alerts.conversion_drop), ("delivery_drop", alerts.delivery_drop)];
    let drops: Vec<Value> = drops.into_iter().filter_map(|(condition, bounds)| wanted(condition, bounds)).collect();
    let young = now.before(YOUNG);
    let answer = context
        .record(vec![
            statement!(store::DROPS, now.millis() / HOUR - 1, &MessageId::floor(young), Value::from(drops).to_string()),
            statement!(store::DRIVERS, &TryId::floor(young)),
            // Beyond twice the bound nobody needs to know how many.
            statement!(
                store::COUNTS,
                now.millis(),
                &EventId::floor(now.before(Duration::from_hours(1))),
                alerts.failures_per_hour.saturating_mul(2)
            ),
        ])
        .await?;
    let mut holding = Vec::new();
    for row in answer.iter().flatten() {
        let (condition, subject, total) = (row.text("condition")?, row.text("subject")?, row.int("total")?);
        let int = |column| row.opt_int(column).unwrap_or(0);
        let now = Window { all: total, good: int("good") };
        let before = Window { all: int("total_before"), good: int("good_before") };
        let firing = match condition {
            "conversion_drop" => conversion_drop(now, before, alerts.conversion_drop),
            "delivery_drop" => delivery_drop(now, before, alerts.delivery_drop),
            "driver_down" => driver_down(now, int("others"), row.flag("is_told"), alerts.driver_down),
            "sign_in_failures" => reached(total, alerts.failures_per_hour),
            _ => {
                let [hourly, daily] = alerts.spend;
                let fraud = &settings.fraud;
                let (bound, cap) = if subject == "hour" { (hourly, fraud.hourly) } else { (daily, fraud.daily) };
                let is_refusing = bound > 0 && row.flag("is_refusing");
                holding.extend(
                    cap_reached(total, cap.unwrap_or(0), is_refusing)
                        .map(|firing| held(condition, &format!("{subject}:cap"), firing)),
                );
                reached(total, bound)
            }
        };
        holding.extend(firing.map(|firing| held(condition, subject, firing)));
    }
    Ok(holding)
}

fn held(condition: &str, subject: &str, firing: Firing) -> Value {
    json!({"condition": condition, "subject": subject, "observed": firing.observed, "threshold": firing.threshold,
        "urgent": firing.urgent})
}

/// The e-mails that may have to be sent, without their words: one for each address.
fn mails(context: &Context, is_needed: bool) -> Vec<Outgoing> {
    let mut mails = Vec::new();
    for address in &context.settings().alerts.emails {
        match prepare::test(context, Destination::Email(address.clone()), None, None) {
            Ok(mut outgoing) => {
                if let Route::Send(drivers) = &mut outgoing.route {
                    drivers.truncate(DRIVERS);
                }
                mails.push(Outgoing { template: TEMPLATE, ..outgoing });
            }
            Err(refused) if is_needed => {
                let why = match &refused {
                    Refused::Misconfigured(issue) => issue.detail.as_str(),
                    _ => "the setting email.enabled is false",
                };
                context.log(Level::Error, &format!("nobody is told of alerts by e-mail: {why}"));
                break;
            }
            Err(_) => break,
        }
    }
    mails
}

/// Decides what is told, in one batch: of many runs at once one tells it. Gives the stamp of what was taken on, and what the
/// e-mails say, where there are any.
async fn tell(
    context: &Context,
    firing: Vec<Value>,
    mails: &[Outgoing],
) -> Result<(String, Option<(String, String)>), DatabaseError> {
    let (alerts, now, stamp) = (&context.settings().alerts, context.now(), context.stamp());
    let (is_quiet, repeat, over) = (alerts.is_quiet(now), alerts.repeat_minutes * 60_000, now.before(OVER).millis());
    let (firing, request, now) = (Value::from(firing).to_string(), context.request_id(), now.millis());
    let id = EventId::floor(context.now());
    let id = id.as_str().get(..EventId::PREFIX.len() + 10).unwrap_or_default();
    let mut batch = vec![
        statement!(store::KEEP, firing.as_str(), now, stamp.as_str(), repeat),
        statement!(store::EVENTS, id, request, over, stamp.as_str(), now),
    ];
    if !mails.is_empty() {
        let rows: Vec<Value> = mails.iter().map(row).collect();
        let rows = Value::from(rows).to_string();
        batch.extend([
            statement!(store::TELL, firing, now, stamp.as_str(), repeat, is_quiet),
            statement!(store::MAILS, rows.as_str(), now, stamp.as_str(), over, is_quiet),
            statement!(store::MAIL_TRIES, rows.as_str(), now),
            statement!(store::MAIL_EVENTS, rows, id, request, now),
        ]);
    }
    batch.push(statement!(store::END, over));
    let mut answer = context.decide(batch).await?;
    let mut ended: Rows = answer.pop().unwrap_or_default();
    // Whoever was never told that it began is not told that it is over.
    ended.retain(|row: &Row| row.opt_int("told_at").is_some() && !is_quiet);
    let told = answer.get(2).map(Vec::as_slice).unwrap_or_default();
    let is_something = !told.is_empty() || !ended.is_empty();
    let words = (is_something && !mails.is_empty())
        .then(|| words::write(&context.config().app_name, told, &ended))
        .transpose()?;
    Ok((stamp, words))
}

/// An e-mail, as the statements want it.
fn row(outgoing: &Outgoing) -> Value {
    let (status, reason) = outgoing.route.begins();
    json!({"id": outgoing.id.as_str(), "try": outgoing.try_id.as_str(), "to": outgoing.destination.as_str(),
        "instead": outgoing.redirected_to, "status": status.as_str(), "reason": reason, "driver": outgoing.driver})
}
