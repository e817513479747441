//! SQL of challenges. The statements that decide are each one conditional INSERT or UPDATE (law 2).

use crate::in_a_row_of;
use crate::{
    change_is_allowed, claim_is_mine, context::Context, factor_columns, have_room, ids::ChallengeId, not_refused,
    ports::Statement, statement, time::Timestamp,
};

macro_rules! select {
    ($($rest:tt)*) => {
        concat!(
            "SELECT c.id, c.user_id, c.factor_id, c.app_id, c.type, c.purpose, c.channel, c.destination, c.locale, c.generation,
               c.sends, c.code_expires_at, c.expires_at, c.resend_at, c.wrong_answers, c.wrong_answers_max, c.message_id,
               c.created_at, c.verified_at, c.evidence, c.awaits, c.consumed_at, c.end_reason, c.stamp",
            $($rest)*
        )
    };
}

/// Reads a challenge. `?1` id, `?2` whether a test key asks, `?3` the flow or session that asks: none sees another's.
pub const GET: &str = select!(" FROM challenges c WHERE c.id = ?1 AND c.is_test = ?2 AND c.bound_to IS ?3");

/// Reads a challenge with what another code of it needs; `flow` is the type of the flow that it belongs to.
pub const GET_FOR_RESEND: &str = select!(
    ", c.seed, c.pepper_id, c.digits, u.locale AS user_locale, u.name AS user_name,
       (SELECT w.type FROM flows w WHERE w.id = c.bound_to) AS flow
     FROM challenges c LEFT JOIN users u ON u.id = c.user_id WHERE c.id = ?1 AND c.is_test = ?2 AND c.bound_to IS ?3"
);

/// Reads the newest registration that a sign-up has asked for. `?1` the flow.
pub const REGISTRATION: &str = select!(
    " FROM challenges c WHERE c.bound_to = ?1 AND c.type = 'passkey' AND c.purpose = 'enrolment' AND c.user_id IS NULL
     ORDER BY c.created_at DESC, c.rowid DESC LIMIT 1"
);

/// Reads the newest code that is out in a flow. `?1` the flow, `?2` now.
pub const OUT_IN_FLOW: &str = select!(
    " FROM challenges c WHERE c.bound_to = ?1 AND c.channel IS NOT NULL AND c.verified_at IS NULL AND c.ended_at IS NULL
       AND c.expires_at > ?2 AND c.wrong_answers < c.wrong_answers_max
     ORDER BY c.created_at DESC, c.rowid DESC LIMIT 1"
);

/// Whether another challenge fits into a flow: one begins after one check for bots, and is no well of messages. A session
/// and the server API have no such end.
macro_rules! flow_has_room {
    ($bond:literal) => {
        concat!(
            "(",
            $bond,
            " IS NULL OR substr(",
            $bond,
            ", 1, 4) <> 'sgn_' OR (
               (SELECT count(*) FROM challenges o WHERE o.bound_to = ",
            $bond,
            ") < 30
               AND (SELECT count(*) FROM challenges o WHERE o.bound_to = ",
            $bond,
            " AND o.channel IS NOT NULL AND o.factor_id IS NULL) < 5))"
        )
    };
}

/// Makes a challenge. `?1` checks, `?2` now, `?3` id, `?4` stamp, `?5` idempotency key, `?6` user, `?7` factor,
/// `?8` app, `?9` purpose, `?10` channel, `?11` destination, `?12` country, `?13` locale, `?14` subject, `?15` test,
/// `?16` digits, `?17` seed, `?18` pepper, `?19` MAC, `?20` code's end, `?21` challenge's end, `?22` resend,
/// `?23` wrong answers allowed, `?24` message, `?25` whether the factor has to be active, `?26` type, `?27` what it awaits,
/// `?28` the flow or session that it is made in; `?29` whether it begins a change that has to be allowed, `?30` by which
/// proof, `?31` how old that may be.
pub const CREATE: &str = concat!(
    "INSERT INTO challenges (id, stamp, user_id, factor_id, app_id, purpose, channel, destination, country, locale, subject,
       is_test, digits, seed, pepper_id, generation, code_mac, code_expires_at, expires_at, resend_at, sends,
       wrong_answers_max, message_id, created_at, type, awaits, bound_to)
     SELECT ?3, ?4, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?10 IS NOT NULL, ?19, ?20, ?21, ?22,
       ?10 IS NOT NULL, ?23, ?24, ?2, ?26, ?27, ?28
     WHERE (?8 IS NULL OR EXISTS (SELECT 1 FROM apps WHERE id = ?8))
       AND (?7 IS NULL OR EXISTS (
         SELECT 1 FROM factors f
         WHERE f.id = ?7 AND f.user_id = ?6 AND f.type = ?26 AND coalesce(f.phone, f.email_normalised) IS ?11
           AND (f.activated_at IS NOT NULL) = ?25))
       AND (?6 IS NULL OR EXISTS (SELECT 1 FROM users WHERE id = ?6))
       AND (NOT ?29 OR ",
    change_is_allowed!("0", "?30", "?6", "?31", "?15", "?28"),
    ") AND ",
    claim_is_mine!(),
    " AND ",
    flow_has_room!("?28"),
    " AND ",
    not_refused!(),
    " AND ",
    have_room!()
);

/// Uses up the proof that has allowed a challenge. `?1` proof, `?2` now, `?3` challenge, `?4` stamp.
pub const CONSUME: &str = "UPDATE challenges SET consumed_at = ?2, consumed_by = ?3
  WHERE id = ?1 AND consumed_at IS NULL AND EXISTS (SELECT 1 FROM challenges n WHERE n.id = ?3 AND n.stamp = ?4)";

/// Tells why [`CREATE`] refused, beside limits and idempotency. `?1` id, `?2` stamp, `?3` app, `?4` the flow or session.
pub const CREATED: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM challenges WHERE id = ?1 AND stamp = ?2) AS made,
  (?3 IS NULL OR EXISTS (SELECT 1 FROM apps WHERE id = ?3)) AS app_known,
  NOT ",
    flow_has_room!("?4"),
    " AS is_full"
);

