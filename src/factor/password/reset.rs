//! A new password for who has forgotten the old one: judged as any other, and set in the batch that ends the reset, on the
//! user's stamp. Whoever had the account before is out: sessions, refresh tokens and remembered devices end with it.

use serde_json::{Value, json};

use super::{NewPassword, PasswordFactor, store};
use crate::{
    context::Context,
    device,
    event::{self, Event, EventType, When},
    factor::{
        Kind, New,
        enrol::{EnrolError, person},
    },
    ids::{FactorId, SessionId, UserId},
    limit::lockout,
    password::Password,
    ports::Statement,
    session::end::{self, On, Reason},
    statement,
};

/// A password that may be set.
pub(crate) struct Reset {
    user: UserId,
    factor: FactorId,
    hash: Option<String>,
    data: Value,
}

impl Reset {
    /// Judges what was typed, and hashes it.
    pub(crate) async fn new(context: &Context, user: &UserId, password: Password) -> Result<Self, EnrolError> {
        let factor = FactorId::new(context.now(), &*context.ports().random);
        let person = person(context, user, &factor).await?;
        let new = New::Password(NewPassword::Typed(password));
        let said = PasswordFactor.consult(context, Some(&person), &new).await?;
        let begun = PasswordFactor.begin(context, Some(&person), &new)?;
        Ok(Self { user: user.clone(), factor, hash: begun.secret, data: Value::Object(said) })
    }

    /// Sets it, and ends what was before, but for the session that begins here.
    pub(crate) fn statements(&self, context: &Context, stamp: &str, begins: &SessionId) -> Vec<Statement> {
        let (now, user) = (context.now().millis(), &self.user);
        let event = Event::new(EventType::FactorActivated, self.factor.as_str())
            .user(Some(user.as_str()))
            .data(json!({"type": "password", "reset": true}));
        let mut batch = vec![
            statement!(store::DROP, user, stamp),
            statement!(store::RESET, user, stamp, &self.factor, self.hash.as_deref(), self.data.to_string(), now),
            event::store::write(context, event, When::Factor(self.factor.as_str(), stamp)),
            device::forget_with(user, stamp),
        ];
        batch.extend(lockout::open(user.as_str(), Some((self.factor.as_str(), stamp))));
        batch.extend(end::with(context, user, On::User, stamp, Some(begins), Reason::PasswordChanged));
        batch
    }
}
