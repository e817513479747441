//! SQL of what the customer's endpoint is told.

/// Everything that is known beside a message, in one read. `?1` the message.
pub const TOLD: &str = "SELECT c.purpose, m.user_id,
    m.user_id IS NOT NULL AND (c.id IS NULL OR c.factor_id IS NOT NULL) AS is_second,
    a.id AS app_id, a.name AS app_name, a.metadata AS app_metadata,
    u.name, u.email, u.phone, u.external_id, u.metadata
  FROM messages m
  LEFT JOIN challenges c ON c.id = m.challenge_id
  LEFT JOIN apps a ON a.id = m.app_id
  LEFT JOIN users u ON u.id = m.user_id
  WHERE m.id = ?1";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[TOLD];
