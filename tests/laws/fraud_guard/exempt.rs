//! Who is exempt: numbers that are known, from every rule but caps and what a person says of the number or the network.

use serde_json::{Value, json};

use super::{HOUR, british, enter, mac, on, refused, send, send_for, world};
use crate::support::World;

/// Rules of which each would refuse the second message.
fn tight() -> Value {
    json!({"country": {"floor": 1}, "asn": {"floor": 1}, "phones": {"per_address": 1},
        "prefix": {"unverified": 1, "conversion_percent": 100}})
}

fn client() -> Value {
    json!({"ip": "203.0.113.7", "asn": 64_500, "country": "FR"})
}

/// Fills every rule, so that what is not known is refused.
async fn fill(world: &World) {
    send_for(world, &british(900, 9), client()).send().await.expect(201);
    refused(send_for(world, &british(900, 8), client()).send().await);
}

#[tokio::test]
async fn an_active_factor_gets_its_codes_while_an_attack_goes_on() {
    let world = world(json!({})).await;
    let number = british(900, 0);
    let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let factor = world.enrol(&user, &json!({"type": "phone", "phone": number}), &number).await;
    let pending = json!({"type": "phone", "phone": british(901, 0), "override": {"reason": "x"}});
    world.post(&format!("/v1/users/{user}/factors"), &pending).await.expect(201);
    let world = on(world, tight()).await;
    fill(&world).await;
    for body in [json!({"user_id": user, "client": client()}), json!({"to": {"phone": number}, "client": client()})] {
        world.post("/v1/challenges", &body).await.expect(201);
    }
    // Nobody's factor any more.
    world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=x")).await.expect(204);
    refused(send_for(&world, &number, client()).send().await);
    // Nor is one that nobody has proven.
    refused(send_for(&world, &british(901, 0), client()).send().await);
}

#[tokio::test]
async fn a_number_that_was_proven_is_known_for_ninety_days() {
    let world = world(json!({})).await;
    let number = british(900, 0);
    super::verify(&world, &number).await;
    // Somebody who asked and never answered is not.
    let other = british(901, 1);
    send(&world, &other).send().await.expect(201);
    let world = on(world, tight()).await;
    fill(&world).await;
    send_for(&world, &number, client()).send().await.expect(201);
    refused(send_for(&world, &other, client()).send().await);
    world.here().clock.advance(HOUR * 24 * 90);
    // The others count from nothing; only what was filled anew refuses.
    fill(&world).await;
    refused(send_for(&world, &number, client()).send().await);
}

#[tokio::test]
async fn the_safe_list_exempts_a_prefix_or_a_number_until_it_ends() {
    for subject in ["prefix:+44794900", "prefix:+44", "number:NUMBER"] {
        let world = world(tight()).await;
        let number = british(900, 0);
        fill(&world).await;
        refused(send_for(&world, &number, client()).send().await);
        enter(&world, "safe", &subject.replace("NUMBER", &mac(&world, &number).await), HOUR);
        send_for(&world, &number, client()).send().await.expect(201);
        world.here().clock.advance(HOUR);
        refused(send_for(&world, &number, client()).send().await);
    }
}

#[tokio::test]
async fn nobody_is_exempt_from_a_persons_block_of_the_number_or_network() {
    for (subject, wanted) in [
        ("number:NUMBER", 422),
        ("network:NETWORK", 422),
        // What many share does not shut out who is known.
        ("prefix:+44794900", 201),
        ("asn:64500", 201),
    ] {
        let world = world(json!({})).await;
        let number = british(900, 0);
        super::verify(&world, &number).await;
        let subject = subject.replace("NUMBER", &mac(&world, &number).await);
        enter(&world, "block", &subject.replace("NETWORK", &mac(&world, "203.0.113.7").await), HOUR);
        let answer = send_for(&world, &number, client()).send().await;
        assert_eq!(answer.status, wanted, "{subject}");
    }
}

#[tokio::test]
async fn nobody_is_exempt_from_a_cap() {
    let world = world(json!({})).await;
    let number = british(900, 0);
    super::verify(&world, &number).await;
    let prices = json!({"sms": {"*": "0.05"}, "voice": {"*": "0.2"}});
    let world = on(world, json!({"spend": {"hourly": "0.1", "prices": prices}})).await;
    for _ in 0..2 {
        send(&world, &number).send().await.expect(201);
    }
    refused(send(&world, &number).send().await);
}

#[tokio::test]
async fn who_is_known_fills_no_address() {
    let world = world(json!({})).await;
    for at in 0..4 {
        super::verify(&world, &british(900, at)).await;
    }
    let world = on(world, json!({"phones": {"per_address": 2}})).await;
    for at in 0..6 {
        send_for(&world, &british(900, at), client()).send().await.expect(201);
    }
    refused(send_for(&world, &british(900, 6), client()).send().await);
}

/// Half an hour and more: a number has room again.
const LATER: std::time::Duration = std::time::Duration::from_mins(31);

#[tokio::test]
async fn whoever_proves_a_number_once_cannot_pump_it() {
    let world = world(json!({})).await;
    let number = british(900, 0);
    super::verify(&world, &number).await;
    enter(&world, "block", "prefix:+44794", HOUR * 72);
    for _ in 0..8 {
        send(&world, &number).send().await.expect(201);
        world.here().clock.advance(LATER);
    }
    refused(send(&world, &number).send().await);
    // A day later it is known again.
    world.here().clock.advance(HOUR * 24);
    send(&world, &number).send().await.expect(201);
}

#[tokio::test]
async fn what_goes_to_somebody_known_uses_up_nobodys_budget_and_makes_none() {
    let world = on(world(json!({})).await, json!({"country": {"floor": 2, "share_percent": 100}})).await;
    let number = british(900, 0);
    super::verify(&world, &number).await;
    let counted = |what: &str| {
        world.here().database.number(&format!("SELECT {what} FROM fraud_counts WHERE key = 'country:sms:GB:unknown'"))
    };
    assert_eq!((counted("sent"), counted("verified")), (1, 1));
    for _ in 0..5 {
        world.here().clock.advance(LATER);
        send(&world, &number).send().await.expect(201);
        world.here().clock.advance(LATER);
        super::verify(&world, &number).await;
    }
    assert_eq!((counted("sum(sent)"), counted("sum(verified)")), (1, 1));
    for at in 1..3 {
        send(&world, &british(900, at)).send().await.expect(201);
    }
    refused(send(&world, &british(900, 3)).send().await);
}

#[tokio::test]
async fn a_code_that_came_back_counts_once_however_often_it_was_sent() {
    let world = on(world(json!({})).await, json!({"country": {"floor": 9}})).await;
    let number = british(900, 0);
    let challenge = send(&world, &number).send().await.expect(201);
    let path = format!("/v1/challenges/{}/resend", challenge["id"].as_str().unwrap());
    for wait in [30, 60] {
        world.here().clock.advance(std::time::Duration::from_secs(wait));
        world.post(&path, &json!({})).await.expect(200);
    }
    let counts = |key: &str| {
        let sql = format!("SELECT sent, verified FROM fraud_counts WHERE key LIKE '{key}'");
        let row = world.here().database.query(&sql).remove(0);
        [row["sent"].clone(), row["verified"].clone()].map(|count| count.as_f64().unwrap())
    };
    // Of a prefix one number is one.
    assert_eq!((counts("country:sms:GB:%"), counts("prefix:%")), ([3.0, 0.0], [1.0, 0.0]));
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    assert_eq!((counts("country:sms:GB:%"), counts("prefix:%")), ([1.0, 1.0], [1.0, 1.0]));
}
