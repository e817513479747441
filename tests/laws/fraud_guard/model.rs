//! SQL and the pure functions of the rules say the same, over random histories.

use std::sync::Mutex;

use postern::{
    fraud::{
        rules::{budget, prefix::Trip},
        store::{REFUSE, TRIP},
    },
    ports::{Database, Rows, Statement},
    statement,
};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::{Value, json};

use crate::support::{ports::START, sqlite::Sqlite};

/// One database for all cases: each has keys of its own.
static DATABASE: Mutex<Option<Sqlite>> = Mutex::new(None);
static CASES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

fn run(statements: Vec<Statement>) -> Vec<Rows> {
    let database = DATABASE.lock().unwrap().get_or_insert_with(Sqlite::new).clone();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(database.batch(statements)).unwrap()
}

/// Counts of a key, by how many periods ago.
fn history() -> impl Strategy<Value = Vec<budget::Count>> {
    let few = prop_oneof![3 => 0i64..12, 1 => 0i64..300];
    let count = (0i64..60, few.clone(), few).prop_map(|(ago, sent, verified)| (ago, sent, verified));
    prop::collection::vec(count, 0..12).prop_map(|mut counts| {
        counts.sort_unstable();
        counts.dedup_by_key(|(ago, ..)| *ago);
        counts
    })
}

fn write(key: &str, now: i64, counts: &[budget::Count]) -> Vec<Statement> {
    let row = |(ago, sent, verified): &budget::Count| {
        let sql = "INSERT INTO fraud_counts (key, period, sent, verified) VALUES (?1, ?2, ?3, ?4)";
        statement!(sql, key, now / budget::PERIOD - ago, *sent, *verified)
    };
    counts.iter().map(row).collect()
}

/// Holds rules against what is counted; gives what was written down on the stamp.
fn refuse(now: i64, rules: &Value, stamp: &str) -> Rows {
    let (none, everything) = ("[]", "SELECT rule, observed, allowed, until FROM fraud_refusals WHERE stamp = ?1");
    let refuse = statement!(REFUSE, none, now, rules.to_string(), stamp, None::<&str>, true, none, "+1", "MAC", 0i64);
    run(vec![refuse, statement!(everything, stamp)]).pop().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_budget_is_the_same_in_sql(
        keys in prop::collection::vec((history(), 1i64..30, 0i64..=100), 1..4),
        into in 0i64..budget::PERIOD,
    ) {
        let now = START / budget::PERIOD * budget::PERIOD + into;
        let case = CASES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let key = |at: usize| format!("country:case{case}:{at}");
        let mut statements = Vec::new();
        let mut rules = Vec::new();
        for (at, (counts, floor, share)) in keys.iter().enumerate() {
            statements.extend(write(&key(at), now, counts));
            rules.push(json!({"rule": format!("rule{at}"), "kind": "budget", "key": key(at), "most": floor, "share": share,
                "own": ""}));
        }
        statements.push(statement!("SELECT 1"));
        run(statements);
        let refused = refuse(now, &Value::from(rules), &format!("stamp{case}"));
        for (at, (counts, floor, share)) in keys.iter().enumerate() {
            let name = format!("rule{at}");
            let row = refused.iter().find(|row| row.opt_text("rule") == Some(&name));
            let wanted = budget::refuses(*floor, *share, counts);
            prop_assert_eq!(row.is_some(), wanted, "{:?} {} {}", counts, floor, share);
            if let Some(row) = row {
                prop_assert_eq!(row.opt_int("observed"), Some(budget::unverified(counts)));
                prop_assert_eq!(row.opt_int("allowed"), Some(budget::allowed(*floor, *share, counts)));
                prop_assert_eq!(row.opt_int("until"), Some((now / budget::PERIOD + 1) * budget::PERIOD));
            }
        }
    }

    #[test]
    fn a_trip_is_the_same_in_sql(
        counts in history(),
        unverified in 1i64..40,
        conversion in 1i64..=100,
        hours in 1i64..=168,
        level in 0i64..12,
        into in 0i64..budget::PERIOD,
    ) {
        let now = START / budget::PERIOD * budget::PERIOD + into;
        let case = CASES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (key, trip) = (format!("prefix:+{case}"), Trip { unverified, conversion, hours });
        let mut statements = write(&key, now, &counts);
        if level > 0 {
            let sql = "INSERT INTO fraud_entries (id, list, subject, shown, level, enforced, created_by, created_at, updated_at,
              expires_at, stamp) VALUES (?1, 'block', ?1, '', ?2, 1, '', 0, 0, ?3, '')";
            statements.push(statement!(sql, key.as_str(), level, now));
        }
        let stamp = format!("trip{case}");
        statements.push(statement!(TRIP, "[]", now, key.as_str(), stamp.as_str(), None::<&str>, true, "[]",
            format!("fre_{case}"), unverified, conversion, hours));
        let ended = "SELECT level, expires_at FROM fraud_entries WHERE list = 'block' AND subject = ?1 AND stamp = ?2";
        statements.push(statement!(ended, key, stamp));
        let answer = run(statements).pop().unwrap();
        let lately = |of: fn(&budget::Count) -> i64| -> i64 {
            counts.iter().filter(|(ago, ..)| *ago < budget::DAY).map(of).sum()
        };
        let (sent, verified) = (lately(|count| count.1), lately(|count| count.2));
        prop_assert_eq!(!answer.is_empty(), trip.trips(sent, verified), "{} {}", sent, verified);
        if let Some(row) = answer.first() {
            let reached = u32::try_from(level + 1).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(row.opt_int("level"), Some(level + 1));
            prop_assert_eq!(row.opt_int("expires_at"), Some(now + trip.block(reached) * 3_600_000));
        }
    }
}
