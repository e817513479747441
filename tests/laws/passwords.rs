//! The laws for passwords: guesses at once are counted one by one, counters are their own, nobody learns who has a
//! password, and nothing of one is anywhere.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Request, Response, World, at_once, client::seen, count, steps, vars};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
const GOOD: &str = "lilac-otter-walks-at-dawn";
const OLD: &str = "$2b$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6";

async fn user(world: &World) -> String {
    world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned()
}

/// A user with the password [`GOOD`].
async fn ana(world: &World) -> String {
    let user = user(world).await;
    set(world, &user, json!({"password": GOOD})).await.expect(201);
    user
}

async fn set(world: &World, user: &str, mut body: Value) -> Response {
    body["type"] = json!("password");
    world.post(&format!("/v1/users/{user}/factors"), &body).await
}

fn verify(world: &World, user: &str, password: &str, ip: Option<&str>) -> Request {
    let mut body = json!({"password": password});
    if let Some(ip) = ip {
        body["client"] = json!({"ip": ip});
    }
    world.request("POST", &format!("/v1/users/{user}/verify-password")).json(&body)
}

async fn wrong(world: &World, user: &str, ip: Option<&str>) {
    verify(world, user, "a wrong one", ip).send().await.expect_problem(422, "form_password_incorrect");
}

/// How long somebody has to wait, who is locked out even with the right password.
async fn locked(world: &World, user: &str, ip: Option<&str>) -> u64 {
    let before = world.here().database.everything();
    let problem = verify(world, user, GOOD, ip).send().await.expect_problem(429, "user_locked");
    assert_eq!(world.here().database.everything(), before, "a refusal consumes nothing");
    problem["retry_after"].as_u64().unwrap()
}

#[tokio::test]
async fn of_two_hundred_wrong_passwords_at_once_five_are_told() {
    let world = World::null();
    let ana = ana(&world).await;
    // The right one is among them, too late.
    let guesses = (0..200).map(|n| verify(&world, &ana, if n == 100 { GOOD } else { "wrong" }, Some("203.0.113.7")));
    let told = at_once(guesses.collect()).await;
    assert_eq!(count(&told, 422, "form_password_incorrect"), 5);
    assert_eq!(count(&told, 429, "user_locked"), 195);
    assert_eq!(world.here().database.number("SELECT count(*) FROM challenges"), 5);
}

#[tokio::test]
async fn many_addresses_at_once_are_told_no_more() {
    let world = World::null();
    let ana = ana(&world).await;
    let guesses = (0..60).map(|n| verify(&world, &ana, "wrong", Some(&format!("203.0.113.{n}"))));
    let told = at_once(guesses.collect()).await;
    assert_eq!((count(&told, 422, "form_password_incorrect"), count(&told, 429, "user_locked")), (5, 55));
}

#[tokio::test]
async fn an_address_is_locked_out_for_a_day_and_no_other_one() {
    let world = World::null();
    let (ana, eva) = (ana(&world).await, ana(&world).await);
    world.patch("/v1/instance", &json!({"limits": {"password_failures_everywhere": 100}})).await.expect(200);
    let (here, there) = (Some("2001:db8:1:2::1"), Some("2001:db8:1:3::1"));
    for _ in 0..4 {
        wrong(&world, &ana, here).await;
    }
    world.here().clock.advance(MINUTE);
    wrong(&world, &ana, here).await;
    assert_eq!(locked(&world, &ana, here).await, 86_400, "a day from the last one");
    assert_eq!(locked(&world, &ana, Some("2001:db8:1:2:ffff::9")).await, 86_400, "the same network");
    // Another address is not, nor is another person here.
    verify(&world, &ana, GOOD, there).send().await.expect(200);
    verify(&world, &eva, GOOD, here).send().await.expect(200);
    assert_eq!(locked(&world, &ana, here).await, 86_400, "a sign-in from there opens nothing here");
    world.here().clock.advance(DAY - Duration::from_millis(1));
    assert_eq!(locked(&world, &ana, here).await, 1);
    world.here().clock.advance(Duration::from_millis(1));
    verify(&world, &ana, GOOD, here).send().await.expect(200);
    // The right password cleared it.
    for _ in 0..4 {
        wrong(&world, &ana, here).await;
    }
    verify(&world, &ana, GOOD, here).send().await.expect(200);
    wrong(&world, &ana, here).await;
}

