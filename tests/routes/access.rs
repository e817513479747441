//! Who may call what: every operation wants its scope and no other, every path answers the methods it has, and
//! only what is public is open to other origins.

use postern::{
    api_key::Scope,
    http::{contract::Auth, operations},
};

use super::{Fixture, keyed, new_key, with_example};
use crate::support::{KEY, World};

#[tokio::test]
async fn without_a_key_every_operation_asks_for_one() {
    let world = World::null();
    for (operation, _) in keyed() {
        let call = || with_example(world.request(operation.method, operation.path), &operation);
        let malformed = ["", "Bearer", "Bearer ", "Basic c2s6", KEY, "Bearer sk_live_short", "Bearer hunter2-marker"];
        let mut answers = vec![call().without("authorization").send().await];
        for value in malformed {
            answers.push(call().header("authorization", value).send().await);
        }
        // Two are none: nobody knows which one counts.
        answers.push(call().also("authorization", &format!("Bearer {KEY}")).send().await);
        for answer in answers {
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{}", operation.id);
            assert!(!answer.text.contains("hunter2"), "{}", answer.text);
            let code = answer.json["code"].as_str().unwrap_or_default();
            assert!(["authentication_required", "api_key_invalid"].contains(&code), "{}", answer.text);
            answer.expect(401);
        }
    }
}

#[tokio::test]
async fn a_key_that_nobody_has_is_refused_everywhere() {
    let world = World::null();
    for stranger in [KEY.replace("3fJ0", "4fJ0"), KEY.replace("live", "test"), format!("{KEY}A")] {
        for (operation, _) in keyed() {
            let call = with_example(world.request(operation.method, operation.path), &operation);
            let answer = call.key(&stranger).send().await;
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            answer.expect_problem(401, "api_key_invalid");
        }
    }
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case() {
    let world = World::null();
    for scheme in ["bearer", "BEARER", "Bearer "] {
        let request = world.request("GET", "/v1/users").header("authorization", &format!("{scheme} {KEY}"));
        request.send().await.expect(200);
    }
}

#[tokio::test]
async fn every_operation_wants_its_scope_and_no_other() {
    let fixture = Fixture::new().await;
    for (operation, scope) in keyed() {
        // A fresh world of ids for each: some calls delete.
        let others: Vec<&str> = Scope::NAMES.into_iter().filter(|name| *name != scope.as_str()).collect();
        let (_, without) = new_key(&fixture.world, &others).await;
        let problem = fixture.call(&operation).key(&without).send().await.expect_problem(403, "scope_missing");
        assert!(problem["detail"].as_str().unwrap().contains(scope.as_str()), "{problem}");
        let (_, only) = new_key(&fixture.world, &[scope.as_str()]).await;
        let answer = fixture.call(&operation).key(&only).send().await;
        assert_ne!(answer.status, 401, "{}", operation.id);
        // No key grants what it lacks, and the example grants `challenges`; none revokes what grants more than it has.
        let granting = ["createApiKey", "revokeApiKey"].contains(&operation.id);
        assert_eq!(answer.json["code"] == "scope_missing", granting, "{}: {}", operation.id, answer.text);
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_told_those_it_takes() {
    let fixture = Fixture::new().await;
    for operation in operations() {
        let path = fixture.path(&operation);
        let taken: Vec<&str> =
            operations().iter().filter(|other| other.path == operation.path).map(|other| other.method).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            if taken.contains(&method) {
                continue;
            }
            let answer = fixture.world.request(method, &path).send().await;
            let allow: Vec<String> = answer.header("allow").unwrap().split(", ").map(str::to_owned).collect();
            assert_eq!(allow, taken, "{method} {path}");
            answer.expect_problem(405, "method_not_allowed");
        }
    }
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let fixture = Fixture::new().await;
    for operation in operations().into_iter().filter(|operation| operation.method == "GET") {
        let path = fixture.path(&operation);
        let get = fixture.world.request("GET", &path).send().await;
        let head = fixture.world.request("HEAD", &path).send().await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn only_what_is_public_is_open_to_other_origins() {
    let fixture = Fixture::new().await;
    let open = [
        "/v1/environment",
        "/openapi.json",
        "/.well-known/jwks.json",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ];
    for operation in operations() {
        let call = || fixture.call(&operation).header("origin", "https://evil.example");
        let preflight = fixture.world.request("OPTIONS", &fixture.path(&operation));
        let preflight = preflight
            .header("origin", "https://evil.example")
            .header("access-control-request-method", operation.method)
            .send()
            .await;
        assert!(!preflight.headers.iter().any(|(name, _)| name.starts_with("access-control")), "{}", operation.id);
        let answer = call().send().await;
        let allowed = answer.header("access-control-allow-origin");
        let wanted = open.contains(&operation.path).then_some("*");
        assert_eq!(allowed, wanted, "{} {}", operation.method, operation.path);
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        // A refusal is not open either.
        let refused = call().without("authorization").send().await;
        assert!(refused.header("access-control-allow-origin").is_none() || wanted.is_some(), "{}", operation.id);
    }
}

#[tokio::test]
async fn no_answer_of_the_server_api_is_kept_or_sniffed() {
    let fixture = Fixture::new().await;
    for operation in operations() {
        let answer = fixture.call(&operation).send().await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{}", operation.id);
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{}", operation.id);
        if operation.auth != Auth::Public {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", operation.id);
        }
    }
}
