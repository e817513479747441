//! `/v1/me/step-up`: the person proves again who they are, before something sensitive.

use serde_json::{Value, json};

use super::{
    super::{
        challenges::{ANSWERING, RESENDING, SENDING},
        client,
        oauth::shown,
        parts::{CHANNEL, CREDENTIAL, LOCALE, channel, given, locale},
        passwords::{PASSWORD, password as typed},
        view::with,
    },
    Run, identifiers, not_taken, own, owner, shapes,
};
use crate::{
    account::step_up::{self, SteppedUp},
    factor::FactorType,
    flow::act::Wanted,
    http::{
        Call, Code, Reply,
        contract::{Gives, Operation, shapes::FLOW_CHALLENGE},
        input::wrong,
        reply::Answer,
    },
    ids::{ChallengeId, FactorId},
    schema::{Field, Shape, field},
};

const STEP_UP: Gives = Gives::One("StepUp", shapes::STEP_UP);

const BEGIN: &[Field] = &[
    field("factor_id", Shape::Id("fac_"), "This one of the options"),
    field(
        "type",
        Shape::OneOf(&["phone", "email", "totp", "passkey", "recovery_codes"]),
        "The first option of this type; with nothing named the first of all",
    ),
    CHANNEL,
    Field { meaning: "Instead: your password, where that is an option; nothing else is needed then", ..PASSWORD },
    LOCALE,
];

const ANSWER: &[Field] = &[field("code", Shape::Text(64), "What you got, or read").example(r#""042137""#), CREDENTIAL];

pub(in super::super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation { gives: STEP_UP, ..own("GET", "/v1/me/step-up", "getStepUp", "Read how you can prove who you are") },
        Run::Keyed(|call| Box::pin(get(call))),
    ),
    (
        Operation {
            description: "Makes a challenge of one of the options, to be answered; with a `password` there is none, and the answer is that of one. \
                A proof is good for one change within ten minutes.",
            body: Some(BEGIN),
            body_optional: true,
            example: r#"{"type": "phone", "channel": "sms"}"#,
            status: 201,
            also: &[200],
            gives: Gives::Either("FlowChallenge", FLOW_CHALLENGE, "StepUp", shapes::STEP_UP),
            refuses: &[SENDING, &[Code::MessageRefused, Code::PasswordIncorrect]],
            ..own("POST", "/v1/me/step-up", "createStepUp", "Prove who you are, again")
        },
        Run::Keyed(|call| Box::pin(begin(call))),
    ),
    (
        Operation {
            description: "Once the policy is met the answer has a new access token, which says so.",
            body: Some(ANSWER),
            example: r#"{"code": "042137"}"#,
            gives: STEP_UP,
            refuses: &[ANSWERING],
            ..own("POST", "/v1/me/step-up/{cid}/answer", "answerStepUp", "Answer a step-up")
        },
        Run::Keyed(|call| Box::pin(answer(call))),
    ),
    (
        Operation {
            body: Some(client::fields::RESEND),
            body_optional: true,
            gives: Gives::One("FlowChallenge", FLOW_CHALLENGE),
            refuses: &[SENDING, RESENDING, &[Code::MessageRefused]],
            ..own("POST", "/v1/me/step-up/{cid}/resend", "resendStepUp", "Send another code")
        },
        Run::Keyed(|call| Box::pin(identifiers::resend(call))),
    ),
];

/// What it stands at, with the new tokens.
fn view(stepped_up: &SteppedUp) -> Value {
    let SteppedUp { options, factors, worth, tokens } = stepped_up;
    let view = json!({
        "options": options.iter().map(|offer| client::view::option(offer, factors)).collect::<Vec<_>>(),
        "acr": worth.acr,
        "amr": worth.amr,
        "auth_time": worth.auth_time.to_string(),
    });
    match tokens.as_ref().map(shown) {
        Some(Value::Object(tokens)) => with(view, tokens),
        _ => view,
    }
}

async fn get(call: Call) -> Answer {
    Ok(Reply::json(200, &view(&step_up::get(&call.context, &owner(&call)?).await?)))
}

async fn begin(call: Call) -> Answer {
    let (owner, form) = (owner(&call)?, &call.form);
    let wanted = Wanted {
        factor: Call::form_id(form, "factor_id", FactorId::parse)?,
        kind: form.text("type").and_then(FactorType::parse),
        channel: channel(form),
    };
    if let Some(password) = form.text("password") {
        if wanted.factor.is_some() || wanted.kind.is_some() || wanted.channel.is_some() {
            return Err(wrong("password", "a password is wanted, or something to challenge, not both").into());
        }
        return Ok(Reply::json(200, &view(&step_up::password(&call.context, &owner, &typed(password)?).await?)));
    }
    let created = step_up::challenge(&call.context, &owner, &wanted, locale(form)?).await?;
    Ok(Reply::json(201, &client::view::created(&created, call.context.now())))
}

async fn answer(call: Call) -> Answer {
    let (id, given) = (call.id("cid", ChallengeId::parse, "challenge")?, given(&call.form)?);
    match step_up::answer(&call.context, &owner(&call)?, &id, &given).await? {
        Ok(stepped_up) => Ok(Reply::json(200, &view(&stepped_up))),
        Err(answered) => Err(not_taken(&answered)),
    }
}
