//! Law 4: codes are kept as a keyed MAC and die on success, on expiry, on too many failures and on a newer code;
//! what a challenge is bound to never changes. `law_4_model.rs` holds the whole machine against a model.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{World, vars};

fn path(challenge: &Value, rest: &str) -> String {
    format!("/v1/challenges/{}{rest}", challenge["id"].as_str().unwrap())
}

async fn resend(world: &World, challenge: &Value) -> Value {
    world.request("POST", &path(challenge, "/resend")).send().await.expect(200)
}

#[tokio::test]
async fn a_code_dies_on_success_and_its_mac_with_it() {
    let world = World::null();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let database = &world.here().database;
    assert_eq!(database.number("SELECT length(code_mac) FROM challenges"), 43, "HMAC-SHA-256, base64url");
    let code = world.code(&number).await;
    world.answer(&challenge, &code).await.expect(200);
    assert_eq!(database.number("SELECT count(*) FROM challenges WHERE code_mac IS NOT NULL"), 0);
    world.answer(&challenge, &code).await.expect_problem(409, "verification_already_verified");
    world
        .request("POST", &path(&challenge, "/cancel"))
        .send()
        .await
        .expect_problem(409, "verification_already_verified");
    world
        .request("POST", &path(&challenge, "/resend"))
        .send()
        .await
        .expect_problem(409, "verification_already_verified");
}

#[tokio::test]
async fn a_code_lives_five_minutes_to_the_millisecond() {
    for (late, status, code) in [(false, 200, None), (true, 422, Some("verification_expired"))] {
        let world = World::null();
        let number = world.number();
        let challenge = world.challenge(&number).await;
        let life = Duration::from_mins(5) - Duration::from_millis(u64::from(!late));
        world.here().clock.advance(life);
        let response = world.answer(&challenge, &world.code(&number).await).await;
        assert_eq!((response.status, response.json["code"].as_str()), (status, code));
    }
}

#[tokio::test]
async fn a_challenge_lives_ten_minutes_however_young_its_code_is() {
    let world = World::null();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let clock = &world.here().clock;
    clock.advance(Duration::from_mins(9));
    let resent = resend(&world, &challenge).await;
    assert_eq!(resent["code_expires_at"], challenge["expires_at"]);
    clock.advance(Duration::from_mins(1));
    assert_eq!(world.get(&path(&challenge, "")).await.expect(200)["status"], "expired");
    world.answer(&challenge, &world.code(&number).await).await.expect_problem(422, "verification_expired");
    world.request("POST", &path(&challenge, "/resend")).send().await.expect_problem(422, "verification_expired");
}

#[tokio::test]
async fn a_newer_code_kills_the_older_one_and_forgives_no_wrong_answer() {
    let world = World::null();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let old = world.code(&number).await;
    world.answer(&challenge, &world.wrong(&old)).await.expect_problem(422, "form_code_incorrect");
    world.here().clock.advance(Duration::from_secs(30));
    assert_eq!(resend(&world, &challenge).await["attempts_left"], 4);
    let new = world.code(&number).await;
    assert_ne!(old, new);
    let wrong = world.answer(&challenge, &old).await.expect_problem(422, "form_code_incorrect");
    assert_eq!(wrong["attempts_left"], 3);
    world.answer(&challenge, &new).await.expect(200);
}

#[tokio::test]
async fn leading_zeros_are_part_of_a_code() {
    let world = World::null();
    for _ in 0..200 {
        let number = world.number();
        let challenge = world.challenge(&number).await;
        let code = world.code(&number).await;
        if let Some(short) = code.strip_prefix('0') {
            world.answer(&challenge, short).await.expect_problem(422, "form_code_incorrect");
            world.answer(&challenge, &format!("0{code}")).await.expect_problem(422, "form_code_incorrect");
            world.answer(&challenge, &code).await.expect(200);
            return;
        }
    }
    panic!("no code of 200 begins with 0");
}

#[tokio::test]
async fn codes_are_as_long_as_the_setting_says() {
    let world = World::null();
    for length in 4..=10 {
        world.patch("/v1/instance", &json!({"codes": {"length": length}})).await.expect(200);
        let number = world.number();
        let challenge = world.challenge(&number).await;
        let code = world.code(&number).await;
        assert_eq!(code.len(), length);
        // Another code of the same challenge is as long as its first one.
        world.patch("/v1/instance", &json!({"codes": {"length": "inherit"}})).await.expect(200);
        world.here().clock.advance(Duration::from_secs(30));
        resend(&world, &challenge).await;
        let code = world.code(&number).await;
        assert_eq!(code.len(), length);
        world.answer(&challenge, &code).await.expect(200);
    }
    for length in [3, 11] {
        let response = world.patch("/v1/instance", &json!({"codes": {"length": length}})).await;
        response.expect_problem(422, "form_param_invalid");
    }
}

