//! Law 2 for passkeys: a counter passes once, a credential id belongs to one factor, an assertion answers one challenge.
//! And what law 6 says of them: nothing else proves one.

use serde_json::{Value, json};

use crate::support::{
    World, at_once, count,
    passkey::{Authenticator, BE, BS, ORIGIN, RP_ID, UP, UV, allow, answer, enrol, user_with_passkey},
    vars,
};

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn challenge_of(world: &World, user: &str) -> Value {
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201)
}

async fn new_user(world: &World) -> String {
    text(&world.post("/v1/users", &json!({})).await.expect(201)["id"]).to_owned()
}

async fn events(world: &World, factor: &str) -> Vec<Value> {
    let path = format!("/v1/audit-events?subject_id={factor}&limit=100");
    let data = world.get(&path).await.expect(200)["data"].clone();
    data.as_array().unwrap().iter().filter(|event| event["type"] == "passkey.counter_regressed").cloned().collect()
}

#[tokio::test]
async fn a_counter_that_does_not_grow_is_refused_and_told_of() {
    let world = World::null();
    allow(&world).await;
    let (user, factor, mut authenticator) = user_with_passkey(&world).await;
    let stored = || world.here().database.number("SELECT counter FROM factors");
    for (said, accepted) in [(5, true), (6, true), (6, false), (5, false), (0, false), (7, true)] {
        let before = stored();
        let challenge = challenge_of(&world, &user).await;
        authenticator.counter = Some(said).filter(|said| *said > 0).map(|said: u32| said - 1);
        let response = answer(&world, &challenge, &authenticator.get(&challenge["public_key"])).send().await;
        if accepted {
            response.expect(200);
            assert_eq!(stored(), i64::from(said));
        } else {
            let problem = response.expect_problem(422, "form_code_incorrect");
            assert_eq!((&problem["failed_step"], stored()), (&json!("sign_count"), before));
        }
    }
    let told = events(&world, &factor).await;
    let mut said: Vec<i64> = told.iter().map(|event| event["data"]["counter"].as_i64().unwrap()).collect();
    said.sort_unstable();
    assert_eq!(said, [0, 5, 6]);
    assert!(told.iter().all(|event| event["outcome"] == "refused" && event["user_id"] == user));
}

#[tokio::test]
async fn one_of_two_copies_passes_at_the_same_count() {
    let world = World::null();
    allow(&world).await;
    let (user, factor, mut authenticator) = user_with_passkey(&world).await;
    let mut requests = Vec::new();
    for _ in 0..30 {
        let challenge = challenge_of(&world, &user).await;
        authenticator.counter = Some(8);
        requests.push(answer(&world, &challenge, &authenticator.get(&challenge["public_key"])));
    }
    world.patch("/v1/instance", &json!({"limits": {"second_factor_failures": 100}})).await.expect(200);
    let answers = at_once(requests).await;
    assert_eq!((count(&answers, 200, ""), count(&answers, 422, "form_code_incorrect")), (1, 29));
    assert_eq!(events(&world, &factor).await.len(), 29);
    assert_eq!(world.here().database.number("SELECT counter FROM factors"), 9);
}

#[tokio::test]
async fn a_credential_belongs_to_one_factor_of_the_instance() {
    let world = World::null();
    allow(&world).await;
    let mut requests = Vec::new();
    let mut authenticator = Authenticator::new(ORIGIN);
    authenticator.fixed_id = Some(vec![7; 32]);
    for _ in 0..20 {
        let factors = format!("/v1/users/{}/factors", new_user(&world).await);
        let enrolled = world.post(&factors, &json!({"type": "passkey"})).await.expect(201);
        let credential = authenticator.create(&enrolled["public_key"]);
        let body = json!({"challenge_id": enrolled["challenge"]["id"], "credential": credential});
        let path = format!("{factors}/{}/activate", text(&enrolled["factor"]["id"]));
        requests.push(world.request("POST", &path).json(&body));
    }
    let answers = at_once(requests).await;
    assert_eq!((count(&answers, 200, ""), count(&answers, 422, "form_code_incorrect")), (1, 19));
    let active = "SELECT count(*) FROM factors WHERE activated_at IS NOT NULL";
    assert_eq!(world.here().database.number(active), 1);
    let known = "SELECT count(*) FROM factors WHERE credential_id IS NOT NULL";
    assert_eq!(world.here().database.number(known), 1);
}

