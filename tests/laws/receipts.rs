//! Law 7 after the carrier's answer: each report is kept as it came, moves its try and then its message, never backwards;
//! it is believed for what went out with the credential that signed it, under the settings of now.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use postern::ports::Clock;
use serde_json::{Value, json};

use super::failover;
use crate::support::{
    Behaviour, World, at_once, count,
    receipts::{Form, both, read, receipt, sign, store, taken, twilio, twilio_json, twilio_with, vonage, vonage_at},
    steps, vars,
};

const BASE: &str = "http://127.0.0.1:9";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// An SMS that went out: its id, and the carrier's.
async fn sent(world: &World, number: &str) -> (String, String) {
    let challenge = world.challenge(number).await;
    let id = text(&challenge["message_id"]);
    let provider_id = text(&read(world, &id).await["message"]["provider_id"]);
    (id, provider_id)
}

async fn status(world: &World, id: &str) -> String {
    text(&read(world, id).await["message"]["status"])
}

fn events(world: &World, kind: &str) -> i64 {
    world.here().database.number(&format!("SELECT count(*) FROM audit_events WHERE type = '{kind}'"))
}

fn now(world: &World) -> i64 {
    world.here().clock.now().millis() / 1000
}

#[tokio::test]
async fn two_hundred_equal_reports_at_once_are_one_event_and_one_receipt() {
    for world in [World::twilio(), World::vonage()] {
        let number = world.british_number();
        store(&world, "countries.sms.allowed", &json!(["*"]));
        let (id, sid) = sent(&world, &number).await;
        let copy = world.carriers.sent_to(&number).remove(0);
        let report = || {
            if copy.carrier == "twilio" {
                twilio(&world, &id, &sid, "delivered")
            } else {
                vonage(&world, &copy, &sid, "delivered")
            }
        };
        let answers = at_once((0..200).map(|_| report()).collect()).await;
        assert_eq!(count(&answers, 204, ""), 200);
        assert_eq!(events(&world, "sms.delivered"), 1);
        let read = read(&world, &id).await;
        assert_eq!((&read["message"]["status"], &read["receipts"][0]["times"]), (&json!("delivered"), &json!(200)));
        assert_eq!(read["receipts"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_report_takes_one_round_trip() {
    let world = World::twilio();
    let (id, sid) = sent(&world, &world.number()).await;
    let batches = world.here().database.batches();
    taken(twilio(&world, &id, &sid, "delivered")).await;
    assert_eq!(world.here().database.batches() - batches, 1);
}

#[tokio::test]
async fn a_long_sms_of_vonage_is_delivered_with_its_last_part() {
    let world = World::vonage();
    let number = world.british_number();
    let part = |id: &str| json!({"to": number.trim_start_matches('+'), "message-id": id, "status": "0"});
    let parts = json!({"message-count": "3", "messages": [part("P1"), part("P2"), part("P3")]});
    world.carriers.behave_for(&number, Behaviour::Answer(200, parts.to_string()));
    let (id, first) = sent(&world, &number).await;
    let copy = world.carriers.sent_to(&number).remove(0);
    assert_eq!((first.as_str(), read(&world, &id).await["tries"][0]["segments"].as_i64()), ("P1", Some(3)));
    for (part, wanted) in [("P2", "sent"), ("P2", "sent"), ("P1", "sent"), ("P3", "delivered")] {
        taken(vonage(&world, &copy, part, "delivered")).await;
        assert_eq!(status(&world, &id).await, wanted, "{part}");
    }
    assert_eq!(events(&world, "sms.delivered"), 1);

    // One part that is lost makes the rest worthless.
    world.carriers.behave_for(&number, Behaviour::Answer(200, parts.to_string()));
    world.here().clock.advance(Duration::from_secs(60));
    let (id, _) = sent(&world, &number).await;
    let copy = world.carriers.sent_to(&number).remove(1);
    for (part, state, wanted) in [
        ("P1", "delivered", "sent"),
        ("P2", "failed", "failed"),
        ("P2", "delivered", "failed"),
        ("P3", "delivered", "failed"),
    ] {
        taken(vonage(&world, &copy, part, state)).await;
        assert_eq!(status(&world, &id).await, wanted, "{part} {state}");
    }
    assert_eq!(read(&world, &id).await["message"]["error_code"], "6");
}

#[tokio::test]
async fn vonages_states_move_forward_in_whatever_order_and_form_they_come() {
    let cases: [(&[&str], &str, usize); 7] = [
        (&["accepted", "buffered", "delivered"], "delivered", 3),
        (&["delivered", "accepted", "failed", "expired"], "delivered", 4),
        (&["rejected", "delivered"], "failed", 2),
        (&["expired"], "failed", 1),
        (&["unknown", "something_new"], "sent", 2),
        (&["buffered", "buffered", "unknown"], "sent", 2),
        (&["unknown", "delivered"], "delivered", 2),
    ];
    for form in Form::ALL {
        for (reports, wanted, kept) in cases {
            let world = World::vonage();
            let number = world.british_number();
            let (id, part) = sent(&world, &number).await;
            let url = text(&json!(world.carriers.sent_to(&number)[0].field("callback")));
            for report in reports {
                taken(vonage_at(&world, &url, &receipt(&part, report), form)).await;
            }
            let read = read(&world, &id).await;
            assert_eq!(read["message"]["status"], wanted, "{form:?} {reports:?}");
            let receipts = read["receipts"].as_array().unwrap();
            assert_eq!(receipts.len(), kept, "{reports:?}");
            assert!(receipts.iter().all(|one| one["driver"] == "vonage"));
            assert!(receipts.iter().any(|one| one["carrier_status"] == reports[0]));
        }
    }
}

#[tokio::test]
async fn a_report_may_come_before_the_carriers_answer_was_written_down() {
    let world = World::vonage();
    world.get("/v1/instance").await.expect(200);
    let number = world.british_number();
    let mut create = Box::pin(world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}})).send());
    steps(&mut create, 3).await;
    let copy = world.carriers.sent_to(&number).remove(0);
    taken(vonage(&world, &copy, "M0", "delivered")).await;
    let id = text(&create.await.expect(201)["message_id"]);
    let read = read(&world, &id).await;
    assert_eq!((&read["message"]["status"], &read["tries"][0]["outcome"]), (&json!("delivered"), &json!("accepted")));
    assert_eq!((&read["message"]["provider_id"], events(&world, "sms.delivered")), (&json!("M0"), 1));
}

