//! Vonage's Voice API, version 1: one JSON POST with a JWT that the application's key signs (RS256), and an NCCO in
//! it and in what our callback answers. The code is never in the request while the gate is on.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Answer, Class, Outcome, Why, by_http_status,
    call::{Call, KEY_WAIT, LONGEST, Opening, Progress, RING},
    no_answer,
    vonage::Settings,
};
use crate::{
    crypto::RsaPrivateKey,
    message::speech::{Part, Script, escape_xml},
    phone::is_e164_form,
    ports::OutgoingRequest,
};

/// Vonage for calls, with all it needs.
#[derive(Clone)]
pub struct VonageVoice {
    application_id: String,
    private_key: RsaPrivateKey,
    from_number: String,
    api_base: String,
}

/// How long a token works, in seconds: for one request.
const TOKEN_LIFETIME: i64 = 60;

impl VonageVoice {
    /// Checks that the settings are complete for calls: Vonage, or the setting that is missing. Who calls is a number in
    /// E.164: a name cannot.
    pub fn new(settings: Settings) -> Result<Self, &'static str> {
        Ok(Self {
            application_id: settings.application_id.ok_or("application_id")?,
            private_key: settings.private_key.ok_or("private_key")?,
            from_number: settings.from_number.filter(|number| is_e164_form(number)).ok_or("from_number")?,
            api_base: settings.api_base.ok_or("api_base")?,
        })
    }

    /// The number that calls.
    pub fn from_number(&self) -> &str {
        &self.from_number
    }

    /// The application's private key, for the port that signs.
    pub fn private_key(&self) -> &RsaPrivateKey {
        &self.private_key
    }

    /// What has to be signed (RFC 7515 §5.1). `jti` is fresh for each request.
    pub fn signing_input(&self, unix_seconds: i64, jti: &str) -> String {
        let claims = json!({"application_id": self.application_id, "iat": unix_seconds,
            "exp": unix_seconds + TOKEN_LIFETIME, "jti": jti});
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", encode(json!({"alg": "RS256", "typ": "JWT"})), encode(claims))
    }

    /// The request that makes a call, with what was signed and its signature.
    pub fn request(&self, call: &Call<'_>, signing_input: &str, signature: &[u8]) -> OutgoingRequest {
        let ncco = match &call.opening {
            Opening::Gate { greeting, nobody, next } => gate(greeting, nobody, next),
            Opening::Code(script) => ncco(script),
        };
        let mut body = json!({
            "to": [{"type": "phone", "number": call.to.trim_start_matches('+')}],
            "from": {"type": "phone", "number": call.from.unwrap_or(&self.from_number).trim_start_matches('+')},
            "ncco": ncco,
            "ringing_timer": RING.as_secs(),
            "length_timer": LONGEST.as_secs(),
        });
        if let (Some(url), Some(body)) = (call.events, body.as_object_mut()) {
            body.insert("event_url".to_owned(), json!([url]));
            body.insert("event_method".to_owned(), json!("POST"));
        }
        OutgoingRequest {
            method: "POST",
            url: format!("{}/v1/calls", self.api_base),
            headers: vec![
                ("authorization", format!("Bearer {signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))),
                ("content-type", "application/json".to_owned()),
                ("accept", "application/json".to_owned()),
            ],
            body: body.to_string(),
            timeout: call.timeout,
        }
    }
}

/// A script as an NCCO: what the callback answers. Vonage hangs up at its end.
pub fn ncco(script: &Script) -> Value {
    json!([talk(script, false)])
}

/// The greeting twice, unless a key ends it, and the wait for one. Vonage asks our callback in any case, and says
/// what that answers: after [`Told::NoKey`] the last words. Should our callback not be there, it goes on here.
fn gate(greeting: &Script, nobody: &Script, next: &str) -> Value {
    let input = json!({"action": "input", "type": ["dtmf"],
        "dtmf": {"maxDigits": 1, "timeOut": KEY_WAIT.as_secs()}, "eventUrl": [next], "eventMethod": "POST"});
    json!([talk(greeting, true), input, talk(nobody, false)])
}

/// One `talk`, as SSML: a comma's pause is too short to write a digit down in.
fn talk(script: &Script, barge_in: bool) -> Value {
    let mut ssml = String::from("<speak>");
    for part in &script.parts {
        match part {
            Part::Say(words) => {
                ssml.push_str(&escape_xml(words));
                ssml.push(' ');
            }
            Part::Pause => ssml.push_str(r#"<break time="900ms"/>"#),
        }
    }
    ssml.push_str("</speak>");
    let mut action = json!({"action": "talk", "text": ssml, "language": script.voice.vonage_language(), "style": 0});
    if let (true, Some(action)) = (barge_in, action.as_object_mut()) {
        action.insert("bargeIn".to_owned(), json!(true));
        action.insert("loop".to_owned(), json!(2));
    }
    action
}

/// What a callback tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A key was pressed; what is said next is asked for.
    Key,
    /// No key was pressed; what is said next is asked for.
    NoKey,
    /// How the call goes.
    Progress(Progress),
}

/// What a callback's body tells, with Vonage's id of the call; `None`: nothing that we tell apart.
pub fn told(body: &Value) -> Option<(Told, &str)> {
    let uuid = body.get("uuid").and_then(Value::as_str).filter(|uuid| (1..=64).contains(&uuid.len()))?;
    if let Some(dtmf) = body.get("dtmf") {
        // An object, or in an older form the digits themselves.
        let digits = dtmf.get("digits").unwrap_or(dtmf);
        let pressed = digits.as_str().is_some_and(|digits| !digits.is_empty());
        return Some((if pressed { Told::Key } else { Told::NoKey }, uuid));
    }
    let progress = match body.get("status").and_then(Value::as_str)? {
        "started" | "ringing" | "answered" | "human" => Progress::UnderWay,
        "completed" => Progress::Completed,
        "busy" => Progress::NotAnswered("busy"),
        "timeout" | "unanswered" => Progress::NotAnswered("no_answer"),
        "rejected" => Progress::NotAnswered("rejected"),
        "failed" => Progress::NotAnswered("call_failed"),
        "cancelled" => Progress::NotAnswered("canceled"),
        _ => return None,
    };
    Some((Told::Progress(progress), uuid))
}

/// What Vonage's answer means.
pub fn outcome(answer: Answer) -> Outcome {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return no_answer("Vonage", error),
    };
    let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    match (response.status, body.get("uuid").and_then(Value::as_str)) {
        (200..=299, Some(uuid)) => Outcome::Accepted { provider_id: uuid.chars().take(64).collect(), segments: None },
        (status @ 400..=499, _) => match error_type(&body) {
            Some(error) => by_type(status, &error, &body),
            None => by_http_status("Vonage", status),
        },
        (status, _) => by_http_status("Vonage", status),
    }
}

