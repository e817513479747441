//! `/v1/apps`: clients of the instance, each with its own rule for multi-factor authentication where it wants one.

use serde_json::{Map, Value};

use super::{
    Run,
    users::{LIMIT, cursor},
    view,
};
use crate::{
    api_key::Scope,
    app::change::{self, Made, RuleChange},
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        reply::{Answer, Failure},
    },
    ids::AppId,
    policy::EmailBackup,
    schema::{Field, Form, Node, Shape, field},
    settings::{GRACE, SECOND_FACTORS},
};

const TAG: &str = "Apps";
const READ: Auth = Auth::Key(Scope::AppsRead);
const WRITE: Auth = Auth::Key(Scope::AppsWrite);
const ONE: Gives = Gives::One("App", shapes::APP);

const RULE: &[Field] = &[
    field(
        "use_instance_policy",
        Shape::Boolean,
        "Whether the instance's policy holds and the rest does not; default: true until anything else is set",
    )
    .nullable(),
    field("required", SECOND_FACTORS, "Each has to be proven; they add up").nullable().example(r#"["totp"]"#),
    field("named_factors", SECOND_FACTORS, "The same, and no passkey stands in for them").nullable(),
    field("enforce_enrolment", SECOND_FACTORS, "With none required: who has no second factor enrols one of these")
        .nullable(),
    field("allow_email_backup", Shape::OneOf(&EmailBackup::NAMES), "When an e-mail code stands in; default `never`")
        .nullable(),
    field("remember_device", Shape::Boolean, "Whether a remembered device stands in; default false").nullable(),
    field("grace", Shape::Object(GRACE), "How long enrolling may be put off; default not at all").nullable(),
];

const MFA: Field = field(
    "mfa",
    Shape::Object(RULE),
    "The app's own rule: it replaces the instance's whole, and what it leaves out is off (`docs/policy.md`)",
)
.nullable();

const CREATE: &[Field] =
    &[field("name", Shape::Text(60), "What it is called").required().example(r#""Back office""#), MFA];
const UPDATE: &[Field] = &[field("name", Shape::Text(60), "What it is called"), MFA];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            auth: WRITE,
            idempotent: true,
            body: Some(CREATE),
            example: r#"{"name": "Back office", "mfa": {"required": ["totp"]}}"#,
            status: 201,
            gives: ONE,
            refuses: &[&[Code::ResourceNotFound]],
            ..operation("POST", "/v1/apps", "createApp", TAG, "Make an app")
        },
        Run::Keyed(|call| Box::pin(create(call))),
    ),
    (
        Operation {
            description: "Newest first.",
            auth: READ,
            query: &[LIMIT, cursor("app_")],
            gives: Gives::Page("App", shapes::APP),
            ..operation("GET", "/v1/apps", "listApps", TAG, "List apps")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation { auth: READ, gives: ONE, ..operation("GET", "/v1/apps/{id}", "getApp", TAG, "Read an app") },
        Run::Keyed(|call| Box::pin(get(call))),
    ),
    (
        Operation {
            description: "What is left out stays, in `mfa` too; `null` clears. It holds at the next question.",
            auth: WRITE,
            body: Some(UPDATE),
            example: r#"{"mfa": {"use_instance_policy": true}}"#,
            gives: ONE,
            ..operation("PATCH", "/v1/apps/{id}", "updateApp", TAG, "Change an app")
        },
        Run::Keyed(|call| Box::pin(update(call))),
    ),
    (
        Operation {
            description: "Its challenges go on without it.",
            auth: WRITE,
            status: 204,
            ..operation("DELETE", "/v1/apps/{id}", "deleteApp", TAG, "Delete an app")
        },
        Run::Keyed(|call| Box::pin(delete(call))),
    ),
];

/// What the body says of the rule.
fn rule(form: &Form) -> Map<String, Value> {
    match form.node("mfa").map(Node::to_value) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

async fn create(call: Call) -> Answer {
    let name = call.form.text("name").unwrap_or_default();
    match change::create(&call.context, name, rule(&call.form), call.reservation.clone()).await? {
        Made::Done(app, replayed) => Ok(Reply::json(201, &view::app(&app)).replayed(replayed)),
        Made::NotFound => Err(not_found()),
        Made::Claimed(claim) => Err(Problem::from(claim).into()),
    }
}

async fn list(call: Call) -> Answer {
    let (limit, before) = call.page()?;
    let apps = change::list(&call.context, &before, limit + 1).await?;
    Ok(Reply::page(apps.iter().map(view::app).collect(), limit))
}

async fn get(call: Call) -> Answer {
    let app = change::get(&call.context, &id(&call)?).await?.ok_or_else(not_found)?;
    Ok(Reply::json(200, &view::app(&app)))
}

async fn update(call: Call) -> Answer {
    let id = id(&call)?;
    let mfa = match (call.form.is_null("mfa"), call.form.node("mfa")) {
        (true, _) => Some(RuleChange::Clear),
        (false, Some(_)) => Some(RuleChange::Members(rule(&call.form))),
        (false, None) => None,
    };
    let app = change::update(&call.context, &id, call.form.text("name"), mfa).await?.ok_or_else(not_found)?;
    Ok(Reply::json(200, &view::app(&app)))
}

async fn delete(call: Call) -> Answer {
    if change::delete(&call.context, &id(&call)?).await? { Ok(Reply::nothing()) } else { Err(not_found()) }
}

fn id(call: &Call) -> Result<AppId, Failure> {
    Ok(call.id("id", AppId::parse, "app")?)
}

fn not_found() -> Failure {
    Problem::not_found("app").into()
}
