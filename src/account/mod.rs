//! The signed-in person's own account: what they change with a fresh proof (law 6), and how they prove again who they are.
//! Everything here runs in a context that is bound to their session, so that a proof of another session counts for nothing.

pub mod events;
pub mod identifier;
pub mod standing;
pub mod step_up;

use crate::{
    context::Context,
    flow::FlowError,
    ids::{SessionId, UserId},
    policy::Acr,
    session::GrantError,
};

/// Whose account it is, and in which session they ask.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The person.
    pub user: UserId,
    /// Their session.
    pub session: SessionId,
}

impl Owner {
    /// The person on whose behalf a context is; `None`: it is nobody's session.
    pub fn of(context: &Context) -> Option<Self> {
        Some(Self { user: UserId::parse(context.actor())?, session: SessionId::parse(context.bond()?)? })
    }
}

/// Why something is not done. Nothing was changed.
#[derive(Debug)]
pub enum AccountError {
    /// A fresh proof of this strength is needed, of this session, not used before.
    StepUp(Acr),
    /// Somebody has the address or number.
    Taken,
    /// No tokens can be made.
    Grant(GrantError),
    /// As in a flow.
    Refused(FlowError),
}

impl From<GrantError> for AccountError {
    fn from(error: GrantError) -> Self {
        Self::Grant(error)
    }
}

impl<E: Into<FlowError>> From<E> for AccountError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}
