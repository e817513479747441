//! Secrets at rest (law 5): AES-256-GCM under the ring of `ENCRYPTION_KEYS`, bound to the row and column that the
//! value stands in, so that a sealed value moved elsewhere does not open.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::KeyRing;
use crate::ports::Random;

/// What every sealed value begins with. Another form gets another one, and this one still opens.
const VERSION: &str = "v1";

/// How many bytes of a value are its nonce. Random ones are safe for 2^32 values under one key (SP 800-38D §8.3).
const NONCE: usize = 12;

/// The ring in use.
#[derive(Clone, Copy)]
pub struct Seal<'a>(pub &'a KeyRing);

/// Where a sealed value stands. It is authenticated, not stored.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's id.
    pub row: &'a str,
}

/// Why a value does not open. It tells nothing of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The ring no longer has the key it was sealed under.
    #[error("it was sealed under the key {0:?}, which ENCRYPTION_KEYS does not have")]
    KeyGone(String),
    /// It is of no known form, was changed, stands in another place, or the key of that id is another one.
    #[error("it does not open under the key of ENCRYPTION_KEYS that it names, in the place where it stands")]
    NotAuthentic,
}

impl Seal<'_> {
    /// Seals under the current key: `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url without padding.
    /// `None` only if the ring lacks its current key, which [`KeyRing::parse`] rules out.
    pub fn seal(self, place: Place<'_>, value: &[u8], random: &dyn Random) -> Option<String> {
        let key_id = self.0.current();
        let nonce = random.bytes::<NONCE>();
        let aad = place.associated_data();
        let payload = Payload { msg: value, aad: aad.as_bytes() };
        let sealed = self.cipher(key_id)?.encrypt(&nonce.into(), payload).ok()?;
        Some(format!("{VERSION}.{key_id}.{}.{}", URL_SAFE_NO_PAD.encode(nonce), URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens a value under whichever key of the ring it was sealed.
    pub fn open(self, place: Place<'_>, text: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let sealed = Sealed::parse(text).ok_or(OpenError::NotAuthentic)?;
        let cipher = self.cipher(sealed.key_id).ok_or_else(|| OpenError::KeyGone(sealed.key_id.to_owned()))?;
        let aad = place.associated_data();
        let payload = Payload { msg: &sealed.ciphertext, aad: aad.as_bytes() };
        let value = cipher.decrypt(&sealed.nonce.into(), payload).map_err(|_| OpenError::NotAuthentic)?;
        Ok(Zeroizing::new(value))
    }

    /// Whether a value is sealed under another key than the current one.
    pub fn needs_reseal(self, text: &str) -> bool {
        Sealed::parse(text).is_none_or(|sealed| sealed.key_id != self.0.current())
    }

    /// The same value under the current key.
    pub fn reseal(self, place: Place<'_>, text: &str, random: &dyn Random) -> Result<String, OpenError> {
        let value = self.open(place, text)?;
        self.seal(place, &value, random).ok_or_else(|| OpenError::KeyGone(self.0.current().to_owned()))
    }

    /// For each key but the current one: what its values are not below, and what they are below. A statement finds
    /// them by that.
    pub fn old_prefixes(self) -> impl Iterator<Item = (String, String)> {
        let current = self.0.current();
        // `/` is the character after the dot.
        self.0.ids().filter(move |id| *id != current).map(|id| (format!("{VERSION}.{id}."), format!("{VERSION}.{id}/")))
    }

    fn cipher(self, key_id: &str) -> Option<Aes256Gcm> {
        Aes256Gcm::new_from_slice(self.0.derive(key_id, "seal")?.as_slice()).ok()
    }
}

impl Place<'_> {
    fn associated_data(self) -> String {
        format!("postern/{VERSION}\0{}\0{}\0{}", self.table, self.column, self.row)
    }
}

/// A sealed value's parts.
struct Sealed<'a> {
    key_id: &'a str,
    nonce: [u8; NONCE],
    ciphertext: Vec<u8>,
}

