//! The table as documents: `docs/configuration.md` and `.dev.vars.example`. `make generate` writes them,
//! and a test fails while they are stale.

use std::fmt::Write as _;

use super::{Stops, VARIABLES, Variable, value};

/// The variables' part of `docs/configuration.md`.
pub fn markdown() -> String {
    let mut text = String::new();
    for (group, variables) in groups() {
        let _ = write!(text, "\n### {group}\n\n| variable | form | default | meaning |\n| --- | --- | --- | --- |\n");
        for variable in variables {
            let name = match variable.alias {
                Some(alias) => format!("`{}` (also `{alias}`)", variable.name),
                None => format!("`{}`", variable.name),
            };
            let marks = match (variable.required, variable.secret) {
                (true, true) => "**required**, secret; ",
                (true, false) => "**required**; ",
                (false, true) => "secret; ",
                (false, false) => "",
            };
            let default =
                variable.default.filter(|text| !text.is_empty()).map_or("–".to_owned(), |text| format!("`{text}`"));
            let later =
                if variable.stops == Stops::Nothing { " *(checked now, takes effect with its feature)*" } else { "" };
            let form = value::wanted(variable.kind).replace('|', "\\|");
            let _ = writeln!(text, "| {name} | {marks}{form} | {default} | {}{later} |", variable.meaning);
        }
    }
    text
}

/// The whole of `.dev.vars.example`.
pub fn dev_vars_example() -> String {
    let mut text =
        "# Local secrets and variables for `wrangler dev`. `make dev` writes a `.dev.vars` with fresh secrets;\n\
        # it is never overwritten, so what you add there stays. This file is generated: `make generate`.\n\
        # JSON goes bare or in single quotes; an unquoted # ends the line. All of it: docs/configuration.md\n"
            .to_owned();
    for (group, variables) in groups() {
        let _ = write!(text, "\n# {group}\n");
        for variable in variables {
            let later = if variable.stops == Stops::Nothing { " (takes effect with its feature)" } else { "" };
            let _ = writeln!(text, "# {}{later}", variable.meaning.replace('`', ""));
            let example = match (variable.example, variable.default) {
                ("", Some(default)) => default,
                (example, _) => example,
            };
            let comment = if ["ENVIRONMENT", "DEV_TOOLS"].contains(&variable.name) { "" } else { "# " };
            let _ = writeln!(text, "{comment}{}={example}", variable.name);
        }
    }
    text
}

fn groups() -> Vec<(&'static str, Vec<&'static Variable>)> {
    let mut groups: Vec<(&'static str, Vec<&'static Variable>)> = Vec::new();
    for variable in VARIABLES {
        match groups.iter_mut().find(|(group, _)| *group == variable.group) {
            Some((_, variables)) => variables.push(variable),
            None => groups.push((variable.group, vec![variable])),
        }
    }
    groups
}
