//! Traffic for a running `make dev`, for `examples/sms-fraud/replay.mjs` to ask for: the simulation's people and attackers
//! (`tests/simulation/`), on the scale of a small shop. One line of JSON per code that somebody asks for, in order.
//!
//! `people=300 prefix=200 country=LK seed=7`: about 300 people in a day, and 200 asks in the same day for numbers of one prefix
//! of Sri Lanka.

#[path = "../../tests/simulation/dice.rs"]
#[allow(dead_code, missing_docs, reason = "the simulation needs more of it")]
mod dice;
#[path = "../../tests/simulation/parameters.rs"]
#[allow(dead_code, missing_docs, reason = "the simulation needs more of it")]
mod parameters;
#[path = "../../tests/simulation/places.rs"]
#[allow(dead_code, missing_docs, reason = "the simulation needs more of it")]
mod places;
#[path = "../../tests/simulation/week.rs"]
#[allow(dead_code, missing_docs, reason = "the simulation needs more of it")]
mod week;

use std::io::{self, Write as _};

use parameters::{Attack, Honest, Numbers, Parameters, one_prefix, spread};
use places::COUNTRIES;
use serde_json::{Value, json};
use week::{Ask, Side, Then, Week, Whom};

/// Prints the traffic that the words ask for.
pub fn print(words: &[String]) -> Result<(), String> {
    let mut out = io::stdout().lock();
    for line in lines(words)? {
        writeln!(out, "{line}").map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn lines(words: &[String]) -> Result<Vec<Value>, String> {
    let mut parameters = Parameters {
        seed: 1,
        // A day of which nothing was before, and nobody to launch for.
        honest: Honest { days: 1, asks_per_day: 0, launch: None, ..Honest::default() },
        attacks: Vec::new(),
    };
    let mut country = None;
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("{word}: a word like people=300 is wanted"))?;
        let count = || value.parse::<u64>().map_err(|_| format!("{word}: a whole number is wanted"));
        match name {
            "people" => parameters.honest.asks_per_day = count()?,
            "seed" => parameters.seed = count()?,
            "prefix" => parameters.attacks.push(Attack { asks: count()?, ..one_prefix() }),
            "spread" => parameters.attacks.push(Attack { asks: count()?, ..spread() }),
            "country" => {
                let known = COUNTRIES.iter().position(|country| country.code == value);
                country = Some(known.ok_or_else(|| format!("{word}: the simulation has no such country"))?);
            }
            _ => return Err(format!("{name}: people, prefix, spread, country and seed are known")),
        }
    }
    for attack in &mut parameters.attacks {
        // All through the day.
        (attack.begins, attack.hours) = (2, 20);
        if let (Numbers::Prefix(place), Some(country)) = (&mut attack.numbers, country) {
            *place = country;
        }
    }
    let week = Week::new(&parameters);
    Ok(week.asks.iter().map(|ask| line(&week, ask)).collect())
}

/// Somebody asks for a code. Whoever would have it sent again has waited long enough here: the replay has no time.
fn line(week: &Week, ask: &Ask) -> Value {
    let who = match ask.side {
        Side::Honest => "people",
        Side::Attack(_) => "attack",
    };
    let phone = match &ask.whom {
        Whom::Number(number) | Whom::Account(_, number) => Some(number),
        Whom::Person(person) => week.people.get(*person).map(|(number, _)| number),
    };
    let (country, asn) = ask.from.place.unzip();
    let mut client = json!({"ip": ask.from.ip});
    if let (Some(country), Some(asn)) = (country, asn) {
        client["country"] = country.into();
        client["asn"] = asn.into();
    }
    let answers = ask.then.iter().any(|(_, then)| *then == Then::Answer);
    json!({"who": who, "to": {"phone": phone}, "client": client, "answers": answers})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<Vec<Value>, String> {
        lines(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_same_words_are_the_same_traffic() {
        let traffic = of(&["people=300", "prefix=200", "seed=7"]).unwrap();
        assert_eq!(traffic, of(&["people=300", "prefix=200", "seed=7"]).unwrap());
        assert_ne!(traffic, of(&["people=300", "prefix=200", "seed=8"]).unwrap());
        let attack: Vec<&Value> = traffic.iter().filter(|line| line["who"] == "attack").collect();
        assert_eq!(attack.len(), 200);
        let prefix = |line: &Value| line["to"]["phone"].as_str().map(|phone| phone[..phone.len() - 4].to_owned());
        assert!(attack.iter().all(|line| prefix(line) == prefix(attack[0])), "one prefix");
        assert!((200..400).contains(&(traffic.len() - attack.len())), "{}", traffic.len());
        let elsewhere = of(&["prefix=1", "country=LK"]).unwrap();
        assert!(elsewhere[0]["to"]["phone"].as_str().unwrap().starts_with("+94"));
    }

    #[test]
    fn unknown_words_are_told() {
        for wrong in ["people", "people=many", "crowd=3", "people=-1", "country=ZZ"] {
            assert!(of(&[wrong]).is_err(), "{wrong}");
        }
    }
}
