//! Job 1: send a code to this number and check it.

use serde_json::json;

use crate::support::World;

pub async fn a_code_is_sent_and_checked(world: World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    assert_eq!(challenge["status"], "pending");
    assert_eq!(challenge["to"], format!("+1••••••{}", &number[8..]));
    let code = world.code(&number).await;

    let wrong = world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
    assert_eq!(wrong["attempts_left"], 4);

    let verified = world.answer(&challenge, &code).await.expect(200);
    assert_eq!(verified["status"], "verified");
    world.answer(&challenge, &code).await.expect_problem(409, "verification_already_verified");
}

pub async fn typed_numbers_and_codes_are_understood(world: World) {
    let number = world.number();
    let typed = format!("({}) {}-{}", &number[2..5], &number[5..8], &number[8..]);
    let challenge = world.challenge(&typed).await;
    let code = world.code(&number).await;
    let typed = format!(" {} {} ", &code[..3], &code[3..]);
    world.answer(&challenge, &typed).await.expect(200);
}

pub async fn an_answer_to_another_challenge_than_expected_fails_and_counts(world: World) {
    let (mine, other) = (world.number(), world.number());
    let challenge = world.challenge(&mine).await;
    let code = world.code(&mine).await;
    let path = format!("/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    let expect = |expect| json!({"code": code, "expect": expect});
    let wrong =
        world.post(&path, &expect(json!({"to": {"phone": other}}))).await.expect_problem(422, "form_code_incorrect");
    assert_eq!(wrong["attempts_left"], 4);
    world
        .post(&path, &expect(json!({"to": {"phone": mine}, "purpose": "sign_in"})))
        .await
        .expect_problem(422, "form_code_incorrect");
    world.post(&path, &expect(json!({"to": {"phone": mine}, "purpose": "verification"}))).await.expect(200);
}

pub async fn five_wrong_answers_kill_a_challenge(world: World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    for left in (0..5).rev() {
        let wrong = world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
        assert_eq!(wrong["attempts_left"], left);
    }
    world.answer(&challenge, &code).await.expect_problem(422, "verification_failed");
    let read = world.get(&format!("/v1/challenges/{}", challenge["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(read["status"], "failed");
}

pub async fn a_canceled_challenge_is_dead(world: World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let path = format!("/v1/challenges/{}/cancel", challenge["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(world.request("POST", &path).send().await.expect(200)["status"], "canceled");
    }
    let code = world.code(&number).await;
    world.answer(&challenge, &code).await.expect_problem(422, "verification_canceled");
}

pub async fn reading_neither_sends_nor_kills(world: World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let path = format!("/v1/challenges/{}", challenge["id"].as_str().unwrap());
    for _ in 0..3 {
        assert_eq!(world.get(&path).await.expect(200), challenge);
    }
    let code = world.code(&number).await;
    world.answer(&challenge, &code).await.expect(200);
}

pub async fn a_test_number_answers_to_424242(world: World) {
    let challenge = world.challenge("+15555550142").await;
    world.answer(&challenge, "424243").await.expect_problem(422, "form_code_incorrect");
    world.answer(&challenge, "424242").await.expect(200);
    world.answer(&challenge, "424242").await.expect_problem(409, "verification_already_verified");
    let id = challenge["message_id"].as_str().unwrap();
    let message = world.get(&format!("/v1/messages/{id}")).await.expect(200);
    assert_eq!(
        (&message["message"]["status"], &message["message"]["reason"]),
        (&json!("dropped"), &json!("test_number"))
    );
}

pub async fn the_same_call_twice_happens_once(world: World) {
    let number = world.number();
    let body = json!({"to": {"phone": number}});
    let call = |key: &str, body| world.request("POST", "/v1/challenges").idempotency_key(key).json(body).send();
    let key = format!("call-{number}");
    let first = call(&key, &body).await.expect(201);
    let second = call(&key, &body).await;
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.expect(201)["id"], first["id"]);
    let messages = world.get(&format!("/v1/messages?challenge_id={}", first["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(messages["data"].as_array().unwrap().len(), 1);

    let other = json!({"to": {"phone": world.number()}});
    call(&key, &other).await.expect_problem(422, "idempotency_key_reused");
    call("no spaces", &body).await.expect_problem(400, "idempotency_key_invalid");
}
