//! `/v1/callbacks/…`: a report that is proven settles its message, never backwards; all else is a 403 and changes nothing.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

use super::{NOBODY, text};
use crate::support::{Behaviour, Request, Response, World, vars};

const URL: &str = "https://login.example.com";

fn signature(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let pairs = sorted.iter().flat_map(|(name, value)| [*name, *value]).collect::<String>();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(format!("{url}{pairs}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn unsigned(world: &World, path: &str, fields: &[(&str, &str)]) -> Request {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    world.request("POST", path).without("authorization").raw("application/x-www-form-urlencoded", body.into_bytes())
}

async fn report(world: &World, message: &str, fields: &[(&str, &str)]) -> Response {
    let path = format!("/v1/callbacks/twilio/{message}");
    let signature = signature(vars::TOKEN, &format!("{URL}{path}"), fields);
    unsigned(world, &path, fields).header("x-twilio-signature", &signature).send().await
}

/// A message that went out: its id and Twilio's.
async fn sent(world: &World) -> (String, String) {
    let challenge = world.challenge(&world.number()).await;
    let message = read(world, &text(&challenge["message_id"])).await;
    (text(&message["id"]), text(&message["provider_id"]))
}

async fn read(world: &World, message: &str) -> Value {
    world.get(&format!("/v1/messages/{message}")).await.expect(200)["message"].clone()
}

#[tokio::test]
async fn a_report_settles_its_message_and_leaves_an_event() {
    let world = World::twilio();
    let (message, sid) = sent(&world).await;
    world.here().clock.advance(Duration::from_secs(2));
    let fields = [("MessageSid", sid.as_str()), ("MessageStatus", "delivered"), ("ErrorCode", "")];
    report(&world, &message, &fields).await.expect(204);
    let delivered = read(&world, &message).await;
    assert_eq!(
        (&delivered["status"], &delivered["updated_at"]),
        (&json!("delivered"), &json!("2026-11-22T10:00:02.000Z"))
    );
    // Twilio repeats itself.
    world.here().clock.advance(Duration::from_secs(2));
    report(&world, &message, &fields).await.expect(204);
    let events = world.get("/v1/audit-events?type=sms.delivered").await.expect(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 1);
    assert_eq!((&events["data"][0]["subject_id"], &events["data"][0]["actor"]), (&json!(message), &json!("carrier")));

    let (message, sid) = sent(&world).await;
    report(&world, &message, &[("MessageSid", &sid), ("MessageStatus", "undelivered"), ("ErrorCode", "30003")])
        .await
        .expect(204);
    let failed = read(&world, &message).await;
    assert_eq!((&failed["status"], &failed["error_code"]), (&json!("failed"), &json!("30003")));
}

#[tokio::test]
async fn a_status_never_goes_back() {
    let world = World::twilio();
    for last in ["delivered", "undelivered"] {
        let (message, sid) = sent(&world).await;
        report(&world, &message, &[("MessageSid", &sid), ("MessageStatus", last)]).await.expect(204);
        let settled = read(&world, &message).await;
        world.here().clock.advance(Duration::from_secs(1));
        for status in ["queued", "sent", "delivered", "failed", "canceled", "something_new", ""] {
            report(&world, &message, &[("MessageSid", &sid), ("MessageStatus", status)]).await.expect(204);
            assert_eq!(read(&world, &message).await, settled, "{last} then {status}");
        }
    }
}

#[tokio::test]
async fn an_unknown_message_is_settled_by_its_report() {
    let world = World::twilio();
    let number = world.number();
    world.carriers.behave_for(&number, Behaviour::Hang);
    let message = text(&world.challenge(&number).await["message_id"]);
    assert_eq!(read(&world, &message).await["status"], "unknown");
    report(&world, &message, &[("MessageSid", "SM1"), ("MessageStatus", "sent")]).await.expect(204);
    assert_eq!(read(&world, &message).await["status"], "sent");
    report(&world, &message, &[("MessageSid", "SM1"), ("MessageStatus", "delivered")]).await.expect(204);
    assert_eq!(read(&world, &message).await["status"], "delivered");
}

#[tokio::test]
async fn another_messages_sid_and_another_message_settle_nothing() {
    let world = World::twilio();
    let (message, sid) = sent(&world).await;
    let (_, other) = sent(&world).await;
    report(&world, &message, &[("MessageSid", &other), ("MessageStatus", "delivered")]).await.expect(204);
    report(&world, &message, &[("MessageStatus", "delivered")]).await.expect(204);
    report(&world, NOBODY[3].1, &[("MessageSid", &sid), ("MessageStatus", "delivered")]).await.expect(204);
    assert_eq!(read(&world, &message).await["status"], "sent");
    report(&world, "nothing", &[("MessageSid", &sid)]).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn what_is_not_signed_for_this_url_and_these_fields_is_refused() {
    let world = World::twilio();
    let (message, sid) = sent(&world).await;
    let path = format!("/v1/callbacks/twilio/{message}");
    let url = format!("{URL}{path}");
    let fields = [("MessageSid", sid.as_str()), ("MessageStatus", "delivered")];
    let good = signature(vars::TOKEN, &url, &fields);
    let bad = [
        String::new(),
        "hunter2".to_owned(),
        signature("another-token", &url, &fields),
        signature("", &url, &fields),
        signature(vars::TOKEN, &url.replace("https", "http"), &fields),
        signature(vars::TOKEN, &url.replace("login", "evil"), &fields),
        signature(vars::TOKEN, &format!("{url}?x=1"), &fields),
        signature(vars::TOKEN, &url, &fields[..1]),
        good[..good.len() - 4].to_owned(),
    ];
    for signature in bad {
        let answer = unsigned(&world, &path, &fields).header("x-twilio-signature", &signature).send().await;
        answer.expect_problem(403, "signature_invalid");
    }
    let twice = unsigned(&world, &path, &fields).header("x-twilio-signature", &good).also("x-twilio-signature", &good);
    twice.send().await.expect_problem(403, "signature_invalid");
    unsigned(&world, &path, &fields).send().await.expect_problem(403, "signature_invalid");
    let changed = [("MessageSid", sid.as_str()), ("MessageStatus", "failed")];
    let changed = unsigned(&world, &path, &changed).header("x-twilio-signature", &good).send().await;
    changed.expect_problem(403, "signature_invalid");
    let elsewhere = unsigned(&world, &format!("{path}?a=b"), &fields).header("x-twilio-signature", &good).send().await;
    elsewhere.expect_problem(403, "signature_invalid");
    assert_eq!(read(&world, &message).await["status"], "sent");
    assert!(world.here().log.lines().iter().any(|line| line.contains("without a valid signature")));
}

#[tokio::test]
async fn the_query_and_the_standard_port_are_in_the_signature() {
    let world = World::twilio();
    let (message, sid) = sent(&world).await;
    let fields = [("MessageSid", sid.as_str()), ("MessageStatus", "delivered")];
    let path = format!("/v1/callbacks/twilio/{message}?a=b");
    for url in [format!("{URL}{path}"), format!("{URL}:443{path}")] {
        let signature = signature(vars::TOKEN, &url, &fields);
        unsigned(&world, &path, &fields).header("x-twilio-signature", &signature).send().await.expect(204);
    }
}

#[tokio::test]
async fn without_twilio_or_a_public_https_url_nothing_is_believed() {
    let mut without_url = vars::prod_twilio("http://127.0.0.1:9");
    without_url.remove("PUBLIC_URL");
    for world in [World::null(), World::vonage(), World::native(&without_url)] {
        report(&world, NOBODY[3].1, &[("MessageStatus", "delivered")]).await.expect_problem(403, "signature_invalid");
    }
}

#[tokio::test]
async fn what_vonage_may_send_and_nobody_understands_changes_nothing() {
    let world = World::vonage();
    let number = world.british_number();
    let id = text(&world.challenge(&number).await["message_id"]);
    let url = world.carriers.sent_to(&number)[0].field("callback").unwrap().to_owned();
    let path = url.strip_prefix(URL).unwrap();
    let before = read(&world, &id).await;
    let bodies: [(&str, &[u8]); 9] = [
        ("application/json", b""),
        ("application/json", b"[1, 2]"),
        ("application/json", b"{\"messageId\": {}, \"status\": []}"),
        ("application/json", b"{\"messageId\": \"M0\"}"),
        ("application/json", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"\xff=%ff&messageId=%00&status=delivered"),
        ("application/x-www-form-urlencoded", b""),
        ("text/plain", b"messageId=M0"),
        ("", b"status=delivered"),
    ];
    for (media, body) in bodies {
        let request = world.request("POST", path).without("authorization").raw(media, body.to_vec());
        request.send().await.expect(204);
    }
    for query in ["", "?", "?messageId=M0", "?status=delivered&messageId=a%20b", "?%ff=%ff"] {
        let request = world.request("GET", &format!("{path}{query}")).without("authorization");
        request.send().await.expect(204);
    }
    assert_eq!(read(&world, &id).await, before);
    assert_eq!(world.here().database.number("SELECT count(*) FROM message_receipts"), 0);
    let large = world.request("POST", path).without("authorization").raw("application/json", vec![b' '; 65 * 1024]);
    large.send().await.expect_problem(413, "request_too_large");
}
