//! `/v1/users/{id}/sessions`: where a user is signed in.

use super::{
    Run,
    users::{LIMIT, cursor},
    view,
};
use crate::{
    api_key::Scope,
    http::{
        Call, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        reply::{Answer, Failure},
    },
    ids::{SessionId, UserId},
    session::{
        end::{self, Reason},
        list,
    },
};

const TAG: &str = "Sessions";
const READ: Auth = Auth::Key(Scope::UsersRead);
const WRITE: Auth = Auth::Key(Scope::UsersWrite);

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "Newest first; those that are over are left out.",
            auth: READ,
            query: &[LIMIT, cursor("ses_")],
            gives: Gives::Page("Session", shapes::SESSION),
            ..operation("GET", "/v1/users/{id}/sessions", "listSessions", TAG, "List a user's sessions")
        },
        Run::Keyed(|call| Box::pin(list_all(call))),
    ),
    (
        Operation {
            auth: READ,
            gives: Gives::One("Session", shapes::SESSION),
            ..operation("GET", "/v1/users/{id}/sessions/{sid}", "getSession", TAG, "Read a session")
        },
        Run::Keyed(|call| Box::pin(get(call))),
    ),
    (
        Operation {
            description: "Its refresh tokens are worth nothing at once, and `/v1/me` takes its access tokens no more; elsewhere they \
                live until they end.",
            auth: WRITE,
            status: 204,
            ..operation("DELETE", "/v1/users/{id}/sessions/{sid}", "deleteSession", TAG, "End a session")
        },
        Run::Keyed(|call| Box::pin(end(call))),
    ),
    (
        Operation {
            auth: WRITE,
            status: 204,
            ..operation("DELETE", "/v1/users/{id}/sessions", "deleteSessions", TAG, "End all of a user's sessions")
        },
        Run::Keyed(|call| Box::pin(end_all(call))),
    ),
];

async fn list_all(call: Call) -> Answer {
    let (limit, before) = call.page()?;
    let sessions = list::list(&call.context, &user(&call)?, &before, limit + 1).await?;
    let sessions = sessions.ok_or_else(|| Problem::not_found("user"))?;
    Ok(Reply::page(sessions.iter().map(view::session).collect(), limit))
}

async fn get(call: Call) -> Answer {
    let session = list::get(&call.context, &user(&call)?, &session(&call)?).await?;
    Ok(Reply::json(200, &view::session(&session.ok_or_else(not_found)?)))
}

async fn end(call: Call) -> Answer {
    if end::one(&call.context, &user(&call)?, &session(&call)?, Reason::Server).await? {
        return Ok(Reply::nothing());
    }
    Err(not_found().into())
}

async fn end_all(call: Call) -> Answer {
    if end::all(&call.context, &user(&call)?, None, Reason::Server).await? {
        return Ok(Reply::nothing());
    }
    Err(Problem::not_found("user").into())
}

fn not_found() -> Problem {
    Problem::not_found("live session of this user")
}

fn user(call: &Call) -> Result<UserId, Failure> {
    Ok(call.id("id", UserId::parse, "user")?)
}

fn session(call: &Call) -> Result<SessionId, Failure> {
    Ok(call.id("sid", SessionId::parse, "live session of this user")?)
}
