-- The fraud guard, and the numbers that explain delivery. Triggers count, so that no path can forget to, and counting costs
-- no round trip.

-- Whether the person who asked is where the number is, as far as that is known.
ALTER TABLE messages ADD COLUMN origin TEXT NOT NULL DEFAULT 'unknown' CHECK (origin IN ('home', 'away', 'unknown'));
-- Whose network they asked from; NULL: not known.
ALTER TABLE messages ADD COLUMN asn INTEGER;
-- Whether the guard counts it: codes by live keys to real numbers that are not known. 2: asked for before a first factor was
-- proven, which counts under keys of its own, so that nobody learns from the others who is known (law 8). What it would have refused, in `record_only`, is not
-- counted, as it would not have been: else an attack uses up what people have.
ALTER TABLE messages ADD COLUMN guarded INTEGER NOT NULL DEFAULT 0 CHECK (guarded IN (0, 1, 2));
-- What one try costs, in millionths of the currency that `fraud.spend.prices` are in; 0: no price is known.
ALTER TABLE messages ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;

-- What the guard has seen: messages, and those whose code came back, by six hours. The keys are
-- 'prefix:+4479460', 'country:sms:GB:home', 'app:app_…:home', 'asn:64500:away', 'new_countries:sms', and behind the veil the
-- same with ':veiled' behind them; 'country:sms:GB:known' has codes that came back from numbers that are known.
CREATE TABLE fraud_counts (
  key TEXT NOT NULL,
  -- Milliseconds since 1970, divided by those of six hours.
  period INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  verified INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (key, period)
) STRICT, WITHOUT ROWID;
-- Housekeeping.
CREATE INDEX fraud_counts_by_period ON fraud_counts (period);

-- Who was seen with whom: 'phones_per_user:usr_…' has the MACs of numbers, 'phones_per_address:' and a network's MAC too,
-- 'users_per_phone:' and a number's MAC has users; 'verified' has the MACs of numbers that were proven without a user.
CREATE TABLE fraud_members (
  key TEXT NOT NULL,
  member TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (key, member)
) STRICT, WITHOUT ROWID;
-- Housekeeping.
CREATE INDEX fraud_members_by_expiry ON fraud_members (expires_at);

-- The block list and the safe list; each entry ends.
CREATE TABLE fraud_entries (
  id TEXT PRIMARY KEY,
  list TEXT NOT NULL CHECK (list IN ('block', 'safe')),
  -- 'prefix:+4479460', 'number:' and its MAC, 'asn:64500', 'network:' and its MAC.
  subject TEXT NOT NULL,
  -- The same for people: a number is masked.
  shown TEXT NOT NULL,
  -- How often the guard has blocked it in a row; 0: a person did.
  level INTEGER NOT NULL,
  -- Whether the guard only reports: `record_only` when it was made.
  enforced INTEGER NOT NULL CHECK (enforced IN (0, 1)),
  reason TEXT,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  stamp TEXT NOT NULL
) STRICT;
-- One entry per list and subject; the guard looks a number's prefixes up.
CREATE UNIQUE INDEX fraud_entries_by_subject ON fraud_entries (list, subject);
-- One list's, newest first.
CREATE INDEX fraud_entries_by_list ON fraud_entries (list, id);
-- Housekeeping.
CREATE INDEX fraud_entries_by_expiry ON fraud_entries (expires_at);

-- What the guard refused, or would have: one row per rule and key, however often. Who is refused fills no table.
CREATE TABLE fraud_refusals (
  rule TEXT NOT NULL,
  key TEXT NOT NULL,
  times INTEGER NOT NULL,
  enforced INTEGER NOT NULL CHECK (enforced IN (0, 1)),
  observed INTEGER NOT NULL,
  allowed INTEGER NOT NULL,
  -- When there is room again.
  until INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  -- When its newest event was written.
  told_at INTEGER NOT NULL,
  -- Whoever was refused last: the later statements of a batch act on it.
  stamp TEXT NOT NULL,
  PRIMARY KEY (rule, key)
) STRICT, WITHOUT ROWID;
-- Was this batch refused?
CREATE INDEX fraud_refusals_by_stamp ON fraud_refusals (stamp);
-- Housekeeping.
CREATE INDEX fraud_refusals_by_age ON fraud_refusals (last_at);

