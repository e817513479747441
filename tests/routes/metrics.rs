//! `/v1/metrics`: hours that are known, and what is told of them; and what a scraper reads.

use serde_json::{Value, json};

use super::text;
use crate::support::{World, exposition::parse};

/// Counted in one hour.
#[derive(Clone, Copy)]
struct Hour<'a> {
    at: &'a str,
    country: &'a str,
    driver: &'a str,
    channel: &'a str,
    app: &'a str,
    /// Sent, of it codes, delivered, failed, of it refused, verified, cost.
    counts: [i64; 7],
}

const APP: &str = "app_01M83WM7ZA000G40R40M30E209";
const NOON: Hour<'static> = Hour {
    at: "2026-11-20 12:00:00",
    country: "GB",
    driver: "twilio",
    channel: "sms",
    app: "",
    counts: [12, 12, 9, 2, 1, 5, 96_000],
};

/// Writes hours down, as the triggers do: under hour 0 too.
fn counted(world: &World, hours: &[Hour<'_>]) {
    for Hour { at, country, driver, channel, app, counts } in hours {
        let counts = counts.map(|count| count.to_string()).join(", ");
        for hour in [format!("strftime('%s', '{at}') / 3600"), "0".to_owned()] {
            world.here().database.execute(&format!(
                "INSERT INTO message_hours (hour, country, driver, channel, template, app_id, sent, codes, delivered, failed,
                   refused, verified, cost)
                 VALUES ({hour}, '{country}', '{driver}', '{channel}', 'verification_code', '{app}', {counts})
                 ON CONFLICT DO UPDATE SET sent = sent + excluded.sent, codes = codes + excluded.codes,
                   delivered = delivered + excluded.delivered, failed = failed + excluded.failed,
                   refused = refused + excluded.refused, verified = verified + excluded.verified,
                   cost = cost + excluded.cost"
            ));
        }
    }
}

/// Writes down how long messages of an hour took: milliseconds each.
fn took(world: &World, hour: Hour<'_>, until: &str, all: &[i64]) {
    let Hour { at, country, driver, channel, app, .. } = hour;
    for millis in all {
        for hour in [format!("strftime('%s', '{at}') / 3600"), "0".to_owned()] {
            world.here().database.execute(&format!(
                "INSERT INTO message_times (hour, country, driver, channel, template, app_id, until, upto, count, millis)
                 VALUES ({hour}, '{country}', '{driver}', '{channel}', 'verification_code', '{app}', '{until}',
                   (SELECT min(upto) FROM message_time_classes WHERE upto >= {millis}), 1, {millis})
                 ON CONFLICT DO UPDATE SET count = count + 1, millis = millis + excluded.millis"
            ));
        }
    }
}

async fn read(world: &World, query: &str) -> Value {
    world.get(&format!("/v1/metrics/messages?{query}")).await.expect(200)
}

