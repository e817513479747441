//! Sets of types of factor. A set is a few bits: rules are unions and intersections.

use std::fmt;

pub use crate::factor::FactorType as Kind;

/// The order that options have where nothing else orders them: the stronger first.
pub(super) const ORDER: [Kind; 6] =
    [Kind::Passkey, Kind::Totp, Kind::Phone, Kind::Email, Kind::RecoveryCodes, Kind::Password];

/// What a policy can require and have enrolled, by name.
pub const SECOND_NAMES: [&str; 4] = ["passkey", "totp", "phone", "email"];

/// The type that a variable names: Melody Auth's `otp` and `sms` are our `totp` and `phone`.
pub(super) fn of_variable(name: &str) -> Option<Kind> {
    match name {
        "otp" => Some(Kind::Totp),
        "sms" => Some(Kind::Phone),
        name => Kind::parse(name),
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

    /// The kinds, the stronger first.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        ORDER.into_iter().filter(move |kind| self.has(*kind))
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
        assert_eq!(SECOND_NAMES.iter().filter_map(|name| Kind::parse(name)).collect::<Kinds>(), Kinds::SECOND);
    }

    #[test]
    fn melody_auths_names_are_understood() {
        assert_eq!(
            (of_variable("otp"), of_variable("sms"), of_variable("email"), of_variable("pigeon")),
            (Some(Kind::Totp), Some(Kind::Phone), Some(Kind::Email), None)
        );
    }
}
