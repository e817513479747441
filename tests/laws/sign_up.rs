//! Sign-ups: nobody is anybody before the address is proven, one address makes one user, and a known address is not told
//! from an unknown one (laws 2, 3, 5, 6 and 8).

use std::time::Duration;

use postern::password::work;
use serde_json::{Map, Value, json};

use crate::support::{
    Response, World, at_once, client, count,
    page::{Flow, Page},
    passkey::{self, Authenticator},
    vars,
};

const PASSWORD: &str = "nine herons over the quiet lake";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

/// What answers the code that is out in a flow.
fn answer(said: &Value) -> String {
    format!("challenges/{}/answer", text(&said["challenge"]["id"]))
}

async fn limits(world: &World, limits: Value) {
    world.patch("/v1/instance", &json!({"limits": limits})).await.expect(200);
}

/// A sign-up that has named the address and chosen a password: the flow, and what answers the code.
async fn half<'a>(page: &'a Page<'a>, address: &str) -> (Flow<'a>, String) {
    let flow = page.begin("sign-ups", json!({"identifier": address})).await;
    let path = answer(&flow.begun);
    flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    (flow, path)
}

/// How many rows the tables have that a user is made of.
fn made(world: &World) -> [i64; 3] {
    ["users", "factors", "authorization_codes"]
        .map(|table| world.here().database.number(&format!("SELECT count(*) FROM {table}")))
}

#[tokio::test]
async fn an_unverified_sign_up_reserves_nothing() {
    let world = World::null();
    passkey::allow(&world).await;
    let page = Page::new(&world).await;
    let address = world.address();
    let (flow, path) = half(&page, &address).await;
    let asked = flow.post("passkey/options", json!({})).await.expect(201);
    let credential = Authenticator::new(passkey::ORIGIN).create(&asked["public_key"]);
    flow.post("passkey", json!({"credential": credential})).await.expect(200);
    flow.post(&path, json!({"code": "000000"})).await.expect_problem(422, "form_code_incorrect");
    assert_eq!(made(&world), [0, 0, 0]);
    let stored = world.here().database.everything();
    let hashes: Vec<_> = stored.iter().filter(|(_, value)| value.contains("$argon2id$")).map(|(at, _)| at).collect();
    assert_eq!(hashes, ["flows.pending"]);

    // Somebody else gets the address meanwhile, and keeps it.
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let code = json!({"code": world.code(&address).await});
    flow.post(&path, code.clone()).await.expect_problem(409, "form_identifier_exists");
    assert_eq!(flow.get().await.expect(200)["step"], "abandoned");
    flow.post(&path, code).await.expect_problem(409, "flow_step_mismatch");
    flow.post("password", json!({"password": PASSWORD})).await.expect_problem(409, "flow_step_mismatch");
    assert_eq!(made(&world), [1, 0, 0]);
    let user = world.get(&format!("/v1/users/{}", text(&user["id"]))).await.expect(200);
    assert_eq!(user["email_verified_at"], Value::Null);
    // Nothing waits any more.
    let waiting = "SELECT count(*) FROM flows WHERE pending <> '{}'";
    assert_eq!(world.here().database.number(waiting), 0);
    let (given_up, _) = half(&page, &world.address()).await;
    assert_eq!(world.here().database.number(waiting), 1);
    page.call("DELETE", &given_up.path, Some(&given_up.token), None).await.expect(204);
    assert_eq!(world.here().database.number(waiting), 0);
}

#[tokio::test]
async fn attack_11_parallel_sign_ups_with_one_address_make_one_user() {
    let world = World::null();
    limits(&world, json!({"emails_per_destination_half_hour": 100, "tries_per_destination_half_hour": 100})).await;
    let page = Page::new(&world).await;
    let address = world.address();
    let mut requests = Vec::new();
    for turn in 0..40 {
        // Half of them prove the address first and choose the password last.
        let flow = page.begin("sign-ups", json!({"identifier": address})).await;
        let (path, code) = (answer(&flow.begun), json!({"code": world.code(&address).await}));
        let password = json!({"password": PASSWORD});
        let last = if turn % 2 == 0 {
            flow.post("password", password).await.expect(200);
            flow.request(&path, &code)
        } else {
            flow.post(&path, code).await.expect(200);
            flow.request("password", &password)
        };
        requests.push(last);
    }
    let answers = at_once(requests).await;
    assert_eq!(count(&answers, 200, ""), 1);
    assert_eq!(count(&answers, 409, "form_identifier_exists"), 39);
    assert_eq!(made(&world), [1, 1, 1]);
    let ended = "SELECT count(*) FROM flows WHERE end_reason = 'abandoned' AND user_id IS NULL AND pending = '{}'";
    assert_eq!(world.here().database.number(ended), 39);
}

