//! A fake of the service that knows the passwords of breaches: it checks what it is asked as the real one does.

use sha1::{Digest, Sha1};

/// The SHA-1 of a password in capital hexadecimal.
pub fn sha1(password: &str) -> String {
    let digest: [u8; 20] = Sha1::digest(password.as_bytes()).into();
    let hash = u128::from_be_bytes(digest[..16].try_into().unwrap());
    let rest = u32::from_be_bytes(digest[16..].try_into().unwrap());
    format!("{hash:032X}{rest:08X}")
}

/// The answer to a range, padded; or what is wrong with the request.
pub fn range(
    prefix: &str,
    method: &str,
    padding: Option<&str>,
    body: &str,
    breached: &[String],
) -> Result<String, String> {
    let is_prefix = prefix.len() == 5 && prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    if method != "GET" || padding != Some("true") || !body.is_empty() || !is_prefix {
        return Err(format!("{method} a range of {} characters", prefix.len()));
    }
    let hashes = breached.iter().map(|password| sha1(password));
    let suffixes = hashes.filter_map(|hash| hash.strip_prefix(prefix).map(|suffix| format!("{suffix}:7")));
    let padding = (0..850).map(|n| format!("{}:0", sha1(&format!("padding {n}")).split_at(5).1));
    Ok(suffixes.chain(padding).collect::<Vec<_>>().join("\r\n"))
}
