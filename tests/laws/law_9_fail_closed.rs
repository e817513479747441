//! Law 9: fail closed and say why. A bad variable stops what depends on it, by name, and nothing else; a database
//! that fails at any step leaves nothing half done; a broken KV breaks nothing that decides.

use std::time::Duration;

use postern::{config::VARIABLES, ports::DatabaseError};
use serde_json::{Value, json};

use crate::support::{Native, Request, World, sqlite::Sqlite, vars, vars::Vars};

const SECRET: &str = "aHunterWithTwoSecretsAndNoPatience";

fn unavailable() -> DatabaseError {
    DatabaseError::Unavailable("D1 DB is overloaded".to_owned())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn with(mut all: Vars, name: &str, value: Value) -> Vars {
    all.insert(name.to_owned(), value);
    all
}

/// The detail of `/health`'s check of the configuration, which has failed.
async fn unhealthy(world: &World) -> String {
    let health = world.get("/health").await;
    assert_eq!(health.status, 503, "{}", health.text);
    assert!(!health.text.contains(SECRET), "{}", health.text);
    text(&health.json["checks"]["configuration"]["detail"])
}

#[tokio::test]
async fn a_required_variable_that_is_missing_or_malformed_stops_everything_by_name() {
    let required: Vec<&str> = VARIABLES.iter().filter(|one| one.required).map(|one| one.name).collect();
    assert_eq!(required, ["ENVIRONMENT", "SERVER_API_KEY", "ENCRYPTION_KEYS", "CODE_PEPPER"]);
    for name in required {
        for value in [None, Some(json!("")), Some(json!(SECRET.repeat(2))), Some(json!({"current": SECRET}))] {
            let mut all = vars::null();
            match value.clone() {
                None => drop(all.remove(name)),
                Some(value) => drop(all.insert(name.to_owned(), value)),
            }
            let world = World::native(&all);
            let call = world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
            assert!(!call.text.contains(SECRET), "{}", call.text);
            let problem = call.expect_problem(503, "configuration_invalid");
            assert!(text(&problem["detail"]).starts_with(name), "{problem}");
            assert!(unhealthy(&world).await.starts_with(name), "{name} {value:?}");
            assert_eq!(world.here().database.batches(), 1, "{name}: only /health has asked the database");
            world.get("/v1/environment").await.expect(200);
        }
    }
}

#[tokio::test]
async fn every_variable_that_is_malformed_is_named_and_nothing_that_may_be_a_secret_is_shown() {
    // Whatever stands there may be a credential that went into the wrong line, and /health is public.
    let world = World::null();
    let deployed = |name: &str, value: Value| World::on(&world.here().redeploy(&with(vars::null(), name, value)));
    for variable in VARIABLES {
        let listed = deployed(variable.name, json!(["x", SECRET, ""]));
        assert!(unhealthy(&listed).await.contains(variable.name), "{}", variable.name);
        for bad in [json!(SECRET), json!(format!("{SECRET}\r\n")), json!({"key": SECRET}), json!([SECRET])] {
            let health = deployed(variable.name, bad).get("/health").await;
            assert!(!health.text.contains(SECRET), "{}: {}", variable.name, health.text);
        }
    }
}

#[tokio::test]
async fn a_bad_carrier_variable_stops_sending_and_nothing_else() {
    let base = || vars::prod_twilio("http://127.0.0.1:9");
    let mut without_token = base();
    without_token.remove("TWILIO_AUTH_TOKEN");
    let cases = [
        ("TWILIO_ACCOUNT_ID", with(base(), "TWILIO_ACCOUNT_ID", json!("AC12"))),
        ("TWILIO_AUTH_TOKEN", without_token),
        ("TWILIO_SENDER_NUMBER", with(base(), "TWILIO_SENDER_NUMBER", json!("+1 500"))),
        ("TWILIO_API_BASE", with(base(), "TWILIO_API_BASE", json!("http://api.twilio.com"))),
        ("TWILIO_API_KEY_SECRET", with(base(), "TWILIO_API_KEY_SID", json!(format!("SK{}", "0".repeat(32))))),
        ("VONAGE_API_KEY", with(base(), "SMS_DRIVER", json!("vonage"))),
        ("SMS_DRIVER", with(base(), "SMS_DRIVER", json!("pigeon"))),
        ("PUBLIC_URL", with(base(), "PUBLIC_URL", json!("login.example.com"))),
    ];
    for (name, all) in cases {
        let good = World::twilio();
        let (user, _, number) = good.user_with_phone().await;
        let pending = good.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
        let code = good.code(&number).await;
        let world = World::on(&good.here().redeploy(&all));
        let resend = format!("/v1/challenges/{}/resend", text(&pending["id"]));
        good.here().clock.advance(Duration::from_secs(31));
        let before = world.here().database.everything();
        for request in [
            world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}})),
            world.request("POST", "/v1/challenges").json(&json!({"user_id": user})),
            world.request("POST", &resend),
        ] {
            let problem = request.send().await.expect_problem(503, "configuration_invalid");
            assert!(text(&problem["detail"]).contains(name), "{name}: {problem}");
        }
        assert_eq!(world.here().database.everything(), before, "{name}");
        assert!(unhealthy(&world).await.contains(name));
        // All else goes on.
        world.get(&format!("/v1/users/{user}")).await.expect(200);
        world.get("/v1/messages").await.expect(200);
        world.patch("/v1/instance", &json!({"codes": {"length": 6}})).await.expect(200);
        world.answer(&pending, &code).await.expect(200);
    }
}

