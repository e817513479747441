//! Law 5 at rest: a TOTP secret is sealed in its row and opens nowhere else; recovery codes are MACs; both are shown
//! once. Keys rotate while everything works, and a key that is gone is told as what it is.

use postern::crypto::{KeyRing, Place, Seal};
use serde_json::{Value, json};

use crate::support::{Authenticator, World, client::seen, vars};

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The bytes of base 32 (RFC 4648), as no code of ours reads it.
fn bytes(base32: &str) -> Vec<u8> {
    let bits: String = base32
        .bytes()
        .map(|byte| format!("{:05b}", if byte.is_ascii_digit() { byte - b'2' + 26 } else { byte - b'A' }))
        .collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|chunk| u8::from_str_radix(std::str::from_utf8(chunk).unwrap(), 2).unwrap())
        .collect()
}

#[tokio::test]
async fn secrets_and_codes_are_in_one_answer_and_nowhere_else() {
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
    };
    for world in [World::null(), World::twilio()] {
        seen();
        let user = world.post("/v1/users", &json!({"email": "ana@example.com"})).await.expect(201);
        let user = format!("/v1/users/{}", text(&user["id"]));
        let factors = format!("{user}/factors");
        let body = json!({"type": "totp", "name": "My app"});
        let enrolled = world.request("POST", &factors).json(&body).idempotency_key("once").send().await.expect(201);
        let secret = text(&enrolled["totp"]["secret"]).to_owned();
        assert_eq!(bytes(&secret).len(), 20, "160 bits");
        let qr = text(&enrolled["totp"]["qr_svg"]).to_owned();
        assert!(text(&enrolled["totp"]["uri"]).contains("ana%40example.com") && qr.starts_with("<svg "));
        let app = Authenticator::scan(&enrolled);
        let activate = format!("{factors}/{}/activate", text(&enrolled["factor"]["id"]));
        let wrong = world.wrong(&app.code(world.now()));
        let body = |code: &str| json!({"challenge_id": enrolled["challenge"]["id"], "code": code});
        world.post(&activate, &body(&wrong)).await.expect_problem(422, "form_code_incorrect");
        world.post(&activate, &body(&app.code(world.now()))).await.expect(200);
        world
            .request("POST", &factors)
            .json(&json!({"type": "totp", "name": "My app"}))
            .idempotency_key("once")
            .send()
            .await
            .expect(201);
        let made = world
            .request("POST", &format!("{user}/recovery-codes"))
            .json(&json!({"override": {"reason": "x"}}))
            .idempotency_key("codes")
            .send()
            .await
            .expect(201);
        let codes: Vec<String> =
            made["recovery_codes"].as_array().unwrap().iter().map(|code| text(code).to_owned()).collect();
        let set = json!({"user_id": user.rsplit('/').next().unwrap(), "type": "recovery_codes"});
        let challenge = world.post("/v1/challenges", &set).await.expect(201);
        world.answer(&challenge, &codes[0]).await.expect(200);
        world.answer(&challenge, &codes[1]).await.expect_problem(409, "verification_already_verified");
        for path in [&user, &factors, "/v1/audit-events?limit=100", "/v1/instance", "/v1/messages"] {
            world.get(path).await.expect(200);
        }
        postern::housekeeping::run(&world.here().app).await.unwrap();

        let raw = bytes(&secret);
        let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        let stored = world.here().database.everything();
        let log = world.here().log.lines();
        let answers: Vec<String> = seen().into_iter().map(|answer| answer.text).collect();
        let mut needles = vec![
            secret.clone(),
            hex,
            STANDARD.encode(&raw),
            STANDARD_NO_PAD.encode(&raw),
            URL_SAFE_NO_PAD.encode(&raw),
            "otpauth".to_owned(),
            qr,
        ];
        for code in &codes {
            needles.extend([code.clone(), code.replace('-', ""), code.to_lowercase()]);
        }
        for needle in &needles {
            assert!(stored.iter().all(|(_, text)| !text.contains(needle.as_str())), "{needle} is stored");
            assert!(log.iter().all(|line| !line.contains(needle.as_str())), "{needle} is in the log");
            let shown = answers.iter().filter(|text| text.contains(needle.as_str())).count();
            assert!(shown <= 1, "{needle} is shown {shown} times");
        }
        let shown = |needle: &str| answers.iter().filter(|text| text.contains(needle)).count();
        assert_eq!((shown(&secret), shown(&codes[9])), (1, 1));
        // What stands in the row, and in no answer or line.
        let sealed = world.here().database.query("SELECT secret FROM factors WHERE type = 'totp'");
        let sealed = text(&sealed[0]["secret"]);
        assert!(sealed.starts_with("v1.k1.") && sealed.len() < 100, "{sealed}");
        let kept = world.here().database.query("SELECT mac FROM recovery_codes");
        assert_eq!(kept.len(), 10);
        for needle in kept.iter().map(|row| text(&row["mac"])).chain([sealed]) {
            assert_eq!(shown(needle), 0);
            assert!(log.iter().all(|line| !line.contains(needle)));
        }
    }
}

