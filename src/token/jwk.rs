//! Public keys as JWK (RFC 7517): what is stored, what is served, and the way back.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    ids::SigningKeyId,
    ports::{Algorithm, PublicKey},
};

/// The JWK of a key that signs. `None` for a key of another algorithm.
pub(super) fn write(id: &SigningKeyId, algorithm: Algorithm, key: &PublicKey) -> Option<Value> {
    let mut jwk = match (algorithm, key) {
        (Algorithm::Rs256, PublicKey::Rs256 { n, e }) => {
            json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e)})
        }
        (Algorithm::Es256, PublicKey::Es256 { x, y }) => {
            json!({"kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)})
        }
        _ => return None,
    };
    let members = jwk.as_object_mut()?;
    members.insert("kid".to_owned(), id.as_str().into());
    members.insert("use".to_owned(), "sig".into());
    members.insert("alg".to_owned(), algorithm.as_str().into());
    Some(jwk)
}

/// The key of a stored JWK, which [`write`] made for this algorithm.
pub(super) fn read(algorithm: Algorithm, jwk: &str) -> Option<PublicKey> {
    let jwk: Value = serde_json::from_str(jwk).ok()?;
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok();
    Some(match algorithm {
        Algorithm::Rs256 => PublicKey::Rs256 { n: bytes("n")?, e: bytes("e")? },
        Algorithm::Es256 => PublicKey::Es256 { x: bytes("x")?.try_into().ok()?, y: bytes("y")?.try_into().ok()? },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_and_only_under_its_algorithm() {
        let id = SigningKeyId::parse("sig_01M80DVXCA000G40R40M30E209").expect("an id");
        let rsa = PublicKey::Rs256 { n: vec![0xfb; 256], e: vec![1, 0, 1] };
        let point = PublicKey::Es256 { x: [0xfe; 32], y: [7; 32] };
        for (algorithm, key, other) in [(Algorithm::Rs256, &rsa, &point), (Algorithm::Es256, &point, &rsa)] {
            let jwk = write(&id, algorithm, key).expect("a JWK");
            assert_eq!((&jwk["kid"], &jwk["alg"]), (&json!(id.as_str()), &json!(algorithm.as_str())));
            assert_eq!(read(algorithm, &jwk.to_string()).as_ref(), Some(key));
            assert_eq!(write(&id, algorithm, other), None);
        }
        // RFC 7518 §6.3.1.2 has this exponent.
        assert_eq!(write(&id, Algorithm::Rs256, &rsa).expect("a JWK")["e"], "AQAB");
        assert_eq!(read(Algorithm::Es256, r#"{"x": "AA", "y": "AA"}"#), None);
        assert_eq!(read(Algorithm::Rs256, "{}"), None);
    }
}
