//! A week as it will be asked for: who asks for a code when, from where, and what they do with it. Made of dice alone; it
//! knows neither Postern nor the time, so the same parameters give the same week.

use super::{
    dice::Dice,
    parameters::{Attack, Honest, Numbers, Parameters},
    places::{COUNTRIES, HONEST, place},
};

/// Milliseconds of an hour.
pub const HOUR: i64 = 3_600_000;

/// How many of a thousand asks of a day come in each hour of it, where people are.
const RHYTHM: [u64; 24] = [8, 5, 4, 3, 4, 8, 18, 35, 50, 58, 60, 58, 56, 55, 54, 54, 56, 60, 66, 72, 74, 68, 48, 26];

/// The hour of the day, UTC, at which a week begins.
const BEGINS: i64 = 10;

/// Whose ask it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Somebody who wants to get in.
    Honest,
    /// This attack.
    Attack(usize),
}

/// Whom the code is for.
#[derive(Clone, Debug)]
pub enum Whom {
    /// Whoever has this number.
    Number(String),
    /// Somebody who has proven theirs before the week.
    Person(usize),
    /// An account that adds this number.
    Account(usize, String),
}

/// Where somebody asks from.
#[derive(Clone, Debug)]
pub struct From {
    /// The address.
    pub ip: String,
    /// The country and the network operator, where somebody says it.
    pub place: Option<(&'static str, u32)>,
}

/// What is done after the code was asked for, so many milliseconds later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The code comes back.
    Answer,
    /// Another code is asked for.
    Resend,
}

/// Somebody asks for a code.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Milliseconds since the week began.
    pub at: i64,
    pub side: Side,
    pub whom: Whom,
    /// The number's country, as a place in [`COUNTRIES`].
    pub country: usize,
    pub from: From,
    pub app: usize,
    pub then: Vec<(i64, Then)>,
}

/// A week.
pub struct Week {
    /// In order.
    pub asks: Vec<Ask>,
    /// The numbers of those who have proven theirs before, each with its country.
    pub people: Vec<(String, usize)>,
    /// Accounts that attackers have.
    pub accounts: usize,
    pub apps: usize,
    pub attacks: Vec<&'static str>,
    /// Hours.
    pub hours: i64,
}

impl Week {
    pub fn new(parameters: &Parameters) -> Self {
        let honest = &parameters.honest;
        let mut dice = Dice::new(parameters.seed, "people");
        let shares: Vec<u64> = HONEST.iter().map(|(_, share)| *share).collect();
        let people: Vec<(String, usize)> = (0..honest.asks_per_day * honest.people)
            .map(|_| {
                let country = place(HONEST[dice.weighted(&shares)].0);
                (COUNTRIES[country].number(&mut dice), country)
            })
            .collect();
        let mut asks = Crowd { honest, people: &people, dice: Dice::new(parameters.seed, "honest") }.asks();
        let mut accounts = 0;
        for (index, attack) in parameters.attacks.iter().enumerate() {
            asks.extend(attack_asks(
                attack,
                index,
                honest.apps.len(),
                &mut accounts,
                Dice::new(parameters.seed, attack.name),
            ));
        }
        asks.sort_by_key(|ask| ask.at);
        // One at a time: what comes at one moment is told apart by it.
        let mut before = -1;
        for ask in &mut asks {
            ask.at = ask.at.max(before + 1);
            before = ask.at;
        }
        let attacks = parameters.attacks.iter().map(|attack| attack.name).collect();
        Self { asks, people, accounts, apps: honest.apps.len(), attacks, hours: honest.days * 24 }
    }
}

struct Crowd<'a> {
    honest: &'a Honest,
    people: &'a [(String, usize)],
    dice: Dice,
}

