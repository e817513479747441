//! How sessions end (standards 34 to 36): by time, by the person or the server, with a password or a reset of factors, and
//! with whoever they belong to. Codes that wait end with them, and a batch on behalf of a session that is over fails.

use std::time::Duration;

use postern::{
    ids::{SessionId, UserId},
    ports::DatabaseError,
    session::{self, end},
    statement,
};
use serde_json::{Value, json};

use crate::support::{
    World,
    context::context,
    oauth::{
        EVERYTHING, app, app_and_secret, basic, browser_and_user, code, exchange, form, new_code, refresh, refused,
        sign_in, write,
    },
};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

fn live(world: &World) -> i64 {
    world.here().database.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL")
}

fn tokens(world: &World) -> i64 {
    world.here().database.number("SELECT count(*) FROM refresh_tokens")
}

/// The reasons for which sessions have ended, as the audit events tell them.
fn reasons(world: &World) -> Vec<String> {
    let rows = world.here().database.query("SELECT reason FROM audit_events WHERE type = 'session.ended' ORDER BY id");
    rows.iter().map(|row| text(&row["reason"]).to_owned()).collect()
}

async fn goes_on(world: &World, held: &str) -> Option<String> {
    let answer = refresh(world, held).send().await;
    if answer.status == 200 {
        return Some(text(&answer.json["refresh_token"]).to_owned());
    }
    refused(&answer, 400, "invalid_grant");
    None
}

#[tokio::test]
async fn a_session_ends_when_nobody_uses_it() {
    let world = World::null();
    let (_, user) = browser_and_user(&world).await;
    let idle = json!({"type": "browser", "tokens": {"session_idle_seconds": 600, "session_seconds": 3600}});
    let shop = app(&world, idle).await;
    let set = sign_in(&world, &shop, &user, EVERYTHING).await;
    assert_eq!(set["refresh_token_expires_in"], json!(600), "it does not promise more than the session has");
    let path = format!("/v1/users/{user}/sessions");
    let mut held = text(&set["refresh_token"]).to_owned();
    for _ in 0..3 {
        world.here().clock.advance(Duration::from_millis(599_999));
        held = goes_on(&world, &held).await.unwrap();
    }
    assert_eq!(world.get(&path).await.expect(200)["data"].as_array().unwrap().len(), 1);
    world.here().clock.advance(Duration::from_millis(600_000));
    assert_eq!(goes_on(&world, &held).await, None);
    assert_eq!(world.get(&path).await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn a_session_ends_however_much_it_is_used() {
    let world = World::null();
    let (_, user) = browser_and_user(&world).await;
    let short = json!({"type": "browser", "tokens": {"session_idle_seconds": 600, "session_seconds": 1500}});
    let shop = app(&world, short).await;
    let set = sign_in(&world, &shop, &user, EVERYTHING).await;
    assert_eq!(set["expires_in"], json!(1500), "no access token outlives it");
    let mut held = text(&set["refresh_token"]).to_owned();
    for (after, left) in [(500, 600), (500, 500), (499, 1)] {
        world.here().clock.advance(Duration::from_secs(after));
        let set = refresh(&world, &held).send().await.expect(200);
        assert_eq!(set["refresh_token_expires_in"], json!(left));
        held = text(&set["refresh_token"]).to_owned();
    }
    world.here().clock.advance(Duration::from_secs(1));
    assert_eq!(goes_on(&world, &held).await, None);
}

#[tokio::test]
async fn a_session_without_refresh_tokens_is_idle_as_long_as_the_variable_says_and_with_them_as_long_as_they_live() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    sign_in(&world, &shop, &user, "openid").await;
    let held = text(&sign_in(&world, &shop, &user, EVERYTHING).await["refresh_token"]).to_owned();
    let listed =
        async || world.get(&format!("/v1/users/{user}/sessions")).await.expect(200)["data"].as_array().unwrap().len();
    world.here().clock.advance(Duration::from_secs(1799));
    assert_eq!(listed().await, 2);
    world.here().clock.advance(Duration::from_secs(1));
    assert_eq!(listed().await, 1);
    world.here().clock.advance(Duration::from_secs(604_800 - 1801));
    let held = goes_on(&world, &held).await.unwrap();
    world.here().clock.advance(Duration::from_secs(604_800));
    assert_eq!(goes_on(&world, &held).await, None);
}

/// Standard 35: what has ended does not begin again when the person is let in.
#[tokio::test]
async fn shutting_somebody_out_ends_their_sessions() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let held = text(&sign_in(&world, &shop, &user, EVERYTHING).await["refresh_token"]).to_owned();
    let path = format!("/v1/users/{user}");
    world.patch(&path, &json!({"disabled": false, "name": "Ana"})).await.expect(200);
    assert_eq!((live(&world), reasons(&world).len()), (1, 0));
    world.patch(&path, &json!({"disabled": true})).await.expect(200);
    assert_eq!((live(&world), tokens(&world), reasons(&world)), (0, 0, vec!["user_disabled".to_owned()]));
    world.patch(&path, &json!({"disabled": false})).await.expect(200);
    assert_eq!(goes_on(&world, &held).await, None);
}

