//! The keys that sign tokens: one is made on first use, however many ask; they rotate with an overlap and leave at once
//! when they leaked; their private halves stand nowhere in the open.

use std::time::Duration;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use futures_util::future::join_all;
use postern::{
    housekeeping,
    ports::{Algorithm, DatabaseError},
    token::{ACCESS, Invalid, TokenError, keys},
};
use serde_json::{Value, json};

use crate::support::{
    Native, Request, World, at_once,
    client::seen,
    count, oauth,
    tokens::{claims, context, sign, stolen, try_sign, verify},
    vars,
};

const ES: Algorithm = Algorithm::Es256;
const RS: Algorithm = Algorithm::Rs256;
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MOMENT: Duration = Duration::from_millis(1);
const ROTATE: &str = "/v1/instance/signing-keys/rotate";

fn rows(world: &World) -> i64 {
    world.here().database.number("SELECT count(*) FROM signing_keys")
}

/// The `kid`s that are served.
async fn served(world: &World) -> Vec<String> {
    let keys = world.get("/.well-known/jwks.json").await.expect(200);
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The `kid` of a token that is signed now.
async fn signs(world: &World, algorithm: Algorithm) -> String {
    let token = sign(world.here(), algorithm, ACCESS, &claims(world, 60)).await;
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

async fn later(world: &World, duration: Duration) {
    world.here().clock.advance(duration);
    housekeeping::run(&world.here().app).await.unwrap();
}

#[tokio::test]
async fn a_hundred_first_uses_at_once_make_one_key() {
    let world = World::null();
    let claims = claims(&world, 60);
    let isolates: Vec<Native> = (0..100).map(|_| world.here().isolate()).collect();
    // All of them read before any writes, and write before any reads again.
    let tokens = join_all(isolates.iter().map(|isolate| try_sign(isolate, ES, ACCESS, &claims))).await;
    assert_eq!(rows(&world), 1);
    assert_eq!(world.here().database.number("SELECT version FROM instance"), 2);
    let events = "SELECT count(*) FROM audit_events WHERE type = 'signing_key.created' AND reason = 'first_use'";
    assert_eq!(world.here().database.number(events), 1);
    for token in tokens {
        verify(world.here(), &token.unwrap(), ACCESS).await.unwrap();
    }
    // The same in one isolate, of the other algorithm.
    let tokens = join_all((0..4).map(|_| try_sign(world.here(), RS, ACCESS, &claims))).await;
    assert_eq!(rows(&world), 2);
    for token in tokens {
        verify(&isolates[0], &token.unwrap(), ACCESS).await.unwrap();
    }
}

/// A machine app that may read users: asks for a token.
async fn machine(world: &World) -> (String, String) {
    let tokens = json!({"algorithm": "ES256"});
    oauth::app_and_secret(world, json!({"type": "machine", "scopes": ["users:read"], "tokens": tokens})).await
}

fn ask(world: &World, (id, secret): &(String, String)) -> Request {
    oauth::token(world, &[("grant_type", "client_credentials")]).header("authorization", &oauth::basic(id, secret))
}

#[tokio::test]
async fn a_hundred_first_tokens_over_http_are_signed_with_one_key() {
    let world = World::null();
    let app = machine(&world).await;
    let isolates: Vec<World> = (0..100).map(|_| World::on(&world.here().isolate())).collect();
    let answers = at_once(isolates.iter().map(|isolate| ask(isolate, &app)).collect()).await;
    assert_eq!(count(&answers, 200, ""), 100);
    assert_eq!(rows(&world), 1);
    for answer in answers {
        verify(world.here(), answer.json["access_token"].as_str().unwrap(), ACCESS).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_of_a_key_that_leaked_opens_nothing_at_once_over_http() {
    let world = World::null();
    let app = machine(&world).await;
    let token = ask(&world, &app).send().await.expect(200)["access_token"].as_str().unwrap().to_owned();
    let warm: Vec<World> = (0..3).map(|_| World::on(&world.here().isolate())).collect();
    for isolate in &warm {
        isolate.request("GET", "/v1/users").key(&token).send().await.expect(200);
    }
    world.post(ROTATE, &json!({"revoke": true})).await.expect(200);
    for isolate in warm.iter().chain([&world]) {
        isolate.request("GET", "/v1/users").key(&token).send().await.expect_problem(401, "access_token_invalid");
    }
    let token = ask(&warm[0], &app).send().await.expect(200)["access_token"].as_str().unwrap().to_owned();
    world.request("GET", "/v1/users").key(&token).send().await.expect(200);
}

#[tokio::test]
async fn first_uses_of_both_algorithms_at_once_make_one_key_each() {
    let world = World::null();
    let claims = claims(&world, 60);
    let isolates: Vec<Native> = (0..4).map(|_| world.here().isolate()).collect();
    let algorithm = |at: usize| if at.is_multiple_of(2) { ES } else { RS };
    let signed = isolates.iter().enumerate().map(|(at, isolate)| try_sign(isolate, algorithm(at), ACCESS, &claims));
    for (at, signed) in join_all(signed).await.into_iter().enumerate() {
        // The settings may have changed twice under a request: it is told to come again, and then it works.
        if let Err(error) = signed {
            assert!(matches!(error, TokenError::Database(DatabaseError::Stale)), "{error}");
            isolates[at].app.cache.forget();
            sign(&isolates[at], algorithm(at), ACCESS, &claims).await;
        }
    }
    assert_eq!(rows(&world), 2);
}

#[tokio::test]
async fn making_the_first_key_asks_for_the_work_to_be_done_again() {
    let world = World::null();
    let here = world.here();
    let first = keys::ready(&context(here).await, ES).await;
    assert!(matches!(first, Err(TokenError::Database(DatabaseError::Stale))));
    let before = here.database.batches();
    // What the isolate remembers has no key: it makes none, and has to read anew.
    let again = keys::ready(&context(here).await, ES).await;
    assert!(matches!(again, Err(TokenError::Database(DatabaseError::Stale))));
    assert_eq!((rows(&world), here.database.number("SELECT version FROM instance")), (1, 2));
    here.app.cache.forget();
    keys::ready(&context(here).await, ES).await.unwrap();
    // One that wrote nothing, one that read; with a key at hand, none.
    assert_eq!(here.database.batches() - before, 2);
    keys::ready(&context(here).await, ES).await.unwrap();
    assert_eq!(here.database.batches() - before, 2);
}

#[tokio::test]
async fn a_warm_isolate_takes_what_another_has_signed() {
    let world = World::null();
    let other = world.here().isolate();
    context(&other).await;
    for algorithm in [ES, RS] {
        let token = sign(world.here(), algorithm, ACCESS, &claims(&world, 60)).await;
        verify(&other, &token, ACCESS).await.unwrap();
        assert_eq!(signs(&World::on(&other), algorithm).await, signs(&world, algorithm).await);
    }
}

#[tokio::test]
async fn a_clock_that_is_behind_signs_all_the_same() {
    let world = World::null();
    let kid = signs(&world, ES).await;
    world.here().clock.set_back(Duration::from_secs(2));
    assert_eq!(signs(&world, ES).await, kid);
}

#[tokio::test]
async fn keys_rotate_and_nobody_notices() {
    let world = World::null();
    let first = signs(&world, ES).await;
    later(&world, DAY * 90 - MOMENT).await;
    assert_eq!(served(&world).await, std::slice::from_ref(&first));
    later(&world, MOMENT).await;
    let both = served(&world).await;
    assert_eq!((both.len(), &both[0]), (2, &first));
    let next = both[1].clone();
    // It is known for an hour before it signs.
    later(&world, HOUR - MOMENT).await;
    assert_eq!(signs(&world, ES).await, first);
    let last = sign(world.here(), ES, ACCESS, &claims(&world, 24 * 3600)).await;
    later(&world, MOMENT).await;
    assert_eq!(signs(&world, ES).await, next);
    // What the first one signed last is taken until its own end, and the key is served as long.
    later(&world, DAY - Duration::from_secs(2)).await;
    verify(world.here(), &last, ACCESS).await.unwrap();
    later(&world, HOUR).await;
    assert_eq!(served(&world).await, [first.clone(), next.clone()]);
    assert_eq!(verify(world.here(), &last, ACCESS).await.unwrap_err(), Invalid::Time);
    // It leaves in the same moment everywhere, and the cron deletes it.
    world.here().clock.advance(Duration::from_secs(2) - MOMENT);
    assert_eq!(served(&world).await.len(), 2);
    world.here().clock.advance(MOMENT);
    assert_eq!((served(&world).await, rows(&world)), (vec![next.clone()], 2));
    assert_eq!(verify(world.here(), &last, ACCESS).await.unwrap_err(), Invalid::Key);
    later(&world, MOMENT).await;
    assert_eq!(rows(&world), 1);
    assert_eq!(signs(&world, ES).await, next);
}

#[tokio::test]
async fn how_often_keys_rotate_is_a_setting_and_each_algorithm_has_its_turn() {
    let world = World::null();
    let (es, rs) = (signs(&world, ES).await, signs(&world, RS).await);
    world.patch("/v1/instance", &json!({"tokens": {"rotate_keys_days": 0}})).await.expect(200);
    later(&world, DAY * 1000).await;
    assert_eq!(rows(&world), 2);
    world.patch("/v1/instance", &json!({"tokens": {"rotate_keys_days": 7}})).await.expect(200);
    // Many at once make one.
    let isolates: Vec<Native> = (0..3).map(|_| world.here().isolate()).collect();
    let runs = join_all(isolates.iter().map(|isolate| housekeeping::run(&isolate.app))).await;
    assert!(runs.iter().all(Result::is_ok));
    assert_eq!(rows(&world), 3);
    later(&world, Duration::from_mins(10)).await;
    assert_eq!(rows(&world), 4);
    later(&world, HOUR).await;
    assert_eq!(rows(&world), 4, "the next ones are young");
    assert!(signs(&world, ES).await != es && signs(&world, RS).await != rs);
    later(&world, DAY * 7).await;
    later(&world, Duration::from_mins(10)).await;
    assert_eq!(rows(&world), 4, "two went, two came");
}

#[tokio::test]
async fn an_operator_can_have_the_next_key_early_and_only_one_at_a_time() {
    let world = World::null();
    assert_eq!(world.post(ROTATE, &json!({})).await.expect(200)["data"], json!([]));
    let first = signs(&world, ES).await;
    let rotated = world.request("POST", ROTATE).send().await.expect(200);
    let keys = rotated["data"].as_array().unwrap();
    let told = |key: &Value| (key["id"].clone(), key["status"].clone(), key["signs_from"].clone());
    assert_eq!(told(&keys[0]), (json!(first), json!("signing"), json!("2026-11-22T10:00:00.000Z")));
    assert_eq!((&keys[1]["status"], &keys[1]["signs_from"]), (&json!("waiting"), &json!("2026-11-22T11:00:00.000Z")));
    assert_eq!((&keys[0]["expires_at"], &keys[1]["expires_at"]), (&json!("2026-11-23T12:00:00.000Z"), &Value::Null));
    // While it waits, however many ask, there is no third.
    let isolates: Vec<Native> = (0..20).map(|_| world.here().isolate()).collect();
    let asked = isolates.iter().map(|isolate| World::on(isolate).request("POST", ROTATE)).collect();
    assert_eq!(count(&at_once(asked).await, 200, ""), 20);
    assert_eq!(rows(&world), 2);
    later(&world, HOUR).await;
    assert_eq!(signs(&world, ES).await, keys[1]["id"].as_str().unwrap());
    let rotated = world.post(ROTATE, &json!({"revoke": false})).await.expect(200);
    let states: Vec<&str> =
        rotated["data"].as_array().unwrap().iter().map(|key| key["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["replaced", "signing", "waiting"]);
}

#[tokio::test]
async fn a_key_that_leaked_is_worth_nothing_at_once_in_every_isolate() {
    let world = World::null();
    let mut tokens = Vec::new();
    for algorithm in [ES, RS] {
        tokens.push(sign(world.here(), algorithm, ACCESS, &claims(&world, 3600)).await);
    }
    world.request("POST", ROTATE).send().await.expect(200);
    let before = served(&world).await;
    assert_eq!(before.len(), 4);
    let warm: Vec<Native> = (0..3).map(|_| world.here().isolate()).collect();
    for isolate in &warm {
        verify(isolate, &tokens[0], ACCESS).await.unwrap();
    }
    let revoked = world.post(ROTATE, &json!({"revoke": true})).await.expect(200);
    let after = served(&world).await;
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|kid| !before.contains(kid)), "those that waited leaked with the others");
    assert!(revoked["data"].as_array().unwrap().iter().all(|key| key["status"] == "signing"), "{revoked}");
    for isolate in warm.iter().chain([world.here()]) {
        for token in &tokens {
            assert_eq!(verify(isolate, token, ACCESS).await.unwrap_err(), Invalid::Key);
        }
    }
    for algorithm in [ES, RS] {
        assert!(after.contains(&signs(&world, algorithm).await));
    }
    assert_eq!(rows(&world), 2, "the private halves are gone");
    let events = world.get("/v1/audit-events?type=signing_key.created").await.expect(200);
    let mut reasons: Vec<&str> =
        events["data"].as_array().unwrap().iter().map(|event| event["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["first_use", "first_use", "revoked", "revoked", "rotated", "rotated"]);
}

#[tokio::test]
async fn the_private_half_of_a_key_stands_nowhere_in_the_open() {
    let world = World::null();
    for algorithm in [ES, RS] {
        sign(world.here(), algorithm, ACCESS, &claims(&world, 60)).await;
    }
    let secrets: Vec<Vec<u8>> = [ES, RS].map(|algorithm| stolen(world.here(), algorithm).1).to_vec();
    world.request("POST", ROTATE).send().await.expect(200);
    world.get("/v1/audit-events?limit=100").await.expect(200);
    let keys = world.get("/.well-known/jwks.json").await.expect(200);
    for key in keys["keys"].as_array().unwrap() {
        let mut members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        match key["kty"].as_str() {
            Some("EC") => assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]),
            _ => assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]),
        }
    }
    housekeeping::run(&world.here().app).await.unwrap();
    let stored = world.here().database.everything();
    let (log, answers) = (world.here().log.lines(), seen());
    // The scalar of the point, and a third of what only the holder of the RSA key has, in each form that it could have.
    let es = &secrets[0][36..68];
    let rs = &secrets[1][300..700];
    for secret in [es, rs, &secrets[0], &secrets[1]] {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        // Of base64 the middle: it does not depend on what stands before.
        let shifted = |skip: usize| STANDARD.encode(&secret[skip..skip + 30]);
        let plain = |skip: usize| URL_SAFE_NO_PAD.encode(&secret[skip..skip + 30]);
        for needle in [hex, shifted(0), shifted(1), shifted(2), plain(0), plain(1), plain(2)] {
            assert!(stored.iter().all(|(_, text)| !text.contains(&needle)));
            assert!(log.iter().all(|line| !line.contains(&needle)));
            assert!(answers.iter().all(|answer| !answer.text.contains(&needle)));
        }
    }
    let sealed = world.here().database.query("SELECT private_key FROM signing_keys");
    assert_eq!(sealed.len(), 4);
    for row in sealed {
        let sealed = row["private_key"].as_str().unwrap();
        assert!(sealed.starts_with("v1.k1."));
        assert!(answers.iter().all(|answer| !answer.text.contains(sealed)), "nor is it shown sealed");
    }
}

/// The same world under other encryption keys.
fn under(world: &World, current: &str, names: &[&str]) -> World {
    let all = [
        ("k1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("k2", "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ];
    let keys: Value = all
        .into_iter()
        .filter(|(name, _)| names.contains(name))
        .map(|(name, key)| (name.to_owned(), json!(key)))
        .collect();
    let mut bindings = vars::null();
    bindings.insert("ENCRYPTION_KEYS".to_owned(), json!({"current": current, "keys": keys}));
    World::on(&world.here().redeploy(&bindings))
}

/// Signing fails by the name of the variable, and the operator reads it.
async fn cannot_sign(world: &World) {
    let failed = try_sign(world.here(), ES, ACCESS, &claims(world, 60)).await;
    assert!(matches!(failed, Err(TokenError::Misconfigured(issue)) if issue.variable == "ENCRYPTION_KEYS"));
    let logged = |line: &String| line.starts_with("Error") && line.contains("ENCRYPTION_KEYS");
    assert!(world.here().log.lines().iter().any(logged));
}

#[tokio::test]
async fn what_seals_them_rotates_and_the_cron_seals_them_anew() {
    let world = World::null();
    let kid = signs(&world, ES).await;
    let token = sign(world.here(), ES, ACCESS, &claims(&world, 3600)).await;
    let (_, _, app) = world.user_with_totp().await;
    let early = under(&world, "k2", &["k2"]);
    cannot_sign(&early).await;
    // What was signed is taken all the same: that needs the public half only.
    verify(early.here(), &token, ACCESS).await.unwrap();
    let both = under(&world, "k2", &["k1", "k2"]);
    assert_eq!(signs(&both, ES).await, kid);
    housekeeping::run(&both.here().app).await.unwrap();
    assert!(world.here().log.lines().last().unwrap().contains("2 secrets sealed anew"), "the app's secret, too");
    let under_k2 = "SELECT count(*) FROM signing_keys WHERE private_key LIKE 'v1.k2.%'";
    assert_eq!(world.here().database.number(under_k2), 1);
    assert_eq!(signs(&under(&world, "k2", &["k2"]), ES).await, kid);
    drop(app);
}

#[tokio::test]
async fn a_private_key_that_is_moved_to_another_row_does_not_open() {
    let world = World::null();
    signs(&world, ES).await;
    signs(&world, RS).await;
    world.here().database.execute(
        "UPDATE signing_keys SET private_key = (SELECT o.private_key FROM signing_keys o WHERE o.id <> signing_keys.id)
         WHERE algorithm = 'ES256'",
    );
    let other = World::on(&world.here().isolate());
    cannot_sign(&other).await;
    assert_eq!(rows(&world), 2, "and no other key is made in its place");
}