#[tokio::test]
async fn outside_prod_a_carrier_without_a_receiver_refuses_and_names_the_variable() {
    let mut all = vars::dev_twilio("http://127.0.0.1:9");
    all.remove("DEV_SMS_RECEIVER");
    let world = World::native(&all);
    let problem = world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
    let problem = problem.expect_problem(503, "configuration_invalid");
    assert!(text(&problem["detail"]).contains("DEV_SMS_RECEIVER"));
    assert!(world.carriers.sent().is_empty());
    world.challenge("+15555550142").await;
    // In prod, nothing is sent by a driver that nobody has named.
    let mut all = vars::null();
    all.insert("ENVIRONMENT".to_owned(), json!("prod"));
    all.remove("DEV_TOOLS");
    let unnamed = World::native(&all);
    let problem = unnamed.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
    assert!(text(&problem.expect_problem(503, "configuration_invalid")["detail"]).contains("SMS_DRIVER"));
    World::native(&with(all, "SMS_DRIVER", json!("null"))).challenge(&world.number()).await;
}

#[tokio::test]
async fn a_bad_threshold_stops_challenges_and_nothing_else() {
    for name in
        ["MFA_CODE_VERIFY_THRESHOLD", "SMS_MFA_MESSAGE_THRESHOLD", "SMS_COUNTRY_CODE", "ACCOUNT_LOCKOUT_THRESHOLD"]
    {
        let good = World::null();
        let (user, factor, number) = good.user_with_phone().await;
        good.here().clock.advance(Duration::from_secs(31));
        let pending = good.challenge(&number).await;
        let code = good.code(&number).await;
        good.here().clock.advance(Duration::from_secs(31));
        let world = World::on(&good.here().redeploy(&with(vars::null(), name, json!("many"))));
        let path = |rest: &str| format!("/v1/challenges/{}{rest}", pending["id"].as_str().unwrap());
        let before = world.here().database.everything();
        let post = |path: &str, body: Value| world.request("POST", path).json(&body);
        for request in [
            post("/v1/challenges", json!({"to": {"phone": number}})),
            post("/v1/challenges", json!({"user_id": user})),
            post(&path("/answer"), json!({"code": code})),
            post(&path("/resend"), json!({})),
            post(&format!("/v1/users/{user}/factors"), json!({"type": "phone", "phone": "+14155550123"})),
        ] {
            let problem = request.send().await.expect_problem(503, "configuration_invalid");
            assert!(text(&problem["detail"]).starts_with(name), "{problem}");
        }
        assert_eq!(world.here().database.everything(), before);
        assert!(unhealthy(&world).await.starts_with(name));
        world.post("/v1/users", &json!({"name": "Ana"})).await.expect(201);
        world.get(&path("")).await.expect(200);
        post(&path("/cancel"), json!({})).send().await.expect(200);
        world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=x")).await.expect(204);
    }
}

#[tokio::test]
async fn an_unmigrated_database_is_told_with_the_command_to_run() {
    for (all, place) in [(vars::null(), "--local"), (vars::prod_twilio("http://127.0.0.1:9"), "--remote")] {
        let world = World::on(&Native::with_database(&all, Sqlite::unmigrated()));
        let command = format!("npx wrangler d1 migrations apply DB {place}");
        for (method, path) in [("POST", "/v1/challenges"), ("GET", "/v1/users"), ("GET", "/v1/environment")] {
            let mut request = world.request(method, path);
            if method == "POST" {
                request = request.json(&json!({"to": {"phone": "+14155552671"}}));
            }
            let problem = request.send().await.expect_problem(503, "database_unmigrated");
            assert!(text(&problem["detail"]).contains(&command), "{problem}");
        }
        let health = world.get("/health").await;
        assert_eq!(health.status, 503);
        assert!(text(&health.json["checks"]["database"]["detail"]).contains(&command));
        // Older than this program: the same.
        let old = World::on(&Native::new(&all));
        old.here().database.execute("UPDATE instance SET schema = 0");
        old.get("/v1/users").await.expect_problem(503, "database_unmigrated");
    }
}

