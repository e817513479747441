//! The attacks on sign-ins, through the calls that an app's own form makes.

use std::time::Duration;

use serde_json::{Value, json};

use super::{GOOD, text};
use crate::support::{
    Authenticator, Request, Response, World, at_once, count,
    embedded::{Flow, Form, RESET, SIGN_IN, SIGN_UP},
    work::{Told, told},
};

const HERE: &str = "203.0.113.7";
const NEW: &str = "nine herons on a frozen lake";

/// Somebody who signs in with an address and the password [`GOOD`], and has an app where it is wanted.
async fn person(world: &World, email: &str, app: bool) -> (String, Option<Authenticator>) {
    let user = super::new_user(world, json!({"email": email})).await;
    let app = if app { Some(world.enrol_totp(&user, json!({"type": "totp"})).await.1) } else { None };
    let body = json!({"type": "password", "password": GOOD, "override": {"reason": "set-up"}});
    world.post(&format!("/v1/users/{user}/factors"), &body).await.expect(201);
    (user, app)
}

/// A form of an app that asks for nothing beside what people have.
async fn form(world: &World, more: Value) -> Form {
    let mut mfa = json!({"use_instance_policy": false});
    mfa.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Form::new(world, json!({"mfa": mfa})).await
}

/// A flow in which the password was proven, and the challenge of the app.
async fn half_way(world: &World, form: &Form, email: &str) -> (Flow, String) {
    let (flow, response) = form.with_password(world, email, GOOD).await;
    assert_eq!(response.expect(200)["step"], "needs_second_factor");
    let challenge = form.post(world, &flow, "challenges", &json!({"type": "totp"})).send().await.expect(201);
    (flow, format!("challenges/{}/answer", text(&challenge["id"])))
}

fn password(world: &World, form: &Form, flow: &Flow, typed: &str) -> Request {
    form.post(world, flow, "password", &json!({"password": typed}))
}

/// Begins so many sign-ins of somebody, each from its own address where that is wanted.
async fn begun(world: &World, form: &Form, email: &str, many: usize, own_address: bool) -> Vec<(Form, Flow)> {
    let mut flows = Vec::new();
    for n in 0..many {
        let form = form.from(&if own_address { format!("198.51.100.{n}") } else { HERE.to_owned() });
        let flow = form.begin(world, SIGN_IN, json!({"identifier": email})).await;
        flows.push((form, flow));
    }
    flows
}