impl Crowd<'_> {
    fn asks(mut self) -> Vec<Ask> {
        let by_country: Vec<Vec<usize>> = HONEST
            .iter()
            .map(|(code, _)| (0..self.people.len()).filter(|person| self.people[*person].1 == place(code)).collect())
            .collect();
        let mut asks: Vec<Ask> = Vec::new();
        // Numbers that were proven in this week, by country.
        let mut newer: Vec<Vec<(i64, String)>> = HONEST.iter().map(|_| Vec::new()).collect();
        for hour in 0..self.honest.days * 24 {
            for (index, (code, share)) in HONEST.iter().enumerate() {
                let country = place(code);
                let local = usize::try_from((BEGINS + hour + COUNTRIES[country].ahead).rem_euclid(24)).unwrap();
                // Each ten seconds of the hour somebody asks, or nobody: in millionths.
                let often = self.honest.asks_per_day * share * RHYTHM[local] * 10 / 360;
                let launch = self.honest.launch.filter(|(from, hours, _)| (*from..from + hours).contains(&hour));
                for slot in 0..360 {
                    let known = self.honest.known * often / 100;
                    let new = (often - known) * launch.map_or(1, |(_, _, times)| times);
                    for (often, is_known) in [(known, true), (new, false)] {
                        if self.dice.below(1_000_000) >= often {
                            continue;
                        }
                        let at = hour * HOUR + slot * 10_000 + i64::try_from(self.dice.below(10_000)).unwrap();
                        let earlier = newer[index].iter().take_while(|(since, _)| *since < at).count();
                        let whom = match &by_country[index] {
                            // Of those who come back, some were new earlier in the week.
                            _ if is_known && earlier > 0 && self.dice.percent(20) => {
                                Whom::Number(newer[index][self.dice.index(earlier)].1.clone())
                            }
                            people if is_known && !people.is_empty() => Whom::Person(*self.dice.pick(people)),
                            _ => Whom::Number(self.number(country)),
                        };
                        let ask = self.ask(at, whom, country);
                        if let (false, Whom::Number(number), true) = (is_known, &ask.whom, answered(&ask)) {
                            newer[index].push((at + 600_000, number.clone()));
                        }
                        self.with_typo(&mut asks, ask);
                    }
                }
            }
        }
        asks
    }

    fn ask(&mut self, at: i64, whom: Whom, country: usize) -> Ask {
        let (best, worst) = self.honest.conversion;
        let conversion = best - (best - worst) * country as u64 / (HONEST.len() as u64 - 1);
        let dice = &mut self.dice;
        let (mut resends, mut comes_back) = (dice.percent(self.honest.resends), dice.percent(conversion));
        if self.honest.outage.is_some_and(|(from, hours)| (from * HOUR..(from + hours) * HOUR).contains(&at)) {
            (resends, comes_back) = (dice.percent(50), false);
        }
        let mut then = Vec::new();
        let mut later = 0;
        if resends {
            later = millis(dice.between(35, 120));
            then.push((later, Then::Resend));
        }
        if comes_back {
            then.push((later + millis(dice.between(9, 75)), Then::Answer));
        }
        let (from, app) = (self.from(country), self.dice.weighted(&self.honest.apps));
        Ask { at, side: Side::Honest, whom, country, from, app, then }
    }

    /// Some type another number first.
    fn with_typo(&mut self, asks: &mut Vec<Ask>, ask: Ask) {
        if matches!(ask.whom, Whom::Number(_)) && self.dice.percent(self.honest.typos) {
            let number = self.number(ask.country);
            let at = ask.at - millis(self.dice.between(15, 60));
            asks.push(Ask { at: at.max(0), whom: Whom::Number(number), then: Vec::new(), ..ask.clone() });
        }
        asks.push(ask);
    }

    fn number(&mut self, country: usize) -> String {
        match self.honest.dense {
            Some(prefixes) => COUNTRIES[country].dense(prefixes, &mut self.dice),
            None => COUNTRIES[country].number(&mut self.dice),
        }
    }

    /// Where one of the crowd asks from.
    fn from(&mut self, country: usize) -> From {
        let (dice, honest) = (&mut self.dice, self.honest);
        let here = HONEST.iter().position(|(code, _)| *code == COUNTRIES[country].code).unwrap();
        let place = if dice.percent(honest.away) {
            let others: Vec<usize> = (0..COUNTRIES.len()).filter(|other| *other != country).collect();
            *dice.pick(&others)
        } else {
            country
        };
        let a_day = honest.asks_per_day * HONEST[here].1 / 100;
        // Network operators: three mobile ones, three for homes and offices.
        let kind = dice.below(100);
        let (ip, operator) = if place == country && kind < honest.mobile {
            let operator = dice.below(3);
            let shared = dice.below((a_day * honest.mobile / 100 / 3 / honest.shared_by).max(1));
            (format!("10.{place}.{}.{}", operator * 64 + shared / 256, shared % 256), operator)
        } else if place == country && kind < honest.mobile + honest.office {
            let office = dice.below((a_day * honest.office / 100 / honest.office_size).max(1));
            (format!("172.{}.{}.{}", 16 + place % 16, office / 256, office % 256), 3)
        } else {
            (format!("2001:db8:{:x}:{:x}::1", place, dice.below(65_536)), dice.between(3, 5))
        };
        let unplaced = dice.percent(honest.unplaced);
        let asn = 64_512 + u32::try_from(place).unwrap() * 8 + u32::try_from(operator).unwrap();
        From { ip, place: (!unplaced).then_some((COUNTRIES[place].code, asn)) }
    }
}

