//! Ranges of numbers, by how they begin.

use super::table::Plan;

/// How many digits of a number a range leaves open at least: ten thousand numbers.
const OPEN: usize = 4;

/// Whether a text is how numbers begin, and names none: `+` and two to eleven digits that leave four open of the longest
/// number under their calling code.
#[must_use]
pub fn is_prefix(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (2..=15 - OPEN).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
        && Plan::split(digits).is_none_or(|(plan, national)| national.len() + OPEN <= plan.lengths().longest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_names_no_number() {
        for good in ["+44", "+35", "+4479460", "+44794600", "+1415555", "+21", "+99"] {
            assert!(is_prefix(good), "{good}");
        }
        // Among them two that leave three digits of a number open, and a number.
        for bad in
            ["", "+", "+4", "44", "+044", "+44 79", "+44x", "+٤٤", "++44", "+14155552", "+447946000", "+447946000123"]
        {
            assert!(!is_prefix(bad), "{bad}");
        }
        assert!(!is_prefix("+499999999999") && is_prefix("+49999999999"), "eleven digits at most");
    }
}
