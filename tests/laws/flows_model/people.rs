//! The people and the apps of the model, made once; each run begins with them as they were made.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use postern::{password::work, ports::Clock};
use serde_json::{Value, json};

use super::{
    model::{App, Proof},
    play::{Op, Says},
};
use crate::support::{
    Authenticator, World,
    embedded::Form,
    passkey::{self, ORIGIN},
};

/// Somebody, with everything that they know and have.
pub struct Person {
    pub id: String,
    pub email: String,
    pub password: &'static str,
    pub app: Option<Authenticator>,
    pub phone: Option<String>,
    pub recovery: Vec<String>,
    pub passkey: Option<RefCell<passkey::Authenticator>>,
}

pub struct Stage {
    pub world: World,
    pub people: Vec<Person>,
    forms: Vec<Form>,
    tables: Vec<String>,
    start: i64,
    /// How often each operation was answered in each way: a model that is never asked proves nothing.
    outcomes: RefCell<BTreeMap<String, usize>>,
}

/// The address of nobody.
pub const NOBODY: &str = "nobody@example.com";

/// Limits that the model does not have are out of the way; the one that it has is low.
const LIMITS: [(&str, i64); 11] = [
    ("second_factor_failures", super::model::FAILURES),
    ("password_failures", 0),
    ("password_failures_everywhere", 100),
    ("messages_per_user_half_hour", 100),
    ("messages_per_user_hour", 100),
    ("messages_per_destination_half_hour", 100),
    ("messages_per_destination_hour", 100),
    ("tries_per_destination_half_hour", 100),
    ("requests_per_user_five_minutes", 100),
    ("emails_per_user_half_hour", 100),
    ("emails_per_destination_half_hour", 100),
];

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}")).to_owned()
}

async fn person(world: &World, email: &str, password: &'static str, has: &[Proof]) -> Person {
    let id = text(&world.post("/v1/users", &json!({"email": email})).await.expect(201)["id"]);
    let path = format!("/v1/users/{id}/factors");
    let forced = async |mut body: Value| {
        body["override"] = json!({"reason": "the stage is set"});
        world.post(&path, &body).await.expect(201)
    };
    let mut person = Person {
        id: id.clone(),
        email: email.to_owned(),
        password,
        app: None,
        phone: None,
        recovery: Vec::new(),
        passkey: None,
    };
    for proof in has {
        let body = json!({"override": {"reason": "the stage is set"}});
        match proof {
            Proof::Password => {
                forced(json!({"type": "password", "password": password})).await;
            }
            Proof::Totp => {
                let mut enrolment = body;
                enrolment["type"] = json!("totp");
                person.app = Some(world.enrol_totp(&id, enrolment).await.1);
            }
            Proof::Phone => {
                let number = world.number();
                let mut enrolment = body;
                enrolment["type"] = json!("phone");
                enrolment["phone"] = json!(number);
                world.enrol(&id, &enrolment, &number).await;
                person.phone = Some(number);
            }
            Proof::Recovery => {
                let made = forced(json!({"type": "recovery_codes"})).await;
                person.recovery = made["recovery_codes"].as_array().unwrap().iter().map(text).collect();
            }
            Proof::Passkey => {
                let mut authenticator = passkey::Authenticator::new(ORIGIN);
                passkey::enrol(world, &mut authenticator, &id, body).await;
                person.passkey = Some(RefCell::new(authenticator));
            }
        }
    }
    person
}

impl Stage {
    pub async fn new() -> Self {
        work::make_cheap();
        let world = World::null();
        passkey::allow(&world).await;
        let limits: Value = LIMITS.iter().map(|(name, most)| ((*name).to_owned(), json!(most))).collect();
        world.patch("/v1/instance", &json!({"limits": limits})).await.expect(200);
        let people = vec![
            person(&world, "ana@example.com", "ana's otter walks at dawn", App::PEOPLE[0]).await,
            person(&world, "bea@example.com", "bea's otter walks at dawn", App::PEOPLE[1]).await,
            person(&world, "cleo@example.com", "cleo's otter walks at dawn", App::PEOPLE[2]).await,
            person(&world, "dora@example.com", "dora's otter walks at dawn", App::PEOPLE[3]).await,
        ];
        let mut forms = Vec::new();
        for app in App::ALL {
            forms.push(Form::new(&world, json!({"mfa": app.rule()})).await);
        }
        // No enrolment of the stage is still within reach of a sign-in.
        world.here().clock.advance(Duration::from_hours(1));
        world.here().database.execute("DELETE FROM challenges; DELETE FROM counters; DELETE FROM dev_inbox");
        let start = world.here().clock.now().millis();
        let named = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
            AND name NOT IN ('apps', 'app_origins', 'instance')";
        let tables: Vec<String> = world.here().database.query(named).iter().map(|row| text(&row["name"])).collect();
        let keep = |table: &String| format!("CREATE TABLE kept.{table} AS SELECT * FROM main.{table};");
        let keep: String = tables.iter().map(keep).collect();
        world.here().database.execute(&format!("ATTACH ':memory:' AS kept; {keep}"));
        Self { world, people, forms, tables, start, outcomes: RefCell::default() }
    }

    /// Everything is as it was when the stage was set, the time too.
    pub fn again(&self) {
        let here = self.world.here();
        let back =
            |table: &String| format!("DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM kept.{table};");
        let back: String = self.tables.iter().map(back).collect();
        here.database.execute(&format!("PRAGMA foreign_keys = OFF; BEGIN; {back} COMMIT; PRAGMA foreign_keys = ON;"));
        let late = here.clock.now().millis() - self.start;
        here.clock.set_back(Duration::from_millis(u64::try_from(late).unwrap()));
        crate::support::client::seen();
    }

    /// Takes down how an operation was answered.
    pub fn seen(&self, op: Op, says: &Says) {
        *self.outcomes.borrow_mut().entry(format!("{op:?} {says:?}")).or_default() += 1;
    }

    pub fn outcomes(&self) -> BTreeMap<String, usize> {
        self.outcomes.borrow().clone()
    }

    pub fn form(&self, app: App) -> &Form {
        &self.forms[App::ALL.iter().position(|known| *known == app).unwrap()]
    }
}
