//! Hands a message over to the customer's endpoint, with the context that a Send Phone Message hook gets. What it is told
//! of the app and the user is read right before: one round trip, and for this driver only.

pub mod store;

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Outgoing,
    drivers::{
        Outcome, Why,
        webhook::{HandedOver, Webhook, once_more},
    },
};
use crate::{
    challenge::Purpose,
    context::Context,
    crypto::Code,
    ports::{OutgoingRequest, Row},
    statement,
};

/// With less time left nobody is asked once more.
const LEAST: Duration = Duration::from_millis(500);

/// Has the endpoint send a message; `spoken` says what a call says, else it is an SMS. What is worth it is asked once more
/// at once, within the time limit of the try.
pub async fn hand_over(
    context: &Context,
    outgoing: &Outgoing,
    webhook: &Webhook,
    spoken: Option<&str>,
    timeout: Duration,
) -> Outcome {
    let (clock, fetch) = (&context.ports().clock, &context.ports().fetch);
    let started = clock.now();
    let told = match context.record(vec![statement!(store::TOLD, &outgoing.id)]).await {
        Ok(rows) => told(context, outgoing, spoken.is_some(), rows.first().and_then(|rows| rows.first())),
        Err(error) => return Outcome::Retryable(Why::new("not_read", error.to_string())),
    };
    let request = webhook.request(&HandedOver {
        spoken: spoken.is_some(),
        recipient: outgoing.redirected_to.as_deref().unwrap_or_else(|| outgoing.destination.as_str()),
        text: spoken.unwrap_or(&outgoing.body),
        context: &told,
        message_id: outgoing.id.as_str(),
        now: started,
        timeout,
    });
    let answer = fetch.fetch(request.clone()).await;
    let left = timeout.saturating_sub(started.until(clock.now()));
    if !once_more(&answer) || left < LEAST {
        return webhook.outcome(answer);
    }
    let again = fetch.fetch(OutgoingRequest { timeout: left, ..request }).await;
    match (webhook.outcome(answer), webhook.outcome(again)) {
        // What may have gone out the first time stays so, whatever is said of the second.
        (first @ Outcome::Unknown(_), second) if !matches!(second, Outcome::Accepted { .. }) => first,
        (_, second) => second,
    }
}

/// The hook's `context`. What is not known is null.
fn told(context: &Context, outgoing: &Outgoing, spoken: bool, row: Option<&Row>) -> Value {
    let text = |column| row.and_then(|row| row.opt_text(column));
    let stored = |column| text(column).and_then(|json| serde_json::from_str::<Value>(json).ok());
    let is_enrolment = text("purpose") == Some(Purpose::Enrolment.as_str());
    let user = text("user_id").map(|id| {
        let mut user = json!({
            "user_id": id,
            "name": text("name"),
            "metadata": stored("metadata"),
            "external_id": text("external_id"),
        });
        // Outside prod nothing that could be sent to leaves but the receiver's number.
        if let (Some(user), None) = (user.as_object_mut(), &outgoing.redirected_to) {
            user.insert("email".to_owned(), text("email").into());
            user.insert("phone".to_owned(), text("phone").into());
        }
        user
    });
    json!({
        "factor_type": if row.is_some_and(|row| row.flag("is_second")) { "second" } else { "first" },
        "message_type": if spoken { "voice" } else { "sms" },
        "action": if is_enrolment { "enrollment" } else { "authentication" },
        "language": outgoing.locale,
        "code": outgoing.code.as_ref().map(Code::expose),
        "ip": context.client().ip,
        "user_agent": context.client().user_agent,
        "client_id": text("app_id"),
        "name": text("app_name"),
        "client_metadata": stored("app_metadata"),
        "user": user,
    })
}
