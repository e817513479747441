//! Attacks by guessing: many at once, from many addresses, over many sign-ins.

use serde_json::{Value, json};

use super::{GOOD, answer, asked_for_totp, text, verify, with_password};
use crate::support::{World, at_once, count};

const HERE: &str = "203.0.113.7";

#[tokio::test]
async fn attack_02_two_hundred_codes_guessed_at_once_are_not_all_looked_at() {
    let world = World::null();
    let (user, _, app) = world.user_with_totp().await;
    let mut challenges = Vec::new();
    for _ in 0..4 {
        challenges.push(asked_for_totp(&world, &user).await);
    }
    let code = app.code(world.now());
    let wrong = world.wrong(&code);
    // The right one is among them, too late: it passes no more than a wrong one.
    let guess = |n: usize| answer(&world, &challenges[n % 4], if n == 150 { &code } else { &wrong }, HERE);
    let told = at_once((0..200).map(guess).collect()).await;
    assert_eq!(count(&told, 200, ""), 0);
    assert_eq!(count(&told, 422, "form_code_incorrect"), 10, "as many as the limit says");
    assert_eq!(world.here().database.number("SELECT sum(wrong_answers) FROM challenges"), 10);
}

#[tokio::test]
async fn attack_03_twenty_passwords_guessed_at_once_are_not_all_looked_at() {
    let world = World::null();
    let user = with_password(&world).await;
    let guess = |n: usize| verify(&world, &user, if n == 15 { GOOD } else { "a wrong one" }, HERE);
    let told = at_once((0..20).map(guess).collect()).await;
    assert_eq!((count(&told, 422, "form_password_incorrect"), count(&told, 429, "user_locked")), (5, 15));
    verify(&world, &user, GOOD, HERE).send().await.expect_problem(429, "user_locked");
}

#[tokio::test]
async fn attack_04_one_code_of_an_app_does_not_pass_in_several_sign_ins_at_once() {
    let world = World::null();
    world.patch("/v1/instance", &json!({"limits": {"requests_per_user_five_minutes": 100}})).await.expect(200);
    let (user, _, app) = world.user_with_totp().await;
    let mut challenges = Vec::new();
    for _ in 0..10 {
        challenges.push(asked_for_totp(&world, &user).await);
    }
    let code = app.code(world.now());
    let told = at_once(challenges.iter().map(|challenge| answer(&world, challenge, &code, HERE)).collect()).await;
    assert_eq!((count(&told, 200, ""), count(&told, 422, "form_code_incorrect")), (1, 9));
}

#[tokio::test]
async fn attack_05_another_address_gives_no_more_guesses_and_a_code_dies() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let ask = async || world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    // Each guess comes from an address of its own; the code is dead after five, for the right one too.
    let challenge = ask().await;
    let code = world.code(&number).await;
    let ips: Vec<String> = (1..=60).map(|n| format!("198.51.100.{n}")).collect();
    for (n, ip) in ips.iter().take(5).enumerate() {
        let told = answer(&world, &challenge, &world.wrong(&code), ip).send().await;
        assert_eq!(told.expect_problem(422, "form_code_incorrect")["attempts_left"], 4 - n);
    }
    answer(&world, &challenge, &code, &ips[6]).send().await.expect_problem(422, "verification_failed");
    // The next code has five more, and then the person waits, wherever the guesses come from.
    let second = ask().await;
    let code = world.code(&number).await;
    let guesses = ips.iter().map(|ip| answer(&world, &second, &world.wrong(&code), ip)).collect();
    assert_eq!(count(&at_once(guesses).await, 422, "form_code_incorrect"), 5);
    let body = json!({"user_id": user, "client": {"ip": "192.0.2.1"}});
    world.post("/v1/challenges", &body).await.expect_problem(429, "user_locked");

    // Passwords: a few over all addresses together, then each further one waits.
    let user = with_password(&world).await;
    let guesses = ips.iter().map(|ip| verify(&world, &user, "a wrong one", ip)).collect();
    assert_eq!(count(&at_once(guesses).await, 422, "form_password_incorrect"), 5);
    verify(&world, &user, GOOD, "192.0.2.1").send().await.expect_problem(429, "user_locked");
}

#[tokio::test]
async fn attack_13_a_success_clears_the_failures_before_it() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    world
        .patch(
            "/v1/instance",
            &json!({"limits": {"messages_per_user_half_hour": 100,
        "messages_per_user_hour": 100, "messages_per_destination_half_hour": 100,
        "messages_per_destination_hour": 100, "tries_per_destination_half_hour": 100}}),
        )
        .await
        .expect(200);
    // Four wrong ones and the right one, again and again: nobody who knows their code is ever locked out.
    for _ in 0..4 {
        let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
        let code = world.code(&number).await;
        for _ in 0..4 {
            let told = answer(&world, &challenge, &world.wrong(&code), HERE).send().await;
            told.expect_problem(422, "form_code_incorrect");
        }
        answer(&world, &challenge, &code, HERE).send().await.expect(200);
        let read: Value = world.get(&format!("/v1/users/{user}")).await.expect(200);
        assert_eq!(read["second_factor"]["failures_in_a_row"], 0);
    }
    let user = with_password(&world).await;
    for _ in 0..4 {
        for _ in 0..4 {
            let told = verify(&world, &user, "a wrong one", HERE).send().await;
            told.expect_problem(422, "form_password_incorrect");
        }
        let right = verify(&world, &user, GOOD, HERE).send().await.expect(200);
        assert_eq!(text(&right["status"]), "verified");
    }
    // What an address has failed at is forgotten by time alone.
    let left =
        "SELECT count(*) FROM counters WHERE key LIKE '%failures%' AND key NOT LIKE 'sign_in_failures_per_address:%'";
    assert_eq!(world.here().database.number(left), 0);
}
