//! Plays turns against the server and against the model at once: what the server says has to be what the model says.

use std::{fmt, time::Duration};

use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::{Value, json};

use super::{
    model::{App, Asked, Asks, MINUTE, Proof, SignIn, Someone, Who},
    people::{NOBODY, Person, Stage},
};
use crate::support::{
    Request, Response,
    embedded::{Flow, SIGN_IN},
    passkey,
};

/// What somebody does with a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Identify,
    Password {
        right: bool,
        named: bool,
    },
    PasskeyOptions,
    Passkey {
        right: bool,
    },
    Challenge,
    Answer {
        right: bool,
    },
    /// An answer to a challenge of another flow.
    AnswerElsewhere,
    Recovery {
        right: bool,
    },
    Enrol,
    Activate {
        right: bool,
    },
    /// The right code of an app that was scanned before the newest one.
    ActivateEarlier,
    Skip,
    Read,
    Abandon,
    /// With the token of another flow.
    OthersToken,
    /// From another page.
    OtherPage,
    /// So many seconds.
    Wait(u64),
}

/// One turn; what an operation does not need of it, it ignores.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub slot: usize,
    /// Anything at all; `None`: something that the step may take.
    pub any: Option<Op>,
    pub dice: usize,
    pub who: usize,
    pub app: usize,
    pub pick: usize,
    pub remember: bool,
}

/// What the model says that the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// The flow, at this step.
    Step(&'static str),
    /// Something was made for it.
    Made,
    /// Nothing.
    Gone,
    /// Refused, after something was counted or noted.
    Refused(u16, &'static str),
    /// Refused, and nothing is other than before.
    Untouched(u16, &'static str),
}

/// What a failure is told with.
struct Context<'a>(Turn, Op, &'a SignIn, &'a str);

impl fmt::Display for Context<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} {:?}\n{:?}\n{}", self.0, self.1, self.2, self.3)
    }
}

pub struct Play<'a> {
    pub stage: &'a Stage,
    pub people: Vec<Someone>,
    pub slots: Vec<Option<(SignIn, Flow)>>,
    /// How many flows ended in a code.
    pub codes: i64,
}

const MISMATCH: Says = Says::Untouched(409, "flow_step_mismatch");

impl<'a> Play<'a> {
    pub fn new(stage: &'a Stage) -> Self {
        stage.again();
        let now = stage.world.now();
        let people = App::PEOPLE.iter().map(|has| Someone::new(has, now)).collect();
        Self { stage, people, slots: vec![None, None, None], codes: 0 }
    }

    fn now(&self) -> i64 {
        self.stage.world.now()
    }

    /// How many rows were ever changed.
    fn changes(&self) -> i64 {
        self.stage.world.here().database.number("SELECT total_changes()")
    }

    fn who(&self, turn: &Turn) -> Who {
        if turn.who < self.people.len() { Who::Known(turn.who) } else { Who::Nobody }
    }

