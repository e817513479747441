//! Words that anybody who knows the person or the app would try: they do not count towards a password's length.
//! Forward, backward, in any case, with the usual digits for letters.

use crate::few::sort_few;

/// Shorter words are in too many passwords by chance.
const LEAST_WORD: usize = 4;

/// The shortest end of a phone number that is looked for.
const LEAST_END: usize = 6;

/// Letters and digits that must be left without the words: the length that is enough with a second factor.
const LEAST_REST: usize = 8;

/// Whether a password is made of such words and little else. `texts` are names, addresses, numbers, as they are.
pub(super) fn is_made_of(password: &str, texts: &[&str]) -> bool {
    let words = words(texts);
    [plain(password), without_digits_for_letters(password)].iter().any(|password| {
        let mut rest = password.clone();
        for word in &words {
            rest = rest.replace(word.as_str(), " ");
        }
        rest != *password && rest.chars().filter(|character| *character != ' ').count() < LEAST_REST
    })
}

/// The words of some texts and their reverses, the longest first: each text whole, and each of its parts.
fn words(texts: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = texts
        .iter()
        .flat_map(|text| {
            let parts = text.split(|character: char| !character.is_alphanumeric()).map(plain);
            parts.chain([plain(text), without_digits_for_letters(text)]).chain(ends_of_number(text))
        })
        .filter(|word| word.chars().count() >= LEAST_WORD)
        .flat_map(|word| [word.chars().rev().collect(), word])
        .collect();
    sort_few(&mut words, |one: &String, other| one.len() > other.len());
    words.dedup();
    words
}

/// The ends of a phone number: people write it without its country, or without its area.
fn ends_of_number(text: &str) -> Vec<String> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    (1..digits.len().saturating_sub(LEAST_END - 1)).map(|at| digits.split_at(at).1.to_owned()).collect()
}

/// Letters and digits only, in lower case.
fn plain(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// The same with letters where people write digits and signs for them.
fn without_digits_for_letters(text: &str) -> String {
    let letters = text.chars().map(|character| match character {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        other => other,
    });
    plain(&letters.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 4] = ["Acme Lights", "Käthe Müller-Lüdenscheidt", "kaethe.m@lichter.example", "+4915112345678"];

    #[test]
    fn words_of_app_and_person_do_not_make_a_password() {
        for password in [
            "AcmeLights2024",
            "acme-lights-acme-lights",
            "sthgiLemcA!!!",
            "4cm3 L1ght5 2024",
            "müller.lüdenscheidt",
            "Kaethe.Lichter.1",
            "lichter.example",
            "+49 151 12345678",
            "87654321151",
            "0151/12345678",
            "my 12345678",
            "2024acme25",
        ] {
            assert!(is_made_of(password, &TEXTS), "{password}");
        }
    }

    #[test]
    fn a_word_in_a_password_that_is_long_enough_without_it_is_no_harm() {
        for password in
            ["my acme desk is oaken", "vK3#qq-Lw92acme", "kleine blaue Lichter am Fluss", "unrelated", "short"]
        {
            assert!(!is_made_of(password, &TEXTS), "{password}");
        }
        // Too short to be a word.
        assert!(!is_made_of("bob bob bob bob", &["Bob"]));
        assert!(!is_made_of("anything at all", &["", " ", "--"]));
    }
}