-- Who is deleted is not named any more: the numbers' keys are those that the user was seen with.
CREATE TRIGGER fraud_of_deleted_user AFTER DELETE ON users BEGIN
  DELETE FROM fraud_members WHERE (key, member) IN
    (SELECT 'users_per_phone:' || member, OLD.id FROM fraud_members WHERE key = 'phones_per_user:' || OLD.id);
  DELETE FROM fraud_members WHERE key = 'phones_per_user:' || OLD.id;
  DELETE FROM fraud_refusals WHERE rule = 'phones_per_user' AND key = 'phones_per_user:' || OLD.id;
END;

-- Counts what goes out. A country is new until four codes came back from there in 14 days (56 periods): whoever pumps
-- sends one back. Of a prefix numbers are counted, each once in six hours: one impatient person closes it for nobody.
CREATE TRIGGER fraud_counts_of_message AFTER UPDATE OF guarded ON messages
WHEN NEW.guarded > 0 AND OLD.guarded = 0 AND NEW.destination IS NOT NULL
  AND (NEW.status <> 'dropped' OR NEW.reason = 'null_driver') BEGIN
  INSERT INTO fraud_counts (key, period, sent)
    SELECT k.value, NEW.created_at / 21600000, 1
    FROM (SELECT CASE NEW.guarded WHEN 2 THEN ':veiled' ELSE '' END AS veiled) v CROSS JOIN json_each(json_array(
      CASE WHEN (
        SELECT o.created_at / 21600000 FROM messages o
        WHERE o.destination = NEW.destination AND o.id < NEW.id AND o.guarded > 0 ORDER BY o.id DESC LIMIT 1)
        IS NOT NEW.created_at / 21600000 THEN 'prefix:' || substr(NEW.destination, 1, length(NEW.destination) - 4) || v.veiled END,
      'country:' || NEW.channel || ':' || NEW.country || ':' || NEW.origin || v.veiled,
      'app:' || NEW.app_id || ':' || NEW.origin || v.veiled,
      'asn:' || NEW.asn || ':' || NEW.origin || v.veiled,
      CASE WHEN (
        SELECT coalesce(sum(f.verified), 0) FROM json_each('["home", "away", "unknown", "home:veiled", "away:veiled", "unknown:veiled", "known"]') o CROSS JOIN fraud_counts f
          ON f.key = 'country:' || NEW.channel || ':' || NEW.country || ':' || o.value
        WHERE f.period > NEW.created_at / 21600000 - 56) < 4 THEN 'new_countries:' || NEW.channel || v.veiled END)) k
    WHERE k.value IS NOT NULL
    ON CONFLICT (key, period) DO UPDATE SET sent = sent + 1;
END;

-- What certainly did not go out is no message whose code did not come back: a carrier that is down uses up no budget and
-- blocks no prefix. What a fallback tries again had gone out before, and so had what a carrier has reported of.
CREATE TRIGGER fraud_counts_of_failed AFTER UPDATE OF status ON messages
WHEN NEW.guarded > 0 AND NEW.destination IS NOT NULL AND NEW.fallback_at IS NULL
  AND ((OLD.status = 'queued' AND NEW.status = 'failed') OR (OLD.status = 'failed' AND NEW.status = 'queued'))
  AND NOT EXISTS (SELECT 1 FROM message_tries t
    WHERE t.message_id = NEW.id AND (t.outcome IN ('accepted', 'unknown') OR t.reported IS NOT NULL)) BEGIN
  UPDATE fraud_counts SET sent = max(0, sent + CASE WHEN NEW.status = 'failed' THEN -1 ELSE 1 END)
    WHERE period = NEW.created_at / 21600000 AND key IN (
      SELECT k.value FROM (SELECT CASE NEW.guarded WHEN 2 THEN ':veiled' ELSE '' END AS veiled) v CROSS JOIN json_each(json_array(
      CASE WHEN (
        SELECT o.created_at / 21600000 FROM messages o
        WHERE o.destination = NEW.destination AND o.id < NEW.id AND o.guarded > 0 ORDER BY o.id DESC LIMIT 1)
        IS NOT NEW.created_at / 21600000 THEN 'prefix:' || substr(NEW.destination, 1, length(NEW.destination) - 4) || v.veiled END,
      'country:' || NEW.channel || ':' || NEW.country || ':' || NEW.origin || v.veiled,
      'app:' || NEW.app_id || ':' || NEW.origin || v.veiled,
      'asn:' || NEW.asn || ':' || NEW.origin || v.veiled,
      CASE WHEN (
        SELECT coalesce(sum(f.verified), 0) FROM json_each('["home", "away", "unknown", "home:veiled", "away:veiled", "unknown:veiled", "known"]') o CROSS JOIN fraud_counts f
          ON f.key = 'country:' || NEW.channel || ':' || NEW.country || ':' || o.value
        WHERE f.period > NEW.created_at / 21600000 - 56) < 4 THEN 'new_countries:' || NEW.channel || v.veiled END)) k
      WHERE k.value IS NOT NULL);
