//! `/v1/me/email`, `/v1/me/phone`: another address or number to sign in with. A code goes to the new one; the old one is
//! told.

use super::{
    super::{
        challenges::{ANSWERING, RESENDING, SENDING},
        client,
        parts::{CHANNEL, EMAIL, LOCALE, PHONE, address, channel, given, locale, number},
    },
    CHANGING, END_OTHERS, Run,
    account::me,
    end_others, not_taken, own, owner, shapes,
};
use crate::{
    account::{identifier, step_up},
    challenge::Given,
    http::{
        Call, Code, Reply,
        contract::{Gives, Operation, shapes::FLOW_CHALLENGE},
        input::wrong,
        reply::Answer,
    },
    ids::ChallengeId,
    message::Destination,
    schema::{Field, Shape, field},
};

const CHALLENGE: Gives = Gives::One("FlowChallenge", FLOW_CHALLENGE);
const MOVING: &[&[Code]] = &[CHANGING, SENDING, &[Code::IdentifierExists, Code::MessageRefused]];
const DESCRIPTION: &str = "Wants a fresh proof. A code goes to the new one; once you have answered it you sign in with that, and the old one is told.";
const ANSWER: &[Field] =
    &[field("code", Shape::Text(64), "What you got").required().example(r#""042137""#), END_OTHERS];

macro_rules! identifier {
    ($path:literal, $id:literal, $what:literal, $fields:expr, $example:literal) => {
        [
            (
                Operation {
                    description: DESCRIPTION,
                    body: Some($fields),
                    example: $example,
                    status: 201,
                    gives: CHALLENGE,
                    refuses: MOVING,
                    ..own("POST", $path, concat!("changeMy", $id), concat!("Change your ", $what))
                },
                Run::Keyed(|call| Box::pin(begin(call))),
            ),
            (
                Operation {
                    description: "What another account has is told here, and no earlier.",
                    body: Some(ANSWER),
                    example: r#"{"code": "042137"}"#,
                    gives: Gives::One("Me", shapes::ME),
                    refuses: &[ANSWERING, &[Code::IdentifierExists]],
                    ..own(
                        "POST",
                        concat!($path, "/{cid}/answer"),
                        concat!("answerMy", $id),
                        concat!("Prove your new ", $what),
                    )
                },
                Run::Keyed(|call| Box::pin(answer(call))),
            ),
            (
                Operation {
                    body: Some(client::fields::RESEND),
                    body_optional: true,
                    gives: CHALLENGE,
                    refuses: &[SENDING, RESENDING, &[Code::MessageRefused]],
                    ..own(
                        "POST",
                        concat!($path, "/{cid}/resend"),
                        concat!("resendMy", $id),
                        concat!("Send another code to your new ", $what),
                    )
                },
                Run::Keyed(|call| Box::pin(resend(call))),
            ),
        ]
    };
}

const EMAILS: [(Operation, Run); 3] = identifier!(
    "/v1/me/email",
    "Email",
    "e-mail address",
    &[EMAIL.required(), LOCALE],
    r#"{"email": "ana@example.com"}"#
);
const PHONES: [(Operation, Run); 3] = identifier!(
    "/v1/me/phone",
    "Phone",
    "phone number",
    &[PHONE.required(), CHANNEL, LOCALE],
    r#"{"phone": "+14155552671"}"#
);

pub(in super::super) const ROUTES: &[(Operation, Run)] = {
    let ([a, b, c], [d, e, f]) = (EMAILS, PHONES);
    &[a, b, c, d, e, f]
};

async fn begin(call: Call) -> Answer {
    let to = match (call.form.text("email"), call.form.text("phone")) {
        (Some(email), _) => Destination::Email(address("email", email)?),
        (None, phone) => Destination::Phone(number(&call.context, "phone", phone.unwrap_or_default())?),
    };
    let (channel, locale) = (channel(&call.form), locale(&call.form)?);
    let created = identifier::begin(&call.context, &owner(&call)?, to, channel, locale).await?;
    Ok(Reply::json(201, &client::view::page_challenge(&created.challenge, call.context.now(), true)))
}

async fn answer(call: Call) -> Answer {
    let (owner, id) = (owner(&call)?, call.id("cid", ChallengeId::parse, "challenge")?);
    let Given::Digits(code) = given(&call.form)? else {
        return Err(wrong("code", "the digits that were sent are wanted").into());
    };
    match identifier::answer(&call.context, &owner, &id, &code).await? {
        Ok(user) => {
            end_others(&call, &owner, &call.form).await?;
            Ok(Reply::json(200, &me(&user)))
        }
        Err(answered) => Err(not_taken(&answered)),
    }
}

pub(super) async fn resend(call: Call) -> Answer {
    let id = call.id("cid", ChallengeId::parse, "challenge")?;
    let created = step_up::resend(&call.context, &id, channel(&call.form)).await?;
    Ok(Reply::json(200, &client::view::page_challenge(&created.challenge, call.context.now(), true)))
}