fn answered(ask: &Ask) -> bool {
    ask.then.iter().any(|(_, then)| *then == Then::Answer)
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds * 1_000).unwrap()
}

fn attack_asks(attack: &Attack, index: usize, apps: usize, accounts: &mut usize, mut dice: Dice) -> Vec<Ask> {
    let ranges: Vec<(usize, String)> = match &attack.numbers {
        Numbers::Prefix(country) | Numbers::Few(country, _) => vec![(*country, COUNTRIES[*country].prefix(&mut dice))],
        Numbers::Countries(countries, each) | Numbers::Accounts(countries, each) => {
            let all = countries.iter().flat_map(|country| (0..*each).map(|_| *country));
            all.map(|country| (country, COUNTRIES[country].prefix(&mut dice))).collect()
        }
    };
    let first = *accounts;
    *accounts += match &attack.numbers {
        Numbers::Accounts(_, each) => *each,
        Numbers::Few(..) => usize::try_from(attack.asks).unwrap(),
        _ => 0,
    };
    let count = i64::try_from(attack.asks).unwrap();
    (0..count)
        .map(|ask| {
            let (country, range) = dice.pick(&ranges).clone();
            let end = match &attack.numbers {
                Numbers::Few(_, numbers) => dice.below(*numbers as u64),
                _ => dice.below(10_000),
            };
            let number = format!("{range}{end:04}");
            let whom = match &attack.numbers {
                Numbers::Accounts(_, each) => Whom::Account(first + dice.index(*each), number),
                Numbers::Few(..) => Whom::Account(first + usize::try_from(ask).unwrap(), number),
                _ => Whom::Number(number),
            };
            let address =
                if attack.addresses == 0 { dice.below(u64::from(u32::MAX)) } else { dice.below(attack.addresses) };
            let place = if dice.percent(attack.home) {
                country
            } else {
                let others: Vec<usize> = (0..COUNTRIES.len()).filter(|other| *other != country).collect();
                *dice.pick(&others)
            };
            let asn = 65_536 + u32::try_from(dice.below(attack.operators)).unwrap();
            let from = From {
                ip: format!("2001:db8:{:x}:{:x}::2", 0x8000 | (address >> 16) & 0x7fff, address & 0xffff),
                place: attack.placed.then_some((COUNTRIES[place].code, asn)),
            };
            let then = if dice.percent(attack.verifies) {
                vec![(millis(dice.between(5, 40)), Then::Answer)]
            } else {
                Vec::new()
            };
            let app = attack.app.unwrap_or_else(|| dice.index(apps));
            let each = attack.hours * HOUR / count.max(1);
            let jitter = i64::try_from(dice.below(u64::try_from(each.max(1)).unwrap())).unwrap();
            let at = attack.begins * HOUR + attack.hours * HOUR * ask / count + jitter;
            Ask { at, side: Side::Attack(index), whom, country, from, app, then }
        })
        .collect()
}
