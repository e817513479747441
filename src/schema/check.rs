//! Holds a JSON object against its table of fields and names every field that is wrong, not only the first.

use super::{Field, FieldCode, FieldError, Node, Shape};
use crate::{ids::is_ulid, time::Timestamp};

/// How many errors are told. Whoever sends thousands of wrong fields does not get a megabyte back.
const MOST_ERRORS: usize = 100;

/// Everything that is wrong with an object.
pub fn check(fields: &[Field], node: &Node) -> Vec<FieldError> {
    let mut errors = Vec::new();
    object(fields, node, "", &mut errors);
    errors
}

/// The same for a query string, whose values are all text: numbers and flags are read from it.
pub fn check_query(fields: &[Field], pairs: &[(String, String)]) -> (Node, Vec<FieldError>) {
    let entries = pairs
        .iter()
        .map(|(name, value)| {
            let shape = fields.iter().find(|field| field.name == name).map(|field| field.shape);
            let node = match shape {
                Some(Shape::Integer(..)) => value.parse().map_or_else(|_| Node::Text(value.clone()), Node::Integer),
                Some(Shape::Boolean) => value.parse().map_or_else(|_| Node::Text(value.clone()), Node::Boolean),
                _ => Node::Text(value.clone()),
            };
            (name.clone(), node)
        })
        .collect();
    let node = Node::Object(entries);
    let errors = check(fields, &node);
    (node, errors)
}

fn object(fields: &[Field], node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let Node::Object(entries) = node else {
        errors.push(FieldError::new(path, FieldCode::Type, "an object is wanted"));
        return;
    };
    for (position, (name, value)) in entries.iter().enumerate() {
        if errors.len() >= MOST_ERRORS {
            return;
        }
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            errors.push(FieldError::new(join(path, &shown(name)), FieldCode::Unknown, unknown(fields)));
            continue;
        };
        let path = join(path, name);
        if entries.iter().take(position).any(|(earlier, _)| earlier == name) {
            errors.push(FieldError::new(path, FieldCode::Duplicate, "it is there more than once; once is wanted"));
            continue;
        }
        match value {
            Node::Null if field.nullable || !field.required => {}
            value => shape(field.shape, value, &path, errors),
        }
    }
    for field in fields.iter().filter(|field| field.required) {
        if !entries.iter().any(|(name, _)| name == field.name) {
            let detail = format!("it is missing: {}", wanted(field.shape));
            errors.push(FieldError::new(join(path, field.name), FieldCode::Missing, detail));
        }
    }
}

fn shape(shape: Shape, node: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let code = match (shape, node) {
        (Shape::Object(fields), node) => return object(fields, node, path, errors),
        (Shape::List(item, max), Node::List(items)) => {
            if items.len() > max {
                return errors.push(FieldError::new(path, FieldCode::Value, wanted(shape)));
            }
            for (position, node) in items.iter().enumerate() {
                self::shape(*item, node, &format!("{path}.{position}"), errors);
            }
            return;
        }
        (Shape::Text(max) | Shape::Prose(max), Node::Text(text)) => {
            let length = text.chars().count();
            let breaks = matches!(shape, Shape::Prose(_));
            let control = |character: char| character.is_control() && !(breaks && "\n\r\t".contains(character));
            (length < 1 || length > max || text.contains(control)).then_some(FieldCode::Value)
        }
        (Shape::Credential(max), Node::Text(text)) => {
            (!(1..=max).contains(&text.chars().count()) || text.contains('\0')).then_some(FieldCode::Value)
        }
        (Shape::Id(prefix), Node::Text(text)) => {
            (!text.strip_prefix(prefix).is_some_and(is_ulid)).then_some(FieldCode::Value)
        }
        (Shape::Integer(min, max), Node::Integer(number)) => {
            (!(min..=max).contains(number)).then_some(FieldCode::Value)
        }
        (Shape::OneOf(choices), Node::Text(text)) => (!choices.contains(&text.as_str())).then_some(FieldCode::Value),
        (Shape::Timestamp, Node::Text(text)) => Timestamp::parse(text).is_none().then_some(FieldCode::Value),
        (Shape::Texts(max), Node::Object(entries)) => texts(entries, max).then_some(FieldCode::Value),
        (Shape::Boolean, Node::Boolean(_)) | (Shape::Anything, Node::Object(_)) => None,
        _ => Some(FieldCode::Type),
    };
    if let Some(code) = code {
        errors.push(FieldError::new(path, code, wanted(shape)));
    }
}

/// Whether a free object of texts is wrong.
fn texts(entries: &[(String, Node)], max: usize) -> bool {
    let names_repeat =
        || entries.iter().enumerate().any(|(at, (name, _))| entries.iter().take(at).any(|(other, _)| other == name));
    let entry_is_wrong = |(name, node): &(String, Node)| {
        let bad_name = !(1..=40).contains(&name.chars().count());
        bad_name || !matches!(node, Node::Text(text) if text.chars().count() <= 500)
    };
    entries.len() > max || names_repeat() || entries.iter().any(entry_is_wrong)
}

