//! `GET /health`: does it work, and if not, what is to be done.

use std::time::Duration;

use serde_json::{Value, json};

use super::Run;
use crate::{
    http::{
        Incoming, Reply,
        contract::{Gives, Operation, operation, shapes},
        reply::Answer,
    },
    ports::DatabaseError,
    settings::{load, schema_is_current},
};

pub(super) const ROUTES: &[(Operation, Run)] = &[(
    Operation {
        or_status: Some((503, "A check fails; it names the variable or the command")),
        gives: Gives::One("Health", shapes::HEALTH),
        ..operation("GET", "/health", "getHealth", "Public", "Health of the deployment")
    },
    Run::Open(|incoming| Box::pin(get(incoming))),
)];

async fn get(incoming: Incoming) -> Answer {
    let app = &incoming.app;
    let configuration = app.config.issues();
    let configuration = match configuration {
        [] => Ok(()),
        issues => Err(issues.iter().map(|issue| issue.detail.as_str()).collect::<Vec<_>>().join("; ")),
    };
    let database = match incoming.round_trips.batch(&app.ports, load(None)).await {
        Ok(answer) => schema_is_current(answer.first().map(Vec::as_slice).unwrap_or_default()),
        Err(error) => Err(error),
    };
    let place = if app.config.is_production() { "--remote" } else { "--local" };
    let database = database.map_err(|error| match error {
        DatabaseError::Unmigrated(_) => {
            format!("D1 is not migrated: run `npx wrangler d1 migrations apply DB {place}`")
        }
        _ => "D1 does not answer: check the binding DB".to_owned(),
    });
    let cache = app.ports.cache.get("health").await;
    let cache = cache.map(|_| ()).map_err(|_| "KV does not answer: check the binding KV".to_owned());
    let good = configuration.is_ok() && database.is_ok() && cache.is_ok();
    let body = json!({
        "status": if good { "ok" } else { "failed" },
        "version": env!("CARGO_PKG_VERSION"),
        "checks": {"configuration": check(configuration), "database": check(database), "cache": check(cache)},
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
