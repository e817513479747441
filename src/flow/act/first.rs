//! First factors at a sign-in: a password, or a passkey that says whose it is.

use serde_json::Value;

use super::{
    super::{Access, Action, FlowError, load::load, settle::Settled, store},
    identify::identified,
    proven, user,
};
use crate::{
    challenge::{
        Given, Purpose,
        answer::{self, Answered, Expect},
        create::{self, Create, Created, Target},
    },
    context::Context,
    factor::{
        FactorType,
        password::verify::{self, Verified, Verify},
    },
    ids::{AppId, ChallengeId},
    message::Destination,
    password::Password,
    statement,
};

/// Proves a password, of whoever was named before or is named now.
pub async fn password(
    context: &Context,
    access: &Access,
    typed: Option<&Destination>,
    password: Password,
) -> Result<Settled, FlowError> {
    let loaded = match typed {
        Some(typed) => identified(context, access, typed, Vec::new()).await?,
        None => load(context, access, Vec::new(), Vec::new()).await?.0,
    };
    loaded.takes(Action::Password)?;
    if loaded.flow.identifier.is_none() {
        return Err(FlowError::StepMismatch(loaded.state()?.as_str()));
    }
    let Some(user) = user(&loaded) else { return Err(FlowError::PasswordIncorrect) };
    let command = Verify { user, password, purpose: Purpose::SignIn, app: AppId::parse(&loaded.flow.app_id) };
    match verify::verify(&loaded.context, &command).await? {
        Verified::Right(challenge) => proven(loaded, &challenge).await,
        Verified::Wrong | Verified::UserNotFound | Verified::AppNotFound => Err(FlowError::PasswordIncorrect),
        Verified::Locked(refusal) => Err(FlowError::Limited(refusal)),
    }
}

/// Asks for an assertion by any passkey that the browser finds.
pub async fn passkey_options(context: &Context, access: &Access) -> Result<Created, FlowError> {
    let (loaded, _) = load(context, access, Vec::new(), Vec::new()).await?;
    loaded.takes(Action::Passkey)?;
    let command = Create {
        target: Target::Passkey,
        channel: None,
        purpose: Purpose::SignIn,
        locale: None,
        app: AppId::parse(&loaded.flow.app_id),
        reservation: None,
    };
    Ok(create::create(&loaded.context, command).await?)
}

/// Proves a passkey; whose it is, is whose the flow is.
pub async fn passkey(
    context: &Context,
    access: &Access,
    credential: Value,
) -> Result<Result<Settled, Answered>, FlowError> {
    let newest = statement!(store::PASSKEY_CHALLENGE, &access.id);
    let (loaded, rows) = load(context, access, Vec::new(), vec![newest]).await?;
    loaded.takes(Action::Passkey)?;
    let id = rows.first().and_then(|rows| rows.first()?.opt_text("id")).and_then(ChallengeId::parse);
    let Some(id) = id else { return Ok(Err(Answered::NotFound)) };
    match answer::answer(&loaded.context, &id, &Given::Credential(credential), &Expect::default()).await? {
        Answered::Verified(challenge, _) if challenge.kind == FactorType::Passkey => {
            Ok(Ok(proven(loaded, &challenge).await?))
        }
        refused => Ok(Err(refused)),
    }
}
