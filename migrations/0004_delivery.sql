-- Delivery: carriers in settings, several tries of a message, receipts, templates, webhooks.

-- When settings of SMS were first stored; NULL: never, and then AUTHN_SMS_* count.
ALTER TABLE instance ADD COLUMN sms_stored_at INTEGER;
UPDATE instance SET sms_stored_at = updated_at WHERE settings ->> '$.sms' IS NOT NULL;

-- What its messages are written in where neither the request nor the user says it; BCP 47.
ALTER TABLE apps ADD COLUMN locale TEXT;
-- What its owner keeps with it, and the `webhook` driver tells. JSON.
ALTER TABLE apps ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata));
-- Apps that have a language, which every isolate remembers.
CREATE INDEX apps_by_locale ON apps (locale, id) WHERE locale IS NOT NULL;

-- Whoever acted on the row last: the later statements of a batch act on its stamp.
ALTER TABLE messages ADD COLUMN stamp TEXT NOT NULL DEFAULT '';
-- When it was sent once more, since nothing said that it had arrived. Once.
ALTER TABLE messages ADD COLUMN fallback_at INTEGER;
-- Whether a driver's messages to a country are normally reported delivered.
CREATE INDEX messages_by_driver ON messages (driver, country, id) WHERE channel = 'sms';

-- Which credentials it went out with: a keyed fingerprint, so that a receipt is held against the same ones.
ALTER TABLE message_tries ADD COLUMN credential TEXT;
-- What the carrier reported of this try; NULL: nothing yet.
ALTER TABLE message_tries ADD COLUMN reported TEXT CHECK (reported IN ('sent', 'delivered', 'failed', 'unknown'));
ALTER TABLE message_tries ADD COLUMN reported_at INTEGER;
-- What the carrier was told of the code's fate; NULL: nothing.
ALTER TABLE message_tries ADD COLUMN feedback TEXT CHECK (feedback IN ('confirmed', 'approved', 'canceled'));
-- A message is tried once by a driver (law 7). Also a message's tries; the cascade from messages.
DROP INDEX message_tries_by_message;
CREATE UNIQUE INDEX message_tries_once ON message_tries (message_id, driver);

-- What carriers reported, each as it came; the same report again raises `times` and changes nothing.
CREATE TABLE message_receipts (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  driver TEXT NOT NULL,
  -- The carrier's id: of the message, or of one of its parts.
  provider_id TEXT NOT NULL,
  -- As the carrier wrote it.
  carrier_status TEXT NOT NULL,
  -- Empty: none.
  error_code TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('sent', 'delivered', 'failed', 'unknown')),
  received_at INTEGER NOT NULL,
  times INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (message_id, driver, provider_id, carrier_status, error_code)
) STRICT, WITHOUT ROWID;

-- Texts that differ from the built-in ones.
CREATE TABLE templates (
  channel TEXT NOT NULL CHECK (channel IN ('sms', 'voice', 'email')),
  slug TEXT NOT NULL,
  -- BCP 47; empty: what holds in every language, the sender and who delivers.
  locale TEXT NOT NULL,
  subject TEXT,
  body TEXT,
  from_number_override TEXT,
  delivered_by_us INTEGER CHECK (delivered_by_us IN (0, 1)),
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (channel, slug, locale),
  CHECK ((locale = '') = (body IS NULL))
) STRICT, WITHOUT ROWID;

-- Who hears events.
CREATE TABLE webhook_endpoints (
  id TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  description TEXT,
  -- Types of events, `sms.*`, or `*`. JSON list.
  events TEXT NOT NULL CHECK (json_valid(events)),
  -- `whsec_…`, sealed; the one before it signs too until it expires.
  secret TEXT NOT NULL,
  previous_secret TEXT,
  previous_expires_at INTEGER,
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  -- Why it is not: the operator, or it failed for days.
  disabled_reason TEXT CHECK (disabled_reason IN ('operator', 'failing')),
  -- Since when every delivery has failed; NULL: the last one arrived.
  failing_since INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  stamp TEXT NOT NULL,
  CHECK ((enabled = 1) = (disabled_reason IS NULL))
) STRICT;
-- Sealing anew what stands under an old key.
CREATE INDEX webhook_endpoints_sealed ON webhook_endpoints (secret);

-- Which enabled endpoint hears which type. Kept by the triggers, so that nobody forgets it.
CREATE TABLE webhook_filters (
  type TEXT NOT NULL,
  endpoint_id TEXT NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  PRIMARY KEY (type, endpoint_id)
) STRICT, WITHOUT ROWID;
-- The cascade from endpoints, and what the triggers replace.
CREATE INDEX webhook_filters_by_endpoint ON webhook_filters (endpoint_id);
CREATE TRIGGER webhook_filters_of_new AFTER INSERT ON webhook_endpoints WHEN NEW.enabled = 1 BEGIN
  INSERT INTO webhook_filters (type, endpoint_id) SELECT DISTINCT value, NEW.id FROM json_each(NEW.events);
END;
CREATE TRIGGER webhook_filters_of_changed AFTER UPDATE OF events, enabled ON webhook_endpoints BEGIN
  DELETE FROM webhook_filters WHERE endpoint_id = NEW.id;
  INSERT INTO webhook_filters (type, endpoint_id)
    SELECT DISTINCT value, NEW.id FROM json_each(NEW.events) WHERE NEW.enabled = 1;
END;

-- What an endpoint is told: one event each. The payload is made when it is sent, so no code or number stands here.
CREATE TABLE webhook_deliveries (
  id TEXT PRIMARY KEY,
  endpoint_id TEXT NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  event_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  -- NULL: nothing more is tried.
  next_attempt_at INTEGER,
  -- What the endpoint answered last; NULL: nothing.
  response_status INTEGER,
  error TEXT,
  latency_ms INTEGER,
  created_at INTEGER NOT NULL,
  delivered_at INTEGER,
  stamp TEXT NOT NULL,
  CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL))
) STRICT;
-- An endpoint's deliveries; the cascade from endpoints.
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, id);
-- What an endpoint is still to hear, when it is switched off.
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (endpoint_id, next_attempt_at)
  WHERE next_attempt_at IS NOT NULL;
-- Those in one state, newest first.
CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (status, id);
-- An event's deliveries.
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id);
-- What is due.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

-- Whoever writes an event tells those who hear it, in the same transaction. The id sorts by the event's time; its random
-- part is 64 bits in the same alphabet.
CREATE TRIGGER webhook_deliveries_of_event AFTER INSERT ON audit_events BEGIN
  INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_type, status, next_attempt_at, created_at, stamp)
    SELECT 'whd_' || substr(NEW.id, 5, 10) || hex(randomblob(8)), e.endpoint_id, NEW.id, NEW.type, 'pending',
      NEW.created_at, NEW.created_at, ''
    FROM (SELECT DISTINCT endpoint_id FROM webhook_filters
      WHERE type IN (NEW.type, substr(NEW.type, 1, instr(NEW.type, '.')) || '*', '*')) e;
END;

UPDATE instance SET schema = 4 WHERE id = 1;
