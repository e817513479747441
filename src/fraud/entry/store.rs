//! SQL of the block list and the safe list. What the guard enters and looks up is in `src/fraud/store.rs`.

use crate::claim_is_mine;

/// What an entry is about, in the words of who makes one.
macro_rules! kind {
    () => {
        "CASE substr(subject, 1, 2) WHEN 'pr' THEN 'prefix' WHEN 'nu' THEN 'phone' WHEN 'as' THEN 'asn' ELSE 'ip' END"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, list, ",
            kind!(),
            " AS kind, shown, level, enforced, reason, created_by, created_at, expires_at FROM fraud_entries WHERE ",
            $rest
        )
    };
}

/// Reads an entry. `?1` id.
pub(super) const GET: &str = select!("id = ?1");

/// Entries that hold, newest first. `?1` the id to begin below, `?2` how many, `?3` now.
pub(super) const LIST: &str = select!("id < ?1 AND expires_at > ?3 ORDER BY id DESC LIMIT ?2");

/// The same of one list. `?4` the list.
pub(super) const LIST_ONE: &str = select!("list = ?4 AND id < ?1 AND expires_at > ?3 ORDER BY id DESC LIMIT ?2");

/// Makes an entry, in the place of the list's earlier one with this subject: that one's id names nothing any more, and how
/// often the guard had blocked it is forgotten. `?1` id, `?2` now, `?3` list, `?4` stamp, `?5` idempotency key, `?6`
/// subject, `?7` how it is shown, `?8` reason, `?9` who makes it, `?10` when it ends.
pub(super) const CREATE: &str = concat!(
    "INSERT INTO fraud_entries (id, list, subject, shown, level, enforced, reason, created_by, created_at, updated_at,
       expires_at, stamp)
     SELECT ?1, ?3, ?6, ?7, 0, 1, ?8, ?9, ?2, ?2, ?10, ?4 WHERE ",
    claim_is_mine!(),
    " ON CONFLICT (list, subject) DO UPDATE SET id = excluded.id, shown = excluded.shown, level = 0, enforced = 1,
       reason = excluded.reason, created_by = excluded.created_by, created_at = excluded.created_at,
       updated_at = excluded.updated_at, expires_at = excluded.expires_at, stamp = excluded.stamp"
);

/// Stamps an entry that is about to go. `?1` id, `?2` stamp.
pub(super) const STAMP: &str = "UPDATE fraud_entries SET stamp = ?2 WHERE id = ?1 RETURNING id";

/// Deletes an entry. `?1` id, `?2` stamp.
pub(super) const DELETE: &str = "DELETE FROM fraud_entries WHERE id = ?1 AND stamp = ?2";

/// The event of an entry with this stamp: what it is about, but for numbers and addresses. `?1` event, `?2` type, `?3` who
/// calls, `?4` request, `?5` now, `?6` entry, `?7` stamp.
pub(super) const EVENT: &str = concat!(
    "INSERT INTO audit_events (id, type, actor, subject_id, outcome, reason, request_id, data, created_at)
     SELECT ?1, ?2, ?3, id, 'success',
       CASE ?2 WHEN 'fraud.entry_created' THEN reason END, ?4, json_object('list', list, 'type', ",
    kind!(),
    ", 'subject', CASE WHEN substr(subject, 1, 1) IN ('p', 'a') THEN shown END, 'level', level,
       'expires_at', strftime('%Y-%m-%dT%H:%M:%fZ', expires_at / 1000.0, 'unixepoch')), ?5
     FROM fraud_entries WHERE id = ?6 AND stamp = ?7"
);

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[GET, LIST, LIST_ONE, CREATE, STAMP, DELETE, EVENT];
