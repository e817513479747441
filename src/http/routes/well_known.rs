//! `/.well-known/…`: the public keys that check tokens, and what there is to ask for. Any origin may read it.

use std::future::ready;

use serde_json::json;

use super::Run;
use crate::{
    http::{
        Code, Incoming, Problem, Reply,
        contract::{Gives, Operation, operation, shapes},
        cors::Sharing,
        reply::Answer,
    },
    policy::Acr,
    ports::{Algorithm, Row},
    token,
};

const TAG: &str = "Public";

const DISCOVERY: Operation = Operation {
    description: "The issuer is `PUBLIC_URL`. There is no authorization endpoint yet: codes come from the embedded API.",
    gives: Gives::One("ServerMetadata", shapes::SERVER_METADATA),
    refuses: &[&[Code::ConfigurationInvalid]],
    ..operation("GET", "/.well-known/oauth-authorization-server", "getServerMetadata", TAG, "Discovery (RFC 8414)")
};

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "A key stands here an hour before it signs, and until what it signed has expired. Another `kid` than these \
                is worth one more look, and then nothing.",
            gives: Gives::One("KeySet", shapes::KEY_SET),
            refuses: &[&[Code::DatabaseUnmigrated, Code::DatabaseUnavailable]],
            ..operation("GET", "/.well-known/jwks.json", "getKeys", TAG, "The keys that check tokens (RFC 7517)")
        },
        Run::Open(|incoming| Box::pin(keys(incoming))),
    ),
    (DISCOVERY, Run::Open(|incoming| Box::pin(ready(metadata(&incoming))))),
    (
        Operation {
            id: "getOpenIdConfiguration",
            path: "/.well-known/openid-configuration",
            summary: "Discovery (OpenID Connect)",
            ..DISCOVERY
        },
        Run::Open(|incoming| Box::pin(ready(metadata(&incoming)))),
    ),
];

async fn keys(incoming: Incoming) -> Answer {
    let app = &incoming.app;
    let answer = incoming.round_trips.batch(&app.ports, vec![token::store::public(incoming.now)]).await?;
    let rows = answer.first().map(Vec::as_slice).unwrap_or_default();
    // As they are stored: JWKs without anything private.
    let keys: Vec<&str> = rows.iter().filter_map(|row: &Row| row.opt_text("public_key")).collect();
    // The first key signs at once: nobody may remember that there was none.
    let cached = if keys.is_empty() { "no-store" } else { CACHED };
    Ok(open(["{\"keys\":[", &keys.join(","), "]}"].concat(), cached))
}

const CACHED: &str = "public, max-age=300";

fn metadata(incoming: &Incoming) -> Answer {
    let issuer =
        token::issuer(&incoming.app.config).map_err(|issue| Problem::new(Code::ConfigurationInvalid, issue.detail))?;
    let at = |path: &str| [issuer, path].concat();
    let clients = ["none", "client_secret_basic", "client_secret_post"];
    let metadata = json!({
        "issuer": issuer,
        "token_endpoint": at("/oauth2/v1/token"),
        "revocation_endpoint": at("/oauth2/v1/revoke"),
        "jwks_uri": at("/.well-known/jwks.json"),
        "service_documentation": at("/docs"),
        "scopes_supported": ["openid", "profile", "email", "phone", "offline_access"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": clients,
        "revocation_endpoint_auth_methods_supported": clients,
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": Algorithm::NAMES,
        "acr_values_supported": Acr::NAMES,
    });
    Ok(open(metadata.to_string(), CACHED))
}

/// JSON that any origin may read.
fn open(body: String, cached: &str) -> Reply {
    let headers = Sharing::Anybody.of_answer(None, true);
    Reply { status: 200, media: "application/json", body, headers }.header("cache-control", cached)
}
