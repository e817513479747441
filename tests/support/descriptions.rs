//! Carriers' own descriptions of their interfaces (`scripts/carriers.mjs` makes the data of them): every request that a
//! test sends to a fake carrier is held against them, and so is what the fake answers.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

static DESCRIPTIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let data: Value = serde_json::from_str(include_str!("../data/carrier_descriptions.json")).unwrap();
    data["operations"].as_array().unwrap().iter().map(Operation::read).collect()
});

/// A POST that a carrier describes.
struct Operation {
    /// Its path's parts: a name or, in braces, a parameter.
    path: Vec<String>,
    parameters: Vec<(String, Validator)>,
    form: bool,
    /// The schemas of a form's fields, which are texts on the wire.
    fields: Value,
    body: Validator,
    status: u16,
    answer: Validator,
}

impl Operation {
    fn read(data: &Value) -> Self {
        let validator = |schema: &Value| jsonschema::options().should_validate_formats(true).build(schema).unwrap();
        let parameters = data["parameters"].as_object().unwrap();
        let mut body = data["body"].clone();
        if let Some(required) = body.get_mut("required").and_then(Value::as_array_mut) {
            // Vonage's guide to authentication has HTTP Basic in place of the key and the secret in the body.
            required.retain(|name| name != "api_key");
        }
        Self {
            path: data["path"].as_str().unwrap().trim_start_matches('/').split('/').map(str::to_owned).collect(),
            parameters: parameters.iter().map(|(name, schema)| (name.clone(), validator(schema))).collect(),
            form: data["type"] == "application/x-www-form-urlencoded",
            fields: body["properties"].clone(),
            body: validator(&body),
            status: u16::try_from(data["status"].as_u64().unwrap()).unwrap(),
            answer: validator(&data["answer"]),
        }
    }

    /// What stands where the path has parameters; nothing if the path is another one.
    fn matches<'a>(&self, parts: &[&'a str]) -> Option<Vec<(&str, &'a str)>> {
        if parts.len() != self.path.len() {
            return None;
        }
        let mut found = Vec::new();
        for (wanted, part) in self.path.iter().zip(parts) {
            let (head, tail) = wanted.split_once('{').unwrap_or((wanted, ""));
            match tail.split_once('}') {
                Some((name, tail)) => found.push((name, part.strip_prefix(head)?.strip_suffix(tail)?)),
                None if wanted == part => {}
                None => return None,
            }
        }
        Some(found)
    }

    /// A form's fields with the types that they are described with.
    fn typed(&self, body: &str) -> Value {
        let mut object = Map::new();
        for (name, value) in form_urlencoded::parse(body.as_bytes()) {
            let schema = &self.fields[name.as_ref()];
            let list = schema["type"] == "array";
            let kind = if list { &schema["items"]["type"] } else { &schema["type"] };
            let parsed = match kind.as_str() {
                Some("integer" | "number" | "boolean") => serde_json::from_str(&value).unwrap_or(json!(value)),
                _ => json!(value),
            };
            let before = object.get(name.as_ref()).cloned();
            let entry = match (list, before) {
                (true, Some(Value::Array(items))) => Value::Array([items, vec![parsed]].concat()),
                (true, _) => json!([parsed]),
                // A field that is described once came twice: no schema of one value takes a list.
                (false, Some(before)) => json!([before, parsed]),
                (false, None) => parsed,
            };
            object.insert(name.into_owned(), entry);
        }
        Value::Object(object)
    }
}

/// The described operation behind a path of the fakes: their base comes first.
fn find(path: &str) -> Option<(&'static Operation, Vec<(&'static str, &str)>)> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').skip(1).collect();
    DESCRIPTIONS.iter().find_map(|operation| operation.matches(&parts).map(|found| (operation, found)))
}

fn against(validator: &Validator, value: &Value) -> Result<(), String> {
    let complaints: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("; ")) }
}

/// Holds a request against its carrier's description; others are not described.
pub fn request(method: &str, path: &str, headers: &[(String, String)], body: &str) -> Result<(), String> {
    let Some((operation, found)) = find(path) else { return Ok(()) };
    let told = |what: String| format!("{path}: not as the carrier describes it: {what}");
    if method != "POST" {
        return Err(told(format!("{method} in place of POST")));
    }
    for (name, validator) in &operation.parameters {
        let value = found.iter().find(|(known, _)| known == name).map(|(_, value)| json!(value));
        against(validator, &value.unwrap_or_default()).map_err(|what| told(format!("{name}: {what}")))?;
    }
    let wanted = if operation.form { "application/x-www-form-urlencoded" } else { "application/json" };
    let has = |name: &str, value: &str| {
        headers.iter().any(|(key, had)| key.eq_ignore_ascii_case(name) && had.starts_with(value))
    };
    if !has("content-type", wanted) {
        return Err(told(format!("its body is not {wanted}")));
    }
    let value = if operation.form { operation.typed(body) } else { serde_json::from_str(body).unwrap_or_default() };
    if value["api_key"].is_null() && path.contains("/sms/") && !has("authorization", "Basic ") {
        return Err(told("neither HTTP Basic nor api_key".to_owned()));
    }
    against(&operation.body, &value).map_err(told)
}

/// Holds what a fake answers, when it takes a request, against what the carrier says that it answers.
pub fn answer(path: &str, status: u16, body: &str) -> Result<(), String> {
    let Some((operation, _)) = find(path).filter(|_| (200..300).contains(&status)) else { return Ok(()) };
    let told = |what: String| format!("the fake of {path} does not answer as the carrier describes it: {what}");
    if status != operation.status {
        return Err(told(format!("{status} in place of {}", operation.status)));
    }
    let body = serde_json::from_str(body).map_err(|error| told(error.to_string()))?;
    against(&operation.answer, &body).map_err(told)
}

/// Whether a path of the fakes is described.
pub fn is_described(path: &str) -> bool {
    find(path).is_some()
}

/// How many operations are described.
pub fn count() -> usize {
    DESCRIPTIONS.len()
}
