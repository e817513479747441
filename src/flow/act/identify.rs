//! Says who it is. The answer is the same for known and unknown people: what they may be asked is (law 8).

use super::super::{
    Access, Action, FlowError, FlowType,
    begin::identifier,
    load::{Loaded, load},
    settle::Settled,
    store,
};
use crate::{
    context::Context, email::EmailAddress, message::Destination, phone::PhoneNumber, ports::Statement, statement,
};

/// Says who it is, while nothing was proven. A sign-up and a reset have a code sent there.
pub async fn identify(context: &Context, access: &Access, typed: &Destination) -> Result<Settled, FlowError> {
    let loaded = identified(context, access, typed, Vec::new()).await?;
    match access.kind {
        FlowType::SignIn => {
            let state = loaded.state()?;
            Ok(Settled::at(loaded, state))
        }
        FlowType::SignUp | FlowType::PasswordReset => Err(FlowError::NotOffered),
    }
}

/// Takes down who it is and lets the call in, in one batch.
pub(super) async fn identified(
    context: &Context,
    access: &Access,
    typed: &Destination,
    before: Vec<Statement>,
) -> Result<Loaded, FlowError> {
    let stamp = context.stamp();
    let mut batch = before;
    batch.push(take_down(context, access, typed, &stamp));
    let (loaded, _) = load(context, access, batch, Vec::new()).await?;
    let is_taken = loaded.flow.identifier.as_deref() == Some(identifier(context, typed).as_str());
    if !is_taken {
        // Something was proven, or the flow has ended: its step says which.
        loaded.takes(Action::Identify)?;
        return Err(FlowError::StepMismatch(loaded.state()?.as_str()));
    }
    Ok(loaded)
}

/// The statement that takes down who it is. A sign-up is nobody's before its address was proven.
fn take_down(context: &Context, access: &Access, typed: &Destination, stamp: &str) -> Statement {
    let known = Some(typed).filter(|_| access.kind != FlowType::SignUp);
    statement!(
        store::IDENTIFY,
        &access.id,
        access.token_hash.as_str(),
        context.now().millis(),
        stamp,
        identifier(context, typed),
        known.and_then(Destination::email).map(EmailAddress::as_str),
        known.and_then(Destination::phone).map(PhoneNumber::e164)
    )
}
