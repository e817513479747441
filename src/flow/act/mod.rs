//! What a call does in a flow: one file per kind of action. Each lets the call in, refuses what the step does not take,
//! acts, and settles.

mod enrol;
mod first;
mod identify;
mod reset;
mod second;
mod sign_up;

pub use enrol::{activate, enrol, skip};
pub use first::{passkey, passkey_options, password};
pub use identify::identify;
pub use reset::new_password;
pub use second::{Wanted, answer, challenge, recovery_code, resend};

use super::{
    Access, Action, FlowError, State,
    load::{Loaded, load},
    settle::{Settled, settle},
    store,
};
use crate::{
    challenge::{self, Challenge},
    context::Context,
    ids::UserId,
    statement,
};

/// Says where a flow stands, and which code is out. It changes nothing, unless a call before was cut off just short of the end.
pub async fn get(context: &Context, access: &Access) -> Result<Settled, FlowError> {
    let out = statement!(challenge::store::OUT_IN_FLOW, &access.id, context.now().millis());
    let (loaded, rows) = load(context, access, Vec::new(), vec![out]).await?;
    let settled = settle(loaded, false).await?;
    let is_over = matches!(settled.state, State::Complete | State::Abandoned);
    let out = rows.first().and_then(|rows| rows.first()).filter(|_| !is_over).map(Challenge::read).transpose()?;
    Ok(Settled { challenge: out, ..settled })
}

/// Gives a flow up. One that has ended stays what it is.
pub async fn abandon(context: &Context, access: &Access) -> Result<(), FlowError> {
    let loaded = load(context, access, Vec::new(), Vec::new()).await?.0;
    if matches!(loaded.state()?, State::Complete | State::Abandoned) {
        return Ok(());
    }
    loaded.takes(Action::Abandon)?;
    let now = context.now().millis();
    let give_up = statement!(store::ABANDON, &access.id, access.token_hash.as_str(), now, context.stamp());
    context.decide(vec![give_up]).await?;
    Ok(())
}

/// What was proven just now counts, and the flow goes on. Where it says whose the flow is, that is read first.
async fn proven(mut loaded: Loaded, challenge: &Challenge) -> Result<Settled, FlowError> {
    if challenge.user_id.is_some() && challenge.user_id != loaded.flow.user_id {
        let (now, stamp) = (loaded.context.now().millis(), loaded.context.stamp());
        let adopt = statement!(store::ADOPT, &loaded.flow.id, &challenge.id, now, stamp);
        loaded = loaded.again(vec![adopt]).await?;
    } else if challenge.factor_id.is_none() {
        // An address that is no factor: whether it still is the user's is read with what else there is.
        loaded = loaded.again(Vec::new()).await?;
    } else if let Some(facts) = &mut loaded.facts {
        facts.add(challenge);
    }
    settle(loaded, false).await
}

/// The flow's user, where somebody is known.
fn user(loaded: &Loaded) -> Option<UserId> {
    loaded.flow.user_id.as_deref().and_then(UserId::parse)
}
