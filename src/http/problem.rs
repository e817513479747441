//! Problems (RFC 9457): the closed list of codes, and their JSON.

mod domain;

use std::time::Duration;

pub(in crate::http) use domain::{email_problem, phone_problem, proof_invalid, proof_required};

use serde_json::{Map, Value, json};

use crate::{schema::FieldError, time::seconds_rounded_up};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $title:literal, $remedy:literal;)*) => {
        /// Every code that a problem can have. The names are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $(#[doc = $title] $variant),* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// What it means, in short.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// What to do about it.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy),* }
            }
        }
    };
}

codes! {
    RequestMalformed = "request_malformed", 400, "The request cannot be read", "Send a JSON object in UTF-8.";
    IdempotencyKeyInvalid = "idempotency_key_invalid", 400, "The Idempotency-Key is malformed", "Send 1 to 255 visible ASCII characters, once.";
    AuthenticationRequired = "authentication_required", 401, "A server key is needed", "Send `Authorization: Bearer sk_…`.";
    ApiKeyInvalid = "api_key_invalid", 401, "The server key is not valid", "Check the key; it may have been revoked.";
    FlowTokenInvalid = "flow_token_invalid", 401, "The flow's token is not valid", "Begin another flow: its ten minutes may be over.";
    OriginNotAllowed = "origin_not_allowed", 403, "This page may not call", "Add the page's origin to the app's `origins`.";
    InsufficientUserAuthentication = "insufficient_user_authentication", 401, "A fresh proof is needed", "Step up (`POST /v1/me/step-up`), then repeat the call; each proof allows one change.";
    AccessTokenInvalid = "access_token_invalid", 401, "The access token is not valid", "Get a new one; it has ended, or what it stands for has.";
    SignUpClosed = "sign_up_closed", 403, "Nobody signs up by themselves", "Follow an invitation; the setting is `sign_in.sign_up`.";
    SignatureInvalid = "signature_invalid", 403, "The signature is not valid", "Only the carrier calls this.";
    ScopeMissing = "scope_missing", 403, "The server key may not do this", "Use a key that has the scope named in the detail.";
    ProofRequired = "proof_required", 403, "A proof of an existing factor is needed", "Challenge an active factor of the user and pass the verified challenge as `proof`, or pass `override`.";
    ProofInvalid = "proof_invalid", 403, "The proof does not hold", "Pass a challenge of the same user, verified in the last ten minutes and not used before.";
    DeviceNotAllowed = "device_not_allowed", 403, "This device may not be remembered", "See the detail; `docs/policy.md` has the rule.";
    UserRecoveryNeeded = "user_recovery_needed", 403, "Too many wrong answers in a row", "Make sure who it is, then `POST /v1/users/{id}/unlock`.";
    RouteNotFound = "route_not_found", 404, "There is no such path", "See `/docs`.";
    ResourceNotFound = "resource_not_found", 404, "There is no such thing", "Check the id.";
    MethodNotAllowed = "method_not_allowed", 405, "The path does not take this method", "See the Allow header.";
    IdempotencyKeyInUse = "idempotency_key_in_use", 409, "The same call is still running", "Wait for it, then repeat the call.";
    IdentifierExists = "form_identifier_exists", 409, "Something with this identifier exists", "Find it by that identifier instead.";
    AlreadyVerified = "verification_already_verified", 409, "The challenge was verified before", "A code works once; make a new challenge.";
    FlowStepMismatch = "flow_step_mismatch", 409, "The flow's step takes another call", "Read the flow; `step` says what it wants.";
    LastKey = "api_key_last", 409, "It is the last key that may make keys", "Make another live key with `keys:write` first.";
    WebhookEndpointLimit = "webhook_endpoint_limit", 409, "There are as many endpoints as there may be", "Delete one first.";
    WebhookEndpointDisabled = "webhook_endpoint_disabled", 409, "The endpoint hears nothing", "Enable it first: `PATCH /v1/webhook-endpoints/{id}` with `enabled: true`.";
    RequestTooLarge = "request_too_large", 413, "The request is too large", "Send at most 64 KiB.";
    ContentTypeUnsupported = "content_type_unsupported", 415, "The content type is not taken", "Send `Content-Type: application/json`.";
    FormInvalid = "form_param_invalid", 422, "Fields are missing or wrong", "See `errors`.";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The Idempotency-Key belongs to another request", "Use a new key for a new request.";
    CodeIncorrect = "form_code_incorrect", 422, "The code is wrong", "Ask for it again; `attempts_left` says how often.";
    PasswordIncorrect = "form_password_incorrect", 422, "The password is wrong", "Ask for it again; too many wrong ones lock out.";
    VerificationExpired = "verification_expired", 422, "No code is alive", "Resend, or make a new challenge.";
    VerificationFailed = "verification_failed", 422, "The challenge is dead", "Make a new challenge.";
    VerificationCanceled = "verification_canceled", 422, "The challenge was canceled", "Make a new challenge.";
    ResendExhausted = "resend_exhausted", 422, "The challenge has sent all its codes", "Make a new challenge.";
    StrategyNotSupported = "strategy_not_supported", 422, "This is not supported", "See the detail.";
    TestIdentifierForbidden = "test_identifier_forbidden", 422, "Test numbers are refused here", "Use a real number, or change `test_mode`.";
    MessageRefused = "message_refused", 422, "No message goes there", "Offer another way, or another number or address, or wait as long as Retry-After says where it is there.";
    CountryNotAllowed = "country_not_allowed", 422, "Messages may not go to this country", "Change the setting named in the detail.";
    RecipientRefused = "message_recipient_refused", 422, "The carrier refuses this recipient", "Ask for another number or address, or use one of `channels`; the detail has the carrier's reason.";
    MessageBlocked = "message_blocked", 422, "The carrier blocks this as fraud", "Ask for another number; the detail has the carrier's reason.";
    BotCheckRequired = "bot_check_required", 422, "It is not known that this is no bot", "Render the Turnstile widget of `site_key`, and send what it gives as `bot_token`; each is good once.";
    RateLimited = "rate_limit_exceeded", 429, "Too many requests", "Wait as long as Retry-After says.";
    UserLocked = "user_locked", 429, "Too many wrong answers", "Wait as long as Retry-After says, or unlock.";
    Internal = "internal_error", 500, "Something went wrong here", "Report the trace_id.";
    DriverMisconfigured = "message_driver_misconfigured", 502, "The carrier refuses this account or sender", "Do what the detail says; nothing was sent.";
    MessageFailed = "message_failed", 502, "The carrier did not take the message", "Try again; nothing was sent.";
    BotCheckUnavailable = "bot_check_unavailable", 503, "The bot check gives no answer", "Try again with a new `bot_token`; the log says why.";
    ConfigurationInvalid = "configuration_invalid", 503, "The deployment is not configured", "Set the variable named in the detail.";
    SmsDisabled = "sms_disabled", 503, "Sending SMS is switched off", "Set `sms.enabled` to true.";
    EmailDisabled = "email_disabled", 503, "Sending e-mail is switched off", "Set `email.enabled` to true.";
    VoiceDisabled = "voice_disabled", 503, "Calls are switched off", "Set `voice.enabled` to true.";
    DatabaseUnmigrated = "database_unmigrated", 503, "The database is not migrated", "Run the command in the detail.";
    DatabaseUnavailable = "database_unavailable", 503, "The database is not available", "Try again.";
}

