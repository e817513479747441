//! What is generated from the code's tables: `.dev.vars.example` and `docs/configuration.md`.
//! `--check` fails when the tree is stale, and so does the test below.

use std::{fmt::Write as _, fs, path::Path};

use postern::{
    config::{dev_vars_example, markdown},
    limit::{LIMITS, Window},
    schema::{Field, Shape},
    settings::SETTINGS,
};

pub fn run(arguments: &[String]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("generate takes --check or nothing".to_owned()),
    };
    for (path, wanted) in [(".dev.vars.example", dev_vars_example()), ("docs/configuration.md", configuration())] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        let there = fs::read_to_string(&file).unwrap_or_default();
        if there == wanted {
            continue;
        }
        if check {
            return Err(format!("{path} is stale: run `make generate` and commit it"));
        }
        fs::write(file, wanted).map_err(|error| format!("{path}: {error}"))?;
        eprintln!("xtask: wrote {path}");
    }
    Ok(())
}

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
    text.push_str(&markdown());
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
            Window::UntilCleared => "until cleared".to_owned(),
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
        an idempotency key 24 hours, one try at a carrier 4 seconds.\n",
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
            _ => "text".to_owned(),
        };
        let example = if field.example.is_empty() { String::new() } else { format!(", like `{}`", field.example) };
        let _ = writeln!(text, "| `{path}` | {form}{example} | {} |", field.meaning);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_generated_is_current() {
        super::run(&["--check".to_owned()]).unwrap();
    }
}
