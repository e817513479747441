//! Makes a challenge and sends its code, where it sends one. One batch decides, counts and writes everything down; the
//! carrier is asked after it; a second batch records what it said.

use std::fmt;

use serde_json::{Map, Value};

use super::{
    Challenge, Purpose,
    draft::{Asks, Draft, Facts, Veil},
    sending::NotSent,
    store,
};
use crate::{
    context::Context,
    email::EmailAddress,
    factor::{self, Factor, FactorType},
    few::sort_few,
    fraud::Blocked,
    idempotency::{Claim, Reservation},
    ids::{AppId, ChallengeId, FactorId, UserId},
    limit::Refusal,
    message::{Channel, Destination, Refused},
    ports::DatabaseError,
    template::Reader,
    user,
};

/// Whose proof it is.
#[derive(Clone)]
pub enum Target {
    /// Whoever has this number or mailbox (job 1).
    Destination(Destination),
    /// A user, by one of their factors (job 2).
    User(UserId, Wanted),
    /// A user, by one of these factors, which were read already, and how to write to them.
    Factors(UserId, Vec<Factor>, Reader),
    /// A user, by the address that they have: is it theirs?
    Address(UserId),
    /// Whoever has a passkey: it says whose it is.
    Passkey,
}

/// Which of a user's active factors is asked; with nothing named the second factor used last.
#[derive(Clone, Default)]
pub struct Wanted {
    /// This one.
    pub factor: Option<FactorId>,
    /// One of this type.
    pub kind: Option<FactorType>,
}

/// A challenge to make.
pub struct Create {
    /// Whose proof it is.
    pub target: Target,
    /// How a code goes; without it as the destination takes it.
    pub channel: Option<Channel>,
    /// What it is for.
    pub purpose: Purpose,
    /// The language asked for.
    pub locale: Option<String>,
    /// Through which app.
    pub app: Option<AppId>,
    /// The call's key.
    pub reservation: Option<Reservation>,
}

/// A challenge that was made, or the one that the same call made before.
pub struct Created {
    /// The challenge.
    pub challenge: Challenge,
    /// What this answer shows beside it: a passkey's options.
    pub shown: Map<String, Value>,
    /// Whether an earlier call with the same key made it.
    pub replayed: bool,
}

/// Nothing of what is shown once.
impl fmt::Debug for Created {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Created").field("challenge", &self.challenge).finish_non_exhaustive()
    }
}

/// Why there is none.
#[derive(Debug)]
pub enum CreateError {
    /// The database failed.
    Database(DatabaseError),
    /// The number may not get a message.
    Refused(Refused),
    /// A limit has no room.
    Limited(Refusal),
    /// The fraud guard refuses the message.
    Blocked(Blocked),
    /// There is no such user.
    UserNotFound,
    /// The user has no such active factor.
    FactorNotFound,
    /// The user has no address.
    AddressNotFound,
    /// The factor takes no code this way.
    ChannelMismatch(Channel),
    /// Nothing can be asked of this type of factor.
    NotSupported(FactorType),
    /// There is no such app.
    AppNotFound,
    /// The flow has had all the challenges that one may have.
    FlowFull,
    /// The call's key is another call's.
    Claimed(Claim),
    /// The code certainly did not go out.
    NotSent(NotSent),
}

impl From<DatabaseError> for CreateError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<Refused> for CreateError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Makes a challenge.
pub async fn create(context: &Context, command: Create) -> Result<Created, CreateError> {
    let Create { target, channel, purpose, locale, app, reservation } = command;
    let (asks, user, factor, reader) = match target {
        Target::Destination(destination) => (sent(destination, channel)?, None, None, Reader::default()),
        Target::Passkey => (anybodys_passkey(context, channel)?, None, None, Reader::default()),
        Target::User(user, wanted) => {
            let (asks, factor, reader) = asked(context, &user, &wanted, channel).await?;
            (asks, Some(user), factor, reader)
        }
        Target::Factors(user, factors, reader) => {
            let several = factors.len() > 1;
            let factor = factors.first().filter(|_| !several).map(|factor| factor.id.clone());
            (of(context, &factors, channel)?, Some(user), factor, reader)
        }
        Target::Address(user) => {
            let (asks, reader) = own_address(context, &user, channel).await?;
            (asks, Some(user), None, reader)
        }
    };
    let facts = Facts {
        asks,
        user,
        factor,
        factor_is_active: true,
        new_factor: None,
        purpose,
        locale,
        reader,
        template: purpose.template(),
        app,
        reservation,
        veil: Veil::None,
        veiled_as: None,
    };
    let draft = Draft::new(context, facts)?;
    let answer = context.decide(draft.statements(context)).await?;
    draft.finish(context, &answer).await
}

