//! Base 32 of RFC 4648 §6, without padding: the form in which apps take a secret.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The text of some bytes.
pub(super) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    // With its capacity it is never moved, and leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity((bytes.len() * 8).div_ceil(5)));
    for chunk in bytes.chunks(5) {
        let bits = (0..5).fold(0u64, |bits, at| (bits << 8) | u64::from(chunk.get(at).copied().unwrap_or(0)));
        for position in 0..(chunk.len() * 8).div_ceil(5) {
            let index = usize::try_from((bits >> (35 - position * 5)) & 31).unwrap_or(0);
            text.extend(ALPHABET.get(index).copied().map(char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_section_10() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(encode(bytes.as_bytes()).as_str(), text);
        }
    }
}
