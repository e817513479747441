//! The laws for passwords at sign-in: people who are unknown count and cost like those who are known, an address counts
//! over all whom it tries, and nobody is locked out of a remembered device by somebody else.

use std::time::Duration;

use futures_util::future::join_all;
use postern::{
    challenge::Purpose,
    context::{Client, Context},
    factor::password::verify::{Attempt, By, Held, READS, Verified, decide, reads},
    ids::{DeviceId, FlowId, UserId},
    limit::store,
    password::Password,
    ports::Statement,
    statement,
};
use serde_json::{Value, json};

use crate::support::{World, context};

const DAY: Duration = Duration::from_hours(24);
const GOOD: &str = "lilac-otter-walks-at-dawn";
const HERE: &str = "203.0.113.7";

/// A user with an address and the password [`GOOD`].
async fn ana(world: &World) -> (UserId, String) {
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let id = user["id"].as_str().unwrap().to_owned();
    let body = json!({"type": "password", "password": GOOD});
    world.post(&format!("/v1/users/{id}/factors"), &body).await.expect(201);
    (UserId::parse(&id).unwrap(), address)
}

async fn from(world: &World, ip: Option<&str>) -> Context {
    context(world).await.for_client(Client { ip: ip.map(str::to_owned), ..Client::default() }).bound_to("sgn_a")
}

/// What a try at sign-in with an address came to: `right`, `wrong`, or the limit and how long to wait.
async fn try_at(world: &World, address: &str, password: &str, ip: Option<&str>, device: Option<&DeviceId>) -> String {
    let context = from(world, ip).await;
    try_with(&context, address, password, device).await
}

async fn try_with(context: &Context, address: &str, password: &str, device: Option<&DeviceId>) -> String {
    let mac = context.pepper().destination_mac(address);
    let held = context.decide(reads(context, By::Email(address, &mac)).into()).await.unwrap();
    assert_eq!(held.len(), READS);
    let held = Held::read(context, &held).unwrap();
    let typed = Password::parse(password).unwrap();
    let attempt = Attempt { password: &typed, identifier: &mac, device, purpose: Purpose::SignIn, app: None };
    let (verified, rows) = decide(context, &held, &attempt, &|id, stamp| {
        vec![statement!("SELECT id FROM challenges WHERE id = ?1 AND stamp = ?2", id, stamp)]
    })
    .await
    .unwrap();
    let goes_on = rows.first().is_some_and(|rows| !rows.is_empty());
    match verified.expect("no other password meanwhile") {
        Verified::Right(challenge) => {
            assert!(goes_on && challenge.user_id.is_some());
            "right".to_owned()
        }
        Verified::Wrong => {
            assert!(goes_on, "what is told goes on");
            "wrong".to_owned()
        }
        Verified::Locked(refusal) => {
            assert!(!goes_on, "what is not told does not");
            format!("{} {}", refusal.limit, refusal.wait.unwrap().as_secs())
        }
        other => panic!("{other:?}"),
    }
}

async fn at_once(world: &World, tries: Vec<(&str, &str, Option<String>, Option<&DeviceId>)>) -> Vec<String> {
    join_all(tries.into_iter().map(|(address, password, ip, device)| async move {
        try_at(world, address, password, ip.as_deref(), device).await
    }))
    .await
}

fn wrong(told: &[String]) -> usize {
    told.iter().filter(|told| *told == "wrong").count()
}

/// Opens all other limits.
async fn only(world: &World, limits: Value) {
    world.patch("/v1/instance", &json!({"limits": limits})).await.expect(200);
}

fn device(n: u8) -> DeviceId {
    DeviceId::parse(&format!("dev_0000000000000000000000000{n}")).unwrap()
}

#[tokio::test]
async fn of_twenty_wrong_passwords_at_once_five_are_told_for_known_and_unknown_alike() {
    let world = World::null();
    let (_, known) = ana(&world).await;
    for address in [known.as_str(), "nobody@example.com"] {
        let told = at_once(&world, vec![(address, "wrong", Some(HERE.to_owned()), None); 20]).await;
        assert_eq!(wrong(&told), 5, "{told:?}");
        assert_eq!(told.iter().filter(|told| *told == "password_failures 86400").count(), 15, "{told:?}");
    }
    // Known ones are under their id, whatever they typed; nobody's address is in any key.
    let keys = world.here().database.query("SELECT key FROM counters ORDER BY key");
    let keys: Vec<&str> = keys.iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys.iter().filter(|key| key.contains(":user:usr_")).count(), 2, "{keys:?}");
    assert_eq!(keys.iter().filter(|key| key.contains(":identifier:")).count(), 2, "{keys:?}");
    assert!(keys.iter().all(|key| !key.contains('@') && !key.contains(HERE)), "{keys:?}");
}

