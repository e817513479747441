//! Sessions and their tokens: a code becomes one session, once (law 2, standards 41 and 42); a refresh token becomes the
//! next one, once, and one that was stolen ends the family (standard 43); one round trip each (law 3).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Response, World, at_once,
    oauth::{
        EVERYTHING, VERIFIER, app, app_and_secret, basic, browser_and_user, code, exchange, hash, new_code, read,
        refresh, refused, sign_in, token, write,
    },
};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

fn rows(world: &World, table: &str) -> i64 {
    world.here().database.number(&format!("SELECT count(*) FROM {table}"))
}

fn live(world: &World) -> i64 {
    rows(world, "sessions WHERE ended_at IS NULL")
}

fn events(world: &World, kind: &str) -> Vec<(Value, Value)> {
    let query = format!("SELECT subject_id, reason FROM audit_events WHERE type = '{kind}' ORDER BY id");
    world.here().database.query(&query).iter().map(|row| (row["subject_id"].clone(), row["reason"].clone())).collect()
}

fn granted(responses: &[Response]) -> Vec<&Response> {
    responses.iter().filter(|response| response.status == 200).collect()
}

#[tokio::test]
async fn a_code_becomes_tokens_that_another_library_takes() {
    for algorithm in ["RS256", "ES256"] {
        let world = World::null();
        let user = world.post("/v1/users", &json!({"email": "ana@example.com", "name": "Ana"})).await.expect(201);
        let user = text(&user["id"]);
        let shop = app(&world, json!({"type": "browser", "tokens": {"algorithm": algorithm}})).await;
        let now = world.now() / 1000;
        let (code, session) = write(&world, &new_code(&shop, user, EVERYTHING, world.here())).await;
        let answer = exchange(&world, &code).send().await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        let set = answer.expect(200);
        let (header, access) = read(&world, text(&set["access_token"])).await;
        assert_eq!((header.typ.as_deref(), format!("{:?}", header.alg)), (Some("at+jwt"), algorithm.to_owned()));
        for (name, wanted) in [
            ("sub", json!(user)),
            ("aud", json!(shop)),
            ("azp", json!(shop)),
            ("client_id", json!(shop)),
            ("sid", json!(session)),
            ("acr", json!("urn:postern:acr:aal2")),
            ("amr", json!(["pwd", "otp", "mfa"])),
            ("scope", json!(EVERYTHING)),
            ("iat", json!(now)),
            ("auth_time", json!(now)),
            ("exp", json!(now + 1800)),
        ] {
            assert_eq!(access[name], wanted, "{name}");
        }
        let (header, id) = read(&world, text(&set["id_token"])).await;
        assert_eq!(header.typ.as_deref(), Some("JWT"));
        assert_eq!((&id["aud"], &id["nonce"], &id["sid"]), (&json!(shop), &json!("n-0S6_WzA2Mj"), &json!(session)));
        assert_eq!(
            (&id["email"], &id["email_verified"], &id["name"]),
            (&json!("ana@example.com"), &json!(false), &json!("Ana"))
        );
        assert_eq!((&set["token_type"], &set["scope"]), (&json!("Bearer"), &json!(EVERYTHING)));
        assert_eq!(
            (&set["expires_in"], &set["expires_on"], &set["not_before"]),
            (&json!(1800), &json!(now + 1800), &json!(now))
        );
        assert_eq!(set["refresh_token_expires_in"], json!(604_800));
        assert_eq!(set["refresh_token_expires_on"], json!(now + 604_800));
        assert!(text(&set["refresh_token"]).starts_with("rt_"));
        let listed = world.get(&format!("/v1/users/{user}/sessions")).await.expect(200);
        let one = &listed["data"][0];
        assert_eq!((&one["id"], &one["app_id"]), (&json!(session), &json!(shop)));
        assert_eq!((&one["client_ip"], &one["user_agent"]), (&json!("203.0.113.7"), &json!("Browser/1")));
        assert_eq!(events(&world, "session.created"), [(json!(session), Value::Null)]);
    }
}

#[tokio::test]
async fn scope_says_which_tokens_there_are() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    for (scope, id, offline) in
        [("", false, false), ("openid", true, false), ("email", false, false), ("offline_access", false, true)]
    {
        let set = sign_in(&world, &shop, &user, scope).await;
        assert_eq!((set.get("id_token").is_some(), set.get("refresh_token").is_some()), (id, offline), "{scope}");
        assert_eq!(set.get("refresh_token_expires_in").is_some(), offline);
    }
    assert_eq!((live(&world), rows(&world, "refresh_tokens")), (4, 1));
}

