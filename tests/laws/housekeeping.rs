//! Housekeeping deletes what has expired, each kind in its time, keeps what has not, goes on over more rows than one
//! batch takes, and settles what was left open.

use std::time::Duration;

use postern::housekeeping::run;
use serde_json::json;

use crate::support::{
    Behaviour, World,
    oauth::{CHALLENGE, EVERYTHING, browser_and_user, code, sign_in},
    vars,
};

const DAY: Duration = Duration::from_hours(24);

fn rows(world: &World, table: &str) -> i64 {
    world.here().database.number(&format!("SELECT count(*) FROM {table}"))
}

async fn after(world: &World, duration: Duration) {
    world.here().clock.advance(duration);
    run(&world.here().app).await.unwrap();
}

/// A message, its try, its challenge and its events.
async fn one_message(world: &World) {
    world.challenge(&world.number()).await;
}

#[tokio::test]
async fn messages_and_challenges_go_after_their_retention_and_events_after_theirs() {
    let world = World::twilio();
    one_message(&world).await;
    let events = rows(&world, "audit_events");
    assert!(events >= 3);
    // Kept to the millisecond; ids sort by time, and this one is of the start.
    after(&world, DAY * 30).await;
    for table in ["challenges", "messages", "message_tries"] {
        assert_eq!(rows(&world, table), 1, "{table}");
    }
    after(&world, Duration::from_millis(1)).await;
    for table in ["challenges", "messages", "message_tries"] {
        assert_eq!(rows(&world, table), 0, "{table}");
    }
    assert_eq!(rows(&world, "audit_events"), events);
    after(&world, DAY * 335 - Duration::from_millis(1)).await;
    assert_eq!(rows(&world, "audit_events"), events);
    after(&world, Duration::from_millis(1)).await;
    assert_eq!(rows(&world, "audit_events"), 0);
}

#[tokio::test]
async fn retention_is_a_setting() {
    let world = World::twilio();
    let settings = json!({"messages": {"retention_days": 2}, "audit": {"retention_days": 30}});
    world.patch("/v1/instance", &settings).await.expect(200);
    one_message(&world).await;
    after(&world, DAY * 2).await;
    assert_eq!(rows(&world, "messages"), 1);
    after(&world, Duration::from_millis(1)).await;
    assert_eq!((rows(&world, "messages"), rows(&world, "challenges")), (0, 0));
    after(&world, DAY * 28 - Duration::from_millis(1)).await;
    assert!(rows(&world, "audit_events") > 0);
    after(&world, Duration::from_millis(1)).await;
    assert_eq!(rows(&world, "audit_events"), 0);
}

#[tokio::test]
async fn counters_keys_inbox_and_pending_factors_go_in_their_time_and_what_counts_on_stays() {
    let world = World::null();
    let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let (_, _, active) = world.user_with_phone().await;
    let body = json!({"type": "phone", "phone": world.number()});
    let enrol = world.request("POST", &format!("/v1/users/{user}/factors")).json(&body).idempotency_key("once");
    let enrolled = enrol.send().await.expect(201);
    world.answer(&enrolled["challenge"], "0000").await.expect_problem(422, "form_code_incorrect");
    let in_a_row = format!("second_factor_failures_in_a_row:user:{user}");
    let counters =
        |like: &str| world.here().database.number(&format!("SELECT count(*) FROM counters WHERE key LIKE '{like}'"));
    // Two users and two numbers by the hour and the half hour, tries by number, and one failure of one user.
    assert_eq!((counters("%half_hour:%"), counters("%_hour:%"), counters("second_factor_failures:%")), (6, 10, 1));
    after(&world, Duration::from_mins(30) - Duration::from_millis(1)).await;
    assert_eq!(rows(&world, "counters"), 12);
    after(&world, Duration::from_millis(1)).await;
    assert_eq!((counters("%half_hour:%"), counters("%_hour:%"), counters("second_factor_failures:%")), (0, 4, 0));
    after(&world, Duration::from_mins(30)).await;
    assert_eq!(rows(&world, "counters"), 1);
    assert_eq!(counters(&in_a_row), 1, "it counts until it is cleared");

    let left = || ["idempotency_keys", "dev_inbox", "factors"].map(|table| rows(&world, table));
    assert_eq!(left(), [1, 2, 2]);
    after(&world, Duration::from_hours(23)).await;
    assert_eq!(left(), [1, 2, 2], "24 hours to the millisecond");
    after(&world, Duration::from_millis(1)).await;
    assert_eq!(left(), [0, 0, 1]);
    let found = world.get(&format!("/v1/users?phone=%2B{}", &active[1..])).await.expect(200);
    assert_eq!(found["data"].as_array().unwrap().len(), 1, "the active factor stays, however old");
    after(&world, DAY * 2000).await;
    assert_eq!((rows(&world, "users"), rows(&world, "factors"), counters(&in_a_row)), (2, 1, 1));
    assert_eq!(rows(&world, "instance"), 1);
}