#[tokio::test]
async fn a_database_that_fails_is_told_as_what_it_is_and_not_in_its_own_words() {
    let cases = [
        (unavailable(), 503, "database_unavailable"),
        (DatabaseError::Unmigrated("no such table: challenges".to_owned()), 503, "database_unmigrated"),
        (DatabaseError::Constraint("constraint failed: inner_words".to_owned()), 500, "internal_error"),
        (DatabaseError::Other("inner_words".to_owned()), 500, "internal_error"),
    ];
    for (error, status, code) in cases {
        let world = World::null();
        world.get("/v1/instance").await.expect(200);
        world.here().database.fail_next(error);
        let response = world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
        assert_eq!(response.header("retry-after").is_some(), code == "database_unavailable");
        assert!(!response.text.contains("inner_words"));
        let trace = text(&response.json["trace_id"]);
        response.expect_problem(status, code);
        assert!(world.here().log.lines().iter().any(|line| line.contains(&trace)), "the log has more");
    }
}

/// One request, in a world where it can be made; and how many batches decide before the carrier is asked.
async fn requests() -> Vec<(&'static str, World, Request, u32)> {
    let mut all = Vec::new();
    for what in
        ["create", "create by user", "resend", "answer", "wrong answer", "enrol", "activate", "cancel", "remove"]
    {
        let world = World::twilio();
        let (user, factor, number) = world.user_with_phone().await;
        let pending = world.challenge(&number).await;
        let code = world.code(&number).await;
        let second = world.number();
        let word = json!({"type": "phone", "phone": second, "override": {"reason": "x"}});
        let factors = format!("/v1/users/{user}/factors");
        let path = |rest: &str| format!("/v1/challenges/{}/{rest}", pending["id"].as_str().unwrap());
        let post = |path: &str, body: Value| world.request("POST", path).json(&body);
        let (request, deciding) = match what {
            "create" => (post("/v1/challenges", json!({"to": {"phone": number}})), 1),
            "create by user" => (post("/v1/challenges", json!({"user_id": user})), 2),
            "resend" => (post(&path("resend"), json!({})), 2),
            "answer" => (post(&path("answer"), json!({"code": code})), 1),
            "wrong answer" => (post(&path("answer"), json!({"code": world.wrong(&code)})), 1),
            // First the language of whom it is for.
            "enrol" => (post(&factors, word), 2),
            "activate" => {
                let enrolled = post(&factors, word).send().await.expect(201);
                let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&second).await});
                (post(&format!("{factors}/{}/activate", text(&enrolled["factor"]["id"])), body), 1)
            }
            "cancel" => (post(&path("cancel"), json!({})), 1),
            _ => (world.request("DELETE", &format!("{factors}/{factor}?override_reason=x")), 1),
        };
        world.here().clock.advance(Duration::from_secs(30));
        world.get("/v1/instance").await.expect(200);
        all.push((what, world, request, deciding));
    }
    all
}

#[tokio::test]
async fn a_database_that_fails_at_any_step_leaves_nothing_half_done() {
    for step in 0..3 {
        for (what, world, request, deciding) in requests().await {
            let database = &world.here().database;
            let (before, sent) = (database.everything(), world.carriers.sent().len());
            database.fail_after(step, unavailable());
            let response = request.send().await;
            let failed = database.has_failed();
            if step < deciding {
                assert!(failed && response.header("retry-after").is_some(), "{what} {step}");
                response.expect_problem(503, "database_unavailable");
                assert_eq!(database.everything(), before, "{what} {step}: nothing was changed");
                assert_eq!(world.carriers.sent().len(), sent, "{what} {step}: nothing was sent");
            } else if what != "wrong answer" {
                // It was decided: what is written down after the carrier was asked may be missing, no more.
                assert!([200, 201, 204].contains(&response.status), "{what} {step}: {}", response.text);
            }
        }
    }
}

#[tokio::test]
async fn a_cold_isolate_without_a_database_refuses() {
    let world = World::null();
    for path in ["/v1/users", "/v1/environment"] {
        world.here().database.fail_next(unavailable());
        let response = world.get(path).await;
        assert!(response.header("retry-after").is_some());
        response.expect_problem(503, "database_unavailable");
    }
    world.here().database.fail_next(unavailable());
    let health = world.get("/health").await;
    assert_eq!((health.status, &health.json["checks"]["database"]["status"]), (503, &json!("failed")));
    assert_eq!(health.json["checks"]["cache"]["status"], "ok");
}

#[tokio::test]
async fn a_broken_kv_breaks_nothing_but_health() {
    let world = World::null();
    world.here().cache.break_it();
    let (user, _, number) = world.user_with_phone().await;
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
    assert_eq!(world.get("/v1/environment").await.expect(200)["test_mode"], "enabled");
    let health = world.get("/health").await;
    assert_eq!(health.status, 503);
    assert!(text(&health.json["checks"]["cache"]["detail"]).contains("KV"));
    assert_eq!(health.json["checks"]["database"]["status"], "ok");
}
