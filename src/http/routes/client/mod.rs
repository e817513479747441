//! `/v1/client/sign-ins`, `/sign-ups`, `/password-resets`: the embedded API. The three are flows, so each call stands here
//! once and is written into the tables of those that take it.

pub(super) mod fields;
mod handlers;
pub(super) mod view;

use super::{
    Run,
    challenges::{ANSWERING, RESENDING, SENDING},
    factors::CHANGING,
};
use crate::http::{
    Code,
    contract::{Auth, Gives, Operation, operation, shapes},
};

const FLOW: Gives = Gives::One("Flow", shapes::FLOW);
const CHALLENGE: Gives = Gives::One("FlowChallenge", shapes::FLOW_CHALLENGE);
/// What beginning refuses with.
const BEGINNING: &[Code] = &[
    Code::RateLimited,
    Code::UserLocked,
    Code::BotCheckRequired,
    Code::BotCheckUnavailable,
    Code::SignUpClosed,
    Code::MessageRefused,
    Code::EmailDisabled,
];
const STEP: &[Code] = &[Code::FlowStepMismatch];

macro_rules! call {
    (begin, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                description: "The answer has the flow's `token`, this once: it goes with every further call, as Bearer. The page's Origin has to be one of the app's.",
                auth: Auth::Embedded,
                body: Some(fields::BEGIN),
                example: fields::BEGIN_EXAMPLE,
                status: 201,
                gives: FLOW,
                refuses: &[BEGINNING],
                ..operation("POST", $base, concat!($id, "Begin"), $tag, "Begin a flow")
            },
            Run::Keyed(|call| Box::pin(handlers::begin(call))),
        )
    };
    (get, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                description: "For a page that was loaded again: it neither sends nor kills anything.",
                gives: FLOW,
                ..step("GET", concat!($base, "/{id}"), concat!($id, "Get"), $tag, "Read a flow")
            },
            Run::Keyed(|call| Box::pin(handlers::get(call))),
        )
    };
    (abandon, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                status: 204,
                ..step("DELETE", concat!($base, "/{id}"), concat!($id, "Abandon"), $tag, "Give a flow up")
            },
            Run::Keyed(|call| Box::pin(handlers::abandon(call))),
        )
    };
    (identifier, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                description: "The answer is the same for known and unknown people. A sign-up and a reset have a code sent to the address.",
                body: Some(fields::IDENTIFY),
                example: r#"{"identifier": "ana@example.com"}"#,
                gives: FLOW,
                refuses: &[STEP, &[Code::RateLimited, Code::UserLocked, Code::MessageRefused, Code::EmailDisabled]],
                ..step("POST", concat!($base, "/{id}/identifier"), concat!($id, "Identify"), $tag, "Say who it is")
            },
            Run::Keyed(|call| Box::pin(handlers::identify(call))),
        )
    };
    (password, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                description: "With `identifier` both at once. Wrong is wrong for unknown people too. A sign-up keeps the new one until the address is proven.",
                body: Some(fields::PASSWORD),
                example: r#"{"password": "lilac-otter-walks-at-dawn"}"#,
                gives: FLOW,
                refuses: &[
                    STEP,
                    &[Code::PasswordIncorrect, Code::UserLocked, Code::RateLimited],
                    &[Code::IdentifierExists, Code::MessageRefused, Code::EmailDisabled],
                ],
                ..step("POST", concat!($base, "/{id}/password"), concat!($id, "Password"), $tag, "Prove or choose a password")
            },
            Run::Keyed(|call| Box::pin(handlers::password(call))),
        )
    };
    (passkey_options, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                description: "`public_key` is for `navigator.credentials`: at a sign-up for `create()`, else for `get()`.",
                status: 201,
                gives: CHALLENGE,
                refuses: &[STEP, SENDING],
                ..step("POST", concat!($base, "/{id}/passkey/options"), concat!($id, "PasskeyOptions"), $tag, "Ask for a passkey")
            },
            Run::Keyed(|call| Box::pin(handlers::passkey_options(call))),
        )
    };
    (passkey, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                body: Some(fields::PASSKEY),
                example: r#"{"credential": {"type": "public-key"}}"#,
                gives: FLOW,
                refuses: &[STEP, ANSWERING],
                ..step("POST", concat!($base, "/{id}/passkey"), concat!($id, "Passkey"), $tag, "Prove or make a passkey")
            },
            Run::Keyed(|call| Box::pin(handlers::passkey(call))),
        )
    };
    (recovery_code, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                body: Some(fields::RECOVERY_CODE),
                example: r#"{"code": "7V2C-K9QX-4M0T-ZR8H"}"#,
                gives: FLOW,
                refuses: &[STEP, ANSWERING, SENDING],
                ..step("POST", concat!($base, "/{id}/recovery-code"), concat!($id, "RecoveryCode"), $tag, "Prove a recovery code")
            },
            Run::Keyed(|call| Box::pin(handlers::recovery_code(call))),
        )
    };
    (challenges, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                description: "One of the step's `options`; with nothing named the first. Before there is a user: another code to the sign-up's address.",
                body: Some(fields::CHALLENGE),
                body_optional: true,
                example: r#"{"type": "phone", "channel": "sms"}"#,
                status: 201,
                gives: CHALLENGE,
                refuses: &[STEP, SENDING, &[Code::MessageRefused]],
                ..step("POST", concat!($base, "/{id}/challenges"), concat!($id, "Challenge"), $tag, "Challenge a second factor")
            },
            Run::Keyed(|call| Box::pin(handlers::challenge(call))),
        )
    };
    (answer, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                body: Some(fields::ANSWER),
                example: r#"{"code": "042137", "remember_device": true}"#,
                gives: FLOW,
                refuses: &[STEP, ANSWERING],
                ..step("POST", concat!($base, "/{id}/challenges/{cid}/answer"), concat!($id, "Answer"), $tag, "Answer a challenge")
            },
            Run::Keyed(|call| Box::pin(handlers::answer(call))),
        )
    };
    (resend, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                body: Some(fields::RESEND),
                body_optional: true,
                gives: CHALLENGE,
                refuses: &[STEP, SENDING, RESENDING, &[Code::MessageRefused]],
                ..step("POST", concat!($base, "/{id}/challenges/{cid}/resend"), concat!($id, "Resend"), $tag, "Send another code")
            },
            Run::Keyed(|call| Box::pin(handlers::resend(call))),
        )
    };
    (enrol, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                description: "One of the step's `options`. What is shown once is in this answer only.",
                body: Some(fields::ENROL),
                example: r#"{"type": "totp"}"#,
                status: 201,
                gives: Gives::One("Enrolment", shapes::ENROLMENT),
                refuses: &[STEP, SENDING, CHANGING, &[Code::IdentifierExists, Code::MessageRefused]],
                ..step("POST", concat!($base, "/{id}/enrolments"), concat!($id, "Enrol"), $tag, "Add a factor that is asked for")
            },
            Run::Keyed(|call| Box::pin(handlers::enrol(call))),
        )
    };
    (activate, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                body: Some(fields::ANSWER),
                example: r#"{"code": "042137"}"#,
                gives: FLOW,
                refuses: &[STEP, ANSWERING],
                ..step("POST", concat!($base, "/{id}/enrolments/{fid}/activate"), concat!($id, "Activate"), $tag, "Prove the new factor")
            },
            Run::Keyed(|call| Box::pin(handlers::activate(call))),
        )
    };
    (new_password, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                description: "The flow ends with it. Other sessions, refresh tokens and remembered devices end too, and the person is told.",
                body: Some(fields::NEW_PASSWORD),
                example: r#"{"password": "lilac-otter-walks-at-dawn"}"#,
                gives: FLOW,
                refuses: &[STEP],
                ..step("POST", concat!($base, "/{id}/new-password"), concat!($id, "NewPassword"), $tag, "Set the new password")
            },
            Run::Keyed(|call| Box::pin(handlers::new_password(call))),
        )
    };
    (skip, $base:literal, $id:literal, $tag:literal) => {
        (
            Operation {
                description: "While the grace lasts; it counts.",
                gives: FLOW,
                refuses: &[STEP],
                ..step("POST", concat!($base, "/{id}/skip"), concat!($id, "Skip"), $tag, "Put an enrolment off")
            },
            Run::Keyed(|call| Box::pin(handlers::skip(call))),
        )
    };
}

/// A call within a flow.
const fn step(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
) -> Operation {
    Operation { auth: Auth::Flow, ..operation(method, path, id, tag, summary) }
}

macro_rules! flows {
    ($name:ident, $base:literal, $id:literal, $tag:literal, [$($call:ident),*]) => {
        pub(super) const $name: &[(Operation, Run)] = &[$(call!($call, $base, $id, $tag)),*];
    };
}

flows!(
    SIGN_INS,
    "/v1/client/sign-ins",
    "signIn",
    "Sign-in",
    [
        begin,
        get,
        abandon,
        identifier,
        password,
        passkey_options,
        passkey,
        recovery_code,
        challenges,
        answer,
        resend,
        enrol,
        activate,
        skip
    ]
);
flows!(
    SIGN_UPS,
    "/v1/client/sign-ups",
    "signUp",
    "Sign-up",
    [
        begin,
        get,
        abandon,
        identifier,
        password,
        passkey_options,
        passkey,
        challenges,
        answer,
        resend,
        enrol,
        activate,
        skip
    ]
);
flows!(
    PASSWORD_RESETS,
    "/v1/client/password-resets",
    "passwordReset",
    "Password reset",
    [begin, get, abandon, identifier, recovery_code, challenges, answer, resend, new_password]
);
