//! Remembered devices: a browser or phone that stands in for the second factor for a while. What it keeps is
//! `id.secret`; here is the secret's hash only (law 5).

pub mod remember;
pub mod store;

use crate::{
    context::Context,
    crypto::token_hash,
    event::{self, Event, EventType, When},
    ids::{DeviceId, FactorId, UserId},
    ports::{DatabaseError, Row, Statement},
    secret::Secret,
    statement,
    time::Timestamp,
};

/// A device as it is read.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: Option<String>,
    /// Where it was made: ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The browser or app that it is.
    pub user_agent: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it last stood in.
    pub last_used_at: Option<Timestamp>,
}

impl Device {
    /// Reads a row of the store.
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        let text = |column| row.opt_text(column).map(str::to_owned);
        Ok(Self {
            id: row.text("id")?.to_owned(),
            name: text("name"),
            country: text("country"),
            user_agent: text("user_agent"),
            created_at: Timestamp::from_millis(row.int("created_at")?),
            expires_at: Timestamp::from_millis(row.int("expires_at")?),
            last_used_at: row.opt_int("last_used_at").map(Timestamp::from_millis),
        })
    }
}

/// What a device brings: its id and its secret. It has no `Debug`.
pub struct Token {
    /// The device.
    pub id: DeviceId,
    secret: Secret,
}

impl Token {
    /// Reads `dev_….secret`; `None`: it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.split_once('.')?;
        Some(Self { id: DeviceId::parse(id)?, secret: Secret::new(secret.to_owned()) })
    }

    /// What is stored of its secret.
    pub fn hash(&self) -> String {
        token_hash(self.secret.expose())
    }
}

/// A user's devices, newest first, those that have ended left out. `None`: there is no such user.
pub async fn list(context: &Context, user: &UserId) -> Result<Option<Vec<Device>>, DatabaseError> {
    let now = context.now().millis();
    let answer = context.decide(vec![statement!(store::USER, user), statement!(store::LIST, user, now)]).await?;
    let [users, devices] = answer.as_slice() else { return Ok(None) };
    if users.is_empty() {
        return Ok(None);
    }
    devices.iter().map(Device::read).collect::<Result<_, _>>().map(Some)
}

/// Forgets one device. `false`: the user has no such device.
pub async fn forget(context: &Context, user: &UserId, id: &DeviceId) -> Result<bool, DatabaseError> {
    let stamp = context.stamp();
    let event = Event::new(EventType::DeviceRemoved, id.as_str()).user(Some(user.as_str()));
    let batch = vec![
        statement!(store::STAMP, id, user, stamp.as_str()),
        event::store::write(context, event, When::Device(id.as_str(), &stamp)),
        statement!(store::GET, id, user),
        statement!(store::FORGET, id, stamp.as_str()),
    ];
    let answer = context.decide(batch).await?;
    Ok(answer.get(2).is_some_and(|rows| !rows.is_empty()))
}

/// Forgets all of a user's devices. `false`: there is no such user.
pub async fn forget_all(context: &Context, user: &UserId) -> Result<bool, DatabaseError> {
    let stamp = context.stamp();
    let event = Event::new(EventType::DeviceRemoved, user.as_str())
        .user(Some(user.as_str()))
        .data(serde_json::json!({"all": true}));
    let batch = vec![
        statement!(crate::user::store::STAMP, user, stamp.as_str()),
        event::store::write(context, event, When::User(user.as_str(), &stamp)),
        forget_with(user, &stamp),
        statement!(store::USER, user),
    ];
    let answer = context.decide(batch).await?;
    Ok(answer.last().is_some_and(|rows| !rows.is_empty()))
}

/// Forgets all of a user's devices in the batch of something else that ends them, on the user's stamp: a reset of their
/// factors, a new password.
pub(crate) fn forget_with(user: &UserId, stamp: &str) -> Statement {
    statement!(store::FORGET_ALL, user, stamp)
}

/// Forgets all of a user's devices in the batch that removes an active factor: one may have been remembered with it.
pub(crate) fn forget_before(user: &UserId, factor: &FactorId, stamp: &str) -> Statement {
    statement!(store::FORGET_BEFORE, user, factor, stamp)
}

/// Forgets all of a user's devices in the batch that makes a factor, on its stamp: a new password.
pub(crate) fn forget_after(user: &UserId, factor: &FactorId, stamp: &str) -> Statement {
    statement!(store::FORGET_AFTER, user, factor, stamp)
}
