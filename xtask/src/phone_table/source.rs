//! Finds the metadata on this machine.
//! It ships inside the crate `rlibphonenumber`, which `Cargo.lock` pins.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The crate that carries the metadata, and its release that the checked-in table is made from.
pub const CRATE: (&str, &str) = ("rlibphonenumber", "2.2.15");

/// The release of libphonenumber whose metadata that crate's release carries. The bytes do not
/// say it; the crate's readme does, and every pattern in them was compared with the published
/// 9.0.42 data.
pub const METADATA_RELEASE: &str = "9.0.42";

/// Where the metadata lies within the crate's source.
const WITHIN: &str = "src/generated/metadata/metadata.bin";

/// The path of the metadata in Cargo's copy of the crate's source, which `cargo metadata`
/// downloads if it is not there yet.
pub fn locate(root: &Path) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .map_err(|why| format!("cannot run cargo metadata: {why}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|why| why.to_string())?;
    let manifest = answer["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == CRATE.0 && package["version"] == CRATE.1)
        .and_then(|package| package["manifest_path"].as_str())
        .ok_or_else(|| format!("Cargo.lock does not pin {} {}", CRATE.0, CRATE.1))?;
    Path::new(manifest).parent().map(|folder| folder.join(WITHIN)).ok_or_else(|| "the crate has no folder".to_owned())
}
