//! What holds of every situation there can be.

use std::time::Duration;

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::oracle;
use crate::{
    challenge::Purpose,
    message::Channel,
    policy::{
        Acr, Device, EmailBackup, Enrolled, Exception, External, ExternalKind, Grace, GraceUsed, InstancePolicy, Kind,
        Kinds, Proof, Reason, Role, Rule, Situation, StandIn, Step, User, given::NOW, next_step,
    },
};

const SECOND: [Kind; 4] = [Kind::Passkey, Kind::Totp, Kind::Phone, Kind::Email];
const DAY: Duration = Duration::from_hours(24);

fn kinds() -> impl Strategy<Value = Kinds> {
    // Few at a time: empty sets and single requirements are where most rules are.
    vec(select(SECOND.to_vec()), 0..3).prop_map(|kinds| kinds.into_iter().collect())
}

fn rule() -> impl Strategy<Value = Rule> {
    let backup = select(vec![EmailBackup::Never, EmailBackup::Unavailable, EmailBackup::OnRequest]);
    let named = prop_oneof![4 => Just(Kinds::NONE), 1 => kinds()];
    (kinds(), named, kinds(), backup, any::<bool>(), (0..3u32, 0..3u32)).prop_map(
        |(required, named, enforce_enrolment, email_backup, remember_device, (sign_ins, days))| Rule {
            required,
            named,
            enforce_enrolment,
            email_backup,
            remember_device,
            grace: Grace { sign_ins, days },
        },
    )
}

/// One of two phones or mailboxes; or none that is known.
fn destination(kind: Kind, number: u8) -> Option<String> {
    match (kind, number) {
        (Kind::Phone | Kind::Email, 0..=1) => Some(format!("{} {number}", kind.as_str())),
        _ => None,
    }
}

fn factors() -> impl Strategy<Value = Vec<Enrolled>> {
    let factor = (
        select(Kind::ALL.to_vec()),
        0..2u8,
        prop::bool::weighted(0.85),
        prop::bool::weighted(0.75),
        option::of(0..3u32),
    );
    vec(factor, 0..5).prop_map(|factors| {
        let factor =
            |(index, (kind, number, is_active, is_available, used)): (usize, (Kind, u8, bool, bool, Option<u32>))| {
                Enrolled {
                    id: format!("fac_{index}"),
                    kind,
                    is_active,
                    is_available,
                    destination: destination(kind, number),
                    last_used_at: used.map(|days| NOW.before(DAY * days)),
                }
            };
        factors.into_iter().enumerate().map(factor).collect()
    })
}

/// Which factor of the user was proven, or what else; how and for what.
fn raw_proofs() -> impl Strategy<Value = Vec<(u8, Purpose, bool, bool, u8)>> {
    let purpose = prop_oneof![
        6 => Just(Purpose::SignIn), 6 => Just(Purpose::StepUp), 2 => Just(Purpose::Enrolment),
        1 => Just(Purpose::Verification),
    ];
    vec((0..8u8, purpose, any::<bool>(), any::<bool>(), prop_oneof![4 => Just(0u8), 1 => Just(11u8)]), 0..4)
}

fn proof(factors: &[Enrolled], (index, purpose, flag, synced, age): (u8, Purpose, bool, bool, u8)) -> Proof {
    let factor = factors.get(usize::from(index));
    let kind = factor.map_or(if index == 7 { Kind::Email } else { Kind::Password }, |factor| factor.kind);
    Proof {
        kind,
        factor_id: factor.map(|factor| factor.id.clone()),
        purpose,
        channel: (kind == Kind::Phone).then_some(if flag { Channel::Voice } else { Channel::Sms }),
        user_verified: kind == Kind::Passkey && flag,
        is_synced: synced,
        destination: factor.map_or(destination(kind, 0), |factor| factor.destination.clone()),
        verified_at: NOW.before(Duration::from_mins(age.into())),
    }
}