#[tokio::test]
async fn an_unknown_identifier_goes_the_way_of_a_known_one_to_the_statement() {
    let world = World::null();
    let (_, known) = ana(&world).await;
    let without = world.address();
    world.post("/v1/users", &json!({"email": without})).await.expect(201);
    let database = &world.here().database;
    let mut ways = Vec::new();
    for (n, address) in [known.as_str(), "nobody@example.com", without.as_str()].into_iter().enumerate() {
        let ip = format!("198.51.100.{n}");
        let mut way = Vec::new();
        for _ in 0..7 {
            let context = from(&world, Some(&ip)).await;
            let (batches, statements) = (database.batches(), database.statements());
            let told = try_with(&context, address, "wrong", None).await;
            way.push((told, database.batches() - batches, database.statements() - statements));
        }
        world.here().clock.advance(DAY);
        let told = try_at(&world, address, "wrong", Some(&ip), None).await;
        way.push((told, 0, 0));
        ways.push(way);
    }
    assert_eq!(ways[0], ways[1]);
    assert_eq!(ways[0], ways[2]);
    assert_eq!(ways[0].iter().map(|(_, batches, _)| *batches).collect::<Vec<_>>(), [2, 2, 2, 2, 2, 1, 1, 0]);
    assert_eq!(ways[0][7].0, "wrong", "a day later");
    // The statements themselves are the same, so nothing but parameters differs.
    assert_eq!(database.number("SELECT count(*) FROM challenges WHERE user_id IS NULL"), 6);
    let dead = "SELECT count(*) FROM challenges WHERE user_id IS NULL AND verified_at IS NULL
        AND wrong_answers = wrong_answers_max AND factor_id IS NULL AND code_mac IS NULL";
    assert_eq!(database.number(dead), 6, "nothing that could be verified");
}

#[tokio::test]
async fn the_way_by_user_by_flow_and_by_number_is_the_way_by_address() {
    let world = World::null();
    let (user, address) = ana(&world).await;
    let database = &world.here().database;
    let app = world.post("/v1/apps", &json!({"name": "Shop"})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let (known, unknown, empty) =
        ("sgn_00000000000000000000000001", "sgn_00000000000000000000000002", "sgn_00000000000000000000000003");
    let context = from(&world, Some(HERE)).await;
    let mac = context.pepper().destination_mac("nobody@example.com");
    let flow =
        "INSERT INTO flows (id, type, token_hash, app_id, code_challenge, scope, identifier, user_id, created_at,
        expires_at, stamp) VALUES (?1, 'sign_in', ?1, ?2, '', '', ?3, ?4, 0, 0, '')";
    let mine = context.pepper().destination_mac(&address);
    context
        .record(vec![
            statement!("UPDATE users SET phone = '+14155550000' WHERE id = ?1", &user),
            statement!(flow, known, app.as_str(), mine.as_str(), &user),
            statement!(flow, unknown, app.as_str(), mac.as_str(), None::<&str>),
            statement!(flow, empty, app.as_str(), None::<&str>, None::<&str>),
        ])
        .await
        .unwrap();
    for _ in 0..5 {
        assert_eq!(try_with(&context, &address, "wrong", None).await, "wrong");
        assert_eq!(try_with(&context, "nobody@example.com", "wrong", None).await, "wrong");
    }
    assert_eq!(database.number("SELECT count(*) FROM counters WHERE count = 5"), 4);
    let [known, unknown, empty] = [known, unknown, empty].map(|id| FlowId::parse(id).unwrap());
    let held = async |by: By<'_>| {
        let answer = context.decide(reads(&context, by).into()).await.unwrap();
        let locked = !answer[1].is_empty();
        (Held::read(&context, &answer).unwrap().user().map(str::to_owned), locked)
    };
    let ana = Some(user.as_str().to_owned());
    assert_eq!(held(By::User(&user)).await, (ana.clone(), true));
    assert_eq!(held(By::Flow(&known)).await, (ana.clone(), true));
    assert_eq!(held(By::Email(&address, &mac)).await, (ana.clone(), true), "the user's own, whatever the MAC");
    assert_eq!(held(By::Phone("+14155550000", "other")).await, (ana, true));
    assert_eq!(held(By::Flow(&unknown)).await, (None, true));
    assert_eq!(held(By::Email("nobody@example.com", &mac)).await, (None, true));
    assert_eq!(held(By::Phone("+14155550001", &mac)).await, (None, true));
    assert_eq!(held(By::Phone("+14155550001", "other")).await, (None, false));
    assert_eq!(held(By::Flow(&empty)).await, (None, false), "nobody yet");
}

