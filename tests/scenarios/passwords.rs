//! Passwords: set, verified, changed, and taken over from another system.

use serde_json::json;

use crate::support::World;

pub async fn a_password_is_set_verified_and_changed(world: World) {
    let user = world.post("/v1/users", &json!({"name": "Ana"})).await.expect(201);
    let user = format!("/v1/users/{}", user["id"].as_str().unwrap());
    let (factors, verify) = (format!("{user}/factors"), format!("{user}/verify-password"));
    let typed = "Grüße aus Köln, Käthe";
    let enrolled = world.post(&factors, &json!({"type": "password", "password": typed})).await.expect(201);
    assert_eq!((&enrolled["factor"]["status"], &enrolled["challenge"]), (&json!("active"), &json!(null)));

    // However the keyboard composes it.
    world
        .post(&verify, &json!({"password": "Grüße aus Köln, Kate"}))
        .await
        .expect_problem(422, "form_password_incorrect");
    let decomposed = "Gru\u{308}ße aus Ko\u{308}ln, Ka\u{308}the";
    let right = world.post(&verify, &json!({"password": decomposed})).await.expect(200);
    assert_eq!((&right["status"], &right["type"]), (&json!("verified"), &json!("password")));
    assert_eq!((&right["factor_id"], &right["channel"]), (&enrolled["factor"]["id"], &json!(null)));

    // A change needs the password that is changed, once.
    let change =
        |proof: &serde_json::Value| json!({"type": "password", "password": "another one, longer", "proof": proof});
    let bare = json!({"type": "password", "password": "another one, longer"});
    world.post(&factors, &bare).await.expect_problem(403, "proof_required");
    let changed = world.post(&factors, &change(&right["id"])).await.expect(201);
    world.post(&factors, &change(&right["id"])).await.expect_problem(403, "proof_invalid");
    world.post(&verify, &json!({"password": typed})).await.expect_problem(422, "form_password_incorrect");
    world.post(&verify, &json!({"password": "another one, longer"})).await.expect(200);
    let listed = world.get(&factors).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["type"]), (&changed["factor"]["id"], &json!("password")));
}

pub async fn a_password_proves_a_first_phone_and_no_second_one(world: World) {
    let user = world.post("/v1/users", &json!({})).await.expect(201);
    let user = format!("/v1/users/{}", user["id"].as_str().unwrap());
    let (factors, verify) = (format!("{user}/factors"), format!("{user}/verify-password"));
    let typed = json!({"password": "seven owls in a barn"});
    world.post(&factors, &json!({"type": "password", "password": "seven owls in a barn"})).await.expect(201);
    let phone = |number: &str, proof: &serde_json::Value| json!({"type": "phone", "phone": number, "proof": proof});

    let number = world.number();
    let proof = world.post(&verify, &typed).await.expect(200);
    let enrolled = world.post(&factors, &phone(&number, &proof["id"])).await.expect(201);
    let activate = format!("{factors}/{}/activate", enrolled["factor"]["id"].as_str().unwrap());
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&number).await});
    world.post(&activate, &body).await.expect(200);

    // A stolen password gets no phone of its own, and no other password.
    let proof = world.post(&verify, &typed).await.expect(200);
    let second = world.post(&factors, &phone(&world.number(), &proof["id"])).await;
    second.expect_problem(403, "proof_invalid");
    let password = json!({"type": "password", "password": "eight owls in a barn", "proof": proof["id"]});
    world.post(&factors, &password).await.expect_problem(403, "proof_invalid");
}

pub async fn people_move_here_with_their_passwords(world: World) {
    // Made by Python's bcrypt, passlib's scrypt, Django's PBKDF2 and argon2-cffi.
    for hash in [
        "$2b$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6",
        "$scrypt$ln=8,r=8,p=1$c2FsdHNhbHRzYWx0MTIzNA$YBHjfXQ/oWiVgur7L0ORkn8n7wGDOFkgTWIGw6dWGFc",
        "pbkdf2_sha256$1000$saltsalt$pvoVYRAEDJgFwskzzhCLWn1unbBRxSJqwV9smP11NH8=",
        "$argon2i$v=19$m=1024,t=1,p=2$c2FsdHNhbHQxMjM0NTY3OA$oVj95aJuWzWcuBG7UcyUR+5j9XqTbrd5",
    ] {
        let user = world.post("/v1/users", &json!({})).await.expect(201);
        let user = format!("/v1/users/{}", user["id"].as_str().unwrap());
        let verify = format!("{user}/verify-password");
        world.post(&format!("{user}/factors"), &json!({"type": "password", "hash": hash})).await.expect(201);
        for _ in 0..2 {
            let wrong = world.post(&verify, &json!({"password": "Grüße, 13 Öre!"})).await;
            wrong.expect_problem(422, "form_password_incorrect");
            world.post(&verify, &json!({"password": "Grüße, 12 Öre!"})).await.expect(200);
        }
    }
}
