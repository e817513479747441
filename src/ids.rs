//! Ids: a prefix that says what it is, and a ULID that sorts by time of making.

use std::fmt;

use crate::{ports::Random, time::Timestamp};

/// Crockford's base 32, the alphabet of ULIDs.
pub(crate) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new ULID: 48 bits of time, 80 random bits, 26 characters.
fn ulid(now: Timestamp, random: &dyn Random) -> String {
    let time = u128::try_from(now.millis()).unwrap_or(0) & 0xFFFF_FFFF_FFFF;
    let mut bytes = [0; 16];
    let (_, tail) = bytes.split_at_mut(6);
    random.fill(tail);
    written((time << 80) | u128::from_be_bytes(bytes))
}

/// The 26 characters of 128 bits.
fn written(value: u128) -> String {
    (0..26u32)
        .rev()
        .filter_map(|position| ALPHABET.get(usize::try_from((value >> (position * 5)) & 31).ok()?).copied())
        .map(char::from)
        .collect()
}

/// Whether a text is a ULID: 26 characters of the alphabet, and no more than 128 bits.
pub(crate) fn is_ulid(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|byte| ALPHABET.contains(&byte)) && text.as_bytes().first() < Some(&b'8')
}

/// Zero bytes, for the smallest id of a moment.
struct Zero;

impl Random for Zero {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What every such id begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id.
            pub fn new(now: Timestamp, random: &dyn Random) -> Self {
                Self(format!("{}{}", $prefix, ulid(now, random)))
            }

            /// The smallest id of a moment: ids sort by time, so this divides before from after.
            pub fn floor(moment: Timestamp) -> Self {
                Self::new(moment, &Zero)
            }

            /// Parses an id that came from outside: the prefix and a ULID, exactly.
            pub fn parse(text: &str) -> Option<Self> {
                text.strip_prefix($prefix).filter(|rest| is_ulid(rest)).map(|_| Self(text.to_owned()))
            }

            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl From<&$name> for $crate::ports::Param {
            fn from(id: &$name) -> Self {
                Self::Text(id.0.clone())
            }
        }
    };
}

id!(
    /// A person.
    UserId, "usr_"
);
id!(
    /// Something a user can prove.
    FactorId, "fac_"
);
id!(
    /// One pending proof.
    ChallengeId, "chl_"
);
id!(
    /// One SMS, call or e-mail.
    MessageId, "msg_"
);
id!(
    /// One try of a message at one driver.
    TryId, "try_"
);
id!(
    /// Something that happened.
    EventId, "evt_"
);
id!(
    /// An entry of the block list or the safe list.
    FraudEntryId, "fre_"
);
id!(
    /// Who hears events.
    WebhookEndpointId, "whe_"
);
id!(
    /// One event that an endpoint is told.
    WebhookDeliveryId, "whd_"
);
id!(
    /// A server's key.
    ApiKeyId, "key_"
);
id!(
    /// A client of the instance.
    AppId, "app_"
);
id!(
    /// A remembered device.
    DeviceId, "dev_"
);
id!(
    /// A flow: a sign-up, a sign-in, a password reset.
    FlowId, "sgn_"
);
id!(
    /// What a sign-in results in.
    SessionId, "ses_"
);
id!(
    /// A client secret of an app.
    AppSecretId, "sec_"
);
id!(
    /// A key that signs tokens: its `kid`.
    SigningKeyId, "sig_"
);
id!(
    /// An invitation to sign up.
    InvitationId, "inv_"
);
id!(
    /// One HTTP request, for the log and for support.
    RequestId, "req_"
);

impl UserId {
    /// The user that a sign-up makes: known before there is one, so that a hash and a passkey's user handle fit.
    pub fn of_flow(flow: &FlowId) -> Self {
        Self(format!("{}{}", Self::PREFIX, flow.0.strip_prefix(FlowId::PREFIX).unwrap_or_default()))
    }
}

impl MessageId {
    /// The 128 bits of it, for an address that has to be short.
    pub fn to_bytes(&self) -> [u8; 16] {
        let digits = self.0.bytes().skip(Self::PREFIX.len());
        let value = digits.filter_map(|digit| ALPHABET.iter().position(|known| *known == digit));
        value.fold(0u128, |value, digit| (value << 5) | u128::try_from(digit).unwrap_or(0)).to_be_bytes()
    }

    /// The id of 128 bits.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(format!("{}{}", Self::PREFIX, written(u128::from_be_bytes(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::try_from(index).unwrap_or(0);
            }
        }
    }

    #[test]
    fn an_id_has_its_prefix_sorts_by_time_and_parses_back() {
        let early = UserId::new(Timestamp::from_millis(1_795_310_876_042), &Counting);
        let late = UserId::new(Timestamp::from_millis(1_795_310_876_043), &Counting);
        assert_eq!(early.as_str(), "usr_01M80DVXCA000G40R40M30E209");
        assert!(early < late);
        assert!(UserId::floor(Timestamp::from_millis(1_795_310_876_042)) < early);
        assert_eq!(UserId::parse(early.as_str()), Some(early.clone()));
        assert_eq!(FactorId::parse(early.as_str()), None);
        assert_eq!(UserId::parse("usr_01m80dvxca000g40r40m30e209"), None);
        assert_eq!(UserId::parse("usr_"), None);
    }

    #[test]
    fn an_id_survives_its_bytes() {
        for text in
            ["msg_01M80DVXCA000G40R40M30E209", "msg_00000000000000000000000000", "msg_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"]
        {
            let id = MessageId::parse(text).expect("an id");
            assert_eq!(MessageId::from_bytes(id.to_bytes()), id);
        }
        assert_eq!(MessageId::from_bytes([255; 16]).as_str(), "msg_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    }
}
