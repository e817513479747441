//! Answers a challenge that no code was sent for: what the user holds is proven by the file of its type. What that file
//! read came with the challenge; here a second batch takes the turn, accepts on conditions, and decides (law 2).

use super::{
    Challenge, Given,
    answer::{AnswerError, Answered, Expect, follow, judge, report, too_little},
    store,
};
use crate::{
    context::Context,
    factor::{self, FactorType, Kind, Verdict},
    ids::{ChallengeId, FactorId, UserId},
    limit,
    ports::{Rows, Statement},
    statement,
};

/// What each type of factor that could take such an answer has to read, in the batch that reads the challenge.
pub(super) fn reads(id: &ChallengeId, given: &Given) -> impl Iterator<Item = (FactorType, Vec<Statement>)> {
    FactorType::ALL
        .into_iter()
        .filter(|of| !of.is_sent())
        .filter_map(|of| Some((of, factor::kind(of)?.reads(id.as_str(), given))))
        .filter(|(_, statements)| !statements.is_empty())
}

/// Answers.
pub(super) async fn answer(
    context: &Context,
    challenge: &Challenge,
    read: &[Rows],
    given: &Given,
    expect: &Expect,
    stamp: &str,
) -> Result<Answered, AnswerError> {
    let kind = factor::kind(challenge.kind).filter(|_| challenge.channel.is_none() && is_expected(challenge, expect));
    let verdict = match kind {
        Some(kind) => prove(kind, context, challenge, read, given, expect, stamp).await?,
        // Another challenge than the caller believes, or another kind of answer than it takes: wrong, and it counts.
        None => Verdict::wrong(),
    };
    let (id, now, settings) = (&challenge.id, context.now(), context.settings());
    let mut batch = vec![statement!(
        store::OPEN,
        id,
        now.millis(),
        context.credential().is_test,
        stamp,
        settings.limit(limit::SECOND_FACTOR_FAILURES),
        settings.limit(limit::SECOND_FACTOR_FAILURES_IN_A_ROW),
        context.bond()
    )];
    if verdict.is_right {
        batch.extend(verdict.accept);
    }
    batch.push(statement!(store::DECIDE, id, now.millis(), verdict.factor, stamp, verdict.evidence.to_string()));
    batch.extend(follow(context, id, stamp));
    batch.extend(report(context, id));
    let answer = context.decide(batch).await?;
    let [.., factor, row] = answer.as_slice() else { return Err(too_little().into()) };
    match row.first() {
        Some(row) => Ok(judge(row, factor.first(), stamp, now)?),
        None => Ok(Answered::NotFound),
    }
}

/// What a challenge is bound to never changes, so that it can be compared here.
fn is_expected(challenge: &Challenge, expect: &Expect) -> bool {
    // A passkey's challenge may name nobody until it is answered; who answered is compared then.
    let is = |named: &Option<String>, expected: Option<&str>| match (named, expected) {
        (Some(named), Some(expected)) => named == expected,
        _ => true,
    };
    expect.destination.is_none()
        && is(&challenge.user_id, expect.user.as_ref().map(UserId::as_str))
        && is(&challenge.factor_id, expect.factor.as_ref().map(FactorId::as_str))
        && expect.purpose.is_none_or(|purpose| purpose == challenge.purpose)
}

async fn prove(
    kind: &'static dyn Kind,
    context: &Context,
    challenge: &Challenge,
    read: &[Rows],
    given: &Given,
    expect: &Expect,
    stamp: &str,
) -> Result<Verdict, AnswerError> {
    let verdict = kind.prove(context, challenge, read, given, stamp).await?;
    let other_factor = challenge.factor_id.is_none()
        && expect.factor.as_ref().is_some_and(|expected| verdict.factor.as_deref() != Some(expected.as_str()));
    let other_user = challenge.user_id.is_none()
        && expect.user.as_ref().is_some_and(|expected| verdict.user.as_deref() != Some(expected.as_str()));
    Ok(if other_factor || other_user { Verdict::wrong() } else { verdict })
}
