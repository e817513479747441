-- The foundation: instance, keys, people, factors, challenges, messages, counters, events.
-- Times are integer milliseconds. Ids are a prefix and a ULID, so they sort by time of making.
-- Migrations only add. Each index names the query it serves.

-- The instance: one row. `version` grows with every change that decides (settings, keys); batches are guarded by it.
CREATE TABLE instance (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  schema INTEGER NOT NULL,
  version INTEGER NOT NULL,
  settings TEXT NOT NULL CHECK (json_valid(settings)),
  updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO instance (id, schema, version, settings, updated_at) VALUES (1, 1, 1, '{}', 0);

-- Always empty. A batch prepared under another version inserts here, fails, and nothing of it happens (law 1).
CREATE TABLE settings_guard (
  expected INTEGER NOT NULL,
  actual INTEGER NOT NULL,
  CONSTRAINT settings_are_current CHECK (expected = actual)
) STRICT;

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  secret_hash TEXT NOT NULL UNIQUE,
  hint TEXT NOT NULL,
  scopes TEXT NOT NULL CHECK (json_valid(scopes)),
  is_test INTEGER NOT NULL CHECK (is_test IN (0, 1)),
  -- Whether it is live and may make keys: the last such key cannot be revoked.
  makes_keys INTEGER NOT NULL CHECK (makes_keys IN (0, 1)),
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  last_used_at INTEGER,
  revoked_at INTEGER,
  stamp TEXT NOT NULL
) STRICT;
-- Is there another key that may make keys?
CREATE INDEX api_keys_that_make_keys ON api_keys (makes_keys) WHERE makes_keys = 1 AND revoked_at IS NULL;

