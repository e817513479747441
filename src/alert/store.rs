//! SQL of alerts: what was counted of what may be wrong, and the statements that keep, tell and end alerts. There are few
//! alerts: what looks at all of them goes along the primary key.

/// Far fewer codes back, or messages reported delivered, than in the week before. The last two hours, by the hour of sending,
/// without the messages of the last ten minutes, whose code or report may still come: their counts are taken off again.
/// Only what has enough in the window, and a share that may be a drop from anything, is held against its week, so that most
/// runs read two hours; and only what was ever reported delivered is asked for reports. `?1` the window's first hour, `?2` the
/// smallest id of ten minutes ago, `?3` the conditions with their `minimum` and what is `left` of 100 per cent.
pub(super) const DROPS: &str = "WITH w (channel, country, driver, codes, verified, sent, delivered) AS (
    SELECT channel, country, driver, codes, verified, sent, delivered FROM message_hours WHERE hour >= ?1
    UNION ALL
    SELECT m.channel, coalesce(m.country, ''), coalesce(t.driver, m.driver), -(m.challenge_id IS NOT NULL),
      -(c.verified_at IS NOT NULL AND c.message_id = m.id AND coalesce(t.driver, m.driver) = m.driver), -1,
      -(t.reported IS 'delivered')
    FROM messages m LEFT JOIN message_tries t ON t.message_id = m.id LEFT JOIN challenges c ON c.id = m.challenge_id
    WHERE m.id >= ?2 AND CASE WHEN t.id IS NULL THEN m.status = 'handed_over' OR m.reason IS 'null_driver'
      ELSE t.outcome IN ('accepted', 'unknown') OR t.reported IN ('delivered', 'failed') END)
  SELECT r.condition, r.channel || CASE r.country WHEN '' THEN '' ELSE ':' || r.country END
      || CASE r.driver WHEN '' THEN '' ELSE ':' || r.driver END AS subject, r.total, r.good,
    sum(CASE r.condition WHEN 'conversion_drop' THEN b.codes ELSE b.sent END) AS total_before,
    sum(CASE r.condition WHEN 'conversion_drop' THEN b.verified ELSE b.delivered END) AS good_before
  FROM (
    SELECT k.value ->> 'condition' AS condition, r.channel, r.country,
      CASE k.value ->> 'condition' WHEN 'conversion_drop' THEN '' ELSE r.driver END AS driver,
      sum(CASE k.value ->> 'condition' WHEN 'conversion_drop' THEN r.codes ELSE r.sent END) AS total,
      sum(CASE k.value ->> 'condition' WHEN 'conversion_drop' THEN r.verified ELSE r.delivered END) AS good
    FROM json_each(?3) k CROSS JOIN w r GROUP BY 1, 2, 3, 4
    HAVING total >= k.value ->> 'minimum' AND good * 100 < total * (k.value ->> 'left')) r
  CROSS JOIN json_each('[0,1,2,3,4,5,6]') d
  CROSS JOIN json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24]') h
  CROSS JOIN message_hours b ON b.hour = ?1 - d.value * 24 - h.value AND b.channel = r.channel AND b.country = r.country
    AND (r.driver = '' OR b.driver = r.driver)
  WHERE r.condition = 'conversion_drop' OR EXISTS (
    SELECT 1 FROM message_hours e
    WHERE e.hour = 0 AND e.channel = r.channel AND e.country = r.country AND e.driver = r.driver AND e.delivered > 0)
  GROUP BY 1, 2 LIMIT 50";

/// How drivers have done in the last ten minutes. What a carrier says of the person is no fault of its own. `others` is what
/// the channel's other drivers took. `?1` the smallest id of ten minutes ago.
pub(super) const DRIVERS: &str = "SELECT 'driver_down' AS condition, r.channel || ':' || r.driver AS subject, r.total, r.good,
    sum(r.good) OVER (PARTITION BY r.channel) - r.good AS others,
    EXISTS (SELECT 1 FROM alerts a WHERE a.condition = 'driver_down' AND a.subject = r.channel || ':' || r.driver) AS is_told
  FROM (
    SELECT m.channel, t.driver, count(*) AS total,
      sum(t.outcome IN ('accepted', 'recipient_refused', 'fraud_blocked')) AS good
    FROM message_tries t CROSS JOIN messages m ON m.id = t.message_id
    WHERE t.id >= ?1 AND t.outcome IS NOT NULL GROUP BY 1, 2) r";

/// What messages have cost, and whether the guard refuses more; and how many answers were wrong in an hour, as far as that has
/// to be counted. `?1` now, `?2` the smallest id of an hour ago, `?3` as far as that.
pub(super) const COUNTS: &str = "SELECT 'spend' AS condition, substr(c.key, 7) AS subject, c.count AS total,
    EXISTS (SELECT 1 FROM fraud_refusals f WHERE f.rule = c.key AND f.enforced = 1 AND f.until > ?1) AS is_refusing
  FROM counters c WHERE c.key IN ('spend_hour', 'spend_day') AND c.expires_at > ?1
  UNION ALL
  SELECT 'sign_in_failures', '', count(*), 0 FROM (
    SELECT 1 FROM audit_events WHERE type = 'challenge.answered_wrongly' AND id >= ?2 LIMIT ?3) r";

