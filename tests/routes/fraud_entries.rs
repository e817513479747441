//! `/v1/fraud-entries`: the block list and the safe list.

use std::time::Duration;

use postern::time::Timestamp;
use serde_json::{Value, json};

use super::{new_key, text};
use crate::support::World;

const PATH: &str = "/v1/fraud-entries";
const HOUR: Duration = Duration::from_hours(1);

async fn make(world: &World, body: Value) -> Value {
    world.post(PATH, &body).await.expect(201)
}

async fn subjects(world: &World, query: &str) -> Vec<String> {
    let page = world.get(&format!("{PATH}{query}")).await.expect(200);
    page["data"].as_array().unwrap().iter().map(|entry| text(&entry["subject"])).collect()
}

/// How an entry shows what it is about, and under which key the guard looks it up.
fn key(world: &World, entry: &Value) -> String {
    let rows = world.here().database.query("SELECT id, subject FROM fraud_entries");
    text(&rows.iter().find(|row| row["id"] == entry["id"]).unwrap()["subject"])
}

#[tokio::test]
async fn an_entry_says_what_it_is_about_and_when_it_ends() {
    let world = World::null();
    let now = world.now();
    let body = json!({"list": "block", "prefix": "+4479460", "hours": 48, "reason": "complaint 4711"});
    let made = make(&world, body).await;
    assert_eq!(
        made,
        json!({"id": made["id"], "list": "block", "type": "prefix", "subject": "+4479460", "level": 0, "enforced": true,
            "reason": "complaint 4711", "created_by": "key_binding",
            "created_at": Timestamp::from_millis(now).to_string(),
            "expires_at": (Timestamp::from_millis(now) + HOUR * 48).to_string()})
    );
    assert_eq!(world.get(PATH).await.expect(200), json!({"data": [made], "next_cursor": null}));
    let until = (Timestamp::from_millis(now) + HOUR * 24 * 366).to_string();
    let safe = make(&world, json!({"list": "safe", "prefix": "+4479460", "expires_at": until})).await;
    assert_eq!((&safe["expires_at"], &safe["reason"]), (&json!(until), &Value::Null));
}

#[tokio::test]
async fn numbers_and_addresses_are_masked_and_looked_up_by_their_macs() {
    let world = World::null();
    let cases = [
        (json!({"prefix": "+4479460"}), "prefix", "+4479460", "prefix:+4479460"),
        (json!({"phone": "(415) 555-2671"}), "phone", "+1••••••2671", "number:"),
        (json!({"asn": 64_500}), "asn", "64500", "asn:64500"),
        (json!({"ip": "203.0.113.7"}), "ip", "203.0.113.••••", "network:"),
        (json!({"ip": "2001:db8:1:2::7"}), "ip", "2001:db8:1:••••::/64", "network:"),
    ];
    for (mut body, kind, subject, begins) in cases {
        body["list"] = json!("block");
        body["hours"] = json!(1);
        let made = make(&world, body.clone()).await;
        assert_eq!((&made["type"], &made["subject"]), (&json!(kind), &json!(subject)), "{body}");
        let key = key(&world, &made);
        assert!(key.starts_with(begins), "{key}");
        if begins.ends_with(':') {
            assert_eq!(key.len(), begins.len() + 43, "a MAC: {key}");
        }
    }
    // Everybody in one network of 64 bits is one, and so is an address however it is written.
    for (one, other) in [("2001:db8:1:2::7", "2001:db8:1:2:ffff::8"), ("203.0.113.7", "::ffff:203.0.113.7")] {
        let keys = [one, other].map(async |ip| {
            let made = make(&world, json!({"list": "block", "ip": ip, "hours": 1})).await;
            key(&world, &made)
        });
        let [one, other] = keys;
        assert_eq!(one.await, other.await);
    }
}

#[tokio::test]
async fn an_entry_about_the_same_takes_the_earlier_ones_place() {
    let world = World::null();
    let first = make(&world, json!({"list": "block", "prefix": "+4479460", "hours": 1, "reason": "first"})).await;
    // What the guard has made is replaced too, with its level.
    world.here().database.execute("UPDATE fraud_entries SET level = 3, enforced = 0, created_by = 'fraud_guard'");
    world.here().clock.advance(HOUR / 2);
    let (_, key) = new_key(&world, &["instance:write"]).await;
    let body = json!({"list": "block", "prefix": "+4479460", "hours": 5});
    let second = world.request("POST", PATH).key(&key).json(&body).send().await.expect(201);
    assert_ne!(second["id"], first["id"]);
    assert_eq!(
        (&second["level"], &second["enforced"], &second["reason"]),
        (&json!(0), &json!(true), &Value::Null),
        "{second}"
    );
    assert!(text(&second["created_by"]).starts_with("key_0"), "{second}");
    assert_eq!(world.get(PATH).await.expect(200)["data"], json!([second]));
    world.delete(&format!("{PATH}/{}", text(&first["id"]))).await.expect_problem(404, "resource_not_found");
    // Both lists may have it.
    make(&world, json!({"list": "safe", "prefix": "+4479460", "hours": 1})).await;
    assert_eq!(subjects(&world, "").await, ["+4479460", "+4479460"]);
}

