//! What a page hands to `navigator.credentials`: PublicKeyCredentialCreationOptionsJSON and …RequestOptionsJSON (§5.1.9,
//! §5.1.10), for `parseCreationOptionsFromJSON()` and `parseRequestOptionsFromJSON()`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{RelyingParty, cose};

/// How long a browser lets the user try, in milliseconds: §15.1 recommends five minutes.
const TIMEOUT: u32 = 300_000;

/// The user as the authenticator shows them (§5.4.3).
#[derive(Clone, Copy, Debug)]
pub struct UserEntity<'a> {
    /// The user handle, at most 64 bytes, nothing personal in it (§14.6.1).
    pub handle: &'a [u8],
    /// What tells accounts apart: an e-mail address or the like.
    pub name: &'a str,
    /// What the user is called.
    pub display_name: &'a str,
}

/// A credential that is allowed or excluded (§5.8.3).
#[derive(Clone, Copy, Debug)]
pub struct Descriptor<'a> {
    /// Its id.
    pub id: &'a [u8],
    /// How it can be reached.
    pub transports: &'a [String],
}

/// Options for a new credential: discoverable where the authenticator can, without attestation.
pub fn creation_options(
    rp: &RelyingParty,
    challenge: &[u8],
    user: UserEntity<'_>,
    exclude: &[Descriptor<'_>],
) -> Value {
    let algorithms = cose::ALGORITHMS.map(|alg| json!({"type": "public-key", "alg": alg}));
    json!({
        "rp": {"id": rp.id, "name": rp.name},
        "user": {
            "id": URL_SAFE_NO_PAD.encode(user.handle),
            "name": user.name,
            "displayName": user.display_name,
        },
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "pubKeyCredParams": algorithms,
        "timeout": TIMEOUT,
        "excludeCredentials": descriptors(exclude),
        "authenticatorSelection": {
            "residentKey": "preferred",
            "requireResidentKey": false,
            "userVerification": rp.user_verification.as_str(),
        },
        "attestation": "none",
    })
}

/// Options for an assertion. Without allowed credentials whoever holds a discoverable one can answer.
pub fn request_options(rp: &RelyingParty, challenge: &[u8], allow: &[Descriptor<'_>]) -> Value {
    json!({
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "timeout": TIMEOUT,
        "rpId": rp.id,
        "allowCredentials": descriptors(allow),
        "userVerification": rp.user_verification.as_str(),
    })
}

fn descriptors(credentials: &[Descriptor<'_>]) -> Vec<Value> {
    let descriptor = |credential: &Descriptor<'_>| {
        let mut json = json!({"type": "public-key", "id": URL_SAFE_NO_PAD.encode(credential.id)});
        if !credential.transports.is_empty()
            && let Some(fields) = json.as_object_mut()
        {
            fields.insert("transports".to_owned(), json!(credential.transports));
        }
        json
    };
    credentials.iter().map(descriptor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webauthn::UserVerification;

    fn rp() -> RelyingParty {
        RelyingParty {
            id: "example.org".to_owned(),
            name: "Example".to_owned(),
            origins: vec!["https://example.org".to_owned()],
            user_verification: UserVerification::Required,
        }
    }

    #[test]
    fn creation_options_format_unchanged() {
        let user = UserEntity { handle: b"usr_1", name: "ada@example.org", display_name: "Ada" };
        let usb = ["usb".to_owned()];
        let exclude = [Descriptor { id: &[1, 2, 3], transports: &usb }, Descriptor { id: &[4], transports: &[] }];
        let expected = json!({
            "rp": {"id": "example.org", "name": "Example"},
            "user": {"id": "dXNyXzE", "name": "ada@example.org", "displayName": "Ada"},
            "challenge": "BQYH",
            "pubKeyCredParams": [
                {"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -8}, {"type": "public-key", "alg": -257}],
            "timeout": 300_000,
            "excludeCredentials": [
                {"type": "public-key", "id": "AQID", "transports": ["usb"]}, {"type": "public-key", "id": "BA"}],
            "authenticatorSelection":
                {"residentKey": "preferred", "requireResidentKey": false, "userVerification": "required"},
            "attestation": "none",
        });
        assert_eq!(creation_options(&rp(), &[5, 6, 7], user, &exclude), expected);
    }

    #[test]
    fn request_options_format_unchanged() {
        let expected = json!({"challenge": "BQYH", "timeout": 300_000, "rpId": "example.org",
            "allowCredentials": [{"type": "public-key", "id": "BA"}], "userVerification": "required"});
        let allow = [Descriptor { id: &[4], transports: &[] }];
        assert_eq!(request_options(&rp(), &[5, 6, 7], &allow), expected);
        assert_eq!(request_options(&rp(), &[5, 6, 7], &[])["allowCredentials"], json!([]));
    }
}
