//! From rows to the policy's plain data.

use serde_json::{Map, Value};

use super::{Ask, EvaluateError};
use crate::{
    challenge::{Challenge, Purpose},
    context::Context,
    factor::{self, Factor, FactorType},
    ids::{ChallengeId, DeviceId},
    message::{Channel, Destination, prepare},
    policy::{Device, Enrolled, Exception, Grace, GraceUsed, Kinds, PROOF_LIFETIME, Proof, Situation, User, app_rule},
    ports::{DatabaseError, Row, Rows},
    template::Reader,
    time::Timestamp,
};

/// What was read.
pub(crate) struct Facts {
    /// The user's exception, as it is stored.
    pub(super) user_mfa: String,
    /// The app's rule, as it is stored.
    pub(super) app_mfa: Option<String>,
    exception: Exception,
    is_disabled: bool,
    reader: Reader,
    used: GraceUsed,
    app: Option<Map<String, Value>>,
    /// Each with the channel by which a code to it has just failed.
    factors: Vec<(Factor, Option<Channel>)>,
    /// One for each proof of the question, in its order.
    proofs: Vec<Option<Proved>>,
    device: Option<(DeviceId, Device)>,
}

struct Proved {
    id: ChallengeId,
    proof: Proof,
    consumed_by: Option<String>,
}

/// What a proof that an evaluation has used up is marked with: it may still make one device.
pub(crate) const BY_EVALUATION: &str = "evaluation";

impl Facts {
    /// How many statements [`super::reads`] has.
    pub(crate) const READS: usize = 5;

    pub(crate) fn read(answer: &mut Vec<Rows>, ask: &Ask) -> Result<Self, EvaluateError> {
        Self::read_these(answer, ask.app.is_some(), |rows, factors| {
            ask.proofs
                .iter()
                .map(|id| {
                    let row = rows.iter().find(|row| row.opt_text("id") == Some(id.as_str()));
                    row.map(|row| Proved::read(row, factors)).transpose()
                })
                .collect()
        })
    }

    /// The same of a flow, with all that was proven in it. `None`: nobody is known yet.
    pub(crate) fn of_flow(answer: &mut Vec<Rows>) -> Result<Option<Self>, EvaluateError> {
        let facts = Self::read_these(answer, true, |rows, factors| {
            rows.iter().map(|row| Proved::read(row, factors).map(Some)).collect()
        });
        match facts {
            Err(EvaluateError::UserNotFound) => Ok(None),
            facts => facts.map(Some),
        }
    }

    fn read_these(
        answer: &mut Vec<Rows>,
        has_app: bool,
        proved: impl Fn(&Rows, &[(Factor, Option<Channel>)]) -> Result<Vec<Option<Proved>>, DatabaseError>,
    ) -> Result<Self, EvaluateError> {
        let malformed = |what: &str| DatabaseError::Other(format!("a stored {what} is malformed"));
        let mut rows = answer.drain(..Self::READS.min(answer.len()));
        let mut next = || rows.next().unwrap_or_default();
        let (users, factors, apps, proofs, devices) = (next(), next(), next(), next(), next());
        drop(rows);
        let user = users.first().ok_or(EvaluateError::UserNotFound)?;
        let app = apps.first().map(|row| row.text("mfa")).transpose()?;
        if has_app && app.is_none() {
            return Err(EvaluateError::AppNotFound);
        }
        let user_mfa = user.text("mfa")?.to_owned();
        let exception = serde_json::from_str(&user_mfa).ok().and_then(|stored| Exception::read(&stored));
        let factors: Vec<(Factor, Option<Channel>)> = factors
            .iter()
            .map(|row| Ok((Factor::read(row)?, row.opt_text("failed").and_then(Channel::parse))))
            .collect::<Result<_, DatabaseError>>()?;
        Ok(Self {
            exception: exception.ok_or_else(|| malformed("exception of a user"))?,
            user_mfa,
            reader: Reader::read(user),
            is_disabled: user.opt_int("disabled_at").is_some(),
            used: GraceUsed {
                started_at: user.opt_int("grace_started_at").map(Timestamp::from_millis),
                sign_ins: user.opt_int("grace_sign_ins").and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
            },
            app: app.map(serde_json::from_str).transpose().map_err(|_| malformed("app"))?,
            app_mfa: app.map(str::to_owned),
            proofs: proved(&proofs, &factors)?,
            factors,
            device: devices.first().map(device).transpose()?,
        })
    }

    /// The device, while it has not ended.
    pub(crate) fn device(&self, now: Timestamp) -> Option<DeviceId> {
        self.device.as_ref().filter(|(_, device)| device.expires_at > now).map(|(id, _)| id.clone())
    }

