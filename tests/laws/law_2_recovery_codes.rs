//! Law 2 for recovery codes: each is used once, however many try and wherever; a new set kills the old one at once; and
//! what makes a set, or is made possible by one, is allowed as every change of factors (law 6).

use serde_json::{Value, json};

use crate::support::{Request, World, at_once, count, vars};

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A user with a phone and a set of codes: the user's id, the phone's factor and number, the codes.
async fn user_with_codes(world: &World) -> (String, (String, String), Vec<String>) {
    let (user, phone, number) = world.user_with_phone().await;
    let body = json!({"override": {"reason": "set up"}});
    let made = world.post(&format!("/v1/users/{user}/recovery-codes"), &body).await.expect(201);
    assert_eq!((&made["factor"]["status"], &made["factor"]["codes_left"]), (&json!("active"), &json!(10)));
    (user, (phone, number), codes(&made))
}

fn codes(made: &Value) -> Vec<String> {
    made["recovery_codes"].as_array().unwrap().iter().map(|code| text(code).to_owned()).collect()
}

/// The user's set, as it is listed.
async fn set(world: &World, user: &str) -> Value {
    let listed = world.get(&format!("/v1/users/{user}/factors")).await.expect(200);
    let mut sets = listed["data"].as_array().unwrap().iter().filter(|factor| factor["type"] == "recovery_codes");
    let set = sets.next().unwrap().clone();
    assert!(sets.next().is_none());
    set
}

async fn challenge(world: &World, user: &str) -> Value {
    world.post("/v1/challenges", &json!({"user_id": user, "type": "recovery_codes"})).await.expect(201)
}

fn answer(world: &World, challenge: &Value, code: &str) -> Request {
    world.request("POST", &format!("/v1/challenges/{}/answer", text(&challenge["id"]))).json(&json!({"code": code}))
}

#[tokio::test]
async fn each_code_works_once_and_how_many_are_left_is_told() {
    let world = World::null();
    let (user, _, codes) = user_with_codes(&world).await;
    for (used, code) in codes.iter().enumerate() {
        let challenge = challenge(&world, &user).await;
        let typed = match used % 3 {
            0 => code.clone(),
            1 => code.to_lowercase().replace('-', " "),
            _ => code.replace('0', "o").replace('1', "L").replace('-', ""),
        };
        let verified = answer(&world, &challenge, &typed).send().await.expect(200);
        assert_eq!((&verified["status"], &verified["codes_left"]), (&json!("verified"), &json!(9 - used)));
        let set = set(&world, &user).await;
        assert_eq!(set["codes_left"], 9 - used);
        assert!(set["last_used_at"].is_string());
        // Again, on another challenge; the last one leaves nothing that could be asked.
        if used < 9 {
            let again = self::challenge(&world, &user).await;
            let problem = answer(&world, &again, code).send().await.expect_problem(422, "form_code_incorrect");
            assert_eq!(problem["attempts_left"], 4);
        }
    }
    for body in [
        json!({"user_id": user, "type": "recovery_codes"}),
        json!({"user_id": user, "factor_id": set(&world, &user).await["id"]}),
    ] {
        world.post("/v1/challenges", &body).await.expect_problem(404, "resource_not_found");
    }
}

#[tokio::test]
async fn one_code_passes_once_in_a_hundred_tries_of_one_challenge_and_of_several() {
    let world = World::null();
    let limits = json!({"limits": {"second_factor_failures": 100, "wrong_answers": 10}});
    world.patch("/v1/instance", &limits).await.expect(200);
    let (user, _, codes) = user_with_codes(&world).await;
    let one = challenge(&world, &user).await;
    let answers = at_once((0..100).map(|_| answer(&world, &one, &codes[0])).collect()).await;
    assert_eq!((count(&answers, 200, ""), count(&answers, 409, "verification_already_verified")), (1, 99));
    let mut several = Vec::new();
    for _ in 0..5 {
        several.push(challenge(&world, &user).await);
    }
    let tries = (0..20).flat_map(|_| several.iter()).map(|challenge| answer(&world, challenge, &codes[1]));
    let answers = at_once(tries.collect()).await;
    assert_eq!((answers.len(), count(&answers, 200, "")), (100, 1));
    assert_eq!(world.here().database.number("SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL"), 2);
}

#[tokio::test]
async fn two_codes_at_once_on_one_challenge_use_one_up() {
    let world = World::null();
    let (user, _, codes) = user_with_codes(&world).await;
    let one = challenge(&world, &user).await;
    let answers = at_once(codes.iter().map(|code| answer(&world, &one, code)).collect()).await;
    assert_eq!((count(&answers, 200, ""), count(&answers, 409, "verification_already_verified")), (1, 9));
    assert_eq!(world.here().database.number("SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL"), 1);
}