END;

-- Counts a code that came back, once per challenge. Its other messages were no strangers': they are not counted any more.
CREATE TRIGGER fraud_counts_of_verified AFTER UPDATE OF verified_at ON challenges
WHEN NEW.verified_at IS NOT NULL AND OLD.verified_at IS NULL AND NEW.type = 'phone' AND NEW.is_test = 0 BEGIN
  UPDATE fraud_counts SET verified = verified + r.own, sent = max(0, sent - r.others)
    FROM (
      SELECT k.value AS key, v.period, sum(v.is_newest) AS own, sum(NOT v.is_newest AND k.key > 0) AS others
      FROM (
          SELECT m.*, m.created_at / 21600000 AS period, m.id = max(m.id) OVER () AS is_newest, CASE m.guarded WHEN 2 THEN ':veiled' ELSE '' END AS veiled
          FROM messages m
          WHERE m.challenge_id = NEW.id AND m.guarded > 0 AND (m.status <> 'dropped' OR m.reason = 'null_driver')) v
        CROSS JOIN json_each(json_array(
      'prefix:' || substr(v.destination, 1, length(v.destination) - 4) || v.veiled,
      'country:' || v.channel || ':' || v.country || ':' || v.origin || v.veiled,
      'app:' || v.app_id || ':' || v.origin || v.veiled,
      'asn:' || v.asn || ':' || v.origin || v.veiled,
      CASE WHEN (
        SELECT coalesce(sum(f.verified), 0) FROM json_each('["home", "away", "unknown", "home:veiled", "away:veiled", "unknown:veiled", "known"]') o CROSS JOIN fraud_counts f
          ON f.key = 'country:' || v.channel || ':' || v.country || ':' || o.value
        WHERE f.period > NEW.verified_at / 21600000 - 56) < 4 THEN 'new_countries:' || v.channel || v.veiled END)) k
      WHERE k.value IS NOT NULL GROUP BY 1, 2) r
    WHERE fraud_counts.key = r.key AND fraud_counts.period = r.period;
  -- A number that is known says once a day that people are in its country; it takes no budget, and makes none.
  INSERT INTO fraud_counts (key, period, sent, verified)
    SELECT 'country:' || m.channel || ':' || m.country || ':known', m.created_at / 21600000, 0, 1
    FROM messages m
    WHERE m.id = NEW.message_id AND m.guarded = 0 AND (m.status <> 'dropped' OR m.reason = 'null_driver')
      AND NOT EXISTS (
        SELECT 1 FROM (
          SELECT o.challenge_id FROM messages o WHERE o.destination = NEW.destination ORDER BY o.id DESC LIMIT 40) r
        CROSS JOIN challenges c ON c.id = r.challenge_id
        WHERE c.id <> NEW.id AND c.verified_at > NEW.verified_at - 86400000)
    ON CONFLICT (key, period) DO UPDATE SET verified = verified + 1;
  -- A number that nobody's factor has, and that was proven: for 90 days it is known.
  INSERT INTO fraud_members (key, member, expires_at)
    SELECT 'verified', CASE WHEN NEW.subject LIKE 'destination:veiled:%' THEN substr(NEW.subject, 20, 43)
      ELSE substr(NEW.subject, 13) END, NEW.verified_at + 7776000000
    WHERE NEW.subject LIKE 'destination:%'
    ON CONFLICT (key, member) DO UPDATE SET expires_at = excluded.expires_at;
END;

-- What messages have cost in this hour and day, counted before the carrier is asked.
CREATE TRIGGER spend_of_message AFTER INSERT ON messages
WHEN NEW.cost > 0 AND (NEW.status <> 'dropped' OR NEW.reason = 'null_driver') BEGIN
  INSERT INTO counters (key, count, expires_at)
    VALUES ('spend_hour', NEW.cost, NEW.created_at + 3600000), ('spend_day', NEW.cost, NEW.created_at + 86400000)
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN expires_at <= NEW.created_at THEN excluded.count ELSE count + excluded.count END,
      expires_at = CASE WHEN expires_at <= NEW.created_at THEN excluded.expires_at ELSE expires_at END;
