//! Passkeys: enrolled, asked for, answered by a software authenticator, by whoever has one, and once.

use serde_json::{Value, json};

use crate::support::{
    World, at_once, count,
    passkey::{Authenticator, EDDSA, ES256, ORIGIN, RP_ID, RS256, UP, allow, answer, enrol, user_with_passkey},
};

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub async fn a_passkey_is_enrolled_challenged_listed_and_removed(world: World) {
    let user = world.post("/v1/users", &json!({"name": "Ana", "email": "ana@example.com"})).await.expect(201);
    let user = text(&user["id"]);
    let factors = format!("/v1/users/{user}/factors");
    // Not before somebody says so.
    let body = json!({"type": "passkey", "name": "My laptop"});
    world.post(&factors, &body).await.expect_problem(422, "strategy_not_supported");
    allow(&world).await;

    let enrolled = world.post(&factors, &body).await.expect(201);
    let options = &enrolled["public_key"];
    assert_eq!((&options["rp"]["id"], &options["attestation"]), (&json!(RP_ID), &json!("none")));
    assert_eq!((&options["user"]["name"], &options["user"]["displayName"]), (&json!("ana@example.com"), &json!("Ana")));
    assert_eq!((&enrolled["factor"]["status"], &enrolled["challenge"]["channel"]), (&json!("pending"), &Value::Null));
    let factor = text(&enrolled["factor"]["id"]).to_owned();
    let activate = format!("{factors}/{factor}/activate");
    let body = |credential: &Value| json!({"challenge_id": enrolled["challenge"]["id"], "credential": credential});

    // From a page of somebody else it is none, and a server is told why.
    let mut evil = Authenticator::new("https://example.com.evil.net");
    let problem = world.post(&activate, &body(&evil.create(options))).await.expect_problem(422, "form_code_incorrect");
    assert_eq!((&problem["failed_step"], &problem["attempts_left"]), (&json!("origin"), &json!(4)));
    let digits = json!({"challenge_id": enrolled["challenge"]["id"], "code": "123456"});
    world.post(&activate, &digits).await.expect_problem(422, "form_code_incorrect");

    let mut laptop = Authenticator::new(ORIGIN);
    let credential = laptop.create(options);
    let active = world.post(&activate, &body(&credential)).await.expect(200);
    assert_eq!((&active["status"], &active["name"]), (&json!("active"), &json!("My laptop")));
    assert_eq!((&active["backup_eligible"], &active["backed_up"]), (&json!(true), &json!(true)));
    world.post(&activate, &body(&credential)).await.expect_problem(409, "verification_already_verified");

    // Sign-in, and what the proof has shown.
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    assert_eq!((&challenge["type"], &challenge["evidence"]), (&json!("passkey"), &Value::Null));
    assert_eq!(challenge["public_key"]["allowCredentials"][0]["transports"], json!(["internal"]));
    laptop.flags = UP | 0x08;
    let verified = answer(&world, &challenge, &laptop.get(&challenge["public_key"])).send().await.expect(200);
    assert_eq!(verified["evidence"], json!({"user_verified": false, "backed_up": false}));
    assert_eq!((&verified["factor_id"], &verified["status"]), (&json!(factor), &json!("verified")));
    // The state of its backup is kept as last seen.
    let listed = world.get(&factors).await.expect(200)["data"].clone();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["backed_up"]), (1, &json!(false)));
    assert!(listed[0]["last_used_at"].is_string() && listed[0].get("public_key").is_none());

    // What is switched off takes no new one, and leaves this one working.
    let off = json!({"multi_factor": {"passkey": {"enabled": false}}});
    world.patch("/v1/instance", &off).await.expect(200);
    let more = json!({"type": "passkey", "override": {"reason": "x"}});
    world.post(&factors, &more).await.expect_problem(422, "strategy_not_supported");
    let challenge = world.post("/v1/challenges", &json!({"user_id": user, "type": "passkey"})).await.expect(201);
    answer(&world, &challenge, &laptop.get(&challenge["public_key"])).send().await.expect(200);
    let path = format!("{factors}/{factor}");
    world.delete(&path).await.expect_problem(403, "proof_required");
    world.delete(&format!("{path}?proof={}", text(&challenge["id"]))).await.expect(204);
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect_problem(404, "resource_not_found");
}

