//! An app's own form in a browser, as the tests play it: an app with an origin, a PKCE pair, and one flow at a time.

use std::sync::Mutex;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use postern::flow::{Action, FlowType, state::TRANSITIONS};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    World,
    client::{Request, Response},
};

/// Where the form stands.
pub const ORIGIN: &str = "https://app.example.com";

/// A page of an app.
pub struct Page<'a> {
    pub world: &'a World,
    pub client_id: String,
    pub verifier: String,
    pub origin: Option<String>,
}

/// A flow that the page has begun.
pub struct Flow<'a> {
    pub page: &'a Page<'a>,
    /// The path of the flow.
    pub path: String,
    pub token: String,
    /// What the call that began it gave.
    pub begun: Value,
    /// Where it stood after the last call.
    step: Mutex<String>,
}

impl<'a> Page<'a> {
    /// A page of a new browser app, whose own rule asks for nothing beside what the person has.
    pub async fn new(world: &'a World) -> Self {
        Self::with(world, json!({"use_instance_policy": false})).await
    }

    /// The same with this rule.
    pub async fn with(world: &'a World, mfa: Value) -> Self {
        let app = json!({"name": "Form", "type": "browser", "origins": [ORIGIN],
            "redirect_uris": ["https://app.example.com/callback"], "mfa": mfa});
        let app = world.post("/v1/apps", &app).await.expect(201);
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let client_id = app["id"].as_str().unwrap().to_owned();
        Self { world, client_id, verifier, origin: Some(ORIGIN.to_owned()) }
    }

    /// What begins a flow.
    pub fn beginning(&self) -> Value {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()));
        json!({"client_id": self.client_id, "code_challenge": challenge, "code_challenge_method": "S256",
            "scope": "openid email offline_access"})
    }

    /// Calls as the page does.
    pub async fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Response {
        self.request(method, path, token, body).send().await
    }

    /// The call, not sent yet.
    pub fn request(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Request {
        let mut request = self.world.request(method, path).without("authorization");
        if let Some(origin) = &self.origin {
            request = request.header("origin", origin);
        }
        if let Some(token) = token {
            request = request.header("authorization", &format!("Bearer {token}"));
        }
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// Exchanges an authorization code, as the page does.
    pub async fn exchange(&self, code: &str) -> Response {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", &self.verifier),
            ("client_id", &self.client_id),
        ];
        self.token(&form).await
    }

    /// Exchanges a refresh token for the next one.
    pub async fn refresh(&self, token: &str) -> Response {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", &self.client_id)]).await
    }

    async fn token(&self, form: &[(&str, &str)]) -> Response {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.request("POST", "/oauth2/v1/token", None, None);
        request.raw("application/x-www-form-urlencoded", body.into_bytes()).send().await
    }

    /// Begins a flow of `sign-ins`, `sign-ups` or `password-resets`; `more` goes into the call.
    pub async fn begin(&'a self, flows: &str, more: Value) -> Flow<'a> {
        let mut body = self.beginning();
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        let begun = self.call("POST", &format!("/v1/client/{flows}"), None, Some(&body)).await.expect(201);
        let path = format!("/v1/client/{flows}/{}", begun["id"].as_str().unwrap());
        Flow::of(self, path, begun)
    }
}

impl<'a> Flow<'a> {
    /// A flow of which the call that began it gave this.
    pub fn of(page: &'a Page<'a>, path: String, begun: Value) -> Self {
        let step = Mutex::new(begun["step"].as_str().unwrap().to_owned());
        Self { page, path, token: begun["token"].as_str().unwrap().to_owned(), begun, step }
    }

    /// A call within the flow, not sent yet.
    pub fn request(&self, call: &str, body: &Value) -> Request {
        self.page.request("POST", &format!("{}/{call}", self.path), Some(&self.token), Some(body))
    }

    /// Calls within the flow; where it leads has to be in the table that `docs/flows.md` is drawn from.
    pub async fn post(&self, call: &str, body: Value) -> Response {
        let response = self.page.call("POST", &format!("{}/{call}", self.path), Some(&self.token), Some(&body)).await;
        if let (200 | 201, Some(to)) = (response.status, response.json["step"].as_str()) {
            let from = std::mem::replace(&mut *self.step.lock().unwrap(), to.to_owned());
            self.hold(&from, call, to);
        }
        response
    }

    fn hold(&self, from: &str, call: &str, to: &str) {
        let by = match call.split('/').collect::<Vec<_>>()[..] {
            [_, _, "answer" | "resend"] => Action::Answer,
            ["enrolments", ..] => Action::Enrol,
            ["challenges", ..] => Action::Challenge,
            ["identifier"] => Action::Identify,
            ["password"] => Action::Password,
            ["passkey", ..] => Action::Passkey,
            ["recovery-code"] => Action::RecoveryCode,
            ["skip"] => Action::Skip,
            ["new-password"] => Action::NewPassword,
            _ => panic!("{call} is no call of a flow"),
        };
        let kind = FlowType::parse(self.begun["type"].as_str().unwrap()).unwrap();
        let is_drawn = TRANSITIONS
            .iter()
            .any(|row| row.of.contains(&kind) && row.from == from && row.by == by && row.to.contains(&to));
        assert!(is_drawn, "{kind:?}: {from} --{call}--> {to} is not in the table of transitions");
    }

    /// Reads the flow, as a page does that was loaded again.
    pub async fn get(&self) -> Response {
        self.page.call("GET", &self.path, Some(&self.token), None).await
    }
}
