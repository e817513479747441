//! The kinds of factor, and sets of them. A set is a few bits: rules are unions and intersections.

use std::fmt;

/// A kind of factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A WebAuthn credential.
    Passkey,
    /// An authenticator app.
    Totp,
    /// A phone, by SMS or call.
    Phone,
    /// A mailbox.
    Email,
    /// A sheet of codes, each for once.
    RecoveryCodes,
    /// A password.
    Password,
}

impl Kind {
    /// Every kind; the order that options have where nothing else orders them.
    pub const ALL: [Self; 6] =
        [Self::Passkey, Self::Totp, Self::Phone, Self::Email, Self::RecoveryCodes, Self::Password];

    /// What a policy can require and have enrolled, by name.
    pub const SECOND_NAMES: [&'static str; 4] = ["passkey", "totp", "phone", "email"];

    /// The stable name, as factors have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Totp => "totp",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::RecoveryCodes => "recovery_codes",
            Self::Password => "password",
        }
    }

    /// The kind with that name; Melody Auth's `otp` and `sms` are understood.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "otp" => Some(Self::Totp),
            "sms" => Some(Self::Phone),
            name => Self::ALL.into_iter().find(|kind| kind.as_str() == name),
        }
    }

    /// The kind in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Passkey => "a passkey",
            Self::Totp => "an authenticator app",
            Self::Phone => "a phone",
            Self::Email => "an e-mail address",
            Self::RecoveryCodes => "recovery codes",
            Self::Password => "a password",
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// What can be a second factor of its own right.
    pub const SECOND: Self = Self::of(&[Kind::Passkey, Kind::Totp, Kind::Phone, Kind::Email]);

    /// A set of these.
    pub const fn of(mut kinds: &[Kind]) -> Self {
        let mut bits = 0;
        while let [kind, rest @ ..] = kinds {
            bits |= 1 << *kind as u8;
            kinds = rest;
        }
        Self(bits)
    }

    /// Whether the kind is in it.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Those in either.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those in both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those in this one and not in the other.
    pub const fn less(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The kinds, in the order of [`Kind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }

    /// The kinds as a sentence has them: `a phone, an authenticator app`.
    pub fn words(self) -> String {
        self.iter().map(Kind::words).collect::<Vec<_>>().join(", ")
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::NONE, |set, kind| set.or(Self::of(&[kind])))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sets() {
        let set = Kinds::of(&[Kind::Totp, Kind::Email]);
        assert!(set.has(Kind::Totp) && !set.has(Kind::Phone));
        assert_eq!(set.less(Kinds::of(&[Kind::Totp])).iter().collect::<Vec<_>>(), [Kind::Email]);
        assert_eq!(set.or(Kinds::of(&[Kind::Phone])).count(), 3);
        assert_eq!(Kind::SECOND_NAMES.iter().filter_map(|name| Kind::parse(name)).collect::<Kinds>(), Kinds::SECOND);
    }

    #[test]
    fn names_parse_back_and_melody_auths_are_understood() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(
            (Kind::parse("otp"), Kind::parse("sms"), Kind::parse("pigeon")),
            (Some(Kind::Totp), Some(Kind::Phone), None)
        );
    }
}