#[tokio::test]
async fn an_assertion_answers_its_own_challenge_alone() {
    let world = World::null();
    allow(&world).await;
    let (user, _, mut authenticator) = user_with_passkey(&world).await;
    let (stranger, _, mut theirs) = user_with_passkey(&world).await;
    let (one, other) = (challenge_of(&world, &user).await, challenge_of(&world, &user).await);
    let credential = authenticator.get(&one["public_key"]);
    let step = async |challenge: &Value, credential: &Value| {
        let response = answer(&world, challenge, credential).send().await;
        text(&response.expect_problem(422, "form_code_incorrect")["failed_step"]).to_owned()
    };
    assert_eq!(step(&other, &credential).await, "challenge");
    // Somebody else's passkey, even with their own challenge signed.
    let foreign = theirs.get_with(0, &one["public_key"]);
    assert_eq!(step(&one, &foreign).await, "credential_record");
    let for_stranger = challenge_of(&world, &stranger).await;
    assert_eq!(step(&for_stranger, &authenticator.get_with(0, &for_stranger["public_key"])).await, "credential_record");
    // One that was made after the challenge was none of those that it allowed.
    let mut later = Authenticator::new(ORIGIN);
    enrol(&world, &mut later, &user, json!({"override": {"reason": "x"}})).await;
    assert_eq!(step(&one, &later.get_with(0, &one["public_key"])).await, "allow_credentials");
    answer(&world, &one, &credential).send().await.expect(200);
    answer(&world, &one, &credential).send().await.expect_problem(409, "verification_already_verified");
    // Ten minutes later it answers nothing.
    let credential = authenticator.get(&other["public_key"]);
    world.here().clock.advance(std::time::Duration::from_mins(10));
    answer(&world, &other, &credential).send().await.expect_problem(422, "verification_expired");
}

#[tokio::test]
async fn nothing_but_its_own_credential_activates_a_passkey() {
    let world = World::null();
    allow(&world).await;
    let (user, stranger) = (new_user(&world).await, new_user(&world).await);
    let path = |user: &str| format!("/v1/users/{user}/factors");
    let enrolled = world.post(&path(&user), &json!({"type": "passkey"})).await.expect(201);
    let theirs = world.post(&path(&stranger), &json!({"type": "passkey"})).await.expect(201);
    let mut authenticator = Authenticator::new(ORIGIN);
    let credential = authenticator.create(&enrolled["public_key"]);
    let (factor, challenge) = (text(&enrolled["factor"]["id"]), text(&enrolled["challenge"]["id"]));
    let (their_factor, their_challenge) = (text(&theirs["factor"]["id"]), text(&theirs["challenge"]["id"]));
    // Somebody else's path, factor, challenge; an assertion in the place of a registration; digits.
    for (user, factor, challenge, answer) in [
        (stranger.as_str(), factor, challenge, json!({"credential": credential})),
        (&stranger, their_factor, challenge, json!({"credential": credential})),
        (&user, their_factor, challenge, json!({"credential": credential})),
        (&user, factor, their_challenge, json!({"credential": credential})),
        (&stranger, their_factor, their_challenge, json!({"credential": credential})),
        (
            &user,
            factor,
            challenge,
            json!({"credential": authenticator.get_with(0, &json!({
            "challenge": enrolled["public_key"]["challenge"], "rpId": RP_ID, "allowCredentials": []}))}),
        ),
        (&user, factor, challenge, json!({"code": "424242"})),
    ] {
        let mut body = answer;
        body["challenge_id"] = json!(challenge);
        let path = format!("{}/{factor}/activate", path(user));
        world.post(&path, &body).await.expect_problem(422, "form_code_incorrect");
    }
    assert_eq!(world.here().database.number("SELECT count(*) FROM factors WHERE activated_at IS NOT NULL"), 0);
    // A pending one signs nobody in.
    let ask = world.post("/v1/challenges", &json!({"type": "passkey"})).await.expect(201);
    let early = answer(&world, &ask, &authenticator.get(&ask["public_key"])).send().await;
    assert_eq!(early.expect_problem(422, "form_code_incorrect")["failed_step"], "credential_record");
    // A challenge of another type is not answered with a credential, and that counts for nothing.
    let phone = world.challenge(&world.number()).await;
    answer(&world, &phone, &credential).send().await.expect_problem(422, "form_param_invalid");
    let read = world.get(&format!("/v1/challenges/{}", text(&phone["id"]))).await.expect(200);
    assert_eq!(read["attempts_left"], 5);
}

