//! What a scenario sees: a client, fresh numbers, and the carriers, whether the server is in this process or in
//! workerd. Native tests have more: the database, the clock, the log.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use std::time::Duration;

use postern::ports::Clock;
use serde_json::{Value, json};

use super::{
    authenticator::Authenticator,
    calls::Called,
    carriers::{Behaviour, Carriers, Sent},
    client::{Request, Response, Target},
    native::Native,
    vars::{self, Vars},
    webhook_sink::Heard,
};

pub struct World {
    pub target: Target,
    pub carriers: Arc<Carriers>,
    native: Option<Native>,
}

/// Every scenario's numbers are its own: many share one server in workerd.
static NUMBERS: AtomicU32 = AtomicU32::new(0);

impl World {
    /// A server in this process.
    pub fn native(vars: &Vars) -> Self {
        let native = Native::new(vars);
        Self { target: native.target(), carriers: Arc::clone(&native.carriers), native: Some(native) }
    }

    /// A server in this process, in development with the null driver.
    pub fn null() -> Self {
        Self::native(&vars::null())
    }

    /// A server in this process, in production with Twilio.
    pub fn twilio() -> Self {
        Self::native(&vars::prod_twilio("http://127.0.0.1:9"))
    }

    /// A server in this process, in production with Vonage.
    pub fn vonage() -> Self {
        Self::native(&vars::prod_vonage("http://127.0.0.1:9"))
    }

    /// The same with the fraud guard off, before the first request: for tests that send more than anybody would, and are
    /// about something else.
    pub fn unguarded(self) -> Self {
        let off = "UPDATE instance SET settings = json_set(settings, '$.fraud', json('{\"mode\": \"off\"}'))";
        self.here().database.execute(off);
        self
    }

