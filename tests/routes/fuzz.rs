//! Arbitrary bytes and arbitrary JSON to every operation that takes a body: never a 5xx, and always what the
//! contract says (the client holds every answer against it).

use postern::{
    http::{contract::Operation, operations},
    schema::{Field, Shape},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Fixture, NOBODY, samples};

/// Any JSON, not deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[+0-9() -]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

/// An object with fields of the table, each left out, good, bad or anything.
fn near(table: &'static [Field]) -> BoxedStrategy<Value> {
    let fields: Vec<BoxedStrategy<Option<(String, Value)>>> = table
        .iter()
        .map(|field| {
            let name = field.name.to_owned();
            let bad = samples::bad(field).into_iter().map(|(value, _)| value).chain([Value::Null]).collect::<Vec<_>>();
            let value = match field.shape {
                Shape::Object(inner) => near(inner),
                Shape::Id(_) => prop::sample::select(&NOBODY[..]).prop_map(|(_, id)| json!(id)).boxed(),
                _ => Just(samples::good(field)).boxed(),
            };
            let value = prop_oneof![6 => value, 1 => prop::sample::select(bad), 1 => any_json()];
            prop::option::weighted(0.6, value.prop_map(move |value| (name.clone(), value))).boxed()
        })
        .collect();
    fields.prop_map(|entries| Value::Object(entries.into_iter().flatten().collect::<Map<_, _>>())).boxed()
}

/// Sends a body to every operation that is given, each time to a world of its own.
fn send(operations: &[(Operation, Vec<u8>)]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let fixture = Fixture::new().await;
        for (operation, body) in operations {
            let request = fixture.request(operation, &fixture.path(operation));
            let response = request.raw("application/json", body.clone()).send().await;
            let sent = String::from_utf8_lossy(body);
            // A setting may have switched sending off; then that is the answer.
            let off = response.json["code"] == "sms_disabled";
            assert!(response.status < 500 || off, "{} {sent}: {}", operation.id, response.text);
        }
    });
}

fn taking_a_body() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(|operation| operation.method != "GET")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn arbitrary_bytes_are_never_our_fault(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        send(&taking_a_body().map(|operation| (operation, bytes.clone())).collect::<Vec<_>>());
    }

    #[test]
    fn arbitrary_json_is_never_our_fault(json in any_json()) {
        let body = json.to_string().into_bytes();
        send(&taking_a_body().map(|operation| (operation, body.clone())).collect::<Vec<_>>());
    }

    #[test]
    fn nearly_right_json_is_never_our_fault(
        bodies in taking_a_body()
            .map(|operation| (Just(operation), near(operation.body.unwrap_or_default())))
            .collect::<Vec<_>>()
    ) {
        let bodies: Vec<_> =
            bodies.into_iter().map(|(operation, body)| (operation, body.to_string().into_bytes())).collect();
        send(&bodies);
    }
}
