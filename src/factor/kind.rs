//! The types of factor, and the one small interface behind which each of them is one file.

use serde_json::{Map, Value};

use super::{Factor, enrol::EnrolError};
use crate::{
    challenge::{Challenge, Given, create::CreateError},
    config::Issue,
    context::Context,
    ids::FactorId,
    message::{Channel, Destination},
    ports::{DatabaseError, PortFuture, Rows, Statement},
    user::User,
};

/// A type of factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactorType {
    /// Something the user knows.
    Password,
    /// A phone that gets codes by SMS or call.
    Phone,
    /// A mailbox that gets codes.
    Email,
    /// An authenticator app (RFC 6238).
    Totp,
    /// A passkey (WebAuthn).
    Passkey,
    /// Codes kept for the day when all else is lost.
    RecoveryCodes,
}

impl FactorType {
    /// Every type's name, for the contract.
    pub const NAMES: [&'static str; 6] = ["password", "phone", "email", "totp", "passkey", "recovery_codes"];

    /// Every type.
    pub const ALL: [Self; 6] =
        [Self::Password, Self::Phone, Self::Email, Self::Totp, Self::Passkey, Self::RecoveryCodes];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RecoveryCodes => "recovery_codes",
        }
    }

    /// The type with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it is proven with a code that was sent; all others are proven with something the user holds.
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Phone | Self::Email)
    }
}

/// What a new factor is made of.
pub struct Begun {
    /// Its destination, where it has one.
    pub destination: Option<Destination>,
    /// What it is proven with, as it is stored: sealed or hashed.
    pub secret: Option<String>,
    /// What else is kept and may be seen.
    pub data: Map<String, Value>,
    /// What proves it.
    pub proof: ProofOf,
    /// Whether it takes the place of the user's active factor of the same type.
    pub replaces: bool,
    /// Statements for what is kept beside its row, to run on the factor's stamp; they go with it by a cascade.
    pub beside: Vec<Statement>,
    /// What this one answer shows and no later one: a TOTP secret, recovery codes, a passkey's options.
    pub shown: Map<String, Value>,
}

/// What proves a new factor.
pub enum ProofOf {
    /// A code that is sent to its destination this way.
    Sent(Channel),
    /// An answer that the user's device gives; what the challenge awaits.
    Held(Value),
    /// Nothing further: it was made here, or typed in this very call. It is active at once.
    Nothing,
}

/// Whose new factor it is, and which.
pub struct Person {
    /// The id that the new factor will have: a secret is sealed for it alone.
    pub factor: FactorId,
    /// The user.
    pub user: User,
    /// Their factors, pending ones too.
    pub factors: Vec<Factor>,
}

/// What came of holding an answer against a factor.
pub struct Verdict {
    /// Whether the answer is right as far as the program can tell.
    pub is_right: bool,
    /// The factor that answered, where the challenge names none.
    pub factor: Option<String>,
    /// Whose factor that is.
    pub user: Option<String>,
    /// The statements that accept it: conditional on the challenge's stamp, and each sets the factor's stamp.
    /// They say the last word: a TOTP step passes once.
    pub accept: Vec<Statement>,
    /// What the proof has shown beyond the factor.
    pub evidence: Value,
}

impl Verdict {
    /// The answer is wrong.
    pub fn wrong() -> Self {
        Self { is_right: false, factor: None, user: None, accept: Vec::new(), evidence: Value::Object(Map::new()) }
    }
}

/// Why an answer could not be held against a factor.
#[derive(Debug)]
pub enum ProveError {
    /// The database failed.
    Database(DatabaseError),
    /// A variable is missing or malformed.
    Misconfigured(Issue),
}

impl From<DatabaseError> for ProveError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// One type of factor: begin, prove, describe, remove.
pub trait Kind: Sync {
    /// Judges what is to be added before it is begun, and asks others where that is needed. What they said is kept with
    /// the factor.
    ///
    /// # Errors
    /// What cannot be enrolled, and why.
    fn consult<'a>(
        &'a self,
        _context: &'a Context,
        _person: Option<&'a Person>,
        _new: &'a super::New,
    ) -> PortFuture<'a, Result<Map<String, Value>, EnrolError>> {
        Box::pin(async { Ok(Map::new()) })
    }

    /// Begins an enrolment. Nothing is stored yet.
    ///
    /// # Errors
    /// What cannot be enrolled, and why.
    fn begin(&self, context: &Context, person: Option<&Person>, new: &super::New) -> Result<Begun, EnrolError>;

    /// What a challenge of an existing factor awaits, and what its answer shows for it (`public_key`).
    ///
    /// # Errors
    /// Why it cannot be asked.
    fn challenge(&self, _context: &Context, _factors: &[Factor]) -> Result<(Value, Map<String, Value>), CreateError> {
        Ok((Value::Object(Map::new()), Map::new()))
    }

    /// What has to be read to hold an answer against it, in the batch that reads the challenge.
    fn reads(&self, _challenge: &str, _given: &Given) -> Vec<Statement> {
        Vec::new()
    }

    /// Holds an answer against what is stored. `read` is what came of [`Kind::reads`]. Types whose codes are sent are
    /// decided in SQL and never come here.
    fn prove<'a>(
        &'a self,
        _context: &'a Context,
        _challenge: &'a Challenge,
        _read: &'a [Rows],
        _given: &'a Given,
        _stamp: &'a str,
    ) -> PortFuture<'a, Result<Verdict, ProveError>> {
        Box::pin(async { Ok(Verdict::wrong()) })
    }

    /// The members of the answer that are shown this once: the same call again gets null for each.
    fn shows_once(&self) -> &'static [&'static str] {
        &[]
    }

    /// What lists and answers show beyond what every factor has. Nothing that proves it.
    fn describe(&self, factor: &Factor) -> Map<String, Value>;

    /// What else happens when one was added that needs no further proof: on the factor's stamp.
    fn added(&self, _user: &str, _factor: &str, _stamp: &str) -> Vec<Statement> {
        Vec::new()
    }

    /// What else happens when one is removed; the row and what hangs on it are gone by themselves.
    fn remove(&self, _user: &str, _stamp: &str) -> Vec<Statement> {
        Vec::new()
    }
}
