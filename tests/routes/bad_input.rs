//! Bad input, from the tables of the operations: whatever is sent, the answer is a problem with a documented
//! code, never a 5xx, and nothing of what was sent comes back or stays.

use postern::{
    http::contract::{Auth, Operation},
    schema::{Field, FieldCode, Shape},
};
use serde_json::{Value, json};

use super::{
    Fixture, NOBODY, checked, encoded,
    samples::{MARKER, bad, fields, good, of_other_types, out_of_range, with},
    with_example,
};
use crate::support::{Request, Response};

/// A problem of the operation that says nothing of what was sent. That its code is one of the operation's list
/// the client has checked.
#[track_caller]
fn refused(operation: &Operation, response: &Response, sent: &str) {
    let what = format!("{} {sent:.300}\n{}", operation.id, response.text);
    assert!((400..500).contains(&response.status), "{what}");
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{what}");
    assert!(!response.text.contains("hunter2"), "it echoes what was sent: {what}");
    assert!(response.text.len() < 32 * 1024, "{} bytes: {}", response.text.len(), operation.id);
}

/// The same, naming the field.
#[track_caller]
fn names_field(operation: &Operation, response: &Response, sent: &str, field: &str, code: FieldCode) {
    refused(operation, response, sent);
    assert_eq!((response.status, &response.json["code"]), (422, &json!("form_param_invalid")), "{sent:.300}");
    let fields = response.fields();
    assert!(fields.contains(&(field, code.as_str())), "{} {sent:.300}: {field} {code:?}\n{fields:?}", operation.id);
}

fn with_body() -> Vec<(Operation, &'static [Field])> {
    checked().filter_map(|operation| operation.body.map(|body| (operation, body))).collect()
}

/// Nothing of it in the log or in any row.
#[track_caller]
fn left_no_trace(fixture: &Fixture) {
    let here = fixture.world.here();
    for line in here.log.lines() {
        assert!(!line.contains("hunter2"), "the log has it: {line}");
    }
    for (place, value) in here.database.everything() {
        assert!(!value.contains("hunter2"), "{place} has it: {value}");
    }
    assert!(here.cache.keys().iter().all(|key| !key.contains("hunter2")));
}

fn request(fixture: &Fixture, operation: &Operation) -> Request {
    fixture.request(operation, &fixture.path(operation))
}

#[tokio::test]
async fn every_wrong_value_of_every_field_is_refused_by_name() {
    let fixture = Fixture::new().await;
    let mut count = 0;
    for (operation, table) in with_body() {
        for (path, field) in fields(table) {
            for (value, code) in bad(&field) {
                // A setting takes null: it goes back to what it inherits.
                if operation.inherits && value.is_null() {
                    continue;
                }
                let body = with(table, &path, Some(value));
                let response = request(&fixture, &operation).json(&body).send().await;
                names_field(&operation, &response, &body.to_string(), &path, code);
                count += 1;
            }
        }
    }
    assert!(count > 500, "{count}");
    left_no_trace(&fixture);
}

#[tokio::test]
async fn every_missing_doubled_and_unknown_field_is_refused_by_name() {
    let fixture = Fixture::new().await;
    for (operation, table) in with_body() {
        for (path, field) in fields(table) {
            if field.required {
                let body = with(table, &path, None);
                let response = request(&fixture, &operation).json(&body).send().await;
                names_field(&operation, &response, &body.to_string(), &path, FieldCode::Missing);
            }
            let (parent, name) = path.rsplit_once('.').map_or(("", path.as_str()), |(parent, name)| (parent, name));
            let beside = |name: &str| if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
            // `serde_json` cannot write a field twice: a stand-in takes its name in the text.
            let mut twice = with(table, &path, Some(good(&field)));
            let parent_value =
                parent.split('.').filter(|name| !name.is_empty()).fold(&mut twice, |at, name| &mut at[name]);
            parent_value["stand_in"] = good(&field);
            let twice = twice.to_string().replace("\"stand_in\"", &format!("\"{name}\""));
            let response =
                request(&fixture, &operation).raw("application/json", twice.clone().into_bytes()).send().await;
            names_field(&operation, &response, &twice, &path, FieldCode::Duplicate);

            let body = with(table, &beside(MARKER), Some(json!(MARKER)));
            let response = request(&fixture, &operation).json(&body).send().await;
            names_field(&operation, &response, &body.to_string(), &beside("?"), FieldCode::Unknown);
        }
    }
    left_no_trace(&fixture);
}

