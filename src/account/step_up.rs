//! Step-up (RFC 9470): the person proves again who they are, by what the policy asks for before something sensitive. Each
//! proof allows one change (law 6); and once the policy is met, the session and its tokens say so.

use serde_json::Value;

use super::{AccountError, Owner};
use crate::{
    challenge::{
        Challenge, Given, Purpose,
        answer::{self, Answered, Expect},
        create::{self, Create, Created, Target},
        resend,
    },
    config::Stops,
    context::Context,
    evaluation::{EvaluateError, Facts, reads_of_session},
    factor::{
        Factor, FactorType,
        password::verify::{self, Attempt, By, Held, Verified},
    },
    few::sort_few,
    flow::{FlowError, act::Wanted},
    ids::{AppId, ChallengeId},
    message::Channel,
    password::Password,
    policy::{Acr, External, ExternalKind, Offer, Role, Situation, Step, next_step},
    ports::{DatabaseError, Rows, Statement},
    session::{
        Session, TokenSet,
        raise::{Worth, raise, ready},
        store,
    },
    statement,
};

/// What a step-up stands at.
pub struct SteppedUp {
    /// What can be proven, the default first.
    pub options: Vec<Offer>,
    /// The person's factors.
    pub factors: Vec<Factor>,
    /// What the session is worth.
    pub worth: Worth,
    /// Its new tokens, once the policy is met.
    pub tokens: Option<TokenSet>,
}

/// What was read of a session and its person.
struct Loaded {
    session: Session,
    facts: Facts,
}

/// How often a session is raised while it, its person or their app change under it.
const TRIES: usize = 3;

/// Reads it, with the rows of `beside`: one round trip.
async fn load(context: &Context, owner: &Owner, beside: Vec<Statement>) -> Result<(Loaded, Vec<Rows>), AccountError> {
    if let Some(issue) = context.config().blocking(Stops::Policy) {
        return Err(EvaluateError::Misconfigured(issue.clone()).into());
    }
    let own = statement!(store::OWN, &owner.session);
    let mut batch = reads_of_session(context, &owner.user, &owner.session, own);
    batch.extend(beside);
    let mut answer = context.decide(batch).await?;
    let missing = || DatabaseError::Other("a session that lives is missing".to_owned());
    let row = answer.get(2).and_then(|rows| rows.first()).ok_or_else(missing)?;
    let session = Session::read(row)?;
    // Before anything is used up for tokens that nothing could sign.
    ready(context, row.text("algorithm")?).await?;
    let facts = Facts::of_flow(&mut answer)?.ok_or_else(missing)?;
    Ok((Loaded { session, facts }, answer))
}

impl Loaded {
    /// What the policy decides from. The session stands for its first factor: it was proven when it began.
    fn situation(&self, context: &Context, owner: &Owner) -> Result<Situation, AccountError> {
        let has = |method: &str| {
            self.session.amr.as_array().is_some_and(|methods| methods.iter().any(|one| one.as_str() == Some(method)))
        };
        let kind = if has("pwd") { ExternalKind::Password } else { ExternalKind::Other };
        let ask = crate::evaluation::Ask {
            user: owner.user.clone(),
            app: AppId::parse(&self.session.app),
            proofs: Vec::new(),
            external: Some(External { kind, destination: None }),
            device: None,
            step_up: true,
            reset: false,
        };
        Ok(self.facts.situation_after(context, &ask, None)?)
    }

    fn standing(&self, options: Vec<Offer>, worth: Worth, tokens: Option<TokenSet>) -> SteppedUp {
        SteppedUp { options, factors: self.facts.factors().cloned().collect(), worth, tokens }
    }
}

/// What a step-up may be proven with: what the policy asks, from the beginning; of a person without a second factor,
/// what they have; and always something that allows a change of factors (law 6), which comes first.
fn options(situation: &Situation) -> Vec<Offer> {
    let situation = Situation { proofs: Vec::new(), ..situation.clone() };
    let offers = |fits: fn(FactorType) -> bool| {
        let factors = situation.user.factors.iter();
        let factors = factors.filter(move |factor| factor.is_active && factor.is_available && fits(factor.kind));
        factors.map(|factor| Offer { factor_id: factor.id.clone(), kind: factor.kind, role: Role::Factor })
    };
    let mut options = match next_step(&situation) {
        Step::NeedsSecondFactor { options, .. } => options,
        Step::Satisfied { .. } | Step::NeedsEnrolment { .. } => offers(|kind| !is_strong(kind)).collect(),
        Step::NeedsFirstFactor { .. } | Step::Blocked { .. } => Vec::new(),
    };
    if !options.iter().any(|offer| is_strong(offer.kind)) {
        options.extend(offers(|kind| is_strong(kind) && kind != FactorType::RecoveryCodes));
    }
    sort_few(&mut options, |one, other| is_strong(one.kind) && !is_strong(other.kind));
    options
}

/// Whether a proof of it allows a change of factors to whoever has a second factor.
fn is_strong(kind: FactorType) -> bool {
    !matches!(kind, FactorType::Password | FactorType::Email)
}

/// Says what can be proven. One round trip.
pub async fn get(context: &Context, owner: &Owner) -> Result<SteppedUp, AccountError> {
    let (loaded, _) = load(context, owner, Vec::new()).await?;
    let options = options(&loaded.situation(context, owner)?);
    let worth = Worth {
        acr: known(&loaded.session.acr).as_str(),
        amr: methods(&loaded.session.amr, &[]),
        auth_time: loaded.session.auth_time,
    };
    Ok(loaded.standing(options, worth, None))
}

