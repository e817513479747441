//! What is told to a person when the way they sign in has changed (ASVS 6.3.7, SP 800-63B-4 §4.6).

use std::time::Duration;

/// How long a notice is worth delivering by SMS: as long as a carrier tries.
pub const LIFETIME: Duration = Duration::from_hours(10);

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A factor was proven for the first time.
    Added {
        /// Its type, as `factors.type` has it.
        factor: String,
        /// What the person calls it.
        name: Option<String>,
    },
    /// A factor is gone.
    Removed {
        /// Its type.
        factor: String,
        /// What the person called it.
        name: Option<String>,
    },
    /// All factors are gone.
    Reset,
    /// There are new recovery codes, and the old ones are dead.
    RecoveryCodesReplaced,
    /// There is another password.
    PasswordChanged,
    /// There is another address to sign in with.
    EmailChanged,
    /// There is another number to sign in with.
    PhoneChanged,
    /// Somebody signed in, and an e-mail code stood in for a factor.
    EmailStoodIn,
    /// Somebody signed in, and a recovery code stood in for a factor.
    RecoveryCodeStoodIn,
    /// Somebody tried to sign up with the address or number that the user has. Nothing came of it.
    SignUpTried,
}

/// The longest name that is repeated, in characters.
const MAX_NAME_LENGTH: usize = 40;

impl Change {
    /// A stable word, for events.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Added { .. } => "factor_added",
            Self::Removed { .. } => "factor_removed",
            Self::Reset => "factors_reset",
            Self::RecoveryCodesReplaced => "recovery_codes_replaced",
            Self::PasswordChanged => "password_changed",
            Self::EmailChanged => "email_changed",
            Self::PhoneChanged => "phone_changed",
            Self::EmailStoodIn => "email_stood_in",
            Self::RecoveryCodeStoodIn => "recovery_code_stood_in",
            Self::SignUpTried => "sign_up_tried",
        }
    }

    /// The type of the factor that it is about, for events.
    pub fn factor(&self) -> Option<&str> {
        match self {
            Self::Added { factor, .. } | Self::Removed { factor, .. } => Some(factor),
            _ => None,
        }
    }

    /// The change that an event tells of; what the person calls the factor is told once only.
    pub fn read(kind: &str, factor: Option<&str>) -> Option<Self> {
        let factor = || factor.map(str::to_owned);
        Some(match kind {
            "factor_added" => Self::Added { factor: factor()?, name: None },
            "factor_removed" => Self::Removed { factor: factor()?, name: None },
            _ => {
                let all = [
                    Self::Reset,
                    Self::RecoveryCodesReplaced,
                    Self::PasswordChanged,
                    Self::EmailChanged,
                    Self::PhoneChanged,
                    Self::EmailStoodIn,
                    Self::RecoveryCodeStoodIn,
                    Self::SignUpTried,
                ];
                return all.into_iter().find(|change| change.kind() == kind);
            }
        })
    }

    /// What the person calls the factor that it is about.
    pub fn factor_name(&self) -> Option<&str> {
        match self {
            Self::Added { name, .. } | Self::Removed { name, .. } => name.as_deref(),
            _ => None,
        }
    }
}

/// A name that somebody gave, of letters, digits, spaces and the little that joins them: whoever got into an account
/// and names a passkey, or themselves, gets no address, number to call or link into a mail that people trust.
pub fn harmless(name: &str) -> String {
    let keep = |character: char| character.is_alphabetic() || ['\'', '\u{2019}', '-', ' '].contains(&character);
    let mut digits = 0;
    let kept = name.chars().map(|character| {
        // A phone number has more digits than a name.
        digits += usize::from(character.is_numeric());
        if keep(character) || (character.is_numeric() && digits <= 4) { character } else { ' ' }
    });
    let kept: String = kept.take(MAX_NAME_LENGTH).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_brings_no_link_and_no_number() {
        for (name, wanted) in [
            ("Ana's laptop", "Ana's laptop"),
            ("Büro 2", "Büro 2"),
            ("YubiKey 5C", "YubiKey 5C"),
            ("https://evil.example/x", "https evil example x"),
            ("evil.example", "evil example"),
            ("call +1 415 555 2671", "call 1 415"),
            ("a@b.c\r\nBcc: x", "a b c Bcc x"),
            ("\u{202e}moc", "moc"),
            ("...", ""),
        ] {
            assert_eq!(harmless(name), wanted, "{name}");
        }
        assert_eq!(harmless(&"x".repeat(100)).len(), MAX_NAME_LENGTH);
    }
}
