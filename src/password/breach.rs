//! Whether a password was seen in a breach, asked without telling it: five characters of its SHA-1 go out, all
//! hashes that begin with them come back, padded so that their number says nothing (the range form of Pwned
//! Passwords, k-anonymity). A service that does not answer in time blocks nobody: the outcome is unknown, and said so.

use std::{fmt::Write, time::Duration};

use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::typed::Password;
use crate::ports::{Fetch, FetchError, OutgoingRequest, RESPONSE_LIMIT};

/// How long the service may take. A person is waiting.
pub const TIME_LIMIT: Duration = Duration::from_secs(1);

/// What asking came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was seen so many times.
    Seen(u64),
    /// It was not seen.
    NotSeen,
    /// Nobody knows; the password is taken.
    Unknown(Why),
}

/// Why nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The time limit passed.
    Timeout,
    /// No connection.
    Network,
    /// The service answered another status than 200.
    Status(u16),
    /// The service answered something else than hashes.
    Malformed,
    /// The answer was cut off before the hash could be in it.
    TooLong,
}

impl Why {
    /// The stable word for events and the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Status(_) => "status",
            Self::Malformed => "malformed",
            Self::TooLong => "too_long",
        }
    }
}

/// Asks the service at `base`, such as `https://api.pwnedpasswords.com`.
pub async fn ask(fetch: &dyn Fetch, base: &str, password: &Password) -> Outcome {
    let hash = sha1(password);
    let (prefix, suffix) = hash.split_at(5);
    let request = OutgoingRequest {
        method: "GET",
        url: format!("{}/range/{prefix}", base.trim_end_matches('/')),
        headers: vec![
            ("accept", "text/plain".to_owned()),
            ("add-padding", "true".to_owned()),
            ("user-agent", "postern".to_owned()),
        ],
        body: String::new(),
        timeout: TIME_LIMIT,
    };
    match fetch.fetch(request).await {
        Ok(response) if response.status == 200 => read(&response.body, suffix),
        Ok(response) => Outcome::Unknown(Why::Status(response.status)),
        Err(FetchError::Timeout) => Outcome::Unknown(Why::Timeout),
        Err(FetchError::Network) => Outcome::Unknown(Why::Network),
    }
}

/// The SHA-1 of a password in capital hexadecimal.
fn sha1(password: &Password) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(40));
    for byte in Sha1::digest(password.expose().as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// Looks for a suffix among lines of `suffix:count`. A count of zero is padding.
fn read(body: &str, suffix: &str) -> Outcome {
    let mut lines = 0;
    for line in body.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some((hash, count)) = line.split_once(':').filter(|(hash, _)| is_suffix(hash)) else {
            // The last line of an answer that was cut.
            if body.len() >= RESPONSE_LIMIT && lines > 0 {
                break;
            }
            return Outcome::Unknown(Why::Malformed);
        };
        lines += 1;
        if hash.eq_ignore_ascii_case(suffix) {
            return match count.parse() {
                Ok(0) => Outcome::NotSeen,
                Ok(count) => Outcome::Seen(count),
                Err(_) => Outcome::Unknown(Why::Malformed),
            };
        }
    }
    match lines {
        _ if body.len() >= RESPONSE_LIMIT => Outcome::Unknown(Why::TooLong),
        0 => Outcome::Unknown(Why::Malformed),
        _ => Outcome::NotSeen,
    }
}

fn is_suffix(text: &str) -> bool {
    text.len() == 35 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
