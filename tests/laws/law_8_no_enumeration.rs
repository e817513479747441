//! Law 8: whether a number belongs to somebody makes no difference: the same status, body, work and limits.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::failover;
use crate::support::{Behaviour, Request, Response, World, page::Page};

/// A body without what differs from call to call: each value is its type, words of the contract stay.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let telling =
                        ["status", "purpose", "code", "attempts_left", "sends", "retry_after", "channel", "title"];
                    let kept = if telling.contains(&name.as_str()) { value.clone() } else { shape(value) };
                    (name.clone(), kept)
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("flag"),
        Value::Null => Value::Null,
    }
}

/// All that can be told of an answer from outside, and the work behind it.
#[derive(Debug, PartialEq)]
struct Told {
    what: String,
    status: u16,
    headers: Vec<String>,
    body: Value,
    batches: u32,
    statements: u32,
}

/// Does the same with a number, whoever has it; tells what each step came to.
async fn play(world: &World, number: &str) -> Vec<Told> {
    let database = &world.here().database;
    let mut told = Vec::new();
    let mut send = async |what: &str, request: Request| {
        let (batches, statements) = (database.batches(), database.statements());
        let response: Response = request.send().await;
        told.push(Told {
            what: what.to_owned(),
            status: response.status,
            headers: response.headers.iter().map(|(name, _)| name.clone()).collect(),
            body: shape(&response.json),
            batches: database.batches() - batches,
            statements: database.statements() - statements,
        });
        response.json
    };
    let create = || world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}));
    let post = |challenge: &Value, rest: &str, body: Value| {
        let path = format!("/v1/challenges/{}/{rest}", challenge["id"].as_str().unwrap());
        world.request("POST", &path).json(&body)
    };
    let challenge = send("create", create()).await;
    let code = world.code(number).await;
    let expected = json!({"code": world.wrong(&code), "expect": {"to": {"phone": number}}});
    send("wrong answer", post(&challenge, "answer", expected)).await;
    send("too early", post(&challenge, "resend", json!({}))).await;
    world.here().clock.advance(Duration::from_secs(30));
    send("resend", post(&challenge, "resend", json!({}))).await;
    let code = world.code(number).await;
    send("right answer", post(&challenge, "answer", json!({"code": code}))).await;
    send("answer again", post(&challenge, "answer", json!({"code": code}))).await;
    send("cancel", post(&challenge, "cancel", json!({}))).await;
    world.carriers.behave_for(number, Behaviour::Answer(400, json!({"code": 21211}).to_string()));
    send("refused by the carrier", create()).await;
    world.carriers.behave_for(number, Behaviour::Accept);
    let mut challenge = Value::Null;
    for _ in 0..3 {
        let created = send("create until the limit", create()).await;
        if created["status"] == "pending" {
            challenge = created;
        }
    }
    let bad = world.wrong(&world.code(number).await);
    for _ in 0..6 {
        send("until it is dead", post(&challenge, "answer", json!({"code": bad}))).await;
    }
    told
}

/// Plays with a number that nobody has, then with this one; each long after what was counted before.
async fn compare(world: &World, known: &str) {
    world.here().clock.advance(Duration::from_mins(61));
    let unknown = world.number();
    let told = play(world, &unknown).await;
    assert_eq!(told.iter().filter(|told| told.status == 201).count(), 3, "{told:#?}");
    assert!(told.iter().any(|told| told.body["code"] == "rate_limit_exceeded"), "{told:#?}");
    world.here().clock.advance(Duration::from_mins(61));
    for (known, unknown) in play(world, known).await.iter().zip(&told) {
        assert_eq!(known, unknown);
    }
}

#[tokio::test]
async fn a_number_that_belongs_to_a_user_is_like_any_other() {
    let world = World::twilio();
    world.get("/v1/instance").await.expect(200);
    let (_, _, known) = world.user_with_phone().await;
    compare(&world, &known).await;
}

