//! Standard Webhooks: the signature of what is POSTed to somebody's endpoint, so that they know who it is from.
//! HMAC-SHA-256 over `id.timestamp.body`, in the header `webhook-signature: v1,<base64>`.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How many octets a secret has: at least as many as the standard asks for, at most as many as it allows.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// A key that signs.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// Reads `whsec_` and the base64 of 24 to 64 octets.
    pub fn parse(text: &str) -> Option<Self> {
        let key = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        LENGTHS.contains(&key.len()).then(|| Self(Zeroizing::new(key)))
    }

    /// The value of `webhook-signature` for a message with this id, time (in seconds since 1970) and body.
    pub fn sign(&self, id: &str, unix_seconds: i64, body: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{unix_seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_the_standards_own_library_makes() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
        let ours = WebhookSecret::parse(secret).expect("a secret").sign(id, 1_614_265_330, body);
        let theirs = standardwebhooks::Webhook::new(secret).expect("a secret");
        assert_eq!(theirs.sign(id, 1_614_265_330, body.as_bytes()).ok(), Some(ours.clone()));
        // The vector of the specification's libraries.
        assert_eq!(ours, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_has_its_prefix_and_enough_octets() {
        let of = |octets| format!("whsec_{}", STANDARD.encode(vec![7; octets]));
        assert!(WebhookSecret::parse(&of(24)).is_some() && WebhookSecret::parse(&of(64)).is_some());
        for bad in [of(23), of(65), "whsec_".to_owned(), "whsec_?".to_owned(), STANDARD.encode([7; 32])] {
            assert!(WebhookSecret::parse(&bad).is_none(), "{bad}");
        }
    }
}
