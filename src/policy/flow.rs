//! One flow: a first factor, and what was proven beside it. The rules of the policy stand here, one function each.

use super::{
    assurance::{Assurance, assurance},
    facts::{Enrolled, External, ExternalKind, Proof, Rule, Situation},
    kind::{Kind, Kinds},
    step::{Reason, StandIn, Step},
    ways::{Cover, in_order},
};

/// What a flow began with.
#[derive(Clone, Copy)]
pub(super) enum First<'a> {
    /// The customer's own login.
    External(&'a External),
    /// A proof of ours.
    Own(&'a Proof),
}

impl First<'_> {
    /// The kind whose destination must not come a second time.
    pub(super) fn kind(self) -> Option<Kind> {
        match self {
            Self::External(external) => match external.kind {
                ExternalKind::Email => Some(Kind::Email),
                ExternalKind::Phone => Some(Kind::Phone),
                ExternalKind::Password => Some(Kind::Password),
                ExternalKind::Federated | ExternalKind::Other => None,
            },
            Self::Own(proof) => Some(proof.kind),
        }
    }

    /// Whether a phone or mailbox is the one it used; one that is not known is taken for the same.
    pub(super) fn used(self, kind: Kind, destination: Option<&str>) -> bool {
        let mine = match self {
            Self::External(external) => external.destination.as_deref(),
            Self::Own(proof) => proof.destination.as_deref(),
        };
        matches!(kind, Kind::Phone | Kind::Email)
            && self.kind() == Some(kind)
            && (mine.is_none() || destination.is_none() || mine == destination)
    }

    /// Whether a proof is the first factor over again.
    fn is(self, proof: &Proof) -> bool {
        let same_factor = match self {
            Self::External(_) => false,
            Self::Own(first) => {
                std::ptr::eq(first, proof) || (first.factor_id.is_some() && first.factor_id == proof.factor_id)
            }
        };
        same_factor || self.used(proof.kind, proof.destination.as_deref())
    }
}

/// A first factor with what was proven beside it.
pub(super) struct Flow<'a> {
    pub(super) situation: &'a Situation,
    pub(super) rule: &'a Rule,
    pub(super) first: First<'a>,
    /// What was proven beside the first factor: second factors and recovery codes.
    pub(super) seconds: Vec<&'a Proof>,
}

impl<'a> Flow<'a> {
    pub(super) fn new(situation: &'a Situation, rule: &'a Rule, first: First<'a>) -> Self {
        let flow = Self { situation, rule, first, seconds: Vec::new() };
        let seconds = situation
            .proofs
            .iter()
            .filter(|proof| situation.counts(proof) && proof.factor_id.is_some())
            .filter(|proof| Kinds::SECOND.has(proof.kind) || proof.kind == Kind::RecoveryCodes)
            .filter(|proof| !first.is(proof) && !flow.is_spent(proof.kind))
            .collect();
        Self { seconds, ..flow }
    }

    /// Whether the first factor of a reset has used a kind up: after an e-mail no mailbox is a second factor, and after
    /// a recovery code no other one.
    fn is_spent(&self, kind: Kind) -> bool {
        self.situation.reset && self.first.kind() == Some(kind)
    }

    /// Whether a factor was the first, or is spent with it.
    pub(super) fn is_used(&self, factor: &Enrolled) -> bool {
        self.is_spent(factor.kind) || self.first.used(factor.kind, factor.destination.as_deref())
    }

    /// The next step of this flow.
    pub(super) fn step(&self) -> Step {
        let wanted = self.wanted();
        if self.situation.is_exempt() && !self.any_second() {
            return self.satisfied(Reason::UserExempt, vec![StandIn::Exemption]);
        }
        if !wanted.is_empty() {
            return self.each_of(wanted);
        }
        if self.verified_passkey() {
            return self.satisfied(Reason::PasskeyVerifiedUser, Vec::new());
        }
        if !self.required().is_empty() {
            return self.satisfied(Reason::FactorsProven, Vec::new());
        }
        if self.held().is_empty() { self.none_enrolled() } else { self.any_one() }
    }

    /// What is required: in a reset only of what the user has. What is missing is enrolled at the next sign-in.
    fn required(&self) -> Kinds {
        if self.situation.reset { self.rule.required.and(self.held()) } else { self.rule.required }
    }

    /// What is required and not proven: a passkey that verified the user leaves only what is asked for by name.
    fn wanted(&self) -> Kinds {
        let asked = if self.verified_passkey() { self.rule.named.and(self.required()) } else { self.required() };
        let verified: Kinds = self.verified_passkey().then_some(Kind::Passkey).into_iter().collect();
        asked.less(self.seconds.iter().map(|proof| proof.kind).collect()).less(verified)
    }

    /// The kinds of second factor that the user has, in this flow.
    pub(super) fn held(&self) -> Kinds {
        let kinds = self.situation.active().map(|factor| factor.kind).filter(|kind| !self.is_spent(*kind));
        kinds.collect::<Kinds>().and(Kinds::SECOND)
    }

