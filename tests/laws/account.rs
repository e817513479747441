//! Who gets into `/v1/me`, and how far: only a live session of somebody who is not shut out, from a page of its own app,
//! and at what is theirs (laws 2, 3, 5; standards 35 and 39).

use std::{collections::BTreeMap, time::Duration};

use postern::http::{
    contract::{Auth, Operation},
    operations,
};
use serde_json::{Value, json};

use crate::support::{
    Authenticator, KEY, Response, World,
    account::Account,
    client::seen,
    oauth::{app_and_secret, basic, claims, form},
    page::{ORIGIN, Page},
};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

fn own() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(|operation| operation.auth == Auth::User)
}

/// The path with ids of this kind of thing.
fn path(operation: &Operation, factor: &str, session: &str, device: &str, challenge: &str) -> String {
    let id = match operation.path.split('/').nth(3) {
        Some("sessions") => session,
        Some("devices") => device,
        _ => factor,
    };
    operation.path.replace("{id}", id).replace("{cid}", challenge)
}

/// Calls every operation of `/v1/me`, with ids of things that are the person's own.
async fn call_everything(
    ana: &Account<'_>,
    ids: [&str; 4],
    change: impl Fn(crate::support::Request) -> crate::support::Request,
) -> Vec<(Operation, Response)> {
    let mut answers = Vec::new();
    for operation in own() {
        let example = serde_json::from_str(operation.example).unwrap_or_else(|_| json!({}));
        let [factor, session, device, challenge] = ids;
        let path = path(&operation, factor, session, device, challenge);
        let body = operation.body.map(|_| &example);
        answers.push((operation, change(ana.request(operation.method, &path, body)).send().await));
    }
    assert!(answers.len() >= 27, "{}", answers.len());
    answers
}

/// Everything that is stored and could have been changed: not what counts time or calls.
fn state(world: &World) -> Vec<(String, String)> {
    world.here().database.everything().into_iter().filter(|(place, _)| !place.starts_with("api_keys.")).collect()
}

