//! COSE keys (RFC 9052 §7) of the algorithms that are offered, read strictly: what a type asks for, nothing else.

use super::{
    Step,
    cbor::{Item, Reader},
};
use crate::ports::PublicKey;

/// The algorithms that are offered, the most widespread first (§5.8.5).
pub const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// Common parameters (RFC 9052 §7.1), and those of the types (RFC 9053 §7, RFC 8230 §4), whose labels overlap.
const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV_OR_N: i64 = -1;
const X_OR_E: i64 = -2;
const Y: i64 = -3;

const OKP: i64 = 1;
const EC2: i64 = 2;
const RSA: i64 = 3;
const P256: i64 = 1;
const ED25519: i64 = 6;

/// The sizes of RSA keys that are taken, in bits: below is weak, above costs too much to verify.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// A key's parameters, as they are found.
#[derive(Default)]
struct Parameters<'a> {
    kty: Option<Item<'a>>,
    alg: Option<Item<'a>>,
    first: Option<Item<'a>>,
    second: Option<Item<'a>>,
    third: Option<Item<'a>>,
}

/// Reads a key; the reader stands behind it then. [`Step::Algorithm`]: the key is one of an algorithm that is not
/// offered. [`Step::PublicKey`]: it is malformed.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<PublicKey, Step> {
    let parameters = parameters(reader).ok_or(Step::PublicKey)?;
    let alg = parameters.alg.and_then(Item::integer).ok_or(Step::PublicKey)?;
    let key = match alg {
        ES256 => es256(&parameters),
        EDDSA => eddsa(&parameters),
        RS256 => rs256(&parameters),
        _ => return Err(Step::Algorithm),
    };
    key.ok_or(Step::PublicKey)
}

/// Reads a key that stands alone.
pub fn parse(bytes: &[u8]) -> Result<PublicKey, Step> {
    let mut reader = Reader::new(bytes);
    let key = read(&mut reader)?;
    if reader.rest().is_empty() { Ok(key) } else { Err(Step::PublicKey) }
}

/// The algorithm of a key.
pub fn algorithm(key: &PublicKey) -> i64 {
    match key {
        PublicKey::Es256 { .. } => ES256,
        PublicKey::EdDsa(_) => EDDSA,
        PublicKey::Rs256 { .. } => RS256,
    }
}

/// §6.5.1.1: a key has no optional parameters beside `alg`. So a label that no type has is malformed.
fn parameters<'a>(reader: &mut Reader<'a>) -> Option<Parameters<'a>> {
    let mut parameters = Parameters::default();
    for _ in 0..reader.map()? {
        let slot = match reader.item()?.integer()? {
            KTY => &mut parameters.kty,
            ALG => &mut parameters.alg,
            CRV_OR_N => &mut parameters.first,
            X_OR_E => &mut parameters.second,
            Y => &mut parameters.third,
            _ => return None,
        };
        let value = reader.item()?;
        if matches!(value, Item::Array(_) | Item::Map(_)) || slot.replace(value).is_some() {
            return None;
        }
    }
    Some(parameters)
}

fn is(item: Option<Item<'_>>, number: i64) -> Option<()> {
    (item?.integer()? == number).then_some(())
}

