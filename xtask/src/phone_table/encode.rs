//! Writes the table: a header, five lists of fixed-size records, and the automaton's words.
//! `src/phone/table.rs` reads it; the two files state the same layout and change together.

use std::collections::HashMap;

use super::automaton::{Automaton, DEAD};
use super::pattern::Step;
use super::plan::{Plan, Verdict, program};
use super::source::METADATA_RELEASE;

/// The first bytes: the format's name and version.
const MAGIC: &[u8; 4] = b"PHN1";
/// Bytes kept for the text of the metadata's release.
const RELEASE_BYTES: usize = 12;
/// Stands for "none" where an index belongs.
const NONE: u16 = u16::MAX;
/// Bytes kept for the digits of a transform.
const TRANSFORM_DIGITS: usize = 6;

// The words of a state: perhaps a value word, then one or two words for each group of digits that
// lead to the same state. A group word has a bit for each digit, and then:
/// this is the state's last group (or the dead state's only word, without a digit);
const LAST: u16 = 0x8000;
/// this word is no group but holds the state's value in its low byte;
const VALUE: u16 = 0x4000;
/// the state led to starts right after this word, so no word names it.
const FOLLOWS: u16 = 0x2000;

/// The bytes of the whole table.
pub fn table(plans: &[Plan], automaton: &Automaton, verdicts: &[Verdict]) -> Result<Vec<u8>, String> {
    let roots: Vec<u32> =
        plans.iter().flat_map(|plan| [plan.assigned, plan.possible, plan.general, plan.leading]).collect();
    let (words, address) = states(automaton, &roots)?;
    let mut rules = Rules::default();
    let mut codes = Vec::new();
    let mut countries = Vec::new();
    for plan in plans {
        codes.extend([
            u16_of(plan.calling_code)?,
            u16_of(countries.len() / 2)?,
            u16_of(plan.countries.len())?,
            address(plan.assigned)?,
            address(plan.possible)?,
            address(plan.general)?,
            address(plan.leading)?,
            lengths(plan.lengths)?,
            lengths(plan.main_lengths)?,
            lengths(plan.local_lengths)?,
            rules.program(plan.international_prefix.as_deref())?,
            rules.program(plan.national_prefix.as_deref())?,
            rules.transform(plan.national_transform.as_deref(), plan.national_prefix.as_deref())?,
        ]);
        for id in &plan.countries {
            countries.extend(country(id)?);
        }
    }

    let mut bytes = MAGIC.to_vec();
    let mut release = METADATA_RELEASE.as_bytes().to_vec();
    release.resize(RELEASE_BYTES, b' ');
    bytes.extend(release);
    for count in
        [plans.len(), countries.len() / 2, verdicts.len(), rules.transforms.len(), rules.steps.len() / 3, words.len()]
    {
        bytes.extend(u16_of(count)?.to_le_bytes());
    }
    bytes.extend(codes.iter().flat_map(|word: &u16| word.to_le_bytes()));
    bytes.extend(countries);
    bytes.extend(verdicts.iter().flat_map(|&(place, kind)| [place, kind]));
    bytes.extend(rules.transforms.iter().flatten());
    bytes.extend(rules.steps.iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    Ok(bytes)
}

/// Lengths 2 to 17 as bits 0 to 15.
fn lengths(set: u32) -> Result<u16, String> {
    if set & 3 != 0 {
        return Err("a number of fewer than two digits".to_owned());
    }
    u16_of(set >> 2)
}

/// Two letters; the code `001`, which is no country, is written `00`.
fn country(id: &str) -> Result<[u8; 2], String> {
    match *id.as_bytes() {
        [b'0', b'0', b'1'] => Ok(*b"00"),
        [first @ b'A'..=b'Z', second @ b'A'..=b'Z'] => Ok([first, second]),
        _ => Err(format!("{id} is not a country code")),
    }
}

fn u16_of<N: TryInto<u16> + Copy + std::fmt::Display>(number: N) -> Result<u16, String> {
    number.try_into().map_err(|_| format!("{number} does not fit in 16 bits"))
}

/// Prefix programs and transforms, each stored once.
#[derive(Default)]
struct Rules {
    known: HashMap<String, u16>,
    steps: Vec<u16>,
    transforms: Vec<[u8; TRANSFORM_DIGITS + 2]>,
}

impl Rules {
    /// The index of the program's first step. A step is three words: in the first one, the high
    /// four bits tell what it does, the low twelve hold the digits or the slot; then two steps.
    fn program(&mut self, pattern: Option<&str>) -> Result<u16, String> {
        let Some(pattern) = pattern else {
            return Ok(NONE);
        };
        if let Some(&at) = self.known.get(pattern) {
            return Ok(at);
        }
        let base = self.steps.len() / 3;
        for step in program(pattern)? {
            let (word, next, second) = match step {
                Step::Matched { .. } => (0, 0, 0),
                Step::Digit { set, next } => (0x1000 | set, next, 0),
                Step::Either { first, second } => (0x2000, first, second),
                Step::Note { slot, next } => (0x3000 | slot, next, 0),
                Step::AtEnd { next } => (0x4000, next, 0),
            };
            self.steps.extend([word, u16_of(base + next)?, u16_of(base + second)?]);
        }
        let base = u16_of(base)?;
        self.known.insert(pattern.to_owned(), base);
        Ok(base)
    }

    /// The index of a transform: some digits, then the last group of the prefix pattern. All the
    /// metadata's rules have that shape, so `src/phone/prefix.rs` knows no other.
    fn transform(&mut self, rule: Option<&str>, pattern: Option<&str>) -> Result<u16, String> {
        let Some(rule) = rule else {
            return Ok(NONE);
        };
        let last_slot = program(pattern.unwrap_or_default())?
            .iter()
            .filter_map(|step| match step {
                Step::Note { slot, .. } => Some(*slot),
                _ => None,
            })
            .max();
        let record = rule
            .split_once('$')
            .and_then(|(digits, group)| {
                let mut record = [0; TRANSFORM_DIGITS + 2];
                record[0] = group.parse().ok()?;
                if last_slot != Some(2 * u16::from(record[0]) + 1) {
                    return None;
                }
                record[1] = u8::try_from(digits.len()).ok()?;
                record.get_mut(2..2 + digits.len())?.copy_from_slice(digits.as_bytes());
                Some(record)
            })
            .ok_or_else(|| format!("the transform {rule} is not digits and the last group"))?;
        let at = self.transforms.iter().position(|it| *it == record).unwrap_or_else(|| {
            self.transforms.push(record);
            self.transforms.len() - 1
        });
        u16_of(at)
    }
}

/// A state as it is laid out: its groups (state led to, digits), the last of which may follow.
struct Placed {
    state: u32,
    groups: Vec<(u32, u16)>,
    follows: bool,
}

/// Gives the address of a state, in words.
type Address = Box<dyn Fn(u32) -> Result<u16, String>>;

/// The words of all states that the roots reach, and where each state is.
fn states(automaton: &Automaton, roots: &[u32]) -> Result<(Vec<u16>, Address), String> {
    let order = order(automaton, roots);
    let mut address = HashMap::new();
    let mut at = 0_usize;
    for it in &order {
        address.insert(it.state, u16_of(at)?);
        let valued = usize::from(automaton.states[it.state as usize].value != 0);
        at += valued + (2 * it.groups.len()).max(1) - usize::from(it.follows);
    }
    let address: Address =
        Box::new(move |state: u32| address.get(&state).copied().ok_or_else(|| format!("state {state} has no place")));
    let mut words = Vec::new();
    for it in &order {
        let value = automaton.states[it.state as usize].value;
        if value != 0 {
            words.push(VALUE | u16::from(value));
        }
        let Some(last) = it.groups.len().checked_sub(1) else {
            words.push(LAST);
            continue;
        };
        for (index, &(target, digits)) in it.groups.iter().enumerate() {
            let end = if index == last { LAST } else { 0 };
            if index == last && it.follows {
                words.push(digits | end | FOLLOWS);
            } else {
                words.extend([digits | end, address(target)?]);
            }
        }
    }
    Ok((words, address))
}

/// Lays the states out so that as many as can be follow the one that leads to them. The dead
/// state comes first, so that address 0 accepts nothing.
fn order(automaton: &Automaton, roots: &[u32]) -> Vec<Placed> {
    let mut placed = vec![false; automaton.states.len()];
    placed[DEAD as usize] = true;
    let mut order = vec![Placed { state: DEAD, groups: Vec::new(), follows: false }];
    let mut open: Vec<u32> = roots.iter().rev().copied().collect();
    while let Some(state) = open.pop() {
        let mut next = Some(state).filter(|&it| !placed[it as usize]);
        while let Some(state) = next {
            placed[state as usize] = true;
            let mut groups = groups(automaton, state);
            next = None;
            if let Some(at) = groups.iter().rposition(|&(target, _)| !placed[target as usize]) {
                let group = groups.remove(at);
                next = Some(group.0);
                open.extend(groups.iter().rev().map(|&(target, _)| target));
                groups.push(group);
            }
            order.push(Placed { state, groups, follows: next.is_some() });
        }
    }
    order
}

fn groups(automaton: &Automaton, state: u32) -> Vec<(u32, u16)> {
    let mut groups: Vec<(u32, u16)> = Vec::new();
    for (digit, &target) in automaton.states[state as usize].next.iter().enumerate() {
        if target == DEAD {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| *known == target) {
            Some((_, digits)) => *digits |= 1 << digit,
            None => groups.push((target, 1 << digit)),
        }
    }
    groups
}
