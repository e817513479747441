//! SQL of factors.

use crate::{
    claim_is_mine, have_room,
    ids::{ChallengeId, FactorId, UserId},
    not_refused,
    ports::Statement,
    statement,
};

/// The columns that [`super::Factor::read`] reads of `factors f`.
#[macro_export]
macro_rules! factor_columns {
    () => {
        "f.id, f.user_id, f.type, f.name, f.phone, f.email_normalised, f.credential_id, f.data, f.created_at, f.activated_at,
         f.last_used_at,
         (SELECT count(*) FROM recovery_codes rc WHERE rc.factor_id = f.id AND rc.used_at IS NULL) AS codes_left"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", $crate::factor_columns!(), ", f.stamp ", $rest)
    };
}

/// Whether there is a proof of the user that is recent, of a factor that is active, and as `$state` says. A password or a
/// mailbox is proof enough only while the user has nothing stronger: neither adds or removes a phone, an app or a passkey.
#[macro_export]
#[doc(hidden)]
macro_rules! proof_is {
    ($state:literal, $proof:literal, $user:literal, $since:literal, $test:literal, $bond:literal) => {
        concat!(
            "EXISTS (
               SELECT 1 FROM challenges p JOIN factors pf ON pf.id = p.factor_id
               WHERE p.id = ",
            $proof,
            " AND p.user_id = ",
            $user,
            " AND p.verified_at >= ",
            $since,
            " AND p.is_test = ",
            $test,
            " AND p.bound_to IS ",
            $bond,
            " AND ",
            $state,
            " AND pf.activated_at IS NOT NULL
                 AND (pf.type NOT IN ('password', 'email') OR NOT EXISTS (
                   SELECT 1 FROM factors sf WHERE sf.user_id = ",
            $user,
            " AND sf.activated_at IS NOT NULL AND sf.type IN ('phone', 'totp', 'passkey'))))"
        )
    };
}

/// Whether a proof of the user holds: it is not used.
#[macro_export]
macro_rules! proof_holds {
    ($proof:literal, $user:literal, $since:literal, $test:literal, $bond:literal) => {
        $crate::proof_is!("p.consumed_at IS NULL", $proof, $user, $since, $test, $bond)
    };
}

/// Whether a proof in a flow was used for a factor that is not proven yet: that may be begun anew, since the page may have
/// been loaded again and what was shown once is gone; the newest alone can become active. In a session one proves anew.
macro_rules! begins_anew {
    ($proof:literal, $user:literal, $since:literal, $test:literal, $bond:literal) => {
        $crate::proof_is!(
            "substr(p.bound_to, 1, 4) = 'sgn_' AND EXISTS (
               SELECT 1 FROM factors uf WHERE uf.id = p.consumed_by AND uf.activated_at IS NULL)",
            $proof,
            $user,
            $since,
            $test,
            $bond
        )
    };
}

/// Whether a user's factors may be changed: by an override, by a proof that holds, or, when neither is brought,
/// because the user has no active factor.
#[macro_export]
macro_rules! change_is_allowed {
    ($override:literal, $proof:literal, $user:literal, $since:literal, $test:literal, $bond:literal) => {
        concat!(
            "(",
            $override,
            " OR (",
            $proof,
            " IS NULL AND NOT EXISTS (SELECT 1 FROM factors af WHERE af.user_id = ",
            $user,
            " AND af.activated_at IS NOT NULL AND af.type <> 'recovery_codes')) OR ",
            $crate::proof_holds!($proof, $user, $since, $test, $bond),
            ")"
        )
    };
}

/// Whether the user has the same thing already: an active factor with this destination, or the one of its kind.
macro_rules! taken {
    ($user:literal, $type:literal, $phone:literal, $email:literal, $replaces:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM factors tf WHERE tf.user_id = ",
            $user,
            " AND tf.activated_at IS NOT NULL AND (tf.phone = ",
            $phone,
            " OR tf.email_normalised = ",
            $email,
            " OR (NOT ",
            $replaces,
            " AND tf.type = ",
            $type,
            " AND tf.type IN ('password', 'recovery_codes'))))"
        )
    };
}