fn bytes(item: Option<Item<'_>>) -> Option<&[u8]> {
    match item? {
        Item::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

/// §5.8.5: P-256, and not the compressed form, whose y is a boolean.
fn es256(parameters: &Parameters<'_>) -> Option<PublicKey> {
    is(parameters.kty, EC2)?;
    is(parameters.first, P256)?;
    let (x, y) = (bytes(parameters.second)?, bytes(parameters.third)?);
    Some(PublicKey::Es256 { x: x.try_into().ok()?, y: y.try_into().ok()? })
}

/// §5.8.5: Ed25519.
fn eddsa(parameters: &Parameters<'_>) -> Option<PublicKey> {
    is(parameters.kty, OKP)?;
    is(parameters.first, ED25519)?;
    match parameters.third {
        None => Some(PublicKey::EdDsa(bytes(parameters.second)?.try_into().ok()?)),
        Some(_) => None,
    }
}

/// RFC 8230 §4: numbers without leading zeros. The exponent as FIPS 186-5 §A.1.1 has it, within what WebCrypto takes.
fn rs256(parameters: &Parameters<'_>) -> Option<PublicKey> {
    is(parameters.kty, RSA)?;
    let (n, e) = (bytes(parameters.first)?, bytes(parameters.second)?);
    let (high, low) = (n.first()?, n.last()?);
    let bits = u32::try_from(n.len()).ok()?.checked_mul(8)?.checked_sub(high.leading_zeros())?;
    let exponent = e.iter().try_fold(0u32, |sum, byte| Some(sum.checked_mul(256)? + u32::from(*byte)))?;
    let is_sane = *high != 0
        && low % 2 == 1
        && RSA_BITS.contains(&bits)
        && e.first() != Some(&0)
        && exponent >= 65_537
        && exponent % 2 == 1
        && parameters.third.is_none();
    is_sane.then(|| PublicKey::Rs256 { n: n.to_vec(), e: e.to_vec() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(major: u8, number: usize) -> Vec<u8> {
        [vec![major << 5 | 0x19], u16::try_from(number).expect("a short one").to_be_bytes().to_vec()].concat()
    }

    fn string(content: &[u8]) -> Vec<u8> {
        [head(2, content.len()), content.to_vec()].concat()
    }

    fn number(number: i64) -> Vec<u8> {
        let (major, size) = if number < 0 { (1, -1 - number) } else { (0, number) };
        head(major, usize::try_from(size).expect("a small one"))
    }

    fn key(pairs: &[(i64, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = head(5, pairs.len());
        for (label, value) in pairs {
            bytes.extend(number(*label));
            bytes.extend(value);
        }
        bytes
    }

    fn p256() -> Vec<(i64, Vec<u8>)> {
        vec![(1, number(2)), (3, number(-7)), (-1, number(1)), (-2, string(&[5; 32])), (-3, string(&[6; 32]))]
    }

    fn rsa(n: &[u8], e: &[u8]) -> Vec<u8> {
        key(&[(1, number(3)), (3, number(-257)), (-1, string(n)), (-2, string(e))])
    }

    fn with(mut pairs: Vec<(i64, Vec<u8>)>, label: i64, value: Option<Vec<u8>>) -> Vec<u8> {
        pairs.retain(|(other, _)| *other != label);
        pairs.extend(value.map(|value| (label, value)));
        key(&pairs)
    }

    #[test]
    fn each_algorithm_has_its_key() {
        assert_eq!(parse(&key(&p256())), Ok(PublicKey::Es256 { x: [5; 32], y: [6; 32] }));
        let ed25519 = key(&[(1, number(1)), (3, number(-8)), (-1, number(6)), (-2, string(&[5; 32]))]);
        assert_eq!(parse(&ed25519), Ok(PublicKey::EdDsa([5; 32])));
        let n = [0xff; 256];
        assert_eq!(parse(&rsa(&n, &[1, 0, 1])), Ok(PublicKey::Rs256 { n: n.to_vec(), e: vec![1, 0, 1] }));
    }

    #[test]
    fn a_key_is_what_its_algorithm_asks_for() {
        let refused = |bytes: Vec<u8>| parse(&bytes).expect_err("a malformed key");
        for (why, bytes) in [
            ("empty", vec![]),
            ("no map", number(5)),
            ("a trailing byte", [key(&p256()), vec![0]].concat()),
            ("a label twice", key(&[p256(), vec![(1, number(2))]].concat())),
            ("an optional parameter", with(p256(), 2, Some(string(&[1])))),
            ("no kty", with(p256(), 1, None)),
            ("another kty", with(p256(), 1, Some(number(1)))),
            ("no alg", with(p256(), 3, None)),
            ("another curve", with(p256(), -1, Some(number(2)))),
            ("a short x", with(p256(), -2, Some(string(&[5; 31])))),
            ("a long y", with(p256(), -3, Some(string(&[5; 33])))),
            ("the compressed form", with(p256(), -3, Some(vec![0xf5]))),
            ("a map for a number", with(p256(), -1, Some(vec![0xa0]))),
            (
                "Ed25519 with a y",
                key(&[
                    (1, number(1)),
                    (3, number(-8)),
                    (-1, number(6)),
                    (-2, string(&[5; 32])),
                    (-3, string(&[5; 32])),
                ]),
            ),
            ("Ed448", key(&[(1, number(1)), (3, number(-8)), (-1, number(7)), (-2, string(&[5; 57]))])),
        ] {
            assert_eq!(refused(bytes), Step::PublicKey, "{why}");
        }
        for alg in [-35, -36, -37, -47, -53, -65_535] {
            assert_eq!(refused(with(p256(), 3, Some(number(alg)))), Step::Algorithm, "{alg}");
        }
    }

    #[test]
    fn rsa_keys_have_a_size_and_an_exponent() {
        let sized = |bits: usize| {
            let mut n = vec![0xff; bits.div_ceil(8)];
            n[0] = 0xff >> (bits.div_ceil(8) * 8 - bits);
            n
        };
        for bits in [2048, 2049, 3072, 3482, 4096] {
            assert!(parse(&rsa(&sized(bits), &[1, 0, 1])).is_ok(), "{bits}");
        }
        for bits in [1024, 2047, 4097, 8192] {
            assert_eq!(parse(&rsa(&sized(bits), &[1, 0, 1])), Err(Step::PublicKey), "{bits}");
        }
        let leading_zero = [vec![0], sized(2048)].concat();
        assert_eq!(parse(&rsa(&leading_zero, &[1, 0, 1])), Err(Step::PublicKey));
        let even = [vec![0xff; 255], vec![0xfe]].concat();
        assert_eq!(parse(&rsa(&even, &[1, 0, 1])), Err(Step::PublicKey));
        for e in [&[][..], &[0], &[1], &[3], &[1, 0, 0], &[1, 0, 2], &[0, 1, 0, 1], &[1, 0, 0, 0, 1]] {
            assert_eq!(parse(&rsa(&sized(2048), e)), Err(Step::PublicKey), "{e:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_change_of_a_key_panics(at in 0..96usize, byte: u8) {
            let mut bytes = key(&p256());
            let length = bytes.len();
            bytes[at % length] = byte;
            let _ = parse(&bytes);
        }
    }
}