#[tokio::test]
async fn a_message_of_two_tries_is_delivered_by_either_and_failed_by_both() {
    // Vonage hung and may have sent; Twilio took it.
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("vonage", "delivered")], "delivered"),
        (&[("vonage", "failed")], "sent"),
        (&[("twilio", "failed")], "sent"),
        (&[("twilio", "failed"), ("vonage", "failed")], "failed"),
        (&[("twilio", "failed"), ("vonage", "delivered")], "delivered"),
    ];
    for (reports, wanted) in cases {
        let world = both(&["vonage", "twilio"]);
        let number = world.number();
        world.carriers.behave_as("vonage", None, Behaviour::Hang);
        let (id, sid) = sent(&world, &number).await;
        let copies = world.carriers.sent_to(&number);
        assert_eq!((copies[0].carrier, copies[1].carrier), ("vonage", "twilio"));
        for (carrier, state) in reports {
            match *carrier {
                "vonage" => taken(vonage(&world, &copies[0], "M0", state)).await,
                _ => taken(twilio(&world, &id, &sid, state)).await,
            };
        }
        assert_eq!(status(&world, &id).await, wanted, "{reports:?}");
        assert_eq!(
            (events(&world, "sms.delivered"), events(&world, "sms.failed")),
            (i64::from(wanted == "delivered"), i64::from(wanted == "failed")),
            "{reports:?}"
        );
    }
}

#[tokio::test]
async fn what_was_never_taken_cannot_be_delivered() {
    let world = both(&["vonage", "twilio"]);
    let number = world.number();
    world.carriers.behave_as("vonage", None, failover::vonage("1"));
    let (id, _) = sent(&world, &number).await;
    let copy = world.carriers.sent_to(&number).remove(0);
    taken(vonage(&world, &copy, "M0", "delivered")).await;
    let read = read(&world, &id).await;
    assert_eq!(
        (&read["message"]["status"], read["receipts"].as_array().unwrap().len()),
        (&json!("sent"), 1),
        "kept, and no more"
    );
}

