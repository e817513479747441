//! Flows of every kind by many at once: sign-ins, sign-ups and resets of the same people, several calls of each flow
//! together. Whatever was faster, what has ended in a code has been proven, and each flow ended once. That is read from
//! the rows.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::{Value, json};

use super::{
    model::{App, Asks, Proof},
    people::{NOBODY, Stage},
};
use crate::support::{
    Authenticator, Request, Response, at_once,
    embedded::{Flow, RESET, SIGN_IN, SIGN_UP},
    passkey,
};

/// One flow of the crowd.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    pub kind: usize,
    pub app: usize,
    pub who: usize,
    pub dice: u64,
}

/// What a flow's page knows.
struct Played {
    flow: Flow,
    app: App,
    client: Client,
    /// What enrolments showed, by factor.
    shown: BTreeMap<String, Value>,
    codes: usize,
}

const NEW: &str = "nine herons on a frozen lake";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}")).to_owned()
}

pub struct Crowd<'a> {
    stage: &'a Stage,
    flows: Vec<Played>,
}

impl<'a> Crowd<'a> {
    pub async fn new(stage: &'a Stage, clients: &[Client]) -> Self {
        stage.again();
        let mut flows = Vec::new();
        for client in clients {
            let app = App::ALL[client.app];
            let kind = [SIGN_IN, SIGN_UP, RESET][client.kind];
            let flow = stage.form(app).begin(&stage.world, kind, json!({})).await;
            flows.push(Played { flow, app, client: *client, shown: BTreeMap::new(), codes: 0 });
        }
        Self { stage, flows }
    }

    fn email(&self, who: usize) -> &str {
        self.stage.people.get(who).map_or(NOBODY, |person| &person.email)
    }

    fn rows(&self, sql: &str) -> Vec<serde_json::Map<String, Value>> {
        self.stage.world.here().database.query(sql)
    }

