//! `/v1/webhook-deliveries`: what endpoints are told, what became of it, and telling it once more.

use serde_json::{Value, json};

use super::{
    Run, WEBHOOKS,
    users::{LIMIT, cursor},
    view::column,
};
use crate::{
    api_key::Scope,
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        reply::{Answer, Failure},
    },
    ids::{EventId, WebhookDeliveryId, WebhookEndpointId},
    schema::{Field, Shape, field},
    webhook::{
        Delivery, Replayed, Status,
        delivery::{self, Filter},
    },
};

const READ: Auth = Auth::Key(Scope::InstanceRead);
const ONE: Gives = Gives::One("WebhookDelivery", shapes::WEBHOOK_DELIVERY);

const FIND: &[Field] = &[
    field("endpoint_id", Shape::Id("whe_"), "One endpoint's"),
    field("event_id", Shape::Id("evt_"), "One event's"),
    field("status", Shape::OneOf(&Status::NAMES), "In this state"),
    LIMIT,
    cursor("whd_"),
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "Newest first. Kept for 30 days.",
            auth: READ,
            query: FIND,
            gives: Gives::Page("WebhookDelivery", shapes::WEBHOOK_DELIVERY),
            ..operation("GET", "/v1/webhook-deliveries", "listWebhookDeliveries", WEBHOOKS, "List deliveries")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation {
            auth: READ,
            gives: ONE,
            ..operation("GET", "/v1/webhook-deliveries/{id}", "getWebhookDelivery", WEBHOOKS, "Read a delivery")
        },
        Run::Keyed(|call| Box::pin(get(call))),
    ),
    (
        Operation {
            description: "Under the same `webhook-id`, right after this answer, and from the beginning of the schedule. One that is \
                on its way stays on its way.",
            auth: Auth::Key(Scope::InstanceWrite),
            gives: ONE,
            refuses: &[&[Code::WebhookEndpointDisabled]],
            ..operation(
                "POST",
                "/v1/webhook-deliveries/{id}/replay",
                "replayWebhookDelivery",
                WEBHOOKS,
                "Tell an event once more",
            )
        },
        Run::Keyed(|call| Box::pin(replay(call))),
    ),
];

async fn list(call: Call) -> Answer {
    let (limit, before) = call.page()?;
    let filter = Filter {
        endpoint: Call::form_id(&call.query, "endpoint_id", WebhookEndpointId::parse)?,
        event: Call::form_id(&call.query, "event_id", EventId::parse)?,
        status: call.query.text("status").map(str::to_owned),
    };
    let deliveries = delivery::list(&call.context, &filter, &before, limit + 1).await?;
    Ok(Reply::page(deliveries.iter().map(view).collect(), limit))
}

async fn get(call: Call) -> Answer {
    let delivery = delivery::get(&call.context, &id(&call)?).await?.ok_or_else(not_found)?;
    Ok(Reply::json(200, &view(&delivery)))
}

async fn replay(call: Call) -> Answer {
    match delivery::replay(&call.context, &id(&call)?).await? {
        Replayed::Done(delivery) => Ok(Reply::json(200, &view(&delivery))),
        Replayed::NotFound => Err(not_found()),
        Replayed::EndpointDisabled => {
            Err(Problem::new(Code::WebhookEndpointDisabled, "its endpoint hears nothing: enable it first").into())
        }
    }
}

fn id(call: &Call) -> Result<WebhookDeliveryId, Failure> {
    Ok(call.id("id", WebhookDeliveryId::parse, "delivery")?)
}

fn not_found() -> Failure {
    Problem::not_found("delivery").into()
}

fn view(delivery: &Delivery) -> Value {
    let row = delivery.row();
    json!({
        "id": row.opt_text("id"),
        "endpoint_id": row.opt_text("endpoint_id"),
        "event_id": row.opt_text("event_id"),
        "event_type": row.opt_text("event_type"),
        "status": row.opt_text("status"),
        "attempts": row.opt_int("attempts"),
        "next_attempt_at": column(row, "next_attempt_at"),
        "response_status": row.opt_int("response_status"),
        "error": row.opt_text("error"),
        "latency_ms": row.opt_int("latency_ms"),
        "created_at": column(row, "created_at"),
        "delivered_at": column(row, "delivered_at"),
    })
}
