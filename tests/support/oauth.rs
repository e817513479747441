//! What the tests of tokens need: apps, codes as flows make them, forms, and tokens read by another library.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, Validation, jwk::Jwk};
use postern::{
    context::Client,
    ids::{AppId, UserId},
    ports::{Clock, Statement},
    session::code::{self, NewCode},
    statement,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, time::Duration};

use super::{Native, Request, Response, World};

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The challenge that RFC 7636 Appendix B gives for it.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const ISSUER: &str = "http://localhost:8787";
pub const EVERYTHING: &str = "openid profile email phone offline_access";

/// What the code will be of; tests change what they are about.
pub fn new_code(app: &str, user: &str, scope: &str, native: &Native) -> NewCode {
    NewCode {
        app: AppId::parse(app).unwrap(),
        user: UserId::parse(user).unwrap(),
        code_challenge: CHALLENGE.to_owned(),
        redirect_uri: None,
        scope: scope.to_owned(),
        nonce: Some("n-0S6_WzA2Mj".to_owned()),
        acr: "urn:postern:acr:aal2".to_owned(),
        amr: vec!["pwd", "otp", "mfa"],
        auth_time: native.clock.now(),
        lifetime: Duration::from_secs(300),
    }
}

/// Writes a code down, as the batch that completes a flow does; gives the code and its session.
pub async fn write(world: &World, new: &NewCode) -> (String, String) {
    let person =
        Client { ip: Some("203.0.113.7".to_owned()), user_agent: Some("Browser/1".to_owned()), ..Client::default() };
    let context = super::context::context(world).await.for_client(person);
    let stamp = context.stamp();
    let minted = code::insert(&context, new, &stamp);
    let stamped: Statement = statement!(postern::user::store::STAMP, &new.user, stamp.as_str());
    context.decide(vec![stamped, minted.statement]).await.unwrap();
    (minted.code.expose().to_owned(), minted.session.to_string())
}

/// A sign-in's code.
pub async fn code(world: &World, app: &str, user: &str, scope: &str) -> String {
    write(world, &new_code(app, user, scope, world.here())).await.0
}

/// Makes an app; gives its id.
pub async fn app(world: &World, body: Value) -> String {
    app_and_secret(world, body).await.0
}

/// Makes an app; gives its id and its secret, where it has one.
pub async fn app_and_secret(world: &World, mut body: Value) -> (String, String) {
    body["name"] = json!("Shop");
    let made = world.post("/v1/apps", &body).await.expect(201);
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    (text("id"), text("client_secret"))
}

/// A browser app and a user: the app's id and the user's.
pub async fn browser_and_user(world: &World) -> (String, String) {
    let user = world.post("/v1/users", &json!({"email": world.address(), "name": "Ana"})).await.expect(201);
    let app = app(world, json!({"type": "browser", "origins": ["https://app.example.com"]})).await;
    (app, user["id"].as_str().unwrap().to_owned())
}

/// A form to an OAuth endpoint; the client does not authenticate by itself.
pub fn form(world: &World, path: &str, fields: &[(&str, &str)]) -> Request {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = world.request("POST", path).without("authorization");
    request.raw("application/x-www-form-urlencoded", body.into_bytes())
}

pub fn token(world: &World, fields: &[(&str, &str)]) -> Request {
    form(world, "/oauth2/v1/token", fields)
}

/// The exchange of a code.
pub fn exchange(world: &World, code: &str) -> Request {
    token(world, &[("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)])
}

/// The exchange of a refresh token.
pub fn refresh(world: &World, refresh_token: &str) -> Request {
    token(world, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
}

/// Signs a user in through an app; gives the answer of the token endpoint.
pub async fn sign_in(world: &World, app: &str, user: &str, scope: &str) -> Value {
    let code = code(world, app, user, scope).await;
    exchange(world, &code).send().await.expect(200)
}

/// HTTP Basic.
pub fn basic(id: &str, secret: &str) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    format!("Basic {text}")
}

/// Holds a refusal against RFC 6749 §5.2.
#[track_caller]
pub fn refused(response: &Response, status: u16, error: &str) {
    assert_eq!((response.status, response.json["error"].as_str()), (status, Some(error)), "{}", response.text);
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("content-type"), Some("application/json"));
    let description = response.json["error_description"].as_str().unwrap();
    assert!(description.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{description}");
}

/// Reads a token with another library and the keys as they are published.
pub async fn read(world: &World, token: &str) -> (jsonwebtoken::Header, Map<String, Value>) {
    let header = jsonwebtoken::decode_header(token).unwrap();
    let published = world.request("GET", "/.well-known/jwks.json").without("authorization").send().await.expect(200);
    let keys = published["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == json!(header.kid)).expect("its key is published");
    let key: Jwk = serde_json::from_value(key.clone()).unwrap();
    let mut validation = Validation::new(header.alg);
    // The test's clock stands elsewhere than this library's; ends are looked at by the tests.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims =
        BTreeSet::from(["exp", "iss", "aud", "sub"]).into_iter().map(str::to_owned).collect();
    validation.set_issuer(&[ISSUER]);
    let read = jsonwebtoken::decode::<Map<String, Value>>(token, &DecodingKey::from_jwk(&key).unwrap(), &validation);
    (header, read.unwrap().claims)
}

/// What a token says, unverified.
pub fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// What is kept of a token.
pub fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}
