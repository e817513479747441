//! The part of the pipeline before anything is written: may this destination get a message, what would it say, where
//! would it go instead, and by which driver. Pure, but for ids. One file per channel.

mod email;
mod sms;
mod test;
mod voice;

use std::time::Duration;

use super::{
    Channel, Destination, Encoding, Status,
    notice::{self, Change},
    speech::Voice,
};
use crate::{
    config::{EmailDriver, Issue, SmsDriver, Stops, VoiceDriver},
    context::Context,
    crypto::Code,
    email::EmailAddress,
    event::EventType,
    fraud::Signs,
    ids::{MessageId, TryId},
    phone::{self, PhoneNumber},
    settings::TestMode,
    template::{Brief, Reader, Slug, Written, write::write},
    time::Timestamp,
};
pub use test::test;
pub use voice::may_be_called;

/// Why no message may go there. Server keys learn it; nothing was counted or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The channel's switch is off: `sms.enabled` is `false`.
    SwitchedOff(Channel),
    /// It is a test number, and `test_mode` refuses them.
    TestNumber,
    /// Its country is not in the list `allowed` of `countries.sms` or `countries.voice`, or is in the list `stopped`.
    Country(Channel, String, &'static str),
    /// `numbers.refused` names its kind.
    Kind(&'static str),
    /// It is a fixed line, which gets no SMS and may be called.
    FixedLine,
    /// A variable is missing or malformed.
    Misconfigured(Issue),
    /// Nothing carries this channel.
    Channel(Channel),
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
    /// Whoever hears `<channel>.queued` delivers it.
    HandOver,
    /// These drivers are asked, in this order, until one takes it; never empty.
    Send(Vec<Driver>),
}

impl Route {
    /// What a message begins as, and why.
    pub fn begins(&self) -> (Status, Option<&'static str>) {
        match self {
            Self::Drop(reason) => (Status::Dropped, Some(reason.as_str())),
            Self::HandOver => (Status::HandedOver, None),
            Self::Send(_) => (Status::Queued, None),
        }
    }

    /// Whether nobody is asked any more: the message is done once it is written down.
    pub fn is_done(&self) -> bool {
        !matches!(self, Self::Send(_))
    }
}

/// What carries a message.
#[derive(Clone)]
pub enum Driver {
    /// An SMS.
    Sms(SmsDriver),
    /// An e-mail.
    Email(EmailDriver),
    /// A call.
    Voice(VoiceDriver, Speaks),
}

impl Driver {
    /// The driver's name, as settings, messages and events have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sms(driver) => driver.name(),
            Self::Email(driver) => driver.name(),
            Self::Voice(driver, _) => driver.name(),
        }
    }

    /// Which credentials it uses, as a keyed fingerprint: a receipt is held against the same ones.
    pub fn credential(&self, context: &Context) -> Option<String> {
        context.settings().delivery.credential(self.name()).map(str::to_owned)
    }
}

/// How a call speaks.
#[derive(Clone, Copy)]
pub struct Speaks {
    /// In which voice.
    pub voice: Voice,
    /// Whether it waits for a key before it tells the code.
    pub gate: bool,
}

/// What is to be said.
pub struct Content {
    /// The text.
    pub template: Slug,
    /// The code in it.
    pub code: Code,
    /// How long the code lives.
    pub lifetime: Duration,
    /// The language asked for.
    pub locale: Option<String>,
    /// Whom it is for, as far as they were read.
    pub reader: Reader,
    /// The app it comes through.
    pub app: Option<String>,
}

/// A message, complete and not yet written down. It holds a code, so it has no `Debug`.
#[derive(Clone)]
pub struct Outgoing {
    /// Its id.
    pub id: MessageId,
    /// The id of its first try.
    pub try_id: TryId,
    /// How it goes.
    pub channel: Channel,
    /// Its template's slug.
    pub template: &'static str,
    /// Its language.
    pub locale: String,
    /// Whom it is meant for.
    pub destination: Destination,
    /// The app it comes through.
    pub app: Option<String>,
    /// Where it goes instead.
    pub redirected_to: Option<String>,
    /// The intended number's country.
    pub country: Option<String>,
    /// `none`, `domestic` or `international`.
    pub cost_class: &'static str,
    /// What the fraud guard goes by.
    pub signs: Signs,
    /// How an SMS is encoded, and how many SMS it costs.
    pub sms: Option<(Encoding, u32)>,
    /// Who sends it, instead of the driver's sender.
    pub from: Option<String>,
    /// An e-mail's subject.
    pub subject: Option<String>,
    /// What a call says first.
    pub greeting: Option<String>,
    /// The text: what an SMS or a mail says, what a call speaks.
    pub body: String,
    /// An e-mail's other part.
    pub html: Option<String>,
    /// The code in it.
    pub code: Option<Code>,
    /// How long it is worth delivering.
    pub lifetime: Duration,
    /// What happens with it.
    pub route: Route,
    /// The name of the driver that is asked first.
    pub driver: &'static str,
}

