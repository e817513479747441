//! `/v1/challenges`: send a code, check it.

use serde_json::Value;

use super::{
    Run,
    parts::{CHANNEL, CLIENT, CREDENTIAL, EMAIL, LOCALE, PHONE, channel, destination, given, locale, on_behalf},
    view,
};
use crate::{
    api_key::Scope,
    challenge::{
        Challenge, Purpose,
        answer::{self, Answered, Expect},
        cancel::{self, Canceled},
        create::{self, Create, Target, Wanted},
        resend,
    },
    context::Context,
    factor::{Factor, FactorType},
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        problem::proof_required,
        reply::{Answer, Failure},
    },
    ids::{AppId, ChallengeId, FactorId, UserId},
    schema::{Field, Form, Shape, field},
    webauthn::Step,
};

const TAG: &str = "Challenges";
const AUTH: Auth = Auth::Key(Scope::Challenges);
const ONE: Gives = Gives::One("Challenge", shapes::CHALLENGE);

/// What everything that sends a code refuses with.
pub(super) const SENDING: &[Code] = &[
    Code::StrategyNotSupported,
    Code::TestIdentifierForbidden,
    Code::CountryNotAllowed,
    Code::RecipientRefused,
    Code::MessageBlocked,
    Code::MessageRefused,
    Code::RateLimited,
    Code::UserLocked,
    Code::UserRecoveryNeeded,
    Code::DriverMisconfigured,
    Code::MessageFailed,
    Code::SmsDisabled,
    Code::EmailDisabled,
    Code::VoiceDisabled,
];

/// What another code of a challenge refuses with, beside [`SENDING`].
pub(super) const RESENDING: &[Code] = &[
    Code::AlreadyVerified,
    Code::VerificationExpired,
    Code::VerificationFailed,
    Code::VerificationCanceled,
    Code::ResendExhausted,
];

/// The answers that a code can get.
pub(super) const ANSWERING: &[Code] = &[
    Code::CodeIncorrect,
    Code::VerificationExpired,
    Code::VerificationFailed,
    Code::VerificationCanceled,
    Code::AlreadyVerified,
    Code::UserLocked,
    Code::UserRecoveryNeeded,
    Code::IdentifierExists,
    Code::ProofRequired,
];

pub(super) const TO: &[Field] = &[PHONE, EMAIL];

const CREATE: &[Field] = &[
    field("to", Shape::Object(TO), "Whoever has this number or address; or name a user"),
    field("user_id", Shape::Id("usr_"), "A user, by one of their factors; not needed with the type `passkey`"),
    field("factor_id", Shape::Id("fac_"), "Which factor; default: the second factor used last"),
    field(
        "type",
        Shape::OneOf(&["phone", "email", "totp", "passkey", "recovery_codes"]),
        "Which type of factor, the one used last",
    ),
    CHANNEL,
    field(
        "purpose",
        Shape::OneOf(&["verification", "sign_in", "step_up"]),
        "`verification` with `to`; with a user `sign_in` (default), `step_up`, or `verification` of the user's own address",
    ),
    LOCALE,
    field("app_id", Shape::Id("app_"), "Through which app"),
    CLIENT,
];

const EXPECT: &[Field] = &[
    field("to", Shape::Object(TO), "Whose number or address it has to be"),
    field("user_id", Shape::Id("usr_"), "Whose factor it has to be"),
    field("purpose", Shape::OneOf(&Purpose::NAMES), "What it has to be for"),
];

