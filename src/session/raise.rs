//! Raises a session: its person has proven again who they are (standard 33, RFC 9470), and its tokens say so from here on.
//! The refresh token stays.

use super::{GrantError, OAuthClient, Session, TokenSet, store, tokens};
use crate::{
    context::Context,
    evaluation::Facts,
    event::{self, Event, EventType, When},
    statement,
    time::Timestamp,
    token::{self, Algorithm},
};

/// What a session is worth.
pub struct Worth {
    /// The authentication context class.
    pub acr: &'static str,
    /// The methods, in their order.
    pub amr: Vec<&'static str>,
    /// When the person proved it.
    pub auth_time: Timestamp,
}

/// Sees to it that its tokens can be signed, before anything is used up for them.
pub(crate) async fn ready(context: &Context, algorithm: &str) -> Result<(), GrantError> {
    token::issuer(context.config()).map_err(GrantError::Misconfigured)?;
    Ok(token::keys::ready(context, Algorithm::parse(algorithm).unwrap_or(Algorithm::Rs256)).await?)
}

/// Raises it: one round trip. `None`: it, its user or its app has changed since it was judged.
pub(crate) async fn raise(
    context: &Context,
    session: &Session,
    facts: &Facts,
    worth: &Worth,
) -> Result<Option<TokenSet>, GrantError> {
    let stamp = context.stamp();
    let (user_mfa, app_mfa) = facts.stored();
    let amr = serde_json::Value::from(worth.amr.clone());
    let event = Event::new(EventType::SessionSteppedUp, session.id.as_str())
        .data(serde_json::json!({"acr": worth.acr, "amr": amr}));
    let batch = vec![
        statement!(
            store::RAISE,
            session.user.as_str(),
            session.id.as_str(),
            stamp.as_str(),
            user_mfa,
            facts.active(),
            session.app.as_str(),
            app_mfa,
            session.acr.as_str(),
            session.amr.to_string(),
            session.auth_time.millis(),
            worth.acr,
            amr.to_string(),
            worth.auth_time.millis()
        ),
        event::store::write(context, event, When::Session(&session.id, &stamp)),
        statement!(store::RAISED, session.id.as_str(), stamp.as_str()),
    ];
    let answer = context.decide(batch).await?;
    let Some(row) = answer.last().and_then(|rows| rows.first()) else { return Ok(None) };
    tokens::issue(context, &OAuthClient::default(), row, None, Vec::new()).await.map(Some)
}
