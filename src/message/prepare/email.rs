//! An e-mail before it is written down.

use std::time::Duration;

use super::{Content, Driver, DropReason, Outgoing, Refused, Route};
use crate::{
    config::{EmailDriver, Issue, Stops},
    context::Context,
    crypto::Code,
    email::EmailAddress,
    ids::{MessageId, TryId},
    message::{
        Channel, Destination,
        mail::{self, About, Words},
        notice::{self, Change},
        template::LOCALE,
    },
    template::Slug,
    time::Timestamp,
};

/// Whether an address may get an e-mail at all.
pub(super) fn admit(context: &Context) -> Result<(), Refused> {
    if context.settings().email_enabled { Ok(()) } else { Err(Refused::SwitchedOff(Channel::Email)) }
}

/// The whole e-mail.
pub(super) fn prepare(context: &Context, address: EmailAddress, content: Content) -> Result<Outgoing, Refused> {
    let Content { template, code, lifetime, .. } = content;
    let about = match template {
        Slug::EnrolmentCode => About::Enrolment(&code, lifetime),
        _ => About::Verification(&code, lifetime),
    };
    let words = mail::render(about, &context.config().app_name);
    outgoing(context, address, template.as_str(), words, Some(code), lifetime)
}

/// The whole e-mail that tells of a change.
pub(super) fn notice(
    context: &Context,
    address: EmailAddress,
    change: &Change,
    when: Timestamp,
) -> Result<Outgoing, Refused> {
    let words = mail::render(About::Notice(change, when), &context.config().app_name);
    outgoing(context, address, notice::TEMPLATE, words, None, notice::LIFETIME)
}

/// The whole e-mail of an invitation.
pub(super) fn invitation(
    context: &Context,
    address: EmailAddress,
    link: &str,
    expires_at: Timestamp,
) -> Result<Outgoing, Refused> {
    let words = mail::render(About::Invitation(link, expires_at), &context.config().app_name);
    outgoing(context, address, mail::INVITATION, words, None, context.now().until(expires_at))
}

fn outgoing(
    context: &Context,
    address: EmailAddress,
    template: &'static str,
    words: Words,
    code: Option<Code>,
    lifetime: Duration,
) -> Result<Outgoing, Refused> {
    let config = context.config();
    let drivers = context.settings().delivery.email().map_err(Refused::Misconfigured)?;
    let driver = drivers.first().map_or("null", EmailDriver::name);
    let redirected_to = config.email.dev_receiver.as_ref().filter(|_| !config.is_production());
    let route = match drivers.first() {
        _ if context.credential().is_test => Route::Drop(DropReason::TestKey),
        None | Some(EmailDriver::Null) => Route::Drop(DropReason::NullDriver),
        _ if !config.is_production() && redirected_to.is_none() => {
            let detail = "outside prod e-mails go to this mailbox only, and it is missing";
            return Err(Refused::Misconfigured(missing("DEV_EMAIL_RECEIVER", detail)));
        }
        Some(_) => Route::Send(drivers.into_iter().map(Driver::Email).collect()),
    };
    let now = context.now();
    let random = &*context.ports().random;
    Ok(Outgoing {
        id: MessageId::new(now, random),
        try_id: TryId::new(now, random),
        channel: Channel::Email,
        template,
        locale: LOCALE,
        country: None,
        cost_class: "none",
        destination: Destination::Email(address),
        redirected_to: redirected_to.map(|address| address.as_str().to_owned()),
        sms: None,
        subject: Some(words.subject),
        body: words.text,
        html: Some(words.html),
        code,
        lifetime,
        route,
        driver,
    })
}

fn missing(variable: &'static str, detail: &str) -> Issue {
    Issue { variable, stops: Stops::Email, detail: format!("{variable}: {detail}") }
}
