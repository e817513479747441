//! What an endpoint's deliveries are signed with: `whsec_` and the base64 of 32 octets, sealed at rest. After a rotation
//! the one before it signs too, for a day, so that nobody refuses anything while servers change.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    crypto::{OpenError, Place, Seal, WebhookSecret},
    ports::Random,
    secret::Secret,
};

/// A new secret, as it is shown once.
pub(super) fn new(random: &dyn Random) -> Secret {
    Secret::new(format!("whsec_{}", STANDARD.encode(random.bytes::<32>())))
}

/// Where a secret stands. The one before it keeps its place: a rotation moves it to the column beside as it is.
pub(crate) fn place(endpoint: &str) -> Place<'_> {
    Place { table: "webhook_endpoints", column: "secret", row: endpoint }
}

/// A secret, sealed for its row. `None` only if the ring lacks its current key.
pub(super) fn seal(seal: Seal<'_>, endpoint: &str, secret: &Secret, random: &dyn Random) -> Option<String> {
    seal.seal(place(endpoint), secret.expose().as_bytes(), random)
}

/// A secret as it signs.
pub(super) fn open(seal: Seal<'_>, endpoint: &str, sealed: &str) -> Result<WebhookSecret, OpenError> {
    let text = seal.open(place(endpoint), sealed)?;
    std::str::from_utf8(&text).ok().and_then(WebhookSecret::parse).ok_or(OpenError::NotAuthentic)
}
