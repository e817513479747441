//! The suites, one file per group of routes as in `src/http/routes/`, and what they share: a world with one of
//! everything in it, and concrete paths and bodies for every operation.

mod access;
mod api_keys;
mod apps;
mod audit_events;
mod bad_input;
mod callbacks;
mod challenges;
mod configuration;
mod contract;
mod delivery_settings;
mod dev;
mod devices;
mod docs;
mod email_driver;
mod environment;
mod factors;
mod fraud_entries;
mod fuzz;
mod health;
mod idempotency;
mod instance;
mod invitations;
mod messages;
mod metrics;
mod mfa_evaluation;
mod oauth;
mod passkeys;
mod passwords;
mod recovery_codes;
mod samples;
mod sms_driver;
mod templates;
mod users;
mod variables;
mod webhook_deliveries;
mod webhook_endpoints;
mod well_known;

use postern::{
    api_key::Scope,
    http::{
        Code,
        contract::{Auth, Operation},
        operations,
    },
};
use serde_json::{Value, json};

use crate::support::{Request, World, oauth as tokens};

/// Ids of each kind that nothing has.
pub const NOBODY: [(&str, &str); 13] = [
    ("usr", "usr_01M83WM7ZA000G40R40M30E209"),
    ("fac", "fac_01M83WM7ZA000G40R40M30E209"),
    ("chl", "chl_01M83WM7ZA000G40R40M30E209"),
    ("msg", "msg_01M83WM7ZA000G40R40M30E209"),
    ("key", "key_01M83WM7ZA000G40R40M30E209"),
    ("app", "app_01M83WM7ZA000G40R40M30E209"),
    ("dev", "dev_01M83WM7ZA000G40R40M30E209"),
    ("ses", "ses_01M83WM7ZA000G40R40M30E209"),
    ("evt", "evt_01M83WM7ZA000G40R40M30E209"),
    ("inv", "inv_01M83WM7ZA000G40R40M30E209"),
    ("whe", "whe_01M83WM7ZA000G40R40M30E209"),
    ("whd", "whd_01M83WM7ZA000G40R40M30E209"),
    ("fre", "fre_01M83WM7ZA000G40R40M30E209"),
];

/// A world with one of everything.
pub struct Fixture {
    pub world: World,
    pub user: String,
    pub factor: String,
    pub challenge: String,
    pub message: String,
    pub api_key: String,
    pub app: String,
    pub device: String,
    pub invitation: String,
    pub session: String,
    pub endpoint: String,
    pub delivery: String,
    pub fraud_entry: String,
    /// Somebody else, who is signed in.
    pub person: Person,
}

/// Somebody who is signed in.
pub struct Person {
    pub factor: String,
    pub token: String,
    /// Another session of theirs.
    pub session: String,
}

impl Person {
    async fn new(world: &World) -> Self {
        let (user, factor, _) = world.user_with_phone().await;
        let app = tokens::app(world, json!({"type": "browser", "origins": ["https://app.example.com"]})).await;
        let other = tokens::sign_in(world, &app, &user, tokens::EVERYTHING).await;
        let session = text(&tokens::claims(&other["access_token"])["sid"]);
        let token = text(&tokens::sign_in(world, &app, &user, tokens::EVERYTHING).await["access_token"]);
        Self { factor, token, session }
    }
}

impl Fixture {
    pub async fn new() -> Self {
        let world = World::null();
        let (user, factor, number) = world.user_with_phone().await;
        let desk = json!({"name": "Desk", "mfa": {"remember_device": true}, "origins": ["https://app.example.com"]});
        let app = text(&world.post("/v1/apps", &desk).await.expect(201)["id"]);
        let remember = json!({
            "app_id": app, "proofs": [world.proof(&user, &number).await],
            "external_first_factor": {"type": "password"},
        });
        let device = world.post(&format!("/v1/users/{user}/devices"), &remember).await.expect(201);
        let device = text(&device["device"]["id"]);
        let browser = tokens::app(&world, json!({"type": "browser"})).await;
        let set = tokens::sign_in(&world, &browser, &user, tokens::EVERYTHING).await;
        let session = text(&tokens::claims(&set["access_token"])["sid"]);
        let challenge = world.challenge(&world.number()).await;
        let invite = json!({"email": "eve@example.com", "url": "https://app.example.com/join"});
        let invitation = text(&world.post("/v1/invitations", &invite).await.expect(201)["id"]);
        let (api_key, _) = new_key(&world, &["challenges"]).await;
        let (message, challenge) = (text(&challenge["message_id"]), text(&challenge["id"]));
        // It hears little: the calls of these tests are many.
        let endpoint = world.listen(&["webhook.endpoint_created"]).await.id;
        let deliveries = world.get(&format!("/v1/webhook-deliveries?endpoint_id={endpoint}")).await.expect(200);
        let delivery = text(&deliveries["data"][0]["id"]);
        let block = json!({"list": "block", "asn": 64511, "hours": 1});
        let fraud_entry = text(&world.post("/v1/fraud-entries", &block).await.expect(201)["id"]);
        let person = Person::new(&world).await;
        Self {
            world,
            user,
            factor,
            challenge,
            message,
            api_key,
            app,
            device,
            invitation,
            session,
            endpoint,
            delivery,
            fraud_entry,
            person,
        }
    }