#[tokio::test]
async fn whoever_knows_an_address_locks_its_owner_out_of_no_remembered_device() {
    let world = World::null();
    let (_, address) = ana(&world).await;
    let mine = device(1);
    // From the very same network, from everywhere, and over the whole address's day.
    only(&world, json!({"sign_in_failures_per_address": 3})).await;
    for n in 0..40 {
        let ip = if n % 2 == 0 { HERE.to_owned() } else { format!("198.51.100.{n}") };
        try_at(&world, &address, "wrong", Some(&ip), None).await;
        try_at(&world, &format!("other{n}@example.com"), "wrong", Some(HERE), None).await;
    }
    assert_ne!(try_at(&world, &address, GOOD, Some(HERE), None).await, "right");
    for _ in 0..3 {
        assert_eq!(try_at(&world, &address, GOOD, Some(HERE), Some(&mine)).await, "right");
    }
    // It opened nothing for others.
    assert_ne!(try_at(&world, &address, GOOD, Some(HERE), None).await, "right");
}

#[tokio::test]
async fn a_device_has_five_tries_of_its_own() {
    let world = World::null();
    let (_, address) = ana(&world).await;
    let (mine, other) = (device(1), device(2));
    let guesses = (0..20).map(|n| (address.as_str(), "wrong", Some(format!("198.51.100.{n}")), Some(&mine)));
    let told = at_once(&world, guesses.collect()).await;
    assert_eq!(wrong(&told), 5, "{told:?}");
    assert_eq!(try_at(&world, &address, GOOD, None, Some(&mine)).await, "password_failures 86400");
    // Nobody else is shut out by them, and the right password elsewhere opens this one no sooner.
    assert_eq!(try_at(&world, &address, GOOD, Some(HERE), Some(&other)).await, "right");
    assert_eq!(try_at(&world, &address, GOOD, Some(HERE), None).await, "right");
    assert_eq!(try_at(&world, &address, GOOD, None, Some(&mine)).await, "password_failures 86400");
    world.here().clock.advance(DAY);
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(try_at(&world, &address, "wrong", None, Some(&mine)).await, "wrong");
        }
        assert_eq!(try_at(&world, &address, GOOD, None, Some(&mine)).await, "right", "which clears its own");
    }
    // Where nobody is locked out, it still has to wait.
    only(&world, json!({"password_failures": 0})).await;
    let told = at_once(&world, vec![(address.as_str(), "wrong", None, Some(&mine)); 20]).await;
    assert_eq!(wrong(&told), 5, "{told:?}");
    assert_eq!(try_at(&world, &address, GOOD, None, Some(&mine)).await, "password_failures_everywhere 30");
    assert_eq!(try_at(&world, &address, GOOD, Some(HERE), None).await, "right");
}

#[tokio::test]
async fn unlock_opens_devices_too() {
    let world = World::null();
    let (user, address) = ana(&world).await;
    let mine = device(1);
    for _ in 0..5 {
        assert_eq!(try_at(&world, &address, "wrong", None, Some(&mine)).await, "wrong");
    }
    world.request("POST", &format!("/v1/users/{user}/unlock")).send().await.expect(200);
    assert_eq!(try_at(&world, &address, GOOD, None, Some(&mine)).await, "right");
}

