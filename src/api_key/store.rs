//! Makes, lists and revokes server keys. Revoking holds at once everywhere: it changes the version that
//! guards every batch.

use serde_json::{Value, json};

use super::{BINDING_KEY, LIVE, Scope, TEST};
use crate::{
    claim_is_mine,
    context::Context,
    crypto::{new_token, token_hash},
    event::{self, Event, EventType, When},
    idempotency::{Claim, Reservation},
    ids::ApiKeyId,
    ports::{DatabaseError, Row, Statement},
    secret::Secret,
    statement,
    time::Timestamp,
};

/// A key as it is read. Its secret is never read.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The secret's last four characters.
    pub hint: String,
    /// What it may do.
    pub scopes: Value,
    /// Whether it is a `sk_test_` key.
    pub is_test: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    fn read(row: &Row) -> Result<Self, DatabaseError> {
        Ok(Self {
            id: row.text("id")?.to_owned(),
            name: row.text("name")?.to_owned(),
            hint: row.text("hint")?.to_owned(),
            scopes: serde_json::from_str(row.text("scopes")?)
                .map_err(|_| DatabaseError::Other("a stored key is malformed".to_owned()))?,
            is_test: row.flag("is_test"),
            created_at: Timestamp::from_millis(row.int("created_at")?),
            last_used_at: row.opt_int("last_used_at").map(Timestamp::from_millis),
            revoked_at: row.opt_int("revoked_at").map(Timestamp::from_millis),
        })
    }
}

/// What making a key came to.
pub enum Made {
    /// The key, and its secret the first time.
    Done(ApiKey, Option<Secret>),
    /// The call's key is another call's.
    Claimed(Claim),
}

/// What revoking came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It is revoked, now or before.
    Done,
    /// It is the last key that may make keys.
    LastOne,
    /// It grants what the calling key lacks, or is live and the calling key a test key.
    GrantsMore,
    /// There is no such key.
    NotFound,
}

const CREATE: &str = concat!(
    "INSERT INTO api_keys (id, name, secret_hash, hint, scopes, is_test, makes_keys, created_at, created_by, stamp)
     SELECT ?1, ?3, ?6, ?7, ?8, ?9, ?10, ?2, ?11, ?4 WHERE ",
    claim_is_mine!()
);
const GET: &str =
    "SELECT id, name, hint, scopes, is_test, created_at, last_used_at, revoked_at FROM api_keys WHERE id = ?1";
const LIST: &str = "SELECT id, name, hint, scopes, is_test, created_at, last_used_at, revoked_at FROM api_keys
  WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
const REVOKE: &str = "UPDATE api_keys SET revoked_at = ?2, stamp = ?3
  WHERE id = ?1 AND revoked_at IS NULL AND (is_test = 1 OR NOT ?5)
    AND NOT EXISTS (SELECT 1 FROM json_each(scopes) s WHERE s.value NOT IN (SELECT m.value FROM json_each(?6) m))
    AND (
    NOT EXISTS (SELECT 1 FROM retired_keys WHERE hash = ?4)
    OR EXISTS (SELECT 1 FROM api_keys o WHERE o.makes_keys = 1 AND o.revoked_at IS NULL AND o.id <> ?1))";
const NEW_VERSION: &str = "UPDATE instance SET version = version + 1, updated_at = ?2
  WHERE id = 1 AND EXISTS (SELECT 1 FROM api_keys WHERE id = ?1 AND stamp = ?3)";
const RETIRE: &str = "INSERT INTO retired_keys (hash, retired_at, stamp)
  SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM api_keys WHERE makes_keys = 1 AND revoked_at IS NULL)
  ON CONFLICT (hash) DO NOTHING";
const NEW_VERSION_AFTER_RETIRING: &str = "UPDATE instance SET version = version + 1, updated_at = ?2
  WHERE id = 1 AND EXISTS (SELECT 1 FROM retired_keys WHERE hash = ?1 AND stamp = ?3)";
const RETIRED: &str = "SELECT EXISTS (SELECT 1 FROM retired_keys WHERE hash = ?1) AS retired";
const USED: &str = "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] =
    &[CREATE, GET, LIST, REVOKE, NEW_VERSION, RETIRE, NEW_VERSION_AFTER_RETIRING, RETIRED, USED];

/// Notes that a key was used.
pub fn used(id: &str, now: Timestamp) -> Statement {
    statement!(USED, id, now.millis())
}