/// Adds an unproven factor. `?1` checks, `?2` now, `?3` id, `?4` stamp, `?5` idempotency key, `?6` user, `?7` name,
/// `?8` number, `?9` country, `?10` override, `?11` proof, `?12` how old a proof may be, `?13` app, `?14` type,
/// `?15` address, `?16` normalised, `?17` secret, `?18` data, `?19` whether it takes the place of the one there is,
/// `?20` whether a test key asks, `?21` the flow or session that asks: a proof is one of its own.
pub const ENROL: &str = concat!(
    "INSERT INTO factors (id, stamp, user_id, type, name, phone, country, email, email_normalised, secret, data, authority,
       created_at)
     SELECT ?3, ?4, ?6, ?14, ?7, ?8, ?9, ?15, ?16, ?17, ?18,
       CASE WHEN ?10 THEN 'override' WHEN ?11 IS NULL THEN 'none' ELSE 'proof' END, ?2
     WHERE EXISTS (SELECT 1 FROM users WHERE id = ?6)
       AND (?13 IS NULL OR EXISTS (SELECT 1 FROM apps WHERE id = ?13))
       AND NOT ",
    taken!("?6", "?14", "?8", "?16", "?19"),
    " AND ",
    "(",
    change_is_allowed!("?10", "?11", "?6", "?12", "?20", "?21"),
    " OR ",
    begins_anew!("?11", "?6", "?12", "?20", "?21"),
    ")",
    " AND ",
    claim_is_mine!(),
    " AND ",
    not_refused!(),
    " AND ",
    have_room!()
);

/// Tells why [`ENROL`] refused. `?1` user, `?2` number, `?3` override, `?4` proof, `?5` how old a proof may be, `?6` type,
/// `?7` normalised address, `?8` whether it takes the place of the one there is, `?9` app, `?10` whether a test key asks,
/// `?11` the flow or session that asks.
pub const WHY_NOT: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1) AS user_known,
       (?9 IS NULL OR EXISTS (SELECT 1 FROM apps WHERE id = ?9)) AS app_known, ",
    taken!("?1", "?6", "?2", "?7", "?8"),
    " AS taken, ",
    change_is_allowed!("?3", "?4", "?1", "?5", "?10", "?11"),
    " OR ",
    begins_anew!("?4", "?1", "?5", "?10", "?11"),
    " AS allowed"
);

/// Removes the active factor whose place a new one takes. `?1` user, `?2` type, `?3` the new one, `?4` stamp.
pub const REPLACE: &str = "DELETE FROM factors WHERE user_id = ?1 AND type = ?2 AND id <> ?3
  AND EXISTS (SELECT 1 FROM factors n WHERE n.id = ?3 AND n.stamp = ?4)";

/// Makes a factor active that needs no further proof. `?1` factor, `?2` stamp, `?3` now.
pub const ACTIVATE: &str = "UPDATE factors SET activated_at = ?3 WHERE id = ?1 AND stamp = ?2";

/// Uses a proof up, which the statement before has found to hold. `?1` proof, `?2` now, `?3` factor, `?4` stamp.
pub const CONSUME: &str = "UPDATE challenges SET consumed_at = ?2, consumed_by = ?3
  WHERE id = ?1 AND verified_at IS NOT NULL
    AND EXISTS (SELECT 1 FROM factors f WHERE f.id = ?3 AND f.stamp = ?4 AND f.user_id = challenges.user_id)
    AND (consumed_at IS NULL OR (substr(bound_to, 1, 4) = 'sgn_' AND EXISTS (
      SELECT 1 FROM factors f WHERE f.id = consumed_by AND f.activated_at IS NULL)))";

/// Uses a proof up, which the statement before has found to hold. `?1` proof, `?2` now, `?3` user, `?4` stamp.
pub const CONSUME_FOR_USER: &str = "UPDATE challenges SET consumed_at = ?2, consumed_by = ?3
  WHERE id = ?1 AND consumed_at IS NULL AND verified_at IS NOT NULL AND user_id = ?3
    AND EXISTS (SELECT 1 FROM users WHERE id = ?3 AND stamp = ?4)";

