//! The policy's tests: the cases of the document, and properties held against a naive oracle.

mod oracle;
mod properties;

use std::fmt::Write as _;

use super::{Acr, Role, Skip, Step, cases::cases, given::NOW, next_step};

#[test]
fn every_case_of_the_document_is_answered_as_it_says() {
    let wrong: Vec<String> = cases()
        .into_iter()
        .filter_map(|case| {
            let got = answer(&next_step(&case.situation));
            (got != case.answer)
                .then(|| format!("{} / {}\n  wanted {}\n  got    {got}", case.group, case.title, case.answer))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_case_stands_twice() {
    let mut titles: Vec<_> = cases().iter().map(|case| (case.group, case.title)).collect();
    titles.sort_unstable();
    let all = titles.len();
    titles.dedup();
    assert_eq!(titles.len(), all);
}

/// A step in one line.
fn answer(step: &Step) -> String {
    let why = step.reason().code();
    let name = step.as_str();
    match step {
        Step::NeedsFirstFactor { .. } | Step::Blocked { .. } => format!("{name} – {why}"),
        Step::NeedsSecondFactor { options, .. } => {
            let options = options.iter().map(|offer| match offer.role {
                Role::Factor => offer.kind.as_str().to_owned(),
                role => format!("{} ({})", offer.kind.as_str(), role.as_str()),
            });
            format!("{name}: {} – {why}", options.collect::<Vec<_>>().join(", "))
        }
        Step::NeedsEnrolment { options, skip, .. } => {
            let skip = skip.as_ref().map(|skip| format!(", or put off ({})", put_off(skip))).unwrap_or_default();
            format!("{name}: {}{skip} – {why}", options.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "))
        }
        Step::Satisfied { assurance, stand_ins, may_remember_device, .. } => {
            let mut worth = format!("AAL{}", assurance.aal);
            if assurance.acr == Acr::Aal2PhishingResistant {
                worth.push_str(" phishing-resistant");
            }
            if !assurance.amr.is_empty() {
                let _ = write!(worth, ", {}", assurance.amr.join(" "));
            }
            if !stand_ins.is_empty() {
                let by: Vec<_> = stand_ins.iter().map(|stand_in| stand_in.as_str()).collect();
                let _ = write!(worth, ", by {}", by.join(" and "));
            }
            if *may_remember_device {
                worth.push_str(", device may be remembered");
            }
            format!("{name}: {worth} – {why}")
        }
    }
}

fn put_off(skip: &Skip) -> String {
    let many = |number: u64, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let sign_ins = skip.sign_ins_left.map(|left| many(left.into(), "sign-in"));
    let days = skip.until.map(|until| many(NOW.until(until).as_secs() / 86_400, "day"));
    [sign_ins, days].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
