//! The policy: which proofs a sign-in needs. One pure function from plain data to the next step (law 10); what it
//! decides in each case is in `docs/policy.md`, generated from `cases.rs`.

mod assurance;
#[cfg(not(target_arch = "wasm32"))]
mod cases;
#[cfg(not(target_arch = "wasm32"))]
mod document;
mod facts;
mod flow;
#[cfg(not(target_arch = "wasm32"))]
mod given;
mod kind;
mod settings;
mod step;
mod stored;
#[cfg(test)]
mod tests;
mod ways;

pub use assurance::{Acr, Assurance};
#[cfg(not(target_arch = "wasm32"))]
pub use document::markdown;
pub use facts::{
    Device, EmailBackup, Enrolled, Exception, External, ExternalKind, Grace, GraceUsed, InstancePolicy, PROOF_LIFETIME,
    Proof, Rule, Situation, User,
};
pub use kind::{Kind, Kinds, SECOND_NAMES};
pub use settings::{Bindings, MultiFactor};
pub use step::{Offer, Reason, Role, Skip, StandIn, Step};
pub use stored::{app_rule, app_rule_json};

use flow::{First, Flow};

/// What comes next, and why.
///
/// Any proof that can be a first factor is tried as one, and the customer's own login too; the flow that gets furthest
/// is the answer. So proofs have no order, and one more never takes a flow back.
pub fn next_step(situation: &Situation) -> Step {
    let rule = situation.rule();
    let external = situation.login().into_iter().map(First::External);
    let own = situation.proofs.iter().filter(|proof| situation.counts(proof) && situation.can_be_first(proof));
    let steps = external.chain(own.map(First::Own)).map(|first| Flow::new(situation, &rule, first).step());
    match steps.reduce(|best, step| if step.rank() > best.rank() { step } else { best }) {
        // Nobody without a first factor learns that there is such a user (law 8).
        None => Step::NeedsFirstFactor { reason: Reason::FirstFactorMissing },
        Some(_) if situation.user.is_disabled => Step::Blocked { reason: Reason::UserDisabled },
        Some(step) => step,
    }
}