/// Somebody with a proof in hand, a second session, and ids of their own things.
async fn ana<'a>(page: &'a Page<'a>) -> (Account<'a>, [String; 4]) {
    let ana = Account::new(page).await;
    let other = ana.again().await;
    let (factor, _) = ana.add_phone().await;
    let challenge = ana.post("/v1/me/step-up", json!({})).await.expect(201);
    let session = text(&claims(&json!(other.token))["sid"]).to_owned();
    let device = "dev_01M83WM7ZA000G40R40M30E209".to_owned();
    (ana, [factor, session, device, text(&challenge["id"]).to_owned()])
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_is_told_the_same() {
    let world = World::null();
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let (machine, secret) = app_and_secret(&world, json!({"type": "machine", "scopes": ["users:read"]})).await;
    let grant = form(&world, "/oauth2/v1/token", &[("grant_type", "client_credentials")]);
    let machine = grant.header("authorization", &basic(&machine, &secret)).send().await.expect(200);
    ana.prove_password().await;
    let up = ana.prove_password().await;
    let (head, signature) = ana.token.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{head}.{flipped}{}", &signature[1..]);
    let tokens = [
        forged.as_str(),
        text(&machine["access_token"]),
        text(&up["id_token"]),
        &ana.refresh,
        KEY,
        "eyJ",
        "hunter2-marker",
    ];
    let mut told = Vec::new();
    for token in tokens {
        let answer = page.request("GET", "/v1/me", Some(token), None).send().await;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
        told.push(answer.expect_problem(401, "access_token_invalid")["detail"].clone());
    }
    world.here().clock.advance(Duration::from_hours(1));
    let answer = ana.get("/v1/me").await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    told.push(answer.expect_problem(401, "access_token_invalid")["detail"].clone());
    assert!(told.iter().all(|detail| *detail == told[0]), "{told:?}");
    // Who has brought none is told of no error (RFC 6750 §3.1).
    let none = page.request("GET", "/v1/me", None, None).send().await;
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    none.expect_problem(401, "access_token_invalid");
    // Nothing that a person holds opens the server API.
    let call = world.request("GET", "/v1/users").key(&page.refresh(&ana.refresh).await.text);
    call.send().await.expect(401);
}

#[tokio::test]
async fn who_is_out_gets_nothing_and_changes_nothing() {
    for out in ["ended", "disabled", "another page", "deleted"] {
        let world = World::null();
        let page = Page::new(&world).await;
        let (ana, ids) = ana(&page).await;
        let ids = ids.each_ref().map(String::as_str);
        let sid = claims(&json!(ana.token))["sid"].clone();
        let user = format!("/v1/users/{}", ana.user);
        match out {
            "ended" => drop(world.delete(&format!("{user}/sessions/{}", text(&sid))).await.expect(204)),
            "disabled" => drop(world.patch(&user, &json!({"disabled": true})).await.expect(200)),
            "deleted" => drop(world.delete(&user).await.expect(204)),
            _ => {}
        }
        let origin = if out == "another page" { "https://evil.example" } else { ORIGIN };
        let before = state(&world);
        for (operation, answer) in call_everything(&ana, ids, |request| request.header("origin", origin)).await {
            // One, and one that finds out whether any app's page may read why.
            assert_eq!(answer.round_trips(), 2, "{out}: {}", operation.id);
            assert_eq!(answer.header("access-control-allow-origin"), (out != "another page").then_some(ORIGIN));
            answer.expect_problem(401, "access_token_invalid");
        }
        assert_eq!(state(&world), before, "{out}");
    }
}

#[tokio::test]
async fn an_app_on_a_phone_has_no_origin() {
    let world = World::null();
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let answer = ana.request("GET", "/v1/me", None).without("origin").send().await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    answer.expect(200);
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_there() {
    let world = World::null();
    let page = Page::new(&world).await;
    let (_bea, theirs) = ana(&page).await;
    let ana = Account::new(&page).await;
    ana.prove_password().await;
    let theirs = theirs.each_ref().map(String::as_str);
    // Their things, and a challenge that a server has made for herself.
    world.here().clock.advance(Duration::from_secs(31));
    let (_, number) = ana.given_phone().await;
    let server = world.post("/v1/challenges", &json!({"user_id": ana.user, "purpose": "step_up"})).await.expect(201);
    let code = world.code(&number).await;
    let before: i64 = world.here().database.number("SELECT count(*) FROM factors WHERE activated_at IS NOT NULL");
    for ids in [theirs, [theirs[0], theirs[1], theirs[2], text(&server["id"])]] {
        for (operation, answer) in call_everything(&ana, ids, |request| request).await {
            if operation.path.contains('{') {
                answer.expect_problem(404, "resource_not_found");
            } else {
                assert!(answer.status < 500, "{}", answer.text);
            }
        }
    }
    assert_eq!(world.here().database.number("SELECT count(*) FROM factors WHERE activated_at IS NOT NULL"), before);
    // It was not answered by that either.
    world.answer(&server, &code).await.expect(200);
}

#[tokio::test]
async fn every_call_takes_as_many_round_trips_as_it_may() {
    let world = World::null();
    let many = json!({"messages_per_user_half_hour": 100, "messages_per_user_hour": 100,
        "messages_per_destination_half_hour": 100, "messages_per_destination_hour": 100});
    world.patch("/v1/instance", &json!({"limits": many})).await.expect(200);
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let other = ana.again().await;
    let mut all: BTreeMap<&str, u32> = BTreeMap::new();
    let mut note = |id: &'static str, response: Response, status: u16| {
        all.insert(id, response.round_trips());
        response.expect(status)
    };
    let later = || world.here().clock.advance(Duration::from_secs(31));
    note("getMe", ana.get("/v1/me").await, 200);
    note("updateMe", ana.patch("/v1/me", json!({"name": "Ana"})).await, 200);
    note("getStepUp", ana.get("/v1/me/step-up").await, 200);
    let by_password = ana.post("/v1/me/step-up", json!({"password": "seven owls in a barn at dusk"})).await;
    assert_eq!((by_password.status, by_password.round_trips()), (200, 3), "read, decided, raised");
    let number = world.number();
    let added =
        note("createMyFactor", ana.post("/v1/me/factors", json!({"type": "phone", "phone": number})).await, 201);
    let factor = format!("/v1/me/factors/{}", text(&added["factor"]["id"]));
    later();
    note("challengeMyFactor", ana.post(&format!("{factor}/challenges"), json!({})).await, 201);
    let body = json!({"code": world.code(&number).await});
    note("activateMyFactor", ana.post(&format!("{factor}/activate"), body).await, 200);
    note("listMyFactors", ana.get("/v1/me/factors").await, 200);
    note("renameMyFactor", ana.patch(&factor, json!({"name": "Mine"})).await, 200);
    note("createMyRecoveryCodes", ana.post("/v1/me/recovery-codes", json!({})).await, 201);
    for (path, id, body) in [
        ("/v1/me/email", "Email", json!({"email": world.address()})),
        ("/v1/me/phone", "Phone", json!({"phone": world.number()})),
    ] {
        later();
        let challenge = note("createStepUp", ana.post("/v1/me/step-up", json!({"type": "phone"})).await, 201);
        let step_up = format!("/v1/me/step-up/{}", text(&challenge["id"]));
        later();
        note("resendStepUp", ana.post(&format!("{step_up}/resend"), json!({})).await, 200);
        let code = json!({"code": world.code(&number).await});
        note("answerStepUp", ana.post(&format!("{step_up}/answer"), code).await, 200);
        let (change, resend, answer) = match id {
            "Email" => ("changeMyEmail", "resendMyEmail", "answerMyEmail"),
            _ => ("changeMyPhone", "resendMyPhone", "answerMyPhone"),
        };
        let challenge = note(change, ana.post(path, body.clone()).await, 201);
        let path = format!("{path}/{}", text(&challenge["id"]));
        later();
        note(resend, ana.post(&format!("{path}/resend"), json!({})).await, 200);
        let to = body.as_object().unwrap().values().next().unwrap();
        let code = json!({"code": world.code(text(to)).await});
        note(answer, ana.post(&format!("{path}/answer"), code).await, 200);
    }
    later();
    ana.prove_code(&number).await;
    note("setMyPassword", ana.post("/v1/me/password", json!({"password": "nine herons on a frozen lake"})).await, 204);
    note("listMyEvents", ana.get("/v1/me/events").await, 200);
    note("listMyDevices", ana.get("/v1/me/devices").await, 200);
    note("deleteMyDevices", ana.delete("/v1/me/devices").await, 204);
    let secret = json!({"id": "dev_01M83WM7ZA000G40R40M30E209"});
    world.here().database.execute(&format!(
        "INSERT INTO devices (id, user_id, secret_hash, created_at, expires_at, stamp)
         VALUES ('{}', '{}', 'x', 0, 9999999999999, 'x')",
        text(&secret["id"]),
        ana.user
    ));
    note("deleteMyDevice", ana.delete("/v1/me/devices/dev_01M83WM7ZA000G40R40M30E209").await, 204);
    later();
    ana.prove_code(&number).await;
    note("deleteMyFactor", ana.delete(&factor).await, 204);
    note("listMySessions", ana.get("/v1/me/sessions").await, 200);
    note("deleteMySessions", ana.delete("/v1/me/sessions").await, 204);
    let session = format!("/v1/me/sessions/{}", text(&claims(&json!(ana.token))["sid"]));
    note("deleteMySession", ana.delete(&session).await, 204);
    drop(other);

    let expected: BTreeMap<&str, u32> = own()
        .map(|operation| {
            let trips = match operation.id {
                // The proof, the newest challenge, or the number and its seed have to be read first.
                "createMyFactor"
                | "createMyRecoveryCodes"
                | "setMyPassword"
                | "deleteMyFactor"
                | "changeMyEmail"
                | "changeMyPhone"
                | "activateMyFactor"
                | "challengeMyFactor"
                | "createStepUp"
                | "resendStepUp"
                | "resendMyEmail"
                | "resendMyPhone" => 2,
                // What the policy asks, the answer, and what the session is worth then.
                "answerStepUp" => 3,
                _ => 1,
            };
            (operation.id, trips)
        })
        .collect();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn nothing_secret_is_answered_twice_logged_or_stored() {
    let world = World::null();
    world.patch("/v1/instance", &json!({"codes": {"length": 10}})).await.expect(200);
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let mut codes = Vec::new();
    let (_, number) = ana.add_phone().await;
    codes.push(world.code(&number).await);
    let totp = ana.post("/v1/me/factors", json!({"type": "totp"})).await.expect(201);
    world.here().clock.advance(Duration::from_secs(31));
    let up = ana.prove_code(&number).await;
    codes.push(world.code(&number).await);
    let recovery = ana.post("/v1/me/recovery-codes", json!({})).await.expect(201);
    world.here().clock.advance(Duration::from_secs(31));
    ana.prove_code(&number).await;
    let address = world.address();
    let moving = ana.post("/v1/me/email", json!({"email": address})).await.expect(201);
    codes.push(world.code(&address).await);
    let answer = format!("/v1/me/email/{}/answer", text(&moving["id"]));
    ana.post(&answer, json!({"code": world.code(&address).await})).await.expect(200);
    ana.get("/v1/me/factors").await.expect(200);
    ana.get("/v1/me/events").await.expect(200);
    ana.sessions().await;
    let once = [
        text(&totp["totp"]["secret"]).to_owned(),
        text(&recovery["recovery_codes"][0]).to_owned(),
        text(&up["access_token"]).to_owned(),
    ];
    let answers: Vec<String> = seen().into_iter().map(|response| response.text).collect();
    let log = world.here().log.lines().join("\n");
    let stored = world.here().database.everything();
    let is_stored =
        |secret: &str| stored.iter().any(|(place, value)| value.contains(secret) && !place.starts_with("dev_inbox."));
    for secret in &once {
        assert_eq!(answers.iter().filter(|text| text.contains(secret.as_str())).count(), 1, "{secret}");
        assert!(!log.contains(secret.as_str()) && !is_stored(secret), "{secret}");
    }
    for code in &codes {
        assert!(
            code.len() == 10 && !is_stored(code) && !answers.iter().any(|text| text.contains(code.as_str())),
            "{code}"
        );
    }
    for token in [&ana.token, &ana.refresh] {
        assert!(!log.contains(token.as_str()) && !is_stored(token), "{token}");
    }
    // Nobody but the person sees a number whole, and they only what they sign in with.
    assert!(!answers.iter().any(|text| text.contains(&number[1..])), "{number}");
}

#[tokio::test]
async fn events_show_nothing_of_others() {
    let world = World::null();
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let bea = Account::new(&page).await;
    world.early_in_a_step().await;
    let body = json!({"type": "totp", "override": {"reason": "hunter2: her brother called"}});
    let factors = format!("/v1/users/{}/factors", ana.user);
    let enrolled = world.post(&factors, &body).await.expect(201);
    let factor = text(&enrolled["factor"]["id"]);
    let code = Authenticator::scan(&enrolled).code(world.now());
    let proof = json!({"challenge_id": enrolled["challenge"]["id"], "code": code,
        "client": {"ip": "198.51.100.9", "user_agent": "Support/1"}});
    world.post(&format!("{factors}/{factor}/activate"), &proof).await.expect(200);
    let path = format!("/v1/users/{}/factors/{factor}?override_reason=hunter2", ana.user);
    world.delete(&path).await.expect(204);
    ana.request("POST", "/v1/me/step-up", Some(&json!({"password": "wrong"})))
        .header("cf-connecting-ip", "203.0.113.7")
        .send()
        .await
        .expect_problem(422, "form_password_incorrect");
    ana.post("/v1/me/step-up", json!({"password": "seven owls in a barn at dusk"})).await.expect(200);
    let events = ana.get("/v1/me/events?limit=100").await;
    for hidden in ["hunter2", "198.51.100.9", "Support/1", "key_", bea.user.as_str(), "req_"] {
        assert!(!events.text.contains(hidden), "{hidden}: {}", events.text);
    }
    let events = events.expect(200);
    let of = |kind: &str| -> Vec<Value> {
        events["data"].as_array().unwrap().iter().filter(|event| event["type"] == kind).cloned().collect()
    };
    assert_eq!(of("factor.removed")[0]["by"], "server");
    assert_eq!(of("factor.activated").len(), 2);
    assert_eq!(of("session.created").len(), 1);
    assert_eq!(of("session.stepped_up")[0]["by"], "you");
    let wrong = &of("challenge.answered_wrongly")[0];
    assert_eq!(
        (&wrong["by"], &wrong["client_ip"], &wrong["outcome"]),
        (&json!("you"), &json!("203.0.113.7"), &json!("refused"))
    );
    // Page by page it is the same.
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ana.get(&format!("/v1/me/events?limit=2{cursor}")).await.expect(200);
        all.extend(page["data"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(json!(all), events["data"]);
}
