//! Says who it is. The answer is the same for known and unknown people: what they may be asked is (law 8). A sign-up and a
//! reset have a code sent to the address, after the response; where there is nobody to send to, it looks the same.

use super::super::{
    Access, Action, FlowError, FlowType,
    begin::identifier,
    load::{Loaded, load},
    settle::Settled,
    store,
};
use crate::{
    challenge::{
        Purpose,
        create::{self, CreateError, Created},
        draft::{Draft, Facts, Veil},
    },
    context::Context,
    email::EmailAddress,
    factor::notice,
    ids::{AppId, UserId},
    message::{Channel, Destination, notice::Change},
    phone::PhoneNumber,
    ports::{Rows, Statement},
    statement,
    template::Slug,
};

/// Says who it is, while nothing was proven.
pub async fn identify(context: &Context, access: &Access, typed: &Destination) -> Result<Settled, FlowError> {
    let takes = context.settings().sign_in.identifiers;
    if access.kind == FlowType::SignUp && !takes.has(typed.factor()) {
        return Err(FlowError::IdentifierRefused(typed.factor()));
    }
    let taken = statement!(store::TAKEN, typed.email().map(EmailAddress::as_str), typed.phone().map(PhoneNumber::e164));
    let (loaded, rows) = identified(context, access, typed, vec![taken]).await?;
    let owner = rows.first().and_then(|rows| rows.first()?.opt_text("id"));
    let created = match access.kind {
        FlowType::SignIn => None,
        // What is known is not signed up again: its owner is told instead of whoever types it.
        FlowType::SignUp => {
            let veil = if owner.is_some() { Veil::Unknown } else { Veil::Known };
            let created = veiled(&loaded, typed, None, None, veil).await?;
            if let Some(owner) = owner {
                notice::tell(&loaded.context, owner, Change::SignUpTried, vec![typed.clone()]);
            }
            Some(created)
        }
        FlowType::PasswordReset => {
            let user = super::user(&loaded).filter(|_| loaded.facts.as_ref().is_some_and(|facts| !facts.is_disabled()));
            let veil = if user.is_some() { Veil::Known } else { Veil::Unknown };
            Some(veiled(&loaded, typed, None, user, veil).await?)
        }
    };
    let state = loaded.state()?;
    let settled = Settled::at(loaded, state);
    Ok(match created {
        Some(created) => settled.with(&created),
        None => settled,
    })
}

/// Takes down who it is and lets the call in, in one batch; `beside` is read with it.
pub(super) async fn identified(
    context: &Context,
    access: &Access,
    typed: &Destination,
    beside: Vec<Statement>,
) -> Result<(Loaded, Vec<Rows>), FlowError> {
    // A sign-up is nobody's before its address was proven.
    let known = Some(typed).filter(|_| access.kind != FlowType::SignUp);
    let mac = identifier(context, typed);
    let take_down = statement!(
        store::IDENTIFY,
        &access.id,
        access.token_hash.as_str(),
        context.now().millis(),
        context.stamp(),
        mac.as_str(),
        known.and_then(Destination::email).map(EmailAddress::as_str),
        known.and_then(Destination::phone).map(PhoneNumber::e164),
        access.origin.as_deref()
    );
    let (loaded, rows) = load(context, access, vec![take_down], beside).await?;
    // Something was proven, or the flow has ended: its step says which.
    loaded.takes(Action::Identify)?;
    if loaded.flow.identifier.as_deref() != Some(mac.as_str()) {
        return Err(FlowError::StepMismatch(loaded.state()?.as_str()));
    }
    Ok((loaded, rows))
}

/// A code to an address that nobody has proven here: the caller learns nothing by it.
pub(super) async fn veiled(
    loaded: &Loaded,
    typed: &Destination,
    channel: Option<Channel>,
    user: Option<UserId>,
    veil: Veil,
) -> Result<Created, CreateError> {
    let context = &loaded.context;
    let (purpose, template) = match loaded.flow.kind {
        FlowType::SignUp => (Purpose::Verification, Slug::VerificationCode),
        FlowType::SignIn => (Purpose::SignIn, Slug::VerificationCode),
        FlowType::PasswordReset => (Purpose::SignIn, Slug::ResetPasswordCode),
    };
    let facts = Facts {
        asks: create::sent(typed.clone(), channel)?,
        user,
        factor: None,
        factor_is_active: true,
        new_factor: None,
        purpose,
        locale: loaded.flow.locale.clone(),
        reader: loaded.facts.as_ref().map(|facts| facts.reader().clone()).unwrap_or_default(),
        template,
        app: AppId::parse(&loaded.flow.app_id),
        reservation: None,
        veil,
        veiled_as: None,
    };
    let draft = Draft::new(context, facts)?;
    let answer = context.decide(draft.statements(context)).await?;
    draft.finish(context, &answer).await
}
