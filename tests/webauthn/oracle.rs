//! Another relying party, `webauthn-rs-core`, is asked about the same answers: it accepts what we accept, and what it
//! refuses we refuse. It cannot run in the Worker (it reads the system's clock), so it is an oracle here. It knows no
//! Ed25519; the standard's vectors stand for that.

use std::{cell::Cell, time::Duration};

use postern::webauthn::{
    AssertionResponse, Ceremony, NewCredential, RegistrationResponse, RelyingParty, UserVerification, Verified,
    WebAuthnError, verify_assertion, verify_registration,
};
use proptest::{prelude::*, sample::Index, test_runner::TestRunner};
use serde_json::{Value, json};
use webauthn_rs_core::{
    WebauthnCore,
    proto::{
        AuthenticationState, COSEAlgorithm, Credential, PublicKeyCredential, RegisterPublicKeyCredential,
        RegistrationState, UserVerificationPolicy,
    },
};

use super::{ORIGIN, rp, stored};
use crate::support::{
    passkey::{Authenticator, BE, ES256, RS256, UP, UV, byte_string, decode, encode, map, text},
    signatures::RingSignatures,
};

fn oracle() -> WebauthnCore {
    let origin = url::Url::parse(ORIGIN).unwrap();
    WebauthnCore::new_unsafe_experts_only(
        "Example",
        "example.org",
        vec![origin],
        Duration::from_secs(60),
        Some(false),
        Some(false),
    )
}

fn policy(verification: UserVerification) -> UserVerificationPolicy {
    match verification {
        UserVerification::Required => UserVerificationPolicy::Required,
        // Its own "preferred" is stricter than the standard's: who was verified once has to be ever after.
        UserVerification::Preferred | UserVerification::Discouraged => UserVerificationPolicy::Discouraged_DO_NOT_USE,
    }
}

/// Its creation options, and what it remembers of them.
fn creation(rp: &RelyingParty) -> (Value, RegistrationState) {
    let builder = oracle()
        .new_challenge_register_builder(super::HANDLE, "ada@example.org", "Ada")
        .unwrap()
        .user_verification_policy(policy(rp.user_verification))
        .credential_algorithms(vec![COSEAlgorithm::ES256, COSEAlgorithm::RS256]);
    let (options, state) = oracle().generate_challenge_register(builder).unwrap();
    (serde_json::to_value(options).unwrap()["publicKey"].clone(), state)
}

fn request(rp: &RelyingParty, credential: &Credential) -> (Value, AuthenticationState) {
    let policy = Some(policy(rp.user_verification));
    let builder = oracle().new_challenge_authenticate_builder(vec![credential.clone()], policy).unwrap();
    let (options, state) = oracle().generate_challenge_authenticate(builder).unwrap();
    (serde_json::to_value(options).unwrap()["publicKey"].clone(), state)
}

fn their_registration(response: &Value, state: &RegistrationState) -> Option<Credential> {
    let response: RegisterPublicKeyCredential = serde_json::from_value(response.clone()).ok()?;
    oracle().register_credential(&response, state, None).ok()
}

async fn our_registration(
    rp: &RelyingParty,
    options: &Value,
    response: &Value,
) -> Result<NewCredential, WebAuthnError> {
    let response = RegistrationResponse::from_json(response)?;
    let challenge = decode(&options["challenge"]);
    verify_registration(&RingSignatures::default(), Ceremony { rp, challenge: &challenge }, &response).await
}

fn their_assertion(response: &Value, state: &AuthenticationState) -> Option<(bool, bool, u32)> {
    let response: PublicKeyCredential = serde_json::from_value(response.clone()).ok()?;
    let result = oracle().authenticate_credential(&response, state).ok()?;
    Some((result.user_verified(), result.backup_state(), result.counter()))
}

async fn our_assertion(
    rp: &RelyingParty,
    options: &Value,
    new: &NewCredential,
    response: &Value,
) -> Result<Verified, WebAuthnError> {
    let response = AssertionResponse::from_json(response)?;
    let challenge = decode(&options["challenge"]);
    let stored = stored(new.clone());
    let allowed = [stored.id.clone()];
    let ceremony = Ceremony { rp, challenge: &challenge };
    verify_assertion(&RingSignatures::default(), ceremony, Some(&allowed), &stored, &response).await
}

#[tokio::test]
async fn both_accept_what_an_authenticator_answers_and_read_the_same() {
    for algorithm in [ES256, RS256] {
        for self_attestation in [false, true] {
            let rp = rp();
            let mut authenticator = Authenticator::new(ORIGIN);
            (authenticator.algorithm, authenticator.counter) = (algorithm, Some(1));
            authenticator.forge.self_attestation = self_attestation;
            let (options, state) = creation(&rp);
            let response = authenticator.create(&options);
            let theirs = their_registration(&response, &state).unwrap();
            let ours = our_registration(&rp, &options, &response).await.unwrap();
            assert_eq!(theirs.cred_id.as_slice(), ours.id);
            assert_eq!(
                (theirs.counter, theirs.user_verified, theirs.backup_eligible, theirs.backup_state),
                (ours.sign_count, ours.user_verified, ours.backup_eligible, ours.backed_up)
            );

            authenticator.flags = UP | UV | BE;
            let (options, state) = request(&rp, &theirs);
            let response = authenticator.get(&options);
            let verified = our_assertion(&rp, &options, &ours, &response).await.unwrap();
            let theirs = their_assertion(&response, &state).unwrap();
            assert_eq!(theirs, (verified.user_verified, verified.backed_up, verified.sign_count));
        }
    }
}

