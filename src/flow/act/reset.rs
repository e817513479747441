//! A password reset: a recovery code as its first factor, and the new password, which ends it.

use super::{
    super::{
        Access, Action, FlowError, State,
        load::{Loaded, load},
        settle::{Settled, end},
    },
    proven, user,
};
use crate::{
    challenge::{
        Given, Purpose,
        answer::{self, Answered, Expect},
        create::{self, CreateError, Created},
        draft::{Asks, Draft, Facts, Veil},
    },
    context::Context,
    factor::{Factor, FactorType, notice, password::reset::Reset},
    ids::AppId,
    message::notice::Change,
    password::Password,
    policy::{Reason, Step},
    ports::DatabaseError,
    template::{Reader, Slug},
};

/// Proves a recovery code as the first factor. Who is unknown, or has none, is asked in the same way (law 8).
pub(super) async fn recovery_code(loaded: Loaded, given: &Given) -> Result<Result<Settled, Answered>, FlowError> {
    let created = ask(&loaded).await?;
    match answer::answer(&loaded.context, &created.challenge.id, given, &Expect::default()).await? {
        Answered::Verified(challenge, _) => Ok(Ok(proven(loaded, &challenge).await?)),
        refused => Ok(Err(refused)),
    }
}

async fn ask(loaded: &Loaded) -> Result<Created, CreateError> {
    let context = &loaded.context;
    let has =
        |factor: &&Factor| factor.is_active() && factor.kind == FactorType::RecoveryCodes && factor.codes_left > 0;
    let codes = loaded.facts.as_ref().and_then(|facts| facts.factors().find(has));
    let asks = match codes {
        Some(codes) => create::of(context, std::slice::from_ref(codes), None)?,
        None => Asks::Held(FactorType::RecoveryCodes, serde_json::json!({}), serde_json::Map::new()),
    };
    let facts = Facts {
        asks,
        user: codes.and_then(|_| user(loaded)),
        factor: codes.map(|codes| codes.id.clone()),
        factor_is_active: true,
        new_factor: None,
        purpose: Purpose::SignIn,
        locale: None,
        reader: Reader::default(),
        template: Slug::VerificationCode,
        app: AppId::parse(&loaded.flow.app_id),
        reservation: None,
        veil: if codes.is_some() { Veil::Known } else { Veil::Unknown },
        veiled_as: loaded.flow.identifier.clone(),
    };
    let draft = Draft::new(context, facts)?;
    let answer = context.decide(draft.statements(context)).await?;
    draft.finish(context, &answer).await
}

/// How often the end is tried while the user, their factors or the app change under it.
const TRIES: usize = 3;

/// Sets the new password: the flow ends with it, and so does everything that the old one had opened.
pub async fn new_password(context: &Context, access: &Access, typed: Password) -> Result<Settled, FlowError> {
    let (mut loaded, _) = load(context, access, Vec::new(), Vec::new()).await?;
    loaded.takes(Action::NewPassword)?;
    let user = user(&loaded).ok_or(FlowError::NotOffered)?;
    let reset = Reset::new(&loaded.context, &user, typed).await?;
    for _ in 0..TRIES {
        let (Some(step), Some(ask)) = (loaded.step()?, loaded.ask()) else { break };
        let more = |stamp: &str, begins: &_| reset.statements(&loaded.context, stamp, begins);
        if let Some(done) = end(&loaded, &ask, &step, false, &more).await? {
            tell(&loaded, &user, &step);
            let (flow, state) = (loaded.flow, State::Complete);
            return Ok(Settled { flow, state, factors: Vec::new(), challenge: None, done: Some(done) });
        }
        loaded = loaded.again(Vec::new()).await?;
        loaded.takes(Action::NewPassword)?;
    }
    Err(DatabaseError::Unavailable("the user kept changing".to_owned()).into())
}

fn tell(loaded: &Loaded, user: &crate::ids::UserId, step: &Step) {
    notice::tell(&loaded.context, user.as_str(), Change::PasswordChanged, Vec::new());
    if let Step::Satisfied { stand_ins, reason, .. } = step {
        notice::stood_in(&loaded.context, user, stand_ins);
        if *reason == Reason::MailboxOnly {
            notice::tell(&loaded.context, user.as_str(), Change::EmailStoodIn, Vec::new());
        }
    }
}
