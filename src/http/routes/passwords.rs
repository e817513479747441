//! `/v1/users/{id}/verify-password`: is it the password? Setting one is adding a factor (`factors.rs`).

use super::{
    Run,
    parts::{CLIENT, on_behalf},
    view,
};
use crate::{
    api_key::Scope,
    challenge::Purpose,
    factor::password::verify::{Verified, Verify, verify},
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::Answer,
    },
    ids::{AppId, UserId},
    password::{MOST, Password},
    schema::{Field, Shape, field},
};

/// What a person typed as a password. Nothing is trimmed.
pub(super) const PASSWORD: Field =
    field("password", Shape::Text(1024), "What the person typed, as it is; 256 characters after NFKC at most")
        .example(r#""lilac-otter-walks-at-dawn""#);

const VERIFY: &[Field] = &[
    PASSWORD.required(),
    field("purpose", Shape::OneOf(&["sign_in", "step_up"]), "What it is for; default: `sign_in`"),
    field("app_id", Shape::Id("app_"), "Through which app"),
    CLIENT,
];

pub(super) const ROUTES: &[(Operation, Run)] = &[(
    Operation {
        description: "The right password is a verified challenge of the type `password`, which serves as a proof. A user without one is answered as with a wrong one. Pass `client.ip`: failures count by user and address, by user over all addresses, and by address over all users.",
        auth: Auth::Key(Scope::Challenges),
        body: Some(VERIFY),
        example: r#"{"password": "lilac-otter-walks-at-dawn", "client": {"ip": "203.0.113.7"}}"#,
        gives: Gives::One("Challenge", shapes::CHALLENGE),
        refuses: &[&[Code::PasswordIncorrect, Code::UserLocked, Code::RateLimited]],
        ..operation("POST", "/v1/users/{id}/verify-password", "verifyPassword", "Factors", "Verify a password")
    },
    Run::Keyed(|call| Box::pin(verify_password(call))),
)];

async fn verify_password(call: Call) -> Answer {
    let context = on_behalf(&call)?;
    let command = Verify {
        user: call.id("id", UserId::parse, "user")?,
        password: password(call.form.text("password").unwrap_or_default())?,
        purpose: call.form.text("purpose").and_then(Purpose::parse).unwrap_or(Purpose::SignIn),
        app: Call::form_id(&call.form, "app_id", AppId::parse)?,
    };
    match verify(&context, &command).await? {
        Verified::Right(challenge) => Ok(Reply::json(200, &view::challenge(&challenge, context.now()))),
        Verified::Wrong => Err(Problem::new(Code::PasswordIncorrect, "this is not the user's password").into()),
        Verified::Locked(refusal) => Err(Problem::from(refusal).into()),
        Verified::UserNotFound => Err(Problem::not_found("user").into()),
        Verified::AppNotFound => Err(Problem::not_found("app").into()),
    }
}

/// Takes a typed password over.
pub(super) fn password(typed: &str) -> Result<Password, Problem> {
    Password::parse(typed).map_err(|_| wrong("password", format!("at most {MOST} characters are wanted")))
}
