//! Keys and what is made with them: the key ring, codes and their MACs, hashes of tokens.

mod code;
mod keyring;
mod pepper;
mod token;

pub use code::{Code, CodeLength};
pub use keyring::KeyRing;
pub use pepper::Pepper;
pub use token::{new_token, token_hash};
