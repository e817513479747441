//! The signatures port: asymmetric cryptography, which WebCrypto does natively and no crate has to bring.
//! Verifies what passkeys sign, and signs the tokens that a carrier's API asks for.

use zeroize::Zeroizing;

use super::PortFuture;
use crate::crypto::RsaPrivateKey;

/// How tokens are signed (RFC 7518 §3.1): the two algorithms that are made and taken, and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits: what every library knows.
    Rs256,
    /// ECDSA on P-256 with SHA-256: smaller and faster.
    Es256,
}

impl Algorithm {
    /// Every name, for the contract.
    pub const NAMES: [&'static str; 2] = ["RS256", "ES256"];

    /// The name that `alg` has.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm of a name, compared exactly.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Rs256, Self::Es256].into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// A key pair that was just made.
pub struct NewKeyPair {
    /// The private half in PKCS#8 DER.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// The public half.
    pub public: PublicKey,
}

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

    /// Makes a key pair: RSA with 2048 bits and the exponent 65537, or a point of P-256.
    fn generate(&self, algorithm: Algorithm) -> PortFuture<'_, Result<NewKeyPair, SignatureError>>;

    /// Signs a message. The signature has the form of RFC 7518: RS256 as long as the modulus (§3.3), ES256 r and s of
    /// 32 bytes each (§3.4). `kid` names the key, which may be remembered by it: it has to name this key for ever.
    fn sign<'a>(
        &'a self,
        kid: &'a str,
        algorithm: Algorithm,
        pkcs8: &'a [u8],
        message: &'a [u8],
    ) -> PortFuture<'a, Result<Vec<u8>, SignatureError>>;
}