#[tokio::test]
async fn null_is_absent_where_a_field_may_be_absent() {
    let fixture = Fixture::new().await;
    for (operation, table) in with_body() {
        for (path, field) in fields(table).into_iter().filter(|(_, field)| !field.required) {
            let body = with(table, &path, Some(Value::Null));
            let response = request(&fixture, &operation).json(&body).send().await;
            assert!(response.status < 500, "{} {body}: {}", operation.id, response.text);
            let typed = response.fields().contains(&(path.as_str(), FieldCode::Type.as_str()));
            assert!(!typed, "{} {body} {field:?}: {}", operation.id, response.text);
        }
    }
}

/// What a value looks like in a query; lists and objects have no form there.
fn in_query(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(encoded(text)),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

#[tokio::test]
async fn every_wrong_field_of_every_query_is_refused_by_name() {
    let fixture = Fixture::new().await;
    let operations = postern::http::operations().into_iter();
    let not_ours = |operation: &Operation| matches!(operation.auth, Auth::Public | Auth::Carrier | Auth::Client);
    for operation in operations.filter(|operation| !not_ours(operation)) {
        let get = |query: String| {
            let request = fixture.request(&operation, &format!("{}?{query}", fixture.path(&operation)));
            let request = with_example(request, &operation);
            async move { (request.send().await, query) }
        };
        for field in operation.query {
            let name = field.name;
            let wrong = |values: Vec<Value>| values.iter().filter_map(in_query).collect::<Vec<_>>();
            for value in wrong(out_of_range(field.shape)) {
                let (response, sent) = get(format!("{name}={value}")).await;
                names_field(&operation, &response, &sent, name, FieldCode::Value);
            }
            if matches!(field.shape, Shape::Integer(..) | Shape::Boolean) {
                for value in wrong(of_other_types(field.shape)) {
                    let (response, sent) = get(format!("{name}={value}")).await;
                    names_field(&operation, &response, &sent, name, FieldCode::Type);
                }
            }
            let good = in_query(&good(field)).unwrap();
            let (response, sent) = get(format!("{name}={good}&{name}={good}")).await;
            names_field(&operation, &response, &sent, name, FieldCode::Duplicate);
            for broken in ["%ff", "%FF%FE", "a%C3", "%ed%a0%80"] {
                let (response, sent) = get(format!("{name}={broken}")).await;
                refused(&operation, &response, &sent);
                assert_eq!(response.json["code"], "request_malformed", "{} {sent}", operation.id);
            }
        }
        for unknown in [format!("{MARKER}=1"), format!("%00{MARKER}"), format!("a&{MARKER}={MARKER}")] {
            let (response, sent) = get(unknown).await;
            names_field(&operation, &response, &sent, "?", FieldCode::Unknown);
        }
    }
    left_no_trace(&fixture);
}

#[tokio::test]
async fn a_body_that_is_no_object_in_utf_8_is_refused() {
    let fixture = Fixture::new().await;
    let nested = |open: &str, close: &str, depth| format!("{}{}", open.repeat(depth), close.repeat(depth)).into_bytes();
    for (operation, _) in with_body() {
        let send = |body: Vec<u8>| request(&fixture, &operation).raw("application/json", body).send();
        let malformed: Vec<Vec<u8>> = vec![
            b"{\"hunter2-marker\":\"\xff\xfe\"}".to_vec(),
            b"\xff\xfe{\0}\0".to_vec(),
            b"\xef\xbb\xbf{}".to_vec(),
            b"{\"hunter2-marker\":".to_vec(),
            b"hunter2-marker".to_vec(),
            b"{'hunter2-marker': 1}".to_vec(),
            b"{} hunter2-marker".to_vec(),
            b"{\"a\": NaN}".to_vec(),
            b"{\"a\": \"\\ud800\"}".to_vec(),
            b"\0".to_vec(),
            b" ".to_vec(),
            nested("[", "]", 200),
            nested("{\"a\":", "}", 10_000),
        ];
        for body in malformed {
            let sent = String::from_utf8_lossy(&body).into_owned();
            let response = send(body).await;
            refused(&operation, &response, &sent);
            assert_eq!(response.json["code"], "request_malformed", "{} {sent:.100}", operation.id);
        }
        for body in ["[]", "[{}]", "\"hunter2-marker\"", "7", "null", "true", "1e999"] {
            let response = send(body.as_bytes().to_vec()).await;
            if body == "1e999" {
                refused(&operation, &response, body);
            } else {
                names_field(&operation, &response, body, "", FieldCode::Type);
            }
        }
        let empty = send(Vec::new()).await;
        if operation.body_optional {
            assert_ne!(empty.json["code"], "request_malformed", "{}", operation.id);
        } else {
            refused(&operation, &empty, "");
            assert_eq!(empty.json["code"], "request_malformed", "{}", operation.id);
        }
    }
    left_no_trace(&fixture);
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let fixture = Fixture::new().await;
    for (operation, table) in with_body() {
        let body = super::samples::object(table).to_string().into_bytes();
        let other =
            ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "", "hunter2-marker", "json"];
        for media in other {
            let response = request(&fixture, &operation).raw(media, body.clone()).send().await;
            refused(&operation, &response, media);
            assert_eq!(response.json["code"], "content_type_unsupported", "{} {media}", operation.id);
        }
        let none = request(&fixture, &operation).raw("x", body.clone()).without("content-type").send().await;
        assert_eq!(none.json["code"], "content_type_unsupported", "{}", operation.id);
        let twice = request(&fixture, &operation).raw("application/json", body.clone());
        let twice = twice.also("content-type", "application/json").send().await;
        assert_eq!(twice.json["code"], "content_type_unsupported", "{}", operation.id);
        for good in ["application/json; charset=utf-8", "Application/JSON"] {
            let response = request(&fixture, &operation).raw(good, body.clone()).send().await;
            assert_ne!(response.json["code"], "content_type_unsupported", "{} {good}", operation.id);
        }
    }
}

