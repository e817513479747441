//! What a message is for.

use crate::message::Channel;

/// What a message is for: each has a text per channel and locale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slug {
    /// A code at sign-in, or to check a number or address.
    VerificationCode,
    /// A code that proves a new factor.
    EnrolmentCode,
    /// A code that resets a password.
    ResetPasswordCode,
    /// An invitation to sign up.
    Invitation,
    /// Something has changed about how the person signs in.
    SecurityNotice,
}

impl Slug {
    /// Every slug.
    pub const ALL: [Self; 5] =
        [Self::VerificationCode, Self::EnrolmentCode, Self::ResetPasswordCode, Self::Invitation, Self::SecurityNotice];

    /// Every slug's name, for the contract.
    pub const NAMES: [&'static str; 5] =
        ["verification_code", "enrolment_code", "reset_password_code", "invitation", "security_notice"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerificationCode => "verification_code",
            Self::EnrolmentCode => "enrolment_code",
            Self::ResetPasswordCode => "reset_password_code",
            Self::Invitation => "invitation",
            Self::SecurityNotice => "security_notice",
        }
    }

    /// The slug with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slug| slug.as_str() == name)
    }

    /// Whether messages of it have a code.
    pub fn has_code(self) -> bool {
        matches!(self, Self::VerificationCode | Self::EnrolmentCode | Self::ResetPasswordCode)
    }

    /// Whether there are messages of it that way: nobody is called with an invitation or a notice.
    pub fn goes_by(self, channel: Channel) -> bool {
        channel != Channel::Voice || self.has_code()
    }
}
