//! Verifies a password: read, hash, decide. The first batch reads the hash, the slow work is done between, and the
//! second batch counts, tells and clears, if nothing was locked meanwhile and the password is still the same (law 2):
//! of 200 guesses at once as many are told as one after the other. Right, it is a verified challenge, and so a proof.

use super::store;
use crate::{
    challenge::{self, Challenge, Purpose, answer::AnswerError},
    config::Stops,
    context::Context,
    event::{self, Event, EventType, Outcome, When},
    factor::misconfigured,
    ids::{AppId, ChallengeId, UserId},
    limit::{self, Refusal, lockout},
    password::{HashError, Password, PasswordHash, Verdict, verify_nothing},
    ports::{DatabaseError, Row},
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

/// How often it is done again when the password changes while it is verified: a newer hash, most of the time.
const TRIES: usize = 3;

/// Verifies a password: two round trips.
pub async fn verify(context: &Context, command: &Verify) -> Result<Verified, AnswerError> {
    if let Some(issue) = context.config().blocking(Stops::Challenges) {
        return Err(AnswerError::Misconfigured(issue.clone()));
    }
    let lockouts = lockout::parameter(context, command.user.as_str());
    for _ in 0..TRIES {
        if let Some(verified) = once(context, command, &lockouts).await? {
            return Ok(verified);
        }
    }
    Err(DatabaseError::Unavailable("the password changes while it is verified".to_owned()).into())
}

/// What was read of a user, held against what was typed.
struct Held<'a> {
    factor: Option<&'a str>,
    hash: Option<&'a str>,
    is_right: bool,
    newer: Option<String>,
}

/// One try; `None`: the password has changed since it was read.
async fn once(context: &Context, command: &Verify, lockouts: &str) -> Result<Option<Verified>, AnswerError> {
    let (now, user) = (context.now(), &command.user);
    let answer = context.decide(vec![statement!(store::READ, user), lockout::closed(lockouts, now)]).await?;
    let [users, closed] = answer.as_slice() else { return Err(too_little().into()) };
    let Some(row) = users.first() else { return Ok(Some(Verified::UserNotFound)) };
    // Nothing is told any more, so nothing has to be worked out: the same for whoever has no password.
    if let Some(refusal) = lockout::read(closed, now)? {
        return Ok(Some(Verified::Locked(refusal)));
    }
    let held = hold(context, command, row)?;
    let (id, stamp) = (ChallengeId::new(now, &*context.ports().random), context.stamp());
    let key = id.as_str();
    let is_test = context.credential().is_test;
    let wrong =
        Event::new(EventType::ChallengeAnsweredWrongly, key).ended(Outcome::Refused, Some("form_password_incorrect"));
    let batch = vec![
        statement!(
            store::DECIDE,
            lockouts,
            now.millis(),
            &id,
            stamp.as_str(),
            user,
            held.factor,
            command.app.as_ref(),
            command.purpose.as_str(),
            limit::store::subject(is_test, Some(user.as_str()), ""),
            is_test,
            (now + CHALLENGE_LIFETIME).millis(),
            held.is_right,
            held.hash,
            context.bond()
        ),
        lockout::count(lockouts, now, key, &stamp),
        lockout::clear(lockouts, key, &stamp),
        statement!(store::USED, held.factor, now.millis(), &id, stamp.as_str(), held.newer),
        event::store::write(context, Event::new(EventType::ChallengeVerified, key), When::Verified(key, &stamp)),
        event::store::write(context, wrong, When::AnsweredWrongly(key, &stamp)),
        statement!(store::APP_KNOWN, command.app.as_ref()),
        lockout::closed(lockouts, now),
        challenge::store::get(context, &id),
    ];
    let answer = context.decide(batch).await?;
    let [.., app, closed, challenge] = answer.as_slice() else { return Err(too_little().into()) };
    if let Some(row) = challenge.first() {
        let challenge = Challenge::read(row)?;
        let is_right = challenge.verified_at.is_some();
        return Ok(Some(if is_right { Verified::Right(Box::new(challenge)) } else { Verified::Wrong }));
    }
    if !app.first().is_some_and(|row| row.flag("app_known")) {
        return Ok(Some(Verified::AppNotFound));
    }
    Ok(lockout::read(closed, now)?.map(Verified::Locked))
}

/// The slow work, which is the same where there is nothing to verify.
fn hold<'a>(context: &Context, command: &Verify, row: &'a Row) -> Result<Held<'a>, AnswerError> {
    let (owner, ring) = (command.user.as_str(), &context.secrets().code_pepper);
    let hash = row.opt_text("secret");
    let verdict = match hash {
        Some(text) => PasswordHash::parse(text).and_then(|hash| hash.verify(&command.password, owner, ring)),
        None => verify_nothing(&command.password, owner, ring),
    };
    let (is_right, newer) = match verdict.map_err(|error| failure(context, &error))? {
        Verdict::Wrong => (false, None),
        Verdict::Right { rehash: false } => (true, None),
        Verdict::Right { rehash: true } => {
            let newer = PasswordHash::make(&command.password, owner, ring, &*context.ports().random);
            (true, Some(newer.map_err(|error| failure(context, &error))?.to_text()))
        }
    };
    Ok(Held { factor: row.opt_text("factor_id"), hash, is_right, newer })
}

fn failure(context: &Context, error: &HashError) -> AnswerError {
    match error {
        HashError::KeyMissing(_) => misconfigured(context, "CODE_PEPPER", error.to_string()).into(),
        HashError::Malformed | HashError::Memory => DatabaseError::Other(error.to_string()).into(),
    }
}

fn too_little() -> DatabaseError {
    DatabaseError::Other("a batch answered too little".to_owned())
}
