//! Countries and calling codes: which are known, and which share one.
//! A country is its ISO 3166-1 code of two letters.

use super::PhoneError;
use super::table::{self, Plan};

/// A country by its ISO 3166-1 alpha-2 code, or `001` ("world") for calling codes that belong to
/// no country, such as +800.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// No country: the international calling codes. Written `001`.
    pub const WORLD: Self = Self(*b"00");

    /// The country of a number whose calling code is not in use. Written `ZZ`, which ISO 3166
    /// leaves to users.
    pub const UNKNOWN: Self = Self(*b"ZZ");

    pub(super) const fn from_table(letters: [u8; 2]) -> Self {
        Self(letters)
    }

    /// A country that has phone numbers, by its two letters, upper or lower case.
    #[must_use]
    pub fn parse(iso2: &str) -> Option<Self> {
        let &[first, second] = iso2.as_bytes() else {
            return None;
        };
        let letters = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
        let is_known = letters.iter().all(u8::is_ascii_uppercase) && table::countries().any(|known| known == letters);
        is_known.then_some(Self(letters))
    }

    /// The code: two upper-case letters, or `001`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if *self == Self::WORLD {
            return "001";
        }
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Country {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Whether a code of two letters (upper or lower case) is a country that has phone numbers.
#[must_use]
pub fn is_known_country(iso2: &str) -> bool {
    Country::parse(iso2).is_some()
}

/// A country calling code that is in use, 1 to 999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallingCode(u16);

impl CallingCode {
    /// Reads a calling code, with or without its plus sign: `+44`, `1`.
    ///
    /// # Errors
    ///
    /// [`PhoneError::UnknownCallingCode`] for anything else, and for codes not in use.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let digits = text.trim();
        let digits = digits.strip_prefix('+').unwrap_or(digits);
        match Plan::split(digits) {
            Some((plan, "")) => Ok(Self(plan.calling_code())),
            _ => Err(PhoneError::UnknownCallingCode),
        }
    }

    /// The code as a number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl std::str::FromStr for CallingCode {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        Self::parse(text)
    }
}

/// Written with its plus sign.
impl std::fmt::Display for CallingCode {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "+{}", self.0)
    }
}

/// The countries that share a calling code, the main one first; none if it is not in use.
pub fn countries_of(calling_code: u16) -> impl Iterator<Item = Country> {
    Plan::of(calling_code)
        .into_iter()
        .flat_map(|plan| (0..plan.country_count()).map(move |place| plan.country(place)))
        .map(Country::from_table)
}
