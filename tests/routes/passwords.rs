//! Passwords as factors, and `/v1/users/{id}/verify-password`: what is taken, what is refused and why.

use std::time::Duration;

use serde_json::{Value, json};

use super::{NOBODY, new_user, text};
use crate::support::{Behaviour, Vars, World, vars};

const GOOD: &str = "lilac-otter-walks-at-dawn";

struct Person {
    user: String,
    factors: String,
    verify: String,
}

async fn person(world: &World, body: &Value) -> Person {
    let user = new_user(world, body).await;
    Person { factors: format!("/v1/users/{user}/factors"), verify: format!("/v1/users/{user}/verify-password"), user }
}

fn typed(password: &str) -> Value {
    json!({"type": "password", "password": password})
}

/// The codes of what is wrong with a password.
async fn weaknesses(world: &World, person: &Person, password: &str) -> Vec<String> {
    let response = world.post(&person.factors, &typed(password)).await;
    let fields: Vec<String> = response.fields().iter().map(|(field, code)| format!("{field}:{code}")).collect();
    response.expect_problem(422, "form_param_invalid");
    fields
}

fn stored(world: &World, user: &str) -> String {
    let rows = world.here().database.query(&format!("SELECT secret FROM factors WHERE user_id = '{user}'"));
    assert_eq!(rows.len(), 1);
    text(&rows[0]["secret"])
}

#[tokio::test]
async fn a_weak_password_is_refused_with_every_reason() {
    let world = World::null();
    let body = json!({"name": "Käthe Lüdenscheidt", "email": "kaethe@lichter.example"});
    let ana = person(&world, &body).await;
    for (password, reasons) in [
        ("fourteen chars", vec!["password:password_too_short"]),
        ("dragondragondragon", vec!["password:password_common"]),
        ("Postern Lüdenscheidt", vec!["password:password_context"]),
        ("lichter.example.1", vec!["password:password_context"]),
        ("dragon", vec!["password:password_too_short", "password:password_common"]),
        ("kaethe@", vec!["password:password_too_short", "password:password_context"]),
        (&"x ".repeat(200), vec!["password:form_param_value_invalid"]),
    ] {
        assert_eq!(weaknesses(&world, &ana, password).await, reasons, "{password}");
    }
    assert_eq!(world.get(&ana.factors).await.expect(200)["data"], json!([]));
    world.post(&ana.factors, &typed(GOOD)).await.expect(201);
}

#[tokio::test]
async fn fifteen_characters_alone_and_eight_with_a_second_factor() {
    let world = World::null();
    let alone = person(&world, &json!({})).await;
    assert_eq!(weaknesses(&world, &alone, "vK3#qq-L").await, ["password:password_too_short"]);
    let (user, _, number) = world.user_with_phone().await;
    let body = json!({"type": "password", "password": "vK3#qq-L", "override": {"reason": "moved"}});
    let factors = format!("/v1/users/{user}/factors");
    world.post(&factors, &body).await.expect(201);
    let mut seven = body.clone();
    seven["password"] = json!("vK3#qq-");
    assert_eq!(world.post(&factors, &seven).await.fields(), [("password", "password_too_short")]);

    let mut own_number = body.clone();
    own_number["password"] = json!(format!("phone: {}", number.trim_start_matches("+1")));
    assert_eq!(world.post(&factors, &own_number).await.fields(), [("password", "password_context")]);

    // A setting can ask for more, and the instance can require a second factor of everybody.
    world.patch("/v1/instance", &json!({"password": {"minimum_length_with_mfa": 12}})).await.expect(200);
    assert_eq!(world.post(&factors, &body).await.fields(), [("password", "password_too_short")]);
    world.patch("/v1/instance", &json!({"password": "inherit"})).await.expect(200);
    for (variable, enough) in
        [("OTP_MFA_IS_REQUIRED", true), ("SMS_MFA_IS_REQUIRED", true), ("EMAIL_MFA_IS_REQUIRED", false)]
    {
        let mut all = vars::null();
        all.insert(variable.to_owned(), json!(true));
        let strict = World::on(&world.here().redeploy(&all));
        let eva = person(&strict, &json!({})).await;
        let status = strict.post(&eva.factors, &typed("vK3#qq-L")).await.status;
        assert_eq!(status == 201, enough, "{variable}: {status}");
    }
}

