//! Vonage's delivery receipts: what their fields say, and the signature where the account has a secret for it. Each part of
//! a long SMS has a receipt of its own.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::{
    message::{Status, receipt::is_word},
    secret::Secret,
};

/// How old a signed receipt may be, and how far its clock may be ahead, in seconds.
const WINDOW: i64 = 300;

/// What a receipt says.
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// Vonage's id of the part.
    pub provider_id: &'a str,
    /// The state in its words.
    pub carrier_status: &'a str,
    /// What it means.
    pub status: Status,
    /// Its error; `None`: none.
    pub error_code: Option<&'a str>,
}

/// What the fields of a receipt say; `None`: nothing that can be kept.
pub fn receipt(fields: &[(String, String)]) -> Option<Receipt<'_>> {
    let provider_id = get(fields, "messageId").filter(|id| is_word(id, 64))?;
    let carrier_status = get(fields, "status").filter(|status| is_word(status, 40))?;
    Some(Receipt {
        provider_id,
        carrier_status,
        status: match carrier_status {
            "accepted" | "buffered" => Status::Sent,
            "delivered" => Status::Delivered,
            "expired" | "failed" | "rejected" => Status::Failed,
            _ => Status::Unknown,
        },
        error_code: get(fields, "err-code").filter(|code| *code != "0" && is_word(code, 20)),
    })
}

/// Whether an error says that this person gets nothing: an absent subscriber for good, one who bars messages, an illegal
/// number, an unreachable destination, a blocked number. No other driver is asked then.
pub fn is_final(code: &str) -> bool {
    matches!(code, "3" | "4" | "9" | "12" | "14")
}

/// Whether the secret has signed the fields lately. The signature's length tells how: the account chooses.
pub fn is_signed_with(fields: &[(String, String)], secret: &Secret, unix_seconds: i64) -> bool {
    let signed_at = get(fields, "timestamp").and_then(|text| text.parse::<i64>().ok());
    let fresh = signed_at.is_some_and(|then| (unix_seconds - WINDOW..=unix_seconds + WINDOW).contains(&then));
    let Some(signature) = get(fields, "sig").and_then(bytes_of_hex).filter(|_| fresh) else { return false };
    let signed = fields.iter().filter(|(name, _)| name != "sig");
    let signed = base_string(signed.map(|(name, value)| (name.as_str(), value.as_str())).collect());
    let (key, text) = (secret.expose().as_bytes(), signed.as_bytes());
    match signature.len() {
        // With or without HMAC: what accounts begin with is the latter.
        16 => verify::<Hmac<Md5>>(key, text, &signature) || bool::from(md5_hash(key, text).ct_eq(&signature)),
        20 => verify::<Hmac<Sha1>>(key, text, &signature),
        32 => verify::<Hmac<Sha256>>(key, text, &signature),
        64 => verify::<Hmac<Sha512>>(key, text, &signature),
        _ => false,
    }
}

fn get<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// What Vonage signs: `&name=value` of the sorted fields, with `&` and `=` in values replaced by `_`; nothing is encoded.
pub(super) fn base_string(mut fields: Vec<(&str, &str)>) -> String {
    fields.sort_unstable();
    let signed = |(name, value): (&str, &str)| ["&", name, "=", &value.replace(['&', '='], "_")].concat();
    fields.into_iter().map(signed).collect()
}

fn verify<M: Mac + KeyInit>(key: &[u8], text: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return false };
    mac.update(text);
    mac.verify_slice(signature).is_ok()
}

/// Vonage's `md5hash`: of the text with the secret behind it.
fn md5_hash(key: &[u8], text: &[u8]) -> Vec<u8> {
    Md5::new_with_prefix(text).chain_update(key).finalize().to_vec()
}

