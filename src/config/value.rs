//! One variable's value: from what a binding delivers (text, boolean, number, list, table)
//! to what the table wants, or a sentence that says what is wrong without telling a secret.

use std::collections::BTreeMap;

use serde_json::Value;

use super::table::{Kind, Variable};
use crate::{
    app::Origin,
    crypto::{KeyRing, WebhookSecret},
    email::{EmailAddress, Mailbox},
    phone::CallingCode,
    secret::Secret,
};

/// A value in the form that its variable wants. It may be a secret, so it has no `Debug`.
#[derive(Clone)]
pub(crate) enum Parsed {
    Text(String),
    Secret(Secret),
    Integer(i64),
    Flag(bool),
    List(Vec<String>),
    Origins(Vec<Origin>),
    KeyRing(KeyRing),
    CallingCode(CallingCode),
    Address(EmailAddress),
    Mailbox(Mailbox),
    WebhookSecret(WebhookSecret),
}

/// Parses what a binding delivered; `Ok(None)` when it is empty, which is the same as unset.
pub(super) fn parse(variable: &Variable, raw: &Value) -> Result<Option<Parsed>, String> {
    let raw = match raw {
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::Null => return Ok(None),
        raw => raw,
    };
    match parse_kind(variable.kind, raw) {
        Some(parsed) => Ok(Some(parsed)),
        None => Err(format!("{} {}: wanted is {}", variable.name, seen(variable, raw), wanted(variable.kind))),
    }
}

/// The value as its kind wants it; `None`: it is of another form.
pub(crate) fn parse_kind(kind: Kind, raw: &Value) -> Option<Parsed> {
    match kind {
        Kind::Flag => flag(raw).map(Parsed::Flag),
        Kind::Integer(min, max) => integer(raw).filter(|number| (min..=max).contains(number)).map(Parsed::Integer),
        Kind::Choice(choices) => {
            let text = scalar(raw)?.to_ascii_lowercase();
            // `DEV_TOOLS = true` means what it says.
            let text = match (text.as_str(), choices.contains(&"on")) {
                ("true", true) => "on".to_owned(),
                ("false", true) => "off".to_owned(),
                _ => text,
            };
            choices.contains(&text.as_str()).then_some(Parsed::Text(text))
        }
        Kind::Choices(choices) => {
            let list = list(raw)?;
            list.iter().all(|item| choices.contains(&item.as_str())).then_some(Parsed::List(list))
        }
        Kind::Origins => {
            let origins: Option<Vec<_>> = list(raw)?.iter().map(|item| Origin::parse(item)).collect();
            Some(Parsed::Origins(origins?))
        }
        Kind::Hostnames => {
            let list = list(raw)?;
            // RFC 1035 §2.3.4.
            let is_label = |label: &str| {
                (1..=63).contains(&label.len())
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            let is_host = |host: &String| host.len() <= 253 && host.split('.').all(is_label);
            list.iter().all(is_host).then_some(Parsed::List(list))
        }
        Kind::KeyRing => KeyRing::parse(&object(raw)?).map(Parsed::KeyRing),
        Kind::CallingCode => CallingCode::parse(&scalar(raw)?).ok().map(Parsed::CallingCode),
        Kind::ServerKey => {
            let text = scalar(raw)?;
            crate::api_key::is_server_key(&text).then(|| Parsed::Secret(Secret::new(text)))
        }
        Kind::Credential => {
            let text = scalar(raw)?;
            (text.chars().count() <= 4096 && !text.contains(['\r', '\0'])).then(|| Parsed::Secret(Secret::new(text)))
        }
        Kind::PrivateKey => {
            let secret = Secret::new(scalar(raw)?);
            crate::crypto::RsaPrivateKey::from_pem(&secret).ok().map(|_| Parsed::Secret(secret))
        }
        Kind::Environment => text(raw, |text| {
            let odd = text != "prod" && ["prod", "production"].contains(&text.to_ascii_lowercase().as_str());
            text.len() <= 32 && !odd && text.bytes().all(|byte| byte.is_ascii_graphic())
        }),
        Kind::Text(max) => text(raw, |text| text.chars().count() <= max && !text.contains(char::is_control)),
        Kind::Origin => scalar(raw).and_then(|text| origin(&text)).map(Parsed::Text),
        Kind::BaseUrl => scalar(raw).and_then(|text| base_url(&text)).map(Parsed::Text),
        Kind::Url => text(raw, is_url),
        Kind::Address => EmailAddress::parse(&scalar(raw)?).ok().map(Parsed::Address),
        Kind::Mailbox => Mailbox::parse(&scalar(raw)?).ok().map(Parsed::Mailbox),
        Kind::WebhookSecret => WebhookSecret::parse(&scalar(raw)?).map(Parsed::WebhookSecret),
        Kind::E164 => text(raw, crate::phone::is_e164_form),
        Kind::Sender => text(raw, is_sender),
        Kind::Sid(prefix) => text(raw, |text| {
            text.strip_prefix(prefix)
                .is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
        }),
    }
}

/// What was there, for the sentence. It may be a secret in the wrong place, and `/health` is public: only what is as
/// short and plain as a flag or a number is shown, of variables that want such a thing.
fn seen(variable: &Variable, raw: &Value) -> String {
    let plain = matches!(variable.kind, Kind::Flag | Kind::Integer(..) | Kind::Choice(_) | Kind::CallingCode);
    match raw {
        Value::Bool(_) | Value::Number(_) if plain => format!("is {raw}"),
        Value::String(text) if plain && text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            format!("is {raw}")
        }
        Value::String(text) => format!("is a text of {} characters", text.chars().count()),
        Value::Array(items) if matches!(variable.kind, Kind::Choices(_)) && items.iter().all(is_word) => {
            format!("is {raw}")
        }
        Value::Array(_) => "is a list".to_owned(),
        Value::Object(_) => "is a table".to_owned(),
        _ => "is of another form".to_owned(),
    }
}

