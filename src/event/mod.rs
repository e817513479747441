//! Events: what happened, by whom, to whom, from where, with which outcome. Each is written in the batch
//! of what it tells of, on the same stamp, so that neither exists without the other.

pub mod store;

pub use store::{Event, When};

use crate::message::{Channel, Status};

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
    /// A factor got another name.
    FactorRenamed = "factor.renamed",
    /// A passkey's signature counter did not grow: there may be a copy of it. The assertion was refused.
    PasskeyCounterRegressed = "passkey.counter_regressed",
    /// Nobody could be told of a changed factor; the reason says why.
    NoticeNotSent = "notice.not_sent",
    /// A user was made.
    UserCreated = "user.created",
    /// A user was changed.
    UserUpdated = "user.updated",
    /// A user was deleted.
    UserDeleted = "user.deleted",
    /// A user proved that their address is theirs.
    UserEmailVerified = "user.email_verified",
    /// A user moved to another address, which they have proven.
    UserEmailChanged = "user.email_changed",
    /// A user moved to another number to sign in with, which they have proven.
    UserPhoneChanged = "user.phone_changed",
    /// A user's failures were cleared.
    UserUnlocked = "user.unlocked",
    /// A user was shut out.
    UserDisabled = "user.disabled",
    /// A user who was shut out may come in again.
    UserEnabled = "user.enabled",
    /// What the server says of a user's factors was changed: more required, or exempt.
    UserMfaChanged = "user.mfa_changed",
    /// A sign-in or step-up has met the policy, or its enrolment was put off.
    MfaCompleted = "mfa.completed",
    /// A device was remembered.
    DeviceCreated = "device.created",
    /// A device, or all of a user's, was forgotten.
    DeviceRemoved = "device.removed",
    /// A code was exchanged for a session.
    SessionCreated = "session.created",
    /// The person proved again who they are, and the session's tokens say so.
    SessionSteppedUp = "session.stepped_up",
    /// A session, or all of a user's, was ended; the reason says why.
    SessionEnded = "session.ended",
    /// An app was made.
    AppCreated = "app.created",
    /// An app was changed.
    AppUpdated = "app.updated",
    /// An app was deleted.
    AppDeleted = "app.deleted",
    /// An app got another client secret; the one before it lives on for a while.
    AppSecretRotated = "app.secret_rotated",
    /// An invitation was made and sent.
    InvitationCreated = "invitation.created",
    /// An invitation was taken back, or could not be sent.
    InvitationDeleted = "invitation.deleted",
    /// A key was made.
    ApiKeyCreated = "api_key.created",
    /// A key was revoked.
    ApiKeyRevoked = "api_key.revoked",
    /// A key that signs tokens was made; the reason says whether on first use, in rotation, or since the others were revoked.
    SigningKeyCreated = "signing_key.created",
    /// Settings were changed.
    InstanceUpdated = "instance.updated",
    /// The text of a template was changed, or who sends or delivers its messages.
    TemplateUpdated = "template.updated",
    /// An SMS is about to go to a carrier, or is left to whoever hears this.
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
    /// A call is about to be given to its driver.
    VoiceQueued = "voice.queued",
    /// The driver took a call.
    VoiceSent = "voice.sent",
    /// A call did not go out.
    VoiceFailed = "voice.failed",
    /// It is not known whether a call went out.
    VoiceUnknown = "voice.unknown",
    /// A call was not given to a driver on purpose.
    VoiceDropped = "voice.dropped",
    /// A call arrived.
    VoiceDelivered = "voice.delivered",
    /// An e-mail is about to be given to its driver.
    EmailQueued = "email.queued",
    /// The driver took an e-mail.
    EmailSent = "email.sent",
    /// An e-mail did not go out.
    EmailFailed = "email.failed",
    /// It is not known whether an e-mail went out.
    EmailUnknown = "email.unknown",
    /// An e-mail was not given to a driver on purpose.
    EmailDropped = "email.dropped",
    /// An e-mail arrived.
    EmailDelivered = "email.delivered",
    /// The guard refused a message, or would have; the reason is the rule.
    FraudBlocked = "fraud.blocked",
    /// The guard blocked a prefix.
    FraudPrefixBlocked = "fraud.prefix_blocked",
    /// A budget of unverified messages, or of money, is used up; the reason is the rule.
    FraudBudgetExhausted = "fraud.budget_exhausted",
    /// Somebody put something on the block list or the safe list.
    FraudEntryCreated = "fraud.entry_created",
    /// Somebody took an entry off the block list or the safe list.
    FraudEntryDeleted = "fraud.entry_deleted",
    /// A condition on the metrics holds.
    AlertFiring = "alert.firing",
    /// It does not hold any more.
    AlertResolved = "alert.resolved",
    /// An endpoint was made that hears events.
    WebhookEndpointCreated = "webhook.endpoint_created",
    /// An endpoint was changed.
    WebhookEndpointUpdated = "webhook.endpoint_updated",
    /// An endpoint was deleted.
    WebhookEndpointDeleted = "webhook.endpoint_deleted",
    /// An endpoint was switched off: it took nothing for days, or said that it is gone; the reason says which.
    WebhookEndpointDisabled = "webhook.endpoint_disabled",
    /// An endpoint got another secret; the one before it signs too for a while.
    WebhookEndpointSecretRotated = "webhook.endpoint_secret_rotated",
}

impl EventType {
    /// The event of a message that came to a state.
    pub fn of_message(channel: Channel, status: Status) -> Self {
        match (channel, status) {
            (Channel::Sms, Status::Queued | Status::HandedOver) => Self::SmsQueued,
            (Channel::Sms, Status::Sent) => Self::SmsSent,
            (Channel::Sms, Status::Delivered) => Self::SmsDelivered,
            (Channel::Sms, Status::Failed) => Self::SmsFailed,
            (Channel::Sms, Status::Unknown) => Self::SmsUnknown,
            (Channel::Sms, Status::Dropped) => Self::SmsDropped,
            (Channel::Voice, Status::Queued | Status::HandedOver) => Self::VoiceQueued,
            (Channel::Voice, Status::Sent) => Self::VoiceSent,
            (Channel::Voice, Status::Delivered) => Self::VoiceDelivered,
            (Channel::Voice, Status::Failed) => Self::VoiceFailed,
            (Channel::Voice, Status::Unknown) => Self::VoiceUnknown,
            (Channel::Voice, Status::Dropped) => Self::VoiceDropped,
            (Channel::Email, Status::Queued | Status::HandedOver) => Self::EmailQueued,
            (Channel::Email, Status::Sent) => Self::EmailSent,
            (Channel::Email, Status::Delivered) => Self::EmailDelivered,
            (Channel::Email, Status::Failed) => Self::EmailFailed,
            (Channel::Email, Status::Unknown) => Self::EmailUnknown,
            (Channel::Email, Status::Dropped) => Self::EmailDropped,
        }
    }
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