const ANSWER: &[Field] = &[
    field("code", Shape::Text(64), "What the person typed: digits, or a recovery code; spaces and dashes are fine")
        .example(r#""042137""#),
    CREDENTIAL,
    field(
        "expect",
        Shape::Object(EXPECT),
        "Whose code it has to be, by `to` or `user_id`; another challenge fails, and the answer counts",
    ),
    CLIENT,
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "Sends a code to a number or an address, or challenges a factor of a user, and gives the challenge that is to be answered. \
                A carrier's refusal is told as what it is, and leaves no live code.",
            auth: AUTH,
            idempotent: true,
            body: Some(CREATE),
            example: r#"{"to": {"phone": "+14155552671"}}"#,
            status: 201,
            gives: ONE,
            refuses: &[SENDING, &[Code::ResourceNotFound]],
            ..operation("POST", "/v1/challenges", "createChallenge", TAG, "Send a code")
        },
        Run::Keyed(|call| Box::pin(create_challenge(call))),
    ),
    (
        Operation {
            description: "A code works once. Five wrong answers kill the challenge.",
            auth: AUTH,
            body: Some(ANSWER),
            example: r#"{"code": "042137", "expect": {"to": {"phone": "+14155552671"}}}"#,
            gives: ONE,
            refuses: &[ANSWERING],
            ..operation("POST", "/v1/challenges/{id}/answer", "answerChallenge", TAG, "Check a code")
        },
        Run::Keyed(|call| Box::pin(answer_challenge(call))),
    ),
    (
        Operation {
            description: "The new code kills the old one; wrong answers stay counted. `resend_at` says when it may be asked for.",
            auth: AUTH,
            idempotent: true,
            body: Some(&[CHANNEL, CLIENT]),
            body_optional: true,
            gives: ONE,
            refuses: &[SENDING, RESENDING],
            ..operation("POST", "/v1/challenges/{id}/resend", "resendChallenge", TAG, "Send another code")
        },
        Run::Keyed(|call| Box::pin(resend_challenge(call))),
    ),
    (
        Operation {
            description: "Reading neither sends nor kills a code.",
            auth: AUTH,
            gives: ONE,
            ..operation("GET", "/v1/challenges/{id}", "getChallenge", TAG, "Read a challenge")
        },
        Run::Keyed(|call| Box::pin(get_challenge(call))),
    ),
    (
        Operation {
            auth: AUTH,
            gives: ONE,
            refuses: &[&[Code::AlreadyVerified]],
            ..operation("POST", "/v1/challenges/{id}/cancel", "cancelChallenge", TAG, "Cancel a challenge")
        },
        Run::Keyed(|call| Box::pin(cancel_challenge(call))),
    ),
];

async fn create_challenge(call: Call) -> Answer {
    let context = on_behalf(&call)?;
    let to = destination(&context, &call.form, "to")?;
    let user = Call::form_id(&call.form, "user_id", UserId::parse)?;
    let factor = Call::form_id(&call.form, "factor_id", FactorId::parse)?;
    let kind = call.form.text("type").and_then(FactorType::parse);
    let purpose = call.form.text("purpose").and_then(Purpose::parse);
    let (target, purpose) = match (to, user) {
        (Some(_), Some(_)) => return Err(wrong("to", "name a destination or a user, not both").into()),
        (None, None) if kind == Some(FactorType::Passkey) && factor.is_none() => match purpose {
            None | Some(Purpose::SignIn) => (Target::Passkey, Purpose::SignIn),
            Some(_) => return Err(wrong("purpose", "without a user it is sign_in").into()),
        },
        (None, None) => {
            return Err(wrong("to", "name a number in to.phone, an address in to.email, or a user in user_id").into());
        }
        (Some(_), None) if factor.is_some() => {
            return Err(wrong("factor_id", "a factor belongs to a user: pass user_id").into());
        }
        (Some(_), None) if kind.is_some() => {
            return Err(wrong("type", "with `to` the destination says it; a type of factor needs user_id").into());
        }
        (Some(to), None) => match purpose {
            None | Some(Purpose::Verification) => (Target::Destination(to), Purpose::Verification),
            Some(_) => return Err(wrong("purpose", "with `to` it is verification; other purposes need user_id").into()),
        },
        (None, Some(user)) => match purpose {
            Some(Purpose::Verification) if factor.is_some() || kind.is_some() => {
                return Err(wrong("purpose", "verification of a user is of the address that they have").into());
            }
            Some(Purpose::Verification) => (Target::Address(user), Purpose::Verification),
            purpose => (Target::User(user, Wanted { factor, kind }), purpose.unwrap_or(Purpose::SignIn)),
        },
    };
    let command = Create {
        target,
        channel: channel(&call.form),
        purpose,
        locale: locale(&call.form)?,
        app: Call::form_id(&call.form, "app_id", AppId::parse)?,
        reservation: call.reservation.clone(),
    };
    let created = create::create(&context, command).await?;
    Ok(Reply::json(201, &view::created(&created, context.now())).replayed(created.replayed))
}

async fn answer_challenge(call: Call) -> Answer {
    let context = on_behalf(&call)?;
    let id = call.id("id", ChallengeId::parse, "challenge")?;
    let expect = expect(&context, &call.form)?;
    let (challenge, factor) = answered(&context, &id, &call.form, &expect).await?;
    Ok(Reply::json(200, &view::answered(&challenge, factor.as_ref(), context.now())))
}

