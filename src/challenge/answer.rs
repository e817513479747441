//! Answers a challenge. One batch decides in SQL and counts; what it came to is read from the row (laws 2 to 4).

use std::time::Duration;

use super::{Challenge, End, Given, Purpose, Status, held, store};
use crate::{
    config::{Issue, Stops},
    context::Context,
    crypto::Code,
    event::{self, Event, EventType, Outcome, When},
    factor::{self, Factor, ProveError},
    ids::{ChallengeId, FactorId, UserId},
    limit,
    message::{Destination, feedback},
    ports::{DatabaseError, Row, Rows, Statement},
    statement,
    time::Timestamp,
    user,
};

/// What the caller believes the challenge to be. Another one is not verified by its code, and the answer counts.
#[derive(Default)]
pub struct Expect {
    /// Whose number or mailbox.
    pub destination: Option<Destination>,
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
    Verified(Box<Challenge>, Option<Box<Factor>>),
    /// It was wrong, or the challenge is not what was expected; so many more may come.
    Wrong(Box<Challenge>),
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
    /// It takes an answer of another form: nothing was counted.
    Misfit,
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

impl From<ProveError> for AnswerError {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::Database(error) => Self::Database(error),
            ProveError::Misconfigured(issue) => Self::Misconfigured(issue),
        }
    }
}

impl From<DatabaseError> for AnswerError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// Answers a challenge: one round trip where a code was sent, a second one where something held is proven. Who has a
/// new factor by it is told.
pub async fn answer(
    context: &Context,
    id: &ChallengeId,
    given: &Given,
    expect: &Expect,
) -> Result<Answered, AnswerError> {
    let (answered, _) = answer_beside(context, id, given, expect, Vec::new()).await?;
    Ok(answered)
}

/// The same with further statements behind what decides on a code that was sent; their rows come back.
pub(crate) async fn answer_beside(
    context: &Context,
    id: &ChallengeId,
    given: &Given,
    expect: &Expect,
    beside: Vec<Statement>,
) -> Result<(Answered, Vec<Rows>), AnswerError> {
    let (answered, rows) = decided(context, id, given, expect, beside).await?;
    if let Answered::Verified(challenge, Some(factor)) = &answered
        && challenge.purpose == Purpose::Enrolment
        && factor.activated_at == challenge.verified_at
    {
        factor::notice::added(context, factor);
    }
    Ok((answered, rows))
}

async fn decided(
    context: &Context,
    id: &ChallengeId,
    given: &Given,
    expect: &Expect,
    beside: Vec<Statement>,
) -> Result<(Answered, Vec<Rows>), AnswerError> {
    if let Some(issue) = context.config().blocking(Stops::Challenges) {
        return Err(AnswerError::Misconfigured(issue.clone()));
    }
    let stamp = context.stamp();
    let mut batch = match given {
        Given::Digits(code) => sent(context, id, code, expect, &stamp),
        Given::Recovery(_) | Given::Credential(_) => Vec::new(),
    };
    let reads: Vec<_> = held::reads(id, given).collect();
    let (beside_from, besides) = (batch.len(), beside.len());
    batch.extend(beside);
    let read_from = batch.len();
    batch.extend(reads.iter().flat_map(|(_, statements)| statements.iter().cloned()));
    batch.extend(report(context, id));
    let mut answer = context.decide(batch).await?;
    let [.., factor, row] = answer.as_slice() else { return Err(too_little().into()) };
    let Some(row) = row.first() else { return Ok((Answered::NotFound, Vec::new())) };
    let challenge = Challenge::read(row)?;
    let is_open = challenge.status(context.now()) == Status::Pending;
    if !is_open || (challenge.channel.is_some() && matches!(given, Given::Digits(_))) {
        feedback::tell(context, row, &stamp, feedback::Event::Answered);
        let judged = judge(row, factor.first(), &stamp, context.now())?;
        return Ok((judged, answer.drain(beside_from..beside_from + besides).collect()));
    }
    if challenge.channel.is_some() {
        return Ok((Answered::Misfit, Vec::new()));
    }
    let mut from = read_from;
    let read = reads.iter().find_map(|(kind, statements)| {
        let rows = answer.get(from..from + statements.len());
        from += statements.len();
        rows.filter(|_| *kind == challenge.kind)
    });
    Ok((held::answer(context, &challenge, read.unwrap_or_default(), given, expect, &stamp).await?, Vec::new()))
}