    /// Everybody does something, more than once and all together; then the clock goes on.
    pub async fn round(&mut self, dice: u64) -> Result<(), TestCaseError> {
        let mut requests = Vec::new();
        let mut of = Vec::new();
        for (at, played) in self.flows.iter().enumerate() {
            let form = self.stage.form(played.app);
            let read = form.read(&self.stage.world, &played.flow).await.expect(200);
            let mut random = dice ^ played.client.dice.rotate_left(u32::try_from(at).unwrap());
            for _ in 0..2 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if let Some((rest, body)) = self.call(played, &read, (random >> 33) as usize) {
                    // Impatient: the same twice.
                    for _ in 0..=(random >> 60) % 2 {
                        let request: Request = form.post(&self.stage.world, &played.flow, &rest, &body);
                        requests.push(request);
                        of.push(at);
                    }
                }
            }
        }
        let told = at_once(requests).await;
        for (at, response) in of.into_iter().zip(told) {
            self.note(at, &response)?;
        }
        self.stage.world.here().clock.advance(std::time::Duration::from_secs(31));
        self.audit()
    }

    fn note(&mut self, at: usize, response: &Response) -> Result<(), TestCaseError> {
        prop_assert!(response.status < 500, "{}", response.text);
        let played = &mut self.flows[at];
        if response.status == 201 && response.json["factor"].is_object() {
            played.shown.insert(text(&response.json["factor"]["id"]), response.json.clone());
        }
        if response.status == 200 && response.json["code"].is_string() {
            prop_assert_eq!(&response.json["step"], &json!("complete"));
            played.codes += 1;
        }
        Ok(())
    }

    /// What a page calls at this step, right or wrong.
    #[expect(clippy::match_same_arms, reason = "in the order of the steps")]
    fn call(&self, played: &Played, read: &Value, dice: usize) -> Option<(String, Value)> {
        let client = played.client;
        let named = json!({"identifier": self.email(client.who)});
        let password = self.stage.people.get(client.who).map_or(NEW, |person| person.password);
        let mut both = named.clone();
        both["password"] = json!(if dice.is_multiple_of(3) { "a wrong one, and a long one" } else { password });
        let known_password = json!({"password": both["password"]});
        let id = text(&read["id"]);
        let newest = |kinds: &str| {
            let sql = format!(
                "SELECT id, type, awaits FROM challenges WHERE bound_to = '{id}' AND type IN ({kinds})
                 AND verified_at IS NULL ORDER BY rowid DESC LIMIT 1"
            );
            self.rows(&sql).pop()
        };
        Some(match (read["step"].as_str()?, client.kind, dice % 4) {
            ("needs_identifier", 2, _) | ("needs_identifier", _, 0) => ("identifier".to_owned(), named),
            ("needs_identifier", ..) => ("password".to_owned(), both),
            ("needs_first_factor", 0, 0) => ("identifier".to_owned(), named),
            ("needs_first_factor", 0 | 1, _) | ("needs_verification", _, 0) => ("password".to_owned(), known_password),
            ("needs_first_factor", _, 0) => ("recovery-code".to_owned(), self.recovery(client.who, dice)),
            ("needs_first_factor" | "needs_verification", ..) => self.answer(&newest("'email'")?, client.who, dice)?,
            ("needs_second_factor", _, 0 | 1) => ("challenges".to_owned(), json!({})),
            ("needs_second_factor", _, 2) => ("recovery-code".to_owned(), self.recovery(client.who, dice)),
            ("needs_second_factor", ..) => self.answer(&newest("'totp', 'phone', 'passkey'")?, client.who, dice)?,
            ("needs_enrolment", ..) if played.shown.is_empty() || dice.is_multiple_of(4) => {
                ("enrolments".to_owned(), json!({"type": "totp"}))
            }
            ("needs_enrolment", ..) => {
                let (factor, shown) = played.shown.iter().nth(dice % played.shown.len())?;
                let code = Authenticator::scan(shown).code(self.stage.world.now());
                (format!("enrolments/{factor}/activate"), json!({"code": code}))
            }
            ("needs_new_password", ..) => ("new-password".to_owned(), json!({"password": NEW})),
            _ => return None,
        })
    }

    fn recovery(&self, who: usize, dice: usize) -> Value {
        let codes = self.stage.people.get(who).map(|person| person.recovery.as_slice()).unwrap_or_default();
        let code = codes.get(dice / 4 % codes.len().max(1)).map_or("0000-1111-2222-3333", String::as_str);
        json!({"code": code})
    }

    fn answer(&self, challenge: &serde_json::Map<String, Value>, who: usize, dice: usize) -> Option<(String, Value)> {
        let id = text(&challenge["id"]);
        let sent = format!(
            "SELECT i.code AS code FROM dev_inbox i JOIN messages m ON m.id = i.message_id
             WHERE m.challenge_id = '{id}' ORDER BY i.rowid DESC LIMIT 1"
        );
        let person = self.stage.people.get(who);
        let body = match challenge["type"].as_str()? {
            _ if dice.is_multiple_of(5) => json!({"code": "000000"}),
            "totp" => json!({"code": person?.app.as_ref()?.code(self.stage.world.now())}),
            "passkey" => {
                let awaits: Value = serde_json::from_str(challenge["awaits"].as_str()?).ok()?;
                let options = json!({"challenge": awaits["challenge"], "rpId": passkey::RP_ID, "allowCredentials": []});
                let mut authenticator = person?.passkey.as_ref()?.borrow_mut();
                json!({"credential": authenticator.get(&options)})
            }
            _ => json!({"code": self.rows(&sent).pop()?["code"]}),
        };
        Some((format!("challenges/{id}/answer"), body))
    }

    /// What has to hold whatever has happened.
    fn audit(&self) -> Result<(), TestCaseError> {
        let ended = self.rows("SELECT id, type, app_id, user_id, ended_at FROM flows WHERE end_reason = 'complete'");
        let codes = self.rows("SELECT code_hash FROM authorization_codes").len();
        // A new password ends codes that wait, too.
        prop_assert!(codes <= ended.len(), "a code for each flow that ended in one: {} {}", codes, ended.len());
        for played in &self.flows {
            let complete = ended.iter().any(|row| played.flow.path.ends_with(row["id"].as_str().unwrap()));
            prop_assert_eq!(played.codes, usize::from(complete), "one code, to one call: {:?}", played.client);
        }
        for row in &ended {
            self.proven(row)?;
        }
        // Whoever signs up with an address has it alone, and has proven it.
        let users =
            self.rows("SELECT email_normalised, email_verified_at FROM users WHERE email_normalised IS NOT NULL");
        let addresses: BTreeSet<&str> = users.iter().filter_map(|row| row["email_normalised"].as_str()).collect();
        prop_assert_eq!(addresses.len(), users.len());
        let nobody = users.iter().find(|row| row["email_normalised"] == NOBODY);
        prop_assert!(nobody.is_none_or(|row| row["email_verified_at"].is_number()));
        Ok(())
    }

    /// Whether what was proven in a flow is what its end asks for.
    fn proven(&self, row: &serde_json::Map<String, Value>) -> Result<(), TestCaseError> {
        let (id, user) = (row["id"].as_str().unwrap(), row["user_id"].as_str().unwrap());
        let ended = row["ended_at"].as_f64().unwrap();
        let sql = format!(
            "SELECT c.type, c.purpose, c.factor_id, c.evidence, f.activated_at FROM challenges c
             LEFT JOIN factors f ON f.id = c.factor_id
             WHERE c.bound_to = '{id}' AND c.user_id = '{user}' AND c.verified_at IS NOT NULL"
        );
        let verified = self.rows(&sql);
        let kind = |name: &str| match name {
            "password" => Some(Proof::Password),
            "totp" => Some(Proof::Totp),
            "phone" => Some(Proof::Phone),
            "recovery_codes" => Some(Proof::Recovery),
            "passkey" => Some(Proof::Passkey),
            _ => None,
        };
        let mut proofs: BTreeSet<Proof> =
            verified.iter().filter_map(|row| kind(row["type"].as_str().unwrap())).collect();
        // A reset that came after it took the old password away, and what that has proven.
        let reset = format!(
            "SELECT id FROM flows WHERE type = 'password_reset' AND end_reason = 'complete' AND user_id = '{user}'
             AND ended_at >= {ended} AND id <> '{id}'"
        );
        if !self.rows(&reset).is_empty() {
            proofs.insert(Proof::Password);
        }
        // What they had before this moment, and what they have enrolled here.
        let factors = format!(
            "SELECT type FROM factors WHERE user_id = '{user}' AND (activated_at < {ended} OR id IN (
               SELECT factor_id FROM challenges WHERE bound_to = '{id}' AND purpose = 'enrolment' AND verified_at IS NOT NULL)
               AND activated_at IS NOT NULL)"
        );
        let mut has: BTreeSet<Proof> =
            self.rows(&factors).iter().filter_map(|row| kind(row["type"].as_str().unwrap())).collect();
        has.insert(Proof::Password);
        let app = self.flows.iter().find(|played| played.flow.path.ends_with(id)).map(|played| played.app);
        let app = app.ok_or_else(|| TestCaseError::fail(format!("whose flow is {id}?")))?;
        let mailbox = verified.iter().any(|row| row["type"] == "email");
        let context = format!("{row:?}\n{app:?} has {has:?}, proven {proofs:?}, mailbox {mailbox}");
        match row["type"].as_str().unwrap() {
            "sign_in" => {
                let first = proofs.contains(&Proof::Password) || proofs.contains(&Proof::Passkey);
                prop_assert!(first && app.asks(&has, &proofs) == Asks::Nothing, "{}", context);
            }
            "password_reset" => {
                prop_assert!(mailbox || proofs.contains(&Proof::Recovery), "{}", context);
                let strong = [Proof::Totp, Proof::Phone, Proof::Passkey];
                let asked = strong.iter().any(|proof| has.contains(proof));
                let second = strong.iter().any(|proof| proofs.contains(proof));
                let stands_in = mailbox && proofs.contains(&Proof::Recovery);
                prop_assert!(!asked || second || stands_in, "{}", context);
                let set = format!(
                    "SELECT id FROM factors WHERE user_id = '{user}' AND type = 'password' AND activated_at >= {ended}"
                );
                prop_assert!(!self.rows(&set).is_empty(), "a reset ends with a new password: {}", context);
            }
            _ => {
                let address = self.rows(&format!("SELECT email_verified_at FROM users WHERE id = '{user}'"));
                prop_assert!(address[0]["email_verified_at"].is_number(), "{}", context);
                let enrolled = app == App::Shop || proofs.contains(&Proof::Totp);
                prop_assert!(enrolled, "{}", context);
            }
        }
        Ok(())
    }

    /// How many flows of each kind ended in a code.
    pub fn ended(&self) -> Vec<String> {
        let ended = self.rows("SELECT type FROM flows WHERE end_reason = 'complete'");
        ended.iter().map(|row| text(&row["type"])).collect()
    }
}
