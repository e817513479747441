//! Chaos: two hundred people ask for a code at once while the first carrier is down, hangs, drops connections, takes all
//! and delivers nothing, or does any of it as it comes. Nobody waits longer than the budget, no code is lost, nobody gets
//! two messages by one carrier, every message ends in a known state, and the limits are right.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use postern::ports::{Clock, Random};
use serde_json::{Value, json};

use super::failover::{twilio, vonage, world};
use crate::support::{Behaviour, Response, World, carriers::Sent, ports::TestRandom};

const PEOPLE: usize = 200;
const BUDGET: Duration = Duration::from_secs(10);

/// Whom a request was for, what it was told, and how long it took.
struct Told {
    number: String,
    response: Response,
    waited: Duration,
}

/// All ask at once, each for one of these numbers.
async fn ask(world: &World, numbers: &[String]) -> Vec<Told> {
    let here = world.here();
    let requests: Vec<_> = (0..PEOPLE)
        .map(|index| {
            let number = numbers[index % numbers.len()].clone();
            let request = world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}));
            let clock = here.clock.clone();
            tokio::spawn(async move {
                let began = clock.now();
                let response = request.send().await;
                Told { number, response, waited: began.until(clock.now()) }
            })
        })
        .collect();
    let all = async {
        let mut told = Vec::with_capacity(PEOPLE);
        for request in requests {
            told.push(request.await.unwrap());
        }
        told
    };
    let asked = || u32::try_from(world.carriers.sent().len()).unwrap();
    here.clock.together(all, || here.database.batches() + asked()).await
}

/// Our id of the message that a carrier got.
fn message_of(sent: &Sent) -> String {
    let id = sent.field("client-ref").or_else(|| sent.field("StatusCallback")).expect("our id of it");
    id.rsplit('/').next().unwrap().to_owned()
}

/// The code of a message, whoever carried it.
fn code_of(sent: &Sent) -> String {
    let code = sent.code();
    assert_eq!(code.len(), 6, "{}", sent.body);
    code
}

/// What holds after any of it. Gives how often each carrier was asked.
async fn all_is_well(world: &World, told: &[Told], per_number: usize) -> BTreeMap<&'static str, usize> {
    let here = world.here();
    let waited = told.iter().map(|told| told.waited).max().unwrap();
    assert!(waited <= BUDGET, "somebody waited {waited:?}");

    // No message twice by one carrier, and the same code by each.
    let (mut asked, mut once, mut codes) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
    for sent in world.carriers.sent() {
        let message = message_of(&sent);
        *asked.entry(sent.carrier).or_insert(0) += 1;
        assert!(once.insert((message.clone(), sent.carrier)), "{message} went twice to {}", sent.carrier);
        let code = code_of(&sent);
        assert_eq!(*codes.entry(message).or_insert_with(|| code.clone()), code, "one message, two codes");
    }

    // Every message and every try ends in a known state; what stands there is what the caller was told.
    let rows = here.database.query("SELECT id, status, challenge_id, error_class FROM messages");
    assert_eq!(here.database.number("SELECT count(*) FROM message_tries WHERE outcome IS NULL"), 0);
    let mut states = BTreeMap::new();
    for row in &rows {
        let status = row["status"].as_str().unwrap().to_owned();
        assert!(["sent", "unknown", "failed"].contains(&status.as_str()), "{status}");
        states.insert(row["id"].as_str().unwrap().to_owned(), (status, row["error_class"].clone()));
    }
    let mut refused = 0;
    for Told { number, response, .. } in told {
        match response.status {
            201 => {
                let message = response.json["message_id"].as_str().unwrap();
                assert_ne!(states[message].0, "failed");
                // No code is lost.
                world.answer(&response.json, &codes[message]).await.expect(200);
            }
            429 => refused += 1,
            _ => {
                let message = response.json["message_id"].as_str().unwrap_or_else(|| panic!("{}", response.text));
                assert_eq!(states[message].0, "failed", "{number}");
                let challenge = rows.iter().find(|row| row["id"] == message).unwrap()["challenge_id"].clone();
                // What certainly did not go out opens nothing.
                let answer = world.answer(&json!({"id": challenge}), &codes[message]).await;
                answer.expect_problem(422, "verification_failed");
            }
        }
    }

    // All asked at once, so each number has had as many as its limit says; what failed for reasons that are not the
    // person's is given back.
    let numbers: BTreeSet<&str> = told.iter().map(|told| told.number.as_str()).collect();
    assert_eq!(rows.len(), numbers.len() * per_number.min(5));
    assert_eq!(refused, PEOPLE - rows.len());
    let ours = |(status, class): &&(String, Value)| {
        status == "failed" && [json!("retryable"), json!("misconfigured")].contains(class)
    };
    let given_back = states.values().filter(ours).count();
    for name in ["messages_per_destination_half_hour", "messages_per_destination_hour"] {
        let sql = format!("SELECT coalesce(sum(count), 0) FROM counters WHERE key LIKE '{name}:%'");
        assert_eq!(here.database.number(&sql), i64::try_from(rows.len() - given_back).unwrap(), "{name}");
    }
    assert!(world.carriers.violations().is_empty());
    asked
}

