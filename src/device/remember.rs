//! Remembers a device: the policy judges the proofs as at sign-in, and one batch makes the device on the condition that
//! nothing of it has changed. Proofs that completed an evaluation may still make one.

use std::time::Duration;

use super::{Device, store};
use crate::{
    context::Context,
    crypto::{new_token, token_hash},
    evaluation::{self, Ask, EvaluateError, Facts},
    event::{self, Event, EventType, When},
    idempotency::{Claim, Reservation},
    ids::{AppId, DeviceId},
    policy::{PROOF_LIFETIME, Reason, Step, next_step},
    ports::{DatabaseError, Rows},
    secret::Secret,
    statement,
};

/// A device to remember.
pub struct Remember {
    /// Whose it is, and what was proven.
    pub ask: Ask,
    /// What it is called.
    pub name: Option<String>,
    /// Where it is.
    pub country: Option<String>,
    /// The call's key.
    pub reservation: Option<Reservation>,
}

/// What came of it.
pub enum Remembered {
    /// The device, and what it is to keep, the first time.
    Done(Device, Option<Secret>),
    /// The policy does not allow it: why.
    NotAllowed(NotAllowed),
    /// An earlier call made it, and it was forgotten since.
    NotFound,
    /// The call's key is another call's.
    Claimed(Claim),
}

/// Why a device may not be remembered.
pub enum NotAllowed {
    /// The policy is not met.
    NotSatisfied(Reason),
    /// It is met, and by nothing that a device may stand in for later: the reason says what stood in.
    StoodIn(Reason),
    /// The rule in effect remembers no devices.
    SwitchedOff,
}

/// Remembers a device.
pub async fn remember(context: &Context, command: &Remember) -> Result<Remembered, EvaluateError> {
    let Remember { ask, name, country, reservation } = command;
    let key = reservation.as_ref();
    let (now, stamp) = (context.now(), context.stamp());
    let mut reads = evaluation::reads(context, ask);
    reads.extend(key.map(Reservation::look_up));
    let mut answer = context.decide(reads).await?;
    // An earlier call with this key has used the proofs up.
    if let Some(rows) = answer.get(Facts::READS).filter(|rows| !rows.is_empty())
        && let Some(answer) = replayed(context, ask, key, rows, &stamp).await?
    {
        return Ok(answer);
    }
    let facts = Facts::read(&mut answer, ask)?;
    let situation = facts.situation_after(context, ask, Some(evaluation::BY_EVALUATION))?;
    match next_step(&situation) {
        Step::Satisfied { may_remember_device: true, .. } => {}
        Step::Satisfied { reason, stand_ins, .. } => {
            let stood_in = !stand_ins.is_empty() || reason == Reason::NothingRequired;
            return Ok(Remembered::NotAllowed(if stood_in {
                NotAllowed::StoodIn(reason)
            } else {
                NotAllowed::SwitchedOff
            }));
        }
        step => return Ok(Remembered::NotAllowed(NotAllowed::NotSatisfied(step.reason()))),
    }
    let random = &*context.ports().random;
    let id = DeviceId::new(now, random);
    let secret = new_token("", random);
    let (user_mfa, app_mfa) = facts.stored();
    let expires_at = now + Duration::from_hours(24) * context.settings().multi_factor.device_days;
    let proofs = evaluation::ids(&ask.proofs);
    let mut batch: Vec<_> = key.map(|key| key.reserve(id.as_str(), &stamp, now)).into_iter().collect();
    batch.extend([
        statement!(
            store::REMEMBER,
            &ask.user,
            &id,
            now.millis(),
            user_mfa,
            facts.active(),
            ask.app.as_ref(),
            app_mfa,
            proofs.as_str(),
            i64::try_from(ask.proofs.len()).unwrap_or(i64::MAX),
            now.before(PROOF_LIFETIME).millis(),
            context.credential().is_test,
            token_hash(secret.expose()),
            name.as_deref(),
            country.as_deref(),
            context.client().user_agent.as_deref(),
            expires_at.millis(),
            stamp.as_str(),
            key.map(Reservation::key)
        ),
        statement!(store::CONSUME, &id, stamp.as_str(), now.millis(), proofs.as_str()),
    ]);
    let event = Event::new(EventType::DeviceCreated, id.as_str())
        .user(Some(ask.user.as_str()))
        .app(ask.app.as_ref().map(AppId::as_str));
    batch.push(event::store::write(context, event, When::Device(id.as_str(), &stamp)));
    if let Some(key) = key {
        batch.extend([key.release_unless_made(&stamp), key.finish(&stamp)]);
    }
    batch.push(statement!(store::GET, &id, &ask.user));
    batch.extend(key.map(Reservation::look_up));
    let answer = context.decide(batch).await?;
    let (made, claim) = match key {
        None => (answer.last(), None),
        Some(key) => (answer.iter().rev().nth(1), Some((key, answer.last().map(Vec::as_slice).unwrap_or_default()))),
    };
    if let Some(row) = made.and_then(|rows| rows.first()) {
        let token = Secret::new(format!("{id}.{}", secret.expose()));
        return Ok(Remembered::Done(Device::read(row)?, Some(token)));
    }
    if let Some((_, rows)) = claim.filter(|(_, rows)| !rows.is_empty())
        && let Some(answer) = replayed(context, ask, key, &rows.to_vec(), &stamp).await?
    {
        return Ok(answer);
    }
    // Another call was faster: what it has left is read anew, and told.
    evaluation::read(context, ask).await?.situation_after(context, ask, Some(evaluation::BY_EVALUATION))?;
    Err(DatabaseError::Unavailable("the user kept changing".to_owned()).into())
}

/// What an earlier call with the same key has made; `None`: the key is free.
async fn replayed(
    context: &Context,
    ask: &Ask,
    key: Option<&Reservation>,
    rows: &Rows,
    stamp: &str,
) -> Result<Option<Remembered>, DatabaseError> {
    let Some(key) = key else { return Ok(None) };
    match key.claim(rows, stamp, context.now())? {
        Claim::Mine => Ok(None),
        Claim::Replay(id) => {
            let answer = context.decide(vec![statement!(store::GET, id, &ask.user)]).await?;
            let row = answer.first().and_then(|rows| rows.first());
            let device = row.map(Device::read).transpose()?;
            Ok(Some(device.map_or(Remembered::NotFound, |device| Remembered::Done(device, None))))
        }
        claim => Ok(Some(Remembered::Claimed(claim))),
    }
}
