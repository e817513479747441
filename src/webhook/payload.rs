//! What an endpoint is told of an event, made when it is told. Nothing of it is stored, so no code and no number is, and a
//! number that was erased meanwhile is told to nobody.

use serde_json::{Map, Value, json};

use crate::{
    message::{Channel, Status},
    ports::Row,
    template::{Slug, Templates, Written},
    time::Timestamp,
};

/// The payload of a delivery that was read. `words` is what the message says, where somebody else delivers it and its code
/// lives. `None`: the event is gone.
pub(super) fn payload(row: &Row, templates: &Templates, words: Option<&Written>) -> Option<Value> {
    let text_of = |column: &str| row.opt_text(column);
    let kind = text_of("event_type")?;
    let happened = Timestamp::from_millis(row.opt_int("happened_at")?).to_string();
    let mut data: Map<String, Value> = serde_json::from_str(text_of("data")?).unwrap_or_default();
    for column in ["subject_id", "user_id", "app_id", "outcome", "reason"] {
        data.insert(column.to_owned(), text_of(column).into());
    }
    data.insert("id".to_owned(), text_of("event_id").into());
    if let Some((channel, state)) = kind.split_once('.')
        && let Some(channel) = Channel::parse(channel)
    {
        data.extend(of_message(row, templates, channel, state, words, &happened, &data));
    }
    Some(json!({"type": kind, "timestamp": happened, "data": data}))
}

/// What is said of a message beyond its event.
fn of_message(
    row: &Row,
    templates: &Templates,
    channel: Channel,
    state: &str,
    words: Option<&Written>,
    happened: &str,
    data: &Map<String, Value>,
) -> Map<String, Value> {
    let mut more = Map::new();
    let mut put = |name: &str, value: Value| more.insert(name.to_owned(), value);
    match state {
        "queued" => {
            let slug = row.opt_text("template");
            let sender = slug.and_then(Slug::parse).and_then(|slug| templates.from_number_override(channel, slug));
            put("template_slug", slug.into());
            put("from_number_override", sender.into());
            put("metadata", json!({"user_id": row.opt_text("whom"), "challenge_id": row.opt_text("challenge_id")}));
            if is_handed_over(row) {
                put("to", row.opt_text("recipient").into());
                match words {
                    Some(words) => {
                        put("locale", words.locale.as_str().into());
                        put("body", words.body.as_str().into());
                        // Only an e-mail has them.
                        for (name, part) in [("subject", &words.subject), ("html", &words.html)] {
                            part.as_ref().map(|part| put(name, part.as_str().into()));
                        }
                    }
                    None => {
                        put("expired", true.into());
                    }
                }
            }
        }
        "delivered" => {
            put("delivered_at", happened.into());
        }
        "failed" => {
            let reason = row.opt_text("reason");
            // A report's reason is the carrier's code; a try's is its class.
            let code = data.get("error_code").cloned().unwrap_or_else(|| reason.into());
            put("error_message", reason.and_then(meaning).into());
            put("error_code", code);
            put("failed_at", happened.into());
        }
        _ => {}
    }
    more
}

/// Whether the endpoint is the one that delivers this message: it has asked for the type by its name. Who hears `sms.*` or
/// `*` hears that there is one, and neither its number nor its code.
pub(super) fn is_handed_over(row: &Row) -> bool {
    row.opt_text("status") == Some(Status::HandedOver.as_str()) && row.flag("is_named")
}

/// What a class of errors means.
fn meaning(class: &str) -> Option<&'static str> {
    Some(match class {
        "retryable" => "The carrier did not take the message this time",
        "recipient_refused" => "The carrier refuses this recipient",
        "misconfigured" => "The carrier refuses this account or sender",
        "fraud_blocked" => "The carrier blocks this as fraud",
        "no_key_pressed" => "Nobody pressed a key in the call",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(more: &Value) -> Row {
        let mut row = json!({
            "event_type": "sms.queued", "event_id": "evt_1", "subject_id": "msg_1", "user_id": "usr_1", "app_id": null,
            "outcome": "success", "reason": null, "data": "{\"driver\":\"twilio\",\"id\":\"x\"}",
            "happened_at": 1_795_310_876_042_i64, "template": "verification_code", "status": "sent", "whom": "usr_1",
            "challenge_id": "chl_1", "recipient": "+14155552671",
        });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Row(row.as_object().unwrap().clone())
    }

    fn words() -> Written {
        let body = "042137 is your code".to_owned();
        Written { locale: "en".to_owned(), subject: None, body, html: None }
    }

    fn data(more: &Value, words: Option<&Written>) -> Value {
        payload(&row(more), &Templates::default(), words).expect("an event")["data"].clone()
    }

    #[test]
    fn a_message_that_we_deliver_is_told_without_its_text_and_recipient() {
        let queued = payload(&row(&json!({})), &Templates::default(), Some(&words())).expect("an event");
        assert_eq!(
            queued,
            json!({
                "type": "sms.queued",
                "timestamp": "2026-11-22T01:27:56.042Z",
                "data": {
                    "id": "evt_1", "subject_id": "msg_1", "user_id": "usr_1", "app_id": null, "outcome": "success",
                    "reason": null, "driver": "twilio", "template_slug": "verification_code",
                    "from_number_override": null, "metadata": {"user_id": "usr_1", "challenge_id": "chl_1"},
                },
            })
        );
        let unnamed = data(&json!({"status": "handed_over", "is_named": 0}), Some(&words()));
        for name in ["to", "locale", "body", "expired"] {
            assert!(unnamed.get(name).is_none(), "{unnamed}");
        }
        let handed = json!({"status": "handed_over", "is_named": 1});
        let text = data(&handed, Some(&words()));
        assert_eq!((&text["to"], &text["body"]), (&json!("+14155552671"), &json!("042137 is your code")));
        assert!(text.get("expired").is_none());
        let late = data(&handed, None);
        assert_eq!((late.get("body"), &late["expired"], &late["to"]), (None, &json!(true), &json!("+14155552671")));
    }

    #[test]
    fn how_a_message_ended_is_told_with_the_carriers_words() {
        let delivered = json!({"event_type": "voice.delivered", "data": "{\"message_sid\":\"CA1\"}"});
        let delivered = data(&delivered, None);
        assert_eq!(delivered["message_sid"], "CA1");
        assert_eq!(delivered["delivered_at"], "2026-11-22T01:27:56.042Z");
        assert!(delivered.get("template_slug").is_none() && delivered.get("to").is_none());
        let tried =
            json!({"event_type": "sms.failed", "reason": "recipient_refused", "data": "{\"error_code\":\"21211\"}"});
        let tried = data(&tried, None);
        assert_eq!((&tried["error_code"], &tried["failed_at"]), (&json!("21211"), &json!("2026-11-22T01:27:56.042Z")));
        assert_eq!(tried["error_message"], "The carrier refuses this recipient");
        let reported = data(&json!({"event_type": "sms.failed", "reason": "30003", "data": "{}"}), None);
        assert_eq!((&reported["error_code"], &reported["error_message"]), (&json!("30003"), &Value::Null));
    }

    #[test]
    fn an_event_that_is_gone_is_told_to_nobody() {
        assert!(payload(&row(&json!({"data": null, "happened_at": null})), &Templates::default(), None).is_none());
    }
}