END;
-- One more try for money: a message that goes out once more.
CREATE TRIGGER spend_of_fallback AFTER UPDATE OF fallback_at ON messages
WHEN NEW.cost > 0 AND NEW.fallback_at IS NOT NULL AND OLD.fallback_at IS NULL BEGIN
  INSERT INTO counters (key, count, expires_at)
    VALUES ('spend_hour', NEW.cost, NEW.fallback_at + 3600000), ('spend_day', NEW.cost, NEW.fallback_at + 86400000)
    ON CONFLICT (key) DO UPDATE SET
      count = CASE WHEN expires_at <= NEW.fallback_at THEN excluded.count ELSE count + excluded.count END,
      expires_at = CASE WHEN expires_at <= NEW.fallback_at THEN excluded.expires_at ELSE expires_at END;
END;
-- What no carrier took cost nothing; what is tried by the next one may. A fallback counts by itself.
CREATE TRIGGER spend_given_back AFTER UPDATE OF status ON messages
WHEN NEW.cost > 0 AND ((OLD.status = 'queued' AND NEW.status = 'failed')
  OR (OLD.status = 'failed' AND NEW.status = 'queued' AND NEW.fallback_at IS OLD.fallback_at))
  AND NOT EXISTS (SELECT 1 FROM message_tries t
    WHERE t.message_id = NEW.id AND (t.outcome IN ('accepted', 'unknown') OR t.reported IS NOT NULL)) BEGIN
  UPDATE counters SET count = max(0, count + CASE WHEN NEW.status = 'failed' THEN -NEW.cost ELSE NEW.cost END)
    WHERE key IN ('spend_hour', 'spend_day') AND expires_at > NEW.updated_at
      AND expires_at - CASE key WHEN 'spend_hour' THEN 3600000 ELSE 86400000 END <= NEW.created_at;
END;

-- What became of messages, by hour; hour 0 holds what was ever counted. Empty texts: none. Tries are counted, since each is
-- paid for: a message that goes by two carriers is one that failed and one that was sent.
CREATE TABLE message_hours (
  -- Hours since 1970 when it was sent, whatever it comes to later.
  hour INTEGER NOT NULL,
  channel TEXT NOT NULL,
  country TEXT NOT NULL,
  -- 'handed_over': whoever hears the event delivers it.
  driver TEXT NOT NULL,
  template TEXT NOT NULL,
  app_id TEXT NOT NULL,
  -- A carrier took it, or may have.
  sent INTEGER NOT NULL DEFAULT 0,
  -- Those of them that brought a code.
  codes INTEGER NOT NULL DEFAULT 0,
  -- Reported delivered.
  delivered INTEGER NOT NULL DEFAULT 0,
  -- No carrier took it, or one reported that it did not arrive.
  failed INTEGER NOT NULL DEFAULT 0,
  -- Those of them that no carrier took: they are not among the sent.
  refused INTEGER NOT NULL DEFAULT 0,
  -- Its code came back.
  verified INTEGER NOT NULL DEFAULT 0,
  -- In millionths of the currency.
  cost INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (hour, channel, country, driver, template, app_id)
) STRICT, WITHOUT ROWID;

-- The classes of time: what took longer than the class before, and at most `upto` milliseconds. The last one is open.
CREATE TABLE message_time_classes (
  upto INTEGER PRIMARY KEY,
  -- The upper bound of the class before.
  above INTEGER NOT NULL,
  -- How wide it is; 0: it is open.
  width INTEGER NOT NULL
) STRICT;
INSERT INTO message_time_classes (upto, above, width)
  SELECT value, lag(value, 1, 0) OVER (ORDER BY value), CASE key WHEN 19 THEN 0 ELSE value - lag(value, 1, 0) OVER (ORDER BY value) END
  FROM json_each('[500, 1000, 2000, 3000, 5000, 8000, 12000, 20000, 30000, 45000, 60000, 90000, 120000, 180000, 300000,
    600000, 1800000, 3600000, 86400000, 9000000000000]');

