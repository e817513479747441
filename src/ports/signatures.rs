//! The signatures port: asymmetric cryptography, which WebCrypto does natively and no crate has to bring.
//! Verifies what passkeys sign, and signs the tokens that a carrier's API asks for.

use super::PortFuture;
use crate::crypto::RsaPrivateKey;

/// A public key of the three algorithms that are taken. Its form is checked where it is made
/// (`webauthn::cose`); that it is a point of its curve is checked where it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA on P-256 with SHA-256 (COSE -7).
    Es256 {
        /// The point's x coordinate, big-endian.
        x: [u8; 32],
        /// Its y coordinate.
        y: [u8; 32],
    },
    /// Ed25519 (COSE -8), the encoded point of RFC 8032 §5.1.2.
    EdDsa([u8; 32]),
    /// RSASSA-PKCS1-v1_5 with SHA-256 (COSE -257), both numbers big-endian without leading zeros.
    Rs256 {
        /// The modulus.
        n: Vec<u8>,
        /// The public exponent.
        e: Vec<u8>,
    },
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The key is none: not a point of its curve, or a number that no RSA key has.
    #[error("the key was refused")]
    KeyRefused,
    /// The platform failed. The text holds no key.
    #[error("signatures are not to be had: {0}")]
    Failed(String),
}

/// Asymmetric signatures.
pub trait Signatures: Send + Sync {
    /// Whether a public key can be used. For P-256 that includes that the point is on the curve: importing it checks
    /// the curve's equation. Registration asks this, since attestation "none" signs nothing.
    fn check<'a>(&'a self, key: &'a PublicKey) -> PortFuture<'a, Result<(), SignatureError>>;

    /// Whether a signature is this key's over this message. It comes in the form of WebAuthn §6.5.5: ES256 as ASN.1 DER
    /// (RFC 3279 §2.2.3), EdDSA 64 bytes, RS256 as long as the modulus. A signature of another form is not valid.
    fn verify<'a>(
        &'a self,
        key: &'a PublicKey,
        message: &'a [u8],
        signature: &'a [u8],
    ) -> PortFuture<'a, Result<bool, SignatureError>>;

    /// Signs a message with RS256 (RFC 7518 §3.3). Gives the signature's bytes, as many as the modulus has.
    fn sign_rs256<'a>(
        &'a self,
        key: &'a RsaPrivateKey,
        message: &'a [u8],
    ) -> PortFuture<'a, Result<Vec<u8>, SignatureError>>;
}
