//! `/v1/users/{id}/devices`: remembered browsers and phones.

use serde_json::{Value, json};

use super::{
    Run,
    mfa_evaluation::{APP, EXTERNAL, PROOFS, flow},
    parts::{CLIENT, on_behalf},
    view,
};
use crate::{
    api_key::Scope,
    device::{
        self,
        remember::{NotAllowed, Remember, Remembered, remember},
    },
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::{Answer, Failure},
    },
    ids::{DeviceId, UserId},
    phone::is_known_country,
    schema::{Field, Shape, field},
    secret::Secret,
};

const TAG: &str = "Devices";
const READ: Auth = Auth::Key(Scope::UsersRead);
const WRITE: Auth = Auth::Key(Scope::UsersWrite);

const CREATE: &[Field] = &[
    Field {
        meaning: "What was proven, as for the evaluation; proofs that completed one may still make one device",
        ..PROOFS.required()
    },
    EXTERNAL,
    APP,
    field("name", Shape::Text(60), "What it is called").example(r#""Ana's laptop""#),
    field("country", Shape::Text(2), "Where it is, ISO 3166-1 alpha-2, as your server knows it").example(r#""US""#),
    CLIENT,
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "After a second factor was proven; not where a recovery code, an e-mail as backup, another device or an exemption \
                stood in. The token is shown in this answer only; pass it as `device` to the evaluation. It ends \
                `multi_factor.remember_device.days` after its making, and when the user's MFA is reset.",
            auth: WRITE,
            idempotent: true,
            body: Some(CREATE),
            example: r#"{"proofs": ["chl_01M83WM7ZA000G40R40M30E209"], "external_first_factor": {"type": "password"}}"#,
            status: 201,
            gives: Gives::One("NewDevice", shapes::NEW_DEVICE),
            refuses: &[&[Code::ProofInvalid, Code::DeviceNotAllowed]],
            ..operation("POST", "/v1/users/{id}/devices", "createDevice", TAG, "Remember a device")
        },
        Run::Keyed(|call| Box::pin(create(call))),
    ),
    (
        Operation {
            description: "Newest first, whole; those that have ended are left out.",
            auth: READ,
            gives: Gives::Page("Device", shapes::DEVICE),
            ..operation("GET", "/v1/users/{id}/devices", "listDevices", TAG, "List a user's devices")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation {
            auth: WRITE,
            status: 204,
            ..operation("DELETE", "/v1/users/{id}/devices/{did}", "deleteDevice", TAG, "Forget a device")
        },
        Run::Keyed(|call| Box::pin(forget(call))),
    ),
    (
        Operation {
            auth: WRITE,
            status: 204,
            ..operation("DELETE", "/v1/users/{id}/devices", "deleteDevices", TAG, "Forget all of a user's devices")
        },
        Run::Keyed(|call| Box::pin(forget_all(call))),
    ),
];

async fn create(call: Call) -> Answer {
    let context = on_behalf(&call)?;
    let ask = flow(&call, &context)?;
    if ask.proofs.is_empty() {
        return Err(wrong("proofs", "at least one is wanted").into());
    }
    let country = call.form.text("country").map(str::to_ascii_uppercase);
    if country.as_deref().is_some_and(|country| !is_known_country(country)) {
        return Err(wrong("country", "an ISO 3166-1 alpha-2 code like US is wanted").into());
    }
    let name = call.form.text("name").map(str::to_owned);
    let command = Remember { ask, name, country, reservation: call.reservation.clone() };
    match remember(&context, &command).await? {
        Remembered::Done(device, token) => {
            let body = json!({"device": view::device(&device), "token": token.as_ref().map(Secret::expose)});
            Ok(Reply::json(201, &body).replayed(token.is_none()))
        }
        Remembered::NotAllowed(why) => Err(not_allowed(&why).into()),
        Remembered::NotFound => Err(Problem::not_found("device").into()),
        Remembered::Claimed(claim) => Err(Problem::from(claim).into()),
    }
}

fn not_allowed(why: &NotAllowed) -> Problem {
    let detail = match why {
        NotAllowed::NotSatisfied(reason) => format!("the policy is not met: {}", reason.sentence()),
        NotAllowed::StoodIn(reason) => format!("no second factor was proven for it: {}", reason.sentence()),
        NotAllowed::SwitchedOff => {
            "the setting multi_factor.remember_device.enabled is false, or the app's mfa.remember_device".to_owned()
        }
    };
    Problem::new(Code::DeviceNotAllowed, detail)
}

async fn list(call: Call) -> Answer {
    let devices = device::list(&call.context, &user(&call)?).await?.ok_or_else(|| Problem::not_found("user"))?;
    let data: Vec<Value> = devices.iter().map(view::device).collect();
    Ok(Reply::json(200, &json!({"data": data, "next_cursor": null})))
}

async fn forget(call: Call) -> Answer {
    let id = call.id("did", DeviceId::parse, "device")?;
    if device::forget(&call.context, &user(&call)?, &id).await? {
        return Ok(Reply::nothing());
    }
    Err(Problem::not_found("device").into())
}

async fn forget_all(call: Call) -> Answer {
    if device::forget_all(&call.context, &user(&call)?).await? {
        return Ok(Reply::nothing());
    }
    Err(Problem::not_found("user").into())
}

fn user(call: &Call) -> Result<UserId, Failure> {
    Ok(call.id("id", UserId::parse, "user")?)
}
