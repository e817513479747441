//! The block list and the safe list: one entry per subject however many make it at once, one who deletes it, and what the
//! guard has blocked by itself begins anew once it is let go.

use serde_json::json;

use crate::support::{
    World,
    together::{at_once, count as answered},
};

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
           'system', {now}, {now}, {}, 's')",
        now + 1000
    ));
    let listed = world.get(PATH).await.expect(200)["data"][0].clone();
    assert_eq!(
        (&listed["level"], &listed["enforced"], &listed["created_by"]),
        (&json!(3), &json!(false), &json!("system"))
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