/// Decides an answer. `?1` MACs by pepper id, `?2` now, `?3` id, `?4` stamp, `?5` the failure limit, `?6` the limit of
/// failures in a row, `?7` to `?10` what the caller expects: destination, user, purpose, factor; `?11` whether a test
/// key asks, `?12` the flow or session that asks.
pub const ANSWER: &str = concat!("UPDATE challenges SET
    wrong_answers = wrong_answers + CASE WHEN r.is_right THEN 0 ELSE 1 END,
    verified_at = CASE WHEN r.is_right THEN ?2 END,
    code_mac = CASE WHEN r.is_right THEN NULL ELSE code_mac END,
    stamp = ?4
  FROM (
    SELECT c.id AS answered,
      c.code_mac = (SELECT m.value FROM json_each(?1) m WHERE m.key = c.pepper_id)
      AND (?7 IS NULL OR c.destination = ?7) AND (?8 IS NULL OR c.user_id IS ?8)
      AND (?9 IS NULL OR c.purpose = ?9) AND (?10 IS NULL OR c.factor_id IS ?10) AS is_right
    FROM challenges c WHERE c.id = ?3 AND c.is_test = ?11 AND c.bound_to IS ?12) r
  WHERE id = r.answered AND verified_at IS NULL AND ended_at IS NULL AND code_mac IS NOT NULL
    AND code_expires_at > ?2 AND wrong_answers < wrong_answers_max
    AND NOT EXISTS (
      SELECT 1 FROM counters n WHERE n.key = 'second_factor_failures:' || subject AND n.count >= ?5 AND n.expires_at > ?2)
    AND NOT EXISTS (
      SELECT 1 FROM counters n WHERE n.key = 'second_factor_failures_in_a_row:' || ",
    in_a_row_of!("subject"),
    " AND n.count >= ?6
        AND (n.expires_at IS NULL OR n.expires_at > ?2))");

/// Tells what an answer came to. `?1` id, `?2` now, `?3` and `?4` the two limits, `?5` whether a test key asks,
/// `?6` the flow or session that asks.
pub const ANSWERED: &str = select!(
    ", n.expires_at AS locked_until, r.count IS NOT NULL AS in_a_row, r.expires_at AS in_a_row_until
     FROM challenges c
     LEFT JOIN counters n ON n.key = 'second_factor_failures:' || c.subject AND n.count >= ?3 AND n.expires_at > ?2
     LEFT JOIN counters r ON r.key = 'second_factor_failures_in_a_row:' || ",
    in_a_row_of!("c.subject"),
    " AND r.count >= ?4
       AND (r.expires_at IS NULL OR r.expires_at > ?2)
     WHERE c.id = ?1 AND c.is_test = ?5 AND c.bound_to IS ?6"
);

/// Takes the turn to answer a challenge that no code was sent for: it carries the stamp from here on if it is open. What
/// accepts the answer, and [`DECIDE`], act only on that. `?1` id, `?2` now, `?3` whether a test key asks, `?4` stamp,
/// `?5` and `?6` the two limits, `?7` the flow or session that asks.
pub const OPEN: &str = concat!("UPDATE challenges SET stamp = ?4
  WHERE id = ?1 AND is_test = ?3 AND bound_to IS ?7 AND channel IS NULL AND verified_at IS NULL AND ended_at IS NULL AND expires_at > ?2
    AND wrong_answers < wrong_answers_max
    AND NOT EXISTS (
      SELECT 1 FROM counters n WHERE n.key = 'second_factor_failures:' || subject AND n.count >= ?5 AND n.expires_at > ?2)
    AND NOT EXISTS (
      SELECT 1 FROM counters n WHERE n.key = 'second_factor_failures_in_a_row:' || ",
    in_a_row_of!("subject"),
    " AND n.count >= ?6
        AND (n.expires_at IS NULL OR n.expires_at > ?2))");

/// Decides the answer of a challenge that [`OPEN`] has stamped: right if its factor was stamped by what accepts it.
/// `?1` id, `?2` now, `?3` the factor that answered, where the challenge names none, `?4` stamp, `?5` evidence; of a
/// wrong answer only where it failed is kept.
pub const DECIDE: &str = "UPDATE challenges SET
    wrong_answers = wrong_answers + CASE WHEN r.is_right THEN 0 ELSE 1 END,
    verified_at = CASE WHEN r.is_right THEN ?2 END,
    evidence = CASE WHEN r.is_right THEN ?5 ELSE json_patch('{}', json_object('failed_step', ?5 ->> 'failed_step')) END,
    factor_id = CASE WHEN r.is_right THEN coalesce(factor_id, ?3) ELSE factor_id END,
    user_id = CASE WHEN r.is_right THEN coalesce(user_id, (SELECT f.user_id FROM factors f WHERE f.id = ?3)) ELSE user_id END
  FROM (
    SELECT EXISTS (
      SELECT 1 FROM factors f WHERE f.id = coalesce(c.factor_id, ?3) AND f.stamp = ?4
        AND (c.user_id IS NULL OR f.user_id = c.user_id)) AS is_right
    FROM challenges c WHERE c.id = ?1) r
  WHERE id = ?1 AND stamp = ?4";

/// Reads a challenge's factor, and whether another one of the user has its destination. `?1` the challenge.
pub const FACTOR: &str = concat!(
    "SELECT ",
    factor_columns!(),
    ", EXISTS (SELECT 1 FROM factors o
      WHERE o.user_id = f.user_id AND o.activated_at IS NOT NULL AND o.id <> f.id
        AND (o.phone = f.phone OR o.email_normalised = f.email_normalised)) AS taken
  FROM challenges c JOIN factors f ON f.id = c.factor_id WHERE c.id = ?1"
);

/// Proves the factor of a challenge that was just verified. An enrolment activates it, unless the user has proven the
/// same destination meanwhile; or has got a factor since this one was added without any authority; or has got the first
/// strong one since this one was added, when a password or a mailbox may have allowed it (law 6); or another one was begun
/// on the same proof.
/// `?1` id, `?2` stamp, `?3` now.
pub const PROVE_FACTOR: &str = "UPDATE factors SET activated_at = coalesce(activated_at, ?3), last_used_at = ?3
  WHERE id = (SELECT factor_id FROM challenges WHERE id = ?1 AND stamp = ?2 AND verified_at IS NOT NULL)
    AND (activated_at IS NOT NULL OR NOT EXISTS (
      SELECT 1 FROM factors o WHERE o.user_id = factors.user_id AND o.activated_at IS NOT NULL
        AND ((factors.authority = 'none' AND o.type <> 'recovery_codes')
          OR o.phone = factors.phone OR o.email_normalised = factors.email_normalised
          OR (factors.authority = 'proof' AND o.type IN ('phone', 'totp', 'passkey') AND o.activated_at >= factors.created_at
            AND NOT EXISTS (SELECT 1 FROM factors s WHERE s.user_id = factors.user_id
              AND s.type IN ('phone', 'totp', 'passkey') AND s.activated_at <= factors.created_at)))))
    AND (activated_at IS NOT NULL OR authority <> 'proof' OR EXISTS (
      SELECT 1 FROM challenges c WHERE c.id = ?1 AND (c.bound_to IS NULL OR EXISTS (
        SELECT 1 FROM challenges p WHERE p.bound_to = c.bound_to AND p.consumed_by = factors.id))))";

/// Voids recovery codes that were made while there was nothing to recover: the user's first strong factor was proven
/// just now, and whoever had only the password then could have made them. `?1` id, `?2` stamp, `?3` now.
pub const VOID_RECOVERY: &str = "DELETE FROM factors WHERE type = 'recovery_codes' AND activated_at IS NOT NULL
  AND user_id = (
    SELECT f.user_id FROM challenges c JOIN factors f ON f.id = c.factor_id
    WHERE c.id = ?1 AND c.stamp = ?2 AND c.verified_at IS NOT NULL AND c.purpose = 'enrolment'
      AND f.activated_at = ?3 AND f.type IN ('phone', 'totp', 'passkey')
      AND NOT EXISTS (SELECT 1 FROM factors o WHERE o.user_id = f.user_id AND o.id <> f.id
        AND o.activated_at IS NOT NULL AND o.type IN ('phone', 'totp', 'passkey')))";

/// Puts a new code in the place of the old one. `?1` checks, `?2` now, `?3` id, `?4` stamp, `?5` idempotency key,
/// `?6` generation that is replaced, `?7` MAC, `?8` code's end, `?9` resend, `?10` sends allowed, `?11` message,
/// `?12` channel.
pub const RESEND: &str = concat!(
    "UPDATE challenges SET generation = generation + 1, sends = sends + 1, code_mac = ?7, code_expires_at = ?8,
       resend_at = ?9, message_id = ?11, channel = ?12, stamp = ?4
     WHERE id = ?3 AND generation = ?6 AND channel IS NOT NULL AND verified_at IS NULL AND ended_at IS NULL AND expires_at > ?2
       AND wrong_answers < wrong_answers_max AND resend_at <= ?2 AND sends < ?10
       AND ",
    claim_is_mine!(),
    " AND ",
    not_refused!(),
    " AND ",
    have_room!()
);

/// Ends a challenge whose first code certainly did not go out, unless another was sent meanwhile. `?1` id, `?2` now.
pub const SEND_FAILED: &str = "UPDATE challenges SET code_mac = NULL, ended_at = ?2, end_reason = 'send_failed'
  WHERE id = ?1 AND generation = 1 AND verified_at IS NULL AND ended_at IS NULL";

/// Kills a further code that certainly did not go out; another may be asked for at once. `?1` id, `?2` its
/// generation, `?3` now.
pub const RESEND_FAILED: &str = "UPDATE challenges SET code_mac = NULL, code_expires_at = ?3, sends = sends - 1,
    resend_at = ?3
  WHERE id = ?1 AND generation = ?2 AND verified_at IS NULL AND ended_at IS NULL";

/// Ends a pending challenge; what is over stays what it is. `?1` id, `?2` stamp, `?3` now, `?4` whether a test key asks,
/// `?5` the flow or session that asks.
pub const CANCEL: &str = "UPDATE challenges SET code_mac = NULL, ended_at = ?3, end_reason = 'canceled', stamp = ?2
  WHERE id = ?1 AND is_test = ?4 AND bound_to IS ?5 AND verified_at IS NULL AND ended_at IS NULL AND wrong_answers < wrong_answers_max
    AND expires_at > ?3";

/// Reads a challenge, for whoever asks here.
pub fn get(context: &Context, id: &ChallengeId) -> Statement {
    statement!(GET, id, context.credential().is_test, context.bond())
}

/// Ends a challenge whose first code did not go out.
pub fn send_failed(id: &ChallengeId, now: Timestamp) -> Statement {
    statement!(SEND_FAILED, id, now.millis())
}

/// Kills a further code that did not go out.
pub fn resend_failed(id: &ChallengeId, generation: i64, now: Timestamp) -> Statement {
    statement!(RESEND_FAILED, id, generation, now.millis())
}

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    GET,
    GET_FOR_RESEND,
    REGISTRATION,
    OUT_IN_FLOW,
    CREATE,
    CONSUME,
    CREATED,
    ANSWER,
    ANSWERED,
    OPEN,
    DECIDE,
    FACTOR,
    PROVE_FACTOR,
    VOID_RECOVERY,
    RESEND,
    SEND_FAILED,
    RESEND_FAILED,
    CANCEL,
];
