//! What an isolate knows of the database between requests: the settings' version, the settings, and the
//! keys it has seen under that version. Nothing of it is trusted: each batch carries the version, and fails
//! as a whole when it is not the current one.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use serde_json::{Value, json};

use super::Settings;
use crate::{
    api_key::{self, Credential, Scope},
    config::Config,
    few::FewByName,
    ids::{ApiKeyId, EventId, RequestId},
    ports::{DatabaseError, Row, Rows, Statement},
    statement,
    template::{self, Templates},
    time::Timestamp,
    token::{self, SigningKey},
    webhook::{self, Heard},
};

/// The migration that this program needs.
const SCHEMA: i64 = 5;

/// The settings and keys under one version.
#[derive(Clone)]
pub struct Snapshot {
    /// The version that guards every batch.
    pub version: i64,
    /// As stored: what `PATCH` merges into.
    pub stored: Value,
    /// In effect.
    pub settings: Arc<Settings>,
    /// Whether settings of SMS were ever stored: then the variables that are stored once count for nothing.
    pub sms_stored: bool,
    /// Whether the key that stands in the binding was retired.
    pub binding_key_retired: bool,
    /// The keys that sign tokens, and those that did; whoever makes or takes one away raises the version.
    pub signing_keys: Arc<[SigningKey]>,
    /// What the operator has written instead of the built-in texts; whoever changes it raises the version.
    pub templates: Arc<Templates>,
    /// Which events somebody hears; whoever changes an endpoint raises the version.
    pub heard: Arc<Heard>,
    /// The languages of apps that have one, by id; whoever changes one raises the version.
    pub(crate) app_locales: Arc<FewByName<String>>,
    /// Live keys by the hash of their secret. Secrets that no key has are not remembered: guesses fill no memory.
    keys: FewByName<KeyRecord>,
}

/// A stored key.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// Who calls.
    pub credential: Credential,
    /// When a use of it was last written down, in milliseconds.
    used: Arc<AtomicI64>,
}

/// How many keys an isolate remembers; above that it begins anew.
const KEYS_REMEMBERED: usize = 200;

/// One isolate's memory. Natively one per test instance.
#[derive(Default)]
pub struct IsolateCache(Mutex<Option<Arc<Snapshot>>>);

