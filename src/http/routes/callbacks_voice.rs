//! `/v1/callbacks/…` of calls that wait for a key: the carrier tells of the key and is told the code, or tells how the
//! call ended. Only what the carrier has proven is answered; all else is a 403.

use serde_json::{Value, json};

use super::{
    Run,
    callbacks::{Call, called, delivery, form, message, refused, signed},
};
use crate::{
    crypto::Pepper,
    http::{
        Code, Incoming, Problem, Reply,
        contract::{Auth, Gives, Operation, operation},
        reply::{Answer, Failure},
    },
    ids::{EventId, MessageId},
    message::{
        drivers::{
            twilio_voice,
            vonage_voice::{self, Told},
            vonage_webhook,
        },
        gate::{self, Key},
        speech::{Script, Voice},
    },
    secret::Secret,
};

const TAG: &str = "Callbacks";
const REFUSES: &[&[Code]] = &[&[
    Code::SignatureInvalid,
    Code::ResourceNotFound,
    Code::ConfigurationInvalid,
    Code::DatabaseUnavailable,
    Code::DatabaseUnmigrated,
]];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "Twilio tells of a key that was pressed and gets what is said next, as TwiML: the code, while it \
                lives. It also tells here how the call ended. Signed with the account's auth token for `PUBLIC_URL`.",
            auth: Auth::Carrier,
            gives: Gives::Other("application/xml"),
            refuses: REFUSES,
            ..operation(
                "POST",
                "/v1/callbacks/twilio/{message_id}/voice",
                "twilioVoiceCallback",
                TAG,
                "A call of Twilio",
            )
        },
        Run::Open(|incoming| Box::pin(twilio(incoming))),
    ),
    (
        Operation {
            description: "Vonage tells of a key and gets what is said next, as an NCCO: the code, while it lives. It also \
                tells here how the call goes. Proven by the token in the path, which only the carrier was told, and, with \
                `VONAGE_SIGNATURE_SECRET`, by a signed webhook.",
            auth: Auth::Carrier,
            gives: Gives::Other("application/json"),
            refuses: REFUSES,
            ..operation(
                "POST",
                "/v1/callbacks/vonage/{message_id}/{token}",
                "vonageVoiceCallback",
                TAG,
                "A call of Vonage",
            )
        },
        Run::Open(|incoming| Box::pin(vonage(incoming))),
    ),
];

async fn twilio(incoming: Incoming) -> Answer {
    let fields = form(&incoming);
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if !signed(&incoming, &fields) {
        return Err(refused(&incoming).await);
    }
    let id = message(&incoming)?;
    let xml = |body: String| Ok(Reply { status: 200, media: "application/xml", body, headers: Vec::new() });
    let Some(sid) = field("CallSid").filter(|sid| (1..=64).contains(&sid.len())) else {
        return xml(NOTHING.to_owned());
    };
    if field("Digits").is_some_and(|digits| !digits.is_empty()) {
        let key = Key { message: &id, driver: "twilio", provider_id: sid };
        return xml(twilio_voice::twiml(&pressed(&incoming, &key).await?));
    }
    let progress = field("CallStatus").and_then(twilio_voice::progress);
    called(&incoming, &Call { message: &id, driver: "twilio", sid, gate: true }, progress).await?;
    xml(NOTHING.to_owned())
}

/// TwiML that does nothing.
const NOTHING: &str = "<Response/>";

async fn vonage(incoming: Incoming) -> Answer {
    let id = message(&incoming)?;
    let Some(gated) = proven(&incoming, &id)? else { return Err(refused(&incoming).await) };
    let json = |body: &Value| Ok(Reply::json(200, body));
    let body: Value = serde_json::from_slice(&incoming.body).unwrap_or(Value::Null);
    match vonage_voice::told(&body) {
        Some((Told::Key, uuid)) if gated => {
            let key = Key { message: &id, driver: "vonage", provider_id: uuid };
            json(&vonage_voice::ncco(&pressed(&incoming, &key).await?))
        }
        Some((Told::NoKey, uuid)) if gated => {
            let key = Key { message: &id, driver: "vonage", provider_id: uuid };
            let waited = vec![gate::waited(&key, incoming.now)];
            let answer = incoming.round_trips.batch(&incoming.app.ports, waited).await?;
            let script = gate::nobody(answer.first().and_then(|rows| rows.first()));
            json(&script.map_or_else(|| json!([]), |script| vonage_voice::ncco(&script)))
        }
        Some((Told::NoKey | Told::Key, _)) | None => json(&json!([])),
        Some((Told::Progress(progress), sid)) => {
            called(&incoming, &Call { message: &id, driver: "vonage", sid, gate: gated }, Some(progress)).await?;
            json(&json!([]))
        }
    }
}

/// Whether Vonage calls, and for which kind of call the token was given out: one that waits for a key, or not.
fn proven(incoming: &Incoming, id: &MessageId) -> Result<Option<bool>, Failure> {
    let token = incoming.params.get(1).map(|(_, token)| token.as_str()).unwrap_or_default();
    let Some(gate) = pepper(incoming)?.open_callback_token(id.as_str(), token) else { return Ok(None) };
    let delivery = delivery(incoming);
    if !delivery.vonage_signs() {
        return Ok(Some(gate));
    }
    // A secret that cannot be read is no absent one: what it would have proven is not believed.
    let body = String::from_utf8_lossy(&incoming.body);
    let now = incoming.now.millis() / 1000;
    let secrets = delivery.vonage_signature_secrets(incoming.now);
    let is_vonages = |secret: &Secret| vonage_webhook::is_vonages(incoming.header("authorization"), secret, &body, now);
    Ok(secrets.iter().any(|key| is_vonages(key.secret())).then_some(gate))
}

/// What is said after a key.
async fn pressed(incoming: &Incoming, key: &Key<'_>) -> Result<Script, Failure> {
    let pepper = pepper(incoming)?;
    let app = &incoming.app;
    let event = EventId::new(incoming.now, &*app.ports.random);
    let batch = gate::pressed(key, &event, &incoming.request_id, incoming.now);
    let answer = incoming.round_trips.batch(&app.ports, batch).await?;
    let script = gate::next(answer.last().and_then(|rows| rows.first()), pepper)?;
    // A call that is none of ours, or was given up: whoever listens hears that no code comes.
    Ok(script.unwrap_or_else(|| Script::too_late(Voice::of(""))))
}

fn pepper(incoming: &Incoming) -> Result<Pepper<'_>, Failure> {
    let secrets = incoming.app.config.secrets();
    let secrets = secrets.map_err(|issue| Problem::new(Code::ConfigurationInvalid, issue.detail.clone()))?;
    Ok(Pepper(&secrets.code_pepper))
}
