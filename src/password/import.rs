//! Hashes that other systems made: read, checked and bounded when they are taken over, never at sign-in.

use argon2::Version;
use base64::{
    Engine,
    alphabet::{Alphabet, BCRYPT, STANDARD},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::recipe::{Costs, Digest, Recipe, Scheme, number, scheme};

/// Why a hash is not taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is of no form we know.
    #[error(
        "a hash made by bcrypt ($2a$, $2b$, $2y$), Argon2i or Argon2id, scrypt ($scrypt$, $7$, $s0$, scrypt:) or \
         PBKDF2 with SHA-1, SHA-256 or SHA-512 ($pbkdf2-sha256$, pbkdf2_sha256$, pbkdf2:sha256:)"
    )]
    Unknown,
    /// Its parameters are out of bounds.
    #[error("{0}")]
    OutOfBounds(&'static str),
}

/// Longer ones are no hashes.
const MOST_BYTES: usize = 512;

/// What a text says: how the hash was made, and the hash.
type Made = (Scheme, Vec<u8>, Vec<u8>);

/// Reads a hash of any of the forms.
pub(super) fn read(text: &str) -> Result<(Recipe, Vec<u8>), ImportError> {
    if text.len() > MOST_BYTES {
        return Err(ImportError::Unknown);
    }
    let (scheme, salt, output) = [bcrypt, phc, crypt_scrypt, java_scrypt, django, werkzeug]
        .iter()
        .find_map(|form| form(text))
        .ok_or(ImportError::Unknown)?;
    let recipe = Recipe::new(scheme, salt, output.len()).map_err(ImportError::OutOfBounds)?;
    Ok((recipe, output))
}

/// `$2b$12$` and 53 characters. `$2x$` is the mark of a known fault and is not taken.
fn bcrypt(text: &str) -> Option<Made> {
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let (cost, rest) = rest.split_once('$')?;
    let (salt, output) = (rest.get(..22)?, rest.get(22..)?);
    let scheme = Scheme::Bcrypt { cost: number(cost).filter(|_| cost.len() == 2)? };
    Some((scheme, decode(&BCRYPT, salt)?, decode(&BCRYPT, output).filter(|_| output.len() == 31)?))
}

/// PHC strings, `$argon2id$v=19$m=65536,t=3,p=4$salt$hash` and their like, and `$pbkdf2-sha256$29000$salt$hash`,
/// where the costs have no name and `.` stands for `+`.
fn phc(text: &str) -> Option<Made> {
    let mut parts: Vec<&str> = text.strip_prefix('$')?.split('$').collect();
    let (output, salt) = (parts.pop()?, parts.pop()?);
    let (name, version, costs) = match parts.as_slice() {
        [name, costs] => (*name, None, *costs),
        [name, version, costs] => (*name, Some(number(version.strip_prefix("v=")?)?), *costs),
        _ => return None,
    };
    let version = version.map(Version::try_from).transpose().ok()?;
    let scheme = match Digest::from_name(name) {
        Some(digest) if !costs.contains('=') => Scheme::Pbkdf2 { digest, rounds: number(costs)? },
        _ if name == "bcrypt" => return None,
        _ => scheme(name, version, &Costs::parse(costs)?)?,
    };
    Some((scheme, decode(&STANDARD, &salt.replace('.', "+"))?, decode(&STANDARD, &output.replace('.', "+"))?))
}

