//! `/v1/api-keys`: server keys. No key grants what it lacks.

use serde_json::json;

use super::{
    Run,
    users::{LIMIT, cursor},
    view,
};
use crate::{
    api_key::{
        BINDING_KEY, Scope,
        store::{self, Made, Revoked},
    },
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::Answer,
    },
    ids::ApiKeyId,
    schema::{Field, Shape, field},
};

const TAG: &str = "API keys";
const AUTH: Auth = Auth::Key(Scope::KeysWrite);

const CREATE: &[Field] = &[
    field("name", Shape::Text(60), "What it is called").required().example(r#""Shop backend""#),
    field("scopes", Shape::List(&Shape::OneOf(&Scope::NAMES), 20), "What it may do; at most what this key may")
        .required()
        .example(r#"["challenges"]"#),
    field("test", Shape::Boolean, "Make a `sk_test_` key, whose messages never reach a carrier; default false"),
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "The secret is shown in this answer only.",
            auth: AUTH,
            idempotent: true,
            body: Some(CREATE),
            example: r#"{"name": "Shop backend", "scopes": ["challenges"]}"#,
            status: 201,
            gives: Gives::One("NewApiKey", shapes::NEW_API_KEY),
            ..operation("POST", "/v1/api-keys", "createApiKey", TAG, "Make a key")
        },
        Run::Keyed(|call| Box::pin(create(call))),
    ),
    (
        Operation {
            description: "Newest first, revoked ones too. The binding's key is not among them.",
            auth: AUTH,
            query: &[LIMIT, cursor("key_")],
            gives: Gives::Page("ApiKey", shapes::API_KEY),
            ..operation("GET", "/v1/api-keys", "listApiKeys", TAG, "List keys")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation {
            description: "Holds at once, everywhere. `key_binding` retires the key of `SERVER_API_KEY`; another key put there works again. \
                The last live key with `keys:write` stays.",
            auth: AUTH,
            status: 204,
            refuses: &[&[Code::LastKey]],
            ..operation("DELETE", "/v1/api-keys/{id}", "revokeApiKey", TAG, "Revoke a key")
        },
        Run::Keyed(|call| Box::pin(revoke(call))),
    ),
];

async fn create(call: Call) -> Answer {
    let credential = call.context.credential();
    let names = call.form.texts("scopes").unwrap_or_default();
    let mut scopes: Vec<Scope> = Vec::new();
    for scope in names.into_iter().filter_map(Scope::parse) {
        if !credential.may(scope) {
            let detail = format!("this key lacks {}, and no key grants what it lacks", scope.as_str());
            return Err(Problem::new(Code::ScopeMissing, detail).into());
        }
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        return Err(wrong("scopes", "at least one scope is wanted").into());
    }
    let is_test = call.form.flag("test").unwrap_or(false);
    if credential.is_test && !is_test {
        return Err(Problem::new(Code::ScopeMissing, "a test key makes test keys only").into());
    }
    let name = call.form.text("name").unwrap_or_default();
    match store::create(&call.context, name, &scopes, is_test, call.reservation.clone()).await? {
        Made::Done(key, secret) => {
            let body =
                json!({"api_key": view::api_key(&key), "secret": secret.as_ref().map(crate::secret::Secret::expose)});
            Ok(Reply::json(201, &body).replayed(secret.is_none()))
        }
        Made::Claimed(claim) => Err(Problem::from(claim).into()),
    }
}

async fn list(call: Call) -> Answer {
    let (limit, before) = call.page()?;
    let keys = store::list(&call.context, &before, limit + 1).await?;
    Ok(Reply::page(keys.iter().map(view::api_key).collect(), limit))
}

async fn revoke(call: Call) -> Answer {
    let id =
        call.id("id", |text| (text == BINDING_KEY || ApiKeyId::parse(text).is_some()).then(|| text.to_owned()), "key")?;
    match store::revoke(&call.context, &id).await? {
        Revoked::Done => Ok(Reply::nothing()),
        Revoked::LastOne => {
            Err(Problem::new(Code::LastKey, "no other live key has keys:write, and nobody could make keys any more")
                .into())
        }
        Revoked::GrantsMore => Err(Problem::new(
            Code::ScopeMissing,
            "a key revokes only keys that grant no more than it has, and a test key only test keys",
        )
        .into()),
        Revoked::NotFound => Err(Problem::not_found("key").into()),
    }
}
