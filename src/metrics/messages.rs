//! `GET /v1/metrics/messages`: which hours, by what, and the one statement that answers.

use crate::{
    ports::{Row, Statement},
    statement,
    time::Timestamp,
};

const HOUR: i64 = 3_600_000;
const DAY_HOURS: i64 = 24;

/// The most days that are asked about at once.
pub const MOST_DAYS: i64 = 92;
/// The most rows that are told.
pub const MOST_ROWS: usize = 1000;
/// What rows can be by.
pub const BY: [&str; 7] = ["day", "hour", "country", "driver", "channel", "template", "app_id"];

/// Whole hours since 1970: from the first on, before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The first.
    pub from: i64,
    /// The one behind the last.
    pub to: i64,
}

impl Hours {
    /// What is asked for, widened to whole hours. By default until now, and from midnight six days earlier on. Hour 0 is no
    /// hour here: what was ever counted stands under it.
    ///
    /// # Errors
    /// What is wrong with `from`.
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) -> Result<Self, &'static str> {
        // The hour that it is counts by default, also in its first millisecond.
        let to = (to.map_or(now.millis() + 1, Timestamp::millis) + HOUR - 1).div_euclid(HOUR);
        let week = ((to - 1).div_euclid(DAY_HOURS) - 6) * DAY_HOURS;
        let from = from.map_or(week, |from| from.millis().div_euclid(HOUR)).max(1);
        if from >= to {
            return Err("a moment before `to` is wanted");
        }
        if to - from > MOST_DAYS * DAY_HOURS {
            return Err("at most 92 days before `to` are wanted");
        }
        Ok(Self { from, to })
    }

    /// From when on, and before when.
    pub fn moments(self) -> [Timestamp; 2] {
        [self.from, self.to].map(|hour| Timestamp::from_millis(hour * HOUR))
    }
}

/// Whether rows can be by this: names with commas between them.
pub fn is_by(text: &str) -> bool {
    text.split(',').all(|name| BY.contains(&name))
}

/// Which rows of either table count. `?1` from which hour on, `?2` before which, `?4` country, `?5` driver, `?6` channel,
/// `?7` template, `?8` app.
macro_rules! wanted {
    () => {
        "hour >= ?1 AND hour < ?2 AND (?4 IS NULL OR country = upper(?4)) AND (?5 IS NULL OR driver = ?5)
           AND (?6 IS NULL OR channel = ?6) AND (?7 IS NULL OR template = ?7) AND (?8 IS NULL OR app_id = ?8)"
    };
}

/// What rows are by.
macro_rules! keys {
    () => {
        "day, hour, country, driver, channel, template, app_id"
    };
}

/// A key as a member of the row's object, where it was asked for.
macro_rules! member {
    ($name:literal, $value:expr) => {
        concat!(
            "CASE WHEN ",
            $name,
            " IS NULL THEN '' ELSE '\"",
            $name,
            "\":' || json_quote(",
            $value,
            ") || ',' END || "
        )
    };
}