#[tokio::test]
async fn whoever_changes_addresses_waits_longer_each_time_up_to_fifteen_minutes() {
    let world = World::null();
    let ana = ana(&world).await;
    for n in 0..5 {
        wrong(&world, &ana, Some(&format!("198.51.100.{n}"))).await;
    }
    for (n, wait) in [30, 60, 120, 240, 480, 900, 900, 900].into_iter().enumerate() {
        let ip = format!("203.0.113.{n}");
        assert_eq!(locked(&world, &ana, Some(&ip)).await, wait);
        assert_eq!(locked(&world, &ana, None).await, wait, "nor without an address");
        world.here().clock.advance(Duration::from_secs(wait));
        // One guess gets through, and no second one.
        let two = at_once((0..2).map(|_| verify(&world, &ana, "wrong", Some(&ip))).collect()).await;
        assert_eq!((count(&two, 422, ""), count(&two, 429, "user_locked")), (1, 1));
    }
    world.here().clock.advance(MINUTE * 15);
    verify(&world, &ana, GOOD, Some("192.0.2.1")).send().await.expect(200);
    for n in 0..4 {
        wrong(&world, &ana, Some(&format!("198.51.100.{}", 100 + n))).await;
    }
    // A day without a failure forgets them.
    world.here().clock.advance(DAY);
    for n in 0..5 {
        wrong(&world, &ana, Some(&format!("198.51.100.{}", 200 + n))).await;
    }
    assert_eq!(locked(&world, &ana, None).await, 30);
}

#[tokio::test]
async fn unlock_and_a_new_password_open_every_address() {
    let world = World::null();
    let ana = ana(&world).await;
    let ip = Some("203.0.113.7");
    let of_users = "SELECT count(*) FROM counters WHERE key LIKE '%:user:%'";
    for open in ["unlock", "new password"] {
        for _ in 0..5 {
            wrong(&world, &ana, ip).await;
        }
        locked(&world, &ana, ip).await;
        if open == "unlock" {
            world.request("POST", &format!("/v1/users/{ana}/unlock")).send().await.expect(200);
        } else {
            // A refused one opens nothing.
            set(&world, &ana, json!({"password": GOOD})).await.expect_problem(403, "proof_required");
            locked(&world, &ana, ip).await;
            set(&world, &ana, json!({"password": GOOD, "override": {"reason": "reset"}})).await.expect(201);
        }
        verify(&world, &ana, GOOD, ip).send().await.expect(200);
        assert_eq!(world.here().database.number(of_users), 0);
    }
    // Deleting the user leaves no counter of theirs.
    wrong(&world, &ana, ip).await;
    assert_eq!(world.here().database.number(of_users), 2);
    world.delete(&format!("/v1/users/{ana}")).await.expect(204);
    assert_eq!(world.here().database.number(of_users), 0);
}

#[tokio::test]
async fn passwords_and_second_factors_count_apart() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    set(&world, &user, json!({"password": GOOD, "override": {"reason": "x"}})).await.expect(201);
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let code = world.code(&number).await;
    for _ in 0..2 {
        world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
        wrong(&world, &user, Some("203.0.113.7")).await;
    }
    let failures = async || world.get(&format!("/v1/users/{user}")).await.expect(200)["second_factor"].clone();
    assert_eq!(failures().await["failures_in_a_row"], 2, "wrong passwords are none");
    verify(&world, &user, GOOD, Some("203.0.113.7")).send().await.expect(200);
    assert_eq!(failures().await["failures_in_a_row"], 2, "the right password clears none");
    wrong(&world, &user, Some("203.0.113.7")).await;
    world.answer(&challenge, &code).await.expect(200);
    assert_eq!(failures().await["failures_in_a_row"], 0);
    let password = "SELECT sum(count) FROM counters WHERE key LIKE 'password_failures%'";
    assert_eq!(world.here().database.number(password), 2, "a code clears no wrong password");
}

#[tokio::test]
async fn a_test_keys_guesses_lock_nobody_out() {
    let world = World::null();
    let ana = ana(&world).await;
    let mut all = vars::null();
    all.insert("SERVER_API_KEY".to_owned(), json!(vars::KEY.replace("live", "test")));
    let test = World::on(&world.here().redeploy(&all));
    let guess = |password: &str| verify(&test, &ana, password, None).key(&vars::KEY.replace("live", "test")).send();
    for _ in 0..5 {
        guess("wrong").await.expect_problem(422, "form_password_incorrect");
    }
    guess(GOOD).await.expect_problem(429, "user_locked");
    verify(&world, &ana, GOOD, None).send().await.expect(200);
}

