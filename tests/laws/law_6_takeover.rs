//! Law 6 against whoever has a stolen password: a factor that was added while there was none cannot be proven once
//! there is one, a proof is used up only where it holds, and one person's phone changes nothing of another's.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Behaviour, World};

async fn user(world: &World) -> String {
    world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned()
}

/// Adds a phone; gives the enrolment, pending.
async fn enrol(world: &World, user: &str, number: &str) -> Value {
    world.post(&format!("/v1/users/{user}/factors"), &json!({"type": "phone", "phone": number})).await.expect(201)
}

fn activate(user: &str, enrolled: &Value) -> String {
    format!("/v1/users/{user}/factors/{}/activate", enrolled["factor"]["id"].as_str().unwrap())
}

async fn proven(world: &World, user: &str, number: &str) -> String {
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    world.answer(&challenge, &world.code(number).await).await.expect(200);
    challenge["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_phone_added_while_there_was_none_is_not_proven_once_there_is_one() {
    let world = World::null();
    let user = user(&world).await;
    let (theirs, mine) = (world.number(), world.number());
    let stolen = enrol(&world, &user, &theirs).await;
    let enrolled = enrol(&world, &user, &mine).await;
    let answer = |enrolled: &Value, code: String| json!({"challenge_id": enrolled["challenge"]["id"], "code": code});
    world.post(&activate(&user, &enrolled), &answer(&enrolled, world.code(&mine).await)).await.expect(200);

    let late = answer(&stolen, world.code(&theirs).await);
    world.post(&activate(&user, &stolen), &late).await.expect_problem(403, "proof_required");
    let listed = world.get(&format!("/v1/users/{user}/factors")).await.expect(200);
    let active: Vec<&Value> = listed["data"].as_array().unwrap().iter().filter(|f| f["status"] == "active").collect();
    assert_eq!(active.len(), 1);
    assert_eq!(active[0]["id"], enrolled["factor"]["id"]);
    // Nor is its challenge a proof.
    let path = format!("/v1/users/{user}/factors/{}", active[0]["id"].as_str().unwrap());
    let proof = stolen["challenge"]["id"].as_str().unwrap();
    world.delete(&format!("{path}?proof={proof}")).await.expect_problem(403, "proof_invalid");
}

#[tokio::test]
async fn a_phone_added_with_a_proof_or_an_override_is_proven_beside_the_first() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let proof = proven(&world, &user, &number).await;
    for authority in [json!({"proof": proof}), json!({"override": {"reason": "support"}})] {
        let second = world.number();
        let mut body = json!({"type": "phone", "phone": second});
        body.as_object_mut().unwrap().extend(authority.as_object().unwrap().clone());
        let enrolled = world.post(&format!("/v1/users/{user}/factors"), &body).await.expect(201);
        let answer = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&second).await});
        world.post(&activate(&user, &enrolled), &answer).await.expect(200);
    }
}

#[tokio::test]
async fn a_pending_phone_is_forgotten_after_half_an_hour() {
    let world = World::null();
    let user = user(&world).await;
    let enrolled = enrol(&world, &user, &world.number()).await;
    let path = format!("/v1/users/{user}/factors/{}/challenges", enrolled["factor"]["id"].as_str().unwrap());
    world.here().clock.advance(Duration::from_mins(29));
    world.request("POST", &path).send().await.expect(201);
    world.here().clock.advance(Duration::from_mins(2));
    world.request("POST", &path).send().await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn a_proof_that_does_not_hold_is_refused_even_where_none_is_needed() {
    let world = World::null();
    let (other, _, number) = world.user_with_phone().await;
    let theirs = proven(&world, &other, &number).await;
    let pending = world.post("/v1/challenges", &json!({"user_id": other})).await.expect(201);
    let user = user(&world).await;
    let path = format!("/v1/users/{user}/factors");
    for proof in [theirs.as_str(), pending["id"].as_str().unwrap()] {
        let body = json!({"type": "phone", "phone": world.number(), "proof": proof});
        world.post(&path, &body).await.expect_problem(403, "proof_invalid");
        let enrolled = enrol(&world, &user, &world.number()).await;
        let factor = enrolled["factor"]["id"].as_str().unwrap();
        world.delete(&format!("{path}/{factor}?proof={proof}")).await.expect_problem(403, "proof_invalid");
        world.delete(&format!("{path}?proof={proof}")).await.expect_problem(403, "proof_invalid");
    }
    assert!(world.get(&format!("/v1/challenges/{theirs}")).await.expect(200)["consumed_at"].is_null());
    let events = world.get("/v1/audit-events?type=challenge.consumed").await.expect(200);
    assert_eq!(events["data"], json!([]));
}

#[tokio::test]
async fn a_carriers_failure_gives_the_proof_back() {
    let world = World::twilio();
    let (user, _, number) = world.user_with_phone().await;
    let proof = proven(&world, &user, &number).await;
    let second = world.number();
    world.carriers.behave_for(&second, Behaviour::Answer(429, "{}".to_owned()));
    let path = format!("/v1/users/{user}/factors");
    let body = json!({"type": "phone", "phone": second, "proof": proof});
    world.post(&path, &body).await.expect_problem(502, "message_failed");
    world.carriers.behave_for(&second, Behaviour::Accept);
    world.post(&path, &body).await.expect(201);
}

#[tokio::test]
async fn deleting_a_user_touches_nobody_elses_challenge() {
    let world = World::null();
    let victim = world.number();
    let challenge = world.challenge(&victim).await;
    let code = world.code(&victim).await;
    let user = user(&world).await;
    enrol(&world, &user, &victim).await;
    world.delete(&format!("/v1/users/{user}")).await.expect(204);
    let found = world.get(&format!("/v1/messages?to=%2B{}", &victim[1..])).await.expect(200);
    assert_eq!(found["data"].as_array().unwrap().len(), 1, "the message that went to the number without the user");
    world.answer(&challenge, &code).await.expect(200);
}
