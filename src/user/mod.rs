//! Users: people, found by e-mail, phone or the customer's own id.

pub mod change;
pub mod store;

use serde_json::Value;

use crate::{
    phone::PhoneNumber,
    policy::{Exception, GraceUsed},
    ports::{DatabaseError, Row},
    time::Timestamp,
};

/// A user as they are read.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: String,
    /// The customer's own id of them.
    pub external_id: Option<String>,
    /// Their e-mail address, as it was given.
    pub email: Option<String>,
    /// When they proved that it is theirs; `None`: they have not, or it is another one now.
    pub email_verified_at: Option<Timestamp>,
    /// The number that they sign in with.
    pub phone: Option<PhoneNumber>,
    /// When they proved that it is theirs; `None`: they have not, or it is another one now.
    pub phone_verified_at: Option<Timestamp>,
    /// When the server has shut them out.
    pub disabled_at: Option<Timestamp>,
    /// Their name.
    pub name: Option<String>,
    /// Their language.
    pub locale: Option<String>,
    /// What the customer keeps with them.
    pub metadata: Value,
    /// When they were made.
    pub created_at: Timestamp,
    /// When they were changed.
    pub updated_at: Timestamp,
    /// What the server has said of their factors.
    pub exception: Exception,
    /// How much of the grace before an enrolment they have used.
    pub grace: GraceUsed,
    /// Wrong second-factor answers in a row.
    pub failures_in_a_row: i64,
    /// Until when second factors are refused.
    pub locked_until: Option<Timestamp>,
}

impl User {
    /// Reads a row of the store.
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        let text = |column| row.opt_text(column).map(str::to_owned);
        Ok(Self {
            id: row.text("id")?.to_owned(),
            external_id: text("external_id"),
            email: text("email"),
            email_verified_at: row.opt_int("email_verified_at").map(Timestamp::from_millis),
            phone: row.opt_text("phone").and_then(|number| PhoneNumber::from_stored(number).ok()),
            phone_verified_at: row.opt_int("phone_verified_at").map(Timestamp::from_millis),
            disabled_at: row.opt_int("disabled_at").map(Timestamp::from_millis),
            name: text("name"),
            locale: text("locale"),
            metadata: serde_json::from_str(row.text("metadata")?)
                .map_err(|_| DatabaseError::Other("a stored user is malformed".to_owned()))?,
            created_at: Timestamp::from_millis(row.int("created_at")?),
            updated_at: Timestamp::from_millis(row.int("updated_at")?),
            exception: serde_json::from_str(row.text("mfa")?)
                .ok()
                .and_then(|stored| Exception::read(&stored))
                .ok_or_else(|| DatabaseError::Other("a stored user is malformed".to_owned()))?,
            grace: GraceUsed {
                started_at: row.opt_int("grace_started_at").map(Timestamp::from_millis),
                sign_ins: row.opt_int("grace_sign_ins").and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
            },
            failures_in_a_row: row.opt_int("failures_in_a_row").unwrap_or(0),
            locked_until: row.opt_int("locked_until").map(Timestamp::from_millis),
        })
    }
}
