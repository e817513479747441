//! What an answer tells, and the work behind it: what has to be equal for known and unknown people (law 8).

use postern::password::work;
use serde_json::{Map, Value, json};

use super::{Request, Response, World};

/// All that can be told of an answer from outside, and what was done for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub what: String,
    pub status: u16,
    pub headers: Vec<String>,
    pub body: Value,
    /// Slow hashes: each one's algorithm and costs.
    pub hashes: Vec<String>,
    pub batches: u32,
    pub statements: u32,
}

/// Sends a request and tells what came of it. Nothing else may run on this thread meanwhile.
pub async fn told(world: &World, what: &str, request: Request) -> (Told, Response) {
    let database = &world.here().database;
    let before = (database.batches(), database.statements());
    work::done();
    let mut done = (Vec::new(), (0, 0));
    // What is done after the answer keeps nobody waiting.
    let response = request.observed(|| done = (work::done(), (database.batches(), database.statements()))).await;
    let (hashes, (batches, statements)) = done;
    let told = Told {
        what: what.to_owned(),
        status: response.status,
        headers: response.headers.iter().map(|(name, _)| name.clone()).collect(),
        body: shape(&response.json),
        hashes,
        batches: batches - before.0,
        statements: statements - before.1,
    };
    (told, response)
}

/// A body without what differs from call to call: each value is its type, words of the contract stay.
pub fn shape(value: &Value) -> Value {
    const WORDS: [&str; 14] = [
        "status",
        "purpose",
        "code",
        "attempts_left",
        "sends",
        "retry_after",
        "channel",
        "title",
        "type",
        "step",
        "options",
        "reason",
        "detail",
        "to",
    ];
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let kept = if WORDS.contains(&name.as_str()) { value.clone() } else { shape(value) };
                    (name.clone(), kept)
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("flag"),
        Value::Null => Value::Null,
    }
}
