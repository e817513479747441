//! `/v1/me/sessions`, `/v1/me/devices`: where the person is signed in, and what is remembered.

use serde_json::{Map, Value, json};

use super::{
    super::{
        users::{LIMIT, cursor},
        view,
    },
    Run, own, owner, shapes,
};
use crate::{
    device,
    http::{
        Call, Problem, Reply,
        contract::{Gives, Operation, shapes::DEVICE},
        reply::Answer,
    },
    ids::{DeviceId, SessionId},
    session::{
        Session,
        end::{self, Reason},
        list,
    },
};

pub(in super::super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "Newest first; those that are over are left out.",
            query: &[LIMIT, cursor("ses_")],
            gives: Gives::Page("MySession", shapes::SESSION),
            ..own("GET", "/v1/me/sessions", "listMySessions", "Read where you are signed in")
        },
        Run::Keyed(|call| Box::pin(sessions(call))),
    ),
    (
        Operation {
            description: "Your own too: that signs you out.",
            status: 204,
            ..own("DELETE", "/v1/me/sessions/{id}", "deleteMySession", "End one of your sessions")
        },
        Run::Keyed(|call| Box::pin(end_one(call))),
    ),
    (
        Operation { status: 204, ..own("DELETE", "/v1/me/sessions", "deleteMySessions", "Sign out everywhere else") },
        Run::Keyed(|call| Box::pin(end_the_others(call))),
    ),
    (
        Operation {
            description: "Newest first, whole; those that have ended are left out.",
            gives: Gives::Page("Device", DEVICE),
            ..own("GET", "/v1/me/devices", "listMyDevices", "Read which devices are remembered")
        },
        Run::Keyed(|call| Box::pin(devices(call))),
    ),
    (
        Operation { status: 204, ..own("DELETE", "/v1/me/devices/{id}", "deleteMyDevice", "Forget a device") },
        Run::Keyed(|call| Box::pin(forget(call))),
    ),
    (
        Operation { status: 204, ..own("DELETE", "/v1/me/devices", "deleteMyDevices", "Forget all devices") },
        Run::Keyed(|call| Box::pin(forget_all(call))),
    ),
];

/// A session as its person sees it.
fn session(session: &Session, current: &SessionId) -> Value {
    let mut view = view::with(view::session(session), Map::new());
    if let Value::Object(members) = &mut view {
        members.remove("user_id");
        members.remove("scope");
        members.insert("current".to_owned(), json!(session.id == current.as_str()));
    }
    view
}

async fn sessions(call: Call) -> Answer {
    let (owner, (limit, before)) = (owner(&call)?, call.page()?);
    let sessions = list::list(&call.context, &owner.user, &before, limit + 1).await?.unwrap_or_default();
    Ok(Reply::page(sessions.iter().map(|one| session(one, &owner.session)).collect(), limit))
}

async fn end_one(call: Call) -> Answer {
    let id = call.id("id", SessionId::parse, "live session")?;
    if end::one(&call.context, &owner(&call)?.user, &id, Reason::SignedOut).await? {
        return Ok(Reply::nothing());
    }
    Err(Problem::not_found("live session").into())
}

async fn end_the_others(call: Call) -> Answer {
    let owner = owner(&call)?;
    end::all(&call.context, &owner.user, Some(&owner.session), Reason::SignedOut).await?;
    Ok(Reply::nothing())
}

async fn devices(call: Call) -> Answer {
    let devices = device::list(&call.context, &owner(&call)?.user).await?.unwrap_or_default();
    let data: Vec<Value> = devices.iter().map(view::device).collect();
    Ok(Reply::json(200, &json!({"data": data, "next_cursor": null})))
}

async fn forget(call: Call) -> Answer {
    let id = call.id("id", DeviceId::parse, "device")?;
    if device::forget(&call.context, &owner(&call)?.user, &id).await? {
        return Ok(Reply::nothing());
    }
    Err(Problem::not_found("device").into())
}

async fn forget_all(call: Call) -> Answer {
    device::forget_all(&call.context, &owner(&call)?.user).await?;
    Ok(Reply::nothing())
}