-- SHA-256 of keys that stood in the binding and were retired: none of them works again.
CREATE TABLE retired_keys (
  hash TEXT PRIMARY KEY,
  retired_at INTEGER NOT NULL,
  stamp TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE apps (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  external_id TEXT,
  email TEXT,
  email_normalised TEXT,
  name TEXT,
  locale TEXT,
  metadata TEXT NOT NULL CHECK (json_valid(metadata)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  stamp TEXT NOT NULL,
  CHECK ((email IS NULL) = (email_normalised IS NULL))
) STRICT;
-- Find by external id; one user per external id.
CREATE UNIQUE INDEX users_by_external_id ON users (external_id) WHERE external_id IS NOT NULL;
-- Find by e-mail; one user per normalised address.
CREATE UNIQUE INDEX users_by_email ON users (email_normalised) WHERE email_normalised IS NOT NULL;

CREATE TABLE factors (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  type TEXT NOT NULL CHECK (type IN ('password', 'phone', 'email', 'totp', 'passkey', 'recovery_codes')),
  name TEXT,
  phone TEXT,
  country TEXT,
  -- What allowed it: nothing is enough for the first factor only, when it is added and when it is proven.
  authority TEXT NOT NULL CHECK (authority IN ('none', 'proof', 'override')),
  created_at INTEGER NOT NULL,
  -- NULL: not proven yet (law 6).
  activated_at INTEGER,
  last_used_at INTEGER,
  stamp TEXT NOT NULL,
  CHECK ((type = 'phone') = (phone IS NOT NULL))
) STRICT;
-- A user's factors in order; the cascade from users.
CREATE INDEX factors_by_user ON factors (user_id, id);
-- One active factor per user and number.
CREATE UNIQUE INDEX factors_active_phone ON factors (user_id, phone) WHERE activated_at IS NOT NULL;
-- Find users by a proven phone number.
CREATE INDEX factors_by_phone ON factors (phone) WHERE phone IS NOT NULL AND activated_at IS NOT NULL;
-- Housekeeping of enrolments that nobody finished.
CREATE INDEX factors_pending ON factors (created_at) WHERE activated_at IS NULL;

CREATE TABLE challenges (
  id TEXT PRIMARY KEY,
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  factor_id TEXT REFERENCES factors (id) ON DELETE CASCADE,
  app_id TEXT REFERENCES apps (id),
  purpose TEXT NOT NULL CHECK (purpose IN ('verification', 'sign_in', 'step_up', 'enrolment')),
  channel TEXT NOT NULL CHECK (channel IN ('sms', 'voice', 'email')),
  destination TEXT NOT NULL,
  country TEXT NOT NULL,
  locale TEXT,
  -- Whose failures count: 'user:usr_…', or 'destination:' and the destination's MAC.
  subject TEXT NOT NULL,
  -- Made by a test key: only test keys see it.
  is_test INTEGER NOT NULL CHECK (is_test IN (0, 1)),
  digits INTEGER NOT NULL CHECK (digits BETWEEN 4 AND 10),
  -- Random, never returned: with the pepper it gives the code, alone neither does.
  seed TEXT NOT NULL,
  pepper_id TEXT NOT NULL,
  -- Which code of this challenge lives; grows with each resend.
  generation INTEGER NOT NULL,
  -- NULL: no code lives.
  code_mac TEXT,
  code_expires_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- NULL: no further code.
  resend_at INTEGER,
  sends INTEGER NOT NULL,
  wrong_answers INTEGER NOT NULL DEFAULT 0,
  wrong_answers_max INTEGER NOT NULL,
  message_id TEXT,
  verified_at INTEGER,
  -- When it was used as a proof, and for which factor or user.
  consumed_at INTEGER,
  consumed_by TEXT,
  ended_at INTEGER,
  end_reason TEXT CHECK (end_reason IN ('canceled', 'send_failed')),
  created_at INTEGER NOT NULL,
  stamp TEXT NOT NULL,
  CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
  CHECK (verified_at IS NULL OR ended_at IS NULL),
  CHECK (consumed_at IS NULL OR verified_at IS NOT NULL),
  CHECK ((consumed_at IS NULL) = (consumed_by IS NULL)),
  CHECK (wrong_answers <= wrong_answers_max)
) STRICT;
-- The cascade from users.
CREATE INDEX challenges_by_user ON challenges (user_id, id) WHERE user_id IS NOT NULL;
-- The cascade from factors.
CREATE INDEX challenges_by_factor ON challenges (factor_id) WHERE factor_id IS NOT NULL;
-- What a challenge is bound to never changes (law 4).
CREATE TRIGGER challenges_are_bound
BEFORE UPDATE OF id, user_id, factor_id, purpose, channel, destination, subject, digits, seed, pepper_id ON challenges
BEGIN
  SELECT RAISE(ABORT, 'constraint failed: challenges_are_bound');
END;

CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  challenge_id TEXT,
  generation INTEGER,
  user_id TEXT,
  app_id TEXT,
  channel TEXT NOT NULL CHECK (channel IN ('sms', 'voice', 'email')),
  template TEXT NOT NULL,
  locale TEXT NOT NULL,
  -- Whom it is meant for; NULL once the user was deleted.
  destination TEXT,
  -- Where it went instead, outside prod.
  redirected_to TEXT,
  country TEXT NOT NULL,
  cost_class TEXT NOT NULL CHECK (cost_class IN ('none', 'domestic', 'international')),
  encoding TEXT NOT NULL CHECK (encoding IN ('gsm7', 'ucs2')),
  segments INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('queued', 'sent', 'delivered', 'failed', 'unknown', 'dropped', 'handed_over')),
  reason TEXT,
  driver TEXT NOT NULL,
  provider_id TEXT,
  error_code TEXT,
  error_class TEXT,
  latency_ms INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
-- Support looks for a number; deleting a user erases it.
CREATE INDEX messages_by_destination ON messages (destination, id) WHERE destination IS NOT NULL;
-- A user's messages.
CREATE INDEX messages_by_user ON messages (user_id, id) WHERE user_id IS NOT NULL;
-- A challenge's messages.
CREATE INDEX messages_by_challenge ON messages (challenge_id, id) WHERE challenge_id IS NOT NULL;
-- Messages in one state.
CREATE INDEX messages_by_status ON messages (status, id);

CREATE TABLE message_tries (
  id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  driver TEXT NOT NULL,
  -- NULL while the carrier is asked.
  outcome TEXT CHECK (outcome IN ('accepted', 'retryable', 'recipient_refused', 'misconfigured', 'fraud_blocked', 'unknown')),
  provider_id TEXT,
  segments INTEGER,
  error_code TEXT,
  latency_ms INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
-- A message's tries in order; the cascade from messages.
CREATE INDEX message_tries_by_message ON message_tries (message_id, id);
-- Housekeeping settles tries whose outcome was never written down.
CREATE INDEX message_tries_open ON message_tries (id) WHERE outcome IS NULL;

-- Bodies for the dev inbox. Written only while development tools are on, kept 24 hours.
CREATE TABLE dev_inbox (
  message_id TEXT PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  body TEXT NOT NULL,
  code TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- Counters and limits: `key` is the limit's name, a colon, and whom it counts for.
CREATE TABLE counters (
  key TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  -- NULL: counts until something clears it.
  expires_at INTEGER
) STRICT, WITHOUT ROWID;
-- Housekeeping.
CREATE INDEX counters_by_expiry ON counters (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE idempotency_keys (
  -- A MAC of credential, operation and key.
  key TEXT PRIMARY KEY,
  -- A MAC of the body.
  fingerprint TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done')),
  stamp TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Housekeeping.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE audit_events (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  actor TEXT NOT NULL,
  user_id TEXT,
  app_id TEXT,
  -- The thing it happened to: a challenge, factor, message, key.
  subject_id TEXT,
  outcome TEXT NOT NULL CHECK (outcome IN ('success', 'refused', 'failed')),
  reason TEXT,
  client_ip TEXT,
  user_agent TEXT,
  request_id TEXT NOT NULL,
  data TEXT NOT NULL CHECK (json_valid(data)),
  created_at INTEGER NOT NULL
) STRICT;
-- Filter by user, app, type and thing; newest first.
CREATE INDEX audit_events_by_user ON audit_events (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_events_by_app ON audit_events (app_id, id) WHERE app_id IS NOT NULL;
CREATE INDEX audit_events_by_type ON audit_events (type, id);
CREATE INDEX audit_events_by_subject ON audit_events (subject_id, id) WHERE subject_id IS NOT NULL;
