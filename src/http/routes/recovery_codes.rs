//! `/v1/users/{id}/recovery-codes`: makes a set, in the place of the one there is.

use serde_json::json;

use super::{
    Run,
    factors::{CHANGING, OVERRIDE, PROOF, TAG, WRITE, authority, user},
    parts::{CLIENT, on_behalf},
    view,
};
use crate::{
    factor::{
        New,
        enrol::{self, Enrol},
    },
    http::{
        Call, Code, Reply,
        contract::{Gives, Operation, operation, shapes},
        reply::Answer,
    },
    schema::Field,
};

const MAKE: &[Field] = &[PROOF, OVERRIDE, CLIENT];

pub(super) const ROUTES: &[(Operation, Run)] = &[(
    Operation {
        description: "Each code works once, in the place of a factor that is missing. The codes are shown in this answer only; \
            codes made before die. A user who has an active factor needs `proof` or `override`.",
        auth: WRITE,
        idempotent: true,
        body: Some(MAKE),
        body_optional: true,
        example: r#"{"proof": "chl_01M83WM7ZA000G40R40M30E209"}"#,
        status: 201,
        gives: Gives::One("RecoveryCodes", shapes::RECOVERY_CODES),
        refuses: &[&[Code::StrategyNotSupported], CHANGING],
        ..operation("POST", "/v1/users/{id}/recovery-codes", "createRecoveryCodes", TAG, "Make recovery codes")
    },
    Run::Keyed(|call| Box::pin(make(call))),
)];

async fn make(call: Call) -> Answer {
    let context = on_behalf(&call)?;
    let command = Enrol {
        user: user(&call)?,
        new: New::RecoveryCodes,
        name: None,
        authority: authority(&call, &call.form, "override.reason")?,
        locale: None,
        app: None,
        reservation: call.reservation.clone(),
    };
    let enrolled = enrol::enrol(&context, command).await?;
    let body = json!({
        "factor": view::factor(&enrolled.factor),
        "recovery_codes": enrolled.shown.get("recovery_codes"),
    });
    Ok(Reply::json(201, &body).replayed(enrolled.replayed))
}
