//! What a call does in a sign-up before there is a user: a password or a passkey is kept, the address is proven.

use serde_json::Value;

use super::{
    super::{
        Access, Action, FlowError,
        begin::identifier,
        load::{self, Loaded, load},
        settle::{Settled, settle},
        sign_up::{Kept, is_shut, make, store},
    },
    identify::{identify, veiled},
};
use crate::{
    challenge::{
        self, Given, Purpose,
        answer::{self, Answered, Expect},
        create::Created,
        draft::{Asks, Draft, Facts, Veil},
    },
    context::Context,
    factor::{FactorType, passkey, password as of_password},
    ids::{AppId, ChallengeId, UserId},
    message::{Channel, Destination},
    password::Password,
    ports::{Rows, Statement},
    statement,
    template::{Reader, Slug},
};

/// What a sign-up is about, as it was read.
struct Address {
    destination: Destination,
    /// Who has it.
    owner: Option<String>,
}

impl Address {
    fn ask(access: &Access) -> Statement {
        statement!(store::ADDRESS, &access.id)
    }

    fn read(rows: &[Rows]) -> Option<Self> {
        let row = rows.first()?.first()?;
        let destination = Destination::from_stored(row.opt_text("address")?)?;
        Some(Self { destination, owner: row.opt_text("owner").map(str::to_owned) })
    }
}

/// Keeps a password, for whoever was named before or is named now: then a code goes there as well.
pub(super) async fn password(
    context: &Context,
    access: &Access,
    typed: Option<&Destination>,
    password: Password,
) -> Result<Settled, FlowError> {
    let (loaded, rows) = load(context, access, Vec::new(), vec![Address::ask(access)]).await?;
    loaded.takes(if typed.is_some() { Action::Identify } else { Action::Password })?;
    if typed.is_none() && loaded.flow.identifier.is_none() {
        return Err(FlowError::StepMismatch(loaded.state()?.as_str()));
    }
    let known = Address::read(&rows).map(|address| address.destination);
    let address = typed.or(known.as_ref()).map(Destination::as_str);
    let words: Vec<&str> = address.into_iter().collect();
    let said = of_password::judge(&loaded.context, &words, false, &password).await?;
    // The hash fits the user that the flow will make, and nobody else.
    let hash = of_password::hash(context, &UserId::of_flow(&access.id), &password)?;
    let challenge = match typed {
        Some(typed) => identify(context, access, typed).await?.challenge,
        None => None,
    };
    let kept = Kept::password(context, &hash, &said);
    match keep(&loaded, &kept, Vec::new(), None, &context.stamp()).await? {
        (loaded, true) => Ok(Settled { challenge, ..settle(loaded, false).await? }),
        // Another call was faster, and the flow stands elsewhere.
        (loaded, false) => Err(FlowError::StepMismatch(loaded.state()?.as_str())),
    }
}

/// Keeps a credential and makes the user if the address is proven; tells whether it was kept.
async fn keep(
    loaded: &Loaded,
    kept: &Kept,
    mut before: Vec<Statement>,
    asked: Option<&ChallengeId>,
    stamp: &str,
) -> Result<(Loaded, bool), FlowError> {
    before.push(kept.keep(&loaded.context, &loaded.access, asked, stamp));
    before.extend(make(&loaded.context, &loaded.flow, stamp));
    let loaded = loaded.again(before).await?;
    if is_shut(&loaded.flow, stamp) {
        return Err(FlowError::Taken);
    }
    let is_kept = kept.is_in(&loaded);
    Ok((loaded, is_kept))
}

/// Asks the browser to make a passkey of the user that the flow will make.
pub(super) async fn passkey_options(context: &Context, access: &Access) -> Result<Created, FlowError> {
    let (loaded, rows) = load(context, access, Vec::new(), vec![Address::ask(access)]).await?;
    loaded.takes(Action::Passkey)?;
    let (user, address) = (UserId::of_flow(&access.id), Address::read(&rows));
    let name = address.as_ref().map_or(user.as_str(), |address| address.destination.as_str());
    let (awaits, shown) = passkey::ask(&loaded.context, user.as_str(), name, name, &[])?;
    let facts = Facts {
        asks: Asks::Held(FactorType::Passkey, awaits, shown),
        user: None,
        factor: None,
        factor_is_active: true,
        new_factor: None,
        purpose: Purpose::Enrolment,
        locale: None,
        reader: Reader::default(),
        template: Slug::VerificationCode,
        app: AppId::parse(&loaded.flow.app_id),
        reservation: None,
        veil: Veil::None,
        veiled_as: None,
    };
    let draft = Draft::new(&loaded.context, facts)?;
    let answer = loaded.context.decide(draft.statements(&loaded.context)).await?;
    Ok(draft.finish(&loaded.context, &answer).await?)
}

