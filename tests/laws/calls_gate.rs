//! The gate of a call: only the carrier hears the code, with a key, while it lives; its state never regresses; and the
//! code is nowhere else.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    World, at_once,
    calls::{Called, ncco, signed_by_vonage, twilio_tells, twiml, vonage_tells},
    client::seen,
    count, vars,
};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
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
async fn a_call_has_arrived_with_the_key_and_its_state_never_regresses() {
    // `key` stands for a key that is pressed.
    let cases: [(&[&str], &str, Value); 9] = [
        (&["initiated", "ringing", "in-progress"], "sent", Value::Null),
        (&["in-progress", "key", "completed"], "delivered", Value::Null),
        (&["key", "key", "failed", "busy", "completed"], "delivered", Value::Null),
        // A mailbox answers, and presses nothing.
        (&["in-progress", "completed"], "failed", json!("no_key_pressed")),
        (&["completed", "in-progress", "ringing"], "failed", json!("no_key_pressed")),
        (&["busy", "completed"], "failed", json!("busy")),
        (&["no-answer"], "failed", json!("no_answer")),
        (&["canceled"], "failed", json!("canceled")),
        (&["something-new"], "sent", Value::Null),
    ];
    for (told, expected, error) in cases {
        let world = World::twilio();
        let (challenge, call) = called(&world, &world.number()).await;
        for status in told {
            if *status == "key" {
                assert!(call.hear(&world).await.code().is_some(), "a key that is pressed twice tells it twice");
            } else {
                let answer = call.report(&world, status).await;
                assert_eq!((answer.status, answer.text.as_str()), (200, "<Response/>"));
            }
        }
        let message = message(&world, &challenge["message_id"]).await;
        assert_eq!((&message["status"], &message["error_code"]), (&json!(expected), &error), "{told:?}");
        let events = "SELECT count(*) FROM audit_events WHERE actor = 'carrier'";
        assert_eq!(world.here().database.number(events), i64::from(expected != "sent"), "{told:?}");
    }
}

#[tokio::test]
async fn the_key_opens_only_while_the_code_lives() {
    let resend = |challenge: &Value| format!("/v1/challenges/{}/resend", text(&challenge["id"]));
    for case in [
        "alive",
        "expired",
        "answered",
        "canceled",
        "dead",
        "replaced",
        "switched off",
        "stopped",
        "failed",
        "inherited",
    ] {
        let world = World::twilio();
        let (challenge, call) = called(&world, &world.number()).await;
        let path = format!("/v1/challenges/{}", text(&challenge["id"]));
        let mut lives = false;
        match case {
            "alive" => lives = true,
            "expired" => world.here().clock.advance(Duration::from_mins(5)),
            "answered" => {
                let code = call.hear(&world).await.code().unwrap();
                drop(world.answer(&challenge, &code).await.expect(200));
            }
            "canceled" => drop(world.request("POST", &format!("{path}/cancel")).send().await.expect(200)),
            "dead" => {
                let code = call.hear(&world).await.code().unwrap();
                for _ in 0..5 {
                    world.answer(&challenge, &world.wrong(&code)).await;
                }
            }
            "replaced" => {
                world.here().clock.advance(Duration::from_secs(30));
                world.post(&resend(&challenge), &json!({"channel": "sms"})).await.expect(200);
            }
            "switched off" => {
                world.patch("/v1/instance", &json!({"voice": {"enabled": false}})).await.expect(200);
            }
            "stopped" => {
                let stopped = json!({"countries": {"voice": {"stopped": ["us"]}, "sms": {"stopped": []}}});
                world.patch("/v1/instance", &stopped).await.expect(200);
            }
            "failed" => drop(call.report(&world, "failed").await),
            _ => {
                lives = true;
                for enabled in [json!(false), json!("inherit")] {
                    world.patch("/v1/instance", &json!({"voice": {"enabled": enabled}})).await.expect(200);
                }
                let others = json!({"countries": {"voice": {"stopped": ["GB"]}, "sms": {"stopped": ["US"]}}});
                world.patch("/v1/instance", &others).await.expect(200);
            }
        }
        let before = message(&world, &challenge["message_id"]).await;
        let heard = call.hear(&world).await;
        assert_eq!(heard.code().is_some(), lives, "{case}: {}", heard.text());
        assert!(lives || heard.text().contains("no longer valid"), "{case}: {}", heard.text());
        if !lives {
            assert_eq!(
                message(&world, &challenge["message_id"]).await,
                before,
                "{case}: a key too late changes nothing"
            );
        }
    }
}

