//! Holds every answer against the OpenAPI document that the code writes: the status is documented, the body has
//! the schema, a problem's code is one of the operation's.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jsonschema::Validator;
use postern::http::contract::openapi;
use serde_json::{Value, json};

pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| openapi(&postern::http::operations()))
}

/// The document's path for a concrete one.
fn template(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let names: Vec<&str> = template.split('/').collect();
        names.len() == parts.len()
            && names.iter().zip(&parts).all(|(name, part)| (name.starts_with('{') && !part.is_empty()) || name == part)
    };
    document()["paths"].as_object()?.keys().map(String::as_str).find(|path| fits(path))
}

/// Fails the test when the answer is not what the document says. Paths that it does not have are 404s.
pub fn hold(method: &str, path: &str, status: u16, media: &str, body: &str) {
    let path = path.split('?').next().unwrap_or(path);
    let Some(template) = template(path) else { return };
    // HEAD is GET without its body.
    let (read, without_body) = if method == "HEAD" { ("get".to_owned(), true) } else { (method.to_lowercase(), false) };
    let operation = &document()["paths"][template][read];
    if operation.is_null() {
        // A preflight is no operation: it asks whether a page may call one (`tests/laws/cors.rs`).
        if method == "OPTIONS" && status == 204 {
            return;
        }
        assert!([404, 405].contains(&status), "{method} {path}: {status} without an operation");
        return;
    }
    let response = &operation["responses"][status.to_string()];
    assert!(!response.is_null(), "{method} {template}: {status} is not documented:\n{body}");
    if without_body {
        assert!(body.is_empty(), "{method} {template}: a body:\n{body}");
        return;
    }
    let content = &response["content"];
    if content.is_null() {
        assert!(body.is_empty(), "{method} {template}: {status} has no documented body:\n{body}");
        return;
    }
    let media = media.split(';').next().unwrap_or_default();
    let schema = &content[media]["schema"];
    assert!(!content[media].is_null(), "{method} {template}: {status} as {media} is not documented");
    if schema.is_null() {
        return;
    }
    let body: Value =
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{method} {template}: {error}:\n{body}"));
    let errors: Vec<String> = validator(&format!("{method} {template} {status} {media}"), schema)
        .iter_errors(&body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{method} {template}: {status} is not what the contract says: {errors:#?}\n{body:#}");
}

/// The validator of one schema of the document, made once: suites send thousands of requests.
fn validator(name: &str, schema: &Value) -> Arc<Validator> {
    static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let made = validators.entry(name.to_owned()).or_insert_with(|| {
        let schema = json!({"allOf": [schema], "components": document()["components"]});
        Arc::new(jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}")))
    });
    Arc::clone(made)
}
