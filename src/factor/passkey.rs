//! A passkey: proven with an assertion that it signs (WebAuthn Level 3). Enrolled with the credential that the browser
//! made; a challenge without a user is answered by whoever has one (a discoverable credential).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Begun, Factor, FactorType, Kind, New, Person, ProofOf, ProveError, Verdict, enrol::EnrolError};
use crate::{
    challenge::{Challenge, Given, Purpose, Status, create::CreateError},
    config::Issue,
    context::Context,
    event::{self, Event, EventType, Outcome, When},
    factor_columns,
    message::Refused,
    ports::{DatabaseError, PortFuture, Row, Rows, Statement},
    statement,
    webauthn::{
        AssertionResponse, AuthenticatorData, Ceremony, Descriptor, RegistrationResponse, RelyingParty, Step,
        StoredCredential, UserEntity, UserVerification, WebAuthnError, creation_options, request_options,
        verify_assertion, verify_registration,
    },
};

/// Reads the active passkey with a credential id, and its counter. `?1` credential id.
const BY_CREDENTIAL: &str = concat!(
    "SELECT ",
    factor_columns!(),
    ", f.counter FROM factors f WHERE f.credential_id = ?1 AND f.activated_at IS NOT NULL"
);

/// Keeps a new credential, unless somebody has its id (§7.1 step 26). `?1` factor, `?2` stamp, `?3` challenge,
/// `?4` credential id, `?5` counter, `?6` data.
const REGISTER: &str = "UPDATE factors SET credential_id = ?4, counter = ?5, data = ?6, stamp = ?2
  WHERE id = ?1 AND activated_at IS NULL AND credential_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM factors o WHERE o.credential_id = ?4)
    AND EXISTS (SELECT 1 FROM challenges c WHERE c.id = ?3 AND c.stamp = ?2)";

/// Accepts an assertion if its counter has grown, or there is none (§7.2 steps 22 and 24). `?1` factor, `?2` stamp,
/// `?3` challenge, `?4` counter, `?5` whether it is backed up.
const ACCEPT: &str = "UPDATE factors SET counter = ?4, data = json_set(data, '$.backed_up', json(?5)), stamp = ?2
  WHERE id = ?1 AND activated_at IS NOT NULL AND (counter < ?4 OR (counter = 0 AND ?4 = 0))
    AND EXISTS (SELECT 1 FROM challenges c WHERE c.id = ?3 AND c.stamp = ?2)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[BY_CREDENTIAL, REGISTER, ACCEPT];

/// The type `passkey`.
pub(super) struct Passkey;

/// What a challenge awaits.
#[derive(Deserialize, Serialize)]
struct Awaits {
    /// The WebAuthn challenge, base64url.
    challenge: String,
    /// Under which RP ID it was asked.
    rp_id: String,
    /// Whether user verification was required then.
    verified: bool,
    /// The credentials that may answer; `None`: any, since nobody knew beforehand who would.
    allow: Option<Vec<String>>,
}

/// What is kept of a credential beside its id and counter.
#[derive(Deserialize, Serialize)]
struct Kept {
    /// Its public key in COSE, base64url.
    public_key: String,
    transports: Vec<String>,
    backup_eligible: bool,
    backed_up: bool,
}

impl Kind for Passkey {
    fn begin(&self, context: &Context, person: Option<&Person>, _new: &New) -> Result<Begun, EnrolError> {
        let person = person.ok_or(CreateError::UserNotFound)?;
        let user = &person.user;
        let name = user.email.as_ref().or(user.external_id.as_ref()).or(user.name.as_ref()).unwrap_or(&user.id);
        let called = user.name.as_ref().unwrap_or(name);
        let (awaits, shown) = ask(context, &user.id, name, called, &person.factors)?;
        Ok(Begun {
            destination: None,
            secret: None,
            data: Map::new(),
            proof: ProofOf::Held(awaits),
            replaces: false,
            beside: Vec::new(),
            shown,
        })
    }

