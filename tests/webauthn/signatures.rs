//! The signatures port as the native tests have it: each algorithm with a vector that others have published.

use base64::{Engine, engine::general_purpose::STANDARD};
use postern::{
    crypto::RsaPrivateKey,
    ports::{PublicKey, SignatureError, Signatures},
    secret::Secret,
};

use crate::support::signatures::RingSignatures;

/// Made with openssl for this test: one key in both of its wrappings.
const PKCS8: &str = include_str!("../data/rsa_test_key_pkcs8.pem");
const PKCS1: &str = include_str!("../data/rsa_test_key_pkcs1.pem");

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The modulus stands in PKCS#1 after the version: tag, three bytes of length, a zero.
fn public_half(key: &RsaPrivateKey) -> PublicKey {
    let pkcs1 = &key.expose()[26..];
    assert_eq!(pkcs1[..12], [0x30, 0x82, pkcs1[2], pkcs1[3], 2, 1, 0, 2, 0x82, 1, 1, 0]);
    PublicKey::Rs256 { n: pkcs1[12..268].to_vec(), e: vec![1, 0, 1] }
}

#[tokio::test]
async fn what_is_signed_with_rs256_is_verified() {
    let key = RsaPrivateKey::from_pem(&Secret::new(PKCS8.to_owned())).unwrap();
    let public = public_half(&key);
    let signature = RingSignatures::default().sign_rs256(&key, b"a message").await.unwrap();
    assert_eq!(signature.len(), 256);
    assert_eq!(RingSignatures::default().verify(&public, b"a message", &signature).await, Ok(true));
    assert_eq!(RingSignatures::default().verify(&public, b"another one", &signature).await, Ok(false));
    assert_eq!(RingSignatures::default().verify(&public, b"a message", &signature[1..]).await, Ok(false));
}

#[test]
fn a_pkcs1_key_is_the_same_key() {
    let read = |pem: &str| RsaPrivateKey::from_pem(&Secret::new(pem.to_owned())).unwrap().expose().to_vec();
    assert_eq!(read(PKCS1), read(PKCS8));
    let between: String = PKCS8.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(read(PKCS8), STANDARD.decode(between).unwrap());
}

/// RFC 6979 appendix A.2.5, P-256 with SHA-256 over "sample"; r and s are written in DER.
#[tokio::test]
async fn es256_takes_der() {
    let key = PublicKey::Es256 {
        x: hex("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6").try_into().unwrap(),
        y: hex("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299").try_into().unwrap(),
    };
    let (r, s) = (
        hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"),
        hex("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"),
    );
    let der = [&[0x30, 0x46, 0x02, 0x21, 0][..], &r, &[0x02, 0x21, 0], &s].concat();
    assert_eq!(RingSignatures::default().verify(&key, b"sample", &der).await, Ok(true));
    assert_eq!(RingSignatures::default().verify(&key, b"sampled", &der).await, Ok(false));
    // What the Worker's adapter makes of it for WebCrypto, which does not take DER.
    assert_eq!(postern::crypto::ecdsa_raw(&der).unwrap().to_vec(), [r.clone(), s.clone()].concat());
    assert_eq!(RingSignatures::default().verify(&key, b"sample", &[r, s].concat()).await, Ok(false));
}

/// RFC 8032 §7.1, test 2.
#[tokio::test]
async fn eddsa_is_ed25519() {
    let key = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    let key = PublicKey::EdDsa(key.try_into().unwrap());
    let signature = hex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    assert_eq!(RingSignatures::default().verify(&key, &[0x72], &signature).await, Ok(true));
    assert_eq!(RingSignatures::default().verify(&key, &[0x73], &signature).await, Ok(false));
}

#[tokio::test]
async fn a_point_off_the_curve_is_refused() {
    let mut y: [u8; 32] = hex("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299").try_into().unwrap();
    let x = hex("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6").try_into().unwrap();
    assert_eq!(RingSignatures::default().check(&PublicKey::Es256 { x, y }).await, Ok(()));
    y[31] ^= 1;
    assert_eq!(RingSignatures::default().check(&PublicKey::Es256 { x, y }).await, Err(SignatureError::KeyRefused));
    let key = PublicKey::Es256 { x, y };
    assert_eq!(RingSignatures::default().verify(&key, b"sample", &[]).await, Err(SignatureError::KeyRefused));
}
