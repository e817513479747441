//! Templates: a change holds everywhere at once (law 1), costs no round trip (law 3), loses no code, and hands messages over
//! to somebody who hears of them, or to nobody.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{World, at_once, page::Page, vars};

const SMS: &str = "/v1/sms-templates/verification_code";
const BASE: &str = "http://127.0.0.1:9";

async fn write(world: &World, path: &str, change: Value) -> Value {
    world.patch(path, &change).await.expect(200)
}

/// The newest SMS to a number, as the carrier got it.
fn got(world: &World, number: &str) -> String {
    world.carriers.sent_to(number).pop().expect("an SMS").body
}

/// The language of the message of a challenge.
async fn language(world: &World, body: Value) -> Value {
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    let path = format!("/v1/messages/{}", challenge["message_id"].as_str().unwrap());
    world.get(&path).await.expect(200)["message"]["locale"].clone()
}

/// Puts an endpoint there that hears these types.
fn endpoint(world: &World, types: &Value) {
    world.here().database.execute(&format!(
        "INSERT INTO webhook_endpoints (id, url, events, secret, created_at, updated_at, stamp)
         VALUES ('whe_01M83WM7ZA000G40R40M30E209', 'https://hooks.example.com', '{types}', 'k1.x', 0, 0, '')
           ON CONFLICT (id) DO UPDATE SET events = excluded.events;
         UPDATE instance SET version = version + 1"
    ));
}

#[tokio::test]
async fn a_change_holds_at_once_in_every_isolate() {
    let world = World::twilio();
    let other = World::on(&world.here().isolate());
    let number = world.number();
    other.challenge(&number).await;
    write(&world, SMS, json!({"body": "{{otp_code}} one"})).await;
    let (number, read) = (world.number(), other.get(SMS).await);
    assert_eq!(read.expect(200)["locales"]["en"]["body"], "{{otp_code}} one");
    other.challenge(&number).await;
    assert!(got(&world, &number).ends_with(" one"), "{}", got(&world, &number));
    world.request("POST", &format!("{SMS}/revert")).send().await.expect(200);
    let number = world.number();
    other.challenge(&number).await;
    assert!(got(&world, &number).contains("is your Example code."), "{}", got(&world, &number));
    // And what an app and the instance speak.
    let app = world.post("/v1/apps", &json!({"name": "Loja", "locale": "pt"})).await.expect(201);
    let number = world.number();
    let body = json!({"to": {"phone": number}, "app_id": app["id"]});
    assert_eq!(language(&other, body.clone()).await, "pt");
    let path = format!("/v1/apps/{}", app["id"].as_str().unwrap());
    world.patch(&path, &json!({"locale": null})).await.expect(200);
    world.patch("/v1/instance", &json!({"messages": {"locale": "fr"}})).await.expect(200);
    let body = json!({"to": {"phone": world.number()}, "app_id": app["id"]});
    assert_eq!(language(&other, body).await, "fr");
}

#[tokio::test]
async fn texts_cost_no_round_trip() {
    let world = World::null();
    for locale in ["en", "es", "nl", "pt-BR"] {
        write(&world, SMS, json!({"locale": locale, "body": "{{otp_code}} {{user.first_name}}"})).await;
    }
    let (user, _, _) = world.user_with_phone().await;
    let sent = world.post("/v1/challenges", &json!({"to": {"phone": world.number()}, "locale": "nl"})).await;
    assert_eq!((sent.status, sent.round_trips()), (201, 1));
    let sent = world.post("/v1/challenges", &json!({"user_id": user})).await;
    assert_eq!((sent.status, sent.round_trips()), (201, 2));
    let factors = format!("/v1/users/{user}/factors");
    let body = json!({"type": "phone", "phone": world.number(), "locale": "es", "override": {"reason": "x"}});
    let sent = world.post(&factors, &body).await;
    assert_eq!((sent.status, sent.round_trips()), (201, 1));
    // Whoever names no language has the user's read.
    let body = json!({"type": "phone", "phone": world.number(), "override": {"reason": "x"}});
    let sent = world.post(&factors, &body).await;
    assert_eq!((sent.status, sent.round_trips()), (201, 2));
}

