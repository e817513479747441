//! The policy's cases: each is a test, and a row of `docs/policy.md`. Compiled natively only.

use super::{
    facts::{
        EmailBackup::{OnRequest, Unavailable},
        ExternalKind as Login, Situation,
    },
    given::{Given, given},
    kind::Kind::{self, Email, Passkey, Password, Phone, RecoveryCodes, Totp},
};
use crate::challenge::Purpose;

/// One case.
pub(super) struct Case {
    /// The heading it stands under.
    pub(super) group: &'static str,
    /// What it shows.
    pub(super) title: &'static str,
    /// The situation.
    pub(super) situation: Situation,
    /// The answer, as the tests write a step.
    pub(super) answer: &'static str,
}

const TWO: &[Kind] = &[Totp, Email];

fn group(group: &'static str, cases: Vec<(&'static str, Given, &'static str)>) -> Vec<Case> {
    let case =
        |(title, given, answer): (&'static str, Given, &'static str)| Case { group, title, situation: given.0, answer };
    cases.into_iter().map(case).collect()
}

/// Every case, in the order of the document.
pub(super) fn cases() -> Vec<Case> {
    [
        first_factor(),
        required(),
        any_one(),
        enrolment(),
        apps(),
        email_backup(),
        recovery(),
        passkeys(),
        devices(),
        same(),
        exceptions(),
        step_up(),
        resets(),
        disabled(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A user who signed in with a password at the customer's.
fn password() -> Given {
    given().login(Login::Password)
}

fn first_factor() -> Vec<Case> {
    group(
        "First factors",
        vec![
            ("Nothing was proven", given(), "needs_first_factor – first_factor_missing"),
            ("A password alone, where nothing else is asked", password(), "satisfied: AAL1, pwd – nothing_required"),
            ("A password proven here is the same", given().proves(Password), "satisfied: AAL1, pwd – nothing_required"),
            (
                "Another identity provider proves a first factor, of unknown kind",
                given().login(Login::Federated),
                "satisfied: AAL1 – nothing_required",
            ),
            (
                "An authenticator app alone is no first factor",
                given().has(Totp).proves(Totp),
                "needs_first_factor – first_factor_missing",
            ),
            (
                "A recovery code alone is none either",
                given().has(RecoveryCodes).proves(RecoveryCodes),
                "needs_first_factor – first_factor_missing",
            ),
            (
                "A phone can be the first; then it is not the second",
                given().has(Phone).has(Totp).proves(Phone),
                "needs_second_factor: totp – enrolled_factor",
            ),
            (
                "Two things that one has are two proofs, and not AAL2",
                given().has(Phone).has(Totp).proves(Phone).proves(Totp),
                "satisfied: AAL1, otp sms – factors_proven",
            ),
            (
                "A proof of eleven minutes ago is none",
                password().has(Totp).proves(Totp).old(11),
                "needs_second_factor: totp – enrolled_factor",
            ),
            (
                "A proof of another purpose is none",
                password().has(Phone).proves(Phone).of(Purpose::Verification),
                "needs_second_factor: phone – enrolled_factor",
            ),
            (
                "A proof of a factor that is gone is none",
                password().has(Totp).proves(Phone),
                "needs_second_factor: totp – enrolled_factor",
            ),
        ],
    )
}

fn required() -> Vec<Case> {
    let both = || password().required(&[Totp, Phone]).has(Totp).has(Phone);
    group(
        "Required factors",
        vec![
            (
                "A required factor has to be proven",
                password().required(&[Totp]).has(Totp),
                "needs_second_factor: totp – required_factor",
            ),
            (
                "Another one does not do",
                password().required(&[Totp]).has(Totp).has(Phone).proves(Phone),
                "needs_second_factor: totp – required_factor",
            ),
            (
                "It was proven",
                password().required(&[Totp]).has(Totp).proves(Totp),
                "satisfied: AAL2, pwd otp mfa – factors_proven",
            ),
            ("They add up: both are open", both(), "needs_second_factor: totp, phone – required_factor"),
            ("They add up: one is open", both().proves(Phone), "needs_second_factor: totp – required_factor"),
            (
                "They add up: both were proven",
                both().proves(Phone).by_call().proves(Totp),
                "satisfied: AAL2, pwd otp tel mfa – factors_proven",
            ),
            (
                "A missing one is enrolled first",
                password().required(&[Totp]),
                "needs_enrolment: totp – required_factor_missing",
            ),
            (
                "A pending one is missing",
                password().required(&[Totp]).has(Totp).pending(),
                "needs_enrolment: totp – required_factor_missing",
            ),
            (
                "Its enrolment proves it",
                password().required(&[Totp]).has(Totp).proves(Totp).of(Purpose::Enrolment),
                "satisfied: AAL2, pwd otp mfa – factors_proven",
            ),
            (
                "Who has another factor proves that one before enrolling",
                password().required(&[Totp]).has(Phone),
                "needs_second_factor: phone – proof_before_enrolment",
            ),
            (
                "And then enrols",
                password().required(&[Totp]).has(Phone).proves(Phone),
                "needs_enrolment: totp – required_factor_missing",
            ),
            (
                "What is open is proven before what is missing is enrolled",
                password().required(&[Totp, Phone]).has(Phone),
                "needs_second_factor: phone – required_factor",
            ),
            (
                "A required e-mail code is asked, and is not AAL2",
                password().required(&[Email]).has(Email).proves(Email),
                "satisfied: AAL1, pwd otp email – factors_proven",
            ),
            (
                "There is no grace for required factors",
                password().required(&[Totp]).grace(3, 0),
                "needs_enrolment: totp – required_factor_missing",
            ),
            (
                "What is required and cannot be enrolled is an end",
                password().required(&[Totp]).disabled(&[Totp]),
                "blocked – enrolment_disabled",
            ),
            (
                "Switched off, an enrolled one still works",
                password().required(&[Totp]).disabled(&[Totp]).has(Totp),
                "needs_second_factor: totp – required_factor",
            ),
            (
                "An unavailable one without anything in its place is an end",
                password().required(&[Phone]).has(Phone).unavailable(),
                "blocked – factor_unavailable",
            ),
        ],
    )
}

fn any_one() -> Vec<Case> {
    let user = || password().enforced(TWO).has(Phone).used(9).has(Totp).used(2).has(Email);
    group(
        "None required: any enrolled one",
        vec![
            ("The one used last is the default", user(), "needs_second_factor: totp, phone, email – enrolled_factor"),
            (
                "Never used: passkeys and apps first",
                password().has(Email).has(Phone).has(Passkey),
                "needs_second_factor: passkey, phone, email – enrolled_factor",
            ),
            ("Any of them", user().proves(Phone), "satisfied: AAL2, pwd sms mfa – factors_proven"),
            (
                "E-mail too, for what it is worth",
                user().proves(Email),
                "satisfied: AAL1, pwd otp email – factors_proven",
            ),
            (
                "An unavailable one is not offered",
                password().has(Phone).unavailable().has(Totp),
                "needs_second_factor: totp – enrolled_factor",
            ),
            ("Only an unavailable one is an end", password().has(Phone).unavailable(), "blocked – factor_unavailable"),
        ],
    )
}

fn enrolment() -> Vec<Case> {
    let must = || password().enforced(TWO);
    group(
        "None enrolled",
        vec![
            ("One of the list has to be enrolled", must(), "needs_enrolment: totp, email – enrolment_enforced"),
            (
                "What is switched off is not offered",
                must().disabled(&[Email]),
                "needs_enrolment: totp – enrolment_enforced",
            ),
            ("All switched off is an end", must().disabled(TWO), "blocked – enrolment_disabled"),
            (
                "A pending factor is none",
                must().has(Totp).pending(),
                "needs_enrolment: totp, email – enrolment_enforced",
            ),
            (
                "Its enrolment proves it",
                must().has(Totp).proves(Totp).of(Purpose::Enrolment),
                "satisfied: AAL2, pwd otp mfa – factors_proven",
            ),
            (
                "Recovery codes are no second factor, but prove who enrols",
                must().has(RecoveryCodes),
                "needs_second_factor: recovery_codes (recovery_code) – proof_before_enrolment",
            ),
            (
                "Grace by sign-ins",
                must().grace(3, 0),
                "needs_enrolment: totp, email, or put off (3 sign-ins) – enrolment_in_grace",
            ),
            (
                "The last of them",
                must().grace(3, 0).put_off(2, 40),
                "needs_enrolment: totp, email, or put off (1 sign-in) – enrolment_in_grace",
            ),
            ("Used up", must().grace(3, 0).put_off(3, 1), "needs_enrolment: totp, email – enrolment_enforced"),
            (
                "Grace by days, from the first time",
                must().grace(0, 7),
                "needs_enrolment: totp, email, or put off (7 days) – enrolment_in_grace",
            ),
            (
                "It is not renewed",
                must().grace(0, 7).put_off(1, 5),
                "needs_enrolment: totp, email, or put off (2 days) – enrolment_in_grace",
            ),
            ("It is over", must().grace(0, 7).put_off(1, 7), "needs_enrolment: totp, email – enrolment_enforced"),
            (
                "By both: what ends first",
                must().grace(3, 7).put_off(3, 2),
                "needs_enrolment: totp, email – enrolment_enforced",
            ),
        ],
    )
}

fn apps() -> Vec<Case> {
    group(
        "An app with its own rule",
        vec![
            (
                "It asks more",
                password().enforced(TWO).app().required(&[Phone]).has(Totp).has(Phone).proves(Totp),
                "needs_second_factor: phone – required_factor",
            ),
            (
                "It replaces the instance's requirements",
                password().required(&[Totp]).app().has(Totp).has(Phone).proves(Phone),
                "satisfied: AAL2, pwd sms mfa – factors_proven",
            ),
            ("And the enforcement list", password().enforced(TWO).app(), "satisfied: AAL1, pwd – nothing_required"),
            (
                "And remembered devices",
                password().devices().app().has(Totp).device(1),
                "needs_second_factor: totp – enrolled_factor",
            ),
            (
                "And e-mail as backup",
                password().backup(Unavailable).app().required(&[Phone]).has(Phone).unavailable().has(Email),
                "blocked – factor_unavailable",
            ),
            (
                "What the server says of the user stays",
                password().app().has_to(&[Totp]).has(Totp).has(Phone).proves(Phone),
                "needs_second_factor: totp – required_factor",
            ),
        ],
    )
}

fn email_backup() -> Vec<Case> {
    let down = || password().required(&[Phone]).backup(Unavailable).has(Phone).unavailable().has(Email);
    let asked = || password().required(&[Totp]).backup(OnRequest).has(Totp).has(Email);
    group(
        "E-mail as backup",
        vec![
            ("For a factor that is unavailable", down(), "needs_second_factor: email (email_backup) – required_factor"),
            (
                "It is AAL1, and the device is not remembered",
                down().devices().proves(Email),
                "satisfied: AAL1, pwd otp email, by email_backup – email_backup_used",
            ),
            (
                "Not for one that works",
                password().required(&[Totp]).backup(Unavailable).has(Totp).has(Email).proves(Email),
                "needs_second_factor: totp – required_factor",
            ),
            (
                "On request, for one that works too",
                asked(),
                "needs_second_factor: totp, email (email_backup) – required_factor",
            ),
            (
                "On request, proven",
                asked().proves(Email),
                "satisfied: AAL1, pwd otp email, by email_backup – email_backup_used",
            ),
            (
                "For one factor only",
                asked().required(&[Totp, Phone]).has(Phone).proves(Email),
                "needs_second_factor: totp, phone – required_factor",
            ),
            (
                "Two unavailable are an end",
                password()
                    .required(&[Phone, Passkey])
                    .backup(Unavailable)
                    .has(Phone)
                    .unavailable()
                    .has(Passkey)
                    .unavailable()
                    .has(Email),
                "blocked – factor_unavailable",
            ),
            ("Not where e-mail is required itself", down().required(&[Phone, Email]), "blocked – factor_unavailable"),
            (
                "Not after an e-mail as the first factor",
                down().has(Email).login_at(Login::Email, 1).proves_nth(Email, 2),
                "blocked – factor_unavailable",
            ),
            (
                "Not for an enrolment: another factor has to allow it",
                password().required(&[Totp]).backup(OnRequest).has(Phone).unavailable().has(Email).proves(Email),
                "blocked – factor_unavailable",
            ),
            (
                "The enrolment of an address is not one; a code to it is",
                asked().proves(Email).of(Purpose::Enrolment),
                "needs_second_factor: totp, email (email_backup) – required_factor",
            ),
            (
                "Not unless an e-mail address is enrolled",
                password().required(&[Phone]).backup(Unavailable).has(Phone).unavailable(),
                "blocked – factor_unavailable",
            ),
        ],
    )
}

fn recovery() -> Vec<Case> {
    let user = || password().devices().required(&[Totp]).has(Totp).has(RecoveryCodes);
    group(
        "Recovery codes",
        vec![
            (
                "They are offered last",
                user(),
                "needs_second_factor: totp, recovery_codes (recovery_code) – required_factor",
            ),
            (
                "One replaces one factor; the device is not remembered",
                user().proves(RecoveryCodes),
                "satisfied: AAL2, pwd otp recovery mfa, by recovery_code – recovery_code_used",
            ),
            (
                "Only one",
                user().required(&[Totp, Phone]).has(Phone).proves(RecoveryCodes),
                "needs_second_factor: totp, phone – required_factor",
            ),
            (
                "Two codes replace no more than one",
                user().required(&[Totp, Phone]).has(Phone).proves(RecoveryCodes).proves(RecoveryCodes),
                "needs_second_factor: totp, phone – required_factor",
            ),
            (
                "The other of two was proven",
                user().required(&[Totp, Phone]).has(Phone).proves(RecoveryCodes).proves(Phone),
                "satisfied: AAL2, pwd otp sms recovery mfa, by recovery_code – recovery_code_used",
            ),
            (
                "None required: in place of the enrolled one",
                password().has(Phone).has(RecoveryCodes).proves(RecoveryCodes),
                "satisfied: AAL2, pwd otp recovery mfa, by recovery_code – recovery_code_used",
            ),
            (
                "The factor was proven too: nothing was replaced",
                user().proves(Totp).proves(RecoveryCodes),
                "satisfied: AAL2, pwd otp recovery mfa, device may be remembered – factors_proven",
            ),
            (
                "For a factor that is unavailable",
                password().required(&[Phone]).has(Phone).unavailable().has(RecoveryCodes),
                "needs_second_factor: recovery_codes (recovery_code) – required_factor",
            ),
            (
                "None is left",
                password().required(&[Phone]).has(Phone).unavailable().has(RecoveryCodes).unavailable(),
                "blocked – factor_unavailable",
            ),
            (
                "A missing factor is enrolled, not replaced",
                password().required(&[Totp]).has(RecoveryCodes).proves(RecoveryCodes),
                "needs_enrolment: totp – required_factor_missing",
            ),
            (
                "With e-mail as backup, two factors",
                user()
                    .backup(OnRequest)
                    .required(&[Totp, Phone])
                    .has(Phone)
                    .has(Email)
                    .proves(RecoveryCodes)
                    .proves(Email),
                "satisfied: AAL2, pwd otp email recovery mfa, by email_backup and recovery_code – email_backup_used",
            ),
        ],
    )
}

fn passkeys() -> Vec<Case> {
    let user = || given().devices().required(&[Totp, Phone]).has(Totp).has(Phone).has(Passkey);
    group(
        "Passkeys",
        vec![
            (
                "With user verification, alone, it meets every requirement",
                user().proves(Passkey).verified(),
                "satisfied: AAL2 phishing-resistant, swk user mfa, device may be remembered – passkey_verified_user",
            ),
            (
                "Without, it is one factor",
                user().proves(Passkey),
                "needs_second_factor: passkey (passkey), totp, phone – required_factor",
            ),
            (
                "Without, after a password, it is the second",
                password().has(Passkey).proves(Passkey),
                "satisfied: AAL2 phishing-resistant, pwd swk user mfa – factors_proven",
            ),
            (
                "It is offered in place of what is required",
                user().login(Login::Password),
                "needs_second_factor: passkey (passkey), totp, phone – required_factor",
            ),
            (
                "It spares the user an enrolment",
                password().required(&[Totp]).has(Passkey).proves(Passkey).verified(),
                "satisfied: AAL2 phishing-resistant, pwd swk user mfa – passkey_verified_user",
            ),
            (
                "Even one that is switched off",
                password().required(&[Totp]).disabled(&[Totp]).has(Passkey),
                "needs_second_factor: passkey (passkey) – required_factor",
            ),
            (
                "Not what the app asks for by name",
                user().app().named(&[Totp]).proves(Passkey).verified(),
                "needs_second_factor: totp – required_factor",
            ),
            (
                "By name and proven",
                user().app().named(&[Totp]).proves(Passkey).verified().proves(Totp),
                "satisfied: AAL2 phishing-resistant, otp swk user mfa – passkey_verified_user",
            ),
            (
                "Twice the same without user verification is one factor",
                given().has(Passkey).proves(Passkey).proves(Passkey),
                "needs_second_factor: passkey (passkey) – enrolled_factor",
            ),
        ],
    )
}

fn devices() -> Vec<Case> {
    let user = || password().devices().has(Totp);
    group(
        "Remembered devices",
        vec![
            (
                "One may be made after a second factor",
                user().proves(Totp),
                "satisfied: AAL2, pwd otp mfa, device may be remembered – factors_proven",
            ),
            (
                "It stands in for the second factor",
                user().device(29),
                "satisfied: AAL1, pwd, by device – device_remembered",
            ),
            (
                "For all that are required",
                user().required(&[Totp, Phone]).has(Phone).device(1),
                "satisfied: AAL1, pwd, by device – device_remembered",
            ),
            ("For 30 days from its making", user().device(30), "needs_second_factor: totp – enrolled_factor"),
            (
                "A setting that was shortened since ends it sooner",
                user().device_days(7).device(8),
                "needs_second_factor: totp – enrolled_factor",
            ),
            (
                "Not where the policy does not allow it",
                password().has(Totp).device(1),
                "needs_second_factor: totp – enrolled_factor",
            ),
            (
                "Not for a first factor",
                given().devices().has(Totp).device(1),
                "needs_first_factor – first_factor_missing",
            ),
            (
                "Not for an enrolment",
                user().required(&[Phone]).device(1),
                "needs_second_factor: totp – proof_before_enrolment",
            ),
            ("Not for a step-up", user().device(1).step_up(), "needs_second_factor: totp – enrolled_factor"),
        ],
    )
}

fn same() -> Vec<Case> {
    group(
        "Never the same phone or mailbox twice",
        vec![
            (
                "The mailbox of the first factor is not the second",
                given().login_at(Login::Email, 1).has(Email).has(Totp),
                "needs_second_factor: totp – enrolled_factor",
            ),
            (
                "A proof of it does not count",
                given().login_at(Login::Email, 1).has(Email).has(Totp).proves(Email),
                "needs_second_factor: totp – enrolled_factor",
            ),
            (
                "Another mailbox does, and is no AAL2",
                given().login_at(Login::Email, 2).has(Email).proves(Email),
                "satisfied: AAL1, otp email – factors_proven",
            ),
            (
                "An unknown mailbox is taken for the same",
                given().login(Login::Email).has(Email),
                "blocked – same_destination",
            ),
            (
                "The phone of the first factor, by call this time",
                given().login_at(Login::Phone, 1).has(Phone).proves(Phone).by_call(),
                "blocked – same_destination",
            ),
            (
                "Two phones",
                given().has(Phone).has(Phone).proves(Phone).proves_nth(Phone, 2),
                "satisfied: AAL1, sms – factors_proven",
            ),
            (
                "After an e-mail, no mailbox is enrolled",
                given().login(Login::Email).enforced(TWO),
                "needs_enrolment: totp – enrolment_enforced",
            ),
            (
                "And with nothing else in the list it is an end",
                given().login(Login::Email).enforced(&[Email]),
                "blocked – same_destination",
            ),
            (
                "A required mailbox that was the first",
                given().login_at(Login::Email, 1).required(&[Email]).has(Email),
                "blocked – same_destination",
            ),
        ],
    )
}

fn exceptions() -> Vec<Case> {
    group(
        "What the server says of one user",
        vec![
            (
                "They have to prove more",
                password().has_to(&[Phone]).has(Phone).has(Totp).proves(Totp),
                "needs_second_factor: phone – required_factor",
            ),
            (
                "It adds up with the policy",
                password().required(&[Totp]).has_to(&[Phone]).has(Phone).has(Totp).proves(Totp),
                "needs_second_factor: phone – required_factor",
            ),
            (
                "They are exempt",
                password().required(&[Totp]).has(Totp).exempt_for(1),
                "satisfied: AAL1, pwd, by exemption – user_exempt",
            ),
            (
                "Exempt without a factor, too",
                password().enforced(TWO).exempt_for(1),
                "satisfied: AAL1, pwd, by exemption – user_exempt",
            ),
            (
                "Exempt still is not without a first factor",
                given().has(Totp).exempt_for(1),
                "needs_first_factor – first_factor_missing",
            ),
            (
                "What they prove counts",
                password().required(&[Totp]).has(Totp).exempt_for(1).proves(Totp),
                "satisfied: AAL2, pwd otp mfa – factors_proven",
            ),
            (
                "The exemption is over",
                password().required(&[Totp]).has(Totp).was_exempt(),
                "needs_second_factor: totp – required_factor",
            ),
        ],
    )
}

fn step_up() -> Vec<Case> {
    let user = || password().step_up().has(Totp);
    group(
        "Step-up",
        vec![
            (
                "It asks for proofs of its own",
                user().proves(Totp).of(Purpose::SignIn),
                "needs_second_factor: totp – enrolled_factor",
            ),
            ("They were given", user().proves(Totp), "satisfied: AAL2, pwd otp mfa – factors_proven"),
            ("An exemption is for sign-ins", user().exempt_for(1), "needs_second_factor: totp – enrolled_factor"),
            (
                "But asks nobody to enrol",
                password().step_up().enforced(TWO).exempt_for(1),
                "satisfied: AAL1, pwd – nothing_required",
            ),
            (
                "There is no grace",
                password().step_up().enforced(TWO).grace(3, 0),
                "needs_enrolment: totp, email – enrolment_enforced",
            ),
        ],
    )
}

fn resets() -> Vec<Case> {
    let begun = || given().reset();
    let user = || begun().has(Totp).has(Email).has(RecoveryCodes);
    group(
        "Password resets",
        vec![
            ("Nothing was proven", user(), "needs_first_factor – first_factor_missing"),
            (
                "The password, a phone or a passkey begins none",
                user().has(Phone).has(Passkey).proves(Password).proves(Phone).proves(Passkey).verified(),
                "needs_first_factor – first_factor_missing",
            ),
            (
                "Nor does the customer's login",
                user().login(Login::Password),
                "needs_first_factor – first_factor_missing",
            ),
            (
                "After a code to the user's address, a second factor, and no mailbox",
                user().proves_address(),
                "needs_second_factor: totp, recovery_codes (recovery_code) – enrolled_factor",
            ),
            (
                "Nor another mailbox",
                user().has(Email).proves_address().proves_nth(Email, 2),
                "needs_second_factor: totp, recovery_codes (recovery_code) – enrolled_factor",
            ),
            (
                "It was proven, and no device is remembered",
                user().devices().proves_address().proves(Totp),
                "satisfied: AAL1, otp email – factors_proven",
            ),
            (
                "A passkey with user verification is one, and more",
                begun().has(Passkey).has(Totp).required(&[Totp]).proves_address().proves(Passkey).verified(),
                "satisfied: AAL2 phishing-resistant, otp email swk user mfa – passkey_verified_user",
            ),
            (
                "A recovery code stands in",
                user().proves_address().proves(RecoveryCodes),
                "satisfied: AAL1, otp email recovery, by recovery_code – recovery_code_used",
            ),
            (
                "All that are required",
                user().has(Phone).required(&[Totp, Phone]).proves_address().proves(Totp),
                "needs_second_factor: phone, recovery_codes (recovery_code) – required_factor",
            ),
            (
                "A remembered device stands in for none",
                user().devices().device(1).proves_address(),
                "needs_second_factor: totp, recovery_codes (recovery_code) – enrolled_factor",
            ),
            (
                "Nor does an exemption",
                begun().has(Totp).exempt_for(1).proves_address(),
                "needs_second_factor: totp – enrolled_factor",
            ),
            (
                "E-mail is no backup after an e-mail",
                begun().required(&[Totp]).backup(OnRequest).has(Totp).has(Email).proves_address(),
                "needs_second_factor: totp – required_factor",
            ),
            (
                "An unavailable factor without anything in its place is an end",
                begun().has(Phone).unavailable().has(Email).proves_address(),
                "blocked – factor_unavailable",
            ),
            ("Who has no second factor is done", begun().proves_address(), "satisfied: AAL1, otp email – mailbox_only"),
            (
                "So is who has mailboxes only",
                begun().required(&[Email]).has(Email).has(Email).proves(Email),
                "satisfied: AAL1, otp email – mailbox_only",
            ),
            (
                "What is required and missing waits for the next sign-in",
                begun().required(&[Totp]).proves_address(),
                "satisfied: AAL1, otp email – mailbox_only",
            ),
            (
                "But what the user has is asked",
                begun().required(&[Totp]).has(Phone).proves_address(),
                "needs_second_factor: phone – enrolled_factor",
            ),
            (
                "Enforced enrolment waits too",
                begun().enforced(TWO).grace(3, 0).proves_address(),
                "satisfied: AAL1, otp email – mailbox_only",
            ),
            (
                "A recovery code first: it is not the second as well",
                user().proves(RecoveryCodes).proves(RecoveryCodes),
                "needs_second_factor: totp, email – enrolled_factor",
            ),
            (
                "A recovery code first, then a factor",
                user().proves(RecoveryCodes).proves(Totp),
                "satisfied: AAL1, otp recovery – factors_proven",
            ),
            (
                "A recovery code first, where there is nothing else",
                begun().has(RecoveryCodes).proves(RecoveryCodes),
                "satisfied: AAL1, otp recovery – recovery_code_used",
            ),
        ],
    )
}

fn disabled() -> Vec<Case> {
    group(
        "Disabled users",
        vec![
            (
                "Whoever has proven nothing is told nothing",
                given().shut_out(),
                "needs_first_factor – first_factor_missing",
            ),
            ("With a first factor there is no way forward", password().shut_out(), "blocked – user_disabled"),
            (
                "Whatever else was proven",
                password().shut_out().has(Totp).has(Passkey).proves(Totp).proves(Passkey).verified(),
                "blocked – user_disabled",
            ),
            ("Nor by an exemption", password().shut_out().exempt_for(1), "blocked – user_disabled"),
            ("Nor by a reset", given().shut_out().reset().proves_address(), "blocked – user_disabled"),
        ],
    )
}