/// A problem, ready to be written.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Which of the closed list.
    pub code: Code,
    /// What happened here, for the reader. Nothing secret, nothing that was sent.
    pub detail: String,
    /// What is wrong with which field.
    pub errors: Vec<FieldError>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// Methods that the path takes, for a 405.
    pub allow: Option<String>,
    /// Members that belong to one code.
    pub members: Map<String, Value>,
}

impl Problem {
    /// A problem with its detail.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None, allow: None, members: Map::new() }
    }

    /// Wrong fields.
    pub fn form(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [error] if error.field.is_empty() => error.detail.clone(),
            [error] => format!("{}: {}", error.field, error.detail),
            errors => format!("{} fields are wrong", errors.len()),
        };
        Self { errors, ..Self::new(Code::FormInvalid, detail) }
    }

    /// Not found.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::ResourceNotFound, format!("there is no such {what}"))
    }

    /// With the time to wait.
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// With a further member.
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The `application/problem+json` object.
    pub fn to_json(&self, trace_id: &str) -> Value {
        let mut body = Map::new();
        body.insert("type".to_owned(), json!(format!("/docs#{}", self.code.as_str())));
        body.insert("title".to_owned(), json!(self.code.title()));
        body.insert("status".to_owned(), json!(self.code.status()));
        body.insert("detail".to_owned(), json!(self.detail));
        body.insert("code".to_owned(), json!(self.code.as_str()));
        body.insert("trace_id".to_owned(), json!(trace_id));
        if !self.errors.is_empty() {
            let errors = self.errors.iter().map(|error| match error.field.as_str() {
                // The body as a whole.
                "" => json!({"code": error.code.as_str(), "detail": error.detail}),
                field => json!({"field": field, "code": error.code.as_str(), "detail": error.detail}),
            });
            body.insert("errors".to_owned(), errors.collect());
        }
        if let Some(wait) = self.retry_after {
            body.insert("retry_after".to_owned(), json!(seconds_rounded_up(wait).max(1)));
        }
        body.extend(self.members.clone());
        Value::Object(body)
    }
}
