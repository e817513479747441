-- Sign-in: apps that people use, flows, authorization codes, sessions, refresh tokens, signing keys, invitations.

-- What kind of client an app is (RFC 6749 §2.1): what runs at people's keeps no secret.
ALTER TABLE apps ADD COLUMN type TEXT NOT NULL DEFAULT 'web' CHECK (type IN ('browser', 'native', 'web', 'machine'));
-- Where codes may be sent, compared exactly; and the pages that may call. JSON lists.
ALTER TABLE apps ADD COLUMN redirect_uris TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(redirect_uris));
ALTER TABLE apps ADD COLUMN origins TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(origins));
-- What a machine's tokens may do; scopes of the server API. JSON list.
ALTER TABLE apps ADD COLUMN scopes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(scopes));
-- Lifetimes and the algorithm of its tokens; what is left out is the instance's. JSON.
ALTER TABLE apps ADD COLUMN tokens TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(tokens));

-- Which apps have an origin: a preflight names no app. Kept by the triggers, so that nobody forgets it.
CREATE TABLE app_origins (
  origin TEXT NOT NULL,
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  PRIMARY KEY (origin, app_id)
) STRICT, WITHOUT ROWID;
-- The cascade from apps, and what the triggers replace.
CREATE INDEX app_origins_by_app ON app_origins (app_id);
CREATE TRIGGER app_origins_of_new AFTER INSERT ON apps BEGIN
  INSERT INTO app_origins (origin, app_id) SELECT DISTINCT value, NEW.id FROM json_each(NEW.origins);
END;
CREATE TRIGGER app_origins_of_changed AFTER UPDATE OF origins ON apps BEGIN
  DELETE FROM app_origins WHERE app_id = NEW.id;
  INSERT INTO app_origins (origin, app_id) SELECT DISTINCT value, NEW.id FROM json_each(NEW.origins);
END;

-- Client secrets: their SHA-256 only. Two may live while one takes the other's place.
CREATE TABLE app_secrets (
  id TEXT PRIMARY KEY,
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  secret_hash TEXT NOT NULL UNIQUE,
  hint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- NULL: until it is rotated.
  expires_at INTEGER,
  stamp TEXT NOT NULL
) STRICT;
-- An app's secrets; the cascade from apps.
CREATE INDEX app_secrets_by_app ON app_secrets (app_id, id);

-- A phone number that a user signs in with; NULL: they sign in with their address.
ALTER TABLE users ADD COLUMN phone TEXT;
ALTER TABLE users ADD COLUMN phone_verified_at INTEGER;
-- Find by phone; one user per number.
CREATE UNIQUE INDEX users_by_phone ON users (phone) WHERE phone IS NOT NULL;
-- When the server has shut a user out; NULL: not.
ALTER TABLE users ADD COLUMN disabled_at INTEGER;

-- What a challenge was made in, and nobody else sees it: a flow or a session; NULL: the server API.
ALTER TABLE challenges ADD COLUMN bound_to TEXT;
-- The proofs of a flow or session.
CREATE INDEX challenges_by_bond ON challenges (bound_to) WHERE bound_to IS NOT NULL;
DROP TRIGGER challenges_are_bound;
-- What a challenge is bound to never changes (law 4); whose it is may become known, once.
CREATE TRIGGER challenges_are_bound
BEFORE UPDATE OF id, user_id, factor_id, type, purpose, destination, subject, digits, seed, pepper_id, awaits, bound_to ON challenges
WHEN NEW.id IS NOT OLD.id OR NEW.type IS NOT OLD.type OR NEW.purpose IS NOT OLD.purpose
  OR (OLD.user_id IS NOT NULL AND NEW.user_id IS NOT OLD.user_id)
  OR (OLD.factor_id IS NOT NULL AND NEW.factor_id IS NOT OLD.factor_id)
  OR NEW.destination IS NOT OLD.destination OR NEW.subject IS NOT OLD.subject OR NEW.digits IS NOT OLD.digits
  OR NEW.seed IS NOT OLD.seed OR NEW.pepper_id IS NOT OLD.pepper_id OR NEW.awaits IS NOT OLD.awaits
  OR NEW.bound_to IS NOT OLD.bound_to
BEGIN
  SELECT RAISE(ABORT, 'constraint failed: challenges_are_bound');
END;

