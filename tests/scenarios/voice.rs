//! Calls: a code that is spoken, behind a key; what the carriers get, and what is told when they refuse.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Behaviour, World, receipts, vars};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn message(world: &World, challenge: &Value) -> Value {
    let id = text(&challenge["message_id"]);
    world.get(&format!("/v1/messages/{id}")).await.expect(200)
}

pub async fn a_call_tells_the_code_after_a_key(world: World) {
    let number = world.number();
    let challenge = world.call(&number).await;
    assert_eq!((&challenge["channel"], &challenge["status"]), (&json!("voice"), &json!("pending")));
    let called = world.called(&number);
    assert_eq!((called.carrier, called.from.as_str()), ("twilio", vars::SENDER));
    assert!(called.heard.text().contains("This is Example"), "{}", called.heard.text());
    // A mailbox has heard nothing so far, and hears no code.
    assert_eq!(called.heard.code(), None);
    let queued = message(&world, &challenge).await;
    assert_eq!(
        json!([queued["message"]["channel"], queued["message"]["status"], queued["message"]["segments"]]),
        json!(["voice", "sent", null])
    );
    assert_eq!((&queued["message"]["encoding"], &queued["tries"][0]["outcome"]), (&Value::Null, &json!("accepted")));
    assert_eq!(queued["message"]["provider_id"], called.id);

    let code = called.hear(&world).await.code().expect("the code is told");
    assert_eq!(message(&world, &challenge).await["message"]["status"], "delivered");
    called.report(&world, "completed").await;
    assert_eq!(message(&world, &challenge).await["message"]["status"], "delivered");
    world.answer(&challenge, &code).await.expect(200);
    // Once it is answered it is not told again.
    assert_eq!(called.hear(&world).await.code(), None);
}

pub async fn vonage_calls_and_tells_the_code_after_a_key(world: World) {
    let number = world.british_number();
    let challenge = world.call(&number).await;
    let called = world.called(&number);
    assert_eq!((called.carrier, called.from.as_str()), ("vonage", vars::VONAGE_SENDER));
    assert_eq!(called.heard.code(), None);
    assert_eq!(message(&world, &challenge).await["message"]["provider_id"], called.id);
    for status in ["started", "ringing", "answered"] {
        assert_eq!(called.report(&world, status).await.status, 200);
        assert_eq!(message(&world, &challenge).await["message"]["status"], "sent", "{status}");
    }
    // Nobody pressed a key: the last words, in the language of the call.
    let waited = called.press(&world, "").await;
    assert!(waited.text.contains("No key was pressed"), "{}", waited.text);
    let code = called.hear(&world).await.code().expect("the code is told");
    called.report(&world, "completed").await;
    assert_eq!(message(&world, &challenge).await["message"]["status"], "delivered");
    world.answer(&challenge, &code).await.expect(200);
}

