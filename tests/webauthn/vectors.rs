//! The test vectors of the standard, WebAuthn Level 3 §16: every one, of the algorithms that are taken and of the
//! others. The data file has their bytes in hex under the names that the derivation of each vector has there.

use postern::webauthn::{
    AssertionResponse, Ceremony, RegistrationResponse, StoredCredential, WebAuthnError, verify_assertion,
    verify_registration,
};
use serde::Deserialize;

use super::{HANDLE, rp};
use crate::support::signatures::RingSignatures;

#[derive(Deserialize)]
struct Vector {
    name: String,
    registration: Registration,
    authentication: Authentication,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registration {
    challenge: String,
    #[serde(rename = "credential_id")]
    credential_id: String,
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    attestation_object: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authentication {
    challenge: String,
    authenticator_data: String,
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    signature: String,
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../data/webauthn_vectors.json")).unwrap()
}

/// Registers, then signs in with what was registered.
async fn run(vector: &Vector) -> Result<(), WebAuthnError> {
    let rp = rp();
    let given = &vector.registration;
    let response = RegistrationResponse {
        id: hex(&given.credential_id),
        client_data_json: hex(&given.client_data_json),
        attestation_object: hex(&given.attestation_object),
        transports: Vec::new(),
    };
    let challenge = hex(&given.challenge);
    let new =
        verify_registration(&RingSignatures::default(), Ceremony { rp: &rp, challenge: &challenge }, &response).await?;
    let stored = StoredCredential {
        id: new.id.clone(),
        cose: new.cose,
        sign_count: new.sign_count,
        backup_eligible: new.backup_eligible,
        user_handle: HANDLE.to_vec(),
    };
    let given = &vector.authentication;
    let mut response = AssertionResponse {
        id: new.id,
        client_data_json: hex(&given.client_data_json),
        authenticator_data: hex(&given.authenticator_data),
        signature: hex(&given.signature),
        user_handle: None,
    };
    let challenge = hex(&given.challenge);
    let ceremony = Ceremony { rp: &rp, challenge: &challenge };
    let allowed = [stored.id.clone()];
    verify_assertion(&RingSignatures::default(), ceremony, Some(&allowed), &stored, &response).await?;
    // And not with another byte signed.
    *response.authenticator_data.last_mut().unwrap() ^= 1;
    let forged = verify_assertion(&RingSignatures::default(), ceremony, Some(&allowed), &stored, &response).await;
    assert_eq!(forged.unwrap_err().to_string(), "the signature is wrong", "{}", vector.name);
    Ok(())
}

#[tokio::test]
async fn every_vector_of_the_standard_ends_as_it_has_to() {
    let mut ends = Vec::new();
    for vector in vectors() {
        let end = match run(&vector).await {
            Ok(()) => "ok",
            Err(WebAuthnError::Refused(step)) => step.as_str(),
            Err(error) => panic!("{}: {error}", vector.name),
        };
        ends.push((vector.name, end));
    }
    let expected = [
        ("none.ES256", "ok"),
        ("packed-self.ES256", "ok"),
        // We are in nobody's frame.
        ("none.ES256.crossOrigin", "cross_origin"),
        ("none.ES256.topOrigin", "cross_origin"),
        ("none.ES256.long-credential-id", "ok"),
        ("packed.ES256", "ok"),
        // Not offered.
        ("packed.ES384", "algorithm"),
        ("packed.ES512", "algorithm"),
        ("packed.RS256", "ok"),
        ("packed.EdDSA", "ok"),
        ("packed.Ed448", "algorithm"),
        ("tpm.ES256", "ok"),
        ("android-key.ES256", "ok"),
        ("apple.ES256", "ok"),
        ("fido-u2f.ES256", "ok"),
    ];
    assert_eq!(ends, expected.map(|(name, end)| (name.to_owned(), end)));
}