#[tokio::test]
async fn wrong_codes_count_and_a_locked_user_uses_none_up() {
    let world = World::null();
    let (user, _, codes) = user_with_codes(&world).await;
    let never = "0000-0000-0000-0000";
    for _ in 0..2 {
        let one = challenge(&world, &user).await;
        let answers = at_once((0..20).map(|_| answer(&world, &one, never)).collect()).await;
        assert_eq!(count(&answers, 422, "form_code_incorrect"), 5);
    }
    let body = json!({"user_id": user, "type": "recovery_codes"});
    world.post("/v1/challenges", &body).await.expect_problem(429, "user_locked");
    world.request("POST", &format!("/v1/users/{user}/unlock")).send().await.expect(200);
    let one = challenge(&world, &user).await;
    // Digits are another kind of answer: wrong, and counted. What is no code at all is not.
    answer(&world, &one, "123456").send().await.expect_problem(422, "form_code_incorrect");
    let problem = answer(&world, &one, "not a code").send().await;
    assert_eq!(problem.fields(), [("code", "form_param_value_invalid")]);
    let verified = answer(&world, &one, &codes[0]).send().await.expect(200);
    assert_eq!((&verified["attempts_left"], &verified["codes_left"]), (&json!(4), &json!(9)));
}

#[tokio::test]
async fn a_recovery_code_is_no_answer_to_what_was_sent_or_shown() {
    let world = World::null();
    let (user, (phone, _), codes) = user_with_codes(&world).await;
    let sent = world.post("/v1/challenges", &json!({"user_id": user, "factor_id": phone})).await.expect(201);
    let problem = answer(&world, &sent, &codes[0]).send().await;
    assert_eq!(problem.fields(), [("code", "form_param_value_invalid")]);
    let (_, app) = world.enrol_totp(&user, json!({"type": "totp", "override": {"reason": "x"}})).await;
    let shown = world.post("/v1/challenges", &json!({"user_id": user, "type": "totp"})).await.expect(201);
    answer(&world, &shown, &codes[0]).send().await.expect_problem(422, "form_code_incorrect");
    answer(&world, &shown, &app.code(world.now())).send().await.expect(200);
    assert_eq!(world.here().database.number("SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL"), 0);
}

#[tokio::test]
async fn a_new_set_needs_a_proof_once_and_kills_the_old_one() {
    let world = World::null();
    let (user, _, old) = user_with_codes(&world).await;
    let path = format!("/v1/users/{user}/recovery-codes");
    world.post(&path, &json!({})).await.expect_problem(403, "proof_required");
    world.request("POST", &path).send().await.expect_problem(403, "proof_required");
    // A code proves as every factor does; the same proof makes one set.
    let proof = challenge(&world, &user).await;
    world.post(&path, &json!({"proof": proof["id"]})).await.expect_problem(403, "proof_invalid");
    answer(&world, &proof, &old[0]).send().await.expect(200);
    let pending = challenge(&world, &user).await;
    let requests = (0..50).map(|_| world.request("POST", &path).json(&json!({"proof": proof["id"]})));
    let answers = at_once(requests.collect()).await;
    assert_eq!((count(&answers, 201, ""), count(&answers, 403, "proof_invalid")), (1, 49));
    let made = answers.iter().find(|answer| answer.status == 201).unwrap();
    let new = codes(&made.json);
    assert!(new.len() == 10 && new.iter().all(|code| !old.contains(code)));
    // What was asked of the old set is gone with it.
    answer(&world, &pending, &old[1]).send().await.expect_problem(404, "resource_not_found");
    let one = challenge(&world, &user).await;
    answer(&world, &one, &old[1]).send().await.expect_problem(422, "form_code_incorrect");
    answer(&world, &one, &new[0]).send().await.expect(200);
    let sets = "SELECT count(*) FROM factors WHERE type = 'recovery_codes'";
    assert_eq!((world.here().database.number(sets), rows(&world)), (1, 10));
}

fn rows(world: &World) -> i64 {
    world.here().database.number("SELECT count(*) FROM recovery_codes")
}

#[tokio::test]
async fn of_many_sets_made_at_once_one_lives() {
    let world = World::null();
    let (user, _, _) = user_with_codes(&world).await;
    let body = json!({"override": {"reason": "all at once"}});
    let path = format!("/v1/users/{user}/recovery-codes");
    let answers = at_once((0..50).map(|_| world.request("POST", &path).json(&body)).collect()).await;
    assert_eq!(count(&answers, 201, ""), 50);
    let set = set(&world, &user).await;
    assert_eq!(rows(&world), 10);
    // The one that lives is one that was shown.
    let made = answers.iter().find(|answer| answer.json["factor"]["id"] == set["id"]).unwrap();
    let one = challenge(&world, &user).await;
    answer(&world, &one, &codes(&made.json)[3]).send().await.expect(200);
}

