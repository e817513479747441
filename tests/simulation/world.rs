//! A server in this process that a week is asked of: the real routes on real SQLite with the real migrations, a carrier
//! that takes everything, and a clock that is set.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use postern::{cron, http::serve, ports::Clock, time::Timestamp};
use serde_json::{Map, Value, json};

use super::{
    places::{COUNTRIES, Country},
    run::{Sender, Sent, Told},
    week::{Ask, From, Week, Whom},
};
use crate::support::{KEY, Native, ports::START, vars};

/// A server with its people, apps and settings.
pub struct Server {
    pub native: Native,
    pub apps: Vec<String>,
    pub people: Vec<String>,
    pub accounts: Vec<String>,
}

impl Server {
    /// In production, with prices for every country, messages to every country, and these settings of the guard.
    pub async fn new(week: &Week, fraud: &Value) -> Self {
        let native = Native::new(&vars::prod_twilio("http://127.0.0.1:9"));
        let mut this = Self { native, apps: Vec::new(), people: Vec::new(), accounts: Vec::new() };
        let mut fraud = fraud.clone();
        fraud["spend"]["prices"] = prices();
        let settings = json!({"countries": {"sms": {"allowed": ["*"]}}, "fraud": fraud});
        this.expect(200, "PATCH", "/v1/instance", settings).await;
        for app in 0..week.apps {
            let body =
                json!({"name": format!("App {app}"), "type": "web", "redirect_uris": ["https://app.example.com/"]});
            let made = this.expect(201, "POST", "/v1/apps", body).await;
            this.apps.push(made["id"].as_str().unwrap().to_owned());
        }
        for account in 0..week.accounts {
            let made =
                this.expect(201, "POST", "/v1/users", json!({"external_id": format!("account-{account}")})).await;
            this.accounts.push(made["id"].as_str().unwrap().to_owned());
        }
        this.settle(week).await;
        this
    }

    /// Puts those who have proven their number before the week where one of them is, who does it by the routes.
    async fn settle(&mut self, week: &Week) {
        let Some((number, _)) = week.people.first() else { return };
        let user = self.expect(201, "POST", "/v1/users", json!({})).await["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/users/{user}/factors");
        let factor = self.expect(201, "POST", &path, json!({"type": "phone", "phone": number})).await;
        let id = factor["factor"]["id"].as_str().unwrap_or_else(|| panic!("{factor}")).to_owned();
        let code = self.told(201, &factor).code;
        let body = json!({"challenge_id": factor["challenge"]["id"], "code": code});
        self.expect(200, "POST", &format!("{path}/{id}/activate"), body).await;
        let database = &self.native.database;
        let row = |table: &str, id: &str| database.query(&format!("SELECT * FROM {table} WHERE id = '{id}'")).remove(0);
        let (one, factor) = (row("users", &user), row("factors", &id));
        let mut sql = "BEGIN;".to_owned();
        for (index, (number, country)) in week.people.iter().enumerate() {
            let (user, phone) = (format!("usr_0{index:025}"), format!("fac_0{index:025}"));
            sql += &insert("users", &one, &[("id", user.as_str().into())]);
            let country = COUNTRIES[*country].code;
            let changed = [
                ("id", phone.as_str().into()),
                ("user_id", user.as_str().into()),
                ("phone", number.as_str().into()),
                ("country", country.into()),
            ];
            sql += &insert("factors", &factor, &changed);
            self.people.push(user);
            // A hundred at a time: the database takes no longer text.
            if index % 100 == 99 {
                database.execute(&std::mem::take(&mut sql));
            }
        }
        database.execute(&(sql + "COMMIT;"));
        // What making the one has counted is no part of the week.
        database.execute(
            "DELETE FROM fraud_counts; DELETE FROM fraud_members; DELETE FROM counters; DELETE FROM fraud_refusals",
        );
    }

