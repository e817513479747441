//! A person's e-mail address: parsed once at the border, compared in one form, shown masked.

use std::fmt;

use super::EmailError;

/// The longest address in octets: a path of 256 less its angle brackets (RFC 5321 §4.5.3.1.3).
pub const MAX_LENGTH: usize = 254;
/// The longest local part in octets (RFC 5321 §4.5.3.1.1).
pub const MAX_LOCAL_LENGTH: usize = 64;
/// The longest label of a domain in octets (RFC 1035 §2.3.4).
const MAX_LABEL_LENGTH: usize = 63;

/// What a dot-string is made of, beside letters and digits (RFC 5322 §3.2.3, atext).
const ATEXT: &str = "!#$%&'*+-/=?^_`{|}~";
/// Stands for what is hidden, however long it is.
const HIDDEN: &str = "\u{2022}\u{2022}\u{2022}";

/// An e-mail address. Its `Debug` is the masked form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    given: String,
    normalised: String,
}

impl EmailAddress {
    /// Reads an address: spaces around it are left off, all else is as RFC 5321 has it for the addresses that people
    /// have: a dot-string, one `@`, a domain name. Quoted local parts, address literals and characters outside ASCII
    /// are refused (`docs/decisions/0016`).
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let given = text.trim();
        if given.is_empty() {
            return Err(EmailError::Empty);
        }
        if given.len() > MAX_LENGTH {
            return Err(EmailError::TooLong);
        }
        if !given.is_ascii() {
            return Err(EmailError::International);
        }
        let (local, domain) = given.split_once('@').filter(|(_, rest)| !rest.contains('@')).ok_or(EmailError::At)?;
        if local.len() > MAX_LOCAL_LENGTH {
            return Err(EmailError::TooLong);
        }
        if !local.split('.').all(is_atom) {
            return Err(EmailError::LocalPart);
        }
        if !is_domain(domain) {
            return Err(EmailError::Domain);
        }
        Ok(Self { given: given.to_owned(), normalised: given.to_ascii_lowercase() })
    }

    /// As it was typed, without spaces around it: to show to its owner's server.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// In small letters: what is stored, compared, counted and sent to. Nobody's mailbox differs by case, and
    /// people's typing does. Dots and plus signs stay: what they mean is the provider's affair.
    pub fn as_str(&self) -> &str {
        &self.normalised
    }

    /// The domain, in small letters.
    pub fn domain(&self) -> &str {
        self.normalised.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// Written so that its owner knows it and nobody else learns it: `a•••@e•••.com`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.normalised.split_once('@').unwrap_or_default();
        let (name, end) = domain.rsplit_once('.').unwrap_or_default();
        format!("{}@{}.{end}", hint(local), hint(name))
    }
}

/// The first character, where more than two are hidden behind it.
fn hint(text: &str) -> String {
    let first = text.chars().next().filter(|_| text.len() > 3);
    first.into_iter().chain(HIDDEN.chars()).collect()
}

fn is_atom(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_ascii_alphanumeric() || ATEXT.contains(character))
}

