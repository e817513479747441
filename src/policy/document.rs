//! `docs/policy.md`: the cases as tables. Compiled natively only.

use std::fmt::Write as _;

use super::{Acr, Exception, Kind, Reason, Rule, Situation, cases::cases, facts::EmailBackup, given::NOW, kind::Kinds};
use crate::{challenge::Purpose, message::Channel};

const HEAD: &str = "# Policy

<!-- Generated from `src/policy/cases.rs` by `make generate`. Every row is a test. -->

Which proofs a sign-in needs is decided on the server by one pure function, from the instance's and the app's rule, the \
user, the device and the proofs so far. Proofs are verified challenges, at most ten minutes old. \
`POST /v1/users/{id}/mfa-evaluation` asks it.

## The rules

- **Required factors add up.** Each has to be proven; one that is missing is enrolled first, after a proof of a factor \
that the user has.
- **None required:** who has second factors proves any one of them, and the one used last is the default. Who has none \
enrols one of `enforce_enrolment`; the grace puts that off for a number of sign-ins or days, once.
- **An app's own rule** (`use_instance_policy: false`) replaces the instance's whole. What it leaves out is off.
- **E-mail as backup** stands in for one factor that is unavailable (its channel failed or is disabled: a fact that \
the server knows), or with `on_request` for one that the user says they cannot use. Only where e-mail is neither \
required nor the factor asked, never for an enrolment, never after an e-mail as the first factor. `email_backup` \
is then among the `stand_ins`: tell the user.
- **A recovery code** replaces one factor that the user has. It is no first factor but in a password reset.
- **A passkey with user verification** meets every requirement but what an app asks for by name (`named_factors`). \
Without user verification it is one factor.
- **A remembered device** stands in for the second factor where `remember_device` allows it: not for a step-up, not \
for an enrolment, and for so many days from its making. None is made where something stood in for a factor.
- **Never the same phone or mailbox** as first and second factor. Pass the address with `external_first_factor`; one \
that is not known is taken for the same.
- **`<factor>.enabled: false`** stops new enrolments. What is enrolled works.
- **A password reset** begins with an e-mail code to the user's address or with a recovery code, and asks for a second \
factor that the user has, whatever is remembered or exempt. After the e-mail no mailbox is one, nor a backup; after the \
recovery code no other code is. Who has nothing else is done with `mailbox_only`, AAL1: tell the user. What is required \
and missing is enrolled at the next sign-in.
- **A disabled user** has no way forward once a first factor is proven. Before that nobody is told.
- **One user:** the server can require more (`mfa.required`), or exempt them at sign-in until a date (`mfa.exempt_until`).

## What a sign-in is worth

AAL (SP 800-63B-4 §2) and `amr` (RFC 8176) are derived from the proofs each time. AAL2 is a passkey with user \
verification, or a password and something one has: phone, authenticator app, passkey, recovery code. Two things that \
one has are two proofs and AAL1 (§2.2.1), as is all that has an e-mail code for a factor (§3.1.3.1). AAL3 is never claimed.

| proof | `amr` |
| --- | --- |
| password | `pwd` |
| authenticator app | `otp` |
| phone | `sms`, or `tel` by call |
| passkey | `hwk`, or `swk` when it can be copied to other devices; and `user` |
| e-mail code | `otp` and `email` |
| recovery code | `otp` and `recovery` |
| AAL2 was reached | `mfa` |

RFC 8176 has no value for e-mail or recovery codes. Both are one-time passwords, so they say `otp`; the second word is \
ours, so that neither is taken for an authenticator app. A remembered device proves nothing and is in no `amr`.

";

/// The whole document.
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("| `acr` | is |\n| --- | --- |\n");
    for (name, words) in
        Acr::NAMES.iter().zip(["anything that was proven", "AAL2", "AAL2 with a passkey among the proofs"])
    {
        let _ = writeln!(text, "| `{name}` | {words} |");
    }
    text.push_str("\n## Reasons\n\n| code | sentence |\n| --- | --- |\n");
    for reason in Reason::ALL {
        let _ = writeln!(text, "| `{}` | {} |", reason.code(), reason.sentence());
    }
    text.push_str(
        "\n## Decision table\n\nWhere a cell is empty nothing of it is set. Options stand in the order they are offered. \
        `login:` is the customer's own login, `proofs:` are ours.\n",
    );
    let mut group = "";
    for case in cases() {
        if case.group != group {
            group = case.group;
            let _ = writeln!(
                text,
                "\n### {group}\n\n| case | policy | user | flow | answer |\n| --- | --- | --- | --- | --- |"
            );
        }
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            case.title,
            policy(&case.situation),
            user(&case.situation),
            flow(&case.situation),
            case.answer
        );
    }
    text
}

