//! `Idempotency-Key`: the same call twice happens once. A key is reserved in the batch of what it guards, lives
//! 24 hours, and stores ids only: a repeated call is answered with the thing's present state.

use std::time::Duration;

use crate::{
    context::Context,
    ports::{DatabaseError, Row, Statement},
    statement,
    time::Timestamp,
};

/// How long a key is known.
pub const LIFETIME: Duration = Duration::from_hours(24);

/// After this long a call that never finished counts as done: its thing exists, and doing it again could send twice.
const RUNNING: Duration = Duration::from_secs(60);

/// A call's key. Credential, operation and key are one MAC; the body is another, since it may hold a number.
#[derive(Clone, Debug)]
pub struct Reservation {
    key: String,
    fingerprint: String,
}

/// Whose call it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This one's; go on.
    Mine,
    /// An earlier one's, which made this.
    Replay(String),
    /// One that is still running.
    Running,
    /// An earlier one's with another body.
    Reused,
}

const RESERVE: &str = "INSERT INTO idempotency_keys (key, fingerprint, resource_id, state, stamp, created_at)
  VALUES (?1, ?2, ?3, 'running', ?4, ?5)
  ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, resource_id = excluded.resource_id,
    state = 'running', stamp = excluded.stamp, created_at = excluded.created_at
  WHERE created_at <= ?6";
const LOOK_UP: &str = "SELECT fingerprint, resource_id, state, stamp, created_at FROM idempotency_keys WHERE key = ?1";
const FINISH: &str = "UPDATE idempotency_keys SET state = 'done' WHERE key = ?1 AND stamp = ?2";
const RELEASE: &str = "DELETE FROM idempotency_keys WHERE key = ?1 AND stamp = ?2";
const RELEASE_UNLESS_MADE: &str = "DELETE FROM idempotency_keys
  WHERE key = ?1 AND stamp = ?2
    AND NOT EXISTS (SELECT 1 FROM challenges c WHERE c.id = resource_id AND c.stamp = ?2)
    AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = resource_id AND u.stamp = ?2)
    AND NOT EXISTS (SELECT 1 FROM factors f WHERE f.id = resource_id AND f.stamp = ?2)
    AND NOT EXISTS (SELECT 1 FROM api_keys k WHERE k.id = resource_id AND k.stamp = ?2)
    AND NOT EXISTS (SELECT 1 FROM apps a WHERE a.id = resource_id AND a.stamp = ?2)
    AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = resource_id AND m.stamp = ?2)
    AND NOT EXISTS (SELECT 1 FROM invitations i WHERE i.id = resource_id AND i.stamp = ?2)
    AND NOT EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.id = resource_id AND w.stamp = ?2)
    AND NOT EXISTS (SELECT 1 FROM devices d WHERE d.id = resource_id AND d.stamp = ?2)
    AND NOT EXISTS (SELECT 1 FROM fraud_entries e WHERE e.id = resource_id AND e.stamp = ?2)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[RESERVE, LOOK_UP, FINISH, RELEASE, RELEASE_UNLESS_MADE];

/// Part of a deciding statement's WHERE: there is no key (`?5` is NULL), or it carries this request's stamp `?4`.
#[macro_export]
macro_rules! claim_is_mine {
    () => {
        "(?5 IS NULL OR EXISTS (SELECT 1 FROM idempotency_keys WHERE key = ?5 AND stamp = ?4))"
    };
}

impl Reservation {
    /// The reservation of one call: who calls, which operation on which path, the header's text, the body.
    pub fn new(context: &Context, operation: &str, path: &str, header: &str, body: &str) -> Self {
        let pepper = context.pepper();
        Self {
            key: pepper.fingerprint(&format!("{}\0{operation}\0{path}\0{header}", context.actor())),
            fingerprint: pepper.fingerprint(body),
        }
    }

    /// The key, for deciding statements.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Reserves the key for a thing that is about to be made.
    pub fn reserve(&self, resource: &str, stamp: &str, now: Timestamp) -> Statement {
        let expired = now.before(LIFETIME).millis();
        statement!(RESERVE, self.key.as_str(), self.fingerprint.as_str(), resource, stamp, now.millis(), expired)
    }

    /// Gives the key back when nothing was made: a refusal consumes nothing.
    pub fn release_unless_made(&self, stamp: &str) -> Statement {
        statement!(RELEASE_UNLESS_MADE, self.key.as_str(), stamp)
    }

    /// Gives the key back: what was made has come to nothing, and the call may be tried again.
    pub fn release(&self, stamp: &str) -> Statement {
        statement!(RELEASE, self.key.as_str(), stamp)
    }

    /// The call is done.
    pub fn finish(&self, stamp: &str) -> Statement {
        statement!(FINISH, self.key.as_str(), stamp)
    }

    /// Reads the key, at the end of the batch.
    pub fn look_up(&self) -> Statement {
        statement!(LOOK_UP, self.key.as_str())
    }

    /// Whose call it is, from the answer of [`Reservation::look_up`]. No row: it was this one's, and was given back.
    pub fn claim(&self, rows: &[Row], stamp: &str, now: Timestamp) -> Result<Claim, DatabaseError> {
        let Some(row) = rows.first() else { return Ok(Claim::Mine) };
        if row.text("stamp")? == stamp {
            return Ok(Claim::Mine);
        }
        let started = Timestamp::from_millis(row.int("created_at")?);
        if now >= started + LIFETIME {
            return Ok(Claim::Mine);
        }
        if row.text("fingerprint")? != self.fingerprint {
            return Ok(Claim::Reused);
        }
        if row.text("state")? == "running" && now < started + RUNNING {
            return Ok(Claim::Running);
        }
        Ok(Claim::Replay(row.text("resource_id")?.to_owned()))
    }
}