pub async fn a_call_follows_an_sms_that_was_reported_lost(world: World) {
    let fallback = json!({"sms": {"fallback": {"enabled": true, "voice": true}}});
    let shown = world.patch("/v1/instance", &fallback).await.expect(200);
    assert_eq!(shown["settings"]["sms"]["fallback"]["voice"], true);
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    let sid = text(&message(&world, &challenge).await["message"]["provider_id"]);
    let id = text(&challenge["message_id"]);
    receipts::twilio(&world, &id, &sid, "undelivered").send().await.expect(204);
    // After the response.
    for _ in 0..100 {
        if !world.carriers.calls_to(&number).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let heard = world.called(&number).hear(&world).await;
    assert_eq!(heard.code().as_ref(), Some(&code));
    let now = world.get(&format!("/v1/challenges/{}", text(&challenge["id"]))).await.expect(200);
    assert_eq!((&now["channel"], &now["sends"]), (&json!("voice"), &json!(2)));
    assert_eq!(message(&world, &challenge).await["message"]["status"], "failed");
    assert_eq!(message(&world, &now).await["message"]["status"], "delivered");
    world.answer(&challenge, &code).await.expect(200);
}

pub async fn a_call_speaks_the_language_asked_for_else_the_users(world: World) {
    for (locale, language, words) in [
        ("fr-CA", "fr-CA", "Bonjour"),
        ("de", "de-DE", "Guten Tag"),
        ("pt_PT", "pt-PT", "Olá"),
        ("zh-Hant-TW", "cmn-CN", "您好"),
        ("ja", "ja-JP", "認証コード"),
        ("ar-SA", "arb", "مرحبًا"),
        ("it", "en-US", "Hello"),
    ] {
        let number = world.number();
        let body = json!({"to": {"phone": number}, "channel": "voice", "locale": locale});
        let challenge = world.post("/v1/challenges", &body).await.expect(201);
        let called = world.called(&number);
        assert_eq!(called.heard.language, language);
        assert!(called.heard.text().contains(words), "{}", called.heard.text());
        let heard = called.hear(&world).await;
        assert_eq!(heard.language, language);
        world.answer(&challenge, &heard.code().unwrap()).await.expect(200);
    }
    // Without one, the user's; also where the factor is new, and where a call follows an SMS.
    let user = text(&world.post("/v1/users", &json!({"locale": "es-AR"})).await.expect(201)["id"]);
    let number = world.number();
    let path = format!("/v1/users/{user}/factors");
    let body = json!({"type": "phone", "phone": number, "channel": "voice"});
    let enrolled = world.post(&path, &body).await.expect(201);
    let heard = world.called(&number).hear(&world).await;
    assert_eq!(heard.language, "es-MX");
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": heard.code().unwrap()});
    let factor = text(&enrolled["factor"]["id"]);
    world.post(&format!("{path}/{factor}/activate"), &body).await.expect(200);
    world.post("/v1/challenges", &json!({"user_id": user, "channel": "voice"})).await.expect(201);
    assert_eq!(world.called(&number).heard.language, "es-MX");
    world.post(&format!("{path}/{factor}/challenges"), &json!({"channel": "voice"})).await.expect(201);
    assert_eq!(world.called(&number).heard.language, "es-MX");
    world
        .post(&format!("{path}/{factor}/challenges"), &json!({"channel": "voice", "locale": "en-GB"}))
        .await
        .expect(201);
    assert_eq!(world.called(&number).heard.language, "en-GB");
}

pub async fn a_landline_is_offered_a_call(world: World) {
    for code in [21614, 30006] {
        let number = world.number();
        let refusal = Behaviour::Answer(400, json!({"code": code, "message": "no", "status": 400}).to_string());
        world.carriers.behave_for(&number, refusal);
        let body = json!({"to": {"phone": number}});
        let problem = world.post("/v1/challenges", &body).await.expect_problem(422, "message_recipient_refused");
        assert_eq!(problem["channels"], json!(["voice"]), "{code}");
        world.carriers.behave_for(&number, Behaviour::Accept);
        let challenge = world.call(&number).await;
        let code = world.called(&number).hear(&world).await.code().unwrap();
        world.answer(&challenge, &code).await.expect(200);
    }
    // A number that does not exist cannot be called either.
    let number = world.number();
    world.carriers.behave_for(&number, Behaviour::Answer(400, json!({"code": 21211, "status": 400}).to_string()));
    let body = json!({"to": {"phone": number}});
    let problem = world.post("/v1/challenges", &body).await.expect_problem(422, "message_recipient_refused");
    assert_eq!(problem.get("channels"), None);
}

pub async fn a_phone_is_enrolled_by_a_call(world: World) {
    let user = text(&world.post("/v1/users", &json!({})).await.expect(201)["id"]);
    let number = world.number();
    let path = format!("/v1/users/{user}/factors");
    let body = json!({"type": "phone", "phone": number, "channel": "voice"});
    let enrolled = world.post(&path, &body).await.expect(201);
    assert_eq!(
        (&enrolled["challenge"]["channel"], &enrolled["factor"]["status"]),
        (&json!("voice"), &json!("pending"))
    );
    let called = world.called(&number);
    assert!(called.heard.text().contains("adds this phone"), "{}", called.heard.text());
    let code = called.hear(&world).await.code().unwrap();
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": code});
    let activate = format!("{path}/{}/activate", text(&enrolled["factor"]["id"]));
    assert_eq!(world.post(&activate, &body).await.expect(200)["status"], "active");
}

pub async fn a_call_that_is_refused_leaves_no_live_code(world: World) {
    for (status, error, told, code, remedy) in [
        (400, 21211, 422, "message_recipient_refused", "not a phone number"),
        (400, 13224, 422, "message_recipient_refused", "cannot call"),
        (400, 21216, 422, "message_blocked", "Trust Hub"),
        (400, 21215, 502, "message_driver_misconfigured", "Voice > Settings > Geo permissions"),
        (400, 21210, 502, "message_driver_misconfigured", "voice.from_number"),
        (401, 20003, 502, "message_driver_misconfigured", "TWILIO_AUTH_TOKEN"),
        (429, 10004, 502, "message_failed", "at once"),
    ] {
        let number = world.number();
        let answer = json!({"code": error, "message": "no", "status": status}).to_string();
        world.carriers.behave_for(&number, Behaviour::Answer(status, answer));
        let body = json!({"to": {"phone": number}, "channel": "voice"});
        let problem = world.post("/v1/challenges", &body).await.expect_problem(told, code);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(remedy) && detail.contains(&error.to_string()), "{detail}");
        let read = message(&world, &problem).await;
        assert_eq!((&read["message"]["status"], &read["message"]["channel"]), (&json!("failed"), &json!("voice")));
        let challenge = format!("/v1/challenges/{}", text(&read["message"]["challenge_id"]));
        assert_eq!(world.get(&challenge).await.expect(200)["status"], "failed");
        // Should the phone ring all the same, it tells nothing.
        assert_eq!(world.called(&number).hear(&world).await.code(), None);
    }
    for behaviour in [Behaviour::Hang, Behaviour::Drop, Behaviour::Answer(500, "<html>".to_owned())] {
        let number = world.number();
        world.carriers.behave_for(&number, behaviour);
        let challenge = world.call(&number).await;
        assert_eq!(message(&world, &challenge).await["message"]["status"], "unknown");
        // It may ring, and then the code works.
        assert_eq!(world.carriers.calls_to(&number).len(), 1, "a call that may have gone out is not repeated");
        let code = world.called(&number).hear(&world).await.code().unwrap();
        assert_eq!(message(&world, &challenge).await["message"]["status"], "delivered");
        world.answer(&challenge, &code).await.expect(200);
    }
}

