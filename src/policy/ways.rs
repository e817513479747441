//! The ways forward of a flow: what can be proven, what can stand in for it, and whether there is an end.

use super::{
    facts::{EmailBackup, Enrolled, Proof},
    flow::{First, Flow},
    kind::{Kind, Kinds, ORDER},
    step::{Offer, Reason, Role, StandIn},
};
use crate::{challenge::Purpose, few::sort_few};

/// What stands in, for those that are still open.
pub(super) struct Cover {
    pub(super) stand_ins: Vec<StandIn>,
    pub(super) open: Kinds,
}

impl Cover {
    /// Lets something stand in for the first of these, by preference.
    fn put(&mut self, stand_in: StandIn, preferred: &[Kinds]) {
        if let Some(kind) = preferred.iter().find_map(|kinds| kinds.and(self.open).iter().next()) {
            self.open = self.open.less(Kinds::of(&[kind]));
            self.stand_ins.push(stand_in);
        }
    }
}

impl<'a> Flow<'a> {
    /// What stands in for required factors that the user has: a remembered device for all of them, a recovery code for
    /// one, an e-mail code for one that is unavailable. Those that cannot be proven come first.
    pub(super) fn cover(&self, held: Kinds) -> Cover {
        let mut cover = Cover { stand_ins: Vec::new(), open: held };
        if held.is_empty() {
            return cover;
        }
        if self.situation.device_stands_in(self.rule) {
            return Cover { stand_ins: vec![StandIn::Device], open: Kinds::NONE };
        }
        let by_email = self.backed_up();
        let code = self.proven(Kind::RecoveryCodes);
        // One code that is enough is not told of as an e-mail.
        if self.email_backup_proven() && !(code && held.count() == 1) {
            let stuck = self.stuck(cover.open);
            cover.put(StandIn::EmailBackup, &[stuck.and(by_email), cover.open.and(by_email)]);
        }
        if code {
            let stuck = self.stuck(cover.open);
            cover.put(StandIn::RecoveryCode, &[stuck.less(by_email), stuck, cover.open]);
        }
        cover
    }

    /// Those of the user's kinds that cannot be proven in this flow.
    pub(super) fn stuck(&self, held: Kinds) -> Kinds {
        held.iter().filter(|kind| self.own(Kinds::of(&[*kind])).next().is_none()).collect()
    }

    /// The kinds that an e-mail code may stand in for: not where the mailbox was the way in, or is asked itself.
    pub(super) fn backed_up(&self) -> Kinds {
        let barred = self.first.kind() == Some(Kind::Email) || self.rule.required.has(Kind::Email);
        let of_kind = |kind| self.situation.active().filter(move |factor| factor.kind == kind);
        match self.rule.email_backup {
            _ if barred => Kinds::NONE,
            EmailBackup::Never => Kinds::NONE,
            EmailBackup::Unavailable => {
                self.held().iter().filter(|kind| of_kind(*kind).all(|factor| !factor.is_available)).collect()
            }
            EmailBackup::OnRequest => self.held(),
        }
        .less(Kinds::of(&[Kind::Email]))
    }

    pub(super) fn email_backup_proven(&self) -> bool {
        // An e-mail address that was enrolled just now is no way around what the user has.
        self.seconds.iter().any(|proof| proof.kind == Kind::Email && proof.purpose != Purpose::Enrolment)
    }

    /// Why a flow that wants these can never be met, if it cannot. Told at once, not after the first of them.
    pub(super) fn dead_end(&self, wanted: Kinds) -> Option<Reason> {
        // A passkey spares the user all but what is asked for by name.
        let wanted = if self.passkeys(wanted).next().is_some() { wanted.and(self.rule.named) } else { wanted };
        if let Some(kind) = wanted.less(self.held()).less(self.enrollable()).iter().next() {
            let switched_off = !self.situation.instance.enrollable.has(kind);
            return Some(if switched_off { Reason::EnrolmentDisabled } else { Reason::SameDestination });
        }
        let enrols = !wanted.less(self.held()).is_empty();
        if enrols && !self.may_enrol_now() && self.allowing_options().is_empty() {
            return Some(Reason::FactorUnavailable);
        }
        if self.situation.device_stands_in(self.rule) {
            return None;
        }
        let stuck = self.stuck(wanted.and(self.held()));
        let by_email = !stuck.and(self.backed_up()).is_empty()
            && (self.email_backup_proven() || self.own(Kinds::of(&[Kind::Email])).next().is_some());
        let by_code = self.proven(Kind::RecoveryCodes) || self.own(Kinds::of(&[Kind::RecoveryCodes])).next().is_some();
        (stuck.count() > u32::from(by_email) + u32::from(by_code)).then(|| self.why_stuck(stuck))
    }

