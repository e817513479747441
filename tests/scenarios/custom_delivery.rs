//! Codes that somebody else delivers: the customer's own endpoint, and Twilio Verify, which hears what became of them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Behaviour, World, hook::Then};

async fn message(world: &World, challenge: &Value) -> Value {
    let id = challenge["message_id"].as_str().unwrap();
    world.get(&format!("/v1/messages/{id}")).await.expect(200)
}

pub async fn an_endpoint_is_asked_to_send_and_to_call(world: World) {
    let number = world.number();
    let client = json!({"ip": "203.0.113.7", "user_agent": "Example/1.0"});
    let body = json!({"to": {"phone": number}, "client": client});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    let asked = world.carriers.hook.asked(&number);
    assert_eq!(asked.len(), 1);
    let context = &asked[0].context;
    assert_eq!(
        json!([asked[0].kind, asked[0].id, context["factor_type"], context["action"], context["ip"], context["user"]]),
        json!(["sms.send", challenge["message_id"], "first", "authentication", "203.0.113.7", null])
    );
    assert!(asked[0].text.starts_with(context["code"].as_str().unwrap()));
    let sent = message(&world, &challenge).await;
    assert_eq!(json!([sent["message"]["status"], sent["message"]["driver"]]), json!(["sent", "webhook"]));
    assert!(sent["message"]["provider_id"].as_str().unwrap().starts_with("hook-"));
    world.answer(&challenge, context["code"].as_str().unwrap()).await.expect(200);

    let (user, _, number) = world.user_with_phone().await;
    let body = json!({"user_id": user, "channel": "voice"});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    let asked = world.carriers.hook.asked(&number).pop().unwrap();
    let context = &asked.context;
    assert_eq!(
        json!([asked.kind, context["factor_type"], context["message_type"], context["user"]["user_id"]]),
        json!(["voice.send", "second", "voice", user])
    );
    world.answer(&challenge, context["code"].as_str().unwrap()).await.expect(200);
}

pub async fn an_endpoint_that_stumbles_is_asked_once_more(world: World) {
    let answers = |status| Then::Do(Behaviour::Answer(status, "{}".to_owned()));
    for first in [answers(503), answers(429), Then::Do(Behaviour::Drop)] {
        let number = world.number();
        world.carriers.hook.script(&number, [first]);
        let challenge = world.challenge(&number).await;
        let asked = world.carriers.hook.asked(&number);
        assert_eq!((asked.len(), &asked[0].raw), (2, &asked[1].raw));
        assert_eq!(message(&world, &challenge).await["message"]["status"], "sent");
    }
    for (script, times, status) in [
        (vec![answers(500)], 1, "unknown"),
        (vec![Then::Do(Behaviour::Hang)], 1, "unknown"),
        (vec![answers(503), answers(503)], 2, "unknown"),
    ] {
        let number = world.number();
        world.carriers.hook.script(&number, script);
        let challenge = world.challenge(&number).await;
        assert_eq!(world.carriers.hook.asked(&number).len(), times);
        assert_eq!(message(&world, &challenge).await["message"]["status"], status);
        let code = world.carriers.hook.asked(&number)[0].context["code"].clone();
        world.answer(&challenge, code.as_str().unwrap()).await.expect(200);
    }
    let number = world.number();
    world.carriers.hook.script(&number, [answers(422)]);
    let body = json!({"to": {"phone": number}});
    world.post("/v1/challenges", &body).await.expect_problem(422, "message_recipient_refused");
}

/// Waits for what comes after the answer.
async fn verification_is(world: &World, number: &str, status: &str) {
    for _ in 0..50 {
        if world.carriers.verify.of(number).last().is_some_and(|last| last.status == status) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{:?} is not {status}", world.carriers.verify.of(number));
}

pub async fn verify_sends_our_code_and_hears_what_became_of_it(world: World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let verification = world.carriers.verify.of(&number).remove(0);
    let (code, channel, locale) = verification.sends[0].clone();
    assert_eq!((code.len(), channel.as_str(), locale.as_deref()), (6, "sms", Some("en")));
    let sent = message(&world, &challenge).await;
    assert_eq!(
        json!([sent["message"]["status"], sent["message"]["driver"], sent["message"]["provider_id"]]),
        json!(["sent", "twilio_verify", verification.sid])
    );
    world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
    assert_eq!(world.carriers.verify.of(&number)[0].status, "pending");
    world.answer(&challenge, &code).await.expect(200);
    verification_is(&world, &number, "approved").await;

    let number = world.number();
    let challenge = world.call(&number).await;
    assert_eq!(world.carriers.verify.of(&number)[0].sends[0].1, "call");
    let cancel = format!("/v1/challenges/{}/cancel", challenge["id"].as_str().unwrap());
    world.post(&cancel, &json!({})).await.expect(200);
    verification_is(&world, &number, "canceled").await;
}

pub async fn verifys_errors_are_told_with_their_remedy(world: World) {
    let cases = [
        (403, 60204, 502, "message_driver_misconfigured", "custom codes"),
        (404, 20404, 502, "message_driver_misconfigured", "VA"),
        (429, 60203, 422, "message_recipient_refused", "five codes"),
        (400, 60200, 422, "message_recipient_refused", "parameter"),
        (400, 21211, 422, "message_recipient_refused", "not a phone number"),
        (403, 60410, 422, "message_blocked", "fraud"),
        (403, 60605, 422, "message_blocked", "country"),
    ];
    for (status, error, told, code, remedy) in cases {
        let number = world.number();
        let answer = json!({"code": error, "message": "no", "status": status}).to_string();
        world.carriers.behave_for(&number, Behaviour::Answer(status, answer));
        let body = json!({"to": {"phone": number}});
        let problem = world.post("/v1/challenges", &body).await.expect_problem(told, code);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(remedy) && detail.contains(&error.to_string()), "{detail}");
    }
}
