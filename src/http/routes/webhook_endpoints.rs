//! `/v1/webhook-endpoints`: who hears events.

use serde_json::{Map, Value, json};

use super::{
    Run, WEBHOOKS,
    users::{LIMIT, cursor},
    view::{moment, with},
};
use crate::{
    api_key::Scope,
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::{Answer, Failure},
    },
    ids::WebhookEndpointId,
    schema::{Field, FieldCode, FieldError, Shape, field},
    secret::Secret,
    webhook::{self, Change, Changed, DisabledReason, Endpoint, Made},
};

const READ: Auth = Auth::Key(Scope::InstanceRead);
const WRITE: Auth = Auth::Key(Scope::InstanceWrite);
const ONE: Gives = Gives::One("WebhookEndpoint", shapes::WEBHOOK_ENDPOINT);
const DAY: i64 = 86_400;

const URL: Field = field(
    "url",
    Shape::Text(2000),
    "Where events go: in `prod` https and a public name, no address, no user and no password in it",
)
.example(r#""https://hooks.example.com/postern""#);
const EVENTS: Field = field(
    "events",
    Shape::List(&Shape::Text(60), 100),
    "What it hears: types of events, groups of them like `sms.*`, or `*`; default `*`",
)
.example(r#"["sms.*", "challenge.verified"]"#);
const DESCRIPTION: Field = field("description", Shape::Text(200), "What it is called").nullable();
const ENABLED: Field = field("enabled", Shape::Boolean, "Whether it hears anything; default true");

const CREATE: &[Field] = &[URL.required(), EVENTS, DESCRIPTION, ENABLED];
const UPDATE: &[Field] = &[URL, EVENTS, DESCRIPTION, ENABLED];
const KEEP: &[Field] = &[field(
    "keep_old_seconds",
    Shape::Integer(0, DAY),
    "How long the secret before it signs too, so that your servers have time to change; default a day, 0 where it leaked",
)];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "Each event is one POST, signed as Standard Webhooks. The secret is shown in this answer only. At most 20.",
            auth: WRITE,
            idempotent: true,
            body: Some(CREATE),
            example: r#"{"url": "https://hooks.example.com/postern", "events": ["sms.*", "challenge.verified"]}"#,
            status: 201,
            gives: ONE,
            refuses: &[&[Code::WebhookEndpointLimit, Code::ResourceNotFound]],
            ..operation("POST", "/v1/webhook-endpoints", "createWebhookEndpoint", WEBHOOKS, "Make an endpoint")
        },
        Run::Keyed(|call| Box::pin(create(call))),
    ),
    (
        Operation {
            description: "Newest first.",
            auth: READ,
            query: &[LIMIT, cursor("whe_")],
            gives: Gives::Page("WebhookEndpoint", shapes::WEBHOOK_ENDPOINT),
            ..operation("GET", "/v1/webhook-endpoints", "listWebhookEndpoints", WEBHOOKS, "List endpoints")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation {
            auth: READ,
            gives: ONE,
            ..operation("GET", "/v1/webhook-endpoints/{id}", "getWebhookEndpoint", WEBHOOKS, "Read an endpoint")
        },
        Run::Keyed(|call| Box::pin(get(call))),
    ),
    (
        Operation {
            description: "What is left out stays. What one that is switched off was still to hear, it does not. `enabled: true` \
                begins anew after failures.",
            auth: WRITE,
            body: Some(UPDATE),
            example: r#"{"events": ["*"]}"#,
            gives: ONE,
            ..operation("PATCH", "/v1/webhook-endpoints/{id}", "updateWebhookEndpoint", WEBHOOKS, "Change an endpoint")
        },
        Run::Keyed(|call| Box::pin(update(call))),
    ),
    (
        Operation {
            description: "The new secret is shown in this answer only. The one before it signs too for `keep_old_seconds`; any older \
                one is dead at once.",
            auth: WRITE,
            idempotent: true,
            body: Some(KEEP),
            body_optional: true,
            example: r#"{"keep_old_seconds": 3600}"#,
            gives: ONE,
            ..operation(
                "POST",
                "/v1/webhook-endpoints/{id}/rotate-secret",
                "rotateWebhookSecret",
                WEBHOOKS,
                "Make a new secret",
            )
        },
        Run::Keyed(|call| Box::pin(rotate_secret(call))),
    ),
    (
        Operation {
            description: "Its deliveries go with it.",
            auth: WRITE,
            status: 204,
            ..operation("DELETE", "/v1/webhook-endpoints/{id}", "deleteWebhookEndpoint", WEBHOOKS, "Delete an endpoint")
        },
        Run::Keyed(|call| Box::pin(delete(call))),
    ),
];

