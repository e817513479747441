//! SQL of machine apps' tokens.

use crate::client_is_authentic;

/// What a token is made of, and whether the client is the app that it says it is. `?1` app, `?2` the secret's hash, `?3` now.
pub const READ: &str = concat!(
    "SELECT a.type, a.scopes, a.tokens, ",
    client_is_authentic!("a.id", "?2", "?3"),
    " AS authentic FROM apps a WHERE a.id = ?1"
);

/// Fails the batch of a machine that is gone, or whose app may no more do what its token says. `?1` app, `?2` scopes.
pub const GUARD: &str = "INSERT INTO session_guard (is_live) SELECT 0 WHERE NOT EXISTS (
    SELECT 1 FROM apps a WHERE a.id = ?1 AND a.type = 'machine' AND NOT EXISTS (
      SELECT 1 FROM json_each(?2) w WHERE w.value NOT IN (SELECT value FROM json_each(a.scopes))))";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[READ, GUARD];
