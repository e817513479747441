//! What a person typed as a password: the whole of it, normalised, and never printed.
//! SP 800-63B-4 §3.1.1.2: NFKC before hashing, and each code point counts as one character.

use zeroize::Zeroizing;

/// The longest password that is taken, in code points after normalising. Standards ask for 64 at least.
pub const MOST: usize = 256;

/// The longest text that is looked at, in bytes: it may shrink by normalising.
const MOST_BYTES: usize = 16 * MOST;

/// A password. No `Debug`, no `Display`, no `Serialize`; overwritten in memory when it is dropped.
#[derive(Clone)]
pub struct Password {
    typed: Zeroizing<String>,
    normalised: Zeroizing<String>,
}

/// It is longer than [`MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Password {
    /// Takes what was typed, as it is: nothing is trimmed or cut.
    pub fn parse(text: &str) -> Result<Self, TooLong> {
        if text.len() > MOST_BYTES {
            return Err(TooLong);
        }
        let normalised = nfkc(text);
        if normalised.chars().count() > MOST {
            return Err(TooLong);
        }
        Ok(Self { typed: Zeroizing::new(text.to_owned()), normalised })
    }

    /// The normalised text: what we hash and judge.
    pub fn expose(&self) -> &str {
        &self.normalised
    }

    /// The text as it was typed, which is what other systems hashed.
    pub(super) fn typed(&self) -> &str {
        &self.typed
    }

    /// How many characters it has: code points after normalising.
    pub fn length(&self) -> usize {
        self.normalised.chars().count()
    }
}

/// NFKC (Unicode Standard Annex 15). The platform has the tables: the Worker asks JavaScript for it.
fn nfkc(text: &str) -> Zeroizing<String> {
    if text.is_ascii() {
        return Zeroizing::new(text.to_owned());
    }
    #[cfg(target_arch = "wasm32")]
    let normalised = crate::cloudflare::nfkc(text);
    #[cfg(not(target_arch = "wasm32"))]
    let normalised = unicode_normalization::UnicodeNormalization::nfkc(text).collect();
    Zeroizing::new(normalised)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(text: &str) -> Option<usize> {
        Password::parse(text).ok().map(|password| password.length())
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        // Composed and decomposed, full-width and plain, a ligature and its letters.
        for (one, other) in [("\u{e9}t\u{e9}", "e\u{301}te\u{301}"), ("Ｐａｓｓ１", "Pass1"), ("ﬁnal", "final")]
        {
            let exposed = |text| Password::parse(text).expect("a password").expose().to_owned();
            assert_eq!(exposed(one), exposed(other));
        }
    }

    #[test]
    fn characters_are_code_points_after_normalising() {
        assert_eq!(length("🐴🔋"), Some(2));
        assert_eq!(length("e\u{301}"), Some(1));
        assert_eq!(length("㌔"), Some(2), "one character becomes two");
        assert_eq!(length(""), Some(0));
    }

    #[test]
    fn nothing_is_trimmed_or_cut() {
        assert_eq!(Password::parse(" a\t b ").expect("a password").expose(), " a\t b ");
        assert_eq!(length(&"🐴".repeat(MOST)), Some(MOST));
        assert_eq!(length(&"e\u{301}".repeat(MOST)), Some(MOST));
        // Three decomposed letters of three bytes are one syllable.
        assert_eq!(length(&"\u{1112}\u{1161}\u{11ab}".repeat(MOST)), Some(MOST));
        assert_eq!(length(&"x".repeat(MOST + 1)), None);
        assert_eq!(length(&"\u{fdfa}".repeat(MOST)), None, "it grows by normalising");
        assert_eq!(length(&"x".repeat(MOST_BYTES + 1)), None);
    }
}
