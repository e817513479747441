//! Enrolments that the policy asks for: only what the step offers, and allowed by what was proven in this flow (law 6).

use super::{
    super::{
        Access, Action, FlowError, State,
        load::load,
        settle::{Settled, settle},
        store,
    },
    user,
};
use crate::{
    challenge::{
        Given, Purpose,
        answer::{self, Answered, Expect},
    },
    context::Context,
    factor::{
        Authority, New,
        enrol::{self as enrolment, Enrol, Enrolled},
    },
    ids::{AppId, ChallengeId, FactorId},
    statement,
};

/// Adds a factor that the step offers.
pub async fn enrol(context: &Context, access: &Access, new: New, name: Option<String>) -> Result<Enrolled, FlowError> {
    let (loaded, _) = load(context, access, Vec::new(), Vec::new()).await?;
    let state = loaded.takes(Action::Enrol)?;
    let offered = matches!(&state, State::Policy(step) if step.may_enrol(new.kind()));
    let (Some(user), Some(facts), true) = (user(&loaded), &loaded.facts, offered) else {
        return Err(FlowError::NotOffered);
    };
    let command = Enrol {
        user,
        new,
        name,
        authority: facts.unused_proof().map_or(Authority::None, Authority::Proof),
        locale: loaded.flow.locale.clone(),
        app: AppId::parse(&loaded.flow.app_id),
        reservation: None,
    };
    Ok(enrolment::enrol(&loaded.context, command).await?)
}

/// Proves the new factor: it is active, and the flow goes on.
pub async fn activate(
    context: &Context,
    access: &Access,
    factor: &FactorId,
    given: &Given,
    remember: bool,
) -> Result<Result<Settled, Answered>, FlowError> {
    let now = context.now().millis();
    let origin = access.origin.as_deref();
    let note = statement!(store::REMEMBER, &access.id, access.token_hash.as_str(), now, origin, factor);
    let before = if remember { vec![note] } else { Vec::new() };
    let newest = statement!(store::CHALLENGE_OF, &access.id, factor);
    let (loaded, rows) = load(context, access, before, vec![newest]).await?;
    loaded.takes(Action::Enrol)?;
    let id = rows.first().and_then(|rows| rows.first()?.opt_text("id")).and_then(ChallengeId::parse);
    let Some(id) = id else { return Ok(Err(Answered::NotFound)) };
    let expect = Expect { factor: Some(factor.clone()), purpose: Some(Purpose::Enrolment), ..Expect::default() };
    match answer::answer(&loaded.context, &id, given, &expect).await? {
        Answered::Verified(..) => Ok(Ok(settle(loaded.again(Vec::new()).await?, false).await?)),
        refused => Ok(Err(refused)),
    }
}

/// Puts the enrolment off, where the grace allows it.
pub async fn skip(context: &Context, access: &Access) -> Result<Settled, FlowError> {
    let (loaded, _) = load(context, access, Vec::new(), Vec::new()).await?;
    loaded.takes(Action::Skip)?;
    settle(loaded, true).await
}
