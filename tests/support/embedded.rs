//! An app's own form in a browser: it begins flows, keeps their tokens and verifiers, and exchanges their codes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    client::{Request, Response},
    passkey::{ORIGIN, sha256},
    world::World,
};

/// The three kinds of flows, as they stand in paths.
pub const SIGN_IN: &str = "sign-ins";
pub const SIGN_UP: &str = "sign-ups";
pub const RESET: &str = "password-resets";

/// Where the forms' codes go.
pub const REDIRECT: &str = "https://app.example.com/callback";

/// An app and the page that its form is on.
#[derive(Clone)]
pub struct Form {
    pub client_id: String,
    pub origin: String,
    /// The address that the person's calls come from.
    pub ip: Option<String>,
}

/// A flow that was begun.
#[derive(Clone)]
pub struct Flow {
    /// `/v1/client/sign-ins/sgn_…`.
    pub path: String,
    pub token: String,
    pub verifier: String,
    pub json: Value,
}

impl Form {
    /// The form of a browser app with what else is given, on the page that passkeys are for.
    pub async fn new(world: &World, more: Value) -> Self {
        Self::on(world, ORIGIN, more).await
    }

    /// The same on another page.
    pub async fn on(world: &World, origin: &str, more: Value) -> Self {
        let mut app = json!({
            "name": "Shop", "type": "browser", "origins": [origin], "redirect_uris": [format!("{origin}/callback")],
            // Its keys are made in no time.
            "tokens": {"algorithm": "ES256"},
        });
        app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = world.post("/v1/apps", &app).await.expect(201);
        Self { client_id: made["id"].as_str().unwrap().to_owned(), origin: origin.to_owned(), ip: None }
    }

    /// The same form, used from an address.
    pub fn from(&self, ip: &str) -> Self {
        Self { ip: Some(ip.to_owned()), ..self.clone() }
    }

    /// A call that the page makes, with a token.
    pub fn call(&self, world: &World, method: &str, path: &str, token: &str) -> Request {
        let request = world.request(method, path).key(token).header("origin", &self.origin);
        match &self.ip {
            Some(ip) => request.header("cf-connecting-ip", ip),
            None => request,
        }
    }

    /// The call that begins a flow, and its verifier.
    pub fn beginning(&self, world: &World, kind: &str, more: &Value) -> (Request, String) {
        let verifier = URL_SAFE_NO_PAD.encode(super::passkey::random(32));
        let mut body = json!({
            "client_id": self.client_id, "code_challenge": challenge_of(&verifier), "code_challenge_method": "S256",
            "scope": "openid offline_access",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = format!("/v1/client/{kind}");
        (self.call(world, "POST", &path, "").without("authorization").json(&body), verifier)
    }

    /// Begins a flow.
    pub async fn begin(&self, world: &World, kind: &str, more: Value) -> Flow {
        let (request, verifier) = self.beginning(world, kind, &more);
        let json = request.send().await.expect(201);
        Flow {
            path: format!("/v1/client/{kind}/{}", json["id"].as_str().unwrap()),
            token: json["token"].as_str().unwrap().to_owned(),
            verifier,
            json,
        }
    }

    /// A call in a flow; `rest` is what stands behind its id.
    pub fn post(&self, world: &World, flow: &Flow, rest: &str, body: &Value) -> Request {
        self.call(world, "POST", &format!("{}/{rest}", flow.path), &flow.token).json(body)
    }

    /// Reads a flow.
    pub async fn read(&self, world: &World, flow: &Flow) -> Response {
        self.call(world, "GET", &flow.path, &flow.token).send().await
    }

    /// The exchange of a flow's code.
    pub fn exchange(&self, world: &World, flow: &Flow, code: &Value) -> Request {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str().expect("an authorization code")),
            ("code_verifier", &flow.verifier),
            ("client_id", &self.client_id),
        ];
        self.token(world, &fields)
    }

    /// The exchange of a refresh token.
    pub fn refresh(&self, world: &World, token: &Value) -> Request {
        let token = token.as_str().expect("a refresh token");
        self.token(world, &[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", &self.client_id)])
    }

    /// A call of the token endpoint.
    pub fn token(&self, world: &World, fields: &[(&str, &str)]) -> Request {
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.call(world, "POST", "/oauth2/v1/token", "")
            .without("authorization")
            .raw("application/x-www-form-urlencoded", body.into_bytes())
    }

    /// Signs somebody in with a password, as far as that goes; the flow and what it came to.
    pub async fn with_password(&self, world: &World, email: &str, password: &str) -> (Flow, Response) {
        let flow = self.begin(world, SIGN_IN, json!({})).await;
        let body = json!({"identifier": email, "password": password});
        let told = self.post(world, &flow, "password", &body).send().await;
        (flow, told)
    }
}

/// The PKCE challenge of a verifier (RFC 7636 §4.2).
pub fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}