/// Makes a key. The caller has checked that it grants nothing it lacks.
pub async fn create(
    context: &Context,
    name: &str,
    scopes: &[Scope],
    is_test: bool,
    key: Option<Reservation>,
) -> Result<Made, DatabaseError> {
    let now = context.now();
    let stamp = context.stamp();
    let random = &*context.ports().random;
    let id = ApiKeyId::new(now, random);
    let secret = new_token(if is_test { TEST } else { LIVE }, random);
    let hint: String = secret.expose().chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let makes_keys = !is_test && scopes.contains(&Scope::KeysWrite);
    let key = key.as_ref();
    let mut batch: Vec<Statement> = key.map(|key| key.reserve(id.as_str(), &stamp, now)).into_iter().collect();
    batch.extend([
        statement!(
            CREATE,
            &id,
            now.millis(),
            name,
            stamp.as_str(),
            key.map(Reservation::key),
            token_hash(secret.expose()),
            hint,
            Value::from(names.clone()).to_string(),
            is_test,
            makes_keys,
            context.actor()
        ),
        event::store::write(
            context,
            Event::new(EventType::ApiKeyCreated, id.as_str()).data(json!({"scopes": names, "test": is_test})),
            When::ApiKey(id.as_str(), &stamp),
        ),
    ]);
    if let Some(key) = key {
        batch.extend([key.release_unless_made(&stamp), key.finish(&stamp), key.look_up()]);
    }
    batch.push(statement!(GET, &id));
    let answer = context.decide(batch).await?;
    if let Some(key) = key {
        let rows = answer.iter().rev().nth(1).map(Vec::as_slice).unwrap_or_default();
        match key.claim(rows, &stamp, now)? {
            Claim::Mine => {}
            Claim::Replay(earlier) => {
                let answer = context.decide(vec![statement!(GET, earlier)]).await?;
                return Ok(Made::Done(first(&answer)?, None));
            }
            claim => return Ok(Made::Claimed(claim)),
        }
    }
    Ok(Made::Done(first(answer.get(answer.len().saturating_sub(1)..).unwrap_or_default())?, Some(secret)))
}

fn first(answer: &[Vec<Row>]) -> Result<ApiKey, DatabaseError> {
    let row = answer.first().and_then(|rows| rows.first());
    ApiKey::read(row.ok_or_else(|| DatabaseError::Other("a key that was made is missing".to_owned()))?)
}

/// Lists keys, newest first, with ids below `before`.
pub async fn list(context: &Context, before: &str, limit: i64) -> Result<Vec<ApiKey>, DatabaseError> {
    let answer = context.decide(vec![statement!(LIST, before, limit)]).await?;
    answer.first().map(Vec::as_slice).unwrap_or_default().iter().map(ApiKey::read).collect()
}

/// Revokes a key, or retires the binding's. The last one that may make keys stays.
pub async fn revoke(context: &Context, id: &str) -> Result<Revoked, DatabaseError> {
    let now = context.now().millis();
    let binding_hash = token_hash(context.secrets().server_api_key.expose());
    let event = Event::new(EventType::ApiKeyRevoked, id);
    let stamp = context.stamp();
    let credential = context.credential();
    if id == BINDING_KEY {
        if credential.is_test || Scope::ALL.iter().any(|scope| !credential.may(*scope)) {
            return Ok(Revoked::GrantsMore);
        }
        let batch = vec![
            statement!(RETIRE, binding_hash.as_str(), now, stamp.as_str()),
            statement!(NEW_VERSION_AFTER_RETIRING, binding_hash.as_str(), now, stamp.as_str()),
            event::store::write(context, event, When::Retired(&binding_hash, &stamp)),
            statement!(RETIRED, binding_hash.as_str()),
        ];
        let answer = context.decide(batch).await?;
        let retired = answer.last().and_then(|rows| rows.first()).is_some_and(|row| row.flag("retired"));
        return Ok(if retired { Revoked::Done } else { Revoked::LastOne });
    }
    let scopes: Vec<&str> = credential.scopes.iter().map(|scope| scope.as_str()).collect();
    let batch = vec![
        statement!(
            REVOKE,
            id,
            now,
            stamp.as_str(),
            binding_hash,
            credential.is_test,
            Value::from(scopes.clone()).to_string()
        ),
        statement!(NEW_VERSION, id, now, stamp.as_str()),
        event::store::write(context, event, When::ApiKey(id, &stamp)),
        statement!(GET, id),
    ];
    let answer = context.decide(batch).await?;
    let Some(row) = answer.last().and_then(|rows| rows.first()) else { return Ok(Revoked::NotFound) };
    if row.opt_int("revoked_at").is_some() {
        return Ok(Revoked::Done);
    }
    let key = ApiKey::read(row)?;
    let granted = key.scopes.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(Value::as_str);
    let grants_more = (credential.is_test && !key.is_test) || granted.into_iter().any(|scope| !scopes.contains(&scope));
    Ok(if grants_more { Revoked::GrantsMore } else { Revoked::LastOne })
}
