//! SQL of signing keys. There are few of them, so they are read along the primary key; those of one algorithm have
//! no index of their own. Every change that holds for others raises the settings' version in the same batch.

use super::keys::NewKey;
use crate::{ports::Statement, statement, time::Timestamp};

/// Every key, the private ones sealed.
const ALL: &str = "SELECT id, algorithm, public_key, private_key, created_at, signs_from, expires_at
  FROM signing_keys WHERE id > 'sig_' ORDER BY id";

/// What JWKS serves. `?1` now.
const PUBLIC: &str = "SELECT public_key FROM signing_keys
  WHERE id > 'sig_' AND (expires_at IS NULL OR expires_at > ?1) ORDER BY id";

/// Decides whether a key is made: not when one that was not replaced signs from after `?7`. `?1` id, `?2` algorithm,
/// `?3` JWK, `?4` sealed, `?5` now, `?6` from when it signs, `?8` stamp.
const MAKE: &str = "INSERT INTO signing_keys (id, algorithm, public_key, private_key, created_at, signs_from, stamp)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?8 WHERE NOT EXISTS (
    SELECT 1 FROM signing_keys WHERE id > 'sig_' AND algorithm = ?2 AND expires_at IS NULL AND signs_from > ?7)";

/// The keys that the new one replaces stay until `?4`, when what they signed has expired.
const RETIRE: &str = "UPDATE signing_keys SET expires_at = ?4
  WHERE id > 'sig_' AND id <> ?1 AND algorithm = ?2 AND expires_at IS NULL
    AND EXISTS (SELECT 1 FROM signing_keys WHERE id = ?1 AND stamp = ?3)";

/// The keys that the new one replaces are gone at once, and with them what they signed.
const REVOKE: &str = "DELETE FROM signing_keys WHERE id > 'sig_' AND id <> ?1 AND algorithm = ?2
  AND EXISTS (SELECT 1 FROM signing_keys WHERE id = ?1 AND stamp = ?3)";

/// Every isolate reads anew.
const NEW_VERSION: &str = "UPDATE instance SET version = version + 1, updated_at = ?2
  WHERE id = 1 AND EXISTS (SELECT 1 FROM signing_keys WHERE id = ?1 AND stamp = ?3)";

/// Nobody needs what has expired, and nobody has to be told.
const FORGET: &str = "DELETE FROM signing_keys WHERE id = ?1 AND expires_at <= ?2";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[ALL, PUBLIC, MAKE, RETIRE, REVOKE, NEW_VERSION, FORGET];

/// Reads every key.
pub fn all() -> Statement {
    statement!(ALL)
}

/// Reads the public halves of those that are live.
pub fn public(now: Timestamp) -> Statement {
    statement!(PUBLIC, now.millis())
}

/// What becomes of the keys of the same algorithm.
#[derive(Clone, Copy)]
pub(super) enum Others {
    /// There must be none.
    None,
    /// None may sign from after this moment; what there is stays until the other one.
    Retire(Timestamp, Timestamp),
    /// They are gone.
    Revoke,
}

/// The statements that make a key, if the others allow it.
pub(super) fn make(key: &NewKey, now: Timestamp, signs_from: Timestamp, others: Others, stamp: &str) -> Vec<Statement> {
    let none_after = match others {
        Others::None => -1,
        Others::Retire(moment, _) => moment.millis(),
        // No moment is later that SQL and JavaScript both know.
        Others::Revoke => 9_007_199_254_740_991,
    };
    let algorithm = key.algorithm.as_str();
    let mut batch = vec![statement!(
        MAKE,
        &key.id,
        algorithm,
        key.public.as_str(),
        key.sealed.as_str(),
        now.millis(),
        signs_from.millis(),
        none_after,
        stamp
    )];
    match others {
        Others::None => {}
        Others::Retire(_, until) => batch.push(statement!(RETIRE, &key.id, algorithm, stamp, until.millis())),
        Others::Revoke => batch.push(statement!(REVOKE, &key.id, algorithm, stamp)),
    }
    batch.push(statement!(NEW_VERSION, &key.id, now.millis(), stamp));
    batch
}

/// Deletes a key that has expired.
pub(super) fn forget(id: &crate::ids::SigningKeyId, now: Timestamp) -> Statement {
    statement!(FORGET, id, now.millis())
}