pub async fn any_of_several_answers_and_says_which(world: World) {
    allow(&world).await;
    let (user, first, mut laptop) = user_with_passkey(&world).await;
    // A further one needs a proof, and the browser is told what there is already.
    let factors = format!("/v1/users/{user}/factors");
    world.post(&factors, &json!({"type": "passkey"})).await.expect_problem(403, "proof_required");
    let proof = world.post("/v1/challenges", &json!({"user_id": user, "purpose": "step_up"})).await.expect(201);
    answer(&world, &proof, &laptop.get(&proof["public_key"])).send().await.expect(200);
    let mut phone = Authenticator::new(ORIGIN);
    let second = enrol(&world, &mut phone, &user, json!({"name": "Phone", "proof": proof["id"]})).await;
    let third = json!({"type": "passkey", "override": {"reason": "support"}});
    let excluded = world.post(&factors, &third).await.expect(201)["public_key"]["excludeCredentials"].clone();
    assert_eq!(excluded.as_array().unwrap().len(), 2);

    for (authenticator, factor) in [(&mut phone, &second), (&mut laptop, &first)] {
        let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
        assert_eq!(challenge["factor_id"], Value::Null);
        assert_eq!(challenge["public_key"]["allowCredentials"].as_array().unwrap().len(), 2);
        let credential = authenticator.get(&challenge["public_key"]);
        let verified = answer(&world, &challenge, &credential).send().await.expect(200);
        assert_eq!(verified["factor_id"], json!(factor));
    }
    // A named one is asked alone.
    let named = json!({"user_id": user, "factor_id": first});
    let challenge = world.post("/v1/challenges", &named).await.expect(201);
    assert_eq!(challenge["public_key"]["allowCredentials"].as_array().unwrap().len(), 1);
    let other = phone.get_with(0, &challenge["public_key"]);
    let problem = answer(&world, &challenge, &other).send().await.expect_problem(422, "form_code_incorrect");
    assert_eq!(problem["failed_step"], "credential_record");
    let right = laptop.get(&challenge["public_key"]);
    answer(&world, &challenge, &right).send().await.expect(200);
}

