//! What pages of other origins may read (Fetch Standard, CORS protocol): the headers, from the origin that asks and
//! whether it is allowed. Who is allowed is the database's to say (`app/store.rs`).

/// Who may read an operation's answers in a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody: the server API, carriers' callbacks, development tools.
    Nobody,
    /// Anybody: what is public, and the same for everybody.
    Anybody,
    /// Pages of the app's origins.
    Apps {
        /// Whether a cookie is meant; else who calls is known by a token in a header, and no cookie goes along.
        cookies: bool,
    },
}

/// Headers of an answer.
pub type Headers = Vec<(&'static str, String)>;

const REQUEST_HEADERS: &str = "authorization, content-type, idempotency-key";
const RESPONSE_HEADERS: &str = "x-request-id, retry-after, www-authenticate";
/// Seconds that a browser keeps what a preflight said: an origin that is taken away is asked about again soon.
const MAX_AGE: &str = "600";

impl Sharing {
    /// The headers of an answer, a refusal too: a page that may call has to be able to read why not.
    pub fn of_answer(self, origin: Option<&str>, is_allowed: bool) -> Headers {
        let mut headers = self.of_any(origin, is_allowed);
        if is_shared(&headers) {
            headers.push(("access-control-expose-headers", RESPONSE_HEADERS.to_owned()));
        }
        headers
    }

    /// The headers of the answer to a preflight of a path with these methods.
    pub fn of_preflight(self, origin: Option<&str>, is_allowed: bool, methods: &[&str]) -> Headers {
        let mut headers = self.of_any(origin, is_allowed);
        if is_shared(&headers) {
            headers.push(("access-control-allow-methods", methods.join(", ")));
            headers.push(("access-control-allow-headers", REQUEST_HEADERS.to_owned()));
            headers.push(("access-control-max-age", MAX_AGE.to_owned()));
        }
        headers
    }

    fn of_any(self, origin: Option<&str>, is_allowed: bool) -> Headers {
        const ALLOW_ORIGIN: &str = "access-control-allow-origin";
        let cookies = match self {
            Self::Nobody => return Vec::new(),
            Self::Anybody => return vec![(ALLOW_ORIGIN, "*".to_owned())],
            Self::Apps { cookies } => cookies,
        };
        // Also where nobody is allowed: a cache must not give that answer to a page that is.
        let mut headers = vec![("vary", "Origin".to_owned())];
        // `null` is every sandboxed page's and every file's: it is nobody's.
        if let Some(origin) = origin.filter(|origin| is_allowed && *origin != "null") {
            headers.push((ALLOW_ORIGIN, origin.to_owned()));
            if cookies {
                headers.push(("access-control-allow-credentials", "true".to_owned()));
            }
        }
        headers
    }
}

fn is_shared(headers: &Headers) -> bool {
    headers.iter().any(|(name, _)| *name == "access-control-allow-origin")
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "https://app.example.com";
    const ALL: [Sharing; 4] =
        [Sharing::Nobody, Sharing::Anybody, Sharing::Apps { cookies: false }, Sharing::Apps { cookies: true }];

    fn has(headers: &Headers, name: &str) -> Option<String> {
        let values: Vec<&String> = headers.iter().filter(|(known, _)| *known == name).map(|(_, value)| value).collect();
        assert!(values.len() <= 1, "{name} is there twice");
        values.first().map(|value| (*value).clone())
    }

    #[test]
    fn an_allowed_origin_is_told_what_it_may_do() {
        let headers = Sharing::Apps { cookies: false }.of_preflight(Some(APP), true, &["GET", "POST"]);
        let wanted = [
            ("vary", "Origin"),
            ("access-control-allow-origin", APP),
            ("access-control-allow-methods", "GET, POST"),
            ("access-control-allow-headers", "authorization, content-type, idempotency-key"),
            ("access-control-max-age", "600"),
        ];
        assert_eq!(headers, wanted.map(|(name, value)| (name, value.to_owned())));
        let headers = Sharing::Apps { cookies: true }.of_answer(Some(APP), true);
        let wanted = [
            ("vary", "Origin"),
            ("access-control-allow-origin", APP),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", "x-request-id, retry-after, www-authenticate"),
        ];
        assert_eq!(headers, wanted.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn another_origin_is_told_nothing_and_caches_know_why() {
        for sharing in [Sharing::Apps { cookies: false }, Sharing::Apps { cookies: true }] {
            for (origin, is_allowed) in [(None, false), (None, true), (Some(APP), false), (Some("null"), true)] {
                let wanted = vec![("vary", "Origin".to_owned())];
                assert_eq!(sharing.of_answer(origin, is_allowed), wanted, "{origin:?}");
                assert_eq!(sharing.of_preflight(origin, is_allowed, &["GET"]), wanted, "{origin:?}");
            }
        }
    }

    #[test]
    fn the_server_api_has_no_headers_and_what_is_public_no_cookies() {
        for (origin, is_allowed) in [(None, false), (Some(APP), false), (Some(APP), true)] {
            for headers in [
                Sharing::Nobody.of_answer(origin, is_allowed),
                Sharing::Nobody.of_preflight(origin, is_allowed, &["GET"]),
            ] {
                assert_eq!(headers, []);
            }
            for sharing in ALL {
                for headers in
                    [sharing.of_answer(origin, is_allowed), sharing.of_preflight(origin, is_allowed, &["GET"])]
                {
                    let anybody = has(&headers, "access-control-allow-origin").as_deref() == Some("*");
                    assert_eq!(anybody, sharing == Sharing::Anybody);
                    let cookies = has(&headers, "access-control-allow-credentials").is_some();
                    assert!(!(anybody && cookies), "{sharing:?}");
                    assert!(!cookies || sharing == Sharing::Apps { cookies: true }, "{sharing:?}");
                }
            }
        }
    }
}
