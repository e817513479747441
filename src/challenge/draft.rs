//! A challenge that is complete and not decided yet: the statements that make it, and what came of them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    Challenge, Purpose,
    create::{CreateError, Created, replay},
    sending::{CodeSource, Which, checks, dispatch, dispatch_later, veiled_checks},
    store,
};
use crate::{
    config::Stops,
    context::Context,
    event::{self, Event, EventType, When},
    factor::{Authority, FactorType, enrol::PROOF_LIFETIME},
    fraud::Guard,
    idempotency::{Claim, Reservation},
    ids::{AppId, ChallengeId, FactorId, FlowId, UserId},
    limit::{self, Check},
    message::{self, Channel, Content, Destination, Outgoing, Refused, prepare},
    ports::{DatabaseError, Rows, Statement},
    settings::CHALLENGE_LIFETIME,
    statement,
    template::{Reader, Slug},
};

/// Until another code may be asked for, after the first, second and third one.
pub(crate) const COOLDOWNS: [Duration; 3] =
    [Duration::from_secs(30), Duration::from_secs(60), Duration::from_secs(120)];

/// What a challenge asks for.
pub(crate) enum Asks {
    /// A code that is sent.
    Sent(Destination, Channel),
    /// Something that the user's device holds: what it awaits, and what the answer to this call shows for it.
    Held(FactorType, Value, Map<String, Value>),
}

/// What a challenge is made of.
pub(crate) struct Facts {
    pub(crate) asks: Asks,
    pub(crate) user: Option<UserId>,
    pub(crate) factor: Option<FactorId>,
    /// Whether the factor has to be active; an enrolment's is not.
    pub(crate) factor_is_active: bool,
    /// That the factor is made in the same batch, and goes with a send that fails.
    pub(crate) new_factor: Option<NewFactor>,
    pub(crate) purpose: Purpose,
    /// The language asked for.
    pub(crate) locale: Option<String>,
    /// How to write to the user, where that is known.
    pub(crate) reader: Reader,
    /// What its code is for.
    pub(crate) template: Slug,
    pub(crate) app: Option<AppId>,
    pub(crate) reservation: Option<Reservation>,
    pub(crate) veil: Veil,
    /// Under a veil: whom its failures count for, where no destination says it.
    pub(crate) veiled_as: Option<String>,
}

/// Whether the caller may learn whose challenge it is, and what becomes of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Veil {
    /// They may: a server key asks, or a first factor was proven.
    None,
    /// Not yet: the code goes out after the response, and what counts is the destination, not the user (law 8).
    Known,
    /// Not yet either, and there is nobody to send to: it looks the same, and no code goes out.
    Unknown,
}

impl Veil {
    /// Whether anything is hidden.
    pub(crate) fn hides(self) -> bool {
        self != Self::None
    }

    /// The stamp that the message is written on. For nobody the same statements find nothing to act on: the work is the
    /// same.
    pub(super) fn on(self, stamp: &str) -> &str {
        if self == Self::Unknown { "nobody" } else { stamp }
    }

    /// A guard as it judges behind the veil, and on which stamp: nothing that anybody is told depends on it.
    pub(super) fn guard(self, context: &Context, guard: Guard, stamp: &str) -> (Guard, String) {
        match self {
            Self::None => (guard, stamp.to_owned()),
            Self::Known => (guard, context.stamp()),
            Self::Unknown => (guard.of_nobody(), context.stamp()),
        }
    }

    /// What hides another code of a challenge: in a flow, one of an address that is no factor.
    pub(super) fn of(context: &Context, challenge: &Challenge) -> Self {
        let in_flow = context.bond().is_some_and(|bond| bond.starts_with(FlowId::PREFIX));
        match (in_flow && challenge.factor_id.is_none(), &challenge.message_id) {
            (false, _) => Self::None,
            (true, Some(_)) => Self::Known,
            (true, None) => Self::Unknown,
        }
    }
}

/// A factor that is made together with its challenge.
pub(crate) struct NewFactor {
    /// What allowed it, to be given back when it comes to nothing.
    pub(crate) proof: Option<ChallengeId>,
}

