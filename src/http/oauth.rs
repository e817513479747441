//! How OAuth endpoints are spoken to: a form in the body, a client that authenticates in one of two ways (RFC 6749 §2.3.1),
//! and errors in their own JSON (§5.2).

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{
    input::{Call, Incoming},
    problem::{Code, Problem},
    reply::{Failure, Reply},
};
use crate::{
    app::secret::hash_of,
    ids::AppId,
    schema::{Field, Form, check_query},
    session::{GrantError, OAuthClient, Page},
};

/// A refusal: its name, and what it means, for whoever writes the client.
pub(super) struct Refused(pub &'static str, pub &'static str);

/// The client is not known, or not the one that it says it is.
pub(super) const INVALID_CLIENT: Refused =
    Refused("invalid_client", "there is no such client, or it has not authenticated as its type has to");

/// The fields of a form. Values that are empty count as left out, unknown fields are not looked at, and each is there once
/// (RFC 6749 §3.2).
pub(super) fn form(incoming: &Incoming, fields: &[Field]) -> Result<Form, Problem> {
    let media = incoming.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Problem::new(Code::ContentTypeUnsupported, "application/x-www-form-urlencoded is wanted"));
    }
    if percent_encoding::percent_decode(&incoming.body).decode_utf8().is_err() {
        return Err(Problem::new(Code::RequestMalformed, "the body is not UTF-8"));
    }
    let pairs: Vec<(String, String)> = form_urlencoded::parse(&incoming.body)
        .filter(|(name, value)| !value.is_empty() && fields.iter().any(|field| field.name == name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let (node, errors) = check_query(fields, &pairs);
    if errors.is_empty() { Ok(Form::checked(node)) } else { Err(Problem::form(errors)) }
}

/// Which client calls, as it says: by HTTP Basic, or in the form.
pub(super) fn client(call: &Call) -> Result<OAuthClient, Refused> {
    let (form_id, form_secret) = (call.form.text("client_id"), call.form.text("client_secret"));
    let twice = Refused("invalid_request", "the client authenticates twice, or under two names");
    let (id, secret) = match basic(&call.incoming)? {
        None => (form_id.map(str::to_owned), form_secret.map(str::to_owned)),
        Some(_) if form_secret.is_some() => return Err(twice),
        Some((id, _)) if form_id.is_some_and(|form_id| form_id != id) => return Err(twice),
        Some((id, secret)) => (Some(id), Some(secret).filter(|secret| !secret.is_empty())),
    };
    let id = id.map(|id| AppId::parse(&id).ok_or(INVALID_CLIENT)).transpose()?;
    let page = Page::new(&call.context, call.incoming.header("origin"));
    Ok(OAuthClient { id, secret_hash: hash_of(secret.as_deref()), page })
}

/// Name and secret of HTTP Basic, each form-encoded within it.
fn basic(incoming: &Incoming) -> Result<Option<(String, String)>, Refused> {
    if !incoming.headers.contains_key("authorization") {
        return Ok(None);
    }
    let read = |value: &str| {
        let (scheme, text) = value.split_once(' ')?;
        let bytes = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(text.trim()).ok())??;
        let text = String::from_utf8(bytes).ok()?;
        let (id, secret) = text.split_once(':')?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        Some((decoded(id)?, decoded(secret)?))
    };
    incoming.header("authorization").and_then(read).map(Some).ok_or(INVALID_CLIENT)
}

/// The answer of a refusal. Who tried HTTP Basic is told that it failed.
pub(super) fn refuse(incoming: &Incoming, refused: &Refused) -> Reply {
    let status = if refused.0 == INVALID_CLIENT.0 { 401 } else { 400 };
    let reply = Reply::json(status, &body(refused.0, refused.1));
    if status == 401 && incoming.headers.contains_key("authorization") {
        return reply.header("www-authenticate", "Basic realm=\"oauth\", charset=\"UTF-8\"");
    }
    reply
}

/// What stands in the way of a grant, as a refusal or as a failure of ours.
pub(super) fn refused(call: &Call, error: GrantError) -> Result<Refused, Failure> {
    Ok(match error {
        GrantError::Client => INVALID_CLIENT,
        GrantError::ClientType => Refused("unauthorized_client", "a client of this type does not get tokens this way"),
        GrantError::Grant => Refused(
            "invalid_grant",
            "it is not one of this client, has ended, was used, or comes without the verifier or redirect_uri it was made with",
        ),
        GrantError::Scope => Refused("invalid_scope", "more is asked for than was granted"),
        GrantError::Database(error) => return Err(error.into()),
        GrantError::Misconfigured(issue) => {
            return Err(Problem::new(Code::ConfigurationInvalid, issue.detail).into());
        }
        GrantError::Failed(text) => {
            call.context.log(crate::ports::Level::Error, &text);
            return Err(Problem::new(Code::Internal, "no token was made; the log has more under the request id").into());
        }
    })
}

/// A problem as OAuth tells it: the reader's fault is 400, ours stays what it is.
pub(super) fn told(problem: &Problem) -> Reply {
    let (status, error) = match problem.code.status() {
        status @ 503 => (status, "temporarily_unavailable"),
        status @ 500..=599 => (status, "server_error"),
        _ => (400, "invalid_request"),
    };
    let reply = Reply::json(status, &body(error, &problem.detail));
    match problem.retry_after {
        Some(wait) => reply.header("retry-after", crate::time::seconds_rounded_up(wait).max(1).to_string()),
        None => reply,
    }
}

/// The description may not have all characters (RFC 6749 §5.2).
fn body(error: &str, description: &str) -> Value {
    let plain = |character: char| match character {
        ' '..='!' | '#'..='[' | ']'..='~' => character,
        _ => '\'',
    };
    json!({"error": error, "error_description": description.chars().map(plain).collect::<String>()})
}
