//! The bindings as JSON: text, booleans, numbers, lists and tables, as the platform delivers them.

use std::collections::BTreeMap;

use js_sys::Reflect;
use serde_json::Value;
use worker::{Env, wasm_bindgen::JsValue};

use crate::config::VARIABLES;

/// Reads every variable of the table from the environment.
pub fn bindings(env: &Env) -> BTreeMap<String, Value> {
    let names = VARIABLES.iter().flat_map(|variable| [Some(variable.name), variable.alias]).flatten();
    names
        .filter_map(|name| {
            let value = Reflect::get(env.as_ref(), &JsValue::from_str(name)).ok()?;
            let value: Value = serde_wasm_bindgen::from_value(value).ok()?;
            Some((name.to_owned(), value))
        })
        .collect()
}