/// So many rows of each kind, all of them long expired.
fn fill(world: &World, count: u32) {
    let each = [
        "INSERT INTO audit_events (id, type, actor, outcome, request_id, data, created_at)
           SELECT 'evt_' || id, 'user.created', 'x', 'success', 'x', '{}', 0 FROM old",
        "INSERT INTO counters SELECT id, 1, 1 FROM old",
        "INSERT INTO idempotency_keys SELECT id, '', '', 'done', '', 1 FROM old",
        "INSERT INTO messages (id, channel, template, locale, country, cost_class, encoding, segments, status, driver,
             created_at, updated_at)
           SELECT 'msg_' || id, 'sms', 'x', 'en', 'US', 'none', 'gsm7', 1, 'sent', 'null', 0, 0 FROM old",
        "INSERT INTO challenges (id, type, purpose, channel, destination, country, subject, is_test, digits, seed, pepper_id,
             generation, code_expires_at, expires_at, sends, wrong_answers_max, created_at, stamp)
           SELECT 'chl_' || id, 'phone', 'verification', 'sms', '+14155552671', 'US', 'x', 0, 6, 'x', 'p1', 1, 0, 0, 1, 5, 0, 'x'
           FROM old",
    ];
    for insert in each {
        world.here().database.execute(&format!(
            "CREATE TEMP TABLE old AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
               SELECT printf('0%025d', i) AS id FROM n;
             {insert};
             DROP TABLE old"
        ));
    }
}

#[tokio::test]
async fn more_rows_than_one_batch_takes_go_in_one_run_and_a_run_is_bounded() {
    const KINDS: [&str; 5] = ["audit_events", "counters", "idempotency_keys", "messages", "challenges"];
    let world = World::null();
    let database = &world.here().database;
    // The free plan lets one run make 50 statements.
    let batches = async || {
        let (before, statements) = (database.batches(), database.statements());
        run(&world.here().app).await.unwrap();
        assert!(database.statements() - statements <= 50, "{} statements", database.statements() - statements);
        database.batches() - before
    };
    // 2000 of each kind in a batch: a full one, one that is not, and the settings before.
    fill(&world, 2001);
    assert_eq!(batches().await, 3);
    assert_eq!(KINDS.map(|kind| rows(&world, kind)), [0; 5]);
    assert!(world.here().log.lines().last().unwrap().contains("housekeeping: 10005 rows"));
    // Two batches are the most of one run: the next one goes on, and with nothing to do it ends at once.
    fill(&world, 4001);
    assert_eq!(batches().await, 3);
    assert_eq!(KINDS.map(|kind| rows(&world, kind)), [1; 5]);
    assert_eq!(batches().await, 2);
    assert_eq!(KINDS.map(|kind| rows(&world, kind)), [0; 5]);
    assert_eq!(batches().await, 2);
}

/// What stands in the tables of the guard and of the numbers, as their keys say.
fn of_the_guard(world: &World) -> Vec<String> {
    let mut all = Vec::new();
    for (table, name) in [
        ("fraud_counts", "key"),
        ("fraud_members", "member"),
        ("fraud_refusals", "key"),
        ("fraud_entries", "subject"),
        ("message_hours", "template"),
        ("message_times", "template"),
    ] {
        let rows = world.here().database.query(&format!("SELECT {name} AS name FROM {table} ORDER BY name"));
        let what = table.split('_').next_back().unwrap();
        all.extend(rows.iter().map(|row| format!("{what} {}", row["name"].as_str().unwrap())));
    }
    all
}

