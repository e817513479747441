//! Ends sessions: one, all, all but one, by the person or the server, or with something else that ends them: a password
//! that changes, factors that are reset, a user who is shut out. Codes that wait to be exchanged end with them.

use serde_json::json;

use super::store;
use crate::{
    context::Context,
    event::{self, Event, EventType, Outcome, When},
    ids::{FactorId, SessionId, UserId},
    ports::{DatabaseError, Statement},
    statement, user,
};

/// Why sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The person has signed out.
    SignedOut,
    /// The server has ended it.
    Server,
    /// The password changed.
    PasswordChanged,
    /// The factors were reset.
    FactorsReset,
    /// The user is shut out.
    Disabled,
}

impl Reason {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Server => "server",
            Self::PasswordChanged => "password_changed",
            Self::FactorsReset => "factors_reset",
            Self::Disabled => "user_disabled",
        }
    }
}

/// What carries the stamp on which all of a user's sessions end.
#[derive(Clone, Copy)]
pub enum On<'a> {
    /// The user.
    User,
    /// This factor of theirs.
    Factor(&'a FactorId),
}

/// The statements that end a user's sessions in the batch of something else, on its stamp, but for the one that stays.
pub fn with(
    context: &Context,
    user: &UserId,
    on: On<'_>,
    stamp: &str,
    stays: Option<&SessionId>,
    reason: Reason,
) -> Vec<Statement> {
    let now = context.now().millis();
    let factor = match on {
        On::User => None,
        On::Factor(factor) => Some(factor),
    };
    let event = Event::new(EventType::SessionEnded, user.as_str())
        .user(Some(user.as_str()))
        .ended(Outcome::Success, Some(reason.as_str()))
        .data(json!({"all": true, "stays": stays.map(SessionId::as_str)}));
    vec![
        statement!(store::END_ALL, user, now, stamp, reason.as_str(), stays, factor),
        statement!(store::KILL_CODES, user, now, stamp, reason.as_str(), stays, factor),
        event::store::write(context, event, When::SessionsOver(user.as_str(), stamp)),
        statement!(store::DROP_ALL, user, stamp),
    ]
}

/// Ends one session of a user. `false`: they have no such live session.
pub async fn one(context: &Context, user: &UserId, id: &SessionId, reason: Reason) -> Result<bool, DatabaseError> {
    let (now, stamp) = (context.now().millis(), context.stamp());
    let (stamp, event) = (stamp.as_str(), Event::new(EventType::SessionEnded, ""));
    let event = event.ended(Outcome::Success, Some(reason.as_str()));
    let batch = vec![
        statement!(store::END, id, now, stamp, reason.as_str(), user),
        event::store::write(context, event, When::SessionOver(id.as_str(), stamp)),
        statement!(store::DROP, id, stamp),
        statement!(store::ENDED, id, stamp),
    ];
    let answer = context.decide(batch).await?;
    Ok(answer.last().and_then(|rows| rows.first()).is_some_and(|row| row.flag("ended")))
}

/// Ends all of a user's sessions, but for the one that stays. `false`: there is no such user.
pub async fn all(
    context: &Context,
    user: &UserId,
    stays: Option<&SessionId>,
    reason: Reason,
) -> Result<bool, DatabaseError> {
    let stamp = context.stamp();
    let mut batch = vec![statement!(user::store::STAMP, user, stamp.as_str())];
    batch.extend(with(context, user, On::User, &stamp, stays, reason));
    batch.push(statement!(crate::device::store::USER, user));
    let answer = context.decide(batch).await?;
    Ok(answer.last().is_some_and(|rows| !rows.is_empty()))
}
