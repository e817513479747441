//! The part of the pipeline before anything is written: is sending switched on, may this number get a message,
//! what would it say, where would it go instead, and by which driver. Pure, but for ids.

use std::time::Duration;

use super::{Encoding, Template, segments, template::LOCALE};
use crate::{
    config::{Issue, SmsDriver, Stops},
    context::Context,
    crypto::Code,
    ids::{MessageId, TryId},
    phone::{self, PhoneNumber},
    settings::TestMode,
};

/// Why no message may go to a number. Server keys learn it; nothing was counted or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// `sms.enabled` is `false`.
    SwitchedOff,
    /// It is a test number, and `test_mode` refuses them.
    TestNumber,
    /// Its country is not in `countries.sms.allowed`.
    Country(String),
    /// A variable is missing or malformed.
    Misconfigured(Issue),
}

/// Why a message is kept back on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Its number, or the receiver's, is a test number.
    TestNumber,
    /// The call came with a `sk_test_` key.
    TestKey,
    /// The null driver is in use.
    NullDriver,
}

impl DropReason {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TestNumber => "test_number",
            Self::TestKey => "test_key",
            Self::NullDriver => "null_driver",
        }
    }
}

/// What happens with a message once it is written down.
#[derive(Clone)]
pub enum Route {
    /// Nothing.
    Drop(DropReason),
    /// This driver is asked.
    Send(SmsDriver),
}

/// A message, complete and not yet written down. It holds a code, so it has no `Debug`.
#[derive(Clone)]
pub struct Outgoing {
    /// Its id.
    pub id: MessageId,
    /// The id of its first try.
    pub try_id: TryId,
    /// Its template.
    pub template: Template,
    /// Its language.
    pub locale: &'static str,
    /// Whom it is meant for.
    pub destination: PhoneNumber,
    /// Where it goes instead.
    pub redirected_to: Option<String>,
    /// The intended number's country.
    pub country: String,
    /// `none`, `domestic` or `international`.
    pub cost_class: &'static str,
    /// How it is encoded.
    pub encoding: Encoding,
    /// How many SMS it costs.
    pub segments: u32,
    /// The text.
    pub body: String,
    /// The code in it.
    pub code: Code,
    /// How long the code lives.
    pub lifetime: Duration,
    /// What happens with it.
    pub route: Route,
    /// The driver's name.
    pub driver: &'static str,
}

/// Whether a number may get an SMS at all: the switch, test numbers, the country. Its own step, so that a refusal
/// comes before anything is counted.
pub fn admit(context: &Context, number: &PhoneNumber) -> Result<(), Refused> {
    let settings = context.settings();
    if !settings.sms_enabled {
        return Err(Refused::SwitchedOff);
    }
    if number.is_test() {
        return match context.test_mode() {
            TestMode::Rejected => Err(Refused::TestNumber),
            TestMode::Enabled | TestMode::Disabled => Ok(()),
        };
    }
    let country = number.country();
    if !settings.sms_countries.allow(country.as_str()) {
        return Err(Refused::Country(country.to_string()));
    }
    Ok(())
}

/// The whole message: rendered, redirected outside `prod`, with its driver.
pub fn prepare(
    context: &Context,
    template: Template,
    destination: PhoneNumber,
    code: Code,
    lifetime: Duration,
) -> Result<Outgoing, Refused> {
    let config = context.config();
    let driver = match (config.blocking(Stops::Sending), &config.sms.driver) {
        (Some(issue), _) => return Err(Refused::Misconfigured(issue.clone())),
        (None, Some(driver)) => driver,
        (None, None) => return Err(Refused::Misconfigured(missing("SMS_DRIVER", "no driver carries SMS"))),
    };
    let redirected_to = (!config.is_production()).then(|| config.dev_sms_receiver.clone()).flatten();
    let receiver_is_test = redirected_to.as_deref().is_some_and(phone::is_test_number);
    let route = match driver {
        _ if destination.is_test() || receiver_is_test => Route::Drop(DropReason::TestNumber),
        _ if context.credential().is_test => Route::Drop(DropReason::TestKey),
        SmsDriver::Null => Route::Drop(DropReason::NullDriver),
        _ if !config.is_production() && redirected_to.is_none() => {
            let detail = "outside prod a carrier sends to this number only, and it is missing";
            return Err(Refused::Misconfigured(missing("DEV_SMS_RECEIVER", detail)));
        }
        driver => Route::Send(driver.clone()),
    };
    let body = template.render(&code, &config.app_name, lifetime, config.public_url.as_deref());
    let (encoding, segments) = segments(&body);
    let now = context.now();
    let random = &*context.ports().random;
    Ok(Outgoing {
        id: MessageId::new(now, random),
        try_id: TryId::new(now, random),
        template,
        locale: LOCALE,
        country: destination.country().to_string(),
        cost_class: cost_class(context, &route, &destination, redirected_to.as_deref()),
        destination,
        redirected_to,
        encoding,
        segments,
        body,
        code,
        lifetime,
        route,
        driver: driver.name(),
    })
}

/// Domestic is what the default calling code names; the receiver decides where the money goes.
fn cost_class(context: &Context, route: &Route, destination: &PhoneNumber, receiver: Option<&str>) -> &'static str {
    let home = context.config().calling_code.map(phone::CallingCode::get);
    let billed = receiver.and_then(|number| PhoneNumber::from_stored(number).ok());
    let code = billed.as_ref().unwrap_or(destination).calling_code();
    match route {
        Route::Drop(_) => "none",
        Route::Send(_) if home == Some(code) => "domestic",
        Route::Send(_) => "international",
    }
}

fn missing(variable: &'static str, detail: &str) -> Issue {
    Issue { variable, stops: Stops::Sending, detail: format!("{variable}: {detail}") }
}
