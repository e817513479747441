//! A call before it is written down.

use super::{Content, Driver, Outgoing, Refused, Route, Said, Speaks, Way, admit_number, cost_class, missing, route};
use crate::{
    config::{Stops, VoiceDriver},
    context::Context,
    crypto::Code,
    fraud::Signs,
    ids::{MessageId, TryId},
    message::{
        Channel, Destination,
        speech::{Script, Voice},
    },
    phone::{self, PhoneNumber},
};

/// Whether a number may be called at all.
pub(super) fn admit(context: &Context, number: &PhoneNumber) -> Result<(), Refused> {
    admit_number(context, number, Channel::Voice)
}

/// Whether a call to this number is worth offering: nothing that is known before forbids it.
pub fn may_be_called(context: &Context, number: &PhoneNumber) -> bool {
    let drivers = context.settings().delivery.voice(number.country().as_str());
    let can = |driver: &VoiceDriver| !matches!(driver, VoiceDriver::Null) && gate(context, driver).is_ok();
    admit(context, number).is_ok() && drivers.is_ok_and(|drivers| drivers.iter().any(can))
}

/// The whole call.
pub(super) fn prepare(context: &Context, number: PhoneNumber, content: Content) -> Result<Outgoing, Refused> {
    let outgoing = content.with(context, |said| outgoing(context, number, said, &content.code))?;
    Ok(Outgoing { code: Some(content.code), ..outgoing })
}

fn outgoing(context: &Context, number: PhoneNumber, said: &Said<'_>, code: &Code) -> Result<Outgoing, Refused> {
    let config = context.config();
    let country = number.country();
    let drivers = context.settings().delivery.voice(country.as_str());
    let redirected_to = (!config.is_production()).then(|| config.dev_sms_receiver.clone()).flatten();
    let is_test = number.is_test() || redirected_to.as_deref().is_some_and(phone::is_test_number);
    let detail = "outside prod a carrier calls this number only, and it is missing";
    let missing =
        (!config.is_production() && redirected_to.is_none()).then_some(("DEV_SMS_RECEIVER", Stops::Sending, detail));
    let words = said.write(context, Channel::Voice);
    let voice = Voice::of(&words.locale);
    let way = Way { channel: Channel::Voice, slug: said.slug, is_test, missing };
    let first = match &drivers {
        Ok(drivers) => Ok(drivers.first().map_or("null", VoiceDriver::name)),
        Err(issue) => Err(issue.clone()),
    };
    let send = || {
        let (mut able, mut refused) = (Vec::new(), None);
        for driver in drivers.unwrap_or_default() {
            match gate(context, &driver) {
                Ok(gate) => able.push(Driver::Voice(driver, Speaks { voice, gate })),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        // A driver that lacks something stops nobody while another can call.
        refused.filter(|_| able.is_empty()).map_or(Ok(able), Err)
    };
    let (route, first) = route(context, &way, first, send)?;
    let driver = match &route {
        Route::Send(drivers) => drivers.first().map_or(first, Driver::name),
        Route::Drop(_) | Route::HandOver => first,
    };
    let body = if context.settings().voice.gate {
        Script::gate(voice, &words.body).to_text() + " " + &Script::code(voice, code).to_text()
    } else {
        Script::greeting_and_code(voice, &words.body, code).to_text()
    };
    let now = context.now();
    let random = &*context.ports().random;
    Ok(Outgoing {
        id: MessageId::new(now, random),
        try_id: TryId::new(now, random),
        channel: Channel::Voice,
        template: said.slug.as_str(),
        locale: voice.locale().to_owned(),
        country: Some(country.to_string()),
        cost_class: cost_class(context, &route, &number, redirected_to.as_deref()),
        destination: Destination::Phone(number),
        redirected_to,
        signs: Signs::of(context, Channel::Voice, country.as_str(), 1, &route),
        sms: None,
        from: said.from(context, Channel::Voice),
        subject: None,
        greeting: Some(words.body),
        body,
        html: None,
        code: None,
        lifetime: said.lifetime,
        route,
        driver,
        app: None,
    })
}

/// Whether the call waits for a key. It never goes out without the wait because something is missing: only because
/// the setting says so.
fn gate(context: &Context, driver: &VoiceDriver) -> Result<bool, Refused> {
    if !context.settings().voice.gate || !driver.waits_for_key() {
        return Ok(false);
    }
    if context.settings().delivery.callback_base().is_none() {
        let detail = "calls tell the code once a key is pressed, which the carrier reports to an https PUBLIC_URL: set it, or set the setting voice.gate to off";
        return Err(Refused::Misconfigured(missing("PUBLIC_URL", detail)));
    }
    if let VoiceDriver::Twilio(twilio) = driver
        && twilio.auth_token().is_none()
    {
        let detail = "calls tell the code once a key is pressed, and Twilio signs its report of that with the auth token: set it here or as sms.twilio.auth_token, or set the setting voice.gate to off";
        return Err(Refused::Misconfigured(missing("TWILIO_AUTH_TOKEN", detail)));
    }
    Ok(true)
}
