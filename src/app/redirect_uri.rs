//! Where authorization codes may go: parsed once, compared byte by byte (RFC 9700 §2.1), but for the port of a native
//! app on this machine (RFC 8252 §7.3).

use super::{AppType, Origin};

/// A redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri(String);

/// The longest one, in characters.
pub const MAX_LENGTH: usize = 2000;

/// What the literal addresses of this machine begin with. `localhost` is a name, and names may lead elsewhere (§8.3).
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

impl RedirectUri {
    /// Parses one; else a sentence that says what is wanted and repeats nothing.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains('#') {
            return Err("a redirect URI has no fragment");
        }
        if text.contains('*') {
            return Err("a redirect URI has no wildcard: each stands by itself");
        }
        if text.len() > MAX_LENGTH || !text.bytes().all(is_of_a_uri) {
            return Err("an absolute URI of at most 2000 characters is wanted, others percent-encoded");
        }
        let Some((scheme, rest)) = text.split_once(':') else { return Err("an absolute URI is wanted") };
        let is_good = match scheme {
            "https" | "http" => origin(text).is_some(),
            scheme if is_private_use(scheme) => rest.starts_with('/') && !rest.contains('@'),
            _ => return Err("https is wanted, http on this machine only, or a native app's scheme with a dot in it"),
        };
        if is_good {
            return Ok(Self(text.to_owned()));
        }
        Err(
            "an absolute URI like https://app.example.com/callback is wanted: host in lower case, no user, http on this machine only",
        )
    }

    /// Whether what a client presents is this one.
    pub fn matches(&self, presented: &str, kind: AppType) -> bool {
        if self.0 == presented {
            return true;
        }
        let ports_differ = || {
            LOOPBACK.iter().any(|address| {
                let after = |text: &'_ str| text.strip_prefix(address).and_then(without_port).map(str::to_owned);
                after(&self.0).is_some_and(|registered| after(presented) == Some(registered))
            })
        };
        kind == AppType::Native && ports_differ()
    }

    /// Whether it is in a scheme of a native app's own (RFC 8252 §7.1).
    pub fn is_private_use(&self) -> bool {
        self.origin().is_none()
    }

    /// The origin of the page there; `None`: it is no page.
    pub fn origin(&self) -> Option<Origin> {
        origin(&self.0)
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The origin of an https or http URI whose host is in lower case.
fn origin(text: &str) -> Option<Origin> {
    let (scheme, rest) = text.split_once("://")?;
    Origin::of(scheme, rest.split(['/', '?']).next().unwrap_or(rest))
}

/// What comes after the port, if there is one; `None`: something else stands where it should end.
fn without_port(after_host: &str) -> Option<&str> {
    let path = match after_host.strip_prefix(':') {
        Some(rest) => {
            let path = rest.trim_start_matches(|character: char| character.is_ascii_digit());
            let digits = rest.strip_suffix(path)?;
            digits.parse::<u16>().ok().filter(|port| *port > 0 && !digits.starts_with('0'))?;
            path
        }
        None => after_host,
    };
    (path.is_empty() || path.starts_with(['/', '?'])).then_some(path)
}

/// A scheme by a domain name turned round: `com.example.app`. Without a dot it could be anybody's, or `javascript`.
fn is_private_use(scheme: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    scheme.contains('.')
        && scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.split('.').all(is_label)
}

/// RFC 3986 §2.
fn is_of_a_uri(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_is_absolute_and_where_nobody_else_listens() {
        for good in [
            "https://app.example.com",
            "https://app.example.com/callback?from=postern",
            "https://app.example.com:8443/a/b",
            "http://localhost:5173/callback",
            "http://127.0.0.1/callback",
            "http://[::1]:8080/",
            "com.example.app:/oauth2redirect",
            "com.example.app://callback",
            "com.example.my-app:/",
        ] {
            assert!(RedirectUri::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/callback",
            "app.example.com/callback",
            "//app.example.com/callback",
            "http://app.example.com/callback",
            "http://localhost.example.com/",
            "https://app.example.com/#",
            "https://app.example.com/callback#x",
            "https://user@app.example.com/",
            "https://user:pass@app.example.com/",
            "https://app.example.com@evil.example/",
            "https://*.example.com/",
            "https://app.example.com/*",
            "https://app.example.com/a b",
            "https://app.example.com/\u{e9}",
            "https://app.example.com\\@evil.example/",
            "https://App.example.com/",
            "https://",
            "https:///callback",
            "https:app.example.com",
            "https://app.example.com:/",
            "https://app.example.com:x/",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp://callback",
            "MYAPP.x:/callback",
            "com..example:/callback",
            ".com:/callback",
            "com.example.app:callback",
            "com.example.app://user@callback",
            "ftp://app.example.com/",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad}");
        }
        assert!(RedirectUri::parse(&format!("https://a.example/{}", "x".repeat(1982))).is_ok());
        assert!(RedirectUri::parse(&format!("https://a.example/{}", "x".repeat(1983))).is_err());
    }

    /// RFC 9700 §2.1, RFC 8252 §7.3.
    #[test]
    fn it_is_compared_byte_by_byte_but_for_a_native_apps_port_on_this_machine() {
        let matches = |registered: &str, presented: &str, kind| {
            RedirectUri::parse(registered).is_ok_and(|uri| uri.matches(presented, kind))
        };
        for kind in AppType::ALL {
            let registered = "https://app.example.com/callback";
            assert!(matches(registered, registered, kind));
            for presented in [
                "https://app.example.com/callback/",
                "https://app.example.com/callback?x",
                "https://app.example.com/callback/..",
                "https://app.example.com/Callback",
                "https://app.example.com:443/callback",
                "https://app.example.com/%63allback",
                "https://app.example.com/callback#",
                "http://app.example.com/callback",
                "https://app.example.com",
                "",
            ] {
                assert!(!matches(registered, presented, kind), "{presented}");
            }
        }
        for (registered, presented) in [
            ("http://127.0.0.1/callback", "http://127.0.0.1:51004/callback"),
            ("http://127.0.0.1:3000/callback", "http://127.0.0.1:51004/callback"),
            ("http://127.0.0.1:3000/callback", "http://127.0.0.1/callback"),
            ("http://[::1]/callback?a=b", "http://[::1]:1/callback?a=b"),
            ("http://127.0.0.1", "http://127.0.0.1:65535"),
        ] {
            assert!(matches(registered, presented, AppType::Native), "{registered} {presented}");
            for kind in [AppType::Browser, AppType::Web] {
                assert!(!matches(registered, presented, kind), "{registered} {presented}");
            }
        }
        for (registered, presented) in [
            ("http://127.0.0.1/callback", "http://127.0.0.1:51004/other"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:51004/callback?x"),
            ("http://127.0.0.1/callback", "http://[::1]:51004/callback"),
            ("http://127.0.0.1/callback", "http://localhost:51004/callback"),
            ("http://localhost/callback", "http://localhost:51004/callback"),
            ("http://127.0.0.1", "http://127.0.0.1.evil.example"),
            ("http://127.0.0.1", "http://127.0.0.1:1@evil.example"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:/callback"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:0/callback"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:080/callback"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:65536/callback"),
            ("http://127.0.0.1/callback", "https://127.0.0.1:51004/callback"),
            ("https://app.example.com/callback", "https://app.example.com:51004/callback"),
        ] {
            assert!(!matches(registered, presented, AppType::Native), "{registered} {presented}");
        }
    }

    #[test]
    fn the_origin_is_the_pages() {
        let origin =
            |text| RedirectUri::parse(text).ok().and_then(|uri| uri.origin()).map(|origin| origin.as_str().to_owned());
        assert_eq!(origin("https://app.example.com:443/a?b").as_deref(), Some("https://app.example.com"));
        assert_eq!(origin("http://localhost:5173?x").as_deref(), Some("http://localhost:5173"));
        assert_eq!(origin("com.example.app://callback"), None);
    }
}
