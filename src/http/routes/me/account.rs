//! `/v1/me`, `/v1/me/password`, `/v1/me/events`: who the person is, their password, and what happened.

use serde_json::{Value, json};

use super::{
    super::{
        parts::locale,
        passwords::{PASSWORD, password},
        users::{LIMIT, cursor},
        view::moment,
    },
    CHANGING, Run, own, owner, shapes,
};
use crate::{
    account::{
        Owner, events,
        standing::{NewFactor, enrol},
    },
    factor::{New, password::NewPassword},
    http::{
        Call, Problem, Reply,
        contract::{Gives, Operation},
        reply::Answer,
    },
    phone::PhoneNumber,
    ports::Row,
    schema::{Field, Shape, field},
    time::Timestamp,
    user::{
        User,
        change::{self, Changed, Profile},
    },
};

const ME: Gives = Gives::One("Me", shapes::ME);

const PROFILE: &[Field] = &[
    field("name", Shape::Text(200), "Your name").nullable().example(r#""Ana""#),
    field("locale", Shape::Text(35), "Your language").nullable().example(r#""en-US""#),
];

pub(in super::super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation { gives: ME, ..own("GET", "/v1/me", "getMe", "Read who you are") },
        Run::Keyed(|call| Box::pin(get(call))),
    ),
    (
        Operation {
            description: "What is left out stays; `null` clears.",
            body: Some(PROFILE),
            example: r#"{"name": "Ana"}"#,
            gives: ME,
            ..own("PATCH", "/v1/me", "updateMe", "Change your name or language")
        },
        Run::Keyed(|call| Box::pin(update(call))),
    ),
    (
        Operation {
            description: "Wants a fresh proof: of the password that you have, or of something stronger where you have that. It ends your other \
                sessions, and forgets your devices.",
            body: Some(&[PASSWORD.required()]),
            example: r#"{"password": "lilac-otter-walks-at-dawn"}"#,
            status: 204,
            refuses: &[CHANGING],
            ..own("POST", "/v1/me/password", "setMyPassword", "Set another password")
        },
        Run::Keyed(|call| Box::pin(set_password(call))),
    ),
    (
        Operation {
            description: "Newest first.",
            query: &[LIMIT, cursor("evt_")],
            gives: Gives::Page("MyEvent", shapes::EVENT),
            ..own("GET", "/v1/me/events", "listMyEvents", "Read what happened to your account")
        },
        Run::Keyed(|call| Box::pin(happened(call))),
    ),
];

/// What the person sees of themselves.
pub(super) fn me(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "email_verified_at": moment(user.email_verified_at),
        "phone": user.phone.as_ref().map(PhoneNumber::e164),
        "phone_verified_at": moment(user.phone_verified_at),
        "name": user.name,
        "locale": user.locale,
        "created_at": user.created_at.to_string(),
        "updated_at": user.updated_at.to_string(),
    })
}

async fn get(call: Call) -> Answer {
    let user = change::get(&call.context, &owner(&call)?.user).await?.ok_or_else(|| Problem::not_found("user"))?;
    Ok(Reply::json(200, &me(&user)))
}

async fn update(call: Call) -> Answer {
    let form = &call.form;
    let text = |name: &str| {
        if form.is_null(name) { Some(None) } else { form.text(name).map(|text| Some(text.to_owned())) }
    };
    locale(form)?;
    let profile = Profile { name: text("name"), locale: text("locale"), ..Profile::default() };
    match change::update(&call.context, &owner(&call)?.user, profile).await? {
        Changed::Done(user, _) => Ok(Reply::json(200, &me(&user))),
        _ => Err(Problem::not_found("user").into()),
    }
}

async fn set_password(call: Call) -> Answer {
    let typed = password(call.form.text("password").unwrap_or_default())?;
    let new = New::Password(NewPassword::Typed(typed));
    enrol(&call.context, &owner(&call)?, NewFactor { new, name: None, locale: None }).await?;
    Ok(Reply::nothing())
}

async fn happened(call: Call) -> Answer {
    let (owner, (limit, before)) = (owner(&call)?, call.page()?);
    let rows = events::list(&call.context, &owner, &before, limit + 1).await?;
    Ok(Reply::page(rows.iter().map(|row| event(row, &owner)).collect(), limit))
}

/// What the person is told of an event. What a server's people did, wrote and called from is theirs.
fn event(row: &Row, owner: &Owner) -> Value {
    let text = |column| row.opt_text(column);
    let by = match text("actor").unwrap_or_default() {
        actor if actor == owner.user.as_str() => "you",
        actor if actor.starts_with("app_") => "app",
        _ => "server",
    };
    let from = |column| text(column).filter(|_| by != "server");
    json!({
        "id": text("id"),
        "type": text("type"),
        "by": by,
        "outcome": text("outcome"),
        "subject_id": text("subject_id"),
        "client_ip": from("client_ip"),
        "user_agent": from("user_agent"),
        "created_at": moment(row.opt_int("created_at").map(Timestamp::from_millis)),
    })
}