fn list(kinds: Kinds) -> String {
    kinds.iter().map(Kind::as_str).collect::<Vec<_>>().join(", ")
}

fn policy(situation: &Situation) -> String {
    let mut parts: Vec<String> = rule(&situation.instance.rule);
    let off = Kinds::SECOND.less(situation.instance.enrollable);
    if !off.is_empty() {
        parts.push(format!("off: {}", list(off)));
    }
    let days = situation.instance.device_lifetime.as_secs() / 86_400;
    if days != 30 {
        parts.push(format!("for {days} days"));
    }
    if let Some(app) = &situation.app {
        let own = rule(app);
        parts.push(format!("app: {}", if own.is_empty() { "nothing".to_owned() } else { own.join("; ") }));
    }
    parts.join("; ")
}

fn rule(rule: &Rule) -> Vec<String> {
    let mut parts = Vec::new();
    for (name, kinds) in [("required", rule.required), ("named", rule.named), ("enforced", rule.enforce_enrolment)] {
        if !kinds.is_empty() {
            parts.push(format!("{name}: {}", list(kinds)));
        }
    }
    if rule.email_backup != EmailBackup::Never {
        parts.push(format!("e-mail backup: {}", rule.email_backup.as_str()));
    }
    if rule.remember_device {
        parts.push("devices".to_owned());
    }
    match (rule.grace.sign_ins, rule.grace.days) {
        (0, 0) => {}
        (sign_ins, 0) => parts.push(format!("grace: {sign_ins} sign-ins")),
        (0, days) => parts.push(format!("grace: {days} days")),
        (sign_ins, days) => parts.push(format!("grace: {sign_ins} sign-ins, {days} days")),
    }
    parts
}

fn user(situation: &Situation) -> String {
    let mut parts: Vec<String> = Vec::new();
    if situation.user.is_disabled {
        parts.push("disabled".to_owned());
    }
    for factor in &situation.user.factors {
        let mut words = factor.id.strip_suffix(" 1").unwrap_or(&factor.id).to_owned();
        if !factor.is_active {
            words.push_str(" (pending)");
        }
        if !factor.is_available {
            words.push_str(" (unavailable)");
        }
        if let Some(used) = factor.last_used_at {
            let _ = write!(words, " ({} days ago)", used.until(NOW).as_secs() / 86_400);
        }
        parts.push(words);
    }
    match situation.user.exception {
        Exception::None => {}
        Exception::Required(kinds) => parts.push(format!("has to prove {}", list(kinds))),
        Exception::ExemptUntil(until) if until > NOW => parts.push("exempt".to_owned()),
        Exception::ExemptUntil(_) => parts.push("was exempt".to_owned()),
    }
    if let Some(started) = situation.user.grace.started_at {
        let used = situation.user.grace.sign_ins;
        parts.push(format!("put off {used} times since {} days", started.until(NOW).as_secs() / 86_400));
    }
    parts.join(", ")
}

fn flow(situation: &Situation) -> String {
    let mut parts: Vec<String> = Vec::new();
    if situation.step_up {
        parts.push("step-up".to_owned());
    }
    if situation.reset {
        parts.push("password reset".to_owned());
    }
    if let Some(external) = &situation.external {
        let at = external.destination.as_deref().map(|at| format!(" ({})", at.strip_suffix(" 1").unwrap_or(at)));
        parts.push(format!("login: {}{}", external.kind.as_str(), at.unwrap_or_default()));
    }
    if let Some(device) = situation.device {
        parts.push(format!("device of {} days ago", device.made_at.until(NOW).as_secs() / 86_400));
    }
    let proofs: Vec<String> = situation
        .proofs
        .iter()
        .map(|proof| {
            let id = proof.factor_id.as_deref().unwrap_or(match proof.kind {
                Kind::Email => "own address",
                kind => kind.as_str(),
            });
            let mut words = id.strip_suffix(" 1").unwrap_or(id).to_owned();
            let usual = if situation.step_up { Purpose::StepUp } else { Purpose::SignIn };
            if proof.purpose != usual {
                let _ = write!(words, " ({})", proof.purpose.as_str());
            }
            if proof.user_verified {
                words.push_str(" (user verified)");
            }
            if proof.channel == Some(Channel::Voice) {
                words.push_str(" (call)");
            }
            let age = proof.verified_at.until(NOW).as_secs() / 60;
            if age > 0 {
                let _ = write!(words, " ({age} minutes ago)");
            }
            words
        })
        .collect();
    if !proofs.is_empty() {
        parts.push(format!("proofs: {}", proofs.join(", ")));
    }
    parts.join("; ")
}