#[tokio::test]
async fn nobody_but_the_carrier_hears_a_code() {
    let world = World::twilio();
    let (challenge, call) = called(&world, &world.number()).await;
    let (_, other) = called(&world, &world.number()).await;
    let next = call.heard.next.clone().unwrap();
    let fields = [("CallSid", call.id.as_str()), ("Digits", "1")];
    let changed = [("CallSid", call.id.as_str()), ("Digits", "2")];
    let status = next.trim_end_matches("/voice");
    for (what, request) in [
        ("no signature", twilio_tells(&world, &next, &fields).without("x-twilio-signature")),
        (
            "another body's",
            twilio_tells(&world, &next, &changed)
                .raw("application/x-www-form-urlencoded", b"CallSid=x&Digits=1".to_vec()),
        ),
        ("a server key", twilio_tells(&world, &next, &fields).without("x-twilio-signature").key(vars::KEY)),
    ] {
        let answer = request.send().await;
        assert!(!answer.text.contains("<Say"), "{what}");
        answer.expect_problem(403, "signature_invalid");
    }
    let elsewhere = twilio_tells(&world, status, &fields).send().await;
    assert_eq!((elsewhere.status, elsewhere.text.as_str()), (204, ""), "reports tell nothing");
    // Signed, but of another call: that of another message, or one that Twilio never made for us.
    for sid in [other.id.as_str(), "CAffffffffffffffffffffffffffffffff", ""] {
        let answer = twilio_tells(&world, &next, &[("CallSid", sid), ("Digits", "1")]).send().await;
        assert_eq!(answer.status, 200);
        assert_eq!(twiml(&answer.text).unwrap_or_default().code(), None, "{sid}");
    }
    // No key, no code.
    for fields in [vec![("CallSid", call.id.as_str())], vec![("CallSid", call.id.as_str()), ("Digits", "")]] {
        assert_eq!(twilio_tells(&world, &next, &fields).send().await.text, "<Response/>");
    }
    assert_eq!(message(&world, &challenge["message_id"]).await["status"], "sent");
    let nowhere = next.replace(&text(&challenge["message_id"]), "msg_01M83WM7ZA000G40R40M30E209");
    let answer = twilio_tells(&world, &nowhere, &fields).send().await;
    assert_eq!(twiml(&answer.text).unwrap().code(), None);
    let malformed = next.replace(&text(&challenge["message_id"]), "msg_1");
    twilio_tells(&world, &malformed, &fields).send().await.expect_problem(404, "resource_not_found");
    assert!(call.hear(&world).await.code().is_some());
}

#[tokio::test]
async fn vonage_is_known_by_the_path_and_by_its_signature() {
    let plain = vars::prod_vonage("http://127.0.0.1:9");
    let mut signed = plain.clone();
    signed.insert("VONAGE_SIGNATURE_SECRET".to_owned(), json!(vars::VONAGE_SIGNATURE));
    for bindings in [plain, signed] {
        let has_secret = bindings.contains_key("VONAGE_SIGNATURE_SECRET");
        let world = World::native(&bindings);
        let (challenge, call) = called(&world, &world.british_number()).await;
        let (_, other) = called(&world, &world.british_number()).await;
        let next = call.heard.next.clone().unwrap();
        let seconds = crate::support::ports::START / 1000;
        let body = json!({"uuid": call.id, "dtmf": {"digits": "1", "timed_out": false}});
        let (path, token) = next.rsplit_once('/').unwrap();
        let of_the_other = other.heard.next.as_deref().unwrap().rsplit_once('/').unwrap().1;
        assert_eq!(token.len(), 22, "128 bits");
        for (what, url) in [
            ("no token", format!("{path}/x")),
            ("half a token", format!("{path}/{}", &token[..11])),
            ("another message's token", format!("{path}/{of_the_other}")),
            ("another case", format!("{path}/{}", token.to_lowercase() + "A")),
        ] {
            let request = signed_by_vonage(vonage_tells(&world, &url, &body), &body, seconds);
            let answer = request.send().await;
            assert!(!answer.text.contains("talk"), "{what}");
            answer.expect_problem(403, "signature_invalid");
        }
        if has_secret {
            let tampered = json!({"uuid": call.id, "dtmf": {"digits": "2", "timed_out": false}});
            for (what, request) in [
                ("not signed", vonage_tells(&world, &next, &body)),
                ("another body", signed_by_vonage(vonage_tells(&world, &next, &tampered), &body, seconds)),
                ("too old", signed_by_vonage(vonage_tells(&world, &next, &body), &body, seconds - 301)),
            ] {
                let answer = request.send().await;
                assert!(!answer.text.contains("talk"), "{what}");
                answer.expect_problem(403, "signature_invalid");
            }
        }
        let tell = |body: &Value| signed_by_vonage(vonage_tells(&world, &next, body), body, seconds).send();
        // Nothing that is told apart: nothing said.
        for body in [json!({}), json!([]), json!({"uuid": call.id}), json!({"uuid": other.id, "dtmf": {"digits": ""}})]
        {
            assert_eq!(tell(&body).await.expect(200), json!([]), "{body}");
        }
        assert_eq!(
            ncco(&tell(&json!({"uuid": other.id, "dtmf": {"digits": "1"}})).await.expect(200)).unwrap().code(),
            None
        );
        let code = ncco(&tell(&body).await.expect(200)).unwrap().code().unwrap();
        world.answer(&challenge, &code).await.expect(200);
    }
}

