//! What a grant is answered with: reads what was granted, and signs its tokens.

use serde_json::{Value, json};

use super::{
    GrantError, OAuthClient,
    claims::{self, Granted, Issue, Person, seconds},
    has_scope,
};
use crate::{
    app::{AppType, Tokens},
    context::Context,
    ports::{DatabaseError, Row},
    secret::Secret,
    time::Timestamp,
    token::{self, ACCESS, Algorithm, ID, keys},
};

/// The tokens of one grant.
pub struct TokenSet {
    /// What opens the API.
    pub access_token: Secret,
    /// When they were made.
    pub issued_at: Timestamp,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// What it is good for.
    pub scope: String,
    /// Who has signed in; only with the scope `openid`.
    pub id_token: Option<Secret>,
    /// What gets the next tokens, and when it ends; only with the scope `offline_access`.
    pub refresh_token: Option<(Secret, Timestamp)>,
}

impl TokenSet {
    /// A moment, and how far it is: whole seconds, as clients are told.
    pub fn told(&self, moment: Timestamp) -> (i64, i64) {
        (seconds(moment), seconds(moment) - seconds(self.issued_at))
    }
}

/// The algorithms that have a key which can be used, as `json_each` takes them: tokens are signed after the batch that
/// decides, and what it uses up must not be lost for want of a key.
pub(super) async fn ready(context: &Context) -> Result<String, GrantError> {
    token::issuer(context.config()).map_err(GrantError::Misconfigured)?;
    let mut names = Vec::new();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let has_key = keys::signer(&context.snapshot().signing_keys, algorithm, context.now()).is_some();
        if has_key && keys::ready(context, algorithm).await.is_ok() {
            names.push(algorithm.as_str());
        }
    }
    Ok(Value::from(names).to_string())
}

/// The lifetimes of sessions and refresh tokens where an app says nothing, as the statements take them.
pub(super) fn defaults(context: &Context) -> String {
    let defaults = &context.config().tokens;
    json!({
        "refresh_token_seconds": defaults.refresh,
        "session_idle_seconds": defaults.session_idle,
        "session_seconds": crate::app::tokens::SESSION,
    })
    .to_string()
}

/// Why a batch has granted nothing, from its last statement. Where only a key was missing it is made, and the request is
/// run once more.
pub(super) async fn refusal(
    context: &Context,
    client: &OAuthClient,
    rows: Option<&Vec<Row>>,
    ready: &str,
) -> GrantError {
    let Some(row) = rows.and_then(|rows| rows.first()) else {
        return if client.id.is_some() { GrantError::Client } else { GrantError::Grant };
    };
    client.page.found(row);
    if !row.flag("authentic") {
        return GrantError::Client;
    }
    if row.opt_text("type") == Some(AppType::Machine.as_str()) {
        return GrantError::ClientType;
    }
    if row.flag("too_much") {
        return GrantError::Scope;
    }
    match row.opt_text("algorithm").and_then(Algorithm::parse) {
        Some(algorithm) if !ready.contains(algorithm.as_str()) => match keys::ready(context, algorithm).await {
            Err(error) => error.into(),
            Ok(()) => GrantError::Grant,
        },
        _ => GrantError::Grant,
    }
}

/// Signs the tokens of what a batch has granted. `scope`: less than all of it; `next`: the refresh tokens that it may have
/// made.
pub(super) async fn issue(
    context: &Context,
    client: &OAuthClient,
    row: &Row,
    scope: Option<&str>,
    next: Vec<Secret>,
) -> Result<TokenSet, GrantError> {
    client.page.found(row);
    let granted = granted(row)?;
    let malformed = || DatabaseError::Other("a stored app is malformed".to_owned());
    let kind = AppType::parse(row.text("app_type")?).ok_or_else(malformed)?;
    let of_app = Tokens::read(row.text("tokens")?).ok_or_else(malformed)?;
    let lifetimes = of_app.lifetimes(kind, context.config());
    let algorithm = of_app.algorithm();
    let moment = |column| row.int(column).map(Timestamp::from_millis);
    let session_ends = moment("expires_at")?;
    let issuer = token::issuer(context.config()).map_err(GrantError::Misconfigured)?;
    let (now, scope) = (context.now(), scope.unwrap_or(row.text("scope")?).to_owned());
    let until = |lifetime| Issue { issuer, from: now, until: (now + lifetime).min(session_ends) };

    let access = until(lifetimes.access_token);
    let claims = claims::access(&granted, access, &scope, &context.stamp());
    let access_token = token::sign(context, algorithm, ACCESS, &claims).await?;
    let id_token = if has_scope(&scope, "openid") {
        let claims = claims::id(&granted, until(lifetimes.id_token), &scope, &access_token);
        Some(Secret::new(token::sign(context, algorithm, ID, &claims).await?))
    } else {
        None
    };
    let refresh_token = match row.opt_text("next") {
        Some(hash) => {
            let next = next.into_iter().find(|next| crate::crypto::token_hash(next.expose()) == hash);
            let ends = moment("next_ends_at")?.min(moment("idle_expires_at")?).min(session_ends);
            next.map(|next| (next, ends))
        }
        None => None,
    };
    let access_token = Secret::new(access_token);
    Ok(TokenSet { access_token, issued_at: now, expires_at: access.until, scope, id_token, refresh_token })
}

fn granted(row: &Row) -> Result<Granted, DatabaseError> {
    let text = |column| row.text(column).map(str::to_owned);
    let proven = |name: &str, at: &str| row.opt_text(name).map(|text| (text.to_owned(), row.opt_int(at).is_some()));
    Ok(Granted {
        session: text("id")?,
        user: text("user_id")?,
        app: text("app_id")?,
        acr: text("acr")?,
        amr: super::amr(row)?,
        auth_time: Timestamp::from_millis(row.int("auth_time")?),
        nonce: row.opt_text("nonce").map(str::to_owned),
        person: Person {
            email: proven("email", "email_verified_at"),
            name: row.opt_text("name").map(str::to_owned),
            locale: row.opt_text("locale").map(str::to_owned),
            phone: proven("phone", "phone_verified_at"),
        },
    })
}
