//! The block list and the safe list: one entry per subject however many make it at once, one who deletes it, and what the
//! guard has blocked by itself begins anew once it is let go.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Response, World, at_once, count as answered};

const PATH: &str = "/v1/fraud-entries";

fn count(world: &World, sql: &str) -> i64 {
    world.here().database.number(&format!("SELECT count(*) FROM {sql}"))
}

#[tokio::test]
async fn of_two_hundred_entries_about_the_same_one_is_left_and_each_caller_got_its_own() {
    let world = World::null();
    let body = json!({"list": "block", "prefix": "+4479460", "hours": 1});
    let answers = at_once((0..200).map(|_| world.request("POST", PATH).json(&body)).collect()).await;
    let mut ids: Vec<String> =
        answers.into_iter().map(|answer| answer.expect(201)["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), count(&world, "fraud_entries")), (200, 1));
    assert_eq!(count(&world, "audit_events WHERE type = 'fraud.entry_created'"), 200);
    // With one key for all of them it is made once.
    let body = json!({"list": "block", "prefix": "+4479461", "hours": 1});
    let once = || world.request("POST", PATH).json(&body).idempotency_key("once");
    let answers = at_once((0..50).map(|_| once()).collect()).await;
    let made = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_none()).count();
    assert_eq!((made, count(&world, "audit_events WHERE type = 'fraud.entry_created'")), (1, 201));
}

#[tokio::test]
async fn of_a_hundred_who_delete_an_entry_one_does() {
    let world = World::null();
    let entry = world.post(PATH, &json!({"list": "safe", "prefix": "+44", "hours": 1})).await.expect(201);
    let path = format!("{PATH}/{}", entry["id"].as_str().unwrap());
    let answers = at_once((0..100).map(|_| world.request("DELETE", &path)).collect()).await;
    assert_eq!((answered(&answers, 204, ""), answered(&answers, 404, "resource_not_found")), (1, 99));
    assert_eq!(count(&world, "audit_events WHERE type = 'fraud.entry_deleted'"), 1);
    assert_eq!(count(&world, "fraud_entries"), 0);
}

#[tokio::test]
async fn what_the_guard_has_blocked_is_listed_with_its_level_and_forgotten_once_it_is_let_go() {
    let world = World::null();
    let now = world.now();
    world.here().database.execute(&format!(
        "INSERT INTO fraud_entries VALUES ('fre_01M83WM7ZA000G40R40M30E209', 'block', 'prefix:+4479460', '+4479460', 3, 0, NULL,
           'fraud_guard', {now}, {now}, {}, 's')",
        now + 1000
    ));
    let listed = world.get(PATH).await.expect(200)["data"][0].clone();
    assert_eq!(
        (&listed["level"], &listed["enforced"], &listed["created_by"]),
        (&json!(3), &json!(false), &json!("fraud_guard"))
    );
    let path = format!("{PATH}/{}", listed["id"].as_str().unwrap());
    world.delete(&path).await.expect(204);
    assert_eq!(count(&world, "fraud_entries"), 0, "no row, no level: its next block is a first one");
    let event = &world.get("/v1/audit-events?type=fraud.entry_deleted").await.expect(200)["data"][0];
    assert_eq!((&event["actor"], &event["data"]["level"]), (&json!("key_binding"), &json!(3)));
}

/// Rows as the guard writes them; those of others stay.
#[tokio::test]
async fn who_is_deleted_is_named_by_nothing_that_the_guard_has_seen() {
    let world = World::null();
    let (user, _, _) = world.user_with_phone().await;
    let (other, _, _) = world.user_with_phone().await;
    let database = &world.here().database;
    database.execute("DELETE FROM fraud_members; DELETE FROM fraud_refusals");
    for id in [&user, &other] {
        database.execute(&format!(
            "INSERT INTO fraud_members VALUES ('phones_per_user:{id}', 'mac1', 9e15), ('phones_per_user:{id}', 'mac2', 9e15),
               ('users_per_phone:mac1', '{id}', 9e15), ('users_per_phone:mac2', '{id}', 9e15);
             INSERT INTO fraud_refusals VALUES ('phones_per_user', 'phones_per_user:{id}', 1, 1, 1, 1, 1, 1, 1, 1, 's')"
        ));
    }
    world.delete(&format!("/v1/users/{user}")).await.expect(204);
    assert_eq!((count(&world, "fraud_members"), count(&world, "fraud_refusals")), (4, 1));
    let named = |id: &str| {
        let guards = database.everything().into_iter().filter(|(place, _)| place.contains("fraud_"));
        guards.filter(|(_, text)| text.contains(id)).count()
    };
    assert_eq!((named(&user), named(&other)), (0, 5));
}

/// A world that enforces, with numbers of everywhere, where no rule of the guard's own refuses.
async fn guarded(fraud: Value) -> World {
    let world = World::twilio();
    let mut all = json!({"mode": "enforce", "country": {"floor": 0}, "new_countries": {"messages": 0}, "app": {"floor": 0},
        "asn": {"floor": 0}, "prefix": {"unverified": 0}});
    all.as_object_mut().unwrap().extend(fraud.as_object().unwrap().clone());
    let settings = json!({"fraud": all, "countries": {"sms": {"allowed": ["*"]}}});
    world.patch("/v1/instance", &settings).await.expect(200);
    world
}

