//! `/v1/instance/signing-keys/rotate`: for an operator who wants other keys before the cron makes them, or whose keys leaked.

use serde_json::{Value, json};

use super::Run;
use crate::{
    api_key::Scope,
    http::{
        Call, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        reply::Answer,
    },
    schema::{Field, Shape, field},
    time::Timestamp,
    token::{SigningKey, keys},
};

const ROTATE: &[Field] = &[field(
    "revoke",
    Shape::Boolean,
    "`true`: a new key signs at once; the others leave JWKS, and no token of theirs is taken any more",
)
.example("false")];

pub(super) const ROUTES: &[(Operation, Run)] = &[(
    Operation {
        description: "Makes the next key of each algorithm that is in use. It signs in an hour, and those before it stay in JWKS for \
            25 hours more; while one waits, no further one is made. With `revoke`, for keys that leaked, people go on with their \
            refresh tokens. Gives every live key.",
        auth: Auth::Key(Scope::InstanceWrite),
        body: Some(ROTATE),
        body_optional: true,
        example: r#"{"revoke": false}"#,
        gives: Gives::Page("SigningKey", shapes::SIGNING_KEY),
        ..operation(
            "POST",
            "/v1/instance/signing-keys/rotate",
            "rotateSigningKeys",
            "Instance",
            "Replace the keys that sign tokens",
        )
    },
    Run::Keyed(|call| Box::pin(rotate(call))),
)];

async fn rotate(call: Call) -> Answer {
    let keys = keys::replace(&call.context, call.form.flag("revoke").unwrap_or(false)).await?;
    Ok(Reply::json(200, &json!({"data": views(&keys, call.context.now()), "next_cursor": null})))
}

fn views(keys: &[SigningKey], now: Timestamp) -> Vec<Value> {
    keys.iter().filter(|key| key.is_live(now)).map(|key| view(key, keys, now)).collect()
}

fn view(key: &SigningKey, all: &[SigningKey], now: Timestamp) -> Value {
    let signs = keys::signer(all, key.algorithm, now).is_some_and(|signer| signer.id == key.id);
    json!({
        "id": key.id.as_str(),
        "algorithm": key.algorithm.as_str(),
        "status": match (signs, key.signs_from > now) {
            (true, _) => "signing",
            (false, true) => "waiting",
            (false, false) => "replaced",
        },
        "created_at": key.created_at.to_string(),
        "signs_from": key.signs_from.to_string(),
        "expires_at": key.expires_at.map(|end| end.to_string()),
    })
}
