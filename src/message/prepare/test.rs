//! A test message before it is written down: by its route, or by one driver, whatever the templates say.

use std::time::Duration;

use super::{Driver, DropReason, Outgoing, Refused, Route, admit, cost_class, missing};
use crate::{
    config::Issue,
    context::Context,
    fraud::Signs,
    ids::{MessageId, TryId},
    message::{Channel, Destination, mail::lay_out, segments},
    phone,
    settings::{email_by_name, sms_by_name},
    template::locale::language,
};

/// What the row says instead of a template.
pub const TEMPLATE: &str = "test";

/// How long it is worth delivering.
const LIFETIME: Duration = Duration::from_mins(5);

/// What it says, by language; behind the app's name.
const TEXTS: [(&str, &str); 8] = [
    ("en", "This is a test message. It has no code in it."),
    ("es", "Este es un mensaje de prueba. No contiene ningún código."),
    ("fr", "Ceci est un message de test. Il ne contient aucun code."),
    ("de", "Dies ist eine Testnachricht. Sie enthält keinen Code."),
    ("pt", "Esta é uma mensagem de teste. Não contém nenhum código."),
    ("zh", "这是一条测试消息，不含验证码。"),
    ("ja", "これはテストメッセージです。コードは含まれていません。"),
    ("ar", "هذه رسالة اختبار، وليس فيها أي رمز."),
];

/// The whole test message. `driver`: this one is asked and no other.
pub fn test(
    context: &Context,
    destination: Destination,
    driver: Option<&str>,
    locale: Option<&str>,
) -> Result<Outgoing, Refused> {
    let channel = destination.default_channel();
    admit(context, &destination, channel)?;
    let config = context.config();
    let country = destination.country();
    let drivers = drivers(context, &destination, driver).map_err(Refused::Misconfigured)?;
    let name = drivers.first().map_or("null", Driver::name);
    let (receiver, variable) = match &destination {
        Destination::Phone(_) => (config.dev_sms_receiver.clone(), "DEV_SMS_RECEIVER"),
        Destination::Email(_) => {
            (config.email.dev_receiver.as_ref().map(|address| address.as_str().to_owned()), "DEV_EMAIL_RECEIVER")
        }
    };
    let redirected_to = receiver.filter(|_| !config.is_production());
    let is_test = destination.is_test() || redirected_to.as_deref().is_some_and(phone::is_test_number);
    let route = match drivers {
        _ if is_test => Route::Drop(DropReason::TestNumber),
        _ if context.credential().is_test => Route::Drop(DropReason::TestKey),
        _ if name == "null" => Route::Drop(DropReason::NullDriver),
        _ if !config.is_production() && redirected_to.is_none() => {
            let detail = "outside prod messages go to this receiver only, and it is missing";
            return Err(Refused::Misconfigured(missing(variable, detail)));
        }
        drivers => Route::Send(drivers),
    };
    let wanted = locale.map(language).unwrap_or_default();
    let [english, ..] = TEXTS;
    let (locale, text) = TEXTS.into_iter().find(|(known, _)| *known == wanted).unwrap_or(english);
    let body = format!("{}: {text}", config.app_name);
    let is_mail = channel == Channel::Email;
    let (mail, html) = if is_mail { lay_out(locale, &body, &body, None, None) } else { (String::new(), String::new()) };
    let sms = (!is_mail).then(|| segments(&body));
    let signs = match (&country, sms) {
        (Some(country), Some((_, parts))) => Signs::of(context, channel, country, parts, &route),
        _ => Signs::MAIL,
    };
    let random = &*context.ports().random;
    Ok(Outgoing {
        id: MessageId::new(context.now(), random),
        try_id: TryId::new(context.now(), random),
        channel,
        template: TEMPLATE,
        locale: locale.to_owned(),
        cost_class: destination
            .phone()
            .map_or("none", |number| cost_class(context, &route, number, redirected_to.as_deref())),
        country,
        destination,
        redirected_to,
        signs,
        sms,
        from: None,
        subject: is_mail.then(|| body.clone()),
        greeting: None,
        html: is_mail.then_some(html),
        body: if is_mail { mail } else { body },
        code: None,
        lifetime: LIFETIME,
        route,
        driver: name,
        app: None,
    })
}

/// Who is asked.
fn drivers(context: &Context, destination: &Destination, driver: Option<&str>) -> Result<Vec<Driver>, Issue> {
    let delivery = &context.settings().delivery;
    let (stored, config) = (&context.snapshot().stored, context.config());
    match (destination, driver) {
        (Destination::Phone(_), Some(name)) => Ok(vec![Driver::Sms(sms_by_name(name, stored, config)?)]),
        (Destination::Email(_), Some(name)) => Ok(vec![Driver::Email(email_by_name(name, stored, config)?)]),
        (Destination::Phone(number), None) => {
            Ok(delivery.sms(number.country().as_str())?.into_iter().map(Driver::Sms).collect())
        }
        (Destination::Email(_), None) => Ok(delivery.email()?.into_iter().map(Driver::Email).collect()),
    }
}
