//! A ring of 256-bit keys: the current one makes, all of them check, so that keys rotate without downtime.
//! A key is never used itself: HKDF (RFC 5869) gives one key per use.

use std::{collections::BTreeMap, fmt};

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hkdf::Hkdf;
use serde_json::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::few::FewByName;

type Key = Zeroizing<[u8; 32]>;

/// The ring. It prints nothing of its keys.
#[derive(Clone)]
pub struct KeyRing {
    current: String,
    keys: FewByName<Key>,
}

impl KeyRing {
    /// Parses `{"current": "k2", "keys": {"k1": "base64 of 32 bytes", "k2": …}}`, standard or URL-safe base64.
    pub fn parse(object: &BTreeMap<String, Value>) -> Option<Self> {
        if object.keys().any(|name| name != "current" && name != "keys") {
            return None;
        }
        let current = object.get("current")?.as_str()?.to_owned();
        let mut keys = FewByName::default();
        for (id, key) in object.get("keys")?.as_object()? {
            let (id, key) = entry(id, key.as_str()?)?;
            keys.add(id, key);
        }
        keys.get(&current).is_some().then_some(Self { current, keys })
    }

    /// The id of the key that makes.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// The ids of all keys.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(id, _)| id)
    }

    /// The key for one use, under the key `id`; `None` when the ring has no such key.
    pub fn derive(&self, id: &str, label: &str) -> Option<Key> {
        let key = self.keys.get(id)?;
        let mut derived = Zeroizing::new([0; 32]);
        let info = ["postern/v1/", label];
        Hkdf::<Sha256>::new(None, key.as_slice()).expand_multi_info(&info.map(str::as_bytes), derived.as_mut()).ok()?;
        Some(derived)
    }
}

/// One entry of the ring, if its id and its key have the right form.
fn entry(id: &str, text: &str) -> Option<(String, Key)> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = [STANDARD, URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text.trim()).ok())
        .map(Zeroizing::new)?;
    let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
    // A key of one repeated byte is somebody's placeholder.
    let first = key.first()?;
    (is_key_id(id) && key.iter().any(|byte| byte != first)).then(|| (id.to_owned(), Zeroizing::new(key)))
}

fn is_key_id(id: &str) -> bool {
    (1..=16).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{} keys]", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Option<KeyRing> {
        KeyRing::parse(&value.as_object()?.clone().into_iter().collect())
    }

    #[test]
    fn a_ring_needs_a_current_key_of_32_bytes() {
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        assert!(parse(&json!({"current": "k1", "keys": {"k1": key}})).is_some());
        assert!(parse(&json!({"current": "k1", "keys": {"k1": key.trim_end_matches('=')}})).is_some());
        for bad in [
            json!({"current": "k2", "keys": {"k1": key}}),
            json!({"current": "k1", "keys": {"k1": "AAEC"}}),
            json!({"current": "k1", "keys": {"k1": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}),
            json!({"current": "k1", "keys": {"k1": key}, "old": 1}),
            json!({"keys": {"k1": key}}),
            json!({"current": "k-1", "keys": {"k-1": key}}),
        ] {
            assert!(parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn each_use_and_each_key_gives_another_key() {
        let ring = parse(&json!({"current": "k1", "keys": {
            "k1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "k2": "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}))
        .expect("a good ring");
        let key = |id, label| ring.derive(id, label).expect("a key");
        assert_ne!(key("k1", "code"), key("k1", "destination"));
        assert_ne!(key("k1", "code"), key("k2", "code"));
        assert!(ring.derive("k3", "code").is_none());
    }
}