#[tokio::test]
async fn a_used_code_is_a_proof_for_one_change_of_factors() {
    let world = World::null();
    let (user, (phone, _), codes) = user_with_codes(&world).await;
    let proof = challenge(&world, &user).await;
    answer(&world, &proof, &codes[0]).send().await.expect(200);
    let path = format!("/v1/users/{user}/factors/{phone}?proof={}", text(&proof["id"]));
    world.delete(&path).await.expect(204);
    let other = json!({"type": "totp", "proof": proof["id"]});
    let factors = format!("/v1/users/{user}/factors");
    world.post(&factors, &other).await.expect_problem(403, "proof_invalid");
    // A proof of somebody else's codes is none.
    let (_, (_, _), theirs) = user_with_codes(&world).await;
    let body = json!({"type": "totp", "proof": challenge(&world, &user).await["id"]});
    world.post(&factors, &body).await.expect_problem(403, "proof_invalid");
    drop(theirs);
}

#[tokio::test]
async fn removal_leaves_nothing_of_a_set() {
    let world = World::null();
    for path in ["factor", "factors", "user"] {
        let (user, _, _) = user_with_codes(&world).await;
        assert_eq!(rows(&world), 10);
        let set = set(&world, &user).await["id"].clone();
        let user = format!("/v1/users/{user}");
        let path = match path {
            "factor" => format!("{user}/factors/{}?override_reason=x", text(&set)),
            "factors" => format!("{user}/factors?override_reason=x"),
            _ => user,
        };
        world.delete(&path).await.expect(204);
        assert_eq!(rows(&world), 0, "{path}");
    }
}

#[tokio::test]
async fn how_many_and_whether_are_settings_and_a_refusal_leaves_what_is_there() {
    let world = World::null();
    let (user, _, old) = user_with_codes(&world).await;
    let path = format!("/v1/users/{user}/recovery-codes");
    let body = json!({"override": {"reason": "x"}});
    let change = async |settings: Value| {
        world.patch("/v1/instance", &json!({"multi_factor": {"recovery_codes": settings}})).await
    };
    change(json!({"enabled": false})).await.expect(200);
    for (path, body) in [
        (path.clone(), body.clone()),
        (format!("/v1/users/{user}/factors"), json!({"type": "recovery_codes", "override": {"reason": "x"}})),
    ] {
        let problem = world.post(&path, &body).await.expect_problem(422, "strategy_not_supported");
        assert!(text(&problem["detail"]).contains("multi_factor.recovery_codes.enabled"), "{problem}");
    }
    // Those there are go on.
    let one = challenge(&world, &user).await;
    answer(&world, &one, &old[0]).send().await.expect(200);
    for count in [4, 24] {
        change(json!({"enabled": true, "count": count})).await.expect(200);
        let made = world.post(&path, &body).await.expect(201);
        assert_eq!((codes(&made).len(), &made["factor"]["codes_left"]), (count, &json!(count)));
    }
    for count in [3, 25] {
        let problem = change(json!({"count": count})).await;
        assert_eq!(problem.fields(), [("multi_factor.recovery_codes.count", "form_param_value_invalid")]);
    }
    // Without a setting the variable says it, and without that nobody makes any.
    let mut without = vars::null();
    without.remove("ENABLE_RECOVERY_CODE");
    let world = World::native(&without);
    let user = world.post("/v1/users", &json!({})).await.expect(201);
    let path = format!("/v1/users/{}/recovery-codes", text(&user["id"]));
    world.post(&path, &json!({})).await.expect_problem(422, "strategy_not_supported");
}

#[tokio::test]
async fn codes_outlive_a_change_of_pepper_and_one_that_is_gone_is_told() {
    let world = World::null();
    let (user, _, codes) = user_with_codes(&world).await;
    let ring = |current: &str, names: &[&str]| {
        let key = |name: &&str| {
            let key = if *name == "p1" {
                "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
            } else {
                "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg8="
            };
            ((*name).to_owned(), json!(key))
        };
        let keys: serde_json::Map<String, Value> = names.iter().map(key).collect();
        let mut all = vars::null();
        all.insert("CODE_PEPPER".to_owned(), json!({"current": current, "keys": keys}));
        World::on(&world.here().redeploy(&all))
    };
    let both = ring("p2", &["p1", "p2"]);
    let one = challenge(&both, &user).await;
    answer(&both, &one, &codes[0]).send().await.expect(200);
    let gone = ring("p2", &["p2"]);
    let one = challenge(&gone, &user).await;
    let problem = answer(&gone, &one, &codes[1]).send().await.expect_problem(503, "configuration_invalid");
    assert!(text(&problem["detail"]).contains("CODE_PEPPER"), "{problem}");
    // That was no wrong answer.
    assert_eq!(gone.get(&format!("/v1/challenges/{}", text(&one["id"]))).await.expect(200)["attempts_left"], 5);
    answer(&both, &one, &codes[1]).send().await.expect(200);
}
