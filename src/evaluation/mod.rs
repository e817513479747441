//! Asks the policy for one user: reads what it is decided from in one batch, and completes a flow that meets it in a
//! second one, which decides on the condition that nothing of it has changed (law 2).

mod facts;
pub mod store;

use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use facts::{BY_EVALUATION, Facts};

use crate::{
    config::{Issue, Stops},
    context::Context,
    device::Token,
    event::{self, Event, EventType, When},
    factor::notice,
    ids::{AppId, ChallengeId, DeviceId, FlowId, SessionId, UserId},
    policy::{External, PROOF_LIFETIME, Step, next_step},
    ports::{DatabaseError, Statement},
    statement,
};

/// What is asked.
pub struct Ask {
    /// For whom.
    pub user: UserId,
    /// Through which app; without one the instance's policy holds.
    pub app: Option<AppId>,
    /// Verified challenges.
    pub proofs: Vec<ChallengeId>,
    /// What the customer's own login has proven.
    pub external: Option<External>,
    /// The device that the request came with.
    pub device: Option<Token>,
    /// Whether it is a step-up.
    pub step_up: bool,
    /// Whether it is a password reset.
    pub reset: bool,
}

/// Whether the flow ends with this question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It only asks.
    No,
    /// It ends if the policy is met.
    IfSatisfied,
    /// It ends too if the enrolment that is needed may still be put off.
    OrPutOff,
}

