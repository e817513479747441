//! SQL of sessions, of authorization codes, and of what reads and ends them. Of refresh tokens: `refresh/store.rs`.

use crate::{client_is_authentic, origin_is_allowed, unchanged};

/// Whether there is a key for the algorithm that the app's tokens are signed with. The app, and the algorithms that
/// have a key.
#[macro_export]
macro_rules! algorithm_is_ready {
    ($app:literal, $ready:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM apps aa WHERE aa.id = ",
            $app,
            " AND coalesce(aa.tokens ->> 'algorithm', 'RS256') IN (SELECT value FROM json_each(",
            $ready,
            ")))"
        )
    };
}

/// Whether session `s` is live at `?2`.
#[macro_export]
macro_rules! session_is_live {
    () => {
        "s.ended_at IS NULL AND s.idle_expires_at > ?2 AND s.expires_at > ?2"
    };
}

/// Whether session `s` has refresh tokens.
#[macro_export]
macro_rules! is_offline {
    () => {
        "instr(' ' || s.scope || ' ', ' offline_access ') > 0"
    };
}

/// For how many milliseconds session `s` of app `a` may be idle; `?4` the defaults. Where neither says, a session with
/// refresh tokens may be idle for as long as one lives.
#[macro_export]
macro_rules! idle {
    () => {
        concat!(
            "1000 * coalesce(a.tokens ->> 'session_idle_seconds', max(?4 ->> 'session_idle_seconds', CASE WHEN ",
            $crate::is_offline!(),
            " THEN coalesce(a.tokens ->> 'refresh_token_seconds', ?4 ->> 'refresh_token_seconds') ELSE 0 END))"
        )
    };
}

/// For how many milliseconds a refresh token of app `a` lives; `?4` the defaults.
#[macro_export]
macro_rules! refresh_life {
    () => {
        "1000 * coalesce(a.tokens ->> 'refresh_token_seconds', ?4 ->> 'refresh_token_seconds')"
    };
}

/// What tokens of session `s`, user `u` and app `a` are made of.
#[macro_export]
macro_rules! granted {
    () => {
        "s.id, s.user_id, s.app_id, s.scope, s.acr, s.amr, s.auth_time, s.idle_expires_at, s.expires_at, a.type AS app_type, a.tokens,
         u.email, u.email_verified_at, u.name, u.locale, u.phone, u.phone_verified_at"
    };
}

/// Writes an authorization code down if the user carries the stamp. `?1` the code's hash, `?2` user, `?3` stamp, `?4` the
/// session to be, `?5` app, `?6` PKCE challenge, `?7` redirect URI, `?8` scope, `?9` nonce, `?10` acr, `?11` amr, `?12` when
/// it was proven, `?13` the person's address, `?14` their browser, `?15` now, `?16` the code's end.
pub const INSERT_CODE: &str =
    "INSERT INTO authorization_codes (code_hash, session_id, app_id, user_id, code_challenge, redirect_uri, scope, nonce,
       acr, amr, auth_time, client_ip, user_agent, created_at, expires_at, stamp)
     SELECT ?1, ?4, ?5, ?2, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?3
     WHERE EXISTS (SELECT 1 FROM users WHERE id = ?2 AND stamp = ?3)";

/// Whether code `c` was presented by the client that it was made for. `?1` its hash, `?2` now, `?4` client, if it says,
/// `?5` its secret's hash, `?6` the challenge that the verifier gives, `?7` redirect URI.
macro_rules! presented {
    () => {
        concat!(
            "c.code_hash = ?1 AND c.app_id = coalesce(?4, c.app_id) AND c.code_challenge = ?6 AND c.redirect_uri IS ?7 AND ",
            client_is_authentic!("c.app_id", "?5", "?2")
        )
    };
}

