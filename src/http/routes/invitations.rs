//! `/v1/invitations`: a server invites somebody to sign up.

use std::time::Duration;

use serde_json::{Map, json};

use super::{
    Run,
    parts::{EMAIL, LOCALE, address, locale},
    users::{LIMIT, cursor},
    view,
};
use crate::{
    api_key::Scope,
    app::{MAX_REDIRECT_URI_LENGTH, RedirectUri},
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::Answer,
    },
    ids::{AppId, InvitationId},
    invitation::{
        self,
        create::{Invite, Invited, invite},
    },
    schema::{Field, Shape, field},
};

const TAG: &str = "Invitations";
const WEEK: u64 = 604_800;

const CREATE: &[Field] = &[
    EMAIL.required(),
    field("app_id", Shape::Id("app_"), "The app to sign up through; without it any app"),
    field(
        "url",
        Shape::Text(MAX_REDIRECT_URI_LENGTH),
        "The page that the link leads to: one of the app's redirect URIs, or under one of its origins; without an app under \
         any app's, or `PUBLIC_URL`'s. `#invitation=iv_…` is added",
    )
    .required()
    .example(r#""https://app.example.com/join""#),
    field("expires_in_seconds", Shape::Integer(300, 2_592_000), "How long it lives; default a week"),
    LOCALE,
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "Mails a link that proves the address: who follows it signs up without a code. It works once. Where the \
                e-mail certainly did not go out, there is no invitation.",
            auth: Auth::Key(Scope::UsersWrite),
            idempotent: true,
            body: Some(CREATE),
            example: r#"{"email": "ben@example.com", "url": "https://app.example.com/join"}"#,
            status: 201,
            gives: Gives::One("Invitation", shapes::INVITATION),
            refuses: &[&[
                Code::ResourceNotFound,
                Code::IdentifierExists,
                Code::RateLimited,
                Code::EmailDisabled,
                Code::RecipientRefused,
                Code::DriverMisconfigured,
                Code::MessageFailed,
            ]],
            ..operation("POST", "/v1/invitations", "createInvitation", TAG, "Invite somebody to sign up")
        },
        Run::Keyed(|call| Box::pin(create(call))),
    ),
    (
        Operation {
            description: "Newest first. Those that have ended go after a while.",
            auth: Auth::Key(Scope::UsersRead),
            query: &[LIMIT, cursor("inv_")],
            gives: Gives::Page("Invitation", shapes::INVITATION),
            ..operation("GET", "/v1/invitations", "listInvitations", TAG, "List invitations")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation {
            description: "Its link is dead at once.",
            auth: Auth::Key(Scope::UsersWrite),
            status: 204,
            ..operation("DELETE", "/v1/invitations/{id}", "deleteInvitation", TAG, "Take an invitation back")
        },
        Run::Keyed(|call| Box::pin(delete(call))),
    ),
];

async fn create(call: Call) -> Answer {
    let form = &call.form;
    let url = form.text("url").unwrap_or_default();
    let seconds = form.integer("expires_in_seconds").and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(WEEK);
    let command = Invite {
        email: address("email", form.text("email").unwrap_or_default())?,
        app: Call::form_id(form, "app_id", AppId::parse)?,
        url: RedirectUri::parse(url).map_err(|detail| wrong("url", detail))?,
        lifetime: Duration::from_secs(seconds),
        locale: locale(form)?,
        reservation: call.reservation.clone(),
    };
    let (invitation, message) = match invite(&call.context, command).await? {
        Invited::Done(invitation, id, status) => (invitation, json!({"id": id, "status": status.as_str()})),
        Invited::Replayed(invitation) => (invitation, json!(null)),
        Invited::NotFound => return Err(Problem::not_found("invitation").into()),
        Invited::AppNotFound => return Err(Problem::not_found("app").into()),
        Invited::NotItsPage => {
            let detail = "a redirect URI of the app, or a page under one of its origins, is wanted";
            return Err(wrong("url", detail).into());
        }
        Invited::Taken => return Err(Problem::new(Code::IdentifierExists, "a user has this email").into()),
        Invited::Limited(refusal) => return Err(Problem::from(refusal).into()),
        Invited::Refused(refused) => return Err(Problem::from(refused).into()),
        Invited::NotSent(not_sent) => return Err(Problem::from(not_sent).into()),
        Invited::Claimed(claim) => return Err(Problem::from(claim).into()),
    };
    let replayed = message.is_null();
    let shown = Map::from_iter([("message".to_owned(), message)]);
    let body = view::with(view::invitation(&invitation, call.context.now()), shown);
    Ok(Reply::json(201, &body).replayed(replayed))
}

async fn list(call: Call) -> Answer {
    let (limit, before) = call.page()?;
    let all = invitation::list(&call.context, &before, limit + 1).await?;
    Ok(Reply::page(all.iter().map(|one| view::invitation(one, call.context.now())).collect(), limit))
}

async fn delete(call: Call) -> Answer {
    let id = call.id("id", InvitationId::parse, "invitation")?;
    if invitation::delete(&call.context, &id).await? {
        return Ok(Reply::nothing());
    }
    Err(Problem::not_found("invitation").into())
}
