//! The bot gate: before an embedded flow costs a message, the page's Turnstile widget says that a browser is behind it.
//! Only the service knows whether a token is good, so its silence is a refusal (law 9).

mod verdict;

use std::time::Duration;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    config::{Issue, Stops},
    context::Context,
    ports::{FetchError, Level, OutgoingRequest},
    secret::Secret,
};
use verdict::{Verdict, read};

/// A Turnstile widget, as the variables have it. It has no `Debug`: it holds a secret.
#[derive(Clone)]
pub struct Turnstile {
    /// What the widget of the page needs; anybody may see it.
    pub site_key: Option<String>,
    /// What asking the service needs.
    pub secret: Secret,
    /// The service.
    pub base: String,
    /// The hosts whose tokens are taken; empty: all that the widget itself allows.
    pub hostnames: Vec<String>,
    /// The action that a token has to be of; `None`: any.
    pub action: Option<String>,
}

/// Why a flow does not begin.
#[derive(Debug)]
pub enum BotError {
    /// There is no good token: the page has to get one. What its widget needs comes with it.
    Required {
        /// The widget's key.
        site_key: Option<String>,
    },
    /// Nobody can tell now whether it is good.
    Unavailable,
    /// A variable of the gate is bad.
    Misconfigured(Issue),
}

/// How long each of two tries may take. A person is waiting.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// The longest token, as the service documents it.
const LONGEST: usize = 2048;

/// Checks the token of a flow that begins. Without the variables there is no gate, and everybody passes. A token is good
/// once; a request that asks again, since an answer was lost or since it is done once more under newer settings, asks with
/// the same key, and is told the same.
pub async fn check(context: &Context, token: Option<&str>) -> Result<(), BotError> {
    if let Some(issue) = context.config().blocking(Stops::BotCheck) {
        return Err(BotError::Misconfigured(issue.clone()));
    }
    let Some(turnstile) = &context.config().turnstile else { return Ok(()) };
    let required = || BotError::Required { site_key: turnstile.site_key.clone() };
    let token = token.filter(|token| !token.is_empty() && token.len() <= LONGEST).ok_or_else(required)?;
    let mut body = Map::new();
    body.insert("secret".to_owned(), turnstile.secret.expose().into());
    body.insert("response".to_owned(), token.into());
    body.extend(context.client().ip.clone().map(|ip| ("remoteip".to_owned(), ip.into())));
    body.insert("idempotency_key".to_owned(), uuid(context.request_id().as_str()).into());
    let body = Value::Object(body).to_string();
    let mut silent = "";
    for _ in 0..2 {
        match ask(context, turnstile, body.clone()).await {
            Verdict::Good => return Ok(()),
            Verdict::Bad => return Err(required()),
            Verdict::Unknown(why) => silent = why,
            Verdict::Refused(why) => {
                silent = why;
                break;
            }
        }
    }
    context.log(Level::Error, &format!("Turnstile gave no verdict ({silent}); no flow begins"));
    Err(BotError::Unavailable)
}

async fn ask(context: &Context, turnstile: &Turnstile, body: String) -> Verdict {
    let request = OutgoingRequest {
        method: "POST",
        url: format!("{}/turnstile/v0/siteverify", turnstile.base.trim_end_matches('/')),
        headers: vec![("content-type", "application/json".to_owned()), ("accept", "application/json".to_owned())],
        body,
        timeout: TIME_LIMIT,
    };
    match context.ports().fetch.fetch(request).await {
        Ok(response) => read(&response, &turnstile.hostnames, turnstile.action.as_deref()),
        Err(FetchError::Timeout) => Verdict::Unknown("timeout"),
        Err(FetchError::Network) => Verdict::Unknown("network"),
    }
}

/// A UUID of our own making for a request, which the service wants for such a key (RFC 9562 §5.8).
fn uuid(request: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(request.as_bytes()).into();
    let number = digest.first_chunk::<16>().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    let number = number & !(0xF << 76) & !(0x3 << 62) | 8 << 76 | 2 << 62;
    let part = |from: u32, digits: u32| number >> from & ((1 << (digits * 4)) - 1);
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", part(96, 8), part(80, 4), part(64, 4), part(48, 4), part(0, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requests_key_is_a_uuid_and_its_own() {
        // SHA-256 of "abc" (FIPS 180-4, example) with the version and variant set.
        assert_eq!(uuid("abc"), "ba7816bf-8f01-8fea-8141-40de5dae2223");
        assert_ne!(uuid("abc"), uuid("abd"));
    }
}
