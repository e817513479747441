//! Law 5: nothing secret is returned, logged or stored in clear. After a mixed run of everything there is, every
//! answer, every line of the log and every stored value is searched.

use std::{collections::BTreeSet, fmt, time::Duration};

use postern::{
    config::Config,
    crypto::{Code, KeyRing},
    message::Outgoing,
    password::{Password, PasswordHash},
    phone::PhoneNumber,
    ports::{OutgoingRequest, Param},
    secret::Secret,
};
use serde_json::{Value, json};

use crate::support::{
    Behaviour, Request, World,
    client::seen,
    vars::{self, KEY},
};

/// What a run has made, that may be in few places or none.
#[derive(Default)]
struct Made {
    codes: Vec<String>,
    numbers: Vec<String>,
    /// Secrets of stored keys: in the one answer that made them.
    keys: Vec<String>,
    /// Secrets of remembered devices and of apps: likewise.
    tokens: Vec<String>,
    /// What was typed wrongly, and what was guessed.
    typed: Vec<String>,
}

/// Ten digits, so that no code is found by chance.
async fn with_long_codes(world: &World) {
    world.patch("/v1/instance", &json!({"codes": {"length": 10}})).await.expect(200);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Everything that Postern does, well and badly.
async fn run(world: &World) -> Made {
    let mut made = Made::default();
    with_long_codes(world).await;
    let post = |path: &str, body: Value| world.request("POST", path).json(&body);

    // Job 1: send, answer wrongly, resend, answer; cancel; a malformed number and answer.
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let path = format!("/v1/challenges/{}", text(&challenge["id"]));
    let first = world.code(&number).await;
    made.typed.push(world.wrong(&first));
    world.answer(&challenge, &world.wrong(&first)).await.expect_problem(422, "form_code_incorrect");
    made.typed.push("98765432109".to_owned());
    world.answer(&challenge, "98765432109").await.expect_problem(422, "form_param_invalid");
    let expect = json!({"code": first, "expect": {"to": {"phone": "+14155550"}}});
    post(&format!("{path}/answer"), expect).send().await.expect_problem(422, "form_param_invalid");
    world.here().clock.advance(Duration::from_secs(30));
    world.request("POST", &format!("{path}/resend")).idempotency_key("resend-1").send().await.expect(200);
    let second = world.code(&number).await;
    world.answer(&challenge, &second).await.expect(200);
    made.codes.extend([first, second]);
    made.numbers.push(number);
    let number = world.number();
    let canceled = world.challenge(&number).await;
    made.codes.push(world.code(&number).await);
    made.numbers.push(number);
    post(&format!("/v1/challenges/{}/cancel", text(&canceled["id"])), json!({})).send().await.expect(200);
    made.typed.push("+1 415 555 26711111".to_owned());
    post("/v1/challenges", json!({"to": {"phone": "+1 415 555 26711111"}}))
        .send()
        .await
        .expect_problem(422, "form_param_invalid");

    // Job 2: users, factors, proofs, a number that is refused by the carrier or by country.
    let (user, factor, number) = world.user_with_phone().await;
    made.codes.push(world.code(&number).await);
    let step_up = post("/v1/challenges", json!({"user_id": user, "purpose": "step_up"})).send().await.expect(201);
    let code = world.code(&number).await;
    world.answer(&step_up, &code).await.expect(200);
    made.codes.push(code);
    made.numbers.push(number.clone());
    let second = world.number();
    let body = json!({"type": "phone", "phone": second, "proof": step_up["id"], "name": "Second"});
    let enrolled = post(&format!("/v1/users/{user}/factors"), body).idempotency_key("enrol-1").send().await.expect(201);
    let code = world.code(&second).await;
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": code, "client": {"ip": "203.0.113.7"}});
    let activate = format!("/v1/users/{user}/factors/{}/activate", text(&enrolled["factor"]["id"]));
    post(&activate, body).send().await.expect(200);
    made.codes.push(code);
    let latest = second.clone();
    made.numbers.push(second);
    let british = "+447700900555".to_owned();
    post("/v1/challenges", json!({"to": {"phone": british}})).send().await.expect_problem(422, "country_not_allowed");
    made.numbers.push(british);
    for (number, behaviour) in [
        (world.number(), Behaviour::Answer(400, json!({"code": 21211, "message": "no"}).to_string())),
        (world.number(), Behaviour::Answer(401, json!({"code": 20003, "message": "no"}).to_string())),
        (world.number(), Behaviour::Hang),
        (world.number(), Behaviour::Answer(500, "<html>".to_owned())),
    ] {
        world.carriers.behave_for(&number, behaviour);
        post("/v1/challenges", json!({"to": {"phone": number}})).send().await;
        made.codes.push(world.code(&number).await);
        made.numbers.push(number);
    }

    // A remembered device: its token is in the answer that made it.
    world.here().clock.advance(Duration::from_secs(31));
    let app = json!({"name": "Shop", "mfa": {"remember_device": true}, "origins": ["https://app.example.com"]});
    let shop = post("/v1/apps", app).send().await.expect(201);
    let app = shop["id"].clone();
    made.tokens.push(text(&shop["client_secret"])[3..].to_owned());
    let rotate = format!("/v1/apps/{}/rotate-secret", text(&app));
    let rotated = post(&rotate, json!({})).idempotency_key("rotate").send().await.expect(200);
    made.tokens.push(text(&rotated["client_secret"])[3..].to_owned());
    post(&rotate, json!({})).idempotency_key("rotate").send().await.expect(200);
    world.get(&format!("/v1/apps/{}", text(&app))).await.expect(200);

    // An invitation: its token is in the e-mail alone.
    let address = world.address();
    let invite = json!({"email": address, "url": "https://app.example.com/join"});
    let invited = post("/v1/invitations", invite).send().await;
    if world.carriers.mail.sent_to(&address).is_empty() {
        assert!(invited.status == 201 || invited.json["code"] == "configuration_invalid", "{}", invited.text);
    } else {
        invited.expect(201);
        let text = world.carriers.mail.sent_to(&address)[0].text.clone();
        let token = text.split_once("#invitation=iv_").unwrap().1.split_whitespace().next().unwrap();
        assert_eq!(token.len(), 43);
        made.typed.push(token.to_owned());
    }
    world.get("/v1/invitations").await.expect(200);
    // What is blocked and what is safe is kept without the number and the address.
    for body in [json!({"phone": "+14155550987"}), json!({"ip": "2001:db8:5ec2:7ab1::1"})] {
        let mut entry = json!({"list": "block", "hours": 1});
        entry.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        post("/v1/fraud-entries", entry).idempotency_key(&body.to_string().replace(' ', "")).send().await.expect(201);
    }
    world.get("/v1/fraud-entries").await.expect(200);
    made.typed.extend(["14155550987", "2001:db8:5ec2:7ab1"].map(str::to_owned));
    let first = world.number();
    made.typed.push(first[1..].to_owned());
    let by_latest = json!({"user_id": user, "factor_id": enrolled["factor"]["id"]});
    let challenge = post("/v1/challenges", by_latest).send().await.expect(201);
    let code = world.code(&latest).await;
    let proof = text(&world.answer(&challenge, &code).await.expect(200)["id"]);
    made.codes.push(code);
    let flow = json!({"app_id": app, "proofs": [proof], "external_first_factor": {"type": "phone", "phone": first}});
    let device = post(&format!("/v1/users/{user}/devices"), flow).send().await.expect(201);
    let token = text(&device["token"]);
    let flow = json!({"app_id": app, "device": token, "external_first_factor": {"type": "password"}, "complete": true});
    post(&format!("/v1/users/{user}/mfa-evaluation"), flow).send().await.expect(200);
    world.get(&format!("/v1/users/{user}/devices")).await.expect(200);
    made.tokens.push(token.split_once('.').unwrap().1.to_owned());

    // Keys, guesses, and everything that can be read.
    let scopes = json!({"name": "k", "scopes": ["challenges", "users:read"]});
    let key = post("/v1/api-keys", scopes).send().await.expect(201);
    made.keys.push(text(&key["secret"]));
    world.request("GET", "/v1/users").key(&made.keys[0]).send().await.expect(200);
    world.request("GET", "/v1/messages").key(&made.keys[0]).send().await.expect_problem(403, "scope_missing");
    let guess = format!("{}guess", KEY.replace("live", "test"));
    world.request("GET", "/v1/users").key(&guess).send().await.expect_problem(401, "api_key_invalid");
    made.typed.push(guess);
    let found = format!("/v1/users?phone=%2B{}", &number[1..]);
    for path in [
        "/v1/instance",
        "/v1/users",
        "/v1/messages?limit=100",
        "/v1/audit-events?limit=100",
        "/v1/api-keys",
        "/health",
        "/v1/environment",
        "/openapi.json",
        "/docs",
        "/nowhere",
        &found,
        &path,
        &format!("/v1/users/{user}/factors"),
    ] {
        world.get(path).await;
    }
    world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=lost")).await.expect(204);
    world.delete(&format!("/v1/api-keys/{}", text(&key["api_key"]["id"]))).await.expect(204);
    postern::housekeeping::run(&world.here().app).await.unwrap();
    made
}

/// The deployment's own secrets, in every form that goes over a wire.
fn deployment_secrets() -> Vec<String> {
    let encode = |text: String| {
        use base64::{Engine, engine::general_purpose::STANDARD};
        STANDARD.encode(text)
    };
    let ring = |ring: &str| text(&serde_json::from_str::<Value>(ring).unwrap()["keys"].as_object().unwrap()["k1"]);
    vec![
        KEY.to_owned(),
        vars::TOKEN.to_owned(),
        encode(format!("{}:{}", vars::ACCOUNT, vars::TOKEN)),
        ring(vars::RING),
        ring(&vars::PEPPER.replace("p1", "k1")),
    ]
}

/// What is in the database and goes nowhere else: seeds, MACs, stamps.
fn inner_values(world: &World) -> Vec<String> {
    let rows = world.here().database.query("SELECT seed, code_mac, stamp FROM challenges");
    rows.iter().flat_map(serde_json::Map::values).filter_map(Value::as_str).map(str::to_owned).collect()
}

#[track_caller]
fn search(places: &[(String, String)], needles: &[String], allowed: impl Fn(&str) -> bool) {
    assert!(!needles.is_empty() && !places.is_empty());
    for needle in needles {
        assert!(needle.len() >= 10, "{needle} is found by chance");
        let found: BTreeSet<&str> = places
            .iter()
            .filter(|(place, text)| text.contains(needle.as_str()) && !allowed(place))
            .map(|(place, _)| place.as_str())
            .collect();
        assert!(found.is_empty(), "{needle} is in {found:?}");
    }
}

fn digits(numbers: &[String]) -> Vec<String> {
    numbers.iter().map(|number| number.trim_start_matches('+').to_owned()).collect()
}

fn answers() -> Vec<(String, String)> {
    let whole = |response: crate::support::Response| {
        let headers: String = response.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        ("an answer".to_owned(), format!("{headers}{}", response.text))
    };
    seen().into_iter().map(whole).collect()
}

fn log(world: &World) -> Vec<(String, String)> {
    world.here().log.lines().into_iter().map(|line| ("the log".to_owned(), line)).collect()
}

#[tokio::test]
async fn in_production_nothing_secret_is_answered_logged_or_stored() {
    let world = World::native(&vars::prod_mail("http://127.0.0.1:9"));
    let made = run(&world).await;
    assert_eq!(world.carriers.mail.sent().iter().filter(|mail| mail.text.contains("#invitation=")).count(), 1);
    let (answers, log, stored) = (answers(), log(&world), world.here().database.everything());
    assert!(made.codes.len() >= 8 && answers.len() > 40 && log.len() > 4);
    let nowhere = |_: &str| false;
    // Codes: nowhere at all. They went to the carrier, and to nobody else.
    for places in [&answers, &log, &stored] {
        search(places, &made.codes, nowhere);
        search(places, &made.typed, nowhere);
        search(places, &deployment_secrets(), nowhere);
    }
    // Keys: the answer that made them, once.
    search(&log, &made.keys, nowhere);
    search(&stored, &made.keys, nowhere);
    assert_eq!(answers.iter().filter(|(_, text)| text.contains(&made.keys[0])).count(), 1);
    search(&log, &made.tokens, nowhere);
    search(&stored, &made.tokens, nowhere);
    assert_eq!(made.tokens.len(), 3);
    for token in &made.tokens {
        assert_eq!(answers.iter().filter(|(_, text)| text.contains(token)).count(), 1);
    }
    // Numbers: in four tables, and masked everywhere else.
    let tables = ["users.", "factors.", "challenges.", "messages."];
    search(&answers, &digits(&made.numbers), nowhere);
    search(&log, &digits(&made.numbers), nowhere);
    search(&stored, &digits(&made.numbers), |place| tables.iter().any(|table| place.starts_with(table)));
    assert!(stored.iter().any(|(place, text)| place == "factors.phone" && *text == made.numbers[3]));
    // What codes are made of stays in its rows.
    let inner = inner_values(&world);
    search(&answers, &inner, nowhere);
    search(&log, &inner, nowhere);
    assert_eq!(world.here().database.number("SELECT count(*) FROM dev_inbox"), 0);
    // Texts are not kept.
    search(&stored, &["Tell it to nobody".to_owned()], nowhere);
}

#[tokio::test]
async fn with_development_tools_codes_are_in_the_inbox_and_the_logs_line_alone() {
    let world = World::null();
    let made = run(&world).await;
    let inbox = |place: &str| place.starts_with("dev_inbox.");
    search(&world.here().database.everything(), &made.codes, inbox);
    let log = log(&world);
    let other: Vec<_> =
        log.iter().filter(|(_, line)| !line.contains("dropped, and would have said")).cloned().collect();
    assert!(other.len() < log.len());
    search(&other, &made.codes, |_| false);
    search(&log, &digits(&made.numbers), |_| false);
    let in_inbox = |(_, text): &&(String, String)| !text.contains("\"intended_to\"");
    let elsewhere: Vec<_> = answers().iter().filter(in_inbox).cloned().collect();
    search(&elsewhere, &made.codes, |_| false);
    search(&elsewhere, &digits(&made.numbers), |_| false);
}

#[tokio::test]
async fn the_inbox_is_no_path_without_development_tools_on_a_loopback_host() {
    for world in [World::twilio(), World::on(&World::null().here().redeploy(&without_tools()))] {
        for path in ["/", "/dev/inbox", "/dev/inbox.json"] {
            world.get(path).await.expect_problem(404, "route_not_found");
        }
        world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await.expect(201);
        assert_eq!(world.here().database.number("SELECT count(*) FROM dev_inbox"), 0);
    }
    // The tools are on, and somebody calls by another name.
    let world = World::null();
    for host in ["login.example.com", "localhost.example.com", "10.0.0.1"] {
        let request = |method: &str, path: &str| {
            let builder = http::Request::builder().method(method).uri(format!("http://{host}{path}"));
            builder.header("authorization", format!("Bearer {KEY}")).header("content-type", "application/json")
        };
        let inbox = request("GET", "/dev/inbox.json").body(axum::body::Body::empty()).unwrap();
        assert_eq!(postern::http::serve(world.here().app.clone(), inbox).await.status(), 404, "{host}");
        let body = json!({"to": {"phone": world.number()}}).to_string();
        let create = request("POST", "/v1/challenges").body(axum::body::Body::from(body)).unwrap();
        assert_eq!(postern::http::serve(world.here().app.clone(), create).await.status(), 201, "{host}");
    }
    assert_eq!(world.here().database.number("SELECT count(*) FROM dev_inbox"), 0);
}

fn without_tools() -> vars::Vars {
    let mut all = vars::null();
    all.insert("DEV_TOOLS".to_owned(), json!("off"));
    all
}

#[tokio::test]
async fn a_server_key_is_told_apart_and_told_once() {
    let world = World::null();
    let body = json!({"name": "k", "scopes": ["challenges"]});
    let call = || world.request("POST", "/v1/api-keys").json(&body).idempotency_key("once").send();
    let first = call().await.expect(201);
    let again = call().await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let again = again.expect(201);
    assert_eq!((&again["api_key"]["id"], &again["secret"]), (&first["api_key"]["id"], &Value::Null));
    let secret = text(&first["secret"]);
    assert_eq!(text(&first["api_key"]["hint"]), secret[secret.len() - 4..]);
    let request: Request = world.request("GET", "/v1/users").key(&secret[..secret.len() - 1]);
    request.send().await.expect_problem(401, "api_key_invalid");
}

/// Does not compile once the type has the trait: then two implementations fit.
macro_rules! has_not {
    ($type:ty: $($trait:path),+) => {
        $({
            trait Either<Which> {
                fn has() {}
            }
            impl<T: ?Sized> Either<()> for T {}
            struct Yes;
            impl<T: ?Sized + $trait> Either<Yes> for T {}
            let _ = <$type as Either<_>>::has;
        })+
    };
}

#[test]
fn what_is_secret_does_not_print_itself() {
    has_not!(Code: fmt::Debug, fmt::Display, serde::Serialize);
    has_not!(Secret: fmt::Display, serde::Serialize);
    has_not!(KeyRing: fmt::Display, serde::Serialize);
    has_not!(PhoneNumber: fmt::Display, serde::Serialize);
    has_not!(Outgoing: fmt::Debug);
    has_not!(OutgoingRequest: fmt::Debug);
    has_not!(Param: fmt::Debug);
    has_not!(Config: fmt::Debug);
    has_not!(Password: fmt::Debug, fmt::Display, serde::Serialize);
    has_not!(PasswordHash: fmt::Debug, fmt::Display, serde::Serialize);
    assert_eq!(format!("{:?}", Secret::new("hunter2hunter2".to_owned())), "[secret]");
    let ring: Value = serde_json::from_str(vars::RING).unwrap();
    let ring = KeyRing::parse(&ring.as_object().unwrap().clone().into_iter().collect()).unwrap();
    assert_eq!(format!("{ring:?}"), "[1 keys]");
    let number = PhoneNumber::from_stored("+14155552671").unwrap();
    assert!(!format!("{number:?}").contains("415555"), "{number:?}");
}