#[tokio::test]
async fn an_address_has_a_hundred_wrong_passwords_a_day_over_all_whom_it_tries() {
    let world = World::null();
    let (_, address) = ana(&world).await;
    only(&world, json!({"sign_in_failures_per_address": 10})).await;
    let (here, there) = ("2001:db8:1:2::1", "2001:db8:1:3::1");
    assert_eq!(try_at(&world, "first@example.com", "wrong", Some(here), None).await, "wrong");
    world.here().clock.advance(Duration::from_hours(20));
    let others: Vec<String> = (0..30).map(|n| format!("other{n}@example.com")).collect();
    let tries =
        others.iter().enumerate().map(|(n, other)| (other.as_str(), "wrong", Some(format!("2001:db8:1:2::{n}")), None));
    let told = at_once(&world, tries.collect()).await;
    assert_eq!(wrong(&told), 9, "{told:?}");
    let refused = "sign_in_failures_per_address 14400";
    assert_eq!(told.iter().filter(|told| *told == refused).count(), 21, "the day began with the first: {told:?}");
    // Before anything is worked out, and for everybody.
    let before = world.here().database.everything();
    assert_eq!(try_at(&world, &address, GOOD, Some(here), None).await, refused);
    assert_eq!(try_at(&world, "another@example.com", "wrong", Some(here), None).await, refused);
    assert_eq!(world.here().database.everything(), before, "a refusal consumes nothing");
    assert_eq!(try_at(&world, &address, GOOD, Some(there), None).await, "right");
    assert_eq!(try_at(&world, &address, GOOD, None, None).await, "right");
    world.here().clock.advance(Duration::from_hours(4) - Duration::from_millis(1));
    assert_ne!(try_at(&world, &address, GOOD, Some(here), None).await, "right");
    world.here().clock.advance(Duration::from_millis(1));
    for _ in 0..9 {
        assert_eq!(try_at(&world, "yet@example.com", "wrong", Some(there), None).await, "wrong");
        // The right password opens no address: a guesser has an account too.
        assert_eq!(try_at(&world, &address, GOOD, Some(there), None).await, "right");
        only(
            &world,
            json!({"sign_in_failures_per_address": 10, "password_failures": 100, "password_failures_everywhere": 100}),
        )
        .await;
    }
    assert_eq!(try_at(&world, "yet@example.com", "wrong", Some(there), None).await, "wrong");
    assert!(try_at(&world, &address, GOOD, Some(there), None).await.starts_with("sign_in_failures_per_address"));
}

#[tokio::test]
async fn fifty_sign_ups_a_minute_begin_from_one_address() {
    let world = World::null();
    let app = world.post("/v1/apps", &json!({"name": "Shop"})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let begin = async |ip: Option<&str>| -> Option<(&'static str, u64)> {
        let context = from(&world, ip).await;
        let checks: Vec<_> = store::sign_ups(&context).into_iter().collect();
        let (now, stamp) = (context.now(), context.stamp());
        let id = FlowId::new(now, &*context.ports().random);
        // As the statement that makes a flow does.
        let insert: Statement = statement!(
            concat!(
                "INSERT INTO flows (id, type, token_hash, app_id, code_challenge, scope, created_at, expires_at, stamp)
                 SELECT ?3, 'sign_up', '', ?4, '', '', ?2, ?2, ?5 WHERE ",
                postern::have_room!()
            ),
            store::parameter(&checks),
            now.millis(),
            &id,
            app.as_str(),
            stamp.as_str()
        );
        let batch = vec![
            insert,
            store::spend_on_flow(&checks, now, id.as_str(), &stamp),
            store::refusals_of_flow(&checks, now, id.as_str(), &stamp),
        ];
        let answer = context.decide(batch).await.unwrap();
        let refusal = store::read_refusals(&answer[2], now).unwrap()?;
        Some((refusal.limit, refusal.wait.unwrap().as_secs()))
    };
    let begin = &begin;
    assert_eq!(begin(Some("2001:db8::1")).await, None);
    world.here().clock.advance(Duration::from_secs(20));
    let ips: Vec<String> = (0..200).map(|n| format!("2001:db8::{n:x}")).collect();
    let told = join_all(ips.iter().map(|ip| begin(Some(ip)))).await;
    assert_eq!(told.iter().filter(|told| told.is_none()).count(), 49);
    assert!(told.iter().flatten().all(|told| *told == ("sign_ups_per_address", 40)), "{told:?}");
    assert_eq!(world.here().database.number("SELECT count(*) FROM flows"), 50);
    assert_eq!(begin(Some("2001:db8:0:1::1")).await, None, "another network");
    assert_eq!(begin(None).await, None, "nobody can be told from others");
    world.here().clock.advance(Duration::from_secs(40));
    assert_eq!(begin(Some("2001:db8::1")).await, None, "a minute later");
}