impl<'a> Sealed<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('.');
        let (Some(VERSION), Some(key_id), Some(nonce), Some(ciphertext), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        Some(Self {
            key_id,
            nonce: URL_SAFE_NO_PAD.decode(nonce).ok()?.try_into().ok()?,
            ciphertext: URL_SAFE_NO_PAD.decode(ciphertext).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Bytes that count up, so that what is sealed can be written down.
    struct Counting;

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::try_from(index).unwrap_or(0);
            }
        }
    }

    const PLACE: Place<'_> = Place { table: "factors", column: "totp_secret", row: "fac_01M83WM7ZA000G40R40M30E209" };

    fn ring(current: &str, names: &[&str]) -> KeyRing {
        let keys = [
            ("k1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("k2", "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ];
        let keys: serde_json::Map<String, Value> = keys
            .into_iter()
            .filter(|(name, _)| names.contains(name))
            .map(|(name, key)| (name.to_owned(), json!(key)))
            .collect();
        let object = json!({"current": current, "keys": keys});
        KeyRing::parse(&object.as_object().expect("an object").clone().into_iter().collect()).expect("a ring")
    }

    #[test]
    fn seal_format_unchanged() {
        let ring = ring("k1", &["k1"]);
        let sealed = Seal(&ring).seal(PLACE, b"12345678901234567890", &Counting).expect("sealed");
        // Calculated by another program (HKDF-SHA256, AES-256-GCM): a change loses every secret of every deployment.
        assert_eq!(sealed, "v1.k1.AAECAwQFBgcICQoL.6Jx9yd_CMOccM-uzCHchh9bYV52YbzNRC5MiOdCpneCdyzWj");
        assert_eq!(Seal(&ring).open(PLACE, &sealed).expect("open").as_slice(), b"12345678901234567890");
    }

    #[test]
    fn a_value_moved_elsewhere_does_not_open() {
        let ring = ring("k1", &["k1"]);
        let sealed = Seal(&ring).seal(PLACE, b"secret", &Counting).expect("sealed");
        for place in [
            Place { row: "fac_01M83WM7ZA000G40R40M30E20A", ..PLACE },
            Place { column: "name", ..PLACE },
            Place { table: "users", ..PLACE },
        ] {
            assert_eq!(Seal(&ring).open(place, &sealed), Err(OpenError::NotAuthentic));
        }
    }

    #[test]
    fn keys_rotate_and_what_is_old_is_known() {
        let (old, both, new) = (ring("k1", &["k1"]), ring("k2", &["k1", "k2"]), ring("k2", &["k2"]));
        let sealed = Seal(&old).seal(PLACE, b"secret", &Counting).expect("sealed");
        assert!(!Seal(&old).needs_reseal(&sealed));
        assert!(Seal(&both).needs_reseal(&sealed));
        assert_eq!(Seal(&both).open(PLACE, &sealed).expect("open").as_slice(), b"secret");
        assert_eq!(Seal(&new).open(PLACE, &sealed), Err(OpenError::KeyGone("k1".to_owned())));
        let resealed = Seal(&both).reseal(PLACE, &sealed, &Counting).expect("resealed");
        assert!(!Seal(&both).needs_reseal(&resealed));
        let ranges: Vec<_> = Seal(&both).old_prefixes().collect();
        assert_eq!(ranges, [("v1.k1.".to_owned(), "v1.k1/".to_owned())]);
        let is_old = |text: &str| ranges.iter().any(|(from, to)| *from.as_str() <= *text && *text < *to.as_str());
        assert!(is_old(&sealed) && !is_old(&resealed) && !is_old("v1.k10.x") && !is_old("v1.k.x"));
        assert_eq!(Seal(&new).open(PLACE, &resealed).expect("open").as_slice(), b"secret");
        assert_eq!(Seal(&old).open(PLACE, &resealed), Err(OpenError::KeyGone("k2".to_owned())));
    }

    #[test]
    fn no_changed_character_opens() {
        let ring = ring("k1", &["k1", "k2"]);
        let sealed = Seal(&ring).seal(PLACE, b"secret", &Counting).expect("sealed");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'B' { b'C' } else { b'B' };
            let changed = String::from_utf8(changed).expect("text");
            assert!(Seal(&ring).open(PLACE, &changed).is_err(), "{at}");
        }
        // Another key's id on it, too, and what is no sealed value at all.
        for bad in [sealed.replacen("k1", "k2", 1), format!("{sealed}."), String::new(), "v1.k1..".to_owned()] {
            assert_eq!(Seal(&ring).open(PLACE, &bad), Err(OpenError::NotAuthentic), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_no_text_panics(value: Vec<u8>, row in "[a-z]{0,8}", text: String) {
            let ring = ring("k2", &["k1", "k2"]);
            let place = Place { row: &row, ..PLACE };
            let sealed = Seal(&ring).seal(place, &value, &Counting).expect("sealed");
            prop_assert_eq!(&*Seal(&ring).open(place, &sealed).expect("open"), &value);
            prop_assert!(Seal(&ring).open(place, &text).is_err());
        }
    }
}
