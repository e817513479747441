//! The drivers of a message's route, asked in turn until one takes it, within the time that a request's sending may take.
//! Each further try is a row before its carrier is asked (law 7); the caller records how it ended.

use std::{mem, time::Duration};

use super::{
    Driver, Outgoing, Route,
    drivers::{Outcome, twilio_verify},
    point,
    send::{TRY_TIMEOUT, Tried, one_more},
    store::{end_try, ended, next_try},
};
use crate::{
    context::Context,
    ids::TryId,
    limit::{self, Check},
    ports::{DatabaseError, Level},
    time::Timestamp,
};

/// How long all tries of a message may take together.
const BUDGET: Duration = Duration::from_secs(10);
/// In less nobody answers, and nobody is asked.
const LEAST: Duration = Duration::from_millis(500);

/// What became of a message whose drivers were asked.
pub struct Delivered {
    /// The last try; how it ended is not written down yet.
    last: Tried,
    /// An earlier one that may have gone out.
    unknown: Option<Tried>,
}

impl Delivered {
    /// The last try.
    pub fn last(&self) -> &Tried {
        &self.last
    }

    /// The try that says what became of the message: the one that was taken; else one that may have gone out, since its
    /// code has to live; else the last failure.
    pub fn verdict(&self) -> &Tried {
        match (&self.last.outcome, &self.unknown) {
            (Outcome::Accepted { .. }, _) | (_, None) => &self.last,
            (_, Some(unknown)) => unknown,
        }
    }

    /// Whether nothing went out, for reasons that are not the person's.
    pub fn costs_nothing(&self) -> bool {
        matches!(self.verdict().outcome, Outcome::Retryable(_) | Outcome::Misconfigured(_))
    }

    fn then(&mut self, tried: Tried) {
        let before = mem::replace(&mut self.last, tried);
        if self.unknown.is_none() && matches!(before.outcome, Outcome::Unknown(_)) {
            self.unknown = Some(before);
        }
    }
}

/// Asks the drivers of the message's route. `None`: it has none, it is dropped.
pub async fn deliver(context: &Context, outgoing: &Outgoing) -> Option<Delivered> {
    let Route::Send(drivers) = &outgoing.route else { return None };
    let (first, further) = drivers.split_first()?;
    let clock = &context.ports().clock;
    let until = clock.now() + BUDGET;
    let last = one_more(context, outgoing, first, &outgoing.try_id, TRY_TIMEOUT).await;
    let mut delivered = Delivered { last, unknown: None };
    for driver in further {
        if !moves_on(&delivered.last.outcome) || clock.now().until(until) < LEAST {
            break;
        }
        let Some(id) = begin(context, outgoing, &delivered.last, driver, clock.now()).await else { break };
        // Its row is there: it is asked, however long that took.
        let left = clock.now().until(until).clamp(LEAST, TRY_TIMEOUT);
        delivered.then(one_more(context, outgoing, driver, &id, left).await);
    }
    point::asked(context, outgoing, delivered.verdict());
    Some(delivered)
}

/// The same of a message that nobody waits for, with what became of it written down; what went out to nobody is given back.
pub async fn carry(context: &Context, outgoing: &Outgoing, checks: &[Check]) -> Result<(), DatabaseError> {
    let Some(delivered) = deliver(context, outgoing).await else { return Ok(()) };
    let mut statements = ended(context, outgoing, &delivered);
    if delivered.costs_nothing() {
        statements.push(limit::store::refund(checks, context.ports().clock.now(), context.now()));
    }
    context.record(statements).await.map(drop)
}

/// Whether another driver may do better. It may go out twice then, with the same code.
fn moves_on(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Retryable(_) | Outcome::Misconfigured(_) | Outcome::Unknown(_) => true,
        Outcome::RecipientRefused(why) => twilio_verify::is_its_own(&why.code),
        Outcome::Accepted { .. } | Outcome::FraudBlocked(_) => false,
    }
}

/// Writes down how the last try ended and that the next one begins, which the database may refuse. Whatever has happened
/// since the message was decided, nothing is asked that is not written down.
async fn begin(context: &Context, outgoing: &Outgoing, last: &Tried, driver: &Driver, now: Timestamp) -> Option<TryId> {
    let id = TryId::new(now, &*context.ports().random);
    let [next, reopen] = next_try(context, outgoing, driver, &id, now);
    match context.record(vec![end_try(last), next, reopen]).await {
        Ok(answer) => answer.get(1).is_some_and(|rows| !rows.is_empty()).then_some(id),
        Err(error) => {
            let line = format!("{} could not go on to {}: {error}", outgoing.id, driver.name());
            context.log(Level::Error, &line);
            None
        }
    }
}
