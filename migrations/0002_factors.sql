-- Every factor: what each type keeps, challenges that send nothing, e-mails and calls beside SMS, devices, policy.
-- SQLite cannot loosen a column, so challenges and messages are made anew and filled from the old ones.

-- An address as given, and as it is compared.
ALTER TABLE factors ADD COLUMN email TEXT;
ALTER TABLE factors ADD COLUMN email_normalised TEXT;
-- What the factor is proven with: a sealed TOTP secret, a password's hash. Read only to prove it.
ALTER TABLE factors ADD COLUMN secret TEXT;
-- What only grows: the TOTP step accepted last, a passkey's signature counter.
ALTER TABLE factors ADD COLUMN counter INTEGER;
-- A passkey's credential id, base64url.
ALTER TABLE factors ADD COLUMN credential_id TEXT;
-- One credential id belongs to one passkey in the whole instance; an assertion finds it by that.
CREATE UNIQUE INDEX factors_by_credential ON factors (credential_id) WHERE credential_id IS NOT NULL;
-- What else its type keeps and anybody may see who may see the factor; JSON.
ALTER TABLE factors ADD COLUMN data TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(data));
-- One password and one set of recovery codes per user.
CREATE UNIQUE INDEX factors_one_of_a_kind ON factors (user_id, type)
  WHERE activated_at IS NOT NULL AND type IN ('password', 'recovery_codes');

-- Sealing anew what stands under an old key: its text begins with the key's id.
CREATE INDEX factors_sealed ON factors (secret) WHERE type = 'totp';

-- What is kept of a recovery code: its MAC. The row goes with its factor.
CREATE TABLE recovery_codes (
  factor_id TEXT NOT NULL REFERENCES factors (id) ON DELETE CASCADE,
  mac TEXT NOT NULL,
  pepper_id TEXT NOT NULL,
  used_at INTEGER,
  stamp TEXT,
  PRIMARY KEY (factor_id, mac)
) STRICT, WITHOUT ROWID;

CREATE TABLE new_challenges (
  id TEXT PRIMARY KEY,
  -- NULL: nobody's, or not known before it is answered (a passkey without an identifier).
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  factor_id TEXT REFERENCES factors (id) ON DELETE CASCADE,
  app_id TEXT REFERENCES apps (id),
  -- The type of factor that it asks for.
  type TEXT NOT NULL CHECK (type IN ('password', 'phone', 'email', 'totp', 'passkey', 'recovery_codes')),
  purpose TEXT NOT NULL CHECK (purpose IN ('verification', 'sign_in', 'step_up', 'enrolment')),
  -- How its code goes; NULL where none is sent.
  channel TEXT CHECK (channel IN ('sms', 'voice', 'email')),
  destination TEXT,
  country TEXT,
  locale TEXT,
  -- Whose failures count: 'user:usr_…', or 'destination:' and the destination's MAC.
  subject TEXT NOT NULL,
  -- Made by a test key: only test keys see it.
  is_test INTEGER NOT NULL CHECK (is_test IN (0, 1)),
  digits INTEGER CHECK (digits BETWEEN 4 AND 10),
  -- Random, never returned: with the pepper it gives the code, alone neither does.
  seed TEXT,
  pepper_id TEXT,
  -- What it awaits, where that is no code that was sent: a passkey's challenge; JSON.
  awaits TEXT CHECK (json_valid(awaits)),
  -- Which code of this challenge lives; grows with each resend.
  generation INTEGER NOT NULL,
  -- NULL: no code lives.
  code_mac TEXT,
  code_expires_at INTEGER,
  expires_at INTEGER NOT NULL,
  -- NULL: no further code.
  resend_at INTEGER,
  sends INTEGER NOT NULL,
  wrong_answers INTEGER NOT NULL DEFAULT 0,
  wrong_answers_max INTEGER NOT NULL,
  message_id TEXT,
  verified_at INTEGER,
  -- What the proof has shown beyond the factor: a passkey's user verification; JSON.
  evidence TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(evidence)),
  -- When it was used as a proof, and for which factor or user.
  consumed_at INTEGER,
  consumed_by TEXT,
  ended_at INTEGER,
  end_reason TEXT CHECK (end_reason IN ('canceled', 'send_failed')),
  created_at INTEGER NOT NULL,
  stamp TEXT NOT NULL,
  CHECK ((channel IS NULL) = (type NOT IN ('phone', 'email'))),
  CHECK ((channel IS NULL) = (destination IS NULL)),
  CHECK ((channel IS NULL) = (seed IS NULL)),
  CHECK ((channel IS NULL) = (code_expires_at IS NULL)),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
  CHECK (verified_at IS NULL OR ended_at IS NULL),
  CHECK (consumed_at IS NULL OR verified_at IS NOT NULL),
  CHECK ((consumed_at IS NULL) = (consumed_by IS NULL)),
  CHECK (wrong_answers <= wrong_answers_max)
) STRICT;
INSERT INTO new_challenges (id, user_id, factor_id, app_id, type, purpose, channel, destination, country, locale, subject,
    is_test, digits, seed, pepper_id, generation, code_mac, code_expires_at, expires_at, resend_at, sends, wrong_answers,
    wrong_answers_max, message_id, verified_at, consumed_at, consumed_by, ended_at, end_reason, created_at, stamp)
  SELECT id, user_id, factor_id, app_id, 'phone', purpose, channel, destination, country, locale, subject,
    is_test, digits, seed, pepper_id, generation, code_mac, code_expires_at, expires_at, resend_at, sends, wrong_answers,
    wrong_answers_max, message_id, verified_at, consumed_at, consumed_by, ended_at, end_reason, created_at, stamp
  FROM challenges;
