//! Challenges: one pending proof: a code that was sent, a TOTP or passkey that is awaited. One file per thing that can be done with one.
//!
//! ```text
//!            ┌── resend (new code, old one dead, failures kept) ──┐
//!            ▼                                                    │
//! create ─▶ pending ──── right answer ───▶ verified ── used ─▶ consumed
//!            │  │ └───── ten minutes ────▶ expired
//!            │  └─────── five wrong, or the first send failed ──▶ failed
//!            └────────── cancel ─────────▶ canceled
//! ```

pub mod answer;
pub mod cancel;
pub mod create;
pub(crate) mod draft;
mod given;
mod held;
pub mod resend;
pub(crate) mod sending;
pub mod store;

use serde_json::Value;

pub use given::Given;
pub use sending::NotSent;

use crate::{
    factor::FactorType,
    ids::ChallengeId,
    message::{Channel, Destination},
    ports::{DatabaseError, Row},
    template::Slug,
    time::Timestamp,
};

/// What a challenge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Job 1: does this number belong to whoever answers?
    Verification,
    /// A second factor at sign-in.
    SignIn,
    /// A second factor before something sensitive.
    StepUp,
    /// The proof of a new factor.
    Enrolment,
}

impl Purpose {
    /// Every purpose's name, for the contract.
    pub const NAMES: [&'static str; 4] = ["verification", "sign_in", "step_up", "enrolment"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::SignIn => "sign_in",
            Self::StepUp => "step_up",
            Self::Enrolment => "enrolment",
        }
    }

    /// What a code for it says that it is for.
    pub fn template(self) -> Slug {
        match self {
            Self::Enrolment => Slug::EnrolmentCode,
            Self::Verification | Self::SignIn | Self::StepUp => Slug::VerificationCode,
        }
    }

    /// The purpose with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Verification, Self::SignIn, Self::StepUp, Self::Enrolment]
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }
}

/// Where a challenge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A right answer verifies it.
    Pending,
    /// The right answer came.
    Verified,
    /// Too many wrong answers, or its code could not be sent.
    Failed,
    /// Its ten minutes are over.
    Expired,
    /// It was canceled.
    Canceled,
}

impl Status {
    /// Every status's name, for the contract.
    pub const NAMES: [&'static str; 5] = ["pending", "verified", "failed", "expired", "canceled"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Canceled => "canceled",
        }
    }
}

/// A challenge as it is read. Its code, seed and MAC are never read out of the database.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Its id.
    pub id: ChallengeId,
    /// Whose factor is asked, if anybody's.
    pub user_id: Option<String>,
    /// Which factor is asked.
    pub factor_id: Option<String>,
    /// Through which app.
    pub app_id: Option<String>,
    /// What it is for.
    pub purpose: Purpose,
    /// The type of factor that it asks for.
    pub kind: FactorType,
    /// How its code goes; `None` where none is sent.
    pub channel: Option<Channel>,
    /// Where its code goes.
    pub destination: Option<Destination>,
    /// The language asked for.
    pub locale: Option<String>,
    /// Which code lives.
    pub generation: i64,
    /// How many codes were sent.
    pub sends: i64,
    /// When the living code dies; in the past when none lives, `None` where none is sent.
    pub code_expires_at: Option<Timestamp>,
    /// When the challenge dies.
    pub expires_at: Timestamp,
    /// When another code may be asked for; `None`: no more.
    pub resend_at: Option<Timestamp>,
    /// Wrong answers so far.
    pub wrong_answers: i64,
    /// How many kill it.
    pub wrong_answers_max: i64,
    /// The newest message.
    pub message_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was verified.
    pub verified_at: Option<Timestamp>,
    /// What the proof has shown beyond the factor.
    pub evidence: Value,
    /// What it awaits, where that is no code that was sent. It is no secret, and still nobody's business.
    pub awaits: Value,
    /// When it was used as a proof.
    pub consumed_at: Option<Timestamp>,
    /// Why it ended unverified.
    pub end: Option<End>,
}

/// Why a challenge ended unverified, before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was canceled.
    Canceled,
    /// Its first code could not be sent.
    SendFailed,
}

impl Challenge {
    /// Where it stands at a moment.
    pub fn status(&self, now: Timestamp) -> Status {
        match (self.verified_at, self.end) {
            (Some(_), _) => Status::Verified,
            (None, Some(End::Canceled)) => Status::Canceled,
            (None, Some(End::SendFailed)) => Status::Failed,
            (None, None) if self.wrong_answers >= self.wrong_answers_max => Status::Failed,
            (None, None) if self.expires_at <= now => Status::Expired,
            (None, None) => Status::Pending,
        }
    }

    /// How many more wrong answers it takes.
    pub fn attempts_left(&self) -> i64 {
        (self.wrong_answers_max - self.wrong_answers).max(0)
    }

    /// Reads a row of [`store::GET`].
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        let malformed = |what: &str| DatabaseError::Other(format!("a stored challenge has a malformed {what}"));
        let text = |column| row.opt_text(column).map(str::to_owned);
        let moment = |column| row.int(column).map(Timestamp::from_millis);
        let json = |column: &str| match row.opt_text(column) {
            Some(text) => serde_json::from_str(text).map_err(|_| malformed("member")),
            None => Ok(Value::Null),
        };
        let maybe = |column| row.opt_int(column).map(Timestamp::from_millis);
        Ok(Self {
            id: ChallengeId::parse(row.text("id")?).ok_or_else(|| malformed("id"))?,
            user_id: text("user_id"),
            factor_id: text("factor_id"),
            app_id: text("app_id"),
            purpose: Purpose::parse(row.text("purpose")?).ok_or_else(|| malformed("purpose"))?,
            kind: FactorType::parse(row.text("type")?).ok_or_else(|| malformed("type"))?,
            channel: row.opt_text("channel").and_then(Channel::parse),
            destination: row
                .opt_text("destination")
                .map(|text| Destination::from_stored(text).ok_or_else(|| malformed("destination")))
                .transpose()?,
            locale: text("locale"),
            generation: row.int("generation")?,
            sends: row.int("sends")?,
            code_expires_at: maybe("code_expires_at"),
            expires_at: moment("expires_at")?,
            resend_at: maybe("resend_at"),
            wrong_answers: row.int("wrong_answers")?,
            wrong_answers_max: row.int("wrong_answers_max")?,
            message_id: text("message_id"),
            created_at: moment("created_at")?,
            verified_at: maybe("verified_at"),
            evidence: json("evidence")?,
            awaits: json("awaits")?,
            consumed_at: maybe("consumed_at"),
            end: match row.opt_text("end_reason") {
                Some("canceled") => Some(End::Canceled),
                Some(_) => Some(End::SendFailed),
                None => None,
            },
        })
    }
}
