//! SQL of evaluations: what the policy is decided from, and the statement that completes one on the condition that
//! nothing of it has changed.

use crate::factor_columns;

/// Whose it is: of a user's id that user, of a flow's id the flow's.
macro_rules! whose {
    () => {
        "coalesce((SELECT w.user_id FROM flows w WHERE w.id = ?1), ?1)"
    };
}

/// Reads the user. `?1` user or flow.
pub const USER: &str = concat!(
    "SELECT id, mfa, locale, name, grace_started_at, grace_sign_ins, disabled_at FROM users WHERE id = ",
    whose!()
);

/// Reads the user's factors, and the channel by which the last code to one has failed lately. A call that nobody took is
/// no failure of the channel: whoever asks for it at night could make one. `?1` user or flow, `?2` since when.
pub const FACTORS: &str = concat!(
    "SELECT ",
    factor_columns!(),
    ", (SELECT CASE WHEN c.end_reason IS 'send_failed'
          OR EXISTS (SELECT 1 FROM messages m WHERE m.challenge_id = c.id AND m.status = 'failed' AND m.id = c.message_id
            AND coalesce(m.error_code, '') NOT IN ('no_key_pressed', 'no_answer', 'busy', 'rejected', 'canceled'))
          THEN c.channel END
        FROM challenges c WHERE c.factor_id = f.id AND c.channel IS NOT NULL AND c.created_at >= ?2
        ORDER BY c.created_at DESC, c.rowid DESC LIMIT 1) AS failed
     FROM factors f WHERE f.user_id = ",
    whose!(),
    " ORDER BY f.id"
);

/// Reads those of the challenges that are verified ones of the user. `?1` their ids, `?2` user, `?3` whether a test key
/// asks, `?4` the session that asks.
pub const PROOFS: &str =
    "SELECT c.id, c.type, c.factor_id, c.purpose, c.channel, c.destination, c.evidence, c.verified_at,
    c.consumed_by
  FROM json_each(?1) p CROSS JOIN challenges c ON c.id = p.value
  WHERE c.user_id = ?2 AND c.is_test = ?3 AND c.bound_to IS ?4 AND c.verified_at IS NOT NULL";

/// Reads what a flow's user has proven in it. What an enrolment used up was proven all the same; a mailbox that was the
/// user's is one no more. `?1` flow.
pub const PROOFS_OF_FLOW: &str =
    "SELECT c.id, c.type, c.factor_id, c.purpose, c.channel, c.destination, c.evidence, c.verified_at,
    c.consumed_by
  FROM flows w JOIN challenges c ON c.bound_to = w.id AND c.user_id = w.user_id JOIN users u ON u.id = w.user_id
  WHERE w.id = ?1 AND c.verified_at IS NOT NULL
    AND (c.type <> 'email' OR c.factor_id IS NOT NULL OR c.destination = u.email_normalised)
  ORDER BY c.verified_at, c.id";

/// Reads what a session's person has proven in it lately. `?1` session, `?2` user, `?3` since when.
pub const PROOFS_OF_SESSION: &str =
    "SELECT c.id, c.type, c.factor_id, c.purpose, c.channel, c.destination, c.evidence, c.verified_at,
    c.consumed_by
  FROM challenges c WHERE c.bound_to = ?1 AND c.user_id = ?2 AND c.verified_at >= ?3 ORDER BY c.verified_at, c.id";

/// Reads a flow's app. `?1` flow.
pub const APP_OF_FLOW: &str = "SELECT a.mfa FROM flows w JOIN apps a ON a.id = w.app_id WHERE w.id = ?1";

/// Reads the device that a flow came with, if it is its user's. `?1` flow.
pub const DEVICE_OF_FLOW: &str =
    "SELECT d.id, d.created_at, d.expires_at FROM flows w JOIN devices d ON d.id = w.device_id
  WHERE w.id = ?1 AND d.user_id = w.user_id AND d.secret_hash = w.device_hash";

