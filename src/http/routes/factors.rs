//! `/v1/users/{id}/factors`: add, prove, list and remove what a user can prove.

use serde_json::{Value, json};

use super::{
    Run,
    challenges::{ANSWERING, SENDING, answered},
    parts::{CHANNEL, CLIENT, CREDENTIAL, EMAIL, LOCALE, PHONE, address, channel, locale, number, on_behalf},
    passwords::{PASSWORD, password},
    view,
};
use crate::{
    api_key::Scope,
    challenge::{Purpose, answer::Expect},
    context::Context,
    factor::{
        Authority, Factor, FactorType, New,
        enrol::{self, Enrol},
        password::NewPassword,
        remove::{self, Removed},
        store,
    },
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        problem::{proof_invalid, proof_required},
        reply::{Answer, Failure},
    },
    ids::{AppId, ChallengeId, FactorId, UserId},
    message::Channel,
    schema::{Field, Form, Shape, field},
    secret::Secret,
};

pub(super) const TAG: &str = "Factors";
const READ: Auth = Auth::Key(Scope::UsersRead);
pub(super) const WRITE: Auth = Auth::Key(Scope::UsersWrite);

/// What a change of factors refuses with.
pub(super) const CHANGING: &[Code] = &[Code::ProofRequired, Code::ProofInvalid];

pub(super) const PROOF: Field = field(
    "proof",
    Shape::Id("chl_"),
    "A challenge of this user's active factor, verified in the last ten minutes; it is consumed",
);
pub(super) const OVERRIDE: Field = field(
    "override",
    Shape::Object(&[field("reason", Shape::Text(200), "Why, for the audit event").required()]),
    "Your word instead of a proof; needs the scope `users:override`",
);

