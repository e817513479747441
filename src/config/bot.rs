//! The bot gate from the bindings. A site key without its secret would show a widget whose tokens nobody checks; a testing
//! secret passes everybody, which `prod` may not mean.

use super::{Environment, Reader};
use crate::{bot::Turnstile, secret::Secret};

/// How Turnstile's documented testing secrets begin: a digit, `x`, and zeros.
const TESTING: &str = "x0000000000000000000000000";

/// Reads it; `None`: there is no gate, or an issue says why.
pub(super) fn read(reader: &mut Reader, environment: Environment) -> Option<Turnstile> {
    let is_bad = reader.issues.iter().any(|issue| issue.variable == "TURNSTILE_SECRET_KEY");
    let site_key = reader.text("TURNSTILE_SITE_KEY");
    let Some(secret) = reader.secret("TURNSTILE_SECRET_KEY") else {
        if site_key.is_some() && !is_bad {
            let detail = "TURNSTILE_SECRET_KEY is missing: TURNSTILE_SITE_KEY is set";
            reader.problem("TURNSTILE_SECRET_KEY", detail.to_owned());
        }
        return None;
    };
    if environment == Environment::Production && is_testing(&secret) {
        let detail = "TURNSTILE_SECRET_KEY is one of Turnstile's testing secrets, which prod does not take";
        reader.problem("TURNSTILE_SECRET_KEY", detail.to_owned());
    }
    Some(Turnstile {
        site_key,
        secret,
        base: reader.text("TURNSTILE_API_BASE").unwrap_or_default(),
        hostnames: reader.list("TURNSTILE_HOSTNAMES"),
        action: reader.text("TURNSTILE_ACTION"),
    })
}

fn is_testing(secret: &Secret) -> bool {
    secret.expose().get(1..).is_some_and(|rest| rest.starts_with(TESTING))
}
