//! What the cron's minute does. Housekeeping has a run of its own, every fifth minute, since one run may make 50
//! statements on the free plan; the other minutes belong to what people wait for.

use crate::{
    context::App,
    housekeeping,
    ports::Level,
    time::Timestamp,
    webhook::{self, deliver::Begun},
};

/// How many minutes lie between two runs of housekeeping.
const HOUSEKEEPING_MINUTES: i64 = 5;

/// Runs the minute that was scheduled for this moment.
pub async fn run(app: &App, scheduled: Timestamp) {
    let done = if (scheduled.millis() / 60_000) % HOUSEKEEPING_MINUTES == 0 {
        ("housekeeping", housekeeping::run(app).await)
    } else {
        // The place of what comes: messages that nobody reported delivered.
        ("webhooks", webhook::deliver::run(app, Begun::Cron).await.map(drop))
    };
    if let (name, Err(error)) = done {
        app.ports.log.line(Level::Error, &format!("{name} failed: {error}"));
    }
}
