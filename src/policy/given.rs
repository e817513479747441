//! Situations in few words, for the cases of `cases.rs`: what the policy is, who the user is, what was proven.

use std::time::Duration;

use super::{
    facts::{
        Device, EmailBackup, Enrolled, Exception, External, ExternalKind, Grace, GraceUsed, InstancePolicy, Proof,
        Rule, Situation, User,
    },
    kind::{Kind, Kinds},
};
use crate::{challenge::Purpose, message::Channel, time::Timestamp};

const DAY: Duration = Duration::from_hours(24);

/// The moment of every case.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_795_310_876_000);

/// A situation that is being told.
#[derive(Clone)]
pub(super) struct Given(pub(super) Situation);

/// Nothing required, nothing enforced, everything enrollable, a user without factors, nothing proven.
pub(super) fn given() -> Given {
    Given(Situation {
        now: NOW,
        step_up: false,
        reset: false,
        instance: InstancePolicy {
            rule: Rule::default(),
            enrollable: Kinds::SECOND.or(Kinds::of(&[Kind::RecoveryCodes])),
            device_lifetime: DAY * 30,
        },
        app: None,
        user: User::default(),
        device: None,
        external: None,
        proofs: Vec::new(),
    })
}

impl Given {
    fn rule(&mut self) -> &mut Rule {
        self.0.app.as_mut().unwrap_or(&mut self.0.instance.rule)
    }

    /// What follows of the policy is the app's own.
    pub(super) fn app(mut self) -> Self {
        self.0.app = Some(Rule::default());
        self
    }

    pub(super) fn required(mut self, kinds: &[Kind]) -> Self {
        self.rule().required = Kinds::of(kinds);
        self
    }

    pub(super) fn named(mut self, kinds: &[Kind]) -> Self {
        self.rule().named = Kinds::of(kinds);
        self
    }

    pub(super) fn enforced(mut self, kinds: &[Kind]) -> Self {
        self.rule().enforce_enrolment = Kinds::of(kinds);
        self
    }

    pub(super) fn backup(mut self, when: EmailBackup) -> Self {
        self.rule().email_backup = when;
        self
    }

    pub(super) fn devices(mut self) -> Self {
        self.rule().remember_device = true;
        self
    }

    /// Devices are remembered for so many days.
    pub(super) fn device_days(mut self, days: u32) -> Self {
        self.0.instance.device_lifetime = DAY * days;
        self
    }

    pub(super) fn grace(mut self, sign_ins: u32, days: u32) -> Self {
        self.rule().grace = Grace { sign_ins, days };
        self
    }

    pub(super) fn disabled(mut self, kinds: &[Kind]) -> Self {
        self.0.instance.enrollable = self.0.instance.enrollable.less(Kinds::of(kinds));
        self
    }

    /// The user has a factor of this kind.
    pub(super) fn has(mut self, kind: Kind) -> Self {
        let number = self.0.user.factors.iter().filter(|factor| factor.kind == kind).count() + 1;
        self.0.user.factors.push(Enrolled {
            id: format!("{} {number}", kind.as_str()),
            kind,
            is_active: true,
            is_available: true,
            destination: destination(kind, number),
            last_used_at: None,
        });
        self
    }

    fn last(mut self, change: impl FnMut(&mut Enrolled)) -> Self {
        self.0.user.factors.last_mut().into_iter().for_each(change);
        self
    }

    /// The factor named last is unavailable.
    pub(super) fn unavailable(self) -> Self {
        self.last(|factor| factor.is_available = false)
    }

    /// The factor named last is not proven yet.
    pub(super) fn pending(self) -> Self {
        self.last(|factor| factor.is_active = false)
    }

    /// The factor named last was used so many days ago.
    pub(super) fn used(self, days: u32) -> Self {
        self.last(|factor| factor.last_used_at = Some(NOW.before(DAY * days)))
    }

    pub(super) fn shut_out(mut self) -> Self {
        self.0.user.is_disabled = true;
        self
    }

    pub(super) fn exempt_for(mut self, days: u32) -> Self {
        self.0.user.exception = Exception::ExemptUntil(NOW + DAY * days);
        self
    }

    pub(super) fn was_exempt(mut self) -> Self {
        self.0.user.exception = Exception::ExemptUntil(NOW);
        self
    }

    pub(super) fn has_to(mut self, kinds: &[Kind]) -> Self {
        self.0.user.exception = Exception::Required(Kinds::of(kinds));
        self
    }

    /// The user has put enrolling off so often, first so many days ago.
    pub(super) fn put_off(mut self, sign_ins: u32, days: u32) -> Self {
        self.0.user.grace = GraceUsed { started_at: Some(NOW.before(DAY * days)), sign_ins };
        self
    }

    /// The request has a device that was made so many days ago.
    pub(super) fn device(mut self, days: u32) -> Self {
        let made_at = NOW.before(DAY * days);
        self.0.device = Some(Device { made_at, expires_at: made_at + DAY * 30 });
        self
    }

    /// The customer's login has asked this.
    pub(super) fn login(mut self, kind: ExternalKind) -> Self {
        self.0.external = Some(External { kind, destination: None });
        self
    }

    /// The customer's login has used the user's nth phone or mailbox.
    pub(super) fn login_at(mut self, kind: ExternalKind, number: usize) -> Self {
        let used = if kind == ExternalKind::Phone { Kind::Phone } else { Kind::Email };
        self.0.external = Some(External { kind, destination: destination(used, number) });
        self
    }

    /// The first factor of this kind was proven just now.
    pub(super) fn proves(self, kind: Kind) -> Self {
        self.proves_nth(kind, 1)
    }

    /// The nth factor of this kind was proven just now.
    pub(super) fn proves_nth(mut self, kind: Kind, number: usize) -> Self {
        self.0.proofs.push(Proof {
            kind,
            factor_id: (kind != Kind::Password).then(|| format!("{} {number}", kind.as_str())),
            purpose: if self.0.step_up { Purpose::StepUp } else { Purpose::SignIn },
            channel: (kind == Kind::Phone).then_some(Channel::Sms),
            user_verified: false,
            is_synced: true,
            destination: destination(kind, number),
            verified_at: NOW,
        });
        self
    }

    /// The user's own address was proven just now, which is no factor.
    pub(super) fn proves_address(self) -> Self {
        self.proves(Kind::Email).last_proof(|proof| proof.factor_id = None)
    }

    fn last_proof(mut self, change: impl FnMut(&mut Proof)) -> Self {
        self.0.proofs.last_mut().into_iter().for_each(change);
        self
    }

    /// The proof named last was for this.
    pub(super) fn of(self, purpose: Purpose) -> Self {
        self.last_proof(|proof| proof.purpose = purpose)
    }

    /// The proof named last verified the user.
    pub(super) fn verified(self) -> Self {
        self.last_proof(|proof| proof.user_verified = true)
    }

    /// The proof named last came by call.
    pub(super) fn by_call(self) -> Self {
        self.last_proof(|proof| proof.channel = Some(Channel::Voice))
    }

    /// The proof named last is so many minutes old.
    pub(super) fn old(self, minutes: u64) -> Self {
        self.last_proof(|proof| proof.verified_at = NOW.before(Duration::from_mins(minutes)))
    }

    pub(super) fn reset(mut self) -> Self {
        self.0.reset = true;
        self
    }

    pub(super) fn step_up(mut self) -> Self {
        self.0.step_up = true;
        self
    }
}

fn destination(kind: Kind, number: usize) -> Option<String> {
    matches!(kind, Kind::Phone | Kind::Email).then(|| format!("{} {number}", kind.as_str()))
}
