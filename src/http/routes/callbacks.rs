//! `/v1/callbacks/…` of SMS: what carriers report of them. How it is proven is `callbacks_proof.rs`; what is not is a 403.

use super::{
    Run,
    callbacks_proof::{Form, Proof, pepper, proven, refused, twilio_proven, vonage_proof},
};
use crate::{
    http::{
        Code, Incoming, Problem, Reply,
        contract::{Auth, Gives, Operation, operation},
        reply::{Answer, Failure},
    },
    ids::{EventId, MessageId},
    message::{
        Channel, Status,
        drivers::{call::Progress, twilio_voice, vonage_receipt},
        fallback,
        receipt::{self, Report, is_word},
    },
    ports::Statement,
    settings::Snapshot,
};

const TAG: &str = "Callbacks";
const REFUSES: &[&[Code]] =
    &[&[Code::SignatureInvalid, Code::ConfigurationInvalid, Code::DatabaseUnavailable, Code::DatabaseUnmigrated]];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "Twilio's status callback of an SMS, or of a call that waits for no key, signed with the auth token that the message was sent with, for `PUBLIC_URL`. A status never regresses.",
            auth: Auth::Carrier,
            status: 204,
            gives: Gives::Nothing,
            refuses: REFUSES,
            ..operation("POST", "/v1/callbacks/twilio/{message_id}", "twilioCallback", TAG, "Delivery report of Twilio")
        },
        Run::Open(|incoming| Box::pin(twilio(incoming))),
    ),
    (
        Operation {
            description: "Vonage's delivery receipt of an SMS, as a form or JSON. Proven by the token in the path, which only Vonage was told, and, with a signature secret, by `sig`. A status never regresses.",
            auth: Auth::Carrier,
            status: 204,
            gives: Gives::Nothing,
            refuses: REFUSES,
            ..operation("POST", "/v1/callbacks/vonage/{token}", "vonageReceipt", TAG, "Delivery receipt of Vonage")
        },
        Run::Open(|incoming| Box::pin(vonage(incoming))),
    ),
    (
        Operation {
            description: "The same as a query, as Vonage sends it where the account says so.",
            auth: Auth::Carrier,
            status: 204,
            gives: Gives::Nothing,
            refuses: REFUSES,
            ..operation(
                "GET",
                "/v1/callbacks/vonage/{token}",
                "vonageReceiptByQuery",
                TAG,
                "Delivery receipt of Vonage, as a query",
            )
        },
        Run::Open(|incoming| Box::pin(vonage(incoming))),
    ),
];

async fn twilio(incoming: Incoming) -> Answer {
    let form = Form::read(&incoming);
    let id = message(&incoming);
    let event = EventId::new(incoming.now, &*incoming.app.ports.random);
    let status = form.get("CallStatus");
    let told = match form.get("CallSid") {
        // A call that waits for no key reports here.
        Some(sid) => call_report(status, status.and_then(twilio_voice::progress), sid, false),
        None => sms_report(&form),
    };
    let batch = |proof: &Proof| match &id {
        Ok(id) => written(&incoming, told, id, "twilio", proof, &event),
        Err(_) => Vec::new(),
    };
    twilio_proven(&incoming, &form, &batch).await?;
    let id = id?;
    fall_back(&incoming, &id, told);
    Ok(Reply::nothing())
}

/// What a status callback of Twilio tells of an SMS.
fn sms_report(form: &Form) -> Option<Told<'_>> {
    let carrier_status = form.get("MessageStatus").filter(|status| is_word(status, 40))?;
    let error = form.get("ErrorCode");
    Some(Told {
        channel: Channel::Sms,
        provider_id: form.get("MessageSid").filter(|sid| is_word(sid, 64))?,
        carrier_status,
        status: match carrier_status {
            "queued" | "accepted" | "sending" | "sent" => Status::Sent,
            "delivered" | "read" => Status::Delivered,
            "undelivered" | "failed" | "canceled" => Status::Failed,
            _ => Status::Unknown,
        },
        error_code: error.filter(|code| is_word(code, 20) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())),
        by_part: false,
    })
}

async fn vonage(incoming: Incoming) -> Answer {
    let form = Form::read(&incoming);
    let token = incoming.params.first().map(|(_, token)| token.as_str()).unwrap_or_default();
    let Some(id) = pepper(&incoming)?.open_receipt_token(token) else { return Err(refused(&incoming).await) };
    let event = EventId::new(incoming.now, &*incoming.app.ports.random);
    let now = incoming.now.millis() / 1000;
    let check = |snapshot: &Snapshot| {
        vonage_proof(&incoming, snapshot, &|secret| vonage_receipt::is_signed_with(form.fields(), secret, now))
    };
    let told = vonage_receipt::receipt(form.fields()).map(|receipt| Told {
        channel: Channel::Sms,
        provider_id: receipt.provider_id,
        carrier_status: receipt.carrier_status,
        status: receipt.status,
        error_code: receipt.error_code,
        by_part: true,
    });
    let batch = |proof: &Proof| written(&incoming, told, &id, "vonage", proof, &event);
    proven(&incoming, &check, &batch).await?;
    fall_back(&incoming, &id, told);
    Ok(Reply::nothing())
}

/// What was reported failed may go out by another driver, once nobody waits.
fn fall_back(incoming: &Incoming, id: &MessageId, told: Option<Told<'_>>) {
    if told.is_some_and(|told| told.channel == Channel::Sms && told.status == Status::Failed) {
        fallback::after_receipt(&incoming.app, id);
    }
}

/// A report without what proves it.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    channel: Channel,
    provider_id: &'a str,
    carrier_status: &'a str,
    status: Status,
    error_code: Option<&'a str>,
    by_part: bool,
}

/// What is written down of it; nothing was told: nothing.
pub(super) fn written(
    incoming: &Incoming,
    told: Option<Told<'_>>,
    message: &MessageId,
    driver: &str,
    proof: &Proof,
    event: &EventId,
) -> Vec<Statement> {
    let Some(told) = told else { return Vec::new() };
    let Told { channel, provider_id, carrier_status, status, error_code, by_part } = told;
    let signed_with = proof.signed_with.as_str();
    let report =
        Report { message, driver, channel, provider_id, carrier_status, error_code, status, by_part, signed_with };
    receipt::store::report(&report, event, &incoming.request_id, incoming.now)
}

/// How a call goes. One that waited for a key has arrived with the key, and not by being answered: a mailbox answers too.
pub(super) fn call_report<'a>(
    word: Option<&'a str>,
    progress: Option<Progress>,
    sid: &'a str,
    gate: bool,
) -> Option<Told<'a>> {
    let (status, error_code) = match progress {
        Some(Progress::UnderWay) => (Status::Sent, None),
        Some(Progress::Completed) if gate => (Status::Failed, Some("no_key_pressed")),
        Some(Progress::Completed) => (Status::Delivered, None),
        Some(Progress::NotAnswered(why)) => (Status::Failed, Some(why)),
        None => (Status::Unknown, None),
    };
    let carrier_status = word.filter(|word| is_word(word, 40))?;
    let provider_id = Some(sid).filter(|sid| is_word(sid, 64))?;
    Some(Told { channel: Channel::Voice, provider_id, carrier_status, status, error_code, by_part: false })
}

/// The message that the path names.
pub(super) fn message(incoming: &Incoming) -> Result<MessageId, Failure> {
    let id = incoming.params.first().and_then(|(_, id)| MessageId::parse(id));
    Ok(id.ok_or_else(|| Problem::not_found("message"))?)
}