#[tokio::test]
async fn a_body_over_64_kib_is_refused_where_one_is_read() {
    let fixture = Fixture::new().await;
    // OAuth tells it in its own words: `tests/routes/oauth.rs`.
    for operation in postern::http::operations().into_iter().filter(|operation| operation.auth != Auth::Client) {
        let body = |length: usize| format!("{{\"x\":\"{}\"}}", "x".repeat(length - 8)).into_bytes();
        let send = |body| request(&fixture, &operation).raw("application/json", body).send();
        let response = send(body(64 * 1024 + 1)).await;
        if operation.body.is_some() || operation.auth == Auth::Carrier {
            refused(&operation, &response, "64 KiB and one byte");
            assert_eq!((response.status, &response.json["code"]), (413, &json!("request_too_large")));
            let response = send(body(64 * 1024)).await;
            assert_ne!(response.status, 413, "{}", operation.id);
        } else {
            assert_ne!(response.status, 413, "{} reads no body", operation.id);
        }
    }
}

#[tokio::test]
async fn thousands_of_wrong_fields_get_a_short_answer() {
    let fixture = Fixture::new().await;
    for (operation, table) in with_body() {
        let many = (0..6000).map(|at| format!("\"u{at}\":1")).collect::<Vec<_>>().join(",");
        let response = request(&fixture, &operation).raw("application/json", format!("{{{many}}}").into_bytes());
        let response = response.send().await;
        names_field(&operation, &response, "6000 unknown fields", "?", FieldCode::Unknown);
        let name = table[0].name;
        let many = (0..2500).map(|_| format!("\"{name}\":1")).collect::<Vec<_>>().join(",");
        let response = request(&fixture, &operation).raw("application/json", format!("{{{many}}}").into_bytes());
        names_field(&operation, &response.send().await, "2500 times one field", name, FieldCode::Duplicate);
    }
}

