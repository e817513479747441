//! The prefix rule: it trips by itself, once, escalates, and ends.

use std::time::Duration;

use serde_json::json;

use super::{HOUR, british, enter, event, events, refused, send, verify, world};
use crate::support::{World, at_once, count};

#[tokio::test]
async fn of_two_hundred_at_once_a_prefix_trips_once() {
    let world = world(json!({"prefix": {"unverified": 15, "conversion_percent": 20, "block_hours": 12}})).await;
    let all = at_once((0..200).map(|at| send(&world, &british(900, at))).collect()).await;
    assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (15, 185));
    let told = event(&world, "fraud.prefix_blocked");
    assert_eq!((&told["prefix"], &told["country"]), (&json!("+44794900"), &json!("GB")));
    assert_eq!((&told["sent"], &told["verified"], &told["level"]), (&json!(15), &json!(0), &json!(1)));
    assert_eq!(told["enforced"], true);
    let until = world.here().database.query("SELECT expires_at, shown, created_by FROM fraud_entries");
    assert_eq!((&until[0]["shown"], &until[0]["created_by"]), (&json!("+44794900"), &json!("fraud_guard")));
    let entry = world.here().database.query("SELECT id FROM fraud_entries").remove(0)["id"].clone();
    let listed = world.get("/v1/audit-events?type=fraud.prefix_blocked").await.expect(200);
    assert_eq!((&listed["data"][0]["subject_id"], &listed["data"][0]["outcome"]), (&entry, &json!("refused")));
    assert_eq!(told["expires_at"], postern::time::Timestamp::from_millis(world.now() + 43_200_000).to_string());
    assert_eq!(refused(send(&world, &british(900, 999)).send().await), 12 * 3600);
    // The block itself is told as any refusal is.
    assert_eq!(event(&world, "fraud.blocked")["rule"], "block_list");
    assert_eq!(event(&world, "fraud.blocked")["key"], "prefix:+44794900");
    send(&world, &british(901, 0)).send().await.expect(201);
    world.here().clock.advance(HOUR * 12 - Duration::from_millis(1));
    assert_eq!(refused(send(&world, &british(900, 999)).send().await), 1);
    world.here().clock.advance(Duration::from_millis(1));
    send(&world, &british(900, 998)).send().await.expect(201);
}

#[tokio::test]
async fn each_further_block_lasts_twice_as_long_and_needs_evidence_of_its_own() {
    let world = world(json!({"prefix": {"unverified": 3, "conversion_percent": 20, "block_hours": 1}})).await;
    let mut number = 0;
    for (level, hours) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 64), (8, 128), (9, 168), (10, 168)] {
        // Of what the block before was for, which was hours ago, nothing counts.
        for _ in 0..3 {
            number += 1;
            send(&world, &british(900, number)).send().await.expect(201);
        }
        assert_eq!(refused(send(&world, &british(900, 0)).send().await), hours * 3600);
        let told = events(&world, "fraud.prefix_blocked").pop().unwrap();
        assert_eq!((&told["level"], &told["sent"]), (&json!(level), &json!(3)));
        world.here().clock.advance(HOUR * u32::try_from(hours).unwrap());
    }
    assert_eq!(world.here().database.number("SELECT count(*) FROM fraud_entries"), 1);
}

#[tokio::test]
async fn codes_that_come_back_keep_a_prefix_open() {
    let world = world(json!({"prefix": {"unverified": 4, "conversion_percent": 20}})).await;
    verify(&world, &british(900, 0)).await;
    for at in 1..5 {
        send(&world, &british(900, at)).send().await.expect(201);
    }
    // One of five is 20 %; one of six is less.
    send(&world, &british(900, 5)).send().await.expect(201);
    refused(send(&world, &british(900, 6)).send().await);
    let told = event(&world, "fraud.prefix_blocked");
    assert_eq!((&told["sent"], &told["verified"]), (&json!(6), &json!(1)));
}

#[tokio::test]
async fn a_day_later_it_is_other_evidence() {
    let world = world(json!({"prefix": {"unverified": 4, "conversion_percent": 20}})).await;
    for at in 0..3 {
        send(&world, &british(900, at)).send().await.expect(201);
    }
    world.here().clock.advance(HOUR * 24);
    for at in 3..7 {
        send(&world, &british(900, at)).send().await.expect(201);
    }
    refused(send(&world, &british(900, 7)).send().await);
}

#[tokio::test]
async fn the_safe_list_keeps_a_prefix_open_and_a_persons_block_is_none_of_the_guards() {
    let numbers = json!({"prefix": {"unverified": 2, "conversion_percent": 20, "block_hours": 1}});
    let world = world(numbers).await;
    enter(&world, "safe", "prefix:+44794", HOUR);
    for at in 0..6 {
        send(&world, &british(900, at)).send().await.expect(201);
    }
    assert_eq!(events(&world, "fraud.prefix_blocked").len(), 0);
    // It has ended: what was sent meanwhile does not count.
    world.here().clock.advance(HOUR);
    for at in 6..8 {
        send(&world, &british(900, at)).send().await.expect(201);
    }
    refused(send(&world, &british(900, 8)).send().await);
    // What a person has blocked is no trip, and once it has ended the guard begins at its first level.
    enter(&world, "block", "prefix:+44794901", HOUR);
    refused(send(&world, &british(901, 0)).send().await);
    assert_eq!(events(&world, "fraud.prefix_blocked").len(), 1);
    world.here().clock.advance(HOUR);
    for at in 0..2 {
        send(&world, &british(901, at)).send().await.expect(201);
    }
    assert_eq!(refused(send(&world, &british(901, 2)).send().await), 3600);
    assert_eq!(events(&world, "fraud.prefix_blocked").pop().unwrap()["level"], 1);
}

#[tokio::test]
async fn a_block_that_was_only_recorded_refuses_nobody_until_it_trips_anew() {
    let mut numbers = json!({"mode": "record_only", "prefix": {"unverified": 2, "block_hours": 10}});
    let world: World = world(numbers.clone()).await;
    for at in 0..5 {
        send(&world, &british(900, at)).send().await.expect(201);
    }
    let told = event(&world, "fraud.prefix_blocked");
    assert_eq!((&told["enforced"], &told["sent"]), (&json!(false), &json!(2)));
    assert_eq!(event(&world, "fraud.blocked")["enforced"], false);
    let outcome = world.get("/v1/audit-events?type=fraud.blocked").await.expect(200)["data"][0]["outcome"].clone();
    assert_eq!(outcome, "success");
    numbers["mode"] = json!("enforce");
    let world = super::on(world, numbers).await;
    // What would have been refused was not counted.
    for at in 5..7 {
        send(&world, &british(900, at)).send().await.expect(201);
    }
    assert_eq!(refused(send(&world, &british(900, 7)).send().await), 20 * 3600);
    let told = events(&world, "fraud.prefix_blocked").pop().unwrap();
    assert_eq!((&told["enforced"], &told["level"], &told["sent"]), (&json!(true), &json!(2), &json!(2)));
    // That it refuses now is told at once.
    let told = events(&world, "fraud.blocked");
    assert_eq!(told.iter().map(|told| told["enforced"].clone()).collect::<Vec<_>>(), [json!(false), json!(true)]);
}
