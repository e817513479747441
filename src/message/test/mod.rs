//! A message that an operator sends to try the settings: a text without any code, the whole way of every other message. A
//! row first, every limit of its destination, the receivers outside `prod`; what became of each try is the answer.

pub mod store;

use super::{Destination, Message, Outgoing, Refused, Route, Try, failover, prepare};
use crate::{
    challenge::sending::checks,
    context::Context,
    fraud::{Blocked, Guard},
    idempotency::{Claim, Reservation},
    limit::{self, Refusal},
    ports::{DatabaseError, Level, Row, Rows},
};

/// What trying came to.
pub enum Tested {
    /// The message and its tries, as they stand now.
    Done(Message, Vec<Try>),
    /// No message may go there.
    Refused(Refused),
    /// A limit has no room.
    Limited(Refusal),
    /// The fraud guard refuses it.
    Blocked(Blocked),
    /// The call happened before, and made this message.
    Replayed(String),
    /// Its `Idempotency-Key` is another call's.
    Claimed(Claim),
}

/// Sends a test message: by the route, or by one driver alone.
pub async fn send(
    context: &Context,
    destination: Destination,
    driver: Option<&str>,
    locale: Option<&str>,
    key: Option<&Reservation>,
) -> Result<Tested, DatabaseError> {
    let channel = destination.default_channel();
    let mut checks = checks(context, None, &destination, channel, false);
    checks.extend(limit::senders(context, &destination, channel, None));
    let outgoing = match prepare::test(context, destination, driver, locale) {
        Ok(outgoing) => outgoing,
        Err(refused) => return Ok(Tested::Refused(refused)),
    };
    let stamp = context.stamp();
    let answer = context.decide(store::queue(context, &outgoing, &checks, &stamp, key)).await?;
    let [.., claim, verdict, refusals, message, tries] = answer.as_slice() else {
        return Err(DatabaseError::Other("a batch answered too little".to_owned()));
    };
    match key.map(|key| key.claim(claim, &stamp, context.now())).transpose()? {
        None | Some(Claim::Mine) => {}
        Some(Claim::Replay(id)) => return Ok(Tested::Replayed(id)),
        Some(claim) => return Ok(Tested::Claimed(claim)),
    }
    let Some(row) = message.first() else {
        if let Some(blocked) = Guard::read(verdict, context.now()) {
            return Ok(Tested::Blocked(blocked));
        }
        let refusal = limit::store::read_refusals(refusals, context.now())?;
        let missing = || DatabaseError::Other("a message that was written is missing".to_owned());
        return refusal.map(Tested::Limited).ok_or_else(missing);
    };
    let Some(delivered) = deliver(context, &outgoing).await else {
        return Ok(done(row.clone(), tries));
    };
    let mut statements = super::store::ended(context, &outgoing, &delivered);
    if delivered.costs_nothing() {
        statements.push(limit::store::refund(&checks, context.ports().clock.now(), context.now()));
    }
    statements.extend(key.map(|key| key.finish(&stamp)));
    statements.extend(super::store::get(outgoing.id.as_str()));
    let mut answer = context.record(statements).await?;
    let (tries, message) = (answer.pop().unwrap_or_default(), answer.pop().unwrap_or_default());
    Ok(done(message.into_iter().next().unwrap_or_else(|| row.clone()), &tries))
}

async fn deliver(context: &Context, outgoing: &Outgoing) -> Option<failover::Delivered> {
    if matches!(outgoing.route, Route::Drop(_)) && context.dev_tools() {
        context.log(Level::Info, &format!("{} dropped, and would have said: {}", outgoing.id, outgoing.body));
    }
    failover::deliver(context, outgoing).await
}

fn done(message: Row, tries: &Rows) -> Tested {
    Tested::Done(Message::read(message), tries.iter().cloned().map(Try::read).collect())
}
