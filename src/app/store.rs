//! SQL of apps and their client secrets.

use crate::claim_is_mine;

/// Part of a deciding statement's WHERE: who calls is the app that it says it is. A browser or native app has no secret
/// and gives none; a web or machine app gives one that lives (RFC 6749 §2.3). The parameters, as `"?7"`: the app's id, the
/// hash of what was given as its secret ([`hash_of`](crate::app::secret::hash_of)) or NULL, and now.
#[macro_export]
macro_rules! client_is_authentic {
    ($app:literal, $hash:literal, $now:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM apps client WHERE client.id = ",
            $app,
            " AND CASE WHEN client.type IN ('browser', 'native') THEN ",
            $hash,
            " IS NULL ELSE EXISTS (SELECT 1 FROM app_secrets own WHERE own.secret_hash = ",
            $hash,
            " AND own.app_id = client.id AND (own.expires_at IS NULL OR own.expires_at > ",
            $now,
            ")) END)"
        )
    };
}

/// Whether pages of an origin may call an app. The parameters: the app's id, the origin, and whether it is one of
/// `EMBEDDED_AUTH_ORIGINS`, which are every browser app's.
#[macro_export]
macro_rules! origin_is_allowed {
    ($app:literal, $origin:literal, $embedded:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM app_origins o WHERE o.origin = ",
            $origin,
            " AND o.app_id = ",
            $app,
            ") OR (",
            $embedded,
            " AND EXISTS (SELECT 1 FROM apps b WHERE b.id = ",
            $app,
            " AND b.type = 'browser')))"
        )
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.name, a.type, a.redirect_uris, a.origins, a.scopes, a.locale, a.metadata, a.tokens, a.mfa, a.created_at, a.updated_at, a.stamp,
               (SELECT json_group_array(json_object('id', s.id, 'hint', s.hint, 'created_at', s.created_at, 'expires_at', s.expires_at))
                FROM app_secrets s WHERE s.app_id = a.id) AS secrets
             FROM apps a WHERE ",
            $rest
        )
    };
}

/// Reads an app. `?1` id.
pub const GET: &str = select!("a.id = ?1");

/// Apps, newest first. `?1` the id to begin below, `?2` how many.
pub const LIST: &str = select!("a.id < ?1 ORDER BY a.id DESC LIMIT ?2");

/// Reads an app's own rule. `?1` id.
pub const RULE: &str = "SELECT id, mfa FROM apps WHERE id = ?1";

/// Whether who calls is the app that it says it is. `?1` app, `?2` hash of the secret or NULL, `?3` now.
pub const AUTHENTIC: &str = concat!("SELECT ", client_is_authentic!("?1", "?2", "?3"), " AS authentic");

/// Whether an origin is any app's: a preflight names none. `?1` origin.
pub const ORIGIN_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM app_origins WHERE origin = ?1) AS known";

/// Whether an origin is this app's. `?1` app, `?2` origin, `?3` whether it is one of every browser app.
pub const ORIGIN_ALLOWED: &str = concat!("SELECT ", origin_is_allowed!("?1", "?2", "?3"), " AS allowed");

/// Makes an app. `?1` id, `?2` now, `?3` name, `?4` stamp, `?5` idempotency key, `?6` its own rule, `?7` type, `?8` redirect
/// URIs, `?9` origins, `?10` scopes, `?11` tokens, `?12` locale, `?13` metadata.
pub const CREATE: &str = concat!(
    "INSERT INTO apps (id, name, mfa, type, redirect_uris, origins, scopes, tokens, locale, metadata, created_at, updated_at,
       stamp)
     SELECT ?1, ?3, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?2, ?2, ?4 WHERE ",
    claim_is_mine!()
);

/// Changes an app of a type that can have what is said. Of the rule and the tokens, what is there replaces and what is null
/// is cleared (RFC 7396). `?1` id, `?2` now, `?3` stamp, `?4` name, `?5` change of the rule, `?6` whether it is cleared
/// first, `?7` redirect URIs, `?8` origins, `?9` scopes, `?10` change of the tokens, `?11` whether they are cleared first,
/// `?12` the types, `?13` whether it says a locale, `?14` which, `?15` metadata.
pub const UPDATE: &str = "UPDATE apps SET name = coalesce(?4, name),
    mfa = json_patch(CASE WHEN ?6 THEN '{}' ELSE mfa END, ?5),
    redirect_uris = coalesce(?7, redirect_uris), origins = coalesce(?8, origins), scopes = coalesce(?9, scopes),
    tokens = json_patch(CASE WHEN ?11 THEN '{}' ELSE tokens END, ?10),
    locale = CASE WHEN ?13 THEN ?14 ELSE locale END, metadata = coalesce(?15, metadata),
    updated_at = ?2, stamp = ?3
  WHERE id = ?1 AND type IN (SELECT value FROM json_each(?12))";

