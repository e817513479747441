//! The signatures port on WebCrypto. Keys that sign tokens are imported once per isolate.

use std::{cell::RefCell, collections::VecDeque};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};
use worker::{
    send::SendFuture,
    wasm_bindgen::{JsCast, JsValue},
};
use zeroize::Zeroizing;

use crate::{
    crypto::{RsaPrivateKey, ecdsa_raw},
    ports::{Algorithm, NewKeyPair, PortFuture, PublicKey, SignatureError, Signatures},
};

/// How many imported keys an isolate remembers: two algorithms, each with a key that signs, one before and one after.
const REMEMBERED: usize = 6;

thread_local! {
    /// Imported private keys by `kid`, the oldest first.
    static IMPORTED: RefCell<VecDeque<(String, CryptoKey)>> = const { RefCell::new(VecDeque::new()) };
}

/// `crypto.subtle`.
pub(super) struct WebCryptoSignatures;

impl Signatures for WebCryptoSignatures {
    fn check<'a>(&'a self, key: &'a PublicKey) -> PortFuture<'a, Result<(), SignatureError>> {
        Box::pin(SendFuture::new(async move { import_public(&subtle()?, key).await.map(|_| ()) }))
    }

    fn verify<'a>(
        &'a self,
        key: &'a PublicKey,
        message: &'a [u8],
        signature: &'a [u8],
    ) -> PortFuture<'a, Result<bool, SignatureError>> {
        Box::pin(SendFuture::new(async move {
            let subtle = subtle()?;
            let imported = import_public(&subtle, key).await?;
            let Some(signature) = for_webcrypto(key, signature) else { return Ok(false) };
            let valid = settled(subtle.verify_with_object_and_u8_array_and_u8_array(
                &algorithm(key),
                &imported,
                &signature,
                message,
            ))
            .await?;
            Ok(valid.is_truthy())
        }))
    }

    fn sign_rs256<'a>(
        &'a self,
        key: &'a RsaPrivateKey,
        message: &'a [u8],
    ) -> PortFuture<'a, Result<Vec<u8>, SignatureError>> {
        Box::pin(SendFuture::new(async move {
            let subtle = subtle()?;
            let data = Uint8Array::from(key.expose());
            let imported = import(&subtle, "pkcs8", &data, &rs256(), "sign").await?;
            let signature = settled(subtle.sign_with_object_and_u8_array(&rs256(), &imported, message)).await?;
            Ok(Uint8Array::new(&signature).to_vec())
        }))
    }

    fn generate(&self, algorithm: Algorithm) -> PortFuture<'_, Result<NewKeyPair, SignatureError>> {
        Box::pin(SendFuture::new(async move {
            let subtle = subtle()?;
            let of = name(algorithm);
            if algorithm == Algorithm::Rs256 {
                set(&of, "modulusLength", &2048.into());
                set(&of, "publicExponent", &Uint8Array::from([1, 0, 1].as_slice()));
            }
            let usages = Array::of2(&"sign".into(), &"verify".into());
            let pair = settled(subtle.generate_key_with_object(&of, true, &usages)).await?;
            let half = |name: &str| get(&pair, name).map(JsCast::unchecked_into::<CryptoKey>);
            let pkcs8 = settled(subtle.export_key("pkcs8", &half("privateKey")?)).await?;
            let jwk = settled(subtle.export_key("jwk", &half("publicKey")?)).await?;
            let member = |name: &str| {
                let text = get(&jwk, name)?.as_string().unwrap_or_default();
                URL_SAFE_NO_PAD.decode(text).map_err(|_| SignatureError::KeyRefused)
            };
            let coordinate = |name: &str| member(name)?.try_into().map_err(|_| SignatureError::KeyRefused);
            Ok(NewKeyPair {
                pkcs8: Zeroizing::new(Uint8Array::new(&pkcs8).to_vec()),
                public: match algorithm {
                    Algorithm::Rs256 => PublicKey::Rs256 { n: member("n")?, e: member("e")? },
                    Algorithm::Es256 => PublicKey::Es256 { x: coordinate("x")?, y: coordinate("y")? },
                },
            })
        }))
    }

    fn sign<'a>(
        &'a self,
        kid: &'a str,
        algorithm: Algorithm,
        pkcs8: &'a [u8],
        message: &'a [u8],
    ) -> PortFuture<'a, Result<Vec<u8>, SignatureError>> {
        Box::pin(SendFuture::new(async move {
            let subtle = subtle()?;
            let of = name(algorithm);
            let remembered =
                IMPORTED.with_borrow(|keys| keys.iter().find(|(id, _)| id == kid).map(|(_, key)| key.clone()));
            let key = if let Some(key) = remembered {
                key
            } else {
                let key = import(&subtle, "pkcs8", &Uint8Array::from(pkcs8), &of, "sign").await?;
                // Another request may have imported it meanwhile: twice is once too often, and no harm.
                IMPORTED.with_borrow_mut(|keys| {
                    if keys.len() >= REMEMBERED {
                        keys.pop_front();
                    }
                    keys.push_back((kid.to_owned(), key.clone()));
                });
                key
            };
            let signature = settled(subtle.sign_with_object_and_u8_array(&of, &key, message)).await?;
            Ok(Uint8Array::new(&signature).to_vec())
        }))
    }
}

