//! Reads a user's live sessions.

use super::{Session, store};
use crate::{
    context::Context,
    ids::{SessionId, UserId},
    ports::DatabaseError,
    statement,
};

/// A user's live sessions, newest first, with ids below `before`. `None`: there is no such user.
pub async fn list(
    context: &Context,
    user: &UserId,
    before: &str,
    limit: i64,
) -> Result<Option<Vec<Session>>, DatabaseError> {
    let now = context.now().millis();
    let user_known = statement!(crate::device::store::USER, user);
    let answer = context.decide(vec![user_known, statement!(store::LIST, user, now, before, limit)]).await?;
    let [users, sessions] = answer.as_slice() else { return Ok(None) };
    if users.is_empty() {
        return Ok(None);
    }
    sessions.iter().map(Session::read).collect::<Result<_, _>>().map(Some)
}

/// One live session of a user.
pub async fn get(context: &Context, user: &UserId, id: &SessionId) -> Result<Option<Session>, DatabaseError> {
    let answer = context.decide(vec![statement!(store::GET, id, context.now().millis(), user)]).await?;
    answer.first().and_then(|rows| rows.first()).map(Session::read).transpose()
}