/// Gives a proof back to a user whose new factor came to nothing. `?1` proof, `?2` factor.
const GIVE_BACK: &str =
    "UPDATE challenges SET consumed_at = NULL, consumed_by = NULL WHERE id = ?1 AND consumed_by = ?2
    AND NOT EXISTS (SELECT 1 FROM factors WHERE id = ?2)";

/// The newest proof that would hold: of a session, whose person names none. `?1` session, `?2` user, `?3` how old it may be,
/// `?4` whether a test key asks.
pub const NEWEST_PROOF: &str = concat!(
    "SELECT c.id FROM challenges c WHERE c.bound_to = ?1 AND c.verified_at IS NOT NULL AND ",
    proof_holds!("c.id", "?2", "?3", "?4", "?1"),
    " ORDER BY c.verified_at DESC, c.id DESC LIMIT 1"
);

/// Gives a factor another name. `?1` factor, `?2` user, `?3` stamp, `?4` name.
pub const RENAME: &str = "UPDATE factors SET name = ?4, stamp = ?3 WHERE id = ?1 AND user_id = ?2";

/// Decides whether a factor may be removed: nothing is needed while it is unproven. `?1` factor, `?2` user, `?3` stamp,
/// `?4` override, `?5` proof, `?6` how old a proof may be, `?7` whether a test key asks, `?8` the flow or session that asks.
pub const MAY_REMOVE: &str = concat!(
    "UPDATE factors SET stamp = ?3
     WHERE id = ?1 AND user_id = ?2 AND (?4 OR (?5 IS NULL AND activated_at IS NULL) OR ",
    proof_holds!("?5", "?2", "?6", "?7", "?8"),
    ")"
);

/// Reads a user's factor. `?1` factor, `?2` user.
pub const GET: &str = select!("FROM factors f WHERE f.id = ?1 AND f.user_id = ?2");

/// Removes what [`MAY_REMOVE`] has stamped. `?1` factor, `?2` stamp.
pub const REMOVE: &str = "DELETE FROM factors WHERE id = ?1 AND stamp = ?2";

/// Decides whether all of a user's factors may be removed. `?1` user, `?2` stamp, `?3` override, `?4` proof,
/// `?5` how old a proof may be, `?6` whether a test key asks, `?7` the flow or session that asks.
pub const MAY_RESET: &str =
    concat!("UPDATE users SET stamp = ?2 WHERE id = ?1 AND ", change_is_allowed!("?3", "?4", "?1", "?5", "?6", "?7"));

/// Removes all factors of the user that [`MAY_RESET`] has stamped. `?1` user, `?2` stamp.
pub const RESET: &str =
    "DELETE FROM factors WHERE user_id = ?1 AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND stamp = ?2)";

/// A user's factors. `?1` user.
pub const LIST: &str = select!("FROM factors f WHERE f.user_id = ?1 ORDER BY f.id");

/// Reads whose factors they are, and how to write to them. `?1` the user.
pub const USER: &str = "SELECT id, stamp, locale, name FROM users WHERE id = ?1";
const ABANDON: &str = "DELETE FROM factors WHERE id = ?1 AND activated_at IS NULL";

/// Reads whether a user exists, and their factors.
pub fn list(user: &UserId) -> Vec<Statement> {
    vec![statement!(USER, user), statement!(LIST, user)]
}

/// Removes a new factor whose code certainly did not go out, and gives back the proof that allowed it.
pub fn abandon(factor: &FactorId, proof: Option<&ChallengeId>) -> Vec<Statement> {
    let mut statements = vec![statement!(ABANDON, factor)];
    statements.extend(proof.map(|proof| statement!(GIVE_BACK, proof, factor)));
    statements
}

/// Gives back the proof that allowed something that came to nothing.
pub fn give_back(proof: &ChallengeId, by: &str) -> Statement {
    statement!(GIVE_BACK, proof, by)
}

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    ENROL,
    WHY_NOT,
    REPLACE,
    ACTIVATE,
    CONSUME,
    CONSUME_FOR_USER,
    GIVE_BACK,
    NEWEST_PROOF,
    RENAME,
    MAY_REMOVE,
    GET,
    REMOVE,
    MAY_RESET,
    RESET,
    LIST,
    USER,
    ABANDON,
];
