//! Why a phone number is refused, one variant a reason.
//! The sentences say what is wanted; none repeats what was typed, which may be personal data.

/// Why a phone number (or a calling code) is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhoneError {
    /// There is no digit in it.
    Empty,
    /// More than [`MAX_TYPED_CHARS`](super::MAX_TYPED_CHARS) characters.
    TooManyCharacters,
    /// Letters, as in a vanity number.
    Letters,
    /// An extension after the number.
    Extension,
    /// A character that no one writes in a phone number.
    UnexpectedCharacter,
    /// A second plus sign, or one that is not in front.
    PlusSign,
    /// A national number, and no calling code is configured to read it by.
    NoCallingCode,
    /// The digits after the plus sign begin with no calling code in use.
    UnknownCallingCode,
    /// Fewer digits than any number of its country, or than E.164 allows in practice (7).
    TooShort,
    /// More digits than any number of its country, or than E.164 allows (15).
    TooLong,
    /// A count of digits that lies between possible ones.
    WrongLength,
    /// No number of its country that long begins with such digits.
    ImpossibleStart,
    /// It could exist, but is in no range known to be assigned (only under
    /// [`Validation::Valid`](super::Validation::Valid)).
    NotAssigned,
    /// A premium-rate number.
    PremiumRate,
    /// A shared-cost number.
    SharedCost,
    /// A pager.
    Pager,
    /// A satellite phone.
    Satellite,
    /// Not of the form `+` and 7 to 15 digits, the first not zero (only for stored numbers).
    NotE164,
}

impl PhoneError {
    /// A stable name of the reason, in `snake_case`, for logs and for programs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooManyCharacters => "too_many_characters",
            Self::Letters => "letters",
            Self::Extension => "extension",
            Self::UnexpectedCharacter => "unexpected_character",
            Self::PlusSign => "plus_sign",
            Self::NoCallingCode => "no_calling_code",
            Self::UnknownCallingCode => "unknown_calling_code",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::WrongLength => "wrong_length",
            Self::ImpossibleStart => "impossible_start",
            Self::NotAssigned => "not_assigned",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Pager => "pager",
            Self::Satellite => "satellite",
            Self::NotE164 => "not_e164",
        }
    }

    /// A sentence for people that says what is wanted. It never repeats the number.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Empty => "Enter a phone number, such as +1 415 555 2671.",
            Self::TooManyCharacters => "Enter one phone number of at most 40 characters, such as +1 415 555 2671.",
            Self::Letters => "Write the phone number with digits, not letters.",
            Self::Extension => "Leave the extension off; the number must be reachable without one.",
            Self::UnexpectedCharacter => {
                "Write the phone number with digits, spaces, hyphens, dots and parentheses only."
            }
            Self::PlusSign => "Write at most one plus sign, in front of the country calling code.",
            Self::NoCallingCode => {
                "Begin the phone number with + and the country calling code, such as \
                 +44 20 7946 0018."
            }
            Self::UnknownCallingCode => {
                "Begin with + and a country calling code that is in use, such as +1, +44 or +91."
            }
            Self::TooShort => "The phone number has too few digits for its country; add the rest.",
            Self::TooLong => "The phone number has too many digits for its country.",
            Self::WrongLength => {
                "Phone numbers of that country do not have this many digits; check for one \
                 missing or doubled."
            }
            Self::ImpossibleStart => {
                "Phone numbers of that country do not begin like this; check the digits after \
                 the country calling code."
            }
            Self::NotAssigned => "Enter a phone number that is in use; this one is not assigned.",
            Self::PremiumRate => "Enter an ordinary number; premium-rate numbers are not accepted.",
            Self::SharedCost => "Enter an ordinary number; shared-cost numbers are not accepted.",
            Self::Pager => "Enter a mobile number; pagers are not accepted.",
            Self::Satellite => "Enter a mobile number; satellite phones are not accepted.",
            Self::NotE164 => {
                "Write the number in E.164 form: + and 7 to 15 digits, the first of them not 0, \
                 without spaces."
            }
        }
        .to_owned()
    }
}

impl std::fmt::Display for PhoneError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.detail())
    }
}

impl std::error::Error for PhoneError {}
