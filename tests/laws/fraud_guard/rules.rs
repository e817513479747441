//! Each rule at its edge, two hundred at once where many can be.

use std::time::Duration;

use serde_json::{Value, json};

use super::{HOUR, british, event, events, refusals, refused, rest, send, send_for, verify, world};
use crate::support::{World, at_once, count};

#[tokio::test]
async fn of_two_hundred_at_once_a_country_gets_its_floor() {
    let world = world(json!({"country": {"floor": 10, "share_percent": 30}})).await;
    let all = at_once((0..200).map(|at| send(&world, &british(600 + at, at))).collect()).await;
    assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (10, 190));
    assert_eq!(world.carriers.sent().len(), 10);
    let told = event(&world, "fraud.budget_exhausted");
    assert_eq!(told["rule"], "country");
    assert_eq!((&told["observed"], &told["allowed"], &told["times"]), (&json!(10), &json!(10), &json!(1)));
    assert_eq!(refusals(&world), [("country".to_owned(), "country:sms:GB:unknown".to_owned(), 190)]);
    assert_eq!(refused(all.into_iter().find(|answer| answer.status == 422).unwrap()), rest(&world));
    // Another country has its own, and so has another channel, and who is at home.
    send(&world, "+33612345678").send().await.expect(201);
    world.call(&british(600, 1)).await;
    let home = json!({"country": "GB"});
    send_for(&world, &british(600, 1), home).send().await.expect(201);
    refused(send_for(&world, &british(600, 2), json!({"country": "XX"})).send().await);
    send_for(&world, &british(600, 2), json!({"country": "T1"})).send().await.expect(201);
}

#[tokio::test]
async fn a_budget_opens_when_the_day_has_passed_and_when_codes_come_back() {
    let world = world(json!({"country": {"floor": 3, "share_percent": 50}})).await;
    let first = world.challenge(&british(600, 0)).await;
    for at in 1..3 {
        send(&world, &british(600, at)).send().await.expect(201);
    }
    refused(send(&world, &british(600, 3)).send().await);
    // One comes back: two are out.
    world.answer(&first, &world.code(&british(600, 0)).await).await.expect(200);
    send(&world, &british(600, 3)).send().await.expect(201);
    refused(send(&world, &british(600, 4)).send().await);
    // The wait is the rest of the period, and a day is four of them.
    for _ in 0..3 {
        let wait = refused(send(&world, &british(600, 4)).send().await);
        world.here().clock.advance(Duration::from_secs(wait));
    }
    let wait = refused(send(&world, &british(600, 4)).send().await);
    world.here().clock.advance(Duration::from_secs(wait));
    send(&world, &british(600, 4)).send().await.expect(201);
}

#[tokio::test]
async fn half_of_what_came_back_on_the_best_of_fourteen_days_may_not_come_back() {
    let world = world(json!({"country": {"floor": 2, "share_percent": 50}})).await;
    for at in 0..12 {
        verify(&world, &british(600, at)).await;
    }
    // Six on the same day, and six on any of the thirteen after it.
    for days in [0, 13] {
        world.here().clock.advance(HOUR * 24 * days);
        let base = 100 * (days + 1);
        for at in 0..6 {
            send(&world, &british(601, base + at)).send().await.expect(201);
        }
        refused(send(&world, &british(601, base + 6)).send().await);
        let told = events(&world, "fraud.budget_exhausted").pop().unwrap();
        assert_eq!((&told["observed"], &told["allowed"]), (&json!(6), &json!(6)));
    }
    world.here().clock.advance(HOUR * 24);
    for at in 0..2 {
        send(&world, &british(602, at)).send().await.expect(201);
    }
    refused(send(&world, &british(602, 2)).send().await);
}

