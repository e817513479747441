//! What a policy is decided from: plain data, all of it known by the server. Nothing here reads, counts or asks.

use std::time::Duration;

use super::kind::{Kind, Kinds};
use crate::{challenge::Purpose, message::Channel, time::Timestamp};

/// How old a proof may be (law 6).
pub const PROOF_LIFETIME: Duration = Duration::from_mins(10);

/// Everything that decides one flow.
#[derive(Clone, Debug)]
pub struct Situation {
    /// When.
    pub now: Timestamp,
    /// Whether it is a step-up before something sensitive, which asks for more than a sign-in.
    pub step_up: bool,
    /// Whether it is a password reset: other first factors, and nothing that spares a second one.
    pub reset: bool,
    /// The instance's policy.
    pub instance: InstancePolicy,
    /// The app's own rule; `None`: the app uses the instance's.
    pub app: Option<Rule>,
    /// Who.
    pub user: User,
    /// The remembered device that came with the request and is this user's.
    pub device: Option<Device>,
    /// That the customer's own login has proven a first factor.
    pub external: Option<External>,
    /// What was proven in this flow.
    pub proofs: Vec<Proof>,
}

/// The policy of the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstancePolicy {
    /// What it asks.
    pub rule: Rule,
    /// The kinds that can be enrolled now: not switched off, and with a channel that works.
    pub enrollable: Kinds,
    /// How long a device is remembered, from its making.
    pub device_lifetime: Duration,
}

/// What a policy asks. An app's own rule replaces the instance's whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Each of these has to be proven; they add up.
    pub required: Kinds,
    /// The same, and no passkey stands in for them.
    pub named: Kinds,
    /// With nothing required: who has no second factor has to enrol one of these.
    pub enforce_enrolment: Kinds,
    /// When an e-mail code stands in for another factor.
    pub email_backup: EmailBackup,
    /// Whether a remembered device stands in for the second factor.
    pub remember_device: bool,
    /// How long enrolling one of `enforce_enrolment` may be put off.
    pub grace: Grace,
}

/// When an e-mail code stands in for another factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmailBackup {
    /// Never.
    #[default]
    Never,
    /// When the server knows that the factor is unavailable.
    Unavailable,
    /// When the user says so, too.
    OnRequest,
}

impl EmailBackup {
    /// Every choice's name, for the contract.
    pub const NAMES: [&'static str; 3] = ["never", "unavailable", "on_request"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Unavailable => "unavailable",
            Self::OnRequest => "on_request",
        }
    }

    /// The choice with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Never, Self::Unavailable, Self::OnRequest].into_iter().find(|choice| choice.as_str() == name)
    }
}

/// How long an enrolment may be put off: so many sign-ins, so many days, or both, whichever ends first.
/// Zero is no such bound; both zero is no grace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grace {
    /// How many sign-ins.
    pub sign_ins: u32,
    /// How many days from the first of them.
    pub days: u32,
}

/// Who signs in.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// Whether the server has shut them out.
    pub is_disabled: bool,
    /// Their factors.
    pub factors: Vec<Enrolled>,
    /// What the server has said of this user.
    pub exception: Exception,
    /// How much of the grace they have used. It is never given back.
    pub grace: GraceUsed,
}

/// A factor of a user.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// Whether it was proven.
    pub is_active: bool,
    /// Whether it can be asked now. `false` is a fact that the server knows: its channel failed or is disabled, or no
    /// recovery code is left.
    pub is_available: bool,
    /// The phone or mailbox, as a key that is equal for the same one.
    pub destination: Option<String>,
    /// When it was last proven.
    pub last_used_at: Option<Timestamp>,
}

/// What the server has said of one user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exception {
    /// Nothing.
    #[default]
    None,
    /// They have to prove these, beside what the policy requires.
    Required(Kinds),
    /// No second factor is asked at sign-in until then.
    ExemptUntil(Timestamp),
}

/// How much of the grace was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraceUsed {
    /// When enrolling was first put off.
    pub started_at: Option<Timestamp>,
    /// How often.
    pub sign_ins: u32,
}

/// A remembered device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// When it was made.
    pub made_at: Timestamp,
    /// When it ends, as it was made; a shorter setting ends it sooner.
    pub expires_at: Timestamp,
}

/// The customer's own login, as their server tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// What it asked.
    pub kind: ExternalKind,
    /// The phone or mailbox that it used; not known is taken as the same as the second factor's.
    pub destination: Option<String>,
}

/// What a customer's own login asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalKind {
    /// A password.
    Password,
    /// A link or code in a mailbox.
    Email,
    /// A code on a phone.
    Phone,
    /// Another identity provider, by whatever it asks.
    Federated,
    /// Something else.
    Other,
}

