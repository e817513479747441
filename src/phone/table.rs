//! Reads the generated table of the world's numbering plans.
//! It is used where it lies: nothing is unpacked, and every read is checked.
//!
//! `table.bin` is made by `cargo run -p xtask -- phone-table` out of libphonenumber's metadata.
//! `xtask/src/phone_table/encode.rs` writes the layout read here. All numbers are little-endian
//! words of 16 bits:
//!
//! | part | record |
//! | --- | --- |
//! | header, 28 bytes | `PHN1`, release (12 bytes of text), six counts |
//! | calling codes, ascending | 13 words, see [`Plan`] |
//! | countries | two letters, `00` for none |
//! | verdicts | place among the code's countries, kind (bytes) |
//! | transforms | group, count of digits, six digits (bytes) |
//! | prefix programs | steps of three words, see `prefix.rs` |
//! | states | see [`Walk`] |

static TABLE: &[u8] = include_bytes!("table.bin");

const RELEASE: std::ops::Range<usize> = 4..16;
const COUNTS: usize = 16;
const HEADER: usize = 28;
const PLAN_BYTES: usize = 26;
const TRANSFORM_BYTES: usize = 8;
const STEP_BYTES: usize = 6;
const NONE: u16 = u16::MAX;

/// The release of libphonenumber whose metadata the table holds, such as `9.0.42`.
#[must_use]
pub fn metadata_release() -> &'static str {
    TABLE.get(RELEASE).and_then(|text| std::str::from_utf8(text).ok()).map_or("", str::trim_end)
}

fn word(at: usize) -> u16 {
    match TABLE.get(at..at.saturating_add(2)) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    }
}

fn byte(at: usize) -> u8 {
    TABLE.get(at).copied().unwrap_or(0)
}

fn count(index: usize) -> usize {
    usize::from(word(COUNTS + 2 * index))
}

fn countries_at() -> usize {
    HEADER + PLAN_BYTES * count(0)
}

fn verdicts_at() -> usize {
    countries_at() + 2 * count(1)
}

fn transforms_at() -> usize {
    verdicts_at() + 2 * count(2)
}

fn steps_at() -> usize {
    transforms_at() + TRANSFORM_BYTES * count(3)
}

fn states_at() -> usize {
    steps_at() + STEP_BYTES * count(4)
}

/// The two letters of every country in the table, calling code by calling code.
pub(super) fn countries() -> impl Iterator<Item = [u8; 2]> {
    (0..count(1)).map(country)
}

fn country(index: usize) -> [u8; 2] {
    let at = countries_at() + 2 * index;
    [byte(at), byte(at + 1)]
}

/// A country by its place among those of a calling code, with a kind's code.
#[derive(Clone, Copy)]
pub(super) struct Verdict {
    pub(super) place: u8,
    pub(super) kind: u8,
}

/// The numbering plan behind one calling code.
///
/// Its words are: the code, the first of its countries and how many there are, four start states,
/// three sets of lengths (bit 0 for two digits, up to bit 15 for 17), and three indices that may
/// be [`NONE`].
#[derive(Clone, Copy)]
pub(super) struct Plan {
    at: usize,
}

