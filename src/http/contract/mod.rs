//! The contract: what each operation takes, gives and refuses, as data. The router, the checks of input,
//! `/openapi.json` and `/docs` all read it.

mod openapi;
pub mod shapes;

pub use openapi::openapi;

use super::{cors::Sharing, problem::Code};
use crate::{api_key::Scope, schema::Field};

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Anybody.
    Public,
    /// A server key with this scope.
    Key(Scope),
    /// Anybody, while development tools are on; else there is no such path.
    Development,
    /// A carrier, by its signature.
    Carrier,
    /// An app in a browser or on a phone: its page is one of the app's origins.
    Embedded,
    /// The same within a flow, by the flow's token.
    Flow,
    /// An OAuth client, as it authenticates in the form or by HTTP Basic. It speaks forms, and errors of RFC 6749.
    Client,
    /// Somebody who is signed in, by their access token, from a page of their app.
    User,
}

impl Auth {
    /// Whether pages of other origins call it, and so preflights are answered (Fetch, "CORS protocol").
    pub fn takes_pages(self) -> bool {
        matches!(self, Self::Embedded | Self::Flow | Self::Client | Self::User)
    }

    /// Who may read its answers in a browser.
    pub(in crate::http) fn sharing(self) -> Sharing {
        if self.takes_pages() { Sharing::Apps { cookies: false } } else { Sharing::Nobody }
    }

    /// Whether a flow's token has to come.
    pub fn in_flow(self) -> bool {
        self == Self::Flow
    }
}

/// What comes back when it works.
#[derive(Clone, Copy, Debug)]
pub enum Gives {
    /// One object of this name.
    One(&'static str, &'static [Field]),
    /// One object of the first name, and of the second with the statuses in `also`.
    Either(&'static str, &'static [Field], &'static str, &'static [Field]),
    /// A page of such objects, with `next_cursor`.
    Page(&'static str, &'static [Field]),
    /// A list of such objects, whole.
    List(&'static str, &'static [Field]),
    /// Nothing.
    Nothing,
    /// Something else than JSON of ours: a media type.
    Other(&'static str),
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// The path, with `{names}`.
    pub path: &'static str,
    /// Its name in the contract.
    pub id: &'static str,
    /// The heading it stands under.
    pub tag: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What else there is to know.
    pub description: &'static str,
    /// Who may call.
    pub auth: Auth,
    /// Whether it takes an `Idempotency-Key`.
    pub idempotent: bool,
    /// Fields of the query.
    pub query: &'static [Field],
    /// Fields of the JSON body; `None`: it takes none.
    pub body: Option<&'static [Field]>,
    /// Whether every field of the body also takes `"inherit"` and `null`.
    pub inherits: bool,
    /// Whether the body may be left out.
    pub body_optional: bool,
    /// A body to show, as JSON.
    pub example: &'static str,
    /// The status when it works.
    pub status: u16,
    /// What comes back then.
    pub gives: Gives,
    /// Other statuses that the same comes back with.
    pub also: &'static [u16],
    /// The codes it refuses with, beside those of every operation: lists, so that a list is written once.
    pub refuses: &'static [&'static [Code]],
}

/// An operation to fill in.
pub const fn operation(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        id,
        tag,
        summary,
        description: "",
        auth: Auth::Public,
        idempotent: false,
        query: &[],
        body: None,
        inherits: false,
        body_optional: false,
        example: "",
        status: 200,
        gives: Gives::Nothing,
        also: &[],
        refuses: &[],
    }
}

impl Operation {
    /// Whether it looks at the body. One that does not is indifferent to what is in it.
    pub fn reads_body(&self) -> bool {
        self.body.is_some() || self.auth == Auth::Carrier
    }

    /// The codes it can refuse with, all of them.
    pub fn codes(&self) -> Vec<Code> {
        if self.auth == Auth::Client {
            return Vec::new();
        }
        let mut codes = vec![Code::Internal];
        match self.auth {
            Auth::Key(_) => codes.extend([
                Code::AuthenticationRequired,
                Code::ApiKeyInvalid,
                Code::AccessTokenInvalid,
                Code::ScopeMissing,
                Code::ConfigurationInvalid,
                Code::DatabaseUnmigrated,
                Code::DatabaseUnavailable,
                // Also where no field is taken: an unknown one in the query is told.
                Code::RequestMalformed,
                Code::FormInvalid,
            ]),
            Auth::Development => codes.extend([
                Code::RouteNotFound,
                Code::ConfigurationInvalid,
                Code::DatabaseUnmigrated,
                Code::DatabaseUnavailable,
                Code::RequestMalformed,
                Code::FormInvalid,
            ]),
            Auth::Embedded | Auth::Flow | Auth::User => {
                codes.push(match self.auth {
                    Auth::User => Code::AccessTokenInvalid,
                    _ => Code::OriginNotAllowed,
                });
                codes.extend(self.auth.in_flow().then_some(Code::FlowTokenInvalid));
                codes.extend([
                    Code::ConfigurationInvalid,
                    Code::DatabaseUnmigrated,
                    Code::DatabaseUnavailable,
                    Code::RequestMalformed,
                    Code::FormInvalid,
                ]);
            }
            Auth::Public | Auth::Carrier | Auth::Client => {}
        }
        if self.reads_body() {
            codes.push(Code::RequestTooLarge);
        }
        if self.body.is_some() {
            codes.push(Code::ContentTypeUnsupported);
        }
        if self.idempotent {
            codes.extend([Code::IdempotencyKeyInvalid, Code::IdempotencyKeyInUse, Code::IdempotencyKeyReused]);
        }
        if self.path.contains('{') && !codes.contains(&Code::ResourceNotFound) {
            codes.push(Code::ResourceNotFound);
        }
        for code in self.refuses.iter().copied().flatten() {
            if !codes.contains(code) {
                codes.push(*code);
            }
        }
        codes
    }
}
