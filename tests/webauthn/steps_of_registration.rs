//! §7.1, step by step: everything is right and signed but the one thing that the step looks at.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use postern::webauthn::{Step, UserVerification, WebAuthnError};
use serde_json::{Value, json};

use super::{ORIGIN, creation, register, register_for, rp};
use crate::support::passkey::{
    Authenticator, BE, BS, EDDSA, ES256, Forge, RS256, UP, UV, byte_string, decode, encode, integer, map, text,
};

/// What a new credential fails at, when the authenticator is changed like this.
async fn refusal(change: impl FnOnce(&mut Authenticator)) -> Step {
    let mut authenticator = Authenticator::new(ORIGIN);
    change(&mut authenticator);
    refused(&authenticator.create(&creation(&rp()))).await
}

async fn refused(response: &Value) -> Step {
    match register(response).await.unwrap_err() {
        WebAuthnError::Refused(step) => step,
        error @ WebAuthnError::Platform(_) => panic!("{error}"),
    }
}

fn field(forge: &mut Forge, name: &str, value: Value) {
    forge.client_data.insert(name.to_owned(), value);
}

#[tokio::test]
async fn a_right_one_is_registered() {
    for algorithm in [ES256, EDDSA, RS256] {
        let mut authenticator = Authenticator::new(ORIGIN);
        (authenticator.algorithm, authenticator.counter) = (algorithm, Some(7));
        let new = register(&authenticator.create(&creation(&rp()))).await.unwrap();
        assert_eq!(new.id, authenticator.credentials[0].id);
        assert_eq!((new.sign_count, new.transports), (7, vec!["internal".to_owned()]));
        assert!(new.user_verified && new.backup_eligible && new.backed_up);
    }
}

#[tokio::test]
async fn step_6_client_data_is_json() {
    let mut response = Authenticator::new(ORIGIN).create(&creation(&rp()));
    response["response"]["clientDataJSON"] = json!(encode(b"{\"type\":\"webauthn.create\""));
    assert_eq!(refused(&response).await, Step::ClientData);
}

#[tokio::test]
async fn step_7_type() {
    assert_eq!(refusal(|it| it.forge.ceremony = Some("webauthn.get")).await, Step::Type);
}

#[tokio::test]
async fn step_8_challenge() {
    assert_eq!(refusal(|it| it.forge.challenge = Some(b"an older challenge".to_vec())).await, Step::Challenge);
    assert_eq!(refusal(|it| it.forge.challenge = Some(Vec::new())).await, Step::Challenge);
}

#[tokio::test]
async fn step_9_origin() {
    assert_eq!(refusal(|it| it.origin = "https://example.org.evil.net".to_owned()).await, Step::Origin);
    assert_eq!(refusal(|it| it.origin = "http://example.org".to_owned()).await, Step::Origin);
}

#[tokio::test]
async fn step_10_cross_origin() {
    assert_eq!(refusal(|it| field(&mut it.forge, "crossOrigin", json!(true))).await, Step::CrossOrigin);
}

#[tokio::test]
async fn step_11_top_origin() {
    assert_eq!(refusal(|it| field(&mut it.forge, "topOrigin", json!("https://example.org"))).await, Step::TopOrigin);
}

#[tokio::test]
async fn step_13_attestation_object() {
    let mut response = Authenticator::new(ORIGIN).create(&creation(&rp()));
    let mut object = decode(&response["response"]["attestationObject"]);
    object.push(0);
    response["response"]["attestationObject"] = json!(encode(&object));
    assert_eq!(refused(&response).await, Step::AttestationObject);
}

#[tokio::test]
async fn step_13_authenticator_data() {
    // Extensions that are announced and are no map.
    assert_eq!(refusal(|it| it.forge.extensions = Some(integer(1))).await, Step::AuthenticatorData);
    // No credential in it.
    let object = map(&[
        (text("fmt"), text("none")),
        (text("attStmt"), map(&[])),
        (text("authData"), byte_string(&[crate::support::passkey::sha256(b"example.org"), vec![UP; 5]].concat())),
    ]);
    let mut response = Authenticator::new(ORIGIN).create(&creation(&rp()));
    response["response"]["attestationObject"] = json!(encode(&object));
    assert_eq!(refused(&response).await, Step::AuthenticatorData);
}

#[tokio::test]
async fn step_14_rp_id_hash() {
    assert_eq!(refusal(|it| it.forge.rp_id = Some("evil.net")).await, Step::RpIdHash);
}

#[tokio::test]
async fn step_15_user_present() {
    assert_eq!(refusal(|it| it.flags = UV).await, Step::UserPresent);
}

#[tokio::test]
async fn step_16_user_verified() {
    let mut required = rp();
    required.user_verification = UserVerification::Required;
    let mut authenticator = Authenticator::new(ORIGIN);
    authenticator.flags = UP;
    let response = authenticator.create(&creation(&required));
    assert_eq!(register_for(&required, &response).await, Err(Step::UserVerified.into()));
    for other in [UserVerification::Preferred, UserVerification::Discouraged] {
        required.user_verification = other;
        assert!(!register_for(&required, &response).await.unwrap().user_verified);
    }
}

