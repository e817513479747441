//! SQL of what carriers are told of a code's fate. Each statement claims the tries that are to be told, and gives them:
//! whoever comes second finds none.

/// The messages that have brought the living code of the challenge `?1`: one, and the call after it.
macro_rules! its_messages {
    ($when:literal) => {
        concat!(
            "message_id IN (SELECT m.id FROM challenges c JOIN messages m ON m.challenge_id = c.id AND m.generation = c.generation
               WHERE c.id = ?1 AND ",
            $when,
            ")"
        )
    };
}

/// The code of a challenge was given back rightly. Of several drivers that took the same message, Messages hear it only
/// where theirs arrived, or was the last; Verify has to hear of each. `?1` the challenge.
pub const APPROVED: &str = concat!(
    "UPDATE message_tries SET feedback = CASE driver WHEN 'twilio' THEN 'confirmed' ELSE 'approved' END
  WHERE feedback IS NULL AND outcome = 'accepted' AND provider_id IS NOT NULL
    AND ",
    its_messages!("c.verified_at IS NOT NULL"),
    " AND driver IN ('twilio', 'twilio_verify') AND (driver = 'twilio_verify' OR (reported IS NOT 'failed'
      AND EXISTS (SELECT 1 FROM messages m WHERE m.id = message_tries.message_id AND m.channel = 'sms')
      AND (reported = 'delivered' OR (
        EXISTS (SELECT 1 FROM challenges c WHERE c.id = ?1 AND c.message_id = message_tries.message_id)
        AND NOT EXISTS (SELECT 1 FROM message_tries l
          WHERE l.message_id = message_tries.message_id AND l.rowid > message_tries.rowid AND l.outcome = 'accepted')))))
  RETURNING id, driver, provider_id"
);

/// A challenge was canceled: its code is not waited for any more. `?1` the challenge.
pub const CANCELED: &str = concat!(
    "UPDATE message_tries SET feedback = 'canceled'
  WHERE feedback IS NULL AND outcome = 'accepted' AND provider_id IS NOT NULL AND driver = 'twilio_verify'
    AND ",
    its_messages!("c.end_reason = 'canceled'"),
    " RETURNING id, driver, provider_id"
);

/// A challenge has another code. Verify goes on with one verification for one number, so that the new code may be of the
/// same one: that is not canceled. `?1` the challenge.
pub const REPLACED: &str = "UPDATE message_tries SET feedback = 'canceled'
  WHERE feedback IS NULL AND outcome = 'accepted' AND provider_id IS NOT NULL AND driver = 'twilio_verify'
    AND message_id IN (SELECT m.id FROM challenges c JOIN messages m ON m.challenge_id = c.id
      WHERE c.id = ?1 AND m.id <> c.message_id)
    AND NOT EXISTS (SELECT 1 FROM challenges c JOIN message_tries l ON l.message_id = c.message_id
      WHERE c.id = ?1 AND l.driver = 'twilio_verify'
        AND (l.provider_id = message_tries.provider_id OR coalesce(l.outcome, 'unknown') = 'unknown'))
  RETURNING id, driver, provider_id";

/// The carrier did not take it. `?1` the try.
pub const NOT_TAKEN: &str = "UPDATE message_tries SET feedback = NULL WHERE id = ?1";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[APPROVED, CANCELED, REPLACED, NOT_TAKEN];