/// All that can be told of an answer, and the work behind it.
async fn told(world: &World, request: Request) -> (u16, Vec<String>, Value, u32, u32) {
    let database = &world.here().database;
    let (batches, statements) = (database.batches(), database.statements());
    let response = request.send().await;
    let headers = response.headers.iter().map(|(name, _)| name.clone()).collect();
    let mut body = response.json.clone();
    body["trace_id"] = Value::Null;
    (response.status, headers, body, database.batches() - batches, database.statements() - statements)
}

#[tokio::test]
async fn a_user_without_a_password_is_like_one_with_another() {
    let world = World::null();
    world.get("/v1/instance").await.expect(200);
    let (with, without) = (ana(&world).await, user(&world).await);
    for _ in 0..7 {
        let one = told(&world, verify(&world, &with, "wrong", Some("203.0.113.7"))).await;
        let other = told(&world, verify(&world, &without, "wrong", Some("203.0.113.7"))).await;
        assert_eq!(one, other);
        assert!(one.0 == 422 && one.3 == 2 || one.0 == 429 && one.3 == 1, "{one:?}");
    }
}

#[tokio::test]
async fn the_work_is_the_same_for_a_user_without_a_password() {
    let world = World::null();
    world.patch("/v1/instance", &json!({"limits": {"password_failures_everywhere": 100}})).await.expect(200);
    let (with, without) = (ana(&world).await, user(&world).await);
    // The least of several: other tests run beside this one.
    let (mut least_with, mut least_without) = (Duration::MAX, Duration::MAX);
    for _ in 0..9 {
        for (user, least) in [(&with, &mut least_with), (&without, &mut least_without)] {
            #[allow(clippy::disallowed_methods)]
            let start = std::time::Instant::now();
            wrong(&world, user, None).await;
            *least = start.elapsed().min(*least);
        }
    }
    // Without the work it is a tenth and less.
    let close = least_without * 3 > least_with && least_with * 3 > least_without;
    assert!(close, "{least_with:?} with, {least_without:?} without");
}

#[tokio::test]
async fn a_password_that_is_changed_meanwhile_is_not_right_any_more() {
    let world = World::null();
    let ana = ana(&world).await;
    let mut request = Box::pin(verify(&world, &ana, GOOD, None).send());
    // It stands between reading and deciding.
    steps(&mut request, 1).await;
    let new = json!({"password": "another otter altogether", "override": {"reason": "stolen"}});
    set(&world, &ana, new).await.expect(201);
    request.await.expect_problem(422, "form_password_incorrect");
    assert_eq!(world.here().database.number("SELECT count(*) FROM challenges WHERE verified_at IS NOT NULL"), 0);
}

#[tokio::test]
async fn an_older_hash_is_replaced_once_by_twenty_right_passwords_at_once() {
    let world = World::null();
    let user = user(&world).await;
    set(&world, &user, json!({"hash": OLD})).await.expect(201);
    let right = at_once((0..20).map(|_| verify(&world, &user, "Grüße, 12 Öre!", None)).collect()).await;
    assert_eq!(count(&right, 200, ""), 20);
    let secret = world.here().database.query("SELECT secret FROM factors")[0]["secret"].clone();
    verify(&world, &user, "Grüße, 12 Öre!", None).send().await.expect(200);
    assert_eq!(world.here().database.query("SELECT secret FROM factors")[0]["secret"], secret);
}

#[tokio::test]
async fn a_user_has_one_password_however_many_are_set_at_once() {
    let world = World::null();
    let user = user(&world).await;
    let factors = format!("/v1/users/{user}/factors");
    let body = |n: usize, rest: Value| {
        let mut body = json!({"type": "password", "password": format!("{n} otters walk at dawn")});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        world.request("POST", &factors).json(&body)
    };
    // Nothing allows a second one.
    let first = at_once((0..30).map(|n| body(n, json!({}))).collect()).await;
    assert_eq!((count(&first, 201, ""), count(&first, 403, "proof_required")), (1, 29));
    // One proof allows one change.
    let n = first.iter().position(|response| response.status == 201).unwrap();
    let proof = verify(&world, &user, &format!("{n} otters walk at dawn"), None).send().await.expect(200);
    let proof = json!({"proof": proof["id"]});
    let changed = at_once((50..80).map(|n| body(n, proof.clone())).collect()).await;
    assert_eq!((count(&changed, 201, ""), count(&changed, 403, "proof_invalid")), (1, 29));
    // The server's word allows any number, one after the other.
    let forced = at_once((100..130).map(|n| body(n, json!({"override": {"reason": "x"}}))).collect()).await;
    assert_eq!(count(&forced, 201, ""), 30);
    assert_eq!(world.here().database.number("SELECT count(*) FROM factors"), 1);
}

