//! What a person is told of what happened to their account.

use super::Owner;
use crate::{
    context::Context,
    event::{EventType, store},
    ports::{DatabaseError, Rows},
};

/// What concerns a person's own security.
pub const OWN: &[EventType] = &[
    EventType::SessionCreated,
    EventType::SessionSteppedUp,
    EventType::SessionEnded,
    EventType::ChallengeAnsweredWrongly,
    EventType::FactorActivated,
    EventType::FactorRenamed,
    EventType::FactorRemoved,
    EventType::PasskeyCounterRegressed,
    EventType::UserCreated,
    EventType::UserUpdated,
    EventType::UserEmailVerified,
    EventType::UserEmailChanged,
    EventType::UserPhoneChanged,
    EventType::UserUnlocked,
    EventType::MfaCompleted,
    EventType::DeviceCreated,
    EventType::DeviceRemoved,
];

/// A person's own events, newest first, with ids below `before`.
pub async fn list(context: &Context, owner: &Owner, before: &str, limit: i64) -> Result<Rows, DatabaseError> {
    let answer = context.decide(vec![store::list_own(owner.user.as_str(), OWN, before, limit)]).await?;
    Ok(answer.into_iter().next().unwrap_or_default())
}
