//! The one map from what the domain refuses to what the reader is told.

use serde_json::json;

use super::{Code, Problem};
use crate::{
    account::AccountError,
    bot::BotError,
    challenge::{NotSent, answer::AnswerError, create::CreateError, resend::ResendError},
    email::EmailError,
    evaluation::EvaluateError,
    factor::{
        FactorType,
        enrol::{EnrolError, PROOF_LIFETIME},
    },
    flow::FlowError,
    http::{input::wrong, reply::Failure},
    idempotency::Claim,
    limit::{
        PASSWORD_FAILURES, PASSWORD_FAILURES_EVERYWHERE, Refusal, SECOND_FACTOR_FAILURES,
        SECOND_FACTOR_FAILURES_IN_A_ROW,
    },
    message::{Channel, Refused},
    password::Weakness,
    phone::PhoneError,
    ports::DatabaseError,
    schema::{FieldCode, FieldError},
    session::GrantError,
    settings::FLOW_LIFETIME,
    token::TokenError,
};

/// A number that cannot be used, and why.
pub(in crate::http) fn phone_problem(field: &str, error: PhoneError) -> Problem {
    Problem::form(vec![FieldError::new(field, FieldCode::Phone, format!("{} ({})", error.detail(), error.reason()))])
}

/// An address that cannot be used, and why.
pub(in crate::http) fn email_problem(field: &str, error: EmailError) -> Problem {
    Problem::form(vec![FieldError::new(field, FieldCode::Email, format!("{} ({})", error.detail(), error.reason()))])
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::SwitchedOff(channel) => {
                let code = match channel {
                    Channel::Sms => Code::SmsDisabled,
                    Channel::Voice => Code::VoiceDisabled,
                    Channel::Email => Code::EmailDisabled,
                };
                Self::new(code, format!("the setting {}.enabled is false", channel.as_str()))
            }
            Refused::TestNumber => {
                Self::new(Code::TestIdentifierForbidden, "the setting test_mode refuses +15555550100 to +15555550199")
            }
            Refused::Country(channel, country, list) => {
                let is = if list == "allowed" { "is not" } else { "is" };
                let detail = format!("{country} {is} in the setting countries.{}.{list}", channel.as_str());
                Self::new(Code::CountryNotAllowed, detail)
            }
            Refused::Kind(kind) => Self::new(
                Code::RecipientRefused,
                format!("the number's kind, {kind}, is in the setting numbers.refused"),
            ),
            Refused::FixedLine => {
                let detail = "the number is a fixed line, which gets no SMS: call it (channel voice)";
                Self::new(Code::RecipientRefused, detail).member("channels", json!([Channel::Voice.as_str()]))
            }
            Refused::Misconfigured(issue) => Self::new(Code::ConfigurationInvalid, issue.detail),
            Refused::Channel(channel) => {
                Self::new(Code::StrategyNotSupported, format!("the channel {} is not supported yet", channel.as_str()))
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let name = refusal.limit;
        let answers =
            [SECOND_FACTOR_FAILURES, SECOND_FACTOR_FAILURES_IN_A_ROW, PASSWORD_FAILURES, PASSWORD_FAILURES_EVERYWHERE]
                .iter()
                .any(|limit| limit.name == name);
        let code = match refusal.wait {
            Some(_) if answers => Code::UserLocked,
            Some(_) => Code::RateLimited,
            None => Code::UserRecoveryNeeded,
        };
        let problem = Self::new(code, format!("the limit {name} is used up (setting limits.{name})"));
        match refusal.wait {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        }
    }
}

impl From<NotSent> for Problem {
    fn from(not_sent: NotSent) -> Self {
        let code = match not_sent.class {
            "recipient_refused" => Code::RecipientRefused,
            "fraud_blocked" => Code::MessageBlocked,
            "misconfigured" => Code::DriverMisconfigured,
            _ => Code::MessageFailed,
        };
        let detail = format!("{} ({} {})", not_sent.why.detail, not_sent.driver, not_sent.why.code);
        let problem = Self::new(code, detail).member("message_id", not_sent.message_id);
        match not_sent.instead {
            Some(channel) => problem.member("channels", json!([channel.as_str()])),
            None => problem,
        }
    }
}

