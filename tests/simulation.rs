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
    mod parameters;
    mod places;
    mod run;
    mod week;
    mod world;

    #[tokio::test]
    async fn first() {
        let parameters = parameters::Parameters::default();
        let begun = std::time::Instant::now();
        let week = week::Week::new(&parameters);
        println!("{} asks in {:?}", week.asks.len(), begun.elapsed());
        for mode in ["off", "enforce", "record_only"] {
            let begun = std::time::Instant::now();
            let outcome = run::run(&week, &serde_json::json!({"mode": mode})).await;
            println!("{mode} {:?}\n{:#?}\n{:#?} {:?}", begun.elapsed(), outcome.honest, outcome.attacks, outcome.events);
        }
    }
}
