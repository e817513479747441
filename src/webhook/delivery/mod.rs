//! One event that an endpoint is told: where it stands, and telling it once more.

pub mod store;

use crate::{
    context::Context,
    ids::{EventId, WebhookDeliveryId, WebhookEndpointId},
    ports::{DatabaseError, Param, Row, Statement},
    statement,
};

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is tried, or tried again.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It is not tried any more.
    Failed,
}

impl Status {
    /// Every status's name, for the contract.
    pub const NAMES: [&'static str; 3] = ["pending", "delivered", "failed"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// A delivery as it is read.
#[derive(Clone, Debug)]
pub struct Delivery(Row);

impl Delivery {
    /// The columns.
    pub fn row(&self) -> &Row {
        &self.0
    }
}

/// What telling once more came to.
pub enum Replayed {
    /// It is tried now, or is about to be.
    Done(Delivery),
    /// There is no such delivery.
    NotFound,
    /// Its endpoint hears nothing.
    EndpointDisabled,
}

/// Which deliveries to list.
#[derive(Clone, Default)]
pub struct Filter {
    /// One endpoint's.
    pub endpoint: Option<WebhookEndpointId>,
    /// One event's.
    pub event: Option<EventId>,
    /// In one state.
    pub status: Option<String>,
}

/// Lists deliveries, newest first, with ids below `before`.
pub async fn list(
    context: &Context,
    filter: &Filter,
    before: &str,
    limit: i64,
) -> Result<Vec<Delivery>, DatabaseError> {
    let (sql, endpoint, event) = match (&filter.endpoint, &filter.event) {
        (_, Some(event)) => (store::LIST_BY_EVENT, filter.endpoint.as_ref(), Some(event)),
        (Some(endpoint), None) => (store::LIST_BY_ENDPOINT, Some(endpoint), None),
        (None, None) if filter.status.is_some() => (store::LIST_BY_STATUS, None, None),
        (None, None) => (store::LIST, None, None),
    };
    let mut params: Vec<Param> = vec![before.into(), limit.into()];
    if sql != store::LIST {
        params.push(filter.status.clone().into());
    }
    params.extend(endpoint.map(Param::from));
    if let Some(event) = event {
        // The place of the endpoint, where none is asked for.
        params.resize(4, Param::Null);
        params.push(event.into());
    }
    let answer = context.decide(vec![Statement::new(sql, params)]).await?;
    Ok(answer.into_iter().next().unwrap_or_default().into_iter().map(Delivery).collect())
}

/// Reads a delivery.
pub async fn get(context: &Context, id: &WebhookDeliveryId) -> Result<Option<Delivery>, DatabaseError> {
    let answer = context.decide(vec![statement!(store::GET, id)]).await?;
    Ok(answer.into_iter().next().and_then(|mut rows| rows.pop()).map(Delivery))
}

/// Tells an event once more, from the beginning of the schedule. What is on its way stays on its way.
pub async fn replay(context: &Context, id: &WebhookDeliveryId) -> Result<Replayed, DatabaseError> {
    let now = context.now();
    let under_way = now + super::deliver::LEASE;
    let batch = vec![
        statement!(store::REPLAY, id, now.millis(), under_way.millis(), context.stamp()),
        statement!(store::GET, id),
    ];
    let answer = context.decide(batch).await?;
    let Some(row) = answer.into_iter().nth(1).and_then(|mut rows| rows.pop()) else { return Ok(Replayed::NotFound) };
    Ok(if row.flag("enabled") { Replayed::Done(Delivery(row)) } else { Replayed::EndpointDisabled })
}
