//! A fake endpoint of custom delivery: it checks every byte as a careful one does (the signature with the standard's
//! library, the context member by member), keeps what came, and can be told what to answer, one request after another.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    carriers::{Behaviour, Reply},
    vars,
};

/// What the hook was asked to send.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `webhook-id`.
    pub id: String,
    /// `sms.send` or `voice.send`.
    pub kind: String,
    pub recipient: String,
    pub text: String,
    pub context: Value,
    /// The whole body, to the byte.
    pub raw: String,
    pub accepted: bool,
}

/// What it does at its next request.
#[derive(Clone)]
pub enum Then {
    /// As a carrier would.
    Do(Behaviour),
    /// It answers this, late.
    Late(Duration, u16),
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    violations: Vec<String>,
    /// By recipient, the next one first.
    script: Vec<(String, VecDeque<Then>)>,
}

#[derive(Default)]
pub struct HookEndpoint(Mutex<State>);

impl HookEndpoint {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it does at the next requests for a number; after them it takes everything.
    pub fn script(&self, number: &str, then: impl IntoIterator<Item = Then>) {
        self.state().script.insert(0, (number.to_owned(), then.into_iter().collect()));
    }

    /// What it was asked so far, for a number.
    pub fn asked(&self, number: &str) -> Vec<Asked> {
        self.state().asked.iter().filter(|asked| asked.recipient == number).cloned().collect()
    }

    /// What no endpoint would have taken.
    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// Whether a path is its.
    pub fn serves(path: &str) -> bool {
        path == "/hooks/sms"
    }

    /// Takes one request; gives what was asked for, too, where it was in order.
    pub fn handle(&self, method: &str, headers: &[(String, String)], body: &str) -> (Reply, Option<Asked>) {
        let mut asked = match read(method, headers, body) {
            Ok(asked) => asked,
            Err(what) => {
                self.state().violations.push(format!("hook: {what}"));
                return (Reply::Respond(400, "{}".to_owned()), None);
            }
        };
        let mut state = self.state();
        let script = state.script.iter_mut().find(|(number, _)| *number == asked.recipient);
        let then = script.and_then(|(_, then)| then.pop_front()).unwrap_or(Then::Do(Behaviour::Accept));
        asked.accepted = matches!(then, Then::Do(Behaviour::Accept));
        let reply = match then {
            Then::Do(Behaviour::Accept) => {
                Reply::Respond(200, json!({"id": format!("hook-{}", state.asked.len())}).to_string())
            }
            Then::Do(Behaviour::Answer(status, body)) => Reply::Respond(status, body),
            Then::Do(Behaviour::Hang) => Reply::Hang,
            Then::Do(Behaviour::Drop) => Reply::Drop,
            Then::Do(Behaviour::NotHttp) => Reply::NotHttp,
            Then::Late(after, status) => Reply::Late(after, status),
        };
        state.asked.push(asked.clone());
        (reply, Some(asked))
    }
}

fn read(method: &str, headers: &[(String, String)], body: &str) -> Result<Asked, String> {
    let header = |name: &str| {
        let mut values = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none()).map(String::as_str).ok_or_else(|| format!("no {name}"))
    };
    if method != "POST" || header("content-type")? != "application/json" {
        return Err("not a JSON POST".to_owned());
    }
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let theirs = standardwebhooks::Webhook::new(vars::WEBHOOK_SECRET).unwrap();
    let wanted = timestamp.parse().ok().and_then(|seconds| theirs.sign(id, seconds, body.as_bytes()).ok());
    if wanted.as_deref() != Some(header("webhook-signature")?) {
        return Err("the signature is another one".to_owned());
    }
    let json: Value = serde_json::from_str(body).map_err(|_| "not JSON")?;
    has_exactly(&json, &["data", "timestamp", "type"])?;
    let (data, context) = (&json["data"], &json["data"]["context"]);
    has_exactly(data, &["context", "recipient", "text"])?;
    has_exactly(
        context,
        &[
            "action",
            "client_id",
            "client_metadata",
            "code",
            "factor_type",
            "ip",
            "language",
            "message_type",
            "name",
            "user",
            "user_agent",
        ],
    )?;
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| format!("no text: {value}"));
    let kind = text(&json["type"])?;
    let of_type = match text(&context["message_type"])?.as_str() {
        "sms" => "sms.send",
        "voice" => "voice.send",
        other => return Err(format!("message_type is {other}")),
    };
    let one_of = |name: &str, words: [&str; 2]| {
        words.iter().any(|word| context[name] == **word).then_some(()).ok_or_else(|| format!("{name} is another word"))
    };
    one_of("factor_type", ["first", "second"])?;
    one_of("action", ["enrollment", "authentication"])?;
    let recipient = text(&data["recipient"])?;
    if kind != of_type || !id.starts_with("msg_") || !postern::phone::is_e164_form(&recipient) {
        return Err(format!("type, webhook-id or recipient: {kind} {id} {recipient}"));
    }
    let said = text(&data["text"])?;
    if let (Some(code), "sms") = (context["code"].as_str(), context["message_type"].as_str().unwrap())
        && !said.contains(code)
    {
        return Err("the code is not in the text".to_owned());
    }
    let (context, raw) = (context.clone(), body.to_owned());
    Ok(Asked { id: id.to_owned(), kind, recipient, text: said, context, raw, accepted: false })
}

fn has_exactly(value: &Value, names: &[&str]) -> Result<(), String> {
    let mut there: Vec<&str> = value.as_object().ok_or("no object")?.keys().map(String::as_str).collect();
    there.sort_unstable();
    if there == names { Ok(()) } else { Err(format!("there is {there:?}, wanted is {names:?}")) }
}
