//! What every code that goes out has in common: who is counted, which code it is, and what is written down
//! after the carrier was asked. A failed send leaves no live code (law 6).

use super::store;
use crate::{
    context::Context,
    crypto::Code,
    factor::{self, FactorType},
    idempotency::Reservation,
    ids::{ChallengeId, FactorId, UserId},
    limit::{self, Check, LIMITS, Limit, Per},
    message::{
        self, Channel, Destination, Outgoing,
        drivers::{Outcome, Why},
        failover::{Delivered, deliver},
    },
    ports::{DatabaseError, Level},
    settings::TestMode,
};

/// Where a code comes from: derived, so that it is stored nowhere (`docs/decisions/0004`).
pub(crate) struct CodeSource<'a> {
    /// The pepper's key.
    pub(crate) pepper_id: &'a str,
    /// The challenge's random seed.
    pub(crate) seed: &'a str,
    /// Which code of the challenge.
    pub(crate) generation: i64,
    /// How long it is.
    pub(crate) length: crate::crypto::CodeLength,
}

impl CodeSource<'_> {
    /// The code and the MAC that stands for it. A test number's code is 424242 while test mode is enabled.
    pub(crate) fn code(
        &self,
        context: &Context,
        id: &ChallengeId,
        destination: &Destination,
    ) -> Result<(Code, String), DatabaseError> {
        let pepper = context.pepper();
        let missing = || DatabaseError::Other("CODE_PEPPER no longer has the key of this challenge".to_owned());
        let code = if destination.is_test() && context.test_mode() == TestMode::Enabled {
            Code::of_test_numbers(self.length)
        } else {
            pepper.code(self.pepper_id, id, self.seed, self.generation, self.length).ok_or_else(missing)?
        };
        let mac = pepper.code_mac(self.pepper_id, id, &code).ok_or_else(missing)?;
        Ok((code, mac))
    }
}

/// Everything that has to have room before a code goes to a destination: the table's rows per user and destination.
/// `is_proven`: it is an active factor of the user.
pub(crate) fn checks(
    context: &Context,
    user: Option<&UserId>,
    destination: &Destination,
    channel: Channel,
    is_proven: bool,
) -> Vec<Check> {
    let mac = context.pepper().destination_mac(destination.as_str());
    rows(context, user, &mac, Some(channel), is_proven)
}

/// The same before a first factor is proven: nothing of it uses up what the owner of the address has, on whose behalf
/// anybody may ask. It counts by destination and network, and over all networks once more, as tries.
pub(crate) fn veiled_checks(context: &Context, destination: &Destination, channel: Channel) -> Vec<Check> {
    let settings = context.settings();
    let subject = limit::store::veiled_subject(context, destination.as_str());
    let everywhere = format!("veiled:{}", context.pepper().destination_mac(destination.as_str()));
    let check = |limit: &Limit| match limit.per {
        Per::Subject => Some(Check::only(*limit, limit::store::counts_for(limit, &subject), settings)),
        Per::Destination | Per::NewDestination if limit.holds(Some(channel)) => {
            let is_total = limit.name == limit::TRIES_DESTINATION_HALF_HOUR.name;
            Some(Check::spend(*limit, if is_total { &everywhere } else { &subject }, settings))
        }
        _ => None,
    };
    LIMITS.iter().filter_map(check).collect()
}

/// The same for a challenge that sends nothing.
pub(crate) fn held_checks(
    context: &Context,
    user: Option<&UserId>,
    challenge: &ChallengeId,
    of: FactorType,
) -> Vec<Check> {
    let mut checks = rows(context, user, &context.pepper().destination_mac(challenge.as_str()), None, true);
    if let (FactorType::Totp, Some(user)) = (of, user) {
        let whom = if context.credential().is_test { format!("test:{user}") } else { user.to_string() };
        checks.push(Check::spend(limit::REQUESTS_USER_FIVE_MINUTES, &whom, context.settings()));
    }
    checks
}

fn rows(context: &Context, user: Option<&UserId>, mac: &str, channel: Option<Channel>, is_proven: bool) -> Vec<Check> {
    let settings = context.settings();
    let test = context.credential().is_test;
    let subject = limit::store::subject(test, user.map(UserId::as_str), mac);
    // A test key's messages go nowhere: they use up nobody's limits.
    let whom = |whom: &str| if test { format!("test:{whom}") } else { whom.to_owned() };
    let check = |limit: &Limit| match limit.per {
        // Counted by wrong answers; here they only have to have room.
        Per::Subject => Some(Check::only(*limit, &subject, settings)),
        Per::User if limit.holds(channel) => user.map(|user| Check::spend(*limit, &whom(user.as_str()), settings)),
        Per::Destination if limit.holds(channel) => Some(Check::spend(*limit, &whom(mac), settings)),
        Per::NewDestination if limit.holds(channel) && !is_proven => Some(Check::spend(*limit, &whom(mac), settings)),
        _ => None,
    };
    LIMITS.iter().filter_map(check).collect()
}