#[tokio::test]
async fn a_number_of_a_locked_user_is_like_any_other() {
    let world = World::twilio();
    world.patch("/v1/instance", &json!({"limits": {"second_factor_failures_in_a_row": 5}})).await.expect(200);
    world.get("/v1/instance").await.expect(200);
    let (user, _, known) = world.user_with_phone().await;
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let wrong = world.wrong(&world.code(&known).await);
    for _ in 0..5 {
        world.answer(&challenge, &wrong).await.expect_problem(422, "form_code_incorrect");
    }
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect_problem(403, "user_recovery_needed");
    world.patch("/v1/instance", &json!({"limits": "inherit"})).await.expect(200);
    world.get("/v1/instance").await.expect(200);
    compare(&world, &known).await;
}

#[tokio::test]
async fn a_number_that_is_pending_or_was_removed_is_like_any_other() {
    let world = World::twilio();
    world.get("/v1/instance").await.expect(200);
    let (user, factor, removed) = world.user_with_phone().await;
    world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=x")).await.expect(204);
    let pending = world.number();
    let body = json!({"type": "phone", "phone": pending});
    world.post(&format!("/v1/users/{user}/factors"), &body).await.expect(201);
    compare(&world, &pending).await;
    compare(&world, &removed).await;
}

#[tokio::test]
async fn round_trips_are_told_alike_in_development() {
    let world = World::null();
    world.get("/v1/instance").await.expect(200);
    let (_, _, known) = world.user_with_phone().await;
    let trips = async |number: &str| {
        let created = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
        let challenge = created.json.clone();
        let answered = world.answer(&challenge, &world.wrong(&world.code(number).await)).await;
        (created.status, created.round_trips(), answered.status, answered.round_trips())
    };
    assert_eq!(trips(&known).await, (201, 1, 422, 1));
    assert_eq!(trips(&world.number()).await, (201, 1, 422, 1));
}

/// Asks for a code by e-mail so often in this flow, each time in a new one, from one network; the statuses.
async fn asked(world: &World, page: &Page<'_>, flows: &str, address: &str, network: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let flow = page.begin(flows, json!({})).await;
        let named = flow.request("identifier", &json!({"identifier": address}));
        let answer = named.header("cf-connecting-ip", network).send().await;
        statuses.push(answer.status);
        // A further code of the same challenge counts the same.
        if let Some(challenge) = answer.json["challenge"]["id"].as_str() {
            world.here().clock.advance(Duration::from_secs(31));
            let resend = flow.request(&format!("challenges/{challenge}/resend"), &json!({}));
            statuses.push(resend.header("cf-connecting-ip", network).send().await.status);
        }
    }
    statuses
}

#[tokio::test]
async fn a_carrier_that_is_down_tells_nobody_who_is_known() {
    // Later is possible, and: the account is wrong. Neither went out, and who is known is given nothing back for it.
    for status in [429, 401] {
        for flows in ["password-resets", "sign-ups"] {
            let world = failover::world("email", &["resend"]).await;
            let page = Page::new(&world).await;
            let known = world.address();
            world.post("/v1/users", &json!({"email": known})).await.expect(201);
            let unknown = world.address();
            world.carriers.mail.behave(Behaviour::Answer(status, String::new()));
            let told = asked(&world, &page, flows, &known, "198.51.100.7").await;
            let codes = || world.here().database.number("SELECT count(*) FROM messages WHERE template LIKE '%code'");
            let to_the_known = codes();
            let other = asked(&world, &page, flows, &unknown, "198.51.100.8").await;
            assert_eq!(told, other, "{flows} {status}");
            assert!(told.contains(&200) && told.contains(&429), "{flows} {status}: {told:?}");
            let to_the_other = codes() - to_the_known;
            let really = if flows == "sign-ups" { (false, true) } else { (true, false) };
            assert_eq!((to_the_known > 0, to_the_other > 0), really, "a code is sent in one of the two");
        }
    }
}
