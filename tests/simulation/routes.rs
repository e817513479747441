//! The model against the routes: each message of a week is told the same by both.

use std::collections::BTreeSet;

use postern::phone::{NumberKind, PhoneNumber, Validation};
use serde_json::json;

use super::{
    dice::Dice,
    model::Model,
    parameters::{Attack, Honest, Parameters, by_accounts, by_many, spread},
    places::COUNTRIES,
    report::MODES,
    run::{Outcome, run},
    week::Week,
    world::Server,
};
use crate::support::ports::START;

/// Holds what two senders told against each other, message by message.
pub fn agree(mode: &str, routes: &Outcome, model: &Outcome) {
    assert_eq!(routes.told.len(), model.told.len(), "{mode}");
    for (index, (one, other)) in routes.told.iter().zip(&model.told).enumerate() {
        assert_eq!(one, other, "{mode}: message {index}: the routes, and the model");
    }
    assert_eq!(routes, model, "{mode}");
}

/// The documented attacks an eighth as large, and those by accounts.
fn short_week() -> Week {
    let honest = Honest { days: 2, asks_per_day: 120, ..Honest::default() };
    let shorter = |attack: Attack| Attack { asks: attack.asks / 10, begins: 15, hours: attack.hours.min(20), ..attack };
    let mut attacks: Vec<Attack> = Parameters::default().attacks.into_iter().map(shorter).collect();
    attacks.push(Attack { name: "accounts", asks: 80, hours: 6, begins: 20, ..by_accounts() });
    attacks.push(Attack { name: "few numbers", asks: 60, hours: 6, begins: 24, ..by_many() });
    attacks.push(Attack { name: "few addresses", addresses: 2, asks: 80, begins: 30, hours: 6, ..spread() });
    Week::new(&Parameters { honest, attacks, ..Parameters::default() })
}

#[tokio::test]
async fn the_model_says_of_each_message_what_the_routes_do() {
    let week = short_week();
    for mode in MODES {
        // So tight that a short week meets most rules.
        let fraud = json!({"mode": mode, "country": {"floor": 4}, "asn": {"floor": 2}, "app": {"floor": 30},
            "phones": {"per_user": 2, "per_address": 3, "users_per_phone": 2}});
        let routes = run(&week, Server::new(&week, &fraud).await).await;
        let model = run(&week, Model::new(&week, &fraud, START)).await;
        agree(mode, &routes, &model);
        let rules: BTreeSet<&str> = routes.told.iter().flat_map(|(.., rules)| rules).map(String::as_str).collect();
        let wanted = if mode == "off" { 0 } else { 4 };
        assert!(rules.len() >= wanted, "too few rules were seen to say that they agree: {rules:?}");
    }
}

#[test]
fn every_number_is_a_mobile_one_of_its_country() {
    let mut dice = Dice::new(1, "numbers");
    let mut wrong = BTreeSet::new();
    for country in COUNTRIES {
        for _ in 0..400 {
            let number = country.number(&mut dice);
            let parsed = PhoneNumber::parse(&number, None, Validation::Valid);
            let is_right = parsed.as_ref().is_ok_and(|parsed| {
                parsed.country().as_str() == country.code
                    && matches!(parsed.kind(), NumberKind::Mobile | NumberKind::FixedLineOrMobile)
            });
            if !is_right {
                wrong.insert(format!("{} {}: {:?}", country.code, &number[..8], parsed.map(|parsed| parsed.kind())));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
