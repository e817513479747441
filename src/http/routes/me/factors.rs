//! `/v1/me/factors`, `/v1/me/recovery-codes`: what the person can prove, by their own hand.

use serde_json::{Value, json};

use super::{
    super::{
        challenges::{ANSWERING, SENDING},
        client,
        factors::new,
        parts::{CHANNEL, CREDENTIAL, EMAIL, LOCALE, PHONE, channel, given, locale},
        view,
    },
    CHANGING, END_OTHERS, Run, end_others, not_taken, own, owner,
};
use crate::{
    account::standing::{self, NewFactor},
    challenge::{
        Purpose,
        answer::{self, Answered, Expect},
    },
    factor::{Factor, New, enrol::Enrolled, rename::rename, store},
    flow,
    http::{
        Call, Code, Problem, Reply,
        contract::{Gives, Operation, shapes},
        reply::{Answer, Failure},
    },
    ids::{ChallengeId, FactorId},
    schema::{Field, Shape, field},
    statement,
};

const NAME: Field = field("name", Shape::Text(60), "What you call it").example(r#""My laptop""#);

const ENROL: &[Field] = &[
    field("type", Shape::OneOf(&["phone", "email", "totp", "passkey"]), "The kind").required(),
    PHONE,
    EMAIL,
    NAME,
    CHANNEL,
    LOCALE,
];

const ACTIVATE: &[Field] = &[
    field("challenge_id", Shape::Id("chl_"), "The challenge; without it the factor's newest in this session"),
    field("code", Shape::Text(64), "What you got, or read").example(r#""042137""#),
    CREDENTIAL,
    END_OTHERS,
];

pub(in super::super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            gives: Gives::Page("Factor", shapes::FACTOR),
            ..own("GET", "/v1/me/factors", "listMyFactors", "Read your factors")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation {
            description: "Adds a pending factor, with what proves it. What is shown once is in this answer only. Who has a factor needs a fresh proof.",
            body: Some(ENROL),
            example: r#"{"type": "totp", "name": "My phone"}"#,
            status: 201,
            gives: Gives::One("Enrolment", shapes::ENROLMENT),
            refuses: &[CHANGING, SENDING, &[Code::IdentifierExists, Code::MessageRefused]],
            ..own("POST", "/v1/me/factors", "createMyFactor", "Add a factor")
        },
        Run::Keyed(|call| Box::pin(create(call))),
    ),
    (
        Operation {
            description: "`null` takes the name away.",
            body: Some(&[NAME.nullable()]),
            example: r#"{"name": "My laptop"}"#,
            gives: Gives::One("Factor", shapes::FACTOR),
            ..own("PATCH", "/v1/me/factors/{id}", "renameMyFactor", "Rename a factor")
        },
        Run::Keyed(|call| Box::pin(name(call))),
    ),
    (
        Operation {
            description: "An active factor needs a fresh proof; a pending one nothing.",
            query: &[END_OTHERS],
            status: 204,
            refuses: &[CHANGING],
            ..own("DELETE", "/v1/me/factors/{id}", "deleteMyFactor", "Remove a factor")
        },
        Run::Keyed(|call| Box::pin(remove(call))),
    ),
    (
        Operation {
            body: Some(ACTIVATE),
            example: r#"{"code": "042137"}"#,
            gives: Gives::One("Factor", shapes::FACTOR),
            refuses: &[ANSWERING, CHANGING],
            ..own("POST", "/v1/me/factors/{id}/activate", "activateMyFactor", "Prove a factor")
        },
        Run::Keyed(|call| Box::pin(activate(call))),
    ),
    (
        Operation {
            description: "For a pending factor that gets codes.",
            body: Some(&[CHANNEL, LOCALE]),
            body_optional: true,
            status: 201,
            gives: Gives::One("FlowChallenge", shapes::FLOW_CHALLENGE),
            refuses: &[SENDING, &[Code::MessageRefused]],
            ..own("POST", "/v1/me/factors/{id}/challenges", "challengeMyFactor", "Send a code for a new factor")
        },
        Run::Keyed(|call| Box::pin(challenge(call))),
    ),
    (
        Operation {
            description: "Each code works once, in the place of a factor that is missing. They are shown in this answer only; codes made before die. \
                Who has a factor needs a fresh proof.",
            body: Some(&[END_OTHERS]),
            body_optional: true,
            status: 201,
            gives: Gives::One("RecoveryCodes", shapes::RECOVERY_CODES),
            refuses: &[&[Code::StrategyNotSupported], CHANGING],
            ..own("POST", "/v1/me/recovery-codes", "createMyRecoveryCodes", "Make recovery codes")
        },
        Run::Keyed(|call| Box::pin(recovery_codes(call))),
    ),
];

fn factor(call: &Call) -> Result<FactorId, Failure> {
    Ok(call.id("id", FactorId::parse, "factor")?)
}

fn not_found() -> Failure {
    Problem::not_found("factor").into()
}

async fn list(call: Call) -> Answer {
    let answer = call.context.decide(vec![statement!(store::LIST, &owner(&call)?.user)]).await?;
    let factors = answer.into_iter().next().unwrap_or_default();
    let data = factors.iter().map(|row| Factor::read(row).map(|factor| view::factor(&factor)));
    let data: Vec<Value> = data.collect::<Result<_, _>>()?;
    Ok(Reply::json(200, &json!({"data": data, "next_cursor": null})))
}

async fn enrol(call: &Call, new: New) -> Result<Enrolled, Failure> {
    let name = call.form.text("name").map(str::to_owned);
    let locale = locale(&call.form)?;
    Ok(standing::enrol(&call.context, &owner(call)?, NewFactor { new, name, locale }).await?)
}

async fn create(call: Call) -> Answer {
    let enrolled = enrol(&call, new(&call.context, &call.form)?).await?;
    Ok(Reply::json(201, &view::enrolled(&enrolled, call.context.now())))
}

async fn name(call: Call) -> Answer {
    let named = rename(&call.context, &owner(&call)?.user, &factor(&call)?, call.form.text("name")).await?;
    Ok(Reply::json(200, &view::factor(&named.ok_or_else(not_found)?)))
}

async fn remove(call: Call) -> Answer {
    let owner = owner(&call)?;
    standing::remove(&call.context, &owner, &factor(&call)?).await?;
    end_others(&call, &owner, &call.query).await?;
    Ok(Reply::nothing())
}

async fn activate(call: Call) -> Answer {
    let (owner, id, given) = (owner(&call)?, factor(&call)?, given(&call.form)?);
    let named = Call::form_id(&call.form, "challenge_id", ChallengeId::parse)?;
    let challenge = if let Some(named) = named {
        named
    } else {
        let newest = vec![statement!(flow::store::CHALLENGE_OF, &owner.session, &id)];
        let answer = call.context.decide(newest).await?;
        let found = answer.first().and_then(|rows| rows.first()?.opt_text("id")).and_then(ChallengeId::parse);
        found.ok_or_else(not_found)?
    };
    let expect = Expect {
        user: Some(owner.user.clone()),
        factor: Some(id),
        purpose: Some(Purpose::Enrolment),
        destination: None,
    };
    match answer::answer(&call.context, &challenge, &given, &expect).await? {
        Answered::Verified(_, proven) => {
            end_others(&call, &owner, &call.form).await?;
            Ok(Reply::json(200, &view::factor(&*proven.ok_or_else(not_found)?)))
        }
        answered => Err(not_taken(&answered)),
    }
}

async fn challenge(call: Call) -> Answer {
    let (owner, id) = (owner(&call)?, factor(&call)?);
    let locale = locale(&call.form)?;
    let created = standing::challenge(&call.context, &owner, id, channel(&call.form), locale).await?;
    Ok(Reply::json(201, &client::view::created(&created, call.context.now())))
}

async fn recovery_codes(call: Call) -> Answer {
    let enrolled = enrol(&call, New::RecoveryCodes).await?;
    end_others(&call, &owner(&call)?, &call.form).await?;
    let body = json!({
        "factor": view::factor(&enrolled.factor),
        "recovery_codes": enrolled.shown.get("recovery_codes"),
    });
    Ok(Reply::json(201, &body))
}
