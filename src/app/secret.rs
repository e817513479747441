//! Client secrets: 256 bits, shown once, kept as their SHA-256. Two live while one takes the other's place.

use serde_json::Value;

use super::malformed;
use crate::{
    crypto::{new_token, token_hash},
    few::sort_few,
    ports::{DatabaseError, Random},
    secret::Secret,
    time::Timestamp,
};

/// What every client secret begins with.
pub const PREFIX: &str = "cs_";

/// What is shown of a client secret.
#[derive(Clone, Debug)]
pub struct SecretHint {
    /// Its id.
    pub id: String,
    /// Its last four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None`: once it is rotated.
    pub expires_at: Option<Timestamp>,
}

impl SecretHint {
    /// Reads the list that the store makes, and puts the newest first.
    pub(super) fn read(stored: &str) -> Result<Vec<Self>, DatabaseError> {
        let rows: Vec<Value> = serde_json::from_str(stored).map_err(|_| malformed())?;
        let read = |row: &Value| {
            let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
            let moment = |name: &str| row.get(name).and_then(Value::as_i64).map(Timestamp::from_millis);
            Some(Self {
                id: text("id")?,
                hint: text("hint")?,
                created_at: moment("created_at")?,
                expires_at: moment("expires_at"),
            })
        };
        let mut all: Vec<Self> = rows.iter().map(|row| read(row).ok_or_else(malformed)).collect::<Result<_, _>>()?;
        // Ids of one millisecond have no order; what has no end is the newest.
        sort_few(&mut all, |one, other| (one.expires_at.is_some(), &other.id) < (other.expires_at.is_some(), &one.id));
        Ok(all)
    }
}

/// A new client secret.
pub(super) fn new(random: &dyn Random) -> Secret {
    new_token(PREFIX, random)
}

/// The last four characters.
pub(super) fn hint(secret: &Secret) -> String {
    secret.expose().chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect()
}

/// What a client has given as its secret, for `client_is_authentic!`; `None`: it gave none. A text of any form is
/// hashed: one that no app has is nobody's.
pub fn hash_of(given: Option<&str>) -> Option<String> {
    given.map(token_hash)
}
