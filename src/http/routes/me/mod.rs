//! `/v1/me`: the signed-in person's own security. Who calls is the person of the access token; what they change wants a
//! fresh proof, which `/v1/me/step-up` gives.

mod account;
mod factors;
mod identifiers;
mod shapes;
mod signed_in;
mod step_up;

pub(super) use account::ROUTES as ACCOUNT;
pub(super) use factors::ROUTES as FACTORS;
pub(super) use identifiers::ROUTES as IDENTIFIERS;
pub(super) use signed_in::ROUTES as SIGNED_IN;
pub(super) use step_up::ROUTES as STEP_UP;

use super::{Run, challenges::refused};
use crate::{
    account::{AccountError, Owner},
    challenge::answer::Answered,
    http::{
        Call, Code, Problem,
        contract::{Auth, Operation, operation},
        reply::Failure,
    },
    policy::Acr,
    schema::{Field, Form, Shape, field},
    session::end::{self, Reason},
};

/// What a change refuses with.
const CHANGING: &[Code] = &[Code::InsufficientUserAuthentication];

/// Whether a change also signs the person out everywhere else (ASVS 7.4.3).
const END_OTHERS: Field =
    field("end_other_sessions", Shape::Boolean, "Also sign out everywhere else; default: no").example("true");

/// A call of somebody who is signed in.
const fn own(method: &'static str, path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation { auth: Auth::User, ..operation(method, path, id, "My account", summary) }
}

/// Whose account it is.
fn owner(call: &Call) -> Result<Owner, Problem> {
    Owner::of(&call.context).ok_or_else(|| Problem::new(Code::AccessTokenInvalid, "it is nobody's session"))
}

/// Signs out everywhere else, where that is asked for.
async fn end_others(call: &Call, owner: &Owner, form: &Form) -> Result<(), Failure> {
    if form.flag("end_other_sessions") == Some(true) {
        end::all(&call.context, &owner.user, Some(&owner.session), Reason::SignedOut).await?;
    }
    Ok(())
}

/// Why an answer was not taken, as a person is told.
fn not_taken(answered: &Answered) -> Failure {
    if matches!(answered, Answered::ProofRequired) {
        return AccountError::StepUp(Acr::Aal2).into();
    }
    let mut problem = refused(answered);
    // Why a passkey was refused is for servers.
    problem.members.remove("failed_step");
    problem.into()
}
