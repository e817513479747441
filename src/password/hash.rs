//! How a password is kept: the MAC of its slow hash, under a key that is not in the database (the pepper), with
//! everything that is needed to do it again. Whoever has the database alone can guess nothing.
//!
//! `hmac-sha256:k1$argon2id$v=19$m=19456,t=2,p=1,l=32$salt$mac`: the pepper's key id, a PHC string's algorithm,
//! costs and salt (`l` is the slow hash's length), and in its last field the MAC of owner and slow hash.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{
    import::{self, ImportError},
    recipe::Recipe,
    typed::Password,
};
use crate::{crypto::KeyRing, ports::Random};

/// How the text begins.
const PREFIX: &str = "hmac-sha256:";

/// The label under which the pepper's key for passwords is derived.
const LABEL: &str = "password";

/// What verifying came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Right {
        /// Whether it should be hashed anew, since costs, algorithm or pepper changed.
        rehash: bool,
    },
    /// It is not.
    Wrong,
}

/// Why there is no verdict. The operator's to mend; a person is told what a wrong password is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The ring has lost the key under which the hash was made.
    #[error("CODE_PEPPER has no key `{0}`, under which a password was hashed")]
    KeyMissing(String),
    /// The stored text is not one of ours.
    #[error("a stored password hash is malformed")]
    Malformed,
    /// There was no memory for the slow hash.
    #[error("no memory to hash a password")]
    Memory,
}

/// A password as it is kept. Not secret by itself, but nothing to show either: no `Debug`, no `Serialize`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    key_id: String,
    recipe: Recipe,
    mac: [u8; 32],
}

impl PasswordHash {
    /// Hashes a new password. `owner` is the id of whose it is: the hash fits nobody else.
    pub fn make(password: &Password, owner: &str, ring: &KeyRing, random: &dyn Random) -> Result<Self, HashError> {
        let recipe = Recipe::fresh(random);
        let output = recipe.output(password.expose()).ok_or(HashError::Memory)?;
        Self::seal(recipe, &output, owner, ring)
    }

    /// Takes a hash over from another system; it is put under the pepper at once.
    pub fn import(text: &str, owner: &str, ring: &KeyRing) -> Result<Result<Self, HashError>, ImportError> {
        let (recipe, output) = import::read(text)?;
        Ok(Self::seal(recipe, &output, owner, ring))
    }

    fn seal(recipe: Recipe, output: &[u8], owner: &str, ring: &KeyRing) -> Result<Self, HashError> {
        let key_id = ring.current().to_owned();
        let mac = mac(ring, &key_id, owner, output)?;
        Ok(Self { key_id, recipe, mac })
    }

    /// Reads the stored text.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        let parse = || {
            let (key_id, rest) = text.strip_prefix(PREFIX)?.split_once('$')?;
            let (recipe, mac) = rest.rsplit_once('$')?;
            Some(Self {
                key_id: key_id.to_owned(),
                recipe: Recipe::from_text(&format!("${recipe}"))?,
                mac: STANDARD_NO_PAD.decode(mac).ok()?.try_into().ok()?,
            })
        };
        parse().ok_or(HashError::Malformed)
    }

    /// The text to store.
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}{}${}", self.key_id, self.recipe.to_text(), STANDARD_NO_PAD.encode(self.mac))
    }

    /// Whether a password is the one, in constant time but for the slow hash's own.
    pub fn verify(&self, password: &Password, owner: &str, ring: &KeyRing) -> Result<Verdict, HashError> {
        let is_current = self.recipe.is_current();
        let right = if is_current || password.typed() == password.expose() {
            self.matches(password.expose(), owner, ring)?
        } else {
            // Other systems hashed what was typed; some of them normalised it first.
            self.matches(password.typed(), owner, ring)? || self.matches(password.expose(), owner, ring)?
        };
        let rehash = !is_current || self.key_id != ring.current();
        Ok(if right { Verdict::Right { rehash } } else { Verdict::Wrong })
    }

    fn matches(&self, text: &str, owner: &str, ring: &KeyRing) -> Result<bool, HashError> {
        let output = self.recipe.output(text).ok_or(HashError::Memory)?;
        Ok(mac(ring, &self.key_id, owner, &output)?.ct_eq(&self.mac).into())
    }
}

/// Whether it is the password that is kept; nothing may be kept, of an unknown user or of one without a password. The
/// work is the same for all of them, so that the time tells nobody who has an account (ASVS 6.3.8): one hash of ours, and
/// where the instance says how `imports` were made one of theirs. Without that an import takes as long as it takes.
pub fn verify_alike(
    kept: Option<&PasswordHash>,
    imports: Option<&Imports>,
    password: &Password,
    owner: &str,
    ring: &KeyRing,
) -> Result<Verdict, HashError> {
    let verdict = kept.map_or(Ok(Verdict::Wrong), |kept| kept.verify(password, owner, ring))?;
    let is_ours = kept.map(|kept| kept.recipe.is_current());
    let nobodys = |recipe: &Recipe, text: &str| {
        let nobody = PasswordHash { key_id: ring.current().to_owned(), recipe: recipe.clone(), mac: [0; 32] };
        nobody.matches(text, owner, ring)
    };
    if is_ours.is_none() || (is_ours == Some(false) && imports.is_some()) {
        nobodys(&Recipe::nobody(), password.expose())?;
    }
    if let (Some(imports), true) = (imports, is_ours != Some(false)) {
        // As often as it is tried in `verify`.
        nobodys(&imports.0, password.expose())?;
        if password.typed() != password.expose() {
            nobodys(&imports.0, password.typed())?;
        }
    }
    Ok(verdict)
}

/// How the hashes were made that were imported and are still in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imports(Recipe);

impl Imports {
    /// Reads `bcrypt:12`, `scrypt:14:8:1`, `pbkdf2-sha256:600000` or `argon2id:65536:3:4`; `None`: it is none of them, or
    /// costs more than an import may.
    pub fn parse(text: &str) -> Option<Self> {
        Recipe::like(text).map(Self)
    }

    /// The same text.
    pub fn to_text(&self) -> String {
        self.0.likeness()
    }
}

fn mac(ring: &KeyRing, key_id: &str, owner: &str, output: &[u8]) -> Result<[u8; 32], HashError> {
    let missing = || HashError::KeyMissing(key_id.to_owned());
    let key = ring.derive(key_id, LABEL).ok_or_else(missing)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).map_err(|_| missing())?;
    mac.update(owner.as_bytes());
    mac.update(&[0]);
    mac.update(output);
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests;
