//! Who hears events, as it is read. Its secrets are never read here.

use crate::{
    ports::{DatabaseError, Row},
    time::Timestamp,
};

/// Why an endpoint hears nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisabledReason {
    /// The operator switched it off.
    Operator,
    /// It took nothing for days, or said that it is gone.
    Failing,
}

impl DisabledReason {
    /// Every reason's name, for the contract.
    pub const NAMES: [&'static str; 2] = ["operator", "failing"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Failing => "failing",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Operator, Self::Failing].into_iter().find(|reason| reason.as_str() == name)
    }
}

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// Where events go.
    pub url: String,
    /// What it is called.
    pub description: Option<String>,
    /// What it hears.
    pub events: Vec<String>,
    /// Why it hears nothing; `None`: it is enabled.
    pub disabled: Option<DisabledReason>,
    /// Since when it has taken nothing.
    pub failing_since: Option<Timestamp>,
    /// Until when the secret before this one signs too.
    pub previous_expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl Endpoint {
    /// Reads a row of the store.
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        let malformed = || DatabaseError::Other("a stored endpoint is malformed".to_owned());
        let moment = |column| row.opt_int(column).map(Timestamp::from_millis);
        Ok(Self {
            id: row.text("id")?.to_owned(),
            url: row.text("url")?.to_owned(),
            description: row.opt_text("description").map(str::to_owned),
            events: serde_json::from_str(row.text("events")?).map_err(|_| malformed())?,
            disabled: match row.opt_text("disabled_reason") {
                Some(name) => Some(DisabledReason::parse(name).ok_or_else(malformed)?),
                None => None,
            },
            failing_since: moment("failing_since"),
            previous_expires_at: moment("previous_expires_at"),
            created_at: Timestamp::from_millis(row.int("created_at")?),
            updated_at: Timestamp::from_millis(row.int("updated_at")?),
        })
    }
}