#[tokio::test]
async fn who_is_shut_out_refreshes_nothing_and_a_deleted_app_or_user_leaves_nothing() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let held = text(&sign_in(&world, &shop, &user, EVERYTHING).await["refresh_token"]).to_owned();
    world.here().database.execute("UPDATE users SET disabled_at = 1");
    assert_eq!(goes_on(&world, &held).await, None);
    world.here().database.execute("UPDATE users SET disabled_at = NULL");
    let held = goes_on(&world, &held).await.expect("a refusal uses nothing up");
    world.delete(&format!("/v1/apps/{shop}")).await.expect(204);
    assert_eq!(goes_on(&world, &held).await, None);
    let (shop, _) = browser_and_user(&world).await;
    let held = text(&sign_in(&world, &shop, &user, EVERYTHING).await["refresh_token"]).to_owned();
    world.delete(&format!("/v1/users/{user}")).await.expect(204);
    assert_eq!(goes_on(&world, &held).await, None);
    assert_eq!((live(&world), tokens(&world)), (0, 0));
}

#[tokio::test]
async fn any_token_of_a_session_takes_it_back_and_an_unknown_one_is_as_good_as_taken_back() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let other = app(&world, json!({"type": "browser"})).await;
    let revoke = |fields: &[(&str, &str)]| form(&world, "/oauth2/v1/revoke", fields).send();
    let first = text(&sign_in(&world, &shop, &user, EVERYTHING).await["refresh_token"]).to_owned();
    let second = goes_on(&world, &first).await.unwrap();
    for unknown in [vec![("token", "rt_x")], vec![("token", "x")], vec![("token", "x"), ("client_id", &shop)]] {
        let answer = revoke(&unknown).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    }
    // Another app's call ends nothing, and is not told.
    assert_eq!(revoke(&[("token", &second), ("client_id", &other)]).await.status, 200);
    refused(
        &revoke(&[("token", &second), ("client_id", &shop), ("client_secret", "cs_x")]).await,
        401,
        "invalid_client",
    );
    refused(&revoke(&[("client_id", &shop)]).await, 400, "invalid_request");
    refused(&revoke(&[("token", "eyJ0eXAi.e30.x")]).await, 400, "unsupported_token_type");
    assert_eq!(live(&world), 1);
    let answer = revoke(&[("token", &first), ("token_type_hint", "access_token")]).await;
    assert_eq!((answer.status, answer.round_trips()), (200, 1));
    assert_eq!((live(&world), tokens(&world)), (0, 0));
    assert_eq!(goes_on(&world, &second).await, None);
    assert_eq!(reasons(&world), ["revoked"]);
    revoke(&[("token", &first)]).await.expect(200);

    let (web, secret) = app_and_secret(&world, json!({"type": "web"})).await;
    let code = code(&world, &web, &user, EVERYTHING).await;
    let set = exchange(&world, &code).header("authorization", &basic(&web, &secret)).send().await.expect(200);
    let held = [("token", text(&set["refresh_token"]))];
    refused(&revoke(&held).await, 401, "invalid_client");
    assert_eq!(live(&world), 1);
    let call = form(&world, "/oauth2/v1/revoke", &held).header("authorization", &basic(&web, &secret));
    call.send().await.expect(200);
    assert_eq!(live(&world), 0);
}

