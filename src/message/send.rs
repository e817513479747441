//! Asks one driver and says what became of it. The row of the try is there already; the caller records the outcome.

use std::time::Duration;

use super::{
    Driver, Encoding, Outgoing, Speaks,
    drivers::{
        Mail, Outcome, Sms, Why,
        call::{Call, Opening},
        send_mail, twilio,
        twilio_verify::{self, By, TwilioVerify},
        twilio_voice, vonage, vonage_voice,
    },
    hook_context::hand_over,
    receipt,
    speech::Script,
};
use crate::{
    config::{EmailDriver, SmsDriver, VoiceDriver},
    context::Context,
    crypto::Code,
    ids::TryId,
    ports::Level,
    time::{Timestamp, millis},
};

/// How long one try may take, of the 10 seconds that a request's sending may take.
pub const TRY_TIMEOUT: Duration = Duration::from_secs(4);

/// When a try begins, and how long it may take.
type When = (Timestamp, Duration);

/// What became of a try, and how long it took.
pub struct Tried {
    /// The driver that was asked.
    pub driver: &'static str,
    /// The id of the try.
    pub try_id: TryId,
    /// What became of it.
    pub outcome: Outcome,
    /// Milliseconds until the carrier answered.
    pub latency_ms: i64,
}

/// Asks one driver, whose try is written down, and remembers how it did.
pub async fn one_more(
    context: &Context,
    outgoing: &Outgoing,
    driver: &Driver,
    try_id: &TryId,
    timeout: Duration,
) -> Tried {
    let started = context.ports().clock.now();
    let when = (started, timeout);
    let outcome = match driver {
        Driver::Sms(driver) => sms(context, outgoing, driver, when).await,
        Driver::Email(driver) => email(context, outgoing, driver, when).await,
        Driver::Voice(driver, speaks) => voice(context, outgoing, driver, *speaks, when).await,
    };
    let (now, name) = (context.ports().clock.now(), driver.name());
    let latency_ms = millis(started.until(now));
    if let Some(why) = outcome.why() {
        let id = &outgoing.id;
        context.log(Level::Warn, &format!("{id} {name} {}: {} ({})", outcome.as_str(), why.detail, why.code));
    }
    if context.circuits().note(outgoing.channel, name, context.snapshot().version, now, &outcome) {
        let channel = outgoing.channel.as_str();
        context.log(
            Level::Warn,
            &format!("{channel}: {name} has failed too often; where there is another driver it goes first"),
        );
    }
    Tried { driver: name, try_id: try_id.clone(), outcome, latency_ms }
}

async fn sms(context: &Context, outgoing: &Outgoing, driver: &SmsDriver, (started, timeout): When) -> Outcome {
    let callback_base = context.settings().delivery.callback_base();
    let report_to = callback_base.and_then(|base| receipt::vonage_url(base, context.pepper(), &outgoing.id));
    let sms = Sms {
        to: outgoing.redirected_to.as_deref().unwrap_or_else(|| outgoing.destination.as_str()),
        from: outgoing.from.as_deref(),
        body: &outgoing.body,
        unicode: outgoing.sms.is_some_and(|(encoding, _)| encoding == Encoding::Ucs2),
        code: outgoing.code.as_ref().map(Code::expose),
        lifetime: outgoing.lifetime,
        message_id: outgoing.id.as_str(),
        callback_base,
        report_to: report_to.as_deref(),
        timeout,
        unix_seconds: started.millis() / 1000,
    };
    let fetch = &context.ports().fetch;
    match driver {
        // A dropped message never comes here; were it to, nothing goes out.
        SmsDriver::Null => Outcome::Accepted { provider_id: outgoing.id.to_string(), segments: None },
        SmsDriver::Twilio(twilio) => twilio::outcome(fetch.fetch(twilio.request(&sms)).await),
        SmsDriver::Vonage(vonage) => vonage::outcome(fetch.fetch(vonage.request(&sms)).await),
        SmsDriver::TwilioVerify(service) => verify(context, outgoing, service, By::Sms, timeout).await,
        SmsDriver::Webhook(webhook) => hand_over(context, outgoing, webhook, None, timeout).await,
    }
}

