//! SQL of factors.

use crate::{
    claim_is_mine, have_room,
    ids::{FactorId, UserId},
    ports::Statement,
    statement,
};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT f.id, f.user_id, f.type, f.name, f.phone, f.created_at, f.activated_at, f.last_used_at, f.stamp ",
            $rest
        )
    };
}

/// Whether `?1` is a proof of the user `?2` that is not older than `?3` and not used: of a factor that is active.
macro_rules! proof {
    ($proof:literal, $user:literal, $since:literal) => {
        concat!(
            "EXISTS (
               SELECT 1 FROM challenges p JOIN factors pf ON pf.id = p.factor_id
               WHERE p.id = ",
            $proof,
            " AND p.user_id = ",
            $user,
            " AND p.verified_at >= ",
            $since,
            " AND p.consumed_at IS NULL AND pf.activated_at IS NOT NULL)"
        )
    };
}

/// Adds an unproven phone. `?1` checks, `?2` now, `?3` id, `?4` stamp, `?5` idempotency key, `?6` user, `?7` name,
/// `?8` number, `?9` country, `?10` override, `?11` proof, `?12` how old a proof may be, `?13` app.
pub const ENROL: &str = concat!(
    "INSERT INTO factors (id, stamp, user_id, type, name, phone, country, created_at)
     SELECT ?3, ?4, ?6, 'phone', ?7, ?8, ?9, ?2
     WHERE EXISTS (SELECT 1 FROM users WHERE id = ?6)
       AND (?13 IS NULL OR EXISTS (SELECT 1 FROM apps WHERE id = ?13))
       AND NOT EXISTS (SELECT 1 FROM factors WHERE user_id = ?6 AND phone = ?8 AND activated_at IS NOT NULL)
       AND (?10 OR NOT EXISTS (SELECT 1 FROM factors WHERE user_id = ?6 AND activated_at IS NOT NULL) OR ",
    proof!("?11", "?6", "?12"),
    ") AND ",
    claim_is_mine!(),
    " AND ",
    have_room!()
);

/// Tells why [`ENROL`] refused. `?1` user, `?2` number, `?3` override, `?4` proof, `?5` how old a proof may be.
pub const WHY_NOT: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1) AS user_known,
       EXISTS (SELECT 1 FROM factors WHERE user_id = ?1 AND phone = ?2 AND activated_at IS NOT NULL) AS phone_taken,
       (?3 OR NOT EXISTS (SELECT 1 FROM factors WHERE user_id = ?1 AND activated_at IS NOT NULL) OR ",
    proof!("?4", "?1", "?5"),
    ") AS allowed"
);

/// Uses a proof up. `?1` proof, `?2` now, `?3` factor, `?4` stamp.
pub const CONSUME: &str = "UPDATE challenges SET consumed_at = ?2
  WHERE id = ?1 AND consumed_at IS NULL AND EXISTS (SELECT 1 FROM factors WHERE id = ?3 AND stamp = ?4)";

/// Uses a proof up. `?1` proof, `?2` now, `?3` user, `?4` stamp.
pub const CONSUME_FOR_USER: &str = "UPDATE challenges SET consumed_at = ?2
  WHERE id = ?1 AND consumed_at IS NULL AND EXISTS (SELECT 1 FROM users WHERE id = ?3 AND stamp = ?4)";

/// Decides whether a factor may be removed. `?1` factor, `?2` user, `?3` stamp, `?4` override, `?5` proof,
/// `?6` how old a proof may be.
pub const MAY_REMOVE: &str = concat!(
    "UPDATE factors SET stamp = ?3 WHERE id = ?1 AND user_id = ?2 AND (activated_at IS NULL OR ?4 OR ",
    proof!("?5", "?2", "?6"),
    ")"
);

/// Reads a user's factor. `?1` factor, `?2` user.
pub const GET: &str = select!("FROM factors f WHERE f.id = ?1 AND f.user_id = ?2");

/// Removes what [`MAY_REMOVE`] has stamped. `?1` factor, `?2` stamp.
pub const REMOVE: &str = "DELETE FROM factors WHERE id = ?1 AND stamp = ?2";

/// Decides whether all of a user's factors may be removed. `?1` user, `?2` stamp, `?3` override, `?4` proof,
/// `?5` how old a proof may be.
pub const MAY_RESET: &str = concat!(
    "UPDATE users SET stamp = ?2 WHERE id = ?1 AND (?3
       OR NOT EXISTS (SELECT 1 FROM factors WHERE user_id = ?1 AND activated_at IS NOT NULL) OR ",
    proof!("?4", "?1", "?5"),
    ")"
);

/// Removes all factors of the user that [`MAY_RESET`] has stamped. `?1` user, `?2` stamp.
pub const RESET: &str =
    "DELETE FROM factors WHERE user_id = ?1 AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND stamp = ?2)";

/// A user's factors. `?1` user.
pub const LIST: &str = select!("FROM factors f WHERE f.user_id = ?1 ORDER BY f.id");

const USER: &str = "SELECT id, stamp FROM users WHERE id = ?1";
const ACTIVE_PHONE: &str =
    "SELECT id, phone FROM factors WHERE id = ?2 AND user_id = ?1 AND type = 'phone' AND activated_at IS NOT NULL";
const LAST_USED_PHONE: &str = "SELECT id, phone FROM factors
  WHERE user_id = ?1 AND type = 'phone' AND activated_at IS NOT NULL ORDER BY last_used_at DESC, id DESC LIMIT 1";
const ABANDON: &str = "DELETE FROM factors WHERE id = ?1 AND activated_at IS NULL";

/// Reads whether a user exists, and the phone to send to: the one named, or the one used last.
pub fn active_phone(user: &UserId, factor: Option<&FactorId>) -> Vec<Statement> {
    vec![
        statement!(USER, user),
        match factor {
            Some(factor) => statement!(ACTIVE_PHONE, user, factor),
            None => statement!(LAST_USED_PHONE, user),
        },
    ]
}

/// Reads whether a user exists, and their factors.
pub fn list(user: &UserId) -> Vec<Statement> {
    vec![statement!(USER, user), statement!(LIST, user)]
}

/// Removes a factor whose proof could not be sent.
pub fn abandon(factor: &FactorId) -> Statement {
    statement!(ABANDON, factor)
}

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    ENROL,
    WHY_NOT,
    CONSUME,
    CONSUME_FOR_USER,
    MAY_REMOVE,
    GET,
    REMOVE,
    MAY_RESET,
    RESET,
    LIST,
    USER,
    ACTIVE_PHONE,
    LAST_USED_PHONE,
    ABANDON,
];