pub async fn vonages_refusals_of_calls_are_told(world: World) {
    for (status, answer, told, code, remedy) in [
        (401, json!({"type": "UNAUTHORIZED"}), 502, "message_driver_misconfigured", "VONAGE_PRIVATE_KEY"),
        (402, json!({"type": "x#low-balance"}), 502, "message_driver_misconfigured", "balance"),
        (
            400,
            json!({"type": "BAD_REQUEST", "invalid_parameters": {"to": "no"}}),
            422,
            "message_recipient_refused",
            "cannot call",
        ),
        (429, json!({"type": "x#throttled"}), 502, "message_failed", "requests a second"),
    ] {
        let number = world.british_number();
        world.carriers.behave_for(&number, Behaviour::Answer(status, answer.to_string()));
        let body = json!({"to": {"phone": number}, "channel": "voice"});
        let problem = world.post("/v1/challenges", &body).await.expect_problem(told, code);
        assert!(problem["detail"].as_str().unwrap().contains(remedy), "{problem}");
        assert_eq!(message(&world, &problem).await["message"]["status"], "failed");
        assert_eq!(world.called(&number).hear(&world).await.code(), None);
    }
}

pub async fn outside_prod_the_receiver_is_called(world: World) {
    let number = world.number();
    let before = world.carriers.calls_to(vars::RECEIVER).len();
    let challenge = world.call(&number).await;
    assert!(world.carriers.calls_to(&number).is_empty());
    // Many scenarios share the receiver: ours is one of the calls since.
    let id = message(&world, &challenge).await["message"]["provider_id"].clone();
    let calls = world.carriers.calls_to(vars::RECEIVER);
    let called = calls.iter().skip(before).find(|call| id == call.id.as_str()).expect("the receiver is called");
    let code = called.hear(&world).await.code().unwrap();
    world.answer(&challenge, &code).await.expect(200);
}

pub async fn the_inbox_shows_what_would_be_said(world: World) {
    let number = world.number();
    let body = json!({"to": {"phone": number}, "channel": "voice", "locale": "de"});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    let encoded: String = form_urlencoded::byte_serialize(number.as_bytes()).collect();
    let inbox = world.get(&format!("/dev/inbox.json?to={encoded}")).await.expect(200);
    assert_eq!((&inbox[0]["channel"], &inbox[0]["status"]), (&json!("voice"), &json!("dropped")));
    let said = inbox[0]["body"].as_str().unwrap();
    assert!(said.contains("Drücken Sie eine beliebige Taste") && said.contains("Auf Wiederhören"), "{said}");
    let words = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"];
    let code = inbox[0]["code"].as_str().unwrap();
    let spelt: Vec<&str> = code.bytes().map(|digit| words[usize::from(digit - b'0')]).collect();
    assert_eq!(said.matches(&spelt.join(" ")).count(), 2, "{said}");
    world.answer(&challenge, code).await.expect(200);

    // Test numbers are never called, and answer to their code.
    let body = json!({"to": {"phone": "+15555550123"}, "channel": "voice"});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    world.answer(&challenge, "424242").await.expect(200);
    assert!(world.carriers.calls().is_empty());
}

pub async fn voice_and_sms_are_switched_apart(world: World) {
    let post = |channel: &str| {
        let body = json!({"to": {"phone": world.number()}, "channel": channel});
        let request = world.request("POST", "/v1/challenges").json(&body);
        async move { request.send().await }
    };
    world.patch("/v1/instance", &json!({"voice": {"enabled": false}})).await.expect(200);
    let problem = post("voice").await.expect_problem(503, "voice_disabled");
    assert!(problem["detail"].as_str().unwrap().contains("voice.enabled"));
    post("sms").await.expect(201);
    world.patch("/v1/instance", &json!({"voice": {"enabled": true}, "sms": {"enabled": false}})).await.expect(200);
    post("sms").await.expect_problem(503, "sms_disabled");
    post("voice").await.expect(201);
    world.patch("/v1/instance", &json!({"sms": {"enabled": true}})).await.expect(200);
}
