//! Tells people that the way they sign in has changed, after the response (`docs/decisions/0017`). Whoever changes
//! factors, passwords or recovery codes calls one function of this file; what becomes of the notice changes nothing else.

use super::{Factor, FactorType, store};
use crate::{
    context::Context,
    email::EmailAddress,
    event::{self, Event, EventType, When},
    few::sort_few,
    ids::UserId,
    limit::{Check, NOTICES_USER_HOUR, SIGN_UP_NOTICES_USER_DAY},
    message::{self, Destination, Refused, Route, Status, notice::Change, prepare},
    policy::StandIn,
    ports::{DatabaseError, Level},
    statement,
    template::Reader,
    time::Timestamp,
    user::{self, User},
};

/// A factor was proven for the first time, or made active at once.
pub fn added(context: &Context, factor: &Factor) {
    let change = Change::Added { factor: factor.kind.as_str().to_owned(), name: factor.name.clone() };
    tell(context, &factor.user_id, change, factor.destination.iter().cloned().collect());
}

/// A factor took the place of the one there was: another password, new recovery codes.
pub fn replaced(context: &Context, factor: &Factor) {
    let change = match factor.kind {
        FactorType::Password => Change::PasswordChanged,
        FactorType::RecoveryCodes => Change::RecoveryCodesReplaced,
        _ => return added(context, factor),
    };
    tell(context, &factor.user_id, change, Vec::new());
}

/// A factor was removed. Nobody is told of one that was never proven.
pub fn removed(context: &Context, factor: &Factor) {
    if factor.is_active() {
        let change = Change::Removed { factor: factor.kind.as_str().to_owned(), name: factor.name.clone() };
        tell(context, &factor.user_id, change, factor.destination.iter().cloned().collect());
    }
}

/// All of a user's factors were removed; these they were.
pub fn reset(context: &Context, user: &UserId, factors: &[Factor]) {
    let mut active: Vec<&Factor> = factors.iter().filter(|factor| factor.is_active()).collect();
    if !active.is_empty() {
        let rank = |factor: &&Factor| {
            (factor.destination.as_ref().and_then(Destination::email).is_none(), factor.activated_at)
        };
        sort_few(&mut active, |one, other| rank(one) < rank(other));
        let changed = active.iter().filter_map(|factor| factor.destination.clone()).collect();
        tell(context, user.as_str(), Change::Reset, changed);
    }
}

/// Somebody signed in, and something stood in for a factor: an e-mail code, or a recovery code.
pub fn stood_in(context: &Context, user: &UserId, stand_ins: &[StandIn]) {
    for stand_in in stand_ins {
        match stand_in {
            StandIn::EmailBackup => tell(context, user.as_str(), Change::EmailStoodIn, Vec::new()),
            StandIn::RecoveryCode => tell(context, user.as_str(), Change::RecoveryCodeStoodIn, Vec::new()),
            StandIn::Device | StandIn::Exemption => {}
        }
    }
}

/// Somebody moved to another address or number; they are told at the one before.
pub fn moved(context: &Context, user: &UserId, to: &Destination, from: Option<Destination>) {
    let change = if to.email().is_some() { Change::EmailChanged } else { Change::PhoneChanged };
    tell(context, user.as_str(), change, from.into_iter().collect());
}

/// Leaves it for after the response. `changed` are the numbers and addresses that the change is about.
pub fn tell(context: &Context, user: &str, change: Change, changed: Vec<Destination>) {
    // What a test key does concerns nobody.
    if context.credential().is_test {
        return;
    }
    let (context, user, when) = (context.clone(), user.to_owned(), context.now());
    let after = context.ports().after.clone();
    after.later(Box::pin(async move {
        let notice = Notice { user, change, changed, when };
        let mut sent = notice.send(&context).await;
        if matches!(sent, Err(DatabaseError::Stale | DatabaseError::SessionEnded)) {
            // The settings have changed meanwhile: a switch holds for notices as well.
            sent = match context.renewed().await {
                Ok(context) => notice.send(&context).await,
                Err(error) => Err(error),
            };
        }
        if let Err(error) = sent {
            context
                .log(Level::Error, &format!("{} could not be told of {}: {error}", notice.user, notice.change.kind()));
        }
    }));
}

struct Notice {
    user: String,
    change: Change,
    changed: Vec<Destination>,
    when: Timestamp,
}

