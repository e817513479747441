//! Flows: a sign-up, a sign-in or a password reset in an app's own form. A flow collects proofs until the policy is met,
//! and ends in one authorization code. It keeps facts, not a state: where it stands is worked out each time (`state.rs`).
//!
//! ```text
//! begin ─▶ load ─▶ one action ─▶ settle ─┬─▶ the next step
//!            ▲                           └─▶ complete: an authorization code, once
//!            └──────── next call ◀───────
//! ```

pub mod act;
pub mod begin;
#[cfg(not(target_arch = "wasm32"))]
pub mod document;
pub(crate) mod load;
pub mod settle;
pub mod sign_up;
pub mod state;
pub mod store;

use serde_json::{Map, Value};

use crate::{
    challenge::{answer::AnswerError, create::CreateError, resend::ResendError},
    crypto::token_hash,
    evaluation::EvaluateError,
    factor::{FactorType, ProveError, enrol::EnrolError},
    ids::FlowId,
    limit::Refusal,
    ports::{DatabaseError, Row},
    time::Timestamp,
};

pub use state::{Action, State};

/// What a flow is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowType {
    /// Somebody becomes a user.
    SignUp,
    /// A user proves who they are.
    SignIn,
    /// A user who has forgotten the password sets another one.
    PasswordReset,
}

impl FlowType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::SignUp, Self::SignIn, Self::PasswordReset];
    /// Every type's name, for the contract.
    pub const NAMES: [&'static str; 3] = ["sign_up", "sign_in", "password_reset"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
            Self::PasswordReset => "password_reset",
        }
    }

    /// The type with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A flow as it is read. It has no `Debug`: a credential may wait in it.
#[derive(Clone)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// What it is for.
    pub kind: FlowType,
    /// Through which app.
    pub app_id: String,
    /// From which page; `None`: a native app.
    pub origin: Option<String>,
    /// The PKCE challenge (RFC 7636 §4.2, S256).
    pub code_challenge: String,
    /// Where the code goes; compared at the exchange.
    pub redirect_uri: Option<String>,
    /// What the tokens may do.
    pub scope: String,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// The language.
    pub locale: Option<String>,
    /// A MAC of what was typed; `None`: nothing yet.
    pub identifier: Option<String>,
    /// Whose it is; `None`: nobody is known.
    pub user_id: Option<String>,
    /// Whether the device is to be remembered.
    pub remember_device: bool,
    /// What a sign-up or reset keeps until it may have effect: hashes, and what was done.
    pub pending: Map<String, Value>,
    /// Whether a sign-up's address was proven: by the code that went there, or by the invitation.
    pub address_proven: bool,
    /// When it is over.
    pub expires_at: Timestamp,
    /// How it ended.
    pub end: Option<End>,
    /// Which batch has changed it last.
    pub stamp: String,
}

/// How a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With an authorization code.
    Complete,
    /// It was given up.
    Abandoned,
}

impl Flow {
    /// Reads a row of the store.
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        let malformed = || DatabaseError::Other("a stored flow is malformed".to_owned());
        let text = |column| row.opt_text(column).map(str::to_owned);
        Ok(Self {
            id: FlowId::parse(row.text("id")?).ok_or_else(malformed)?,
            kind: FlowType::parse(row.text("type")?).ok_or_else(malformed)?,
            app_id: row.text("app_id")?.to_owned(),
            origin: text("origin"),
            code_challenge: row.text("code_challenge")?.to_owned(),
            redirect_uri: text("redirect_uri"),
            scope: row.text("scope")?.to_owned(),
            nonce: text("nonce"),
            locale: text("locale"),
            identifier: text("identifier"),
            user_id: text("user_id"),
            remember_device: row.flag("remember_device"),
            pending: serde_json::from_str(row.text("pending")?).map_err(|_| malformed())?,
            address_proven: row.flag("address_proven"),
            expires_at: Timestamp::from_millis(row.int("expires_at")?),
            end: match row.opt_text("end_reason") {
                Some("complete") => Some(End::Complete),
                Some(_) => Some(End::Abandoned),
                None => None,
            },
            stamp: row.text("stamp")?.to_owned(),
        })
    }
}

/// What a call brings to be let into a flow. It has no `Debug`.
#[derive(Clone)]
pub struct Access {
    /// Which flow.
    pub id: FlowId,
    /// What it should be for.
    pub kind: FlowType,
    /// The hash of the token that came.
    token_hash: String,
    /// The page that calls.
    pub origin: Option<String>,
    /// Whether the call changes nothing: browsers send no Origin with a GET of the same origin.
    pub reads: bool,
}

impl Access {
    /// A call with this token.
    pub fn new(id: FlowId, kind: FlowType, token: &str, origin: Option<String>, reads: bool) -> Self {
        Self { id, kind, token_hash: token_hash(token), origin, reads }
    }
}

/// Why a flow does not go on. Nothing was changed.
#[derive(Debug)]
pub enum FlowError {
    /// The database failed.
    Database(DatabaseError),
    /// There is no such flow with this token, or its time is over.
    TokenInvalid,
    /// The page is none of the app's.
    OriginNotAllowed,
    /// The app is none that people sign in through, or there is none.
    AppNotFound,
    /// The redirect URI is none of the app's.
    RedirectUriUnknown,
    /// The step takes another call: which step it is.
    StepMismatch(&'static str),
    /// What was named is not offered.
    NotOffered,
    /// Nobody signs up by themselves, by the setting.
    SignUpClosed,
    /// There is no such invitation that lives.
    InvitationInvalid,
    /// People do not sign up with this, by the setting: an address, or a number.
    IdentifierRefused(FactorType),
    /// The address was proven, and somebody has it: the flow is over.
    Taken,
    /// The password is wrong, or nobody is known: nobody is told which.
    PasswordIncorrect,
    /// A limit has no room.
    Limited(Refusal),
    /// As for a challenge that is made.
    Create(CreateError),
    /// As for a further code.
    Resend(ResendError),
    /// As for an answer that could not be decided.
    Answer(AnswerError),
    /// As for a factor that is added.
    Enrol(EnrolError),
    /// As for the policy.
    Evaluate(EvaluateError),
}

macro_rules! from {
    ($($error:ident as $variant:ident),*) => {
        $(impl From<$error> for FlowError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}
impl From<ProveError> for FlowError {
    fn from(error: ProveError) -> Self {
        Self::Answer(error.into())
    }
}

from!(
    DatabaseError as Database,
    CreateError as Create,
    ResendError as Resend,
    AnswerError as Answer,
    EnrolError as Enrol,
    EvaluateError as Evaluate
);
