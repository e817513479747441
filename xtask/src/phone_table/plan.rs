//! Brings the territories of one calling code together and says what its table entry must hold.
//! This is where libphonenumber's rules for type, region and possibility are restated.

use super::automaton::{Automaton, DEAD, State};
use super::pattern::{Graph, Step};
use super::protobuf::{TYPE_FIELDS, Territory};

/// Number kinds as the table writes them; `src/phone/kind.rs` reads them back.
pub mod kind {
    pub const FIXED_LINE: u8 = 1;
    pub const MOBILE: u8 = 2;
    pub const FIXED_LINE_OR_MOBILE: u8 = 3;
    /// In the order of `TYPE_FIELDS`, without the last two.
    pub const OTHERS: [u8; 8] = [4, 5, 6, 7, 8, 9, 10, 11];
}

/// No number of the North American plan has an area code or exchange that begins with 0 or 1, and
/// all have ten digits. The metadata says the former only within its patterns of single types, and
/// it lists numbers that can be dialled in one country only: Canada's 310 numbers of seven digits,
/// and Dominican toll-free numbers whose exchange begins with 0 or 1.
const NORTH_AMERICA: (u32, &str, u32) = (1, r"[2-9]\d\d[2-9]\d{6}", 1 << 10);

/// What the table holds of one calling code.
#[derive(Debug)]
pub struct Plan {
    pub calling_code: u32,
    /// Country codes, the main one first, the others in the order of the metadata.
    pub countries: Vec<String>,
    /// Start state that gives assigned numbers their [`Verdict`] number.
    pub assigned: u32,
    /// Start state that accepts what could exist.
    pub possible: u32,
    /// Start state of what matches the general pattern of the main country.
    pub general: u32,
    /// Start state whose first accepting state gives the country, counted from 1.
    pub leading: u32,
    /// Lengths a number of any of the countries may have, bit 0 for no digit.
    pub lengths: u32,
    /// The same of the main country only, as parsing asks.
    pub main_lengths: u32,
    /// Lengths dialled within an area in the main country.
    pub local_lengths: u32,
    /// Patterns of the main country: dialled before a foreign number, before a national one, and
    /// what replaces the latter.
    pub international_prefix: Option<String>,
    pub national_prefix: Option<String>,
    pub national_transform: Option<String>,
}

/// A country (by its place among those of the calling code) with a kind.
pub type Verdict = (u8, u8);

/// Plans all calling codes, ascending. `verdicts` collects the distinct values of assigned numbers.
pub fn plans(
    territories: &[Territory],
    automaton: &mut Automaton,
    verdicts: &mut Vec<Verdict>,
) -> Result<Vec<Plan>, String> {
    let mut codes: Vec<u32> = territories.iter().map(|it| it.calling_code).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut all = Vec::new();
    for code in codes {
        let mut here: Vec<&Territory> = territories.iter().filter(|it| it.calling_code == code).collect();
        here.sort_by_key(|it| !it.main);
        all.push(plan(&here, automaton, verdicts).map_err(|why| format!("+{code}: {why}"))?);
    }
    Ok(all)
}

fn plan(here: &[&Territory], automaton: &mut Automaton, verdicts: &mut Vec<Verdict>) -> Result<Plan, String> {
    let main = here.first().ok_or("no territory")?;
    let general = general(main, automaton)?;
    Ok(Plan {
        calling_code: main.calling_code,
        countries: here.iter().map(|it| it.id.clone()).collect(),
        assigned: assigned(here, automaton, verdicts)?,
        possible: possible(here, automaton)?,
        general,
        leading: leading(here, automaton)?,
        lengths: if main.calling_code == NORTH_AMERICA.0 {
            NORTH_AMERICA.2
        } else {
            here.iter().fold(0, |set, it| set | bits(&it.general.lengths))
        },
        main_lengths: bits(&main.general.lengths),
        local_lengths: bits(&main.general.local_lengths),
        international_prefix: main.international_prefix.clone(),
        national_prefix: main.national_prefix.clone(),
        national_transform: main.national_transform.clone(),
    })
}

fn bits(lengths: &[u32]) -> u32 {
    lengths.iter().fold(0, |set, length| set | 1 << length)
}

fn general(it: &Territory, automaton: &mut Automaton) -> Result<u32, String> {
    let mut graph = Graph::default();
    let pattern = it.general.pattern.as_deref().ok_or("no general pattern")?;
    let start = graph.add_full(pattern, 0)?;
    automaton.build(&graph, &[start], &|matched, _| Ok(u8::from(!matched.is_empty())))
}

/// Patterns of one territory within the graph: the general one, then the types, then the leading
/// digits.
const PER_TERRITORY: usize = 2 + TYPE_FIELDS.len();

/// libphonenumber's region and type of a number, where the type is known.
fn assigned(here: &[&Territory], automaton: &mut Automaton, verdicts: &mut Vec<Verdict>) -> Result<u32, String> {
    let mut graph = Graph::default();
    let mut starts = Vec::new();
    for (place, it) in here.iter().enumerate() {
        let first = place * PER_TERRITORY;
        let descs = std::iter::once(&it.general).chain(&it.types);
        for (offset, desc) in descs.enumerate() {
            if let Some(pattern) = &desc.pattern {
                starts.push(graph.add_full(pattern, first + offset)?);
            }
        }
        if let Some(pattern) = &it.leading_digits {
            starts.push(graph.add_leading(pattern, first + PER_TERRITORY - 1)?);
        }
    }
    let collected = std::cell::RefCell::new(verdicts);
    automaton.build(&graph, &starts, &|matched, length| {
        let Some(verdict) = verdict(here, matched, length) else {
            return Ok(0);
        };
        let mut verdicts = collected.borrow_mut();
        let at = verdicts.iter().position(|it| *it == verdict).unwrap_or_else(|| {
            verdicts.push(verdict);
            verdicts.len() - 1
        });
        u8::try_from(at + 1).map_err(|_| "more than 255 verdicts".to_owned())
    })
}

