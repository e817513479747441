//! How what carriers tell our callbacks is proven: by their signature for the configured public URL, under the settings as
//! they are now, or by an address that only the carrier was told.

use std::time::Duration;

use serde_json::Value;

use crate::{
    crypto::Pepper,
    event,
    http::{Code, Incoming, Problem, reply::Failure, serve},
    ids::EventId,
    message::{
        self,
        drivers::twilio_signature::{Signed, is_twilios},
    },
    ports::{DatabaseError, Level, Rows, Statement},
    secret::Secret,
    settings::{Snapshot, guard},
    statement,
};

/// The fields that a carrier sent: of the form or the JSON object in the body, or of the query.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn read(incoming: &Incoming) -> Self {
        let of_form = |bytes: &[u8]| form_urlencoded::parse(bytes).into_owned().collect();
        match incoming.method.as_str() {
            "POST" if is_json(incoming) => Self(of_json(&incoming.body)),
            "POST" => Self(of_form(&incoming.body)),
            _ => Self(of_form(incoming.query.as_bytes())),
        }
    }

    pub(super) fn fields(&self) -> &[(String, String)] {
        &self.0
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn is_json(incoming: &Incoming) -> bool {
    incoming.header("content-type").is_some_and(|media| media.starts_with("application/json"))
}

/// The members of an object that are texts or numbers. What is no object has none.
fn of_json(bytes: &[u8]) -> Vec<(String, String)> {
    let Ok(Value::Object(members)) = serde_json::from_slice(bytes) else { return Vec::new() };
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    members.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
}

/// What has proven a call of a carrier.
pub(super) struct Proof {
    /// Fingerprints of the credentials that have signed it, as a JSON list: what was sent with another one stays as it is.
    pub(super) signed_with: String,
}

impl Proof {
    fn of(pepper: Pepper<'_>, secrets: &[&Secret]) -> Self {
        let prints: Vec<String> = secrets.iter().flat_map(|secret| pepper.fingerprints(secret.expose())).collect();
        Self { signed_with: Value::from(prints).to_string() }
    }
}

/// What Twilio has signed, with any of its tokens, for the configured URL.
fn twilio_proof(incoming: &Incoming, snapshot: &Snapshot, form: &Form) -> Option<Proof> {
    let delivery = &snapshot.settings.delivery;
    let (base, signature) = (delivery.callback_base()?, incoming.header("x-twilio-signature")?);
    let query = if incoming.query.is_empty() { "" } else { "?" };
    let path = format!("{}{query}{}", incoming.path, incoming.query);
    let signed = if is_json(incoming) { Signed::Json(&incoming.query, &incoming.body) } else { Signed::Form(&form.0) };
    let signers: Vec<&Secret> = delivery
        .twilio_tokens(incoming.now)
        .into_iter()
        .filter(|token| is_twilios(token, base, &path, &signed, signature))
        .collect();
    (!signers.is_empty()).then_some(Proof::of(pepper(incoming).ok()?, &signers))
}

/// What Vonage has signed, as the check says; without a secret the path proves alone.
pub(super) fn vonage_proof(
    incoming: &Incoming,
    snapshot: &Snapshot,
    is_signed_with: &dyn Fn(&Secret) -> bool,
) -> Option<Proof> {
    let delivery = &snapshot.settings.delivery;
    // A secret that cannot be read is no absent one: what it would have proven is not believed.
    let secrets = delivery.vonage_signature_secrets(incoming.now);
    let signers: Vec<&Secret> = secrets.iter().copied().filter(|secret| is_signed_with(secret)).collect();
    (!delivery.vonage_signs() || !signers.is_empty()).then_some(Proof::of(pepper(incoming).ok()?, &signers))
}

/// The same as [`proven`] of what Twilio signs. Without any signature nothing is read.
pub(super) async fn twilio_proven(
    incoming: &Incoming,
    form: &Form,
    batch: &(dyn Fn(&Proof) -> Vec<Statement> + Sync),
) -> Result<Vec<Rows>, Failure> {
    if incoming.header("x-twilio-signature").is_none() {
        return Err(refused(incoming).await);
    }
    proven(incoming, &|snapshot: &Snapshot| twilio_proof(incoming, snapshot, form), batch).await
}

/// Runs what a carrier has proven, under the settings as they are: where they have changed since this isolate read them, it
/// looks once more, be it that the proof does not fit what it remembers or that the batch says so. No statements: nothing
/// is to be done.
pub(super) async fn proven(
    incoming: &Incoming,
    check: &(dyn Fn(&Snapshot) -> Option<Proof> + Sync),
    batch: &(dyn Fn(&Proof) -> Vec<Statement> + Sync),
) -> Result<Vec<Rows>, Failure> {
    let app = &incoming.app;
    let mut remembered = app.cache.get().is_some();
    loop {
        let snapshot = if remembered {
            serve::snapshot(incoming, None).await?
        } else {
            serve::read_snapshot(incoming, None).await?
        };
        let Some(proof) = check(&snapshot) else {
            if remembered {
                remembered = false;
                continue;
            }
            return Err(refused(incoming).await);
        };
        let mut statements = batch(&proof);
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        statements.insert(0, guard(snapshot.version));
        match incoming.round_trips.batch(&app.ports, statements).await {
            Err(DatabaseError::Stale) if remembered => {
                app.cache.forget();
                remembered = false;
            }
            answer => {
                let answer = answer?;
                if snapshot.heard.any() {
                    incoming.tells.set();
                }
                message::point::reported(&app.ports, &answer);
                return Ok(answer);
            }
        }
    }
}

/// Somebody called a callback without proving that they are the carrier.
pub(super) async fn refused(incoming: &Incoming) -> Failure {
    let app = &incoming.app;
    app.ports.log.line(Level::Warn, &format!("{} a delivery report without a valid signature", incoming.request_id));
    let minute_ago = EventId::floor(incoming.now.before(Duration::from_mins(1)));
    let event = EventId::new(incoming.now, &*app.ports.random);
    let refused =
        statement!(event::store::CALLBACK_REFUSED, &event, &incoming.request_id, incoming.now.millis(), &minute_ago);
    if let Err(error) = incoming.round_trips.batch(&app.ports, vec![refused]).await {
        app.ports.log.line(Level::Error, &format!("{} {error}", incoming.request_id));
    }
    Problem::new(Code::SignatureInvalid, "the signature is missing or wrong").into()
}

/// The pepper of this deployment.
pub(super) fn pepper(incoming: &Incoming) -> Result<Pepper<'_>, Failure> {
    let secrets = incoming.app.config.secrets();
    let secrets = secrets.map_err(|issue| Problem::new(Code::ConfigurationInvalid, issue.detail.clone()))?;
    Ok(Pepper(&secrets.code_pepper))
}
