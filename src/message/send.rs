//! Asks the drivers and says what became of it. The row is there already; the caller records the outcome.

use std::time::Duration;

use super::{
    Driver, Encoding, Outgoing, Route, Speaks,
    drivers::{
        Mail, Outcome, Sms, Why,
        call::{Call, Opening},
        send_mail, twilio,
        twilio_verify::{self, By, TwilioVerify},
        twilio_voice, vonage, vonage_voice,
    },
    hook_context::hand_over,
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
const TRY_TIMEOUT: Duration = Duration::from_secs(4);

/// What became of a message's last try, and how long it took.
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

/// Asks the drivers of the message's route, and gives what the last one said. `None`: it has none, it is dropped.
pub async fn deliver(context: &Context, outgoing: &Outgoing) -> Option<Tried> {
    let Route::Send(drivers) = &outgoing.route else { return None };
    let driver = drivers.first()?;
    Some(send(context, outgoing, driver, &outgoing.try_id).await)
}

/// Asks one driver.
async fn send(context: &Context, outgoing: &Outgoing, driver: &Driver, try_id: &TryId) -> Tried {
    let started = context.ports().clock.now();
    let outcome = match driver {
        Driver::Sms(driver) => sms(context, outgoing, driver, started).await,
        Driver::Email(driver) => email(context, outgoing, driver, started).await,
        Driver::Voice(driver, speaks) => voice(context, outgoing, driver, *speaks, started).await,
    };
    let latency_ms = millis(started.until(context.ports().clock.now()));
    if let Some(why) = outcome.why() {
        let (id, name) = (&outgoing.id, driver.name());
        context.log(Level::Warn, &format!("{id} {name} {}: {} ({})", outcome.as_str(), why.detail, why.code));
    }
    Tried { driver: driver.name(), try_id: try_id.clone(), outcome, latency_ms }
}

async fn sms(context: &Context, outgoing: &Outgoing, driver: &SmsDriver, started: Timestamp) -> Outcome {
    let sms = Sms {
        to: outgoing.redirected_to.as_deref().unwrap_or_else(|| outgoing.destination.as_str()),
        from: outgoing.from.as_deref(),
        body: &outgoing.body,
        unicode: outgoing.sms.is_some_and(|(encoding, _)| encoding == Encoding::Ucs2),
        code: outgoing.code.as_ref().map(Code::expose),
        lifetime: outgoing.lifetime,
        message_id: outgoing.id.as_str(),
        callback_base: context.settings().delivery.callback_base(),
        timeout: TRY_TIMEOUT,
        unix_seconds: started.millis() / 1000,
    };
    let fetch = &context.ports().fetch;
    match driver {
        // A dropped message never comes here; were it to, nothing goes out.
        SmsDriver::Null => Outcome::Accepted { provider_id: outgoing.id.to_string(), segments: None },
        SmsDriver::Twilio(twilio) => twilio::outcome(fetch.fetch(twilio.request(&sms)).await),
        SmsDriver::Vonage(vonage) => vonage::outcome(fetch.fetch(vonage.request(&sms)).await),
        SmsDriver::TwilioVerify(service) => verify(context, outgoing, service, By::Sms).await,
        SmsDriver::Webhook(webhook) => hand_over(context, outgoing, webhook, None, TRY_TIMEOUT).await,
    }
}

/// Has Twilio Verify send the code, in words of its own.
async fn verify(context: &Context, outgoing: &Outgoing, service: &TwilioVerify, by: By) -> Outcome {
    let Some(code) = &outgoing.code else { return twilio_verify::no_code() };
    let to = outgoing.redirected_to.as_deref().unwrap_or_else(|| outgoing.destination.as_str());
    let request = service.request(to, by, code.expose(), &outgoing.locale, TRY_TIMEOUT);
    twilio_verify::outcome(context.ports().fetch.fetch(request).await)
}

async fn email(context: &Context, outgoing: &Outgoing, driver: &EmailDriver, started: Timestamp) -> Outcome {
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
        timeout: TRY_TIMEOUT,
        now: started,
    };
    send_mail(context.ports(), driver, &mail).await
}

async fn voice(
    context: &Context,
    outgoing: &Outgoing,
    driver: &VoiceDriver,
    speaks: Speaks,
    started: Timestamp,
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
    let call = Call { to, from: outgoing.from.as_deref(), opening, events: callback.as_deref(), timeout: TRY_TIMEOUT };
    let fetch = &context.ports().fetch;
    match driver {
        VoiceDriver::Null => Outcome::Accepted { provider_id: outgoing.id.to_string(), segments: None },
        VoiceDriver::TwilioVerify(service) => verify(context, outgoing, service, By::Call).await,
        VoiceDriver::Webhook(webhook) => {
            let spoken = code.as_ref().map(Script::to_text);
            hand_over(context, outgoing, webhook, spoken.as_deref().or(Some(&outgoing.body)), TRY_TIMEOUT).await
        }
        VoiceDriver::Twilio(twilio) => twilio_voice::outcome(fetch.fetch(twilio.request(&call)).await),
        VoiceDriver::Vonage(vonage) => {
            let input = vonage.signing_input(started.millis() / 1000, &context.stamp());
            match context.ports().signatures.sign_rs256(vonage.private_key(), input.as_bytes()).await {
                Ok(signature) => vonage_voice::outcome(fetch.fetch(vonage.request(&call, &input, &signature)).await),
                Err(error) => Outcome::Misconfigured(Why::new(
                    "not_signed",
                    format!("the call could not be signed with VONAGE_PRIVATE_KEY: {error}"),
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
