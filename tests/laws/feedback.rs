//! What carriers are told of a code's fate: after the response, once, by whoever decided it; it delays nothing and fails
//! nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Behaviour, Vars, World, at_once, count, vars};

fn verify() -> World {
    World::native(&vars::prod_verify("http://127.0.0.1:9"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What stands at the newest message's tries: each driver and what it was told.
fn told(world: &World) -> Vec<(String, Option<String>)> {
    let rows = world.here().database.query("SELECT driver, feedback FROM message_tries ORDER BY rowid");
    let read = |value: &Value| value.as_str().map(str::to_owned);
    rows.iter().map(|row| (read(&row["driver"]).unwrap(), read(&row["feedback"]))).collect()
}

fn of(driver: &str, feedback: Option<&str>) -> (String, Option<String>) {
    (driver.to_owned(), feedback.map(str::to_owned))
}

#[tokio::test]
async fn twilio_hears_once_that_a_code_was_of_use() {
    let world = World::twilio();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
    assert!(world.carriers.verify.feedback().is_empty(), "a wrong answer is of no use");
    world.answer(&challenge, &code).await.expect(200);
    world.answer(&challenge, &code).await.expect_problem(409, "verification_already_verified");
    let message = world.get(&format!("/v1/messages/{}", text(&challenge["message_id"]))).await.expect(200);
    let sid = text(&message["message"]["provider_id"]).to_owned();
    assert_eq!(world.carriers.verify.feedback(), [(sid, "confirmed".to_owned())]);
    assert_eq!(message["tries"][0]["feedback"], "confirmed");
}

#[tokio::test]
async fn a_hundred_right_answers_tell_once() {
    for (vars, driver, feedback) in [
        (vars::prod_twilio("http://127.0.0.1:9"), "twilio", "confirmed"),
        (vars::prod_verify("http://127.0.0.1:9"), "twilio_verify", "approved"),
    ] {
        let world = World::native(&vars);
        let number = world.number();
        let challenge = world.challenge(&number).await;
        let code = world.code(&number).await;
        let answer = format!("/v1/challenges/{}/answer", text(&challenge["id"]));
        let requests = (0..100).map(|_| world.request("POST", &answer).json(&json!({"code": code}))).collect();
        assert_eq!(count(&at_once(requests).await, 200, ""), 1);
        assert_eq!(told(&world), [of(driver, Some(feedback))]);
        assert!(world.carriers.verify.feedback().len() + world.carriers.verify.of(&number).len() == 1);
    }
}

/// How many batches the answer took, and how many came after it.
async fn batches(world: &World, challenge: &Value, code: &str) -> (u32, u32) {
    let database = &world.here().database;
    let (before, mut answered) = (database.batches(), 0);
    let path = format!("/v1/challenges/{}/answer", text(&challenge["id"]));
    let request = world.request("POST", &path).json(&json!({"code": code}));
    request.observed(|| answered = database.batches()).await.expect(200);
    (answered - before, database.batches() - answered)
}

#[tokio::test]
async fn the_answer_takes_one_round_trip_and_what_is_told_comes_after_it() {
    let one: [(Vars, u32); 4] = [
        (vars::prod_twilio("http://127.0.0.1:9"), 1),
        (vars::prod_verify("http://127.0.0.1:9"), 1),
        (vars::prod_vonage("http://127.0.0.1:9"), 0),
        (vars::null(), 0),
    ];
    for (vars, after) in one {
        let world = World::native(&vars);
        let number = if vars.contains_key("VONAGE_API_KEY") { world.british_number() } else { world.number() };
        let challenge = world.challenge(&number).await;
        let code = world.code(&number).await;
        assert_eq!(batches(&world, &challenge, &code).await, (1, after));
    }
}

#[tokio::test]
async fn test_numbers_and_test_keys_tell_nobody() {
    let world = World::twilio();
    let until = postern::time::Timestamp::from_millis(world.now() + 86_400_000).to_string();
    let test_mode = json!({"test_mode": "enabled", "test_mode_expires_at": until});
    world.patch("/v1/instance", &test_mode).await.expect(200);
    let test_number = "+15555550123";
    let body = json!({"to": {"phone": test_number}});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    assert_eq!(batches(&world, &challenge, "424242").await, (1, 0));
    let world = World::native(&vars::dev_twilio("http://127.0.0.1:9"));
    let key = json!({"name": "t", "scopes": ["challenges"], "test": true});
    let key = world.post("/v1/api-keys", &key).await.expect(201);
    let number = world.number();
    let request = |path: &str, body: Value| world.request("POST", path).key(text(&key["secret"])).json(&body);
    let challenge = request("/v1/challenges", json!({"to": {"phone": number}})).send().await.expect(201);
    let code = json!({"code": world.code(&number).await});
    let before = world.here().database.batches();
    request(&format!("/v1/challenges/{}/answer", text(&challenge["id"])), code).send().await.expect(200);
    assert_eq!(world.here().database.batches() - before, 1);
    assert!(world.carriers.verify.feedback().is_empty());
}

#[tokio::test]
async fn who_does_not_want_to_hear_it_fails_nothing() {
    for vars in [vars::prod_twilio("http://127.0.0.1:9"), vars::prod_verify("http://127.0.0.1:9")] {
        let world = World::native(&vars);
        let driver = if vars.contains_key("TWILIO_VERIFY_SID") { "twilio_verify" } else { "twilio" };
        world.carriers.verify.refuse_reports(Some(500));
        let number = world.number();
        let challenge = world.challenge(&number).await;
        let answered = world.answer(&challenge, &world.code(&number).await).await.expect(200);
        assert_eq!(answered["status"], "verified");
        assert_eq!(told(&world), [of(driver, None)], "what was not taken leaves no mark");
        assert!(world.here().log.lines().iter().any(|line| line.contains("was not told") && line.contains("500")));
    }
}

#[tokio::test]
async fn a_database_that_fails_after_the_answer_fails_nothing() {
    let world = World::twilio();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    world.here().database.fail_after(1, postern::ports::DatabaseError::Unavailable("overloaded".to_owned()));
    world.answer(&challenge, &code).await.expect(200);
    assert!(world.here().database.has_failed() && world.carriers.verify.feedback().is_empty());
}

#[tokio::test]
async fn mails_and_calls_of_messages_are_not_told_of() {
    let world = World::native(&vars::prod_mail("http://127.0.0.1:9"));
    let address = world.address();
    let challenge = world.post("/v1/challenges", &json!({"to": {"email": address}})).await.expect(201);
    let code = world.code(&address).await;
    assert_eq!(batches(&world, &challenge, &code).await, (1, 0));
    world.patch("/v1/instance", &json!({"voice": {"gate": "off"}})).await.expect(200);
    let number = world.number();
    let challenge = world.call(&number).await;
    let code = world.called(&number).heard.code().expect("a code");
    world.answer(&challenge, &code).await.expect(200);
    assert!(world.carriers.verify.feedback().is_empty());
    assert!(told(&world).iter().all(|(_, feedback)| feedback.is_none()));
}

#[tokio::test]
async fn verify_hears_that_a_code_was_given_back() {
    let world = verify();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let verification = world.carriers.verify.of(&number).remove(0);
    assert_eq!((verification.sends.len(), verification.status.as_str()), (1, "pending"));
    world.answer(&challenge, &verification.sends[0].0).await.expect(200);
    assert_eq!(world.carriers.verify.of(&number)[0].status, "approved");
    let message = world.get(&format!("/v1/messages/{}", text(&challenge["message_id"]))).await.expect(200);
    assert_eq!(message["tries"][0]["feedback"], "approved");
    assert_eq!(message["message"]["provider_id"], json!(verification.sid));
}

#[tokio::test]
async fn verify_hears_that_a_challenge_was_canceled() {
    let world = verify();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let cancel = format!("/v1/challenges/{}/cancel", text(&challenge["id"]));
    let requests = (0..20).map(|_| world.request("POST", &cancel)).collect();
    assert_eq!(count(&at_once(requests).await, 200, ""), 20);
    assert_eq!(world.carriers.verify.of(&number)[0].status, "canceled");
    assert_eq!(told(&world), [of("twilio_verify", Some("canceled"))]);
    assert!(!world.here().log.lines().iter().any(|line| line.contains("was not told")), "one told it");
    // Messages have no such report.
    let world = World::twilio();
    let challenge = world.challenge(&world.number()).await;
    world.post(&format!("/v1/challenges/{}/cancel", text(&challenge["id"])), &json!({})).await.expect(200);
    assert_eq!(told(&world), [of("twilio", None)]);
}

#[tokio::test]
async fn another_code_of_the_same_verification_does_not_cancel_it() {
    let world = verify();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    world.here().clock.advance(Duration::from_secs(31));
    world
        .post(&format!("/v1/challenges/{}/resend", text(&challenge["id"])), &json!({"channel": "voice"}))
        .await
        .expect(200);
    let verifications = world.carriers.verify.of(&number);
    assert_eq!((verifications.len(), verifications[0].status.as_str()), (1, "pending"));
    let channels: Vec<_> = verifications[0].sends.iter().map(|(_, channel, _)| channel.as_str()).collect();
    assert_eq!(channels, ["sms", "call"]);
    world.answer(&challenge, &verifications[0].sends[1].0).await.expect(200);
    assert_eq!(world.carriers.verify.of(&number)[0].status, "approved");
    assert_eq!(told(&world), [of("twilio_verify", None), of("twilio_verify", Some("approved"))]);
}

#[tokio::test]
async fn a_code_that_is_replaced_by_none_of_the_same_verification_is_canceled() {
    let world = verify();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    world.here().clock.advance(Duration::from_secs(31));
    let resend = format!("/v1/challenges/{}/resend", text(&challenge["id"]));
    // It may have gone out, and of the same verification.
    world.carriers.behave_for(&number, Behaviour::Hang);
    world.post(&resend, &json!({})).await.expect(200);
    assert_eq!(told(&world), [of("twilio_verify", None), of("twilio_verify", None)]);
    world.here().clock.advance(Duration::from_secs(61));
    world.carriers.behave_for(&number, Behaviour::Answer(429, json!({"code": 20429}).to_string()));
    world.post(&resend, &json!({})).await.expect_problem(502, "message_failed");
    assert_eq!(world.carriers.verify.of(&number)[0].status, "canceled");
    assert_eq!(told(&world)[0], of("twilio_verify", Some("canceled")));
}

#[tokio::test]
async fn verify_is_told_what_it_can_send() {
    let world = verify();
    let number = world.number();
    world.carriers.behave_for(&number, Behaviour::Answer(403, json!({"code": 60204}).to_string()));
    let problem = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
    let problem = problem.expect_problem(502, "message_driver_misconfigured");
    assert!(text(&problem["detail"]).contains("custom codes"), "{problem}");
    // Of a landline the call is offered.
    let number = world.number();
    world.carriers.behave_for(&number, Behaviour::Answer(403, json!({"code": 60205}).to_string()));
    let problem = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
    let problem = problem.expect_problem(422, "message_recipient_refused");
    assert!(problem.to_string().contains("voice"), "{problem}");
}

#[tokio::test]
async fn six_sign_ins_in_ten_minutes_are_not_too_many_for_verify() {
    let mut all = vars::prod_verify("http://127.0.0.1:9");
    all.insert("SMS_MFA_MESSAGE_THRESHOLD".to_owned(), json!("9"));
    let world = World::native(&all);
    let number = world.number();
    for _ in 0..6 {
        let challenge = world.challenge(&number).await;
        world.answer(&challenge, &world.code(&number).await).await.expect(200);
    }
    // Codes that nobody gives back are of one verification, and it has an end.
    for _ in 0..3 {
        world.challenge(&number).await;
    }
    let verifications = world.carriers.verify.of(&number);
    assert_eq!((verifications.len(), verifications[6].sends.len()), (7, 3));
}

/// A server with Twilio and Verify, which asks these in this order.
fn routed(drivers: &[&str]) -> World {
    let world = verify();
    let settings = json!({"sms": {"routes": [{"countries": ["*"], "drivers": drivers}]}});
    let sql = format!("UPDATE instance SET settings = json_patch(settings, '{settings}'), version = version + 1");
    world.here().database.execute(&sql);
    world
}

#[tokio::test]
async fn of_several_drivers_the_one_that_took_it_hears() {
    // What Verify did not take goes to Twilio's Messages.
    let world = routed(&["twilio_verify", "twilio"]);
    let other = world.number();
    world.carriers.verify.begin_elsewhere(&other, 5);
    let challenge = world.challenge(&other).await;
    assert_eq!(world.carriers.sent_to(&other)[0].carrier, "twilio", "Verify has sent five codes");
    world.answer(&challenge, &world.code(&other).await).await.expect(200);
    assert_eq!(told(&world), [of("twilio_verify", None), of("twilio", Some("confirmed"))]);
    assert_eq!(world.carriers.verify.of(&other)[0].status, "pending");
}

/// A message whose second driver took it too: the tries as a fallback leaves them.
async fn taken_twice(reported: &str) -> Vec<(String, Option<String>)> {
    let world = routed(&["twilio", "vonage"]);
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let sql = format!(
        "INSERT INTO message_tries (id, message_id, driver, outcome, provider_id, created_at)
           SELECT 'try_02', id, 'vonage', 'accepted', 'M1', created_at FROM messages;
         UPDATE message_tries SET reported = {reported}, reported_at = created_at WHERE driver = 'twilio';"
    );
    world.here().database.execute(&sql);
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    told(&world)
}

#[tokio::test]
async fn messages_hear_of_what_arrived_or_of_what_was_sent_last() {
    for (reported, feedback) in
        [("NULL", None), ("'sent'", None), ("'delivered'", Some("confirmed")), ("'failed'", None)]
    {
        assert_eq!(taken_twice(reported).await, [of("twilio", feedback), of("vonage", None)], "{reported}");
    }
    let world = World::twilio();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    world.here().database.execute("UPDATE message_tries SET reported = 'failed'");
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    assert_eq!(told(&world), [of("twilio", None)], "Twilio says that it did not arrive");
    let challenge = world.challenge(&number).await;
    world.here().database.execute("UPDATE message_tries SET feedback = 'confirmed'");
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    assert!(world.carriers.verify.feedback().is_empty(), "what was claimed is told by who claimed it");
}

#[tokio::test]
async fn another_code_by_another_driver_cancels_the_verification() {
    let world = routed(&["twilio_verify", "twilio"]);
    let number = world.number();
    let challenge = world.challenge(&number).await;
    world.here().clock.advance(Duration::from_secs(31));
    world.here().database.execute(
        "UPDATE instance SET version = version + 1,
           settings = json_patch(settings, '{\"sms\": {\"routes\": [{\"countries\": [\"*\"], \"drivers\": [\"twilio\", \"twilio_verify\"]}]}}')",
    );
    world.post(&format!("/v1/challenges/{}/resend", text(&challenge["id"])), &json!({})).await.expect(200);
    assert_eq!(world.carriers.verify.of(&number)[0].status, "canceled");
    assert_eq!(told(&world), [of("twilio_verify", Some("canceled")), of("twilio", None)]);
    world.here().clock.advance(Duration::from_secs(61));
    world.post(&format!("/v1/challenges/{}/resend", text(&challenge["id"])), &json!({})).await.expect(200);
    assert!(!world.here().log.lines().iter().any(|line| line.contains("was not told")), "it is told once");
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    let confirmed = of("twilio", Some("confirmed"));
    assert_eq!(told(&world), [of("twilio_verify", Some("canceled")), of("twilio", None), confirmed]);
}

#[tokio::test]
async fn verify_is_not_asked_for_what_has_no_code() {
    for (drivers, carrier) in [(vec!["twilio_verify", "twilio"], Some("twilio")), (vec!["twilio_verify"], None)] {
        let world = routed(&drivers);
        let (user, _, number) = world.user_with_phone().await;
        let second = world.number();
        let body = json!({"type": "phone", "phone": second, "override": {"reason": "x"}});
        world.enrol(&user, &body, &second).await;
        let database = &world.here().database;
        let notices = database.query(
            "SELECT m.destination, m.status, t.driver FROM messages m JOIN message_tries t ON t.message_id = m.id
             WHERE m.template = 'security_notice'",
        );
        let reasons = database.query("SELECT reason FROM audit_events WHERE type = 'notice.not_sent' ORDER BY rowid");
        match carrier {
            Some(carrier) => {
                assert_eq!(notices.len(), 1, "{notices:?}");
                assert_eq!((&notices[0]["driver"], &notices[0]["status"]), (&json!(carrier), &json!("sent")));
                assert_eq!(notices[0]["destination"], json!(number));
            }
            None => assert_eq!((notices.len(), &reasons[1]["reason"]), (0, &json!("sms.routes"))),
        }
        let codes = world.carriers.sent_to(&second);
        assert!(codes.iter().all(|sent| sent.carrier == "twilio_verify"), "codes go through it");
    }
}