fn situation() -> impl Strategy<Value = Situation> {
    let exception = prop_oneof![
        4 => Just(Exception::None), 1 => kinds().prop_map(Exception::Required),
        1 => Just(Exception::ExemptUntil(NOW + DAY)), 1 => Just(Exception::ExemptUntil(NOW)),
    ];
    let login = select(vec![
        ExternalKind::Password,
        ExternalKind::Email,
        ExternalKind::Phone,
        ExternalKind::Federated,
        ExternalKind::Other,
    ]);
    let external = option::of((login, 0..3u8).prop_map(|(kind, number)| External {
        kind,
        destination: match kind {
            ExternalKind::Email => destination(Kind::Email, number),
            ExternalKind::Phone => destination(Kind::Phone, number),
            _ => None,
        },
    }));
    let device = option::of((0..40u32).prop_map(|days| {
        let made_at = NOW.before(DAY * days);
        Device { made_at, expires_at: made_at + DAY * 30 }
    }));
    let used = (option::of(0..3u32), 0..3u32)
        .prop_map(|(days, sign_ins)| GraceUsed { started_at: days.map(|days| NOW.before(DAY * days)), sign_ins });
    let app = prop_oneof![2 => Just(None), 1 => rule().prop_map(Some)];
    let enrollable = vec(select(SECOND.to_vec()), 0..7).prop_map(|kinds| kinds.into_iter().collect::<Kinds>());
    (
        (rule(), enrollable, app),
        (factors(), exception, used),
        (device, external, raw_proofs()),
        (prop::bool::weighted(0.25), 10..40u32, prop::bool::weighted(0.25), prop::bool::weighted(0.05)),
    )
        .prop_map(|((rule, enrollable, app), (factors, exception, grace), (device, external, raw), flags)| {
            let (step_up, days, reset, is_disabled) = flags;
            Situation {
                now: NOW,
                step_up: step_up && !reset,
                reset,
                instance: InstancePolicy { rule, enrollable, device_lifetime: DAY * days },
                app,
                proofs: raw.into_iter().map(|raw| proof(&factors, raw)).collect(),
                user: User { is_disabled, factors, exception, grace },
                device,
                external,
            }
        })
}

/// `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    ProptestConfig::default().cases.max(2_000)
}

fn satisfied(step: &Step) -> bool {
    matches!(step, Step::Satisfied { .. })
}

/// Satisfied or not, AAL, and whether the device may be remembered: the rights that a step gives.
fn rights(step: &Step) -> (u8, u8, bool) {
    match step {
        Step::Satisfied { assurance, may_remember_device, .. } => (2, assurance.aal, *may_remember_device),
        Step::NeedsEnrolment { skip: Some(_), assurance, .. } => (1, assurance.aal, false),
        _ => (0, 0, false),
    }
}

/// Proves what an offer offers.
fn prove(situation: &Situation, factor_id: &str, role: Role) -> Situation {
    let mut after = situation.clone();
    let index = situation.user.factors.iter().position(|factor| factor.id == factor_id).expect("an offer is a factor");
    let purpose = if situation.step_up { Purpose::StepUp } else { Purpose::SignIn };
    let raw = (u8::try_from(index).expect("few"), purpose, role == Role::Passkey, true, 0);
    after.proofs.push(proof(&situation.user.factors, raw));
    after
}