#[tokio::test]
async fn a_hundred_right_answers_at_once_make_one_user_and_one_code() {
    let world = World::null();
    let page = Page::new(&world).await;
    let address = world.address();
    let (flow, path) = half(&page, &address).await;
    let code = json!({"code": world.code(&address).await});
    let answers = at_once((0..100).map(|_| flow.request(&path, &code)).collect()).await;
    let codes =
        answers.iter().filter(|answer| answer.json["code"].as_str().is_some_and(|code| code.starts_with("ac_")));
    assert_eq!(codes.count(), 1);
    assert_eq!(made(&world), [1, 1, 1]);
    assert!(answers.iter().all(|answer| answer.status < 500));
}

#[tokio::test]
async fn the_last_two_calls_at_once_make_the_user_whichever_comes_last() {
    let world = World::null();
    let page = Page::new(&world).await;
    for turn in 1..=10 {
        let address = world.address();
        let flow = page.begin("sign-ups", json!({"identifier": address})).await;
        let path = answer(&flow.begun);
        let code = json!({"code": world.code(&address).await});
        let both = vec![flow.request(&path, &code), flow.request("password", &json!({"password": PASSWORD}))];
        let answers = at_once(both).await;
        assert_eq!(count(&answers, 200, ""), 2, "{answers:?}");
        let steps: Vec<_> = answers.iter().filter(|answer| answer.json["step"] == "complete").collect();
        assert!(!steps.is_empty(), "{answers:?}");
        assert_eq!(made(&world), [turn, turn, turn]);
    }
}

#[tokio::test]
async fn a_code_of_another_flow_or_for_another_address_proves_nothing() {
    let world = World::null();
    let page = Page::new(&world).await;
    let (mine, theirs) = (world.address(), world.address());
    let (flow, own) = half(&page, &mine).await;
    let (other, path) = half(&page, &theirs).await;
    let code = json!({"code": world.code(&theirs).await});
    // Another flow's challenge is no challenge here; and its code is none for ours.
    flow.post(&path, code.clone()).await.expect_problem(404, "resource_not_found");
    if world.code(&mine).await != world.code(&theirs).await {
        flow.post(&own, code.clone()).await.expect_problem(422, "form_code_incorrect");
    }
    // The server API sees neither.
    let there = format!("/v1/{path}");
    world.post(&there, &code).await.expect_problem(404, "resource_not_found");

    // Whoever names another address is asked for that one.
    let renamed = world.address();
    let before = json!({"code": world.code(&mine).await});
    let named = flow.post("identifier", json!({"identifier": renamed})).await.expect(200);
    assert_eq!(named["step"], "needs_verification");
    flow.post(&own, before).await.expect_problem(422, "verification_expired");
    assert_eq!(made(&world), [0, 0, 0]);
    let done = flow.post(&answer(&named), json!({"code": world.code(&renamed).await})).await.expect(200);
    assert_eq!(done["step"], "complete");
    // What was proven is not named anew.
    other.post(&path, code).await.expect(200);
    other.post("identifier", json!({"identifier": mine})).await.expect_problem(409, "flow_step_mismatch");
    let addresses = world.here().database.query("SELECT email FROM users ORDER BY email");
    let mut wanted = [renamed, theirs];
    wanted.sort();
    assert_eq!(addresses.iter().map(|row| text(&row["email"])).collect::<Vec<_>>(), wanted);
}

