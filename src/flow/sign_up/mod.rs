//! How somebody becomes a user. What they choose waits in the flow, hashed, until their address is proven; the batch that
//! has the last of the two makes the user, with everything that hangs on it. Until then nothing is reserved.
//!
//! ```text
//! credential kept ──┐
//!                   ├─▶ user, factors, proofs, in one batch ─▶ the policy
//! address proven ───┘        └─ somebody has the address: the flow is shut, and told so: the address was proven
//! ```

pub mod store;

use serde_json::{Map, Value, json};

use super::{Access, End, Flow, load::Loaded};
use crate::{
    context::Context,
    event::{self, Event, EventType, When},
    factor::{FactorType, passkey::Registered},
    ids::{ChallengeId, FactorId, UserId},
    invitation,
    password::PasswordHash,
    ports::Statement,
    statement,
};

/// A credential that waits. It has no `Debug`.
pub(crate) struct Kept {
    kind: FactorType,
    proof: ChallengeId,
    json: Value,
}

impl Kept {
    /// A password's hash, and what the breach check said.
    pub(crate) fn password(context: &Context, hash: &PasswordHash, said: &Map<String, Value>) -> Self {
        Self::new(context, FactorType::Password, json!({"secret": hash.to_text(), "data": said}))
    }

    /// A passkey that was registered.
    pub(crate) fn passkey(context: &Context, registered: &Registered, name: Option<&str>) -> Self {
        let Registered { credential_id, counter, data, evidence } = registered;
        let json = json!({"credential_id": credential_id, "counter": counter, "data": data, "evidence": evidence,
            "name": name});
        Self::new(context, FactorType::Passkey, json)
    }

    fn new(context: &Context, kind: FactorType, mut json: Value) -> Self {
        let (now, random) = (context.now(), &*context.ports().random);
        let proof = ChallengeId::new(now, random);
        if let Some(members) = json.as_object_mut() {
            members.insert("factor".to_owned(), Value::from(FactorId::new(now, random).as_str()));
            members.insert("proof".to_owned(), Value::from(proof.as_str()));
        }
        Self { kind, proof, json }
    }

    /// Keeps it in the flow; `asked` is the challenge that was answered with it.
    pub(crate) fn keep(
        &self,
        context: &Context,
        access: &Access,
        asked: Option<&ChallengeId>,
        stamp: &str,
    ) -> Statement {
        statement!(
            store::KEEP,
            &access.id,
            access.token_hash.as_str(),
            context.now().millis(),
            stamp,
            self.kind.as_str(),
            self.json.to_string(),
            asked
        )
    }

    /// Whether the flow has kept it, or has made the user with it.
    pub(crate) fn is_in(&self, loaded: &Loaded) -> bool {
        let kept = loaded.flow.pending.get("credential").and_then(|kept| kept.get(self.kind.as_str())?.get("proof"));
        let proofs = loaded.facts.as_ref().map(crate::evaluation::Facts::proof_ids).unwrap_or_default();
        kept.and_then(Value::as_str) == Some(self.proof.as_str()) || proofs.contains(&self.proof)
    }
}

/// Makes the user if everything is there by now, in the batch of what came last.
pub(crate) fn make(context: &Context, flow: &Flow, stamp: &str) -> Vec<Statement> {
    let (now, random, id) = (context.now(), &*context.ports().random, &flow.id);
    let (user, phone) = (UserId::of_flow(id), FactorId::new(now, random));
    let event = |kind| Event::new(kind, user.as_str()).user(Some(user.as_str())).app(Some(flow.app_id.as_str()));
    let mut batch = vec![
        statement!(store::CREATE_USER, id, now.millis(), stamp, &user),
        event::store::write(context, event(EventType::UserCreated), When::User(user.as_str(), stamp)),
        event::store::write(context, event(EventType::UserEmailVerified), When::AddressProven(user.as_str(), stamp)),
        statement!(store::CREATE_FACTORS, id, now.millis(), stamp, &user),
        statement!(store::CREATE_PHONE, id, now.millis(), stamp, &user, &phone),
    ];
    for kind in [FactorType::Password, FactorType::Passkey, FactorType::Phone] {
        let when = When::NewFactor(kind.as_str(), user.as_str(), stamp);
        let event = event(EventType::FactorActivated).data(json!({"type": kind.as_str()}));
        batch.push(event::store::write(context, event, when));
    }
    let is_test = context.credential().is_test;
    let proof = ChallengeId::new(now, random);
    batch.extend([
        statement!(store::PROVE, id, now.millis(), stamp, &user, is_test),
        statement!(store::PROVE_PHONE, id, now.millis(), stamp, &user, &phone, &proof),
    ]);
    let invitation = flow.pending.get("invitation").and_then(Value::as_str);
    batch.extend(invitation.map(|hash| statement!(invitation::store::CONSUME, hash, now.millis(), stamp, &user)));
    batch.extend([
        statement!(store::ATTACH, id, now.millis(), stamp, &user),
        statement!(store::SHUT, id, now.millis(), stamp),
    ]);
    batch
}

/// Whether the batch with this stamp has shut the flow: it had everything, and somebody has the address.
pub(crate) fn is_shut(flow: &Flow, stamp: &str) -> bool {
    flow.end == Some(End::Abandoned) && flow.stamp == stamp
}
