//! Recovery codes: made here, shown once, each used once. What is kept is a MAC of each; one set per user, and a new
//! one takes the place of the old one in the batch that makes it.

use serde_json::{Map, Value, json};

use super::{
    Begun, Factor, FactorType, Kind, New, Person, ProofOf, ProveError, Verdict, enrol::EnrolError, misconfigured,
    unlike,
};
use crate::{
    challenge::{Challenge, Given},
    config::Stops,
    context::Context,
    crypto::RecoveryCode,
    ids::FactorId,
    message::Refused,
    ports::{DatabaseError, PortFuture, Rows, Statement},
    statement,
};

/// The type `recovery_codes`.
pub(super) struct RecoveryCodes;

/// Keeps the MACs of a new set, if its factor was made: its id is new, so it is there in this batch or not at all.
/// `?1` factor, `?2` the MACs, a JSON list, `?3` pepper.
const KEEP: &str = "INSERT INTO recovery_codes (factor_id, mac, pepper_id)
  SELECT ?1, m.value, ?3 FROM json_each(?2) m WHERE EXISTS (SELECT 1 FROM factors WHERE id = ?1)";

/// Reads under which peppers the codes that are left were made. `?1` the challenge.
const PEPPERS: &str = "SELECT DISTINCT r.pepper_id FROM challenges c JOIN recovery_codes r ON r.factor_id = c.factor_id
  WHERE c.id = ?1 AND r.used_at IS NULL";

/// Uses a code up, for a challenge that has the turn. `?1` factor, `?2` the MACs by pepper, `?3` now, `?4` stamp,
/// `?5` challenge.
const USE: &str = "UPDATE recovery_codes SET used_at = ?3, stamp = ?4
  WHERE factor_id = ?1 AND used_at IS NULL AND mac = (SELECT m.value FROM json_each(?2) m WHERE m.key = pepper_id)
    AND EXISTS (SELECT 1 FROM challenges WHERE id = ?5 AND stamp = ?4)";

/// Accepts, if a code was used. `?1` factor, `?2` stamp.
const ACCEPT: &str = "UPDATE factors SET stamp = ?2
  WHERE id = ?1 AND EXISTS (SELECT 1 FROM recovery_codes WHERE factor_id = ?1 AND stamp = ?2)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[KEEP, PEPPERS, USE, ACCEPT];

impl Kind for RecoveryCodes {
    fn begin(&self, context: &Context, person: Option<&Person>, new: &New) -> Result<Begun, EnrolError> {
        let (New::RecoveryCodes, Some(person)) = (new, person) else { return Err(unlike(new)) };
        let settings = context.settings().recovery_codes;
        if !settings.enabled {
            let issue = context.config().blocking(Stops::RecoveryCodes).filter(|_| settings.by_variable);
            return Err(match issue {
                Some(issue) => Refused::Misconfigured(issue.clone()).into(),
                None => EnrolError::Disabled(FactorType::RecoveryCodes),
            });
        }
        let codes: Vec<RecoveryCode> =
            (0..settings.count).map(|_| RecoveryCode::new(&*context.ports().random)).collect();
        let (pepper, id) = (context.pepper(), &person.factor);
        let macs = codes.iter().map(|code| pepper.recovery_code_mac(pepper.current(), id, code));
        let macs = macs
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| DatabaseError::Other("CODE_PEPPER lacks its current key".to_owned()))?;
        let shown: Vec<Value> = codes.iter().map(|code| Value::from(code.shown().as_str())).collect();
        Ok(Begun {
            destination: None,
            secret: None,
            data: Map::new(),
            proof: ProofOf::Nothing,
            replaces: true,
            beside: vec![statement!(KEEP, id, Value::from(macs).to_string(), pepper.current())],
            shown: Map::from_iter([("recovery_codes".to_owned(), Value::from(shown))]),
        })
    }

    fn reads(&self, challenge: &str, given: &Given) -> Vec<Statement> {
        match given {
            Given::Recovery(_) => vec![statement!(PEPPERS, challenge)],
            Given::Digits(_) | Given::Credential(_) => Vec::new(),
        }
    }

    fn prove<'a>(
        &'a self,
        context: &'a Context,
        challenge: &'a Challenge,
        read: &'a [Rows],
        given: &'a Given,
        stamp: &'a str,
    ) -> PortFuture<'a, Result<Verdict, ProveError>> {
        Box::pin(async move {
            let factor = challenge.factor_id.as_deref().and_then(FactorId::parse);
            let (Given::Recovery(code), Some(factor)) = (given, factor) else { return Ok(Verdict::wrong()) };
            let pepper = context.pepper();
            for row in read.first().into_iter().flatten() {
                let key = row.text("pepper_id")?;
                if !pepper.has(key) {
                    return Err(misconfigured(context, "CODE_PEPPER", gone(key)));
                }
            }
            let macs = pepper.recovery_code_macs(&factor, code);
            let now = context.now().millis();
            // The database says whether it is right.
            Ok(Verdict {
                is_right: true,
                accept: vec![
                    statement!(USE, &factor, macs, now, stamp, &challenge.id),
                    statement!(ACCEPT, &factor, stamp),
                ],
                ..Verdict::wrong()
            })
        })
    }

    fn shows_once(&self) -> &'static [&'static str] {
        &["recovery_codes"]
    }

    fn describe(&self, factor: &Factor) -> Map<String, Value> {
        Map::from_iter([("codes_left".to_owned(), json!(factor.codes_left))])
    }
}

/// The codes were made under a pepper that is gone: none of them can be right.
fn gone(key: &str) -> String {
    format!("CODE_PEPPER lacks the key {key:?}, under which recovery codes of this user were made")
}