/// The code of a challenge that sends one.
struct Code {
    destination: Destination,
    channel: Channel,
    seed: String,
    mac: String,
    outgoing: Outgoing,
}

/// A challenge that is complete and not decided yet.
pub(crate) struct Draft {
    facts: Facts,
    code: Option<Code>,
    pub(crate) id: ChallengeId,
    pub(crate) stamp: String,
    pub(crate) checks: Vec<Check>,
    /// What judges its message, and on which stamp: under a veil the challenge does not depend on it.
    guard: Option<(Guard, String)>,
    /// What allows the change that it begins, where it begins one; a proof is used up with it.
    authority: Option<Authority>,
}

impl Draft {
    /// Everything that can be known and refused before the database is asked.
    pub(crate) fn new(context: &Context, facts: Facts) -> Result<Self, CreateError> {
        if let Some(issue) = context.config().blocking(Stops::Challenges) {
            return Err(Refused::Misconfigured(issue.clone()).into());
        }
        let id = ChallengeId::new(context.now(), &*context.ports().random);
        let (code, checks) = match &facts.asks {
            Asks::Sent(destination, channel) => {
                let is_proven = facts.factor.is_some() && facts.factor_is_active;
                let mut checks = if facts.veil.hides() {
                    veiled_checks(context, destination, *channel)
                } else {
                    checks(context, facts.user.as_ref(), destination, *channel, is_proven)
                };
                checks.extend(limit::senders(context, destination, *channel, facts.app.as_ref().map(AppId::as_str)));
                (Some(code(context, &facts, &id, destination.clone(), *channel)?), checks)
            }
            Asks::Held(of, ..) => {
                let user = facts.user.as_ref().filter(|_| !facts.veil.hides());
                (None, super::sending::held_checks(context, user, &id, *of))
            }
        };
        let stamp = context.stamp();
        let guard = code.as_ref().and_then(|code| guard(context, &facts, &code.outgoing, &stamp));
        Ok(Self { id, stamp, checks, code, facts, guard, authority: None })
    }

    /// The same for a change that needs leave.
    pub(crate) fn allowed_by(self, authority: Authority) -> Self {
        Self { authority: Some(authority), ..self }
    }

    /// The batch: reserve the key, decide, count, write the message and the event, report.
    pub(crate) fn statements(&self, context: &Context) -> Vec<Statement> {
        self.statements_after(context, Vec::new())
    }

    /// The same with statements between the key and the challenge: they decide, and the challenge follows them.
    pub(crate) fn statements_after(&self, context: &Context, before: Vec<Statement>) -> Vec<Statement> {
        let now = context.now();
        let key = self.facts.reservation.as_ref();
        let mut batch: Vec<Statement> =
            key.map(|key| key.reserve(self.id.as_str(), &self.stamp, now)).into_iter().collect();
        if let Some((guard, stamp)) = &self.guard {
            let key = key.map(Reservation::key).filter(|_| !self.facts.veil.hides());
            batch.extend(guard.judge(context, &self.checks, key, stamp));
        }
        batch.extend(before);
        batch.extend(self.challenge_statements(context));
        batch.extend(key.map(|key| key.release_unless_made(&self.stamp)));
        // The carrier is asked next; where none is, the call is done already.
        let is_done = self.code.as_ref().is_none_or(|code| code.outgoing.route.is_done());
        batch.extend(key.filter(|_| is_done).map(|key| key.finish(&self.stamp)));
        batch.extend(self.report(context));
        batch
    }