/// Keeps the passkey that the browser has made.
pub(super) async fn passkey(
    context: &Context,
    access: &Access,
    credential: Value,
    name: Option<&str>,
) -> Result<Result<Settled, Answered>, FlowError> {
    let asked = statement!(challenge::store::REGISTRATION, &access.id);
    let (loaded, rows) = load(context, access, Vec::new(), vec![asked]).await?;
    loaded.takes(Action::Passkey)?;
    let Some(row) = rows.first().and_then(|rows| rows.first()) else { return Ok(Err(Answered::NotFound)) };
    let asked = challenge::Challenge::read(row)?;
    if let Some(registered) = passkey::register(&loaded.context, &asked, &credential).await? {
        let (kept, stamp) = (Kept::passkey(context, &registered, name), context.stamp());
        let take = statement!(
            store::TAKE,
            &asked.id,
            &access.id,
            context.now().millis(),
            stamp.as_str(),
            registered.credential_id.as_str(),
            registered.evidence.to_string()
        );
        if let (loaded, true) = keep(&loaded, &kept, vec![take], Some(&asked.id), &stamp).await? {
            return Ok(Ok(settle(loaded, false).await?));
        }
    }
    // It is over, or nothing was proven: that is counted, and told, as everywhere.
    let refused =
        answer::answer(&loaded.context, &asked.id, &Given::Credential(credential), &Expect::default()).await?;
    Ok(Err(refused))
}

/// Sends another code to the address, by another way if that is asked.
pub(super) async fn challenge(
    context: &Context,
    access: &Access,
    channel: Option<Channel>,
) -> Result<Created, FlowError> {
    let (loaded, rows) = load(context, access, Vec::new(), vec![Address::ask(access)]).await?;
    loaded.takes(Action::Challenge)?;
    let Some(address) = Address::read(&rows).filter(|_| !loaded.flow.address_proven) else {
        return Err(FlowError::NotOffered);
    };
    let veil = if address.owner.is_some() { Veil::Unknown } else { Veil::Known };
    Ok(veiled(&loaded, &address.destination, channel, None, veil).await?)
}

/// Answers the code that went to the address. Where a credential waits, the same batch makes the user.
pub(super) async fn answer(
    loaded: Loaded,
    sent_to: &[Rows],
    id: &ChallengeId,
    given: &Given,
) -> Result<Result<Settled, Answered>, FlowError> {
    let Loaded { context, flow, access, .. } = &loaded;
    let row = sent_to.first().and_then(|rows| rows.first());
    let Some(destination) = row.and_then(|row| row.opt_text("destination")).and_then(Destination::from_stored) else {
        return Ok(Err(Answered::NotFound));
    };
    // Another address was named since: who has this one is not asked any more.
    if flow.identifier.as_deref() != Some(identifier(context, &destination).as_str()) {
        return Ok(Err(Answered::Expired));
    }
    let stamp = context.stamp();
    let mut beside = make(context, flow, &stamp);
    let made = beside.len();
    beside.extend(load::reads(context, access));
    let expect = Expect { purpose: Some(Purpose::Verification), ..Expect::default() };
    let (answered, mut rows) = answer::answer_beside(context, id, given, &expect, beside).await?;
    if !matches!(answered, Answered::Verified(..)) {
        return Ok(Err(answered));
    }
    let rows = rows.split_off(made.min(rows.len()));
    let (loaded, _) = load::read(context, access, rows)?;
    if is_shut(&loaded.flow, &stamp) {
        return Err(FlowError::Taken);
    }
    Ok(Ok(settle(loaded, false).await?))
}
