//! Sends another code of a challenge. The old one dies in the statement that makes the new one; failures stay.

use std::time::Duration;

use serde_json::{Map, json};

use super::{
    Challenge, End, Purpose,
    create::{CreateError, Created, replay},
    draft::{COOLDOWNS, Veil},
    sending::{CodeSource, Which, checks, dispatch, dispatch_later, veiled_checks},
    store,
};
use crate::{
    config::Stops,
    context::Context,
    crypto::CodeLength,
    event::{self, Event, EventType, When},
    flow::FlowType,
    fraud::Guard,
    idempotency::{Claim, Reservation},
    ids::{ChallengeId, UserId},
    limit,
    message::{self, Channel, Content, Refused, feedback, prepare},
    ports::{DatabaseError, Level, Row},
    statement,
    template::{Reader, Slug},
    time::Timestamp,
};

/// Why no code was sent.
#[derive(Debug)]
pub enum ResendError {
    /// As for the first code.
    Create(CreateError),
    /// There is no such challenge.
    NotFound,
    /// It is too early; wait.
    TooEarly(Duration),
    /// It has sent all its codes.
    NoneLeft,
    /// It sends no codes.
    NothingToSend,
    /// It is over.
    Expired,
    /// It took too many wrong answers, or its first code was never sent.
    Dead,
    /// It was canceled.
    Canceled,
    /// It was verified before.
    AlreadyVerified,
}

impl<E: Into<CreateError>> From<E> for ResendError {
    fn from(error: E) -> Self {
        Self::Create(error.into())
    }
}

