//! Adds a factor: unproven, together with the challenge that proves it, in one batch; or active at once, where nothing
//! is left to prove. It is active once that challenge is answered rightly (`challenge/answer.rs`).

use std::{fmt, time::Duration};

use serde_json::{Map, Value, json};

use super::{Authority, Begun, Factor, FactorType, Kind, New, Person, ProofOf, kind, notice, store};
use crate::{
    challenge::{
        Challenge, Purpose,
        create::{self, CreateError, Created},
        draft::{Asks, Draft, Facts, NewFactor, Veil},
    },
    context::Context,
    device,
    email::EmailAddress,
    event::{self, Event, EventType, When},
    idempotency::{Claim, Reservation},
    ids::{AppId, FactorId, SessionId, UserId},
    limit::{self, Check},
    message::{Channel, Destination},
    password::Weakness,
    phone::PhoneNumber,
    ports::{Rows, Statement},
    session::end::{self, On, Reason},
    statement,
    template::{Reader, Slug},
    user::{self, User},
};

/// How old a proof may be (law 6).
pub(crate) const PROOF_LIFETIME: Duration = Duration::from_mins(10);

/// How long a factor may wait for its proof; housekeeping deletes it later.
const PENDING_LIFETIME: Duration = Duration::from_mins(30);

/// A factor to add.
pub struct Enrol {
    /// Whose.
    pub user: UserId,
    /// What it is made of.
    pub new: New,
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

/// A factor that was added, and the challenge that proves it.
pub struct Enrolled {
    /// The factor.
    pub factor: Factor,
    /// The challenge; `None` where the factor is active at once.
    pub challenge: Option<Challenge>,
    /// What this one answer shows and no later one.
    pub shown: Map<String, Value>,
    /// Whether an earlier call with the same key did it.
    pub replayed: bool,
}

/// Nothing of what is shown once.
impl fmt::Debug for Enrolled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Enrolled").field("challenge", &self.challenge).finish_non_exhaustive()
    }
}