#[tokio::test]
async fn new_countries_have_one_budget_and_leave_it_with_the_fourth_code_that_comes_back() {
    let world = world(json!({"new_countries": {"messages": 3}})).await;
    let italian = |at: u32| format!("+39331234567{at}");
    let (french, german, spanish) = ("+33612345678", "+4915123456789", "+34612345678");
    // What comes back takes nothing of the budget.
    for at in 0..3 {
        verify(&world, &italian(at)).await;
    }
    for number in [french, german] {
        send(&world, number).send().await.expect(201);
    }
    send(&world, &italian(5)).send().await.expect(201);
    refused(send(&world, spanish).send().await);
    let told = event(&world, "fraud.budget_exhausted");
    assert_eq!((&told["rule"], &told["key"]), (&json!("new_countries"), &json!("new_countries:sms")));
    assert_eq!((&told["observed"], &told["allowed"]), (&json!(3), &json!(3)));
    refused(send(&world, &italian(6)).send().await);
    // The fourth code, which was out already.
    let last = world.here().database.query("SELECT id FROM challenges ORDER BY rowid DESC LIMIT 1").remove(0);
    world.answer(&Value::Object(last), &world.code(&italian(5)).await).await.expect(200);
    for at in 6..10 {
        send(&world, &italian(at)).send().await.expect(201);
    }
    // It gave its own place back too, to one.
    send(&world, spanish).send().await.expect(201);
    refused(send(&world, "+33612345679").send().await);
    // Fourteen days later Italy is as new as the others.
    world.here().clock.advance(HOUR * 24 * 14);
    for at in 6..9 {
        send(&world, &italian(at)).send().await.expect(201);
    }
    refused(send(&world, &italian(9)).send().await);
}

#[tokio::test]
async fn of_two_hundred_at_once_new_countries_get_their_number() {
    let world = world(json!({"new_countries": {"messages": 7}})).await;
    let numbers = |at: u32| if at.is_multiple_of(2) { british(600, at) } else { format!("+3361234{at:04}") };
    let all = at_once((0..200).map(|at| send(&world, &numbers(at))).collect()).await;
    assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (7, 193));
}

#[tokio::test]
async fn an_app_has_its_floor_and_another_app_its_own() {
    let world = world(json!({"app": {"floor": 5}})).await;
    let mut apps = Vec::new();
    for name in ["Shop", "Blog"] {
        apps.push(world.post("/v1/apps", &json!({ "name": name })).await.expect(201)["id"].clone());
    }
    let through = |app: &Value, at: u32| {
        let body = json!({"to": {"phone": british(600 + at, at)}, "app_id": app});
        world.request("POST", "/v1/challenges").json(&body)
    };
    let all = at_once((0..200).map(|at| through(&apps[0], at)).collect()).await;
    assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (5, 195));
    let told = event(&world, "fraud.budget_exhausted");
    assert_eq!(told["key"], format!("app:{}:unknown", apps[0].as_str().unwrap()));
    let of_app = format!("/v1/audit-events?app_id={}&type=fraud.budget_exhausted", apps[0].as_str().unwrap());
    assert_eq!(world.get(&of_app).await.expect(200)["data"].as_array().unwrap().len(), 1);
    through(&apps[1], 300).send().await.expect(201);
    // What comes through no app is held against none.
    send(&world, &british(601, 0)).send().await.expect(201);
}

#[tokio::test]
async fn an_operator_has_its_floor_and_another_its_own() {
    let world = world(json!({"asn": {"floor": 4}})).await;
    let from = |asn: i64, at: u32| send_for(&world, &british(600 + at, at), json!({"asn": asn, "country": "GB"}));
    let all = at_once((0..200).map(|at| from(64_500, at)).collect()).await;
    assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (4, 196));
    let told = event(&world, "fraud.budget_exhausted");
    assert_eq!((&told["key"], &told["origin"]), (&json!("asn:64500:home"), &json!("home")));
    from(64_501, 300).send().await.expect(201);
    send_for(&world, &british(700, 0), json!({"asn": 64_500, "country": "FR"})).send().await.expect(201);
    send(&world, &british(700, 1)).send().await.expect(201);
}

#[tokio::test]
async fn an_address_has_so_many_numbers_and_each_of_them_again() {
    let world = world(json!({"phones": {"per_address": 3}})).await;
    let from = |ip: &str, at: u32| send_for(&world, &british(600 + at, at), json!({"ip": ip}));
    let all = at_once((0..200).map(|at| from(&format!("2001:db8::{at:x}"), at)).collect()).await;
    assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (3, 197));
    let told = event(&world, "fraud.blocked");
    assert_eq!(
        (&told["rule"], &told["observed"], &told["allowed"]),
        (&json!("phones_per_address"), &json!(3), &json!(3))
    );
    // Whoever was let in may come again, whoever was not waits until the first of them ends.
    let known = all.iter().position(|answer| answer.status == 201).unwrap();
    from("2001:db8::ffff", u32::try_from(known).unwrap()).send().await.expect(201);
    assert_eq!(refused(from("2001:db8::1", 300).send().await), 24 * 3600);
    // Another /64, and nobody knows which.
    from("2001:db8:0:1::1", 301).send().await.expect(201);
    send(&world, &british(602, 0)).send().await.expect(201);
    world.here().clock.advance(HOUR * 24);
    from("2001:db8::1", 300).send().await.expect(201);
}

