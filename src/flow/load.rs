//! Lets a call into its flow: one batch reads the flow and everything that its next step is decided from.

use super::{Access, Flow, FlowError, FlowType, State, store};
use crate::{
    config::Stops,
    context::Context,
    evaluation::{Ask, EvaluateError, Facts, reads_of_flow},
    ids::{AppId, DeviceId, UserId},
    policy::{Step, next_step},
    ports::{Rows, Statement},
    statement,
};

/// A flow that a call was let into.
pub(crate) struct Loaded {
    /// Bound to the flow, in the name of its app.
    pub(crate) context: Context,
    /// The flow.
    pub(crate) flow: Flow,
    /// What is known of its user; `None`: nobody is known.
    pub(crate) facts: Option<Facts>,
    /// How the call was let in.
    pub(crate) access: Access,
}

/// Lets a call in: `before` runs ahead of what is read, `beside` after it; the rows of `beside` come back.
pub(crate) async fn load(
    context: &Context,
    access: &Access,
    before: Vec<Statement>,
    beside: Vec<Statement>,
) -> Result<(Loaded, Vec<Rows>), FlowError> {
    if let Some(issue) = context.config().blocking(Stops::Policy) {
        return Err(EvaluateError::Misconfigured(issue.clone()).into());
    }
    let mut batch = before;
    let skipped = batch.len();
    batch.extend(reads(context, access));
    batch.extend(beside);
    read(context, access, context.decide(batch).await?.split_off(skipped))
}

/// What is read to let a call in.
pub(crate) fn reads(context: &Context, access: &Access) -> Vec<Statement> {
    let mut batch = vec![statement!(store::GET, &access.id, access.token_hash.as_str(), access.kind.as_str())];
    batch.extend(reads_of_flow(context, &access.id));
    batch
}

/// Lets a call in by what was read; what else was, comes back.
pub(crate) fn read(
    context: &Context,
    access: &Access,
    mut answer: Vec<Rows>,
) -> Result<(Loaded, Vec<Rows>), FlowError> {
    let row = answer.first().and_then(|rows| rows.first()).ok_or(FlowError::TokenInvalid)?;
    let flow = Flow::read(row)?;
    // A page of another origin is let in nowhere, even with the token.
    let from_there = access.origin == flow.origin || (access.reads && access.origin.is_none());
    if !from_there {
        return Err(FlowError::OriginNotAllowed);
    }
    answer.remove(0);
    let facts = Facts::of_flow(&mut answer)?;
    let context = context.bound_to(flow.id.as_str()).acting_as(&flow.app_id);
    Ok((Loaded { context, flow, facts, access: access.clone() }, answer))
}

impl Loaded {
    /// Reads the flow and its user anew.
    pub(crate) async fn again(&self, before: Vec<Statement>) -> Result<Self, FlowError> {
        Ok(load(&self.context, &self.access, before, Vec::new()).await?.0)
    }

    /// The remembered device that the flow came with, where it is its user's and has not ended.
    pub(crate) fn device(&self) -> Option<DeviceId> {
        self.facts.as_ref().and_then(|facts| facts.device(self.context.now()))
    }

    /// What the policy is asked for this flow; `None`: nobody is known.
    pub(crate) fn ask(&self) -> Option<Ask> {
        let facts = self.facts.as_ref()?;
        Some(Ask {
            user: self.flow.user_id.as_deref().and_then(UserId::parse)?,
            app: AppId::parse(&self.flow.app_id),
            proofs: facts.proof_ids(),
            external: None,
            device: None,
            step_up: false,
            reset: self.flow.kind == FlowType::PasswordReset,
        })
    }

    /// What the policy says; `None`: nobody is known.
    pub(crate) fn step(&self) -> Result<Option<Step>, FlowError> {
        let (Some(facts), Some(ask)) = (&self.facts, self.ask()) else { return Ok(None) };
        // What is over asks nothing more, and its proofs may be too old to be judged.
        if self.flow.end.is_some() || self.flow.expires_at <= self.context.now() {
            return Ok(None);
        }
        // Before anything was proven nobody learns whether an account is shut.
        if facts.is_disabled() && !facts.has_proof() {
            return Ok(None);
        }
        Ok(Some(next_step(&facts.situation_after(&self.context, &ask, None)?)))
    }

    /// Where the flow stands.
    pub(crate) fn state(&self) -> Result<State, FlowError> {
        Ok(State::of(&self.flow, self.context.now(), self.step()?))
    }

    /// Refuses what the step does not take.
    pub(crate) fn takes(&self, action: super::Action) -> Result<State, FlowError> {
        let state = self.state()?;
        if state.takes(self.flow.kind, action) { Ok(state) } else { Err(FlowError::StepMismatch(state.as_str())) }
    }
}
