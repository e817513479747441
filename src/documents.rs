//! What is generated from the code's tables and kept in the tree: `cargo xtask generate` writes it, and a test
//! fails while it is stale. Compiled natively only: the Worker carries none of it.

use std::fmt::Write as _;

use crate::{
    config, flow,
    limit::{LIMITS, Window},
    policy,
    schema::{Field, Shape},
    settings::SETTINGS,
};

/// Every generated file: its path from the root of the tree, and what it has to hold.
pub fn documents() -> [(&'static str, String); 4] {
    [
        (".dev.vars.example", config::dev_vars_example()),
        ("docs/configuration.md", configuration()),
        ("docs/flows.md", flow::document::markdown()),
        ("docs/policy.md", policy::markdown()),
    ]
}

/// The whole of `docs/configuration.md`.
fn configuration() -> String {
    let mut text = String::from(
        "# Configuration\n\n<!-- Generated from the code's tables by `make generate`. -->\n\n\
        One rule: **a setting stored by `PATCH /v1/instance` wins, else the binding, else the default.** \
        Variables live in `wrangler.toml` under `[vars]`; secrets in `.dev.vars` locally and in `wrangler secret` in production. \
        They may come as text, boolean, number or list. A value of the wrong form stops what depends on it, and nothing else: \
        `GET /health` and the log name the variable, what it got (never a secret) and what it wants. An empty value is the same as none.\n\n\
        ## Resources\n\n| binding | what |\n| --- | --- |\n| `DB` | D1, with the migrations of `migrations/` |\n| `KV` | KV, for what may be a minute old |\n\n\
        ## Variables\n",
    );
    text.push_str(&config::markdown());
    text.push_str(
        "\n## Settings\n\nStored by `PATCH /v1/instance` (scope `instance:write`), read by `GET /v1/instance`. A change holds at once \
        everywhere: every batch that decides is guarded by the settings' version. `\"inherit\"` or `null` goes back to the binding or default.\n\n\
        | setting | form | meaning |\n| --- | --- | --- |\n",
    );
    settings(SETTINGS, "", &mut text);
    text.push_str(
        "\n## Limits\n\nEach is one conditional SQL statement in the batch of what it guards: of N parallel requests exactly as many pass as it says. \
        A refusal counts nothing. 429 has `Retry-After`. Each is the setting `limits.` and its name.\n\n\
        | name | counts for | limit | window | cleared by | what |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for limit in &LIMITS {
        let window = match limit.window {
            Window::Life => "its life".to_owned(),
            Window::Seconds(seconds) => format!("{} minutes from the first", seconds / 60),
            Window::Refill(seconds) => format!("one more every {} minutes", seconds / 60),
            Window::UntilCleared => "until cleared".to_owned(),
            Window::Lockout => "`password.lockout_seconds` from the last".to_owned(),
            Window::Growing => "a day from the last; the wait grows from 30 seconds to 15 minutes".to_owned(),
        };
        let default = match limit.binding {
            Some(binding) => format!("{} (`{binding}`)", limit.default),
            None => limit.default.to_string(),
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {default} | {window} | {} | {} |",
            limit.name,
            limit.per.describe(),
            limit.cleared_by,
            limit.meaning
        );
    }
    text.push_str(
        "\nLifetimes: a code 5 minutes (`codes.lifetime_seconds`), a challenge 10, a proof 10 after it was verified, \
        an idempotency key 24 hours, one try at a carrier 4 seconds, all tries of a message 10.\n",
    );
    text
}

fn settings(fields: &[Field], prefix: &str, text: &mut String) {
    for field in fields {
        let path = format!("{prefix}{}", field.name);
        let form = match field.shape {
            Shape::Object(fields) => {
                settings(fields, &format!("{path}."), text);
                continue;
            }
            Shape::Integer(min, max) => format!("{min} to {max}"),
            Shape::Boolean => "true or false".to_owned(),
            Shape::OneOf(choices) => choices.join(", "),
            Shape::Timestamp => "date and time".to_owned(),
            Shape::List(..) => "list".to_owned(),
            Shape::Credential(_) => "secret, write-only".to_owned(),
            _ => "text".to_owned(),
        };
        let example = if field.example.is_empty() { String::new() } else { format!(", like `{}`", field.example) };
        let _ = writeln!(text, "| `{path}` | {form}{example} | {} |", field.meaning);
    }
}