#[tokio::test]
async fn a_user_has_so_many_numbers_and_a_number_so_many_users() {
    let rules = json!({"phones": {"per_user": 3, "users_per_phone": 2}});
    let world = world(rules).await;
    let mut users = Vec::new();
    for _ in 0..3 {
        let user = world.post("/v1/users", &json!({})).await.expect(201);
        users.push(format!("/v1/users/{}/factors", user["id"].as_str().unwrap()));
    }
    let enrol = |user: &str, at: u32| {
        world.request("POST", user).json(&json!({"type": "phone", "phone": british(600 + at, at)}))
    };
    let all = at_once((0..100).map(|at| enrol(&users[0], at)).collect()).await;
    assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (3, 97));
    assert_eq!(event(&world, "fraud.blocked")["rule"], "phones_per_user");
    // The rule per number counts who asks for it.
    for (user, status) in [(1, 201), (1, 201), (2, 201)] {
        assert_eq!(enrol(&users[user], 300).send().await.status, status);
    }
    refused(enrol(&users[0], 300).send().await);
    let user = world.post("/v1/users", &json!({})).await.expect(201);
    refused(enrol(&format!("/v1/users/{}/factors", user["id"].as_str().unwrap()), 300).send().await);
    let rules: Vec<String> = refusals(&world).into_iter().map(|(rule, ..)| rule).collect();
    assert_eq!(rules, ["phones_per_user", "users_per_phone"]);
    assert_eq!(events(&world, "fraud.blocked").last().unwrap()["rule"], "users_per_phone");
}

/// Prices at which a British SMS costs 0.05.
fn prices() -> Value {
    json!({"sms": {"GB": "0.05", "*": "0.5"}, "voice": {"*": "0.2"}})
}

#[tokio::test]
async fn of_two_hundred_at_once_a_cap_is_never_passed() {
    for (cap, other, window) in [("hourly", "daily", 1), ("daily", "hourly", 24)] {
        let spend = json!({cap: "0.42", other: "1000", "prices": prices()});
        let world = world(json!({ "spend": spend })).await;
        let all = at_once((0..200).map(|at| send(&world, &british(600 + at, at))).collect()).await;
        assert_eq!((count(&all, 201, ""), count(&all, 422, "message_refused")), (8, 192), "{cap}");
        let told = event(&world, "fraud.budget_exhausted");
        // What it would have come to, in millionths.
        assert_eq!((&told["observed"], &told["allowed"]), (&json!(450_000), &json!(420_000)));
        assert_eq!(told["rule"], if cap == "hourly" { "spend_hour" } else { "spend_day" });
        assert_eq!(refused(send(&world, &british(601, 1)).send().await), window * 3600);
        // Dearer ones do not fit either, and a proven number is not exempt.
        refused(world.post("/v1/challenges", &json!({"to": {"phone": british(601, 1)}, "channel": "voice"})).await);
        world.here().clock.advance(HOUR * u32::try_from(window).unwrap());
        send(&world, &british(601, 1)).send().await.expect(201);
    }
}

#[tokio::test]
async fn one_message_that_costs_more_than_the_cap_is_refused() {
    let world = world(json!({"spend": {"hourly": "0.1", "prices": prices()}})).await;
    assert_eq!(refused(send(&world, "+33612345678").send().await), 3600);
    send(&world, &british(600, 0)).send().await.expect(201);
    // Two parts cost twice as much.
    let long = json!({"body": "{{otp_code}} ".to_owned() + &"is your code, and this is a long text ".repeat(5)});
    world.patch("/v1/sms-templates/verification_code", &long).await.expect(200);
    refused(send(&world, &british(600, 1)).send().await);
}

#[tokio::test]
async fn a_rule_that_is_off_refuses_nothing() {
    let world: World = world(json!({})).await;
    let client = json!({"ip": "203.0.113.7", "asn": 64_500, "country": "FR"});
    for at in 0..30 {
        send_for(&world, &british(600, at), client.clone()).send().await.expect(201);
    }
    assert_eq!(refusals(&world), []);
}
