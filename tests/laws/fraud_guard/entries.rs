//! The block list: which subjects a message has, and until when an entry holds.

use std::time::Duration;

use serde_json::json;

use super::{HOUR, british, enter, event, mac, refused, send, send_for, world};

#[tokio::test]
async fn an_entry_holds_for_what_it_names_and_until_it_ends() {
    let number = british(900, 1);
    let client = json!({"ip": "203.0.113.7", "asn": 64_500, "country": "GB"});
    for (subject, other) in [
        ("prefix:+44".to_owned(), ("+33612345678".to_owned(), client.clone())),
        ("prefix:+44794900".to_owned(), (british(901, 1), client.clone())),
        ("number:NUMBER".to_owned(), (british(900, 2), client.clone())),
        ("network:NETWORK".to_owned(), (number.clone(), json!({"ip": "203.0.113.8", "asn": 64_500}))),
        ("asn:64500".to_owned(), (number.clone(), json!({"ip": "203.0.113.7", "asn": 64_501}))),
    ] {
        let world = world(json!({})).await;
        let subject = subject.replace("NUMBER", &mac(&world, &number).await);
        let subject = subject.replace("NETWORK", &mac(&world, "203.0.113.7").await);
        enter(&world, "block", &subject, HOUR * 5);
        let call = || send_for(&world, &number, client.clone()).send();
        assert_eq!(refused(call().await), 5 * 3600, "{subject}");
        let told = event(&world, "fraud.blocked");
        assert_eq!((&told["rule"], &told["key"]), (&json!("block_list"), &json!(subject)));
        send_for(&world, &other.0, other.1).send().await.expect(201);
        world.here().clock.advance(HOUR * 5 - Duration::from_millis(1));
        assert_eq!(refused(call().await), 1, "{subject}");
        world.here().clock.advance(Duration::from_millis(1));
        call().await.expect(201);
    }
}

#[tokio::test]
async fn a_prefix_ends_before_the_last_four_digits() {
    let world = world(json!({})).await;
    // Nobody enters these; what does not name ten thousand numbers names a person.
    for subject in ["prefix:+447949001", "prefix:+4479490012", "prefix:+4", "prefix:+", "prefix:"] {
        enter(&world, "block", subject, HOUR);
    }
    send(&world, &british(900, 1234)).send().await.expect(201);
    enter(&world, "block", "prefix:+4479490", HOUR);
    refused(send(&world, &british(900, 1234)).send().await);
}

#[tokio::test]
async fn of_several_entries_the_one_that_ends_last_is_told() {
    let world = world(json!({})).await;
    for (subject, hours) in [("prefix:+44", 1), ("prefix:+44794", 3), ("prefix:+4479490", 2)] {
        enter(&world, "block", subject, HOUR * hours);
    }
    // One that refuses nobody tells nobody how long to wait.
    enter(&world, "block", "prefix:+447949", HOUR * 9);
    world.here().database.execute("UPDATE fraud_entries SET enforced = 0 WHERE subject = 'prefix:+447949'");
    assert_eq!(refused(send(&world, &british(900, 1)).send().await), 3 * 3600);
    assert_eq!(event(&world, "fraud.blocked")["key"], "prefix:+44794");
    world.here().clock.advance(HOUR * 3);
    send(&world, &british(900, 1)).send().await.expect(201);
}
