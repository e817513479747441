//! SQL of users.

use crate::claim_is_mine;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.external_id, u.email, u.email_verified_at,
               u.phone, u.phone_verified_at, u.disabled_at, u.name, u.locale, u.metadata, u.created_at, u.updated_at, u.stamp, u.mfa,
               u.grace_started_at, u.grace_sign_ins,
               r.count AS failures_in_a_row, n.expires_at AS locked_until
             FROM users u
             LEFT JOIN counters r ON r.key = 'second_factor_failures_in_a_row:user:' || u.id
             LEFT JOIN counters n ON n.key = 'second_factor_failures:user:' || u.id AND n.count >= ?1 AND n.expires_at > ?2 ",
            $rest
        )
    };
}

/// Makes a user. `?1` id, `?2` now, `?3` external id, `?4` stamp, `?5` idempotency key, `?6` e-mail, `?7` normalised,
/// `?8` name, `?9` locale, `?10` metadata, `?11` phone.
pub const CREATE: &str = concat!(
    "INSERT INTO users (id, external_id, email, email_normalised, phone, name, locale, metadata, created_at, updated_at, stamp)
     SELECT ?1, ?3, ?6, ?7, ?11, ?8, ?9, ?10, ?2, ?2, ?4
     WHERE NOT EXISTS (SELECT 1 FROM users WHERE external_id = ?3)
       AND NOT EXISTS (SELECT 1 FROM users WHERE email_normalised = ?7)
       AND NOT EXISTS (SELECT 1 FROM users WHERE phone = ?11)
       AND ",
    claim_is_mine!()
);

/// Tells whom a user's identifiers belong to, when not to `?3`. `?1` external id, `?2` normalised e-mail, `?4` phone.
pub const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM users WHERE external_id = ?1 AND id <> ?3) AS external_id_taken,
  EXISTS (SELECT 1 FROM users WHERE email_normalised = ?2 AND id <> ?3) AS email_taken,
  EXISTS (SELECT 1 FROM users WHERE phone = ?4 AND id <> ?3) AS phone_taken";

/// Changes a user: each value only where its flag is set. `?1` id, `?2` now, `?3` stamp, then flag and value of
/// external id, e-mail (and normalised), name, locale, metadata; `?15` what the server says of their factors; flag and
/// value of the phone; `?18` whether they are shut out, NULL: as they were.
pub const UPDATE: &str = "UPDATE users SET
    external_id = CASE WHEN ?4 THEN ?5 ELSE external_id END,
    email = CASE WHEN ?6 THEN ?7 ELSE email END,
    email_normalised = CASE WHEN ?6 THEN ?8 ELSE email_normalised END,
    email_verified_at = CASE WHEN ?6 AND ?8 IS NOT email_normalised THEN NULL ELSE email_verified_at END,
    name = CASE WHEN ?9 THEN ?10 ELSE name END,
    locale = CASE WHEN ?11 THEN ?12 ELSE locale END,
    metadata = CASE WHEN ?13 THEN ?14 ELSE metadata END,
    mfa = coalesce(?15, mfa),
    phone = CASE WHEN ?16 THEN ?17 ELSE phone END,
    phone_verified_at = CASE WHEN ?16 AND ?17 IS NOT phone THEN NULL ELSE phone_verified_at END,
    disabled_at = CASE WHEN ?18 IS NULL THEN disabled_at WHEN ?18 THEN coalesce(disabled_at, ?2) END,
    updated_at = ?2, stamp = ?3
  WHERE id = ?1
    AND NOT EXISTS (SELECT 1 FROM users o WHERE o.external_id = ?5 AND o.id <> ?1)
    AND NOT EXISTS (SELECT 1 FROM users o WHERE o.email_normalised = ?8 AND o.id <> ?1)
    AND NOT EXISTS (SELECT 1 FROM users o WHERE o.phone = ?17 AND o.id <> ?1)";

/// Reads a user. `?1` the failure limit, `?2` now, `?3` id.
pub const GET: &str = select!("WHERE u.id = ?3");
/// Users, newest first. `?3` the id to begin below, `?4` how many.
pub const LIST: &str = select!("WHERE u.id < ?3 ORDER BY u.id DESC LIMIT ?4");
/// The user with an e-mail address. `?3` the id to begin below, `?4` how many, `?5` normalised.
pub const LIST_BY_EMAIL: &str = select!("WHERE u.email_normalised = ?5 AND u.id < ?3 ORDER BY u.id DESC LIMIT ?4");
/// The user with an external id.
pub const LIST_BY_EXTERNAL_ID: &str = select!("WHERE u.external_id = ?5 AND u.id < ?3 ORDER BY u.id DESC LIMIT ?4");
/// The user with a phone, and those who have proven it as a factor.
pub const LIST_BY_PHONE: &str = select!(
    "WHERE u.id IN (SELECT f.user_id FROM factors f WHERE f.phone = ?5 AND f.activated_at IS NOT NULL
       UNION ALL SELECT o.id FROM users o WHERE o.phone = ?5) AND u.id < ?3
     ORDER BY u.id DESC LIMIT ?4"
);

