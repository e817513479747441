//! What the cron's minute does. Housekeeping has a run of its own, every fifth minute, and so have alerts, since one run may
//! make 50 statements on the free plan; the other minutes belong to what people wait for.

use crate::{
    alert,
    context::App,
    housekeeping,
    message::fallback,
    ports::{DatabaseError, Level},
    time::Timestamp,
    webhook::{self, deliver::Begun},
};

/// How many minutes lie between two runs of housekeeping, and of alerts.
const MINUTES: i64 = 5;
/// Alerts run so many minutes after housekeeping, far from it on both sides.
const ALERTS: i64 = 3;

/// Runs the minute that was scheduled for this moment.
pub async fn run(app: &App, scheduled: Timestamp) {
    match (scheduled.millis() / 60_000) % MINUTES {
        0 => report(app, "housekeeping", housekeeping::run(app).await),
        ALERTS => report(app, "alerts", alert::run(app).await),
        _ => {
            // A code lives five minutes: messages first.
            report(app, "fallback", fallback::run(app).await);
            report(app, "webhooks", webhook::deliver::run(app, Begun::Cron).await.map(drop));
        }
    }
}

fn report(app: &App, what: &str, done: Result<(), DatabaseError>) {
    if let Err(error) = done {
        app.ports.log.line(Level::Error, &format!("{what} failed: {error}"));
    }
}
