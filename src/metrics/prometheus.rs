//! `GET /v1/metrics`: what was ever counted, in the text format of Prometheus, version 0.0.4. A family's lines stand together
//! behind its help and type, as the format wants it.

use crate::{
    ports::{Row, Statement},
    statement,
    time::Timestamp,
};

/// The media type, with the version.
pub const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A family's name, type and help.
const FAMILIES: &[[&str; 3]] = &[
    ["postern_messages_sent_total", "counter", "Messages that a carrier took, or may have."],
    ["postern_messages_codes_total", "counter", "Sent messages with a code."],
    ["postern_messages_delivered_total", "counter", "Messages reported delivered."],
    [
        "postern_messages_failed_total",
        "counter",
        "Messages that no carrier took, or that were reported not to have arrived.",
    ],
    ["postern_messages_refused_total", "counter", "Failed messages that no carrier took."],
    ["postern_messages_verified_total", "counter", "Messages whose code came back."],
    ["postern_messages_cost_total", "counter", "What messages cost, in the currency of fraud.spend.prices."],
    ["postern_message_delivery_seconds", "histogram", "From sending to the report that it arrived."],
    ["postern_message_verify_seconds", "histogram", "From sending to the code coming back."],
    ["postern_fraud_blocks", "gauge", "Entries of the block list that hold."],
    ["postern_fraud_refusals", "gauge", "How often what was refused in the last 24 hours has been refused."],
    ["postern_spend", "gauge", "What messages have cost in this hour and day."],
];

/// Who runs: the only line that is not counted.
const BUILD: &str = concat!(
    "# HELP postern_build_info The version.\n# TYPE postern_build_info gauge\npostern_build_info{version=\"",
    env!("CARGO_PKG_VERSION"),
    "\"} 1\n"
);

/// Labels. JSON escapes quotes, backslashes and line ends as the format does; nothing else in these columns needs it.
macro_rules! labels {
    ($first:literal $(, $further:literal)*) => {
        concat!("'", $first, "=' || json_quote(", $first, ")" $(, " || ',", $further, "=' || json_quote(", $further, ")")*)
    };
}

/// Thousandths, or millionths, as a decimal number.
macro_rules! decimal {
    ($value:literal, "thousandths") => {
        concat!("printf('%d.%03d', ", $value, " / 1000, ", $value, " % 1000)")
    };
    ($value:literal, "millionths") => {
        concat!("printf('%d.%06d', ", $value, " / 1000000, ", $value, " % 1000000)")
    };
}

const COUNTERS: &str = concat!(
    "SELECT 'postern_messages_' || f.value || '_total' AS family, '{' || ",
    labels!("channel", "country", "driver", "template", "app_id"),
    " || '} ' || CASE f.key WHEN 0 THEN sent WHEN 1 THEN codes WHEN 2 THEN delivered WHEN 3 THEN failed WHEN 4 THEN refused
       WHEN 5 THEN verified ELSE ", decimal!("cost", "millionths"), " END AS line
     FROM json_each('[\"sent\", \"codes\", \"delivered\", \"failed\", \"refused\", \"verified\", \"cost\"]') f
       CROSS JOIN message_hours
     WHERE hour = 0 ORDER BY f.key, line"
);

/// By channel, country and driver alone: each has a line per class. Prometheus counts a class with those below it.
const HISTOGRAMS: &str = concat!(
    "SELECT family, '_bucket{' || labels || ',le=\"' ||
         CASE width WHEN 0 THEN '+Inf' ELSE ",
    decimal!("upto", "thousandths"),
    " END || '\"} ' || count ||
       CASE width WHEN 0 THEN char(10) || family || '_sum{' || labels || '} ' || ",
    decimal!("millis", "thousandths"),
    " ||
         char(10) || family || '_count{' || labels || '} ' || count ELSE '' END AS line
     FROM (SELECT CASE t.until WHEN 'delivered' THEN 'postern_message_delivery_seconds'
           ELSE 'postern_message_verify_seconds' END AS family, ",
    labels!("channel", "country", "driver"),
    " AS labels,
         c.upto, c.width, sum(CASE WHEN t.upto <= c.upto THEN t.count ELSE 0 END) AS count, sum(t.millis) AS millis
       FROM message_times t CROSS JOIN message_time_classes c
       WHERE t.hour = 0 AND c.upto > 0 GROUP BY t.until, channel, country, driver, c.upto) r
     ORDER BY family, labels, upto"
);

/// What holds now. `?1` is now.
const GAUGES: &str = concat!(
    "SELECT family, line FROM (
       SELECT 'postern_fraud_blocks' AS family, '{by=\"' || CASE WHEN level > 0 THEN 'guard' ELSE 'operator' END ||
           '\",enforced=\"' || enforced || '\"} ' || count(*) AS line
         FROM fraud_entries WHERE list = 'block' AND expires_at > ?1 GROUP BY level > 0, enforced
       UNION ALL
       SELECT 'postern_fraud_refusals', '{' || ",
    labels!("rule"),
    " || ',enforced=\"' || enforced || '\"} ' || sum(times)
         FROM fraud_refusals WHERE last_at > ?1 - 86400000 GROUP BY +rule, enforced
       UNION ALL
       SELECT 'postern_spend', '{window=\"' || substr(key, 7) || '\"} ' || ",
    decimal!("count", "millionths"),
    "
         FROM counters WHERE key IN ('spend_hour', 'spend_day') AND expires_at > ?1) r
     ORDER BY family, line"
);

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[COUNTERS, HISTOGRAMS, GAUGES];

/// Reads everything.
pub fn read(now: Timestamp) -> Vec<Statement> {
    vec![statement!(COUNTERS), statement!(HISTOGRAMS), statement!(GAUGES, now.millis())]
}

/// Writes what was read: lines of a family behind each other.
pub fn write<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let (mut text, mut last) = (BUILD.to_owned(), "");
    let mut push = |parts: &[&str]| parts.iter().for_each(|part| text.push_str(part));
    for row in rows {
        let (Some(family), Some(line)) = (row.opt_text("family"), row.opt_text("line")) else { continue };
        if family != last {
            last = family;
            if let Some([_, kind, help]) = FAMILIES.iter().find(|[name, ..]| *name == family) {
                push(&["# HELP ", family, " ", help, "\n# TYPE ", family, " ", kind, "\n"]);
            }
        }
        push(&[family, line, "\n"]);
    }
    text
}
