//! `GET /health`: it works, or it says which check fails and what to do. It tells nobody a secret.

use postern::ports::DatabaseError;
use serde_json::json;

use crate::support::{Native, World, sqlite::Sqlite, vars};

#[tokio::test]
async fn it_works() {
    let answer = World::null().request("GET", "/health").without("authorization").send().await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let ok = json!({"status": "ok", "detail": null});
    let body = answer.expect(200);
    assert_eq!(body["checks"], json!({"configuration": ok, "database": ok, "cache": ok, "receipts": ok}));
    assert_eq!((&body["status"], &body["version"]), (&json!("ok"), &json!(env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn a_variable_that_is_wrong_or_missing_is_named() {
    let mut bindings = vars::null();
    bindings.remove("CODE_PEPPER");
    bindings.insert("SERVER_API_KEY".to_owned(), json!("hunter2"));
    bindings.insert("DEV_SMS_RECEIVER".to_owned(), json!("12"));
    let answer = World::native(&bindings).get("/health").await;
    assert!(answer.header("retry-after").is_some());
    assert!(!answer.text.contains("hunter2"));
    let body = answer.expect(503);
    let check = &body["checks"]["configuration"];
    assert_eq!((&body["status"], &check["status"]), (&json!("failed"), &json!("failed")));
    for name in ["CODE_PEPPER", "SERVER_API_KEY", "DEV_SMS_RECEIVER"] {
        assert!(check["detail"].as_str().unwrap().contains(name), "{check}");
    }
    assert_eq!(body["checks"]["database"]["status"], "ok");
}

#[tokio::test]
async fn an_unmigrated_database_gets_its_command() {
    for (bindings, place) in [(vars::null(), "--local"), (vars::prod_twilio("http://127.0.0.1:9"), "--remote")] {
        let world = World::on(&Native::with_database(&bindings, Sqlite::unmigrated()));
        let body = world.get("/health").await.expect(503);
        let detail = body["checks"]["database"]["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("wrangler d1 migrations apply DB {place}")), "{detail}");
        let problem = world.get("/v1/users").await.expect_problem(503, "database_unmigrated");
        assert!(problem["detail"].as_str().unwrap().contains(place), "{problem}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_told_and_its_words_are_not() {
    let world = World::null();
    for error in [DatabaseError::Unavailable("hunter2".to_owned()), DatabaseError::Other("hunter2".to_owned())] {
        world.here().database.fail_next(error);
        let answer = world.get("/health").await;
        assert!(!answer.text.contains("hunter2"));
        assert_eq!(answer.expect(503)["checks"]["database"]["detail"], "D1 does not answer: check the binding DB");
    }
    world.get("/health").await.expect(200);
}

#[tokio::test]
async fn a_cache_that_is_away_is_told_and_stops_nothing_else() {
    let world = World::null();
    world.here().cache.break_it();
    let body = world.get("/health").await.expect(503);
    assert_eq!(body["checks"]["cache"]["detail"], "KV does not answer: check the binding KV");
    world.get("/v1/users").await.expect(200);
    world.get("/v1/environment").await.expect(200);
    world.challenge(&world.number()).await;
}
