//! Where the person is who asks for a message, held against where the number is.

use crate::context::Client;

/// Whether somebody asks from the country of the number. People do mostly; whoever pumps messages through proxies does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From the same country.
    Home,
    /// From another one.
    Away,
    /// It is not known.
    Unknown,
}

impl Origin {
    /// Of a person and a number's country, ISO 3166-1 alpha-2. Cloudflare calls what it cannot place `XX`, and Tor `T1`:
    /// the one is not known, the other is nobody's home.
    pub fn of(client: &Client, country: &str) -> Self {
        match client.country.as_deref() {
            None | Some("XX") => Self::Unknown,
            Some(from) if from == country => Self::Home,
            Some(_) => Self::Away,
        }
    }

    /// From the tables.
    pub fn from_stored(name: &str) -> Self {
        match name {
            "home" => Self::Home,
            "away" => Self::Away,
            _ => Self::Unknown,
        }
    }

    /// The name in the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Away => "away",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_where_the_number_is_is_at_home() {
        for (from, wanted) in [
            (None, Origin::Unknown),
            (Some("XX"), Origin::Unknown),
            (Some("T1"), Origin::Away),
            (Some("GB"), Origin::Home),
            (Some("FR"), Origin::Away),
        ] {
            let client = Client { country: from.map(str::to_owned), ..Client::default() };
            assert_eq!(Origin::of(&client, "GB"), wanted, "{from:?}");
        }
    }
}