/// Changes of different languages at the same time: each that is told to hold does.
#[tokio::test]
async fn of_changes_at_once_none_is_lost() {
    let world = World::null();
    let languages = ["nl", "it", "sv", "fi", "da", "pl", "cs", "el"];
    let change = |tag: &&str| {
        world.request("PATCH", SMS).json(&json!({"locale": tag, "body": format!("{{{{otp_code}}}} {tag}")}))
    };
    let answers = at_once(languages.iter().map(change).collect()).await;
    let read = world.get(SMS).await.expect(200);
    let mut held = 0;
    for (tag, answer) in languages.iter().zip(answers) {
        let is_there = read["locales"][tag]["body"] == format!("{{{{otp_code}}}} {tag}");
        assert_eq!(is_there, answer.status == 200, "{tag}: {}", answer.text);
        held += usize::from(is_there);
    }
    assert!(held > 0);
    let events = "SELECT count(*) AS number FROM audit_events WHERE type = 'template.updated'";
    assert_eq!(world.here().database.number(events), i64::try_from(held).unwrap());
}

#[tokio::test]
async fn a_text_that_becomes_too_long_is_cut_and_its_code_works() {
    let world = World::twilio();
    // 60 characters in the place of 12.
    let body = format!("{} {{{{otp_code}}}}", "{{app.name}}{{app.url}}".repeat(60));
    assert!(body.len() <= 1600);
    write(&world, SMS, json!({"body": body})).await;
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let sent = got(&world, &number);
    assert_eq!(sent.encode_utf16().count(), 1600);
    let code: String = sent.chars().take(6).collect();
    world.answer(&challenge, &code).await.expect(200);
}

#[tokio::test]
async fn a_reset_says_so_and_its_further_codes_too() {
    let world = World::native(&vars::prod_mail(BASE));
    let page = Page::new(&world).await;
    let address = world.address();
    let user = json!({"email": address, "name": "Ana Lúcia Silva", "locale": "es-AR"});
    let user = world.post("/v1/users", &user).await.expect(201);
    let password = json!({"type": "password", "password": "seven owls in a barn at dusk"});
    world.post(&format!("/v1/users/{}/factors", user["id"].as_str().unwrap()), &password).await.expect(201);
    let text = json!({"locale": "es", "subject": "{{otp_code}}!", "body": "{{user.first_name}}|{{user.last_name}}\n\n{{otp_code}}"});
    write(&world, "/v1/email-templates/reset_password_code", text).await;
    let flow = page.begin("password-resets", json!({"identifier": address})).await;
    let reset = |count: usize| {
        let sent = world.carriers.mail.sent_to(&address);
        let resets: Vec<_> = sent.into_iter().filter(|mail| mail.subject.ends_with('!')).collect();
        assert_eq!(
            resets.len(),
            count,
            "{:?}",
            world.here().database.query("SELECT template, locale, status, reason, destination FROM messages")
        );
        resets.last().unwrap().text.clone()
    };
    let first = reset(1);
    assert!(first.starts_with("Ana|Lúcia Silva\n\n"), "{first}");
    world.here().clock.advance(Duration::from_secs(31));
    let id = flow.begun["challenge"]["id"].as_str().unwrap();
    flow.post(&format!("challenges/{id}/resend"), json!({})).await.expect(200);
    assert_ne!(reset(2), first);
    let rows =
        world.here().database.query("SELECT DISTINCT template, locale FROM messages WHERE challenge_id IS NOT NULL");
    assert_eq!(json!(rows), json!([{"template": "reset_password_code", "locale": "es"}]));
    // Of somebody unknown it looks the same.
    let nobody = page.begin("password-resets", json!({"identifier": world.address()})).await;
    world.here().clock.advance(Duration::from_secs(31));
    let id = nobody.begun["challenge"]["id"].as_str().unwrap();
    nobody.post(&format!("challenges/{id}/resend"), json!({})).await.expect(200);
}

