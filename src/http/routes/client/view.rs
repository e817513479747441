//! How a flow looks to a page. Before a first factor is proven nothing shows whether anybody is known (law 8).

use serde_json::{Map, Value, json};

use super::super::view::{moment, with};
use crate::{
    challenge::{Challenge, create::Created},
    factor::{Factor, FactorType},
    flow::{State, settle::Settled},
    ids::FlowId,
    message::{Channel, Destination},
    policy::{Offer, Step},
    secret::Secret,
    time::Timestamp,
};

/// A flow; with its token where it was just begun.
pub(super) fn flow(settled: &Settled, token: Option<&Secret>, now: Timestamp) -> Value {
    let Settled { flow, state, factors, challenge, done } = settled;
    let view = json!({
        "id": FlowId::as_str(&flow.id),
        "type": flow.kind.as_str(),
        "step": state.as_str(),
        "reason": state.reason().map(|reason| json!({"code": reason.code(), "detail": reason.sentence()})),
        "options": options(state, factors),
        "skip": skip(state),
        "challenge": challenge.as_ref().map(|made| page_challenge(made, now, false)),
        "redirect_uri": flow.redirect_uri,
        "expires_at": flow.expires_at.to_string(),
    });
    let mut once = Map::new();
    if let Some(token) = token {
        once.insert("token".to_owned(), Value::from(token.expose()));
    }
    if let Some(done) = done {
        once.insert("code".to_owned(), Value::from(done.code.expose()));
        once.insert("acr".to_owned(), Value::from(done.assurance.acr.as_str()));
        once.insert("amr".to_owned(), Value::from(done.assurance.amr.clone()));
        once.extend(done.device.as_ref().map(|device| ("device".to_owned(), Value::from(device.expose()))));
    }
    with(view, once)
}

/// What can be done at the step.
fn options(state: &State, factors: &[Factor]) -> Vec<Value> {
    let kinds = |kinds: &[FactorType]| kinds.iter().map(|kind| json!({"type": kind.as_str()})).collect();
    match state {
        State::NeedsFirstFactor(first) => kinds(first),
        State::Policy(Step::NeedsSecondFactor { options, .. }) => {
            options.iter().map(|offer| option(offer, factors)).collect()
        }
        State::Policy(Step::NeedsEnrolment { options, .. }) => kinds(options),
        _ => Vec::new(),
    }
}

/// A second factor that is offered: a first one was proven, so that its name and masked destination may show.
pub(in crate::http::routes) fn option(offer: &Offer, factors: &[Factor]) -> Value {
    let factor = factors.iter().find(|factor| factor.id.as_str() == offer.factor_id);
    json!({
        "type": offer.kind.as_str(),
        "factor_id": offer.factor_id,
        "role": offer.role.as_str(),
        "name": factor.and_then(|factor| factor.name.as_deref()),
        "to": factor.and_then(|factor| factor.destination.as_ref()).map(Destination::masked),
    })
}

fn skip(state: &State) -> Option<Value> {
    match state {
        State::Policy(Step::NeedsEnrolment { skip: Some(skip), .. }) => {
            Some(json!({"sign_ins_left": skip.sign_ins_left, "until": moment(skip.until)}))
        }
        _ => None,
    }
}

/// A challenge of a flow; where it went only when a first factor was proven.
pub(in crate::http::routes) fn page_challenge(challenge: &Challenge, now: Timestamp, proven: bool) -> Value {
    let to = challenge.destination.as_ref().filter(|_| proven).map(Destination::masked);
    json!({
        "id": challenge.id.as_str(),
        "type": challenge.kind.as_str(),
        "status": challenge.status(now).as_str(),
        "channel": challenge.channel.map(Channel::as_str),
        "to": to,
        "attempts_left": challenge.attempts_left(),
        "resend_at": moment(challenge.resend_at),
        "code_expires_at": moment(challenge.code_expires_at),
        "expires_at": challenge.expires_at.to_string(),
    })
}

/// A challenge that was just made, with what only this answer shows.
pub(in crate::http::routes) fn created(created: &Created, now: Timestamp) -> Value {
    let proven = created.challenge.factor_id.is_some();
    with(page_challenge(&created.challenge, now, proven), created.shown.clone())
}
