//! Asks the driver, once, and says what became of it. The row is there already; the caller records the outcome.

use std::time::Duration;

use super::{
    Encoding, Outgoing,
    drivers::{Outcome, Sms, twilio, vonage},
};
use crate::{config::SmsDriver, context::Context, ports::Level, time::millis};

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
pub async fn send(context: &Context, outgoing: &Outgoing, driver: &SmsDriver) -> Tried {
    let started = context.ports().clock.now();
    let sms = Sms {
        to: outgoing.redirected_to.as_deref().unwrap_or_else(|| outgoing.destination.e164()),
        body: &outgoing.body,
        unicode: outgoing.encoding == Encoding::Ucs2,
        lifetime: outgoing.lifetime,
        message_id: outgoing.id.as_str(),
        callback_base: context.config().sms.callback_base.as_deref(),
        timeout: TRY_TIMEOUT,
        unix_seconds: started.millis() / 1000,
    };
    let fetch = &context.ports().fetch;
    let outcome = match driver {
        // A dropped message never comes here; were it to, nothing goes out.
        SmsDriver::Null => Outcome::Accepted { provider_id: outgoing.id.to_string(), segments: None },
        SmsDriver::Twilio(twilio) => twilio::outcome(fetch.fetch(twilio.request(&sms)).await),
        SmsDriver::Vonage(vonage) => vonage::outcome(fetch.fetch(vonage.request(&sms)).await),
    };
    let latency_ms = millis(started.until(context.ports().clock.now()));
    if let Some(why) = outcome.why() {
        let line = format!("{} {} {}: {} ({})", outgoing.id, driver.name(), outcome.as_str(), why.detail, why.code);
        context.log(Level::Warn, &line);
    }
    Tried { outcome, latency_ms }
}
