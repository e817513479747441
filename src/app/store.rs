//! SQL of apps.

use crate::claim_is_mine;

/// Makes an app. `?1` id, `?2` now, `?3` name, `?4` stamp, `?5` idempotency key, `?6` its own rule.
pub const CREATE: &str = concat!(
    "INSERT INTO apps (id, name, mfa, created_at, updated_at, stamp) SELECT ?1, ?3, ?6, ?2, ?2, ?4 WHERE ",
    claim_is_mine!()
);

/// Changes an app: the name where there is one; of the rule, what is there replaces and what is null is cleared
/// (RFC 7396). `?1` id, `?2` now, `?3` stamp, `?4` name, `?5` change of the rule.
pub const UPDATE: &str =
    "UPDATE apps SET name = coalesce(?4, name), mfa = json_patch(mfa, ?5), updated_at = ?2, stamp = ?3
  WHERE id = ?1";

/// Clears an app's own rule before [`UPDATE`] sets it. `?1` id.
pub const CLEAR_RULE: &str = "UPDATE apps SET mfa = '{}' WHERE id = ?1";

/// Reads an app. `?1` id.
pub const GET: &str = "SELECT id, name, mfa, created_at, updated_at, stamp FROM apps WHERE id = ?1";

/// Apps, newest first. `?1` the id to begin below, `?2` how many.
pub const LIST: &str =
    "SELECT id, name, mfa, created_at, updated_at, stamp FROM apps WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

/// Marks an app for what follows in the batch. `?1` id, `?2` stamp.
pub const STAMP: &str = "UPDATE apps SET stamp = ?2 WHERE id = ?1";

/// Takes the app out of its challenges; what they prove stays proven. `?1` id.
pub const LEAVE_CHALLENGES: &str = "UPDATE challenges SET app_id = NULL WHERE app_id = ?1";

/// Deletes an app. `?1` id.
pub const DELETE: &str = "DELETE FROM apps WHERE id = ?1";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[CREATE, UPDATE, CLEAR_RULE, GET, LIST, STAMP, LEAVE_CHALLENGES, DELETE];