impl Plan {
    /// The plan of a calling code that is in use.
    pub(super) fn of(calling_code: u16) -> Option<Self> {
        let (mut low, mut high) = (0, count(0));
        while low < high {
            let middle = usize::midpoint(low, high);
            let plan = Self { at: HEADER + PLAN_BYTES * middle };
            match plan.calling_code().cmp(&calling_code) {
                std::cmp::Ordering::Equal => return Some(plan),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Splits the digits after a plus sign into the plan of their calling code and the rest.
    /// Calling codes are such that none begins another.
    pub(super) fn split(digits: &str) -> Option<(Self, &str)> {
        (1..=3).find_map(|length| {
            let (code, national) = digits.split_at_checked(length)?;
            // No calling code begins with 0, and a number may be read with a plus sign before it.
            if !code.starts_with(|first| matches!(first, '1'..='9')) {
                return None;
            }
            Some((Self::of(code.parse().ok()?)?, national))
        })
    }

    fn field(self, index: usize) -> u16 {
        word(self.at + 2 * index)
    }

    pub(super) fn calling_code(self) -> u16 {
        self.field(0)
    }

    /// The country at a place, the main one at 0.
    pub(super) fn country(self, place: u8) -> [u8; 2] {
        country(usize::from(self.field(1)) + usize::from(place))
    }

    pub(super) fn country_count(self) -> u8 {
        u8::try_from(self.field(2)).unwrap_or(0)
    }

    /// What the table says of an assigned national number.
    pub(super) fn verdict(self, national: &str) -> Option<Verdict> {
        let index = usize::from(value(self.field(3), national)).checked_sub(1)?;
        let at = verdicts_at() + 2 * index;
        Some(Verdict { place: byte(at), kind: byte(at + 1) })
    }

    /// Whether a national number could exist in some country of the code.
    pub(super) fn possible(self, national: &str) -> bool {
        value(self.field(4), national) != 0
    }

    /// Whether a national number matches the general pattern of the main country.
    pub(super) fn general(self, national: &str) -> bool {
        value(self.field(5), national) != 0
    }

    /// The place of the country that the leading digits alone tell.
    pub(super) fn leading(self, national: &str) -> Option<u8> {
        let mut walk = Walk::from(self.field(6));
        national.bytes().find_map(|digit| {
            walk.step(digit);
            walk.value().checked_sub(1)
        })
    }

    /// The lengths in digits that national numbers have in any country of the code.
    pub(super) fn lengths(self) -> Lengths {
        Lengths(self.field(7))
    }

    /// The same of the main country only.
    pub(super) fn main_lengths(self) -> Lengths {
        Lengths(self.field(8))
    }

    /// The lengths that can be dialled only within an area of the main country.
    pub(super) fn local_lengths(self) -> Lengths {
        Lengths(self.field(9))
    }

    /// The program for what is dialled before a foreign number: the index of its first step.
    pub(super) fn international_prefix(self) -> Option<u16> {
        Some(self.field(10)).filter(|&index| index != NONE)
    }

    /// The program for what is dialled before a national number.
    pub(super) fn national_prefix(self) -> Option<u16> {
        Some(self.field(11)).filter(|&index| index != NONE)
    }

    /// What replaces the national prefix if the group is there: the group, and the digits that go
    /// before it.
    pub(super) fn transform(self) -> Option<(u8, &'static str)> {
        let index = Some(self.field(12)).filter(|&index| index != NONE)?;
        let at = transforms_at() + TRANSFORM_BYTES * usize::from(index);
        let digits = TABLE.get(at + 2..at + 2 + usize::from(byte(at + 1)))?;
        Some((byte(at), std::str::from_utf8(digits).ok()?))
    }
}

/// A set of lengths in digits.
#[derive(Clone, Copy)]
pub(super) struct Lengths(u16);

impl Lengths {
    pub(super) fn contains(self, length: usize) -> bool {
        (2..18).contains(&length) && self.0 >> (length - 2) & 1 == 1
    }

    pub(super) fn shortest(self) -> usize {
        (2..18).find(|&length| self.contains(length)).unwrap_or(0)
    }

    pub(super) fn longest(self) -> usize {
        (2..18).rev().find(|&length| self.contains(length)).unwrap_or(0)
    }
}

/// The three words of a prefix program's step.
pub(super) fn step(index: u16) -> [u16; 3] {
    let at = steps_at() + STEP_BYTES * usize::from(index);
    [word(at), word(at + 2), word(at + 4)]
}

/// A walk through the states, digit by digit.
///
/// A state is addressed by its first word. It may begin with a value word (`0x4000`, the value in
/// the low byte); then comes a word for each group of digits that lead to the same state, with a
/// bit for each digit, followed by the address of that state, unless the state itself comes next
/// (`0x2000`). The last group is marked (`0x8000`). The state at address 0 leads nowhere.
struct Walk {
    at: usize,
    state: u16,
}

impl Walk {
    fn from(state: u16) -> Self {
        Self { at: states_at(), state }
    }

    fn read(&self, offset: usize) -> u16 {
        word(self.at + 2 * (usize::from(self.state) + offset))
    }

    /// The value of the state reached; 0 when the digits so far are not accepted.
    fn value(&self) -> u8 {
        let [value, flags] = self.read(0).to_le_bytes();
        if flags & 0xe0 == 0x40 { value } else { 0 }
    }

    fn step(&mut self, digit: u8) {
        let bit = 1_u16.checked_shl(u32::from(digit.wrapping_sub(b'0'))).unwrap_or(0) & 0x3ff;
        let mut offset = usize::from(self.value() != 0);
        loop {
            let group = self.read(offset);
            if group & bit != 0 {
                self.state = if group & 0x2000 == 0 {
                    self.read(offset + 1)
                } else {
                    u16::try_from(usize::from(self.state) + offset + 1).unwrap_or(0)
                };
                return;
            }
            // A word without a digit is the dead state's, or lies outside a table cut short.
            if group & 0x8000 != 0 || group.trailing_zeros() >= 10 {
                self.state = 0;
                return;
            }
            offset += 2;
        }
    }
}

/// The value of a string of digits, from a start state.
fn value(start: u16, digits: &str) -> u8 {
    let mut walk = Walk::from(start);
    for digit in digits.bytes() {
        walk.step(digit);
    }
    walk.value()
}
