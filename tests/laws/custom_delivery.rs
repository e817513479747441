//! The driver `webhook`: the customer's own endpoint is told what a Send Phone Message hook is told, signed, and once;
//! what is worth it is asked once more at once, within the time of the try.

use std::time::Duration;

use postern::ports::DatabaseError;
use serde_json::{Value, json};

use crate::support::{
    Behaviour, World, at_once, count,
    hook::{Asked, Then},
    vars,
};

fn hook() -> World {
    World::native(&vars::prod_hook("http://127.0.0.1:9"))
}

fn answers(status: u16) -> Then {
    Then::Do(Behaviour::Answer(status, "{}".to_owned()))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What the endpoint was asked last for a number.
fn last(world: &World, number: &str) -> Asked {
    world.carriers.hook.asked(number).pop().unwrap_or_else(|| panic!("nobody asked for {number}"))
}

/// The newest message, with its tries.
async fn newest(world: &World) -> Value {
    let list = world.get("/v1/messages?limit=1").await.expect(200);
    world.get(&format!("/v1/messages/{}", text(&list["data"][0]["id"]))).await.expect(200)
}

#[tokio::test]
async fn whoever_is_not_known_is_a_first_factor_without_a_user() {
    let world = hook();
    let number = world.number();
    let client = json!({"ip": "203.0.113.7", "user_agent": "Example/1.0"});
    let challenge = world.post("/v1/challenges", &json!({"to": {"phone": number}, "client": client})).await.expect(201);
    let asked = last(&world, &number);
    let code = asked.context["code"].clone();
    assert_eq!(
        asked.context,
        json!({"factor_type": "first", "message_type": "sms", "action": "authentication", "language": "en", "code": code,
            "ip": "203.0.113.7", "user_agent": "Example/1.0", "client_id": null, "name": null, "client_metadata": null,
            "user": null})
    );
    assert_eq!((asked.kind.as_str(), asked.id.as_str()), ("sms.send", text(&challenge["message_id"])));
    assert!(asked.text.starts_with(text(&code)) && asked.text.contains("Example"), "{}", asked.text);
    world.answer(&challenge, text(&code)).await.expect(200);
    let message = newest(&world).await;
    assert_eq!(
        json!([message["message"]["status"], message["message"]["driver"], message["message"]["provider_id"]]),
        json!(["sent", "webhook", "hook-0"])
    );
}

#[tokio::test]
async fn the_endpoint_is_told_of_the_app_and_the_user() {
    let world = hook();
    let app = world.post("/v1/apps", &json!({"name": "Shop", "type": "web"})).await.expect(201)["id"].clone();
    let metadata = r#"{"plan":"gold"}"#;
    world.here().database.execute(&format!("UPDATE apps SET metadata = '{metadata}' WHERE id = '{}'", text(&app)));
    let user =
        json!({"name": "Ana Beispiel", "email": "ana@example.com", "external_id": "u-1", "metadata": {"plan": "gold"}});
    let user = world.post("/v1/users", &user).await.expect(201)["id"].clone();
    let number = world.number();
    world.enrol(text(&user), &json!({"type": "phone", "phone": number}), &number).await;
    let enrolled = last(&world, &number).context;
    assert_eq!(json!([enrolled["action"], enrolled["factor_type"]]), json!(["enrollment", "second"]));

    let body = json!({"user_id": user, "app_id": app, "purpose": "sign_in", "channel": "voice"});
    world.post("/v1/challenges", &body).await.expect(201);
    let asked = last(&world, &number);
    assert_eq!(
        asked.context,
        json!({"factor_type": "second", "message_type": "voice", "action": "authentication", "language": "en-US",
            "code": asked.context["code"], "ip": null, "user_agent": null, "client_id": app, "name": "Shop",
            "client_metadata": {"plan": "gold"},
            "user": {"user_id": user, "name": "Ana Beispiel", "email": "ana@example.com", "phone": null,
                "metadata": {"plan": "gold"}, "external_id": "u-1"}})
    );
    assert_eq!(asked.kind, "voice.send");
    // Whoever makes the call waits for a key, or does not: ours are not spoken of.
    let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let digits = text(&asked.context["code"]).bytes().map(|digit| words[usize::from(digit - b'0')]);
    let spoken = digits.collect::<Vec<_>>().join(" ");
    assert_eq!(asked.text.matches(&spoken).count(), 2, "{}", asked.text);
    assert!(!asked.text.contains("press"), "{}", asked.text);
}

#[tokio::test]
async fn what_is_worth_it_is_asked_once_more_with_the_same_id() {
    let accepted = Then::Do(Behaviour::Accept);
    for first in [answers(429), answers(502), answers(503), answers(504), answers(521), Then::Do(Behaviour::Drop)] {
        let world = hook();
        let number = world.number();
        world.carriers.hook.script(&number, [first, accepted.clone()]);
        let challenge = world.challenge(&number).await;
        let asked = world.carriers.hook.asked(&number);
        assert_eq!(asked.len(), 2);
        assert_eq!((&asked[0].id, &asked[0].raw), (&asked[1].id, &asked[1].raw), "it is the same to the byte");
        let message = newest(&world).await;
        assert_eq!(message["message"]["status"], "sent");
        assert_eq!(message["tries"].as_array().unwrap().len(), 1, "it is one try");
        world.answer(&challenge, text(&asked[1].context["code"])).await.expect(200);
    }
}

#[tokio::test]
async fn each_answer_is_an_outcome_and_most_are_asked_once() {
    let hang = || Then::Do(Behaviour::Hang);
    for (script, times, status, outcome, code) in [
        (vec![answers(422)], 1, 422, "recipient_refused", "message_recipient_refused"),
        (vec![answers(400)], 1, 502, "misconfigured", "message_driver_misconfigured"),
        (vec![answers(401)], 1, 502, "misconfigured", "message_driver_misconfigured"),
        (vec![answers(302)], 1, 502, "misconfigured", "message_driver_misconfigured"),
        (vec![answers(429), answers(429)], 2, 502, "retryable", "message_failed"),
        (vec![answers(521), answers(521)], 2, 502, "retryable", "message_failed"),
        (vec![answers(429), answers(422)], 2, 422, "recipient_refused", "message_recipient_refused"),
        (vec![answers(500)], 1, 201, "unknown", ""),
        (vec![answers(503), answers(503)], 2, 201, "unknown", ""),
        (vec![answers(503), answers(422)], 2, 201, "unknown", ""),
        (vec![Then::Do(Behaviour::Drop), answers(401)], 2, 201, "unknown", ""),
        (vec![hang()], 1, 201, "unknown", ""),
        (vec![answers(503), hang()], 2, 201, "unknown", ""),
    ] {
        let world = hook();
        let number = world.number();
        world.carriers.hook.script(&number, script);
        let response = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
        assert_eq!((response.status, response.json["code"].as_str().unwrap_or_default()), (status, code), "{outcome}");
        assert_eq!(world.carriers.hook.asked(&number).len(), times, "{outcome}");
        let message = newest(&world).await;
        assert_eq!(message["tries"][0]["outcome"], outcome);
        let code = last(&world, &number).context["code"].clone();
        // What may have gone out can be answered; what did not cannot.
        let challenge = json!({"id": message["message"]["challenge_id"]});
        let answered = world.answer(&challenge, text(&code)).await;
        assert_eq!(answered.status, if outcome == "unknown" { 200 } else { 422 }, "{outcome}");
    }
}

#[tokio::test]
async fn asking_once_more_takes_no_longer_than_one_try() {
    let late = |millis, status| Then::Late(Duration::from_millis(millis), status);
    let hang = Then::Do(Behaviour::Hang);
    for (script, times, latency) in [
        (vec![late(2000, 503), hang.clone()], 2, 4000),
        (vec![late(3500, 503), hang], 2, 4000),
        (vec![late(3501, 503)], 1, 3501),
        (vec![late(3999, 503)], 1, 3999),
        (vec![late(4000, 503)], 1, 4000),
    ] {
        let world = hook();
        let number = world.number();
        world.carriers.hook.script(&number, script);
        world.challenge(&number).await;
        assert_eq!(world.carriers.hook.asked(&number).len(), times);
        assert_eq!(newest(&world).await["tries"][0]["latency_ms"], latency);
    }
}

#[tokio::test]
async fn outside_prod_the_endpoint_hears_of_the_receiver_alone() {
    let world = World::native(&vars::dev_hook("http://127.0.0.1:9"));
    let user = world.post("/v1/users", &json!({"email": "ana@example.com"})).await.expect(201)["id"].clone();
    let number = world.number();
    world.enrol(text(&user), &json!({"type": "phone", "phone": number}), &number).await;
    world.here().database.execute(&format!("UPDATE users SET phone = '{number}'"));
    let body = json!({"user_id": user});
    world.post("/v1/challenges", &body).await.expect(201);
    world.post("/v1/challenges", &json!({"user_id": user, "channel": "voice"})).await.expect(201);
    assert!(world.carriers.hook.asked(&number).is_empty());
    let asked = world.carriers.hook.asked(vars::RECEIVER);
    assert_eq!(asked.len(), 3);
    for asked in asked {
        assert!(!asked.raw.contains(&number[1..]), "{}", asked.raw);
        assert!(!asked.raw.contains("ana@example.com"), "{}", asked.raw);
        assert_eq!(asked.context["user"]["user_id"], user);
    }
}

#[tokio::test]
async fn in_prod_the_endpoint_hears_the_number_that_the_user_signs_in_with() {
    let world = hook();
    let (user, _, number) = world.user_with_phone().await;
    world.here().database.execute(&format!("UPDATE users SET phone = '{number}' WHERE id = '{user}'"));
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    assert_eq!(last(&world, &number).context["user"]["phone"], json!(number));
}

#[tokio::test]
async fn the_kill_switch_and_test_keys_keep_the_endpoint_from_hearing() {
    let world = hook();
    let number = world.number();
    let key =
        world.post("/v1/api-keys", &json!({"name": "t", "scopes": ["challenges"], "test": true})).await.expect(201);
    let request = world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}));
    request.key(text(&key["secret"])).send().await.expect(201);
    assert_eq!(newest_reason(&world), "test_key");
    world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
    world.post("/v1/challenges", &json!({"to": {"phone": number}})).await.expect_problem(503, "sms_disabled");
    assert!(world.carriers.hook.asked(&number).is_empty());
}

