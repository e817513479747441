//! Takes off what people dial before a number: the international and the national prefix.
//! The prefixes are small patterns, stored in the table as programs of a few steps.

use super::table::{self, Plan};

/// The most groups a prefix pattern has, with the whole match as group 0.
const GROUPS: usize = 4;

/// A match of a prefix pattern at the beginning of some digits.
struct Match {
    end: usize,
    /// Start and end of each group that took part.
    groups: [Option<(usize, usize)>; GROUPS],
}

/// Takes the international prefix of a country off digits dialled in it. A zero may not follow:
/// no calling code begins so, and the digits are then a national number that looks like one.
pub(super) fn strip_international(digits: &str, plan: Plan) -> Option<&str> {
    let found = run(plan.international_prefix()?, digits)?;
    digits.get(found.end..).filter(|rest| !rest.starts_with('0'))
}

/// Takes the national prefix off, or gives the digits back when they have none.
///
/// A number that matches the country's general pattern is left alone if it would match no longer:
/// its first digits then only look like a prefix. Some countries replace the prefix; in Argentina
/// `15` after the area code becomes a `9` before it.
pub(super) fn strip_national(digits: &str, plan: Plan) -> String {
    let stripped = stripped_national(digits, plan);
    stripped.filter(|stripped| !plan.general(digits) || plan.general(stripped)).unwrap_or_else(|| digits.to_owned())
}

fn stripped_national(digits: &str, plan: Plan) -> Option<String> {
    let found = run(plan.national_prefix()?, digits)?;
    let rest = digits.get(found.end..)?;
    let replaced = plan.transform().and_then(|(group, lead)| {
        // The rule applies when the pattern's last group took part, and that is the one it names;
        // the generator makes sure of it.
        let (start, end) = (*found.groups.get(usize::from(group))?)?;
        Some(format!("{lead}{}{rest}", digits.get(start..end)?))
    });
    Some(replaced.unwrap_or_else(|| rest.to_owned()))
}

fn run(program: u16, digits: &str) -> Option<Match> {
    let mut groups = [None; GROUPS];
    let end = follow(program, digits.as_bytes(), 0, &mut groups)?;
    Some(Match { end, groups })
}

/// Follows a program from a step on, at a place in the digits; gives where it ends. Of two ways
/// the first that succeeds is taken. Programs have no loops, so this ends.
fn follow(mut step: u16, digits: &[u8], mut at: usize, groups: &mut [Option<(usize, usize)>; GROUPS]) -> Option<usize> {
    loop {
        let [word, next, second] = table::step(step);
        match word >> 12 {
            0 => return Some(at),
            1 => {
                let digit = u32::from(digits.get(at)?.checked_sub(b'0')?);
                if (word & 0x3ff).checked_shr(digit)? & 1 == 0 {
                    return None;
                }
                at += 1;
            }
            2 => {
                let before = *groups;
                if let Some(end) = follow(next, digits, at, groups) {
                    return Some(end);
                }
                *groups = before;
                step = second;
                continue;
            }
            3 => {
                let slot = usize::from(word & 0xfff);
                if let Some(group) = groups.get_mut(slot / 2) {
                    let start = if slot % 2 == 0 { at } else { group.map_or(at, |it| it.0) };
                    *group = Some((start, at));
                }
            }
            4 if at == digits.len() => {}
            _ => return None,
        }
        step = next;
    }
}
