//! Which key signs now, how one is made on first use, and how they rotate. A key is in JWKS an hour before it signs, and
//! stays until what it signed has expired; the first of its algorithm signs at once, since nobody can know it before.

use std::time::Duration;

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Algorithm, TokenError, issuer, jwk,
    jwt::LONGEST,
    store::{self, Others},
};
use crate::{
    config::{Issue, Stops},
    context::{App, Context},
    crypto::{Place, Seal},
    event::{self, Event, EventType, When},
    ids::SigningKeyId,
    ports::{DatabaseError, Level, Ports, PublicKey, Row},
    settings::Snapshot,
    time::Timestamp,
};

/// How long a key is shown before it signs: longer than anybody keeps JWKS.
const SHOWN_BEFORE: Duration = Duration::from_hours(1);

/// How long a key is shown after another one signs.
const SHOWN_AFTER: Duration = LONGEST.saturating_add(Duration::from_hours(1));

/// A key as the snapshot has it. The private half is sealed, and opened for each signature.
#[derive(Clone)]
pub struct SigningKey {
    /// Its id: the `kid`.
    pub id: SigningKeyId,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The public half.
    pub public: PublicKey,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it signs.
    pub signs_from: Timestamp,
    /// When it leaves JWKS; `None`: no other one has taken its place.
    pub expires_at: Option<Timestamp>,
    sealed: String,
}

/// A key that was just made.
pub(super) struct NewKey {
    pub id: SigningKeyId,
    pub algorithm: Algorithm,
    /// The JWK.
    pub public: String,
    /// The private half.
    pub sealed: String,
}

impl SigningKey {
    /// Reads a row; `None`: it is none of ours, and nothing is signed or taken by it.
    pub fn read(row: &Row) -> Option<Self> {
        let algorithm = Algorithm::parse(row.opt_text("algorithm")?)?;
        Some(Self {
            id: SigningKeyId::parse(row.opt_text("id")?)?,
            algorithm,
            public: jwk::read(algorithm, row.opt_text("public_key")?)?,
            created_at: Timestamp::from_millis(row.opt_int("created_at")?),
            signs_from: Timestamp::from_millis(row.opt_int("signs_from")?),
            expires_at: row.opt_int("expires_at").map(Timestamp::from_millis),
            sealed: row.opt_text("private_key")?.to_owned(),
        })
    }

    /// Whether its tokens are taken.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }

    /// The private half in PKCS#8. One that does not open is a wrong deployment; the operator reads it in the log.
    pub(super) fn open(&self, context: &Context) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        context.seal().open(place(self.id.as_str()), &self.sealed).map_err(|error| {
            let detail = format!("the key that signs tokens cannot be read: {error}");
            context.log(Level::Error, &detail);
            TokenError::Misconfigured(Issue { variable: "ENCRYPTION_KEYS", stops: Stops::SignIn, detail })
        })
    }
}

/// Where a private key stands.
pub(crate) fn place(id: &str) -> Place<'_> {
    Place { table: "signing_keys", column: "private_key", row: id }
}

/// The key that signs: the newest that may. Where clocks differ and none may yet, the oldest.
pub fn signer(keys: &[SigningKey], algorithm: Algorithm, now: Timestamp) -> Option<&SigningKey> {
    let live = || keys.iter().filter(|key| key.algorithm == algorithm && key.is_live(now));
    let signs = live().filter(|key| key.signs_from <= now).max_by_key(|key| (key.signs_from, &key.id));
    signs.or_else(|| live().min_by_key(|key| (key.signs_from, &key.id)))
}

/// The live key with a `kid`.
pub fn verifier<'a>(keys: &'a [SigningKey], kid: &str, now: Timestamp) -> Option<&'a SigningKey> {
    keys.iter().find(|key| key.id.as_str() == kid && key.is_live(now))
}

/// Sees to it that a token can be signed, before anything is decided that would be lost without it. Where no key of the
/// algorithm exists it makes one and asks for the request to be run once more ([`DatabaseError::Stale`]).
pub async fn ready(context: &Context, algorithm: Algorithm) -> Result<(), TokenError> {
    issuer(context.config()).map_err(TokenError::Misconfigured)?;
    if let Some(key) = signer(&context.snapshot().signing_keys, algorithm, context.now()) {
        return key.open(context).map(|_| ());
    }
    let now = context.now();
    let key = new(context.ports(), context.seal(), algorithm, now).await?;
    let stamp = context.stamp();
    let mut batch = store::make(&key, now, now, Others::None, &stamp);
    batch.push(created(context, &key, "first_use", &stamp));
    // Whatever the settings are now: that there is none decides, and of many at once one makes it.
    context.record(batch).await?;
    Err(DatabaseError::Stale.into())
}

