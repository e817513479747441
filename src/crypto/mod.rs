//! Keys and what is made with them: the key ring, codes and their MACs, hashes of tokens, private keys.

mod code;
mod der;
mod keyring;
mod pepper;
mod private_key;
mod token;
mod webhook;

pub use code::{Code, CodeLength};
pub use der::ecdsa_raw;
pub use keyring::KeyRing;
pub use pepper::Pepper;
pub use private_key::{PrivateKeyError, RsaPrivateKey};
pub use token::{new_token, token_hash};
pub use webhook::WebhookSecret;
