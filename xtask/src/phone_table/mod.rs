//! Makes the phone number table that the Worker carries, `src/phone/table.bin`, and the examples
//! its tests read, `tests/data/phone_examples.tsv`.
//!
//! The facts come from libphonenumber's metadata (Google, Apache-2.0; see `NOTICE`), release
//! 9.0.42. Its built form ships in the source of the crate `rlibphonenumber` 2.2.15, which the
//! project's tests use as an oracle and `Cargo.lock` pins, so the generator finds it through
//! `cargo metadata` and nothing has to be downloaded by hand:
//!
//! ```text
//! cargo run -p xtask -- phone-table                  # writes both files
//! cargo run -p xtask -- phone-table --check          # fails if they differ
//! cargo run -p xtask -- phone-table --metadata FILE  # from another PhoneMetadataCollection
//! ```
//!
//! To move to a newer release: raise `rlibphonenumber` in `Cargo.toml`, state the release its
//! readme names in `source.rs`, run the generator and the tests. The same input always gives the
//! same bytes.

mod automaton;
mod encode;
mod examples;
mod pattern;
mod plan;
mod protobuf;
mod source;

use std::path::{Path, PathBuf};

const TABLE: &str = "src/phone/table.bin";
const EXAMPLES: &str = "tests/data/phone_examples.tsv";

/// Runs the chore with the arguments after its name.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let mut check = false;
    let mut metadata = None;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => check = true,
            "--metadata" => {
                let path = arguments.next().ok_or("--metadata wants a file")?;
                metadata = Some(PathBuf::from(path));
            }
            other => return Err(format!("phone-table does not know {other}")),
        }
    }
    let metadata = metadata.map_or_else(|| source::locate(&root()?), Ok)?;
    for (name, made) in make(&metadata)? {
        let path = root()?.join(name);
        let old = std::fs::read(&path).unwrap_or_default();
        println!("{name}: {} bytes{}", made.len(), if old == made { "" } else { ", changed" });
        if old == made {
            continue;
        }
        if check {
            return Err(format!("{name} is not what the metadata gives; run phone-table"));
        }
        std::fs::write(&path, made).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    Ok(())
}

/// The files the metadata gives, each with its path within the project.
fn make(metadata: &Path) -> Result<[(&'static str, Vec<u8>); 2], String> {
    let bytes = std::fs::read(metadata).map_err(|why| format!("{}: {why}", metadata.display()))?;
    let territories = protobuf::territories(&bytes)?;
    let mut automaton = automaton::Automaton::new();
    let mut verdicts = Vec::new();
    let plans = plan::plans(&territories, &mut automaton, &mut verdicts)?;
    let table = encode::table(&plans, &automaton, &verdicts)?;
    Ok([(TABLE, table), (EXAMPLES, examples::lines(&territories).into_bytes())])
}

fn root() -> Result<PathBuf, String> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| "xtask has no project around it".to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_files_are_what_the_metadata_gives() {
        super::run(&["--check".to_owned()]).expect("the checked-in files differ");
    }
}