/// Ends the session of a code that was exchanged before: one of the two who had it is a thief. It comes before [`TAKE`].
/// `?1` to `?7` as there.
pub const END_REUSED: &str = concat!(
    "UPDATE sessions SET ended_at = ?2, end_reason = 'code_reused', expires_at = min(expires_at, ?2), stamp = ?3
     WHERE ended_at IS NULL
       AND id = (SELECT c.session_id FROM authorization_codes c WHERE c.used_at IS NOT NULL AND ",
    presented!(),
    ")"
);

/// Takes a code: once, while it lives and its user is not shut out. This decides. `?1` its hash, `?2` now, `?3` stamp,
/// `?4` client, if it says, `?5` its secret's hash, `?6` the challenge that the verifier gives, `?7` redirect URI,
/// `?8` the algorithms that have a key.
pub const TAKE: &str = concat!(
    "UPDATE authorization_codes AS c SET used_at = ?2, stamp = ?3 WHERE c.used_at IS NULL AND c.expires_at > ?2
       AND EXISTS (SELECT 1 FROM users u WHERE u.id = c.user_id AND u.disabled_at IS NULL)
       AND ",
    algorithm_is_ready!("c.app_id", "?8"),
    " AND ",
    presented!()
);

/// Makes the session of the code that was taken. `?1` the code's hash, `?2` now, `?3` stamp, `?4` the default lifetimes.
pub const OPEN: &str = concat!(
    "INSERT INTO sessions (id, user_id, app_id, scope, acr, amr, auth_time, client_ip, user_agent, created_at, last_used_at,
       idle_expires_at, expires_at, stamp)
     SELECT s.session_id, s.user_id, s.app_id, s.scope, s.acr, s.amr, s.auth_time, s.client_ip, s.user_agent, ?2, ?2,
       ?2 + ",
    idle!(),
    ", ?2 + 1000 * coalesce(a.tokens ->> 'session_seconds', ?4 ->> 'session_seconds'), ?3
     FROM authorization_codes s JOIN apps a ON a.id = s.app_id WHERE s.code_hash = ?1 AND s.stamp = ?3"
);

/// Makes the first refresh token of the session of the code that was taken, if it has any. `?1` the code's hash, `?2` now,
/// `?3` stamp, `?4` the default lifetimes, `?5` the token's hash.
pub const FIRST: &str = concat!(
    "INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at, stamp)
     SELECT ?5, s.id, ?2, min(s.expires_at, ?2 + ",
    refresh_life!(),
    "), ?3
     FROM authorization_codes c JOIN sessions s ON s.id = c.session_id JOIN apps a ON a.id = s.app_id
     WHERE c.code_hash = ?1 AND c.stamp = ?3 AND s.stamp = ?3 AND ",
    is_offline!()
);

/// What the tokens are made of, if the code was taken. `?1` the code's hash, `?2` stamp, `?3` the refresh token's hash,
/// `?4` the page's origin, `?5` whether every browser app has it.
pub const OPENED: &str = concat!(
    "SELECT ",
    granted!(),
    ", c.nonce, r.hash AS next, r.expires_at AS next_ends_at, ",
    origin_is_allowed!("s.app_id", "?4", "?5"),
    " AS is_its_page
     FROM authorization_codes c JOIN sessions s ON s.id = c.session_id JOIN users u ON u.id = s.user_id
       JOIN apps a ON a.id = s.app_id LEFT JOIN refresh_tokens r ON r.hash = ?3
     WHERE c.code_hash = ?1 AND c.stamp = ?2 AND s.stamp = ?2"
);

/// What may be said of why a code was not taken. `?1` the code's hash, `?2` now, `?3` client, if it says, `?4` its secret's
/// hash, `?5` the page's origin, `?6` whether every browser app has it.
pub const WHY_NOT_TAKEN: &str = concat!(
    "SELECT a.type, coalesce(a.tokens ->> 'algorithm', 'RS256') AS algorithm, ",
    client_is_authentic!("a.id", "?4", "?2"),
    " AS authentic, ",
    origin_is_allowed!("a.id", "?5", "?6"),
    " AS is_its_page
     FROM apps a WHERE a.id = coalesce(?3, (SELECT c.app_id FROM authorization_codes c WHERE c.code_hash = ?1))"
);

/// Whether `?1` is who carries the stamp `?3`: the user, or the user's factor `?6`.
macro_rules! on_stamp {
    () => {
        "(EXISTS (SELECT 1 FROM users WHERE id = ?1 AND stamp = ?3)
          OR EXISTS (SELECT 1 FROM factors WHERE id = ?6 AND user_id = ?1 AND stamp = ?3))"
    };
}

/// Ends the sessions of the user who carries the stamp, or whose factor does. `?1` user, `?2` now, `?3` stamp, `?4` why,
/// `?5` the one that stays, `?6` factor.
pub const END_ALL: &str = concat!(
    "UPDATE sessions SET ended_at = ?2, end_reason = ?4, expires_at = min(expires_at, ?2), stamp = ?3
     WHERE user_id = ?1 AND ended_at IS NULL AND id IS NOT ?5 AND ",
    on_stamp!()
);

/// Kills the codes of that user that wait to be exchanged, but for one of the same batch. `?1` user, `?3` stamp,
/// `?6` factor.
pub const KILL_CODES: &str =
    concat!("DELETE FROM authorization_codes WHERE user_id = ?1 AND used_at IS NULL AND stamp <> ?3 AND ", on_stamp!());

