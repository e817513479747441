//! Factors: what a user can prove. One file per type behind the interface in `kind.rs`. Active only after the proof;
//! a further one needs a proof of an existing one, or the server's override (law 6).

mod email;
pub mod enrol;
mod kind;
pub mod notice;
pub mod passkey;
pub mod password;
mod phone;
pub mod recovery_codes;
pub mod remove;
pub mod rename;
pub mod store;
pub mod totp;

use serde_json::Value;

use password::NewPassword;

pub use kind::{Begun, FactorType, Kind, Person, ProofOf, ProveError, Verdict};

use crate::{
    challenge::create::CreateError,
    config::{Issue, Stops},
    context::Context,
    crypto::OpenError,
    email::EmailAddress,
    ids::{ChallengeId, FactorId},
    message::{Channel, Destination},
    phone::PhoneNumber,
    ports::{DatabaseError, Level, Row},
    time::Timestamp,
};

/// What is to be added.
pub enum New {
    /// A phone, and how its code goes.
    Phone(PhoneNumber, Channel),
    /// An authenticator app.
    Totp,
    /// A set of recovery codes, in the place of the one there is.
    RecoveryCodes,
    /// A mailbox.
    Email(EmailAddress),
    /// A password.
    Password(NewPassword),
    /// A passkey, which the browser makes.
    Passkey,
}

impl New {
    /// The type of factor.
    pub fn kind(&self) -> FactorType {
        match self {
            Self::Phone(..) => FactorType::Phone,
            Self::Totp => FactorType::Totp,
            Self::RecoveryCodes => FactorType::RecoveryCodes,
            Self::Email(..) => FactorType::Email,
            Self::Password(_) => FactorType::Password,
            Self::Passkey => FactorType::Passkey,
        }
    }
}

/// The file of a type; `None` while there is none.
pub fn kind(of: FactorType) -> Option<&'static dyn Kind> {
    match of {
        FactorType::Phone => Some(&phone::Phone),
        FactorType::Password => Some(&password::PasswordFactor),
        FactorType::Totp => Some(&totp::Totp),
        FactorType::RecoveryCodes => Some(&recovery_codes::RecoveryCodes),
        FactorType::Email => Some(&email::Email),
        FactorType::Passkey => Some(&passkey::Passkey),
    }
}

/// What is to be added is of another type than the file that was asked.
fn unlike(new: &New) -> enrol::EnrolError {
    CreateError::NotSupported(new.kind()).into()
}

/// A secret at rest does not open: that is no wrong answer, but a wrong deployment.
fn sealed(context: &Context, error: &OpenError) -> ProveError {
    misconfigured(context, "ENCRYPTION_KEYS", format!("a secret at rest cannot be read: {error}"))
}

/// An answer cannot be held against a factor for want of a key. The operator reads it in the log, too.
fn misconfigured(context: &Context, variable: &'static str, detail: String) -> ProveError {
    context.log(Level::Error, &detail);
    ProveError::Misconfigured(Issue { variable, stops: Stops::Challenges, detail })
}

/// A factor as it is read. What it is proven with is never read with it.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// Whose it is.
    pub user_id: String,
    /// Its type.
    pub kind: FactorType,
    /// What the user calls it.
    pub name: Option<String>,
    /// A phone's number, or a mailbox.
    pub destination: Option<Destination>,
    /// A passkey's credential id, base64url.
    pub credential_id: Option<String>,
    /// What else its type keeps.
    pub data: Value,
    /// How many recovery codes are left.
    pub codes_left: i64,
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
        let destination = row.opt_text("phone").or_else(|| row.opt_text("email_normalised"));
        Ok(Self {
            id: FactorId::parse(row.text("id")?).ok_or_else(malformed)?,
            user_id: row.text("user_id")?.to_owned(),
            kind: FactorType::parse(row.text("type")?).ok_or_else(malformed)?,
            name: row.opt_text("name").map(str::to_owned),
            destination: destination.map(|text| Destination::from_stored(text).ok_or_else(malformed)).transpose()?,
            credential_id: row.opt_text("credential_id").map(str::to_owned),
            data: serde_json::from_str(row.text("data")?).map_err(|_| malformed())?,
            codes_left: row.opt_int("codes_left").unwrap_or(0),
            created_at: Timestamp::from_millis(row.int("created_at")?),
            activated_at: row.opt_int("activated_at").map(Timestamp::from_millis),
            last_used_at: row.opt_int("last_used_at").map(Timestamp::from_millis),
        })
    }

    /// Whether it was proven.
    pub fn is_active(&self) -> bool {
        self.activated_at.is_some()
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
    pub(crate) fn proof(&self) -> Option<&ChallengeId> {
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
