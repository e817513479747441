//! A recipe as text, in the form of PHC strings: `$argon2id$v=19$m=19456,t=2,p=1,l=32$salt`.
//! `l` is the length of the output, which the text does not hold.

use argon2::{Algorithm, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use super::{BCRYPT_OUTPUT, Digest, Recipe, Scheme};

impl Recipe {
    /// The text, without the output.
    pub(in crate::password) fn to_text(&self) -> String {
        let length = self.length;
        let head = match self.scheme {
            Scheme::Argon2 { algorithm, version, memory_kib, passes, lanes } => {
                let version = u32::from(version);
                format!("{algorithm}$v={version}$m={memory_kib},t={passes},p={lanes},l={length}")
            }
            Scheme::Bcrypt { cost } => format!("bcrypt$c={cost},l={length}"),
            Scheme::Scrypt { log_n, r, p } => format!("scrypt$ln={log_n},r={r},p={p},l={length}"),
            Scheme::Pbkdf2 { digest, rounds } => format!("{}$i={rounds},l={length}", digest.name()),
        };
        format!("${head}${}", STANDARD_NO_PAD.encode(&self.salt))
    }

    /// Reads what [`Recipe::to_text`] wrote, within the same bounds.
    pub(in crate::password) fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('$')?.split('$');
        let name = parts.next()?;
        let mut next = parts.next()?;
        let version = match next.strip_prefix("v=") {
            Some(version) => {
                next = parts.next()?;
                Some(Version::try_from(number(version)?).ok()?)
            }
            None => None,
        };
        let costs = Costs::parse(next)?;
        let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        if parts.next().is_some() {
            return None;
        }
        let scheme = scheme(name, version, &costs)?;
        let recipe = Self::new(scheme, salt, usize::try_from(costs.get("l")?).ok()?).ok()?;
        (recipe.to_text() == text).then_some(recipe)
    }
}

impl Recipe {
    /// Nobody's recipe with the costs that a setting names: `bcrypt:12`, `scrypt:14:8:1`, `pbkdf2-sha256:600000`,
    /// `argon2id:65536:3:4`.
    pub(in crate::password) fn like(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let name = parts.next()?;
        let numbers: Vec<u32> = parts.map(number).collect::<Option<_>>()?;
        let (names, length): (&[&str], usize) = match name {
            "bcrypt" => (&["c"], BCRYPT_OUTPUT),
            "scrypt" => (&["ln", "r", "p"], 32),
            "argon2i" | "argon2id" => (&["m", "t", "p"], 32),
            _ => (&["i"], Digest::from_name(name)?.output_bytes()),
        };
        let costs = Costs(names.iter().copied().zip(numbers.iter().copied()).collect());
        let scheme = scheme(name, Some(Version::V0x13), &costs).filter(|_| numbers.len() == names.len())?;
        Self::new(scheme, vec![0; 16], length).ok()
    }

    /// What [`Recipe::like`] reads.
    pub(in crate::password) fn likeness(&self) -> String {
        match self.scheme {
            Scheme::Argon2 { algorithm, memory_kib, passes, lanes, .. } => {
                format!("{algorithm}:{memory_kib}:{passes}:{lanes}")
            }
            Scheme::Bcrypt { cost } => format!("bcrypt:{cost}"),
            Scheme::Scrypt { log_n, r, p } => format!("scrypt:{log_n}:{r}:{p}"),
            Scheme::Pbkdf2 { digest, rounds } => format!("{}:{rounds}", digest.name()),
        }
    }
}

/// An algorithm by its name in PHC strings, with its costs.
pub(in crate::password) fn scheme(name: &str, version: Option<Version>, costs: &Costs) -> Option<Scheme> {
    Some(match name {
        "argon2i" | "argon2id" => Scheme::Argon2 {
            algorithm: if name == "argon2i" { Algorithm::Argon2i } else { Algorithm::Argon2id },
            // A string without a version is of the first one.
            version: version.unwrap_or(Version::V0x10),
            memory_kib: costs.get("m")?,
            passes: costs.get("t")?,
            lanes: costs.get("p")?,
        },
        "bcrypt" => Scheme::Bcrypt { cost: costs.get("c")? },
        "scrypt" => {
            Scheme::Scrypt { log_n: u8::try_from(costs.get("ln")?).ok()?, r: costs.get("r")?, p: costs.get("p")? }
        }
        _ => Scheme::Pbkdf2 { digest: Digest::from_name(name)?, rounds: costs.get("i")? },
    })
}

impl Digest {
    fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "pbkdf2",
            Self::Sha256 => "pbkdf2-sha256",
            Self::Sha512 => "pbkdf2-sha512",
        }
    }

    pub(in crate::password) fn from_name(name: &str) -> Option<Self> {
        match name {
            "pbkdf2" | "pbkdf2-sha1" => Some(Self::Sha1),
            "pbkdf2-sha256" => Some(Self::Sha256),
            "pbkdf2-sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

/// Named whole numbers: `m=19456,t=2,p=1`.
pub(in crate::password) struct Costs<'a>(Vec<(&'a str, u32)>);

impl<'a> Costs<'a> {
    /// `None` when one is not a number, or is named twice.
    pub(in crate::password) fn parse(text: &'a str) -> Option<Self> {
        let mut costs: Vec<(&str, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, value) = part.split_once('=')?;
            if costs.iter().any(|(known, _)| *known == name) {
                return None;
            }
            costs.push((name, number(value)?));
        }
        Some(Self(costs))
    }

    pub(in crate::password) fn get(&self, name: &str) -> Option<u32> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// A whole number in digits only: no sign, no space.
pub(in crate::password) fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