DROP TABLE challenges;
ALTER TABLE new_challenges RENAME TO challenges;
-- The cascade from users.
CREATE INDEX challenges_by_user ON challenges (user_id, id) WHERE user_id IS NOT NULL;
-- The cascade from factors.
CREATE INDEX challenges_by_factor ON challenges (factor_id) WHERE factor_id IS NOT NULL;
-- What a challenge is bound to never changes (law 4); whose it is may become known, once.
CREATE TRIGGER challenges_are_bound
BEFORE UPDATE OF id, user_id, factor_id, type, purpose, destination, subject, digits, seed, pepper_id, awaits ON challenges
WHEN NEW.id IS NOT OLD.id OR NEW.type IS NOT OLD.type OR NEW.purpose IS NOT OLD.purpose
  OR (OLD.user_id IS NOT NULL AND NEW.user_id IS NOT OLD.user_id)
  OR (OLD.factor_id IS NOT NULL AND NEW.factor_id IS NOT OLD.factor_id)
  OR NEW.destination IS NOT OLD.destination OR NEW.subject IS NOT OLD.subject OR NEW.digits IS NOT OLD.digits
  OR NEW.seed IS NOT OLD.seed OR NEW.pepper_id IS NOT OLD.pepper_id OR NEW.awaits IS NOT OLD.awaits
BEGIN
  SELECT RAISE(ABORT, 'constraint failed: challenges_are_bound');
END;

