//! `/v1/callbacks/…`: what carriers report. Only a verified signature changes anything; all else is a 403.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::Run;
use crate::{
    event,
    http::{
        Code, Incoming, Problem, Reply,
        contract::{Auth, Gives, Operation, operation},
        reply::{Answer, Failure},
    },
    ids::{EventId, MessageId},
    message::{
        self, Channel, Status,
        drivers::{call::Progress, twilio_voice},
        store::Report,
    },
    ports::{DatabaseError, Level},
    settings::Delivery,
    statement,
};

pub(super) const ROUTES: &[(Operation, Run)] = &[(
    Operation {
        description: "Twilio's status callback of an SMS, or of a call that waits for no key, signed with the account's auth token for `PUBLIC_URL`. A status never regresses.",
        auth: Auth::Carrier,
        status: 204,
        gives: Gives::Nothing,
        refuses: &[&[Code::SignatureInvalid, Code::DatabaseUnavailable, Code::DatabaseUnmigrated]],
        ..operation(
            "POST",
            "/v1/callbacks/twilio/{message_id}",
            "twilioCallback",
            "Callbacks",
            "Delivery report of Twilio",
        )
    },
    Run::Open(|incoming| Box::pin(twilio(incoming))),
)];

async fn twilio(incoming: Incoming) -> Answer {
    let fields = form(&incoming);
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if !signed(&incoming, &fields) {
        return Err(refused(&incoming).await);
    }
    let id = message(&incoming)?;
    // A call that waits for no key reports here.
    if let Some(sid) = field("CallSid") {
        let progress = field("CallStatus").and_then(twilio_voice::progress);
        called(&incoming, &Call { message: &id, driver: "twilio", sid, gate: false }, progress).await?;
        return Ok(Reply::nothing());
    }
    let status = match field("MessageStatus") {
        Some("sent" | "sending" | "queued" | "accepted") => Status::Sent,
        Some("delivered" | "read") => Status::Delivered,
        Some("undelivered" | "failed" | "canceled") => Status::Failed,
        // A state that we do not tell apart changes nothing.
        _ => return Ok(Reply::nothing()),
    };
    let error = field("ErrorCode")
        .filter(|code| (1..=20).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let Some(provider_id) = field("MessageSid").filter(|sid| (1..=64).contains(&sid.len())) else {
        return Ok(Reply::nothing());
    };
    let report = Report { id: &id, driver: "twilio", channel: Channel::Sms, provider_id, status, error_code: error };
    record(&incoming, &report).await?;
    Ok(Reply::nothing())
}

/// The fields of a form.
pub(super) fn form(incoming: &Incoming) -> Vec<(String, String)> {
    form_urlencoded::parse(&incoming.body).into_owned().collect()
}

/// The message that the path names.
pub(super) fn message(incoming: &Incoming) -> Result<MessageId, Failure> {
    let id = incoming.params.first().and_then(|(_, id)| MessageId::parse(id));
    Ok(id.ok_or_else(|| Problem::not_found("message"))?)
}

/// Somebody called a callback without proving that they are the carrier.
pub(super) async fn refused(incoming: &Incoming) -> Failure {
    let app = &incoming.app;
    app.ports.log.line(Level::Warn, &format!("{} a delivery report without a valid signature", incoming.request_id));
    let minute_ago = EventId::floor(incoming.now.before(Duration::from_mins(1)));
    let event = EventId::new(incoming.now, &*app.ports.random);
    let refused =
        statement!(event::store::CALLBACK_REFUSED, &event, &incoming.request_id, incoming.now.millis(), &minute_ago);
    if let Err(error) = incoming.round_trips.batch(&app.ports, vec![refused]).await {
        app.ports.log.line(Level::Error, &format!("{} {error}", incoming.request_id));
    }
    Problem::new(Code::SignatureInvalid, "the signature is missing or wrong").into()
}

/// A call that a carrier tells of.
pub(super) struct Call<'a> {
    pub(super) message: &'a MessageId,
    pub(super) driver: &'a str,
    /// The carrier's id of it.
    pub(super) sid: &'a str,
    /// Whether it waits for a key.
    pub(super) gate: bool,
}

/// Writes down how a call goes. One that waited for a key has arrived with the key, and not by being answered: a
/// mailbox answers too.
pub(super) async fn called(
    incoming: &Incoming,
    call: &Call<'_>,
    progress: Option<Progress>,
) -> Result<(), DatabaseError> {
    let (status, error_code) = match progress {
        Some(Progress::UnderWay) => (Status::Sent, None),
        Some(Progress::Completed) if call.gate => (Status::Failed, Some("no_key_pressed")),
        Some(Progress::Completed) => (Status::Delivered, None),
        Some(Progress::NotAnswered(why)) => (Status::Failed, Some(why)),
        None => return Ok(()),
    };
    if !(1..=64).contains(&call.sid.len()) {
        return Ok(());
    }
    let Call { message: id, driver, sid: provider_id, .. } = *call;
    record(incoming, &Report { id, driver, channel: Channel::Voice, provider_id, status, error_code }).await
}

async fn record(incoming: &Incoming, report: &Report<'_>) -> Result<(), DatabaseError> {
    let event = EventId::new(incoming.now, &*incoming.app.ports.random);
    let batch = message::store::report(report, &event, &incoming.request_id, incoming.now);
    incoming.round_trips.batch(&incoming.app.ports, batch).await?;
    Ok(())
}

/// Whether `X-Twilio-Signature` is HMAC-SHA1 under the auth token over the configured URL and the sorted fields.
pub(super) fn signed(incoming: &Incoming, fields: &[(String, String)]) -> bool {
    let delivery = delivery(incoming);
    let (Some(base), Some(signature)) = (delivery.callback_base(), incoming.header("x-twilio-signature")) else {
        return false;
    };
    let query = if incoming.query.is_empty() { String::new() } else { format!("?{}", incoming.query) };
    let mut sorted = fields.to_vec();
    sorted.sort();
    sorted.dedup();
    let pairs: String = sorted.into_iter().map(|(name, value)| name + &value).collect();
    let with_port = base.matches(':').count() == 1;
    let urls = [Some(base.to_owned()), with_port.then(|| format!("{base}:443"))];
    let tokens = delivery.twilio_tokens(incoming.now);
    urls.into_iter().flatten().any(|base| {
        let text = format!("{base}{}{query}{pairs}", incoming.path);
        tokens.iter().any(|token| verify(token.secret().expose(), &text, signature))
    })
}

/// What carries messages, as the isolate remembers it.
pub(super) fn delivery(incoming: &Incoming) -> Delivery {
    let known = incoming.app.cache.get();
    known.map_or_else(
        || Delivery::effective(&serde_json::Value::Null, &incoming.app.config),
        |snapshot| snapshot.settings.delivery.clone(),
    )
}

fn verify(token: &str, text: &str, signature: &str) -> bool {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let (Ok(mut mac), Ok(signature)) = (Hmac::<Sha1>::new_from_slice(token.as_bytes()), STANDARD.decode(signature))
    else {
        return false;
    };
    mac.update(text.as_bytes());
    mac.verify_slice(&signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_twilios() {
        // The published vector.
        let text = "https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+14158675309Digits1234\
            From+14158675309To+18005551212";
        assert!(verify("12345", text, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        assert!(!verify("12346", text, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        assert!(!verify("12345", text, "RSOYDt4T1cUTdK1PDd93/VVr8B9="));
    }
}
