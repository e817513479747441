//! Finite sets of digit strings as one shared, minimal automaton.
//! States are made from the ends backwards and never twice, so every common ending is stored once.

use std::collections::HashMap;

use super::pattern::{Graph, Step};

/// The longest national number that is looked at, in digits.
pub const LONGEST: u32 = 17;

/// The state from which nothing is accepted.
pub const DEAD: u32 = 0;

/// A state: what a string that ends here is worth (0: not accepted), and where each digit leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// 0 when a string that ends here is not accepted.
    pub value: u8,
    /// The state each digit leads to.
    pub next: [u32; 10],
}

/// All the states; the first is the dead one.
#[derive(Debug)]
pub struct Automaton {
    /// Every state comes after all those it leads to.
    pub states: Vec<State>,
    known: HashMap<State, u32>,
}

/// Says what a string is worth, from the patterns it matches (ascending) and its length.
pub type Decide<'a> = &'a dyn Fn(&[usize], u32) -> Result<u8, String>;

impl Automaton {
    /// With the dead state only.
    pub fn new() -> Self {
        let dead = State::default();
        Self { states: vec![dead], known: HashMap::from([(dead, DEAD)]) }
    }

    /// The state that is this, made if there is none yet.
    pub fn state(&mut self, state: State) -> u32 {
        *self.known.entry(state).or_insert_with(|| {
            self.states.push(state);
            (self.states.len() - 1) as u32
        })
    }

    /// The start state for the strings of at most [`LONGEST`] digits that `decide` gives a value.
    pub fn build(&mut self, graph: &Graph, starts: &[usize], decide: Decide) -> Result<u32, String> {
        let start = closure(graph, starts.to_vec());
        Build { automaton: self, graph, decide, done: HashMap::new() }.from(start, 0)
    }

    /// The lengths accepted from a state, as a bit set (bit 0: the empty string).
    pub fn lengths(&self, state: u32) -> u32 {
        let state = &self.states[state as usize];
        let mut set = u32::from(state.value != 0);
        let mut last = DEAD;
        for &next in &state.next {
            if next != DEAD && next != last {
                set |= self.lengths(next) << 1;
            }
            last = next;
        }
        set
    }

    /// The state that accepts any digits in any of these numbers (a bit set).
    pub fn any_digits(&mut self, lengths: u32) -> u32 {
        if lengths == 0 {
            return DEAD;
        }
        let next = self.any_digits(lengths >> 1);
        self.state(State { value: (lengths & 1) as u8, next: [next; 10] })
    }
}

struct Build<'a> {
    automaton: &'a mut Automaton,
    graph: &'a Graph,
    decide: Decide<'a>,
    done: HashMap<(Vec<usize>, u32), u32>,
}

impl Build<'_> {
    fn from(&mut self, steps: Vec<usize>, length: u32) -> Result<u32, String> {
        let key = (steps, length);
        if let Some(&state) = self.done.get(&key) {
            return Ok(state);
        }
        let steps = &key.0;
        let mut matched: Vec<usize> = steps
            .iter()
            .filter_map(|&step| match self.graph.steps[step] {
                Step::Matched { pattern } => Some(pattern),
                _ => None,
            })
            .collect();
        matched.sort_unstable();
        let mut state = State { value: (self.decide)(&matched, length)?, ..State::default() };
        if length < LONGEST {
            for digit in 0..10 {
                let reached: Vec<usize> = steps
                    .iter()
                    .filter_map(|&step| match self.graph.steps[step] {
                        Step::Digit { set, next } if set >> digit & 1 == 1 => Some(next),
                        _ => None,
                    })
                    .collect();
                if !reached.is_empty() {
                    let reached = closure(self.graph, reached);
                    state.next[digit] = self.from(reached, length + 1)?;
                }
            }
        }
        let made = self.automaton.state(state);
        self.done.insert(key, made);
        Ok(made)
    }
}

/// The steps that read a digit or match, reachable without reading; sorted, none twice.
fn closure(graph: &Graph, mut open: Vec<usize>) -> Vec<usize> {
    let mut seen = Vec::new();
    let mut steps = Vec::new();
    while let Some(step) = open.pop() {
        if seen.contains(&step) {
            continue;
        }
        seen.push(step);
        match graph.steps[step] {
            Step::Digit { .. } | Step::Matched { .. } => steps.push(step),
            Step::Either { first, second } => open.extend([first, second]),
            Step::Note { next, .. } => open.push(next),
            // Only programs (prefix rules) ask for the end; full patterns never do.
            Step::AtEnd { .. } => {}
        }
    }
    steps.sort_unstable();
    steps
}
