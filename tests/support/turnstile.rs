//! A fake of Turnstile's siteverify: it checks what it is asked as the real one does, knows the tokens that a widget gave,
//! and takes each once, but for the same request again.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use super::carriers::{Behaviour, Reply};

pub const SECRET: &str = "0x4AAAAAAAturnstile-secret-0123456789";
pub const SITE_KEY: &str = "0x4AAAAAAAturnstile-site";
const PATH: &str = "/turnstile/v0/siteverify";

/// What a widget gave.
struct Token {
    hostname: String,
    action: String,
    /// The key of the request that used it up.
    used: Option<String>,
}

#[derive(Default)]
struct State {
    tokens: BTreeMap<String, Token>,
    /// What becomes of the next answers; then all is well.
    next: VecDeque<Behaviour>,
    asked: Vec<Value>,
    violations: Vec<String>,
}

#[derive(Default)]
pub struct TurnstileService(Mutex<State>);

impl TurnstileService {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token as the widget of a page gives it.
    pub fn solve(&self, hostname: &str, action: &str) -> String {
        let mut state = self.state();
        let token = format!("0.token-{}", state.tokens.len());
        let given = Token { hostname: hostname.to_owned(), action: action.to_owned(), used: None };
        state.tokens.insert(token.clone(), given);
        token
    }

    /// What becomes of the next answer; several are taken in order.
    pub fn next(&self, behaviour: Behaviour) {
        self.state().next.push_back(behaviour);
    }

    /// What was asked.
    pub fn asked(&self) -> Vec<Value> {
        self.state().asked.clone()
    }

    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    pub fn serves(path: &str) -> bool {
        path.contains("/turnstile/")
    }

    pub fn handle(&self, method: &str, path: &str, headers: &[(String, String)], body: &str) -> Reply {
        let header = |name: &str| {
            headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        let mut state = self.state();
        let is_post = method == "POST" && path == PATH && header("content-type") == Some("application/json");
        let asked = serde_json::from_str::<Value>(body).unwrap_or_default();
        if let Some(what) = (!is_post).then_some("no JSON POST to siteverify").or_else(|| malformed(&asked)) {
            state.violations.push(format!("Turnstile: {what}"));
            return Reply::Respond(400, json!({"success": false, "error-codes": ["bad-request"]}).to_string());
        }
        state.asked.push(asked.clone());
        let answer = verdict(&mut state, &asked).to_string();
        // What goes wrong goes wrong with the answer: the token is used.
        match state.next.pop_front().unwrap_or(Behaviour::Accept) {
            Behaviour::Accept => Reply::Respond(200, answer),
            Behaviour::Answer(status, body) => Reply::Respond(status, body),
            Behaviour::Hang => Reply::Hang,
            Behaviour::Drop => Reply::Drop,
            Behaviour::NotHttp => Reply::NotHttp,
        }
    }
}

/// What the real one would not have taken.
fn malformed(asked: &Value) -> Option<&'static str> {
    let Some(fields) = asked.as_object() else { return Some("no JSON object") };
    if fields.keys().any(|name| !["secret", "response", "remoteip", "idempotency_key"].contains(&name.as_str())) {
        return Some("an unknown field");
    }
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    if text("secret").is_empty() || !(1..=2048).contains(&text("response").len()) {
        return Some("no secret or response");
    }
    if fields.contains_key("remoteip") && text("remoteip").parse::<IpAddr>().is_err() {
        return Some("remoteip is no address");
    }
    let lengths: Vec<usize> = text("idempotency_key").split('-').map(str::len).collect();
    let is_uuid = lengths == [8, 4, 4, 4, 12]
        && text("idempotency_key").bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    (!is_uuid).then_some("idempotency_key is no UUID")
}

fn verdict(state: &mut State, asked: &Value) -> Value {
    let refuse = |code: &str| json!({"success": false, "error-codes": [code], "messages": []});
    if asked["secret"] != SECRET {
        return refuse("invalid-input-secret");
    }
    let Some(token) = state.tokens.get_mut(asked["response"].as_str().unwrap()) else {
        return refuse("invalid-input-response");
    };
    let key = asked["idempotency_key"].as_str().unwrap();
    if token.used.as_deref().is_some_and(|used| used != key) {
        return refuse("timeout-or-duplicate");
    }
    token.used = Some(key.to_owned());
    json!({"success": true, "error-codes": [], "challenge_ts": "2026-11-22T10:00:00.000Z", "hostname": token.hostname,
        "action": token.action, "cdata": "", "metadata": {"interactive": false}})
}