/// A code to this destination.
pub(crate) fn sent(destination: Destination, channel: Option<Channel>) -> Result<Asks, CreateError> {
    let channel = channel.unwrap_or_else(|| destination.default_channel());
    if !destination.takes(channel) {
        return Err(CreateError::ChannelMismatch(channel));
    }
    Ok(Asks::Sent(destination, channel))
}

/// What is asked of a user's factors. Of passkeys all are asked, where none is named.
pub(crate) fn of(context: &Context, factors: &[Factor], channel: Option<Channel>) -> Result<Asks, CreateError> {
    let factor = factors.first().ok_or(CreateError::FactorNotFound)?;
    // Of spent codes nothing can be asked.
    if factor.kind == FactorType::RecoveryCodes && factor.codes_left == 0 {
        return Err(CreateError::FactorNotFound);
    }
    match (&factor.destination, channel) {
        (Some(destination), channel) => sent(destination.clone(), channel),
        (None, Some(channel)) => Err(CreateError::ChannelMismatch(channel)),
        (None, None) => {
            // A password is not awaited: it comes with the call that asks whether it is right.
            let kind = factor::kind(factor.kind).filter(|_| factor.kind != FactorType::Password);
            let kind = kind.ok_or(CreateError::NotSupported(factor.kind))?;
            let (awaits, shown) = kind.challenge(context, factors)?;
            Ok(Asks::Held(factor.kind, awaits, shown))
        }
    }
}

/// An assertion by any discoverable passkey.
fn anybodys_passkey(context: &Context, channel: Option<Channel>) -> Result<Asks, CreateError> {
    let kind = FactorType::Passkey;
    match (factor::kind(kind), channel) {
        (_, Some(channel)) => Err(CreateError::ChannelMismatch(channel)),
        (None, None) => Err(CreateError::NotSupported(kind)),
        (Some(file), None) => {
            let (awaits, shown) = file.challenge(context, &[])?;
            Ok(Asks::Held(kind, awaits, shown))
        }
    }
}

/// What is asked of a user, which factor (none is fixed where any of several passkeys may answer), and how to write to
/// them.
async fn asked(
    context: &Context,
    user: &UserId,
    wanted: &Wanted,
    channel: Option<Channel>,
) -> Result<(Asks, Option<FactorId>, Reader), CreateError> {
    let answer = context.decide(factor::store::list(user)).await?;
    let [users, factors] = answer.as_slice() else { return Err(CreateError::UserNotFound) };
    let user = users.first().ok_or(CreateError::UserNotFound)?;
    let reader = Reader::read(user);
    let mut factors = factors.iter().map(Factor::read).collect::<Result<Vec<_>, _>>()?;
    let kind = wanted.kind.or_else(|| channel.filter(|_| wanted.factor.is_none()).map(Channel::factor));
    factors.retain(|factor| {
        factor.is_active()
            && wanted.factor.as_ref().is_none_or(|id| *id == factor.id)
            && kind.map_or(wanted.factor.is_some() || is_second(factor.kind), |kind| kind == factor.kind)
    });
    // The one used last comes first; of two never used, the newer.
    sort_few(&mut factors, |one, other| (one.last_used_at, &one.id) > (other.last_used_at, &other.id));
    let first = factors.first().ok_or(CreateError::FactorNotFound)?;
    let id = first.id.clone();
    let several = first.kind == FactorType::Passkey && wanted.factor.is_none();
    factors.retain(|factor| if several { factor.kind == FactorType::Passkey } else { factor.id == id });
    Ok((of(context, &factors, channel)?, (!several).then_some(id), reader))
}

/// A code to the address that a user has, whether it was proven before or not.
async fn own_address(context: &Context, id: &UserId, channel: Option<Channel>) -> Result<(Asks, Reader), CreateError> {
    let user = user::change::get(context, id).await?.ok_or(CreateError::UserNotFound)?;
    let reader = Reader::of(&user);
    let address = user.email.and_then(|email| EmailAddress::parse(&email).ok()).ok_or(CreateError::AddressNotFound)?;
    Ok((sent(Destination::Email(address), channel)?, reader))
}

/// Whether a type is asked as a second factor without being named.
fn is_second(kind: FactorType) -> bool {
    matches!(kind, FactorType::Phone | FactorType::Email | FactorType::Totp | FactorType::Passkey)
}

/// The challenge that the same call made before, as it stands now.
pub(crate) async fn replay(context: &Context, id: &str) -> Result<Created, CreateError> {
    let id = ChallengeId::parse(id)
        .ok_or_else(|| DatabaseError::Other("an idempotency key names no challenge".to_owned()))?;
    let answer = context.decide(vec![store::get(context, &id)]).await?;
    let row = answer.first().and_then(|rows| rows.first());
    let challenge = Challenge::read(row.ok_or(CreateError::FactorNotFound)?)?;
    Ok(Created { challenge, shown: Map::new(), replayed: true })
}
