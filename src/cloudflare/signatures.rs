//! The signatures port on WebCrypto.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};
use worker::{
    send::SendFuture,
    wasm_bindgen::{JsCast, JsValue},
};

use crate::{
    crypto::{RsaPrivateKey, ecdsa_raw},
    ports::{PortFuture, PublicKey, SignatureError, Signatures},
};

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
            let promise = subtle
                .verify_with_object_and_u8_array_and_u8_array(&algorithm(key), &imported, &signature, message)
                .map_err(|error| failed(&error))?;
            let valid = JsFuture::from(promise).await.map_err(|error| failed(&error))?;
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
            let promise =
                subtle.sign_with_object_and_u8_array(&rs256(), &imported, message).map_err(|error| failed(&error))?;
            let signature = JsFuture::from(promise).await.map_err(|error| failed(&error))?;
            Ok(Uint8Array::new(&signature).to_vec())
        }))
    }
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
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into()).map_err(|error| failed(&error))?;
    let subtle = Reflect::get(&crypto, &"subtle".into()).map_err(|error| failed(&error))?;
    Ok(subtle.unchecked_into())
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
        PublicKey::Es256 { .. } => object(&[("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")]),
        PublicKey::EdDsa(_) => object(&[("name", "Ed25519")]),
        PublicKey::Rs256 { .. } => rs256(),
    }
}

fn rs256() -> Object {
    object(&[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")])
}

fn object(fields: &[(&str, &str)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a fresh object cannot fail.
        let _ = Reflect::set(&object, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    object
}

/// The name of what the platform threw; its message stays here.
fn failed(error: &JsValue) -> SignatureError {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    SignatureError::Failed(name.unwrap_or_else(|| "an error without a name".to_owned()))
}
