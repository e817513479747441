//! Moves an account to another address or number. The code goes to the new one, whoever has it; what was proven counts,
//! and whose it is already is told only then (law 8). Whoever had the old one is told there.

use super::{AccountError, Owner, standing::Standing};
use crate::{
    challenge::{
        Purpose,
        answer::{self, Answered, Expect},
        create::{self, CreateError, Created},
        draft::{Draft, Facts, Veil},
    },
    context::Context,
    crypto::Code,
    email::EmailAddress,
    event::{self, Event, EventType, When},
    factor::{self, Authority, notice},
    ids::ChallengeId,
    message::{Channel, Destination},
    ports::DatabaseError,
    statement,
    template::{Reader, Slug},
    user::{self, User},
};

/// Sends a code to the new address or number. It uses a proof up, and gives it back where nothing was sent.
pub async fn begin(
    context: &Context,
    owner: &Owner,
    to: Destination,
    channel: Option<Channel>,
    locale: Option<String>,
) -> Result<Created, AccountError> {
    let standing = Standing::read(context, owner).await?;
    let is_theirs = match &to {
        Destination::Email(_) => standing.user.email_verified_at.is_some(),
        Destination::Phone(_) => standing.user.phone_verified_at.is_some(),
    };
    if is_theirs && is_own(&standing.user, &to) {
        return Err(AccountError::Taken);
    }
    let (wanted, authority) = (standing.wanted(), standing.authority);
    let facts = Facts {
        asks: create::sent(to, channel)?,
        user: Some(owner.user.clone()),
        factor: None,
        factor_is_active: true,
        new_factor: None,
        purpose: Purpose::Verification,
        locale,
        reader: Reader::of(&standing.user),
        template: Slug::VerificationCode,
        app: None,
        reservation: None,
        veil: Veil::None,
        veiled_as: None,
    };
    let draft = Draft::new(context, facts)?.allowed_by(authority.clone());
    let (id, answer) = (draft.id.clone(), context.decide(draft.statements(context)).await?);
    match draft.finish(context, &answer).await {
        Ok(created) => Ok(created),
        // It is nobody's factor: nothing else is missing than leave.
        Err(CreateError::FactorNotFound) => Err(AccountError::StepUp(wanted)),
        Err(error) => {
            if let (CreateError::NotSent(_), Authority::Proof(proof)) = (&error, &authority) {
                context.record(vec![factor::store::give_back(proof, id.as_str())]).await?;
            }
            Err(error.into())
        }
    }
}

/// Answers the code: from then on it is theirs, unless somebody else has it. One round trip.
pub async fn answer(
    context: &Context,
    owner: &Owner,
    id: &ChallengeId,
    code: &Code,
) -> Result<Result<User, Answered>, AccountError> {
    let now = context.now().millis();
    let expect = Expect { user: Some(owner.user.clone()), purpose: Some(Purpose::Verification), ..Expect::default() };
    let user = owner.user.as_str();
    let beside = |stamp: &str| {
        let event = |kind| Event::new(kind, user).user(Some(user));
        vec![
            user::change::read(context, &owner.user),
            statement!(user::store::MOVE_EMAIL, id, stamp, now, context.bond()),
            event::store::write(context, event(EventType::UserEmailChanged), When::EmailMoved(id.as_str(), stamp)),
            statement!(user::store::MOVE_PHONE, id, stamp, now, context.bond()),
            event::store::write(context, event(EventType::UserPhoneChanged), When::PhoneMoved(id.as_str(), stamp)),
            user::change::read(context, &owner.user),
        ]
    };
    let (answered, rows) = answer::answer_code(context, id, code, &expect, beside).await?;
    let Answered::Verified(challenge, _) = answered else { return Ok(Err(answered)) };
    let read = |rows: Option<&crate::ports::Rows>| rows.and_then(|rows| rows.first()).map(User::read).transpose();
    let missing = || DatabaseError::Other("a batch answered too little".to_owned());
    let (before, after) = (read(rows.first())?, read(rows.last())?.ok_or_else(missing)?);
    let to = challenge.destination.ok_or_else(missing)?;
    if !is_own(&after, &to) {
        return Err(AccountError::Taken);
    }
    if let Some(before) = before.filter(|before| !is_own(before, &to)) {
        notice::moved(context, &owner.user, &to, own(&before, &to));
    }
    Ok(Ok(after))
}

/// Whether a user signs in with this.
fn is_own(user: &User, to: &Destination) -> bool {
    own(user, to).is_some_and(|own| own.as_str() == to.as_str())
}

/// The address or number that a user signs in with: of the kind of this one.
fn own(user: &User, like: &Destination) -> Option<Destination> {
    match like {
        Destination::Email(_) => {
            user.email.as_deref().and_then(|email| EmailAddress::parse(email).ok()).map(Destination::Email)
        }
        Destination::Phone(_) => user.phone.clone().map(Destination::Phone),
    }
}