/// What a shape wants, as a sentence.
fn wanted(shape: Shape) -> String {
    match shape {
        Shape::Text(max) => format!("text of 1 to {max} characters without control characters is wanted"),
        Shape::Prose(max) => {
            format!("text of 1 to {max} characters is wanted, of control characters only line breaks and tabs")
        }
        Shape::Credential(max) => format!("a credential of 1 to {max} characters is wanted"),
        Shape::Id(prefix) => format!("an id is wanted: {prefix} and a ULID"),
        Shape::Integer(min, max) => format!("a whole number from {min} to {max} is wanted"),
        Shape::Share => "a number from 0 to 1 is wanted".to_owned(),
        Shape::Boolean => "true or false is wanted".to_owned(),
        Shape::OneOf(choices) => format!("one of {} is wanted", choices.join(", ")),
        Shape::Timestamp => "an RFC 3339 date and time like 2026-11-22T10:00:00Z is wanted".to_owned(),
        Shape::Object(_) | Shape::Anything => "an object is wanted".to_owned(),
        Shape::List(_, max) => format!("a list of at most {max} is wanted"),
        Shape::Texts(max) => {
            format!("an object of at most {max} texts is wanted, names of 1 to 40 and values of at most 500 characters")
        }
    }
}

fn unknown(fields: &[Field]) -> String {
    if fields.is_empty() {
        return "there is no such field; none is wanted here".to_owned();
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    format!("there is no such field; there are {}", names.join(", "))
}

/// A field's name as it is told back: only what looks like one, so that a misplaced secret is not echoed.
fn shown(name: &str) -> String {
    let plain = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if plain { name.to_owned() } else { "?".to_owned() }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::field;

    const FIELDS: &[Field] = &[
        field("to", Shape::Object(&[field("phone", Shape::Text(40), "").required()]), "").required(),
        field("count", Shape::Integer(1, 5), ""),
        field("scopes", Shape::List(&Shape::OneOf(&["a", "b"]), 2), ""),
        field("metadata", Shape::Texts(2), ""),
    ];

    fn errors(json: &str) -> Vec<(String, FieldCode)> {
        check(FIELDS, &Node::parse(json).expect(json)).into_iter().map(|error| (error.field, error.code)).collect()
    }

    #[test]
    fn every_wrong_field_is_named_once_with_its_path() {
        let cases = [
            (r#"{"to":{"phone":"1"}}"#, vec![]),
            (r#"{"to":{"phone":"1"},"count":null}"#, vec![]),
            (r"{}", vec![("to", FieldCode::Missing)]),
            (r"[]", vec![("", FieldCode::Type)]),
            (r#"{"to":{}}"#, vec![("to.phone", FieldCode::Missing)]),
            (r#"{"to":{"phone":null}}"#, vec![("to.phone", FieldCode::Type)]),
            (r#"{"to":"x"}"#, vec![("to", FieldCode::Type)]),
            (r#"{"to":{"phone":1}}"#, vec![("to.phone", FieldCode::Type)]),
            (r#"{"to":{"phone":""}}"#, vec![("to.phone", FieldCode::Value)]),
            (r#"{"to":{"phone":"1"},"to":{"phone":"2"}}"#, vec![("to", FieldCode::Duplicate)]),
            (r#"{"to":{"phone":"1"},"count":6}"#, vec![("count", FieldCode::Value)]),
            (r#"{"to":{"phone":"1"},"count":1.5}"#, vec![("count", FieldCode::Type)]),
            (r#"{"to":{"phone":"1"},"scopes":["a","c"]}"#, vec![("scopes.1", FieldCode::Value)]),
            (r#"{"to":{"phone":"1"},"hunter2!":1}"#, vec![("?", FieldCode::Unknown)]),
            (r#"{"to":{"phone":"1"},"metadata":{"a":1}}"#, vec![("metadata", FieldCode::Value)]),
            (
                r#"{"x":1,"count":"1"}"#,
                vec![("x", FieldCode::Unknown), ("count", FieldCode::Type), ("to", FieldCode::Missing)],
            ),
        ];
        for (json, wanted) in cases {
            let wanted: Vec<_> = wanted.into_iter().map(|(field, code)| (field.to_owned(), code)).collect();
            assert_eq!(errors(json), wanted, "{json}");
        }
    }

    #[test]
    fn no_sentence_repeats_what_was_sent() {
        let node = Node::parse(r#"{"to":{"phone":"hunter2\u0000"},"count":"hunter2","hunter2 ":1}"#).expect("JSON");
        let errors = check(FIELDS, &node);
        assert_eq!(errors.len(), 3);
        assert!(errors.iter().all(|error| !format!("{error:?}").contains("hunter2")), "{errors:?}");
    }
}