impl IsolateCache {
    /// What is remembered.
    pub fn get(&self) -> Option<Arc<Snapshot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers a snapshot, with the keys already known under the same version.
    pub fn put(&self, mut snapshot: Snapshot) -> Arc<Snapshot> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Two requests may have read at once: the newer one stays.
        if let Some(newer) = held.as_ref().filter(|known| known.version > snapshot.version) {
            return Arc::clone(newer);
        }
        if let Some(known) = held.as_ref().filter(|known| known.version == snapshot.version)
            && known.keys.len() < KEYS_REMEMBERED
        {
            for (hash, record) in known.keys.iter() {
                snapshot.keys.add(hash.to_owned(), record.clone());
            }
        }
        let snapshot = Arc::new(snapshot);
        *held = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// Forgets, after a batch was stale.
    pub fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Snapshot {
    /// The key with this secret's hash, if this isolate knows it.
    pub fn key(&self, hash: &str) -> Option<&KeyRecord> {
        self.keys.get(hash)
    }

    /// The statement that writes down a stored key's use, about once a minute and isolate. It rides along.
    pub fn note_use(&self, id: &str, now: Timestamp) -> Option<Statement> {
        let record = self.keys.iter().map(|(_, record)| record).find(|record| record.credential.id == id)?;
        let known = record.used.load(Ordering::Relaxed);
        if now.millis() < known + 60_000 {
            return None;
        }
        record.used.store(now.millis(), Ordering::Relaxed);
        Some(api_key::store::used(id, now))
    }
}

const INSTANCE: &str = "SELECT schema, version, settings, sms_stored_at IS NOT NULL AS sms_stored,
    EXISTS (SELECT 1 FROM retired_keys WHERE hash = ?1) AS binding_key_retired
  FROM instance WHERE id = 1";
const APP_LOCALES: &str = "SELECT id, locale FROM apps WHERE locale IS NOT NULL";
const KEY: &str =
    "SELECT id, scopes, is_test, last_used_at FROM api_keys WHERE secret_hash = ?1 AND revoked_at IS NULL";
const GUARD: &str = "INSERT INTO settings_guard (expected, actual)
  SELECT ?1, version FROM instance WHERE id = 1 AND version <> ?1";
/// `?3` whether settings of SMS are among what changed: then the variables that are stored once come too late.
const STORE: &str = "UPDATE instance SET settings = ?1, version = version + 1, updated_at = ?2,
    sms_stored_at = CASE WHEN ?3 THEN coalesce(sms_stored_at, ?2) ELSE sms_stored_at END WHERE id = 1";
/// Stores settings of SMS beside what is there, if none ever were. `?1` them, `?2` now.
const STORE_ONCE: &str =
    "UPDATE instance SET settings = json_patch(settings, ?1), version = version + 1, updated_at = ?2,
    sms_stored_at = ?2 WHERE id = 1 AND sms_stored_at IS NULL";
/// Its event, right before it under the same condition. `?1` id, `?2` request, `?3` data, `?4` now.
const STORED_ONCE: &str =
    "INSERT INTO audit_events (id, type, actor, subject_id, outcome, request_id, data, created_at)
  SELECT ?1, 'instance.updated', 'system', 'instance', 'success', ?2, ?3, ?4
  FROM instance WHERE id = 1 AND sms_stored_at IS NULL";
const CURRENT: &str = "SELECT 1 AS current";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[INSTANCE, APP_LOCALES, KEY, GUARD, STORE, STORE_ONCE, STORED_ONCE, CURRENT];

/// The statement that fails a batch prepared under another version. It comes first.
pub fn guard(version: i64) -> Statement {
    statement!(GUARD, version)
}

/// Asks nothing: in a guarded batch it tells that the settings are current.
pub fn current() -> Statement {
    statement!(CURRENT)
}

/// Stores the settings under a new version; the batch is guarded by the old one.
pub fn store(stored: &Value, of_sms: bool, now: Timestamp) -> Statement {
    statement!(STORE, stored.to_string(), now.millis(), of_sms)
}

/// Stores settings of SMS that variables bring, once and for all, with the event: whoever comes second changes nothing.
pub fn store_once(settings: &Value, event: &EventId, request: &RequestId, now: Timestamp) -> [Statement; 2] {
    let data = json!({"settings": super::paths(settings, ""), "change": super::told(settings)}).to_string();
    [
        statement!(STORED_ONCE, event, request, data, now.millis()),
        statement!(STORE_ONCE, settings.to_string(), now.millis()),
    ]
}

/// The statements that read the instance, whether the binding's key was retired, and what else every isolate remembers
/// under the settings' version; last the key with a secret's hash. [`Snapshot::read`] reads them in this order.
pub fn load(binding_hash: &str, key_hash: Option<&str>) -> Vec<Statement> {
    let mut statements = vec![
        statement!(INSTANCE, binding_hash),
        token::store::all(),
        template::store::all(),
        webhook::store::heard(),
        statement!(APP_LOCALES),
    ];
    statements.extend(key_hash.map(|hash| statement!(KEY, hash)));
    statements
}

/// Whether the migrations that this program needs were applied.
pub fn schema_is_current(rows: &[Row]) -> Result<(), DatabaseError> {
    let schema = rows.first().and_then(|row| row.opt_int("schema")).unwrap_or(0);
    if schema >= SCHEMA {
        return Ok(());
    }
    Err(DatabaseError::Unmigrated(format!("it has schema {schema}, {SCHEMA} is needed")))
}

impl Snapshot {
    /// Reads the answer of [`load`].
    pub fn read(answer: &[Rows], key_hash: Option<&str>, config: &Config) -> Result<Self, DatabaseError> {
        let instance = answer.first().map(Vec::as_slice).unwrap_or_default();
        schema_is_current(instance)?;
        let row = instance.first().ok_or_else(|| DatabaseError::Unmigrated("no instance".to_owned()))?;
        let stored: Value = serde_json::from_str(row.text("settings")?)
            .map_err(|_| DatabaseError::Other("the stored settings are not JSON".to_owned()))?;
        let rows = |at: usize| answer.get(at).map(Vec::as_slice).unwrap_or_default();
        let locale = |row: &Row| Some((row.opt_text("id")?.to_owned(), row.opt_text("locale")?.to_owned()));
        let key = rows(5).first().map(key_record).transpose()?;
        Ok(Self {
            version: row.int("version")?,
            settings: Arc::new(Settings::effective(&stored, config)),
            stored,
            sms_stored: row.flag("sms_stored"),
            binding_key_retired: row.flag("binding_key_retired"),
            signing_keys: rows(1).iter().filter_map(SigningKey::read).collect(),
            templates: Arc::new(Templates::read(rows(2))),
            heard: Arc::new(Heard::read(rows(3))),
            app_locales: Arc::new(FewByName::of(rows(4).iter().filter_map(locale).collect())),
            keys: FewByName::of(key_hash.map(str::to_owned).zip(key).into_iter().collect()),
        })
    }
}

fn key_record(row: &Row) -> Result<KeyRecord, DatabaseError> {
    let malformed = || DatabaseError::Other("a stored key is malformed".to_owned());
    let scopes: Vec<String> = serde_json::from_str(row.text("scopes")?).map_err(|_| malformed())?;
    Ok(KeyRecord {
        credential: Credential {
            id: ApiKeyId::parse(row.text("id")?).map(|id| id.to_string()).ok_or_else(malformed)?,
            scopes: scopes.iter().filter_map(|scope| Scope::parse(scope)).collect(),
            is_test: row.flag("is_test"),
        },
        used: Arc::new(AtomicI64::new(row.opt_int("last_used_at").unwrap_or(0))),
    })
}
