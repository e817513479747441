//! Client data (§5.8.1): what the browser says it was asked, on which page. Fields that are not named are ignored.

use serde::Deserialize;
use serde_json::Value;

use super::{RelyingParty, Step};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: Option<bool>,
    #[serde(default)]
    top_origin: Option<Value>,
}

/// Checks client data against what was asked: §7.1 steps 5 to 11, §7.2 steps 8 to 14.
pub fn check(bytes: &[u8], ceremony: &str, challenge: &[u8], rp: &RelyingParty) -> Result<(), Step> {
    // §7.1 step 5, §7.2 step 8: UTF-8 decode takes a byte order mark off.
    let text = str::from_utf8(bytes).map_err(|_| Step::ClientData)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // §7.1 step 6, §7.2 step 9. A field that stands there twice is refused.
    let data: ClientData = serde_json::from_str(text).map_err(|_| Step::ClientData)?;
    // §7.1 step 7, §7.2 step 10.
    if data.r#type != ceremony {
        return Err(Step::Type);
    }
    // §7.1 step 8, §7.2 step 11.
    if data.challenge != URL_SAFE_NO_PAD.encode(challenge) {
        return Err(Step::Challenge);
    }
    // §7.1 step 9, §7.2 step 12. §13.4.9: compared whole, since a part of an origin is somebody else's.
    if !rp.origins.contains(&data.origin) {
        return Err(Step::Origin);
    }
    // §7.1 step 10, §7.2 step 13: no page is expected to have us in a frame.
    if data.cross_origin == Some(true) {
        return Err(Step::CrossOrigin);
    }
    // §7.1 step 11, §7.2 step 14: nor under another page.
    if data.top_origin.is_some() {
        return Err(Step::TopOrigin);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::webauthn::UserVerification;

    fn rp() -> RelyingParty {
        RelyingParty {
            id: "example.org".to_owned(),
            name: "Example".to_owned(),
            origins: vec!["https://example.org".to_owned(), "https://app.example.org:8443".to_owned()],
            user_verification: UserVerification::Preferred,
        }
    }

    fn checked(text: &str) -> Result<(), Step> {
        check(text.as_bytes(), "webauthn.get", &[1, 2, 3], &rp())
    }

    #[test]
    fn fields_may_come_in_any_order_and_with_others() {
        for text in [
            r#"{"type":"webauthn.get","challenge":"AQID","origin":"https://example.org"}"#,
            r#"{"origin":"https://app.example.org:8443","crossOrigin":false,"challenge":"AQID","type":"webauthn.get"}"#,
            r#"{"type":"webauthn.get","challenge":"AQID","origin":"https://example.org","crossOrigin":null,"new":{"a":[]}}"#,
            "\u{feff}{\"type\":\"webauthn.get\",\"challenge\":\"AQID\",\"origin\":\"https://example.org\"}",
        ] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_no_client_data_is_refused() {
        for text in [
            "",
            "null",
            "[]",
            r#"{"type":"webauthn.get","challenge":"AQID"}"#,
            r#"{"type":"webauthn.get","challenge":1,"origin":"https://example.org"}"#,
            r#"{"type":"webauthn.get","challenge":"AQID","origin":"https://example.org","crossOrigin":"true"}"#,
            r#"{"type":"webauthn.get","challenge":"AQID","origin":"https://example.org"} x"#,
            r#"{"type":"webauthn.get","challenge":"AQID","origin":"https://evil.org","origin":"https://example.org"}"#,
        ] {
            assert_eq!(checked(text), Err(Step::ClientData), "{text}");
        }
        assert_eq!(check(b"\xff\xfe", "webauthn.get", &[], &rp()), Err(Step::ClientData));
    }

    #[test]
    fn an_origin_is_compared_whole() {
        for origin in [
            "http://example.org",
            "https://example.org:443",
            "https://example.org/",
            "https://example.org.evil.net",
            "https://sub.example.org",
            "https://EXAMPLE.org",
            "null",
            "",
        ] {
            let text = format!(r#"{{"type":"webauthn.get","challenge":"AQID","origin":"{origin}"}}"#);
            assert_eq!(checked(&text), Err(Step::Origin), "{origin}");
        }
    }

    #[test]
    fn a_challenge_is_written_in_one_way() {
        for challenge in ["AQI=", "AQIDBA", "AQID==", "aqid", ""] {
            let text = format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"https://example.org"}}"#);
            assert_eq!(checked(&text), Err(Step::Challenge), "{challenge}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(check(&bytes, "webauthn.get", &[1, 2, 3], &rp()).is_err());
        }

        #[test]
        fn no_text_panics(text in r#"[{}\[\]",:a-z\\ ]{0,60}"#) {
            prop_assert!(checked(&text).is_err());
        }
    }
}