    /// A server behind a URL.
    pub fn remote(base: &str, carriers: Arc<Carriers>) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { target: Target::There(base.to_owned(), client), carriers, native: None }
    }

    /// What only native tests have.
    #[track_caller]
    pub fn here(&self) -> &Native {
        self.native.as_ref().expect("this test needs a server in this process")
    }

    /// A world on another view of the same server: another isolate, another deployment.
    pub fn on(native: &Native) -> Self {
        Self { target: native.target(), carriers: Arc::clone(&native.carriers), native: Some(native.clone()) }
    }

    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.target.clone(), method, path)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.request("POST", path).json(body).send().await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Response {
        self.request("PATCH", path).json(body).send().await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path).send().await
    }

    /// A number of the United States that no other scenario has.
    #[allow(clippy::unused_self)]
    pub fn number(&self) -> String {
        let count = NUMBERS.fetch_add(1, Ordering::Relaxed);
        format!("+1415{:03}{:04}", 200 + count / 10_000, count % 10_000)
    }

    /// A number of the United Kingdom that no other scenario has.
    #[allow(clippy::unused_self)]
    pub fn british_number(&self) -> String {
        format!("+4477009{:05}", NUMBERS.fetch_add(1, Ordering::Relaxed))
    }

    /// An address that no other scenario has.
    #[allow(clippy::unused_self)]
    pub fn address(&self) -> String {
        format!("ana.beispiel{}@example.com", NUMBERS.fetch_add(1, Ordering::Relaxed))
    }

    /// Sends a code to a number; gives the challenge.
    #[track_caller]
    pub fn challenge(&self, number: &str) -> impl Future<Output = Value> + use<> {
        let request = self.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}));
        async move { request.send().await.expect(201) }
    }

    /// Calls a number with a code; gives the challenge.
    #[track_caller]
    pub fn call(&self, number: &str) -> impl Future<Output = Value> + use<> {
        let body = json!({"to": {"phone": number}, "channel": "voice"});
        let request = self.request("POST", "/v1/challenges").json(&body);
        async move { request.send().await.expect(201) }
    }

    /// The newest call to a number.
    pub fn called(&self, number: &str) -> Called {
        self.carriers.calls_to(number).pop().unwrap_or_else(|| panic!("nobody called {number}"))
    }

    /// Answers a challenge.
    pub async fn answer(&self, challenge: &Value, code: &str) -> Response {
        let id = challenge["id"].as_str().expect("a challenge's id");
        self.post(&format!("/v1/challenges/{id}/answer"), &json!({"code": code})).await
    }

    /// The newest code for a number or address: what the carrier got, or what is in the dev inbox.
    pub async fn code(&self, number: &str) -> String {
        let sent: Option<Sent> = self.carriers.sent_to(number).pop();
        if let Some(sent) = sent {
            return sent.code();
        }
        if let Some(mail) = self.carriers.mail.sent_to(number).into_iter().rfind(|mail| !mail.code().is_empty()) {
            return mail.code();
        }
        if let Some(native) = &self.native {
            // The newest row: ids of one millisecond are in no order.
            let newest = format!(
                "SELECT i.code AS code FROM dev_inbox i JOIN messages m ON m.id = i.message_id
                 WHERE m.destination = '{number}' AND i.code IS NOT NULL ORDER BY i.rowid DESC LIMIT 1"
            );
            let rows = native.database.query(&newest);
            let row = rows.first().unwrap_or_else(|| panic!("no code for {number}"));
            return row["code"].as_str().unwrap().to_owned();
        }
        let encoded: String = form_urlencoded::byte_serialize(number.as_bytes()).collect();
        let inbox = self.get(&format!("/dev/inbox.json?to={encoded}")).await.expect(200);
        let mut codes = inbox.as_array().unwrap().iter().filter_map(|entry| entry["code"].as_str());
        codes.next().unwrap_or_else(|| panic!("no code for {number}")).to_owned()
    }

    /// A code that is not this one.
    #[allow(clippy::unused_self)]
    pub fn wrong(&self, code: &str) -> String {
        let number: u64 = code.parse().expect("a code");
        format!("{:0width$}", (number + 1) % 10u64.pow(u32::try_from(code.len()).unwrap()), width = code.len())
    }

    /// A challenge of the user's phone that was just verified: its id.
    pub async fn proof(&self, user: &str, number: &str) -> String {
        self.proof_for(user, number, "sign_in").await
    }

    /// The same, for a purpose.
    pub async fn proof_for(&self, user: &str, number: &str, purpose: &str) -> String {
        let body = json!({"user_id": user, "purpose": purpose});
        let challenge = self.post("/v1/challenges", &body).await.expect(201);
        let code = self.code(number).await;
        let answered = self.answer(&challenge, &code).await.expect(200);
        assert_eq!(answered["status"], "verified");
        answered["id"].as_str().unwrap().to_owned()
    }

    /// What the policy answers for a user whose password the caller has checked.
    pub async fn evaluate(&self, user: &str, more: &Value) -> Response {
        let mut body = json!({"external_first_factor": {"type": "password"}});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.post(&format!("/v1/users/{user}/mfa-evaluation"), &body).await
    }

    /// A user with a proven phone: the user's id, the factor's id and the number.
    pub async fn user_with_phone(&self) -> (String, String, String) {
        let user = self.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
        let number = self.number();
        let factor = self.enrol(&user, &json!({"type": "phone", "phone": number}), &number).await;
        (user, factor, number)
    }

    /// A user with a proven mailbox: the user's id, the factor's id and the address.
    pub async fn user_with_email(&self) -> (String, String, String) {
        let user = self.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
        let address = self.address();
        let factor = self.enrol(&user, &json!({"type": "email", "email": address}), &address).await;
        (user, factor, address)
    }

    /// Adds a factor to a user and proves it with the code that goes to its destination; gives its id.
    pub async fn enrol(&self, user: &str, body: &Value, destination: &str) -> String {
        let path = format!("/v1/users/{user}/factors");
        let enrolled = self.post(&path, body).await.expect(201);
        let factor = enrolled["factor"]["id"].as_str().unwrap().to_owned();
        let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": self.code(destination).await});
        let active = self.post(&format!("{path}/{factor}/activate"), &body).await.expect(200);
        assert_eq!(active["status"], "active");
        factor
    }
}

