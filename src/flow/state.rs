//! Where a flow stands, worked out of its facts and what the policy says, and what can be done there. The table of
//! transitions is what the router's answers are held against, and what `docs/flows.md` is drawn from.

use super::{End, Flow, FlowType};
use crate::{
    factor::FactorType,
    policy::{Reason, Step},
    time::Timestamp,
};

/// Where a flow stands.
#[derive(Clone, Debug)]
pub enum State {
    /// Nobody was named.
    NeedsIdentifier,
    /// A first factor has to be proven, or made: one of these. The same for known and unknown people (law 8).
    NeedsFirstFactor(&'static [FactorType]),
    /// A sign-up's address has to be proven.
    NeedsVerification,
    /// What the policy asks beside the first factor, or that nothing leads on.
    Policy(Step),
    /// The policy is met, and a reset waits for the new password.
    NeedsNewPassword,
    /// It ended in a code.
    Complete,
    /// It was given up, or its time is over.
    Abandoned,
}

/// What can be done in a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Say who it is.
    Identify,
    /// Prove a password, or choose one.
    Password,
    /// Prove a passkey, or make one, as a first factor.
    Passkey,
    /// Prove a recovery code.
    RecoveryCode,
    /// Have a code sent, or ask for a factor's proof.
    Challenge,
    /// Answer it, or have another code sent.
    Answer,
    /// Add a factor that is asked for, and prove it.
    Enrol,
    /// Put that off.
    Skip,
    /// Set the new password.
    NewPassword,
    /// Give the flow up.
    Abandon,
}

impl Action {
    /// The words for the documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identify => "identifier",
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery-code",
            Self::Challenge => "challenges",
            Self::Answer => "answer",
            Self::Enrol => "enrolments",
            Self::Skip => "skip",
            Self::NewPassword => "new-password",
            Self::Abandon => "abandon",
        }
    }
}

/// What a first factor can be at a sign-in and a sign-up.
const FIRST: &[FactorType] = &[FactorType::Password, FactorType::Passkey];
/// The same in a reset: the password is what was forgotten.
const FIRST_OF_RESET: &[FactorType] = &[FactorType::Email, FactorType::RecoveryCodes];

impl State {
    /// Every name, for the contract. `satisfied` never shows: a flow that stands there completes.
    pub const NAMES: [&'static str; 9] = [
        "needs_identifier",
        "needs_first_factor",
        "needs_verification",
        "needs_second_factor",
        "needs_enrolment",
        "needs_new_password",
        "complete",
        "abandoned",
        "blocked",
    ];

    /// The stable name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NeedsIdentifier => "needs_identifier",
            Self::NeedsFirstFactor(_) => "needs_first_factor",
            Self::NeedsVerification => "needs_verification",
            Self::Policy(step) => step.as_str(),
            Self::NeedsNewPassword => "needs_new_password",
            Self::Complete => "complete",
            Self::Abandoned => "abandoned",
        }
    }

    /// Why, where the policy has a reason.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Policy(step) => Some(step.reason()),
            _ => None,
        }
    }

    /// Where a flow stands at a moment, with what the policy says of its user.
    pub fn of(flow: &Flow, now: Timestamp, policy: Option<Step>) -> Self {
        match flow.end {
            Some(End::Complete) => return Self::Complete,
            Some(End::Abandoned) => return Self::Abandoned,
            None if flow.expires_at <= now => return Self::Abandoned,
            None => {}
        }
        let first = match flow.kind {
            FlowType::SignUp | FlowType::SignIn => Self::NeedsFirstFactor(FIRST),
            FlowType::PasswordReset => Self::NeedsFirstFactor(FIRST_OF_RESET),
        };
        match policy {
            // A reset ends with the new password, in one batch.
            Some(Step::Satisfied { .. }) if flow.kind == FlowType::PasswordReset => Self::NeedsNewPassword,
            Some(step) if !matches!(step, Step::NeedsFirstFactor { .. }) => Self::Policy(step),
            _ if flow.identifier.is_none() => Self::NeedsIdentifier,
            _ if flow.kind != FlowType::SignUp => first,
            _ if !flow.pending.contains_key("credential") => first,
            _ => Self::NeedsVerification,
        }
    }

    /// Whether it takes an action. An enrolment that cannot be put off takes no skip.
    pub fn takes(&self, kind: FlowType, action: Action) -> bool {
        let must = matches!(self, Self::Policy(Step::NeedsEnrolment { skip: None, .. }));
        !(must && action == Action::Skip)
            && TRANSITIONS.iter().any(|transition| {
                transition.of.contains(&kind) && transition.from == self.as_str() && transition.by == action
            })
    }
}