impl From<Claim> for Problem {
    fn from(claim: Claim) -> Self {
        match claim {
            Claim::Running => Self::new(Code::IdempotencyKeyInUse, "a call with this Idempotency-Key is still running"),
            _ => Self::new(Code::IdempotencyKeyReused, "this Idempotency-Key came with another body before"),
        }
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Database(error) => error.into(),
            CreateError::Refused(refused) => Problem::from(refused).into(),
            CreateError::Limited(refusal) => Problem::from(refusal).into(),
            CreateError::Blocked(blocked) => {
                Problem::new(Code::MessageRefused, "no message goes there now").retry_after(blocked.wait).into()
            }
            CreateError::UserNotFound => Problem::not_found("user").into(),
            CreateError::AddressNotFound => wrong("user_id", "this user has no e-mail address to verify").into(),
            CreateError::FactorNotFound => Problem::not_found("active factor of this user").into(),
            CreateError::ChannelMismatch(channel) => {
                wrong("channel", format!("nothing goes there by {}", channel.as_str())).into()
            }
            CreateError::NotSupported(FactorType::Password) => {
                let detail = "a password is proven by POST /v1/users/{id}/verify-password";
                Problem::new(Code::StrategyNotSupported, detail).into()
            }
            CreateError::NotSupported(kind) => {
                let detail = format!("the factor type {} is not supported yet", kind.as_str());
                Problem::new(Code::StrategyNotSupported, detail).into()
            }
            CreateError::AppNotFound => Problem::not_found("app").into(),
            CreateError::FlowFull => Problem::new(Code::RateLimited, "the flow has had its challenges: begin another")
                .retry_after(FLOW_LIFETIME)
                .into(),
            CreateError::Claimed(claim) => Problem::from(claim).into(),
            CreateError::NotSent(not_sent) => Problem::from(not_sent).into(),
        }
    }
}

impl From<AnswerError> for Failure {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Database(error) => error.into(),
            AnswerError::Misconfigured(issue) => Problem::new(Code::ConfigurationInvalid, issue.detail).into(),
        }
    }
}

impl From<EvaluateError> for Failure {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Database(error) => error.into(),
            EvaluateError::Misconfigured(issue) => Problem::new(Code::ConfigurationInvalid, issue.detail).into(),
            EvaluateError::UserNotFound => Problem::not_found("user").into(),
            EvaluateError::AppNotFound => Problem::not_found("app").into(),
            EvaluateError::ProofInvalid(at, why) => {
                Problem::new(Code::ProofInvalid, format!("proofs.{at} {why}")).into()
            }
        }
    }
}

/// What a page is told: which setting refused is the server's business.
impl From<FlowError> for Failure {
    fn from(error: FlowError) -> Self {
        let problem = match error {
            FlowError::Database(error) => return error.into(),
            FlowError::TokenInvalid => Problem::new(Code::FlowTokenInvalid, "no open flow has this token"),
            FlowError::OriginNotAllowed => {
                Problem::new(Code::OriginNotAllowed, "the page's origin is not the flow's, or none of the app's")
            }
            FlowError::AppNotFound => wrong("client_id", "no app that people sign in through has this id"),
            FlowError::RedirectUriUnknown => wrong("redirect_uri", "one of the app's redirect URIs is wanted, exactly"),
            FlowError::StepMismatch(step) => {
                Problem::new(Code::FlowStepMismatch, format!("the flow stands at {step}")).member("step", step)
            }
            FlowError::NotOffered => wrong("type", "the flow's step does not offer this: one of `options` is wanted"),
            FlowError::SignUpClosed => {
                Problem::new(Code::SignUpClosed, "an invitation is needed, or nobody may sign up")
            }
            FlowError::InvitationInvalid => wrong("invitation", "no invitation to this app that lives has this token"),
            FlowError::IdentifierRefused(FactorType::Phone) => wrong("identifier", "an e-mail address is wanted"),
            FlowError::IdentifierRefused(_) => wrong("identifier", "a phone number is wanted"),
            FlowError::Taken => Problem::new(Code::IdentifierExists, "somebody has signed up with it: sign in instead"),
            FlowError::PasswordIncorrect => Problem::new(Code::PasswordIncorrect, "the password is wrong, or the name"),
            FlowError::Limited(refusal) => unnamed(refusal),
            FlowError::Create(error)
            | FlowError::Resend(ResendError::Create(error))
            | FlowError::Enrol(EnrolError::Create(error)) => return to_page(error),
            FlowError::Resend(error) => return error.into(),
            FlowError::Answer(error) => return error.into(),
            FlowError::Enrol(error) => return error.into(),
            FlowError::Evaluate(error) => return error.into(),
        };
        problem.into()
    }
}

impl From<BotError> for Failure {
    fn from(error: BotError) -> Self {
        let problem = match error {
            BotError::Required { site_key } => {
                Problem::new(Code::BotCheckRequired, "a good `bot_token` is wanted").member("site_key", site_key)
            }
            BotError::Unavailable => Problem::new(Code::BotCheckUnavailable, "nobody can tell now; no flow begins"),
            BotError::Misconfigured(issue) => Problem::new(Code::ConfigurationInvalid, issue.detail),
        };
        problem.into()
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::StepUp(acr) => {
                let detail = "a proof of this session is wanted, at most ten minutes old and not used before";
                let problem = Problem::new(Code::InsufficientUserAuthentication, detail);
                problem.member("acr_values", acr.as_str()).member("max_age", PROOF_LIFETIME.as_secs()).into()
            }
            AccountError::Taken => {
                Problem::new(Code::IdentifierExists, "it is an account's already: this one's, or another's").into()
            }
            AccountError::Grant(GrantError::Database(error)) => error.into(),
            AccountError::Grant(GrantError::Misconfigured(issue)) => {
                Problem::new(Code::ConfigurationInvalid, issue.detail).into()
            }
            AccountError::Grant(GrantError::Failed(why)) => DatabaseError::Other(why).into(),
            AccountError::Grant(_) => DatabaseError::Other("a live session gets no tokens".to_owned()).into(),
            AccountError::Refused(error) => error.into(),
        }
    }
}

