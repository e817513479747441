//! What is told to a person when the way they sign in has changed (ASVS 6.3.7, SP 800-63B-4 §4.6).

use std::time::Duration;

/// The slug that messages and events have.
pub const TEMPLATE: &str = "security_notice";

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

    /// One line that says it: `A passkey was added to your Example account`.
    pub fn headline(&self, app_name: &str) -> String {
        let (subject, verb) = self.parts();
        format!("{subject} {verb} your {app_name} account")
    }

    /// The same as a sentence, with the factor's name.
    pub fn sentence(&self, app_name: &str) -> String {
        let (subject, verb) = self.parts();
        let name = match self {
            Self::Added { name, .. } | Self::Removed { name, .. } => name.as_deref().map(harmless),
            _ => None,
        };
        let name =
            name.filter(|name| !name.is_empty()).map_or_else(String::new, |name| format!(" (\u{201c}{name}\u{201d})"));
        format!("{subject}{name} {verb} your {app_name} account.")
    }

    /// As an SMS: one segment with names as long as they mostly are, and nothing that is not in its alphabet.
    pub fn sms(&self, app_name: &str) -> String {
        let what_to_do = match self {
            Self::SignUpTried => "If it was you, sign in instead: nothing was changed.",
            _ => "If it was not you, sign in and check your security settings.",
        };
        format!("{}. {what_to_do}", self.headline(app_name))
    }

    fn parts(&self) -> (&'static str, &'static str) {
        match self {
            Self::Added { factor, .. } if factor == RECOVERY_CODES => ("Recovery codes", "were added to"),
            Self::Added { factor, .. } => (noun(factor), "was added to"),
            Self::Removed { factor, .. } if factor == RECOVERY_CODES => ("Recovery codes", "were removed from"),
            Self::Removed { factor, .. } => (noun(factor), "was removed from"),
            Self::Reset => ("All second steps", "were removed from"),
            Self::RecoveryCodesReplaced => ("New recovery codes", "were made for"),
            Self::PasswordChanged => ("The password", "was changed for"),
            Self::EmailChanged => ("The e-mail address", "was changed for"),
            Self::PhoneChanged => ("The phone number", "was changed for"),
            Self::EmailStoodIn => ("An e-mail code", "stood in for a second step at a sign-in to"),
            Self::RecoveryCodeStoodIn => ("A recovery code", "stood in for a second step at a sign-in to"),
            Self::SignUpTried => ("Somebody", "tried to sign up with the address or number of"),
        }
    }
}

const RECOVERY_CODES: &str = "recovery_codes";

fn noun(factor: &str) -> &'static str {
    match factor {
        "phone" => "A phone number",
        "email" => "An e-mail address",
        "totp" => "An authenticator app",
        "passkey" => "A passkey",
        "password" => "A password",
        _ => "A way to sign in",
    }
}

/// A name that somebody gave, of letters, digits, spaces and the little that joins them: whoever got into an account
/// and names a passkey gets no address, number to call or link into a mail that people trust.
fn harmless(name: &str) -> String {
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
    use crate::message::segments;

    #[test]
    fn every_change_has_its_words() {
        let added = |factor: &str| Change::Added { factor: factor.to_owned(), name: None };
        let removed = |factor: &str| Change::Removed { factor: factor.to_owned(), name: None };
        for (change, wanted) in [
            (added("phone"), "A phone number was added to your Example account"),
            (added("email"), "An e-mail address was added to your Example account"),
            (added("totp"), "An authenticator app was added to your Example account"),
            (added("passkey"), "A passkey was added to your Example account"),
            (added("password"), "A password was added to your Example account"),
            (added("recovery_codes"), "Recovery codes were added to your Example account"),
            (removed("passkey"), "A passkey was removed from your Example account"),
            (removed("recovery_codes"), "Recovery codes were removed from your Example account"),
            (Change::Reset, "All second steps were removed from your Example account"),
            (Change::RecoveryCodesReplaced, "New recovery codes were made for your Example account"),
            (Change::PasswordChanged, "The password was changed for your Example account"),
            (Change::SignUpTried, "Somebody tried to sign up with the address or number of your Example account"),
            (Change::EmailChanged, "The e-mail address was changed for your Example account"),
            (Change::PhoneChanged, "The phone number was changed for your Example account"),
        ] {
            assert_eq!(change.headline("Example"), wanted);
            let sms = change.sms("Example");
            assert_eq!(segments(&sms).1, 1, "{sms}");
        }
    }

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
        let change = Change::Added { factor: "totp".to_owned(), name: Some("...".to_owned()) };
        assert_eq!(change.sentence("Example"), "An authenticator app was added to your Example account.");
    }
}