/// A short word of small letters, as a choice is.
fn is_word(item: &Value) -> bool {
    item.as_str()
        .is_some_and(|text| text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

/// What a kind wants, for sentences and for the documents.
pub(crate) fn wanted(kind: Kind) -> String {
    match kind {
        Kind::Environment => "prod, or a word of your own for development (not production)".to_owned(),
        Kind::Text(max) => format!("a text of at most {max} characters"),
        Kind::Credential => "a credential as the carrier shows it".to_owned(),
        Kind::PrivateKey => {
            "an RSA private key in PEM, from -----BEGIN PRIVATE KEY----- on, without a passphrase".to_owned()
        }
        Kind::Flag => "true or false".to_owned(),
        Kind::Integer(min, max) => format!("a whole number from {min} to {max}"),
        Kind::Choice(choices) => format!("one of {}", choices.join(", ")),
        Kind::Choices(choices) => format!("a list of any of {}", choices.join(", ")),
        Kind::Origins => "a list of origins like https://app.example.com (http on this machine only)".to_owned(),
        Kind::Hostnames => "a list of host names like app.example.com".to_owned(),
        Kind::Origin => "an origin like https://login.example.com, without a path".to_owned(),
        Kind::BaseUrl => "an http or https URL (in prod https, or loopback)".to_owned(),
        Kind::Url => "an http or https URL (in prod https and a public name, or loopback)".to_owned(),
        Kind::Address => "an e-mail address like dev@example.com".to_owned(),
        Kind::Mailbox => "login@example.com or Example <login@example.com>".to_owned(),
        Kind::WebhookSecret => "whsec_ and base64 of 24 to 64 bytes".to_owned(),
        Kind::E164 => "a number in E.164 form: + and 7 to 15 digits".to_owned(),
        Kind::Sender => "E.164 (+15005550006), a short code, or up to 11 letters and digits".to_owned(),
        Kind::CallingCode => "a country calling code like +1".to_owned(),
        Kind::Sid(prefix) => format!("{prefix} and 32 hexadecimal digits"),
        Kind::ServerKey => {
            "sk_live_ or sk_test_ and at least 43 random letters, digits, - or _ (`make secrets` makes one)".to_owned()
        }
        Kind::KeyRing => {
            "JSON {\"current\": \"k1\", \"keys\": {\"k1\": \"base64 of 32 bytes\"}} (`make secrets` makes one)"
                .to_owned()
        }
    }
}

fn scalar(raw: &Value) -> Option<String> {
    match raw {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(whole(number).map_or_else(|| number.to_string(), |whole| whole.to_string())),
        _ => None,
    }
}

fn text(raw: &Value, accept: impl Fn(&str) -> bool) -> Option<Parsed> {
    scalar(raw).filter(|text| accept(text)).map(Parsed::Text)
}

fn flag(raw: &Value) -> Option<bool> {
    match scalar(raw)?.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn integer(raw: &Value) -> Option<i64> {
    match raw {
        Value::Number(number) => whole(number),
        raw => scalar(raw)?.parse().ok(),
    }
}

/// A number that is whole. workerd delivers every number as floating point.
#[allow(clippy::cast_possible_truncation)]
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
    })
}