#[tokio::test]
async fn lists_are_newest_first_apart_or_together_in_pages_and_without_what_has_ended() {
    let world = World::null();
    for (list, asn, hours) in [("block", 1, 1), ("block", 2, 9), ("block", 3, 9)] {
        make(&world, json!({"list": list, "asn": asn, "hours": hours})).await;
        world.here().clock.advance(Duration::from_millis(1));
    }
    make(&world, json!({"list": "safe", "prefix": "+44", "hours": 9})).await;
    assert_eq!(subjects(&world, "").await, ["+44", "3", "2", "1"]);
    assert_eq!(subjects(&world, "?list=block").await, ["3", "2", "1"]);
    assert_eq!(subjects(&world, "?list=safe").await, ["+44"]);
    let first = world.get(&format!("{PATH}?list=block&limit=2")).await.expect(200);
    let rest = format!("?list=block&limit=2&cursor={}", text(&first["next_cursor"]));
    assert_eq!(subjects(&world, &rest).await, ["1"]);
    world.here().clock.advance(Duration::from_millis(3_600_000 - 4));
    assert_eq!(subjects(&world, "").await.len(), 4);
    world.here().clock.advance(Duration::from_millis(1));
    assert_eq!(subjects(&world, "").await, ["+44", "3", "2"], "to the millisecond");
    assert_eq!(subjects(&world, "?list=block").await, ["3", "2"]);
}

#[tokio::test]
async fn what_is_not_about_one_thing_for_some_time_is_refused_by_field() {
    let world = World::null();
    let moment = |distance: Duration, past: bool| {
        let now = Timestamp::from_millis(world.now());
        if past { now.before(distance).to_string() } else { (now + distance).to_string() }
    };
    let longest = HOUR * 24 * 366;
    let cases = [
        (json!({"list": "block", "hours": 1}), "prefix"),
        (json!({"list": "block", "hours": 1, "prefix": "+44", "asn": 1}), "prefix"),
        (json!({"list": "block", "hours": 1, "phone": world.number(), "ip": "203.0.113.7"}), "prefix"),
        (json!({"list": "block", "hours": 1, "prefix": "+4"}), "prefix"),
        (json!({"list": "block", "hours": 1, "prefix": "44 79"}), "prefix"),
        (json!({"list": "block", "hours": 1, "prefix": world.number()}), "prefix"),
        (json!({"list": "block", "hours": 1, "phone": "no number"}), "phone"),
        (json!({"list": "block", "hours": 1, "ip": "203.0.113.256"}), "ip"),
        (json!({"list": "block", "hours": 1, "ip": "203.0.113.0/24"}), "ip"),
        (json!({"list": "block", "hours": 1, "asn": 0}), "asn"),
        (json!({"list": "safe", "hours": 1, "asn": 1}), "asn"),
        (json!({"list": "safe", "hours": 1, "ip": "203.0.113.7"}), "ip"),
        (json!({"list": "grey", "hours": 1, "asn": 1}), "list"),
        (json!({"list": "block", "asn": 1}), "hours"),
        (json!({"list": "block", "asn": 1, "hours": 1, "expires_at": moment(HOUR, false)}), "hours"),
        (json!({"list": "block", "asn": 1, "hours": 366 * 24 + 1}), "hours"),
        (json!({"list": "block", "asn": 1, "expires_at": moment(Duration::ZERO, false)}), "expires_at"),
        (json!({"list": "block", "asn": 1, "expires_at": moment(HOUR, true)}), "expires_at"),
        (
            json!({"list": "block", "asn": 1, "expires_at": moment(longest + Duration::from_millis(1), false)}),
            "expires_at",
        ),
    ];
    for (body, field) in cases {
        let answer = world.post(PATH, &body).await;
        assert_eq!(answer.fields().iter().map(|(field, _)| *field).collect::<Vec<_>>(), [field], "{body}");
        answer.expect_problem(422, "form_param_invalid");
    }
    assert_eq!(world.here().database.number("SELECT count(*) FROM fraud_entries"), 0);
}

#[tokio::test]
async fn what_is_made_and_deleted_is_audited_without_numbers_and_addresses() {
    let world = World::null();
    let events = async || {
        let kinds = ["created", "deleted"].map(|kind| format!("/v1/audit-events?type=fraud.entry_{kind}"));
        let [made, gone] = kinds.map(async |path| world.get(&path).await.expect(200)["data"][0].clone());
        (made.await, gone.await)
    };
    let end = (Timestamp::from_millis(world.now()) + HOUR).to_string();
    for (field, value, shown) in [
        ("prefix", json!("+4479460"), json!("+4479460")),
        ("asn", json!(64_500), json!("64500")),
        ("phone", json!(world.number()), Value::Null),
        ("ip", json!("203.0.113.7"), Value::Null),
    ] {
        let entry = make(&world, json!({"list": "block", field: value, "expires_at": end, "reason": "why"})).await;
        world.delete(&format!("{PATH}/{}", text(&entry["id"]))).await.expect(204);
        world.here().clock.advance(Duration::from_millis(1));
        let (made, gone) = events().await;
        let data = json!({"list": "block", "type": field, "subject": shown, "level": 0, "expires_at": end});
        assert_eq!((&made["data"], &gone["data"]), (&data, &data));
        assert_eq!((&made["reason"], &gone["reason"]), (&json!("why"), &Value::Null));
        for event in [made, gone] {
            assert_eq!((&event["subject_id"], &event["actor"]), (&entry["id"], &json!("key_binding")));
            assert_eq!(event["outcome"], "success");
        }
    }
}

#[tokio::test]
async fn a_replay_of_what_was_replaced_or_deleted_makes_nothing_again() {
    let world = World::null();
    let body = json!({"list": "block", "asn": 64_500, "hours": 1});
    let call = || world.request("POST", PATH).json(&body).idempotency_key("once").send();
    let first = call().await.expect(201);
    assert_eq!(call().await.expect(201), first);
    let second = make(&world, body.clone()).await;
    call().await.expect_problem(404, "resource_not_found");
    assert_eq!(world.get(PATH).await.expect(200)["data"], json!([second]));
    world.delete(&format!("{PATH}/{}", text(&second["id"]))).await.expect(204);
    call().await.expect_problem(404, "resource_not_found");
    assert_eq!(subjects(&world, "").await, [""; 0]);
}
