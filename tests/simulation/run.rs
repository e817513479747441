//! Asks a week of a server, and counts what comes of it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use super::{
    places::COUNTRIES,
    week::{Ask, HOUR, Side, Then, Week},
};

/// Whether a message went out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sent {
    /// A carrier has it.
    #[default]
    Sent,
    /// The guard refused it.
    Refused,
    /// Another limit refused it.
    Limited,
}

/// What came of one message that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub sent: Sent,
    /// The rules that refused it or, in `record_only`, would have.
    pub rules: Vec<String>,
    /// The challenge's id, and the code that came.
    pub id: String,
    pub code: String,
}

/// Whoever messages are asked of: the server, or the model of its guard.
pub trait Sender {
    /// Sets the clock, in milliseconds since the week's beginning.
    fn set(&mut self, at: i64);
    fn now(&self) -> i64;
    async fn ask(&mut self, ask: &Ask) -> Told;
    async fn resend(&mut self, ask: &Ask, id: &str) -> Told;
    async fn answer(&mut self, told: &Told);
    /// Once an hour.
    async fn hourly(&mut self);
}

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
    /// The same by the number's country and where who asked was.
    pub by_place: BTreeMap<String, u64>,
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
    /// What came of each hour.
    pub hours: Vec<Hour>,
    /// What came of each message, in order: the time, whether it went out, and the rules.
    pub told: Vec<(i64, Sent, Vec<String>)>,
}

/// One hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    pub honest: u64,
    pub refused: u64,
    /// Of each attack: messages that went out, and what they cost.
    pub sent: Vec<u64>,
    pub costs: Vec<i64>,
}

impl Outcome {
    /// What attacks have cost in all.
    pub fn loss(&self) -> i64 {
        self.attacks.iter().map(|attack| attack.cost).sum()
    }

    /// What has cost so much, in a hundred thousand of what attacks cost without the guard.
    pub fn part(cost: i64, unguarded: i64) -> i64 {
        cost * 100_000 / unguarded.max(1)
    }

    /// Honest messages that were refused, or would have been, in a hundred thousand.
    pub fn honest_flagged(&self) -> u64 {
        self.honest.flagged * 100_000 / self.honest.asked.max(1)
    }
}

/// What is done next: when, for which ask, which of its steps, with what came before.
type Next = Reverse<(i64, usize, usize, String, String)>;

struct Runner<'a, S> {
    week: &'a Week,
    sender: S,
    next: BinaryHeap<Next>,
    outcome: Outcome,
}

/// Asks a week of a sender.
pub async fn run(week: &Week, sender: impl Sender) -> Outcome {
    let hour = Hour { sent: vec![0; week.attacks.len()], costs: vec![0; week.attacks.len()], ..Hour::default() };
    let outcome = Outcome {
        honest: Count::default(),
        attacks: vec![Count::default(); week.attacks.len()],
        hours: vec![hour; usize::try_from(week.hours).unwrap() + 1],
        told: Vec::new(),
    };
    let mut runner = Runner { week, sender, next: BinaryHeap::new(), outcome };
    runner.whole().await;
    runner.outcome
}

impl<S: Sender> Runner<'_, S> {
    async fn whole(&mut self) {
        let mut hour = 0;
        for (index, ask) in self.week.asks.iter().enumerate() {
            while self.next.peek().is_some_and(|Reverse((at, ..))| *at <= ask.at) {
                self.step().await;
            }
            if ask.at / HOUR > hour {
                hour = ask.at / HOUR;
                self.at(ask.at);
                self.sender.hourly().await;
            }
            self.at(ask.at);
            let told = self.sender.ask(ask).await;
            self.count(ask, &told);
            self.follow(index, 0, told);
        }
        while !self.next.is_empty() {
            self.step().await;
        }
    }

    /// Time goes on, by a millisecond at least: what comes at one moment is told apart by it.
    fn at(&mut self, at: i64) {
        let now = self.sender.now();
        self.sender.set(at.max(now + 1));
    }

    /// What comes after a code that went out.
    fn follow(&mut self, index: usize, step: usize, told: Told) {
        let ask = &self.week.asks[index];
        if let (Sent::Sent, Some((later, _))) = (told.sent, ask.then.get(step)) {
            self.next.push(Reverse((ask.at + later, index, step, told.id, told.code)));
        }
    }

    async fn step(&mut self) {
        let Some(Reverse((at, index, step, id, code))) = self.next.pop() else { return };
        self.at(at);
        let ask = &self.week.asks[index];
        match ask.then[step].1 {
            Then::Resend => {
                let told = self.sender.resend(ask, &id).await;
                self.count(ask, &told);
                self.follow(index, step + 1, told);
            }
            Then::Answer => {
                self.sender.answer(&Told { id, code, ..Told::default() }).await;
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

    fn count(&mut self, ask: &Ask, told: &Told) {
        let now = self.sender.now();
        self.outcome.told.push((now, told.sent, told.rules.clone()));
        let price = COUNTRIES[ask.country].price;
        let last = self.outcome.hours.len() - 1;
        let hour = &mut self.outcome.hours[usize::try_from(now / HOUR).unwrap().min(last)];
        match (ask.side, told.sent) {
            (Side::Honest, Sent::Sent) => hour.honest += 1,
            (Side::Honest, _) => hour.refused += 1,
            (Side::Attack(attack), Sent::Sent) => {
                hour.sent[attack] += 1;
                hour.costs[attack] += price;
            }
            (Side::Attack(_), _) => {}
        }
        let count = self.side(ask.side);
        count.asked += 1;
        count.first.get_or_insert(now);
        if !told.rules.is_empty() {
            count.flagged += 1;
            count.found.get_or_insert(now);
            let country = COUNTRIES[ask.country].code;
            let place = ask.from.place.map_or("unknown", |(from, _)| if from == country { "home" } else { "away" });
            *count.by_place.entry(format!("{country} {place}")).or_default() += 1;
            for rule in &told.rules {
                *count.by_rule.entry(rule.clone()).or_default() += 1;
            }
        }
        match told.sent {
            Sent::Sent => {
                count.sent += 1;
                count.cost += price;
                count.unnoticed += u64::from(count.found.is_none());
            }
            Sent::Refused => count.refused += 1,
            Sent::Limited => count.limited += 1,
        }
    }
}
