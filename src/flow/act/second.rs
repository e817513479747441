//! Second factors: a challenge of one that the policy offers, its answer, another code, a recovery code.

use super::{
    super::{
        Access, Action, FlowError, FlowType, State,
        load::{Loaded, load},
        settle::Settled,
        sign_up::store::SENT_TO,
        store,
    },
    proven, reset, sign_up, user,
};
use crate::{
    challenge::{
        Given, Purpose,
        answer::{self, Answered, Expect},
        create::{self, Create, Created, Target},
        resend as another,
    },
    context::Context,
    crypto::RecoveryCode,
    factor::{Factor, FactorType},
    ids::{AppId, ChallengeId, FactorId},
    message::Channel,
    policy::{Offer, Step},
    statement,
};

/// What a call asks for; with nothing named the first of what is offered.
#[derive(Clone, Default)]
pub struct Wanted {
    /// This factor.
    pub factor: Option<FactorId>,
    /// One of this type.
    pub kind: Option<FactorType>,
    /// How a code goes.
    pub channel: Option<Channel>,
}

/// Challenges one of the factors that are offered.
pub async fn challenge(context: &Context, access: &Access, wanted: &Wanted) -> Result<Created, FlowError> {
    let (loaded, _) = load(context, access, Vec::new(), Vec::new()).await?;
    if is_nobodys(&loaded) {
        return sign_up::challenge(context, access, wanted.channel).await;
    }
    let state = loaded.takes(Action::Challenge)?;
    let offered = offer(&state, |offer| {
        wanted.factor.as_ref().is_none_or(|id| id.as_str() == offer.factor_id)
            && wanted.kind.is_none_or(|kind| kind == offer.kind)
    });
    make(&loaded, offered.ok_or(FlowError::NotOffered)?, wanted.channel).await
}

/// Whether it is a sign-up that has made nobody yet.
fn is_nobodys(loaded: &Loaded) -> bool {
    loaded.flow.kind == FlowType::SignUp && loaded.flow.user_id.is_none()
}

/// The first of what is offered that fits.
fn offer(state: &State, fits: impl Fn(&Offer) -> bool) -> Option<&Offer> {
    match state {
        State::Policy(Step::NeedsSecondFactor { options, .. }) => options.iter().find(|offer| fits(offer)),
        _ => None,
    }
}

async fn make(loaded: &Loaded, offer: &Offer, channel: Option<Channel>) -> Result<Created, FlowError> {
    let (Some(user), Some(facts)) = (user(loaded), &loaded.facts) else { return Err(FlowError::NotOffered) };
    // Any of the person's passkeys may answer.
    let asked = |factor: &&Factor| {
        factor.is_active()
            && (factor.id.as_str() == offer.factor_id
                || (offer.kind == FactorType::Passkey && factor.kind == FactorType::Passkey))
    };
    let factors: Vec<Factor> = facts.factors().filter(asked).cloned().collect();
    let command = Create {
        target: Target::Factors(user, factors, facts.reader().clone()),
        channel,
        purpose: Purpose::SignIn,
        locale: loaded.flow.locale.clone(),
        app: AppId::parse(&loaded.flow.app_id),
        reservation: None,
    };
    Ok(create::create(&loaded.context, command).await?)
}

/// Answers a challenge of the flow. What is refused is told as it is.
pub async fn answer(
    context: &Context,
    access: &Access,
    id: &ChallengeId,
    given: &Given,
    remember: bool,
) -> Result<Result<Settled, Answered>, FlowError> {
    let now = context.now().millis();
    let origin = access.origin.as_deref();
    let note = statement!(store::REMEMBER, &access.id, access.token_hash.as_str(), now, origin, id);
    let before = if remember { vec![note] } else { Vec::new() };
    let beside = match access.kind {
        FlowType::SignUp => vec![statement!(SENT_TO, &access.id, id)],
        FlowType::SignIn | FlowType::PasswordReset => Vec::new(),
    };
    let (loaded, rows) = load(context, access, before, beside).await?;
    loaded.takes(Action::Answer)?;
    if is_nobodys(&loaded) {
        return sign_up::answer(loaded, &rows, id, given).await;
    }
    match answer::answer(&loaded.context, id, given, &Expect::default()).await? {
        Answered::Verified(challenge, _) => Ok(Ok(proven(loaded, &challenge).await?)),
        refused => Ok(Err(refused)),
    }
}

/// Has another code of a challenge of the flow sent.
pub async fn resend(
    context: &Context,
    access: &Access,
    id: &ChallengeId,
    channel: Option<Channel>,
) -> Result<Created, FlowError> {
    let (loaded, _) = load(context, access, Vec::new(), Vec::new()).await?;
    loaded.takes(Action::Answer)?;
    Ok(another::resend(&loaded.context, id, channel, None).await?)
}

/// Proves a recovery code where one is offered.
pub async fn recovery_code(
    context: &Context,
    access: &Access,
    code: RecoveryCode,
) -> Result<Result<Settled, Answered>, FlowError> {
    let (loaded, _) = load(context, access, Vec::new(), Vec::new()).await?;
    let state = loaded.takes(Action::RecoveryCode)?;
    if matches!(state, State::NeedsFirstFactor(_)) {
        return reset::recovery_code(loaded, &Given::Recovery(code)).await;
    }
    let offered = offer(&state, |offer| offer.kind == FactorType::RecoveryCodes).ok_or(FlowError::NotOffered)?;
    let created = make(&loaded, offered, None).await?;
    let given = Given::Recovery(code);
    match answer::answer(&loaded.context, &created.challenge.id, &given, &Expect::default()).await? {
        Answered::Verified(challenge, _) => Ok(Ok(proven(loaded, &challenge).await?)),
        refused => Ok(Err(refused)),
    }
}
