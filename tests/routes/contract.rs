//! The contract: that the document is whole, that its examples are accepted, and that its list of operations
//! and codes changes on purpose only. `scripts/validate-openapi.mjs` holds it against OpenAPI 3.1 itself.

use std::{collections::BTreeSet, fmt::Write as _};

use postern::{
    http::{Code, contract::Auth, operations},
    schema::{Node, check},
};
use serde_json::{Value, json};

use super::{Fixture, keyed, names, samples::fields, text};
use crate::support::{World, contract::document};

#[test]
fn operations_have_names_of_their_own_and_name_every_part_of_their_path() {
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for operation in operations() {
        assert!(ids.insert(operation.id), "{} is there twice", operation.id);
        assert!(places.insert((operation.method, operation.path)), "{} is there twice", operation.path);
        assert!(!operation.summary.is_empty() && !operation.tag.is_empty(), "{}", operation.id);
        if operation.auth == Auth::Development {
            continue;
        }
        let described = &document()["paths"][operation.path][operation.method.to_lowercase()];
        let mut in_path: Vec<&str> = described["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|parameter| parameter["in"] == "path" && parameter["required"] == true)
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let mut wanted: Vec<&str> =
            operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        in_path.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(in_path, wanted, "{}", operation.id);
    }
}

#[tokio::test]
async fn every_example_is_taken_by_its_own_route() {
    let fixture = Fixture::new().await;
    for (operation, _) in keyed() {
        let Some(table) = operation.body else { continue };
        assert!(operation.body_optional || !operation.example.is_empty(), "{} shows no body", operation.id);
        if !operation.example.is_empty() {
            let example = Node::parse(operation.example).expect(operation.id);
            assert_eq!(check(table, &example), [], "{}", operation.id);
        }
        let response = fixture.call(&operation).send().await;
        let code = response.json["code"].as_str().unwrap_or_default();
        // The example's code cannot be the right one, and its challenge is nobody's.
        let taken = response.status < 300
            || ["form_code_incorrect", "verification_expired", "form_password_incorrect"].contains(&code)
            || (operation.id == "resendChallenge" && code == "rate_limit_exceeded")
            || (operation.id == "createFactor" && code == "proof_required")
            || (operation.id == "createRecoveryCodes" && code == "proof_invalid")
            || (operation.id == "createDevice" && code == "proof_invalid")
            || (operation.id == "activateFactor" && code == "resource_not_found");
        assert!(taken, "{}: {}", operation.id, response.text);
    }
}

#[test]
fn every_examples_of_a_field_is_a_value_of_it() {
    let mut count = 0;
    for operation in operations() {
        let tables = [operation.body.unwrap_or_default(), operation.query];
        for (path, field) in tables.into_iter().flat_map(fields) {
            if field.example.is_empty() {
                continue;
            }
            let value = Node::parse(field.example).unwrap_or_else(|| panic!("{} {path}: no JSON", operation.id));
            let object = Node::Object(vec![(field.name.to_owned(), value)]);
            assert_eq!(check(&[field], &object), [], "{} {path}", operation.id);
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn every_schema_is_a_schema_and_takes_the_examples_of_its_operation() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name}");
    }
    for operation in operations() {
        let body = &document["paths"][operation.path][operation.method.to_lowercase()]["requestBody"];
        let name =
            if operation.auth == Auth::Client { "application/x-www-form-urlencoded" } else { "application/json" };
        let media = &body["content"][name];
        if media.is_null() {
            assert!(operation.body.is_none() || operation.auth == Auth::Development, "{}", operation.id);
            continue;
        }
        let validator = jsonschema::validator_for(&media["schema"]).unwrap();
        let example = if operation.example.is_empty() { json!({}) } else { media["example"].clone() };
        assert!(validator.is_valid(&example), "{}: {example}", operation.id);
        // It is no schema that takes everything.
        assert!(!validator.is_valid(&json!({"hunter2": 1})) && !validator.is_valid(&json!([])), "{}", operation.id);
    }
}

#[test]
fn every_code_is_some_operations_and_its_name_and_status_are_its_own() {
    let refused: BTreeSet<&str> = operations().iter().flat_map(|operation| names(&operation.codes())).collect();
    let mut seen = BTreeSet::new();
    for code in Code::ALL {
        let by_router = *code == Code::MethodNotAllowed;
        assert!(by_router || refused.contains(code.as_str()), "{} is refused by no operation", code.as_str());
        assert!(seen.insert(code.as_str()), "{} is there twice", code.as_str());
        assert!((400..600).contains(&code.status()) && !code.remedy().is_empty(), "{}", code.as_str());
    }
}

#[tokio::test]
async fn the_page_documents_every_code_where_problems_point_to() {
    let world = World::null();
    let page = world.get("/docs").await.text;
    for code in Code::ALL {
        assert!(page.contains(&format!("id=\"{}\"", code.as_str())), "{} is not in /docs", code.as_str());
    }
    let problem = world.get("/v1/nothing").await.expect_problem(404, "route_not_found");
    assert_eq!(text(&problem["type"]), "/docs#route_not_found");
}

#[tokio::test]
async fn the_served_document_is_the_one_that_the_tests_hold() {
    let served = World::null().get("/openapi.json").await;
    assert_eq!(&served.json, document());
    assert_eq!(served.json["openapi"], "3.1.0");
    // Development's paths are nobody's contract.
    assert!(served.json["paths"]["/dev/inbox.json"].is_null());
}

/// Every operation with what it gives and refuses, one line each.
fn listed() -> String {
    let mut text = String::new();
    for operation in operations() {
        let access = match operation.auth {
            Auth::Public => "public".to_owned(),
            Auth::Key(scope) => scope.as_str().to_owned(),
            Auth::Development => "development".to_owned(),
            Auth::Carrier => "carrier".to_owned(),
            Auth::Embedded => "an app's page".to_owned(),
            Auth::Flow => "a flow's token".to_owned(),
            Auth::Client => "a client".to_owned(),
            Auth::User => "a user's access token".to_owned(),
        };
        let mut codes = names(&operation.codes());
        codes.sort_unstable();
        let idempotent = if operation.idempotent { ", idempotent" } else { "" };
        let (codes, status) = (codes.join("\n    "), operation.status);
        let _ =
            writeln!(text, "{} {} ({access}{idempotent}) → {status}\n    {codes}", operation.method, operation.path);
    }
    text
}

/// What callers rely on: a change of this file is a change of the contract, and is made on purpose.
#[test]
fn the_list_of_operations_and_codes_is_unchanged() {
    let path = "tests/snapshots/contract.txt";
    let now = listed();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let change: Vec<String> = diff(&kept, &now);
    assert!(
        change.is_empty(),
        "the contract changed; if that is meant, UPDATE_SNAPSHOTS=1 writes {path}:\n{}",
        change.join("\n")
    );
}

/// The lines that differ, with the operation they stand under.
fn diff(kept: &str, now: &str) -> Vec<String> {
    let lines = |text: &str| -> BTreeSet<String> {
        let mut operation = "";
        let mut all = BTreeSet::new();
        for line in text.lines() {
            if line.starts_with(' ') {
                all.insert(format!("{operation}: {}", line.trim()));
            } else {
                operation = line;
                all.insert(line.to_owned());
            }
        }
        all
    };
    let (kept, now) = (lines(kept), lines(now));
    let gone = kept.difference(&now).map(|line| format!("- {line}"));
    gone.chain(now.difference(&kept).map(|line| format!("+ {line}"))).collect()
}

#[test]
fn a_problem_says_what_rfc_9457_wants() {
    let schema = &document()["components"]["schemas"]["Problem"];
    let required: Vec<&str> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for name in ["type", "title", "status", "detail", "code", "trace_id"] {
        assert!(required.contains(&name), "{name}");
    }
    let known = schema["properties"]["code"]["enum"].as_array().unwrap();
    assert_eq!(known.len(), Code::ALL.len());
}
