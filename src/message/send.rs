//! Asks the driver, once, and says what became of it. The row is there already; the caller records the outcome.

use std::time::Duration;

use super::{
    Driver, Encoding, Outgoing,
    drivers::{Mail, Outcome, Sms, send_mail, twilio, vonage},
};
use crate::{
    config::{EmailDriver, SmsDriver},
    context::Context,
    crypto::Code,
    ports::Level,
    time::{Timestamp, millis},
};

/// How long one try may take, of the 10 seconds that a request's sending may take.
const TRY_TIMEOUT: Duration = Duration::from_secs(4);

/// What became of a try, and how long it took.
pub struct Tried {
    /// What became of it.
    pub outcome: Outcome,
    /// Milliseconds until the carrier answered.
    pub latency_ms: i64,
}

/// Asks the driver.
pub async fn send(context: &Context, outgoing: &Outgoing, driver: &Driver) -> Tried {
    let started = context.ports().clock.now();
    let outcome = match driver {
        Driver::Sms(driver) => sms(context, outgoing, driver, started).await,
        Driver::Email(driver) => email(context, outgoing, driver, started).await,
    };
    let latency_ms = millis(started.until(context.ports().clock.now()));
    if let Some(why) = outcome.why() {
        let (id, name) = (&outgoing.id, outgoing.driver);
        context.log(Level::Warn, &format!("{id} {name} {}: {} ({})", outcome.as_str(), why.detail, why.code));
    }
    Tried { outcome, latency_ms }
}

async fn sms(context: &Context, outgoing: &Outgoing, driver: &SmsDriver, started: Timestamp) -> Outcome {
    let sms = Sms {
        to: outgoing.redirected_to.as_deref().unwrap_or_else(|| outgoing.destination.as_str()),
        body: &outgoing.body,
        unicode: outgoing.sms.is_some_and(|(encoding, _)| encoding == Encoding::Ucs2),
        lifetime: outgoing.lifetime,
        message_id: outgoing.id.as_str(),
        callback_base: context.config().sms.callback_base.as_deref(),
        timeout: TRY_TIMEOUT,
        unix_seconds: started.millis() / 1000,
    };
    let fetch = &context.ports().fetch;
    match driver {
        // A dropped message never comes here; were it to, nothing goes out.
        SmsDriver::Null => Outcome::Accepted { provider_id: outgoing.id.to_string(), segments: None },
        SmsDriver::Twilio(twilio) => twilio::outcome(fetch.fetch(twilio.request(&sms)).await),
        SmsDriver::Vonage(vonage) => vonage::outcome(fetch.fetch(vonage.request(&sms)).await),
    }
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