/// Challenges one of the options; with nothing named the first. Two round trips before a carrier is asked.
pub async fn challenge(
    context: &Context,
    owner: &Owner,
    wanted: &Wanted,
    locale: Option<String>,
) -> Result<Created, AccountError> {
    let (loaded, _) = load(context, owner, Vec::new()).await?;
    let options = options(&loaded.situation(context, owner)?);
    let kind = wanted.kind.or_else(|| wanted.channel.map(Channel::factor).filter(|_| wanted.factor.is_none()));
    let offer = options.iter().find(|offer| {
        // A password is typed at once, and not awaited.
        offer.kind != FactorType::Password
            && wanted.factor.as_ref().is_none_or(|id| id.as_str() == offer.factor_id)
            && kind.is_none_or(|kind| kind == offer.kind)
    });
    let offer = offer.ok_or(FlowError::NotOffered)?;
    // Any of the person's passkeys may answer.
    let asked = |factor: &&Factor| {
        factor.is_active()
            && (factor.id.as_str() == offer.factor_id
                || (offer.kind == FactorType::Passkey && factor.kind == FactorType::Passkey))
    };
    let factors: Vec<Factor> = loaded.facts.factors().filter(asked).cloned().collect();
    let command = Create {
        target: Target::Factors(owner.user.clone(), factors, loaded.facts.reader().clone()),
        channel: wanted.channel,
        purpose: Purpose::StepUp,
        locale,
        app: AppId::parse(&loaded.session.app),
        reservation: None,
    };
    Ok(create::create(context, command).await?)
}

/// Proves a password, where that is an option. Three round trips.
pub async fn password(context: &Context, owner: &Owner, password: &Password) -> Result<SteppedUp, AccountError> {
    for _ in 0..verify::TRIES {
        let reads = verify::reads(context, By::User(&owner.user));
        let (loaded, rows) = load(context, owner, reads.into()).await?;
        let options = options(&loaded.situation(context, owner)?);
        if !options.iter().any(|offer| offer.kind == FactorType::Password) {
            return Err(FlowError::NotOffered.into());
        }
        let (held, app) = (Held::read(context, &rows)?, AppId::parse(&loaded.session.app));
        let attempt = Attempt { password, identifier: "", device: None, purpose: Purpose::StepUp, app: app.as_ref() };
        match verify::decide(context, &held, &attempt, &|_, _| Vec::new()).await?.0 {
            Some(Verified::Right(challenge)) => return proven(context, owner, loaded, &challenge).await,
            Some(Verified::Locked(refusal)) => return Err(FlowError::Limited(refusal).into()),
            Some(_) => return Err(FlowError::PasswordIncorrect.into()),
            // The password has changed since it was read.
            None => {}
        }
    }
    Err(DatabaseError::Unavailable("the password changes while it is verified".to_owned()).into())
}

/// Answers a challenge of a step-up. What is refused is told as it is. Two round trips more than the answer.
pub async fn answer(
    context: &Context,
    owner: &Owner,
    id: &ChallengeId,
    given: &Given,
) -> Result<Result<SteppedUp, Answered>, AccountError> {
    let (loaded, _) = load(context, owner, Vec::new()).await?;
    let expect = Expect { user: Some(owner.user.clone()), purpose: Some(Purpose::StepUp), ..Expect::default() };
    match answer::answer(context, id, given, &expect).await? {
        Answered::Verified(challenge, _) => Ok(Ok(proven(context, owner, loaded, &challenge).await?)),
        refused => Ok(Err(refused)),
    }
}

/// Has another code of a challenge of this session sent.
pub async fn resend(context: &Context, id: &ChallengeId, channel: Option<Channel>) -> Result<Created, AccountError> {
    Ok(resend::resend(context, id, channel, None).await?)
}

/// What was proven just now counts: the session is raised, if the policy is met.
async fn proven(
    context: &Context,
    owner: &Owner,
    mut loaded: Loaded,
    challenge: &Challenge,
) -> Result<SteppedUp, AccountError> {
    loaded.facts.add(challenge);
    for _ in 0..TRIES {
        let situation = loaded.situation(context, owner)?;
        let (Step::Satisfied { assurance, .. } | Step::NeedsEnrolment { assurance, .. }) = next_step(&situation) else {
            // One more is asked for.
            let worth = Worth {
                acr: known(&loaded.session.acr).as_str(),
                amr: methods(&loaded.session.amr, &[]),
                auth_time: loaded.session.auth_time,
            };
            return Ok(loaded.standing(options(&situation), worth, None));
        };
        // Whoever holds the session and proves one factor again keeps two (SP 800-63B-4 §2.2.3); that no phisher could have
        // passed it on is said of what was proven now, and of nothing else.
        let acr = assurance.acr.max(known(&loaded.session.acr).min(Acr::Aal2));
        let worth =
            Worth { acr: acr.as_str(), amr: methods(&loaded.session.amr, &assurance.amr), auth_time: context.now() };
        if let Some(tokens) = raise(context, &loaded.session, &loaded.facts, &worth).await? {
            return Ok(loaded.standing(options(&situation), worth, Some(tokens)));
        }
        loaded = load(context, owner, Vec::new()).await?.0;
    }
    Err(DatabaseError::Unavailable("the user kept changing".to_owned()).into())
}

/// The class with that name; one that is none any more is the least.
fn known(name: &str) -> Acr {
    [Acr::Aal2PhishingResistant, Acr::Aal2].into_iter().find(|acr| acr.as_str() == name).unwrap_or(Acr::Aal1)
}

/// The methods of a session and those of a step-up together, in their order.
fn methods(before: &Value, now: &[&'static str]) -> Vec<&'static str> {
    let had = |method: &&str| before.as_array().is_some_and(|all| all.iter().any(|one| one.as_str() == Some(method)));
    Acr::METHODS.into_iter().filter(|method| now.contains(method) || had(method)).collect()
}