/// A member of each row.
fn each(answer: &Value, names: &[&str]) -> Vec<Value> {
    let row = |row: &Value| names.iter().map(|name| row[*name].clone()).collect();
    answer["data"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn nothing_is_no_row_and_a_total_of_nothing() {
    let world = World::null();
    let answer = read(&world, "").await;
    assert_eq!(
        (&answer["from"], &answer["to"]),
        (&json!("2026-11-16T00:00:00.000Z"), &json!("2026-11-22T11:00:00.000Z"))
    );
    let nothing = json!({"p50_ms": null, "p95_ms": null});
    let total = json!({"sent": 0, "codes": 0, "delivered": 0, "failed": 0, "refused": 0, "verified": 0, "conversion": null,
        "delivery_rate": null, "cost": "0", "time_to_deliver": nothing, "time_to_verify": nothing});
    assert_eq!((&answer["data"], &answer["total"]), (&json!([]), &total));
}

#[tokio::test]
async fn rows_are_by_what_was_asked_for_and_in_its_order() {
    let world = World::null();
    let evening = Hour { at: "2026-11-20 23:00:00", ..NOON };
    let hours = [
        NOON,
        evening,
        Hour { at: "2026-11-21 00:00:00", country: "US", app: APP, ..NOON },
        Hour { at: "2026-11-21 01:00:00", country: "", driver: "resend", channel: "email", ..NOON },
    ];
    counted(&world, &hours);
    let by = async |query: &str, names: &[&str]| each(&read(&world, query).await, names);
    assert_eq!(by("", &["day", "sent"]).await, [json!(["2026-11-20", 24]), json!(["2026-11-21", 24])]);
    assert_eq!(
        by("by=hour", &["hour", "verified"]).await,
        ["2026-11-20T12", "2026-11-20T23", "2026-11-21T00", "2026-11-21T01"]
            .map(|hour| json!([format!("{hour}:00:00.000Z"), 5]))
    );
    assert_eq!(by("by=country", &["country", "sent"]).await, [json!([null, 12]), json!(["GB", 24]), json!(["US", 12])]);
    assert_eq!(
        by("by=channel,day", &["day", "channel", "sent"]).await,
        [json!(["2026-11-20", "sms", 24]), json!(["2026-11-21", "email", 12]), json!(["2026-11-21", "sms", 12])]
    );
    assert_eq!(
        by("by=app_id,template", &["template", "app_id", "sent"]).await,
        [json!(["verification_code", null, 36]), json!(["verification_code", APP, 12])]
    );
    // A row has what it is by, and nothing else of it.
    let row = read(&world, "by=driver").await["data"][0].clone();
    assert_eq!((&row["driver"], row.get("day"), row.get("country")), (&json!("resend"), None, None));
    assert!(read(&world, "by=driver").await["total"].get("driver").is_none());
}

#[tokio::test]
async fn filters_leave_the_rest_out_of_rows_and_total() {
    let world = World::null();
    let other = Hour { country: "US", driver: "vonage", channel: "voice", app: APP, ..NOON };
    counted(&world, &[NOON, other]);
    for (filter, wanted) in [
        ("country=US", 12),
        ("country=us", 12),
        ("driver=vonage", 12),
        ("channel=voice", 12),
        (&format!("app_id={APP}"), 12),
        ("template=verification_code", 24),
        ("template=test", 0),
        ("country=GB&driver=vonage", 0),
        ("from=2026-11-20T12:00:00Z&to=2026-11-20T13:00:00Z", 24),
        ("from=2026-11-20T12:59:59Z&to=2026-11-20T12:59:59.999Z", 24),
        ("from=2026-11-20T13:00:00Z", 0),
        ("to=2026-11-20T12:00:00Z", 0),
        ("from=2026-11-20T13:30:00%2B01:00&to=2026-11-20T14:00:00%2B01:00", 24),
    ] {
        let answer = read(&world, filter).await;
        assert_eq!(answer["total"]["sent"], json!(wanted), "{filter}");
        assert_eq!(answer["data"].as_array().unwrap().is_empty(), wanted == 0, "{filter}");
    }
    // What was ever counted is no hour.
    let answer = read(&world, "from=1969-12-31T00:00:00Z&to=1970-01-05T00:00:00Z").await;
    assert_eq!((&answer["total"]["sent"], &answer["from"]), (&json!(0), &json!("1970-01-01T01:00:00.000Z")));
}

#[tokio::test]
async fn numbers_are_whole_and_shares_have_four_decimals() {
    let world = World::null();
    counted(&world, &[NOON]);
    let answer = world.get("/v1/metrics/messages").await;
    let row = &answer.json["data"][0];
    assert_eq!(text(&row["cost"]), "0.096");
    assert!(answer.text.contains(r#""sent":12,"codes":12,"delivered":9,"failed":2,"refused":1,"verified":5"#));
    // 5 of 12, and 9 of 12.
    assert!(answer.text.contains(r#""conversion":0.4167,"delivery_rate":0.75,"#), "{}", answer.text);
    // Large and small.
    let large = [4_000_000_000_000, 3, 0, 0, 0, 2, 9_000_000_000_000_000];
    counted(&world, &[Hour { country: "FR", counts: large, ..NOON }]);
    let row = read(&world, "country=FR").await["total"].clone();
    assert_eq!((&row["sent"], &row["cost"]), (&json!(4_000_000_000_000_i64), &json!("9000000000")));
    assert_eq!(
        (row["conversion"].as_f64(), &row["delivery_rate"]),
        (Some(0.6667), &Value::Null),
        "nothing was reported"
    );
}

/// Mails and messages that others carry are in no rate of delivery: nobody reports on them.
#[tokio::test]
async fn only_carriers_that_report_are_in_the_rate_of_delivery() {
    let world = World::null();
    let silent = [100, 100, 0, 0, 0, 50, 0];
    counted(
        &world,
        &[
            NOON,
            Hour { driver: "webhook", counts: silent, ..NOON },
            Hour { driver: "handed_over", counts: silent, ..NOON },
            Hour { driver: "resend", channel: "email", country: "", counts: silent, ..NOON },
        ],
    );
    let answer = read(&world, "by=driver").await;
    let rates: Vec<Option<f64>> =
        answer["data"].as_array().unwrap().iter().map(|row| row["delivery_rate"].as_f64()).collect();
    assert_eq!(rates, [None, None, Some(0.75), None], "handed_over, resend, twilio, webhook");
    assert_eq!(answer["total"]["delivery_rate"].as_f64(), Some(0.75));
}

#[tokio::test]
async fn percentiles_are_read_off_a_line_through_their_class() {
    // What messages took, and the two percentiles.
    let cases: [(&[i64], i64, i64); 8] = [
        (&[0], 250, 475),
        (&[500], 250, 475),
        (&[501], 750, 975),
        (&[700, 700, 700, 700], 750, 975),
        // Three of four in the first class: half of them are two thirds into it.
        (&[100, 100, 100, 900], 333, 900),
        (&[100, 900, 900, 4000], 750, 4600),
        (&[90_000_000], 86_400_000, 86_400_000),
        (&[100, 90_000_000], 500, 86_400_000),
    ];
    for (all, half, most) in cases {
        let world = World::null();
        took(&world, NOON, "verified", all);
        let total = read(&world, "").await["total"].clone();
        assert_eq!(total["time_to_verify"], json!({"p50_ms": half, "p95_ms": most}), "{all:?}");
        assert_eq!(total["time_to_deliver"], json!({"p50_ms": null, "p95_ms": null}));
    }
    // Each row has its own.
    let world = World::null();
    took(&world, NOON, "delivered", &[100; 9]);
    took(&world, Hour { country: "US", ..NOON }, "delivered", &[2500; 9]);
    let answer = read(&world, "by=country").await;
    let halves: Vec<Value> = each(&answer, &["time_to_deliver"]);
    assert_eq!((&halves[0][0]["p50_ms"], &halves[1][0]["p50_ms"]), (&json!(250), &json!(2500)));
    assert_eq!(answer["total"]["time_to_deliver"]["p50_ms"], json!(500));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    let world = World::null();
    for (query, field) in [
        ("by=days", "by"),
        ("by=day,", "by"),
        ("by=sent", "by"),
        ("from=2026-11-23T00:00:00Z", "from"),
        ("from=2026-01-01T00:00:00Z", "from"),
        ("from=2026-11-20T00:00:00Z&to=2026-11-20T00:00:00Z", "from"),
        ("from=yesterday", "from"),
        ("channel=fax", "channel"),
        ("app_id=shop", "app_id"),
        ("country=GBRX", "country"),
        ("limit=1", "limit"),
    ] {
        let answer = world.get(&format!("/v1/metrics/messages?{query}")).await;
        assert_eq!(answer.fields().first().map(|(name, _)| *name), Some(field), "{query}: {}", answer.text);
        answer.expect_problem(422, "form_param_invalid");
    }
    world.get("/v1/metrics?by=day").await.expect_problem(422, "form_param_invalid");
}

#[tokio::test]
async fn more_rows_than_are_told_are_refused_and_not_cut_off() {
    let world = World::null();
    let texts = |many: u32| {
        world.here().database.execute(&format!(
            "DELETE FROM message_hours;
             INSERT INTO message_hours (hour, country, driver, channel, template, app_id, sent)
             SELECT strftime('%s', '2026-11-20 12:00:00') / 3600, 'GB', 'twilio', 'sms', 'text_' || value, '', 1
             FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {many}) SELECT value FROM n)"
        ));
    };
    texts(1000);
    assert_eq!(read(&world, "by=template").await["data"].as_array().unwrap().len(), 1000);
    texts(1001);
    let answer = world.get("/v1/metrics/messages?by=template").await;
    assert_eq!(answer.fields(), [("by", "form_param_value_invalid")]);
    answer.expect_problem(422, "form_param_invalid");
    assert_eq!(read(&world, "by=day").await["total"]["sent"], json!(1001));
}

#[tokio::test]
async fn a_scraper_reads_what_was_ever_counted() {
    let world = World::null();
    let long_ago = Hour { at: "2020-01-01 00:00:00", ..NOON };
    let mail = Hour { country: "", driver: "resend", channel: "email", app: APP, ..NOON };
    counted(&world, &[NOON, long_ago, mail]);
    took(&world, NOON, "delivered", &[400, 500, 2500, 90_000_000]);
    took(&world, Hour { app: APP, ..long_ago }, "delivered", &[600]);
    took(&world, NOON, "verified", &[12_000]);
    let here = world.here();
    here.database.execute(
        "INSERT INTO fraud_entries (id, list, subject, shown, level, enforced, created_by, created_at, updated_at, expires_at, stamp)
         VALUES ('fre_1', 'block', 'prefix:+4479460', '+4479460', 1, 1, 'guard', 1, 1, 9000000000000, ''),
           ('fre_2', 'block', 'prefix:+4479461', '+4479461', 0, 1, 'key_1', 1, 1, 9000000000000, ''),
           ('fre_3', 'block', 'prefix:+4479462', '+4479462', 2, 1, 'guard', 1, 1, 9000000000000, ''),
           ('fre_4', 'block', 'prefix:+4479463', '+4479463', 2, 1, 'guard', 1, 1, 2, ''),
           ('fre_5', 'safe', 'prefix:+4479464', '+4479464', 0, 1, 'key_1', 1, 1, 9000000000000, '');
         INSERT INTO fraud_refusals (rule, key, times, enforced, observed, allowed, until, first_at, last_at, told_at, stamp)
         VALUES ('country', 'country:sms:GB:home', 7, 1, 1, 1, 1, 1, 9000000000000, 1, ''),
           ('country', 'country:sms:FR:home', 3, 1, 1, 1, 1, 1, 9000000000000, 1, ''),
           ('country', 'country:sms:IT:home', 100, 1, 1, 1, 1, 1, 2, 1, '');
         INSERT INTO counters (key, count, expires_at)
         VALUES ('spend_hour', 1500000, 9000000000000), ('spend_day', 20000001, 9000000000000)",
    );
    let answer = world.get("/v1/metrics").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let families = parse(&answer.text);
    assert!(families.values().all(|family| !family.help.is_empty() && !family.kind.is_empty()));
    assert_eq!(families.len(), 13, "{:?}", families.keys());
    let sms = [
        ("channel", "sms"),
        ("country", "GB"),
        ("driver", "twilio"),
        ("template", "verification_code"),
        ("app_id", ""),
    ];
    let mail = [("channel", "email"), ("country", ""), ("app_id", APP)];
    for (name, wanted) in [
        ("sent", 24.0),
        ("codes", 24.0),
        ("delivered", 18.0),
        ("failed", 4.0),
        ("refused", 2.0),
        ("verified", 10.0),
        ("cost", 0.192),
    ] {
        let family = &families[&format!("postern_messages_{name}_total")];
        assert!((family.value("", &sms) - wanted).abs() < 1e-9, "{name}");
        assert!((family.value("", &mail) - wanted / 2.0).abs() < 1e-9, "{name}");
    }
    let delivery = &families["postern_message_delivery_seconds"];
    for (bound, wanted) in [("0.500", 2.0), ("1.000", 3.0), ("3.000", 4.0), ("86400.000", 4.0), ("+Inf", 5.0)] {
        let labels = [("channel", "sms"), ("country", "GB"), ("driver", "twilio"), ("le", bound)];
        assert!((delivery.value("_bucket", &labels) - wanted).abs() < 1e-9, "{bound}");
    }
    assert!((delivery.value("_sum", &[]) - 90_004.0).abs() < 1e-9);
    assert!((families["postern_message_verify_seconds"].value("_count", &[]) - 1.0).abs() < 1e-9);
    let blocks = &families["postern_fraud_blocks"];
    assert!((blocks.value("", &[("by", "guard"), ("enforced", "1")]) - 2.0).abs() < 1e-9);
    assert!((blocks.value("", &[("by", "operator")]) - 1.0).abs() < 1e-9);
    assert!(
        (families["postern_fraud_refusals"].value("", &[("rule", "country"), ("enforced", "1")]) - 10.0).abs() < 1e-9
    );
    assert!((families["postern_spend"].value("", &[("window", "hour")]) - 1.5).abs() < 1e-9);
    assert!((families["postern_spend"].value("", &[("window", "day")]) - 20.000_001).abs() < 1e-9);
    assert!(families["postern_build_info"].samples[0].1["version"].starts_with(char::is_numeric));
    assert!(!answer.text.contains("4479460"), "no prefix, no number");
}

#[tokio::test]
async fn an_instance_that_has_sent_nothing_says_who_it_is() {
    let families = parse(&World::null().get("/v1/metrics").await.text);
    assert_eq!(families.keys().collect::<Vec<_>>(), ["postern_build_info"]);
}

#[tokio::test]
async fn labels_are_escaped() {
    let world = World::null();
    counted(&world, &[Hour { driver: "a\"b\\c\nd,e=\"f\"}", ..NOON }]);
    let families = parse(&world.get("/v1/metrics").await.text);
    let (_, labels, _) = &families["postern_messages_sent_total"].samples[0];
    assert_eq!(labels["driver"], "a\"b\\c\nd,e=\"f\"}");
    let answer = read(&world, "by=driver").await;
    assert_eq!(answer["data"][0]["driver"], json!("a\"b\\c\nd,e=\"f\"}"));
}

#[test]
#[should_panic(expected = "is there twice")]
fn a_line_that_is_there_twice_is_detected() {
    parse("# HELP a_total x\n# TYPE a_total counter\na_total{b=\"c\"} 1\na_total{b=\"c\"} 2\n");
}

#[test]
#[should_panic(expected = "stands in two places")]
fn a_family_in_two_places_is_detected() {
    parse(
        "# HELP a x\n# TYPE a gauge\na 1\n# HELP b x\n# TYPE b gauge\nb 1\n# HELP a x\n# TYPE a gauge\na{b=\"c\"} 1\n",
    );
}

#[test]
#[should_panic(expected = "no end of labels")]
fn a_quote_that_ends_a_label_early_is_detected() {
    parse("# HELP a x\n# TYPE a gauge\na{b=\"c\"d\"} 1\n");
}
