//! `/v1/audit-events`: who did what, to whom, from where, and how it ended.

use super::{
    Run,
    users::{LIMIT, cursor},
    view,
};
use crate::{
    api_key::Scope,
    event::{
        EventType,
        store::{self, Filter},
    },
    http::{
        Call, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::Answer,
    },
    ids::EventId,
    schema::{Field, Shape, field},
    time::Timestamp,
};

const FIND: &[Field] = &[
    field("user_id", Shape::Id("usr_"), "A user's events"),
    field("app_id", Shape::Id("app_"), "An app's events"),
    field("subject_id", Shape::Text(64), "Events of a challenge, factor, message or key"),
    field("type", Shape::OneOf(EventType::NAMES), "Events of this type"),
    field("since", Shape::Timestamp, "Events from this moment on"),
    field("until", Shape::Timestamp, "Events before this moment"),
    LIMIT,
    cursor("evt_"),
];

pub(super) const ROUTES: &[(Operation, Run)] = &[(
    Operation {
        description: "Newest first; filter by one of `user_id`, `app_id`, `subject_id`, by `type` and by time.",
        auth: Auth::Key(Scope::AuditRead),
        query: FIND,
        gives: Gives::Page("AuditEvent", shapes::EVENT),
        ..operation("GET", "/v1/audit-events", "listAuditEvents", "Audit events", "Find audit events")
    },
    Run::Keyed(|call| Box::pin(list(call))),
)];

async fn list(call: Call) -> Answer {
    let (limit, cursor) = call.page()?;
    let query = &call.query;
    let at = |moment: Timestamp| EventId::floor(moment).to_string();
    let before = query.timestamp("until").map_or(cursor.clone(), |until| at(until).min(cursor));
    let from = query.timestamp("since").map_or_else(String::new, at);
    let filters = [
        query.text("user_id").map(Filter::User),
        query.text("app_id").map(Filter::App),
        query.text("subject_id").map(Filter::Subject),
    ];
    let mut given = filters.into_iter().flatten();
    let filter = given.next().unwrap_or(Filter::None);
    let kind = query.text("type");
    if given.next().is_some() || (matches!(filter, Filter::Subject(_)) && kind.is_some()) {
        return Err(wrong(
            "user_id",
            "filter by one of user_id, app_id, subject_id at a time; subject_id without type",
        )
        .into());
    }
    let answer = call.context.decide(vec![store::list(filter, kind, &before, &from, limit + 1)]).await?;
    let rows = answer.into_iter().next().unwrap_or_default();
    Ok(Reply::page(rows.iter().map(view::event).collect(), limit))
}
