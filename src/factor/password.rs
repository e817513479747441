//! A password: typed by the person, or hashed by the system they come from. It is active at once and takes the place of
//! the one before. Who verifies one is in `password/verify.rs`.

pub(crate) mod reset;
mod store;
pub mod verify;

use serde_json::{Map, Value};

pub use store::STATEMENTS;

use super::{Begun, Factor, FactorType, Kind, New, Person, ProofOf, enrol::EnrolError};
use crate::{
    context::Context,
    ids::UserId,
    limit::lockout,
    message::Refused,
    password::{Password, PasswordHash, Rules, Weakness, breach, weaknesses},
    policy::Kinds,
    ports::{DatabaseError, Level, PortFuture, Statement},
    secret::Secret,
};

/// A password to set.
pub enum NewPassword {
    /// What the person typed.
    Typed(Password),
    /// What another system made of it; nobody can tell how strong it is.
    Hashed(Secret),
}

/// The type `password`.
pub(super) struct PasswordFactor;

impl Kind for PasswordFactor {
    fn consult<'a>(
        &'a self,
        context: &'a Context,
        person: Option<&'a Person>,
        new: &'a New,
    ) -> PortFuture<'a, Result<Map<String, Value>, EnrolError>> {
        Box::pin(async move {
            match (new, person) {
                (New::Password(NewPassword::Typed(password)), Some(person)) => {
                    judge_for(context, person, password).await
                }
                _ => Ok(Map::new()),
            }
        })
    }

    fn begin(&self, context: &Context, person: Option<&Person>, new: &New) -> Result<Begun, EnrolError> {
        let (New::Password(new), Some(person)) = (new, person) else {
            return Err(super::unlike(new));
        };
        let hash = match new {
            NewPassword::Typed(password) => hashed(context, &person.user.id, password)?,
            NewPassword::Hashed(hash) => {
                PasswordHash::import(hash.expose(), &person.user.id, &context.secrets().code_pepper)
                    .map_err(|error| EnrolError::Invalid("hash", format!("wanted is {error}")))?
                    .map_err(|error| DatabaseError::Other(error.to_string()))?
            }
        };
        Ok(Begun {
            destination: None,
            secret: Some(hash.to_text()),
            data: Map::new(),
            proof: ProofOf::Nothing,
            replaces: true,
            beside: Vec::new(),
            shown: Map::new(),
        })
    }

    fn added(&self, user: &str, factor: &str, stamp: &str) -> Vec<Statement> {
        lockout::open(user, Some((factor, stamp))).into()
    }

    fn describe(&self, _factor: &Factor) -> Map<String, Value> {
        Map::new()
    }
}

/// The hash of a password that fits this user alone, one who is yet to be made too.
pub(crate) fn hash(context: &Context, user: &UserId, password: &Password) -> Result<PasswordHash, DatabaseError> {
    hashed(context, user.as_str(), password)
}

fn hashed(context: &Context, owner: &str, password: &Password) -> Result<PasswordHash, DatabaseError> {
    let (ring, random) = (&context.secrets().code_pepper, &*context.ports().random);
    PasswordHash::make(password, owner, ring, random).map_err(|error| DatabaseError::Other(error.to_string()))
}

async fn judge_for(context: &Context, person: &Person, password: &Password) -> Result<Map<String, Value>, EnrolError> {
    let numbers = person.factors.iter().filter_map(|factor| Some(factor.destination.as_ref()?.as_str()));
    let words = [person.user.name.as_deref(), person.user.email.as_deref(), person.user.external_id.as_deref()];
    let words: Vec<&str> = words.into_iter().flatten().chain(numbers).collect();
    let is_second = |factor: &Factor| {
        factor.is_active() && matches!(factor.kind, FactorType::Phone | FactorType::Totp | FactorType::Passkey)
    };
    judge(context, &words, person.factors.iter().any(is_second), password).await
}

/// Whether a password is strong enough for the person whom these words are about: the same for every path that sets one
/// (ASVS 6.3.4). Gives what the breach check said, to be kept with the factor.
pub(crate) async fn judge(
    context: &Context,
    words: &[&str],
    has_second: bool,
    password: &Password,
) -> Result<Map<String, Value>, EnrolError> {
    let config = context.config();
    let words: Vec<&str> = words.iter().copied().chain([config.app_name.as_str()]).collect();
    let weak = weaknesses(password, &Rules { least: least(context, has_second), context: &words });
    if !weak.is_empty() {
        return Err(EnrolError::Weak(weak));
    }
    if !context.settings().password.breach_check {
        return Ok(Map::new());
    }
    if let Some(issue) = config.issue_with("BREACH_API_BASE") {
        return Err(Refused::Misconfigured(issue.clone()).into());
    }
    let base = config.breach_api_base.as_deref().unwrap_or_default();
    let said = match breach::ask(&*context.ports().fetch, base, password).await {
        breach::Outcome::Seen(_) => return Err(EnrolError::Weak(vec![Weakness::Breached])),
        breach::Outcome::NotSeen => "passed",
        breach::Outcome::Unknown(why) => {
            context.log(
                Level::Warn,
                &format!("the breach check gave no answer ({}); the password is taken", why.as_str()),
            );
            why.as_str()
        }
    };
    let outcome = if said == "passed" { said } else { "unknown" };
    let mut kept = Map::from_iter([("breach_check".to_owned(), Value::from(outcome))]);
    if outcome != said {
        kept.insert("breach_check_reason".to_owned(), Value::from(said));
    }
    Ok(kept)
}

/// The fewest characters: fewer where a second factor is required, or the person has one. A mailbox is none.
fn least(context: &Context, has_second: bool) -> usize {
    let settings = &context.settings().password;
    let required = context.settings().multi_factor.rule.required;
    if has_second || !required.less(Kinds::of(&[FactorType::Email])).is_empty() {
        settings.minimum_length_with_mfa
    } else {
        settings.minimum_length
    }
}
