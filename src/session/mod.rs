//! Sessions: what a sign-in results in. A flow ends in a code, the code is exchanged for a session and its tokens, refresh
//! tokens keep it, and it ends. Who holds an access token is asked by [`guard`] whether its session still lives.

pub mod claims;
pub mod code;
pub mod end;
pub mod exchange;
pub mod list;
pub mod raise;
pub mod refresh;
pub mod store;
mod tokens;

pub use tokens::TokenSet;

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::{
    config::Issue,
    context::Context,
    ids::{AppId, SessionId, UserId},
    ports::{DatabaseError, Row, Statement},
    statement,
    time::Timestamp,
    token::TokenError,
};

/// A session as it is read.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id: the `sid`.
    pub id: String,
    /// Whose.
    pub user: String,
    /// Through which app.
    pub app: String,
    /// What it may be used for, separated by spaces.
    pub scope: String,
    /// What its sign-in is worth.
    pub acr: String,
    /// What was proven.
    pub amr: Value,
    /// When the person last proved who they are.
    pub auth_time: Timestamp,
    /// Their address at the sign-in.
    pub client_ip: Option<String>,
    /// Their browser or app.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When tokens were last given out for it.
    pub last_used_at: Timestamp,
    /// When it ends if nobody uses it.
    pub idle_expires_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

impl Session {
    /// Reads a row of the store.
    pub fn read(row: &Row) -> Result<Self, DatabaseError> {
        let text = |column| row.text(column).map(str::to_owned);
        let moment = |column| row.int(column).map(Timestamp::from_millis);
        Ok(Self {
            id: text("id")?,
            user: text("user_id")?,
            app: text("app_id")?,
            scope: text("scope")?,
            acr: text("acr")?,
            amr: amr(row)?,
            auth_time: moment("auth_time")?,
            client_ip: row.opt_text("client_ip").map(str::to_owned),
            user_agent: row.opt_text("user_agent").map(str::to_owned),
            created_at: moment("created_at")?,
            last_used_at: moment("last_used_at")?,
            idle_expires_at: moment("idle_expires_at")?,
            expires_at: moment("expires_at")?,
        })
    }
}

fn amr(row: &Row) -> Result<Value, DatabaseError> {
    serde_json::from_str(row.text("amr")?).map_err(|_| DatabaseError::Other("a stored amr is malformed".to_owned()))
}

/// Which client asks for tokens (RFC 6749 §2.3), as it says.
#[derive(Default)]
pub struct OAuthClient {
    /// Which app; `None`: it does not say, and what it presents tells.
    pub id: Option<AppId>,
    /// What it has given as its secret, hashed.
    pub secret_hash: Option<String>,
    /// The page that asks.
    pub page: Page,
}

/// A page that asks for tokens: whether it is one of the app's is found out with the rest.
#[derive(Default)]
pub struct Page {
    origin: Option<String>,
    embedded: bool,
    is_the_apps: AtomicBool,
}

impl Page {
    /// The page with this origin, as the browser sends it; `None`: no page.
    pub fn new(context: &Context, origin: Option<&str>) -> Self {
        Self {
            origin: origin.map(str::to_owned),
            embedded: is_every_browser_apps(context, origin),
            is_the_apps: AtomicBool::new(false),
        }
    }

    /// Whether it is one of the app's: then it may read the answer.
    pub fn is_the_apps(&self) -> bool {
        self.is_the_apps.load(Ordering::Relaxed)
    }

    /// Takes what a batch has told of it.
    fn found(&self, row: &Row) {
        self.is_the_apps.store(row.flag("is_its_page"), Ordering::Relaxed);
    }
}

/// Why no tokens are given.
#[derive(Debug)]
pub enum GrantError {
    /// The database failed, or a key was just made and the work is to be done again.
    Database(DatabaseError),
    /// A variable is missing or wrong.
    Misconfigured(Issue),
    /// The platform does not sign, or the program is wrong.
    Failed(String),
    /// The client is not known, or not the one that it says it is.
    Client,
    /// A client of its type does not get tokens this way.
    ClientType,
    /// The code or token is not one, has ended, was used, or is another's. Nobody is told which.
    Grant,
    /// More is asked for than was granted.
    Scope,
}

impl From<DatabaseError> for GrantError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<TokenError> for GrantError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Database(error) => Self::Database(error),
            TokenError::Misconfigured(issue) => Self::Misconfigured(issue),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Whether a scope is among those that stand in a text, separated by spaces.
pub fn has_scope(scopes: &str, scope: &str) -> bool {
    scopes.split(' ').any(|one| one == scope)
}

/// The statement that comes before all others of a batch on behalf of a session, and fails it
/// ([`DatabaseError::SessionEnded`]) where the session is over, its user shut out, or the page's origin none of the app's.
pub fn guard(context: &Context, session: &SessionId, user: &UserId, origin: Option<&str>) -> Statement {
    statement!(store::GUARD, session, context.now().millis(), user, origin, is_every_browser_apps(context, origin))
}

fn is_every_browser_apps(context: &Context, origin: Option<&str>) -> bool {
    let known = &context.config().embedded_auth_origins;
    origin.is_some_and(|origin| known.iter().any(|known| known.as_str() == origin))
}
