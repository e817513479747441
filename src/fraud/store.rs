//! SQL of the guard. Everything is looked up by primary key or a unique index; what is read is bounded: 56 periods per
//! budget, as many members as a rule allows.

use crate::{claim_is_mine, have_room};

/// Whether the guard has refused on a stamp.
#[macro_export]
macro_rules! is_refused {
    ($stamp:literal) => {
        concat!("EXISTS (SELECT 1 FROM fraud_refusals WHERE stamp = ", $stamp, " AND enforced)")
    };
}

/// Part of a deciding statement's WHERE: the guard has not refused. `?4` is the stamp.
#[macro_export]
macro_rules! not_refused {
    () => {
        concat!("NOT ", $crate::is_refused!("?4"))
    };
}

/// The period of now, which is `?2`.
macro_rules! period {
    () => {
        "(CAST(?2 AS INTEGER) / 21600000)"
    };
}

/// Whether the safe list names one of the subjects. `?2` is now.
macro_rules! is_safe {
    ($subjects:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM json_each(",
            $subjects,
            ") s CROSS JOIN fraud_entries e ON e.list = 'safe' AND e.subject = s.value WHERE e.expires_at > ?2)"
        )
    };
}

/// Whether a number is known: on the safe list, or some user's active factor or proven of late, while its codes come back: of
/// the last day's fewer than eight did not. Whoever proves a number once pumps it as little as any other. `?2` is now.
macro_rules! is_known {
    ($subjects:literal, $number:literal, $mac:literal) => {
        concat!(
            "(",
            is_safe!($subjects),
            " OR ((EXISTS (SELECT 1 FROM factors WHERE phone = ",
            $number,
            " AND activated_at IS NOT NULL)
               OR EXISTS (SELECT 1 FROM fraud_members WHERE key = 'verified' AND member = ",
            $mac,
            " AND expires_at > ?2))
               AND (SELECT count(*) FROM (
                   SELECT m.challenge_id, m.created_at FROM messages m WHERE m.destination = ",
            $number,
            " ORDER BY m.id DESC LIMIT 40) r
                 CROSS JOIN challenges c ON c.id = r.challenge_id
                 WHERE r.created_at > ?2 - 86400000 AND c.verified_at IS NULL) < 8))"
        )
    };
}

/// A time in an event.
macro_rules! rfc3339 {
    ($millis:literal) => {
        concat!("strftime('%Y-%m-%dT%H:%M:%fZ', ", $millis, " / 1000.0, 'unixepoch')")
    };
}

/// The columns of an event, whose first values are `?1` id with `$place` in the place of its last digit, `$type`, and what
/// [`super::Guard`] says of every one: `?5` actor, `?6` address, `?7` user agent, `?8` request, `?13` user, `?14` app.
macro_rules! event {
    ($place:literal, $type:literal, $subject:literal, $enforced:literal, $reason:literal, $data:expr) => {
        concat!(
            "INSERT INTO audit_events (id, type, actor, user_id, app_id, subject_id, outcome, reason, client_ip, user_agent,
               request_id, data, created_at)
             SELECT substr(?1, 1, 29) || ",
            $place,
            ", ",
            $type,
            ", ?5, ?13, ?14, ",
            $subject,
            ", CASE WHEN ",
            $enforced,
            " THEN 'refused' ELSE 'success' END, ",
            $reason,
            ", ?6, ?7, ?8, json_object(",
            $data,
            ", 'prefix', replace(substr(?9, 8), ':veiled', ''), 'country', ?10, 'channel', ?11, 'origin', ?12,
               'enforced', json(CASE WHEN ",
            $enforced,
            " THEN 'true' ELSE 'false' END)), ?2 "
        )
    };
}

/// Blocks a prefix, or blocks it anew for twice as long: while no live entry does, and no safe one forbids it. `?1` checks,
/// `?2` now, `?3` prefix, `?4` stamp, `?5` the call's key, `?6` whether it refuses, `?7` subjects, `?8` id, `?9` unverified
/// messages, `?10` conversion, `?11` hours.
pub const TRIP: &str = concat!(
    "INSERT INTO fraud_entries (id, list, subject, shown, level, enforced, created_by, created_at, updated_at, expires_at,
       stamp)
     SELECT ?8, 'block', ?3, replace(substr(?3, 8), ':veiled', ''), 1, ?6, 'fraud_guard', ?2, ?2, ?2 + 3600000 * ?11, ?4
     FROM (SELECT sum(f.sent) AS sent, sum(f.verified) AS verified FROM fraud_counts f
       WHERE f.key = ?3 AND f.period > ",
    period!(),
    " - 4) r
     WHERE r.sent - r.verified >= ?9 AND r.verified * 100 < ?10 * r.sent AND NOT ",
    is_safe!("?7"),
    " AND NOT EXISTS (SELECT 1 FROM fraud_entries b
         WHERE b.list = 'block' AND b.subject = ?3 AND b.expires_at > ?2 AND b.enforced >= ?6)
       AND ",
    claim_is_mine!(),
    " AND ",
    have_room!(),
    " ON CONFLICT (list, subject) DO UPDATE SET level = level + 1, enforced = excluded.enforced, reason = NULL,
       created_by = excluded.created_by, updated_at = ?2, stamp = ?4,
       expires_at = ?2 + 3600000 * min(168, CAST(?11 AS INTEGER) << min(level, 8))"
);

