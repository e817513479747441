//! Settings of passkeys: who the relying party is, from which pages, and whether users have to be verified.

use serde_json::{Value, json};

use super::at;
use crate::{
    config::{self, Config, Issue, Stops},
    schema::{Field, FieldCode, FieldError, Shape, field},
    webauthn::{RelyingParty, UserVerification},
};

/// The settings in effect.
#[derive(Clone, Debug)]
pub struct PasskeySettings {
    /// Whether new ones can be enrolled; enrolled ones work in any case.
    pub enabled: bool,
    /// Whether the variable says so, and not a setting.
    by_variable: bool,
    rp_id: Option<String>,
    origins: Vec<String>,
    user_verification: UserVerification,
}

/// `multi_factor.passkey`.
pub(super) const PASSKEY: &[Field] = &[
    field("enabled", Shape::Boolean, "Whether new ones can be enrolled; enrolled ones work on. Default: `ALLOW_PASSKEY_ENROLLMENT`")
        .example("true"),
    field(
        "rp_id",
        Shape::Text(253),
        "The domain that passkeys belong to; default: the host of `PUBLIC_URL`. Under another one no enrolled passkey works",
    )
    .example(r#""example.com""#),
    field(
        "origins",
        Shape::List(&Shape::Text(300), 20),
        "The pages that may use them, all under `rp_id`, and Android apps as `android:apk-key-hash:…`; default: `PUBLIC_URL`",
    )
    .example(r#"["https://app.example.com"]"#),
    field(
        "user_verification",
        Shape::OneOf(&["required", "preferred", "discouraged"]),
        "Whether a PIN, a finger or a face is asked for; only with it a passkey counts as two factors",
    )
    .example(r#""preferred""#),
];

impl PasskeySettings {
    pub(super) fn effective(stored: &Value, config: &Config) -> Self {
        let at = |name: &str| at(stored, &format!("multi_factor.passkey.{name}"));
        let text = |name| at(name).and_then(Value::as_str);
        let public_url = config.public_url.as_deref();
        Self {
            by_variable: at("enabled").is_none(),
            // What is stored and not a flag stops.
            enabled: at("enabled").map_or(config.allow_passkey_enrollment, |stored| stored.as_bool() == Some(true)),
            rp_id: text("rp_id").or_else(|| public_url.and_then(host)).map(str::to_owned),
            origins: match at("origins").and_then(Value::as_array) {
                Some(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                None => public_url.map(str::to_owned).into_iter().collect(),
            },
            user_verification: match text("user_verification") {
                None | Some("preferred") => UserVerification::Preferred,
                Some("discouraged") => UserVerification::Discouraged,
                Some(_) => UserVerification::Required,
            },
        }
    }

    /// What is wrong with the variable that switches them on, where no setting does.
    pub fn switch_issue(&self, config: &Config) -> Option<Issue> {
        issue(config, "ALLOW_PASSKEY_ENROLLMENT").filter(|_| self.by_variable)
    }

    /// Who asks, or what is missing to say so.
    pub fn relying_party(&self, config: &Config) -> Result<RelyingParty, Issue> {
        match &self.rp_id {
            Some(id) if !self.origins.is_empty() => Ok(RelyingParty {
                id: id.clone(),
                name: config.app_name.clone(),
                origins: self.origins.clone(),
                user_verification: self.user_verification,
            }),
            _ => Err(issue(config, "PUBLIC_URL").unwrap_or_else(|| Issue {
                variable: "PUBLIC_URL",
                stops: Stops::Nothing,
                detail: "PUBLIC_URL is missing, or names no domain: passkeys need it, or the settings \
                         multi_factor.passkey.rp_id and multi_factor.passkey.origins"
                    .to_owned(),
            })),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "enabled": self.enabled,
            "rp_id": self.rp_id,
            "origins": self.origins,
            "user_verification": self.user_verification.as_str(),
        })
    }
}

/// What is wrong with what will be stored: no browser takes an RP ID that is no domain, nor an origin beside it.
pub(super) fn check(stored: &Value, change: &Value, config: &Config) -> Vec<FieldError> {
    if at(change, "multi_factor.passkey").is_none() {
        return Vec::new();
    }
    let error = |name: &str, detail: &str| {
        vec![FieldError::new(format!("multi_factor.passkey.{name}"), FieldCode::Value, detail)]
    };
    let settings = PasskeySettings::effective(stored, config);
    let is_stored = |name: &str| at(stored, &format!("multi_factor.passkey.{name}")).is_some();
    match &settings.rp_id {
        Some(id) if is_stored("rp_id") && !is_domain(id) => {
            error("rp_id", "a domain like example.com is wanted, in lower case, without scheme, port or path")
        }
        Some(_) if settings.origins.is_empty() => error("origins", "at least one origin is wanted"),
        Some(id) if !settings.origins.iter().all(|origin| is_origin_of(origin, id)) => {
            let detail = "origins under rp_id like https://app.example.com are wanted, http for localhost only";
            if is_stored("origins") || is_stored("rp_id") { error("origins", detail) } else { Vec::new() }
        }
        None if is_stored("origins") => error("rp_id", "with origins it is wanted, since PUBLIC_URL is not set"),
        _ => Vec::new(),
    }
}

fn issue(config: &Config, variable: &str) -> Option<Issue> {
    config.issues().iter().find(|issue| issue.variable == variable).cloned()
}

/// The host of an origin.
fn host(origin: &str) -> Option<&str> {
    let (_, authority) = origin.split_once("://")?;
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    is_domain(host).then_some(host)
}

/// A domain as a browser compares it (an RP ID is no address): `localhost`, `example.com`.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_number = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 253 && !is_number && text.split('.').all(is_label)
}

/// Whether pages of an origin can use an RP ID (§5.1.3, without related origins), or it is an Android app's.
fn is_origin_of(origin: &str, rp_id: &str) -> bool {
    if let Some(hash) = origin.strip_prefix("android:apk-key-hash:") {
        return hash.len() == 43 && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    }
    let is_under = |host: &str| host == rp_id || host.strip_suffix(rp_id).is_some_and(|rest| rest.ends_with('.'));
    let is_local = |host: &str| host == "localhost" || host.ends_with(".localhost");
    config::origin(origin).is_some_and(|parsed| parsed == origin)
        && host(origin).is_some_and(|host| is_under(host) && (origin.starts_with("https://") || is_local(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rp_id_is_a_domain() {
        for good in ["localhost", "example.com", "login.example.co.uk", "xn--bcher-kva.example", "1password.com"] {
            assert!(is_domain(good), "{good}");
        }
        for bad in ["", "Example.com", "example.com.", ".com", "https://a.b", "a.b:443", "127.0.0.1", "a_b.c", "-a.b"] {
            assert!(!is_domain(bad), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_under_its_rp_id() {
        let app = "android:apk-key-hash:sYUC8p5I9SxqFernBPHmDxz_YVZXmVJdW8s-m3RTTqE";
        for (origin, id) in [
            ("https://example.com", "example.com"),
            ("https://app.example.com:8443", "example.com"),
            ("http://localhost:8787", "localhost"),
            (app, "example.com"),
        ] {
            assert!(is_origin_of(origin, id), "{origin} {id}");
        }
        for (origin, id) in [
            ("https://example.com.evil.net", "example.com"),
            ("https://badexample.com", "example.com"),
            ("https://example.com", "app.example.com"),
            ("http://example.com", "example.com"),
            ("https://example.com/", "example.com"),
            ("https://Example.com", "example.com"),
            ("example.com", "example.com"),
            ("android:apk-key-hash:short", "example.com"),
        ] {
            assert!(!is_origin_of(origin, id), "{origin} {id}");
        }
    }
}