/// Has Twilio Verify send the code, in words of its own.
async fn verify(context: &Context, outgoing: &Outgoing, service: &TwilioVerify, by: By, timeout: Duration) -> Outcome {
    let Some(code) = &outgoing.code else { return twilio_verify::no_code() };
    let to = outgoing.redirected_to.as_deref().unwrap_or_else(|| outgoing.destination.as_str());
    let request = service.request(to, by, code.expose(), &outgoing.locale, timeout);
    twilio_verify::outcome(context.ports().fetch.fetch(request).await)
}

async fn email(context: &Context, outgoing: &Outgoing, driver: &EmailDriver, (started, timeout): When) -> Outcome {
    let Some(from) = driver.from() else {
        // A dropped message never comes here; were it to, nothing goes out.
        return Outcome::Accepted { provider_id: outgoing.id.to_string(), segments: None };
    };
    let mail = Mail {
        from,
        to: outgoing.redirected_to.as_deref().unwrap_or_else(|| outgoing.destination.as_str()),
        subject: outgoing.subject.as_deref().unwrap_or_default(),
        text: &outgoing.body,
        html: outgoing.html.as_deref().unwrap_or_default(),
        template: outgoing.template,
        code: outgoing.code.as_ref().map(Code::expose),
        message_id: outgoing.id.as_str(),
        timeout,
        now: started,
    };
    send_mail(context.ports(), driver, &mail).await
}

async fn voice(
    context: &Context,
    outgoing: &Outgoing,
    driver: &VoiceDriver,
    speaks: Speaks,
    (started, timeout): When,
) -> Outcome {
    let Speaks { voice, gate } = speaks;
    let said = outgoing.greeting.as_deref().unwrap_or_default();
    let (greeting, nobody) = (Script::gate(voice, said), Script::nobody(voice));
    let code = outgoing.code.as_ref().map(|code| Script::greeting_and_code(voice, said, code));
    let callback =
        context.settings().delivery.callback_base().map(|base| callback(context, base, outgoing, driver, gate));
    let opening = match (&callback, &code) {
        (Some(next), _) if gate => Opening::Gate { greeting: &greeting, nobody: &nobody, next },
        (_, Some(code)) if !gate => Opening::Code(code),
        // Prepared otherwise it would not have come here.
        _ => return Outcome::Misconfigured(Why::new("no_gate", "the call could not wait for a key: check PUBLIC_URL")),
    };
    let to = outgoing.redirected_to.as_deref().unwrap_or_else(|| outgoing.destination.as_str());
    let call = Call { to, from: outgoing.from.as_deref(), opening, events: callback.as_deref(), timeout };
    let fetch = &context.ports().fetch;
    match driver {
        VoiceDriver::Null => Outcome::Accepted { provider_id: outgoing.id.to_string(), segments: None },
        VoiceDriver::TwilioVerify(service) => verify(context, outgoing, service, By::Call, timeout).await,
        VoiceDriver::Webhook(webhook) => {
            let spoken = code.as_ref().map(Script::to_text);
            hand_over(context, outgoing, webhook, spoken.as_deref().or(Some(&outgoing.body)), timeout).await
        }
        VoiceDriver::Twilio(twilio) => twilio_voice::outcome(fetch.fetch(twilio.request(&call)).await),
        VoiceDriver::Vonage(vonage) => {
            let input = vonage.signing_input(started.millis() / 1000, &context.stamp());
            match context.ports().signatures.sign_rs256(vonage.private_key(), input.as_bytes()).await {
                Ok(signature) => vonage_voice::outcome(fetch.fetch(vonage.request(&call, &input, &signature)).await),
                Err(error) => Outcome::Misconfigured(Why::new(
                    "not_signed",
                    format!("the call could not be signed with sms.vonage.private_key or VONAGE_PRIVATE_KEY: {error}"),
                )),
            }
        }
    }
}

/// Where the carrier tells of this call, and asks for what comes after the key.
fn callback(context: &Context, base: &str, outgoing: &Outgoing, driver: &VoiceDriver, gate: bool) -> String {
    let id = &outgoing.id;
    match (driver, gate) {
        (VoiceDriver::Vonage(_), gate) => {
            format!("{base}/v1/callbacks/vonage/{id}/{}", context.pepper().callback_token(id.as_str(), gate))
        }
        (_, true) => format!("{base}/v1/callbacks/twilio/{id}/voice"),
        (_, false) => format!("{base}/v1/callbacks/twilio/{id}"),
    }
}
