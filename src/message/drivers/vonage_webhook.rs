//! Vonage's signed webhooks: a JWT with HS256 under the account's signature secret in `Authorization`, whose
//! `payload_hash` is the SHA-256 of the body. Verified against RFC 7515, with the one algorithm that is taken.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// How old a token may be, and how far its clock may be ahead, in seconds.
const WINDOW: i64 = 300;

/// Whether `authorization` proves that Vonage sent this body lately.
pub fn is_vonages(authorization: Option<&str>, secret: &Secret, body: &str, unix_seconds: i64) -> bool {
    let token = authorization
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.and_then(|(_, token)| claims(token.trim(), secret)).is_some_and(|claims| fits(&claims, body, unix_seconds))
}

/// The claims of a token that the secret signed.
fn claims(token: &str, secret: &Secret) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    // An allow-list of one (ASVS 9.1.2); keys and URLs in the header are never looked at (9.1.3).
    if header.get("alg").and_then(Value::as_str) != Some("HS256") || header.get("crit").is_some() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&decode(signature)?).ok()?;
    serde_json::from_slice(&decode(payload)?).ok()
}

/// Whether the claims are of now and of this body. A signature says nothing of a body without `payload_hash`.
fn fits(claims: &Value, body: &str, unix_seconds: i64) -> bool {
    let seconds = |name: &str| claims.get(name).and_then(Value::as_i64);
    let fresh = seconds("iat").is_some_and(|issued| (unix_seconds - WINDOW..=unix_seconds + WINDOW).contains(&issued));
    let valid = claims.get("exp").is_none() || seconds("exp").is_some_and(|end| end > unix_seconds);
    let hash = Sha256::digest(body.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let same = claims.get("payload_hash").and_then(Value::as_str).is_some_and(|said| said.eq_ignore_ascii_case(&hash));
    fresh && valid && same
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    const SECRET: &str = "a-signature-secret-of-the-account";
    const NOW: i64 = 1_795_341_600;
    const BODY: &str = r#"{"dtmf":{"digits":"1","timed_out":false},"uuid":"aaaa"}"#;
    /// `sha256sum` of the body.
    const HASH: &str = "8d7e41419d784c38fc3fda3d58f68bce398cee5a89048992ad17b98b50fcd990";

    fn token(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
        let key = EncodingKey::from_secret(secret.as_bytes());
        format!("Bearer {}", encode(&Header::new(algorithm), claims, &key).expect("a token"))
    }

    fn good() -> Value {
        json!({"iat": NOW, "jti": "1", "iss": "Vonage", "api_key": "abcd1234", "application_id": "a", "payload_hash": HASH})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = good();
        claims[name] = value;
        claims
    }

    fn verdict(authorization: &str) -> bool {
        is_vonages(Some(authorization), &Secret::new(SECRET.to_owned()), BODY, NOW)
    }

    #[test]
    fn what_another_library_signed_is_believed() {
        assert!(verdict(&token(Algorithm::HS256, SECRET, &good())));
        assert!(verdict(&token(Algorithm::HS256, SECRET, &good()).replace("Bearer", "bearer")));
        assert!(verdict(&token(Algorithm::HS256, SECRET, &with("payload_hash", json!(HASH.to_uppercase())))));
        assert!(verdict(&token(Algorithm::HS256, SECRET, &with("exp", json!(NOW + 1)))));
    }

    #[test]
    fn all_else_is_not() {
        let claims = |claims: &Value| token(Algorithm::HS256, SECRET, claims);
        let good_token = claims(&good());
        let unsigned = |header: &Value| {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            format!("Bearer {}.{}.", part(header), part(&good()))
        };
        // Our own signature under a header of our own: nothing but the header is wrong.
        let under = |header: &Value| {
            let token = unsigned(header);
            let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
            mac.update(token.trim_start_matches("Bearer ").trim_end_matches('.').as_bytes());
            token + &URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
        };
        assert!(verdict(&under(&json!({"alg": "HS256"}))));
        for (what, bad) in [
            ("another secret", token(Algorithm::HS256, "another", &good())),
            ("another algorithm", token(Algorithm::HS512, SECRET, &good())),
            ("another name of an algorithm", under(&json!({"alg": "none"}))),
            ("an extension that has to be understood", under(&json!({"alg": "HS256", "crit": ["x"]}))),
            ("no algorithm", unsigned(&json!({"alg": "none"}))),
            ("no signature", unsigned(&json!({"alg": "HS256"}))),
            ("another body", claims(&with("payload_hash", json!("00")))),
            ("no hash", claims(&with("payload_hash", Value::Null))),
            ("too old", claims(&with("iat", json!(NOW - 301)))),
            ("not yet", claims(&with("iat", json!(NOW + 301)))),
            ("no time", claims(&with("iat", Value::Null))),
            ("over", claims(&with("exp", json!(NOW)))),
            ("a malformed end", claims(&with("exp", json!("later")))),
            ("not bearer", good_token.replace("Bearer", "Basic")),
            ("cut off", good_token.chars().take(good_token.len() - 2).collect()),
            ("one part", "Bearer abc".to_owned()),
            ("nothing", "Bearer ".to_owned()),
        ] {
            assert!(!verdict(&bad), "{what}");
        }
        assert!(!is_vonages(None, &Secret::new(SECRET.to_owned()), BODY, NOW));
    }
}
