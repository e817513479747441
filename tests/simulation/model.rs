//! The guard once more, as plain arithmetic over plain tables: what `docs/fraud.md` says, written a second time. A test holds
//! it against the routes, ask by ask; then it answers in moments what other seeds, other mixes and other numbers come to.

use std::collections::{BTreeMap, HashMap};

use postern::{
    config::Config,
    fraud::{FraudSettings, Mode, Number, numbers as n},
};
use serde_json::{Value, json};

use super::{
    places::COUNTRIES,
    run::{Sender, Sent, Told},
    week::{Ask, HOUR, Week, Whom},
};

/// Six hours: how counts are kept.
const PERIOD: i64 = 6 * HOUR;

/// A block of a prefix: how often in a row, until when, and whether it refuses.
struct Block {
    level: u32,
    until: i64,
    enforced: bool,
}

/// What was sent for one challenge.
struct Challenge {
    number: String,
    /// It was asked for without a user: who proves it makes the number known.
    is_anybodys: bool,
    country: usize,
    is_verified: bool,
    /// Each message's period and the keys that it counted under; the newest comes last.
    messages: Vec<(i64, Vec<String>)>,
}

/// A key's counts: sent and verified, by period.
type Counts = HashMap<String, BTreeMap<i64, (i64, i64)>>;

/// The model.
pub struct Model<'a> {
    week: &'a Week,
    settings: FraudSettings,
    /// What the tests' clock begins at: periods begin at midnight.
    begins: i64,
    now: i64,
    counts: Counts,
    members: HashMap<String, HashMap<String, i64>>,
    proven: HashMap<String, i64>,
    blocks: HashMap<String, Block>,
    limits: HashMap<String, (u32, i64)>,
    challenges: Vec<Challenge>,
    /// When something went out to a number, for which challenge, and in which period it was counted last.
    sent_to: HashMap<String, Vec<(i64, usize)>>,
    counted_in: HashMap<String, i64>,
    verified_at: HashMap<String, i64>,
}

impl<'a> Model<'a> {
    pub fn new(week: &'a Week, fraud: &Value, begins: i64) -> Self {
        let settings = FraudSettings::effective(&json!({ "fraud": fraud }), &Config::read(&BTreeMap::new()));
        let proven = week.people.iter().map(|(number, _)| (number.clone(), i64::MAX)).collect();
        Self {
            week,
            settings,
            begins,
            now: 0,
            counts: HashMap::new(),
            members: HashMap::new(),
            proven,
            blocks: HashMap::new(),
            limits: HashMap::new(),
            challenges: Vec::new(),
            sent_to: HashMap::new(),
            counted_in: HashMap::new(),
            verified_at: HashMap::new(),
        }
    }

    /// Whether a number is proven, and its codes come back.
    fn is_known(&self, number: &str) -> bool {
        let sent = self.sent_to.get(number).into_iter().flatten().rev().take(40);
        let lost = sent.filter(|(at, challenge)| {
            *at > self.now - 24 * HOUR
                && !self.challenges.get(*challenge).is_some_and(|challenge| challenge.is_verified)
        });
        self.proven.get(number).is_some_and(|until| *until > self.now) && lost.count() < 8
    }

    fn number(&self, number: Number) -> i64 {
        self.settings.number(number)
    }

    fn period(&self) -> i64 {
        (self.begins + self.now) / PERIOD
    }

    /// Sent and verified of a key in the last so many periods.
    fn sum(&self, key: &str, periods: i64) -> (i64, i64) {
        let counts = self.counts.get(key).into_iter().flat_map(|counts| counts.range(self.period() - periods + 1..));
        counts.fold((0, 0), |(sent, verified), (_, count)| (sent + count.0, verified + count.1))
    }

    /// Whether a budget of unverified messages has no room: the larger of a floor and a share of the best of 14 days.
    fn is_spent(&self, key: &str, floor: i64, share: i64) -> bool {
        if floor == 0 {
            return false;
        }
        let mut days: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        let now = self.period();
        for (period, count) in self.counts.get(key).into_iter().flat_map(|counts| counts.range(now - 55..)) {
            let day = days.entry((now - period) / 4).or_default();
            *day = (day.0 + count.0, day.1 + count.1);
        }
        if days.is_empty() {
            return false;
        }
        let last = days.get(&0).copied().unwrap_or_default();
        let best = days.values().map(|(_, verified)| *verified).max().unwrap_or(0);
        (last.0 - last.1).max(0) >= floor.max(share * best / 100)
    }

    fn is_new_country(&self, code: &str) -> bool {
        let of = |origin| self.sum(&format!("country:sms:{code}:{origin}"), 56).1;
        ["home", "away", "unknown", "known"].into_iter().map(of).sum::<i64>() < 4
    }

