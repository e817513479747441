//! `/.well-known/…`: what it says, that any origin may read it, and what it costs.

use postern::ports::Algorithm;
use serde_json::json;

use crate::support::{
    World,
    tokens::{claims, sign},
};

const PATHS: [&str; 3] = ["jwks.json", "openid-configuration", "oauth-authorization-server"];

#[tokio::test]
async fn any_origin_may_read_it_and_it_costs_one_round_trip_at_most() {
    let world = World::null();
    sign(world.here(), Algorithm::Es256, "JWT", &claims(&world, 60)).await;
    for (path, trips) in PATHS.into_iter().zip([1, 0, 0]) {
        let path = format!("/.well-known/{path}");
        let answer = world.request("GET", &path).without("authorization").header("origin", "https://any.example");
        let answer = answer.send().await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        assert_eq!(answer.round_trips(), trips, "{path}");
        answer.expect(200);
    }
}

#[tokio::test]
async fn that_there_is_no_key_yet_is_remembered_by_nobody() {
    let world = World::null();
    let answer = world.get("/.well-known/jwks.json").await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.expect(200), json!({"keys": []}));
}

#[tokio::test]
async fn discovery_says_what_there_is() {
    let world = World::twilio();
    let [_, openid, oauth] = PATHS.map(|path| world.request("GET", &format!("/.well-known/{path}")));
    let metadata = oauth.send().await.expect(200);
    assert_eq!(openid.send().await.expect(200), metadata);
    let clients = json!(["none", "client_secret_basic", "client_secret_post"]);
    assert_eq!(
        metadata,
        json!({
            "issuer": "https://login.example.com",
            "token_endpoint": "https://login.example.com/oauth2/v1/token",
            "revocation_endpoint": "https://login.example.com/oauth2/v1/revoke",
            "jwks_uri": "https://login.example.com/.well-known/jwks.json",
            "service_documentation": "https://login.example.com/docs",
            "scopes_supported": ["openid", "profile", "email", "phone", "offline_access"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "token_endpoint_auth_methods_supported": clients,
            "revocation_endpoint_auth_methods_supported": clients,
            "code_challenge_methods_supported": ["S256"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "acr_values_supported": ["urn:postern:acr:aal1", "urn:postern:acr:aal2", "urn:postern:acr:aal2-phishing-resistant"],
        })
    );
}