#[tokio::test]
async fn what_does_not_fit_the_code_uses_nothing_up_and_ends_nothing() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let other = app(&world, json!({"type": "browser"})).await;
    let uri = "https://app.example.com/callback";
    let mut new = new_code(&shop, &user, EVERYTHING, world.here());
    new.redirect_uri = Some(uri.to_owned());
    let (code, _) = write(&world, &new).await;
    let with = |more: &[(&str, &str)]| {
        let mut fields = vec![("grant_type", "authorization_code"), ("code", code.as_str())];
        fields.extend(more);
        token(&world, &fields).send()
    };
    let (verifier, uri) = (("code_verifier", VERIFIER), ("redirect_uri", uri));
    let wrong_verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl";
    let plain = crate::support::oauth::CHALLENGE;
    let misfits = async || {
        refused(&with(&[uri]).await, 400, "invalid_request");
        refused(&with(&[("code_verifier", wrong_verifier), uri]).await, 400, "invalid_grant");
        // `plain`: the challenge is no verifier of itself.
        refused(&with(&[("code_verifier", plain), uri]).await, 400, "invalid_grant");
        refused(&with(&[verifier]).await, 400, "invalid_grant");
        refused(&with(&[verifier, ("redirect_uri", "https://app.example.com/callback/")]).await, 400, "invalid_grant");
        refused(&with(&[verifier, uri, ("client_id", &other)]).await, 400, "invalid_grant");
        refused(&with(&[verifier, uri, ("client_id", &shop), ("client_secret", "cs_x")]).await, 401, "invalid_client");
        refused(&with(&[verifier, uri, ("client_id", "app_x")]).await, 401, "invalid_client");
        refused(&exchange(&world, &format!("{code}x")).send().await, 400, "invalid_grant");
    };
    misfits().await;
    assert_eq!((rows(&world, "sessions"), rows(&world, "authorization_codes WHERE used_at IS NOT NULL")), (0, 0));
    with(&[verifier, uri, ("client_id", &shop)]).await.expect(200);
    // Whoever could not have exchanged it does not end its session either.
    misfits().await;
    assert_eq!((live(&world), events(&world, "session.ended").len()), (1, 0));
    refused(&with(&[verifier, uri]).await, 400, "invalid_grant");
    assert_eq!((live(&world), events(&world, "session.ended").len()), (0, 1));
}

#[tokio::test]
async fn a_code_without_redirect_uri_takes_none() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let code = code(&world, &shop, &user, "openid").await;
    let named = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", "https://app.example.com"),
    ];
    refused(&token(&world, &named).send().await, 400, "invalid_grant");
    exchange(&world, &code).send().await.expect(200);
}

#[tokio::test]
async fn a_code_ends_and_goes_with_its_app_and_does_not_open_for_who_is_shut_out() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let (late, in_time) = (code(&world, &shop, &user, "openid").await, code(&world, &shop, &user, "openid").await);
    world.here().clock.advance(Duration::from_millis(299_999));
    exchange(&world, &in_time).send().await.expect(200);
    world.here().clock.advance(Duration::from_millis(1));
    refused(&exchange(&world, &late).send().await, 400, "invalid_grant");

    let shut = code(&world, &shop, &user, "openid").await;
    let disable = |at: &str| world.here().database.execute(&format!("UPDATE users SET disabled_at = {at}"));
    disable("1");
    refused(&exchange(&world, &shut).send().await, 400, "invalid_grant");
    disable("NULL");
    exchange(&world, &shut).send().await.expect(200);

    let gone = code(&world, &shop, &user, "openid").await;
    world.delete(&format!("/v1/apps/{shop}")).await.expect(204);
    refused(&exchange(&world, &gone).send().await, 400, "invalid_grant");
    assert_eq!(rows(&world, "sessions"), 0);
}

#[tokio::test]
async fn a_web_app_authenticates_or_gets_nothing() {
    let world = World::null();
    let (_, user) = browser_and_user(&world).await;
    let (web, secret) = app_and_secret(&world, json!({"type": "web"})).await;
    let (_, foreign) = app_and_secret(&world, json!({"type": "web"})).await;
    let code = code(&world, &web, &user, EVERYTHING).await;
    let post = |secret: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("client_id", &web),
            ("client_secret", secret),
        ];
        token(&world, &fields).send()
    };
    for wrong in ["", "cs_x", &foreign, &hash(&secret)] {
        let answer = post(wrong).await;
        assert_eq!(answer.header("www-authenticate"), None);
        refused(&answer, 401, "invalid_client");
        let by_header = exchange(&world, &code).header("authorization", &basic(&web, wrong)).send().await;
        assert!(by_header.header("www-authenticate").unwrap().starts_with("Basic "));
        refused(&by_header, 401, "invalid_client");
    }
    for malformed in ["Basic", "Basic !", "Bearer x", "Basic YQ=="] {
        let answer = exchange(&world, &code).header("authorization", malformed).send().await;
        refused(&answer, 401, "invalid_client");
    }
    // Without a word of who it is, the code tells; that helps nobody.
    refused(&exchange(&world, &code).send().await, 401, "invalid_client");
    let both = token(&world, &[("grant_type", "refresh_token"), ("refresh_token", "rt_x"), ("client_secret", &secret)]);
    refused(&both.header("authorization", &basic(&web, &secret)).send().await, 400, "invalid_request");
    let set = exchange(&world, &code).header("authorization", &basic(&web, &secret)).send().await.expect(200);
    // A refresh token is worth nothing without the secret, and a wrong one ends nothing.
    let held = text(&set["refresh_token"]);
    refused(&refresh(&world, held).send().await, 401, "invalid_client");
    world.here().clock.advance(Duration::from_mins(1));
    let next = refresh(&world, held).header("authorization", &basic(&web, &secret)).send().await.expect(200);
    world.here().clock.advance(Duration::from_mins(1));
    refused(&refresh(&world, held).send().await, 401, "invalid_client");
    assert_eq!(live(&world), 1);
    let next = refresh(&world, text(&next["refresh_token"])).header("authorization", &basic(&web, &secret));
    next.send().await.expect(200);
}

