//! SQL of test messages.

use serde_json::json;

use crate::{
    context::Context,
    event::{self, Event, EventType, When},
    fraud::Guard,
    have_room,
    idempotency::Reservation,
    is_refused,
    limit::{self, Check},
    message::{
        Outgoing, Route,
        store::{self, queue::beside},
    },
    ports::Statement,
    statement,
};

/// Writes a test message down where every limit has room and the guard does not refuse. `?1` the limits, `?2` now, `?3` id, `?4` channel, `?5` template,
/// `?6` locale, `?7` destination, `?8` where it goes instead, `?9` country, `?10` cost class, `?11` encoding, `?12` segments,
/// `?13` status, `?14` reason, `?15` driver, `?16` stamp, `?17` idempotency key, `?18` cost.
const INSERT: &str = concat!(
    "INSERT INTO messages (id, channel, template, locale, destination, redirected_to, country, cost_class, encoding,
       segments, status, reason, driver, created_at, updated_at, stamp, cost)
     SELECT ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?2, ?2, ?16, ?18
     WHERE (?17 IS NULL OR EXISTS (SELECT 1 FROM idempotency_keys WHERE key = ?17 AND stamp = ?16)) AND NOT ",
    is_refused!("?16"),
    " AND ",
    have_room!()
);

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[INSERT];

/// The batch that writes it down. Its last four statements give the guard's verdict, the limits without room, the message and
/// its tries; the one before them whose call it is, where there is a key.
pub fn queue(
    context: &Context,
    outgoing: &Outgoing,
    checks: &[Check],
    stamp: &str,
    key: Option<&Reservation>,
) -> Vec<Statement> {
    let (id, now) = (outgoing.id.as_str(), context.now());
    let (status, reason) = outgoing.route.begins();
    let segments = outgoing.sms.map(|(_, segments)| segments);
    let mut statements: Vec<Statement> = key.map(|key| key.reserve(id, stamp, now)).into_iter().collect();
    // The block list and the caps hold for what carries no code too.
    if let Some(guard) = Guard::of(context, outgoing, None, None, false) {
        statements.extend(guard.judge(context, checks, key.map(Reservation::key), stamp));
    }
    statements.extend([statement!(
        INSERT,
        limit::store::parameter(checks),
        now.millis(),
        id,
        outgoing.channel.as_str(),
        outgoing.template,
        outgoing.locale.as_str(),
        outgoing.destination.as_str(),
        outgoing.redirected_to.as_deref(),
        outgoing.country.as_deref(),
        outgoing.cost_class,
        outgoing.sms.map(|(encoding, _)| encoding.as_str()),
        segments,
        status.as_str(),
        reason,
        outgoing.driver,
        stamp,
        key.map(Reservation::key),
        outgoing.signs.cost
    )]);
    statements.extend(beside(context, outgoing, checks));
    let data = json!({"driver": outgoing.driver, "template": outgoing.template, "country": outgoing.country,
        "segments": segments});
    let event = Event::new(EventType::of_message(outgoing.channel, status), id)
        .data(data)
        .ended(event::Outcome::Success, reason);
    statements.push(event::store::write(context, event, When::Message(id, status.as_str())));
    if let Some(key) = key {
        statements.push(key.release_unless_made(stamp));
        // What goes to nobody is done with this.
        statements.extend(matches!(outgoing.route, Route::Drop(_)).then(|| key.finish(stamp)));
        statements.push(key.look_up());
    }
    statements.push(Guard::verdict(stamp));
    // No challenge has this id: whatever is full now is told.
    statements.push(limit::store::refusals(checks, now, id, ""));
    statements.extend(store::get(id));
    statements
}
