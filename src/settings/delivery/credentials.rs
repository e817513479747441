//! Credentials of the settings: sealed before they are stored, out of every answer and event, kept a day after they were
//! replaced where carriers sign with them, sealed anew under a new key.

use serde_json::{Map, Value, json};

use super::{
    super::at,
    carrier::{CARRIERS, Entry, place},
    keys::{REPLACED, TWILIO_TOKEN, VONAGE_SECRET},
};
use crate::{
    config::{Config, parse_kind, wanted},
    crypto::{OpenError, Seal},
    ports::Random,
    schema::{FieldCode, FieldError},
    time::Timestamp,
};

/// How long what a carrier signed with a replaced credential is still believed.
const OVERLAP: std::time::Duration = std::time::Duration::from_hours(24);

/// How many replaced credentials are kept.
const MOST_REPLACED: usize = 8;

/// What `PATCH` says with a word of its own: `null` as a driver is the driver that sends nothing.
pub fn name_null_drivers(change: &mut Value) {
    for channel in ["sms", "voice", "email"] {
        if let Some(driver) = change.get_mut(channel).and_then(|block| block.get_mut("driver"))
            && driver.is_null()
        {
            *driver = Value::from("null");
        }
    }
}

/// What is wrong with the values that a change brings for carriers, each by itself.
pub fn check_values(change: &Value, config: &Config) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut check = |path: &str, variable: &Entry| {
        let Some((raw, row)) = set(change, path).zip(variable.row()) else { return };
        let parsed = parse_kind(row.kind, raw).filter(|_| !raw.as_str().is_some_and(|text| text.trim().is_empty()));
        let detail = match &parsed {
            None => format!("{} is wanted", wanted(row.kind)),
            // Whoever may change settings may not have this instance call what only its network reaches.
            Some(parsed) => match variable.url_fault(parsed, config) {
                Some(fault) => fault.to_owned(),
                None => return,
            },
        };
        errors.push(FieldError::new(path, FieldCode::Value, detail));
    };
    for entry in entries() {
        check(entry.setting, entry);
    }
    for entry in &[
        Entry { setting: "sms.from_number", variable: "TWILIO_SENDER_NUMBER" },
        Entry { setting: "email.from", variable: "EMAIL_FROM" },
    ] {
        check(entry.setting, entry);
    }
    for channel in ["sms", "voice", "email"] {
        let routes = set(change, &format!("{channel}.routes")).and_then(Value::as_array);
        for (position, route) in routes.into_iter().flatten().enumerate() {
            let names = |field: &str| {
                route.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
            };
            let is_country = |name: &str| name == "*" || crate::phone::is_known_country(name);
            if !names("countries").all(is_country) {
                let detail = "ISO 3166-1 alpha-2 codes like US, or * for all, are wanted";
                errors.push(FieldError::new(
                    format!("{channel}.routes.{position}.countries"),
                    FieldCode::Value,
                    detail,
                ));
            }
            let is_twice = |(at, name): (usize, &str)| names("drivers").take(at).any(|before| before == name);
            let detail = match names("drivers").next() {
                None => "at least one driver is wanted",
                Some(_) if names("drivers").enumerate().any(is_twice) => "each driver is wanted once",
                Some(_) => continue,
            };
            errors.push(FieldError::new(format!("{channel}.routes.{position}.drivers"), FieldCode::Value, detail));
        }
    }
    errors
}

/// Seals the credentials that a change brings. `false`: the ring cannot.
pub fn seal_credentials(change: &mut Value, seal: Seal<'_>, random: &dyn Random) -> bool {
    let mut sealed = true;
    for entry in entries().filter(|entry| entry.is_credential()) {
        let Some(text) = set(change, entry.setting).and_then(Value::as_str) else { continue };
        match (seal.seal(place(entry.setting), text.trim().as_bytes(), random), slot(change, entry.setting)) {
            (Some(value), Some(slot)) => *slot = Value::from(value),
            _ => sealed = false,
        }
    }
    sealed
}

