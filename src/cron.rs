//! What the cron's minute does. Housekeeping has a run of its own, every fifth minute, since one run may make 50
//! statements on the free plan; the other minutes belong to what people wait for.

use crate::{
    context::App,
    housekeeping,
    message::fallback,
    ports::{DatabaseError, Level},
    time::Timestamp,
    webhook::{self, deliver::Begun},
};

/// How many minutes lie between two runs of housekeeping.
const HOUSEKEEPING_MINUTES: i64 = 5;

/// Runs the minute that was scheduled for this moment.
pub async fn run(app: &App, scheduled: Timestamp) {
    if (scheduled.millis() / 60_000) % HOUSEKEEPING_MINUTES == 0 {
        report(app, "housekeeping", housekeeping::run(app).await);
    } else {
        // A code lives five minutes: messages first.
        report(app, "fallback", fallback::run(app).await);
        report(app, "webhooks", webhook::deliver::run(app, Begun::Cron).await.map(drop));
    }
}

fn report(app: &App, what: &str, done: Result<(), DatabaseError>) {
    if let Err(error) = done {
        app.ports.log.line(Level::Error, &format!("{what} failed: {error}"));
    }
}
