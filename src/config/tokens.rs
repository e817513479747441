//! How long codes, tokens and sessions live where an app says nothing: the variables, in seconds.

use super::Reader;

/// Seconds by what they are of.
#[derive(Clone, Copy, Debug)]
pub struct TokenDefaults {
    /// An authorization code.
    pub code: i64,
    /// A person's access token.
    pub access: i64,
    /// A machine's access token.
    pub machine_access: i64,
    /// An ID token.
    pub id: i64,
    /// A refresh token.
    pub refresh: i64,
    /// A session that nobody uses and that has no refresh token.
    pub session_idle: i64,
}

pub(super) fn read(reader: &Reader) -> TokenDefaults {
    TokenDefaults {
        code: reader.integer("AUTHORIZATION_CODE_EXPIRES_IN"),
        access: reader.integer("SPA_ACCESS_TOKEN_EXPIRES_IN"),
        machine_access: reader.integer("S2S_ACCESS_TOKEN_EXPIRES_IN"),
        id: reader.integer("ID_TOKEN_EXPIRES_IN"),
        refresh: reader.integer("SPA_REFRESH_TOKEN_EXPIRES_IN"),
        session_idle: reader.integer("SERVER_SESSION_EXPIRES_IN"),
    }
}
