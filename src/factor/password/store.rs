//! SQL of passwords: what has to be read to verify one, and the statement that decides.

use crate::is_open;

macro_rules! read {
    ($who:literal) => {
        concat!(
            "SELECT u.id AS user_id, f.id AS factor_id, f.secret FROM users u
             LEFT JOIN factors f ON f.user_id = u.id AND f.type = 'password' AND f.activated_at IS NOT NULL
             WHERE ",
            $who
        )
    };
}

/// Reads a user's password. `?1` user.
pub(super) const READ: &str = read!("u.id = ?1");
/// The same of whom a flow is about. `?1` flow.
pub(super) const READ_OF_FLOW: &str = read!("u.id = (SELECT o.user_id FROM flows o WHERE o.id = ?1)");
/// The same of whoever has an address. `?1` normalised.
pub(super) const READ_OF_EMAIL: &str = read!("u.email_normalised = ?1");
/// The same of whoever has a number. `?1` number.
pub(super) const READ_OF_PHONE: &str = read!("u.phone = ?1");

/// Makes the challenge that a password has answered in the same moment, rightly or wrongly; it is decided by this: no
/// lockout is closed, and the password is still the one that was read. Nobody's is made alike, and never verified (law 8).
/// `?1` lockouts, `?2` now, `?3` id, `?4` stamp, `?5` user or NULL, `?6` factor, `?7` app, `?8` purpose, `?9` subject,
/// `?10` test, `?11` its end, `?12` whether it was right, `?13` the hash that was read, `?14` for whom the lockouts are,
/// `?15` the flow or session that it is made in.
pub(super) const DECIDE: &str = concat!(
    "INSERT INTO challenges (id, stamp, user_id, factor_id, app_id, type, purpose, subject, is_test, generation, expires_at,
       sends, wrong_answers, wrong_answers_max, verified_at, created_at, bound_to)
     SELECT ?3, ?4, ?5, ?6, ?7, 'password', ?8, ?9, ?10, 0, ?11, 0, CASE WHEN ?12 AND ?5 IS NOT NULL THEN 0 ELSE 1 END, 1,
       CASE WHEN ?12 AND ?5 IS NOT NULL THEN ?2 END, ?2, ?15
     WHERE (?5 IS NULL OR EXISTS (SELECT 1 FROM users WHERE id = ?5))
       AND (?7 IS NULL OR EXISTS (SELECT 1 FROM apps WHERE id = ?7))
       AND (SELECT f.secret FROM factors f WHERE f.user_id = ?5 AND f.type = 'password' AND f.activated_at IS NOT NULL)
         IS ?13
       AND ",
    is_open!("?14")
);

/// Notes the use of a password that was right, and puts a newer hash of it in its place. `?1` factor, `?2` now,
/// `?3` challenge, `?4` stamp, `?5` the newer hash, if there is one.
pub(super) const USED: &str = "UPDATE factors SET last_used_at = ?2, secret = coalesce(?5, secret)
  WHERE id = ?1 AND EXISTS (SELECT 1 FROM challenges WHERE id = ?3 AND stamp = ?4 AND verified_at IS NOT NULL)";

/// Sets the password of the user who carries the stamp. The one before is gone. `?1` user, `?2` stamp, `?3` factor,
/// `?4` hash, `?5` what else is kept, `?6` now.
pub const RESET: &str = "INSERT INTO factors (id, stamp, user_id, type, secret, data, authority, created_at, activated_at)
  SELECT ?3, ?2, ?1, 'password', ?4, ?5, 'proof', ?6, ?6 WHERE EXISTS (SELECT 1 FROM users WHERE id = ?1 AND stamp = ?2)";

/// Removes the password of the user who carries the stamp. `?1` user, `?2` stamp.
pub const DROP: &str = "DELETE FROM factors WHERE user_id = ?1 AND type = 'password'
  AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND stamp = ?2)";

/// Whether an app is known. `?1` app.
pub(super) const APP_KNOWN: &str = "SELECT (?1 IS NULL OR EXISTS (SELECT 1 FROM apps WHERE id = ?1)) AS app_known";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] =
    &[READ, READ_OF_FLOW, READ_OF_EMAIL, READ_OF_PHONE, DECIDE, USED, RESET, DROP, APP_KNOWN];