/// A list as a binding brings it: a real one, JSON in a text, Melody Auth's `['otp', 'email']`, or `otp, email`.
fn list(raw: &Value) -> Option<Vec<String>> {
    match raw {
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Value::String(text) => {
            let text = text.trim();
            let inner = match (text.strip_prefix('['), text.strip_suffix(']')) {
                (Some(_), Some(_)) => text.trim_start_matches('[').trim_end_matches(']'),
                (None, None) => text,
                _ => return None,
            };
            let items = inner.split(',').map(|item| item.trim().trim_matches(['\'', '"']).trim().to_owned());
            Some(items.filter(|item| !item.is_empty()).collect())
        }
        _ => None,
    }
}

/// An object as a binding brings it: a table, or JSON in a text.
fn object(raw: &Value) -> Option<BTreeMap<String, Value>> {
    let parsed;
    let raw = match raw {
        Value::String(text) => {
            parsed = serde_json::from_str::<Value>(text).ok()?;
            &parsed
        }
        raw => raw,
    };
    Some(raw.as_object()?.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// An origin: scheme, host, maybe a port, nothing else. A single trailing slash is forgiven.
pub(crate) fn origin(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let uri: http::Uri = text.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme))?;
    let authority = uri.authority()?.as_str();
    (!authority.contains('@')
        && uri.path() == "/"
        && uri.query().is_none()
        && text == format!("{scheme}://{authority}"))
    .then(|| text.to_ascii_lowercase())
}

fn base_url(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    (is_url(text) && !text.contains('?')).then(|| text.to_owned())
}

/// An absolute URL without a password in it.
fn is_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        uri.scheme_str().is_some_and(|scheme| ["http", "https"].contains(&scheme))
            && uri.host().is_some()
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    })
}

/// Whether a URL's host is this machine.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]" | "::1")
}

/// Whether a base URL may be called in `prod`: https, or loopback.
pub(crate) fn is_safe_base(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|uri| uri.scheme_str() == Some("https")) || is_loopback(url)
}

/// Whether a URL's host is this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some_and(is_loopback_host))
}

/// E.164, a short code, or an alphanumeric sender of at most 11 characters.
pub(crate) fn is_sender(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    crate::phone::is_e164_form(text)
        || (digits && (3..=15).contains(&text.len()))
        || (!digits && (1..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_understood_in_every_form_that_bindings_and_seeds_bring() {
        for raw in
            [json!(["otp", "email"]), json!("['otp', 'email']"), json!("[\"otp\",\"email\"]"), json!("otp, email")]
        {
            assert_eq!(list(&raw), Some(vec!["otp".to_owned(), "email".to_owned()]), "{raw}");
        }
        assert_eq!(list(&json!("[]")), Some(vec![]));
        assert_eq!(list(&json!("['otp'")), None);
    }

    #[test]
    fn numbers_and_flags_come_as_text_number_or_boolean() {
        assert_eq!(integer(&json!(5.0)), Some(5));
        assert_eq!(integer(&json!("5")), Some(5));
        assert_eq!(integer(&json!(5.5)), None);
        assert_eq!(flag(&json!(true)), Some(true));
        assert_eq!(flag(&json!("FALSE")), Some(false));
        assert_eq!(flag(&json!("yes")), None);
    }

    #[test]
    fn an_origin_has_no_path_and_no_user() {
        assert_eq!(origin("https://Login.example.com/").as_deref(), Some("https://login.example.com"));
        for bad in ["login.example.com", "https://a@b.c", "https://a.b/c", "ftp://a.b", "https://a.b?x"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }

    #[test]
    fn senders_of_the_seeds_are_accepted() {
        for good in ["+16471231234", "+447700900100", "+15555550100", "12345", "AcmeInc", "447700900100"] {
            assert!(is_sender(good), "{good}");
        }
        for bad in ["Acme Inc", "AcmeIncorporated", "+12", ""] {
            assert!(!is_sender(bad), "{bad}");
        }
    }
}