#[tokio::test]
async fn a_hundred_refreshes_of_one_token_give_one_successor() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let set = sign_in(&world, &shop, &user, EVERYTHING).await;
    let first = text(&set["refresh_token"]);
    let responses = at_once((0..100).map(|_| refresh(&world, first)).collect()).await;
    assert_eq!(granted(&responses).len(), 100);
    let next = &responses[0].json["refresh_token"];
    assert!(responses.iter().all(|response| response.json["refresh_token"] == *next && response.round_trips() == 1));
    assert_ne!(next, &set["refresh_token"]);
    assert_eq!((rows(&world, "refresh_tokens"), live(&world)), (2, 1));
    // Ten seconds later there is nobody else who could mean well.
    world.here().clock.advance(Duration::from_millis(9_999));
    assert_eq!(&refresh(&world, first).send().await.expect(200)["refresh_token"], next);
    world.here().clock.advance(Duration::from_millis(1));
    refused(&refresh(&world, first).send().await, 400, "invalid_grant");
    assert_eq!(events(&world, "session.ended").len(), 1);
    assert_eq!(events(&world, "session.ended")[0].1, json!("refresh_token_reused"));
    assert_eq!((rows(&world, "refresh_tokens"), live(&world)), (0, 0));
    refused(&refresh(&world, text(next)).send().await, 400, "invalid_grant");
    assert_eq!(events(&world, "session.ended").len(), 1, "it ends once");
}

#[tokio::test]
async fn a_chain_of_tokens_goes_on_and_any_old_one_ends_it() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let mut held = vec![text(&sign_in(&world, &shop, &user, EVERYTHING).await["refresh_token"]).to_owned()];
    for _ in 0..5 {
        world.here().clock.advance(Duration::from_mins(20));
        let answer = refresh(&world, held.last().unwrap()).send().await;
        assert_eq!(answer.round_trips(), 1);
        let set = answer.expect(200);
        assert_eq!(crate::support::oauth::claims(&set["id_token"]).get("nonce"), None);
        held.push(text(&set["refresh_token"]).to_owned());
    }
    assert_eq!(rows(&world, "refresh_tokens WHERE used_at IS NULL"), 1);
    let stolen = &held[2];
    refused(&refresh(&world, stolen).send().await, 400, "invalid_grant");
    for token in &held {
        refused(&refresh(&world, token).send().await, 400, "invalid_grant");
    }
    assert_eq!((live(&world), events(&world, "session.ended").len()), (0, 1));
}

#[tokio::test]
async fn keys_rotate_between_two_tabs_and_nothing_forks() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let set = sign_in(&world, &shop, &user, EVERYTHING).await;
    let first = text(&set["refresh_token"]);
    let next = refresh(&world, first).send().await.expect(200);
    let mut vars = crate::support::vars::null();
    let ring = json!({"current": "p2", "keys": {
        "p1": "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "p2": "MDECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    }});
    vars.insert("CODE_PEPPER".to_owned(), json!(ring.to_string()));
    let rotated = World::on(&world.here().redeploy(&vars));
    let again = refresh(&rotated, first).send().await.expect(200);
    assert_eq!(again["refresh_token"], next["refresh_token"]);
    assert_eq!(rows(&world, "refresh_tokens"), 2);
    // What the old key has made is exchanged under the new one.
    let after = refresh(&rotated, text(&next["refresh_token"])).send().await.expect(200);
    assert_ne!(after["refresh_token"], next["refresh_token"]);
    assert_eq!((rows(&world, "refresh_tokens"), live(&world)), (3, 1));
}

