//! What the policy answers: the next step, or that it is met, and always why: a stable code and a sentence.

use std::cmp::Reverse;

use super::{
    assurance::Assurance,
    kind::{Kind, Kinds},
};
use crate::time::Timestamp;

/// The next step of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A first factor has to be proven, here or by the customer's own login.
    NeedsFirstFactor {
        /// Why.
        reason: Reason,
    },
    /// One of the options has to be proven; then the policy is asked again.
    NeedsSecondFactor {
        /// Those still required; none: any one option is enough.
        outstanding: Kinds,
        /// What can be proven, the default first. Never empty.
        options: Vec<Offer>,
        /// Why.
        reason: Reason,
    },
    /// One of the options has to be enrolled; then the policy is asked again.
    NeedsEnrolment {
        /// What can be enrolled, the default first. Empty only while it can be put off.
        options: Vec<Kind>,
        /// How it can be put off, while it can.
        skip: Option<Skip>,
        /// What the flow is worth when it is put off.
        assurance: Assurance,
        /// Why.
        reason: Reason,
    },
    /// The policy is met.
    Satisfied {
        /// What the flow is worth.
        assurance: Assurance,
        /// What stood in for a factor.
        stand_ins: Vec<StandIn>,
        /// Whether the device may be remembered: a second factor was proven, and nothing stood in for it.
        may_remember_device: bool,
        /// Why.
        reason: Reason,
    },
    /// There is no way forward in this flow.
    Blocked {
        /// Why.
        reason: Reason,
    },
}

impl Step {
    /// Every step's name, for the contract.
    pub const NAMES: [&'static str; 5] =
        ["needs_first_factor", "needs_second_factor", "needs_enrolment", "satisfied", "blocked"];

    /// The stable name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NeedsFirstFactor { .. } => "needs_first_factor",
            Self::NeedsSecondFactor { .. } => "needs_second_factor",
            Self::NeedsEnrolment { .. } => "needs_enrolment",
            Self::Satisfied { .. } => "satisfied",
            Self::Blocked { .. } => "blocked",
        }
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NeedsFirstFactor { reason }
            | Self::NeedsSecondFactor { reason, .. }
            | Self::NeedsEnrolment { reason, .. }
            | Self::Satisfied { reason, .. }
            | Self::Blocked { reason } => *reason,
        }
    }

    /// Whether the flow that stands here may enrol this kind: only what the step offers.
    pub fn may_enrol(&self, kind: Kind) -> bool {
        matches!(self, Self::NeedsEnrolment { options, .. } if options.contains(&kind))
    }

    /// How far the flow is, and how little is left: adding proofs never takes it back.
    pub(super) fn rank(&self) -> (u8, Reverse<u32>) {
        let none = Reverse(0);
        match self {
            Self::NeedsFirstFactor { .. } | Self::Blocked { .. } => (0, none),
            Self::NeedsSecondFactor { outstanding, .. } => (1, Reverse(outstanding.count())),
            Self::NeedsEnrolment { skip: None, .. } => (2, none),
            Self::NeedsEnrolment { skip: Some(_), .. } => (3, none),
            Self::Satisfied { may_remember_device: false, .. } => (4, none),
            Self::Satisfied { may_remember_device: true, .. } => (5, none),
        }
    }
}

/// A factor that can be proven now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub factor_id: String,
    /// Its kind.
    pub kind: Kind,
    /// In which role.
    pub role: Role,
}

/// In which role a factor is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is what is asked.
    Factor,
    /// A passkey that stands in for what is asked; only with user verification.
    Passkey,
    /// A mailbox that stands in for one factor; the user is told.
    EmailBackup,
    /// A recovery code that stands in for one factor.
    RecoveryCode,
}

impl Role {
    /// Every role's name, for the contract.
    pub const NAMES: [&'static str; 4] = ["factor", "passkey", "email_backup", "recovery_code"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Factor => "factor",
            Self::Passkey => "passkey",
            Self::EmailBackup => "email_backup",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

/// What stood in for a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandIn {
    /// A remembered device.
    Device,
    /// A recovery code.
    RecoveryCode,
    /// An e-mail code; the user is told.
    EmailBackup,
    /// The server's exemption.
    Exemption,
}

impl StandIn {
    /// Every name, for the contract.
    pub const NAMES: [&'static str; 4] = ["device", "recovery_code", "email_backup", "exemption"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::RecoveryCode => "recovery_code",
            Self::EmailBackup => "email_backup",
            Self::Exemption => "exemption",
        }
    }
}

/// How an enrolment can be put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// How many more times, this one counted; `None`: not bounded by a number.
    pub sign_ins_left: Option<u32>,
    /// Until when; `None`: not bounded by time.
    pub until: Option<Timestamp>,
}

macro_rules! reasons {
    ($($variant:ident = $code:literal, $sentence:literal;)*) => {
        /// Why a step is as it is: a closed list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason { $(#[doc = $sentence] $variant),* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// Every code, for the contract.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The sentence, for people.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),* }
            }
        }
    };
}

reasons! {
    FirstFactorMissing = "first_factor_missing", "Nothing was proven yet that can be a first factor.";
    RequiredFactor = "required_factor", "Each of the required factors has to be proven.";
    EnrolledFactor = "enrolled_factor", "No factor is required, and the user has second factors: any one of them has to be proven.";
    ProofBeforeEnrolment = "proof_before_enrolment", "A factor has to be enrolled, and the user has others: one of them has to be proven first.";
    RequiredFactorMissing = "required_factor_missing", "A required factor is not enrolled: that comes first.";
    EnrolmentEnforced = "enrolment_enforced", "The user has no second factor, and one of the listed has to be enrolled.";
    EnrolmentInGrace = "enrolment_in_grace", "The user has no second factor; enrolling one of the listed can still be put off.";
    NothingRequired = "nothing_required", "No second factor is required, and the user has none.";
    FactorsProven = "factors_proven", "What the policy asks was proven.";
    PasskeyVerifiedUser = "passkey_verified_user", "A passkey with user verification counts as two factors and meets every requirement.";
    DeviceRemembered = "device_remembered", "The remembered device stands in for the second factor.";
    RecoveryCodeUsed = "recovery_code_used", "A recovery code stands in for one factor.";
    EmailBackupUsed = "email_backup_used", "An e-mail code stands in for one factor; the user has to be told.";
    MailboxOnly = "mailbox_only", "A password reset by e-mail, and the user has no second factor but mailboxes: one code was enough; the user has to be told.";
    UserExempt = "user_exempt", "The server has exempted this user from second factors for now.";
    UserDisabled = "user_disabled", "The server has shut this user out.";
    FactorUnavailable = "factor_unavailable", "What has to be proven is unavailable now, and nothing else may stand in for it.";
    SameDestination = "same_destination", "The second factor would be the phone or mailbox that was the first: another first factor is needed.";
    EnrolmentDisabled = "enrolment_disabled", "What has to be enrolled cannot be enrolled: its kind is switched off or has no channel.";
}