/// Answers a code that was sent, with further statements in the batch that decides, on the challenge's stamp; their rows
/// come back. One round trip.
pub(crate) async fn answer_code(
    context: &Context,
    id: &ChallengeId,
    code: &Code,
    expect: &Expect,
    beside: impl FnOnce(&str) -> Vec<Statement>,
) -> Result<(Answered, Vec<Rows>), AnswerError> {
    if let Some(issue) = context.config().blocking(Stops::Challenges) {
        return Err(AnswerError::Misconfigured(issue.clone()));
    }
    let stamp = context.stamp();
    let mut batch = sent(context, id, code, expect, &stamp);
    let from = batch.len();
    batch.extend(beside(&stamp));
    batch.extend(report(context, id));
    let mut rows = context.decide(batch).await?.split_off(from);
    let (row, factor) = (rows.pop().unwrap_or_default(), rows.pop().unwrap_or_default());
    let Some(row) = row.first() else { return Ok((Answered::NotFound, rows)) };
    feedback::tell(context, row, &stamp, feedback::Event::Answered);
    Ok((judge(row, factor.first(), &stamp, context.now())?, rows))
}

/// The statements that decide an answer to a code that was sent. Other challenges they leave alone.
fn sent(context: &Context, id: &ChallengeId, code: &Code, expect: &Expect, stamp: &str) -> Vec<Statement> {
    let settings = context.settings();
    let mut batch = vec![statement!(
        store::ANSWER,
        context.pepper().answer_macs(id, code),
        context.now().millis(),
        id,
        stamp,
        settings.limit(limit::SECOND_FACTOR_FAILURES),
        settings.limit(limit::SECOND_FACTOR_FAILURES_IN_A_ROW),
        expect.destination.as_ref().map(Destination::as_str),
        expect.user.as_ref(),
        expect.purpose.map(Purpose::as_str),
        expect.factor.as_ref(),
        context.credential().is_test,
        context.bond()
    )];
    batch.extend(follow(context, id, stamp));
    batch
}

/// What follows a decision, on its stamp: failures are counted or cleared, the factor is proven, events are written.
pub(super) fn follow(context: &Context, id: &ChallengeId, stamp: &str) -> Vec<Statement> {
    let (now, key) = (context.now(), id.as_str());
    let wrong =
        Event::new(EventType::ChallengeAnsweredWrongly, key).ended(Outcome::Refused, Some("form_code_incorrect"));
    vec![
        limit::store::count_failure(now, key, stamp),
        limit::store::clear_failures(key, stamp),
        statement!(store::PROVE_FACTOR, id, stamp, now.millis()),
        statement!(store::VOID_RECOVERY, id, stamp, now.millis()),
        statement!(user::store::VERIFY_EMAIL, id, stamp, now.millis()),
        event::store::write(context, Event::new(EventType::UserEmailVerified, key), When::EmailVerified(key, stamp)),
        event::store::write(context, Event::new(EventType::ChallengeVerified, key), When::Verified(key, stamp)),
        event::store::write(context, Event::new(EventType::FactorActivated, key), When::Activated(key, stamp)),
        event::store::write(context, wrong, When::AnsweredWrongly(key, stamp)),
    ]
}

/// The last statements, which say what came of it: the factor, and the challenge.
pub(super) fn report(context: &Context, id: &ChallengeId) -> [Statement; 2] {
    let settings = context.settings();
    let answered = statement!(
        store::ANSWERED,
        id,
        context.now().millis(),
        settings.limit(limit::SECOND_FACTOR_FAILURES),
        settings.limit(limit::SECOND_FACTOR_FAILURES_IN_A_ROW),
        context.credential().is_test,
        context.bond()
    );
    [statement!(store::FACTOR, id), answered]
}

pub(super) fn too_little() -> DatabaseError {
    DatabaseError::Other("a batch answered too little".to_owned())
}

/// What the row says. A row with this request's stamp was decided by it; any other was refused, and says why.
pub(super) fn judge(row: &Row, factor: Option<&Row>, stamp: &str, now: Timestamp) -> Result<Answered, DatabaseError> {
    let challenge = Challenge::read(row)?;
    let decided = row.text("stamp")? == stamp;
    Ok(match (decided, challenge.verified_at, challenge.end) {
        (true, Some(_), _) => {
            let proven = factor.map(Factor::read).transpose()?;
            match (&proven, factor.is_some_and(|row| row.flag("taken"))) {
                (Some(Factor { activated_at: None, .. }), true) => Answered::FactorExists,
                (Some(Factor { activated_at: None, .. }), false) => Answered::ProofRequired,
                _ => Answered::Verified(Box::new(challenge), proven.map(Box::new)),
            }
        }
        (true, None, _) => Answered::Wrong(Box::new(challenge)),
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
