//! SQL of remembered devices.

use crate::unchanged;

macro_rules! columns {
    () => {
        "id, name, country, user_agent, created_at, expires_at, last_used_at, stamp"
    };
}

/// Remembers a device, on the condition that what was judged has not changed, and that each proof made none before.
/// `?1` user, `?2` id, `?3` now, `?4` the user's exception, `?5` their active factors, `?6` app, `?7` its rule,
/// `?8` proofs, `?9` how many, `?10` how old one may be, `?11` whether a test key asks, `?12` hash, `?13` name,
/// `?14` country, `?15` browser, `?16` end, `?17` stamp, `?18` idempotency key.
pub const REMEMBER: &str = concat!(
    "INSERT INTO devices (id, user_id, secret_hash, name, country, user_agent, created_at, expires_at, stamp)
     SELECT ?2, ?1, ?12, ?13, ?14, ?15, ?3, ?16, ?17
     WHERE ",
    unchanged!(),
    " AND ?9 = (
         SELECT count(*) FROM json_each(?8) p CROSS JOIN challenges c ON c.id = p.value
         WHERE c.user_id = ?1 AND c.is_test = ?11 AND c.verified_at >= ?10
           AND (c.consumed_by IS NULL OR c.consumed_by = 'evaluation'))
       AND (?18 IS NULL OR EXISTS (SELECT 1 FROM idempotency_keys WHERE key = ?18 AND stamp = ?17))"
);

/// Uses the proofs up: no other device is made of them. `?1` device, `?2` stamp, `?3` now, `?4` proofs.
pub const CONSUME: &str = "UPDATE challenges SET consumed_at = coalesce(consumed_at, ?3), consumed_by = ?1
  WHERE id IN (SELECT value FROM json_each(?4)) AND EXISTS (SELECT 1 FROM devices WHERE id = ?1 AND stamp = ?2)";

/// Reads a user's device. `?1` device, `?2` user.
pub const GET: &str = concat!("SELECT ", columns!(), " FROM devices WHERE id = ?1 AND user_id = ?2");

/// A user's devices that have not ended, newest first. `?1` user, `?2` now.
pub const LIST: &str =
    concat!("SELECT ", columns!(), " FROM devices WHERE user_id = ?1 AND expires_at > ?2 ORDER BY id DESC");

/// Whether there is such a user. `?1` user.
pub const USER: &str = "SELECT id FROM users WHERE id = ?1";

/// Marks a device for what follows in the batch. `?1` device, `?2` user, `?3` stamp.
pub const STAMP: &str = "UPDATE devices SET stamp = ?3 WHERE id = ?1 AND user_id = ?2";

/// Forgets the device that was stamped. `?1` device, `?2` stamp.
pub const FORGET: &str = "DELETE FROM devices WHERE id = ?1 AND stamp = ?2";

/// Forgets all devices of the user who carries the stamp. `?1` user, `?2` stamp.
pub const FORGET_ALL: &str =
    "DELETE FROM devices WHERE user_id = ?1 AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND stamp = ?2)";

/// Forgets all devices of the user whose new factor carries the stamp. `?1` user, `?2` factor, `?3` stamp.
pub const FORGET_AFTER: &str = "DELETE FROM devices
  WHERE user_id = ?1 AND EXISTS (SELECT 1 FROM factors WHERE id = ?2 AND user_id = ?1 AND stamp = ?3)";

/// Forgets all devices of the user whose active factor is about to go. `?1` user, `?2` factor, `?3` stamp.
pub const FORGET_BEFORE: &str = "DELETE FROM devices
  WHERE user_id = ?1 AND EXISTS (
    SELECT 1 FROM factors WHERE id = ?2 AND user_id = ?1 AND stamp = ?3 AND activated_at IS NOT NULL)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] =
    &[REMEMBER, CONSUME, GET, LIST, USER, STAMP, FORGET, FORGET_ALL, FORGET_AFTER, FORGET_BEFORE];