#[tokio::test]
async fn what_is_no_code_is_refused_and_not_counted() {
    let world = World::null();
    let challenge = world.challenge(&world.number()).await;
    let answer = path(&challenge, "/answer");
    let long = "1".repeat(65);
    for code in ["", "123", "12345678901", "12a456", "+12345", "１２３", "💥💥💥💥", "123456\0", long.as_str()]
    {
        world.post(&answer, &json!({"code": code})).await.expect_problem(422, "form_param_invalid");
    }
    for code in [json!(123_456), json!(null), json!(["123456"]), json!({"code": "123456"}), json!(true)] {
        world.post(&answer, &json!({"code": code})).await.expect_problem(422, "form_param_invalid");
    }
    world.post(&answer, &json!({})).await.expect_problem(422, "form_param_invalid");
    assert_eq!(world.get(&path(&challenge, "")).await.expect(200)["attempts_left"], 5);
    for id in ["chl_01M83WM7ZA000G40R40M30E209", "chl_1", "usr_01M83WM7ZA000G40R40M30E209", "%20", "chl_%00"] {
        let response = world.post(&format!("/v1/challenges/{id}/answer"), &json!({"code": "123456"})).await;
        response.expect_problem(404, "resource_not_found");
    }
}

#[tokio::test]
async fn what_a_challenge_is_bound_to_never_changes() {
    let world = World::null();
    let (user, ..) = world.user_with_phone().await;
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let database = &world.here().database;
    let columns = [
        ("id", "'chl_1'"),
        ("user_id", "NULL"),
        ("factor_id", "NULL"),
        ("type", "'totp'"),
        ("purpose", "CASE purpose WHEN 'sign_in' THEN 'step_up' ELSE 'sign_in' END"),
        ("destination", "'+14155550000'"),
        ("subject", "'x'"),
        ("digits", "digits + 1"),
        ("seed", "'x'"),
        ("pepper_id", "'x'"),
        ("awaits", "'{}'"),
    ];
    for (column, value) in columns {
        let why = database.refuses(&format!("UPDATE challenges SET {column} = {value}"));
        assert!(why.contains("challenges_are_bound"), "{column}: {why}");
    }
    database.execute("UPDATE challenges SET wrong_answers = 1");
}

#[tokio::test]
async fn a_mac_stands_for_a_code_of_its_own_challenge_only() {
    let world = World::null();
    let (mine, other) = (world.number(), world.number());
    let challenge = world.challenge(&mine).await;
    let code = world.code(&mine).await;
    let victim = world.challenge(&other).await;
    // Somebody who can write the database, and has a code of their own.
    let (from, to) = (challenge["id"].as_str().unwrap(), victim["id"].as_str().unwrap());
    world.here().database.execute(&format!(
        "UPDATE challenges SET code_mac = (SELECT code_mac FROM challenges WHERE id = '{from}') WHERE id = '{to}'"
    ));
    world.answer(&victim, &code).await.expect_problem(422, "form_code_incorrect");
    world.answer(&challenge, &code).await.expect(200);
}

/// A pepper ring with these keys, the first one current.
fn deployed_with(world: &World, ids: &[&str]) -> World {
    let key = |id: &str| match id {
        "p1" => "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        _ => "MDECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    };
    let keys: serde_json::Map<String, Value> = ids.iter().map(|id| ((*id).to_owned(), json!(key(id)))).collect();
    let mut all = vars::null();
    all.insert("CODE_PEPPER".to_owned(), json!({"current": ids[0], "keys": keys}));
    World::on(&world.here().redeploy(&all))
}

#[tokio::test]
async fn a_pepper_rotates_without_downtime_and_a_key_that_left_verifies_nothing() {
    let old = World::null();
    let numbers = [old.number(), old.number(), old.number()];
    let mut pending = Vec::new();
    for number in &numbers {
        pending.push((old.challenge(number).await, old.code(number).await));
    }
    let both = deployed_with(&old, &["p2", "p1"]);
    both.answer(&pending[0].0, &pending[0].1).await.expect(200);
    // Another code of an old challenge is made under its old key; a new challenge under the new one.
    both.here().clock.advance(Duration::from_secs(30));
    resend(&both, &pending[1].0).await;
    both.answer(&pending[1].0, &both.code(&numbers[1]).await).await.expect(200);
    let number = both.number();
    let fresh = both.challenge(&number).await;
    let with_new_key = "SELECT count(*) FROM challenges WHERE pepper_id = 'p2'";
    assert_eq!(both.here().database.number(with_new_key), 1);

    let new = deployed_with(&old, &["p2"]);
    new.answer(&pending[2].0, &pending[2].1).await.expect_problem(422, "form_code_incorrect");
    new.answer(&fresh, &new.code(&number).await).await.expect(200);
    let again = new.request("POST", &path(&pending[2].0, "/resend")).send().await;
    again.expect_problem(422, "verification_expired");
    assert!(new.here().log.lines().iter().any(|line| line.contains("CODE_PEPPER")), "the operator is told");
}
