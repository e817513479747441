//! As much ASN.1 DER as keys and signatures need: one strict reader and one writer of definite lengths.

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Takes one value of a type; gives its content and what follows. Lengths must be as short as they can be (X.690 §10.1).
fn take(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = input.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 => {
            let (&[length], rest) = rest.split_first_chunk::<1>()?;
            (Some(usize::from(length)).filter(|length| *length >= 0x80)?, rest)
        }
        0x82 => {
            let (&length, rest) = rest.split_first_chunk::<2>()?;
            (Some(usize::from(u16::from_be_bytes(length))).filter(|length| *length >= 0x100)?, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// A value of a type, with its length before it; `None` when it is longer than keys are.
fn wrap(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(content.len()).ok()?;
    let [high, low] = length.to_be_bytes();
    let mut value = match length {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        0x100.. => vec![tag, 0x82, high, low],
    };
    value.extend_from_slice(content);
    Some(value)
}

/// An unsigned integer of exactly 32 bytes, from an INTEGER that is positive and has no needless zero.
fn unsigned(content: &[u8]) -> Option<[u8; 32]> {
    let digits = match content {
        [] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => return None,
        digits => digits.strip_prefix(&[0]).unwrap_or(digits),
    };
    let mut number = [0; 32];
    number.get_mut(32usize.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    Some(number)
}

/// The raw form of an ECDSA signature on P-256, r and s of 32 bytes each, as WebCrypto wants it. `None`: the DER that
/// WebAuthn §6.5.5 asks for it is not.
pub fn ecdsa_raw(der: &[u8]) -> Option<[u8; 64]> {
    let (sequence, []) = take(SEQUENCE, der)? else { return None };
    let (r, rest) = take(INTEGER, sequence)?;
    let (s, []) = take(INTEGER, rest)? else { return None };
    let mut raw = [0; 64];
    let (first, second) = raw.split_at_mut(32);
    first.copy_from_slice(&unsigned(r)?);
    second.copy_from_slice(&unsigned(s)?);
    Some(raw)
}

/// The other way: the DER of a signature in the raw form that JWS has (RFC 7518 §3.4).
pub fn ecdsa_der(raw: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = raw.split_at_checked(32).filter(|(_, s)| s.len() == 32)?;
    let integer = |number: &[u8]| {
        let start = number.iter().position(|byte| *byte != 0).unwrap_or(31);
        let digits = number.get(start..)?;
        let sign: &[u8] = if digits.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
        wrap(INTEGER, &[sign, digits].concat())
    };
    wrap(SEQUENCE, &[integer(r)?, integer(s)?].concat())
}

/// `AlgorithmIdentifier` of rsaEncryption (RFC 8017 appendix A.1), complete.
const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const VERSION_0: [u8; 3] = [INTEGER, 1, 0];

/// Whether this is an RSA key in PKCS#8 (RFC 5958 §2): version 0, the algorithm, and the key. Attributes may follow.
pub fn is_pkcs8_rsa(der: &[u8]) -> bool {
    let key = || {
        let (info, []) = take(SEQUENCE, der)? else { return None };
        let (key, _attributes) = take(OCTET_STRING, info.strip_prefix(&VERSION_0)?.strip_prefix(&RSA_ENCRYPTION)?)?;
        Some(key)
    };
    key().is_some_and(is_pkcs1_rsa)
}

/// Whether this is an RSA key in PKCS#1 (RFC 8017 appendix A.1.2) of two primes.
pub fn is_pkcs1_rsa(der: &[u8]) -> bool {
    matches!(take(SEQUENCE, der), Some((key, [])) if key.starts_with(&VERSION_0))
}

/// A PKCS#1 key in the wrapping of PKCS#8, which is the form that WebCrypto imports.
pub fn pkcs8_from_pkcs1(der: &[u8]) -> Option<Vec<u8>> {
    wrap(SEQUENCE, &[VERSION_0.as_slice(), &RSA_ENCRYPTION, &wrap(OCTET_STRING, der)?].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_signature_is_laid_out_for_webcrypto() {
        let short = ecdsa_raw(&[0x30, 0x07, 0x02, 0x01, 0x05, 0x02, 0x02, 0x00, 0x80]).expect("short numbers");
        assert_eq!((short[31], short[63], short.iter().filter(|byte| **byte != 0).count()), (5, 0x80, 2));
    }

    #[test]
    fn only_der_is_a_signature() {
        for (why, der) in [
            ("nothing", vec![]),
            ("a trailing byte", vec![0x30, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x06, 0x00]),
            ("a third number", vec![0x30, 0x09, 0x02, 0x01, 0x05, 0x02, 0x01, 0x06, 0x02, 0x01, 0x07]),
            ("a negative number", vec![0x30, 0x06, 0x02, 0x01, 0x85, 0x02, 0x01, 0x06]),
            ("a needless zero", vec![0x30, 0x07, 0x02, 0x02, 0x00, 0x05, 0x02, 0x01, 0x06]),
            ("an empty number", vec![0x30, 0x05, 0x02, 0x00, 0x02, 0x01, 0x06]),
            ("a long length", vec![0x30, 0x81, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x06]),
            ("33 bytes", [&[0x30, 0x26, 0x02, 0x21][..], &[1; 33], &[0x02, 0x01, 0x06]].concat()),
            ("the raw form", vec![7; 64]),
        ] {
            assert_eq!(ecdsa_raw(&der), None, "{why}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(tag: u8, length in prop_oneof![0..300usize, 65_500..65_600usize]) {
            let content = vec![tag; length];
            match wrap(tag, &content) {
                Some(der) => prop_assert_eq!(take(tag, &der), Some((content.as_slice(), [].as_slice()))),
                None => prop_assert!(content.len() > 65_535),
            }
        }

        #[test]
        fn a_raw_signature_comes_back(raw in prop::collection::vec(prop_oneof![Just(0), Just(0x80), any::<u8>()], 64)) {
            let raw: [u8; 64] = raw.try_into().expect("64");
            prop_assert_eq!(ecdsa_raw(&ecdsa_der(&raw).expect("64 bytes")), Some(raw));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(ecdsa_der(&bytes).is_some(), bytes.len() == 64);
            let _ = (ecdsa_raw(&bytes), is_pkcs8_rsa(&bytes), is_pkcs1_rsa(&bytes));
        }
    }
}
