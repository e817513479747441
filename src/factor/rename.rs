//! Gives a factor another name: what its person calls it proves nothing, and needs no proof.

use super::{Factor, store};
use crate::{
    context::Context,
    event::{self, Event, EventType, When},
    ids::{FactorId, UserId},
    ports::DatabaseError,
    statement,
};

/// Names a factor, or takes its name away: one round trip. `None`: the user has no such factor.
pub async fn rename(
    context: &Context,
    user: &UserId,
    factor: &FactorId,
    name: Option<&str>,
) -> Result<Option<Factor>, DatabaseError> {
    let stamp = context.stamp();
    let event = Event::new(EventType::FactorRenamed, factor.as_str()).user(Some(user.as_str()));
    let batch = vec![
        statement!(store::RENAME, factor, user, stamp.as_str(), name),
        event::store::write(context, event, When::Factor(factor.as_str(), &stamp)),
        statement!(store::GET, factor, user),
    ];
    let answer = context.decide(batch).await?;
    answer.last().and_then(|rows| rows.first()).map(Factor::read).transpose()
}