    fn challenge(&self, context: &Context, factors: &[Factor]) -> Result<(Value, Map<String, Value>), CreateError> {
        let rp = relying_party(context)?;
        let theirs = credentials(factors);
        let challenge = context.ports().random.bytes::<32>();
        let options = request_options(&rp, &challenge, &descriptors(&theirs));
        let allow = (!factors.is_empty()).then_some(theirs.as_slice());
        Ok((awaits(&rp, &challenge, allow), shown(options)))
    }

    fn reads(&self, _challenge: &str, given: &Given) -> Vec<Statement> {
        let Given::Credential(json) = given else { return Vec::new() };
        vec![statement!(BY_CREDENTIAL, json.get("id").and_then(Value::as_str))]
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
            let Given::Credential(answer) = given else { return Ok(Verdict::wrong()) };
            let asked = Asked::read(context, challenge)?;
            let verdict = match (challenge.purpose, read.first().and_then(|rows| rows.first())) {
                (Purpose::Enrolment, _) => registered(context, challenge, &asked, answer, stamp).await,
                (_, Some(row)) => asserted(context, challenge, &asked, row, answer, stamp).await,
                // Nobody has this credential, or not any more.
                (_, None) => Err(Step::CredentialRecord.into()),
            };
            match verdict {
                Ok(verdict) => Ok(verdict),
                Err(Unproven::Step(step)) => Ok(Verdict { evidence: failed_at(step), ..Verdict::wrong() }),
                Err(Unproven::Failed(error)) => Err(error.into()),
            }
        })
    }

    fn describe(&self, factor: &Factor) -> Map<String, Value> {
        let kept = |name: &str| factor.data.get(name).cloned().unwrap_or(Value::Null);
        Map::from_iter([
            ("backup_eligible".to_owned(), kept("backup_eligible")),
            ("backed_up".to_owned(), kept("backed_up")),
        ])
    }
}

/// Why an answer proves nothing.
enum Unproven {
    /// It failed at a step.
    Step(Step),
    /// It could not be verified.
    Failed(DatabaseError),
}

impl From<Step> for Unproven {
    fn from(step: Step) -> Self {
        Self::Step(step)
    }
}

impl From<DatabaseError> for Unproven {
    fn from(error: DatabaseError) -> Self {
        Self::Failed(error)
    }
}

impl From<WebAuthnError> for Unproven {
    fn from(error: WebAuthnError) -> Self {
        match error {
            WebAuthnError::Refused(step) => Self::Step(step),
            WebAuthnError::Platform(why) => Self::Failed(DatabaseError::Other(why)),
        }
    }
}

/// What was asked, as the challenge kept it, under the settings of now.
struct Asked {
    rp: RelyingParty,
    challenge: Vec<u8>,
    allow: Option<Vec<Vec<u8>>>,
}

impl Asked {
    /// Which origins are allowed is a question of now: one that was taken away answers nothing any more. What was required
    /// stays required, and what is required by now is, too.
    fn read(context: &Context, challenge: &Challenge) -> Result<Self, ProveError> {
        let malformed = || DatabaseError::Other("a stored passkey challenge is malformed".to_owned());
        let awaits: Awaits = serde_json::from_value(challenge.awaits.clone()).map_err(|_| malformed())?;
        let mut rp = context.settings().passkey.relying_party(context.config()).map_err(ProveError::Misconfigured)?;
        rp.id = awaits.rp_id;
        if awaits.verified {
            rp.user_verification = UserVerification::Required;
        }
        let bytes = |text: &String| decode(text).ok_or_else(malformed);
        let allow = awaits.allow.map(|ids| ids.iter().map(bytes).collect::<Result<_, _>>()).transpose()?;
        Ok(Self { rp, challenge: bytes(&awaits.challenge)?, allow })
    }

    fn ceremony(&self) -> Ceremony<'_> {
        Ceremony { rp: &self.rp, challenge: &self.challenge }
    }
}

