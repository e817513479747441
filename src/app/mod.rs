//! Apps: clients of the instance. What may call, where codes may go, how long tokens live, and an app's own rule for
//! multi-factor authentication.

pub mod change;
mod fit;
mod kind;
pub mod machine;
mod origin;
mod redirect_uri;
pub mod secret;
pub mod store;
pub mod tokens;

use serde_json::{Map, Value};

pub use fit::{Details, Members, Misfit};
pub use kind::AppType;
pub use origin::{MAX_LENGTH as MAX_ORIGIN_LENGTH, Origin};
pub use redirect_uri::{MAX_LENGTH as MAX_REDIRECT_URI_LENGTH, RedirectUri};
pub use secret::SecretHint;
pub use tokens::{Lifetimes, Tokens, lifetimes};

use crate::{
    api_key::Scope,
    config::Config,
    ports::{DatabaseError, Row},
    time::Timestamp,
};

/// An app as it is read.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id, the `client_id`.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What kind of client it is.
    pub kind: AppType,
    /// Where codes may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// The pages that may call.
    pub origins: Vec<Origin>,
    /// What a machine's tokens may do.
    pub scopes: Vec<Scope>,
    /// The language of its messages where neither the request nor the user says it, BCP 47.
    pub locale: Option<String>,
    /// What its owner keeps with it.
    pub metadata: Value,
    /// What it says of its tokens.
    pub tokens: Tokens,
    /// What is stored of its own rule; empty: it uses the instance's.
    pub mfa: Map<String, Value>,
    /// Its client secrets, newest first; never they themselves. Some may have expired.
    pub secrets: Vec<SecretHint>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl App {
    /// Reads a row of the store.
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        let created_at = Timestamp::from_millis(row.int("created_at")?);
        Ok(Self {
            id: row.text("id")?.to_owned(),
            name: row.text("name")?.to_owned(),
            kind: AppType::parse(row.text("type")?).ok_or_else(malformed)?,
            redirect_uris: list(row.text("redirect_uris")?, |text| RedirectUri::parse(text).ok())?,
            origins: list(row.text("origins")?, Origin::parse)?,
            // A scope that a later program knows grants nothing here.
            scopes: serde_json::from_str::<Vec<String>>(row.text("scopes")?)
                .map_err(|_| malformed())?
                .iter()
                .filter_map(|scope| Scope::parse(scope))
                .collect(),
            locale: row.opt_text("locale").map(str::to_owned),
            metadata: serde_json::from_str(row.text("metadata")?).map_err(|_| malformed())?,
            tokens: Tokens::read(row.text("tokens")?).ok_or_else(malformed)?,
            mfa: serde_json::from_str(row.text("mfa")?).map_err(|_| malformed())?,
            secrets: SecretHint::read(row.text("secrets")?)?,
            created_at,
            updated_at: Timestamp::from_millis(row.int("updated_at")?.max(created_at.millis())),
        })
    }

    /// Whether codes may go where a client asks for.
    pub fn takes_redirect(&self, presented: &str) -> bool {
        self.redirect_uris.iter().any(|registered| registered.matches(presented, self.kind))
    }

    /// Whether pages of an origin, as the browser sends it, may call.
    pub fn allows_origin(&self, origin: &str, config: &Config) -> bool {
        let is_it = |known: &Origin| known.as_str() == origin;
        self.origins.iter().any(is_it)
            || (self.kind == AppType::Browser && config.embedded_auth_origins.iter().any(is_it))
    }
}

fn malformed() -> DatabaseError {
    DatabaseError::Other("a stored app is malformed".to_owned())
}

fn list<T>(stored: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, DatabaseError> {
    let texts: Vec<String> = serde_json::from_str(stored).map_err(|_| malformed())?;
    texts.iter().map(|text| parse(text).ok_or_else(malformed)).collect()
}