/// A limit, without its name and setting.
fn unnamed(refusal: Refusal) -> Problem {
    Problem { detail: "too many of these lately: wait".to_owned(), ..refusal.into() }
}

fn to_page(error: CreateError) -> Failure {
    match error {
        CreateError::Limited(refusal) => unnamed(refusal).into(),
        CreateError::Refused(Refused::Misconfigured(issue)) => {
            Problem::new(Code::ConfigurationInvalid, issue.detail).into()
        }
        CreateError::Refused(_) => Problem::new(Code::MessageRefused, "no message goes there now").into(),
        CreateError::NotSent(not_sent) if not_sent.class == "misconfigured" => {
            Problem::new(Code::MessageFailed, "it was not sent; the log says why").into()
        }
        error => error.into(),
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Database(error) => error.into(),
            TokenError::Misconfigured(issue) => Problem::new(Code::ConfigurationInvalid, issue.detail).into(),
            // Logged as the database's own faults are; the reader learns that nothing was changed.
            TokenError::Signature(error) => DatabaseError::Other(error.to_string()).into(),
            TokenError::Fault(why) => DatabaseError::Other(why.to_owned()).into(),
        }
    }
}

impl From<ResendError> for Failure {
    fn from(error: ResendError) -> Self {
        let problem = match error {
            ResendError::Create(error) => return error.into(),
            ResendError::NotFound => Problem::not_found("challenge"),
            ResendError::TooEarly(wait) => {
                Problem::new(Code::RateLimited, "another code may be asked for at resend_at").retry_after(wait)
            }
            ResendError::NoneLeft => {
                Problem::new(Code::ResendExhausted, "it has sent as many codes as sends_per_challenge allows")
            }
            ResendError::NothingToSend => {
                Problem::new(Code::StrategyNotSupported, "this challenge sends no codes: make a new one")
            }
            ResendError::Expired => Problem::new(Code::VerificationExpired, "its ten minutes are over"),
            ResendError::Dead => Problem::new(
                Code::VerificationFailed,
                "it took too many wrong answers, or its first code was never sent",
            ),
            ResendError::Canceled => Problem::new(Code::VerificationCanceled, "it was canceled"),
            ResendError::AlreadyVerified => Problem::new(Code::AlreadyVerified, "it was verified before"),
        };
        problem.into()
    }
}

impl From<EnrolError> for Failure {
    fn from(error: EnrolError) -> Self {
        let problem = match error {
            EnrolError::Create(error) => return error.into(),
            EnrolError::Taken(kind) => {
                Problem::new(Code::IdentifierExists, format!("the user has proven this {} already", kind.as_str()))
            }
            EnrolError::Invalid(field, detail) => wrong(field, detail),
            EnrolError::Weak(weak) => Problem::form(weak.into_iter().map(weakness).collect()),
            EnrolError::Disabled(kind) => Problem::new(
                Code::StrategyNotSupported,
                format!("the setting multi_factor.{}.enabled is false", kind.as_str()),
            ),
            EnrolError::ProofRequired => proof_required(),
            EnrolError::ProofInvalid => proof_invalid(),
        };
        problem.into()
    }
}

/// What is weak about a password, for the person.
fn weakness(weakness: Weakness) -> FieldError {
    let (code, detail) = match weakness {
        Weakness::TooShort => (
            FieldCode::PasswordTooShort,
            "more characters are wanted: password.minimum_length, or with a second factor password.minimum_length_with_mfa",
        ),
        Weakness::Common => (FieldCode::PasswordCommon, "many people have this password, or nearly this one"),
        Weakness::Context => {
            (FieldCode::PasswordContext, "it is made of the name of the app or the person, or their address")
        }
        Weakness::Breached => (FieldCode::PasswordBreached, "it was seen in a breach of some site, and is tried first"),
    };
    FieldError::new("password", code, detail)
}

/// Nothing allows the change.
pub(in crate::http) fn proof_required() -> Problem {
    Problem::new(
        Code::ProofRequired,
        "the user has an active factor: pass `proof`, a challenge of it verified in the last ten minutes, or `override` with a reason",
    )
}

/// What should allow it does not.
pub(in crate::http) fn proof_invalid() -> Problem {
    Problem::new(
        Code::ProofInvalid,
        "the proof is not a challenge of this user's active factor, verified in the last ten minutes and not used before",
    )
}
