//! What carries messages, as `GET /v1/instance` shows it: names, senders, and of each credential whether it is set.

use serde_json::{Map, Value, json};

use super::{super::at, Delivery, carrier::Block, drivers::Drivers};

/// What is shown of each channel, beside its switch.
#[derive(Clone)]
pub(super) struct Shown([(&'static str, Map<String, Value>); 3]);

impl Shown {
    /// From what is in effect.
    pub fn of(delivery: &Delivery, drivers: &Drivers<'_>) -> Self {
        let stored = |path: &str| at(drivers.stored, path).cloned().unwrap_or_else(|| json!([]));
        // One that lacks something is shown by its name: without any, nothing would say that messages do not go out.
        let named = |channel: &str| at(drivers.stored, &format!("{channel}.driver")).and_then(Value::as_str);
        let sms = json!({
            "driver": delivery.sms_driver().map(crate::config::SmsDriver::name).or(named("sms")),
            "from_number": delivery.sms_driver().and_then(crate::config::SmsDriver::from_number),
            "twilio": block(&drivers.twilio),
            "vonage": block(&drivers.vonage),
            "webhook": block(&drivers.webhook),
            "routes": stored("sms.routes"),
            "fallback": {
                "enabled": delivery.fallback.is_some(),
                "after_seconds": super::fallback_seconds(drivers.stored),
                "voice": at(drivers.stored, "sms.fallback.voice").cloned().unwrap_or_default() == true,
            },
        });
        let voice = json!({
            "driver": delivery.voice_driver().map(crate::config::VoiceDriver::name).or(named("voice")),
            "routes": stored("voice.routes"),
        });
        let email = json!({
            "driver": delivery.email_driver().map(crate::config::EmailDriver::name).or(named("email")),
            "from": delivery.email_driver().and_then(crate::config::EmailDriver::from).map(crate::email::Mailbox::unicode),
            "resend": block(&drivers.resend),
            "postmark": block(&drivers.postmark),
            "webhook": block(&drivers.email_webhook),
            "routes": stored("email.routes"),
        });
        Self([("sms", sms), ("voice", voice), ("email", email)].map(|(name, value)| match value {
            Value::Object(fields) => (name, fields),
            _ => (name, Map::new()),
        }))
    }

    /// The fields of every channel, to stand beside its switch.
    pub fn channels(&self) -> impl Iterator<Item = (&'static str, &Map<String, Value>)> {
        self.0.iter().map(|(name, fields)| (*name, fields))
    }
}

/// A carrier's block: stored values, and which credentials are set. Of variables only that they are.
fn block(block: &Block<'_>) -> Value {
    if !block.is_begun() {
        return Value::Null;
    }
    let field = |entry: &super::carrier::Entry| {
        let name = entry.name();
        if entry.is_credential() {
            Some((format!("{name}_set"), Value::from(block.has(name))))
        } else {
            Some((name.to_owned(), block.raw(name)?.clone()))
        }
    };
    Value::Object(block.entries().iter().filter_map(field).collect())
}
