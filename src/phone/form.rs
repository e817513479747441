//! What can be said of an E.164 number by its form alone.
//! Sender numbers and numbers for trials need no more, and may not exist.

/// Whether a text has the form of an E.164 number: `+`, then 7 to 15 digits, the first not zero.
/// Nothing is said about whether there is such a number.
#[must_use]
pub fn is_e164_form(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
    })
}

/// Whether an E.164 number is one of the hundred for trials, +1 555 555 0100 to +1 555 555 0199.
/// None of them is a real number: no area has the code 555.
#[must_use]
pub fn is_test_number(e164: &str) -> bool {
    e164.strip_prefix("+155555501")
        .is_some_and(|last| last.len() == 2 && last.bytes().all(|byte| byte.is_ascii_digit()))
}
