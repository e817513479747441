//! Makes an invitation and sends it. One batch decides, counts and writes everything down; the driver is asked after it;
//! a second batch records what it said. Without an e-mail that may have gone out there is no invitation.

use std::time::Duration;

use super::{Invitation, PREFIX, store};
use crate::{
    app::{Origin, RedirectUri},
    challenge::{NotSent, sending::not_sent},
    context::Context,
    crypto::{new_token, token_hash},
    email::EmailAddress,
    event::{self, Event, EventType, When},
    idempotency::{Claim, Reservation},
    ids::{AppId, InvitationId},
    limit::{self, Check, EMAILS_DESTINATION_HALF_HOUR, Refusal, TRIES_DESTINATION_HALF_HOUR},
    message::{self, Outgoing, Refused, Status, prepare},
    ports::{DatabaseError, Level, Row, Statement},
    statement,
};

/// An invitation to make.
pub struct Invite {
    /// Whom it is sent to.
    pub email: EmailAddress,
    /// The app to sign up through.
    pub app: Option<AppId>,
    /// The page that the link leads to.
    pub url: RedirectUri,
    /// How long it lives.
    pub lifetime: Duration,
    /// The language asked for.
    pub locale: Option<String>,
    /// The call's key.
    pub reservation: Option<Reservation>,
}

/// What inviting came to.
pub enum Invited {
    /// The invitation, its message and what became of that.
    Done(Invitation, String, Status),
    /// An earlier call with the same key made it.
    Replayed(Invitation),
    /// It was made by an earlier call, and taken back since.
    NotFound,
    /// There is no such app.
    AppNotFound,
    /// The app has no such page.
    NotItsPage,
    /// A user has the address.
    Taken,
    /// A limit has no room.
    Limited(Refusal),
    /// No e-mail may go there.
    Refused(Refused),
    /// The e-mail certainly did not go out.
    NotSent(NotSent),
    /// The call's key is another call's.
    Claimed(Claim),
}

/// Makes an invitation and sends it.
pub async fn invite(context: &Context, invite: Invite) -> Result<Invited, DatabaseError> {
    let Invite { email, app, url, lifetime, locale, reservation } = invite;
    let (now, stamp) = (context.now(), context.stamp());
    let random = &*context.ports().random;
    let (id, token) = (InvitationId::new(now, random), new_token(PREFIX, random));
    let expires_at = now + lifetime;
    // A fragment goes to no server and into no log (RFC 3986 §3.5).
    let link = format!("{}#invitation={}", url.as_str(), token.expose());
    let of_app = app.as_ref().map(AppId::as_str);
    let outgoing = match prepare::invitation(context, email.clone(), &link, expires_at, locale.as_deref(), of_app) {
        Ok(outgoing) => outgoing,
        Err(refused) => return Ok(Invited::Refused(refused)),
    };
    let checks = checks(context, &email);
    let key = reservation.as_ref();
    let origin = url.origin();
    let config = context.config();
    let embedded = origin.as_ref().is_some_and(|origin| config.embedded_auth_origins.contains(origin));
    let own = origin.is_some() && origin == config.public_url.as_deref().and_then(Origin::parse);
    let origin = origin.as_ref().map(Origin::as_str);

    let mut batch: Vec<Statement> = key.map(|key| key.reserve(id.as_str(), &stamp, now)).into_iter().collect();
    batch.push(statement!(
        store::CREATE,
        limit::store::parameter(&checks),
        now.millis(),
        &id,
        stamp.as_str(),
        key.map(Reservation::key),
        token_hash(token.expose()),
        email.given(),
        email.as_str(),
        app.as_ref(),
        expires_at.millis(),
        context.actor(),
        url.as_str(),
        origin,
        embedded,
        own
    ));
    batch.extend(message::store::queue_invitation(context, &outgoing, id.as_str(), &stamp, &checks));
    let event = Event::new(EventType::InvitationCreated, id.as_str()).app(app.as_ref().map(AppId::as_str));
    batch.push(event::store::write(context, event, When::Invitation(id.as_str(), &stamp)));
    if let Some(key) = key {
        batch.push(key.release_unless_made(&stamp));
        // Where a driver is asked, the call runs on until it has answered.
        batch.extend(outgoing.route.is_done().then(|| key.finish(&stamp)));
        batch.push(key.look_up());
    }
    let reported = 3 + usize::from(key.is_some());
    batch.extend([
        statement!(store::WHY_NOT, app.as_ref(), url.as_str(), origin, embedded, own, email.as_str()),
        limit::store::refusals(&checks, now, id.as_str(), &stamp),
        statement!(store::GET, &id),
    ]);
    let answer = context.decide(batch).await?;
    let report = answer.get(answer.len().saturating_sub(reported)..).unwrap_or_default();
    let [claim @ .., why_not, refusals, made] = report else {
        return Err(DatabaseError::Other("a batch answered too little".to_owned()));
    };
    if let (Some(key), Some(rows)) = (key, claim.first()) {
        match key.claim(rows, &stamp, now)? {
            Claim::Mine => {}
            Claim::Replay(earlier) => return replay(context, &earlier).await,
            claim => return Ok(Invited::Claimed(claim)),
        }
    }
    let Some(made) = made.first() else { return refused(why_not.first(), refusals, context) };
    let invitation = Invitation::read(made)?;
    match carry(context, &outgoing, &id, &stamp, &checks, key).await {
        Ok(status) => Ok(Invited::Done(invitation, outgoing.id.to_string(), status)),
        Err(not_sent) => Ok(Invited::NotSent(not_sent)),
    }
}

