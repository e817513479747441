//! What the service's answer means. Good is only what is said to be good, in so many words.

use serde_json::Value;

use crate::ports::OutgoingResponse;

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A good token.
    Good,
    /// A bad one: forged, used, too old, or another site's.
    Bad,
    /// No verdict; another try may get one.
    Unknown(&'static str),
    /// No verdict, and the operator has to mend that.
    Refused(&'static str),
}

/// Reads the answer of siteverify.
pub(super) fn read(response: &OutgoingResponse, hostnames: &[String], action: Option<&str>) -> Verdict {
    if response.status >= 500 {
        return Verdict::Unknown("status");
    }
    let Ok(body) = serde_json::from_str::<Value>(&response.body) else { return Verdict::Unknown("malformed") };
    let said = |name: &str| body.get(name).and_then(Value::as_str);
    let codes = body.get("error-codes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is = |code: &str| codes.iter().any(|known| known == code);
    match body.get("success").and_then(Value::as_bool) {
        Some(true) if response.status == 200 => {
            let from_here = hostnames.is_empty()
                || said("hostname").is_some_and(|host| hostnames.iter().any(|known| known.eq_ignore_ascii_case(host)));
            let for_this = action.is_none_or(|action| said("action") == Some(action));
            if from_here && for_this { Verdict::Good } else { Verdict::Bad }
        }
        Some(false) if is("internal-error") => Verdict::Unknown("internal-error"),
        Some(false) if is("missing-input-secret") || is("invalid-input-secret") => {
            Verdict::Refused("it refuses TURNSTILE_SECRET_KEY")
        }
        Some(false) if is("bad-request") => Verdict::Refused("bad-request"),
        Some(false) => Verdict::Bad,
        _ => Verdict::Unknown("malformed"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(status: u16, body: &Value) -> Verdict {
        let response = OutgoingResponse { status, body: body.to_string() };
        read(&response, &["app.example.com".to_owned()], Some("sign_in"))
    }

    #[test]
    fn only_success_in_so_many_words_is_good() {
        let good = json!({"success": true, "hostname": "App.Example.com", "action": "sign_in", "error-codes": []});
        assert_eq!(verdict(200, &good), Verdict::Good);
        for (name, value) in [
            ("hostname", json!("evil.example.com")),
            ("hostname", json!("app.example.com.evil.example")),
            ("hostname", json!(null)),
            ("action", json!("sign_up")),
            ("action", json!(null)),
        ] {
            let mut other = good.clone();
            other[name] = value;
            assert_eq!(verdict(200, &other), Verdict::Bad, "{other}");
        }
        for success in [json!("true"), json!(1), json!(null)] {
            let mut other = good.clone();
            other["success"] = success;
            assert_eq!(verdict(200, &other), Verdict::Unknown("malformed"), "{other}");
        }
        assert_eq!(verdict(202, &good), Verdict::Unknown("malformed"));
        assert_eq!(verdict(500, &good), Verdict::Unknown("status"));
        assert_eq!(verdict(200, &json!([])), Verdict::Unknown("malformed"));
        // Where nothing is set, any host and action will do.
        let response = OutgoingResponse { status: 200, body: json!({"success": true}).to_string() };
        assert_eq!(read(&response, &[], None), Verdict::Good);
    }

    #[test]
    fn failures_are_the_pages_the_operators_or_the_services() {
        for (code, expected) in [
            ("invalid-input-response", Verdict::Bad),
            ("missing-input-response", Verdict::Bad),
            ("timeout-or-duplicate", Verdict::Bad),
            ("a-new-code", Verdict::Bad),
            ("invalid-input-secret", Verdict::Refused("it refuses TURNSTILE_SECRET_KEY")),
            ("missing-input-secret", Verdict::Refused("it refuses TURNSTILE_SECRET_KEY")),
            ("bad-request", Verdict::Refused("bad-request")),
            ("internal-error", Verdict::Unknown("internal-error")),
        ] {
            for status in [200, 400] {
                assert_eq!(verdict(status, &json!({"success": false, "error-codes": [code]})), expected, "{code}");
            }
        }
    }
}
