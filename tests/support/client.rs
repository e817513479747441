//! The client of the tests: builds a request, sends it to a server in this process or to a URL, and holds the
//! answer against the contract and against what no answer may have.

use std::cell::RefCell;

use axum::body::Body;
use http_body_util::BodyExt;
use postern::{
    context::App,
    http::{Edge, serve},
};
use serde_json::Value;

use super::{contract, vars::KEY};

/// Where requests go.
#[derive(Clone)]
pub enum Target {
    /// A server in this process.
    Here(App),
    /// A base URL.
    There(String, reqwest::Client),
}

thread_local! {
    /// Every answer that this test has got.
    static SEEN: RefCell<Vec<Response>> = const { RefCell::new(Vec::new()) };
}

/// Every answer that this test has got so far, which are then forgotten.
pub fn seen() -> Vec<Response> {
    SEEN.take()
}

pub struct Request {
    target: Target,
    method: String,
    host: String,
    path: String,
    headers: Vec<(String, String)>,
    edge: Edge,
    body: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub json: Value,
}

impl Request {
    pub fn new(target: Target, method: &str, path: &str) -> Self {
        let headers = vec![("authorization".to_owned(), format!("Bearer {KEY}"))];
        Self {
            target,
            method: method.to_owned(),
            host: "localhost".to_owned(),
            path: path.to_owned(),
            headers,
            edge: Edge::default(),
            body: Vec::new(),
        }
    }

    /// Sets a header, in the place of one with this name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a header beside one with the same name.
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asks for another host than `localhost`, in this process.
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Comes from a country and a network operator, as Cloudflare tells them: in this process.
    pub fn at(mut self, country: &str, asn: i64) -> Self {
        self.edge = Edge { country: Some(country.to_owned()), asn: Some(asn) };
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string().into_bytes())
    }

    pub fn raw(mut self, media: &str, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("content-type", media)
    }

    /// Sends the request.
    pub async fn send(self) -> Response {
        self.observed(|| ()).await
    }

    /// The same; what looks on is called when the answer is there, before the work after it.
    pub async fn observed(self, look: impl FnOnce() + Send) -> Response {
        let (status, headers, text) = match &self.target {
            Target::Here(app) => {
                let mut builder = http::Request::builder()
                    .method(self.method.as_str())
                    .uri(format!("http://{}{}", self.host, self.path))
                    .extension(self.edge.clone());
                for (name, value) in &self.headers {
                    builder = builder.header(name, value);
                }
                let response = serve(app.clone(), builder.body(Body::from(self.body.clone())).unwrap()).await;
                let status = response.status().as_u16();
                let headers = headers(response.headers());
                let body = response.into_body().collect().await.unwrap().to_bytes();
                look();
                // Nobody waits for it but the tests.
                app.ports.after.finish().await;
                (status, headers, String::from_utf8(body.to_vec()).unwrap())
            }
            Target::There(base, client) => {
                let method = self.method.parse().unwrap();
                let mut request = client.request(method, format!("{base}{}", self.path)).body(self.body.clone());
                for (name, value) in &self.headers {
                    request = request.header(name, value);
                }
                let response = request.send().await.unwrap();
                let status = response.status().as_u16();
                let headers = headers(response.headers());
                (status, headers, response.text().await.unwrap())
            }
        };
        let response = Response { status, json: serde_json::from_str(&text).unwrap_or(Value::Null), headers, text };
        contract::hold(
            &self.method,
            &self.path,
            status,
            response.header("content-type").unwrap_or_default(),
            &response.text,
        );
        assert!(
            response.header("x-request-id").is_some_and(|id| id.starts_with("req_")),
            "{} {}",
            self.method,
            self.path
        );
        SEEN.with_borrow_mut(|seen| seen.push(response.clone()));
        response
    }
}

fn headers(map: &http::HeaderMap) -> Vec<(String, String)> {
    map.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect()
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json
    }

    /// A problem with this status and code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{}", self.text);
        self.json
    }

    /// The fields that a problem names, each with its code.
    pub fn fields(&self) -> Vec<(&str, &str)> {
        let errors = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors
            .iter()
            .map(|error| (error["field"].as_str().unwrap_or_default(), error["code"].as_str().unwrap_or_default()))
            .collect()
    }

    /// How many D1 round trips it took.
    #[track_caller]
    pub fn round_trips(&self) -> u32 {
        let timing = self.header("server-timing").expect("Server-Timing outside prod");
        timing.trim_start_matches("d1;desc=\"").trim_end_matches('"').parse().expect(timing)
    }
}
