//! JWTs in the compact form (RFC 7515 §7.1): made with a key of ours, and taken only when a key of ours made them.
//! Which algorithm checks a token is the key's to say, never the token's (RFC 8725 §3.1).

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{Algorithm, SigningKey, TokenError, issuer, keys};
use crate::{
    config::{Config, Issue},
    context::Context,
    crypto::ecdsa_der,
    ports::{SignatureError, Signatures},
    time::Timestamp,
};

/// The longest that a token lives. A key stays in JWKS an hour longer than that after it has signed its last one.
pub const LONGEST: Duration = Duration::from_hours(24);

/// The longest token that is looked at.
const SIZE: usize = 8 * 1024;

/// What a token says, once it was checked.
#[derive(Clone, Debug)]
pub struct Claims(pub Map<String, Value>);

/// Why a token is not taken. The caller is told one thing for all but the last two.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is too long, or no JWT.
    #[error("it is no token")]
    Malformed,
    /// Its header asks for what is not understood (`crit`, RFC 7515 §4.1.11).
    #[error("it asks for an extension")]
    Critical,
    /// It is a token of another kind.
    #[error("it is of another type")]
    Type,
    /// No live key has its `kid`.
    #[error("no live key has its kid")]
    Key,
    /// It names another algorithm than its key has.
    #[error("its key has another algorithm")]
    Algorithm,
    /// The key did not sign it.
    #[error("its signature is wrong")]
    Signature,
    /// Another one has issued it.
    #[error("another one has issued it")]
    Issuer,
    /// Its time is over, has not begun, or is not told.
    #[error("its time is over")]
    Time,
    /// A variable is missing or wrong.
    #[error("{}", .0.detail)]
    Misconfigured(Issue),
    /// The platform does not check signatures.
    #[error(transparent)]
    Unavailable(SignatureError),
}

impl Claims {
    /// The text of a claim.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The number of a claim; times are in seconds.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }
}

/// Makes a token. [`keys::ready`] comes before it, and before the batch that decides.
pub async fn sign(
    context: &Context,
    algorithm: Algorithm,
    typ: &str,
    claims: &Map<String, Value>,
) -> Result<String, TokenError> {
    let now = context.now();
    let key = keys::signer(&context.snapshot().signing_keys, algorithm, now)
        .ok_or(TokenError::Fault("there is no key to sign with"))?;
    let latest = (now + LONGEST).millis() / 1000;
    if claims.get("exp").and_then(Value::as_i64).is_none_or(|exp| exp > latest) {
        return Err(TokenError::Fault("a token has to end within a day"));
    }
    let pkcs8 = key.open(context)?;
    let header = json!({"alg": algorithm.as_str(), "kid": key.id.as_str(), "typ": typ}).to_string();
    let payload = serde_json::to_vec(claims).map_err(|_| TokenError::Fault("the claims cannot be written"))?;
    let mut text = URL_SAFE_NO_PAD.encode(header);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let signature = context.ports().signatures.sign(key.id.as_str(), algorithm, &pkcs8, text.as_bytes()).await?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(text)
}

/// Takes a token of a type, by what this request knows. A batch that follows has to be guarded: the keys may have
/// changed since, and then it is stale.
pub async fn verify(context: &Context, text: &str, typ: &str) -> Result<Claims, Invalid> {
    let verifier = Verifier {
        config: context.config(),
        signatures: &*context.ports().signatures,
        keys: &context.snapshot().signing_keys,
        now: context.now(),
    };
    verifier.verify(text, typ).await
}

/// What checking a token needs, for where there is no [`Context`] yet.
#[derive(Clone, Copy)]
pub struct Verifier<'a> {
    /// Whose tokens are taken.
    pub config: &'a Config,
    /// Who checks signatures.
    pub signatures: &'a dyn Signatures,
    /// The snapshot's keys.
    pub keys: &'a [SigningKey],
    /// The time it is.
    pub now: Timestamp,
}

impl Verifier<'_> {
    /// Takes a token of a type: signed by a live key, under its algorithm, issued here, and in its time. Whom it is for
    /// (`aud`) is the caller's to check. What else its header names (`jku`, `x5u`, `jwk`, `x5c`) is not looked at.
    pub async fn verify(&self, text: &str, typ: &str) -> Result<Claims, Invalid> {
        let issuer = issuer(self.config).map_err(Invalid::Misconfigured)?;
        let token = Token::read(text).ok_or(Invalid::Malformed)?;
        let named = |name| token.header.get(name).and_then(Value::as_str);
        if token.header.contains_key("crit") {
            return Err(Invalid::Critical);
        }
        if named("typ") != Some(typ) {
            return Err(Invalid::Type);
        }
        let key = named("kid").and_then(|kid| keys::verifier(self.keys, kid, self.now)).ok_or(Invalid::Key)?;
        if named("alg") != Some(key.algorithm.as_str()) {
            return Err(Invalid::Algorithm);
        }
        let signature = match key.algorithm {
            Algorithm::Rs256 => token.signature,
            // The port takes the form that WebAuthn brings.
            Algorithm::Es256 => ecdsa_der(&token.signature).ok_or(Invalid::Signature)?,
        };
        let is_its = self
            .signatures
            .verify(&key.public, token.signed.as_bytes(), &signature)
            .await
            .map_err(Invalid::Unavailable)?;
        if !is_its {
            return Err(Invalid::Signature);
        }
        let claims = Claims(object(token.payload).ok_or(Invalid::Malformed)?);
        if claims.text("iss") != Some(issuer) {
            return Err(Invalid::Issuer);
        }
        let now = self.now.millis() / 1000;
        let has_begun = claims.0.get("nbf").is_none_or(|begin| begin.as_i64().is_some_and(|begin| begin <= now));
        if !has_begun || claims.integer("exp").is_none_or(|end| end <= now) {
            return Err(Invalid::Time);
        }
        Ok(claims)
    }
}

/// The parts of a token.
struct Token<'a> {
    header: Map<String, Value>,
    /// The first two parts as they stand: what was signed.
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    fn read(text: &'a str) -> Option<Self> {
        if text.len() > SIZE {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.').filter(|(_, payload)| !payload.contains('.'))?;
        Some(Self { header: object(header)?, signed, payload, signature: URL_SAFE_NO_PAD.decode(signature).ok()? })
    }
}

/// The JSON object of a part.
fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
