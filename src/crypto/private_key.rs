//! An RSA private key as people have it: PEM with PKCS#8, or with the older PKCS#1, which is wrapped.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::der;
use crate::secret::Secret;

/// A private key in PKCS#8 DER, the form that WebCrypto imports. It prints nothing of itself.
#[derive(Clone)]
pub struct RsaPrivateKey(Zeroizing<Vec<u8>>);

/// Why a text is not a key. None of them quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    /// No `-----BEGIN …-----` and `-----END …-----` with base64 between them.
    #[error("it is not PEM: it has to begin with -----BEGIN PRIVATE KEY----- and end with -----END PRIVATE KEY-----")]
    NotPem,
    /// It is locked with a passphrase.
    #[error("it is encrypted: take the passphrase off, for example with openssl pkey")]
    Encrypted,
    /// A public key or a certificate.
    #[error("it is public: the private key belongs here")]
    Public,
    /// Another kind of key, or cut off.
    #[error("it is not an RSA private key in PKCS#8 or PKCS#1")]
    NotRsa,
}

impl RsaPrivateKey {
    /// Reads PEM (RFC 7468). Line ends may be written as `\n`, as variables often have them.
    /// `BEGIN PRIVATE KEY` is PKCS#8; `BEGIN RSA PRIVATE KEY` is PKCS#1 and is wrapped into PKCS#8.
    pub fn from_pem(pem: &Secret) -> Result<Self, PrivateKeyError> {
        let (label, body) = parts(pem.expose()).ok_or(PrivateKeyError::NotPem)?;
        let is_pkcs1 = match label {
            "PRIVATE KEY" => false,
            // RFC 1421 puts headers before the base64 of an encrypted one.
            "RSA PRIVATE KEY" if body.contains("ENCRYPTED") => return Err(PrivateKeyError::Encrypted),
            "RSA PRIVATE KEY" => true,
            "ENCRYPTED PRIVATE KEY" => return Err(PrivateKeyError::Encrypted),
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => return Err(PrivateKeyError::Public),
            _ => return Err(PrivateKeyError::NotRsa),
        };
        let base64: Zeroizing<String> = Zeroizing::new(
            body.replace("\\r", "").replace("\\n", "").chars().filter(|character| !character.is_whitespace()).collect(),
        );
        let decoded = Zeroizing::new(STANDARD.decode(base64.as_bytes()).map_err(|_| PrivateKeyError::NotPem)?);
        let pkcs8 = if is_pkcs1 && der::is_pkcs1_rsa(&decoded) {
            Zeroizing::new(der::pkcs8_from_pkcs1(&decoded).ok_or(PrivateKeyError::NotRsa)?)
        } else {
            decoded
        };
        if der::is_pkcs8_rsa(&pkcs8) { Ok(Self(pkcs8)) } else { Err(PrivateKeyError::NotRsa) }
    }

    /// The PKCS#8 DER, for the one place that imports it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// The label of the first PEM block, and what stands in it.
fn parts(pem: &str) -> Option<(&str, &str)> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, rest) = rest.split_once("-----END ")?;
    rest.strip_prefix(label)?.starts_with("-----").then_some((label, body))
}

impl fmt::Debug for RsaPrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[private key]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest things of the right outer form.
    const PKCS1: [u8; 5] = [0x30, 0x03, 0x02, 0x01, 0x00];

    fn pem(label: &str, der: &[u8]) -> Secret {
        Secret::new(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der)))
    }

    #[test]
    fn pkcs1_is_wrapped_into_pkcs8() {
        let wrapped = RsaPrivateKey::from_pem(&pem("RSA PRIVATE KEY", &PKCS1)).expect("PKCS#1");
        let plain = RsaPrivateKey::from_pem(&pem("PRIVATE KEY", wrapped.expose())).expect("PKCS#8");
        assert_eq!(wrapped.expose(), plain.expose());
        assert_eq!(wrapped.expose().len(), 2 + 3 + 15 + 2 + PKCS1.len());
        assert_eq!(format!("{wrapped:?}"), "[private key]");
    }

    #[test]
    fn line_ends_may_be_written_out() {
        let real = pem("RSA PRIVATE KEY", &PKCS1);
        for ends in ["\\n", "\\r\\n", "\r\n", ""] {
            let text = Secret::new(real.expose().replace('\n', ends));
            assert!(RsaPrivateKey::from_pem(&text).is_ok(), "{ends:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let read = |secret: &Secret| RsaPrivateKey::from_pem(secret).map(|_| ()).unwrap_err();
        let text = |text: &str| Secret::new(text.to_owned());
        for (secret, error) in [
            (text(""), PrivateKeyError::NotPem),
            (text("MAMCAQA="), PrivateKeyError::NotPem),
            (text("-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----"), PrivateKeyError::NotPem),
            (text("-----BEGIN PRIVATE KEY-----\nMAMCAQA=\n-----END RSA PRIVATE KEY-----"), PrivateKeyError::NotPem),
            (pem("ENCRYPTED PRIVATE KEY", &PKCS1), PrivateKeyError::Encrypted),
            (
                text(
                    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAMCAQA=\n-----END RSA PRIVATE KEY-----",
                ),
                PrivateKeyError::Encrypted,
            ),
            (pem("PUBLIC KEY", &PKCS1), PrivateKeyError::Public),
            (pem("EC PRIVATE KEY", &PKCS1), PrivateKeyError::NotRsa),
            // PKCS#1 under the label of PKCS#8 is no PKCS#8.
            (pem("PRIVATE KEY", &PKCS1), PrivateKeyError::NotRsa),
            (pem("RSA PRIVATE KEY", &[0x30, 0x04, 0x02, 0x01]), PrivateKeyError::NotRsa),
        ] {
            assert_eq!(read(&secret), error, "{}", secret.expose());
        }
    }
}
