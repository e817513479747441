//! Migrations only add: what an older version has written down is all there after the newer one's migration.

use crate::support::sqlite::Sqlite;

/// One row of everything, as schema 1 had it.
const SCHEMA_1: &str = "
INSERT INTO users (id, metadata, created_at, updated_at, stamp) VALUES ('usr_1', '{}', 1, 1, 's');
INSERT INTO factors (id, user_id, type, phone, country, authority, created_at, activated_at, stamp)
  VALUES ('fac_1', 'usr_1', 'phone', '+14155552671', 'US', 'none', 1, 2, 's');
INSERT INTO challenges (id, user_id, factor_id, purpose, channel, destination, country, subject, is_test, digits, seed,
    pepper_id, generation, code_mac, code_expires_at, expires_at, sends, wrong_answers, wrong_answers_max, message_id,
    created_at, stamp)
  VALUES ('chl_1', 'usr_1', 'fac_1', 'sign_in', 'sms', '+14155552671', 'US', 'user:usr_1', 0, 6, 'seed', 'p1', 2, 'mac', 9,
    10, 2, 3, 5, 'msg_1', 1, 's');
INSERT INTO messages (id, challenge_id, generation, user_id, channel, template, locale, destination, country, cost_class,
    encoding, segments, status, driver, created_at, updated_at)
  VALUES ('msg_1', 'chl_1', 2, 'usr_1', 'sms', 'verification_code', 'en', '+14155552671', 'US', 'none', 'gsm7', 1, 'sent',
    'twilio', 1, 1);
INSERT INTO message_tries (id, message_id, driver, outcome, created_at) VALUES ('try_1', 'msg_1', 'twilio', 'accepted', 1);
INSERT INTO dev_inbox (message_id, body, code, created_at) VALUES ('msg_1', 'text', '042137', 1);";

#[test]
fn what_schema_1_has_written_down_is_there_after_every_migration() {
    let database = Sqlite::unmigrated();
    let migrations = Sqlite::migrations();
    database.execute(&migrations[0]);
    database.execute(SCHEMA_1);
    let tables = ["users", "factors", "challenges", "messages", "message_tries", "dev_inbox"];
    // SQLite keeps the columns of a text that it has prepared: each time asks with a text of its own.
    let before = tables.map(|table| database.query(&format!("SELECT * FROM {table} LIMIT 1")).remove(0));
    let rows = |table: &str| database.query(&format!("SELECT * FROM {table}"));
    for migration in &migrations[1..] {
        database.execute(migration);
    }
    for (table, before) in tables.into_iter().zip(before) {
        let after = rows(table);
        assert_eq!(after.len(), 1, "{table}");
        for (column, value) in before {
            assert_eq!(after[0].get(&column), Some(&value), "{table}.{column}");
        }
    }
    assert_eq!(rows("challenges")[0]["type"], "phone");
    // What hung together still does.
    database.execute("PRAGMA foreign_key_check; DELETE FROM users; DELETE FROM messages");
    for table in ["factors", "challenges", "message_tries", "dev_inbox"] {
        assert_eq!(rows(table).len(), 0, "{table}");
    }
}
