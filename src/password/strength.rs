//! Whether a new password is strong enough: its length, a list of common ones, words of its context. There are no
//! composition rules (ASVS 6.2.5): what looks complicated is often common, and what is long need not.

use super::{common::is_common, context_words, typed::Password};

/// The fewest characters where the password is the only factor (ASVS 6.2.1, SP 800-63B-4 §3.1.1.2).
pub const ALONE: usize = 15;

/// The fewest where another factor is asked for too.
pub const WITH_MFA: usize = 8;

/// What a password is held against.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The fewest characters.
    pub least: usize,
    /// What somebody who knows the person would try: names, addresses, numbers, the app's name.
    pub context: &'a [&'a str],
}

/// What is weak about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It has fewer characters than the rules ask for.
    TooShort,
    /// Many people have it.
    Common,
    /// It is made of the app's, the person's or their address's name.
    Context,
    /// It was seen in a breach.
    Breached,
}

/// Every weakness that can be seen without asking anybody. None: it is fine.
pub fn weaknesses(password: &Password, rules: &Rules) -> Vec<Weakness> {
    let text = password.expose();
    let found = [
        (password.length() < rules.least, Weakness::TooShort),
        (is_common(text), Weakness::Common),
        (context_words::is_made_of(text, rules.context), Weakness::Context),
    ];
    found.into_iter().filter(|(is_weak, _)| *is_weak).map(|(_, weakness)| weakness).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weak(text: &str, least: usize, context: &[&str]) -> Vec<Weakness> {
        weaknesses(&Password::parse(text).expect("a password"), &Rules { least, context })
    }

    #[test]
    fn the_length_is_counted_in_characters() {
        assert_eq!(weak("vK3#qq-", WITH_MFA, &[]), [Weakness::TooShort]);
        assert_eq!(weak("vK3#qq-L", WITH_MFA, &[]), []);
        assert_eq!(weak("vK3#qq-Lw92xzt", ALONE, &[]), [Weakness::TooShort]);
        assert_eq!(weak("vK3#qq-Lw92xzto", ALONE, &[]), []);
        assert_eq!(weak("über die größte", ALONE, &[]), []);
        assert_eq!(weak("u\u{308}ber die gro\u{308}te", ALONE, &[]), [Weakness::TooShort]);
        assert_eq!(weak(&"a b c d e f g h ".repeat(16), ALONE, &[]), [], "256 characters");
    }

    #[test]
    fn there_are_no_composition_rules() {
        for fine in ["lowercaseonlyhere", "837204957261940382", "ohne großbuchstaben", "                a b"] {
            assert_eq!(weak(fine, ALONE, &[]), [], "{fine}");
        }
    }

    #[test]
    fn a_common_password_is_refused_however_its_letters_are_written() {
        for common in ["password", "Ｐａｓｓｗｏｒｄ", "PaSsWoRd2024"] {
            assert_eq!(weak(common, WITH_MFA, &[]), [Weakness::Common], "{common}");
        }
    }

    #[test]
    fn every_reason_is_told() {
        assert_eq!(weak("dragon", WITH_MFA, &["dragon"]), [Weakness::TooShort, Weakness::Common, Weakness::Context]);
        assert_eq!(weak("", WITH_MFA, &[]), [Weakness::TooShort]);
    }
}
