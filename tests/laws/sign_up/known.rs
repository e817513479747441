//! Law 8 in sign-ups: a known address looks like an unknown one, and its owner alone is told.

use std::time::Duration;

use postern::password::work;
use serde_json::{Map, Value, json};

use super::{PASSWORD, answer, half, limits, text};
use crate::support::{
    Response, World,
    page::{Flow, Page},
    passkey, vars,
};

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
    let flow = Flow::of(&page, path, begun);
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
async fn a_test_numbers_code_signs_up_once_and_says_nothing_to_the_next() {
    let world = World::null();
    world.patch("/v1/instance", &json!({"sign_in": {"identifiers": ["phone"]}})).await.expect(200);
    let page = Page::new(&world).await;
    let flow = page.begin("sign-ups", json!({})).await;
    let address = json!({"identifier": world.address()});
    flow.post("identifier", address).await.expect_problem(422, "form_param_invalid");
    for (status, code) in [(200, None), (409, Some("form_identifier_exists"))] {
        let (flow, path) = half(&page, "+15555550142").await;
        flow.post(&path, json!({"code": "000000"})).await.expect_problem(422, "form_code_incorrect");
        let answered = flow.post(&path, json!({"code": "424242"})).await;
        let told = answered.json["code"].as_str().filter(|_| status != 200);
        assert_eq!((answered.status, told), (status, code), "{}", answered.text);
    }
    // The number was proven once, and counts as the second factor that it is.
    let database = &world.here().database;
    assert_eq!(database.number("SELECT count(*) FROM users WHERE phone = '+15555550142' AND phone_verified_at > 0"), 1);
    let kinds = database.query("SELECT type, country FROM factors WHERE activated_at IS NOT NULL ORDER BY type");
    assert_eq!(kinds.iter().map(|row| text(&row["type"])).collect::<Vec<_>>(), ["password", "phone"]);
    let amr = database.query("SELECT amr FROM authorization_codes");
    assert_eq!(text(&amr[0]["amr"]), r#"["pwd","sms","mfa"]"#);
}
