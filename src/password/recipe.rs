//! How a password becomes bytes: an algorithm with its costs, a salt, a length. Ours, and those of other
//! systems, all within bounds of time and memory, so that no stored hash can make a request expensive.

mod text;

pub(super) use text::{Costs, number, scheme};

use argon2::{Algorithm, Argon2, Params, Version};
use hmac::Hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use crate::ports::Random;

/// The largest memory of one hash: an isolate has 128 MB, and never gives memory back.
const MOST_MEMORY_KIB: u64 = 64 * 1024;

/// The longest salt that is taken, in bytes.
const MOST_SALT: usize = 128;

/// The longest output that is taken, in bytes.
const MOST_OUTPUT: usize = 128;

/// The bytes of a password that bcrypt looks at, its closing zero included. Systems that use it cut there, and
/// so does this: whoever could sign in there can here. The first right password is then hashed whole.
const BCRYPT_BYTES: usize = 72;

/// The bytes of its output that bcrypt writes down.
const BCRYPT_OUTPUT: usize = 23;

/// What PBKDF2 is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

/// An algorithm and its costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// RFC 9106, the variants i and id.
    Argon2 { algorithm: Algorithm, version: Version, memory_kib: u32, passes: u32, lanes: u32 },
    /// The variants 2a, 2b and 2y, which differ in old programs' faults only.
    Bcrypt { cost: u32 },
    /// RFC 7914.
    Scrypt { log_n: u8, r: u32, p: u32 },
    /// RFC 8018 §5.2.
    Pbkdf2 { digest: Digest, rounds: u32 },
}

impl Scheme {
    /// What new passwords get: OWASP's and RFC 9106's choice for little memory.
    pub(super) const CURRENT: Self = Self::Argon2 {
        algorithm: Algorithm::Argon2id,
        version: Version::V0x13,
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };

    /// [`Self::CURRENT`], but where a test wants cheap ones.
    fn current() -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        if super::work::is_cheap() {
            let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
            return Self::Argon2 { algorithm, version, memory_kib: 8, passes: 1, lanes: 1 };
        }
        Self::CURRENT
    }

    /// What is wanted, when a cost is out of bounds. At its bounds each takes one to two seconds of an isolate.
    fn fits(self, length: usize) -> Result<(), &'static str> {
        let fits = match self {
            Self::Argon2 { memory_kib, passes, lanes, .. } => {
                let (memory, lanes) = (u64::from(memory_kib), u64::from(lanes));
                (1..=16).contains(&lanes)
                    && (8 * lanes..=MOST_MEMORY_KIB).contains(&memory)
                    && (1..=1 << 20).contains(&(memory * u64::from(passes)))
            }
            Self::Bcrypt { cost } => (4..=14).contains(&cost),
            Self::Scrypt { log_n, r, p } => {
                let block = (128 * u64::from(r)) << log_n.min(20);
                (1..=16).contains(&log_n.min(20))
                    && p > 0
                    && (1..=MOST_MEMORY_KIB * 1024).contains(&block)
                    && block * u64::from(p) <= MOST_MEMORY_KIB * 1024 * 4
                    // What it mixes beside the table: p blocks, and one more.
                    && 128 * u64::from(r) * (u64::from(p) + 1) <= 1 << 20
            }
            Self::Pbkdf2 { digest, rounds } => {
                let blocks = length.div_ceil(digest.output_bytes()) as u64;
                (1..=2_000_000).contains(&(u64::from(rounds) * blocks))
            }
        };
        if fits { Ok(()) } else { Err(self.bounds()) }
    }

    fn bounds(self) -> &'static str {
        match self {
            Self::Argon2 { .. } => "Argon2 with m up to 65536 (64 MiB), m times t up to 1048576, p up to 16",
            Self::Bcrypt { .. } => "bcrypt with a cost from 4 to 14",
            Self::Scrypt { .. } => {
                "scrypt with 128 N r up to 64 MiB, p times that up to 256 MiB, and 128 r p up to 1 MiB"
            }
            Self::Pbkdf2 { .. } => "PBKDF2 with up to 2000000 rounds for each block of its output",
        }
    }
}