#[tokio::test]
async fn proofs_of_another_person_or_of_the_old_password_change_nothing() {
    let world = World::null();
    let (ana, eva) = (ana(&world).await, ana(&world).await);
    let theirs = verify(&world, &eva, GOOD, None).send().await.expect(200);
    let old = verify(&world, &ana, GOOD, None).send().await.expect(200);
    let late = verify(&world, &ana, GOOD, None).send().await.expect(200);
    let new = |proof: &Value| json!({"password": "another otter altogether", "proof": proof["id"]});
    set(&world, &ana, new(&theirs)).await.expect_problem(403, "proof_invalid");
    world.here().clock.advance(MINUTE * 10 + Duration::from_millis(1));
    set(&world, &ana, new(&late)).await.expect_problem(403, "proof_invalid");
    let proof = verify(&world, &ana, GOOD, None).send().await.expect(200);
    let second = verify(&world, &ana, GOOD, None).send().await.expect(200);
    set(&world, &ana, new(&proof)).await.expect(201);
    // The old password is gone, and so is what it has proven.
    set(&world, &ana, new(&second)).await.expect_problem(403, "proof_invalid");
    let read = format!("/v1/challenges/{}", old["id"].as_str().unwrap());
    world.get(&read).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn nothing_of_a_password_is_anywhere() {
    let world = World::twilio();
    let ana = user(&world).await;
    let factors = format!("/v1/users/{ana}/factors");
    let typed = ["marker-otter-walks-at-dawn", "marker", "marker-other-walks-at-noon", "marker-wrong-guess"];
    let mut body = json!({"type": "password", "password": typed[0]});
    world.request("POST", &factors).json(&body).idempotency_key("set").send().await.expect(201);
    world.request("POST", &factors).json(&body).idempotency_key("set").send().await.expect(201);
    body["password"] = json!(typed[1]);
    body["override"] = json!({"reason": "x"});
    world.post(&factors, &body).await.expect_problem(422, "form_param_invalid");
    body["password"] = json!(format!("{}\u{1}", typed[0]));
    world.post(&factors, &body).await.expect_problem(422, "form_param_invalid");
    body["password"] = json!([typed[0]]);
    world.post(&factors, &body).await.expect_problem(422, "form_param_invalid");
    body["password"] = json!(typed[2]);
    world.post(&factors, &body).await.expect(201);
    for guess in [typed[0], typed[3], typed[2]] {
        verify(&world, &ana, guess, Some("203.0.113.7")).send().await;
    }
    let mut bad = verify(&world, &ana, typed[0], None);
    bad = bad.raw("application/json", format!("{{\"password\": \"{}\", \"extra\": 1}}", typed[0]).into_bytes());
    bad.send().await.expect_problem(422, "form_param_invalid");
    let moved = user(&world).await;
    set(&world, &moved, json!({"hash": OLD})).await.expect(201);
    set(&world, &moved, json!({"hash": format!("{OLD}marker")})).await.expect_problem(422, "form_param_invalid");
    for path in [format!("/v1/users/{ana}"), factors, "/v1/audit-events".to_owned(), "/v1/instance".to_owned()] {
        world.get(&path).await.expect(200);
    }

    let answers: Vec<String> = seen().into_iter().map(|response| response.text).collect();
    let log = world.here().log.lines();
    let stored: Vec<String> = world.here().database.everything().into_iter().map(|(_, value)| value).collect();
    // The last field of the other system's hash, without its salt.
    let hash = &OLD[29..];
    for (what, texts) in [("answers", &answers), ("log", &log), ("rows", &stored)] {
        for secret in ["marker", hash] {
            let found: Vec<&String> = texts.iter().filter(|text| text.contains(secret)).collect();
            assert!(found.is_empty(), "{what}: {found:?}");
        }
    }
    assert!(answers.len() > 10 && stored.iter().any(|value| value.starts_with("hmac-sha256:p1$")));
    assert!(answers.iter().all(|answer| !answer.contains("hmac-sha256")), "nor is what is kept of it");
}
