//! Adds a phone: an unproven factor and the code that proves it, in one batch. It is active once that
//! challenge is answered rightly (`challenge/answer.rs`).

use std::time::Duration;

use serde_json::json;

use super::{Authority, Factor, store};
use crate::{
    challenge::{
        Challenge, Purpose,
        create::{CreateError, Draft, Facts},
    },
    context::Context,
    event::{self, Event, EventType, When},
    idempotency::Reservation,
    ids::{AppId, FactorId, UserId},
    limit,
    phone::PhoneNumber,
    ports::{DatabaseError, Rows},
    statement,
};

/// How old a proof may be (law 6).
pub(super) const PROOF_LIFETIME: Duration = Duration::from_mins(10);

/// A phone to add.
pub struct Enrol {
    /// Whose.
    pub user: UserId,
    /// Its number.
    pub number: PhoneNumber,
    /// What the user calls it.
    pub name: Option<String>,
    /// What allows it, when the user has a factor.
    pub authority: Authority,
    /// The language asked for.
    pub locale: Option<String>,
    /// Through which app.
    pub app: Option<AppId>,
    /// The call's key.
    pub reservation: Option<Reservation>,
}

/// A phone that was added, and the challenge that proves it.
#[derive(Debug)]
pub struct Enrolled {
    /// The factor, unproven.
    pub factor: Factor,
    /// The challenge.
    pub challenge: Challenge,
    /// Whether an earlier call with the same key did it.
    pub replayed: bool,
}

/// Why it was not added.
#[derive(Debug)]
pub enum EnrolError {
    /// As for a challenge.
    Create(CreateError),
    /// The user has this number already.
    PhoneTaken,
    /// The user has a factor, and nothing allows another one.
    ProofRequired,
    /// The proof is not one, is too old, was used, or is another user's.
    ProofInvalid,
}

impl<E: Into<CreateError>> From<E> for EnrolError {
    fn from(error: E) -> Self {
        Self::Create(error.into())
    }
}

/// Adds a phone and sends its code.
pub async fn enrol(context: &Context, command: Enrol) -> Result<Enrolled, EnrolError> {
    let now = context.now();
    let Enrol { user, number, name, authority, locale, app, reservation } = command;
    let id = FactorId::new(now, &*context.ports().random);
    let draft = Draft::new(
        context,
        Facts {
            number: number.clone(),
            user: Some(user.clone()),
            factor: Some(id.clone()),
            factor_is_active: false,
            is_new_factor: true,
            purpose: Purpose::Enrolment,
            locale,
            app: app.clone(),
            reservation: reservation.clone(),
        },
    )?;
    let stamp = draft.stamp.clone();
    let since = now.before(PROOF_LIFETIME).millis();
    let mut before = vec![statement!(
        store::ENROL,
        limit::store::parameter(&draft.checks),
        now.millis(),
        &id,
        stamp.as_str(),
        reservation.as_ref().map(Reservation::key),
        &user,
        name.as_deref(),
        number.e164(),
        number.country().as_str(),
        authority.is_override(),
        authority.proof(),
        since,
        app.as_ref()
    )];
    if let Some(proof) = authority.proof() {
        before.push(statement!(store::CONSUME, proof, now.millis(), &id, stamp.as_str()));
    }
    let event = Event::new(EventType::FactorEnrolmentStarted, id.as_str())
        .user(Some(user.as_str()))
        .data(json!({"type": "phone", "authority": authority.kind()}))
        .ended(event::Outcome::Success, authority.reason());
    before.push(event::store::write(context, event, When::Factor(id.as_str(), &stamp)));
    let why_not = statement!(store::WHY_NOT, &user, number.e164(), authority.is_override(), authority.proof(), since);
    let mut batch = draft.statements_after(context, before);
    // First of the report, so that the challenge's report stays at the end.
    let at = batch.len().saturating_sub(draft.report_length());
    batch.insert(at, statement!(store::GET, &id, &user));
    batch.insert(0, why_not);
    let mut answer = context.decide(batch).await?;
    let why_not = answer.remove(0);
    let at = answer.len().saturating_sub(draft.report_length() + 1);
    let factor = answer.get(at).and_then(|rows| rows.first()).map(Factor::read).transpose()?;
    let refusal = refusal(&why_not, &authority);
    match (draft.finish(context, &answer).await, factor) {
        (Ok(created), Some(factor)) => Ok(Enrolled { factor, challenge: created.challenge, replayed: false }),
        (Ok(created), None) => replayed(context, created.challenge, &user).await,
        // The factor refused, and so the challenge had none.
        (Err(CreateError::FactorNotFound), None) => {
            Err(refusal.unwrap_or(EnrolError::Create(CreateError::FactorNotFound)))
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// Why the factor was not added, beside limits and idempotency.
fn refusal(why_not: &Rows, authority: &Authority) -> Option<EnrolError> {
    let row = why_not.first()?;
    if !row.flag("user_known") {
        return Some(CreateError::UserNotFound.into());
    }
    if row.flag("phone_taken") {
        return Some(EnrolError::PhoneTaken);
    }
    match (row.flag("allowed"), authority) {
        (true, _) => None,
        (false, Authority::Proof(_)) => Some(EnrolError::ProofInvalid),
        (false, _) => Some(EnrolError::ProofRequired),
    }
}

/// The factor of the challenge that the same call made before.
async fn replayed(context: &Context, challenge: Challenge, user: &UserId) -> Result<Enrolled, EnrolError> {
    let answer = context.decide(vec![statement!(store::GET, challenge.factor_id.as_deref(), user)]).await?;
    let row = answer.first().and_then(|rows| rows.first());
    let row = row.ok_or_else(|| DatabaseError::Other("a repeated enrolment has no factor".to_owned()))?;
    Ok(Enrolled { factor: Factor::read(row)?, challenge, replayed: true })
}

/// Sends another challenge for a factor that is not proven yet.
pub async fn challenge(
    context: &Context,
    user: UserId,
    factor: FactorId,
    locale: Option<String>,
    reservation: Option<Reservation>,
) -> Result<crate::challenge::create::Created, CreateError> {
    let answer = context.decide(vec![statement!(store::GET, &factor, &user)]).await?;
    let row = answer.first().and_then(|rows| rows.first()).ok_or(CreateError::FactorNotFound)?;
    let found = Factor::read(row)?;
    let number = found.phone.ok_or(CreateError::FactorNotFound)?;
    let is_active = found.activated_at.is_some();
    let purpose = if is_active { Purpose::SignIn } else { Purpose::Enrolment };
    let facts = Facts {
        number,
        user: Some(user),
        factor: Some(factor),
        factor_is_active: is_active,
        is_new_factor: false,
        purpose,
        locale,
        app: None,
        reservation,
    };
    let draft = Draft::new(context, facts)?;
    let answer = context.decide(draft.statements(context)).await?;
    draft.finish(context, &answer).await
}
