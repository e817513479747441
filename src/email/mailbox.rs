//! Who sends: an address with a name before it, `Example <no-reply@example.com>`.

use super::{
    EmailAddress, EmailError,
    mime::{PLAIN_HEADER, encoded},
};

/// The longest name, in characters.
const MAX_NAME_LENGTH: usize = 64;

/// An address and the name that mail programs show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    name: Option<String>,
    address: EmailAddress,
}

impl Mailbox {
    /// Reads `no-reply@example.com`, `Example <no-reply@example.com>` or `"Example, Inc." <no-reply@example.com>`.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let Some((name, rest)) = text.rsplit_once('<') else {
            return Ok(Self { name: None, address: EmailAddress::parse(text)? });
        };
        let address = EmailAddress::parse(rest.strip_suffix('>').ok_or(EmailError::Domain)?)?;
        let name = name.trim();
        let name = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(name);
        let name = name.replace("\\\"", "\"").replace("\\\\", "\\");
        let odd = |character: char| character.is_control() || ['<', '>'].contains(&character);
        if name.chars().count() > MAX_NAME_LENGTH || name.contains(odd) {
            return Err(EmailError::LocalPart);
        }
        Ok(Self { name: Some(name).filter(|name| !name.is_empty()), address })
    }

    /// The address.
    pub fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// The name, where there is one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// For providers that take UTF-8: the name as it is, quoted where it has to be (RFC 5322 §3.2.4).
    pub fn unicode(&self) -> String {
        match &self.name {
            None => self.address.given().to_owned(),
            Some(name) => format!("{} <{}>", phrase(name), self.address.given()),
        }
    }

    /// For a header: ASCII, another name as encoded words (RFC 2047 §5), folded where it is long.
    pub(super) fn header(&self) -> String {
        let address = self.address.given();
        let name = match &self.name {
            None => return format!("<{address}>"),
            Some(name) if name.is_ascii() => phrase(name),
            Some(name) => encoded(name),
        };
        let space = if name.len() + address.len() > PLAIN_HEADER { "\r\n " } else { " " };
        format!("{name}{space}<{address}>")
    }
}

fn phrase(name: &str) -> String {
    let plain =
        |character: char| character.is_alphanumeric() || [' ', '-', '_', '\'', '+', '&', '!'].contains(&character);
    if name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Mailbox {
        Mailbox::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_sender_is_an_address_or_a_name_with_one() {
        assert_eq!(read(" no-reply@example.com ").unicode(), "no-reply@example.com");
        assert_eq!(read("Example <No-Reply@example.com>").unicode(), "Example <No-Reply@example.com>");
        assert_eq!(read("<a@b.c>").unicode(), "a@b.c");
        assert_eq!(read("Example, Inc. <a@b.c>").unicode(), "\"Example, Inc.\" <a@b.c>");
        assert_eq!(read(r#""Ex\"am\\ple" <a@b.c>"#), read(r#"Ex"am\ple <a@b.c>"#));
        assert_eq!(read(r#""Ex\"am\\ple" <a@b.c>"#).header(), r#""Ex\"am\\ple" <a@b.c>"#);
        assert_eq!(read("Bücher <a@b.c>").unicode(), "Bücher <a@b.c>");
        assert_eq!(read("Bücher <a@b.c>").header(), "=?UTF-8?B?QsO8Y2hlcg==?= <a@b.c>");
        for bad in
            ["", "Example", "Example <a>", "Example <a@b.c", "a@b.c, d@e.f", "X <y@z.a> <a@b.c>", "A\r\nBcc: x <a@b.c>"]
        {
            assert!(Mailbox::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Mailbox::parse(&format!("{} <a@b.c>", "x".repeat(65))).is_err());
    }
}