    /// Every required factor has to be proven, or enrolled first.
    fn each_of(&self, wanted: Kinds) -> Step {
        let missing = wanted.less(self.held());
        let Cover { stand_ins, open } = self.cover(wanted.and(self.held()));
        if let Some(reason) = self.dead_end(wanted) {
            return Step::Blocked { reason };
        }
        if !open.is_empty() {
            return Step::NeedsSecondFactor {
                outstanding: wanted,
                // A code or e-mail that stands in for one of them does so for any.
                options: self.options_for(wanted.and(self.held()), wanted),
                reason: Reason::RequiredFactor,
            };
        }
        if missing.is_empty() {
            return self.satisfied(reason_of(&stand_ins), stand_ins);
        }
        if !missing.less(self.enrollable()).is_empty() {
            // No dead end: a passkey spares the user what cannot be enrolled.
            return Step::NeedsSecondFactor {
                outstanding: wanted,
                options: self.options_for(Kinds::NONE, wanted),
                reason: Reason::RequiredFactor,
            };
        }
        self.enrol(missing, Reason::RequiredFactorMissing)
    }

    /// Nothing is required, and the user has second factors: any one of them.
    fn any_one(&self) -> Step {
        if self.any_second() {
            return self.satisfied(Reason::FactorsProven, Vec::new());
        }
        if self.situation.device_stands_in(self.rule) {
            return self.satisfied(Reason::DeviceRemembered, vec![StandIn::Device]);
        }
        if self.proven(Kind::RecoveryCodes) {
            return self.satisfied(Reason::RecoveryCodeUsed, vec![StandIn::RecoveryCode]);
        }
        let mut options = in_order(self.own(Kinds::SECOND).map(|factor| (factor, self.role(factor))));
        options.extend(self.recovery_codes());
        if options.is_empty() {
            return Step::Blocked { reason: self.why_stuck(self.held()) };
        }
        Step::NeedsSecondFactor { outstanding: Kinds::NONE, options, reason: Reason::EnrolledFactor }
    }

    /// Nothing is required, and the user has no second factor: one of the list, now or within the grace.
    fn none_enrolled(&self) -> Step {
        if self.situation.reset {
            let by_mailbox = self.first.kind() == Some(Kind::Email);
            let reason = if by_mailbox { Reason::MailboxOnly } else { Reason::RecoveryCodeUsed };
            return self.satisfied(reason, Vec::new());
        }
        if self.rule.enforce_enrolment.is_empty() {
            return self.satisfied(Reason::NothingRequired, Vec::new());
        }
        let options = self.rule.enforce_enrolment.and(self.enrollable());
        if let Some(skip) = self.situation.open_grace(self.rule) {
            let (options, assurance) = (options.iter().collect(), self.assurance());
            return Step::NeedsEnrolment { options, skip: Some(skip), assurance, reason: Reason::EnrolmentInGrace };
        }
        if options.is_empty() {
            let switched_off = self.rule.enforce_enrolment.and(self.situation.instance.enrollable).is_empty();
            let reason = if switched_off { Reason::EnrolmentDisabled } else { Reason::SameDestination };
            return Step::Blocked { reason };
        }
        self.enrol(options, Reason::EnrolmentEnforced)
    }

    /// An enrolment; a user who has factors proves one of them first (law 6).
    fn enrol(&self, kinds: Kinds, reason: Reason) -> Step {
        if self.may_enrol_now() {
            return Step::NeedsEnrolment {
                options: kinds.iter().collect(),
                skip: None,
                assurance: self.assurance(),
                reason,
            };
        }
        let options = self.allowing_options();
        if options.is_empty() {
            return Step::Blocked { reason: Reason::FactorUnavailable };
        }
        Step::NeedsSecondFactor { outstanding: kinds, options, reason: Reason::ProofBeforeEnrolment }
    }

    pub(super) fn verified_passkey(&self) -> bool {
        let first = match self.first {
            First::External(_) => None,
            First::Own(proof) => Some(proof),
        };
        let mut proofs = self.seconds.iter().copied().chain(first);
        proofs.any(|proof| proof.kind == Kind::Passkey && proof.user_verified)
    }

    pub(super) fn proven(&self, kind: Kind) -> bool {
        self.seconds.iter().any(|proof| proof.kind == kind)
    }

    /// Whether a second factor was proven, or a passkey that is two.
    fn any_second(&self) -> bool {
        self.verified_passkey() || self.seconds.iter().any(|proof| Kinds::SECOND.has(proof.kind))
    }

    fn assurance(&self) -> Assurance {
        assurance(self.situation)
    }

    fn satisfied(&self, reason: Reason, stand_ins: Vec<StandIn>) -> Step {
        Step::Satisfied {
            assurance: self.assurance(),
            may_remember_device: stand_ins.is_empty()
                && self.any_second()
                && self.rule.remember_device
                && !self.situation.reset,
            stand_ins,
            reason,
        }
    }
}

fn reason_of(stand_ins: &[StandIn]) -> Reason {
    match stand_ins {
        [] => Reason::FactorsProven,
        [StandIn::Device, ..] => Reason::DeviceRemembered,
        // The user has to be told, whatever else stood in.
        _ if stand_ins.contains(&StandIn::EmailBackup) => Reason::EmailBackupUsed,
        _ => Reason::RecoveryCodeUsed,
    }
}
