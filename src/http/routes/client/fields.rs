//! What the calls of the embedded API take.

use super::super::{
    parts::{CHANNEL, CREDENTIAL, EMAIL, LOCALE, PHONE},
    passwords,
};
use crate::schema::{Field, Shape, field};

pub(super) const BEGIN: &[Field] = &[
    field("client_id", Shape::Id("app_"), "The app").required(),
    field(
        "code_challenge",
        Shape::Text(128),
        "PKCE (RFC 7636 §4.2): `BASE64URL(SHA256(code_verifier))`, 43 characters",
    )
    .required()
    .example(r#""E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM""#),
    field("code_challenge_method", Shape::OneOf(&["S256"]), "How it was made; `plain` is not taken").required(),
    field(
        "redirect_uri",
        Shape::Text(2000),
        "Where your app wants the code, as registered; the exchange has to name it too",
    ),
    field(
        "scope",
        Shape::Text(200),
        "`openid`, `profile`, `email`, `phone`, `offline_access`; others are left out; default `openid`",
    )
    .example(r#""openid email offline_access""#),
    field("nonce", Shape::Text(255), "What the ID token repeats (OpenID Connect Core §3.1.2.1)"),
    LOCALE,
    IDENTIFIER,
    field(
        "device",
        Shape::Text(100),
        "The token of a remembered device; one that is none counts as nothing. Sign-ins only",
    ),
    field("bot_token", Shape::Text(2048), "What the page's Turnstile widget gave, where the instance asks for it"),
    field("invitation", Shape::Text(100), "The token of an invitation. Sign-ups only"),
];
pub(super) const BEGIN_EXAMPLE: &str = r#"{"client_id": "app_01M83WM7ZA000G40R40M30E209", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256", "scope": "openid offline_access"}"#;

const IDENTIFIER: Field =
    field("identifier", Shape::Text(254), "Who it is: an e-mail address, or a phone number, as people type it")
        .example(r#""ana@example.com""#);

pub(super) const IDENTIFY: &[Field] = &[IDENTIFIER.required()];

pub(super) const PASSWORD: &[Field] = &[passwords::PASSWORD.required(), IDENTIFIER];

pub(super) const NEW_PASSWORD: &[Field] = &[passwords::PASSWORD.required()];

pub(super) const PASSKEY: &[Field] = &[
    CREDENTIAL.required(),
    field("name", Shape::Text(60), "What the person calls a new one").example(r#""My laptop""#),
];

pub(super) const RECOVERY_CODE: &[Field] =
    &[field("code", Shape::Text(64), "One of the person's recovery codes").required()];

pub(in crate::http::routes) const CHALLENGE: &[Field] = &[
    field("factor_id", Shape::Id("fac_"), "This one of the options"),
    field(
        "type",
        Shape::OneOf(&["phone", "email", "totp", "passkey", "recovery_codes"]),
        "The first option of this type",
    ),
    CHANNEL,
];

pub(super) const ANSWER: &[Field] = &[
    field("code", Shape::Text(64), "What the person typed").example(r#""042137""#),
    CREDENTIAL,
    field(
        "remember_device",
        Shape::Boolean,
        "Remember this device, where the policy allows it: the end gives its token",
    ),
];

pub(in crate::http::routes) const RESEND: &[Field] = &[CHANNEL];

pub(in crate::http::routes) const ENROL: &[Field] = &[
    field("type", Shape::OneOf(&["phone", "email", "totp", "passkey"]), "Which factor").required(),
    PHONE,
    EMAIL,
    CHANNEL,
    field("name", Shape::Text(60), "What the person calls it").example(r#""My phone""#),
];
