//! Tokens of machine apps (RFC 6749 §4.4): a secret for a token with scopes of the server API, which takes it in place of
//! a key. What the token says holds only as long as the app is there and still has what it grants.

pub mod store;

use serde_json::Value;

use super::{AppType, Tokens};
use crate::{
    api_key::{Credential, Scope},
    context::Context,
    ids::AppId,
    ports::{DatabaseError, Statement},
    secret::Secret,
    session::{
        GrantError, OAuthClient, TokenSet,
        claims::{self, Issue},
    },
    statement,
    token::{self, ACCESS, Claims},
};

/// Makes a token for a machine: all that the app may do, or less. One round trip.
pub async fn token(context: &Context, client: &OAuthClient, scope: Option<&str>) -> Result<TokenSet, GrantError> {
    let issuer = token::issuer(context.config()).map_err(GrantError::Misconfigured)?;
    let (now, secret_hash) = (context.now(), client.secret_hash.as_deref());
    let id = client.id.as_ref().ok_or(GrantError::Client)?;
    let answer = context.decide(vec![statement!(store::READ, id, secret_hash, now.millis())]).await?;
    let row = answer.first().and_then(|rows| rows.first()).filter(|row| row.flag("authentic"));
    let row = row.ok_or(GrantError::Client)?;
    if row.opt_text("type") != Some(AppType::Machine.as_str()) {
        return Err(GrantError::ClientType);
    }
    let malformed = || DatabaseError::Other("a stored app is malformed".to_owned());
    let may: Vec<String> = serde_json::from_str(row.text("scopes")?).map_err(|_| malformed())?;
    let asked: Vec<&str> = match scope {
        Some(scope) => scope.split(' ').filter(|scope| !scope.is_empty()).collect(),
        None => may.iter().map(String::as_str).collect(),
    };
    if asked.is_empty() || asked.iter().any(|scope| !may.iter().any(|one| one == scope)) {
        return Err(GrantError::Scope);
    }
    let tokens = Tokens::read(row.text("tokens")?).ok_or_else(malformed)?;
    let algorithm = tokens.algorithm();
    token::keys::ready(context, algorithm).await?;
    let expires_at = now + tokens.lifetimes(AppType::Machine, context.config()).access_token;
    let (issue, scope) = (Issue { issuer, from: now, until: expires_at }, asked.join(" "));
    let claims = claims::machine(id.as_str(), issue, &scope, &context.stamp());
    let access_token = Secret::new(token::sign(context, algorithm, ACCESS, &claims).await?);
    Ok(TokenSet { access_token, issued_at: now, expires_at, scope, id_token: None, refresh_token: None })
}

/// Who calls the server API with a machine's token, and the statement that fails their batches once the app is gone or may
/// do less. `None`: it is a token for somebody else.
pub fn credential(claims: &Claims) -> Option<(Credential, Statement)> {
    let app = claims.text("sub").and_then(AppId::parse)?;
    // Only a machine's token is for the issuer itself; a person's is for its app.
    if claims.text("aud") != claims.text("iss") {
        return None;
    }
    let names: Vec<&str> = claims.text("scope")?.split(' ').collect();
    let scopes = names.iter().filter_map(|name| Scope::parse(name)).collect();
    let liveness = statement!(store::GUARD, &app, Value::from(names.clone()).to_string());
    Some((Credential { id: app.to_string(), scopes, is_test: false }, liveness))
}