/// What the caller expects. Nothing in it may be missing by accident: a `user_id` that is null in the caller's
/// session must not read as "anybody's".
fn expect(context: &Context, form: &Form) -> Result<Expect, Problem> {
    if form.is_null("expect") {
        return Err(wrong("expect", "null is no expectation: leave the field out, or say whose code it has to be"));
    }
    if form.node("expect").is_none() {
        return Ok(Expect::default());
    }
    let nulls = ["expect.to", "expect.to.phone", "expect.to.email", "expect.user_id", "expect.purpose"];
    if let Some(field) = nulls.into_iter().find(|field| form.is_null(field)) {
        return Err(wrong(field, "null is no expectation: leave the field out, or say what it has to be"));
    }
    let destination = destination(context, form, "expect.to")?;
    let user = Call::form_id(form, "expect.user_id", UserId::parse)?;
    if destination.is_none() && user.is_none() {
        return Err(wrong("expect", "say whose code it has to be: `to` or `user_id`"));
    }
    let purpose = form.text("expect.purpose").and_then(Purpose::parse);
    Ok(Expect { destination, user, purpose, factor: None })
}

/// Answers a challenge: the challenge and its factor, or what is wrong. Activation of a factor does the same.
pub(super) async fn answered(
    context: &Context,
    id: &ChallengeId,
    form: &Form,
    expect: &Expect,
) -> Result<(Challenge, Option<Factor>), Failure> {
    match answer::answer(context, id, &given(form)?, expect).await? {
        Answered::Verified(challenge, factor) => Ok((*challenge, factor.map(|factor| *factor))),
        refused => Err(self::refused(&refused).into()),
    }
}

/// Why an answer was not taken.
pub(super) fn refused(answered: &Answered) -> Problem {
    match answered {
        Answered::Wrong(challenge) => {
            let left = challenge.attempts_left();
            let taken = format!("{left} more answers are taken");
            // A server is told why a passkey was refused: most often its own page is of an origin that is not allowed.
            match challenge.evidence.get("failed_step").and_then(Value::as_str).and_then(Step::parse) {
                Some(step) => {
                    Problem::new(Code::CodeIncorrect, format!("{step}; {taken}")).member("failed_step", step.as_str())
                }
                None => Problem::new(Code::CodeIncorrect, taken),
            }
            .member("attempts_left", left)
        }
        Answered::Expired => Problem::new(Code::VerificationExpired, "its time is over, or its last code was not sent"),
        Answered::Dead => {
            Problem::new(Code::VerificationFailed, "it took too many wrong answers, or its code was never sent")
        }
        Answered::Canceled => Problem::new(Code::VerificationCanceled, "it was canceled"),
        Answered::Verified(..) | Answered::AlreadyVerified => Problem::new(Code::AlreadyVerified, "a code works once"),
        Answered::Locked(wait) => {
            Problem::new(Code::UserLocked, "too many wrong answers lately, over all challenges").retry_after(*wait)
        }
        Answered::LockedForGood => {
            Problem::new(Code::UserRecoveryNeeded, "too many wrong answers in a row, over all challenges")
        }
        Answered::FactorExists => Problem::new(Code::IdentifierExists, "the user has proven the same number meanwhile"),
        Answered::ProofRequired => proof_required(),
        Answered::Misfit => wrong("code", "this challenge takes the digits that were sent"),
        Answered::NotFound => Problem::not_found("challenge"),
    }
}

async fn resend_challenge(call: Call) -> Answer {
    let context = on_behalf(&call)?;
    let id = call.id("id", ChallengeId::parse, "challenge")?;
    let created = resend::resend(&context, &id, channel(&call.form), call.reservation.clone()).await?;
    Ok(Reply::json(200, &view::challenge(&created.challenge, context.now())).replayed(created.replayed))
}

async fn get_challenge(call: Call) -> Answer {
    let id = call.id("id", ChallengeId::parse, "challenge")?;
    let challenge = cancel::get(&call.context, &id).await?.ok_or_else(|| Problem::not_found("challenge"))?;
    Ok(Reply::json(200, &view::challenge(&challenge, call.context.now())))
}

async fn cancel_challenge(call: Call) -> Answer {
    let id = call.id("id", ChallengeId::parse, "challenge")?;
    match cancel::cancel(&call.context, &id).await? {
        Canceled::Done(challenge) => Ok(Reply::json(200, &view::challenge(&challenge, call.context.now()))),
        Canceled::AlreadyVerified => Err(Problem::new(Code::AlreadyVerified, "it was verified before").into()),
        Canceled::NotFound => Err(Problem::not_found("challenge").into()),
    }
}
