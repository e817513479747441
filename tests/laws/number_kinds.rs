//! What becomes of a number by its kind, with the examples that libphonenumber has for every country: a fixed line is offered
//! a call, what costs dearly is refused, and `numbers.refused` closes further kinds.

use std::collections::BTreeSet;

use postern::phone::{NumberKind, PhoneNumber, Validation};
use serde_json::{Value, json};

use crate::support::{Response, World, vars};

const EXAMPLES: &str = include_str!("../data/phone_examples.tsv");

/// The examples that a number can be: the number, its country as the table has it, its kind.
fn examples() -> impl Iterator<Item = (&'static str, &'static str, NumberKind)> {
    EXAMPLES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut parts = line.split('\t');
        let (e164, country) = (parts.next().unwrap(), parts.next().unwrap());
        Some((e164, country, PhoneNumber::from_stored(e164).ok()?.kind()))
    })
}

/// A server in production that sends and calls everywhere, and guesses no fraud.
async fn world() -> World {
    let world = World::native(&vars::prod_twilio("http://127.0.0.1:9"));
    let everywhere = json!({"allowed": ["*"]});
    let settings = json!({"countries": {"sms": everywhere, "voice": everywhere}, "fraud": {"mode": "off"}});
    world.patch("/v1/instance", &settings).await.expect(200);
    world
}

async fn send(world: &World, number: &str, channel: &str) -> Response {
    world.post("/v1/challenges", &json!({"to": {"phone": number}, "channel": channel})).await
}

fn counted(world: &World) -> i64 {
    world.here().database.number("SELECT count(*) FROM counters")
}

#[tokio::test]
async fn an_sms_to_a_fixed_line_of_any_country_is_refused_and_a_call_offered() {
    let world = world().await;
    let (mut fixed, mut both, mut mobile) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (number, country, kind) in examples() {
        let before = counted(&world);
        match kind {
            NumberKind::FixedLine => {
                let problem = send(&world, number, "sms").await.expect_problem(422, "message_recipient_refused");
                assert_eq!(problem["channels"], json!(["voice"]), "{number}");
                assert_eq!(counted(&world), before, "{number}: it costs nothing");
                send(&world, number, "voice").await.expect(201);
                fixed.insert(country);
            }
            NumberKind::FixedLineOrMobile | NumberKind::Mobile => {
                let answer = send(&world, number, "sms").await;
                // One number is an example of several.
                assert!(answer.status == 201 || answer.json["code"] == "rate_limit_exceeded", "{}", answer.text);
                if kind == NumberKind::Mobile {
                    mobile.insert(country)
                } else {
                    both.insert(country)
                };
            }
            _ => {}
        }
    }
    assert_eq!(world.carriers.calls().len(), fixed.len());
    // Every country has one or the other.
    let all: BTreeSet<_> = examples().map(|(_, country, _)| country).filter(|country| *country != "001").collect();
    let known: BTreeSet<_> = fixed.union(&both).copied().collect();
    assert_eq!(all.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert!(
        fixed.len() > 220 && both.len() > 15 && mobile.len() > 220,
        "{} {} {}",
        fixed.len(),
        both.len(),
        mobile.len()
    );
}

#[tokio::test]
async fn without_calls_a_fixed_line_is_left_to_the_carrier() {
    let world = world().await;
    world.patch("/v1/instance", &json!({"voice": {"enabled": false}})).await.expect(200);
    for (number, _, _) in examples().filter(|(_, _, kind)| *kind == NumberKind::FixedLine) {
        send(&world, number, "sms").await.expect(201);
    }
}

#[tokio::test]
async fn what_costs_dearly_is_refused_in_every_country() {
    let world = world().await;
    let dear = [NumberKind::PremiumRate, NumberKind::SharedCost, NumberKind::Pager, NumberKind::Satellite];
    let mut refused = 0;
    for (number, _, _) in examples().filter(|(_, _, kind)| dear.contains(kind)) {
        for channel in ["sms", "voice"] {
            let answer = send(&world, number, channel).await;
            assert_eq!(answer.fields(), [("to.phone", "phone_number_invalid")], "{number}");
            refused += 1;
        }
    }
    assert!(refused > 300, "{refused}");
}

#[tokio::test]
async fn kinds_that_the_setting_names_get_neither_sms_nor_calls() {
    let world = world().await;
    let kinds = ["fixed_line", "personal_number", "toll_free", "uan", "unknown", "voicemail", "voip"];
    let answer = world.patch("/v1/instance", &json!({"numbers": {"refused": ["mobile"]}})).await;
    assert!(answer.fields()[0].0.starts_with("numbers.refused"), "{}", answer.text);
    let unknown = ("+19995552671", "US", NumberKind::Unknown);
    for refused in kinds {
        let settings = json!({"numbers": {"refused": [refused]}});
        let shown = world.patch("/v1/instance", &settings).await.expect(200);
        assert_eq!(shown["settings"]["numbers"]["refused"], json!([refused]));
        let mut seen = 0;
        for (number, _, kind) in examples().chain([unknown]) {
            // What cannot be dialled from abroad is refused before.
            if kind.as_str() != refused || PhoneNumber::parse(number, None, Validation::Possible).is_err() {
                continue;
            }
            let before = world.here().database.everything();
            for channel in ["sms", "voice"] {
                let problem = send(&world, number, channel).await.expect_problem(422, "message_recipient_refused");
                let detail = problem["detail"].as_str().unwrap();
                assert!(detail.contains(refused) && detail.contains("numbers.refused"), "{detail}");
                assert_eq!(problem.get("channels"), None, "{number}: nothing else goes there either");
            }
            assert_eq!(world.here().database.everything(), before, "{number}");
            seen += 1;
        }
        assert!(seen > 0, "{refused}");
    }
    // By default none of them is refused for its kind.
    world.patch("/v1/instance", &json!({"numbers": {"refused": "inherit"}})).await.expect(200);
    for (number, _, kind) in examples().chain([unknown]) {
        let is_open = kinds.contains(&kind.as_str()) && PhoneNumber::parse(number, None, Validation::Possible).is_ok();
        if is_open && kind != NumberKind::FixedLine {
            let answer = send(&world, number, "sms").await;
            let full: Value = json!("rate_limit_exceeded");
            assert!(answer.status == 201 || answer.json["code"] == full, "{number} {}", answer.text);
        }
    }
}
