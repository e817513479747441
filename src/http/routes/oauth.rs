//! `/oauth2/v1/token` and `/oauth2/v1/revoke` (RFC 6749, RFC 7009): a code or a refresh token for tokens, a machine's
//! secret for one, and a refresh token taken back.

use serde_json::{Value, json};

use super::Run;
use crate::{
    app::machine,
    http::{
        Call, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        oauth::{Refused, client, refuse, refused},
        reply::Answer,
    },
    schema::{Field, Shape, field},
    secret::Secret,
    session::{
        GrantError, OAuthClient, TokenSet,
        exchange::{Exchange, exchange},
        refresh::{self, Refresh, refresh, revoke},
    },
};

const TAG: &str = "OAuth";

const CLIENT_ID: Field = field("client_id", Shape::Text(64), "Which app; a code or a refresh token tells it too")
    .example(r#""app_01M83WM7ZA000G40R40M30E209""#);
const CLIENT_SECRET: Field =
    field("client_secret", Shape::Text(200), "Of a web or machine app, unless it comes by HTTP Basic");

const TOKEN: &[Field] = &[
    field(
        "grant_type",
        Shape::Text(60),
        "`authorization_code`, `refresh_token`, or `client_credentials` (machine apps)",
    )
    .required()
    .example(r#""refresh_token""#),
    field("code", Shape::Text(100), "`authorization_code`: what the flow has ended in"),
    field("code_verifier", Shape::Text(128), "`authorization_code`: what the flow's `code_challenge` was made of"),
    field("redirect_uri", Shape::Text(2000), "`authorization_code`: the flow's, where it had one"),
    field("refresh_token", Shape::Text(100), "`refresh_token`: the newest one"),
    field("scope", Shape::Text(1000), "`refresh_token`, `client_credentials`: less than all, separated by spaces"),
    CLIENT_ID,
    CLIENT_SECRET,
];

const REVOKE: &[Field] = &[
    field("token", Shape::Text(8192), "A refresh token, any of its session")
        .required()
        .example(r#""rt_7V2CK9QX4M0TZR8H7V2CK9QX4M0TZR8H7V2CK9QX4M0""#),
    field("token_type_hint", Shape::Text(60), "Not looked at"),
    CLIENT_ID,
    CLIENT_SECRET,
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "A code is exchanged once, by the app and with the verifier it was made for; once more, and its session ends. A refresh \
                token is exchanged once too: within ten seconds it gives the same next one again, after that it ends its session. Refusals \
                use nothing up. Web and machine apps authenticate by HTTP Basic or in the form.",
            auth: Auth::Client,
            body: Some(TOKEN),
            example: r#"{"grant_type": "refresh_token", "refresh_token": "rt_7V2CK9QX4M0TZR8H7V2CK9QX4M0TZR8H7V2CK9QX4M0"}"#,
            gives: Gives::One("Tokens", shapes::TOKENS),
            ..operation("POST", "/oauth2/v1/token", "createTokens", TAG, "Get tokens")
        },
        Run::Keyed(|call| Box::pin(token(call))),
    ),
    (
        Operation {
            description: "Ends the session of a refresh token. A token that is none is as good as revoked. Access tokens cannot be revoked; \
                they are short-lived, and `/v1/me` takes none of a session that is over.",
            auth: Auth::Client,
            body: Some(REVOKE),
            example: r#"{"token": "rt_7V2CK9QX4M0TZR8H7V2CK9QX4M0TZR8H7V2CK9QX4M0"}"#,
            gives: Gives::Nothing,
            ..operation("POST", "/oauth2/v1/revoke", "revokeToken", TAG, "Revoke a refresh token")
        },
        Run::Keyed(|call| Box::pin(take_back(call))),
    ),
];

/// What the form has to have for its grant.
fn wanted(call: &Call, field: &str, missing: &'static str) -> Result<Secret, Refused> {
    call.form.text(field).map(|text| Secret::new(text.to_owned())).ok_or(Refused("invalid_request", missing))
}

async fn token(call: Call) -> Answer {
    let client = match client(&call) {
        Ok(client) => client,
        Err(refused) => return Ok(refuse(&call.incoming, &refused)),
    };
    let granted = grant(&call, &client).await;
    let_read(&call, &client);
    let granted = match granted {
        Ok(granted) => granted,
        Err(Stopped::Refused(refused)) => return Ok(refuse(&call.incoming, &refused)),
        Err(Stopped::Grant(error)) => return Ok(refuse(&call.incoming, &refused(&call, error)?)),
    };
    Ok(Reply::json(200, &shown(&granted)).header("pragma", "no-cache"))
}

/// Why there are no tokens: the form, or what it asks for.
enum Stopped {
    Refused(Refused),
    Grant(GrantError),
}

impl From<Refused> for Stopped {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<GrantError> for Stopped {
    fn from(error: GrantError) -> Self {
        Self::Grant(error)
    }
}

/// Its app's pages may read the answer, others not.
fn let_read(call: &Call, client: &OAuthClient) {
    if client.page.is_the_apps() {
        call.incoming.readable.set();
    }
}

async fn grant(call: &Call, client: &OAuthClient) -> Result<TokenSet, Stopped> {
    let context = &call.context;
    let scope = call.form.text("scope").map(str::to_owned);
    Ok(match call.form.text("grant_type").unwrap_or_default() {
        "authorization_code" => {
            let command = Exchange {
                code: wanted(call, "code", "code is missing")?,
                verifier: wanted(call, "code_verifier", "code_verifier is missing: PKCE with S256 is required")?,
                redirect_uri: call.form.text("redirect_uri").map(str::to_owned),
            };
            exchange(context, client, &command).await?
        }
        "refresh_token" => {
            let token = wanted(call, "refresh_token", "refresh_token is missing")?;
            refresh(context, client, &Refresh { token, scope }).await?
        }
        "client_credentials" => machine::token(context, client, scope.as_deref()).await?,
        _ => {
            let known = "authorization_code, refresh_token and client_credentials are supported";
            return Err(Refused("unsupported_grant_type", known).into());
        }
    })
}

/// The answer of RFC 6749 §5.1, with the ends as moments too.
pub(super) fn shown(set: &TokenSet) -> Value {
    let (on, within) = set.told(set.expires_at);
    let mut body = json!({
        "access_token": set.access_token.expose(),
        "token_type": "Bearer",
        "expires_in": within,
        "expires_on": on,
        "not_before": set.told(set.issued_at).0,
    });
    let mut put = |name: &str, value: Value| {
        if let Value::Object(body) = &mut body {
            body.insert(name.to_owned(), value);
        }
    };
    if !set.scope.is_empty() {
        put("scope", Value::from(set.scope.as_str()));
    }
    if let Some(token) = &set.id_token {
        put("id_token", Value::from(token.expose()));
    }
    if let Some((token, ends)) = &set.refresh_token {
        let (on, within) = set.told(*ends);
        put("refresh_token", Value::from(token.expose()));
        put("refresh_token_expires_in", Value::from(within));
        put("refresh_token_expires_on", Value::from(on));
    }
    body
}

async fn take_back(call: Call) -> Answer {
    let client = match client(&call) {
        Ok(client) => client,
        Err(refused) => return Ok(refuse(&call.incoming, &refused)),
    };
    let token = call.form.text("token").unwrap_or_default();
    // Another token than ours of this kind: an access token says so by its form, the rest is nobody's.
    if token.starts_with("eyJ") {
        let refused = Refused("unsupported_token_type", "access tokens are not revoked: they are short-lived");
        return Ok(refuse(&call.incoming, &refused));
    }
    if !token.starts_with(refresh::PREFIX) && client.id.is_none() {
        return Ok(empty());
    }
    let revoked = revoke(&call.context, &client, &Secret::new(token.to_owned())).await;
    let_read(&call, &client);
    match revoked {
        Ok(()) => Ok(empty()),
        Err(error) => Ok(refuse(&call.incoming, &refused(&call, error)?)),
    }
}

fn empty() -> Reply {
    Reply { status: 200, ..Reply::nothing() }
}