#[tokio::test]
async fn what_the_guard_has_seen_goes_in_its_time_and_what_was_ever_counted_stays() {
    let world = World::null();
    let now = world.now();
    let (day, hour) = (86_400_000, 3_600_000);
    let ago = |days: i64| now - days * day;
    // Of each kind one that goes at this moment, and one that goes a step later.
    world.here().database.execute(&format!(
        "INSERT INTO fraud_counts VALUES ('old', {counts} - 1, 1, 0), ('young', {counts}, 1, 0);
         INSERT INTO fraud_members VALUES ('verified', 'old', {now}), ('verified', 'young', {now} + 1);
         INSERT INTO fraud_refusals VALUES ('r', 'old', 1, 1, 1, 1, 1, 1, {month} - 1, 1, 's'),
           ('r', 'young', 1, 1, 1, 1, 1, 1, {month}, 1, 's');
         INSERT INTO fraud_entries VALUES ('fre_1', 'block', 'old', '', 3, 1, NULL, 'x', 1, 1, {month} - 1, 's'),
           ('fre_2', 'block', 'young', '', 3, 1, NULL, 'x', 1, 1, {month}, 's');
         INSERT INTO message_hours (hour, channel, country, driver, template, app_id) VALUES
           (0, 'sms', 'GB', 'x', 'ever', ''), ({hours} - 1, 'sms', 'GB', 'x', 'old', ''), ({hours}, 'sms', 'GB', 'x', 'young', '');
         INSERT INTO message_times VALUES (0, 'sms', 'GB', 'x', 'ever', '', 'verified', 1, 1, 1),
           ({hours} - 1, 'sms', 'GB', 'x', 'old', '', 'verified', 1, 1, 1), ({hours}, 'sms', 'GB', 'x', 'young', '', 'verified', 1, 1, 1)",
        counts = ago(15) / (6 * hour),
        month = ago(30),
        hours = ago(400) / hour,
    ));
    run(&world.here().app).await.unwrap();
    let left =
        ["counts young", "members young", "refusals young", "entries young", "hours ever", "hours young", "times ever"];
    assert_eq!(of_the_guard(&world), [left.as_slice(), &["times young"]].concat());
    after(&world, Duration::from_millis(1)).await;
    assert_eq!(of_the_guard(&world), ["counts young", "hours ever", "hours young", "times ever", "times young"]);
    after(&world, Duration::from_hours(6)).await;
    assert_eq!(of_the_guard(&world), ["hours ever", "times ever"]);
}

const KINDS: [&str; 6] =
    ["fraud_counts", "fraud_members", "fraud_refusals", "fraud_entries", "message_hours", "message_times"];

/// So many rows of each kind that the guard and the numbers have, all of them long over.
fn fill_the_guards(world: &World, count: u32) {
    let each = [
        "fraud_counts SELECT i, 1, 1, 0 FROM old",
        "fraud_members SELECT i, 'x', 1 FROM old",
        "fraud_refusals SELECT 'r', i, 1, 1, 1, 1, 1, 1, 1, 1, 's' FROM old",
        "fraud_entries SELECT i, 'block', i, '', 0, 1, NULL, 'x', 1, 1, 1, 's' FROM old",
        "message_hours (hour, channel, country, driver, template, app_id)
           SELECT 1 + i / 10, 'sms', 'GB', 'x', i, '' FROM old",
        "message_times SELECT 1 + i / 10, 'sms', 'GB', 'x', i, '', 'verified', 1, 1, 1 FROM old",
    ];
    for insert in each {
        world.here().database.execute(&format!(
            "CREATE TEMP TABLE old AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
               SELECT i FROM n;
             INSERT INTO {insert};
             DROP TABLE old"
        ));
    }
}

#[tokio::test]
async fn of_the_guards_rows_too_many_for_one_run_go_with_the_next_ones() {
    let world = World::null();
    fill_the_guards(&world, 4001);
    // Of messages' numbers whole hours go, and with the last one some rows more.
    for left in [[1, 1, 1, 1, 0, 0], [0; 6]] {
        let statements = world.here().database.statements();
        run(&world.here().app).await.unwrap();
        assert!(world.here().database.statements() - statements <= 50);
        assert_eq!(KINDS.map(|kind| rows(&world, kind)), left);
    }
}

