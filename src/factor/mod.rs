//! Factors: what a user can prove. Active only after the proof; a further one needs a proof of an
//! existing one, or the server's override (law 6).

pub mod enrol;
pub mod remove;
pub mod store;

use crate::{
    ids::{ChallengeId, FactorId},
    phone::PhoneNumber,
    ports::{DatabaseError, Row},
    time::Timestamp,
};

/// A factor as it is read.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// Its kind.
    pub kind: String,
    /// What the user calls it.
    pub name: Option<String>,
    /// A phone's number.
    pub phone: Option<PhoneNumber>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was proven; `None`: not yet.
    pub activated_at: Option<Timestamp>,
    /// When it was last proven.
    pub last_used_at: Option<Timestamp>,
}

impl Factor {
    /// Reads a row of the store.
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        let malformed = || DatabaseError::Other("a stored factor is malformed".to_owned());
        Ok(Self {
            id: FactorId::parse(row.text("id")?).ok_or_else(malformed)?,
            kind: row.text("type")?.to_owned(),
            name: row.opt_text("name").map(str::to_owned),
            phone: row.opt_text("phone").map(PhoneNumber::from_stored).transpose().map_err(|_| malformed())?,
            created_at: Timestamp::from_millis(row.int("created_at")?),
            activated_at: row.opt_int("activated_at").map(Timestamp::from_millis),
            last_used_at: row.opt_int("last_used_at").map(Timestamp::from_millis),
        })
    }
}

/// What allows a change of factors.
#[derive(Clone, Debug)]
pub enum Authority {
    /// Nothing: enough for a first factor, and to give up an unproven one.
    None,
    /// A verified challenge of the same user, at most ten minutes old; it is consumed.
    Proof(ChallengeId),
    /// The server's word, with its reason, audited.
    Override(String),
}

impl Authority {
    fn proof(&self) -> Option<&ChallengeId> {
        match self {
            Self::Proof(id) => Some(id),
            Self::None | Self::Override(_) => None,
        }
    }

    fn is_override(&self) -> bool {
        matches!(self, Self::Override(_))
    }

    /// The reason, for the event.
    fn reason(&self) -> Option<&str> {
        match self {
            Self::Override(reason) => Some(reason),
            Self::None | Self::Proof(_) => None,
        }
    }

    /// Which kind, for the event.
    fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Proof(_) => "proof",
            Self::Override(_) => "override",
        }
    }
}
