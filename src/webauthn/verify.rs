//! The two verifications, step by step: §7.1 for a new credential, §7.2 for an assertion. Steps that are a page's or the
//! database's are named where their place is.

use sha2::{Digest, Sha256};

use super::{
    AssertionResponse, AuthenticatorData, RegistrationResponse, RelyingParty, Step, UserVerification, WebAuthnError,
    attestation::{self, Statement},
    client_data, cose,
};
use crate::ports::{PublicKey, Signatures};

/// What was asked.
#[derive(Clone, Copy, Debug)]
pub struct Ceremony<'a> {
    /// By whom.
    pub rp: &'a RelyingParty,
    /// With which challenge.
    pub challenge: &'a [u8],
}

/// A credential that may be stored once nobody has its id (§7.1 steps 26 and 27).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCredential {
    /// Its id.
    pub id: Vec<u8>,
    /// Its public key in COSE, to be kept.
    pub cose: Vec<u8>,
    /// Where its counter begins.
    pub sign_count: u32,
    /// Whether the user was verified.
    pub user_verified: bool,
    /// Whether it may be backed up.
    pub backup_eligible: bool,
    /// Whether it is backed up.
    pub backed_up: bool,
    /// How the authenticator can be reached.
    pub transports: Vec<String>,
}

/// A credential on record (§4, "credential record"), and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCredential {
    /// Its id.
    pub id: Vec<u8>,
    /// Its public key in COSE.
    pub cose: Vec<u8>,
    /// Its counter, as last seen.
    pub sign_count: u32,
    /// Whether it may be backed up.
    pub backup_eligible: bool,
    /// The user handle of the account that has it.
    pub user_handle: Vec<u8>,
}

/// What an assertion has proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whether the user was verified: then it counts as two factors.
    pub user_verified: bool,
    /// Whether the credential is backed up.
    pub backed_up: bool,
    /// The counter, to be stored (§7.2 step 24).
    pub sign_count: u32,
}

/// Registers a credential (§7.1). Steps 1 to 4 are the page's; that nobody has the id yet (step 26) is the database's.
pub async fn verify_registration(
    signatures: &dyn Signatures,
    ceremony: Ceremony<'_>,
    response: &RegistrationResponse,
) -> Result<NewCredential, WebAuthnError> {
    // Steps 5 to 11.
    client_data::check(&response.client_data_json, "webauthn.create", ceremony.challenge, ceremony.rp)?;
    // Step 12.
    let hash = Sha256::digest(&response.client_data_json);
    // Step 13. Step 21 is in it: which format the statement has.
    let object = attestation::parse(&response.attestation_object)?;
    let data = AuthenticatorData::parse(object.authenticator_data)?;
    // Steps 14 to 17. Steps 18 and 19 ask nothing here: the backup flags are kept and shown.
    check_data(&data, ceremony.rp)?;
    let credential = data.credential.ok_or(Step::AuthenticatorData)?;
    // The id that the browser names is the one that the authenticator has made.
    if credential.id != response.id {
        return Err(Step::CredentialRecord.into());
    }
    // Step 20: the key was read as one of the algorithms that are offered. It is a point of its curve, too.
    signatures.check(&credential.public_key).await?;
    // Step 22. Steps 23 and 24: a statement that was not asked for, and that no trust anchor of ours stands behind, is
    // worth as much as none; what needs no anchor is verified all the same.
    match object.statement {
        Statement::None | Statement::Untrusted => {}
        Statement::SelfSigned { alg, sig } => {
            let signed = [object.authenticator_data, &hash].concat();
            let is_right = alg == cose::algorithm(&credential.public_key)
                && signatures.verify(&credential.public_key, &signed, sig).await?;
            if !is_right {
                return Err(Step::AttestationStatement.into());
            }
        }
    }
    // Step 25 was taken while reading. Step 27 is what is given back. Step 28: no extension was asked for.
    Ok(NewCredential {
        id: credential.id,
        cose: credential.cose,
        sign_count: data.sign_count,
        user_verified: data.flags.user_verified(),
        backup_eligible: data.flags.backup_eligible(),
        backed_up: data.flags.backed_up(),
        transports: response.transports.clone(),
    })
}

/// Verifies an assertion (§7.2) against the credential on record. Steps 1 to 4 are the page's.
///
/// `allowed` are the credentials that were offered; none offered means that whoever answered had to be found by the user
/// handle. `None` for it says that nobody knew beforehand who would answer.
pub async fn verify_assertion(
    signatures: &dyn Signatures,
    ceremony: Ceremony<'_>,
    allowed: Option<&[Vec<u8>]>,
    stored: &StoredCredential,
    response: &AssertionResponse,
) -> Result<Verified, WebAuthnError> {
    // Step 5.
    if allowed.is_some_and(|allowed| !allowed.contains(&response.id)) {
        return Err(Step::AllowCredentials.into());
    }
    // Step 6. Who was known beforehand may be named, who was not has to be.
    if response.id != stored.id {
        return Err(Step::CredentialRecord.into());
    }
    match (&response.user_handle, allowed) {
        (Some(handle), _) if *handle == stored.user_handle => {}
        (None, Some(_)) => {}
        (Some(_), _) | (None, None) => return Err(Step::UserHandle.into()),
    }
    // Step 7 names things. Steps 8 to 14.
    client_data::check(&response.client_data_json, "webauthn.get", ceremony.challenge, ceremony.rp)?;
    // Steps 15 to 18.
    let data = AuthenticatorData::parse(&response.authenticator_data)?;
    check_data(&data, ceremony.rp)?;
    // Step 19: eligibility is fixed when a credential is made (§6.1.3). The state may change, and is kept.
    if data.flags.backup_eligible() != stored.backup_eligible {
        return Err(Step::BackupEligible.into());
    }
    // Step 20.
    let hash = Sha256::digest(&response.client_data_json);
    // Step 21.
    let key: PublicKey = cose::parse(&stored.cose)?;
    let signed = [response.authenticator_data.as_slice(), &hash].concat();
    if !signatures.verify(&key, &signed, &response.signature).await? {
        return Err(Step::Signature.into());
    }
    // Step 22. An authenticator without a counter says 0, and goes on saying it.
    if (data.sign_count != 0 || stored.sign_count != 0) && data.sign_count <= stored.sign_count {
        return Err(Step::SignCount.into());
    }
    // Step 23: no extension was asked for. Step 24 is the caller's, with what is given back.
    Ok(Verified {
        user_verified: data.flags.user_verified(),
        backed_up: data.flags.backed_up(),
        sign_count: data.sign_count,
    })
}

/// What both ask of the authenticator data.
fn check_data(data: &AuthenticatorData, rp: &RelyingParty) -> Result<(), Step> {
    // §7.1 step 14, §7.2 step 15.
    if data.rp_id_hash != *Sha256::digest(rp.id.as_bytes()) {
        return Err(Step::RpIdHash);
    }
    // §7.1 step 15, §7.2 step 16.
    if !data.flags.user_present() {
        return Err(Step::UserPresent);
    }
    // §7.1 step 16, §7.2 step 17.
    if rp.user_verification == UserVerification::Required && !data.flags.user_verified() {
        return Err(Step::UserVerified);
    }
    // §7.1 step 17, §7.2 step 18.
    if data.flags.backed_up() && !data.flags.backup_eligible() {
        return Err(Step::BackupState);
    }
    Ok(())
}
