//! A recovery code: 80 random bits as 16 characters of Crockford's base 32, and the MAC that is kept of it. It cannot
//! be printed by accident.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Pepper, code::is_separator};
use crate::{
    ids::{ALPHABET, FactorId},
    ports::Random,
};

/// How many characters a code has.
const LENGTH: usize = 16;

/// How many of them stand together when it is shown.
const GROUP: usize = 4;

/// A code. No `Debug`, no `Display`, no `Serialize`: [`RecoveryCode::shown`] is the one way to its characters.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// A new code. 80 bits are 16 times 5, so every code is equally likely by construction.
    pub fn new(random: &dyn Random) -> Self {
        let bytes = Zeroizing::new(random.bytes::<10>());
        let bits = bytes.iter().fold(0u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let characters = (0..LENGTH).rev().filter_map(|position| {
            let index = usize::try_from((bits >> (position * 5)) & 31).ok()?;
            ALPHABET.get(index).copied().map(char::from)
        });
        // With its capacity it is never moved, and leaves no copy behind.
        let mut code = Zeroizing::new(String::with_capacity(LENGTH));
        code.extend(characters);
        Self(code)
    }

    /// Parses what a person typed: either case, O for 0, I and L for 1, with spaces, dashes or dots between.
    /// `None` when anything else is in it, or it has not 16 characters.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 128 {
            return None;
        }
        let mut code = Zeroizing::new(String::with_capacity(LENGTH));
        for character in text.chars().filter(|character| !is_separator(*character)) {
            if code.len() == LENGTH {
                return None;
            }
            code.push(read(character)?);
        }
        (code.len() == LENGTH).then_some(Self(code))
    }

    /// The code as it is shown, the one time: `XXXX-XXXX-XXXX-XXXX`.
    pub fn shown(&self) -> Zeroizing<String> {
        let mut shown = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / GROUP));
        for (position, character) in self.0.chars().enumerate() {
            if position > 0 && position % GROUP == 0 {
                shown.push('-');
            }
            shown.push(character);
        }
        shown
    }
}

impl Pepper<'_> {
    /// The MAC that stands for a recovery code of a factor. Under 112 bits a plain hash is not enough (SP 800-63B-4
    /// §3.1.2.2). `None`: no such key.
    pub fn recovery_code_mac(self, key_id: &str, factor: &FactorId, code: &RecoveryCode) -> Option<String> {
        let input = Zeroizing::new(format!("{factor}\0{}", *code.0));
        Some(URL_SAFE_NO_PAD.encode(self.mac(key_id, "recovery-code", &input)?))
    }

    /// The MACs of an answer under every key, as a JSON object by key id: the row knows which one it was made with.
    pub fn recovery_code_macs(self, factor: &FactorId, code: &RecoveryCode) -> String {
        let macs: Map<String, Value> = self
            .0
            .ids()
            .filter_map(|id| Some((id.to_owned(), Value::from(self.recovery_code_mac(id, factor, code)?))))
            .collect();
        Value::Object(macs).to_string()
    }
}

