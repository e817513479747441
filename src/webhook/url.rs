//! Where events may go. In `prod` to a public name over https; what is not the network's is told by its spelling, since
//! a Worker has no resolver (`docs/decisions/0041`). The URL is read as browsers read it, so that nobody reads it otherwise.

/// Names that are nobody's on the public network (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`).
const PRIVATE: [&str; 10] =
    ["localhost", "local", "internal", "localdomain", "lan", "home", "corp", "intranet", "arpa", "invalid"];

/// What is wrong with a URL as an endpoint's; `None`: nothing.
pub fn fault(url: &str, is_production: bool) -> Option<&'static str> {
    let (is_https, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Some("a URL is wanted that begins with https://"),
    };
    // Browsers take `\` for `/`, and drop tabs and line breaks.
    if !url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#\"<>^`{|}".contains(&byte)) {
        return Some("visible ASCII characters without a fragment are wanted");
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("no user or password may stand in it: the signature says who it is from");
    }
    let Some((host, port)) = host_and_port(authority) else { return Some("its host or port cannot be read") };
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
        return Some("its port is none");
    }
    if !is_production {
        return None;
    }
    if !is_https {
        return Some("in prod https is wanted");
    }
    public_name(&host.to_ascii_lowercase()).err()
}

/// An authority's host and port. Only what can stand in a name or an address.
fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        address.parse::<std::net::Ipv6Addr>().ok()?;
        return Some((authority, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) }));
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_plain)).then_some((host, port))
}

/// Whether a host is a name on the public network, and no address in any spelling.
fn public_name(host: &str) -> Result<(), &'static str> {
    const NO_NAME: &str = "in prod a public name like hooks.example.com is wanted";
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let Some((_, last)) = host.rsplit_once('.') else { return Err(NO_NAME) };
    if host.len() > 253 || !host.split('.').all(is_label) {
        return Err(NO_NAME);
    }
    // A host whose last part is a number is an IPv4 address, also in octal, in hexadecimal and shortened (URL Standard,
    // "ends in a number checker"). No top-level domain begins with a digit.
    if last.starts_with(|first: char| first.is_ascii_digit()) {
        return Err("in prod a name is wanted, no address");
    }
    if PRIVATE.contains(&last) {
        return Err("in prod a name on the public network is wanted");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_prod_only_public_names_over_https() {
        for good in [
            "https://hooks.example.com/events",
            "https://hooks.example.com",
            "https://HOOKS.example.com:8443/a?b=c&d=%20",
            "https://xn--bcher-kva.example/",
            "https://127.0.0.1.example.com/",
        ] {
            assert_eq!(fault(good, true), None, "{good}");
        }
        for bad in [
            "http://hooks.example.com/",
            "HTTPS://hooks.example.com/",
            "//hooks.example.com/",
            "ftp://hooks.example.com/",
            "https:hooks.example.com",
            "https:///hooks.example.com/",
            "https://",
            "https://?x",
            "https://user@hooks.example.com/",
            "https://user:pass@hooks.example.com/",
            "https://hooks.example.com@127.0.0.1/",
            "https://hooks.example.com\\@127.0.0.1/",
            "https://hooks.example.com\\.evil.example/",
            "https://hooks.example.com/#x",
            "https://hooks.example.com/ x",
            "https://hooks.example.com/\n",
            "https://hooks.example.com:0/",
            "https://hooks.example.com:65536/",
            "https://hooks.example.com:x/",
            "https://hooks.example.com:/",
            // Addresses, as URLs spell them.
            "https://127.0.0.1/",
            "https://127.1/",
            "https://127.0.0.1./",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0x7f000001/",
            "https://a.0x7f/",
            "https://0177.0.0.1/",
            "https://10.0.0.1/",
            "https://192.168.0.1:8080/",
            "https://169.254.169.254/latest/meta-data",
            "https://8.8.8.8/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00::1]:443/",
            "https://%31%32%37.0.0.1/",
            "https://①②⑦.0.0.1/",
            // Names of nobody.
            "https://localhost/",
            "https://LOCALHOST/",
            "https://app.localhost/",
            "https://localhost./",
            "https://intranet/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://router.home.arpa/",
            "https://1.0.0.127.in-addr.arpa/",
            "https://hooks..example.com/",
            "https://.example.com/",
            "https://-a.example.com/",
            "https://a_b.example.com/",
        ] {
            assert!(fault(bad, true).is_some(), "{bad}");
        }
        assert!(fault(&format!("https://{}.example.com/", "a".repeat(64)), true).is_some());
    }

    #[test]
    fn outside_prod_this_machine_and_http_are_fine() {
        for good in ["http://localhost:8080/hook", "http://127.0.0.1:9/hook", "http://[::1]:9/", "https://intranet/x"] {
            assert_eq!(fault(good, false), None, "{good}");
        }
        for bad in ["localhost:8080", "http://", "http://a@localhost/", "http://[::1/", "http://[x]/", "http://a b/"] {
            assert!(fault(bad, false).is_some(), "{bad}");
        }
    }
}
