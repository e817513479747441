//! WebAuthn Level 3 as a relying party: options, and the verification of what an authenticator answers.
//! Pure but for the signatures port. Attestation "none"; ES256, EdDSA and RS256. Sections are of the W3C's text.

mod attestation;
mod authenticator_data;
mod cbor;
mod client_data;
pub mod cose;
mod options;
mod response;
mod verify;

pub use authenticator_data::{AttestedCredential, AuthenticatorData, Flags};
pub use options::{Descriptor, UserEntity, creation_options, request_options};
pub use response::{AssertionResponse, RegistrationResponse};
pub use verify::{Ceremony, NewCredential, StoredCredential, Verified, verify_assertion, verify_registration};

use crate::ports::SignatureError;

/// Whether the authenticator has to verify the user (a PIN, a finger, a face), beside their presence (§5.8.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserVerification {
    /// An answer without it is refused.
    Required,
    /// It is asked for; whether it happened is told.
    Preferred,
    /// It is not asked for.
    Discouraged,
}

impl UserVerification {
    /// The standard's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Preferred => "preferred",
            Self::Discouraged => "discouraged",
        }
    }
}

/// Who asks: the relying party of §4, as the settings have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// The RP ID: a domain that credentials are scoped to.
    pub id: String,
    /// What the authenticator shows.
    pub name: String,
    /// The origins that may use it, compared whole: `https://…`, or an app's `android:apk-key-hash:…`.
    pub origins: Vec<String>,
    /// Whether the user has to be verified.
    pub user_verification: UserVerification,
}

/// The longest credential id that is taken, in bytes (§7.1 step 25).
pub const CREDENTIAL_ID_MAX: usize = 1023;

/// What an answer failed at. Each variant is a step of §7.1 or §7.2 (or both), or what a step reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Step {
    /// The credential's JSON: `id`, `rawId`, `type`, base64url.
    #[error("the credential is not of the form that toJSON() gives")]
    Response,
    /// §7.2 step 5.
    #[error("the credential is none of those that were allowed")]
    AllowCredentials,
    /// §7.2 step 6.
    #[error("the credential is another one than the one on record")]
    CredentialRecord,
    /// §7.2 step 6.
    #[error("the user handle is missing or another user's")]
    UserHandle,
    /// §7.1 steps 5 and 6, §7.2 steps 8 and 9.
    #[error("clientDataJSON is not client data")]
    ClientData,
    /// §7.1 step 7, §7.2 step 10.
    #[error("the client data is of another ceremony")]
    Type,
    /// §7.1 step 8, §7.2 step 11.
    #[error("the challenge is another one")]
    Challenge,
    /// §7.1 step 9, §7.2 step 12.
    #[error("the origin is not allowed")]
    Origin,
    /// §7.1 step 10, §7.2 step 13.
    #[error("the page was in a frame of another origin")]
    CrossOrigin,
    /// §7.1 step 11, §7.2 step 14.
    #[error("the page was in a frame under another page")]
    TopOrigin,
    /// §7.1 step 13.
    #[error("the attestation object is malformed")]
    AttestationObject,
    /// §6.1, which §7.1 step 13 and §7.2 step 7 read.
    #[error("the authenticator data is malformed")]
    AuthenticatorData,
    /// §7.1 step 14, §7.2 step 15.
    #[error("the authenticator answered another relying party")]
    RpIdHash,
    /// §7.1 step 15, §7.2 step 16.
    #[error("nobody was present")]
    UserPresent,
    /// §7.1 step 16, §7.2 step 17.
    #[error("the user was not verified")]
    UserVerified,
    /// §7.1 step 17, §7.2 step 18.
    #[error("it is backed up without being eligible for it")]
    BackupState,
    /// §7.2 step 19.
    #[error("its eligibility for backup has changed")]
    BackupEligible,
    /// §7.1 step 20.
    #[error("the algorithm is none of those that were offered")]
    Algorithm,
    /// §6.5.1, which §7.1 step 20 reads: the COSE key, and the point that it is.
    #[error("the public key is malformed")]
    PublicKey,
    /// §7.1 step 22.
    #[error("the attestation statement is wrong")]
    AttestationStatement,
    /// §7.1 step 25.
    #[error("the credential id is longer than 1023 bytes")]
    CredentialIdLength,
    /// §7.2 step 21.
    #[error("the signature is wrong")]
    Signature,
    /// §7.2 step 22.
    #[error("the signature counter did not grow: there may be a copy of the authenticator")]
    SignCount,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 23] = [
        Self::Response,
        Self::AllowCredentials,
        Self::CredentialRecord,
        Self::UserHandle,
        Self::ClientData,
        Self::Type,
        Self::Challenge,
        Self::Origin,
        Self::CrossOrigin,
        Self::TopOrigin,
        Self::AttestationObject,
        Self::AuthenticatorData,
        Self::RpIdHash,
        Self::UserPresent,
        Self::UserVerified,
        Self::BackupState,
        Self::BackupEligible,
        Self::Algorithm,
        Self::PublicKey,
        Self::AttestationStatement,
        Self::CredentialIdLength,
        Self::Signature,
        Self::SignCount,
    ];

    /// The step with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }

    /// The step's name, for events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::AllowCredentials => "allow_credentials",
            Self::CredentialRecord => "credential_record",
            Self::UserHandle => "user_handle",
            Self::ClientData => "client_data",
            Self::Type => "type",
            Self::Challenge => "challenge",
            Self::Origin => "origin",
            Self::CrossOrigin => "cross_origin",
            Self::TopOrigin => "top_origin",
            Self::AttestationObject => "attestation_object",
            Self::AuthenticatorData => "authenticator_data",
            Self::RpIdHash => "rp_id_hash",
            Self::UserPresent => "user_present",
            Self::UserVerified => "user_verified",
            Self::BackupState => "backup_state",
            Self::BackupEligible => "backup_eligible",
            Self::Algorithm => "algorithm",
            Self::PublicKey => "public_key",
            Self::AttestationStatement => "attestation_statement",
            Self::CredentialIdLength => "credential_id_length",
            Self::Signature => "signature",
            Self::SignCount => "sign_count",
        }
    }
}

/// Why an answer was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebAuthnError {
    /// It failed at a step.
    #[error(transparent)]
    Refused(#[from] Step),
    /// The platform could not verify it: neither right nor wrong.
    #[error("{0}")]
    Platform(String),
}

impl From<SignatureError> for WebAuthnError {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::KeyRefused => Self::Refused(Step::PublicKey),
            SignatureError::Failed(why) => Self::Platform(why),
        }
    }
}