/// More kinds have rows left than one run goes on with, secrets are sealed anew and the next signing key is made: the most
/// that a run has to do.
#[tokio::test]
async fn a_run_that_has_everything_to_do_stays_under_fifty_statements() {
    let world = World::twilio();
    let (shop, user) = browser_and_user(&world).await;
    sign_in(&world, &shop, &user, EVERYTHING).await;
    let twilio = json!({"sms": {"twilio": {"account_sid": vars::ACCOUNT, "auth_token": vars::TOKEN}}});
    world.patch("/v1/instance", &twilio).await.expect(200);
    world.here().clock.advance(DAY * 1000);
    let ring = r#"{"current":"k2","keys":{"k1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","k2":"QCECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}"#;
    let mut bindings = vars::prod_twilio("http://127.0.0.1:9");
    bindings.insert("ENCRYPTION_KEYS".to_owned(), json!(ring));
    let world = World::on(&world.here().redeploy(&bindings));
    fill(&world, 2001);
    fill_the_guards(&world, 2001);
    world.here().database.execute(&format!(
        "CREATE TEMP TABLE old AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2001) SELECT i FROM n;
         INSERT INTO flows (id, type, token_hash, app_id, code_challenge, scope, created_at, expires_at, stamp)
           SELECT i, 'sign_in', i, '{shop}', 'x', '', 1, 1, 's' FROM old;
         INSERT INTO invitations SELECT i, i, 'x', 'x', NULL, 1, 'x', 1, NULL, 's' FROM old;
         INSERT INTO authorization_codes (code_hash, session_id, app_id, user_id, code_challenge, scope, acr, amr, auth_time,
             created_at, expires_at, stamp)
           SELECT i, 'x', '{shop}', '{user}', 'x', '', 'x', '[]', 1, 1, 1, 's' FROM old;
         DROP TABLE old"
    ));
    let statements = world.here().database.statements();
    run(&world.here().app).await.unwrap();
    let statements = world.here().database.statements() - statements;
    assert!((45..=50).contains(&statements), "{statements} statements");
    run(&world.here().app).await.unwrap();
    assert_eq!(KINDS.map(|kind| rows(&world, kind)), [0; 6]);
    assert_eq!(["flows", "invitations", "authorization_codes"].map(|kind| rows(&world, kind)), [0; 3]);
}

#[tokio::test]
async fn only_what_was_left_queued_is_settled() {
    let world = World::twilio();
    one_message(&world).await;
    world.here().clock.advance(Duration::from_millis(1));
    world.carriers.behave(Behaviour::Hang);
    one_message(&world).await;
    let states = || {
        let rows = world.here().database.query("SELECT status, error_code FROM messages ORDER BY id");
        rows.iter().map(|row| json!([row["status"], row["error_code"]])).collect::<Vec<_>>()
    };
    let before = states();
    after(&world, Duration::from_mins(11)).await;
    assert_eq!(states(), before);
    world.here().database.execute("UPDATE messages SET status = 'queued' WHERE status = 'sent'");
    after(&world, Duration::from_mins(1)).await;
    assert_eq!(states(), [json!(["unknown", "not_recorded"]), json!(["unknown", "timeout"])]);
}

#[tokio::test]
async fn sessions_go_thirty_days_after_their_end_and_codes_and_flows_a_day_after_theirs() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let sessions = format!("/v1/users/{user}/sessions");
    let long = json!({"tokens": {"session_seconds": 365 * 86_400, "session_idle_seconds": 365 * 86_400}});
    world.patch(&format!("/v1/apps/{shop}"), &long).await.expect(200);
    sign_in(&world, &shop, &user, EVERYTHING).await;
    world.delete(&sessions).await.expect(204);
    sign_in(&world, &shop, &user, EVERYTHING).await;
    code(&world, &shop, &user, EVERYTHING).await;
    let begin = json!({"client_id": shop, "code_challenge": CHALLENGE, "code_challenge_method": "S256"});
    let begin = world.request("POST", "/v1/client/sign-ins").without("authorization").json(&begin);
    begin.header("origin", "https://app.example.com").send().await.expect(201);
    let left = || ["sessions", "authorization_codes", "flows"].map(|table| rows(&world, table));
    after(&world, DAY).await;
    assert_eq!(left(), [2, 3, 1]);
    after(&world, Duration::from_mins(10)).await;
    assert_eq!(left(), [2, 0, 0]);
    after(&world, DAY * 29 - Duration::from_mins(10) - Duration::from_millis(1)).await;
    assert_eq!(left(), [2, 0, 0]);
    after(&world, Duration::from_millis(1)).await;
    assert_eq!((left(), rows(&world, "refresh_tokens")), ([1, 0, 0], 1));
}
