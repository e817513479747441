//! Phone numbers: reads what people type, tells what could be a number, and where it belongs.
//! Everything else in Postern holds a number as [`PhoneNumber`], which never prints itself whole.
//!
//! ```
//! use postern::phone::{CallingCode, PhoneNumber, Validation};
//!
//! let home = CallingCode::parse("+1")?;
//! let number = PhoneNumber::parse("(415) 555-2671", Some(home), Validation::Possible)?;
//! assert_eq!(number.e164(), "+14155552671");
//! assert_eq!(number.country().as_str(), "US");
//! assert_eq!(number.masked(), "+1••••••2671");
//! # Ok::<(), postern::phone::PhoneError>(())
//! ```
//!
//! The numbering plans come from libphonenumber's metadata, as a generated table; see `table.rs`.

mod country;
mod error;
mod form;
mod kind;
mod mask;
mod parse;
mod prefix;
mod range;
mod read;
mod table;

pub use country::{CallingCode, Country, countries_of, is_known_country};
pub use error::PhoneError;
pub use form::{is_e164_form, is_test_number};
pub use kind::NumberKind;
pub use range::is_prefix;
pub use read::MAX_TYPED_CHARS;
pub use table::metadata_release;

use parse::Parts;
use table::Plan;

/// How closely a number is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Validation {
    /// Refuses what cannot exist: a count of digits that no number of the calling code has, or a
    /// first digit that no number of that length has. In North America no area code and no
    /// exchange begins with 0 or 1. Numbers that only look unassigned pass, since countries open
    /// new ranges and the table is older than the newest of them.
    #[default]
    Possible,
    /// Also refuses what is in no range known to be assigned (libphonenumber's "valid").
    Valid,
}

/// A phone number in E.164 form.
///
/// Two numbers are equal if their E.164 forms are. `Debug` prints the masked form and there is no
/// `Display`, so that a number gets into a log or an answer only through [`e164`](Self::e164).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number as people type it: `+1 (415) 555-2671`, `0041 44 668 18 00`, `tel:` links,
    /// digits of other scripts, and, where `home` is given, numbers as that calling code's main
    /// country dials them: `020 7946 0018`, `011 44 …`.
    ///
    /// Numbers for trials ([`is_test`](Self::is_test)) pass before anything is looked up. Numbers
    /// of premium rate, of shared cost, of pagers and of satellite phones are refused under both
    /// settings, as far as their ranges are known; all other kinds pass, also universal access
    /// numbers, mailboxes and toll-free numbers.
    ///
    /// # Errors
    ///
    /// The reason why it is refused. A number of the world's plans that has fewer than 7 or more
    /// than 15 digits in all is refused too: E.164 has no room for the longer ones.
    pub fn parse(typed: &str, home: Option<CallingCode>, validation: Validation) -> Result<Self, PhoneError> {
        let parts = parse::resolve(&read::read(typed)?, home)?;
        let e164 = parts.e164();
        if !is_test_number(&e164) {
            check(&parts, validation)?;
        }
        Ok(Self(e164))
    }

    /// Takes a number in E.164 form from where it was stored or configured. Only the form is
    /// checked ([`is_e164_form`]).
    ///
    /// # Errors
    ///
    /// [`PhoneError::NotE164`].
    pub fn from_stored(e164: &str) -> Result<Self, PhoneError> {
        if is_e164_form(e164) { Ok(Self(e164.to_owned())) } else { Err(PhoneError::NotE164) }
    }

    /// The whole number: `+` and digits.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// The country calling code; 0 if a stored number has one that is not in use.
    #[must_use]
    pub fn calling_code(&self) -> u16 {
        self.split().map_or(0, |(plan, _)| plan.calling_code())
    }

    /// The country of the number, by the range it is in. A number in no known range belongs to
    /// the country its leading digits tell, or else to the main country of its calling code: an
    /// unassigned area code under +1 counts as `US`. [`Country::UNKNOWN`] if a stored number has
    /// a calling code that is not in use.
    #[must_use]
    pub fn country(&self) -> Country {
        self.split().map_or(Country::UNKNOWN, |(plan, national)| {
            let place = match plan.verdict(national) {
                Some(verdict) => verdict.place,
                None => plan.leading(national).unwrap_or(0),
            };
            Country::from_table(plan.country(place))
        })
    }

    /// What the number is for.
    #[must_use]
    pub fn kind(&self) -> NumberKind {
        self.split().map_or(NumberKind::Unknown, |(plan, national)| NumberKind::of(plan, national))
    }

    /// The number with most digits hidden, to show or to log: `+1••••••2671`. The calling code and
    /// at most the last four digits stay, and at least half of the other digits is hidden.
    #[must_use]
    pub fn masked(&self) -> String {
        mask::masked(&self.0)
    }

    /// Whether this is one of the hundred numbers for trials ([`is_test_number`]).
    #[must_use]
    pub fn is_test(&self) -> bool {
        is_test_number(&self.0)
    }

    fn split(&self) -> Option<(Plan, &str)> {
        Plan::split(self.0.strip_prefix('+')?)
    }
}

impl std::fmt::Debug for PhoneNumber {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PhoneNumber({})", self.masked())
    }
}

fn check(parts: &Parts, validation: Validation) -> Result<(), PhoneError> {
    let Parts { plan, national } = parts;
    let lengths = plan.lengths();
    let all = parts.e164().len() - 1;
    if national.len() < lengths.shortest() || all < 7 {
        return Err(PhoneError::TooShort);
    }
    if national.len() > lengths.longest() || all > 15 {
        return Err(PhoneError::TooLong);
    }
    if !lengths.contains(national.len()) {
        return Err(PhoneError::WrongLength);
    }
    if !plan.possible(national) {
        return Err(PhoneError::ImpossibleStart);
    }
    if let Some(refusal) = NumberKind::of(*plan, national).refusal() {
        return Err(refusal);
    }
    match validation {
        Validation::Valid if plan.verdict(national).is_none() => Err(PhoneError::NotAssigned),
        _ => Ok(()),
    }
}
