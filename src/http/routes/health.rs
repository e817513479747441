//! `GET /health`: does it work, and if not, what is to be done.

use std::time::Duration;

use serde_json::{Value, json};

use super::Run;
use crate::{
    config::{Issue, SmsDriver, Stops},
    http::{
        Incoming, Reply,
        contract::{Gives, Operation, operation, shapes},
        reply::Answer,
    },
    message::receipt,
    ports::DatabaseError,
    settings::{Delivery, Snapshot, load},
};

pub(super) const ROUTES: &[(Operation, Run)] = &[(
    Operation {
        description: "503 when a check fails; the check names the variable or the command.",
        gives: Gives::One("Health", shapes::HEALTH),
        also: &[503],
        ..operation("GET", "/health", "getHealth", "Public", "Health of the deployment")
    },
    Run::Open(|incoming| Box::pin(get(incoming))),
)];

async fn get(incoming: Incoming) -> Answer {
    let app = &incoming.app;
    let (read, cache) = (instance(&incoming).await, cache(&incoming).await);
    // What is wrong in effect; without the stored settings, what the variables alone lack.
    let (database, delivery, sms_stored) = match read {
        Ok(snapshot) => (Ok(()), snapshot.settings.delivery.clone(), snapshot.sms_stored),
        Err(detail) => (Err(detail), Delivery::effective(&Value::Null, &app.config), false),
    };
    let counts = |issue: &&Issue| issue.stops != Stops::Storing || !sms_stored;
    let issues: Vec<&str> = delivery.issues().iter().filter(counts).map(|issue| issue.detail.as_str()).collect();
    let configuration = if issues.is_empty() { Ok(()) } else { Err(issues.join("; ")) };
    let receipts = why_no_receipts(&delivery);
    let good = configuration.is_ok() && database.is_ok() && cache.is_ok();
    let body = json!({
        "status": if good { "ok" } else { "failed" },
        "version": env!("CARGO_PKG_VERSION"),
        "checks": {"configuration": check(configuration), "database": check(database), "cache": check(cache),
            "receipts": {"status": "ok", "detail": receipts}},
    });
    let reply = Reply::json(if good { 200 } else { 503 }, &body);
    Ok(if good { reply } else { reply.header("retry-after", Duration::from_secs(5).as_secs().to_string()) })
}

fn check(result: Result<(), String>) -> Value {
    match result {
        Ok(()) => json!({"status": "ok", "detail": null}),
        Err(detail) => json!({"status": "failed", "detail": detail}),
    }
}

/// Why carriers are asked for no receipts, though one sends; that fails nothing.
fn why_no_receipts(delivery: &Delivery) -> Option<&'static str> {
    let routed = delivery.sms("").unwrap_or_default();
    let mut drivers = routed.iter().chain(delivery.sms_driver());
    drivers.find_map(|driver| match (driver, delivery.callback_base()) {
        (SmsDriver::Null | SmsDriver::Webhook(_) | SmsDriver::TwilioVerify(_), _) => None,
        (_, None) => Some("no delivery receipts are asked for: PUBLIC_URL has to be https"),
        (SmsDriver::Twilio(twilio), _) if twilio.account().auth_token().is_none() => Some(
            "Twilio is asked for no delivery receipts: they are signed with the auth token, sms.twilio.auth_token or TWILIO_AUTH_TOKEN",
        ),
        (SmsDriver::Vonage(_), Some(base)) if !receipt::fits_vonage(base) => Some(
            "Vonage is asked for no delivery receipts: it takes addresses of 100 characters, and PUBLIC_URL may have 36 of them",
        ),
        (SmsDriver::Twilio(_) | SmsDriver::Vonage(_), Some(_)) => None,
    })
}

/// The instance as D1 has it; or what to do when it does not answer or is not migrated.
pub(super) async fn instance(incoming: &Incoming) -> Result<Snapshot, String> {
    let app = &incoming.app;
    let answer = incoming.round_trips.batch(&app.ports, load("", None)).await;
    let place = if app.config.is_production() { "--remote" } else { "--local" };
    let read = answer.and_then(|answer| Snapshot::read(&answer, None, &app.config));
    read.map_err(|error| match error {
        DatabaseError::Unmigrated(_) => {
            format!("D1 is not migrated: run `npx wrangler d1 migrations apply DB {place}`")
        }
        _ => "D1 does not answer: check the binding DB".to_owned(),
    })
}

/// Whether KV answers, or what to do.
pub(super) async fn cache(incoming: &Incoming) -> Result<(), String> {
    let answer = incoming.app.ports.cache.get("health").await;
    answer.map(|_| ()).map_err(|_| "KV does not answer: check the binding KV".to_owned())
}