/// crypt(3)'s scrypt: `$7$`, one digit for N, five for r, five for p, the salt, `$`, the hash.
fn crypt_scrypt(text: &str) -> Option<Made> {
    let (head, output) = text.strip_prefix("$7$")?.split_once('$')?;
    let digits = |range| sextets(head.get(range)?);
    let number = |digits: Vec<u8>| {
        digits.iter().rev().try_fold(0u32, |number, digit| number.checked_mul(64)?.checked_add(u32::from(*digit)))
    };
    let log_n = *digits(0..1)?.first()?;
    let scheme = Scheme::Scrypt { log_n, r: number(digits(1..6)?)?, p: number(digits(6..11)?)? };
    let output: Vec<u8> = sextets(output)?
        .chunks(4)
        .flat_map(|group| {
            let bits = group.iter().rev().fold(0u32, |bits, sextet| bits << 6 | u32::from(*sextet));
            bits.to_le_bytes().into_iter().take(group.len() * 6 / 8)
        })
        .collect();
    (output.len() == 32).then(|| Some((scheme, head.get(11..)?.as_bytes().to_vec(), output)))?
}

/// The digits of crypt(3), lowest first.
fn sextets(text: &str) -> Option<Vec<u8>> {
    let digits = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    text.bytes()
        .map(|byte| digits.iter().position(|digit| *digit == byte).and_then(|at| u8::try_from(at).ok()))
        .collect()
}

/// `$s0$e0801$salt$hash`: N's logarithm, r and p in hexadecimal.
fn java_scrypt(text: &str) -> Option<Made> {
    let mut parts = text.strip_prefix("$s0$")?.split('$');
    let (costs, salt, output) = (parts.next()?, parts.next()?, parts.next()?);
    let costs = u32::from_str_radix(costs, 16).ok().filter(|_| parts.next().is_none())?;
    let scheme = Scheme::Scrypt { log_n: u8::try_from(costs >> 16).ok()?, r: costs >> 8 & 0xff, p: costs & 0xff };
    Some((scheme, decode(&STANDARD, salt)?, decode(&STANDARD, output)?))
}

/// Django's: `pbkdf2_sha256$600000$salt$hash` and `scrypt$16384$salt$8$5$hash`; the salt is the text itself.
fn django(text: &str) -> Option<Made> {
    let parts: Vec<&str> = text.split('$').collect();
    let (scheme, salt, output) = match *parts.as_slice() {
        ["scrypt", n, salt, r, p, output] => (scrypt_scheme(n, r, p)?, salt, output),
        [name, rounds, salt, output] => {
            let digest = Digest::from_name(&name.strip_prefix("pbkdf2_").map(|digest| format!("pbkdf2-{digest}"))?)?;
            (Scheme::Pbkdf2 { digest, rounds: number(rounds)? }, salt, output)
        }
        _ => return None,
    };
    Some((scheme, salt.as_bytes().to_vec(), decode(&STANDARD, output)?))
}

/// Werkzeug's: `pbkdf2:sha256:600000$salt$hex` and `scrypt:32768:8:1$salt$hex`; the salt is the text itself.
fn werkzeug(text: &str) -> Option<Made> {
    let mut parts = text.split('$');
    let (method, salt, output) = (parts.next()?, parts.next()?, parts.next()?);
    let method: Vec<&str> = method.split(':').collect();
    let scheme = match *method.as_slice() {
        ["scrypt", n, r, p] => scrypt_scheme(n, r, p)?,
        ["pbkdf2", digest, rounds] => {
            Scheme::Pbkdf2 { digest: Digest::from_name(&format!("pbkdf2-{digest}"))?, rounds: number(rounds)? }
        }
        _ => return None,
    };
    let output = output.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let output = output.collect::<Option<Vec<u8>>>().filter(|_| parts.next().is_none())?;
    Some((scheme, salt.as_bytes().to_vec(), output))
}

/// scrypt where N is written out.
fn scrypt_scheme(n: &str, r: &str, p: &str) -> Option<Scheme> {
    let log_n = number(n)?.checked_ilog2().filter(|log_n| number(n) == Some(1 << log_n))?;
    Some(Scheme::Scrypt { log_n: u8::try_from(log_n).ok()?, r: number(r)?, p: number(p)? })
}

/// Base64 of one alphabet, padded or not; bcrypt's leaves bits over.
fn decode(alphabet: &Alphabet, text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

#[cfg(test)]
mod tests;