/// What has to have room: e-mails to this address, and tries.
fn checks(context: &Context, email: &EmailAddress) -> [Check; 2] {
    let mac = context.pepper().destination_mac(email.as_str());
    // A test key's messages go nowhere: they use up nobody's limits.
    let whom = if context.credential().is_test { format!("test:{mac}") } else { mac };
    [EMAILS_DESTINATION_HALF_HOUR, TRIES_DESTINATION_HALF_HOUR]
        .map(|limit| Check::spend(limit, &whom, context.settings()))
}

fn refused(why_not: Option<&Row>, refusals: &[Row], context: &Context) -> Result<Invited, DatabaseError> {
    let is = |column| why_not.is_some_and(|row| row.flag(column));
    if !is("has_app") {
        return Ok(Invited::AppNotFound);
    }
    if !is("may_lead_there") {
        return Ok(Invited::NotItsPage);
    }
    if is("is_taken") {
        return Ok(Invited::Taken);
    }
    let refusal = limit::store::read_refusals(refusals, context.now())?;
    refusal
        .map(Invited::Limited)
        .ok_or_else(|| DatabaseError::Other("an invitation that was made is missing".to_owned()))
}

async fn replay(context: &Context, id: &str) -> Result<Invited, DatabaseError> {
    let answer = context.decide(vec![statement!(store::GET, id)]).await?;
    match answer.first().and_then(|rows| rows.first()) {
        Some(row) => Ok(Invited::Replayed(Invitation::read(row)?)),
        None => Ok(Invited::NotFound),
    }
}

/// Has it sent, and writes down what became of it: without an e-mail the invitation is taken back.
async fn carry(
    context: &Context,
    outgoing: &Outgoing,
    id: &InvitationId,
    stamp: &str,
    checks: &[Check],
    key: Option<&Reservation>,
) -> Result<Status, NotSent> {
    let Some(delivered) = message::failover::deliver(context, outgoing).await else {
        if context.dev_tools() {
            context.log(Level::Info, &format!("{} dropped, and would have said: {}", outgoing.id, outgoing.body));
        }
        return Ok(outgoing.route.begins().0);
    };
    let not_sent = not_sent(context, outgoing, &delivered);
    let mut statements = message::store::ended(context, outgoing, &delivered);
    if not_sent.is_some() {
        let event =
            Event::new(EventType::InvitationDeleted, id.as_str()).ended(event::Outcome::Failed, Some("send_failed"));
        statements.push(event::store::write(context, event, When::Invitation(id.as_str(), stamp)));
        statements.push(statement!(store::DELETE, id));
    }
    if delivered.costs_nothing() {
        statements.push(limit::store::refund(checks, context.ports().clock.now(), context.now()));
    }
    statements.extend(key.map(|key| if not_sent.is_some() { key.release(stamp) } else { key.finish(stamp) }));
    // The driver has been asked: what it said stands, even when it cannot be written down now.
    if let Err(error) = context.record(statements).await {
        let outcome = delivered.verdict().outcome.as_str();
        context.log(Level::Error, &format!("{} {outcome} could not be recorded: {error}", outgoing.id));
    }
    not_sent.map_or_else(|| Ok(message::store::status_of(&delivered.verdict().outcome)), Err)
}
