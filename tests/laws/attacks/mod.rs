//! Attacks that succeed against a well-known system of this kind, each as a test with its number. Every one of
//! them has to fail here, through the server API and through everything that people call themselves.

mod at_rest;
mod factors;
mod guessing;
mod sessions;
mod sign_in;

use serde_json::{Value, json};

use crate::support::{Request, World};

/// A password that is fine.
const GOOD: &str = "lilac-otter-walks-at-dawn";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}")).to_owned()
}

async fn new_user(world: &World, body: Value) -> String {
    text(&world.post("/v1/users", &body).await.expect(201)["id"])
}

/// A user with the password [`GOOD`].
async fn with_password(world: &World) -> String {
    let user = new_user(world, json!({})).await;
    let body = json!({"type": "password", "password": GOOD});
    world.post(&format!("/v1/users/{user}/factors"), &body).await.expect(201);
    user
}

/// What a server asks when somebody at this address has typed a password.
fn verify(world: &World, user: &str, password: &str, ip: &str) -> Request {
    let body = json!({"password": password, "client": {"ip": ip}});
    world.request("POST", &format!("/v1/users/{user}/verify-password")).json(&body)
}

/// What a server asks when somebody at this address has typed a code.
fn answer(world: &World, challenge: &Value, code: &str, ip: &str) -> Request {
    let path = format!("/v1/challenges/{}/answer", text(&challenge["id"]));
    world.request("POST", &path).json(&json!({"code": code, "client": {"ip": ip}}))
}

/// A challenge of the user's authenticator app.
async fn asked_for_totp(world: &World, user: &str) -> Value {
    world.post("/v1/challenges", &json!({"user_id": user, "type": "totp"})).await.expect(201)
}
