//! High-entropy tokens: made from 256 random bits, stored as their SHA-256 only (law 5).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{ports::Random, secret::Secret};

/// A new token: the prefix and 43 characters, 256 bits.
pub fn new_token(prefix: &str, random: &dyn Random) -> Secret {
    Secret::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random.bytes::<32>())))
}

/// What is stored of a token. A plain hash is enough, since nobody guesses 256 bits.
pub fn token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}
