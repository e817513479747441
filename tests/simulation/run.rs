//! Asks a week of a server, and counts what comes of it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use postern::ports::Clock;
use serde_json::{Value, json};

use super::{
    places::COUNTRIES,
    week::{Ask, HOUR, Side, Then, Week, Whom},
    world::{Server, client},
};

/// What came of one side's asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Messages that were asked for, first ones and further ones.
    pub asked: u64,
    /// Those that a carrier got.
    pub sent: u64,
    /// What these cost, in millionths.
    pub cost: i64,
    /// Codes that came back.
    pub verified: u64,
    /// Those that the guard refused.
    pub refused: u64,
    /// Those that another limit refused.
    pub limited: u64,
    /// Those that the guard refused or, in `record_only`, would have.
    pub flagged: u64,
    /// The same by rule; one may be refused by several.
    pub by_rule: BTreeMap<String, u64>,
    /// When it was asked for first, and when the guard found it first.
    pub first: Option<i64>,
    pub found: Option<i64>,
    /// Messages that went out before it was found.
    pub unnoticed: u64,
}

/// What came of a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub honest: Count,
    pub attacks: Vec<Count>,
    /// By hour: honest messages sent, those refused, and what attacks have cost.
    pub hours: Vec<Hour>,
    /// What events the guard wrote, by type.
    pub events: BTreeMap<String, i64>,
}

/// One hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    pub honest: u64,
    pub refused: u64,
    pub costs: Vec<i64>,
}

impl Outcome {
    /// What attacks have cost in all.
    pub fn loss(&self) -> i64 {
        self.attacks.iter().map(|attack| attack.cost).sum()
    }

    /// Honest messages that were refused, or would have been, in a hundred thousand.
    pub fn honest_flagged(&self) -> u64 {
        self.honest.flagged * 100_000 / self.honest.asked.max(1)
    }
}

/// What is done next, with which challenge.
type Next = Reverse<(i64, usize, usize, u8, String, String)>;

struct Runner<'a> {
    week: &'a Week,
    server: Server,
    next: BinaryHeap<Next>,
    outcome: Outcome,
}

/// Runs a week under settings of the guard: `{"mode": "enforce", …}`.
pub async fn run(week: &Week, fraud: &Value) -> Outcome {
    let hour = Hour { costs: vec![0; week.attacks.len()], ..Hour::default() };
    let outcome = Outcome {
        honest: Count::default(),
        attacks: vec![Count::default(); week.attacks.len()],
        hours: vec![hour; usize::try_from(week.hours).unwrap() + 1],
        events: BTreeMap::new(),
    };
    let server = Server::new(week, fraud).await;
    let mut runner = Runner { week, server, next: BinaryHeap::new(), outcome };
    runner.whole().await;
    let events = "SELECT type, count(*) AS n FROM audit_events WHERE type LIKE 'fraud.%' GROUP BY 1";
    for row in runner.server.native.database.query(events) {
        runner.outcome.events.insert(row["type"].as_str().unwrap().to_owned(), row["n"].as_f64().unwrap() as i64);
    }
    assert_eq!(runner.server.native.carriers.violations(), Vec::<String>::new());
    runner.outcome
}

