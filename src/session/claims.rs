//! What access and ID tokens say: pure functions of what was granted (RFC 9068 §2.2, OpenID Connect Core §2, §5.4).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::has_scope;
use crate::time::Timestamp;

/// What was granted.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The session: the `sid`.
    pub session: String,
    /// The user: the `sub`.
    pub user: String,
    /// The app: the `aud`.
    pub app: String,
    /// What its sign-in is worth.
    pub acr: String,
    /// What was proven.
    pub amr: Value,
    /// When it was.
    pub auth_time: Timestamp,
    /// What the client gave with its request, for the ID token of the exchange.
    pub nonce: Option<String>,
    /// The person.
    pub person: Person,
}

/// What an ID token tells of a person.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Their address, and whether they have proven it.
    pub email: Option<(String, bool)>,
    /// Their name.
    pub name: Option<String>,
    /// Their language.
    pub locale: Option<String>,
    /// Their number, and whether they have proven it.
    pub phone: Option<(String, bool)>,
}

/// Who issues a token, and when.
#[derive(Clone, Copy, Debug)]
pub struct Issue<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// From when it is good.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl Issue<'_> {
    fn claims(&self, subject: &str, audience: &str, client: &str) -> Map<String, Value> {
        let mut claims = Map::new();
        for (name, value) in [("iss", self.issuer), ("sub", subject), ("aud", audience), ("azp", client)] {
            claims.insert(name.to_owned(), Value::from(value));
        }
        claims.insert("exp".to_owned(), Value::from(seconds(self.until)));
        claims.insert("iat".to_owned(), Value::from(seconds(self.from)));
        claims
    }
}

/// A moment as tokens have it: whole seconds since 1970.
pub fn seconds(moment: Timestamp) -> i64 {
    moment.millis().div_euclid(1000)
}

/// The claims of a person's access token.
pub fn access(granted: &Granted, issue: Issue<'_>, scope: &str, id: &str) -> Map<String, Value> {
    let mut claims = issue.claims(&granted.user, &granted.app, &granted.app);
    proven(granted, &mut claims);
    insert(&mut claims, "client_id", Some(granted.app.as_str()));
    insert(&mut claims, "jti", Some(id));
    insert(&mut claims, "scope", Some(scope).filter(|scope| !scope.is_empty()));
    claims
}

/// The claims of a machine's access token. It is for the server API, and so for the issuer.
pub fn machine(app: &str, issue: Issue<'_>, scope: &str, id: &str) -> Map<String, Value> {
    let mut claims = issue.claims(app, issue.issuer, app);
    insert(&mut claims, "client_id", Some(app));
    insert(&mut claims, "jti", Some(id));
    insert(&mut claims, "scope", Some(scope));
    claims
}

/// The claims of an ID token: what the scope shows of the person, and the hash of the access token beside it
/// (OpenID Connect Core §3.1.3.6).
pub fn id(granted: &Granted, issue: Issue<'_>, scope: &str, access_token: &str) -> Map<String, Value> {
    let mut claims = issue.claims(&granted.user, &granted.app, &granted.app);
    proven(granted, &mut claims);
    insert(&mut claims, "nonce", granted.nonce.as_deref());
    let hash = Sha256::digest(access_token.as_bytes());
    if let Some(half) = hash.first_chunk::<16>() {
        claims.insert("at_hash".to_owned(), Value::from(URL_SAFE_NO_PAD.encode(half)));
    }
    let person = &granted.person;
    if has_scope(scope, "profile") {
        insert(&mut claims, "name", person.name.as_deref());
        insert(&mut claims, "locale", person.locale.as_deref());
    }
    for (shown_by, name, told) in [("email", "email", &person.email), ("phone", "phone_number", &person.phone)] {
        if let (true, Some((text, verified))) = (has_scope(scope, shown_by), told) {
            insert(&mut claims, name, Some(text.as_str()));
            claims.insert([name, "_verified"].concat(), Value::from(*verified));
        }
    }
    claims
}

/// What was proven in the session, and when.
fn proven(granted: &Granted, claims: &mut Map<String, Value>) {
    claims.insert("auth_time".to_owned(), Value::from(seconds(granted.auth_time)));
    claims.insert("amr".to_owned(), granted.amr.clone());
    insert(claims, "acr", Some(granted.acr.as_str()));
    insert(claims, "sid", Some(granted.session.as_str()));
}

fn insert(claims: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        claims.insert(name.to_owned(), json!(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted() -> Granted {
        Granted {
            session: "ses_1".to_owned(),
            user: "usr_1".to_owned(),
            app: "app_1".to_owned(),
            acr: "urn:postern:acr:aal2".to_owned(),
            amr: json!(["pwd", "otp", "mfa"]),
            auth_time: Timestamp::from_millis(1_795_310_800_999),
            nonce: Some("n-0S6_WzA2Mj".to_owned()),
            person: Person {
                email: Some(("ana@example.com".to_owned(), true)),
                name: Some("Ana".to_owned()),
                locale: None,
                phone: Some(("+14155552671".to_owned(), false)),
            },
        }
    }

    const ISSUE: Issue<'_> = Issue {
        issuer: "https://login.example.com",
        from: Timestamp::from_millis(1_795_310_876_042),
        until: Timestamp::from_millis(1_795_312_676_042),
    };

    #[test]
    fn access_claims_unchanged() {
        let claims = access(&granted(), ISSUE, "openid email", "jti");
        let wanted = json!({
            "iss": "https://login.example.com", "sub": "usr_1", "aud": "app_1", "azp": "app_1", "client_id": "app_1",
            "exp": 1_795_312_676, "iat": 1_795_310_876, "auth_time": 1_795_310_800, "acr": "urn:postern:acr:aal2",
            "amr": ["pwd", "otp", "mfa"], "sid": "ses_1", "jti": "jti", "scope": "openid email",
        });
        assert_eq!(Value::Object(claims), wanted);
    }

    #[test]
    fn a_machine_has_no_session_and_its_token_is_for_the_server_api() {
        let wanted = json!({
            "iss": "https://login.example.com", "sub": "app_1", "aud": "https://login.example.com", "azp": "app_1",
            "client_id": "app_1", "exp": 1_795_312_676, "iat": 1_795_310_876, "jti": "jti", "scope": "users:read",
        });
        assert_eq!(Value::Object(machine("app_1", ISSUE, "users:read", "jti")), wanted);
    }

    #[test]
    fn an_id_token_shows_what_its_scope_says_and_no_more() {
        let of = |scope: &str| {
            let claims = id(&granted(), ISSUE, scope, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
            let told = ["name", "locale", "email", "email_verified", "phone_number", "phone_number_verified"];
            let told: Vec<_> = told.into_iter().filter(|name| claims.contains_key(*name)).collect();
            (told, claims)
        };
        assert_eq!(of("openid").0, Vec::<&str>::new());
        assert_eq!(of("openid profile").0, ["name"]);
        assert_eq!(of("openid email").0, ["email", "email_verified"]);
        let (told, claims) = of("openid phone emails");
        assert_eq!(told, ["phone_number", "phone_number_verified"]);
        assert_eq!((&claims["phone_number_verified"], &claims["nonce"]), (&json!(false), &json!("n-0S6_WzA2Mj")));
        // The access token and hash of OpenID Connect Core §A.3.
        assert_eq!(claims["at_hash"], "77QmUPtjPfzWtF2AnpK9RQ");
        assert!(!claims.contains_key("scope"), "it opens nothing");
    }
}