    /// The active factors, as the deciding statement compares them.
    pub(crate) fn active(&self) -> String {
        let active = self.factors.iter().filter(|(factor, _)| factor.is_active()).map(|(factor, _)| factor.id.as_str());
        Value::from(active.collect::<Vec<_>>()).to_string()
    }

    /// The user's exception and the app's rule as they are stored, for the deciding statement.
    pub(crate) fn stored(&self) -> (&str, Option<&str>) {
        (&self.user_mfa, self.app_mfa.as_deref())
    }

    /// The proofs, by their challenges.
    pub(crate) fn proof_ids(&self) -> Vec<ChallengeId> {
        self.proofs.iter().flatten().map(|proved| proved.id.clone()).collect()
    }

    /// Whether the user has proven anything here.
    pub(crate) fn has_proof(&self) -> bool {
        self.proofs.iter().any(Option::is_some)
    }

    /// Adds what was proven just now, so that nothing has to be read again.
    pub(crate) fn add(&mut self, challenge: &Challenge) {
        let Some(verified_at) = challenge.verified_at else { return };
        let factor_id = challenge.factor_id.clone();
        let factor = self.factors.iter().find(|(factor, _)| Some(factor.id.as_str()) == factor_id.as_deref());
        let flag = |of: &Value, name: &str| of.get(name).and_then(Value::as_bool).unwrap_or(false);
        let proof = Proof {
            kind: challenge.kind,
            purpose: challenge.purpose,
            channel: challenge.channel,
            user_verified: flag(&challenge.evidence, "user_verified"),
            is_synced: factor.is_some_and(|(factor, _)| flag(&factor.data, "backup_eligible")),
            destination: challenge.destination.as_ref().map(|destination| destination.as_str().to_owned()),
            verified_at,
            factor_id,
        };
        self.proofs.push(Some(Proved { id: challenge.id.clone(), proof, consumed_by: None }));
    }

    /// A proof that may still allow a change of factors: the strongest kind first, the newest of it. `None`: there is none.
    pub(crate) fn unused_proof(&self) -> Option<ChallengeId> {
        let strong = |proof: &Proof| !matches!(proof.kind, FactorType::Password | FactorType::Email);
        let has = |id: &String, active: bool| {
            self.factors().any(|factor| factor.id.as_str() == id && factor.is_active() == active)
        };
        let unused = self.proofs.iter().flatten().filter(|proved| {
            // What it was used for may be begun anew while it is unproven.
            proved.consumed_by.as_ref().is_none_or(|id| has(id, false))
                && proved.proof.factor_id.as_ref().is_some_and(|id| has(id, true))
        });
        unused.max_by_key(|proved| (strong(&proved.proof), proved.proof.verified_at)).map(|proved| proved.id.clone())
    }

    /// The user's factors, pending ones too.
    pub(crate) fn factors(&self) -> impl Iterator<Item = &Factor> {
        self.factors.iter().map(|(factor, _)| factor)
    }

    /// How to write to the user.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Whether the server has shut the user out.
    pub(crate) fn is_disabled(&self) -> bool {
        self.is_disabled
    }

    /// The grace of the rule in effect.
    pub(super) fn grace(&self, context: &Context) -> Grace {
        let own = self.app.as_ref().and_then(app_rule);
        own.map_or(context.settings().multi_factor.rule.grace, |rule| rule.grace)
    }

    /// The situation that a policy decides; a proof that is none, or was used before, is told.
    pub(super) fn situation(&self, context: &Context, ask: &Ask) -> Result<Situation, EvaluateError> {
        self.situation_after(context, ask, None)
    }

    /// The same; a proof may have been used up by this.
    pub(crate) fn situation_after(
        &self,
        context: &Context,
        ask: &Ask,
        used_by: Option<&str>,
    ) -> Result<Situation, EvaluateError> {
        let now = context.now();
        let mut proofs = Vec::with_capacity(self.proofs.len());
        for (at, proved) in self.proofs.iter().enumerate() {
            let invalid = |why| EvaluateError::ProofInvalid(at, why);
            let proved = proved.as_ref().ok_or_else(|| invalid("is no verified challenge of this user"))?;
            // In a flow an enrolment uses proofs up, and they go on counting until the flow ends, once.
            let used = proved.consumed_by.is_some() && proved.consumed_by.as_deref() != used_by;
            if used && context.bond().is_none() {
                return Err(invalid("was used before"));
            }
            if proved.proof.verified_at < now.before(PROOF_LIFETIME) {
                return Err(invalid("was verified more than ten minutes ago"));
            }
            proofs.push(proved.proof.clone());
        }
        Ok(Situation {
            now,
            step_up: ask.step_up,
            reset: ask.reset,
            instance: context.settings().multi_factor.policy(not_now(context)),
            app: self.app.as_ref().and_then(app_rule),
            user: User {
                is_disabled: self.is_disabled,
                factors: self.factors.iter().map(|(factor, failed)| enrolled(context, factor, *failed)).collect(),
                exception: self.exception,
                grace: self.used,
            },
            device: self.device.as_ref().map(|(_, device)| *device),
            external: ask.external.clone(),
            proofs,
        })
    }
}