/// Tells of a prefix that was blocked on the stamp `?4`. `?3` prefix.
pub const TRIPPED: &str = concat!(
    event!(
        "substr(?1, 30)",
        "'fraud.prefix_blocked'",
        "e.id",
        "e.enforced",
        "'prefix'",
        concat!("'sent', r.sent, 'verified', r.verified, 'level', e.level, 'expires_at', ", rfc3339!("e.expires_at"))
    ),
    "FROM fraud_entries e CROSS JOIN (SELECT sum(f.sent) AS sent, sum(f.verified) AS verified FROM fraud_counts f
       WHERE f.key = ?3 AND f.period > ",
    period!(),
    " - 4) r
     WHERE e.list = 'block' AND e.subject = ?3 AND e.stamp = ?4"
);

/// Evidence counts once: what a prefix was blocked for is no reason to block it again. `?1` prefix, `?2` stamp.
pub const USE_UP: &str = "DELETE FROM fraud_counts
  WHERE key = ?1 AND EXISTS (SELECT 1 FROM fraud_entries WHERE list = 'block' AND subject = ?1 AND stamp = ?2)";

/// Writes down each rule that refuses a message. `?1` checks, `?2` now, `?3` rules, `?4` stamp, `?5` the call's key,
/// `?6` whether it refuses, `?7` subjects, `?8` number, `?9` its MAC, `?10` cost. `judged` says whether the number is known,
/// and has no row where nothing is judged. What was only recorded stands against nobody once the guard refuses: it has to
/// trip anew. Whoever changes the mode is told at once what it does now.
pub const REFUSE: &str = concat!(
    "WITH judged AS MATERIALIZED (SELECT ",
    is_known!("?7", "?8", "?9"),
    " AS is_known WHERE ",
    claim_is_mine!(),
    " AND ",
    have_room!(),
    ")
     INSERT INTO fraud_refusals (rule, key, times, enforced, observed, allowed, until, first_at, last_at, told_at, stamp)
     SELECT * FROM (
       SELECT 'block_list', e.subject, 1, ?6, 1, 0, e.expires_at, ?2, ?2, 0, ?4
       FROM judged r CROSS JOIN json_each(?7) s CROSS JOIN fraud_entries e ON e.list = 'block' AND e.subject = s.value
       WHERE e.expires_at > ?2 AND e.enforced >= ?6 AND (NOT r.is_known OR e.subject LIKE 'number:%' OR e.subject LIKE 'network:%')
       ORDER BY e.expires_at DESC LIMIT 1) r
     UNION ALL
     SELECT r.rule, r.key, 1, ?6, max(0, sum(CASE WHEN r.day = 0 THEN r.sent - r.verified ELSE 0 END)) AS observed,
       max(r.most, r.share * max(r.verified) / 100) AS allowed, (",
    period!(),
    " + 1) * 21600000, ?2, ?2, 0, ?4
     FROM (
       SELECT l.value ->> 'rule' AS rule, f.key, l.value ->> 'most' AS most, l.value ->> 'share' AS share,
         (",
    period!(),
    " - f.period) / 4 AS day, sum(f.sent) AS sent, sum(f.verified) AS verified
       FROM judged r CROSS JOIN json_each(?3) l CROSS JOIN fraud_counts f ON f.key = l.value ->> 'key'
       WHERE l.value ->> 'kind' = 'budget' AND NOT r.is_known AND f.period > ",
    period!(),
    " - 56
         AND coalesce((
           SELECT sum(v.verified) FROM json_each('[\"home\", \"away\", \"unknown\", \"home:veiled\", \"away:veiled\", \"unknown:veiled\", \"known\"]') o
           CROSS JOIN fraud_counts v ON v.key = (l.value ->> 'own') || o.value
           WHERE v.period > ",
    period!(),
    " - 56), 0) < 4
       GROUP BY l.key, day) r
     GROUP BY r.rule HAVING observed >= allowed
     UNION ALL
     SELECT l.value ->> 'rule', m.key, 1, ?6, count(*), l.value ->> 'most', min(m.expires_at), ?2, ?2, 0, ?4
     FROM judged r CROSS JOIN json_each(?3) l CROSS JOIN fraud_members m ON m.key = l.value ->> 'key'
     WHERE l.value ->> 'kind' = 'members' AND NOT r.is_known AND m.expires_at > ?2
     GROUP BY l.key HAVING count(*) >= l.value ->> 'most' AND NOT max(m.member = l.value ->> 'own')
     UNION ALL
     SELECT l.value ->> 'rule', l.value ->> 'key', 1, ?6, coalesce(c.count, 0) + ?10, l.value ->> 'most',
       coalesce(c.expires_at, ?2 + CASE l.value ->> 'rule' WHEN 'spend_hour' THEN 3600000 ELSE 86400000 END), ?2, ?2, 0, ?4
     FROM judged r CROSS JOIN json_each(?3) l LEFT JOIN counters c ON c.key = l.value ->> 'key' AND c.expires_at > ?2
     WHERE l.value ->> 'kind' = 'spend' AND coalesce(c.count, 0) + ?10 > l.value ->> 'most'
     ON CONFLICT (rule, key) DO UPDATE SET times = times + 1, enforced = excluded.enforced, observed = excluded.observed,
       allowed = excluded.allowed, until = excluded.until, last_at = excluded.last_at, stamp = excluded.stamp,
       told_at = CASE WHEN enforced = excluded.enforced THEN told_at ELSE 0 END"
);

/// Tells of what was refused on the stamp `?4`, where ten minutes have passed since that was told last: whoever is refused
/// fills no table. `?3` rules: each event's id ends with its rule's place.
pub const TELL: &str = concat!(
    event!(
        "l.key",
        "CASE WHEN l.value ->> 'kind' IN ('budget', 'spend') THEN 'fraud.budget_exhausted' ELSE 'fraud.blocked' END",
        "NULL",
        "f.enforced",
        "f.rule",
        concat!(
            "'rule', f.rule, 'key', f.key, 'observed', f.observed, 'allowed', f.allowed, 'times', f.times, 'until', ",
            rfc3339!("f.until")
        )
    ),
    "FROM json_each(?3) l CROSS JOIN fraud_refusals f ON f.stamp = ?4 AND f.rule = l.value ->> 'rule'
     WHERE f.told_at <= ?2 - 600000"
);

/// It was told. `?1` stamp, `?2` now.
pub const TOLD: &str = "UPDATE fraud_refusals SET told_at = ?2 WHERE stamp = ?1 AND told_at <= ?2 - 600000";

/// Counts a code that goes out, to a number that is not known: its trigger does. What was refused, or would have been, is not
/// counted. `?1` message, `?2` now, `?3` 1, or 2 behind a veil, `?4` stamp, `?5` subjects, `?6` number, `?7` its MAC.
pub const COUNT: &str = concat!(
    "UPDATE messages SET guarded = ?3
     WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM fraud_refusals WHERE stamp = ?4) AND NOT ",
    is_known!("?5", "?6", "?7")
);

/// Remembers who was seen with whom by a message that goes out, for a day: but by no rule that has refused it, or would
/// have, so that a key never has more members than its rule allows. `?1` message, `?2` now, `?3` rules, `?4` stamp,
/// `?5` subjects, `?6` number, `?7` its MAC.
pub const REMEMBER: &str = concat!(
    "INSERT INTO fraud_members (key, member, expires_at)
     SELECT l.value ->> 'key', l.value ->> 'own', ?2 + 86400000
     FROM json_each(?3) l
     WHERE l.value ->> 'kind' = 'members'
       AND EXISTS (SELECT 1 FROM messages WHERE id = ?1 AND reason IS NOT 'fraud_guard')
       AND NOT EXISTS (SELECT 1 FROM fraud_refusals WHERE stamp = ?4 AND rule = l.value ->> 'rule')
       AND NOT ",
    is_known!("?5", "?6", "?7"),
    " ON CONFLICT (key, member) DO UPDATE SET expires_at = excluded.expires_at"
);

/// Until when what was refused on the stamp `?1` has to wait; NULL: nothing was.
pub const VERDICT: &str = "SELECT max(until) AS until FROM fraud_refusals WHERE stamp = ?1 AND enforced";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[TRIP, TRIPPED, USE_UP, REFUSE, TELL, TOLD, COUNT, REMEMBER, VERDICT];
