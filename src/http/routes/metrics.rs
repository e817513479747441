//! `/v1/metrics`: what became of messages, in numbers, for people and for scrapers.

use super::Run;
use crate::{
    api_key::Scope,
    http::{
        Call, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::Answer,
    },
    message::Channel,
    metrics::{
        messages::{Hours, is_by, joined, read},
        prometheus,
    },
    schema::{Field, Shape, field},
};

const TAG: &str = "Metrics";
const AUTH: Auth = Auth::Key(Scope::MessagesRead);

const FIND: &[Field] = &[
    field("from", Shape::Timestamp, "From this hour on; default: midnight (UTC) six days before `to`"),
    field("to", Shape::Timestamp, "Before this moment; default: now"),
    field(
        "by",
        Shape::Text(60),
        "What there is a row for, with commas: `day`, `hour`, `country`, `driver`, `channel`, `template`, `app_id`; default: `day`",
    )
    .example(r#""day,country""#),
    field("country", Shape::Text(3), "Only to this country, ISO 3166-1 alpha-2"),
    field("driver", Shape::Text(20), "Only by this driver; `handed_over`: what others deliver"),
    field("channel", Shape::OneOf(&Channel::NAMES), "Only by this channel"),
    field("template", Shape::Text(60), "Only with this text; `test`: test messages"),
    field("app_id", Shape::Id("app_"), "Only through this app"),
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "Each try at a carrier counts, in the hour when it began; what is reported later, and a code that comes back, count there too. Test numbers and test keys count nowhere. Percentiles are read off a straight line through their class of time. At most 92 days and 1000 rows: what is more is refused, and nothing is cut off.",
            auth: AUTH,
            query: FIND,
            gives: Gives::One("MessageMetrics", shapes::MESSAGE_METRICS),
            ..operation("GET", "/v1/metrics/messages", "getMessageMetrics", TAG, "Messages in numbers")
        },
        Run::Keyed(|call| Box::pin(messages(call))),
    ),
    (
        Operation {
            description: "The text format of Prometheus, version 0.0.4: what was counted since ever, how long it took, and what the fraud guard holds now.",
            auth: AUTH,
            gives: Gives::Other("text/plain"),
            ..operation("GET", "/v1/metrics", "getMetrics", TAG, "Metrics for a scraper")
        },
        Run::Keyed(|call| Box::pin(scrape(call))),
    ),
];

async fn messages(call: Call) -> Answer {
    let query = &call.query;
    let by = query.text("by").unwrap_or("day");
    if !is_by(by) {
        return Err(wrong("by", "names with commas are wanted, as in day,country").into());
    }
    let hours = Hours::new(query.timestamp("from"), query.timestamp("to"), call.context.now());
    let hours = hours.map_err(|detail| wrong("from", detail))?;
    let only = ["country", "driver", "channel", "template", "app_id"].map(|name| query.text(name));
    let answer = call.context.decide(vec![read(hours, by, only)]).await?;
    let (total, rows) = answer.first().and_then(|rows| rows.split_first()).unzip();
    let rows = rows.unwrap_or_default();
    if total.is_some_and(|total| total.flag("too_many")) {
        return Err(wrong("by", "these are more than 1000 rows: ask for less, or for a shorter time").into());
    }
    let ([from, to], data, total) =
        (hours.moments(), joined(rows), joined(total.map(std::slice::from_ref).unwrap_or_default()));
    let body = format!(r#"{{"from":"{from}","to":"{to}","data":[{data}],"total":{total}}}"#);
    Ok(Reply { status: 200, media: "application/json", body, headers: Vec::new() })
}

async fn scrape(call: Call) -> Answer {
    let answer = call.context.decide(prometheus::read(call.context.now())).await?;
    let body = prometheus::write(answer.iter().flatten());
    Ok(Reply { status: 200, media: prometheus::MEDIA, body, headers: Vec::new() })
}
