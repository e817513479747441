//! Makes a challenge and sends its code. One batch decides, counts and writes everything down; the carrier is
//! asked after it; a second batch records what it said.

use std::time::Duration;

use serde_json::json;

use super::{
    Challenge, Purpose,
    sending::{CodeSource, NotSent, Which, checks, dispatch},
    store,
};
use crate::{
    config::Stops,
    context::Context,
    event::{self, Event, EventType, When},
    factor,
    idempotency::{Claim, Reservation},
    ids::{AppId, ChallengeId, FactorId, UserId},
    limit::{self, Check, Refusal},
    message::{self, Outgoing, Refused, Template, prepare},
    phone::PhoneNumber,
    ports::{DatabaseError, Rows, Statement},
    settings::CHALLENGE_LIFETIME,
    statement,
    time::Timestamp,
};

/// Until another code may be asked for, after the first, second and third one.
pub(crate) const COOLDOWNS: [Duration; 3] =
    [Duration::from_secs(30), Duration::from_secs(60), Duration::from_secs(120)];

/// Whose code it is.
#[derive(Clone)]
pub enum Target {
    /// Whoever has this number (job 1).
    Number(PhoneNumber),
    /// A user, by one of their phones or the one used last (job 2).
    User(UserId, Option<FactorId>),
}

/// A challenge to make.
pub struct Create {
    /// Whose code it is.
    pub target: Target,
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
#[derive(Debug)]
pub struct Created {
    /// The challenge.
    pub challenge: Challenge,
    /// Whether an earlier call with the same key made it.
    pub replayed: bool,
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
    /// There is no such user.
    UserNotFound,
    /// The user has no such active phone.
    FactorNotFound,
    /// There is no such app.
    AppNotFound,
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
    let (number, user, factor) = match command.target {
        Target::Number(number) => (number, None, None),
        Target::User(user, factor) => {
            let (factor, number) = phone_of(context, &user, factor.as_ref()).await?;
            (number, Some(user), Some(factor))
        }
    };
    let draft = Draft::new(
        context,
        Facts {
            number,
            user,
            factor,
            factor_is_active: true,
            new_factor: None,
            purpose: command.purpose,
            locale: command.locale,
            app: command.app,
            reservation: command.reservation,
        },
    )?;
    let answer = context.decide(draft.statements(context)).await?;
    draft.finish(context, &answer).await
}

/// The number of a user's phone: the one named, or the one used last.
async fn phone_of(
    context: &Context,
    user: &UserId,
    factor: Option<&FactorId>,
) -> Result<(FactorId, PhoneNumber), CreateError> {
    let answer = context.decide(factor::store::active_phone(user, factor)).await?;
    let [users, factors] = answer.as_slice() else { return Err(CreateError::UserNotFound) };
    if users.is_empty() {
        return Err(CreateError::UserNotFound);
    }
    let row = factors.first().ok_or(CreateError::FactorNotFound)?;
    let id = FactorId::parse(row.text("id")?).ok_or(CreateError::FactorNotFound)?;
    let number = PhoneNumber::from_stored(row.text("phone")?).map_err(|_| CreateError::FactorNotFound)?;
    Ok((id, number))
}

/// What a challenge is made of.
pub(crate) struct Facts {
    pub(crate) number: PhoneNumber,
    pub(crate) user: Option<UserId>,
    pub(crate) factor: Option<FactorId>,
    /// Whether the factor has to be active; an enrolment's is not.
    pub(crate) factor_is_active: bool,
    /// That the factor is made in the same batch, and goes with a send that fails.
    pub(crate) new_factor: Option<NewFactor>,
    pub(crate) purpose: Purpose,
    pub(crate) locale: Option<String>,
    pub(crate) app: Option<AppId>,
    pub(crate) reservation: Option<Reservation>,
}

/// A factor that is made together with its challenge.
pub(crate) struct NewFactor {
    /// What allowed it, to be given back when it comes to nothing.
    pub(crate) proof: Option<ChallengeId>,
}

/// A challenge that is complete and not decided yet.
pub(crate) struct Draft {
    facts: Facts,
    pub(crate) id: ChallengeId,
    pub(crate) stamp: String,
    pub(crate) checks: Vec<Check>,
    seed: String,
    mac: String,
    outgoing: Outgoing,
}

impl Draft {
    /// Everything that can be known and refused before the database is asked.
    pub(crate) fn new(context: &Context, facts: Facts) -> Result<Self, CreateError> {
        if let Some(issue) = context.config().blocking(Stops::Challenges) {
            return Err(Refused::Misconfigured(issue.clone()).into());
        }
        prepare::admit(context, &facts.number)?;
        let settings = context.settings();
        let id = ChallengeId::new(context.now(), &*context.ports().random);
        let seed = context.stamp();
        let pepper = context.pepper();
        let source =
            CodeSource { pepper_id: pepper.current(), seed: &seed, generation: 1, length: settings.code_length };
        let (code, mac) = source.code(context, &id, &facts.number)?;
        let template = match facts.purpose {
            Purpose::Enrolment => Template::EnrolmentCode,
            Purpose::Verification | Purpose::SignIn | Purpose::StepUp => Template::VerificationCode,
        };
        let outgoing = prepare::prepare(context, template, facts.number.clone(), code, settings.code_lifetime)?;
        let checks = checks(context, facts.user.as_ref(), &facts.number);
        Ok(Self { id, stamp: context.stamp(), checks, seed, mac, outgoing, facts })
    }

