//! Turns the metadata's regular expressions into graphs that read digits.
//! One graph serves both readings: as a set of strings, and as a program with groups.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// A step of a graph. Steps are named by their index in [`Graph::steps`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One digit out of a set (bit 0 for the digit 0), then the next step.
    Digit { set: u16, next: usize },
    /// Either step, the first preferred.
    Either { first: usize, second: usize },
    /// Notes the place reached in slot `2 * group` (start) or `2 * group + 1` (end).
    Note { slot: u16, next: usize },
    /// Goes on only where the digits end.
    AtEnd { next: usize },
    /// The pattern with this number is matched.
    Matched { pattern: usize },
}

/// All ten digits.
pub const ANY_DIGIT: u16 = 0x3ff;

/// Patterns compiled into one arena of steps.
#[derive(Debug, Default)]
pub struct Graph {
    /// The steps of all the patterns.
    pub steps: Vec<Step>,
}

impl Graph {
    /// Adds a pattern that must match all the digits; gives its first step.
    pub fn add_full(&mut self, pattern: &str, number: usize) -> Result<usize, String> {
        let matched = self.push(Step::Matched { pattern: number });
        self.add(pattern, matched)
    }

    /// Adds a pattern that must match the beginning of the digits, whatever follows.
    pub fn add_leading(&mut self, pattern: &str, number: usize) -> Result<usize, String> {
        let matched = self.push(Step::Matched { pattern: number });
        let more = self.steps.len() + 1;
        let more = self.push(Step::Digit { set: ANY_DIGIT, next: more });
        let rest = self.push(Step::Either { first: matched, second: more });
        self.add(pattern, rest)
    }

    fn add(&mut self, pattern: &str, next: usize) -> Result<usize, String> {
        let hir = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(pattern)
            .map_err(|why| format!("{pattern}: {why}"))?;
        self.compile(&hir, next).map_err(|why| format!("{pattern}: {why}"))
    }

    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Compiles backwards: gives the step from which `hir` is read and `next` reached.
    fn compile(&mut self, hir: &Hir, next: usize) -> Result<usize, String> {
        match hir.kind() {
            HirKind::Empty => Ok(next),
            HirKind::Literal(literal) => literal.0.iter().rev().try_fold(next, |next, &byte| {
                let set = 1 << digit(byte)?;
                Ok(self.push(Step::Digit { set, next }))
            }),
            HirKind::Class(class) => {
                let set = digits(class)?;
                Ok(self.push(Step::Digit { set, next }))
            }
            HirKind::Look(Look::End) => Ok(self.push(Step::AtEnd { next })),
            HirKind::Look(look) => Err(format!("{look:?} is not known here")),
            HirKind::Repetition(repetition) => {
                let max = repetition.max.ok_or("it repeats without an end")?;
                let mut start = next;
                for _ in repetition.min..max {
                    let first = self.compile(&repetition.sub, start)?;
                    start = self.push(if repetition.greedy {
                        Step::Either { first, second: next }
                    } else {
                        Step::Either { first: next, second: first }
                    });
                }
                for _ in 0..repetition.min {
                    start = self.compile(&repetition.sub, start)?;
                }
                Ok(start)
            }
            HirKind::Capture(group) => {
                let slot = u16::try_from(group.index * 2).map_err(|why| why.to_string())?;
                let end = self.push(Step::Note { slot: slot + 1, next });
                let inner = self.compile(&group.sub, end)?;
                Ok(self.push(Step::Note { slot, next: inner }))
            }
            HirKind::Concat(parts) => parts.iter().rev().try_fold(next, |next, part| self.compile(part, next)),
            HirKind::Alternation(parts) => {
                let mut start = None;
                for part in parts.iter().rev() {
                    let first = self.compile(part, next)?;
                    start = Some(match start {
                        None => first,
                        Some(second) => self.push(Step::Either { first, second }),
                    });
                }
                start.ok_or_else(|| "it offers no alternative".to_owned())
            }
        }
    }
}

fn digit(byte: u8) -> Result<u32, String> {
    char::from(byte).to_digit(10).ok_or_else(|| format!("the byte {byte} is not a digit"))
}

fn digits(class: &Class) -> Result<u16, String> {
    let Class::Bytes(bytes) = class else {
        return Err("it has a class that is not of bytes".to_owned());
    };
    let mut set = 0;
    for range in bytes.ranges() {
        for byte in range.start()..=range.end() {
            set |= 1 << digit(byte)?;
        }
    }
    Ok(set)
}
