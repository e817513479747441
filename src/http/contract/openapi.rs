//! The OpenAPI 3.1 document, written from the operations.

use serde_json::{Map, Value, json};

use super::{Auth, Gives, Operation, shapes};
use crate::{
    few::sort_few,
    http::problem::Code,
    schema::{Field, FieldCode, Shape},
};

/// The whole document.
pub fn openapi(operations: &[Operation]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut schemas: Map<String, Value> = Map::new();
    schemas.insert("Problem".to_owned(), problem_schema());
    for operation in operations.iter().filter(|operation| operation.auth != Auth::Development) {
        let entry = paths.entry(operation.path.to_owned()).or_insert_with(|| json!({}));
        if let (Value::Object(methods), Some(name)) = (entry, method_name(operation.method)) {
            methods.insert(name.to_owned(), describe(operation, &mut schemas));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Postern",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Sign-in and multi-factor authentication at the edge. Errors are RFC 9457 problems; times are RFC 3339 in UTC; ids are a prefix and a ULID.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "serverKey": {"type": "http", "scheme": "bearer", "description": "A server key: `sk_live_…` or `sk_test_…`"},
                "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "The access token of somebody who is signed in"},
                "flowToken": {"type": "http", "scheme": "bearer", "description": "A flow's token: `flw_…`"},
                "machine": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A machine app's access token"},
                "client": {"type": "http", "scheme": "basic", "description": "`client_id` and `client_secret` of an app"},
            },
        },
    })
}

fn method_name(method: &str) -> Option<&'static str> {
    match method {
        "GET" => Some("get"),
        "POST" => Some("post"),
        "PATCH" => Some("patch"),
        "DELETE" => Some("delete"),
        _ => None,
    }
}

fn describe(operation: &Operation, schemas: &mut Map<String, Value>) -> Value {
    let mut parameters: Vec<Value> = path_names(operation.path)
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(operation.query.iter().map(|field| {
        json!({"name": field.name, "in": "query", "required": field.required, "description": field.meaning,
            "schema": shape_schema(field.shape)})
    }));
    if operation.idempotent {
        parameters.push(json!({"name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same call with the same key within 24 hours happens once",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255}}));
    }
    let mut responses = Map::new();
    for status in operation.also.iter().chain([&operation.status]) {
        responses.insert(status.to_string(), success(operation, *status, schemas));
    }
    if operation.auth == Auth::Client {
        refusals_of_oauth(&mut responses, schemas);
    }
    for (status, codes) in by_status(&operation.codes()) {
        let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        let description =
            codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title())).collect::<Vec<_>>().join("; ");
        let mut headers = json!({"x-request-id": {"schema": {"type": "string"}}});
        if status == 429
            && let Value::Object(headers) = &mut headers
        {
            headers.insert("retry-after".to_owned(), json!({"schema": {"type": "integer"}, "description": "Seconds"}));
        }
        responses.insert(
            status.to_string(),
            json!({"description": description, "headers": headers, "content": {"application/problem+json": {"schema": {
                "allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": {"code": {"enum": names}}}]}}}}),
        );
    }
    let description = match operation.auth {
        Auth::Key(scope) => format!("{}\n\nScope: `{}`.", operation.description, scope.as_str()).trim().to_owned(),
        _ => operation.description.to_owned(),
    };
    let mut object = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": description,
        "parameters": parameters,
        "responses": responses,
    });
    if let Value::Object(object) = &mut object {
        if let Some(fields) = operation.body {
            let mut schema = object_schema(fields);
            if let (Auth::Client, Value::Object(schema)) = (operation.auth, &mut schema) {
                // What it does not know it does not look at.
                schema.remove("additionalProperties");
            }
            if operation.inherits {
                inherit(&mut schema);
            }
            let mut media = json!({"schema": schema});
            if let (Value::Object(media), Ok(example)) = (&mut media, serde_json::from_str::<Value>(operation.example))
            {
                media.insert("example".to_owned(), example);
            }
            let name = if operation.auth == Auth::Client { FORM } else { "application/json" };
            object.insert(
                "requestBody".to_owned(),
                json!({"required": !operation.body_optional, "content": {name: media}}),
            );
        }
        let security = match operation.auth {
            Auth::Key(_) => Some(json!([{"serverKey": []}, {"machine": []}])),
            Auth::Flow => Some(json!([{"flowToken": []}])),
            Auth::User => Some(json!([{"accessToken": []}])),
            Auth::Client => Some(json!([{}, {"client": []}])),
            Auth::Public | Auth::Development | Auth::Carrier | Auth::Embedded => None,
        };
        object.extend(security.map(|security| ("security".to_owned(), security)));
    }
    object
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The statuses of RFC 6749 §5.2, and what is our fault.
fn refusals_of_oauth(responses: &mut Map<String, Value>, schemas: &mut Map<String, Value>) {
    schemas.entry("OAuthError").or_insert_with(|| object_schema(shapes::OAUTH_ERROR));
    for status in ["400", "401", "500", "503"] {
        let body = json!({"schema": {"$ref": "#/components/schemas/OAuthError"}});
        let response = json!({"description": "See `error` (RFC 6749 §5.2)", "headers": {"x-request-id": {"schema": {"type": "string"}}},
            "content": {"application/json": body}});
        responses.insert(status.to_owned(), response);
    }
}

