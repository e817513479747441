//! Verifies a password: read, hash, decide. The first batch reads the hash, the slow work is done between, and the
//! second batch counts, tells and clears, if nothing was locked meanwhile and the password is still the same (law 2):
//! of 200 guesses at once as many are told as one after the other. Right, it is a verified challenge, and so a proof.
//! A sign-in puts [`reads`] into the batch that reads its flow, and whatever goes on from there into that of [`decide`].
//! Whoever is unknown takes the same work, the same batches and the same statements (law 8).

use super::store;
use crate::{
    challenge::{self, Challenge, Purpose, answer::AnswerError},
    config::Stops,
    context::Context,
    event::{self, Event, EventType, Outcome, When},
    factor::misconfigured,
    ids::{AppId, ChallengeId, DeviceId, FlowId, UserId},
    limit::{
        self, Refusal,
        lockout::{self, Whom},
    },
    password::{HashError, Password, PasswordHash, Verdict, verify_alike},
    ports::{DatabaseError, Rows, Statement},
    settings::CHALLENGE_LIFETIME,
    statement,
};

/// A password to verify.
pub struct Verify {
    /// Whose it should be.
    pub user: UserId,
    /// What was typed.
    pub password: Password,
    /// What for.
    pub purpose: Purpose,
    /// Through which app.
    pub app: Option<AppId>,
}

/// What it came to.
#[derive(Debug)]
pub enum Verified {
    /// It is the password: a verified challenge.
    Right(Box<Challenge>),
    /// It is not, or there is none: nobody is told which.
    Wrong,
    /// Too many wrong ones; wait.
    Locked(Refusal),
    /// There is no such user.
    UserNotFound,
    /// There is no such app.
    AppNotFound,
}

/// Whose password it should be, as the statements find it out that read it.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// The user with this id.
    User(&'a UserId),
    /// Whom this flow is about: its user, else who has typed its identifier.
    Flow(&'a FlowId),
    /// Whoever has this address, normalised; and its MAC, for where nobody has.
    Email(&'a str, &'a str),
    /// Whoever has this number; and its MAC.
    Phone(&'a str, &'a str),
}

/// What an earlier batch has read.
pub struct Held {
    user: Option<String>,
    factor: Option<String>,
    hash: Option<String>,
    closed: Option<Refusal>,
}

/// One try at a password, of somebody who was read.
pub struct Attempt<'a> {
    /// What was typed.
    pub password: &'a Password,
    /// The MAC of the identifier that was typed: whom it counts for where nobody has it.
    pub identifier: &'a str,
    /// The remembered device that it comes from; the caller knows that it is this very user's, and has not ended.
    pub device: Option<&'a DeviceId>,
    /// What for.
    pub purpose: Purpose,
    /// Through which app.
    pub app: Option<&'a AppId>,
}

/// What goes on in the deciding batch: given the challenge and its stamp, statements that act on them alone.
pub type Also<'a> = &'a (dyn Fn(&ChallengeId, &str) -> Vec<Statement> + Sync);

/// What a try came to; `None`: the password has changed since it was read, so read again. And the rows of what went on.
pub type Decided = (Option<Verified>, Vec<Rows>);

/// How often it is done again when the password changes while it is verified: a newer hash, most of the time.
pub const TRIES: usize = 3;

/// How many statements [`reads`] has.
pub const READS: usize = 2;

/// The statements that read what [`decide`] needs, whoever it is.
pub fn reads(context: &Context, by: By<'_>) -> [Statement; READS] {
    let (now, lockouts) = (context.now(), lockout::parameter(context, None));
    match by {
        By::User(id) => [statement!(store::READ, id), lockout::closed(&lockouts, now, &Whom::User(id.as_str()).key())],
        By::Flow(id) => [statement!(store::READ_OF_FLOW, id), lockout::closed_of_flow(&lockouts, now, id.as_str())],
        By::Email(address, mac) => {
            [statement!(store::READ_OF_EMAIL, address), lockout::closed_of_email(&lockouts, now, address, mac)]
        }
        By::Phone(number, mac) => {
            [statement!(store::READ_OF_PHONE, number), lockout::closed_of_phone(&lockouts, now, number, mac)]
        }
    }
}

impl Held {
    /// Reads the rows of [`reads`].
    pub fn read(context: &Context, answer: &[Rows]) -> Result<Self, DatabaseError> {
        let [users, closed] = answer else { return Err(too_little()) };
        let row = users.first();
        let text = |column| row.and_then(|row| row.opt_text(column)).map(str::to_owned);
        Ok(Self {
            user: text("user_id"),
            factor: text("factor_id"),
            hash: text("secret"),
            closed: lockout::read(closed, context.now())?,
        })
    }

