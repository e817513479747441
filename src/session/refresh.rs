//! Refresh tokens (RFC 6749 §6): opaque, each good for one exchange, which gives the next one. One that comes again later
//! was stolen, and ends its session (RFC 9700 §4.14.2). Within ten seconds it is another tab of the same browser, and gets
//! the same next one, since that is derived: nothing forks, and only hashes are kept.

pub mod store;

use std::time::Duration;

use serde_json::Value;

use super::{GrantError, OAuthClient, TokenSet, tokens};
use crate::{
    context::Context,
    crypto::token_hash,
    event::{self, Event, EventType, Outcome, When},
    secret::Secret,
    statement,
};

/// What every refresh token begins with.
pub const PREFIX: &str = "rt_";

/// For how long a token may come again: tabs that refresh at once.
const GRACE: Duration = Duration::from_secs(10);

/// A refresh token to exchange.
pub struct Refresh {
    /// The token.
    pub token: Secret,
    /// Less than was granted; `None`: all of it.
    pub scope: Option<String>,
}

/// Exchanges a refresh token: one round trip.
pub async fn refresh(context: &Context, client: &OAuthClient, command: &Refresh) -> Result<TokenSet, GrantError> {
    let ready = tokens::ready(context).await?;
    let (now, stamp, defaults) = (context.now(), context.stamp(), tokens::defaults(context));
    let (since, now, stamp) = (now.before(GRACE).millis(), now.millis(), stamp.as_str());
    let (id, secret_hash, page) = (client.id.as_ref(), client.secret_hash.as_deref(), &client.page);
    let hash = token_hash(command.token.expose());
    let hash = hash.as_str();
    let next = context.pepper().next_refresh_tokens(PREFIX, command.token.expose());
    let hashes: Vec<String> = next.iter().map(|token| token_hash(token.expose())).collect();
    let (current, hashes) = (hashes.first().cloned(), Value::from(hashes).to_string());
    let scopes: Vec<&str> = command.scope.as_deref().unwrap_or_default().split(' ').collect();
    let scopes = Value::from(scopes.into_iter().filter(|scope| !scope.is_empty()).collect::<Vec<_>>()).to_string();
    let reused = Event::new(EventType::SessionEnded, "").ended(Outcome::Refused, Some("refresh_token_reused"));
    let batch = vec![
        statement!(store::END_REUSED, hash, now, stamp, id, secret_hash, since),
        event::store::write(context, reused, When::SessionOver(hash, stamp)),
        statement!(super::store::DROP, hash, stamp),
        statement!(store::USE, hash, now, stamp, id, secret_hash, since, scopes.as_str(), ready.as_str()),
        statement!(store::TOUCH, hash, now, stamp, defaults.as_str()),
        statement!(store::NEXT, hash, now, stamp, defaults.as_str(), hashes.as_str(), current),
        statement!(store::REFRESHED, hash, stamp, hashes.as_str(), page.origin.as_deref(), page.embedded),
        statement!(
            store::WHY_NOT_USED,
            hash,
            now,
            id,
            secret_hash,
            scopes.as_str(),
            page.origin.as_deref(),
            page.embedded
        ),
    ];
    let answer = context.decide(batch).await?;
    match answer.iter().rev().nth(1).and_then(|rows| rows.first()) {
        Some(row) => tokens::issue(context, client, row, command.scope.as_deref(), next).await,
        None => Err(tokens::refusal(context, client, answer.last(), &ready).await),
    }
}

/// Takes a refresh token back, and its session with it (RFC 7009). One that is none is as good as taken back: the client
/// is not told. One round trip.
pub async fn revoke(context: &Context, client: &OAuthClient, token: &Secret) -> Result<(), GrantError> {
    let (now, stamp) = (context.now().millis(), context.stamp());
    let (id, secret_hash, page) = (client.id.as_ref(), client.secret_hash.as_deref(), &client.page);
    let (hash, stamp) = (token_hash(token.expose()), stamp.as_str());
    let hash = hash.as_str();
    let revoked = Event::new(EventType::SessionEnded, "").ended(Outcome::Success, Some("revoked"));
    let batch = vec![
        // Before the token is gone, which says whose it is.
        statement!(store::WHY_NOT_USED, hash, now, id, secret_hash, "[]", page.origin.as_deref(), page.embedded),
        statement!(store::REVOKE, hash, now, stamp, id, secret_hash),
        event::store::write(context, revoked, When::SessionOver(hash, stamp)),
        statement!(super::store::DROP, hash, stamp),
    ];
    let answer = context.decide(batch).await?;
    let row = answer.first().and_then(|rows| rows.first()).inspect(|row| page.found(row));
    match row {
        Some(row) if !row.flag("authentic") => Err(GrantError::Client),
        None if id.is_some() => Err(GrantError::Client),
        _ => Ok(()),
    }
}