impl Outgoing {
    /// The same with the drivers that have failed of late behind the others.
    fn in_order(mut self, context: &Context) -> Self {
        if let Route::Send(drivers) = &mut self.route
            && drivers.len() > 1
        {
            let (version, now) = (context.snapshot().version, context.ports().clock.now());
            *drivers = context.circuits().order(self.channel, std::mem::take(drivers), version, now);
            self.driver = drivers.first().map_or(self.driver, Driver::name);
        }
        self
    }

    /// Which credentials the driver uses that is asked first.
    pub fn credential(&self, context: &Context) -> Option<String> {
        match &self.route {
            Route::Send(drivers) => drivers.first().and_then(|driver| driver.credential(context)),
            Route::Drop(_) | Route::HandOver => None,
        }
    }
}

/// Whether a destination may get such a message at all: the switch, test numbers, the country. Its own step, so that
/// a refusal comes before anything is counted.
pub fn admit(context: &Context, destination: &Destination, channel: Channel) -> Result<(), Refused> {
    match (channel, destination) {
        (Channel::Sms, Destination::Phone(number)) => sms::admit(context, number),
        (Channel::Email, Destination::Email(_)) => email::admit(context),
        (Channel::Voice, Destination::Phone(number)) => voice::admit(context, number),
        (channel, _) => Err(Refused::Channel(channel)),
    }
}

/// Whether a number may get an SMS, or a call, at all.
fn admit_number(context: &Context, number: &PhoneNumber, channel: Channel) -> Result<(), Refused> {
    let settings = context.settings();
    let (enabled, stopped, allowed) = if channel == Channel::Voice {
        (settings.voice.enabled, &settings.voice.stopped, &settings.voice.countries)
    } else {
        (settings.sms_enabled, &settings.sms_stopped, &settings.sms_countries)
    };
    if !enabled {
        return Err(Refused::SwitchedOff(channel));
    }
    if number.is_test() {
        return match context.test_mode() {
            TestMode::Rejected => Err(Refused::TestNumber),
            TestMode::Enabled | TestMode::Disabled => Ok(()),
        };
    }
    let (country, kind) = (number.country(), number.kind().as_str());
    for (list, refuses) in [("stopped", stopped.have(country.as_str())), ("allowed", !allowed.have(country.as_str()))] {
        if refuses {
            return Err(Refused::Country(channel, country.to_string(), list));
        }
    }
    if settings.refused_kinds.iter().any(|refused| refused == kind) {
        return Err(Refused::Kind(kind));
    }
    Ok(())
}

/// The whole message: rendered, redirected outside `prod`, with its driver.
pub fn prepare(
    context: &Context,
    destination: Destination,
    channel: Channel,
    content: Content,
) -> Result<Outgoing, Refused> {
    let app = content.app.clone();
    match (channel, destination) {
        (Channel::Sms, Destination::Phone(number)) => sms::prepare(context, number, content),
        (Channel::Email, Destination::Email(address)) => email::prepare(context, address, content),
        (Channel::Voice, Destination::Phone(number)) => voice::prepare(context, number, content),
        (channel, _) => Err(Refused::Channel(channel)),
    }
    .map(|outgoing| Outgoing { app, ..outgoing }.in_order(context))
}

/// The whole notice of a change, by e-mail or SMS.
pub fn notice(
    context: &Context,
    destination: Destination,
    change: &Change,
    when: Timestamp,
    reader: &Reader,
) -> Result<Outgoing, Refused> {
    admit(context, &destination, destination.default_channel())?;
    let locales = locales(context, None, reader, None);
    let brief = Brief {
        locales: &locales,
        name: reader.name.as_deref(),
        change: Some(change),
        when: Some(when),
        ..Brief::default()
    };
    let said = Said { slug: Slug::SecurityNotice, brief, lifetime: notice::LIFETIME };
    match destination {
        Destination::Phone(number) => sms::outgoing(context, number, &said),
        Destination::Email(address) => email::outgoing(context, address, &said),
    }
    .map(|outgoing| outgoing.in_order(context))
}

/// The whole e-mail of an invitation.
pub fn invitation(
    context: &Context,
    address: EmailAddress,
    link: &str,
    expires_at: Timestamp,
    locale: Option<&str>,
    app: Option<&str>,
) -> Result<Outgoing, Refused> {
    email::admit(context)?;
    let nobody = Reader::default();
    let locales = locales(context, locale, &nobody, app);
    let brief = Brief { locales: &locales, link: Some(link), when: Some(expires_at), ..Brief::default() };
    let said = Said { slug: Slug::Invitation, brief, lifetime: context.now().until(expires_at) };
    let app = app.map(str::to_owned);
    email::outgoing(context, address, &said).map(|outgoing| Outgoing { app, ..outgoing }.in_order(context))
}