/// What a new passkey's challenge awaits, and what its answer shows; `factors` are those that the user has.
pub(crate) fn ask(
    context: &Context,
    user: &str,
    name: &str,
    called: &str,
    factors: &[Factor],
) -> Result<(Value, Map<String, Value>), EnrolError> {
    let settings = &context.settings().passkey;
    if let Some(issue) = settings.switch_issue(context.config()) {
        return Err(CreateError::Refused(Refused::Misconfigured(issue)).into());
    }
    if !settings.enabled {
        return Err(EnrolError::Disabled(FactorType::Passkey));
    }
    let rp = relying_party(context)?;
    let entity = UserEntity { handle: user.as_bytes(), name, display_name: called };
    let theirs = credentials(factors);
    let challenge = context.ports().random.bytes::<32>();
    let options = creation_options(&rp, &challenge, entity, &descriptors(&theirs));
    Ok((awaits(&rp, &challenge, Some(&[])), shown(options)))
}

/// A credential that the browser has made, verified and kept nowhere yet. It has no `Debug`.
pub(crate) struct Registered {
    /// Its id, base64url.
    pub(crate) credential_id: String,
    /// Its signature counter.
    pub(crate) counter: i64,
    /// What is kept beside: `factors.data`.
    pub(crate) data: Value,
    /// What the registration has shown.
    pub(crate) evidence: Value,
}

/// Verifies the answer of a challenge that asked for a new passkey; `None`: it proves nothing, or the challenge is over.
pub(crate) async fn register(
    context: &Context,
    challenge: &Challenge,
    answer: &Value,
) -> Result<Option<Registered>, ProveError> {
    if challenge.status(context.now()) != Status::Pending {
        return Ok(None);
    }
    match verified(context, &Asked::read(context, challenge)?, answer).await {
        Ok(registered) => Ok(Some(registered)),
        Err(Unproven::Step(_)) => Ok(None),
        Err(Unproven::Failed(error)) => Err(error.into()),
    }
}

async fn verified(context: &Context, asked: &Asked, answer: &Value) -> Result<Registered, Unproven> {
    let response = RegistrationResponse::from_json(answer)?;
    let new = verify_registration(&*context.ports().signatures, asked.ceremony(), &response).await?;
    let kept = Kept {
        public_key: URL_SAFE_NO_PAD.encode(&new.cose),
        transports: new.transports,
        backup_eligible: new.backup_eligible,
        backed_up: new.backed_up,
    };
    Ok(Registered {
        credential_id: URL_SAFE_NO_PAD.encode(&new.id),
        counter: i64::from(new.sign_count),
        data: json!(kept),
        evidence: json!({"user_verified": new.user_verified, "backed_up": new.backed_up}),
    })
}

/// The credential of an enrolment.
async fn registered(
    context: &Context,
    challenge: &Challenge,
    asked: &Asked,
    answer: &Value,
    stamp: &str,
) -> Result<Verdict, Unproven> {
    let new = verified(context, asked, answer).await?;
    let accept = statement!(
        REGISTER,
        challenge.factor_id.as_deref(),
        stamp,
        &challenge.id,
        new.credential_id,
        new.counter,
        new.data.to_string()
    );
    Ok(Verdict {
        is_right: true,
        factor: challenge.factor_id.clone(),
        user: challenge.user_id.clone(),
        accept: vec![accept],
        evidence: new.evidence,
    })
}

