//! The origin of a page, as browsers send it (RFC 6454 §6.2): scheme, host, port where it is not the scheme's own.

use crate::config::is_loopback_host;

/// An origin that an app's pages may have: https, or http on this machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(String);

/// The longest one, in characters.
pub const MAX_LENGTH: usize = 300;

impl Origin {
    /// Parses what an operator writes: a single trailing slash, upper case and the scheme's own port are forgiven, since
    /// no browser sends them. `None`: it is no origin, has a wildcard, or is http elsewhere than on this machine.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://")?;
        Self::of(scheme, authority).filter(|origin| origin.0.len() <= MAX_LENGTH)
    }

    /// The origin of a scheme and an authority in lower case.
    pub(super) fn of(scheme: &str, authority: &str) -> Option<Self> {
        let (host, port) = host_and_port(authority)?;
        let own = match scheme {
            "https" => 443,
            "http" if is_loopback_host(host) => 80,
            _ => return None,
        };
        Some(Self(match port.filter(|port| *port != own) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }))
    }

    /// As a browser sends it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The host and port of an authority without a user, in lower case.
fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        // An IPv6 literal has colons of its own.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    let is_literal = |inner: &str| inner.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    let good = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|inner| inner.contains(':') && is_literal(inner)),
        None => !host.is_empty() && !host.starts_with('.') && !host.contains("..") && host.bytes().all(is_name),
    };
    let port = match port {
        Some(digits) if digits.starts_with('0') || digits.bytes().any(|byte| !byte.is_ascii_digit()) => return None,
        Some(digits) => Some(digits.parse::<u16>().ok()?),
        None => None,
    };
    good.then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Origin::parse(text).map(|origin| origin.as_str().to_owned())
    }

    #[test]
    fn an_origin_is_kept_as_browsers_send_it() {
        for (typed, sent) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://App.Example.com/", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("https://app.example.com:8443", "https://app.example.com:8443"),
            ("http://localhost:80", "http://localhost"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
            ("https://10.0.0.1", "https://10.0.0.1"),
        ] {
            assert_eq!(parsed(typed).as_deref(), Some(sent), "{typed}");
            assert_eq!(parsed(sent).as_deref(), Some(sent), "{sent}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for bad in [
            "",
            "null",
            "*",
            "https://",
            "https://*",
            "https://*.example.com",
            "http://app.example.com",
            "http://192.168.0.2:3000",
            "http://localhost.example.com",
            "ftp://localhost",
            "app.example.com",
            "https://a.b/path",
            "https://a.b//",
            "https://a.b?x",
            "https://a.b#x",
            "https://user@a.b",
            "https://a.b:",
            "https://a.b:0",
            "https://a.b:080",
            "https://a.b:65536",
            "https://a.b:8a",
            "https://a b",
            "https://a..b",
            "https://.a",
            "https://[::1",
            "https://::1",
            "https://[abc]",
            "https://bücher.example",
            "android:apk-key-hash:x",
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
        assert_eq!(parsed(&format!("https://{}.com", "a".repeat(300))), None);
    }
}