/// So many milliseconds are as long as so many in a hundred took, read off a straight line through their class; of the open
/// class its beginning.
macro_rules! percentile {
    ($until:literal, $per_cent:literal) => {
        concat!(
            "max(CASE WHEN until = '",
            $until,
            "' AND ",
            $per_cent,
            " * among <= 100 * so_far
               AND ",
            $per_cent,
            " * among > 100 * (so_far - count)
             THEN c.above + c.width * (",
            $per_cent,
            " * among - 100 * (so_far - count)) / (100 * count) END)"
        )
    };
}

/// What a key is by what was asked for: `?3`.
macro_rules! asked_keys {
    () => {
        "CASE WHEN instr(?3, 'day') THEN hour / 24 END AS day, CASE WHEN instr(?3, 'hour') THEN hour END AS hour,
           CASE WHEN instr(?3, 'country') THEN country END AS country,
           CASE WHEN instr(?3, 'driver') THEN driver END AS driver,
           CASE WHEN instr(?3, 'channel') THEN channel END AS channel,
           CASE WHEN instr(?3, 'template') THEN template END AS template,
           CASE WHEN instr(?3, 'app_id') THEN app_id END AS app_id"
    };
}

/// The rows, each as JSON, behind their total, which is there also where nothing is. Each table is read once and put together
/// by itself: what is joined then is little. Where there are too many rows, there are none, and the total says so. Of carriers that report nothing, it is not known what arrived: they are in no
/// `delivery_rate`.
const READ: &str = concat!(
    "WITH counted AS MATERIALIZED (
       SELECT ", asked_keys!(), ", '' AS until, 0 AS upto, 0 AS count, sum(sent) AS sent,
         sum(CASE WHEN channel <> 'email' AND driver IN ('twilio', 'vonage') THEN sent ELSE 0 END) AS to_be_reported,
         sum(codes) AS codes, sum(delivered) AS delivered, sum(failed) AS failed, sum(refused) AS refused,
         sum(verified) AS verified, sum(cost) AS cost
       FROM message_hours WHERE ", wanted!(), " GROUP BY 1, 2, 3, 4, 5, 6, 7
       UNION ALL
       SELECT ", asked_keys!(), ", until, upto, sum(count), 0, 0, 0, 0, 0, 0, 0, 0
       FROM message_times WHERE ", wanted!(), " GROUP BY 1, 2, 3, 4, 5, 6, 7, until, upto),
     r_count AS MATERIALIZED (
       SELECT count(*) > 1000 AS too_many FROM (SELECT 1 FROM counted r WHERE +until = '' LIMIT 1001) r),
     with_total AS (
       SELECT 0 AS is_total, r.* FROM counted r WHERE NOT (SELECT too_many FROM r_count r)
       UNION ALL
       SELECT 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, until, upto, sum(count), sum(sent), sum(to_be_reported), sum(codes),
         sum(delivered), sum(failed), sum(refused), sum(verified), sum(cost) FROM counted r GROUP BY until, upto
       UNION ALL
       SELECT 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', -1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
     placed AS (
       SELECT *, sum(count) OVER (PARTITION BY is_total, ", keys!(), ", until ORDER BY upto) AS so_far,
         sum(count) OVER (PARTITION BY is_total, ", keys!(), ", until) AS among
       FROM with_total r)
     SELECT '{' || ",
    member!("day", "strftime('%Y-%m-%d', day * 86400, 'unixepoch')"),
    member!("hour", "strftime('%Y-%m-%dT%H:00:00.000Z', hour * 3600, 'unixepoch')"),
    member!("country", "nullif(country, '')"),
    member!("driver", "driver"),
    member!("channel", "channel"),
    member!("template", "template"),
    member!("app_id", "nullif(app_id, '')"),
    "ltrim(json_object('sent', sum(sent), 'codes', sum(codes), 'delivered', sum(delivered), 'failed', sum(failed),
         'refused', sum(refused), 'verified', sum(verified),
         'conversion', round(min(1.0, 1.0 * sum(verified) / sum(codes)), 4),
         'delivery_rate', CASE WHEN sum(delivered) + sum(failed) > sum(refused)
           THEN round(min(1.0, 1.0 * sum(delivered) / sum(to_be_reported)), 4) END,
         'cost', rtrim(rtrim(printf('%d.%06d', sum(cost) / 1000000, sum(cost) % 1000000), '0'), '.'),
         'time_to_deliver', json_object('p50_ms', ", percentile!("delivered", "50"), ", 'p95_ms', ",
    percentile!("delivered", "95"), "),
         'time_to_verify', json_object('p50_ms', ", percentile!("verified", "50"), ", 'p95_ms', ",
    percentile!("verified", "95"), ")), '{') AS line,
       (SELECT too_many FROM r_count r) AS too_many
     FROM placed r LEFT JOIN message_time_classes c ON c.upto = r.upto
     GROUP BY is_total, ", keys!(), " ORDER BY is_total DESC, ", keys!()
);

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[READ];

/// Reads the total and the rows. `only` are the country, driver, channel, template and app that count.
pub fn read(hours: Hours, by: &str, only: [Option<&str>; 5]) -> Statement {
    let [country, driver, channel, template, app] = only;
    statement!(READ, hours.from, hours.to, by, country, driver, channel, template, app)
}

/// Rows as JSON, with commas between them.
pub fn joined(rows: &[Row]) -> String {
    let mut text = String::new();
    for line in rows.iter().filter_map(|row| row.opt_text("line")) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect(text)
    }

    #[test]
    fn hours_are_whole_and_a_week_is_seven_days() {
        let now = at("2026-11-22T10:20:30.400Z");
        let cases = [
            (None, None, ["2026-11-16T00:00:00.000Z", "2026-11-22T11:00:00.000Z"]),
            (None, Some(at("2026-11-22T00:00:00Z")), ["2026-11-15T00:00:00.000Z", "2026-11-22T00:00:00.000Z"]),
            (Some(at("2026-11-22T09:59:59Z")), None, ["2026-11-22T09:00:00.000Z", "2026-11-22T11:00:00.000Z"]),
            (
                Some(at("2026-08-22T00:00:00Z")),
                Some(at("2026-11-22T00:00:00Z")),
                ["2026-08-22T00:00:00.000Z", "2026-11-22T00:00:00.000Z"],
            ),
            (
                Some(at("1969-01-01T00:00:00Z")),
                Some(at("1970-01-01T05:00:00Z")),
                ["1970-01-01T01:00:00.000Z", "1970-01-01T05:00:00.000Z"],
            ),
        ];
        for (from, to, wanted) in cases {
            let hours = Hours::new(from, to, now).expect("a range");
            assert_eq!(hours.moments().map(|moment| moment.to_string()), wanted);
        }
        let hours = Hours::new(None, None, at("2026-11-22T10:00:00Z")).expect("a range");
        assert_eq!(hours.moments()[1].to_string(), "2026-11-22T11:00:00.000Z", "an hour that has just begun");
        let refused = [
            (Some(at("2026-11-22T11:00:00Z")), None),
            (Some(at("2026-11-23T00:00:00Z")), Some(at("2026-11-22T00:00:00Z"))),
            (Some(at("2026-08-21T23:59:59Z")), Some(at("2026-11-22T00:00:00Z"))),
            (None, Some(at("1970-01-01T01:00:00Z"))),
            (Some(at("0000-01-01T00:00:00Z")), Some(at("9999-12-31T23:59:59Z"))),
        ];
        for (from, to) in refused {
            assert!(Hours::new(from, to, now).is_err(), "{from:?} {to:?}");
        }
    }

    #[test]
    fn rows_are_by_what_there_is() {
        for good in ["day", "hour,country", "day,country,driver,channel,template,app_id"] {
            assert!(is_by(good), "{good}");
        }
        for wrong in ["", "days", "day,", "day, country", "DAY", "sent"] {
            assert!(!is_by(wrong), "{wrong}");
        }
    }
}