async fn send(world: &World, number: &str, client: &Value) -> Response {
    world.post("/v1/challenges", &json!({"to": {"phone": number}, "client": client})).await
}

async fn enter(world: &World, list: &str, field: &str, about: Value) -> String {
    let entry = world.post(PATH, &json!({"list": list, field: about, "hours": 2})).await.expect(201);
    format!("{PATH}/{}", entry["id"].as_str().unwrap())
}

#[tokio::test]
async fn what_is_blocked_is_refused_from_the_next_message_on_and_until_it_ends_or_is_let_go() {
    let world = guarded(json!({})).await;
    let person = json!({"ip": "2001:db8:1:2::3", "country": "FR", "asn": 64_500});
    let neighbour = json!({"ip": "2001:db8:1:3::3", "country": "FR", "asn": 64_501});
    let mut at = 0;
    let mut number = || {
        at += 1;
        format!("+44794600{at:04}")
    };
    for (field, about) in [
        ("prefix", json!("+44")),
        ("prefix", json!("+44794600")),
        ("asn", json!(64_500)),
        ("ip", json!("2001:db8:1:2:ffff::1")),
    ] {
        send(&world, &number(), &person).await.expect(201);
        let path = enter(&world, "block", field, about.clone()).await;
        let (refused, is_prefix) = (number(), field == "prefix");
        let sent = world.carriers.sent().len();
        let answer = send(&world, &refused, &person).await;
        let wait = answer.expect_problem(422, "message_refused")["retry_after"].as_i64().unwrap();
        assert_eq!((wait, world.carriers.sent().len()), (7200, sent), "{about}");
        let others = send(&world, &number(), &neighbour).await;
        assert_eq!(others.status == 422, is_prefix, "{about}: {}", others.text);
        send(&world, "+33612345678", &neighbour).await.expect(201);
        world.delete(&path).await.expect(204);
        send(&world, &refused, &person).await.expect(201);
        // And one that ends by itself.
        enter(&world, "block", field, about.clone()).await;
        world.here().clock.advance(Duration::from_hours(2) - Duration::from_millis(1));
        send(&world, &refused, &person).await.expect_problem(422, "message_refused");
        world.here().clock.advance(Duration::from_millis(1));
        send(&world, &refused, &person).await.expect(201);
    }
    let (number, other) = (number(), number());
    enter(&world, "block", "phone", json!(number)).await;
    send(&world, &number, &person).await.expect_problem(422, "message_refused");
    send(&world, &other, &person).await.expect(201);
}

#[tokio::test]
async fn what_is_safe_passes_a_blocked_prefix_and_no_other_rule_of_the_guard_holds_it() {
    for (field, safe) in [("prefix", json!("+447946")), ("phone", json!("+447946001234"))] {
        let world = guarded(json!({"country": {"floor": 1}})).await;
        enter(&world, "block", "prefix", json!("+44794600")).await;
        send(&world, "+447946001234", &Value::Null).await.expect_problem(422, "message_refused");
        let path = enter(&world, "safe", field, safe).await;
        for _ in 0..3 {
            send(&world, "+447946001234", &Value::Null).await.expect(201);
        }
        // What is safe uses up nobody's floor; a block of the number itself holds for the safe too.
        send(&world, "+447400123455", &Value::Null).await.expect(201);
        send(&world, "+447400123456", &Value::Null).await.expect_problem(422, "message_refused");
        enter(&world, "block", "phone", json!("+447946001234")).await;
        send(&world, "+447946001234", &Value::Null).await.expect_problem(422, "message_refused");
        world.delete(&path).await.expect(204);
    }
}

#[tokio::test]
async fn a_prefix_that_the_guard_has_blocked_goes_at_once_when_it_is_let_go_and_trips_anew_as_a_first_time() {
    let world = guarded(json!({"prefix": {"unverified": 3, "conversion_percent": 20, "block_hours": 12}})).await;
    let mut at = 0;
    let mut trip = async || {
        for _ in 0..3 {
            at += 1;
            send(&world, &format!("+44794600{at:04}"), &Value::Null).await.expect(201);
        }
        send(&world, "+447946009999", &Value::Null).await.expect_problem(422, "message_refused");
        world.get(&format!("{PATH}?list=block")).await.expect(200)["data"][0].clone()
    };
    let first = trip().await;
    assert_eq!((&first["subject"], &first["level"]), (&json!("+44794600"), &json!(1)));
    assert_eq!((&first["created_by"], &first["enforced"]), (&json!("fraud_guard"), &json!(true)));
    world.here().clock.advance(Duration::from_hours(12));
    assert_eq!(trip().await["level"], 2, "it escalates");
    let path = format!("{PATH}/{}", first["id"].as_str().unwrap());
    world.delete(&path).await.expect(204);
    let again = trip().await;
    assert_eq!(again["level"], 1, "{again}");
    assert_ne!(again["id"], first["id"]);
}
