//! WebAuthn: the standard's vectors, one refusal per step of its verification, other implementations as oracle,
//! and a software authenticator; and the signatures port that all of it rests on.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]

mod support;

mod webauthn {
    mod oracle;
    mod signatures;
    mod steps_of_assertion;
    mod steps_of_registration;
    mod vectors;

    use postern::webauthn::{
        AssertionResponse, Ceremony, NewCredential, RegistrationResponse, RelyingParty, StoredCredential,
        UserVerification, Verified, WebAuthnError, verify_assertion, verify_registration,
    };
    use serde_json::Value;

    use crate::support::{passkey::Authenticator, signatures::RingSignatures};

    pub const ORIGIN: &str = "https://example.org";
    pub const CHALLENGE: &[u8] = b"a challenge of thirty-two bytes!";
    pub const HANDLE: &[u8] = b"usr_1";

    pub fn rp() -> RelyingParty {
        RelyingParty {
            id: "example.org".to_owned(),
            name: "Example".to_owned(),
            origins: vec![ORIGIN.to_owned()],
            user_verification: UserVerification::Preferred,
        }
    }

    pub fn creation(rp: &RelyingParty) -> Value {
        let user = postern::webauthn::UserEntity { handle: HANDLE, name: "ada@example.org", display_name: "Ada" };
        postern::webauthn::creation_options(rp, CHALLENGE, user, &[])
    }

    pub fn request(rp: &RelyingParty, allow: &[Vec<u8>]) -> Value {
        let allow: Vec<_> = allow.iter().map(|id| postern::webauthn::Descriptor { id, transports: &[] }).collect();
        postern::webauthn::request_options(rp, CHALLENGE, &allow)
    }

    pub async fn register_for(rp: &RelyingParty, response: &Value) -> Result<NewCredential, WebAuthnError> {
        let response = RegistrationResponse::from_json(response)?;
        verify_registration(&RingSignatures::default(), Ceremony { rp, challenge: CHALLENGE }, &response).await
    }

    pub async fn register(response: &Value) -> Result<NewCredential, WebAuthnError> {
        register_for(&rp(), response).await
    }

    pub async fn assert_for(
        rp: &RelyingParty,
        allowed: Option<&[Vec<u8>]>,
        stored: &StoredCredential,
        response: &Value,
    ) -> Result<Verified, WebAuthnError> {
        let response = AssertionResponse::from_json(response)?;
        verify_assertion(&RingSignatures::default(), Ceremony { rp, challenge: CHALLENGE }, allowed, stored, &response)
            .await
    }

    /// The answer to options that allowed the stored credential.
    pub async fn assert(stored: &StoredCredential, response: &Value) -> Result<Verified, WebAuthnError> {
        let allowed = [stored.id.clone()];
        assert_for(&rp(), Some(&allowed), stored, response).await
    }

    pub fn stored(new: NewCredential) -> StoredCredential {
        StoredCredential {
            id: new.id,
            cose: new.cose,
            sign_count: new.sign_count,
            backup_eligible: new.backup_eligible,
            user_handle: HANDLE.to_vec(),
        }
    }

    /// An authenticator with one credential, and that credential on record.
    pub async fn enrolled() -> (Authenticator, StoredCredential) {
        let mut authenticator = Authenticator::new(ORIGIN);
        let new = register(&authenticator.create(&creation(&rp()))).await.unwrap();
        (authenticator, stored(new))
    }
}
