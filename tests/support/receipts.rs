//! The fake carriers' delivery reports, in each of the forms in which the real ones send them, signed apart from the Worker's
//! own code.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{Request, Response, World, carriers::Sent, vars};

/// Where callbacks go; the tests' servers stand behind it.
pub const PUBLIC: &str = "https://login.example.com";

/// How Vonage sends a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Query,
    Encoded,
    Json,
}

impl Form {
    pub const ALL: [Self; 3] = [Self::Query, Self::Encoded, Self::Json];
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn hmac<M: Mac + KeyInit>(key: &str, text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Twilio's signature over an address and fields.
pub fn twilio_signature(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let pairs: String = sorted.iter().flat_map(|(name, value)| [*name, *value]).collect();
    STANDARD.encode(hmac::<Hmac<Sha1>>(token, &format!("{url}{pairs}")))
}

/// A status callback of Twilio, signed with a token.
pub fn twilio_with(world: &World, token: &str, message: &str, fields: &[(&str, &str)]) -> Request {
    let path = format!("/v1/callbacks/twilio/{message}");
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    world
        .request("POST", &path)
        .without("authorization")
        .header("x-twilio-signature", &twilio_signature(token, &format!("{PUBLIC}{path}"), fields))
        .raw("application/x-www-form-urlencoded", body.into_bytes())
}

/// The same with the account's token: a state of a message.
pub fn twilio(world: &World, message: &str, sid: &str, status: &str) -> Request {
    let error = if ["undelivered", "failed"].contains(&status) { "30003" } else { "" };
    twilio_with(world, vars::TOKEN, message, &[("MessageSid", sid), ("MessageStatus", status), ("ErrorCode", error)])
}

/// The same as JSON: the address is signed, and has the body's digest.
pub fn twilio_json(world: &World, message: &str, body: &Value) -> Request {
    let path = format!("/v1/callbacks/twilio/{message}?bodySHA256={}", hex(Sha256::digest(body.to_string())));
    let signature = twilio_signature(vars::TOKEN, &format!("{PUBLIC}{path}"), &[]);
    world.request("POST", &path).without("authorization").header("x-twilio-signature", &signature).json(body)
}

/// What Vonage tells of a part of an SMS.
pub fn receipt(part: &str, status: &str) -> Vec<(String, String)> {
    let error = if ["failed", "rejected", "expired"].contains(&status) { "6" } else { "0" };
    let fields = [
        ("msisdn", "14155552671"),
        ("to", "AcmeInc"),
        ("network-code", "310090"),
        ("messageId", part),
        ("price", "0.03330000"),
        ("status", status),
        ("scts", "2611221000"),
        ("err-code", error),
        ("api-key", vars::VONAGE_KEY),
        ("message-timestamp", "2026-11-22 10:00:00"),
    ];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// Signs a receipt: 20 bytes are HMAC-SHA1, 32 SHA-256, 64 SHA-512.
pub fn sign(mut fields: Vec<(String, String)>, secret: &str, bytes: usize, unix_seconds: i64) -> Vec<(String, String)> {
    fields.push(("timestamp".to_owned(), unix_seconds.to_string()));
    fields.push(("nonce".to_owned(), "b7f5a7a1-1c5b-4a59-9a4d-2c0f7a6a1b1c".to_owned()));
    let mut sorted = fields.clone();
    sorted.sort();
    let pair = |(name, value): &(String, String)| ["&", name, "=", &value.replace(['&', '='], "_")].concat();
    let text: String = sorted.iter().map(pair).collect();
    let signature = match bytes {
        20 => hex(hmac::<Hmac<Sha1>>(secret, &text)),
        32 => hex(hmac::<Hmac<Sha256>>(secret, &text)),
        _ => hex(hmac::<Hmac<Sha512>>(secret, &text)),
    };
    fields.push(("sig".to_owned(), signature));
    fields
}

/// Vonage's receipt at an address, in a form.
pub fn vonage_at(world: &World, url: &str, fields: &[(String, String)], form: Form) -> Request {
    let path = url.strip_prefix(PUBLIC).unwrap_or_else(|| panic!("{url} is not ours"));
    let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let post =
        |media: &str, body: String| world.request("POST", path).without("authorization").raw(media, body.into_bytes());
    match form {
        Form::Query => world.request("GET", &format!("{path}?{encoded}")).without("authorization"),
        Form::Encoded => post("application/x-www-form-urlencoded", encoded),
        Form::Json => {
            let members = fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            post("application/json", Value::Object(members).to_string())
        }
    }
}

/// Vonage's receipt of a part of what it was sent.
pub fn vonage(world: &World, sent: &Sent, part: &str, status: &str) -> Request {
    vonage_at(world, sent.field("callback").expect("no callback was asked for"), &receipt(part, status), Form::Encoded)
}

/// What is known of a message: it, its tries and its receipts.
pub async fn read(world: &World, message: &str) -> Value {
    world.get(&format!("/v1/messages/{message}")).await.expect(200)
}

/// A report that is taken: nobody is told anything.
pub async fn taken(request: Request) -> Response {
    let answer = request.send().await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    answer
}

/// Stores a setting as it stands in the database: what other isolates did.
pub fn store(world: &World, path: &str, value: &Value) {
    let nested = path.rsplit('.').fold(value.clone(), |inner, name| json!({name: inner}));
    let sql =
        format!("UPDATE instance SET settings = json_patch(settings, '{nested}'), version = version + 1 WHERE id = 1");
    world.here().database.execute(&sql);
}

/// A server in production with both carriers, which are asked in this order everywhere.
pub fn both(drivers: &[&str]) -> World {
    let world = World::native(&vars::prod_both("http://127.0.0.1:9"));
    store(&world, "sms.routes", &json!([{"countries": ["*"], "drivers": drivers}]));
    world
}
