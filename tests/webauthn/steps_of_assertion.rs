//! §7.2, step by step: everything is right and signed but the one thing that the step looks at.

use postern::webauthn::{Step, UserVerification, Verified, WebAuthnError};
use serde_json::{Value, json};

use super::{ORIGIN, assert, assert_for, creation, enrolled, register, request, rp, stored};
use crate::support::passkey::{Authenticator, BE, BS, EDDSA, ES256, RS256, UP, UV, decode, encode, integer, map, text};

/// What an assertion fails at, when the authenticator is changed like this after its enrolment.
async fn refusal(change: impl FnOnce(&mut Authenticator)) -> Step {
    let (mut authenticator, stored) = enrolled().await;
    change(&mut authenticator);
    let response = authenticator.get(&request(&rp(), std::slice::from_ref(&stored.id)));
    step(assert(&stored, &response).await)
}

#[track_caller]
fn step(result: Result<Verified, WebAuthnError>) -> Step {
    match result.unwrap_err() {
        WebAuthnError::Refused(step) => step,
        error @ WebAuthnError::Platform(_) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_right_one_is_accepted() {
    for algorithm in [ES256, EDDSA, RS256] {
        let mut authenticator = Authenticator::new(ORIGIN);
        (authenticator.algorithm, authenticator.counter) = (algorithm, Some(7));
        let stored = stored(register(&authenticator.create(&creation(&rp()))).await.unwrap());
        let response = authenticator.get(&request(&rp(), std::slice::from_ref(&stored.id)));
        let verified = Verified { user_verified: true, backed_up: true, sign_count: 8 };
        assert_eq!(assert(&stored, &response).await, Ok(verified));
    }
}

#[tokio::test]
async fn step_5_allow_credentials() {
    let (mut authenticator, stored) = enrolled().await;
    let response = authenticator.get(&request(&rp(), std::slice::from_ref(&stored.id)));
    let others = [vec![1; 32], vec![2; 32]];
    assert_eq!(step(assert_for(&rp(), Some(&others), &stored, &response).await), Step::AllowCredentials);
    assert_eq!(step(assert_for(&rp(), Some(&[]), &stored, &response).await), Step::AllowCredentials);
}

#[tokio::test]
async fn step_6_credential_record() {
    let (mut authenticator, mut stored) = enrolled().await;
    let response = authenticator.get(&request(&rp(), &[]));
    let allowed = [stored.id.clone()];
    stored.id = vec![1; 32];
    assert_eq!(step(assert_for(&rp(), Some(&allowed), &stored, &response).await), Step::CredentialRecord);
}

#[tokio::test]
async fn step_6_user_handle() {
    let (mut authenticator, stored) = enrolled().await;
    let options = request(&rp(), std::slice::from_ref(&stored.id));
    let allowed = [stored.id.clone()];
    // Known beforehand: it may be missing, it may not be another one.
    authenticator.forge.no_user_handle = true;
    let without = authenticator.get(&options);
    assert!(assert_for(&rp(), Some(&allowed), &stored, &without).await.is_ok());
    authenticator.forge.no_user_handle = false;
    authenticator.forge.user_handle = Some(b"usr_2".to_vec());
    let another = authenticator.get(&options);
    assert_eq!(step(assert_for(&rp(), Some(&allowed), &stored, &another).await), Step::UserHandle);
    // Not known beforehand: it has to be there, and the account's.
    assert_eq!(step(assert_for(&rp(), None, &stored, &without).await), Step::UserHandle);
    assert_eq!(step(assert_for(&rp(), None, &stored, &another).await), Step::UserHandle);
    authenticator.forge.user_handle = None;
    assert!(assert_for(&rp(), None, &stored, &authenticator.get(&options)).await.is_ok());
}

#[tokio::test]
async fn step_9_client_data_is_json() {
    let (mut authenticator, stored) = enrolled().await;
    let mut response = authenticator.get(&request(&rp(), &[]));
    response["response"]["clientDataJSON"] = json!(encode(b"\xff"));
    assert_eq!(step(assert(&stored, &response).await), Step::ClientData);
}

#[tokio::test]
async fn step_10_type() {
    assert_eq!(refusal(|it| it.forge.ceremony = Some("webauthn.create")).await, Step::Type);
    // Secure payment confirmation signs with the same credentials.
    assert_eq!(refusal(|it| it.forge.ceremony = Some("payment.get")).await, Step::Type);
}

#[tokio::test]
async fn step_11_challenge() {
    assert_eq!(refusal(|it| it.forge.challenge = Some(vec![7; 32])).await, Step::Challenge);
}

#[tokio::test]
async fn step_12_origin() {
    assert_eq!(refusal(|it| it.origin = "https://evil.net".to_owned()).await, Step::Origin);
    assert_eq!(refusal(|it| it.origin = "https://example.org:8443".to_owned()).await, Step::Origin);
}

#[tokio::test]
async fn step_13_cross_origin() {
    let framed = |it: &mut Authenticator| {
        it.forge.client_data.insert("crossOrigin".to_owned(), json!(true));
    };
    assert_eq!(refusal(framed).await, Step::CrossOrigin);
}

#[tokio::test]
async fn step_14_top_origin() {
    let framed = |it: &mut Authenticator| {
        it.forge.client_data.insert("topOrigin".to_owned(), json!("https://evil.net"));
    };
    assert_eq!(refusal(framed).await, Step::TopOrigin);
}

#[tokio::test]
async fn step_15_rp_id_hash() {
    assert_eq!(refusal(|it| it.forge.rp_id = Some("evil.net")).await, Step::RpIdHash);
}

#[tokio::test]
async fn step_16_user_present() {
    assert_eq!(refusal(|it| it.flags = UV | BE).await, Step::UserPresent);
}

#[tokio::test]
async fn step_17_user_verified() {
    let (mut authenticator, stored) = enrolled().await;
    authenticator.flags = UP | BE;
    let mut rp = rp();
    let allowed = [stored.id.clone()];
    let response = authenticator.get(&request(&rp, &allowed));
    assert!(!assert_for(&rp, Some(&allowed), &stored, &response).await.unwrap().user_verified);
    rp.user_verification = UserVerification::Required;
    assert_eq!(step(assert_for(&rp, Some(&allowed), &stored, &response).await), Step::UserVerified);
}

#[tokio::test]
async fn step_18_backup_state() {
    assert_eq!(refusal(|it| it.flags = UP | BS).await, Step::BackupState);
}

#[tokio::test]
async fn step_19_backup_eligible() {
    assert_eq!(refusal(|it| it.flags = UP).await, Step::BackupEligible);
    let (mut authenticator, mut stored) = enrolled().await;
    stored.backup_eligible = false;
    assert_eq!(step(assert(&stored, &authenticator.get(&request(&rp(), &[]))).await), Step::BackupEligible);
    // The state itself may change.
    let (mut authenticator, stored) = enrolled().await;
    authenticator.flags = UP | BE;
    assert!(!assert(&stored, &authenticator.get(&request(&rp(), &[]))).await.unwrap().backed_up);
}

/// Changes bytes of one part of an assertion, leaves its signature, and gives what it fails at.
async fn changed(part: &str, change: impl FnOnce(&mut Vec<u8>)) -> Step {
    let (mut authenticator, stored) = enrolled().await;
    let mut response: Value = authenticator.get(&request(&rp(), &[]));
    let mut bytes = decode(&response["response"][part]);
    change(&mut bytes);
    response["response"][part] = json!(encode(&bytes));
    step(assert(&stored, &response).await)
}

#[tokio::test]
async fn step_20_the_hash_is_of_the_bytes_as_they_came() {
    // The same client data, written with a space.
    let spaced = |bytes: &mut Vec<u8>| bytes.insert(1, b' ');
    assert_eq!(changed("clientDataJSON", spaced).await, Step::Signature);
}

#[tokio::test]
async fn step_21_signature() {
    assert_eq!(changed("authenticatorData", |bytes| bytes[36] ^= 1).await, Step::Signature);
    assert_eq!(changed("authenticatorData", |bytes| bytes[32] ^= 2).await, Step::Signature);
    assert_eq!(changed("signature", |bytes| *bytes.last_mut().unwrap() ^= 1).await, Step::Signature);
    assert_eq!(changed("signature", Vec::clear).await, Step::Signature);
    // Another credential's signature.
    let (mut authenticator, first) = enrolled().await;
    register(&authenticator.create(&creation(&rp()))).await.unwrap();
    let mut response = authenticator.get_with(1, &request(&rp(), &[]));
    (response["id"], response["rawId"]) = (json!(encode(&first.id)), json!(encode(&first.id)));
    assert_eq!(step(assert(&first, &response).await), Step::Signature);
}

#[tokio::test]
async fn step_22_sign_count() {
    let (mut authenticator, mut stored) = enrolled().await;
    // Stored, said, whether it is accepted.
    for (before, said, accepted) in [
        (0, 0, true),
        (0, 1, true),
        (7, 8, true),
        (7, 1000, true),
        (7, 7, false),
        (7, 6, false),
        (7, 0, false),
        (u32::MAX, u32::MAX, false),
    ] {
        stored.sign_count = before;
        // The authenticator counts up before it answers.
        authenticator.counter = said.checked_sub(1);
        let result = assert(&stored, &authenticator.get(&request(&rp(), &[]))).await;
        match result {
            Ok(verified) => assert!(accepted && verified.sign_count == said, "{before} {said}"),
            Err(error) => assert_eq!((accepted, error), (false, Step::SignCount.into()), "{before} {said}"),
        }
    }
}

#[tokio::test]
async fn step_23_extensions_that_nobody_asked_for_are_ignored() {
    let (mut authenticator, stored) = enrolled().await;
    authenticator.forge.extensions = Some(map(&[(text("uvm"), integer(1))]));
    let mut response = authenticator.get(&request(&rp(), &[]));
    response["clientExtensionResults"] = json!({"appid": true});
    assert!(assert(&stored, &response).await.is_ok());
}