#[tokio::test]
async fn a_name_brings_no_line_no_link_and_no_template() {
    let world = World::twilio();
    write(&world, SMS, json!({"body": "{{otp_code}} {{user.first_name}}|{{user.last_name}}"})).await;
    for (name, wanted) in [
        ("Ana Silva", "Ana|Silva"),
        ("Ana", "Ana|"),
        ("{{otp_code}} x", "otp|code x"),
        ("https://evil.example/x y", "https|evil example x y"),
        ("a@b.c +1 415 555 2671", "a|b c 1 415"),
    ] {
        let (user, _, number) = world.user_with_phone().await;
        world.patch(&format!("/v1/users/{user}"), &json!({"name": name})).await.expect(200);
        world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
        let sent = got(&world, &number);
        assert_eq!(sent.split_once(' ').unwrap().1, wanted, "{name}");
    }
}

#[tokio::test]
async fn the_sender_of_a_template_reaches_the_carriers() {
    let world = World::twilio();
    write(&world, SMS, json!({"from_number_override": "+15005550099"})).await;
    write(&world, "/v1/voice-templates/verification_code", json!({"from_number_override": "+15005550098"})).await;
    let number = world.number();
    world.challenge(&number).await;
    assert_eq!(world.carriers.sent_to(&number).pop().unwrap().from, "+15005550099");
    let number = world.number();
    world.call(&number).await;
    assert_eq!(world.carriers.calls_to(&number).pop().unwrap().from, "+15005550098");
    // Another template has the driver's.
    let number = world.number();
    let user = world.post("/v1/users", &json!({})).await.expect(201);
    let body = json!({"type": "phone", "phone": number});
    world.post(&format!("/v1/users/{}/factors", user["id"].as_str().unwrap()), &body).await.expect(201);
    assert_eq!(world.carriers.sent_to(&number).pop().unwrap().from, vars::SENDER);
    let world = World::vonage();
    write(&world, SMS, json!({"from_number_override": "Example"})).await;
    let number = world.british_number();
    world.challenge(&number).await;
    assert_eq!(world.carriers.sent_to(&number).pop().unwrap().from, "Example");
}

/// Handed over: nobody is asked to carry it, the event says that it is there, and the code lives.
#[tokio::test]
async fn what_others_deliver_goes_to_no_carrier() {
    for broken in [false, true] {
        let mut bindings = vars::prod_mail(BASE);
        // A carrier that is set up wrongly stops nothing of it.
        if broken {
            bindings.remove("TWILIO_AUTH_TOKEN");
            bindings.remove("RESEND_API_KEY");
        }
        let world = World::native(&bindings);
        for (channel, path) in [("sms", "sms"), ("voice", "voice"), ("email", "email")] {
            write(&world, &format!("/v1/{path}-templates/verification_code"), json!({"delivered_by_us": false})).await;
            let to =
                if channel == "email" { json!({"email": world.address()}) } else { json!({"phone": world.number()}) };
            let body = json!({"to": to, "channel": channel});
            let refused = world.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
            assert!(refused["detail"].as_str().unwrap().contains(&format!("{channel}.queued")), "{refused}");
        }
        let before = world.here().database.everything().len();
        // Who hears them among others is not who delivers them.
        endpoint(&world, &json!(["sms.*", "*", "voice.*", "email.*"]));
        let body = json!({"to": {"phone": world.number()}});
        world.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
        endpoint(&world, &json!(["sms.queued", "voice.queued", "email.queued"]));
        assert!(world.here().database.everything().len() > before);
        for channel in ["sms", "voice", "email"] {
            let to =
                if channel == "email" { json!({"email": world.address()}) } else { json!({"phone": world.number()}) };
            let challenge = world.post("/v1/challenges", &json!({"to": to, "channel": channel})).await.expect(201);
            let id = challenge["message_id"].as_str().unwrap();
            let read = world.get(&format!("/v1/messages/{id}")).await.expect(200);
            let message = &read["message"];
            assert_eq!((&message["status"], &message["driver"]), (&json!("handed_over"), &json!("null")), "{message}");
            assert_eq!((&message["cost_class"], &read["tries"]), (&json!("none"), &json!([])));
            let event = format!("SELECT type, outcome FROM audit_events WHERE subject_id = '{id}'");
            let told = json!([{"type": format!("{channel}.queued"), "outcome": "success"}]);
            assert_eq!(json!(world.here().database.query(&event)), told);
            let delivery = "SELECT count(*) AS number FROM webhook_deliveries WHERE event_type = ";
            assert_eq!(world.here().database.number(&format!("{delivery}'{channel}.queued'")), 1);
            world.answer(&challenge, "00000").await.expect_problem(422, "form_code_incorrect");
        }
        assert_eq!((world.carriers.sent().len(), world.carriers.calls().len()), (0, 0));
        assert_eq!(world.carriers.mail.sent().len(), 0);
    }
}

