//! The project's own chores, run as `cargo run -p xtask -- CHORE`; `make` calls them.

mod common_passwords;
mod generate;
mod phone_table;
mod secrets;
mod signatures;
mod traffic;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo run -p xtask -- CHORE
  generate [--check]                     writes (or checks) what is generated from the code's tables
  phone-table [--metadata FILE] [--check] makes (or checks) the phone number table from libphonenumber's metadata
  common-passwords FILE                  makes the list of common passwords from the npm package's file
  openapi                                prints the OpenAPI document, for scripts/validate-openapi.mjs
  signatures UNIX_SECONDS                prints signed webhooks, for scripts/verify-signatures.mjs
  traffic people=300 prefix=200 seed=1   prints people and attackers of the simulation, for examples/sms-fraud
  secrets                                prints fresh secrets as JSON, for `wrangler secret bulk`
  dev-vars                               writes .dev.vars with fresh secrets, unless there is one";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((chore, rest)) if chore == "generate" => generate::run(rest),
        Some((chore, rest)) if chore == "phone-table" => phone_table::run(rest),
        Some((chore, [file])) if chore == "common-passwords" => common_passwords::run(file),
        Some((chore, [])) if chore == "openapi" => openapi(),
        Some((chore, [at])) if chore == "signatures" => signatures::print(at),
        Some((chore, rest)) if chore == "traffic" => traffic::print(rest),
        Some((chore, [])) if chore == "secrets" => secrets::print(),
        Some((chore, [])) if chore == "dev-vars" => secrets::write_dev_vars(),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the contract as `GET /openapi.json` serves it.
fn openapi() -> Result<(), String> {
    let document = postern::http::contract::openapi(&postern::http::operations());
    println!("{document:#}");
    Ok(())
}
