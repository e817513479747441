//! What became of messages, in numbers. Triggers count (`migrations/0005_fraud.sql`), so that counting costs no round trip and
//! no path can forget to; here the counts are read: by day, country, carrier and so on (`messages.rs`), and as a scraper wants
//! them (`prometheus.rs`). The SQL writes the rows as they are answered. [Decision 52](../../docs/decisions/0052-metrics.md)
//! says what is counted where.

pub mod messages;
pub mod prometheus;
