//! A second reading of the rules: slow, and without the shape of the code under test. It tries every first factor and
//! every way to let things stand in, and says what a flow may be called satisfied for.

use crate::{
    challenge::Purpose,
    message::Channel,
    policy::{EmailBackup, Exception, ExternalKind, Kind, Kinds, Proof, Rule, Situation, facts::PROOF_LIFETIME},
};

/// What a flow may be satisfied by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// By something.
    pub satisfied: bool,
    /// With nothing standing in for a factor, and a second factor proven.
    pub properly: bool,
}

fn exempt(s: &Situation) -> bool {
    matches!(s.user.exception, Exception::ExemptUntil(until) if s.now < until)
}

fn rule(s: &Situation) -> Rule {
    let mut rule = if let Some(app) = &s.app { app.clone() } else { s.instance.rule.clone() };
    rule.required = rule.required.or(rule.named);
    if let Exception::Required(more) = s.user.exception {
        rule.required = rule.required.or(more);
    }
    if exempt(s) {
        rule.required = Kinds::NONE;
        rule.named = Kinds::NONE;
        rule.enforce_enrolment = Kinds::NONE;
    }
    rule
}

/// The proofs that are proofs of anything here.
pub fn valid(s: &Situation) -> Vec<&Proof> {
    s.proofs
        .iter()
        .filter(|p| s.now.millis() - p.verified_at.millis() <= i64::try_from(PROOF_LIFETIME.as_millis()).unwrap())
        .filter(|p| !s.reset || p.kind != Kind::Password)
        .filter(|p| match p.purpose {
            Purpose::Verification => false,
            Purpose::SignIn => !s.step_up,
            Purpose::StepUp | Purpose::Enrolment => true,
        })
        .filter(|p| match &p.factor_id {
            Some(id) => s.user.factors.iter().any(|f| f.id == *id && f.is_active && f.kind == p.kind),
            None => p.kind == Kind::Password || p.kind == Kind::Email,
        })
        .collect()
}

/// A first factor, whoever proved it.
struct First<'a> {
    own: Option<&'a Proof>,
    mailbox: Used<'a>,
    phone: Used<'a>,
}

/// Whether a first factor has used a mailbox, or phone.
#[derive(Clone, Copy, PartialEq)]
enum Used<'a> {
    No,
    Unknown,
    This(&'a str),
}

impl<'a> Used<'a> {
    fn new(yes: bool, at: Option<&'a str>) -> Self {
        match (yes, at) {
            (false, _) => Self::No,
            (true, None) => Self::Unknown,
            (true, Some(at)) => Self::This(at),
        }
    }

    fn is(self, second: Option<&str>) -> bool {
        match self {
            Self::No => false,
            Self::Unknown => true,
            Self::This(first) => second.is_none_or(|second| second == first),
        }
    }
}

fn firsts(s: &Situation) -> Vec<First<'_>> {
    let mut firsts = Vec::new();
    if let Some(external) = s.external.as_ref().filter(|_| !s.reset) {
        let at = external.destination.as_deref();
        firsts.push(First {
            own: None,
            mailbox: Used::new(external.kind == ExternalKind::Email, at),
            phone: Used::new(external.kind == ExternalKind::Phone, at),
        });
    }
    for proof in valid(s) {
        let at = proof.destination.as_deref();
        let kinds: &[Kind] = if s.reset {
            &[Kind::Email, Kind::RecoveryCodes]
        } else {
            &[Kind::Password, Kind::Passkey, Kind::Phone, Kind::Email]
        };
        if kinds.contains(&proof.kind) {
            firsts.push(First {
                own: Some(proof),
                mailbox: Used::new(proof.kind == Kind::Email, at),
                phone: Used::new(proof.kind == Kind::Phone, at),
            });
        }
    }
    firsts
}

/// Whether any way of reading the proofs satisfies every rule.
pub fn judge(s: &Situation) -> Verdict {
    let rule = rule(s);
    let mut verdict = Verdict::default();
    if s.user.is_disabled {
        return verdict;
    }
    for first in firsts(s) {
        if s.reset {
            verdict.satisfied |= first.own.is_some_and(|own| reset(s, &rule, own.kind == Kind::Email));
            continue;
        }
        let seconds: Vec<&Proof> = valid(s)
            .into_iter()
            .filter(|p| p.factor_id.is_some() && p.kind != Kind::Password)
            .filter(|p| !first.own.is_some_and(|own| std::ptr::eq(own, *p) || own.factor_id == p.factor_id))
            .filter(|p| !(p.kind == Kind::Email && first.mailbox.is(p.destination.as_deref())))
            .filter(|p| !(p.kind == Kind::Phone && first.phone.is(p.destination.as_deref())))
            .collect();
        let uv = seconds.iter().copied().chain(first.own).any(|p| p.kind == Kind::Passkey && p.user_verified);
        let second = uv || seconds.iter().any(|p| p.kind != Kind::RecoveryCodes);
        // Every subset of what could stand in, given that it may.
        for stand_ins in 0..8 {
            let (device, code, email) = (stand_ins & 1 != 0, stand_ins & 2 != 0, stand_ins & 4 != 0);
            if let Some(properly) = satisfied(s, &rule, &first, &seconds, uv, (device, code, email)) {
                verdict.satisfied = true;
                verdict.properly |= properly && second && stand_ins == 0;
            }
        }
        if exempt(s) && !s.step_up {
            verdict.satisfied = true;
        }
    }
    verdict
}

