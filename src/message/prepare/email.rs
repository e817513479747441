//! An e-mail before it is written down.

use super::{Content, Driver, Outgoing, Refused, Said, Way, route};
use crate::{
    config::{EmailDriver, Stops},
    context::Context,
    email::EmailAddress,
    fraud::Signs,
    ids::{MessageId, TryId},
    message::{Channel, Destination},
};

/// Whether an address may get an e-mail at all.
pub(super) fn admit(context: &Context) -> Result<(), Refused> {
    if context.settings().email_enabled { Ok(()) } else { Err(Refused::SwitchedOff(Channel::Email)) }
}

/// The whole e-mail of a code.
pub(super) fn prepare(context: &Context, address: EmailAddress, content: Content) -> Result<Outgoing, Refused> {
    let outgoing = content.with(context, |said| outgoing(context, address, said))?;
    Ok(Outgoing { code: Some(content.code), ..outgoing })
}

/// The whole e-mail.
pub(super) fn outgoing(context: &Context, address: EmailAddress, said: &Said<'_>) -> Result<Outgoing, Refused> {
    let config = context.config();
    let drivers = context.settings().delivery.email();
    let redirected_to = config.email.dev_receiver.as_ref().filter(|_| !config.is_production());
    let detail = "outside prod e-mails go to this mailbox only, and it is missing";
    let missing =
        (!config.is_production() && redirected_to.is_none()).then_some(("DEV_EMAIL_RECEIVER", Stops::Email, detail));
    let way = Way { channel: Channel::Email, slug: said.slug, is_test: false, missing };
    let first = match &drivers {
        Ok(drivers) => Ok(drivers.first().map_or("null", EmailDriver::name)),
        Err(issue) => Err(issue.clone()),
    };
    let send = || Ok(drivers.unwrap_or_default().into_iter().map(Driver::Email).collect());
    let (route, driver) = route(context, &way, first, send)?;
    let words = said.write(context, Channel::Email);
    let now = context.now();
    let random = &*context.ports().random;
    Ok(Outgoing {
        id: MessageId::new(now, random),
        try_id: TryId::new(now, random),
        channel: Channel::Email,
        template: said.slug.as_str(),
        locale: words.locale,
        country: None,
        cost_class: "none",
        destination: Destination::Email(address),
        redirected_to: redirected_to.map(|address| address.as_str().to_owned()),
        signs: Signs::MAIL,
        sms: None,
        from: None,
        subject: words.subject,
        greeting: None,
        body: words.body,
        html: words.html,
        code: None,
        lifetime: said.lifetime,
        route,
        driver,
        app: None,
    })
}