/// Marks a user for what follows in the batch. `?1` id, `?2` stamp.
pub const STAMP: &str = "UPDATE users SET stamp = ?2 WHERE id = ?1";
/// Erases a deleted user's numbers from messages. `?1` id.
pub const ERASE_MESSAGES: &str = "UPDATE messages SET destination = NULL, redirected_to = NULL WHERE user_id = ?1";

/// The numbers and addresses that a user has proven. `?1` id.
macro_rules! proven {
    () => {
        "(SELECT coalesce(phone, email_normalised) FROM factors WHERE user_id = ?1 AND activated_at IS NOT NULL
          UNION ALL SELECT email_normalised FROM users WHERE id = ?1 AND email_verified_at IS NOT NULL
          UNION ALL SELECT phone FROM users WHERE id = ?1 AND phone_verified_at IS NOT NULL)"
    };
}

/// Erases proven ones from messages that went there without the user. `?1` id.
pub const ERASE_NUMBERS: &str = concat!(
    "UPDATE messages SET destination = NULL, redirected_to = NULL WHERE user_id IS NULL AND destination IN ",
    proven!()
);
/// Deletes challenges to them without the user; the user's own go with the user. `?1` id.
pub const ERASE_CHALLENGES: &str = concat!(
    "DELETE FROM challenges WHERE user_id IS NULL AND id IN (
       SELECT challenge_id FROM messages WHERE user_id IS NULL AND destination IN ",
    proven!(),
    ")"
);

/// Notes that a user's own address is theirs, when a challenge of that user to it was just verified: a code that was sent
/// to the address without naming the user proves nothing of who has the account. `?1` challenge, `?2` stamp, `?3` now.
pub const VERIFY_EMAIL: &str = "UPDATE users SET email_verified_at = coalesce(email_verified_at, ?3)
  WHERE id = (SELECT c.user_id FROM challenges c WHERE c.id = ?1 AND c.stamp = ?2 AND c.verified_at IS NOT NULL)
    AND email_normalised = (SELECT c.destination FROM challenges c WHERE c.id = ?1)";
/// The challenge with the stamp that a user has answered in their session to move to its destination. `?1` challenge,
/// `?2` stamp, `?4` session.
macro_rules! moves {
    ($type:literal) => {
        concat!(
            "(SELECT c.user_id, c.destination FROM challenges c
              WHERE c.id = ?1 AND c.stamp = ?2 AND c.verified_at IS NOT NULL AND c.bound_to = ?4
                AND c.purpose = 'verification' AND c.factor_id IS NULL AND c.type = '",
            $type,
            "') m WHERE id = m.user_id AND NOT EXISTS (SELECT 1 FROM users o WHERE o.id <> m.user_id AND o."
        )
    };
}

/// Moves a user to the address that they have just proven, unless somebody else has it. `?1` challenge, `?2` stamp,
/// `?3` now, `?4` session.
pub const MOVE_EMAIL: &str = concat!(
    "UPDATE users SET email = m.destination, email_normalised = m.destination, email_verified_at = ?3, updated_at = ?3,
       stamp = ?2 FROM ",
    moves!("email"),
    "email_normalised = m.destination) AND email_normalised IS NOT m.destination"
);

/// The same for a number. `?1` to `?4` as there.
pub const MOVE_PHONE: &str = concat!(
    "UPDATE users SET phone = m.destination, phone_verified_at = ?3, updated_at = ?3, stamp = ?2 FROM ",
    moves!("phone"),
    "phone = m.destination)"
);

/// Erases a deleted user's addresses and browsers from events. `?1` id.
pub const ERASE_EVENTS: &str = "UPDATE audit_events SET client_ip = NULL, user_agent = NULL WHERE user_id = ?1";
/// Deletes a user; factors and challenges go with them. `?1` id.
pub const DELETE: &str = "DELETE FROM users WHERE id = ?1";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    CREATE,
    TAKEN,
    UPDATE,
    GET,
    LIST,
    LIST_BY_EMAIL,
    LIST_BY_EXTERNAL_ID,
    LIST_BY_PHONE,
    VERIFY_EMAIL,
    MOVE_EMAIL,
    MOVE_PHONE,
    STAMP,
    ERASE_MESSAGES,
    ERASE_NUMBERS,
    ERASE_CHALLENGES,
    ERASE_EVENTS,
    DELETE,
];
