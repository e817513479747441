//! Authorization codes (RFC 6749 §4.1.2): what a flow ends in, and what is exchanged for tokens, once. What a code
//! becomes is fixed when it is made; its SHA-256 is all that is kept of it (law 5).

use std::time::Duration;

use serde_json::Value;

use super::store;
use crate::{
    context::Context,
    crypto::{new_token, token_hash},
    ids::{AppId, SessionId, UserId},
    ports::Statement,
    secret::Secret,
    statement,
    time::Timestamp,
};

/// What every code begins with.
pub const PREFIX: &str = "ac_";

/// What a flow has come to.
pub struct NewCode {
    /// Through which app; nobody else exchanges the code.
    pub app: AppId,
    /// Who has signed in.
    pub user: UserId,
    /// The PKCE challenge, `BASE64URL(SHA256(verifier))` (RFC 7636 §4.2).
    pub code_challenge: String,
    /// Where the code is sent; the exchange names the same one, or none where this is none.
    pub redirect_uri: Option<String>,
    /// What was asked for and is known, separated by spaces.
    pub scope: String,
    /// For the ID token.
    pub nonce: Option<String>,
    /// What the sign-in is worth.
    pub acr: String,
    /// What was proven (RFC 8176).
    pub amr: Vec<&'static str>,
    /// When it was.
    pub auth_time: Timestamp,
    /// How long the code lives.
    pub lifetime: Duration,
}

/// A code that is about to be.
pub struct Minted {
    /// The code, shown once.
    pub code: Secret,
    /// The session that it becomes.
    pub session: SessionId,
    /// What writes it down.
    pub statement: Statement,
}

/// Makes a code. Its statement belongs in the batch that completes the flow and writes the code if the user carries
/// that batch's stamp. Whose browser it is comes from the context.
pub fn insert(context: &Context, new: &NewCode, stamp: &str) -> Minted {
    let (now, random) = (context.now(), &*context.ports().random);
    let (code, session) = (new_token(PREFIX, random), SessionId::new(now, random));
    let client = context.client();
    let statement = statement!(
        store::INSERT_CODE,
        token_hash(code.expose()),
        &new.user,
        stamp,
        &session,
        &new.app,
        new.code_challenge.as_str(),
        new.redirect_uri.as_deref(),
        new.scope.as_str(),
        new.nonce.as_deref(),
        new.acr.as_str(),
        Value::from(new.amr.clone()).to_string(),
        new.auth_time.millis(),
        client.ip.as_deref(),
        client.user_agent.as_deref(),
        now.millis(),
        (now + new.lifetime).millis()
    );
    Minted { code, session, statement }
}
