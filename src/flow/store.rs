//! SQL of flows. A flow is changed by conditional statements only: it is open, its time is not over, and the token is its own.

use crate::have_room;

/// Whether the flow `?1` is open for whoever brings the token's hash `?2`, at `?3`.
macro_rules! is_open {
    () => {
        "id = ?1 AND token_hash = ?2 AND ended_at IS NULL AND expires_at > ?3"
    };
}

/// Begins a flow, if its app is still as it was judged. `?1` checks, `?2` now, `?3` id, `?4` stamp, `?5` type, `?6` token's
/// hash, `?7` app, `?8` the app's stamp, `?9` origin, `?10` PKCE challenge, `?11` redirect URI, `?12` scope, `?13` nonce,
/// `?14` locale, `?15` device, `?16` its hash, `?17` end, `?18` MAC of the identifier, `?19` what waits in it.
pub const BEGIN: &str = concat!(
    "INSERT INTO flows (id, type, token_hash, app_id, origin, code_challenge, redirect_uri, scope, nonce,
       locale, device_id, device_hash, created_at, expires_at, stamp, identifier, pending)
     SELECT ?3, ?5, ?6, ?7, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?2, ?17, ?4, ?18, ?19
     WHERE EXISTS (SELECT 1 FROM apps WHERE id = ?7 AND stamp = ?8) AND ",
    have_room!()
);

/// Reads a flow. `?1` id, `?2` the token's hash, `?3` type.
pub const GET: &str =
    "SELECT id, type, app_id, origin, code_challenge, redirect_uri, scope, nonce, locale, identifier, user_id,
    remember_device, pending, expires_at, end_reason, stamp,
    type = 'sign_up' AND (pending ->> '$.invitation' IS NOT NULL OR EXISTS (
      SELECT 1 FROM challenges p WHERE p.bound_to = flows.id AND p.purpose = 'verification' AND p.user_id IS NULL
        AND p.verified_at IS NOT NULL)) AS address_proven
  FROM flows WHERE id = ?1 AND token_hash = ?2 AND type = ?3";

/// Takes down who it is that signs in, while nothing was proven. `?1` flow, `?2` token's hash, `?3` now, `?4` stamp,
/// `?5` MAC of what was typed, `?6` address, `?7` number, `?8` the page that calls.
pub const IDENTIFY: &str = concat!(
    "UPDATE flows SET identifier = ?5, stamp = ?4,
       user_id = coalesce((SELECT id FROM users WHERE email_normalised = ?6), (SELECT id FROM users WHERE phone = ?7))
     WHERE ",
    is_open!(),
    " AND origin IS ?8 AND pending ->> '$.invitation' IS NULL
      AND NOT EXISTS (SELECT 1 FROM challenges p
        WHERE p.bound_to = ?1 AND p.verified_at IS NOT NULL AND (p.purpose <> 'enrolment' OR p.user_id IS NOT NULL))"
);

/// Whether somebody has an address or a number. `?1` address, `?2` number.
pub const TAKEN: &str = "SELECT id FROM users WHERE email_normalised = ?1
  UNION ALL SELECT id FROM users WHERE phone = ?2";

/// Makes a flow the user's who has just proven the challenge, unless somebody else has proven anything in it. `?1` flow,
/// `?2` challenge, `?3` now, `?4` stamp.
pub const ADOPT: &str = "UPDATE flows SET user_id = p.user_id, stamp = ?4
  FROM (SELECT c.user_id FROM challenges c WHERE c.id = ?2 AND c.bound_to = ?1 AND c.verified_at IS NOT NULL) p
  WHERE id = ?1 AND ended_at IS NULL AND expires_at > ?3 AND p.user_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM challenges o
      WHERE o.bound_to = ?1 AND o.verified_at IS NOT NULL AND o.user_id IS NOT p.user_id)";

/// Notes that the device is to be remembered, where there is something to answer. `?1` flow, `?2` token's hash, `?3` now,
/// `?4` the page that calls, `?5` the challenge that is answered, or its factor.
pub const REMEMBER: &str = concat!(
    "UPDATE flows SET remember_device = 1 WHERE ",
    is_open!(),
    " AND origin IS ?4 AND EXISTS (SELECT 1 FROM challenges c
        WHERE c.bound_to = ?1 AND (c.id = ?5 OR c.factor_id = ?5) AND c.verified_at IS NULL AND c.ended_at IS NULL)"
);

/// Gives a flow up. `?1` flow, `?2` token's hash, `?3` now, `?4` stamp.
pub const ABANDON: &str =
    concat!("UPDATE flows SET ended_at = ?3, end_reason = 'abandoned', pending = '{}', stamp = ?4 WHERE ", is_open!());

/// Ends a flow whose user carries the stamp. `?1` flow, `?2` user, `?3` stamp, `?4` now.
pub const COMPLETE: &str = "UPDATE flows SET ended_at = ?4, end_reason = 'complete', stamp = ?3
  WHERE id = ?1 AND EXISTS (SELECT 1 FROM users WHERE id = ?2 AND stamp = ?3)";

/// The newest challenge of a factor in a flow. `?1` flow, `?2` factor.
pub const CHALLENGE_OF: &str =
    "SELECT id FROM challenges WHERE bound_to = ?1 AND factor_id = ?2 ORDER BY rowid DESC LIMIT 1";

/// The newest challenge of a first passkey in a flow, which nobody has answered. `?1` flow.
pub const PASSKEY_CHALLENGE: &str = "SELECT id FROM challenges
  WHERE bound_to = ?1 AND type = 'passkey' AND factor_id IS NULL AND verified_at IS NULL ORDER BY rowid DESC LIMIT 1";

/// Remembers the device of a flow whose user carries the stamp. `?1` user, `?2` stamp, `?3` id, `?4` hash, `?5` browser,
/// `?6` now, `?7` end.
pub const REMEMBER_DEVICE: &str =
    "INSERT INTO devices (id, user_id, secret_hash, user_agent, created_at, expires_at, stamp)
  SELECT ?3, ?1, ?4, ?5, ?6, ?7, ?2 WHERE EXISTS (SELECT 1 FROM users WHERE id = ?1 AND stamp = ?2)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    BEGIN,
    GET,
    IDENTIFY,
    TAKEN,
    ADOPT,
    REMEMBER,
    ABANDON,
    COMPLETE,
    CHALLENGE_OF,
    PASSKEY_CHALLENGE,
    REMEMBER_DEVICE,
];
