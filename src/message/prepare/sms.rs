//! An SMS before it is written down.

use super::{Content, Driver, Outgoing, Refused, Said, Way, admit_number, cost_class, may_be_called, missing, route};
use crate::{
    config::{Issue, SmsDriver, Stops},
    context::Context,
    fraud::Signs,
    ids::{MessageId, TryId},
    message::{Channel, Destination, segments},
    phone::{self, NumberKind, PhoneNumber},
};

/// Whether a number may get an SMS at all.
pub(super) fn admit(context: &Context, number: &PhoneNumber) -> Result<(), Refused> {
    admit_number(context, number, Channel::Sms)?;
    // Where calls go nowhere, the carrier may say it.
    if number.kind() == NumberKind::FixedLine && may_be_called(context, number) {
        return Err(Refused::FixedLine);
    }
    Ok(())
}

/// The whole SMS of a code.
pub(super) fn prepare(context: &Context, number: PhoneNumber, content: Content) -> Result<Outgoing, Refused> {
    let outgoing = content.with(context, |said| outgoing(context, number, said))?;
    Ok(Outgoing { code: Some(content.code), ..outgoing })
}

/// The whole SMS.
pub(super) fn outgoing(context: &Context, number: PhoneNumber, said: &Said<'_>) -> Result<Outgoing, Refused> {
    let config = context.config();
    let country = number.country();
    let drivers = context.settings().delivery.sms(country.as_str());
    let drivers = drivers.and_then(|drivers| fit_to_say_it(drivers, said.brief.code.is_some()));
    let redirected_to = (!config.is_production()).then(|| config.dev_sms_receiver.clone()).flatten();
    let is_test = number.is_test() || redirected_to.as_deref().is_some_and(phone::is_test_number);
    let detail = "outside prod a carrier sends to this number only, and it is missing";
    let missing =
        (!config.is_production() && redirected_to.is_none()).then_some(("DEV_SMS_RECEIVER", Stops::Sending, detail));
    let way = Way { channel: Channel::Sms, slug: said.slug, is_test, missing };
    let first = match &drivers {
        Ok(drivers) => Ok(drivers.first().map_or("null", SmsDriver::name)),
        Err(issue) => Err(issue.clone()),
    };
    let send = || Ok(drivers.unwrap_or_default().into_iter().map(Driver::Sms).collect());
    let (route, driver) = route(context, &way, first, send)?;
    let words = said.write(context, Channel::Sms);
    let sms = segments(&words.body);
    let now = context.now();
    let random = &*context.ports().random;
    Ok(Outgoing {
        id: MessageId::new(now, random),
        try_id: TryId::new(now, random),
        channel: Channel::Sms,
        template: said.slug.as_str(),
        locale: words.locale,
        country: Some(country.to_string()),
        cost_class: cost_class(context, &route, &number, redirected_to.as_deref()),
        destination: Destination::Phone(number),
        redirected_to,
        signs: Signs::of(context, Channel::Sms, country.as_str(), sms.1, &route),
        sms: Some(sms),
        from: said.from(context, Channel::Sms),
        subject: None,
        greeting: None,
        body: words.body,
        html: None,
        code: None,
        lifetime: said.lifetime,
        route,
        driver,
        app: None,
    })
}

/// The drivers that can say it: Twilio Verify sends codes only, and is not asked for what has none.
fn fit_to_say_it(mut drivers: Vec<SmsDriver>, has_code: bool) -> Result<Vec<SmsDriver>, Issue> {
    if !has_code {
        drivers.retain(|driver| !matches!(driver, SmsDriver::TwilioVerify(_)));
    }
    if drivers.is_empty() {
        let why = "twilio_verify sends codes only: name another driver after it, for notices";
        return Err(missing("sms.routes", why));
    }
    Ok(drivers)
}