#[tokio::test]
async fn scope_may_be_narrowed_for_one_token_and_never_widened() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let set = sign_in(&world, &shop, &user, "openid email offline_access").await;
    let held = text(&set["refresh_token"]);
    let with = |held: &str, scope: &str| {
        token(&world, &[("grant_type", "refresh_token"), ("refresh_token", held), ("scope", scope)]).send()
    };
    for wider in ["openid profile", "phone", "users:write", "openid  email openi", "offline_access_x"] {
        refused(&with(held, wider).await, 400, "invalid_scope");
    }
    assert_eq!(rows(&world, "refresh_tokens WHERE used_at IS NOT NULL"), 0, "a refusal uses nothing up");
    let narrow = with(held, "email").await.expect(200);
    assert_eq!((&narrow["scope"], narrow.get("id_token")), (&json!("email"), None));
    assert_eq!(crate::support::oauth::claims(&narrow["access_token"])["scope"], "email");
    // The next one has all of it again.
    let whole = refresh(&world, text(&narrow["refresh_token"])).send().await.expect(200);
    assert_eq!(whole["scope"], "openid email offline_access");
}

#[tokio::test]
async fn an_exchange_takes_one_round_trip_and_a_key_that_is_missing_is_made_first() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let codes = [code(&world, &shop, &user, EVERYTHING).await, code(&world, &shop, &user, EVERYTHING).await];
    world.get("/v1/instance").await.expect(200);
    let first = exchange(&world, &codes[0]).send().await;
    // Refused for want of a key, made it, read it, exchanged.
    assert_eq!((first.status, first.round_trips()), (200, 4), "{}", first.text);
    let second = exchange(&world, &codes[1]).send().await;
    assert_eq!((second.status, second.round_trips()), (200, 1), "{}", second.text);
    let again = exchange(&world, &codes[1]).send().await;
    assert_eq!((again.status, again.round_trips()), (400, 1), "{}", again.text);
}

#[tokio::test]
async fn without_an_issuer_no_token_is_made_and_nothing_is_used_up() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let code = code(&world, &shop, &user, EVERYTHING).await;
    let mut vars = crate::support::vars::null();
    vars.remove("PUBLIC_URL");
    let without = World::on(&world.here().redeploy(&vars));
    let answer = exchange(&without, &code).send().await;
    refused(&answer, 503, "temporarily_unavailable");
    assert!(answer.text.contains("PUBLIC_URL"), "{}", answer.text);
    exchange(&world, &code).send().await.expect(200);
}

/// Law 5: what opens something is in the answer that gives it, and nowhere else.
#[tokio::test]
async fn tokens_are_in_the_answer_that_gives_them_and_nowhere_else() {
    let world = World::twilio();
    let (_, user) = browser_and_user(&world).await;
    let (web, secret) = app_and_secret(&world, json!({"type": "web"})).await;
    crate::support::client::seen();
    let code = code(&world, &web, &user, EVERYTHING).await;
    let header = basic(&web, &secret);
    let send = |request: crate::support::Request| request.header("authorization", &header).send();
    let set = send(exchange(&world, &code)).await.expect(200);
    let next = send(refresh(&world, text(&set["refresh_token"]))).await.expect(200);
    let access = [&set, &next].map(|set| text(&set["access_token"]).to_owned());
    let once: Vec<String> = access.into_iter().chain([text(&next["refresh_token"]).to_owned()]).collect();
    world.here().clock.advance(Duration::from_secs(11));
    refused(&send(refresh(&world, text(&set["refresh_token"]))).await, 400, "invalid_grant");
    refused(&send(exchange(&world, &code)).await, 400, "invalid_grant");
    for path in ["/v1/audit-events", "/v1/users", "/v1/apps"] {
        world.get(path).await.expect(200);
    }
    world.get(&format!("/v1/users/{user}/sessions")).await.expect(200);
    postern::housekeeping::run(&world.here().app).await.unwrap();
    let answers = crate::support::client::seen();
    let stored = world.here().database.everything();
    let all = once.iter().chain([&code, &secret]).map(String::as_str).chain([VERIFIER]);
    for needle in all {
        assert!(stored.iter().all(|(_, value)| !value.contains(needle)), "{needle} is stored");
        assert!(world.here().log.lines().iter().all(|line| !line.contains(needle)), "{needle} is logged");
        let seen = answers.iter().filter(|answer| answer.text.contains(needle)).count();
        assert_eq!(seen, usize::from(once.iter().any(|one| one == needle)), "{needle}");
    }
    // What is kept of them is no secret, and is told to nobody either.
    assert!(answers.iter().all(|answer| !answer.text.contains(&hash(&code)) && !answer.text.contains(&hash(&once[2]))));
    assert!(stored.iter().any(|(place, value)| place == "authorization_codes.code_hash" && *value == hash(&code)));
}
