//! Who calls with an access token (RFC 6750): a person from their app's page or phone, or a machine in place of a server
//! key. The token says who it is; whether that still holds, the first statement of each batch says.

use std::sync::Arc;

use super::{
    input::Incoming,
    problem::{Code, Problem},
    reply::Failure,
    serve::{client, read_snapshot, snapshot},
};
use crate::{
    context::Context,
    ids::{SessionId, UserId},
    session,
    settings::Snapshot,
    token::{ACCESS, Claims, Invalid, Verifier},
};

/// Somebody who is signed in, by what their token says.
pub(super) struct Person {
    /// Who.
    pub(super) user: UserId,
    session: SessionId,
}

impl Person {
    /// The context of a call of theirs: each batch of it fails once the session is over, the user is shut out, or where the
    /// page is none of the app's; and challenges are the session's.
    pub(super) fn enter(&self, context: &Context, incoming: &Incoming) -> Context {
        let context = context.bound_to(self.session.as_str()).for_client(client(incoming));
        let guard = session::guard(&context, &self.session, &self.user, incoming.header("origin"));
        context.while_live(guard)
    }
}

/// The person whose token came.
pub(super) async fn person(incoming: &Incoming) -> Result<(Person, Arc<Snapshot>), Failure> {
    let token = incoming.bearer().filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Problem::new(Code::AccessTokenInvalid, "send `Authorization: Bearer eyJ…`"))?;
    let (claims, snapshot) = verified(incoming, token).await?;
    let id = |name| claims.text(name);
    // A machine has no session.
    match (id("sub").and_then(UserId::parse), id("sid").and_then(SessionId::parse)) {
        (Some(user), Some(session)) => Ok((Person { user, session }, snapshot)),
        _ => Err(invalid().into()),
    }
}

/// What an access token says, if it is one of ours and in its time, and the settings that it was held against. A key that
/// this isolate does not know may be new: then it looks once more.
pub(super) async fn verified(incoming: &Incoming, token: &str) -> Result<(Claims, Arc<Snapshot>), Failure> {
    let app = &incoming.app;
    let mut is_new = app.cache.get().is_none();
    let mut snapshot = snapshot(incoming, None).await?;
    loop {
        let verifier = Verifier {
            config: &app.config,
            signatures: &*app.ports.signatures,
            keys: &snapshot.signing_keys,
            now: app.ports.clock.now(),
        };
        match verifier.verify(token, ACCESS).await {
            Ok(claims) => return Ok((claims, snapshot)),
            // Anybody can name a key: nothing is forgotten for it.
            Err(Invalid::Key) if !is_new => {
                is_new = true;
                snapshot = read_snapshot(incoming, None).await?;
            }
            Err(Invalid::Misconfigured(issue)) => {
                return Err(Problem::new(Code::ConfigurationInvalid, issue.detail).into());
            }
            Err(_) => break,
        }
    }
    Err(invalid().into())
}

/// The same for one that was forged, has ended, or is for something else.
pub(super) fn invalid() -> Problem {
    Problem::new(Code::AccessTokenInvalid, "it is no access token for this, or it has ended, or what it stands for has")
}

/// The header that goes with a 401 (RFC 6750 §3, RFC 9470 §3). Who has brought no token is told of no error.
pub(super) fn challenge(incoming: &Incoming, problem: &Problem) -> String {
    let member = |name: &str| problem.members.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    match problem.code {
        Code::InsufficientUserAuthentication => format!(
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"{}\", max_age=\"{}\"",
            member("acr_values"),
            problem.members.get("max_age").map(ToString::to_string).unwrap_or_default()
        ),
        Code::AccessTokenInvalid if incoming.headers.contains_key("authorization") => {
            "Bearer error=\"invalid_token\"".to_owned()
        }
        _ => "Bearer".to_owned(),
    }
}