    fn person(&self, who: Who) -> Option<&'a Person> {
        match who {
            Who::Known(at) => Some(&self.stage.people[at]),
            Who::Nobody => None,
        }
    }

    fn email(&self, who: Who) -> &'a str {
        self.person(who).map_or(NOBODY, |person| &person.email)
    }

    /// Plays one turn.
    pub async fn turn(&mut self, turn: Turn) -> Result<(), TestCaseError> {
        if let Some(Op::Wait(seconds)) = turn.any {
            self.stage.world.here().clock.advance(Duration::from_secs(seconds));
            return Ok(());
        }
        let now = self.now();
        let is_over = |(flow, _): &(SignIn, Flow)| flow.complete || flow.abandoned || flow.dies <= now;
        if self.slots[turn.slot].as_ref().is_none_or(|played| turn.any.is_none() && is_over(played)) {
            return self.begin(turn).await;
        }
        let (mut model, flow) = self.slots[turn.slot].clone().unwrap();
        let op = turn.any.unwrap_or_else(|| self.fitting(&model, &turn));
        let Some((request, says)) = self.play(&mut model, &flow, turn, op) else { return Ok(()) };
        let before = self.changes();
        let response = request.send().await;
        self.stage.seen(op, &says);
        let context = &Context(turn, op, &model.clone(), &response.text);
        Self::hold(&says, &response, context)?;
        if matches!(says, Says::Untouched(..)) {
            prop_assert_eq!(self.changes(), before, "what is refused changes nothing: {}", context);
        }
        self.note(&mut model, turn, &response);
        if says == Says::Step("complete") && response.json["code"].is_string() {
            self.codes += 1;
            let was = self.slots[turn.slot].as_ref().map(|(model, _)| model.complete);
            prop_assert_eq!(was, Some(false), "one code for a flow: {}", context);
        }
        self.offers(&model, &says, &response, context)?;
        self.slots[turn.slot] = Some((model, flow));
        self.counted(context)
    }

    async fn begin(&mut self, turn: Turn) -> Result<(), TestCaseError> {
        let app = App::ALL[turn.app];
        let who = turn.pick.is_multiple_of(2).then(|| self.who(&turn));
        let named = who.map_or(json!({}), |who| json!({"identifier": self.email(who)}));
        let flow = self.stage.form(app).begin(&self.stage.world, SIGN_IN, named).await;
        let model = SignIn::new(app, who, self.now());
        prop_assert_eq!(&flow.json["step"], &json!(model.step(&self.people, self.now())));
        self.slots[turn.slot] = Some((model, flow));
        Ok(())
    }

    /// Something that the step may take, right or wrong.
    fn fitting(&self, model: &SignIn, turn: &Turn) -> Op {
        let password = |right, named| Op::Password { right, named };
        let any: &[Op] = match model.step(&self.people, self.now()) {
            "needs_identifier" => &[
                Op::Identify,
                password(true, true),
                password(true, true),
                password(false, true),
                Op::PasskeyOptions,
                Op::Passkey { right: true },
            ],
            "needs_first_factor" if model.who == Some(Who::Nobody) => {
                &[Op::Identify, password(false, false), password(true, true), Op::Passkey { right: false }]
            }
            "needs_first_factor" => &[
                password(true, false),
                password(true, false),
                password(false, false),
                Op::PasskeyOptions,
                Op::Passkey { right: true },
                Op::Passkey { right: false },
            ],
            "needs_second_factor" if model.asked.is_empty() => {
                &[Op::Challenge, Op::Challenge, Op::Recovery { right: true }, Op::Recovery { right: false }]
            }
            "needs_second_factor" => &[
                Op::Answer { right: true },
                Op::Answer { right: false },
                Op::Answer { right: false },
                Op::Recovery { right: false },
                Op::Challenge,
            ],
            "needs_enrolment" if model.enrolling.is_none() => &[Op::Enrol],
            "needs_enrolment" => {
                &[Op::Activate { right: true }, Op::Activate { right: false }, Op::ActivateEarlier, Op::Enrol]
            }
            _ => &[Op::Read],
        };
        any[turn.dice % any.len()]
    }

    /// Which second factor a turn is about: one that is asked for, or any.
    fn second(&self, model: &SignIn, turn: &Turn) -> Proof {
        match model.asks(&self.people) {
            Some(Asks::OneOf(any)) if turn.any.is_none() || turn.pick < 12 => {
                any.iter().nth(turn.pick % any.len()).copied().unwrap()
            }
            _ => [Proof::Totp, Proof::Phone, Proof::Passkey][turn.pick % 3],
        }
    }

    /// The call, and what the model says to it. `None`: there is nothing to do it with.
    fn play(&mut self, model: &mut SignIn, flow: &Flow, turn: Turn, op: Op) -> Option<(Request, Says)> {
        let now = self.now();
        let form = self.stage.form(model.app);
        let world = &self.stage.world;
        let step = model.step(&self.people, now);
        let open = model.is_open(&self.people, now);
        let post = |rest: &str, body: Value| form.post(world, flow, rest, &body);
        Some(match op {
            Op::Wait(_) => return None,
            Op::Identify => {
                let who = self.who(&turn);
                let request = post("identifier", json!({"identifier": self.email(who)}));
                if !open {
                    return Some((request, MISMATCH));
                }
                model.who = Some(who);
                (request, Says::Step("needs_first_factor"))
            }
            Op::Password { right, named } => self.password(model, flow, turn, right, named),
            Op::PasskeyOptions => (post("passkey/options", json!({})), if open { Says::Made } else { MISMATCH }),
            Op::Passkey { right } => {
                let options = model.first_passkey.as_ref()?.public_key.clone();
                let request = post("passkey", json!({"credential": self.assertion(3, &options, right)}));
                if !open {
                    return Some((request, MISMATCH));
                }
                let asked = model.first_passkey.as_mut()?;
                match (asked.dies <= now, asked.wrong >= 5, right) {
                    (true, ..) => (request, Says::Refused(422, "verification_expired")),
                    (_, true, _) => (request, Says::Refused(422, "verification_failed")),
                    (.., false) => {
                        asked.wrong += 1;
                        (request, Says::Refused(422, "form_code_incorrect"))
                    }
                    (.., true) => {
                        model.who = Some(Who::Known(3));
                        model.prove(Proof::Passkey, &self.people);
                        (request, Says::Step("complete"))
                    }
                }
            }
            Op::Challenge => {
                let proof = self.second(model, &turn);
                let request = post("challenges", json!({"type": proof.name()}));
                let Some(Asks::OneOf(any)) = model.asks(&self.people).filter(|_| step == "needs_second_factor") else {
                    return Some((request, MISMATCH));
                };
                if !any.contains(&proof) {
                    return Some((request, Says::Untouched(422, "form_param_invalid")));
                }
                if self.people[model.owner()?].is_locked(now) {
                    return Some((request, Says::Refused(429, "user_locked")));
                }
                (request, Says::Made)
            }
            Op::Answer { right } => return self.answer(model, flow, turn, right),
            Op::AnswerElsewhere => {
                let other = self.slots.iter().flatten().filter(|(_, other)| other.path != flow.path);
                let asked = other.flat_map(|(other, _)| other.asked.iter()).next()?;
                let rest = format!("challenges/{}/answer", asked.1.id);
                let request = post(&rest, json!({"code": "000000", "remember_device": turn.remember}));
                let takes = open || step == "needs_second_factor";
                (request, if takes { Says::Untouched(404, "resource_not_found") } else { MISMATCH })
            }
            Op::Recovery { right } => self.recovery(model, flow, right),
            Op::Enrol => {
                let request = post("enrolments", json!({"type": "totp"}));
                let takes = step == "needs_enrolment";
                let locked = model.owner().is_some_and(|owner| self.people[owner].is_locked(now));
                match (takes, locked) {
                    (false, _) => (request, MISMATCH),
                    (true, true) => (request, Says::Refused(429, "user_locked")),
                    (true, false) => (request, Says::Made),
                }
            }
            Op::Activate { right } => return self.activate(model, flow, turn, right),
            Op::ActivateEarlier => {
                let (factor, enrolled) = model.earlier.clone()?;
                let body = json!({"code": crate::support::Authenticator::scan(&enrolled).code(now)});
                let request = post(&format!("enrolments/{factor}/activate"), body);
                let locked = model.owner().is_some_and(|owner| self.people[owner].is_locked(now));
                match (step, locked) {
                    ("needs_enrolment", true) => (request, Says::Refused(429, "user_locked")),
                    ("needs_enrolment", false) => {
                        model.earlier = None;
                        (request, Says::Refused(403, "proof_required"))
                    }
                    _ => (request, MISMATCH),
                }
            }
            Op::Skip => (post("skip", json!({})), MISMATCH),
            Op::Read => (form.call(world, "GET", &flow.path, &flow.token), Says::Step(step)),
            Op::Abandon => {
                model.abandoned |= !model.complete;
                (form.call(world, "DELETE", &flow.path, &flow.token), Says::Gone)
            }
            Op::OthersToken => {
                let other = self.slots.iter().flatten().find(|(_, other)| other.path != flow.path);
                let token = other.map_or_else(|| format!("flw_{}", "A".repeat(43)), |(_, other)| other.token.clone());
                let path = format!("{}/password", flow.path);
                let body = json!({"identifier": self.email(Who::Known(0)), "password": self.stage.people[0].password});
                (form.call(world, "POST", &path, &token).json(&body), Says::Untouched(401, "flow_token_invalid"))
            }
            Op::OtherPage => {
                let body = json!({"identifier": self.email(Who::Known(0)), "password": self.stage.people[0].password});
                let request = post("password", body);
                let request = match turn.pick % 3 {
                    0 => request.without("origin"),
                    1 => request.header("origin", "https://app.example.com.evil.example"),
                    _ => request.header("origin", "null"),
                };
                (request, Says::Untouched(403, "origin_not_allowed"))
            }
        })
    }

    fn password(&self, model: &mut SignIn, flow: &Flow, turn: Turn, right: bool, named: bool) -> (Request, Says) {
        let whose = if named { Some(self.who(&turn)) } else { model.who };
        let known = whose.and_then(|who| self.person(who));
        let typed = known.filter(|_| right).map_or("a wrong one", |person| person.password);
        let mut body = json!({"password": typed});
        if named {
            body["identifier"] = json!(self.email(self.who(&turn)));
        }
        let request = self.stage.form(model.app).post(&self.stage.world, flow, "password", &body);
        if !model.is_open(&self.people, self.now()) {
            return (request, MISMATCH);
        }
        let Some(who) = whose else { return (request, MISMATCH) };
        model.who = Some(who);
        if known.is_none() || !right {
            return (request, Says::Refused(422, "form_password_incorrect"));
        }
        model.prove(Proof::Password, &self.people);
        (request, Says::Step(model.step(&self.people, self.now())))
    }

    /// What somebody's authenticator gives for these options; a wrong one is for others.
    fn assertion(&self, person: usize, options: &Value, right: bool) -> Value {
        let mut authenticator = self.stage.people[person].passkey.as_ref().unwrap().borrow_mut();
        authenticator.forge.challenge = (!right).then(|| passkey::random(32));
        let credential = authenticator.get(options);
        authenticator.forge.challenge = None;
        credential
    }

    /// What is typed for a challenge; whether it is right.
    fn typed(&self, person: usize, proof: Proof, asked: &Asked, right: bool) -> Option<(Value, bool)> {
        let who = &self.stage.people[person];
        let world = &self.stage.world;
        Some(match proof {
            Proof::Totp => {
                let code = who.app.as_ref()?.code(self.now());
                let fresh = self.now() / 30_000 > self.people[person].step;
                if right { (json!({"code": code}), fresh) } else { (json!({"code": world.wrong(&code)}), false) }
            }
            Proof::Passkey => (json!({"credential": self.assertion(person, &asked.public_key, right)}), right),
            Proof::Phone => {
                let sent = format!(
                    "SELECT i.code AS code FROM dev_inbox i JOIN messages m ON m.id = i.message_id
                     WHERE m.challenge_id = '{}'",
                    asked.id
                );
                let rows = world.here().database.query(&sent);
                let code = rows.first()?["code"].as_str()?.to_owned();
                if right { (json!({"code": code}), true) } else { (json!({"code": world.wrong(&code)}), false) }
            }
            Proof::Password | Proof::Recovery => return None,
        })
    }

    fn answer(&mut self, model: &mut SignIn, flow: &Flow, turn: Turn, right: bool) -> Option<(Request, Says)> {
        let now = self.now();
        let proof = self.second(model, &turn);
        let step = model.step(&self.people, now);
        let owner = model.owner()?;
        let asked = model.challenge(proof)?.clone();
        let (mut body, right) = self.typed(owner, proof, &asked, right)?;
        body["remember_device"] = json!(turn.remember);
        let rest = format!("challenges/{}/answer", asked.id);
        let request = self.stage.form(model.app).post(&self.stage.world, flow, &rest, &body);
        if step != "needs_second_factor" {
            return Some((request, MISMATCH));
        }
        if asked.done {
            return Some((request, Says::Refused(409, "verification_already_verified")));
        }
        if asked.wrong >= 5 {
            return Some((request, Says::Refused(422, "verification_failed")));
        }
        if asked.dies <= now {
            return Some((request, Says::Refused(422, "verification_expired")));
        }
        let someone = &mut self.people[owner];
        if someone.is_locked(now) {
            return Some((request, Says::Refused(429, "user_locked")));
        }
        if !right {
            someone.failed(now);
            model.challenge(proof)?.wrong += 1;
            return Some((request, Says::Refused(422, "form_code_incorrect")));
        }
        someone.succeeded();
        if proof == Proof::Totp {
            someone.step = now / 30_000;
        }
        model.challenge(proof)?.done = true;
        model.prove(proof, &self.people);
        Some((request, Says::Step(model.step(&self.people, now))))
    }

    fn recovery(&mut self, model: &mut SignIn, flow: &Flow, right: bool) -> (Request, Says) {
        let now = self.now();
        let owner = model.owner().unwrap_or(1);
        let unused = self.stage.people[owner].recovery.get(self.people[owner].used).cloned();
        // Wrong is one that was used before, or one that never was.
        let used = self.people[owner].used.checked_sub(1).map(|at| self.stage.people[owner].recovery[at].clone());
        let never = "0000-1111-2222-3333".to_owned();
        let (typed, right) = match unused.filter(|_| right) {
            Some(code) => (code, true),
            None => (used.unwrap_or(never), false),
        };
        let body = json!({"code": typed});
        let request = self.stage.form(model.app).post(&self.stage.world, flow, "recovery-code", &body);
        let says = match (model.step(&self.people, now), model.asks(&self.people)) {
            ("needs_second_factor", Some(Asks::OneOf(any))) if any.contains(&Proof::Recovery) => {
                let someone = &mut self.people[owner];
                if someone.is_locked(now) {
                    Says::Refused(429, "user_locked")
                } else if right {
                    someone.succeeded();
                    someone.used += 1;
                    model.prove(Proof::Recovery, &self.people);
                    Says::Step(model.step(&self.people, now))
                } else {
                    someone.failed(now);
                    Says::Refused(422, "form_code_incorrect")
                }
            }
            ("needs_second_factor", _) => Says::Untouched(422, "form_param_invalid"),
            _ => MISMATCH,
        };
        (request, says)
    }

    fn activate(&mut self, model: &mut SignIn, flow: &Flow, turn: Turn, right: bool) -> Option<(Request, Says)> {
        let now = self.now();
        let (factor, enrolled) = model.enrolling.clone()?;
        let app = crate::support::Authenticator::scan(&enrolled);
        let code = app.code(now);
        let typed = if right { code } else { self.stage.world.wrong(&code) };
        let body = json!({"code": typed, "remember_device": turn.remember});
        let rest = format!("enrolments/{factor}/activate");
        let request = self.stage.form(model.app).post(&self.stage.world, flow, &rest, &body);
        if model.step(&self.people, now) != "needs_enrolment" {
            return Some((request, MISMATCH));
        }
        let owner = model.owner()?;
        let someone = &mut self.people[owner];
        if someone.is_locked(now) {
            return Some((request, Says::Refused(429, "user_locked")));
        }
        if !right {
            someone.failed(now);
            return Some((request, Says::Refused(422, "form_code_incorrect")));
        }
        someone.has.insert(Proof::Totp);
        someone.step = now / 30_000;
        model.enrolling = None;
        model.prove(Proof::Totp, &self.people);
        Some((request, Says::Step(model.step(&self.people, now))))
    }

    /// Takes down what an answer brought that later turns need.
    fn note(&mut self, model: &mut SignIn, turn: Turn, response: &Response) {
        if response.status != 201 {
            return;
        }
        let made = &response.json;
        if made["factor"].is_object() {
            let earlier = model.enrolling.replace((made["factor"]["id"].as_str().unwrap().to_owned(), made.clone()));
            model.earlier = earlier.or(model.earlier.take());
            return;
        }
        let lives = if made["type"] == "phone" { 5 * MINUTE } else { 10 * MINUTE };
        let asked = Asked {
            id: made["id"].as_str().unwrap().to_owned(),
            public_key: made["public_key"].clone(),
            wrong: 0,
            done: false,
            dies: self.now() + lives,
        };
        if model.owner().is_none() {
            model.first_passkey = Some(asked);
            return;
        }
        let proof = self.second(model, &turn);
        let proof = [Proof::Totp, Proof::Phone, Proof::Passkey]
            .into_iter()
            .find(|known| made["type"] == known.name())
            .unwrap_or(proof);
        model.asked.retain(|(kind, _)| *kind != proof);
        model.asked.push((proof, asked));
    }

    /// Whether the server says what the model says.
    fn hold(says: &Says, response: &Response, context: &Context<'_>) -> Result<(), TestCaseError> {
        let (status, word) = match says {
            Says::Step(step) => (200, *step),
            Says::Made => (201, ""),
            Says::Gone => (204, ""),
            Says::Refused(status, code) | Says::Untouched(status, code) => (*status, *code),
        };
        let said = match says {
            Says::Step(_) => response.json["step"].as_str().unwrap_or_default(),
            Says::Made | Says::Gone => "",
            Says::Refused(..) | Says::Untouched(..) => response.json["code"].as_str().unwrap_or_default(),
        };
        prop_assert_eq!((response.status, said), (status, word), "{}", context);
        if !matches!(says, Says::Step("complete")) && !matches!(says, Says::Refused(..) | Says::Untouched(..)) {
            prop_assert!(response.json["code"].is_null(), "a code comes when the policy is met: {}", context);
        }
        Ok(())
    }

    /// Whether the options are those that the model has.
    fn offers(
        &self,
        model: &SignIn,
        says: &Says,
        response: &Response,
        context: &Context<'_>,
    ) -> Result<(), TestCaseError> {
        if let (Says::Step("needs_second_factor"), Some(Asks::OneOf(any))) = (says, model.asks(&self.people)) {
            let options = response.json["options"].as_array().unwrap();
            let mut offered: Vec<&str> = options.iter().filter_map(|option| option["type"].as_str()).collect();
            let mut wanted: Vec<&str> = any.iter().map(|proof| proof.name()).collect();
            offered.sort_unstable();
            wanted.sort_unstable();
            prop_assert_eq!(offered, wanted, "{}", context);
        }
        Ok(())
    }

    /// What holds after every turn: wrong second factors are as many as the model has counted, whatever passwords were
    /// given since; and there is a code for every flow that ended in one, and no other.
    fn counted(&self, context: &Context<'_>) -> Result<(), TestCaseError> {
        let here = self.stage.world.here();
        let now = self.now();
        let sql = format!(
            "SELECT key, count FROM counters WHERE key LIKE 'second_factor_failures:user:%' AND expires_at > {now}"
        );
        let counters = here.database.query(&sql);
        for (someone, person) in self.people.iter().zip(&self.stage.people) {
            let key = format!("second_factor_failures:user:{}", person.id);
            let row = counters.iter().find(|row| row["key"] == key.as_str());
            #[allow(clippy::cast_possible_truncation)]
            let count = row.and_then(|row| row["count"].as_f64()).unwrap_or(0.0) as i64;
            prop_assert_eq!(count, someone.failures(now), "wrong second factors of {}: {}", &person.email, context);
        }
        let codes = here.database.number("SELECT count(*) FROM authorization_codes");
        let complete = here.database.number("SELECT count(*) FROM flows WHERE end_reason = 'complete'");
        prop_assert_eq!((codes, complete), (self.codes, self.codes), "{}", context);
        Ok(())
    }
}
