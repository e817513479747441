//! Keys rotate: what is sealed under an old key of `ENCRYPTION_KEYS` is sealed anew under the current one, some rows at
//! each run of the cron. Nothing waits for it: every key of the ring opens.

use serde_json::{Value, json};

use crate::{
    context::App,
    crypto::Seal,
    factor::totp,
    ports::{DatabaseError, Level, Row, Statement},
    settings, statement, token, webhook,
};

/// How many rows one run seals anew: a few milliseconds of work.
const ROWS: i64 = 200;

/// Finds TOTP secrets, signing keys and secrets of webhooks (`signs` 0, 1, 2) under old keys. `?1` where the values of each key begin and end, a JSON list, `?2`
/// how many.
const FIND: &str = "SELECT s.id, s.private_key AS secret, 1 AS signs FROM json_each(?1) k CROSS JOIN signing_keys s
    WHERE s.private_key >= k.value ->> 'from' AND s.private_key < k.value ->> 'to'
  UNION ALL SELECT f.id, f.secret, 0 FROM json_each(?1) k CROSS JOIN factors f
    WHERE f.type = 'totp' AND f.secret >= k.value ->> 'from' AND f.secret < k.value ->> 'to'
  UNION ALL SELECT w.id, w.secret, 2 FROM json_each(?1) k CROSS JOIN webhook_endpoints w
    WHERE w.secret >= k.value ->> 'from' AND w.secret < k.value ->> 'to'
  UNION ALL SELECT w.id, w.previous_secret, 2 FROM json_each(?1) k CROSS JOIN webhook_endpoints w
    WHERE w.id > 'whe_' AND w.previous_secret >= k.value ->> 'from' AND w.previous_secret < k.value ->> 'to' LIMIT ?2";

/// Puts the new values in the place of the old ones, where these still stand. `?1` a JSON list of ids, old and new values.
const REPLACE: &str = "UPDATE factors SET secret = r.value ->> 'new' FROM json_each(?1) r
  WHERE factors.id = r.value ->> 'id' AND factors.secret = r.value ->> 'old' RETURNING 1 AS resealed";
const REPLACE_SIGNING_KEYS: &str = "UPDATE signing_keys SET private_key = r.value ->> 'new' FROM json_each(?1) r
  WHERE signing_keys.id = r.value ->> 'id' AND signing_keys.private_key = r.value ->> 'old' RETURNING 1 AS resealed";
const REPLACE_WEBHOOK_SECRETS: &str = "UPDATE webhook_endpoints SET secret = r.value ->> 'new' FROM json_each(?1) r
  WHERE webhook_endpoints.id = r.value ->> 'id' AND webhook_endpoints.secret = r.value ->> 'old' RETURNING 1 AS resealed";
const REPLACE_PREVIOUS_SECRETS: &str =
    "UPDATE webhook_endpoints SET previous_secret = r.value ->> 'new' FROM json_each(?1) r
  WHERE webhook_endpoints.id = r.value ->> 'id' AND webhook_endpoints.previous_secret = r.value ->> 'old'
  RETURNING 1 AS resealed";

/// The stored settings, whose credentials are sealed where they stand in the document.
const SETTINGS: &str = "SELECT settings FROM instance WHERE id = 1";

/// Puts the settings with the new values in the place of those that were read, under a new version: no isolate stores the
/// old values back. `?1` the old ones, `?2` the new ones.
const REPLACE_SETTINGS: &str = "UPDATE instance SET settings = ?2, version = version + 1
  WHERE id = 1 AND settings = ?1 RETURNING 1 AS resealed";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    FIND,
    REPLACE,
    REPLACE_SIGNING_KEYS,
    REPLACE_WEBHOOK_SECRETS,
    REPLACE_PREVIOUS_SECRETS,
    SETTINGS,
    REPLACE_SETTINGS,
];

/// Runs once, and gives how many rows were sealed anew. Nothing is asked while the ring has one key.
pub async fn run(app: &App) -> Result<usize, DatabaseError> {
    let Ok(secrets) = app.config.secrets() else { return Ok(0) };
    let seal = Seal(&secrets.encryption_keys);
    let Some(find) = find(seal) else { return Ok(0) };
    let answer = app.ports.database.batch(vec![find, statement!(SETTINGS)]).await?;
    let rows = answer.first().map(Vec::as_slice).unwrap_or_default();
    let changes: Vec<Value> = rows.iter().filter_map(|row| change(app, seal, row)).collect();
    let (settings, credentials, closed) = settings_anew(app, seal, answer.get(1).and_then(|rows| rows.first()));
    let closed = closed + rows.len() - changes.len();
    if closed > 0 {
        let detail = "do not open: a key of ENCRYPTION_KEYS is not the one that its id named before";
        app.ports.log.line(Level::Error, &format!("reseal: {closed} secrets {detail}"));
    }
    if changes.is_empty() && settings.is_none() {
        return Ok(0);
    }
    let changes = Value::from(changes).to_string();
    // Each finds its own: no id is in two tables.
    let replace = [REPLACE, REPLACE_SIGNING_KEYS, REPLACE_WEBHOOK_SECRETS, REPLACE_PREVIOUS_SECRETS];
    let mut batch = replace.map(|sql| statement!(sql, changes.as_str())).to_vec();
    batch.extend(settings);
    let answer = app.ports.database.batch(batch).await?;
    let (rows, settings) = answer.split_at(answer.len().min(replace.len()));
    let stored = settings.first().is_some_and(|rows| !rows.is_empty());
    Ok(rows.iter().map(Vec::len).sum::<usize>() + if stored { credentials } else { 0 })
}

/// The statement that seals the settings' credentials anew, how many they are, and how many do not open.
fn settings_anew(app: &App, seal: Seal<'_>, row: Option<&Row>) -> (Option<Statement>, usize, usize) {
    let old = row.and_then(|row| row.opt_text("settings")).unwrap_or_default();
    let mut stored: Value = serde_json::from_str(old).unwrap_or_default();
    let (done, closed) = settings::reseal(&mut stored, seal, &*app.ports.random);
    ((done > 0).then(|| statement!(REPLACE_SETTINGS, old, stored.to_string())), done, closed)
}

/// What looks for values under the old keys that the ring has; under a key that it does not have nothing opens.
fn find(seal: Seal<'_>) -> Option<Statement> {
    let old: Vec<Value> = seal.old_prefixes().map(|(from, to)| json!({"from": from, "to": to})).collect();
    (!old.is_empty()).then(|| statement!(FIND, Value::from(old).to_string(), ROWS))
}

/// The change of one row.
fn change(app: &App, seal: Seal<'_>, row: &Row) -> Option<Value> {
    let (id, old) = (row.opt_text("id")?, row.opt_text("secret")?);
    let place = match row.opt_int("signs") {
        Some(2) => webhook::place(id),
        Some(1) => token::keys::place(id),
        _ => totp::place(id),
    };
    let new = seal.reseal(place, old, &*app.ports.random).ok()?;
    Some(json!({"id": id, "old": old, "new": new}))
}
