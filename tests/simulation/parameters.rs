//! What a week is made of: every parameter with its default and the range that makes sense. A mix changes some of them.

use super::places::{place, pumped};

/// Honest traffic.
#[derive(Clone, Debug)]
pub struct Honest {
    /// Days.
    pub days: i64,
    /// How many times a day people ask for a code, on average: 100 to 100,000.
    pub asks_per_day: u64,
    /// In a hundred asks, those of people who have proven their number before: 0 (the first day) to 80.
    pub known: u64,
    /// People who have proven their number before the week begins, per ask a day: 0 to 10.
    pub people: u64,
    /// In a hundred codes, those that come back: from the country where most do to the one where fewest do; 80 to 92.
    pub conversion: (u64, u64),
    /// In a hundred asks, those with a second code before the first came back: 2 to 10.
    pub resends: u64,
    /// In a hundred asks, those that went to a mistyped number first: 1 to 4.
    pub typos: u64,
    /// In a hundred people, those who are in another country than their number: 3 to 5.
    pub away: u64,
    /// In a hundred asks, those of whom nobody says where they are (100: a server that does not pass it on).
    pub unplaced: u64,
    /// In a hundred people at home, those in a mobile network, who share few addresses: 30 to 70.
    pub mobile: u64,
    /// Asks a day that come from one such shared address: 1 to 12.
    pub shared_by: u64,
    /// In a hundred people at home, those in an office, who share one address: 0 to 15.
    pub office: u64,
    /// Asks a day from one office: 1 to 12.
    pub office_size: u64,
    /// How the asks go to the apps, in a hundred: at least one.
    pub apps: Vec<u64>,
    /// A launch: from which hour, for how many hours, and how many times as many new people come.
    pub launch: Option<(i64, i64, u64)>,
    /// A carrier that says it takes everything and delivers nothing: from which hour, for how many hours. Half of the
    /// people ask for another code, and none comes back.
    pub outage: Option<(i64, i64)>,
    /// How many prefixes people's numbers have in each country; `None`: as many as there are.
    pub dense: Option<u64>,
}

impl Default for Honest {
    fn default() -> Self {
        Self {
            days: 7,
            asks_per_day: 1_000,
            known: 55,
            people: 3,
            conversion: (92, 80),
            resends: 6,
            typos: 2,
            away: 4,
            unplaced: 2,
            mobile: 50,
            shared_by: 4,
            office: 8,
            office_size: 8,
            apps: vec![60, 30, 10],
            launch: Some((50, 8, 4)),
            outage: None,
            dense: None,
        }
    }
}

/// Whom an attack asks codes for.
#[derive(Clone, Debug)]
pub enum Numbers {
    /// One prefix of a country: ten thousand numbers.
    Prefix(usize),
    /// So many prefixes in each of these countries.
    Countries(Vec<usize>, usize),
    /// As `Countries`, each asked for by one of so many accounts.
    Accounts(Vec<usize>, usize),
    /// So many numbers of a country, asked for by accounts without end.
    Few(usize, usize),
}

/// An attack.
#[derive(Clone, Debug)]
pub struct Attack {
    /// What tables call it.
    pub name: &'static str,
    /// Whom it asks codes for.
    pub numbers: Numbers,
    /// The hour it begins.
    pub begins: i64,
    /// For how many hours.
    pub hours: i64,
    /// How many codes it asks for.
    pub asks: u64,
    /// In a hundred asks, those from an address in the number's country: 10 to 30.
    pub home: u64,
    /// In a hundred codes, those that it sends back: 0 to 10.
    pub verifies: u64,
    /// How many addresses it has; 0: another one for each ask.
    pub addresses: u64,
    /// How many network operators these belong to.
    pub operators: u64,
    /// Whether somebody says where it asks from.
    pub placed: bool,
    /// The app whose form it fills in; `None`: all of them.
    pub app: Option<usize>,
}

impl Default for Attack {
    fn default() -> Self {
        Self {
            name: "",
            numbers: Numbers::Prefix(place("UZ")),
            begins: 60,
            hours: 10,
            asks: 4_000,
            home: 20,
            verifies: 2,
            addresses: 0,
            operators: 60,
            placed: true,
            app: None,
        }
    }
}

/// A week.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// What the dice begin with.
    pub seed: u64,
    /// Honest traffic.
    pub honest: Honest,
    /// The attacks on top of it.
    pub attacks: Vec<Attack>,
}