/// What an operator asks for: the next key of each algorithm that is in use, to sign in an hour; or, with `revoke`, a new
/// one at once, and the others and what they signed are worth nothing. One that waits already is not followed by another.
/// Gives the keys as they are then.
pub async fn replace(context: &Context, revoke: bool) -> Result<Vec<SigningKey>, TokenError> {
    let now = context.now();
    let stamp = context.stamp();
    let mut batch = Vec::new();
    for algorithm in replaceable(&context.snapshot().signing_keys, revoke, now) {
        let key = new(context.ports(), context.seal(), algorithm, now).await?;
        let (signs_from, others, reason) = if revoke { (now, Others::Revoke, "revoked") } else { next(now, now) };
        batch.extend(store::make(&key, now, signs_from, others, &stamp));
        batch.push(created(context, &key, reason, &stamp));
    }
    batch.push(store::all());
    let answer = context.decide(batch).await?;
    Ok(answer.last().map(Vec::as_slice).unwrap_or_default().iter().filter_map(SigningKey::read).collect())
}

/// The algorithms in use, without those whose next key waits already, unless everything is revoked.
fn replaceable(keys: &[SigningKey], revoke: bool, now: Timestamp) -> Vec<Algorithm> {
    let of = |algorithm| keys.iter().filter(move |key| key.algorithm == algorithm);
    let is_replaceable = |algorithm: &Algorithm| {
        of(*algorithm).next().is_some() && (revoke || of(*algorithm).all(|key| key.signs_from <= now))
    };
    [Algorithm::Rs256, Algorithm::Es256].into_iter().filter(is_replaceable).collect()
}

/// What the cron does: forgets what has expired, and makes the next key where the last one has signed as long as the
/// setting `tokens.rotate_keys_days` says. One algorithm a run: the other one has its turn ten minutes later.
pub async fn rotate(app: &App, snapshot: &Snapshot, now: Timestamp) -> Result<(), DatabaseError> {
    let keys = &snapshot.signing_keys;
    let mut batch: Vec<_> =
        keys.iter().filter(|key| !key.is_live(now)).map(|key| store::forget(&key.id, now)).collect();
    if let (Some(after), Ok(secrets)) = (snapshot.settings.rotate_keys, app.config.secrets()) {
        let due = now.before(after);
        let newest = |algorithm| {
            let last = keys.iter().filter(|key| key.algorithm == algorithm).map(|key| key.signs_from).max();
            last.is_some_and(|from| from <= due)
        };
        if let Some(algorithm) = [Algorithm::Rs256, Algorithm::Es256].into_iter().find(|algorithm| newest(*algorithm)) {
            let made = new(&app.ports, Seal(&secrets.encryption_keys), algorithm, now).await;
            match made {
                Ok(key) => {
                    let (signs_from, others, _) = next(now, due);
                    batch.extend(store::make(&key, now, signs_from, others, key.id.as_str()));
                    let text = format!("signing key {} ({}) signs from {signs_from}", key.id, algorithm.as_str());
                    app.ports.log.line(Level::Info, &text);
                }
                Err(error) => app.ports.log.line(Level::Error, &format!("no signing key was made: {error}")),
            }
        }
    }
    if !batch.is_empty() {
        app.ports.database.batch(batch).await?;
    }
    Ok(())
}

/// From when the next key signs, what becomes of the others, and why it is made.
fn next(now: Timestamp, none_after: Timestamp) -> (Timestamp, Others, &'static str) {
    let signs_from = now + SHOWN_BEFORE;
    (signs_from, Others::Retire(none_after, signs_from + SHOWN_AFTER), "rotated")
}

async fn new(ports: &Ports, seal: Seal<'_>, algorithm: Algorithm, now: Timestamp) -> Result<NewKey, TokenError> {
    let pair = ports.signatures.generate(algorithm).await?;
    let id = SigningKeyId::new(now, &*ports.random);
    let public = jwk::write(&id, algorithm, &pair.public).ok_or(TokenError::Fault("another key was made"))?;
    let sealed = seal
        .seal(place(id.as_str()), &pair.pkcs8, &*ports.random)
        .ok_or(TokenError::Fault("ENCRYPTION_KEYS lacks its current key"))?;
    Ok(NewKey { id, algorithm, public: public.to_string(), sealed })
}

fn created(context: &Context, key: &NewKey, reason: &'static str, stamp: &str) -> crate::ports::Statement {
    let event = Event::new(EventType::SigningKeyCreated, key.id.as_str());
    let event = Event { reason: Some(reason.to_owned()), ..event }.data(json!({"algorithm": key.algorithm.as_str()}));
    event::store::write(context, event, When::SigningKey(key.id.as_str(), stamp))
}
