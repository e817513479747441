//! What comes after an action: the next step, or the end. A flow whose policy is met ends here in one authorization code,
//! on the condition that nothing that was judged has changed (law 2).

use std::time::Duration;

use super::{Flow, FlowError, State, load::Loaded, store};
use crate::{
    challenge::{Challenge, create::Created},
    context::Context,
    crypto::{new_token, token_hash},
    evaluation::{self, Ends, Facts},
    event::{self, Event, EventType, When},
    factor::{Factor, notice},
    ids::{DeviceId, SessionId, UserId},
    policy::{Assurance, Step},
    ports::{DatabaseError, Statement},
    secret::Secret,
    session::code::{self, NewCode},
    statement,
    time::Timestamp,
};

/// A flow after an action.
pub struct Settled {
    /// The flow.
    pub flow: Flow,
    /// Where it stands.
    pub state: State,
    /// The user's factors, once a first one was proven.
    pub factors: Vec<Factor>,
    /// A challenge that the action has made.
    pub challenge: Option<Challenge>,
    /// What it ended in.
    pub done: Option<Done>,
}

/// What a flow ends in. It has no `Debug`.
pub struct Done {
    /// The authorization code.
    pub code: Secret,
    /// The token of the device that is remembered from now on.
    pub device: Option<Secret>,
    /// What the sign-in is worth.
    pub assurance: Assurance,
}

/// How often an end is tried while the user, their factors or the app change under it.
const TRIES: usize = 3;

/// Says where the flow stands, and ends it where the policy is met; with `skip` also where an enrolment may be put off.
pub(crate) async fn settle(mut loaded: Loaded, skip: bool) -> Result<Settled, FlowError> {
    for _ in 0..TRIES {
        let state = loaded.state()?;
        let (Some(step), Some(ask)) = (ending(&state, skip), loaded.ask()) else {
            return Ok(Settled::at(loaded, state));
        };
        let more = &|_: &str, _: &SessionId| Vec::new();
        if let (Some(facts), Some(done)) = (&loaded.facts, end(&loaded, &ask, step, skip, more).await?) {
            if let Step::Satisfied { stand_ins, .. } = step {
                notice::stood_in(&loaded.context, &ask.user, stand_ins);
            }
            let factors = facts.factors().cloned().collect();
            return Ok(Settled {
                state: State::Complete,
                factors,
                flow: loaded.flow,
                challenge: None,
                done: Some(done),
            });
        }
        loaded = loaded.again(Vec::new()).await?;
    }
    Err(DatabaseError::Unavailable("the user kept changing".to_owned()).into())
}

/// The step that a flow may end at.
fn ending(state: &State, skip: bool) -> Option<&Step> {
    match state {
        State::Policy(step @ Step::Satisfied { .. }) => Some(step),
        State::Policy(step @ Step::NeedsEnrolment { skip: Some(_), .. }) if skip => Some(step),
        _ => None,
    }
}

/// What else is written at the end, on the stamp that the user carries then; given with the session that begins.
pub(crate) type More<'a> = &'a (dyn Fn(&str, &SessionId) -> Vec<Statement> + Send + Sync);

/// Ends the flow; `None`: something has changed since it was read.
pub(crate) async fn end(
    loaded: &Loaded,
    ask: &evaluation::Ask,
    step: &Step,
    skip: bool,
    more: More<'_>,
) -> Result<Option<Done>, FlowError> {
    let Loaded { context, flow, facts: Some(facts), .. } = loaded else { return Ok(None) };
    let (assurance, may_remember) = match step {
        Step::Satisfied { assurance, may_remember_device, .. } => (assurance, *may_remember_device),
        Step::NeedsEnrolment { assurance, .. } => (assurance, false),
        _ => return Ok(None),
    };
    let random = &*context.ports().random;
    let stamp = context.stamp();
    let minted = code::insert(context, &new_code(context, flow, ask, assurance)?, &stamp);
    let device =
        (may_remember && flow.remember_device).then(|| (DeviceId::new(context.now(), random), new_token("", random)));
    let mut beside = vec![
        minted.statement,
        statement!(store::COMPLETE, &flow.id, &ask.user, stamp.as_str(), context.now().millis()),
    ];
    beside.extend(device.iter().map(|(id, secret)| remember(context, &ask.user, id, secret, &stamp)));
    beside.extend(device.iter().map(|(id, _)| {
        let event = Event::new(EventType::DeviceCreated, id.as_str()).user(Some(ask.user.as_str()));
        let event = event.app(Some(flow.app_id.as_str()));
        event::store::write(context, event, When::Device(id.as_str(), &stamp))
    }));
    beside.extend(more(&stamp, &minted.session));
    let skips = skip && matches!(step, Step::NeedsEnrolment { .. });
    let ends = Ends { flow: &flow.id, stamp: &stamp, beside };
    if !evaluation::complete(context, ask, facts, step, skips, Some(ends)).await? {
        return Ok(None);
    }
    let device = device.map(|(id, secret)| Secret::new(format!("{id}.{}", secret.expose())));
    Ok(Some(Done { code: minted.code, device, assurance: assurance.clone() }))
}

/// What the code becomes when it is exchanged.
fn new_code(
    context: &Context,
    flow: &Flow,
    ask: &evaluation::Ask,
    assurance: &Assurance,
) -> Result<NewCode, FlowError> {
    Ok(NewCode {
        app: ask.app.clone().ok_or(FlowError::AppNotFound)?,
        user: ask.user.clone(),
        code_challenge: flow.code_challenge.clone(),
        redirect_uri: flow.redirect_uri.clone(),
        scope: flow.scope.clone(),
        nonce: flow.nonce.clone(),
        acr: assurance.acr.as_str().to_owned(),
        amr: assurance.amr.clone(),
        auth_time: context.now(),
        lifetime: Duration::from_secs(u64::try_from(context.config().tokens.code).unwrap_or(300)),
    })
}

/// Remembers the device, for as long as the settings say.
fn remember(context: &Context, user: &UserId, id: &DeviceId, secret: &Secret, stamp: &str) -> Statement {
    let until = context.now() + Duration::from_hours(24) * context.settings().multi_factor.device_days;
    statement!(
        store::REMEMBER_DEVICE,
        user,
        stamp,
        id,
        token_hash(secret.expose()),
        context.client().user_agent.as_deref(),
        context.now().millis(),
        until.millis()
    )
}

impl Settled {
    /// A flow that goes on.
    pub(crate) fn at(loaded: Loaded, state: State) -> Self {
        // Before anything was proven nobody sees what there is.
        let proven = loaded.facts.filter(Facts::has_proof);
        let factors = proven.map(|facts| facts.factors().cloned().collect()).unwrap_or_default();
        Self { flow: loaded.flow, state, factors, challenge: None, done: None }
    }

    /// A flow that was just begun.
    pub fn begun(flow: Flow, now: Timestamp) -> Self {
        let state = State::of(&flow, now, None);
        Self { flow, state, factors: Vec::new(), challenge: None, done: None }
    }

    /// The same with a challenge that was made.
    pub(crate) fn with(self, created: &Created) -> Self {
        Self { challenge: Some(created.challenge.clone()), ..self }
    }
}