fn numbers(world: &World, count: usize) -> Vec<String> {
    (0..count).map(|_| world.number()).collect()
}

#[tokio::test]
async fn the_second_carrier_takes_it_all_when_the_first_is_down_hangs_or_drops() {
    let behaviours =
        [(Behaviour::Answer(503, String::new()), 0), (vonage("5"), 0), (Behaviour::Hang, 4), (Behaviour::Drop, 0)];
    for (behaviour, seconds) in behaviours {
        let world = world("sms", &["vonage", "twilio"]).await;
        world.carriers.behave_as("vonage", None, behaviour.clone());
        let told = ask(&world, &numbers(&world, PEOPLE)).await;
        assert!(told.iter().all(|told| told.response.status == 201), "{behaviour:?}");
        let asked = all_is_well(&world, &told, 1).await;
        assert_eq!(asked, BTreeMap::from([("twilio", PEOPLE), ("vonage", PEOPLE)]), "{behaviour:?}");
        let waited = told.iter().map(|told| told.waited).max().unwrap();
        assert_eq!(waited, Duration::from_secs(seconds), "they wait for it at the same time");
        assert_eq!(world.here().database.number("SELECT count(*) FROM messages WHERE status <> 'sent'"), 0);

        // Whoever comes next waits for nothing: the circuit is open.
        let before = world.carriers.sent().len();
        for _ in 0..3 {
            let began = world.here().clock.now();
            world.challenge(&world.number()).await;
            assert!(began.until(world.here().clock.now()).is_zero());
        }
        let after = world.carriers.sent().split_off(before);
        assert!(after.len() == 3 && after.iter().all(|sent| sent.carrier == "twilio"), "{behaviour:?}");
    }
}

#[tokio::test]
async fn when_all_carriers_hang_nobody_waits_longer_than_the_budget() {
    let world = world("sms", &["vonage", "twilio"]).await;
    world.carriers.behave(Behaviour::Hang);
    let told = ask(&world, &numbers(&world, 25)).await;
    assert!(told.iter().all(|told| [201, 429].contains(&told.response.status)));
    let waited = told.iter().map(|told| told.waited).max().unwrap();
    assert_eq!(waited, Duration::from_secs(8), "two tries of four seconds");
    all_is_well(&world, &told, 8).await;
}

#[tokio::test]
async fn a_carrier_that_takes_all_and_delivers_nothing_loses_no_code() {
    let world = world("sms", &["vonage", "twilio"]).await;
    let told = ask(&world, &numbers(&world, 25)).await;
    let asked = all_is_well(&world, &told, 8).await;
    assert_eq!(asked, BTreeMap::from([("vonage", 125)]), "nobody knows better yet; receipts will tell");
    assert_eq!(world.here().database.number("SELECT count(*) FROM messages WHERE status <> 'sent'"), 0);
}

#[tokio::test]
async fn whatever_comes_no_code_is_lost() {
    for seed in 1..=4 {
        let world = world("sms", &["vonage", "twilio"]).await;
        let random = TestRandom::new(seed);
        let numbers = numbers(&world, if seed % 2 == 0 { PEOPLE } else { 40 });
        for number in &numbers {
            let mut bytes = [0; 2];
            random.fill(&mut bytes);
            let any = |byte: u8, refusals: [Behaviour; 4]| match byte % 9 {
                0 => Behaviour::Hang,
                1 => Behaviour::Drop,
                2 => Behaviour::NotHttp,
                3 => Behaviour::Answer(503, String::new()),
                which @ 4..8 => refusals[usize::from(which - 4)].clone(),
                _ => Behaviour::Accept,
            };
            let vonages = [vonage("1"), vonage("4"), vonage("6"), vonage("17")];
            let twilios = [twilio(429, 20429), twilio(400, 21408), twilio(400, 21211), twilio(400, 30450)];
            world.carriers.behave_as("vonage", Some(number), any(bytes[0], vonages));
            world.carriers.behave_as("twilio", Some(number), any(bytes[1], twilios));
        }
        let told = ask(&world, &numbers).await;
        let mut statuses: Vec<u16> = told.iter().map(|told| told.response.status).collect();
        statuses.sort_unstable();
        statuses.dedup();
        assert!(statuses.iter().all(|status| [201, 422, 429, 502].contains(status)), "seed {seed}: {statuses:?}");
        all_is_well(&world, &told, PEOPLE / numbers.len()).await;
    }
}
