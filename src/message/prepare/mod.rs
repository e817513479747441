//! The part of the pipeline before anything is written: may this destination get a message, what would it say, where
//! would it go instead, and by which driver. Pure, but for ids. One file per channel.

mod email;
mod sms;
mod voice;

use std::time::Duration;

use super::{Channel, Destination, Encoding, notice::Change, speech::Voice};
use crate::{
    config::{EmailDriver, Issue, SmsDriver, Stops, VoiceDriver},
    context::Context,
    crypto::Code,
    email::EmailAddress,
    ids::{MessageId, TryId},
    phone::{self, PhoneNumber},
    template::Slug,
    time::Timestamp,
};
pub use voice::may_be_called;

/// Why no message may go there. Server keys learn it; nothing was counted or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The channel's switch is off: `sms.enabled` is `false`.
    SwitchedOff(Channel),
    /// It is a test number, and `test_mode` refuses them.
    TestNumber,
    /// Its country is not in `countries.sms.allowed`, or `countries.voice.allowed`.
    Country(Channel, String),
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
    /// These drivers are asked, in this order, until one takes it; never empty.
    Send(Vec<Driver>),
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
    /// What the code is for.
    pub template: Slug,
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
    pub locale: &'static str,
    /// Whom it is meant for.
    pub destination: Destination,
    /// Where it goes instead.
    pub redirected_to: Option<String>,
    /// The intended number's country.
    pub country: Option<String>,
    /// `none`, `domestic` or `international`.
    pub cost_class: &'static str,
    /// How an SMS is encoded, and how many SMS it costs.
    pub sms: Option<(Encoding, u32)>,
    /// An e-mail's subject.
    pub subject: Option<String>,
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
            Route::Drop(_) => None,
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

/// The whole message: rendered, redirected outside `prod`, with its driver.
pub fn prepare(
    context: &Context,
    destination: Destination,
    channel: Channel,
    content: Content,
) -> Result<Outgoing, Refused> {
    match (channel, destination) {
        (Channel::Sms, Destination::Phone(number)) => sms::prepare(context, number, content),
        (Channel::Email, Destination::Email(address)) => email::prepare(context, address, content),
        (Channel::Voice, Destination::Phone(number)) => voice::prepare(context, number, content),
        (channel, _) => Err(Refused::Channel(channel)),
    }
    .map(|outgoing| outgoing.in_order(context))
}

/// The whole notice of a change, by e-mail or SMS.
pub fn notice(
    context: &Context,
    destination: Destination,
    change: &Change,
    when: Timestamp,
) -> Result<Outgoing, Refused> {
    admit(context, &destination, destination.default_channel())?;
    match destination {
        Destination::Phone(number) => sms::notice(context, number, change),
        Destination::Email(address) => email::notice(context, address, change, when),
    }
    .map(|outgoing| outgoing.in_order(context))
}

/// The whole e-mail of an invitation.
pub fn invitation(
    context: &Context,
    address: EmailAddress,
    link: &str,
    expires_at: Timestamp,
) -> Result<Outgoing, Refused> {
    email::admit(context)?;
    email::invitation(context, address, link, expires_at).map(|outgoing| outgoing.in_order(context))
}

/// Domestic is what the default calling code names; the receiver decides where the money goes.
fn cost_class(context: &Context, route: &Route, number: &PhoneNumber, receiver: Option<&str>) -> &'static str {
    let home = context.config().calling_code.map(phone::CallingCode::get);
    let billed = receiver.and_then(|number| PhoneNumber::from_stored(number).ok());
    let code = billed.as_ref().unwrap_or(number).calling_code();
    match route {
        Route::Drop(_) => "none",
        Route::Send(_) if home == Some(code) => "domestic",
        Route::Send(_) => "international",
    }
}

fn missing(variable: &'static str, detail: &str) -> Issue {
    Issue { variable, stops: Stops::Sending, detail: format!("{variable}: {detail}") }
}