#[tokio::test]
async fn a_token_of_a_call_without_a_gate_opens_none() {
    let world = World::vonage();
    let (_, gated) = called(&world, &world.british_number()).await;
    world.patch("/v1/instance", &json!({"voice": {"gate": "off"}})).await.expect(200);
    let (_, open) = called(&world, &world.british_number()).await;
    let events = open.events.clone().unwrap();
    let key = json!({"uuid": open.id, "dtmf": {"digits": "1"}});
    assert_eq!(vonage_tells(&world, &events, &key).send().await.expect(200), json!([]));
    // The gate of a call that waits stays shut though the setting has changed meanwhile, and opens with a key.
    assert!(gated.hear(&world).await.code().is_some());
}

#[tokio::test]
async fn a_hundred_keys_at_once_tell_one_code_and_one_event() {
    let world = World::twilio();
    let (challenge, call) = called(&world, &world.number()).await;
    let next = call.heard.next.clone().unwrap();
    let keys = (0..100).map(|_| twilio_tells(&world, &next, &[("CallSid", &call.id), ("Digits", "1")])).collect();
    let answers = at_once(keys).await;
    assert_eq!(count(&answers, 200, ""), 100);
    let codes: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| twiml(&answer.text).unwrap().code().expect("a code")).collect();
    assert_eq!(codes.len(), 1);
    let events = "SELECT count(*) FROM audit_events WHERE type = 'voice.delivered'";
    assert_eq!(world.here().database.number(events), 1);
    world.answer(&challenge, codes.first().unwrap()).await.expect(200);
}

#[tokio::test]
async fn a_code_that_is_called_is_nowhere_but_in_the_call() {
    let world = World::twilio();
    world.patch("/v1/instance", &json!({"codes": {"length": 10}})).await.expect(200);
    let (challenge, call) = called(&world, &world.number()).await;
    seen();
    let heard = call.hear(&world).await;
    // Our answer to the carrier is the one place, and there in words.
    let told: Vec<_> = seen().into_iter().filter(|answer| answer.text.contains("<Say")).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].header("cache-control"), Some("no-store"));
    let code = heard.code().unwrap();
    assert_eq!(code.len(), 10);
    world.answer(&challenge, &world.wrong(&code)).await;
    world.get("/v1/audit-events").await.expect(200);
    message(&world, &challenge["message_id"]).await;
    let spelt = heard.words.iter().skip(1).take(3).cloned().collect::<Vec<_>>().join(" ");
    let answers: Vec<String> = seen().into_iter().map(|answer| answer.text).collect();
    let stored = world.here().database.everything().into_iter().map(|(_, value)| value);
    let secrets: Vec<String> = world
        .here()
        .database
        .query("SELECT seed, code_mac, stamp FROM challenges")
        .iter()
        .flat_map(serde_json::Map::values)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    for place in answers.iter().chain(&world.here().log.lines()) {
        assert!(secrets.iter().all(|secret| !place.contains(secret)), "{place}");
    }
    for place in answers.into_iter().chain(world.here().log.lines()).chain(stored) {
        assert!(!place.contains(&code) && !place.contains(&spelt), "{place}");
    }
}
