//! `/v1/apps`: made, read, changed, deleted; what each type has, secrets and their rotation, and what an own rule looks like.

use serde_json::{Value, json};

use super::{NOBODY, new_key, pages, text};
use crate::support::{World, at_once, count, vars};

async fn make(world: &World, body: Value) -> Value {
    world.post("/v1/apps", &body).await.expect(201)
}

#[tokio::test]
async fn an_app_without_a_rule_uses_the_instances() {
    let world = World::null();
    let app = make(&world, json!({"name": "Shop"})).await;
    let rule = json!({
        "use_instance_policy": true, "required": [], "named_factors": [], "enforce_enrolment": [],
        "allow_email_backup": "never", "remember_device": false, "grace": {"sign_ins": 0, "days": 0},
    });
    assert_eq!((&app["name"], &app["mfa"]), (&json!("Shop"), &rule));
    let path = format!("/v1/apps/{}", text(&app["id"]));
    assert_eq!(world.get(&path).await.expect(200), without_secret(app));
}

/// The app as it is read later.
fn without_secret(mut app: Value) -> Value {
    app.as_object_mut().unwrap().remove("client_secret");
    app
}

#[tokio::test]
async fn what_is_left_out_stays_and_null_clears() {
    let world = World::null();
    let rule = json!({"required": ["totp"], "grace": {"sign_ins": 3, "days": 7}, "allow_email_backup": "on_request"});
    let app = make(&world, json!({"name": "Shop", "mfa": rule})).await;
    assert_eq!(app["mfa"]["use_instance_policy"], false);
    let path = format!("/v1/apps/{}", text(&app["id"]));
    world.here().clock.advance(std::time::Duration::from_secs(1));
    let change = json!({"mfa": {"required": null, "named_factors": ["phone"], "grace": {"days": 2}}});
    let app = world.patch(&path, &change).await.expect(200);
    let mfa = &app["mfa"];
    assert_eq!((&mfa["required"], &mfa["named_factors"]), (&json!([]), &json!(["phone"])));
    assert_eq!((&mfa["grace"], &mfa["allow_email_backup"]), (&json!({"sign_ins": 3, "days": 2}), &json!("on_request")));
    assert_ne!(app["updated_at"], app["created_at"]);
    let renamed = world.patch(&path, &json!({"name": "Desk"})).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["mfa"]), (&json!("Desk"), mfa));
    let cleared = world.patch(&path, &json!({"mfa": null})).await.expect(200);
    assert_eq!(cleared["mfa"]["use_instance_policy"], true);
}