    fn told(&self, status: u16, json: &Value) -> Told {
        let sent = match (status, json["code"].as_str()) {
            (200 | 201, _) => Sent::Sent,
            (422, Some("message_refused")) => Sent::Refused,
            (429, _) => Sent::Limited,
            _ => panic!("{status} {json}"),
        };
        // One moment is one message's: what was refused last was this one.
        let moment = self.native.clock.now().millis();
        let sql = format!("SELECT rule FROM fraud_refusals WHERE last_at = {moment} ORDER BY rule");
        let rows = self.native.database.query(&sql);
        let rules = rows.iter().map(|row| row["rule"].as_str().unwrap().to_owned()).collect();
        let challenge = if json["challenge"].is_object() { &json["challenge"] } else { json };
        let id = challenge["id"].as_str().unwrap_or_default().to_owned();
        let code = self.native.carriers.last_sent().map(|sent| sent.code()).unwrap_or_default();
        Told { sent, rules, id, code }
    }

    pub async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://localhost{path}"))
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = serve(self.native.app.clone(), request).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        self.native.app.ports.after.finish().await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn expect(&self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let (got, json) = self.call(method, path, &body).await;
        assert_eq!(got, status, "{method} {path}: {json}");
        json
    }
}

impl Sender for Server {
    fn set(&mut self, at: i64) {
        let now = self.now();
        assert!(at >= now, "time goes on");
        self.native.clock.advance(Duration::from_millis(u64::try_from(at - now).unwrap()));
    }

    fn now(&self) -> i64 {
        self.native.clock.now().millis() - START
    }

    async fn ask(&mut self, ask: &Ask) -> Told {
        let mut body = json!({"app_id": self.apps[ask.app], "client": client(&ask.from)});
        let path = match &ask.whom {
            Whom::Account(account, number) => {
                body["type"] = "phone".into();
                body["phone"] = number.as_str().into();
                format!("/v1/users/{}/factors", self.accounts[*account])
            }
            Whom::Number(number) => {
                body["to"] = json!({"phone": number});
                "/v1/challenges".to_owned()
            }
            Whom::Person(person) => {
                body["user_id"] = self.people[*person].as_str().into();
                "/v1/challenges".to_owned()
            }
        };
        let (status, json) = self.call("POST", &path, &body).await;
        self.told(status, &json)
    }

    async fn resend(&mut self, ask: &Ask, id: &str) -> Told {
        let body = json!({"client": client(&ask.from)});
        let (status, json) = self.call("POST", &format!("/v1/challenges/{id}/resend"), &body).await;
        self.told(status, &json)
    }

    async fn answer(&mut self, told: &Told) {
        self.expect(200, "POST", &format!("/v1/challenges/{}/answer", told.id), json!({"code": told.code})).await;
    }

    /// What the cron does every fifth minute.
    async fn hourly(&mut self) {
        let now = self.native.clock.now().millis();
        cron::run(&self.native.app, Timestamp::from_millis(now - now % 300_000)).await;
    }
}

/// What a server passes on of whoever asks.
pub fn client(from: &From) -> Value {
    match from.place {
        Some((country, asn)) => json!({"ip": from.ip, "country": country, "asn": asn}),
        None => json!({"ip": from.ip}),
    }
}

fn prices() -> Value {
    let price = |country: &Country| (country.code.to_owned(), postern::fraud::money(country.price).into());
    let mut sms: Map<String, Value> = COUNTRIES.iter().map(price).collect();
    sms.insert("*".to_owned(), "0.06".into());
    json!({"sms": sms, "voice": {"*": "0.2"}})
}

/// A row like another one.
fn insert(table: &str, row: &Map<String, Value>, changed: &[(&str, Value)]) -> String {
    let mut row = row.clone();
    row.extend(changed.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let literal = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        number => format!("CAST({number} AS INTEGER)"),
    };
    let names: Vec<&str> = row.keys().map(String::as_str).collect();
    let values: Vec<String> = row.values().map(literal).collect();
    format!("INSERT INTO {table} ({}) VALUES ({});", names.join(", "), values.join(", "))
}
