//! SQL of webhook endpoints, and what is heard of them. That of deliveries is in `delivery/store.rs`.

use crate::{
    claim_is_mine,
    event::EventType,
    ports::{Row, Statement},
    statement,
    time::Timestamp,
};

/// Which types of events some enabled endpoint hears, as the snapshot of settings has it.
#[derive(Clone, Debug, Default)]
pub struct Heard(Vec<String>);

const HEARD: &str = "SELECT DISTINCT type FROM webhook_filters WHERE type >= ''";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, url, description, events, disabled_reason, failing_since, previous_expires_at, created_at, updated_at,
               stamp
             FROM webhook_endpoints WHERE ",
            $rest
        )
    };
}

/// Reads an endpoint. `?1` id.
pub(super) const GET: &str = select!("id = ?1");

/// Endpoints, newest first. `?1` the id to begin below, `?2` how many.
pub(super) const LIST: &str = select!("id < ?1 ORDER BY id DESC LIMIT ?2");

/// Makes an endpoint, where there are fewer than `?11`. `?1` id, `?2` now, `?3` URL, `?4` stamp, `?5` idempotency key, `?6`
/// what it hears, `?7` its sealed secret, `?8` what it is called, `?9` whether it is enabled, `?10` why not.
pub(super) const CREATE: &str = concat!(
    "INSERT INTO webhook_endpoints (id, url, description, events, secret, enabled, disabled_reason, created_at, updated_at, stamp)
     SELECT ?1, ?3, ?8, ?6, ?7, ?9, ?10, ?2, ?2, ?4
     WHERE (SELECT count(*) FROM webhook_endpoints WHERE id > 'whe_') < ?11 AND ",
    claim_is_mine!()
);

/// Changes an endpoint. One that is enabled again, or moves, has failed nothing yet. `?1` id, `?2` now, `?3` stamp, `?4` URL, `?5` what
/// it hears, `?6` what it is called, `?7` whether that is changed, `?8` whether it is enabled, or NULL.
pub(super) const UPDATE: &str = "UPDATE webhook_endpoints SET url = coalesce(?4, url), events = coalesce(?5, events),
    description = CASE WHEN ?7 THEN ?6 ELSE description END,
    disabled_reason = CASE ?8 WHEN 1 THEN NULL WHEN 0 THEN coalesce(disabled_reason, 'operator') ELSE disabled_reason END,
    failing_since = CASE WHEN ?8 = 1 OR ?4 <> url THEN NULL ELSE failing_since END,
    enabled = coalesce(?8, enabled), updated_at = ?2, stamp = ?3
  WHERE id = ?1";

/// Gives an endpoint another secret; the one before it signs until `?5`, and any older one is dead. `?1` id, `?2` now, `?3`
/// sealed secret, `?4` stamp, `?6` idempotency key.
pub(super) const ROTATE: &str = "UPDATE webhook_endpoints SET previous_secret = CASE WHEN ?5 > ?2 THEN secret END,
    previous_expires_at = CASE WHEN ?5 > ?2 THEN ?5 END, secret = ?3, updated_at = ?2, stamp = ?4
  WHERE id = ?1 AND (?6 IS NULL OR EXISTS (SELECT 1 FROM idempotency_keys WHERE key = ?6 AND stamp = ?4))";

/// Stamps an endpoint that is about to go. `?1` id, `?2` stamp.
pub(super) const STAMP: &str = "UPDATE webhook_endpoints SET stamp = ?2 WHERE id = ?1";

/// What is still to be told to an endpoint with this stamp that hears nothing any more is told to nobody. `?1` id, `?2` stamp.
pub(super) const END_PENDING: &str =
    "UPDATE webhook_deliveries SET status = 'failed', next_attempt_at = NULL, error = 'endpoint_disabled'
  WHERE endpoint_id = ?1 AND next_attempt_at IS NOT NULL
    AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ?1 AND stamp = ?2 AND enabled = 0)";

/// Deletes an endpoint, and with it its deliveries. `?1` id, `?2` stamp.
pub(super) const DELETE: &str = "DELETE FROM webhook_endpoints WHERE id = ?1 AND stamp = ?2";

/// Every isolate reads anew what is heard. `?1` id, `?2` now, `?3` stamp.
const NEW_VERSION: &str = "UPDATE instance SET version = version + 1, updated_at = ?2
  WHERE id = 1 AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ?1 AND stamp = ?3)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[HEARD, GET, LIST, CREATE, UPDATE, ROTATE, STAMP, END_PENDING, DELETE, NEW_VERSION];

/// Raises the settings' version where an endpoint has this stamp.
pub(super) fn new_version(id: &str, stamp: &str, now: Timestamp) -> Statement {
    statement!(NEW_VERSION, id, now.millis(), stamp)
}

/// Reads what is heard: [`Heard::read`]. Whoever changes an endpoint raises the settings' version.
pub fn heard() -> Statement {
    statement!(HEARD)
}

impl Heard {
    /// From the rows of [`heard`].
    pub fn read(rows: &[Row]) -> Self {
        Self(rows.iter().filter_map(|row| row.opt_text("type")).map(str::to_owned).collect())
    }

    /// Whether anything is heard: then there may be something to deliver after a request.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether some endpoint hears this type by its name, and not among others: whoever does is told numbers and codes.
    pub fn hears_by_name(&self, kind: EventType) -> bool {
        self.0.iter().any(|filter| filter == kind.as_str())
    }
}
