//! Events: what happened, by whom, to whom, from where, with which outcome. Each is written in the batch
//! of what it tells of, on the same stamp, so that neither exists without the other.

pub mod store;

pub use store::{Event, When};

macro_rules! event_types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// Every type of event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventType { $($(#[$doc])* $variant),* }

        impl EventType {
            /// Every type's name, for the contract.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

event_types! {
    /// A challenge was made and its code sent.
    ChallengeCreated = "challenge.created",
    /// Another code of a challenge was sent.
    ChallengeResent = "challenge.resent",
    /// The right code came.
    ChallengeVerified = "challenge.verified",
    /// A wrong answer came.
    ChallengeAnsweredWrongly = "challenge.answered_wrongly",
    /// A challenge was canceled.
    ChallengeCanceled = "challenge.canceled",
    /// A verified challenge was used as a proof.
    ChallengeConsumed = "challenge.consumed",
    /// A factor was added, not proven yet.
    FactorEnrolmentStarted = "factor.enrolment_started",
    /// A factor was proven.
    FactorActivated = "factor.activated",
    /// A factor was removed.
    FactorRemoved = "factor.removed",
    /// A user was made.
    UserCreated = "user.created",
    /// A user was changed.
    UserUpdated = "user.updated",
    /// A user was deleted.
    UserDeleted = "user.deleted",
    /// A user's failures were cleared.
    UserUnlocked = "user.unlocked",
    /// A key was made.
    ApiKeyCreated = "api_key.created",
    /// A key was revoked.
    ApiKeyRevoked = "api_key.revoked",
    /// Settings were changed.
    InstanceUpdated = "instance.updated",
    /// An SMS is about to go to a carrier.
    SmsQueued = "sms.queued",
    /// A carrier took an SMS.
    SmsSent = "sms.sent",
    /// An SMS did not go out.
    SmsFailed = "sms.failed",
    /// It is not known whether an SMS went out.
    SmsUnknown = "sms.unknown",
    /// An SMS was not given to a carrier on purpose: test number, test key, null driver.
    SmsDropped = "sms.dropped",
    /// Somebody called a carrier's callback without its signature; at most one event a minute.
    CallbackRefused = "callback.refused",
    /// A carrier reported an SMS delivered.
    SmsDelivered = "sms.delivered",
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was not let pass.
    Refused,
    /// It could not be done.
    Failed,
}

impl Outcome {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}
