//! SQL of sign-ups. What somebody has chosen waits in the flow; one statement makes the user, once the address is proven,
//! and all that follows acts on the stamp that the user carries then (law 2).

/// A code to the flow's address that was answered rightly: the first one.
macro_rules! proven {
    ($flow:literal) => {
        concat!(
            "(SELECT p.id FROM challenges p WHERE p.bound_to = ",
            $flow,
            " AND p.purpose = 'verification' AND p.user_id IS NULL AND p.verified_at IS NOT NULL
             ORDER BY p.verified_at, p.id LIMIT 1)"
        )
    };
}

/// The user `?4` was made just now.
macro_rules! is_made {
    () => {
        "EXISTS (SELECT 1 FROM users WHERE id = ?4 AND stamp = ?3)"
    };
}

/// Reads the address or number that a flow is about, and whether somebody has it: what a code went to last, or an
/// invitation. `?1` flow.
pub const ADDRESS: &str = "SELECT a.address, coalesce((SELECT id FROM users WHERE email_normalised = a.address),
    (SELECT id FROM users WHERE phone = a.address)) AS owner
  FROM (SELECT coalesce(
      (SELECT c.destination FROM challenges c WHERE c.bound_to = w.id AND c.purpose = 'verification'
       ORDER BY c.created_at DESC, c.rowid DESC LIMIT 1),
      (SELECT v.email_normalised FROM invitations v WHERE v.token_hash = w.pending ->> '$.invitation')) AS address
    FROM flows w WHERE w.id = ?1) a WHERE a.address IS NOT NULL";

/// Reads where the code of a flow's challenge went. `?1` flow, `?2` challenge.
pub const SENT_TO: &str = "SELECT destination FROM challenges WHERE id = ?2 AND bound_to = ?1 AND purpose = 'verification' AND user_id IS NULL";

/// Keeps a credential in the flow, in the place of the one of its type, while the flow is nobody's. `?1` flow, `?2` token's
/// hash, `?3` now, `?4` stamp, `?5` type, `?6` the credential, `?7` the challenge that [`TAKE`] has stamped, if one was asked.
pub const KEEP: &str = "UPDATE flows SET pending = json_set(pending, '$.credential.' || ?5, json(?6)), stamp = ?4
  WHERE id = ?1 AND token_hash = ?2 AND ended_at IS NULL AND expires_at > ?3 AND type = 'sign_up' AND user_id IS NULL
    AND (?7 IS NULL OR EXISTS (SELECT 1 FROM challenges c WHERE c.id = ?7 AND c.stamp = ?4))";

/// Takes the registration that a challenge has asked for, once, unless somebody has this credential (WebAuthn §7.1 step 26).
/// `?1` challenge, `?2` flow, `?3` now, `?4` stamp, `?5` credential id, `?6` evidence.
pub const TAKE: &str = "UPDATE challenges SET verified_at = ?3, stamp = ?4, evidence = ?6
  WHERE id = ?1 AND bound_to = ?2 AND verified_at IS NULL AND ended_at IS NULL AND expires_at > ?3
    AND wrong_answers < wrong_answers_max
    AND NOT EXISTS (SELECT 1 FROM factors o WHERE o.credential_id = ?5)";

/// Makes the user of a flow whose address is proven and in which a credential waits, unless somebody has the address. A
/// code to it has proven it, or an invitation that lives. `?1` flow, `?2` now, `?3` stamp, `?4` user.
pub const CREATE_USER: &str = concat!(
    "INSERT INTO users (id, email, email_normalised, email_verified_at, phone, phone_verified_at, locale, metadata,
       created_at, updated_at, stamp)
     SELECT ?4, CASE WHEN c.id IS NULL THEN v.email WHEN c.type = 'email' THEN c.destination END,
       CASE WHEN c.id IS NULL THEN v.email_normalised WHEN c.type = 'email' THEN c.destination END,
       CASE WHEN c.id IS NULL OR c.type = 'email' THEN ?2 END,
       CASE WHEN c.type = 'phone' THEN c.destination END, CASE WHEN c.type = 'phone' THEN ?2 END,
       w.locale, '{}', ?2, ?2, ?3
     FROM flows w
     LEFT JOIN challenges c ON c.id = ",
    proven!("w.id"),
    " LEFT JOIN invitations v ON v.token_hash = w.pending ->> '$.invitation' AND v.used_at IS NULL AND v.expires_at > ?2
       AND (v.app_id IS NULL OR v.app_id = w.app_id)
     WHERE w.id = ?1 AND w.type = 'sign_up' AND w.ended_at IS NULL AND w.expires_at > ?2 AND w.user_id IS NULL
       AND json_type(w.pending, '$.credential') = 'object' AND (c.id IS NOT NULL OR v.id IS NOT NULL)
       AND NOT EXISTS (
         SELECT 1 FROM json_each(w.pending, '$.credential') k
         CROSS JOIN factors o ON o.credential_id = k.value ->> 'credential_id')
     ON CONFLICT DO NOTHING"
);

