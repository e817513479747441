//! Twilio's signature of what it tells our callbacks: HMAC-SHA1 under the account's auth token over the address and the
//! sorted fields; of a JSON body over the address alone, which has the body's SHA-256.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// What is signed beside the address.
pub enum Signed<'a> {
    /// A form: its fields.
    Form(&'a [(String, String)]),
    /// JSON: the query, which has the digest, and the body.
    Json(&'a str, &'a [u8]),
}

/// Whether the token has signed this for the path under the base URL. A proxy may have put the port of https there.
pub fn is_twilios(token: &Secret, base: &str, path: &str, signed: &Signed<'_>, signature: &str) -> bool {
    let fields = match signed {
        Signed::Form(fields) => pairs(fields),
        Signed::Json(query, body) if has_digest(query, body) => String::new(),
        Signed::Json(..) => return false,
    };
    let port = (base.matches(':').count() == 1).then_some(":443");
    let ports = [Some(""), port];
    ports.into_iter().flatten().any(|port| verify(token.expose(), &format!("{base}{port}{path}{fields}"), signature))
}

/// The fields, sorted; what is there twice counts once.
fn pairs(fields: &[(String, String)]) -> String {
    let mut sorted: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

fn has_digest(query: &str, body: &[u8]) -> bool {
    let digest = Sha256::digest(body);
    let hex = digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let said = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "bodySHA256");
    said.is_some_and(|(_, said)| said.eq_ignore_ascii_case(&hex))
}

fn verify(token: &str, text: &str, signature: &str) -> bool {
    let (Ok(mut mac), Ok(signature)) = (Hmac::<Sha1>::new_from_slice(token.as_bytes()), STANDARD.decode(signature))
    else {
        return false;
    };
    mac.update(text.as_bytes());
    mac.verify_slice(&signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/myapp.php?foo=1&bar=2";

    fn fields() -> Vec<(String, String)> {
        let fields = [
            ("Digits", "1234"),
            ("CallSid", "CA1234567890ABCDE"),
            ("To", "+18005551212"),
            ("Caller", "+14158675309"),
            ("From", "+14158675309"),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    fn verdict(token: &str, base: &str, fields: &[(String, String)], signature: &str) -> bool {
        is_twilios(&Secret::new(token.to_owned()), base, PATH, &Signed::Form(fields), signature)
    }

    #[test]
    fn the_signature_is_twilios() {
        // The published vector, and the same with a field that is there twice.
        let (base, signature) = ("https://mycompany.com", "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        assert!(verdict("12345", base, &fields(), signature));
        assert!(verdict("12345", base, &[fields(), fields()].concat(), signature));
        assert!(!verdict("12346", base, &fields(), signature));
        assert!(!verdict("12345", base, &fields(), "RSOYDt4T1cUTdK1PDd93/VVr8B9="));
        assert!(!verdict("12345", "http://mycompany.com", &fields(), signature));
        assert!(!verdict("12345", base, fields().get(1..).expect("fewer"), signature));
    }

    #[test]
    fn of_json_the_address_is_signed_and_has_the_bodys_digest() {
        // Calculated by openssl: the digest of the body, and the signature of the address with it.
        let body = br#"{"MessageStatus":"delivered"}"#;
        let query = "bodySHA256=759495f9ac542db8884e5e51123fc61ace7f60ee6750990c37086dea317f5574";
        let path = format!("/x?{query}");
        let token = Secret::new("12345".to_owned());
        let verdict = |query: &str, body: &[u8], signature: &str| {
            is_twilios(&token, "https://mycompany.com", &path, &Signed::Json(query, body), signature)
        };
        let signature = "Pkqxg+40cxF0JgXJQhdPa8dVudE=";
        assert!(verdict(query, body, signature));
        assert!(!verdict(query, br#"{"MessageStatus":"failed"}"#, signature));
        assert!(!verdict("", body, signature));
        assert!(!verdict(query, body, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
    }
}
