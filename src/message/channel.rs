//! How a message goes, and where to.

use crate::{email::EmailAddress, factor::FactorType, phone::PhoneNumber};

/// How a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A text message.
    Sms,
    /// A call that speaks.
    Voice,
    /// An e-mail.
    Email,
}

impl Channel {
    /// Every channel's name, for the contract.
    pub const NAMES: [&'static str; 3] = ["sms", "voice", "email"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Email => "email",
        }
    }

    /// The channel with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Sms, Self::Voice, Self::Email].into_iter().find(|channel| channel.as_str() == name)
    }

    /// The type of factor that is proven with a code sent this way.
    pub fn factor(self) -> FactorType {
        match self {
            Self::Sms | Self::Voice => FactorType::Phone,
            Self::Email => FactorType::Email,
        }
    }
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A phone.
    Phone(PhoneNumber),
    /// A mailbox.
    Email(EmailAddress),
}

impl Destination {
    /// From what a row holds: E.164, or a normalised address.
    pub fn from_stored(text: &str) -> Option<Self> {
        match PhoneNumber::from_stored(text) {
            Ok(number) => Some(Self::Phone(number)),
            Err(_) => EmailAddress::parse(text).ok().map(Self::Email),
        }
    }

    /// What rows hold, limits count and messages go to: E.164, or the normalised address.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(number) => number.e164(),
            Self::Email(email) => email.as_str(),
        }
    }

    /// The number, if it is one.
    pub fn phone(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Phone(number) => Some(number),
            Self::Email(_) => None,
        }
    }

    /// The address, if it is one.
    pub fn email(&self) -> Option<&EmailAddress> {
        match self {
            Self::Phone(_) => None,
            Self::Email(email) => Some(email),
        }
    }

    /// What answers show of it.
    pub fn masked(&self) -> String {
        match self {
            Self::Phone(number) => number.masked(),
            Self::Email(email) => email.masked(),
        }
    }

    /// A number's country.
    pub fn country(&self) -> Option<String> {
        self.phone().map(|number| number.country().to_string())
    }

    /// Whether nothing for it ever leaves: a test number.
    pub fn is_test(&self) -> bool {
        self.phone().is_some_and(PhoneNumber::is_test)
    }

    /// The type of factor that it is.
    pub fn factor(&self) -> FactorType {
        match self {
            Self::Phone(_) => FactorType::Phone,
            Self::Email(_) => FactorType::Email,
        }
    }

    /// The channel that is taken when none is named.
    pub fn default_channel(&self) -> Channel {
        match self {
            Self::Phone(_) => Channel::Sms,
            Self::Email(_) => Channel::Email,
        }
    }

    /// Whether a message can go there that way.
    pub fn takes(&self, channel: Channel) -> bool {
        channel.factor() == self.factor()
    }
}
