//! Whether many people have a password: it is on the bundled list whole, or is one of the list with little around it,
//! or repeated. A word within a longer password is no harm: SP 800-63B-4 wants the whole compared, not its parts.

mod list;

pub use list::{REST_BITS, fingerprint};

/// Whether a password is common. In any case.
pub(super) fn is_common(password: &str) -> bool {
    list::has_any(&candidates(password)) || is_one_sign_over_and_over(password)
}

/// The form in which passwords are compared with the list: in lower case.
pub fn fold(password: &str) -> String {
    password.to_lowercase()
}

/// What is looked for on the list: the whole, the shortest part whose repetition it is, and the word in that, when
/// what is around it is not longer than the word.
pub fn candidates(password: &str) -> Vec<String> {
    let folded = fold(password);
    let unit = unit(&folded);
    let core = unit.trim_matches(|character: char| !character.is_alphabetic());
    let around = unit.chars().count() - core.chars().count();
    let mut candidates = vec![folded.clone()];
    if unit != folded {
        candidates.push(unit.to_owned());
    }
    if around > 0 && around <= core.chars().count() {
        candidates.push(core.to_owned());
    }
    candidates
}

fn is_one_sign_over_and_over(password: &str) -> bool {
    !password.is_empty() && unit(password).chars().count() <= 2
}

/// The shortest text whose repetition is the whole.
fn unit(text: &str) -> &str {
    text.char_indices()
        .skip(1)
        .map(|(at, _)| text.split_at(at).0)
        .find(|unit| text.len().is_multiple_of(unit.len()) && unit.repeat(text.len() / unit.len()) == text)
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_choose_first_is_common() {
        for common in [
            "password",
            "PASSWORD",
            "iloveyou",
            "QwertyUiop",
            "password123",
            "!!Password!!",
            "1qaz2wsx3edc4rfv",
            "123456789012345",
            "aaaaaaaaaaaaaaa",
            "abababababababab",
            "dragondragondragon",
            "Monkey12monkey12",
            "passwordpassword",
        ] {
            assert!(is_common(common), "{common}");
        }
    }

    #[test]
    fn what_has_a_common_word_in_it_is_not() {
        for fine in ["correct horse battery staple", "vK3#qq-Lw92", "", "my password is a secret", "dragon 8302771441"]
        {
            assert!(!is_common(fine), "{fine}");
        }
    }

    #[test]
    fn a_unit_is_the_shortest() {
        for (text, expected) in [("aaaa", "a"), ("abab", "ab"), ("abcab", "abcab"), ("äöäö", "äö"), ("", "")] {
            assert_eq!(unit(text), expected);
        }
    }
}
