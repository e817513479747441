//! SQL of invitations.

use crate::{claim_is_mine, have_room, origin_is_allowed};

/// Whether an invitation may lead to a URL: one of the app's redirect URIs, or a page of its origins; without an app a page
/// of Postern's own origin, or of any app's. The parameters: app or NULL, URL, its origin, whether that is one of
/// `EMBEDDED_AUTH_ORIGINS`, whether it is Postern's own.
macro_rules! may_lead_there {
    ($app:literal, $url:literal, $origin:literal, $embedded:literal, $own:literal) => {
        concat!(
            "CASE WHEN ",
            $app,
            " IS NULL THEN ",
            $own,
            " OR ",
            $embedded,
            " OR EXISTS (SELECT 1 FROM app_origins k WHERE k.origin = ",
            $origin,
            ") ELSE ",
            origin_is_allowed!($app, $origin, $embedded),
            " OR EXISTS (SELECT 1 FROM apps a CROSS JOIN json_each(a.redirect_uris) r WHERE a.id = ",
            $app,
            " AND r.value = ",
            $url,
            ") END"
        )
    };
}

/// Makes an invitation to an address that no user has, to where it may lead. `?1` checks, `?2` now, `?3` id, `?4` stamp,
/// `?5` idempotency key, `?6` the token's hash, `?7` address, `?8` normalised, `?9` app, `?10` its end, `?11` who makes it,
/// `?12` to `?15` as in `may_lead_there!`.
pub const CREATE: &str = concat!(
    "INSERT INTO invitations (id, token_hash, email, email_normalised, app_id, created_at, created_by, expires_at, stamp)
     SELECT ?3, ?6, ?7, ?8, ?9, ?2, ?11, ?10, ?4
     WHERE NOT EXISTS (SELECT 1 FROM users WHERE email_normalised = ?8)
       AND ",
    may_lead_there!("?9", "?12", "?13", "?14", "?15"),
    " AND ",
    have_room!(),
    " AND ",
    claim_is_mine!()
);

/// Tells why there is none. `?1` app, `?2` to `?5` as in `may_lead_there!`, `?6` normalised address.
pub const WHY_NOT: &str = concat!(
    "SELECT ?1 IS NULL OR EXISTS (SELECT 1 FROM apps WHERE id = ?1) AS has_app, ",
    may_lead_there!("?1", "?2", "?3", "?4", "?5"),
    " AS may_lead_there, EXISTS (SELECT 1 FROM users WHERE email_normalised = ?6) AS is_taken"
);

/// Reads an invitation. `?1` id.
pub const GET: &str = "SELECT id, email, app_id, created_at, expires_at, used_at, stamp FROM invitations WHERE id = ?1";

/// Invitations, newest first. `?1` the id to begin below, `?2` how many.
pub const LIST: &str = "SELECT id, email, app_id, created_at, expires_at, used_at, stamp FROM invitations
  WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

/// Marks an invitation for what follows in the batch. `?1` id, `?2` stamp.
pub const STAMP: &str = "UPDATE invitations SET stamp = ?2 WHERE id = ?1";

/// Deletes an invitation. `?1` id.
pub const DELETE: &str = "DELETE FROM invitations WHERE id = ?1";

/// Part of a deciding statement's WHERE: an invitation with this token lives, for this app and this address. The
/// parameters: the token's hash, the app, now, and the normalised address.
#[macro_export]
macro_rules! invitation_is_live {
    ($hash:literal, $app:literal, $now:literal, $email:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM invitations v WHERE v.token_hash = ",
            $hash,
            " AND v.used_at IS NULL AND v.expires_at > ",
            $now,
            " AND v.email_normalised = ",
            $email,
            " AND (v.app_id IS NULL OR v.app_id = ",
            $app,
            "))"
        )
    };
}

/// Reads the invitation with this token while it lives, when a sign-up begins with it. `?1` the token's hash, `?2` app,
/// `?3` now.
pub const FOLLOW: &str = concat!(
    "SELECT id, email, app_id, created_at, expires_at, used_at, stamp FROM invitations i
     WHERE i.token_hash = ?1 AND ",
    invitation_is_live!("?1", "?2", "?3", "i.email_normalised")
);

/// Uses an invitation up for the user who was made with it: the statement that made them decided on
/// `invitation_is_live!`, and they carry the batch's stamp. `?1` the token's hash, `?2` now, `?3` stamp, `?4` user.
pub const CONSUME: &str = "UPDATE invitations SET used_at = ?2, stamp = ?3
  WHERE token_hash = ?1 AND used_at IS NULL
    AND EXISTS (SELECT 1 FROM users u WHERE u.id = ?4 AND u.stamp = ?3 AND u.email_normalised = invitations.email_normalised)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[CREATE, WHY_NOT, GET, LIST, STAMP, DELETE, FOLLOW, CONSUME];
