//! The block list and the safe list: what nobody is sent a message for, and what the guard leaves alone. Operators make
//! entries here, and the guard makes some of its own; each one ends.

pub mod store;
mod subject;

pub use subject::Subject;

use crate::{
    context::Context,
    event::EventType,
    idempotency::{Claim, Reservation},
    ids::{EventId, FraudEntryId},
    ports::{DatabaseError, Row, Statement},
    statement,
    time::Timestamp,
};

/// The lists.
pub const LISTS: [&str; 2] = ["block", "safe"];

/// What entries are about.
pub const KINDS: [&str; 4] = ["prefix", "phone", "asn", "ip"];

/// An entry as it is read.
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Which list it is in.
    pub list: String,
    /// What it is about: one of [`KINDS`].
    pub kind: String,
    /// Which one, as people see it.
    pub shown: String,
    /// How often the guard has blocked it in a row; 0: a person did.
    pub level: i64,
    /// Whether it holds; `false`: the guard made it while it only reported.
    pub enforced: bool,
    /// Why, in the words of who made it.
    pub reason: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Entry {
    fn read(row: &Row) -> Result<Self, DatabaseError> {
        let text = |column| row.text(column).map(str::to_owned);
        Ok(Self {
            id: text("id")?,
            list: text("list")?,
            kind: text("kind")?,
            shown: text("shown")?,
            level: row.int("level")?,
            enforced: row.flag("enforced"),
            reason: row.opt_text("reason").map(str::to_owned),
            created_by: text("created_by")?,
            created_at: Timestamp::from_millis(row.int("created_at")?),
            expires_at: Timestamp::from_millis(row.int("expires_at")?),
        })
    }
}

/// An entry to make.
pub struct NewEntry<'a> {
    /// One of [`LISTS`].
    pub list: &'a str,
    /// What it is about.
    pub subject: Subject,
    /// Why.
    pub reason: Option<&'a str>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What making an entry came to.
pub enum Made {
    /// The entry; `true`: an earlier call with the same key made it.
    Done(Entry, bool),
    /// An earlier call made it, and it has gone since.
    NotFound,
    /// The call's key is another call's.
    Claimed(Claim),
}

/// Makes an entry, in the place of an earlier one about the same.
pub async fn create(context: &Context, new: NewEntry<'_>, key: Option<&Reservation>) -> Result<Made, DatabaseError> {
    let (now, stamp) = (context.now(), context.stamp());
    let id = FraudEntryId::new(now, &*context.ports().random);
    let mut batch: Vec<Statement> = key.map(|key| key.reserve(id.as_str(), &stamp, now)).into_iter().collect();
    batch.push(statement!(
        store::CREATE,
        &id,
        now.millis(),
        new.list,
        stamp.as_str(),
        key.map(Reservation::key),
        new.subject.key,
        new.subject.shown,
        new.reason,
        context.actor(),
        new.expires_at.millis()
    ));
    batch.push(event(context, EventType::FraudEntryCreated, &id, &stamp));
    if let Some(key) = key {
        batch.extend([key.release_unless_made(&stamp), key.finish(&stamp), key.look_up()]);
    }
    batch.push(statement!(store::GET, &id));
    let answer = context.decide(batch).await?;
    let [.., before, made] = answer.as_slice() else {
        return Err(DatabaseError::Other("a batch answered too little".to_owned()));
    };
    let claim = match key {
        Some(key) => key.claim(before, &stamp, now)?,
        None => Claim::Mine,
    };
    match claim {
        Claim::Mine => entry(made, false),
        Claim::Replay(earlier) => {
            let answer = context.decide(vec![statement!(store::GET, earlier)]).await?;
            entry(answer.first().map(Vec::as_slice).unwrap_or_default(), true)
        }
        claim => Ok(Made::Claimed(claim)),
    }
}

fn entry(rows: &[Row], replayed: bool) -> Result<Made, DatabaseError> {
    match rows.first() {
        Some(row) => Ok(Made::Done(Entry::read(row)?, replayed)),
        None => Ok(Made::NotFound),
    }
}

/// Lists entries that hold, newest first, with ids below `before`.
pub async fn list(context: &Context, of: Option<&str>, before: &str, limit: i64) -> Result<Vec<Entry>, DatabaseError> {
    let now = context.now().millis();
    let list = match of {
        Some(list) => statement!(store::LIST_ONE, before, limit, now, list),
        None => statement!(store::LIST, before, limit, now),
    };
    let answer = context.decide(vec![list]).await?;
    answer.first().map(Vec::as_slice).unwrap_or_default().iter().map(Entry::read).collect()
}

/// Deletes an entry: it holds no more, and a prefix that the guard has blocked begins anew. `false`: there is no such entry.
pub async fn delete(context: &Context, id: &FraudEntryId) -> Result<bool, DatabaseError> {
    let stamp = context.stamp();
    let batch = vec![
        statement!(store::STAMP, id, stamp.as_str()),
        event(context, EventType::FraudEntryDeleted, id, &stamp),
        statement!(store::DELETE, id, stamp.as_str()),
    ];
    let answer = context.decide(batch).await?;
    Ok(answer.first().is_some_and(|rows| !rows.is_empty()))
}

fn event(context: &Context, kind: EventType, id: &FraudEntryId, stamp: &str) -> Statement {
    let now = context.ports().clock.now();
    let event = EventId::new(now, &*context.ports().random);
    let (actor, request) = (context.actor(), context.request_id());
    statement!(store::EVENT, &event, kind.as_str(), actor, request, now.millis(), id, stamp)
}