/// Enrols what is offered, and proves it by that.
fn enrol(situation: &Situation, kind: Kind) -> Situation {
    let mut after = situation.clone();
    let id = format!("new {}", situation.user.factors.len());
    after.user.factors.push(Enrolled {
        id: id.clone(),
        kind,
        is_active: true,
        is_available: true,
        destination: matches!(kind, Kind::Phone | Kind::Email).then(|| id.clone()),
        last_used_at: None,
    });
    let index = u8::try_from(after.user.factors.len() - 1).expect("few");
    after.proofs.push(proof(&after.user.factors, (index, Purpose::Enrolment, false, true, 0)));
    after
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn satisfied_is_what_the_oracle_finds_and_nothing_else(situation in situation()) {
        let step = next_step(&situation);
        let verdict = oracle::judge(&situation);
        prop_assert_eq!(satisfied(&step), verdict.satisfied, "{:?}", step);
        if let Step::Satisfied { assurance, may_remember_device, stand_ins, .. } = &step {
            let devices = situation.app.as_ref().unwrap_or(&situation.instance.rule).remember_device;
            prop_assert_eq!(*may_remember_device, verdict.properly && devices, "{:?}", step);
            prop_assert!(!*may_remember_device || stand_ins.is_empty());
            prop_assert_eq!(assurance.aal, oracle::aal(&situation));
            prop_assert_eq!(assurance.acr == Acr::Aal1, assurance.aal == 1);
            prop_assert!(oracle::amr_tells(&situation, &assurance.amr), "{:?}", assurance.amr);
        }
    }

    #[test]
    fn e_mail_never_makes_aal2(situation in situation()) {
        let Step::Satisfied { assurance, stand_ins, .. } = next_step(&situation) else { return Ok(()) };
        let mut without = situation.clone();
        without.proofs.retain(|proof| proof.kind != Kind::Email);
        prop_assert_eq!(assurance.aal, oracle::aal(&without));
        if stand_ins.contains(&StandIn::EmailBackup) {
            prop_assert!(assurance.amr.contains(&"email"));
        }
    }

    #[test]
    fn more_proofs_never_yield_fewer_rights(situation in situation(), more in (0..8u8, any::<bool>(), any::<bool>())) {
        let before = next_step(&situation);
        let purpose = if situation.step_up { Purpose::StepUp } else { Purpose::SignIn };
        let mut after = situation.clone();
        after.proofs.insert(situation.proofs.len() / 2, proof(&situation.user.factors, (more.0, purpose, more.1, more.2, 0)));
        let after = next_step(&after);
        let (before_rights, after_rights) = (rights(&before), rights(&after));
        prop_assert!(after_rights.0 >= before_rights.0 && after_rights.1 >= before_rights.1, "{:?}\n{:?}", before, after);
        prop_assert!(after_rights.2 >= before_rights.2, "{:?}\n{:?}", before, after);
        prop_assert!(after.rank() >= before.rank(), "{:?}\n{:?}", before, after);
    }

    #[test]
    fn a_device_or_a_login_never_yields_fewer_rights(situation in situation()) {
        let with = rights(&next_step(&situation));
        let bare = rights(&next_step(&Situation { device: None, ..situation.clone() }));
        prop_assert!(with.0 >= bare.0 && with.1 >= bare.1 && with.2 >= bare.2);
        let bare = rights(&next_step(&Situation { external: None, ..situation.clone() }));
        prop_assert!(with.0 >= bare.0 && with.1 >= bare.1 && with.2 >= bare.2);
    }

    #[test]
    fn the_order_of_proofs_does_not_matter(situation in situation()) {
        let mut turned = situation.clone();
        turned.proofs.reverse();
        prop_assert_eq!(rights(&next_step(&situation)), rights(&next_step(&turned)));
    }

    #[test]
    fn no_field_of_the_request_lowers_a_requirement(situation in situation()) {
        // A step-up asks for no less than a sign-in.
        let (step_up, sign_in) = (
            rights(&next_step(&Situation { step_up: true, ..situation.clone() })),
            rights(&next_step(&Situation { step_up: false, ..situation.clone() })),
        );
        prop_assert!(step_up.0 <= sign_in.0 && step_up.1 <= sign_in.1);
        // No kind of login gives more than a password, and no address more than a login without second thoughts.
        if let Some(external) = &situation.external {
            let password = External { kind: ExternalKind::Password, destination: None };
            let most = rights(&next_step(&Situation { external: Some(password), ..situation.clone() }));
            let this = rights(&next_step(&situation));
            prop_assert!(this.0 <= most.0, "{:?}", external);
        }
        // Without a first factor there is nothing, whatever else is claimed.
        let bare = Situation { external: None, proofs: Vec::new(), ..situation.clone() };
        prop_assert_eq!(next_step(&bare), Step::NeedsFirstFactor { reason: Reason::FirstFactorMissing });
    }

    #[test]
    fn a_reset_skips_no_second_factor_and_asks_for_no_enrolment(situation in situation()) {
        let situation = Situation { reset: true, step_up: false, ..situation };
        let step = next_step(&situation);
        let enrols = matches!(step, Step::NeedsEnrolment { .. });
        prop_assert!(!enrols);
        if let Step::NeedsSecondFactor { options, .. } = &step {
            let by_code = oracle::valid(&situation).iter().any(|proof| proof.kind == Kind::RecoveryCodes);
            prop_assert!(by_code || options.iter().all(|offer| offer.kind != Kind::Email), "{:?}", step);
        }
        let Step::Satisfied { stand_ins, may_remember_device, assurance, reason } = step else { return Ok(()) };
        prop_assert!(!may_remember_device && !stand_ins.contains(&StandIn::Device));
        prop_assert!(!stand_ins.contains(&StandIn::Exemption));
        let valid = oracle::valid(&situation);
        let proven = |kinds: &[Kind]| valid.iter().any(|proof| kinds.contains(&proof.kind));
        let strong = [Kind::Passkey, Kind::Totp, Kind::Phone];
        let has = situation.user.factors.iter().any(|factor| factor.is_active && strong.contains(&factor.kind));
        if has {
            prop_assert!(proven(&strong) || (proven(&[Kind::Email]) && proven(&[Kind::RecoveryCodes])));
        }
        if reason == Reason::MailboxOnly {
            prop_assert!(!has && assurance.aal == 1 && stand_ins.is_empty());
        }
        // The same without what is no reset's business.
        let bare = Situation { device: None, external: None, ..situation.clone() };
        prop_assert!(satisfied(&next_step(&bare)));
    }

    #[test]
    fn a_disabled_user_gets_nothing_and_is_not_told_apart_before_a_first_factor(situation in situation()) {
        let step = next_step(&Situation { user: User { is_disabled: true, ..situation.user.clone() }, ..situation.clone() });
        let open = next_step(&Situation { user: User { is_disabled: false, ..situation.user.clone() }, ..situation.clone() });
        if matches!(open, Step::NeedsFirstFactor { .. }) {
            prop_assert_eq!(step, open);
        } else {
            prop_assert_eq!(step, Step::Blocked { reason: Reason::UserDisabled });
        }
    }

    #[test]
    fn a_stricter_policy_never_yields_more(situation in situation(), more in kinds()) {
        let mut stricter = situation.clone();
        stricter.app.as_mut().unwrap_or(&mut stricter.instance.rule).required =
            situation.app.as_ref().unwrap_or(&situation.instance.rule).required.or(more);
        prop_assert!(rights(&next_step(&stricter)).0 <= rights(&next_step(&situation)).0);
        // An exemption apart, so is what the server requires of one user.
        if situation.user.exception == Exception::None {
            let mut stricter = situation.clone();
            stricter.user.exception = Exception::Required(more);
            prop_assert!(rights(&next_step(&stricter)).0 <= rights(&next_step(&situation)).0);
        }
    }

    #[test]
    fn every_step_can_be_taken_and_every_way_ends(situation in situation(), turns in vec(any::<prop::sample::Index>(), 14)) {
        let mut situation = situation;
        for turn in turns {
            let step = next_step(&situation);
            match &step {
                Step::NeedsFirstFactor { .. } if situation.reset => {
                    situation.proofs.push(proof(&situation.user.factors, (7, Purpose::SignIn, false, false, 0)));
                }
                Step::NeedsFirstFactor { .. } => {
                    situation.external = Some(External { kind: ExternalKind::Password, destination: None });
                }
                Step::NeedsSecondFactor { options, .. } => {
                    prop_assert!(!options.is_empty());
                    let offer = turn.get(options);
                    let after = prove(&situation, &offer.factor_id, offer.role);
                    let there = next_step(&after);
                    prop_assert!(!matches!(there, Step::Blocked { .. }), "{:?} led to {:?}", step, there);
                    prop_assert!(there != step, "{:?} led nowhere", offer);
                    situation = after;
                }
                Step::NeedsEnrolment { options, skip, .. } => {
                    prop_assert!(skip.is_some() || !options.is_empty());
                    if options.is_empty() {
                        return Ok(());
                    }
                    let kind = *turn.get(options);
                    prop_assert!(step.may_enrol(kind) && !step.may_enrol(Kind::Password));
                    let after = enrol(&situation, kind);
                    let there = next_step(&after);
                    prop_assert!(!matches!(there, Step::Blocked { .. }), "{:?} led to {:?}", step, there);
                    prop_assert!(there != step, "enrolling {:?} led nowhere", kind);
                    situation = after;
                }
                Step::Satisfied { .. } | Step::Blocked { .. } => return Ok(()),
            }
        }
        prop_assert!(false, "no end: {:?}", next_step(&situation));
    }

    #[test]
    fn an_enrolment_offers_only_what_the_policy_lists(situation in situation()) {
        let Step::NeedsEnrolment { options, .. } = next_step(&situation) else { return Ok(()) };
        let rule = situation.app.as_ref().unwrap_or(&situation.instance.rule);
        let more = match situation.user.exception {
            Exception::Required(kinds) => kinds,
            _ => Kinds::NONE,
        };
        let required = rule.required.or(rule.named).or(more);
        let listed = if required.is_empty() { rule.enforce_enrolment } else { required };
        for kind in options {
            prop_assert!(listed.has(kind) && situation.instance.enrollable.has(kind), "{:?}", kind);
        }
    }
}