    pub(super) fn why_stuck(&self, stuck: Kinds) -> Reason {
        let used = self
            .situation
            .active()
            .filter(|factor| stuck.has(factor.kind) && factor.is_available)
            .any(|factor| self.is_used(factor));
        if used { Reason::SameDestination } else { Reason::FactorUnavailable }
    }

    /// The kinds of factor whose proof allows the enrolment of another. A password or a mailbox allows none to a user
    /// who has something stronger (law 6; the factors' store says the same).
    fn allowing(&self) -> Kinds {
        let there: Kinds = self.situation.active().map(|factor| factor.kind).collect();
        let weak = Kinds::of(&[Kind::Password, Kind::Email]);
        let strong = there.and(Kinds::SECOND).less(weak);
        if strong.is_empty() { there } else { there.less(weak) }
    }

    /// Whether another factor may be enrolled now: the user has none, or has proven one in this flow.
    pub(super) fn may_enrol_now(&self) -> bool {
        let allowing = self.allowing();
        let proven =
            |proof: &Proof| self.situation.counts(proof) && proof.factor_id.is_some() && allowing.has(proof.kind);
        allowing.is_empty() || self.situation.proofs.iter().any(proven)
    }

    /// What can be proven to be allowed an enrolment.
    pub(super) fn allowing_options(&self) -> Vec<Offer> {
        let allowing = self.allowing();
        let available = self.situation.active().filter(|factor| allowing.has(factor.kind) && factor.is_available);
        in_order(
            available.map(|factor| {
                (factor, if factor.kind == Kind::RecoveryCodes { Role::RecoveryCode } else { Role::Factor })
            }),
        )
    }

    /// What can be enrolled in this flow: not a second mailbox or phone behind a mailbox or phone.
    pub(super) fn enrollable(&self) -> Kinds {
        let first: Kinds =
            self.first.kind().into_iter().filter(|kind| matches!(kind, Kind::Email | Kind::Phone)).collect();
        self.situation.instance.enrollable.less(first)
    }

    /// What can be proven for `open`, where `wanted` is left: themselves and passkeys, then an e-mail code, then a
    /// recovery code.
    pub(super) fn options_for(&self, open: Kinds, wanted: Kinds) -> Vec<Offer> {
        let own = self.own(open).map(|factor| (factor, self.role(factor)));
        let passkeys = self.passkeys(wanted).filter(|factor| !open.has(factor.kind));
        let mut options = in_order(own.chain(passkeys.map(|factor| (factor, Role::Passkey))));
        if !open.and(self.backed_up()).is_empty() && !self.email_backup_proven() {
            let mailboxes = self.own(Kinds::of(&[Kind::Email]));
            options.extend(in_order(mailboxes.map(|factor| (factor, Role::EmailBackup))));
        }
        if !open.is_empty() && !self.proven(Kind::RecoveryCodes) {
            options.extend(self.recovery_codes());
        }
        options
    }

    pub(super) fn recovery_codes(&self) -> Vec<Offer> {
        in_order(self.own(Kinds::of(&[Kind::RecoveryCodes])).map(|factor| (factor, Role::RecoveryCode)))
    }

    /// The user's factors of these kinds that can be asked now, beside the first.
    pub(super) fn own(&self, kinds: Kinds) -> impl Iterator<Item = &'a Enrolled> {
        self.situation
            .active()
            .filter(move |factor| kinds.has(factor.kind) && factor.is_available && !self.is_used(factor))
    }

    /// The passkey that was the first factor has to verify the user to be more than that.
    pub(super) fn role(&self, factor: &Enrolled) -> Role {
        match self.first {
            First::Own(first) if first.factor_id.as_ref() == Some(&factor.id) => Role::Passkey,
            First::Own(_) | First::External(_) => Role::Factor,
        }
    }

    /// The passkeys that would spare the user some of these, if they verify the user.
    pub(super) fn passkeys(&self, wanted: Kinds) -> impl Iterator<Item = &'a Enrolled> {
        let of_use = !self.verified_passkey() && !wanted.less(self.rule.named).is_empty();
        let kinds = if of_use { Kinds::of(&[Kind::Passkey]) } else { Kinds::NONE };
        self.situation.active().filter(move |factor| kinds.has(factor.kind) && factor.is_available)
    }
}

/// Options: the one used last first, then in the order of kinds.
pub(super) fn in_order<'a>(factors: impl Iterator<Item = (&'a Enrolled, Role)>) -> Vec<Offer> {
    let mut factors: Vec<_> = factors.collect();
    let rank = |(factor, _): &(&Enrolled, Role)| {
        (std::cmp::Reverse(factor.last_used_at), ORDER.iter().position(|kind| *kind == factor.kind))
    };
    sort_few(&mut factors, |one, other| rank(one) < rank(other));
    let offer = |(factor, role): (&Enrolled, Role)| Offer { factor_id: factor.id.clone(), kind: factor.kind, role };
    factors.into_iter().map(offer).collect()
}