#[tokio::test]
async fn a_hash_that_nobody_can_verify_is_refused_when_it_comes() {
    let world = World::null();
    let ana = person(&world, &json!({})).await;
    for (hash, wanted) in [
        ("hunter2", "bcrypt"),
        ("$2x$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6", "bcrypt"),
        ("$2b$31$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6", "4 to 14"),
        ("$argon2id$v=19$m=1048576,t=9,p=1$c2FsdHNhbHQxMjM0NTY3OA$n9T88rhOPvLbFFhAIUwA6Q", "64 MiB"),
    ] {
        let response = world.post(&ana.factors, &json!({"type": "password", "hash": hash})).await;
        assert_eq!(response.fields(), [("hash", "form_param_value_invalid")]);
        let problem = response.expect_problem(422, "form_param_invalid");
        assert!(text(&problem["detail"]).contains(wanted), "{problem}");
        assert!(!problem.to_string().contains(hash));
    }
    for body in [json!({"type": "password"}), json!({"type": "password", "password": GOOD, "hash": "$2b$"})] {
        assert_eq!(world.post(&ana.factors, &body).await.fields(), [("password", "form_param_value_invalid")]);
    }
    assert_eq!(world.get(&ana.factors).await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn an_older_hash_becomes_ours_at_the_first_right_password() {
    let world = World::null();
    let ana = person(&world, &json!({})).await;
    let hash = "$2b$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6";
    world.post(&ana.factors, &json!({"type": "password", "hash": hash})).await.expect(201);
    let before = stored(&world, &ana.user);
    assert!(before.starts_with("hmac-sha256:p1$bcrypt$c=4,l=23$"), "{before}");
    world.post(&ana.verify, &json!({"password": "wrong"})).await.expect_problem(422, "form_password_incorrect");
    assert_eq!(stored(&world, &ana.user), before, "a wrong password changes nothing");
    world.post(&ana.verify, &json!({"password": "Grüße, 12 Öre!"})).await.expect(200);
    let after = stored(&world, &ana.user);
    assert!(after.starts_with("hmac-sha256:p1$argon2id$v=19$m=19456,t=2,p=1,l=32$"), "{after}");
    world.post(&ana.verify, &json!({"password": "Grüße, 12 Öre!"})).await.expect(200);
    assert_eq!(stored(&world, &ana.user), after, "once is enough");
}

#[tokio::test]
async fn a_rotated_pepper_goes_on_and_one_that_is_gone_is_named() {
    let world = World::null();
    let ana = person(&world, &json!({})).await;
    world.post(&ana.factors, &typed(GOOD)).await.expect(201);
    let before = stored(&world, &ana.user);
    let ring = |ids: &[&str]| {
        let mut all = vars::null();
        let keys = json!({"p1": "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "p2": "QCECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="});
        let keys: Value =
            ids.iter().map(|id| ((*id).to_owned(), keys[*id].clone())).collect::<serde_json::Map<_, _>>().into();
        all.insert("CODE_PEPPER".to_owned(), json!({"current": "p2", "keys": keys}));
        World::on(&world.here().redeploy(&all))
    };
    let lost = ring(&["p2"]).post(&ana.verify, &json!({"password": GOOD})).await;
    let lost = lost.expect_problem(503, "configuration_invalid");
    assert!(text(&lost["detail"]).contains("CODE_PEPPER has no key `p1`"), "{lost}");
    assert_eq!(stored(&world, &ana.user), before);
    let rotated = ring(&["p1", "p2"]);
    rotated.post(&ana.verify, &json!({"password": GOOD})).await.expect(200);
    assert!(stored(&world, &ana.user).starts_with("hmac-sha256:p2$argon2id$"));
    ring(&["p2"]).post(&ana.verify, &json!({"password": GOOD})).await.expect(200);
}

#[tokio::test]
async fn a_verified_password_says_for_whom_and_what() {
    let world = World::null();
    let ana = person(&world, &json!({})).await;
    world.post(&ana.factors, &typed(GOOD)).await.expect(201);
    let body = json!({"password": GOOD, "purpose": "step_up", "client": {"ip": "203.0.113.7"}});
    let challenge = world.post(&ana.verify, &body).await.expect(200);
    assert_eq!((&challenge["purpose"], &challenge["user_id"]), (&json!("step_up"), &json!(ana.user)));
    let read = world.get(&format!("/v1/challenges/{}", text(&challenge["id"]))).await.expect(200);
    assert_eq!(read, challenge);
    let used = &world.get(&ana.factors).await.expect(200)["data"][0]["last_used_at"];
    assert_eq!(used, &challenge["verified_at"]);
    // Nobody, and no app.
    let nobody = format!("/v1/users/{}/verify-password", NOBODY[0].1);
    world.post(&nobody, &json!({"password": GOOD})).await.expect_problem(404, "resource_not_found");
    let body = json!({"password": GOOD, "app_id": NOBODY[5].1});
    world.post(&ana.verify, &body).await.expect_problem(404, "resource_not_found");
    let body = json!({"password": GOOD, "client": {"ip": "somewhere"}});
    world.post(&ana.verify, &body).await.expect_problem(422, "form_param_invalid");
}

#[tokio::test]
async fn a_password_is_not_challenged_but_verified() {
    let world = World::null();
    let ana = person(&world, &json!({})).await;
    let enrolled = world.post(&ana.factors, &typed(GOOD)).await.expect(201);
    let factor = text(&enrolled["factor"]["id"]);
    let challenge = world.request("POST", &format!("{}/{factor}/challenges", ana.factors)).send().await;
    challenge.expect_problem(422, "strategy_not_supported");
    let by_id = world.post("/v1/challenges", &json!({"user_id": ana.user, "factor_id": factor})).await;
    by_id.expect_problem(422, "strategy_not_supported");
    // It is no second factor.
    world.post("/v1/challenges", &json!({"user_id": ana.user})).await.expect_problem(404, "resource_not_found");
    // Removing it needs a proof of it.
    let path = format!("{}/{factor}", ana.factors);
    world.delete(&path).await.expect_problem(403, "proof_required");
    let proof = text(&world.post(&ana.verify, &json!({"password": GOOD})).await.expect(200)["id"]);
    world.delete(&format!("{path}?proof={proof}")).await.expect(204);
    world.post(&ana.verify, &json!({"password": GOOD})).await.expect_problem(422, "form_password_incorrect");
}

#[tokio::test]
async fn the_same_call_twice_sets_one_password() {
    let world = World::null();
    let ana = person(&world, &json!({})).await;
    let call =
        |password: &str| world.request("POST", &ana.factors).json(&typed(password)).idempotency_key("once").send();
    let first = call(GOOD).await.expect(201);
    let again = call(GOOD).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
    call("another-otter-sleeps").await.expect_problem(422, "idempotency_key_reused");
}

fn with_breaches() -> Vars {
    let mut all = vars::null();
    all.insert("BREACH_API_BASE".to_owned(), json!("http://127.0.0.1:9/pwned"));
    all
}

#[tokio::test]
async fn a_breached_password_is_refused_where_the_check_is_on() {
    let world = World::native(&with_breaches());
    world.carriers.breach(GOOD);
    let ana = person(&world, &json!({})).await;
    // Off by default: nobody is asked.
    world.post(&ana.factors, &typed(GOOD)).await.expect(201);
    assert_eq!(world.carriers.ranges(), 0);

    world.patch("/v1/instance", &json!({"password": {"breach_check": true}})).await.expect(200);
    let eva = person(&world, &json!({})).await;
    assert_eq!(weaknesses(&world, &eva, GOOD).await, ["password:password_breached"]);
    assert_eq!(world.carriers.ranges(), 1);
    // What is weak anyway is told to nobody.
    assert_eq!(weaknesses(&world, &eva, "dragondragondragon").await, ["password:password_common"]);
    assert_eq!(world.carriers.ranges(), 1);
    world.post(&eva.factors, &typed("a password of nobody else")).await.expect(201);
    let event = &world.get(&format!("/v1/audit-events?user_id={}&type=factor.activated", eva.user)).await.expect(200)["data"]
        [0];
    assert_eq!(event["data"], json!({"type": "password", "breach_check": "passed"}));
    // A hash cannot be held against it.
    let hash = "$2b$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6";
    let uma = person(&world, &json!({})).await;
    world.post(&uma.factors, &json!({"type": "password", "hash": hash})).await.expect(201);
    assert_eq!(world.carriers.ranges(), 2);
}

#[tokio::test]
async fn a_breach_check_that_fails_blocks_nobody_and_says_so() {
    let world = World::native(&with_breaches());
    world.patch("/v1/instance", &json!({"password": {"breach_check": true}})).await.expect(200);
    for (behaviour, reason) in [
        (Behaviour::Hang, "timeout"),
        (Behaviour::Drop, "network"),
        (Behaviour::Answer(503, "later".to_owned()), "status"),
        (Behaviour::Answer(200, "<html>".to_owned()), "malformed"),
    ] {
        world.carriers.behave_for("breaches", behaviour);
        world.carriers.breach(GOOD);
        let ana = person(&world, &json!({})).await;
        let (start, lines) = (world.here().clock.clone(), world.here().log.lines().len());
        let before = postern::ports::Clock::now(&start);
        world.post(&ana.factors, &typed(GOOD)).await.expect(201);
        assert!(
            postern::ports::Clock::now(&start) <= before + Duration::from_secs(1),
            "a person waits a second at most"
        );
        let said = world.here().log.lines().split_off(lines);
        assert!(said.iter().any(|line| line.contains(&format!("no answer ({reason})"))), "{said:?}");
        let event = &world
            .get(&format!("/v1/audit-events?user_id={}&type=factor.activated", ana.user))
            .await
            .expect(200)["data"][0];
        let expected = json!({"type": "password", "breach_check": "unknown", "breach_check_reason": reason});
        assert_eq!(event["data"], expected);
    }
}

#[tokio::test]
async fn a_bad_base_stops_new_passwords_where_the_check_is_on_and_nothing_else() {
    let mut all = vars::null();
    all.insert("BREACH_API_BASE".to_owned(), json!("ftp://nowhere"));
    let world = World::native(&all);
    let ana = person(&world, &json!({})).await;
    world.post(&ana.factors, &typed(GOOD)).await.expect(201);
    world.patch("/v1/instance", &json!({"password": {"breach_check": true}})).await.expect(200);
    let eva = person(&world, &json!({})).await;
    let refused = world.post(&eva.factors, &typed(GOOD)).await.expect_problem(503, "configuration_invalid");
    assert!(text(&refused["detail"]).starts_with("BREACH_API_BASE"), "{refused}");
    world.post(&ana.verify, &json!({"password": GOOD})).await.expect(200);
}

#[tokio::test]
async fn how_imports_were_made_is_a_setting_of_the_instance() {
    let world = World::null();
    let set = async |imported: Value| world.patch("/v1/instance", &json!({"password": {"imported": imported}})).await;
    for good in ["bcrypt:12", "scrypt:14:8:1", "pbkdf2-sha256:600000", "argon2id:65536:3:4"] {
        let changed = set(json!(good)).await.expect(200);
        assert_eq!(changed["settings"]["password"]["imported"], good);
    }
    for bad in ["bcrypt", "bcrypt:15", "md5:1", "", "scrypt:30:8:1"] {
        let problem = set(json!(bad)).await.expect_problem(422, "form_param_invalid");
        assert_eq!(problem["errors"][0]["field"], "password.imported", "{problem}");
    }
    // Whoever has an import, and whoever has not, signs in as before.
    set(json!("bcrypt:4")).await.expect(200);
    let (ana, eva) = (person(&world, &json!({})).await, person(&world, &json!({})).await);
    let hash = "$2b$04$abcdefghijklmnopqrstuuR2cOz.8zbp8ywm1bYR1RZ8ndidSYhA6";
    world.post(&ana.factors, &json!({"type": "password", "hash": hash})).await.expect(201);
    world.post(&eva.factors, &typed(GOOD)).await.expect(201);
    for _ in 0..2 {
        world.post(&ana.verify, &json!({"password": "Grüße, 12 Öre!"})).await.expect(200);
        world.post(&eva.verify, &json!({"password": GOOD})).await.expect(200);
        world.post(&eva.verify, &json!({"password": "wrong"})).await.expect_problem(422, "form_password_incorrect");
    }
    assert_eq!(set(Value::Null).await.expect(200)["settings"]["password"]["imported"], Value::Null);
}