impl Proved {
    fn read(row: &Row, factors: &[(Factor, Option<Channel>)]) -> Result<Self, DatabaseError> {
        let malformed = || DatabaseError::Other("a stored challenge is malformed".to_owned());
        let evidence: Value = serde_json::from_str(row.text("evidence")?).map_err(|_| malformed())?;
        let factor_id = row.opt_text("factor_id").map(str::to_owned);
        let factor = factors.iter().find(|(factor, _)| Some(factor.id.as_str()) == factor_id.as_deref());
        let flag = |of: &Value, name: &str| of.get(name).and_then(Value::as_bool).unwrap_or(false);
        Ok(Self {
            id: ChallengeId::parse(row.text("id")?).ok_or_else(malformed)?,
            proof: Proof {
                kind: FactorType::parse(row.text("type")?).ok_or_else(malformed)?,
                purpose: Purpose::parse(row.text("purpose")?).ok_or_else(malformed)?,
                channel: row.opt_text("channel").and_then(Channel::parse),
                user_verified: flag(&evidence, "user_verified"),
                is_synced: factor.is_some_and(|(factor, _)| flag(&factor.data, "backup_eligible")),
                destination: row.opt_text("destination").map(str::to_owned),
                verified_at: Timestamp::from_millis(row.int("verified_at")?),
                factor_id,
            },
            consumed_by: row.opt_text("consumed_by").map(str::to_owned),
        })
    }
}

fn device(row: &Row) -> Result<(DeviceId, Device), DatabaseError> {
    let id = DeviceId::parse(row.text("id")?)
        .ok_or_else(|| DatabaseError::Other("a stored device is malformed".to_owned()))?;
    let moment = |column| row.int(column).map(Timestamp::from_millis);
    Ok((id, Device { made_at: moment("created_at")?, expires_at: moment("expires_at")? }))
}

fn enrolled(context: &Context, factor: &Factor, failed: Option<Channel>) -> Enrolled {
    let is_available = match (&factor.destination, factor.kind) {
        (Some(destination), _) => is_reachable(context, destination, failed),
        (None, FactorType::RecoveryCodes) => factor.codes_left > 0,
        (None, _) => true,
    };
    Enrolled {
        id: factor.id.as_str().to_owned(),
        kind: factor.kind,
        is_active: factor.is_active(),
        is_available,
        destination: factor.destination.as_ref().map(|destination| destination.as_str().to_owned()),
        last_used_at: factor.last_used_at,
    }
}

/// Whether some channel may carry a code there: one that is not switched off, has a driver, goes to that country, and
/// has not just failed.
fn is_reachable(context: &Context, destination: &Destination, failed: Option<Channel>) -> bool {
    let delivery = &context.settings().delivery;
    let country = destination.country().unwrap_or_default();
    let works = |channel: Channel| match (channel, destination) {
        (Channel::Sms, _) => delivery.sms(&country).is_ok() && prepare::admit(context, destination, channel).is_ok(),
        (Channel::Voice, Destination::Phone(number)) => prepare::may_be_called(context, number),
        (Channel::Voice, Destination::Email(_)) => false,
        (Channel::Email, _) => delivery.email().is_ok() && prepare::admit(context, destination, channel).is_ok(),
    };
    [Channel::Sms, Channel::Voice, Channel::Email]
        .into_iter()
        .any(|channel| destination.takes(channel) && failed != Some(channel) && works(channel))
}

/// The types of factor that cannot be enrolled now: without a file, or without a channel.
fn not_now(context: &Context) -> Kinds {
    let reached = |kind: FactorType| match kind {
        FactorType::Phone => context.settings().sms_enabled || context.settings().voice.enabled,
        FactorType::Email => context.settings().delivery.email().is_ok(),
        _ => true,
    };
    FactorType::ALL.into_iter().filter(|kind| factor::kind(*kind).is_none() || !reached(*kind)).collect()
}
