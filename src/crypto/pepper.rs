//! What is keyed by `CODE_PEPPER`: codes derived for a challenge, the MACs that stand for codes and
//! destinations in the database, and fingerprints of request bodies.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{Code, CodeLength, KeyRing};
use crate::{
    ids::{ChallengeId, MessageId},
    secret::Secret,
};

/// The pepper ring in use.
#[derive(Clone, Copy)]
pub struct Pepper<'a>(pub &'a KeyRing);

impl<'a> Pepper<'a> {
    /// The id of the key that new challenges use.
    pub fn current(self) -> &'a str {
        self.0.current()
    }

    /// Whether the ring still has a key.
    pub fn has(self, key_id: &str) -> bool {
        self.0.ids().any(|id| id == key_id)
    }

    /// The code of a challenge's generation, derived and so never stored: a fallback can send it again.
    /// The seed is random per challenge and never leaves the database, so that the pepper alone, with an id
    /// that a browser has seen, gives no code (`docs/decisions/0004`). Uniform by rejection. `None`: no such key.
    pub fn code(
        self,
        key_id: &str,
        challenge: &ChallengeId,
        seed: &str,
        generation: i64,
        length: CodeLength,
    ) -> Option<Code> {
        let codes = length.codes();
        let limit = u64::MAX - u64::MAX % codes;
        (0u32..64).find_map(|block| {
            let input = format!("{challenge}\0{seed}\0{generation}\0{block}");
            let bytes = self.mac(key_id, "code", &input)?;
            bytes
                .chunks_exact(8)
                .filter_map(|chunk| chunk.try_into().ok().map(u64::from_be_bytes))
                .find(|number| *number < limit)
                .map(|number| Code::from_number(number % codes, length))
        })
    }

    /// The MAC that stands for a code (law 4).
    pub fn code_mac(self, key_id: &str, challenge: &ChallengeId, code: &Code) -> Option<String> {
        let input = format!("{challenge}\0{}", code.expose());
        Some(URL_SAFE_NO_PAD.encode(self.mac(key_id, "code-mac", &input)?))
    }

    /// The MACs of an answer under every key, as a JSON object by key id: the row knows which one it was made with.
    pub fn answer_macs(self, challenge: &ChallengeId, code: &Code) -> String {
        let macs: Map<String, Value> = self
            .0
            .ids()
            .filter_map(|id| Some((id.to_owned(), Value::from(self.code_mac(id, challenge, code)?))))
            .collect();
        Value::Object(macs).to_string()
    }

    /// The MAC that stands for a destination in counters: a phone number lives nowhere but where design §2.5 says.
    pub fn destination_mac(self, destination: &str) -> String {
        self.current_mac("destination", destination)
    }

    /// The fingerprint of a request, which tells a repeated one from another; its input may hold a phone number.
    pub fn fingerprint(self, request: &str) -> String {
        self.current_mac("request", request)
    }

    /// 128 bits in the path of a call's callbacks, which prove that we gave it out: for a call that waits for a key, or
    /// for one that does not.
    pub fn callback_token(self, message: &str, gate: bool) -> String {
        self.callback_token_under(self.0.current(), message, gate).unwrap_or_default()
    }

    /// Which call a token was given out for, under any key of the ring: whether it waits for a key.
    pub fn open_callback_token(self, message: &str, token: &str) -> Option<bool> {
        let under = |gate: bool, id: &str| {
            let ours = self.callback_token_under(id, message, gate);
            ours.is_some_and(|ours| bool::from(ours.as_bytes().ct_eq(token.as_bytes())))
        };
        [true, false].into_iter().find(|gate| self.0.ids().any(|id| under(*gate, id)))
    }

    fn callback_token_under(self, key_id: &str, message: &str, gate: bool) -> Option<String> {
        let mac = self.mac(key_id, "callback", &format!("{message}\0{gate}"))?;
        mac.first_chunk::<16>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    }

    /// How many characters [`Self::receipt_token`] has.
    pub const RECEIPT_TOKEN: usize = 43;

    /// What stands in the path that a carrier reports a message to: its 128 bits, and 128 bits which prove that we gave
    /// them out. `None`: the ring has no current key.
    pub fn receipt_token(self, message: &MessageId) -> Option<String> {
        self.receipt_token_under(self.0.current(), message)
    }

    /// The message that such a token was given out for, under any key of the ring.
    pub fn open_receipt_token(self, token: &str) -> Option<MessageId> {
        // Longer ones are not looked at.
        let bytes = (token.len() == Self::RECEIPT_TOKEN).then(|| URL_SAFE_NO_PAD.decode(token).ok()).flatten()?;
        let message = MessageId::from_bytes(*bytes.first_chunk::<16>()?);
        let ours = |id: &str| {
            let ours = self.receipt_token_under(id, &message);
            ours.is_some_and(|ours| bool::from(ours.as_bytes().ct_eq(token.as_bytes())))
        };
        self.0.ids().any(ours).then_some(message)
    }

    fn receipt_token_under(self, key_id: &str, message: &MessageId) -> Option<String> {
        let mac = self.mac(key_id, "receipt", message.as_str())?;
        let proof = mac.first_chunk::<16>()?;
        Some(URL_SAFE_NO_PAD.encode([message.to_bytes(), *proof].concat()))
    }

    /// The fingerprint of a carrier's credential, 16 characters: a message's try keeps it, so that receipts are held
    /// against what the message was sent with.
    pub fn credential(self, credential: &str) -> String {
        self.credential_under(self.0.current(), credential).unwrap_or_default()
    }

    /// The same under every key of the ring: a try may have been made before the keys were rotated.
    pub fn credentials(self, credential: &str) -> Vec<String> {
        self.0.ids().filter_map(|id| self.credential_under(id, credential)).collect()
    }

    fn credential_under(self, key_id: &str, credential: &str) -> Option<String> {
        let mac = self.mac(key_id, "credential", credential)?;
        mac.first_chunk::<12>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The refresh tokens that may follow one, the one under the current key first: derived, so that parallel exchanges of
    /// a token give the same next one though only its hash is stored. Under another key of the ring it may have been made
    /// a moment ago, before the keys were rotated.
    pub fn next_refresh_tokens(self, prefix: &str, token: &str) -> Vec<Secret> {
        let others = self.0.ids().filter(|id| *id != self.0.current());
        std::iter::once(self.0.current())
            .chain(others)
            .filter_map(|id| self.mac(id, "refresh-token", token))
            .map(|mac| Secret::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(mac))))
            .collect()
    }

    fn current_mac(self, label: &str, input: &str) -> String {
        self.mac(self.0.current(), label, input).map(|mac| URL_SAFE_NO_PAD.encode(mac)).unwrap_or_default()
    }

    pub(super) fn mac(self, key_id: &str, label: &str, input: &str) -> Option<[u8; 32]> {
        let key = self.0.derive(key_id, label)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).ok()?;
        mac.update(input.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn ring() -> KeyRing {
        let object = json!({"current": "k1", "keys": {"k1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}});
        KeyRing::parse(&object.as_object().expect("an object").clone().into_iter().collect::<BTreeMap<_, _>>())
            .expect("a ring")
    }

    fn challenge() -> ChallengeId {
        ChallengeId::parse("chl_01M83WM7ZA000G40R40M30E209").expect("an id")
    }

    #[test]
    fn code_format_unchanged() {
        let ring = ring();
        let pepper = Pepper(&ring);
        let code = pepper.code("k1", &challenge(), "seed", 1, CodeLength::DEFAULT).expect("a code");
        let mac = pepper.code_mac("k1", &challenge(), &code).expect("a mac");
        // Calculated by another program (HKDF, HMAC): a change breaks every pending challenge of every deployment.
        assert_eq!((code.expose(), mac.as_str()), ("364704", "M4UpxgSeQeCKrWSDFIgRKhr-sJlf7de3aVrv2xuYEDE"));
    }

    #[test]
    fn a_receipts_token_names_its_message_and_cannot_be_made_up() {
        let ring = ring();
        let pepper = Pepper(&ring);
        let id = MessageId::parse("msg_01M83WM7ZA000G40R40M30E209").expect("an id");
        let token = pepper.receipt_token(&id).expect("a token");
        assert_eq!((token.len(), pepper.open_receipt_token(&token)), (Pepper::RECEIPT_TOKEN, Some(id.clone())));
        let other = MessageId::parse("msg_01M83WM7ZA000G40R40M30E20A").expect("an id");
        let other = pepper.receipt_token(&other).expect("a token");
        // The end of another message's token, each byte changed, another kind of token, and forms that are none.
        let mixed: String = token.chars().take(22).chain(other.chars().skip(22)).collect();
        let bytes = URL_SAFE_NO_PAD.decode(&token).expect("it");
        let changed = (0..bytes.len()).map(|at| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            URL_SAFE_NO_PAD.encode(bytes)
        });
        let forms =
            [mixed, pepper.callback_token(id.as_str(), true), format!("{token}A"), String::new(), "!".repeat(43)];
        for bad in changed.chain(forms) {
            assert_eq!(pepper.open_receipt_token(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_credentials_fingerprint_is_known_under_every_key() {
        let ring = ring();
        let pepper = Pepper(&ring);
        let fingerprint = pepper.credential("token");
        assert_eq!((fingerprint.len(), pepper.credentials("token")), (16, vec![fingerprint.clone()]));
        assert_ne!(fingerprint, pepper.credential("tokem"));
    }

    #[test]
    fn codes_depend_on_challenge_seed_and_generation() {
        let ring = ring();
        let code = |seed: &str, generation| {
            Pepper(&ring)
                .code("k1", &challenge(), seed, generation, CodeLength::new(10).expect("ten"))
                .expect("a code")
                .expose()
                .to_owned()
        };
        assert_eq!(code("a", 1), code("a", 1));
        assert_ne!(code("a", 1), code("a", 2));
        assert_ne!(code("a", 1), code("b", 1));
    }

    #[test]
    fn codes_are_uniform() {
        // 20,000 codes over 10 leading digits: 2,000 each; 6 standard deviations are 255.
        let ring = ring();
        let mut first = [0u32; 10];
        for generation in 0..20_000 {
            let code = Pepper(&ring).code("k1", &challenge(), "s", generation, CodeLength::DEFAULT).expect("a code");
            let digit = usize::from(code.expose().as_bytes()[0] - b'0');
            first[digit] += 1;
        }
        assert!(first.iter().all(|count| (1745..=2255).contains(count)), "{first:?}");
    }
}
