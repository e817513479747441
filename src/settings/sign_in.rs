//! Settings of sign-ins and sign-ups: `sign_in`.

use serde_json::{Value, json};

use super::at;
use crate::{
    policy::{Kind, Kinds},
    schema::{Field, Shape, field},
};

/// Who may sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUps {
    /// Everybody.
    Open,
    /// Whoever follows an invitation.
    Invitation,
    /// Nobody.
    Closed,
}

/// Sign-ins and sign-ups.
#[derive(Clone, Copy, Debug)]
pub struct SignInSettings {
    /// What people sign up with: an address, a number.
    pub identifiers: Kinds,
    /// Who may sign up.
    pub sign_up: SignUps,
}

/// The fields of `sign_in`.
pub(super) const SIGN_IN: &[Field] = &[
    field(
        "identifiers",
        Shape::List(&Shape::OneOf(&["email", "phone"]), 2),
        "What people sign up with; an empty list is the default",
    )
    .example(r#"["email"]"#),
    field("sign_up", Shape::OneOf(&["open", "invitation", "closed"]), "Who signs up: all, the invited, nobody")
        .example(r#""open""#),
];

impl SignInSettings {
    /// The settings in effect. What is stored and not understood lets nobody in.
    pub(super) fn effective(stored: &Value) -> Self {
        let identifiers = at(stored, "sign_in.identifiers").and_then(Value::as_array).map(Vec::as_slice);
        let identifiers: Kinds =
            identifiers.unwrap_or_default().iter().filter_map(Value::as_str).filter_map(Kind::parse).collect();
        let sign_up = match at(stored, "sign_in.sign_up").map(Value::as_str) {
            None | Some(Some("open")) => SignUps::Open,
            Some(Some("invitation")) => SignUps::Invitation,
            Some(_) => SignUps::Closed,
        };
        Self { identifiers: if identifiers.is_empty() { Kinds::of(&[Kind::Email]) } else { identifiers }, sign_up }
    }

    /// As `GET /v1/instance` shows them.
    pub(super) fn to_json(self) -> Value {
        json!({
            "identifiers": self.identifiers.iter().map(Kind::as_str).collect::<Vec<_>>(),
            "sign_up": match self.sign_up {
                SignUps::Open => "open",
                SignUps::Invitation => "invitation",
                SignUps::Closed => "closed",
            },
        })
    }
}