    /// The operation's path with ids of things that are there.
    pub fn path(&self, operation: &Operation) -> String {
        let of = match operation.path.split('/').nth(2) {
            Some("challenges") => &self.challenge,
            Some("users") => &self.user,
            Some("api-keys") => &self.api_key,
            Some("apps") => &self.app,
            Some("invitations") => &self.invitation,
            Some("fraud-entries") => &self.fraud_entry,
            Some("webhook-endpoints") => &self.endpoint,
            Some("webhook-deliveries") => &self.delivery,
            Some("me") => match operation.path.split('/').nth(3) {
                Some("sessions") => &self.person.session,
                Some("devices") => &self.device,
                _ => &self.person.factor,
            },
            _ => &self.message,
        };
        operation
            .path
            .replace("{id}", of)
            .replace("{slug}", "verification_code")
            .replace("{cid}", &self.challenge)
            .replace("{fid}", &self.factor)
            .replace("{did}", &self.device)
            .replace("{sid}", &self.session)
            .replace("{message_id}", &self.message)
    }

    /// A call of an operation with ids that are there and the body of its example.
    pub fn call(&self, operation: &Operation) -> Request {
        with_example(self.request(operation, &self.path(operation)), operation)
    }

    /// A call of an operation there, by whoever may: a server, or somebody who is signed in.
    pub fn request(&self, operation: &Operation, path: &str) -> Request {
        let request = self.world.request(operation.method, path);
        match operation.auth {
            Auth::User => request.key(&self.person.token),
            _ => request,
        }
    }
}

/// The request with the operation's example as its body, if it takes one.
pub fn with_example(request: Request, operation: &Operation) -> Request {
    match operation.body {
        Some(_) => request.json(&serde_json::from_str(operation.example).unwrap_or_else(|_| json!({}))),
        None => request,
    }
}

/// Every operation of the server API.
pub fn keyed() -> Vec<(Operation, Scope)> {
    let scope = |operation: &Operation| match operation.auth {
        Auth::Key(scope) => Some(scope),
        _ => None,
    };
    operations().into_iter().filter_map(|operation| scope(&operation).map(|scope| (operation, scope))).collect()
}

/// Every operation of the server API, and of people who are signed in.
pub fn checked() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(|operation| matches!(operation.auth, Auth::Key(_) | Auth::User))
}

/// Makes a key; gives its id and its secret.
pub async fn new_key(world: &World, scopes: &[&str]) -> (String, String) {
    let body = json!({"name": "Test", "scopes": scopes});
    let made = world.post("/v1/api-keys", &body).await.expect(201);
    (text(&made["api_key"]["id"]), text(&made["secret"]))
}

/// Makes a user; gives the id.
pub async fn new_user(world: &World, body: &Value) -> String {
    text(&world.post("/v1/users", body).await.expect(201)["id"])
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}")).to_owned()
}

/// Follows a list from page to page; gives every entry, and how many pages there were.
pub async fn pages(world: &World, path: &str, limit: usize) -> (Vec<Value>, usize) {
    let (mut all, mut count, mut cursor) = (Vec::new(), 0, String::new());
    let joint = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = world.get(&format!("{path}{joint}limit={limit}{cursor}")).await.expect(200);
        let data = page["data"].as_array().unwrap().clone();
        assert!(data.len() <= limit);
        all.extend(data);
        count += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (all, count),
        }
    }
}

/// A text as it stands in a query.
pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The names of codes.
pub fn names(codes: &[Code]) -> Vec<&'static str> {
    codes.iter().map(|code| code.as_str()).collect()
}
