//! Somebody who is signed in through an app's page, and their calls of `/v1/me`.

use serde_json::{Value, json};

use super::{
    Authenticator, World,
    client::{Request, Response},
    page::Page,
};

pub const PASSWORD: &str = "seven owls in a barn at dusk";

/// A session of somebody.
pub struct Account<'a> {
    pub page: &'a Page<'a>,
    pub user: String,
    pub address: String,
    pub token: String,
    pub refresh: String,
}

impl<'a> Account<'a> {
    /// Somebody with an address and a password, just signed in.
    pub async fn new(page: &'a Page<'a>) -> Self {
        let address = page.world.address();
        let user = page.world.post("/v1/users", &json!({"email": address})).await.expect(201);
        let user = user["id"].as_str().unwrap().to_owned();
        let password = json!({"type": "password", "password": PASSWORD});
        page.world.post(&format!("/v1/users/{user}/factors"), &password).await.expect(201);
        Self::sign_in(page, &user, &address).await
    }

    /// Another session of somebody who has no more than a password.
    pub async fn sign_in(page: &'a Page<'a>, user: &str, address: &str) -> Self {
        let flow = page.begin("sign-ins", json!({})).await;
        let done = flow.post("password", json!({"identifier": address, "password": PASSWORD})).await.expect(200);
        let code = done["code"].as_str().unwrap_or_else(|| panic!("a code is wanted, not {done}"));
        let set = page.exchange(code).await.expect(200);
        let text = |name: &str| set[name].as_str().unwrap().to_owned();
        Self {
            page,
            user: user.to_owned(),
            address: address.to_owned(),
            token: text("access_token"),
            refresh: text("refresh_token"),
        }
    }

    /// Another session of the same person.
    pub async fn again(&self) -> Self {
        Self::sign_in(self.page, &self.user, &self.address).await
    }

    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Request {
        self.page.request(method, path, Some(&self.token), body)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request("GET", path, None).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.request("POST", path, Some(&body)).send().await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Response {
        self.request("PATCH", path, Some(&body)).send().await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path, None).send().await
    }

    /// Proves the password.
    pub async fn prove_password(&self) -> Value {
        self.post("/v1/me/step-up", json!({"password": PASSWORD})).await.expect(200)
    }

    /// Proves what gets codes there.
    pub async fn prove_code(&self, destination: &str) -> Value {
        let challenge = self.post("/v1/me/step-up", json!({})).await.expect(201);
        let code = self.page.world.code(destination).await;
        self.answer(&challenge, &code).await.expect(200)
    }

    /// Answers a challenge of a step-up.
    pub async fn answer(&self, challenge: &Value, code: &str) -> Response {
        let id = challenge["id"].as_str().unwrap();
        self.post(&format!("/v1/me/step-up/{id}/answer"), json!({"code": code})).await
    }

    /// Adds a phone with the password's proof: the factor's id and the number.
    pub async fn add_phone(&self) -> (String, String) {
        self.prove_password().await;
        let number = self.page.world.number();
        let added = self.post("/v1/me/factors", json!({"type": "phone", "phone": number})).await.expect(201);
        let factor = added["factor"]["id"].as_str().unwrap().to_owned();
        let code = self.page.world.code(&number).await;
        self.post(&format!("/v1/me/factors/{factor}/activate"), json!({"code": code})).await.expect(200);
        (factor, number)
    }

    /// The sessions that the person sees.
    pub async fn sessions(&self) -> Vec<Value> {
        self.get("/v1/me/sessions").await.expect(200)["data"].as_array().unwrap().clone()
    }

    /// A factor that the server adds by its word.
    pub async fn given_phone(&self) -> (String, String) {
        let number = self.page.world.number();
        let body = json!({"type": "phone", "phone": number, "override": {"reason": "at the counter"}});
        (self.page.world.enrol(&self.user, &body, &number).await, number)
    }

    /// An authenticator app that the server adds by its word.
    pub async fn given_totp(&self) -> (String, Authenticator) {
        let body = json!({"type": "totp", "override": {"reason": "at the counter"}});
        self.page.world.enrol_totp(&self.user, body).await
    }
}

/// A 401 that asks for a step-up: what it has to reach.
#[track_caller]
pub fn wants_step_up(response: &Response, acr: &str) {
    assert_eq!(
        (response.status, &response.json["code"]),
        (401, &json!("insufficient_user_authentication")),
        "{}",
        response.text
    );
    assert_eq!((&response.json["acr_values"], &response.json["max_age"]), (&json!(acr), &json!(600)));
    let wanted = format!("Bearer error=\"insufficient_user_authentication\", acr_values=\"{acr}\", max_age=\"600\"");
    assert_eq!(response.header("www-authenticate"), Some(wanted.as_str()));
}

pub const AAL1: &str = "urn:postern:acr:aal1";
pub const AAL2: &str = "urn:postern:acr:aal2";

/// A page's world, for short.
pub fn world<'a>(account: &Account<'a>) -> &'a World {
    account.page.world
}
