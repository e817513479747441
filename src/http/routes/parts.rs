//! Fields that several routes take, and how they are read.

use crate::{
    challenge::Given,
    context::{Client, Context},
    crypto::{Code as OneTimeCode, RecoveryCode},
    email::EmailAddress,
    http::{
        Call, Problem,
        input::wrong,
        problem::{email_problem, phone_problem},
    },
    message::{Channel, Destination},
    phone::PhoneNumber,
    schema::{Field, Form, Shape, field},
    webauthn::{AssertionResponse, RegistrationResponse},
};

/// How a code goes.
pub(super) const CHANNEL: Field = field(
    "channel",
    Shape::OneOf(&Channel::NAMES),
    "How the code goes; `voice` calls; default: `sms` to a phone, `email` to an address",
)
.example(r#""sms""#);
/// The language of the message.
pub(super) const LOCALE: Field =
    field("locale", Shape::Text(35), "The person's language (BCP 47); else the user's, the app's, the instance's. There are texts in en, es, fr, de, pt, zh, ja and ar, and in what you add to the templates").example(r#""en-US""#);
/// On whose behalf.
pub(super) const CLIENT: Field = field(
    "client",
    Shape::Object(&[
        field("ip", Shape::Text(45), "The person's address").example(r#""203.0.113.7""#),
        field("user_agent", Shape::Text(512), "The person's browser or app"),
        field(
            "country",
            Shape::Text(2),
            "The country that they are in, ISO 3166-1 alpha-2, as Cloudflare's `cf.country` has it: `XX` is not known, `T1` is Tor",
        )
        .example(r#""GB""#),
        field("asn", Shape::Integer(1, 4_294_967_295), "The number of their network operator, as Cloudflare's `cf.asn` has it")
            .example("64500"),
    ]),
    "Who is behind your server, for audit events, limits and the fraud guard",
);
/// A typed address.
pub(super) const EMAIL: Field =
    field("email", Shape::Text(254), "An e-mail address as people type it").example(r#""ana@example.com""#);
/// A typed number.
pub(super) const PHONE: Field =
    field("phone", Shape::Text(64), "A number as people type it; without a calling code `SMS_COUNTRY_CODE` is taken")
        .example(r#""+14155552671""#);

/// The context on behalf of the person that the call names.
pub(super) fn on_behalf(call: &Call) -> Result<Context, Problem> {
    let ip = match call.form.text("client.ip") {
        Some(text) => match text.parse::<std::net::IpAddr>() {
            Ok(ip) => Some(ip.to_string()),
            Err(_) => return Err(wrong("client.ip", "an IPv4 or IPv6 address is wanted")),
        },
        None => None,
    };
    let country = match call.form.text("client.country").map(str::to_ascii_uppercase) {
        Some(code) if !is_country(&code) => {
            return Err(wrong("client.country", "a country's code of two letters like GB is wanted, or XX or T1"));
        }
        country => country,
    };
    let user_agent = call.form.text("client.user_agent").map(str::to_owned);
    let asn = call.form.integer("client.asn");
    Ok(call.context.for_client(Client { ip, user_agent, country, asn }))
}

/// Whether a code may be a country, or is Cloudflare's for what is none. No list is asked: people are in places that have no
/// phone numbers of their own, and Cloudflare's list is newer than ours.
fn is_country(code: &str) -> bool {
    code == "T1" || (code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// A typed number, held against the settings.
pub(super) fn number(context: &Context, field: &str, typed: &str) -> Result<PhoneNumber, Problem> {
    PhoneNumber::parse(typed, context.config().calling_code, context.settings().validation)
        .map_err(|error| phone_problem(field, error))
}

/// A typed address.
pub(super) fn address(field: &str, typed: &str) -> Result<EmailAddress, Problem> {
    EmailAddress::parse(typed).map_err(|error| email_problem(field, error))
}

/// What stands in `phone` or in `email` of an object: one of the two.
pub(super) fn destination(context: &Context, form: &Form, object: &str) -> Result<Option<Destination>, Problem> {
    let path = |name: &str| format!("{object}.{name}");
    match (form.text(&path("phone")), form.text(&path("email"))) {
        (Some(_), Some(_)) => Err(wrong(object, "a phone or an e-mail address is wanted, not both")),
        (Some(typed), None) => Ok(Some(Destination::Phone(number(context, &path("phone"), typed)?))),
        (None, Some(typed)) => Ok(Some(Destination::Email(address(&path("email"), typed)?))),
        (None, None) if form.node(object).is_some() => Err(wrong(object, "a phone or an e-mail address is wanted")),
        (None, None) => Ok(None),
    }
}

/// What somebody looks for: an address has an `@`, a number has none.
pub(super) fn found_by(context: &Context, field: &str, typed: &str) -> Result<Destination, Problem> {
    if typed.contains('@') {
        return Ok(Destination::Email(address(field, typed)?));
    }
    Ok(Destination::Phone(number(context, field, typed)?))
}

/// The language asked for, by form.
pub(super) fn locale(form: &Form) -> Result<Option<String>, Problem> {
    form.text("locale")
        .map(|text| {
            let good = text
                .split(['-', '_'])
                .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
            if good { Ok(text.to_owned()) } else { Err(wrong("locale", "a language tag like en-US is wanted")) }
        })
        .transpose()
}

/// How the code goes.
pub(super) fn channel(form: &Form) -> Option<Channel> {
    form.text("channel").and_then(Channel::parse)
}

/// What a passkey gave.
pub(super) const CREDENTIAL: Field = field(
    "credential",
    Shape::Anything,
    "Instead of a code: what the passkey gave, as the browser's `credential.toJSON()` writes it",
);

/// What the person gives as an answer.
pub(super) fn given(form: &Form) -> Result<Given, Problem> {
    let code = match (form.text("code"), form.node("credential")) {
        (Some(code), None) => code,
        (None, Some(credential)) => {
            let credential = credential.to_value();
            let has = |field: &str| credential.pointer(field).is_some();
            let read = if has("/response/attestationObject") {
                RegistrationResponse::from_json(&credential).map(|_| ())
            } else {
                AssertionResponse::from_json(&credential).map(|_| ())
            };
            return match read {
                Ok(()) => Ok(Given::Credential(credential)),
                Err(step) => Err(wrong("credential", step.to_string())),
            };
        }
        (Some(_), Some(_)) => return Err(wrong("credential", "a code or a credential is wanted, not both")),
        (None, None) => return Err(wrong("code", "a code is wanted, or a passkey's credential")),
    };
    let digits = OneTimeCode::parse(code).map(Given::Digits);
    digits
        .or_else(|| RecoveryCode::parse(code).map(Given::Recovery))
        .ok_or_else(|| wrong("code", "4 to 10 digits, or the 16 characters of a recovery code, are wanted"))
}
