//! A mailbox: proven with a code that is sent to it. Never enough for AAL2 by itself (SP 800-63B-4 §3.1.3.1).

use serde_json::{Map, Value};

use super::{Begun, Factor, Kind, New, Person, ProofOf, enrol::EnrolError};
use crate::{
    context::Context,
    message::{Channel, Destination},
};

/// The type `email`.
pub(super) struct Email;

impl Kind for Email {
    fn begin(&self, _context: &Context, _person: Option<&Person>, new: &New) -> Result<Begun, EnrolError> {
        let New::Email(address) = new else { return Err(super::unlike(new)) };
        Ok(Begun {
            destination: Some(Destination::Email(address.clone())),
            secret: None,
            data: Map::new(),
            proof: ProofOf::Sent(Channel::Email),
            replaces: false,
            beside: Vec::new(),
            shown: Map::new(),
        })
    }

    fn describe(&self, factor: &Factor) -> Map<String, Value> {
        let address = factor.destination.as_ref().map(Destination::masked);
        Map::from_iter([("email".to_owned(), Value::from(address))])
    }
}
