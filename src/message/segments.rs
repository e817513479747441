//! How many SMS a text costs (3GPP TS 23.038): 160 septets of GSM-7 in one, 153 a part;
//! 70 UTF-16 units of UCS-2 in one, 67 a part.

/// How a text is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The GSM 7-bit default alphabet and its extension.
    Gsm7,
    /// UTF-16.
    Ucs2,
}

impl Encoding {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Ucs2 => "ucs2",
        }
    }
}

/// The default alphabet, beside ASCII's letters and digits.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// Those that cost two septets.
const EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// The encoding a text needs and the number of messages it is sent as.
pub fn segments(text: &str) -> (Encoding, u32) {
    match units(text) {
        (Encoding::Gsm7, septets) => (Encoding::Gsm7, parts(septets, 160, 153)),
        (Encoding::Ucs2, units) => (Encoding::Ucs2, parts(units, 70, 67)),
    }
}

/// The encoding a text needs, and how long it is in it: septets, or UTF-16 units.
pub fn units(text: &str) -> (Encoding, usize) {
    septets(text).map_or_else(|| (Encoding::Ucs2, text.encode_utf16().count()), |septets| (Encoding::Gsm7, septets))
}

fn septets(text: &str) -> Option<usize> {
    text.chars()
        .map(|character| match character {
            character if character.is_ascii_alphanumeric() || BASIC.contains(character) => Some(1),
            character if EXTENDED.contains(character) => Some(2),
            _ => None,
        })
        .sum()
}

fn parts(units: usize, single: usize, each: usize) -> u32 {
    if units <= single { 1 } else { u32::try_from(units.div_ceil(each)).unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_follow_the_standard() {
        let cases = [
            ("", Encoding::Gsm7, 1),
            (&"a".repeat(160), Encoding::Gsm7, 1),
            (&"a".repeat(161), Encoding::Gsm7, 2),
            (&"a".repeat(306), Encoding::Gsm7, 2),
            (&"a".repeat(307), Encoding::Gsm7, 3),
            (&"€".repeat(80), Encoding::Gsm7, 1),
            (&"€".repeat(81), Encoding::Gsm7, 2),
            ("grave ` accent", Encoding::Ucs2, 1),
            (&"é".repeat(160), Encoding::Gsm7, 1),
            (&"ё".repeat(70), Encoding::Ucs2, 1),
            (&"ё".repeat(71), Encoding::Ucs2, 2),
            (&"😀".repeat(35), Encoding::Ucs2, 1),
            (&"😀".repeat(36), Encoding::Ucs2, 2),
        ];
        for (text, encoding, count) in cases {
            assert_eq!(segments(text), (encoding, count), "{text}");
        }
    }
}
