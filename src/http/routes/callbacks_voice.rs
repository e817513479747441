//! `/v1/callbacks/…` of calls that wait for a key: the carrier tells of the key and is told the code, or tells how the
//! call ended. Only what the carrier has proven is answered; all else is a 403.

use serde_json::{Value, json};

use super::{
    Run,
    callbacks::{call_report, message, written},
    callbacks_proof::{Form, Proof, pepper, proven, twilio_proven, vonage_proof},
};
use crate::{
    http::{
        Code, Incoming, Reply,
        contract::{Auth, Gives, Operation, operation},
        reply::{Answer, Failure},
    },
    ids::{EventId, MessageId},
    message::{
        drivers::{twilio_voice, vonage_voice, vonage_webhook},
        gate::{self, Key},
        receipt::is_word,
        speech::{Script, Voice},
    },
    ports::{Rows, Statement},
    secret::Secret,
    settings::Snapshot,
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
    let form = Form::read(&incoming);
    let id = message(&incoming);
    let sid = form.get("CallSid").filter(|sid| is_word(sid, 64));
    let pressed = form.get("Digits").is_some_and(|digits| !digits.is_empty());
    let status = form.get("CallStatus");
    let event = EventId::new(incoming.now, &*incoming.app.ports.random);
    let batch = |proof: &Proof| {
        let (Ok(id), Some(sid)) = (&id, sid) else { return Vec::new() };
        if pressed {
            return key_pressed(&incoming, id, "twilio", sid, proof);
        }
        let told = call_report(status, status.and_then(twilio_voice::progress), sid, true);
        written(&incoming, told, id, "twilio", proof, &event)
    };
    let answer = twilio_proven(&incoming, &form, &batch).await?;
    id?;
    let body =
        if pressed && sid.is_some() { twilio_voice::twiml(&next(&incoming, &answer)?) } else { NOTHING.to_owned() };
    Ok(Reply { status: 200, media: "application/xml", body, headers: Vec::new() })
}

/// TwiML that does nothing.
const NOTHING: &str = "<Response/>";

async fn vonage(incoming: Incoming) -> Answer {
    let id = message(&incoming)?;
    let token = incoming.params.get(1).map(|(_, token)| token.as_str()).unwrap_or_default();
    // For which kind of call the token was given out: one that waits for a key, or not.
    let gated = pepper(&incoming)?.open_callback_token(id.as_str(), token);
    let text = String::from_utf8_lossy(&incoming.body);
    let (header, now) = (incoming.header("authorization"), incoming.now.millis() / 1000);
    let check = |snapshot: &Snapshot| {
        let signed = |secret: &Secret| vonage_webhook::is_vonages(header, secret, &text, now);
        gated.and_then(|_| vonage_proof(&incoming, snapshot, &signed))
    };
    let body: Value = serde_json::from_slice(&incoming.body).unwrap_or(Value::Null);
    let told = vonage_voice::told(&body);
    let gated = gated == Some(true);
    let event = EventId::new(incoming.now, &*incoming.app.ports.random);
    let batch = |proof: &Proof| match &told {
        Some((vonage_voice::Told::Key, uuid)) if gated => key_pressed(&incoming, &id, "vonage", uuid, proof),
        Some((vonage_voice::Told::NoKey, uuid)) if gated => {
            let signed_with = proof.signed_with.as_str();
            vec![gate::waited(&Key { message: &id, driver: "vonage", provider_id: uuid, signed_with }, incoming.now)]
        }
        Some((vonage_voice::Told::Progress(progress), uuid)) => {
            let word = body.get("status").and_then(Value::as_str);
            let told = call_report(word, Some(*progress), uuid, gated);
            written(&incoming, told, &id, "vonage", proof, &event)
        }
        Some((vonage_voice::Told::NoKey | vonage_voice::Told::Key, _)) | None => Vec::new(),
    };
    let answer = proven(&incoming, &check, &batch).await?;
    let script = match told {
        Some((vonage_voice::Told::Key, _)) if gated => Some(next(&incoming, &answer)?),
        Some((vonage_voice::Told::NoKey, _)) if gated => gate::nobody(answer.last().and_then(|rows| rows.first())),
        _ => None,
    };
    Ok(Reply::json(200, &script.map_or_else(|| json!([]), |script| vonage_voice::ncco(&script))))
}

/// The batch of a key.
fn key_pressed(incoming: &Incoming, id: &MessageId, driver: &str, sid: &str, proof: &Proof) -> Vec<Statement> {
    let event = EventId::new(incoming.now, &*incoming.app.ports.random);
    let key = Key { message: id, driver, provider_id: sid, signed_with: &proof.signed_with };
    gate::pressed(&key, &event, &incoming.request_id, incoming.now)
}

/// What is said after a key.
fn next(incoming: &Incoming, answer: &[Rows]) -> Result<Script, Failure> {
    let script = gate::next(answer.last().and_then(|rows| rows.first()), pepper(incoming)?)?;
    // A call that is none of ours, or was given up: whoever listens hears that no code comes.
    Ok(script.unwrap_or_else(|| Script::too_late(Voice::of(""))))
}