    /// The challenge with all that hangs on it.
    fn challenge_statements(&self, context: &Context) -> Vec<Statement> {
        let (now, facts, settings, code) = (context.now(), &self.facts, context.settings(), self.code.as_ref());
        let kind = match &facts.asks {
            Asks::Sent(destination, _) => destination.factor(),
            Asks::Held(kind, ..) => *kind,
        };
        let awaits = match &facts.asks {
            Asks::Sent(..) => None,
            Asks::Held(_, awaits, _) => Some(awaits.to_string()),
        };
        let whose = code.map_or(self.id.as_str(), |code| code.destination.as_str());
        let mac = context.pepper().destination_mac(whose);
        let subject = if facts.veil.hides() {
            limit::store::veiled_subject(context, facts.veiled_as.as_deref().unwrap_or(whose))
        } else {
            limit::store::subject(context.credential().is_test, facts.user.as_ref().map(UserId::as_str), &mac)
        };
        let sends = code.filter(|_| facts.veil != Veil::Unknown);
        let resend_at = code.filter(|_| settings.limit(limit::SENDS) > 1).map(|_| (now + COOLDOWNS[0]).millis());
        let mut batch = vec![statement!(
            store::CREATE,
            limit::store::parameter(&self.checks),
            now.millis(),
            &self.id,
            self.stamp.as_str(),
            facts.reservation.as_ref().map(Reservation::key),
            facts.user.as_ref(),
            facts.factor.as_ref(),
            facts.app.as_ref(),
            facts.purpose.as_str(),
            code.map(|code| code.channel.as_str()),
            code.map(|code| code.destination.as_str()),
            code.and_then(|code| code.outgoing.country.as_deref()),
            facts.locale.as_deref(),
            subject,
            context.credential().is_test,
            code.map(|_| i64::try_from(settings.code_length.digits()).unwrap_or(6)),
            code.map(|code| code.seed.as_str()),
            code.map(|_| context.pepper().current()),
            code.map(|code| code.mac.as_str()),
            code.map(|_| (now + settings.code_lifetime).millis()),
            (now + CHALLENGE_LIFETIME).millis(),
            resend_at,
            settings.limit(limit::WRONG_ANSWERS),
            sends.map(|code| code.outgoing.id.as_str()),
            facts.factor_is_active,
            kind.as_str(),
            awaits,
            context.bond(),
            self.authority.is_some(),
            self.authority.as_ref().and_then(Authority::proof),
            now.before(PROOF_LIFETIME).millis()
        )];
        if let Some(proof) = self.authority.as_ref().and_then(Authority::proof) {
            batch.push(statement!(store::CONSUME, proof, now.millis(), &self.id, self.stamp.as_str()));
            let event = Event::new(EventType::ChallengeConsumed, proof.as_str());
            batch.push(event::store::write(context, event, When::Challenge(self.id.as_str(), &self.stamp)));
        }
        batch.push(limit::store::spend(&self.checks, now, self.id.as_str(), &self.stamp));
        let data = json!({"purpose": facts.purpose.as_str(), "type": kind.as_str(),
            "channel": code.map(|code| code.channel.as_str()),
            "country": code.and_then(|code| code.outgoing.country.as_deref())});
        let event = Event::new(EventType::ChallengeCreated, self.id.as_str()).data(data);
        batch.push(event::store::write(context, event, When::Challenge(self.id.as_str(), &self.stamp)));
        if let Some(code) = code {
            let stamp = facts.veil.on(&self.stamp);
            let guard = self.guard.as_ref();
            let unless = guard.map(|(_, stamp)| stamp.as_str()).filter(|_| facts.veil.hides());
            batch.extend(message::store::queue(context, &code.outgoing, self.id.as_str(), stamp, unless));
            batch.extend(guard.into_iter().flat_map(|(guard, stamp)| guard.after(context, &code.outgoing.id, stamp)));
        }
        batch
    }

    /// The last statements, which say what came of the batch: [`Draft::finish`] reads them from the end.
    fn report(&self, context: &Context) -> Vec<Statement> {
        let (facts, now) = (&self.facts, context.now());
        let mut report: Vec<Statement> = self.guard.iter().map(|(_, stamp)| Guard::verdict(stamp)).collect();
        report.extend([
            limit::store::refusals(&self.checks, now, self.id.as_str(), &self.stamp),
            statement!(store::CREATED, &self.id, self.stamp.as_str(), facts.app.as_ref(), context.bond()),
            store::get(context, &self.id),
        ]);
        report.extend(facts.reservation.as_ref().map(Reservation::look_up));
        report
    }

    /// How many statements of the batch are the report.
    pub(crate) fn report_length(&self) -> usize {
        3 + usize::from(self.guard.is_some()) + usize::from(self.facts.reservation.is_some())
    }