/// What a call of the platform comes to.
async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, SignatureError> {
    let promise = promise.map_err(|error| failed(&error))?;
    JsFuture::from(promise).await.map_err(|error| failed(&error))
}

/// A signature as WebCrypto takes it; `None`: of no form that it could be valid in. WebAuthn brings ES256 in DER, where r
/// and s are wanted, and an EdDSA signature of another length is an error to the platform, not a wrong one.
fn for_webcrypto(key: &PublicKey, signature: &[u8]) -> Option<Vec<u8>> {
    match key {
        PublicKey::Es256 { .. } => ecdsa_raw(signature).map(Vec::from),
        PublicKey::EdDsa(_) => (signature.len() == 64).then(|| signature.to_vec()),
        PublicKey::Rs256 { .. } => Some(signature.to_vec()),
    }
}

fn subtle() -> Result<SubtleCrypto, SignatureError> {
    Ok(get(&get(&js_sys::global(), "crypto")?, "subtle")?.unchecked_into())
}

fn get(object: &JsValue, name: &str) -> Result<JsValue, SignatureError> {
    Reflect::get(object, &name.into()).map_err(|error| failed(&error))
}

/// Imports a public key. A point that is not on P-256 fails here: the platform checks the curve's equation.
async fn import_public(subtle: &SubtleCrypto, key: &PublicKey) -> Result<CryptoKey, SignatureError> {
    match key {
        PublicKey::Es256 { x, y } => {
            // The uncompressed point of SEC 1 §2.3.3.
            let point = [&[4], x.as_slice(), y].concat();
            import(subtle, "raw", &Uint8Array::from(point.as_slice()), &algorithm(key), "verify").await
        }
        PublicKey::EdDsa(point) => {
            import(subtle, "raw", &Uint8Array::from(point.as_slice()), &algorithm(key), "verify").await
        }
        PublicKey::Rs256 { n, e } => {
            let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
            let jwk = object(&[("kty", "RSA"), ("alg", "RS256"), ("n", &n), ("e", &e)]);
            import(subtle, "jwk", &jwk, &algorithm(key), "verify").await
        }
    }
}

async fn import(
    subtle: &SubtleCrypto,
    format: &str,
    data: &Object,
    algorithm: &Object,
    usage: &str,
) -> Result<CryptoKey, SignatureError> {
    let usages = Array::of1(&usage.into());
    let promise = subtle
        .import_key_with_object(format, data, algorithm, false, &usages)
        .map_err(|_| SignatureError::KeyRefused)?;
    // What the platform says of a key may quote it: it goes nowhere.
    let key = JsFuture::from(promise).await.map_err(|_| SignatureError::KeyRefused)?;
    Ok(key.unchecked_into())
}

/// What WebCrypto calls the key's algorithm; the same object serves for the import and for the verification.
fn algorithm(key: &PublicKey) -> Object {
    match key {
        PublicKey::Es256 { .. } => name(Algorithm::Es256),
        PublicKey::EdDsa(_) => object(&[("name", "Ed25519")]),
        PublicKey::Rs256 { .. } => rs256(),
    }
}

fn name(algorithm: Algorithm) -> Object {
    match algorithm {
        Algorithm::Rs256 => rs256(),
        Algorithm::Es256 => object(&[("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")]),
    }
}

fn rs256() -> Object {
    object(&[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")])
}

fn object(fields: &[(&str, &str)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, name, &JsValue::from_str(value));
    }
    object
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // Setting a field of a fresh object cannot fail.
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

/// The name of what the platform threw; its message stays here.
fn failed(error: &JsValue) -> SignatureError {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    SignatureError::Failed(name.unwrap_or_else(|| "an error without a name".to_owned()))
}