#[tokio::test]
async fn settings_hold_at_once_for_challenges_that_are_out() {
    let world = World::null();
    allow(&world).await;
    let (user, _, mut authenticator) = user_with_passkey(&world).await;
    let set = async |passkey: Value| {
        world.patch("/v1/instance", &json!({"multi_factor": {"passkey": passkey}})).await.expect(200);
    };
    // An origin that was taken away, on another isolate that remembers the old settings.
    let other = World::on(&world.here().isolate());
    let challenge = challenge_of(&other, &user).await;
    set(json!({"origins": ["https://other.example.com"]})).await;
    let credential = authenticator.get(&challenge["public_key"]);
    let refused = answer(&other, &challenge, &credential).send().await;
    assert_eq!(refused.expect_problem(422, "form_code_incorrect")["failed_step"], "origin");
    set(json!({"origins": [ORIGIN], "user_verification": "required"})).await;
    authenticator.flags = UP | BE | BS;
    let refused = answer(&other, &challenge, &authenticator.get(&challenge["public_key"])).send().await;
    assert_eq!(refused.expect_problem(422, "form_code_incorrect")["failed_step"], "user_verified");
    // What was required when it was asked stays required.
    let required = challenge_of(&world, &user).await;
    assert_eq!(required["public_key"]["userVerification"], "required");
    set(json!({"user_verification": "discouraged"})).await;
    let refused = answer(&world, &required, &authenticator.get(&required["public_key"])).send().await;
    assert_eq!(refused.expect_problem(422, "form_code_incorrect")["failed_step"], "user_verified");
    authenticator.flags = UP | UV | BE | BS;
    let verified = answer(&world, &required, &authenticator.get(&required["public_key"])).send().await.expect(200);
    assert_eq!(verified["evidence"], json!({"user_verified": true, "backed_up": true}));
}

#[tokio::test]
async fn round_trips_of_passkeys() {
    let world = World::null();
    allow(&world).await;
    world.get("/v1/instance").await.expect(200);
    let user = new_user(&world).await;
    let factors = format!("/v1/users/{user}/factors");
    let mut authenticator = Authenticator::new(ORIGIN);
    let enrolled = world.post(&factors, &json!({"type": "passkey"})).await;
    assert_eq!(enrolled.round_trips(), 2, "whose it will be, and the batch");
    let enrolled = enrolled.expect(201);
    let credential = authenticator.create(&enrolled["public_key"]);
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "credential": credential});
    let path = format!("{factors}/{}/activate", text(&enrolled["factor"]["id"]));
    let activated = world.post(&path, &body).await;
    assert_eq!((activated.status, activated.round_trips()), (200, 2));
    for (ask, trips) in [(json!({"user_id": user}), 2), (json!({"type": "passkey"}), 1)] {
        let challenge = world.post("/v1/challenges", &ask).await;
        assert_eq!((challenge.status, challenge.round_trips()), (201, trips), "{ask}");
        let challenge = challenge.json;
        let mut wrong = authenticator.get(&challenge["public_key"]);
        wrong["response"]["signature"] = json!("MAYCAQECAQE");
        let wrong = answer(&world, &challenge, &wrong).send().await;
        assert_eq!((wrong.status, wrong.round_trips()), (422, 2));
        let right = answer(&world, &challenge, &authenticator.get(&challenge["public_key"])).send().await;
        assert_eq!((right.status, right.round_trips()), (200, 2));
        let again = answer(&world, &challenge, &authenticator.get(&challenge["public_key"])).send().await;
        assert_eq!((again.status, again.round_trips()), (409, 1));
    }
}

#[tokio::test]
async fn without_an_rp_id_what_is_missing_is_named() {
    let mut vars = vars::null();
    vars.remove("PUBLIC_URL");
    vars.insert("ALLOW_PASSKEY_ENROLLMENT".to_owned(), json!(true));
    let world = World::native(&vars);
    let user = new_user(&world).await;
    for (path, body) in [
        (format!("/v1/users/{user}/factors"), json!({"type": "passkey"})),
        ("/v1/challenges".to_owned(), json!({"type": "passkey"})),
    ] {
        let problem = world.post(&path, &body).await.expect_problem(503, "configuration_invalid");
        assert!(text(&problem["detail"]).starts_with("PUBLIC_URL is missing"), "{problem}");
    }
    // A variable that is malformed is named as what it is.
    for (name, value, needle) in [
        ("PUBLIC_URL", json!("login.example.com"), "PUBLIC_URL is a text"),
        ("ALLOW_PASSKEY_ENROLLMENT", json!("maybe"), "ALLOW_PASSKEY_ENROLLMENT is"),
    ] {
        let mut vars = vars.clone();
        vars.insert(name.to_owned(), value);
        let world = World::native(&vars);
        let path = format!("/v1/users/{}/factors", new_user(&world).await);
        let problem = world.post(&path, &json!({"type": "passkey"})).await.expect_problem(503, "configuration_invalid");
        assert!(text(&problem["detail"]).starts_with(needle), "{problem}");
    }
    vars.insert("PUBLIC_URL".to_owned(), json!("https://login.example.com"));
    let world = World::native(&vars);
    let user = new_user(&world).await;
    let enrolled = world.post(&format!("/v1/users/{user}/factors"), &json!({"type": "passkey"})).await.expect(201);
    assert_eq!(enrolled["public_key"]["rp"]["id"], "login.example.com");
    let settings = world.get("/v1/instance").await.expect(200)["settings"]["multi_factor"]["passkey"].clone();
    let origins = json!(["https://login.example.com"]);
    assert_eq!(
        settings,
        json!({"enabled": true, "rp_id": "login.example.com", "origins": origins, "user_verification": "preferred"})
    );
}
