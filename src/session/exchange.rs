//! Exchanges an authorization code for a session and its tokens (RFC 6749 §4.1.3, RFC 7636 §4.6): once, and one batch
//! decides. A refusal uses nothing up. A code that comes again, from whoever could have exchanged it, ends its session.

use super::{GrantError, OAuthClient, TokenSet, refresh, store, tokens};
use crate::{
    context::Context,
    crypto::{new_token, token_hash},
    event::{self, Event, EventType, Outcome, When},
    secret::Secret,
    statement,
};

/// A code to exchange.
pub struct Exchange {
    /// The code.
    pub code: Secret,
    /// What its challenge was made of.
    pub verifier: Secret,
    /// Where it was sent.
    pub redirect_uri: Option<String>,
}

/// Exchanges a code: one round trip.
pub async fn exchange(context: &Context, client: &OAuthClient, command: &Exchange) -> Result<TokenSet, GrantError> {
    let ready = tokens::ready(context).await?;
    let (now, stamp, defaults) = (context.now().millis(), context.stamp(), tokens::defaults(context));
    let stamp = stamp.as_str();
    let first = new_token(refresh::PREFIX, &*context.ports().random);
    let (hash, first_hash) = (token_hash(command.code.expose()), token_hash(first.expose()));
    let hash = hash.as_str();
    // `BASE64URL(SHA256(verifier))` is what is kept of our own tokens, too.
    let challenge = token_hash(command.verifier.expose());
    let (id, secret_hash, page) = (client.id.as_ref(), client.secret_hash.as_deref(), &client.page);
    let redirect_uri = command.redirect_uri.as_deref();
    let reused = Event::new(EventType::SessionEnded, "").ended(Outcome::Refused, Some("code_reused"));
    let batch = vec![
        statement!(store::END_REUSED, hash, now, stamp, id, secret_hash, challenge.as_str(), redirect_uri),
        event::store::write(context, reused, When::SessionOver(hash, stamp)),
        statement!(store::DROP, hash, stamp),
        statement!(store::TAKE, hash, now, stamp, id, secret_hash, challenge.as_str(), redirect_uri, ready.as_str()),
        statement!(store::OPEN, hash, now, stamp, defaults.as_str()),
        statement!(store::FIRST, hash, now, stamp, defaults.as_str(), first_hash.as_str()),
        event::store::write(context, Event::new(EventType::SessionCreated, ""), When::SessionBegun(hash, stamp)),
        statement!(store::OPENED, hash, stamp, first_hash.as_str(), page.origin.as_deref(), page.embedded),
        statement!(store::WHY_NOT_TAKEN, hash, now, id, secret_hash, page.origin.as_deref(), page.embedded),
    ];
    let answer = context.decide(batch).await?;
    match answer.iter().rev().nth(1).and_then(|rows| rows.first()) {
        Some(row) => tokens::issue(context, client, row, None, vec![first]).await,
        None => Err(tokens::refusal(context, client, answer.last(), &ready).await),
    }
}
