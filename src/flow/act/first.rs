//! First factors at a sign-in: a password, or a passkey that says whose it is.

use serde_json::Value;

use super::{
    super::{Access, Action, FlowError, FlowType, load::load, settle::Settled, store},
    identify::identified,
    proven, sign_up,
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
        password::verify::{self, Attempt, By, Held, Verified},
    },
    ids::{AppId, ChallengeId},
    message::Destination,
    password::Password,
    ports::DatabaseError,
    statement,
};

/// Proves a password, of whoever was named before or is named now. Whoever is unknown takes the same work (law 8).
pub async fn password(
    context: &Context,
    access: &Access,
    typed: Option<&Destination>,
    password: Password,
) -> Result<Settled, FlowError> {
    if access.kind == FlowType::SignUp {
        return sign_up::password(context, access, typed, password).await;
    }
    for _ in 0..verify::TRIES {
        let reads = verify::reads(context, By::Flow(&access.id));
        let (loaded, rows) = match typed {
            Some(typed) => identified(context, access, typed, reads.into()).await?,
            None => load(context, access, Vec::new(), reads.into()).await?,
        };
        loaded.takes(Action::Password)?;
        let Some(identifier) = &loaded.flow.identifier else {
            return Err(FlowError::StepMismatch(loaded.state()?.as_str()));
        };
        let held = Held::read(context, &rows)?;
        let (app, device) = (AppId::parse(&loaded.flow.app_id), loaded.device());
        let attempt = Attempt {
            password: &password,
            identifier,
            device: device.as_ref(),
            purpose: Purpose::SignIn,
            app: app.as_ref(),
        };
        let (verified, _) = verify::decide(&loaded.context, &held, &attempt, &|_, _| Vec::new()).await?;
        match verified {
            Some(Verified::Right(challenge)) => return proven(loaded, &challenge).await,
            Some(Verified::Locked(refusal)) => return Err(FlowError::Limited(refusal)),
            Some(Verified::Wrong | Verified::UserNotFound | Verified::AppNotFound) => {
                return Err(FlowError::PasswordIncorrect);
            }
            // The password has changed since it was read.
            None => {}
        }
    }
    Err(DatabaseError::Unavailable("the password changes while it is verified".to_owned()).into())
}

/// Asks for an assertion by any passkey that the browser finds; in a sign-up for a new one.
pub async fn passkey_options(context: &Context, access: &Access) -> Result<Created, FlowError> {
    if access.kind == FlowType::SignUp {
        return sign_up::passkey_options(context, access).await;
    }
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

/// Proves a passkey; whose it is, is whose the flow is. A sign-up keeps a new one, by this name.
pub async fn passkey(
    context: &Context,
    access: &Access,
    credential: Value,
    name: Option<&str>,
) -> Result<Result<Settled, Answered>, FlowError> {
    if access.kind == FlowType::SignUp {
        return sign_up::passkey(context, access, credential, name).await;
    }
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