fn newest_reason(world: &World) -> String {
    let rows = world.here().database.query("SELECT reason FROM messages ORDER BY id DESC LIMIT 1");
    rows[0]["reason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_it_is_told_takes_one_round_trip_and_no_other_driver_has_it() {
    let world = World::native(&vars::dev_hook("http://127.0.0.1:9"));
    world.get("/v1/instance").await.expect(200);
    let challenge = world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
    assert_eq!((challenge.status, challenge.round_trips()), (201, 3), "one decides, one reads, one records");
    let twilio = World::native(&vars::dev_twilio("http://127.0.0.1:9"));
    twilio.get("/v1/instance").await.expect(200);
    let challenge = twilio.post("/v1/challenges", &json!({"to": {"phone": twilio.number()}})).await;
    assert_eq!((challenge.status, challenge.round_trips()), (201, 2));
}

#[tokio::test]
async fn where_it_cannot_be_read_nothing_goes_out() {
    let world = hook();
    world.get("/v1/instance").await.expect(200);
    let number = world.number();
    world.here().database.fail_after(1, DatabaseError::Unavailable("overloaded".to_owned()));
    let body = json!({"to": {"phone": number}});
    world.post("/v1/challenges", &body).await.expect_problem(502, "message_failed");
    assert!(world.here().database.has_failed() && world.carriers.hook.asked(&number).is_empty());
    assert_eq!(newest(&world).await["tries"][0]["error_code"], "not_read");
}

#[tokio::test]
async fn two_hundred_at_once_are_each_handed_over_once() {
    let world = hook().unguarded();
    let numbers: Vec<String> = (0..200).map(|_| world.number()).collect();
    let requests =
        numbers.iter().map(|number| world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}})));
    assert_eq!(count(&at_once(requests.collect()).await, 201, ""), 200);
    for number in &numbers {
        assert_eq!(world.carriers.hook.asked(number).len(), 1);
    }
}

#[tokio::test]
async fn what_the_endpoint_was_told_stands_nowhere() {
    let world = hook();
    world.patch("/v1/instance", &json!({"codes": {"length": 10}})).await.expect(200);
    let (user, _, number) = world.user_with_phone().await;
    world.carriers.hook.script(&number, [answers(401), answers(200), answers(200)]);
    let challenge =
        |channel: &str| world.request("POST", "/v1/challenges").json(&json!({"user_id": user, "channel": channel}));
    challenge("sms").send().await.expect_problem(502, "message_driver_misconfigured");
    challenge("sms").send().await.expect(201);
    challenge("voice").send().await.expect(201);
    let asked = world.carriers.hook.asked(&number);
    assert_eq!(asked.len(), 4);
    for asked in asked {
        let code = text(&asked.context["code"]);
        assert_eq!(code.len(), 10);
        for (place, stored) in world.here().database.everything() {
            assert!(!stored.contains(code) && !stored.contains(vars::WEBHOOK_SECRET), "{place}");
        }
        for line in world.here().log.lines() {
            assert!(!line.contains(code) && !line.contains(&number[1..]) && !line.contains("whsec_"), "{line}");
        }
    }
}
