//! An SMS before it is written down.

use std::time::Duration;

use super::{Content, Driver, DropReason, Outgoing, Refused, Route, cost_class, may_be_called, missing};
use crate::{
    config::SmsDriver,
    context::Context,
    crypto::Code,
    ids::{MessageId, TryId},
    message::{
        Channel, Destination,
        notice::{self, Change},
        segments,
        template::{self, LOCALE},
    },
    phone::{self, NumberKind, PhoneNumber},
    settings::TestMode,
};

/// Whether a number may get an SMS at all.
pub(super) fn admit(context: &Context, number: &PhoneNumber) -> Result<(), Refused> {
    let settings = context.settings();
    if !settings.sms_enabled {
        return Err(Refused::SwitchedOff(Channel::Sms));
    }
    if number.is_test() {
        return match context.test_mode() {
            TestMode::Rejected => Err(Refused::TestNumber),
            TestMode::Enabled | TestMode::Disabled => Ok(()),
        };
    }
    let country = number.country();
    if !settings.sms_countries.allow(country.as_str()) {
        return Err(Refused::Country(Channel::Sms, country.to_string()));
    }
    // Where calls go nowhere, the carrier may say it.
    if number.kind() == NumberKind::FixedLine && may_be_called(context, number) {
        return Err(Refused::FixedLine);
    }
    Ok(())
}

/// The whole SMS.
pub(super) fn prepare(context: &Context, number: PhoneNumber, content: Content) -> Result<Outgoing, Refused> {
    let config = context.config();
    let Content { template, code, lifetime, .. } = content;
    let body = template::render(template, &code, &config.app_name, lifetime, config.public_url.as_deref());
    outgoing(context, number, template.as_str(), body, Some(code), lifetime)
}

/// The whole SMS that tells of a change.
pub(super) fn notice(context: &Context, number: PhoneNumber, change: &Change) -> Result<Outgoing, Refused> {
    let body = change.sms(&context.config().app_name);
    outgoing(context, number, notice::TEMPLATE, body, None, notice::LIFETIME)
}

fn outgoing(
    context: &Context,
    number: PhoneNumber,
    template: &'static str,
    body: String,
    code: Option<Code>,
    lifetime: Duration,
) -> Result<Outgoing, Refused> {
    let config = context.config();
    let country = number.country();
    let drivers = context.settings().delivery.sms(country.as_str()).map_err(Refused::Misconfigured)?;
    let driver = drivers.first().map_or("null", SmsDriver::name);
    let redirected_to = (!config.is_production()).then(|| config.dev_sms_receiver.clone()).flatten();
    let receiver_is_test = redirected_to.as_deref().is_some_and(phone::is_test_number);
    let route = match drivers.first() {
        _ if number.is_test() || receiver_is_test => Route::Drop(DropReason::TestNumber),
        _ if context.credential().is_test => Route::Drop(DropReason::TestKey),
        None | Some(SmsDriver::Null) => Route::Drop(DropReason::NullDriver),
        _ if !config.is_production() && redirected_to.is_none() => {
            let detail = "outside prod a carrier sends to this number only, and it is missing";
            return Err(Refused::Misconfigured(missing("DEV_SMS_RECEIVER", detail)));
        }
        Some(_) => Route::Send(drivers.into_iter().map(Driver::Sms).collect()),
    };
    let now = context.now();
    let random = &*context.ports().random;
    Ok(Outgoing {
        id: MessageId::new(now, random),
        try_id: TryId::new(now, random),
        channel: Channel::Sms,
        template,
        locale: LOCALE,
        country: Some(country.to_string()),
        cost_class: cost_class(context, &route, &number, redirected_to.as_deref()),
        destination: Destination::Phone(number),
        redirected_to,
        sms: Some(segments(&body)),
        subject: None,
        body,
        html: None,
        code,
        lifetime,
        route,
        driver,
    })
}
