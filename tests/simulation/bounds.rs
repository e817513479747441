//! What the guard has to hold, for the documented week, other seeds and other mixes; and that each rule is needed for it.
//! The model answers, which `routes.rs` holds against the routes.

use serde_json::{Value, json};

use super::{
    model::Model,
    parameters::{
        Attack, Honest, Parameters, burst, by_accounts, by_many, few_addresses, mixes, one_operator, one_prefix, spread,
    },
    places::COUNTRIES,
    run::{Outcome, run},
    week::{Side, Week},
};
use crate::support::ports::START;

/// In a hundred thousand: what attacks may cost of the unguarded loss, and honest sends that may be refused.
const LOSS: i64 = 5_000;
const REFUSED: i64 = 500;

/// A week under settings of the guard, by the model.
pub async fn modelled(week: &Week, fraud: &Value) -> Outcome {
    run(week, Model::new(week, fraud, START)).await
}

/// What each attack costs when every message goes out.
fn unguarded(week: &Week) -> Vec<i64> {
    let of = |attack| week.asks.iter().filter(move |ask| ask.side == Side::Attack(attack));
    (0..week.attacks.len()).map(|attack| of(attack).map(|ask| COUNTRIES[ask.country].price).sum()).collect()
}

/// Of a week in `enforce`: the loss in all and the worst attack's, and honest sends refused, in a hundred thousand.
pub async fn guarded(parameters: &Parameters) -> (i64, i64, i64) {
    let week = Week::new(parameters);
    let outcome = modelled(&week, &json!({"mode": "enforce"})).await;
    let unguarded = unguarded(&week);
    let each = outcome.attacks.iter().zip(&unguarded).map(|(attack, all)| Outcome::part(attack.cost, *all));
    let all = Outcome::part(outcome.loss(), unguarded.iter().sum());
    (all, each.max().unwrap_or(0), i64::try_from(outcome.honest_flagged()).unwrap())
}

fn holds(what: &str, (loss, worst, refused): (i64, i64, i64), most: i64) {
    assert!(loss <= LOSS && worst <= LOSS, "{what}: attacks cost {loss} of 100,000 in all, and one of them {worst}");
    assert!(refused <= most, "{what}: {refused} of 100,000 honest sends are refused");
}

#[tokio::test]
async fn attacks_come_to_a_twentieth_and_honest_people_get_through_whatever_the_seed() {
    for seed in 1..=4 {
        let parameters = Parameters { seed, ..Parameters::default() };
        holds(&format!("seed {seed}"), guarded(&parameters).await, REFUSED);
    }
}

#[tokio::test]
async fn other_mixes_hold_too() {
    for (name, parameters) in mixes() {
        // A few people a day from a country are what a spread attack looks like (`docs/fraud.md`).
        let most = if parameters.honest.asks_per_day < 500 { 1_000 } else { REFUSED };
        holds(name, guarded(&parameters).await, most);
    }
}

/// The rules, each with the settings that switch it off.
const RULES: [(&str, [&str; 2]); 8] = [
    ("prefix", ["prefix", "unverified"]),
    ("country", ["country", "floor"]),
    ("new countries", ["new_countries", "messages"]),
    ("app", ["app", "floor"]),
    ("network", ["asn", "floor"]),
    ("numbers per address", ["phones", "per_address"]),
    ("numbers per user", ["phones", "per_user"]),
    ("users per number", ["phones", "users_per_phone"]),
];

/// Every rule switched off, but for one.
fn only(rule: Option<&str>) -> Value {
    let mut fraud = json!({"mode": "enforce"});
    for (name, [block, number]) in RULES {
        if Some(name) != rule {
            fraud[block][number] = 0.into();
        }
    }
    fraud
}

/// Each attack alone, under each rule alone: what is left of its loss, in a hundred thousand.
pub async fn matrix() -> (Vec<&'static str>, Vec<(&'static str, Vec<i64>)>) {
    let attacks = [one_prefix(), spread(), burst(), one_operator(), few_addresses(), by_accounts(), by_many()];
    let mut rows = Vec::new();
    for attack in attacks {
        let name = attack.name;
        let honest = Honest { days: 3, asks_per_day: 300, launch: None, ..Honest::default() };
        let attack = Attack { begins: 24, hours: attack.hours.min(24), asks: attack.asks.min(1_500), ..attack };
        let week = Week::new(&Parameters { honest, attacks: vec![attack], ..Parameters::default() });
        let off = modelled(&week, &only(None)).await.loss();
        let mut parts = Vec::new();
        for (rule, _) in RULES {
            parts.push(Outcome::part(modelled(&week, &only(Some(rule))).await.loss(), off));
        }
        rows.push((name, parts));
    }
    (RULES.map(|(rule, _)| rule).to_vec(), rows)
}

#[tokio::test]
async fn without_rules_every_attack_costs_all_of_it() {
    let week = Week::new(&Parameters::default());
    let none = modelled(&week, &only(None)).await;
    let off = modelled(&week, &json!({"mode": "off"})).await;
    assert_eq!((none.loss(), none.honest.refused), (off.loss(), 0));
    assert_eq!(off.loss(), unguarded(&week).iter().sum::<i64>());
}

#[tokio::test]
async fn each_rule_alone_stops_an_attack_that_is_its_own() {
    let (rules, rows) = matrix().await;
    for (at, rule) in rules.iter().enumerate() {
        let best = rows.iter().map(|(name, parts)| (parts[at], *name)).min().unwrap();
        assert!(best.0 <= 30_000, "{rule} stops nothing by itself: {best:?}");
    }
}

#[tokio::test]
async fn what_record_only_reports_is_what_enforce_refuses() {
    let week = Week::new(&Parameters::default());
    let would = modelled(&week, &json!({"mode": "record_only"})).await;
    let does = modelled(&week, &json!({"mode": "enforce"})).await;
    assert_eq!(would.honest.refused, 0);
    assert!(would.attacks.iter().all(|attack| attack.refused == 0));
    let near = |one: u64, other: u64, most: u64| one.abs_diff(other) <= most;
    assert!(
        near(would.honest.flagged, does.honest.flagged, does.honest.asked / 200),
        "{} {}",
        would.honest.flagged,
        does.honest.flagged
    );
    for (would, does) in would.attacks.iter().zip(&does.attacks) {
        // What goes out all the same may come back, and opens its country.
        assert!(near(would.flagged, does.flagged, does.asked / 10), "{would:?} {does:?}");
    }
}

#[test]
fn a_seed_gives_one_week() {
    let text = |seed| format!("{:?}", Week::new(&Parameters { seed, ..Parameters::default() }).asks);
    assert!(text(6) == text(6) && text(6) != text(7));
}