/// The bytes of hexadecimal digits, in either case.
fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector in Vonage's documents, and the other algorithms over the same string, calculated by openssl
    /// and md5sum.
    const SECRET: &str = "71efab63122f1d179f51c46bac838fb5";
    const NOW: i64 = 1_540_924_779;
    const SIGNED: &str =
        "api_key=fake_api_key&to=14155550100&from=AcmeInc&text=Test+From+Nexmo&type=text&timestamp=1540924779";
    const MD5: &str = "51cdafebb4bbce9525b195c1617cb8d2";
    const MD5_HASH: &str = "2af9e28662706a74b5211d557b7a7576";
    const SHA1: &str = "0162aec64bc183b2e1256545951fe5639dc98020";
    const SHA256: &str = "9fec5ef6d0f2b3d2bb7558b6e4042569823cab9ea0dd30503472b7b304601975";
    const SHA512: &str = "40bd12b9a4b6000ad1138eefd24ffe9fbd72aee13c3fa04b32bb69dbc256ad0a04a463b1a9af6660d10f6e1e769ee14b9cff6a635502e93afcd0bfab29f38f87";

    fn is_signed(fields: &str, signature: &str, secret: &str, now: i64) -> bool {
        is_signed_with(&form(&format!("{fields}&sig={signature}")), &Secret::new(secret.to_owned()), now)
    }

    fn form(text: &str) -> Vec<(String, String)> {
        form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }

    #[test]
    fn the_signature_is_vonages_in_each_algorithm() {
        for signature in [MD5, MD5_HASH, SHA1, SHA256, SHA512] {
            assert!(is_signed(SIGNED, signature, SECRET, NOW), "{signature}");
            assert!(is_signed(SIGNED, &signature.to_uppercase(), SECRET, NOW));
            assert!(is_signed(SIGNED, signature, SECRET, NOW + 300) && is_signed(SIGNED, signature, SECRET, NOW - 300));
            assert!(
                !is_signed(SIGNED, signature, SECRET, NOW + 301) && !is_signed(SIGNED, signature, SECRET, NOW - 301)
            );
            assert!(!is_signed(SIGNED, signature, "another", NOW));
            assert!(!is_signed(&SIGNED.replace("AcmeInc", "Acme"), signature, SECRET, NOW));
            assert!(!is_signed(&format!("{SIGNED}&more=1"), signature, SECRET, NOW));
            assert!(!is_signed(SIGNED, signature.get(2..).expect("it"), SECRET, NOW));
        }
        for signature in ["", "zz", "9", "é", "00"] {
            assert!(!is_signed(SIGNED, signature, SECRET, NOW), "{signature}");
        }
        assert!(!is_signed("api_key=a", SHA256, SECRET, NOW), "no timestamp");
    }

    #[test]
    fn values_are_signed_without_what_would_divide_them() {
        assert_eq!(base_string(vec![("b", "1&2=3"), ("a", "x y")]), "&a=x y&b=1_2_3");
    }

    #[test]
    fn statuses_are_understood_and_what_is_not_a_word_is_not_kept() {
        let cases = [
            ("delivered", Status::Delivered),
            ("expired", Status::Failed),
            ("failed", Status::Failed),
            ("rejected", Status::Failed),
            ("accepted", Status::Sent),
            ("buffered", Status::Sent),
            ("unknown", Status::Unknown),
            ("something_new", Status::Unknown),
        ];
        for (word, status) in cases {
            let fields = form(&format!("messageId=M1&status={word}&err-code=6"));
            let receipt = receipt(&fields).expect("a receipt");
            assert_eq!((receipt.status, receipt.carrier_status, receipt.error_code), (status, word, Some("6")));
        }
        let no_error = form("messageId=M1&status=delivered&err-code=0");
        assert_eq!(receipt(&no_error).expect("a receipt").error_code, None);
        let long = "m".repeat(65);
        for bad in [
            "status=delivered",
            "messageId=M1",
            "messageId=&status=delivered",
            "messageId=M+1&status=delivered",
            "messageId=M1&status=%00",
            &format!("messageId={long}&status=delivered"),
        ] {
            assert_eq!(receipt(&form(bad)), None, "{bad}");
        }
    }
}