/// An error's name: `BAD_REQUEST`, or what stands behind the `#` of a problem's type; as lower-case words.
fn error_type(body: &Value) -> Option<String> {
    let full = body.get("type").and_then(Value::as_str)?;
    let name = full.rsplit(['#', '/']).next().unwrap_or(full);
    let name = name.to_ascii_lowercase().replace('_', "-");
    let good = (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    good.then_some(name)
}

/// What Vonage's errors mean, and what to do about those that operators meet first.
fn by_type(status: u16, error: &str, body: &Value) -> Outcome {
    let (class, detail) = match (error, status) {
        ("low-balance" | "out-of-credit" | "payment-required", _) | (_, 402) => {
            (Class::Misconfigured, "the Vonage account's balance is used up: top it up in the Vonage dashboard")
        }
        ("throttled" | "too-many-requests" | "rate-limit", _) | (_, 429) => {
            (Class::Retryable, "Vonage takes fewer requests a second than came")
        }
        ("account-suspended" | "unprovisioned", _) | (_, 403) => {
            (Class::Misconfigured, "the Vonage account or application may not make this call: see the Vonage dashboard")
        }
        ("unauthorized" | "jwt-expired" | "jwt-revoked" | "invalid-signature" | "invalid-jwt", _) | (_, 401) => (
            Class::Misconfigured,
            "Vonage refused the token: compare the application with its private key (the setting sms.vonage; or VONAGE_APPLICATION_ID, VONAGE_PRIVATE_KEY), and see that the application has the Voice capability",
        ),
        ("not-found", _) | (_, 404) => {
            (Class::Misconfigured, "there is no such API of Vonage at this base URL: check VONAGE_API_BASE")
        }
        (_, 408) => return by_http_status("Vonage", status),
        _ if blames(body, "to") => (Class::RecipientRefused, "Vonage says that it cannot call this number"),
        _ if blames(body, "from") => (
            Class::Misconfigured,
            "Vonage refused the caller's number: use one that you rent and that is linked to the application, in VONAGE_SENDER_NUMBER or voice.from_number",
        ),
        _ => (Class::Misconfigured, "Vonage refused the call: look the error up at developer.vonage.com/api-errors"),
    };
    class.outcome(Why::new(error, detail))
}

/// Whether the error is about one parameter: `invalid_parameters` is an object by name, or a list of them.
fn blames(body: &Value, parameter: &str) -> bool {
    let is_it =
        |name: &str| name == parameter || name.strip_prefix(parameter).is_some_and(|r| r.starts_with(['[', '.']));
    match body.get("invalid_parameters") {
        Some(Value::Object(by_name)) => by_name.keys().any(|name| is_it(name)),
        Some(Value::Array(list)) => {
            let names = list.iter().filter_map(|entry| entry.get("name").unwrap_or(entry).as_str());
            names.into_iter().any(is_it)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
