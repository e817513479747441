//! SQL of authorization codes, sessions and refresh tokens.

/// Writes an authorization code down if the user carries the stamp. `?1` the code's hash, `?2` user, `?3` stamp, `?4` the
/// session to be, `?5` app, `?6` PKCE challenge, `?7` redirect URI, `?8` scope, `?9` nonce, `?10` acr, `?11` amr, `?12` when
/// it was proven, `?13` the person's address, `?14` their browser, `?15` now, `?16` the code's end.
pub const INSERT_CODE: &str =
    "INSERT INTO authorization_codes (code_hash, session_id, app_id, user_id, code_challenge, redirect_uri, scope, nonce,
       acr, amr, auth_time, client_ip, user_agent, created_at, expires_at, stamp)
     SELECT ?1, ?4, ?5, ?2, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?3
     WHERE EXISTS (SELECT 1 FROM users WHERE id = ?2 AND stamp = ?3)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[INSERT_CODE];
