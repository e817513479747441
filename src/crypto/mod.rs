//! Keys and what is made with them: the key ring, sealed values, codes and their MACs, hashes of tokens, private keys.

mod code;
mod der;
mod keyring;
mod pepper;
mod private_key;
mod recovery_code;
mod seal;
mod token;
mod webhook;

pub use code::{Code, CodeLength};
pub use der::{ecdsa_der, ecdsa_raw};
pub use keyring::KeyRing;
pub use pepper::Pepper;
pub use private_key::{PrivateKeyError, RsaPrivateKey};
pub use recovery_code::RecoveryCode;
pub use seal::{OpenError, Place, Seal};
pub use token::{new_token, token_hash};
pub use webhook::WebhookSecret;