#[tokio::test]
async fn a_proven_address_waits_for_its_credential_and_takes_no_other_address() {
    let world = World::null();
    let page = Page::new(&world).await;
    let address = world.address();
    let flow = page.begin("sign-ups", json!({"identifier": address})).await;
    let path = answer(&flow.begun);
    let code = json!({"code": world.code(&address).await});
    assert_eq!(flow.post(&path, code.clone()).await.expect(200)["step"], "needs_first_factor");
    flow.post(&path, code).await.expect_problem(409, "verification_already_verified");
    let other = json!({"identifier": world.address()});
    flow.post("identifier", other).await.expect_problem(409, "flow_step_mismatch");
    let other = json!({"identifier": world.address(), "password": PASSWORD});
    flow.post("password", other).await.expect_problem(409, "flow_step_mismatch");
    assert_eq!(made(&world), [0, 0, 0]);
    // After ten minutes it has proven nothing.
    world.here().clock.advance(Duration::from_mins(10));
    flow.post("password", json!({"password": PASSWORD})).await.expect_problem(409, "flow_step_mismatch");
    assert_eq!(made(&world), [0, 0, 0]);
}

/// A body without what differs from call to call.
fn shape(value: &Value) -> Value {
    const TELLING: [&str; 8] = ["status", "step", "type", "code", "attempts_left", "channel", "title", "detail"];
    match value {
        Value::Object(members) => {
            let kept = |(name, value): (&String, &Value)| {
                (name.clone(), if TELLING.contains(&name.as_str()) { value.clone() } else { shape(value) })
            };
            Value::Object(members.iter().map(kept).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Null => Value::Null,
        _ => json!("something"),
    }
}

/// All that can be told of an answer from outside, and the work behind it.
#[derive(Debug, PartialEq)]
struct Told {
    what: &'static str,
    status: u16,
    headers: Vec<String>,
    body: Value,
    round_trips: u32,
    hashes: Vec<String>,
}

/// A sign-up of somebody who does not have the mailbox.
async fn play(world: &World, address: &str) -> Vec<Told> {
    let page = Page::new(world).await;
    let mut told = Vec::new();
    let mut note = |what, response: Response| {
        told.push(Told {
            what,
            status: response.status,
            headers: response.headers.iter().map(|(name, _)| name.clone()).collect(),
            body: shape(&response.json),
            round_trips: response.round_trips(),
            hashes: work::done(),
        });
        response.json
    };
    work::done();
    let mut body = page.beginning();
    body["identifier"] = json!(address);
    let begun = note("begin", page.call("POST", "/v1/client/sign-ups", None, Some(&body)).await);
    let path = format!("/v1/client/sign-ups/{}", text(&begun["id"]));
    let flow = Flow { page: &page, path, token: text(&begun["token"]).to_owned(), begun };
    note("identify", flow.post("identifier", json!({"identifier": address})).await);
    note("options", flow.post("passkey/options", json!({})).await);
    note("weak", flow.post("password", json!({"password": "short"})).await);
    note("password", flow.post("password", json!({"password": PASSWORD})).await);
    note("both", flow.post("password", json!({"password": PASSWORD, "identifier": address})).await);
    let again = note("read", flow.get().await);
    let path = answer(&again);
    note("too early", flow.post(&path.replace("answer", "resend"), json!({})).await);
    world.here().clock.advance(Duration::from_secs(31));
    note("resend", flow.post(&path.replace("answer", "resend"), json!({})).await);
    for _ in 0..6 {
        note("guess", flow.post(&path, json!({"code": "0000"})).await);
    }
    note("another code", flow.post("challenges", json!({})).await);
    for _ in 0..8 {
        note("until the limit", flow.post("identifier", json!({"identifier": address})).await);
    }
    note("at the end", flow.get().await);
    told
}

#[tokio::test]
async fn a_known_address_is_answered_as_an_unknown_one_with_the_same_work() {
    let world = World::null();
    passkey::allow(&world).await;
    world.patch("/v1/instance", &json!({"codes": {"length": 10}})).await.expect(200);
    let unknown = play(&world, &world.address()).await;
    assert!(unknown.iter().any(|told| told.status == 429), "{unknown:#?}");
    assert!(unknown.iter().any(|told| told.what == "password" && told.hashes.len() == 1), "{unknown:#?}");
    assert!(unknown.iter().any(|told| told.body["code"] == "verification_failed"), "{unknown:#?}");
    let (plain, password, disabled) = (world.address(), world.address(), world.address());
    for address in [&plain, &password, &disabled] {
        let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
        if *address != plain {
            let body = json!({"type": "password", "password": PASSWORD});
            world.post(&format!("/v1/users/{}/factors", text(&user["id"])), &body).await.expect(201);
        }
    }
    world.here().database.execute(&format!("UPDATE users SET disabled_at = 1 WHERE email = '{disabled}'"));
    for address in [plain, password, disabled] {
        world.here().clock.advance(Duration::from_mins(61));
        for (known, unknown) in play(&world, &address).await.iter().zip(&unknown) {
            assert_eq!(known, unknown);
        }
    }
}

#[tokio::test]
async fn the_owner_of_an_address_is_told_a_few_times_a_day_and_nothing_attaches() {
    let world = World::native(&vars::prod_mail("http://127.0.0.1:9"));
    limits(&world, json!({"emails_per_destination_half_hour": 100})).await;
    let (address, other) = (world.address(), world.address());
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let user = text(&user["id"]);
    let path = format!("/v1/users/{user}/factors");
    // Another address of the account is not meant, and hears nothing.
    world.enrol(user, &json!({"type": "email", "email": other}), &other).await;
    let (before, elsewhere) = (world.carriers.mail.sent_to(&address).len(), world.carriers.mail.sent_to(&other).len());
    let page = Page::new(&world).await;
    for _ in 0..5 {
        half(&page, &address).await;
    }
    let mails = world.carriers.mail.sent_to(&address).split_off(before);
    assert_eq!(mails.len(), 3);
    for mail in &mails {
        assert!(
            mail.subject.starts_with("Somebody tried to sign up with the address or number of"),
            "{}",
            mail.subject
        );
        assert_eq!(mail.code(), "", "{}", mail.text);
        assert!(!mail.text.contains("://"), "{}", mail.text);
    }
    assert_eq!(world.carriers.mail.sent_to(&other).len(), elsewhere);
    let kinds = world.get(&path).await.expect(200);
    assert_eq!(kinds["data"].as_array().unwrap().len(), 1);
    // Notices of what really changes have their own room.
    let room = "SELECT count(*) FROM counters WHERE key LIKE 'notices_per_user_hour:%' AND count > 1";
    assert_eq!(world.here().database.number(room), 0);
    world.here().clock.advance(Duration::from_hours(24));
    half(&page, &address).await;
    assert_eq!(world.carriers.mail.sent_to(&address).len(), before + 4);
    // Whoever is new hears the code, and no notice.
    let new = world.address();
    half(&page, &new).await;
    assert_eq!(world.carriers.mail.sent_to(&new).len(), 1);
}

#[tokio::test]
async fn somebody_elses_credential_signs_nobody_up() {
    let world = World::null();
    passkey::allow(&world).await;
    let page = Page::new(&world).await;
    let mut authenticator = Authenticator::new(passkey::ORIGIN);
    authenticator.fixed_id = Some(vec![7; 32]);
    let register = async |authenticator: &mut Authenticator, address: &str| {
        let flow = page.begin("sign-ups", json!({"identifier": address})).await;
        let asked = flow.post("passkey/options", json!({})).await.expect(201);
        let credential = authenticator.create(&asked["public_key"]);
        let kept = flow.post("passkey", json!({"credential": credential})).await;
        (flow, kept)
    };
    let addresses = [world.address(), world.address(), world.address()];
    let (first, kept) = register(&mut authenticator, &addresses[0]).await;
    kept.expect(200);
    let (second, kept) = register(&mut authenticator, &addresses[1]).await;
    // It reserves nothing, so that two wait.
    kept.expect(200);
    let path = answer(&first.begun);
    first.post(&path, json!({"code": world.code(&addresses[0]).await})).await.expect(200);
    let path = answer(&second.begun);
    let code = json!({"code": world.code(&addresses[1]).await});
    second.post(&path, code).await.expect_problem(409, "form_identifier_exists");
    let (_, kept) = register(&mut authenticator, &addresses[2]).await;
    kept.expect_problem(422, "form_code_incorrect");
    assert_eq!(made(&world), [1, 1, 1]);
}

#[tokio::test]
async fn a_registration_is_taken_once_and_by_its_own_flow() {
    let world = World::null();
    passkey::allow(&world).await;
    let page = Page::new(&world).await;
    let flow = page.begin("sign-ups", json!({})).await;
    // A passkey may come before the address; it is called by what is known.
    let asked = flow.post("passkey/options", json!({})).await.expect(201);
    let handle = String::from_utf8(passkey::decode(&asked["public_key"]["user"]["id"])).unwrap();
    assert!(handle.starts_with("usr_"), "{handle}");
    let mut authenticator = Authenticator::new(passkey::ORIGIN);
    let body = json!({"credential": authenticator.create(&asked["public_key"])});
    let other = page.begin("sign-ups", json!({})).await;
    other.post("passkey", body.clone()).await.expect_problem(404, "resource_not_found");
    other.post("passkey/options", json!({})).await.expect(201);
    other.post("passkey", body.clone()).await.expect_problem(422, "form_code_incorrect");
    let answers = at_once((0..20).map(|_| flow.request("passkey", &body)).collect()).await;
    assert_eq!((count(&answers, 200, ""), count(&answers, 409, "verification_already_verified")), (1, 19));
    assert_eq!(flow.get().await.expect(200)["step"], "needs_identifier");
    let address = world.address();
    let named = flow.post("identifier", json!({"identifier": address})).await.expect(200);
    assert_eq!(named["step"], "needs_verification");
    // A password beside it: both are attached.
    flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    let done = flow.post(&answer(&named), json!({"code": world.code(&address).await})).await.expect(200);
    assert_eq!(done["step"], "complete");
    let user = world.here().database.query("SELECT id FROM users");
    assert_eq!(text(&user[0]["id"]), handle);
    assert_eq!(made(&world), [1, 2, 1]);
    let events = world.get(&format!("/v1/audit-events?user_id={handle}")).await.expect(200);
    let mut types: Vec<_> = events["data"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    types.sort_unstable();
    let wanted = ["factor.activated", "factor.activated", "user.created", "user.email_verified"];
    assert!(wanted.iter().all(|kind| types.contains(kind)), "{types:?}");
    assert_eq!(types.iter().filter(|kind| **kind == "factor.activated").count(), 2);
}

#[tokio::test]
async fn a_weak_password_is_told_why_and_the_policy_says_how_long() {
    let world = World::null();
    let page = Page::new(&world).await;
    let address = "kaethe.lichter@example.com";
    let flow = page.begin("sign-ups", json!({"identifier": address})).await;
    let told = async |password: &str| {
        let response = flow.post("password", json!({"password": password})).await;
        response.fields().iter().map(|(field, code)| format!("{field} {code}")).collect::<Vec<_>>()
    };
    assert_eq!(told("vK3#qq-Lw92xzt").await, ["password password_too_short"]);
    assert_eq!(told("Kaethe.Lichter.1").await, ["password password_context"]);
    assert_eq!(told("password12345678").await, ["password password_common"]);
    let typed = json!({"password": "Berta.Muster.2024", "identifier": "berta.muster@example.com"});
    let response = flow.post("password", typed).await;
    assert_eq!(response.fields(), [("password", "password_context")]);
    assert_eq!(world.here().database.number("SELECT count(*) FROM flows WHERE pending <> '{}'"), 0);
    world.patch("/v1/instance", &json!({"multi_factor": {"required": ["totp"]}})).await.expect(200);
    assert_eq!(told("vK3#qq-").await, ["password password_too_short"]);
    assert_eq!(told("vK3#qq-L").await, [] as [&str; 0]);
}

#[tokio::test]
async fn fifty_sign_ups_a_minute_begin_from_one_network() {
    let world = World::null();
    let page = Page::new(&world).await;
    let begin = |ip: &str| {
        let request = page.request("POST", "/v1/client/sign-ups", None, Some(&page.beginning()));
        request.header("cf-connecting-ip", ip)
    };
    let answers = at_once((0..100).map(|_| begin("198.51.100.7")).collect()).await;
    assert_eq!((count(&answers, 201, ""), count(&answers, 429, "rate_limit_exceeded")), (50, 50));
    assert_eq!(world.here().database.number("SELECT count(*) FROM flows"), 50);
    begin("198.51.100.8").send().await.expect(201);
    // Sign-ins are not counted here.
    let sign_in = page.request("POST", "/v1/client/sign-ins", None, Some(&page.beginning()));
    sign_in.header("cf-connecting-ip", "198.51.100.7").send().await.expect(201);
    world.here().clock.advance(Duration::from_mins(1));
    begin("198.51.100.7").send().await.expect(201);
}

#[tokio::test]
async fn round_trips_of_a_sign_up() {
    let world = World::null();
    let page = Page::new(&world).await;
    let address = world.address();
    let mut body = page.beginning();
    body["identifier"] = json!(address);
    let begun = page.call("POST", "/v1/client/sign-ups", None, Some(&body)).await;
    assert_eq!(begun.round_trips(), 4, "app; flow; address; challenge");
    let begun = begun.expect(201);
    let path = format!("/v1/client/sign-ups/{}", text(&begun["id"]));
    let flow = Flow { page: &page, path, token: text(&begun["token"]).to_owned(), begun };
    let chosen = flow.post("password", json!({"password": PASSWORD})).await;
    assert_eq!((chosen.status, chosen.round_trips()), (200, 2));
    let code = json!({"code": world.code(&address).await});
    let wrong = flow.post(&answer(&flow.begun), json!({"code": "0000"})).await;
    assert_eq!((wrong.status, wrong.round_trips()), (422, 2));
    let done = flow.post(&answer(&flow.begun), code).await;
    assert_eq!((done.status, done.round_trips()), (200, 3), "flow; answer and user; end");
}

#[tokio::test]
async fn what_waits_is_shown_to_nobody_and_no_secret_is_kept() {
    let world = World::native(&vars::prod_mail("http://127.0.0.1:9"));
    passkey::allow(&world).await;
    client::seen();
    let page = Page::new(&world).await;
    let address = world.address();
    let (flow, path) = half(&page, &address).await;
    let asked = flow.post("passkey/options", json!({})).await.expect(201);
    let mut authenticator = Authenticator::new(passkey::ORIGIN);
    let credential = authenticator.create(&asked["public_key"]);
    flow.post("passkey", json!({"credential": credential})).await.expect(200);
    flow.get().await.expect(200);
    let code = world.code(&address).await;
    let pending = world.here().database.query("SELECT pending FROM flows");
    let pending: Value = serde_json::from_str(text(&pending[0]["pending"])).unwrap();
    let hash = text(&pending["credential"]["password"]["secret"]).to_owned();
    let key = text(&pending["credential"]["passkey"]["data"]["public_key"]).to_owned();
    flow.post(&path, json!({"code": code})).await.expect(200);
    for response in client::seen() {
        for secret in [PASSWORD, &hash, &key] {
            assert!(!response.text.contains(secret), "{}", response.text);
        }
    }
    let log = world.here().log.lines().join("\n");
    let stored = world.here().database.everything();
    for secret in [PASSWORD, &flow.token] {
        assert!(!log.contains(secret), "{log}");
        let places: Vec<_> = stored.iter().filter(|(_, value)| value.contains(secret)).collect();
        assert!(places.is_empty(), "{places:?}");
    }
    assert!(!log.contains(&hash) && !log.contains(&code) && !log.contains(&address), "{log}");
    // The hash is the factor's now, and nobody else's.
    let places: Vec<_> = stored.iter().filter(|(_, value)| value.contains(&hash)).map(|(at, _)| at).collect();
    assert_eq!(places, ["factors.secret"]);
}

#[tokio::test]
async fn what_fails_in_the_middle_makes_nobody_and_may_be_done_again() {
    use postern::ports::DatabaseError;
    let world = World::null();
    let page = Page::new(&world).await;
    let address = world.address();
    let (flow, path) = half(&page, &address).await;
    let code = json!({"code": world.code(&address).await});
    // Before the code is looked at, and before the flow ends.
    world.here().database.fail_after(1, DatabaseError::Unavailable("gone".to_owned()));
    flow.post(&path, code.clone()).await.expect_problem(503, "database_unavailable");
    assert_eq!(made(&world), [0, 0, 0]);
    world.here().database.fail_after(2, DatabaseError::Unavailable("gone".to_owned()));
    flow.post(&path, code).await.expect_problem(503, "database_unavailable");
    assert_eq!(made(&world), [1, 1, 0]);
    assert_eq!(flow.get().await.expect(200)["step"], "complete");
    assert_eq!(made(&world), [1, 1, 1]);
}
