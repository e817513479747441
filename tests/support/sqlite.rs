//! The database port on real SQLite with the real migrations, made as strict as D1: numbers bind as REAL and
//! come back as floating point, at most 100 parameters. Every statement's query plan is looked at once: a scan
//! of a table fails the test.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use postern::ports::{Database, DatabaseError, Param, PortFuture, Row, Rows, Statement};
use rusqlite::{
    Connection,
    limits::Limit,
    types::{ToSql, ToSqlOutput, ValueRef},
};
use serde_json::{Map, Value};

#[derive(Clone)]
pub struct Sqlite(Arc<Inner>);

struct Inner {
    connection: Mutex<Connection>,
    planned: Mutex<BTreeSet<&'static str>>,
    /// After how many more batches one fails, and how.
    failure: Mutex<Option<(u32, DatabaseError)>>,
    batches: AtomicU32,
    statements: AtomicU32,
}

struct Bound<'a>(&'a Param);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Param::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            #[allow(clippy::cast_precision_loss)]
            Param::Integer(number) => ToSqlOutput::Owned((*number as f64).into()),
            Param::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

impl Sqlite {
    /// A new database in memory, migrated.
    pub fn new() -> Self {
        let this = Self::unmigrated();
        for migration in Self::migrations() {
            this.execute(&migration);
        }
        this
    }

    /// The migrations in order.
    pub fn migrations() -> Vec<String> {
        let mut files: Vec<_> = std::fs::read_dir("migrations").unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    }

    /// A new database in memory, as it is before the migrations.
    pub fn unmigrated() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        // One plan per statement, whatever is bound to it: else a third of the tests' time goes into planning anew.
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
        // Every statement of the program: parsing them anew is what tests would spend their time on.
        connection.set_prepared_statement_cache_capacity(1024);
        for (limit, value) in [
            (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
            (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
            (Limit::SQLITE_LIMIT_COLUMN, 100),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
        ] {
            connection.set_limit(limit, value).unwrap();
        }
        Self(Arc::new(Inner {
            connection: Mutex::new(connection),
            planned: Mutex::default(),
            failure: Mutex::default(),
            batches: AtomicU32::new(0),
            statements: AtomicU32::new(0),
        }))
    }

    /// The next batch fails with this.
    pub fn fail_next(&self, error: DatabaseError) {
        self.fail_after(0, error);
    }

    /// So many more batches work, the one after them fails with this.
    pub fn fail_after(&self, batches: u32, error: DatabaseError) {
        *self.0.failure.lock().unwrap() = Some((batches, error));
    }

    /// Whether a failure that was asked for has happened; it is called off otherwise.
    pub fn has_failed(&self) -> bool {
        self.0.failure.lock().unwrap().take().is_none()
    }

    /// How many statements ran.
    pub fn statements(&self) -> u32 {
        self.0.statements.load(Ordering::Relaxed)
    }

    /// Every statement of the program that ran.
    pub fn executed(&self) -> BTreeSet<&'static str> {
        self.0.planned.lock().unwrap().clone()
    }

    /// How many batches ran.
    pub fn batches(&self) -> u32 {
        self.0.batches.load(Ordering::Relaxed)
    }

    /// Rows of a query of the test's own, as JSON.
    pub fn query(&self, sql: &str) -> Vec<Map<String, Value>> {
        let connection = self.0.connection.lock().unwrap();
        rows(&connection, sql, &[]).unwrap().into_iter().map(|row| row.0).collect()
    }

    /// The one number that a query of the test's own gives.
    #[allow(clippy::cast_possible_truncation)]
    pub fn number(&self, sql: &str) -> i64 {
        self.query(sql)[0].values().next().unwrap().as_f64().unwrap() as i64
    }

    /// Runs statements of the test's own.
    pub fn execute(&self, sql: &str) {
        self.0.connection.lock().unwrap().execute_batch(sql).unwrap();
    }

    /// Runs a statement of the test's own that has to be refused; why it was.
    pub fn refuses(&self, sql: &str) -> String {
        self.0.connection.lock().unwrap().execute_batch(sql).expect_err(sql).to_string()
    }

