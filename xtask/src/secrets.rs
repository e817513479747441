//! Fresh secrets: the first server key and the two key rings.

use std::{fs, path::Path};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::json;

struct Secrets {
    server_api_key: String,
    encryption_keys: String,
    code_pepper: String,
}

#[allow(clippy::disallowed_methods, reason = "a tool of the developer's machine has no ports")]
fn fresh() -> Result<Secrets, String> {
    let bytes = || -> Result<[u8; 32], String> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| format!("no randomness: {error}"))?;
        Ok(bytes)
    };
    let ring = || -> Result<String, String> {
        Ok(json!({"current": "k1", "keys": {"k1": STANDARD.encode(bytes()?)}}).to_string())
    };
    Ok(Secrets {
        server_api_key: format!("sk_live_{}", URL_SAFE_NO_PAD.encode(bytes()?)),
        encryption_keys: ring()?,
        code_pepper: ring()?,
    })
}

/// Prints them as the JSON that `wrangler secret bulk` reads.
pub fn print() -> Result<(), String> {
    let secrets = fresh()?;
    let json = json!({
        "SERVER_API_KEY": secrets.server_api_key,
        "ENCRYPTION_KEYS": secrets.encryption_keys,
        "CODE_PEPPER": secrets.code_pepper,
    });
    println!("{json:#}");
    Ok(())
}

/// Writes `.dev.vars`, readable by its owner only. One that is there stays as it is.
pub fn write_dev_vars() -> Result<(), String> {
    let path = Path::new(".dev.vars");
    if path.exists() {
        return Ok(());
    }
    let secrets = fresh()?;
    let text = format!(
        "# Local secrets and variables, made once by `make dev` and never overwritten.\n\
         # What you add here holds at the next start. All variables: .dev.vars.example, docs/configuration.md\n\
         ENVIRONMENT=dev\nDEV_TOOLS=on\n\
         SERVER_API_KEY={}\nENCRYPTION_KEYS='{}'\nCODE_PEPPER='{}'\n",
        secrets.server_api_key, secrets.encryption_keys, secrets.code_pepper
    );
    write_private(path, &text).map_err(|error| format!(".dev.vars: {error}"))?;
    eprintln!("xtask: wrote .dev.vars with fresh secrets");
    Ok(())
}

#[cfg(unix)]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[cfg(not(unix))]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use postern::config::{Config, Stops};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn fresh_secrets_are_what_the_configuration_wants_and_differ_each_time() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(one.server_api_key, other.server_api_key);
        let vars = [
            ("ENVIRONMENT", "dev"),
            ("SERVER_API_KEY", &one.server_api_key),
            ("ENCRYPTION_KEYS", &one.encryption_keys),
            ("CODE_PEPPER", &one.code_pepper),
        ];
        let vars =
            vars.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<Vec<(String, Value)>>();
        assert_eq!(Config::read(&vars.into_iter().collect()).blocking(Stops::Everything), None);
    }
}