impl ExternalKind {
    /// Every kind's name, for the contract.
    pub const NAMES: [&'static str; 5] = ["password", "email", "phone", "federated", "other"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Federated => "federated",
            Self::Other => "other",
        }
    }

    /// The kind with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Password, Self::Email, Self::Phone, Self::Federated, Self::Other]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// What a verified challenge proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What was proven.
    pub kind: Kind,
    /// Which factor of the user; `None`: a password or mailbox that is no factor.
    pub factor_id: Option<String>,
    /// What the challenge was for.
    pub purpose: Purpose,
    /// A phone's channel.
    pub channel: Option<Channel>,
    /// A passkey's: whether it verified the user.
    pub user_verified: bool,
    /// A passkey's: whether it can be copied to other devices (backup eligible).
    pub is_synced: bool,
    /// The phone or mailbox, as a key that is equal for the same one.
    pub destination: Option<String>,
    /// When.
    pub verified_at: Timestamp,
}

impl Situation {
    /// The rule in effect: the app's own, else the instance's, and what the server has said of the user.
    pub(super) fn rule(&self) -> Rule {
        let mut rule = self.app.clone().unwrap_or_else(|| self.instance.rule.clone());
        rule.required = rule.required.or(rule.named).and(Kinds::SECOND);
        rule.named = rule.named.and(Kinds::SECOND);
        rule.enforce_enrolment = rule.enforce_enrolment.and(Kinds::SECOND);
        match self.user.exception {
            Exception::Required(kinds) => rule.required = rule.required.or(kinds.and(Kinds::SECOND)),
            // An exemption is for sign-ins; a step-up and a reset ask for what the user has.
            Exception::ExemptUntil(until) if until > self.now => {
                (rule.required, rule.named, rule.enforce_enrolment) = (Kinds::NONE, Kinds::NONE, Kinds::NONE);
            }
            Exception::None | Exception::ExemptUntil(_) => {}
        }
        rule
    }

    /// Whether the user is exempt from second factors in this flow.
    pub(super) fn is_exempt(&self) -> bool {
        !self.step_up && !self.reset && matches!(self.user.exception, Exception::ExemptUntil(until) if until > self.now)
    }

    /// Whether a proof counts here: recent, for this purpose, and of a factor that the user has. A password proves nothing
    /// in the flow that replaces it.
    pub(super) fn counts(&self, proof: &Proof) -> bool {
        let purpose = match proof.purpose {
            Purpose::SignIn => !self.step_up,
            Purpose::StepUp | Purpose::Enrolment => true,
            Purpose::Verification => false,
        };
        let owned = match &proof.factor_id {
            Some(id) => self.active().any(|factor| factor.id == *id && factor.kind == proof.kind),
            None => matches!(proof.kind, Kind::Password | Kind::Email),
        };
        let outlives = !(self.reset && proof.kind == Kind::Password);
        purpose && owned && outlives && proof.verified_at >= self.now.before(PROOF_LIFETIME)
    }

    /// Whether a proof can be the first factor: of a reset, the user's mailbox or a recovery code, for who has forgotten
    /// the password.
    pub(super) fn can_be_first(&self, proof: &Proof) -> bool {
        match proof.kind {
            Kind::Email => true,
            Kind::Password | Kind::Passkey | Kind::Phone => !self.reset,
            Kind::RecoveryCodes => self.reset,
            Kind::Totp => false,
        }
    }

    /// The customer's own login, where it counts: a reset is ours alone.
    pub(super) fn login(&self) -> Option<&External> {
        self.external.as_ref().filter(|_| !self.reset)
    }

    /// The user's active factors.
    pub(super) fn active(&self) -> impl Iterator<Item = &Enrolled> {
        self.user.factors.iter().filter(|factor| factor.is_active)
    }

    /// Whether the request's device stands in for the second factor.
    pub(super) fn device_stands_in(&self, rule: &Rule) -> bool {
        !self.step_up
            && !self.reset
            && rule.remember_device
            && self.device.is_some_and(|device| {
                device.expires_at > self.now && device.made_at + self.instance.device_lifetime > self.now
            })
    }

    /// How enrolling may be put off now.
    pub(super) fn open_grace(&self, rule: &Rule) -> Option<super::step::Skip> {
        let Grace { sign_ins, days } = rule.grace;
        let used = self.user.grace;
        let until = (days > 0).then(|| used.started_at.unwrap_or(self.now) + Duration::from_hours(24) * days);
        let left = (sign_ins > 0).then(|| sign_ins.saturating_sub(used.sign_ins));
        let open = (sign_ins > 0 || days > 0)
            && !self.step_up
            && left.is_none_or(|left| left > 0)
            && until.is_none_or(|until| until > self.now);
        open.then_some(super::step::Skip { sign_ins_left: left, until })
    }
}