/// Thousands of numbers of one prefix, from rotating addresses and networks, in a country that people are in.
pub fn one_prefix() -> Attack {
    Attack { name: "one prefix", numbers: Numbers::Prefix(place("MX")), ..Attack::default() }
}

/// Slow, and spread over 40 countries.
pub fn spread() -> Attack {
    Attack {
        name: "slow and spread",
        numbers: Numbers::Countries(pumped(), 6),
        begins: 30,
        hours: 120,
        asks: 5_000,
        verifies: 3,
        ..Attack::default()
    }
}

/// A burst through one app's form, into countries that people are in and others.
pub fn burst() -> Attack {
    Attack {
        name: "burst through one app",
        numbers: Numbers::Countries(["GB", "FR", "IN", "UZ", "NG", "EG"].map(place).to_vec(), 4),
        begins: 105,
        hours: 1,
        asks: 2_500,
        verifies: 1,
        app: Some(1),
        ..Attack::default()
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self { seed: 6, honest: Honest::default(), attacks: vec![one_prefix(), spread(), burst()] }
    }
}

impl Parameters {
    fn with(honest: Honest, attacks: Vec<Attack>) -> Self {
        Self { honest, attacks, ..Self::default() }
    }

    /// The same with each attack changed.
    fn attacked(self, change: impl Fn(Attack) -> Attack) -> Self {
        Self { attacks: self.attacks.into_iter().map(change).collect(), ..self }
    }
}

/// A week without attacks in which nothing is delivered for one hour of a day.
fn quiet(asks_per_day: u64) -> Parameters {
    let dense = (asks_per_day > 1_000).then_some(30);
    Parameters::with(Honest { asks_per_day, dense, outage: Some((80, 1)), ..Honest::default() }, Vec::new())
}

/// Other weeks that the bounds have to hold for.
pub fn mixes() -> Vec<(&'static str, Parameters)> {
    let default = Parameters::default;
    let us = || vec![place("US"), place("GB")];
    let inside = vec![
        Attack { name: "one prefix in the biggest country", numbers: Numbers::Prefix(place("US")), ..one_prefix() },
        Attack { name: "burst into the biggest countries", numbers: Numbers::Countries(us(), 8), ..burst() },
    ];
    let nowhere = Honest { unplaced: 100, ..Honest::default() };
    let young = Honest { days: 1, known: 0, people: 0, launch: None, ..Honest::default() };
    let first_day = vec![
        Attack { begins: 14, hours: 6, ..one_prefix() },
        Attack { begins: 11, hours: 12, asks: 1_000, ..spread() },
        Attack { begins: 18, ..burst() },
    ];
    vec![
        ("inside the biggest countries", Parameters::with(Honest::default(), inside)),
        ("attackers send one code in ten back", default().attacked(|attack| Attack { verifies: 10, ..attack })),
        (
            "a server that says nowhere who asks from where",
            Parameters::with(nowhere, default().attacks).attacked(|attack| Attack { placed: false, ..attack }),
        ),
        ("an instance on its first day", Parameters::with(young, first_day)),
        ("150 messages a day", Parameters::with(Honest { asks_per_day: 150, ..Honest::default() }, default().attacks)),
        (
            "4,000 messages a day",
            Parameters::with(Honest { asks_per_day: 4_000, ..Honest::default() }, default().attacks),
        ),
        ("no attack", Parameters::with(Honest::default(), Vec::new())),
        ("no attack, nothing is delivered for an hour", quiet(1_000)),
        ("the same with 4,000 messages a day, and people in 30 prefixes a country", quiet(4_000)),
    ]
}

/// Numbers of forty countries that twenty accounts add.
pub fn by_accounts() -> Attack {
    Attack {
        name: "twenty accounts",
        numbers: Numbers::Accounts(pumped(), 20),
        asks: 2_000,
        verifies: 0,
        ..Attack::default()
    }
}

/// Five numbers that accounts without end add.
pub fn by_many() -> Attack {
    Attack { name: "five numbers", numbers: Numbers::Few(place("UZ"), 5), asks: 400, verifies: 0, ..Attack::default() }
}

/// From twelve addresses.
pub fn few_addresses() -> Attack {
    Attack { name: "twelve addresses", addresses: 12, ..spread() }
}

/// From one network operator.
pub fn one_operator() -> Attack {
    Attack { name: "one network", operators: 1, ..spread() }
}
