//! What goes out when it works.

use serde_json::{Value, json};

use super::problem::Problem;
use crate::ports::DatabaseError;

/// An answer.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body's media type.
    pub media: &'static str,
    /// The body.
    pub body: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

/// What a handler failed with.
pub enum Failure {
    /// A problem to be told.
    Problem(Box<Problem>),
    /// The database failed; a stale batch is tried once more.
    Database(DatabaseError),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// What a handler gives.
pub type Answer = Result<Reply, Failure>;

impl Reply {
    /// JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, media: "application/json", body: body.to_string(), headers: Vec::new() }
    }

    /// A page of a list that was asked for one more than `limit`: the further one says that there is a next page.
    pub fn page(mut data: Vec<Value>, limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = data.len() > limit;
        data.truncate(limit);
        let cursor = data.last().filter(|_| more).and_then(|last| last.get("id").cloned()).unwrap_or(Value::Null);
        Self::json(200, &json!({"data": data, "next_cursor": cursor}))
    }

    /// Nothing: 204.
    pub fn nothing() -> Self {
        Self { status: 204, media: "", body: String::new(), headers: Vec::new() }
    }

    /// A page for people.
    pub fn html(body: String) -> Self {
        Self { status: 200, media: "text/html; charset=utf-8", body, headers: Vec::new() }
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Says that an earlier call with the same key did it.
    pub fn replayed(self, replayed: bool) -> Self {
        if replayed { self.header("idempotency-replayed", "true") } else { self }
    }
}