/// Makes the factors of what waits in the flow. `?1` flow, `?2` now, `?3` stamp, `?4` user.
pub const CREATE_FACTORS: &str = concat!(
    "INSERT INTO factors (id, stamp, user_id, type, name, secret, credential_id, counter, data, authority, created_at,
       activated_at, last_used_at)
     SELECT k.value ->> 'factor', ?3, ?4, k.key, k.value ->> 'name', k.value ->> 'secret', k.value ->> 'credential_id',
       k.value ->> 'counter', coalesce(k.value -> 'data', '{}'), 'none', ?2, ?2, ?2
     FROM flows w CROSS JOIN json_each(w.pending, '$.credential') k WHERE w.id = ?1 AND ",
    is_made!()
);

/// Makes the number that was proven a factor. `?1` flow, `?2` now, `?3` stamp, `?4` user, `?5` factor.
pub const CREATE_PHONE: &str = concat!(
    "INSERT INTO factors (id, stamp, user_id, type, phone, country, authority, created_at, activated_at, last_used_at)
     SELECT ?5, ?3, ?4, 'phone', c.destination, c.country, 'none', ?2, ?2, ?2
     FROM challenges c WHERE c.type = 'phone' AND c.id = ",
    proven!("?1"),
    " AND ",
    is_made!()
);

/// Writes what was chosen down as proofs, which the policy counts as first factors. `?1` flow, `?2` now, `?3` stamp,
/// `?4` user, `?5` whether a test key asks.
pub const PROVE: &str = concat!(
    "INSERT INTO challenges (id, stamp, user_id, factor_id, app_id, type, purpose, subject, is_test, generation, expires_at,
       sends, wrong_answers_max, verified_at, evidence, created_at, bound_to)
     SELECT k.value ->> 'proof', ?3, ?4, k.value ->> 'factor', w.app_id, k.key, 'sign_in', 'user:' || ?4, ?5, 0,
       w.expires_at, 0, 1, ?2, coalesce(k.value -> 'evidence', '{}'), ?2, w.id
     FROM flows w CROSS JOIN json_each(w.pending, '$.credential') k WHERE w.id = ?1 AND ",
    is_made!()
);

/// The same of the number: what proved the address has proven the factor. `?1` flow, `?2` now, `?3` stamp, `?4` user,
/// `?5` factor, `?6` the proof.
pub const PROVE_PHONE: &str = concat!(
    "INSERT INTO challenges (id, stamp, user_id, factor_id, app_id, type, purpose, channel, destination, country, locale,
       subject, is_test, digits, seed, pepper_id, generation, code_expires_at, expires_at, sends, wrong_answers,
       wrong_answers_max, message_id, verified_at, created_at, bound_to)
     SELECT ?6, ?3, ?4, ?5, c.app_id, c.type, 'enrolment', c.channel, c.destination, c.country, c.locale, 'user:' || ?4,
       c.is_test, c.digits, c.seed, c.pepper_id, c.generation, c.code_expires_at, c.expires_at, c.sends, c.wrong_answers,
       c.wrong_answers_max, c.message_id, c.verified_at, ?2, c.bound_to
     FROM challenges c WHERE c.type = 'phone' AND c.id = ",
    proven!("?1"),
    " AND ",
    is_made!()
);

/// The flow is the new user's, and nothing waits in it any more. `?1` flow, `?3` stamp, `?4` user.
pub const ATTACH: &str =
    concat!("UPDATE flows SET user_id = ?4, pending = '{}', stamp = ?3 WHERE id = ?1 AND ", is_made!());

/// Shuts a flow that has everything and made nobody: somebody has the address, or the invitation is over. `?1` flow, `?2` now,
/// `?3` stamp.
pub const SHUT: &str = concat!(
    "UPDATE flows SET ended_at = ?2, end_reason = 'abandoned', pending = '{}', stamp = ?3
     WHERE id = ?1 AND type = 'sign_up' AND ended_at IS NULL AND user_id IS NULL
       AND json_type(pending, '$.credential') = 'object'
       AND (pending ->> '$.invitation' IS NOT NULL OR ",
    proven!("?1"),
    " IS NOT NULL)"
);

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] =
    &[ADDRESS, SENT_TO, KEEP, TAKE, CREATE_USER, CREATE_FACTORS, CREATE_PHONE, PROVE, PROVE_PHONE, ATTACH, SHUT];