fn verdict(here: &[&Territory], matched: &[usize], length: u32) -> Option<Verdict> {
    for (place, it) in here.iter().enumerate() {
        let first = place * PER_TERRITORY;
        let matches = |offset: usize| matched.binary_search(&(first + offset)).is_ok();
        let kind = kind_of(it, &matches, length);
        // A lone territory has its number whatever its leading digits.
        if here.len() > 1 && it.leading_digits.is_some() {
            if matches(PER_TERRITORY - 1) {
                return kind.map(|kind| (place as u8, kind));
            }
        } else if let Some(kind) = kind {
            return Some((place as u8, kind));
        }
    }
    None
}

fn kind_of(it: &Territory, matches: &dyn Fn(usize) -> bool, length: u32) -> Option<u8> {
    let fits = |offset: usize, lengths: &[u32]| matches(offset) && (lengths.is_empty() || lengths.contains(&length));
    if !fits(0, &it.general.lengths) {
        return None;
    }
    let is = |index: usize| fits(index + 1, &it.types[index].lengths);
    if let Some(index) = (0..kind::OTHERS.len()).find(|&index| is(index)) {
        return Some(kind::OTHERS[index]);
    }
    let (fixed_line, mobile) = (is(8), is(9));
    match (fixed_line, mobile, it.same_mobile_and_fixed) {
        (true, _, true) | (true, true, _) => Some(kind::FIXED_LINE_OR_MOBILE),
        (true, false, false) => Some(kind::FIXED_LINE),
        (false, true, false) => Some(kind::MOBILE),
        _ => None,
    }
}

/// What could exist: in some country of the code, a number that long begins with that digit.
///
/// One digit is as coarse as it can be. Countries open new ranges, mostly by the second or third
/// digit, and the table is older than the newest of them.
fn possible(here: &[&Territory], automaton: &mut Automaton) -> Result<u32, String> {
    if here[0].calling_code == NORTH_AMERICA.0 {
        let mut graph = Graph::default();
        let start = graph.add_full(NORTH_AMERICA.1, 0)?;
        return automaton.build(&graph, &[start], &|matched, _| Ok(u8::from(!matched.is_empty())));
    }
    let mut by_first = [0_u32; 10];
    for it in here {
        let start = general(it, automaton)?;
        let lengths = bits(&it.general.lengths) >> 1;
        for (digit, set) in by_first.iter_mut().enumerate() {
            let next = automaton.states[start as usize].next[digit];
            *set |= automaton.lengths(next) & lengths;
        }
    }
    let next = by_first.map(|lengths| automaton.any_digits(lengths));
    Ok(automaton.state(State { value: 0, next }))
}

/// The country that leading digits alone tell, for numbers that are not assigned.
fn leading(here: &[&Territory], automaton: &mut Automaton) -> Result<u32, String> {
    if here.len() < 2 {
        return Ok(DEAD);
    }
    let mut shared = Graph::default();
    let mut full = Graph::default();
    let (mut shared_starts, mut starts) = (Vec::new(), Vec::new());
    for (place, it) in here.iter().enumerate() {
        if let Some(pattern) = &it.leading_digits {
            shared_starts.push(shared.add_leading(pattern, place)?);
            starts.push(full.add_full(pattern, place)?);
        }
    }
    // The reader stops at the first match, so no two countries may lay claim to the same digits.
    Automaton::new().build(&shared, &shared_starts, &|matched, _| match matched {
        [] | [_] => Ok(1),
        _ => Err("two countries share leading digits".to_owned()),
    })?;
    automaton.build(&full, &starts, &|matched, _| Ok(matched.first().map_or(0, |&place| place as u8 + 1)))
}

/// A prefix pattern as a program, its steps in the order they are reached.
pub fn program(pattern: &str) -> Result<Vec<Step>, String> {
    let mut graph = Graph::default();
    let start = graph.add_full(pattern, 0)?;
    let mut order = vec![start];
    let mut at = 0;
    while at < order.len() {
        let targets = match graph.steps[order[at]] {
            Step::Digit { next, .. } | Step::Note { next, .. } | Step::AtEnd { next } => vec![next],
            Step::Either { first, second } => vec![first, second],
            Step::Matched { .. } => Vec::new(),
        };
        for target in targets {
            if !order.contains(&target) {
                order.push(target);
            }
        }
        at += 1;
    }
    let place = |step: usize| order.iter().position(|&it| it == step).unwrap_or_default();
    Ok(order
        .iter()
        .map(|&step| match graph.steps[step].clone() {
            Step::Digit { set, next } => Step::Digit { set, next: place(next) },
            Step::Note { slot, next } => Step::Note { slot, next: place(next) },
            Step::AtEnd { next } => Step::AtEnd { next: place(next) },
            Step::Either { first, second } => Step::Either { first: place(first), second: place(second) },
            matched @ Step::Matched { .. } => matched,
        })
        .collect())
}