/// One change to one part of a response.
#[derive(Clone, Debug)]
struct Change {
    part: Index,
    at: Index,
    to: u8,
    kind: u8,
}

impl Change {
    fn apply(&self, parts: &[&str], response: &Value) -> Value {
        let part = *self.part.get(parts);
        let mut bytes = decode(&response["response"][part]);
        let at = self.at.index(bytes.len());
        match self.kind {
            0 => bytes[at] = self.to,
            1 => bytes[at] ^= 1 << (self.to % 8),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, self.to),
            _ => {
                bytes.remove(at);
            }
        }
        let mut changed = response.clone();
        changed["response"][part] = json!(encode(&bytes));
        if part == "authenticatorData" && !response["response"]["attestationObject"].is_null() {
            let object = map(&[
                (text("fmt"), text("none")),
                (text("attStmt"), map(&[])),
                (text("authData"), byte_string(&bytes)),
            ]);
            changed["response"]["attestationObject"] = json!(encode(&object));
        }
        changed
    }
}

fn changes() -> impl Strategy<Value = Change> {
    (any::<Index>(), any::<Index>(), any::<u8>(), 0..5u8).prop_map(|(part, at, to, kind)| Change { part, at, to, kind })
}

fn verification() -> impl Strategy<Value = UserVerification> {
    prop_oneof![Just(UserVerification::Required), Just(UserVerification::Discouraged)]
}

fn run<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..Default::default() });
    runner.run(strategy, test).unwrap();
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn what_we_register_after_a_change_it_registers_too() {
    let rp = rp();
    let (options, state) = creation(&rp);
    let response = Authenticator::new(ORIGIN).create(&options);
    let accepted = Cell::new(0);
    run(2000, &changes(), |change| {
        // Nothing of it is signed, so some changes make another credential: of the AAGUID, the counter, a flag.
        let changed = change.apply(&["clientDataJSON", "authenticatorData"], &response);
        let ours = block(our_registration(&rp, &options, &changed));
        let theirs = their_registration(&changed, &state);
        prop_assert!(ours.is_err() || theirs.is_some(), "we alone accept {}: {:?}", changed, ours);
        accepted.set(accepted.get() + u32::from(ours.is_ok()));
        Ok(())
    });
    assert!((1..2000).contains(&accepted.get()), "{}", accepted.get());
}

#[test]
fn what_we_accept_after_a_change_it_accepts_too() {
    let rp = rp();
    for algorithm in [ES256, RS256] {
        let mut authenticator = Authenticator::new(ORIGIN);
        authenticator.algorithm = algorithm;
        let (options, state) = creation(&rp);
        let response = authenticator.create(&options);
        let theirs = their_registration(&response, &state).unwrap();
        let ours = block(our_registration(&rp, &options, &response)).unwrap();
        let (options, state) = request(&rp, &theirs);
        let response = authenticator.get(&options);
        run(700, &changes(), |change| {
            let changed = change.apply(&["clientDataJSON", "authenticatorData", "signature"], &response);
            let was_changed = changed != response;
            let verdict = block(our_assertion(&rp, &options, &ours, &changed)).is_ok();
            prop_assert_eq!(verdict, their_assertion(&changed, &state).is_some(), "{}", changed);
            // All of it is signed.
            prop_assert_eq!(verdict, !was_changed, "{}", changed);
            Ok(())
        });
    }
}

#[test]
fn both_judge_flags_and_counters_alike() {
    // It holds a credential to what was asked at its registration, so one policy is asked for throughout.
    run(300, &(any::<u8>(), any::<u8>(), verification(), 0..4u32, 0..4u32), |(first, later, policy, before, after)| {
        let (at_first, later) = (first & 0x1d, later & 0x1d);
        let mut rp = rp();
        rp.user_verification = policy;
        let mut authenticator = Authenticator::new(ORIGIN);
        (authenticator.flags, authenticator.counter) = (at_first, Some(before));
        let (options, state) = creation(&rp);
        let response = authenticator.create(&options);
        let theirs = their_registration(&response, &state);
        let ours = block(our_registration(&rp, &options, &response)).ok();
        prop_assert_eq!(ours.is_some(), theirs.is_some(), "registration {:#x}", at_first);
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return Ok(()) };

        (authenticator.flags, authenticator.counter) = (later, after.checked_sub(1));
        let (options, state) = request(&rp, &theirs);
        let response = authenticator.get(&options);
        let verdict = block(our_assertion(&rp, &options, &ours, &response)).is_ok();
        prop_assert_eq!(verdict, their_assertion(&response, &state).is_some(), "{:#x} then {:#x}", at_first, later);
        Ok(())
    });
}