impl Runner<'_> {
    async fn whole(&mut self) {
        let mut cleaned = 0;
        let begun = std::time::Instant::now();
        for (index, ask) in self.week.asks.iter().enumerate() {
            if index % 500 == 0 { println!("{index} {:?}", begun.elapsed()); }
            if index == 600 { panic!() }
            while self.next.peek().is_some_and(|Reverse((at, ..))| *at <= ask.at) {
                let Some(Reverse((at, ask, step, _, id, code))) = self.next.pop() else { break };
                self.step(at, ask, step, &id, &code).await;
            }
            if ask.at / HOUR > cleaned {
                cleaned = ask.at / HOUR;
                self.at(ask.at);
                self.server.housekeeping().await;
            }
            self.ask(index, ask).await;
        }
        while let Some(Reverse((at, ask, step, _, id, code))) = self.next.pop() {
            self.step(at, ask, step, &id, &code).await;
        }
    }

    /// Time goes on, by a millisecond at least: what comes at one moment is told apart by it.
    fn at(&self, at: i64) {
        self.server.set(at.max(self.server.now() + 1));
    }

    async fn ask(&mut self, index: usize, ask: &Ask) {
        self.at(ask.at);
        let client = client(&ask.from);
        let app = &self.server.apps[ask.app];
        let (path, body) = match &ask.whom {
            Whom::Number(number) => {
                ("/v1/challenges".to_owned(), json!({"to": {"phone": number}, "app_id": app, "client": client}))
            }
            Whom::Person(person) => {
                let user = &self.server.people[*person];
                ("/v1/challenges".to_owned(), json!({"user_id": user, "app_id": app, "client": client}))
            }
            Whom::Account(account, number) => {
                let user = &self.server.accounts[*account];
                (format!("/v1/users/{user}/factors"), json!({"type": "phone", "phone": number, "app_id": app, "client": client}))
            }
        };
        let (status, json) = self.server.call("POST", &path, &body).await;
        self.count(ask, status, &json);
        if status == 201 {
            let challenge = if json["challenge"].is_object() { &json["challenge"] } else { &json };
            self.follow(index, 0, challenge["id"].as_str().unwrap().to_owned());
        }
    }

    /// What comes after a code that went out.
    fn follow(&mut self, index: usize, step: usize, id: String) {
        let ask = &self.week.asks[index];
        if let Some((later, _)) = ask.then.get(step) {
            self.next.push(Reverse((ask.at + later, index, step, 0, id, self.server.code())));
        }
    }

    async fn step(&mut self, at: i64, index: usize, step: usize, id: &str, code: &str) {
        self.at(at);
        let ask = &self.week.asks[index];
        match ask.then[step].1 {
            Then::Resend => {
                let body = json!({"client": client(&ask.from)});
                let (status, json) = self.server.call("POST", &format!("/v1/challenges/{id}/resend"), &body).await;
                self.count(ask, status, &json);
                if status == 200 {
                    self.follow(index, step + 1, id.to_owned());
                }
            }
            Then::Answer => {
                let body = json!({"code": code});
                let (status, json) = self.server.call("POST", &format!("/v1/challenges/{id}/answer"), &body).await;
                assert_eq!(status, 200, "a code that came: {json}");
                self.side(ask.side).verified += 1;
            }
        }
    }

    fn side(&mut self, side: Side) -> &mut Count {
        match side {
            Side::Honest => &mut self.outcome.honest,
            Side::Attack(attack) => &mut self.outcome.attacks[attack],
        }
    }

    fn count(&mut self, ask: &Ask, status: u16, json: &Value) {
        let now = self.server.now();
        let moment = self.server.native.clock.now().millis();
        // One moment is one ask's.
        let rules = self.server.native.database.query(&format!("SELECT rule FROM fraud_refusals WHERE last_at = {moment}"));
        let refused = match (status, json["code"].as_str()) {
            (200 | 201, _) => None,
            (422, Some("message_refused")) => Some(true),
            (429, _) => Some(false),
            _ => panic!("{status} {json}"),
        };
        let price = COUNTRIES[ask.country].price;
        let last = self.outcome.hours.len() - 1;
        let hour = &mut self.outcome.hours[usize::try_from(now / HOUR).unwrap().min(last)];
        match (ask.side, refused) {
            (Side::Honest, None) => hour.honest += 1,
            (Side::Honest, Some(_)) => hour.refused += 1,
            (Side::Attack(attack), None) => hour.costs[attack] += price,
            (Side::Attack(_), Some(_)) => {}
        }
        let count = self.side(ask.side);
        count.asked += 1;
        count.first.get_or_insert(now);
        match refused {
            None => {
                count.sent += 1;
                count.cost += price;
                count.unnoticed += u64::from(count.found.is_none() && rules.is_empty());
            }
            Some(true) => count.refused += 1,
            Some(false) => count.limited += 1,
        }
        if refused == Some(true) || !rules.is_empty() {
            count.flagged += 1;
            count.found.get_or_insert(now);
            for row in rules {
                *count.by_rule.entry(row["rule"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
}