impl World {
    /// Milliseconds since 1970, by the clock of the server.
    pub fn now(&self) -> i64 {
        if let Some(native) = &self.native {
            return native.clock.now().millis();
        }
        #[allow(clippy::disallowed_methods)]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_millis()).unwrap()
    }

    /// Waits until the step of authenticator apps has ten seconds left, so that none ends in the middle of a test.
    pub async fn early_in_a_step(&self) {
        let left = 30_000 - self.now() % 30_000;
        if left >= 10_000 {
            return;
        }
        let left = Duration::from_millis(u64::try_from(left).unwrap());
        match &self.native {
            Some(native) => native.clock.advance(left),
            None => tokio::time::sleep(left).await,
        }
    }

    /// A user with a proven authenticator app: the user's id, the factor's id and the app. What proved it was the code
    /// before the current one, so that the current one is not used yet.
    pub async fn user_with_totp(&self) -> (String, String, Authenticator) {
        let user = self.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
        let (factor, app) = self.enrol_totp(&user, json!({"type": "totp"})).await;
        (user, factor, app)
    }

    /// Enrols an authenticator app: the factor's id and the app.
    pub async fn enrol_totp(&self, user: &str, body: Value) -> (String, Authenticator) {
        self.early_in_a_step().await;
        let path = format!("/v1/users/{user}/factors");
        let enrolled = self.post(&path, &body).await.expect(201);
        let factor = enrolled["factor"]["id"].as_str().unwrap().to_owned();
        let app = Authenticator::scan(&enrolled);
        let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": app.code(self.now() - 30_000)});
        let active = self.post(&format!("{path}/{factor}/activate"), &body).await.expect(200);
        assert_eq!(active["status"], "active");
        (factor, app)
    }
}

/// An endpoint that hears events.
pub struct Listener {
    pub id: String,
    pub secret: String,
    pub path: String,
    carriers: Arc<Carriers>,
}

impl Listener {
    /// What it has heard.
    pub fn heard(&self) -> Vec<Heard> {
        self.carriers.events.heard(&self.path)
    }

    /// The types of what it has heard.
    pub fn kinds(&self) -> Vec<String> {
        self.heard().iter().map(|heard| heard.kind().to_owned()).collect()
    }

    /// What it answers from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.carriers.events.behave(&self.path, behaviour);
    }

    /// What it answers next, once.
    pub fn behave_once(&self, behaviour: Behaviour) {
        self.carriers.events.behave_once(&self.path, behaviour);
    }

    /// It was shown another secret.
    pub fn learn(&self, secret: &str) {
        self.carriers.events.learn(&self.path, secret);
    }
}

impl World {
    /// Makes an endpoint of its own that hears these events.
    pub async fn listen(&self, events: &[&str]) -> Listener {
        let path = format!("/events/{}", NUMBERS.fetch_add(1, Ordering::Relaxed));
        let base = self.carriers.base().unwrap_or_else(|| "https://hooks.example.com".to_owned());
        let body = json!({"url": format!("{base}{path}"), "events": events});
        let made = self.post("/v1/webhook-endpoints", &body).await.expect(201);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        self.carriers.events.learn(&path, &text("secret"));
        Listener { id: text("id"), secret: text("secret"), path, carriers: Arc::clone(&self.carriers) }
    }
}

impl Drop for World {
    /// No test may end with a carrier that got what no carrier takes.
    fn drop(&mut self) {
        let violations = self.carriers.violations();
        if !std::thread::panicking() {
            assert!(violations.is_empty(), "{violations:#?}");
        }
    }
}