/// Two labels and more of letters, digits and inner hyphens (RFC 1123 §2.1), the last not of digits alone: an address
/// of the network is no domain.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MAX_LABEL_LENGTH).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.split('.').all(is_label)
        && text.rsplit_once('.').is_some_and(|(_, last)| !last.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normalised(text: &str) -> Result<String, EmailError> {
        EmailAddress::parse(text).map(|address| address.as_str().to_owned())
    }

    #[test]
    fn addresses_are_compared_in_small_letters_and_nothing_else_is_folded() {
        assert_eq!(normalised(" Ana.B+x@Example.COM \n").as_deref(), Ok("ana.b+x@example.com"));
        assert_eq!(
            EmailAddress::parse(" Ana@Example.COM").map(|address| address.given().to_owned()).as_deref(),
            Ok("Ana@Example.COM")
        );
        assert_ne!(normalised("ana.b@gmail.com"), normalised("anab@gmail.com"));
        assert_ne!(normalised("ana+x@example.com"), normalised("ana@example.com"));
        for good in [
            "a@b.c",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "o'brien@sub.sub.example.co.uk",
            "a@xn--bcher-kva.example",
            "a@1.example1",
            "1@2.museum",
        ] {
            assert_eq!(normalised(good).as_deref(), Ok(good));
        }
    }

    #[test]
    fn every_reason_has_its_cases() {
        let cases: [(EmailError, &[&str]); 6] = [
            (EmailError::Empty, &["", "  \t\n"]),
            (EmailError::At, &["a", "a.b", "a@b@c.d", "a@@b.c"]),
            (EmailError::International, &["ana@bücher.example", "änna@example.com", "a@example。com", "a\u{200b}@b.c"]),
            (
                EmailError::LocalPart,
                &[
                    "@b.c",
                    ".a@b.c",
                    "a.@b.c",
                    "a..b@c.d",
                    "a b@c.d",
                    "\"a\"@b.c",
                    "a(x)@b.c",
                    "a\r\nbcc: x@b.c",
                    "a,b@c.d",
                    "<a@b.c",
                ],
            ),
            (
                EmailError::Domain,
                &[
                    "a@",
                    "a@b",
                    "a@b.",
                    "a@.b",
                    "a@b..c",
                    "a@-b.c",
                    "a@b-.c",
                    "a@b_.c",
                    "a@[127.0.0.1]",
                    "a@127.0.0.1",
                    "a@b.c>",
                    "a@b.c, d",
                    "a@b.c\0",
                    "a@b c.d",
                ],
            ),
            (EmailError::TooLong, &[]),
        ];
        for (reason, texts) in cases {
            for text in texts {
                assert_eq!(normalised(text), Err(reason), "{text:?}");
            }
        }
    }

    #[test]
    fn lengths_are_those_of_rfc_5321() {
        let local = |count| "a".repeat(count);
        assert!(normalised(&format!("{}@example.com", local(64))).is_ok());
        assert_eq!(normalised(&format!("{}@example.com", local(65))), Err(EmailError::TooLong));
        // Labels of 62 and a dot, the first one cut so that the whole is as long as asked for.
        let domain = |octets: usize| {
            let rest = format!(".{}.{}.com", "d".repeat(62), "d".repeat(62));
            format!("{}{rest}", "d".repeat(octets - rest.len()))
        };
        assert!(normalised(&format!("{}@{}", local(64), domain(189))).is_ok());
        assert_eq!(normalised(&format!("{}@{}", local(64), domain(190))), Err(EmailError::TooLong));
        assert!(normalised(&format!("a@{}.com", "d".repeat(63))).is_ok());
        assert_eq!(normalised(&format!("a@{}.com", "d".repeat(64))), Err(EmailError::Domain));
    }

    proptest! {
        /// Whatever is accepted is its own normal form, fits where addresses go, and cannot end a header.
        #[test]
        fn what_is_accepted_is_harmless(text in "[a-zA-Z0-9.+<>,;\"\\r\\n (ü-]{1,4}@[a-zA-Z0-9.<> -]{1,6}\\.[a-z]{1,5}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert_eq!(EmailAddress::parse(address.as_str()).map(|again| again.as_str().to_owned()), Ok(address.as_str().to_owned()));
                prop_assert!(address.as_str().len() <= MAX_LENGTH && address.as_str().is_ascii());
                prop_assert!(!address.as_str().contains([' ', '\r', '\n', '<', '>', ',', ';', '"', '(']));
                prop_assert!(!address.as_str().chars().any(|character| character.is_ascii_uppercase()));
                prop_assert!(address.masked().len() < address.as_str().len() + 20);
            }
        }
    }

    #[test]
    fn what_is_shown_tells_the_owner_and_nobody_else() {
        let masked = |text| EmailAddress::parse(text).map(|address| address.masked());
        assert_eq!(masked("ana.beispiel@example.com").as_deref(), Ok("a•••@e•••.com"));
        assert_eq!(masked("Ana1@mail.example.co.uk").as_deref(), Ok("a•••@m•••.uk"));
        assert_eq!(masked("ana@abc.de").as_deref(), Ok("•••@•••.de"));
        let address = EmailAddress::parse("ana.beispiel@example.com");
        assert!(!format!("{address:?}").contains("beispiel"));
    }
}