CREATE TABLE new_messages (
  id TEXT PRIMARY KEY,
  -- NULL: it is no code, but a notice.
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
  -- A number's country; NULL for e-mail.
  country TEXT,
  cost_class TEXT NOT NULL CHECK (cost_class IN ('none', 'domestic', 'international')),
  -- SMS only.
  encoding TEXT CHECK (encoding IN ('gsm7', 'ucs2')),
  segments INTEGER,
  status TEXT NOT NULL CHECK (status IN ('queued', 'sent', 'delivered', 'failed', 'unknown', 'dropped', 'handed_over')),
  reason TEXT,
  driver TEXT NOT NULL,
  provider_id TEXT,
  error_code TEXT,
  error_class TEXT,
  latency_ms INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK ((channel = 'sms') = (encoding IS NOT NULL)),
  CHECK ((channel = 'email') = (country IS NULL))
) STRICT;
CREATE TABLE new_message_tries (
  id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL REFERENCES new_messages (id) ON DELETE CASCADE,
  driver TEXT NOT NULL,
  -- NULL while the carrier is asked.
  outcome TEXT CHECK (outcome IN ('accepted', 'retryable', 'recipient_refused', 'misconfigured', 'fraud_blocked', 'unknown')),
  provider_id TEXT,
  segments INTEGER,
  error_code TEXT,
  latency_ms INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
-- Bodies for the dev inbox. Written only while development tools are on, kept 24 hours.
CREATE TABLE new_dev_inbox (
  message_id TEXT PRIMARY KEY REFERENCES new_messages (id) ON DELETE CASCADE,
  -- An e-mail's subject.
  subject TEXT,
  body TEXT NOT NULL,
  -- An e-mail's other part.
  html TEXT,
  -- NULL: it carries no code.
  code TEXT,
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO new_messages SELECT id, challenge_id, generation, user_id, app_id, channel, template, locale, destination,
    redirected_to, country, cost_class, encoding, segments, status, reason, driver, provider_id, error_code, error_class,
    latency_ms, created_at, updated_at
  FROM messages;
INSERT INTO new_message_tries SELECT id, message_id, driver, outcome, provider_id, segments, error_code, latency_ms, created_at
  FROM message_tries;
INSERT INTO new_dev_inbox (message_id, body, code, created_at) SELECT message_id, body, code, created_at FROM dev_inbox;
DROP TABLE dev_inbox;
DROP TABLE message_tries;
DROP TABLE messages;
ALTER TABLE new_messages RENAME TO messages;
ALTER TABLE new_message_tries RENAME TO message_tries;
ALTER TABLE new_dev_inbox RENAME TO dev_inbox;
-- Support looks for a number or an address; deleting a user erases it.
CREATE INDEX messages_by_destination ON messages (destination, id) WHERE destination IS NOT NULL;
-- A user's messages.
CREATE INDEX messages_by_user ON messages (user_id, id) WHERE user_id IS NOT NULL;
-- A challenge's messages.
CREATE INDEX messages_by_challenge ON messages (challenge_id, id) WHERE challenge_id IS NOT NULL;
-- Messages in one state.
CREATE INDEX messages_by_status ON messages (status, id);
-- A message's tries in order; the cascade from messages.
CREATE INDEX message_tries_by_message ON message_tries (message_id, id);
-- Housekeeping settles tries whose outcome was never written down.
CREATE INDEX message_tries_open ON message_tries (id) WHERE outcome IS NULL;

-- When the user proved that the address is theirs; NULL: not, or it has changed since.
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;
-- An app's own rule for multi-factor authentication; empty: the instance's. JSON.
ALTER TABLE apps ADD COLUMN mfa TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(mfa));
ALTER TABLE apps ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN stamp TEXT NOT NULL DEFAULT '';
-- What an app's end has to look for.
CREATE INDEX challenges_by_app ON challenges (app_id) WHERE app_id IS NOT NULL;

-- What the server has said of this user: more required, or exempt until a date. JSON.
ALTER TABLE users ADD COLUMN mfa TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(mfa));
-- The grace before a second factor has to be enrolled: since when, and how often it was used. It is never given back.
ALTER TABLE users ADD COLUMN grace_started_at INTEGER;
ALTER TABLE users ADD COLUMN grace_sign_ins INTEGER NOT NULL DEFAULT 0;

-- Remembered browsers and phones. Their secret is stored as its SHA-256 only.
CREATE TABLE devices (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  secret_hash TEXT NOT NULL,
  name TEXT,
  -- Where it was made: ISO 3166-1 alpha-2, and the browser, as the server told them.
  country TEXT,
  user_agent TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  last_used_at INTEGER,
  stamp TEXT NOT NULL
) STRICT;
-- A user's devices; the cascade from users.
CREATE INDEX devices_by_user ON devices (user_id, id);
-- Housekeeping.
CREATE INDEX devices_by_expiry ON devices (expires_at);

UPDATE instance SET schema = 2 WHERE id = 1;
