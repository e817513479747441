//! The model: what a sign-in is, as simply as it can be said. It knows nothing of how Postern does it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// What somebody can have, and prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    Password,
    Totp,
    Phone,
    Recovery,
    Passkey,
}

impl Proof {
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Phone => "phone",
            Self::Recovery => "recovery_codes",
            Self::Passkey => "passkey",
        }
    }
}

/// The apps: one asks for nothing beside what people have, one for an authenticator app, one that everybody has
/// something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    Shop,
    Bank,
    Desk,
}

/// Wrong second factors in half an hour.
pub const FAILURES: i64 = 4;
pub const MINUTE: i64 = 60_000;

impl App {
    pub const ALL: [Self; 3] = [Self::Shop, Self::Bank, Self::Desk];

    /// What people have: Ana, Bea, Cleo and Dora.
    pub const PEOPLE: [&[Proof]; 4] = [
        &[Proof::Password],
        &[Proof::Totp, Proof::Password, Proof::Recovery],
        &[Proof::Phone, Proof::Password],
        &[Proof::Passkey, Proof::Password],
    ];

    pub fn rule(self) -> Value {
        match self {
            Self::Shop => json!({"use_instance_policy": false}),
            Self::Bank => json!({"use_instance_policy": false, "required": ["totp"]}),
            Self::Desk => json!({"use_instance_policy": false, "enforce_enrolment": ["totp"]}),
        }
    }

    /// What is still asked of somebody who has these and has proven those, after the first factor.
    pub fn asks(self, has: &BTreeSet<Proof>, proven: &BTreeSet<Proof>) -> Asks {
        // A passkey with user verification is two factors, wherever it comes.
        if proven.contains(&Proof::Passkey) {
            return Asks::Nothing;
        }
        let strong: BTreeSet<Proof> =
            has.iter().copied().filter(|proof| matches!(proof, Proof::Totp | Proof::Phone | Proof::Passkey)).collect();
        let spare = has.contains(&Proof::Recovery).then_some(Proof::Recovery);
        let any: BTreeSet<Proof> = strong.iter().copied().chain(spare).collect();
        let proven_any = any.iter().any(|proof| proven.contains(proof));
        let totp = [Proof::Totp, Proof::Recovery].iter().any(|proof| proven.contains(proof));
        match self {
            Self::Bank if has.contains(&Proof::Totp) && totp => Asks::Nothing,
            Self::Bank if has.contains(&Proof::Totp) => {
                Asks::OneOf(any.into_iter().filter(|proof| *proof != Proof::Phone).collect())
            }
            // A passkey spares them the app.
            Self::Bank if has.contains(&Proof::Passkey) => Asks::OneOf([Proof::Passkey].into()),
            Self::Bank if !strong.is_empty() && !proven_any => Asks::OneOf(any),
            Self::Bank => Asks::Enrolment,
            Self::Desk if strong.is_empty() => Asks::Enrolment,
            Self::Shop if strong.is_empty() => Asks::Nothing,
            Self::Shop | Self::Desk if proven_any => Asks::Nothing,
            Self::Shop | Self::Desk => Asks::OneOf(any),
        }
    }
}

/// What is still asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    Nothing,
    OneOf(BTreeSet<Proof>),
    Enrolment,
}

/// Who somebody says they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Known(usize),
    Nobody,
}

/// Somebody, as far as flows change them.
#[derive(Clone, Debug)]
pub struct Someone {
    pub has: BTreeSet<Proof>,
    /// The step of the authenticator app that was used last.
    pub step: i64,
    /// How many recovery codes were used.
    pub used: usize,
    failures: i64,
    failures_end: i64,
}

impl Someone {
    pub fn new(has: &[Proof], now: i64) -> Self {
        // What proved the app at its enrolment is long ago.
        Self { has: has.iter().copied().collect(), step: now / 30_000 - 60, used: 0, failures: 0, failures_end: 0 }
    }

    pub fn is_locked(&self, now: i64) -> bool {
        self.failures >= FAILURES && now < self.failures_end
    }

    pub fn failed(&mut self, now: i64) {
        if now >= self.failures_end {
            (self.failures, self.failures_end) = (0, now + 30 * MINUTE);
        }
        self.failures += 1;
    }

    pub fn succeeded(&mut self) {
        (self.failures, self.failures_end) = (0, 0);
    }

    /// How many wrong second factors count now.
    pub fn failures(&self, now: i64) -> i64 {
        if now < self.failures_end { self.failures } else { 0 }
    }
}

/// A challenge in a flow.
#[derive(Clone, Debug)]
pub struct Asked {
    pub id: String,
    pub public_key: Value,
    pub wrong: u32,
    pub done: bool,
    /// When its code, or it itself, is over.
    pub dies: i64,
}

/// A sign-in.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub app: App,
    pub who: Option<Who>,
    pub proven: BTreeSet<Proof>,
    pub complete: bool,
    pub abandoned: bool,
    pub dies: i64,
    /// The newest challenge of each kind; the one for a passkey as a first factor apart.
    pub asked: Vec<(Proof, Asked)>,
    pub first_passkey: Option<Asked>,
    /// An app that was scanned and not proven: its factor, and what was shown.
    pub enrolling: Option<(String, Value)>,
    /// One that was scanned before it.
    pub earlier: Option<(String, Value)>,
}

impl SignIn {
    pub fn new(app: App, who: Option<Who>, now: i64) -> Self {
        Self {
            app,
            who,
            proven: BTreeSet::new(),
            complete: false,
            abandoned: false,
            dies: now + 10 * MINUTE,
            asked: Vec::new(),
            first_passkey: None,
            enrolling: None,
            earlier: None,
        }
    }

    /// Whose it is, once something was proven.
    pub fn owner(&self) -> Option<usize> {
        match self.who {
            Some(Who::Known(person)) if !self.proven.is_empty() => Some(person),
            _ => None,
        }
    }

    /// What is asked, once a first factor was proven.
    pub fn asks(&self, people: &[Someone]) -> Option<Asks> {
        self.owner().map(|owner| self.app.asks(&people[owner].has, &self.proven))
    }

    /// Where it stands.
    pub fn step(&self, people: &[Someone], now: i64) -> &'static str {
        match (self.complete, self.abandoned || now >= self.dies, self.asks(people)) {
            (true, ..) => "complete",
            (false, true, _) => "abandoned",
            (.., Some(Asks::OneOf(_))) => "needs_second_factor",
            (.., Some(Asks::Enrolment)) => "needs_enrolment",
            (.., Some(Asks::Nothing)) => panic!("a flow whose policy is met is complete: {self:?}"),
            (.., None) if self.who.is_some() => "needs_first_factor",
            (.., None) => "needs_identifier",
        }
    }

    /// Whether nothing was proven in it yet.
    pub fn is_open(&self, people: &[Someone], now: i64) -> bool {
        matches!(self.step(people, now), "needs_identifier" | "needs_first_factor")
    }

    /// Something was proven; whether the policy is met now.
    pub fn prove(&mut self, proof: Proof, people: &[Someone]) -> bool {
        self.proven.insert(proof);
        self.complete = self.asks(people) == Some(Asks::Nothing);
        self.complete
    }

    pub fn challenge(&mut self, proof: Proof) -> Option<&mut Asked> {
        self.asked.iter_mut().find(|(kind, _)| *kind == proof).map(|(_, asked)| asked)
    }
}