impl Digest {
    fn output_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// Everything but the password. It holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recipe {
    scheme: Scheme,
    salt: Vec<u8>,
    /// The length of the output in bytes.
    length: usize,
}

impl Recipe {
    /// A recipe within bounds; otherwise what is wanted.
    pub(super) fn new(scheme: Scheme, salt: Vec<u8>, length: usize) -> Result<Self, &'static str> {
        scheme.fits(length)?;
        let (salts, lengths) = match scheme {
            Scheme::Bcrypt { .. } => (16..=16, BCRYPT_OUTPUT..=BCRYPT_OUTPUT),
            // RFC 9106 §3.1 wants 8 bytes of salt. Ten bytes of output are too many to hit by chance.
            Scheme::Argon2 { .. } => (8..=MOST_SALT, 10..=MOST_OUTPUT),
            Scheme::Scrypt { .. } | Scheme::Pbkdf2 { .. } => (1..=MOST_SALT, 10..=MOST_OUTPUT),
        };
        if !salts.contains(&salt.len()) || !lengths.contains(&length) {
            return Err("a salt of 1 to 128 bytes (8 at least for Argon2) and a hash of 10 to 128 bytes");
        }
        Ok(Self { scheme, salt, length })
    }

    /// The recipe of a new password.
    pub(super) fn fresh(random: &dyn Random) -> Self {
        Self { scheme: Scheme::current(), salt: random.bytes::<16>().to_vec(), length: 32 }
    }

    /// A recipe as costly as a new password's, for nobody.
    pub(super) fn nobody() -> Self {
        Self { scheme: Scheme::current(), salt: vec![0; 16], length: 32 }
    }

    /// Whether a new password would be hashed like this.
    pub(super) fn is_current(&self) -> bool {
        self.scheme == Scheme::current() && self.salt.len() >= 16 && self.length == 32
    }

    /// The output for a password; `None` when there is no memory for it.
    pub(super) fn output(&self, password: &str) -> Option<Zeroizing<Vec<u8>>> {
        #[cfg(not(target_arch = "wasm32"))]
        super::work::note(self.scheme);
        #[cfg(test)]
        work::done(self.scheme);
        let password = password.as_bytes();
        let mut output = Zeroizing::new(vec![0; self.length]);
        match self.scheme {
            Scheme::Argon2 { algorithm, version, memory_kib, passes, lanes } => {
                let params = Params::new(memory_kib, passes, lanes, Some(self.length)).ok()?;
                let argon2 = Argon2::new(algorithm, version, params);
                argon2.hash_password_into(password, &self.salt, &mut output).ok()?;
            }
            Scheme::Bcrypt { cost } => {
                let mut seen = Zeroizing::new(password.to_vec());
                seen.push(0);
                seen.truncate(BCRYPT_BYTES);
                let salt = self.salt.as_slice().try_into().ok()?;
                let all = Zeroizing::new(bcrypt::bcrypt(cost, salt, &seen));
                output.copy_from_slice(all.get(..BCRYPT_OUTPUT)?);
            }
            Scheme::Scrypt { log_n, r, p } => {
                let params = scrypt::Params::new(log_n, r, p).ok()?;
                scrypt::scrypt(password, &self.salt, &params, &mut output).ok()?;
            }
            Scheme::Pbkdf2 { digest, rounds } => match digest {
                Digest::Sha1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, &self.salt, rounds, &mut output),
                Digest::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, &self.salt, rounds, &mut output),
                Digest::Sha512 => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, &self.salt, rounds, &mut output),
            }
            .ok()?,
        }
        Some(output)
    }
}

/// The work that this thread has done, for the tests that hold it equal.
#[cfg(test)]
pub(super) mod work {
    use std::cell::RefCell;

    use super::Scheme;

    thread_local!(static DONE: RefCell<Vec<Scheme>> = const { RefCell::new(Vec::new()) });

    pub(super) fn done(scheme: Scheme) {
        DONE.with_borrow_mut(|done| done.push(scheme));
    }

    /// What was done since it was last asked, in no order.
    pub fn taken() -> Vec<String> {
        let mut done: Vec<String> =
            DONE.with_borrow_mut(|done| done.drain(..).map(|scheme| format!("{scheme:?}")).collect());
        done.sort();
        done
    }
}
