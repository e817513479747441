//! Invitations to sign up: a server sends a link to an address, and who follows it has proven that address.

pub mod create;
pub mod store;

use crate::{
    context::Context,
    event::{self, Event, EventType, When},
    ids::InvitationId,
    ports::{DatabaseError, Row},
    statement,
    time::Timestamp,
};

/// What every invitation's token begins with.
pub const PREFIX: &str = "iv_";

/// An invitation as it is read. Its token is never read.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Its id.
    pub id: String,
    /// Whom it was sent to, as it was given.
    pub email: String,
    /// The app to sign up through; `None`: any.
    pub app_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When somebody signed up with it.
    pub used_at: Option<Timestamp>,
}

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has followed it yet.
    Pending,
    /// Somebody has signed up with it.
    Used,
    /// Its time is over.
    Expired,
}

impl Status {
    /// Every status's name, for the contract.
    pub const NAMES: [&'static str; 3] = ["pending", "used", "expired"];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Used => "used",
            Self::Expired => "expired",
        }
    }
}

impl Invitation {
    /// Where it stands at a moment.
    pub fn status(&self, now: Timestamp) -> Status {
        match self.used_at {
            Some(_) => Status::Used,
            None if self.expires_at <= now => Status::Expired,
            None => Status::Pending,
        }
    }

    /// Reads a row of the store.
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        Ok(Self {
            id: row.text("id")?.to_owned(),
            email: row.text("email")?.to_owned(),
            app_id: row.opt_text("app_id").map(str::to_owned),
            created_at: Timestamp::from_millis(row.int("created_at")?),
            expires_at: Timestamp::from_millis(row.int("expires_at")?),
            used_at: row.opt_int("used_at").map(Timestamp::from_millis),
        })
    }
}

/// Lists invitations, newest first, with ids below `before`.
pub async fn list(context: &Context, before: &str, limit: i64) -> Result<Vec<Invitation>, DatabaseError> {
    let answer = context.decide(vec![statement!(store::LIST, before, limit)]).await?;
    answer.first().map(Vec::as_slice).unwrap_or_default().iter().map(Invitation::read).collect()
}

/// Takes an invitation back: its link is dead at once. `false`: there is no such invitation.
pub async fn delete(context: &Context, id: &InvitationId) -> Result<bool, DatabaseError> {
    let stamp = context.stamp();
    let event = Event::new(EventType::InvitationDeleted, id.as_str());
    let batch = vec![
        statement!(store::STAMP, id, stamp.as_str()),
        event::store::write(context, event, When::Invitation(id.as_str(), &stamp)),
        statement!(store::GET, id),
        statement!(store::DELETE, id),
    ];
    let answer = context.decide(batch).await?;
    Ok(answer.get(2).is_some_and(|rows| !rows.is_empty()))
}