/// Keeps what holds. What is new, and what has held for one more `?4` milliseconds, takes the stamp. `?1` what holds, `?2`
/// now, `?3` stamp.
pub(super) const KEEP: &str =
    "INSERT INTO alerts (condition, subject, observed, threshold, since, checked_at, stamp)
  SELECT l.value ->> 'condition', l.value ->> 'subject', l.value ->> 'observed', l.value ->> 'threshold', ?2, ?2, ?3
  FROM json_each(?1) l WHERE true
  ON CONFLICT (condition, subject) DO UPDATE SET observed = excluded.observed, threshold = excluded.threshold,
    checked_at = excluded.checked_at,
    stamp = CASE WHEN CAST((?2 - since) / ?4 AS INTEGER) > CAST((checked_at - since) / ?4 AS INTEGER) THEN ?3 ELSE stamp END";

/// Writes the events of what holds and took the stamp, and of what has not held since `?3`. Amounts are decimal numbers, as in
/// the settings. `?1` how an id of now begins, `?2` request, `?4` stamp, `?5` now.
pub(super) const EVENTS: &str =
    "INSERT INTO audit_events (id, type, actor, outcome, reason, request_id, data, created_at)
  SELECT ?1 || hex(randomblob(8)), CASE WHEN checked_at > ?3 THEN 'alert.firing' ELSE 'alert.resolved' END, 'alerts',
    'success', condition, ?2, json_object('condition', condition, 'subject', subject,
      'observed', CASE condition WHEN 'spend' THEN rtrim(rtrim(printf('%.6f', observed / 1e6), '0'), '.') ELSE observed END,
      'threshold', CASE condition WHEN 'spend' THEN rtrim(rtrim(printf('%.6f', threshold / 1e6), '0'), '.') ELSE threshold END,
      'since', strftime('%Y-%m-%dT%H:%M:%fZ', since / 1000.0, 'unixepoch')), ?5
  FROM alerts WHERE condition > '' AND (stamp = ?4 OR checked_at <= ?3)";

/// Takes on what people are to be told by e-mail: what holds, and was not told in the last `?4` milliseconds, or was told in
/// vain. In a quiet time (`?5`) only what is urgent. `?1` what holds, `?2` now, `?3` stamp.
pub(super) const TELL: &str = "UPDATE alerts SET told_at = ?2, stamp = ?3
  WHERE condition > '' AND checked_at = ?2 AND (told_at IS NULL OR told_at <= ?2 - ?4)
    AND (NOT ?5 OR EXISTS (
      SELECT 1 FROM json_each(?1) l
      WHERE l.value ->> 'condition' = condition AND l.value ->> 'subject' = subject AND l.value ->> 'urgent'))
  RETURNING condition, subject, observed, threshold, since";

/// Writes their e-mails down, one for each address, where there is something to tell: what was just taken on, or, where the
/// time is not a quiet one (`?5`), that something is over which was told. `?1` the e-mails, `?2` now, `?3` stamp, `?4` since
/// when that has not held.
pub(super) const MAILS: &str = "INSERT INTO messages (id, channel, template, locale, destination, redirected_to, cost_class,
    status, reason, driver, created_at, updated_at)
  SELECT l.value ->> 'id', 'email', 'alert', 'en', l.value ->> 'to', l.value ->> 'instead', 'none', l.value ->> 'status',
    l.value ->> 'reason', l.value ->> 'driver', ?2, ?2
  FROM json_each(?1) l
  WHERE EXISTS (SELECT 1 FROM alerts WHERE condition > '' AND (
    (stamp = ?3 AND told_at = ?2) OR (NOT ?5 AND checked_at <= ?4 AND told_at IS NOT NULL)))";

/// Writes their tries down. `?1` the e-mails, `?2` now.
pub(super) const MAIL_TRIES: &str = "INSERT INTO message_tries (id, message_id, driver, created_at)
  SELECT l.value ->> 'try', m.id, m.driver, ?2
  FROM json_each(?1) l CROSS JOIN messages m ON m.id = l.value ->> 'id' WHERE m.status = 'queued'";

/// Writes their events. `?1` the e-mails, `?2` how an id of now begins, `?3` request, `?4` now.
pub(super) const MAIL_EVENTS: &str =
    "INSERT INTO audit_events (id, type, actor, subject_id, outcome, reason, request_id, data, created_at)
  SELECT ?2 || hex(randomblob(8)), 'email.' || m.status, 'alerts', m.id, 'success', m.reason, ?3,
    json_object('driver', m.driver, 'template', m.template), ?4
  FROM json_each(?1) l CROSS JOIN messages m ON m.id = l.value ->> 'id'";

/// Ends what has not held since `?1`.
pub(super) const END: &str = "DELETE FROM alerts WHERE condition > '' AND checked_at <= ?1
  RETURNING condition, subject, since, told_at";

/// Nobody took an e-mail: the next run tells it. `?1` now, `?2` stamp.
pub(super) const TOLD_IN_VAIN: &str =
    "UPDATE alerts SET told_at = NULL WHERE condition > '' AND stamp = ?2 AND told_at = ?1";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] =
    &[DROPS, DRIVERS, COUNTS, KEEP, EVENTS, TELL, MAILS, MAIL_TRIES, MAIL_EVENTS, END, TOLD_IN_VAIN];