impl Notice {
    async fn send(&self, context: &Context) -> Result<(), DatabaseError> {
        let Some(id) = UserId::parse(&self.user) else { return Ok(()) };
        let answer = context.decide(vec![user::change::read(context, &id), statement!(store::LIST, &id)]).await?;
        let [users, factors] = answer.as_slice() else { return Ok(()) };
        let Some(row) = users.first().filter(|_| context.settings().notices_enabled) else { return Ok(()) };
        let factors = factors.iter().map(Factor::read).collect::<Result<Vec<_>, _>>()?;
        let mut reason = "no_destination".to_owned();
        let user = User::read(row)?;
        let reader = Reader::of(&user);
        for destination in self.destinations(&user, &factors) {
            match prepare::notice(context, destination, &self.change, self.when, &reader) {
                Ok(outgoing) => return self.carry(context, &outgoing).await,
                Err(refused) => reason = why(&refused),
            }
        }
        let data = serde_json::json!({"change": self.change.kind()});
        let event = Event::new(EventType::NoticeNotSent, self.user.as_str())
            .user(Some(self.user.as_str()))
            .data(data)
            .ended(event::Outcome::Failed, Some(reason));
        context.record(vec![event::store::write(context, event, When::Always)]).await?;
        Ok(())
    }

    /// Who may be told, the best first: the address that was proven first, the phone that was proven first, the address on the
    /// user. What was just added hears nothing of itself; what was just removed hears it where nobody else does.
    fn destinations(&self, user: &User, factors: &[Factor]) -> Vec<Destination> {
        // Only who has that address is meant, not who has the account's other ones.
        if self.change == Change::SignUpTried {
            return self.changed.clone();
        }
        let own = user.email.as_deref().and_then(|email| EmailAddress::parse(email).ok()).map(Destination::Email);
        let active = factors.iter().filter_map(|factor| Some((factor.activated_at?, factor.destination.clone()?)));
        let (mut addresses, mut phones): (Vec<_>, Vec<_>) =
            active.partition(|(_, destination)| destination.email().is_some());
        addresses.extend(user.email_verified_at.zip(own.clone()));
        let is_older = |one: &(Timestamp, Destination), other: &(Timestamp, Destination)| one.0 < other.0;
        sort_few(&mut addresses, is_older);
        sort_few(&mut phones, is_older);
        let was_added = matches!(self.change, Change::Added { .. });
        let known = addresses.into_iter().map(|(_, destination)| destination);
        let known = known.chain(phones.into_iter().map(|(_, destination)| destination)).chain(own);
        let known = known.filter(|destination| !(was_added && self.changed.contains(destination)));
        match self.change {
            Change::Added { .. } => known.collect(),
            // Whoever has moved the account somewhere else is told there; the owner is told where it was.
            Change::EmailChanged | Change::PhoneChanged => self.changed.iter().cloned().chain(known).collect(),
            _ => known.chain(self.changed.iter().cloned()).collect(),
        }
    }

    /// Writes it down, has it sent, writes down what became of it.
    async fn carry(&self, context: &Context, outgoing: &message::Outgoing) -> Result<(), DatabaseError> {
        let limit = match self.change {
            Change::SignUpTried => SIGN_UP_NOTICES_USER_DAY,
            _ => NOTICES_USER_HOUR,
        };
        let checks = [Check::spend(limit, &self.user, context.settings())];
        let batch = message::store::queue_notice(context, outgoing, &self.user, &self.change, &checks);
        let answer = context.decide(batch).await?;
        let row = answer.last().and_then(|rows| rows.first());
        let is_queued = row.and_then(|row| row.opt_text("status")) == Some(Status::Queued.as_str());
        if matches!(outgoing.route, Route::Drop(_)) {
            if context.dev_tools() {
                context.log(Level::Info, &format!("{} dropped, and would have said: {}", outgoing.id, outgoing.body));
            }
            return Ok(());
        }
        if !is_queued {
            return Ok(());
        }
        message::failover::carry(context, outgoing, &checks).await
    }
}

/// Why nobody could be told, as a stable word; of a variable its name.
fn why(refused: &Refused) -> String {
    match refused {
        Refused::SwitchedOff(channel) => format!("{}_disabled", channel.as_str()),
        Refused::TestNumber => "test_number".to_owned(),
        Refused::Country(_, _, "allowed") => "country_not_allowed".to_owned(),
        Refused::Country(..) => "country_stopped".to_owned(),
        Refused::Kind(kind) => format!("{kind}_refused"),
        Refused::Misconfigured(issue) => issue.variable.to_owned(),
        Refused::FixedLine => "fixed_line".to_owned(),
        Refused::Channel(channel) => format!("{}_not_supported", channel.as_str()),
    }
}
