//! `/v1/messages`: what became of each message, for support and for the curious.

use serde_json::json;

use super::{
    Run,
    challenges::{SENDING, TO},
    parts::{LOCALE, destination, found_by, locale},
    users::{LIMIT, cursor},
    view,
};
use crate::{
    api_key::Scope,
    challenge::create::CreateError,
    http::{
        Call, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::Answer,
    },
    ids::MessageId,
    message::{self, Message, Status, Try, receipt, store, store::Filter, test::Tested},
    schema::{Field, Shape, field},
};

const TAG: &str = "Messages";
const AUTH: Auth = Auth::Key(Scope::MessagesRead);

const FIND: &[Field] = &[
    field("to", Shape::Text(254), "Messages meant for this number or address"),
    field("user_id", Shape::Id("usr_"), "A user's messages"),
    field("challenge_id", Shape::Id("chl_"), "A challenge's messages"),
    field("status", Shape::OneOf(&Status::NAMES), "Messages in this state"),
    LIMIT,
    cursor("msg_"),
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "Newest first; or find by one of `to`, `user_id`, `challenge_id`, `status`. Bodies are not kept.",
            auth: AUTH,
            query: FIND,
            gives: Gives::Page("Message", shapes::MESSAGE),
            ..operation("GET", "/v1/messages", "listMessages", TAG, "Find messages")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation {
            description: "With each try at a carrier, and each report of a carrier as it came.",
            auth: AUTH,
            gives: Gives::One("MessageWithTries", shapes::MESSAGE_WITH_TRIES),
            ..operation("GET", "/v1/messages/{id}", "getMessage", TAG, "Read a message, its tries and receipts")
        },
        Run::Keyed(|call| Box::pin(get(call))),
    ),
    (
        Operation {
            description: "A text without any code goes the way of every message: a row first, the limits of its destination, the receivers outside `prod`. With `driver` that one is asked and no other, whether the settings use it or not. What the carrier said stands in the tries.",
            auth: Auth::Key(Scope::InstanceWrite),
            body: Some(TEST),
            idempotent: true,
            example: r#"{"to": {"phone": "+14155552671"}, "locale": "en"}"#,
            gives: Gives::One("MessageWithTries", shapes::MESSAGE_WITH_TRIES),
            refuses: &[SENDING],
            ..operation("POST", "/v1/messages/test", "testMessage", TAG, "Send a test message")
        },
        Run::Keyed(|call| Box::pin(test(call))),
    ),
];

const TEST: &[Field] = &[
    field("to", Shape::Object(TO), "To this number or address").required().example(r#"{"phone": "+14155552671"}"#),
    field(
        "driver",
        Shape::OneOf(&["null", "twilio", "twilio_verify", "vonage", "resend", "postmark", "cloudflare", "webhook"]),
        "This driver alone; default: those of the route",
    ),
    LOCALE,
];

async fn test(call: Call) -> Answer {
    let wanted = || wrong("to", "a phone or an e-mail address is wanted");
    let to = destination(&call.context, &call.form, "to")?.ok_or_else(wanted)?;
    let locale = locale(&call.form)?;
    let (driver, key) = (call.form.text("driver"), call.reservation.as_ref());
    match message::test::send(&call.context, to, driver, locale.as_deref(), key).await? {
        Tested::Done(message, tries) => {
            let tries: Vec<_> = tries.iter().map(view::try_of).collect();
            // Nothing can have been reported of it yet.
            let body = json!({"message": view::message(&message), "tries": tries, "receipts": []});
            Ok(Reply::json(200, &body))
        }
        Tested::Refused(refused) => Err(Problem::from(refused).into()),
        Tested::Limited(refusal) => Err(Problem::from(refusal).into()),
        Tested::Blocked(blocked) => Err(CreateError::Blocked(blocked).into()),
        Tested::Replayed(id) => Ok(read(&call, &id).await?.replayed(true)),
        Tested::Claimed(claim) => Err(Problem::from(claim).into()),
    }
}

async fn list(call: Call) -> Answer {
    let (limit, before) = call.page()?;
    let query = &call.query;
    let to = query.text("to").map(|typed| found_by(&call.context, "to", typed)).transpose()?;
    let filters = [
        to.as_ref().map(|destination| Filter::Destination(destination.as_str())),
        query.text("user_id").map(Filter::User),
        query.text("challenge_id").map(Filter::Challenge),
        query.text("status").map(Filter::Status),
    ];
    let mut given = filters.into_iter().flatten();
    let filter = given.next().unwrap_or(Filter::None);
    if given.next().is_some() {
        return Err(wrong("to", "find by one of to, user_id, challenge_id, status at a time").into());
    }
    let answer = call.context.decide(vec![store::list(filter, &before, limit + 1)]).await?;
    let rows = answer.into_iter().next().unwrap_or_default();
    Ok(Reply::page(rows.into_iter().map(|row| view::message(&Message::read(row))).collect(), limit))
}

async fn get(call: Call) -> Answer {
    let id = call.id("id", MessageId::parse, "message")?;
    read(&call, id.as_str()).await
}

/// A message, its tries and receipts.
async fn read(call: &Call, id: &str) -> Answer {
    let id = MessageId::parse(id).ok_or_else(|| Problem::not_found("message"))?;
    let mut read = store::get(id.as_str());
    read.push(receipt::store::of_message(&id));
    let answer = call.context.decide(read).await?;
    let mut answer = answer.into_iter();
    let message =
        answer.next().and_then(|rows| rows.into_iter().next()).ok_or_else(|| Problem::not_found("message"))?;
    let tries: Vec<_> =
        answer.next().unwrap_or_default().into_iter().map(|row| view::try_of(&Try::read(row))).collect();
    let receipts: Vec<_> = answer.next().unwrap_or_default().iter().map(view::receipt).collect();
    let message = view::message(&Message::read(message));
    Ok(Reply::json(200, &json!({"message": message, "tries": tries, "receipts": receipts})))
}
