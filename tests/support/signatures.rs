//! The signatures port on ring: another implementation than the Worker's, on the same contract.

use postern::{
    crypto::RsaPrivateKey,
    ports::{PortFuture, PublicKey, SignatureError, Signatures},
};
use ring::{
    agreement,
    rand::SystemRandom,
    rsa::{KeyPair, PublicKeyComponents},
    signature::{self, UnparsedPublicKey},
};

#[derive(Clone, Copy)]
pub struct RingSignatures;

impl Signatures for RingSignatures {
    fn check<'a>(&'a self, key: &'a PublicKey) -> PortFuture<'a, Result<(), SignatureError>> {
        Box::pin(async move { check(key) })
    }

    fn verify<'a>(
        &'a self,
        key: &'a PublicKey,
        message: &'a [u8],
        signature: &'a [u8],
    ) -> PortFuture<'a, Result<bool, SignatureError>> {
        Box::pin(async move {
            check(key)?;
            Ok(match key {
                PublicKey::Es256 { x, y } => UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, point(x, y))
                    .verify(message, signature)
                    .is_ok(),
                PublicKey::EdDsa(point) => {
                    UnparsedPublicKey::new(&signature::ED25519, point).verify(message, signature).is_ok()
                }
                PublicKey::Rs256 { n, e } => PublicKeyComponents { n, e }
                    .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
                    .is_ok(),
            })
        })
    }

    fn sign_rs256<'a>(
        &'a self,
        key: &'a RsaPrivateKey,
        message: &'a [u8],
    ) -> PortFuture<'a, Result<Vec<u8>, SignatureError>> {
        Box::pin(async move {
            let pair = KeyPair::from_pkcs8(key.expose()).map_err(|_| SignatureError::KeyRefused)?;
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                .map_err(|error| SignatureError::Failed(error.to_string()))?;
            Ok(signature)
        })
    }
}

fn point(x: &[u8; 32], y: &[u8; 32]) -> Vec<u8> {
    [&[4], x.as_slice(), y].concat()
}

/// An agreement with a point fails when it is not on the curve. Of the others the form is all there is to check.
fn check(key: &PublicKey) -> Result<(), SignatureError> {
    let PublicKey::Es256 { x, y } = key else { return Ok(()) };
    let ours = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &SystemRandom::new())
        .map_err(|error| SignatureError::Failed(error.to_string()))?;
    let theirs = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point(x, y));
    agreement::agree_ephemeral(ours, &theirs, |_| ()).map_err(|_| SignatureError::KeyRefused)
}
