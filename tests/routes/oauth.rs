//! `/oauth2/v1`: the form, its refusals, and who may read them.

use serde_json::json;

use crate::support::{
    World,
    oauth::{VERIFIER, app, basic, browser_and_user, code, exchange, form, refresh, refused, sign_in, token},
};

const PATHS: [&str; 2] = ["/oauth2/v1/token", "/oauth2/v1/revoke"];

#[tokio::test]
async fn a_form_is_wanted_each_field_once_and_nothing_of_it_comes_back() {
    let world = World::null();
    for path in PATHS {
        let request =
            |media: &str, body: &[u8]| world.request("POST", path).without("authorization").raw(media, body.to_vec());
        let form = "application/x-www-form-urlencoded";
        let long = format!("token=a&grant_type=refresh_token&refresh_token={}", "x".repeat(70_000)).into_bytes();
        let bad: [(&str, &[u8]); 9] = [
            ("application/json", br#"{"grant_type": "hunter2"}"#),
            ("text/plain", b"grant_type=hunter2"),
            (form, b""),
            (form, b"grant_type=&token="),
            (form, b"grant_type=a&grant_type=hunter2&token=a&token=hunter2"),
            (form, b"grant_type=hunter2%00&token=hunter2%00"),
            (form, b"grant_type=\xff&token=\xff"),
            (form, b"grant_type=%ff&token=%ff"),
            (form, &long),
        ];
        for (media, body) in bad {
            let answer = request(media, body).send().await;
            refused(&answer, 400, "invalid_request");
            assert!(!answer.text.contains("hunter2"), "{}", answer.text);
        }
        let query = world.request("POST", &format!("{path}?client_secret=hunter2")).without("authorization");
        let answer = query.raw(form, b"grant_type=refresh_token&token=a".to_vec()).send().await;
        refused(&answer, 400, "invalid_request");
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
        world.get(path).await.expect_problem(405, "method_not_allowed");
    }
    assert!(world.here().log.lines().iter().all(|line| !line.contains("hunter2")));
    // The media type may say more, and unknown fields are not looked at.
    let (shop, user) = browser_and_user(&world).await;
    let code = code(&world, &shop, &user, "openid").await;
    let body = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&resource=x&resource=y");
    let request = world.request("POST", "/oauth2/v1/token").without("authorization");
    let media = "Application/X-WWW-Form-Urlencoded; charset=UTF-8";
    request.raw(media, body.into_bytes()).send().await.expect(200);
}

#[tokio::test]
async fn each_grant_has_its_fields_and_there_are_three() {
    let world = World::null();
    for fields in [
        vec![("grant_type", "authorization_code")],
        vec![("grant_type", "authorization_code"), ("code", "ac_x")],
        vec![("grant_type", "authorization_code"), ("code_verifier", VERIFIER)],
        vec![("grant_type", "refresh_token")],
        vec![("grant_type", "refresh_token"), ("refresh_token", "")],
    ] {
        refused(&token(&world, &fields).send().await, 400, "invalid_request");
    }
    // The grants that OAuth 2.1 has left out, among others.
    for grant in
        ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "AUTHORIZATION_CODE", "hunter2"]
    {
        let answer = token(&world, &[("grant_type", grant), ("username", "ana"), ("password", "hunter2")]).send().await;
        refused(&answer, 400, "unsupported_grant_type");
        assert!(!answer.text.contains("hunter2"));
    }
    refused(&exchange(&world, "ac_x").send().await, 400, "invalid_grant");
    refused(&refresh(&world, "rt_x").send().await, 400, "invalid_grant");
    let known = |client: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", "rt_x"), ("client_id", client)];
        token(&world, &fields).send()
    };
    refused(&known("app_01M83WM7ZA000G40R40M30E209").await, 401, "invalid_client");
    let shop = app(&world, json!({"type": "browser"})).await;
    refused(&known(&shop).await, 400, "invalid_grant");
    // By HTTP Basic a public client names itself, with no secret.
    let by_header = refresh(&world, "rt_x").header("authorization", &basic(&shop, "")).send().await;
    refused(&by_header, 400, "invalid_grant");
}

#[tokio::test]
async fn its_apps_page_reads_tokens_and_refusals_and_a_strangers_none() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    let held = sign_in(&world, &shop, &user, "openid offline_access").await;
    let held = held["refresh_token"].as_str().unwrap();
    for (origin, wanted) in
        [("https://app.example.com", Some("https://app.example.com")), ("https://evil.example", None)]
    {
        let code = code(&world, &shop, &user, "openid").await;
        let from = |request: crate::support::Request| request.header("origin", origin).send();
        for (request, status) in [
            (exchange(&world, &code), 200),
            (exchange(&world, &code), 400),
            (refresh(&world, held), 200),
            (token(&world, &[("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", &shop)]), 400),
            (form(&world, "/oauth2/v1/revoke", &[("token", "rt_x"), ("client_id", &shop)]), 200),
        ] {
            let answer = from(request).await;
            assert_eq!(answer.status, status, "{}", answer.text);
            assert_eq!(answer.header("access-control-allow-origin"), wanted, "{}", answer.text);
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            assert!(answer.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")));
        }
    }
}

#[tokio::test]
async fn a_database_that_fails_is_told_in_oauths_words() {
    use postern::ports::DatabaseError;
    let world = World::null();
    world.get("/v1/instance").await.expect(200);
    for (error, status, name) in [
        (DatabaseError::Unavailable("x".to_owned()), 503, "temporarily_unavailable"),
        (DatabaseError::Unmigrated("x".to_owned()), 503, "temporarily_unavailable"),
        (DatabaseError::Other("x".to_owned()), 500, "server_error"),
    ] {
        world.here().database.fail_next(error);
        let answer = refresh(&world, "rt_x").send().await;
        refused(&answer, status, name);
    }
}