    /// Reads what came of the batch, and sends.
    pub(crate) async fn finish(self, context: &Context, answer: &[Rows]) -> Result<Created, CreateError> {
        let now = context.now();
        let mut report = answer.get(answer.len().saturating_sub(self.report_length())..).unwrap_or_default();
        let mut blocked = None;
        if let (Some(_), Some((verdict, rest))) = (&self.guard, report.split_first()) {
            (blocked, report) = (Guard::read(verdict, now), rest);
        }
        let [refusals, created, challenge, claim @ ..] = report else {
            return Err(DatabaseError::Other("a batch answered too little".to_owned()).into());
        };
        if let (Some(key), Some(rows)) = (&self.facts.reservation, claim.first()) {
            match key.claim(rows, &self.stamp, now)? {
                Claim::Mine => {}
                Claim::Replay(id) => return replay(context, &id).await,
                claim @ (Claim::Running | Claim::Reused) => return Err(CreateError::Claimed(claim)),
            }
        }
        let made = created.first().is_some_and(|row| row.flag("made"));
        if !made && created.first().is_some_and(|row| row.flag("is_full")) {
            return Err(CreateError::FlowFull);
        }
        if let Some(blocked) = blocked.filter(|_| !made && !self.facts.veil.hides()) {
            return Err(CreateError::Blocked(blocked));
        }
        if !made {
            if let Some(refusal) = limit::store::read_refusals(refusals, now)? {
                return Err(CreateError::Limited(refusal));
            }
            let app_known = created.first().is_some_and(|row| row.flag("app_known"));
            return Err(if app_known { CreateError::FactorNotFound } else { CreateError::AppNotFound });
        }
        let row =
            challenge.first().ok_or_else(|| DatabaseError::Other("a challenge that was made is missing".to_owned()))?;
        let challenge = Challenge::read(row)?;
        if let Some(code) = self.code.as_ref().filter(|_| self.facts.veil.hides()) {
            if self.facts.veil == Veil::Known && blocked.is_none() {
                dispatch_later(context, code.outgoing.clone(), &self.id);
            }
        } else if let Some(code) = &self.code {
            let which = match (&self.facts.factor, &self.facts.new_factor) {
                (Some(factor), Some(new)) => Which::Enrolment(factor, new.proof.as_ref()),
                _ => Which::First,
            };
            let key = self.facts.reservation.as_ref();
            dispatch(context, &code.outgoing, &self.id, &self.stamp, which, &self.checks, key)
                .await
                .map_err(CreateError::NotSent)?;
        }
        let shown = match self.facts.asks {
            Asks::Sent(..) => Map::new(),
            Asks::Held(_, _, shown) => shown,
        };
        Ok(Created { challenge, shown, replayed: false })
    }
}

/// What judges the message, and on which stamp.
fn guard(context: &Context, facts: &Facts, outgoing: &Outgoing, stamp: &str) -> Option<(Guard, String)> {
    let (user, app) = (facts.user.as_ref().map(UserId::as_str), facts.app.as_ref().map(AppId::as_str));
    Some(facts.veil.guard(context, Guard::of(context, outgoing, user, app, facts.veil.hides())?, stamp))
}

/// The first code of a challenge, with the message that carries it.
fn code(
    context: &Context,
    facts: &Facts,
    id: &ChallengeId,
    destination: Destination,
    channel: Channel,
) -> Result<Code, CreateError> {
    prepare::admit(context, &destination, channel)?;
    let settings = context.settings();
    let seed = context.stamp();
    let pepper_id = context.pepper().current();
    let source = CodeSource { pepper_id, seed: &seed, generation: 1, length: settings.code_length };
    let (code, mac) = source.code(context, id, &destination)?;
    let content = Content {
        template: facts.template,
        code,
        lifetime: settings.code_lifetime,
        locale: facts.locale.clone(),
        reader: facts.reader.clone(),
        app: facts.app.as_ref().map(AppId::to_string),
    };
    let outgoing = prepare::prepare(context, destination.clone(), channel, content)?;
    Ok(Code { destination, channel, seed, mac, outgoing })
}