/// Carriers' codes for numbers that exist and get no SMS: landlines, mostly.
const NO_SMS: [&str; 4] = ["21214", "21614", "30006", "60205"];

/// Whether a carrier's code says that a number exists and gets no SMS.
pub(crate) fn gets_no_sms(code: &str) -> bool {
    NO_SMS.contains(&code)
}

/// A send that certainly did not go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSent {
    /// The message's id, to look it up.
    pub message_id: String,
    /// The class: `retryable`, `recipient_refused`, `misconfigured`, `fraud_blocked`.
    pub class: &'static str,
    /// The driver.
    pub driver: &'static str,
    /// The carrier's code and what to do.
    pub why: Why,
    /// The channel that may reach this recipient instead.
    pub instead: Option<Channel>,
}

/// Which code of a challenge goes out.
#[derive(Clone, Copy)]
pub(crate) enum Which<'a> {
    /// The first: without it there is no challenge.
    First,
    /// The first of a new factor: without it there is no such factor, and what allowed it is given back.
    Enrolment(&'a FactorId, Option<&'a ChallengeId>),
    /// A further one, with its generation: without it, it may be asked for again.
    Further(i64),
    /// One that nobody may learn of: the challenge stays as it is, as the one of somebody unknown does.
    Veiled,
}

/// Asks the drivers, if any is to be asked, and writes down what became of it. The decision is made and stamped.
pub(crate) async fn dispatch(
    context: &Context,
    outgoing: &Outgoing,
    challenge: &ChallengeId,
    stamp: &str,
    which: Which<'_>,
    checks: &[Check],
    reservation: Option<&Reservation>,
) -> Result<(), NotSent> {
    let Some(delivered) = deliver(context, outgoing).await else {
        if context.dev_tools() {
            context.log(Level::Info, &format!("{} dropped, and would have said: {}", outgoing.id, outgoing.body));
        }
        return Ok(());
    };
    let not_sent = not_sent(context, outgoing, &delivered);
    let now = context.ports().clock.now();
    let mut statements = message::store::ended(context, outgoing, &delivered);
    if not_sent.is_some() {
        match which {
            Which::First => statements.push(store::send_failed(challenge, now)),
            Which::Enrolment(factor, proof) => statements.extend(factor::store::abandon(factor, proof)),
            Which::Further(generation) => statements.push(store::resend_failed(challenge, generation, now)),
            Which::Veiled => {}
        }
    }
    // Nothing went out for reasons that are not the person's: it costs them nothing. Nobody unknown is given anything
    // back, so that a carrier that is down does not tell who is known (law 8).
    if delivered.costs_nothing() && !matches!(which, Which::Veiled) {
        statements.push(limit::store::refund(checks, now, context.now()));
    }
    statements.extend(reservation.map(|key| if not_sent.is_some() { key.release(stamp) } else { key.finish(stamp) }));
    // The carrier has been asked: what it said stands, even when it cannot be written down now. A message
    // that stays `queued` is settled as `unknown` by housekeeping.
    if let Err(error) = context.record(statements).await {
        let outcome = delivered.verdict().outcome.as_str();
        context.log(Level::Error, &format!("{} {outcome} could not be recorded: {error}", outgoing.id));
    }
    not_sent.map_or(Ok(()), Err)
}

/// The same after the response: nobody waits for it, and what became of it stands with the message (law 8).
pub(crate) fn dispatch_later(context: &Context, outgoing: Outgoing, challenge: &ChallengeId) {
    let (later, challenge) = (context.clone(), challenge.clone());
    context.ports().after.later(Box::pin(async move {
        let _ = dispatch(&later, &outgoing, &challenge, "", Which::Veiled, &[], None).await;
    }));
}

/// Whether it certainly did not go out.
pub(crate) fn not_sent(context: &Context, outgoing: &Outgoing, delivered: &Delivered) -> Option<NotSent> {
    let tried = delivered.verdict();
    match &tried.outcome {
        // It may have gone out: the code has to live.
        Outcome::Accepted { .. } | Outcome::Unknown(_) => None,
        Outcome::Retryable(why)
        | Outcome::RecipientRefused(why)
        | Outcome::Misconfigured(why)
        | Outcome::FraudBlocked(why) => Some(NotSent {
            message_id: outgoing.id.to_string(),
            class: tried.outcome.as_str(),
            driver: tried.driver,
            why: why.clone(),
            instead: instead(context, outgoing, &tried.outcome),
        }),
    }
}

/// Calls, where a number gets no SMS and may be called.
fn instead(context: &Context, outgoing: &Outgoing, outcome: &Outcome) -> Option<Channel> {
    let no_sms = matches!(outcome, Outcome::RecipientRefused(why) if gets_no_sms(&why.code));
    let number = outgoing.destination.phone().filter(|_| outgoing.channel == Channel::Sms && no_sms);
    number.filter(|number| message::prepare::may_be_called(context, number)).map(|_| Channel::Voice)
}