    fn members(&self, key: &str, own: &str, most: i64) -> bool {
        let live = self.members.get(key).into_iter().flatten().filter(|(_, until)| **until > self.now);
        let (mut count, mut is_own) = (0, false);
        for (member, _) in live {
            count += 1;
            is_own |= member == own;
        }
        most > 0 && count >= most && !is_own
    }

    /// The plain limits, which come first: each one's key, room and length.
    fn limits(ask: &Ask, number: &str) -> Vec<(String, u32, i64)> {
        let user = match &ask.whom {
            Whom::Number(_) => None,
            Whom::Person(person) => Some(format!("person:{person}")),
            Whom::Account(account, _) => Some(format!("account:{account}")),
        };
        let mut limits = vec![
            (format!("number/2:{number}"), 5, HOUR / 2),
            (format!("number:{number}"), 10, HOUR),
            (format!("address:{}", network(&ask.from.ip)), 300, HOUR),
        ];
        limits.extend(user.iter().flat_map(|user| [(format!("{user}/2"), 5, HOUR / 2), (user.clone(), 10, HOUR)]));
        limits
    }

    /// Blocks the prefix, where what was counted of it says so and no block lives.
    fn trip(&mut self, prefix: &str) {
        let (sent, verified) = self.sum(prefix, 4);
        let enforced = self.settings.mode == Mode::Enforce;
        let most = self.number(n::PREFIX_UNVERIFIED);
        let is_bad = sent - verified >= most && verified * 100 < self.number(n::PREFIX_CONVERSION) * sent;
        let lives = self.blocks.get(prefix).is_some_and(|block| block.until > self.now && block.enforced >= enforced);
        if most == 0 || !is_bad || lives {
            return;
        }
        let level = self.blocks.get(prefix).map_or(1, |block| block.level + 1);
        let hours = (self.number(n::PREFIX_BLOCK_HOURS) << (level - 1).min(8)).min(168);
        self.blocks.insert(prefix.to_owned(), Block { level, until: self.now + hours * HOUR, enforced });
        self.counts.remove(prefix);
    }

    /// One message: judged, and counted where it goes out. What is remembered of it, or `None`.
    fn send(&mut self, ask: &Ask, number: &str, challenge: usize) -> (Told, Option<(i64, Vec<String>)>) {
        let refused = |sent, rules| (Told { sent, rules, ..Told::default() }, None);
        let limits = Self::limits(ask, number);
        let full = |(key, most, _): &(String, u32, i64)| {
            self.limits.get(key).is_some_and(|(count, until)| *until > self.now && count >= most)
        };
        if limits.iter().any(full) {
            return refused(Sent::Limited, Vec::new());
        }
        let country = COUNTRIES[ask.country].code;
        let (asn, origin) = match ask.from.place {
            None => (None, "unknown"),
            Some((from, asn)) => (Some(asn), if from == country { "home" } else { "away" }),
        };
        let prefix = format!("prefix:{}", &number[..number.len() - 4]);
        let by_country = format!("country:sms:{country}:{origin}");
        let by_app = format!("app:{}:{origin}", ask.app);
        let by_asn = asn.map(|asn| format!("asn:{asn}:{origin}"));
        let of_address = format!("phones_per_address:{}", network(&ask.from.ip));
        let account = if let Whom::Account(account, _) = &ask.whom { Some(account.to_string()) } else { None };
        let is_known = self.is_known(number);
        let judges = self.settings.mode != Mode::Off;
        let mut rules = Vec::new();
        if judges {
            self.trip(&prefix);
        }
        let mut enforced = self.settings.mode == Mode::Enforce;
        let mut members: Vec<(&str, String, String)> = vec![("phones_per_address", of_address, number.to_owned())];
        if let Some(account) = account {
            members.push(("phones_per_user", format!("phones_per_user:{account}"), number.to_owned()));
            members.push(("users_per_phone", format!("users_per_phone:{number}"), account));
        }
        if judges && !is_known {
            if let Some(block) = self.blocks.get(&prefix).filter(|block| block.until > self.now) {
                rules.push("block_list");
                enforced &= block.enforced;
            }
            let budgets = [
                ("country", Some(&by_country), n::COUNTRY_FLOOR, Some(n::COUNTRY_SHARE)),
                ("app", Some(&by_app), n::APP_FLOOR, Some(n::APP_SHARE)),
                ("asn", by_asn.as_ref(), n::ASN_FLOOR, Some(n::ASN_SHARE)),
            ];
            for (rule, key, floor, share) in budgets {
                let share = share.map_or(0, |share| self.number(share));
                if key.is_some_and(|key| self.is_spent(key, self.number(floor), share)) {
                    rules.push(rule);
                }
            }
            if self.is_new_country(country) && self.is_spent("new_countries:sms", self.number(n::NEW_COUNTRIES), 0) {
                rules.push("new_countries");
            }
            for (rule, key, own) in &members {
                let most = match *rule {
                    "phones_per_user" => n::PHONES_PER_USER,
                    "phones_per_address" => n::PHONES_PER_ADDRESS,
                    _ => n::USERS_PER_PHONE,
                };
                if self.members(key, own, self.number(most)) {
                    rules.push(rule);
                }
            }
        }
        rules.sort_unstable();
        let rules_of: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        if enforced && !rules.is_empty() {
            return refused(Sent::Refused, rules_of);
        }
        for (key, _, length) in limits {
            let limit = self.limits.entry(key).or_insert((0, self.now + length));
            if limit.1 <= self.now {
                *limit = (0, self.now + length);
            }
            limit.0 += 1;
        }
        self.sent_to.entry(number.to_owned()).or_default().push((self.now, challenge));
        let (is_known, is_new, period) = (self.is_known(number), self.is_new_country(country), self.period());
        let mut keys = Vec::new();
        // What would have been refused is not counted, nor what goes to somebody known; of a prefix each number once.
        if judges && rules.is_empty() && !is_known {
            if self.counted_in.insert(number.to_owned(), period) != Some(period) {
                keys.push(prefix);
            }
            keys.extend([by_country, by_app].into_iter().chain(by_asn));
            for key in keys.iter().chain(is_new.then_some(&"new_countries:sms".to_owned())) {
                self.counts.entry(key.clone()).or_default().entry(period).or_default().0 += 1;
            }
            if keys.first().is_none_or(|key| !key.starts_with("prefix:")) {
                keys.insert(0, format!("prefix:{}", &number[..number.len() - 4]));
            }
        }
        for (rule, key, own) in members {
            if judges && !is_known && !rules.contains(&rule) {
                self.members.entry(key).or_default().insert(own, self.now + 24 * HOUR);
            }
        }
        (Told { sent: Sent::Sent, rules: rules_of, ..Told::default() }, Some((self.period(), keys)))
    }
}

