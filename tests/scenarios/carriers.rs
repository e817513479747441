//! Carriers: what they get, and what is told when they refuse, hang, drop or babble.

use serde_json::{Value, json};

use crate::support::{Behaviour, World, receipts, vars};

pub async fn twilio_gets_what_it_wants(world: World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let sent = world.carriers.sent_to(&number);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].from, vars::SENDER);
    let code = sent[0].code();
    assert_eq!(
        sent[0].body,
        format!("{code} is your Example code. It works for 5 min. Tell it to nobody.\n\n@login.example.com #{code}")
    );
    assert_eq!(sent[0].field("ValidityPeriod"), Some("300"));
    let id = challenge["message_id"].as_str().unwrap();
    assert_eq!(
        sent[0].field("StatusCallback"),
        Some(format!("https://login.example.com/v1/callbacks/twilio/{id}").as_str())
    );
    let message = world.get(&format!("/v1/messages/{id}")).await.expect(200);
    assert_eq!(message["message"]["status"], "sent");
    assert_eq!(message["tries"][0]["outcome"], "accepted");
    assert!(message["message"]["provider_id"].as_str().unwrap().starts_with("SM"));
    world.answer(&challenge, &code).await.expect(200);
}

/// Sends under a behaviour; gives the problem, and makes sure that nothing lives.
async fn refused(world: &World, number: String, behaviour: Behaviour, status: u16, code: &str) -> Value {
    world.carriers.behave_for(&number, behaviour);
    let body = json!({"to": {"phone": number}});
    let problem = world.post("/v1/challenges", &body).await.expect_problem(status, code);
    let id = problem["message_id"].as_str().unwrap();
    let message = world.get(&format!("/v1/messages/{id}")).await.expect(200);
    assert_eq!(message["message"]["status"], "failed");
    let challenge = world
        .get(&format!("/v1/challenges/{}", message["message"]["challenge_id"].as_str().unwrap()))
        .await
        .expect(200);
    assert_eq!(challenge["status"], "failed");
    let code = world.carriers.sent_to(&number).pop().unwrap().code();
    world.answer(&challenge, &code).await.expect_problem(422, "verification_failed");
    problem
}

pub async fn twilios_errors_are_told_with_their_remedy(world: World) {
    let cases = [
        (400, 21211, 422, "message_recipient_refused", "not a phone number"),
        (400, 21610, 422, "message_recipient_refused", "START"),
        (400, 21608, 502, "message_driver_misconfigured", "trial"),
        (400, 30034, 502, "message_driver_misconfigured", "A2P"),
        (400, 21408, 502, "message_driver_misconfigured", "Geo permissions"),
        (401, 20003, 502, "message_driver_misconfigured", "TWILIO_AUTH_TOKEN"),
        (400, 30450, 422, "message_blocked", "fraud"),
        (429, 20429, 502, "message_failed", "requests a second"),
    ];
    for (status, error, told, code, remedy) in cases {
        let answer = Behaviour::Answer(status, json!({"code": error, "message": "no", "status": status}).to_string());
        let problem = refused(&world, world.number(), answer, told, code).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(remedy) && detail.contains(&error.to_string()), "{detail}");
    }
}

pub async fn a_silent_carrier_leaves_the_message_unknown_and_the_code_alive(world: World) {
    let behaviours = [
        Behaviour::Hang,
        Behaviour::Drop,
        Behaviour::NotHttp,
        Behaviour::Answer(500, "{}".to_owned()),
        Behaviour::Answer(201, "garbage".to_owned()),
    ];
    for behaviour in behaviours {
        let number = world.number();
        world.carriers.behave_for(&number, behaviour.clone());
        let challenge = world.challenge(&number).await;
        let sent = world.carriers.sent_to(&number);
        assert_eq!(sent.len(), 1, "{behaviour:?}: a try that may have gone out is not repeated");
        let id = challenge["message_id"].as_str().unwrap();
        let message = world.get(&format!("/v1/messages/{id}")).await.expect(200);
        assert_eq!(message["message"]["status"], "unknown", "{behaviour:?}");
        assert_eq!(message["tries"][0]["outcome"], "unknown");
        let (why, waited) = (&message["tries"][0]["error_code"], message["tries"][0]["latency_ms"].as_i64().unwrap());
        match behaviour {
            Behaviour::Hang => assert!(*why == "timeout" && (4000..6000).contains(&waited), "{why} {waited}"),
            Behaviour::Drop | Behaviour::NotHttp => assert_eq!(*why, "connection_lost"),
            _ => {}
        }
        world.answer(&challenge, &sent[0].code()).await.expect(200);
    }
}

pub async fn a_failed_enrolment_leaves_nothing(world: World) {
    let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let factors = format!("/v1/users/{user}/factors");
    let number = world.number();
    world.carriers.behave_for(&number, Behaviour::Answer(400, json!({"code": 21211}).to_string()));
    let body = json!({"type": "phone", "phone": number});
    world.post(&factors, &body).await.expect_problem(422, "message_recipient_refused");
    assert_eq!(world.get(&factors).await.expect(200)["data"], json!([]));
    world.carriers.behave_for(&number, Behaviour::Accept);
    world.post(&factors, &body).await.expect(201);
}

pub async fn vonage_gets_what_it_wants(world: World) {
    let number = world.british_number();
    let challenge = world.challenge(&number).await;
    let sent = world.carriers.sent_to(&number);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].from, vars::VONAGE_SENDER.trim_start_matches('+'));
    assert_eq!(sent[0].field("ttl"), Some("300000"));
    world.answer(&challenge, &sent[0].code()).await.expect(200);
}