/// Every field also takes `"inherit"` and `null`.
fn inherit(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for property in properties.values_mut() {
        inherit(property);
        let own = property.take();
        *property = json!({"anyOf": [own, {"const": "inherit"}, {"type": "null"}]});
    }
}

fn success(operation: &Operation, status: u16, schemas: &mut Map<String, Value>) -> Value {
    let mut reference = |name: &str, fields: &'static [Field]| {
        schemas.entry(name.to_owned()).or_insert_with(|| object_schema(fields));
        json!({"$ref": format!("#/components/schemas/{name}")})
    };
    let schema = match operation.gives {
        Gives::Either(_, _, name, fields) if operation.also.contains(&status) => Some(reference(name, fields)),
        Gives::One(name, fields) | Gives::Either(name, fields, ..) => Some(reference(name, fields)),
        Gives::List(name, fields) => Some(json!({"type": "array", "items": reference(name, fields)})),
        Gives::Page(name, fields) => Some(json!({"type": "object", "required": ["data", "next_cursor"],
            "properties": {"data": {"type": "array", "items": reference(name, fields)},
                "next_cursor": {"type": ["string", "null"], "description": "Pass it as `cursor` for the next page; null at the end"}}})),
        Gives::Nothing | Gives::Other(_) => None,
    };
    let mut response =
        json!({"description": operation.summary, "headers": {"x-request-id": {"schema": {"type": "string"}}}});
    if let Value::Object(response) = &mut response {
        match (schema, operation.gives) {
            (Some(schema), _) => {
                response.insert("content".to_owned(), json!({"application/json": {"schema": schema}}));
            }
            (None, Gives::Other(media)) => {
                response.insert("content".to_owned(), json!({media: {}}));
            }
            (None, _) => {}
        }
    }
    response
}

/// The codes of each status, in the order they are listed.
fn by_status(codes: &[Code]) -> Vec<(u16, Vec<Code>)> {
    let mut groups: Vec<(u16, Vec<Code>)> = Vec::new();
    for code in codes {
        match groups.iter_mut().find(|(status, _)| *status == code.status()) {
            Some((_, group)) => group.push(*code),
            None => groups.push((code.status(), vec![*code])),
        }
    }
    sort_few(&mut groups, |one, other| one.0 < other.0);
    groups
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
}

fn object_schema(fields: &[Field]) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut schema = shape_schema(field.shape);
        if let Value::Object(schema) = &mut schema {
            if field.nullable {
                let kind = schema.remove("type").unwrap_or(Value::Null);
                schema.insert("type".to_owned(), json!([kind, "null"]));
                if let Some(Value::Array(values)) = schema.get_mut("enum") {
                    values.push(Value::Null);
                }
            }
            schema.insert("description".to_owned(), json!(field.meaning));
            if let Ok(example) = serde_json::from_str::<Value>(field.example) {
                schema.insert("examples".to_owned(), json!([example]));
            }
        }
        properties.insert(field.name.to_owned(), schema);
    }
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn shape_schema(shape: Shape) -> Value {
    match shape {
        Shape::Text(max) | Shape::Prose(max) => json!({"type": "string", "minLength": 1, "maxLength": max}),
        Shape::Credential(max) => json!({"type": "string", "minLength": 1, "maxLength": max, "writeOnly": true}),
        Shape::Id(prefix) => {
            json!({"type": "string", "pattern": format!("^{prefix}[0-7][0-9A-HJKMNP-TV-Z]{{25}}$")})
        }
        Shape::Integer(min, max) => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Share => json!({"type": "number", "minimum": 0, "maximum": 1}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::OneOf(choices) => json!({"type": "string", "enum": choices}),
        Shape::Timestamp => json!({"type": "string", "format": "date-time"}),
        Shape::Object(fields) => object_schema(fields),
        Shape::List(item, max) => json!({"type": "array", "items": shape_schema(*item), "maxItems": max}),
        Shape::Texts(max) => {
            json!({"type": "object", "additionalProperties": {"type": "string", "maxLength": 500}, "maxProperties": max})
        }
        Shape::Anything => json!({"type": "object"}),
    }
}

fn problem_schema() -> Value {
    let mut schema = object_schema(shapes::PROBLEM);
    if let Value::Object(schema) = &mut schema {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let fields: Vec<&str> = FieldCode::ALL.iter().map(|code| code.as_str()).collect();
        schema.remove("additionalProperties");
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert(
                "code".to_owned(),
                json!({"type": "string", "enum": codes, "description": "Which of the closed list"}),
            );
            if let Some(code) =
                properties.get_mut("errors").and_then(|errors| errors.pointer_mut("/items/properties/code"))
            {
                *code = json!({"type": "string", "enum": fields});
            }
        }
    }
    schema
}