/// Sends another code: two round trips before the carrier, since the number and the seed have to be read.
pub async fn resend(
    context: &Context,
    id: &ChallengeId,
    by: Option<Channel>,
    reservation: Option<Reservation>,
) -> Result<Created, ResendError> {
    if let Some(issue) = context.config().blocking(Stops::Challenges) {
        return Err(Refused::Misconfigured(issue.clone()).into());
    }
    let now = context.now();
    let key = reservation.as_ref();
    let is_test = context.credential().is_test;
    let mut read = vec![statement!(store::GET_FOR_RESEND, id, is_test, context.bond())];
    read.extend(key.map(Reservation::look_up));
    let answer = context.decide(read).await?;
    if let (Some(key), Some(rows)) = (key, answer.get(1)) {
        match key.claim(rows, "", now)? {
            Claim::Mine => {}
            Claim::Replay(id) => return Ok(replay(context, &id).await?),
            claim => return Err(CreateError::Claimed(claim).into()),
        }
    }
    let row = answer.first().and_then(|rows| rows.first()).ok_or(ResendError::NotFound)?;
    let challenge = Challenge::read(row)?;
    let (Some(destination), Some(last)) = (challenge.destination.clone(), challenge.channel) else {
        return Err(ResendError::NothingToSend);
    };
    refuse_unless_open(context, &challenge)?;

    let channel = by.unwrap_or(last);
    if !destination.takes(channel) {
        return Err(CreateError::ChannelMismatch(channel).into());
    }
    prepare::admit(context, &destination, channel)?;
    let settings = context.settings();
    let generation = challenge.generation + 1;
    let source = CodeSource {
        pepper_id: row.text("pepper_id")?,
        seed: row.text("seed")?,
        generation,
        length: CodeLength::new(row.int("digits")?).unwrap_or(CodeLength::DEFAULT),
    };
    if !context.pepper().has(source.pepper_id) {
        let line = format!("{id} cannot send another code: CODE_PEPPER no longer has the key {}", source.pepper_id);
        context.log(Level::Error, &line);
        return Err(ResendError::Expired);
    }
    let (code, mac) = source.code(context, id, &destination)?;
    let veil = Veil::of(context, &challenge);
    // The first code of a reset says so, and so does every further one.
    let resets = veil.hides() && row.opt_text("flow") == Some(FlowType::PasswordReset.as_str());
    let template = if resets { Slug::ResetPasswordCode } else { challenge.purpose.template() };
    let dies_at = challenge.expires_at.min(now + settings.code_lifetime);
    let text = |column| row.opt_text(column).map(str::to_owned);
    let content = Content {
        template,
        code,
        lifetime: now.until(dies_at),
        locale: challenge.locale.clone(),
        reader: Reader { locale: text("user_locale"), name: text("user_name") },
        app: challenge.app_id.clone(),
    };
    let outgoing = prepare::prepare(context, destination.clone(), channel, content)?;
    let user = challenge.user_id.as_deref().and_then(UserId::parse);
    let is_proven = challenge.factor_id.is_some() && challenge.purpose != Purpose::Enrolment;
    let mut checks = if veil.hides() {
        veiled_checks(context, &destination, channel)
    } else {
        checks(context, user.as_ref(), &destination, channel, is_proven)
    };
    checks.extend(limit::senders(context, &destination, channel, challenge.app_id.as_deref()));
    let stamp = context.stamp();
    let guard = Guard::of(context, &outgoing, challenge.user_id.as_deref(), challenge.app_id.as_deref(), veil.hides());
    let guard = guard.map(|guard| veil.guard(context, guard, &stamp));

    let mut batch: Vec<_> = key.map(|key| key.reserve(id.as_str(), &stamp, now)).into_iter().collect();
    if let Some((guard, stamp)) = &guard {
        batch.extend(guard.judge(context, &checks, key.map(Reservation::key).filter(|_| !veil.hides()), stamp));
    }
    batch.push(statement!(
        store::RESEND,
        limit::store::parameter(&checks),
        now.millis(),
        id,
        stamp.as_str(),
        key.map(Reservation::key),
        challenge.generation,
        mac,
        dies_at.millis(),
        next_resend(context, challenge.sends, now).map(Timestamp::millis),
        settings.limit(limit::SENDS),
        (veil != Veil::Unknown).then_some(&outgoing.id),
        channel.as_str()
    ));
    batch.push(limit::store::spend(&checks, now, id.as_str(), &stamp));
    let event = Event::new(EventType::ChallengeResent, id.as_str())
        .data(json!({"generation": generation, "channel": channel.as_str()}));
    batch.push(event::store::write(context, event, When::Challenge(id.as_str(), &stamp)));
    let unless = guard.as_ref().map(|(_, stamp)| stamp.as_str()).filter(|_| veil.hides());
    batch.extend(message::store::queue(context, &outgoing, id.as_str(), veil.on(&stamp), unless));
    batch.extend(guard.iter().flat_map(|(guard, stamp)| guard.after(context, &outgoing.id, stamp)));
    batch.extend(key.map(|key| key.release_unless_made(&stamp)));
    batch.extend(key.filter(|_| outgoing.route.is_done()).map(|key| key.finish(&stamp)));
    // Empty where nothing judges.
    batch.push(Guard::verdict(guard.as_ref().map(|(_, stamp)| stamp.as_str()).unwrap_or_default()));
    batch.push(limit::store::refusals(&checks, now, id.as_str(), &stamp));
    batch.push(store::get(context, id));
    batch.extend(key.map(Reservation::look_up));
    let answer = context.decide(batch).await?;

    let reported = 3 + usize::from(key.is_some());
    let report = answer.get(answer.len().saturating_sub(reported)..).unwrap_or_default();
    let [verdict, refusals, rows, claim @ ..] = report else {
        return Err(DatabaseError::Other("a batch answered too little".to_owned()).into());
    };
    if let (Some(key), Some(rows)) = (key, claim.first()) {
        match key.claim(rows, &stamp, now)? {
            Claim::Mine => {}
            Claim::Replay(id) => return Ok(replay(context, &id).await?),
            claim => return Err(CreateError::Claimed(claim).into()),
        }
    }
    let row: &Row = rows.first().ok_or(ResendError::NotFound)?;
    let challenge = Challenge::read(row)?;
    let blocked = Guard::read(verdict, now);
    if row.text("stamp")? != stamp {
        // Behind a veil nothing that is told depends on it.
        if let Some(blocked) = blocked.filter(|_| !veil.hides()) {
            return Err(CreateError::Blocked(blocked).into());
        }
        // Somebody was faster, or a limit has no room.
        if let Some(refusal) = limit::store::read_refusals(refusals, now)? {
            return Err(CreateError::Limited(refusal).into());
        }
        refuse_unless_open(context, &challenge)?;
        return Err(ResendError::TooEarly(COOLDOWNS[0]));
    }
    feedback::tell(context, row, &stamp, feedback::Event::Replaced);
    match veil {
        Veil::None => dispatch(context, &outgoing, id, &stamp, Which::Further(generation), &checks, key)
            .await
            .map_err(CreateError::NotSent)?,
        Veil::Known if blocked.is_none() => dispatch_later(context, outgoing, id),
        Veil::Known | Veil::Unknown => {}
    }
    Ok(Created { challenge, shown: Map::new(), replayed: false })
}

/// When the next code may be asked for, after so many were sent before this one.
fn next_resend(context: &Context, sent_before: i64, now: Timestamp) -> Option<Timestamp> {
    let sent = sent_before + 1;
    let cooldown = COOLDOWNS.get(usize::try_from(sent_before).ok()?)?;
    (sent < context.settings().limit(limit::SENDS)).then(|| now + *cooldown)
}

fn refuse_unless_open(context: &Context, challenge: &Challenge) -> Result<(), ResendError> {
    let now = context.now();
    match (challenge.verified_at, challenge.end) {
        (Some(_), _) => return Err(ResendError::AlreadyVerified),
        (None, Some(End::Canceled)) => return Err(ResendError::Canceled),
        (None, Some(End::SendFailed)) => return Err(ResendError::Dead),
        (None, None) => {}
    }
    if challenge.attempts_left() == 0 {
        return Err(ResendError::Dead);
    }
    if challenge.expires_at <= now {
        return Err(ResendError::Expired);
    }
    match challenge.resend_at {
        None => Err(ResendError::NoneLeft),
        // The setting may have become smaller meanwhile.
        Some(_) if challenge.sends >= context.settings().limit(limit::SENDS) => Err(ResendError::NoneLeft),
        Some(at) if at > now => Err(ResendError::TooEarly(now.until(at))),
        Some(_) => Ok(()),
    }
}
