//! The signatures port on ring: another implementation than the Worker's, on the same contract.
//! RSA keys, which ring does not make, come from a pool of this process, since each takes a while.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use postern::{
    crypto::RsaPrivateKey,
    ports::{Algorithm, NewKeyPair, PortFuture, PublicKey, SignatureError, Signatures},
};
use ring::{
    agreement,
    rand::SystemRandom,
    rsa::{KeyPair, PublicKeyComponents},
    signature::{self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey},
};
use rsa::{pkcs8::EncodePrivateKey, rand_core::OsRng, traits::PublicKeyParts};

/// RSA keys in PKCS#8 with their moduli, each handed out once per instance of [`RingSignatures`].
static POOL: Mutex<Vec<(Vec<u8>, Vec<u8>)>> = Mutex::new(Vec::new());

#[derive(Clone, Default)]
pub struct RingSignatures {
    handed_out: Arc<AtomicUsize>,
}

impl RingSignatures {
    fn rsa(&self) -> NewKeyPair {
        let at = self.handed_out.fetch_add(1, Ordering::Relaxed);
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        while pool.len() <= at {
            let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
            pool.push((key.to_pkcs8_der().unwrap().as_bytes().to_vec(), key.n().to_bytes_be()));
        }
        let (pkcs8, n) = pool[at].clone();
        NewKeyPair { pkcs8: pkcs8.into(), public: PublicKey::Rs256 { n, e: vec![1, 0, 1] } }
    }
}

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

    fn generate(&self, algorithm: Algorithm) -> PortFuture<'_, Result<NewKeyPair, SignatureError>> {
        Box::pin(async move {
            // Others run in between, as they do while the platform makes a key.
            tokio::task::yield_now().await;
            if algorithm == Algorithm::Rs256 {
                return Ok(self.rsa());
            }
            let random = SystemRandom::new();
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
            let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
            let public = PublicKey::Es256 { x: x.try_into().unwrap(), y: y.try_into().unwrap() };
            Ok(NewKeyPair { pkcs8: pkcs8.as_ref().to_vec().into(), public })
        })
    }

    fn sign<'a>(
        &'a self,
        _kid: &'a str,
        algorithm: Algorithm,
        pkcs8: &'a [u8],
        message: &'a [u8],
    ) -> PortFuture<'a, Result<Vec<u8>, SignatureError>> {
        Box::pin(async move {
            let random = SystemRandom::new();
            let refused = |_| SignatureError::KeyRefused;
            match algorithm {
                Algorithm::Rs256 => {
                    let pair = KeyPair::from_pkcs8(pkcs8).map_err(refused)?;
                    let mut signature = vec![0; pair.public().modulus_len()];
                    pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                    Ok(signature)
                }
                Algorithm::Es256 => {
                    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random);
                    Ok(pair.map_err(refused)?.sign(&random, message).unwrap().as_ref().to_vec())
                }
            }
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
