//! The analytics port: a point per message that ended, for whoever wants to ask questions of their own. Never a number, an
//! address or a user.

use serde_json::{Value, json};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point<'a> {
    /// `sms`, `voice` or `email`.
    pub channel: &'a str,
    /// The number's country; empty: none.
    pub country: &'a str,
    /// What carried it.
    pub driver: &'a str,
    /// Its text's slug.
    pub template: &'a str,
    /// Through which app; empty: none.
    pub app: &'a str,
    /// What it came to.
    pub status: &'a str,
    /// What it cost, in millionths of a currency. 0 in a point of what a carrier reports later: it was paid for once.
    pub cost: i64,
    /// How long the carrier took to answer; of what it reports later, how long after sending that came.
    pub latency_ms: i64,
    /// How many SMS it is; 0 where the cost is.
    pub segments: i64,
}

impl Point<'_> {
    /// As Analytics Engine takes it: one index, texts, numbers.
    pub fn to_json(&self) -> Value {
        let Self { channel, country, driver, template, app, status, cost, latency_ms, segments } = *self;
        json!({"indexes": [country], "blobs": [channel, country, driver, template, app, status],
            "doubles": [cost, latency_ms, segments]})
    }
}

/// Where points go.
pub trait Analytics: Send + Sync {
    /// Writes a point, or does nothing where there is nowhere. Nobody waits for it, and it fails nothing.
    fn write(&self, point: &Point<'_>);
}
