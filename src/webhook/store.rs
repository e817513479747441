//! SQL of webhook endpoints and deliveries.

use crate::{
    event::EventType,
    ports::{Row, Statement},
    statement,
};

/// Which types of events some enabled endpoint hears, as the snapshot of settings has it.
#[derive(Clone, Debug, Default)]
pub struct Heard(Vec<String>);

const HEARD: &str = "SELECT DISTINCT type FROM webhook_filters WHERE type >= ''";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[HEARD];

/// Reads what is heard: [`Heard::read`]. Whoever changes an endpoint raises the settings' version.
pub fn heard() -> Statement {
    statement!(HEARD)
}

impl Heard {
    /// From the rows of [`heard`].
    pub fn read(rows: &[Row]) -> Self {
        Self(rows.iter().filter_map(|row| row.opt_text("type")).map(str::to_owned).collect())
    }

    /// Whether anything is heard: then there may be something to deliver after a request.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether some endpoint hears this type.
    pub fn hears(&self, kind: EventType) -> bool {
        let name = kind.as_str();
        let group = name.split_once('.').map(|(group, _)| group);
        self.0.iter().any(|filter| {
            filter == "*" || filter == name || filter.strip_suffix(".*").is_some_and(|prefix| Some(prefix) == group)
        })
    }
}
