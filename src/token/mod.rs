//! Tokens that others can check: the keys that sign them, JWTs (RFC 7519), and who issues them.
//! Keys live in D1, sealed, and come with the settings' snapshot: making and taking tokens asks the database nothing.

mod jwk;
mod jwt;
pub mod keys;
pub mod store;

pub use jwt::{Claims, Invalid, Verifier, sign, verify};
pub use keys::SigningKey;

pub use crate::ports::Algorithm;
use crate::{
    config::{Config, Issue, Stops, is_safe_base},
    ports::{DatabaseError, SignatureError},
};

/// The `typ` of access tokens (RFC 9068 §2.1).
pub const ACCESS: &str = "at+jwt";

/// The `typ` of ID tokens.
pub const ID: &str = "JWT";

/// Why no token can be made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The database failed, or a key was just made and the work is to be done again.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A variable is missing or wrong.
    #[error("{}", .0.detail)]
    Misconfigured(Issue),
    /// The platform does not sign.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A fault of the program: nobody called [`keys::ready`], or the token outlives the key that signs it.
    #[error("{0}")]
    Fault(&'static str),
}

/// Who issues tokens: `PUBLIC_URL`, exactly as it stands (RFC 8414 §2). Without it tokens stop, and nothing else.
pub fn issuer(config: &Config) -> Result<&str, Issue> {
    let issue = |detail: &str| Issue { variable: "PUBLIC_URL", stops: Stops::SignIn, detail: detail.to_owned() };
    match config.public_url.as_deref() {
        Some(url) if config.is_production() && !is_safe_base(url) => {
            Err(issue("PUBLIC_URL has to be https in prod: it is the issuer of tokens"))
        }
        Some(url) => Ok(url),
        None => Err(config.issue_with("PUBLIC_URL").cloned().unwrap_or_else(|| {
            issue("PUBLIC_URL is missing: it is the issuer of tokens, like https://login.example.com")
        })),
    }
}
