//! Nothing scans a table: every statement of the program is planned on the migrated schema, every one that runs is
//! in a list, and every index of the migration serves somebody.

use std::{collections::BTreeSet, time::Duration};

use postern::{
    alert, api_key, app, challenge, device, evaluation, event, factor, flow, fraud, housekeeping, idempotency,
    invitation, limit, message, metrics, reseal, session, settings, template, token, user, webhook,
};
use rusqlite::Connection;
use serde_json::json;

use crate::support::{
    World, passkey,
    sqlite::{Sqlite, plans, scans},
    vars,
};

fn statements() -> Vec<&'static str> {
    [
        alert::store::STATEMENTS,
        api_key::store::STATEMENTS,
        app::machine::store::STATEMENTS,
        app::store::STATEMENTS,
        challenge::store::STATEMENTS,
        device::store::STATEMENTS,
        evaluation::store::STATEMENTS,
        event::store::STATEMENTS,
        flow::sign_up::store::STATEMENTS,
        flow::store::STATEMENTS,
        factor::password::STATEMENTS,
        factor::recovery_codes::STATEMENTS,
        factor::store::STATEMENTS,
        factor::totp::STATEMENTS,
        factor::passkey::STATEMENTS,
        fraud::store::STATEMENTS,
        fraud::entry::store::STATEMENTS,
        housekeeping::STATEMENTS,
        idempotency::STATEMENTS,
        invitation::store::STATEMENTS,
        limit::lockout::STATEMENTS,
        limit::store::STATEMENTS,
        message::fallback::store::STATEMENTS,
        message::feedback::store::STATEMENTS,
        message::gate::STATEMENTS,
        message::hook_context::store::STATEMENTS,
        message::store::ended::STATEMENTS,
        message::store::list::STATEMENTS,
        message::store::queue::STATEMENTS,
        message::receipt::store::STATEMENTS,
        message::test::store::STATEMENTS,
        metrics::messages::STATEMENTS,
        metrics::prometheus::STATEMENTS,
        reseal::STATEMENTS,
        session::refresh::store::STATEMENTS,
        session::store::STATEMENTS,
        settings::STATEMENTS,
        template::store::STATEMENTS,
        token::store::STATEMENTS,
        user::store::STATEMENTS,
        webhook::delivery::store::STATEMENTS,
        webhook::store::STATEMENTS,
    ]
    .concat()
}

#[test]
fn no_statement_scans_a_table() {
    for (sql, scans, _) in plans(&statements()) {
        assert!(scans.is_empty(), "this statement scans {scans:?}:\n{sql}");
    }
}

#[test]
fn no_statement_is_in_the_lists_twice() {
    let all = statements();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn a_statement_that_scans_is_detected() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT, size INTEGER); CREATE INDEX sizes ON rooms (size);
             CREATE TABLE guests (id INTEGER PRIMARY KEY, room TEXT)",
        )
        .unwrap();
    let bad = [
        "SELECT id FROM rooms WHERE name = ?1",
        "SELECT size FROM rooms",
        "SELECT count(*) FROM rooms r",
        "UPDATE rooms SET size = 0 WHERE name LIKE 'a%'",
        "DELETE FROM rooms WHERE name = ?1",
        "SELECT g.id FROM guests g JOIN rooms x ON x.name = g.room WHERE g.id < 9",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM rooms WHERE name = ?1)",
    ];
    for sql in bad {
        assert!(!scans(&connection, sql).is_empty(), "{sql}");
    }
    let good = [
        "SELECT id FROM rooms WHERE id = ?1",
        "SELECT id FROM rooms WHERE id > ?1 ORDER BY id LIMIT 10",
        "SELECT id FROM rooms WHERE size = ?1",
        "SELECT r.id FROM json_each(?1) l CROSS JOIN rooms r ON r.id = l.value",
        "INSERT INTO rooms (name) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM rooms WHERE id = ?2)",
    ];
    for sql in good {
        assert_eq!(scans(&connection, sql), Vec::<String>::new(), "{sql}");
    }
}

