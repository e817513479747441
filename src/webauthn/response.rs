//! What a browser's `credential.toJSON()` gives (§5.1.8): RegistrationResponseJSON and AuthenticationResponseJSON.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{CREDENTIAL_ID_MAX, Step};
use crate::few::sort_few;

/// How many transports are kept, and how long each may be. They are a hint for the browser.
const TRANSPORTS_MAX: usize = 8;
const TRANSPORT_MAX: usize = 32;

/// The answer to creation options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationResponse {
    /// The credential's id.
    pub id: Vec<u8>,
    /// What the browser was asked, as bytes, since their hash is what counts.
    pub client_data_json: Vec<u8>,
    /// What the authenticator answered.
    pub attestation_object: Vec<u8>,
    /// How the authenticator can be reached, sorted, unknown ones included (§5.8.4).
    pub transports: Vec<String>,
}

/// The answer to request options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertionResponse {
    /// The credential's id.
    pub id: Vec<u8>,
    /// What the browser was asked.
    pub client_data_json: Vec<u8>,
    /// What the authenticator says.
    pub authenticator_data: Vec<u8>,
    /// Its signature over that and the client data's hash.
    pub signature: Vec<u8>,
    /// Whose credential it is; a discoverable one brings it.
    pub user_handle: Option<Vec<u8>>,
}

impl RegistrationResponse {
    /// Reads the JSON. Fields that are not named in §7.1 are ignored: `publicKey` and the like only repeat.
    pub fn from_json(json: &Value) -> Result<Self, Step> {
        let (id, response) = credential(json)?;
        let transports = match response.get("transports") {
            None | Some(Value::Null) => Vec::new(),
            Some(list) => transports(list).ok_or(Step::Response)?,
        };
        Ok(Self {
            id,
            client_data_json: bytes(response, "clientDataJSON")?,
            attestation_object: bytes(response, "attestationObject")?,
            transports,
        })
    }
}

impl AssertionResponse {
    /// Reads the JSON.
    pub fn from_json(json: &Value) -> Result<Self, Step> {
        let (id, response) = credential(json)?;
        let user_handle = match response.get("userHandle") {
            None | Some(Value::Null) => None,
            Some(_) => Some(bytes(response, "userHandle")?),
        };
        Ok(Self {
            id,
            client_data_json: bytes(response, "clientDataJSON")?,
            authenticator_data: bytes(response, "authenticatorData")?,
            signature: bytes(response, "signature")?,
            user_handle,
        })
    }
}

/// The id, which stands there twice, and the response.
fn credential(json: &Value) -> Result<(Vec<u8>, &Value), Step> {
    if json.get("type").and_then(Value::as_str) != Some("public-key") {
        return Err(Step::Response);
    }
    let id = bytes(json, "id")?;
    if json.get("rawId").is_some_and(|raw| Some(raw) != json.get("id")) || id.is_empty() {
        return Err(Step::Response);
    }
    if id.len() > CREDENTIAL_ID_MAX {
        return Err(Step::CredentialIdLength);
    }
    Ok((id, json.get("response").ok_or(Step::Response)?))
}

/// Base64url without padding, in its one right form.
fn bytes(json: &Value, field: &str) -> Result<Vec<u8>, Step> {
    let text = json.get(field).and_then(Value::as_str).ok_or(Step::Response)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Step::Response)
}

fn transports(list: &Value) -> Option<Vec<String>> {
    let mut transports = list
        .as_array()
        .filter(|list| list.len() <= TRANSPORTS_MAX)?
        .iter()
        .map(|transport| transport.as_str().filter(|text| is_transport(text)).map(str::to_owned))
        .collect::<Option<Vec<_>>>()?;
    sort_few(&mut transports, |one, other| one < other);
    transports.dedup();
    Some(transports)
}

fn is_transport(text: &str) -> bool {
    (1..=TRANSPORT_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn registration() -> Value {
        json!({"id": "AQID", "rawId": "AQID", "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": true}},
            "response": {"clientDataJSON": "e30", "attestationObject": "oA", "transports": ["usb", "hybrid", "usb", "new-1"],
                "publicKeyAlgorithm": -7}})
    }

    fn assertion() -> Value {
        json!({"id": "AQID", "rawId": "AQID", "type": "public-key", "clientExtensionResults": {},
            "response": {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "MA", "userHandle": "dXNy"}})
    }

    #[test]
    fn what_browsers_give_is_read() {
        let new = RegistrationResponse::from_json(&registration()).expect("a registration");
        assert_eq!((new.id, new.client_data_json, new.attestation_object), (vec![1, 2, 3], b"{}".to_vec(), vec![0xa0]));
        assert_eq!(new.transports, ["hybrid", "new-1", "usb"]);
        let answer = AssertionResponse::from_json(&assertion()).expect("an assertion");
        assert_eq!((answer.authenticator_data, answer.signature), (vec![0], vec![0x30]));
        assert_eq!(answer.user_handle.as_deref(), Some(&b"usr"[..]));
        let mut without = assertion();
        without["response"]["userHandle"] = Value::Null;
        assert_eq!(AssertionResponse::from_json(&without).expect("an assertion").user_handle, None);
    }

    #[test]
    fn what_browsers_do_not_give_is_refused() {
        let changed = |pointer: &str, value: Value| {
            let change = |mut json: Value| {
                if let Some(slot) = json.pointer_mut(pointer) {
                    *slot = value.clone();
                }
                json
            };
            (
                RegistrationResponse::from_json(&change(registration())).err(),
                AssertionResponse::from_json(&change(assertion())).err(),
            )
        };
        let step = Some(Step::Response);
        for (pointer, value) in [
            ("", json!(null)),
            ("/id", json!("AQI=")),
            ("/id", json!("AQIDBA==")),
            ("/id", json!("")),
            ("/id", json!(5)),
            ("/rawId", json!("AQIE")),
            ("/type", json!("password")),
            ("/response", json!([])),
            ("/response/clientDataJSON", json!("a+b/")),
            ("/response/clientDataJSON", json!("e31")),
        ] {
            assert_eq!(changed(pointer, value.clone()), (step, step), "{pointer} {value}");
        }
        assert_eq!(changed("/response/attestationObject", json!(null)), (step, None));
        assert_eq!(changed("/response/authenticatorData", json!(null)), (None, step));
        assert_eq!(changed("/response/signature", json!("=")), (None, step));
        assert_eq!(changed("/response/userHandle", json!(7)), (None, step));
        for transports in [json!("usb"), json!([1]), json!(["a b"]), json!([""]), json!(vec!["usb"; 9])] {
            assert_eq!(changed("/response/transports", transports), (step, None));
        }
        let mut long = registration();
        long["id"] = json!(URL_SAFE_NO_PAD.encode([7; 1024]));
        long["rawId"] = long["id"].clone();
        assert_eq!(RegistrationResponse::from_json(&long), Err(Step::CredentialIdLength));
    }

    proptest! {
        #[test]
        fn no_json_panics(text in r"[A-Za-z0-9+/=_-]{0,20}") {
            for pointer in ["/id", "/response/clientDataJSON", "/response/userHandle"] {
                let mut json = assertion();
                *json.pointer_mut(pointer).expect("a field") = json!(text);
                let _ = AssertionResponse::from_json(&json);
            }
        }
    }
}