-- A flow collects proofs until the policy is met, and ends in one authorization code. It lives ten minutes.
CREATE TABLE flows (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL CHECK (type IN ('sign_up', 'sign_in', 'password_reset')),
  token_hash TEXT NOT NULL,
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  -- NULL: a native app, whose calls have none.
  origin TEXT,
  code_challenge TEXT NOT NULL,
  redirect_uri TEXT,
  scope TEXT NOT NULL,
  nonce TEXT,
  locale TEXT,
  -- A MAC of the address or number that was typed, known or not; NULL: none yet.
  identifier TEXT,
  -- Whose it is, once it is known here. It says nothing to the caller before a first factor is proven.
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  -- The remembered device that it came with, to be held against the user's; its secret's hash.
  device_id TEXT,
  device_hash TEXT,
  -- Whether the person asked for this device to be remembered.
  remember_device INTEGER NOT NULL DEFAULT 0 CHECK (remember_device IN (0, 1)),
  -- Credentials of a sign-up, hashed, until the address is proven; JSON.
  pending TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(pending)),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER,
  end_reason TEXT CHECK (end_reason IN ('complete', 'abandoned')),
  stamp TEXT NOT NULL,
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;
-- The cascades from users and apps, and housekeeping.
CREATE INDEX flows_by_user ON flows (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX flows_by_app ON flows (app_id);
CREATE INDEX flows_by_expiry ON flows (expires_at);

-- Authorization codes: their SHA-256 only. What a code becomes is fixed when it is made.
CREATE TABLE authorization_codes (
  code_hash TEXT PRIMARY KEY,
  session_id TEXT NOT NULL,
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  code_challenge TEXT NOT NULL,
  redirect_uri TEXT,
  scope TEXT NOT NULL,
  nonce TEXT,
  acr TEXT NOT NULL,
  amr TEXT NOT NULL CHECK (json_valid(amr)),
  auth_time INTEGER NOT NULL,
  client_ip TEXT,
  user_agent TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- When it was exchanged. Once: another exchange ends the session.
  used_at INTEGER,
  stamp TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- The cascades from apps and users, and housekeeping.
CREATE INDEX authorization_codes_by_app ON authorization_codes (app_id);
CREATE INDEX authorization_codes_by_user ON authorization_codes (user_id);
CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  scope TEXT NOT NULL,
  acr TEXT NOT NULL,
  amr TEXT NOT NULL CHECK (json_valid(amr)),
  -- When the person last proved who they are, here or in a step-up.
  auth_time INTEGER NOT NULL,
  client_ip TEXT,
  user_agent TEXT,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  idle_expires_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER,
  end_reason TEXT,
  stamp TEXT NOT NULL,
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;
-- A user's sessions; the cascades from users and apps; housekeeping.
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_app ON sessions (app_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Refresh tokens: their SHA-256 only. The family of one session.
CREATE TABLE refresh_tokens (
  hash TEXT PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- When it was first exchanged for the next one.
  used_at INTEGER,
  stamp TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- The cascade from sessions.
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Keys that sign tokens: in JWKS before they sign, and until what they signed has expired.
CREATE TABLE signing_keys (
  -- The `kid`.
  id TEXT PRIMARY KEY,
  algorithm TEXT NOT NULL CHECK (algorithm IN ('RS256', 'ES256')),
  -- A JWK (RFC 7517).
  public_key TEXT NOT NULL CHECK (json_valid(public_key)),
  -- PKCS#8, sealed.
  private_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  signs_from INTEGER NOT NULL,
  -- NULL: no other one has taken its place.
  expires_at INTEGER,
  stamp TEXT NOT NULL
) STRICT;
-- Sealing anew what stands under an old key: its text begins with the key's id.
CREATE INDEX signing_keys_sealed ON signing_keys (private_key);

-- Always empty. A batch of a session that is over, or of a user who is shut out, inserts here and fails as a whole.
CREATE TABLE session_guard (
  is_live INTEGER NOT NULL,
  CONSTRAINT session_is_live CHECK (is_live = 1)
) STRICT;

-- Invitations: their token's SHA-256 only. Who follows one has proven the address that it was sent to.
CREATE TABLE invitations (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  email_normalised TEXT NOT NULL,
  app_id TEXT REFERENCES apps (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  stamp TEXT NOT NULL
) STRICT;
-- The cascade from apps, and housekeeping.
CREATE INDEX invitations_by_app ON invitations (app_id) WHERE app_id IS NOT NULL;
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

UPDATE instance SET schema = 3 WHERE id = 1;