pub async fn whoever_has_a_passkey_signs_in_without_a_name(world: World) {
    allow(&world).await;
    let (user, factor, mut mine) = user_with_passkey(&world).await;
    let (stranger, _, mut theirs) = user_with_passkey(&world).await;
    let ask = json!({"type": "passkey"});
    let challenge = world.post("/v1/challenges", &ask).await.expect(201);
    assert_eq!((&challenge["user_id"], &challenge["purpose"]), (&Value::Null, &json!("sign_in")));
    assert_eq!(challenge["public_key"]["allowCredentials"], json!([]));
    let credential = mine.get(&challenge["public_key"]);
    let verified = answer(&world, &challenge, &credential).send().await.expect(200);
    assert_eq!((&verified["user_id"], &verified["factor_id"]), (&json!(user), &json!(factor)));
    assert_eq!(verified["evidence"]["user_verified"], json!(true));
    // It is a proof like any other, of this user.
    let path = |user: &str| format!("/v1/users/{user}/factors?proof={}", text(&challenge["id"]));
    world.delete(&path(&stranger)).await.expect_problem(403, "proof_invalid");
    world.delete(&path(&user)).await.expect(204);

    // Without a user handle, or with somebody else's, nobody is found.
    let challenge = world.post("/v1/challenges", &ask).await.expect(201);
    theirs.forge.no_user_handle = true;
    let nameless = theirs.get(&challenge["public_key"]);
    let problem = answer(&world, &challenge, &nameless).send().await.expect_problem(422, "form_code_incorrect");
    assert_eq!(problem["failed_step"], "user_handle");
    theirs.forge.no_user_handle = false;
    theirs.forge.user_handle = Some(user.as_bytes().to_vec());
    let false_name = theirs.get(&challenge["public_key"]);
    let problem = answer(&world, &challenge, &false_name).send().await.expect_problem(422, "form_code_incorrect");
    assert_eq!(problem["failed_step"], "user_handle");
    // A passkey that was removed finds nobody.
    let removed = mine.get(&challenge["public_key"]);
    let problem = answer(&world, &challenge, &removed).send().await.expect_problem(422, "form_code_incorrect");
    assert_eq!(problem["failed_step"], "credential_record");
    theirs.forge.user_handle = None;
    // Nor does it sign in whom the caller does not expect.
    let credential = theirs.get(&challenge["public_key"]);
    let path = format!("/v1/challenges/{}/answer", text(&challenge["id"]));
    let other = world.post("/v1/users", &json!({})).await.expect(201)["id"].clone();
    let expected = json!({"credential": credential, "expect": {"user_id": other}});
    world.post(&path, &expected).await.expect_problem(422, "form_code_incorrect");
    let credential = theirs.get(&challenge["public_key"]);
    let expected = json!({"credential": credential, "expect": {"user_id": stranger}});
    world.post(&path, &expected).await.expect(200);
}

pub async fn every_algorithm_signs_in(world: World) {
    allow(&world).await;
    for algorithm in [ES256, EDDSA, RS256] {
        let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].clone();
        let mut authenticator = Authenticator::new(ORIGIN);
        (authenticator.algorithm, authenticator.counter) = (algorithm, Some(3));
        authenticator.forge.self_attestation = true;
        enrol(&world, &mut authenticator, text(&user), json!({})).await;
        let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
        let mut forged = authenticator.get(&challenge["public_key"]);
        forged["response"]["signature"] = json!("MAYCAQECAQE");
        let problem = answer(&world, &challenge, &forged).send().await.expect_problem(422, "form_code_incorrect");
        assert_eq!(problem["failed_step"], "signature");
        let right = authenticator.get(&challenge["public_key"]);
        answer(&world, &challenge, &right).send().await.expect(200);
    }
    // A point that is not on the curve is no key.
    let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].clone();
    let path = format!("/v1/users/{}/factors", text(&user));
    let enrolled = world.post(&path, &json!({"type": "passkey"})).await.expect(201);
    let mut authenticator = Authenticator::new(ORIGIN);
    let mut off_the_curve = crate::support::passkey::es256_key();
    *off_the_curve.last_mut().unwrap() ^= 1;
    authenticator.forge.cose = Some(off_the_curve);
    let credential = authenticator.create(&enrolled["public_key"]);
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "credential": credential});
    let path = format!("{path}/{}/activate", text(&enrolled["factor"]["id"]));
    let problem = world.post(&path, &body).await.expect_problem(422, "form_code_incorrect");
    assert_eq!(problem["failed_step"], "public_key");
}

pub async fn one_assertion_of_a_hundred_passes(world: World) {
    allow(&world).await;
    for counter in [None, Some(1)] {
        let (user, _, mut authenticator) = user_with_passkey(&world).await;
        authenticator.counter = counter;
        let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
        let credential = authenticator.get(&challenge["public_key"]);
        let answers = at_once((0..100).map(|_| answer(&world, &challenge, &credential)).collect()).await;
        assert_eq!((count(&answers, 200, ""), count(&answers, 409, "verification_already_verified")), (1, 99));
        let user = world.get(&format!("/v1/users/{user}")).await.expect(200);
        assert_eq!(user["second_factor"]["failures_in_a_row"], 0);
    }
}
