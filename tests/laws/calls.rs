//! The laws on the way of a call: what is missing stops it by name and never opens the gate, a row stands before the
//! carrier is asked, a refusal leaves nothing, and it takes no more round trips than an SMS.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Behaviour, World,
    calls::Called,
    steps,
    vars::{self, Vars},
};

const BASE: &str = "http://127.0.0.1:9";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn with(mut all: Vars, name: &str, value: Value) -> Vars {
    if value.is_null() {
        all.remove(name)
    } else {
        all.insert(name.to_owned(), value)
    };
    all
}

async fn message(world: &World, id: &Value) -> Value {
    world.get(&format!("/v1/messages/{}", text(id))).await.expect(200)["message"].clone()
}

/// A call that went out: the challenge and the call.
async fn called(world: &World, number: &str) -> (Value, Called) {
    let challenge = world.call(number).await;
    (challenge, world.called(number))
}

#[tokio::test]
async fn what_calls_need_is_named_and_sms_goes_on_without_it() {
    let service = json!("MG0123456789abcdef0123456789abcdef");
    let messaging = with(vars::prod_twilio(BASE), "TWILIO_MESSAGING_SERVICE_SID", service);
    let by_key = with(vars::prod_twilio(BASE), "TWILIO_API_KEY_SID", json!("SK0123456789abcdef0123456789abcdef"));
    let by_key = with(with(by_key, "TWILIO_API_KEY_SECRET", json!("secret")), "TWILIO_AUTH_TOKEN", Value::Null);
    let cases = [
        // A number is needed even where SMS uses a Messaging Service.
        ("TWILIO_SENDER_NUMBER", with(messaging, "TWILIO_SENDER_NUMBER", Value::Null)),
        ("TWILIO_SENDER_NUMBER", with(vars::prod_twilio(BASE), "TWILIO_SENDER_NUMBER", json!("12345"))),
        ("PUBLIC_URL", with(vars::prod_twilio(BASE), "PUBLIC_URL", Value::Null)),
        ("PUBLIC_URL", with(vars::prod_twilio(BASE), "PUBLIC_URL", json!("http://login.example.com"))),
        // Twilio signs with the auth token alone.
        ("TWILIO_AUTH_TOKEN", by_key),
        ("VONAGE_APPLICATION_ID", with(vars::prod_vonage(BASE), "VONAGE_APPLICATION_ID", Value::Null)),
        ("VONAGE_PRIVATE_KEY", with(vars::prod_vonage(BASE), "VONAGE_PRIVATE_KEY", Value::Null)),
        ("VONAGE_PRIVATE_KEY", with(vars::prod_vonage(BASE), "VONAGE_PRIVATE_KEY", json!("-----BEGIN"))),
        ("VONAGE_SENDER_NUMBER", with(vars::prod_vonage(BASE), "VONAGE_SENDER_NUMBER", json!("AcmeInc"))),
        ("PUBLIC_URL", with(vars::prod_vonage(BASE), "PUBLIC_URL", Value::Null)),
        ("DEV_SMS_RECEIVER", with(vars::dev_twilio(BASE), "DEV_SMS_RECEIVER", Value::Null)),
    ];
    for (name, bindings) in cases {
        let world = World::native(&bindings);
        let number = if bindings.contains_key("VONAGE_API_KEY") { world.british_number() } else { world.number() };
        let body = json!({"to": {"phone": number}, "channel": "voice"});
        let problem = world.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
        assert!(text(&problem["detail"]).starts_with(name), "{name}: {problem}");
        assert!(world.carriers.calls().is_empty(), "{name}");
        assert_eq!(world.here().database.number("SELECT count(*) FROM challenges"), 0, "{name}");
        assert_eq!(world.here().database.number("SELECT count(*) FROM counters"), 0, "{name}: a refusal costs nothing");
        if name != "DEV_SMS_RECEIVER" {
            // The key of another account answers 401; what matters is that Twilio was asked.
            world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
            assert_eq!(world.carriers.sent().len() + usize::from(name == "TWILIO_AUTH_TOKEN"), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn the_number_that_calls_may_be_a_setting() {
    let service = json!("MG0123456789abcdef0123456789abcdef");
    let bindings = with(vars::prod_twilio(BASE), "TWILIO_MESSAGING_SERVICE_SID", service);
    let world = World::native(&with(bindings, "TWILIO_SENDER_NUMBER", Value::Null));
    for bad in ["15005550006", "Example", "12345", "+1 500"] {
        let answer = world.patch("/v1/instance", &json!({"voice": {"from_number": bad}})).await;
        answer.expect_problem(422, "form_param_invalid");
    }
    let stored = world.patch("/v1/instance", &json!({"voice": {"from_number": "+15005550007"}})).await.expect(200);
    assert_eq!(stored["settings"]["voice"]["from_number"], "+15005550007");
    let number = world.number();
    assert_eq!(called(&world, &number).await.1.from, "+15005550007");
    // Without a setting it is the carrier's sender.
    let world = World::twilio();
    assert_eq!(world.get("/v1/instance").await.expect(200)["settings"]["voice"]["from_number"], vars::SENDER);
}

#[tokio::test]
async fn only_the_setting_opens_the_gate() {
    for bindings in [vars::prod_twilio(BASE), vars::prod_vonage(BASE)] {
        let is_vonage = bindings.contains_key("VONAGE_API_KEY");
        for public_url in [json!("https://login.example.com"), Value::Null] {
            let world = World::native(&with(bindings.clone(), "PUBLIC_URL", public_url.clone()));
            world.patch("/v1/instance", &json!({"voice": {"gate": "off"}})).await.expect(200);
            let number = if is_vonage { world.british_number() } else { world.number() };
            let (challenge, call) = called(&world, &number).await;
            assert_eq!((call.heard.next.as_ref(), call.events.is_some()), (None, !public_url.is_null()));
            let code = call.heard.code().expect("the code is told at once");
            if !public_url.is_null() {
                // It has arrived when somebody, or something, answered.
                call.report(&world, "completed").await;
                assert_eq!(message(&world, &challenge["message_id"]).await["status"], "delivered");
            }
            world.answer(&challenge, &code).await.expect(200);
            for word in ["OFF", "no", ""] {
                let answer = world.patch("/v1/instance", &json!({"voice": {"gate": word}})).await;
                answer.expect_problem(422, "form_param_invalid");
            }
        }
    }
}

#[tokio::test]
async fn the_row_is_there_before_the_phone_rings_and_each_outcome_is_a_state() {
    let world = World::twilio();
    world.get("/v1/instance").await.expect(200);
    let body = json!({"to": {"phone": world.number()}, "channel": "voice"});
    let mut create = Box::pin(world.request("POST", "/v1/challenges").json(&body).send());
    steps(&mut create, 2).await;
    assert!(world.carriers.calls().is_empty());
    let list = world.get("/v1/messages").await.expect(200);
    let queued = &list["data"][0];
    assert_eq!(
        json!([queued["channel"], queued["status"], queued["driver"], queued["cost_class"], queued["locale"]]),
        json!(["voice", "queued", "twilio", "domestic", "en-US"])
    );
    assert_eq!((&queued["encoding"], &queued["segments"]), (&Value::Null, &Value::Null));
    let created = create.await.expect(201);
    assert_eq!(created["message_id"], queued["id"]);

    let answer = |status: u16, code: u32| Behaviour::Answer(status, json!({"code": code}).to_string());
    for (behaviour, status, outcome) in [
        (Behaviour::Accept, "sent", "accepted"),
        (answer(429, 10004), "failed", "retryable"),
        (answer(400, 21214), "failed", "recipient_refused"),
        (answer(400, 21215), "failed", "misconfigured"),
        (answer(400, 21216), "failed", "fraud_blocked"),
        (Behaviour::Hang, "unknown", "unknown"),
        (Behaviour::NotHttp, "unknown", "unknown"),
    ] {
        let world = World::twilio();
        world.carriers.behave(behaviour);
        world.post("/v1/challenges", &json!({"to": {"phone": world.number()}, "channel": "voice"})).await;
        let id = world.get("/v1/messages").await.expect(200)["data"][0]["id"].clone();
        let read = world.get(&format!("/v1/messages/{}", text(&id))).await.expect(200);
        assert_eq!((&read["message"]["status"], &read["tries"][0]["outcome"]), (&json!(status), &json!(outcome)));
        assert_eq!(world.carriers.calls().len(), 1, "it is not repeated");
        let events = world.get(&format!("/v1/audit-events?subject_id={}", text(&id))).await.expect(200);
        let types: Vec<&Value> = events["data"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
        assert!(
            types.contains(&&json!("voice.queued")) && types.contains(&&json!(format!("voice.{status}"))),
            "{types:?}"
        );
    }
}

#[tokio::test]
async fn test_numbers_and_test_keys_call_nobody() {
    let until = json!({"test_mode": "enabled", "test_mode_expires_at": "2026-11-30T00:00:00Z"});
    let world = World::twilio();
    world.patch("/v1/instance", &until).await.expect(200);
    let body = json!({"to": {"phone": "+15555550100"}, "channel": "voice"});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    assert_eq!(message(&world, &challenge["message_id"]).await["reason"], "test_number");
    world.answer(&challenge, "424242").await.expect(200);
    let scopes = json!({"name": "t", "scopes": ["challenges"], "test": true});
    let key = text(&world.post("/v1/api-keys", &scopes).await.expect(201)["secret"]);
    let body = json!({"to": {"phone": world.number()}, "channel": "voice"});
    let challenge = world.request("POST", "/v1/challenges").key(&key).json(&body).send().await.expect(201);
    assert_eq!(message(&world, &challenge["message_id"]).await["reason"], "test_key");
    assert!(world.carriers.calls().is_empty());
}

#[tokio::test]
async fn a_call_that_is_refused_enrols_nothing_and_gives_the_proof_back() {
    let world = World::twilio();
    let (user, factor, number) = world.user_with_phone().await;
    let proof = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    world.answer(&proof, &world.code(&number).await).await.expect(200);
    let second = world.number();
    world.carriers.behave_for(&second, Behaviour::Answer(400, json!({"code": 21214}).to_string()));
    let path = format!("/v1/users/{user}/factors");
    let body = json!({"type": "phone", "phone": second, "channel": "voice", "proof": proof["id"]});
    world.post(&path, &body).await.expect_problem(422, "message_recipient_refused");
    let factors = world.get(&path).await.expect(200)["data"].clone();
    assert_eq!((factors.as_array().unwrap().len(), &factors[0]["id"]), (1, &json!(factor)));
    world.carriers.behave_for(&second, Behaviour::Accept);
    world.post(&path, &body).await.expect(201);
}

#[tokio::test]
async fn countries_of_calls_are_their_own() {
    let world = World::twilio();
    let number = world.british_number();
    let body = |channel: &str| json!({"to": {"phone": number}, "channel": channel});
    let allow = json!({"countries": {"voice": {"allowed": ["GB"]}}});
    world.patch("/v1/instance", &allow).await.expect(200);
    world.post("/v1/challenges", &body("voice")).await.expect(201);
    world.post("/v1/challenges", &body("sms")).await.expect_problem(422, "country_not_allowed");
    let american = json!({"to": {"phone": world.number()}, "channel": "voice"});
    let problem = world.post("/v1/challenges", &american).await.expect_problem(422, "country_not_allowed");
    assert!(text(&problem["detail"]).contains("countries.voice.allowed"));
    for bad in [json!(["XX"]), json!(["*", "US"]), json!([7])] {
        let answer = world.patch("/v1/instance", &json!({"countries": {"voice": {"allowed": bad}}})).await;
        answer.expect_problem(422, "form_param_invalid");
    }
}

#[tokio::test]
async fn a_fixed_line_is_offered_a_call_where_one_can_be_made() {
    // A fixed line of London; in North America the plan does not tell.
    let line = "+442079460123";
    let world = World::vonage();
    let body = json!({"to": {"phone": line}});
    let problem = world.post("/v1/challenges", &body).await.expect_problem(422, "message_recipient_refused");
    assert_eq!((&problem["channels"], world.carriers.sent().len()), (&json!(["voice"]), 0));
    assert_eq!(world.here().database.number("SELECT count(*) FROM counters"), 0);
    called(&world, line).await;
    // Where no call can be made, the carrier may say what it thinks.
    for setting in [json!({"voice": {"enabled": false}}), json!({"countries": {"voice": {"allowed": ["US"]}}})] {
        let world = World::vonage();
        world.patch("/v1/instance", &setting).await.expect(200);
        world.post("/v1/challenges", &body).await.expect(201);
    }
    let world = World::native(&with(vars::prod_vonage(BASE), "VONAGE_PRIVATE_KEY", Value::Null));
    world.post("/v1/challenges", &body).await.expect(201);
    assert_eq!(world.carriers.sent().len(), 1);
}

#[tokio::test]
async fn a_code_that_sms_did_not_bring_is_called_in_the_users_language() {
    let world = World::twilio();
    let (user, _, number) = world.user_with_phone().await;
    world.patch(&format!("/v1/users/{user}"), &json!({"locale": "fr"})).await.expect(200);
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let first = world.code(&number).await;
    let resend = format!("/v1/challenges/{}/resend", text(&challenge["id"]));
    world.here().clock.advance(Duration::from_secs(30));
    let resent = world.post(&resend, &json!({"channel": "voice"})).await.expect(200);
    assert_eq!((&resent["channel"], &resent["sends"]), (&json!("voice"), &json!(2)));
    let call = world.called(&number);
    assert_eq!(call.heard.language, "fr-FR");
    let code = call.hear(&world).await.code().unwrap();
    // The code of the SMS died.
    assert_ne!(code, first);
    world.answer(&challenge, &first).await.expect_problem(422, "form_code_incorrect");
    world.answer(&challenge, &code).await.expect(200);
}

#[tokio::test]
async fn calls_take_as_many_round_trips_as_sms_and_one_for_the_key() {
    let world = World::twilio();
    world.get("/v1/instance").await.expect(200);
    let database = &world.here().database;
    let user = text(&world.post("/v1/users", &json!({"locale": "de"})).await.expect(201)["id"]);
    let factors = format!("/v1/users/{user}/factors");
    let enrol = |locale: Value| {
        let mut body = json!({"type": "phone", "phone": world.number(), "channel": "voice"});
        if !locale.is_null() {
            body["locale"] = locale;
        }
        world.request("POST", &factors).json(&body)
    };
    let create = json!({"to": {"phone": world.number()}, "channel": "voice"});
    for (what, request, before) in [
        ("to a number", world.request("POST", "/v1/challenges").json(&create), 1),
        ("enrol in a language", enrol(json!("en")), 1),
        // The user's language has to be read.
        ("enrol", enrol(Value::Null), 2),
    ] {
        let (calls, batches) = (world.carriers.calls().len(), database.batches());
        let mut request = Box::pin(request.send());
        steps(&mut request, before + 1).await;
        assert_eq!((world.carriers.calls().len(), database.batches() - batches), (calls, before), "{what}: before");
        request.await.expect(201);
        assert_eq!((world.carriers.calls().len(), database.batches() - batches), (calls + 1, before + 1), "{what}");
    }
    let (_, call) = called(&world, &world.number()).await;
    let batches = database.batches();
    assert!(call.hear(&world).await.code().is_some());
    assert_eq!(database.batches() - batches, 1);
    call.report(&world, "completed").await;
    assert_eq!(database.batches() - batches, 2);
}

#[tokio::test]
async fn a_carrier_that_cannot_be_called_back_stops_no_other() {
    let by_key = with(vars::prod_both(BASE), "TWILIO_API_KEY_SID", json!("SK0123456789abcdef0123456789abcdef"));
    let by_key = with(with(by_key, "TWILIO_API_KEY_SECRET", json!("secret")), "TWILIO_AUTH_TOKEN", Value::Null);
    for drivers in [["vonage", "twilio"], ["twilio", "vonage"]] {
        let world = World::native(&by_key);
        let routes = json!({"sms": {"routes": [{"countries": ["*"], "drivers": ["vonage"]}]},
            "voice": {"routes": [{"countries": ["*"], "drivers": drivers}]}});
        world.patch("/v1/instance", &routes).await.expect(200);
        let (challenge, call) = called(&world, &world.number()).await;
        assert_eq!(call.carrier, "vonage", "{drivers:?}");
        assert_eq!(message(&world, &challenge["message_id"]).await["driver"], "vonage", "{drivers:?}");
        // It may be offered, too.
        let (user, ..) = world.user_with_phone().await;
        world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
        let told = world.evaluate(&user, &json!({})).await.expect(200);
        assert_eq!(told["reason"]["code"], "enrolled_factor", "{drivers:?}: {told}");
        // Where none is left, what is missing is told.
        world.patch("/v1/instance", &json!({"voice": {"routes": [{"drivers": ["twilio"]}]}})).await.expect(200);
        let body = json!({"to": {"phone": world.number()}, "channel": "voice"});
        let problem = world.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
        assert!(text(&problem["detail"]).starts_with("TWILIO_AUTH_TOKEN"), "{problem}");
    }
}