/// Keeps what a change is about to replace, for as long as reports of it may come. What is cleared is forgotten, with
/// those before it: whoever clears a credential does not trust it any more.
pub fn keep_replaced(stored: &mut Value, change: &Value, now: Timestamp) {
    let mut kept: Vec<Value> = at(stored, REPLACED).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |old: &Value, name: &str| old.get(name).and_then(Value::as_str).map(str::to_owned);
    kept.retain(|old| text(old, "until").and_then(|until| Timestamp::parse(&until)).is_some_and(|until| until > now));
    for setting in [TWILIO_TOKEN, VONAGE_SECRET] {
        let old = at(stored, setting).and_then(Value::as_str);
        match (old, set(change, setting).is_some(), is_cleared(change, setting)) {
            (Some(sealed), true, _) => {
                kept.push(json!({"setting": setting, "sealed": sealed, "until": (now + OVERLAP).to_string()}));
            }
            (_, _, true) => kept.retain(|old| text(old, "setting").as_deref() != Some(setting)),
            _ => {}
        }
    }
    let surplus = kept.len().saturating_sub(MOST_REPLACED);
    kept.drain(..surplus);
    if let Some(stored) = stored.as_object_mut() {
        if kept.is_empty() {
            drop(stored.remove(REPLACED));
        } else {
            drop(stored.insert(REPLACED.to_owned(), Value::from(kept)));
        }
    }
}

/// Takes emptied blocks out: they would stand for a carrier without anything.
pub fn prune(stored: &mut Value) {
    for channel in ["sms", "voice", "email"] {
        if let Some(block) = stored.get_mut(channel).and_then(Value::as_object_mut) {
            block.retain(|_, value| !value.as_object().is_some_and(Map::is_empty));
        }
    }
}

/// What is stored or changed, without credentials: `auth_token_set` says whether there is one.
pub fn redact(value: &Value) -> Value {
    let mut shown = value.clone();
    if let Some(shown) = shown.as_object_mut() {
        shown.remove(REPLACED);
    }
    for entry in entries().filter(|entry| entry.is_credential()) {
        let Some((path, name)) = entry.setting.rsplit_once('.') else { continue };
        if let Some(block) = slot(&mut shown, path).and_then(Value::as_object_mut)
            && let Some(credential) = block.remove(name)
        {
            let is_set = credential.as_str().is_some_and(|text| text != "inherit");
            block.insert(format!("{name}_set"), Value::from(is_set));
        }
    }
    shown
}

/// What the event of a change tells: that a URL was changed, and not to what, since it may have a token in it; and that others
/// are told of alerts, and not who.
pub fn told(change: &Value) -> Value {
    let mut told = redact(change);
    let urls = entries().filter(|entry| entry.name() == "url").filter_map(|entry| entry.setting.rsplit_once('.'));
    for (path, name) in urls.chain([("alerts", "emails")]) {
        if let Some(block) = slot(&mut told, path).and_then(Value::as_object_mut)
            && block.remove(name).is_some()
        {
            block.insert(format!("{name}_changed"), Value::Bool(true));
        }
    }
    told
}

/// Seals anew what is under an old key: how many, or `None` for one that does not open.
pub fn reseal(stored: &mut Value, seal: Seal<'_>, random: &dyn Random) -> (usize, usize) {
    let (mut done, mut failed) = (0, 0);
    let mut count = |result: Result<bool, OpenError>| match result {
        Ok(true) => done += 1,
        Ok(false) => {}
        Err(_) => failed += 1,
    };
    let anew = |setting: &str, slot: &mut Value| -> Result<bool, OpenError> {
        let Some(text) = slot.as_str().filter(|text| seal.needs_reseal(text)) else { return Ok(false) };
        *slot = Value::from(seal.reseal(place(setting), text, random)?);
        Ok(true)
    };
    for entry in entries().filter(|entry| entry.is_credential()) {
        if let Some(slot) = slot(stored, entry.setting) {
            count(anew(entry.setting, slot));
        }
    }
    for old in stored.get_mut(REPLACED).and_then(Value::as_array_mut).into_iter().flatten() {
        let setting = old.get("setting").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(slot) = old.get_mut("sealed") {
            count(anew(&setting, slot));
        }
    }
    (done, failed)
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    CARRIERS.iter().flat_map(|carrier| carrier.entries)
}

/// What a change sets there: neither `null` nor `"inherit"`.
pub(super) fn set<'a>(change: &'a Value, path: &str) -> Option<&'a Value> {
    at(change, path).filter(|value| !value.is_null() && value.as_str() != Some("inherit"))
}

/// Whether a change takes away what stands there, or what it stands in.
fn is_cleared(change: &Value, path: &str) -> bool {
    let mut value = change;
    for name in path.split('.') {
        match value.get(name) {
            None => return false,
            Some(Value::Null) => return true,
            Some(Value::String(text)) if text == "inherit" => return true,
            Some(inner) => value = inner,
        }
    }
    false
}

fn slot<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.').try_fold(value, |value, name| value.get_mut(name))
}