/// The same world under other encryption keys.
fn under(world: &World, current: &str, names: &[&str]) -> World {
    let all = [
        ("k1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("k2", "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        // Another key under an id that was used before.
        ("k1 anew", "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg8="),
    ];
    let keys: serde_json::Map<String, Value> = all
        .into_iter()
        .filter(|(name, _)| names.contains(name))
        .map(|(name, key)| (name[..2].to_owned(), json!(key)))
        .collect();
    let mut bindings = vars::null();
    bindings.insert("ENCRYPTION_KEYS".to_owned(), json!({"current": current, "keys": keys}));
    World::on(&world.here().redeploy(&bindings))
}

async fn challenge(world: &World, user: &str) -> Value {
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201)
}

/// A right answer that is told as a problem of the configuration, and counts nothing.
async fn cannot_be_read(world: &World, user: &str, code: &str) {
    let challenge = challenge(world, user).await;
    let problem = world.answer(&challenge, code).await.expect_problem(503, "configuration_invalid");
    assert!(text(&problem["detail"]).contains("ENCRYPTION_KEYS"), "{problem}");
    let logged = |line: &String| line.starts_with("Error") && line.contains("ENCRYPTION_KEYS");
    assert!(world.here().log.lines().iter().any(logged), "the operator reads it, too");
    let read = world.get(&format!("/v1/challenges/{}", text(&challenge["id"]))).await.expect(200);
    assert_eq!((&read["status"], &read["attempts_left"]), (&json!("pending"), &json!(5)));
    let user = world.get(&format!("/v1/users/{user}")).await.expect(200);
    assert_eq!(user["second_factor"]["failures_in_a_row"], 0);
}

async fn works(world: &World, user: &str, app: &Authenticator) {
    world.here().clock.advance(std::time::Duration::from_secs(61));
    let challenge = challenge(world, user).await;
    world.answer(&challenge, &app.code(world.now())).await.expect(200);
}

#[tokio::test]
async fn a_secret_that_is_moved_to_another_row_does_not_open() {
    let world = World::null();
    let (ana, anas, _) = world.user_with_totp().await;
    let (_, bens, bens_app) = world.user_with_totp().await;
    world.here().database.execute(&format!(
        "UPDATE factors SET secret = (SELECT secret FROM factors WHERE id = '{bens}') WHERE id = '{anas}'"
    ));
    cannot_be_read(&world, &ana, &bens_app.code(world.now())).await;
}

#[tokio::test]
async fn keys_rotate_while_everything_works_and_the_cron_seals_anew() {
    let world = World::null();
    let (old, _, old_app) = world.user_with_totp().await;
    let both = under(&world, "k2", &["k1", "k2"]);
    let (new, _, new_app) = both.user_with_totp().await;
    for (user, app) in [(&old, &old_app), (&new, &new_app)] {
        works(&both, user, app).await;
    }
    let sealed_under = |key: &str| {
        world.here().database.number(&format!("SELECT count(*) FROM factors WHERE secret LIKE 'v1.{key}.%'"))
    };
    assert_eq!((sealed_under("k1"), sealed_under("k2")), (1, 1));
    // The old key is gone too early: told by name, and only where it is needed.
    let early = under(&world, "k2", &["k2"]);
    cannot_be_read(&early, &old, &old_app.code(world.now())).await;
    works(&early, &new, &new_app).await;
    postern::housekeeping::run(&early.here().app).await.unwrap();
    assert_eq!((sealed_under("k1"), sealed_under("k2")), (1, 1), "what does not open stays");

    postern::housekeeping::run(&both.here().app).await.unwrap();
    assert_eq!((sealed_under("k1"), sealed_under("k2")), (0, 2));
    assert!(world.here().log.lines().last().unwrap().contains("1 secrets sealed anew"));
    for (user, app) in [(&old, &old_app), (&new, &new_app)] {
        works(&early, user, app).await;
        works(&both, user, app).await;
    }
    // Once more there is nothing to do, and nothing changes.
    let before = world.here().database.query("SELECT secret FROM factors");
    postern::housekeeping::run(&both.here().app).await.unwrap();
    assert_eq!(world.here().database.query("SELECT secret FROM factors"), before);
}

