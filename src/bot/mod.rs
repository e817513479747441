//! The bot gate: before an embedded flow costs a message, the page's Turnstile widget says that a browser is behind it.
//! Only the service knows whether a token is good, so its silence is a refusal (law 9).

mod verdict;

use std::time::Duration;

use serde_json::json;

use crate::{
    config::{Issue, Stops},
    context::Context,
    ports::{FetchError, Level, OutgoingRequest, Random},
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

/// Checks the token of a flow that begins. Without the variables there is no gate, and everybody passes. What is asked
/// twice has the same key, so that an answer that was lost uses nothing up.
pub async fn check(context: &Context, token: Option<&str>) -> Result<(), BotError> {
    if let Some(issue) = context.config().blocking(Stops::BotCheck) {
        return Err(BotError::Misconfigured(issue.clone()));
    }
    let Some(turnstile) = &context.config().turnstile else { return Ok(()) };
    let required = || BotError::Required { site_key: turnstile.site_key.clone() };
    let token = token.filter(|token| !token.is_empty() && token.len() <= LONGEST).ok_or_else(required)?;
    let body = json!({
        "secret": turnstile.secret.expose(),
        "response": token,
        "remoteip": context.client().ip,
        "idempotency_key": uuid(&*context.ports().random),
    });
    let mut silent = "";
    for _ in 0..2 {
        match ask(context, turnstile, body.to_string()).await {
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

/// A random UUID, which the service wants for such a key (RFC 9562 §5.4).
fn uuid(random: &dyn Random) -> String {
    let number = u128::from_be_bytes(random.bytes::<16>());
    let number = number & !(0xF << 76) & !(0x3 << 62) | 4 << 76 | 2 << 62;
    let part = |from: u32, digits: u32| number >> from & ((1 << (digits * 4)) - 1);
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", part(96, 8), part(80, 4), part(64, 4), part(48, 4), part(0, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ones;

    impl Random for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xFF);
        }
    }

    #[test]
    fn a_key_is_a_uuid_of_version_4() {
        assert_eq!(uuid(&Ones), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