    /// The batch: reserve the key, decide, count, write the message and the event, report.
    pub(crate) fn statements(&self, context: &Context) -> Vec<Statement> {
        self.statements_after(context, Vec::new())
    }

    /// The same with statements between the key and the challenge: they decide, and the challenge follows them.
    pub(crate) fn statements_after(&self, context: &Context, before: Vec<Statement>) -> Vec<Statement> {
        let now = context.now();
        let facts = &self.facts;
        let key = facts.reservation.as_ref();
        let mut batch: Vec<Statement> =
            key.map(|key| key.reserve(self.id.as_str(), &self.stamp, now)).into_iter().collect();
        batch.extend(before);
        batch.extend(self.challenge_statements(context));
        batch.extend(key.map(|key| key.release_unless_made(&self.stamp)));
        // The carrier is asked next; where none is, the call is done already.
        if let (Some(key), message::Route::Drop(_)) = (key, &self.outgoing.route) {
            batch.push(key.finish(&self.stamp));
        }
        batch.extend(self.report(now, context.credential().is_test));
        batch
    }

    /// The challenge with all that hangs on it.
    fn challenge_statements(&self, context: &Context) -> Vec<Statement> {
        let now = context.now();
        let facts = &self.facts;
        let settings = context.settings();
        let mac = context.pepper().destination_mac(facts.number.e164());
        let subject =
            limit::store::subject(context.credential().is_test, facts.user.as_ref().map(UserId::as_str), &mac);
        let resend_at = (settings.limit(limit::SENDS) > 1).then(|| (now + COOLDOWNS[0]).millis());
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
            "sms",
            facts.number.e164(),
            self.outgoing.country.as_str(),
            facts.locale.as_deref(),
            subject,
            context.credential().is_test,
            i64::try_from(settings.code_length.digits()).unwrap_or(6),
            self.seed.as_str(),
            context.pepper().current(),
            self.mac.as_str(),
            (now + settings.code_lifetime).millis(),
            (now + CHALLENGE_LIFETIME).millis(),
            resend_at,
            settings.limit(limit::WRONG_ANSWERS),
            &self.outgoing.id,
            facts.factor_is_active
        )];
        batch.push(limit::store::spend(&self.checks, now, self.id.as_str(), &self.stamp));
        let data = json!({"purpose": facts.purpose.as_str(), "channel": "sms", "country": self.outgoing.country});
        let event = Event::new(EventType::ChallengeCreated, self.id.as_str()).data(data);
        batch.push(event::store::write(context, event, When::Challenge(self.id.as_str(), &self.stamp)));
        batch.extend(message::store::queue(context, &self.outgoing, self.id.as_str(), &self.stamp));
        batch
    }

    /// The last statements, which say what came of the batch: [`Draft::finish`] reads them from the end.
    fn report(&self, now: Timestamp, is_test: bool) -> Vec<Statement> {
        let facts = &self.facts;
        let mut report = vec![
            limit::store::refusals(&self.checks, now, self.id.as_str(), &self.stamp),
            statement!(store::CREATED, &self.id, self.stamp.as_str(), facts.app.as_ref()),
            store::get(&self.id, is_test),
        ];
        report.extend(facts.reservation.as_ref().map(Reservation::look_up));
        report
    }

    /// How many statements of the batch are the report.
    pub(crate) fn report_length(&self) -> usize {
        3 + usize::from(self.facts.reservation.is_some())
    }

    /// Reads what came of the batch, and sends.
    pub(crate) async fn finish(self, context: &Context, answer: &[Rows]) -> Result<Created, CreateError> {
        let now = context.now();
        let report = answer.get(answer.len().saturating_sub(self.report_length())..).unwrap_or_default();
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
        let key = self.facts.reservation.as_ref();
        let which = match (&self.facts.factor, &self.facts.new_factor) {
            (Some(factor), Some(new)) => Which::Enrolment(factor, new.proof.as_ref()),
            _ => Which::First,
        };
        dispatch(context, &self.outgoing, &self.id, &self.stamp, which, &self.checks, key)
            .await
            .map_err(CreateError::NotSent)?;
        Ok(Created { challenge, replayed: false })
    }
}

/// The challenge that the same call made before, as it stands now.
pub(crate) async fn replay(context: &Context, id: &str) -> Result<Created, CreateError> {
    let id = ChallengeId::parse(id)
        .ok_or_else(|| DatabaseError::Other("an idempotency key names no challenge".to_owned()))?;
    let answer = context.decide(vec![store::get(&id, context.credential().is_test)]).await?;
    let row = answer.first().and_then(|rows| rows.first());
    let challenge = Challenge::read(row.ok_or(CreateError::FactorNotFound)?)?;
    Ok(Created { challenge, replayed: true })
}