/// The character that somebody meant, as Crockford's base 32 reads it.
fn read(character: char) -> Option<char> {
    // The full-width forms of Japanese and Chinese keyboards.
    let character = match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0)?,
        character => character,
    };
    let character = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        character => character,
    };
    u8::try_from(character).is_ok_and(|byte| ALPHABET.contains(&byte)).then_some(character)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::crypto::KeyRing;

    /// Gives these bytes.
    struct Given([u8; 10]);

    impl Random for Given {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0);
        }
    }

    /// A generator for the test of uniformity (SplitMix64).
    struct Mixed(AtomicU64);

    impl Random for Mixed {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
                let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                *byte = (mixed ^ (mixed >> 31)).to_le_bytes()[0];
            }
        }
    }

    fn factor(last: char) -> FactorId {
        FactorId::parse(&format!("fac_01M83WM7ZA000G40R40M30E20{last}")).expect("an id")
    }

    fn ring(current: &str) -> KeyRing {
        let object = json!({"current": current, "keys": {
            "k1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "k2": "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}});
        KeyRing::parse(&object.as_object().expect("an object").clone().into_iter().collect()).expect("a ring")
    }

    #[test]
    fn recovery_code_format_unchanged() {
        let ring = ring("k1");
        let code = RecoveryCode::parse("0123456789ABCDEF").expect("a code");
        let mac = Pepper(&ring).recovery_code_mac("k1", &factor('9'), &code).expect("a mac");
        // Calculated by another program (HKDF, HMAC): a change kills every recovery code of every deployment.
        assert_eq!(mac, "Yd-5ZXyZ5grMB0f-ezjR8GL1YJ5Pc7sCr7fU_ncaUk8");
    }

    #[test]
    fn what_people_type_is_understood() {
        let shown = "01AB-23CD-45EF-6G7H";
        for typed in
            [shown, "o1ab 23cd 45ef 6g7h", "OIAB23CD45EF6G7H", "0lab–23cd–45ef–6g7h", " ０１ａｂ23ＣＤ45ef6g7h "]
        {
            assert_eq!(*RecoveryCode::parse(typed).expect(typed).shown(), shown);
        }
        for bad in [
            "",
            "01AB-23CD-45EF-6G7",
            "01AB-23CD-45EF-6G7HJ",
            "01AB-23CD-45EF-6G7U",
            "01AB_23CD_45EF_6G7H",
            "01AB-23CD-45EF-6G7é",
        ] {
            assert!(RecoveryCode::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn all_eighty_bits_are_in_a_code() {
        let code = |bytes| RecoveryCode::new(&Given(bytes)).shown().as_str().to_owned();
        assert_eq!(code([0; 10]), "0000-0000-0000-0000");
        assert_eq!(code([255; 10]), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        for bit in 0..80 {
            let mut bytes = [0; 10];
            bytes[bit / 8] = 128 >> (bit % 8);
            assert_ne!(code(bytes), code([0; 10]), "{bit}");
        }
    }

    #[test]
    fn codes_are_uniform() {
        // 4,000 codes are 64,000 characters over 32: 2,000 each; 6 standard deviations are 264.
        let random = Mixed(AtomicU64::new(1));
        let mut counts = [0u32; 32];
        for _ in 0..4_000 {
            for byte in RecoveryCode::new(&random).0.bytes() {
                counts[ALPHABET.iter().position(|letter| *letter == byte).expect("of the alphabet")] += 1;
            }
        }
        assert!(counts.iter().all(|count| (1736..=2264).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_mac_depends_on_key_and_factor_and_an_answer_has_one_for_each_key() {
        let ring = ring("k2");
        let pepper = Pepper(&ring);
        let code = RecoveryCode::parse("0123456789ABCDEF").expect("a code");
        let mac = |key, id| pepper.recovery_code_mac(key, &factor(id), &code).expect("a mac");
        assert_ne!(mac("k1", '9'), mac("k2", '9'));
        assert_ne!(mac("k1", '9'), mac("k1", 'A'));
        assert!(pepper.recovery_code_mac("k3", &factor('9'), &code).is_none());
        let macs: Value = serde_json::from_str(&pepper.recovery_code_macs(&factor('9'), &code)).expect("JSON");
        assert_eq!(macs, json!({"k1": mac("k1", '9'), "k2": mac("k2", '9')}));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_parsed_back_and_no_text_panics(bytes: [u8; 10], text: String) {
            let code = RecoveryCode::new(&Given(bytes));
            let shown = code.shown();
            let parsed = RecoveryCode::parse(&shown.to_lowercase()).expect("what is shown");
            prop_assert_eq!(&*parsed.0, &*code.0);
            RecoveryCode::parse(&text);
        }
    }
}