/// What a message says.
struct Said<'a> {
    slug: Slug,
    brief: Brief<'a>,
    /// How long it is worth delivering.
    lifetime: Duration,
}

impl Content {
    fn with<T>(&self, context: &Context, then: impl FnOnce(&Said<'_>) -> T) -> T {
        let locales = locales(context, self.locale.as_deref(), &self.reader, self.app.as_deref());
        let brief = Brief {
            locales: &locales,
            code: Some(&self.code),
            lifetime: self.lifetime,
            name: self.reader.name.as_deref(),
            ..Brief::default()
        };
        then(&Said { slug: self.template, brief, lifetime: self.lifetime })
    }
}

impl Said<'_> {
    fn write(&self, context: &Context, channel: Channel) -> Written {
        write(context.config(), &context.snapshot().templates, channel, self.slug, &self.brief)
    }

    /// Who sends it instead of the driver's sender.
    fn from(&self, context: &Context, channel: Channel) -> Option<String> {
        context.snapshot().templates.from_number_override(channel, self.slug).map(str::to_owned)
    }
}

/// The languages of a message, the dearest first: what was asked for, the user's, the app's, the instance's.
fn locales<'a>(context: &'a Context, asked: Option<&'a str>, reader: &'a Reader, app: Option<&str>) -> Vec<&'a str> {
    let of_app = app.and_then(|app| context.snapshot().app_locales.get(app)).map(String::as_str);
    let of_instance = context.settings().message_locale.as_deref();
    [asked, reader.locale.as_deref(), of_app, of_instance].into_iter().flatten().collect()
}

/// What is known of where a message may go, before its route is decided.
struct Way {
    channel: Channel,
    slug: Slug,
    /// It goes to a test number.
    is_test: bool,
    /// Where it would have to be redirected to, which is not set: the variable, and what it is for.
    missing: Option<(&'static str, Stops, &'static str)>,
}

/// Decides the route, and names the driver that is asked first. `first` is that driver's name, `send` gives all of them.
fn route(
    context: &Context,
    way: &Way,
    first: Result<&'static str, Issue>,
    send: impl FnOnce() -> Result<Vec<Driver>, Refused>,
) -> Result<(Route, &'static str), Refused> {
    let Way { channel, slug, is_test, missing } = *way;
    let by_us = context.snapshot().templates.delivered_by_us(channel, slug);
    // What others deliver needs no driver.
    let name = if by_us { first.map_err(Refused::Misconfigured)? } else { "null" };
    let route = match missing {
        _ if is_test => Route::Drop(DropReason::TestNumber),
        _ if context.credential().is_test => Route::Drop(DropReason::TestKey),
        _ if by_us && name == "null" => Route::Drop(DropReason::NullDriver),
        Some((variable, stops, detail)) => {
            return Err(Refused::Misconfigured(Issue { variable, stops, detail: format!("{variable}: {detail}") }));
        }
        None if by_us => Route::Send(send()?),
        None => hand_over(context, channel, slug)?,
    };
    Ok((route, name))
}

/// Somebody has to hear of what others deliver, and has asked for it by name: it has the code.
fn hand_over(context: &Context, channel: Channel, slug: Slug) -> Result<Route, Refused> {
    let queued = EventType::of_message(channel, Status::HandedOver);
    if context.snapshot().heard.hears_by_name(queued) {
        return Ok(Route::HandOver);
    }
    let stops = if channel == Channel::Email { Stops::Email } else { Stops::Sending };
    let (template, event) = (slug.as_str(), queued.as_str());
    let detail = format!(
        "delivered_by_us: the template {template} leaves its messages to whoever hears {event}, and no enabled webhook endpoint \
         names it in its events: add one, or set delivered_by_us to true"
    );
    Err(Refused::Misconfigured(Issue { variable: "delivered_by_us", stops, detail }))
}

/// Domestic is what the default calling code names; the receiver decides where the money goes.
fn cost_class(context: &Context, route: &Route, number: &PhoneNumber, receiver: Option<&str>) -> &'static str {
    let billed = receiver.and_then(|number| PhoneNumber::from_stored(number).ok());
    match route {
        Route::Drop(_) | Route::HandOver => "none",
        Route::Send(_) => price(context, billed.as_ref().unwrap_or(number)),
    }
}

/// What a message to a number costs: as much as at home, or more.
pub fn price(context: &Context, number: &PhoneNumber) -> &'static str {
    let home = context.config().calling_code.map(phone::CallingCode::get);
    if home == Some(number.calling_code()) { "domestic" } else { "international" }
}

fn missing(variable: &'static str, detail: &str) -> Issue {
    Issue { variable, stops: Stops::Sending, detail: format!("{variable}: {detail}") }
}