/// Whether a password reset that began by mail, or with a recovery code, is met.
fn reset(s: &Situation, rule: &Rule, by_mail: bool) -> bool {
    let second_kinds = [Kind::Passkey, Kind::Totp, Kind::Phone, Kind::Email];
    let usable: Vec<Kind> = second_kinds.into_iter().filter(|kind| !(by_mail && *kind == Kind::Email)).collect();
    let has = |kind: &Kind| s.user.factors.iter().any(|f| f.kind == *kind && f.is_active);
    let proven: Vec<&Proof> = valid(s).into_iter().filter(|p| p.factor_id.is_some()).collect();
    let one = |kind: &Kind| proven.iter().any(|p| p.kind == *kind);
    let uv = proven.iter().any(|p| p.kind == Kind::Passkey && p.user_verified);
    let code = by_mail && one(&Kind::RecoveryCodes);
    let required: Vec<Kind> = usable.iter().copied().filter(|kind| rule.required.has(*kind) && has(kind)).collect();
    if required.is_empty() {
        return !usable.iter().any(has) || uv || code || usable.iter().any(one);
    }
    let mail = rule.email_backup != EmailBackup::Never
        && !by_mail
        && !rule.required.has(Kind::Email)
        && proven.iter().any(|p| p.kind == Kind::Email && p.purpose != Purpose::Enrolment);
    let down = |kind: Kind| s.user.factors.iter().all(|f| f.kind != kind || !f.is_active || !f.is_available);
    let spared = |kind: &Kind| uv && (*kind == Kind::Passkey || !rule.named.has(*kind));
    let open: Vec<Kind> = required.into_iter().filter(|kind| !one(kind) && !spared(kind)).collect();
    match open.as_slice() {
        [] => true,
        [kind] => code || (mail && (rule.email_backup == EmailBackup::OnRequest || down(*kind))),
        _ => false,
    }
}

/// Whether it is met with just these standing in; and whether properly, if none does.
fn satisfied(
    s: &Situation,
    rule: &Rule,
    first: &First<'_>,
    seconds: &[&Proof],
    uv: bool,
    (device, code, email): (bool, bool, bool),
) -> Option<bool> {
    let has = |kind: Kind| s.user.factors.iter().any(|f| f.kind == kind && f.is_active);
    let device_ok = rule.remember_device
        && !s.step_up
        && s.device.is_some_and(|d| d.expires_at > s.now && d.made_at + s.instance.device_lifetime > s.now);
    if (device && !device_ok) || (code && !seconds.iter().any(|p| p.kind == Kind::RecoveryCodes)) {
        return None;
    }
    let email_ok = rule.email_backup != EmailBackup::Never
        && first.mailbox == Used::No
        && !rule.required.has(Kind::Email)
        && seconds.iter().any(|p| p.kind == Kind::Email && p.purpose != Purpose::Enrolment);
    if email && !email_ok {
        return None;
    }
    let second_kinds = [Kind::Passkey, Kind::Totp, Kind::Phone, Kind::Email];
    if rule.required.is_empty() {
        let enrolled = second_kinds.into_iter().any(has);
        let any = uv || seconds.iter().any(|p| second_kinds.contains(&p.kind)) || device || code;
        let nothing = rule.enforce_enrolment.is_empty() && !enrolled;
        return ((enrolled && any) || nothing).then_some(true);
    }
    let open: Vec<Kind> = second_kinds
        .into_iter()
        .filter(|kind| rule.required.has(*kind))
        .filter(|kind| !(uv && (!rule.named.has(*kind) || *kind == Kind::Passkey)))
        .filter(|kind| !seconds.iter().any(|p| p.kind == *kind))
        .collect();
    if open.iter().any(|kind| !has(*kind)) {
        return None;
    }
    if device {
        return Some(true);
    }
    let down = |kind: Kind| s.user.factors.iter().all(|f| f.kind != kind || !f.is_active || !f.is_available);
    let by_email = |kind: Kind| email && (rule.email_backup == EmailBackup::OnRequest || down(kind));
    // Each stands in for one.
    let met = match open.as_slice() {
        [] => true,
        [one] => code || by_email(*one),
        [one, two] => code && (by_email(*one) || by_email(*two)),
        _ => false,
    };
    met.then_some(true)
}

/// The AAL that the proofs give, by SP 800-63B-4 §2.2.1.
pub fn aal(s: &Situation) -> u8 {
    let proofs = valid(s);
    let external = s.external.as_ref().filter(|_| !s.reset).map(|external| external.kind);
    let password = external == Some(ExternalKind::Password) || proofs.iter().any(|p| p.kind == Kind::Password);
    let thing = external == Some(ExternalKind::Phone)
        || proofs.iter().any(|p| [Kind::Phone, Kind::Totp, Kind::Passkey, Kind::RecoveryCodes].contains(&p.kind));
    let both = proofs.iter().any(|p| p.kind == Kind::Passkey && p.user_verified);
    if both || (password && thing) { 2 } else { 1 }
}

/// Whether `amr` says of each proof what it has to.
pub fn amr_tells(s: &Situation, amr: &[&str]) -> bool {
    valid(s).iter().all(|p| {
        let words: &[&str] = match (p.kind, p.channel) {
            (Kind::Password, _) => &["pwd"],
            (Kind::Totp, _) => &["otp"],
            (Kind::Phone, Some(Channel::Voice)) => &["tel"],
            (Kind::Phone, _) => &["sms"],
            (Kind::Email, _) => &["otp", "email"],
            (Kind::RecoveryCodes, _) => &["otp", "recovery"],
            (Kind::Passkey, _) => {
                if p.is_synced {
                    &["swk", "user"]
                } else {
                    &["hwk", "user"]
                }
            }
        };
        words.iter().all(|word| amr.contains(word))
    }) && amr.contains(&"mfa") == (aal(s) == 2)
}