/// Why it was not added.
#[derive(Debug)]
pub enum EnrolError {
    /// As for a challenge.
    Create(CreateError),
    /// The user has this number, address, or the one factor of this type already.
    Taken(FactorType),
    /// The user has a factor, and nothing allows another one.
    ProofRequired,
    /// The proof is not one, is too old, was used, or is another user's.
    ProofInvalid,
    /// A field of what it is made of is wrong: its name, and what is wanted.
    Invalid(&'static str, String),
    /// The password is too weak, and why.
    Weak(Vec<Weakness>),
    /// A setting switches new factors of this type off.
    Disabled(FactorType),
}

impl<E: Into<CreateError>> From<E> for EnrolError {
    fn from(error: E) -> Self {
        Self::Create(error.into())
    }
}

/// Adds a factor: one round trip where a code is sent to it, else a second one that reads whose it will be. A call
/// that is told no language speaks the user's, and so has to read it.
pub async fn enrol(context: &Context, command: Enrol) -> Result<Enrolled, EnrolError> {
    enrol_of(context, command, None).await
}

/// The same for a user who was read already, with their factors.
pub(crate) async fn enrol_of(
    context: &Context,
    command: Enrol,
    known: Option<(User, Vec<Factor>)>,
) -> Result<Enrolled, EnrolError> {
    let of = command.new.kind();
    let file = kind(of).ok_or(CreateError::NotSupported(of))?;
    let id = FactorId::new(context.now(), &*context.ports().random);
    let person = match known {
        Some((user, factors)) => Some(Person { factor: id.clone(), user, factors }),
        None if of.is_sent() && command.locale.is_some() => None,
        None => Some(person(context, &command.user, &id).await?),
    };
    let said = file.consult(context, person.as_ref(), &command.new).await?;
    let mut begun = file.begin(context, person.as_ref(), &command.new)?;
    begun.data.extend(said);
    match begun.proof {
        ProofOf::Sent(channel) => {
            let destination = begun.destination.clone().ok_or(CreateError::FactorNotFound)?;
            let asks = create::sent(destination, Some(channel))?;
            pending(context, &command, person.as_ref(), &id, &begun, asks).await
        }
        ProofOf::Held(ref awaits) => {
            let asks = Asks::Held(of, awaits.clone(), begun.shown.clone());
            pending(context, &command, person.as_ref(), &id, &begun, asks).await
        }
        ProofOf::Nothing => {
            let had_one =
                person.is_some_and(|person| person.factors.iter().any(|one| one.kind == of && one.is_active()));
            let enrolled = at_once(context, &command, file, &id, begun).await?;
            match (enrolled.replayed, had_one) {
                (true, _) => {}
                (false, true) => notice::replaced(context, &enrolled.factor),
                (false, false) => notice::added(context, &enrolled.factor),
            }
            Ok(enrolled)
        }
    }
}

/// Whose factor it will be.
pub(super) async fn person(context: &Context, user: &UserId, factor: &FactorId) -> Result<Person, EnrolError> {
    let answer = context.decide(vec![user::change::read(context, user), statement!(store::LIST, user)]).await?;
    let [users, factors] = answer.as_slice() else { return Err(CreateError::UserNotFound.into()) };
    let user = users.first().map(User::read).transpose()?.ok_or(CreateError::UserNotFound)?;
    Ok(Person { factor: factor.clone(), user, factors: factors.iter().map(Factor::read).collect::<Result<_, _>>()? })
}

/// Adds an unproven factor and its challenge.
async fn pending(
    context: &Context,
    command: &Enrol,
    person: Option<&Person>,
    id: &FactorId,
    begun: &Begun,
    asks: Asks,
) -> Result<Enrolled, EnrolError> {
    let of = command.new.kind();
    let facts = Facts {
        asks,
        user: Some(command.user.clone()),
        factor: Some(id.clone()),
        factor_is_active: false,
        new_factor: Some(NewFactor { proof: command.authority.proof().cloned() }),
        purpose: Purpose::Enrolment,
        locale: command.locale.clone(),
        reader: person.map(|person| Reader::of(&person.user)).unwrap_or_default(),
        template: Slug::EnrolmentCode,
        app: command.app.clone(),
        reservation: command.reservation.clone(),
        veil: Veil::None,
        veiled_as: None,
    };
    let draft = Draft::new(context, facts)?;
    let row = NewRow { command, of, id, begun, stamp: &draft.stamp, checks: &draft.checks };
    let mut batch = draft.statements_after(context, row.statements(context));
    // First of the report, so that the challenge's report stays at the end.
    let at = batch.len().saturating_sub(draft.report_length());
    batch.insert(at, statement!(store::GET, id, &command.user));
    batch.insert(0, row.why_not(context));
    let mut answer = context.decide(batch).await?;
    let why_not = answer.remove(0);
    let at = answer.len().saturating_sub(draft.report_length() + 1);
    let factor = answer.get(at).and_then(|rows| rows.first()).map(Factor::read).transpose()?;
    let refusal = refusal(&why_not, &command.authority, of);
    match (draft.finish(context, &answer).await, factor) {
        (Ok(Created { challenge, shown, .. }), Some(factor)) => {
            Ok(Enrolled { factor, challenge: Some(challenge), shown, replayed: false })
        }
        (Ok(created), None) => {
            let id = created.challenge.factor_id.clone();
            replayed(context, id.as_deref(), Some(created.challenge), &command.user).await
        }
        // The factor refused, and so the challenge had none. Who may not add one is told that, whatever the guard says.
        (Err(error @ (CreateError::FactorNotFound | CreateError::Blocked(_))), None) => {
            Err(refusal.unwrap_or(EnrolError::Create(error)))
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// Adds a factor that is active at once.
async fn at_once(
    context: &Context,
    command: &Enrol,
    file: &dyn Kind,
    id: &FactorId,
    begun: Begun,
) -> Result<Enrolled, EnrolError> {
    let of = command.new.kind();
    let (now, stamp, key) = (context.now(), context.stamp(), command.reservation.as_ref());
    let row = NewRow { command, of, id, begun: &begun, stamp: &stamp, checks: &[] };
    let mut data = begun.data.clone();
    data.insert("type".to_owned(), Value::from(of.as_str()));
    let event =
        Event::new(EventType::FactorActivated, id.as_str()).user(Some(command.user.as_str())).data(Value::Object(data));
    let mut batch = vec![row.why_not(context)];
    batch.extend(key.map(|key| key.reserve(id.as_str(), &stamp, now)));
    batch.extend(row.statements(context));
    if of == FactorType::Password {
        // Whoever knew the old one may have a device remembered. The session that changes it stays.
        let own = context.bond().and_then(SessionId::parse);
        batch.push(device::forget_after(&command.user, id, &stamp));
        batch.extend(end::with(context, &command.user, On::Factor(id), &stamp, own.as_ref(), Reason::PasswordChanged));
    }
    batch.push(statement!(store::REPLACE, &command.user, of.as_str(), id, stamp.as_str()));
    batch.push(statement!(store::ACTIVATE, id, stamp.as_str(), now.millis()));
    batch.extend(file.added(command.user.as_str(), id.as_str(), &stamp));
    batch.push(event::store::write(context, event, When::Factor(id.as_str(), &stamp)));
    batch.extend(key.map(|key| key.release_unless_made(&stamp)));
    batch.extend(key.map(|key| key.finish(&stamp)));
    batch.push(statement!(store::GET, id, &command.user));
    batch.extend(key.map(Reservation::look_up));
    let answer = context.decide(batch).await?;
    let (claim, factor) = match key {
        Some(key) => {
            let rows = answer.last().map(Vec::as_slice).unwrap_or_default();
            (key.claim(rows, &stamp, now)?, answer.iter().rev().nth(1))
        }
        None => (Claim::Mine, answer.last()),
    };
    match claim {
        Claim::Mine => {}
        Claim::Replay(earlier) => return replayed(context, Some(&earlier), None, &command.user).await,
        claim => return Err(CreateError::Claimed(claim).into()),
    }
    match factor.and_then(|rows| rows.first()) {
        Some(row) => Ok(Enrolled { factor: Factor::read(row)?, challenge: None, shown: begun.shown, replayed: false }),
        None => Err(answer
            .first()
            .and_then(|why_not| refusal(why_not, &command.authority, of))
            .unwrap_or(EnrolError::Create(CreateError::FactorNotFound))),
    }
}

/// The row of a new factor, before it is decided.
struct NewRow<'a> {
    command: &'a Enrol,
    of: FactorType,
    id: &'a FactorId,
    begun: &'a Begun,
    stamp: &'a str,
    checks: &'a [Check],
}

impl NewRow<'_> {
    fn since(context: &Context) -> i64 {
        context.now().before(PROOF_LIFETIME).millis()
    }

    /// Decides, uses the proof up, writes what is kept beside the row, and the event.
    fn statements(&self, context: &Context) -> Vec<Statement> {
        let Enrol { user, name, authority, app, reservation, .. } = self.command;
        let (now, destination) = (context.now(), self.begun.destination.as_ref());
        let (phone, email) = (destination.and_then(Destination::phone), destination.and_then(Destination::email));
        let mut statements = vec![statement!(
            store::ENROL,
            limit::store::parameter(self.checks),
            now.millis(),
            self.id,
            self.stamp,
            reservation.as_ref().map(Reservation::key),
            user,
            name.as_deref(),
            phone.map(PhoneNumber::e164),
            destination.and_then(Destination::country),
            authority.is_override(),
            authority.proof(),
            Self::since(context),
            app.as_ref(),
            self.of.as_str(),
            email.map(EmailAddress::given),
            email.map(EmailAddress::as_str),
            self.begun.secret.as_deref(),
            Value::Object(self.begun.data.clone()).to_string(),
            self.begun.replaces,
            context.credential().is_test,
            context.bond()
        )];
        let on_stamp = When::Factor(self.id.as_str(), self.stamp);
        if let Some(proof) = authority.proof() {
            statements.push(statement!(store::CONSUME, proof, now.millis(), self.id, self.stamp));
            let event = Event::new(EventType::ChallengeConsumed, proof.as_str()).user(Some(user.as_str()));
            statements.push(event::store::write(context, event, on_stamp));
        }
        statements.extend(self.begun.beside.iter().cloned());
        let event = Event::new(EventType::FactorEnrolmentStarted, self.id.as_str())
            .user(Some(user.as_str()))
            .data(json!({"type": self.of.as_str(), "authority": authority.kind()}))
            .ended(event::Outcome::Success, authority.reason());
        statements.push(event::store::write(context, event, on_stamp));
        statements
    }

    /// Tells afterwards why the row was refused; it stands before all that changes something.
    fn why_not(&self, context: &Context) -> Statement {
        let Enrol { user, authority, app, .. } = self.command;
        let destination = self.begun.destination.as_ref();
        statement!(
            store::WHY_NOT,
            user,
            destination.and_then(Destination::phone).map(PhoneNumber::e164),
            authority.is_override(),
            authority.proof(),
            Self::since(context),
            self.of.as_str(),
            destination.and_then(Destination::email).map(EmailAddress::as_str),
            self.begun.replaces,
            app.as_ref(),
            context.credential().is_test,
            context.bond()
        )
    }
}

/// Why the factor was not added, beside limits and idempotency.
fn refusal(why_not: &Rows, authority: &Authority, of: FactorType) -> Option<EnrolError> {
    let row = why_not.first()?;
    if !row.flag("user_known") {
        return Some(CreateError::UserNotFound.into());
    }
    if !row.flag("app_known") {
        return Some(CreateError::AppNotFound.into());
    }
    if row.flag("taken") {
        return Some(EnrolError::Taken(of));
    }
    match (row.flag("allowed"), authority) {
        (true, _) => None,
        (false, Authority::Proof(_)) => Some(EnrolError::ProofInvalid),
        (false, _) => Some(EnrolError::ProofRequired),
    }
}

/// The factor that the same call made before, as it stands now. What was shown once is not shown again.
async fn replayed(
    context: &Context,
    factor: Option<&str>,
    challenge: Option<Challenge>,
    user: &UserId,
) -> Result<Enrolled, EnrolError> {
    let answer = context.decide(vec![statement!(store::GET, factor, user)]).await?;
    let row = answer.first().and_then(|rows| rows.first());
    // It may have been removed since, or another one has taken its place.
    let factor = Factor::read(row.ok_or(CreateError::FactorNotFound)?)?;
    let hidden = kind(factor.kind).map(Kind::shows_once).unwrap_or_default();
    let shown = hidden.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    Ok(Enrolled { factor, challenge, shown, replayed: true })
}

/// Sends another challenge for a factor that is not proven yet, or challenges one that is.
pub async fn challenge(
    context: &Context,
    user: UserId,
    factor: FactorId,
    channel: Option<Channel>,
    locale: Option<String>,
    reservation: Option<Reservation>,
) -> Result<Created, CreateError> {
    let answer = context.decide(vec![statement!(store::GET, &factor, &user), statement!(store::USER, &user)]).await?;
    let row = answer.first().and_then(|rows| rows.first()).ok_or(CreateError::FactorNotFound)?;
    let reader = answer.get(1).and_then(|rows| rows.first()).map(Reader::read).unwrap_or_default();
    let found = Factor::read(row)?;
    let is_active = found.is_active();
    // What allowed it has to be recent: an old pending factor is as good as none.
    if !is_active && found.created_at < context.now().before(PENDING_LIFETIME) {
        return Err(CreateError::FactorNotFound);
    }
    let asks = create::of(context, &[found], channel)?;
    // What a pending factor awaits was fixed when it was begun; only a code can be sent again.
    if !is_active && matches!(asks, Asks::Held(..)) {
        return Err(CreateError::FactorNotFound);
    }
    // In a session, what is active is challenged by a step-up, which asks the policy.
    if is_active && context.bond().is_some() {
        return Err(CreateError::FactorNotFound);
    }
    let purpose = if is_active { Purpose::SignIn } else { Purpose::Enrolment };
    let facts = Facts {
        asks,
        user: Some(user),
        factor: Some(factor),
        factor_is_active: is_active,
        new_factor: None,
        purpose,
        locale,
        reader,
        template: purpose.template(),
        app: None,
        reservation,
        veil: Veil::None,
        veiled_as: None,
    };
    let draft = Draft::new(context, facts)?;
    let answer = context.decide(draft.statements(context)).await?;
    draft.finish(context, &answer).await
}
