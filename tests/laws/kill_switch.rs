//! The kill switch by channel and country: nothing goes there any more, at once and exactly, from no isolate and from none of
//! those who send; what is refused is not counted, and everybody else is served as before.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Request, World,
    embedded::{Form, SIGN_UP},
    receipts::store,
    vars,
};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// In production, with messages to three countries.
async fn world() -> World {
    let world = World::native(&vars::prod_mail("http://127.0.0.1:9"));
    let list = json!({"allowed": ["US", "CA", "GB"]});
    world.patch("/v1/instance", &json!({"countries": {"sms": list, "voice": list}})).await.expect(200);
    world
}

async fn stop(world: &World, channel: &str, countries: &[&str]) {
    world.patch("/v1/instance", &json!({"countries": {channel: {"stopped": countries}}})).await.expect(200);
}

/// Nothing is other than before, and the setting is named.
async fn refused(world: &World, request: Request, setting: &str) {
    let before = world.here().database.everything();
    let problem = request.send().await.expect_problem(422, "country_not_allowed");
    assert_eq!(problem["detail"], format!("GB is in the setting {setting}"));
    assert_eq!(world.here().database.everything(), before, "a refusal counts nothing");
}

#[tokio::test]
async fn nobody_sends_to_a_stopped_country_and_everybody_to_the_others() {
    for (channel, setting) in [("sms", "countries.sms.stopped"), ("voice", "countries.voice.stopped")] {
        let world = world().await;
        let other = World::on(&world.here().isolate());
        let (user, _, _) = world.user_with_phone().await;
        let (number, here) = (world.british_number(), world.number());
        let enrol = |number: &str| {
            let body = json!({"type": "phone", "phone": number, "channel": channel, "override": {"reason": "test"}});
            world.request("POST", &format!("/v1/users/{user}/factors")).json(&body)
        };
        let create = |world: &World, number: &str| {
            let body = json!({"to": {"phone": number}, "channel": channel});
            world.request("POST", "/v1/challenges").json(&body)
        };
        let sent = || (world.carriers.sent().len(), world.carriers.calls().len());
        let challenge = create(&other, &number).send().await.expect(201);
        world.here().clock.advance(Duration::from_secs(30));
        stop(&world, channel, &["gb"]).await;
        let before = sent();
        for world in [&world, &other] {
            refused(world, create(world, &number), setting).await;
            let resend = format!("/v1/challenges/{}/resend", text(&challenge["id"]));
            refused(world, world.request("POST", &resend).json(&json!({"channel": channel})), setting).await;
        }
        refused(&world, enrol(&number), setting).await;
        if channel == "sms" {
            let test = json!({"to": {"phone": number}});
            refused(&world, world.request("POST", "/v1/messages/test").json(&test), setting).await;
        }
        assert_eq!(sent(), before);
        // Other countries, and the other channel.
        create(&world, &here).send().await.expect(201);
        let way = if channel == "sms" { "voice" } else { "sms" };
        let body = json!({"to": {"phone": number}, "channel": way});
        world.post("/v1/challenges", &body).await.expect(201);
        // What is out may be answered, and the way is open again at once.
        stop(&other, channel, &[]).await;
        create(&world, &number).send().await.expect(201);
    }
}

#[tokio::test]
async fn a_page_learns_that_nothing_goes_there_and_not_why() {
    let world = World::null();
    let settings = json!({"sign_in": {"identifiers": ["phone"]}, "countries": {"sms": {"stopped": ["US"]}}});
    world.patch("/v1/instance", &settings).await.expect(200);
    let form = Form::new(&world, json!({})).await;
    let flow = form.begin(&world, SIGN_UP, json!({})).await;
    let path = format!("{}/identifier", flow.path);
    let body = json!({"identifier": world.number()});
    let answer = form.call(&world, "POST", &path, &flow.token).json(&body).send().await;
    assert!(!answer.text.contains("countries") && !answer.text.contains("stopped"), "{}", answer.text);
    answer.expect_problem(422, "message_refused");
}

#[tokio::test]
async fn a_notice_to_a_stopped_country_is_not_sent_and_says_why() {
    let world = world().await;
    let user = text(&world.post("/v1/users", &json!({})).await.expect(201)["id"]);
    let number = world.british_number();
    let factor = world.enrol(&user, &json!({"type": "phone", "phone": number}), &number).await;
    stop(&world, "sms", &["GB"]).await;
    let before = world.carriers.sent().len();
    world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=x")).await.expect(204);
    let reasons =
        world.here().database.query("SELECT reason FROM audit_events WHERE type = 'notice.not_sent' ORDER BY rowid");
    // Of the enrolment nobody could be told: it was the first.
    let reasons: Vec<_> = reasons.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["no_destination", "country_stopped"]);
    assert_eq!(world.carriers.sent().len(), before);
}

#[tokio::test]
async fn a_call_is_not_offered_where_calls_are_stopped() {
    let world = world().await;
    let (landline, body) = ("+442079460018", json!({"to": {"phone": "+442079460018"}}));
    let offered = world.post("/v1/challenges", &body).await.expect_problem(422, "message_recipient_refused");
    assert_eq!(offered["channels"], json!(["voice"]));
    stop(&world, "voice", &["GB"]).await;
    // Where nobody may call, the carrier decides about SMS.
    world.post("/v1/challenges", &body).await.expect(201);
    assert_eq!(world.carriers.sent_to(landline).len(), 1);
}

#[tokio::test]
async fn what_is_stored_and_not_understood_stops() {
    for wrong in [json!("GB"), json!(["Great Britain"]), json!([1]), json!(true)] {
        let world = world().await;
        store(&world, "countries.sms.stopped", &wrong);
        let body = json!({"to": {"phone": world.british_number()}});
        world.post("/v1/challenges", &body).await.expect_problem(422, "country_not_allowed");
    }
    let world = world().await;
    for bad in [json!(["XX"]), json!(["GB", "*"]), json!("GB"), json!([""])] {
        let answer = world.patch("/v1/instance", &json!({"countries": {"voice": {"stopped": bad}}})).await;
        assert!(answer.fields()[0].0.starts_with("countries.voice.stopped"), "{}", answer.text);
    }
    let shown = world.patch("/v1/instance", &json!({"countries": {"sms": {"stopped": ["*"]}}})).await.expect(200);
    assert_eq!(shown["settings"]["countries"]["sms"]["stopped"], json!(["*"]));
    let body = json!({"to": {"phone": world.number()}});
    world.post("/v1/challenges", &body).await.expect_problem(422, "country_not_allowed");
}
