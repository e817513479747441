//! A one-time code: 4 to 10 digits, leading zeros kept. It cannot be printed by accident.

use zeroize::Zeroizing;

/// How many digits a code has: 4 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeLength(u8);

impl CodeLength {
    /// Six, the default: ASVS 6.5.3 wants at least that.
    pub const DEFAULT: Self = Self(6);

    /// Accepts 4 to 10.
    pub fn new(digits: i64) -> Option<Self> {
        u8::try_from(digits).ok().filter(|digits| (4..=10).contains(digits)).map(Self)
    }

    /// The number of digits.
    pub fn digits(self) -> usize {
        usize::from(self.0)
    }

    /// How many codes of this length there are.
    pub(crate) fn codes(self) -> u64 {
        10u64.pow(u32::from(self.0))
    }
}

/// A code. No `Debug`, no `Display`, no `Serialize`: [`Code::expose`] is the one way to its digits.
#[derive(Clone)]
pub struct Code(Zeroizing<String>);

impl Code {
    /// The code for a number below `10^length`, padded with zeros.
    pub(crate) fn from_number(number: u64, length: CodeLength) -> Self {
        Self(Zeroizing::new(format!("{number:0width$}", width = length.digits())))
    }

    /// The code of the test numbers: 424242, repeated or cut to the length.
    pub fn of_test_numbers(length: CodeLength) -> Self {
        Self(Zeroizing::new("42".chars().cycle().take(length.digits()).collect()))
    }

    /// Parses what a person typed: digits of any script, with spaces, dashes or dots between them.
    /// `None` when anything else is in it, or it has fewer than 4 or more than 10 digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let mut digits = Zeroizing::new(String::with_capacity(10));
        for character in text.chars() {
            match decimal_digit(character) {
                Some(digit) => digits.push(digit),
                None if is_separator(character) => {}
                None => return None,
            }
        }
        (4..=10).contains(&digits.len()).then_some(Self(digits))
    }

    /// The digits, for the one message that carries them and for the MAC.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

pub(super) fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '-' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}

/// ASCII, full-width, Arabic-Indic, Persian, Devanagari and Bengali digits, which phones' keyboards produce.
fn decimal_digit(character: char) -> Option<char> {
    const ZEROS: [char; 6] = ['0', '\u{ff10}', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}'];
    let value = u32::from(character);
    ZEROS
        .iter()
        .find_map(|zero| value.checked_sub(u32::from(*zero)).filter(|digit| *digit < 10))
        .and_then(|digit| char::from_digit(digit, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_understood() {
        for typed in ["042137", " 042 137 ", "042-137", "０４２１３７", "٠٤٢١٣٧"] {
            assert_eq!(Code::parse(typed).expect(typed).expose(), "042137");
        }
        for bad in ["", "123", "12345678901", "12a456", "+12345", "1234567890 1"] {
            assert!(Code::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn leading_zeros_are_kept() {
        assert_eq!(Code::from_number(42, CodeLength::DEFAULT).expose(), "000042");
        assert_eq!(Code::of_test_numbers(CodeLength::DEFAULT).expose(), "424242");
    }
}