impl Sender for Model<'_> {
    fn set(&mut self, at: i64) {
        self.now = at;
    }

    fn now(&self) -> i64 {
        self.now
    }

    async fn ask(&mut self, ask: &Ask) -> Told {
        let number = match &ask.whom {
            Whom::Number(number) | Whom::Account(_, number) => number.clone(),
            Whom::Person(person) => self.week.people[*person].0.clone(),
        };
        let (told, message) = self.send(ask, &number, self.challenges.len());
        let Some(message) = message else { return told };
        let is_anybodys = matches!(ask.whom, Whom::Number(_));
        self.challenges.push(Challenge {
            number,
            is_anybodys,
            country: ask.country,
            is_verified: false,
            messages: vec![message],
        });
        Told { id: (self.challenges.len() - 1).to_string(), ..told }
    }

    async fn resend(&mut self, ask: &Ask, id: &str) -> Told {
        let at: usize = id.parse().unwrap();
        let number = self.challenges[at].number.clone();
        let (told, message) = self.send(ask, &number, at);
        self.challenges[at].messages.extend(message);
        Told { id: id.to_owned(), ..told }
    }

    async fn answer(&mut self, told: &Told) {
        let at: usize = told.id.parse().unwrap();
        let challenge = &self.challenges[at];
        let country = challenge.messages.iter().find_map(|(_, keys)| keys.get(1)?.split(':').nth(2));
        let is_new = country.is_some_and(|country| self.is_new_country(country));
        // One code came back, of the newest message that counted; the others are not counted any more.
        for (behind, (period, keys)) in challenge.messages.iter().filter(|(_, keys)| !keys.is_empty()).rev().enumerate()
        {
            for key in keys.iter().chain(is_new.then_some(&"new_countries:sms".to_owned())) {
                let Some(count) = self.counts.get_mut(key).and_then(|counts| counts.get_mut(period)) else { continue };
                if behind == 0 {
                    count.1 += 1;
                } else if !key.starts_with("prefix:") {
                    count.0 = (count.0 - 1).max(0);
                }
            }
        }
        let before = self.verified_at.insert(challenge.number.clone(), self.now);
        if let Some((period, keys)) = challenge.messages.last()
            && keys.is_empty()
            && before.is_none_or(|before| before <= self.now - 24 * HOUR)
        {
            let key = format!("country:sms:{}:known", COUNTRIES[challenge.country].code);
            self.counts.entry(key).or_default().entry(*period).or_default().1 += 1;
        }
        self.challenges[at].is_verified = true;
        let challenge = &self.challenges[at];
        if challenge.is_anybodys {
            let until = self.proven.entry(challenge.number.clone()).or_default();
            *until = (*until).max(self.now + 90 * 24 * HOUR);
        }
    }

    async fn hourly(&mut self) {}
}

/// An address, or the half of an IPv6 address that one customer has.
fn network(ip: &str) -> &str {
    ip.split("::").next().unwrap_or(ip)
}
