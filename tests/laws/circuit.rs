//! A carrier that fails is not waited for: five failures, and the others are asked first; after half a minute one request
//! tries it again. The rules themselves are in `src/message/circuit/tests.rs`; here they are seen over HTTP.

use std::time::Duration;

use serde_json::json;

use super::failover::{twilio, vonage, world};
use crate::support::{Behaviour, World, at_once};

async fn who_is_asked(world: &World) -> Vec<&'static str> {
    let number = world.number();
    world.challenge(&number).await;
    world.carriers.sent_to(&number).iter().map(|sent| sent.carrier).collect()
}

#[tokio::test]
async fn five_failures_put_a_driver_last_and_one_probe_brings_it_back() {
    let world = world("sms", &["vonage", "twilio"]).await;
    let clock = &world.here().clock;
    world.carriers.behave_as("vonage", None, Behaviour::Answer(503, String::new()));
    for _ in 0..5 {
        assert_eq!(who_is_asked(&world).await, ["vonage", "twilio"]);
    }
    assert!(world.here().log.lines().iter().any(|line| line.contains("sms: vonage has failed too often")));
    assert_eq!(who_is_asked(&world).await, ["twilio"]);
    // Another isolate has seen nothing of it.
    let other = World::on(&world.here().isolate());
    assert_eq!(who_is_asked(&other).await, ["vonage", "twilio"]);
    clock.advance(Duration::from_millis(29_999));
    assert_eq!(who_is_asked(&world).await, ["twilio"]);

    // Of twenty at once one is the probe, and has the second carrier to fall back on.
    clock.advance(Duration::from_millis(1));
    let numbers: Vec<String> = (0..20).map(|_| world.number()).collect();
    let probes = async || {
        let post = |number: &String| world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}));
        let before = world.carriers.sent().len();
        for response in at_once(numbers.iter().map(post).collect()).await {
            response.expect(201);
        }
        let sent = world.carriers.sent().split_off(before);
        sent.iter().filter(|sent| sent.carrier == "vonage").count()
    };
    assert_eq!(probes().await, 1);
    assert_eq!(probes().await, 0, "it failed: twice as long");
    clock.advance(Duration::from_millis(59_999));
    assert_eq!(probes().await, 0);
    clock.advance(Duration::from_millis(1));
    world.carriers.behave_as("vonage", None, Behaviour::Accept);
    assert_eq!(who_is_asked(&world).await, ["vonage"], "the probe is taken");
    assert_eq!(who_is_asked(&world).await, ["vonage"], "and all is as before");
}

#[tokio::test]
async fn a_person_whom_nobody_reaches_is_no_fault_of_the_carrier() {
    let world = world("sms", &["vonage", "twilio"]).await;
    world.carriers.behave_as("vonage", None, vonage("6"));
    for _ in 0..8 {
        let number = world.number();
        let refused = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
        refused.expect_problem(422, "message_recipient_refused");
        assert_eq!(world.carriers.sent_to(&number)[0].carrier, "vonage");
    }
}

#[tokio::test]
async fn what_verify_refuses_one_number_closes_it_for_nobody_and_costs_what_it_costs() {
    // Five codes in ten minutes, and a number that Verify does not take: anybody can bring both about.
    for (status, code) in [(429, 60203), (400, 60200)] {
        let two = world("sms", &["twilio_verify", "twilio"]).await;
        two.carriers.behave_as("twilio_verify", None, twilio(status, code));
        for _ in 0..8 {
            assert_eq!(who_is_asked(&two).await, ["twilio_verify", "twilio"], "{code}: the other reaches the person");
        }
        let alone = world("sms", &["twilio_verify"]).await;
        alone.carriers.behave_as("twilio_verify", None, twilio(status, code));
        let body = json!({"to": {"phone": alone.number()}});
        for _ in 0..5 {
            alone.post("/v1/challenges", &body).await.expect_problem(422, "message_recipient_refused");
        }
        alone.post("/v1/challenges", &body).await.expect_problem(429, "rate_limit_exceeded");
    }
}

#[tokio::test]
async fn a_driver_that_was_set_up_anew_is_asked_at_once() {
    let world = world("sms", &["vonage", "twilio"]).await;
    world.carriers.behave_as("vonage", None, vonage("4"));
    for _ in 0..5 {
        assert_eq!(who_is_asked(&world).await, ["vonage", "twilio"]);
    }
    assert_eq!(who_is_asked(&world).await, ["twilio"]);
    world.carriers.behave_as("vonage", None, Behaviour::Accept);
    world.patch("/v1/instance", &json!({"codes": {"length": 7}})).await.expect(200);
    assert_eq!(who_is_asked(&world).await, ["vonage"]);
}

#[tokio::test]
async fn a_driver_that_fails_is_asked_after_the_others_and_alone_it_is_asked_always() {
    let both = world("sms", &["vonage", "twilio"]).await;
    both.carriers.behave_as("vonage", None, vonage("1"));
    for _ in 0..5 {
        assert_eq!(who_is_asked(&both).await, ["vonage", "twilio"]);
    }
    both.carriers.behave_as("vonage", None, Behaviour::Accept);
    both.carriers.behave_as("twilio", None, Behaviour::Answer(429, json!({"code": 20429}).to_string()));
    assert_eq!(who_is_asked(&both).await, ["twilio", "vonage"], "better it than nobody");

    let alone = world("sms", &["vonage"]).await;
    alone.carriers.behave_as("vonage", None, Behaviour::Answer(503, String::new()));
    for _ in 0..8 {
        assert_eq!(who_is_asked(&alone).await, ["vonage"]);
    }
}
