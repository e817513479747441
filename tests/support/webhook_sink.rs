//! Somebody's endpoints: they take what the published library of Standard Webhooks takes, under the secrets they were shown,
//! keep what they heard, and can be told to answer anything, hang, or drop the connection.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use standardwebhooks::Webhook;

use super::carriers::{Behaviour, Reply};

/// What an endpoint got. It is held against the endpoint's secrets when a test looks: the first may come before the answer
/// that shows the secret.
#[derive(Clone, Debug)]
pub struct Heard {
    pub path: String,
    pub id: String,
    /// Seconds since 1970, as signed.
    pub timestamp: i64,
    pub body: String,
    pub event: Value,
    headers: http::HeaderMap,
    /// Whether the endpoint said that it took it.
    pub taken: bool,
}

impl Heard {
    pub fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap()
    }

    pub fn data(&self) -> &Value {
        &self.event["data"]
    }

    /// Whether the library takes it under this secret. Its clock is the real one; where the test's is another, the
    /// signatures alone are compared.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let library = Webhook::new(secret).unwrap();
        match library.verify(self.body.as_bytes(), &self.headers) {
            Ok(()) => true,
            Err(standardwebhooks::WebhookError::InvalidSignature) => false,
            Err(_) => {
                let wanted = library.sign(&self.id, self.timestamp, self.body.as_bytes()).unwrap();
                self.signatures().any(|given| given == wanted)
            }
        }
    }

    /// The signatures that came with it.
    pub fn signatures(&self) -> impl Iterator<Item = &str> {
        self.headers["webhook-signature"].to_str().unwrap().split(' ')
    }

    /// Whether the library takes it as it came, its time included.
    pub fn is_on_time(&self, secret: &str) -> bool {
        Webhook::new(secret).unwrap().verify(self.body.as_bytes(), &self.headers).is_ok()
    }
}

#[derive(Default)]
struct State {
    heard: Vec<Heard>,
    secrets: BTreeMap<String, BTreeSet<String>>,
    behaviours: BTreeMap<String, Behaviour>,
    next: BTreeMap<String, VecDeque<Behaviour>>,
    violations: Vec<String>,
}

#[derive(Default)]
pub struct WebhookSink(Mutex<State>);

impl WebhookSink {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The endpoint of this path was shown this secret.
    pub fn learn(&self, path: &str, secret: &str) {
        self.state().secrets.entry(path.to_owned()).or_default().insert(secret.to_owned());
    }

    /// What the endpoint answers from now on.
    pub fn behave(&self, path: &str, behaviour: Behaviour) {
        self.state().behaviours.insert(path.to_owned(), behaviour);
    }

    /// What it answers next, once.
    pub fn behave_once(&self, path: &str, behaviour: Behaviour) {
        self.state().next.entry(path.to_owned()).or_default().push_back(behaviour);
    }

    /// What the endpoint of this path has heard, each of it signed with a secret that it was shown.
    pub fn heard(&self, path: &str) -> Vec<Heard> {
        let state = self.state();
        let heard: Vec<Heard> = state.heard.iter().filter(|heard| heard.path == path).cloned().collect();
        for one in &heard {
            assert!(is_known(&state, one), "{path}: nobody's signature\n{one:?}");
        }
        heard
    }

    /// How much came to every endpoint.
    pub fn count(&self) -> usize {
        self.state().heard.len()
    }

    /// What no endpoint takes.
    pub fn violations(&self) -> Vec<String> {
        let state = self.state();
        let known = |one: &&Heard| state.secrets.contains_key(&one.path);
        let forged = state.heard.iter().filter(known).filter(|one| !is_known(&state, one));
        let forged = forged.map(|one| format!("webhooks: nobody's signature at {}", one.path));
        state.violations.iter().cloned().chain(forged).collect()
    }

    /// Whether a path is an endpoint's. The contract's example is one.
    pub fn serves(path: &str) -> bool {
        path.starts_with("/events/") || path == "/postern"
    }

    pub fn handle(&self, method: &str, path: &str, headers: &[(String, String)], body: &str) -> Reply {
        let mut state = self.state();
        let heard = match read(method, path, headers, body) {
            Ok(heard) => heard,
            Err(what) => {
                state.violations.push(format!("webhooks: {path}: {what}"));
                return Reply::Respond(400, String::new());
            }
        };
        let next = state.next.get_mut(path).and_then(VecDeque::pop_front);
        let behaviour = next.or_else(|| state.behaviours.get(path).cloned()).unwrap_or(Behaviour::Accept);
        let taken = matches!(behaviour, Behaviour::Accept | Behaviour::Answer(200..=299, _));
        state.heard.push(Heard { taken, ..heard });
        match behaviour {
            Behaviour::Accept => Reply::Respond(204, String::new()),
            Behaviour::Answer(status, body) => Reply::Respond(status, body),
            Behaviour::Hang => Reply::Hang,
            Behaviour::Drop => Reply::Drop,
            Behaviour::NotHttp => Reply::NotHttp,
        }
    }
}

fn is_known(state: &State, heard: &Heard) -> bool {
    state.secrets.get(&heard.path).is_some_and(|known| known.iter().any(|secret| heard.is_signed_with(secret)))
}

/// What came, if it is what the standard and our documents say.
fn read(method: &str, path: &str, headers: &[(String, String)], body: &str) -> Result<Heard, String> {
    let mut map = http::HeaderMap::new();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().map_err(|_| "a header's name")?;
        let is_ours = name.as_str().starts_with("webhook-") || name == "content-type";
        if map.append(&name, value.parse().map_err(|_| "a header's value")?) && is_ours {
            return Err(format!("{name} is there twice"));
        }
    }
    let header = |name: &str| map.get(name).and_then(|value| value.to_str().ok()).ok_or(format!("{name} is missing"));
    if method != "POST" || header("content-type")? != "application/json" {
        return Err("not a JSON POST".to_owned());
    }
    if !header("user-agent")?.starts_with("Postern/") {
        return Err("it does not say who it is".to_owned());
    }
    let id = header("webhook-id")?;
    if !id.starts_with("whd_") || id.len() != 30 {
        return Err(format!("{id} is no delivery"));
    }
    let timestamp = header("webhook-timestamp")?.parse().map_err(|_| "no timestamp")?;
    if !header("webhook-signature")?.split(' ').all(|one| one.starts_with("v1,") && one.len() == 47) {
        return Err("the signature's form".to_owned());
    }
    let event: Value = serde_json::from_str(body).map_err(|_| "no JSON")?;
    let names: Vec<&String> = event.as_object().ok_or("no object")?.keys().collect();
    if names != ["data", "timestamp", "type"] || !event["data"]["id"].as_str().is_some_and(|id| id.starts_with("evt_"))
    {
        return Err(format!("the envelope: {event}"));
    }
    let (path, id, body) = (path.to_owned(), id.to_owned(), body.to_owned());
    Ok(Heard { path, id, timestamp, body, event, headers: map, taken: false })
}
