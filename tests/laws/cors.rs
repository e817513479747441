//! Who may read what in a browser (Fetch, CORS protocol): an app's own pages, and nobody else's; the server API nobody.

use serde_json::json;

use crate::support::{
    World,
    page::{ORIGIN, Page},
};

const ELSEWHERE: &str = "https://elsewhere.example.com";

fn allowed(response: &crate::support::Response) -> Option<String> {
    response.headers.iter().find(|(name, _)| name == "access-control-allow-origin").map(|(_, value)| value.clone())
}

async fn preflight(world: &World, path: &str, origin: &str) -> crate::support::Response {
    let request = world.request("OPTIONS", path).without("authorization").header("origin", origin);
    request.header("access-control-request-method", "POST").send().await
}

#[tokio::test]
async fn a_preflight_is_answered_for_apps_pages_only_and_never_for_the_server_api() {
    let world = World::null();
    let flow = "/v1/client/sign-ins/sgn_01M83WM7ZA000G40R40M30E209/password";
    assert_eq!(allowed(&preflight(&world, flow, ORIGIN).await), None, "no app has this origin yet");
    let _page = Page::new(&world).await;
    let answer = preflight(&world, flow, ORIGIN).await;
    assert_eq!((answer.status, allowed(&answer).as_deref()), (204, Some(ORIGIN)));
    let has = |name: &str, value: &str| answer.headers.contains(&(name.to_owned(), value.to_owned()));
    assert!(has("vary", "Origin") && has("access-control-allow-methods", "POST"), "{:?}", answer.headers);
    assert!(!answer.headers.iter().any(|(name, _)| name == "access-control-allow-credentials"));
    for origin in [ELSEWHERE, "null", "https://app.example.com.evil.example"] {
        assert_eq!(allowed(&preflight(&world, flow, origin).await), None, "{origin}");
    }
    for path in ["/v1/users", "/v1/challenges", "/v1/instance"] {
        let answer = preflight(&world, path, ORIGIN).await;
        assert_eq!((answer.status, allowed(&answer)), (405, None), "{path}");
    }
    let users = world.request("GET", "/v1/users").header("origin", ORIGIN).send().await;
    assert_eq!((users.status, allowed(&users)), (200, None));
}

#[tokio::test]
async fn a_page_reads_its_own_apps_flows_and_no_others() {
    let world = World::null();
    let page = Page::new(&world).await;
    let flow = page.begin("sign-ins", json!({})).await;
    let own = flow.get().await;
    assert_eq!((own.status, allowed(&own).as_deref()), (200, Some(ORIGIN)));
    // Why it was refused can be read, too.
    let refused = flow.post("password", json!({"password": "seven owls"})).await;
    assert_eq!((refused.status, allowed(&refused).as_deref()), (409, Some(ORIGIN)));

    // Another page is let in nowhere, even with the token.
    let thief = Page {
        world: &world,
        client_id: page.client_id.clone(),
        verifier: page.verifier.clone(),
        origin: Some(ELSEWHERE.to_owned()),
    };
    let stolen = thief.call("GET", &flow.path, Some(&flow.token), None).await;
    assert_eq!(allowed(&stolen), None);
    stolen.expect_problem(403, "origin_not_allowed");
    let body = json!({"identifier": "ana@example.com"});
    let path = format!("{}/identifier", flow.path);
    thief.call("POST", &path, Some(&flow.token), Some(&body)).await.expect_problem(403, "origin_not_allowed");
    thief
        .call("POST", "/v1/client/sign-ins", None, Some(&thief.beginning()))
        .await
        .expect_problem(403, "origin_not_allowed");
    // No page at all is none of a browser app's.
    let bare = Page { origin: None, ..thief };
    bare.call("POST", &path, Some(&flow.token), Some(&body)).await.expect_problem(403, "origin_not_allowed");
    bare.call("POST", "/v1/client/sign-ins", None, Some(&bare.beginning()))
        .await
        .expect_problem(403, "origin_not_allowed");
    assert_eq!(flow.get().await.expect(200)["step"], "needs_identifier", "nothing has changed");
}

#[tokio::test]
async fn an_origin_that_is_taken_from_an_app_is_out_at_once() {
    let world = World::null();
    let page = Page::new(&world).await;
    let app = format!("/v1/apps/{}", page.client_id);
    world.patch(&app, &json!({"origins": [ELSEWHERE]})).await.expect(200);
    let refused = page.call("POST", "/v1/client/sign-ins", None, Some(&page.beginning())).await;
    assert_eq!(allowed(&refused), None);
    refused.expect_problem(403, "origin_not_allowed");
}