#[test]
fn every_index_serves_a_statement_a_constraint_or_a_cascade() {
    let used: BTreeSet<String> = plans(&statements()).into_iter().flat_map(|(_, _, indexes)| indexes).collect();
    let database = Sqlite::new();
    let tables = database.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    let mut seen = 0;
    for table in &tables {
        let table = table["name"].as_str().unwrap();
        let keys = database.query(&format!("SELECT \"from\" AS name FROM pragma_foreign_key_list('{table}')"));
        for index in database.query(&format!("SELECT name, \"unique\" AS is_unique FROM pragma_index_list('{table}')"))
        {
            let name = index["name"].as_str().unwrap();
            let first = database.query(&format!("SELECT name FROM pragma_index_info('{name}') WHERE seqno = 0"));
            let cascades = keys.iter().any(|key| key["name"] == first[0]["name"]);
            let unique = index["is_unique"].as_f64() == Some(1.0);
            assert!(used.contains(name) || unique || cascades, "nothing uses the index {name}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

/// Deliveries are kept for thirty days: what an endpoint is still to hear, and a list of those in one state, are found without
/// reading all of them.
#[test]
fn few_of_many_deliveries_are_found_by_their_index() {
    let all = plans(&[webhook::delivery::store::STATEMENTS, webhook::store::STATEMENTS].concat());
    let by = |index: &str| all.iter().filter(|(_, _, used)| used.contains(&index.to_owned())).count();
    assert_eq!(by("webhook_deliveries_pending"), 2, "switched off by the operator, and by failing");
    assert_eq!(by("webhook_deliveries_by_status"), 1);
}

#[tokio::test]
async fn every_statement_that_runs_is_in_a_list() {
    let listed: BTreeSet<&str> = statements().into_iter().collect();
    for setup in [vars::null(), vars::prod_mail("http://127.0.0.1:9")] {
        let world = World::native(&setup);
        let (user, factor, number) = world.user_with_phone().await;
        world.here().clock.advance(Duration::from_secs(31));
        let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
        let code = world.code(&number).await;
        world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
        world.here().clock.advance(Duration::from_secs(31));
        let path = format!("/v1/challenges/{}", challenge["id"].as_str().unwrap());
        world.request("POST", &format!("{path}/resend")).idempotency_key("resend").send().await.expect(200);
        world.answer(&challenge, &world.code(&number).await).await.expect(200);
        world.request("POST", &format!("{path}/cancel")).send().await;
        let app = json!({"name": "Shop", "mfa": {"remember_device": true}, "origins": ["https://app.example.com"]});
        let app = world.request("POST", "/v1/apps").json(&app).idempotency_key("app").send().await.expect(201);
        world.here().clock.advance(Duration::from_secs(31));
        let mut flow = json!({"app_id": app["id"], "proofs": [world.proof(&user, &number).await], "complete": true});
        world.evaluate(&user, &flow).await.expect(200);
        flow["external_first_factor"] = json!({"type": "password"});
        flow.as_object_mut().unwrap().remove("complete");
        let devices = format!("/v1/users/{user}/devices");
        let device = world.request("POST", &devices).json(&flow).idempotency_key("device").send().await.expect(201);
        world
            .evaluate(&user, &json!({"app_id": app["id"], "device": device["token"], "complete": true}))
            .await
            .expect(200);
        world.get(&devices).await.expect(200);
        world.delete(&format!("{devices}/{}", device["device"]["id"].as_str().unwrap())).await.expect(204);
        world.delete(&devices).await.expect(204);
        let app = format!("/v1/apps/{}", app["id"].as_str().unwrap());
        world.patch(&app, &json!({"mfa": null})).await.expect(200);
        world.get("/v1/apps").await.expect(200);
        world.request("POST", &format!("{app}/rotate-secret")).idempotency_key("secret").send().await.expect(200);
        let invite = json!({"email": "eve@example.com", "url": "https://app.example.com/join"});
        world.request("POST", "/v1/invitations").json(&invite).idempotency_key("invite").send().await.expect(201);
        let invitations = world.get("/v1/invitations").await.expect(200);
        let invitation = invitations["data"][0]["id"].as_str().unwrap();
        world.delete(&format!("/v1/invitations/{invitation}")).await.expect(204);
        let block = json!({"list": "block", "ip": "203.0.113.7", "hours": 1});
        let block = world.request("POST", "/v1/fraud-entries").json(&block).idempotency_key("block").send().await;
        world.get("/v1/fraud-entries?list=block").await.expect(200);
        world.get("/v1/fraud-entries").await.expect(200);
        world.delete(&format!("/v1/fraud-entries/{}", block.expect(201)["id"].as_str().unwrap())).await.expect(204);
        world.delete(&app).await.expect(204);
        let key = world.post("/v1/api-keys", &json!({"name": "k", "scopes": ["users:read"]})).await.expect(201);
        world.request("GET", "/v1/users").key(key["secret"].as_str().unwrap()).send().await.expect(200);
        world.delete(&format!("/v1/api-keys/{}", key["api_key"]["id"].as_str().unwrap())).await.expect(204);
        world.delete("/v1/api-keys/key_binding").await;
        let listener = world.listen(&["*"]).await;
        listener.behave_once(crate::support::Behaviour::Answer(500, String::new()));
        let hook = format!("/v1/webhook-endpoints/{}", listener.id);
        world.patch(&hook, &json!({"description": "x"})).await.expect(200);
        let rotated = world.request("POST", &format!("{hook}/rotate-secret")).idempotency_key("hook").send().await;
        listener.learn(rotated.expect(200)["secret"].as_str().unwrap());
        let told = world.get("/v1/webhook-deliveries").await.expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
        world.request("POST", &format!("/v1/webhook-deliveries/{told}/replay")).send().await.expect(200);
        for filter in [format!("endpoint_id={}", listener.id), format!("event_id={}", told.replace("whd", "evt"))] {
            world.get(&format!("/v1/webhook-deliveries?{filter}&status=failed")).await.expect(200);
        }
        world.get("/v1/webhook-endpoints").await.expect(200);
        listener.behave_once(crate::support::Behaviour::Answer(410, String::new()));
        world.post("/v1/users", &json!({})).await.expect(201);
        world.patch(&hook, &json!({"enabled": false})).await.expect(200);
        world.delete(&hook).await.expect(204);
        let change = json!({"email": "ana@example.com", "phone": number, "disabled": false});
        world.patch(&format!("/v1/users/{user}"), &change).await.expect(200);
        for path in [
            "/v1/instance".to_owned(),
            "/v1/users".to_owned(),
            "/v1/users?email=ana@example.com".to_owned(),
            "/v1/users?external_id=1".to_owned(),
            format!("/v1/users?phone=%2B{}", &number[1..]),
            format!("/v1/users/{user}"),
            format!("/v1/users/{user}/factors"),
            path,
            "/v1/messages".to_owned(),
            "/v1/messages?status=sent".to_owned(),
            "/v1/metrics/messages".to_owned(),
            "/v1/metrics".to_owned(),
            format!("/v1/messages?user_id={user}"),
            "/v1/audit-events".to_owned(),
            format!("/v1/audit-events?user_id={user}&type=user.created"),
            "/v1/environment".to_owned(),
            "/health".to_owned(),
        ] {
            world.get(&path).await.expect(200);
        }
        world.patch("/v1/instance", &json!({"codes": {"length": 7}})).await.expect(200);
        passkey::allow(&world).await;
        let (_, _, mut authenticator) = passkey::user_with_passkey(&world).await;
        let challenge = world.post("/v1/challenges", &json!({"type": "passkey"})).await.expect(201);
        let credential = authenticator.get(&challenge["public_key"]);
        passkey::answer(&world, &challenge, &credential).send().await.expect(200);
        world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=x")).await.expect(204);
        world.delete(&format!("/v1/users/{user}/factors?override_reason=x")).await.expect(204);
        world.request("POST", &format!("/v1/users/{user}/unlock")).send().await.expect(200);
        world.delete(&format!("/v1/users/{user}")).await.expect(204);
        housekeeping::run(&world.here().app).await.unwrap();
        let executed = world.here().database.executed();
        assert!(executed.len() > 50, "{}", executed.len());
        let unlisted: Vec<&&str> = executed.iter().filter(|sql| !listed.contains(**sql)).collect();
        assert!(unlisted.is_empty(), "{unlisted:#?}");
    }
}
