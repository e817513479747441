//! Removes a factor, or all of a user's: with a proof, the server's override, or nothing while it is unproven.

use serde_json::json;

use super::{Authority, Factor, enrol::PROOF_LIFETIME, notice, store};
use crate::{
    context::Context,
    device,
    event::{self, Event, EventType, When},
    ids::{FactorId, UserId},
    ports::DatabaseError,
    session::end::{self, On, Reason},
    statement,
};

/// What it came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Done,
    /// There is no such factor, or no such user.
    NotFound,
    /// It is active, and nothing allows its removal.
    ProofRequired,
    /// The proof is not one, is too old, was used, or is another user's.
    ProofInvalid,
}

/// Removes one factor.
pub async fn one(
    context: &Context,
    user: &UserId,
    factor: &FactorId,
    authority: &Authority,
) -> Result<Removed, DatabaseError> {
    let now = context.now();
    let stamp = context.stamp();
    let since = now.before(PROOF_LIFETIME).millis();
    let event = removed(user, Some(factor), authority);
    let mut batch = vec![statement!(
        store::MAY_REMOVE,
        factor,
        user,
        stamp.as_str(),
        authority.is_override(),
        authority.proof(),
        since,
        context.credential().is_test,
        context.bond()
    )];
    if let Some(proof) = authority.proof() {
        batch.push(statement!(store::CONSUME, proof, now.millis(), factor, stamp.as_str()));
        let event = Event::new(EventType::ChallengeConsumed, proof.as_str()).user(Some(user.as_str()));
        batch.push(event::store::write(context, event, When::Factor(factor.as_str(), &stamp)));
    }
    batch.push(event::store::write(context, event, When::Factor(factor.as_str(), &stamp)));
    batch.push(device::forget_before(user, factor, &stamp));
    batch.push(statement!(store::GET, factor, user));
    batch.push(statement!(store::REMOVE, factor, stamp.as_str()));
    let answer = context.decide(batch).await?;
    let row = answer.iter().rev().nth(1).and_then(|rows| rows.first());
    let removed = judge(row.map(|row| row.opt_text("stamp") == Some(stamp.as_str())), authority);
    if let (Removed::Done, Some(row)) = (&removed, row) {
        notice::removed(context, &Factor::read(row)?);
    }
    Ok(removed)
}

/// Removes all of a user's factors.
pub async fn all(context: &Context, user: &UserId, authority: &Authority) -> Result<Removed, DatabaseError> {
    let now = context.now();
    let stamp = context.stamp();
    let since = now.before(PROOF_LIFETIME).millis();
    let is_test = context.credential().is_test;
    let mut batch = vec![statement!(
        store::MAY_RESET,
        user,
        stamp.as_str(),
        authority.is_override(),
        authority.proof(),
        since,
        is_test,
        context.bond()
    )];
    if let Some(proof) = authority.proof() {
        batch.push(statement!(store::CONSUME_FOR_USER, proof, now.millis(), user, stamp.as_str()));
        let event = Event::new(EventType::ChallengeConsumed, proof.as_str()).user(Some(user.as_str()));
        batch.push(event::store::write(context, event, When::User(user.as_str(), &stamp)));
    }
    batch.push(event::store::write(context, removed(user, None, authority), When::User(user.as_str(), &stamp)));
    // A device was remembered for factors that are gone.
    batch.push(device::forget_with(user, &stamp));
    batch.extend(end::with(context, user, On::User, &stamp, None, Reason::FactorsReset));
    batch.extend(store::list(user));
    batch.push(statement!(store::RESET, user, stamp.as_str()));
    let answer = context.decide(batch).await?;
    let [.., users, factors, _] = answer.as_slice() else { return Ok(Removed::NotFound) };
    let row = users.first();
    let removed = judge(row.map(|row| row.opt_text("stamp") == Some(stamp.as_str())), authority);
    if removed == Removed::Done {
        notice::reset(context, user, &factors.iter().map(Factor::read).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(removed)
}

fn removed(user: &UserId, factor: Option<&FactorId>, authority: &Authority) -> Event {
    let subject = factor.map_or_else(|| user.to_string(), ToString::to_string);
    Event::new(EventType::FactorRemoved, subject)
        .user(Some(user.as_str()))
        .data(json!({"all": factor.is_none(), "authority": authority.kind()}))
        .ended(event::Outcome::Success, authority.reason())
}

fn judge(stamped: Option<bool>, authority: &Authority) -> Removed {
    match (stamped, authority) {
        (None, _) => Removed::NotFound,
        (Some(true), _) => Removed::Done,
        (Some(false), Authority::Proof(_)) => Removed::ProofInvalid,
        (Some(false), _) => Removed::ProofRequired,
    }
}
