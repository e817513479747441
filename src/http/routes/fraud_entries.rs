//! `/v1/fraud-entries`: the block list and the safe list of the fraud guard.

use std::{net::IpAddr, time::Duration};

use serde_json::{Value, json};

use super::{
    Run,
    parts::number,
    users::{LIMIT, cursor},
};
use crate::{
    api_key::Scope,
    fraud::entry::{self, Entry, LISTS, Made, NewEntry, Subject},
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::Answer,
    },
    ids::FraudEntryId,
    schema::{Field, Shape, field},
    time::Timestamp,
};

const TAG: &str = "Fraud guard";
/// The longest that an entry lives, in hours: a year that is a leap year.
const LONGEST: i64 = 366 * 24;

const LIST: Field =
    field("list", Shape::OneOf(&LISTS), "`block`: nothing is sent; `safe`: the guard's rules leave it alone")
        .example(r#""block""#);
const CREATE: &[Field] = &[
    LIST.required(),
    field(
        "prefix",
        Shape::Text(12),
        "The numbers that begin so: `+` and two digits, up to all but the last four of a number",
    )
    .example(r#""+4479460""#),
    field("phone", Shape::Text(64), "One number, as people type it; only a MAC of it is kept")
        .example(r#""+447946000123""#),
    field(
        "asn",
        Shape::Integer(1, 4_294_967_295),
        "Who asks from this network operator's network; not for the safe list",
    )
    .example("64500"),
    field("ip", Shape::Text(45), "Who asks from this address, or its IPv6 network of 64 bits; not for the safe list")
        .example(r#""203.0.113.7""#),
    field("hours", Shape::Integer(1, LONGEST), "How long it holds").example("48"),
    field("expires_at", Shape::Timestamp, "In the place of `hours`: when it ends, at most 366 days from now"),
    field("reason", Shape::Text(200), "Why, for whoever reads it later; no number").example(r#""complaint 4711""#),
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "About one of `prefix`, `phone`, `asn`, `ip`, and for `hours` or until `expires_at`. An earlier entry of \
                the list about the same is replaced: its id names nothing any more. What is blocked is refused while `fraud.mode` is \
                `enforce`; a safe number or prefix is held to the caps of `fraud.spend` and to the switches only.",
            auth: Auth::Key(Scope::InstanceWrite),
            idempotent: true,
            body: Some(CREATE),
            example: r#"{"list": "block", "prefix": "+4479460", "hours": 48, "reason": "complaint 4711"}"#,
            status: 201,
            gives: Gives::One("FraudEntry", shapes::FRAUD_ENTRY),
            refuses: &[&[Code::ResourceNotFound]],
            ..operation("POST", "/v1/fraud-entries", "createFraudEntry", TAG, "Block something, or make it safe")
        },
        Run::Keyed(|call| Box::pin(create(call))),
    ),
    (
        Operation {
            description: "Newest first; those that have ended are not shown. What the guard has blocked by itself has a `level` \
                above 0.",
            auth: Auth::Key(Scope::InstanceRead),
            query: &[LIST, LIMIT, cursor("fre_")],
            gives: Gives::Page("FraudEntry", shapes::FRAUD_ENTRY),
            ..operation("GET", "/v1/fraud-entries", "listFraudEntries", TAG, "List what is blocked and what is safe")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation {
            description: "It holds no more, at once. A prefix that the guard had blocked begins anew: its next block is a first one.",
            auth: Auth::Key(Scope::InstanceWrite),
            status: 204,
            ..operation("DELETE", "/v1/fraud-entries/{id}", "deleteFraudEntry", TAG, "Delete an entry")
        },
        Run::Keyed(|call| Box::pin(delete(call))),
    ),
];

async fn create(call: Call) -> Answer {
    let form = &call.form;
    let new = NewEntry {
        list: form.text("list").unwrap_or_default(),
        subject: subject(&call)?,
        reason: form.text("reason"),
        expires_at: expiry(&call)?,
    };
    match entry::create(&call.context, new, call.reservation.as_ref()).await? {
        Made::Done(entry, replayed) => Ok(Reply::json(201, &view(&entry)).replayed(replayed)),
        Made::NotFound => Err(Problem::not_found("entry").into()),
        Made::Claimed(claim) => Err(Problem::from(claim).into()),
    }
}

/// What the entry is about: the one of four fields that is there.
fn subject(call: &Call) -> Result<Subject, Problem> {
    let (context, form) = (&call.context, &call.form);
    let about = (form.text("prefix"), form.text("phone"), form.integer("asn"), form.text("ip"));
    let by_network = match about {
        (Some(prefix), None, None, None) => {
            let detail =
                "`+` and two digits, up to all but the last four of a number, are wanted, without spaces: +4479460";
            return Subject::prefix(prefix).ok_or_else(|| wrong("prefix", detail));
        }
        (None, Some(typed), None, None) => return Ok(Subject::number(context, &number(context, "phone", typed)?)),
        (None, None, Some(asn), None) => ("asn", Subject::asn(asn)),
        (None, None, None, Some(ip)) => match ip.parse::<IpAddr>() {
            Ok(ip) => ("ip", Subject::network(context, ip)),
            Err(_) => return Err(wrong("ip", "an IPv4 or IPv6 address is wanted")),
        },
        _ => return Err(wrong("prefix", "exactly one of prefix, phone, asn and ip is wanted")),
    };
    match (form.text("list"), by_network) {
        (Some("safe"), (field, _)) => Err(wrong(field, "the safe list takes a prefix or a phone")),
        (_, (_, subject)) => Ok(subject),
    }
}

/// When the entry ends.
fn expiry(call: &Call) -> Result<Timestamp, Problem> {
    let now = call.context.now();
    let hour = Duration::from_hours(1);
    let after = |hours: i64| now + hour.saturating_mul(u32::try_from(hours).unwrap_or(0));
    match (call.form.integer("hours"), call.form.timestamp("expires_at")) {
        (Some(hours), None) => Ok(after(hours)),
        (None, Some(at)) if at > now && at <= after(LONGEST) => Ok(at),
        (None, Some(_)) => Err(wrong("expires_at", "a moment in the next 366 days is wanted")),
        _ => Err(wrong("hours", "one of hours and expires_at is wanted: every entry ends")),
    }
}

async fn list(call: Call) -> Answer {
    let (limit, before) = call.page()?;
    let entries = entry::list(&call.context, call.query.text("list"), &before, limit + 1).await?;
    Ok(Reply::page(entries.iter().map(view).collect(), limit))
}

async fn delete(call: Call) -> Answer {
    let id = call.id("id", FraudEntryId::parse, "entry")?;
    if entry::delete(&call.context, &id).await? {
        return Ok(Reply::nothing());
    }
    Err(Problem::not_found("entry").into())
}

fn view(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "list": entry.list,
        "type": entry.kind,
        "subject": entry.shown,
        "level": entry.level,
        "enforced": entry.enforced,
        "reason": entry.reason,
        "created_by": entry.created_by,
        "created_at": entry.created_at.to_string(),
        "expires_at": entry.expires_at.to_string(),
    })
}
