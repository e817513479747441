//! Apps: clients of the instance. So far an app is a name and its own rule for multi-factor authentication.

pub mod change;
pub mod store;

use serde_json::{Map, Value};

use crate::{
    ports::{DatabaseError, Row},
    time::Timestamp,
};

/// An app as it is read.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id, the `client_id`.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What is stored of its own rule; empty: it uses the instance's.
    pub mfa: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl App {
    /// Reads a row of the store.
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        let malformed = || DatabaseError::Other("a stored app is malformed".to_owned());
        let created_at = Timestamp::from_millis(row.int("created_at")?);
        Ok(Self {
            id: row.text("id")?.to_owned(),
            name: row.text("name")?.to_owned(),
            mfa: serde_json::from_str(row.text("mfa")?).map_err(|_| malformed())?,
            created_at,
            updated_at: Timestamp::from_millis(row.int("updated_at")?.max(created_at.millis())),
        })
    }
}
