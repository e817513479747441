//! What a key may do.

/// A scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Make, answer, resend, cancel and read challenges.
    Challenges,
    /// Read users and their factors.
    UsersRead,
    /// Change users and their factors.
    UsersWrite,
    /// Change factors without a proof, audited.
    UsersOverride,
    /// Read apps.
    AppsRead,
    /// Change apps.
    AppsWrite,
    /// Read messages.
    MessagesRead,
    /// Read audit events.
    AuditRead,
    /// Read the instance's settings.
    InstanceRead,
    /// Change the instance's settings.
    InstanceWrite,
    /// Make and revoke keys.
    KeysWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 11] = [
        Self::Challenges,
        Self::UsersRead,
        Self::UsersWrite,
        Self::UsersOverride,
        Self::AppsRead,
        Self::AppsWrite,
        Self::MessagesRead,
        Self::AuditRead,
        Self::InstanceRead,
        Self::InstanceWrite,
        Self::KeysWrite,
    ];

    /// Every scope's name, for the contract.
    pub const NAMES: [&'static str; 11] = [
        "challenges",
        "users:read",
        "users:write",
        "users:override",
        "apps:read",
        "apps:write",
        "messages:read",
        "audit:read",
        "instance:read",
        "instance:write",
        "keys:write",
    ];

    /// The name that keys and documents have.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Challenges => "challenges",
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::UsersOverride => "users:override",
            Self::AppsRead => "apps:read",
            Self::AppsWrite => "apps:write",
            Self::MessagesRead => "messages:read",
            Self::AuditRead => "audit:read",
            Self::InstanceRead => "instance:read",
            Self::InstanceWrite => "instance:write",
            Self::KeysWrite => "keys:write",
        }
    }

    /// The scope with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_scopes_are_the_same_list() {
        assert_eq!(Scope::ALL.map(Scope::as_str), Scope::NAMES);
    }
}
