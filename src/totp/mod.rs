//! Authenticator apps: RFC 6238 codes and their verification, the secret, and how it gets into an app. Pure: what has
//! been accepted before is decided in the database, by the step that [`TotpSecret::matching_step`] gives.

mod base32;
mod code;
mod qr;
mod secret;
mod uri;

use std::time::Duration;

pub use qr::svg;
pub use secret::TotpSecret;
pub use uri::uri;

use crate::{
    crypto::CodeLength,
    time::{Timestamp, millis},
};

/// How long a code is shown. Apps know no other period reliably.
pub const PERIOD: Duration = Duration::from_secs(30);

/// The hash of the HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-1, which every app knows. HMAC does not rest on what SHA-1 has lost.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// Every algorithm's name, for the contract.
    pub const NAMES: [&'static str; 3] = ["sha1", "sha256", "sha512"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The algorithm with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// How long a secret is, in bytes: as long as the hash (RFC 6238 §5.1), so 160 bits for SHA-1.
    pub fn secret_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// How many digits a code has: 6 or 8, which apps show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits(u8);

impl Digits {
    /// Six.
    pub const SIX: Self = Self(6);

    /// Accepts 6 and 8.
    pub fn new(digits: i64) -> Option<Self> {
        u8::try_from(digits).ok().filter(|digits| matches!(digits, 6 | 8)).map(Self)
    }

    /// The number of digits.
    pub fn get(self) -> u8 {
        self.0
    }

    fn code_length(self) -> CodeLength {
        CodeLength::new(i64::from(self.0)).unwrap_or(CodeLength::DEFAULT)
    }
}

/// What a factor was made with. It keeps these, whatever the settings say later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The hash.
    pub algorithm: Algorithm,
    /// The digits.
    pub digits: Digits,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { algorithm: Algorithm::Sha1, digits: Digits::SIX }
    }
}

/// Which steps a code may be of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// The current one only.
    Strict,
    /// The one before, too: the one step of delay that RFC 6238 §5.2 recommends at most.
    #[default]
    Previous,
}

impl Window {
    /// From the setting: 0 or 1 steps back.
    pub fn new(steps: i64) -> Option<Self> {
        match steps {
            0 => Some(Self::Strict),
            1 => Some(Self::Previous),
            _ => None,
        }
    }

    /// How many steps back.
    pub fn steps(self) -> i64 {
        match self {
            Self::Strict => 0,
            Self::Previous => 1,
        }
    }
}

/// A time step: how many periods have passed since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(i64);

impl Step {
    /// The step of a moment.
    pub fn at(moment: Timestamp) -> Self {
        Self(moment.millis().div_euclid(millis(PERIOD)))
    }

    /// Its number, for the database.
    pub fn number(self) -> i64 {
        self.0
    }

    fn before(self, steps: i64) -> Self {
        Self(self.0.saturating_sub(steps))
    }

    /// The moving factor of RFC 4226; none before 1970.
    fn counter(self) -> Option<u64> {
        u64::try_from(self.0).ok()
    }
}