#[tokio::test]
async fn attack_01_one_code_exchanged_sixteen_times_at_once_gives_one_session_and_that_ends() {
    let world = World::null();
    let form = form(&world, json!({})).await;
    person(&world, "ana@example.com", false).await;
    let (flow, response) = form.with_password(&world, "ana@example.com", GOOD).await;
    let code = response.expect(200)["code"].clone();
    let exchanged = at_once((0..16).map(|_| form.exchange(&world, &flow, &code)).collect()).await;
    let given: Vec<&Response> = exchanged.iter().filter(|response| response.status == 200).collect();
    assert_eq!(given.len(), 1);
    assert!(exchanged.iter().all(|response| response.status == 200 || response.json["error"] == "invalid_grant"));
    assert_eq!(world.here().database.number("SELECT count(*) FROM sessions"), 1);
    // Whoever had it first: somebody has stolen the code, so that nobody keeps what came of it.
    let refreshed = form.refresh(&world, &given[0].json["refresh_token"]).send().await;
    assert_eq!((refreshed.status, &refreshed.json["error"]), (400, &json!("invalid_grant")));
    assert_eq!(world.here().database.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL"), 0);
}

#[tokio::test]
async fn attack_02_two_hundred_codes_guessed_over_many_sign_ins_are_not_all_looked_at() {
    let world = World::null();
    world.patch("/v1/instance", &json!({"limits": {"requests_per_user_five_minutes": 100}})).await.expect(200);
    let form = form(&world, json!({})).await;
    let (user, app) = person(&world, "ana@example.com", true).await;
    let mut flows = Vec::new();
    for _ in 0..10 {
        flows.push(half_way(&world, &form, "ana@example.com").await);
    }
    let code = app.unwrap().code(world.now());
    let wrong = json!({"code": world.wrong(&code)});
    let guess = |n: usize| {
        let (flow, rest) = &flows[n % 10];
        form.post(&world, flow, rest, &if n == 150 { json!({"code": code}) } else { wrong.clone() })
    };
    let told = at_once((0..200).map(guess).collect()).await;
    assert_eq!((count(&told, 200, ""), count(&told, 422, "form_code_incorrect")), (0, 10));
    // The password is no way to more of them.
    let (flow, response) = form.with_password(&world, "ana@example.com", GOOD).await;
    assert_eq!(response.expect(200)["step"], "needs_second_factor");
    let again = form.post(&world, &flow, "challenges", &json!({})).send().await;
    again.expect_problem(429, "user_locked");
    let read = world.get(&format!("/v1/users/{user}")).await.expect(200);
    assert_eq!(read["second_factor"]["failures_in_a_row"], 10);
}

#[tokio::test]
async fn attack_03_twenty_passwords_guessed_over_many_sign_ins_are_not_all_looked_at() {
    let world = World::null();
    let form = form(&world, json!({})).await;
    person(&world, "ana@example.com", false).await;
    let flows = begun(&world, &form, "ana@example.com", 20, false).await;
    let guess = |(n, (form, flow)): (usize, &(Form, Flow))| {
        password(&world, form, flow, if n == 15 { GOOD } else { "a wrong one" })
    };
    let told = at_once(flows.iter().enumerate().map(guess).collect()).await;
    assert_eq!((count(&told, 200, ""), count(&told, 422, "form_password_incorrect")), (0, 5));
    let (form, flow) = &flows[0];
    password(&world, form, flow, GOOD).send().await.expect_problem(429, "user_locked");
}

#[tokio::test]
async fn attack_04_one_code_of_an_app_completes_one_of_ten_sign_ins_at_once() {
    let world = World::null();
    world.patch("/v1/instance", &json!({"limits": {"requests_per_user_five_minutes": 100}})).await.expect(200);
    let form = form(&world, json!({})).await;
    let (_, app) = person(&world, "ana@example.com", true).await;
    let mut flows = Vec::new();
    for _ in 0..10 {
        flows.push(half_way(&world, &form, "ana@example.com").await);
    }
    let code = json!({"code": app.unwrap().code(world.now())});
    let told = at_once(flows.iter().map(|(flow, rest)| form.post(&world, flow, rest, &code)).collect()).await;
    assert_eq!((count(&told, 200, ""), count(&told, 422, "form_code_incorrect")), (1, 9));
    assert_eq!(told.iter().filter(|told| told.json["step"] == "complete").count(), 1);
    assert_eq!(world.here().database.number("SELECT count(*) FROM authorization_codes"), 1);
}

#[tokio::test]
async fn attack_05_sign_ins_from_many_addresses_give_no_more_guesses() {
    let world = World::null();
    let form = form(&world, json!({})).await;
    person(&world, "ana@example.com", false).await;
    let flows = begun(&world, &form, "ana@example.com", 40, true).await;
    let guesses = flows.iter().map(|(form, flow)| password(&world, form, flow, "a wrong one")).collect();
    assert_eq!(count(&at_once(guesses).await, 422, "form_password_incorrect"), 5);
    let (form, flow) = &flows[39];
    password(&world, form, flow, GOOD).send().await.expect_problem(429, "user_locked");
}

/// What a sign-in and a reset tell of an address, and the work behind it.
async fn play(world: &World, form: &Form, email: &str) -> Vec<Told> {
    let mut all = Vec::new();
    let mut tell = async |what: &str, request: Request| {
        let (told, response) = told(world, what, request).await;
        all.push(told);
        response.json
    };
    let named = json!({"identifier": email});
    let flow = form.begin(world, SIGN_IN, json!({})).await;
    tell("say who it is", form.post(world, &flow, "identifier", &named)).await;
    for _ in 0..7 {
        tell("a wrong password", password(world, form, &flow, "a wrong one")).await;
    }
    tell("both at once", form.post(world, &flow, "password", &json!({"identifier": email, "password": "x"}))).await;
    tell("read", form.call(world, "GET", &flow.path, &flow.token)).await;
    tell("a challenge", form.post(world, &flow, "challenges", &json!({}))).await;
    tell("a recovery code", form.post(world, &flow, "recovery-code", &json!({"code": "7V2C-K9QX-4M0T-ZR8H"}))).await;
    tell("begin by name", form.beginning(world, SIGN_IN, &named).0).await;

    let flow = form.begin(world, RESET, json!({})).await;
    let asked = tell("forgotten", form.post(world, &flow, "identifier", &named)).await;
    let answer = format!("challenges/{}/answer", text(&asked["challenge"]["id"]));
    for _ in 0..3 {
        tell("a wrong code", form.post(world, &flow, &answer, &json!({"code": "000000"}))).await;
    }
    tell("too early", form.post(world, &flow, &answer.replace("answer", "resend"), &json!({}))).await;
    world.here().clock.advance(Duration::from_secs(31));
    tell("another code", form.post(world, &flow, &answer.replace("answer", "resend"), &json!({}))).await;
    tell("a recovery code", form.post(world, &flow, "recovery-code", &json!({"code": "7V2C-K9QX-4M0T-ZR8H"}))).await;
    for _ in 0..3 {
        tell("a wrong code", form.post(world, &flow, &answer, &json!({"code": "000000"}))).await;
    }
    tell("read", form.call(world, "GET", &flow.path, &flow.token)).await;
    tell("a new password", form.post(world, &flow, "new-password", &json!({"password": GOOD}))).await;

    let flow = form.begin(world, SIGN_UP, json!({})).await;
    let asked = tell("sign up", form.post(world, &flow, "identifier", &named)).await;
    let answer = format!("challenges/{}/answer", text(&asked["challenge"]["id"]));
    tell("a passkey", form.post(world, &flow, "passkey/options", &json!({}))).await;
    tell("a weak password", password(world, form, &flow, "short")).await;
    tell("a password", password(world, form, &flow, NEW)).await;
    tell("read", form.call(world, "GET", &flow.path, &flow.token)).await;
    for _ in 0..3 {
        tell("a wrong code", form.post(world, &flow, &answer, &json!({"code": "000000"}))).await;
    }
    world.here().clock.advance(Duration::from_secs(31));
    tell("another code", form.post(world, &flow, &answer.replace("answer", "resend"), &json!({}))).await;
    let body = json!({"identifier": email, "password": NEW});
    let flow = form.begin(world, SIGN_UP, json!({})).await;
    tell("sign up with a password", form.post(world, &flow, "password", &body)).await;
    tell("give it up", form.call(world, "DELETE", &flow.path, &flow.token)).await;
    tell("sign up by name", form.beginning(world, SIGN_UP, &named).0).await;
    all
}

#[tokio::test]
async fn attack_11_sign_ups_with_one_address_at_once_make_one_user() {
    let world = World::null();
    let form = form(&world, json!({})).await;
    let named = json!({"identifier": "ana@example.com"});
    let mut proofs = Vec::new();
    for _ in 0..3 {
        let flow = form.begin(&world, SIGN_UP, named.clone()).await;
        password(&world, &form, &flow, GOOD).send().await.expect(200);
        let challenge = text(&flow.json["challenge"]["id"]);
        let sent = format!(
            "SELECT i.code AS code FROM dev_inbox i JOIN messages m ON m.id = i.message_id
             WHERE m.challenge_id = '{challenge}'"
        );
        let code = world.here().database.query(&sent)[0]["code"].clone();
        proofs.push((flow, format!("challenges/{challenge}/answer"), json!({"code": code})));
    }
    // Nobody has the address before it is proven, and then one.
    assert_eq!(world.here().database.number("SELECT count(*) FROM users"), 0);
    let told = at_once(proofs.iter().map(|(flow, rest, body)| form.post(&world, flow, rest, body)).collect()).await;
    assert_eq!(told.iter().filter(|told| told.json["step"] == "complete").count(), 1, "{told:#?}");
    assert_eq!(world.here().database.number("SELECT count(*) FROM users"), 1);
    assert_eq!(world.here().database.number("SELECT count(*) FROM factors WHERE type = 'password'"), 1);
    // Through the server API too.
    let body = json!({"email": "Bea@Example.com"});
    let made = at_once((0..3).map(|_| world.request("POST", "/v1/users").json(&body)).collect()).await;
    assert_eq!((count(&made, 201, ""), count(&made, 409, "form_identifier_exists")), (1, 2), "{made:#?}");
}

#[tokio::test]
async fn attack_12_neither_answer_nor_work_tell_whether_an_address_is_known() {
    let world = World::null();
    let form = form(&world, json!({})).await;
    person(&world, "ana@example.com", false).await;
    person(&world, "bea@example.com", true).await;
    super::new_user(&world, json!({"email": "cleo@example.com"})).await;
    let unknown = play(&world, &form, "nobody@example.com").await;
    let hashes: usize = unknown.iter().map(|told| told.hashes.len()).sum();
    assert!(hashes >= 5, "{unknown:#?}");
    for known in ["ana@example.com", "bea@example.com", "cleo@example.com"] {
        world.here().clock.advance(Duration::from_hours(48));
        let known = play(&world, &form, known).await;
        for (known, unknown) in known.iter().zip(&unknown) {
            assert_eq!(known, unknown);
        }
        assert_eq!(known.len(), unknown.len());
    }
}

#[tokio::test]
async fn attack_15_nothing_of_before_survives_a_new_password_or_a_reset_of_factors() {
    let world = World::null();
    let form = form(&world, json!({"remember_device": true})).await;
    let (user, app) = person(&world, "ana@example.com", true).await;
    let app = app.unwrap();
    let signed_in = async |password: &str| {
        world.here().clock.advance(Duration::from_mins(1));
        let (flow, response) = form.with_password(&world, "ana@example.com", password).await;
        assert_eq!(response.expect(200)["step"], "needs_second_factor");
        let challenge = form.post(&world, &flow, "challenges", &json!({"type": "totp"})).send().await.expect(201);
        let rest = format!("challenges/{}/answer", text(&challenge["id"]));
        let body = json!({"code": app.code(world.now()), "remember_device": true});
        let done = form.post(&world, &flow, &rest, &body).send().await.expect(200);
        let tokens = form.exchange(&world, &flow, &done["code"]).send().await.expect(200);
        (done["device"].clone(), tokens["refresh_token"].clone())
    };
    let stands_in = async |device: &Value, password: &str| {
        let flow = form.begin(&world, SIGN_IN, json!({"device": device})).await;
        let body = json!({"identifier": "ana@example.com", "password": password});
        text(&form.post(&world, &flow, "password", &body).send().await.expect(200)["step"]) == "complete"
    };
    let (device, refresh) = signed_in(GOOD).await;
    assert!(stands_in(&device, GOOD).await, "it is remembered");

    // The password was forgotten.
    let new = NEW;
    let flow = form.begin(&world, RESET, json!({"identifier": "ana@example.com"})).await;
    let rest = format!("challenges/{}/answer", text(&flow.json["challenge"]["id"]));
    let code = world.code("ana@example.com").await;
    form.post(&world, &flow, &rest, &json!({"code": code})).send().await.expect(200);
    world.here().clock.advance(Duration::from_mins(1));
    let asked = form.post(&world, &flow, "challenges", &json!({"type": "totp"})).send().await.expect(201);
    let rest = format!("challenges/{}/answer", text(&asked["id"]));
    form.post(&world, &flow, &rest, &json!({"code": app.code(world.now())})).send().await.expect(200);
    form.post(&world, &flow, "new-password", &json!({"password": new})).send().await.expect(200);
    assert_eq!(form.refresh(&world, &refresh).send().await.status, 400, "the session ends with the password");
    assert!(!stands_in(&device, new).await, "and so does the device");

    // The factors are reset.
    let (device, refresh) = signed_in(new).await;
    assert!(stands_in(&device, new).await);
    world.delete(&format!("/v1/users/{user}/factors?override_reason=lost")).await.expect(204);
    assert_eq!(form.refresh(&world, &refresh).send().await.status, 400);
    assert_eq!(world.here().database.number("SELECT count(*) FROM devices"), 0);
    let live = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";
    assert_eq!(world.here().database.number(live), 0);
}
