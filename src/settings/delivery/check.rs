//! Whether what a change sets is complete: a driver that is named, a block that is given, a route's drivers. Taking away
//! always works; then sending stops, and says which setting is missing.

use serde_json::Value;

use super::{
    super::at,
    carrier::CARRIERS,
    credentials::set,
    drivers::{Drivers, Wanted},
};
use crate::{
    config::{Config, Issue, Stops},
    schema::{FieldCode, FieldError},
};

/// What is missing in what will be stored, of that which the change sets.
pub fn check_complete(stored: &Value, change: &Value, config: &Config) -> Vec<FieldError> {
    let drivers = Drivers::new(stored, config);
    let mut errors: Vec<FieldError> = Vec::new();
    let mut report = |trigger: &str, issue: Issue| {
        let field = field(&issue, trigger);
        if !errors.iter().any(|error| error.field == field) {
            errors.push(FieldError::new(field, FieldCode::Missing, issue.detail));
        }
    };
    for (channel, build) in [
        ("sms", &(|wanted: Wanted<'_>| drivers.sms(wanted).err()) as &dyn Fn(Wanted<'_>) -> Option<Issue>),
        ("voice", &|wanted| drivers.voice(wanted).err()),
        ("email", &|wanted| drivers.email(wanted).err()),
    ] {
        let path = |name: &str| format!("{channel}.{name}");
        let own = at(stored, &path("driver")).and_then(Value::as_str);
        let mut names: Vec<(&str, String)> = Vec::new();
        if let Some(name) = set(change, &path("driver")).and_then(Value::as_str) {
            names.push((name, path("driver")));
        }
        names.extend(in_routes(set(change, &path("routes"))).map(|name| (name, path("routes"))));
        // What is in use and is given anew has to work afterwards.
        for carrier in CARRIERS.iter().filter(|carrier| gives(change, carrier.path)) {
            let name = carrier.path.rsplit('.').next().unwrap_or_default();
            let in_use = own.into_iter().chain(in_routes(at(stored, &path("routes"))));
            let is_here = carrier.path.starts_with(channel)
                || (channel == "voice" && own.is_some() && carrier.path.starts_with("sms"));
            names.extend(
                in_use.filter(|used| is_here && used.starts_with(name)).map(|used| (used, carrier.path.to_owned())),
            );
        }
        for (name, by) in names {
            if let Some(issue) = build(Wanted { name, own: own == Some(name), by: &by }) {
                report(&by, issue);
            }
        }
    }
    // A block that nothing uses yet has to be an account all the same.
    if gives(change, "sms.twilio")
        && let Err(name) = drivers.twilio(None).account()
    {
        report("sms.twilio", drivers.twilio.lacks(name, Stops::Sending, "an account is wanted"));
    }
    if gives(change, "sms.vonage") {
        let vonage = drivers.vonage(None);
        let texts = vonage.api_key.is_some() && (vonage.api_secret.is_some() || vonage.signature_secret.is_some());
        let calls = vonage.application_id.is_some() && vonage.private_key.is_some();
        if !texts && !calls {
            let name = match (&vonage.api_key, &vonage.application_id) {
                (None, Some(_)) => "private_key",
                (None, None) => "api_key",
                (Some(_), _) => "api_secret",
            };
            report("sms.vonage", drivers.vonage.lacks(name, Stops::Sending, "an account is wanted"));
        }
    }
    for (path, block) in [("sms.webhook", drivers.webhook), ("email.webhook", drivers.email_webhook)] {
        let missing = ["url", "secret"].into_iter().find(|name| !block.has(name));
        if gives(change, path)
            && let Some(name) = missing
        {
            report(path, block.lacks(name, Stops::Sending, "a webhook needs both"));
        }
    }
    errors
}

/// Whether a change gives something of a block.
fn gives(change: &Value, path: &str) -> bool {
    let block = at(change, path).and_then(Value::as_object);
    block.is_some_and(|block| block.values().any(|value| !value.is_null() && value.as_str() != Some("inherit")))
}

/// The drivers that routes name.
fn in_routes(routes: Option<&Value>) -> impl Iterator<Item = &str> {
    let routes = routes.and_then(Value::as_array).into_iter().flatten();
    routes.filter_map(|route| route.get("drivers")?.as_array()).flatten().filter_map(Value::as_str)
}

/// The field that an issue is about: a setting, or the one that stands for the variable.
fn field(issue: &Issue, trigger: &str) -> String {
    let by_variable = || {
        let mut entries = CARRIERS.iter().flat_map(|carrier| carrier.entries);
        entries.find(|entry| entry.variable == issue.variable).map(|entry| entry.setting)
    };
    match issue.variable {
        setting if setting.contains('.') => setting.to_owned(),
        "EMAIL_FROM" => "email.from".to_owned(),
        _ => by_variable().unwrap_or(trigger).to_owned(),
    }
}