#[tokio::test]
async fn step_17_backup_state() {
    assert_eq!(refusal(|it| it.flags = UP | BS).await, Step::BackupState);
    let mut authenticator = Authenticator::new(ORIGIN);
    authenticator.flags = UP | BE;
    let new = register(&authenticator.create(&creation(&rp()))).await.unwrap();
    assert!(new.backup_eligible && !new.backed_up);
}

#[tokio::test]
async fn step_20_algorithm() {
    // ES384 on P-384: a good key of an algorithm that was not offered.
    let es384 = map(&[
        (integer(1), integer(2)),
        (integer(3), integer(-35)),
        (integer(-1), integer(2)),
        (integer(-2), byte_string(&[1; 48])),
        (integer(-3), byte_string(&[2; 48])),
    ]);
    assert_eq!(refusal(|it| it.forge.cose = Some(es384)).await, Step::Algorithm);
}

#[tokio::test]
async fn step_20_public_key() {
    let es256 = |y: [u8; 32]| {
        map(&[
            (integer(1), integer(2)),
            (integer(3), integer(ES256)),
            (integer(-1), integer(1)),
            (integer(-2), byte_string(&[1; 32])),
            (integer(-3), byte_string(&y)),
        ])
    };
    // Of the right form, and not on the curve.
    assert_eq!(refusal(|it| it.forge.cose = Some(es256([2; 32]))).await, Step::PublicKey);
    assert_eq!(refusal(|it| it.forge.cose = Some(map(&[(integer(1), integer(2))]))).await, Step::PublicKey);
}

#[tokio::test]
async fn step_22_attestation_statement() {
    // "none" with something in it.
    let something = map(&[(text("alg"), integer(ES256))]);
    assert_eq!(refusal(|it| it.forge.statement = Some(("none", something))).await, Step::AttestationStatement);
    // Self attestation that somebody else has signed.
    let signed = map(&[(text("alg"), integer(ES256)), (text("sig"), byte_string(&[0x30, 6, 2, 1, 1, 2, 1, 1]))]);
    assert_eq!(refusal(|it| it.forge.statement = Some(("packed", signed))).await, Step::AttestationStatement);
    // Self attestation under another algorithm than the key's.
    let mut authenticator = Authenticator::new(ORIGIN);
    authenticator.forge.self_attestation = true;
    let response = authenticator.create(&creation(&rp()));
    assert!(register(&response).await.is_ok());
    let mut object = decode(&response["response"]["attestationObject"]);
    let at = object.windows(5).position(|found| found == b"calg\x26").unwrap() + 4;
    object[at] = 0x27;
    let mut other = response.clone();
    other["response"]["attestationObject"] = json!(encode(&object));
    assert_eq!(refused(&other).await, Step::AttestationStatement);
}

#[tokio::test]
async fn steps_23_and_24_a_statement_that_nobody_asked_for_is_worth_nothing() {
    let packed = map(&[
        (text("alg"), integer(ES256)),
        (text("sig"), byte_string(&[1; 70])),
        (text("x5c"), [vec![0x81], byte_string(&[2; 300])].concat()),
    ]);
    for statement in [("packed", packed.clone()), ("tpm", packed.clone()), ("something-new", packed)] {
        let mut authenticator = Authenticator::new(ORIGIN);
        authenticator.forge.statement = Some(statement);
        assert!(register(&authenticator.create(&creation(&rp()))).await.is_ok());
    }
}

#[tokio::test]
async fn step_25_credential_id_length() {
    assert_eq!(refusal(|it| it.id_length = 1024).await, Step::CredentialIdLength);
    let mut authenticator = Authenticator::new(ORIGIN);
    authenticator.id_length = 1023;
    assert_eq!(register(&authenticator.create(&creation(&rp()))).await.unwrap().id.len(), 1023);
    // The browser names a short id for a long credential.
    let mut authenticator = Authenticator::new(ORIGIN);
    authenticator.id_length = 1024;
    let mut response = authenticator.create(&creation(&rp()));
    (response["id"], response["rawId"]) = (json!("AQID"), json!("AQID"));
    assert_eq!(refused(&response).await, Step::CredentialIdLength);
}

#[tokio::test]
async fn the_browsers_id_is_the_authenticators() {
    let mut response = Authenticator::new(ORIGIN).create(&creation(&rp()));
    let other = json!(URL_SAFE_NO_PAD.encode([9; 32]));
    (response["id"], response["rawId"]) = (other.clone(), other);
    assert_eq!(refused(&response).await, Step::CredentialRecord);
}

#[tokio::test]
async fn step_28_extensions_that_nobody_asked_for_are_ignored() {
    let mut authenticator = Authenticator::new(ORIGIN);
    authenticator.forge.extensions = Some(map(&[(text("credProtect"), integer(2))]));
    let mut response = authenticator.create(&creation(&rp()));
    response["clientExtensionResults"] = json!({"prf": {"enabled": true}, "x": [1, 2]});
    assert!(register(&response).await.is_ok());
}
