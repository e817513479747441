//! A phone: proven with a code that is sent to it by SMS or call.

use serde_json::{Map, Value};

use super::{Begun, Factor, Kind, New, Person, ProofOf, enrol::EnrolError};
use crate::{context::Context, message::Destination};

/// The type `phone`.
pub(super) struct Phone;

impl Kind for Phone {
    fn begin(&self, _context: &Context, _person: Option<&Person>, new: &New) -> Result<Begun, EnrolError> {
        let New::Phone(number, channel) = new else {
            return Err(EnrolError::Invalid("phone", "a phone factor needs its number".to_owned()));
        };
        Ok(Begun {
            destination: Some(Destination::Phone(number.clone())),
            secret: None,
            data: Map::new(),
            proof: ProofOf::Sent(*channel),
            replaces: false,
            beside: Vec::new(),
            shown: Map::new(),
        })
    }

    fn describe(&self, factor: &Factor) -> Map<String, Value> {
        let number = factor.destination.as_ref();
        Map::from_iter([
            ("phone".to_owned(), Value::from(number.map(Destination::masked))),
            ("country".to_owned(), Value::from(number.and_then(Destination::country))),
        ])
    }
}
