//! Cancels a challenge, and reads one.

use super::{Challenge, Status, store};
use crate::{
    context::Context,
    event::{self, Event, EventType, When},
    ids::ChallengeId,
    message::feedback,
    ports::DatabaseError,
    statement,
};

/// Reads a challenge. Reading neither sends nor kills a code.
pub async fn get(context: &Context, id: &ChallengeId) -> Result<Option<Challenge>, DatabaseError> {
    let answer = context.decide(vec![store::get(context, id)]).await?;
    answer.first().and_then(|rows| rows.first()).map(Challenge::read).transpose()
}

/// What canceling came to.
#[derive(Debug)]
pub enum Canceled {
    /// It is over: canceled now or before, or dead or expired before.
    Done(Box<Challenge>),
    /// It was verified before.
    AlreadyVerified,
    /// There is no such challenge.
    NotFound,
}

/// Cancels a challenge: no code of it works any more. Doing it twice is the same.
pub async fn cancel(context: &Context, id: &ChallengeId) -> Result<Canceled, DatabaseError> {
    let stamp = context.stamp();
    let is_test = context.credential().is_test;
    let event = Event::new(EventType::ChallengeCanceled, id.as_str());
    let batch = vec![
        statement!(store::CANCEL, id, stamp.as_str(), context.now().millis(), is_test, context.bond()),
        event::store::write(context, event, When::Challenge(id.as_str(), &stamp)),
        store::get(context, id),
    ];
    let answer = context.decide(batch).await?;
    let Some(row) = answer.last().and_then(|rows| rows.first()) else { return Ok(Canceled::NotFound) };
    feedback::tell(context, row, &stamp, feedback::Event::Canceled);
    let challenge = Challenge::read(row)?;
    Ok(match challenge.status(context.now()) {
        Status::Verified => Canceled::AlreadyVerified,
        _ => Canceled::Done(Box::new(challenge)),
    })
}