/// The same limits, the same switch, the same receiver outside prod.
#[tokio::test]
async fn what_others_deliver_keeps_to_every_rule() {
    let world = World::native(&vars::dev_twilio(BASE));
    write(&world, SMS, json!({"delivered_by_us": false})).await;
    endpoint(&world, &json!(["sms.queued"]));
    let number = world.number();
    world.get("/v1/instance").await.expect(200);
    let sent = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
    assert_eq!(sent.round_trips(), 1);
    let challenge = sent.expect(201);
    let id = challenge["message_id"].as_str().unwrap();
    let row = world.here().database.query(&format!("SELECT redirected_to, status FROM messages WHERE id = '{id}'"));
    assert_eq!(json!(row), json!([{"redirected_to": vars::RECEIVER, "status": "handed_over"}]));
    // No code stands in a row, but in the dev inbox.
    let code = world.code(&number).await;
    let everything = world.here().database.everything();
    assert!(everything.iter().all(|(table, row)| table == "dev_inbox" || !row.contains(&format!("\"{code}\""))));
    world.answer(&challenge, &code).await.expect(200);
    let mut refused = 0;
    for _ in 0..8 {
        let answer = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 4, "five messages in half an hour");
    world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
    let body = json!({"to": {"phone": world.number()}});
    world.post("/v1/challenges", &body).await.expect_problem(503, "sms_disabled");
    // Without a receiver nothing leaves.
    let mut bindings = vars::dev_twilio(BASE);
    bindings.remove("DEV_SMS_RECEIVER");
    let world = World::native(&bindings);
    write(&world, SMS, json!({"delivered_by_us": false})).await;
    endpoint(&world, &json!(["sms.queued"]));
    let refused = world.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
    assert!(refused["detail"].as_str().unwrap().starts_with("DEV_SMS_RECEIVER"), "{refused}");
    // A test number's message is dropped, whoever would deliver it.
    let challenge = world.challenge("+15555550123").await;
    let id = challenge["message_id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/v1/messages/{id}")).await.expect(200)["message"]["reason"], "test_number");
}

/// The person's own language in each kind of message, without being asked for.
#[tokio::test]
async fn people_read_their_own_language() {
    let world = World::native(&vars::prod_mail(BASE));
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address, "locale": "fr-CA"})).await.expect(201);
    let factors = format!("/v1/users/{}/factors", user["id"].as_str().unwrap());
    let number = world.number();
    let enrolled = world.post(&factors, &json!({"type": "phone", "phone": number})).await.expect(201);
    let code = world.code(&number).await;
    let path = format!("{factors}/{}/activate", enrolled["factor"]["id"].as_str().unwrap());
    world.post(&path, &json!({"challenge_id": enrolled["challenge"]["id"], "code": code})).await.expect(200);
    world.post("/v1/challenges", &json!({"user_id": user["id"]})).await.expect(201);
    world.post("/v1/challenges", &json!({"user_id": user["id"], "locale": "de"})).await.expect(201);
    let rows = world.here().database.query("SELECT template, locale FROM messages ORDER BY rowid");
    let wanted = json!([
        {"template": "enrolment_code", "locale": "fr"},
        {"template": "security_notice", "locale": "fr"},
        {"template": "verification_code", "locale": "fr"},
        {"template": "verification_code", "locale": "de"},
    ]);
    assert_eq!(json!(rows), wanted);
    let notice = world.carriers.mail.sent_to(&address).pop().unwrap();
    assert!(notice.html.contains(r#"<html lang="fr""#), "{}", notice.html);
    assert!(!notice.text.contains("{{"), "{}", notice.text);
}
