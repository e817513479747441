//! The database port on D1.

use worker::{D1Database, D1PreparedStatement, send::SendFuture, wasm_bindgen::JsValue};

use crate::ports::{Database, DatabaseError, Param, PortFuture, Row, Rows, Statement};

/// D1 behind the database port.
pub(super) struct D1 {
    /// The binding `DB`; `None` when the deployment has none.
    pub(super) binding: Option<D1Database>,
}

impl Database for D1 {
    fn batch(&self, statements: Vec<Statement>) -> PortFuture<'_, Result<Vec<Rows>, DatabaseError>> {
        Box::pin(SendFuture::new(async move {
            let Some(database) = &self.binding else {
                return Err(DatabaseError::Unavailable("the binding DB is missing".to_owned()));
            };
            let prepared = statements
                .into_iter()
                .map(|statement| prepare(database, statement))
                .collect::<worker::Result<Vec<_>>>()
                .map_err(|error| classify(&error))?;
            let results = database.batch(prepared).await.map_err(|error| classify(&error))?;
            results
                .iter()
                .map(|result| {
                    if let Some(error) = result.error() {
                        return Err(DatabaseError::classify(&error));
                    }
                    let rows = result.results::<serde_json::Map<_, _>>().map_err(|error| classify(&error))?;
                    Ok(rows.into_iter().map(Row).collect())
                })
                .collect()
        }))
    }
}

fn prepare(database: &D1Database, statement: Statement) -> worker::Result<D1PreparedStatement> {
    let values: Vec<JsValue> = statement
        .params
        .into_iter()
        .map(|param| match param {
            Param::Null => JsValue::NULL,
            // Exact up to 2^53, which milliseconds stay below for 285,000 years.
            #[allow(clippy::cast_precision_loss)]
            Param::Integer(number) => JsValue::from_f64(number as f64),
            Param::Text(text) => JsValue::from_str(&text),
        })
        .collect();
    database.prepare(statement.sql).bind(&values)
}

fn classify(error: &worker::Error) -> DatabaseError {
    match error {
        worker::Error::D1(error) => DatabaseError::classify(&error.cause()),
        error => DatabaseError::classify(&error.to_string()),
    }
}
