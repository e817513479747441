//! How long what an app gets lives, and how it is signed: the app's own word, else the variable's.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{App, AppType};
use crate::config::Config;
pub use crate::ports::Algorithm;

const DAY: i64 = 86_400;
/// Bounds of an access token and an ID token, in seconds: what is signed cannot be taken back.
pub const SIGNED: (i64, i64) = (60, DAY);
/// Bounds of a refresh token and a session, in seconds.
pub const HELD: (i64, i64) = (60, 365 * DAY);
/// How long a session lives at most, in seconds, where the app says nothing.
pub(crate) const SESSION: i64 = 30 * DAY;

/// What an app says of its tokens, as it is stored; what it leaves out is the instance's.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Map<String, Value>);

/// How long everything lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token: at most a day.
    pub access_token: Duration,
    /// An ID token: at most a day.
    pub id_token: Duration,
    /// A refresh token: never longer than the session.
    pub refresh_token: Duration,
    /// A session that nobody uses. Where the app says nothing, one with refresh tokens lives as long as such a token
    /// (`session/store.rs`), and this is for the others.
    pub session_idle: Duration,
    /// A session, used or not.
    pub session: Duration,
}

impl Tokens {
    /// Takes what is stored.
    pub fn stored(stored: Map<String, Value>) -> Self {
        Self(stored)
    }

    /// Reads what is stored as text; `None`: it is malformed.
    pub fn read(stored: &str) -> Option<Self> {
        serde_json::from_str(stored).ok().map(Self)
    }

    /// How its tokens are signed.
    pub fn algorithm(&self) -> Algorithm {
        self.0.get("algorithm").and_then(Value::as_str).and_then(Algorithm::parse).unwrap_or(Algorithm::Rs256)
    }

    /// How long everything lives in an app of this type.
    pub fn lifetimes(&self, kind: AppType, config: &Config) -> Lifetimes {
        let seconds = |name: &str, otherwise: i64, (least, most): (i64, i64)| {
            let stored = self.0.get(name).and_then(Value::as_i64).unwrap_or(otherwise).clamp(least, most);
            Duration::from_secs(u64::try_from(stored).unwrap_or(0))
        };
        let defaults = &config.tokens;
        let access = if kind == AppType::Machine { defaults.machine_access } else { defaults.access };
        let session = seconds("session_seconds", SESSION, HELD);
        Lifetimes {
            access_token: seconds("access_token_seconds", access, SIGNED).min(session),
            id_token: seconds("id_token_seconds", defaults.id, SIGNED).min(session),
            refresh_token: seconds("refresh_token_seconds", defaults.refresh, HELD).min(session),
            session_idle: seconds("session_idle_seconds", defaults.session_idle, HELD).min(session),
            session,
        }
    }

    /// The same as it is shown, whole.
    pub fn to_json(&self, kind: AppType, config: &Config) -> Value {
        let lifetimes = self.lifetimes(kind, config);
        json!({
            "access_token_seconds": lifetimes.access_token.as_secs(),
            "id_token_seconds": lifetimes.id_token.as_secs(),
            "refresh_token_seconds": lifetimes.refresh_token.as_secs(),
            "session_idle_seconds": lifetimes.session_idle.as_secs(),
            "session_seconds": lifetimes.session.as_secs(),
            "algorithm": self.algorithm().as_str(),
        })
    }
}

/// How long everything lives in an app.
pub fn lifetimes(app: &App, config: &Config) -> Lifetimes {
    app.tokens.lifetimes(app.kind, config)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of(stored: &Value, kind: AppType) -> Lifetimes {
        let config = Config::read(&BTreeMap::new());
        Tokens::stored(stored.as_object().cloned().unwrap_or_default()).lifetimes(kind, &config)
    }

    #[test]
    fn what_an_app_leaves_out_is_the_variables() {
        let seconds = Duration::from_secs;
        let browser = of(&json!({}), AppType::Browser);
        let wanted = Lifetimes {
            access_token: seconds(1800),
            id_token: seconds(1800),
            refresh_token: seconds(604_800),
            session_idle: seconds(1800),
            session: seconds(30 * 86_400),
        };
        assert_eq!(browser, wanted);
        assert_eq!(of(&json!({}), AppType::Machine).access_token, seconds(3600));
        assert_eq!(of(&json!({"access_token_seconds": 60}), AppType::Machine).access_token, seconds(60));
    }

    #[test]
    fn nothing_outlives_the_session_and_what_is_signed_lives_a_day_at_most() {
        let day = Duration::from_hours(24);
        let stored =
            json!({"access_token_seconds": 999_999, "id_token_seconds": 999_999, "refresh_token_seconds": 999_999_999});
        let lifetimes = of(&stored, AppType::Web);
        assert_eq!((lifetimes.access_token, lifetimes.id_token, lifetimes.refresh_token), (day, day, day * 30));
        let short = of(&json!({"session_seconds": 600}), AppType::Web);
        let ten = Duration::from_mins(10);
        assert_eq!((short.access_token, short.refresh_token, short.session_idle), (ten, ten, ten));
    }
}
