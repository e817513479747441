//! What comes in: the raw request, and the checked call that a handler gets.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::{
    contract::{Auth, Operation},
    oauth,
    problem::{Code, Problem},
};
use crate::{
    context::{App, Context, RoundTrips},
    idempotency::Reservation,
    ids::RequestId,
    schema::{FieldCode, FieldError, Form, Node, check, check_query},
    time::Timestamp,
};

/// The largest body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Something that turns out while a request is answered, and that all copies of it know then.
#[derive(Clone, Default)]
pub struct Known(Arc<AtomicBool>);

impl Known {
    /// It is so.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is so.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What Cloudflare says of whoever connects. It comes beside the request and not in its headers, which anybody can write.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    /// The country, ISO 3166-1 alpha-2; `XX`: not known, `T1`: Tor.
    pub country: Option<String>,
    /// The number of the network operator.
    pub asn: Option<i64>,
}

/// A request as it came, with its body read.
#[derive(Clone)]
pub struct Incoming {
    /// The deployment.
    pub app: App,
    /// Its id.
    pub request_id: RequestId,
    /// When it came.
    pub now: Timestamp,
    /// Counts its batches.
    pub round_trips: RoundTrips,
    /// Whether development tools answer it.
    pub dev_tools: bool,
    /// The method.
    pub method: http::Method,
    /// The path, as it came.
    pub path: String,
    /// Path parameters, decoded.
    pub params: Vec<(String, String)>,
    /// The query string, raw.
    pub query: String,
    /// Whether the answer may be read by the page of another origin that asked: set by whoever has held the origin
    /// against the app's.
    pub readable: Known,
    /// Whether it may have written events that somebody hears: set where a batch has passed, and not before.
    pub tells: Known,
    /// Where it comes from.
    pub edge: Edge,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Incoming {
    /// A header that is there once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// The token of `Authorization: Bearer` (RFC 6750 §2.1).
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// The fields of a query, checked.
    pub fn query(&self, operation: &Operation) -> Result<Form, Problem> {
        // `form_urlencoded` would put U+FFFD where no UTF-8 is, and find something else than was asked for.
        if percent_decode_str(&self.query).decode_utf8().is_err() {
            return Err(Problem::new(Code::RequestMalformed, "the query is not UTF-8"));
        }
        let pairs: Vec<(String, String)> = form_urlencoded::parse(self.query.as_bytes()).into_owned().collect();
        let (node, errors) = check_query(operation.query, &pairs);
        if errors.is_empty() { Ok(Form::checked(node)) } else { Err(Problem::form(errors)) }
    }

    /// The fields of the body, checked. A body that is taken by no field is not looked at.
    pub fn form(&self, operation: &Operation) -> Result<Form, Problem> {
        let Some(fields) = operation.body else { return Ok(Form::empty()) };
        if operation.auth == Auth::Client {
            return oauth::form(self, fields);
        }
        if self.body.is_empty() && operation.body_optional {
            return Ok(Form::empty());
        }
        let media = self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(Code::ContentTypeUnsupported, "application/json is wanted"));
        }
        let text = std::str::from_utf8(&self.body)
            .map_err(|_| Problem::new(Code::RequestMalformed, "the body is not UTF-8"))?;
        let node = Node::parse(text).ok_or_else(|| Problem::new(Code::RequestMalformed, "the body is not JSON"))?;
        let checked = if operation.inherits { Self::settings_form(node) } else { checked(fields, node) };
        checked.map_err(Problem::form)
    }

    /// The call's key, if it brings one.
    pub fn reservation(&self, operation: &Operation, context: &Context) -> Result<Option<Reservation>, Problem> {
        if !operation.idempotent || !self.headers.contains_key("idempotency-key") {
            return Ok(None);
        }
        let header = self
            .header("idempotency-key")
            .filter(|key| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()));
        let Some(header) = header else {
            let detail = "one header of 1 to 255 visible ASCII characters is wanted";
            return Err(Problem::new(Code::IdempotencyKeyInvalid, detail));
        };
        let body = String::from_utf8_lossy(&self.body);
        Ok(Some(Reservation::new(context, operation.id, &self.path, header, &body)))
    }
}

fn checked(fields: &[crate::schema::Field], node: Node) -> Result<Form, Vec<FieldError>> {
    let errors = check(fields, &node);
    if errors.is_empty() { Ok(Form::checked(node)) } else { Err(errors) }
}

/// A call of a server key, everything about its form checked.
pub struct Call {
    /// What the domain works with.
    pub context: Context,
    /// The request.
    pub incoming: Incoming,
    /// The body's fields.
    pub form: Form,
    /// The query's fields.
    pub query: Form,
    /// The call's key.
    pub reservation: Option<Reservation>,
}

impl Call {
    /// A path parameter.
    pub fn param(&self, name: &str) -> &str {
        self.incoming.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A path parameter that is an id: a malformed one names nothing.
    pub fn id<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>, what: &str) -> Result<T, Problem> {
        parse(self.param(name)).ok_or_else(|| Problem::not_found(what))
    }

    /// An id in the body or query; `Ok(None)` when it is not there.
    pub fn form_id<T>(form: &Form, path: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        form.text(path).map(|text| parse(text).ok_or_else(|| wrong(path, "this is not an id"))).transpose()
    }

    /// How many of a page, and the id to begin below.
    pub fn page(&self) -> Result<(i64, String), Problem> {
        let limit = self.query.integer("limit").unwrap_or(20);
        // Ids sort as text, and `~` comes after every character of one.
        let cursor = self.query.text("cursor").unwrap_or("~").to_owned();
        Ok((limit, cursor))
    }
}

/// One wrong field.
pub fn wrong(field: &str, detail: impl Into<String>) -> Problem {
    Problem::form(vec![FieldError::new(field, FieldCode::Value, detail)])
}
