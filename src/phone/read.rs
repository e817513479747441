//! Reads what people type or paste down to a plus sign and digits.
//! Whatever is not plainly part of a phone number is refused, each kind with its own reason.

use super::PhoneError;

/// The most characters a typed phone number may have, spaces around it left out.
pub const MAX_TYPED_CHARS: usize = 40;

/// The zeros of the decimal digits that people's keyboards produce; the other nine follow each.
const ZEROS: [u32; 18] = [
    0x0660, // Arabic-Indic
    0x06f0, // Persian, Urdu
    0x07c0, // N'Ko
    0x0966, // Devanagari
    0x09e6, // Bengali
    0x0a66, // Gurmukhi
    0x0ae6, // Gujarati
    0x0b66, // Odia
    0x0be6, // Tamil
    0x0c66, // Telugu
    0x0ce6, // Kannada
    0x0d66, // Malayalam
    0x0e50, // Thai
    0x0ed0, // Lao
    0x0f20, // Tibetan
    0x1040, // Burmese
    0x17e0, // Khmer
    0xff10, // full-width
];

/// What was typed, reduced: whether a plus sign led it, and its digits in ASCII.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dialled {
    pub(super) plus: bool,
    pub(super) digits: String,
}

/// Reads a typed number; it has at least one digit then.
pub(super) fn read(typed: &str) -> Result<Dialled, PhoneError> {
    let text = typed.trim_matches(is_separator);
    if text.chars().nth(MAX_TYPED_CHARS).is_some() {
        return Err(PhoneError::TooManyCharacters);
    }
    let text = match text.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest,
        _ => text,
    };
    let mut dialled = Dialled { plus: false, digits: String::new() };
    for (at, char) in text.char_indices() {
        if let Some(digit) = digit(char) {
            dialled.digits.push(digit);
        } else if matches!(char, '+' | '\u{ff0b}') {
            if dialled.plus || !dialled.digits.is_empty() {
                return Err(PhoneError::PlusSign);
            }
            dialled.plus = true;
        } else if !is_separator(char) {
            return Err(why_not(text.get(at..).unwrap_or_default(), &dialled));
        }
    }
    if dialled.digits.is_empty() {
        return Err(PhoneError::Empty);
    }
    Ok(dialled)
}

fn digit(char: char) -> Option<char> {
    if char.is_ascii() {
        return Some(char).filter(char::is_ascii_digit);
    }
    let code = u32::from(char);
    ZEROS.iter().find_map(|&zero| char::from_digit(code.checked_sub(zero)?, 10))
}

/// Whether a character only sets digits apart: spaces, dashes, dots, brackets, slashes, tildes,
/// and the invisible marks that come along when a number is copied from a page.
fn is_separator(char: char) -> bool {
    char.is_whitespace()
        || matches!(char,
            '-' | '.' | '(' | ')' | '[' | ']' | '/' | '~'
            | '\u{00ad}' // soft hyphen
            | '\u{00b7}' // middle dot
            | '\u{061c}' // Arabic letter mark
            | '\u{200b}'..='\u{200f}' // zero-width characters, direction marks
            | '\u{2010}'..='\u{2015}' // hyphens and dashes
            | '\u{202a}'..='\u{202e}' // direction embeddings
            | '\u{2053}' // swung dash
            | '\u{2060}' // word joiner
            | '\u{2066}'..='\u{2069}' // direction isolates
            | '\u{2212}' // minus
            | '\u{223c}' // tilde operator
            | '\u{301c}' // wave dash
            | '\u{30fc}' // long vowel mark, typed for a dash
            | '\u{feff}' // byte order mark
            | '\u{ff08}' | '\u{ff09}' | '\u{ff3b}' | '\u{ff3d}' // full-width brackets
            | '\u{ff0d}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff5e}' // full-width - . / ~
        )
}

/// The reason to refuse text that begins with a character that does not belong.
fn why_not(rest: &str, before: &Dialled) -> PhoneError {
    let head: String = rest.chars().take(4).collect::<String>().to_ascii_lowercase();
    let marks = ["ext", "x", "#", ",", ";ext", "\u{ff58}", "\u{ff03}"];
    let is_extension = !before.digits.is_empty()
        && marks.iter().any(|mark| head.starts_with(mark))
        && rest.chars().any(|char| digit(char).is_some());
    if is_extension {
        PhoneError::Extension
    } else if rest.starts_with(char::is_alphabetic) {
        PhoneError::Letters
    } else {
        PhoneError::UnexpectedCharacter
    }
}