#[tokio::test]
async fn json_of_twilio_is_believed_for_its_digest() {
    let world = World::twilio();
    let (id, sid) = sent(&world, &world.number()).await;
    let body = json!({"MessageSid": sid, "MessageStatus": "delivered"});
    let changed = twilio_json(&world, &id, &body).json(&json!({"MessageSid": sid, "MessageStatus": "failed"}));
    changed.send().await.expect_problem(403, "signature_invalid");
    assert_eq!(status(&world, &id).await, "sent");
    taken(twilio_json(&world, &id, &body)).await;
    assert_eq!(status(&world, &id).await, "delivered");
}

#[tokio::test]
async fn only_the_address_that_vonage_was_told_reports() {
    let world = World::vonage();
    let number = world.british_number();
    let (id, part) = sent(&world, &number).await;
    let (other, _) = sent(&world, &world.british_number()).await;
    let copy = world.carriers.sent_to(&number).remove(0);
    let url = text(&json!(copy.field("callback")));
    assert!(url.len() <= 100, "{url}");
    let token = url.rsplit('/').next().unwrap();
    assert_eq!(token.len(), 43);
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    let forged = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        url.replace(token, &URL_SAFE_NO_PAD.encode(bytes))
    };
    let before = world.here().database.query("SELECT * FROM messages");
    for bad in [
        forged(0),
        forged(15),
        forged(16),
        forged(31),
        url.replace(token, &token[..42]),
        url.replace(token, &id),
        format!("{url}A"),
    ] {
        for form in Form::ALL {
            let answer = vonage_at(&world, &bad, &receipt(&part, "delivered"), form).send().await;
            answer.expect_problem(403, "signature_invalid");
        }
    }
    assert_eq!(world.here().database.query("SELECT * FROM messages"), before);
    assert_eq!(events(&world, "callback.refused"), 1);
    taken(vonage(&world, &copy, &part, "delivered")).await;
    assert_eq!((status(&world, &id).await, status(&world, &other).await), ("delivered".to_owned(), "sent".to_owned()));
}

#[tokio::test]
async fn with_a_signature_secret_the_signature_counts_too() {
    let mut bindings = vars::prod_vonage(BASE);
    bindings.insert("VONAGE_SIGNATURE_SECRET".to_owned(), json!(vars::VONAGE_SIGNATURE));
    for (form, bytes) in Form::ALL.into_iter().zip([20, 32, 64]) {
        let world = World::native(&bindings);
        let number = world.british_number();
        let (id, part) = sent(&world, &number).await;
        let url = text(&json!(world.carriers.sent_to(&number)[0].field("callback")));
        let good = |status: &str| sign(receipt(&part, status), vars::VONAGE_SIGNATURE, bytes, now(&world));
        let mut changed = good("failed");
        changed[5].1 = "delivered".to_owned();
        for bad in [
            receipt(&part, "delivered"),
            changed,
            sign(receipt(&part, "delivered"), "another-secret", bytes, now(&world)),
            sign(receipt(&part, "delivered"), vars::VONAGE_SIGNATURE, bytes, now(&world) - 301),
            sign(receipt(&part, "delivered"), vars::VONAGE_SIGNATURE, bytes, now(&world) + 301),
        ] {
            vonage_at(&world, &url, &bad, form).send().await.expect_problem(403, "signature_invalid");
        }
        assert_eq!(status(&world, &id).await, "sent");
        // Replayed within the window, it is the same report.
        for _ in 0..2 {
            taken(vonage_at(&world, &url, &good("delivered"), form)).await;
        }
        assert_eq!((status(&world, &id).await.as_str(), events(&world, "sms.delivered")), ("delivered", 1), "{form:?}");
    }
}

