//! A week of honest traffic with attacks on top, asked of the real routes: what the fraud guard has to hold.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    clippy::format_collect,
    clippy::cast_possible_truncation
)]

#[path = "support/mod.rs"]
mod support;

mod simulation {
    mod dice;
    mod model;
    mod parameters;
    mod places;
    mod run;
    mod week;
    mod world;

    use model::Model;
    use parameters::Parameters;
    use run::{Outcome, run};
    use serde_json::json;
    use week::Week;
    use world::Server;

    use crate::support::ports::START;

    #[tokio::test]
    async fn the_model_says_of_each_message_what_the_routes_do() {
        let mut parameters = parameters::Parameters::default();
        parameters.honest.asks_per_day = 150;
        parameters.honest.days = 2;
        parameters.attacks = parameters
            .attacks
            .into_iter()
            .map(|a| parameters::Attack { asks: a.asks / 8, begins: 15, hours: a.hours.min(20), ..a })
            .collect();
        let week = Week::new(&parameters);
        for mode in ["enforce", "record_only", "off"] {
            let fraud = json!({"mode": mode});
            let begun = std::time::Instant::now();
            let server = Server::new(&week, &fraud).await;
            let told = run(&week, server).await;
            println!("{mode} {} asks {:?}", week.asks.len(), begun.elapsed());
            let model = run(&week, Model::new(&week, &fraud, START)).await;
            for (index, (one, other)) in told.told.iter().zip(&model.told).enumerate() {
                let sorted = |rules: &[String]| {
                    let mut rules = rules.to_vec();
                    rules.sort();
                    rules
                };
                assert_eq!((one.0, one.1, sorted(&one.2)), (other.0, other.1, sorted(&other.2)), "{mode} {index}");
            }
        }
    }

    fn show(name: &str, outcome: &Outcome, loss: i64) {
        let side = |name: &str, count: &run::Count| {
            println!(
                "  {name:24} asked {:6} sent {:6} refused {:6} limited {:4} flagged {:6} cost {:8.2} found {:?} unnoticed {} {:?}",
                count.asked,
                count.sent,
                count.refused,
                count.limited,
                count.flagged,
                count.cost as f64 / 1e6,
                count.found.map(|found| (found - count.first.unwrap()) / 1000),
                count.unnoticed,
                count.by_rule
            );
        };
        println!(
            "{name}: loss {:.2} % honest flagged {:.3} %",
            outcome.loss() as f64 * 100. / loss.max(1) as f64,
            outcome.honest_flagged() as f64 / 1000.
        );
        side("honest", &outcome.honest);
        println!("    {:?}", outcome.honest.by_place);
        for (index, attack) in outcome.attacks.iter().enumerate() {
            side(&index.to_string(), attack);
        }
    }

    #[tokio::test]
    async fn grid() {
        let mut mixes = parameters::mixes();
        mixes.insert(0, ("default", Parameters::default()));
        for (name, parameters) in mixes {
            for seed in 1..=std::env::var("SEEDS").map_or(2, |s| s.parse().unwrap()) {
                let week = Week::new(&Parameters { seed, ..parameters.clone() });
                let prices: Vec<i64> = (0..week.attacks.len())
                    .map(|a| {
                        week.asks
                            .iter()
                            .filter(|ask| ask.side == week::Side::Attack(a))
                            .map(|ask| places::COUNTRIES[ask.country].price)
                            .sum()
                    })
                    .collect();
                let fraud: serde_json::Value =
                    serde_json::from_str(&std::env::var("F").unwrap_or("{}".to_owned())).unwrap();
                let outcome = run(&week, Model::new(&week, &fraud, START)).await;
                let losses: Vec<String> = outcome
                    .attacks
                    .iter()
                    .zip(&prices)
                    .map(|(a, p)| format!("{:.2}", a.cost as f64 * 100. / *p as f64))
                    .collect();
                println!(
                    "{name:30.30} {seed} loss {:5.2} {losses:?} honest {:.3} % {:?} {:?}",
                    outcome.loss() as f64 * 100. / prices.iter().sum::<i64>().max(1) as f64,
                    outcome.honest_flagged() as f64 / 1000.,
                    outcome.honest.by_rule,
                    outcome.honest.by_place
                );
            }
        }
    }

    #[tokio::test]
    async fn tune() {
        for seed in 1..4 {
            let parameters = Parameters { seed, ..Parameters::default() };
            let week = Week::new(&parameters);
            let off = run(&week, Model::new(&week, &json!({"mode": "off"}), START)).await;
            show(&format!("{seed} off"), &off, off.loss());
            for mode in ["enforce", "record_only"] {
                let mut fraud: serde_json::Value =
                    serde_json::from_str(&std::env::var("F").unwrap_or("{}".to_owned())).unwrap();
                fraud["mode"] = mode.into();
                let outcome = run(&week, Model::new(&week, &fraud, START)).await;
                show(&format!("{seed} {mode}"), &outcome, off.loss());
            }
        }
    }
}