/// The assertion of a passkey that is on record.
async fn asserted(
    context: &Context,
    challenge: &Challenge,
    asked: &Asked,
    row: &Row,
    answer: &Value,
    stamp: &str,
) -> Result<Verdict, Unproven> {
    let factor = Factor::read(row)?;
    let is_another = |named: &Option<String>, found: &str| named.as_ref().is_some_and(|named| named != found);
    if is_another(&challenge.user_id, &factor.user_id) || is_another(&challenge.factor_id, factor.id.as_str()) {
        return Err(Step::CredentialRecord.into());
    }
    let stored = stored(&factor, row)?;
    let response = AssertionResponse::from_json(answer)?;
    let result =
        verify_assertion(&*context.ports().signatures, asked.ceremony(), asked.allow.as_deref(), &stored, &response)
            .await;
    let (evidence, sign_count, backed_up) = match result {
        Ok(verified) => {
            let evidence = json!({"user_verified": verified.user_verified, "backed_up": verified.backed_up});
            (evidence, verified.sign_count, verified.backed_up)
        }
        // All else is right: the statement refuses it, since the counter has not grown, and tells of it.
        Err(WebAuthnError::Refused(Step::SignCount)) => {
            let data = AuthenticatorData::parse(&response.authenticator_data)?;
            (failed_at(Step::SignCount), data.sign_count, data.flags.backed_up())
        }
        Err(error) => return Err(error.into()),
    };
    let event = Event::new(EventType::PasskeyCounterRegressed, factor.id.as_str())
        .user(Some(factor.user_id.as_str()))
        .data(json!({"challenge_id": challenge.id.as_str(), "counter": sign_count}))
        .ended(Outcome::Refused, Some(Step::SignCount.as_str()));
    let accept = vec![
        statement!(ACCEPT, &factor.id, stamp, &challenge.id, i64::from(sign_count), backed_up.to_string()),
        event::store::write(context, event, When::NotAccepted(factor.id.as_str(), challenge.id.as_str(), stamp)),
    ];
    Ok(Verdict { is_right: true, factor: Some(factor.id.to_string()), user: Some(factor.user_id), accept, evidence })
}

/// The credential as the verification wants it.
fn stored(factor: &Factor, row: &Row) -> Result<StoredCredential, DatabaseError> {
    let malformed = || DatabaseError::Other("a stored passkey is malformed".to_owned());
    let kept: Kept = serde_json::from_value(factor.data.clone()).map_err(|_| malformed())?;
    Ok(StoredCredential {
        id: factor.credential_id.as_deref().and_then(decode).ok_or_else(malformed)?,
        cose: decode(&kept.public_key).ok_or_else(malformed)?,
        sign_count: u32::try_from(row.int("counter")?).map_err(|_| malformed())?,
        backup_eligible: kept.backup_eligible,
        user_handle: factor.user_id.as_bytes().to_vec(),
    })
}

fn relying_party(context: &Context) -> Result<RelyingParty, CreateError> {
    let misconfigured = |issue: Issue| CreateError::Refused(Refused::Misconfigured(issue));
    context.settings().passkey.relying_party(context.config()).map_err(misconfigured)
}

/// A credential's id and transports.
type Credential = (Vec<u8>, Vec<String>);

/// The credentials of those factors that are proven passkeys.
fn credentials(factors: &[Factor]) -> Vec<Credential> {
    let transports = |factor: &Factor| {
        let list = factor.data.get("transports").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let credential = |factor: &Factor| Some((decode(factor.credential_id.as_ref()?)?, transports(factor)));
    factors.iter().filter(|factor| factor.is_active()).filter_map(credential).collect()
}

fn descriptors(credentials: &[Credential]) -> Vec<Descriptor<'_>> {
    credentials.iter().map(|(id, transports)| Descriptor { id, transports }).collect()
}

fn awaits(rp: &RelyingParty, challenge: &[u8], allow: Option<&[Credential]>) -> Value {
    let awaits = Awaits {
        challenge: URL_SAFE_NO_PAD.encode(challenge),
        rp_id: rp.id.clone(),
        verified: rp.user_verification == UserVerification::Required,
        allow: allow.map(|allow| allow.iter().map(|(id, _)| URL_SAFE_NO_PAD.encode(id)).collect()),
    };
    json!(awaits)
}

fn shown(options: Value) -> Map<String, Value> {
    Map::from_iter([("public_key".to_owned(), options)])
}

fn failed_at(step: Step) -> Value {
    json!({"failed_step": step.as_str()})
}

fn decode(text: impl AsRef<str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.as_ref()).ok()
}
