//! Users: people, found by e-mail, phone or the customer's own id.

pub mod change;
pub mod store;

use serde_json::Value;

use crate::{
    ports::{DatabaseError, Row},
    time::Timestamp,
};

/// A user as they are read.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: String,
    /// The customer's own id of them.
    pub external_id: Option<String>,
    /// Their e-mail address, as it was given.
    pub email: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their language.
    pub locale: Option<String>,
    /// What the customer keeps with them.
    pub metadata: Value,
    /// When they were made.
    pub created_at: Timestamp,
    /// When they were changed.
    pub updated_at: Timestamp,
    /// Wrong second-factor answers in a row.
    pub failures_in_a_row: i64,
    /// Until when second factors are refused.
    pub locked_until: Option<Timestamp>,
}

impl User {
    /// Reads a row of the store.
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        let text = |column| row.opt_text(column).map(str::to_owned);
        Ok(Self {
            id: row.text("id")?.to_owned(),
            external_id: text("external_id"),
            email: text("email"),
            name: text("name"),
            locale: text("locale"),
            metadata: serde_json::from_str(row.text("metadata")?)
                .map_err(|_| DatabaseError::Other("a stored user is malformed".to_owned()))?,
            created_at: Timestamp::from_millis(row.int("created_at")?),
            updated_at: Timestamp::from_millis(row.int("updated_at")?),
            failures_in_a_row: row.opt_int("failures_in_a_row").unwrap_or(0),
            locked_until: row.opt_int("locked_until").map(Timestamp::from_millis),
        })
    }
}

/// An e-mail address: as given, and as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// As given, without spaces around it.
    pub given: String,
    /// Lower case: nobody's mailbox differs by case, and people's typing does.
    pub normalised: String,
}

impl Email {
    /// Accepts one `@` between a local part of at most 64 bytes and a domain with a dot, 254 bytes in all
    /// (RFC 5321 §4.5.3.1), without spaces, control characters or quotes.
    pub fn parse(text: &str) -> Option<Self> {
        let given = text.trim();
        let (local, domain) = given.split_once('@')?;
        let odd = |character: char| {
            character.is_whitespace() || character.is_control() || "\"(),:;<>[\\]@".contains(character)
        };
        let labels_are_good = domain.split('.').all(|label| {
            (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-') && !label.contains('_')
        });
        let good = (1..=64).contains(&local.len())
            && given.len() <= 254
            && domain.contains('.')
            && labels_are_good
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && !local.contains(odd)
            && !domain.contains(odd);
        good.then(|| Self { given: given.to_owned(), normalised: given.to_lowercase() })
    }

    /// What answers show of it: the first character and the domain.
    pub fn masked(&self) -> String {
        let (local, domain) = self.normalised.split_once('@').unwrap_or_default();
        format!("{}•••@{domain}", local.chars().next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_and_compared_in_lower_case() {
        assert_eq!(
            Email::parse(" Ana.B+x@Example.COM ").map(|email| email.normalised).as_deref(),
            Some("ana.b+x@example.com")
        );
        for bad in [
            "",
            "a",
            "a@b",
            "@b.c",
            "a@",
            "a b@c.d",
            "a@b..c",
            "a@-b.c",
            ".a@b.c",
            "a..b@c.d",
            "a@b@c.d",
            "a\n@b.c",
            "\"a\"@b.c",
        ] {
            assert_eq!(Email::parse(bad), None, "{bad}");
        }
    }
}
