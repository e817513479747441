//! Writes a number so that its owner knows it and no one else learns it.
//! The calling code and at most the last four digits stay.

use super::table::Plan;

/// Stands for one hidden digit.
const BULLET: char = '\u{2022}';
/// The most digits left to see at the end.
const SHOWN: usize = 4;

/// Masks an E.164 number: `+1••••••2671`. Of a short number at least half of the national digits
/// stay hidden. Where the calling code is not in use, all digits count as national.
pub(super) fn masked(e164: &str) -> String {
    let digits = e164.strip_prefix('+').unwrap_or(e164);
    let (code, national) = Plan::split(digits)
        .map_or_else(|| (String::new(), digits), |(plan, national)| (plan.calling_code().to_string(), national));
    let shown = SHOWN.min(national.len() / 2);
    let hidden = national.len() - shown;
    let mut text = format!("+{code}");
    text.extend(std::iter::repeat_n(BULLET, hidden));
    text.push_str(national.get(hidden..).unwrap_or_default());
    text
}
