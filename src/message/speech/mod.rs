//! What a call says: the sentences and digits of one language, put together as parts that a driver turns into its
//! carrier's form. Digits are words with a pause after each, so that no engine reads a number out of them.

mod phrases;
mod voice;

use std::borrow::Cow;

pub use voice::Voice;

use crate::crypto::Code;

/// One part of what a call says.
#[derive(Clone)]
pub enum Part {
    /// A sentence, or one digit as a word.
    Say(Cow<'static, str>),
    /// A breath: about a second.
    Pause,
}

/// What a call says, in one voice. It may hold a code, so it has no `Debug`.
#[derive(Clone)]
pub struct Script {
    /// Who speaks, in which language.
    pub voice: Voice,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

/// The longest greeting that is spoken, in characters as XML has them: what follows it has to fit into a carrier's limit too.
const LONGEST_GREETING: usize = 480;

impl Script {
    /// Who calls and why, and that a key has to be pressed. No code is in it: a mailbox may record it.
    pub fn gate(voice: Voice, greeting: &str) -> Self {
        Self::of(voice, [first_words(greeting), Part::Say(voice.phrases().press_a_key.into())])
    }

    /// What is said when nobody pressed a key.
    pub fn nobody(voice: Voice) -> Self {
        Self::of(voice, [Part::Say(voice.phrases().nobody.into())])
    }

    /// The code, twice. Whoever pressed a key has heard who calls.
    pub fn code(voice: Voice, code: &Code) -> Self {
        let phrases = voice.phrases();
        let mut parts = Vec::new();
        for opening in [phrases.your_code, phrases.once_more] {
            parts.extend([Part::Say(opening.into()), Part::Pause]);
            for digit in code.expose().chars().filter_map(|digit| digit.to_digit(10)) {
                let word = usize::try_from(digit).ok().and_then(|digit| phrases.digits.get(digit));
                parts.extend(word.map(|word| Part::Say((*word).into())));
                parts.push(Part::Pause);
            }
        }
        parts.push(Part::Say(phrases.goodbye.into()));
        Self { voice, parts }
    }

    /// Who calls and why, and the code at once: where no key is waited for.
    pub fn greeting_and_code(voice: Voice, greeting: &str, code: &Code) -> Self {
        let mut script = Self::of(voice, [first_words(greeting), Part::Pause]);
        script.parts.extend(Self::code(voice, code).parts);
        script
    }

    /// What is said when a key was pressed after the code had died.
    pub fn too_late(voice: Voice) -> Self {
        Self::of(voice, [Part::Say(voice.phrases().too_late.into())])
    }

    /// The words one after the other, for the dev inbox.
    pub fn to_text(&self) -> String {
        let words = self.parts.iter().filter_map(|part| match part {
            Part::Say(words) => Some(words.as_ref()),
            Part::Pause => None,
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn of<const COUNT: usize>(voice: Voice, parts: [Part; COUNT]) -> Self {
        Self { voice, parts: parts.into() }
    }
}

/// Who calls and why: the text of a template, on one line.
fn first_words(greeting: &str) -> Part {
    let mut length = 0;
    let fits = greeting.chars().take_while(|character| {
        length += match character {
            '&' => 5,
            '<' | '>' => 4,
            '"' | '\'' => 6,
            _ => 1,
        };
        length <= LONGEST_GREETING
    });
    Part::Say(fits.map(|character| if character == '\n' { ' ' } else { character }).collect::<String>().into())
}

/// Escapes text for XML 1.0, in elements and attributes. What XML cannot hold is left out.
pub fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' => escaped.push(' '),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {}
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