#[tokio::test]
async fn the_server_lists_and_ends_the_sessions_of_one_user_and_no_others() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let (_, other) = browser_and_user(&world).await;
    let path = format!("/v1/users/{user}/sessions");
    let mut held = Vec::new();
    for _ in 0..3 {
        world.here().clock.advance(Duration::from_millis(1));
        held.push(text(&sign_in(&world, &shop, &user, EVERYTHING).await["refresh_token"]).to_owned());
    }
    let kept = text(&sign_in(&world, &shop, &other, EVERYTHING).await["refresh_token"]).to_owned();
    let listed = world.get(&path).await.expect(200);
    let ids: Vec<&str> = listed["data"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.is_sorted_by(|one, next| one > next), "newest first");
    let page = world.get(&format!("{path}?limit=2")).await.expect(200);
    let rest = world.get(&format!("{path}?limit=2&cursor={}", text(&page["next_cursor"]))).await.expect(200);
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
    assert_eq!(world.get(&format!("{path}/{}", ids[0])).await.expect(200), listed["data"][0]);

    let foreign = format!("/v1/users/{other}/sessions/{}", ids[0]);
    world.get(&foreign).await.expect_problem(404, "resource_not_found");
    world.delete(&foreign).await.expect_problem(404, "resource_not_found");
    world.get(&format!("{path}/ses_x")).await.expect_problem(404, "resource_not_found");
    world.delete(&format!("{path}/{}", ids[0])).await.expect(204);
    world.delete(&format!("{path}/{}", ids[0])).await.expect_problem(404, "resource_not_found");
    world.get(&format!("{path}/{}", ids[0])).await.expect_problem(404, "resource_not_found");
    assert_eq!(goes_on(&world, &held[2]).await, None);
    held[0] = goes_on(&world, &held[0]).await.unwrap();
    let waiting = code(&world, &shop, &user, EVERYTHING).await;
    world.delete(&path).await.expect(204);
    for held in &held {
        assert_eq!(goes_on(&world, held).await, None);
    }
    refused(&exchange(&world, &waiting).send().await, 400, "invalid_grant");
    assert_eq!(world.get(&path).await.expect(200)["data"], json!([]));
    assert!(goes_on(&world, &kept).await.is_some());
    assert_eq!(reasons(&world), ["server", "server"]);
    let nobody = "/v1/users/usr_01M83WM7ZA000G40R40M30E209/sessions";
    world.get(nobody).await.expect_problem(404, "resource_not_found");
    world.delete(nobody).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn the_session_that_asks_may_stay_and_so_does_the_code_of_the_same_batch() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let stays = write(&world, &new_code(&shop, &user, EVERYTHING, world.here())).await;
    let set = exchange(&world, &stays.0).send().await.expect(200);
    let goes = text(&sign_in(&world, &shop, &user, EVERYTHING).await["refresh_token"]).to_owned();
    let waiting = code(&world, &shop, &user, EVERYTHING).await;
    let context = context(&world).await;
    let (id, session) = (UserId::parse(&user).unwrap(), SessionId::parse(&stays.1).unwrap());
    let stamp = context.stamp();
    let new = session::code::insert(&context, &new_code(&shop, &user, EVERYTHING, world.here()), &stamp);
    let mut batch = vec![statement!(postern::user::store::STAMP, &id, stamp.as_str()), new.statement];
    batch.extend(end::with(&context, &id, end::On::User, &stamp, Some(&session), end::Reason::PasswordChanged));
    context.decide(batch).await.unwrap();
    assert!(goes_on(&world, text(&set["refresh_token"])).await.is_some());
    assert_eq!(goes_on(&world, &goes).await, None);
    refused(&exchange(&world, &waiting).send().await, 400, "invalid_grant");
    exchange(&world, new.code.expose()).send().await.expect(200);
}

#[tokio::test]
async fn a_batch_of_a_session_that_is_over_does_nothing() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let (code, session) = write(&world, &new_code(&shop, &user, "openid", world.here())).await;
    let (id, session) = (UserId::parse(&user).unwrap(), SessionId::parse(&session).unwrap());
    let run = async |origin: Option<&str>| {
        let context = context(&world).await;
        let context = context.while_live(session::guard(&context, &session, &id, origin));
        context.decide(vec![statement!(postern::user::store::STAMP, &id, "touched")]).await.map(|_| ())
    };
    let touched = || {
        let touched = world.here().database.number("SELECT count(*) FROM users WHERE stamp = 'touched'");
        world.here().database.execute("UPDATE users SET stamp = 'x'");
        touched
    };
    let over = Err(DatabaseError::SessionEnded);
    assert_eq!((run(None).await, touched()), (over.clone(), 0), "it has not begun");
    exchange(&world, &code).send().await.expect(200);
    for origin in [None, Some("https://app.example.com")] {
        assert_eq!((run(origin).await, touched()), (Ok(()), 1));
    }
    assert_eq!((run(Some("https://evil.example")).await, touched()), (over.clone(), 0));
    world.here().database.execute("UPDATE users SET disabled_at = 1");
    assert_eq!((run(None).await, touched()), (over.clone(), 0));
    world.here().database.execute("UPDATE users SET disabled_at = NULL");
    world.here().clock.advance(Duration::from_secs(1799));
    assert_eq!((run(None).await, touched()), (Ok(()), 1));
    world.here().clock.advance(Duration::from_secs(1));
    assert_eq!((run(None).await, touched()), (over.clone(), 0));
    world.here().database.execute("UPDATE sessions SET idle_expires_at = expires_at");
    assert_eq!((run(None).await, touched()), (Ok(()), 1));
    world.delete(&format!("/v1/users/{user}/sessions/{}", session.as_str())).await.expect(204);
    assert_eq!((run(None).await, touched()), (over, 0));
}
