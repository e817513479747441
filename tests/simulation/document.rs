//! `docs/fraud.md` has what the simulation comes to. `make simulate` asks the routes for it and writes the page and its
//! picture; the test asks the model, which tells the same, so that the page cannot go stale.

use serde_json::json;

use super::{
    bounds::{guarded, matrix, modelled},
    chart::chart,
    model::Model,
    parameters::{Parameters, mixes},
    report,
    report::MODES,
    routes::agree,
    run::{Outcome, run},
    week::Week,
    world::Server,
};
use crate::support::ports::START;

const PAGE: &str = "docs/fraud.md";
const PICTURE: &str = "docs/images/fraud-week.svg";
const BEGIN: &str = "<!-- made by `make simulate`: begin -->\n";
const END: &str = "<!-- made by `make simulate`: end -->";

/// What is made of the page.
async fn made(week: &Week, parameters: &Parameters, outcomes: &[Outcome]) -> String {
    let (rules, rows) = matrix().await;
    let mut others = Vec::new();
    for (name, parameters) in mixes() {
        let (loss, worst, refused) = guarded(&parameters).await;
        others.push((name, loss, worst, refused));
    }
    format!(
        "{}\n### What the week is made of\n\n{}\n### Other weeks\n\n{}\n### Which rule stops what\n\nWhat is left of each attack's loss where one rule alone is on:\n\n{}",
        report::table(&week.attacks, outcomes),
        report::parameters(parameters),
        report::others(&others),
        report::matrix(&rules, &rows),
    )
}

#[tokio::test]
async fn the_page_says_what_the_simulation_comes_to() {
    let parameters = Parameters::default();
    let week = Week::new(&parameters);
    let writes = std::env::var("SIMULATE").is_ok_and(|what| what == "write");
    let mut outcomes = Vec::new();
    for mode in MODES {
        let fraud = json!({ "mode": mode });
        let model = modelled(&week, &fraud).await;
        if writes {
            println!("asking the routes for a week: {mode}");
            let routes = run(&week, Server::new(&week, &fraud).await).await;
            agree(mode, &routes, &run(&week, Model::new(&week, &fraud, START)).await);
        }
        outcomes.push(model);
    }
    let text = made(&week, &parameters, &outcomes).await;
    let picture = chart(&week.attacks, &outcomes[0], &outcomes[2]);
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (head, rest) = page.split_once(BEGIN).expect("the page has the mark");
    let (old, tail) = rest.split_once(END).expect("the page has the other mark");
    if writes || std::env::var("SIMULATE").is_ok_and(|what| what == "model") {
        println!("\n{text}");
        std::fs::write(PAGE, format!("{head}{BEGIN}{text}{END}{tail}")).unwrap();
        std::fs::write(PICTURE, picture).unwrap();
        return;
    }
    assert!(old == text, "{PAGE} is stale: `make simulate` writes it");
    assert!(
        std::fs::read_to_string(PICTURE).is_ok_and(|old| old == picture),
        "{PICTURE} is stale: `make simulate` writes it"
    );
}