    /// Every value of every row of every table, as text, with the place it is in.
    pub fn everything(&self) -> Vec<(String, String)> {
        let tables = self.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
        let mut all = Vec::new();
        for table in tables {
            let table = table["name"].as_str().unwrap();
            for row in self.query(&format!("SELECT * FROM {table}")) {
                for (column, value) in row {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    all.push((format!("{table}.{column}"), text));
                }
            }
        }
        all
    }

    fn check_plan(&self, connection: &Connection, statement: &Statement) {
        if !self.0.planned.lock().unwrap().insert(statement.sql) {
            return;
        }
        let scans = scans(connection, statement.sql);
        assert!(scans.is_empty(), "this statement scans {scans:?}:\n{}", statement.sql);
    }
}

/// The steps of a statement's plan that read a whole table.
pub fn scans(connection: &Connection, sql: &str) -> Vec<String> {
    let plan =
        rows(connection, &format!("EXPLAIN QUERY PLAN {sql}"), &[]).unwrap_or_else(|error| panic!("{error}:\n{sql}"));
    let detail = plan.into_iter().map(|row| row.0["detail"].as_str().unwrap().to_owned());
    // json_each is a virtual table over a parameter; a constant row and a subquery's result are no tables. An
    // automatic index is a scan that is paid for each time.
    detail
        .filter(|step| step.starts_with("SCAN") || step.contains("AUTOMATIC"))
        .filter(|step| !step.contains("VIRTUAL TABLE") && !step.contains("CONSTANT ROW"))
        .filter(|step| step != "SCAN r" && !step.starts_with("SCAN (subquery"))
        .collect()
}

/// The indexes that a statement's plan uses.
pub fn indexes(connection: &Connection, sql: &str) -> Vec<String> {
    let plan = rows(connection, &format!("EXPLAIN QUERY PLAN {sql}"), &[]).unwrap();
    plan.iter()
        .filter_map(|row| row.0["detail"].as_str().unwrap().split_once("INDEX "))
        .map(|(_, rest)| rest.split(' ').next().unwrap().to_owned())
        .collect()
}

/// Statements planned on the migrated schema, each with its scans and the indexes it uses.
pub fn plans(sql: &[&str]) -> Vec<(String, Vec<String>, Vec<String>)> {
    let database = Sqlite::new();
    let connection = database.0.connection.lock().unwrap();
    sql.iter().map(|sql| ((*sql).to_owned(), scans(&connection, sql), indexes(&connection, sql))).collect()
}

fn rows(connection: &Connection, sql: &str, params: &[Param]) -> rusqlite::Result<Rows> {
    let mut statement = connection.prepare_cached(sql)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    for (index, param) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, Bound(param))?;
    }
    let mut result = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = result.next()? {
        let mut map = Map::new();
        for (index, name) in names.iter().enumerate() {
            #[allow(clippy::cast_precision_loss)]
            let value = match row.get_ref(index)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::from(number as f64),
                ValueRef::Real(number) => Value::from(number),
                ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
                ValueRef::Blob(_) => Value::from("blob"),
            };
            map.insert(name.clone(), value);
        }
        rows.push(Row(map));
    }
    Ok(rows)
}

impl Database for Sqlite {
    fn batch(&self, statements: Vec<Statement>) -> PortFuture<'_, Result<Vec<Rows>, DatabaseError>> {
        Box::pin(async move {
            // Others run in between, as they do between a Worker and D1.
            tokio::task::yield_now().await;
            self.0.batches.fetch_add(1, Ordering::Relaxed);
            let failure = self.0.failure.lock().unwrap().take();
            match failure {
                Some((0, error)) => return Err(error),
                Some((more, error)) => self.fail_after(more - 1, error),
                None => {}
            }
            self.0.statements.fetch_add(u32::try_from(statements.len()).unwrap(), Ordering::Relaxed);
            assert!(!statements.is_empty(), "D1 refuses an empty batch");
            let connection = self.0.connection.lock().unwrap();
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            let result: Result<Vec<Rows>, DatabaseError> = statements
                .iter()
                .map(|statement| {
                    let result = rows(&connection, statement.sql, &statement.params)
                        .map_err(|error| DatabaseError::classify(&error.to_string()))?;
                    self.check_plan(&connection, statement);
                    Ok(result)
                })
                .collect();
            connection.execute_batch(if result.is_ok() { "COMMIT" } else { "ROLLBACK" }).unwrap();
            result
        })
    }
}