/// What came of it.
#[derive(Debug)]
pub struct Evaluated {
    /// The next step.
    pub step: Step,
    /// The remembered device, where the request's token is one of this user's that has not ended.
    pub device: Option<DeviceId>,
    /// Whether the flow has ended here, and its proofs are used up.
    pub completed: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum EvaluateError {
    /// The database failed.
    Database(DatabaseError),
    /// A variable of the policy is malformed.
    Misconfigured(Issue),
    /// There is no such user.
    UserNotFound,
    /// There is no such app.
    AppNotFound,
    /// The proof at this place is none: why.
    ProofInvalid(usize, &'static str),
}

impl From<DatabaseError> for EvaluateError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// How often a completion is tried while the user, their factors or the app change under it.
const TRIES: usize = 3;

/// Asks what comes next, and ends the flow where that is wanted and the policy is met.
pub async fn evaluate(context: &Context, ask: &Ask, ending: Ending) -> Result<Evaluated, EvaluateError> {
    for _ in 0..TRIES {
        let facts = read(context, ask).await?;
        let situation = facts.situation(context, ask)?;
        let step = next_step(&situation);
        let device = facts.device(context.now());
        let skip = matches!(step, Step::NeedsEnrolment { skip: Some(_), .. });
        let ends = match ending {
            Ending::No => false,
            Ending::IfSatisfied => matches!(step, Step::Satisfied { .. }),
            Ending::OrPutOff => skip || matches!(step, Step::Satisfied { .. }),
        };
        if !ends || complete(context, ask, &facts, &step, skip, None).await? {
            if let (true, Step::Satisfied { stand_ins, .. }) = (ends, &step) {
                notice::stood_in(context, &ask.user, stand_ins);
            }
            return Ok(Evaluated { step, device, completed: ends });
        }
    }
    Err(DatabaseError::Unavailable("the user kept changing".to_owned()).into())
}

/// Reads what the policy is decided from.
pub(crate) async fn read(context: &Context, ask: &Ask) -> Result<Facts, EvaluateError> {
    if let Some(issue) = context.config().blocking(Stops::Policy) {
        return Err(EvaluateError::Misconfigured(issue.clone()));
    }
    let mut answer = context.decide(reads(context, ask)).await?;
    Facts::read(&mut answer, ask)
}

/// The statements that read it: [`Facts::READS`] of them.
pub(crate) fn reads(context: &Context, ask: &Ask) -> Vec<Statement> {
    let failed_since = context.now().before(FAILED_FOR).millis();
    vec![
        statement!(store::USER, &ask.user),
        statement!(store::FACTORS, &ask.user, failed_since),
        statement!(crate::app::store::RULE, ask.app.as_ref()),
        statement!(store::PROOFS, ids(&ask.proofs), &ask.user, context.credential().is_test, context.bond()),
        statement!(
            store::DEVICE,
            ask.device.as_ref().map(|token| &token.id),
            &ask.user,
            ask.device.as_ref().map(Token::hash)
        ),
    ]
}

/// The same for the user and the app of a flow: [`Facts::READS`] of them.
pub(crate) fn reads_of_flow(context: &Context, flow: &FlowId) -> Vec<Statement> {
    let failed_since = context.now().before(FAILED_FOR).millis();
    vec![
        statement!(store::USER, flow),
        statement!(store::FACTORS, flow, failed_since),
        statement!(store::APP_OF_FLOW, flow),
        statement!(store::PROOFS_OF_FLOW, flow),
        statement!(store::DEVICE_OF_FLOW, flow),
    ]
}

/// The same for a session, whose statement reads its app's rule: [`Facts::READS`] of them.
pub(crate) fn reads_of_session(
    context: &Context,
    user: &UserId,
    session: &SessionId,
    statement: Statement,
) -> Vec<Statement> {
    let failed_since = context.now().before(FAILED_FOR).millis();
    let since = context.now().before(PROOF_LIFETIME).millis();
    vec![
        statement!(store::USER, user),
        statement!(store::FACTORS, user, failed_since),
        statement,
        statement!(store::PROOFS_OF_SESSION, session, user, since),
        // A device stands in for nothing here.
        statement!(store::DEVICE, None::<&str>, user, None::<&str>),
    ]
}

/// What ends together with an evaluation that is met: a flow.
pub(crate) struct Ends<'a> {
    /// Which: it ends once.
    pub(crate) flow: &'a FlowId,
    /// The stamp that the user carries then.
    pub(crate) stamp: &'a str,
    /// What else is written, on that stamp.
    pub(crate) beside: Vec<Statement>,
}

/// For how long a channel that has failed counts as unavailable.
const FAILED_FOR: Duration = Duration::from_mins(10);

/// Ids as `json_each` takes them.
pub(crate) fn ids(ids: &[ChallengeId]) -> String {
    Value::from(ids.iter().map(ChallengeId::as_str).collect::<Vec<_>>()).to_string()
}

/// Ends the flow. `false`: something has changed since it was read.
pub(crate) async fn complete(
    context: &Context,
    ask: &Ask,
    facts: &Facts,
    step: &Step,
    skip: bool,
    ends: Option<Ends<'_>>,
) -> Result<bool, DatabaseError> {
    let (now, user) = (context.now(), &ask.user);
    let stamp = ends.as_ref().map_or_else(|| context.stamp(), |ends| ends.stamp.to_owned());
    let grace = facts.grace(context);
    let device = facts.device(now);
    let mut batch = vec![statement!(
        store::COMPLETE,
        user,
        stamp.as_str(),
        now.millis(),
        facts.user_mfa.as_str(),
        facts.active(),
        ask.app.as_ref(),
        facts.app_mfa.as_deref(),
        ids(&ask.proofs),
        i64::try_from(ask.proofs.len()).unwrap_or(i64::MAX),
        now.before(PROOF_LIFETIME).millis(),
        device.as_ref(),
        skip,
        i64::from(grace.sign_ins),
        i64::from(grace.days) * 86_400_000,
        context.credential().is_test,
        ends.as_ref().map(|ends| ends.flow)
    )];
    let on_stamp = When::User(user.as_str(), &stamp);
    if !ask.proofs.is_empty() {
        batch.push(statement!(store::CONSUME, user, stamp.as_str(), now.millis(), ids(&ask.proofs)));
    }
    for proof in &ask.proofs {
        let event = Event::new(EventType::ChallengeConsumed, proof.as_str()).user(Some(user.as_str()));
        batch.push(event::store::write(context, event, on_stamp));
    }
    batch.extend(device.map(|id| statement!(store::USED, user, stamp.as_str(), now.millis(), &id)));
    let event = Event::new(EventType::MfaCompleted, user.as_str())
        .user(Some(user.as_str()))
        .app(ask.app.as_ref().map(AppId::as_str))
        .data(ended(step, ask.step_up));
    batch.push(event::store::write(context, event, on_stamp));
    batch.extend(ends.into_iter().flat_map(|ends| ends.beside));
    batch.push(statement!(store::COMPLETED, user, stamp.as_str()));
    let answer = context.decide(batch).await?;
    Ok(answer.last().and_then(|rows| rows.first()).is_some_and(|row| row.flag("completed")))
}

/// What the event keeps of the flow.
fn ended(step: &Step, step_up: bool) -> Value {
    let purpose = if step_up { "step_up" } else { "sign_in" };
    let (assurance, stand_ins, put_off) = match step {
        Step::Satisfied { assurance, stand_ins, .. } => (Some(assurance), stand_ins.as_slice(), false),
        Step::NeedsEnrolment { assurance, .. } => (Some(assurance), &[][..], true),
        _ => (None, &[][..], false),
    };
    json!({
        "purpose": purpose,
        "aal": assurance.map(|assurance| assurance.aal),
        "amr": assurance.map(|assurance| assurance.amr.clone()),
        "stand_ins": stand_ins.iter().map(|stand_in| stand_in.as_str()).collect::<Vec<_>>(),
        "enrolment_put_off": put_off,
        "reason": step.reason().code(),
    })
}
