//! Begins a flow: the app and the page are judged, and one statement makes it if they are still as they were judged.

use serde_json::json;

use super::{Flow, FlowError, FlowType, store};
use crate::{
    app::{self, App, AppType},
    config::Stops,
    context::Context,
    crypto::{new_token, token_hash},
    device::Token,
    email::EmailAddress,
    evaluation::EvaluateError,
    ids::{AppId, FlowId},
    invitation::store::FOLLOW,
    limit::{self, Check},
    message::Destination,
    secret::Secret,
    settings::{FLOW_LIFETIME, SignUps},
    statement,
};

/// A flow to begin.
pub struct Begin {
    /// What for.
    pub kind: FlowType,
    /// Through which app.
    pub app: AppId,
    /// From which page.
    pub origin: Option<String>,
    /// The PKCE challenge.
    pub code_challenge: String,
    /// Where the code goes.
    pub redirect_uri: Option<String>,
    /// What the tokens may do.
    pub scope: String,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// The language.
    pub locale: Option<String>,
    /// The remembered device that it came with.
    pub device: Option<Token>,
    /// The invitation that it follows, by the hash of its token.
    pub invitation: Option<String>,
}

/// What OpenID Connect Core §5.4 and §11 know of scopes, as far as there is anything behind them.
pub const SCOPES: [&str; 5] = ["openid", "profile", "email", "phone", "offline_access"];

/// The scopes asked for that are known, each once, in our order (RFC 6749 §3.3 lets the others be left out).
pub fn scope(asked: &str) -> String {
    SCOPES.into_iter().filter(|scope| asked.split(' ').any(|one| one == *scope)).collect::<Vec<_>>().join(" ")
}

/// Begins a flow: its token is given here and never again.
pub async fn begin(context: &Context, command: &Begin) -> Result<(Flow, Secret), FlowError> {
    let Begin { kind, app, origin, .. } = command;
    if let Some(issue) = context.config().blocking(Stops::SignIn) {
        return Err(EvaluateError::Misconfigured(issue.clone()).into());
    }
    let is_sign_up = *kind == FlowType::SignUp;
    let invitation = command.invitation.as_deref().filter(|_| is_sign_up);
    let asks = vec![statement!(app::store::GET, app), statement!(FOLLOW, invitation, app, context.now().millis())];
    let answer = context.decide(asks).await?;
    let row = answer.first().and_then(|rows| rows.first()).ok_or(FlowError::AppNotFound)?;
    let judged = App::read(row)?;
    let from_there = match (judged.kind, origin) {
        (AppType::Machine, _) => return Err(FlowError::AppNotFound),
        // A native app has no page. A web app's own server is none either, and its address would be everybody's: it has
        // the server API.
        (AppType::Native, None) => true,
        (_, Some(origin)) => judged.allows_origin(origin, context.config()),
        (AppType::Browser | AppType::Web, None) => false,
    };
    if !from_there {
        return Err(FlowError::OriginNotAllowed);
    }
    if command.redirect_uri.as_ref().is_some_and(|uri| !judged.takes_redirect(uri)) {
        return Err(FlowError::RedirectUriUnknown);
    }
    let invited = answer.get(1).and_then(|rows| rows.first()?.opt_text("email")).map(EmailAddress::parse);
    let invited = match (invitation, invited) {
        (None, _) => None,
        (Some(hash), Some(Ok(email))) => Some((hash, Destination::Email(email))),
        (Some(_), _) => return Err(FlowError::InvitationInvalid),
    };
    let may_begin = match context.settings().sign_in.sign_up {
        SignUps::Open => true,
        SignUps::Invitation => invited.is_some(),
        SignUps::Closed => false,
    };
    if is_sign_up && !may_begin {
        return Err(FlowError::SignUpClosed);
    }
    // Who follows an invitation has been told of it at that address.
    let pending = invited.as_ref().map_or_else(|| json!({}), |(hash, _)| json!({"invitation": hash}));
    let checks: Vec<Check> = limit::store::sign_ups(context).filter(|_| is_sign_up).into_iter().collect();
    let (now, random, stamp) = (context.now(), &*context.ports().random, context.stamp());
    let (id, token) = (FlowId::new(now, random), new_token("flw_", random));
    let hash = token_hash(token.expose());
    let device = command.device.as_ref().filter(|_| *kind == FlowType::SignIn);
    let batch = vec![
        statement!(
            store::BEGIN,
            limit::store::parameter(&checks),
            now.millis(),
            &id,
            stamp.as_str(),
            kind.as_str(),
            hash.as_str(),
            app,
            row.text("stamp")?,
            origin.as_deref(),
            command.code_challenge.as_str(),
            command.redirect_uri.as_deref(),
            command.scope.as_str(),
            command.nonce.as_deref(),
            command.locale.as_deref(),
            device.map(|token| &token.id),
            device.map(Token::hash),
            (now + FLOW_LIFETIME).millis(),
            invited.as_ref().map(|(_, address)| identifier(context, address)),
            pending.to_string()
        ),
        limit::store::spend_on_flow(&checks, now, id.as_str(), &stamp),
        limit::store::refusals_of_flow(&checks, now, id.as_str(), &stamp),
        statement!(store::GET, &id, hash.as_str(), kind.as_str()),
    ];
    let answer = context.decide(batch).await?;
    let [.., refusals, made] = answer.as_slice() else { return Err(FlowError::AppNotFound) };
    if let Some(refusal) = limit::store::read_refusals(refusals, now)? {
        return Err(FlowError::Limited(refusal));
    }
    // Else it is missing only where the app has changed since it was judged.
    Ok((Flow::read(made.first().ok_or(FlowError::AppNotFound)?)?, token))
}

/// What is kept of what somebody typed to say who they are.
pub(super) fn identifier(context: &Context, typed: &Destination) -> String {
    context.pepper().destination_mac(typed.as_str())
}
