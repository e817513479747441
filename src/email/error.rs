//! Why an e-mail address is refused, one variant a reason.
//! The sentences say what is wanted; none repeats what was typed, which is personal data.

/// Why an e-mail address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.detail())]
pub enum EmailError {
    /// Nothing but spaces.
    Empty,
    /// No `@`, or more than one.
    At,
    /// More than 254 octets, or more than 64 before the `@` (RFC 5321 §4.5.3.1).
    TooLong,
    /// A character outside ASCII.
    International,
    /// What stands before the `@` is no dot-string (RFC 5321 §4.1.2).
    LocalPart,
    /// What stands after the `@` is no domain name with a dot in it.
    Domain,
}

impl EmailError {
    /// A stable name of the reason, in `snake_case`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::At => "at_sign",
            Self::TooLong => "too_long",
            Self::International => "international",
            Self::LocalPart => "local_part",
            Self::Domain => "domain",
        }
    }

    /// A sentence for people that says what is wanted.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Empty => "Enter an e-mail address, such as ana@example.com.",
            Self::At => "Write one @ between the name and the domain, such as ana@example.com.",
            Self::TooLong => "An e-mail address has at most 254 characters, 64 of them before the @.",
            Self::International => {
                "Write the e-mail address with plain letters; an international domain in its xn-- form."
            }
            Self::LocalPart => {
                "Before the @ stand letters, digits and !#$%&'*+-/=?^_`{|}~, with single dots between them."
            }
            Self::Domain => "After the @ stands a domain name with a dot, such as example.com.",
        }
    }
}