#[tokio::test]
async fn an_id_in_the_path_that_names_nothing_is_not_found() {
    let fixture = Fixture::new().await;
    let others =
        ["usr_", "%20", "%00", "%FF", "%ed%a0%80", "..%2F..%2Fhealth", "'%20OR%20'1'='1", "%E2%80%A6", "null", "1"];
    let long = "A".repeat(5000);
    for operation in checked() {
        let names = operation.path.split('/').filter(|part| part.starts_with('{'));
        for name in names {
            let unknown = NOBODY.iter().map(|(_, id)| (*id).to_owned());
            let lower = NOBODY.iter().map(|(_, id)| id.to_lowercase());
            let malformed = others.into_iter().chain([MARKER, long.as_str()]).map(str::to_owned);
            let whole = fixture.path(&operation);
            let at = operation.path.split('/').position(|part| part == name).unwrap();
            for id in unknown.chain(lower).chain(malformed) {
                let mut parts: Vec<&str> = whole.split('/').collect();
                parts[at] = &id;
                let request = fixture.request(&operation, &parts.join("/"));
                let response = with_example(request, &operation).send().await;
                // A list of nothing would be a lie, and so would a removal of nothing.
                refused(&operation, &response, &id);
                assert_eq!(
                    (response.status, &response.json["code"]),
                    (404, &json!("resource_not_found")),
                    "{} {id:.60}",
                    operation.id
                );
            }
        }
    }
    left_no_trace(&fixture);
}

#[tokio::test]
async fn an_id_in_a_body_that_names_nothing_is_refused() {
    let fixture = Fixture::new().await;
    let mut count = 0;
    for (operation, table) in with_body() {
        for (path, field) in fields(table) {
            let Shape::Id(prefix) = field.shape else { continue };
            for (kind, id) in NOBODY {
                let mut body = with(table, &path, Some(json!(id)));
                if path == "app_id" && operation.id == "createChallenge" {
                    body["to"] = json!({"phone": "+14155552671"});
                } else if operation.id == "createFactor" {
                    body["phone"] = json!("+14155552671");
                }
                let response = request(&fixture, &operation).json(&body).send().await;
                if prefix.starts_with(kind) {
                    refused(&operation, &response, &body.to_string());
                } else {
                    names_field(&operation, &response, &body.to_string(), &path, FieldCode::Value);
                }
                count += 1;
            }
        }
    }
    assert!(count > 30, "{count}");
}

#[tokio::test]
async fn a_path_that_is_not_there_is_not_found_and_not_repeated() {
    let fixture = Fixture::new().await;
    for path in
        ["/hunter2-marker", "/v1", "/v1/users/", "//v1/users", "/v1/%75sers", "/V1/users", "/%ff", "/v1/users/a/b/c"]
    {
        for method in ["GET", "POST", "PUT", "OPTIONS"] {
            let response = fixture.world.request(method, path).send().await;
            assert_eq!(response.header("content-type"), Some("application/problem+json"), "{method} {path}");
            assert!(!response.text.contains("hunter2"), "{}", response.text);
            response.expect_problem(404, "route_not_found");
        }
    }
    left_no_trace(&fixture);
}
