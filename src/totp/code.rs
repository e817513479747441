//! The code of a counter (RFC 4226 §5.3) under each hash (RFC 6238 §1.2).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::{Algorithm, Parameters};
use crate::crypto::Code;

/// The code of a counter. `None` never happens: HMAC takes a key of any length.
pub(super) fn code(secret: &[u8], parameters: Parameters, counter: u64) -> Option<Code> {
    let number = match parameters.algorithm {
        Algorithm::Sha1 => truncated::<Hmac<Sha1>>(secret, counter),
        Algorithm::Sha256 => truncated::<Hmac<Sha256>>(secret, counter),
        Algorithm::Sha512 => truncated::<Hmac<Sha512>>(secret, counter),
    }?;
    let length = parameters.digits.code_length();
    Some(Code::from_number(u64::from(number) % length.codes(), length))
}

/// Dynamic truncation: 31 bits, from where the last half byte points.
fn truncated<M: Mac + KeyInit>(secret: &[u8], counter: u64) -> Option<u32> {
    let mut mac = <M as KeyInit>::new_from_slice(secret).ok()?;
    mac.update(&counter.to_be_bytes());
    let mac = mac.finalize().into_bytes();
    let offset = usize::from(mac.last()? & 15);
    let bytes = mac.get(offset..offset + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes) & 0x7fff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::totp::Digits;

    /// The seeds of RFC 6238's reference: the digits again and again, as long as the hash.
    fn seed(algorithm: Algorithm) -> Vec<u8> {
        b"1234567890".iter().copied().cycle().take(algorithm.secret_length()).collect()
    }

    #[test]
    fn the_vectors_of_rfc_4226_appendix_d() {
        let numbers: [u32; 10] = [
            1_284_755_224,
            1_094_287_082,
            137_359_152,
            1_726_969_429,
            1_640_338_314,
            868_254_676,
            1_918_287_922,
            82_162_583,
            673_399_871,
            645_520_489,
        ];
        let codes =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, (number, expected)) in (0..).zip(numbers.into_iter().zip(codes)) {
            let seed = seed(Algorithm::Sha1);
            assert_eq!(truncated::<Hmac<Sha1>>(&seed, counter), Some(number));
            assert_eq!(code(&seed, Parameters::default(), counter).expect("a code").expose(), expected);
        }
    }

    #[test]
    fn the_vectors_of_rfc_6238_appendix_b() {
        for (second, sha1, sha256, sha512) in [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ] {
            for (algorithm, expected) in Algorithm::ALL.into_iter().zip([sha1, sha256, sha512]) {
                let parameters = Parameters { algorithm, digits: Digits::new(8).expect("eight") };
                let code = code(&seed(algorithm), parameters, second / 30).expect("a code");
                assert_eq!(code.expose(), expected, "{algorithm:?} {second}");
            }
        }
    }
}
