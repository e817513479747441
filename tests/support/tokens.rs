//! Tokens without a route: made and taken by an isolate as a request does it, and forged ones.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use postern::{
    api_key::Credential,
    context::{Context, Parts, RoundTrips},
    crypto::{Place, Seal},
    ids::RequestId,
    ports::{Algorithm, Clock, DatabaseError, Signatures},
    settings::{Snapshot, current, load},
    token::{self, Claims, Invalid, TokenError},
};
use serde_json::{Map, Value, json};

use super::{Native, World, vars::KEY};

/// What a request works with, under the settings that the isolate remembers.
pub async fn context(native: &Native) -> Context {
    let app = native.app.clone();
    let snapshot = if let Some(known) = app.cache.get() {
        known
    } else {
        let answer = app.ports.database.batch(load(&app.config.binding_key_hash(), None)).await.unwrap();
        app.cache.put(Snapshot::read(&answer, None, &app.config).unwrap())
    };
    let now = native.clock.now();
    Context::new(Parts {
        secrets: app.config.secrets().unwrap().clone(),
        request_id: RequestId::new(now, &native.random),
        now,
        credential: Credential::of_binding(KEY),
        snapshot,
        round_trips: RoundTrips::default(),
        dev_tools: false,
        app,
    })
}

/// Signs claims after a batch that decides, with the first key made where there is none: in two tries, as the server
/// has them.
pub async fn try_sign(native: &Native, algorithm: Algorithm, typ: &str, claims: &Value) -> Result<String, TokenError> {
    let claims: &Map<String, Value> = claims.as_object().unwrap();
    for last in [false, true] {
        let context = context(native).await;
        match token::keys::ready(&context, algorithm).await {
            Err(TokenError::Database(DatabaseError::Stale)) if !last => {
                native.app.cache.forget();
                continue;
            }
            other => other?,
        }
        match context.decide(vec![current()]).await {
            Err(DatabaseError::Stale) if !last => native.app.cache.forget(),
            other => {
                other?;
                return token::sign(&context, algorithm, typ, claims).await;
            }
        }
    }
    unreachable!()
}

/// Signs claims.
pub async fn sign(native: &Native, algorithm: Algorithm, typ: &str, claims: &Value) -> String {
    try_sign(native, algorithm, typ, claims).await.unwrap()
}

/// Takes a token under the settings' guard, and looks again before it refuses, as the server does.
pub async fn verify(native: &Native, text: &str, typ: &str) -> Result<Claims, Invalid> {
    let first = token::verify(&context(native).await, text, typ).await;
    let is_current = context(native).await.decide(vec![current()]).await.is_ok();
    if is_current {
        return first;
    }
    native.app.cache.forget();
    token::verify(&context(native).await, text, typ).await
}

/// Claims of an access token that lives so many seconds.
pub fn claims(world: &World, seconds: i64) -> Value {
    json!({"iss": "http://localhost:8787", "sub": "usr_1", "exp": world.now() / 1000 + seconds})
}

/// One part of a token.
pub fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The private half of the newest key of an algorithm, and its `kid`: what a thief of everything has.
pub fn stolen(native: &Native, algorithm: Algorithm) -> (String, Vec<u8>) {
    let name = algorithm.as_str();
    let query = format!("SELECT id, private_key FROM signing_keys WHERE algorithm = '{name}' ORDER BY id DESC LIMIT 1");
    let row = native.database.query(&query).remove(0);
    let (id, sealed) = (row["id"].as_str().unwrap(), row["private_key"].as_str().unwrap());
    let place = Place { table: "signing_keys", column: "private_key", row: id };
    let pkcs8 = Seal(&native.app.config.secrets().unwrap().encryption_keys).open(place, sealed).unwrap();
    (id.to_owned(), pkcs8.to_vec())
}

/// A token with any header and payload, signed with a key.
pub async fn signed_with(
    native: &Native,
    algorithm: Algorithm,
    pkcs8: &[u8],
    header: &Value,
    payload: &Value,
) -> String {
    let text = format!("{}.{}", part(header), part(payload));
    let signature = native.app.ports.signatures.sign("", algorithm, pkcs8, text.as_bytes()).await.unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}
