//! SQL of refresh tokens: the statements of one exchange, and of a revocation.

use crate::{algorithm_is_ready, client_is_authentic, granted, idle, origin_is_allowed, refresh_life, session_is_live};

/// Ends the session of a token that was exchanged long ago: one of the two who had it is a thief. It comes before
/// [`USE`]. `?1` the token's hash, `?2` now, `?3` stamp, `?4` client, if it says, `?5` its secret's hash, `?6` since when a
/// repeated exchange is a parallel one.
pub const END_REUSED: &str = concat!(
    "UPDATE sessions AS s SET ended_at = ?2, end_reason = 'refresh_token_reused', expires_at = min(expires_at, ?2), stamp = ?3
     WHERE s.ended_at IS NULL AND s.app_id = coalesce(?4, s.app_id)
       AND s.id = (SELECT r.session_id FROM refresh_tokens r WHERE r.hash = ?1 AND r.used_at <= ?6)
       AND ",
    client_is_authentic!("s.app_id", "?5", "?2")
);

/// Uses a token: it lives, was not used or only just, its session is live, its user not shut out, and it gives the scope
/// that is wanted. This decides. `?1` its hash, `?2` now, `?3` stamp, `?4` client, if it says, `?5` its secret's hash,
/// `?6` since when a repeated exchange is a parallel one, `?7` the scopes wanted, `?8` the algorithms that have a key.
pub const USE: &str = concat!(
    "UPDATE refresh_tokens AS r SET used_at = coalesce(used_at, ?2), stamp = ?3
     WHERE r.hash = ?1 AND r.expires_at > ?2 AND (r.used_at IS NULL OR r.used_at > ?6)
       AND EXISTS (
         SELECT 1 FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.id = r.session_id AND s.app_id = coalesce(?4, s.app_id) AND u.disabled_at IS NULL
           AND NOT EXISTS (
             SELECT 1 FROM json_each(?7) w WHERE instr(' ' || s.scope || ' ', ' ' || w.value || ' ') = 0)
           AND ",
    session_is_live!(),
    " AND ",
    algorithm_is_ready!("s.app_id", "?8"),
    " AND ",
    client_is_authentic!("s.app_id", "?5", "?2"),
    ")"
);

/// Moves the idle end of its session on, never beyond the absolute one. `?1` the token's hash, `?2` now, `?3` stamp,
/// `?4` the default lifetimes.
pub const TOUCH: &str = concat!(
    "UPDATE sessions AS s SET last_used_at = ?2, stamp = ?3,
       idle_expires_at = ?2 + (SELECT ",
    idle!(),
    " FROM apps a WHERE a.id = s.app_id)
     WHERE s.id = (SELECT session_id FROM refresh_tokens WHERE hash = ?1 AND stamp = ?3)"
);

/// Makes the next token, unless it is there: parallel exchanges of one token give the same one, whichever key of the ring
/// it was derived with. `?1` the token's hash, `?2` now, `?3` stamp, `?4` the default lifetimes, `?5` the hashes that its
/// successor may have, `?6` the one under the current key.
pub const NEXT: &str = concat!(
    "INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at, stamp)
     SELECT ?6, s.id, ?2, min(s.expires_at, ?2 + ",
    refresh_life!(),
    "), ?3
     FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id JOIN apps a ON a.id = s.app_id
     WHERE r.hash = ?1 AND r.stamp = ?3
       AND NOT EXISTS (SELECT 1 FROM refresh_tokens n WHERE n.hash IN (SELECT value FROM json_each(?5)))"
);

/// What the tokens are made of, if the token was used, and the next one. `?1` the token's hash, `?2` stamp, `?3`
/// the hashes that its successor may have, `?4` the page's origin, `?5` whether every browser app has it.
pub const REFRESHED: &str = concat!(
    "SELECT ",
    granted!(),
    ", n.hash AS next, n.expires_at AS next_ends_at, ",
    origin_is_allowed!("s.app_id", "?4", "?5"),
    " AS is_its_page
     FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id JOIN users u ON u.id = s.user_id
       JOIN apps a ON a.id = s.app_id
       LEFT JOIN refresh_tokens n ON n.hash IN (SELECT value FROM json_each(?3)) AND n.session_id = s.id
     WHERE r.hash = ?1 AND r.stamp = ?2"
);

/// What may be said of why a token was not used. `?1` its hash, `?2` now, `?3` client, if it says, `?4` its secret's hash,
/// `?5` the scopes wanted, `?6` the page's origin, `?7` whether every browser app has it.
pub const WHY_NOT_USED: &str = concat!(
    "SELECT a.type, coalesce(a.tokens ->> 'algorithm', 'RS256') AS algorithm, ",
    client_is_authentic!("a.id", "?4", "?2"),
    " AS authentic, ",
    origin_is_allowed!("a.id", "?6", "?7"),
    " AS is_its_page,
       EXISTS (SELECT 1 FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id, json_each(?5) w
         WHERE r.hash = ?1 AND instr(' ' || s.scope || ' ', ' ' || w.value || ' ') = 0) AS too_much
     FROM apps a WHERE a.id = coalesce(?3, (
       SELECT s.app_id FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id WHERE r.hash = ?1))"
);

/// Ends the session of a token that its client gives back (RFC 7009 §2.1), used or not. `?1` to `?5` as in [`USE`].
pub const REVOKE: &str = concat!(
    "UPDATE sessions AS s SET ended_at = ?2, end_reason = 'revoked', expires_at = min(expires_at, ?2), stamp = ?3
     WHERE s.ended_at IS NULL AND s.app_id = coalesce(?4, s.app_id)
       AND s.id = (SELECT r.session_id FROM refresh_tokens r WHERE r.hash = ?1)
       AND ",
    client_is_authentic!("s.app_id", "?5", "?2")
);

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[END_REUSED, USE, TOUCH, NEXT, REFRESHED, WHY_NOT_USED, REVOKE];