#[tokio::test]
async fn a_report_is_held_against_the_token_that_its_message_went_out_with() {
    let world = World::twilio();
    let (old, old_sid) = sent(&world, &world.number()).await;
    let mut bindings = vars::prod_twilio(BASE);
    bindings.insert("TWILIO_AUTH_TOKEN".to_owned(), json!("another-token-0123456789abcdef"));
    let rotated = World::on(&world.here().redeploy(&bindings));
    // What was sent with a token that nobody has any more is not believed; nor is the new one for it.
    twilio(&rotated, &old, &old_sid, "delivered").send().await.expect_problem(403, "signature_invalid");
    let fields = [("MessageSid", old_sid.as_str()), ("MessageStatus", "delivered")];
    taken(twilio_with(&rotated, "another-token-0123456789abcdef", &old, &fields)).await;
    let read = read(&world, &old).await;
    assert_eq!((&read["message"]["status"], &read["receipts"]), (&json!("sent"), &json!([])));
    taken(twilio(&world, &old, &old_sid, "delivered")).await;
    assert_eq!(status(&world, &old).await, "delivered");
}

#[tokio::test]
async fn settings_that_changed_elsewhere_hold_for_the_next_report() {
    // A public URL cannot change without a deployment; a version can.
    let world = World::twilio();
    let (id, sid) = sent(&world, &world.number()).await;
    store(&world, "voice.from_number", &json!("+15005550007"));
    let batches = world.here().database.batches();
    taken(twilio(&world, &id, &sid, "delivered")).await;
    assert_eq!(world.here().database.batches() - batches, 3, "stale, read, done");
    assert_eq!((status(&world, &id).await.as_str(), events(&world, "sms.delivered")), ("delivered", 1));
}

#[tokio::test]
async fn a_carrier_that_babbles_fills_no_table() {
    let world = World::vonage();
    let number = world.british_number();
    let (id, _) = sent(&world, &number).await;
    let copy = world.carriers.sent_to(&number).remove(0);
    let reports = (0..150).map(|part| vonage(&world, &copy, &format!("P{part}"), "accepted")).collect();
    assert_eq!(count(&at_once(reports).await, 204, ""), 150);
    let sql = format!("SELECT count(*) FROM message_receipts WHERE message_id = '{id}'");
    assert_eq!(world.here().database.number(&sql), 100);
    for word in ["", "a b", "\u{7}", &"x".repeat(41)] {
        taken(vonage(&world, &copy, "P0", word)).await;
        taken(vonage(&world, &copy, word, "delivered")).await;
    }
    assert_eq!(world.here().database.number(&sql), 100);
}

#[tokio::test]
async fn without_a_way_back_no_receipt_is_asked_for_and_health_says_so() {
    let with = |mut all: vars::Vars, name: &str, value: Value| {
        if value.is_null() {
            all.remove(name)
        } else {
            all.insert(name.to_owned(), value)
        };
        all
    };
    let by_key = with(vars::prod_twilio(BASE), "TWILIO_API_KEY_SID", json!("SK0123456789abcdef0123456789abcdef"));
    let by_key = with(with(by_key, "TWILIO_API_KEY_SECRET", json!("secret")), "TWILIO_AUTH_TOKEN", Value::Null);
    let long = json!("https://login.an-example-with-a-long-name.com");
    let cases = [
        (vars::prod_twilio(BASE), None),
        (vars::prod_vonage(BASE), None),
        (vars::null(), None),
        (with(vars::prod_twilio(BASE), "PUBLIC_URL", Value::Null), Some("PUBLIC_URL")),
        (with(vars::prod_vonage(BASE), "PUBLIC_URL", json!("http://login.example.com")), Some("PUBLIC_URL")),
        (with(vars::prod_vonage(BASE), "PUBLIC_URL", long.clone()), Some("100 characters")),
        (with(vars::prod_twilio(BASE), "PUBLIC_URL", long), None),
        (by_key, Some("TWILIO_AUTH_TOKEN")),
    ];
    for (bindings, wanted) in cases {
        let world = World::native(&bindings);
        let check = world.get("/health").await.expect(200)["checks"]["receipts"].clone();
        assert_eq!(check["status"], "ok");
        assert_eq!(check["detail"].is_null(), wanted.is_none(), "{check}");
        assert!(check["detail"].as_str().unwrap_or_default().contains(wanted.unwrap_or_default()), "{check}");
        let number = if bindings.contains_key("VONAGE_API_KEY") { world.british_number() } else { world.number() };
        world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
        for copy in world.carriers.sent_to(&number) {
            let asked = copy.field("callback").or(copy.field("StatusCallback"));
            assert_eq!(asked.is_some(), wanted.is_none(), "{check}");
        }
    }
}