    /// Whose it is, where that is known.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

/// Verifies a password of a known user: two round trips.
pub async fn verify(context: &Context, command: &Verify) -> Result<Verified, AnswerError> {
    let attempt = Attempt {
        password: &command.password,
        identifier: "",
        device: None,
        purpose: command.purpose,
        app: command.app.as_ref(),
    };
    for _ in 0..TRIES {
        let answer = context.decide(reads(context, By::User(&command.user)).into()).await?;
        let held = Held::read(context, &answer)?;
        if held.user.is_none() {
            return Ok(Verified::UserNotFound);
        }
        if let (Some(verified), _) = decide(context, &held, &attempt, &|_, _| Vec::new()).await? {
            return Ok(verified);
        }
    }
    Err(DatabaseError::Unavailable("the password changes while it is verified".to_owned()).into())
}

/// What the deciding batch has of its own, before what goes on in it.
const DECIDES: usize = 9;

/// Does the slow work, and decides in one batch.
pub async fn decide(
    context: &Context,
    held: &Held,
    attempt: &Attempt<'_>,
    also: Also<'_>,
) -> Result<Decided, AnswerError> {
    if let Some(issue) = context.config().blocking(Stops::Challenges) {
        return Err(AnswerError::Misconfigured(issue.clone()));
    }
    // Nothing is told any more, so nothing has to be worked out: the same for whoever has no password. What is closed for
    // addresses is not for a device; what is closed for that, the batch decides.
    if let (Some(refusal), None) = (&held.closed, attempt.device) {
        return Ok((Some(Verified::Locked(refusal.clone())), Vec::new()));
    }
    let whom = held.user.as_deref().map_or(Whom::Unknown(attempt.identifier), Whom::User);
    let (is_right, newer) = work(context, held, attempt)?;
    let (lockouts, whose) = (lockout::parameter(context, attempt.device), whom.key());
    let (now, stamp) = (context.now(), context.stamp());
    let id = ChallengeId::new(now, &*context.ports().random);
    let key = id.as_str();
    let is_test = context.credential().is_test;
    let wrong =
        Event::new(EventType::ChallengeAnsweredWrongly, key).ended(Outcome::Refused, Some("form_password_incorrect"));
    let mut batch = vec![
        statement!(
            store::DECIDE,
            lockouts.as_str(),
            now.millis(),
            &id,
            stamp.as_str(),
            whom.user(),
            held.factor.as_deref(),
            attempt.app,
            attempt.purpose.as_str(),
            limit::store::subject(is_test, whom.user(), attempt.identifier),
            is_test,
            (now + CHALLENGE_LIFETIME).millis(),
            is_right,
            held.hash.as_deref(),
            whose.as_str(),
            context.bond()
        ),
        lockout::count(&lockouts, now, &whose, key, &stamp),
        lockout::clear(&lockouts, &whose, key, &stamp),
        statement!(store::USED, held.factor.as_deref(), now.millis(), &id, stamp.as_str(), newer),
        event::store::write(context, Event::new(EventType::ChallengeVerified, key), When::Verified(key, &stamp)),
        event::store::write(context, wrong, When::AnsweredWrongly(key, &stamp)),
        statement!(store::APP_KNOWN, attempt.app),
        lockout::closed(&lockouts, now, &whose),
        challenge::store::get(context, &id),
    ];
    batch.extend(also(&id, &stamp));
    let mut answer = context.decide(batch).await?;
    let rest = answer.split_off(DECIDES.min(answer.len()));
    let [.., app, closed, challenge] = answer.as_slice() else { return Err(too_little().into()) };
    let verified = if let Some(row) = challenge.first() {
        let challenge = Challenge::read(row)?;
        let is_right = challenge.verified_at.is_some();
        Some(if is_right { Verified::Right(Box::new(challenge)) } else { Verified::Wrong })
    } else if app.first().is_some_and(|row| row.flag("app_known")) {
        lockout::read(closed, now)?.map(Verified::Locked)
    } else {
        Some(Verified::AppNotFound)
    };
    Ok((verified, rest))
}

/// The slow work: whether it is the password, and a newer hash of it where one is due.
fn work(context: &Context, held: &Held, attempt: &Attempt<'_>) -> Result<(bool, Option<String>), AnswerError> {
    let ring = &context.secrets().code_pepper;
    let owner = held.user.as_deref().unwrap_or_default();
    let verdict = || -> Result<(bool, Option<String>), HashError> {
        let kept = held.hash.as_deref().map(PasswordHash::parse).transpose()?;
        let imports = context.settings().password.imported.as_ref();
        Ok(match verify_alike(kept.as_ref(), imports, attempt.password, owner, ring)? {
            Verdict::Wrong => (false, None),
            Verdict::Right { rehash: false } => (true, None),
            Verdict::Right { rehash: true } => {
                let newer = PasswordHash::make(attempt.password, owner, ring, &*context.ports().random)?;
                (true, Some(newer.to_text()))
            }
        })
    };
    verdict().map_err(|error| match error {
        HashError::KeyMissing(_) => misconfigured(context, "CODE_PEPPER", error.to_string()).into(),
        HashError::Malformed | HashError::Memory => DatabaseError::Other(error.to_string()).into(),
    })
}

fn too_little() -> DatabaseError {
    DatabaseError::Other("a batch answered too little".to_owned())
}
