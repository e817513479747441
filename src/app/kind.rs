//! What kind of client an app is (RFC 6749 §2.1, RFC 8252), and what each kind has.

/// The type of an app. It is fixed when the app is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppType {
    /// Pages that run in a browser; they keep no secret.
    Browser,
    /// A program on a phone or computer; it keeps no secret either.
    Native,
    /// A web server that signs people in, and keeps a secret.
    Web,
    /// A server that acts for itself: no person, scopes of the server API.
    Machine,
}

impl AppType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::Browser, Self::Native, Self::Web, Self::Machine];

    /// Every type's name, for the contract.
    pub const NAMES: [&'static str; 4] = ["browser", "native", "web", "machine"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Native => "native",
            Self::Web => "web",
            Self::Machine => "machine",
        }
    }

    /// The type with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it has a client secret.
    pub fn has_secret(self) -> bool {
        matches!(self, Self::Web | Self::Machine)
    }

    /// Whether pages of it call from other origins.
    pub fn has_origins(self) -> bool {
        matches!(self, Self::Browser | Self::Web)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_types_are_the_same_list() {
        assert_eq!(AppType::ALL.map(AppType::as_str), AppType::NAMES);
    }
}
