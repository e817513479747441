//! Values for the fields of the tables: one good one for each, and every kind of bad one with the code that
//! it is refused with. Every bad value has the marker in it wherever it can have one.

use postern::schema::{Field, FieldCode, Shape};
use serde_json::{Map, Value, json};

/// Stands for a secret in the wrong place: no answer, log line or row may have it.
pub const MARKER: &str = "hunter2-marker";

/// A value that the field takes.
pub fn good(field: &Field) -> Value {
    serde_json::from_str(field.example).unwrap_or_else(|_| good_shape(field.shape))
}

fn good_shape(shape: Shape) -> Value {
    match shape {
        Shape::Text(_) | Shape::Credential(_) | Shape::Prose(_) => json!("x"),
        Shape::Id(prefix) => json!(format!("{prefix}01M83WM7ZA000G40R40M30E209")),
        Shape::Integer(min, _) => json!(min),
        Shape::Share => json!(0.5),
        Shape::Boolean => json!(true),
        Shape::OneOf(choices) => json!(choices[0]),
        Shape::Timestamp => json!("2026-11-23T10:00:00Z"),
        Shape::Object(fields) => object(fields),
        Shape::List(item, _) => json!([good_shape(*item)]),
        Shape::Texts(_) => json!({"a": "b"}),
        Shape::Anything => json!({}),
    }
}

/// An object with the fields that have to be there.
pub fn object(fields: &[Field]) -> Value {
    let required = fields.iter().filter(|field| field.required);
    Value::Object(required.map(|field| (field.name.to_owned(), good(field))).collect())
}

/// Every field with its path, those in objects too.
pub fn fields(table: &'static [Field]) -> Vec<(String, Field)> {
    let nested = |field: &Field| match field.shape {
        Shape::Object(inner) => fields(inner),
        _ => Vec::new(),
    };
    let below = |field: &Field| {
        nested(field).into_iter().map(|(path, inner)| (format!("{}.{path}", field.name), inner)).collect::<Vec<_>>()
    };
    table.iter().flat_map(|field| std::iter::once((field.name.to_owned(), *field)).chain(below(field))).collect()
}

/// A body that is right but for what stands at the path; `None`: nothing stands there.
pub fn with(table: &'static [Field], path: &str, value: Option<Value>) -> Value {
    let mut body = object(table);
    let (mut place, mut names, mut inner) = (&mut body, path.split('.').peekable(), table);
    while let Some(name) = names.next() {
        let Value::Object(entries) = place else { panic!("{path} goes through no object") };
        if names.peek().is_none() {
            match value {
                Some(value) => drop(entries.insert(name.to_owned(), value)),
                None => drop(entries.remove(name)),
            }
            break;
        }
        inner = match inner.iter().find(|field| field.name == name).map(|field| field.shape) {
            Some(Shape::Object(fields)) => fields,
            _ => panic!("{path} goes through no object"),
        };
        place = entries.entry(name).or_insert_with(|| object(inner));
    }
    body
}

/// Values of another JSON type than the shape's.
pub fn of_other_types(shape: Shape) -> Vec<Value> {
    let all = [json!(MARKER), json!(7), json!(7.5), json!(true), json!([MARKER]), json!({MARKER: MARKER})];
    let fits = |value: &Value| match shape {
        Shape::Text(_) | Shape::Credential(_) | Shape::Prose(_) | Shape::Id(_) | Shape::OneOf(_) | Shape::Timestamp => {
            value.is_string()
        }
        Shape::Integer(..) => value.is_i64(),
        Shape::Share => value.is_number(),
        Shape::Boolean => value.is_boolean(),
        Shape::Object(_) | Shape::Texts(_) | Shape::Anything => value.is_object(),
        Shape::List(..) => value.is_array(),
    };
    all.into_iter().filter(|value| !fits(value)).collect()
}

/// Values of the right JSON type that the shape does not take.
pub fn out_of_range(shape: Shape) -> Vec<Value> {
    let long = |length: usize| json!(MARKER.repeat(length / MARKER.len() + 1)[..length].to_owned());
    match shape {
        Shape::Text(max) => {
            vec![json!(""), long(max + 1), long(max * 20), json!("a\u{0}b"), json!("a\nb"), json!("a\u{9b}b")]
        }
        Shape::Prose(max) => vec![json!(""), long(max + 1), json!("a\u{0}b"), json!("a\u{9b}b")],
        Shape::Credential(max) => vec![json!(""), long(max + 1), json!("a\u{0}b")],
        Shape::Id(prefix) => vec![
            json!(""),
            json!(MARKER),
            json!(prefix),
            json!(format!("{prefix}{MARKER}")),
            json!(format!("{prefix}01m83wm7za000g40r40m30e209")),
            json!(format!("{prefix}01M83WM7ZA000G40R40M30E2099")),
            json!(format!("{prefix}81M83WM7ZA000G40R40M30E209")),
            json!(format!("zzz_{}", &"01M83WM7ZA000G40R40M30E209")),
            long(5000),
        ],
        Shape::Integer(min, max) => vec![json!(min - 1), json!(max + 1), json!(i64::MAX), json!(i64::MIN)],
        Shape::OneOf(_) => vec![json!(""), json!(MARKER), long(5000)],
        Shape::Timestamp => vec![json!(""), json!(MARKER), json!("2026-11-22"), json!("2026-02-30T00:00:00Z")],
        Shape::Texts(max) => {
            let many: Map<String, Value> = (0..=max).map(|at| (format!("k{at}"), json!("v"))).collect();
            vec![Value::Object(many), json!({"a": long(501)}), json!({"": "b"}), json!({"a": 1}), json!({"a": null})]
        }
        Shape::List(item, max) => vec![Value::from(vec![good_shape(*item); max + 1])],
        Shape::Share | Shape::Boolean | Shape::Object(_) | Shape::Anything => Vec::new(),
    }
}

/// Every bad value of a field with the code that it gets at the field's path.
pub fn bad(field: &Field) -> Vec<(Value, FieldCode)> {
    let types = of_other_types(field.shape).into_iter().map(|value| (value, FieldCode::Type));
    let ranges = out_of_range(field.shape).into_iter().map(|value| (value, FieldCode::Value));
    let null = (field.required && !field.nullable).then_some((Value::Null, FieldCode::Type));
    types.chain(ranges).chain(null).collect()
}