#[tokio::test]
async fn another_key_under_an_old_id_is_told_and_destroys_nothing() {
    let world = World::null();
    let (user, _, app) = world.user_with_totp().await;
    let other = under(&world, "k1", &["k1 anew"]);
    cannot_be_read(&other, &user, &app.code(world.now())).await;
    let other = under(&world, "k2", &["k1 anew", "k2"]);
    let before = world.here().database.query("SELECT secret FROM factors");
    postern::housekeeping::run(&other.here().app).await.unwrap();
    assert_eq!(world.here().database.query("SELECT secret FROM factors"), before);
    let lines = world.here().log.lines();
    assert!(lines.iter().any(|line| line.starts_with("Error") && line.contains("ENCRYPTION_KEYS")), "{lines:?}");
    works(&world, &user, &app).await;
}

/// So many copies of a factor, each with a secret of its own, which the test seals as the Worker does.
async fn many(world: &World, count: usize) {
    world.user_with_totp().await;
    let ring: Value = serde_json::from_str(vars::RING).unwrap();
    let ring = KeyRing::parse(&ring.as_object().unwrap().clone().into_iter().collect()).unwrap();
    let rows: Vec<Value> = (0..count)
        .map(|at| {
            let id = format!("fac_01M83WM7ZA{at:016}");
            let place = Place { table: "factors", column: "secret", row: &id };
            let sealed = Seal(&ring).seal(place, format!("secret {at}").as_bytes(), &world.here().random).unwrap();
            json!({"id": id, "secret": sealed})
        })
        .collect();
    world.here().database.execute(&format!(
        "INSERT INTO factors (id, user_id, type, authority, created_at, activated_at, secret, data, stamp)
           SELECT r.value ->> 'id', (SELECT id FROM users), 'totp', 'none', 0, 0, r.value ->> 'secret', '{{}}', ''
           FROM json_each('{}') r",
        Value::from(rows)
    ));
}

#[tokio::test]
async fn sealing_anew_is_bounded_and_two_runs_at_once_do_it_once() {
    let world = World::null();
    many(&world, 449).await;
    let both = under(&world, "k2", &["k1", "k2"]);
    let app = &both.here().app;
    let left = || world.here().database.number("SELECT count(*) FROM factors WHERE secret LIKE 'v1.k1.%'");
    assert_eq!(left(), 450);
    assert_eq!(postern::reseal::run(app).await.unwrap(), 200);
    assert_eq!(left(), 250);
    let (one, other) = tokio::join!(postern::reseal::run(app), postern::reseal::run(app));
    assert_eq!((one.unwrap() + other.unwrap(), left()), (200, 50));
    assert_eq!(postern::reseal::run(app).await.unwrap(), 50);
    assert_eq!((postern::reseal::run(app).await.unwrap(), left()), (0, 0));
    // All of them open under the new key alone, each in its own place.
    let new = under(&world, "k2", &["k2"]);
    let ring = &new.here().app.config.secrets().unwrap().encryption_keys;
    for row in world.here().database.query("SELECT id, secret FROM factors WHERE id LIKE 'fac_01M83WM7ZA0%'") {
        let place = Place { table: "factors", column: "secret", row: text(&row["id"]) };
        let opened = Seal(ring).open(place, text(&row["secret"])).unwrap();
        let at: usize = text(&row["id"])[14..].parse().unwrap();
        assert_eq!(opened.as_slice(), format!("secret {at}").as_bytes());
    }
}