/// Every isolate reads anew which languages apps have. `?1` app, `?2` now, `?3` stamp.
pub const NEW_VERSION: &str = "UPDATE instance SET version = version + 1, updated_at = ?2
  WHERE id = 1 AND EXISTS (SELECT 1 FROM apps WHERE id = ?1 AND stamp = ?3)";

/// Marks an app for what follows in the batch. `?1` id, `?2` stamp.
pub const STAMP: &str = "UPDATE apps SET stamp = ?2 WHERE id = ?1";

/// Takes the app out of its challenges; what they prove stays proven. `?1` id.
pub const LEAVE_CHALLENGES: &str = "UPDATE challenges SET app_id = NULL WHERE app_id = ?1";

/// Deletes an app. `?1` id.
pub const DELETE: &str = "DELETE FROM apps WHERE id = ?1";

/// Makes the first secret of an app that was just made. `?1` id, `?2` app, `?3` its stamp, `?4` hash, `?5` hint, `?6` now.
pub const FIRST_SECRET: &str = "INSERT INTO app_secrets (id, app_id, secret_hash, hint, created_at, stamp)
  SELECT ?1, id, ?4, ?5, ?6, ?3 FROM apps WHERE id = ?2 AND stamp = ?3";

/// Makes a further secret: of an app that has some, and of a machine only where the calling key grants no more than it
/// has. `?1` id, `?2` now, `?3` app, `?4` stamp, `?5` idempotency key, `?6` hash, `?7` hint, `?8` the key's scopes, `?9`
/// whether it is a test key.
pub const ROTATE: &str = concat!(
    "INSERT INTO app_secrets (id, app_id, secret_hash, hint, created_at, stamp)
     SELECT ?1, a.id, ?6, ?7, ?2, ?4 FROM apps a
     WHERE a.id = ?3 AND (a.type = 'web' OR (a.type = 'machine' AND NOT ?9
         AND NOT EXISTS (SELECT 1 FROM json_each(a.scopes) s WHERE s.value NOT IN (SELECT m.value FROM json_each(?8) m))))
       AND ",
    claim_is_mine!()
);

/// Marks an app whose secret was just made. `?1` id, `?2` stamp, `?3` now, `?4` the secret.
pub const ROTATED: &str = "UPDATE apps SET stamp = ?2, updated_at = ?3
  WHERE id = ?1 AND EXISTS (SELECT 1 FROM app_secrets n WHERE n.id = ?4 AND n.stamp = ?2)";

/// Sets the end of the secret that was the newest. `?1` the new one, `?2` app, `?3` stamp, `?4` its end.
pub const END_OLD: &str = "UPDATE app_secrets SET expires_at = ?4, stamp = ?3
  WHERE app_id = ?2 AND id <> ?1 AND expires_at IS NULL
    AND EXISTS (SELECT 1 FROM app_secrets n WHERE n.id = ?1 AND n.stamp = ?3)";

/// Deletes all but the new secret and the one before it, while that lives. `?1` the new one, `?2` app, `?3` stamp, `?4` now.
pub const DELETE_OLD: &str = "DELETE FROM app_secrets
  WHERE app_id = ?2 AND (stamp <> ?3 OR expires_at <= ?4)
    AND EXISTS (SELECT 1 FROM app_secrets n WHERE n.id = ?1 AND n.stamp = ?3)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    GET,
    LIST,
    RULE,
    AUTHENTIC,
    ORIGIN_KNOWN,
    ORIGIN_ALLOWED,
    CREATE,
    UPDATE,
    NEW_VERSION,
    STAMP,
    LEAVE_CHALLENGES,
    DELETE,
    FIRST_SECRET,
    ROTATE,
    ROTATED,
    END_OLD,
    DELETE_OLD,
];