/// Drops the refresh tokens of the sessions that were ended so. `?1` user, `?2` stamp.
pub const DROP_ALL: &str = "DELETE FROM refresh_tokens WHERE session_id IN (
    SELECT id FROM sessions WHERE user_id = ?1 AND stamp = ?2 AND ended_at IS NOT NULL)";

/// Ends one session of a user. `?1` session, `?2` now, `?3` stamp, `?4` why, `?5` user.
pub const END: &str = "UPDATE sessions SET ended_at = ?2, end_reason = ?4, expires_at = min(expires_at, ?2), stamp = ?3
     WHERE id = ?1 AND user_id = ?5 AND ended_at IS NULL AND expires_at > ?2";

/// Drops the refresh tokens of the session that was ended. `?1` the session, or the hash of one of its refresh tokens or
/// of its code, `?2` stamp.
pub const DROP: &str = "DELETE FROM refresh_tokens WHERE session_id = (SELECT id FROM sessions
    WHERE id = coalesce((SELECT session_id FROM refresh_tokens WHERE hash = ?1),
        (SELECT session_id FROM authorization_codes WHERE code_hash = ?1), ?1)
      AND stamp = ?2 AND ended_at IS NOT NULL)";

/// Whether one was ended so. `?1` session, `?2` stamp.
pub const ENDED: &str = "SELECT stamp = ?2 AS ended FROM sessions WHERE id = ?1";

macro_rules! columns {
    () => {
        "s.id, s.user_id, s.app_id, s.scope, s.acr, s.amr, s.auth_time, s.client_ip, s.user_agent, s.created_at, s.last_used_at,
         s.idle_expires_at, s.expires_at"
    };
}

/// A live session of a user. `?1` session, `?2` now, `?3` user.
pub const GET: &str =
    concat!("SELECT ", columns!(), " FROM sessions s WHERE s.id = ?1 AND s.user_id = ?3 AND ", session_is_live!());

/// The session on whose behalf a batch is, with its app's rule and algorithm. `?1` session.
pub const OWN: &str = concat!(
    "SELECT ",
    columns!(),
    ", a.mfa, coalesce(a.tokens ->> 'algorithm', 'RS256') AS algorithm
     FROM sessions s JOIN apps a ON a.id = s.app_id WHERE s.id = ?1"
);

/// Raises a session: the person has proven again who they are, and nothing of what was judged has changed. `?1` user,
/// `?2` session, `?3` stamp, `?4` to `?7` as in `unchanged!`, `?8` to `?10` its acr, amr and time before, `?11` to `?13` the
/// new ones.
pub const RAISE: &str = concat!(
    "UPDATE sessions SET acr = ?11, amr = ?12, auth_time = ?13, stamp = ?3
     WHERE id = ?2 AND user_id = ?1 AND app_id = ?6 AND acr = ?8 AND amr = ?9 AND auth_time = ?10 AND ",
    unchanged!()
);

/// What the tokens of a session that was raised are made of. `?1` session, `?2` stamp.
pub const RAISED: &str = concat!(
    "SELECT ",
    granted!(),
    " FROM sessions s JOIN users u ON u.id = s.user_id JOIN apps a ON a.id = s.app_id WHERE s.id = ?1 AND s.stamp = ?2"
);

/// A user's live sessions, newest first. `?1` user, `?2` now, `?3` the id to begin below, `?4` how many.
pub const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions s WHERE s.user_id = ?1 AND s.id < ?3 AND ",
    session_is_live!(),
    " ORDER BY s.id DESC LIMIT ?4"
);

/// Fails the batch of a session that is over, whose user is shut out, or whose page is not one of its app's. `?1` session,
/// `?2` now, `?3` user, `?4` the page's origin, `?5` whether every browser app has that origin.
pub const GUARD: &str = concat!(
    "INSERT INTO session_guard (is_live) SELECT 0 WHERE NOT EXISTS (
       SELECT 1 FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?1 AND s.user_id = ?3 AND u.disabled_at IS NULL AND ",
    session_is_live!(),
    " AND (?4 IS NULL OR ",
    origin_is_allowed!("s.app_id", "?4", "?5"),
    "))"
);

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    INSERT_CODE,
    END_REUSED,
    TAKE,
    OPEN,
    FIRST,
    OPENED,
    WHY_NOT_TAKEN,
    END_ALL,
    KILL_CODES,
    DROP_ALL,
    END,
    DROP,
    ENDED,
    GET,
    OWN,
    RAISE,
    RAISED,
    LIST,
    GUARD,
];