/// Reads the user's device with this secret. `?1` device, `?2` user, `?3` hash.
pub const DEVICE: &str =
    "SELECT id, created_at, expires_at FROM devices WHERE id = ?1 AND user_id = ?2 AND secret_hash = ?3";

/// Whether user, factors and app are as they were read, and the user was not shut out since. `?1` user, `?4` the user's
/// exception, `?5` their active factors, `?6` app, `?7` its rule.
#[macro_export]
macro_rules! unchanged {
    () => {
        "EXISTS (SELECT 1 FROM users u WHERE u.id = ?1 AND u.mfa = ?4 AND u.disabled_at IS NULL)
         AND json_array_length(?5) = (
           SELECT count(*) FROM factors f WHERE f.user_id = ?1 AND f.activated_at IS NOT NULL)
         AND NOT EXISTS (
           SELECT 1 FROM factors f WHERE f.user_id = ?1 AND f.activated_at IS NOT NULL
             AND f.id NOT IN (SELECT value FROM json_each(?5)))
         AND (?6 IS NULL OR EXISTS (SELECT 1 FROM apps a WHERE a.id = ?6 AND a.mfa = ?7))"
    };
}

/// Completes: the user carries the stamp, and a grace sign-in is counted. `?1` user, `?2` stamp, `?3` now, `?4` to `?7` as
/// in `unchanged!`, `?8` proofs, `?9` how many, `?10` how old one may be, `?11` device, `?12` whether the enrolment is put
/// off, `?13` sign-ins and `?14` milliseconds that it may be, `?15` whether a test key asks, `?16` the flow that ends here:
/// once, and what an enrolment in it used up counts.
pub const COMPLETE: &str = concat!(
    "UPDATE users SET stamp = ?2, grace_sign_ins = grace_sign_ins + ?12,
       grace_started_at = CASE WHEN ?12 THEN coalesce(grace_started_at, ?3) ELSE grace_started_at END
     WHERE id = ?1 AND ",
    unchanged!(),
    " AND ?9 = (
         SELECT count(*) FROM json_each(?8) p CROSS JOIN challenges c ON c.id = p.value
         WHERE c.user_id = ?1 AND c.is_test = ?15 AND c.verified_at >= ?10
           AND CASE WHEN ?16 IS NULL THEN c.consumed_at IS NULL ELSE c.bound_to = ?16
             AND (c.type <> 'email' OR c.factor_id IS NOT NULL OR c.destination = users.email_normalised) END)
       AND (?16 IS NULL OR EXISTS (SELECT 1 FROM flows w WHERE w.id = ?16 AND w.ended_at IS NULL AND w.expires_at > ?3))
       AND (?11 IS NULL OR EXISTS (SELECT 1 FROM devices d WHERE d.id = ?11 AND d.user_id = ?1 AND d.expires_at > ?3))
       AND (NOT ?12 OR ((?13 = 0 OR grace_sign_ins < ?13) AND (?14 = 0 OR coalesce(grace_started_at, ?3) + ?14 > ?3)))"
);

/// Uses the proofs of a completed evaluation up. `?1` user, `?2` stamp, `?3` now, `?4` proofs.
pub const CONSUME: &str = "UPDATE challenges SET consumed_at = ?3, consumed_by = 'evaluation'
  WHERE id IN (SELECT value FROM json_each(?4)) AND consumed_at IS NULL AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND stamp = ?2)";

/// Notes the use of a device. `?1` user, `?2` stamp, `?3` now, `?4` device.
pub const USED: &str = "UPDATE devices SET last_used_at = ?3
  WHERE id = ?4 AND user_id = ?1 AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND stamp = ?2)";

/// Tells whether it was completed. `?1` user, `?2` stamp.
pub const COMPLETED: &str = "SELECT stamp = ?2 AS completed FROM users WHERE id = ?1";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    USER,
    FACTORS,
    PROOFS,
    PROOFS_OF_FLOW,
    PROOFS_OF_SESSION,
    APP_OF_FLOW,
    DEVICE,
    DEVICE_OF_FLOW,
    COMPLETE,
    CONSUME,
    USED,
    COMPLETED,
];