/// One row of the table: in flows of these types an action leads from one step to one of others.
pub struct Transition {
    /// In which flows.
    pub of: &'static [FlowType],
    /// From which step.
    pub from: &'static str,
    /// By what.
    pub by: Action,
    /// Where it may lead, when it works; a refusal leads nowhere.
    pub to: &'static [&'static str],
}

const UP: &[FlowType] = &[FlowType::SignUp];
const IN: &[FlowType] = &[FlowType::SignIn];
const RESET: &[FlowType] = &[FlowType::PasswordReset];
const IN_OR_RESET: &[FlowType] = &[FlowType::SignIn, FlowType::PasswordReset];
const UP_OR_IN: &[FlowType] = &[FlowType::SignUp, FlowType::SignIn];
const EVERY: &[FlowType] = &FlowType::ALL;

/// Where the policy may lead once a first factor is proven.
const ON: &[&str] = &["needs_second_factor", "needs_enrolment", "blocked", "complete"];
const MADE_OR_NOT: &[&str] = &["needs_verification", "needs_second_factor", "needs_enrolment", "blocked", "complete"];
/// A mailbox that the account has left meanwhile proves nothing.
const AFTER_A_CODE: &[&str] = &["needs_first_factor", "needs_second_factor", "blocked", "needs_new_password"];
const ON_IN_RESET: &[&str] = &["needs_second_factor", "blocked", "needs_new_password"];

const fn row(of: &'static [FlowType], from: &'static str, by: Action, to: &'static [&'static str]) -> Transition {
    Transition { of, from, by, to }
}

/// The table.
pub const TRANSITIONS: &[Transition] = &[
    row(IN_OR_RESET, "needs_identifier", Action::Identify, &["needs_first_factor"]),
    row(IN_OR_RESET, "needs_first_factor", Action::Identify, &["needs_first_factor"]),
    row(UP, "needs_identifier", Action::Identify, &["needs_first_factor", "needs_verification"]),
    row(UP, "needs_identifier", Action::Password, &["needs_verification"]),
    row(UP, "needs_identifier", Action::Passkey, &["needs_identifier"]),
    row(UP, "needs_first_factor", Action::Identify, &["needs_first_factor"]),
    row(UP, "needs_first_factor", Action::Challenge, &["needs_first_factor"]),
    row(UP, "needs_verification", Action::Identify, &["needs_verification"]),
    row(UP, "needs_verification", Action::Password, &["needs_verification"]),
    row(UP, "needs_verification", Action::Passkey, &["needs_verification"]),
    row(UP, "needs_verification", Action::Challenge, &["needs_verification"]),
    row(IN, "needs_identifier", Action::Password, ON),
    row(IN, "needs_identifier", Action::Passkey, ON),
    row(IN, "needs_identifier", Action::Answer, ON),
    row(IN, "needs_first_factor", Action::Password, ON),
    row(IN, "needs_first_factor", Action::Passkey, ON),
    row(IN, "needs_first_factor", Action::Answer, ON),
    row(UP, "needs_first_factor", Action::Password, MADE_OR_NOT),
    row(UP, "needs_first_factor", Action::Passkey, MADE_OR_NOT),
    row(UP, "needs_first_factor", Action::Answer, &["needs_first_factor"]),
    row(UP, "needs_verification", Action::Answer, ON),
    row(RESET, "needs_first_factor", Action::Answer, AFTER_A_CODE),
    row(RESET, "needs_first_factor", Action::RecoveryCode, ON_IN_RESET),
    row(RESET, "needs_second_factor", Action::Challenge, &["needs_second_factor"]),
    row(RESET, "needs_second_factor", Action::Answer, ON_IN_RESET),
    row(RESET, "needs_second_factor", Action::RecoveryCode, ON_IN_RESET),
    row(RESET, "needs_new_password", Action::NewPassword, &["complete"]),
    row(UP_OR_IN, "needs_second_factor", Action::Challenge, &["needs_second_factor"]),
    row(UP_OR_IN, "needs_second_factor", Action::Answer, ON),
    row(IN, "needs_second_factor", Action::RecoveryCode, ON),
    row(UP_OR_IN, "needs_enrolment", Action::Enrol, ON),
    row(UP_OR_IN, "needs_enrolment", Action::Skip, &["complete"]),
    row(EVERY, "needs_identifier", Action::Abandon, &["abandoned"]),
    row(EVERY, "needs_first_factor", Action::Abandon, &["abandoned"]),
    row(UP, "needs_verification", Action::Abandon, &["abandoned"]),
    row(EVERY, "needs_second_factor", Action::Abandon, &["abandoned"]),
    row(UP_OR_IN, "needs_enrolment", Action::Abandon, &["abandoned"]),
    row(RESET, "needs_new_password", Action::Abandon, &["abandoned"]),
    row(EVERY, "blocked", Action::Abandon, &["abandoned"]),
];