/// What the body says of the endpoint.
fn change(call: &Call) -> Result<Change, Problem> {
    let form = &call.form;
    let url = form.text("url");
    if let Some(fault) = url.and_then(|url| webhook::fault(url, call.context.config().is_production())) {
        return Err(wrong("url", fault));
    }
    let events = form.texts("events");
    let is_bad = |filter: &&str| !webhook::is_filter(filter);
    let unknown = |(at, filter): (usize, &&str)| {
        let detail = "a type of event, a group like sms.*, or * is wanted; `/docs` has the types";
        is_bad(filter).then(|| FieldError::new(format!("events.{at}"), FieldCode::Value, detail))
    };
    let errors: Vec<FieldError> = events.iter().flatten().enumerate().filter_map(unknown).collect();
    if !errors.is_empty() {
        return Err(Problem::form(errors));
    }
    if events.as_ref().is_some_and(Vec::is_empty) {
        return Err(wrong("events", "at least one is wanted"));
    }
    Ok(Change {
        url: url.map(str::to_owned),
        events: events.map(|events| events.into_iter().map(str::to_owned).collect()),
        description: match form.text("description") {
            Some(text) => Some(Some(text.to_owned())),
            None => form.is_null("description").then_some(None),
        },
        enabled: form.flag("enabled"),
    })
}

async fn create(call: Call) -> Answer {
    let mut change = change(&call)?;
    change.events.get_or_insert_with(|| vec!["*".to_owned()]);
    made(webhook::create(&call.context, change, call.reservation.clone()).await?, 201)
}

async fn rotate_secret(call: Call) -> Answer {
    let keep = call.form.integer("keep_old_seconds").unwrap_or(DAY);
    made(webhook::rotate_secret(&call.context, &id(&call)?, keep, call.reservation.clone()).await?, 200)
}

fn made(made: Made, status: u16) -> Answer {
    let (endpoint, secret, replayed) = match made {
        Made::Done(endpoint, secret) => (endpoint, secret, false),
        Made::Replayed(endpoint) => (endpoint, None, true),
        Made::NotFound => return Err(not_found()),
        Made::Full => {
            let detail = format!("there are {} endpoints, and no more may be", webhook::MOST_ENDPOINTS);
            return Err(Problem::new(Code::WebhookEndpointLimit, detail).into());
        }
        Made::Claimed(claim) => return Err(Problem::from(claim).into()),
    };
    let shown = Map::from_iter([("secret".to_owned(), secret.as_ref().map(Secret::expose).into())]);
    Ok(Reply::json(status, &with(view(&endpoint), shown)).replayed(replayed))
}

async fn list(call: Call) -> Answer {
    let (limit, before) = call.page()?;
    let endpoints = webhook::list(&call.context, &before, limit + 1).await?;
    Ok(Reply::page(endpoints.iter().map(view).collect(), limit))
}

async fn get(call: Call) -> Answer {
    let endpoint = webhook::get(&call.context, &id(&call)?).await?.ok_or_else(not_found)?;
    Ok(Reply::json(200, &view(&endpoint)))
}

async fn update(call: Call) -> Answer {
    match webhook::update(&call.context, &id(&call)?, change(&call)?).await? {
        Changed::Done(endpoint) => Ok(Reply::json(200, &view(&endpoint))),
        Changed::NotFound => Err(not_found()),
    }
}

async fn delete(call: Call) -> Answer {
    if webhook::delete(&call.context, &id(&call)?).await? { Ok(Reply::nothing()) } else { Err(not_found()) }
}

fn id(call: &Call) -> Result<WebhookEndpointId, Failure> {
    Ok(call.id("id", WebhookEndpointId::parse, "endpoint")?)
}

fn not_found() -> Failure {
    Problem::not_found("endpoint").into()
}

fn view(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "enabled": endpoint.disabled.is_none(),
        "disabled_reason": endpoint.disabled.map(DisabledReason::as_str),
        "failing_since": moment(endpoint.failing_since),
        "previous_secret_expires_at": moment(endpoint.previous_expires_at),
        "created_at": endpoint.created_at.to_string(),
        "updated_at": endpoint.updated_at.to_string(),
    })
}
