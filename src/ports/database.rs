//! The database port: run these statements as one transaction and give me their rows.
//! That is `D1::batch`, the only primitive there is, and what makes round trips countable.

use std::fmt;

use serde_json::{Map, Value};

use super::PortFuture;

/// A bound parameter. D1 binds every number as REAL, so integers are exact up to 2^53.
#[derive(Clone, PartialEq)]
pub enum Param {
    /// SQL NULL.
    Null,
    /// A whole number: a count, a flag, or milliseconds.
    Integer(i64),
    /// UTF-8 text; JSON for `json_each` comes this way too.
    Text(String),
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Param {
    fn from(value: u32) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<bool> for Param {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Param {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Param {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl<T: Into<Param>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One SQL statement with its numbered parameters (`?1` is the first).
#[derive(Clone)]
pub struct Statement {
    /// The text, always a constant of the program.
    pub sql: &'static str,
    /// What `?1`, `?2`, … stand for.
    pub params: Vec<Param>,
}

impl Statement {
    /// A statement with its parameters in order.
    pub fn new(sql: &'static str, params: impl IntoIterator<Item = Param>) -> Self {
        Self { sql, params: params.into_iter().collect() }
    }
}

/// Builds a [`Statement`]: the text, then what `?1`, `?2`, … stand for.
#[macro_export]
macro_rules! statement {
    ($sql:expr $(, $param:expr)* $(,)?) => {
        $crate::ports::Statement::new($sql, [$($crate::ports::Param::from($param)),*])
    };
}

/// One row, by column name.
#[derive(Clone, Default)]
pub struct Row(pub Map<String, Value>);

/// The columns' names only: rows hold numbers, seeds and MACs.
impl fmt::Debug for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Row {
    /// The text in a column, if it is not NULL.
    pub fn opt_text(&self, column: &str) -> Option<&str> {
        self.0.get(column).and_then(Value::as_str)
    }

    /// The whole number in a column, if it is not NULL. D1 delivers numbers as floating point.
    #[allow(clippy::cast_possible_truncation)]
    pub fn opt_int(&self, column: &str) -> Option<i64> {
        let value = self.0.get(column)?;
        value.as_i64().or_else(|| value.as_f64().map(|number| number as i64))
    }

    /// The text in a column that is never NULL.
    ///
    /// # Errors
    /// [`DatabaseError::Other`] when the column is missing or not text: a fault of the program.
    pub fn text(&self, column: &'static str) -> Result<&str, DatabaseError> {
        self.opt_text(column).ok_or_else(|| DatabaseError::Other(format!("no text in column {column}")))
    }

    /// The whole number in a column that is never NULL.
    ///
    /// # Errors
    /// [`DatabaseError::Other`] when the column is missing or not a number: a fault of the program.
    pub fn int(&self, column: &'static str) -> Result<i64, DatabaseError> {
        self.opt_int(column).ok_or_else(|| DatabaseError::Other(format!("no number in column {column}")))
    }

    /// A flag: any number but 0. NULL and missing are `false`.
    pub fn flag(&self, column: &str) -> bool {
        self.opt_int(column).is_some_and(|number| number != 0)
    }
}

/// The rows of one statement.
pub type Rows = Vec<Row>;

/// Why a batch did not run. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// The settings changed since this isolate read them; read again and try once more (law 1).
    #[error("the settings changed")]
    Stale,
    /// The session or app that the caller's token stands for is no more what it was (`session_guard`).
    #[error("the session has ended")]
    SessionEnded,
    /// A table or column is missing: the migrations were not applied.
    #[error("the database is not migrated: {0}")]
    Unmigrated(String),
    /// The database did not answer, or is overloaded.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A constraint refused the batch; the text names it.
    #[error("a constraint failed: {0}")]
    Constraint(String),
    /// A fault of the program.
    #[error("the database refused the statement: {0}")]
    Other(String),
}

/// What D1 says when it will work again by itself.
const PASSING: [&str; 9] = [
    "Network connection lost",
    "overloaded",
    "storage caused object to be reset",
    "reset because its code was updated",
    "timed out",
    "timeout",
    "D1 DB is",
    "database is locked",
    "internal error",
];

impl DatabaseError {
    /// Sorts SQLite's and D1's error texts; both adapters use it, so both mean the same.
    pub fn classify(text: &str) -> Self {
        let text = text.trim();
        if text.contains("settings_are_current") {
            return Self::Stale;
        }
        if text.contains("session_is_live") {
            return Self::SessionEnded;
        }
        if text.contains("no such table") || text.contains("no such column") || text.contains("has no column named") {
            return Self::Unmigrated(text.to_owned());
        }
        if text.contains("constraint failed") || text.contains("SQLITE_CONSTRAINT") {
            return Self::Constraint(text.to_owned());
        }
        if PASSING.iter().any(|sign| text.contains(sign)) {
            return Self::Unavailable(text.to_owned());
        }
        Self::Other(text.to_owned())
    }
}

/// The database.
pub trait Database: Send + Sync {
    /// Runs the statements in order as one transaction; the answer has one entry per statement.
    /// On an error nothing was kept. An empty batch is an error.
    fn batch(&self, statements: Vec<Statement>) -> PortFuture<'_, Result<Vec<Rows>, DatabaseError>>;
}
