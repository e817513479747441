//! What carriers report of a message: each report is kept as it came, moves its try forward and, with it, the message.
//! The addresses that they report to are here too; their signatures are the drivers'.

pub mod store;

use super::{Channel, Status};
use crate::{crypto::Pepper, ids::MessageId};

/// The longest address that Vonage takes.
const VONAGE_URL: usize = 100;

/// What a carrier reported.
pub struct Report<'a> {
    /// Of which message.
    pub message: &'a MessageId,
    /// Who reports: the driver's name.
    pub driver: &'a str,
    /// How the message went.
    pub channel: Channel,
    /// The carrier's id of the message, or of one of its parts.
    pub provider_id: &'a str,
    /// The state in the carrier's words.
    pub carrier_status: &'a str,
    /// The carrier's error, where it has one.
    pub error_code: Option<&'a str>,
    /// What it means: [`Status::Sent`], [`Status::Delivered`] or [`Status::Failed`]; [`Status::Unknown`] is kept and
    /// changes nothing.
    pub status: Status,
    /// Whether each part of the message is reported under an id of its own, as Vonage does.
    pub by_part: bool,
    /// Fingerprints of the credentials that signed it, as a JSON list: a try that went out with another one hears nothing.
    pub signed_with: &'a str,
}

/// Whether a carrier's word is kept: visible ASCII, and short.
pub fn is_word(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Where Vonage reports of a message: the path has the message's id and proves that we gave it out. `None`: the address
/// would be longer than Vonage takes, and no report is asked for.
pub fn vonage_url(base: &str, pepper: Pepper<'_>, message: &MessageId) -> Option<String> {
    let url = format!("{base}/v1/callbacks/vonage/{}", pepper.receipt_token(message)?);
    (url.len() <= VONAGE_URL).then_some(url)
}

/// Whether Vonage takes the addresses that begin so.
pub fn fits_vonage(base: &str) -> bool {
    base.len() + "/v1/callbacks/vonage/".len() + Pepper::RECEIPT_TOKEN <= VONAGE_URL
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::crypto::KeyRing;

    #[test]
    fn an_address_that_vonage_would_refuse_is_not_given_out() {
        let ring = json!({"current": "k1", "keys": {"k1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}});
        let ring = KeyRing::parse(&ring.as_object().expect("it").clone().into_iter().collect::<BTreeMap<_, _>>());
        let ring = ring.expect("a ring");
        let id = MessageId::parse("msg_01M83WM7ZA000G40R40M30E209").expect("an id");
        for (length, fits) in [(25, true), (36, true), (37, false), (60, false)] {
            let base = format!("https://{}", "a".repeat(length - "https://".len()));
            let url = vonage_url(&base, Pepper(&ring), &id);
            assert_eq!((url.is_some(), fits_vonage(&base)), (fits, fits), "{length}");
            assert!(url.is_none_or(|url| url.len() == length + 64 && url.len() <= 100));
        }
    }
}
