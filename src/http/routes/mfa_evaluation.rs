//! `/v1/users/{id}/mfa-evaluation`: what a sign-in needs, and why.

use super::{
    Run,
    parts::{CLIENT, PHONE, address, number, on_behalf},
    view,
};
use crate::{
    api_key::Scope,
    context::Context,
    device::Token,
    evaluation::{Ask, Ending, evaluate},
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::Answer,
    },
    ids::{AppId, ChallengeId, UserId},
    message::Destination,
    policy::{External, ExternalKind},
    schema::{Field, Form, Shape, field},
};

/// Through which app.
pub(super) const APP: Field =
    field("app_id", Shape::Id("app_"), "Through which app; without one the instance's policy holds");
/// What was proven here.
pub(super) const PROOFS: Field = field(
    "proofs",
    Shape::List(&Shape::Id("chl_"), 8),
    "Challenges of this user that were verified in the last ten minutes and not used before",
);
/// What was proven elsewhere.
pub(super) const EXTERNAL: Field = field(
    "external_first_factor",
    Shape::Object(&[
        field("type", Shape::OneOf(&ExternalKind::NAMES), "What your login has asked").required(),
        field("email", Shape::Text(254), "The address it has used, for `email`; unknown is taken for any"),
        Field { meaning: "The number it has used, for `phone`; unknown is taken for any", ..PHONE },
    ]),
    "That your own login has proven a first factor",
);

const BODY: &[Field] = &[
    APP,
    PROOFS,
    EXTERNAL,
    field("device", Shape::Text(100), "The token of a remembered device; one that is none counts as nothing"),
    field("purpose", Shape::OneOf(&["sign_in", "step_up"]), "A step-up asks for more; default `sign_in`"),
    field(
        "complete",
        Shape::Boolean,
        "End the flow here if the policy is met: the proofs are used up, the device's use and an event are noted",
    ),
    field(
        "skip_enrolment",
        Shape::Boolean,
        "With `complete`: the user puts the enrolment off, while the grace lasts; it counts",
    ),
    CLIENT,
];

pub(super) const ROUTES: &[(Operation, Run)] = &[(
    Operation {
        description: "Nothing changes, unless `complete` is true and `completed` comes back true: then each proof has been used, \
            by one call of however many. What is decided in which case: `docs/policy.md`.",
        auth: Auth::Key(Scope::UsersWrite),
        body: Some(BODY),
        body_optional: true,
        example: r#"{"external_first_factor": {"type": "password"}}"#,
        gives: Gives::One("MfaEvaluation", shapes::MFA_EVALUATION),
        refuses: &[&[Code::ProofInvalid]],
        ..operation("POST", "/v1/users/{id}/mfa-evaluation", "evaluateMfa", "Policy", "Ask what a sign-in needs")
    },
    Run::Keyed(|call| Box::pin(ask(call))),
)];

/// What the body says of the flow.
pub(super) fn flow(call: &Call, context: &Context) -> Result<Ask, Problem> {
    let form = &call.form;
    let proofs = form.texts("proofs").unwrap_or_default();
    let mut ids: Vec<ChallengeId> = Vec::with_capacity(proofs.len());
    for (at, text) in proofs.into_iter().enumerate() {
        let path = format!("proofs.{at}");
        let id = ChallengeId::parse(text).ok_or_else(|| wrong(&path, "this is not an id"))?;
        if ids.contains(&id) {
            return Err(wrong(&path, "this is here twice"));
        }
        ids.push(id);
    }
    Ok(Ask {
        user: call.id("id", UserId::parse, "user")?,
        app: Call::form_id(form, "app_id", AppId::parse)?,
        proofs: ids,
        external: external(form, context)?,
        // A token that is malformed is as good as none: the browser keeps it, and may keep anything.
        device: form.text("device").and_then(Token::parse),
        reset: false,
        step_up: form.text("purpose") == Some("step_up"),
    })
}

fn external(form: &Form, context: &Context) -> Result<Option<External>, Problem> {
    const NAME: &str = "external_first_factor";
    let Some(kind) = form.text("external_first_factor.type").and_then(ExternalKind::parse) else { return Ok(None) };
    let of = |member: &str| form.text(&format!("{NAME}.{member}"));
    for (member, takes) in [("email", ExternalKind::Email), ("phone", ExternalKind::Phone)] {
        if of(member).is_some() && kind != takes {
            return Err(wrong(&format!("{NAME}.{member}"), format!("only the type {} has it", takes.as_str())));
        }
    }
    let email = of("email").map(|text| address("external_first_factor.email", text).map(Destination::Email));
    let phone = of("phone").map(|text| number(context, "external_first_factor.phone", text).map(Destination::Phone));
    let destination = email.or(phone).transpose()?.map(|destination| destination.as_str().to_owned());
    Ok(Some(External { kind, destination }))
}

async fn ask(call: Call) -> Answer {
    let context = on_behalf(&call)?;
    let ask = flow(&call, &context)?;
    let flag = |name: &str| call.form.flag(name).unwrap_or(false);
    let ending = match (flag("complete"), flag("skip_enrolment")) {
        (false, false) => Ending::No,
        (true, false) => Ending::IfSatisfied,
        (true, true) => Ending::OrPutOff,
        (false, true) => return Err(wrong("skip_enrolment", "it is wanted with `complete` only").into()),
    };
    let evaluated = evaluate(&context, &ask, ending).await?;
    Ok(Reply::json(200, &view::evaluated(&evaluated)))
}