pub async fn twilios_receipts_settle_their_message(world: World) {
    let challenge = world.challenge(&world.number()).await;
    let id = challenge["message_id"].as_str().unwrap();
    let sid = receipts::read(&world, id).await["message"]["provider_id"].as_str().unwrap().to_owned();
    receipts::twilio(&world, id, "SMffffffffffffffffffffffffffffffff", "delivered").send().await.expect(204);
    for state in ["sent", "sent", "delivered", "sent", "undelivered"] {
        receipts::twilio(&world, id, &sid, state).send().await.expect(204);
    }
    let read = receipts::read(&world, id).await;
    assert_eq!((&read["message"]["status"], &read["message"]["error_code"]), (&json!("delivered"), &Value::Null));
    let mut kept: Vec<Value> =
        read["receipts"].as_array().unwrap().iter().map(|one| json!([one["carrier_status"], one["times"]])).collect();
    kept.sort_by_key(Value::to_string);
    assert_eq!(kept, [json!(["delivered", 1]), json!(["sent", 3]), json!(["undelivered", 1])]);
}

pub async fn vonages_receipts_settle_their_message_in_each_form(world: World) {
    for form in receipts::Form::ALL {
        let number = world.british_number();
        let challenge = world.challenge(&number).await;
        let id = challenge["message_id"].as_str().unwrap();
        let sent = world.carriers.sent_to(&number).remove(0);
        let url = sent.field("callback").expect("a receipt is asked for");
        let part = receipts::read(&world, id).await["message"]["provider_id"].as_str().unwrap().to_owned();
        for state in ["buffered", "delivered", "failed"] {
            receipts::vonage_at(&world, url, &receipts::receipt(&part, state), form).send().await.expect(204);
        }
        let read = receipts::read(&world, id).await;
        assert_eq!(read["message"]["status"], "delivered", "{form:?}");
        assert_eq!(read["receipts"].as_array().unwrap().len(), 3);
        let elsewhere = url.replace(&url[url.len() - 4..], "AAAA");
        let answer = receipts::vonage_at(&world, &elsewhere, &receipts::receipt(&part, "failed"), form).send().await;
        answer.expect_problem(403, "signature_invalid");
    }
}

pub async fn vonages_errors_are_told_with_their_remedy(world: World) {
    let cases = [
        ("15", 502, "message_driver_misconfigured", "VONAGE_SENDER_NUMBER"),
        ("9", 502, "message_driver_misconfigured", "balance"),
        ("4", 502, "message_driver_misconfigured", "VONAGE_API_SECRET"),
        ("6", 422, "message_recipient_refused", "cannot be reached"),
        ("17", 422, "message_blocked", "blocks"),
        ("1", 502, "message_failed", "requests a second"),
    ];
    for (status, told, code, remedy) in cases {
        let body = json!({"message-count": "1", "messages": [{"status": status, "error-text": "no"}]});
        let problem =
            refused(&world, world.british_number(), Behaviour::Answer(200, body.to_string()), told, code).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(remedy), "{detail}");
    }
}

pub async fn outside_prod_everything_goes_to_the_receiver(world: World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    assert!(world.carriers.sent_to(&number).is_empty());
    let encoded = format!("%2B{}", &number[1..]);
    let inbox = world.get(&format!("/dev/inbox.json?to={encoded}")).await.expect(200);
    assert_eq!((&inbox[0]["to"], &inbox[0]["intended_to"]), (&json!(vars::RECEIVER), &json!(number)));
    let code = inbox[0]["code"].as_str().unwrap();
    assert!(world.carriers.sent_to(vars::RECEIVER).iter().any(|sent| sent.code() == code));
    world.answer(&challenge, code).await.expect(200);
}

/// Who was asked to carry a code to a number; the code was checked.
async fn carried(world: &World) -> Vec<&'static str> {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let sent = world.carriers.sent_to(&number);
    let path = format!("/v1/messages/{}", challenge["message_id"].as_str().unwrap());
    let tries = world.get(&path).await.expect(200)["tries"].clone();
    let drivers: Vec<&str> = tries.as_array().unwrap().iter().map(|one| one["driver"].as_str().unwrap()).collect();
    let asked: Vec<&'static str> = sent.iter().map(|sent| sent.carrier).collect();
    assert_eq!(drivers, asked, "each try is a row");
    world.answer(&challenge, &sent[0].code()).await.expect(200);
    asked
}

pub async fn another_carrier_takes_over_and_one_that_fails_is_not_waited_for(world: World) {
    let routes = json!({"sms": {"routes": [{"countries": ["*"], "drivers": ["vonage", "twilio"]}]}});
    world.patch("/v1/instance", &routes).await.expect(200);
    assert_eq!(carried(&world).await, ["vonage"]);
    // With the first that is five outcomes, four of them bad.
    for behaviour in [Behaviour::Drop, Behaviour::Answer(503, String::new()), Behaviour::Hang, Behaviour::NotHttp] {
        world.carriers.behave_as("vonage", None, behaviour);
        assert_eq!(carried(&world).await, ["vonage", "twilio"]);
    }
    assert_eq!(carried(&world).await, ["twilio"]);
    // Whoever sets it up anew sees it used at once.
    world.carriers.behave_as("vonage", None, Behaviour::Accept);
    world.patch("/v1/instance", &routes).await.expect(200);
    assert_eq!(carried(&world).await, ["vonage"]);
}