-- How long it took: counts per class of time.
CREATE TABLE message_times (
  hour INTEGER NOT NULL,
  channel TEXT NOT NULL,
  country TEXT NOT NULL,
  driver TEXT NOT NULL,
  template TEXT NOT NULL,
  app_id TEXT NOT NULL,
  -- From sending until it was reported delivered, or until its code came back.
  until TEXT NOT NULL CHECK (until IN ('delivered', 'verified')),
  -- The class.
  upto INTEGER NOT NULL,
  count INTEGER NOT NULL,
  -- How long all of them took together, in milliseconds.
  millis INTEGER NOT NULL,
  PRIMARY KEY (hour, channel, country, driver, template, app_id, until, upto)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER message_hours_of_message AFTER INSERT ON messages
WHEN NEW.status = 'handed_over' OR (NEW.status = 'dropped' AND NEW.reason = 'null_driver') BEGIN
  INSERT INTO message_hours (hour, channel, country, driver, template, app_id, sent, codes, cost)
    SELECT h.value, NEW.channel, coalesce(NEW.country, ''), CASE NEW.status WHEN 'handed_over' THEN NEW.status ELSE NEW.driver END,
      NEW.template, coalesce(NEW.app_id, ''), 1, NEW.challenge_id IS NOT NULL, NEW.cost
    FROM json_each(json_array(0, NEW.created_at / 3600000)) h WHERE true
    ON CONFLICT (hour, channel, country, driver, template, app_id) DO UPDATE SET
      sent = sent + 1, codes = codes + excluded.codes, cost = cost + excluded.cost;
END;

-- A carrier that has reported of it has taken it, whatever it answered.
CREATE TRIGGER message_hours_of_outcome AFTER UPDATE OF outcome ON message_tries
WHEN NEW.outcome IS NOT NULL AND OLD.outcome IS NULL BEGIN
  INSERT INTO message_hours (hour, channel, country, driver, template, app_id, sent, codes, failed, refused, cost)
    SELECT h.value, m.channel, coalesce(m.country, ''), NEW.driver, m.template, coalesce(m.app_id, ''),
      o.taken, o.taken AND m.challenge_id IS NOT NULL, NOT o.taken, NOT o.taken, o.taken * m.cost
    FROM (SELECT NEW.outcome IN ('accepted', 'unknown') OR NEW.reported IS NOT NULL AS taken) o
      CROSS JOIN messages m CROSS JOIN json_each(json_array(0, NEW.created_at / 3600000)) h
    WHERE m.id = NEW.message_id
    ON CONFLICT (hour, channel, country, driver, template, app_id) DO UPDATE SET
      sent = sent + excluded.sent, codes = codes + excluded.codes, failed = failed + excluded.failed,
      refused = refused + excluded.refused, cost = cost + excluded.cost;
END;

-- What was counted as refused and has arrived all the same was sent.
CREATE TRIGGER message_hours_of_report AFTER UPDATE OF reported ON message_tries
WHEN NEW.reported IN ('delivered', 'failed') AND OLD.reported IS NOT NEW.reported BEGIN
  INSERT INTO message_hours (hour, channel, country, driver, template, app_id, sent, codes, delivered, failed, refused, cost)
    SELECT h.value, m.channel, coalesce(m.country, ''), NEW.driver, m.template, coalesce(m.app_id, ''),
      o.was_refused, o.was_refused AND m.challenge_id IS NOT NULL, NEW.reported = 'delivered',
      (NEW.reported = 'failed') - o.was_refused, -o.was_refused, o.was_refused * m.cost
    FROM (SELECT OLD.reported IS NULL AND coalesce(NEW.outcome, 'unknown') NOT IN ('accepted', 'unknown') AS was_refused) o
      CROSS JOIN messages m CROSS JOIN json_each(json_array(0, NEW.created_at / 3600000)) h
    WHERE m.id = NEW.message_id
    ON CONFLICT (hour, channel, country, driver, template, app_id) DO UPDATE SET
      sent = sent + excluded.sent, codes = codes + excluded.codes, delivered = delivered + excluded.delivered,
      failed = failed + excluded.failed, refused = refused + excluded.refused, cost = cost + excluded.cost;
  INSERT INTO message_times (hour, channel, country, driver, template, app_id, until, upto, count, millis)
    SELECT h.value, m.channel, coalesce(m.country, ''), NEW.driver, m.template, coalesce(m.app_id, ''), 'delivered',
      (SELECT min(c.upto) FROM message_time_classes c WHERE c.upto >= o.took), 1, o.took
    FROM (SELECT max(0, coalesce(NEW.reported_at - NEW.created_at, 0)) AS took) o
      CROSS JOIN messages m CROSS JOIN json_each(json_array(0, NEW.created_at / 3600000)) h
    WHERE m.id = NEW.message_id AND NEW.reported = 'delivered'
    ON CONFLICT (hour, channel, country, driver, template, app_id, until, upto) DO UPDATE SET
      count = count + 1, millis = millis + excluded.millis;
END;

-- A code came back: by the try that is reported delivered, else by the newest that may have arrived. It counts in that try's
-- hour, so that nothing is verified where nothing was sent.
CREATE TRIGGER message_hours_of_verified AFTER UPDATE OF verified_at ON challenges
WHEN NEW.verified_at IS NOT NULL AND OLD.verified_at IS NULL AND NEW.message_id IS NOT NULL AND NEW.is_test = 0 BEGIN
  INSERT INTO message_hours (hour, channel, country, driver, template, app_id, verified)
    SELECT h.value, m.channel, coalesce(m.country, ''),
      coalesce(t.driver, CASE m.status WHEN 'handed_over' THEN m.status ELSE m.driver END), m.template, coalesce(m.app_id, ''), 1
    FROM messages m LEFT JOIN message_tries t ON t.id = (
        SELECT x.id FROM message_tries x
        WHERE x.message_id = NEW.message_id
          AND (coalesce(x.outcome, 'unknown') IN ('accepted', 'unknown') OR x.reported IS NOT NULL)
        ORDER BY x.reported IS 'delivered' DESC, x.rowid DESC LIMIT 1)
      CROSS JOIN json_each(json_array(0, coalesce(t.created_at, m.created_at) / 3600000)) h
    WHERE m.id = NEW.message_id AND (m.status <> 'dropped' OR m.reason = 'null_driver')
    ON CONFLICT (hour, channel, country, driver, template, app_id) DO UPDATE SET verified = verified + 1;
  INSERT INTO message_times (hour, channel, country, driver, template, app_id, until, upto, count, millis)
    SELECT h.value, r.channel, r.country, r.driver, r.template, r.app_id, 'verified',
      (SELECT min(c.upto) FROM message_time_classes c WHERE c.upto >= r.took), 1, r.took
    FROM (
      SELECT m.channel, coalesce(m.country, '') AS country,
        coalesce(t.driver, CASE m.status WHEN 'handed_over' THEN m.status ELSE m.driver END) AS driver, m.template,
        coalesce(m.app_id, '') AS app_id, coalesce(t.created_at, m.created_at) AS sent_at,
        max(0, NEW.verified_at - coalesce(t.created_at, m.created_at)) AS took
      FROM messages m LEFT JOIN message_tries t ON t.id = (
          SELECT x.id FROM message_tries x
          WHERE x.message_id = NEW.message_id
            AND (coalesce(x.outcome, 'unknown') IN ('accepted', 'unknown') OR x.reported IS NOT NULL)
          ORDER BY x.reported IS 'delivered' DESC, x.rowid DESC LIMIT 1)
      WHERE m.id = NEW.message_id AND (m.status <> 'dropped' OR m.reason = 'null_driver')) r
      CROSS JOIN json_each(json_array(0, r.sent_at / 3600000)) h
    WHERE true
    ON CONFLICT (hour, channel, country, driver, template, app_id, until, upto) DO UPDATE SET
      count = count + 1, millis = millis + excluded.millis;
END;

-- Alerts: each condition with what it is about, while it holds, and since it was told.
CREATE TABLE alerts (
  -- The condition: 'conversion_drop', 'delivery_drop', 'spend', 'driver_down', 'sign_in_failures'.
  condition TEXT NOT NULL,
  -- What it is about: 'sms:GB', 'twilio', '' for the whole instance.
  subject TEXT NOT NULL,
  observed INTEGER NOT NULL,
  threshold INTEGER NOT NULL,
  since INTEGER NOT NULL,
  checked_at INTEGER NOT NULL,
  -- When people were told last; NULL: not yet, the time is a quiet one.
  told_at INTEGER,
  stamp TEXT NOT NULL,
  PRIMARY KEY (condition, subject)
) STRICT, WITHOUT ROWID;

UPDATE instance SET schema = 5 WHERE id = 1;
