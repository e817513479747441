//! Answers a challenge. One batch decides in SQL and counts; what it came to is read from the row (laws 2 to 4).

use std::time::Duration;

use super::{Challenge, End, Purpose, store};
use crate::{
    config::{Issue, Stops},
    context::Context,
    crypto::Code,
    event::{self, Event, EventType, Outcome, When},
    factor::Factor,
    ids::{ChallengeId, FactorId, UserId},
    limit,
    phone::PhoneNumber,
    ports::{DatabaseError, Row},
    statement,
    time::Timestamp,
};

/// What the caller believes the challenge to be. Another one is not verified by its code, and the answer counts.
#[derive(Default)]
pub struct Expect {
    /// Whose number.
    pub destination: Option<PhoneNumber>,
    /// Whose factor.
    pub user: Option<UserId>,
    /// For what.
    pub purpose: Option<Purpose>,
    /// Which factor.
    pub factor: Option<FactorId>,
}

/// What an answer came to.
#[derive(Debug)]
pub enum Answered {
    /// It was right, and it was the first right one; with the factor that it proved, if it has one.
    Verified(Challenge, Option<Factor>),
    /// It was wrong, or the challenge is not what was expected; so many more may come.
    Wrong(Challenge),
    /// No code lives: it is over, or none is out.
    Expired,
    /// It took too many wrong answers, or its code was never sent.
    Dead,
    /// It was canceled.
    Canceled,
    /// It was verified before.
    AlreadyVerified,
    /// Too many wrong answers of this person lately; wait.
    Locked(Duration),
    /// Too many wrong answers in a row: the server has to unlock.
    LockedForGood,
    /// The code was right, and the new factor cannot become active: the user has proven the same number meanwhile.
    FactorExists,
    /// The code was right, and the new factor cannot become active: the user has got a factor since it was added,
    /// and nothing allowed a further one.
    ProofRequired,
    /// There is no such challenge.
    NotFound,
}

/// Why it could not be decided.
#[derive(Debug)]
pub enum AnswerError {
    /// The database failed.
    Database(DatabaseError),
    /// A variable is missing or malformed.
    Misconfigured(Issue),
}

impl From<DatabaseError> for AnswerError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// Answers a challenge: one round trip.
pub async fn answer(
    context: &Context,
    id: &ChallengeId,
    code: &Code,
    expect: &Expect,
) -> Result<Answered, AnswerError> {
    if let Some(issue) = context.config().blocking(Stops::Challenges) {
        return Err(AnswerError::Misconfigured(issue.clone()));
    }
    let now = context.now();
    let stamp = context.stamp();
    let settings = context.settings();
    let (failures, in_a_row) =
        (settings.limit(limit::SECOND_FACTOR_FAILURES), settings.limit(limit::SECOND_FACTOR_FAILURES_IN_A_ROW));
    let wrong = Event::new(EventType::ChallengeAnsweredWrongly, id.as_str())
        .ended(Outcome::Refused, Some("form_code_incorrect"));
    let key = id.as_str();
    let is_test = context.credential().is_test;
    let batch = vec![
        statement!(
            store::ANSWER,
            context.pepper().answer_macs(id, code),
            now.millis(),
            id,
            stamp.as_str(),
            failures,
            in_a_row,
            expect.destination.as_ref().map(PhoneNumber::e164),
            expect.user.as_ref(),
            expect.purpose.map(Purpose::as_str),
            expect.factor.as_ref(),
            is_test
        ),
        limit::store::count_failure(now, key, &stamp),
        limit::store::clear_failures(key, &stamp),
        statement!(store::PROVE_FACTOR, id, stamp.as_str(), now.millis()),
        event::store::write(context, Event::new(EventType::ChallengeVerified, key), When::Verified(key, &stamp)),
        event::store::write(context, Event::new(EventType::FactorActivated, key), When::Activated(key, &stamp)),
        event::store::write(context, wrong, When::AnsweredWrongly(key, &stamp)),
        statement!(store::FACTOR, id),
        statement!(store::ANSWERED, id, now.millis(), failures, in_a_row, is_test),
    ];
    let answer = context.decide(batch).await?;
    let [.., factor, challenge] = answer.as_slice() else {
        return Err(DatabaseError::Other("a batch answered too little".to_owned()).into());
    };
    match challenge.first() {
        Some(row) => Ok(judge(row, factor.first(), &stamp, now)?),
        None => Ok(Answered::NotFound),
    }
}

/// What the row says. A row with this request's stamp was decided by it; any other was refused, and says why.
fn judge(row: &Row, factor: Option<&Row>, stamp: &str, now: Timestamp) -> Result<Answered, DatabaseError> {
    let challenge = Challenge::read(row)?;
    let decided = row.text("stamp")? == stamp;
    Ok(match (decided, challenge.verified_at, challenge.end) {
        (true, Some(_), _) => {
            let proven = factor.map(Factor::read).transpose()?;
            match (&proven, factor.is_some_and(|row| row.flag("taken"))) {
                (Some(Factor { activated_at: None, .. }), true) => Answered::FactorExists,
                (Some(Factor { activated_at: None, .. }), false) => Answered::ProofRequired,
                _ => Answered::Verified(challenge, proven),
            }
        }
        (true, None, _) => Answered::Wrong(challenge),
        (false, Some(_), _) => Answered::AlreadyVerified,
        (false, None, Some(End::Canceled)) => Answered::Canceled,
        (false, None, Some(End::SendFailed)) => Answered::Dead,
        (false, None, None) if challenge.attempts_left() == 0 => Answered::Dead,
        (false, None, None) => match (row.flag("in_a_row"), row.opt_int("in_a_row_until"), row.opt_int("locked_until"))
        {
            (true, None, _) => Answered::LockedForGood,
            // Nobody can unlock a destination: it waits.
            (true, Some(until), _) | (false, _, Some(until)) => {
                Answered::Locked(now.until(Timestamp::from_millis(until)))
            }
            (false, _, None) => Answered::Expired,
        },
    })
}
