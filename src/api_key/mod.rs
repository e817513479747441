//! Server keys: `sk_live_…` and `sk_test_…`, with scopes; stored as a hash, shown once.

mod scope;
pub mod store;

pub use scope::Scope;

/// Who calls: the binding's key or a stored one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The key's id; the binding's key has [`BINDING_KEY`].
    pub id: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whether it is a `sk_test_` key, whose messages never reach a carrier.
    pub is_test: bool,
}

/// The id of the key in the binding `SERVER_API_KEY`.
pub const BINDING_KEY: &str = "key_binding";

/// What live keys begin with.
pub const LIVE: &str = "sk_live_";
/// What test keys begin with.
pub const TEST: &str = "sk_test_";

impl Credential {
    /// The binding's key: every scope.
    pub fn of_binding(secret: &str) -> Self {
        Self { id: BINDING_KEY.to_owned(), scopes: Scope::ALL.to_vec(), is_test: secret.starts_with(TEST) }
    }

    /// Somebody who has no server key.
    pub fn without_scopes(id: &str) -> Self {
        Self { id: id.to_owned(), scopes: Vec::new(), is_test: false }
    }

    /// Whether it may do that.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether a production refuses it this scope: a test key tries things, and changes neither settings nor keys.
    pub fn is_refused_in_production(&self, scope: Scope) -> bool {
        self.is_test && matches!(scope, Scope::InstanceWrite | Scope::KeysWrite | Scope::UsersOverride)
    }
}

/// Whether a text has a server key's form: the prefix and at least 43 base64url characters (256 bits)
/// that are not one pattern.
pub fn is_server_key(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(LIVE).or_else(|| text.strip_prefix(TEST)) else { return false };
    let distinct = rest.bytes().fold(0u128, |seen, byte| seen | 1 << (byte & 127)).count_ones();
    let alphabet = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    // 43 random characters of 64 have fewer than 15 different ones about never.
    (43..=200).contains(&rest.len()) && alphabet && distinct >= 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_key_has_256_bits() {
        assert!(is_server_key("sk_live_3fJ0m9vQ2xZ7LrT8bYkWn1sEo5HdUcGaPiVX6M4tRqA"));
        assert!(is_server_key("sk_test_3fJ0m9vQ2xZ7LrT8bYkWn1sEo5HdUcGaPiVX6M4tRqA"));
        for bad in [
            "",
            "sk_live_",
            "sk_live_short",
            "3fJ0m9vQ2xZ7LrT8bYkWn1sEo5HdUcGaPiVX6M4tRqA",
            "sk_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "sk_live_3fJ0m9vQ2xZ7LrT8bYkWn1sEo5HdUcGaPiVX6M4tRq!",
        ] {
            assert!(!is_server_key(bad), "{bad}");
        }
    }
}
