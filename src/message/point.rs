//! The points of analytics: what a message has come to, when its carriers were asked, and when one of them reports later.
//! What goes to nobody, by test keys and to test numbers, has none.

use super::{Outgoing, send::Tried, store::status_of};
use crate::{
    context::Context,
    message::Status,
    ports::{Point, Ports, Rows},
};

/// What a report's statement gives of the message that it has moved, as [`reported`] reads it. `?2` is the driver.
#[macro_export]
macro_rules! point_of_report {
    () => {
        "RETURNING status AS came_to, channel, country, ?2 AS driver, template, app_id,
           updated_at - created_at AS took"
    };
}

/// The carriers of a message were asked, and this is what came of it.
pub fn asked(context: &Context, outgoing: &Outgoing, tried: &Tried) {
    let (country, status) = (outgoing.country.as_deref().unwrap_or_default(), status_of(&tried.outcome));
    let parts = outgoing.sms.map_or(0, |(_, parts)| parts);
    let (cost, segments) = match status {
        // What no carrier took costs nothing.
        Status::Failed => (0, 0),
        _ => (outgoing.signs.cost, parts),
    };
    context.ports().analytics.write(&Point {
        channel: outgoing.channel.as_str(),
        country,
        driver: tried.driver,
        template: outgoing.template,
        app: outgoing.app.as_deref().unwrap_or_default(),
        status: status.as_str(),
        cost,
        latency_ms: tried.latency_ms,
        segments: i64::from(segments),
    });
}

/// A carrier has reported that a message has arrived, or has not.
pub fn reported(ports: &Ports, answer: &[Rows]) {
    for row in answer.iter().flatten() {
        let text = |column| row.opt_text(column).unwrap_or_default();
        let status = text("came_to");
        if status == Status::Delivered.as_str() || status == Status::Failed.as_str() {
            ports.analytics.write(&Point {
                channel: text("channel"),
                country: text("country"),
                driver: text("driver"),
                template: text("template"),
                app: text("app_id"),
                status,
                cost: 0,
                latency_ms: row.opt_int("took").unwrap_or_default(),
                segments: 0,
            });
        }
    }
}
