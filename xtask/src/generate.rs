//! What is generated from the code's tables: `.dev.vars.example` and `docs/configuration.md`.
//! `--check` fails when the tree is stale; a test does the same.

use std::fs;

use postern::documents::documents;

pub fn run(arguments: &[String]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("generate takes --check or nothing".to_owned()),
    };
    for (path, wanted) in documents() {
        let there = fs::read_to_string(path).unwrap_or_default();
        if there == wanted {
            continue;
        }
        if check {
            return Err(format!("{path} is stale: run `make generate` and commit it"));
        }
        fs::write(path, wanted).map_err(|error| format!("{path}: {error}"))?;
        eprintln!("xtask: wrote {path}");
    }
    Ok(())
}