const ENROL: &[Field] = &[
    field("type", Shape::OneOf(&FactorType::NAMES), "The kind").required().example(r#""phone""#),
    PHONE,
    EMAIL,
    PASSWORD,
    field(
        "hash",
        Shape::Text(512),
        "Instead of a password, when people move here: the hash that your system made of it with bcrypt, Argon2, scrypt or PBKDF2",
    ),
    field("name", Shape::Text(60), "What the user calls it").example(r#""My phone""#),
    CHANNEL,
    LOCALE,
    field("app_id", Shape::Id("app_"), "Through which app"),
    PROOF,
    OVERRIDE,
    CLIENT,
];

const ACTIVATE: &[Field] = &[
    field("challenge_id", Shape::Id("chl_"), "The challenge that was made with the factor, or a later one").required(),
    field("code", Shape::Text(64), "What the person typed").example(r#""042137""#),
    CREDENTIAL,
    CLIENT,
];

const REMOVAL: &[Field] = &[
    PROOF,
    field(
        "override_reason",
        Shape::Text(200),
        "Your word instead of a proof, with its reason; needs the scope `users:override`",
    ),
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            auth: READ,
            gives: Gives::Page("Factor", shapes::FACTOR),
            ..operation("GET", "/v1/users/{id}/factors", "listFactors", TAG, "List a user's factors")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation {
            description: "Adds a pending factor and sends the code that proves it. What goes into an authenticator app is in this answer only. \
                Recovery codes are active at once, and in this answer only. A password is active at once, and takes the place of the one before. \
                A user who has an active factor needs `proof` or `override`.",
            auth: WRITE,
            idempotent: true,
            body: Some(ENROL),
            example: r#"{"type": "phone", "phone": "+14155552671", "name": "My phone"}"#,
            status: 201,
            gives: Gives::One("Enrolment", shapes::ENROLMENT),
            refuses: &[SENDING, CHANGING, &[Code::IdentifierExists]],
            ..operation("POST", "/v1/users/{id}/factors", "createFactor", TAG, "Add a factor")
        },
        Run::Keyed(|call| Box::pin(create(call))),
    ),
    (
        Operation {
            description: "Sends another code for a pending factor, or challenges an active one.",
            auth: WRITE,
            idempotent: true,
            body: Some(&[CHANNEL, LOCALE, CLIENT]),
            body_optional: true,
            status: 201,
            gives: Gives::One("Challenge", shapes::CHALLENGE),
            refuses: &[SENDING],
            ..operation("POST", "/v1/users/{id}/factors/{fid}/challenges", "challengeFactor", TAG, "Challenge a factor")
        },
        Run::Keyed(|call| Box::pin(challenge(call))),
    ),
    (
        Operation {
            description: "Answers the challenge of a pending factor: the right code makes it active.",
            auth: WRITE,
            body: Some(ACTIVATE),
            example: r#"{"challenge_id": "chl_01M83WM7ZA000G40R40M30E209", "code": "042137"}"#,
            gives: Gives::One("Factor", shapes::FACTOR),
            refuses: &[ANSWERING],
            ..operation("POST", "/v1/users/{id}/factors/{fid}/activate", "activateFactor", TAG, "Prove a factor")
        },
        Run::Keyed(|call| Box::pin(activate(call))),
    ),
    (
        Operation {
            description: "An active factor needs a `proof` or an override; a pending one nothing.",
            auth: WRITE,
            query: REMOVAL,
            status: 204,
            refuses: &[CHANGING],
            ..operation("DELETE", "/v1/users/{id}/factors/{fid}", "deleteFactor", TAG, "Remove a factor")
        },
        Run::Keyed(|call| Box::pin(delete(call))),
    ),
    (
        Operation {
            description: "Removes all of a user's factors, with a `proof` or an override.",
            auth: WRITE,
            query: REMOVAL,
            status: 204,
            refuses: &[CHANGING],
            ..operation("DELETE", "/v1/users/{id}/factors", "resetFactors", TAG, "Reset a user's MFA")
        },
        Run::Keyed(|call| Box::pin(reset(call))),
    ),
];

async fn list(call: Call) -> Answer {
    let user = user(&call)?;
    let answer = call.context.decide(store::list(&user)).await?;
    let [users, factors] = answer.as_slice() else { return Err(Problem::not_found("user").into()) };
    if users.is_empty() {
        return Err(Problem::not_found("user").into());
    }
    let data = factors.iter().map(Factor::read).collect::<Result<Vec<_>, _>>()?;
    let data: Vec<Value> = data.iter().map(view::factor).collect();
    Ok(Reply::json(200, &json!({"data": data, "next_cursor": null})))
}

async fn create(call: Call) -> Answer {
    let context = on_behalf(&call)?;
    let user = user(&call)?;
    let new = new(&context, &call.form)?;
    let authority = authority(&call, &call.form, "override.reason")?;
    let command = Enrol {
        user,
        new,
        name: call.form.text("name").map(str::to_owned),
        authority,
        locale: locale(&call.form)?,
        app: Call::form_id(&call.form, "app_id", AppId::parse)?,
        reservation: call.reservation.clone(),
    };
    let enrolled = enrol::enrol(&context, command).await?;
    Ok(Reply::json(201, &view::enrolled(&enrolled, context.now())).replayed(enrolled.replayed))
}

/// What is to be added, by its type.
pub(super) fn new(context: &Context, form: &Form) -> Result<New, Failure> {
    match form.text("type").and_then(FactorType::parse) {
        Some(FactorType::Phone) => {
            let typed = form.text("phone").ok_or_else(|| wrong("phone", "a phone factor needs its number"))?;
            Ok(New::Phone(number(context, "phone", typed)?, channel(form).unwrap_or(Channel::Sms)))
        }
        Some(FactorType::Totp) => Ok(New::Totp),
        Some(FactorType::RecoveryCodes) => Ok(New::RecoveryCodes),
        Some(FactorType::Email) => {
            let typed = form.text("email").ok_or_else(|| wrong("email", "an e-mail factor needs its address"))?;
            match channel(form) {
                None | Some(Channel::Email) => Ok(New::Email(address("email", typed)?)),
                Some(_) => Err(wrong("channel", "an e-mail factor takes its code by email").into()),
            }
        }
        Some(FactorType::Password) => match (form.text("password"), form.text("hash")) {
            (Some(typed), None) => Ok(New::Password(NewPassword::Typed(password(typed)?))),
            (None, Some(hash)) => Ok(New::Password(NewPassword::Hashed(Secret::new(hash.to_owned())))),
            _ => Err(wrong("password", "a password or a hash of it is wanted, and not both").into()),
        },
        Some(FactorType::Passkey) => Ok(New::Passkey),
        _ => Err(Problem::new(Code::StrategyNotSupported, "this factor type is not supported yet").into()),
    }
}

async fn challenge(call: Call) -> Answer {
    let context = on_behalf(&call)?;
    let (user, factor) = (user(&call)?, factor(&call)?);
    let created =
        enrol::challenge(&context, user, factor, channel(&call.form), locale(&call.form)?, call.reservation.clone())
            .await?;
    Ok(Reply::json(201, &view::created(&created, context.now())).replayed(created.replayed))
}

async fn activate(call: Call) -> Answer {
    let context = on_behalf(&call)?;
    let (user, factor) = (user(&call)?, factor(&call)?);
    let id = Call::form_id(&call.form, "challenge_id", ChallengeId::parse)?
        .ok_or_else(|| wrong("challenge_id", "the challenge's id is wanted"))?;
    let expect =
        Expect { user: Some(user), factor: Some(factor), purpose: Some(Purpose::Enrolment), destination: None };
    let (_, factor) = answered(&context, &id, &call.form, &expect).await?;
    let factor = factor.ok_or_else(|| Problem::not_found("factor"))?;
    Ok(Reply::json(200, &view::factor(&factor)))
}

async fn delete(call: Call) -> Answer {
    let authority = authority(&call, &call.query, "override_reason")?;
    removed(&remove::one(&call.context, &user(&call)?, &factor(&call)?, &authority).await?, "factor")
}

async fn reset(call: Call) -> Answer {
    let authority = authority(&call, &call.query, "override_reason")?;
    removed(&remove::all(&call.context, &user(&call)?, &authority).await?, "user")
}

fn removed(removed: &Removed, what: &str) -> Answer {
    match removed {
        Removed::Done => Ok(Reply::nothing()),
        Removed::NotFound => Err(Problem::not_found(what).into()),
        Removed::ProofRequired => Err(proof_required().into()),
        Removed::ProofInvalid => Err(proof_invalid().into()),
    }
}

/// What the call brings to allow a change: a proof, or the word of a key that has the scope for it.
pub(super) fn authority(call: &Call, form: &Form, reason: &str) -> Result<Authority, Failure> {
    let proof = Call::form_id(form, "proof", ChallengeId::parse)?;
    match (proof, form.text(reason)) {
        (Some(_), Some(_)) => Err(wrong("proof", "a proof or an override is wanted, not both").into()),
        (Some(proof), None) => Ok(Authority::Proof(proof)),
        (None, Some(_)) if !call.context.credential().may(Scope::UsersOverride) => {
            Err(Problem::new(Code::ScopeMissing, "an override needs the scope users:override").into())
        }
        (None, Some(reason)) => Ok(Authority::Override(reason.to_owned())),
        (None, None) => Ok(Authority::None),
    }
}

pub(super) fn user(call: &Call) -> Result<UserId, Failure> {
    Ok(call.id("id", UserId::parse, "user")?)
}

fn factor(call: &Call) -> Result<FactorId, Failure> {
    Ok(call.id("fid", FactorId::parse, "factor")?)
}