#[tokio::test]
async fn a_factor_that_cannot_be_required_is_refused_by_name() {
    let world = World::null();
    for name in ["password", "recovery_codes", "otp", "sms"] {
        for list in ["required", "named_factors", "enforce_enrolment"] {
            let body = json!({"name": "Shop", "mfa": {list: [name]}});
            let refused = world.post("/v1/apps", &body).await;
            assert_eq!(refused.fields(), [(format!("mfa.{list}.0").as_str(), "form_param_value_invalid")]);
        }
    }
    assert_eq!(world.get("/v1/apps").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn apps_are_listed_page_by_page_newest_first() {
    let world = World::null();
    let mut made = Vec::new();
    for at in 0..5 {
        made.push(without_secret(make(&world, json!({"name": format!("App {at}")})).await));
        world.here().clock.advance(std::time::Duration::from_millis(2));
    }
    made.reverse();
    assert_eq!(pages(&world, "/v1/apps", 2).await, (made, 3));
}

#[tokio::test]
async fn a_deleted_app_is_gone_and_its_challenges_go_on() {
    let world = World::null();
    let app = make(&world, json!({"name": "Shop"})).await;
    let number = world.number();
    let body = json!({"to": {"phone": number}, "app_id": app["id"]});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    assert_eq!(challenge["app_id"], app["id"]);
    let path = format!("/v1/apps/{}", text(&app["id"]));
    world.delete(&path).await.expect(204);
    for method in ["GET", "DELETE"] {
        world.request(method, &path).send().await.expect_problem(404, "resource_not_found");
    }
    world.patch(&path, &json!({"name": "x"})).await.expect_problem(404, "resource_not_found");
    let answered = world.answer(&challenge, &world.code(&number).await).await.expect(200);
    assert_eq!((&answered["status"], &answered["app_id"]), (&json!("verified"), &Value::Null));
    let nobody = NOBODY.iter().find(|(kind, _)| *kind == "app").unwrap().1;
    world.get(&format!("/v1/apps/{nobody}")).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn an_app_is_what_was_said_and_the_rest_is_the_variables() {
    let world = World::null();
    let app = make(&world, json!({"name": "Shop"})).await;
    let tokens = json!({
        "access_token_seconds": 1800, "id_token_seconds": 1800, "refresh_token_seconds": 604_800,
        "session_idle_seconds": 1800, "session_seconds": 2_592_000, "algorithm": "RS256",
    });
    assert_eq!((&app["type"], &app["tokens"]), (&json!("web"), &tokens));
    for list in ["redirect_uris", "origins", "scopes"] {
        assert_eq!(app[list], json!([]), "{list}");
    }
    let body = json!({
        "name": "Page", "type": "browser", "origins": ["https://App.example.com:443/", "http://localhost:5173"],
        "redirect_uris": ["https://app.example.com/callback", "https://app.example.com/callback"],
        "tokens": {"access_token_seconds": 300, "algorithm": "ES256", "session_seconds": 3600},
    });
    let app = make(&world, body).await;
    assert_eq!(app["origins"], json!(["https://app.example.com", "http://localhost:5173"]));
    assert_eq!(app["redirect_uris"], json!(["https://app.example.com/callback"]));
    let tokens = json!({
        "access_token_seconds": 300, "id_token_seconds": 1800, "refresh_token_seconds": 3600,
        "session_idle_seconds": 1800, "session_seconds": 3600, "algorithm": "ES256",
    });
    assert_eq!((&app["tokens"], app.get("client_secret")), (&tokens, Some(&Value::Null)));
    let path = format!("/v1/apps/{}", text(&app["id"]));
    assert_eq!(world.get(&path).await.expect(200), without_secret(app.clone()));

    let change = json!({"tokens": {"algorithm": null, "id_token_seconds": 600}, "origins": null});
    let changed = world.patch(&path, &change).await.expect(200);
    assert_eq!((&changed["origins"], &changed["redirect_uris"]), (&json!([]), &app["redirect_uris"]));
    assert_eq!(
        (&changed["tokens"]["algorithm"], &changed["tokens"]["id_token_seconds"]),
        (&json!("RS256"), &json!(600))
    );
    assert_eq!(changed["tokens"]["access_token_seconds"], 300);
    let cleared = world.patch(&path, &json!({"tokens": null})).await.expect(200);
    assert_eq!(cleared["tokens"]["access_token_seconds"], 1800);
    let data = "SELECT data FROM audit_events WHERE type = 'app.updated' ORDER BY rowid LIMIT 1";
    let event: Value = serde_json::from_str(world.here().database.query(data)[0]["data"].as_str().unwrap()).unwrap();
    assert_eq!(event["origins"], json!([]));
    // The variables' word holds where the app has none.
    let mut shorter = vars::null();
    shorter.insert("SPA_ACCESS_TOKEN_EXPIRES_IN".to_owned(), json!("120"));
    let world = World::on(&world.here().redeploy(&shorter));
    assert_eq!(world.get(&path).await.expect(200)["tokens"]["access_token_seconds"], 120);
}

#[tokio::test]
async fn each_type_has_what_is_its_own_and_keeps_its_type() {
    let world = World::null();
    let whole = |field: &str| match field {
        "origins" => json!(["https://app.example.com"]),
        "redirect_uris" => json!(["https://app.example.com/callback"]),
        "own_scheme" => json!(["com.example.app:/callback"]),
        _ => json!(["users:read"]),
    };
    for (kind, has, has_not) in [
        ("browser", vec!["origins", "redirect_uris"], vec!["own_scheme", "scopes"]),
        ("native", vec!["redirect_uris", "own_scheme"], vec!["origins", "scopes"]),
        ("web", vec!["origins", "redirect_uris"], vec!["own_scheme", "scopes"]),
        ("machine", vec!["scopes"], vec!["origins", "redirect_uris", "own_scheme"]),
    ] {
        let app = make(&world, json!({"name": "App", "type": kind})).await;
        let path = format!("/v1/apps/{}", text(&app["id"]));
        let name = |field: &str| if field == "own_scheme" { "redirect_uris".to_owned() } else { field.to_owned() };
        for field in has {
            let body = json!({"name": "App", "type": kind, name(field): whole(field)});
            assert_eq!(make(&world, body).await[name(field)], whole(field), "{kind} {field}");
            let changed = world.patch(&path, &json!({name(field): whole(field)})).await.expect(200);
            assert_eq!(changed[name(field)], whole(field), "{kind} {field}");
        }
        let before = world.get(&path).await.expect(200);
        for field in has_not {
            let body = json!({"name": "App", "type": kind, name(field): whole(field)});
            let refused = world.post("/v1/apps", &body).await;
            assert_eq!(refused.fields(), [(name(field).as_str(), "form_param_value_invalid")], "{kind} {field}");
            let refused = world.patch(&path, &json!({"name": "Other", name(field): whole(field)})).await;
            assert_eq!(refused.fields(), [(name(field).as_str(), "form_param_value_invalid")], "{kind} {field}");
        }
        // A refused change changes nothing.
        assert_eq!(world.get(&path).await.expect(200), before, "{kind}");
        let refused = world.patch(&path, &json!({"type": "web"})).await;
        assert_eq!(refused.fields(), [("type", "form_param_unknown")]);
    }
}

#[tokio::test]
async fn every_wrong_uri_and_origin_is_named() {
    let world = World::null();
    let body = json!({
        "name": "App",
        "redirect_uris": ["https://a.example/", "http://hunter2.example/", "https://a.example/#hunter2", "hunter2"],
        "origins": ["https://a.example", "https://*.hunter2.example", "https://a.example/hunter2"],
    });
    let refused = world.post("/v1/apps", &body).await;
    let value = "form_param_value_invalid";
    let wanted = ["redirect_uris.1", "redirect_uris.2", "redirect_uris.3", "origins.1", "origins.2"];
    assert_eq!(refused.fields(), wanted.map(|field| (field, value)));
    assert!(!refused.text.contains("hunter2"));
}

#[tokio::test]
async fn a_secret_is_shown_once_and_stored_nowhere() {
    let world = World::null();
    for (kind, has_one) in [("browser", false), ("native", false), ("web", true), ("machine", true)] {
        let app = make(&world, json!({"name": "App", "type": kind})).await;
        let path = format!("/v1/apps/{}", text(&app["id"]));
        let rotated = world.post(&format!("{path}/rotate-secret"), &json!({})).await;
        if !has_one {
            assert_eq!((&app["secrets"], &app["client_secret"]), (&json!([]), &Value::Null), "{kind}");
            rotated.expect_problem(422, "strategy_not_supported");
            continue;
        }
        let rotated = rotated.expect(200);
        for shown in [&app, &rotated] {
            let secret = text(&shown["client_secret"]);
            assert!(secret.starts_with("cs_") && secret.len() == 46, "{secret}");
            assert_eq!(shown["secrets"][0]["hint"], secret[42..]);
            assert!(!world.get(&path).await.text.contains(&secret[3..]));
            assert!(!world.get("/v1/apps").await.text.contains(&secret[3..]));
            for (place, value) in world.here().database.everything() {
                assert!(!value.contains(&secret[3..]), "{place} has it");
            }
            assert!(world.here().log.lines().iter().all(|line| !line.contains(&secret[3..])));
        }
    }
}

/// The hints of the secrets that are shown, and when each ends.
fn secrets(app: &Value) -> Vec<(String, Value)> {
    let list = app["secrets"].as_array().unwrap();
    list.iter().map(|secret| (text(&secret["id"]), secret["expires_at"].clone())).collect()
}

#[tokio::test]
async fn the_secret_before_lives_on_as_long_as_is_said_and_older_ones_die() {
    let world = World::null();
    let app = make(&world, json!({"name": "App"})).await;
    let path = format!("/v1/apps/{}", text(&app["id"]));
    let rotate = async |body: Value| {
        world.here().clock.advance(std::time::Duration::from_secs(1));
        world.post(&format!("{path}/rotate-secret"), &body).await.expect(200)
    };
    let first = secrets(&app)[0].0.clone();
    let second = rotate(json!({})).await;
    let (newest, old) = (secrets(&second)[0].clone(), secrets(&second)[1].clone());
    assert_eq!((newest.1, old), (Value::Null, (first, json!("2026-11-23T10:00:01.000Z"))));
    // Two are the most: the first one is dead, though its day is not over.
    let third = rotate(json!({"keep_old_seconds": 60})).await;
    let shown = secrets(&third);
    assert_eq!((shown.len(), &shown[1]), (2, &(newest.0, json!("2026-11-22T10:01:02.000Z"))));
    assert_eq!(world.here().database.number("SELECT count(*) FROM app_secrets"), 2);
    world.here().clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(secrets(&world.get(&path).await.expect(200)), [shown[0].clone()]);
    let fourth = rotate(json!({"keep_old_seconds": 0})).await;
    assert_eq!(secrets(&fourth).len(), 1);
    assert_eq!(world.here().database.number("SELECT count(*) FROM app_secrets"), 1);
    let events = world.get("/v1/audit-events?type=app.secret_rotated").await.expect(200);
    assert_eq!((events["data"].as_array().unwrap().len(), &events["data"][0]["app_id"]), (3, &app["id"]));
    let nobody = NOBODY.iter().find(|(kind, _)| *kind == "app").unwrap().1;
    let path = format!("/v1/apps/{nobody}/rotate-secret");
    world.post(&path, &json!({})).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn a_hundred_rotations_at_once_leave_two_secrets() {
    let world = World::null();
    let app = make(&world, json!({"name": "App"})).await;
    let path = format!("/v1/apps/{}/rotate-secret", text(&app["id"]));
    let answers = at_once((0..100).map(|_| world.request("POST", &path)).collect()).await;
    assert_eq!(count(&answers, 200, ""), 100);
    assert_eq!(world.here().database.number("SELECT count(*) FROM app_secrets"), 2);
    assert_eq!(world.here().database.number("SELECT count(*) FROM app_secrets WHERE expires_at IS NULL"), 1);
}

#[tokio::test]
async fn no_key_grants_a_machine_what_it_lacks() {
    let world = World::null();
    let (_, key) = new_key(&world, &["apps:write", "users:read"]).await;
    let send = |method: &str, path: &str, body: Value| world.request(method, path).key(&key).json(&body).send();
    let machine = |scopes: Value| json!({"name": "Job", "type": "machine", "scopes": scopes});
    let app = send("POST", "/v1/apps", machine(json!(["users:read", "users:read"]))).await.expect(201);
    assert_eq!(app["scopes"], json!(["users:read"]));
    let problem = send("POST", "/v1/apps", machine(json!(["users:read", "keys:write"]))).await;
    assert!(text(&problem.expect_problem(403, "scope_missing")["detail"]).contains("keys:write"));
    let path = format!("/v1/apps/{}", text(&app["id"]));
    send("PATCH", &path, json!({"scopes": ["users:write"]})).await.expect_problem(403, "scope_missing");
    send("POST", &format!("{path}/rotate-secret"), json!({})).await.expect(200);
    // Nor does it get the secret of one that may do more.
    let greater = make(&world, machine(json!(["users:read", "users:write"]))).await;
    let path = format!("/v1/apps/{}", text(&greater["id"]));
    let rotate = format!("{path}/rotate-secret");
    let hash = world.here().database.query("SELECT secret_hash FROM app_secrets ORDER BY id");
    send("POST", &rotate, json!({})).await.expect_problem(403, "scope_missing");
    let idempotent = world.request("POST", &rotate).key(&key).idempotency_key("once");
    idempotent.send().await.expect_problem(403, "scope_missing");
    assert_eq!(world.here().database.query("SELECT secret_hash FROM app_secrets ORDER BY id"), hash);
    // What is taken from it is no grant.
    send("PATCH", &path, json!({"scopes": ["users:read"]})).await.expect(200);
    send("POST", &rotate, json!({})).await.expect(200);

    let body = json!({"name": "k", "scopes": ["apps:write", "users:read"], "test": true});
    let test = text(&world.post("/v1/api-keys", &body).await.expect(201)["secret"]);
    let send = |method: &str, path: &str, body: Value| world.request(method, path).key(&test).json(&body).send();
    send("POST", "/v1/apps", machine(json!([]))).await.expect_problem(403, "scope_missing");
    send("PATCH", &path, json!({"scopes": ["users:read"]})).await.expect_problem(403, "scope_missing");
    send("POST", &rotate, json!({})).await.expect_problem(403, "scope_missing");
    send("POST", "/v1/apps", json!({"name": "Page", "type": "browser"})).await.expect(201);
}
